"""Taking a diagnostic: what is stored when, and what never is."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.utils import timezone
from wagtail.models import ModelLogEntry

from competencies import diagnosing
from competencies.diagnosing import (
    NOT_OFFERED_FOR,
    DiagnosticRefused,
    answer_question,
    close_left_diagnostics,
    current_question,
    offers_for,
    result_of,
    start_diagnostic,
    stock_for,
    stop_diagnostic,
)
from competencies.diagnosing_jobs import CLOSE_LEFT_JOB
from competencies.enums import BankStatus, DiagnosticEnd, EvidenceKind, FrameworkStatus
from competencies.models import Diagnostic, DiagnosticAnswer, Evidence, Rulebook, RulebookStatus
from competencies.perms import STEWARDS
from competencies.rulebooks import SHIPPED, write_book
from competencies.selectors import standing_of
from competencies.tasks import sweep_diagnostics
from organisations.jobs import run_job
from organisations.models import Job
from tests.builders import competency, make_framework, make_person, make_post, make_profile, make_unit
from tests.competencies.banks import answer_open, make_bank, open_answer, option_of, take
from tests.competencies.editions import altered, competency_of, load, publish, small_content

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return make_framework(codes="AB")


@pytest.fixture
def ana(version):
    person = make_person("Ana Pérez")
    make_post(make_unit(), holder=person, roles=[make_profile(version, {"A": 3, "B": 2})])
    return person


@pytest.fixture
def bank(version):
    return make_bank(competency(version, "A"))


def retire(bank):
    bank.status = BankStatus.RETIRED
    bank.save()


def test_starting_twice_is_starting_once_and_shows_the_same_question(ana, bank):
    first, second = (start_diagnostic(person=ana, bank=bank) for _ in range(2))
    assert first.pk == second.pk
    assert current_question(first) == current_question(second)
    assert DiagnosticAnswer.objects.count() == 1


def test_the_answers_stand_in_the_same_order_on_every_device_and_not_always_with_the_right_one_first(ana, bank):
    diagnostic = start_diagnostic(person=ana, bank=bank)
    orders = set()
    while diagnostic.finished_at is None:
        question = current_question(diagnostic)
        again = current_question(Diagnostic.objects.get(pk=diagnostic.pk))
        assert [o.pk for o in question.options] == [o.pk for o in again.options]
        orders.add(next(n for n, o in enumerate(question.options) if o.correct))
        diagnostic = answer_open(diagnostic, right=question.position % 2 == 0)
    assert len(orders) > 1


def test_a_doubled_press_answers_once_and_an_old_tab_is_told_so(ana, bank):
    diagnostic = start_diagnostic(person=ana, bank=bank)
    item = open_answer(diagnostic).item
    right, wrong = option_of(item, right=True), option_of(item, right=False)
    for _ in range(2):
        answer_question(diagnostic=diagnostic, position=1, option=right)
    with pytest.raises(DiagnosticRefused, match="your first answer counts"):
        answer_question(diagnostic=diagnostic, position=1, option=wrong)
    assert list(diagnostic.answers.values_list("position", "correct")) == [(1, True), (2, None)]


@pytest.mark.parametrize("position", [0, 2, 99])
def test_a_question_that_was_not_asked_cannot_be_answered(ana, bank, position):
    diagnostic = start_diagnostic(person=ana, bank=bank)
    with pytest.raises(DiagnosticRefused, match="has not been asked"):
        answer_question(diagnostic=diagnostic, position=position, option=None)


def test_an_answer_to_another_question_is_refused(ana, bank):
    diagnostic = start_diagnostic(person=ana, bank=bank)
    other = bank.items.exclude(pk=open_answer(diagnostic).item_id).first()
    with pytest.raises(DiagnosticRefused, match="answers to this question"):
        answer_question(diagnostic=diagnostic, position=1, option=option_of(other, right=True))
    assert open_answer(diagnostic).position == 1


def test_i_dont_know_counts_as_not_right(ana, bank):
    diagnostic = answer_question(diagnostic=start_diagnostic(person=ana, bank=bank), position=1, option=None)
    first = diagnostic.answers.get(position=1)
    assert (first.option, first.correct) == (None, False)


def test_whoever_stops_leaves_no_evidence_and_is_done(ana, bank):
    diagnostic = answer_open(start_diagnostic(person=ana, bank=bank), right=True)
    stopped = stop_diagnostic(diagnostic=diagnostic)
    assert stop_diagnostic(diagnostic=diagnostic).finished_at == stopped.finished_at
    assert (stopped.ended, stopped.evidence, Evidence.objects.count()) == (DiagnosticEnd.STOPPED, None, 0)
    with pytest.raises(DiagnosticRefused, match="is over"):
        answer_question(diagnostic=diagnostic, position=2, option=None)


def test_whoever_stops_waits_as_long_as_one_that_was_finished_is_not_offered(ana, bank):
    now = timezone.now()
    lines, today = standing_of(ana).lines, timezone.localdate()
    stop_diagnostic(diagnostic=start_diagnostic(person=ana, bank=bank, at=now), at=now)
    newer = make_bank(bank.competency, edition="2", status=BankStatus.DRAFT)
    for day in (0, 179):
        with pytest.raises(DiagnosticRefused, match="You stopped this diagnostic on"):
            start_diagnostic(person=ana, bank=bank, at=now + timedelta(days=day))
        assert offers_for(ana, lines, as_of=today + timedelta(days=day)) == {}
    type(bank).objects.filter(pk=bank.pk).update(status=BankStatus.RETIRED)
    type(bank).objects.filter(pk=newer.pk).update(status=BankStatus.IN_USE)
    with pytest.raises(DiagnosticRefused, match="You stopped"):  # another edition of the bank is no way round
        start_diagnostic(person=ana, bank=newer, at=now)
    assert offers_for(ana, lines, as_of=today + timedelta(days=180)).keys() == {bank.competency_id}
    assert start_diagnostic(person=ana, bank=newer, at=now + timedelta(days=180)).finished_at is None
    assert start_diagnostic(person=make_person(), bank=newer).finished_at is None


@pytest.mark.parametrize("who", ["steward", "author", "administrator"])
def test_who_can_read_the_answers_takes_no_diagnostic(ana, bank, who):
    if who == "steward":
        ana.groups.add(Group.objects.get(name=STEWARDS))
    elif who == "author":
        ana.user_permissions.add(Permission.objects.get(codename="view_diagnosticitem"))
    else:
        type(ana).objects.filter(pk=ana.pk).update(is_superuser=True)
    person = type(ana).objects.get(pk=ana.pk)
    with pytest.raises(DiagnosticRefused, match="You can read the questions"):
        start_diagnostic(person=person, bank=bank)
    assert not Diagnostic.objects.exists()
    assert offers_for(person, standing_of(person).lines, as_of=timezone.localdate()) == {}


@pytest.mark.parametrize(("ability", "level"), [(-3.0, 0), (-1.0, 1), (0.0, 2), (1.0, 3), (3.0, 4)])
def test_somebody_of_known_ability_is_placed_at_her_level_or_the_one_beside_it(ana, bank, ability, level):
    likely = []
    for seed in range(5):
        diagnostic = take(start_diagnostic(person=make_person(), bank=bank, seed=seed), ability=ability, seed=seed)
        likely.append(result_of(diagnostic).most_likely)
        assert diagnostic.answers.count() <= 20
    assert all(abs(found - level) <= 1 for found in likely), likely
    assert sum(found == level for found in likely) >= 3, likely


def test_a_finished_diagnostic_is_evidence_and_moves_the_level(ana, bank):
    diagnostic = take(start_diagnostic(person=ana, bank=bank), ability=3.0)
    piece = diagnostic.evidence
    assert (piece.kind, piece.assessed, str(piece.source), piece.recorded_by) == ("diagnostic", True, "Bank", None)
    assert piece.source_key == f"diagnostic:{diagnostic.pk}:{bank.competency_id}"
    assert diagnostic.ended in {DiagnosticEnd.SURE, DiagnosticEnd.LENGTH}
    assert piece.rank == max(r for r, p in enumerate(piece.probabilities, start=1) if p >= 0.8)
    assert list(piece.probabilities) == sorted(piece.probabilities, reverse=True)
    # At most level 3 by the rule, whatever the answers say.
    level = standing_of(ana).levels[bank.competency_id]
    assert level.rank == min(3, piece.rank) == 3


def test_the_last_answer_pressed_twice_finishes_once(ana, bank):
    diagnostic = take(start_diagnostic(person=ana, bank=bank), ability=0.0)
    last = diagnostic.answers.order_by("-position").first()
    again = answer_question(diagnostic=diagnostic, position=last.position, option=last.option_id)
    assert again.evidence_id == diagnostic.evidence_id
    assert Evidence.objects.filter(kind=EvidenceKind.DIAGNOSTIC).count() == 1


def test_killed_while_finishing_nothing_is_half_written(ana, bank, monkeypatch):
    diagnostic = start_diagnostic(person=ana, bank=bank)
    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):

        def die(*args):
            raise KeyboardInterrupt

        broken.setattr(diagnosing, "_close", die)
        take(diagnostic, ability=0.0)
    assert not Evidence.objects.exists()
    diagnostic.refresh_from_db()
    assert diagnostic.finished_at is None
    assert open_answer(diagnostic) is not None
    assert take(diagnostic, ability=0.0).evidence is not None


def test_certainty_comes_from_the_rules_in_force(ana, bank, version):
    content = write_book(SHIPPED)
    content["rules"]["diagnostic"]["certainty"] = 0.999
    Rulebook.objects.create(framework=version.framework, number=2, content=content, status=RulebookStatus.PUBLISHED)
    piece = take(start_diagnostic(person=ana, bank=bank), ability=0.0).evidence
    assert all(p < 0.999 for p in piece.probabilities[piece.rank :])
    assert piece.rank < max(r for r, p in enumerate(piece.probabilities, start=1) if p >= 0.8)


def test_no_level_yet_can_be_recorded_on_a_scale_that_begins_at_one(ana):
    version = make_framework(codes="Z")
    version.levels.filter(rank=0)._raw_delete("default")
    diagnostic = start_diagnostic(person=ana, bank=make_bank(competency(version, "Z")))
    while diagnostic.finished_at is None:
        diagnostic = answer_open(diagnostic, right=False)
    assert diagnostic.evidence.rank == 0


def test_questions_of_the_last_twelve_months_are_not_asked_again(ana, bank):
    now = timezone.now()
    first = start_diagnostic(person=ana, bank=bank, at=now - timedelta(days=100))
    while first.finished_at is None:
        first = answer_open(first, right=True, at=now - timedelta(days=100))
    second = take(start_diagnostic(person=ana, bank=bank), ability=0.0)
    seen = set(first.answers.values_list("item_id", flat=True))
    assert not seen & set(second.answers.values_list("item_id", flat=True))


def test_when_too_few_questions_are_left_the_day_is_named(ana, version):
    bank = make_bank(competency(version, "A"), items=8)
    started = timezone.now()
    first = take(start_diagnostic(person=ana, bank=bank), ability=0.0)
    assert first.ended in {DiagnosticEnd.NO_ITEMS, DiagnosticEnd.SURE}
    with pytest.raises(DiagnosticRefused, match="You can take it again from"):
        start_diagnostic(person=ana, bank=bank)
    stock = stock_for(ana, bank, as_of=timezone.localdate())
    today = timezone.localdate(started)
    assert stock.again_on == today.replace(year=today.year + 1)
    in_a_year = started + timedelta(days=367)
    assert start_diagnostic(person=ana, bank=bank, at=in_a_year).pk != first.pk


def test_a_question_is_known_by_its_key_in_the_next_edition_of_the_bank(ana, bank):
    take(start_diagnostic(person=ana, bank=bank), ability=0.0)
    retire(bank)
    newer = make_bank(bank.competency, edition="2")
    stock = stock_for(ana, newer, as_of=timezone.localdate())
    assert stock.fresh == 40 - DiagnosticAnswer.objects.count()


def test_a_bank_replaced_meanwhile_is_finished_with_its_own_questions(ana, bank):
    diagnostic = answer_open(start_diagnostic(person=ana, bank=bank), right=True)
    retire(bank)
    newer = make_bank(bank.competency, edition="2")
    assert start_diagnostic(person=ana, bank=newer).pk == diagnostic.pk
    diagnostic = take(diagnostic, ability=0.0)
    assert set(diagnostic.answers.values_list("item__bank_id", flat=True)) == {bank.pk}
    assert diagnostic.evidence is not None


@pytest.mark.parametrize("status", [BankStatus.DRAFT, BankStatus.RETIRED])
def test_a_bank_that_is_not_in_use_cannot_be_taken(ana, version, status):
    bank = make_bank(competency(version, "A"), status=status)
    with pytest.raises(DiagnosticRefused, match="not in use"):
        start_diagnostic(person=ana, bank=bank)
    assert diagnosing.bank_for(bank.competency) is None


def test_a_competency_withdrawn_meanwhile_ends_without_evidence_and_without_a_fault(ana, bank, version):
    diagnostic = start_diagnostic(person=ana, bank=bank)
    type(version).objects.filter(pk=version.pk).update(status=FrameworkStatus.SUPERSEDED)
    diagnostic = take(diagnostic, ability=0.0)
    assert diagnostic.finished_at is not None
    assert diagnostic.evidence is None


def test_a_bank_serves_the_next_edition_of_its_competency_and_what_is_begun_goes_on(ana):
    steward = make_person(is_superuser=True)
    first = load(small_content())
    bank = make_bank(competency_of(first, "A"), cuts=(-1.0, 0.0, 1.0))
    begun = start_diagnostic(person=ana, bank=bank)
    second = publish(load(altered(small_content(), B={"title": {"en": "Asking well"}})), steward)
    now = competency_of(second, "A")
    assert diagnosing.bank_for(now) == bank
    assert diagnosing.open_diagnostic(ana, now) == begun
    assert take(begun, ability=4.0).evidence.rank == 3
    assert standing_of(ana).levels[now.pk].rank == 3


def test_what_is_left_for_ninety_days_is_closed_without_evidence(ana, bank):
    now = timezone.now()
    left = start_diagnostic(person=ana, bank=bank, at=now - timedelta(days=100))
    going_on = start_diagnostic(person=make_person(), bank=bank, at=now - timedelta(days=100))
    answer_open(going_on, right=True, at=now - timedelta(days=20))
    assert [close_left_diagnostics(at=now) for _ in range(2)] == [1, 0]
    left.refresh_from_db()
    going_on.refresh_from_db()
    assert (left.ended, left.evidence, going_on.finished_at) == (DiagnosticEnd.LEFT, None, None)


def test_the_log_says_what_happened_and_nothing_of_the_answers(ana, bank):
    take(start_diagnostic(person=ana, bank=bank), ability=0.0)
    entries = ModelLogEntry.objects.filter(action__endswith="_diagnostic")
    assert {e.action for e in entries} == {"competencies.start_diagnostic", "competencies.finish_diagnostic"}
    assert all(not e.data for e in entries)
    assert {e.label for e in entries} == {f"Diagnostic {Diagnostic.objects.get().pk}"}


def test_it_is_offered_for_gaps_with_a_bank_and_not_again_at_once(ana, bank):
    lines = standing_of(ana).lines
    today = timezone.localdate()
    [offer] = offers_for(ana, lines, as_of=today).values()
    assert (offer.line.competency.pk, offer.begun, offer.comes_first, offer.can_close) == (
        bank.competency_id,
        False,
        True,
        True,
    )
    diagnostic = start_diagnostic(person=ana, bank=bank)
    assert offers_for(ana, lines, as_of=today)[bank.competency_id].begun
    while diagnostic.finished_at is None:
        diagnostic = answer_open(diagnostic, right=False)
    assert offers_for(ana, standing_of(ana).lines, as_of=today) == {}
    assert offers_for(ana, standing_of(ana).lines, as_of=today + timedelta(days=200)).keys() == {bank.competency_id}


def test_what_is_required_above_the_cap_cannot_be_closed_by_it(version, bank):
    person = make_person()
    make_post(make_unit(), holder=person, roles=[make_profile(version, {"A": 4})])
    [offer] = offers_for(person, standing_of(person).lines, as_of=timezone.localdate()).values()
    assert not offer.can_close


def test_a_bank_that_tells_fewer_levels_than_are_required_closes_no_gap(version):
    person = make_person()
    make_post(make_unit(), holder=person, roles=[make_profile(version, {"A": 3})])
    make_bank(competency(version, "A"), cuts=(-1.0, 0.0))
    [offer] = offers_for(person, standing_of(person).lines, as_of=timezone.localdate()).values()
    assert (offer.cap, offer.can_close) == (2, False)


def test_offers_cost_the_same_for_one_competency_as_for_many(count_queries):
    version = make_framework(codes="ABCDEFGH")
    people = []
    for codes in ("A", "ABCDEFGH"):
        people.append(make_person())
        make_post(make_unit(), holder=people[-1], roles=[make_profile(version, dict.fromkeys(codes, 3))])
    for code in "ABCDEFGH":
        make_bank(competency(version, code), items=6)
    lines = [standing_of(person).lines for person in people]
    today = timezone.localdate()
    one, many = (
        count_queries(lambda p=p, found=found: offers_for(p, found, as_of=today))
        for p, found in zip(people, lines, strict=True)
    )
    assert one == many == 1


def test_a_result_costs_the_same_for_few_questions_as_for_many(ana, bank, count_queries):
    long_ago = timezone.now() - NOT_OFFERED_FOR
    few = answer_open(start_diagnostic(person=ana, bank=bank, at=long_ago), right=True, at=long_ago)
    stop_diagnostic(diagnostic=few, at=long_ago)
    many = take(start_diagnostic(person=make_person(), bank=bank), ability=0.0)
    stopped = start_diagnostic(person=ana, bank=bank)
    for _ in range(5):
        stopped = answer_open(stopped, right=True)
    stopped = stop_diagnostic(diagnostic=stopped)
    rows = diagnosing.diagnostics_of(ana)
    counts = [count_queries(lambda pk=d.pk: result_of(rows.get(pk=pk))) for d in (few, stopped)]
    assert counts[0] == counts[1]
    assert len(result_of(many).questions) == many.answers.count()


def test_parts_that_went_worse_than_her_level_lets_expect_come_first(ana, bank):
    diagnostic = start_diagnostic(person=ana, bank=bank)
    while diagnostic.finished_at is None:
        facet = open_answer(diagnostic).item.facet.code
        diagnostic = answer_open(diagnostic, right=facet == "rules")
    weak, strong = result_of(diagnostic).parts
    assert (weak.facet.code, weak.tells, strong.facet.code, strong.tells) == ("people", "weak", "rules", "strong")


def test_the_nightly_errand_is_one_job_a_day_and_says_how_many_it_closed(ana, bank):
    start_diagnostic(person=ana, bank=bank, at=timezone.now() - timedelta(days=100))
    for _ in range(2):
        sweep_diagnostics()
    [job] = Job.objects.filter(kind=CLOSE_LEFT_JOB)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.report == {"closed": 1}
