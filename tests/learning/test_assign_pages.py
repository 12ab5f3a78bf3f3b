"""The steps of assigning, as an officer meets them - and as somebody in a hurry or in bad faith does."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from uuid import uuid4

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from competencies.enums import FrameworkStatus
from competencies.models import FrameworkVersion, RoleAssignment
from competencies.selectors import STARTER
from learning.enums import BatchStatus, CuratedStatus, RowOutcome
from learning.lists import MAX_FILE_BYTES
from learning.models import Assignment, AssignmentBatch, BatchRow, CuratedPath, CuratedVersion
from tests.builders import make_course, make_framework, make_hr, make_person, make_post, make_profile, make_unit

pytestmark = pytest.mark.django_db
URL = "/hr/assign/"


@pytest.fixture
def desk(client):
    version = make_framework(codes="A")
    profile = make_profile(version, {"A": 3}, title="Change lead")
    unit = make_unit("Unit")
    ana, officer = make_person("Ana"), make_person("Officer")
    make_post(unit, holder=ana)
    make_hr(officer, unit)
    make_course(version, {"A": 3}, key="c", title="The course")
    client.force_login(officer)
    return {"client": client, "profile": profile, "unit": unit, "ana": ana, "officer": officer}


def answers(desk, **more):
    return {
        "kind": "role",
        "profile": desk["profile"].pk,
        "mandatory": "yes",
        "note": "",
        "units": [desk["unit"].pk],
        "with_sub_units": "on",
        "emails": "",
        "due": "none",
        "existing": "keep",
    } | more


def ask(desk, **more):
    """Answer the last question: the batch that is asked for."""
    done = desk["client"].post(URL, answers(desk, step="when", token=str(uuid4()), **more))
    assert done.status_code == 302, done.content.decode()
    return AssignmentBatch.objects.get(pk=done.url.split("/")[-2])


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def make_path(unit, title, by, status=CuratedStatus.PUBLISHED):
    path = CuratedPath.objects.create(key=title.lower(), unit=unit, created_by=by)
    CuratedVersion.objects.create(path=path, number=1, title={"en": title}, status=status)
    return path


# --- The way through -------------------------------------------------------------------------------------------------
def test_the_steps_follow_each_other_and_nothing_is_assigned_before_the_dry_run_is_confirmed(desk):
    post = desk["client"].post
    assert b"What do you assign?" in desk["client"].get(URL).content
    assert b"List of e-mail addresses" in post(URL, {"step": "what", "profile": desk["profile"].pk}).content
    page = post(URL, answers(desk, step="whom"))
    assert b"Until when?" in page.content
    assert not AssignmentBatch.objects.exists()
    done = post(URL, answers(desk, step="when", token=str(page.context["token"])))
    page = desk["client"].get(done.url)
    assert "1 person gains the path to “Change lead”" in text_of(page)
    assert "Nothing has been written yet." in text_of(page)
    assert not RoleAssignment.objects.exists()
    assert not Assignment.objects.exists()
    assert post(f"{done.url}apply/").url == done.url
    assert RoleAssignment.objects.get().person == desk["ana"]
    assert "Undo until" in text_of(desk["client"].get(done.url))


@pytest.mark.parametrize(
    ("step", "change", "sentence"),
    [
        ("what", {"profile": ""}, "Choose the role to assign."),
        ("what", {"profile": "999999"}, "This role is not offered any more"),
        ("what", {"profile": "x"}, "This role is not offered any more"),
        ("what", {"kind": "everything"}, "Choose a role, a curated path or a course."),
        ("what", {"kind": "course", "course": ""}, "Choose the course to assign."),
        ("what", {"kind": "course", "course": "nowhere"}, "This course is not offered any more."),
        ("what", {"mandatory": "perhaps"}, "Choose mandatory or recommended."),
        ("what", {"note": "x" * 301}, "Keep it to 300 characters; these are 301."),
        ("what", {"note": "a\0b"}, "Null characters are not allowed."),
        ("whom", {"units": [], "emails": ""}, "Say whom you mean"),
        ("whom", {"units": [], "emails": " \n,\n"}, "Say whom you mean"),
        ("whom", {"units": ["999999"]}, "One of these units is not among those you serve."),
        ("whom", {"people": ["999999"]}, "One of these people is not among those you serve."),
        ("whom", {"holders": ["999999"]}, "Nobody you serve has one of these roles any more."),
        ("whom", {"units": ["²"]}, "One of these units is not among those you serve."),
        ("whom", {"emails": "\n" * 60_000 + "a@x.example"}, "too many blank lines"),
        ("when", {"due": "someday"}, "Choose what the date depends on."),
        ("when", {"due": "fixed"}, "Give the date."),
        ("when", {"due": "fixed", "due_on": "31.12.2030"}, "Enter a valid date."),
        ("when", {"due": "fixed", "due_on": "2001-01-01"}, "Choose a date after today."),
        ("when", {"due": "fixed", "due_on": "2999-01-01"}, "Choose a date within ten years."),
        ("when", {"due": "after_assignment"}, "Give a number of days from 1 to 3660."),
        ("when", {"due": "after_assignment", "due_days": "0"}, "Give a number of days from 1 to 3660."),
        ("when", {"due": "after_assignment", "due_days": "9" * 30}, "Give a number of days from 1 to 3660."),
        ("when", {"due": "before_certification_ends", "due_days": "x"}, "Enter a whole number."),
        ("when", {"due": "after_step", "due_days": "9"}, "Choose the course after which the days are counted."),
        ("when", {"due": "after_step", "due_days": "9", "due_course": "x"}, "This course is not offered any more."),
        ("when", {"repeat_months": "12"}, "What comes round again needs a first date."),
        (
            "when",
            {"due": "after_assignment", "due_days": "9", "repeat_months": "0"},
            "Give a number of months from 1 to 240.",
        ),
        (
            "when",
            {"due": "after_assignment", "due_days": "9", "repeat_months": "1", "opens_days": "90"},
            "One time would open before the one before it is over.",
        ),
        (
            "when",
            {"due": "after_assignment", "due_days": "9", "repeat_months": "1", "opens_days": "-1"},
            "Give a number of days from 0.",
        ),
        ("when", {"existing": "burn"}, "Choose what happens to the dates"),
    ],
)
def test_a_wrong_answer_gets_a_sentence_at_its_step(desk, step, change, sentence):
    response = desk["client"].post(URL, answers(desk, step=step, token=str(uuid4()), **change))
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert response.context["step"] == step
    assert not AssignmentBatch.objects.exists()


def test_an_answer_that_no_longer_matters_does_not_stand_in_the_way(desk):
    """Chosen first, then thought better of: the fields of the other choices may hold anything."""
    batch = ask(desk, course="nowhere", curated_path="x", due_on="31.12.2030", due_days="-5", opens_days="x")
    assert batch.course_key == ""
    assert batch.due_policy == {"kind": "none"}
    assert batch.repeat == {}


def test_going_back_keeps_what_was_answered(desk):
    due = (timezone.localdate() + timedelta(days=30)).isoformat()
    page = desk["client"].post(
        URL, answers(desk, step="when", go="whom", due="fixed", due_on=due, emails="x@y.example")
    )
    content = page.content.decode()
    assert "x@y.example" in content
    assert f'name="due_on" value="{due}"' in content
    assert "checked" in content


def test_a_forged_step_or_a_jump_ahead_asks_for_what_is_missing(desk):
    for data in ({"step": "nonsense"}, {"go": "apply"}, {"step": "when", "go": "preview"}, {"go": "preview"}):
        response = desk["client"].post(URL, data)
        assert response.status_code in (200, 422)
        assert "What do you assign?" in response.content.decode()
    assert not AssignmentBatch.objects.exists()


def test_a_look_at_the_address_writes_nothing(desk):
    page = desk["client"].get(URL, answers(desk, step="when", go="preview", token=str(uuid4())))
    assert page.context["step"] == "when"
    assert not AssignmentBatch.objects.exists()


def test_without_the_form_s_token_the_last_question_is_asked_again(desk):
    for token in ("", "x", "\0"):
        page = desk["client"].post(URL, answers(desk, step="when", token=token))
        assert page.context["step"] == "when"
    assert not AssignmentBatch.objects.exists()


def test_pressing_twice_leads_to_the_same_dry_run_and_another_answer_to_another(desk):
    token = str(uuid4())
    first, second = (desk["client"].post(URL, answers(desk, step="when", token=token)).url for _press in range(2))
    assert first == second
    other = desk["client"].post(URL, answers(desk, step="when", token=token, note="Another reason")).url
    assert other != first
    assert AssignmentBatch.objects.count() == 2


def test_people_ticked_in_the_roster_are_carried_along(desk):
    page = desk["client"].post(URL, {"go": "what", "people": [desk["ana"].pk]}).content.decode()
    assert f'name="people" value="{desk["ana"].pk}"' in page
    page = desk["client"].post(URL, {"step": "what", "profile": desk["profile"].pk, "people": [desk["ana"].pk]})
    assert "People you chose" in page.content.decode()
    batch = ask(desk, units=[], people=[desk["ana"].pk])
    assert [row.person for row in batch.rows.all()] == [desk["ana"]]


# --- What ------------------------------------------------------------------------------------------------------------
def test_a_course_is_assigned_by_its_key_and_shown_in_the_reader_s_language(desk):
    make_course(key="c", language="es", title="El curso")
    page = desk["client"].get(URL).content.decode()
    assert "The course" in page
    assert "El curso" not in page
    desk["client"].cookies["django_language"] = "es"
    assert "El curso" in desk["client"].get(URL).content.decode()
    desk["client"].cookies["django_language"] = "en"
    batch = ask(desk, kind="course", course="c", mandatory="no", note="  It\n helps.  ")
    assert (batch.course_key, batch.profile, batch.mandatory, batch.note) == ("c", None, False, "It helps.")
    page = text_of(desk["client"].get(f"/hr/batches/{batch.pk}/"))
    assert "1 person gains the course “The course”" in page
    assert "Recommended. Without a due date." in page
    desk["client"].post(f"/hr/batches/{batch.pk}/apply/")
    assert Assignment.objects.get().course_key == "c"


def test_curated_paths_of_ones_units_and_of_those_above_are_offered_once_published(desk):
    above = make_unit("Ministry")
    here = make_unit("Department", parent=above)
    beside = make_unit("Elsewhere")
    make_hr(desk["officer"], here)
    assert "Which curated path?" in desk["client"].get(URL).content.decode()
    assert "A curated path" not in desk["client"].get(URL).content.decode()  # there is none to choose
    high = make_path(above, "High", desk["officer"])
    make_path(here, "Draft", desk["officer"], CuratedStatus.DRAFT)
    other = make_path(beside, "Other", desk["officer"])
    page = desk["client"].get(URL).content.decode()
    assert ">High<" in page
    assert ">Draft<" not in page
    assert ">Other<" not in page
    response = desk["client"].post(URL, answers(desk, step="what", kind="path", curated_path=other.pk))
    assert response.status_code == 422
    assert "not yours to assign" in response.content.decode()
    batch = ask(desk, kind="path", curated_path=high.pk)
    assert batch.curated_path == high
    assert "1 person gains the path “High”" in text_of(desk["client"].get(f"/hr/batches/{batch.pk}/"))


def test_roles_are_offered_by_framework_with_the_edition_the_ministry_s_own_first(desk):
    """Only editions in force; a role of several grades names them."""
    FrameworkVersion.objects.filter(pk=desk["profile"].role.version_id).update(edition="2026")
    starter = make_profile(make_framework(STARTER, codes="A"), {"A": 1}, title="Starter role")
    make_profile(make_framework("aaa", codes="A"), {"A": 1}, title="Another role")
    old = make_framework("aaa-old", codes="A")
    make_profile(old, {"A": 1}, title="Superseded role")
    FrameworkVersion.objects.filter(pk=old.pk).update(status=FrameworkStatus.SUPERSEDED)

    def groups() -> list[str]:
        page = desk["client"].get(URL).content.decode()
        assert "Superseded role" not in page
        return re.findall(r'<optgroup label="([^"]+)"', page)

    framework = desk["profile"].role.version.framework.slug  # also its title
    assert groups() == [f"{STARTER}, edition 1", "aaa, edition 1", f"{framework}, edition 2026"]
    make_post(desk["unit"], roles=[desk["profile"]])
    make_post(desk["unit"], roles=[desk["profile"], starter])
    assert groups() == [f"{framework}, edition 2026", f"{STARTER}, edition 1", "aaa, edition 1"]


# --- Whom ------------------------------------------------------------------------------------------------------------
def test_holders_of_a_role_are_meant_and_only_roles_that_somebody_has_are_offered(desk):
    version = desk["profile"].role.version
    held, nobodys = (make_profile(version, {"A": 1}, title=title) for title in ("Held", "Nobody’s"))
    ben = make_person("Ben")
    make_post(desk["unit"], holder=ben, roles=[held])
    page = desk["client"].post(URL, {"step": "what", "profile": desk["profile"].pk}).content.decode()
    assert f'name="holders" value="{held.pk}"' in page
    assert f'name="holders" value="{nobodys.pk}"' not in page
    assert [row.person for row in ask(desk, units=[], holders=[held.pk]).rows.all()] == [ben]


def test_a_unit_is_meant_with_or_without_those_below(desk):
    below = make_unit("Below", parent=desk["unit"])
    make_post(below, holder=make_person("Ben"))
    assert ask(desk).counts[RowOutcome.GAINS] == 2
    alone = answers(desk, step="when", token=str(uuid4()))
    del alone["with_sub_units"]
    desk["client"].post(URL, alone)
    assert AssignmentBatch.objects.first().counts[RowOutcome.GAINS] == 1


def test_a_list_of_ten_thousand_and_one_is_refused_with_the_number(desk):
    emails = "\n".join(f"p{n}@gov.example" for n in range(10_001))
    response = desk["client"].post(URL, answers(desk, step="whom", units=[], emails=emails))
    assert "The list has 10001 addresses; at most 10000 at a time." in response.content.decode()


def a_file(raw: bytes | str, name: str = "staff.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, raw.encode() if isinstance(raw, str) else raw)


def test_a_file_travels_on_as_the_list_and_its_rows_keep_their_numbers(desk):
    raw = f"Name,E-mail\nAna,{desk['ana'].email}\nBen,\nCleo,cleo@\nDan,dan@gov.example\n"
    page = desk["client"].post(URL, answers(desk, step="whom", units=[], file=a_file(raw, "<b>staff.csv")))
    assert page.context["step"] == "when"
    carried = dict(page.context["carried"])
    batch = ask(desk, units=[], emails=carried["emails"].replace("\n", "\r\n"), list_name=carried["list_name"])
    assert list(batch.rows.values_list("line", "text", "outcome", "reasons")) == [
        (None, "", "gains", []),
        (3, "Ben", "not_found", ["malformed"]),
        (4, "cleo@", "not_found", ["malformed"]),
        (5, "dan@gov.example", "not_found", ["unknown"]),
    ]
    page = text_of(desk["client"].get(URL, {"batch": batch.pk, "go": "whom"}))
    assert "cleo@" in page
    seen = text_of(desk["client"].get(f"/hr/batches/{batch.pk}/"))
    assert "a list of 4 lines (&lt;b&gt;staff.csv)" in seen


def test_a_file_takes_the_place_of_a_file_but_never_of_what_was_pasted(desk):
    first = desk["client"].post(URL, answers(desk, step="whom", units=[], file=a_file("E-mail\na@x.example")))
    carried = dict(first.context["carried"])
    back = {"step": "whom", "units": [], "emails": carried["emails"], "list_name": "staff.csv"}
    second = desk["client"].post(URL, answers(desk, **back, file=a_file("E-mail\nb@x.example", "new.csv")))
    assert dict(second.context["carried"])["emails"] == "\nb@x.example"
    assert dict(second.context["carried"])["list_name"] == "new.csv"
    both = desk["client"].post(URL, answers(desk, step="whom", emails="a@x.example", file=a_file("b@x.example")))
    assert both.status_code == 422
    assert "Paste a list or choose a file, not both." in both.content.decode()


@pytest.mark.parametrize(
    ("raw", "name", "sentence"),
    [
        (b"\x89PNG\r\n\x1a\n\0", "cat.csv", "not a CSV file or an Excel workbook"),
        ("Correo\nñandú@x.example".encode("latin-1"), "staff.csv", "The file is not in UTF-8."),
        (b"PK\x03\x04 broken", "staff.xlsx", "cannot be read as an Excel workbook"),
        (b"Name\nAna", "staff.csv", "No column of this file holds e-mail addresses."),
        (b" \n", "staff.csv", "The file is empty."),
        (b"a@x.example\n" * (MAX_FILE_BYTES // 12 + 10), "staff.csv", "larger than 5 MB"),
    ],
)
def test_a_file_that_is_no_list_is_refused_at_its_field_and_nothing_is_kept(desk, raw, name, sentence):
    response = desk["client"].post(URL, answers(desk, step="whom", units=[], file=a_file(raw, name)))
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert set(response.context["form"].errors) == {"file"}


def test_a_question_that_wants_an_answer_is_not_called_optional(desk):
    assert desk["client"].get(URL).content.decode().count("(optional)") == 1  # why
    page = desk["client"].post(URL, answers(desk, step="whom")).content.decode()
    assert page.count("(optional)") == 3  # how it comes round again


def test_ten_thousand_rows_with_a_hundred_bad_ones_are_previewed_and_the_bad_ones_listed_by_row(desk):
    """The good ones would gain it, the bad ones are named by row with the reason, and nothing is assigned."""
    from organisations.models import Appointment, Post, User

    people = User.objects.bulk_create(User(email=f"p{n}@gov.example", name=f"Person {n}") for n in range(60))
    posts = Post.objects.bulk_create(
        Post(unit=desk["unit"], code=f"bulk{n}", title={"en": "Officer"}, starts_on="2020-01-01") for n in range(60)
    )
    Appointment.objects.bulk_create(
        Appointment(person=person, post=post, starts_on="2020-01-01")
        for person, post in zip(people, posts, strict=True)
    )
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed)
    sheet = book.add_worksheet()
    sheet.write_string(0, 0, "E-mail")
    for n in range(10_000):
        bad = f"bad {n}" if n % 200 == 50 else f"nobody{n}@gov.example"
        entry = bad if n % 100 == 50 else f"P{n % 60}@gov.example"
        sheet.write_string(n + 1, 0, entry)
    book.close()
    page = desk["client"].post(URL, answers(desk, step="whom", units=[], file=a_file(packed.getvalue(), "staff.xlsx")))
    carried = dict(page.context["carried"])
    batch = ask(desk, units=[], emails=carried["emails"], list_name=carried["list_name"])
    assert batch.status == BatchStatus.READY
    assert (batch.counts["gains"], batch.counts["not_found"]) == (60, 100)
    assert batch.counts["repeated"] == 10_000 - 100 - 60
    bad = list(batch.rows.filter(outcome=RowOutcome.NOT_FOUND).values_list("line", "text", "reasons"))
    assert bad[:2] == [(52, "bad 50", ["malformed"]), (152, "nobody150@gov.example", ["unknown"])]
    assert not Assignment.objects.exists()
    page = text_of(desk["client"].get(f"/hr/batches/{batch.pk}/?show=not_found"))
    assert "60 people gain the path" in page
    assert "100 could not be found" in re.sub("<[^>]+>", "", page)
    assert "1 to 50 of 100" in page


# --- When ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answer", "policy", "words"),
    [
        (
            {"due": "after_assignment", "due_days": "90"},
            {"kind": "after_assignment", "days": 90},
            "90 days after the a",
        ),
        (
            {"due": "after_start_in_post", "due_days": "1"},
            {"kind": "after_start_in_post", "days": 1},
            "Due 1 day after e",
        ),
        (
            {"due": "after_step", "due_days": "30", "due_course": "c"},
            {"kind": "after_step", "course": "c", "days": 30},
            "Due 30 days after “The course” is completed.",
        ),
        (
            {"due": "before_certification_ends", "due_days": "30"},
            {"kind": "before_certification_ends", "days": 30},
            "Due 30 days before the certification ends.",
        ),
    ],
)
def test_a_due_date_may_hang_on_each_one_s_days(desk, answer, policy, words):
    batch = ask(desk, **answer)
    assert batch.due_policy == policy
    assert words in text_of(desk["client"].get(f"/hr/batches/{batch.pk}/"))


def test_what_comes_round_again_says_so_and_fills_the_form_in_again(desk):
    batch = ask(
        desk,
        due="after_assignment",
        due_days="30",
        repeat_months="12",
        opens_days="60",
        grace_days="14",
        existing="move",
    )
    assert (batch.repeat["every_months"], batch.repeat["opens_days_before"], batch.repeat["grace_days"]) == (12, 60, 14)
    assert "Again every 12 months." in text_of(desk["client"].get(f"/hr/batches/{batch.pk}/"))
    form = desk["client"].get(URL, {"batch": batch.pk, "go": "when"}).context["form"]
    values = {name: str(form[name].value()) for name in ("due", "due_days", "repeat_months", "opens_days", "existing")}
    assert values == {
        "due": "after_assignment", "due_days": "30", "repeat_months": "12", "opens_days": "60", "existing": "move",
    }  # fmt: skip


def test_what_a_dry_run_was_made_of_can_be_changed_and_asked_again_unchanged(desk):
    batch = ask(desk, emails=f"{desk['ana'].email}\n\nx@y.example", note="Why", due="after_assignment", due_days="9")
    page = desk["client"].get(URL, {"batch": batch.pk, "go": "when"})
    carried = {}
    for name, value in page.context["carried"]:
        carried.setdefault(name, []).append(value)
    form = page.context["form"]
    carried |= {name: form[name].value() or "" for name in form.fields}
    done = desk["client"].post(URL, carried | {"step": "when", "token": str(uuid4())})
    again = AssignmentBatch.objects.get(pk=done.url.split("/")[-2])
    assert again.pk != batch.pk
    for name in ("kind", "profile_id", "whom", "due_policy", "repeat", "existing", "note", "mandatory", "counts"):
        assert getattr(again, name) == getattr(batch, name), name


def test_what_is_asked_otherwise_takes_the_place_of_the_dry_run_that_was_waiting(desk):
    batch = ask(desk, due="after_assignment", due_days="9")
    page = desk["client"].get(URL, {"batch": batch.pk, "go": "when"})
    assert ("replaces", str(batch.pk)) in page.context["carried"]
    other = ask(desk, due="after_assignment", due_days="90", replaces=batch.pk)
    assert not AssignmentBatch.objects.filter(pk=batch.pk).exists()
    # What was applied stays, and so does what somebody else asked for.
    desk["client"].post(f"/hr/batches/{other.pk}/apply/")
    ask(desk, due="after_assignment", due_days="80", existing="move", replaces=other.pk)
    assert AssignmentBatch.objects.filter(pk=other.pk).exists()
    stranger = make_person("Stranger")
    AssignmentBatch.objects.filter(pk=other.pk).update(created_by=stranger, status="ready", applied_at=None)
    ask(desk, due="after_assignment", due_days="70", existing="move", replaces=other.pk)
    ask(desk, due="after_assignment", due_days="60", existing="move", replaces="x" * 40)
    assert AssignmentBatch.objects.filter(pk=other.pk).exists()


def test_a_batch_of_somebody_else_cannot_be_read_through_the_form(desk, client):
    batch = ask(desk)
    other = make_person("Other")
    make_hr(other, desk["unit"])
    client.force_login(other)
    for pk in (batch.pk, 10**30, "x", "²"):
        assert client.get(URL, {"batch": pk}).status_code == 404


def test_the_pages_ask_as_many_queries_for_many_units_and_roles_as_for_few(desk, count_queries):
    def more() -> None:
        unit = make_unit(parent=desk["unit"])
        make_post(unit, holder=make_person(), roles=[make_profile(desk["profile"].role.version, {"A": 1})])
        make_course(desk["profile"].role.version, {"A": 1})

    def counts() -> list[int]:
        return [
            count_queries(lambda go=go: desk["client"].post(URL, answers(desk, go=go)))
            for go in ("what", "whom", "when")
        ]

    more()
    few = counts()
    for _more in range(5):
        more()
    assert counts() == few
    assert max(few) <= 25


def test_rows_are_gone_with_a_dry_run_that_is_thrown_away(desk):
    batch = ask(desk)
    assert desk["client"].post(f"/hr/batches/{batch.pk}/discard/").url == "/hr/batches/"
    assert desk["client"].post(f"/hr/batches/{batch.pk}/discard/").url == "/hr/batches/"  # pressed twice
    assert not BatchRow.objects.exists()
