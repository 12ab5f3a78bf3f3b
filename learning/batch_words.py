"""Batches in words: what was asked, what becomes of each person, and why something needs a look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from competencies.models import RoleProfile
from learning.asking import read_repeat, read_whom
from learning.assign_forms import course_titles
from learning.due_dates import (
    AFTER_ASSIGNMENT,
    AFTER_START_IN_POST,
    AFTER_STEP,
    BEFORE_CERTIFICATION_ENDS,
    FIXED,
    DuePolicy,
    read_policy,
)
from learning.enums import AssignmentKind, BatchStatus, CuratedStatus, RowOutcome, RowState
from learning.lists import count_of
from learning.models import AssignmentBatch, BatchRow, CuratedVersion
from learning.periods import Recurrence
from organisations.models import Unit

REASONS: Mapping[str, Promise] = {
    "becomes_mandatory": gettext_lazy("becomes mandatory"),
    "unrealistic": gettext_lazy("too little working time before the date"),
    "others_late": gettext_lazy("leaves too little time for another date"),
    "on_leave": gettext_lazy("away on leave now"),
    "exempt": gettext_lazy("exempt: it is not asked of this person"),
    "other_date": gettext_lazy("keeps another date"),
    "earlier_date": gettext_lazy("a rule asks for an earlier date"),
    "under_way": gettext_lazy("another assignment of the same is being applied"),
    "malformed": gettext_lazy("not an e-mail address"),
    "unknown": gettext_lazy("nobody in the units you serve has this address"),
    "inactive": gettext_lazy("no longer works here"),
    "left_rule": gettext_lazy("no longer in the scope of the rule"),
}
# Kind of status mark, and words, of a batch in a list.
STATES: Mapping[str, tuple[str, Promise]] = {
    BatchStatus.COUNTING: ("info", gettext_lazy("Dry run under way")),
    BatchStatus.READY: ("soon", gettext_lazy("Waits for you: nothing written yet")),
    BatchStatus.STALE: ("soon", gettext_lazy("Out of date: nothing written")),
    BatchStatus.APPLYING: ("info", gettext_lazy("Being assigned")),
    BatchStatus.APPLIED: ("done", gettext_lazy("Assigned")),
    BatchStatus.UNDOING: ("info", gettext_lazy("Being taken back")),
    BatchStatus.UNDONE: ("neutral", gettext_lazy("Taken back")),
    BatchStatus.FAILED: ("overdue", gettext_lazy("Stopped")),
}
ROW_STATES: Mapping[str, tuple[str, Promise]] = {
    RowState.APPLIED: ("done", gettext_lazy("Done")),
    RowState.ALREADY: ("info", gettext_lazy("Somebody was faster")),
    RowState.FAILED: ("overdue", gettext_lazy("Could not be done")),
    RowState.RESTORED: ("neutral", gettext_lazy("Taken back")),
    RowState.KEPT: ("soon", gettext_lazy("Kept: changed since")),
}


@dataclass(frozen=True)
class Asked:
    """What a batch asks for, in words: the thing, by when, and how often."""

    title: str
    kind: str
    due: str
    repeat: str


def asked_of_batches(batches: Iterable[AssignmentBatch]) -> dict[int, Asked]:
    """What each of these batches asks for, by its id. At most two queries beside what comes with them.

    Of whom, which may be ten thousand lines, nothing is read.
    """
    found = list(batches)
    policies = {batch.pk: read_policy(batch.due_policy) if batch.due_policy else DuePolicy() for batch in found}
    paths = path_titles({batch.curated_path_id for batch in found if batch.curated_path_id})
    keys = {key for batch in found for key in (batch.course_key, policies[batch.pk].course_key) if key}
    courses = dict(course_titles(keys)) if keys else {}
    return {
        batch.pk: Asked(
            _title(batch, paths, courses),
            str(AssignmentKind(batch.kind).label),
            due_words(policies[batch.pk], courses),
            repeat_words(read_repeat(batch.repeat)),
        )
        for batch in found
    }


def _title(batch: AssignmentBatch, paths: Mapping[int, str], courses: Mapping[str, str]) -> str:
    if batch.profile is not None:
        return str(batch.profile)
    if batch.curated_path_id:
        return paths.get(batch.curated_path_id, "")
    return courses.get(batch.course_key, batch.course_key)


def path_titles(ids: Iterable[int]) -> dict[int, str]:
    """Curated paths as their version in force is called, or the last one before it. One query, none for none."""
    wanted = set(ids)
    if not wanted:
        return {}
    versions = CuratedVersion.objects.filter(path__in=wanted).only("path_id", "title", "status", "number")
    ordered = sorted(versions, key=lambda version: (version.status == CuratedStatus.PUBLISHED, version.number))
    return {version.path_id: str(version.title) for version in ordered}


def due_words(policy: DuePolicy, courses: Mapping[str, str]) -> str:
    """The due date as a line on its own."""
    if policy.kind == FIXED and policy.on is not None:
        return _("Due %(day)s.") % {"day": day_words(policy.on)}
    values = {"days": policy.days, "course": courses.get(policy.course_key, policy.course_key)}
    if policy.kind == AFTER_ASSIGNMENT:
        return (
            ngettext("Due %(days)s day after the assignment.", "Due %(days)s days after the assignment.", policy.days)
            % values
        )
    if policy.kind == AFTER_START_IN_POST:
        return (
            ngettext(
                "Due %(days)s day after each one’s start in the post.",
                "Due %(days)s days after each one’s start in the post.",
                policy.days,
            )
            % values
        )
    if policy.kind == AFTER_STEP:
        return (
            ngettext(
                "Due %(days)s day after “%(course)s” is completed.",
                "Due %(days)s days after “%(course)s” is completed.",
                policy.days,
            )
            % values
        )
    if policy.kind == BEFORE_CERTIFICATION_ENDS:
        return (
            ngettext(
                "Due %(days)s day before the certification ends.",
                "Due %(days)s days before the certification ends.",
                policy.days,
            )
            % values
        )
    return _("Without a due date.")


def repeat_words(repeat: Recurrence | None) -> str:
    if repeat is None:
        return ""
    months = repeat.every_months
    return ngettext("Again every month.", "Again every %(months)s months.", months) % {"months": months}


def day_words(day: date) -> str:
    return formats.date_format(day, "DATE_FORMAT")


def whom_words(batch: AssignmentBatch) -> list[str]:
    """Who was meant, a phrase for each way of meaning somebody. At most two queries."""
    whom = read_whom(batch.whom)
    if batch.rule is not None:
        return [_("everybody who meets the rule “%(rule)s”") % {"rule": batch.rule.title}]
    words = []
    for unit in Unit.objects.filter(pk__in=whom.unit_ids).order_by("path") if whom.unit_ids else ():
        words.append((_("%(unit)s and the units below") if whom.with_sub_units else "%(unit)s") % {"unit": unit})
    if whom.holders_of:
        roles = RoleProfile.objects.filter(pk__in=whom.holders_of).select_related("role")
        words += [_("everybody with the role “%(role)s”") % {"role": role} for role in roles]
    if n := len(whom.person_ids):
        words.append(ngettext("%(n)s person you chose", "%(n)s people you chose", n) % {"n": n})
    if n := count_of(whom.emails):
        lines = ngettext("a list of %(n)s line", "a list of %(n)s lines", n) % {"n": n}
        words.append(f"{lines} ({whom.list_name})" if whom.list_name else lines)
    return words


def reason_words(reasons: Iterable[str]) -> list[str]:
    return [str(REASONS.get(reason, _("look at this one"))) for reason in reasons]


@dataclass(frozen=True)
class RowView:
    """A row of a batch as a page or a download shows it."""

    row: BatchRow
    outcome: str
    reasons: list[str]
    state: tuple[str, str] | None

    @property
    def moves(self) -> bool:
        return self.row.outcome == RowOutcome.MOVES


def row_views(rows: Iterable[BatchRow]) -> Iterable[RowView]:
    outcomes = {outcome.value: str(outcome.label) for outcome in RowOutcome}
    states = {state: (kind, str(words)) for state, (kind, words) in ROW_STATES.items()}
    for row in rows:
        yield RowView(row, outcomes[row.outcome], reason_words(row.reasons), states.get(row.state))


# --- What the page says first ----------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Figure:
    """A number that opens its list: `show` names the rows it counts."""

    number: int
    words: str
    show: str


def figures_of(batch: AssignmentBatch) -> list[Figure]:
    """The dry run in numbers: who gains always, the rest where there is somebody."""
    counts: dict[str, Any] = batch.counts
    reasons = counts.get("reasons", {})
    gains, holds, moves, binds, loses, conflicts, missing, unrealistic, others_late = (
        *(
            counts.get(outcome.value, 0)
            for outcome in (
                RowOutcome.GAINS, RowOutcome.HOLDS, RowOutcome.MOVES, RowOutcome.BINDS, RowOutcome.LOSES, RowOutcome.CONFLICT,
                RowOutcome.NOT_FOUND,
            )
        ),
        reasons.get("unrealistic", 0),
        reasons.get("others_late", 0),
    )  # fmt: skip
    gain_words = {
        AssignmentKind.ROLE: ngettext("person gains a path", "people gain a path", gains),
        AssignmentKind.PATH: ngettext("person gains the path", "people gain the path", gains),
        AssignmentKind.COURSE: ngettext("person gains the course", "people gain the course", gains),
    }
    figures = [
        Figure(gains, gain_words[AssignmentKind(batch.kind)], RowOutcome.GAINS),
        Figure(holds, ngettext("already holds it", "already hold it", holds), RowOutcome.HOLDS),
        Figure(moves, ngettext("gets another date", "get another date", moves), RowOutcome.MOVES),
        Figure(
            binds,
            ngettext("had it recommended: mandatory now", "had it recommended: mandatory now", binds),
            RowOutcome.BINDS,
        ),
        Figure(loses, ngettext("loses it", "lose it", loses), RowOutcome.LOSES),
        Figure(missing, ngettext("could not be found", "could not be found", missing), RowOutcome.NOT_FOUND),
        Figure(unrealistic, ngettext("date is not realistic", "dates are not realistic", unrealistic), "unrealistic"),
        Figure(
            others_late,
            ngettext("misses another date because of it", "miss another date because of it", others_late),
            "others_late",
        ),
        Figure(conflicts, ngettext("is left as it is", "are left as they are", conflicts), RowOutcome.CONFLICT),
    ]
    return [figure for figure in figures if figure.number or figure.show == RowOutcome.GAINS]


def report_of(batch: AssignmentBatch) -> list[Figure]:
    """What became of the rows that were to be done, in numbers; and the lines that led to nobody."""
    states = batch.counts.get("states", {})
    words = {
        RowState.APPLIED: gettext_lazy("done as it was shown"),
        RowState.ALREADY: gettext_lazy("somebody was faster"),
        RowState.FAILED: gettext_lazy("could not be done"),
        RowState.RESTORED: gettext_lazy("taken back"),
        RowState.KEPT: gettext_lazy("kept, because somebody has changed it since"),
    }
    figures = [
        Figure(states[state.value], str(word), state) for state, word in words.items() if states.get(state.value)
    ]
    missing = [figure for figure in figures_of(batch) if figure.show == RowOutcome.NOT_FOUND]
    return figures + missing
