from __future__ import annotations

import csv
import io
import time
from collections import Counter

import pytest

from competencies import importers
from competencies.importers import CannotImport
from competencies.importers.content import LinkContent

from .builders import ANALYST, COUNTING, ESCO, STATISTICS, as_csv, esco_tables, write_tables

OCCUPATIONS, SKILLS, RELATIONS = "occupations_en.csv", "skills_en.csv", "occupationSkillRelations_en.csv"
COLLECTION = "digCompSkillsCollection_en.csv"
COLLECTION_HEADER = ["conceptUri", "preferredLabel", "skillType", "altLabels", "broaderConceptUri", "broaderConceptPT"]


@pytest.fixture(scope="module")
def esco(esco_folder):
    return importers.read(esco_folder)


@pytest.fixture
def tables():
    return esco_tables()


@pytest.fixture
def read(tmp_path):
    return lambda tables: importers.read(write_tables(tmp_path / "esco", tables))


@pytest.fixture
def refused(read):
    def faults(tables):
        with pytest.raises(CannotImport) as caught:
            read(tables)
        return {fault.place: fault.message for fault in caught.value.faults}

    return faults


def told(content):
    return "\n".join(map(str, content.deviations))


def rows_of(folder, name):
    return list(csv.DictReader(io.StringIO((folder / name).read_text(encoding="utf-8"), newline="")))


def requirements(content):
    titles = {competency.code: competency.title["en"] for competency in content.competencies}
    return [
        (role.title["en"], titles[requirement.competency], requirement.necessity, requirement.level)
        for role in content.roles
        for profile in role.profiles
        for requirement in profile.requirements
    ]


def skill(content, title):
    [found] = [competency for competency in content.competencies if title in competency.title.values()]
    return found


# --- The real files ---------------------------------------------------------------------------------------------------
def test_the_real_files_come_in_whole(esco):
    assert (esco.slug, esco.edition, esco.languages) == ("esco", None, ("en",))
    assert esco.counts == {
        "levels": 0,
        "areas": 0,
        "families": 0,
        "competencies": 651,
        "competencies_competency": 264,
        "competencies_skill": 162,
        "competencies_knowledge": 225,
        "descriptors": 0,
        "roles": 12,
        "profiles": 12,
        "requirements": 938,
        "requirements_without_level": 938,
        "requirements_optional": 613,
        "links": 47,
        "relations": 938,
        "relations_by_label": 2,
        "skills_from_relations": 299,
    }


def test_every_real_relation_is_there_as_it_stands(esco, esco_folder):
    words = {"essential": "required", "optional": "optional"}
    expected = Counter(
        (row["occupationLabel"], row["skillLabel"].casefold(), words[row["relationType"]], None)
        for row in rows_of(esco_folder, RELATIONS)
    )
    found = Counter((role, title.casefold(), necessity, level) for role, title, necessity, level in requirements(esco))
    assert found == expected


def test_every_real_skill_is_stored_once_under_its_uri(esco, esco_folder):
    uris = {row["conceptUri"] for name in (SKILLS, COLLECTION) for row in rows_of(esco_folder, name)}
    found = Counter(competency.identifier for competency in esco.competencies)
    assert found.pop("") == 299
    assert found == dict.fromkeys(uris, 1)
    assert all(
        competency.identifier.endswith(competency.code) for competency in esco.competencies if competency.identifier
    )


def test_a_real_occupation_keeps_its_other_names_codes_and_notes(esco):
    role = next(role for role in esco.roles if role.title["en"] == "data scientist")
    assert role.identifier == f"{ESCO}/occupation/258e46f9-0075-4a2e-adae-1ff0477e0f30"
    assert role.code == role.profiles[0].code == "258e46f9-0075-4a2e-adae-1ff0477e0f30"
    assert role.alternatives == {"en": "data research scientist\nresearch data scientist\ndata expert"}
    assert role.external_codes == {"esco": ("2511.4",), "isco": ("2511",)}
    assert (role.family, role.profiles[0].grade) == (None, {})
    assert role.extra["modifiedDate"] == "2023-07-19T12:58:00.239Z"
    assert role.extra["scopeNote"].startswith("Excludes people performing engineering")


def test_broader_concepts_of_the_real_collection_become_links(esco):
    inside = [link for link in esco.links if link.target]
    outside = [link for link in esco.links if not link.target]
    assert (len(inside), len(outside)) == (20, 27)
    assert {link.relation for link in esco.links} == {"narrower"}
    assert all(link.target_uri.startswith(ESCO) and link.target_title for link in outside)


def test_what_is_peculiar_about_the_real_files_is_told(esco):
    assert "No table says its language; taken from the ends of the file names: en." in told(esco)
    assert "each stored once with its label from here: 299 (analyse business plans, " in told(esco)
    assert "stored as kind “competency”: 264" in told(esco)
    assert "were matched by the label: 2." in told(esco)
    assert f"{COLLECTION}: Its skills are read (25)" in told(esco)
    assert "SOURCE.md: This file is not part of the format" in told(esco)
    assert len(esco.deviations) == 6


def test_the_real_files_are_read_in_less_than_two_seconds(esco_folder):
    start = time.process_time()
    importers.read(esco_folder)
    assert time.process_time() - start < 2


# --- Occupations and skills ---------------------------------------------------------------------------------------
def test_a_small_edition_becomes_roles_and_skills(read, tables):
    content = read(tables)
    assert requirements(content) == [
        ("analyst", "count things", "required", None),
        ("analyst", "statistics", "optional", None),
        ("analyst", "ask questions", "required", None),
    ]
    assert {competency.title["en"]: competency.kind for competency in content.competencies} == {
        "count things": "skill",
        "statistics": "knowledge",
        "ask questions": "competency",
    }


def test_other_names_stand_one_a_line_whatever_divides_them(read, tables):
    content = read(tables)
    assert content.roles[0].alternatives == {"en": "data expert\nfact finder\nanalist"}
    assert skill(content, "count things").alternatives == {"en": "tally\nreckon"}


def test_columns_beyond_the_known_are_kept_beside(read, tables):
    content = read(tables)
    assert skill(content, "count things").extra == {"reuseLevel": "cross-sector"}
    assert content.roles[0].extra == {"status": "released"}


def test_a_skill_of_unknown_type_claims_neither_and_is_told(read, tables):
    tables[SKILLS][1][2] = ""
    tables[RELATIONS][1][3] = ""
    content = read(tables)
    assert skill(content, "count things").kind == "competency"
    assert "stored as kind “competency”: 2 (count things, ask questions)." in told(content)


def test_the_type_that_only_a_relation_states_is_taken(read, tables):
    tables[SKILLS][1][2] = ""
    tables[RELATIONS][3][3] = "knowledge"
    content = read(tables)
    assert skill(content, "count things").kind == "skill"
    assert skill(content, "ask questions").kind == "knowledge"


def test_tables_that_contradict_each_other_about_a_type_are_refused(refused, tables):
    tables[RELATIONS][1][3] = "knowledge"
    message = refused(tables)[f"{RELATIONS} line 2, column skillType"]
    assert "“count things” is of the type “skill/competence” elsewhere (first at skills_en.csv line 2)" in message


@pytest.mark.parametrize(
    ("name", "row", "column", "value", "sentence"),
    [
        (OCCUPATIONS, 1, "conceptUri", "", "The cell is empty. Fill it in."),
        (OCCUPATIONS, 1, "conceptUri", "analyst", "“analyst” is not the URI of a concept."),
        (OCCUPATIONS, 1, "iscoGroup", "Master", "“Master” is not a group of ISCO."),
        (OCCUPATIONS, 1, "code", "1" * 161, "at most 160 fit"),
        (OCCUPATIONS, 1, "preferredLabel", "x" * 2001, "at most 2000 fit"),
        (OCCUPATIONS, 1, "status", "\x1b[2J", "unusable character U+001B"),
        (SKILLS, 2, "preferredLabel", "", "The cell is empty. Fill it in."),
        (SKILLS, 2, "skillType", "talent", "Write one of: knowledge, skill/competence; or leave it empty."),
        (RELATIONS, 2, "relationType", "desirable", "Write one of: essential, optional."),
        (RELATIONS, 2, "occupationUri", f"{ESCO}/occupation/9", "is not in the table of occupations"),
        (RELATIONS, 2, "skillLabel", "", "The cell is empty. Fill it in."),
        (RELATIONS, 2, "skillUri", "http://a b", "is not the URI of a concept"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(refused, tables, name, row, column, value, sentence):
    tables[name][row][tables[name][0].index(column)] = value
    assert sentence in refused(tables)[f"{name} line {row + 1}, column {column}"]


@pytest.mark.parametrize(
    ("name", "column"),
    [(OCCUPATIONS, "preferredLabel"), (SKILLS, "conceptUri"), (RELATIONS, "relationType"), (RELATIONS, "skillUri")],
)
def test_a_missing_column_is_named(refused, tables, name, column):
    place = tables[name][0].index(column)
    tables[name] = [row[:place] + row[place + 1 :] for row in tables[name]]
    assert f"The column “{column}” is missing" in refused(tables)[f"{name} line 1"]


@pytest.mark.parametrize(("name", "what"), [(OCCUPATIONS, "occupations"), (SKILLS, "skills"), (RELATIONS, "relations")])
def test_a_missing_table_is_named_with_what_to_do(refused, tables, name, what):
    del tables[name]
    [message] = refused(tables).values()
    assert message.startswith(f"The table of {what} is missing. Put the tables occupations, skills and")


def test_a_repeated_row_counts_once_and_is_told_and_another_wording_is_refused(read, refused, tables):
    tables[SKILLS].append(tables[SKILLS][1])
    assert f"{SKILLS} line 4: The same row stands on line 2 as well" in told(read(tables))
    tables[SKILLS][3] = [*tables[SKILLS][1][:-1], "Counts otherwise."]
    assert "stands on line 2 with other words" in refused(tables)[f"{SKILLS} line 4, column conceptUri"]


# --- Relations --------------------------------------------------------------------------------------------------------
def test_a_relation_without_uri_finds_its_skill_by_the_label_whatever_its_case_and_spaces(read, tables):
    tables[RELATIONS][1][3:] = ["", "", " Count   THINGS "]
    content = read(tables)
    assert requirements(content)[0] == ("analyst", "count things", "required", None)
    assert len(content.competencies) == 3
    assert "were matched by the label: 1." in told(content)


def test_a_skill_known_by_its_label_alone_is_stored_once_without_identifier(read, tables):
    other = f"{ESCO}/occupation/11111111-0000-4000-8000-000000000002"
    tables[OCCUPATIONS].append([other, "2511", "other", "", "", "", "", ""])
    tables[RELATIONS] += [
        [other, "other", "optional", "", "", "Ask  questions"],
        [other, "other", "optional", "", "", "CSS/HTML"],
    ]
    content = read(tables)
    assert (skill(content, "ask questions").identifier, skill(content, "ask questions").code) == ("", "ask-questions")
    assert skill(content, "CSS/HTML").code == "csshtml"
    assert len(content.competencies) == 4
    assert "each stored once with its label from here: 2 (ask questions, CSS/HTML)." in told(content)


def test_a_uri_that_no_table_of_skills_has_is_kept_with_its_label(read, tables):
    del tables[SKILLS][2]
    content = read(tables)
    assert skill(content, "statistics").identifier == STATISTICS
    assert "have their label from here: 1 (statistics)." in told(content)


def test_a_label_that_two_skills_share_is_refused_where_no_uri_decides(refused, tables):
    tables[SKILLS][2][1] = "Count things"
    tables[RELATIONS][1][4] = ""
    message = refused(tables)[f"{RELATIONS} line 2, column skillUri"]
    assert message == "Several skills are called “count things”. Fill in the URI of the one that is meant."


def test_a_repeated_relation_counts_once_and_a_contradicting_one_is_refused(read, refused, tables):
    tables[RELATIONS].append(tables[RELATIONS][1])
    content = read(tables)
    assert len(requirements(content)) == 3
    assert f"{RELATIONS} line 2: The same occupation and skill stand on line 5 as well" in told(content)
    tables[RELATIONS][4] = [ANALYST, "analyst", "optional", "", "", "count things"]
    assert (
        "“count things” is essential for this occupation at"
        in refused(tables)[f"{RELATIONS} line 5, column relationType"]
    )


def test_a_label_other_than_in_the_table_of_skills_is_told(read, tables):
    tables[RELATIONS][1][5] = "count"
    content = read(tables)
    assert skill(content, "count things").identifier == COUNTING
    assert "which decide (line 2)." in told(content)


# --- Collections, links, other tables -------------------------------------------------------------------------------
def collection(*rows):
    return [COLLECTION_HEADER, *rows]


def test_a_collection_adds_to_the_skills_and_links_them_to_what_is_broader(read, tables):
    group = f"{ESCO}/skill/S1.2"
    tables[COLLECTION] = collection(
        [COUNTING, "count things", "", "sum up", f"{STATISTICS} | {group}", "statistics | working with numbers"],
        [f"{ESCO}/skill/new", "add", "skill/competence", "", COUNTING, ""],
    )
    content = read(tables)
    assert skill(content, "count things").alternatives == {"en": "tally\nreckon\nsum up"}
    assert skill(content, "add").code == "new"
    counting = COUNTING.rsplit("/", 1)[-1]
    assert content.links == (
        LinkContent(origin=counting, relation="narrower", target=STATISTICS.rsplit("/", 1)[-1]),
        LinkContent(origin=counting, relation="narrower", target_uri=group, target_title="working with numbers"),
        LinkContent(origin="new", relation="narrower", target=counting),
    )


def test_titles_that_do_not_pair_with_the_broader_concepts_are_told(read, tables):
    tables[COLLECTION] = collection([COUNTING, "count things", "", "", f"{ESCO}/skill/S1", "one | two"])
    content = read(tables)
    assert content.links[0].target_title == ""
    assert f"{COLLECTION} line 2, column broaderConceptPT: There are 2 titles for 1 broader concepts" in told(content)


def test_a_skill_broader_than_itself_and_a_target_that_is_no_uri(read, refused, tables):
    tables[COLLECTION] = collection([COUNTING, "count things", "", "", COUNTING, ""])
    content = read(tables)
    assert content.links == ()
    assert "broader than itself; that is not kept" in told(content)
    tables[COLLECTION][1][4] = "numbers"
    assert "is not the URI of a concept" in refused(tables)[f"{COLLECTION} line 2, column broaderConceptUri"]


def test_where_a_collection_words_a_skill_otherwise_the_table_of_skills_decides(read, tables):
    tables[COLLECTION] = collection([COUNTING, "reckon up", "", "", "", ""])
    content = read(tables)
    assert skill(content, "count things").identifier == COUNTING
    assert f"{COLLECTION}: Another table read before has another text for the same; that one is kept (line 2)." in told(
        content
    )


def test_tables_of_the_full_download_that_have_no_place_are_told(read, tables):
    tables["skillGroups_en.csv"] = [
        ["conceptType", "conceptUri", "preferredLabel", "code"],
        ["SkillGroup", "u", "l", "S1"],
    ]
    tables["broaderRelationsSkillPillar_en.csv"] = [
        ["conceptType", "conceptUri", "broaderType", "broaderUri"],
        [*"abcd"],
    ]
    tables["skillSkillRelations_en.csv"] = [
        ["originalSkillUri", "originalSkillType", "relationType", "relatedSkillType", "relatedSkillUri"],
        [*"abcde"],
    ]
    text = told(read(tables))
    for name in ("skillGroups_en.csv", "broaderRelationsSkillPillar_en.csv", "skillSkillRelations_en.csv"):
        assert f"{name}: This file is not part of the format and was not read." in text


# --- Languages --------------------------------------------------------------------------------------------------------
def in_spanish(tables):
    relations = [row[:] for row in tables[RELATIONS][:3]]
    for row, label in zip(relations[1:], ("contar cosas", "estadística"), strict=True):
        row[1], row[5] = "analista", label
    occupation, counting, statistics = [*tables[OCCUPATIONS][1]], [*tables[SKILLS][1]], [*tables[SKILLS][2]]
    occupation[2:5] = ["analista", "experto en datos", ""]
    occupation[6] = "Analiza."
    counting[1], counting[4:] = "contar cosas", ["", "Cuenta."]
    statistics[1] = "estadística"
    return {
        "occupations_es.csv": [tables[OCCUPATIONS][0], occupation],
        "skills_es.csv": [tables[SKILLS][0], counting, statistics],
        "occupationSkillRelations_es.csv": relations,
    }


def test_several_languages_become_one_framework(read, tables):
    content = read({**tables, **in_spanish(tables)})
    assert content.languages == ("en", "es")
    assert set(content.title) == {"en", "es"}
    [role] = content.roles
    assert role.title == {"en": "analyst", "es": "analista"}
    assert role.summary == {"en": "Analyses.", "es": "Analiza."}
    assert role.alternatives == {"en": "data expert\nfact finder\nanalist", "es": "experto en datos"}
    assert role.extra == {"status": "released"}
    assert skill(content, "contar cosas").title == {"en": "count things", "es": "contar cosas"}
    assert len(role.profiles[0].requirements) == 3


def test_columns_that_differ_between_languages_are_kept_in_each(read, tables):
    spanish = in_spanish(tables)
    spanish["occupations_es.csv"][1][5] = "publicado"
    assert read({**tables, **spanish}).roles[0].extra == {"status": {"en": "released", "es": "publicado"}}


def test_a_text_that_is_missing_in_one_language_is_told(read, tables):
    spanish = in_spanish(tables)
    del spanish["skills_es.csv"][2]
    assert "Skills that have no title in the language es: 1." in told(read({**tables, **spanish}))


def test_codes_that_differ_between_languages_are_refused(refused, tables):
    spanish = in_spanish(tables)
    spanish["occupations_es.csv"][1][1] = "1330"
    assert (
        "has “1330” here and “2511” at" in refused({**tables, **spanish})["occupations_es.csv line 2, column iscoGroup"]
    )


def test_a_relation_that_differs_between_languages_is_refused(refused, tables):
    spanish = in_spanish(tables)
    spanish["occupationSkillRelations_es.csv"][1][2] = "optional"
    [(place, message)] = refused({**tables, **spanish}).items()
    assert place == "occupationSkillRelations_es.csv line 2, column relationType"
    assert "is essential for this occupation at occupationSkillRelations_en.csv line 2" in message


def test_two_tables_of_one_kind_and_language_are_two_editions(refused, tables):
    tables["older_occupations_en.csv"] = tables[OCCUPATIONS]
    [(place, message)] = refused(tables).items()
    assert place == "occupations_en.csv, older_occupations_en.csv"
    assert message.startswith("These files are several editions of the same kind.")


def test_a_name_without_language_is_refused_beside_names_with_several(refused, tables):
    spanish = in_spanish(tables)
    spanish["skills.csv"] = spanish.pop("skills_es.csv")
    assert "this name ends with none of them" in refused({**tables, **spanish})["skills.csv"]


def test_names_without_language_are_read_as_english_and_told(tmp_path, tables):
    plain = {name.replace("_en", ""): table for name, table in tables.items()}
    content = importers.read(write_tables(tmp_path / "plain", plain))
    assert content.digest == importers.read(write_tables(tmp_path / "named", tables)).digest
    assert "Neither the tables nor their names say the language; taken as: en." in told(content)


# --- Hostile ----------------------------------------------------------------------------------------------------------
def test_the_order_of_columns_and_a_byte_order_mark_do_not_matter(read, tables):
    digest = read(tables).digest
    turned = {name: [row[::-1] for row in table] for name, table in tables.items()}
    assert read({name: b"\xef\xbb\xbf" + as_csv(table) for name, table in turned.items()}).digest == digest


def test_a_table_of_thousands_of_columns_is_refused(refused, tables):
    tables[SKILLS] = [row + [f"{number}" for number in range(20_000)] for row in tables[SKILLS]]
    assert "more than 200 columns" in refused(tables)[SKILLS]


def test_columns_without_a_usable_name_are_told(read, tables):
    tables[SKILLS] = [[*row, cell, cell] for row, cell in zip(tables[SKILLS], ("", "a", "b"), strict=True)]
    tables[SKILLS][0][-1] = "x" * 101
    assert f"{SKILLS}: 2 columns have no usable name and are not kept." in told(read(tables))


def test_other_names_that_are_too_long_together_are_refused(refused, tables):
    tables[OCCUPATIONS][1][3] = "a" * 60_000
    tables[OCCUPATIONS][1][4] = "b" * 60_000
    assert "at most 100000 fit" in refused(tables)[f"{OCCUPATIONS} line 2"]
