"""Two roles side by side."""

from __future__ import annotations

import pytest

from competencies import comparing
from competencies.comparing import comparison_of, options_for
from competencies.enums import LinkRelation, Necessity
from competencies.models import Alignment, FrameworkVersion, ProficiencyLevel, Requirement, RoleProfile
from competencies.wording import difference_words
from tests.builders import competency, make_course, make_framework, make_profile
from tests.competencies.test_browsing import next_edition

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return make_framework("alpha", codes="ABCDE")


def fresh(profile: RoleProfile) -> RoleProfile:
    return RoleProfile.objects.select_related("role__family", "role__version__framework").get(pk=profile.pk)


def pairs(first: RoleProfile, second: RoleProfile) -> list[tuple[str, int | None]]:
    comparison = comparison_of(fresh(first), fresh(second)).comparison
    return [(pair.first.competency.code, pair.difference) for pair in comparison.shared]


def test_what_both_require_stands_beside_each_other_the_largest_difference_first(version):
    one = make_profile(version, {"A": 2, "B": 3, "C": 5, "D": 1})
    other = make_profile(version, {"A": 3, "B": 3, "C": 2, "E": 4})
    beside = comparison_of(fresh(one), fresh(other))
    assert pairs(one, other) == [("C", -3), ("A", 1), ("B", 0)]
    assert [a.competency.code for a in beside.comparison.only_first] == ["D"]
    assert [a.competency.code for a in beside.comparison.only_second] == ["E"]
    assert pairs(other, one) == [("C", 3), ("A", -1), ("B", 0)]


def test_a_level_that_is_not_stated_is_not_compared(version):
    one = make_profile(version, {"A": None, "B": None})
    other = make_profile(version, {"A": 3, "B": None})
    assert pairs(one, other) == [("A", None), ("B", 0)]


def test_what_is_optional_counts_and_what_is_uncertain_does_not(version):
    one, other = make_profile(version, {"A": 2, "B": 2}), make_profile(version, {"A": 2, "B": 2})
    Requirement.objects.filter(profile=other, competency__code="A").update(necessity=Necessity.OPTIONAL)
    Requirement.objects.filter(profile=other, competency__code="B").update(necessity=Necessity.UNCERTAIN)
    assert pairs(one, other) == [("A", 0)]


def test_a_local_role_is_compared_with_what_it_builds_on(version):
    base = make_profile(version, {"A": 2, "B": 3})
    local = make_framework("local", codes="L")
    FrameworkVersion.objects.filter(pk=local.pk).update(extends=version)
    mine = make_profile(local, {"L": 1})
    RoleProfile.objects.filter(pk=mine.pk).update(builds_on=base)
    assert pairs(mine, base) == [("A", 0), ("B", 0)]


# --- Across frameworks -------------------------------------------------------------------------------------------
@pytest.fixture
def beta():
    return make_framework("beta", codes="XYZ", ranks=3)


def align(one, other, relation=LinkRelation.EXACT, **fields):
    return Alignment.objects.create(origin=one, target=other, relation=relation, **fields)


def test_across_frameworks_only_exact_alignments_join(client, version, beta):
    one, other = make_profile(version, {"A": 2, "B": 3}), make_profile(beta, {"X": 2, "Y": 1})
    beside = comparison_of(fresh(one), fresh(other))
    assert not beside.can_be_compared
    page = client.get(f"/roles/compare/?a={one.pk}&b={other.pk}").content.decode()
    assert "These two cannot be compared" in page
    align(competency(version, "B"), competency(beta, "Y"), LinkRelation.BROADER)
    assert not comparison_of(fresh(one), fresh(other)).can_be_compared
    align(competency(beta, "X"), competency(version, "A"))
    beside = comparison_of(fresh(one), fresh(other))
    assert beside.can_be_compared
    (pair,) = beside.comparison.shared
    assert (pair.first.competency.code, pair.second.competency.code, pair.across) == ("A", "X", True)
    assert pair.difference is None  # two scales nobody has laid beside each other
    page = client.get(f"/roles/compare/?a={one.pk}&b={other.pk}").content.decode()
    assert "cannot be said in levels" in page
    assert "Competency X" in page


def test_levels_of_aligned_competencies_are_compared_as_a_person_said(version, beta):
    one, other = make_profile(version, {"A": 2}), make_profile(beta, {"X": 3})
    align(competency(beta, "X"), competency(version, "A"), rank_map={"1": 1, "2": 3, "3": 4})
    assert pairs(one, other) == [("A", 2)]


def test_scales_with_the_same_words_are_compared_level_by_level(version):
    twin = make_framework("twin", codes="X")
    one, other = make_profile(version, {"A": 2}), make_profile(twin, {"X": 3})
    align(competency(version, "A"), competency(twin, "X"))
    assert pairs(one, other) == [("A", 1)]


def test_a_competency_is_paired_once(version, beta):
    one, other = make_profile(version, {"A": 2, "B": 2}), make_profile(beta, {"X": 2})
    for code in "AB":
        align(competency(version, code), competency(beta, "X"))
    beside = comparison_of(fresh(one), fresh(other))
    assert len(beside.comparison.shared) == 1
    assert len(beside.comparison.only_first) == 1
    assert beside.comparison.only_second == ()


def test_editions_of_one_competency_are_the_same(version):
    old = make_profile(version, {"A": 2})
    new_version = next_edition(version, keep="A")
    ProficiencyLevel.objects.bulk_create(
        ProficiencyLevel(version=new_version, rank=r, label={"en": f"Reworded {r}"}) for r in range(6)
    )
    new = make_profile(new_version, {"A": 4})
    assert pairs(old, new) == [("A", 2)]


# --- The page ----------------------------------------------------------------------------------------------------
def test_the_page_says_levels_and_differences_in_words(client, version):
    one = make_profile(version, {"A": 2, "B": 4, "D": 1}, title="Clerk")
    other = make_profile(version, {"A": 3, "B": 2, "E": 2}, title="Chief")
    make_course(version, {"A": 3}, key="for-both")
    make_course(version, {"D": 3}, key="for-clerks")
    page = client.get(f"/roles/compare/?a={one.pk}&b={other.pk}").content.decode()
    for words in (
        "one level more",
        "2 levels less",
        "Level 2, Label 2",
        "Only Clerk",
        "Only Chief",
        "/courses/for-both/",
    ):
        assert words in page
    assert "/courses/for-clerks/" not in page
    assert f'<option value="{one.pk}" selected>' in page
    assert 'data-label="Difference"' in page


@pytest.mark.parametrize(
    ("difference", "words"),
    [
        (0, "the same"),
        (1, "one level more"),
        (-1, "one level less"),
        (3, "3 levels more"),
        (-2, "2 levels less"),
        (None, "cannot be said in levels"),
    ],
)
def test_differences_in_words(difference, words):
    assert difference_words(difference) == words


@pytest.mark.parametrize(
    "query",
    ["", "a={one}", "b={one}", "a={one}&b={one}", "a=x&b=%00", "a=0&b=99999999999999999999", "a={one}&b=999999"],
)
def test_one_role_twice_or_none_is_no_error(client, version, query):
    one = make_profile(version, {"A": 2}, title="Clerk")
    response = client.get(f"/roles/compare/?{query.format(one=one.pk)}")
    assert response.status_code == 200
    assert response.context["beside"] is None


def test_roles_of_drafts_cannot_be_chosen(client, version):
    draft = make_framework("draft", codes="Q", status="draft")
    hidden, one = make_profile(draft, {"Q": 1}, title="Hidden"), make_profile(version, {"A": 1})
    page = client.get(f"/roles/compare/?a={hidden.pk}&b={one.pk}").content.decode()
    assert "Hidden" not in page


def test_long_lists_of_roles_are_narrowed_by_a_word_and_keep_what_was_chosen(client, version, monkeypatch):
    monkeypatch.setattr(comparing, "MOST_OPTIONS", 2)
    one = make_profile(version, {"A": 1}, title="Archivist")
    for word in ("of records", "of seals", "of maps"):
        make_profile(version, {"A": 1}, title=f"Clerk {word}")
    options, more = options_for("seals clerk", chosen=[fresh(one)])
    assert ([str(o.role) for o in options], more) == (["Archivist", "Clerk of seals"], False)
    assert options_for("", chosen=[])[1]
    page = client.get(f"/roles/compare/?a={one.pk}&q=clerk").content.decode()
    assert "Only roles with these words" in page


def test_comparing_costs_the_same_for_many_requirements_as_for_few(client, count_queries):
    version = make_framework("nice-like", ranks=0, codes=[f"K{n}" for n in range(120)])
    codes = [c.code for c in version.competencies.all()]
    few = [make_profile(version, dict.fromkeys(codes[:2])) for _ in range(2)]
    many = [make_profile(version, dict.fromkeys(codes)) for _ in range(2)]
    make_course(version, {"K0": 1})
    client.get(f"/roles/compare/?a={few[0].pk}&b={few[1].pk}")
    counts = [
        count_queries(lambda p=pair: client.get(f"/roles/compare/?a={p[0].pk}&b={p[1].pk}")) for pair in (few, many)
    ]
    assert counts[0] == counts[1] <= 12
    page = client.get(f"/roles/compare/?a={many[0].pk}&b={many[1].pk}").content.decode()
    assert "<table" not in page  # nothing has a level: a list says it
    assert "120 without a level" in page
