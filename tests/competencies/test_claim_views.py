"""Adding evidence, following a claim, reading my record, and the desk of those who decide."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from competencies import documents
from competencies.claims import decide_claim, take_back_claim
from competencies.enums import ClaimKind, ClaimState, EvidenceKind, FrameworkStatus
from competencies.lifecycle import draft_next_edition
from competencies.models import Claim, Contest, Evidence, EvidenceDocument, Panel, PanelRating
from competencies.services import withdraw_evidence
from tests.builders import (
    competency,
    give_evidence,
    make_assessor,
    make_claim,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
    pdf_file,
)
from tests.competencies.editions import publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(db):
    return make_framework(codes="ABC")


@pytest.fixture
def what(version):
    return competency(version, "A")


@pytest.fixture
def aina():
    return make_assessor("Aina Assessor")


@pytest.fixture
def ana(client, version, aina):
    person = make_person("Ana Costa")
    make_post(make_unit(), holder=person, roles=[make_profile(version, {"A": 3})])
    client.force_login(person)
    return person


def text(client, url):
    response = client.get(url)
    assert response.status_code == 200, response
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def data(**changes):
    return {
        "title": "CISSP", "issuer": "ISC2", "issued_on": (timezone.localdate() - timedelta(days=20)).isoformat(),
        "valid_until": "", "rank": "3", "statement": "Six hours of examination.", "documents": [pdf_file()],
        "token": str(uuid4()), **changes,
    }  # fmt: skip


def address(what, kind=ClaimKind.CERTIFICATE):
    return f"/learn/competencies/{what.pk}/evidence/?kind={kind}"


# --- Adding ------------------------------------------------------------------------------------------------------
def test_from_why_this_level_to_an_accepted_certificate(client, ana, aina, what, mailoutbox):
    assert f'href="/learn/competencies/{what.pk}/evidence/"' in client.get("/learn/").content.decode()
    page = client.get(f"/learn/competencies/{what.pk}/").content.decode()
    assert f'href="/learn/competencies/{what.pk}/evidence/"' in page
    choice = text(client, f"/learn/competencies/{what.pk}/evidence/")
    assert "A certificate from elsewhere" in choice and "Prior learning" in choice
    assert "15 working days" in choice and "not the documents" in choice
    form = text(client, address(what))
    assert "I can do A at 3." in form
    response = client.post(address(what), data())
    claim = Claim.objects.get()
    assert response.url == f"/learn/claims/{claim.pk}/"
    assert "Aina Assessor answers by" in text(client, response.url)
    desk = Client()
    desk.force_login(aina)
    assert "To decide" in text(desk, "/learn/")
    assert "Ana Costa asks to have something recognised in “Competency A”" in text(desk, "/assess/")
    page = text(desk, f"/assess/claims/{claim.pk}/")
    assert "Six hours of examination." in page and "I can do A at 2." in page and "certificate.pdf" in page
    answer = {"decision": "accept", "rank": "3", "answer": ""}
    assert desk.post(f"/assess/claims/{claim.pk}/", answer).url == "/assess/"
    assert "Nothing waits for you" in text(desk, "/assess/")
    assert "Accepted: level 3" in text(client, f"/learn/claims/{claim.pk}/")
    assert "shown by a certificate" in text(client, f"/learn/competencies/{what.pk}/")
    assert "CISSP · ISC2" in text(client, "/learn/evidence/")
    assert mailoutbox[-1].to == [ana.email]


def test_pressing_submit_twice_leads_to_the_same_claim(client, ana, what):
    values = data()
    first = client.post(address(what), values)
    second = client.post(address(what), values | {"documents": [pdf_file()]})
    assert first.url == second.url
    assert Claim.objects.count() == 1 and EvidenceDocument.objects.count() == 1


def test_prior_learning_needs_words_and_a_document(client, ana, what):
    kind = ClaimKind.PRIOR_LEARNING
    response = client.post(address(what, kind), data(statement="", documents=[]))
    assert response.status_code == 422
    assert "Say how it shows this level." in response.content.decode()
    response = client.post(address(what, kind), data(documents=[], issuer=""))
    assert response.status_code == 422
    assert "Add the document that shows it." in response.content.decode()
    assert client.post(address(what, kind), data(issuer="")).status_code == 302
    assert Claim.objects.get().kind == kind


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rank": "9"}, "Choose one of the levels shown."),
        ({"rank": "0"}, "Choose one of the levels shown."),
        ({"rank": ""}, "Choose the description that it shows."),
        ({"issued_on": "2999-01-01"}, "lies in the future"),
        ({"issued_on": "yesterday"}, "Give a date."),
        ({"issued_on": "2015-01-01"}, "would no longer count"),
        ({"valid_until": "2020-01-01"}, "lapse before"),
        ({"documents": []}, "Add the document that shows it."),
        ({"documents": [SimpleUploadedFile("x.pdf", b"MZ" + b"\0" * 300)]}, "is not a PDF, PNG or JPEG"),
        ({"documents": [pdf_file("a.pdf"), pdf_file("b.pdf")]}, "are the same file"),
        ({"documents": [pdf_file(mark=str(n)) for n in range(4)]}, "At most 3 documents"),
        ({"title": "x" * 201}, "at most 200 characters"),
        ({"title": "a\x00b"}, "Null characters"),
        ({"token": "no"}, "Open the page again."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(client, ana, what, changes, sentence):
    response = client.post(address(what), data(**changes))
    assert response.status_code == 422
    page = response.content.decode()
    assert sentence in page
    assert "Six hours of examination." in page
    assert not Claim.objects.exists() and not EvidenceDocument.objects.exists()


def test_documents_that_do_not_come_back_with_the_page_are_asked_for_again(client, ana, what):
    again = "Choose the documents again"
    assert again not in client.get(address(what)).content.decode()
    assert again in client.post(address(what), data(title="")).content.decode()
    assert again in client.post(address(what), data(issued_on="2999-01-01")).content.decode()  # said by the service
    assert again not in client.post(address(what), data(title="", documents=[])).content.decode()


def test_of_a_file_that_is_too_large_only_so_much_is_read_and_the_rest_is_told(client, ana, what, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = None
    seen = []
    original = documents.inspect
    big = SimpleUploadedFile("big.pdf", b"%PDF-1.4" + b"x" * (documents.MAX_BYTES + 3_000_000))
    try:
        documents.inspect = lambda file: (seen.append(file.size), original(file))[1]  # type: ignore[assignment, func-returns-value]
        response = client.post(address(what), data(documents=[big]))
    finally:
        documents.inspect = original
    assert response.status_code == 422
    assert "larger than 10 MB" in response.content.decode()
    assert documents.MAX_BYTES < seen[0] <= documents.MAX_BYTES + 128 * 1024


def test_the_form_is_guarded_against_other_sites(ana, what):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ana)
    assert strict.post(address(what), data()).status_code == 403
    assert not Claim.objects.exists()


def test_drafts_and_withdrawn_competencies_take_no_evidence_and_superseded_ones_lead_on(client, ana, version, what):
    draft = competency(make_framework(codes="D", status=FrameworkStatus.DRAFT), "D")
    for pk in (draft.pk, 10**9, 10**30):
        assert client.get(f"/learn/competencies/{pk}/evidence/").status_code == 404
    steward = make_person(is_superuser=True)
    later = draft_next_edition(version=version, edition="2", by=steward)
    publish(later, by=steward)
    assert client.post(address(what), data()).status_code == 302
    assert Claim.objects.get().competency.version == later


# --- Following a claim -------------------------------------------------------------------------------------------
def test_a_refused_claim_is_read_added_to_and_submitted_again(client, ana, aina, what):
    first = make_claim(ana, what)
    decide_claim(claim=first, by=aina, accept=False, answer="Which examination?")
    page = client.get(f"/learn/claims/{first.pk}/").content.decode()
    assert "Which examination?" in page
    again = f"/learn/competencies/{what.pk}/evidence/?previous={first.pk}"
    assert f'href="{again}"' in page
    form = client.get(again).content.decode()
    assert "Which examination?" in form and "Security professional" in form and "certificate.pdf" in form
    response = client.post(again, data(documents=[]))
    claim = Claim.objects.get(previous=first)
    assert response.url == f"/learn/claims/{claim.pk}/"
    assert claim.documents.count() == 1
    assert "You have submitted it again" in text(client, f"/learn/claims/{first.pk}/")
    assert client.post(again, data(documents=[])).status_code == 422  # only once
    desk = Client()
    desk.force_login(aina)
    assert "Which examination?" in text(desk, f"/assess/claims/{claim.pk}/")


def test_taking_back_twice_is_once_and_after_an_answer_the_answer_is_shown(client, ana, aina, what):
    claim = make_claim(ana, what)
    for _press in range(2):
        assert client.post(f"/learn/claims/{claim.pk}/take-back/").url == f"/learn/claims/{claim.pk}/"
    assert "You have taken this back" in text(client, f"/learn/claims/{claim.pk}/")
    answered = decide_claim(claim=make_claim(ana, what), by=aina, accept=True, rank=3)
    response = client.post(f"/learn/claims/{answered.pk}/take-back/", follow=True)
    assert "decided already, by Aina Assessor" in response.content.decode()


def test_what_was_taken_back_is_for_its_person_alone(client, ana, aina, what):
    first = make_claim(ana, what)
    document = first.documents.get()
    take_back_claim(claim=first, by=ana)
    desk, house = Client(), Client()
    desk.force_login(aina)
    house.force_login(make_person(is_superuser=True))
    for visitor, status in ((desk, 404), (house, 200), (client, 200)):
        response = visitor.get(f"/evidence/documents/{document.pk}/")
        assert response.status_code == status
        assert status == 404 or b"".join(response).startswith(b"%PDF-")
    for visitor in (desk, house):
        assert visitor.get(f"/assess/claims/{first.pk}/").status_code == 404
        assert visitor.post(f"/assess/claims/{first.pk}/", {}).status_code == 404
        assert visitor.post(f"/assess/claims/{first.pk}/take-over/").status_code == 404
    again = make_claim(ana, what, previous=first)
    page = desk.get(f"/assess/claims/{again.pk}/").content.decode()
    assert "It was taken back then." in page and f"/assess/claims/{first.pk}/" not in page
    response = desk.get(f"/evidence/documents/{document.pk}/")  # it came along
    assert b"".join(response).startswith(b"%PDF-")


def test_an_overdue_claim_says_so_to_its_person(client, ana, aina, what):
    claim = make_claim(ana, what, at=timezone.now() - timedelta(days=60))
    assert "That day has passed." in text(client, f"/learn/claims/{claim.pk}/")
    assert "was due" in text(client, "/learn/evidence/")


def test_claims_of_others_are_not_there(client, ana, aina, what):
    claim = make_claim(ana, what)
    client.force_login(make_person())
    assert client.get(f"/learn/claims/{claim.pk}/").status_code == 404
    assert client.post(f"/learn/claims/{claim.pk}/take-back/").status_code == 404
    form = client.get(f"/learn/competencies/{what.pk}/evidence/?previous={claim.pk}")
    assert "Security professional" not in form.content.decode()


# --- What is on record -------------------------------------------------------------------------------------------
def test_the_record_shows_every_piece_with_what_it_counts_for(client, ana, aina, version, what):
    boss = make_person("Max Ruiz")
    give_evidence(ana, what, 3, by=aina)
    give_evidence(ana, what, 2, EvidenceKind.SELF, by=ana)
    give_evidence(ana, what, 1, EvidenceKind.MANAGER, by=boss, days_ago=800)
    wrong = give_evidence(ana, competency(version, "B"), 4)
    withdraw_evidence(evidence=wrong, by=aina, reason="Recorded for the wrong person.")
    give_evidence(make_person(), competency(version, "C"), 4)
    page = text(client, "/learn/evidence/")
    for words in (
        "Shows your level", "Shown beside the level", "Lapsed on", "Manager's assessment, recorded by Max Ruiz",
        "Withdrawn Recorded for the wrong person.", "Competency B",
    ):  # fmt: skip
        assert words in page.replace("&#x27;", "'"), words
    assert "Competency C" not in page


def test_the_record_costs_the_same_for_many_pieces_as_for_one(client, ana, aina, version, what, count_queries):
    give_evidence(ana, what, 2)
    make_claim(ana, what)
    client.get("/learn/evidence/")
    few = count_queries(lambda: client.get("/learn/evidence/"))
    for code in "ABC":
        for kind in (EvidenceKind.SELF, EvidenceKind.MANAGER, EvidenceKind.PRIOR_LEARNING):
            give_evidence(ana, competency(version, code), 2, kind, by=aina)
        make_claim(ana, competency(version, code))
    assert count_queries(lambda: client.get("/learn/evidence/")) == few


def test_evidence_of_an_earlier_edition_stands_under_the_competency_in_force(client, ana, version, what):
    give_evidence(ana, what, 3)
    steward = make_person(is_superuser=True)
    later = draft_next_edition(version=version, edition="2", by=steward)
    publish(later, by=steward)
    page = client.get("/learn/evidence/").content.decode()
    assert f'href="/learn/competencies/{competency(later, "A").pk}/"' in page
    assert "Shows your level" in page


def test_an_empty_record_says_what_will_stand_there(client, ana):
    assert "Nothing is on record yet" in text(client, "/learn/evidence/")


# --- The desk ----------------------------------------------------------------------------------------------------
def test_the_desk_is_for_those_who_decide_or_were_asked(client, ana, aina, what):
    officer, member = make_person(), make_person()
    make_hr(officer, make_unit())
    panel = Panel.objects.create(person=ana, competency=what, asked_by=aina, due_on=timezone.localdate(), token="p")
    PanelRating.objects.create(panel=panel, assessor=member)
    for user, status in (
        (aina, 200), (officer, 200), (member, 200), (make_person(is_superuser=True), 200), (ana, 403), (make_person(), 403)
    ):  # fmt: skip
        client.force_login(user)
        assert client.get("/assess/").status_code == status
        assert ('href="/assess/"' in client.get("/learn/").content.decode()) == (status == 200)


def test_a_claim_outside_the_scope_is_not_there(client, ana, aina, what):
    claim = make_claim(ana, what)
    document = claim.documents.get()
    unit = ana.appointments.get().post.unit
    boss, officer, other = make_person(), make_person(), make_person()
    post = ana.appointments.get().post
    post.reports_to = make_post(unit, holder=boss)
    post.save()
    make_hr(officer, unit)
    make_hr(other, make_unit())
    for user, status in ((officer, 200), (aina, 200), (other, 404), (boss, 404), (make_person(), 404), (ana, 404)):
        client.force_login(user)
        assert client.get(f"/assess/claims/{claim.pk}/").status_code == status
        assert client.post(f"/assess/claims/{claim.pk}/", {}).status_code == (422 if status == 200 else 404)
        wanted = 200 if user == ana else status
        response = client.get(f"/evidence/documents/{document.pk}/")
        assert response.status_code == wanted
        if wanted == 200:
            assert b"".join(response).startswith(b"%PDF-")
        if status == 404:
            assert client.post(f"/assess/claims/{claim.pk}/take-over/").status_code == 404


def test_a_decision_says_beside_its_field_what_is_missing(client, ana, aina, what):
    claim = make_claim(ana, what)
    client.force_login(aina)
    url = f"/assess/claims/{claim.pk}/"
    for answer, sentence in (
        ({}, "Accept it or do not accept it."),
        ({"decision": "refuse", "answer": " "}, "Say why, and what would help"),
        ({"decision": "accept", "rank": ""}, "Choose the level it shows"),
        ({"decision": "accept", "rank": "2"}, "Say why it is less"),
        ({"decision": "accept", "rank": "7"}, "Choose one of the levels shown."),
    ):
        response = client.post(url, answer)
        assert response.status_code == 422
        assert sentence in response.content.decode()
    claim.refresh_from_db()
    assert claim.state == ClaimState.SUBMITTED


def test_the_second_press_says_that_it_is_decided(client, ana, aina, what):
    claim = make_claim(ana, what)
    client.force_login(aina)
    url, answer = f"/assess/claims/{claim.pk}/", {"decision": "accept", "rank": "3"}
    assert client.post(url, answer).url == "/assess/"
    for again in (answer, {}, {"decision": "refuse", "answer": "No."}):
        response = client.post(url, again, follow=True)
        assert "This is decided already, by Aina Assessor" in response.content.decode()
    assert Evidence.objects.filter(person=ana).count() == 1
    page = text(client, url)
    assert "Accepted: level 3" in page and "Send the answer" not in page


def test_another_assessor_takes_a_late_one_over(client, ana, aina, what):
    claim = make_claim(ana, what, at=timezone.now() - timedelta(days=60))
    berta = make_assessor("Berta")
    client.force_login(berta)
    page = text(client, "/assess/")
    assert "With others" in page and "Was due" in page and "Aina Assessor" in page
    assert client.post(f"/assess/claims/{claim.pk}/take-over/").url == f"/assess/claims/{claim.pk}/"
    assert "Yours, what is due first" in text(client, "/assess/")
    take_back_claim(claim=claim, by=ana)
    assert client.post(f"/assess/claims/{claim.pk}/take-over/").status_code == 404


def test_the_desk_costs_the_same_for_many_claims_as_for_one(client, ana, aina, what, count_queries):
    make_claim(ana, what)
    client.force_login(aina)
    client.get("/assess/")
    few = count_queries(lambda: client.get("/assess/"))
    for number in range(5):
        person = make_person()
        make_claim(person, what)
        piece = give_evidence(person, what, 1)
        Contest.objects.create(
            evidence=piece, person=person, reason="x", due_on=timezone.localdate(), token=str(number), assessor=aina
        )
    assert count_queries(lambda: client.get("/assess/")) == few
    page = text(client, "/assess/")
    assert page.count("Contest") == 5


def test_the_navigation_asks_nothing_more_than_for_the_other_desks(client, ana, count_queries):
    from config.context_processors import Desks

    class Request:
        user = ana

    desks = Desks(Request())  # type: ignore[arg-type]
    assert desks.frameworks is False and desks.hr is False
    assert count_queries(lambda: desks.assess) == 0
    assert not desks.assess
