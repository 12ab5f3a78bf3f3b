"""Questionnaires and suggestions that ship with the platform, from files into the database. Twice is once.

A questionnaire in a version is stored ready for use; the same version with other content is refused, for a version never
changes. Suggestions are loaded where there are none: what editors have made of them stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from i18nfield.strings import LazyI18nString

from organisations.models import User
from readiness.content import content_of
from readiness.enums import COURSE_EVALUATION
from readiness.instruments import InstrumentRefused, make_ready, objections_to, review_language
from readiness.models import Block, Instrument, Item, OpenQuestion, Suggestion
from readiness.tree import words_of

FORMAT, SUGGESTIONS_FORMAT = "digital-talent-questionnaire/1", "digital-talent-suggestions/1"
DATA = Path(__file__).resolve().parent / "data"
INSTRUMENTS = ("readiness-core.json", "readiness-outcomes.json", "oric.json", f"{COURSE_EVALUATION}.json")
SUGGESTIONS = DATA / "suggestions.json"


class FileRefused(ValueError):
    """A file that cannot be loaded; the text names the file and the fault."""


@dataclass
class Loaded:
    created: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    suggestions: int = 0


@transaction.atomic
def load_shipped(*, by: User | None = None) -> Loaded:
    """All questionnaires and suggestions that ship, or none. Raises FileRefused."""
    loaded = Loaded()
    for name in INSTRUMENTS:
        instrument, created = load_instrument(path=DATA / name, by=by)
        (loaded.created if created else loaded.left).append(f"{instrument.slug} {instrument.version}")
    loaded.suggestions = load_suggestions()
    return loaded


# --- Questionnaires --------------------------------------------------------------------------------------------------
@transaction.atomic
def load_instrument(*, path: Path, by: User | None = None) -> tuple[Instrument, bool]:
    """The questionnaire of a file, ready for use, and whether it is new. Raises FileRefused."""
    file = read(path)
    there = Instrument.objects.filter(slug=file["slug"], version=file["version"]).first()
    if there is not None:
        if there.is_frozen and as_filed(there) == _comparable(file):
            return there, False
        raise FileRefused(
            _(
                "%(file)s: version %(version)s of “%(slug)s” is there already with other content. "
                "Give the changed questionnaire the next version."
            )
            % {"file": path.name, "version": file["version"], "slug": file["slug"]}
        )
    try:
        instrument = _store(file)
        for review in file["reviewed"]:
            review_language(instrument=instrument, language=review["language"], by=by, note=review["note"])
        instrument = make_ready(instrument=instrument, by=by)
    except InstrumentRefused as error:
        raise FileRefused(f"{path.name}: {error}") from error
    except ValidationError as error:
        raise FileRefused(f"{path.name}: {' '.join(error.messages)}") from error
    return instrument, True


def read(path: Path) -> dict[str, Any]:
    """The content of a file, checked. Raises FileRefused with every fault."""
    try:
        file = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise FileRefused(
            _("%(file)s is not readable JSON: %(error)s") % {"file": path.name, "error": error}
        ) from error
    if not isinstance(file, dict) or file.get("format") != FORMAT:
        raise FileRefused(
            _("%(file)s is not a questionnaire of format %(format)s.") % {"file": path.name, "format": FORMAT}
        )
    try:
        file.setdefault("order", [])
        faults = objections_to(
            {**file, "instrument": file}, [review["language"] for review in file["reviewed"]], file["licence"]
        )
        _comparable(file)
    except (KeyError, TypeError, AttributeError) as error:
        raise FileRefused(
            _("%(file)s: something is missing or of another kind (%(error)s).") % {"file": path.name, "error": error}
        ) from error
    if faults:
        raise FileRefused(f"{path.name}: {' '.join(faults)}")
    return file


def _store(file: Mapping[str, Any]) -> Instrument:
    """As a draft, every field checked as a form would check it."""
    instrument = Instrument(
        slug=file["slug"], version=file["version"], title=LazyI18nString(file["title"]),
        about=LazyI18nString(file["about"]), licence=file["licence"], attribution=file["attribution"],
        source=file["source"], scale=file["scale"], asked_in_order=file["order"], minutes=file["minutes"],
    )  # fmt: skip
    instrument.full_clean()
    instrument.save()
    for place, one in enumerate(file["blocks"]):
        block = Block(
            instrument=instrument, code=one["code"], title=LazyI18nString(one["title"]),
            about=LazyI18nString(one["about"]), lead_in=LazyI18nString(one["lead_in"]), kind=one["kind"],
            sort_order=place,
        )  # fmt: skip
        block.full_clean()
        block.save()
        for at, statement in enumerate(one["items"]):
            item = Item(
                block=block, code=statement["code"], text=LazyI18nString(statement["text"]),
                pulse=statement["pulse"], sort_order=at,
            )  # fmt: skip
            item.full_clean()
            item.save()
    for place, one in enumerate(file["questions"]):
        question = OpenQuestion(
            instrument=instrument, code=one["code"], text=LazyI18nString(one["text"]), pulse=one["pulse"],
            sort_order=place,
        )  # fmt: skip
        question.full_clean()
        question.save()
    return instrument


def as_filed(instrument: Instrument) -> dict[str, Any]:
    """A stored questionnaire as its file would say it: everything but who has reviewed which language since."""
    content = content_of(instrument)
    return {
        **content.pop("instrument"),
        "about": words_of(instrument.about),
        "source": instrument.source,
        **content,
    }


def _comparable(file: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{name: file[name] for name in ("slug", "version", "licence", "attribution", "minutes", "source", "scale")},
        **{name: file[name] for name in ("title", "about", "order")},
        "blocks": [
            {
                **{name: block[name] for name in ("code", "kind", "title", "about", "lead_in")},
                "items": [{name: item[name] for name in ("code", "text", "pulse")} for item in block["items"]],
            }
            for block in file["blocks"]
        ],
        "questions": [{name: one[name] for name in ("code", "text", "pulse")} for one in file["questions"]],
    }


@cache
def shipped_scales() -> dict[str, list[dict[str, Any]]]:
    """The answers of what ships, each once, by the short name of the first questionnaire that has them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name in INSTRUMENTS:
        file = read(DATA / name)
        if file["scale"] not in found.values():
            found[file["slug"]] = file["scale"]
    return found


# --- Suggestions -----------------------------------------------------------------------------------------------------
def load_suggestions() -> int:
    """What helps where a block is low, where nothing is written about it yet; returns how many were written."""
    if Suggestion.objects.exists():
        return 0
    content = json.loads(SUGGESTIONS.read_text(encoding="utf-8"))
    if content["format"] != SUGGESTIONS_FORMAT:
        raise FileRefused(
            _("%(file)s has no suggestions of format %(format)s.")
            % {"file": SUGGESTIONS.name, "format": SUGGESTIONS_FORMAT}
        )
    written = []
    for place, one in enumerate(content["suggestions"]):
        suggestion = Suggestion(
            block=one["block"], kind=one["kind"], title=LazyI18nString(one["title"]),
            text=LazyI18nString(one["text"]), link=one.get("link", ""), order=place,
        )  # fmt: skip
        suggestion.full_clean()
        suggestion.save()
        written.append(suggestion)
    return len(written)
