"""Course files into pages. A course that is there already is left as it is: people may have edited it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.images import ImageFile
from django.db import transaction
from django.utils.translation import gettext as _
from wagtail.documents import get_document_model
from wagtail.images import get_image_model

from competencies.models import Competency, ProficiencyLevel
from courses.models import CataloguePage, CourseOutcome, CoursePage, CoursePrerequisite, LessonPage

FORMAT = "digital-talent-course/1"
DATA = Path(__file__).resolve().parent / "data"


class CourseFileFault(ValueError):
    """A course file that cannot be loaded; the text names the file, the place and the fault."""


@dataclass
class Loaded:
    created: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@transaction.atomic
def load_courses(*, folder: Path = DATA, framework_slug: str = "public-digital-talent") -> Loaded:
    """Load every course file of a folder into the catalogue, published; all or nothing.

    Competency codes are those of the newest published version of `framework_slug`.
    Raises CourseFileFault with the file and the place.
    """
    files = sorted(folder.glob("*.json"))
    contents = [(_read(path), path) for path in files]
    competencies = {
        c.code: c for c in Competency.objects.filter(version__framework__slug=framework_slug, version__status="published").order_by("version_id")
    }
    catalogue = CataloguePage.objects.get()
    loaded = Loaded()
    pages: dict[tuple[str, str], CoursePage] = {(p.key, p.language): p for p in CoursePage.objects.all()}
    new = []
    for content, path in _prerequisites_first(contents):
        name = f"{content['key']}.{content['language']}"
        if (content["key"], content["language"]) in pages:
            loaded.left.append(name)
            continue
        page = _create_course(content, path, catalogue, competencies, pages)
        pages[content["key"], content["language"]] = page
        new.append(page)
        loaded.created.append(name)
    return loaded


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ValueError) as error:
        raise CourseFileFault(_("%(file)s is not readable JSON: %(error)s") % {"file": path.name, "error": error}) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CourseFileFault(_("%(file)s is not a course file of format %(format)s.") % {"file": path.name, "format": FORMAT})
    for name in ("key", "language", "title", "slug", "summary", "pass_mark_pct", "outcomes", "lessons"):
        if not content.get(name):
            raise CourseFileFault(_("%(file)s: “%(name)s” is missing.") % {"file": path.name, "name": name})
    return content


def _prerequisites_first(contents: Iterable[tuple[dict[str, Any], Path]]) -> list[tuple[dict[str, Any], Path]]:
    """Courses after those they require, so that a prerequisite exists when it is pointed at."""
    waiting, done, ordered = list(contents), set(), []
    while waiting:
        ready = [(c, p) for c, p in waiting if all((key, c["language"]) in done for key in c.get("prerequisites", []))]
        if not ready:
            names = ", ".join(path.name for _content, path in waiting)
            raise CourseFileFault(_("These course files require courses that are not there or each other: %(names)s") % {"names": names})
        ordered += ready
        done |= {(c["key"], c["language"]) for c, _path in ready}
        waiting = [(c, p) for c, p in waiting if (c["key"], c["language"]) not in done]
    return ordered


def _create_course(
    content: dict[str, Any], path: Path, catalogue: CataloguePage, competencies: dict[str, Competency], pages: dict[tuple[str, str], CoursePage]
) -> CoursePage:
    page = CoursePage(
        title=content["title"],
        slug=content["slug"],
        key=content["key"],
        language=content["language"],
        summary=content["summary"],
        pass_mark_pct=content["pass_mark_pct"],
        effort_minutes=sum(lesson["minutes"] for lesson in content["lessons"]),
    )
    page.outcomes = [_outcome(row, number, competencies, path) for number, row in enumerate(content["outcomes"])]
    page.prerequisites = [
        CoursePrerequisite(prerequisite=pages[key, content["language"]], sort_order=number)
        for number, key in enumerate(content.get("prerequisites", []))
    ]
    lessons = [_lesson(lesson, path, content["key"], content["language"]) for lesson in content["lessons"]]
    try:
        catalogue.add_child(instance=page)
        for lesson in lessons:
            page.add_child(instance=lesson)  # live as it is; its first revision comes with the first edit
        page.save_revision().publish()
    except ValidationError as error:
        raise CourseFileFault(f"{path.name}: {'; '.join(error.messages)}") from error
    return page


def _outcome(row: dict[str, Any], number: int, competencies: dict[str, Competency], path: Path) -> CourseOutcome:
    competency = competencies.get(row["competency"])
    if competency is None:
        raise CourseFileFault(
            _("%(file)s: competency “%(code)s” is not in the framework.") % {"file": path.name, "code": row["competency"]}
        )
    level = ProficiencyLevel.objects.filter(version_id=competency.version_id, rank=row["level"]).first()
    if level is None:
        raise CourseFileFault(_("%(file)s: level %(level)s is not on the scale.") % {"file": path.name, "level": row["level"]})
    return CourseOutcome(competency=competency, level=level, sort_order=number)


def _lesson(content: dict[str, Any], path: Path, key: str, language: str) -> LessonPage:
    lesson = LessonPage(
        title=content["title"], slug=content["slug"], minutes=content["minutes"], is_check=bool(content.get("check", False))
    )
    place = f"{key}/{language}/{content['slug']}"
    blocks = [_block(block, f"{place}/{number}", path) for number, block in enumerate(content["blocks"], start=1)]
    lesson.body = json.dumps(blocks)
    cleaned = lesson.body.stream_block.clean  # the CMS's own rules hold for files too
    try:
        cleaned(lesson.body)
    except ValidationError as error:
        raise CourseFileFault(f"{path.name}, {content['slug']}: {_first_message(error)}") from error
    return lesson


def _first_message(error: ValidationError) -> str:
    found: list[str] = []

    def walk(err: Any, place: str) -> None:
        for number, child in (getattr(err, "block_errors", None) or {}).items():
            walk(child, f"{place}[{number}]")
        found.extend(f"{place} {message}".strip() for message in getattr(err, "messages", []))

    walk(error, "")
    return found[0] if found else str(error)


def _block(block: dict[str, Any], place: str, path: Path) -> dict[str, Any]:
    """One block of the file in Wagtail's own raw form; ids are made from the place, so they are the same everywhere."""
    kind = block["type"]
    raw: dict[str, Any] = {"type": {"callout": "call_out"}.get(kind, kind), "id": _id(place)}
    match kind:
        case "text":
            raw["value"] = block["html"]
        case "callout":
            raw["value"] = {"kind": block["kind"], "title": block.get("title", ""), "text": block["html"]}
        case "picture":
            raw["value"] = {"image": _image(path.parent / block["file"], block["alt"]), "alt": block["alt"], "caption": block.get("caption", "")}
        case "document":
            raw["value"] = {"title": block["title"], "document": _document(path.parent / block["file"], block["title"])}
        case "single_choice" | "multiple_choice":
            options = [
                {"type": "item", "id": _id(f"{place}/{n}"), "value": {"text": o["text"], "correct": bool(o.get("correct")), "feedback": o.get("feedback", "")}}
                for n, o in enumerate(block["options"])
            ]  # fmt: skip
            raw["value"] = {"question": block["question"], "options": options} | _shared(block)
        case "true_false":
            raw["value"] = {"statement": block["statement"], "answer": "true" if block["answer"] else "false"} | _shared(block)
        case "short_text":
            accepted = [{"type": "item", "id": _id(f"{place}/{n}"), "value": text} for n, text in enumerate(block["accepted"])]
            raw["value"] = {"question": block["question"], "accepted": accepted} | _shared(block)
        case "matching":
            pairs = [
                {"type": "item", "id": _id(f"{place}/{n}"), "value": {"left": p["left"], "right": p["right"]}}
                for n, p in enumerate(block["pairs"])
            ]
            raw["value"] = {"question": block["question"], "pairs": pairs} | _shared(block)
        case _:
            raise CourseFileFault(_("%(file)s: “%(kind)s” is not a kind of block.") % {"file": path.name, "kind": kind})
    return raw


def _shared(block: dict[str, Any]) -> dict[str, str]:
    return {"explanation": block["explanation"], "revisit": block.get("revisit", "")}


def _id(place: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"digital-talent:{place}"))


def _image(path: Path, alt: str) -> int:
    Image = get_image_model()
    found = Image.objects.filter(title=path.stem).first()
    if found is None:
        found = Image(title=path.stem, description=alt[:255], file=ImageFile(BytesIO(_bytes(path)), name=path.name))
        found.save()
    return found.pk


def _document(path: Path, title: str) -> int:
    Document = get_document_model()
    found = Document.objects.filter(file=f"documents/{path.name}").first()
    if found is None:
        found = Document(title=title, file=File(BytesIO(_bytes(path)), name=path.name))
        found.save()
    return found.pk


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CourseFileFault(_("The file %(file)s is missing.") % {"file": path.name}) from error
