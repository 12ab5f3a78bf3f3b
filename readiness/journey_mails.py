"""Mails of the journey. A mail is a job of its own; one that a killed worker may have sent is not sent again.

A question asked without a name must leave no trace of the hour. Neither its row nor its news has one: who is to answer is
told of all questions of a day together, on the next morning.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from competencies.claim_mails import send_once
from organisations.jobs import Run, enqueue, job_kind
from organisations.models import User
from readiness.enums import InitiativeStatus, TeamRole
from readiness.guarding import GUARDING, surveys_to_guard
from readiness.models import Action, Champion, Initiative, Question, TeamMember, Wave
from readiness.waves import digest_of

QUESTIONS_MAIL: Final = "readiness.questions_mail"
ANSWER_MAIL: Final = "readiness.answer_mail"
CHAMPION_MAIL: Final = "readiness.champion_mail"
DECIDED_MAIL: Final = "readiness.champion_decided_mail"
OWNER_MAIL: Final = "readiness.owner_mail"
GUARD_MAIL: Final = "readiness.guard_mail"

# Mails are read in the morning: nobody is written to in the night.
FIRST_HOUR: Final = 6
# A morning without a worker is made up for within so many days.
LOOKED_BACK: Final = timedelta(days=14)


def address(initiative: Initiative, part: str = "") -> str:
    """Where a mail leads to: the page of the change, or a part of it."""
    return f"{settings.SITE_URL}{reverse('initiative', args=[initiative.slug])}{part}"


# --- Questions -------------------------------------------------------------------------------------------------------
def tell_of_questions(at: datetime) -> None:
    """Once a day, from FIRST_HOUR on: who is to answer hears of the questions of earlier days, once for each day."""
    moment = timezone.localtime(at)
    if moment.hour < FIRST_HOUR:
        return
    today = moment.date()
    days = (
        Question.objects.waiting()
        .filter(asked_on__lt=today, asked_on__gte=today - LOOKED_BACK, initiative__status=InitiativeStatus.PUBLISHED)
        .order_by("asked_on", "initiative_id")
        .values_list("initiative_id", "asked_on")
        .distinct()
    )
    for initiative_id, asked_on in days:
        for person in answering(initiative_id):
            enqueue(
                kind=QUESTIONS_MAIL,
                key=f"{initiative_id}:{asked_on}:{person.pk}",
                payload={"initiative": initiative_id, "day": asked_on.isoformat(), "to": person.pk},
            )


def answering(initiative_id: int) -> list[User]:
    """Who is expected to answer: the leads, else the sponsors."""
    members = list(
        TeamMember.objects.filter(
            initiative=initiative_id, role__in=[TeamRole.LEAD, TeamRole.SPONSOR], person__is_active=True
        )
        .select_related("person")
        .order_by("pk")
    )
    leads = [member.person for member in members if member.role == TeamRole.LEAD]
    return leads or [member.person for member in members]


@job_kind(QUESTIONS_MAIL, gettext_lazy("Tell of questions about a change"))
def send_questions(run: Run) -> dict[str, Any]:
    initiative = Initiative.objects.get(pk=run.payload["initiative"])
    questions = list(
        Question.objects.waiting().filter(initiative=initiative, asked_on=date.fromisoformat(run.payload["day"]))
    )
    if not questions:  # answered meanwhile
        return {"sent": False}
    context = {
        "initiative": initiative,
        "questions": questions,
        "due_on": questions[0].due_on,
        "url": address(initiative, "#questions"),
    }
    return send_once(run, "readiness/mails/questions_asked", context)


# --- Guarding a survey -----------------------------------------------------------------------------------------------
def tell_guards(at: datetime) -> None:
    """From FIRST_HOUR on: who approves a survey, keeps its key or reads its comments hears once of each that waits for her.

    A draft that was changed is another one to approve. Nothing of an answer is in it, nor who gave one.
    """
    if timezone.localtime(at).hour < FIRST_HOUR:
        return
    members = (
        TeamMember.objects.filter(
            role__in=GUARDING, person__is_active=True, initiative__status=InitiativeStatus.PUBLISHED
        )
        .select_related("initiative", "person")
        .order_by("initiative_id", "person_id")
    )
    for initiative, person in dict.fromkeys((member.initiative, member.person) for member in members):
        for task in surveys_to_guard(person, initiative, at):
            about = digest_of(task.wave)[:12] if task.kind == "approve" else task.wave.state
            enqueue(
                kind=GUARD_MAIL,
                key=f"{task.wave.pk}:{task.kind}:{about}:{person.pk}",
                payload={"wave": task.wave.pk, "task": task.kind, "to": person.pk},
            )


@job_kind(GUARD_MAIL, gettext_lazy("Tell who guards a survey that it waits"))
def send_guard(run: Run) -> dict[str, Any]:
    wave = Wave.objects.select_related("initiative", "unit").filter(pk=run.payload["wave"]).first()
    person = User.objects.get(pk=run.payload["to"])
    waiting = surveys_to_guard(person, wave.initiative, timezone.now()) if wave is not None else ()
    task = next((task for task in waiting if task.wave == wave and task.kind == run.payload["task"]), None)
    if wave is None or task is None:  # done meanwhile
        return {"sent": False}
    doors = {"approve": "wave", "key": "wave", "read": "wave_comments"}
    url = f"{settings.SITE_URL}{reverse(doors[task.kind], args=[wave.pk])}"
    context = {"wave": wave, "initiative": wave.initiative, "task": task.kind, "url": url}
    return send_once(run, "readiness/mails/survey_waits", context)


def tell_answer(question: Question) -> None:
    """To who asked, where she gave her name."""
    if question.asked_by_id is not None:
        payload = {"question": str(question.pk), "to": question.asked_by_id}
        enqueue(kind=ANSWER_MAIL, key=str(question.pk), payload=payload)


@job_kind(ANSWER_MAIL, gettext_lazy("Tell of an answer about a change"))
def send_answer(run: Run) -> dict[str, Any]:
    question = Question.objects.select_related("initiative", "answered_by").get(pk=run.payload["question"])
    context = {
        "question": question,
        "initiative": question.initiative,
        "url": address(question.initiative, f"#q{question.pk}"),
    }
    return send_once(run, "readiness/mails/question_answered", context)


# --- Champions -------------------------------------------------------------------------------------------------------
def ask_for_hours(champion: Champion, to: User) -> None:
    """To her manager: whether she may have the hours."""
    enqueue(kind=CHAMPION_MAIL, key=f"{champion.pk}:{to.pk}", payload={"champion": champion.pk, "to": to.pk})


@job_kind(CHAMPION_MAIL, gettext_lazy("Ask for the hours of a champion"))
def send_champion_asked(run: Run) -> dict[str, Any]:
    champion = Champion.objects.select_related("initiative", "person").filter(pk=run.payload["champion"]).first()
    if champion is None or champion.manager_agreed:  # decided meanwhile
        return {"sent": False}
    url = f"{settings.SITE_URL}{reverse('champions', args=[champion.initiative.slug])}"
    context = {"champion": champion, "initiative": champion.initiative, "url": url}
    return send_once(run, "readiness/mails/champion_asked", context)


def tell_champion_decided(champion: Champion, *, agreed: bool, reason: str, by: User, to: User) -> None:
    """To the change team, and where the hours are agreed to the champion herself. A refused row is gone by then."""
    enqueue(
        kind=DECIDED_MAIL,
        key=f"{champion.pk}:{to.pk}",
        payload={
            "initiative": champion.initiative_id,
            "person": champion.person_id,
            "by": by.pk,
            "agreed": agreed,
            "hours": champion.hours_month,
            "reason": reason,
            "to": to.pk,
        },
    )


@job_kind(DECIDED_MAIL, gettext_lazy("Tell what became of a champion's hours"))
def send_champion_decided(run: Run) -> dict[str, Any]:
    initiative = Initiative.objects.get(pk=run.payload["initiative"])
    people = User.objects.in_bulk([run.payload["person"], run.payload["by"]])
    context = {
        "initiative": initiative,
        "champion": people[run.payload["person"]],
        "by": people[run.payload["by"]],
        "agreed": run.payload["agreed"],
        "hours": run.payload["hours"],
        "reason": run.payload["reason"],
        "is_her": run.payload["to"] == run.payload["person"],
        "url": address(initiative),
    }
    return send_once(run, "readiness/mails/champion_decided", context)


# --- Actions ---------------------------------------------------------------------------------------------------------
def tell_owner(action: Action) -> None:
    """To who is to do it, named by somebody else."""
    enqueue(kind=OWNER_MAIL, key=str(action.pk), payload={"action": action.pk, "to": action.owner_id})


@job_kind(OWNER_MAIL, gettext_lazy("Tell who is to do an action"))
def send_owner(run: Run) -> dict[str, Any]:
    action = Action.objects.select_related("initiative", "unit", "made_by").get(pk=run.payload["action"])
    context = {
        "action": action,
        "initiative": action.initiative,
        "url": f"{settings.SITE_URL}{reverse('action', args=[action.pk])}",
    }
    return send_once(run, "readiness/mails/action_owner", context)
