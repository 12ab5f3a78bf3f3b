"""What stands beside readiness on the outcome page: whom the change touches, key posts, and figures of the service."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from dateutil.relativedelta import relativedelta
from django.utils import timezone

from competencies.enums import EvidenceKind
from learning.models import ServiceMeasure, ServiceValue
from learning.service_trends import trends_beside
from organisations.models import User
from readiness.enums import TeamRole, WaveKind
from readiness.models import Impact, Need
from readiness.outcome import outcome_of
from tests.builders import (
    appoint,
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_person,
    make_post,
    make_profile,
    make_unit,
)
from tests.readiness.builders import make_body
from tests.readiness.surveys import act_on, in_team, make_closed, make_initiative, make_instrument, make_ministry

pytestmark = pytest.mark.django_db


def outcome(client, body, who) -> str:
    client.force_login(who)
    response = client.get(f"/changes/{body.change.slug}/outcome/")
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def change_page(client, body, who) -> str:
    client.force_login(who)
    return " ".join(client.get(f"/changes/{body.change.slug}/").content.decode().split())


# --- Whom it touches ------------------------------------------------------------------------------------------------
def test_staff_read_how_much_changes_in_their_unit_or_the_nearest_above_and_what_is_done_about_it(client):
    body = make_body()
    Impact.objects.create(initiative=body.change, unit=body.top, process=1)
    Impact.objects.create(
        initiative=body.change, unit=body.office, tool=3, workload=1, people=16, mitigation={"en": "Two more people."}
    )
    for reader in (body.officer, body.clerk):  # the desk has none of its own
        text = change_page(client, body, reader)
        assert "How much changes in Office" in text
        assert text.index("<b>Tools</b>: a great deal") < text.index("<b>Workload</b>: a little")
        assert "<b>Process</b>" not in text
        assert "Two more people." in text
    assert "<b>Process</b>: a little" in change_page(client, body, body.chief)


def test_without_a_word_about_it_nothing_is_said(client):
    body = make_body()
    assert "How much changes" not in change_page(client, body, body.officer)


def test_citizens_do_not_read_how_much_a_unit_is_touched(client):
    body = make_body(is_public=True)
    Impact.objects.create(initiative=body.change, unit=body.top, tool=3)
    client.logout()
    assert "How much changes" not in client.get(f"/changes/{body.change.slug}/").content.decode()


def test_who_runs_the_change_sees_all_units_side_by_side(client, count_queries):
    body = make_body()
    Impact.objects.create(initiative=body.change, unit=body.office, tool=3, people=16)
    assert "Whom it touches" in outcome(client, body, body.lead)
    address = f"/changes/{body.change.slug}/outcome/"
    few = count_queries(lambda: client.get(address))
    for _more in range(5):
        Impact.objects.create(initiative=body.change, unit=make_unit(parent=body.top), skill=2)
    assert outcome(client, body, body.lead).count("clearly") == 5
    assert count_queries(lambda: client.get(address)) == few


# --- Key posts ------------------------------------------------------------------------------------------------------
def test_key_posts_are_vacant_below_or_at_the_level_and_no_more_is_said_of_their_holders(client, count_queries):
    body = make_body()
    version = make_framework(codes="AB")
    profile = make_profile(version, {"A": 3, "B": 2}, title="CISO")
    profile.role.key_post = "CISO"
    type(profile.role).objects.filter(pk=profile.role.pk).update(key_post="CISO")
    make_post(body.top, title="Chief of security", roles=[profile])
    assert "Vacant" in outcome(client, body, body.hr)
    holder = make_person("Holder")
    make_post(body.office, title="Deputy of security", holder=holder, roles=[profile])
    make_post(make_unit(), title="Elsewhere", holder=make_person("Stranger"), roles=[profile])
    text = outcome(client, body, body.hr)
    assert "Holder · " in text and "Filled, not at the level yet" in text
    assert "Stranger" not in text
    for code, rank in (("A", 3), ("B", 2)):
        give_evidence(holder, competency(version, code), rank)
    assert "Filled, at the level" in outcome(client, body, body.hr)
    address = f"/changes/{body.change.slug}/outcome/"
    few = count_queries(lambda: client.get(address))
    for number in range(3):
        make_post(body.office, title=f"Security {number}", holder=make_person(), roles=[profile])
    assert count_queries(lambda: client.get(address)) == few


def security(body):
    version = make_framework(codes="AB")
    profile = make_profile(version, {"A": 3, "B": 2}, title="CISO", key_post="CISO")
    holder = make_person("Holder")
    make_post(body.office, title="Chief of security", holder=holder, roles=[profile])
    return version, profile, holder


def test_who_may_not_look_at_a_holder_reads_how_many_posts_are_filled_and_no_level(client):
    """A lead of the change is nobody's manager by that: a level in a post that one person holds is a person's level."""
    body = make_body()
    version, profile, holder = security(body)
    for code, rank in (("A", 3), ("B", 2)):
        give_evidence(holder, competency(version, code), rank)
    assert "Filled, at the level" in outcome(client, body, body.hr)
    text = outcome(client, body, body.lead)
    assert "1 other key post is filled today." in text
    assert "Holder" not in text and "Chief of security" not in text
    assert "at the level" not in text.replace("at the level of the role is told only", "")
    make_post(body.top, title="Deputy", roles=[profile])  # that nobody is there is nobody's level
    assert "Deputy" in outcome(client, body, body.lead) and "Vacant" in outcome(client, body, body.lead)


def test_key_posts_are_shown_as_they_were_when_the_first_survey_closed_and_today(client):
    body = make_body()
    version, profile, holder = security(body)
    make_closed(body.change, make_instrument({"why": 2}), days_ago=60, k=5)  # closed 30 days ago
    give_evidence(holder, competency(version, "A"), 3, days_ago=90)
    give_evidence(holder, competency(version, "B"), 2, days_ago=5)
    late = make_post(body.office, title="Founded since", holder=make_person("Second"), roles=[profile])
    type(late).objects.filter(pk=late.pk).update(starts_on=timezone.localdate() - relativedelta(days=3))
    then, now = posts_of(outcome(client, body, body.hr), "Chief of security")
    assert "Filled, not at the level yet" in then and "Filled, at the level" in now
    then, now = posts_of(outcome(client, body, body.hr), "Founded since")
    assert "No such post yet" in then and "Second" in now
    assert "On " in outcome(client, body, body.lead) and "of them was" in outcome(client, body, body.lead)


def test_the_level_of_who_held_a_post_before_is_not_told_to_who_may_not_look_at_her_today(client):
    body = make_body()
    version, _profile, holder = security(body)
    make_closed(body.change, make_instrument({"why": 2}), days_ago=60, k=5)
    give_evidence(holder, competency(version, "A"), 3, days_ago=90)
    gone, post = holder.appointments.get(), holder.appointments.get().post
    gone.ends_on = timezone.localdate() - relativedelta(days=10)
    gone.save()
    then, now = posts_of(outcome(client, body, body.hr), "Chief of security")
    assert "Vacant" in now
    assert "Filled" in then and "Holder" not in then and "level" not in then
    appoint(body.officer, post, starts_on=timezone.localdate() - relativedelta(days=9))
    assert "Filled, not at the level yet" in posts_of(outcome(client, body, body.hr), "Chief of security")[1]


def posts_of(text: str, title: str) -> list[str]:
    """What the row of this post says, cell by cell."""
    row = next(part for part in text[text.index('id="posts"') :].split("<tr>") if title in part)
    return row.split("<td")[1:]


# --- Figures of the service -----------------------------------------------------------------------------------------
def measured(body, *, key="course", needed=True):
    """A figure of a course that teaches what the change needs: in two units of the body and one elsewhere."""
    version = make_framework(codes="A")
    course = make_course(version, {"A": 3}, key=key)
    if needed:
        Need.objects.create(
            initiative=body.change,
            competency=competency(version, "A"),
            by=timezone.localdate() + relativedelta(months=2),
        )
    measure = ServiceMeasure.objects.create(
        course_key=course.key, name="Visits to ask", source="Register", lower_is_better=True, made_by=body.hr
    )
    began = body.change.starts_on.replace(day=1)
    units = [body.office, body.desk, make_unit()]
    for unit, (before, after) in zip(units, [(40, 30), (20, 14), (90, 90)], strict=True):
        for back, value in [(3, before), (2, before), (1, before), (0, 99), (-1, after), (-2, after)]:
            ServiceValue.objects.create(
                measure=measure, unit=unit, month=began - relativedelta(months=back), value=Decimal(value)
            )
    return measure, began


def test_figures_of_what_the_change_needs_stand_beside_it_before_and_of_late(client):
    body = make_body()
    _measure, began = measured(body)
    [trend] = trends_beside(body.change)
    assert (trend.before, trend.after, trend.units) == (30.0, 22.0, 2)
    assert trend.before_months == (began - relativedelta(months=3), began - relativedelta(months=1))
    assert trend.after_months == (began + relativedelta(months=1), began + relativedelta(months=2))
    text = outcome(client, body, body.lead)
    assert "What citizens and the service get" in text
    assert "Visits to ask" in text and "less is better · Register" in text
    assert "<b>30</b>" in text and "<b>22</b>" in text


def test_a_figure_of_something_else_does_not_stand_there(client):
    body = make_body()
    measured(body, needed=False)
    assert trends_beside(body.change) == []
    assert "What citizens and the service get" not in outcome(client, body, body.lead)


def test_without_figures_on_one_side_none_is_made_up(client):
    body = make_body()
    _measure, began = measured(body)
    ServiceValue.objects.filter(month__lt=began).delete()
    [trend] = trends_beside(body.change)
    assert (trend.before, trend.after, trend.units, trend.before_months) == (None, None, 0, None)
    assert "no figures" in outcome(client, body, body.lead)


def test_many_figures_cost_as_many_queries_as_one(count_queries):
    body = make_body()
    measure, _began = measured(body)
    few = count_queries(lambda: trends_beside(body.change))
    for number in range(4):
        other = ServiceMeasure.objects.create(course_key=measure.course_key, name=f"Figure {number}", made_by=body.hr)
        ServiceValue.objects.create(measure=other, unit=body.office, month=date(2020, 1, 1), value=1)
    assert count_queries(lambda: trends_beside(body.change)) == few


# --- What training did -----------------------------------------------------------------------------------------------
def test_few_answers_to_a_later_survey_do_not_undo_what_was_seen_before(client):
    """Half of the units were trained between two surveys; to the third hardly anybody answers.

    Two work in M itself: they are counted with A, which has no figure of its own then.
    """
    units = make_ministry({"M": 2, **dict.fromkeys("ABCDEFG", 11)})
    change, instrument = make_initiative(units["M"]), make_instrument({"why": 2})
    version = make_framework(codes="A")
    Need.objects.create(initiative=change, competency=competency(version, "A"), by=timezone.localdate())
    ids = sorted(User.objects.filter(appointments__isnull=False).values_list("pk", flat=True))
    unit_of = dict(User.objects.filter(pk__in=ids).values_list("pk", "appointments__post__unit__code"))
    trained = {units[name].code for name in "BCD"}
    first = make_closed(change, instrument, days_ago=120, value=lambda n, item: 2 + n % 2)
    act_on(first)
    for pk in ids:
        if unit_of[pk] in trained:
            give_evidence(User.objects.get(pk=pk), competency(version, "A"), 3, EvidenceKind.COURSE, days_ago=50)
    second = make_closed(
        change, instrument, days_ago=80, kind=WaveKind.PULSE,
        value=lambda n, item: (4 if unit_of[ids[n]] in trained else 2) + n // 3 % 2,
    )  # fmt: skip
    told = outcome_of(change)
    assert (told.trained_units, told.other_units, told.told_until) == (3, 3, None)
    assert told.blocks[0].effect.effect > 25
    act_on(second)
    silent = list(User.objects.filter(pk__in=[pk for pk in ids if unit_of[pk] != units["A"].code]).order_by("pk"))
    make_closed(change, instrument, days_ago=40, kind=WaveKind.PULSE, but=silent, value=lambda n, item: 3)
    later = outcome_of(change)
    assert later.told_until == timezone.localdate(second.closes_at)
    assert later.blocks[0].effect == told.blocks[0].effect
    client.force_login(in_team(change, TeamRole.LEAD))
    text = client.get(f"/changes/{change.slug}/outcome/").content.decode()
    assert "Told up to the survey that closed on" in text


def test_where_nothing_can_be_told_it_is_said(client):
    units = make_ministry({"M": 2, "A": 11, "B": 11})
    change, instrument = make_initiative(units["M"]), make_instrument({"why": 2})
    version = make_framework(codes="A")
    Need.objects.create(initiative=change, competency=competency(version, "A"), by=timezone.localdate())
    act_on(make_closed(change, instrument, days_ago=120))
    make_closed(change, instrument, days_ago=80, kind=WaveKind.PULSE)
    assert outcome_of(change).tells_nothing
    client.force_login(in_team(change, TeamRole.LEAD))
    assert "Not to be told: it takes three units" in client.get(f"/changes/{change.slug}/outcome/").content.decode()
