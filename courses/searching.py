"""Finding courses by their words: title, summary, what they lead to in every language, and their lessons.

The index of Wagtail holds these words folded (no accents, no capitals) and finds beginnings of words, on SQLite as on
PostgreSQL; neither knows that “risks” are a “risk”, so an ending of the plural is left off what was typed. How well a
course fits is decided here, the same on both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum

from wagtail.search.query import And, PlainText

from competencies.searching import MOST_WORDS, clean_query, folded_titles
from courses.models import CoursePage
from courses.models.pages import CoursePageQuerySet, words_in

# The longest first; English and Spanish have them in common.
PLURALS = ("es", "s")
SHORTEST_STEM = 4


class Fit(IntEnum):
    """Where a course says what is looked for, the best first."""

    TITLE = 0
    OUTCOME = 1
    SUMMARY = 2
    LESSON = 3


def stem_of(word: str) -> str:
    """A word without the ending of a plural, where enough is left of it."""
    ending = next((e for e in PLURALS if word.endswith(e) and len(word) - len(e) >= SHORTEST_STEM), "")
    return word[: len(word) - len(ending)]


def find_courses(courses: CoursePageQuerySet, query: str) -> list[tuple[CoursePage, Fit]]:
    """Courses that say every word of a query or a word that begins like it, the best fit first.

    Of those that fit alike by an outcome, the one comes first whose first outcomes it is. `courses` come with outcomes
    and their competencies prefetched. Without a word in the query nothing is found.
    """
    words = [stem_of(word) for word in dict.fromkeys(words_in(clean_query(query)))][:MOST_WORDS]
    if not words:
        return []
    asked = And([PlainText(word) for word in words]) if len(words) > 1 else PlainText(words[0])
    found = [(course, *fit_of(course, words)) for course in courses.autocomplete(asked)]
    return [(course, fit) for course, fit, _number in sorted(found, key=lambda row: row[1:])]


def fit_of(course: CoursePage, words: Sequence[str]) -> tuple[Fit, int]:
    """Where all the words stand together, and in which outcome; a lesson where they do nowhere else."""
    outcomes = [outcome.competency for outcome in course.outcomes.all()]
    if _say([course.title], words):
        return Fit.TITLE, 0
    for number, competency in enumerate(outcomes):
        if _say(folded_titles(competency.title), words):
            return Fit.OUTCOME, number
    if _say([" ".join([course.title, course.summary, *(c.search_text for c in outcomes)])], words):
        return Fit.SUMMARY, 0
    return Fit.LESSON, 0


def _say(texts: Iterable[str], words: Sequence[str]) -> bool:
    """Whether one of these texts has a word that begins like each of the words."""
    said = [words_in(text) for text in texts]
    return any(all(any(other.startswith(word) for other in text) for word in words) for text in said)
