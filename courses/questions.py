"""From an authored lesson to questions that can be marked."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from courses.blocks import QUESTION_BLOCKS
from courses.marking import Option, Pair, Question, QuestionKind


def questions_in(body: Any) -> list[Question]:
    """All questions of a StreamField value, in order; ids are those of the blocks, so they survive editing."""
    return [as_question(block) for block in body if block.block_type in QUESTION_BLOCKS]


def as_question(block: Any) -> Question:
    kind, value, question_id = QuestionKind(block.block_type), block.value, str(block.id)
    shared = {"id": question_id, "kind": kind, "explanation": value["explanation"], "revisit": value["revisit"]}
    match kind:
        case QuestionKind.TRUE_FALSE:
            options = tuple(
                Option(choice, label, correct=value["answer"] == choice)
                for choice, label in (("true", _("True")), ("false", _("False")))
            )
            return Question(text=value["statement"], options=options, **shared)
        case QuestionKind.SHORT_TEXT:
            return Question(text=value["question"], accepted=tuple(value["accepted"]), **shared)
        case QuestionKind.MATCHING:
            pairs = tuple(
                Pair(str(child.id), child.value["left"], child.value["right"]) for child in value["pairs"].bound_blocks
            )
            return Question(text=value["question"], pairs=pairs, **shared)
        case _:
            options = tuple(
                Option(str(child.id), child.value["text"], child.value["correct"], child.value["feedback"])
                for child in value["options"].bound_blocks
            )
            return Question(text=value["question"], options=options, **shared)
