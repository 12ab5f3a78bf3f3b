"""How questions are marked: pure, strict about what was offered, lenient about how it was typed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from courses.marking import (
    MAX_TEXT,
    Marked,
    Option,
    Pair,
    Question,
    QuestionKind,
    fold,
    is_blank,
    is_right,
    mark,
    read_answers,
    score_pct,
)

ONE = Question(
    "one", QuestionKind.SINGLE_CHOICE, "Which?", "Because.", options=(Option("a", "A", correct=True), Option("b", "B"))
)
TRUE = Question(
    "true",
    QuestionKind.TRUE_FALSE,
    "So?",
    "Because.",
    options=(Option("true", "True"), Option("false", "False", correct=True)),
)
MANY = Question(
    "many",
    QuestionKind.MULTIPLE_CHOICE,
    "Which?",
    "Because.",
    options=(Option("a", "A", correct=True), Option("b", "B", correct=True), Option("c", "C")),
)
TEXT = Question("text", QuestionKind.SHORT_TEXT, "Say it.", "Because.", accepted=("Método", "the way"))
MATCH = Question(
    "match",
    QuestionKind.MATCHING,
    "Match.",
    "Because.",
    pairs=(
        Pair("p1", "Peru", "Lima", "t1"),
        Pair("p2", "Chile", "Santiago", "t2"),
        Pair("p3", "Ecuador", "Quito", "t3"),
    ),
)
ALL = (ONE, TRUE, MANY, TEXT, MATCH)
RIGHT = {
    "one": "a",
    "true": "false",
    "many": ["b", "a"],
    "text": "metodo",
    "match": {"p1": "p1", "p2": "p2", "p3": "p3"},
}


# --- Right and wrong ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        (ONE, "a", True),
        (ONE, "b", False),
        (ONE, "c", False),  # not offered
        (ONE, "A", False),  # the words of an option are not its id
        (TRUE, "false", True),
        (TRUE, "true", False),
        (TRUE, "False", False),
        (MANY, ["a", "b"], True),
        (MANY, ["b", "a", "a"], True),
        (MANY, ["a"], False),  # only all of it is right
        (MANY, ["a", "b", "c"], False),
        (MANY, ["a", "b", "forged"], False),
        (TEXT, "método", True),
        (TEXT, "  THE   WAY. ", True),
        (TEXT, "the ways", False),
        (TEXT, "way", False),
        (MATCH, {"p1": "p1", "p2": "p2", "p3": "p3"}, True),
        (MATCH, {"p1": "p2", "p2": "p1", "p3": "p3"}, False),
        (MATCH, {"p1": "p1", "p2": "p2", "p3": "forged"}, False),
        (MATCH, {"p1": "p1", "p2": "p2", "p3": "p3", "forged": "p1"}, True),
        (MATCH, {"p1": "Lima", "p2": "Santiago", "p3": "Quito"}, False),
    ],
)
def test_an_answer_is_right_when_all_of_it_is(question, answer, expected):
    assert is_right(question, answer) is expected
    [marked] = mark([question], {question.id: answer})
    assert marked == Marked(question, answer, expected)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (ONE, ["a"]),
        (ONE, {"a": "a"}),
        (TRUE, ["false"]),
        (MANY, "a"),
        (MANY, "ab"),
        (MANY, {"a": "", "b": ""}),
        (MANY, [["a"], ["b"]]),
        (MANY, [{"a": "b"}]),
        (TEXT, ["metodo"]),
        (TEXT, {"metodo": "metodo"}),
        (MATCH, "p1"),
        (MATCH, ["p1", "p2", "p3"]),
        (MATCH, {"p1": ["p1"], "p2": ["p2"], "p3": ["p3"]}),
        (MATCH, {"p1": {"p1": "p1"}, "p2": 2, "p3": True}),
    ],
)
def test_an_answer_of_the_wrong_shape_is_wrong(question, answer):
    assert is_right(question, answer) is False


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["a", "b", "p1", "p2", "p3"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["p1", "p2", "p3", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional={question.id: anything for question in ALL}))
def test_marking_holds_whatever_was_stored(answers):
    marked = mark(ALL, answers)
    assert [m.question for m in marked] == list(ALL)
    assert all(m.correct in (True, False, None) for m in marked)
    assert 0 <= score_pct(marked) <= 100


@pytest.mark.parametrize("same", ["Lima", "Quito"])
def test_two_pairs_with_the_same_right_side_cannot_be_told_apart_so_either_is_right(same):
    question = replace(MATCH, pairs=(Pair("p1", "a", same, "t1"), Pair("p2", "b", same, "t2")))
    assert is_right(question, {"p1": "p2", "p2": "p1"})


# --- Blank -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        *[(question, nothing, True) for question in ALL for nothing in (None, "", [], {})],
        (TEXT, " \n\t", True),
        (TEXT, "x", False),
        (ONE, "a", False),
        (MANY, ["a"], False),
        (MATCH, {"p1": "p1", "p2": "p2"}, True),  # unfinished
        (MATCH, {"p1": "p1", "p2": "p2", "p3": ""}, True),
        (MATCH, {"p1": "p1", "p2": "p2", "p3": "p3"}, False),
        (MATCH, "p1", True),
    ],
)
def test_a_blank_answer_is_missing_or_unfinished(question, answer, expected):
    assert is_blank(question, answer) is expected
    if expected:
        assert mark([question], {question.id: answer})[0].correct is None


def test_what_was_not_answered_is_neither_right_nor_wrong_and_counts_as_no_point():
    marked = mark(ALL, {"one": "a"})
    assert [m.correct for m in marked] == [True, None, None, None, None]
    assert score_pct(marked) == 20


# --- Typing ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "typed",
    [
        "Método",
        "METODO",
        "metodo.",
        " metodo ",
        "metodo .",
        "metodo...",
        "metodo…",
        "Me\u0301todo",  # the accent as a sign of its own
        "ｍｅｔｏｄｏ",
        "\u00a0metodo\u2003",
    ],
)
def test_capitals_accents_spaces_and_a_final_full_stop_do_not_matter(typed):
    assert is_right(TEXT, typed)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", ""),
        (".", ""),
        ("Straße", "strasse"),
        ("İzmir", "izmir"),
        ("ℌ", "h"),
        ("ﬁle", "file"),
        ("año", "ano"),
        ("1.5", "1.5"),
        (".env", ".env"),
        ("a\n\tb", "a b"),
    ],
)
def test_folding_by_example(text, folded):
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1), st.sampled_from(["", " ", "  ", "\t", "\n"]))
def test_what_is_accepted_is_right_however_it_is_spaced(text, space):
    question = replace(TEXT, accepted=(text,))
    assert is_right(question, f"{space}{text}{space}.")
    assert is_right(question, text.casefold())


# --- Score -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("right", "of", "pct"),
    [(0, 0, 0), (0, 3, 0), (1, 3, 33), (2, 3, 66), (3, 3, 100), (4, 5, 80), (79, 99, 79), (7, 9, 77)],
)
def test_the_score_is_rounded_down(right, of, pct):
    assert score_pct([Marked(ONE, "a", n < right) for n in range(of)]) == pct


def test_a_score_of_eighty_never_means_less():
    for total in range(1, 60):
        for right in range(total + 1):
            if score_pct([Marked(ONE, "a", n < right) for n in range(total)]) >= 80:
                assert right * 100 >= 80 * total


# --- Questions made up -------------------------------------------------------------------------------------------
ids = st.uuids().map(str)


@st.composite
def question_lists(draw) -> list[Question]:
    made = []
    for kind in draw(st.lists(st.sampled_from(QuestionKind), max_size=6)):
        shared = {"id": draw(ids), "kind": kind, "text": "?", "explanation": "!"}
        match kind:
            case QuestionKind.SHORT_TEXT:
                words = st.text(min_size=1, max_size=20).filter(lambda text: text.strip() and "\0" not in text)
                made.append(Question(**shared, accepted=tuple(draw(st.lists(words, min_size=1, max_size=3)))))
            case QuestionKind.MATCHING:
                rights = draw(st.lists(st.text(min_size=1), min_size=2, max_size=5, unique=True))
                made.append(
                    Question(**shared, pairs=tuple(Pair(draw(ids), "l", right, f"t{draw(ids)}") for right in rights))
                )
            case _:
                count = draw(st.integers(2, 5))
                right = set(draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=count, unique=True)))
                if kind != QuestionKind.MULTIPLE_CHOICE:
                    right = {min(right)}
                options = tuple(Option(draw(ids), "o", correct=n in right) for n in range(count))
                made.append(Question(**shared, options=options))
    return made


def right_answer(question: Question):
    match question.kind:
        case QuestionKind.SHORT_TEXT:
            return question.accepted[0]
        case QuestionKind.MATCHING:
            return {pair.id: pair.id for pair in question.pairs}
        case QuestionKind.MULTIPLE_CHOICE:
            return [option.id for option in question.options if option.correct]
        case _:
            return next(option.id for option in question.options if option.correct)


@given(question_lists())
def test_all_right_answers_give_a_hundred(questions):
    answers = {question.id: right_answer(question) for question in questions}
    assert score_pct(mark(questions, answers)) == (100 if questions else 0)


@given(question_lists(), st.randoms(use_true_random=False), st.data())
def test_marking_does_not_depend_on_the_order_of_questions_or_answers(questions, chance, data):
    answered = data.draw(st.lists(st.sampled_from(questions), unique=True) if questions else st.just([]))
    answers = [(question.id, right_answer(question)) for question in answered]
    first = mark(questions, dict(answers))
    shuffled, reordered = list(questions), list(answers)
    chance.shuffle(shuffled)
    chance.shuffle(reordered)
    second = mark(shuffled, dict(reordered))
    assert {m.question.id: m.correct for m in first} == {m.question.id: m.correct for m in second}
    assert score_pct(first) == score_pct(second)


@given(question_lists())
def test_right_answers_survive_the_form(questions):
    """What the page sends for right answers is read back as right answers."""
    posted: dict[str, list[str]] = {"csrfmiddlewaretoken": ["x"], "attempt": ["1"]}
    for question in questions:
        answer = right_answer(question)
        if isinstance(answer, dict):
            tokens = {pair.id: pair.token for pair in question.pairs}
            posted |= {f"q-{question.id}-{left}": [tokens[right]] for left, right in answer.items()}
        else:
            posted[f"q-{question.id}"] = answer if isinstance(answer, list) else [answer]
    answers = read_answers(questions, posted)
    assert score_pct(mark(questions, answers)) == (100 if questions else 0)


# --- The right-hand sides of a matching question -----------------------------------------------------------------
@given(question_lists())
def test_the_right_sides_are_all_there_in_an_order_that_stays(questions):
    for question in questions:
        assert sorted(question.rights, key=lambda p: p.id) == sorted(question.pairs, key=lambda p: p.id)
        assert question.rights == question.rights
        turned = replace(question, pairs=question.pairs[::-1])
        assert turned.rights == question.rights  # also when the author sorts the pairs anew


# --- Reading a form ----------------------------------------------------------------------------------------------
def test_a_form_is_read_question_by_question():
    posted = {
        "q-one": ["a"],
        "q-true": ["false"],
        "q-many": ["c", "a", "c"],
        "q-text": ["  metodo  "],
        "q-match-p1": ["t1"],
        "q-match-p2": ["t3"],
        "q-match-p3": [""],
    }
    assert read_answers(ALL, posted) == {
        "one": "a",
        "true": "false",
        "many": ["a", "c"],
        "text": "metodo",
        "match": {"p1": "p1", "p2": "p3"},
    }


@pytest.mark.parametrize(
    "posted",
    [
        {},
        {"q-one": []},
        {"q-one": [""], "q-many": ["", " "], "q-text": [" ", "\0"], "q-match-p1": [""], "q-match-p2": []},
        {"q-other": ["a"], "one": ["a"], "q-": ["a"], "q-one-a": ["a"], "Q-one": ["a"]},
        {
            "q-one": ["forged"],
            "q-true": ["maybe"],
            "q-many": ["x", "y"],
            "q-match-p1": ["forged"],
            "q-match-p9": ["t1"],
        },
        {"q-match": ["t1"]},
        {"q-match-p1": ["p1"], "q-match-p2": ["p2"]},
    ],
    ids=[
        "nothing",
        "no values",
        "blank",
        "foreign fields",
        "forged values",
        "wrong field",
        "left sides for right ones",
    ],
)
def test_what_belongs_to_no_question_or_names_nothing_offered_is_dropped(posted):
    assert read_answers(ALL, posted) == {}


def test_of_several_values_for_one_field_the_first_counts():
    assert read_answers([ONE, TEXT], {"q-one": ["", "b", "a"], "q-text": ["", "x", "y"]}) == {"one": "b", "text": "x"}


def test_a_text_that_is_too_long_is_cut():
    assert read_answers([TEXT], {"q-text": ["x" * 10_000]}) == {"text": "x" * MAX_TEXT}


def test_signs_no_database_keeps_are_left_out():
    assert read_answers([TEXT], {"q-text": ["\0met\0odo\0"]}) == {"text": "metodo"}


@given(st.dictionaries(st.sampled_from(["q-one", "q-many", "q-text", "q-match-p1", "q-x"]), st.lists(st.text())))
def test_reading_a_form_gives_only_answers_of_the_right_shape(posted):
    answers = read_answers(ALL, posted)
    assert set(answers) <= {question.id for question in ALL}
    for question in ALL:
        answer = answers.get(question.id)
        shape = {QuestionKind.MULTIPLE_CHOICE: list, QuestionKind.MATCHING: dict}.get(question.kind, str)
        assert answer is None or (isinstance(answer, shape) and answer)
        assert "\0" not in str(answer)
