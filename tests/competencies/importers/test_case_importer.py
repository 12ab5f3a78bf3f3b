"""CASE packages: the real ones whole, and every habit of other houses read, told or refused."""

from __future__ import annotations

import json
import random
from collections import Counter

import pytest

from competencies import importers
from competencies.case_words import KEY
from competencies.importers import CannotImport
from competencies.importers.content import MAX_TITLE, LinkContent

from .builders import CASE_DOCUMENT, case_association, case_id, case_item, case_package, write_json

OUTSIDE = "f5b7cd7c-b997-11e7-95ae-206f2aba0899"
TREE = [case_association(1, 1, 0, sequenceNumber=1), case_association(2, 2, 1), case_association(3, 3, 0)]
THREE = [case_item(number) for number in (1, 2, 3)]


@pytest.fixture
def read(tmp_path):
    return lambda package: importers.read(write_json(tmp_path / "package.json", package))


@pytest.fixture
def refused(read):
    def faults(package):
        with pytest.raises(CannotImport) as caught:
            read(package)
        return [str(fault) for fault in caught.value.faults]

    return faults


def told(content):
    return [str(deviation) for deviation in content.deviations]


def tree_of(content):
    return [(row.code[-2:], row.parent and row.parent[-2:]) for row in content.competencies]


# --- The real packages ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "items", "associations", "outside", "links"),
    [
        ("opensalt-AdoptedTestFramework", 1, 1, 0, 0),
        ("opensalt-ItemTypeTestFramework", 1, 1, 0, 0),
        ("opensalt-MarkdownFramework", 2, 2, 0, 0),
        ("opensalt-SequenceNumberFramework", 2, 2, 0, 0),
        ("opensalt-SmartLevelFramework", 14, 14, 0, 0),
        ("opensalt-Utf8TestFramework", 1, 1, 0, 0),
        ("smarter-balanced-hs-math", 86, 126, 24, 40),
        ("webb-dok", 15, 15, 0, 0),
    ],
)
def test_the_real_packages_are_read_whole(case_folder, name, items, associations, outside, links):
    content = importers.read(case_folder / f"{name}.json")
    counts = content.source_counts
    assert (counts["cf_items"], counts["cf_associations"]) == (items, associations)
    assert counts.get("cf_associations_outside", 0) == outside
    assert len(content.competencies) == items
    assert len(content.links) == links
    assert sum(link.target is None for link in content.links) == outside


def test_the_empty_package_is_refused_with_a_sentence(case_folder):
    with pytest.raises(CannotImport, match="The framework has no competency"):
        importers.read(case_folder / "opensalt-EmptyExternalFramework.json")


def test_the_tree_is_made_of_is_child_of_and_sequence_numbers(case_folder):
    numbered = importers.read(case_folder / "opensalt-SequenceNumberFramework.json")
    assert [row.code for row in numbered.competencies] == ["SNT.2", "SNT.1"]
    levels = importers.read(case_folder / "opensalt-SmartLevelFramework.json")
    titles = {row.code: row.title["en"] for row in levels.competencies}
    assert [row.title["en"] for row in levels.competencies] == [
        *("Item 1", *(f"Item 1.{number}" for number in range(1, 11))),
        *("Item 2", "Item 2.1", "Item 2.2"),
    ]
    assert {titles[row.parent] for row in levels.competencies if row.parent} == {"Item 1", "Item 2"}


def test_what_a_real_package_says_is_where_it_belongs(case_folder):
    content = importers.read(case_folder / "smarter-balanced-hs-math.json")
    assert content.slug == "hs-mathematics-item-specification-c1-th"
    assert content.publisher == "Smarter Balanced Assessment Consortium"
    assert content.extra["case"]["creator"] == "Smarter Balanced_Math Claim 1 Item Specifications"
    assert content.extra["case"]["CFPackageURI"]["identifier"] == content.identifier
    first = next(row for row in content.competencies if row.identifier == "09aba680-053a-11e8-9d21-99e4d8c97d28")
    assert first.code == first.identifier
    assert first.title == {"en": "Clarifications"}
    assert first.description["en"].startswith("Tasks for this target will require students")
    assert first.extra["case"]["educationLevel"] == ["09", "10", "11", "12"]
    assert "M.GHS.C1A.TH" in {row.code for row in content.competencies}
    assert {link.relation for link in content.links} == {"related"}
    assert "local:f5b7cd7c-b997-11e7-95ae-206f2aba0899" in {link.target_uri for link in content.links}
    assert any("9 texts have page breaks" in sentence for sentence in told(content))


def shuffled(value, chance):
    """The lists of objects in another order, and so the members of every object."""
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        return {name: shuffled(value[name], chance) for name in names}
    if isinstance(value, list):
        rows = [shuffled(row, chance) for row in value]
        if rows and isinstance(rows[0], dict):
            chance.shuffle(rows)
        return rows
    return value


@pytest.mark.parametrize("name", ["smarter-balanced-hs-math", "webb-dok", "opensalt-SmartLevelFramework"])
def test_the_order_in_the_file_does_not_matter(case_folder, read, name):
    document = json.loads((case_folder / f"{name}.json").read_text())
    for rows in document["CFDocument"].values():  # subjects are in the order of their publisher
        assert not isinstance(rows, list) or len(rows) == 1
    digest = read(document).digest
    for seed in range(5):
        assert read(shuffled(document, random.Random(seed))).digest == digest


# --- Habits of other houses ------------------------------------------------------------------------------------------
def test_a_small_package_without_anything_unusual_is_read_without_a_word(read):
    content = read(case_package(THREE, TREE, version="2", description="About.", publisher="Us"))
    assert told(content) == []
    assert tree_of(content) == [("01", None), ("02", "01"), ("03", None)]
    assert (content.slug, content.edition, content.publisher) == ("sample-package", "2", "Us")
    assert content.identifier == CASE_DOCUMENT


def test_what_case_1_0_wrote_into_packages_is_kept_and_no_matter(read):
    link = {"title": "x", "identifier": CASE_DOCUMENT, "uri": "https://x.org"}
    items = [case_item(1, CFDocumentURI=link)]
    content = read(case_package(items, [case_association(1, 1, 0, CFDocumentURI=link)], CFPackageURI=link))
    assert told(content) == []
    assert content.competencies[0].extra["case"]["CFDocumentURI"] == link


def test_addresses_may_be_missing_and_identifiers_in_capitals(read):
    items = [{name: value for name, value in row.items() if name != "uri"} for row in THREE]
    associations = json.loads(json.dumps(TREE))
    for association in associations:
        del association["uri"], association["originNodeURI"]["uri"]
        association["destinationNodeURI"]["identifier"] = association["destinationNodeURI"]["identifier"].upper()
    assert tree_of(read(case_package(items, associations))) == [("01", None), ("02", "01"), ("03", None)]


def test_an_end_that_has_only_an_address_is_found_by_it(read):
    association = case_association(1, 2, 1)
    del association["destinationNodeURI"]["identifier"]
    assert tree_of(read(case_package(THREE[:2], [association]))) == [("01", None), ("02", "01")]


def test_lists_may_be_missing_or_null(read):
    package = case_package([case_item(1)], [])
    package |= {"CFAssociations": None, "CFDefinitions": None}
    assert [sentence for sentence in told(read(package)) if "part of nothing" in sentence]
    del package["CFAssociations"]
    assert read(package).competencies


def test_line_breaks_are_kept_in_statements_and_stop_a_code(read):
    content = read(case_package([case_item(1, "a\r\nb", humanCodingScheme="A\n1")], [case_association(1, 1, 0)]))
    [row] = content.competencies
    assert (row.title, row.code) == ({"en": "a\nb"}, case_id(1))
    assert row.extra["case"]["humanCodingScheme"] == "A\n1"
    assert "“humanCodingScheme” is too long, has line breaks or stands there twice" in told(content)[0]


def test_a_code_that_stands_there_twice_is_none(read):
    items = [
        case_item(1, humanCodingScheme="A"),
        case_item(2, humanCodingScheme="A"),
        case_item(3, humanCodingScheme="B"),
    ]
    codes = [row.code for row in read(case_package(items, TREE)).competencies]
    assert codes == [case_id(1), case_id(2), "B"]


def test_an_item_in_no_tree_stands_at_the_end_and_is_told(read):
    content = read(case_package(THREE, [case_association(1, 2, 0), case_association(2, 3, 0)]))
    assert tree_of(content) == [("02", None), ("03", None), ("01", None)]
    assert told(content) == ["$.CFItems[0]: 1 item is part of nothing here and stands at the end."]


def test_of_several_parents_the_first_is_the_tree_and_the_others_are_links(read):
    associations = [
        *(case_association(1, 1, 0), case_association(2, 2, 0)),
        *(case_association(3, 3, 1, sequenceNumber=7), case_association(4, 3, 2, sequenceNumber="2")),
    ]
    content = read(case_package(THREE, associations))
    assert tree_of(content)[-1] == ("03", "02")
    [link] = content.links
    assert (link.origin, link.relation, link.target) == (case_id(3), "part_of", case_id(1))
    assert "part of several" in told(content)[0]


def test_a_parent_outside_is_a_link_and_the_item_stands_at_the_end(read):
    content = read(case_package([case_item(1)], [case_association(1, 1, OUTSIDE)]))
    [link] = content.links
    assert (link.relation, link.target, link.target_uri) == ("part_of", None, f"https://case.example.org/{OUTSIDE}")


@pytest.mark.parametrize(
    ("word", "relation"),
    [
        ("exactMatchOf", "exact"),
        ("isRelatedTo", "related"),
        ("isPeerOf", "peer"),
        ("isPartOf", "part_of"),
        ("precedes", "precedes"),
        ("replacedBy", "replaced_by"),
        ("exemplar", "exemplar"),
        ("hasSkillLevel", "skill_level"),
        ("isTranslationOf", "translation"),
        ("ext:isBroaderThan", "broader"),
        ("ext:isNarrowerThan", "narrower"),
        ("EXACTMATCHOF", "exact"),
        ("looks like", "other"),
    ],
)
def test_other_associations_are_links(read, word, relation):
    package = case_package(THREE, [*TREE, case_association(4, 1, 2, associationType=word, notes="Why.")])
    content = read(package)
    [link] = content.links
    assert link == LinkContent(
        case_id(1), relation, case_id(2), note="Why.", identifier=case_id(904), extra=dict(link.extra)
    )
    assert link.extra["case"]["associationType"] == word
    assert [sentence for sentence in told(content) if "“looks like” is not a type" in sentence] == (
        told(content) if relation == "other" else []
    )


def test_an_association_that_begins_outside_is_kept_as_it_stands_and_told(read):
    association = case_association(4, 1, 2, associationType="exactMatchOf")
    association["originNodeURI"]["identifier"] = OUTSIDE
    content = read(case_package(THREE, [*TREE, association]))
    assert content.links == ()
    assert content.extra["case"]["CFAssociations"] == [association]
    assert "1 association does not begin at a competency of this package" in told(content)[0]
    assert content.source_counts["cf_associations_outside"] == 1


@pytest.mark.parametrize(
    ("word", "kind"),
    [("SKILL", "skill"), ("Learning outcome", "outcome"), ("Standard", "competency"), ("tool", "tool")],
)
def test_the_type_of_an_item_is_its_kind_where_we_have_one(read, word, kind):
    [row] = read(case_package([case_item(1, CFItemType=word)], [])).competencies
    assert (row.kind, row.extra["case"]["CFItemType"]) == (kind, word)


def test_a_statement_that_is_too_long_for_a_title_begins_there_and_is_told(read):
    long = "x" * (MAX_TITLE + 1)
    content = read(case_package([case_item(1, long)], [case_association(1, 1, 0)]))
    [row] = content.competencies
    assert row.title["en"] == "x" * (MAX_TITLE - 1) + "…"
    assert row.description["en"] == long
    assert "too long for a title" in told(content)[0]


def test_the_short_statement_is_the_title_and_the_full_one_the_description(read):
    item = case_item(1, "In full.", abbreviatedStatement="Short", alternativeLabel="Brief")
    [row] = read(case_package([item], [])).competencies
    assert (row.title, row.description, row.alternatives) == ({"en": "Short"}, {"en": "In full."}, {"en": "Brief"})


def test_texts_are_in_the_language_of_the_item_or_of_the_document(read):
    content = read(case_package([case_item(1, "Contar", language="es"), case_item(2, "数")], [], language="ja"))
    assert content.languages == ("ja", "es")
    assert [row.title for row in content.competencies] == [{"es": "Contar"}, {"ja": "数"}]
    content = read(case_package([case_item(1)], [case_association(1, 1, 0)], language="English, of course"))
    assert "No usable language is named here: the texts are taken for English." in told(content)[0]
    assert content.extra["case"]["language"] == "English, of course"


def test_a_licence_is_found_through_its_definition(read):
    package = case_package([case_item(1)], [], licenseURI={"title": "", "identifier": OUTSIDE, "uri": "x"})
    package["CFDefinitions"] = {"CFLicenses": [{"identifier": OUTSIDE, "title": "CC BY 4.0", "licenseText": "Share."}]}
    content = read(package)
    assert content.licence == "CC BY 4.0"
    assert content.extra["case"]["CFDefinitions"]["CFLicenses"][0]["licenseText"] == "Share."


def test_what_does_not_fit_its_field_is_kept_and_told(read):
    about = {"version": "v" * 61, "publisher": "p" * 201, "officialSourceURL": "see the library", "title": "t" * 2_001}
    content = read(case_package([case_item(1)], [case_association(1, 1, 0)], **about))
    assert (content.edition, content.publisher, content.source_url) == (None, "", "")
    assert {name: content.extra["case"][name] for name in about} == about
    assert {sentence.partition(":")[0] for sentence in told(content)} >= {"$.CFDocument.officialSourceURL"}


def test_a_title_without_latin_letters_gives_way_to_the_identifier(read):
    assert read(case_package([case_item(1)], [], title="数据")).slug == CASE_DOCUMENT


def test_rubrics_of_others_are_kept(read):
    rubric = {"identifier": OUTSIDE, "title": "Essay", "CFRubricCriteria": [{"category": "Style"}]}
    content = read(case_package([case_item(1)], []) | {"CFRubrics": [rubric]})
    assert content.levels == ()
    assert content.extra["case"]["CFRubrics"] == [rubric]


def test_members_that_case_does_not_know_are_counted_and_kept(read):
    package = case_package([case_item(1, colour="red"), case_item(2, colour="blue")], [], mood="good") | {"more": [1]}
    content = read(package)
    assert [sentence for sentence in told(content) if "not known in CASE" in sentence] == [
        "$: “more” is not known in CASE; it is kept as it stands (1 time).",
        "$.CFDocument: “mood” is not known in CASE; it is kept as it stands (1 time).",
        "$.CFItems: “colour” is not known in CASE; it is kept as it stands (2 times).",
    ]
    assert content.extra["case"]["mood"] == "good"
    assert content.extra["case"]["package"] == {"more": [1]}
    assert [row.extra["case"]["colour"] for row in content.competencies] == ["red", "blue"]


# --- Faults ----------------------------------------------------------------------------------------------------------
def changed(change):
    package = json.loads(json.dumps(case_package(THREE, TREE)))
    change(package)
    return package


def put(path, value):
    *steps, last = path

    def change(package):
        thing = package
        for key in steps:
            thing = thing[key]
        thing[last] = value

    return changed(change)


FAULTS = {
    "circle": (put(["CFAssociations", 0, "destinationNodeURI", "identifier"], case_id(2)), "form a circle"),
    "itself": (
        put(["CFAssociations", 0, "destinationNodeURI", "identifier"], case_id(1)),
        "$.CFItems[0]: This item is",
    ),
    "twice": (put(["CFItems", 1, "identifier"], case_id(1)), "$.CFItems[1].identifier: This identifier stands there"),
    "document": (put(["CFItems", 1, "identifier"], CASE_DOCUMENT), "This identifier stands there already"),
    "nameless": (put(["CFItems", 1], {"fullStatement": "x"}), "$.CFItems[1]: “identifier” is missing"),
    "silent": (put(["CFItems", 1, "fullStatement"], " "), "$.CFItems[1]: The item says nothing"),
    "number": (put(["CFItems", 1, "fullStatement"], 5), "$.CFItems[1].fullStatement: Expected text"),
    "long": (put(["CFItems", 1, "identifier"], "x" * 161), "The identifier has 161 characters"),
    "endless": (
        put(["CFAssociations", 1, "originNodeURI"], None),
        "CFAssociations[1].originNodeURI: The association has",
    ),
    "empty end": (put(["CFAssociations", 1, "originNodeURI"], {}), "has neither “identifier” nor “uri”"),
    "typeless": (put(["CFAssociations", 1, "associationType"], None), "associationType: Expected text"),
    "sequence": (put(["CFAssociations", 1, "sequenceNumber"], 1.5), "sequenceNumber: “1.5” is not a whole number"),
    "items": (put(["CFItems"], {}), "$.CFItems: Expected a list"),
    "item": (put(["CFItems", 2], "x"), "$.CFItems[2]: Expected an object"),
    "document kind": (put(["CFDocument"], []), "$.CFDocument: Expected an object"),
    "rubric": (put(["CFRubrics"], ["x"]), "$.CFRubrics[0]: Expected an object"),
    "definition": (put(["CFDefinitions"], {"CFLicenses": ["x"]}), "$.CFDefinitions.CFLicenses[0]: Expected"),
    "NUL": (put(["CFItems", 1, "educationLevel"], ["a\0"]), "$.CFItems[1].educationLevel[0]: The text contains"),
    "surrogate": (put(["CFItems", 1, "x\ud800"], 1), "The text contains the unusable character U+D800"),
    "extension": (
        put(["CFItems", 1, "extensions"], {KEY: {"kind": "wish"}}),
        f"$.CFItems[1].extensions.{KEY}.kind: “wish” is not known here",
    ),
    "extension parent": (
        put(["CFItems", 1, "extensions"], {KEY: {"parent": "nobody"}}),
        "There is no “nobody” to refer to",
    ),
    "extension code": (
        put(["CFItems", 1, "extensions"], {KEY: {"code": case_id(1)}}),
        "is there already. Give each its own",
    ),
    "extension rank": (put(["CFItems", 1, "extensions"], {KEY: {"rank": 3}}), "Level 3 is not on the scale"),
    "loose profile": (put(["CFItems", 2, "extensions"], {KEY: {"is": "profile"}}), "What this belongs to is not in"),
    "own circle": (
        put(["CFDocument", "extensions"], {KEY: {"extends": ["base"]}}),
        "Write the short name of the extended framework and its edition",
    ),
}


@pytest.mark.parametrize(("package", "sentence"), FAULTS.values(), ids=FAULTS)
def test_what_cannot_be_understood_is_refused_with_its_place(refused, package, sentence):
    assert sentence in "\n".join(refused(package))


def test_a_local_extension_cannot_put_competencies_into_a_circle(refused):
    package = put(["CFDocument", "extensions"], {KEY: {"extends": ["base", "1"]}})
    for number, parent in ((0, 2), (2, 1)):
        package["CFItems"][number]["extensions"] = {KEY: {"parent": case_id(parent + 1)}}
    assert "A competency stands behind the one that it is part of" in "\n".join(refused(package))


def test_a_bottomless_package_is_refused(refused):
    deep: list = []
    for _level in range(200):
        deep = [deep]
    assert "nested too deeply" in refused(put(["CFItems", 1, "educationLevel"], deep))[0]


def test_a_chain_of_ten_thousand_items_is_read(read):
    items = [case_item(number) for number in range(1, 10_001)]
    associations = [case_association(number, number, number - 1) for number in range(1, 10_001)]
    content = read(case_package(items, associations))
    assert len(content.competencies) == 10_000
    assert content.competencies[-1].parent == case_id(9_999)
    assert Counter(row.parent for row in content.competencies)[None] == 1
