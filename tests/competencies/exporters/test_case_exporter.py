"""What is written as a CASE package passes 1EdTech's schema and is read back as the same framework."""

from __future__ import annotations

import json
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
    FrameworkContent,
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
