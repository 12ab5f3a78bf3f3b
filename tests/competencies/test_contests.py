"""Contests of evidence: who may, who decides, what a decision does, and that nothing is written by halves."""

from datetime import timedelta
from io import BytesIO
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from wagtail.models import ModelLogEntry

from competencies.assessors import ASSESSORS, answer_due_on, waiting_for
from competencies.contests import (
    ContestRefused,
    contests_by_evidence,
    decide_contest,
    hand_on,
    level_change,
    may_decide_contest,
    open_contest,
    take_back_contest,
)
from competencies.documents import DocumentRefused
from competencies.enums import ContestState, EvidenceKind
from competencies.levels import EvidenceItem, attained_level
from competencies.likely import estimate, observations_of
from competencies.models import Contest, Evidence, EvidenceDocument
from competencies.panel_rating import ask_panel, rate_on_panel
from competencies.selectors import evidence_items, explained_level
from competencies.services import Finding, record_evidence, withdraw_evidence
from organisations.jobs import run_job
from organisations.models import Appointment, Job
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
TODAY = timezone.localdate


@pytest.fixture
def version():
    return make_framework(codes="AB")


@pytest.fixture
def a(version):
    return competency(version, "A")


def make_assessor(name: str = ""):
    person = make_person(name)
    person.groups.add(Group.objects.get(name=ASSESSORS))
    return person


@pytest.fixture
def assessor():
    return make_assessor("Asa Assessor")


@pytest.fixture
def boss():
    return make_person("Berta Boss")


@pytest.fixture
def ana(version, boss):
    person = make_person("Ana Pérez")
    unit = make_unit()
    make_post(
        unit, holder=person, reports_to=make_post(unit, holder=boss), roles=[make_profile(version, {"A": 4, "B": 2})]
    )
    return person


@pytest.fixture
def piece(ana, a, boss):
    """Her manager says 2."""
    return give_evidence(ana, a, 2, EvidenceKind.MANAGER, by=boss, days_ago=10)


def contested(person, piece, **values):
    return open_contest(person=person, evidence=piece, token=uuid4().hex, **{"reason": "I led it.", **values})


def run_mails():
    for job in Job.objects.filter(kind__endswith="_mail").order_by("pk"):
        run_job(job.pk)


def mails_to(person):
    run_mails()
    return [m for m in mail.outbox if m.to == [person.email]]


# --- Opening -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", list(EvidenceKind))
def test_whatever_is_on_record_about_her_can_be_contested_and_goes_to_somebody_who_did_not_record_it(
    ana, a, assessor, kind
):
    recorder = make_assessor()
    piece = give_evidence(ana, a, 2, kind, by=ana if kind == EvidenceKind.SELF else recorder)
    contest = contested(ana, piece, wanted_rank=3)
    assert contest.state == ContestState.OPEN
    assert contest.assessor is not None
    assert contest.assessor_id not in {ana.pk, piece.recorded_by_id}
    assert contest.due_on == answer_due_on(TODAY())
    assert explained_level(ana, a).rows.keys() == {piece.pk}  # it still counts


def test_a_doubled_press_opens_one_contest(ana, piece, assessor):
    first = open_contest(person=ana, evidence=piece, reason="Wrong.", token="t")
    assert open_contest(person=ana, evidence=piece, reason="Wrong.", token="t") == first
    with pytest.raises(ContestRefused, match="being looked at already"):
        open_contest(person=ana, evidence=piece, reason="Wrong.", token="another")
    assert Contest.objects.count() == 1
    assert len(mails_to(assessor)) == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [({"reason": "  "}, "Say what is wrong"), ({"wanted_rank": 9}, "not on the scale")],
)
def test_what_cannot_be_contested_like_this_gets_a_sentence_and_writes_nothing(ana, piece, values, words):
    with pytest.raises(ContestRefused, match=words):
        contested(ana, piece, **values)
    assert not Contest.objects.exists()


def test_nobody_contests_what_is_about_somebody_else_or_was_withdrawn(ana, piece, boss):
    with pytest.raises(ContestRefused, match="about you"):
        contested(boss, piece)
    withdraw_evidence(evidence=piece, by=boss, reason="A mistake.")
    with pytest.raises(ContestRefused, match="no longer counts"):
        contested(ana, piece)
    assert not Contest.objects.exists()


def test_a_document_that_is_not_taken_leaves_no_contest(ana, piece):
    program = SimpleUploadedFile("proof.pdf", b"MZ not a document")
    with pytest.raises(DocumentRefused), transaction.atomic():
        contested(ana, piece, files=[program])
    assert not Contest.objects.exists()
    assert not EvidenceDocument.objects.exists()


def test_without_anybody_to_decide_it_stays_open_for_whoever_comes(ana, piece):
    contest = contested(ana, piece)
    assert contest.assessor is None
    late = make_assessor()
    assert may_decide_contest(late, contest)
    admin = make_person(is_superuser=True)
    assert may_decide_contest(admin, contest)


def test_what_nobody_has_is_handed_on_once_there_is_somebody(ana, piece, assessor):
    assessor.is_active = False
    assessor.save()
    contest = contested(ana, piece)
    Contest.objects.filter(pk=contest.pk).update(assessor=assessor)
    assert hand_on() == 0
    late = make_assessor()
    assert hand_on() == 1
    assert hand_on() == 0
    contest.refresh_from_db()
    assert contest.assessor == late
    assert len(mails_to(late)) == 1


def test_the_members_of_a_panel_do_not_judge_their_own_word(ana, a, boss):
    first, second, third = make_assessor("One"), make_assessor("Two"), make_assessor("Three")
    panel = ask_panel(person=ana, competency=a, members=[first, second], due_on=TODAY(), subject="", token="p", by=boss)
    rate_on_panel(panel=panel, by=first, rank=2)
    rate_on_panel(panel=panel, by=second, rank=2)
    panel.refresh_from_db()
    contest = contested(ana, panel.evidence)
    assert contest.assessor == third
    assert not may_decide_contest(first, contest)
    assert not may_decide_contest(boss, contest)
    decided = decide_contest(contest=contest, by=third, decision=ContestState.CORRECTED, rank=3, answer="Three.")
    again = contested(ana, decided.correction)
    assert not any(may_decide_contest(person, again) for person in (first, second, boss))


def test_her_manager_neither_gets_nor_reads_nor_decides_it_whatever_else_she_may(client, ana, a, boss):
    make_hr(boss, ana_unit(ana))
    boss.groups.add(Group.objects.get(name=ASSESSORS))
    for rights in ({}, {"is_superuser": True}):
        type(boss).objects.filter(pk=boss.pk).update(**rights)
        boss = type(boss).objects.get(pk=boss.pk)
        contest = contested(ana, give_evidence(ana, a, 2, EvidenceKind.COURSE))
        assert contest.assessor is None
        assert not may_decide_contest(boss, contest)
        assert waiting_for(boss).others == []
        client.force_login(boss)
        assert client.get(f"/assess/contests/{contest.pk}/").status_code == 404
        with pytest.raises(ContestRefused, match="Somebody else decides"):
            decide_contest(contest=contest, by=boss, decision=ContestState.KEPT, answer="Fits.")
    assert hand_on() == 0
    stranger = make_assessor()
    assert [w.item.evidence.kind for w in waiting_for(stranger).others] == ["course", "course"]
    assert hand_on() == 2


def ana_unit(person):
    return Appointment.objects.get(person=person).post.unit


def test_what_its_assessor_may_no_longer_decide_is_handed_on_once(ana, piece, assessor):
    contest = contested(ana, piece)
    assert contest.assessor == assessor
    make_post(ana_unit(ana), holder=assessor)
    assert hand_on() == 0  # she still may
    assessor.groups.clear()
    assert hand_on() == 0  # there is nobody else
    late = make_assessor()
    assert (hand_on(), hand_on()) == (1, 0)
    contest.refresh_from_db()
    assert contest.assessor == late
    post = Appointment.objects.get(person=ana).post
    post.reports_to = make_post(post.unit, holder=late)
    post.save()
    later = make_assessor()
    assert (hand_on(), hand_on()) == (1, 0)
    contest.refresh_from_db()
    assert contest.assessor == later


def test_what_waits_is_found_in_as_many_queries_for_many_contests_as_for_few(ana, a, assessor, boss, count_queries):
    contested(ana, give_evidence(ana, a, 2, EvidenceKind.COURSE))
    few = count_queries(lambda: waiting_for(assessor))
    for _n in range(6):
        contested(ana, give_evidence(ana, a, 2, EvidenceKind.COURSE))
    assert len(waiting_for(assessor).mine) == 7
    assert count_queries(lambda: waiting_for(assessor)) == few


def test_the_log_names_a_contest_by_its_number_and_repeats_nothing_that_was_written(ana, piece, assessor):
    contest = contested(ana, piece, reason="A grudge.")
    decide_contest(contest=contest, by=assessor, decision=ContestState.REMOVED, answer="She was on sick leave.")
    entries = ModelLogEntry.objects.filter(action__in=["competencies.open_contest", "competencies.decide_contest"])
    assert {entry.label for entry in entries} == {f"Contest {contest.pk}"}
    said = " ".join(f"{entry.label} {entry.data}" for entry in ModelLogEntry.objects.all())
    assert ModelLogEntry.objects.filter(action="competencies.withdraw_evidence").exists()
    assert "sick leave" not in said and "grudge" not in said


# --- Deciding ----------------------------------------------------------------------------------------------------
def test_kept_leaves_everything_as_it_was(ana, a, piece, assessor, boss):
    before = explained_level(ana, a)
    contest = decide_contest(
        contest=contested(ana, piece), by=assessor, decision=ContestState.KEPT, answer="It fits what I have seen."
    )
    assert (contest.state, contest.decided_by, contest.answer) == ("kept", assessor, "It fits what I have seen.")
    assert explained_level(ana, a).level == before.level
    assert level_change(contest).before == level_change(contest).after
    assert "stands as it was" in mails_to(ana)[0].body
    assert "stands as you recorded it" in mails_to(boss)[0].body


def test_a_correction_is_a_new_piece_of_the_same_kind_in_its_place(ana, a, piece, assessor, boss):
    give_evidence(ana, a, 3, EvidenceKind.COURSE, days_ago=50)
    contest = decide_contest(
        contest=contested(ana, piece), by=assessor, decision=ContestState.CORRECTED, answer="She led it.", rank=4
    )
    new = contest.correction
    assert (new.kind, new.rank, new.occurred_on, new.valid_until, new.assessed, str(new.source)) == (
        piece.kind, 4, piece.occurred_on, piece.valid_until, piece.assessed, str(piece.source),
    )  # fmt: skip
    assert new.recorded_by == assessor
    assert new.source_key.startswith(f"correction:{contest.pk}")
    assert new.stands_for == piece
    piece.refresh_from_db()
    assert piece.withdrawal.reason == "Corrected after a contest."
    assert explained_level(ana, a).level.rank == 4  # the manager's rule, one above the course
    moved = level_change(contest)
    assert (moved.before.rank, moved.after.rank) == (3, 4)


def test_what_changed_is_told_as_it_was_on_that_day(ana, a, piece, assessor):
    contest = decide_contest(
        contest=contested(ana, piece), by=assessor, decision=ContestState.REMOVED, answer="Mistaken."
    )
    give_evidence(ana, a, 5, EvidenceKind.COURSE)
    moved = level_change(contest)
    assert (moved.before.rank, moved.after.rank) == (2, 0)
    assert explained_level(ana, a).level.rank == 5


def test_the_mail_to_who_recorded_it_says_what_became_of_it_and_not_what_the_person_wrote(ana, piece, assessor, boss):
    contest = contested(ana, piece, reason="She holds a grudge against me.")
    decide_contest(contest=contest, by=assessor, decision=ContestState.REMOVED, answer="Not based on work.")
    [told] = mails_to(boss)
    assert "It was withdrawn" in told.body
    assert "grudge" not in told.body + told.subject
    assert "Not based on work" not in told.body
    [answer] = mails_to(ana)
    assert "withdrawn and no longer counts" in answer.body
    assert f"/learn/contests/{contest.pk}/" in answer.body
    [asked] = mails_to(assessor)
    assert f"/assess/contests/{contest.pk}/" in asked.body
    assert "grudge" not in asked.body


def test_mails_speak_the_readers_language_and_name_people_as_they_are_written(ana, piece, assessor):
    ana.name = "Ana O'Neill & Pérez"
    ana.save()
    contested(ana, piece)
    assert mails_to(assessor)[0].subject.startswith("Ana O'Neill & Pérez contests")


def test_a_mail_that_a_killed_worker_may_have_sent_is_not_sent_again_and_one_that_failed_is(
    ana, piece, assessor, settings
):
    contested(ana, piece)
    [job] = Job.objects.filter(kind="competencies.contest_mail")
    settings.EMAIL_BACKEND = "nowhere.Backend"
    Job.objects.filter(pk=job.pk).update(state="queued", done=0, attempts=0)
    mail.outbox.clear()
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == ("queued", 0)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Job.objects.filter(pk=job.pk).update(not_before=timezone.now())
    run_job(job.pk)
    assert len(mail.outbox) == 1
    Job.objects.filter(pk=job.pk).update(state="running", lease_until=timezone.now() - timedelta(minutes=1))
    run_job(job.pk)
    assert len(mail.outbox) == 1


def test_deciding_twice_is_once_and_the_second_of_two_assessors_changes_nothing(ana, a, piece, assessor):
    other = make_assessor()
    contest = contested(ana, piece)
    stale = Contest.objects.get(pk=contest.pk)
    first = decide_contest(contest=contest, by=assessor, decision=ContestState.CORRECTED, answer="Three.", rank=3)
    again = decide_contest(contest=contest, by=assessor, decision=ContestState.CORRECTED, answer="Three.", rank=3)
    late = decide_contest(contest=stale, by=other, decision=ContestState.REMOVED, answer="Away with it.")
    assert first == again == late
    assert (late.state, late.decided_by, late.answer) == ("corrected", assessor, "Three.")
    assert [e.rank for e in Evidence.objects.standing().filter(person=ana)] == [3]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"decision": ContestState.CORRECTED}, "Say which level"),
        ({"decision": ContestState.CORRECTED, "rank": 2}, "on record already"),
        ({"decision": ContestState.CORRECTED, "rank": 9}, "not on the scale"),
        ({"decision": ContestState.KEPT, "answer": " "}, "Write the answer"),
        ({"decision": ContestState.TAKEN_BACK}, "Say whether"),
    ],
)
def test_a_decision_that_is_none_gets_a_sentence_and_writes_nothing(ana, piece, assessor, values, words):
    contest = contested(ana, piece)
    with pytest.raises(ContestRefused, match=words):
        decide_contest(contest=contest, by=assessor, **{"answer": "Because.", **values})
    contest.refresh_from_db()
    assert contest.state == ContestState.OPEN
    assert Evidence.objects.standing().filter(pk=piece.pk).exists()
    assert Evidence.objects.count() == 1


def test_neither_the_person_nor_who_recorded_it_nor_just_anybody_decides(ana, a, assessor):
    recorder = make_assessor()
    contest = contested(ana, give_evidence(ana, a, 3, by=recorder))
    herself = Group.objects.get(name=ASSESSORS)
    ana.groups.add(herself)
    for person in (ana, recorder, make_person()):
        with pytest.raises(ContestRefused, match="Somebody else decides"):
            decide_contest(contest=contest, by=person, decision=ContestState.REMOVED, answer="No.")


def test_a_failed_quiz_can_be_corrected_to_a_passed_one(ana, a, assessor, boss):
    [piece] = record_evidence(
        person=ana, findings=[Finding(a, 3, passed=False)], kind=EvidenceKind.QUIZ, source_key="q", by=boss,
        occurred_on=TODAY(), source="Risk quiz",
    )  # fmt: skip
    contest = decide_contest(
        contest=contested(ana, piece), by=assessor, decision=ContestState.CORRECTED, answer="I saw the paper.",
        rank=3, passed=True,
    )  # fmt: skip
    assert (contest.correction.rank, contest.correction.passed) == (3, True)


def test_what_has_lapsed_and_what_is_about_a_withdrawn_competency_can_be_put_right_too(ana, a, assessor, boss, version):
    long_ago = TODAY() - timedelta(days=400)
    piece = Evidence.objects.create(
        person=ana, competency=a, kind=EvidenceKind.CERTIFICATE, rank=2, assessed=True, occurred_on=long_ago,
        valid_until=TODAY() - timedelta(days=1), source_key="old", recorded_by=boss,
    )  # fmt: skip
    type(version).objects.filter(pk=version.pk).update(status="superseded")
    contest = decide_contest(
        contest=contested(ana, piece), by=assessor, decision=ContestState.CORRECTED, answer="It says four.", rank=4
    )
    assert contest.correction.valid_until == piece.valid_until


# --- Ending otherwise --------------------------------------------------------------------------------------------
def test_she_takes_it_back_while_it_is_open_and_not_afterwards(ana, piece, assessor, boss):
    contest = contested(ana, piece)
    with pytest.raises(ContestRefused, match="Only who contests"):
        take_back_contest(contest=contest, by=boss)
    assert take_back_contest(contest=contest, by=ana).state == ContestState.TAKEN_BACK
    assert take_back_contest(contest=contest, by=ana).state == ContestState.TAKEN_BACK
    second = contested(ana, piece)  # it may be contested anew
    decide_contest(contest=second, by=assessor, decision=ContestState.KEPT, answer="Fits.")
    with pytest.raises(ContestRefused, match="answered already"):
        take_back_contest(contest=second, by=ana)


def test_a_piece_that_is_withdrawn_meanwhile_ends_the_contest_with_that_answer(ana, piece, assessor, boss):
    contest = contested(ana, piece)
    withdraw_evidence(evidence=piece, by=boss, reason="Typed in the wrong line.")
    contest.refresh_from_db()
    assert (contest.state, contest.answer) == (ContestState.OVERTAKEN, "Typed in the wrong line.")
    late = decide_contest(contest=contest, by=assessor, decision=ContestState.CORRECTED, answer="Four.", rank=4)
    assert late.state == ContestState.OVERTAKEN
    assert Evidence.objects.count() == 1
    assert "withdrawn meanwhile" in mails_to(ana)[-1].body


def test_taken_up_again_it_goes_to_somebody_who_has_not_decided_on_it(ana, piece, assessor):
    other = make_assessor("Other")
    first = contested(ana, piece)
    decide_contest(contest=first, by=first.assessor, decision=ContestState.KEPT, answer="Fits.")
    second = contested(ana, piece, reason="Here is the report.")
    assert second.previous == first
    assert {first.assessor, second.assessor} == {assessor, other}
    assert not may_decide_contest(first.assessor, second)
    assert [w.item for w in waiting_for(second.assessor).mine] == [second]
    assert waiting_for(first.assessor).others == []
    take_back_contest(contest=second, by=ana)
    third = contested(ana, piece)
    assert third.previous == second
    assert third.assessor == second.assessor  # who decided the first still stands back


def test_where_there_is_nobody_else_the_first_assessor_looks_again(ana, piece, assessor):
    first = contested(ana, piece)
    decide_contest(contest=first, by=assessor, decision=ContestState.CORRECTED, answer="Three.", rank=3)
    second = contested(ana, Contest.objects.get(pk=first.pk).correction)
    assert second.previous == first
    assert second.assessor is None  # she recorded the correction, so nobody is left
    third = contested(ana, give_evidence(ana, competency(piece.competency.version, "B"), 1, by=make_person()))
    decide_contest(contest=third, by=assessor, decision=ContestState.KEPT, answer="Fits.")
    assert contested(ana, third.evidence).assessor == assessor


def test_where_contests_stand_is_one_query(ana, a, assessor, boss, count_queries):
    pieces = [give_evidence(ana, a, 2, by=boss) for _n in range(4)]
    for piece in pieces[:3]:
        contested(ana, piece)
    assert count_queries(lambda: contests_by_evidence([p.pk for p in pieces])) == 1
    assert len(contests_by_evidence([p.pk for p in pieces])) == 3


# --- What always holds -------------------------------------------------------------------------------------------
SHOWN = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(list(EvidenceKind)),
        "rank": st.integers(0, 5),
        "assessed": st.booleans(),
        "days_ago": st.sampled_from([0, 1, 100, 500]),
        "by": st.integers(0, 1),
        "passed": st.booleans(),
    }
)


def record_all(person, what, pieces, people):
    rows = []
    for shown in pieces:
        quiz = shown["kind"] == EvidenceKind.QUIZ
        diagnostic = shown["kind"] == EvidenceKind.DIAGNOSTIC
        [row] = record_evidence(
            person=person,
            findings=[
                Finding(
                    what, shown["rank"], passed=shown["passed"] or not quiz,
                    value=float(shown["rank"]) if diagnostic else None, se=0.4 if diagnostic else None,
                )
            ],
            kind=shown["kind"],
            source_key=uuid4().hex,
            by=person if shown["kind"] == EvidenceKind.SELF else people[shown["by"]],
            occurred_on=TODAY() - timedelta(days=shown["days_ago"]),
            assessed=shown["assessed"],
            source="" if shown["kind"] in (EvidenceKind.SELF, EvidenceKind.MANAGER) else f"Source {shown['by']}",
        )  # fmt: skip
        rows.append(row)
    return rows


def standing_in(person, what) -> tuple:
    items: list[EvidenceItem] = evidence_items([person.pk]).get(person.pk, {}).get(what.pk, [])
    level = attained_level(items, as_of=TODAY())
    likely = estimate(observations_of(items, as_of=TODAY()).values())
    return level.rank, level.declared, level.lapses_on, level.refresh_due, likely


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(SHOWN, min_size=1, max_size=4), which=st.integers(0, 3), right=st.integers(0, 5))
def test_a_correction_is_as_if_the_right_level_had_been_recorded_in_the_first_place(a, pieces, which, right):
    which %= len(pieces)
    with transaction.atomic():
        people, judges = [make_person(), make_person()], [make_assessor(), make_assessor(), make_assessor()]
        contesting, right_away = make_person(), make_person()
        rows = record_all(contesting, a, pieces, people)
        wrong = rows[which]
        for rank in ((right + 1) % 6, right):  # corrected twice: the second correction stands for the first piece, too
            if wrong.rank == rank:
                continue
            contest = contested(contesting, wrong)
            judge = next(j for j in judges if may_decide_contest(j, contest))
            decided = decide_contest(
                contest=contest, by=judge, decision=ContestState.CORRECTED, answer="So.", rank=rank
            )
            wrong = decided.correction
        record_all(right_away, a, [p | {"rank": right} if n == which else p for n, p in enumerate(pieces)], people)
        assert standing_in(contesting, a) == standing_in(right_away, a)
        transaction.set_rollback(True)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(SHOWN, max_size=4), extra=SHOWN, place=st.integers(0, 4))
def test_withdrawing_a_piece_undoes_just_what_it_did(a, pieces, extra, place):
    with transaction.atomic():
        people = [make_person(), make_person()]
        with_it, without = make_person(), make_person()
        place = min(place, len(pieces))
        rows = record_all(with_it, a, [*pieces[:place], extra, *pieces[place:]], people)
        record_all(without, a, pieces, people)
        assessor = make_assessor()
        contest = contested(with_it, rows[place])
        decide_contest(contest=contest, by=assessor, decision=ContestState.REMOVED, answer="Out.")
        assert standing_in(with_it, a) == standing_in(without, a)
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor == "sqlite",
    reason="the threads of a test would share one SQLite connection; the race is run on PostgreSQL",
)
def test_two_assessors_at_the_same_moment_make_one_decision():
    a = competency(make_framework(), "A")
    ana, judges = make_person(), [make_assessor(), make_assessor()]
    contest = contested(ana, give_evidence(ana, a, 2, by=make_person()))
    barrier, found = Barrier(2), []

    def work(judge, rank):
        barrier.wait()
        try:
            found.append(
                decide_contest(
                    contest=contest, by=judge, decision=ContestState.CORRECTED, answer=f"{rank}", rank=rank
                ).decided_by_id
            )
        finally:
            connection.close()

    threads = [Thread(target=work, args=(judge, rank)) for rank, judge in enumerate(judges, start=3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(found) == 2
    assert len(set(found)) == 1
    assert Evidence.objects.standing().count() == 1


# --- Doors -------------------------------------------------------------------------------------------------------
def picture() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (8, 8), "white").save(buffer, "PNG")
    return buffer.getvalue()


def text(response, status=200) -> str:
    assert response.status_code == status
    return response.content.decode()


def test_the_way_of_a_contest_through_the_pages(client, ana, a, piece, assessor, version):
    make_course(version, {"A": 4}, key="to-four")
    client.force_login(ana)
    level_page = f"/learn/competencies/{a.pk}/"
    assert f"/learn/evidence/{piece.pk}/contest/" in text(client.get(level_page))
    url = f"/learn/evidence/{piece.pk}/contest/"
    page = text(client.get(url))
    assert "until then the piece counts as it does now" in page
    proof = SimpleUploadedFile("report.png", picture(), "image/png")
    answer = client.post(url, {"reason": "I led the response.", "wanted_rank": "3", "documents": proof, "token": "t"})
    contest = Contest.objects.get()
    assert answer.url == f"/learn/contests/{contest.pk}/"
    assert client.post(url, {"reason": "I led the response.", "token": "t"}).url == answer.url
    page = text(client.get(answer.url))
    assert "Being looked at: answer by" in page
    assert "the piece counts as it stands" in page
    assert "Being looked at, answer by" in text(client.get(level_page))
    assert client.get(url).url == answer.url

    client.force_login(assessor)
    desk = f"/assess/contests/{contest.pk}/"
    page = text(client.get(desk))
    for words in ("I led the response.", "report.png", "I can do A at 3.", "Berta Boss", "Level 2 of the 4"):
        assert words in page
    assert "Choose the level that is right." in text(
        client.post(desk, {"decision": "corrected", "answer": "Yes."}), 422
    )
    document = f"/evidence/documents/{contest.documents.get().pk}/"
    assert document in page
    assert b"".join(client.get(document)) == picture()
    assert "says something on record in" in text(client.get("/assess/"))
    assert client.post(desk, {"decision": "corrected", "rank": "1", "answer": "One."}).url == "/assess/"
    assert desk not in text(client.get("/assess/"))
    assert "Corrected: it says level 1" in text(client.get(desk))
    client.force_login(make_assessor())
    late = text(client.post(desk, {"decision": "kept", "answer": "Late."}, follow=True))
    assert "no longer open" in late
    assert "Late." not in late

    client.force_login(make_person())
    assert client.get(document).status_code == 404

    contest.refresh_from_db()
    client.force_login(ana)
    page = text(client.get(answer.url))
    for words in (
        "Corrected: it says level 1",
        "One.",
        "Level 2 (label 2) before, level 1 (label 1) now",
        "Take it up again",
    ):
        assert words in page
    assert "What is new since the answer?" in text(client.get(f"/learn/evidence/{contest.correction_id}/contest/"))
    page = text(client.get(level_page))
    assert "read the answer" in page
    assert "Manager&#x27;s assessment, corrected by Asa Assessor" in page
    page = text(client.get("/learn/evidence/"))
    assert "read the answer" in page


def test_what_a_decision_changed_on_the_path_is_told(client, ana, a, assessor, version):
    make_course(version, {"A": 4}, key="to-four")
    piece = give_evidence(ana, a, 4, EvidenceKind.PRIOR_LEARNING, by=make_person())
    contest = contested(ana, piece)
    decide_contest(contest=contest, by=assessor, decision=ContestState.REMOVED, answer="No ground.")
    client.force_login(ana)
    page = text(client.get(f"/learn/contests/{contest.pk}/"))
    assert "To Four" in page.split("On your path")[1]


def test_the_answer_is_read_by_the_person_and_not_by_her_manager(client, ana, a, piece, assessor, boss):
    contest = contested(ana, piece)
    decide_contest(contest=contest, by=assessor, decision=ContestState.REMOVED, answer="She was on sick leave.")
    other = give_evidence(ana, a, 3, EvidenceKind.COURSE)
    withdraw_evidence(evidence=other, by=None, reason="Typed in the wrong line.")
    client.force_login(boss)
    withdrawn = text(client.get(f"/people/{ana.pk}/competencies/{a.pk}/")).split("Withdrawn</h3>")[1]
    assert "Manager&#x27;s assessment" in withdrawn
    for words in ("sick leave", "after a contest", "wrong line", "/learn/contests/"):
        assert words not in withdrawn
    client.force_login(ana)
    own = text(client.get(f"/learn/competencies/{a.pk}/")).split("Withdrawn</h3>")[1]
    for page in (own, text(client.get("/learn/evidence/"))):
        assert "sick leave" not in page
        for words in ("Withdrawn after a contest.", "Typed in the wrong line.", f"/learn/contests/{contest.pk}/"):
            assert words in page
    assert "She was on sick leave." in text(client.get(f"/learn/contests/{contest.pk}/"))


def test_taking_back_by_the_page_and_pressing_twice(client, ana, piece, assessor):
    contest = contested(ana, piece)
    client.force_login(ana)
    for _n in range(2):
        assert (
            client.post(f"/learn/contests/{contest.pk}/", {"do": "take_back"}).url == f"/learn/contests/{contest.pk}/"
        )
    page = text(client.get(f"/learn/contests/{contest.pk}/"))
    assert "Taken back" in page
    assert "Take it back" not in page


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"reason": ""}, "Say what is wrong"),
        ({"reason": "x", "wanted_rank": "17"}, "or leave it open"),
        ({"reason": "x" * 4001}, "4000"),
        ({"reason": "x", "token": ""}, "required"),
    ],
)
def test_a_contest_filled_in_badly_gets_sentences_and_keeps_what_was_typed(client, ana, piece, data, words):
    client.force_login(ana)
    page = text(client.post(f"/learn/evidence/{piece.pk}/contest/", {"token": "t", **data}), 422)
    assert words in page
    assert not Contest.objects.exists()


def test_who_would_contest_her_own_words_is_told_that_she_can_say_them_anew(client, ana, a, boss):
    client.force_login(ana)
    own = give_evidence(ana, a, 3, EvidenceKind.SELF, by=ana)
    page = text(client.get(f"/learn/evidence/{own.pk}/contest/"))
    assert "These are your own words" in page and f"/learn/competencies/{a.pk}/assess/" in page
    hers = give_evidence(ana, a, 2, EvidenceKind.MANAGER, by=boss)
    assert "These are your own words" not in text(client.get(f"/learn/evidence/{hers.pk}/contest/"))


def test_contests_are_seen_by_the_person_and_by_who_may_decide_alone(client, ana, a, boss, assessor):
    recorder = make_assessor()
    piece = give_evidence(ana, a, 3, by=recorder)
    contest = contested(ana, piece)
    for person in (boss, recorder, make_person()):
        client.force_login(person)
        for url in (
            f"/learn/contests/{contest.pk}/",
            f"/assess/contests/{contest.pk}/",
            f"/learn/evidence/{piece.pk}/contest/",
        ):
            assert client.get(url).status_code == 404, url
            assert client.post(url, {}).status_code == 404, url
    client.force_login(ana)
    assert client.get(f"/assess/contests/{contest.pk}/").status_code == 404


def test_an_hr_officer_of_her_unit_decides_where_there_is_no_assessor(client, ana, piece):
    officer = make_person("Hana HR")
    make_hr(officer, Appointment.objects.get(person=ana).post.unit)
    contest = contested(ana, piece)
    assert contest.assessor == officer
    client.force_login(officer)
    answer = client.post(f"/assess/contests/{contest.pk}/", {"decision": "kept", "answer": "It fits."})
    assert answer.url == "/assess/"
    contest.refresh_from_db()
    assert contest.state == ContestState.KEPT


def test_a_withdrawn_piece_leads_back_to_the_level_with_a_sentence(client, ana, a, piece, boss):
    withdraw_evidence(evidence=piece, by=boss, reason="A mistake.")
    client.force_login(ana)
    response = client.get(f"/learn/evidence/{piece.pk}/contest/", follow=True)
    assert "there is nothing to contest" in text(response)
    assert client.post(f"/learn/evidence/{piece.pk}/contest/", {"reason": "x", "token": "t"}).status_code == 422
