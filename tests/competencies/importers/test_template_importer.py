"""The platform's spreadsheet as people fill it in: little of it, in two languages, with slips of the pen."""

from __future__ import annotations

import csv
import io

import pytest
import xlsxwriter

from competencies import importers
from competencies.exporters import tables
from competencies.importers import CannotImport
from competencies.importers.content import RequirementContent
from competencies.spreadsheet import disarmed, marked, pieces, unmarked


def book(tmp_path, sheets, name="framework.xlsx"):
    """A workbook of sheets by name; every sheet is a list of rows."""
    path = tmp_path / name
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as workbook:
        for title, rows in sheets.items():
            sheet = workbook.add_worksheet(title)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return path


def folder(tmp_path, files, separator=",", encoding="utf-8"):
    path = tmp_path / "tables"
    path.mkdir(exist_ok=True)
    for name, rows in files.items():
        text = io.StringIO()
        csv.writer(text, delimiter=separator).writerows(rows)
        (path / name).write_bytes(text.getvalue().encode(encoding))
    return path


def minimal():
    return {
        "Framework": [["Property", "Value"], ["Title", "Skills of the registry"]],
        "Competencies": [["Title"], ["Reading files"], ["Talking to people"]],
        "Roles": [["Title"], ["Registrar"], ["Head of registry"]],
        "Requirements": [
            ["Role", "Competency"],
            ["Registrar", "Reading files"],
            ["head of  REGISTRY", "talking to people"],
        ],
    }


def full():
    """What an officer may fill in: a scale, areas, grades."""
    return {
        "Framework": [["Property", "Value"], ["Title", "Skills"], ["Edition", "2026"], ["Languages", "en"]],
        "Levels": [["Level", "Name"], [1, "Basic"], [2, "Advanced"]],
        "Areas": [["Title"], ["Paper"], ["People"]],
        "Competencies": [
            ["Competency code", "Title", "Area", "Kind", "Level 1", "Level 2"],
            ["C1", "Reading files", "Paper", "Skill", "I find it.", "I understand it."],
            ["C2", "Talking", "People", "", "", ""],
        ],
        "Role families": [["Title"], ["Registry"]],
        "Roles": [
            ["Title", "Family", "Grade", "Key post"],
            ["Registrar", "Registry", "Junior", ""],
            ["Registrar", "", "Senior", ""],
            ["Head", "Registry", "", "CIO"],
        ],
        "Requirements": [
            ["Role", "Grade", "Competency", "Level", "Importance", "Necessity"],
            ["Registrar", "Junior", "C1", "Basic", "", ""],
            ["Registrar", "Senior", "Reading files", 2, 5, "Required"],
            ["Head", "", "Talking", "", 3, "optional"],
        ],
    }


def refused(path):
    with pytest.raises(CannotImport) as caught:
        importers.read(path)
    return [str(fault) for fault in caught.value.faults]


def told(content):
    return [str(deviation) for deviation in content.deviations]


def test_the_least_that_an_officer_fills_in_is_a_framework(tmp_path):
    content = importers.read(book(tmp_path, minimal()))
    assert (content.slug, content.title, content.edition) == (
        "skills-of-the-registry",
        {"en": "Skills of the registry"},
        None,
    )
    assert [competency.code for competency in content.competencies] == ["reading-files", "talking-to-people"]
    assert [role.code for role in content.roles] == ["registrar", "head-of-registry"]
    [profile] = content.roles[1].profiles
    assert (profile.code, profile.grade) == ("head-of-registry", {})
    assert profile.requirements == (RequirementContent(competency="talking-to-people", level=None),)
    assert told(content) == [
        "framework.xlsx sheet “Framework” row 1: "
        "No language is named: texts without a language in brackets are taken for “en”."
    ]


def test_levels_are_named_by_rank_or_label_and_things_by_title_or_code(tmp_path):
    content = importers.read(book(tmp_path, full()))
    junior, senior = content.roles[0].profiles
    assert (junior.code, senior.code) == ("registrar--junior", "registrar--senior")
    assert junior.requirements == (RequirementContent("C1", 1),)
    assert senior.requirements == (RequirementContent("C1", 2, importance=5),)
    assert content.roles[1].profiles[0].requirements == (RequirementContent("C2", None, necessity="optional"),)
    assert [role.family for role in content.roles] == ["registry", "registry"]
    assert content.roles[1].key_post == "CIO"
    assert content.competencies[0].kind == "skill"
    assert [(item.rank, item.text["en"]) for item in content.competencies[0].descriptors] == [
        (1, "I find it."),
        (2, "I understand it."),
    ]


def test_the_same_tables_are_read_from_a_folder_of_csv_files_whatever_they_are_called(tmp_path):
    sheets = full()
    sheets["Areas"][0] = ["Area"]
    sheets["Competencies"][0][1] = "Competency"
    sheets["Role families"][0] = ["Role family"]
    sheets["Roles"][0][0] = "Role"
    files = {f"{number}.txt": rows for number, rows in enumerate(sheets.values())}
    by_files = importers.read(folder(tmp_path, files))
    assert by_files.digest == importers.read(book(tmp_path, full())).digest
    assert told(by_files) == []


@pytest.mark.parametrize(("separator", "word"), [(";", "semicolons"), ("\t", "tabs")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_semicolons_and_tabs_are_understood_and_told(tmp_path, separator, word, encoding):
    files = {
        "a.csv": minimal()["Framework"],
        "b.csv": [["Competency", "Description"], ["Reading; with care", "x, y"]],
    }
    content = importers.read(folder(tmp_path, files, separator, encoding))
    assert content.competencies[0].title == {"en": "Reading; with care"}
    assert [line for line in told(content) if f"Read with {word} between the cells." in line] == [
        f"a.csv: Read with {word} between the cells.",
        f"b.csv: Read with {word} between the cells.",
    ]


def test_another_encoding_is_refused(tmp_path):
    files = {
        "a.csv": [["Propiedad", "Valor"], ["Titulo", "Marco"]],
        "b.csv": [["Competencia"], ["Gestión"]],
    }
    assert "b.csv byte 19: The file is not in UTF-8" in refused(folder(tmp_path, files, encoding="latin-1"))[0]


def test_spanish_headers_and_words_are_understood_and_make_spanish_texts(tmp_path):
    sheets = {
        "MARCO": [["Propiedad", "Valor"], ["título *", "Marco del registro"], ["Publicado por", "Registro"]],
        "niveles": [["Nivel", "Nombre"], [1, "Básico"]],
        "Competencias": [["TITULO", "Clase", "Nivel 1"], ["Leer", "Conocimiento", "Leo."]],
        "Roles": [["Título"], ["Jefatura"]],
        "Requisitos": [["Rol", "Competencia", "Nivel", "Necesidad"], ["jefatura", "leer", "basico", "Opcional"]],
        "Léame": [["Lo que sea"]],
    }
    content = importers.read(book(tmp_path, sheets))
    assert (content.languages, content.title) == (("es",), {"es": "Marco del registro"})
    assert content.competencies[0].kind == "knowledge"
    assert content.competencies[0].descriptors[0].text == {"es": "Leo."}
    assert content.roles[0].profiles[0].requirements == (RequirementContent("leer", 1, necessity="optional"),)


def test_further_languages_stand_in_brackets(tmp_path):
    sheets = minimal()
    sheets["Framework"] += [["Languages", "en, es"], ["Title [es]", "Habilidades"]]
    sheets["Competencies"] = [
        ["Title", "Title [es]"],
        ["Reading files", "Leer expedientes"],
        ["Talking to people", ""],
    ]
    sheets["Requirements"][1][1] = "leer EXPEDIENTES"
    content = importers.read(book(tmp_path, sheets))
    assert content.languages == ("en", "es")
    assert content.title == {"en": "Skills of the registry", "es": "Habilidades"}
    assert content.competencies[0].title == {"en": "Reading files", "es": "Leer expedientes"}
    assert content.roles[0].profiles[0].requirements[0].competency == "reading-files"
    assert told(content) == [
        "framework.xlsx sheet “Competencies” row 1, column B (Title [es]): "
        "Texts in “Title” that are not there in “es”: 1."
    ] + [line for line in told(content) if "sheet “Roles”" in line]


def changed(sheet, row, column, value):
    sheets = full()
    sheets[sheet][row][column] = value
    return sheets


@pytest.mark.parametrize(
    ("sheet", "row", "column", "value", "sentence"),
    [
        ("Requirements", 1, 0, "Registar", "row 2, column A (Role): There is no “Registar” to refer to."),
        ("Requirements", 1, 0, "Registar", "Did you mean “Registrar”?"),
        ("Requirements", 1, 1, "", "row 2, column B (Grade): “Registrar” has several profiles: Junior, Senior."),
        ("Requirements", 1, 1, "Chief", "row 2, column B (Grade): “Registrar” has no grade “Chief”."),
        ("Requirements", 1, 2, "Readng files", "row 2, column C (Competency): There is no “Readng files”"),
        ("Requirements", 1, 2, "", "row 2, column C (Competency): The cell is empty."),
        ("Requirements", 1, 3, "Advancd", "row 2, column D (Level): “Advancd” is not a level of the scale: 1, 2."),
        ("Requirements", 1, 3, 3, "row 2, column D (Level): “3” is not a level of the scale: 1, 2."),
        ("Requirements", 1, 4, 9, "row 2, column E (Importance): 9 is out of range. Write a number from 1 to 5."),
        ("Requirements", 1, 4, "much", "row 2, column E (Importance): “much” is not a whole number."),
        ("Requirements", 1, 5, "maybe", "row 2, column F (Necessity): “maybe” is not known here. Write one of: Req"),
        ("Requirements", 2, 1, "Junior", "row 3, column C (Competency): “C1” is required by the same profile in row 2"),
        ("Roles", 1, 1, "Registri", "row 2, column B (Family): There is no “Registri” to refer to."),
        ("Roles", 2, 1, "Another", "row 3, column B (Family): “registrar” has another text in row 2."),
        ("Roles", 2, 2, "Junior", "row 3: The profile “registrar--junior” stands in row 2 already."),
        ("Competencies", 2, 0, "C1", "row 3, column A (Competency code): “C1” stands in row 2 already."),
        ("Competencies", 1, 1, "", "row 2, column B (Title): The cell is empty. Fill it in."),
        ("Competencies", 1, 2, "Papr", "row 2, column C (Area): There is no “Papr” to refer to."),
        ("Competencies", 1, 3, "Skil", "row 2, column D (Kind): “Skil” is not known here."),
        ("Competencies", 0, 5, "Level 7", "row 1, column F (Level 7): Level 7 is not on the scale: 1, 2."),
        ("Competencies", 0, 5, "Level 1", "row 1, column F (Level 1): The column “Level 1” stands there twice."),
        ("Competencies", 0, 1, "Title [fr]", "row 1, column B (Title [fr]): “fr” is not among the languages"),
        ("Competencies", 0, 2, "Area [en]", "row 1, column C (Area [en]): This column has no languages."),
        ("Levels", 2, 0, 1, "row 3, column A (Level): Level 1 is there already."),
        ("Levels", 2, 0, 77, "row 3, column A (Level): 77 is out of range."),
        ("Levels", 2, 0, "", "row 3, column A (Level): The cell is empty."),
        ("Framework", 1, 1, "", "sheet “Framework” row 1: The framework has no title."),
        ("Framework", 3, 1, "english!", "row 4, column B (Value): “english!” is not a language code"),
        ("Framework", 2, 0, "", "row 3, column A (Property): This value has no property beside it."),
    ],
)
def test_each_fault_has_its_sheet_row_and_column(tmp_path, sheet, row, column, value, sentence):
    faults = refused(book(tmp_path, changed(sheet, row, column, value)))
    found = [fault for fault in faults if sentence in fault]
    assert found, faults
    assert found[0].startswith(f"framework.xlsx sheet “{sheet}”")


def test_a_name_of_several_things_must_be_said_by_code(tmp_path):
    sheets = full()
    sheets["Competencies"][2][1] = "READING FILES"
    sheets["Requirements"][1][2] = "reading files"
    sheets["Requirements"][3][2] = "C2"
    [fault] = refused(book(tmp_path, sheets))
    assert "row 2, column C (Competency): “reading files” is the name of several: C1, C2. Write the code" in fault


def test_a_fault_in_a_csv_file_has_its_line_and_column(tmp_path):
    files = {
        "a.csv": minimal()["Framework"],
        "b.csv": [["Competency"], ["Reading\nfiles"]],
        "c.csv": [["Role"], ["Registrar"]],
        "d.csv": [["Role", "Competency"], [], ["Registrar", "Writing"], ["Registrar"]],
    }
    assert refused(folder(tmp_path, files))[0].startswith("d.csv line 4: The row has 1 cells and the header has 2.")
    files["d.csv"].pop()
    assert refused(folder(tmp_path, files)) == [
        "d.csv line 3, column Competency: There is no “Writing” to refer to. Correct the name, or add what it names."
    ]


def test_blank_rows_are_passed_over_and_what_is_unknown_is_told_with_what_was_meant(tmp_path):
    sheets = minimal()
    sheets["Competencies"] = [
        ["Titel", "Title", "", "Descripton"],
        [],
        ["x", "Reading files", "loose", "y"],
        [],
        ["", "Talking to people"],
    ]
    sheets["Framework"] += [["Licnce", "CC0"]]
    sheets["Notes"] = [["Remember"]]
    content = importers.read(book(tmp_path, sheets))
    assert len(content.competencies) == 2
    lines = "\n".join(told(content))
    for words in (
        "sheet “Competencies” row 1, column A (Titel): The column “Titel” is not part of the format and not kept. Did you mean “Title”",
        "column D (Descripton): The column “Descripton” is not part of the format and not kept. Did you mean “Description”",
        "row 1, column C: This column has no name; what stands in its cells is not kept (1).",
        "The column “Licnce” is not part of the format and not kept. Did you mean “Licence”",
        "sheet “Notes”: This sheet is not part of the format and was not read.",
    ):
        assert words in lines


def test_the_same_table_twice_is_refused(tmp_path):
    sheets = minimal()
    sheets["Competencias"] = sheets["Competencies"]
    assert "sheet “Competencias” row 1: “Competencies” is the same table." in refused(book(tmp_path, sheets))[0]


def test_a_framework_that_stands_there_twice_is_refused(tmp_path):
    book(tmp_path, minimal(), "a.xlsx")
    book(tmp_path, minimal(), "b.xlsx")
    assert "a.xlsx, b.xlsx: The framework stands here more than once." in refused(tmp_path)[0]


def test_a_competency_may_stand_above_what_it_is_part_of_but_not_in_a_ring(tmp_path):
    sheets = minimal()
    sheets["Competencies"] = [["Title", "Part of"], ["Reading files", "Talking to people"], ["Talking to people", ""]]
    content = importers.read(book(tmp_path, sheets))
    assert [item.code for item in content.competencies] == ["talking-to-people", "reading-files"]
    assert "1 moved up" in "\n".join(told(content))
    sheets["Competencies"][2][1] = "Reading files"
    assert "column B (Part of): “reading-files” is part of itself in the end." in refused(book(tmp_path, sheets))[0]


def test_levels_without_numbers_are_numbered_in_their_order_and_told(tmp_path):
    sheets = full()
    sheets["Levels"] = [["Name"], ["Basic"], ["Advanced"]]
    content = importers.read(book(tmp_path, sheets))
    assert [(level.rank, level.label["en"]) for level in content.levels] == [(1, "Basic"), (2, "Advanced")]
    assert "numbered from 1 in the order" in "\n".join(told(content))


def test_a_descriptors_column_may_be_called_after_its_level(tmp_path):
    sheets = changed("Competencies", 0, 4, "basic")
    sheets["Competencies"][0][5] = "Level 2 - Advanced"
    assert importers.read(book(tmp_path, sheets)).digest == importers.read(book(tmp_path, full(), "b.xlsx")).digest


def test_codes_from_titles_give_way_to_codes_that_are_written(tmp_path):
    sheets = minimal()
    sheets["Competencies"] = [
        ["Code", "Title"],
        ["reading-files", "Something else"],
        ["", "Reading files"],
        ["", "Talking to people"],
    ]
    content = importers.read(book(tmp_path, sheets))
    assert [item.code for item in content.competencies] == ["reading-files", "reading-files-2", "talking-to-people"]


def test_a_name_beside_a_code_may_be_old_but_not_that_of_another(tmp_path):
    sheets = full()
    sheets["Requirements"] = [
        ["Role", "Grade", "Competency code", "Competency"],
        ["Registrar", "Junior", "C1", "What it was called once"],
    ]
    content = importers.read(book(tmp_path, sheets))
    assert content.roles[0].profiles[0].requirements[0].competency == "C1"
    assert "the codes count: 1." in "\n".join(told(content))
    sheets["Requirements"][1][3] = "Talking"
    assert "“Talking” is something else than the code “C1” beside it." in refused(book(tmp_path, sheets))[0]


def test_a_role_without_levels_in_the_framework_must_not_state_one(tmp_path):
    sheets = minimal()
    sheets["Requirements"] = [["Role", "Competency", "Level"], ["Registrar", "Reading files", 2]]
    assert "The framework has no levels. List them in the table “Levels”" in refused(book(tmp_path, sheets))[0]


def test_a_local_extension_may_refer_to_what_it_extends(tmp_path):
    sheets = full()
    sheets["Framework"] += [["Extends the framework", "national"]]
    assert "Write both, or neither." in refused(book(tmp_path, sheets))[0]
    sheets["Framework"] += [["Extends the edition", "7"]]
    sheets["Requirements"][3][2:4] = ["N12", 5]
    content = importers.read(book(tmp_path, sheets))
    assert content.extends == ("national", "7")
    assert content.roles[1].profiles[0].requirements[0] == RequirementContent("N12", 5, necessity="optional")
    assert "“N12” is not in this file" in "\n".join(told(content))


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("[1]", "This is not a JSON object in braces."),
        ("{", "The JSON ends too early"),
        ('{"a": 1, "a": 2}', "“a” stands here twice"),
        ('{"a": NaN}', "NaN is not a number"),
        ('{"a": 1e999}', "a number that is too large"),
        ('{"a": "\\u0000"}', "The JSON contains the unusable character U+0000."),
        ('{"a": ' + "[" * 30 + "]" * 30 + "}", "The JSON is nested too deeply."),
    ],
)
def test_technical_columns_hold_an_object_or_nothing(tmp_path, cell, sentence):
    sheets = full()
    sheets["Competencies"][0].append("Extra")
    sheets["Competencies"][1].append(cell)
    [fault] = refused(book(tmp_path, sheets))
    assert fault.startswith("framework.xlsx sheet “Competencies” row 2, column G (Extra): ")
    assert sentence in fault


def test_formulas_are_read_as_what_they_last_gave_or_told(tmp_path):
    path = tmp_path / "formulas.xlsx"
    with xlsxwriter.Workbook(path) as workbook:
        for title, rows in minimal().items():
            sheet = workbook.add_worksheet(title)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
            if title == "Competencies":
                sheet.write_formula(3, 0, '="Count"&"ing"', None, "Counting")
    assert [item.code for item in importers.read(path).competencies][-1] == "counting"


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "'=1", "''=1", "'tis", "''x", "'", "", "＝1", "'- x", "a=b"]
)
def test_a_formula_is_disarmed_and_read_back_as_it_was(text):
    for written in (disarmed(text), marked(text)):
        assert unmarked(written) == text
    assert disarmed(text)[:1] not in set("=+-@＝\t")


@pytest.mark.parametrize(
    "text",
    ["", "x" * 32_767, "x" * 40_000, "😀" * 20_000, "word " * 9_000 + "end", "_x000D_", "a_x005F_x000a_b", "x005F_"],
)
def test_a_long_text_is_divided_and_put_together_again(text):
    found = pieces(text)
    assert "".join(found) == text
    assert all(len(piece.encode("utf-16-le")) <= 2 * 32_767 for piece in found)
    assert all(piece == piece.strip() for piece in found)


def test_a_long_text_with_nowhere_to_divide_it_is_not_exported(tmp_path):
    assert pieces("a" + " " * 40_000 + "b") is None
    content = importers.read(book(tmp_path, minimal()))
    title = {"en": "a" + " " * 40_000 + "b"}
    with pytest.raises(tables.CannotExport, match="does not fit into the cells"):
        tables.tables(type(content)(**{**vars(content), "title": title}))


def test_tables_that_would_fill_the_memory_are_refused(tmp_path):
    files = {"a.csv": minimal()["Framework"], "b.csv": [["Competency"], *([f"c{n}"] for n in range(130_000))]}
    assert "b.csv: The tables have more than 120000 rows." in refused(folder(tmp_path, files))[0]
    files["b.csv"] = [
        [
            "Competency",
            *(f"Level 1 [{a}{b}]" for a in "abcdefghijklmnopqrst" for b in map(chr, range(97, 123))),
            *["x"] * 500,
        ]
    ]
    assert "b.csv line 1: The table has more than 1000 columns." in refused(folder(tmp_path, files))[0]


def test_a_long_chain_of_parts_is_read(tmp_path):
    rows = [
        ["Competency code", "Title", "Part of"],
        *([f"c{n}", f"t{n}", f"c{n + 1}"] for n in range(5_000)),
        ["c5000", "t", ""],
    ]
    content = importers.read(folder(tmp_path, {"a.csv": minimal()["Framework"], "b.csv": rows}))
    assert content.competencies[0].code == "c5000"
