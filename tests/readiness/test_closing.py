"""A survey from its opening to its end: what is kept of it, and what is gone."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from organisations.key_folder import KeyMissing
from readiness import keys
from readiness.ballot import ENVELOPE_BYTES, Ballot, EnvelopeBroken, new_key, seal_ballot
from readiness.casting import CastRefused, cast
from readiness.closing import BallotBoxBroken, close_wave
from readiness.enums import WaveEventKind, WaveState
from readiness.models import ClassBlock, Comment, Envelope, NodeBlock, Participation, Sheet, SheetClass
from readiness.questionnaire import item_codes
from readiness.waves import WaveRefused
from tests.readiness.surveys import (
    answer,
    make_closed,
    make_initiative,
    make_instrument,
    make_ministry,
    make_open,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def units():
    return make_ministry()


def test_a_closed_survey_keeps_sealed_classes_and_nothing_that_leads_to_a_person(units):
    wave = make_closed(make_initiative(units["M"]))
    assert wave.state == WaveState.CLOSED
    assert not Participation.objects.exists() and not Envelope.objects.exists()
    classes = {c.node_code: (c.n, c.eligible) for c in wave.classes.all()}
    # B has 9, below k: they go up to M with its own 3. A1's 4 are counted with A's 12.
    assert classes == {units["A"].code: (16, 16), units["A2"].code: (11, 11), units["M"].code: (12, 12)}
    assert Counter(Sheet.objects.values_list("sheet_class__node_code", flat=True)) == {
        units["A"].code: 16, units["A2"].code: 11, units["M"].code: 12,
    }  # fmt: skip
    assert not keys.file_keys().exists(wave.key_name)


def test_units_show_the_sum_of_their_classes_and_those_without_any_the_next_one_above(units):
    wave = make_closed(make_initiative(units["M"]))
    nodes = {node.code: node for node in wave.nodes.all()}
    assert nodes[units["M"].code].sheets == 39 and nodes[units["A"].code].sheets == 27
    assert nodes[units["A1"].code].sheets == 0 and nodes[units["A1"].code].shown_code == units["A"].code
    assert nodes[units["B"].code].shown_code == units["M"].code
    of_node = NodeBlock.objects.filter(node__wave=wave, node__code=units["A"].code, block="why").get()
    parts = ClassBlock.objects.filter(
        sheet_class__wave=wave, block="why", sheet_class__node_code__in=[units["A"].code, units["A2"].code]
    )
    assert of_node.n == sum(part.n for part in parts) == 27
    assert of_node.sum == pytest.approx(sum(part.sum for part in parts))


def test_fewer_than_k_answers_in_all_leave_nothing_behind():
    units = make_ministry({"M": 24})
    wave = make_open(make_initiative(units["M"]))
    people = [row.person for row in Participation.objects.select_related("person").order_by("pk")]
    answer(wave, but=people[9:])
    wave = close_wave(wave=wave, at=wave.closes_at)
    assert wave.state == WaveState.DESTROYED
    for model in (Envelope, Participation, SheetClass, Sheet, ClassBlock, NodeBlock, Comment):
        assert not model.objects.exists(), model
    assert [event.kind for event in wave.events.all()][-2:] == [WaveEventKind.KEY_DESTROYED, WaveEventKind.DESTROYED]


def test_a_survey_closes_once_and_not_before_its_time(units):
    wave = make_open(make_initiative(units["M"]))
    answer(wave)
    with pytest.raises(WaveRefused):
        close_wave(wave=wave, at=wave.closes_at - timedelta(seconds=1))
    assert Envelope.objects.count() == 39 and not SheetClass.objects.exists()
    first = close_wave(wave=wave, at=wave.closes_at)
    sheets = set(Sheet.objects.values_list("pk", flat=True))
    again = close_wave(wave=wave, at=wave.closes_at + timedelta(days=1))
    assert again.state == first.state == WaveState.CLOSED
    assert set(Sheet.objects.values_list("pk", flat=True)) == sheets
    assert [e.kind for e in wave.events.all()].count(WaveEventKind.CLOSED) == 1


def test_one_ballot_that_cannot_be_read_stops_the_count_and_changes_nothing(units):
    wave = make_open(make_initiative(units["M"]))
    answer(wave)
    spoilt = Envelope.objects.first()
    spoilt.blob = seal_ballot(Ballot(units["M"].code, "", {}, {}), new_key()[1])
    spoilt.save()
    with pytest.raises(EnvelopeBroken):
        close_wave(wave=wave, at=wave.closes_at)
    wave.refresh_from_db()
    assert wave.state == WaveState.OPEN and keys.file_keys().exists(wave.key_name)
    assert Envelope.objects.count() == 39 and not Sheet.objects.exists()


def test_a_ballot_that_is_missing_stops_the_count(units):
    wave = make_open(make_initiative(units["M"]))
    answer(wave)
    Envelope.objects.first().delete()
    with pytest.raises(BallotBoxBroken):
        close_wave(wave=wave, at=wave.closes_at)
    wave.refresh_from_db()
    assert wave.state == WaveState.OPEN


def test_without_its_key_nobody_reads_a_ballot(units):
    wave = make_open(make_initiative(units["M"]))
    answer(wave)
    keys.destroy_key(wave.key_name)
    with pytest.raises(KeyMissing):
        close_wave(wave=wave, at=wave.closes_at)
    assert Envelope.objects.count() == 39


def test_every_ballot_has_one_length_and_is_cast_once(units):
    wave = make_open(make_initiative(units["M"]))
    person = Participation.objects.first().person
    cast(person=person, wave=wave, answers={"why1": 5}, comments={"wish": "x" * 1500})
    with pytest.raises(CastRefused) as refused:
        cast(person=person, wave=wave, answers={"why1": 1}, comments={})
    assert refused.value.already
    other = Participation.objects.exclude(person=person).first().person
    cast(person=other, wave=wave, answers=dict.fromkeys(item_codes(wave.questionnaire), 3), comments={})
    assert {len(bytes(blob)) for blob in Envelope.objects.values_list("blob", flat=True)} == {ENVELOPE_BYTES}


def test_nobody_answers_late_or_uninvited(units):
    wave = make_open(make_initiative(units["M"]))
    person = Participation.objects.first().person
    with pytest.raises(CastRefused):
        cast(person=person, wave=wave, answers={"why1": 5}, comments={}, at=wave.closes_at)
    from tests.builders import make_person

    with pytest.raises(CastRefused):
        cast(person=make_person(), wave=wave, answers={"why1": 5}, comments={})
    with pytest.raises(CastRefused):
        cast(person=person, wave=wave, answers={"why1": 6}, comments={})
    assert not Envelope.objects.exists()


def test_comments_of_fewer_than_ten_writers_are_never_kept(units):
    few = {"wish": "More time, please."}
    wave = make_open(make_initiative(units["M"]))
    rows = list(Participation.objects.select_related("person").order_by("pk"))
    for n, row in enumerate(rows):
        cast(person=row.person, wave=wave, answers={"why1": 4}, comments=few if n < 9 else {})
    close_wave(wave=wave, at=wave.closes_at)
    assert not Comment.objects.exists()


def test_statements_of_the_pulse_are_kept_for_comparison_on_the_same_sheets(units):
    make_closed(
        make_initiative(units["M"]), make_instrument({"why": 3}), value=lambda n, item: 1 + (n + ord(item[-1])) % 5
    )
    root = {b.block: b for b in NodeBlock.objects.filter(node__code=units["M"].code)}
    assert root["why~pulse"].n == root["why"].n == 39
    assert len(root["why~pulse"].items) == 1 and root["why~pulse"].items[0] == root["why"].items[0]


def test_keys_never_lie_below_the_media(settings, tmp_path):
    from organisations.key_folder import KeyFolderRefused

    settings.MEDIA_ROOT = str(tmp_path)
    settings.SURVEY_KEY_DIR = str(tmp_path / "keys")
    with pytest.raises(KeyFolderRefused):
        keys.create_key("a" * 32)
