"""Changes for tests of the journey, with everybody in them; made by the services the product itself uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from organisations.models import Post, Unit, User
from readiness.enums import ActionStatus, TeamRole
from readiness.initiatives import ask_question, decide_champion, propose_champion
from readiness.models import Action, Champion, Initiative, Question, TeamMember
from tests.builders import make_hr, make_person, make_post, make_unit
from tests.readiness.surveys import in_team, make_initiative, staff

ANSWERABLE = "When does the counter open?"


@dataclass(frozen=True)
class Body:
    """A public body in change: twelve people in `office`, four in `desk` below it, each led by somebody.

    `chief` leads everything, `head` the office, `first` the desk; `officer` and `clerk` are staff of office and desk.
    """

    top: Unit
    office: Unit
    desk: Unit
    chief: User
    head: User
    first: User
    officer: User
    clerk: User
    hr: User
    change: Initiative
    posts: dict[str, Post]

    @property
    def lead(self) -> User:
        return in_team(self.change, TeamRole.LEAD)


def make_body(**fields: Any) -> Body:
    top = make_unit("Registry")
    office = make_unit("Office", parent=top)
    desk = make_unit("Desk", parent=office)
    chief, head, first = make_person("Chief"), make_person("Head"), make_person("First")
    chiefs = make_post(top, title="Director", holder=chief)
    heads = make_post(office, title="Head of office", holder=head, reports_to=chiefs)
    firsts = make_post(desk, title="Team lead", holder=first, reports_to=heads)
    officers, clerks = staff(office, 11, heads), staff(desk, 3, firsts)
    hr = make_person("Hannah Human")
    make_hr(hr, top)
    change = make_initiative(top, **fields)
    posts = {"chief": chiefs, "head": heads, "first": firsts}
    return Body(top, office, desk, chief, head, first, officers[0], clerks[0], hr, change, posts)


def make_sponsor(initiative: Initiative, person: User) -> TeamMember:
    return TeamMember.objects.create(initiative=initiative, person=person, role=TeamRole.SPONSOR)


def ask(
    initiative: Initiative, by: User, text: str = ANSWERABLE, *, anonymously: bool = False, **more: Any
) -> Question:
    return ask_question(
        initiative=initiative, text=text, by=by, anonymously=anonymously, token=more.pop("token", uuid4()), **more
    )


def make_champion(body: Body, person: User, manager: User | None = None, *, hours: int = 4) -> Champion:
    """Proposed by the lead; with hours agreed to where a manager is named."""
    champion = propose_champion(initiative=body.change, person=person, hours_month=hours, by=body.lead)
    if manager is not None:
        decide_champion(champion=champion, agreed=True, by=manager)
        champion.refresh_from_db()
    return champion


def make_action(initiative: Initiative, unit: Unit, owner: User, due_on: date, **fields: Any) -> Action:
    """An action as it stands in the database, also one whose date is past: the service sets none for yesterday."""
    values = {
        "text": "Explain it in each team", "what_staff_will_notice": "A talk of half an hour", "made_by": owner,
        "status": ActionStatus.OPEN,
    } | fields  # fmt: skip
    return Action.objects.create(initiative=initiative, unit=unit, owner=owner, due_on=due_on, **values)
