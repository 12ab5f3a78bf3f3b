"""Item banks: files are taken whole or not at all, editions follow each other, and what ships is fit for use."""

from __future__ import annotations

import copy
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from wagtail.models import ModelLogEntry

from competencies import banks
from competencies import diagnostic as theory
from competencies.banks import (
    DATA,
    Answered,
    BankRefused,
    answered_of,
    bank_to_estimate,
    calibration_of,
    figures_of,
    load_bank,
    objections_to_use,
    put_in_use,
    read_bank,
    retire_bank,
    retire_item,
    save_calibration,
    theory_of,
)
from competencies.diagnostic import Bank, Item
from competencies.enums import BankStatus
from competencies.importers import CannotImport
from competencies.importers.sources import Source
from competencies.models import BankFacet, Diagnostic, DiagnosticAnswer, DiagnosticItem, ItemBank, ItemOption
from competencies.simulation import people_on_a_page, simulate, take
from tests.builders import competency, make_framework, make_person

SHIPPED = sorted(DATA.glob("*.json"))
AT = datetime(2026, 3, 16, 9, tzinfo=UTC)


def a_file(*, count: int = 24, edition: str = "1", slug: str = "ours", code: str = "A"):
    """A small bank that is fit for use: two parts, four levels."""
    return {
        "format": "item-bank/1", "framework": slug, "competency": code, "edition": edition,
        "title": {"en": "Questions", "es": "Preguntas"}, "cuts": [-1.5, -0.5, 0.5, 1.5],
        "facets": [
            {"code": "one", "title": {"en": "One", "es": "Uno"}, "share": 0.5},
            {"code": "two", "title": {"en": "Two", "es": "Dos"}, "share": 0.5},
        ],
        "items": [
            {
                "key": f"a-{n}", "facet": ("one", "two")[n % 2], "level": 1 + 4 * n // count,
                "difficulty": round(-2.2 + 4.4 * n / (count - 1), 2),
                "text": {"en": f"Question {n}?", "es": f"¿Pregunta {n}?"},
                "options": [
                    {"text": {"en": f"Answer {o}", "es": f"Respuesta {o}"}, "correct": o == n % 4} for o in range(4)
                ],
                "explanation": {"en": "So it is.", "es": "Así es."},
            }
            for n in range(count)
        ],
    }  # fmt: skip


def source(content) -> Source:
    return Source("bank.json", json.dumps(content).encode())


def faults_of(content) -> list[str]:
    with pytest.raises(CannotImport) as refused:
        read_bank(source(content))
    return [str(fault) for fault in refused.value.faults]


@pytest.fixture
def ours(db):
    return make_framework("ours", codes="AB")


@pytest.fixture
def bank(ours) -> ItemBank:
    return load_bank(content=read_bank(source(a_file())), by=None, in_use=True).bank


# --- What ships --------------------------------------------------------------------------------------------------
def as_bank(path: Path) -> Bank:
    content = read_bank(Source(path.name, path.read_bytes()))
    return Bank(
        items=tuple(Item(n, item.facet, 1.0, item.difficulty, item.level) for n, item in enumerate(content.items)),
        facets={facet.code: facet.share for facet in content.facets},
        cuts=content.cuts,
    )


def test_four_banks_ship():
    assert [path.stem for path in SHIPPED] == ["pc1", "sr1", "sr2", "td3"]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_bank_is_whole(path):
    content = read_bank(Source(path.name, path.read_bytes()))
    assert len(content.items) == 40
    assert set(content.title) == {"en", "es"}
    assert Counter(item.level for item in content.items) == {1: 10, 2: 10, 3: 10, 4: 10}
    cells = {(item.facet, item.level) for item in content.items}
    assert cells == {(facet.code, level) for facet in content.facets for level in range(1, 5)}
    assert all(len(item.options) == 4 for item in content.items)
    # Who always chooses the longest answer, or always the same place, learns nothing by it.
    for language in ("en", "es"):
        longest = [max(item.options, key=lambda option: len(option.text[language])).correct for item in content.items]
        assert sum(longest) <= 10
    places = Counter(
        next(place for place, option in enumerate(item.options) if option.correct) for item in content.items
    )
    assert all(6 <= places[place] <= 14 for place in range(4))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_bank_reaches_what_a_bank_must_reach(path):
    report = simulate(as_bank(path), people=8000, seed=11)
    assert report.shortfalls() == ()
    assert report.most_exposed_pct < 90


def test_the_shipped_banks_are_loaded_once(db):
    call_command("load_starter_framework", stdout=StringIO())
    out = StringIO()
    call_command("load_item_banks", stdout=out)
    assert out.getvalue().count("40 questions loaded, in use.") == 4
    rows = [model.objects.count() for model in (ItemBank, BankFacet, DiagnosticItem, ItemOption)]
    assert rows[0] == 4
    assert rows[2:] == [160, 640]
    out = StringIO()
    call_command("load_item_banks", stdout=out)
    assert out.getvalue().count("Nothing was written.") == 4
    assert rows == [model.objects.count() for model in (ItemBank, BankFacet, DiagnosticItem, ItemOption)]
    assert all(objections_to_use(bank) == [] for bank in ItemBank.objects.all())


def test_a_ministry_with_other_competencies_starts_without_the_banks_it_has_no_use_for(db):
    make_framework("public-digital-talent", codes=("SR1", "OURS"))
    out = StringIO()
    call_command("load_item_banks", present=True, stdout=out)
    assert [bank.competency.code for bank in ItemBank.objects.all()] == ["SR1"]
    with pytest.raises(CommandError, match="PC1"):
        call_command("load_item_banks", stdout=out)


# --- Files -------------------------------------------------------------------------------------------------------
def broken(change) -> list[str]:
    content = a_file()
    change(content)
    return faults_of(content)


def two_right(content):
    for option in content["items"][3]["options"]:
        option["correct"] = True


def none_right(content):
    for option in content["items"][3]["options"]:
        option["correct"] = False


FAULTS = {
    "cuts": (lambda c: c.update(cuts=[-1.5, 0.5, 0.5, 1.5]), "$.cuts[2]: The cuts must increase"),
    "two right": (two_right, "$.items[3].options: 4 answers are marked as right"),
    "none right": (none_right, "$.items[3].options: No answer is marked as right"),
    "difficulty": (lambda c: c["items"][0].update(difficulty=4.5), "$.items[0].difficulty: 4.5 is out of range"),
    "not a number": (lambda c: c["items"][0].update(difficulty="hard"), "$.items[0].difficulty: Expected a number"),
    "shares": (lambda c: c["facets"][0].update(share=0.4), "$.facets: The shares add up to 0.9"),
    "facet": (lambda c: c["items"][5].update(facet="three"), "$.items[5].facet: There is no “three”"),
    "key": (lambda c: c["items"][5].update(key="a-0"), "$.items[5].key: The code “a-0” is there already"),
    "text": (
        lambda c: c["items"][5].update(text=c["items"][0]["text"]),
        "$.items[5].text: The same question stands at $.items[0].text already",
    ),
    "language": (lambda c: c["items"][5]["text"].pop("es"), "$.items[5].text: Not in every language: es"),
    "unknown language": (lambda c: c["items"][5]["text"].update(fr="?"), "$.items[5].text.fr: “fr” is not a language"),
    "empty": (lambda c: c["items"][5]["text"].update(es=" "), "$.items[5].text.es: The text is empty"),
    "level": (lambda c: c["items"][5].update(level=5), "$.items[5].level: 5 is out of range"),
    "yes": (lambda c: c["items"][5]["options"][0].update(correct="yes"), "correct: Expected true or false"),
    "one answer": (lambda c: c["items"][1].update(options=c["items"][1]["options"][1:2]), "has 2 to 8 answers"),
    "same answer": (
        lambda c: c["items"][1]["options"][0].update(text=c["items"][1]["options"][1]["text"]),
        "The same answer stands in this question already",
    ),
    "beyond": (lambda c: c.update(author="me"), "“author” is not known here"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "sentence"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_at_its_place(change, sentence):
    assert any(sentence in fault for fault in broken(change)), broken(change)


def test_every_fault_is_named_in_one_reading():
    def change(content):
        for broken_by, _sentence in (FAULTS[name] for name in ("cuts", "two right", "shares", "facet", "language")):
            broken_by(content)

    assert len(broken(change)) == 5


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b'{"format": "item-bank/2"}', b"{", b"\xff", b'{"items": 1}'])
def test_what_is_no_bank_is_refused(raw):
    with pytest.raises(CannotImport):
        read_bank(Source("x.json", raw))


def test_the_layout_of_a_file_is_not_its_content():
    content = a_file()
    turned = {key: content[key] for key in reversed(content)}
    assert read_bank(source(content)).digest == read_bank(source(turned)).digest


def test_a_competency_that_is_not_there_and_a_scale_that_is_too_short_are_refused(ours):
    for change, sentence in (
        ({"competency": "Z"}, "There is no competency “Z”"),
        ({"framework": "elsewhere"}, "in the published framework “elsewhere”"),
    ):
        with pytest.raises(CannotImport, match=sentence):
            load_bank(content=read_bank(source(a_file() | change)), by=None, in_use=True)
    with pytest.raises(CannotImport, match="9 cuts"):
        load_bank(content=read_bank(source(a_file() | {"cuts": list(range(-4, 5))})), by=None, in_use=True)
    assert not ItemBank.objects.exists()


def test_one_faulty_file_among_several_writes_nothing(ours, tmp_path):
    good, bad = tmp_path / "a.json", tmp_path / "b.json"
    good.write_text(json.dumps(a_file()))
    bad.write_text(json.dumps(a_file(code="Z")))
    with pytest.raises(CommandError, match=r"b\.json \$\.competency"):
        call_command("load_item_banks", good, bad)
    assert not ItemBank.objects.exists()


# --- Editions ----------------------------------------------------------------------------------------------------
def test_the_same_file_twice_is_one_bank(ours):
    content = read_bank(source(a_file()))
    first = load_bank(content=content, by=None, in_use=True)
    again = load_bank(content=content, by=None, in_use=True)
    assert (first.created, again.created, first.bank) == (True, False, again.bank)
    assert ModelLogEntry.objects.filter(action="competencies.load_item_bank").count() == 1


def test_other_content_is_another_edition(bank):
    changed = a_file()
    changed["items"][0]["text"]["en"] = "Reworded?"
    with pytest.raises(CannotImport, match="an edition of its own"):
        load_bank(content=read_bank(source(changed)), by=None, in_use=True)
    assert not DiagnosticItem.objects.filter(text__contains="Reworded").exists()
    loaded = load_bank(content=read_bank(source(changed | {"edition": "2"})), by=None, in_use=True)
    bank.refresh_from_db()
    assert (bank.status, loaded.bank.status) == (BankStatus.RETIRED, BankStatus.IN_USE)
    assert str(bank.items.get(key="a-0").text) == "Question 0?"


def test_a_question_that_keeps_its_words_keeps_what_was_estimated(bank):
    DiagnosticItem.objects.filter(bank=bank, key__in=["a-0", "a-1"]).update(
        discrimination=1.4, difficulty=-1.9, calibrated_at=AT
    )
    changed = copy.deepcopy(a_file(edition="2"))
    changed["items"][1]["options"][0]["text"]["en"] = "Another answer"
    after = load_bank(content=read_bank(source(changed)), by=None, in_use=False).bank
    kept, reworded = after.items.get(key="a-0"), after.items.get(key="a-1")
    assert (kept.discrimination, kept.difficulty, kept.calibrated_at) == (1.4, -1.9, AT)
    assert (reworded.discrimination, reworded.calibrated_at) == (1.0, None)


def test_a_bank_that_is_not_fit_is_not_put_in_use(ours):
    content = a_file(count=12)
    content["items"] = [item for item in content["items"] if item["facet"] == "one" and item["level"] < 4]
    with pytest.raises(BankRefused, match="at least 20"):
        load_bank(content=read_bank(source(content)), by=None, in_use=True)
    assert not ItemBank.objects.exists()
    draft = load_bank(content=read_bank(source(content)), by=None, in_use=False).bank
    said = " ".join(objections_to_use(draft))
    assert "No question asks about “Two”." in said
    assert "No question tells level 4." in said
    with pytest.raises(BankRefused):
        put_in_use(bank=draft, by=None)
    draft.refresh_from_db()
    assert draft.status == BankStatus.DRAFT


def test_putting_in_use_and_retiring_twice_is_once(bank):
    put_in_use(bank=bank, by=None)
    retire_bank(bank=bank, by=None)
    retire_bank(bank=bank, by=None)
    item = bank.items.first()
    retire_item(item=item, by=None)
    retire_item(item=item, by=None)
    logged = Counter(ModelLogEntry.objects.values_list("action", flat=True))
    for action in ("put_item_bank_in_use", "retire_item_bank", "retire_item"):
        assert logged[f"competencies.{action}"] == 1


def test_objections_ask_as_many_queries_for_many_questions_as_for_few(ours, count_queries):
    few = load_bank(content=read_bank(source(a_file(count=8))), by=None, in_use=False).bank
    many = load_bank(content=read_bank(source(a_file(count=60, code="B"))), by=None, in_use=False).bank
    few, many = (ItemBank.objects.select_related("competency").get(pk=one.pk) for one in (few, many))
    assert count_queries(lambda: objections_to_use(few)) == count_queries(lambda: objections_to_use(many))


# --- As the model sees it ----------------------------------------------------------------------------------------
def test_the_model_sees_the_bank_as_it_is(bank):
    DiagnosticItem.objects.filter(bank=bank, key="a-3").update(discrimination=1.7, calibrated_at=AT)
    DiagnosticItem.objects.filter(bank=bank, key="a-4").update(discrimination=1.7, is_retired=True)
    seen = theory_of(bank)
    assert seen.facets == {"one": 0.5, "two": 0.5}
    assert seen.cuts == (-1.5, -0.5, 0.5, 1.5)
    by_id = {item.id: item for item in seen.items}
    calibrated, plain = (by_id[bank.items.get(key=key).pk] for key in ("a-3", "a-4"))
    assert (calibrated.slope, calibrated.calibrated, calibrated.retired) == (1.7, True, False)
    assert (plain.slope, plain.calibrated, plain.retired) == (1.0, False, True)


def test_the_figures_follow_what_is_in_the_bank(bank):
    before = figures_of(bank)
    assert figures_of(bank) == before
    DiagnosticItem.objects.filter(bank=bank).update(calibrated_at=AT, discrimination=1.8)
    assert figures_of(bank).exact_pct > before.exact_pct
    DiagnosticItem.objects.filter(bank=bank).update(is_retired=True)
    assert figures_of(bank) is None


def test_the_figures_are_not_simulated_again_until_something_changes(bank, monkeypatch):
    before = figures_of(bank)
    asked = []

    def counted(*args, **kwargs):
        asked.append(kwargs["people"])
        return simulate(*args, **kwargs)

    monkeypatch.setattr(banks, "simulate", counted)
    assert figures_of(bank) == before
    assert asked == []
    DiagnosticItem.objects.filter(bank=bank, key="a-3").update(difficulty=0.7)
    figures_of(bank)
    figures_of(bank)
    assert len(asked) == 1
    # and the figures of other rules are not shown for those in force
    monkeypatch.setattr(theory, "RULES_OF_ASKING", ("other",))
    figures_of(bank)
    assert len(asked) == 2


@pytest.mark.parametrize(("questions", "people"), [(20, 2000), (40, 2000), (400, 500), (2000, 200)])
def test_a_page_simulates_fewer_people_where_there_are_more_questions(questions, people):
    assert people_on_a_page(even(questions)) == people


def answer_all(bank: ItemBank, people: int) -> Bank:
    """So many people answer every question as the model says."""
    seen = theory_of(bank)
    random = np.random.default_rng(3)
    ability = random.standard_normal(people)
    person = make_person()
    taken = Diagnostic.objects.bulk_create(
        Diagnostic(person=person, bank=bank, seed=n, started_at=AT, finished_at=AT) for n in range(people)
    )
    chance = 1 / (1 + np.exp(-(ability[:, None] - seen.b[None, :])))
    right = random.random(chance.shape) < chance
    DiagnosticAnswer.objects.bulk_create(
        DiagnosticAnswer(
            diagnostic=one, item_id=item.id, position=place, shown_at=AT, answered_at=AT, correct=bool(right[row, place])
        )
        for row, one in enumerate(taken)
        for place, item in enumerate(seen.items)
    )  # fmt: skip
    return seen


def test_calibrating_shows_first_and_writes_when_told(bank):
    seen = answer_all(bank, 220)
    DiagnosticAnswer.objects.filter(item__key="a-5", diagnostic__seed__gte=199).delete()
    assert answered_of(bank) == Answered(questions=24, waiting=23, estimated=0, most=220)
    assert bank_to_estimate() == bank
    out = StringIO()
    call_command("calibrate_diagnostic", str(bank.pk), stdout=out)
    assert "a-5                  answers   199  fewer than 200: stays" in out.getvalue()
    assert "Nothing was written. To write it: --save" in out.getvalue()
    assert not DiagnosticItem.objects.filter(calibrated_at__isnull=False).exists()
    call_command("calibrate_diagnostic", "a", "--save", stdout=StringIO())
    estimated = DiagnosticItem.objects.filter(bank=bank, calibrated_at__isnull=False)
    assert estimated.count() == 23
    assert bank_to_estimate() is None
    assert not estimated.filter(key="a-5").exists()
    off = [item.difficulty - seen.items[seen.index[item.pk]].b for item in estimated]
    assert np.sqrt(np.mean(np.square(off))) < 0.4
    assert ModelLogEntry.objects.filter(action="competencies.calibrate_item_bank").count() == 1
    assert answered_of(bank) == Answered(questions=24, waiting=0, estimated=23, most=220)
    # Now all but one are sharper, and a diagnostic of calibrated questions is a shorter one.
    assert theory_of(bank).calibrated.sum() == 23


def test_without_answers_nothing_is_calibrated(bank):
    items, found = calibration_of(bank)
    assert len(items) == 24
    assert save_calibration(bank=bank, items=items, found=found, by=None) == 0
    assert not ModelLogEntry.objects.filter(action="competencies.calibrate_item_bank").exists()


# --- Simulating --------------------------------------------------------------------------------------------------
def even(count: int = 40, a: float | None = None) -> Bank:
    return Bank(
        items=tuple(
            Item(n, "ab"[n % 2], a or 1.0, float(b), 1, calibrated=a is not None)
            for n, b in enumerate(np.linspace(-2.4, 2.4, count))
        ),
        facets={"a": 0.5, "b": 0.5},
        cuts=(-1.5, -0.5, 0.5, 1.5),
    )


def test_the_simulation_is_the_way_a_person_goes():
    bank = even()
    random = np.random.default_rng(8)
    rights = random.random((25, 40)) < 0.5
    seeds = random.integers(0, 2**63, 25, dtype=np.uint64)
    together = take(bank, rights, seeds)
    for row in range(25):
        answers: list[tuple[int, bool]] = []
        while theory.verdict(bank, answers) is None:
            chosen = theory.next_item(bank, answers, seed=int(seeds[row]))
            answers.append((chosen, bool(rights[row, bank.index[chosen]])))
        assert np.array_equal(theory.answers_as_rows(bank, [answers])[0], together[row])


def test_the_same_seed_gives_the_same_report_and_another_another():
    assert simulate(even(), people=300, seed=1) == simulate(even(), people=300, seed=1)
    assert simulate(even(), people=300, seed=1) != simulate(even(), people=300, seed=2)


def test_sharper_questions_tell_more_and_guessing_tells_less():
    plain = simulate(even(), people=3000)
    sharp = simulate(even(a=1.8), people=3000)
    guessed = simulate(even(), people=3000, guessing=0.25)
    assert sharp.exact_pct > plain.exact_pct + 3
    assert sharp.median_items < plain.median_items
    assert guessed.exact_pct < plain.exact_pct - 10
    assert guessed.told_more_pct > plain.told_more_pct + 10


def test_an_even_draw_has_as_many_of_each_level():
    report = simulate(even(), people=1000, even=True)
    assert [level.people for level in report.by_level] == [200] * 5


def test_the_design_rule_alone_would_not_do(monkeypatch):
    monkeypatch.setattr(theory, "LEVEL_STANDS_OUT", 0.0)
    assert "exact_pct" in simulate(even(), people=4000).shortfalls()


def test_leaving_out_questions_that_tell_little_spares_people_questions(monkeypatch):
    bank = as_bank(SHIPPED[0])
    without = simulate(bank, people=4000)
    monkeypatch.setattr(theory, "CHOICE_AT_LEAST", theory.CHOICE_OF)
    assert simulate(bank, people=4000).mean_items > without.mean_items + 0.15


def test_a_miss_is_a_miss_whatever_chance_explains():
    report = replace(simulate(even(), people=100, seed=5), exact_pct=64.9, within_one_pct=98.9, median_items=16.5)
    assert report.shortfalls() == ("exact_pct", "within_one_pct", "median_items")
    # Only the page, which asks few people, leaves room for chance.
    assert report.chance_points == pytest.approx(9.55, abs=0.01)
    assert report.shortfalls(give_or_take=report.chance_points) == ("median_items",)
    assert replace(report, exact_pct=65.0, within_one_pct=99.0, median_items=16.0).shortfalls() == ()


@pytest.mark.parametrize("args", [["zz"], ["--people", "-1"], ["--guessing", "1"]])
def test_simulating_what_is_not_there_is_refused(bank, args):
    with pytest.raises(CommandError):
        call_command("simulate_diagnostic", *args, stdout=StringIO())


def test_the_check_ends_with_an_error_for_a_bank_that_is_too_small(ours):
    content = a_file(count=20)
    for item in content["items"]:
        item["difficulty"] = 3.0
    load_bank(content=read_bank(source(content)), by=None, in_use=True)
    out = StringIO()
    call_command("simulate_diagnostic", "A", "--people", "300", "--json", stdout=out)
    assert json.loads(out.getvalue())["A/1"]["people"] == 300
    with pytest.raises(CommandError, match="exact_pct"):
        call_command("simulate_diagnostic", "a", "--people", "500", "--check", stdout=StringIO())


def test_the_difficulties_of_a_shipped_bank_are_spread():
    for path in SHIPPED:
        steps = [upper - lower for lower, upper in pairwise(sorted(as_bank(path).b))]
        assert max(steps) < 0.5


def test_banks_belong_to_competencies_in_force(bank, ours):
    assert bank.competency == competency(ours, "A")
