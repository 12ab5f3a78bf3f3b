"""A person's word that two competencies are the same, and what it makes of evidence: docs/algorithms/equivalence.md."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from wagtail.models import ModelLogEntry

from competencies.alignments import align, withdraw_alignment
from competencies.enums import EvidenceKind, LinkRelation
from competencies.levels import Verdict
from competencies.lifecycle import NotPossible
from competencies.models import Alignment, ProficiencyLevel
from competencies.selectors import counterparts_of, explained_level, standing_of
from competencies.services import assess_myself, assign_role
from competencies.signals import alignment_changed
from competencies.wording import via_words
from tests.builders import competency, give_evidence, make_framework, make_person, make_profile
from tests.competencies.editions import altered, competency_of, load, publish, small_content

pytestmark = pytest.mark.django_db
INEXACT = [LinkRelation.BROADER, LinkRelation.NARROWER, LinkRelation.RELATED]


@pytest.fixture
def ana():
    return make_person("Ana")


@pytest.fixture
def steward():
    return make_person("Steward")


@pytest.fixture
def house():
    """Levels 0 to 5, "Label 0" to "Label 5"."""
    return make_framework("house", codes="AB")


@pytest.fixture
def guild():
    """The same levels as the house."""
    return make_framework("guild", codes="XY")


@pytest.fixture
def national():
    """Levels 1 to 4 with other labels."""
    return load(small_content())


@pytest.fixture
def heard():
    news = []

    def hear(alignment_id, lineages, **kwargs):
        news.append((alignment_id, lineages))

    alignment_changed.connect(hear)
    yield news
    alignment_changed.disconnect(hear)


def exact(origin, target, by, rank_map=None):
    return align(origin=origin, target=target, relation=LinkRelation.EXACT, by=by, rank_map=rank_map)


def level(person, what) -> int:
    """The level as it is explained, which is the level that stands."""
    explained = explained_level(person, what).level
    profile = make_profile(what.version, {what.code: None})
    assign_role(person=person, profile=profile, by=None, starts_on=timezone.localdate())
    assert standing_of(person).line(what.pk).level == explained
    return explained.rank


def test_evidence_counts_in_both_directions_between_equal_scales(house, guild, ana, steward):
    here, there = competency(house, "A"), competency(guild, "X")
    give_evidence(ana, there, 3)
    assert level(ana, here) == 0
    exact(here, there, steward)
    assert level(ana, here) == 3
    berta = make_person()
    give_evidence(berta, here, 2)
    assert level(berta, there) == 2


@pytest.mark.parametrize(("shown", "expected"), [(1, 0), (2, 1), (3, 1), (4, 3)])
def test_with_a_person_s_word_on_levels(house, national, ana, steward, shown, expected):
    here, there = competency_of(national, "A"), competency(house, "A")
    exact(here, there, steward, {2: 1, 4: 3})
    give_evidence(ana, here, shown)
    assert level(ana, there) == expected
    assert bool(explained_level(ana, there).via) == bool(expected)


@pytest.mark.parametrize(("shown", "expected"), [(1, 2), (2, 2), (3, 4), (5, 4)])
def test_and_back_by_the_same_word(house, national, ana, steward, shown, expected):
    here, there = competency_of(national, "A"), competency(house, "A")
    exact(here, there, steward, {2: 1, 4: 3})
    give_evidence(ana, there, shown)
    assert level(ana, here) == expected


def test_where_several_levels_here_are_one_there_the_lowest_is_shown(house, national, steward):
    here, there = competency_of(national, "A"), competency(house, "A")
    exact(here, there, steward, {1: 1, 2: 1, 3: 2})
    [back] = counterparts_of([here.lineage])[here.lineage]
    assert (back.lineage, back.rank_map) == (there.lineage, {1: 1, 2: 3})


def test_without_a_word_on_other_levels_only_the_lowest_is_shown(house, national, ana, steward):
    exact(competency_of(national, "A"), competency(house, "A"), steward)
    give_evidence(ana, competency_of(national, "A"), 4)
    assert level(ana, competency(house, "A")) == 1


def test_the_level_is_the_same_in_every_language(house, guild, ana, steward):
    # Published scales never change; here two are made to share English labels and nothing else.
    for version, word in ((house, "Casa"), (guild, "Gremio")):
        for row in version.levels.all():
            label = {"en": f"Label {row.rank}", "es": f"{word} {row.rank}"}
            ProficiencyLevel.objects.filter(pk=row.pk).update(label=label)
    exact(competency(house, "A"), competency(guild, "X"), steward)
    give_evidence(ana, competency(guild, "X"), 3)
    for language in ("en", "es"):
        with translation.override(language):
            assert level(ana, competency(house, "A")) == 3


def test_the_explanation_says_where_it_was_recorded(house, guild, ana, steward):
    here, there = competency(house, "A"), competency(guild, "X")
    exact(here, there, steward)
    own, other = give_evidence(ana, here, 1), give_evidence(ana, there, 3)
    explained = explained_level(ana, here)
    assert {j.item.id: (j.item.via, j.verdict) for j in explained.level.judged} == {
        own.pk: (None, Verdict.COUNTS),
        other.pk: (there.pk, Verdict.ATTAINS),
    }
    assert explained.via == {there.pk: there}
    assert via_words(explained.via[there.pk]) == (
        "Recorded for “Competency X” (guild 1), which is the same competency."
    )


@pytest.mark.parametrize("relation", INEXACT)
def test_what_is_not_the_same_does_not_count(house, guild, ana, steward, relation):
    here, there = competency(house, "A"), competency(guild, "X")
    align(origin=here, target=there, relation=relation, by=steward)
    give_evidence(ana, there, 3)
    assert level(ana, here) == 0
    assert explained_level(ana, here).via == {}


def test_withdrawn_it_no_longer_counts_and_stays_on_record(house, guild, ana, steward, heard):
    here, there = competency(house, "A"), competency(guild, "X")
    alignment = exact(here, there, steward)
    give_evidence(ana, there, 3)
    assert level(ana, here) == 3
    withdrawn = withdraw_alignment(alignment=alignment, by=steward)
    again = withdraw_alignment(alignment=alignment, by=make_person())
    assert (again.withdrawn_at, again.withdrawn_by) == (withdrawn.withdrawn_at, steward)
    assert level(ana, here) == 0
    assert Alignment.objects.get() == alignment
    assert heard == [(alignment.pk, [str(here.lineage), str(there.lineage)])] * 2
    assert ModelLogEntry.objects.filter(action="competencies.withdraw_alignment").count() == 1
    exact(here, there, steward)
    assert (level(ana, here), Alignment.objects.count()) == (3, 2)


def test_it_is_not_handed_on(house, guild, national, ana, steward):
    exact(competency(house, "A"), competency(guild, "X"), steward)
    exact(competency(guild, "X"), competency_of(national, "A"), steward)
    give_evidence(ana, competency_of(national, "A"), 4)
    assert level(ana, competency(guild, "X")) == 1
    assert level(ana, competency(house, "A")) == 0


def test_a_self_assessment_that_shows_nothing_here_is_none_here(house, national, ana, steward):
    here, there = competency(house, "A"), competency_of(national, "A")
    exact(there, here, steward, {4: 3})
    assess_myself(person=ana, competency=here, rank=5, token="here")
    assess_myself(person=ana, competency=there, rank=2, token="there")
    assert explained_level(ana, here).level.declared == 5


def test_it_counts_in_the_editions_that_follow(national, house, ana, steward):
    here = competency(house, "A")
    exact(competency_of(national, "A"), here, steward, {4: 3})
    second = publish(load(altered(small_content(), A={"title": {"en": "Counting well"}})), steward)
    give_evidence(ana, competency_of(second, "A"), 4)
    assert level(ana, here) == 3


def test_said_again_of_another_edition_it_is_still_one(national, house, ana, steward):
    first = exact(competency_of(national, "A"), competency(house, "A"), steward, {4: 3})
    second = publish(load(altered(small_content(), A={"title": {"en": "Counting well"}})), steward)
    assert exact(competency_of(second, "A"), competency(house, "A"), steward, {4: 3}) == first
    with pytest.raises(NotPossible, match="are aligned already"):
        exact(competency_of(second, "A"), competency(house, "A"), steward, {4: 2})
    give_evidence(ana, competency_of(second, "A"), 4)
    assert len(explained_level(ana, competency(house, "A")).level.judged) == 1


def test_saying_the_same_twice_is_saying_it_once(house, guild, steward, heard):
    here, there = competency(house, "A"), competency(guild, "X")
    first = exact(here, there, steward, {1: 1, 2: 3})
    assert exact(here, there, make_person(), {2: 3, 1: 1}) == first
    assert Alignment.objects.count() == len(heard) == 1
    assert ModelLogEntry.objects.filter(action="competencies.align").count() == 1


@pytest.mark.parametrize("turned", [False, True])
def test_another_word_on_the_same_two_is_refused_until_the_first_is_withdrawn(house, guild, steward, turned):
    here, there = competency(house, "A"), competency(guild, "X")
    exact(here, there, steward)
    origin, target = (there, here) if turned else (here, there)
    with pytest.raises(NotPossible, match="are aligned already"):
        align(origin=origin, target=target, relation=LinkRelation.BROADER, by=steward)
    assert Alignment.objects.count() == 1


def test_levels_are_only_kept_where_they_mean_something(house, guild, steward):
    alignment = align(
        origin=competency(house, "A"),
        target=competency(guild, "X"),
        relation=LinkRelation.RELATED,
        by=steward,
        rank_map={1: 1},
    )
    assert alignment.rank_map == {}


def test_refusals(house, guild, national, steward):
    a, x, n = competency(house, "A"), competency(guild, "X"), competency_of(national, "A")
    draft = load(altered(small_content(), B={"title": {"en": "Asking well"}}))
    for origin, target, ranks, sentence in (
        (a, competency(house, "B"), None, "Both are of the same framework"),
        (n, competency_of(draft, "A"), None, "Both are of the same framework"),
        (a, a, None, "Both are of the same framework"),
        (a, competency_of(load_draft(), "A"), None, "is part of a draft"),
        (a, x, {6: 1}, "Level 6 is not on the scale"),
        (a, x, {1: 6}, "Level 6 is not on the scale"),
        (n, a, {0: 1}, "Level 0 is not on the scale"),
        (a, x, {1: 3, 2: 2}, "cannot be a lower level there"),
    ):
        with pytest.raises(NotPossible, match=sentence):
            exact(origin, target, steward, ranks)
    assert not Alignment.objects.exists()


def load_draft():
    from competencies.loading import load_framework

    return load_framework(content=small_content("later"), publish=False).version


def test_a_framework_without_levels_has_none_to_speak_of(house, ana, steward):
    bare = make_framework("bare", codes="N", ranks=0)
    with pytest.raises(NotPossible, match="Level 1 is not on the scale"):
        exact(competency(bare, "N"), competency(house, "A"), steward, {1: 1})
    exact(competency(bare, "N"), competency(house, "A"), steward)
    give_evidence(ana, competency(house, "A"), 4)
    assert level(ana, competency(bare, "N")) == 1
    berta = make_person()
    give_evidence(berta, competency(bare, "N"), 1)
    assert level(berta, competency(house, "A")) == 1


def test_the_database_keeps_one_standing_alignment_of_two(house, guild, steward):
    here, there = competency(house, "A"), competency(guild, "X")
    exact(here, there, steward)
    for origin, target in ((here, there), (here, here)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Alignment.objects.create(origin=origin, target=target, relation=LinkRelation.EXACT)


def test_a_manager_s_word_there_is_a_manager_s_word_here(house, guild, ana, steward):
    exact(competency(house, "A"), competency(guild, "X"), steward)
    give_evidence(ana, competency(guild, "X"), 5, EvidenceKind.MANAGER)
    assert level(ana, competency(house, "A")) == 2
