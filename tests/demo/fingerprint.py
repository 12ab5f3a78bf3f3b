"""What a demo ministry says, without the keys and secrets by which one database differs from another."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from certificates.models import Certificate, Definition, Signatory
from competencies.models import Competency, Evidence, EvidenceWithdrawal, PostRole, RoleAssignment
from courses.models import Attempt, Enrolment, LessonProgress, PreCheck
from learning.models import (
    Assignment,
    CuratedItem,
    CuratedVersion,
    EvaluationAsk,
    EvaluationRound,
    PathPlan,
    PathStep,
    ServiceValue,
)
from organisations.models import Appointment, HrMandate, Job, Post, Unit, User
from readiness.models import Initiative, TeamMember, Wave, WaveApproval, WaveEvent

TABLES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "units": (Unit, ("path", "name", "code", "kind")),
    "people": (User, ("email", "name", "language", "is_active", "is_staff", "is_superuser", "date_joined")),
    "groups": (User.groups.through, ("user__email", "group__name")),
    "posts": (Post, ("code", "title", "unit__code", "reports_to__code", "starts_on", "ends_on")),
    "appointments": (Appointment, ("person__email", "post__code", "starts_on", "ends_on")),
    "mandates": (HrMandate, ("officer__email", "unit__code", "granted_at")),
    "roles of posts": (PostRole, ("post__code", "profile__role__code")),
    "roles": (
        RoleAssignment,
        ("person__email", "profile__role__code", "starts_on", "ends_on", "assigned_by__email", "assigned_at"),
    ),
    "evidence": (
        Evidence,
        (
            "person__email", "competency__code", "kind", "rank", "assessed", "occurred_on", "valid_until", "source",
            "note", "recorded_by__email", "recorded_at",
        ),
    ),
    "withdrawals": (
        EvidenceWithdrawal,
        ("evidence__person__email", "evidence__competency__code", "reason", "withdrawn_by__email", "withdrawn_at"),
    ),
    "enrolments": (
        Enrolment,
        (
            "person__email", "course__key", "course__language", "number", "enrolled_at", "last_seen_at",
            "completed_at", "assessed", "score_pct",
        ),
    ),
    "lessons": (
        LessonProgress,
        ("enrolment__person__email", "lesson__slug", "lesson__url_path", "opened_at", "completed_at"),
    ),
    "attempts": (
        Attempt,
        (
            "enrolment__person__email", "lesson__url_path", "number", "answers", "results", "score_pct", "passed",
            "started_at", "saved_at", "submitted_at",
        ),
    ),
    "assignments": (
        Assignment,
        (
            "person__email", "kind", "role_assignment__profile__role__code", "curated_path__key", "assigned_on", "due_on",
            "job__created_at",
        ),
    ),
    "curated versions": (
        CuratedVersion,
        ("path__key", "number", "title", "summary", "status", "note", "published_at", "published_by__email"),
    ),
    "curated courses": (
        CuratedItem,
        ("stage__version__number", "stage__position", "stage__title", "stage__choose", "position", "course_key"),
    ),
    "jobs": (Job, ("kind", "state", "done", "total", "created_by__email", "created_at", "finished_at")),
    "plans": (
        PathPlan,
        (
            "person__email", "number", "made_at", "reason", "effort_minutes", "requirements", "met", "unclosed",
            "changes",
        ),
    ),
    "steps": (
        PathStep,
        ("plan__person__email", "plan__number", "position", "course__url_path", "closes", "needed_by"),
    ),
    "rounds": (EvaluationRound, ("course_key", "kind", "opened_on", "closes_on", "state", "asked", "answers", "totals")),
    "asked about courses": (EvaluationAsk, ("round__course_key", "round__kind", "person__email", "until", "done")),
    "checks before courses": (PreCheck, ("enrolment__person__email", "enrolment__course__key", "score_pct")),
    "service figures": (ServiceValue, ("measure__name", "unit__code", "month", "value")),
    "changes": (Initiative, ("slug", "unit__code", "status", "is_public", "starts_on", "title")),
    "change teams": (TeamMember, ("initiative__slug", "person__email", "role")),
    "surveys": (
        Wave,
        (
            "initiative__slug", "kind", "unit__code", "opens_at", "closes_at", "k", "cut_attribute", "state",
            "shared_on", "made_by__email",
        ),
    ),
    "approvals of surveys": (WaveApproval, ("wave__initiative__slug", "wave__opens_at", "person__email")),
    "records of surveys": (WaveEvent, ("wave__initiative__slug", "wave__opens_at", "kind", "actor_role")),
    "certificates": (
        Certificate,
        ("serial", "holder__email", "enrolment__course__key", "definition__key", "issued_on", "valid_until"),
    ),
    "definitions": (Definition, ("key", "kind", "status", "unit__code", "title", "validity_months", "created_at")),
    "signatories": (Signatory, ("body__name", "name", "title", "position")),
}  # fmt: skip


def fingerprint() -> dict[str, list[str]]:
    """Every table as sorted lines; keys inside of stored plans are told as codes."""
    codes = dict(Competency.objects.values_list("pk", "code"))
    return {
        name: sorted(_line(row, codes) for row in model._default_manager.values_list(*fields))
        for name, (model, fields) in TABLES.items()
    }


def _line(row: tuple[Any, ...], codes: dict[int, str]) -> str:
    return json.dumps([_told(value, codes) for value in row], cls=DjangoJSONEncoder, ensure_ascii=False, sort_keys=True)


def _told(value: Any, codes: dict[int, str]) -> Any:
    if isinstance(value, list):
        return [_told(item, codes) for item in value]
    if isinstance(value, dict) and "competency_id" in value:
        return value | {"competency_id": codes[value["competency_id"]]}
    if isinstance(value, dict) and "competency_ids" in value:
        told = value | {"competency_ids": [codes[pk] for pk in value["competency_ids"]]}
        if "evidence" in told:
            told["evidence"] = {name: told["evidence"][name] for name in ("kind", "rank")}
        return told
    return str(value) if hasattr(value, "data") else value
