"""Rules in editions: drafted, changed, measured, published - and what was measured is what happens."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone
from wagtail.models import ModelLogEntry

from competencies import rulemaking
from competencies.enums import EvidenceKind
from competencies.models import Rulebook, RulebookIsFrozen, RulebookStatus
from competencies.perms import STEWARDS
from competencies.rulebooks import SHIPPED, RulesRefused, numbers_of, write_book
from competencies.rulemaking import (
    RulesNotPossible,
    change_rules,
    discard_rules,
    draft_rules,
    publish_rules,
    rules_digest,
)
from competencies.rules_forms import field_name
from competencies.rules_impact import RULES_IMPACT_JOB, measure_rules_impact
from competencies.rules_wording import as_shown
from competencies.ruling import book_of
from competencies.selectors import standing_of, standings_of
from learning.enums import PlanReason
from learning.selectors import path_of
from learning.services import replan
from organisations.jobs import enqueue
from organisations.models import Job
from tests.builders import (
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
)
from tests.competencies.editions import altered, load, profile_of, small_content
from tests.competencies.editions import publish as publish_edition

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.fixture
def steward(client):
    person = make_person("Stella Steward")
    person.groups.add(Group.objects.get(name=STEWARDS))
    client.force_login(person)
    return person


def draft_with(steward, framework=None, note="Managers know their people.", **numbers):
    """A draft with some numbers changed; places are said with __ for the dot."""
    draft = draft_rules(framework=framework, by=steward)
    content = write_book(rulemaking.book_written(draft))
    for place, value in numbers.items():
        *groups, name = place.split("__")
        inner = content
        for group in groups:
            inner = inner[group]
        inner[name] = value
    return change_rules(rulebook=draft, content=content, note=note, by=steward)


def publish(draft, by):
    return publish_rules(rulebook=draft, by=by, seen=rules_digest(draft))


def measure(draft):
    return measure_rules_impact(draft, day=TODAY(), progress=lambda done, total: None)


@pytest.fixture
def house():
    """A role that needs A at 3 and B at 1. Ana has a manager's 3 in A; Bo a course without check in B; Cy nothing."""
    version = make_framework("house", codes="AB")
    unit = make_unit()
    people = {name: make_person(name) for name in ("Ana", "Bo", "Cy")}
    boss = make_person("Boss")
    post = make_post(unit, holder=boss)
    profile = make_profile(version, {"A": 3, "B": 1})
    for person in people.values():
        make_post(unit, holder=person, reports_to=post, roles=[profile])
    make_course(version, {"A": 3}, key="a-three")
    make_course(version, {"B": 1}, key="b-one")
    give_evidence(people["Ana"], competency(version, "A"), 3, EvidenceKind.MANAGER, by=boss)
    give_evidence(people["Bo"], competency(version, "B"), 1, EvidenceKind.COURSE, assessed=False)
    for person in people.values():
        replan(person=person, reason=PlanReason.ROLE)
    return {"version": version, "unit": unit, "boss": boss, **people}


# --- Services ----------------------------------------------------------------------------------------------------
def test_a_draft_is_a_copy_of_what_is_in_force_and_there_is_one_at_a_time(steward):
    draft = draft_rules(framework=None, by=steward)
    assert (draft.number, draft.content, draft.status) == (2, write_book(SHIPPED), RulebookStatus.DRAFT)
    assert draft_rules(framework=None, by=steward) == draft
    assert Rulebook.objects.count() == 1


def test_publishing_supersedes_and_counts_at_once_for_frameworks_without_rules_of_their_own(steward):
    own, other = make_framework().framework, make_framework().framework
    general = publish(draft_with(steward, rules__manager__cap=3), steward)
    special = publish(draft_with(steward, own, rules__manager__cap=4), steward)
    assert special.number == 2
    assert rulemaking.book_written(special).rules.rules[3].cap == 4
    assert [book_of(pk).rules.rules[3].cap for pk in (own.pk, other.pk)] == [4, 3]
    third = publish(draft_with(steward, rules__manager__cap=1), steward)
    general.refresh_from_db()
    assert (third.number, general.status, third.published_by) == (3, RulebookStatus.SUPERSEDED, steward)
    assert general.superseded_at is not None
    assert [book_of(pk).rules.rules[3].cap for pk in (own.pk, other.pk)] == [4, 1]
    assert [e.number for e in rulemaking.editions(None)] == [3, 2, 1]
    assert [(c.place, c.before, c.after) for c in rulemaking.editions(None)[0].changes] == [("rules.manager.cap", 3, 1)]


def test_publishing_twice_leaves_the_same_and_published_rules_never_change(steward):
    draft = draft_with(steward, rules__manager__cap=3)
    seen = rules_digest(draft)
    first = publish_rules(rulebook=draft, by=steward, seen=seen)
    again = publish_rules(rulebook=draft, by=steward, seen=seen)
    assert again.published_at == first.published_at
    with pytest.raises(RulesNotPossible):
        change_rules(rulebook=draft, content={}, note="x", by=steward)
    with pytest.raises(RulesNotPossible):
        discard_rules(rulebook=draft, by=steward)
    first.content = {}
    with pytest.raises(RulebookIsFrozen):
        first.save()


def test_what_is_published_is_what_was_read_or_nothing(steward):
    draft = draft_with(steward, rules__manager__cap=3)
    seen = rules_digest(draft)
    draft_with(steward, rules__manager__cap=4)
    with pytest.raises(RulesNotPossible, match="since you read"):
        publish_rules(rulebook=draft, by=steward, seen=seen)
    # What it replaces is another one by now, too.
    seen = rules_digest(draft_rules(framework=None, by=steward))
    publish(draft_with(steward, make_framework().framework, rules__manager__cap=1), steward)
    with pytest.raises(RulesNotPossible, match="since you read"):
        publish_rules(rulebook=draft, by=steward, seen=seen)
    assert Rulebook.objects.filter(framework=None, status=RulebookStatus.PUBLISHED).count() == 0


def test_a_draft_that_changes_nothing_or_says_no_reason_is_not_published(steward):
    same = draft_with(steward)
    with pytest.raises(RulesNotPossible, match="says the same"):
        publish(same, steward)
    silent = draft_with(steward, rules__manager__cap=3, note=" ")
    with pytest.raises(RulesNotPossible, match="why"):
        publish(silent, steward)


def test_numbers_that_cannot_be_rules_are_refused_and_nothing_is_written(steward):
    draft = draft_with(steward, rules__manager__cap=3)
    before = draft.content
    with pytest.raises(RulesRefused):
        draft_with(steward, rules__manager__months=0)
    draft.refresh_from_db()
    assert draft.content == before


def test_discarding_throws_the_draft_away_once_and_is_logged(steward):
    draft = draft_with(steward, rules__manager__cap=3)
    discard_rules(rulebook=draft, by=steward)
    discard_rules(rulebook=draft, by=steward)
    assert not Rulebook.objects.exists()
    assert draft_rules(framework=None, by=steward).content == write_book(SHIPPED)
    actions = list(ModelLogEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == [f"competencies.{verb}_rules" for verb in ("draft", "change", "discard", "draft")]


def test_saving_the_same_numbers_again_writes_nothing(steward):
    draft_with(steward, rules__manager__cap=3)
    logged = ModelLogEntry.objects.count()
    draft_with(steward, rules__manager__cap=3)
    assert ModelLogEntry.objects.count() == logged


# --- Whose level moves -------------------------------------------------------------------------------------------
def test_the_report_says_who_goes_up_and_down_and_what_becomes_of_requirements(house, steward):
    draft = draft_with(steward, rules__manager__cap=3, rules__completed__cap=0)
    report = measure(draft)
    a, b = (competency(house["version"], code).pk for code in "AB")
    assert (report["people"], report["moved"], report["up"], report["down"]) == (2, 2, 1, 1)
    assert (report["met"], report["unmet"]) == (1, 1)
    assert report["steps"] == [[a, 2, 3, 1], [b, 1, 0, 1]]
    assert report["rows"] == [[house["Bo"].pk, [[b, 1, 0, -1]]], [house["Ana"].pk, [[a, 2, 3, 1]]]]


def test_what_was_measured_is_what_happens(house, steward):
    draft = draft_with(steward, rules__manager__cap=3, rules__completed__cap=0)
    people = {house[name].pk: house[name] for name in ("Ana", "Bo", "Cy")}
    before = standings_of(list(people), as_of=TODAY())
    report = measure(draft)
    assert standings_of(list(people), as_of=TODAY()) == before  # measuring writes nothing
    publish_rules(rulebook=draft, by=steward, seen=report["state"])
    after = standings_of(list(people), as_of=TODAY())
    moved = {
        (pk, c): (before[pk].held[c], after[pk].held[c])
        for pk in people
        for c in after[pk].held
        if before[pk].held[c] != after[pk].held[c]
    }
    assert moved == {(pk, c): (old, new) for pk, moves in report["rows"] for c, old, new, _met in moves}
    met = sum(after[pk].met - before[pk].met for pk in people)
    assert met == report["met"] - report["unmet"] == 0
    assert (after[house["Ana"].pk].met, after[house["Bo"].pk].met) == (1, 0)


def test_publishing_brings_everybodys_path_up_to_date(house, steward):
    assert "b-one" not in {step.course.key for step in path_of(house["Bo"]).steps}
    publish(draft_with(steward, rules__manager__cap=3, rules__completed__cap=0), steward)
    plan = path_of(house["Bo"]).plan
    assert (plan.reason, "b-one" in {step.course.key for step in path_of(house["Bo"]).steps}) == (
        PlanReason.RULES,
        True,
    )
    assert "a-three" not in {step.course.key for step in path_of(house["Ana"]).steps}


def test_rules_of_one_framework_move_nobody_in_another(house, steward):
    other = make_framework(codes="Z")
    give_evidence(house["Ana"], competency(other, "Z"), 3, EvidenceKind.MANAGER, by=house["boss"])
    report = measure(draft_with(steward, other.framework, rules__manager__cap=3))
    assert [row[0] for row in report["rows"]] == [house["Ana"].pk]
    assert [step[0] for step in report["steps"]] == [competency(other, "Z").pk]
    general = measure(draft_with(steward, rules__manager__cap=3))
    assert general["steps"] and {step[0] for step in general["steps"]} == {
        competency(other, "Z").pk,
        competency(house["version"], "A").pk,
    }


def test_other_months_move_those_whose_evidence_is_older(house, steward):
    give_evidence(house["Cy"], competency(house["version"], "B"), 1, days_ago=400)
    report = measure(draft_with(steward, rules__accepted__months=12))
    assert report["steps"] == [[competency(house["version"], "B").pk, 1, 0, 1]]


def test_what_was_recorded_for_an_edition_before_moves_once(house, steward):
    first = load(small_content())
    profile = profile_of(first, "junior-clerk")  # asks for A at 2
    make_post(house["unit"], holder=house["Cy"], roles=[profile])
    give_evidence(house["Cy"], competency(first, "A"), 3, EvidenceKind.MANAGER, by=house["boss"])
    give_evidence(house["Bo"], competency(first, "B"), 3, EvidenceKind.MANAGER, by=house["boss"])  # nobody asks
    second = publish_edition(load(altered(small_content(), C=None)), steward)
    report = measure(draft_with(steward, second.framework, rules__manager__cap=3))
    a, b = (competency(second, code).pk for code in "AB")
    assert report["steps"] == [[a, 2, 3, 1], [b, 2, 3, 1]]
    assert {row[0]: len(row[1]) for row in report["rows"]} == {house["Bo"].pk: 1, house["Cy"].pk: 1}


def test_the_numbers_of_the_estimate_move_nobodys_level(house, steward):
    report = measure(draft_with(steward, parameters__prior_mean=4.0, parameters__kinds__manager__sd=0.5))
    assert (report["moved"], report["rows"]) == (0, [])


def test_measuring_asks_as_many_queries_for_many_people_as_for_few(house, steward, count_queries):
    draft = draft_with(steward, rules__manager__cap=3)
    few = count_queries(lambda: measure(draft))
    for _n in range(12):
        person = make_person()
        make_post(house["unit"], holder=person, roles=[make_profile(house["version"], {"A": 3})])
        give_evidence(person, competency(house["version"], "A"), 3, EvidenceKind.MANAGER, by=house["boss"])
    assert measure(draft)["up"] == 13
    assert count_queries(lambda: measure(draft)) == few <= 20


# --- Pages -------------------------------------------------------------------------------------------------------
def data_of(draft, **changes):
    numbers = numbers_of(write_book(rulemaking.book_written(draft)))
    data = {field_name(place): as_shown(place, value) for place, value in numbers.items()}
    return {**data, "note": "Because.", **{field_name(k.replace("__", ".")): v for k, v in changes.items()}}


def test_everybody_reads_the_rules_in_words_and_only_stewards_write(client, steward, house):
    publish(draft_with(steward, rules__manager__cap=3), steward)
    client.force_login(house["Cy"])
    page = client.get("/levels/rules/").content.decode()
    for words in (
        "A manager’s assessment shows at most level 3 alone",
        "Manager’s assessment: highest level it shows alone: 3 instead of 2.",
        "Managers know their people.",
        "published by Stella Steward",
        "What the platform came with.",
        "It weighs half after 12 months.",
        "90 days before a level lapses",
    ):
        assert words in page, words
    assert "Write the next edition" not in page
    assert client.post("/levels/rules/draft/").status_code == 403
    client.force_login(steward)
    assert "Write the next edition" in client.get("/levels/rules/").content.decode()


def test_a_steward_writes_reads_whose_level_moves_and_publishes(client, steward, house):
    edit = client.post("/levels/rules/draft/")["Location"]
    client.post("/levels/rules/draft/")  # pressed twice
    draft = Rulebook.objects.get()
    assert edit == f"/levels/rules/{draft.pk}/edit/"
    assert client.get(edit).status_code == 200
    publish_url = client.post(edit, data_of(draft, rules__manager__cap=3))["Location"]
    page = client.get(publish_url)
    assert page.context["report"]["up"] == 1
    text = page.content.decode()
    assert "Competency A" in text and "level 2 (label 2)" in text and "level 3 (label 3)" in text
    assert "1 person more whose level moves, counted only." in text
    assert "Ana" not in text
    for _press in range(2):
        assert (
            client.post(publish_url, {"state": page.context["report"]["state"]})["Location"]
            == f"/levels/rules/{draft.pk}/"
        )
    assert standing_of(house["Ana"]).held[competency(house["version"], "A").pk] == 3
    assert "In force since" in client.get(f"/levels/rules/{draft.pk}/").content.decode()
    assert client.get(publish_url).status_code == 404
    assert Job.objects.filter(kind=RULES_IMPACT_JOB).count() == 1


def test_people_are_named_to_a_steward_who_may_see_them(client, steward, house):
    make_hr(steward, house["unit"])
    draft = draft_with(steward, rules__manager__cap=3)
    text = client.get(f"/levels/rules/{draft.pk}/publish/").content.decode()
    assert "Ana" in text and "Requirement met" in text
    assert "counted only" not in text


def test_every_number_out_of_range_is_said_beside_its_field_and_nothing_is_written(client, steward):
    draft = draft_rules(framework=None, by=steward)
    url = f"/levels/rules/{draft.pk}/edit/"
    wrong = {"rules__manager__months": 0, "rules__diagnostic__certainty": 20, "refresh_days": 1.5}
    page = client.post(url, data_of(draft, **wrong, parameters__kinds__quiz__g="x") | {"note": ""})
    assert page.status_code == 422
    errors = page.context["form"].errors
    assert errors["rules-manager-months"] == ["Give a whole number from 1 to 240."]
    assert errors["rules-diagnostic-certainty"] == ["Give a number from 50 to 99.9."]
    assert errors["refresh_days"] == ["Give a whole number from 30 to 365."]
    assert errors["parameters-kinds-quiz-g"] == ["Give a number from 0 to 0.95."]
    assert errors["note"] == ["Say in a sentence what changes and why."]
    draft.refresh_from_db()
    assert draft.content == write_book(SHIPPED)


def test_the_form_saved_as_it_stands_changes_no_number(client, steward):
    draft = draft_with(steward, rules__diagnostic__certainty=0.875, parameters__kinds__quiz__g=0.123)
    client.post(f"/levels/rules/{draft.pk}/edit/", data_of(draft))
    kept = draft.content
    draft.refresh_from_db()
    assert draft.content == kept


def test_a_draft_is_not_shown_to_others_and_can_be_thrown_away(client, steward, house):
    draft = draft_with(steward, rules__manager__cap=3)
    for _press in range(2):
        assert client.post(f"/levels/rules/{draft.pk}/discard/")["Location"] == "/levels/rules/"
    draft = draft_with(steward, rules__manager__cap=3)
    assert client.get(f"/levels/rules/{draft.pk}/").status_code == 200
    client.force_login(house["Ana"])
    assert client.get(f"/levels/rules/{draft.pk}/").status_code == 404


def test_a_framework_gets_rules_of_its_own(client, steward, house):
    framework = house["version"].framework
    page = client.get(f"/levels/rules/?framework={framework.pk}").content.decode()
    assert "This framework has no rules of its own" in page
    client.post("/levels/rules/draft/", {"framework": framework.pk})
    assert Rulebook.objects.get().framework == framework
    assert client.post("/levels/rules/draft/", {"framework": "²"}).status_code == 404
    assert client.get("/levels/rules/?framework=99999").status_code == 404


def test_the_rules_page_asks_as_many_queries_for_many_frameworks_as_for_few(client, steward, house, count_queries):
    publish(draft_with(steward, rules__manager__cap=3), steward)
    few = count_queries(lambda: client.get("/levels/rules/"))
    for n in range(4):
        publish(draft_with(steward, make_framework().framework, rules__manager__cap=n + 4), steward)
    publish(draft_with(steward, rules__manager__cap=1), steward)
    assert count_queries(lambda: client.get("/levels/rules/")) == few


def test_a_draft_gone_while_its_effect_was_asked_for_is_said(steward):
    draft = draft_with(steward, rules__manager__cap=3)
    payload = {"rulebook": draft.pk, "day": TODAY().isoformat()}
    discard_rules(rulebook=draft, by=steward)
    job = enqueue(kind=RULES_IMPACT_JOB, key="gone", payload=payload, by=steward, here=True)
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "The draft is no longer there.")
