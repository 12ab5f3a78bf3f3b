from datetime import date, timedelta

import pytest
from django.utils import timezone

from competencies.models import RoleAssignment
from learning.asking import Missing, Whom
from learning.assignment import apply_assignment, is_realistic, preview_assignment, split_emails
from learning.models import Assignment, PathPlan
from organisations.jobs import run_job
from organisations.models import Job
from tests.builders import (
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def ministry():
    """A ministry with a department of two, a neighbour with one, an officer for the ministry's department."""
    version = make_framework(codes="AB")
    profile = make_profile(version, {"A": 3, "B": 2}, title="Data steward")
    top = make_unit("Ministry")
    department = make_unit("Department", parent=top)
    team = make_unit("Team", parent=department)
    elsewhere = make_unit("Elsewhere", parent=top)
    people = {name: make_person(name, email=f"{name.lower()}@gov.example") for name in ("Ana", "Ben", "Eva")}
    make_post(department, holder=people["Ana"])
    make_post(team, holder=people["Ben"])
    make_post(elsewhere, holder=people["Eva"])
    officer = make_person("Officer")
    make_hr(officer, department)
    make_course(version, {"A": 3, "B": 2}, key="both", effort=600)
    return {
        "version": version,
        "profile": profile,
        "department": department,
        "team": team,
        "elsewhere": elsewhere,
        "officer": officer,
        **people,
    }


def preview(m, due_on=None, **whom):
    return preview_assignment(officer=m["officer"], profile=m["profile"], whom=Whom(**whom), due_on=due_on)


def test_the_report_of_the_job_agrees_with_the_preview_about_who_has_the_role(ministry):
    m = ministry
    RoleAssignment.objects.create(person=m["Ana"], profile=m["profile"], starts_on=date(2026, 1, 1))
    before = preview(m, unit_ids=(m["department"].pk,))
    assert (names(g.person for g in before.gaining), names(before.holding)) == (["Ben"], ["Ana"])
    job = apply_assignment(officer=m["officer"], preview=before, token="agrees")
    job.refresh_from_db()
    assert job.report == {"assigned": [m["Ben"].pk], "held": [m["Ana"].pk]}


def names(people) -> list[str]:
    return [person.name for person in people]


@pytest.mark.parametrize(("below", "expected"), [(True, ["Ana", "Ben"]), (False, ["Ana"])])
def test_a_unit_means_its_people_with_or_without_the_units_below(ministry, below, expected):
    found = preview(ministry, unit_ids=(ministry["department"].pk,), with_sub_units=below)
    assert names(g.person for g in found.gaining) == expected


def test_a_unit_the_officer_does_not_serve_means_nobody(ministry):
    assert preview(ministry, unit_ids=(ministry["elsewhere"].pk,)).gaining == ()


def test_a_pasted_list_says_line_by_line_who_was_not_found_and_why(ministry):
    emails = split_emails(
        "ANA@gov.example\nAna Again <ana@gov.example>\neva@gov.example; not-an-address,\n\nnobody@gov.example"
    )
    found = preview(ministry, emails=emails)
    assert names(g.person for g in found.gaining) == ["Ana"]
    assert found.repeated == 1
    assert found.not_found == (
        Missing(3, "eva@gov.example", "unknown"),
        Missing(4, "not-an-address", "malformed"),
        Missing(5, "nobody@gov.example", "unknown"),
    )


def test_who_holds_the_role_by_post_or_assignment_gains_nothing(ministry):
    from competencies.models import PostRole
    from organisations.models import Appointment

    PostRole.objects.create(post=Appointment.objects.get(person=ministry["Ana"]).post, profile=ministry["profile"])
    RoleAssignment.objects.create(person=ministry["Ben"], profile=ministry["profile"], starts_on=date(2026, 1, 1))
    found = preview(ministry, unit_ids=(ministry["department"].pk,))
    assert (found.gaining, names(found.holding)) == ((), ["Ana", "Ben"])


def test_the_preview_writes_nothing_and_says_what_each_person_gains(ministry):
    give_evidence(ministry["Ben"], competency(ministry["version"], "A"), 3)
    before = (RoleAssignment.objects.count(), PathPlan.objects.count(), Job.objects.count())
    found = preview(ministry, unit_ids=(ministry["department"].pk,))
    assert [(g.person.name, g.gaps, g.steps, g.minutes) for g in found.gaining] == [
        ("Ana", 2, 1, 600),
        ("Ben", 1, 1, 600),
    ]
    assert (RoleAssignment.objects.count(), PathPlan.objects.count(), Job.objects.count()) == before
    assert found.mean_minutes == 600


def test_a_date_is_realistic_when_the_path_fits_at_two_hours_a_week(ministry):
    day = timezone.localdate()
    assert is_realistic(240, day + timedelta(days=14), day)
    assert not is_realistic(241, day + timedelta(days=14), day)
    assert is_realistic(10_000, None, day)
    found = preview(ministry, due_on=day + timedelta(days=14), unit_ids=(ministry["department"].pk,))
    assert len(found.unrealistic) == 2


def test_what_is_applied_is_what_was_previewed(ministry):
    due_on = timezone.localdate() + timedelta(days=200)
    found = preview(ministry, due_on=due_on, unit_ids=(ministry["department"].pk,))
    job = Job.objects.get(pk=apply_assignment(officer=ministry["officer"], preview=found, token="t").pk)
    assert job.state == "done"
    assert job.report == {"assigned": sorted(g.person.pk for g in found.gaining), "held": []}
    for gaining in found.gaining:
        plan = PathPlan.objects.get(person=gaining.person)
        assert (plan.steps.count(), plan.effort_minutes) == (gaining.steps, gaining.minutes)
    assert set(Assignment.objects.values_list("due_on", flat=True)) == {due_on}


def test_the_same_press_twice_is_one_job_and_a_second_officer_doubles_nobody(ministry):
    found = preview(ministry, unit_ids=(ministry["department"].pk,))
    first = apply_assignment(officer=ministry["officer"], preview=found, token="t")
    assert apply_assignment(officer=ministry["officer"], preview=found, token="t").pk == first.pk
    other = make_person("Second officer")
    make_hr(other, ministry["department"])
    late = Job.objects.get(pk=apply_assignment(officer=other, preview=found, token="t").pk)
    assert late.report["assigned"] == []
    assert sorted(late.report["held"]) == sorted(g.person.pk for g in found.gaining)
    assert RoleAssignment.objects.count() == 2


def test_a_job_that_runs_again_after_a_kill_says_the_same(ministry):
    found = preview(ministry, unit_ids=(ministry["department"].pk,))
    job = Job.objects.get(pk=apply_assignment(officer=ministry["officer"], preview=found, token="t").pk)
    report = job.report
    Job.objects.filter(pk=job.pk).update(state="queued", report={})
    assert run_job(job.pk).report == report
    assert RoleAssignment.objects.count() == 2


def test_the_digest_changes_when_the_world_does(ministry):
    before = preview(ministry, unit_ids=(ministry["department"].pk,)).digest
    assert preview(ministry, unit_ids=(ministry["department"].pk,)).digest == before
    give_evidence(ministry["Ben"], competency(ministry["version"], "A"), 3)
    give_evidence(ministry["Ben"], competency(ministry["version"], "B"), 2)
    assert preview(ministry, unit_ids=(ministry["department"].pk,)).digest != before


def test_a_preview_asks_as_many_queries_for_thirty_people_as_for_three(ministry, count_queries):
    def crowd(n: int):
        unit = make_unit(parent=ministry["department"])
        for _ in range(n):
            make_post(unit, holder=make_person())
        return unit

    few, many = crowd(3), crowd(30)
    first = count_queries(lambda: preview(ministry, unit_ids=(few.pk,)))
    assert count_queries(lambda: preview(ministry, unit_ids=(many.pk,))) == first
