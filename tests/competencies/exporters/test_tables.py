"""What is written as a spreadsheet is read back as the same framework, and does no harm where it is opened."""

from __future__ import annotations

import csv
import io
import random
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest
from django.conf import settings
from hypothesis import HealthCheck, Phase, given, strategies
from hypothesis import settings as hypothesis_settings

from competencies import importers, spreadsheet
from competencies.exporters import tables
from competencies.exporters.examples import example
from competencies.importers import CannotImport, template
from competencies.importers.content import FrameworkContent, LevelContent
from competencies.importers.sources import Source
from tests.competencies.importers.builders import (
    ALWAYS_REFUSED,
    ANY_BYTES,
    NICE_FILE,
    csv_mutated,
    in_latin_1,
    in_utf_16,
)
from tests.competencies.importers.spreadsheets import spreadsheet_contents

LANGUAGES = pytest.mark.parametrize("language", spreadsheet.LANGUAGES)


def from_workbook(raw: bytes) -> FrameworkContent:
    return template.read([Source("framework.xlsx", raw)])


def from_csv(files: dict[str, bytes]) -> FrameworkContent:
    return template.read([Source(name, raw) for name, raw in files.items()])


def assert_same(read: FrameworkContent, content: FrameworkContent) -> None:
    assert read.digest == content.digest
    assert read.edition == content.edition


@pytest.fixture(scope="module")
def starter() -> FrameworkContent:
    return importers.read(Path(settings.BASE_DIR) / "competencies" / "data" / "starter-framework.json")


@pytest.fixture(scope="module")
def ddat(shared_data) -> FrameworkContent:
    return importers.read(shared_data / "ddat-2025-09")


@pytest.fixture(scope="module")
def nice(shared_data) -> FrameworkContent:
    return importers.read(shared_data / "nice-2.1.0" / NICE_FILE)


@pytest.mark.parametrize("name", ["starter", "ddat", "nice"])
@LANGUAGES
def test_real_frameworks_are_read_back_as_they_were(request, name, language):
    content = request.getfixturevalue(name)
    read = from_workbook(tables.workbook(content, language=language))
    assert_same(read, content)
    assert read.deviations == ()
    assert_same(from_csv(tables.csv_files(content, language=language)), content)


OTHER_REAL_ONES = [
    "esco-1.2.0-subset", "onet-29.2-subset", "digcomp-3.0",
    *(f"case/packages/{name}.json" for name in ("smarter-balanced-hs-math", "webb-dok", "opensalt-SmartLevelFramework",
      "opensalt-Utf8TestFramework", "opensalt-MarkdownFramework", "opensalt-SequenceNumberFramework")),
]  # fmt: skip


@pytest.mark.parametrize("name", OTHER_REAL_ONES)
def test_every_other_real_framework_too(shared_data, name):
    content = importers.read(shared_data / name)
    edition = content.edition or "1"
    for read in (from_workbook(tables.workbook(content, edition)), from_csv(tables.csv_files(content, edition))):
        assert (read.digest, read.edition) == (content.digest, edition)


@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(content=spreadsheet_contents(), language=strategies.sampled_from(spreadsheet.LANGUAGES))
def test_any_framework_is_read_back_as_it_was(content, language):
    assert_same(from_workbook(tables.workbook(content, language=language)), content)
    assert_same(from_csv(tables.csv_files(content, language=language)), content)


def test_the_edition_that_is_asked_for_is_written(ddat):
    assert ddat.edition is None
    assert from_workbook(tables.workbook(ddat, "2025-09")).edition == "2025-09"
    assert from_csv(tables.csv_files(ddat, "2025-09")).edition == "2025-09"


def test_equal_content_gives_equal_bytes(starter):
    assert tables.workbook(starter) == tables.workbook(starter)
    packed = tables.csv_zip(starter)
    assert packed == tables.csv_zip(starter)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == tables.csv_files(starter)


@LANGUAGES
def test_the_empty_template_is_imported_without_a_deviation(tmp_path, language):
    path = tmp_path / "template.xlsx"
    path.write_bytes(tables.empty_template(language))
    content = importers.read(path)
    assert_same(content, example(language))
    assert content.deviations == ()
    assert content.languages == (language,)


@LANGUAGES
def test_the_template_explains_itself_in_both_languages_the_readers_first(language):
    book = openpyxl.load_workbook(io.BytesIO(tables.empty_template(language)))
    assert book.sheetnames[0] == spreadsheet.READ_ME[spreadsheet.LANGUAGES.index(language)]
    texts = [cell.value for cell in book.worksheets[0]["A"] if cell.value]
    assert texts[0] == {"en": "How to fill in this workbook", "es": "Cómo llenar este libro"}[language]
    assert {"How to fill in this workbook", "Cómo llenar este libro"} <= set(texts)
    assert book.sheetnames[1:] == [
        sheet.names[spreadsheet.LANGUAGES.index(language)]
        for sheet in spreadsheet.SHEETS
        if sheet is not spreadsheet.LINKS
    ]


def test_people_find_headers_that_stay_and_lists_to_choose_from(starter):
    book = openpyxl.load_workbook(io.BytesIO(tables.workbook(starter)))
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes == "A2"
    lists = {
        (sheet.title, sheet.cell(1, next(iter(rule.sqref.ranges)).min_col).value): rule.formula1
        for sheet in book.worksheets
        for rule in sheet.data_validations.dataValidation
        if rule.type == "list"
    }
    assert lists["Requirements", "Level"].startswith("'Levels'!$B$2:$B$")
    assert lists["Requirements", "Competency"].startswith("'Competencies'!$B$2:")
    assert "Required,Optional" in lists["Requirements", "Necessity"]
    assert "Skill" in lists["Competencies", "Kind"]


def hostile(text: str) -> FrameworkContent:
    words = {"en": text}
    return FrameworkContent(
        slug="x", title=words, edition=text[:60], publisher=text[:200], levels=(LevelContent(rank=1, label=words),)
    )


FORMULAS = ["=1+1", "=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "'=1", "''+1", "＝1", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_becomes_a_formula_and_each_is_read_back(text):
    content = hostile(text)
    files = tables.csv_files(content)
    cells = [cell for raw in files.values() for row in csv.reader(io.StringIO(raw.decode("utf-8-sig"))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "＝"))]
    assert_same(from_csv(files), content)
    raw = tables.workbook(content)
    book = openpyxl.load_workbook(io.BytesIO(raw))
    assert {cell.data_type for sheet in book for row in sheet for cell in row} <= {"s", "n"}
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        assert not [
            name for name in archive.namelist() if b"<f>" in archive.read(name) or b"hyperlink" in archive.read(name)
        ]
    assert_same(from_workbook(raw), content)


LONG = ["word " * 19_000 + "end", "😀" * 50_000, "=" * 90_000, "a _x000D_ b", "x005F_", "_x005F_x0041_", "line\nline"]


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:9])
def test_texts_that_a_cell_cannot_hold_go_on_in_further_columns(text):
    content = FrameworkContent(
        slug="x",
        title={"en": "X"},
        edition="1",
        levels=(LevelContent(1, {"en": "L"}, {"en": text}),),
        extra={"a": text},
    )
    assert_same(from_workbook(tables.workbook(content)), content)
    assert_same(from_csv(tables.csv_files(content)), content)


def test_what_has_more_rows_than_a_sheet_is_not_exported(monkeypatch, starter):
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", 20)
    with pytest.raises(tables.CannotExport, match="The table “Competencies” has 29 rows"):
        tables.workbook(starter)


def test_ddat_is_written_and_read_in_less_than_five_seconds_each(ddat):
    start = time.perf_counter()
    raw = tables.workbook(ddat)
    written = time.perf_counter()
    from_workbook(raw)
    assert written - start < 5
    assert time.perf_counter() - written < 5


# --- Broken copies ----------------------------------------------------------------------------------------------------
def outcome(path):
    """The content, or None when the path is refused in a way that a person can act upon."""
    try:
        return importers.read(path)
    except CannotImport as error:
        assert error.count >= len(error.faults) > 0
        for fault in error.faults:
            assert fault.place
            assert len(fault.message) > 20
            assert fault.message.endswith((".", "?"))
            assert str(fault).isprintable()
        return None


@pytest.fixture(scope="module")
def ddat_book(ddat):
    return tables.workbook(ddat)


@pytest.fixture(scope="module")
def ddat_files(ddat):
    return tables.csv_files(ddat)


@pytest.mark.parametrize(
    "mutation",
    [mutation for mutation in ANY_BYTES if mutation not in (in_utf_16, in_latin_1)],
    ids=lambda mutation: mutation.__name__,
)
def test_a_broken_workbook_is_refused_or_whole(tmp_path, ddat_book, ddat, mutation):
    path = tmp_path / "ddat.xlsx"
    for seed in range(8):
        path.write_bytes(mutation(ddat_book, random.Random(seed)))
        content = outcome(path)
        assert content is None or content.digest == ddat.digest


@pytest.mark.parametrize("mutation", [*ANY_BYTES, csv_mutated], ids=lambda mutation: mutation.__name__)
def test_broken_csv_files_are_refused_or_read_and_never_something_else(tmp_path, ddat_files, mutation):
    names = ["requirements.csv", "competencies.csv", "roles.csv", "framework.csv"]
    for seed in range(12):
        chance = random.Random(seed)
        broken = names[seed % len(names)]
        for name, raw in ddat_files.items():
            (tmp_path / name).write_bytes(mutation(raw, chance) if name == broken else raw)
        content = outcome(tmp_path)
        assert content is None or mutation not in ALWAYS_REFUSED


def edited(raw: bytes, chance: random.Random) -> bytes:
    """A workbook in which a person has done something to one sheet."""
    book = openpyxl.load_workbook(io.BytesIO(raw))
    sheet = book[chance.choice(book.sheetnames[1:])]
    row, column = chance.randrange(1, sheet.max_row + 1), chance.randrange(1, sheet.max_column + 1)
    match chance.randrange(7):
        case 0:
            sheet.delete_cols(column)
        case 1:
            sheet.delete_rows(row, 3)
        case 2:
            sheet.cell(row, column).value = chance.choice(["", "Master", 7, 2.5, True, "=1/0", "\tx"])
        case 3:
            sheet.insert_rows(row, 2)
        case 4:
            sheet.insert_cols(column)
        case 5:
            sheet.title = chance.choice(["Levels (2)", "x", "Vínculos"])
        case _:
            sheet.delete_rows(1)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_that_was_edited_is_refused_or_read(tmp_path, starter):
    raw = tables.workbook(starter)
    path = tmp_path / "starter.xlsx"
    read = 0
    for seed in range(24):
        path.write_bytes(edited(raw, random.Random(seed)))
        read += outcome(path) is not None
    assert 0 < read < 24


def packed(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in parts.items():
            archive.writestr(name, raw)
    return out.getvalue()


def test_hostile_workbooks_are_stopped_at_the_door(tmp_path, ddat_book):
    with zipfile.ZipFile(io.BytesIO(ddat_book)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    entity = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]>'
    path = tmp_path / "hostile.xlsx"
    for name, raw in [
        ("xl/worksheets/sheet2.xml", entity + parts["xl/worksheets/sheet2.xml"].split(b"?>", 1)[1]),
        ("xl/worksheets/sheet2.xml", parts["xl/worksheets/sheet2.xml"][:-200]),
        ("xl/media/bomb.bin", b"\0" * 210 * 1024**2),
    ]:
        path.write_bytes(packed({**parts, name: raw}))
        assert outcome(path) is None
