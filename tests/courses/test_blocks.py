"""What an author may put into a lesson, and the sentence she reads when she may not."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from courses.blocks import QUESTION_BLOCKS, LessonBodyBlock
from courses.marking import QuestionKind
from courses.models import LessonPage
from tests.courses.builders import (
    block,
    choice,
    items,
    make_document,
    make_image,
    matching,
    option,
    short_text,
    true_false,
)

REQUIRED = "This field is required."


def clean(*raw: dict[str, Any]) -> Any:
    body = LessonBodyBlock()
    return body.clean(body.to_python(list(raw)))


def sentences(*raw: dict[str, Any]) -> dict[str, str]:
    """The sentence for each place that is refused, places as `field.number.field`."""
    with pytest.raises(ValidationError) as caught:
        clean(*raw)
    found: dict[str, str] = {}

    def walk(error: Any, place: tuple[str, ...]) -> None:
        children = getattr(error, "block_errors", None) or {}
        for name, child in children.items():
            walk(child, (*place, str(name)))
        others = getattr(error, "non_block_errors", None)
        if others:
            found[".".join(place)] = str(others[0].message if isinstance(others[0], ValidationError) else others[0])
        elif not children:
            found[".".join(place)] = error.messages[0]

    walk(caught.value, ())
    return found


# --- Questions ---------------------------------------------------------------------------------------------------
EXACTLY_ONE = "Mark exactly one answer as right."
SEVERAL = "Mark at least two answers as right and leave at least one wrong."


@pytest.mark.parametrize("rights", [(False, False), (True, True), (True, False, True)])
def test_one_of_many_has_exactly_one_right_answer(rights):
    assert sentences(choice(*rights)) == {"0.options": EXACTLY_ONE}


@pytest.mark.parametrize("rights", [(True, False), (False, False, False, True)])
def test_one_of_many_with_one_right_answer_is_accepted(rights):
    assert clean(choice(*rights))


@pytest.mark.parametrize("rights", [(False, False), (True, False), (True, True), (True, True, True)])
def test_several_of_many_has_two_right_answers_and_a_wrong_one(rights):
    assert sentences(choice(*rights, kind="multiple_choice")) == {"0.options": SEVERAL}


def test_several_of_many_with_two_right_answers_and_a_wrong_one_is_accepted():
    assert clean(choice(True, True, False, kind="multiple_choice"))


@pytest.mark.parametrize("kind", ["single_choice", "multiple_choice"])
@pytest.mark.parametrize("count", [0, 1, 9])
def test_a_question_offers_two_to_eight_answers(kind, count):
    [(place, sentence)] = sentences(choice(*([True] * count), kind=kind)).items()
    assert place == "0.options"
    assert sentence == ("The maximum number of items is 8" if count == 9 else "The minimum number of items is 2")


def test_an_answer_has_words():
    raw = choice(True, False)
    raw["value"]["options"] = items(option(True), option(text=" "))
    assert sentences(raw) == {"0.options.1.text": REQUIRED}


@pytest.mark.parametrize("answer", ["", "maybe", None, "True"])
def test_a_statement_is_true_or_false(answer):
    assert set(sentences(true_false(answer))) == {"0.answer"}


@pytest.mark.parametrize("answer", ["true", "false"])
def test_a_statement_that_is_true_or_false_is_accepted(answer):
    assert clean(true_false(answer))


def test_a_short_text_accepts_something():
    assert sentences(short_text()) == {"0.accepted": "The minimum number of items is 1"}
    assert sentences(short_text("a", " ")) == {"0.accepted.1": REQUIRED}
    assert "120" in sentences(short_text("x" * 121))["0.accepted.0"]
    assert clean(short_text("yes", "Yes", "YES"))


@pytest.mark.parametrize(
    "pairs", [[("Peru", "Lima"), ("Chile", "Lima")], [("Peru", "Lima"), ("Chile", "Quito"), ("Ecuador", " lima ")]]
)
def test_two_pairs_cannot_have_the_same_right_side(pairs):
    sentence = "Two pairs have the same right side; nobody could tell them apart."
    assert sentences(matching(*pairs)) == {"0.pairs": sentence}


@pytest.mark.parametrize("count", [1, 9])
def test_a_matching_question_has_two_to_eight_pairs(count):
    assert set(sentences(matching(*[(f"l{n}", f"r{n}") for n in range(count)]))) == {"0.pairs"}


def test_a_pair_has_two_sides():
    assert sentences(matching(("Peru", "Lima"), ("", ""))) == {"0.pairs.1.left": REQUIRED, "0.pairs.1.right": REQUIRED}


@pytest.mark.parametrize(
    "raw",
    [
        choice(True, False, explanation=""),
        choice(True, True, False, kind="multiple_choice", explanation=""),
        true_false(explanation=""),
        short_text("a", explanation=""),
        matching(("a", "b"), ("c", "d"), explanation=""),
    ],
    ids=lambda raw: raw["type"],
)
def test_every_question_teaches_why(raw):
    assert sentences(raw) == {"0.explanation": REQUIRED}


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (choice(True, False, question=""), "0.question"),
        (true_false(statement=""), "0.statement"),
        (short_text("a", question=""), "0.question"),
        (matching(("a", "b"), ("c", "d"), question=""), "0.question"),
    ],
    ids=lambda value: value["type"] if isinstance(value, dict) else "",
)
def test_every_question_asks_something(raw, place):
    assert sentences(raw) == {place: REQUIRED}


def test_the_fault_is_named_where_it_is():
    assert sentences(choice(True, False), choice(True, True), true_false("x")).keys() == {"1.options", "2.answer"}


def test_every_question_kind_has_its_block():
    assert set(QUESTION_BLOCKS) == set(QuestionKind)
    assert set(QUESTION_BLOCKS) <= set(LessonBodyBlock().child_blocks)


# --- Text, pictures, videos, documents ---------------------------------------------------------------------------
def test_a_call_out_is_of_a_known_kind_and_says_something():
    assert set(sentences(block("call_out", kind="advert", title="", text="<p>x</p>"))) == {"0.kind"}
    assert sentences(block("call_out", kind="example", title="", text="")) == {"0.text": REQUIRED}
    assert clean(block("call_out", kind="warning", title="", text="<p>x</p>"))


@pytest.mark.django_db
def test_a_picture_says_in_words_what_it_shows():
    image = make_image()
    assert sentences(block("picture", image=image.pk, alt="", caption="")) == {"0.alt": REQUIRED}
    assert sentences(block("picture", image=None, alt="Words", caption="")) == {"0.image": REQUIRED}
    assert clean(block("picture", image=image.pk, alt="Words", caption=""))


@pytest.mark.django_db
def test_a_document_is_there_and_has_a_title():
    document = make_document("form.pdf")
    assert sentences(block("document", title="", document=document.pk)) == {"0.title": REQUIRED}
    assert sentences(block("document", title="Form", document=document.pk + 1)) == {"0.document": REQUIRED}
    assert clean(block("document", title="Form", document=document.pk))


@pytest.fixture
def film(db):
    """Everything a video needs."""
    return {
        "title": "How it works",
        "video": make_document("film.MP4").pk,
        "captions": make_document("film.en.vtt").pk,
        "transcript": "<p>Somebody speaks.</p>",
    }


def test_a_video_with_captions_and_transcript_is_accepted(film):
    assert clean(block("video", **film))
    assert clean(block("video", **(film | {"video": make_document("film.webm").pk})))


@pytest.mark.parametrize("missing", ["title", "video", "captions", "transcript"])
def test_a_video_without_captions_or_transcript_is_refused(film, missing):
    empty = None if missing in ("video", "captions") else ""
    assert sentences(block("video", **(film | {missing: empty}))) == {f"0.{missing}": REQUIRED}


@pytest.mark.parametrize("nothing", ["<p></p>", "<p> </p>", "<p>&nbsp;</p>", "<p><br/></p>"])
def test_a_transcript_of_nothing_is_no_transcript(film, nothing):
    sentence = "Write down what is said and shown."
    assert sentences(block("video", **(film | {"transcript": nothing}))) == {"0.transcript": sentence}


def test_a_video_file_is_a_video_and_captions_are_captions(film):
    swapped = film | {"video": film["captions"], "captions": film["video"]}
    assert sentences(block("video", **swapped)) == {
        "0.video": "Choose an MP4 or WebM file.",
        "0.captions": "Choose a WebVTT file (.vtt).",
    }


# --- Lessons -----------------------------------------------------------------------------------------------------
@pytest.mark.django_db
@pytest.mark.parametrize("body", [[], [{"type": "text", "value": "<p>Read.</p>"}]])
def test_a_final_check_has_a_question(body):
    with pytest.raises(ValidationError) as caught:
        LessonPage(title="Check", slug="check", is_check=True, body=body).clean()
    assert caught.value.message_dict == {"body": ["A final check needs at least one question."]}


@pytest.mark.django_db
def test_a_check_with_a_question_and_a_lesson_without_are_accepted():
    LessonPage(title="Check", slug="check", is_check=True, body=[true_false()]).clean()
    LessonPage(title="Lesson", slug="lesson").clean()
