"""An assessor withdraws what says too much: who may, what it does, that the person learns why and can contest it."""

import pytest
from django.core import mail
from wagtail.models import ModelLogEntry

from competencies.assessors import waiting_for
from competencies.contests import ContestRefused, decide_contest, hand_on, may_decide_contest, open_contest
from competencies.enums import ContestState, EvidenceKind
from competencies.models import Contest, Evidence, EvidenceWithdrawal, Panel, PanelRating
from competencies.selectors import explained_level
from competencies.services import withdraw_evidence
from competencies.withdrawing import WithdrawalRefused, may_withdraw, may_withdraw_among, withdraw_as_assessor
from learning.selectors import path_of
from tests.builders import (
    competency,
    give_evidence,
    make_assessor,
    make_claim,
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
def version():
    return make_framework(codes="AB")


@pytest.fixture
def a(version):
    return competency(version, "A")


@pytest.fixture
def unit():
    return make_unit()


@pytest.fixture
def boss():
    return make_person("Berta Boss")


@pytest.fixture
def ana(version, unit, boss):
    person = make_person("Ana Pérez")
    post = make_post(unit, holder=boss)
    make_post(unit, holder=person, reports_to=post, roles=[make_profile(version, {"A": 4})])
    return person


@pytest.fixture
def asa():
    return make_assessor("Asa Assessor")


@pytest.fixture
def piece(ana, a, asa):
    """Somebody else recorded it, long enough ago to be the past."""
    return give_evidence(ana, a, 4, EvidenceKind.CERTIFICATE, by=make_assessor("Olga Other"), days_ago=5)


def level(person, what) -> int:
    return explained_level(person, what).level.rank


def withdrawn(piece, by):
    withdraw_as_assessor(evidence=piece, by=by, reason="The certificate was another person’s.")
    return Evidence.objects.get(pk=piece.pk)


def contested(ana, piece, press="t"):
    return open_contest(person=ana, evidence=piece, reason="It is mine.", token=press)


def steps(person) -> set[str]:
    return {step.course.key for step in path_of(person).steps}


# --- Withdrawing -------------------------------------------------------------------------------------------------
def test_it_counts_no_more_is_logged_and_the_person_reads_why(ana, a, asa, piece):
    assert level(ana, a) == 4
    withdrawn(piece, asa)
    assert level(ana, a) == 0
    row = EvidenceWithdrawal.objects.get()
    assert (row.withdrawn_by, row.reason) == (asa, "The certificate was another person’s.")
    entry = ModelLogEntry.objects.get(action="competencies.withdraw_evidence")
    assert (entry.user, entry.object_id) == (asa, str(piece.pk))
    [message] = mail.outbox
    assert message.to == [ana.email]
    for words in ("Asa Assessor", "level 4", "The certificate was another person’s.", f"/evidence/{piece.pk}/contest/"):
        assert words in message.body


def test_the_path_is_planned_anew(version, ana, a, asa, piece):
    make_course(version, {"A": 4}, key="to-four")
    assert steps(ana) == set()
    withdrawn(piece, asa)
    assert steps(ana) == {"to-four"}


def test_two_presses_withdraw_once_and_tell_once(asa, piece):
    withdrawn(piece, asa)
    again = withdraw_as_assessor(evidence=piece, by=make_assessor(), reason="Another reason.")
    assert again == EvidenceWithdrawal.objects.get()
    assert again.withdrawn_by == asa
    assert len(mail.outbox) == 1


def test_who_decides_on_contests_withdraws_but_nobody_what_she_made_about_herself_or_about_people_she_leads(
    ana, a, boss, asa, unit, piece
):
    officer, admin = make_person("Hanna HR"), make_person(is_superuser=True)
    make_hr(officer, unit)
    boss.groups.set(asa.groups.all())
    assert all(may_withdraw(person, piece) for person in (asa, officer, admin))
    for person, sentence in (
        (ana, "Contest it"),
        (piece.recorded_by, "had a part in this piece"),
        (boss, "people she leads"),
        (make_person(), "Only assessors and HR officers"),
    ):
        assert not may_withdraw(person, piece)
        with pytest.raises(WithdrawalRefused, match=sentence):
            withdraw_as_assessor(evidence=piece, by=person, reason="Too high.")
    assert not EvidenceWithdrawal.objects.exists()


def test_what_a_person_says_of_herself_is_hers(ana, a, asa):
    declared = give_evidence(ana, a, 4, EvidenceKind.SELF, by=ana)
    assert not may_withdraw(asa, declared)
    with pytest.raises(WithdrawalRefused, match="is hers"):
        withdraw_as_assessor(evidence=declared, by=asa, reason="Too high.")


def test_members_of_its_panel_had_a_part_in_it(ana, a, asa, boss, django_assert_max_num_queries):
    rated = give_evidence(ana, a, 4, EvidenceKind.PANEL)
    other = give_evidence(ana, a, 3, EvidenceKind.COURSE)
    panel = Panel.objects.create(
        person=ana, competency=a, asked_by=boss, evidence=rated, due_on=rated.occurred_on, token="p",
        asked_at=rated.recorded_at, closed_at=rated.recorded_at,
    )  # fmt: skip
    PanelRating.objects.create(panel=panel, assessor=asa, rank=4, rated_at=rated.recorded_at)
    assert not may_withdraw(asa, rated)
    with django_assert_max_num_queries(8):
        assert may_withdraw_among(asa, ana, Evidence.objects.select_related("stands_for")) == {other.pk}


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_without_a_reason_nothing_is_withdrawn(asa, piece, reason):
    with pytest.raises(WithdrawalRefused, match="Say why"):
        withdraw_as_assessor(evidence=piece, by=asa, reason=reason)
    assert Evidence.objects.standing().count() == 1


def test_what_is_being_contested_is_left_to_who_decides_on_that(ana, asa, piece):
    contested(ana, piece)
    with pytest.raises(WithdrawalRefused, match="contests this piece"):
        withdraw_as_assessor(evidence=piece, by=asa, reason="Too high.")
    assert Contest.objects.get().state == ContestState.OPEN


# --- Contesting that ---------------------------------------------------------------------------------------------
def test_who_withdrew_it_does_not_decide_whether_that_was_right(ana, asa, piece):
    gone = withdrawn(piece, asa)
    contest = contested(ana, gone)
    assert contest.assessor is None
    assert not may_decide_contest(asa, contest)
    assert not may_decide_contest(piece.recorded_by, contest)
    assert waiting_for(asa).others == []
    third = make_assessor()
    assert hand_on() == 1
    assert [waiting.item for waiting in waiting_for(third).mine] == [contest]


@pytest.mark.parametrize("rank", [4, 2])
def test_it_counts_again_at_the_level_that_is_right(ana, a, asa, piece, rank):
    third = make_assessor()
    contest = contested(ana, withdrawn(piece, asa))
    decided = decide_contest(
        contest=contest, by=third, decision=ContestState.CORRECTED, rank=rank, answer="It is hers."
    )
    assert decided.state == ContestState.CORRECTED
    assert level(ana, a) == rank
    assert Evidence.objects.standing().get().stands_for == piece


def test_or_it_stays_withdrawn_and_that_is_the_last_word(ana, a, asa, piece):
    third = make_assessor()
    gone = withdrawn(piece, asa)
    contest = contested(ana, gone)
    with pytest.raises(ContestRefused, match="counts again or stays withdrawn"):
        decide_contest(contest=contest, by=third, decision=ContestState.KEPT, answer="Fits.")
    decide_contest(contest=contest, by=third, decision=ContestState.REMOVED, answer="The name differs.")
    assert level(ana, a) == 0
    assert EvidenceWithdrawal.objects.get().withdrawn_by == asa
    with pytest.raises(ContestRefused, match="nothing to contest"):
        contested(ana, gone, "again")


def test_a_withdrawal_is_contested_once_at_a_time(ana, asa, piece):
    gone = withdrawn(piece, asa)
    first = contested(ana, gone)
    assert contested(ana, gone) == first
    with pytest.raises(ContestRefused, match="looked at already"):
        contested(ana, gone, "other window")


def test_what_its_maker_or_a_contest_took_back_is_not_contested(ana, a, asa, piece):
    withdraw_evidence(evidence=piece, by=piece.recorded_by, reason="A mistake.")
    with pytest.raises(ContestRefused, match="nothing to contest"):
        contested(ana, piece)
    other = give_evidence(ana, a, 3, EvidenceKind.COURSE)
    decide_contest(contest=contested(ana, other, "c"), by=asa, decision=ContestState.REMOVED, answer="Yes.")
    with pytest.raises(ContestRefused, match="nothing to contest"):
        contested(ana, other, "d")


def test_a_piece_that_stood_a_contest_and_is_withdrawn_later_can_be_contested_again(ana, asa, piece):
    third = make_assessor()
    decide_contest(contest=contested(ana, piece), by=asa, decision=ContestState.KEPT, answer="Fits.")
    gone = withdrawn(piece, third)
    contest = contested(ana, gone, "again")
    assert contest.is_of_withdrawal
    assert not may_decide_contest(third, contest)


# --- Doors -------------------------------------------------------------------------------------------------------
def text(response, status=200) -> str:
    assert response.status_code == status
    return response.content.decode()


def test_the_way_through_the_pages(client, ana, a, unit, piece):
    officer, third = make_person("Hanna HR"), make_assessor("Tara Third")
    make_hr(officer, unit)
    client.force_login(officer)
    her_page = f"/people/{ana.pk}/competencies/{a.pk}/"
    door = f"/evidence/{piece.pk}/withdraw/"
    assert door in text(client.get(her_page))
    assert "counts for nothing from now on" in text(client.get(door))
    assert "Say why: the person reads it." in text(client.post(door, {"reason": " "}), 422)
    answer = client.post(door, {"reason": "Of another person."})
    assert answer.url == her_page
    page = text(client.get(her_page))
    assert "Withdrawn: Ana Pérez gets a mail with your reason." in page
    assert door not in page
    assert "withdrawn already" in text(client.post(door, {"reason": "Twice."}, follow=True))

    client.force_login(ana)
    contest_door = f"/learn/evidence/{piece.pk}/contest/"
    for mine in ("/learn/evidence/", f"/learn/competencies/{a.pk}/"):
        assert contest_door in text(client.get(mine))
    withdrawn = text(client.get(f"/learn/competencies/{a.pk}/")).split("<h3>Withdrawn</h3>")[1].split("</ul>")[0]
    assert f"level {piece.rank} (" in withdrawn and "Hanna HR: <q>Of another person.</q>" in withdrawn
    page = text(client.get(contest_door))
    assert "Of another person." in page
    assert "until then it stays withdrawn" in page
    assert "Say why it should count" in text(client.post(contest_door, {"token": "t"}), 422)
    contest_page = client.post(contest_door, {"reason": "It is mine.", "token": "t"}).url
    page = text(client.get(contest_page))
    assert "the piece stays withdrawn" in page
    contest = Contest.objects.get()

    desk = f"/assess/contests/{contest.pk}/"
    client.force_login(officer)
    assert client.get(desk).status_code == 404
    client.force_login(third)
    page = text(client.get(desk))
    assert "It counts again, at the level below" in page
    assert "It stands as it was" not in page
    assert f"/people/{ana.pk}/competencies/{a.pk}/quiz/" in page
    assert client.post(desk, {"decision": "corrected", "rank": "4", "answer": "The name is hers."}).url == "/assess/"
    client.force_login(ana)
    page = text(client.get(contest_page))
    assert "It counts again: level 4" in page
    assert contest_door not in text(client.get("/learn/evidence/"))
    assert "It counts again: level 4" in mail.outbox[-1].body


def test_an_assessor_who_does_not_see_the_person_finds_the_door_at_a_claim_and_returns_to_her_desk(
    client, ana, a, asa, piece
):
    client.force_login(asa)
    claim = make_claim(ana, a)
    door = f"/evidence/{piece.pk}/withdraw/"
    page = text(client.get(f"/assess/claims/{claim.pk}/"))
    assert door in page
    assert f"/people/{ana.pk}/competencies/{a.pk}/quiz/" in page
    assert client.post(door, {"reason": "Of another person."}).url == "/assess/"


def test_who_had_a_part_in_it_reads_why_she_cannot(client, piece):
    client.force_login(piece.recorded_by)
    door = f"/evidence/{piece.pk}/withdraw/"
    assert "somebody else withdraws it" in text(client.get(door))
    assert "somebody else withdraws it" in text(client.post(door, {"reason": "Mine."}), 422)
    assert Evidence.objects.standing().count() == 1
