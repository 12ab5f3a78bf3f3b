"""What people are told about a survey, and what is written down before one opens: its own figures, names and limits."""

from __future__ import annotations

from datetime import timedelta
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone

from organisations.models import Unit
from readiness.enums import CommentState, CutAttribute, TeamRole
from readiness.models import LanguageReview
from readiness.moderating import decide_comment, pending
from readiness.notice import facts_of, people_asked
from tests.builders import make_unit
from tests.readiness.surveys import (
    draft,
    in_team,
    make_closed,
    make_initiative,
    make_instrument,
    make_ministry,
    make_open,
    staff,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def units() -> dict[str, Unit]:
    return make_ministry({"M": 12, "A": 14})


def page(client, name: str, pk: int) -> str:
    response = client.get(reverse(name, args=[pk]))
    assert response.status_code == 200
    return " ".join(unescape(response.content.decode()).split())


def test_the_notice_says_the_groups_the_names_and_the_time_of_this_very_survey(client, units):
    wave = make_open(make_initiative(units["M"]), k=12, cut_attribute=CutAttribute.LEADS)
    client.force_login(wave.participations.select_related("person")[0].person)
    told = page(client, "survey_notice", wave.pk)
    for words in (
        "groups of at least 12 people",
        "where at least 12 people wrote something",
        "kept for 24 months",
        "at most 3 reminders",
        "One thing more, decided before it opened: Leads people or not.",
        "public task",
        "does not rest on your consent",
        "never used to appraise a person",
        "data protection officer",
        *(member.person.name for member in wave.initiative.team.filter(role=TeamRole.APPROVER)),
    ):
        assert words in told


def test_what_happened_is_there_for_everybody_to_check_and_so_are_reasons_for_withholding(client, units):
    wave = make_closed(make_initiative(units["M"]), comments={"wish": "More time."})
    reader = in_team(wave.initiative, TeamRole.MODERATOR)
    for comment in list(pending(wave))[:2]:
        decide_comment(
            comment=comment, state=CommentState.WITHHELD, text=comment.text, reason="It accuses somebody", by=reader
        )
    [colleague] = staff(units["A"], 1)
    client.force_login(colleague)
    told = page(client, "survey_notice", wave.pk)
    for words in ("Prepared", "Approved", "Opened", "Key destroyed", "Results shared", "It accuses somebody: 2"):
        assert words in told
    assert "More time." not in told


def test_comments_need_ten_writers_also_where_groups_are_smaller(units):
    facts = facts_of(draft(make_initiative(units["M"]), make_instrument(), at=timezone.now(), k=5))
    assert (facts.k, facts.comment_k) == (5, 10)


def test_the_nearest_public_body_is_responsible():
    ministry = make_unit("Ministry")
    Unit.objects.filter(pk=ministry.pk).update(kind="body")
    agency = make_unit("Agency", ministry)
    Unit.objects.filter(pk=agency.pk).update(kind="body")
    section = make_unit("Section", agency)
    wave = draft(make_initiative(section), make_instrument(), at=timezone.now())
    assert facts_of(wave).body == "Agency"
    Unit.objects.update(kind="unit")
    wave.refresh_from_db()
    assert facts_of(wave).body == "Ministry"


def test_the_assessment_is_filled_in_before_it_opens_and_stays_as_it_was_asked_afterwards(client, units):
    initiative = make_initiative(units["M"])
    wave = draft(initiative, make_instrument(), at=timezone.now() + timedelta(days=1))
    client.force_login(in_team(initiative, TeamRole.APPROVER))
    told = page(client, "wave_assessment", wave.pk)
    assert "26 people in M and below" in told
    assert "answers to 7 statements, 1 open question" in told
    assert f"Approvers of the survey: {in_team(initiative, TeamRole.APPROVER).name}" in told
    assert "[Name the provision of your law.]" in told
    assert f'href="{reverse("wave_assessment", args=[wave.pk])}"' in page(client, "wave", wave.pk)


def test_people_who_come_later_do_not_change_the_number_that_was_asked(units):
    wave = make_open(make_initiative(units["M"]))
    staff(units["A"], 3)
    assert people_asked(wave) == 26


def test_without_a_reviewed_language_it_says_no_statements_rather_than_failing(client, units):
    initiative = make_initiative(units["M"])
    instrument = make_instrument()
    LanguageReview.objects.filter(instrument=instrument).delete()
    wave = draft(initiative, instrument, at=timezone.now())
    assert facts_of(wave).statements == 0
    client.force_login(in_team(initiative, TeamRole.LEAD))
    assert "answers to 0 statements" in page(client, "wave_assessment", wave.pk)


def test_only_the_change_team_and_who_runs_it_read_the_assessment(client, units):
    wave = make_open(make_initiative(units["M"]))
    client.force_login(wave.participations.select_related("person")[0].person)
    assert client.get(reverse("wave_assessment", args=[wave.pk])).status_code == 404
