from __future__ import annotations

import json
import os
import shutil

import pytest

from competencies import importers
from competencies.exporters import tables
from competencies.exporters.examples import example
from competencies.importers import CannotImport, sources
from competencies.importers.content import slugs_for

from .builders import (
    as_workbook,
    as_zip,
    ddat_roles,
    ddat_skills,
    digcomp_document,
    digcomp_sheets,
    esco_tables,
    nice_document,
    onet_tables,
    platform_document,
    write_ddat,
    write_json,
    write_tables,
)


def refused(path, format=None):
    with pytest.raises(CannotImport) as caught:
        importers.read(path, format)
    return [str(fault) for fault in caught.value.faults]


def test_a_spreadsheet_is_recognised_by_its_sheets_and_headers_whatever_it_is_called(tmp_path):
    (tmp_path / "picture.png").write_bytes(tables.empty_template("es"))
    assert importers.read(tmp_path / "picture.png").slug == "nuestro-marco"
    folder = tmp_path / "folder"
    folder.mkdir()
    for number, raw in enumerate(tables.csv_files(example("en")).values()):
        (folder / f"{number}.dat").write_bytes(raw)
    assert importers.read(folder).slug == "our-framework"


def test_tables_of_other_things_are_not_taken_for_the_platforms_spreadsheet(tmp_path):
    (tmp_path / "people.csv").write_text("Name,Email,Role\nAna,a@example.org,Clerk\n")
    assert "No framework is recognised here" in refused(tmp_path)[-1]


def test_a_table_in_another_encoding_is_not_left_out_in_silence(tmp_path):
    for name, raw in tables.csv_files(example("es")).items():
        (tmp_path / name).write_bytes(raw)
    (tmp_path / "extra.csv").write_bytes("Área;Descripción\nGestión;x\n".encode("latin-1"))
    assert "extra.csv byte 1: The file is not in UTF-8" in refused(tmp_path)[0]


def test_a_file_is_recognised_by_its_content_whatever_it_is_called(tmp_path):
    assert importers.read(write_json(tmp_path / "roles.csv", nice_document())).slug == "nice"
    assert importers.read(write_json(tmp_path / "nice.txt", platform_document())).slug == "sample"
    folder = write_ddat(tmp_path / "x", ddat_roles(), ddat_skills())
    (folder / "roles.csv").rename(folder / "b")
    (folder / "skills.csv").rename(folder / "a.json")
    assert importers.read(folder).slug == "ddat"
    assert importers.read(write_json(tmp_path / "skills.csv", digcomp_document())).slug == "digcomp"
    (tmp_path / "digcomp.json").write_bytes(as_workbook(digcomp_sheets()))
    assert importers.read(tmp_path / "digcomp.json").slug == "digcomp"


@pytest.mark.parametrize(("tables", "slug"), [(esco_tables(), "esco"), (onet_tables(), "onet")], ids=["esco", "onet"])
def test_a_folder_of_tables_is_recognised_by_its_columns_whatever_they_are_called(tmp_path, tables, slug):
    folder = write_tables(tmp_path / "x", {f"{number}.txt": table for number, table in enumerate(tables.values())})
    assert importers.read(folder).slug == slug


@pytest.mark.parametrize(("name", "slug"), [("esco-1.2.0-subset", "esco"), ("onet-29.2-subset", "onet")])
def test_real_tables_are_recognised(shared_data, name, slug):
    assert importers.read(shared_data / name).slug == slug


def test_a_named_format_is_taken_at_its_word_or_refused(tmp_path):
    path = write_json(tmp_path / "framework.json", platform_document())
    assert importers.read(path, "platform").slug == "sample"
    assert refused(path, "nice")[0].endswith("NICE: the JSON export of the NIST reference tool (CPRT), one file.")
    known = ", ".join(importers.FORMATS)
    assert f"This format is not known. Choose one of: {known}." in refused(path, "word")[0]


def test_what_is_not_recognised_is_answered_with_what_is(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear sir or madam,\n")
    [sentence] = refused(tmp_path / "letter.txt")
    for words in (
        "No framework is recognised here",
        "NICE: ",
        "DDaT: ",
        "DigComp 3.0: ",
        "CASE: ",
        "digital-talent-framework/1",
    ):
        assert words in sentence


def test_other_real_files_are_refused_with_a_sentence(shared_data):
    assert "No framework is recognised here" in refused(shared_data / "quiz-gift")[-1]


def test_a_folder_of_case_packages_is_several_editions_and_each_of_them_is_recognised(shared_data):
    [sentence] = refused(shared_data / "case/packages")
    assert "webb-dok.json: These files are several editions of the same kind. Give the path of one file" in sentence
    assert importers.read(shared_data / "case/packages/webb-dok.json").slug.startswith("norm-webb")


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (as_workbook({"Budget": [["Name", "Amount"]]}), "No framework is recognised here"),
        (as_workbook(digcomp_sheets())[:2_000], "The workbook is damaged or cut off"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "This is a workbook of the old kind (.xls)"),
        (
            as_zip({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet"}, 0),
            "This is an OpenDocument spreadsheet",
        ),
    ],
)
def test_a_workbook_that_is_not_recognised_is_answered_with_what_is_wrong_with_it(tmp_path, raw, sentence):
    (tmp_path / "file.xlsx").write_bytes(raw)
    sentences = refused(tmp_path / "file.xlsx")
    assert sentence in sentences[0]
    assert "No framework is recognised here" in sentences[-1]


def test_a_folder_with_two_editions_is_refused(tmp_path):
    write_json(tmp_path / "a.json", nice_document())
    write_json(tmp_path / "b.json", nice_document())
    [sentence] = refused(tmp_path)
    assert sentence.startswith("a.json, b.json: These files are several editions of the same kind.")


def test_a_folder_with_two_frameworks_is_refused_unless_one_is_named(tmp_path):
    write_json(tmp_path / "a.json", nice_document())
    write_json(tmp_path / "b.json", platform_document())
    [sentence] = refused(tmp_path)
    assert "Several frameworks stand here (nice, platform)." in sentence
    assert importers.read(tmp_path, "platform").slug == "sample"


def test_files_beside_the_edition_are_left_unread_and_told(tmp_path):
    write_json(tmp_path / "a.json", platform_document())
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\0\xff")
    (tmp_path / ".hidden").write_text("x")
    assert [str(item) for item in importers.read(tmp_path).deviations] == [
        "picture.png: This file is not part of the format and was not read."
    ]


def test_paths_that_lead_nowhere_are_refused(tmp_path):
    assert "no file or folder at this path" in refused(tmp_path / "nothing")[0]
    assert "holds no file" in refused(tmp_path)[0]
    os.mkfifo(tmp_path / "pipe")
    assert "neither a file nor a folder" in refused(tmp_path / "pipe")[0]
    assert "cannot be read" in refused(tmp_path / ("x" * 300))[0]


def test_a_folder_of_too_many_or_too_large_files_is_refused(tmp_path, monkeypatch):
    write_json(tmp_path / "a.json", platform_document())
    write_json(tmp_path / "b.txt", "more")
    monkeypatch.setattr(sources, "MAX_FOLDER_BYTES", 100)
    assert "Put the files of the edition in a folder of their own" in refused(tmp_path)[0]
    monkeypatch.setattr(sources, "MAX_FOLDER_FILES", 1)
    assert "This folder holds 2 files" in refused(tmp_path)[0]


def test_a_file_of_more_than_fifty_megabytes_is_refused_without_reading_it(tmp_path):
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(200 * 1024**2)
    assert refused(path) == [
        "large.json: The file is larger than 50 MB. A framework is smaller: check the file, or divide it."
    ]


def test_a_small_file_that_would_grow_in_memory_is_refused(tmp_path):
    path = tmp_path / "bomb.json"
    path.write_bytes(b'{"format": "digital-talent-framework/1", "levels": [' + b"[]," * 2_000_000 + b"[]]}")
    assert "more than 1000000 values and lines" in refused(path)[0]


def test_a_file_that_one_wide_character_makes_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MAX_TEXT_BYTES", 20_000)
    document = platform_document()
    document["framework"]["description"] = {"en": "x" * 10_000}
    path = tmp_path / "framework.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    assert importers.read(path).slug == "sample"
    document["framework"]["description"]["en"] += "😀"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    assert "in memory. Divide it" in refused(path)[0]


def test_reading_stops_when_there_are_too_many_faults(tmp_path):
    document = platform_document()
    document["areas"] = [{}] * 20_000
    with pytest.raises(CannotImport) as caught:
        importers.read(write_json(tmp_path / "framework.json", document))
    assert (len(caught.value.faults), caught.value.count) == (1_000, 10_000)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b'{"format": "digital-talent-framework/1"', "line 1, character 40: The JSON ends too early"),
        (
            b'{"format": "digital-talent-framework/1",\n "levels": [}',
            "line 2, character 13: From here on this is not valid",
        ),
        (b'{"format": "digital-talent-framework/1", "n": ' + b"[" * 90_000, "nested too deeply"),
        (b'{"format": "digital-talent-framework/1", "n": ' + b"9" * 9_000 + b"}", "a number that is too long"),
        (b'{"format": "digital-talent-framework/1", "n": [1, NaN]}', "$.n[1]: NaN is not a number"),
        (b'{"format": "digital-talent-framework/1", "n": -Infinity}', "$.n: -Infinity is not a number"),
        (b'{"format": "digital-talent-framework/1", "n": [{"a": 1, "a": 1}]}', "$.n[0]: “a” stands here twice"),
        (b'{"format": "digital-talent-framework/1", "n": "\xf1"}', "byte 48: The file is not in UTF-8"),
        (b'\xef\xbb\xbf{"format": "digital-talent-framework/1", "n": "\xf1"}', "byte 51: The file is not in UTF-8"),
        (b'{"format": "digital-talent-framework/1", "n": "\0"}', "byte 48: The file contains a NUL byte"),
        (b'{"form', "line 1, character 2: The text that begins here does not end"),
        ('{"a": 1}'.encode("utf-16"), "byte 1: The file is in UTF-16"),
        (b" \n", "The file is empty"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(tmp_path, raw, sentence):
    (tmp_path / "file").write_bytes(raw)
    assert sentence in refused(tmp_path / "file")[0]


def test_messages_are_safe_to_show_in_a_terminal(tmp_path):
    document = platform_document()
    document["\x1b[2J" * 50] = 1
    [sentence] = refused(write_json(tmp_path / "\x1bframework.json", document))
    assert "\x1b" not in sentence
    assert len(sentence) < 200
    shutil.copy(tmp_path / "\x1bframework.json", tmp_path / "\x1bcopy.json")
    assert "\x1b" not in refused(tmp_path)[0]


def test_codes_made_from_names_are_unique_bounded_and_the_same_in_any_order():
    names = ["Data & AI", "Data, AI", "data ai", "数据", "x" * 300, "x" * 301, "?"]
    codes = slugs_for(names, 80)
    assert codes == slugs_for(reversed(names), 80)
    assert len(set(codes.values())) == len(names)
    assert all(0 < len(code) <= 80 for code in codes.values())
    assert sorted(codes[name] for name in names[:3]) == ["data-ai", "data-ai-2", "data-ai-3"]
