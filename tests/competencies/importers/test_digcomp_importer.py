from __future__ import annotations

import json
import random
import shutil
import tracemalloc

import pytest

from competencies import importers
from competencies.importers import CannotImport
from competencies.importers.content import MAX_IDENTIFIER
from competencies.importers.sources import gather
from competencies.importers.workbooks import read_workbook

from .builders import (
    ALWAYS_REFUSED,
    ANY_BYTES,
    DIGCOMP_GRAPH,
    DIGCOMP_WORKBOOK,
    as_workbook,
    cells_mutated,
    digcomp_document,
    digcomp_sheets,
    in_latin_1,
    in_utf_16,
    json_mutated,
    part_mutated,
    write_json,
)
from .test_broken_copies import by_name, outcome

SEEDS = range(12)


@pytest.fixture(scope="module")
def graph(digcomp_folder):
    return importers.read(digcomp_folder / DIGCOMP_GRAPH)


@pytest.fixture(scope="module")
def workbook(digcomp_folder):
    return importers.read(digcomp_folder / DIGCOMP_WORKBOOK)


def read_graph(tmp_path, document):
    return importers.read(write_json(tmp_path / "digcomp.json", document))


def read_sheets(tmp_path, sheets):
    (tmp_path / "digcomp.xlsx").write_bytes(as_workbook(sheets))
    return importers.read(tmp_path / "digcomp.xlsx")


def refused(read, *arguments):
    with pytest.raises(CannotImport) as caught:
        read(*arguments)
    return {fault.place: fault.message for fault in caught.value.faults}


def node(document, identifier):
    return next(node for node in document["@graph"] if node["@id"] == identifier)


def test_the_real_graph_comes_in_whole(graph):
    assert (graph.slug, graph.edition, graph.languages, graph.licence) == ("digcomp", "3.0", ("en",), "CC BY 4.0")
    assert graph.title == {"en": "DigComp 3.0: European Digital Competence Framework"}
    assert "JRC144121" in graph.attribution
    assert graph.counts == {
        "levels": 4,
        "areas": 5,
        "families": 0,
        "competencies": 906,
        "competencies_competency": 21,
        "competencies_statement": 362,
        "competencies_outcome": 523,
        "descriptors": 0,
        "roles": 0,
        "profiles": 0,
        "requirements": 0,
        "requirements_without_level": 0,
        "nodes": 1045,
        "level_nodes": 8,
        "glossary_terms": 126,
    }


def test_every_node_of_the_real_graph_is_accounted_for(graph, digcomp_folder):
    nodes = json.loads((digcomp_folder / DIGCOMP_GRAPH).read_bytes())["@graph"]
    kept = [thing.identifier for things in (graph.areas, graph.competencies) for thing in things]
    kept += [term["@id"] for term in graph.extra["glossary"]]
    kept += [level["@id"] for four in graph.levels for level in four.extra["eight_levels"]]
    assert sorted(kept) == sorted(node["@id"] for node in nodes)
    assert max(map(len, kept)) <= MAX_IDENTIFIER


def test_every_text_of_the_real_graph_is_kept(graph, digcomp_folder):
    def texts(value):
        if isinstance(value, dict):
            return {text for member in value.values() for text in texts(member)}
        if isinstance(value, list | tuple):
            return {text for member in value for text in texts(member)}
        return {value} if isinstance(value, str) else set()

    kept = texts([vars(thing) for things in (graph.levels, graph.areas, graph.competencies) for thing in things])
    kept |= texts(graph.extra)
    kinds = {"CompetenceArea", "Competence", "ProficiencyLevel", "CompetenceStatement", "LearningOutcome", "Glossary"}
    for item in json.loads((digcomp_folder / DIGCOMP_GRAPH).read_bytes())["@graph"]:
        references = {f"{kind}/{code}" for kind in ("CompetenceArea", "Competence") for code in kept}
        assert {text.strip() for text in texts(item)} <= kept | kinds | references


def test_the_real_workbook_gives_the_same_as_the_real_graph(graph, workbook):
    assert workbook.digest == graph.digest
    assert workbook.competencies == graph.competencies
    assert workbook.counts == {**{key: count for key, count in graph.counts.items() if key != "nodes"}, "rows": 1040}


def test_where_the_real_workbook_contradicts_itself_the_sheet_of_competences_decides_and_it_is_told(workbook):
    told = [str(deviation) for deviation in workbook.deviations]
    assert len(told) == 3
    statements, outcomes = f"{DIGCOMP_WORKBOOK} sheet “3 Competence Statements”", f"{DIGCOMP_WORKBOOK} sheet “4"
    assert told[0].startswith(f"{statements} row 314, column C: “To identify and assess needs, and to use digital")
    assert told[0].endswith("says of CompetenceArea/5; that sheet decides. So in 50 rows.")
    assert told[1].startswith(f"{statements} row 326, column F: “To assess one's own")
    assert told[2].startswith(f"{outcomes} Learning Outcomes” row 251, column D: “Integrating and re-elaborating")


def test_a_folder_with_both_is_one_edition_and_says_that_they_agree(digcomp_folder, graph):
    both = importers.read(digcomp_folder)
    assert both.digest == graph.digest
    assert both.counts == graph.counts
    told = "\n".join(map(str, both.deviations))
    assert f"{DIGCOMP_WORKBOOK}: The workbook says the same as {DIGCOMP_GRAPH}, all 1045 things of it" in told
    assert "SOURCE.md: This file is not part of the format" in told
    assert "the graph does not say which edition" in told.lower()
    assert len(both.deviations) == 6


def test_levels_are_the_four_and_keep_the_eight_and_the_six_beside_them(graph):
    assert [(level.rank, level.label["en"], level.identifier) for level in graph.levels] == [
        (1, "Basic", "ProficiencyLevel/Basic"),
        (2, "Intermediate", "ProficiencyLevel/Intermediate"),
        (3, "Advanced", "ProficiencyLevel/Advanced"),
        (4, "Highly advanced", "ProficiencyLevel/Highly advanced"),
    ]
    basic = graph.levels[0]
    assert basic.description["en"].startswith("At basic level, individuals remember")
    assert basic.extra["applies_to"].startswith("To support personal")
    eight = [part for level in graph.levels for part in level.extra["eight_levels"]]
    assert [part["eight_levels_mapping"] for part in eight] == list(range(1, 9))
    assert [part["six_levels_mapping"] for part in eight] == ["A1", "A2", "B1", "B2", "C1", "C1", "C2", "C2"]


def test_statements_and_outcomes_stand_behind_their_competence_with_their_level(graph):
    places = {competency.code: place for place, competency in enumerate(graph.competencies)}
    for competency in graph.competencies:
        if competency.kind == "competency":
            assert (competency.parent, competency.rank) == (None, None)
        else:
            parent = graph.competencies[places[competency.parent]]
            assert places[competency.parent] < places[competency.code]
            assert (parent.kind, parent.area) == ("competency", competency.area)
    statement, result = (graph.competencies[places[code]] for code in ("CS5.4.13", "LO1.1.04"))
    assert (statement.kind, statement.parent, statement.rank) == ("statement", "5.4", 4)
    assert statement.extra == {"ai_label": "AI-Implicit"}
    assert statement.title["en"].startswith("Design learning material to help others")
    assert (result.kind, result.rank, result.description) == ("outcome", 1, {})
    assert result.extra == {"ai_label": "AI-Explicit", "type": "Knowledge"}


def test_the_order_within_the_file_does_not_matter(graph, workbook, digcomp_folder, tmp_path):
    document = json.loads((digcomp_folder / DIGCOMP_GRAPH).read_bytes())
    random.Random(5).shuffle(document["@graph"])
    assert read_graph(tmp_path, document).digest == graph.digest
    assert cells_shuffled(digcomp_folder, tmp_path).digest == workbook.digest


def cells_shuffled(digcomp_folder, tmp_path):
    [source] = gather(digcomp_folder / DIGCOMP_WORKBOOK)
    sheets = {}
    for name, sheet in read_workbook(source).sheets.items():
        width = max(max(cells) for cells in sheet.rows.values())
        rows = [[cells.get(column, "") for column in range(1, width + 1)] for cells in sheet.rows.values()]
        columns = random.Random(7).sample(range(width), width)
        rows = [rows[0], *random.Random(7).sample(rows[1:], len(rows) - 1)]
        sheets[name] = [[row[column] for column in columns] for row in rows]
    return read_sheets(tmp_path, sheets)


def test_things_are_ordered_by_their_numbers_and_not_by_their_letters(tmp_path):
    document = digcomp_document()
    pattern = node(document, "CompetenceStatement/CS1.1.01")
    document["@graph"] += [{**pattern, "@id": f"CompetenceStatement/CS1.1.{number}"} for number in (100, 20, 9)]
    codes = [competency.code for competency in read_graph(tmp_path, document).competencies]
    assert codes == ["1.1", "CS1.1.01", "CS1.1.9", "CS1.1.20", "CS1.1.100", "LO1.1.01"]


def test_a_small_graph_and_its_workbook_give_the_same(tmp_path):
    graph, workbook = read_graph(tmp_path, digcomp_document()), read_sheets(tmp_path, digcomp_sheets())
    assert graph.digest == workbook.digest
    assert workbook.deviations == ()
    assert importers.read(tmp_path).digest == graph.digest


@pytest.mark.parametrize(
    ("identifier", "changes", "place", "words"),
    [
        ("Competence/1.1", {"@type": "Skill"}, "$['@graph'][1]['@type']", "“Skill” is not one of DigComp"),
        ("Competence/1.1", {"@id": "Competence/one"}, "@id", "“one” is not a number of its kind. Write it like 1.1."),
        ("Competence/1.1", {"@id": "CompetenceArea/9"}, "@id", "does not name a Competence"),
        ("Competence/1.1", {"@id": "Competence/1.2"}, "competence_id", "There is no Competence/1.1"),
        ("Competence/1.1", {"competence_area_id": "CompetenceArea/2"}, "competence_area_id", "by its number of"),
        ("CompetenceArea/1", {"@id": "CompetenceArea/2"}, "competence_area_id", "There is no CompetenceArea/1"),
        ("CompetenceArea/1", {"name": " "}, "name", "The text is empty"),
        ("CompetenceArea/1", {"name": "x" * 2_001}, "name", "at most 2000 fit"),
        (
            "CompetenceStatement/CS1.1.01",
            {"competence_id": "Competence/1.2"},
            "competence_id",
            "CS1.1.01 is by its number",
        ),
        ("CompetenceStatement/CS1.1.01", {"description": None}, "description", "Expected text"),
        (
            "CompetenceStatement/CS1.1.01",
            {"four_levels_proficiency_name": "ProficiencyLevel/Master"},
            "four_levels_proficiency_name",
            "“Master” is not one of Basic, Intermediate, Advanced, Highly advanced",
        ),
        (
            "LearningOutcome/LO1.1.01",
            {"competence_area_id": "CompetenceArea/2"},
            "competence_area_id",
            "There is no CompetenceArea/2",
        ),
        ("ProficiencyLevel/Basic_2", {"eight_levels_mapping": 9}, "eight_levels_mapping", "out of range"),
        ("ProficiencyLevel/Basic_2", {"eight_levels_mapping": 3}, "eight_levels_mapping", "that Basic covers: 1, 2"),
        ("ProficiencyLevel/Basic_2", {"eight_levels_mapping": "2"}, "eight_levels_mapping", "Expected a whole number"),
        (
            "ProficiencyLevel/Basic_2",
            {"four_levels_name": "Novice"},
            "four_levels_name",
            "“Novice” is not one of Basic",
        ),
        ("ProficiencyLevel/Basic_2", {"@id": "ProficiencyLevel/Basic_7"}, "@id", "called ProficiencyLevel/Basic_2"),
        ("ProficiencyLevel/Basic_2", {"four_levels_description": "Other."}, "four_levels_description", "otherwise"),
        ("ProficiencyLevel/Basic_2", {"applies_to": "Other."}, "applies_to", "Keep the wording that is right"),
    ],
)
def test_what_the_graph_says_wrong_is_a_fault_with_its_path(tmp_path, identifier, changes, place, words):
    document = digcomp_document()
    node(document, identifier).update(changes)
    faults = refused(read_graph, tmp_path, document)
    assert any(place in where and words in message for where, message in faults.items())


def test_a_doubled_identifier_is_a_fault_even_with_the_same_words(tmp_path):
    document = digcomp_document()
    document["@graph"].append(dict(document["@graph"][-1]))
    faults = refused(read_graph, tmp_path, document)
    assert faults == {"$['@graph'][13]['@id']": "Glossary/Number is there already. Keep the one that is right."}


def test_every_level_that_is_missing_is_named(tmp_path):
    document = digcomp_document()
    document["@graph"] = [node for node in document["@graph"] if node.get("four_levels_name") != "Advanced"]
    with pytest.raises(CannotImport) as caught:
        read_graph(tmp_path, document)
    assert [str(fault) for fault in caught.value.faults] == [
        "digcomp.json: Level 5 of the eight levels is missing. Add it.",
        "digcomp.json: Level 6 of the eight levels is missing. Add it.",
    ]


def test_a_gap_in_the_numbers_is_told(tmp_path):
    document = digcomp_document()
    node(document, "CompetenceStatement/CS1.1.01")["@id"] = "CompetenceStatement/CS1.1.03"
    node(document, "LearningOutcome/LO1.1.01")["@type"] = "Glossary"
    document["@graph"][-2] = {"@type": "Glossary", "@id": "Glossary/Zero", "explanation": "None."}
    told = [deviation.message for deviation in read_graph(tmp_path, document).deviations]
    assert "The CompetenceStatement of competence 1.1 are numbered through, but these are missing: 1, 2." in told
    assert "Competence 1.1 has no LearningOutcome." in told


def test_values_beyond_the_known_are_kept_and_told(tmp_path):
    document = digcomp_document()
    node(document, "LearningOutcome/LO1.1.01").update(type="Habit", colour="blue")
    document["@context"]["Competence"] = "https://example.org/Competence"
    content = read_graph(tmp_path, document)
    assert content.competencies[-1].extra["type"] == "Habit"
    told = "\n".join(map(str, content.deviations))
    assert "“Habit” is not one of Knowledge, Skill, Attitude; it is kept as it stands." in told
    assert "“colour” is not part of the format; it stands in 1 place" in told
    assert "The context is not that of DigComp 3.0." in told


@pytest.mark.parametrize(
    ("sheet", "row", "column", "value", "place", "words"),
    [
        ("1 Competence Areas&Competences", 1, 3, "one", "row 2, column D", "“one” is not a number of its kind"),
        ("1 Competence Areas&Competences", 1, 4, None, "row 2, column E", "The cell is empty. Fill it in."),
        ("1 Competence Areas&Competences", 1, 0, 2, "row 2, column A", "1.1 is by its number of CompetenceArea/1"),
        ("2 Proficiency Levels", 1, 0, "Novice", "row 2, column A", "“Novice” is not one of Basic"),
        ("2 Proficiency Levels", 2, 3, "two", "row 3, column D", "“two” is not one of the eight levels"),
        ("2 Proficiency Levels", 2, 2, "Other.", "row 3, column C", "Keep the wording that is right"),
        ("3 Competence Statements", 1, 3, 1.2, "row 2, column D", "CS1.1.01 is by its number of Competence/1.1"),
        ("3 Competence Statements", 1, 8, "Master", "row 2, column I", "“Master” is not one of Basic"),
        ("3 Competence Statements", 0, 8, "Level", "row 1", "The column “Proficiency level name” is missing"),
        ("4 Learning Outcomes", 1, 0, 7, "row 2, column A", "There is no CompetenceArea/7"),
        ("4 Learning Outcomes", 1, 4, "LO 1", "row 2, column E", "Write it like LO1.1.01"),
    ],
)
def test_what_the_workbook_says_wrong_is_a_fault_with_its_cell(tmp_path, sheet, row, column, value, place, words):
    sheets = digcomp_sheets()
    sheets[sheet][row][column] = value
    faults = refused(read_sheets, tmp_path, sheets)
    found = [where for where, message in faults.items() if words in message]
    assert found == [f"digcomp.xlsx sheet “{sheet}” {place}"]


def test_two_rows_of_one_number_and_two_wordings_of_one_area_are_faults(tmp_path):
    sheets = digcomp_sheets()
    sheets["5 Glossary"].append(["Number ", "Another."])
    assert (
        "Glossary/Number is there already"
        in refused(read_sheets, tmp_path, sheets)["digcomp.xlsx sheet “5 Glossary” row 3, column A"]
    )
    sheets = digcomp_sheets()
    areas = sheets["1 Competence Areas&Competences"]
    areas.append([1, "Figures", *areas[1][2:3], 1.2, "Adding", "To add."])
    faults = refused(read_sheets, tmp_path, sheets)
    assert (
        "Area 1 is worded otherwise in" in faults["digcomp.xlsx sheet “1 Competence Areas&Competences” row 3, column B"]
    )


def test_a_sheet_that_is_missing_is_a_fault_and_one_too_many_is_told(tmp_path):
    sheets = {**digcomp_sheets(), "Notes": [["x"]], "Empty": []}
    told = [str(deviation) for deviation in read_sheets(tmp_path, sheets).deviations]
    assert told == [
        "digcomp.xlsx sheet “Notes”: This sheet is not part of the format and was not read.",
        "digcomp.xlsx sheet “Empty”: This sheet is not part of the format and was not read.",
    ]
    del sheets["4 Learning Outcomes"]
    assert "The sheet “4 Learning Outcomes” is missing" in refused(read_sheets, tmp_path, sheets)["digcomp.xlsx"]


def test_names_of_sheets_may_differ_in_capitals_and_spaces_only(tmp_path):
    sheets = digcomp_sheets()
    sheets["2  Proficiency levels"] = sheets.pop("2 Proficiency Levels")
    assert read_sheets(tmp_path, sheets).deviations == ()


def test_a_workbook_of_another_edition_is_refused_and_of_none_is_told(tmp_path):
    sheets = digcomp_sheets()
    sheets["ReadMe"] = [["The full DigComp 2.2 framework"]]
    [message] = refused(read_sheets, tmp_path, sheets).values()
    assert "The workbook is of DigComp 2.2. Only DigComp 3.0 is understood." in message
    del sheets["ReadMe"]
    assert "does not say which edition" in read_sheets(tmp_path, sheets).deviations[0].message


def test_a_graph_and_a_workbook_that_contradict_each_other_are_refused_with_both_places(tmp_path):
    sheets = digcomp_sheets()
    sheets["4 Learning Outcomes"][1][5] = "Count all things."
    sheets["5 Glossary"].append(["Sum", "What comes of adding."])
    read_sheets(tmp_path, sheets)
    write_json(tmp_path / "digcomp.json", digcomp_document())
    faults = refused(importers.read, tmp_path)
    assert faults == {
        "digcomp.xlsx sheet “5 Glossary” row 3, column A": (
            "Glossary/Sum is not in digcomp.json. Add it there, or give the path of the one file that is right."
        ),
        "digcomp.xlsx sheet “4 Learning Outcomes” row 2, column F": (
            "“Count all things.” stands here, and “Count things.” in digcomp.json at $['@graph'][11].description. "
            "Correct one of them, or give the path of the one file that is right."
        ),
    }


def test_a_broken_file_beside_a_whole_one_is_not_passed_over(digcomp_folder, tmp_path):
    shutil.copy(digcomp_folder / DIGCOMP_WORKBOOK, tmp_path / "a.xlsx")
    document = digcomp_document()
    del document["@graph"][0]
    write_json(tmp_path / "b.json", document)
    assert "There is no CompetenceArea/1" in "\n".join(refused(importers.read, tmp_path).values())


def test_two_graphs_are_two_editions(tmp_path):
    for name in ("a.json", "b.json"):
        write_json(tmp_path / name, digcomp_document())
    assert "several editions of the same kind" in refused(importers.read, tmp_path)["a.json, b.json"]


# --- Broken copies ----------------------------------------------------------------------------------------------------
@by_name([*ANY_BYTES, json_mutated])
def test_a_broken_graph_is_refused_or_whole(digcomp_folder, tmp_path, mutation):
    raw = (digcomp_folder / DIGCOMP_GRAPH).read_bytes()
    for seed in SEEDS:
        (tmp_path / "copy.jsonld").write_bytes(mutation(raw, random.Random(seed)))
        content = outcome(tmp_path / "copy.jsonld")
        assert content is None or mutation not in ALWAYS_REFUSED


@by_name([mutation for mutation in ANY_BYTES if mutation not in (in_utf_16, in_latin_1)])
def test_a_broken_workbook_is_refused_or_whole(digcomp_folder, tmp_path, workbook, mutation):
    raw = (digcomp_folder / DIGCOMP_WORKBOOK).read_bytes()
    for seed in SEEDS:
        (tmp_path / "copy.xlsx").write_bytes(mutation(raw, random.Random(seed)))
        content = outcome(tmp_path / "copy.xlsx")
        # A zip carries sums of its parts: what still opens says what it said.
        assert content is None or content.digest == workbook.digest


@by_name([part_mutated, cells_mutated])
def test_a_workbook_with_broken_parts_or_cells_is_refused_or_whole(digcomp_folder, tmp_path, mutation):
    raw = (digcomp_folder / DIGCOMP_WORKBOOK).read_bytes()
    outcomes = []
    for seed in range(30 if mutation is part_mutated else 10):
        (tmp_path / "copy.xlsx").write_bytes(mutation(raw, random.Random(seed)))
        outcomes.append(outcome(tmp_path / "copy.xlsx"))
    assert any(outcomes) and not all(outcomes)


def test_small_workbooks_are_refused_or_whole_whatever_happens_to_them(tmp_path):
    raw = as_workbook(digcomp_sheets())
    for seed in range(60):
        for mutation in (part_mutated, cells_mutated):
            (tmp_path / "copy.xlsx").write_bytes(mutation(raw, random.Random(seed)))
            outcome(tmp_path / "copy.xlsx")


def test_a_graph_of_many_thousand_terms_stays_within_bounded_memory(tmp_path):
    document = digcomp_document()
    pattern = {"@type": "Glossary", "explanation": "x"}
    document["@graph"] += [{**pattern, "@id": f"Glossary/{number}"} for number in range(40_000)]
    path = write_json(tmp_path / "large.json", document)
    del document
    tracemalloc.start()
    try:
        outcome(path)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100 * 1024**2
