"""Taking a diagnostic: it is started, answered question by question, stopped or finished; and what its pages read.

The statistics are in competencies.diagnostic. A question is written down when it is chosen, so a reload or another device
shows the same one, and a doubled press meets a question that is answered already.
"""

from __future__ import annotations

import itertools
import math
import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dateutil.relativedelta import relativedelta
from django.db import IntegrityError, transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from competencies import diagnostic as theory
from competencies.banks import theory_of
from competencies.enums import BankStatus, DiagnosticEnd, EvidenceKind, FrameworkStatus
from competencies.levels import RuleSet, certain_rank
from competencies.models import (
    BankFacet,
    Competency,
    Diagnostic,
    DiagnosticAnswer,
    DiagnosticItem,
    Evidence,
    ItemBank,
    ItemOption,
)
from competencies.perms import bank_permissions, reads_banks
from competencies.ruling import book_of
from competencies.selectors import (
    Line,
    Moved,
    Scale,
    competency_in_force,
    level_shown_by,
    levels_moved,
    scales_of,
)
from competencies.services import EvidenceRefused, Finding, is_in_use, record_evidence
from organisations.models import User

# A question that was shown is not asked again for so long.
NOT_AGAIN_FOR = relativedelta(months=12)
# An open diagnostic nobody answers is closed after so long, without evidence.
LEFT_FOR = timedelta(days=90)
# After a diagnostic it is not offered again for so long; its page stays open. Whoever stopped one waits as long before she
# begins again: she could look up what she was asked, and choose the questions that suit her.
NOT_OFFERED_FOR = timedelta(days=180)
# What people are told to expect.
USUAL_QUESTIONS = 15
SECONDS_A_QUESTION = 30
# Ended without a result: the right answers are not shown.
BROKEN_OFF = frozenset({DiagnosticEnd.STOPPED, DiagnosticEnd.LEFT})
# Where a rulebook has no rule of its own for diagnostics.
CERTAINTY = 0.80
# By so many right answers more or less than the level lets expect, a part of the competency stands out.
STANDS_OUT_BY = 0.75


class DiagnosticRefused(ValueError):
    """Something that cannot be done with a diagnostic; the text is a sentence for the person."""


# --- What can be taken -----------------------------------------------------------------------------------------------
def bank_for(competency: Competency) -> ItemBank | None:
    """The bank in use of a competency's lineage; that of the edition in force before that of an earlier one."""
    banks = ItemBank.objects.filter(competency__lineage=competency.lineage, status=BankStatus.IN_USE)
    found = list(banks.select_related("competency__version__framework"))
    return min(found, key=lambda bank: (not bank.competency.version.is_published, -bank.pk), default=None)


def diagnostics_of(person: User) -> QuerySet[Diagnostic]:
    """A person's diagnostics. Nobody else sees questions and answers, whoever leads or serves her."""
    return Diagnostic.objects.filter(person=person).select_related("bank__competency__version__framework", "evidence")


def open_diagnostic(person: User, competency: Competency) -> Diagnostic | None:
    """The diagnostic of this competency that the person has begun and not finished, whatever bank it is from."""
    begun = diagnostics_of(person).filter(bank__competency__lineage=competency.lineage, finished_at__isnull=True)
    return begun.first()


def latest_result(person: User, competency: Competency) -> Diagnostic | None:
    """The last diagnostic of this competency that the person took to its end."""
    taken = diagnostics_of(person).filter(bank__competency__lineage=competency.lineage, evidence__isnull=False)
    return taken.order_by("-finished_at", "-pk").first()


def minutes_for(questions: int) -> int:
    return math.ceil(questions * SECONDS_A_QUESTION / 60)


def cap_of(rules: RuleSet, max_rank: int) -> int:
    """The highest level a diagnostic shows by these rules."""
    caps = [rule.cap for rule in rules.rules if EvidenceKind.DIAGNOSTIC in rule.kinds and rule.cap is not None]
    return min([*caps, max_rank])


@dataclass(frozen=True)
class Offer:
    """That a diagnostic can be taken for a required competency, and whether it is begun."""

    line: Line
    begun: bool
    cap: int

    @property
    def comes_first(self) -> bool:
        """Whether to ask before a course is begun: so little is known, or she has begun to answer."""
        return self.begun or self.line.is_unsure

    @property
    def can_close(self) -> bool:
        """Whether it can show all that is required, so that no course is needed."""
        return self.line.required.rank_needed <= self.cap

    @property
    def minutes(self) -> int:
        return minutes_for(USUAL_QUESTIONS)


def offers_for(person: User, lines: Sequence[Line], *, as_of: date) -> dict[int, Offer]:
    """For which gaps a diagnostic can be taken, by competency id. One query, for one line or a hundred.

    Who took or stopped one lately is not asked again at once, nor who can read the answers; one that is begun is always
    offered.
    """
    gaps = [line for line in lines if not line.is_met]
    if not gaps:
        return {}
    begun = Diagnostic.objects.filter(
        person=person, finished_at__isnull=True, bank__competency__lineage=OuterRef("competency__lineage")
    )
    stopped = Diagnostic.objects.filter(
        person=person,
        ended=DiagnosticEnd.STOPPED,
        finished_at__date__gt=as_of - NOT_OFFERED_FOR,
        bank__competency__lineage=OuterRef("competency__lineage"),
    )
    knows = (
        Value(True)
        if person.is_superuser
        else Exists(bank_permissions().filter(Q(group__user=person) | Q(user=person)))
    )
    banks = ItemBank.objects.filter(
        status=BankStatus.IN_USE, competency__lineage__in={line.competency.lineage for line in gaps}
    )
    rows = banks.values_list(
        "competency__version__status", "pk", "competency__lineage", "cuts", Exists(begun), Exists(stopped), knows
    )
    ordered = sorted(rows, key=lambda row: (row[0] == FrameworkStatus.PUBLISHED, row[1]))  # the last one is taken
    told = {lineage: (len(cuts), *rest) for _status, _pk, lineage, cuts, *rest in ordered}
    found = {}
    for line in gaps:
        reach, is_begun, is_stopped, is_known = told.get(line.competency.lineage, (0, False, False, False))
        if reach and (is_begun or not (is_stopped or is_known or _was_taken_lately(line, as_of))):
            cap = min(cap_of(line.book.rules, line.scale.max_rank), reach)
            found[line.competency.pk] = Offer(line, is_begun, cap)
    return found


def _was_taken_lately(line: Line, as_of: date) -> bool:
    taken = (j.item.occurred_on for j in line.level.judged if j.item.kind == EvidenceKind.DIAGNOSTIC)
    return any(as_of < day + NOT_OFFERED_FOR for day in taken)


@dataclass(frozen=True)
class Stock:
    """Which questions of a bank a person can be asked. `again_on`: from which day they are enough, None where they are
    now, and where they never will be."""

    fresh: int
    again_on: date | None
    seen: frozenset[int]

    @property
    def is_enough(self) -> bool:
        return self.fresh >= theory.FEWEST_ITEMS


def stock_for(person: User, bank: ItemBank, *, as_of: date, leaving_out: Diagnostic | None = None) -> Stock:
    """What is left to ask. A question seen in another edition of the bank is known by its key. Two queries."""
    items = DiagnosticItem.objects.filter(bank=bank, is_retired=False).values_list("pk", "key")
    shown = DiagnosticAnswer.objects.filter(
        diagnostic__person=person, diagnostic__bank__competency__lineage=bank.competency.lineage
    )
    if leaving_out is not None:
        shown = shown.exclude(diagnostic=leaving_out)
    last = dict(shown.order_by().values_list("item__key").annotate(Max("shown_at")))
    free_on = {pk: timezone.localdate(last[key]) + NOT_AGAIN_FOR for pk, key in items if key in last}
    seen = frozenset(pk for pk, day in free_on.items() if as_of < day)
    fresh = len(items) - len(seen)
    waiting = sorted(free_on[pk] for pk in seen)
    missing = theory.FEWEST_ITEMS - fresh
    again_on = waiting[missing - 1] if 0 < missing <= len(waiting) else None
    return Stock(fresh, again_on, seen)


def check_stock(stock: Stock) -> None:
    """Raise DiagnosticRefused where too few questions are left."""
    if stock.is_enough:
        return
    if stock.again_on is None:
        raise DiagnosticRefused(_("There are not enough questions for this competency at present."))
    raise DiagnosticRefused(
        _("You have seen most of the questions within the last 12 months. You can take it again from %(day)s.")
        % {"day": formats.date_format(stock.again_on, "DATE_FORMAT")}
    )


def check_may_begin(person: User, bank: ItemBank, *, as_of: date) -> None:
    """Raise DiagnosticRefused for who can read the answers, and for who stopped this diagnostic lately. Two queries."""
    if reads_banks(person):
        raise DiagnosticRefused(
            _(
                "You can read the questions of the diagnostics with their answers, so a result would say nothing about you. "
                "Ask your manager, or a panel."
            )
        )
    lineage = bank.competency.lineage
    stopped = Diagnostic.objects.filter(
        person=person, ended=DiagnosticEnd.STOPPED, bank__competency__lineage=lineage
    ).aggregate(last=Max("finished_at"))["last"]
    if stopped is None or as_of >= timezone.localdate(stopped) + NOT_OFFERED_FOR:
        return
    again_on = timezone.localdate(stopped) + NOT_OFFERED_FOR
    values = {
        "stopped": formats.date_format(timezone.localtime(stopped), "DATE_FORMAT"),
        "day": formats.date_format(again_on, "DATE_FORMAT"),
    }
    raise DiagnosticRefused(_("You stopped this diagnostic on %(stopped)s. You can begin again from %(day)s.") % values)


# --- Taking it -------------------------------------------------------------------------------------------------------
@transaction.atomic
def start_diagnostic(
    *, person: User, bank: ItemBank, at: datetime | None = None, seed: int | None = None
) -> Diagnostic:
    """Begin a diagnostic, or go on with the one that is open: also one from the bank that this one replaced.

    `seed` decides which questions come and in which order; None draws one.

    Raises DiagnosticRefused when the bank is not in use, when too few of its questions are left for this person, when she
    stopped it lately, and when she can read the answers.
    """
    moment = at or timezone.now()
    bank = ItemBank.objects.select_for_update(of=("self",)).select_related("competency__version").get(pk=bank.pk)
    begun = open_diagnostic(person, bank.competency)
    if begun is not None:
        return begun
    if bank.status != BankStatus.IN_USE or not is_in_use(bank.competency):
        raise DiagnosticRefused(_("This diagnostic is not in use (any more)."))
    today = timezone.localdate(moment)
    check_may_begin(person, bank, as_of=today)
    check_stock(stock_for(person, bank, as_of=today))
    try:
        with transaction.atomic():
            diagnostic = Diagnostic.objects.create(
                person=person, bank=bank, seed=secrets.randbelow(2**63) if seed is None else seed, started_at=moment
            )
    except IntegrityError:  # two presses at once
        return Diagnostic.objects.get(person=person, bank=bank, finished_at__isnull=True)
    _go_on(diagnostic, moment)
    log(instance=diagnostic, title=f"Diagnostic {diagnostic.pk}", action="competencies.start_diagnostic", user=person)
    return diagnostic


@transaction.atomic
def answer_question(
    *, diagnostic: Diagnostic, position: int, option: int | None, at: datetime | None = None
) -> Diagnostic:
    """Answer the question at `position`: with an option's id, or None for "I don't know", which counts as not right.

    The next question is chosen at once, or the diagnostic is finished, all in one transaction. The same answer twice is
    one. Raises DiagnosticRefused for another answer to what is answered, a question that was not asked, an option of
    another question, and a diagnostic that is over.
    """
    moment = at or timezone.now()
    diagnostic = _locked(diagnostic)
    answer = DiagnosticAnswer.objects.filter(diagnostic=diagnostic, position=position).first()
    if answer is not None and answer.answered_at is not None:
        if answer.option_id == option:
            return diagnostic
        raise DiagnosticRefused(_("You have answered this question already; your first answer counts."))
    if diagnostic.finished_at is not None:
        raise DiagnosticRefused(_("This diagnostic is over; nothing can be answered any more."))
    if answer is None:
        raise DiagnosticRefused(_("This question has not been asked. Here is the one that is open."))
    chosen = None
    if option is not None:
        chosen = ItemOption.objects.filter(pk=option, item_id=answer.item_id).first()
        if chosen is None:
            raise DiagnosticRefused(_("Choose one of the answers to this question."))
    answer.option, answer.correct, answer.answered_at = chosen, bool(chosen and chosen.correct), moment
    answer.save(update_fields=["option", "correct", "answered_at"])
    _go_on(diagnostic, moment)
    return diagnostic


@transaction.atomic
def stop_diagnostic(*, diagnostic: Diagnostic, at: datetime | None = None) -> Diagnostic:
    """The person ends it: nothing is recorded. What is over already stays as it is."""
    diagnostic = _locked(diagnostic)
    if diagnostic.finished_at is None:
        _close(diagnostic, DiagnosticEnd.STOPPED, at or timezone.now())
        log(
            instance=diagnostic,
            title=f"Diagnostic {diagnostic.pk}",
            action="competencies.stop_diagnostic",
            user=diagnostic.person,
        )
    return diagnostic


def close_left_diagnostics(*, at: datetime) -> int:
    """Close what nobody has gone on with for 90 days, without evidence; returns how many."""
    left = (
        Diagnostic.objects.filter(finished_at__isnull=True)
        .annotate(last=Coalesce(Max("answers__shown_at"), "started_at"))
        .filter(last__lte=at - LEFT_FOR)
    )
    return sum(_close_left(pk, at) for pk in list(left.order_by("pk").values_list("pk", flat=True)))


@transaction.atomic
def _close_left(pk: int, at: datetime) -> bool:
    """Unless she has gone on or finished meanwhile."""
    diagnostic = _locked(Diagnostic(pk=pk))
    last = diagnostic.answers.aggregate(last=Max("shown_at"))["last"] or diagnostic.started_at
    if diagnostic.finished_at is not None or last > at - LEFT_FOR:
        return False
    _close(diagnostic, DiagnosticEnd.LEFT, at)
    log(instance=diagnostic, title=f"Diagnostic {diagnostic.pk}", action="competencies.close_diagnostic", user=None)
    return True


def _locked(diagnostic: Diagnostic) -> Diagnostic:
    rows = Diagnostic.objects.select_for_update(of=("self",)).select_related("person", "bank__competency__version")
    return rows.get(pk=diagnostic.pk)


def _close(diagnostic: Diagnostic, ended: DiagnosticEnd, at: datetime) -> None:
    diagnostic.finished_at, diagnostic.ended = at, ended
    diagnostic.save(update_fields=["finished_at", "ended", "theta", "se", "evidence"])


def _go_on(diagnostic: Diagnostic, at: datetime) -> None:
    """Choose the next question, or finish. The caller holds the lock and the transaction."""
    answers = _given(diagnostic)
    bank = theory_of(diagnostic.bank)
    stock = stock_for(diagnostic.person, diagnostic.bank, as_of=timezone.localdate(at), leaving_out=diagnostic)
    stop = theory.verdict(bank, answers, seen=stock.seen)
    item_id = None if stop else theory.next_item(bank, answers, seen=stock.seen, seed=diagnostic.seed)
    if item_id is None:
        _finish(diagnostic, bank, answers, DiagnosticEnd(stop or theory.Stop.NO_ITEMS), at)
    else:
        DiagnosticAnswer.objects.create(diagnostic=diagnostic, item_id=item_id, position=len(answers) + 1, shown_at=at)


def _given(diagnostic: Diagnostic) -> list[tuple[int, bool]]:
    rows = DiagnosticAnswer.objects.filter(diagnostic=diagnostic, answered_at__isnull=False).order_by("position")
    return [(item_id, bool(correct)) for item_id, correct in rows.values_list("item_id", "correct")]


def _finish(
    diagnostic: Diagnostic, bank: theory.Bank, answers: Sequence[tuple[int, bool]], ended: DiagnosticEnd, at: datetime
) -> None:
    """Record the level that is certain enough by the rules in force; the rules cap it whenever it is read.

    Where the competency was withdrawn meanwhile the diagnostic ends all the same, and nothing is recorded.
    """
    competency = diagnostic.bank.competency
    belief = theory.posterior(bank, answers)
    diagnostic.theta, diagnostic.se = theory.eap(belief)
    value, se = theory.to_ranks(diagnostic.theta, diagnostic.se, bank.cuts)
    chances = theory.at_least(belief, bank.cuts)
    rank = certain_rank(chances, certainty_of(book_of(competency.version.framework_id).rules))
    try:
        [diagnostic.evidence] = record_evidence(
            person=diagnostic.person,
            findings=[Finding(competency, rank, value=value, se=se, probabilities=chances)],
            kind=EvidenceKind.DIAGNOSTIC,
            source_key=source_key(diagnostic),
            by=None,
            occurred_on=timezone.localdate(at),
            assessed=True,
            source=diagnostic.bank.title,
            at=at,
        )
    except EvidenceRefused:
        diagnostic.evidence = None
    _close(diagnostic, ended, at)
    log(
        instance=diagnostic,
        title=f"Diagnostic {diagnostic.pk}",
        action="competencies.finish_diagnostic",
        user=diagnostic.person,
    )


def source_key(diagnostic: Diagnostic) -> str:
    return f"diagnostic:{diagnostic.pk}"


def certainty_of(rules: RuleSet) -> float:
    """How sure a level must be to be shown by a diagnostic."""
    stated = (rule.certainty for rule in rules.rules if EvidenceKind.DIAGNOSTIC in rule.kinds)
    return next((certainty for certainty in stated if certainty is not None), CERTAINTY)


# --- What its pages show ---------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class About:
    """What a person should know before she begins. `questions` and `minutes` are the usual, `at_most` the longest."""

    questions: int
    minutes: int
    at_most: int
    cap: int
    months: int | None
    certainty_pct: int
    stock: Stock


def about(person: User, bank: ItemBank, *, as_of: date) -> About:
    rules = book_of(bank.competency.version.framework_id).rules
    rule = next((rule for rule in rules.rules if EvidenceKind.DIAGNOSTIC in rule.kinds), None)
    ranks = scales_of([bank.competency.version_id])[bank.competency.version_id].max_rank
    longest = longest_of(bank)
    usual = min(USUAL_QUESTIONS, longest)
    return About(
        questions=usual,
        minutes=minutes_for(usual),
        at_most=longest,
        cap=min(cap_of(rules, ranks), len(bank.cuts)),
        months=rule.valid_months if rule is not None else None,
        certainty_pct=round(100 * certainty_of(rules)),
        stock=stock_for(person, bank, as_of=as_of),
    )


def longest_of(bank: ItemBank) -> int:
    """The most questions it asks: fewer once all are calibrated, and never more than there are. One query."""
    calibrated = DiagnosticItem.objects.filter(bank=bank, is_retired=False).values_list("calibrated_at", flat=True)
    limits = theory.UNCALIBRATED if any(moment is None for moment in calibrated) else theory.CALIBRATED
    return min(limits.most_items, len(calibrated))


@dataclass(frozen=True)
class Question:
    """The question that is open, with its answers in an order of this diagnostic's own."""

    position: int
    at_most: int
    item: DiagnosticItem
    options: tuple[ItemOption, ...]


def current_question(diagnostic: Diagnostic) -> Question | None:
    """The question that waits for an answer; None when the diagnostic is over. The same on every call."""
    if diagnostic.finished_at is not None:
        return None
    row = (
        DiagnosticAnswer.objects.filter(diagnostic=diagnostic, answered_at__isnull=True)
        .select_related("item")
        .prefetch_related("item__options")
        .first()
    )
    if row is None:
        return None
    at_most = max(longest_of(diagnostic.bank), row.position)
    return Question(row.position, at_most, row.item, shuffled(row.item, diagnostic.seed))


def shuffled(item: DiagnosticItem, seed: int) -> tuple[ItemOption, ...]:
    """The answers in an order that belongs to this diagnostic and question, whatever order they are stored in."""
    options = sorted(item.options.all(), key=lambda option: option.pk)
    random.Random(f"{seed}:{item.pk}").shuffle(options)  # noqa: S311 - an order, not a secret
    return tuple(options)


@dataclass(frozen=True)
class Part:
    """How a part of the competency went: `surplus` is right answers more (or less) than the other parts let expect."""

    facet: BankFacet
    asked: int
    right: int
    surplus: float

    @property
    def tells(self) -> str:
        """ "weak", "strong" or "even"."""
        if abs(self.surplus) < STANDS_OUT_BY:
            return "even"
        return "strong" if self.surplus > 0 else "weak"


@dataclass(frozen=True)
class Reviewed:
    """A question that was answered, with its answers as they stood and how each is to be marked."""

    position: int
    item: DiagnosticItem
    right: bool
    known: bool
    options: tuple[tuple[ItemOption, str], ...]

    @property
    def name(self) -> str:
        """What its answers are called on the page, where several questions stand."""
        return f"q{self.position}"


@dataclass(frozen=True)
class Result:
    """What came of a diagnostic. `chances`: (rank, P(>= rank)) from rank 1. `moved` is None where nothing is recorded,
    or what was recorded has been withdrawn since. Without an end of its own there are no `questions`: whoever stops
    does not see the answers and begin again with them."""

    diagnostic: Diagnostic
    scale: Scale
    evidence: Evidence | None
    chances: tuple[tuple[int, float], ...]
    most_likely: int
    certainty: float
    cap: int
    moved: Moved | None
    parts: tuple[Part, ...]
    questions: tuple[Reviewed, ...]

    @property
    def right(self) -> int:
        return sum(question.right for question in self.questions)

    @property
    def recorded(self) -> int:
        """The rank that its own answers show by the rules in force."""
        stated = certain_rank([p for _rank, p in self.chances], self.certainty)
        return min(stated, self.cap)

    @property
    def most_likely_chance(self) -> float:
        return likely_levels([p for _rank, p in self.chances])[self.most_likely] if self.chances else 0.0


def likely_levels(at_least: Sequence[float]) -> list[float]:
    """P(level 0), P(level 1), … from P(>= 1), P(>= 2), …"""
    bounds = [1.0, *at_least, 0.0]
    return [upper - lower for upper, lower in itertools.pairwise(bounds)]


def result_of(diagnostic: Diagnostic) -> Result:
    """Everything the page after a diagnostic says. As many queries for twenty questions as for six."""
    competency = diagnostic.bank.competency
    rules = book_of(competency.version.framework_id).rules
    scale = scales_of([competency.version_id])[competency.version_id]
    rows = list(
        DiagnosticAnswer.objects.filter(diagnostic=diagnostic, answered_at__isnull=False)
        .select_related("item__facet")
        .prefetch_related("item__options")
        .order_by("position")
    )
    evidence = diagnostic.evidence
    chances = tuple(evidence.probabilities or ()) if evidence is not None else ()
    levels = likely_levels(chances)
    return Result(
        diagnostic=diagnostic,
        scale=scale,
        evidence=evidence,
        chances=tuple(enumerate(chances, start=1)),
        most_likely=levels.index(max(levels)),
        certainty=certainty_of(rules),
        cap=cap_of(rules, scale.max_rank),
        moved=_moved_by(diagnostic) if evidence is not None else None,
        parts=_parts(rows, diagnostic),
        questions=() if diagnostic.ended in BROKEN_OFF else tuple(_reviewed(row, diagnostic.seed) for row in rows),
    )


def _moved_by(diagnostic: Diagnostic) -> Moved | None:
    """What it did to the level, told on the scale in force; None where its evidence has been withdrawn since."""
    evidence, competency = diagnostic.evidence, diagnostic.bank.competency
    now = competency_in_force(competency)
    if evidence is None or now == competency.pk:
        return next(iter(levels_moved(diagnostic.person, source_key(diagnostic))), None)
    in_force = Competency.objects.select_related("version__framework").get(pk=now)
    rows = list(
        Evidence.objects.standing()
        .filter(person=diagnostic.person_id, recorded_at__lte=evidence.recorded_at)
        .select_related("stands_for", "competency__version")
        .order_by("pk")
    )
    if all(row.pk != evidence.pk for row in rows):
        return None
    day = evidence.occurred_on
    before, scale = level_shown_by([row for row in rows if row.pk != evidence.pk], in_force, as_of=day)
    after, _scale = level_shown_by(rows, in_force, as_of=day)
    return Moved(in_force, scale, before, after)


def _reviewed(row: DiagnosticAnswer, seed: int) -> Reviewed:
    def mark(option: ItemOption) -> str:
        if option.pk == row.option_id:
            return "right" if option.correct else "wrong"
        return "answer" if option.correct else ""

    options = tuple((option, mark(option)) for option in shuffled(row.item, seed))
    return Reviewed(row.position, row.item, bool(row.correct), row.option_id is not None, options)


def _parts(rows: Sequence[DiagnosticAnswer], diagnostic: Diagnostic) -> tuple[Part, ...]:
    """What to look at first comes first."""
    if diagnostic.theta is None:
        return ()
    by_facet: dict[int, list[DiagnosticAnswer]] = {}
    for row in rows:
        by_facet.setdefault(row.item.facet_id, []).append(row)
    surplus = {row.pk: bool(row.correct) - _chance_of_right(row.item, diagnostic.theta) for row in rows}
    usual = sum(surplus.values()) / max(len(rows), 1)
    parts = []
    for answers in by_facet.values():
        right = sum(bool(row.correct) for row in answers)
        beyond = sum(surplus[row.pk] - usual for row in answers)
        parts.append(Part(answers[0].item.facet, len(answers), right, beyond))
    return tuple(sorted(parts, key=lambda part: (part.surplus, part.facet.position)))


def _chance_of_right(item: DiagnosticItem, theta: float) -> float:
    slope = item.discrimination if item.calibrated_at is not None else 1.0
    return 1 / (1 + math.exp(-slope * (theta - item.difficulty)))
