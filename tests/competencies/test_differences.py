"""What a newer edition changes, in its own terms."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competencies.differences import Difference, RequirementChange, Rewording, compare
from competencies.importers.content import CompetencyContent, DescriptorContent, LevelContent, RequirementContent
from tests.competencies.editions import altered, require, small_content

OLD = small_content()
JUNIOR, SENIOR = ("clerk", "junior-clerk"), ("clerk", "senior-clerk")
SAME = {"A": "A", "B": "B", "C": "C"}


def difference(new, competencies=None, profiles=None, old=OLD) -> Difference:
    return compare(
        old,
        new,
        competencies=SAME if competencies is None else competencies,
        profiles={JUNIOR: JUNIOR, SENIOR: SENIOR} if profiles is None else profiles,
    )


def requirement_changes(*requirements: RequirementContent) -> tuple[RequirementChange, ...]:
    """What changes when the senior profile requires this instead of A at 3 (importance 5) and B without a level."""
    [change] = difference(require(OLD, "senior-clerk", *requirements)).profiles_changed
    assert (change.old, change.new, change.rewordings) == (SENIOR, SENIOR, ())
    return change.requirements


def test_identical_editions_differ_in_nothing():
    same = difference(replace(OLD, edition="2"))
    assert same.is_empty
    assert (same.unchanged, same.profiles_unchanged) == (3, 2)


def test_what_came_and_what_went():
    new = altered(OLD, C=None)
    new = replace(new, competencies=(*new.competencies, CompetencyContent("D", {"en": "Cloud cost"})))
    found = difference(new, {"A": "A", "B": "B", "C": None})
    assert (found.added, found.withdrawn, found.changed, found.unchanged) == (("D",), ("C",), (), 2)
    [profile] = found.profiles_changed
    assert (profile.old, profile.requirements) == (JUNIOR, (RequirementChange("withdrawn", "C", "1"),))
    assert profile.moves_levels


def test_what_the_crosswalk_does_not_speak_of_is_withdrawn_and_added():
    found = difference(OLD, {"A": "A", "B": "B"}, {JUNIOR: JUNIOR})
    assert (found.withdrawn, found.added) == (("C",), ("C",))
    assert (found.profiles_withdrawn, found.profiles_added) == ((SENIOR,), (SENIOR,))


@pytest.mark.parametrize("field", ["title", "description", "example", "alternatives"])
def test_a_rewording_is_told_by_field_and_language(field):
    before = getattr(OLD.competencies[0], field)
    found = difference(altered(OLD, A={field: {**before, "es": "De otro modo"}}))
    [changed] = found.changed
    assert changed.rewordings == (Rewording(field, "es", before.get("es", ""), "De otro modo"),)
    assert (changed.old, changed.new, changed.moved) == ("A", "A", ())
    assert (found.unchanged, found.profiles_changed) == (2, ())


def test_a_language_that_goes_is_a_rewording_to_nothing():
    [changed] = difference(altered(OLD, A={"title": {"en": "Counting"}})).changed
    assert changed.rewordings == (Rewording("title", "es", "Contar", ""),)


def test_a_descriptor_is_reworded_added_and_withdrawn_at_its_level():
    descriptors = (
        DescriptorContent(1, {"en": "Counts at 1."}),
        DescriptorContent(2, {"en": "Counts alone.", "es": "Cuenta sola."}),
        DescriptorContent(3, {"en": "Counts at 3."}),
    )
    [changed] = difference(altered(OLD, A={"descriptors": descriptors})).changed
    assert changed.rewordings == (
        Rewording("descriptor", "en", "Counts at 2.", "Counts alone.", 2),
        Rewording("descriptor", "es", "", "Cuenta sola.", 2),
        Rewording("descriptor", "en", "Counts at 4.", "", 4),
    )


def test_another_code_kind_area_place_or_level_is_a_move():
    new = altered(OLD, C={"code": "C9", "kind": "task", "area": None, "parent": None, "rank": 2})
    [changed] = difference(new, SAME | {"C": "C9"}).changed
    assert changed.moved == (
        ("code", "C", "C9"),
        ("kind", "competency", "task"),
        ("area", "area", ""),
        ("parent", "B", ""),
        ("rank", "", "2"),
    )


def test_a_part_does_not_move_with_the_new_code_of_its_whole():
    new = altered(OLD, B={"code": "B9"}, C={"parent": "B9"})
    assert [change.old for change in difference(new, SAME | {"B": "B9"}).changed] == ["B"]


@pytest.mark.parametrize(
    ("requirements", "changes"),
    [
        ([("A", 4), ("B", None)], [("raised", "A", "3", "4")]),
        ([("A", 1), ("B", None)], [("lowered", "A", "3", "1")]),
        ([("A", 3), ("B", 2)], [("stated", "B", "", "2")]),
        ([("A", None), ("B", None)], [("unstated", "A", "3", "")]),
        ([("A", 3)], [("withdrawn", "B", "", "")]),
        ([("A", 3), ("B", None), ("C", 2)], [("added", "C", "", "2")]),
        ([("B", None), ("A", 3)], None),
    ],
)
def test_what_becomes_of_requirements(requirements, changes):
    wanted = [RequirementContent(code, level, 5 if code == "A" else 3) for code, level in requirements]
    if changes is None:  # another order is no difference
        assert difference(require(OLD, "senior-clerk", *wanted)).is_empty
    else:
        assert requirement_changes(*wanted) == tuple(RequirementChange(*change) for change in changes)


def test_importance_and_necessity_are_told_apart_from_levels():
    changes = requirement_changes(RequirementContent("A", 3, 4), RequirementContent("B", None, necessity="optional"))
    assert changes == (
        RequirementChange("importance", "A", "5", "4"),
        RequirementChange("necessity", "B", "required", "optional"),
    )


def test_only_importance_moves_no_level():
    new = require(OLD, "senior-clerk", RequirementContent("A", 3, 4), RequirementContent("B", None))
    [change] = difference(new).profiles_changed
    assert not change.moves_levels


def test_a_requirement_follows_its_competency_to_another_code():
    new = altered(OLD, A={"code": "A9"})
    found = difference(new, SAME | {"A": "A9"})
    assert found.profiles_changed == ()
    [changed] = found.changed
    assert changed.moved == (("code", "A", "A9"),)


def test_a_requirement_of_what_is_extended_stands_for_itself():
    old = require(OLD, "senior-clerk", RequirementContent("N1", 2))
    new = require(OLD, "senior-clerk", RequirementContent("N1", 3))
    [change] = difference(new, old=old).profiles_changed
    assert change.requirements == (RequirementChange("raised", "N1", "2", "3"),)


def test_a_profile_that_reads_otherwise():
    role = OLD.roles[0]
    profiles = (
        replace(role.profiles[0], grade={"en": "Assistant"}),
        replace(role.profiles[1], summary={"en": "Leads."}),
    )
    found = difference(replace(OLD, roles=(replace(role, profiles=profiles),)))
    assert [change.rewordings for change in found.profiles_changed] == [
        (Rewording("grade", "en", "Junior", "Assistant"),),
        (Rewording("summary", "en", "", "Leads."),),
    ]
    assert not any(change.moves_levels for change in found.profiles_changed)


def test_levels_that_come_go_or_are_called_otherwise():
    levels = (*OLD.levels[:2], LevelContent(3, {"en": "Skilled"}), LevelContent(5, {"en": "Leading"}))
    assert difference(replace(OLD, levels=levels)).scale == (
        (3, {"en": "Practitioner"}, {"en": "Skilled"}),
        (4, {"en": "Expert"}, None),
        (5, None, {"en": "Leading"}),
    )


words = st.dictionaries(st.sampled_from(["en", "es"]), st.sampled_from(["Counting", "Asking", "Más"]), min_size=1)
competencies = st.builds(CompetencyContent, code=st.sampled_from("ABCDEF"), title=words, description=words)
bundles = st.lists(competencies, max_size=5, unique_by=lambda c: c.code).map(
    lambda found: small_content(competencies=tuple(found), roles=(), links=())
)


@settings(max_examples=50)
@given(bundles, bundles, st.data())
def test_everything_is_told_once(old, new, data):
    there = [c.code for c in new.competencies]
    order = data.draw(st.permutations([*there, *[None] * len(old.competencies)]))
    walk = {c.code: successor for c, successor in zip(old.competencies, order, strict=False)}
    found = compare(old, new, competencies=walk, profiles={})
    assert len(found.withdrawn) + len(found.changed) + found.unchanged == len(old.competencies)
    assert len(found.added) + len(found.changed) + found.unchanged == len(new.competencies)


@settings(max_examples=50)
@given(bundles)
def test_any_edition_beside_itself_differs_in_nothing(edition):
    walk = {c.code: c.code for c in edition.competencies}
    assert compare(edition, edition, competencies=walk, profiles={}).is_empty
