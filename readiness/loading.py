"""Questionnaires and suggestions that come with the platform. What is there already is left as it is."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from readiness.content import content_of
from readiness.enums import InstrumentStatus
from readiness.models import Block, Instrument, Item, LanguageReview, OpenQuestion, Suggestion

FORMAT, SUGGESTIONS_FORMAT = "digital-talent-questionnaire/1", "digital-talent-suggestions/1"
DATA = Path(__file__).resolve().parent / "data"


class QuestionnaireFault(ValueError):
    """A file that cannot be loaded; the text names the file and the fault."""


@dataclass
class Loaded:
    created: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@transaction.atomic
def load_instruments(folder: Path = DATA) -> Loaded:
    """Load every questionnaire and the suggestions of a folder; all or nothing.

    A version that is there must be the same as in its file: questions people have been asked are never changed. Raises
    QuestionnaireFault.
    """
    loaded = Loaded()
    for path in sorted(folder.glob("*.json")):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data.get("format") == FORMAT:
                _load(data, loaded)
            elif data.get("format") == SUGGESTIONS_FORMAT:
                _suggest(data["suggestions"], loaded)
            else:
                raise QuestionnaireFault(_("%(file)s is no questionnaire of ours.") % {"file": path.name})
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, QuestionnaireFault):
                raise
            raise QuestionnaireFault(
                _("%(file)s cannot be read: %(fault)s") % {"file": path.name, "fault": error}
            ) from error
    return loaded


def _load(data: dict[str, Any], loaded: Loaded) -> None:
    name = f"{data['slug']} {data['version']}"
    known = Instrument.objects.filter(slug=data["slug"], version=data["version"]).first()
    if known is not None:
        if _asked(content_of(known)) != _asked(data):
            raise QuestionnaireFault(
                _("Version %(name)s has other questions than its file. Give the file a new version.") % {"name": name}
            )
        loaded.left.append(name)
        return
    instrument = Instrument.objects.create(
        slug=data["slug"], version=data["version"], title=data["title"], about=data["about"], licence=data["licence"],
        attribution=data["attribution"], scale=data["scale"], minutes=data["minutes"], status=InstrumentStatus.READY,
    )  # fmt: skip
    for place, block in enumerate(data["blocks"]):
        row = Block.objects.create(
            instrument=instrument, code=block["code"], kind=block["kind"], title=block["title"], about=block["about"],
            sort_order=place,
        )  # fmt: skip
        for order, item in enumerate(block["items"]):
            Item.objects.create(block=row, code=item["code"], text=item["text"], pulse=item["pulse"], sort_order=order)
    for place, question in enumerate(data["questions"]):
        OpenQuestion.objects.create(
            instrument=instrument, code=question["code"], text=question["text"], pulse=question["pulse"],
            sort_order=place,
        )  # fmt: skip
    for review in data["reviewed"]:
        LanguageReview.objects.create(instrument=instrument, language=review["language"], note=review["note"])
    loaded.created.append(name)


def _asked(content: dict[str, Any]) -> list[Any]:
    """What people are asked; titles and descriptions may get better."""
    return [
        content["scale"],
        [[(item["code"], item["text"], item["pulse"]) for item in block["items"]] for block in content["blocks"]],
        [(question["code"], question["text"]) for question in content["questions"]],
    ]


def _suggest(rows: list[dict[str, Any]], loaded: Loaded) -> None:
    """Once: afterwards they are the editors'."""
    if Suggestion.objects.exists():
        loaded.left.append("suggestions")
        return
    Suggestion.objects.bulk_create(
        Suggestion(
            block=row["block"], kind=row["kind"], title=row["title"], text=row["text"], link=row["link"], order=place
        )
        for place, row in enumerate(rows)
    )
    loaded.created.append("suggestions")
