"""What HR lays down about certificates: who issues them, who signs, how they look, and by which criteria they are given."""

from __future__ import annotations

from hashlib import sha256

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from i18nfield.fields import I18nCharField, I18nTextField

from certificates.enums import DefinitionStatus, Design, Kind
from competencies.models import Competency, ProficiencyLevel, RoleProfile
from courses.models import CoursePage
from learning.models import CuratedPath
from organisations.models import Unit, User

COLOUR = "#0B5A75"


class Logo(models.Model):
    """A picture by its digest. Records name it, so it is never changed; another logo is another row."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    content = models.BinaryField()
    media_type = models.CharField(max_length=20)

    class Meta:
        verbose_name = _("logo")
        verbose_name_plural = _("logos")

    def __str__(self) -> str:
        return self.sha256[:12]

    @classmethod
    def digest_of(cls, content: bytes) -> str:
        return sha256(content).hexdigest()


class IssuingBody(models.Model):
    """A body in whose name certificates are issued: what stands on top, whose colours it has.

    With a `unit` it is the usual one for that unit and those below it; without, for whoever has none of her own.
    """

    name = models.CharField(_("name on the certificate"), max_length=200)
    unit = models.OneToOneField(
        Unit,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="issuing_body",
        verbose_name=_("for"),
        help_text=_("Its own certificates and those of the units below it. Empty: for everybody else."),
    )
    colour = models.CharField(
        _("colour"),
        max_length=7,
        default=COLOUR,
        validators=[RegexValidator(r"^#[0-9A-Fa-f]{6}\Z", _("Write the colour as # and six of 0-9 and A-F."))],
    )
    logo = models.ForeignKey(Logo, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("issuing body")
        verbose_name_plural = _("issuing bodies")
        ordering = ["name"]
        constraints = [
            # One row without a unit at most: the usual one.
            models.UniqueConstraint(
                models.Case(models.When(unit__isnull=True, then=1)),
                name="certificates_one_usual_body",
                violation_error_message=_("There is a body for everybody else already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Signatory(models.Model):
    """Who puts a name under the certificates of a body. One who leaves is ended, not removed."""

    body = models.ForeignKey(IssuingBody, on_delete=models.PROTECT, related_name="signatories")
    name = models.CharField(_("name"), max_length=120)
    title = models.CharField(_("title"), max_length=160)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    ended_at = models.DateTimeField(_("signs no more since"), null=True, blank=True)

    class Meta:
        verbose_name = _("signatory")
        verbose_name_plural = _("signatories")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return f"{self.name}, {self.title}"


class DefinitionQuerySet(models.QuerySet["Definition"]):
    def active(self) -> DefinitionQuerySet:
        return self.filter(status=DefinitionStatus.ACTIVE)

    def whole(self) -> DefinitionQuerySet:
        """With all that stands on a certificate: two queries, however many."""
        return self.select_related(
            "unit", "course", "path", "competency__version__framework", "level", "role__role__version", "body"
        ).prefetch_related("signatories")


class Definition(models.Model):
    """By which criteria a certificate is given, and what stands on it. What was issued by it keeps what it said then.

    Exactly one of `course`, `path`, `competency` (with `level`) and `role`. Competencies and roles are followed through
    their editions by lineage. It is for the people of `unit` and below; without, for everybody.
    """

    key = models.SlugField(_("key"), max_length=80, unique=True)
    kind = models.CharField(_("given for"), max_length=10, choices=Kind.choices)
    status = models.CharField(
        _("status"), max_length=10, choices=DefinitionStatus.choices, default=DefinitionStatus.DRAFT
    )
    unit = models.ForeignKey(
        Unit, on_delete=models.PROTECT, null=True, blank=True, related_name="certificate_definitions",
        verbose_name=_("for the people of"),
    )  # fmt: skip
    course = models.ForeignKey(
        CoursePage, on_delete=models.PROTECT, null=True, blank=True, related_name="certificate_definitions",
        verbose_name=_("course"),
    )  # fmt: skip
    path = models.ForeignKey(
        CuratedPath, on_delete=models.PROTECT, null=True, blank=True, related_name="certificate_definitions",
        verbose_name=_("learning path"),
    )  # fmt: skip
    competency = models.ForeignKey(
        Competency, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("competency")
    )
    level = models.ForeignKey(
        ProficiencyLevel, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("level")
    )
    role = models.ForeignKey(
        RoleProfile, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("role")
    )
    title = I18nCharField(_("title"), help_text=_("As it stands on the certificate."))
    criteria = I18nTextField(_("criteria"), blank=True, help_text=_("What it took, in one or two sentences."))
    validity_months = models.PositiveSmallIntegerField(
        _("valid for months"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(600)],
        help_text=_("Empty: without end."),
    )  # fmt: skip
    renewal_months = models.PositiveSmallIntegerField(
        _("may be renewed from months before the end"), default=3, validators=[MaxValueValidator(60)]
    )
    language = models.CharField(
        _("language"), max_length=10, blank=True, help_text=_("Empty: the holder's.")
    )  # fmt: skip
    design = models.CharField(_("design"), max_length=10, choices=Design.choices, default=Design.FORMAL)
    body = models.ForeignKey(
        IssuingBody, on_delete=models.PROTECT, null=True, blank=True, related_name="definitions",
        verbose_name=_("issued by"), help_text=_("Empty: the body of the holder's unit."),
    )  # fmt: skip
    signatories = models.ManyToManyField(Signatory, blank=True, related_name="+", verbose_name=_("signed by"))
    revision = models.PositiveIntegerField(_("revision"), default=1)
    created_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("made by")
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = DefinitionQuerySet.as_manager()

    class Meta:
        verbose_name = _("definition of a certificate")
        verbose_name_plural = _("definitions of certificates")
        ordering = ["key"]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(kind=Kind.COURSE, course__isnull=False, path=None, competency=None, level=None, role=None)
                    | Q(kind=Kind.PATH, course=None, path__isnull=False, competency=None, level=None, role=None)
                    | Q(
                        kind=Kind.LEVEL,
                        course=None,
                        path=None,
                        competency__isnull=False,
                        level__isnull=False,
                        role=None,
                    )
                    | Q(kind=Kind.ROLE, course=None, path=None, competency=None, level=None, role__isnull=False)
                ),
                name="certificates_one_subject_per_definition",
                violation_error_message=_("Say what the certificate is given for: one thing, of the kind chosen."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)

    @property
    def thing(self) -> tuple[object, ...]:
        """What it is given for, in whatever language or edition: two definitions of one thing have the same."""
        if self.course is not None:
            return (Kind.COURSE, self.course.key)
        if self.path_id is not None:
            return (Kind.PATH, self.path_id)
        if self.competency is not None and self.level is not None:
            return (Kind.LEVEL, self.competency.lineage, self.level.rank)
        return (Kind.ROLE, self.role.lineage if self.role is not None else None)

    @property
    def unit_path(self) -> str:
        """Prefix of the tree paths of the units whose people it is for; "" where it is for everybody."""
        return self.unit.path if self.unit is not None else ""

    @property
    def reference(self) -> str:
        """As a record names it: which definition, and what it said then."""
        return f"{self.key}/{self.revision}"
