"""Lists of people as officers have them: pasted from anywhere, or a file that somebody else made."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import pytest
import xlsxwriter
from django.core.files.uploadedfile import SimpleUploadedFile

from learning.lists import MAX_FILE_BYTES, ListRefused, count_of, lines_of, read_list


def a_file(raw: bytes | str, name: str = "staff.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, raw.encode() if isinstance(raw, str) else raw)


def a_workbook(*sheets: Sequence[Sequence[object]]) -> SimpleUploadedFile:
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True})
    for rows in sheets:
        sheet = book.add_worksheet()
        for number, cells in enumerate(rows):
            sheet.write_row(number, 0, cells)
    book.close()
    return a_file(packed.getvalue(), "staff.xlsx")


def read(file: SimpleUploadedFile) -> list[str]:
    return list(lines_of(read_list(file).text))


@pytest.mark.parametrize(
    ("pasted", "entries"),
    [
        ("a@x.example\nb@x.example", ["a@x.example", "b@x.example"]),
        ("a@x.example; b@x.example, c@x.example", ["a@x.example", "b@x.example", "c@x.example"]),
        ("Ana López <ana@x.example>", ["ana@x.example"]),
        ("Ana\tCISO\tana@x.example", ["ana@x.example"]),
        ("Ana\tCISO", ["Ana"]),
        ("a@x.example\r\n\r\nb@x.example\n\n \n", ["a@x.example", "", "b@x.example"]),
        (" \n,;\n", []),
        ("a@x.example\u2028b@x.example", ["a@x.example", "b@x.example"]),
    ],
)
def test_a_pasted_list_is_read_as_people_paste_and_a_blank_line_keeps_its_number(pasted, entries):
    assert list(lines_of(pasted)) == entries


@pytest.mark.parametrize("heading", ["E-mail", "EMAIL", "e-mail address", "Correo", "Correo electrónico", " Mail "])
def test_the_column_is_found_by_its_heading_in_both_languages(heading):
    raw = f"Manager;{heading};Name\nboss@x.example;ana@x.example;Ana\nboss@x.example;ben@x.example;Ben\n"
    assert read(a_file(raw)) == ["", "ana@x.example", "ben@x.example"]


def test_without_a_heading_the_column_with_most_addresses_is_taken():
    rows = [["Ana", "", "ana@x.example"], ["Ben", "ask boss@x.example", "ben@x.example"], ["Cleo", "c@x.example", "-"]]
    assert read(a_workbook(rows)) == ["ana@x.example", "ben@x.example", "-"]


def test_line_numbers_are_row_numbers_of_the_file_whatever_stands_in_them():
    raw = 'Name,E-mail\n\nAna,ana@x.example\n"Ben\nTwolines",\nCleo,"c@x.example, d@x.example"\n,\n'
    lines = read(a_file(raw))
    assert lines == ["", "", "ana@x.example", "Ben Twolines", "c@x.example d@x.example"]
    assert count_of(lines) == 3
    book = a_workbook([["Notes"], []], [["E-mail"], [""], ["ana@x.example"]])
    assert read(book) == ["", "", "ana@x.example"]


def test_the_list_survives_being_carried_as_a_text_through_the_forms():
    text = read_list(a_file('E-mail\n"x\u2028y\x0bz;q"\nana@x.example')).text
    assert lines_of(text.replace("\n", "\r\n")) == lines_of(text) == ("", "x y z q", "ana@x.example")


def test_a_bom_tabs_and_apostrophes_of_spreadsheets_do_not_matter():
    assert read(a_file("\ufeffE-mail\tName\nana@x.example\tAna")) == ["", "ana@x.example"]
    assert read(a_file("E-mail\n'=1+1\n")) == ["", "=1+1"]


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 25_000_000)
    return packed.getvalue()


def traversal() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../xl/workbook.xml", b"<x/>")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\xef\xbb\xbf \n", "The file is empty."),
        ("E-mail\nñ@x.example".encode("latin-1"), "not in UTF-8"),
        ("E-mail\na@x.example".encode("utf-16"), "not in UTF-8"),
        (b"E-mail\na@x\0.example", "not a CSV file or an Excel workbook"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not a CSV file or an Excel workbook"),
        (b'E-mail\n"a@x.example', "Line 2 does not end"),
        (b"Name\nAna\nBen", "No column of this file holds e-mail addresses."),
        (b"E-mail\n", "The column of addresses is empty."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "of another kind than .xlsx, or locked"),
        (b"PK\x03\x04" + b"x" * 60 + b"application/vnd.oasis.opendocument.spreadsheet", "of another kind than .xlsx"),
        (b"PK\x03\x04 xl/workbook.xml cut off", "cannot be read as an Excel workbook"),
        ("\n".join(f"p{n}@x.example" for n in range(10_001)), "The list has 10001 addresses; at most 10000"),
        ("\n" * 60_000 + "a@x.example", "lie too far apart"),
        (b"a@x.example," * (MAX_FILE_BYTES // 12 + 1), "larger than 5 MB"),
    ],
)
def test_what_is_no_list_is_refused_with_a_sentence(raw, sentence):
    with pytest.raises(ListRefused, match=sentence):
        read_list(a_file(raw))


@pytest.mark.parametrize("make", [bomb, traversal], ids=["a bomb", "a path that leads out"])
def test_a_hostile_workbook_is_refused_before_it_is_unpacked(make):
    with pytest.raises(ListRefused, match="cannot be read as an Excel workbook"):
        read_list(a_file(make(), "staff.xlsx"))


def test_a_workbook_of_ten_thousand_rows_is_read_whole():
    rows = [["E-mail"], *([f"p{n}@x.example"] for n in range(10_000))]
    lines = read(a_workbook(rows))
    assert (len(lines), lines[0], lines[10_000]) == (10_001, "", "p9999@x.example")
