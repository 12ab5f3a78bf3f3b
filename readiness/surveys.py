"""Surveys as the person who is asked meets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import get_language_info

from organisations.models import User
from readiness.enums import MAX_COMMENT
from readiness.models import Participation, Wave
from readiness.questionnaire import in_language, sections_of


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


@dataclass(frozen=True)
class AskedItem:
    code: str
    text: str
    given: str  # what was chosen, "" for nothing


@dataclass(frozen=True)
class AskedBlock:
    """A few statements that stand together, and what is said before them ("" for nothing)."""

    lead_in: str
    items: tuple[AskedItem, ...]


@dataclass(frozen=True)
class AskedQuestion:
    code: str
    text: str
    given: str


@dataclass(frozen=True)
class Form:
    """A questionnaire in one language, with what was filled in so far."""

    language: str
    languages: tuple[str, ...]
    scale: tuple[tuple[str, str], ...]
    blocks: tuple[AskedBlock, ...]
    questions: tuple[AskedQuestion, ...]
    statements: int
    minutes: int
    unanswered: int


def form_of(wave: Wave, language: str, given: Mapping[str, str]) -> Form:
    """`given`: what a person chose, by "a_" and the code of an item or "t_" and that of a question."""
    asked = wave.questionnaire
    languages = tuple(asked["languages"])
    chosen = language if language in languages else languages[0]
    # The way to say nothing comes last, as people are used to.
    scale = sorted(asked["scale"], key=lambda step: (step["value"] == 0, step["value"]))
    blocks = tuple(
        AskedBlock(
            in_language(section["lead_in"], chosen),
            tuple(
                AskedItem(item["code"], in_language(item["text"], chosen), given.get(f"a_{item['code']}", ""))
                for item in section["items"]
            ),
        )
        for section in sections_of(asked)
    )
    statements = sum(len(block.items) for block in blocks)
    return Form(
        chosen,
        languages,
        tuple((str(step["value"]), in_language(step["text"], chosen)) for step in scale),
        blocks,
        tuple(
            AskedQuestion(q["code"], in_language(q["text"], chosen), given.get(f"t_{q['code']}", ""))
            for q in asked["questions"]
        ),
        statements,
        int(asked["instrument"].get("minutes") or 1),
        sum(not item.given for block in blocks for item in block.items),
    )


def read_answers(wave: Wave, given: Mapping[str, str]) -> tuple[dict[str, int], dict[str, str]]:
    """Answers and comments out of what a browser sent; fields we did not ask for are left out."""
    answers: dict[str, int] = {}
    for block in wave.questionnaire["blocks"]:
        for item in block["items"]:
            value = given.get(f"a_{item['code']}", "")
            if value in ("0", "1", "2", "3", "4", "5"):
                answers[item["code"]] = int(value)
    comments = {}
    for question in wave.questionnaire["questions"]:
        text = given.get(f"t_{question['code']}", "").replace("\0", "").replace("\r\n", "\n").strip()
        if text:
            comments[question["code"]] = text[: MAX_COMMENT + 1]
    return answers, comments


def language_names(codes: tuple[str, ...]) -> list[tuple[str, str]]:
    """Each language by its own name."""
    found: list[tuple[str, str]] = []
    for code in codes:
        info: Mapping[str, Any] = get_language_info(code)
        found.append((code, str(info["name_local"]).capitalize()))
    return found
