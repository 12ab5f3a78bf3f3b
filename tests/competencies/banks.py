"""Item banks for tests, and people who answer as the model says they do."""

from __future__ import annotations

import math
import random
from datetime import datetime

from competencies.diagnosing import answer_question
from competencies.enums import BankStatus
from competencies.models import (
    BankFacet,
    Competency,
    Diagnostic,
    DiagnosticAnswer,
    DiagnosticItem,
    ItemBank,
    ItemOption,
)


def make_bank(
    what: Competency,
    *,
    items: int = 40,
    edition: str = "1",
    status: str = BankStatus.IN_USE,
    cuts: tuple = (-1.5, -0.5, 0.5, 1.5),
) -> ItemBank:
    """A bank of `items` questions from easy to hard, two parts, four answers each of which the first is right."""
    bank = ItemBank.objects.create(
        competency=what, edition=edition, title={"en": "Bank", "es": "Banco"}, cuts=list(cuts), status=status
    )
    facets = [
        BankFacet.objects.create(bank=bank, code=code, title={"en": code.title()}, share=0.5, position=n)
        for n, code in enumerate(("rules", "people"))
    ]
    for n in range(items):
        difficulty = round(-2.3 + 4.6 * n / max(items - 1, 1), 2)
        item = DiagnosticItem.objects.create(
            bank=bank,
            facet=facets[n % 2],
            key=f"q{n}",
            level=min(4, 1 + 4 * n // items),
            text={"en": f"Question {n}?", "es": f"¿Pregunta {n}?"},
            explanation={"en": f"Because of {n}.", "es": f"Por {n}."},
            difficulty=difficulty,
        )
        ItemOption.objects.bulk_create(
            ItemOption(
                item=item,
                text={
                    "en": f"{'Right' if p == 0 else f'Wrong {p}'} of {n}",
                    "es": f"{'Bien' if p == 0 else f'Mal {p}'} de {n}",
                },
                correct=p == 0,
                position=p,
            )
            for p in range(4)
        )
    return bank


def open_answer(diagnostic: Diagnostic) -> DiagnosticAnswer | None:
    return diagnostic.answers.filter(answered_at__isnull=True).select_related("item").first()


def option_of(item: DiagnosticItem, *, right: bool) -> int:
    return item.options.filter(correct=right).values_list("pk", flat=True)[0]


def answer_open(diagnostic: Diagnostic, *, right: bool, at: datetime | None = None) -> Diagnostic:
    waiting = open_answer(diagnostic)
    assert waiting is not None
    return answer_question(
        diagnostic=diagnostic, position=waiting.position, option=option_of(waiting.item, right=right), at=at
    )


def take(diagnostic: Diagnostic, *, ability: float, seed: int = 1) -> Diagnostic:
    """Answer to the end as somebody of this ability would."""
    chance = random.Random(seed)
    while diagnostic.finished_at is None:
        waiting = open_answer(diagnostic)
        assert waiting is not None
        right = chance.random() < 1 / (1 + math.exp(waiting.item.difficulty - ability))
        diagnostic = answer_open(diagnostic, right=right)
    return diagnostic
