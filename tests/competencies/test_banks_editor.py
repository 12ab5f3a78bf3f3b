"""Item banks in the CMS: who may, what a draft is, what stays as it was asked, and putting in use with its figures."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry
from wagtail.test.utils.form_data import inline_formset, nested_form_data

from competencies.banks import load_bank, read_bank
from competencies.enums import BankStatus
from competencies.models import Diagnostic, DiagnosticAnswer, DiagnosticItem, ItemBank
from competencies.perms import STEWARDS
from tests.builders import competency, make_framework, make_hr, make_person, make_unit
from tests.competencies.test_banks import a_file, source
from tests.competencies.test_editor import page, sentences

pytestmark = pytest.mark.django_db


def cms(model: str, view: str, *args: Any) -> str:
    return reverse(f"wagtailsnippets_competencies_{model}:{view}", args=args)


@pytest.fixture
def steward(client):
    person = make_person("Stella Steward")
    person.groups.add(Group.objects.get(name=STEWARDS))
    client.force_login(person)
    return person


@pytest.fixture
def ours():
    return make_framework("ours", codes="AB")


@pytest.fixture
def draft(ours) -> ItemBank:
    return load_bank(content=read_bank(source(a_file())), by=None, in_use=False).bank


@pytest.fixture
def in_use(ours) -> ItemBank:
    return load_bank(content=read_bank(source(a_file())), by=None, in_use=True).bank


def ask(item: DiagnosticItem) -> None:
    taken = Diagnostic.objects.create(person=make_person(), bank=item.bank, seed=1)
    DiagnosticAnswer.objects.create(diagnostic=taken, item=item, position=0)


def of_bank(bank: ItemBank, **changes: Any) -> dict[str, Any]:
    rows = [
        {"id": f.pk, "code": f.code, "share": f.share, "title_0": "Part", "title_1": "", "ORDER": n}
        for n, f in enumerate(bank.facets.all(), start=1)
    ]
    values = {
        "competency": bank.competency_id, "edition": bank.edition, "cuts": json.dumps(bank.cuts), "title_0": "Asked",
        "title_1": "", "facets": inline_formset(rows, initial=len(rows)),
    }  # fmt: skip
    return nested_form_data(values) | changes


def of_item(item: DiagnosticItem, *, right: int = 0, count: int = 4, **changes: Any) -> dict[str, Any]:
    rows = []
    for n, option in enumerate(item.options.all() if item.pk else [None] * count):
        row = {"text_0": f"Answer {n}", "text_1": "", "position": n}
        row |= {"id": option.pk} if option else {}
        row |= {"correct": "on"} if n == right else {}
        rows.append(row)
    values = {
        "key": item.key or "new", "facet": item.facet_id, "level": item.level, "difficulty": item.difficulty,
        "text_0": "Which?", "text_1": "¿Cuál?", "explanation_0": "So it is.", "explanation_1": "",
        "options": inline_formset(rows, initial=len(rows) if item.pk else 0),
    }  # fmt: skip
    return nested_form_data(values) | changes


# --- Who ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("who", ["editor", "hr", "learner"])
def test_nobody_else_gets_to_them(client, draft, who):
    person = make_person()
    if who == "editor":
        person.groups.add(Group.objects.get(name="Editors"))
    if who == "hr":
        make_hr(person, make_unit())
    client.force_login(person)
    item = draft.items.first()
    refused = {302, 403} if who == "editor" else {403}
    for url in (
        cms("itembank", "list"), cms("itembank", "load"), cms("itembank", "inspect", draft.pk),
        cms("diagnosticitem", "inspect", item.pk), cms("diagnosticitem", "add") + f"?bank={draft.pk}",
    ):  # fmt: skip
        assert client.get(url).status_code in refused
    for url in (
        cms("itembank", "put_in_use", draft.pk), cms("itembank", "retire", draft.pk),
        cms("diagnosticitem", "retire", item.pk),
    ):  # fmt: skip
        assert client.post(url).status_code in refused
    draft.refresh_from_db()
    item.refresh_from_db()
    assert draft.status == BankStatus.DRAFT
    assert not item.is_retired


def test_a_steward_finds_banks_and_questions(client, steward, draft):
    assert "Diagnostics" in page(client, "/cms/")
    listed = page(client, cms("itembank", "list"))
    assert "Questions · 1" in listed
    assert "Load a file" in listed
    assert "Question 3?" in page(client, cms("diagnosticitem", "list") + f"?bank={draft.pk}")
    assert client.get(cms("diagnosticitem", "list"), {"bank": "x", "q": "\0"}).status_code == 200


# --- A file ------------------------------------------------------------------------------------------------------
def upload(client, content, *, name: str = "bank.json"):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return client.post(cms("itembank", "load"), {"file": SimpleUploadedFile(name, raw)})


def test_a_file_becomes_a_draft_once_and_its_faults_are_listed(client, steward, ours):
    content = a_file()
    first, again = upload(client, content), upload(client, content)
    bank = ItemBank.objects.get()
    assert first.url == again.url == cms("itembank", "inspect", bank.pk)
    assert bank.status == BankStatus.DRAFT
    assert ModelLogEntry.objects.get(action="competencies.load_item_bank").user == steward
    content["items"][2]["difficulty"] = 9
    content["items"][4]["facet"] = "<b>x</b>"
    response = upload(client, content)
    assert response.status_code == 422
    said = unescape(response.content.decode())
    assert "Nothing was written: 2 faults were found." in said
    assert "$.items[2].difficulty: 9 is out of range" in said
    assert "<b>x</b>" not in response.content.decode()
    assert ItemBank.objects.count() == 1


@pytest.mark.parametrize("raw", [b"PK\x03\x04", b"\xff\xfe", b"{}", b" "])
def test_what_is_no_bank_is_refused_with_a_sentence(client, steward, ours, raw):
    response = upload(client, raw)
    assert response.status_code == 422
    assert client.post(cms("itembank", "load"), {}).status_code == 422
    assert not ItemBank.objects.exists()


# --- A bank ------------------------------------------------------------------------------------------------------
def test_a_draft_shows_its_figures_and_is_put_in_use(client, steward, draft):
    shown = page(client, cms("itembank", "inspect", draft.pk))
    assert "With 2,000 invented people" in shown
    assert "Put in use" in shown
    response = client.post(cms("itembank", "put_in_use", draft.pk), follow=True)
    assert "People can take this diagnostic now." in sentences(response)
    draft.refresh_from_db()
    assert draft.status == BankStatus.IN_USE
    assert ModelLogEntry.objects.get(action="competencies.put_item_bank_in_use").user == steward
    assert "Put in use" in page(client, cms("itembank", "history", draft.pk))
    response = client.post(cms("itembank", "retire", draft.pk), follow=True)
    draft.refresh_from_db()
    assert draft.status == BankStatus.RETIRED
    assert client.get(cms("itembank", "put_in_use", draft.pk)).status_code == 405
    assert client.post(cms("itembank", "put_in_use", "x")).status_code == 404


def test_the_page_and_the_desk_say_when_answers_are_enough_and_what_to_do(client, steward, in_use):
    desk = reverse("framework_desk")
    item = in_use.items.get(key="a-0")
    taken = Diagnostic.objects.bulk_create(
        Diagnostic(person=steward, bank=in_use, seed=n, finished_at=timezone.now()) for n in range(200)
    )
    answers = [
        DiagnosticAnswer(diagnostic=one, item=item, position=1, correct=True, answered_at=timezone.now())
        for one in taken
    ]
    DiagnosticAnswer.objects.bulk_create(answers[:199])
    shown = page(client, cms("itembank", "inspect", in_use.pk))
    assert "The question answered most has 199 answers. From 200 on" in shown
    assert "calibrate_diagnostic" not in shown
    assert "See what to do" not in page(client, desk)
    DiagnosticAnswer.objects.bulk_create(answers[199:])
    shown = page(client, cms("itembank", "inspect", in_use.pk))
    assert "1 of 24 questions has answers enough" in shown
    assert f"manage.py calibrate_diagnostic {in_use.pk} --save" in shown
    told = page(client, desk)
    assert "Take the difficulties of “Questions · 1” from answers" in told
    assert cms("itembank", "inspect", in_use.pk) in told
    in_use.items.update(calibrated_at=timezone.now())
    assert "All questions are estimated from answers" in page(client, cms("itembank", "inspect", in_use.pk))
    assert "See what to do" not in page(client, desk)


def test_a_draft_that_is_not_fit_says_why(client, steward, draft):
    DiagnosticItem.objects.filter(bank=draft, level=4).update(is_retired=True)
    shown = page(client, cms("itembank", "inspect", draft.pk))
    assert "Before it can be put in use:" in shown
    assert "No question tells level 4." in shown
    assert cms("itembank", "put_in_use", draft.pk) not in shown
    response = client.post(cms("itembank", "put_in_use", draft.pk), follow=True)
    assert "No question tells level 4." in sentences(response)
    draft.refresh_from_db()
    assert draft.status == BankStatus.DRAFT


def test_a_draft_is_edited_and_its_cuts_must_increase(client, steward, draft):
    url = cms("itembank", "edit", draft.pk)
    assert "cuts" in page(client, url)
    for cuts in ("[1, 1]", "[2, 1]", "[]", "5", "x", '["a"]', "[-5, 0]", "[-3,-2,-1,0,1,2]", "[NaN]", "[true, 2]"):
        response = client.post(url, of_bank(draft, cuts=cuts))
        assert response.status_code == 200, cuts
        assert b"error-message" in response.content, cuts
    draft.refresh_from_db()
    assert draft.cuts == [-1.5, -0.5, 0.5, 1.5]
    assert client.post(url, of_bank(draft, cuts="[-1, 0, 1]")).status_code == 302
    draft.refresh_from_db()
    assert (draft.cuts, str(draft.title)) == ([-1, 0, 1], "Asked")


def test_a_new_bank_is_a_draft(client, steward, ours):
    assert client.get(cms("itembank", "add")).status_code == 200
    form = nested_form_data(
        {
            "competency": competency(ours, "B").pk, "edition": "1", "cuts": "[-1, 0, 1]", "title_0": "New", "title_1": "",
            "facets": inline_formset([{"code": "all", "share": "1", "title_0": "All", "title_1": "", "ORDER": "1"}]),
        }
    )  # fmt: skip
    assert client.post(cms("itembank", "add"), form | {"status": "in_use"}).status_code == 302
    made = ItemBank.objects.get()
    assert (made.status, made.facets.get().code) == (BankStatus.DRAFT, "all")
    assert "it needs at least 20" in page(client, cms("itembank", "inspect", made.pk))


def test_a_bank_in_use_is_looked_at_and_not_deleted(client, steward, in_use):
    shown = page(client, cms("itembank", "inspect", in_use.pk))
    assert "people rely on it as it is" in shown
    assert cms("itembank", "edit", in_use.pk) not in shown
    for view in ("edit", "delete"):
        response = client.post(cms("itembank", view, in_use.pk), of_bank(in_use), follow=True)
        assert response.redirect_chain[-1][0] == cms("itembank", "inspect", in_use.pk)
    in_use.refresh_from_db()
    assert str(in_use.title) == "Questions"


def test_a_draft_is_deleted_with_its_questions(client, steward, draft):
    assert client.get(cms("itembank", "delete", draft.pk)).status_code == 200
    assert client.post(cms("itembank", "delete", draft.pk)).status_code == 302
    assert not ItemBank.objects.exists()
    assert not DiagnosticItem.objects.exists()


def test_banks_are_not_deleted_many_at_once(client, steward, draft):
    url = reverse("wagtail_bulk_action", args=["competencies", "itembank", "delete"]) + f"?id={draft.pk}"
    assert client.post(url).status_code == 302
    assert ItemBank.objects.exists()


# --- A question --------------------------------------------------------------------------------------------------
def test_a_question_is_edited_and_its_right_answer_moves(client, steward, draft):
    item = draft.items.get(key="a-0")
    url = cms("diagnosticitem", "edit", item.pk)
    assert client.get(url).status_code == 200
    assert client.post(url, of_item(item, right=2)).status_code == 302
    item.refresh_from_db()
    assert str(item.text) == "Which?"
    assert [option.correct for option in item.options.all()] == [False, False, True, False]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"options-1-correct": "on"}, "2 answers are marked as right"),
        ({"options-0-correct": ""}, "No answer is marked as right"),
        ({"difficulty": "5"}, "less than or equal to 4"),
        ({"level": "5"}, "not one of the available choices"),
        ({"key": "a-1"}, "There is a question with this key in the bank already"),
    ],
)
def test_a_faulty_question_is_refused_with_a_sentence(client, steward, draft, changes, sentence):
    item = draft.items.get(key="a-0")
    response = client.post(cms("diagnosticitem", "edit", item.pk), of_item(item, **changes))
    assert response.status_code == 200
    assert sentence in unescape(response.content.decode())
    item.refresh_from_db()
    assert str(item.text) == "Question 0?"
    assert item.options.filter(correct=True).count() == 1


def test_a_question_is_added_to_its_bank_only_with_its_parts(client, steward, draft, ours):
    other = load_bank(content=read_bank(source(a_file(code="B"))), by=None, in_use=False).bank
    url = cms("diagnosticitem", "add")
    response = client.get(url, follow=True)
    assert "Open the bank the question is for" in sentences(response)
    new = DiagnosticItem(bank=draft, facet=draft.facets.first(), level=1, difficulty=0.5)
    assert client.get(f"{url}?bank={draft.pk}").status_code == 200
    elsewhere = client.post(f"{url}?bank={draft.pk}", of_item(new, facet=other.facets.first().pk))
    assert elsewhere.status_code == 200
    assert client.post(f"{url}?bank={draft.pk}", of_item(new)).status_code == 302
    assert draft.items.get(key="new").options.count() == 4


def test_a_question_that_was_asked_is_retired_and_not_edited(client, steward, in_use):
    item = in_use.items.get(key="a-0")
    ask(item)
    shown = page(client, cms("diagnosticitem", "inspect", item.pk))
    assert "People have been asked this question, so its words stay" in shown
    assert "Asked 1 time." in shown
    for view in ("edit", "delete"):
        response = client.post(cms("diagnosticitem", view, item.pk), of_item(item), follow=True)
        assert response.redirect_chain[-1][0] == cms("diagnosticitem", "inspect", item.pk)
    item.refresh_from_db()
    assert str(item.text) == "Question 0?"
    for _twice in range(2):
        assert client.post(cms("diagnosticitem", "retire", item.pk)).status_code == 302
    item.refresh_from_db()
    assert item.is_retired
    assert ModelLogEntry.objects.filter(action="competencies.retire_item", user=steward).count() == 1
    assert "Retire this question" not in page(client, cms("diagnosticitem", "inspect", item.pk))


def test_a_question_of_a_retired_bank_does_not_change(client, steward, in_use):
    client.post(cms("itembank", "retire", in_use.pk))
    item = in_use.items.get(key="a-0")
    client.post(cms("diagnosticitem", "edit", item.pk), of_item(item))
    item.refresh_from_db()
    assert str(item.text) == "Question 0?"
    response = client.get(cms("diagnosticitem", "add") + f"?bank={in_use.pk}")
    assert response.status_code == 302


def test_the_list_of_questions_asks_as_many_queries_for_many_as_for_few(client, steward, ours, count_queries):
    few = load_bank(content=read_bank(source(a_file(count=8))), by=None, in_use=False).bank
    many = load_bank(content=read_bank(source(a_file(count=40, code="B"))), by=None, in_use=False).bank
    url = cms("diagnosticitem", "list")
    page(client, url)
    assert count_queries(lambda: page(client, f"{url}?bank={few.pk}")) == count_queries(
        lambda: page(client, f"{url}?bank={many.pk}")
    )
