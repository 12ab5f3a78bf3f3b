"""CASE's REST paths: what is published is served as the official schema says, faults in CASE's words."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.utils import timezone

from competencies import case_packages, importers
from competencies.enums import FrameworkStatus, LinkRelation
from competencies.importers import case
from competencies.importers.sources import Source
from competencies.loading import content_of, load_framework, same_version
from competencies.management.commands.load_starter_framework import STARTER_FRAMEWORK
from competencies.models import Alignment, Competency, FrameworkVersion
from competencies.tasks import write_case_packages
from organisations.enums import JobState
from organisations.models import Job
from tests.builders import competency, make_framework, make_profile
from tests.competencies.editions import load, small_content

pytestmark = pytest.mark.django_db
BASE = "/ims/case/v1p1"


@pytest.fixture
def version() -> FrameworkVersion:
    version = make_framework("ours", codes="AB")
    make_profile(version, {"A": 3, "B": None}, title="Lead")
    FrameworkVersion.objects.filter(pk=version.pk).update(licence="CC BY 4.0", attribution="The ministry")
    return FrameworkVersion.objects.get(pk=version.pk)


@pytest.fixture
def schema(shared_data) -> dict[str, Any]:
    return json.loads((shared_data / "case/schemas/official/case-v1p1-cfpackage.json").read_text())


def validate(document: Any, schema: dict[str, Any], part: str = "") -> None:
    from jsonschema import Draft201909Validator

    whole = {**schema, "$ref": f"#/$defs/{part}"} if part else schema
    if part:
        whole = {key: value for key, value in whole.items() if key in ("$schema", "$id", "$defs", "$ref")}
    validator = Draft201909Validator(whole, format_checker=Draft201909Validator.FORMAT_CHECKER)
    assert [error.message for error in validator.iter_errors(document)] == []


def get(client, path: str, status: int = 200, **headers: str) -> Any:
    response = client.get(f"{BASE}/{path}", headers=headers)
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/json"
    return response.json()


def minor(answer: dict[str, Any]) -> tuple[str, str]:
    assert (answer["imsx_codeMajor"], answer["imsx_severity"]) == ("failure", "error")
    assert answer["imsx_description"]
    [field] = answer["imsx_codeMinor"]["imsx_codeMinorField"]
    return field["imsx_codeMinorFieldName"], field["imsx_codeMinorFieldValue"]


def align(origin: Competency, target: Competency, relation: str = LinkRelation.EXACT, **fields: Any) -> Alignment:
    return Alignment.objects.create(origin=origin, target=target, relation=relation, **fields)


# --- Packages ----------------------------------------------------------------------------------------------------
def test_the_package_of_the_starter_framework_passes_the_official_schema(client, schema):
    starter = load_framework(content=importers.read(STARTER_FRAMEWORK)).version
    package = get(client, f"CFPackages/{starter.uuid}")
    validate(package, schema)
    assert package["CFDocument"]["identifier"] == str(starter.uuid)
    assert len(package["CFItems"]) >= starter.competencies.count()


def test_the_package_of_ddat_passes_too(client, schema, shared_data):
    content = importers.read(shared_data / "ddat-2025-09")
    loaded = load_framework(content=content, edition="2025-09").version
    validate(get(client, f"CFPackages/{loaded.uuid}"), schema)


def test_every_thing_of_a_package_is_found_at_the_address_it_names(client, version, schema):
    package = get(client, f"CFPackages/{version.uuid}")
    things = {
        "CFItems": package["CFItems"],
        "CFAssociations": package["CFAssociations"],
        "CFRubrics": package["CFRubrics"],
        **package["CFDefinitions"],
    }
    assert {"CFItems", "CFAssociations", "CFRubrics", "CFItemTypes", "CFLicenses"} <= set(things)
    for collection, rows in things.items():
        for row in rows[:3]:
            path = row["uri"].partition(f"{BASE}/")[2]
            answer = get(client, path)
            if collection == "CFItemTypes":
                assert answer["CFItemTypes"][0] == row
            elif collection in ("CFItems", "CFAssociations"):
                document = answer.pop("CFDocumentURI")
                assert document["identifier"] == str(version.uuid)
                assert answer == row
            else:
                assert answer == row


def test_an_item_comes_with_the_associations_it_stands_in(client, version):
    package = get(client, f"CFPackages/{version.uuid}")
    item = next(item for item in package["CFItems"] if item["humanCodingScheme"] == "A")
    answer = get(client, f"CFItemAssociations/{item['identifier']}")
    assert answer["CFItem"]["identifier"] == item["identifier"]
    kinds = {association["associationType"] for association in answer["CFAssociations"]}
    assert "isChildOf" in kinds
    assert len(kinds) >= 2  # its area, and the role that requires it


# --- Documents ---------------------------------------------------------------------------------------------------
def test_documents_are_listed_in_pages(client, version):
    make_framework("theirs")
    make_framework("secret", status=FrameworkStatus.DRAFT)
    response = client.get(f"{BASE}/CFDocuments?limit=1&offset=1")
    assert response["X-Total-Count"] == "2"
    [document] = response.json()["CFDocuments"]
    assert document["CFPackageURI"]["uri"].endswith(f"{BASE}/CFPackages/{document['identifier']}")
    assert len(get(client, "CFDocuments")["CFDocuments"]) == 2
    assert get(client, f"CFDocuments/{version.uuid}")["identifier"] == str(version.uuid)
    assert get(client, "CFDocuments?offset=9")["CFDocuments"] == []


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("limit=0", "limit", "invalid_selection_field"),
        ("limit=x", "limit", "invalid_selection_field"),
        ("limit=99999999999", "limit", "invalid_selection_field"),
        ("offset=-1", "offset", "invalid_selection_field"),
        ("offset=²", "offset", "invalid_selection_field"),
        ("sort=title", "sort", "invalid_sort_field"),
        ("orderBy=asc", "orderBy", "invalid_sort_field"),
        ("filter=title%3D'x'", "filter", "invalid_selection_field"),
        ("fields=title", "fields", "invalid_selection_field"),
    ],
)
def test_what_is_not_offered_is_refused_politely(client, version, query, field, code):
    assert minor(get(client, f"CFDocuments?{query}", 400)) == (field, code)


# --- Faults ------------------------------------------------------------------------------------------------------
PATHS = (
    "CFPackages", "CFDocuments", "CFItems", "CFItemAssociations", "CFAssociations", "CFItemTypes", "CFLicenses",
    "CFAssociationGroupings", "CFConcepts", "CFSubjects", "CFRubrics",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_unknown_and_malformed_identifiers_are_told_apart(client, version, path):
    assert minor(get(client, f"{path}/{uuid4()}", 404)) == ("sourcedId", "unknownobject")
    for malformed in ("1", "not-a-uuid", f"{{{version.uuid}}}", version.uuid.hex, f"urn:uuid:{version.uuid}"):
        assert minor(get(client, f"{path}/{malformed}", 400)) == ("sourcedId", "invaliduuid")


@pytest.mark.parametrize("path", ["CFPackages", "CFDocuments", "CFItems"])
def test_nothing_is_written(client, version, path):
    response = client.post(f"{BASE}/{path}/{version.uuid}", {})
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert minor(response.json())[1] == "forbidden"


def test_drafts_are_served_to_nobody_and_their_parts_are_not_found(client, version):
    package = get(client, f"CFPackages/{version.uuid}")
    FrameworkVersion.objects.filter(pk=version.pk).update(status=FrameworkStatus.DRAFT)
    get(client, f"CFPackages/{version.uuid}", 404)
    get(client, f"CFDocuments/{version.uuid}", 404)
    get(client, f"CFItems/{package['CFItems'][0]['identifier']}", 404)
    assert get(client, "CFDocuments")["CFDocuments"] == []


def test_a_superseded_edition_is_served_and_says_what_it_is(client, version):
    before = get(client, f"CFPackages/{version.uuid}")["CFDocument"]
    FrameworkVersion.objects.filter(pk=version.pk).update(
        status=FrameworkStatus.SUPERSEDED, superseded_at=timezone.now()
    )
    after = get(client, f"CFPackages/{version.uuid}")["CFDocument"]
    assert after["adoptionStatus"] != before["adoptionStatus"]
    assert after["lastChangeDateTime"] >= before["lastChangeDateTime"]


# --- Alignments --------------------------------------------------------------------------------------------------
def aligned(client, version: FrameworkVersion) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for association in get(client, f"CFPackages/{version.uuid}").get("CFAssociations", []):
        if association["destinationNodeURI"].get("targetType") == "CASE":
            found.setdefault(association["associationType"], []).append(association)
    return found


def test_alignments_stand_in_both_packages_until_they_are_withdrawn(client, version, schema):
    theirs = make_framework("theirs", codes="XY")
    assert aligned(client, version) == {}
    exact = align(competency(version, "A"), competency(theirs, "X"), note="Compared by two people")
    align(competency(version, "B"), competency(theirs, "Y"), LinkRelation.BROADER)
    ours = aligned(client, version)
    assert set(ours) == {"exactMatchOf", "ext:isBroaderThan"}
    assert aligned(client, theirs) == ours
    [association] = ours["exactMatchOf"]
    assert association["notes"] == "Compared by two people"
    assert association["destinationNodeURI"]["identifier"] in {
        item["identifier"] for item in get(client, f"CFPackages/{theirs.uuid}")["CFItems"]
    }
    assert get(client, f"CFAssociations/{association['identifier']}")["associationType"] == "exactMatchOf"
    validate(get(client, f"CFPackages/{version.uuid}"), schema)
    Alignment.objects.filter(pk=exact.pk).update(withdrawn_at=timezone.now())
    assert set(aligned(client, version)) == {"ext:isBroaderThan"}
    get(client, f"CFAssociations/{association['identifier']}", 404)


def test_an_alignment_with_a_draft_stays_at_home(client, version):
    draft = make_framework("secret", codes="S", status=FrameworkStatus.DRAFT)
    align(competency(version, "A"), competency(draft, "S"))
    assert aligned(client, version) == {}


def test_an_alignment_holds_for_the_editions_of_a_competency(client, version):
    theirs = make_framework("theirs", codes="X")
    align(competency(version, "A"), competency(theirs, "X"))
    FrameworkVersion.objects.filter(pk=version.pk).update(status=FrameworkStatus.SUPERSEDED)
    following = FrameworkVersion.objects.create(framework=version.framework, edition="2", previous=version)
    Competency.objects.create(
        version=following, code="A2", title={"en": "A anew"}, lineage=competency(version, "A").lineage
    )
    FrameworkVersion.objects.filter(pk=following.pk).update(
        status=FrameworkStatus.PUBLISHED, published_at=timezone.now()
    )
    [association] = aligned(client, following)["exactMatchOf"]
    assert association["originNodeURI"]["title"] == "A anew"
    [association] = aligned(client, theirs)["exactMatchOf"]
    assert association["originNodeURI"]["title"] == "A anew"
    assert aligned(client, version)["exactMatchOf"]


def test_a_framework_that_came_from_case_is_served_as_it_came_and_can_be_aligned(client, version, schema, shared_data):
    content = importers.read(shared_data / "case/packages/smarter-balanced-hs-math.json")
    loaded = load_framework(content=content).version
    package = get(client, f"CFPackages/{loaded.uuid}")
    validate(package, schema)
    assert case.read([Source("served.json", json.dumps(package).encode())]).digest == content.digest
    first = next(row for row in content.competencies if row.code == row.identifier)  # it has no code of its own
    align(competency(loaded, first.code), competency(version, "A"))
    for served in (loaded, version):
        [association] = aligned(client, served)["exactMatchOf"]
        assert association["originNodeURI"]["identifier"] == first.identifier
    validate(get(client, f"CFPackages/{loaded.uuid}"), schema)
    assert get(client, f"CFItems/{first.identifier}")["lastChangeDateTime"].startswith("2018-")


def test_alignments_are_not_content_so_a_package_read_back_is_the_framework_it_was(client):
    version = load(small_content())
    theirs = make_framework("theirs", codes="XY")
    align(competency(version, "A"), competency(theirs, "X"), note="Compared by two people", rank_map={"1": 2})
    align(competency(theirs, "Y"), competency(version, "B"), LinkRelation.BROADER)
    package = get(client, f"CFPackages/{version.uuid}")
    content = case.read([Source("served.json", json.dumps(package).encode())])
    assert content.digest == content_of(version).digest
    assert same_version(content) == version
    said = [deviation.message for deviation in content.deviations]
    assert said[0].startswith("2 alignments with other frameworks are stated.")
    a, x, b, y = (
        str(competency(*ends).title) for ends in ((version, "A"), (theirs, "X"), (version, "B"), (theirs, "Y"))
    )
    assert f"“{a}” exactMatchOf “{x}”, levels 1 → 2: Compared by two people" in said
    assert f"“{y}” ext:isBroaderThan “{b}”" in said


def test_a_downloaded_package_with_an_alignment_is_known_again_by_the_import(client, tmp_path, capsys):
    version = load(small_content())
    theirs = make_framework("theirs", codes="X")
    align(competency(version, "A"), competency(theirs, "X"))
    file = tmp_path / "national.case.json"
    file.write_bytes(client.get(f"/frameworks/national/download/{version.pk}.json").content)
    assert b"exactMatchOf" in file.read_bytes()
    call_command("import_framework", str(file), "--dry-run", "--json")
    result = json.loads(capsys.readouterr().out)
    assert (result["already_there"], result["edition"]) == (True, version.edition)
    assert any("“Counting” exactMatchOf “Competency X”" in said["message"] for said in result["deviations"])


@pytest.mark.parametrize("path", ["ddat-2025-09", "case/packages/smarter-balanced-hs-math.json"])
def test_a_real_framework_with_alignments_comes_back_as_it_was(client, version, shared_data, path):
    content = importers.read(shared_data / path)
    loaded = load_framework(content=content).version
    for row in loaded.competencies.order_by("pk")[:3]:
        align(row, competency(version, "A"))
        align(competency(version, "B"), row, LinkRelation.RELATED)
    package = get(client, f"CFPackages/{loaded.uuid}")
    assert len(aligned(client, loaded)["exactMatchOf"]) == 3
    back = case.read([Source("served.json", json.dumps(package).encode())])
    assert back.digest == content.digest
    assert len([d for d in back.deviations if "CFAssociations" in d.place and "“" in d.message]) >= 6


# --- Caching -----------------------------------------------------------------------------------------------------
def test_who_has_it_already_gets_nothing_new_until_an_alignment_is_made(client, version):
    path = f"CFPackages/{version.uuid}"
    first = client.get(f"{BASE}/{path}")
    assert first["ETag"]
    assert first["Last-Modified"]
    again = client.get(f"{BASE}/{path}", headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    since = client.get(f"{BASE}/{path}", headers={"if-modified-since": first["Last-Modified"]})
    assert since.status_code == 304
    theirs = make_framework("theirs", codes="X")
    align(competency(version, "A"), competency(theirs, "X"))
    changed = client.get(f"{BASE}/{path}", headers={"if-none-match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_what_is_built_is_built_once(client, version, count_queries):
    item = get(client, f"CFPackages/{version.uuid}")["CFItems"][0]
    assert count_queries(lambda: client.get(f"{BASE}/CFPackages/{version.uuid}")) <= 2
    client.get(f"{BASE}/CFItems/{item['identifier']}")
    one = count_queries(lambda: client.get(f"{BASE}/CFItems/{item['identifier']}"))
    for n in range(4):
        make_framework(f"more-{n}")
    client.get(f"{BASE}/CFItems/{uuid4()}")
    assert count_queries(lambda: client.get(f"{BASE}/CFItems/{item['identifier']}")) == one <= 3


def test_lists_and_single_things_are_answered_without_a_whole_package(client, version, monkeypatch):
    theirs = make_framework("theirs", codes="X")
    write_case_packages()
    job = Job.objects.get(kind=case_packages.WRITE_JOB)
    assert (job.state, job.report) == (JobState.DONE, {"built": 2})
    item = case_packages.bare_package(version)["CFItems"][-1]
    align(competency(version, "A"), competency(theirs, "X"))

    def nobody_reads_it(version):
        raise AssertionError(f"the package of {version} is read")

    for name in ("_write", "_lay_down", "bare_package"):
        monkeypatch.setattr(case_packages, name, nobody_reads_it)
    listed = get(client, "CFDocuments")["CFDocuments"]
    assert {document["identifier"] for document in listed} == {str(version.uuid), str(theirs.uuid)}
    assert get(client, f"CFDocuments/{version.uuid}") in listed
    assert get(client, f"CFItems/{item['identifier']}")["CFDocumentURI"]["identifier"] == str(version.uuid)
    get(client, f"CFItems/{uuid4()}", 404)
    [association] = case_packages.aligned_of(version, case_packages.alignment_stamp())
    assert get(client, f"CFAssociations/{association['identifier']}")["associationType"] == "exactMatchOf"


def test_packages_are_written_once_for_what_is_served_and_again_when_that_changes(version):
    write_case_packages()
    write_case_packages()
    assert Job.objects.filter(kind=case_packages.WRITE_JOB).count() == 1
    assert case_packages.write_packages() == 0
    FrameworkVersion.objects.filter(pk=version.pk).update(
        status=FrameworkStatus.SUPERSEDED, superseded_at=timezone.now()
    )
    write_case_packages()
    assert Job.objects.filter(kind=case_packages.WRITE_JOB).count() == 2
    cache.clear()
    assert case_packages.write_packages() == 1


def test_everything_lies_on_a_shelf_however_many_there_are(client, version, monkeypatch):
    monkeypatch.setattr(case_packages, "ON_A_SHELF", 3)
    package = get(client, f"CFPackages/{version.uuid}")
    for collection in ("CFItems", "CFAssociations"):
        for thing in package[collection]:
            found = get(client, f"{collection}/{thing['identifier']}")
            assert {**found, "CFDocumentURI": None} == {**thing, "CFDocumentURI": None}
    assert case_packages.heads_of([version])[0].shelves >= 3


def test_building_a_package_asks_the_same_for_a_large_framework_as_for_a_small_one(client, count_queries):
    small, large = make_framework("small", codes="A"), make_framework("large", codes="ABCDEFGHIJKL")
    make_profile(small, {"A": 2})
    for _n in range(5):
        make_profile(large, dict.fromkeys("ABCDEFGHIJKL", 3))
    counts = [count_queries(lambda v=v: client.get(f"{BASE}/CFPackages/{v.uuid}")) for v in (small, large)]
    assert counts[0] == counts[1] <= 15
