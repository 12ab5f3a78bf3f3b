"""Levels and rules in sentences. The figures come from competencies.levels; here they become words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from competencies.differences import RequirementChange, Rewording
from competencies.enums import CompetencyKind, EvidenceKind, Necessity
from competencies.gaps import Required
from competencies.levels import AttainmentRule, Judged, Level, Remedy, Verdict
from competencies.likely import Likely
from competencies.models import Competency, Evidence
from competencies.selectors import Line, Moved, Scale


def kind_phrase(kind: str) -> str:
    """What shows a level, as the end of "shown by …"."""
    return {
        EvidenceKind.SELF: _("a self-assessment"),
        EvidenceKind.MANAGER: _("the manager’s assessment"),
        EvidenceKind.PANEL: _("a panel of assessors"),
        EvidenceKind.QUIZ: _("a quiz"),
        EvidenceKind.DIAGNOSTIC: _("a diagnostic"),
        EvidenceKind.COURSE: _("a course"),
        EvidenceKind.CERTIFICATE: _("a certificate"),
        EvidenceKind.PRIOR_LEARNING: _("prior learning"),
    }[EvidenceKind(kind)]


def count_words(kind: str, count: int) -> str:
    """How many of a kind of competency: "946 tasks"."""
    words = {
        CompetencyKind.COMPETENCY: ngettext("%(count)s competency", "%(count)s competencies", count),
        CompetencyKind.SKILL: ngettext("%(count)s skill", "%(count)s skills", count),
        CompetencyKind.KNOWLEDGE: ngettext("%(count)s piece of knowledge", "%(count)s pieces of knowledge", count),
        CompetencyKind.TASK: ngettext("%(count)s task", "%(count)s tasks", count),
        CompetencyKind.TOOL: ngettext("%(count)s technology", "%(count)s technologies", count),
        CompetencyKind.STATEMENT: ngettext("%(count)s statement", "%(count)s statements", count),
        CompetencyKind.OUTCOME: ngettext("%(count)s learning outcome", "%(count)s learning outcomes", count),
    }
    return words[CompetencyKind(kind)] % {"count": formats.number_format(count, force_grouping=True)}


def difference_words(difference: int | None) -> str:
    """By how many levels the second of two roles differs from the first."""
    if difference is None:
        return _("cannot be said in levels")
    if difference == 0:
        return _("the same")
    if difference > 0:
        return ngettext("one level more", "%(count)s levels more", difference) % {"count": difference}
    return ngettext("one level less", "%(count)s levels less", -difference) % {"count": -difference}


def asked_words(rank: int | None, scale: Scale) -> str:
    """What a role asks for, beside the level bar: "Level 3, Leads"."""
    if rank is None:
        return _("No level stated") if scale.is_stated else _("Required")
    label = scale.label(rank)
    if not label or label == str(rank):
        return _("Level %(rank)s") % {"rank": rank}
    return _("Level %(rank)s, %(label)s") % {"rank": rank, "label": label}


def level_words(rank: int, scale: Scale) -> str:
    """ "level 2 (with guidance)"; for a framework without levels "held" or "not held"."""
    if not scale.is_stated:
        return _("held") if rank else _("not held yet")
    if rank == 0:
        return _("level 0")
    return _("level %(rank)s (%(label)s)") % {"rank": rank, "label": scale.label(rank).lower()}


def line_sentence(line: Line, *, own: bool = True) -> str:
    """The sentence beside the level bar."""
    return level_sentence(line.level, line.required, line.scale, own=own)


def level_sentence(level: Level, asked: Required | None, scale: Scale, *, own: bool = True) -> str:
    """Held against required, and what shows it, e.g. "Level 2 of the 4 your role needs – shown by a course in March 2026".

    `asked` is None where no role asks for the competency. `own` speaks to the person herself, otherwise of her.
    """
    required = asked.rank if asked is not None else None
    values = {"rank": level.rank, "required": required}
    if asked is None:
        head = (
            _("Nothing shown yet")
            if not level.rank
            else _("Held")
            if not scale.is_stated
            else asked_words(level.rank, scale)
        )
    elif not scale.is_stated:
        head = _("Held") if level.rank else _("Required, not shown yet")
    elif required is None:
        head = (
            _("Level %(rank)s; the role states no level") % values
            if level.rank
            else _("Required at any level, not shown yet")
        )
    elif level.rank == 0:
        head = _("Level %(required)s needed, nothing shown yet") % values
    elif level.rank >= required:
        head = (
            _("Level %(rank)s; your role needs %(required)s")
            if own
            else _("Level %(rank)s; the role needs %(required)s")
        ) % values
    else:
        head = (
            _("Level %(rank)s of the %(required)s your role needs")
            if own
            else _("Level %(rank)s of the %(required)s the role needs")
        ) % values
    if level.basis is not None:
        tail = _("shown by %(what)s in %(month)s") % {
            "what": kind_phrase(level.basis.item.kind),
            "month": formats.date_format(level.basis.item.occurred_on, "YEAR_MONTH_FORMAT"),
        }
        return _("%(level)s – %(ground)s") % {"level": head, "ground": tail}
    if level.declared and not scale.is_stated:
        return _("%(level)s – self-assessed as held") % {"level": head}
    if level.declared:
        words = (
            _("%(level)s – you see yourself at %(declared)s") if own else _("%(level)s – self-assessed at %(declared)s")
        )
        return words % {"level": head, "declared": level.declared}
    return head


def moved_words(moved: Moved) -> str:
    """What an event did to a level: "level 2 before, level 4 now"."""
    before, after = moved.before.rank, moved.after.rank
    if before == after:
        return _("%(level)s, as before") % {"level": level_words(after, moved.scale)}
    return _("%(before)s before, %(after)s now") % {
        "before": level_words(before, moved.scale),
        "after": level_words(after, moved.scale),
    }


def months_words(months: int) -> str:
    """How long, the way people say it: whole years from two on, else months."""
    years, rest = divmod(months, 12)
    if years >= 2 and not rest:
        return ngettext("%(count)s year", "%(count)s years", years) % {"count": years}
    return ngettext("%(count)s month", "%(count)s months", months) % {"count": months}


def rule_words(rule: AttainmentRule) -> str:
    """An attainment rule as a sentence for everybody, with the numbers it has in the edition in force."""
    values = {
        "cap": rule.cap,
        "time": months_words(rule.valid_months) if rule.valid_months is not None else "",
        "pct": formats.number_format(f"{100 * (rule.certainty or 0):.10g}"),
    }
    nothing = rule.cap == 0
    words = {
        "assessed": _(
            "A course or certificate passed with a check shows the level it is for, for %(time)s or until it expires."
        ),
        "accepted": _(
            "Prior learning accepted by an assessor, or a panel of two or more, shows the level it states for %(time)s."
        ),
        "diagnostic": _("A diagnostic shows nothing by itself; it is on record for %(time)s.")
        if nothing
        else _(
            "A diagnostic shows the highest level that is at least %(pct)s %% certain, level %(cap)s at most, for %(time)s."
        ),
        "manager": _(
            "A manager’s assessment shows nothing alone; beside other evidence it shows at most one level more than that – "
            "for %(time)s."
        )
        if nothing
        else _(
            "A manager’s assessment shows at most level %(cap)s alone – and one level more than other evidence shows – "
            "for %(time)s."
        ),
        "completed": _("A course completed without a check shows nothing by itself; it is on record for %(time)s.")
        if nothing
        else _("A course completed without a check shows level %(cap)s for %(time)s.")
        if rule.cap == 1
        else _("A course completed without a check shows the level it is for, level %(cap)s at most, for %(time)s."),
        "self": _("Your own assessment is shown beside the level; by itself it shows nothing."),
        "quiz": _("A quiz within a lesson is practice; by itself it shows nothing."),
    }
    return words[rule.code] % values


# From which probability on which word is used; the last one holds below. One place for all pages.
PROBABILITY_BANDS = (
    (0.95, gettext_lazy("almost certain")),
    (0.80, gettext_lazy("very likely")),
    (0.60, gettext_lazy("likely")),
    (0.40, gettext_lazy("about as likely as not")),
    (0.15, gettext_lazy("unlikely")),
    (0.05, gettext_lazy("very unlikely")),
    (0.0, gettext_lazy("almost ruled out")),
)


def probability_words(probability: float) -> str:
    """The word for a probability (0 to 1)."""
    return str(next(words for least, words in PROBABILITY_BANDS if probability >= least))


def share_words(share: float) -> str:
    """A share of 1 as a percentage that never claims certainty: "96 %", "over 99 %"."""
    pct = round(100 * share)
    if pct >= 100:
        return _("over 99 %%") % ()
    if pct < 1:
        return _("under 1 %%") % ()
    return _("%(pct)s %%") % {"pct": pct}


def likely_words(likely: Likely, scale: Scale, *, required: int | None = None) -> str:
    """What is likely, in a sentence without statistics: "Most likely level 3; level 2 or more is almost certain (96 %),
    level 4 or more unlikely (18 %)".

    Named are the level below the likeliest, the one above and the one required, where they are on the scale.
    """

    def said(rank: int) -> dict[str, str | int]:
        p = likely.at_least[rank - 1]
        return {"rank": rank, "word": probability_words(p), "pct": share_words(p)}

    if not scale.is_stated:
        return _("That it is held is %(word)s (%(pct)s).") % said(1)
    best = likeliest_level(likely)
    head = _("Most likely level %(rank)s") % {"rank": best}
    below = [_("level %(rank)s or more is %(word)s (%(pct)s)") % said(best - 1)] if best >= 2 else []
    above = sorted({best + 1, required or 0} - {0, best, best - 1})
    more = [
        _("level %(rank)s or more is %(word)s (%(pct)s)") % said(rank) for rank in above if rank <= len(likely.at_least)
    ]
    tail = ", ".join([*below, *more])
    return _("%(head)s; %(tail)s.") % {"head": head, "tail": tail} if tail else _("%(head)s.") % {"head": head}


def likeliest_level(likely: Likely) -> int:
    """The level with the highest probability of all; of two alike, the lower."""
    reached = (1.0, *likely.at_least, 0.0)
    each = [here - above for here, above in pairwise(reached)]
    return each.index(max(each))


def sureness_words(likely: Likely, *, unsure_sd: float, pieces: int) -> str:
    """How far the likely level can be trusted, in a sentence."""
    if not pieces:
        return _("Nothing on record speaks to it yet, so this is no more than a starting point.")
    if likely.sd > unsure_sd:
        return _(
            "What is on record is little or does not agree: it may well be a level higher or lower. Newer evidence would "
            "tell more."
        )
    return ngettext(
        "It rests on %(count)s piece of evidence, the newer the weightier.",
        "It rests on %(count)s pieces of evidence, the newer the weightier.",
        pieces,
    ) % {"count": pieces}


# Up to how many levels which words are used for what a piece moves the likely level by.
CONTRIBUTION_BANDS = (
    (0.10, gettext_lazy("hardly moves the likely level")),
    (0.20, gettext_lazy("moves the likely level up a little"), gettext_lazy("moves the likely level down a little")),
    (
        0.375,
        gettext_lazy("moves the likely level up by about a quarter of a level"),
        gettext_lazy("moves the likely level down by about a quarter of a level"),
    ),
    (
        0.75,
        gettext_lazy("moves the likely level up by about half a level"),
        gettext_lazy("moves the likely level down by about half a level"),
    ),
    (
        1.25,
        gettext_lazy("moves the likely level up by about one level"),
        gettext_lazy("moves the likely level down by about one level"),
    ),
    (
        1.75,
        gettext_lazy("moves the likely level up by about one and a half levels"),
        gettext_lazy("moves the likely level down by about one and a half levels"),
    ),
)


def contribution_words(moves: float | None) -> str:
    """What a piece moves the likely level by, in words; None where the estimate does not look at it."""
    if moves is None:
        return _("is not looked at for the likely level")
    for most, *words in CONTRIBUTION_BANDS:
        if abs(moves) < most:
            return str(words[0] if moves > 0 or len(words) == 1 else words[1])
    levels = {"count": round(abs(moves))}
    return (
        ngettext(
            "moves the likely level up by about %(count)s level",
            "moves the likely level up by about %(count)s levels",
            levels["count"],
        )
        if moves > 0
        else ngettext(
            "moves the likely level down by about %(count)s level",
            "moves the likely level down by about %(count)s levels",
            levels["count"],
        )
    ) % levels


def verdict_words(judged: Judged) -> str:
    """What became of one piece of evidence, in a sentence."""
    lapses = formats.date_format(judged.lapses_on, "DATE_FORMAT") if judged.lapses_on else ""
    if judged.verdict is Verdict.SHOWN:
        return _("Shown beside the level; counts for nothing by itself.")
    if judged.verdict is Verdict.LAPSED:
        return _("Lapsed on %(date)s; kept on record.") % {"date": lapses}
    if judged.verdict is Verdict.FUTURE:
        return _("Dated in the future; does not count yet.")
    if judged.verdict is Verdict.ATTAINS:
        return _("This is what shows level %(rank)s, until %(date)s.") % {"rank": judged.attains, "date": lapses}
    if not judged.attains and not judged.item.rank:
        return _("Shows no level; kept on record.")
    if judged.attains < judged.item.rank:
        return _("Counts as level %(rank)s, until %(date)s: see the rule.") % {"rank": judged.attains, "date": lapses}
    return _("Counts for level %(rank)s, until %(date)s.") % {"rank": judged.attains, "date": lapses}


def source_words(row: Evidence) -> str:
    """Who or what said so; of a correction also who corrected it."""
    what = str(row.get_kind_display())
    corrected = row.stands_for_id is not None
    if row.kind == EvidenceKind.QUIZ and not row.passed:
        what = _("Quiz “%(source)s”, not passed") % {"source": row.source}
    elif row.kind == EvidenceKind.PANEL and str(row.source):  # "Panel of 3" says what it is
        what = str(row.source)
    elif str(row.source):
        what = _("%(kind)s “%(source)s”") % {"kind": what, "source": row.source}
    elif row.recorded_by is not None and row.kind != EvidenceKind.SELF and not corrected:
        what = _("%(kind)s, recorded by %(name)s") % {"kind": what, "name": row.recorded_by}
    if corrected and row.recorded_by is not None:
        return _("%(what)s, corrected by %(name)s") % {"what": what, "name": row.recorded_by}
    return what


def via_words(competency: Competency) -> str:
    """Why a piece recorded for another competency counts here."""
    return _("Recorded for “%(name)s” (%(framework)s), which is the same competency.") % {
        "name": competency,
        "framework": competency.version,
    }


def remedy_words(remedies: Sequence[Remedy], scale: Scale, *, own: bool = True) -> list[str]:
    """What would bring a person to the level required, the least effort first."""
    if scale.is_stated:
        words = {
            "diagnostic": _("A diagnostic shows level %(rank)s."),
            "manager": _("Your manager confirms level %(rank)s.") if own else _("The manager confirms level %(rank)s."),
            "course": _("You pass a course with a check for level %(rank)s.")
            if own
            else _("A course with a check for level %(rank)s is passed."),
            "certificate": _("An assessor accepts a certificate from elsewhere at level %(rank)s."),
            "prior_learning": _("An assessor accepts prior learning at level %(rank)s."),
            "panel": _("A panel of two or more assessors confirms level %(rank)s."),
        }
    else:
        words = {
            "diagnostic": _("A diagnostic shows it."),
            "manager": _("Your manager confirms it.") if own else _("The manager confirms it."),
            "course": _("You pass a course that leads to it.") if own else _("A course that leads to it is passed."),
            "certificate": _("An assessor accepts a certificate from elsewhere."),
            "prior_learning": _("An assessor accepts prior learning."),
            "panel": _("A panel of two or more assessors confirms it."),
        }
    return [words[remedy.code] % {"rank": remedy.rank} for remedy in remedies]


def rewording_words(rewording: Rewording) -> str:
    """Which text of a competency or role reads otherwise."""
    if rewording.what == "descriptor":
        return _("Description of level %(rank)s") % {"rank": rewording.rank}
    return {
        "title": _("Title"),
        "description": _("Description"),
        "example": _("Example"),
        "alternatives": _("Other names"),
        "grade": _("Grade"),
        "summary": _("Summary"),
    }[rewording.what]


def move_words(what: str, before: str, after: str) -> str:
    """That something stands elsewhere now, in a sentence."""
    values = {"before": before or "–", "after": after or "–"}
    return {
        "code": _("Code: %(before)s becomes %(after)s."),
        "kind": _("Kind: %(before)s becomes %(after)s."),
        "area": _("Area: from %(before)s to %(after)s."),
        "parent": _("Part of: %(before)s before, %(after)s now."),
        "rank": _("It speaks of level %(after)s instead of %(before)s."),
    }[what] % values


def requirement_change_words(change: RequirementChange, name: str) -> str:
    """What becomes of one requirement of a role, in a sentence."""
    values = {"name": name, "before": change.before, "after": change.after}
    if change.kind == "added":
        return (
            _("“%(name)s” is required now, at level %(after)s.")
            if change.after
            else _("“%(name)s” is required now, without a level.")
        ) % values
    return {
        "withdrawn": _("“%(name)s” is no longer required."),
        "raised": _("“%(name)s”: the level rises from %(before)s to %(after)s."),
        "lowered": _("“%(name)s”: the level falls from %(before)s to %(after)s."),
        "stated": _("“%(name)s”: level %(after)s is stated now."),
        "unstated": _("“%(name)s”: no level is stated any more (%(before)s before)."),
        "importance": _("“%(name)s”: importance %(after)s instead of %(before)s."),
        "necessity": _("“%(name)s”: %(after)s instead of %(before)s."),
    }[change.kind] % (
        values
        if change.kind != "necessity"
        else {"name": name, "before": Necessity(change.before).label, "after": Necessity(change.after).label}
    )
