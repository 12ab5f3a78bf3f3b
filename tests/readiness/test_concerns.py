"""Concerns: of units, never of a person; who tells them, who reads them, what becomes of them."""

from __future__ import annotations

import pytest
from wagtail.models import ModelLogEntry

from readiness.enums import ConcernDecision, ConcernKind
from readiness.initiatives import JourneyRefused, by_kind, concerns_for, decide_concern, raise_concern
from readiness.models import Concern
from tests.builders import make_unit
from tests.readiness.builders import make_body, make_champion
from tests.readiness.surveys import staff

pytestmark = pytest.mark.django_db


def tell(body, unit, by, text="Too much at once.", kind=ConcernKind.WORKLOAD):
    return raise_concern(initiative=body.change, unit=unit, kind=kind, text=text, by=by)


def test_a_unit_of_ten_speaks_for_itself_and_a_smaller_one_through_that_above():
    body = make_body()
    assert tell(body, body.office, body.head).unit == body.office
    assert tell(body, body.desk, body.first, "Nobody asked us.").unit == body.office


def test_nine_people_are_too_few_and_ten_are_enough():
    body = make_body()
    annex = make_unit("Annex", parent=body.top)
    staff(annex, 9, body.posts["chief"])
    assert tell(body, annex, body.lead).unit == body.top
    staff(annex, 1, body.posts["chief"])
    assert tell(body, annex, body.lead, "And the rooms?").unit == annex


def test_where_fewer_than_ten_work_in_all_no_concern_is_written_down():
    body = make_body()
    body.change.unit = body.desk
    body.change.save()
    with pytest.raises(JourneyRefused, match="Fewer than ten"):
        tell(body, body.desk, body.first)
    assert not Concern.objects.exists()


def test_the_page_says_which_unit_was_taken(client):
    body = make_body()
    client.force_login(body.first)
    response = client.post(
        f"/changes/{body.change.slug}/concerns/",
        {"unit": body.desk.pk, "kind": "trust", "text": "Will posts be cut?"},
        follow=True,
    )
    assert "Fewer than ten people work in Desk: noted for Office instead." in response.content.decode()


def test_a_doubled_press_is_one_concern():
    body = make_body()
    assert tell(body, body.office, body.head) == tell(body, body.office, body.head, " Too much  at once. ")


def test_champions_managers_and_the_team_tell_concerns_of_their_units_and_nobody_else():
    body = make_body()
    make_champion(body, body.officer, body.head)
    for person in (body.officer, body.head, body.chief, body.lead, body.hr):
        tell(body, body.office, person, f"Says {person.pk}.")
    for person, unit in ((body.clerk, body.office), (body.officer, body.top), (body.first, body.office)):
        with pytest.raises(JourneyRefused):
            tell(body, unit, person)
    with pytest.raises(JourneyRefused):
        tell(body, make_unit(), body.lead)


def test_who_told_a_concern_is_kept_nowhere():
    body = make_body()
    before = ModelLogEntry.objects.count()
    concern = tell(body, body.office, body.head)
    assert ModelLogEntry.objects.count() == before
    assert {field.name for field in Concern._meta.fields} == {
        "id", "initiative", "unit", "kind", "text", "raised_on", "answer", "decision", "decided_on",
    }  # fmt: skip
    assert concern.decision == ""


def test_each_reads_the_concerns_of_what_is_hers():
    body = make_body()
    annex = make_unit("Annex", parent=body.top)
    staff(annex, 10, body.posts["chief"])
    office, other, whole = (tell(body, unit, body.lead) for unit in (body.office, annex, body.top))
    make_champion(body, body.officer, body.head)
    make_champion(body, body.clerk, body.first)

    def read(person):
        return set(concerns_for(person, body.change))

    assert read(body.lead) == read(body.hr) == read(body.chief) == {office, other, whole}
    assert read(body.head) == read(body.officer) == {office}
    # The desk is too small to speak for itself: the office stands for it.
    assert read(body.first) == read(body.clerk) == {office}
    [colleague] = staff(body.office, 1)
    assert read(colleague) == set()


def test_staff_without_a_part_in_it_find_no_page_of_concerns(client):
    body = make_body()
    client.force_login(body.clerk)
    assert client.get(f"/changes/{body.change.slug}/concerns/").status_code == 404


def test_concerns_are_counted_by_kind_the_most_frequent_first():
    body = make_body()
    for text in ("One.", "Two.", "Three."):
        tell(body, body.office, body.head, text)
    tell(body, body.office, body.head, kind=ConcernKind.TRUST)
    decide_concern(concern=Concern.objects.get(text="Two."), decision="accepted", answer="Yes.", by=body.lead)
    groups = by_kind(concerns_for(body.lead, body.change))
    assert [(group.label, len(group.concerns), group.waiting) for group in groups] == [
        ("Workload", 3, 2),
        ("Trust", 1, 1),
    ]
    assert groups[0].concerns[-1].text == "Two."


def test_a_decision_needs_its_sentence_and_the_one_before_stays_in_the_log():
    body = make_body()
    concern = tell(body, body.office, body.head)
    with pytest.raises(JourneyRefused):
        decide_concern(concern=concern, decision=ConcernDecision.ACCEPTED, answer=" ", by=body.lead)
    with pytest.raises(JourneyRefused):
        decide_concern(concern=concern, decision=ConcernDecision.ACCEPTED, answer="Yes.", by=body.head)
    decide_concern(concern=concern, decision=ConcernDecision.EXPLAINED, answer="It is only March.", by=body.lead)
    for _press in range(2):
        decide_concern(concern=concern, decision=ConcernDecision.PLAN_ADAPTED, answer="A month later.", by=body.hr)
    entries = ModelLogEntry.objects.filter(action="readiness.decide_concern").order_by("pk")
    assert [entry.data["before"]["decision"] for entry in entries] == ["", "explained"]


def test_the_page_asks_as_many_queries_for_ten_concerns_as_for_one(client, count_queries):
    body = make_body()
    client.force_login(body.head)
    address = f"/changes/{body.change.slug}/concerns/"
    tell(body, body.office, body.head)
    client.get(address)
    before = count_queries(lambda: client.get(address))
    for number in range(9):
        tell(body, body.office, body.head, f"Concern {number}.")
    assert count_queries(lambda: client.get(address)) == before
