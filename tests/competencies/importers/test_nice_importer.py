from __future__ import annotations

import json
import random

import pytest

from competencies import importers
from competencies.importers import CannotImport

from .builders import NICE_FILE, nice_document, write_json


@pytest.fixture(scope="module")
def nice(nice_folder):
    return importers.read(nice_folder)


def refused(tmp_path, document):
    with pytest.raises(CannotImport) as caught:
        importers.read(write_json(tmp_path / "nice.json", document))
    return {fault.place: fault.message for fault in caught.value.faults}


def test_the_real_file_comes_in_whole(nice):
    assert (nice.slug, nice.edition, nice.languages) == ("nice", "2.1.0", ("en",))
    assert nice.counts == {
        "levels": 0,
        "areas": 11,
        "families": 5,
        "competencies": 2148,
        "competencies_task": 946,
        "competencies_knowledge": 662,
        "competencies_skill": 540,
        "descriptors": 0,
        "roles": 41,
        "profiles": 41,
        "requirements": 5334,
        "requirements_without_level": 5334,
        "opm_codes": 40,
        "sort_keys": 45,
        "elements": 2290,
        "relations": 5460,
    }


def test_every_relation_of_the_real_file_is_accounted_for(nice):
    in_families = sum(role.family is not None for role in nice.roles)
    opm_codes = sum(len(role.external_codes.get("opm", ())) for role in nice.roles)
    assert in_families + opm_codes + nice.counts["requirements"] + nice.counts["sort_keys"] == nice.counts["relations"]


def test_executive_cybersecurity_leadership_requires_what_the_source_says(nice):
    role = next(role for role in nice.roles if role.code == "OG-WRL-007")
    kinds = {competency.code: competency.kind for competency in nice.competencies}
    [profile] = role.profiles
    required = [kinds[requirement.competency] for requirement in profile.requirements]
    # The nineteenth identifier that begins with an S is its sort key, S-OG-WRL-007: not a skill.
    assert {kind: required.count(kind) for kind in set(required)} == {"task": 37, "knowledge": 45, "skill": 18}
    assert role.external_codes == {"opm": ("901",)}
    assert (role.title, role.family, profile.grade) == ({"en": "Executive Cybersecurity Leadership"}, "OG", {})
    assert {requirement.level for requirement in profile.requirements} == {None}


def test_a_role_may_have_two_opm_codes_or_none(nice):
    codes = {role.code: role.external_codes for role in nice.roles}
    assert codes["DD-WRL-004"] == {"opm": ("631", "632")}
    assert codes["DD-WRL-009"] == {}


def test_roles_stand_in_the_order_of_their_sort_keys_and_without_one_last_in_their_category(nice):
    order = [role.code for role in nice.roles]
    assert order[0] == "OG-WRL-001"
    assert order.index("DD-WRL-009") == order.index("DD-WRL-008") + 1
    assert [family.code for family in nice.families] == ["OG", "DD", "IO", "PD", "IN"]
    assert [role.family for role in nice.roles] == sorted(
        (role.family for role in nice.roles), key=["OG", "DD", "IO", "PD", "IN"].index
    )


def test_what_is_peculiar_about_the_real_file_is_told(nice):
    told = "\n".join(map(str, nice.deviations))
    assert "Roles without an OPM code: DD-WRL-009, PD-WRL-005." in told
    assert "Roles without a sort key, put last in their category: DD-WRL-009." in told
    assert "the 11 areas have no competencies" in told
    assert "K1287, K1299 have the same wording" in told
    assert "SOURCE.md: This file is not part of the format" in told
    assert len(nice.deviations) == 5


def test_the_order_within_the_file_does_not_matter(nice, nice_folder, tmp_path):
    document = json.loads((nice_folder / NICE_FILE).read_bytes())
    for part in ("elements", "relationships"):
        random.Random(2).shuffle(document["response"]["elements"][part])
    again = importers.read(write_json(tmp_path / "no-name-to-go-by.txt", document))
    assert again.digest == nice.digest
    assert again == importers.read(write_json(tmp_path / "no-name-to-go-by.txt", document))


def test_an_element_type_that_nice_does_not_have_is_a_fault_with_its_path(tmp_path):
    document = nice_document()
    document["response"]["elements"]["elements"][2]["element_type"] = "control"
    faults = refused(tmp_path, document)
    assert "“control” is not one of NICE" in faults["$.response.elements.elements[2].element_type"]


def test_a_relation_between_types_that_have_none_is_a_fault(tmp_path):
    document = nice_document()
    document["response"]["elements"]["relationships"][0].update(
        source_element_identifier="T1", dest_element_identifier="OG"
    )
    assert "no relation from task to category" in refused(tmp_path, document)["$.response.elements.relationships[0]"]


def test_a_relation_of_another_name_is_a_fault(tmp_path):
    document = nice_document()
    document["response"]["elements"]["relationships"][1]["relationship_identifier"] = "withdraws"
    faults = refused(tmp_path, document)
    assert "“withdraws” is not known" in faults["$.response.elements.relationships[1].relationship_identifier"]


def test_loose_ends_are_all_named(tmp_path):
    document = nice_document()
    for index in (1, 2):
        document["response"]["elements"]["relationships"][index]["dest_element_identifier"] = f"X{index}"
    faults = refused(tmp_path, document)
    assert set(faults) == {f"$.response.elements.relationships[{index}].dest_element_identifier" for index in (1, 2)}
    assert "There is no element X1" in faults["$.response.elements.relationships[1].dest_element_identifier"]


def test_a_role_in_two_categories_is_a_fault(tmp_path):
    document = nice_document()
    parts = document["response"]["elements"]
    parts["elements"].append({**parts["elements"][0], "element_identifier": "PD"})
    parts["relationships"].append({**parts["relationships"][0], "source_element_identifier": "PD"})
    assert "OG-WRL-001 has OG already" in refused(tmp_path, document)["$.response.elements.relationships[4]"]


def test_an_identifier_with_two_wordings_is_a_fault_and_a_copy_is_told(tmp_path):
    document = nice_document()
    elements = document["response"]["elements"]["elements"]
    elements.append(dict(elements[2]))
    copied = importers.read(write_json(tmp_path / "nice.json", document))
    assert "T1 stands here again" in copied.deviations[0].message
    elements[-1]["text"] = "Plan differently"
    assert "T1 is there already" in refused(tmp_path, document)["$.response.elements.elements[5].element_identifier"]


def test_a_relation_that_stands_there_twice_counts_once(tmp_path):
    document = nice_document()
    relations = document["response"]["elements"]["relationships"]
    relations.append(dict(relations[1]))
    content = importers.read(write_json(tmp_path / "nice.json", document))
    assert content.counts["requirements"] == 1
    assert content.deviations[0].place == "$.response.elements.relationships[4]"


def test_the_export_of_another_publication_is_refused_in_one_sentence(tmp_path):
    text = json.dumps(nice_document()).replace("SP_800_181_9_9_9", "CSF_2_0_0")
    (tmp_path / "csf.json").write_text(text)
    with pytest.raises(CannotImport) as caught:
        importers.read(tmp_path / "csf.json")
    [fault] = caught.value.faults
    assert fault.place == "$.response.elements.documents[0].doc_identifier"
    assert "the export of CSF_2_0_0" in fault.message


def test_a_member_that_the_format_does_not_have_is_told_once(tmp_path):
    document = nice_document()
    for element in document["response"]["elements"]["elements"]:
        element["colour"] = "blue"
    [deviation] = [
        item for item in importers.read(write_json(tmp_path / "a", document)).deviations if "colour" in item.message
    ]
    assert "stands in 5 places and is not kept" in deviation.message


def test_a_statement_without_words_is_a_fault(tmp_path):
    document = nice_document()
    document["response"]["elements"]["elements"][2]["text"] = " "
    assert "no text" in refused(tmp_path, document)["T1"]
