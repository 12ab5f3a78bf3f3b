"""Roles, what they require, and who has them: by post or by assignment."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField

from competencies.enums import DEFAULT_IMPORTANCE, FrameworkStatus
from competencies.models.framework import Competency, FrameworkVersion, ProficiencyLevel
from organisations.models import Post


class RoleFamily(models.Model):
    version = models.ForeignKey(
        FrameworkVersion, on_delete=models.CASCADE, related_name="families", verbose_name=_("framework version")
    )
    code = models.CharField(_("code"), max_length=80)
    title = I18nCharField(_("title"))
    description = I18nTextField(_("description"), blank=True, default="")
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("role family")
        verbose_name_plural = _("role families")
        ordering = ["version", "position", "code"]
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="competencies_one_family_per_code")]

    def __str__(self) -> str:
        return str(self.title)


class Role(models.Model):
    """A role across its grades, e.g. "Business architect". Its profiles say what each grade requires."""

    version = models.ForeignKey(
        FrameworkVersion, on_delete=models.CASCADE, related_name="roles", verbose_name=_("framework version")
    )
    family = models.ForeignKey(
        RoleFamily, on_delete=models.CASCADE, null=True, blank=True, related_name="roles", verbose_name=_("family")
    )
    code = models.CharField(_("code"), max_length=160)
    title = I18nCharField(_("title"))
    summary = I18nTextField(_("summary"), blank=True, default="")
    key_post = models.CharField(
        _("key post"),
        max_length=20,
        blank=True,
        help_text=_("CIO, CTO, CISO, CDIO: posts a government must not leave unfilled."),
    )
    external_codes = models.JSONField(_("codes elsewhere"), default=dict, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ["version", "position", "code"]
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="competencies_one_role_per_code")]

    def __str__(self) -> str:
        return str(self.title)


class RoleProfileQuerySet(models.QuerySet["RoleProfile"]):
    def published(self) -> RoleProfileQuerySet:
        return self.filter(role__version__status=FrameworkStatus.PUBLISHED)


class RoleProfile(models.Model):
    """What a role requires at one grade; a role without grades has one profile with an empty `grade`."""

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="profiles", verbose_name=_("role"))
    code = models.CharField(_("code"), max_length=200)
    grade = I18nCharField(_("grade"), blank=True, default="")
    summary = I18nTextField(_("summary"), blank=True, default="")
    position = models.PositiveIntegerField(_("position"), default=0)

    objects = RoleProfileQuerySet.as_manager()

    class Meta:
        verbose_name = _("role profile")
        verbose_name_plural = _("role profiles")
        ordering = ["role", "position", "code"]
        constraints = [models.UniqueConstraint(fields=["role", "code"], name="competencies_one_profile_per_code")]

    def __str__(self) -> str:
        return str(self.grade) or str(self.role)

    @property
    def title(self) -> str:
        return str(self)


class Requirement(models.Model):
    """A profile requires a competency at a level - or without stating one (`level` is None): held at any level."""

    profile = models.ForeignKey(
        RoleProfile, on_delete=models.CASCADE, related_name="requirements", verbose_name=_("role profile")
    )
    competency = models.ForeignKey(
        Competency, on_delete=models.CASCADE, related_name="requirements", verbose_name=_("competency")
    )
    level = models.ForeignKey(
        ProficiencyLevel,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="requirements",
        verbose_name=_("level"),
    )
    importance = models.PositiveSmallIntegerField(
        _("importance"), default=DEFAULT_IMPORTANCE, validators=[MinValueValidator(1), MaxValueValidator(5)]
    )
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("requirement")
        verbose_name_plural = _("requirements")
        ordering = ["profile", "position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["profile", "competency"],
                name="competencies_one_requirement_per_competency",
                violation_error_message=_("This role profile already requires this competency."),
            ),
            models.CheckConstraint(
                condition=Q(importance__gte=1, importance__lte=5),
                name="competencies_importance_is_one_to_five",
                violation_error_message=_("Importance goes from 1 to 5."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.competency} · {self.level}" if self.level else str(self.competency)


class PostRole(models.Model):
    """A post carries a role profile: whoever holds the post has the role."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="post_roles", verbose_name=_("post"))
    profile = models.ForeignKey(
        RoleProfile, on_delete=models.PROTECT, related_name="post_roles", verbose_name=_("role profile")
    )

    class Meta:
        verbose_name = _("role of a post")
        verbose_name_plural = _("roles of posts")
        ordering = ["post", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["post", "profile"],
                name="competencies_one_post_role_per_profile",
                violation_error_message=_("This post already carries this role profile."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.post} · {self.profile}"


class RoleAssignmentQuerySet(models.QuerySet["RoleAssignment"]):
    def current(self, as_of: date | None = None) -> RoleAssignmentQuerySet:
        day = as_of or timezone.localdate()
        return self.filter(Q(ends_on__isnull=True) | Q(ends_on__gt=day), starts_on__lte=day)


class RoleAssignment(models.Model):
    """HR gives a person a role beside (or without) a post: acting, prepared for, in addition."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="role_assignments", verbose_name=_("person")
    )
    profile = models.ForeignKey(
        RoleProfile, on_delete=models.PROTECT, related_name="role_assignments", verbose_name=_("role profile")
    )
    starts_on = models.DateField(_("from"))
    ends_on = models.DateField(
        _("until"), null=True, blank=True, help_text=_("The first day on which the person no longer has the role.")
    )
    assigned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("assigned by"),
    )
    assigned_at = models.DateTimeField(_("assigned"), default=timezone.now)

    objects = RoleAssignmentQuerySet.as_manager()

    class Meta:
        verbose_name = _("role assignment")
        verbose_name_plural = _("role assignments")
        ordering = ["-assigned_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "profile"],
                condition=Q(ends_on__isnull=True),
                name="competencies_one_open_assignment_per_role",
                violation_error_message=_("This person already has this role."),
            ),
            models.CheckConstraint(
                condition=Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="competencies_assignment_ends_after_it_starts",
                violation_error_message=_("A role cannot end before it starts."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.profile}"
