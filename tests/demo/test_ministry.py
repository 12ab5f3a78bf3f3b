"""The demo ministry as stored: whole, in the past, on workdays, and worth looking at from every desk."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from django.contrib.auth import authenticate
from django.db.models import Count, F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from certificates.enums import Verdict
from certificates.models import Certificate, Definition
from certificates.verdicts import judge
from competencies.enums import EvidenceKind
from competencies.models import Evidence, EvidenceWithdrawal, PostRole, Role, RoleAssignment
from competencies.selectors import key_posts, standings_of
from courses.models import Attempt, Enrolment, LessonProgress
from courses.selectors import course_states
from learning import curated, hr
from learning.models import CuratedPath, PathPlan
from learning.selectors import path_of, team_of
from learning.services import replan_many
from organisations.demo import DEMO_ACCOUNTS, DEMO_PASSWORD, demo_accounts_present, moment
from organisations.enums import JobState
from organisations.models import Appointment, Job, Post, Unit, User
from organisations.perms import posts_led_by
from tests.demo.conftest import AS_OF, PEOPLE

pytestmark = pytest.mark.usefixtures("made")


def person(name: str) -> User:
    return User.objects.get(email=f"{name}@demo.example")


# --- Structure -------------------------------------------------------------------------------------------------------
def test_the_tree_of_units_is_sound():
    assert Unit.find_problems() == ([], [], [], [], [])
    assert [str(unit) for unit in Unit.get_root_nodes()] == ["Ministry of Public Services", "National Registry Office"]


def test_there_are_as_many_people_as_asked_for():
    assert User.objects.count() == PEOPLE
    assert User.objects.filter(is_active=False).count() == 2


def test_a_post_has_one_holder_at_a_time():
    current = Appointment.objects.current(AS_OF).values("post").annotate(holders=Count("pk"))
    assert not current.filter(holders__gt=1).exists()
    turns = list(Appointment.objects.order_by("post", "starts_on").values_list("post", "starts_on", "ends_on"))
    for (post, _starts_on, ends_on), (next_post, starts_on, _ends_on) in pairwise(turns):
        assert post != next_post or (ends_on is not None and ends_on <= starts_on)


def test_nobody_holds_a_post_before_it_exists():
    assert not Appointment.objects.filter(starts_on__lt=F("post__starts_on")).exists()
    assert not Appointment.objects.filter(post__ends_on__lt=F("ends_on")).exists()


def test_every_starter_role_is_carried_by_a_post():
    assert set(PostRole.objects.values_list("profile__role__code", flat=True)) == set(
        Role.objects.filter(version__framework__slug="public-digital-talent").values_list("code", flat=True)
    )
    assert not Post.objects.exclude(post_roles__profile__role__code="public-servant").exists()


def test_key_posts_are_vacant_below_and_at_the_level():
    views = hr.desk_of(person("admin"), AS_OF).key_posts
    states = {(view.post_role.profile.role.key_post, view.state) for view in views}
    assert {("CTO", "vacant"), ("CIO", "at_level"), ("CISO", "below"), ("CDIO", "below")} <= states
    assert key_posts().count() == len(views)


def test_some_hold_two_posts_some_held_others_and_some_posts_are_to_come():
    current = Appointment.objects.current(AS_OF).values("person").annotate(posts=Count("pk"))
    assert current.filter(posts__gt=1).count() >= 2
    assert Appointment.objects.filter(ends_on__isnull=False).count() >= 5
    assert Post.objects.filter(starts_on__gt=AS_OF).count() == 2
    assert Appointment.objects.filter(starts_on__gt=AS_OF).count() == 1
    assert Post.objects.filter(ends_on__lt=AS_OF).count() == 1


def test_the_people_of_a_vacant_lead_report_to_the_next_one_up():
    manager = person("manager")
    held = Appointment.objects.current(AS_OF).values("post")
    mine = Post.objects.existing(AS_OF).exclude(pk__in=held).filter(reports_to__appointments__person=manager)
    lead = mine.filter(reports__isnull=False).distinct().get()
    below = set(Appointment.objects.current(AS_OF).filter(post__reports_to=lead).values_list("post", flat=True))
    assert below
    assert below <= set(posts_led_by(manager, AS_OF))


def test_each_body_has_its_hr_officer_and_they_do_not_see_each_others_people():
    mine = User.objects.in_hr_scope_of(person("hr"), AS_OF)
    other = User.objects.exclude(pk=person("hr").pk).get(hr_mandates__isnull=False)
    theirs = User.objects.in_hr_scope_of(other, AS_OF)
    assert not other.has_usable_password()
    assert theirs.count() == PEOPLE / 10
    assert not mine.filter(pk__in=theirs).exists()


# --- Accounts --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("email", DEMO_ACCOUNTS)
def test_every_demo_account_signs_in(email, undone):
    assert authenticate(email=email, password=DEMO_PASSWORD) == User.objects.get(email=email)
    response = Client().post("/account/login/", {"login": email, "password": DEMO_PASSWORD})
    home = {"hr": "/hr/", "editor": "/cms/pages/", "admin": "/cms/"}.get(email.partition("@")[0], "/learn/")
    assert (response.status_code, response["Location"]) == (302, home)


def test_only_the_demo_accounts_can_sign_in():
    others = User.objects.exclude(email__in=DEMO_ACCOUNTS)
    assert demo_accounts_present() == list(DEMO_ACCOUNTS)
    assert not any(other.has_usable_password() for other in others)


def test_only_the_administrator_is_one():
    assert [user.email for user in User.objects.filter(is_superuser=True)] == ["admin@demo.example"]
    assert not User.objects.exclude(email="admin@demo.example").filter(is_staff=True).exists()


def test_the_editor_may_write_and_publish_in_the_cms():
    from courses.models import CataloguePage

    permissions = CataloguePage.objects.get().permissions_for_user(person("editor"))
    assert permissions.can_add_subpage()
    assert permissions.can_publish_subpage()


def test_the_editor_writes_the_pages_of_both_changes():
    from readiness.models import Initiative

    changes = list(Initiative.objects.all())
    client = Client()
    client.force_login(person("editor"))
    named = Initiative.snippet_viewset.get_url_name
    listed = client.get(reverse(named("list"))).content.decode()
    assert len(changes) in {0, 2}  # a ministry too small for a survey has none
    for change in changes:
        address = reverse(named("edit"), args=[change.pk])
        assert address in listed
        assert client.get(address).status_code == 200


# --- Stories ---------------------------------------------------------------------------------------------------------
def test_the_security_chief_has_governing_cyber_risk_before_her():
    path = path_of(person("ciso"), as_of=AS_OF)
    assert [step.course.key for step in path.steps] == ["governing-cyber-risk", "incident-command"]
    assert {line.competency.code for line in path.standing.lines if line.gap} == {"SR1", "SR2", "SR3", "SR4", "SR5"}
    assert [state.course.key for state in path.done] == ["safe-digital-work"]
    certificate = Certificate.objects.get(holder=person("ciso"))
    assert timedelta(days=140) < AS_OF - certificate.issued_on < timedelta(days=165)
    assert 0 < len(path.standing.undeclared) < len(path.standing.lines) / 2
    assert path.due_on is not None
    assert path.due_on > AS_OF


def test_the_learner_is_in_the_middle_of_her_path_and_at_lesson_three():
    path = path_of(person("learner"), as_of=AS_OF)
    assert path.next_step is not None
    assert path.next_step.state == "current"
    assert path.next_step.progress.next.number == 3
    assert path.next_step.progress.next.state == "current"
    assert len(path.done) == len(path.steps) == 4
    assert PathPlan.objects.filter(person=path.person).count() > 3


def test_the_manager_meets_people_waiting_and_one_overdue():
    team = team_of(person("manager"), as_of=AS_OF)
    assert person("learner") in [member.person for member in team.members]
    assert 1 < len(team.to_confirm) < len(team.members)
    assert len(team.overdue) == 1
    assert team.not_begun


@pytest.mark.parametrize("name", ["manager", "hr", "editor", "admin"])
def test_every_account_has_something_to_do_next(name):
    assert path_of(person(name), as_of=AS_OF).next_step is not None


def test_people_are_at_every_stage():
    people = list(User.objects.active().values_list("pk", flat=True))
    standings = standings_of(people, as_of=AS_OF)
    assert sum(standing.total > 0 and standing.met == standing.total for standing in standings.values()) >= 3
    with_evidence = set(Evidence.objects.values_list("person", flat=True))
    only_self = with_evidence - set(Evidence.objects.exclude(kind=EvidenceKind.SELF).values_list("person", flat=True))
    taking = set(Enrolment.objects.values_list("person", flat=True))
    begun = set(Enrolment.objects.open().values_list("person", flat=True))
    done = set(Enrolment.objects.completed().values_list("person", flat=True))
    assert set(people) - with_evidence - taking
    assert only_self - taking
    assert begun - done
    assert done & begun


# --- History ---------------------------------------------------------------------------------------------------------
MOMENTS = [
    (Evidence, "recorded_at"),
    (EvidenceWithdrawal, "withdrawn_at"),
    (RoleAssignment, "assigned_at"),
    (Enrolment, "enrolled_at"),
    (Enrolment, "last_seen_at"),
    (Enrolment, "completed_at"),
    (LessonProgress, "opened_at"),
    (LessonProgress, "completed_at"),
    (Attempt, "started_at"),
    (Attempt, "submitted_at"),
    (PathPlan, "made_at"),
]


@pytest.mark.parametrize(("model", "field"), MOMENTS)
def test_everything_happened_on_a_workday_of_the_past_year(model, field):
    moments = [m for m in model._default_manager.values_list(field, flat=True) if m is not None]
    assert moments
    days = {timezone.localdate(m) for m in moments}
    assert AS_OF - timedelta(days=366) < min(days) <= max(days) < AS_OF
    assert {day.weekday() for day in days} <= {0, 1, 2, 3, 4}


def test_nobody_did_anything_before_she_came_or_after_she_left():
    first = dict(Appointment.objects.order_by("-starts_on").values_list("person", "starts_on"))
    for enrolment in Enrolment.objects.select_related("person"):
        assert timezone.localdate(enrolment.enrolled_at) >= first[enrolment.person_id]
    for gone in User.objects.filter(is_active=False):
        ended = gone.appointments.get().ends_on
        assert all(timezone.localdate(e.last_seen_at) < ended for e in gone.enrolments.all())


def test_everybody_took_what_her_path_of_that_day_asked_for():
    for enrolment in Enrolment.objects.select_related("course"):
        plans = PathPlan.objects.filter(person=enrolment.person_id, made_at__lt=enrolment.enrolled_at)
        assert plans.latest("number").steps.filter(course=enrolment.course_id).exists(), enrolment


def test_lessons_are_done_in_order_and_the_check_comes_last():
    for state in course_states(list(Enrolment.objects.select_related("course"))).values():
        done = [row.completed for row in state.lessons]
        assert done == sorted(done, reverse=True)
        assert all(done) == (state.enrolment.completed_at is not None)


def test_some_checks_were_failed_first():
    failed = Attempt.objects.filter(lesson__is_check=True, passed=False)
    assert failed.exists()
    assert failed.filter(enrolment__completed_at__isnull=False).exists()


def test_managers_said_why_and_a_few_pieces_were_withdrawn():
    rated = Evidence.objects.filter(kind=EvidenceKind.MANAGER)
    assert rated.exists()
    assert not rated.filter(note="").exists()
    assert not rated.filter(recorded_by=F("person")).exists()
    assert 2 <= EvidenceWithdrawal.objects.count() < rated.count() / 20


def test_people_see_themselves_higher_and_lower_than_their_managers_do():
    seen = {(e.person_id, e.competency_id): e.rank for e in Evidence.objects.filter(kind=EvidenceKind.MANAGER)}
    own = Evidence.objects.filter(kind=EvidenceKind.SELF)
    difference = [e.rank - seen[e.person_id, e.competency_id] for e in own if (e.person_id, e.competency_id) in seen]
    assert min(difference) < 0 < max(difference)


def test_assignments_are_overdue_soon_due_and_open():
    due = {job.payload["due_on"] for job in Job.objects.filter(kind="learning.assign")}
    assert None in due
    days = [d for d in due if d]
    assert min(days) < AS_OF.isoformat() < max(days)
    assert set(Job.objects.values_list("state", flat=True)) <= {JobState.DONE, JobState.QUEUED}


def test_leaders_have_a_curated_path_in_its_second_version_and_the_officer_sees_how_far_they_are():
    path = CuratedPath.objects.get()
    assert [(v.number, v.status) for v in path.versions.order_by("number")] == [(1, "superseded"), (2, "published")]
    [published] = path.versions.filter(status="published")
    stages = curated.stages_of([published.pk])[published.pk]
    shown = curated.shown_courses(stages, "es")
    assert curated.objections_to_publishing(published, stages, shown) == []
    assert all(set(stage.title.data) == {"en", "es"} for stage in stages)
    having = set(curated.people_having(path.pk, AS_OF).values_list("person", flat=True))
    assert person("manager").pk in having
    spread = curated.spread_for(person("hr"), [path.pk], AS_OF)[path.pk]
    assert spread.people == len(having) >= 7
    assert 0 < spread.median_pct < 100
    assert curated.seen_path(person("manager"), published, "en", AS_OF).next_course is not None


def test_paths_changed_and_say_why():
    changes = [change for plan in PathPlan.objects.all() for change in plan.changes]
    assert {"passed", "held"} <= {change["why"] for change in changes}
    assert any("evidence" in change for change in changes)


def test_a_look_at_all_paths_today_changes_nothing(undone):
    people = list(PathPlan.objects.values_list("person", flat=True).distinct())
    at = moment(AS_OF, 8 * 60)
    assert replan_many(person_ids=people, reason="sweep", at=at) == 0


# --- Certificates ----------------------------------------------------------------------------------------------------
def test_every_completed_course_has_its_certificate_and_every_certificate_its_document():
    completed = Enrolment.objects.completed()
    assert completed.count() == Certificate.objects.filter(definition=None).count() > 10
    assert not completed.filter(certificate__isnull=True).exists()
    for certificate in Certificate.objects.all():
        with certificate.document.open() as document:
            assert document.read(5) == b"%PDF-"


def test_certificates_are_dated_and_numbered_in_the_order_of_completion():
    rows = Certificate.objects.filter(definition=None).order_by("serial").select_related("enrolment")
    moments = [row.enrolment.completed_at for row in rows]
    assert moments == sorted(moments)
    assert all(row.issued_on == timezone.localdate(row.enrolment.completed_at) for row in rows)
    assert len({row.issued_on.month for row in rows}) >= 6


def test_the_ministry_signs_them_and_certifies_a_level_some_have_shown_and_a_role_nobody_meets_yet():
    hers = Certificate.objects.get(holder=person("ciso"))
    assert hers.record["issuer"]["name"] == "Ministry of Public Services"
    assert len(hers.record["issuer"]["signatories"]) == 2
    role, level, path = Definition.objects.order_by("created_at")
    assert [d.status for d in (role, level, path)] == ["active", "active", "draft"]
    assert not role.certificates.exists()
    for certificate in level.certificates.all():
        assert certificate.record["outcomes"][0]["grounds"] and certificate.issued_on < AS_OF
    assert level.certificates.count() >= 1


def test_a_stranger_finds_them_valid():
    assert {judge(row, as_of=AS_OF).verdict for row in Certificate.objects.all()} == {Verdict.VALID}


def test_the_desk_of_the_demo_ciso_costs_at_most_twenty_queries(count_queries):
    client = Client()
    client.force_login(person("ciso"))
    assert client.get("/learn/").status_code == 200
    assert count_queries(lambda: client.get("/learn/")) <= 20
