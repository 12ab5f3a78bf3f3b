"""The pages of standing rules: a rule is put together without script, read in words, tried out, started, stopped."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from learning.conditions import (
    AllOf,
    AnyOf,
    HasGrade,
    HasLanguage,
    HasManager,
    HasRole,
    HasTag,
    HoldsLevel,
    InUnit,
    Not,
    Row,
    Started,
    read_condition,
)
from learning.enums import OnLeaving
from learning.models import Assignment, AssignmentRule
from learning.rule_words import Names, sentence
from learning.rules import digest_of, make_rule
from tests.builders import competency, make_hr, make_person, make_post, make_profile, make_unit
from tests.learning.test_rules import Office, confirmed

pytestmark = pytest.mark.django_db

NEW = "/hr/rules/new/"


@pytest.fixture
def office(db: None) -> Office:
    return Office()


@pytest.fixture
def desk(office: Office) -> Client:
    client = Client()
    client.force_login(office.officer)
    return client


def answers(office: Office, **more: Any) -> dict[str, Any]:
    return {
        "title": "Data protection", "unit": office.unit.pk, "kind": "course", "course": "gdpr", "mandatory": "yes",
        "note": "", "due": "after_assignment", "due_days": "30", "on_leaving": "end", "do": "save",
        "c0-0-kind": "tag", "c0-0-verb": "", "c0-0-tag": "new manager",
    } | more  # fmt: skip


def without(given: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name not in names}


def text_of(response: Any) -> str:
    return response.content.decode()


def test_a_rule_goes_from_the_form_through_its_dry_run_to_work_and_to_its_end(office, desk):
    person = office.person()
    page = desk.post(NEW, answers(office), follow=True)
    rule = AssignmentRule.objects.get()
    assert page.redirect_chain == [(reverse("rule", args=[rule.pk]), 302)]
    assert rule.condition == {"is": "tag", "tag": "new manager"}
    assert "Start it, and assign it to 1 person" in text_of(page) and not Assignment.objects.exists()
    batch = rule.batches.get()
    page = desk.post(reverse("rule_start", args=[rule.pk]), {"batch": batch.pk}, follow=True)
    assert "1 person has it by this rule" in text_of(page) and person.name in text_of(page)
    assert desk.post(reverse("rule_stop", args=[rule.pk]), {}).status_code == 422
    page = desk.post(reverse("rule_stop", args=[rule.pk]), {"then": "end"}, follow=True)
    assert "Stopped" in text_of(page) and not Assignment.objects.current().exists()


def test_rows_and_groups_come_and_go_by_buttons_and_every_answer_is_kept(office, desk):
    office.person()
    given = answers(office, note="Because of the act", **{"new-0": "c-language", "new": "c-started"})
    page = desk.post(NEW, given | {"do": "or-0"})
    assert page.status_code == 200
    for kept in ('value="Data protection"', "Because of the act", 'name="c0-0-tag"', 'name="c0-1-language"'):
        assert kept in text_of(page)
    page = desk.post(NEW, given | {"do": "and"})
    assert 'name="c1-0-how"' in text_of(page) and 'value="new manager" selected' in text_of(page)
    two = given | {"c1-0-kind": "language", "c1-0-language": "es"}
    page = desk.post(NEW, two | {"do": "remove-0-0"})
    assert 'name="c0-0-language"' in text_of(page) and 'name="c1-0' not in text_of(page)
    assert 'value="es" selected' in text_of(page)
    assert not AssignmentRule.objects.exists()


@pytest.mark.parametrize("do", ["or-9", "or-", "or-²", "remove-0", "remove-0-9", "remove-x-y", "and-", "nonsense", ""])
def test_buttons_that_nobody_has_change_nothing(office, desk, do):
    office.person()
    page = desk.post(NEW, answers(office, do=do))
    assert page.status_code == 200 and 'name="c0-0-tag"' in text_of(page)
    assert not AssignmentRule.objects.exists()


def test_every_sort_of_condition_is_read_and_shown_again_as_it_was_said(office, desk):
    boss = make_person()
    post = make_post(office.unit, holder=boss)
    post.grade = "A2"
    post.save()
    office.person()
    profile = make_profile(office.version, {"A": 2})
    a = competency(office.version, "A")
    given = answers(
        office,
        **{
            "c0-0-kind": "unit", "c0-0-unit": office.below.pk, "c0-0-below": "on",
            "c1-0-kind": "role", "c1-0-role": str(profile.lineage), "c1-0-verb": "not",
            "c1-1-kind": "grade", "c1-1-grade": "A2",
            "c2-0-kind": "language", "c2-0-language": "es",
            "c2-1-kind": "started", "c2-1-how": "days_ago_at_least", "c2-1-days": "30",
            "c2-2-kind": "started", "c2-2-how": "before", "c2-2-on": "2026-01-31",
            "c2-3-kind": "manager", "c2-3-email": boss.email.upper(),
            "c3-0-kind": "tag", "c3-0-tag": "new manager", "c3-0-verb": "not",
            "c4-0-kind": "level", "c4-0-competency": "Competency A", "c4-0-how": "below", "c4-0-rank": "3",
        },
    )  # fmt: skip
    assert desk.post(NEW, given).status_code == 302
    rule = AssignmentRule.objects.get()
    office.below.refresh_from_db()
    expected = AllOf(
        (
            InUnit(office.below.pk, office.below.path, True),
            AnyOf((Not(HasRole(str(profile.lineage))), HasGrade("A2"))),
            AnyOf(
                (
                    HasLanguage("es"),
                    Started(days_ago_at_least=30),
                    Started(before=read_condition({"is": "started", "before": "2026-01-31"}).before),
                    HasManager(boss.pk),
                )
            ),
            Not(HasTag("new manager")),
            HoldsLevel(str(a.lineage), below=3),
        )
    )
    assert read_condition(rule.condition) == expected
    form = desk.get(reverse("rule_change", args=[rule.pk]))
    again = {
        field.html_name: field.value()
        for group in form.context["groups"]
        for row in group["rows"]
        for field in row["form"]
        if field.value() not in (None, False)
    }
    changed = without(given, *[name for name in given if name.startswith("c")]) | again
    changed |= {"course": "gdpr", "seen": digest_of(rule), "title": "Better"}
    assert desk.post(reverse("rule_change", args=[rule.pk]), changed).status_code == 302
    rule.refresh_from_db()
    assert (rule.title, read_condition(rule.condition)) == ("Better", expected)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"kind": "unit", "unit": "0"}, "This unit is not among those you serve."),
        ({"kind": "unit"}, "Choose the unit."),
        ({"kind": "role", "role": "x"}, "This role is not offered any more."),
        ({"kind": "grade", "grade": "Z9"}, "No post of your units has this grade."),
        ({"kind": "language", "language": "tlh"}, "Choose one of these languages."),
        ({"kind": "started", "how": "after"}, "Give the day."),
        ({"kind": "started", "how": "days_ago_at_most", "days": "-1"}, "greater than or equal to 0"),
        ({"kind": "manager", "email": "nobody@example.org"}, "Nobody in the units you serve has this address."),
        ({"kind": "tag", "tag": "new\x00"}, "Nobody you serve has this tag."),
        ({"kind": "level", "competency": "Nothing", "how": "below", "rank": "2"}, "No competency in use is called so."),
        ({"kind": "level", "competency": "Competency", "how": "below", "rank": "2"}, "Several competencies fit"),
        ({"kind": "level", "competency": "A", "how": "below", "rank": "99"}, "Choose one of the levels shown."),
    ],
)
def test_a_bad_condition_is_told_in_a_sentence_and_the_answers_are_kept(office, desk, row, sentence):
    office.person()
    given = without(answers(office), "c0-0-kind", "c0-0-tag", "c0-0-verb")
    page = desk.post(NEW, given | {f"c0-0-{name}": value for name, value in row.items()})
    assert page.status_code == 422
    assert sentence in text_of(page) and 'value="Data protection"' in text_of(page)
    assert not AssignmentRule.objects.exists()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"title": " "}, "Give the rule a title."),
        ({"unit": "²"}, "This unit is not among those you serve."),
        ({"course": "gone"}, "This course is not offered any more."),
        ({"due_days": "0"}, "Give a number of days"),
        ({"on_leaving": "x"}, "Say what happens to those who no longer meet the conditions."),
        ({"c0-0-kind": "x"}, "add at least one condition"),
    ],
)
def test_a_bad_answer_elsewhere_is_told_too(office, desk, change, sentence):
    office.person()
    page = desk.post(NEW, answers(office) | change)
    assert page.status_code == 422 and sentence in text_of(page)
    assert not AssignmentRule.objects.exists()


def test_a_unit_of_others_is_refused_even_if_somebody_sends_its_id(office, desk):
    office.person()
    other = make_unit()
    for change in ({"unit": other.pk}, {"c0-0-kind": "unit", "c0-0-unit": other.pk}):
        assert desk.post(NEW, answers(office) | change).status_code == 422


def test_what_is_filled_in_can_be_read_in_words_before_it_is_saved(office, desk):
    office.person()
    page = desk.post(NEW, answers(office, do="read"))
    assert page.status_code == 200
    assert f"Everybody in “{office.unit.name}” or below who has the tag “new manager”." in text_of(page)


def test_groups_are_joined_by_and_and_rows_by_or():
    names = Names(units={1: "Tax"}, roles={"r": "Auditor"}, people={7: "Ana"}, competencies={"c": "Risk"})
    groups = (
        (Row(InUnit(1, "0001", True)),),
        (Row(HasRole("r")), Row(HasManager(7))),
        (Row(HoldsLevel("c", at_least=2), negated=True),),
    )
    assert sentence("Ministry", groups, names) == (
        "Everybody in “Ministry” or below who is in “Tax” or below, and either has the role “Auditor” or reports to Ana, "
        "and is below level 2 in “Risk”."
    )


def test_a_second_window_does_not_overwrite_what_was_changed_meanwhile(office, desk):
    office.person()
    rule = office.working()
    old = digest_of(rule)
    url = reverse("rule_change", args=[rule.pk])
    assert desk.post(url, answers(office, seen=old, note="First")).status_code == 302
    page = desk.post(url, answers(office, seen=old, note="Second"))
    assert page.status_code == 422 and "Somebody has changed this rule" in text_of(page)
    rule.refresh_from_db()
    assert rule.note == "First" and not rule.is_working


def test_only_the_dry_run_that_was_shown_can_be_confirmed(office, desk):
    office.person()
    first = make_rule(said=office.said(), by=office.officer)
    other = office.working(title="Other", note="x")
    batch = other.batches.filter(created_by=office.officer).get()
    assert desk.post(reverse("rule_start", args=[first.pk]), {"batch": batch.pk}).status_code == 404
    assert desk.post(reverse("rule_start", args=[first.pk]), {"batch": "²"}).status_code == 404


def test_an_officer_sees_the_rules_of_her_units_and_no_others(office, desk):
    other = make_unit()
    colleague = make_person()
    make_hr(colleague, other)
    theirs = confirmed(make_rule(said=office.said(unit=other, title="Theirs"), by=colleague), colleague)
    mine = office.working(title="Mine")
    page = text_of(desk.get("/hr/rules/"))
    assert "Mine" in page and "Theirs" not in page
    for name in ("rule", "rule_change"):
        assert desk.get(reverse(name, args=[theirs.pk])).status_code == 404
        assert desk.get(reverse(name, args=[mine.pk])).status_code == 200
    for name in ("rule_try", "rule_start", "rule_stop", "rule_change"):
        assert desk.post(reverse(name, args=[theirs.pk]), {"then": "end"}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.is_working


def test_what_was_chosen_for_an_assignment_comes_along(office, desk):
    page = desk.get(NEW + "?kind=course&course=gdpr&mandatory=no&note=Hello")
    assert 'value="gdpr" selected' in text_of(page) and "Hello" in text_of(page)


def test_a_stuck_rule_says_why_and_offers_no_dry_run(office, desk):
    extra = make_unit(parent=office.unit)
    rule = make_rule(said=office.said(condition=Not(InUnit(extra.pk, extra.path, True))), by=office.officer)
    extra.delete()
    page = text_of(desk.get(reverse("rule", args=[rule.pk])))
    assert "A unit it asks for is no longer there." in page and "Make the dry run" not in page
    assert desk.get(reverse("rule_change", args=[rule.pk])).status_code == 200
    assert desk.post(reverse("rule_try", args=[rule.pk])).status_code == 302
    assert not rule.batches.exists()


def test_the_list_asks_as_many_queries_for_many_rules_as_for_two(office, desk, count_queries):
    office.person()
    for n in range(2):
        office.working(title=f"Rule {n}", note=str(n), on_leaving=OnLeaving.KEEP)
    desk.get("/hr/rules/")
    few = count_queries(lambda: desk.get("/hr/rules/"))
    for n in range(6):
        office.working(title=f"More {n}", note=f"m{n}")
    assert count_queries(lambda: desk.get("/hr/rules/")) == few
