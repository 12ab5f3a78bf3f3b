"""Questions and how they are marked. Pure: questions in, answers in, verdicts out.

Every question counts one point and is right or wrong: several-of-many and matching only when all of it is right.
The score is the share of right answers in whole percent, rounded down, so that "80 % to pass" never means less.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

# One string (one of many, true/false, short text), a list (several of many) or pairs (matching: left id → right id).
Answer = str | list[str] | dict[str, str]
MAX_TEXT = 500


class QuestionKind(StrEnum):
    SINGLE_CHOICE = "single_choice"
    MULTIPLE_CHOICE = "multiple_choice"
    TRUE_FALSE = "true_false"
    SHORT_TEXT = "short_text"
    MATCHING = "matching"


@dataclass(frozen=True)
class Option:
    id: str
    text: str
    correct: bool = False
    feedback: str = ""


@dataclass(frozen=True)
class Pair:
    """Two sides that belong together. `token` stands for the right side in a form: from it nobody tells the left one."""

    id: str
    left: str
    right: str
    token: str


@dataclass(frozen=True)
class Question:
    """A question as authored. `accepted` is for short text, `pairs` for matching, `options` for the others."""

    id: str
    kind: QuestionKind
    text: str
    explanation: str
    revisit: str = ""
    options: tuple[Option, ...] = ()
    accepted: tuple[str, ...] = ()
    pairs: tuple[Pair, ...] = ()

    @property
    def rights(self) -> tuple[Pair, ...]:
        """The right-hand sides in an order that does not give the answer away and is the same at each look."""
        return tuple(sorted(self.pairs, key=lambda pair: pair.token))


@dataclass(frozen=True)
class Marked:
    """A question with what was answered; `correct` is None where nothing was answered."""

    question: Question
    answer: Answer | None
    correct: bool | None


def is_blank(question: Question, answer: Answer | None) -> bool:
    """Whether an answer is missing or unfinished."""
    if not answer:
        return True
    if question.kind is QuestionKind.MATCHING:
        return not isinstance(answer, dict) or any(not answer.get(pair.id) for pair in question.pairs)
    if isinstance(answer, str):
        return not answer.strip()
    return False


def is_right(question: Question, answer: Answer) -> bool:
    """Whether an answer is right. An answer of the wrong shape, or naming what is not offered, is wrong."""
    match question.kind:
        case QuestionKind.SINGLE_CHOICE | QuestionKind.TRUE_FALSE:
            return any(option.correct and option.id == answer for option in question.options)
        case QuestionKind.MULTIPLE_CHOICE:
            right = {option.id for option in question.options if option.correct}
            return isinstance(answer, list) and {str(chosen) for chosen in answer} == right
        case QuestionKind.SHORT_TEXT:
            return isinstance(answer, str) and fold(answer) in {fold(text) for text in question.accepted}
        case QuestionKind.MATCHING:
            rights = {pair.id: pair.right for pair in question.pairs}
            return isinstance(answer, dict) and all(
                rights.get(str(answer.get(pair.id))) == pair.right for pair in question.pairs
            )


def fold(text: str) -> str:
    """Capitals, accents, surrounding and doubled spaces and a final full stop do not matter."""
    # Twice apart: only apart do some capitals (ℌ) show themselves, and small letters may come with accents again (İ).
    small = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(c for c in small if not unicodedata.combining(c))
    return " ".join(plain.split()).rstrip(". ")


def mark(questions: Iterable[Question], answers: Mapping[str, Answer]) -> tuple[Marked, ...]:
    """Mark all questions in their order; blank answers get `correct` None."""
    given = ((question, answers.get(question.id)) for question in questions)
    return tuple(
        Marked(question, answer, None if answer is None or is_blank(question, answer) else is_right(question, answer))
        for question, answer in given
    )


def score_pct(marked: Sequence[Marked]) -> int:
    """Share of right answers in whole percent, rounded down; 0 without questions."""
    return 100 * sum(m.correct is True for m in marked) // len(marked) if marked else 0


def read_answers(questions: Iterable[Question], posted: Mapping[str, Sequence[str]]) -> dict[str, Answer]:
    """Take from a submitted form what belongs to these questions; anything else is ignored.

    Field names: `q-<question id>`, for matching `q-<question id>-<pair id>` with the token of a right side, kept as the
    id of its pair. Values that name no option are dropped.
    """
    answers: dict[str, Answer] = {}
    for question in questions:
        name = f"q-{question.id}"
        typed = (value.replace("\0", "").strip() for value in posted.get(name, ()))  # PostgreSQL keeps no NUL
        values = [value for value in typed if value]
        offered = {option.id for option in question.options}
        match question.kind:
            case QuestionKind.MATCHING:
                rights = {pair.token: pair.id for pair in question.pairs}
                chosen = {pair.id: (posted.get(f"{name}-{pair.id}") or [""])[0] for pair in question.pairs}
                pairs = {left: rights[token] for left, token in chosen.items() if token in rights}
                if pairs:
                    answers[question.id] = pairs
            case QuestionKind.SHORT_TEXT:
                if values:
                    answers[question.id] = values[0][:MAX_TEXT]
            case QuestionKind.MULTIPLE_CHOICE:
                many = [value for value in values if value in offered]
                if many:
                    answers[question.id] = sorted(set(many))
            case _:
                if values and values[0] in offered:
                    answers[question.id] = values[0]
    return answers
