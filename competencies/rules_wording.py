"""Rules and parameters in words: what each number is called, what changed, why a number is refused."""

from __future__ import annotations

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from competencies.likely import Parameters, Passing, Rating
from competencies.rulebooks import Book, NumberChanged, RulesRefused, is_whole, limits_of
from competencies.wording import months_words, rule_words, share_words

PERCENT = frozenset({"certainty"})


def rule_name(code: str) -> str:
    return {
        "assessed": _("Course or certificate passed with a check"),
        "accepted": _("Prior learning accepted, or a panel"),
        "diagnostic": _("Diagnostic"),
        "manager": _("Manager’s assessment"),
        "completed": _("Course completed without a check"),
        "self": _("Self-assessment"),
        "quiz": _("Quiz within a lesson"),
    }[code]


def kind_name(kind: str) -> str:
    """What the estimate calls a kind of evidence."""
    return {
        "self": _("Self-assessment"),
        "manager": _("Manager’s assessment"),
        "panel": _("Panel of assessors"),
        "diagnostic": _("Diagnostic"),
        "quiz": _("Quiz"),
        "certificate": _("Course or certificate passed with a check"),
        "completion": _("Course completed without a check"),
        "prior_learning": _("Prior learning"),
    }[kind]


def number_name(place: str) -> str:
    """What the number at a dotted place is called, within its rule."""
    return {
        "refresh_days": _("Days before a level lapses in which a refresh is due"),
        "months": _("Months it counts"),
        "cap": _("Highest level it shows alone"),
        "certainty": _("How certain a level must be, in per cent"),
        "prior_mean": _("Where somebody stands of whom nothing is known (level)"),
        "prior_sd": _("How far people differ from that (levels)"),
        "unsure_sd": _("From which uncertainty on a diagnostic comes before a course (levels)"),
        "half_life_months": _("Months after which it weighs half"),
        "bias": _("How much too high it is on average (levels)"),
        "sd": _("How far it is off usually (levels)"),
        "extra_sd": _("Uncertainty added to its own (levels)"),
        "s": _("How sharply it tells those who pass from those who fail (levels; small is sharp)"),
        "g": _("Chance of passing without the level (0 to 1)"),
    }[place.rpartition(".")[2]]


def place_name(place: str) -> str:
    """The whole name of a number, where it stands alone: "Manager’s assessment: months it counts"."""
    parts = place.split(".")
    if parts[0] == "rules":
        return _("%(rule)s: %(number)s") % {"rule": rule_name(parts[1]), "number": _lower(number_name(place))}
    if len(parts) == 4:
        return _("Estimate, %(kind)s: %(number)s") % {
            "kind": _lower(kind_name(parts[2])),
            "number": _lower(number_name(place)),
        }
    if parts[0] == "parameters":
        return _("Estimate: %(number)s") % {"number": _lower(number_name(place))}
    return number_name(place)


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:]


def as_shown(place: str, value: float) -> float:
    """A number as people read and write it: a certainty of 0.8 is 80."""
    shown = round(value * 100, 4) if place.rpartition(".")[2] in PERCENT else value
    return int(shown) if shown == int(shown) else shown


def as_kept(place: str, value: float) -> float:
    """The way back from `as_shown`."""
    return round(value / 100, 6) if place.rpartition(".")[2] in PERCENT else value


def number_words(place: str, value: float) -> str:
    return formats.number_format(as_shown(place, value))


def change_words(change: NumberChanged) -> str:
    """One changed number as a sentence."""
    return _("%(what)s: %(after)s instead of %(before)s.") % {
        "what": place_name(change.place),
        "before": number_words(change.place, change.before),
        "after": number_words(change.place, change.after),
    }


def refusal_words(error: RulesRefused) -> str:
    """Why a number cannot be a rule, as a sentence beside its field."""
    if error.problem in {"unknown", "not_a_group"}:
        return _("“%(place)s” is not among the numbers that can be changed.") % {"place": error.place}
    least, most = (number_words(error.place, limit) for limit in limits_of(error.place))
    words = {
        "not_a_number": _("Give a number from %(least)s to %(most)s."),
        "not_whole": _("Give a whole number from %(least)s to %(most)s."),
        "out_of_range": _("Give a whole number from %(least)s to %(most)s.")
        if is_whole(error.place)
        else _("Give a number from %(least)s to %(most)s."),
    }
    return words[error.problem] % {"least": least, "most": most}


def refresh_words(days: int) -> str:
    if not days:
        return _("Nobody is told before a level lapses.")
    return ngettext(
        "A refresh is due from %(count)s day before a level lapses; until it lapses the level stands.",
        "A refresh is due from %(count)s days before a level lapses; until it lapses the level stands.",
        days,
    ) % {"count": days}


def book_words(book: Book) -> list[str]:
    """The rules of an edition as sentences, how they work together, and when a refresh is due."""
    return [
        *(rule_words(rule) for rule in book.rules.rules),
        _("The highest level shown by valid evidence counts; a level includes those below it."),
        refresh_words(book.rules.refresh_days),
    ]


def parameter_words(parameters: Parameters) -> list[tuple[str, str]]:
    """What each kind of evidence weighs in the estimate and how fast it ages: (kind, sentence)."""
    return [(kind_name(name), _kind_words(kind)) for name, kind in parameters.kinds.items()]


def _kind_words(kind: Rating | Passing) -> str:
    ages = _("It weighs half after %(time)s.") % {"time": _half_life_words(kind.half_life_months)}
    if isinstance(kind, Passing):
        meaning = (
            _("Passing says much about the level.")
            if kind.s <= 0.75
            else _("Passing says something about the level.")
            if kind.s <= 1.5
            else _("Passing says little about the level.")
        )
        chance = _("%(pct)s would pass without it.") % {"pct": share_words(kind.g)} if kind.g else ""
        return " ".join(words for words in (meaning, chance, ages) if words)
    if kind.sd is None:
        return " ".join([_("It brings its own uncertainty."), ages])
    off = _("It is usually off by up to %(levels)s levels.") % {"levels": formats.number_format(kind.sd)}
    bias = ""
    if kind.bias > 0:
        bias = _("On average it is %(levels)s levels too high, which is taken off.")
    elif kind.bias < 0:
        bias = _("On average it is %(levels)s levels too low, which is added.")
    said = bias % {"levels": formats.number_format(abs(kind.bias))} if bias else ""
    return " ".join(words for words in (off, said, ages) if words)


def _half_life_words(months: float) -> str:
    if months == int(months):
        return months_words(int(months))
    return _("%(count)s months") % {"count": formats.number_format(months)}
