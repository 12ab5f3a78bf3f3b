"""Course files: all of ours load, a broken one is refused whole with the file and the place."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from wagtail.documents import get_document_model
from wagtail.images import get_image_model

from competencies.models import Framework
from courses import loading
from courses.loading import DATA, CourseFileFault, load_courses
from courses.models import CoursePage, LessonPage
from courses.questions import questions_in
from tests.builders import make_course, make_framework
from tests.courses.builders import SVG

pytestmark = pytest.mark.django_db
FILES = sorted(DATA.glob("*.json"))


# --- What ships --------------------------------------------------------------------------------------------------
@pytest.fixture
def starter(db):
    call_command("load_starter_framework", verbosity=0)


def test_all_shipped_courses_load_and_loading_twice_changes_nothing(starter, capsys):
    loaded = load_courses()
    assert len(loaded.created) == len(FILES) == 26
    assert loaded.left == []
    pages = list(CoursePage.objects.offered())
    assert len(pages) == 26
    assert {page.language for page in pages} == {"en", "es"}
    assert len({page.key for page in pages}) == 13

    for page in pages:
        lessons = list(LessonPage.objects.child_of(page).live())
        assert page.outcomes.exists()
        assert all(outcome.level is not None for outcome in page.outcomes.all())
        assert page.effort_minutes == sum(lesson.minutes for lesson in lessons)
        assert [lesson.is_check for lesson in lessons] == [False] * (len(lessons) - 1) + [True]
        slugs = {lesson.slug for lesson in lessons}
        questions = [question for lesson in lessons for question in questions_in(lesson.body)]
        assert {question.revisit for question in questions} <= slugs | {""}
        ids = [q.id for q in questions] + [o.id for q in questions if q.kind != "true_false" for o in q.options]
        assert len(set(ids)) == len(ids)
        page.full_clean()
        for lesson in lessons:
            lesson.full_clean()

    # Both languages say the same: outcomes, prerequisites, lessons, number of questions, pass mark.
    by_key: dict[str, list[Any]] = {}
    for page in pages:
        lessons = list(LessonPage.objects.child_of(page))
        by_key.setdefault(page.key, []).append(
            (
                sorted(page.outcomes.values_list("competency__code", "level__rank")),
                sorted(page.prerequisites.values_list("prerequisite__key", flat=True)),
                [len(questions_in(lesson.body)) for lesson in lessons],
                page.pass_mark_pct,
            )
        )
    assert all(english == spanish for english, spanish in by_key.values())
    assert all(p.prerequisite.language == page.language for page in pages for p in page.prerequisites.all())

    before = state()
    again = load_courses()
    assert again.created == []
    assert sorted(again.left) == sorted(loaded.created)
    assert state() == before
    call_command("load_courses")
    assert capsys.readouterr().out == "0 courses loaded, 26 were there already and stay as they are.\n"

    # The pages of what was loaded open, pictures, documents and all.
    from django.test import Client

    client = Client()
    assert {client.get(page.url).status_code for page in pages} == {200}


def state() -> dict[str, Any]:
    """Everything a load could touch: rows and files."""
    media = Path(settings.MEDIA_ROOT)
    return {
        "pages": list(CoursePage.objects.order_by("pk").values("pk", "title", "latest_revision", "numchild")),
        "lessons": list(LessonPage.objects.order_by("pk").values("pk", "title", "minutes", "body")),
        "documents": list(get_document_model().objects.order_by("pk").values("pk", "title", "file")),
        "images": list(get_image_model().objects.order_by("pk").values("pk", "title", "file")),
        "files": sorted(str(path) for path in media.rglob("*") if path.is_file()) if media.exists() else [],
    }


# --- A small folder ----------------------------------------------------------------------------------------------
WHY = {"explanation": "Because.", "revisit": "begin"}
COURSE: dict[str, Any] = {
    "format": "digital-talent-course/1",
    "key": "risk",
    "language": "en",
    "title": "Risk",
    "slug": "risk",
    "summary": "What you can do afterwards.",
    "pass_mark_pct": 80,
    "prerequisites": [],
    "outcomes": [{"competency": "A", "level": 3}, {"competency": "B", "level": 2}],
    "lessons": [
        {
            "title": "Begin",
            "slug": "begin",
            "minutes": 10,
            "blocks": [
                {"type": "text", "html": "<p>Read.</p>"},
                {"type": "callout", "kind": "example", "html": "<p>So.</p>"},
                {"type": "picture", "file": "assets/circle.en.svg", "alt": "A circle."},
                {"type": "document", "file": "assets/form.en.csv", "title": "Form"},
            ],
        },
        {
            "title": "Check",
            "slug": "check",
            "minutes": 5,
            "check": True,
            "blocks": [
                {
                    "type": "single_choice",
                    "question": "Which?",
                    "options": [{"text": "a", "correct": True, "feedback": "Yes."}, {"text": "b"}],
                    **WHY,
                },
                {
                    "type": "multiple_choice",
                    "question": "Which?",
                    "options": [{"text": "a", "correct": True}, {"text": "b", "correct": True}, {"text": "c"}],
                    **WHY,
                },
                {"type": "true_false", "statement": "So?", "answer": False, **WHY},
                {"type": "short_text", "question": "Say it.", "accepted": ["it"], **WHY},
                {
                    "type": "matching",
                    "question": "Match.",
                    "pairs": [{"left": "a", "right": "1"}, {"left": "b", "right": "2"}],
                    **WHY,
                },
            ],
        },
    ],
}


@pytest.fixture
def version():
    return make_framework("house", codes="AB")


@pytest.fixture
def media(settings, tmp_path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    return tmp_path / "media"


@pytest.fixture
def folder(tmp_path) -> Path:
    path = tmp_path / "courses"
    (path / "assets").mkdir(parents=True)
    (path / "assets" / "circle.en.svg").write_bytes(SVG)
    (path / "assets" / "form.en.csv").write_text("a,b\n")
    return path


def write(folder: Path, name: str = "risk.en.json", **changes: Any) -> dict[str, Any]:
    content = copy.deepcopy(COURSE) | changes
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return content


def load(folder: Path) -> loading.Loaded:
    return load_courses(folder=folder, framework_slug="house")


def test_a_course_file_becomes_a_published_course(version, folder, media):
    write(folder)
    write(folder, "after.en.json", key="after", slug="after", prerequisites=["risk"])
    assert load(folder).created == ["risk.en", "after.en"]
    course = CoursePage.objects.get(key="risk")
    assert (course.effort_minutes, course.pass_mark_pct, course.live, course.live_revision_id is not None) == (
        15,
        80,
        True,
        True,
    )
    assert list(course.outcomes.values_list("competency__code", "level__rank")) == [("A", 3), ("B", 2)]
    assert CoursePage.objects.get(key="after").prerequisites.get().prerequisite == course
    begin, check = LessonPage.objects.child_of(course)
    assert [block.block_type for block in begin.body] == ["text", "call_out", "picture", "document"]
    assert (begin.is_check, check.is_check) == (False, True)
    kinds = [question.kind for question in questions_in(check.body)]
    assert kinds == ["single_choice", "multiple_choice", "true_false", "short_text", "matching"]
    assert questions_in(check.body)[2].options[1].correct
    assert get_document_model().objects.get().title == "Form"
    assert get_image_model().objects.get().description == "A circle."


def test_the_ids_of_questions_are_the_same_on_every_installation(version, folder, media):
    write(folder)
    load(folder)
    check = LessonPage.objects.get(slug="check")
    first = [question.id for question in questions_in(check.body)]
    assert first == [loading._id(f"risk/en/check/{n}") for n in range(1, 6)]


def test_a_course_an_editor_has_changed_is_left_alone(version, folder, media):
    write(folder)
    load(folder)
    course = CoursePage.objects.get(key="risk")
    course.title = "Risk, our way"
    course.save_revision().publish()
    begin = LessonPage.objects.get(slug="begin")
    begin.body = [{"type": "text", "value": "<p>Ours.</p>"}]
    begin.save_revision().publish()
    write(folder, title="A new edition", outcomes=[{"competency": "B", "level": 5}])
    before = state()
    loaded = load(folder)
    assert (loaded.created, loaded.left) == ([], ["risk.en"])
    assert state() == before
    assert CoursePage.objects.get(key="risk").title == "Risk, our way"


def test_a_course_an_editor_has_withdrawn_stays_withdrawn(version, folder, media):
    write(folder)
    load(folder)
    CoursePage.objects.get(key="risk").unpublish()
    load(folder)
    assert not CoursePage.objects.offered().exists()


def test_a_new_file_is_loaded_beside_what_is_there(version, folder, media):
    write(folder)
    load(folder)
    write(folder, "riesgo.es.json", language="es", slug="riesgo")
    loaded = load(folder)
    assert (loaded.created, loaded.left) == (["risk.es"], ["risk.en"])


def test_an_empty_folder_loads_nothing(version, tmp_path):
    assert load(tmp_path) == loading.Loaded()


def test_the_published_version_of_the_framework_counts(version, folder, media):
    newer = make_framework("draft-of-house", codes="AB", status="draft")
    newer.framework = Framework.objects.get(slug="house")
    newer.edition = "2"
    newer.save()
    write(folder)
    load(folder)
    assert CoursePage.objects.get().outcomes.first().competency.version == version
    version.status, newer.status = "superseded", "published"
    version.save()
    newer.save()
    write(folder, "later.en.json", key="later", slug="later")
    load(folder)
    assert CoursePage.objects.get(key="later").outcomes.first().competency.version == newer


# --- Broken files ------------------------------------------------------------------------------------------------
def lesson(n: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["lessons"][n].update(changes)


def block(n: int, m: int, **changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content["lessons"][n]["blocks"][m].update(changes)


def drop(*way: Any) -> Callable[[dict[str, Any]], None]:
    def act(content: Any) -> None:
        for step in way[:-1]:
            content = content[step]
        del content[way[-1]]

    return act


def put(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda content: content.update({name: value})


FILE = "risk.en.json"
BROKEN: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "other format": (put("format", "something/2"), f"{FILE} is not a course file of format digital-talent-course/1."),
    **{
        f"no {name}": (drop(name), f"{FILE}: “{name}” is missing.")
        for name in ("key", "language", "title", "slug", "summary", "pass_mark_pct", "outcomes", "lessons")
    },
    "no lessons": (put("lessons", []), f"{FILE}: “lessons” is missing."),
    "lessons no list": (put("lessons", {"a": 1}), f"{FILE}: “lessons” is not of the right kind."),
    "key no text": (put("key", ["risk"]), f"{FILE}: “key” is not of the right kind."),
    "pass mark in words": (put("pass_mark_pct", "eighty"), f"{FILE}: “pass_mark_pct” is not of the right kind."),
    "prerequisites no list": (put("prerequisites", "law"), f"{FILE}: “prerequisites” is not of the right kind."),
    "prerequisites no keys": (put("prerequisites", [1]), f"{FILE}: “prerequisites” is not of the right kind."),
    "pass mark too high": (
        put("pass_mark_pct", 101),
        f"{FILE}, pass_mark_pct: Ensure this value is less than or equal to 100.",
    ),
    "unknown language": (put("language", "xx"), f"{FILE}, language: Value 'xx' is not a valid choice."),
    "bad slug": (put("slug", "a b"), f"{FILE}, slug: Enter a valid "),
    "unknown competency": (
        put("outcomes", [{"competency": "A", "level": 1}, {"competency": "ZZ", "level": 1}]),
        f"{FILE}, outcome 2: this is not what belongs here (competency “ZZ” is not in the framework).",
    ),
    "unknown level": (
        put("outcomes", [{"competency": "A", "level": 9}]),
        f"{FILE}, outcome 1: this is not what belongs here (level 9 is not on the scale).",
    ),
    "level in words": (put("outcomes", [{"competency": "A", "level": "high"}]), f"{FILE}, outcome 1: this is not what"),
    "outcome without level": (put("outcomes", [{"competency": "A"}]), f"{FILE}, outcome 1: “level” is missing."),
    "outcome no object": (put("outcomes", ["A"]), f"{FILE}, outcome 1: this is not what belongs here"),
    "outcome twice": (
        put("outcomes", [{"competency": "A", "level": 1}, {"competency": "A", "level": 2}]),
        f"{FILE}, outcome 2: this is not what belongs here (competency “A” is there already).",
    ),
    "lesson without slug": (drop("lessons", 0, "slug"), f"{FILE}, lesson 1: “slug” is missing."),
    "lesson without title": (drop("lessons", 1, "title"), f"{FILE}, check: “title” is missing."),
    "lesson without minutes": (drop("lessons", 0, "minutes"), f"{FILE}, begin: “minutes” is missing."),
    "lesson without blocks": (drop("lessons", 0, "blocks"), f"{FILE}, begin: “blocks” is missing."),
    "lesson no object": (put("lessons", ["begin"]), f"{FILE}, lesson 1: this is not what belongs here"),
    "minutes in words": (lesson(0, minutes="ten"), f"{FILE}, begin: this is not what belongs here"),
    "no time": (lesson(0, minutes=0), f"{FILE}, begin, minutes: Ensure this value is greater than or equal to 1."),
    "check in words": (lesson(1, check="no"), f"{FILE}, check: this is not what belongs here (no is neither true nor"),
    "same slug twice": (lesson(1, slug="begin"), f"{FILE}, begin, slug: The slug 'begin' is already in use"),
    "check without question": (
        lesson(1, blocks=[{"type": "text", "html": "<p>x</p>"}]),
        f"{FILE}, check, body: A final check needs at least one question.",
    ),
    "block without type": (drop("lessons", 0, "blocks", 1, "type"), f"{FILE}, begin, block 2: “type” is missing."),
    "block without html": (drop("lessons", 0, "blocks", 0, "html"), f"{FILE}, begin, block 1: “html” is missing."),
    "block no object": (lesson(0, blocks=["x"]), f"{FILE}, begin, block 1: this is not what belongs here"),
    "unknown block": (
        block(0, 0, type="quiz"),
        f"{FILE}, begin, block 1: this is not what belongs here (“quiz” is not a kind of block).",
    ),
    "missing picture": (
        block(0, 2, file="assets/gone.svg"),
        f"{FILE}, begin, block 3: the file gone.svg cannot be read.",
    ),
    "missing document": (
        block(0, 3, file="assets/gone.csv"),
        f"{FILE}, begin, block 4: the file gone.csv cannot be read.",
    ),
    "document is a folder": (block(0, 3, file="assets"), f"{FILE}, begin, block 4: the file assets cannot be read."),
    "picture without words": (block(0, 2, alt=""), f"{FILE}, begin, block 3, alt: This field is required."),
    "unknown call-out": (block(0, 1, kind="advert"), f"{FILE}, begin, block 2, kind: "),
    "two right answers": (
        block(1, 0, options=[{"text": "a", "correct": True}, {"text": "b", "correct": True}]),
        f"{FILE}, check, block 1, options: Mark exactly one answer as right.",
    ),
    "one answer": (
        block(1, 0, options=[{"text": "a", "correct": True}]),
        f"{FILE}, check, block 1, options: The minimum number of items is 2",
    ),
    "empty answer": (
        block(1, 0, options=[{"text": "a", "correct": True}, {"text": ""}]),
        f"{FILE}, check, block 1, options, 2, text: This field is required.",
    ),
    "truth in words": (
        block(1, 2, answer="false"),
        f"{FILE}, check, block 3: this is not what belongs here (false is neither true nor false).",
    ),
    "no explanation": (
        drop("lessons", 1, "blocks", 2, "explanation"),
        f"{FILE}, check, block 3: “explanation” is missing.",
    ),
    "nothing accepted": (
        block(1, 3, accepted=[]),
        f"{FILE}, check, block 4, accepted: The minimum number of items is 1",
    ),
    "pair without right": (
        block(1, 4, pairs=[{"left": "a"}]),
        f"{FILE}, check, block 5: “right” is missing.",
    ),
    "same right side": (
        block(1, 4, pairs=[{"left": "a", "right": "1"}, {"left": "b", "right": "1"}]),
        f"{FILE}, check, block 5, pairs: Two pairs have the same right side; nobody could tell them apart.",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_refused_with_file_and_place_and_nothing_is_written(version, folder, media, case):
    act, sentence = BROKEN[case]
    content = write(folder, "a-good-one.en.json", key="good", slug="good")
    content = copy.deepcopy(COURSE)
    act(content)
    (folder / FILE).write_text(json.dumps(content), encoding="utf-8")
    before = state()
    with pytest.raises(CourseFileFault) as caught:
        load(folder)
    assert str(caught.value).startswith(sentence)
    assert state() == before


@pytest.mark.parametrize("text", ["", "{", '{"format": NaN,}', "[]", "null", '"x"', "\ufeff{}"])
def test_what_is_no_course_file_is_refused_by_its_name(version, folder, text):
    (folder / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(CourseFileFault, match=r"^risk\.en\.json is not "):
        load(folder)


def test_bytes_that_are_no_text_are_refused(version, folder):
    (folder / FILE).write_bytes(b"\xff\xfe{}")
    with pytest.raises(CourseFileFault, match=r"^risk\.en\.json is not readable JSON: "):
        load(folder)


def test_courses_that_require_each_other_are_refused_by_name(version, folder, media):
    write(folder, "a.en.json", key="a", slug="a", prerequisites=["b"])
    write(folder, "b.en.json", key="b", slug="b", prerequisites=["a"])
    write(folder)
    before = state()
    with pytest.raises(CourseFileFault) as caught:
        load(folder)
    assert str(caught.value) == (
        "These course files require courses that are not there or each other: a.en.json, b.en.json"
    )
    assert state() == before


def test_a_prerequisite_that_is_only_there_in_another_language_is_refused(version, folder, media):
    write(folder)
    write(folder, "after.es.json", key="after", slug="after", language="es", prerequisites=["risk"])
    with pytest.raises(CourseFileFault, match=r"after\.es\.json$"):
        load(folder)


def test_a_circle_with_a_course_that_is_there_already_is_refused(version, folder, media):
    """risk is in the catalogue and was made to need “law” there; a file of law that needs risk closes the circle."""
    risk, law = make_course(key="risk"), make_course(key="law", language="es")
    from courses.models import CoursePrerequisite

    CoursePrerequisite.objects.create(course=risk, prerequisite=law)
    write(folder)
    write(folder, "law.en.json", key="law", slug="law-en", prerequisites=["risk"])
    before = state()
    with pytest.raises(CourseFileFault, match=r"^law\.en\.json: These courses would require each other in a circle: "):
        load(folder)
    assert state() == before


def test_two_files_of_the_same_course_are_refused(version, folder, media):
    write(folder)
    write(folder, "copy.en.json", slug="copy")
    with pytest.raises(CourseFileFault) as caught:
        load(folder)
    assert str(caught.value) == "risk.en.json: copy.en.json is the same course."


def test_a_slug_that_is_taken_by_another_course_is_refused(version, folder, media):
    make_course(key="other", title="Other")
    CoursePage.objects.update(slug="risk")
    write(folder)
    with pytest.raises(CourseFileFault, match=r"^risk\.en\.json, slug: The slug 'risk' is already in use"):
        load(folder)


def test_without_the_framework_the_command_says_what_is_missing(db, capsys):
    with pytest.raises(CommandError, match=r"is not in the framework\)\.$"):
        call_command("load_courses")
    assert not CoursePage.objects.exists()
