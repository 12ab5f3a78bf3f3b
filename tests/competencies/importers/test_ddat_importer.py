from __future__ import annotations

import csv
import io

import pytest

from competencies import importers
from competencies.importers import CannotImport

from .builders import as_csv, ddat_roles, ddat_skills, write_ddat


@pytest.fixture(scope="module")
def ddat(ddat_folder):
    return importers.read(ddat_folder)


def read(tmp_path, roles=None, skills=None):
    return importers.read(write_ddat(tmp_path / "ddat", roles or ddat_roles(), skills or ddat_skills()))


def refused(tmp_path, roles=None, skills=None):
    with pytest.raises(CannotImport) as caught:
        read(tmp_path, roles, skills)
    return {fault.place: fault.message for fault in caught.value.faults}


def test_the_real_files_come_in_whole(ddat):
    assert (ddat.slug, ddat.edition, ddat.languages) == ("ddat", None, ("en",))
    assert ddat.counts == {
        "levels": 4,
        "areas": 0,
        "families": 8,
        "competencies": 188,
        "competencies_skill": 188,
        "descriptors": 604,
        "roles": 52,
        "profiles": 205,
        "requirements": 1809,
        "requirements_without_level": 28,
        "role_levels": 202,
        "rows": 1825,
    }
    assert [(level.rank, level.label["en"]) for level in ddat.levels] == [
        (1, "Awareness"),
        (2, "Working"),
        (3, "Practitioner"),
        (4, "Expert"),
    ]


def test_the_levels_of_the_real_rows_are_those_of_the_source(ddat, ddat_folder):
    rows = csv.DictReader(io.StringIO((ddat_folder / "roles.csv").read_text(), newline=""))
    expected = {(row["Role"], row["Role Level"].strip(), row["Skill Name"]): row["Skill Level"] for row in rows}
    labels = {level.rank: level.label["en"] for level in ddat.levels} | {None: "NOT IN USE"}
    titles = {competency.code: competency.title["en"] for competency in ddat.competencies}
    found = {
        (role.title["en"], profile.grade.get("en", "NOT IN USE"), titles[requirement.competency]): labels[
            requirement.level
        ]
        for role in ddat.roles
        for profile in role.profiles
        for requirement in profile.requirements
    }
    assert found == expected


def test_the_chief_roles_have_one_profile_without_grade_and_require_without_level(ddat):
    chiefs = {role.title["en"]: role for role in ddat.roles if role.key_post}
    assert {title: role.key_post for title, role in chiefs.items()} == {
        "Chief information security officer": "CISO",
        "Chief technology officer": "CTO",
        "Chief digital and information officer": "CDIO",
        "Chief data officer": "CDO",
    }
    profiles = [profile for role in chiefs.values() for profile in role.profiles]
    assert [(profile.grade, profile.summary) for profile in profiles] == [({}, {})] * 4
    required = [requirement for profile in profiles for requirement in profile.requirements]
    assert (len(required), {requirement.level for requirement in required}) == (28, {None})
    assert chiefs["Chief data officer"].profiles[0].code == "chief-data-officer"


def test_codes_are_made_from_names_and_unique(ddat):
    assert len({role.code for role in ddat.roles}) == 52
    assert len({competency.code for competency in ddat.competencies}) == 188
    assert len({profile.code for role in ddat.roles for profile in role.profiles}) == 205
    architect = next(role for role in ddat.roles if role.code == "business-architect")
    assert architect.family == "architecture"
    assert [profile.code for profile in architect.profiles] == [
        "business-architect--associate-business-architect",
        "business-architect--business-architect",
        "business-architect--lead-business-architect",
        "business-architect--trainee-business-architect",
    ]


def test_texts_are_kept_as_they_stand(ddat):
    skill = next(competency for competency in ddat.competencies if competency.code == "accessibility")
    assert skill.description["en"].startswith("Accessibility involves ensuring your service")
    assert [descriptor.rank for descriptor in skill.descriptors] == [1, 2, 3, 4]
    assert skill.descriptors[0].text["en"] == (
        "You can:\n- understand accessibility and that users have different accessibility needs\n"
        "- help fix accessibility issues under the direction of others"
    )
    texts = [descriptor.text["en"] for competency in ddat.competencies for descriptor in competency.descriptors]
    assert not [text for text in texts if not text or "not defined" in text]


def test_what_is_peculiar_about_the_real_files_is_told(ddat):
    told = "\n".join(map(str, ddat.deviations))
    assert told.count("The same role level and skill stand on line") == 13
    assert "roles.csv line 5048: The same role level and skill stand on lines 5063, 5078 as well" in told
    assert "taken from roles.csv: 36 (of 325 rows there)" in told
    assert "no description in either table: 5." in told
    assert "are left out: 60." in told
    assert "empty and left out: 88." in told
    assert "“Senior Civil Service” (28 rows) is not kept" in told
    assert told.count("Does not name these roles") == 14
    assert told.count("Says that these roles require") == 1
    assert len(ddat.deviations) == 34


def test_the_order_of_the_columns_does_not_matter(tmp_path):
    turned = [row[::-1] for row in ddat_roles()]
    assert read(tmp_path, turned).digest == read(tmp_path).digest


def test_line_endings_and_a_byte_order_mark_do_not_matter(tmp_path):
    roles = b"\xef\xbb\xbf" + as_csv(ddat_roles()).replace(b"\n", b"\r\n")
    assert read(tmp_path, roles).digest == read(tmp_path).digest


def test_places_count_the_lines_of_the_file_and_not_the_rows(tmp_path):
    roles = ddat_roles()
    roles[1][2] = "Analyses.\n- one\n- two"
    roles[2][2] = roles[1][2]
    roles[2][7] = "Master"
    faults = refused(tmp_path, roles)
    assert (
        "“Master” is not a skill level. Write one of: Awareness, Working"
        in faults["roles.csv line 5, column Skill Level"]
    )


def test_a_row_with_a_cell_too_few_is_named(tmp_path):
    roles = ddat_roles()
    del roles[2][4]
    assert "9 cells and the header has 10" in refused(tmp_path, roles)["roles.csv line 3"]


def test_a_missing_column_is_named(tmp_path):
    roles = [row[:7] + row[8:] for row in ddat_roles()]
    assert refused(tmp_path, roles) == {
        "roles.csv line 1": "The column “Skill Level” is missing. Add it, or export the table again."
    }


def test_a_skill_that_the_table_of_skills_does_not_have_is_named(tmp_path):
    roles = ddat_roles()
    roles[1][5] = "Juggling"
    assert "“Juggling” is not in skills.csv" in refused(tmp_path, roles)["roles.csv line 2, column Skill Name"]


def test_two_levels_for_one_role_level_and_skill_contradict_each_other(tmp_path):
    roles = ddat_roles()
    roles.append([*roles[1][:7], "Expert", *roles[1][8:]])
    message = refused(tmp_path, roles)["roles.csv line 5, column Skill Level"]
    assert message == "“Junior analyst” requires “Counting” at Awareness on line 2. Keep the row that is right."


def test_a_repeated_row_counts_once_and_is_told(tmp_path):
    roles = ddat_roles()
    content = read(tmp_path, [*roles, roles[1]])
    assert content.counts["requirements"] == 3
    assert "roles.csv line 2: The same role level and skill stand on line 5 as well" in "\n".join(
        map(str, content.deviations)
    )


def test_a_role_in_two_families_contradicts_itself(tmp_path):
    roles = ddat_roles()
    roles[2][0] = "Digits"
    assert "belongs to “Data” on line 2" in refused(tmp_path, roles)["roles.csv line 3, column Role Family"]


def test_a_skill_in_two_wordings_contradicts_itself(tmp_path):
    skills = ddat_skills()
    skills.append(["Counting", "Counts up.", *skills[1][2:]])
    assert "“Counting” stands on line 2" in refused(tmp_path, None, skills)["skills.csv line 3, column Skill Name"]
    skills[2] = skills[1]
    assert "The same row stands on line 2 as well" in "\n".join(map(str, read(tmp_path, None, skills).deviations))


def test_another_wording_of_the_same_role_is_told_and_the_first_one_kept(tmp_path):
    roles = ddat_roles()
    roles[2][2] = "Analyses more."
    content = read(tmp_path, roles)
    assert content.roles[0].summary == {"en": "Analyses."}
    assert "roles.csv line 2, column Role Description: Line 3 has another text" in "\n".join(
        map(str, content.deviations)
    )


def test_a_table_that_was_cut_off_between_rows_does_not_pass(tmp_path):
    faults = refused(tmp_path, ddat_roles()[:3])
    assert "“Chief data officer” is not in roles.csv" in faults["skills.csv line 2, column Roles that require Skill"]


def test_a_role_may_have_a_comma_in_its_name(tmp_path):
    roles = ddat_roles()
    for row in roles[1:3]:
        row[1] = "Analyst, senior and junior"
    skills = ddat_skills()
    skills[1][-1] = "Analyst, senior and junior, Chief data officer"
    assert len(read(tmp_path, roles, skills).roles) == 2


def test_one_table_alone_is_refused_with_what_to_do(tmp_path):
    folder = write_ddat(tmp_path / "ddat", ddat_roles(), ddat_skills())
    for name, missing in (("roles.csv", "table of skills"), ("skills.csv", "table of roles")):
        with pytest.raises(CannotImport, match=f"{missing} is missing. Put roles.csv and skills.csv"):
            importers.read(folder / name)


def test_an_unclosed_quotation_mark_is_named_where_its_row_begins(tmp_path):
    roles = as_csv(ddat_roles()) + b'Data,Analyst,"Analyses.\nand never\nends'
    assert "The row does not end" in refused(tmp_path, roles)["roles.csv line 5"]


def test_rows_without_content_are_passed_over(tmp_path):
    roles = as_csv(ddat_roles()) + b"\n,,,,,,,,,\n"
    assert read(tmp_path, roles).digest == read(tmp_path).digest
