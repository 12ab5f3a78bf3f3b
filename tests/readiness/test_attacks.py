"""Attacks on a survey by who sees everything she may see: subtraction, other doors, the database, backups, logs, order.

The names A1 to A13 are those of the promises' acceptance tests in docs/readiness.md.
"""

from __future__ import annotations

import base64
import json
import logging
from collections import Counter
from datetime import timedelta
from itertools import combinations, product
from pathlib import Path
from random import Random

import networkx as nx
import numpy as np
import pytest
from django.apps import apps
from django.conf import settings as django_settings
from django.core import mail, serializers
from django.core.cache import cache
from django.db import connection, models
from django.urls import reverse
from scipy.stats import kendalltau
from wagtail.snippets.models import get_snippet_models

from organisations.key_folder import KeyMissing
from organisations.models import Job, User
from readiness import keys
from readiness.ballot import Ballot, EnvelopeBroken, new_key, open_envelopes
from readiness.closing import close_wave
from readiness.counting import count
from readiness.enums import CommentState, CutAttribute, TeamRole
from readiness.models import (
    ClassBlock,
    Comment,
    CutTotals,
    Envelope,
    NodeBlock,
    Participation,
    Sheet,
    SheetClass,
)
from readiness.results import _margin, _score, _shares
from readiness.sealing import Node, plant, seal
from readiness.statistics.inference import Totals
from readiness.totals import totals_of
from readiness.tree import audience_of
from tests.builders import make_hr, make_person
from tests.readiness.surveys import (
    answer,
    in_team,
    make_closed,
    make_initiative,
    make_instrument,
    make_ministry,
    make_open,
)

SIZES = {"M": 3, "A": 12, "A1": 4, "A2": 11, "B": 9, "B1": 2, "C": 14, "C1": 6, "C2": 10}
DOORS = ("survey_results_of", "survey_results_data", "survey_results_sheet", "survey_results_paper")


def spread(person: int, item: str) -> int:
    return 1 + (person * 7 + sum(map(ord, item))) % 5


@pytest.fixture
def units(db):
    return make_ministry(SIZES)


# --- A1, A3: groups ---------------------------------------------------------------------------------------------------
def visible_groups(client, wave, units, reader) -> dict[str, int]:
    """By unit whose figures are shown, of how many sheets: what one reader finds by trying every address."""
    client.force_login(reader)
    found = {}
    for unit in units.values():
        response = client.get(reverse("survey_results_data", args=[wave.pk, unit.code]))
        if response.status_code == 200:
            result = json.loads(response.content)
            found[result["shown"]["code"]] = result["n"]
            for figure in result["figures"]:
                assert figure["n"] == 0 or figure["n"] >= wave.k
                assert all(item["shares"]["n"] == figure["n"] for item in figure["items"])
        else:
            assert response.status_code == 404
    return found


def test_a1_no_sum_or_difference_of_what_anybody_sees_is_about_fewer_than_k(client, units):
    audience = audience_of(units["M"], User.objects.first().date_joined.date())
    wave = make_closed(make_initiative(units["M"]), value=spread)
    sealed = seal(audience.tree, Counter(asked.node_code for asked in audience.people), wave.k)
    people = [sealed.class_of[asked.node_code] for asked in audience.people]
    officer = make_person()
    make_hr(officer, units["M"])
    everything = [officer, in_team(wave.initiative, TeamRole.LEAD), make_person(is_superuser=True)]
    staff = [User.objects.filter(appointments__post__unit=unit).first() for unit in units.values()]
    for reader in [*everything, *staff]:
        groups = visible_groups(client, wave, units, reader)
        rows = []
        for code, n in groups.items():
            row = np.array([audience.tree.is_at_or_below(node, code) for node in people], dtype=int)
            assert row.sum() == n
            rows.append(row)
        # Everybody of a class is in the same groups: whatever is computed of them treats a class alike.
        for node in set(people):
            columns = {tuple(row[at] for row in rows) for at, own in enumerate(people) if own == node}
            assert len(columns) == 1
        for size in (1, 2, 3):
            for chosen in combinations(rows, size):
                for signs in product((1, -1), repeat=size):
                    support = int(np.count_nonzero(sum(sign * row for sign, row in zip(signs, chosen, strict=True))))
                    assert support == 0 or support >= wave.k
    assert len(visible_groups(client, wave, units, officer)) >= 5


def test_a3_with_own_and_two_colluders_answers_taken_away_k_less_three_are_left(units):
    wave = make_closed(make_initiative(units["M"]))
    assert all(row.n - 3 >= wave.k - 3 for row in SheetClass.objects.all())
    assert sum(row.n for row in SheetClass.objects.all()) == sum(SIZES.values())


# --- A2: margins of an attribute --------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", range(12))
def test_a2_margins_of_an_attribute_leave_no_small_group(seed):
    chance = Random(seed)
    tree = plant([Node("M", None), *(Node(code, "M") for code in "ABCD")])
    cells: Counter[tuple[str, str]] = Counter()
    ballots = []
    for node in "ABCD":
        for _person in range(chance.randint(10, 25)):
            category = chance.choice(["x", "x", "y", "z"])
            cells[node, category] += 1
            ballots.append(Ballot(node, category, {"a": chance.randint(1, 5)}, {}))
    counted = count(ballots, tree, sheet_of("a"), 10, chance)
    shown = {category for category, _block in counted.cut_totals}
    if not shown:
        return
    graph = nx.Graph()
    for (node, category), n in cells.items():
        name = category if category in shown else "rest"
        known = graph.get_edge_data(f"r{node}", f"c{name}", {"weight": 0})["weight"]
        graph.add_edge(f"r{node}", f"c{name}", weight=known + n)
    for part in nx.connected_components(graph):
        assert len(part) < 2 or nx.stoer_wagner(graph.subgraph(part))[0] >= 10


def test_a2_the_page_shows_no_category_that_was_hidden(client, units):
    wave = make_closed(make_initiative(units["M"]), value=spread, cut_attribute=CutAttribute.LEADS)
    # Nobody leads anybody here: one category is the whole body, and is not shown beside it.
    assert not CutTotals.objects.filter(wave=wave).exists()
    client.force_login(in_team(wave.initiative, TeamRole.LEAD))
    assert b"Leads nobody" not in client.get(reverse("survey_results", args=[wave.pk])).content


# --- A4: what one person leaves out -----------------------------------------------------------------------------------
def test_a4_what_exactly_one_person_skips_is_in_no_difference(units):
    wave = make_closed(
        make_initiative(units["M"]),
        value=lambda person, item: 0 if (person, item) == (0, "why2") else spread(person, item),
    )
    for row in [*ClassBlock.objects.all(), *NodeBlock.objects.filter(node__wave=wave)]:
        assert {sum(item) for item in row.items} == {row.n}
    skipper = NodeBlock.objects.get(node__code=units["M"].code, block="why")
    assert skipper.n == sum(SIZES.values())


# --- A5: the database after the end -----------------------------------------------------------------------------------
KEPT = (SheetClass, Sheet, ClassBlock, NodeBlock, CutTotals, Comment)


def test_a5_nothing_that_is_kept_leads_to_a_person_or_tells_when(units):
    wave = make_closed(make_initiative(units["M"]), comments={"wish": "More time."})
    assert not Participation.objects.exists() and not Envelope.objects.exists()
    for model in KEPT:
        for field in model._meta.get_fields():
            assert not isinstance(field, (models.DateField, models.TimeField)), f"{model.__name__}.{field.name}"
            assert field.related_model is not User, f"{model.__name__}.{field.name}"
    for model in (Sheet, Comment):
        assert {row.pk.version for row in model.objects.all()} == {4}
    # Joins lead from a sheet to its class and its wave, and no further towards people.
    assert {f.related_model for f in Sheet._meta.get_fields() if f.is_relation} == {SheetClass}
    text = json.dumps(serializers.serialize("python", Sheet.objects.all()), default=str)
    assert not any(person.email in text for person in User.objects.all())
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT xmin::text) FROM readiness_sheet")
            assert cursor.fetchone() == (1,)
    assert wave.classes.exists()


def sheet_of(*codes: str) -> dict:
    items = [{"code": code, "text": {"en": code}, "pulse": False} for code in codes]
    return {"blocks": [{"code": "b", "kind": "readiness", "title": {}, "about": {}, "items": items}], "questions": []}


def test_a5_the_stored_order_says_nothing_of_the_order_of_arrival():
    tree, codes = plant([Node("M", None)]), ("a", "b", "c")
    low = 0
    for seed in range(200):
        # The arrival stands in the answers: three digits of base five.
        ballots = [
            Ballot("M", "", {"a": 1 + at // 25 % 5, "b": 1 + at // 5 % 5, "c": 1 + at % 5}, {}) for at in range(40)
        ]
        counted = count(ballots, tree, sheet_of(*codes), 10, Random(seed))
        order = [(a - 1) * 25 + (b - 1) * 5 + c - 1 for _node, (a, b, c) in counted.sheets]
        low += kendalltau(range(40), order).pvalue < 0.05
    assert 2 <= low <= 20


# --- A6: a backup -----------------------------------------------------------------------------------------------------
def test_a6_a_backup_of_the_open_survey_is_worthless_once_the_key_is_gone(units):
    wave = make_open(make_initiative(units["M"]))
    answer(wave, spread)
    private = keys.file_keys().read(wave.key_name)
    backup = [bytes(blob) for blob in Envelope.objects.values_list("blob", flat=True)]
    close_wave(wave=wave, at=wave.closes_at)
    with pytest.raises(KeyMissing):
        keys.file_keys().read(wave.key_name)
    with pytest.raises(EnvelopeBroken):
        open_envelopes(backup, new_key()[0])
    said = [private, private.hex().encode(), base64.b64encode(private)]
    for path in Path(django_settings.VAR_DIR).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(form in content for form in said), path
    for model in apps.get_models():
        if model._meta.app_label in ("readiness", "organisations", "wagtailcore", "sessions"):
            content = json.dumps(
                serializers.serialize("python", model._default_manager.all()[:5000]), default=repr
            ).encode()
            assert not any(form in content for form in said[1:]), model


# --- A7, A12: answering -----------------------------------------------------------------------------------------------
def test_a7_answering_leaves_no_word_of_it_anywhere(client, units, caplog, settings):
    wave = make_open(make_initiative(units["M"]))
    row = Participation.objects.select_related("person").first()
    mail.outbox.clear()
    client.force_login(row.person)
    settings.DEBUG = True
    caplog.set_level(logging.DEBUG)
    data = {f"a_{code}": "5" for code in ("why1", "why2", "why3", "support1", "support2", "commitment1", "commitment2")}
    with caplog.at_level(logging.DEBUG, logger="django.db.backends"):
        connection.force_debug_cursor = True
        try:
            response = client.post(
                reverse("survey", args=[wave.pk]), data | {"t_wish": "ZEBRA forty-seven", "do": "send"}
            )
        finally:
            connection.force_debug_cursor = False
    assert response.status_code == 302
    envelope = Envelope.objects.get()
    logged = [record.getMessage() for record in caplog.records]
    assert logged and not any("ZEBRA" in line or "a_why1" in line for line in logged)
    # Statements are logged, that she has answered too; none names the envelope: neighbouring lines would join the two.
    assert any(Participation._meta.db_table in line for line in logged)
    said = [str(vars(record)).replace("-", "") for record in caplog.records]
    assert not any(envelope.pk.hex in line or Envelope._meta.db_table in line for line in said)
    assert "ZEBRA" not in repr(getattr(cache, "_cache", {})) and not mail.outbox
    assert "ZEBRA" not in json.dumps(list(Job.objects.values()), default=str)
    assert "ZEBRA" not in json.dumps(dict(client.session.items()), default=str)
    assert b"ZEBRA" not in bytes(envelope.blob)


def test_a12_what_is_answered_changes_neither_status_nor_length(client, units):
    wave = make_open(make_initiative(units["M"]))
    seen = set()
    codes = ("why1", "why2", "why3", "support1", "support2", "commitment1", "commitment2")
    for row, (value, comment) in zip(
        Participation.objects.select_related("person")[:4],
        [("1", ""), ("5", ""), ("0", "x"), ("3", "y" * 1500)],
        strict=True,
    ):
        client.force_login(row.person)
        response = client.post(
            reverse("survey", args=[wave.pk]), {f"a_{c}": value for c in codes} | {"t_wish": comment, "do": "send"}
        )
        seen.add((response.status_code, response["Location"], len(response.content), tuple(sorted(response.headers))))
    assert len(seen) == 1
    assert {len(bytes(blob)) for blob in Envelope.objects.values_list("blob", flat=True)} == {8240}


# --- A8: other doors --------------------------------------------------------------------------------------------------
def test_a8_unknown_filters_and_changed_addresses_give_the_same_or_nothing(client, units):
    wave = make_closed(make_initiative(units["M"]), value=spread)
    reader = User.objects.filter(appointments__post__unit=units["A2"]).first()
    client.force_login(reader)
    url = reverse("survey_results_data", args=[wave.pk, units["A2"].code])
    plain = client.get(url).content
    for query in ("?node=1", "?k=1", "?category=leads", "?unit=x", "?format=csv", "?limit=1", "?group_by=person"):
        assert client.get(url + query).content == plain
    for door in DOORS:
        for code in ("nowhere", units["M"].code, units["B"].code, units["A2"].code + "x", "%2e%2e"):
            assert client.get(reverse(door, args=[wave.pk, code])).status_code == 404
        assert client.get(reverse(door, args=[wave.pk + 1000, units["A2"].code])).status_code == 404


# --- A9, A10: what a screen gives away --------------------------------------------------------------------------------
def screen(answers: np.ndarray, eligible: int) -> tuple:
    """All that is shown of a block, from completed answers."""
    totals = totals_of(answers)
    n = totals.means.n
    shares = [_shares(item, n) for item in totals.items] if n >= 10 else []
    whole = [sum(item[at] for item in totals.items) for at in range(3)]
    return _score(totals.means), _margin(totals.means, eligible), _shares(whole, n), tuple(shares)


@pytest.mark.parametrize("n", [5, 7, 10, 14, 20, 33, 50, 60])
@pytest.mark.parametrize("kind", ["mixed", "unanimous"])
def test_a9_for_every_answer_another_one_gives_the_same_screen(n, kind):
    chance = np.random.default_rng(n)
    answers = np.full((n, 3), 5.0) if kind == "unanimous" else chance.integers(1, 6, (n, 3)).astype(float)
    shown = screen(answers, n + 3)
    for person, item in product(range(n), range(3)):
        own = answers[person, item]
        assert any(screen(other, n + 3) == shown for other in alternatives(answers, person, item, own)), (person, item)


def alternatives(answers: np.ndarray, person: int, item: int, own: float):
    """Sheets exchanged with a colleague who said something else to the item; where nobody did, one changed answer."""
    for colleague in range(len(answers)):
        if answers[colleague, item] != own:
            other = answers.copy()
            other[[person, colleague]] = other[[colleague, person]]
            yield other
    for value in sorted((v for v in (1.0, 2.0, 3.0, 4.0, 5.0) if v != own), key=lambda v: abs(v - own)):
        other = answers.copy()
        other[person, item] = value
        yield other


def test_a10_who_left_between_two_surveys_can_hardly_be_worked_out():
    chance = np.random.default_rng(10)
    truth, guess = [], []
    for _study in range(3000):
        first = chance.normal(3.5, 0.8, 10)
        second = 3.5 + 0.9 * (first - 3.5) + chance.normal(0, 0.8 * np.sqrt(1 - 0.81), 10)
        one, two = (_shown_mean(values) for values in (first, second[1:]))
        truth.append(first[0])
        guess.append(10 * one - 9 * two)
    assert np.corrcoef(truth, guess)[0, 1] ** 2 <= 0.30


def _shown_mean(values: np.ndarray) -> float:
    score = _score(Totals.of(np.clip(values, 1, 5)))
    assert score is not None
    return 1 + score / 25


# --- A11: too early, too late, twice ----------------------------------------------------------------------------------
def test_a11_a_second_and_a_late_answer_by_the_form_are_not_taken(client, units):
    wave = make_open(make_initiative(units["M"]))
    row = Participation.objects.select_related("person").first()
    client.force_login(row.person)
    url = reverse("survey", args=[wave.pk])
    data = {f"a_{c}": "4" for c in ("why1", "why2", "why3", "support1", "support2", "commitment1", "commitment2")}
    data["do"] = "send"
    assert client.post(url, data).status_code == 302
    assert client.post(url, data).status_code in (302, 409)  # it says that she has answered
    assert Envelope.objects.count() == 1
    other = Participation.objects.filter(done=False).select_related("person").first()
    wave.closes_at = wave.opens_at + timedelta(seconds=1)
    wave.save()
    client.force_login(other.person)
    wave.opens_at -= timedelta(days=2)
    wave.closes_at -= timedelta(days=1)
    wave.save()
    assert client.post(url, data).status_code == 409
    assert Envelope.objects.count() == 1


# --- A13: comments ----------------------------------------------------------------------------------------------------
def test_a13_comments_are_shown_of_ten_writers_and_more_and_only_once_they_were_read(client, units):
    wave = make_closed(make_initiative(units["M"]), comments={"wish": "More time, please."})
    assert min(Counter(Comment.objects.values_list("node_code", flat=True)).values()) >= 10
    client.force_login(in_team(wave.initiative, TeamRole.LEAD))
    url = reverse("survey_results", args=[wave.pk])
    assert b"More time, please." not in client.get(url).content
    Comment.objects.update(state=CommentState.SHOWN)
    assert b"More time, please." in client.get(url).content
    Comment.objects.update(state=CommentState.WITHHELD)
    assert b"More time, please." not in client.get(url).content


def test_no_answer_ballot_or_participation_has_a_page_in_the_cms():
    assert not {Participation, Envelope, Sheet, Comment, SheetClass, ClassBlock, NodeBlock, CutTotals} & set(
        get_snippet_models()
    )


def test_no_question_of_a_survey_is_asked_by_an_instrument_that_can_be_changed(units):
    wave = make_open(make_initiative(units["M"]), make_instrument())
    assert wave.instrument.is_frozen
