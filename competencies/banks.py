"""Item banks: read from files and checked, stored, put in use and retired; and how the model sees one.

A file is taken whole or not at all, with every fault named at its place. A bank that is stored is not changed by a file:
other content is another edition, so a question that somebody has answered keeps its words.
Format "item-bank/1": docs/algorithms/diagnostic.md.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from django.core.cache import cache
from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from i18nfield.strings import LazyI18nString
from wagtail.log_actions import log

from competencies import diagnostic as theory
from competencies.calibration import FEWEST_ANSWERS, Calibration, calibrate
from competencies.enums import MAX_RANK, BankStatus
from competencies.importers.content import MAX_EDITION, MAX_SLUG, CannotImport, Fault, Faults, shown
from competencies.importers.sources import Node, Source
from competencies.models import BankFacet, Competency, DiagnosticAnswer, DiagnosticItem, ItemBank, ItemOption
from competencies.models.framework import in_languages
from competencies.selectors import scales_of
from competencies.simulation import Report, people_on_a_page, simulate

if TYPE_CHECKING:
    from organisations.models import User

FORMAT = "item-bank/1"
DATA = Path(__file__).resolve().parent / "data" / "item-banks"
FEWEST_ITEMS_IN_USE = 20
FEWEST_OPTIONS, MOST_OPTIONS = 2, 8
MAX_ITEMS = 2_000
MAX_KEY = 60
MAX_TEXT = 4_000
GRID_FROM, GRID_TO = -4.0, 4.0
SHARES_WITHIN = 1e-6
FIGURES_KEPT_FOR = 30 * 24 * 60 * 60  # seconds

Words = dict[str, str]


class BankRefused(ValueError):
    """Something that cannot be done with a bank; the text is a sentence for the person."""


# --- A file ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class FacetContent:
    code: str
    title: Words
    share: float


@dataclass(frozen=True)
class OptionContent:
    text: Words
    correct: bool


@dataclass(frozen=True)
class ItemContent:
    key: str
    facet: str
    level: int
    difficulty: float
    text: Words
    options: tuple[OptionContent, ...]
    explanation: Words


@dataclass(frozen=True)
class BankContent:
    """What a file says, checked in itself; whether its competency exists is not known yet."""

    framework: str
    competency: str
    edition: str
    title: Words
    cuts: tuple[float, ...]
    facets: tuple[FacetContent, ...]
    items: tuple[ItemContent, ...]

    @property
    def digest(self) -> str:
        """The same for the same content, however the file is laid out."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def read_bank(source: Source) -> BankContent:
    """Raises CannotImport with every fault and its path in the file."""
    faults = Faults()
    root = Node(source.document(), "$", faults)
    top = root.fields(["format", "framework", "competency", "edition", "title", "cuts", "facets", "items"])
    named = top["format"].text()
    if named and named != FORMAT:
        top["format"].fault(
            _("The format “%(found)s” is not understood, only “%(expected)s”. Export the file again.")
            % {"found": shown(named), "expected": FORMAT}
        )
    faults.raise_if_any()
    reading = _Reading(tuple(key for key, _node in top["title"].members()))
    content = BankContent(
        framework=top["framework"].text(limit=MAX_SLUG),
        competency=top["competency"].text(limit=160),
        edition=top["edition"].text(limit=MAX_EDITION),
        title=reading.words(top["title"]),
        cuts=reading.cuts(top["cuts"]),
        facets=reading.facets(top["facets"]),
        items=reading.items(top["items"]),
    )
    faults.raise_if_any()
    return content


class _Reading:
    """What has been met so far. The languages of the title are those of the bank: every text stands in each of them."""

    def __init__(self, languages: Sequence[str]) -> None:
        self.languages = tuple(languages)
        self.codes: set[str] = set()
        self.keys: set[str] = set()
        self.stems: dict[tuple[str, str], str] = {}
        self.levels = MAX_RANK

    def words(self, node: Node) -> Words:
        words = {}
        for language, member in node.members():
            if language not in self.languages:
                member.fault(
                    _("“%(language)s” is not a language of the title: %(languages)s. Write the title in it, too.")
                    % {"language": shown(language), "languages": ", ".join(map(shown, self.languages)) or "–"}
                )
            elif text := member.text(limit=MAX_TEXT):
                words[language] = text
        if isinstance(node.value, dict) and (missing := [one for one in self.languages if one not in node.value]):
            node.fault(_("Not in every language: %(missing)s.") % {"missing": ", ".join(map(shown, missing))})
        if node.value == {}:
            node.fault(_("The text is empty. Write it in at least one language."))
        return dict(sorted(words.items()))

    def cuts(self, node: Node) -> tuple[float, ...]:
        read = [(item, item.number(GRID_FROM, GRID_TO)) for item in node.items()]
        cuts = [cut for _item, cut in read if cut is not None]
        if isinstance(node.value, list) and not node.value:
            node.fault(_("There is no cut. A bank tells at least level 0 from level 1."))
        for (_lower_node, lower), (upper_node, upper) in pairwise(read):
            if lower is not None and upper is not None and upper <= lower:
                upper_node.fault(
                    _("The cuts must increase: %(upper)s does not lie above %(lower)s.")
                    % {"upper": upper, "lower": lower}
                )
        if isinstance(node.value, list):
            self.levels = len(node.value)
        return tuple(cuts)

    def facets(self, node: Node) -> tuple[FacetContent, ...]:
        facets = []
        for item in node.items():
            fields = item.fields(["code", "title", "share"])
            code = self.slug(fields["code"], self.codes)
            share = fields["share"].number(0.01, 1)
            facets.append(FacetContent(code, self.words(fields["title"]), share or 0.0))
        total = sum(facet.share for facet in facets)
        if isinstance(node.value, list) and abs(total - 1) > SHARES_WITHIN:
            node.fault(
                _("The shares add up to %(total)s, and must add up to 1. Correct them.") % {"total": round(total, 4)}
            )
        return tuple(facets)

    def slug(self, node: Node, known: set[str]) -> str:
        """A short name that is there once."""
        code = node.text(limit=MAX_KEY)
        if code and slugify(code) != code:
            node.fault(
                _("“%(slug)s” is not a short name. Write lower-case letters, digits and hyphens.")
                % {"slug": shown(code)}
            )
        if code and code in known:
            node.fault(_("The code “%(code)s” is there already. Give each its own.") % {"code": shown(code)})
        known.add(code)
        return code

    def items(self, node: Node) -> tuple[ItemContent, ...]:
        nodes = node.items()
        if len(nodes) > MAX_ITEMS:
            node.fault(_("A bank holds at most %(limit)s questions. Divide it.") % {"limit": MAX_ITEMS})
            return ()
        return tuple(self.item(item) for item in nodes)

    def item(self, node: Node) -> ItemContent:
        fields = node.fields(["key", "facet", "level", "difficulty", "text", "options", "explanation"])
        facet = fields["facet"].text(limit=MAX_KEY)
        if facet and facet not in self.codes:
            fields["facet"].fault(
                _("There is no “%(code)s” to refer to. Correct the code, or add what it names.")
                % {"code": shown(facet)}
            )
        text = self.words(fields["text"])
        for language, words in text.items():
            stem = (language, words.casefold())
            if stem in self.stems:
                fields["text"].fault(
                    _("The same question stands at %(place)s already. Take one out, or word it otherwise.")
                    % {"place": self.stems[stem]}
                )
                break
            self.stems[stem] = fields["text"].place
        return ItemContent(
            key=self.slug(fields["key"], self.keys),
            facet=facet,
            level=fields["level"].integer(1, self.levels) or 0,
            difficulty=fields["difficulty"].number(GRID_FROM, GRID_TO) or 0.0,
            text=text,
            options=self.options(fields["options"]),
            explanation=self.words(fields["explanation"]),
        )

    def options(self, node: Node) -> tuple[OptionContent, ...]:
        options, met = [], set()
        for item in node.items():
            fields = item.fields(["text", "correct"])
            text = self.words(fields["text"])
            for stem in ((language, words.casefold()) for language, words in text.items()):
                if stem in met:
                    fields["text"].fault(_("The same answer stands in this question already. Word it otherwise."))
                met.add(stem)
            options.append(OptionContent(text, bool(fields["correct"].boolean())))
        if isinstance(node.value, list):
            if not FEWEST_OPTIONS <= len(options) <= MOST_OPTIONS:
                node.fault(
                    _("A question has %(fewest)s to %(most)s answers, this one has %(count)s.")
                    % {"fewest": FEWEST_OPTIONS, "most": MOST_OPTIONS, "count": len(options)}
                )
            if objection := objection_to_right_answers(sum(option.correct for option in options)):
                node.fault(objection)
        return tuple(options)


def objection_to_right_answers(count: int) -> str | None:
    """A question has exactly one right answer: the sentence that says so, or None."""
    if count == 0:
        return _("No answer is marked as right. Mark the one that is.")
    if count > 1:
        return _("%(count)s answers are marked as right. Keep one, and word the others so that they are not.") % {
            "count": count
        }
    return None


# --- Stored ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class LoadedBank:
    bank: ItemBank
    created: bool


def competency_of(content: BankContent) -> Competency:
    """The competency in force that a file speaks of. Raises CannotImport where there is none, or its scale is too short."""
    found = (
        Competency.objects.published()
        .filter(version__framework__slug=content.framework, code=content.competency)
        .select_related("version")
        .first()
    )
    if found is None:
        raise CannotImport(
            [
                Fault(
                    "$.competency",
                    _("There is no competency “%(code)s” in the published framework “%(framework)s”. Correct the code.")
                    % {"code": shown(content.competency), "framework": shown(content.framework)},
                )
            ]
        )
    highest = scales_of([found.version_id])[found.version_id].max_rank
    if len(content.cuts) > highest:
        raise CannotImport(
            [
                Fault(
                    "$.cuts",
                    _("There are %(count)s cuts, but the scale has only %(levels)s levels above 0. Take out some.")
                    % {"count": len(content.cuts), "levels": highest},
                )
            ]
        )
    return found


@transaction.atomic
def load_bank(*, content: BankContent, by: User | None, in_use: bool) -> LoadedBank:
    """Store a bank; `in_use` also puts it in use, in the place of the edition that is. The same file twice is once.

    A question that stands word for word in the edition before keeps what was estimated from its answers.
    Raises CannotImport when the competency does not fit, or this edition is there with other content.
    Raises BankRefused when it is to be put in use and is not fit for it.
    """
    found = competency_of(content)
    competency = Competency.objects.select_for_update(of=("self",)).get(pk=found.pk)
    there = ItemBank.objects.filter(competency__lineage=competency.lineage, edition=content.edition).first()
    if there is not None:
        if there.content_digest == content.digest:
            return LoadedBank(there, created=False)
        raise CannotImport(
            [
                Fault(
                    "$.edition",
                    _(
                        "Edition %(edition)s of this bank is there with other content. Give the changed bank an edition of its own."
                    )
                    % {"edition": content.edition},
                )
            ]
        )
    bank = ItemBank.objects.create(
        competency=competency,
        edition=content.edition,
        title=LazyI18nString(content.title),
        cuts=list(content.cuts),
        content_digest=content.digest,
    )
    facets = {
        facet.code: BankFacet(
            bank=bank, code=facet.code, title=LazyI18nString(facet.title), share=facet.share, position=position
        )
        for position, facet in enumerate(content.facets)
    }
    BankFacet.objects.bulk_create(facets.values())
    estimated = _estimated_before(competency)
    items = []
    for one in content.items:
        item = DiagnosticItem(
            bank=bank,
            facet=facets[one.facet],
            key=one.key,
            level=one.level,
            text=LazyI18nString(one.text),
            explanation=LazyI18nString(one.explanation),
            difficulty=one.difficulty,
        )
        if (before := estimated.get(_wording(one.text, ((o.text, o.correct) for o in one.options)))) is not None:
            item.difficulty, item.discrimination = before.difficulty, before.discrimination
            item.calibrated_at = before.calibrated_at
        items.append(item)
    DiagnosticItem.objects.bulk_create(items)
    ItemOption.objects.bulk_create(
        ItemOption(item=item, text=LazyI18nString(option.text), correct=option.correct, position=position)
        for item, one in zip(items, content.items, strict=True)
        for position, option in enumerate(one.options)
    )
    log(instance=bank, action="competencies.load_item_bank", user=by, data={"digest": content.digest})
    if in_use:
        bank = put_in_use(bank=bank, by=by)
    return LoadedBank(bank, created=True)


def _wording(text: Words, options: Iterable[tuple[Words, bool]]) -> str:
    return json.dumps(
        [text, sorted((json.dumps(words, sort_keys=True), right) for words, right in options)], sort_keys=True
    )


def _estimated_before(competency: Competency) -> dict[str, DiagnosticItem]:
    """The calibrated questions of earlier editions by their wording, the latest estimate of each."""
    items = DiagnosticItem.objects.filter(
        bank__competency__lineage=competency.lineage, calibrated_at__isnull=False
    ).prefetch_related("options")
    return {
        _wording(in_languages(item.text), ((in_languages(o.text), o.correct) for o in item.options.all())): item
        for item in items.order_by("calibrated_at")
    }


def objections_to_use(bank: ItemBank) -> list[str]:
    """Why a bank cannot be put in use, as sentences; none where it can. A constant number of queries."""
    objections = []
    cuts, facets = list(bank.cuts), list(BankFacet.objects.filter(bank=bank))
    items = list(DiagnosticItem.objects.filter(bank=bank, is_retired=False).prefetch_related("options"))
    if objection := objection_to_cuts(cuts, bank.competency):
        objections.append(objection)
    if abs(sum(facet.share for facet in facets) - 1) > SHARES_WITHIN:
        total = round(sum(facet.share for facet in facets), 4)
        objections.append(_("The shares add up to %(total)s, and must add up to 1. Correct them.") % {"total": total})
    if len(items) < FEWEST_ITEMS_IN_USE:
        objections.append(
            ngettext(
                "The bank has %(count)s question; it needs at least %(fewest)s.",
                "The bank has %(count)s questions; it needs at least %(fewest)s.",
                len(items),
            )
            % {"count": len(items), "fewest": FEWEST_ITEMS_IN_USE}
        )
    asked_about = {item.facet_id for item in items}
    objections += [
        _("No question asks about “%(part)s”.") % {"part": facet} for facet in facets if facet.pk not in asked_about
    ]
    told = Counter(item.level for item in items)
    objections += [
        _("No question tells level %(level)s.") % {"level": level}
        for level in range(1, len(cuts) + 1)
        if not told[level]
    ]
    for item in items:
        if objection := objection_to_right_answers(sum(option.correct for option in item.options.all())):
            objections.append(_("Question %(key)s: %(objection)s") % {"key": item.key, "objection": objection})
        if item.level > len(cuts):
            objections.append(
                _("Question %(key)s tells level %(level)s, but the cuts only part %(highest)s levels above 0.")
                % {"key": item.key, "level": item.level, "highest": len(cuts)}
            )
    return objections


def objection_to_cuts(cuts: object, competency: Competency) -> str | None:
    """Cuts are numbers on the grid that increase, at most one for each level above 0: the sentence, or None."""
    if not isinstance(cuts, list) or not cuts or any(type(cut) not in (int, float) for cut in cuts):
        return _("Write the cuts as numbers in square brackets, for example [-1.5, -0.5, 0.5, 1.5].")
    if any(not GRID_FROM <= cut <= GRID_TO for cut in cuts):
        return _("A cut lies between -4 and 4.")
    if any(upper <= lower for lower, upper in pairwise(cuts)):
        return _("The cuts must increase.")
    highest = scales_of([competency.version_id])[competency.version_id].max_rank
    if len(cuts) > highest:
        return _("There are %(count)s cuts, but the scale has only %(levels)s levels above 0. Take out some.") % {
            "count": len(cuts),
            "levels": highest,
        }
    return None


@transaction.atomic
def put_in_use(*, bank: ItemBank, by: User | None) -> ItemBank:
    """Let people take it. What is in use of this competency, in whatever edition, is retired. Twice is once.

    Raises BankRefused with every objection.
    """
    Competency.objects.select_for_update(of=("self",)).get(pk=bank.competency_id)
    bank = ItemBank.objects.select_for_update(of=("self",)).select_related("competency").get(pk=bank.pk)
    if bank.status == BankStatus.IN_USE:
        return bank
    if objections := objections_to_use(bank):
        raise BankRefused(" ".join(objections))
    others = ItemBank.objects.filter(competency__lineage=bank.competency.lineage, status=BankStatus.IN_USE)
    for other in others:
        retire_bank(bank=other, by=by)
    bank.status = BankStatus.IN_USE
    bank.save(update_fields=["status"])
    log(instance=bank, action="competencies.put_item_bank_in_use", user=by)
    return bank


@transaction.atomic
def retire_bank(*, bank: ItemBank, by: User | None) -> ItemBank:
    """Nobody begins it any more; who has begun goes on. Twice is once."""
    bank = ItemBank.objects.select_for_update(of=("self",)).get(pk=bank.pk)
    if bank.status == BankStatus.RETIRED:
        return bank
    bank.status = BankStatus.RETIRED
    bank.save(update_fields=["status"])
    log(instance=bank, action="competencies.retire_item_bank", user=by)
    return bank


@transaction.atomic
def retire_item(*, item: DiagnosticItem, by: User | None) -> DiagnosticItem:
    """Nobody is asked it any more; answers given still count. Twice is once."""
    item = DiagnosticItem.objects.select_for_update(of=("self",)).get(pk=item.pk)
    if item.is_retired:
        return item
    item.is_retired = True
    item.save(update_fields=["is_retired"])
    log(instance=item, action="competencies.retire_item", user=by)
    return item


def theory_of(bank: ItemBank) -> theory.Bank:
    """The bank as the model sees it. Two queries. Raises ValueError where it is not fit yet."""
    facets = BankFacet.objects.filter(bank=bank).order_by("position", "pk").values_list("code", "share")
    items = (
        DiagnosticItem.objects.filter(bank=bank)
        .order_by("pk")
        .values_list("pk", "facet__code", "discrimination", "difficulty", "level", "calibrated_at", "is_retired")
    )
    return theory.Bank(
        items=tuple(
            theory.Item(pk, facet, a, b, level, calibrated is not None, retired)
            for pk, facet, a, b, level, calibrated, retired in items
        ),
        facets=dict(facets),
        cuts=tuple(bank.cuts),
    )


def figures_of(bank: ItemBank) -> Report | None:
    """What the bank does with invented people; None while it is not fit. Kept until something in it, or in the rules of
    asking, changes: a page that is opened again does not simulate again."""
    try:
        seen = theory_of(bank)
    except (TypeError, ValueError):
        return None
    if not seen.askable.any():
        return None
    content = (seen.items, seen.facets, seen.cuts, theory.RULES_OF_ASKING)
    key = "item-bank:" + hashlib.sha256(repr(content).encode()).hexdigest()
    found: Report | None = cache.get(key)
    if found is None:
        found = simulate(seen, people=people_on_a_page(seen))
        cache.set(key, found, timeout=FIGURES_KEPT_FOR)
    return found


# --- Calibration -------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Answered:
    """How far the answers to a bank reach. `waiting`: questions with 200 answers or more that count as their author
    judged them; `estimated`: questions that were estimated; `most`: the answers to the question answered most."""

    questions: int
    waiting: int
    estimated: int
    most: int


def answered_of(bank: ItemBank) -> Answered:
    """Two queries."""
    items = dict(DiagnosticItem.objects.filter(bank=bank, is_retired=False).values_list("pk", "calibrated_at"))
    given = DiagnosticAnswer.objects.filter(item__bank=bank, correct__isnull=False).order_by()
    counts = dict(given.values_list("item").annotate(n=Count("pk")))
    plain = [pk for pk, calibrated in items.items() if calibrated is None]
    return Answered(
        questions=len(items),
        waiting=sum(counts.get(pk, 0) >= FEWEST_ANSWERS for pk in plain),
        estimated=len(items) - len(plain),
        most=max((counts.get(pk, 0) for pk in items), default=0),
    )


def bank_to_estimate() -> ItemBank | None:
    """A bank in use with a question that can be estimated from its answers and has not been; None where there is none."""
    plain = DiagnosticItem.objects.filter(
        bank__status=BankStatus.IN_USE, is_retired=False, calibrated_at__isnull=True
    ).order_by()
    given = DiagnosticAnswer.objects.filter(item__in=plain, correct__isnull=False).order_by()
    enough = given.values("item__bank", "item").annotate(n=Count("pk")).filter(n__gte=FEWEST_ANSWERS)
    pk = enough.order_by("item__bank").values_list("item__bank", flat=True).first()
    return None if pk is None else ItemBank.objects.get(pk=pk)


def calibration_of(bank: ItemBank) -> tuple[list[DiagnosticItem], Calibration]:
    """What the answers given so far say of a bank's questions, estimated anew from all of them. Two queries."""
    items = list(DiagnosticItem.objects.filter(bank=bank).order_by("pk"))
    column = {item.pk: number for number, item in enumerate(items)}
    given = DiagnosticAnswer.objects.filter(diagnostic__bank=bank, correct__isnull=False)
    rows: dict[int, int] = {}
    cells = [
        (rows.setdefault(diagnostic, len(rows)), column[item], right)
        for diagnostic, item, right in given.values_list("diagnostic_id", "item_id", "correct")
    ]
    right = np.full((len(rows), len(items)), np.nan)
    for row, place, was_right in cells:
        right[row, place] = float(bool(was_right))
    a = np.array([item.discrimination if item.calibrated_at else 1.0 for item in items], dtype=np.float64)
    b = np.array([item.difficulty for item in items], dtype=np.float64)
    return items, calibrate(right, a, b)


@transaction.atomic
def save_calibration(
    *, bank: ItemBank, items: Sequence[DiagnosticItem], found: Calibration, by: User | None, at: datetime | None = None
) -> int:
    """Write what was estimated; returns of how many questions. Who is within a diagnostic goes on by the new figures."""
    estimated = [(item, row) for row, item in enumerate(items) if found.estimated[row]]
    for item, row in estimated:
        item.discrimination, item.difficulty = round(float(found.a[row]), 4), round(float(found.b[row]), 4)
        item.calibrated_at = at or timezone.now()
    DiagnosticItem.objects.bulk_update(
        [item for item, _row in estimated], ["discrimination", "difficulty", "calibrated_at"]
    )
    if estimated:
        log(
            instance=bank,
            action="competencies.calibrate_item_bank",
            user=by,
            data={
                "items": {
                    item.key: {"a": item.discrimination, "b": item.difficulty, "answers": int(found.answers[row])}
                    for item, row in estimated
                }
            },
        )
    return len(estimated)
