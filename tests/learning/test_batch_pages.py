"""The dry run as an officer looks at it, decides, reads the report and takes it back."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from django.utils import timezone
from openpyxl import load_workbook

from competencies.models import RoleAssignment
from learning.asking import Ask, Whom
from learning.batches import apply_batch, start_batch
from learning.due_dates import DuePolicy
from learning.enums import AssignmentKind, BatchStatus, Existing
from learning.models import Assignment, AssignmentBatch
from organisations.enums import JobState
from organisations.models import Job, User
from tests.builders import make_course, make_framework, make_hr, make_person, make_post, make_profile, make_unit

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client):
    version = make_framework(codes="A")
    profile = make_profile(version, {"A": 3}, title="Change lead")
    unit = make_unit("Unit")
    ana, officer = make_person("Ana"), make_person("Officer")
    make_post(unit, holder=ana)
    make_hr(officer, unit)
    make_course(version, {"A": 3}, key="c", effort=600)
    client.force_login(officer)
    return {"client": client, "profile": profile, "unit": unit, "ana": ana, "officer": officer, "version": version}


def dry_run(desk, press="t", by=None, profile=None, emails=(), **more):
    whom = Whom(unit_ids=(desk["unit"].pk,), emails=tuple(emails))
    profile = profile or desk["profile"]
    wanted = Ask(AssignmentKind.ROLE, whom, profile_id=profile.pk, **more)
    return start_batch(officer=by or desk["officer"], ask=wanted, token=press)


def page_of(client, batch, query=""):
    return client.get(f"/hr/batches/{batch.pk}/{query}")


def words(response) -> str:
    """What a person reads."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def due_in(days: int) -> DuePolicy:
    return DuePolicy("fixed", on=timezone.localdate() + timedelta(days=days))


# --- The dry run -----------------------------------------------------------------------------------------------------
def test_the_first_glance_says_who_gains_holds_is_not_found_and_has_too_little_time(desk):
    make_post(desk["unit"], holder=make_person("Ben"), roles=[desk["profile"]])
    batch = dry_run(desk, emails=["x@y.example", "nonsense"], due_policy=due_in(3))
    page = page_of(desk["client"], batch)
    text = words(page)
    assert "1 person gains the path to “Change lead”" in text
    assert "1 person gains a path 1 already holds it 2 could not be found 1 date is not realistic" in text
    assert "Nothing has been written yet." in text
    for show, seen, unseen in (
        ("gains", "Ana", "Ben"),
        ("holds", "Ben", "Ana"),
        ("unrealistic", "too little working time before the date", "Ben"),
        ("not_found", "nonsense not an e-mail address", "Ana"),
        ("unknown", "x@y.example nobody in the units you serve has this address", "nonsense"),
    ):
        assert f"?show={show}#rows" in page.content.decode() or show == "unknown"
        rows = words(page_of(desk["client"], batch, f"?show={show}")).split("All rows as CSV")[0].split("Show these")[1]
        assert seen in rows
        assert unseen not in rows
    assert not Assignment.objects.exists()


def test_a_date_that_cannot_be_met_comes_with_the_first_one_that_can(desk):
    batch = dry_run(desk, due_policy=due_in(3))
    page = page_of(desk["client"], batch)
    day = batch.rows.get().realistic_on
    assert day == page.context["realistic_day"]
    link = re.search(r'href="(/hr/assign/[^"]+realistic=1)"', page.content.decode())[1].replace("&amp;", "&")
    form = desk["client"].get(link).context["form"]
    assert (form["due"].value(), form["due_on"].value()) == ("fixed", day.isoformat())
    assert not dry_run(desk, "again", due_policy=DuePolicy("fixed", on=day)).counts["reasons"].get("unrealistic")


def test_who_has_it_already_keeps_the_date_or_gets_this_one_shown_before_and_after(desk):
    apply_batch(batch=dry_run(desk, due_policy=due_in(100)), by=desk["officer"])
    kept = dry_run(desk, "keep", due_policy=due_in(200))
    text = words(page_of(desk["client"], kept))
    assert "Nothing would change for anybody" in text
    assert "keeps another date" in text
    moved = dry_run(desk, "move", due_policy=due_in(200), existing=Existing.MOVE)
    page = page_of(desk["client"], moved)
    assert "1 gets another date" in words(page)
    assert "Give 1 person the new date" in words(page)
    shown = page_of(desk["client"], moved, "?show=moves").content.decode()
    assert re.search(r"<del>[^<]+</del> → \d", shown)
    desk["client"].post(f"/hr/batches/{moved.pk}/apply/")
    assert Assignment.objects.get().due_on == due_in(200).on


def test_nobody_gaining_means_no_button_to_assign(desk):
    RoleAssignment.objects.create(person=desk["ana"], profile=desk["profile"], starts_on=timezone.localdate())
    batch = dry_run(desk)
    page = page_of(desk["client"], batch)
    assert "Nothing would change for anybody" in words(page)
    assert "Assign to" not in words(page)
    assert "Change whom you mean" in words(page)
    assert desk["client"].post(f"/hr/batches/{batch.pk}/apply/").url == f"/hr/batches/{batch.pk}/"
    assert "There is nobody to assign it to." in words(page_of(desk["client"], batch))


def test_the_dry_run_says_what_no_course_leads_to_and_what_the_role_adds(desk):
    version = make_framework(codes="ABCD")
    make_course(version, {"A": 3}, key="whole", effort=120)
    make_course(version, {"B": 2}, key="half", effort=60)
    wanting = make_profile(version, {"A": 3, "B": 4, "C": 2, "D": 1}, title="Half served")
    text = words(page_of(desk["client"], dry_run(desk, "half", profile=wanting)))
    assert "No course leads to 2 of the 4 competencies of this role" in text
    assert "In 1 more competency courses stop below the level the role requires." in text
    assert "This adds 3 h to what is on the paths already." in text
    nowhere = make_profile(make_framework(codes="XY"), {"X": 1, "Y": 1}, title="Not served")
    text = words(page_of(desk["client"], dry_run(desk, "none", profile=nowhere)))
    assert "No course leads to 2 of the 2 competencies of this role" in text
    assert "This adds no learning to the paths there are." in text


# --- Deciding --------------------------------------------------------------------------------------------------------
def test_what_was_shown_is_done_once_however_often_the_button_is_pressed(desk):
    batch = dry_run(desk)
    apply = f"/hr/batches/{batch.pk}/apply/"
    assert desk["client"].get(apply).status_code == 405
    assert not Assignment.objects.exists()
    for _press in range(2):
        assert desk["client"].post(apply).url == f"/hr/batches/{batch.pk}/"
    assert Assignment.objects.count() == 1
    text = words(page_of(desk["client"], batch))
    assert "1 done" in text
    assert "Undo until" in text
    assert "Done Gains it" in text


def test_where_the_world_has_changed_nothing_is_written_and_the_dry_run_is_made_again(desk):
    batch = dry_run(desk)
    make_post(desk["unit"], holder=make_person("Newcomer"))
    desk["client"].post(f"/hr/batches/{batch.pk}/apply/")
    page = page_of(desk["client"], batch)
    assert "The world has changed since you looked: 1 row differs. Nothing was written." in words(page)
    assert not Assignment.objects.exists()
    again = f"/hr/batches/{batch.pk}/again/"
    token = str(page.context["token"])
    first, second = (desk["client"].post(again, {"token": token}).url for _press in range(2))
    assert first == second != f"/hr/batches/{batch.pk}/"
    assert "2 people gain the path" in words(desk["client"].get(first))


def test_a_role_that_is_gone_meanwhile_is_named_and_not_asked_for_again(desk):
    batch = dry_run(desk)
    version = desk["version"]
    type(version).objects.filter(pk=version.pk).update(status="superseded")
    desk["client"].post(f"/hr/batches/{batch.pk}/apply/")
    assert "This role is not offered any more." in words(page_of(desk["client"], batch))
    assert desk["client"].post(f"/hr/batches/{batch.pk}/again/", {"token": "x"}).url == f"/hr/batches/{batch.pk}/"
    assert AssignmentBatch.objects.count() == 1


def test_a_dry_run_is_thrown_away_but_never_what_was_done(desk):
    applied = apply_batch(batch=dry_run(desk), by=desk["officer"])
    desk["client"].post(f"/hr/batches/{applied.pk}/discard/")
    assert "Only a dry run that was not applied can be thrown away." in words(page_of(desk["client"], applied))
    idle = dry_run(desk, "idle")
    assert "thrown away" in words(desk["client"].post(f"/hr/batches/{idle.pk}/discard/", follow=True))
    assert list(AssignmentBatch.objects.all()) == [applied]


def test_taking_back_says_first_what_comes_back_and_what_is_kept(desk):
    batch = apply_batch(batch=dry_run(desk), by=desk["officer"])
    undo = f"/hr/batches/{batch.pk}/undo/"
    text = words(desk["client"].get(undo))
    assert "1 person who gained it no longer has it." in text
    assert "What people have learned and shown since." in text
    assert Assignment.objects.asking().exists()
    for _press in range(2):
        assert desk["client"].post(undo).url == f"/hr/batches/{batch.pk}/"
    assert not Assignment.objects.asking().exists()
    text = words(page_of(desk["client"], batch))
    assert "1 taken back" in text
    assert "Officer took it back." in text
    assert desk["client"].get(undo).url == f"/hr/batches/{batch.pk}/"


def test_after_a_week_it_can_no_longer_be_taken_back(desk):
    batch = apply_batch(batch=dry_run(desk), by=desk["officer"])
    AssignmentBatch.objects.filter(pk=batch.pk).update(applied_at=timezone.now() - timedelta(days=7, minutes=1))
    page = page_of(desk["client"], batch)
    assert "Undo until" not in words(page)
    desk["client"].post(f"/hr/batches/{batch.pk}/undo/")
    assert "That time is over." in words(page_of(desk["client"], batch))
    assert Assignment.objects.asking().count() == 1


# --- Under way, and stopped ------------------------------------------------------------------------------------------
def put(batch, status, *, state=JobState.RUNNING, **job):
    """The batch as it is while its job is so far."""
    AssignmentBatch.objects.filter(pk=batch.pk).update(status=status)
    AssignmentBatch.objects.get(pk=batch.pk).job.__class__.objects.filter(pk=batch.job_id).update(state=state, **job)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (BatchStatus.COUNTING, "The dry run is being made"),
        (BatchStatus.APPLYING, "It is being assigned"),
        (BatchStatus.UNDOING, "It is being taken back"),
    ],
)
def test_work_under_way_shows_how_far_it_is_and_asks_again_by_itself(desk, status, sentence):
    batch = dry_run(desk)
    put(batch, status, done=300, total=9000)
    page = page_of(desk["client"], batch)
    assert sentence in words(page)
    assert "300 of 9000" in words(page)
    assert f'hx-get="/hr/batches/{batch.pk}/"' in page.content.decode()
    part = desk["client"].get(f"/hr/batches/{batch.pk}/", HTTP_HX_REQUEST="true").content.decode()
    assert part.strip().startswith('<div id="batch"')
    assert part.strip() in page.content.decode()
    put(batch, BatchStatus.READY, state=JobState.DONE)
    part = desk["client"].get(f"/hr/batches/{batch.pk}/", HTTP_HX_REQUEST="true").content.decode()
    assert "hx-get" not in part
    assert "Assign to 1 person" in part


def test_what_stopped_says_what_to_do_and_goes_on_where_it_was(desk):
    batch = dry_run(desk)
    put(batch, BatchStatus.APPLYING, state=JobState.FAILED, error="It was interrupted 5 times.")
    text = words(page_of(desk["client"], batch))
    assert "Assigning stopped before its end" in text
    assert "It was interrupted 5 times." in text
    assert "Going on does only the rest" in text
    desk["client"].post(f"/hr/batches/{batch.pk}/apply/")
    assert Assignment.objects.count() == 1
    assert "1 done" in words(page_of(desk["client"], batch))


def test_a_dry_run_that_stopped_is_made_again(desk):
    batch = dry_run(desk)
    AssignmentBatch.objects.filter(pk=batch.pk).update(counted_at=None, counts={})
    batch.rows.all().delete()
    put(batch, BatchStatus.COUNTING, state=JobState.FAILED, error="It was interrupted 5 times.")
    text = words(page_of(desk["client"], batch))
    assert "The dry run did not come to its end. Nothing was written." in text
    assert "Make the dry run again" in text


# --- Who ------------------------------------------------------------------------------------------------------------
def test_only_who_made_it_and_administrators_come_to_a_batch(desk, client):
    batch = dry_run(desk)
    other, admin = make_person("Other"), make_person("Admin", is_superuser=True)
    make_hr(other, desk["unit"])
    doors = [("get", name) for name in ("", "rows.csv", "rows.xlsx", "undo/")]
    doors += [("post", name) for name in ("apply/", "undo/", "again/", "discard/")]
    client.force_login(other)
    for method, name in doors:
        assert getattr(client, method)(f"/hr/batches/{batch.pk}/{name}").status_code == 404, name
    assert "Change lead" not in client.get("/hr/batches/").content.decode()
    client.force_login(make_person("Learner"))
    for method, name in doors:
        assert getattr(client, method)(f"/hr/batches/{batch.pk}/{name}").status_code == 403, name
    client.force_login(admin)
    assert "Change lead" in client.get("/hr/batches/").content.decode()
    assert page_of(client, batch).status_code == 200
    assert AssignmentBatch.objects.get().status == BatchStatus.READY


def test_an_officer_who_lost_her_mandate_applies_nothing(desk):
    batch = dry_run(desk)
    desk["officer"].hr_mandates.all().delete()
    assert desk["client"].post(f"/hr/batches/{batch.pk}/apply/").status_code == 403
    assert not Assignment.objects.exists()


def test_the_desk_shows_the_latest_five_and_the_list_all_with_their_state(desk):
    for n in range(6):
        dry_run(desk, f"n{n}")
    apply_batch(batch=AssignmentBatch.objects.first(), by=desk["officer"])
    text = words(desk["client"].get("/hr/"))
    assert text.count("Waits for you: nothing written yet") == 4
    assert "can be undone until" in text
    text = words(desk["client"].get("/hr/batches/"))
    assert text.count("Waits for you: nothing written yet") == 5
    assert "1 person gains a path" in text


def test_a_job_of_a_batch_leads_to_its_page_and_jobs_of_before_stay_readable(desk):
    batch = apply_batch(batch=dry_run(desk), by=desk["officer"])
    assert desk["client"].get(f"/jobs/{batch.job_id}/").url == f"/hr/batches/{batch.pk}/"
    assert desk["client"].get("/jobs/").status_code == 200
    job = Job.objects.create(
        kind="learning.assign",
        key="old",
        state=JobState.DONE,
        created_by=desk["officer"],
        payload={"profile": desk["profile"].pk, "due_on": None, "people": [desk["ana"].pk]},
        report={"assigned": [desk["ana"].pk], "held": []},
    )
    assert "Who gained the path Ana" in words(desk["client"].get(f"/jobs/{job.pk}/"))
    assert "“Change lead”, without a due date" in words(desk["client"].get("/jobs/"))


# --- Downloads, size ---------------------------------------------------------------------------------------------
def test_the_rows_are_downloaded_and_no_text_in_them_becomes_a_formula(desk):
    User.objects.filter(pk=desk["ana"].pk).update(name='=HYPERLINK("http://evil.example")')
    batch = dry_run(desk, emails=["=1+1", "@SUM(A1)", "x@y.example"])
    response = desk["client"].get(f"/hr/batches/{batch.pk}/rows.csv")
    assert response["Content-Disposition"] == f'attachment; filename="change-lead-{batch.pk}.csv"'
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert len(rows) == 5
    assert rows[1][2] == '\'=HYPERLINK("http://evil.example")'
    assert [row[:2] for row in rows[2:]] == [["1", "'=1+1"], ["2", "'@SUM(A1)"], ["3", "x@y.example"]]
    response = desk["client"].get(f"/hr/batches/{batch.pk}/rows.xlsx")
    sheet = load_workbook(io.BytesIO(response.content)).active
    assert sheet["C2"].data_type == sheet["B3"].data_type == "s"
    assert sheet["B3"].value == "=1+1"
    assert sheet["A3"].value == 1
    only = desk["client"].get(f"/hr/batches/{batch.pk}/rows.csv?show=not_found").content.decode()
    assert only.count("\r\n") == 4


def crowd(desk, n: int) -> None:
    from organisations.models import Appointment, Post

    start = User.objects.count()
    people = User.objects.bulk_create(User(email=f"c{start + i}@gov.example", name=f"C {i}") for i in range(n))
    posts = Post.objects.bulk_create(
        Post(unit=desk["unit"], code=f"c{start + i}", title={"en": "x"}, starts_on="2020-01-01") for i in range(n)
    )
    pairs = zip(people, posts, strict=True)
    Appointment.objects.bulk_create(Appointment(person=a, post=b, starts_on="2020-01-01") for a, b in pairs)


def test_a_batch_asks_as_many_queries_for_a_thousand_rows_as_for_ten(desk, count_queries):
    crowd(desk, 9)
    small = dry_run(desk, "small", due_policy=due_in(3))
    crowd(desk, 991)
    large = dry_run(desk, "large", due_policy=due_in(3))
    assert (small.counts["gains"], large.counts["gains"]) == (10, 1001)
    counts = []
    for batch in (small, large):
        addresses = ("", "?show=all&page=2", "rows.csv", "rows.xlsx")
        counts.append([count_queries(lambda a=a, b=batch: page_of(desk["client"], b, a)) for a in addresses])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 20


def test_the_list_of_batches_asks_as_many_queries_for_many_as_for_few(desk, count_queries):
    dry_run(desk, "first")
    few = [count_queries(lambda a=a: desk["client"].get(a)) for a in ("/hr/batches/", "/hr/")]
    for n in range(4):
        dry_run(desk, f"n{n}", profile=make_profile(desk["version"], {"A": 1}))
    assert [count_queries(lambda a=a: desk["client"].get(a)) for a in ("/hr/batches/", "/hr/")] == few


@pytest.mark.parametrize(
    "query", ["?show=x", "?show=%00", "?page=9999999999999999999999", "?page=²&show=all", "?show="]
)
def test_a_hostile_address_shows_the_page(desk, query):
    assert page_of(desk["client"], dry_run(desk), query).status_code == 200
