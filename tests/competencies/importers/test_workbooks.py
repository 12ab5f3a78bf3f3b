from __future__ import annotations

import io
import sys
import tracemalloc
from datetime import date, datetime, time

import pytest
from openpyxl import Workbook

from competencies.importers import CannotImport, workbooks
from competencies.importers.content import Faults
from competencies.importers.sources import Source

from .builders import DIGCOMP_WORKBOOK, as_workbook, as_zip, digcomp_sheets, parts_of

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
SHEET_PART = "xl/worksheets/sheet1.xml"
MEGABYTE = 1024**2


def read(raw, name="file.xlsx"):
    return workbooks.read_workbook(Source(name, raw))


def refused(raw):
    with pytest.raises(CannotImport) as caught:
        read(raw)
    [fault] = caught.value.faults
    assert fault.message.endswith(".")
    assert str(fault).isprintable()
    return str(fault)


def texts(raw, sheet="Sheet"):
    return read(raw).sheets[sheet].rows


def with_sheet(rows):
    """A workbook whose one sheet has this XML between its tags of data."""
    parts = parts_of(as_workbook({"Sheet": [["x"]]}))
    parts[SHEET_PART] = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'.encode()
    return as_zip(parts)


def test_cells_are_texts_as_people_see_them():
    row = [
        1.0,
        1,
        1.1,
        0.1 + 0.2,
        -2.50,
        True,
        date(2025, 11, 24),
        datetime(2025, 11, 24, 9, 30),
        time(9, 30),
        " a \r\n",
        1e20,
    ]
    assert list(texts(as_workbook({"Sheet": [row]}))[1].values()) == [
        "1",
        "1",
        "1.1",
        "0.3",
        "-2.5",
        "TRUE",
        "2025-11-24",
        "2025-11-24 09:30:00",
        "09:30:00",
        "a",
        "100000000000000000000",
    ]


def test_a_format_of_two_decimals_shows_1_1_as_1_10_and_rounds_nothing_away():
    book = Workbook()
    for row, (value, shape) in enumerate(
        [(1.1, "0.00"), (1, "0.0"), (4.6234, "0.0"), (0.45, "0%"), (1.1, "General")], 1
    ):
        cell = book.active.cell(row, 1, value)
        cell.number_format = shape
    raw = io.BytesIO()
    book.save(raw)
    shown = texts(raw.getvalue())
    assert [shown[row][1] for row in sorted(shown)] == ["1.10", "1.0", "4.6234", "45%", "1.1"]


def test_rows_and_columns_keep_their_numbers_where_others_are_empty():
    assert texts(as_workbook({"Sheet": [[], [None, "b"], [" "], ["a"]]})) == {2: {2: "b"}, 4: {1: "a"}}


def test_line_breaks_that_were_written_as_escapes_are_line_breaks():
    assert texts(with_sheet('<row><c t="inlineStr"><is><t>a_x000D_\nb</t></is></c></row>'))[1] == {1: "a\nb"}


def test_a_table_has_places_in_the_words_of_a_spreadsheet():
    sheet = read(as_workbook({"Skills": [[], ["Name", "Level", "More"], ["Counting", 2.0, "x"]]})).sheets["Skills"]
    faults = Faults()
    [row], extra = sheet.table(["Level", "Name"], faults)
    assert (row["Name"], row["Level"], extra, faults.count) == ("Counting", "2", ["More"], 0)
    assert row.place("Level") == "file.xlsx sheet “Skills” row 3, column B"
    assert row.place() == "file.xlsx sheet “Skills” row 3"


def test_a_table_names_columns_that_are_missing_or_doubled_and_cells_without_one():
    sheet = read(as_workbook({"S": [["Name", "Name"], ["a", "b"]], "T": [["Name"], ["a", "b"], ["\x7f"]]})).sheets
    with pytest.raises(CannotImport) as caught:
        sheet["S"].table(["Name", "Level"], Faults())
    assert [str(fault) for fault in caught.value.faults] == [
        "file.xlsx sheet “S” row 1: The column “Name” stands there twice. Keep one.",
        "file.xlsx sheet “S” row 1: The column “Level” is missing. Add it, or export the table again.",
    ]
    faults = Faults()
    assert sheet["T"].table(["Name"], faults) == ([], [])
    assert [fault.place for fault in faults.kept] == [
        "file.xlsx sheet “T” row 2, column B",
        "file.xlsx sheet “T” row 3, column A",
    ]


def test_names_of_sheets_are_found_without_reading_them(digcomp_folder):
    raw = (digcomp_folder / DIGCOMP_WORKBOOK).read_bytes()
    assert workbooks.sheet_names(Source("x", raw)) == tuple(digcomp_sheets())
    for broken in (b"", b"PK\x03\x04xl/workbook.xml", raw[:5000], b"{}", as_zip({"xl/workbook.xml": b"<a"})):
        assert workbooks.sheet_names(Source("x", broken)) == ()


def test_a_formula_is_what_it_last_gave_and_one_without_a_result_is_told():
    workbook = read(
        with_sheet(
            '<row r="3"><c r="A3"><f>1+1</f><v>2</v></c><c r="B3"><f>1+2</f></c>'
            '<c r="C3" t="str"><f>""</f><v></v></c><c r="D3" t="e"><v>#N/A</v></c></row>'
        )
    )
    assert workbook.sheets["Sheet"].rows == {3: {1: "2"}}
    told = [str(deviation) for deviation in workbook.deviations]
    assert len(told) == 2
    assert told[0].startswith("file.xlsx sheet “Sheet” row 3, column D: The cell holds the error #N/A")
    assert told[1].startswith("file.xlsx sheet “Sheet” row 3, column B: The formula has never been calculated")


def test_beyond_a_hundred_remarks_the_rest_is_counted():
    cells = "".join(f'<row r="{row}"><c r="A{row}" t="e"><v>#REF!</v></c></row>' for row in range(1, 1001))
    told = read(with_sheet(cells)).deviations
    assert len(told) == workbooks.MAX_REMARKS + 1
    assert told[-1].message.endswith("read as empty: 900.")


def test_formulas_without_a_result_are_all_counted():
    cells = "".join(f'<row r="{row}"><c r="A{row}"><f>B1</f></c></row>' for row in range(1, 1001))
    assert read(with_sheet(cells)).deviations[-1].message.endswith("read as empty: 900.")


def test_a_long_text_that_is_no_cell_does_not_matter():
    parts = parts_of(as_workbook({"Sheet": [["x"]]}))
    assert texts(as_zip({**parts, "customXml/item1.xml": f"<a>{'x' * 200_000}</a>".encode()})) == {1: {1: "x"}}


def test_a_cell_of_many_pieces_that_is_too_long_is_a_fault_with_its_place():
    runs = f"<r><t>{'x' * 60_000}</t></r>" * 2
    sheet = read(
        with_sheet(
            f'<row><c t="inlineStr"><is><t>Name</t></is></c></row><row><c t="inlineStr"><is>{runs}</is></c></row>'
        )
    )
    faults = Faults()
    assert sheet.sheets["Sheet"].table(["Name"], faults) == ([], [])
    [fault] = faults.kept
    assert str(fault).startswith("file.xlsx sheet “Sheet” row 2, column A: The text has 120000 characters")


def test_macros_pictures_and_zips_within_are_not_opened():
    parts = parts_of(as_workbook({"Sheet": [["x"]]}))
    more = {
        "xl/vbaProject.bin": b"\xd0\xcf<!DOCTYPE",
        "xl/media/image1.png": b"\x89PNG",
        "inner.zip": as_zip({"a": b"b"}),
    }
    assert texts(as_zip({**parts, **more})) == {1: {1: "x"}}


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a workbook of the old kind (.xls)"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            "locked with a password",
        ),
        (
            as_zip({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}, 0),
            "an OpenDocument spreadsheet (.ods)",
        ),
        (as_zip({"xl/workbook.bin": b"x"}), "a binary workbook (.xlsb)"),
        (as_zip({"word/document.xml": b"<a/>"}), "This zip has no “xl/workbook.xml”"),
        (b"Name,Level\n", "This is not a workbook"),
        (b"", "This is not a workbook"),
        (b"PK\x03\x04xl/workbook.xml", "damaged or cut off"),
        (as_zip({"../xl/a": b"x"}), "leads out of the workbook"),
        (as_zip({"/etc/passwd": b"x"}), "leads out of the workbook"),
        (as_zip({"C:\\a": b"x"}), "leads out of the workbook"),
        (as_zip({"xl/workbook.xml": b"x"}, 14), "packed in a way that workbooks do not know"),
        (as_zip({"xl/workbook.xml": b"<a><b></a>"}), "The part “xl/workbook.xml” is broken in line 1"),
        (as_zip({"xl/workbook.xml": b'<workbook xmlns="http://purl.oclc.org/ooxml/a"/>'}), "Strict Open XML"),
        (as_zip({"xl/workbook.xml": b"<a>" * 300 + b"</a>" * 300}), "is too large"),
        (as_zip({f"xl/{number}": b"" for number in range(2_001)}), "more than 2000 parts"),
    ],
)
def test_what_is_no_workbook_is_refused_with_what_it_is(raw, sentence):
    assert sentence in refused(raw)


def test_an_encrypted_part_is_refused():
    raw = bytearray(as_workbook({"Sheet": [["x"]]}))
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    assert "is encrypted" in refused(bytes(raw))


def test_a_part_that_stands_there_twice_is_refused():
    raw = as_zip({"xl/a": b"1", "xl/b": b"2"}).replace(b"xl/b", b"xl/a")
    assert "has the part “xl/a” twice" in refused(raw)


@pytest.mark.parametrize(
    "part", [SHEET_PART, "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml", "docProps/core.xml"]
)
def test_entities_are_refused_before_they_grow(part):
    lols = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{lols}]><sst xmlns="{MAIN}"><si><t>&l11;</t></si></sst>'
    )
    raw = as_zip({**parts_of(as_workbook({"Sheet": [["x"]]})), part: bomb.encode()})
    assert f"The part “{part}” declares a document type" in refused(raw)
    assert workbooks.sheet_names(Source("x", raw)) == (() if part == "xl/workbook.xml" else ("Sheet",))


@pytest.mark.parametrize(
    "part", ["[Content_Types].xml", "xl/_rels/workbook.xml.rels", "xl/workbook.xml", SHEET_PART, "xl/styles.xml"]
)
def test_a_workbook_without_one_of_its_parts_is_refused(part):
    parts = parts_of(as_workbook({"Sheet": [["x"]]}))
    del parts[part]
    assert "file.xlsx" in refused(as_zip(parts))


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            '<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>',
            "row 1, column A: The cell stands there twice",
        ),
        ('<row r="9999999999999"><c><v>1</v></c></row>', "A cell stands where no sheet has one"),
        ('<row r="1"><c r="ZZZ1"><v>1</v></c></row>', "A cell stands where no sheet has one"),
        ('<row r="1"><c r="A-1"><v>1</v></c></row>', "damaged"),
        ('<row r="1"><c r="A1" t="s"><v>99</v></c></row>', "damaged"),
        ('<row r="1"><c r="A1" s="99"><v>1</v></c></row>', "damaged"),
        (f'<row r="1"><c r="A1"><v>{"9" * 9_000}</v></c></row>', "damaged"),
        ('<row r="1"><c r="A1"><v>one</v></c></row>', "damaged"),
        (f'<row><c t="inlineStr"><is><t>{"x" * 100_001}</t></is></c></row>', "more than 100000 characters"),
        (f'<row><c r="{"A" * 5_000_000}"/></row>', "is too large"),
    ],
)
def test_cells_that_cannot_be_are_refused(rows, sentence):
    assert sentence in refused(with_sheet(rows))


@pytest.mark.parametrize("value", ["NaN", "1e999", "Infinity"])
def test_numbers_that_are_none_never_stop_the_reading(value):
    try:
        read(with_sheet(f"<row><c><v>{value}</v></c></row>"))
    except CannotImport as error:
        assert "damaged" in str(error)


def test_the_size_that_a_sheet_declares_is_not_believed():
    raw = with_sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    parts = parts_of(raw)
    parts[SHEET_PART] = parts[SHEET_PART].replace(b"<sheetData>", b'<dimension ref="A1:XFD1048576"/><sheetData>')
    assert texts(as_zip(parts)) == {1_048_576: {16_384: "1"}}
    parts[SHEET_PART] = parts[SHEET_PART].replace(b"A1:XFD1048576", b"A1")
    assert texts(as_zip(parts)) == {1_048_576: {16_384: "1"}}


def test_two_sheets_of_one_name_are_refused():
    parts = parts_of(as_workbook({"One": [["x"]], "Two": [["y"]]}))
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(b'"Two"', b'"One"')
    assert "The sheet “One” stands there twice" in refused(as_zip(parts))


def repeated(piece, times, before="", after=""):
    return (before + piece * times + after).encode()


BOMBS = {
    "a part of 300 MB": lambda: {"xl/media/a.bin": bytes(300 * MEGABYTE)},
    "a thousandfold": lambda: {"xl/media/a.bin": bytes(60 * MEGABYTE)},
    "cells": lambda: {SHEET_PART: repeated('<c t="s"><v>0</v></c>', 510_000, f'<worksheet xmlns="{MAIN}"><row>')},
    "elements": lambda: {"docProps/core.xml": repeated("<a/>", 2_100_000, "<b>", "</b>")},
    "attributes": lambda: {"docProps/core.xml": repeated('<a b="" c=""/>', 700_000, "<b>", "</b>")},
    "one attribute": lambda: {"docProps/core.xml": repeated("x" * 1000, 20_000, '<b c="', '"/>')},
    "one comment": lambda: {"docProps/core.xml": repeated("x" * 1000, 20_000, "<b><!--", "--></b>")},
    "one text": lambda: {"xl/sharedStrings.xml": repeated("x" * 1000, 20_000, f'<sst xmlns="{MAIN}"><si><t>')},
    "strings": lambda: {
        "xl/sharedStrings.xml": repeated('<si><t a=""/></si>', 700_000, f'<sst xmlns="{MAIN}">', "</sst>")
    },
    "wide characters": lambda: {
        "xl/sharedStrings.xml": repeated(f"<si><t>😀{'x' * 50_000}</t></si>", 3_000, f'<sst xmlns="{MAIN}">', "</sst>")
    },
    "one string in many cells": lambda: {
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}"><si><t xml:space="preserve"> {"x" * 90_000}</t></si></sst>'.encode(),
        SHEET_PART: repeated(
            '<row><c t="s"><v>0</v></c></row>',
            2_000,
            f'<worksheet xmlns="{MAIN}"><sheetData>',
            "</sheetData></worksheet>",
        ),
    },
    "nesting": lambda: {"xl/styles.xml": repeated("<a>", 1_000_000)},
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_within_bounded_memory(bomb, monkeypatch):
    if bomb != "a thousandfold":
        monkeypatch.setattr(workbooks, "MAX_RATIO", sys.maxsize)  # a bomb can be padded with noise to look harmless
    raw = as_zip({**parts_of(as_workbook({"Sheet": [["x"]]})), **BOMBS[bomb]()})
    tracemalloc.start()
    try:
        sentence = refused(raw)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert any(words in sentence for words in ("more than", "too large")), sentence
    assert peak < 300 * MEGABYTE
