from __future__ import annotations

import csv
import io
from collections import Counter
from decimal import Decimal

import pytest

from competencies import importers
from competencies.importers import CannotImport

from .builders import as_csv, onet_rating, onet_tables, write_tables

SKILLS, TASKS, TOOLS, ANCHORS = "skills.csv", "tasks.csv", "technology_skills.csv", "level_anchors.csv"
SECOND = ["11-3021.00", "Systems Managers"]


@pytest.fixture(scope="module")
def onet(onet_folder):
    return importers.read(onet_folder)


@pytest.fixture
def tables():
    return onet_tables()


@pytest.fixture
def read(tmp_path):
    return lambda tables: importers.read(write_tables(tmp_path / "onet", tables))


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


def asked(content, competency, role="15-1299.09"):
    [found] = [
        requirement
        for each in content.roles
        if each.code == role
        for requirement in each.profiles[0].requirements
        if requirement.competency == competency
    ]
    return found


def competency(content, code):
    return next(item for item in content.competencies if item.code == code)


def rated(read, tables, *ratings):
    tables[SKILLS] = [tables[SKILLS][0], *ratings]
    content = read(tables)
    return content, asked(content, "2.A.1.a")


# --- The real files ---------------------------------------------------------------------------------------------------
def test_the_real_files_come_in_whole(onet):
    assert (onet.slug, onet.edition, onet.languages) == ("onet", None, ("en",))
    assert onet.counts == {
        "levels": 8,
        "areas": 0,
        "families": 0,
        "competencies": 1453,
        "competencies_skill": 35,
        "competencies_knowledge": 33,
        "competencies_task": 311,
        "competencies_tool": 1074,
        "descriptors": 204,
        "roles": 16,
        "profiles": 16,
        "requirements": 4117,
        "requirements_without_level": 3487,
        "requirements_optional": 3192,
        "requirements_uncertain": 44,
        "rows": 5409,
        "ratings": 748,
    }
    assert [(level.rank, level.label) for level in onet.levels] == [(rank, {"en": str(rank)}) for rank in range(8)]


@pytest.mark.parametrize("name", ["skills.csv", "knowledge.csv"])
def test_every_real_figure_is_kept_and_rounded_half_up(onet, onet_folder, name):
    for row in rows_of(onet_folder, name):
        requirement = asked(onet, row["Element ID"], row["O*NET-SOC Code"])
        rounded = int(Decimal(row["Data Value"]) + Decimal("0.5"))
        extra = requirement.extra[row["Scale ID"]]
        if row["Scale ID"] == "IM":
            assert (requirement.importance_value, requirement.importance) == (row["Data Value"], rounded)
        elif row["Not Relevant"] == "Y":
            assert (requirement.level_value, requirement.level) == ("", None)
            assert extra["Data Value"] == row["Data Value"]
        else:
            assert (requirement.level_value, requirement.level) == (row["Data Value"], rounded)
        for column in ("N", "Standard Error", "Lower CI Bound", "Upper CI Bound", "Date", "Domain Source"):
            assert extra.get(column, "") == row[column]


def test_no_real_rating_that_is_to_be_suppressed_is_required(onet, onet_folder):
    suppressed = {
        (row["O*NET-SOC Code"], row["Element ID"])
        for name in ("skills.csv", "knowledge.csv")
        for row in rows_of(onet_folder, name)
        if row["Recommend Suppress"] == "Y"
    }
    uncertain = {
        (role.code, requirement.competency)
        for role in onet.roles
        for requirement in role.profiles[0].requirements
        if requirement.necessity == "uncertain"
    }
    assert uncertain == suppressed
    assert len(uncertain) == 44


def test_real_tasks_and_technology_are_there_as_they_stand(onet, onet_folder):
    tasks, tools = rows_of(onet_folder, TASKS), rows_of(onet_folder, TOOLS)
    words = {"Core": "required", "Supplemental": "optional", "": "required"}
    for row in tasks:
        assert competency(onet, row["Task ID"]).title == {"en": row["Task"]}
        assert asked(onet, row["Task ID"], row["O*NET-SOC Code"]).necessity == words[row["Task Type"]]
    titles = {item.code: item.title["en"] for item in onet.competencies if item.kind == "tool"}
    found = Counter(
        (role.code, titles[requirement.competency], requirement.extra.get("In Demand"), requirement.necessity)
        for role in onet.roles
        for requirement in role.profiles[0].requirements
        if requirement.competency in titles
    )
    assert found == Counter((row["O*NET-SOC Code"], row["Example"], row["In Demand"], "optional") for row in tools)


def test_real_occupations_keep_code_and_job_zone_and_come_in_without_ratings_too(onet):
    managers = next(role for role in onet.roles if role.code == "11-3021.00")
    assert managers.title == {"en": "Computer and Information Systems Managers"}
    assert managers.external_codes == {"onet-soc": ("11-3021.00",)}
    assert managers.extra == {"Job Zone": "4", "Date": "07/2016", "Domain Source": "Analyst"}
    kinds = {item.code: item.kind for item in onet.competencies}
    developers = next(role for role in onet.roles if role.code == "15-1252.00")
    assert {kinds[requirement.competency] for requirement in developers.profiles[0].requirements} == {"task", "tool"}


def test_what_is_peculiar_about_the_real_files_is_told(onet):
    text = told(onet)
    assert "scales.csv: Scales that belong to other tables than are read, and are not kept: 27." in text
    assert "tasks.csv: Tasks without a type, taken as required: 105" in text
    assert "level_anchors.csv: Anchors of elements that no occupation is rated on, and are not kept: 279" in text
    assert "kept as too uncertain to be used: 44." in text
    assert "kept without a level: 118." in text
    assert "13-1082.00, 15-1252.00, 15-1255.00, 15-1299.05, 15-2051.00." in text
    assert len(onet.deviations) == 9


# --- Ratings ------------------------------------------------------------------------------------------------------
def test_a_rating_keeps_its_figures_and_what_stands_beside_them(read, tables):
    requirement = asked(read(tables), "2.A.1.a")
    assert (requirement.importance, requirement.importance_value) == (4, "4.12")
    assert (requirement.level, requirement.level_value) == (5, "4.5")
    assert requirement.necessity == "required"
    assert requirement.extra["IM"] == {
        "N": "8",
        "Standard Error": "0.125",
        "Recommend Suppress": "N",
        "Date": "08/2023",
        "Domain Source": "Analyst",
    }


@pytest.mark.parametrize("flags", [("Y", "N"), ("N", "Y"), ("Y", "Y")])
def test_what_is_to_be_suppressed_on_either_row_is_uncertain(read, tables, flags):
    importance, level = flags
    content, requirement = rated(
        read, tables, onet_rating("IM", "4.0", suppress=importance), onet_rating("LV", "4.0", suppress=level)
    )
    assert (requirement.necessity, requirement.level) == ("uncertain", 4)
    assert "recommends to suppress, kept as too uncertain to be used: 1." in told(content)


def test_what_is_not_relevant_is_optional_and_states_no_level(read, tables):
    content, requirement = rated(read, tables, onet_rating("IM", "2.0"), onet_rating("LV", "0.62", not_relevant="Y"))
    assert (requirement.necessity, requirement.level, requirement.level_value) == ("optional", None, "")
    assert requirement.extra["LV"]["Data Value"] == "0.62"
    assert "kept without a level: 1." in told(content)


@pytest.mark.parametrize(
    ("importance", "level", "expected"),
    [
        ("1.49", "3.0", ("optional", 1, 3)),
        ("1.5", "3.0", ("required", 2, 3)),
        ("4.5", "0.49", ("optional", 5, 0)),
        ("4.49", "0.5", ("required", 4, 1)),
        ("2.5", "2.5", ("required", 3, 3)),
        ("5", "7", ("required", 5, 7)),
    ],
)
def test_figures_are_rounded_half_up_and_the_lowest_point_asks_for_nothing(read, tables, importance, level, expected):
    _content, requirement = rated(read, tables, onet_rating("IM", importance), onet_rating("LV", level))
    assert (requirement.necessity, requirement.importance, requirement.level) == expected


def test_a_rating_with_one_row_alone_is_told(read, tables):
    content, requirement = rated(read, tables, onet_rating("IM", "4.0"))
    assert (requirement.level, requirement.importance) == (None, 4)
    assert "Ratings without a row on the level, kept without a level: 1." in told(content)
    content, requirement = rated(read, tables, onet_rating("LV", "4.0"))
    assert (requirement.level, requirement.importance, requirement.importance_value) == (4, 3, "")
    assert "Ratings without a row on importance, taken as of middle importance: 1." in told(content)


@pytest.mark.parametrize(
    ("scale", "value"),
    [
        ("IM", "0.9"),
        ("IM", "5.01"),
        ("LV", "7.5"),
        ("LV", "-1"),
        ("LV", "high"),
        ("LV", "1e9"),
        ("LV", "NaN"),
        ("LV", ""),
    ],
)
def test_a_figure_outside_its_scale_is_refused(refused, tables, scale, value):
    tables[SKILLS][2] = onet_rating(scale, value)
    message = refused(tables)["skills.csv line 3, column Data Value"]
    assert ("from 1 to 5" if scale == "IM" else "from 0 to 7") in message


def test_the_bounds_of_the_levels_are_those_of_the_table_of_scales(read, refused, tables):
    header = ["Scale ID", "Scale Name", "Minimum", "Maximum"]
    tables["scales.csv"] = [header, ["IM", "Importance", "1", "5"], ["LV", "Level", "1", "5"]]
    assert [level.rank for level in read(tables).levels] == [1, 2, 3, 4, 5]
    for minimum, maximum in (("0", "99"), ("5", "1"), ("low", "high"), ("0.5", "7")):
        tables["scales.csv"][2][2:] = [minimum, maximum]
        [place] = refused(tables)
        assert place.startswith("scales.csv line 3, column M")
    tables["scales.csv"][1:] = [["IM", "Importance", "1", "7"]]
    assert "Importance goes from 1 to 5 here" in refused(tables)["scales.csv line 2, column Maximum"]


def test_abilities_and_work_activities_are_competencies(read, tables):
    tables["abilities.csv"] = [tables[SKILLS][0], onet_rating("IM", "3", code="1.A.1.a.1")]
    tables["work_activities.csv"] = [tables[SKILLS][0], onet_rating("IM", "3", code="4.A.1.a.1")]
    content = read(tables)
    assert [competency(content, code).kind for code in ("2.A.1.a", "1.A.1.a.1", "4.A.1.a.1")] == [
        "skill",
        "competency",
        "competency",
    ]


def test_tables_in_the_same_layout_about_something_else_are_told(read, tables):
    about = ["O*NET-SOC Code", "Title", "Element ID", "Element Name", "Scale ID", "Scale Name", "Data Value"]
    tables["interests.csv"] = [about, ["15-1299.09", "Project Managers", "1.B.1.a", "Realistic", "OI", "x", "2.0"]]
    assert "interests.csv: Rows of elements that are neither skills, " in told(read(tables))


def test_a_table_of_skills_that_does_not_say_what_to_suppress_is_refused(refused, tables):
    place = tables[SKILLS][0].index("Recommend Suppress")
    tables[SKILLS] = [row[:place] + row[place + 1 :] for row in tables[SKILLS]]
    assert "The column “Recommend Suppress” is missing" in refused(tables)["skills.csv line 1"]


def test_a_repeated_rating_counts_once_and_a_contradicting_one_is_refused(read, refused, tables):
    tables[SKILLS].append(onet_rating("IM", "4.12"))
    assert "skills.csv line 4: The same row stands on line 2 as well" in told(read(tables))
    tables[SKILLS][3] = onet_rating("IM", "4.13")
    assert "Line 2 says something else about the same." in refused(tables)["skills.csv line 4, column Data Value"]


@pytest.mark.parametrize("name", [SKILLS, TASKS, TOOLS])
def test_an_occupation_that_the_table_of_occupations_does_not_have_is_named(refused, tables, name):
    tables[name][1][0] = "99-9999.00"
    assert "“99-9999.00” is not in occupations.csv" in refused(tables)[f"{name} line 2, column O*NET-SOC Code"]


def test_another_title_or_name_beside_a_code_is_told(read, tables):
    tables[SKILLS][1][1] = "Managers of Projects"
    tables[SKILLS][2][3] = "Reading Aloud"
    content = read(tables)
    assert competency(content, "2.A.1.a").title == {"en": "Reading"}
    assert "skills.csv: The element has another name than before, which is kept (line 3)." in told(content)
    assert "another than in the table of occupations, which decides (line 2)." in told(content)


# --- Anchors, tasks, technology -----------------------------------------------------------------------------------
def test_an_anchor_describes_its_level_and_one_between_two_levels_is_kept_beside_and_told(read, tables):
    tables[ANCHORS].append(["2.A.1.a", "Reading", "LV", "Level", "3.5", "Read a letter"])
    content = read(tables)
    element = competency(content, "2.A.1.a")
    assert [(item.rank, item.text) for item in element.descriptors] == [(2, {"en": "Read a form"})]
    assert element.extra == {"Level Scale Anchors": [{"Anchor Value": "3.5", "Anchor Description": "Read a letter"}]}
    assert "An anchor between two levels describes neither" in told(content)


def test_anchors_of_elements_that_are_not_here_are_told_in_one_sentence(read, tables):
    tables[ANCHORS] += [["1.A.1", "Ability", "LV", "Level", str(value), "Able"] for value in (2, 4)]
    assert told(read(tables)).count("and are not kept: 2 (of 1 element).") == 1


def test_two_anchors_on_one_level_are_refused(refused, tables):
    tables[ANCHORS].append(["2.A.1.a", "Reading", "LV", "Level", "2", "Read a book"])
    assert "Line 2 says something else" in refused(tables)["level_anchors.csv line 3, column Anchor Value"]


@pytest.mark.parametrize(("type", "necessity"), [("Core", "required"), ("Supplemental", "optional"), ("", "required")])
def test_the_type_of_a_task_says_whether_it_is_required(read, tables, type, necessity):
    tables[TASKS][1][4] = type
    content = read(tables)
    requirement = asked(content, "16170")
    assert (requirement.necessity, requirement.level) == (necessity, None)
    assert ("Tasks without a type, taken as required: 1 (lines 2)." in told(content)) == (not type)


def test_a_task_of_an_unknown_type_or_number_is_refused(refused, tables):
    tables[TASKS][1][2:] = ["2.A.1.a", "Plan projects.", "Main"]
    faults = refused(tables)
    assert "in this example: 8823" in faults["tasks.csv line 2, column Task ID"]
    assert "Write Core or Supplemental" in faults["tasks.csv line 2, column Task Type"]


def test_one_task_with_two_texts_is_refused(refused, tables):
    tables["occupations.csv"].append([*SECOND, ""])
    tables[TASKS].append([*SECOND, "16170", "Plan something.", "Core"])
    assert "Task 16170 has another text at tasks.csv line 2" in refused(tables)["tasks.csv line 3, column Task"]


def test_technology_is_optional_and_keeps_its_own_facts_apart_from_those_of_the_occupation(read, tables):
    tables["occupations.csv"].append([*SECOND, ""])
    tables[TOOLS].append([*SECOND, *tables[TOOLS][1][2:-1], "Y"])
    content = read(tables)
    code = "43231513-microsoft-project"
    tool = competency(content, code)
    assert (tool.kind, tool.title) == ("tool", {"en": "Microsoft Project"})
    assert tool.extra == {
        "Commodity Code": "43231513",
        "Commodity Title": "Office suite software",
        "Hot Technology": "Y",
    }
    first, second = asked(content, code), asked(content, code, SECOND[0])
    assert (first.necessity, first.level, first.extra) == ("optional", None, {"In Demand": "N"})
    assert second.extra == {"In Demand": "Y"}


def test_a_fact_about_technology_that_differs_between_occupations_stands_with_them(read, tables):
    tables["occupations.csv"].append([*SECOND, ""])
    tables[TOOLS].append([*SECOND, *tables[TOOLS][1][2:-2], "N", "N"])
    content = read(tables)
    code = "43231513-microsoft-project"
    assert "Hot Technology" not in competency(content, code).extra
    assert asked(content, code).extra["Hot Technology"] == "Y"
    assert asked(content, code, SECOND[0]).extra["Hot Technology"] == "N"


def test_tools_of_nearly_one_name_have_codes_of_their_own(read, tables):
    tables[TOOLS] += [
        ["15-1299.09", "Project Managers", name, "43232402", "x", "N", "N"] for name in ("C", "C++", "C#")
    ]
    codes = [item.code for item in read(tables).competencies if item.title["en"] in ("C", "C++", "C#")]
    assert sorted(codes) == ["43232402-c", "43232402-c-2", "43232402-c-3"]


# --- Tables -----------------------------------------------------------------------------------------------------------
def test_without_the_table_of_occupations_nothing_is_imported(refused, tables):
    del tables["occupations.csv"]
    [message] = refused(tables).values()
    assert message.startswith("The table of occupations is missing. Put it in one folder with the others.")


@pytest.mark.parametrize("name", [TASKS, TOOLS, ANCHORS])
def test_a_table_that_is_not_there_is_no_fault(read, tables, name):
    del tables[name]
    assert asked(read(tables), "2.A.1.a").level == 5


@pytest.mark.parametrize("raw", [b"", "a,b".encode("utf-16"), b"a\0b"])
def test_a_table_that_nobody_can_read_is_refused_and_not_left_out(refused, tables, raw):
    assert next(iter(refused({**tables, "knowledge.csv": raw}))).startswith("knowledge.csv")


def test_a_job_zone_is_one_of_five(read, refused, tables):
    tables["job_zones.csv"] = [["O*NET-SOC Code", "Title", "Job Zone"], ["15-1299.09", "Project Managers", "4"]]
    assert read(tables).roles[0].extra == {"Job Zone": "4"}
    tables["job_zones.csv"][1][2] = "high"
    assert "in this example: 4" in refused(tables)["job_zones.csv line 2, column Job Zone"]


def test_the_order_of_columns_and_a_byte_order_mark_do_not_matter(read, tables):
    digest = read(tables).digest
    turned = {name: [row[::-1] for row in table] for name, table in tables.items()}
    assert read({name: b"\xef\xbb\xbf" + as_csv(table) for name, table in turned.items()}).digest == digest
