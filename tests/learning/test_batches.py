"""Assigning in batches: the dry run, doing just that, and taking it back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from competencies.models import RoleAssignment
from learning.asking import Ask, Whom
from learning.batches import apply_batch, rows_of, start_batch, undo_batch
from learning.due_dates import DuePolicy
from learning.enums import AssignmentKind, BatchStatus
from learning.models import Assignment, PathPlan
from tests.builders import make_course, make_framework, make_hr, make_person, make_post, make_profile, make_unit

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.fixture
def ministry():
    version = make_framework(codes="AB")
    profile = make_profile(version, {"A": 3, "B": 2}, title="Data steward")
    top = make_unit("Ministry")
    department = make_unit("Department", parent=top)
    team = make_unit("Team", parent=department)
    people = {name: make_person(name, email=f"{name.lower()}@gov.example") for name in ("Ana", "Ben")}
    make_post(department, holder=people["Ana"])
    make_post(team, holder=people["Ben"])
    officer = make_person("Officer")
    make_hr(officer, department)
    make_course(version, {"A": 3, "B": 2}, key="both", effort=600)
    return {"version": version, "profile": profile, "department": department, "officer": officer, **people}


def test_a_role_for_a_unit_from_dry_run_to_taken_back(ministry):
    m = ministry
    due = timezone.localdate() + timedelta(days=200)
    ask = Ask(
        AssignmentKind.ROLE,
        Whom(unit_ids=(m["department"].pk,)),
        profile_id=m["profile"].pk,
        due_policy=DuePolicy("fixed", on=due),
    )
    batch = start_batch(officer=m["officer"], ask=ask, token="t")
    assert batch.status == BatchStatus.READY
    assert [(r.person.name, r.outcome, r.gaps, r.steps, r.minutes, r.due_on) for r in rows_of(batch)] == [
        ("Ana", "gains", 2, 1, 600, due),
        ("Ben", "gains", 2, 1, 600, due),
    ]
    assert not Assignment.objects.exists()
    assert start_batch(officer=m["officer"], ask=ask, token="t").pk == batch.pk
    batch = apply_batch(batch=batch, by=m["officer"])
    assert batch.status == BatchStatus.APPLIED
    assert apply_batch(batch=batch, by=m["officer"]).pk == batch.pk
    assert Assignment.objects.asking().count() == RoleAssignment.objects.current().count() == 2
    assert PathPlan.objects.filter(effort_minutes=600).count() == 2
    batch = undo_batch(batch=batch, by=m["officer"])
    assert batch.status == BatchStatus.UNDONE
    assert batch.counts["states"]["restored"] == 2
    assert Assignment.objects.asking().count() == RoleAssignment.objects.current().count() == 0
    assert Assignment.objects.count() == 2
