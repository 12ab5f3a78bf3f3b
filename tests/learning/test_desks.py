"""What each desk says first, and what it costs."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from competencies.enums import EvidenceKind
from competencies.models import RoleAssignment
from courses.models import Enrolment
from courses.services import complete_lesson, enrol
from learning.asking import Ask, Whom
from learning.batches import apply_batch, start_batch
from learning.due_dates import DuePolicy
from learning.enums import AssignmentKind, PlanReason
from learning.hr import desk_of, gaps_without_course, unit_views
from learning.models import Assignment
from learning.selectors import members_of, path_of, team_of
from learning.services import replan_many
from tests.builders import (
    appoint,
    competency,
    give_evidence,
    lessons_of,
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
    take_course,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return make_framework(codes="ABCDEFGH")


def page(person, url: str = "/learn/") -> str:
    client = Client()
    client.force_login(person)
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def with_role(person, version, needs, **kwargs):
    profile = make_profile(version, needs, **kwargs)
    make_post(make_unit(), holder=person, roles=[profile])
    return profile


# --- Learner -----------------------------------------------------------------------------------------------------
def test_without_a_role_the_desk_says_where_a_path_comes_from():
    text = page(make_person())
    assert "You have no role here yet" in text
    assert "Your path comes from your role" in text


def test_the_first_thing_is_the_next_step_with_its_reason(version):
    ana = make_person()
    make_course(version, {"A": 4}, key="governing-risk")
    with_role(ana, version, {"A": 4})
    text = page(ana)
    assert text.index("Governing Risk") < text.index("Your way to the role")
    assert "closes “Competency A” (0 → 4)" in text
    assert "0 of 1 competencies at the level" in text


def test_a_course_begun_is_offered_at_the_lesson_where_one_stopped(version):
    ana = make_person()
    course = make_course(version, {"A": 4}, key="begun", lessons=3)
    with_role(ana, version, {"A": 4})
    enrolment = enrol(person=ana, course=course)
    complete_lesson(enrolment=enrolment, lesson=lessons_of(course)[0])
    text = page(ana)
    assert "Lesson 2 of 4" in text
    assert "/courses/begun/lesson-2/" in text


def test_who_holds_everything_is_told_to_look_ahead(version):
    ana = make_person()
    with_role(ana, version, {"A": 2})
    give_evidence(ana, competency(version, "A"), 3)
    assert "You hold all your role needs" in page(ana)


def test_gaps_no_course_closes_are_named_with_what_helps(version):
    ana = make_person()
    with_role(ana, version, {"A": 5})
    assert "No course closes what is left" in page(ana)
    assert "no course leads there yet" in page(ana, "/learn/path/")


def test_beside_a_path_it_is_said_how_many_gaps_no_course_closes(version):
    ana = make_person()
    make_course(version, {"A": 4, "B": 1}, key="part")
    with_role(ana, version, {"A": 4, "B": 3, "C": 2})
    text = page(ana)
    assert '<a href="/learn/path/#left">2 gaps that no course closes yet</a>' in text
    assert 'id="left"' in page(ana, "/learn/path/")
    closed = make_person()
    with_role(closed, version, {"A": 4})
    assert "no course closes yet" not in page(closed)


def test_an_overdue_path_says_so(version):
    ana = make_person()
    make_course(version, {"A": 4}, key="late")
    assignment = RoleAssignment.objects.create(
        person=ana, profile=make_profile(version, {"A": 4}), starts_on=date(2026, 1, 1)
    )
    Assignment.objects.create(role_assignment=assignment, due_on=timezone.localdate() - timedelta(days=1))
    assert "Was due" in page(ana)


def test_the_date_of_a_role_that_is_met_is_no_longer_a_date_to_meet(version):
    ana, today = make_person(), timezone.localdate()
    make_course(version, {"A": 4}, key="up-to-four")
    near, far = today + timedelta(days=10), today + timedelta(days=90)
    for rank, due_on in ((2, near), (4, far)):
        assigned = RoleAssignment.objects.create(
            person=ana, profile=make_profile(version, {"A": rank}), starts_on=date(2026, 1, 1)
        )
        Assignment.objects.create(role_assignment=assigned, due_on=due_on)
    assert path_of(ana).due_on == near
    give_evidence(ana, competency(version, "A"), 2)  # enough for the nearer one
    assert path_of(ana).due_on == far
    [member] = members_of([ana], today)
    assert member.due_on == far
    give_evidence(ana, competency(version, "A"), 4)
    assert path_of(ana).due_on is None


def test_the_learners_desk_costs_the_same_for_long_paths_as_for_short_ones(version, count_queries):
    def learner(n: int):
        person = make_person()
        codes = "ABCDEFGH"[:n]
        with_role(person, version, dict.fromkeys(codes, 2))
        for code in codes:
            give_evidence(person, competency(version, code), 1, EvidenceKind.SELF)
        return person

    for code in "ABCDEFGH":
        make_course(version, {code: 2}, key=f"c-{code.lower()}")
    short, long = learner(2), learner(8)
    for person in (short, long):
        take_course(person, make_course(version, {"A": 1}))
    page(short)
    client = Client()
    counts = []
    for person in (short, long):
        client.force_login(person)
        counts.append(count_queries(lambda: client.get("/learn/")))
    assert counts[0] == counts[1] <= 23


# --- Manager -----------------------------------------------------------------------------------------------------
def team(version, size: int):
    boss, unit = make_person("Boss"), make_unit()
    lead = make_post(unit, holder=boss)
    profile = make_profile(version, {"A": 3, "B": 2})
    members = [make_person(f"Member {n:03}") for n in range(size)]
    for member in members:
        make_post(unit, holder=member, reports_to=lead, roles=[profile])
    return boss, members


def test_a_manager_first_sees_whose_level_waits_for_her_word(version):
    boss, members = team(version, 3)
    give_evidence(members[1], competency(version, "B"), 2, EvidenceKind.SELF)
    text = page(boss, "/team/")
    assert "1 person waits for your word on a level" in text
    assert "Begin with Member" in text
    assert [m.person for m in team_of(boss).to_confirm] == [members[1]]


def test_a_rating_given_after_the_self_assessment_is_an_answer_whatever_it_says(version):
    boss, [member] = team(version, 1)
    give_evidence(member, competency(version, "B"), 2, EvidenceKind.SELF, days_ago=3)
    give_evidence(member, competency(version, "B"), 1, EvidenceKind.MANAGER, by=boss)
    assert team_of(boss).to_confirm == ()


def test_a_manager_reads_next_steps_in_her_language_where_there_are_such_courses(version):
    boss, [first, second] = team(version, 2)
    for person in (first, second):
        person.language = "es"
        person.save()
    make_course(version, {"A": 3}, key="riesgo", title="Risk")
    make_course(version, {"A": 3}, key="riesgo", language="es", title="Riesgo")
    make_course(version, {"B": 2}, key="solo", language="es", title="Sólo en español", effort=90)
    replan_many(person_ids=[first.pk, second.pk], reason=PlanReason.SWEEP)
    give_evidence(second, competency(version, "A"), 3)
    text = page(boss, "/team/")
    assert '<span lang="en">Risk</span>' in text
    assert '<span lang="es">Sólo en español</span>' in text
    assert "Riesgo" not in text
    text = page(boss, f"/team/{first.pk}/")
    assert "Risk" in text
    assert "Riesgo" not in text


def test_a_date_of_another_course_than_the_next_one_says_of_which(version):
    boss, [first, second] = team(version, 2)
    begun = make_course(version, {"A": 3}, key="begun", title="Begun course")
    make_course(version, {"B": 2}, key="dated", title="Dated course")
    Enrolment.objects.create(person=first, course=begun)
    day = timezone.localdate() + timedelta(days=400)
    for person in (first, second):
        Assignment.objects.create(person=person, kind=AssignmentKind.COURSE, course_key="dated", due_on=day)
    give_evidence(second, competency(version, "A"), 3)
    replan_many(person_ids=[first.pk, second.pk], reason=PlanReason.SWEEP)
    views = {m.person.pk: m for m in team_of(boss).members}
    assert [views[p.pk].next_course.key for p in (first, second)] == ["begun", "dated"]
    assert views[first.pk].due_course.key == "dated"
    assert views[second.pk].due_course is None  # the date is that of the next step
    text = page(boss, "/team/")
    assert text.count("Dated course") == 2


def test_nobody_to_lead_is_said_kindly():
    assert "Nobody reports to you" in page(make_person(), "/team/")


def test_the_managers_desk_costs_the_same_for_150_people_as_for_five(version, count_queries):
    make_course(version, {"A": 3, "B": 2}, key="both")
    counts = []
    for size in (5, 150):
        boss, members = team(version, size)
        replan_many(person_ids=[m.pk for m in members], reason=PlanReason.SWEEP)
        give_evidence(members[0], competency(version, "A"), 2, EvidenceKind.SELF)
        client = Client()
        client.force_login(boss)
        client.get("/team/")
        counts.append(count_queries(lambda c=client: c.get("/team/")))
    assert counts[0] == counts[1] <= 27


def test_a_person_s_page_costs_the_same_for_a_long_path_as_for_a_short_one(version, count_queries):
    for code in "ABCDEFGH":
        make_course(version, {code: 2}, key=f"c-{code.lower()}")
    boss, unit = make_person("Boss"), make_unit()
    lead = make_post(unit, holder=boss)
    people = []
    for size in (2, 8):
        person = make_person(language="es")
        needs = dict.fromkeys("ABCDEFGH"[:size], 2)
        make_post(unit, holder=person, reports_to=lead, roles=[make_profile(version, needs)])
        for code in needs:
            give_evidence(person, competency(version, code), 1, EvidenceKind.SELF)
        take_course(person, make_course(version, {"A": 1}))
        people.append(person)
    client, counts = Client(), {}
    for person in people:
        client.force_login(boss)
        client.get(f"/team/{person.pk}/")
        counts.setdefault("member", []).append(count_queries(lambda p=person: client.get(f"/team/{p.pk}/")))
        client.force_login(person)
        client.get("/learn/path/")
        counts.setdefault("path", []).append(count_queries(lambda: client.get("/learn/path/")))
    assert counts["member"][0] == counts["member"][1] <= 30
    assert counts["path"][0] == counts["path"][1] <= 20


# --- HR ----------------------------------------------------------------------------------------------------------
def test_key_posts_are_vacant_filled_below_or_filled_at_the_level(version):
    unit, officer = make_unit(), make_person()
    make_hr(officer, unit)
    profile = make_profile(version, {"A": 2}, key_post="CISO")
    able, new = make_person(), make_person()
    give_evidence(able, competency(version, "A"), 2)
    make_post(unit, title="1", roles=[profile], holder=able)
    make_post(unit, title="2", roles=[profile], holder=new)
    make_post(unit, title="3", roles=[profile])
    make_post(make_unit(), title="elsewhere", roles=[profile])
    assert [v.state for v in desk_of(officer).key_posts] == ["at_level", "below", "vacant"]


def test_units_are_summed_by_the_database(version):
    unit, officer = make_unit(), make_person()
    make_hr(officer, unit)
    profile = make_profile(version, {"A": 2, "B": 2})
    one, two = make_person(), make_person()
    for person in (one, two):
        make_post(unit, holder=person, roles=[profile])
    make_post(unit)
    give_evidence(one, competency(version, "A"), 2)
    give_evidence(one, competency(version, "B"), 2)
    [view] = unit_views(officer)
    assert (view.people, view.vacant, view.met, view.requirements, view.complete, view.planned) == (2, 1, 2, 4, 1, 2)


def test_a_post_is_vacant_when_nobody_holds_it_whoever_holds_two(version):
    unit, officer = make_unit(), make_person()
    make_hr(officer, unit)
    both = make_person()
    make_post(unit, title="first", holder=both)
    make_post(unit, title="second", holder=both)
    assert [view.vacant for view in unit_views(officer)] == [0]
    left = make_post(unit, title="left")
    appoint(make_person(), left, ends_on=timezone.localdate())
    appoint(make_person(), make_post(unit, title="to come"), starts_on=timezone.localdate() + timedelta(days=1))
    assert [(view.people, view.vacant) for view in unit_views(officer)] == [(1, 2)]


def test_the_roster_of_a_unit_names_who_is_there_now(version):
    top, officer = make_unit(), make_person()
    make_hr(officer, top)
    old, new = make_unit("Old", parent=top), make_unit("New", parent=top)
    moved = make_person("Mona Moved")
    appoint(moved, make_post(old), ends_on=date(2026, 1, 1))
    make_post(new, holder=moved)
    assert "Mona Moved" not in page(officer, f"/hr/people/?unit={old.pk}")
    assert "Mona Moved" in page(officer, f"/hr/people/?unit={new.pk}")


def assigned(person, profile, days: int) -> None:
    role = RoleAssignment.objects.create(person=person, profile=profile, starts_on=date(2026, 1, 1))
    Assignment.objects.create(role_assignment=role, due_on=timezone.localdate() + timedelta(days=days))


def test_the_hr_desk_first_says_what_is_overdue_then_what_is_due_soon(version):
    unit, officer = make_unit(), make_person()
    make_hr(officer, unit)
    assert "Begin here" in page(officer, "/hr/")
    late, soon, far, met, elsewhere = (
        make_person(name) for name in ("Lea Late", "Sam Soon", "Fay Far", "Meg Met", "Eva")
    )
    for person in (late, soon, far, met):
        make_post(unit, holder=person)
    make_post(make_unit(), holder=elsewhere)
    profile = make_profile(version, {"A": 3, "B": 1}, title="Data steward")
    give_evidence(met, competency(version, "A"), 3)
    give_evidence(met, competency(version, "B"), 1)
    assigned(soon, profile, 20)
    text = page(officer, "/hr/")
    assert "1 assigned role is due within 30 days" in text
    assert "Look at Sam" in text
    for person, days in ((late, -3), (far, 90), (met, -5), (elsewhere, -9)):
        assigned(person, profile, days)
    give_evidence(late, competency(version, "B"), 1)
    text = page(officer, "/hr/")
    assert "1 assigned role is overdue" in text
    assert "Look at Lea" in text
    assert "1 of 2 competencies at the level. Ask person and manager what stands in the way." in text
    desk = desk_of(officer)
    assert [(view.person, view.met, view.total) for view in desk.due] == [(late, 1, 2), (soon, 0, 2)]
    assert (desk.overdue, desk.due_soon) == ([desk.due[0]], [desk.due[1]])


def test_hr_tells_its_jobs_apart_by_role_and_date(version):
    officer, person = make_person(), make_person()
    unit = make_unit()
    make_hr(officer, unit)
    make_post(unit, holder=person)
    for title, due_on in (("Data steward", date(2027, 1, 4)), ("Change lead", None)):
        profile = make_profile(version, {"A": 2}, title=title)
        policy = DuePolicy("fixed", on=due_on) if due_on else DuePolicy()
        ask = Ask(AssignmentKind.ROLE, profile_id=profile.pk, whom=Whom(person_ids=(person.pk,)), due_policy=policy)
        apply_batch(batch=start_batch(officer=officer, ask=ask, token=title), by=officer)
    text = page(officer, "/jobs/")
    assert "“Data steward”, due 4 January 2027" in text
    assert "“Change lead”, without a due date" in text


def test_what_no_course_closes_is_counted_by_the_people_it_fails(version):
    unit, officer = make_unit(), make_person()
    make_hr(officer, unit)
    make_course(version, {"A": 3}, key="part")
    for needs in ({"A": 5}, {"A": 4, "B": 1}):
        make_post(unit, holder=make_person(), roles=[make_profile(version, needs)])
    found = {str(g.competency): (g.people, g.highest_required, g.highest_reached) for g in gaps_without_course(officer)}
    assert found == {"Competency A": (2, 5, 3), "Competency B": (1, 1, 0)}


def test_the_hr_desk_costs_the_same_for_many_units_and_people_as_for_few(version, count_queries):
    counts = []
    for size in (2, 12):
        top, officer = make_unit(), make_person()
        make_hr(officer, top)
        key = make_profile(version, {"A": 2}, key_post="CIO")
        for _ in range(size):
            unit = make_unit(parent=top)
            make_post(unit, holder=make_person(), roles=[key])
            make_post(unit, holder=make_person(), roles=[make_profile(version, {"B": 5})])
        client = Client()
        client.force_login(officer)
        for number in range(size):
            person = make_person()
            make_post(unit, holder=person)
            profile = make_profile(version, {"B": 5}, title=f"Assigned {number}")
            assigned(person, profile, days=number - 6)
            ask = Ask(
                AssignmentKind.ROLE, profile_id=key.pk, whom=Whom(person_ids=(person.pk,)), due_policy=DuePolicy()
            )
            apply_batch(batch=start_batch(officer=officer, ask=ask, token=str(number)), by=officer)
        client.get("/hr/")
        addresses = ("/hr/", "/hr/people/", "/hr/assign/", "/jobs/")
        counts.append({url: count_queries(lambda c=client, u=url: c.get(u)) for url in addresses})
    assert counts[0] == counts[1]
    assert counts[0]["/hr/"] <= 32
    assert counts[0]["/hr/people/"] <= 24
    assert counts[0]["/hr/assign/"] <= 20
    assert counts[0]["/jobs/"] <= 12
