"""From an authored lesson to questions that can be marked."""

from __future__ import annotations

from typing import Any

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from courses.blocks import QUESTION_BLOCKS
from courses.marking import Option, Pair, Question, QuestionKind

# Keyed, because the code is open: from ids alone anybody could tell which sides belong together.
TOKEN_SALT = "courses.questions.right-side"  # noqa: S105


def questions_in(body: Any) -> list[Question]:
    """All questions of a StreamField value, in order; ids are those of the blocks, so they survive editing."""
    return [as_question(block) for block in body if block.block_type in QUESTION_BLOCKS]


def _token(question_id: str, pair_id: str) -> str:
    """Stands for the right side of a pair in a form; the same at each look, so that the order of answers is too."""
    return salted_hmac(TOKEN_SALT, f"{question_id}:{pair_id}", algorithm="sha256").hexdigest()[:16]


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
                Pair(str(child.id), child.value["left"], child.value["right"], _token(question_id, str(child.id)))
                for child in value["pairs"].bound_blocks
            )
            return Question(text=value["question"], pairs=pairs, **shared)
        case _:
            options = tuple(
                Option(str(child.id), child.value["text"], child.value["correct"], child.value["feedback"])
                for child in value["options"].bound_blocks
            )
            return Question(text=value["question"], options=options, **shared)
