"""Claims: asked with proof, given to who has least to do, decided once, and counted as evidence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone, translation
from django.utils.html import escape

from competencies import assessors, claims, documents
from competencies.claim_mails import CLAIM_MAIL, REMINDER_MAIL, send_once
from competencies.claims import (
    Asked,
    ClaimDecided,
    ClaimRefused,
    decide_claim,
    hand_on,
    submit_claim,
    take_back_claim,
    take_over_claim,
)
from competencies.contests import open_contest
from competencies.documents import DocumentRefused, may_fetch
from competencies.enums import ClaimKind, ClaimState, ContestState, EvidenceKind, FrameworkStatus
from competencies.models import Claim, Contest, Evidence, EvidenceDocument, Panel, PanelRating
from competencies.selectors import standing_of
from competencies.tasks import look_after_claims
from organisations.jobs import Run, enqueue
from organisations.models import Job
from tests.builders import (
    appoint,
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

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(db):
    return make_framework(codes="AB")


@pytest.fixture
def what(version):
    return competency(version, "A")


@pytest.fixture
def ana(version):
    person = make_person("Ana Costa")
    make_post(make_unit(), holder=person, roles=[make_profile(version, {"A": 3})])
    return person


def a_claim(what: Any, **changes: Any) -> Asked:
    asked = Asked(
        competency=what, kind=ClaimKind.CERTIFICATE, rank=3, title="CISSP", issuer="ISC2",
        issued_on=timezone.localdate() - timedelta(days=30), files=[pdf_file()],
    )  # fmt: skip
    return replace(asked, **changes)


# --- When the answer is due --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("asked_on", "due_on"),
    [
        (date(2026, 11, 26), date(2026, 12, 17)),  # Thursday
        (date(2026, 11, 27), date(2026, 12, 18)),  # Friday
        (date(2026, 11, 28), date(2026, 12, 18)),  # Saturday: counted from Monday
        (date(2026, 11, 30), date(2026, 12, 21)),  # Monday
    ],
)
def test_an_answer_is_due_after_fifteen_working_days(asked_on, due_on):
    assert assessors.answer_due_on(asked_on) == due_on


# --- Who decides -------------------------------------------------------------------------------------------------
def test_assessors_administrators_and_the_persons_officers_decide_and_nobody_else(ana, what):
    unit = ana.appointments.get().post.unit
    officer, other_officer, admin = make_person(), make_person(), make_person(is_superuser=True)
    make_hr(officer, unit)
    make_hr(other_officer, make_unit())
    boss = make_person()
    post = ana.appointments.get().post
    post.reports_to = make_post(unit, holder=boss)
    post.save()
    deciders = [make_assessor(), officer, admin]
    assert all(assessors.can_decide(user, ana) for user in deciders)
    assert not any(assessors.can_decide(user, ana, besides=[u.pk for u in deciders]) for user in deciders)
    assert not any(assessors.can_decide(user, ana) for user in (ana, boss, other_officer, make_person()))
    assert not assessors.can_decide(make_person(is_superuser=True, is_active=False), ana)
    assert not assessors.can_decide(officer, officer)


def test_it_goes_to_who_has_least_to_decide_and_to_administrators_last(ana, what):
    assert assessors.choose_assessor(ana) is None
    admin = make_person(is_superuser=True)
    assert assessors.choose_assessor(ana) == admin
    first, second = make_assessor(), make_assessor()
    assert [make_claim(ana, what).assessor for _n in range(3)] == [first, second, first]
    assert assessors.choose_assessor(ana, besides=[second.pk]) == first
    assert assessors.choose_assessor(first) == second
    piece = give_evidence(ana, what, 1)
    for number in range(3):
        Contest.objects.create(
            evidence=piece, person=ana, reason="x", assessor=second, due_on=timezone.localdate(), token=str(number),
            state="open" if not number else "taken_back",
        )  # fmt: skip
    officer = make_person()
    make_hr(officer, ana.appointments.get().post.unit)
    assert assessors.choose_assessor(ana) == officer  # nothing yet; those in office have two each
    officer.is_active = False
    officer.save()
    assert assessors.choose_assessor(ana) == first


def test_an_officer_of_a_unit_above_is_found_and_one_beside_is_not():
    above = make_unit()
    below = make_unit(parent=above)
    person, officer, beside = make_person(), make_person(), make_person()
    make_post(below, holder=person)
    make_hr(beside, make_unit(parent=above))
    assert assessors.choose_assessor(person) is None
    make_hr(officer, above)
    assert assessors.choose_assessor(person) == officer


def test_choosing_and_the_desk_cost_the_same_for_many_as_for_few(ana, what, count_queries):
    desk_owner = make_assessor()
    make_claim(ana, what)
    few = [count_queries(lambda: assessors.choose_assessor(ana)), count_queries(lambda: show(desk_owner))]
    for _n in range(4):
        make_claim(make_person(), what)
        make_assessor()
        person = make_person()
        piece = give_evidence(person, what, 1)
        Contest.objects.create(
            evidence=piece, person=person, reason="x", due_on=timezone.localdate(), token=person.email
        )
    many = [count_queries(lambda: assessors.choose_assessor(ana)), count_queries(lambda: show(desk_owner))]
    assert few == many
    assert many[0] <= 2 and many[1] <= 4


def show(user: Any) -> assessors.Desk:
    desk = assessors.waiting_for(user)
    for waiting in (*desk.mine, *desk.others):
        assert str(waiting.person) and str(waiting.competency) and waiting.due_on
    return desk


def test_the_desk_shows_hers_first_by_date_then_what_she_could_take_over(ana, what):
    me, other = make_assessor(), make_assessor()
    late, soon, others = (make_claim(ana, what, at=timezone.now() - timedelta(days=d)) for d in (40, 10, 60))
    Claim.objects.filter(pk__in=[late.pk, soon.pk]).update(assessor=me)
    Claim.objects.filter(pk=others.pk).update(assessor=other)
    Claim.objects.filter(pk=make_claim(me, what).pk).update(assessor=other)  # her own: not hers to decide
    desk = show(me)
    assert [w.item for w in desk.mine] == [late, soon]
    assert [w.item for w in desk.others] == [others]
    assert [w.item for w in desk.overdue] == [late]
    officer = make_person()
    make_hr(officer, make_unit())
    assert show(officer).others == []


def test_who_made_a_piece_does_not_see_its_contest_on_her_desk(ana, what):
    recorder, member, other = make_assessor(), make_assessor(), make_assessor()
    piece = give_evidence(ana, what, 2, by=recorder)
    panel = Panel.objects.create(
        person=ana, competency=what, asked_by=recorder, due_on=timezone.localdate(), evidence=piece, token="p"
    )
    PanelRating.objects.create(panel=panel, assessor=member)
    Contest.objects.create(evidence=piece, person=ana, reason="x", due_on=timezone.localdate(), token="c")
    assert assessors.makers_of(piece) == {recorder.pk, member.pk}
    assert [len(show(user).others) for user in (recorder, member, other)] == [0, 0, 1]
    assert [assessors.has_a_desk(user) for user in (ana, recorder)] == [False, True]


# --- Submitting --------------------------------------------------------------------------------------------------
def test_a_claim_goes_to_an_assessor_who_gets_a_mail(ana, what, mailoutbox):
    aina = make_assessor("Aina Assessor")
    claim = make_claim(ana, what)
    assert (claim.state, claim.assessor) == (ClaimState.SUBMITTED, aina)
    assert claim.due_on == assessors.answer_due_on(timezone.localdate())
    [mail] = mailoutbox
    assert mail.to == [aina.email]
    assert mail.subject == "Ana Costa asks you to recognise something in “Competency A”"
    assert f"http://testserver/assess/claims/{claim.pk}/" in mail.body
    assert not Evidence.objects.filter(person=ana).exists()  # it counts when it is accepted


def test_pressing_twice_is_one_claim(ana, what):
    make_assessor()
    asked = a_claim(what)
    assert submit_claim(person=ana, asked=asked, token="t") == submit_claim(person=ana, asked=asked, token="t")
    assert Claim.objects.get().documents.count() == 1
    assert submit_claim(person=make_person(), asked=asked, token="t") != Claim.objects.get(person=ana)


def test_the_same_thing_is_not_asked_for_twice_while_it_waits(ana, what, version):
    aina = make_assessor()
    first = submit_claim(person=ana, asked=a_claim(what), token="1")
    with pytest.raises(ClaimRefused, match="already") as caught:
        submit_claim(person=ana, asked=a_claim(what, title=" cissp "), token="2")
    assert caught.value.field == "title"
    for changes in ({"title": "CISM"}, {"competency": competency(version, "B")}):
        submit_claim(person=ana, asked=replace(a_claim(what), **changes), token=str(changes))
    decide_claim(claim=first, by=aina, accept=False, answer="No.")
    submit_claim(person=ana, asked=a_claim(what), token="3")


def test_without_anybody_to_decide_it_waits_and_is_handed_on_when_somebody_comes(ana, what, mailoutbox):
    claim = make_claim(ana, what)
    assert claim.assessor is None and not mailoutbox
    aina = make_assessor()
    assert hand_on() == 1
    claim.refresh_from_db()
    assert claim.assessor == aina
    assert [mail.to for mail in mailoutbox] == [[aina.email]]
    aina.is_active = False
    aina.save()
    berta = make_assessor()
    assert (hand_on(), hand_on()) == (1, 0)
    claim.refresh_from_db()
    assert claim.assessor == berta


TODAY = timezone.localdate


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rank": 9}, "rank"),
        ({"rank": 0}, "rank"),
        ({"title": "  "}, "title"),
        ({"issuer": ""}, "issuer"),
        ({"files": []}, "documents"),
        ({"issued_on": lambda: TODAY() + timedelta(days=1)}, "issued_on"),
        ({"issued_on": lambda: date(2019, 1, 1)}, "issued_on"),  # by the rule: older than 36 months
        ({"valid_until": lambda: TODAY()}, "valid_until"),
        ({"valid_until": lambda: TODAY() - timedelta(days=60)}, "valid_until"),
        ({"kind": "diagnostic"}, ""),
        ({"kind": ClaimKind.PRIOR_LEARNING, "statement": " "}, "statement"),
        ({"kind": ClaimKind.PRIOR_LEARNING, "statement": "I did it.", "files": []}, "documents"),
    ],
)
def test_what_could_never_be_accepted_is_refused_beside_its_field(ana, what, changes, field):
    values = {name: value() if callable(value) else value for name, value in changes.items()}
    with pytest.raises(ClaimRefused) as caught:
        submit_claim(person=ana, asked=a_claim(what, **values), token="t")
    assert caught.value.field == field
    assert str(caught.value).endswith(".")
    assert not Claim.objects.exists()


def test_nothing_is_asked_for_in_a_draft_or_a_withdrawn_competency(ana):
    draft = make_framework(codes="D", status=FrameworkStatus.DRAFT)
    with pytest.raises(ClaimRefused, match="not in use"):
        submit_claim(person=ana, asked=a_claim(competency(draft, "D")), token="t")
    old = make_framework(codes="W")
    type(old).objects.filter(pk=old.pk).update(status=FrameworkStatus.SUPERSEDED)
    old.refresh_from_db()
    with pytest.raises(ClaimRefused, match="not in use"):
        submit_claim(person=ana, asked=a_claim(competency(old, "W")), token="t")


def test_a_refused_document_leaves_no_claim(ana, what):
    with pytest.raises(DocumentRefused):
        submit_claim(person=ana, asked=a_claim(what, files=[pdf_file(), pdf_file("same.pdf")]), token="t")
    assert not Claim.objects.exists()


# --- How much is kept undecided ---------------------------------------------------------------------------------
def undecided(person: Any) -> int:
    return documents.undecided_documents(person, at=timezone.now()).count()


def test_more_documents_than_are_kept_undecided_are_refused_and_nothing_is_written(ana, what, settings):
    settings.UNDECIDED_DOCUMENTS_MAX = 2
    make_assessor()
    first, _second = make_claim(ana, what), make_claim(ana, what)
    files_before = sorted(documents.private().listdir(documents.FOLDER)[0])
    with pytest.raises(DocumentRefused, match="At most 2 documents of yours"):
        make_claim(ana, what)
    assert (Claim.objects.count(), EvidenceDocument.objects.count()) == (2, 2)
    assert sorted(documents.private().listdir(documents.FOLDER)[0]) == files_before
    make_claim(make_person(), what)  # each has room of her own
    decide_claim(claim=first, by=make_assessor(), accept=False, answer="No.")
    assert undecided(ana) == 1
    make_claim(ana, what)


def test_their_size_is_bounded_too(ana, what, settings):
    settings.UNDECIDED_DOCUMENTS_MAX_MB = 1
    make_claim(ana, what)
    EvidenceDocument.objects.update(size=documents.MEGABYTE)
    with pytest.raises(DocumentRefused, match="1 MB together"):
        make_claim(ana, what)


def test_taking_back_makes_no_room_at_once(ana, what, settings):
    settings.UNDECIDED_DOCUMENTS_MAX = 1
    take_back_claim(claim=make_claim(ana, what), by=ana)
    with pytest.raises(DocumentRefused, match="what you took back counts for 30 days"):
        make_claim(ana, what)
    EvidenceDocument.objects.update(uploaded_at=timezone.now() - documents.TAKEN_BACK_COUNTS_FOR)
    make_claim(ana, what)


def test_documents_of_contests_count_with_those_of_claims(ana, what, settings):
    settings.UNDECIDED_DOCUMENTS_MAX = 1
    make_claim(ana, what)
    piece = give_evidence(ana, what, 2)
    with pytest.raises(DocumentRefused, match="At most 1"):
        open_contest(person=ana, evidence=piece, reason="Too low.", token="t", files=[pdf_file(mark="c")])
    assert not Contest.objects.exists()
    open_contest(person=ana, evidence=piece, reason="Too low.", token="t")  # words alone need no room


# --- Deciding ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ClaimKind.values)
def test_what_is_accepted_becomes_evidence_of_its_kind_and_attains_the_level(ana, what, kind, mailoutbox):
    aina = make_assessor("Aina Assessor")
    until = timezone.localdate() + timedelta(days=400)
    claim = make_claim(ana, what, 3, ClaimKind(kind), valid_until=until, title="CISSP\r\nBcc: x", issuer="ISC2")
    claim = decide_claim(claim=claim, by=aina, accept=True, rank=3)
    piece = claim.evidence
    assert (piece.kind, piece.rank, piece.assessed, piece.recorded_by) == (kind, 3, True, aina)
    assert (piece.occurred_on, piece.valid_until) == (claim.issued_on, until)
    assert str(piece.source) == "CISSP Bcc: x · ISC2"
    assert standing_of(ana).line(what.pk).is_met
    assert (claim.state, claim.decided_by) == (ClaimState.ACCEPTED, aina)
    mail = mailoutbox[-1]
    assert (mail.to, mail.subject) == ([ana.email], "Accepted: “CISSP Bcc: x”")
    assert "for “Competency A”: level 3 (label 3)." in mail.body
    assert f"/learn/claims/{claim.pk}/" in mail.body


@pytest.mark.parametrize("title", ['{"en": 5}', '{"en": "x"}', "[1]", "null", '"'])
def test_a_title_is_words_whatever_it_looks_like(client, ana, what, title):
    claim = make_claim(ana, what, kind=ClaimKind.PRIOR_LEARNING, title=title, issuer="")
    decide_claim(claim=claim, by=make_assessor(), accept=True, rank=3)
    for language in ("en", "es", "fr"):
        with translation.override(language):
            assert str(Evidence.objects.get().source) == title
    client.force_login(ana)
    assert escape(title) in client.get("/learn/evidence/").content.decode()


def test_not_accepting_needs_an_answer_which_the_person_gets(ana, what, mailoutbox):
    aina = make_assessor()
    claim = make_claim(ana, what)
    for answer in ("", "  "):
        with pytest.raises(ClaimRefused) as caught:
            decide_claim(claim=claim, by=aina, accept=False, answer=answer)
        assert caught.value.field == "answer"
    claim = decide_claim(claim=claim, by=aina, accept=False, answer="The name & date <cannot> be read.")
    assert claim.state == ClaimState.REFUSED
    assert not Evidence.objects.filter(person=ana).exists()
    assert "The name & date <cannot> be read." in mailoutbox[-1].body


def test_less_than_asked_for_needs_a_word_and_off_the_scale_is_refused(ana, what):
    aina = make_assessor()
    claim = make_claim(ana, what, 3)
    for rank, field in ((2, "answer"), (0, "rank"), (None, "rank"), (9, "rank")):
        with pytest.raises(ClaimRefused) as caught:
            decide_claim(claim=claim, by=aina, accept=True, rank=rank)
        assert caught.value.field == field
    claim.refresh_from_db()
    assert (claim.state, claim.evidence) == (ClaimState.SUBMITTED, None)
    assert decide_claim(claim=claim, by=aina, accept=True, rank=2, answer="Two years are level 2.").evidence.rank == 2


def test_nobody_decides_on_her_own_claim_nor_without_the_right(ana, what):
    aina, claim = make_assessor(), make_claim(ana, what)
    hers = make_claim(aina, what)
    for user, item in ((aina, hers), (ana, claim), (make_person(), claim)):
        with pytest.raises(ClaimRefused, match="cannot decide"):
            decide_claim(claim=item, by=user, accept=True, rank=3)
        with pytest.raises(ClaimRefused, match="cannot decide"):
            take_over_claim(claim=item, by=user)
    assert not Evidence.objects.exists()


def test_a_second_decision_says_that_it_is_decided(ana, what, mailoutbox):
    aina, berta = make_assessor("Aina"), make_assessor("Berta")
    claim = make_claim(ana, what)
    decide_claim(claim=claim, by=aina, accept=True, rank=3)
    sent = len(mailoutbox)
    for by in (aina, berta):
        with pytest.raises(ClaimDecided, match="decided already, by Aina"):
            decide_claim(claim=claim, by=by, accept=False, answer="No.")
    assert Evidence.objects.get().rank == 3
    assert len(mailoutbox) == sent


def test_what_lapsed_while_it_waited_is_not_accepted(ana, what):
    aina = make_assessor()
    long_ago = timezone.now() - timedelta(days=90)
    claim = make_claim(ana, what, at=long_ago, valid_until=timezone.localdate() - timedelta(days=1))
    with pytest.raises(ClaimRefused, match="lapsed meanwhile"):
        decide_claim(claim=claim, by=aina, accept=True, rank=3)
    assert decide_claim(claim=claim, by=aina, accept=False, answer="It has lapsed.").state == ClaimState.REFUSED


@pytest.mark.django_db(transaction=True)
def test_two_assessors_at_once_make_one_decision():
    what = competency(make_framework(codes="A"), "A")
    people = [make_assessor(), make_assessor()]
    claim = make_claim(make_person(), what)
    start, outcomes = Barrier(2), []

    def decide(by: Any, accept: bool) -> None:
        start.wait()
        try:
            decide_claim(claim=claim, by=by, accept=accept, rank=3, answer="Because.")
            outcomes.append("decided")
        except ClaimDecided:
            outcomes.append("too late")
        finally:
            connection.close()

    threads = [Thread(target=decide, args=(person, n == 0)) for n, person in enumerate(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["decided", "too late"]
    claim.refresh_from_db()
    assert Evidence.objects.count() == (claim.state == ClaimState.ACCEPTED)
    assert Job.objects.filter(kind=CLAIM_MAIL, payload__what="answered").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="writers queue on SQLite; the race is run on PostgreSQL")
def test_two_windows_at_once_make_one_claim_of_the_same_thing():
    what = competency(make_framework(codes="A"), "A")
    ana = make_person()
    make_assessor()
    start, outcomes = Barrier(2), []

    def submit(token: str) -> None:
        asked = a_claim(what, files=[pdf_file(mark=token)])
        start.wait()
        try:
            submit_claim(person=ana, asked=asked, token=token)
            outcomes.append("submitted")
        except ClaimRefused as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    threads = [Thread(target=submit, args=(token,)) for token in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["You have submitted this already; it waits for its answer.", "submitted"]
    assert Claim.objects.count() == 1
    assert EvidenceDocument.objects.count() == 1


# --- Taking back, over and up again ------------------------------------------------------------------------------
def test_a_claim_is_taken_back_by_its_person_until_it_is_answered(ana, what):
    aina, claim = make_assessor(), make_claim(ana, what)
    with pytest.raises(ClaimRefused, match="Only who submitted"):
        take_back_claim(claim=claim, by=aina)
    for _press in range(2):
        assert take_back_claim(claim=claim, by=ana).state == ClaimState.TAKEN_BACK
    with pytest.raises(ClaimDecided, match="taken this back"):
        decide_claim(claim=claim, by=aina, accept=True, rank=3)
    answered = decide_claim(claim=make_claim(ana, what), by=aina, accept=False, answer="No.")
    with pytest.raises(ClaimDecided, match="decided already"):
        take_back_claim(claim=answered, by=ana)


def test_another_assessor_takes_it_over(ana, what):
    aina, berta, claim = make_assessor(), make_assessor(), make_claim(ana, what)
    assert claim.assessor == aina
    for _press in range(2):
        assert take_over_claim(claim=claim, by=berta).assessor == berta
    assert decide_claim(claim=claim, by=berta, accept=True, rank=3).decided_by == berta
    with pytest.raises(ClaimDecided):
        take_over_claim(claim=claim, by=aina)


def test_a_refused_claim_is_submitted_again_with_its_documents(ana, what, version):
    aina, other = make_assessor(), make_person()
    first = make_claim(ana, what)
    with pytest.raises(ClaimRefused, match="need not"):
        make_claim(ana, what, previous=first)
    decide_claim(claim=first, by=aina, accept=False, answer="Who issued it?")
    again = make_claim(ana, what, previous=first, files=[])
    assert (again.previous, again.state) == (first, ClaimState.SUBMITTED)
    assert list(again.documents.all()) == list(first.documents.all())
    with pytest.raises(ClaimRefused, match="again already"):
        make_claim(ana, what, previous=first)
    refused = decide_claim(claim=make_claim(other, what), by=aina, accept=False, answer="No.")
    for person, competency_of in ((ana, what), (other, competency(version, "B"))):
        with pytest.raises(ClaimRefused, match="another claim"):
            make_claim(person, competency_of, previous=refused)
    take_back_claim(claim=again, by=ana)
    assert make_claim(ana, what, previous=again).previous == again


# --- Documents ---------------------------------------------------------------------------------------------------
def test_the_documents_of_a_claim_are_for_its_person_and_who_may_decide(ana, what):
    unit = ana.appointments.get().post.unit
    boss, officer, other_officer = make_person(), make_person(), make_person()
    post = ana.appointments.get().post
    post.reports_to = make_post(unit, holder=boss)
    post.save()
    make_hr(officer, unit)
    make_hr(other_officer, make_unit())
    aina = make_assessor()
    [document] = make_claim(ana, what).documents.all()
    allowed = [ana, aina, officer, make_person(is_superuser=True)]
    assert all(may_fetch(user, document) for user in allowed)
    assert not any(may_fetch(user, document) for user in (boss, other_officer, make_person()))


def test_a_document_given_to_a_contest_is_not_for_who_recorded_the_piece(ana, what):
    recorder, second = make_assessor(), make_assessor()
    piece = give_evidence(ana, what, 2, by=recorder)
    contest = Contest.objects.create(evidence=piece, person=ana, reason="x", due_on=timezone.localdate(), token="c")
    claim = make_claim(ana, what)
    document = claim.documents.get()
    contest.documents.add(document)
    claim.documents.clear()
    assert not may_fetch(recorder, document)
    assert may_fetch(second, document)
    Contest.objects.update(state=ContestState.TAKEN_BACK)
    assert not may_fetch(second, document)
    assert may_fetch(ana, document) and may_fetch(make_person(is_superuser=True), document)


# --- Every night -------------------------------------------------------------------------------------------------
def test_a_late_assessor_is_reminded_once_a_week_and_nobody_else(ana, what, mailoutbox):
    aina, berta = make_assessor(), make_assessor()
    for days in (60, 50, 1):
        claim = make_claim(ana, what, at=timezone.now() - timedelta(days=days))
        Claim.objects.filter(pk=claim.pk).update(assessor=aina)
    mailoutbox.clear()
    monday = timezone.localdate() - timedelta(days=timezone.localdate().weekday())
    for offset in range(7):
        claims.remind_assessors(day=monday + timedelta(days=offset))
    [mail] = mailoutbox
    assert mail.to == [aina.email] != [berta.email]
    assert mail.body.count("Ana Costa") == 2  # the one submitted yesterday is not late
    assert "http://testserver/assess/" in mail.body
    claims.remind_assessors(day=monday + timedelta(days=7))
    assert len(mailoutbox) == 2


def test_the_nightly_job_runs_once_a_day(ana, what):
    make_claim(ana, what)
    make_assessor()
    look_after_claims()
    look_after_claims()
    job = Job.objects.get(kind="competencies.look_after_claims")
    assert job.state == "done"
    assert (job.report["handed_on"], job.report["reminded"]) == (1, 0)


def test_what_was_answered_before_the_mail_went_out_is_not_reminded_of(ana, what, mailoutbox):
    aina = make_assessor()
    claim = make_claim(ana, what, at=timezone.now() - timedelta(days=60))
    decide_claim(claim=claim, by=aina, accept=True, rank=3)
    mailoutbox.clear()
    enqueue(kind=REMINDER_MAIL, key="x", payload={"to": aina.pk, "day": timezone.localdate().isoformat()})
    assert mailoutbox == []


def test_a_mail_that_may_have_gone_out_is_not_sent_again(ana, what, mailoutbox):
    make_assessor()
    make_claim(ana, what)
    [job] = Job.objects.filter(kind=CLAIM_MAIL)
    assert len(mailoutbox) == 1 and job.done == 1
    assert send_once(Run(job, job.lease, timezone.now()), "competencies/mails/claim_asked", {}) == {"sent": None}
    assert len(mailoutbox) == 1


def test_an_appointment_that_ends_ends_the_officers_say(ana, what):
    officer = make_person()
    unit = ana.appointments.get().post.unit
    make_hr(officer, unit)
    claim = make_claim(ana, what)
    ended = ana.appointments.get()
    type(ended).objects.filter(pk=ended.pk).update(ends_on=timezone.localdate())
    appoint(ana, make_post(make_unit()))
    with pytest.raises(ClaimRefused, match="cannot decide"):
        decide_claim(claim=claim, by=officer, accept=True, rank=3)
    aina = make_assessor()
    assert (hand_on(), hand_on()) == (1, 0)
    claim.refresh_from_db()
    assert claim.assessor == aina


def test_a_framework_without_levels_knows_only_held(ana):
    plain = competency(make_framework(codes="P", ranks=0), "P")
    aina = make_assessor()
    claim = decide_claim(claim=make_claim(ana, plain, 1), by=aina, accept=True, rank=1)
    assert (claim.evidence.kind, claim.evidence.rank) == (EvidenceKind.CERTIFICATE, 1)


def test_the_moment_of_a_decision_is_kept(ana, what):
    aina = make_assessor()
    moment = timezone.make_aware(datetime.combine(timezone.localdate(), datetime.min.time()))
    claim = make_claim(ana, what, at=moment - timedelta(days=3))
    assert decide_claim(claim=claim, by=aina, accept=False, answer="No.", at=moment).decided_at == moment
