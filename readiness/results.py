"""Results: the only door to figures. Pages, spreadsheets, documents and the API show what these functions return, and
nothing else; everything here is a function of the totals of sealed classes, rounded as coarsely as it is of few people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import get_language

from readiness.models import Comment, CutTotals, NodeBlock, Wave, WaveNode
from readiness.questionnaire import block_codes, comparable, in_language
from readiness.statistics import display
from readiness.statistics.agreement import shrink
from readiness.statistics.display import Share, Standing, Trust, Verdict
from readiness.statistics.inference import Change, Totals, change, margin
from readiness.statistics.scores import score_0_100
from readiness.totals import BlockTotals

POINTS_PER_STEP = 25.0  # from one answer to the next on a scale of five, in points of 100
MANY_COMMENTS = 50


@dataclass(frozen=True)
class Shares:
    """Of a hundred answers: unfavourable, neutral, favourable. `n` people."""

    n: int
    unfavourable: Share
    neutral: Share
    favourable: Share


@dataclass(frozen=True)
class ItemFigure:
    code: str
    text: str
    shares: Shares


@dataclass(frozen=True)
class Since:
    """What has become of a block since the survey before, in points of 100; no points where nothing can be told."""

    verdict: Verdict
    points: int | None = None
    low: int | None = None
    high: int | None = None


# Changes are drawn from fifty points down to fifty up: more hardly ever happens between two surveys.
DRAWN_POINTS = 50


def change_drawn(since: Since) -> tuple[float, float, float] | None:
    """Where low, points and high stand on a line from 0 (fifty down) to 1 (fifty up), cut off at its ends."""
    if since.points is None or since.low is None or since.high is None:
        return None
    low, point, high = (
        min(1.0, max(0.0, (value + DRAWN_POINTS) / (2 * DRAWN_POINTS)))
        for value in (since.low, since.points, since.high)
    )
    return low, point, high


@dataclass(frozen=True)
class Figure:
    """A block of one unit: 0 to 100. `score` and `n` None: fewer than k of its sheets count. `margin` None: one only."""

    code: str
    title: str
    about: str
    kind: str
    n: int | None
    score: int | None
    margin: int | None
    shares: Shares | None
    items: tuple[ItemFigure, ...] = ()
    since: Since | None = None
    trust: Trust = Trust.HIDDEN
    alpha: float | None = None

    @property
    def width(self) -> int:
        """For a bar: 0 to 100 also where there is no figure."""
        return self.score or 0


@dataclass(frozen=True)
class Driver:
    """How much of what goes along with commitment is this block's, in percent, in steps of five; between `low` and
    `high` if other people of the same body had answered."""

    code: str
    title: str
    pct: int
    low: int
    high: int


@dataclass(frozen=True)
class NodeName:
    code: str
    name: str
    depth: int


@dataclass(frozen=True)
class Cut:
    """One category of the declared attribute, for the whole body."""

    category: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Result:
    """What is shown of one unit. `asked_for` is the unit looked for; `shown` that whose figures these are."""

    wave_id: int
    initiative: str
    kind: str
    opened_on: date
    closed_on: date
    k: int
    asked_for: NodeName
    shown: NodeName
    n: int
    eligible: int
    counted_higher: bool
    figures: tuple[Figure, ...]
    index: int | None
    cuts: tuple[Cut, ...]
    comments: tuple[tuple[str, tuple[str, ...]], ...]
    compared_with: date | None
    # Of a group of this unit fewer than three in ten answered.
    has_silent_part: bool = False
    drivers: tuple[Driver, ...] = ()

    @property
    def is_of_above(self) -> bool:
        return self.asked_for.code != self.shown.code

    @property
    def response_pct(self) -> int:
        """How many in a hundred answered, rounded down: never a hundred where somebody did not."""
        return self.n * 100 // self.eligible if self.eligible else 0

    @property
    def describes_few(self) -> bool:
        """Fewer than half answered: it describes those who did."""
        return display.describes_those_who_answered(self.n, self.eligible)

    def figure(self, code: str) -> Figure | None:
        return next((figure for figure in self.figures if figure.code == code), None)


class NoResult(LookupError):
    """There is nothing to show: the survey has no results, or the unit is not in it."""


def results_for(wave: Wave, node: WaveNode) -> Result:
    """The result of a unit, or of the nearest one above that has figures. At most six queries, whatever the size.

    Raises NoResult before the survey is closed, and where nobody may see anything.
    """
    if not wave.has_results or node.wave_id != wave.pk or not node.shown_code:
        raise NoResult
    shown = node if node.shown_code == node.code else wave.nodes.get(code=node.shown_code)
    totals = _totals_of(shown)
    before, on = _before(wave, shown)
    figures = _figures(wave, totals, shown.eligible, before)
    is_root = not shown.parent_code
    return Result(
        wave_id=wave.pk,
        initiative=str(wave.initiative.title),
        kind=wave.kind,
        opened_on=timezone.localdate(wave.opens_at),
        closed_on=timezone.localdate(wave.closes_at),
        k=wave.k,
        asked_for=name_of(node),
        shown=name_of(shown),
        n=shown.sheets,
        eligible=shown.eligible,
        counted_higher=node.counted_higher if node.pk == shown.pk else False,
        figures=figures,
        index=_index(figures),
        cuts=_cuts(wave) if is_root and wave.cut_attribute else (),
        comments=_comments(wave, shown),
        compared_with=on,
        has_silent_part=_has_silent_part(wave, shown),
        drivers=_drivers(wave) if is_root else (),
    )


def _has_silent_part(wave: Wave, node: WaveNode) -> bool:
    """Whether of any of the groups counted at it or below fewer answered than a figure of everybody needs."""
    codes = wave.nodes.filter(position__gte=node.position, position__lte=node.last).values("code")
    few = wave.classes.filter(eligible__gt=0, n__lt=F("eligible") * display.LOW_CLASS_RESPONSE_PCT / 100.0)
    return few.filter(node_code__in=codes).exists()


def _drivers(wave: Wave) -> tuple[Driver, ...]:
    """What goes along with commitment, the most first; none where too few answered, or blocks cannot be told apart."""
    weights, between = wave.summary.get("weights", {}), wave.summary.get("weights_between", {})
    language = get_language() or ""
    titles = {block["code"]: in_language(block["title"], language) for block in wave.questionnaire["blocks"]}
    found = [
        Driver(
            code, titles.get(code, code), round(weight * 20) * 5,
            floor(between[code][0] * 20) * 5, ceil(between[code][1] * 20) * 5,
        )
        for code, weight in weights.items()
        if code in between
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda driver: (-driver.pct, driver.title)))


def name_of(node: WaveNode) -> NodeName:
    return NodeName(node.code, in_language(node.name, get_language() or "") or node.code, node.depth)


def _totals_of(node: WaveNode) -> dict[str, BlockTotals]:
    return {row.block: row.totals for row in NodeBlock.objects.filter(node=node)}


def _before(wave: Wave, node: WaveNode) -> tuple[dict[str, tuple[str, BlockTotals | None]], date | None]:
    """By block: which totals of this wave are compared, and those of the wave before of the same unit; None where too
    few answered then."""
    if wave.previous is None or not wave.previous.has_results:
        return {}, None
    pairs = comparable(wave.previous.questionnaire, wave.questionnaire)
    if not pairs:
        return {}, None
    rows = NodeBlock.objects.filter(
        node__wave=wave.previous, node__code=node.code, block__in=[old for old, _new in pairs.values()]
    )
    known = {row.block: row.totals for row in rows}
    found = {block: (new, known.get(old)) for block, (old, new) in pairs.items()}
    return found, timezone.localdate(wave.previous.closes_at)


def _figures(
    wave: Wave,
    totals: Mapping[str, BlockTotals],
    eligible: int,
    before: Mapping[str, tuple[str, BlockTotals | None]] | None = None,
) -> tuple[Figure, ...]:
    since = _since(totals, before) if before is not None else {}
    return figures_of(wave.questionnaire, totals, eligible, since, wave.summary.get("reliability", {}))


def figures_of(
    questionnaire: Mapping[str, Any],
    totals: Mapping[str, BlockTotals],
    eligible: int,
    since: Mapping[str, Since] | None = None,
    reliability: Mapping[str, Mapping[str, Any]] | None = None,
) -> tuple[Figure, ...]:
    """The figures of all blocks of a questionnaire, rounded for showing. `totals`: by block, of a sealed group of those
    `eligible`; a block without totals has no figure."""
    language = get_language() or ""
    found = []
    for block in questionnaire["blocks"]:
        code = block["code"]
        known = totals.get(code)
        trust = (reliability or {}).get(code, {})
        found.append(
            Figure(
                code=code,
                title=in_language(block["title"], language),
                about=in_language(block["about"], language),
                kind=block["kind"],
                n=known.means.n if known else None,
                score=_score(known.means) if known else None,
                margin=_margin(known.means, eligible) if known else None,
                shares=_all_shares(known) if known else None,
                items=_items(block, known, language) if known and display.may_show_items(known.means.n) else (),
                since=(since or {}).get(code),
                trust=display.trust_in_reliability(trust.get("n", 0)),
                alpha=trust.get("alpha"),
            )
        )
    return tuple(found)


def _score(totals: Totals) -> int | None:
    return None if totals.mean is None else display.rounded(score_0_100(totals.mean), totals.n)


def _margin(totals: Totals, eligible: int) -> int | None:
    found = margin(totals, max(eligible, totals.n))
    return None if found is None else display.rounded_margin(found * POINTS_PER_STEP, totals.n)


def _all_shares(totals: BlockTotals) -> Shares:
    return _shares([sum(item[at] for item in totals.items) for at in range(3)], totals.means.n)


def _shares(counts: Sequence[int], n: int) -> Shares:
    whole = sum(counts) or 1
    low, middle, high = (display.shown_share(100 * part / whole, n) for part in counts)
    return Shares(n, low, middle, high)


def _items(block: Mapping[str, Any], totals: BlockTotals, language: str) -> tuple[ItemFigure, ...]:
    return tuple(
        ItemFigure(item["code"], in_language(item["text"], language), _shares(counts, totals.means.n))
        for item, counts in zip(block["items"], totals.items, strict=True)
    )


def _since(totals: Mapping[str, BlockTotals], before: Mapping[str, tuple[str, BlockTotals | None]]) -> dict[str, Since]:
    """All blocks of the unit looked at together, so that chance alone seldom makes one stand out."""
    changes: dict[str, Change | None] = {}
    sizes: dict[str, int] = {}
    for block, (name, old) in before.items():
        new = totals.get(name)
        changes[block] = _in_points(change(old.means, new.means)) if new and old else None
        sizes[block] = min(old.means.n, new.means.n) if new and old else 0
    found = {}
    for block, verdict in display.verdicts(changes).items():
        known = changes[block]
        if known is None:
            found[block] = Since(verdict)
        else:
            shown = (display.rounded(value, sizes[block]) for value in (known.diff, known.low, known.high))
            found[block] = Since(verdict, *shown)
    return found


def _in_points(found: Change | None) -> Change | None:
    """From steps of the scale to points of 100."""
    if found is None:
        return None
    return Change(
        found.diff * POINTS_PER_STEP, found.se * POINTS_PER_STEP, found.t, found.df, found.p,
        found.low * POINTS_PER_STEP, found.high * POINTS_PER_STEP, found.cohen_d, found.hedges_g,
    )  # fmt: skip


def _index(figures: Sequence[Figure]) -> int | None:
    """The mean of the shown readiness blocks; None unless each is shown."""
    found = display.index([figure.score for figure in figures if figure.kind == "readiness"])
    return None if found is None else round(found)


def _cuts(wave: Wave) -> tuple[Cut, ...]:
    by_category: dict[str, dict[str, BlockTotals]] = {}
    for row in CutTotals.objects.filter(wave=wave).order_by("category"):
        by_category.setdefault(row.category, {})[row.block] = row.totals
    # How many were asked in a category is not kept with its totals: the margin is that of a large body.
    return tuple(
        Cut(category, tuple(_without_items(figure) for figure in _figures(wave, totals, 10**9)))
        for category, totals in by_category.items()
    )


def _without_items(figure: Figure) -> Figure:
    return Figure(figure.code, figure.title, "", figure.kind, figure.n, figure.score, figure.margin, figure.shares)


def _comments(wave: Wave, node: WaveNode) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Approved comments placed at the unit or below it, by question, in the order fixed at closing."""
    codes = wave.nodes.filter(position__gte=node.position, position__lte=node.last).values("code")
    rows = Comment.objects.filter(wave=wave, state="shown", node_code__in=codes).order_by("question", "place")
    language = get_language() or ""
    texts = {question["code"]: in_language(question["text"], language) for question in wave.questionnaire["questions"]}
    found: dict[str, list[str]] = {}
    for question, text in rows.values_list("question", "text")[:MANY_COMMENTS]:
        found.setdefault(question, []).append(text)
    return tuple((texts.get(question, question), tuple(said)) for question, said in found.items())


# --- The map ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Cell:
    """A block of a unit on the map: its mean drawn to that of all, the more so the fewer people it is of. `standing`:
    beside the rest of the unit above; None where that is not on the screen."""

    block: str
    title: str
    score: int | None
    standing: Standing | None = None
    # As it was counted, where it stands out: a small unit's `score` may look like that of others that do not.
    counted: int | None = None


@dataclass(frozen=True)
class Row:
    node: NodeName
    n: int
    eligible: int
    has_units: bool
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Map:
    """Units and blocks. `compares`: blocks in which units differ reliably enough to be compared at a glance."""

    wave_id: int
    blocks: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    compares: frozenset[str]

    @property
    def has_marks(self) -> bool:
        return any(cell.standing in (Standing.ABOVE, Standing.BELOW) for row in self.rows for cell in row.cells)

    @property
    def compared_titles(self) -> list[str]:
        return [title for code, title in self.blocks if code in self.compares]


def map_of(wave: Wave, nodes: Sequence[WaveNode], above: WaveNode | None = None) -> Map:
    """The map of these units, in their order. One query more than loading them. Raises NoResult.

    `above`, one of `nodes`: those right below it are also set beside the rest of it, all of a screen looked at together.
    """
    if not wave.has_results:
        raise NoResult
    language = get_language() or ""
    codes = block_codes(wave.questionnaire)
    titles = {block["code"]: in_language(block["title"], language) for block in wave.questionnaire["blocks"]}
    groups = wave.summary.get("groups", {})
    ids = [node.pk for node in nodes if node.sheets]
    whole = len(ids) > 900
    rows = NodeBlock.objects.filter(node__wave=wave) if whole else NodeBlock.objects.filter(node_id__in=ids)
    known: dict[int, dict[str, Totals]] = {}
    columns = ("node_id", "block", "n", "sum", "sumsq")
    for node_id, block, n, total, squares in rows.filter(block__in=codes).values_list(*columns):
        known.setdefault(node_id, {})[block] = Totals(n, total, squares)
    stands = _standings(above, nodes, known, codes) if above is not None else {}
    return Map(
        wave.pk,
        tuple((code, titles[code]) for code in codes),
        tuple(
            Row(
                name_of(node),
                node.sheets,
                node.eligible,
                node.last > node.position,
                tuple(
                    Cell(
                        code,
                        titles[code],
                        _shrunken(known.get(node.pk, {}).get(code), groups.get(code)),
                        stand := stands.get((node.pk, code)),
                        _score(known[node.pk][code]) if stand in (Standing.ABOVE, Standing.BELOW) else None,
                    )
                    for code in codes
                ),
            )
            for node in nodes
        ),
        frozenset(code for code in codes if display.may_compare(groups.get(code, {}).get("icc2"))),
    )


def _standings(
    above: WaveNode, nodes: Sequence[WaveNode], known: Mapping[int, Mapping[str, Totals]], codes: Sequence[str]
) -> dict[tuple[int, str], Standing]:
    """By (unit, block): each unit right below `above` beside the rest of that, which has no sheet of the unit in it."""
    found: dict[tuple[int, str], Standing] = {}
    below = [node for node in nodes if node.parent_code == above.code and node.sheets]
    for code in codes:
        whole = known.get(above.pk, {}).get(code)
        if whole is None:
            continue
        differences = {}
        for node in below:
            own = known.get(node.pk, {}).get(code)
            if own is not None and own.n < whole.n:
                rest = Totals(whole.n - own.n, whole.sum - own.sum, whole.sumsq - own.sumsq)
                differences[node.pk] = _in_points(change(rest, own))
        found |= {(pk, code): standing for pk, standing in display.standings(differences).items()}
    return found


def _shrunken(found: Totals | None, group: Mapping[str, float] | None) -> int | None:
    if found is None or not found.n:
        return None
    n = found.n
    mean = found.sum / n
    if group is not None:
        mean = shrink(mean, n, grand=group["grand"], tau2=group["tau2"], ms_within=group["ms_within"])
    return display.rounded(score_0_100(mean), n)
