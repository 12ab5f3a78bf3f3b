"""The right answers of the starter courses, read from the course files: what somebody who has learned would choose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent.parent.parent / "courses" / "data"


def questions_of(key: str, language: str = "en") -> dict[str, dict[str, Any]]:
    content = json.loads((DATA / f"{key}.{language}.json").read_text(encoding="utf-8"))
    blocks = [block for lesson in content["lessons"] for block in lesson["blocks"]]
    return {
        block.get("question") or block["statement"]: block
        for block in blocks
        if "question" in block or "statement" in block
    }


def answer_all(page: Any, key: str, *, language: str = "en", wrongly: int = 0) -> int:
    """Fill in every question on the page, the first `wrongly` ones wrong; returns how many there were."""
    known = questions_of(key, language)
    cards = page.locator("fieldset.question-card").all()
    for number, card in enumerate(cards):
        block = known[card.locator(".question-words").inner_text().strip()]
        answer(card, block, right=number >= wrongly)
    return len(cards)


def answer(card: Any, block: dict[str, Any], *, right: bool) -> None:
    match block["type"]:
        case "single_choice":
            option = next(o for o in block["options"] if bool(o.get("correct")) == right)
            card.get_by_label(option["text"], exact=True).check()
        case "multiple_choice":
            for option in block["options"]:
                if bool(option.get("correct")) == right:
                    card.get_by_label(option["text"], exact=True).check()
        case "true_false":
            index = 0 if block["answer"] == right else 1
            card.locator("input[type=radio]").nth(index).check()
        case "short_text":
            card.locator("input[type=text]").fill(block["accepted"][0] if right else "something else")
        case "matching":
            rights = [pair["right"] for pair in block["pairs"]]
            for number, pair in enumerate(block["pairs"]):
                chosen = pair["right"] if right else rights[(number + 1) % len(rights)]
                card.get_by_label(pair["left"], exact=True).select_option(label=chosen)
