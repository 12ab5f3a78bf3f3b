"""Figures of one's own: what self-assessments and managers say, held against diagnostics; a draft, nothing more."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from competencies.enums import EvidenceKind
from competencies.models import Evidence, Rulebook, RulebookStatus
from competencies.rating_error import ENOUGH_PEOPLE, Pair, Said, pair_up, propose
from competencies.rulebooks import LIMITS
from organisations.models import User
from tests.builders import competency, make_framework

DAY = date(2026, 11, 1)
LIMIT = {"bias_limits": LIMITS["bias"], "sd_limits": LIMITS["sd"]}


def said(person, value, *, days=0, se=None, ranks=5, about="A"):
    return Said(person, about, DAY - timedelta(days=days), value, ranks, se)


def test_the_nearest_two_within_a_year_make_a_pair_and_one_a_person_and_competency():
    ratings = [said(1, 4, days=200), said(1, 3, days=10), said(2, 5, days=400), said(3, 2), said(1, 1, about="B")]
    diagnostics = [
        said(1, 2.5, se=0.3),
        said(2, 2, se=0.3),
        said(3, 2, about="B", se=0.3),
        said(1, 1.0, se=0.4, about="B"),
    ]
    assert pair_up(ratings, diagnostics) == [Pair(1, 3, 2.5, 0.3), Pair(1, 1, 1.0, 0.4)]


def test_other_scales_are_brought_to_five():
    assert pair_up([said(1, 3, ranks=3)], [said(1, 2, se=0.3, ranks=3)]) == [
        Pair(1, pytest.approx(5), pytest.approx(10 / 3), pytest.approx(0.5))
    ]


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 5), st.integers(0, 500)), max_size=8), st.randoms())
def test_the_order_of_entry_does_not_matter(rows, shuffle):
    ratings = [said(person, value, days=days) for person, value, days in rows]
    diagnostics = [said(person, value / 2, days=days // 2, se=0.3) for person, value, days in rows]
    mixed, other = list(ratings), list(diagnostics)
    shuffle.shuffle(mixed)
    shuffle.shuffle(other)
    key = lambda pair: (pair.person_id, pair.rating, pair.measured)  # noqa: E731
    assert sorted(pair_up(mixed, other), key=key) == sorted(pair_up(ratings, diagnostics), key=key)


def test_what_was_put_in_comes_out_net_of_the_diagnostics_own_error():
    rng = random.Random(7)
    pairs = []
    for person in range(4000):
        theta, se = rng.gauss(2, 1), 0.4
        measured = theta + rng.gauss(0, (se**2 + 0.3**2) ** 0.5)
        pairs.append(Pair(person, theta + 0.6 + rng.gauss(0, 1.5), measured, se))
    found = propose(pairs, extra_sd=0.3, **LIMIT)
    assert (found.bias, found.sd) == (pytest.approx(0.6, abs=0.08), pytest.approx(1.5, abs=0.08))


def test_below_a_hundred_people_nothing_is_proposed_however_many_pairs():
    pairs = [Pair(n % 99, 3, 2, 0.3) for n in range(500)]
    found = propose(pairs, extra_sd=0.3, **LIMIT)
    assert (found.people, found.pairs, found.bias, found.sd) == (99, 500, None, None)
    enough = propose([*pairs, Pair(99, 3, 2, 0.3)], extra_sd=0.3, **LIMIT)
    assert (enough.people, enough.bias, enough.sd) == (ENOUGH_PEOPLE, 1.0, LIMITS["sd"][0])


# --- The command -------------------------------------------------------------------------------------------------
def people_rated(count, version, kind=EvidenceKind.SELF, above=1.0):
    """People with a diagnostic and a rating that is `above` levels higher on average, and off by one and a half."""
    day = timezone.localdate()
    first = User.objects.count()
    User.objects.bulk_create([User(email=f"rated{first + n}@example.org", name="R") for n in range(count)])
    rows = []
    for n, person in enumerate(User.objects.filter(email__startswith="rated").order_by("-pk")[:count]):
        value = 2 + (1.5 if n % 2 else -1.5)
        shared = {"person": person, "competency": competency(version, "A"), "occurred_on": day}
        key = f"{kind}:{person.pk}"
        rows += [
            Evidence(**shared, kind=kind, rank=round(value + above + 0.5), source_key=f"{key}:r"),
            Evidence(**shared, kind="diagnostic", rank=2, value=2.0, se=0.4, assessed=True, source_key=f"{key}:d"),
        ]
    Evidence.objects.bulk_create(rows)


def run(capsys, *args):
    call_command("estimate_parameters", *args)
    return capsys.readouterr().out


@pytest.mark.django_db
def test_with_too_few_people_the_command_says_how_many_there_are(capsys):
    people_rated(30, make_framework())
    out = run(capsys)
    assert "Self-assessment: 30 people" in out and "100 are needed" in out
    assert "Manager’s assessment: 0 people" in out
    assert "Nothing is proposed yet." in out
    assert not Rulebook.objects.exists()


@pytest.mark.django_db
def test_with_a_hundred_people_a_draft_is_proposed_and_nothing_published(capsys):
    people_rated(100, make_framework())
    out = run(capsys)
    draft = Rulebook.objects.get()
    kinds = draft.content["parameters"]["kinds"]
    differences = [round(2 + 1.5 + 1.5) - 2.0, round(2 - 1.5 + 1.5) - 2.0]
    assert draft.status == RulebookStatus.DRAFT
    assert kinds["self"]["bias"] == pytest.approx(sum(differences) / 2, abs=1e-3)
    spread = ((differences[0] - differences[1]) / 2) ** 2 * 100 / 99 - 0.4**2 - 0.3**2
    assert kinds["self"]["sd"] == pytest.approx(spread**0.5, abs=1e-3)
    assert kinds["manager"] == {"half_life_months": 12, "bias": 0.2, "sd": 1.7}
    assert "100 people, 100 pairs" in draft.note and "100 people, 100 pairs" in out
    with pytest.raises(CommandError, match="draft of the rules is there already"):
        run(capsys)
    assert Rulebook.objects.get() == draft


@pytest.mark.django_db
def test_the_command_can_look_at_one_framework_alone(capsys):
    mine, other = make_framework("mine"), make_framework("other")
    people_rated(100, mine, EvidenceKind.MANAGER)
    assert "Nothing is proposed yet." in run(capsys, "--framework", other.framework.slug)
    run(capsys, "--framework", "mine")
    assert Rulebook.objects.get().framework == mine.framework
    with pytest.raises(CommandError, match="no framework"):
        run(capsys, "--framework", "nowhere")
