"""Propose figures of the estimate from the platform's own data: a draft of the rules, which a steward publishes or not."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from competencies import rulemaking
from competencies.enums import HELD_RANK, EvidenceKind
from competencies.likely import Rating
from competencies.models import Evidence, Framework, FrameworkVersion, Rulebook, RulebookStatus
from competencies.rating_error import ENOUGH_PEOPLE, Proposal, Said, pair_up, propose
from competencies.rulebooks import LIMITS, Book, numbers_of, with_numbers, write_book

RATINGS = {"self": EvidenceKind.SELF, "manager": EvidenceKind.MANAGER}


class Command(BaseCommand):
    help = (
        "Propose bias and spread of self-assessments and managers' assessments from the diagnostics on record, as a draft "
        "of the rules. Nothing is published."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--framework", help="short name of a framework; without it, the rules for all frameworks")

    def handle(self, *args: Any, framework: str | None = None, **options: Any) -> None:
        chosen = None
        if framework is not None:
            chosen = Framework.objects.filter(slug=framework).first()
            if chosen is None:
                raise CommandError(f"There is no framework “{framework}”.")
        with transaction.atomic():
            self._propose(chosen)

    def _propose(self, framework: Framework | None) -> None:
        book = rulemaking.book_replaced(Rulebook(framework=framework))
        proposals = {name: self._figures(kind, framework, book) for name, kind in RATINGS.items()}
        for name, found in proposals.items():
            self.stdout.write(self._said(name, found))
        ready = {name: found for name, found in proposals.items() if found.bias is not None}
        if not ready:
            self.stdout.write("Nothing is proposed yet.")
            return
        if Rulebook.objects.filter(framework=framework, status=RulebookStatus.DRAFT).exists():
            raise CommandError("A draft of the rules is there already. Publish it or throw it away, then try again.")
        numbers = numbers_of(write_book(book))
        for name, found in ready.items():
            for number, value in (("bias", found.bias), ("sd", found.sd)):
                if value is not None:
                    numbers[f"parameters.kinds.{name}.{number}"] = value
        draft = rulemaking.draft_rules(framework=framework, by=None)
        note = " ".join([_("Proposed from our own data."), *(self._said(name, found) for name, found in ready.items())])
        rulemaking.change_rules(rulebook=draft, content=with_numbers(numbers), note=note, by=None)
        self.stdout.write(f"Draft: edition {draft.number}. A steward looks at it and publishes it, or not.")

    def _figures(self, kind: EvidenceKind, framework: Framework | None, book: Book) -> Proposal:
        diagnostic = book.parameters.kinds["diagnostic"]
        extra = diagnostic.extra_sd if isinstance(diagnostic, Rating) else 0.0
        pairs = pair_up(_said(kind, framework), _said(EvidenceKind.DIAGNOSTIC, framework))
        return propose(pairs, extra_sd=extra, bias_limits=LIMITS["bias"], sd_limits=LIMITS["sd"])

    def _said(self, name: str, found: Proposal) -> str:
        kind = _("Self-assessment") if name == "self" else _("Manager’s assessment")
        if found.bias is None:
            return _(
                "%(kind)s: %(people)s people have one and a diagnostic of the same competency within 12 months; "
                "%(enough)s are needed."
            ) % {"kind": kind, "people": found.people, "enough": ENOUGH_PEOPLE}
        return _(
            "%(kind)s: %(people)s people, %(pairs)s pairs; on average %(bias)s levels above the diagnostic, "
            "usually off by %(sd)s."
        ) % {"kind": kind, "people": found.people, "pairs": found.pairs, "bias": found.bias, "sd": found.sd}


def _said(kind: EvidenceKind, framework: Framework | None) -> list[Said]:
    """Standing evidence of a kind. Without a framework: of all that have no rules of their own. Two queries."""
    rows = Evidence.objects.standing().filter(kind=kind)
    if framework is not None:
        rows = rows.filter(competency__version__framework=framework)
    else:
        own = Rulebook.objects.filter(status=RulebookStatus.PUBLISHED, framework__isnull=False).values("framework")
        rows = rows.exclude(competency__version__framework__in=own)
    if kind == EvidenceKind.DIAGNOSTIC:
        rows = rows.filter(value__isnull=False)
    ranks: dict[int, int] = defaultdict(lambda: HELD_RANK)
    highest = FrameworkVersion.objects.annotate(most=Max("levels__rank")).values_list("pk", "most")
    ranks |= {pk: most or HELD_RANK for pk, most in highest}
    fields = ("person_id", "competency__lineage", "occurred_on", "value", "rank", "se", "competency__version_id")
    return [
        Said(person_id, lineage, on, float(rank if value is None else value), ranks[version_id], se)
        for person_id, lineage, on, value, rank, se, version_id in rows.order_by("pk").values_list(*fields)
    ]
