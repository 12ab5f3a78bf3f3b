"""Surveys as the person who is asked meets them: the page of statements, and what comes back from it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from django.utils.crypto import salted_hmac
from django.utils.translation import get_language_info

from organisations.models import User
from readiness.enums import MAX_COMMENT
from readiness.models import Participation, Wave
from readiness.questionnaire import in_language, items_of, sections_of

# What a wave keeps in `questionnaire`.
Questionnaire = Mapping[str, Any]
# Names of the fields of the page: one of these and the code of the statement or the question.
ANSWER, COMMENT = "a_", "t_"
# Numbers are compared as they are written: int() reads digits of other scripts too.
VALUES = {str(value): value for value in range(6)}
# So many statements are read as one group; a longer part is divided.
TOGETHER, MOST_TOGETHER = 3, 4
# Reading a statement and choosing; writing a sentence or two. Rounded up, and never more than the questionnaire says.
SECONDS_A_STATEMENT, SECONDS_A_QUESTION = 8, 45


def open_surveys_of(person: User, now: datetime) -> list[Wave]:
    """Surveys that wait for her answers, the one that closes first on top. One query."""
    rows = (
        Participation.objects.filter(
            person=person, done=False, wave__state="open", wave__opens_at__lte=now, wave__closes_at__gt=now
        )
        .select_related("wave__initiative")
        .order_by("wave__closes_at", "wave_id")
    )
    return [row.wave for row in rows]


def minutes_of(questionnaire: Questionnaire) -> int:
    """About how many minutes it takes: a pulse asks a part of what its questionnaire is said to take."""
    statements = sum(1 for _ in items_of(questionnaire))
    seconds = statements * SECONDS_A_STATEMENT + len(questionnaire["questions"]) * SECONDS_A_QUESTION
    estimate = max(1, ceil(seconds / 60))
    return min(estimate, int(questionnaire["instrument"].get("minutes") or estimate))


def keep_key(person: User, wave: Wave) -> str:
    """Under which name a browser keeps her answers, if she wants it to: another's, on the same device, is another one.

    It tells nothing to who finds it, and is the same after a new sign-in.
    """
    made = salted_hmac("readiness.surveys.keep", f"{person.pk}:{wave.pk}", algorithm="sha256")
    return f"survey-{wave.pk}-{made.hexdigest()[:20]}"


# --- What is asked ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, repr=False)
class AskedItem:
    """A statement with its number on the page. `given`: what was chosen, "" for nothing. Printing it shows nothing."""

    number: int
    code: str
    text: str
    given: str

    @property
    def anchor(self) -> str:
        return f"{ANSWER}{self.code}"


@dataclass(frozen=True, repr=False)
class AskedGroup:
    """A few statements that stand together, and what is said before them ("" for nothing)."""

    lead_in: str
    items: tuple[AskedItem, ...]

    @property
    def first(self) -> int:
        return self.items[0].number

    @property
    def last(self) -> int:
        return self.items[-1].number


@dataclass(frozen=True, repr=False)
class AskedQuestion:
    """`too_long_by`: by how many characters; 0 where it fits."""

    code: str
    text: str
    given: str
    too_long_by: int

    @property
    def anchor(self) -> str:
        return f"{COMMENT}{self.code}"


@dataclass(frozen=True, repr=False)
class Form:
    """A questionnaire in one language, with what was filled in so far. `direction`: of its script, ltr or rtl."""

    language: str
    direction: str
    languages: tuple[str, ...]
    scale: tuple[tuple[str, str], ...]
    groups: tuple[AskedGroup, ...]
    questions: tuple[AskedQuestion, ...]
    minutes: int

    @property
    def statements(self) -> int:
        return sum(len(group.items) for group in self.groups)

    @property
    def unanswered(self) -> list[AskedItem]:
        return [item for group in self.groups for item in group.items if not item.given]

    @property
    def too_long(self) -> list[AskedQuestion]:
        return [question for question in self.questions if question.too_long_by]


def form_of(asked: Questionnaire, language: str, given: Mapping[str, str]) -> Form:
    """The page in a language, or else in the first the questionnaire has. `given`: fields as a browser sends them."""
    languages = tuple(asked["languages"])
    chosen = language if language in languages else languages[0]
    numbers = iter(range(1, 1 + sum(1 for _ in items_of(asked))))

    def group(lead_in: str, items: Iterable[Mapping[str, Any]]) -> AskedGroup:
        return AskedGroup(
            lead_in,
            tuple(
                AskedItem(
                    next(numbers), item["code"], in_language(item["text"], chosen), given.get(ANSWER + item["code"], "")
                )
                for item in items
            ),
        )

    questions = []
    for question in asked["questions"]:
        text = given.get(COMMENT + question["code"], "")
        over = max(0, len(cleaned(text)) - MAX_COMMENT)
        questions.append(AskedQuestion(question["code"], in_language(question["text"], chosen), text, over))
    return Form(
        language=chosen,
        direction=direction_of(chosen),
        languages=languages,
        scale=scale_of(asked, chosen),
        groups=tuple(
            group(in_language(lead_in, chosen) if first else "", items)
            for lead_in, part in _parts(asked)
            for first, items in _divided(part)
        ),
        questions=tuple(questions),
        minutes=minutes_of(asked),
    )


def scale_of(asked: Questionnaire, language: str) -> tuple[tuple[str, str], ...]:
    """(value, words), from disagreeing to agreeing; the way to say nothing comes last, as people are used to."""
    steps = sorted(asked["scale"], key=lambda step: (step["value"] == 0, step["value"]))
    return tuple((str(step["value"]), in_language(step["text"], language)) for step in steps)


def _parts(asked: Questionnaire) -> list[tuple[Mapping[str, str], Sequence[Mapping[str, Any]]]]:
    """What is said before some statements, and these. A block's title stays away: it says what a high figure means.

    Of a pulse each block has a statement or two: as many as fit into a group stand together.
    """
    parts: list[tuple[Mapping[str, str], list[Mapping[str, Any]]]] = []
    for section in sections_of(asked):
        lead_in, items = section["lead_in"], section["items"]
        if parts and not lead_in and not parts[-1][0] and len(parts[-1][1]) + len(items) <= TOGETHER:
            parts[-1][1].extend(items)
        else:
            parts.append((lead_in, list(items)))
    return list(parts)


def _divided(items: Sequence[Mapping[str, Any]]) -> Iterator[tuple[bool, Sequence[Mapping[str, Any]]]]:
    """(whether it is the first, group): groups of about TOGETHER statements, as even as can be."""
    number = 1 if len(items) <= MOST_TOGETHER else ceil(len(items) / TOGETHER)
    size, larger = divmod(len(items), number)
    at = 0
    for n in range(number):
        end = at + size + (n < larger)
        yield n == 0, items[at:end]
        at = end


def self_check_of(asked: Questionnaire, language: str) -> Form:
    """The statements of the pulse alone, for who looks at herself; all, where the questionnaire marks none."""
    marked = any(item.get("pulse") for _block, item in items_of(asked))
    blocks = [
        {**block, "items": [item for item in block["items"] if item.get("pulse") or not marked]}
        for block in asked["blocks"]
    ]
    left = {item["code"] for block in blocks for item in block["items"]}
    chosen = {
        **asked,
        "blocks": [block for block in blocks if block["items"]],
        "questions": [],
        "order": [code for code in asked.get("order", ()) if code in left],
    }
    return form_of(chosen, language, {})


def language_names(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Each language by its own name."""
    return [(code, _info(code, "name_local", code).capitalize()) for code in codes]


def direction_of(code: str) -> str:
    return "rtl" if _info(code, "bidi", False) else "ltr"


def _info(code: str, name: str, default: Any) -> Any:
    try:
        info: Mapping[str, Any] = get_language_info(code)
    except KeyError:  # one that Django does not know
        return default
    return info[name]


# --- What comes back -------------------------------------------------------------------------------------------------
@dataclass(frozen=True, repr=False)
class Given:
    """What came with a press. Printing it shows nothing of it.

    `answers`: 0 to 5 by item code, those not chosen left out; `comments`: by question code, as they are kept.
    `off_scale`: a value that the page does not offer; `too_long`: a comment of more than MAX_COMMENT characters.
    """

    answers: Mapping[str, int]
    comments: Mapping[str, str]
    off_scale: bool
    too_long: bool

    @property
    def is_empty(self) -> bool:
        return not any(self.answers.values()) and not self.comments


def read_answers(asked: Questionnaire, given: Mapping[str, str]) -> Given:
    """Answers and comments out of what a browser sent; fields we did not ask for are left out."""
    answers: dict[str, int] = {}
    off_scale = False
    for _block, item in items_of(asked):
        value = given.get(ANSWER + item["code"], "")
        if value in VALUES:
            answers[item["code"]] = VALUES[value]
        elif value:
            off_scale = True
    said = {q["code"]: cleaned(given.get(COMMENT + q["code"], "")) for q in asked["questions"]}
    comments = {code: text for code, text in said.items() if text}
    return Given(answers, comments, off_scale, any(len(text) > MAX_COMMENT for text in comments.values()))


def cleaned(text: str) -> str:
    """A comment as it is kept: one character a line break, as browsers count, and no control characters.

    These have no meaning in a sentence, and each would take six bytes of the envelope.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()
