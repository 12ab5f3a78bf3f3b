"""What is written as a CASE package passes 1EdTech's schema and is read back as the same framework."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator

from competencies import importers
from competencies.exporters import case as exporter
from competencies.importers import case as importer
from competencies.importers.content import (
    CompetencyContent,
    DescriptorContent,
    FrameworkContent,
    LevelContent,
    LinkContent,
    tidy,
)
from competencies.importers.sources import Source
from tests.competencies.importers.builders import NICE_FILE
from tests.competencies.importers.spreadsheets import json_values, spreadsheet_contents, texts

DOCUMENT = "12345678-1234-4234-8234-123456789abc"
BASE = "https://talent.example.org/ims/case/v1p1"
PACKAGES = (
    "opensalt-AdoptedTestFramework",
    "opensalt-ItemTypeTestFramework",
    "opensalt-MarkdownFramework",
    "opensalt-SequenceNumberFramework",
    "opensalt-SmartLevelFramework",
    "opensalt-Utf8TestFramework",
    "smarter-balanced-hs-math",
    "webb-dok",
)
FRAMEWORKS = {
    "nice": f"nice-2.1.0/{NICE_FILE}",
    "ddat": "ddat-2025-09",
    "esco": "esco-1.2.0-subset",
    "onet": "onet-29.2-subset",
    "digcomp": "digcomp-3.0",
}


def written(content: FrameworkContent, edition: str | None = None, status: str = "published") -> dict[str, Any]:
    return exporter.package(
        content,
        identifier=DOCUMENT,
        base_url=BASE,
        changed_at=datetime(2026, 3, 1, 12, tzinfo=UTC),
        edition=content.edition or "" if edition is None else edition,
        status=status,
    )


def as_bytes(package: dict[str, Any]) -> bytes:
    return json.dumps(package, ensure_ascii=False).encode()


def read(package: dict[str, Any]) -> FrameworkContent:
    return importer.read([Source("package.json", as_bytes(package))])


def assert_same(found: FrameworkContent, content: FrameworkContent) -> None:
    assert found.digest == content.digest
    assert found.edition == content.edition


@pytest.fixture(scope="module")
def validator(shared_data) -> Draft201909Validator:
    schema = json.loads((shared_data / "case/schemas/official/case-v1p1-cfpackage.json").read_text())
    return Draft201909Validator(schema, format_checker=Draft201909Validator.FORMAT_CHECKER)


def errors(validator: Draft201909Validator, package: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(package)]


@pytest.fixture(scope="module")
def starter() -> FrameworkContent:
    return importers.read(Path(settings.BASE_DIR) / "competencies" / "data" / "starter-framework.json")


@pytest.fixture(scope="module")
def real(shared_data, starter):
    def framework(name: str) -> FrameworkContent:
        if name == "starter":
            return starter
        if name in FRAMEWORKS:
            return importers.read(shared_data / FRAMEWORKS[name])
        return importers.read(shared_data / "case" / "packages" / f"{name}.json")

    return framework


# --- There and back ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["starter", *FRAMEWORKS, *PACKAGES])
def test_every_real_framework_passes_the_official_schema_and_is_read_back_as_it_was(real, validator, name):
    content = real(name)
    package = written(content)
    assert errors(validator, package) == []
    found = read(package)
    assert_same(found, content)
    if name not in PACKAGES:
        assert found.deviations == ()


# What another house's package leaves behind in `extra`, and what would be there if somebody had tampered with it.
case_members = st.fixed_dictionaries(
    {},
    optional={
        "uri": texts,
        "lastChangeDateTime": st.sampled_from(["2020-01-01T00:00:00Z", "yesterday", "2020-02-30T00:00:00Z"]),
        "humanCodingScheme": texts,
        "CFItemType": st.sampled_from(["Skill", "Standard", "learning OUTCOME"]),
        "language": st.sampled_from(["es", "en", "!", "fr"]),
        "notes": texts,
        "educationLevel": st.sampled_from([["09"], [], "09", [1]]),
        "associationType": st.sampled_from(["isChildOf", "isPeerOf", "looks like", "ext:x", "exactmatchof"]),
        "sequenceNumber": st.sampled_from([1, 2, "3", 4.0, None]),
        "isChildOf": json_values,
        "originNodeURI": json_values,
        "destinationNodeURI": st.one_of(
            json_values, st.fixed_dictionaries({"title": texts, "identifier": texts, "uri": texts})
        ),
        "CFDocumentURI": json_values,
        "extensions": st.one_of(json_values, st.dictionaries(st.sampled_from(["a", exporter.KEY]), json_values)),
        "CFDefinitions": st.one_of(json_values, st.just({"CFItemTypes": [{"identifier": DOCUMENT}, 3]})),
        "CFRubrics": st.one_of(json_values, st.just([{"identifier": DOCUMENT, "title": "x"}])),
        "CFAssociations": json_values,
        "package": json_values,
        "creator": texts,
        "version": texts,
        "subjectURI": json_values,
        "licenseURI": json_values,
    },
)
UUIDS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(4)]


@st.composite
def contents(draw: st.DrawFn) -> FrameworkContent:
    """As spreadsheets have to hold them, with what CASE packages leave behind, and identifiers that are UUIDs."""
    content = draw(spreadsheet_contents())

    def foreign(thing: Any) -> Any:
        if draw(st.booleans()):
            thing = replace(thing, extra={**thing.extra, "case": draw(case_members)})
        return replace(thing, identifier=draw(st.sampled_from(UUIDS))) if draw(st.booleans()) else thing

    return replace(
        foreign(content),
        areas=tuple(map(foreign, content.areas)),
        competencies=tuple(map(foreign, content.competencies)),
        links=tuple(map(foreign, content.links)),
        roles=tuple(map(foreign, content.roles)),
    )


@hypothesis_settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(content=contents())
def test_any_framework_passes_the_official_schema_and_is_read_back_as_it_was(validator, content):
    package = written(content)
    assert errors(validator, package) == []
    assert_same(read(package), content)


def test_a_local_extension_is_read_back_as_it_was(validator, starter):
    content = replace(starter, extends=("base", "1"), extra={"case": {"CFDocument": None}})
    package = written(content)
    assert errors(validator, package) == []
    assert read(package).extends == ("base", "1")


def test_the_edition_that_is_asked_for_is_written(starter):
    assert read(written(starter, "2026-03")).edition == "2026-03"
    assert read(written(starter, " two\nlines ")).edition == " two\nlines "
    assert read(written(starter, "")).edition is None


def test_equal_content_gives_equal_bytes_and_changes_nothing(real):
    for name in ("starter", "smarter-balanced-hs-math"):
        content = real(name)
        before = content.digest
        assert as_bytes(written(content)) == as_bytes(written(copy.deepcopy(content)))
        assert replace(content).digest == before


def test_what_was_read_and_written_is_written_the_same_again(real):
    for name in ("starter", "smarter-balanced-hs-math", "webb-dok"):
        package = written(real(name))
        assert as_bytes(written(read(package))) == as_bytes(package)


def shuffled(package: dict[str, Any], seed: int) -> dict[str, Any]:
    package = copy.deepcopy(package)
    for name in ("CFItems", "CFAssociations", "CFRubrics"):
        random.Random(seed).shuffle(package.get(name, []))
    for rubric in package.get("CFRubrics", []):
        random.Random(seed).shuffle(rubric["CFRubricCriteria"])
        for criterion in rubric["CFRubricCriteria"]:
            random.Random(seed).shuffle(criterion["CFRubricCriterionLevels"])
    return package


@pytest.mark.parametrize("name", ["starter", "ddat", "digcomp", "smarter-balanced-hs-math"])
def test_a_shuffled_package_is_the_same_framework(real, name):
    content = real(name)
    package = written(content)
    for seed in range(3):
        assert_same(read(shuffled(package, seed)), content)


# --- What others find in it ----------------------------------------------------------------------------------------
def test_everything_hangs_together_in_cases_own_words(starter):
    package = written(starter)
    items = {item["identifier"]: item for item in package["CFItems"]}
    types = {kind: sum(item["CFItemType"] == kind for item in items.values()) for kind in ("Area", "Role")}
    assert types == {"Area": len(starter.areas), "Role": len(starter.roles)}
    parents = {
        association["originNodeURI"]["identifier"]: association["destinationNodeURI"]["identifier"]
        for association in package["CFAssociations"]
        if association["associationType"] == "isChildOf"
    }
    assert set(parents) == set(items)
    assert set(parents.values()) <= {*items, DOCUMENT}
    competency = starter.competencies[0]
    [item] = [
        item
        for item in items.values()
        if (item["CFItemType"], item["humanCodingScheme"]) == ("Competency", competency.code)
    ]
    assert item["fullStatement"] == competency.title["en"]
    assert items[parents[item["identifier"]]]["humanCodingScheme"] == competency.area
    required = [row for row in package["CFAssociations"] if row["associationType"] == "ext:requires"]
    assert len(required) == starter.counts["requirements"]
    first = starter.roles[0].profiles[0].requirements[0]
    said = required[0]["extensions"][exporter.KEY]
    assert (said["level"], said["importance"], said["necessity"]) == (first.level, first.importance, first.necessity)
    assert items[required[0]["originNodeURI"]["identifier"]]["CFItemType"] == "Role profile"
    [rubric] = package["CFRubrics"]
    scale, *criteria = rubric["CFRubricCriteria"]
    assert [level["quality"] for level in scale["CFRubricCriterionLevels"]] == [
        level.label["en"] for level in starter.levels
    ]
    assert sum(len(criterion["CFRubricCriterionLevels"]) for criterion in criteria) == starter.counts["descriptors"]


def every_identifier(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "lastChangeDateTime" in value:
            yield value["identifier"]
        for name, member in value.items():
            if name != "extensions":
                yield from every_identifier(member)
    elif isinstance(value, list):
        for row in value:
            yield from every_identifier(row)


@pytest.mark.parametrize("name", ["starter", "ddat", "esco", "digcomp", "smarter-balanced-hs-math"])
def test_no_identifier_is_given_twice(real, name):
    package = {part: rows for part, rows in written(real(name)).items() if part != "CFDefinitions"}
    identifiers = [found for found in every_identifier(package) if found != DOCUMENT]
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("name", PACKAGES)
def test_what_came_from_case_goes_out_as_it_came(real, shared_data, name):
    source = json.loads((shared_data / "case" / "packages" / f"{name}.json").read_text())
    package = written(real(name))
    items = {item["identifier"]: item for item in package["CFItems"]}
    assert set(items) == {item["identifier"] for item in source["CFItems"]}
    left_out = {"CFDocumentURI"}  # CASE 1.0; it stands in our extensions
    for item in source["CFItems"]:
        out = items[item["identifier"]]
        assert {member for member in item if member not in out} <= left_out
        for member in set(item) - left_out:
            assert same_words(out[member], item[member]), member
    associations = {row["identifier"]: row for row in package["CFAssociations"]}
    assert set(associations) == {row["identifier"] for row in source["CFAssociations"]}
    for row in source["CFAssociations"]:
        out = associations[row["identifier"]]
        for member in set(row) - left_out - {"destinationNodeURI"}:
            assert out[member] == row[member], member
        target = row["destinationNodeURI"]["identifier"]
        expected = DOCUMENT if target == source["CFDocument"]["identifier"] else target
        assert out["destinationNodeURI"]["identifier"] == expected
    for collection, rows in source["CFDefinitions"].items():
        written_rows = {row["identifier"]: row for row in package.get("CFDefinitions", {}).get(collection, [])}
        for row in rows:
            assert row.items() <= written_rows[row["identifier"]].items()


def same_words(one: Any, other: Any) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return tidy(one) == tidy(other.replace("\x0c", "\n"))
    return bool(one == other)


def test_under_its_own_identifier_a_package_keeps_its_document(real):
    content = real("webb-dok")
    package = exporter.package(
        content,
        identifier=content.identifier,
        base_url=BASE,
        changed_at=datetime(2026, 3, 1, tzinfo=UTC),
        edition="",
        status="published",
    )
    assert package["CFDocument"]["identifier"] == content.identifier
    assert package["CFDocument"]["creator"] == "Norm Webb"
    assert_same(read(package), content)


def test_what_was_changed_since_goes_out_changed(real, validator):
    content = real("smarter-balanced-hs-math")
    first, second, *rest = content.competencies
    moved = next(row for row in rest if row.parent is not None)
    competencies = (
        replace(second, parent=None),
        replace(first, title={"en": "Anew", "es": "De nuevo"}, code="NEW", kind="skill", parent=None),
        *(
            replace(row, parent=None if row is moved else "NEW" if row.parent == first.code else row.parent)
            for row in rest
        ),
        CompetencyContent(code="OURS", title={"en": "Ours"}, parent="NEW"),
    )
    links = (
        *(replace(link, origin="NEW" if link.origin == first.code else link.origin) for link in content.links),
        LinkContent(origin="OURS", relation="exact", target="NEW"),
    )
    links = tuple(replace(link, target="NEW" if link.target == first.code else link.target) for link in links)
    changed = replace(content, competencies=competencies, links=links)
    package = written(changed)
    assert errors(validator, package) == []
    assert_same(read(package), changed)
    item = exporter.competency_items(package)["NEW"]
    assert item["identifier"] == first.identifier
    assert (item["humanCodingScheme"], item["CFItemType"]) == ("NEW", "Skill")
    assert "Anew" in (item["fullStatement"], item.get("abbreviatedStatement"))


# --- What is made and what is left empty ---------------------------------------------------------------------------
def words(text: str) -> dict[str, str]:
    return {"en": text}


def test_made_identifiers_are_the_same_each_time_and_are_not_taken_for_the_sources(starter):
    package = written(starter)
    assert written(starter)["CFItems"][0]["identifier"] == package["CFItems"][0]["identifier"]
    assert {row.identifier for row in read(package).competencies} == {""}
    mine = replace(starter.competencies[0], identifier=package["CFItems"][6]["identifier"])
    content = replace(starter, competencies=(mine, *starter.competencies[1:]))
    assert_same(read(written(content)), content)


def test_two_things_of_one_identifier_are_told_apart(validator):
    content = FrameworkContent(
        slug="x",
        title=words("X"),
        edition=None,
        competencies=tuple(
            CompetencyContent(code, words(code), identifier=DOCUMENT) for code in ("a/b", "a b", "a\nb")
        ),
    )
    package = written(content)
    assert errors(validator, package) == []
    assert len({item["identifier"] for item in package["CFItems"]}) == 3
    assert_same(read(package), content)


def test_descriptors_and_levels_in_several_languages_come_back(validator):
    content = FrameworkContent(
        slug="x",
        title=words("X"),
        edition="1",
        languages=("es", "en"),
        levels=(
            LevelContent(3, {"en": "High\nest"}, {"es": "Alto"}),
            LevelContent(0, {"es": "Nada", "en": "None"}, extra={"a": None}),
        ),
        competencies=(
            CompetencyContent(
                "A",
                {"en": "Only English"},
                descriptors=(DescriptorContent(0, {"en": "n"}), DescriptorContent(3, words("h"))),
            ),
        ),
    )
    package = written(content)
    assert errors(validator, package) == []
    assert_same(read(package), content)


@pytest.mark.parametrize("status", ["draft", "published", "superseded"])
def test_the_document_says_what_has_become_of_the_version(starter, status):
    expected = {"draft": "Draft", "published": "Adopted", "superseded": "Deprecated"}
    assert written(starter, status=status)["CFDocument"]["adoptionStatus"] == expected[status]


def test_what_others_add_to_our_package_is_kept(starter):
    package = written(starter)
    package["CFItems"][8]["educationLevel"] = ["HE"]
    package["CFRubrics"].append({"identifier": DOCUMENT, "uri": "x", "lastChangeDateTime": "2026-01-01T00:00:00Z"})
    content = read(package)
    assert content.digest != starter.digest
    assert [row.extra["case"] for row in content.competencies if row.extra] == [{"educationLevel": ["HE"]}]
    assert content.extra["case"]["CFRubrics"][0]["identifier"] == DOCUMENT
    assert_same(read(written(content)), content)


def test_what_others_change_in_our_package_is_what_counts(starter):
    package = written(starter)
    item = next(item for item in package["CFItems"] if item["CFItemType"] == "Competency")
    item["fullStatement"] = "In other words"
    titles = [row.title for row in read(package).competencies]
    assert titles[0]["en"] == "In other words"
    assert titles[0]["es"] == starter.competencies[0].title["es"]
