"""Questions about a change: asked with a name or without, answered for everybody, and what is never kept."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from django.core import mail, serializers
from django.utils import timezone
from wagtail.models import ModelLogEntry

from organisations.models import Job
from readiness import initiatives
from readiness.enums import InitiativeStatus
from readiness.initiatives import QUESTIONS_A_DAY, JourneyRefused, answer_question, due_day
from readiness.journey_mails import tell_of_questions
from readiness.models import Question
from tests.builders import make_person
from tests.readiness.builders import ask, make_body, make_sponsor

pytestmark = pytest.mark.django_db

THURSDAY = date(2026, 3, 12)


def morning_after(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day, 7)) + timedelta(days=1)


# --- Asking ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (date(2026, 3, 9), date(2026, 3, 16)),  # Monday to Monday
        (date(2026, 3, 12), date(2026, 3, 19)),
        (date(2026, 3, 14), date(2026, 3, 20)),  # asked on a Saturday counts from Friday
        (date(2026, 3, 15), date(2026, 3, 20)),
    ],
)
def test_an_answer_is_promised_within_five_working_days(asked, due):
    assert due_day(asked) == due


def test_a_doubled_press_is_one_question_and_other_words_with_the_same_form_are_another():
    body, token = make_body(), uuid4()
    first = ask(body.change, body.officer, token=token)
    assert ask(body.change, body.officer, "  When does the\ncounter open? ", token=token) == first
    assert ask(body.change, body.officer, "And where?", token=token) != first
    assert Question.objects.count() == 2


def test_the_token_of_a_form_does_not_show_which_question_it_became():
    body, token = make_body(), uuid4()
    assert ask(body.change, body.officer, token=token).pk != token


def test_the_same_press_in_two_changes_is_two_questions():
    body, other, token = make_body(), make_body(), uuid4()
    assert ask(body.change, body.officer, token=token).initiative == body.change
    assert ask(other.change, other.officer, token=token).initiative == other.change


def test_nobody_floods_the_page_whether_with_a_name_or_without():
    body = make_body()
    for number in range(QUESTIONS_A_DAY):
        ask(body.change, body.officer, f"Question {number}?", anonymously=number % 2 == 0)
    with pytest.raises(JourneyRefused):
        ask(body.change, body.officer, "One more?", anonymously=True)
    ask(body.change, body.clerk, "Mine?")
    ask(body.change, body.officer, "Tomorrow?", day=timezone.localdate() + timedelta(days=1))


@pytest.mark.parametrize("status", [InitiativeStatus.DRAFT, InitiativeStatus.ENDED])
def test_nothing_is_asked_of_a_change_that_is_not_under_way(status):
    body = make_body(status=status)
    with pytest.raises(JourneyRefused):
        ask(body.change, body.officer)


def test_words_that_are_refused_stay_in_the_form(client):
    body = make_body()
    client.force_login(body.officer)
    for number in range(QUESTIONS_A_DAY):
        ask(body.change, body.officer, f"Question {number}?")
    response = client.post(f"/changes/{body.change.slug}/ask/", {"text": "My long thought", "token": uuid4()})
    assert response.status_code == 422
    assert "My long thought" in response.content.decode()


def test_the_form_says_what_without_a_name_means(client):
    body = make_body()
    client.force_login(body.officer)
    seen = client.get(f"/changes/{body.change.slug}/").content.decode()
    assert "it is not kept who asked" in seen and "counted, until tomorrow" in seen


# --- Without a name --------------------------------------------------------------------------------------------------
def everything_stored() -> str:
    """All rows that asking could have touched, as they stand in the database."""
    rows = [*Question.objects.all(), *ModelLogEntry.objects.all(), *Job.objects.all()]
    return serializers.serialize("json", rows)


def test_asked_without_a_name_nothing_of_the_person_and_no_hour_is_stored(client):
    body = make_body()
    client.force_login(body.officer)
    logged, jobs = ModelLogEntry.objects.count(), Job.objects.count()
    client.post(f"/changes/{body.change.slug}/ask/", {"text": "Who pays?", "anonymously": "on", "token": str(uuid4())})
    question = Question.objects.get()
    assert question.asked_by is None
    assert (ModelLogEntry.objects.count(), Job.objects.count(), mail.outbox) == (logged, jobs, [])
    [stored] = [row["fields"] for row in json.loads(everything_stored()) if row["model"] == "readiness.question"]
    assert set(stored) == {
        "initiative", "text", "asked_by", "place", "asked_on", "due_on", "answer", "answered_by", "answered_on",
    }  # fmt: skip
    assert stored["asked_on"] == timezone.localdate().isoformat()
    assert question.pk.version == 4


def test_asked_without_a_name_the_answer_leads_to_nobody(client):
    body = make_body()
    question = ask(body.change, body.officer, "Who pays?", anonymously=True)
    answer_question(question=question, answer="The ministry.", by=body.lead)
    assert mail.outbox == []
    assert body.officer.email not in everything_stored()
    assert all(entry.user_id != body.officer.pk for entry in ModelLogEntry.objects.all())
    client.force_login(body.clerk)
    seen = client.get(f"/changes/{body.change.slug}/").content.decode()
    assert "Asked without a name" in seen and body.officer.name not in seen


def test_questions_of_one_day_stand_in_no_order_of_asking():
    body = make_body()
    orders = set()
    for _day in range(12):
        Question.objects.all().delete()
        for text in "abcd":
            Question.objects.create(
                initiative=body.change, text=text, place=initiatives.randbelow(initiatives.LATEST_PLACE),
                due_on=due_day(timezone.localdate()),
            )  # fmt: skip
        orders.add("".join(body.change.questions.values_list("text", flat=True)))
    assert len(orders) > 1


def test_who_is_to_answer_hears_of_all_questions_of_a_day_on_the_next_morning_once():
    body = make_body()
    ask(body.change, body.officer, "Who pays?", anonymously=True, day=THURSDAY)
    ask(body.change, body.clerk, "Since when?", day=THURSDAY)
    tell_of_questions(timezone.make_aware(datetime(2026, 3, 12, 18)))
    tell_of_questions(timezone.make_aware(datetime(2026, 3, 13, 5)))
    assert mail.outbox == []
    for _hour in range(3):
        tell_of_questions(morning_after(THURSDAY))
    [message] = mail.outbox
    assert message.to == [body.lead.email]
    assert "Who pays?" in message.body and "Since when?" in message.body
    assert body.officer.name not in message.body and body.clerk.name not in message.body
    assert message.subject.startswith("2 questions")


def test_questions_answered_by_then_are_not_told_and_without_a_lead_the_sponsor_hears():
    body = make_body()
    body.change.team.all().delete()
    make_sponsor(body.change, body.chief)
    answered = ask(body.change, body.officer, "Who pays?", day=THURSDAY)
    answer_question(question=answered, answer="The ministry.", by=body.chief)
    mail.outbox.clear()
    tell_of_questions(morning_after(THURSDAY))
    assert mail.outbox == []
    ask(body.change, body.officer, "Since when?", day=THURSDAY)
    tell_of_questions(morning_after(THURSDAY))
    assert [message.to for message in mail.outbox] == [[body.chief.email]]


# --- Answering -------------------------------------------------------------------------------------------------------
def test_who_asked_with_her_name_gets_the_first_answer_by_mail_and_no_second_one():
    body = make_body()
    question = ask(body.change, body.officer)
    answer_question(question=question, answer="In May.", by=body.lead)
    answer_question(question=question, answer="In June.", by=body.lead)
    [message] = mail.outbox
    assert message.to == [body.officer.email]
    assert "In May." in message.body and body.lead.name in message.body


def test_a_mended_answer_keeps_the_one_before_in_the_audit_log_without_who_asked():
    body = make_body()
    question = ask(body.change, body.officer, anonymously=True)
    answer_question(question=question, answer="In May.", by=body.lead)
    answer_question(question=question, answer="In June.", by=body.hr)
    answer_question(question=question, answer="In June.", by=body.hr)
    entries = ModelLogEntry.objects.filter(action="readiness.answer_question").order_by("pk")
    assert [(entry.user, entry.data["before"]) for entry in entries] == [(body.lead, ""), (body.hr, "In May.")]
    question.refresh_from_db()
    assert (question.answer, question.answered_by) == ("In June.", body.hr)


def test_answers_come_from_lead_sponsor_and_hr_of_the_unit_only():
    body = make_body()
    sponsor = make_person()
    make_sponsor(body.change, sponsor)
    question = ask(body.change, body.officer)
    for person in (body.officer, body.head, body.chief, make_body().hr, make_body().lead):
        with pytest.raises(JourneyRefused):
            answer_question(question=question, answer="So.", by=person)
    for person in (body.lead, sponsor, body.hr):
        answer_question(question=question, answer=f"Says {person.pk}.", by=person)
    with pytest.raises(JourneyRefused):
        answer_question(question=question, answer="  ", by=body.lead)


def test_how_long_a_question_has_waited_is_there_for_everybody_to_see(client):
    body, day = make_body(), timezone.localdate()
    ask(body.change, body.officer, "New?")
    ask(body.change, body.officer, "Old?", day=day - timedelta(days=12))
    client.force_login(body.clerk)
    seen = client.get(f"/changes/{body.change.slug}/").content.decode()
    assert "Asked today" in seen
    assert "Has waited for 12 days; the answer was promised by" in seen
    assert "2 questions wait for an answer." in seen and "1 longer than promised" in seen
