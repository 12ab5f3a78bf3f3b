"""Course files into pages. A course that is there already is left as it is: people may have edited it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.images import ImageFile
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _
from wagtail.documents import get_document_model
from wagtail.images import get_image_model
from wagtail.search import index

from competencies.models import Competency, ProficiencyLevel
from courses.models import CataloguePage, CourseOutcome, CoursePage, CoursePrerequisite, LessonPage

FORMAT = "digital-talent-course/1"
DATA = Path(__file__).resolve().parent / "data"
NEEDED = {
    "key": str,
    "language": str,
    "title": str,
    "slug": str,
    "summary": str,
    "pass_mark_pct": int,
    "outcomes": list,
    "lessons": list,
}


class CourseFileFault(ValueError):
    """A course file that cannot be loaded; the text names the file, the place and the fault."""


@dataclass
class Loaded:
    created: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def load_courses(*, folder: Path = DATA, framework_slug: str = "public-digital-talent") -> Loaded:
    """Load every course file of a folder into the catalogue, published; all or nothing.

    Competency codes are those of the published version of `framework_slug`.
    Raises CourseFileFault with the file and the place.
    """
    written: list[FieldFile] = []
    try:
        return _load(folder, framework_slug, written)
    except BaseException:
        for file in written:  # rows go back by themselves, files do not
            file.storage.delete(str(file.name))
        raise


@transaction.atomic
def _load(folder: Path, framework_slug: str, written: list[FieldFile]) -> Loaded:
    contents = [(_read(path), path) for path in sorted(folder.glob("*.json"))]
    competencies = {
        c.code: c
        for c in Competency.objects.filter(
            version__framework__slug=framework_slug, version__status="published"
        ).order_by("version_id")
    }
    catalogue = CataloguePage.objects.get()
    loaded = Loaded()
    left: list[CoursePage] = []
    pages: dict[tuple[str, str], CoursePage] = {(p.key, p.language): p for p in CoursePage.objects.all()}
    for content, path in _prerequisites_first(contents):
        name = f"{content['key']}.{content['language']}"
        if (content["key"], content["language"]) in pages:
            loaded.left.append(name)
            left.append(pages[content["key"], content["language"]])
            continue
        with _faults_at(path):
            page = _create_course(content, path, catalogue, competencies, pages, written)
        pages[content["key"], content["language"]] = page
        loaded.created.append(name)
    for page in left:  # what a search finds may be laid down otherwise since
        index.insert_or_update_object(page)
    return loaded


@contextmanager
def _faults_at(path: Path, *places: str) -> Iterator[None]:
    """Whatever is wrong inside becomes a sentence that names the file and the place."""
    where = ", ".join((path.name, *places))
    try:
        yield
    except CourseFileFault:  # named nearer to the fault
        raise
    except KeyError as error:
        raise CourseFileFault(
            _("%(where)s: “%(name)s” is missing.") % {"where": where, "name": error.args[0]}
        ) from error
    except ValidationError as error:
        inner, sentence = _first_fault(error)
        if places[-1:] == ("block",) and inner:
            where, inner = f"{where} {inner[0]}", inner[1:]
        raise CourseFileFault(f"{', '.join((where, *inner))}: {sentence}") from error
    except OSError as error:
        name = Path(error.filename or "").name
        raise CourseFileFault(
            _("%(where)s: the file %(file)s cannot be read.") % {"where": where, "file": name}
        ) from error
    except (AttributeError, TypeError, ValueError) as error:
        raise CourseFileFault(
            _("%(where)s: this is not what belongs here (%(error)s).") % {"where": where, "error": error}
        ) from error


def _first_fault(error: ValidationError) -> tuple[list[str], str]:
    """The first sentence of an error, however deep, and the way to it; blocks and items are counted from one."""
    for name, child in (getattr(error, "block_errors", None) or {}).items():
        inner, sentence = _first_fault(child)
        return [str(name + 1) if isinstance(name, int) else name, *inner], sentence
    for other in getattr(error, "non_block_errors", None) or ():
        return [], other.messages[0] if isinstance(other, ValidationError) else str(other)
    if hasattr(error, "error_dict"):
        name, messages = next(iter(error.message_dict.items()))
        return [] if name == "__all__" else [name], messages[0]
    return [], error.messages[0]


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, ValueError) as error:
        raise CourseFileFault(
            _("%(file)s is not readable JSON: %(error)s") % {"file": path.name, "error": error}
        ) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CourseFileFault(
            _("%(file)s is not a course file of format %(format)s.") % {"file": path.name, "format": FORMAT}
        )
    for name, kind in NEEDED.items():
        if not content.get(name):
            raise CourseFileFault(_("%(where)s: “%(name)s” is missing.") % {"where": path.name, "name": name})
        if not isinstance(content[name], kind):
            raise CourseFileFault(
                _("%(file)s: “%(name)s” is not of the right kind.") % {"file": path.name, "name": name}
            )
    before = content.setdefault("prerequisites", [])
    if not isinstance(before, list) or not all(isinstance(key, str) for key in before):
        raise CourseFileFault(
            _("%(file)s: “%(name)s” is not of the right kind.") % {"file": path.name, "name": "prerequisites"}
        )
    return content


def _prerequisites_first(contents: Iterable[tuple[dict[str, Any], Path]]) -> list[tuple[dict[str, Any], Path]]:
    """Courses after those they require, so that a prerequisite exists when it is pointed at."""
    waiting, done, ordered = list(contents), set(), []
    first: dict[tuple[str, str], Path] = {}
    for content, path in waiting:
        other = first.setdefault((content["key"], content["language"]), path)
        if other is not path:
            raise CourseFileFault(
                _("%(file)s: %(other)s is the same course.") % {"file": path.name, "other": other.name}
            )
    while waiting:
        ready = [(c, p) for c, p in waiting if all((key, c["language"]) in done for key in c["prerequisites"])]
        if not ready:
            names = ", ".join(path.name for _content, path in waiting)
            raise CourseFileFault(
                _("These course files require courses that are not there or each other: %(names)s") % {"names": names}
            )
        ordered += ready
        done |= {(c["key"], c["language"]) for c, _path in ready}
        waiting = [(c, p) for c, p in waiting if (c["key"], c["language"]) not in done]
    return ordered


def _create_course(
    content: dict[str, Any],
    path: Path,
    catalogue: CataloguePage,
    competencies: dict[str, Competency],
    pages: dict[tuple[str, str], CoursePage],
    written: list[FieldFile],
) -> CoursePage:
    outcomes: dict[int, CourseOutcome] = {}
    for number, row in enumerate(content["outcomes"], start=1):
        with _faults_at(path, f"outcome {number}"):
            outcome = _outcome(row, number, competencies)
            if outcome.competency_id in outcomes:
                raise ValueError(_("competency “%(code)s” is there already") % {"code": row["competency"]})
        outcomes[outcome.competency_id] = outcome
    lessons = []
    for number, lesson in enumerate(content["lessons"], start=1):
        with _faults_at(path, f"lesson {number}"):
            lessons.append(_lesson(lesson, path, content["key"], content["language"], written))
    page = CoursePage(
        title=content["title"],
        slug=content["slug"],
        key=content["key"],
        language=content["language"],
        summary=content["summary"],
        pass_mark_pct=content["pass_mark_pct"],
        effort_minutes=sum(lesson.minutes for lesson in lessons),
    )
    page.outcomes = list(outcomes.values())
    page.prerequisites = [
        CoursePrerequisite(prerequisite=pages[key, content["language"]], sort_order=number)
        for number, key in enumerate(content["prerequisites"])
    ]
    catalogue.add_child(instance=page)
    for lesson in lessons:
        with _faults_at(path, lesson.slug):
            page.add_child(instance=lesson)  # live as it is; its first revision comes with the first edit
    page.save_revision().publish()
    return page


def _outcome(row: dict[str, Any], number: int, competencies: dict[str, Competency]) -> CourseOutcome:
    competency = competencies.get(row["competency"])
    if competency is None:
        raise ValueError(_("competency “%(code)s” is not in the framework") % {"code": row["competency"]})
    level = ProficiencyLevel.objects.filter(version_id=competency.version_id, rank=row["level"]).first()
    if level is None:
        raise ValueError(_("level %(level)s is not on the scale") % {"level": row["level"]})
    return CourseOutcome(competency=competency, level=level, sort_order=number)


def _lesson(content: dict[str, Any], path: Path, key: str, language: str, written: list[FieldFile]) -> LessonPage:
    slug = content["slug"]
    with _faults_at(path, slug):
        lesson = LessonPage(
            title=content["title"],
            slug=slug,
            minutes=int(content["minutes"]),
            is_check=_truth(content.get("check", False)),
        )
        blocks = []
        for number, block in enumerate(content["blocks"], start=1):
            with _faults_at(path, slug, f"block {number}"):
                blocks.append(_block(block, f"{key}/{language}/{slug}/{number}", path, written))
        lesson.body = json.dumps(blocks)
    with _faults_at(path, slug, "block"):
        lesson.body.stream_block.clean(lesson.body)  # the CMS's own rules hold for files too
    return lesson


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(_("%(value)s is neither true nor false") % {"value": value})
    return value


def _block(block: dict[str, Any], place: str, path: Path, written: list[FieldFile]) -> dict[str, Any]:
    """One block of the file in Wagtail's own raw form; ids are made from the place, so they are the same everywhere."""
    kind = block["type"]
    raw: dict[str, Any] = {"type": {"callout": "call_out"}.get(kind, kind), "id": _id(place)}
    match kind:
        case "text":
            raw["value"] = block["html"]
        case "callout":
            raw["value"] = {"kind": block["kind"], "title": block.get("title", ""), "text": block["html"]}
        case "picture":
            image = _image(path.parent / block["file"], block["alt"], written)
            raw["value"] = {"image": image, "alt": block["alt"], "caption": block.get("caption", "")}
        case "document":
            document = _document(path.parent / block["file"], block["title"], written)
            raw["value"] = {"title": block["title"], "document": document}
        case "single_choice" | "multiple_choice":
            options = [
                {
                    "type": "item",
                    "id": _id(f"{place}/{n}"),
                    "value": {
                        "text": o["text"],
                        "correct": _truth(o.get("correct", False)),
                        "feedback": o.get("feedback", ""),
                    },
                }
                for n, o in enumerate(block["options"])
            ]
            raw["value"] = {"question": block["question"], "options": options} | _shared(block)
        case "true_false":
            raw["value"] = {
                "statement": block["statement"],
                "answer": "true" if _truth(block["answer"]) else "false",
            } | _shared(block)
        case "short_text":
            accepted = [
                {"type": "item", "id": _id(f"{place}/{n}"), "value": text} for n, text in enumerate(block["accepted"])
            ]
            raw["value"] = {"question": block["question"], "accepted": accepted} | _shared(block)
        case "matching":
            pairs = [
                {"type": "item", "id": _id(f"{place}/{n}"), "value": {"left": p["left"], "right": p["right"]}}
                for n, p in enumerate(block["pairs"])
            ]
            raw["value"] = {"question": block["question"], "pairs": pairs} | _shared(block)
        case _:
            raise ValueError(_("“%(kind)s” is not a kind of block") % {"kind": kind})
    return raw


def _shared(block: dict[str, Any]) -> dict[str, str]:
    return {"explanation": block["explanation"], "revisit": block.get("revisit", "")}


def _id(place: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"digital-talent:{place}"))


def _image(path: Path, alt: str, written: list[FieldFile]) -> int:
    Image = get_image_model()
    found = Image.objects.filter(title=path.stem).first()
    if found is None:
        found = Image(
            title=path.stem, description=alt[:255], file=ImageFile(BytesIO(path.read_bytes()), name=path.name)
        )
        found.save()
        written.append(found.file)
    return found.pk


def _document(path: Path, title: str, written: list[FieldFile]) -> int:
    Document = get_document_model()
    found = Document.objects.filter(file=f"documents/{path.name}").first()
    if found is None:
        found = Document(title=title, file=File(BytesIO(path.read_bytes()), name=path.name))
        found.save()
        written.append(found.file)
    return found.pk
