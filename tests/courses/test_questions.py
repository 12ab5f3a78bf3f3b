"""From authored blocks to questions: every kind, in order, with ids that survive editing."""

from __future__ import annotations

import pytest
from django.utils import translation

from courses.blocks import LessonBodyBlock
from courses.marking import QuestionKind, mark, read_answers, score_pct
from courses.models import LessonPage
from courses.questions import questions_in
from tests.builders import lessons_of, make_course, right_answers
from tests.courses.builders import choice, matching, short_text, true_false

pytestmark = pytest.mark.django_db


def all_kinds():
    return [
        {"type": "text", "value": "<p>Read.</p>"},
        choice(False, True, revisit="lesson-1"),
        choice(True, True, False, kind="multiple_choice"),
        true_false("false"),
        short_text("one", "two"),
        matching(("Peru", "Lima"), ("Chile", "Santiago")),
    ]


@pytest.fixture
def lesson() -> LessonPage:
    [lesson] = lessons_of(make_course(check=False))
    lesson.body = all_kinds()
    lesson.save()
    return LessonPage.objects.get(pk=lesson.pk)


def test_every_kind_becomes_a_question_with_what_it_needs(lesson):
    one, many, statement, text, pairs = questions_in(lesson.body)
    assert [q.kind for q in (one, many, statement, text, pairs)] == [
        QuestionKind.SINGLE_CHOICE,
        QuestionKind.MULTIPLE_CHOICE,
        QuestionKind.TRUE_FALSE,
        QuestionKind.SHORT_TEXT,
        QuestionKind.MATCHING,
    ]
    assert (one.text, one.explanation, one.revisit) == ("Which?", "Because.", "lesson-1")
    assert [(o.text, o.correct) for o in one.options] == [("Answer 1", False), ("Answer 2", True)]
    assert [o.correct for o in many.options] == [True, True, False]
    assert (statement.text, [(o.id, o.correct) for o in statement.options]) == (
        "So it is.",
        [("true", False), ("false", True)],
    )
    assert text.accepted == ("one", "two")
    assert [(pair.left, pair.right) for pair in pairs.pairs] == [("Peru", "Lima"), ("Chile", "Santiago")]


def test_the_words_true_and_false_are_the_readers_and_their_ids_are_not(lesson):
    with translation.override("es"):
        options = questions_in(lesson.body)[2].options
    assert [option.id for option in options] == ["true", "false"]


def test_ids_are_unique_and_survive_an_edit_of_the_words(lesson):
    before = questions_in(lesson.body)
    ids = [q.id for q in before] + [o.id for q in before[:2] for o in q.options] + [p.id for p in before[4].pairs]
    assert len(set(ids)) == len(ids)
    raw = lesson.body.get_prep_value()
    raw[1]["value"]["question"] = "Which one?"
    raw[1]["value"]["options"][0]["value"]["text"] = "Another answer"
    lesson.body = [raw[0], *raw[:0:-1]]  # and the questions in another order
    lesson.save_revision().publish()
    after = questions_in(LessonPage.objects.get(pk=lesson.pk).body)
    assert {q.id: q.options and [o.id for o in q.options] for q in after} == {
        q.id: q.options and [o.id for o in q.options] for q in before
    }
    assert after[-1].text == "Which one?"


def test_answers_given_before_an_edit_are_marked_as_before(lesson):
    answers = right_answers(lesson)
    raw = lesson.body.get_prep_value()
    lesson.body = [raw[0], *raw[:0:-1]]
    lesson.save()
    questions = questions_in(LessonPage.objects.get(pk=lesson.pk).body)
    assert score_pct(mark(questions, answers)) == 100
    assert read_answers(questions, {}) == {}


def test_a_lesson_without_questions_has_none():
    [lesson] = lessons_of(make_course(check=False))
    assert questions_in(lesson.body) == []


def test_the_order_of_the_right_sides_does_not_give_the_answer_away():
    """Over many questions each pair stands everywhere: place says nothing, and it stays the same at each look."""
    body = LessonBodyBlock().to_python([matching(*((f"l{n}", f"r{n}") for n in range(4))) for _ in range(400)])
    places = [0] * 4
    for question, again in zip(questions_in(body), questions_in(body), strict=True):
        places[question.rights.index(question.pairs[0])] += 1
        assert [pair.token for pair in question.rights] == [pair.token for pair in again.rights]
    assert min(places) > 60
