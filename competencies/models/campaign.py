"""Assessment campaigns: HR invites a unit or the holders of a role to assess themselves, managers confirm."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from competencies.models.roles import RoleProfile
from organisations.models import Unit


class AssessmentCampaign(models.Model):
    """Who is asked (a unit and what lies below it, the holders of a role there, or both) and between which days.

    `closes_on` is the last day. `token` makes a doubled press one campaign.
    """

    title = models.CharField(_("title"), max_length=200)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="campaigns", verbose_name=_("unit"))
    profile = models.ForeignKey(
        RoleProfile,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="campaigns",
        verbose_name=_("role"),
        help_text=_("Empty: everybody in the unit, each for the roles she has."),
    )
    message = models.TextField(_("why, in a few words"), blank=True)
    opens_on = models.DateField(_("opens"))
    closes_on = models.DateField(_("last day"))
    asks_managers = models.BooleanField(_("managers confirm"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("opened by")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    # When the people were invited, and when it was ended before its last day.
    invited_at = models.DateTimeField(_("people invited"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended early"), null=True, blank=True)
    token = models.CharField(max_length=80, unique=True)

    class Meta:
        verbose_name = _("assessment campaign")
        verbose_name_plural = _("assessment campaigns")
        ordering = ["-opens_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closes_on__gte=F("opens_on")),
                name="competencies_campaign_ends_after_it_opens",
                violation_error_message=_("The last day lies before the first."),
            )
        ]

    def __str__(self) -> str:
        return self.title


class CampaignInvitation(models.Model):
    """One person asked by a campaign, and the few reminders she was sent."""

    campaign = models.ForeignKey(
        AssessmentCampaign, on_delete=models.PROTECT, related_name="invitations", verbose_name=_("campaign")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="campaign_invitations",
        verbose_name=_("person"),
    )
    invited_at = models.DateTimeField(_("invited"), default=timezone.now)
    # Set just before the mail goes out: a worker killed between the two loses one mail rather than sending it twice.
    mailed_at = models.DateTimeField(_("invitation sent"), null=True, blank=True)
    reminders = models.PositiveSmallIntegerField(_("reminders"), default=0)
    reminded_on = models.DateField(_("last reminder"), null=True, blank=True)
    # Derived and laid down: the unit of the campaign's branch the person belongs to, how many competencies she is asked
    # for, how many of them she has assessed herself in, how many of those her manager has confirmed. Counted anew with
    # her evidence and every morning.
    unit = models.ForeignKey(
        Unit, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("unit")
    )
    asked = models.PositiveSmallIntegerField(_("competencies asked for"), default=0)
    assessed = models.PositiveSmallIntegerField(_("self-assessed"), default=0)
    confirmed = models.PositiveSmallIntegerField(_("confirmed"), default=0)

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        ordering = ["campaign", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "person"], name="competencies_one_invitation_per_person"),
            models.CheckConstraint(
                condition=Q(assessed__lte=F("asked"), confirmed__lte=F("assessed")),
                name="competencies_invitation_counts_what_was_asked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} · {self.person}"


class CampaignManagerMail(models.Model):
    """A manager was told how many of her people wait for her word. The row is written just before the mail goes out."""

    manager = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("manager")
    )
    sent_on = models.DateField(_("sent"))

    class Meta:
        verbose_name = _("mail to a manager")
        verbose_name_plural = _("mails to managers")
        ordering = ["-sent_on", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["manager", "sent_on"], name="competencies_one_campaign_mail_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.manager} · {self.sent_on}"
