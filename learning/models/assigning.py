"""What people are asked to learn: assignments, the batches that made them, and the rules that keep them true."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from competencies.models import RoleAssignment, RoleProfile
from learning.enums import (
    AssignmentKind,
    BatchStatus,
    Decision,
    EndReason,
    Existing,
    OnLeaving,
    RowOutcome,
    RowState,
)
from learning.models.curated import CuratedPath
from organisations.models import Job, Unit


class AssignmentRule(models.Model):
    """A standing rule: whoever meets `condition` (learning/conditions.py) within `unit` has the assignment.

    `due_policy` is as learning/due_dates.py writes it, `repeat` as learning/periods.py does (empty: once).
    """

    title = models.CharField(_("title"), max_length=200)
    unit = models.ForeignKey(
        Unit,
        on_delete=models.PROTECT,
        related_name="assignment_rules",
        verbose_name=_("unit"),
        help_text=_("The rule reaches people of this unit and below, never further."),
    )
    condition = models.JSONField(default=dict)
    kind = models.CharField(_("what"), max_length=8, choices=AssignmentKind.choices)
    profile = models.ForeignKey(
        RoleProfile, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("role")
    )
    curated_path = models.ForeignKey(
        CuratedPath,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="rules",
        verbose_name=_("curated path"),
    )
    course_key = models.SlugField(_("course"), max_length=120, blank=True)
    mandatory = models.BooleanField(_("mandatory"), default=True)
    note = models.CharField(_("why, for those it reaches"), max_length=300, blank=True)
    due_policy = models.JSONField(default=dict)
    repeat = models.JSONField(default=dict, blank=True)
    on_leaving = models.CharField(_("who leaves its scope"), max_length=8, choices=OnLeaving.choices)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("made by")
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    # A rule works from its first confirmed dry run until it is stopped.
    started_at = models.DateTimeField(_("works since"), null=True, blank=True)
    stopped_at = models.DateTimeField(_("stopped"), null=True, blank=True)
    swept_at = models.DateTimeField(_("last checked"), null=True, blank=True)

    class Meta:
        verbose_name = _("assignment rule")
        verbose_name_plural = _("assignment rules")
        ordering = ["title", "pk"]

    def __str__(self) -> str:
        return self.title

    @property
    def is_working(self) -> bool:
        return self.started_at is not None and self.stopped_at is None


class AssignmentBatch(models.Model):
    """One press of an officer, or one sweep of a rule: the dry run, what was applied, and whether it was taken back.

    `whom` and `due_policy` are what was asked; `counts` how many rows there are by outcome; `digest` stands for the dry
    run as it was shown. `token` makes a doubled press one batch.
    """

    kind = models.CharField(_("what"), max_length=8, choices=AssignmentKind.choices)
    profile = models.ForeignKey(
        RoleProfile, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("role")
    )
    curated_path = models.ForeignKey(
        CuratedPath, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("curated path")
    )
    course_key = models.SlugField(_("course"), max_length=120, blank=True)
    mandatory = models.BooleanField(_("mandatory"), default=True)
    note = models.CharField(_("why, for those it reaches"), max_length=300, blank=True)
    whom = models.JSONField(default=dict)
    due_policy = models.JSONField(default=dict)
    repeat = models.JSONField(default=dict, blank=True)
    existing = models.CharField(_("who has it already"), max_length=8, choices=Existing.choices, default=Existing.KEEP)
    rule = models.ForeignKey(
        AssignmentRule, on_delete=models.PROTECT, null=True, blank=True, related_name="batches", verbose_name=_("rule")
    )
    status = models.CharField(_("status"), max_length=8, choices=BatchStatus.choices, default=BatchStatus.COUNTING)
    counts = models.JSONField(default=dict)
    digest = models.CharField(max_length=64, blank=True)
    token = models.CharField(max_length=80, unique=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assignment_batches",
        verbose_name=_("made by"),
    )
    created_at = models.DateTimeField(_("made"), default=timezone.now)
    counted_at = models.DateTimeField(_("dry run of"), null=True, blank=True)
    applied_at = models.DateTimeField(_("applied"), null=True, blank=True)
    undone_at = models.DateTimeField(_("taken back"), null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("taken back by"),
    )
    job = models.ForeignKey(
        Job, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("job")
    )

    class Meta:
        verbose_name = _("assignment batch")
        verbose_name_plural = _("assignment batches")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} · {self.pk}"


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    def current(self, as_of: date | None = None) -> AssignmentQuerySet:
        """In force on that day: given, not ended, and the role, where it is one, still held."""
        day = as_of or timezone.localdate()
        return self.filter(
            Q(ended_on__isnull=True) | Q(ended_on__gt=day),
            Q(role_assignment__isnull=True) | Q(role_assignment__in=RoleAssignment.objects.current(day).values("pk")),
            assigned_on__lte=day,
        )

    def with_history(self) -> AssignmentQuerySet:
        """Each with whether it has periods (`repeats`) and whether more time was ever asked for (`was_asked_to_extend`)."""
        return self.annotate(
            repeats=Exists(LearningPeriod.objects.filter(assignment=OuterRef("pk"))),
            was_asked_to_extend=Exists(ExtensionRequest.objects.filter(assignment=OuterRef("pk"))),
        )

    def asking(self, as_of: date | None = None) -> AssignmentQuerySet:
        """In force, and the person not exempt."""
        return self.current(as_of).filter(exempted_at__isnull=True)


class Assignment(models.Model):
    """One person is asked for a role with the path to it, a curated path or a course.

    `due_on` is the date as it stands, with extensions and leave; `due_policy` says where it comes from
    (learning/due_dates.py), `repeat` whether it comes round again (learning/periods.py). `rule` and `batch` say who
    asked and why. An assignment is ended, never deleted.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments", verbose_name=_("person")
    )
    kind = models.CharField(_("what"), max_length=8, choices=AssignmentKind.choices, default=AssignmentKind.ROLE)
    role_assignment = models.OneToOneField(
        RoleAssignment,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="assignment",
        verbose_name=_("role assignment"),
    )
    curated_path = models.ForeignKey(
        CuratedPath,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assignments",
        verbose_name=_("curated path"),
    )
    course_key = models.SlugField(_("course"), max_length=120, blank=True)
    mandatory = models.BooleanField(_("mandatory"), default=True)
    note = models.CharField(_("why"), max_length=300, blank=True)
    assigned_on = models.DateField(_("assigned"), default=timezone.localdate)
    due_on = models.DateField(_("due"), null=True, blank=True)
    due_policy = models.JSONField(default=dict, blank=True)
    repeat = models.JSONField(default=dict, blank=True)
    rule = models.ForeignKey(
        AssignmentRule,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assignments",
        verbose_name=_("rule"),
    )
    batch = models.ForeignKey(
        AssignmentBatch,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="assignments",
        verbose_name=_("batch"),
    )
    job = models.ForeignKey(
        Job, on_delete=models.PROTECT, null=True, blank=True, related_name="path_assignments", verbose_name=_("job")
    )
    ended_on = models.DateField(_("ended"), null=True, blank=True)
    end_reason = models.CharField(_("why it ended"), max_length=10, choices=EndReason.choices, blank=True)
    archived = models.BooleanField(_("put away"), default=False)
    exempted_at = models.DateTimeField(_("exempt since"), null=True, blank=True)
    exempted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("exempted by"),
    )
    exempt_reason = models.CharField(_("why exempt"), max_length=300, blank=True)
    # HR has looked at what is wrong with it and leaves it as it is until then.
    left_until = models.DateField(_("left as it is until"), null=True, blank=True)

    objects = AssignmentQuerySet.as_manager()
    # By with_history():
    repeats: bool
    was_asked_to_extend: bool

    class Meta:
        verbose_name = _("assignment")
        verbose_name_plural = _("assignments")
        ordering = ["person", "pk"]
        indexes = [models.Index(fields=["person", "ended_on"]), models.Index(fields=["due_on"])]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(kind="role", role_assignment__isnull=False, curated_path__isnull=True, course_key="")
                    | Q(kind="path", role_assignment__isnull=True, curated_path__isnull=False, course_key="")
                    | (Q(kind="course", role_assignment__isnull=True, curated_path__isnull=True) & ~Q(course_key=""))
                ),
                name="learning_assignment_asks_for_one_thing",
                violation_error_message=_("Say one thing to assign: a role, a curated path or a course."),
            ),
            models.UniqueConstraint(
                fields=["person", "curated_path"],
                condition=Q(ended_on__isnull=True, curated_path__isnull=False),
                name="learning_one_open_assignment_per_path",
                violation_error_message=_("This person has this path already."),
            ),
            models.UniqueConstraint(
                fields=["person", "course_key"],
                condition=Q(ended_on__isnull=True) & ~Q(course_key=""),
                name="learning_one_open_assignment_per_course",
                violation_error_message=_("This person has been asked for this course already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} · {self.role_assignment or self.curated_path or self.course_key}"

    def save(self, *args: object, **kwargs: object) -> None:
        if self.role_assignment is not None and not self.person_id:
            self.person_id = self.role_assignment.person_id
        super().save(*args, **kwargs)  # type: ignore[arg-type]


class BatchRow(models.Model):
    """What a batch does to one person, or a line that leads to nobody. `reasons` are codes of what to look at:
    "becomes_mandatory" (was recommended), "unrealistic", "others_late" (another date, `late_on`, could no longer be met),
    "on_leave", "exempt", "other_date", "earlier_date" (another rule asks for it earlier), "under_way" (another batch of it
    is being applied), "malformed", "unknown", "inactive", "left_rule".

    `before` is what was there, so that it can be restored: {"assignment": id, "due_on": date} or {}.
    """

    batch = models.ForeignKey(AssignmentBatch, on_delete=models.CASCADE, related_name="rows", verbose_name=_("batch"))
    number = models.PositiveIntegerField(_("number"))
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("person"),
    )
    line = models.PositiveIntegerField(_("line"), null=True, blank=True)
    text = models.CharField(_("as written"), max_length=200, blank=True)
    outcome = models.CharField(_("outcome"), max_length=10, choices=RowOutcome.choices)
    reasons = models.JSONField(default=list, blank=True)
    due_before = models.DateField(_("due so far"), null=True, blank=True)
    due_on = models.DateField(_("due"), null=True, blank=True)
    realistic_on = models.DateField(_("realistic from"), null=True, blank=True)
    late_on = models.DateField(_("makes this date late"), null=True, blank=True)
    gaps = models.PositiveSmallIntegerField(_("gaps"), default=0)
    steps = models.PositiveSmallIntegerField(_("steps"), default=0)
    minutes = models.PositiveIntegerField(_("minutes"), default=0)
    added_minutes = models.PositiveIntegerField(_("minutes added"), default=0)
    state = models.CharField(_("state"), max_length=8, choices=RowState.choices, default=RowState.PLANNED)
    assignment = models.ForeignKey(
        Assignment, on_delete=models.SET_NULL, null=True, blank=True, related_name="rows", verbose_name=_("assignment")
    )
    before = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("row of a batch")
        verbose_name_plural = _("rows of batches")
        ordering = ["batch", "number"]
        indexes = [models.Index(fields=["batch", "outcome"]), models.Index(fields=["batch", "state"])]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="learning_one_row_per_number"),
            models.UniqueConstraint(
                fields=["batch", "person"], condition=Q(person__isnull=False), name="learning_one_row_per_person"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id} · {self.number}"


class ExtensionRequest(models.Model):
    """A person asks for a later due date; her manager answers, or HR where there is none."""

    assignment = models.ForeignKey(
        Assignment, on_delete=models.PROTECT, related_name="extensions", verbose_name=_("assignment")
    )
    until = models.DateField(_("until"))
    reason = models.CharField(_("reason"), max_length=500)
    asked_at = models.DateTimeField(_("asked"), default=timezone.now)
    due_before = models.DateField(_("due so far"), null=True, blank=True)
    decision = models.CharField(_("decision"), max_length=10, choices=Decision.choices, blank=True)
    granted_until = models.DateField(_("granted until"), null=True, blank=True)
    answer = models.CharField(_("answer"), max_length=500, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        verbose_name = _("extension request")
        verbose_name_plural = _("extension requests")
        ordering = ["asked_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["assignment"],
                condition=Q(decision=""),
                name="learning_one_open_extension_request",
                violation_error_message=_("You have asked already. Your manager answers first."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.assignment} · {self.until}"


class LearningPeriod(models.Model):
    """One period of a requirement that repeats, as learning/periods.py replays it from events.

    `grace_until` is the last day on which it still counts as kept. Earlier periods stay as they were.
    """

    assignment = models.ForeignKey(
        Assignment, on_delete=models.CASCADE, related_name="periods", verbose_name=_("assignment")
    )
    number = models.PositiveSmallIntegerField(_("period"))
    opens_on = models.DateField(_("opens"))
    due_on = models.DateField(_("due"))
    grace_until = models.DateField(_("grace until"))
    completed_on = models.DateField(_("completed"), null=True, blank=True)

    class Meta:
        verbose_name = _("period")
        verbose_name_plural = _("periods")
        ordering = ["assignment", "number"]
        constraints = [
            models.UniqueConstraint(fields=["assignment", "number"], name="learning_one_period_per_number"),
            models.CheckConstraint(
                condition=Q(opens_on__lte=F("due_on"), due_on__lte=F("grace_until")),
                name="learning_period_opens_before_it_is_due",
                violation_error_message=_("A period opens before it is due, and its grace ends after that."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.assignment} · {self.number}"
