"""What ships: the very words of its sources, ready and frozen, loaded once; a changed file is refused."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from readiness import loading
from readiness.content import content_of
from readiness.enums import InstrumentStatus
from readiness.instruments import review_language
from readiness.loading import DATA, INSTRUMENTS, SUGGESTIONS, FileRefused, load_instrument, load_shipped
from readiness.models import Block, Instrument, Item, Suggestion
from readiness.questionnaire import item_codes, questionnaire_of, sections_of
from readiness.waves import reviewed_languages

LANGUAGES = ("en", "es", "pt", "fr")


def shipped(name: str) -> dict[str, Any]:
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def changed(tmp_path: Path, name: str, **changes: Any) -> Path:
    path = tmp_path / name
    path.write_text(json.dumps(shipped(name) | changes), encoding="utf-8")
    return path


# --- The words of the sources ------------------------------------------------------------------------------------
@pytest.fixture
def rows(shared_data) -> list[dict[str, str]]:
    path = shared_data / "instruments" / "readiness_items.csv"
    if not path.exists():
        pytest.skip(f"the list of items is not here ({path})")
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def in_every_language(row: dict[str, str]) -> dict[str, str]:
    return {language: row[language] for language in LANGUAGES}


def test_our_statements_are_word_for_word_those_of_the_list_in_four_languages(rows):
    core, outcomes = shipped("readiness-core.json"), shipped("readiness-outcomes.json")
    asked = {}
    for block in (*core["blocks"], *outcomes["blocks"]):
        for item in block["items"]:
            asked[item["code"]] = (block["code"], item["pulse"], item["text"])
    assert asked == {
        row["code"]: (row["block"], row["pulse"] == "yes", in_every_language(row))
        for row in rows
        if row["block"] not in {"scale", "open"}
    }
    labels = [
        {"value": int(row["code"].removeprefix("scale")), "text": in_every_language(row)}
        for row in rows
        if row["block"] == "scale"
    ]
    assert core["scale"] == outcomes["scale"] == labels
    assert core["questions"] == [
        {"code": row["code"], "pulse": row["pulse"] == "yes", "text": in_every_language(row)}
        for row in rows
        if row["block"] == "open"
    ]


def test_oric_is_word_for_word_and_in_the_order_it_was_published(shared_data):
    path = shared_data / "survey-instruments" / "oric.json"
    if not path.exists():
        pytest.skip(f"the published list is not here ({path})")
    published, ours = json.loads(path.read_text(encoding="utf-8")), shipped("oric.json")
    items = {item["code"]: (block["code"], item["text"]["en"]) for block in ours["blocks"] for item in block["items"]}
    assert items == {item["code"]: (item["factor"], item["text"]) for item in published["items"]}
    assert {block["code"]: len(block["items"]) for block in ours["blocks"]} == published["factors"]
    assert ours["order"] == [item["code"] for item in sorted(published["items"], key=lambda item: item["position"])]
    assert [(s["value"], s["text"]["en"]) for s in ours["scale"]] == [
        (s["value"], s["label"]) for s in published["scale"]
    ]
    assert published["source"] in ours["attribution"]
    assert ours["licence"] == "CC BY 2.0"
    assert "creativecommons.org/licenses/by/2.0" in ours["attribution"]


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_every_shipped_file_says_where_it_comes_from_and_what_is_shown_in_all_its_languages(name):
    file = shipped(name)
    assert all(file[field] for field in ("source", "licence", "attribution", "version"))
    languages = set(file["title"])
    for block in file["blocks"]:
        assert set(block["title"]) == set(block["about"]) == languages
        assert set(block["lead_in"]) in (set(), languages)


# --- Loading -----------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_what_ships_is_ready_from_the_start_in_the_languages_that_are_reviewed():
    loaded = load_shipped()
    assert loaded.created == ["readiness-core 1", "readiness-outcomes 1", "oric 1", "course-evaluation 1"]
    assert {i.status for i in Instrument.objects.all()} == {InstrumentStatus.READY}
    assert {tuple(reviewed_languages(i)) for i in Instrument.objects.all()} == {("en",)}
    sizes = Counter(Item.objects.values_list("block__instrument__slug", flat=True))
    assert sizes == {"readiness-core": 24, "readiness-outcomes": 15, "oric": 12, "course-evaluation": 10}


@pytest.mark.django_db
def test_loading_twice_writes_nothing_the_second_time():
    call_command("load_instruments", verbosity=0)
    before = [list(model.objects.order_by("pk").values()) for model in (Instrument, Block, Item, Suggestion)]
    again = load_shipped()
    assert (again.created, len(again.left), again.suggestions) == ([], len(INSTRUMENTS), 0)
    assert [list(m.objects.order_by("pk").values()) for m in (Instrument, Block, Item, Suggestion)] == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        {"title": {"en": "Other"}},
        {"minutes": 9},
        {"attribution": "Nobody"},
        {"order": []},
        {"scale": list(reversed(shipped("oric.json")["scale"]))},
    ],
)
def test_a_changed_file_under_the_same_version_is_refused_with_a_sentence(tmp_path, change):
    load_instrument(path=DATA / "oric.json")
    with pytest.raises(FileRefused, match=r"oric\.json: version 1 of “oric” is there already with other content"):
        load_instrument(path=changed(tmp_path, "oric.json", **change))
    assert str(Instrument.objects.get(slug="oric").title).startswith("Organizational Readiness")


@pytest.mark.django_db
def test_a_reviewed_language_more_is_no_other_content(tmp_path):
    instrument, _created = load_instrument(path=DATA / "readiness-core.json")
    review_language(instrument=instrument, language="es", by=None, note="Three colleagues read it")
    assert load_instrument(path=DATA / "readiness-core.json") == (instrument, False)


@pytest.mark.django_db
def test_a_changed_file_in_its_next_version_is_loaded_beside_the_old_one(tmp_path):
    load_instrument(path=DATA / "oric.json")
    load_instrument(path=changed(tmp_path, "oric.json", version=2, minutes=4))
    assert list(Instrument.objects.order_by("version").values_list("version", "minutes")) == [(1, 3), (2, 4)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"licence": ""}, "The licence is missing."),
        ({"reviewed": []}, "No language has been reviewed yet."),
        ({"reviewed": [{"language": "es", "note": ""}]}, "Español: these texts are missing: title"),
        ({"blocks": []}, "There is no block of statements yet."),
        ({"blocks": [{"code": "x"}]}, "something is missing or of another kind"),
        ({"format": "other/1"}, "is not a questionnaire of format"),
        ({"slug": "no slug!"}, "Enter a valid “slug”"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_whole(tmp_path, change, sentence):
    with pytest.raises(FileRefused, match=sentence):
        load_instrument(path=changed(tmp_path, "oric.json", **change))
    assert not Instrument.objects.exists()


@pytest.mark.django_db
def test_the_command_says_what_is_wrong_and_leaves_nothing_half_done(tmp_path, monkeypatch):
    changed(tmp_path, "oric.json", licence="")
    for name in INSTRUMENTS[:2]:
        changed(tmp_path, name)
    monkeypatch.setattr(loading, "DATA", tmp_path)
    with pytest.raises(CommandError, match=r"oric.json: The licence is missing"):
        call_command("load_instruments")
    assert not Instrument.objects.exists()


def test_a_file_that_is_no_json_is_refused(tmp_path):
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    with pytest.raises(FileRefused, match=r"broken.json is not readable JSON"):
        loading.read(tmp_path / "broken.json")


@pytest.mark.django_db
def test_oric_is_put_to_people_mixed_and_counted_in_its_two_scales():
    instrument, _created = load_instrument(path=DATA / "oric.json")
    for kind in ("baseline", "pulse"):
        asked = questionnaire_of(content_of(instrument), kind, {"en": "It"}, {"en": "It"}, ["en"])
        shown = [item["code"] for section in sections_of(asked) for item in section["items"]]
        assert shown[:4] == ["CE1", "CC1", "CE2", "CC2"]
        assert item_codes(asked)[:5] == ["CC1", "CC2", "CC3", "CC4", "CC5"]
        assert len(shown) == 12


# --- Suggestions -------------------------------------------------------------------------------------------------
def test_every_block_that_ships_has_a_suggestion_in_both_languages_of_the_platform():
    suggestions = json.loads(SUGGESTIONS.read_text(encoding="utf-8"))["suggestions"]
    for suggestion in suggestions:
        assert set(suggestion["title"]) == set(suggestion["text"]) == {"en", "es"}
        assert all(suggestion["title"].values())
        # What a manager can begin with tomorrow is more than a heading.
        assert all(len(text) > 150 for text in suggestion["text"].values())
    blocks = {block["code"] for name in INSTRUMENTS for block in shipped(name)["blocks"]}
    assert {suggestion["block"] for suggestion in suggestions} == blocks


@pytest.mark.django_db
def test_what_an_editor_has_made_of_the_suggestions_stays():
    load_shipped()
    kept = Suggestion.objects.filter(block="why").first()
    Suggestion.objects.exclude(pk=kept.pk).delete()
    kept.title = {"en": "Our own way"}
    kept.save()
    load_shipped()
    assert [str(suggestion.title) for suggestion in Suggestion.objects.all()] == ["Our own way"]
