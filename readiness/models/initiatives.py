"""A change initiative as people read it: why, what it means for whom, what is still open, and who stands behind it."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.models import Orderable

from competencies.models import Competency, ProficiencyLevel, RoleProfile
from organisations.models import Unit
from readiness.enums import InitiativeStatus, TeamRole


class InitiativeQuerySet(models.QuerySet["Initiative"]):
    def published(self) -> InitiativeQuerySet:
        """What people may read: also what has ended, for its results stay."""
        return self.exclude(status=InitiativeStatus.DRAFT)

    def under_way(self) -> InitiativeQuerySet:
        return self.filter(status=InitiativeStatus.PUBLISHED)


class Initiative(ClusterableModel):
    """One change. Texts are in as many languages as they were written in; the reader gets hers, or the first there is."""

    slug = models.SlugField(
        _("address"), max_length=80, unique=True, help_text=_("Part of its address: letters, digits and hyphens.")
    )
    title = I18nCharField(_("title"))
    short_name = I18nCharField(
        _("short name"),
        help_text=_("As it stands in the middle of a question: without an article, beginning with a capital."),
    )
    service_name = I18nCharField(
        _("service it changes"),
        blank=True,
        help_text=_("As it stands in the middle of a question. Empty: the short name."),
    )
    unit = models.ForeignKey(
        Unit,
        on_delete=models.PROTECT,
        related_name="initiatives",
        verbose_name=_("public body or unit"),
        help_text=_("The change concerns everybody in it and below it."),
    )
    status = models.CharField(
        _("status"), max_length=10, choices=InitiativeStatus.choices, default=InitiativeStatus.DRAFT
    )
    is_public = models.BooleanField(
        _("also for citizens"), default=False, help_text=_("Shown on the public home page, without sign-in.")
    )
    summary = I18nTextField(
        _("in one paragraph"), help_text=_("What changes, for whom and when: a paragraph a minister would sign.")
    )
    why = I18nTextField(_("why"), help_text=_("The reason, in words that a colleague would repeat."))
    evidence = I18nTextField(
        _("what we know"), blank=True, help_text=_("Figures and facts behind it, each with its source.")
    )
    if_we_do_nothing = I18nTextField(_("what happens if we do nothing"), blank=True)
    for_citizens = I18nTextField(_("what it means for citizens"), blank=True)
    what_changes = I18nTextField(_("what changes for everybody"), blank=True)
    what_stays = I18nTextField(_("what stays as it is"), blank=True)
    still_open = I18nTextField(
        _("what is still open to influence"), blank=True, help_text=_("And until when, and how to be heard.")
    )
    decider = I18nTextField(_("who decides"), blank=True)
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(
        _("until"), null=True, blank=True, help_text=_("When the new way of working is in place everywhere.")
    )
    updated_on = models.DateField(_("last changed"), default=timezone.localdate)

    objects = InitiativeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change initiative")
        verbose_name_plural = _("change initiatives")
        ordering = ["-starts_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="readiness_initiative_ends_after_it_starts",
                violation_error_message=_("The end lies after the start."),
            )
        ]

    def __str__(self) -> str:
        return str(self.title)

    @property
    def is_published(self) -> bool:
        return self.status != InitiativeStatus.DRAFT


class Milestone(Orderable):
    """A date in the timeline that people will notice."""

    initiative = ParentalKey(Initiative, on_delete=models.CASCADE, related_name="milestones")
    on = models.DateField(_("date"))
    text = I18nCharField(_("what happens"))
    is_done = models.BooleanField(_("done"), default=False)

    class Meta(Orderable.Meta):
        ordering = ["on", "sort_order", "pk"]
        verbose_name = _("milestone")
        verbose_name_plural = _("milestones")

    def __str__(self) -> str:
        return f"{self.on} {self.text}"


class RoleImpact(Orderable):
    """What changes for people of one role: "what changes for me"."""

    initiative = ParentalKey(Initiative, on_delete=models.CASCADE, related_name="role_impacts")
    profile = models.ForeignKey(RoleProfile, on_delete=models.PROTECT, related_name="+", verbose_name=_("role"))
    text = I18nTextField(_("what changes for people in this role"))

    class Meta(Orderable.Meta):
        verbose_name = _("what changes for a role")
        verbose_name_plural = _("what changes for roles")
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "profile"],
                name="readiness_one_impact_per_role",
                violation_error_message=_("This role has its text already."),
            )
        ]

    def __str__(self) -> str:
        return str(self.profile)


class Need(Orderable):
    """A competency, or all of a role, that the initiative needs people to have by a date: the link to learning."""

    initiative = ParentalKey(Initiative, on_delete=models.CASCADE, related_name="needs")
    competency = models.ForeignKey(
        Competency,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("competency"),
    )
    level = models.ForeignKey(
        ProficiencyLevel,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("level"),
    )
    profile = models.ForeignKey(
        RoleProfile,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("role"),
    )
    by = models.DateField(_("needed by"))

    class Meta(Orderable.Meta):
        verbose_name = _("need")
        verbose_name_plural = _("needs")
        constraints = [
            models.CheckConstraint(
                condition=Q(competency__isnull=False, profile__isnull=True)
                | Q(competency__isnull=True, profile__isnull=False, level__isnull=True),
                name="readiness_need_is_competency_or_role",
                violation_error_message=_("Name a competency with its level, or a role: one of the two."),
            )
        ]

    def __str__(self) -> str:
        return str(self.profile or self.competency)


class TeamMember(Orderable):
    """Who does what for an initiative."""

    initiative = ParentalKey(Initiative, on_delete=models.CASCADE, related_name="team")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("person")
    )
    role = models.CharField(_("does"), max_length=10, choices=TeamRole.choices)

    class Meta(Orderable.Meta):
        verbose_name = _("member of the change team")
        verbose_name_plural = _("change team")
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "person", "role"],
                name="readiness_one_row_per_person_and_role",
                violation_error_message=_("This person does this already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.get_role_display()}"


class ChampionQuerySet(models.QuerySet["Champion"]):
    def agreed(self) -> ChampionQuerySet:
        return self.filter(manager_agreed=True)


class Champion(models.Model):
    """A colleague who helps others through the change, with hours for it that the manager has agreed to."""

    initiative = models.ForeignKey(
        Initiative, on_delete=models.CASCADE, related_name="champions", verbose_name=_("initiative")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="champion_of", verbose_name=_("person")
    )
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="champions", verbose_name=_("unit"))
    hours_month = models.PositiveSmallIntegerField(_("hours a month"), default=4, validators=[MaxValueValidator(160)])
    manager_agreed = models.BooleanField(_("the manager agrees"), default=False)

    objects = ChampionQuerySet.as_manager()

    class Meta:
        verbose_name = _("champion")
        verbose_name_plural = _("champions")
        ordering = ["unit__path", "person__name"]
        constraints = [
            models.UniqueConstraint(
                fields=["initiative", "person"],
                name="readiness_one_champion_per_person",
                violation_error_message=_("This person is a champion of this initiative already."),
            )
        ]

    def __str__(self) -> str:
        return str(self.person)


class ReadConfirmation(models.Model):
    """Somebody says that she has read why. It says nothing of what she thinks of it."""

    initiative = models.ForeignKey(Initiative, on_delete=models.CASCADE, related_name="readings")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="change_readings")
    on: models.DateField[date, date] = models.DateField(_("read on"), default=timezone.localdate)

    class Meta:
        verbose_name = _("confirmation of reading")
        verbose_name_plural = _("confirmations of reading")
        constraints = [
            models.UniqueConstraint(fields=["initiative", "person"], name="readiness_read_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.initiative}"
