"""Roles, what they require, and who has them: by post or by assignment."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.models import DraftStateMixin, RevisionMixin

from competencies.enums import DEFAULT_IMPORTANCE, FrameworkStatus, Necessity
from competencies.models.framework import (
    Competency,
    FrameworkVersion,
    PartOfVersion,
    ProficiencyLevel,
    all_languages,
    belongs,
)
from organisations.models import Post


class RoleFamily(PartOfVersion):
    version = models.ForeignKey(
        FrameworkVersion, on_delete=models.CASCADE, related_name="families", verbose_name=_("framework version")
    )
    code = models.CharField(_("code"), max_length=80)
    title = I18nCharField(_("title"))
    description = I18nTextField(_("description"), blank=True, default="")
    position = models.PositiveIntegerField(_("position"), default=0)
    identifier = models.CharField(_("identifier in the source"), max_length=500, blank=True)
    extra = models.JSONField(_("beyond our fields"), default=dict, blank=True)

    class Meta:
        verbose_name = _("role family")
        verbose_name_plural = _("role families")
        ordering = ["version", "position", "code"]
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="competencies_one_family_per_code")]

    def __str__(self) -> str:
        return str(self.title)


class Role(PartOfVersion, DraftStateMixin, RevisionMixin):
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
    alternatives = I18nTextField(_("other names"), blank=True, default="", help_text=_("One a line."))
    position = models.PositiveIntegerField(_("position"), default=0)
    identifier = models.CharField(_("identifier in the source"), max_length=500, blank=True)
    extra = models.JSONField(_("beyond our fields"), default=dict, blank=True)
    search_text = models.TextField(default="", blank=True, editable=False)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ["version", "position", "code"]
        constraints = [models.UniqueConstraint(fields=["version", "code"], name="competencies_one_role_per_code")]

    def __str__(self) -> str:
        return str(self.title)

    def save(self, *args: Any, **kwargs: Any) -> Any:
        self.search_text = self.searchable()
        return super().save(*args, **kwargs)

    def searchable(self) -> str:
        return all_languages(self.code, self.title, self.alternatives, self.key_post, self.summary)


class RoleProfileQuerySet(models.QuerySet["RoleProfile"]):
    def published(self) -> RoleProfileQuerySet:
        return self.filter(role__version__status=FrameworkStatus.PUBLISHED)


class RoleProfile(PartOfVersion, DraftStateMixin, RevisionMixin, ClusterableModel):
    """What a role requires at one grade; a role without grades has one profile with an empty `grade`.

    `lineage` is shared by the editions of one profile: who was given one has its successor when that is published.
    A profile of a local extension may build on one of the extended framework; that one's requirements count too.
    """

    role = models.ForeignKey(Role, on_delete=models.CASCADE, related_name="profiles", verbose_name=_("role"))
    code = models.CharField(_("code"), max_length=200)
    grade = I18nCharField(_("grade"), blank=True, default="")
    summary = I18nTextField(_("summary"), blank=True, default="")
    builds_on = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="built_upon",
        verbose_name=_("builds on"),
        help_text=_("The role profile of the extended framework whose requirements count too."),
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    identifier = models.CharField(_("identifier in the source"), max_length=500, blank=True)
    extra = models.JSONField(_("beyond our fields"), default=dict, blank=True)
    lineage = models.UUIDField(default=uuid4, editable=False, db_index=True)

    objects = RoleProfileQuerySet.as_manager()
    OWNER = "role__version"

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

    def owner(self) -> FrameworkVersion:
        return self.role.version

    def clean(self) -> None:
        super().clean()
        base = self.builds_on
        if base is not None and self.role_id and base.role.version_id != self.role.version.extends_id:
            raise ValidationError({"builds_on": _("Choose a role profile of the framework that is extended.")})


class Requirement(PartOfVersion):
    """A profile requires a competency at a level - or without stating one (`level` is None): held at any level.

    `level_value` and `importance_value` keep the source's own finer numbers as it writes them.
    """

    profile = ParentalKey(
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
    necessity = models.CharField(_("necessity"), max_length=9, choices=Necessity.choices, default=Necessity.REQUIRED)
    level_value = models.CharField(_("level in the source"), max_length=20, blank=True)
    importance_value = models.CharField(_("importance in the source"), max_length=20, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    extra = models.JSONField(_("beyond our fields"), default=dict, blank=True)

    OWNER = "profile__role__version"

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

    def owner(self) -> FrameworkVersion:
        return self.profile.role.version

    def clean(self) -> None:
        super().clean()
        if not self.competency_id or not self.profile_id:
            return
        if not belongs(self.competency.version_id, self.profile.role.version):
            raise ValidationError({"competency": _("This competency belongs to another framework version.")})
        if self.level is not None and self.level.version_id != self.competency.version_id:
            raise ValidationError({"level": _("This level belongs to another framework than the competency.")})


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
