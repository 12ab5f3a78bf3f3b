"""What is said about an effect: whole sentences in every language, and no number that has to be read twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.utils import translation

from readiness.result_words import effect_words, placebo_words
from readiness.statistics.did import Effect


def effect(points: float, low: float, high: float, unseen: float = 6.0) -> Effect:
    return Effect(points, 2.0, 2.0, 7.0, 0.05, low, high, None, unseen)


def test_a_rise_and_what_could_not_have_been_seen():
    assert effect_words(effect(27.2, 21.1, 33.4)) == (
        "Trained units rose 27 points more than the others (between 21 and 33). "
        "An effect below 6 points could not have been seen."
    )


def test_who_rose_less_did_not_rise_a_negative_number_more():
    assert effect_words(effect(-6.2, -11.4, -0.3)).startswith(
        "Trained units rose 6 points less than the others (between 0 and 11)."
    )


@pytest.mark.parametrize(
    ("points", "said"),
    [
        (1.2, "Not proven: 1 point between"),
        (-1.2, "Not proven: −1 point between"),
        (-0.2, "Not proven: 0 points between"),
    ],
)
def test_one_point_is_no_plural_and_nothing_has_no_sign(points, said):
    assert effect_words(effect(points, -13, 14)).startswith(said)


@pytest.mark.parametrize("points", [27.0, -6.0, 1.0])
@pytest.mark.parametrize("certain", [True, False])
def test_no_sentence_is_half_in_another_language(points, certain):
    found = effect(points, points - 0.5, points + 0.5) if certain else effect(points, points - 40, points + 40)
    with translation.override("es"):
        said = f"{effect_words(found)} {placebo_words(found)}"
    assert not {"units", "points", "point", "the", "been", "survey"} & set(said.replace(".", " ").split())


def test_what_would_stand_by_itself_and_not_among_others_says_so():
    found = replace(effect(6.0, 0.5, 11.5), family_p=0.2)
    assert effect_words(found) == (
        "Not proven: 6 points between trained and other units (between 0 and 12). By itself it would stand; among all "
        "blocks looked at one like it comes by chance. An effect below 6 points could not have been seen."
    )
    assert "By itself" not in effect_words(replace(effect(6.0, -1, 13), family_p=0.2))
    assert effect_words(replace(effect(6.0, 0.5, 11.5), family_p=0.04)).startswith("Trained units rose 6 points more")
