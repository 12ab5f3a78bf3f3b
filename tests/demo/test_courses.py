"""A seeded way through a course is what the services would have written."""

from __future__ import annotations

from typing import Any

import pytest
from django.forms.models import model_to_dict

from competencies.models import Evidence
from courses import services
from courses.models import Enrolment
from organisations.models import User

pytestmark = pytest.mark.usefixtures("made", "undone")


def walk_again(seeded: Enrolment, person: User) -> Enrolment:
    """Let somebody take the course as `seeded` was taken, through the services, moment by moment."""
    enrolment = services.enrol(person=person, course=seeded.course, at=seeded.enrolled_at)
    acts: list[tuple[Any, int, Any]] = []
    for row in seeded.progress.select_related("lesson"):
        lesson = row.lesson
        acts.append(
            (
                row.opened_at,
                0,
                lambda at, lesson=lesson: services.open_lesson(enrolment=enrolment, lesson=lesson, at=at),
            )
        )
        if row.completed_at and not lesson.is_check:
            acts.append(
                (
                    row.completed_at,
                    3,
                    lambda at, lesson=lesson: services.complete_lesson(enrolment=enrolment, lesson=lesson, at=at),
                )
            )
    for attempt in seeded.attempts.select_related("lesson"):
        given = {"enrolment": enrolment, "lesson": attempt.lesson, "answers": attempt.answers}
        acts.append((attempt.started_at, 1, lambda at, given=given: services.save_answers(**given, at=at)))
        number = attempt.number
        acts.append(
            (
                attempt.submitted_at,
                2,
                lambda at, given=given, number=number: services.submit_attempt(**given, number=number, at=at),
            )
        )
    last = max(seeded.progress.select_related("lesson"), key=lambda row: row.opened_at).lesson
    acts.append((seeded.last_seen_at, 0, lambda at: services.open_lesson(enrolment=enrolment, lesson=last, at=at)))
    for at, _order, act in sorted(acts, key=lambda act: act[:2]):
        act(at)
    enrolment.refresh_from_db()
    return enrolment


def told(enrolment: Enrolment) -> dict[str, Any]:
    return {
        "enrolment": model_to_dict(enrolment, exclude=["id", "person"]),
        "lessons": [model_to_dict(p, exclude=["id", "enrolment"]) for p in enrolment.progress.order_by("lesson")],
        "attempts": [
            model_to_dict(a, exclude=["id", "enrolment"]) for a in enrolment.attempts.order_by("lesson", "number")
        ],
        "evidence": [
            model_to_dict(e, exclude=["id", "person", "source_key"])
            | {"source": str(e.source), "key": e.source_key.replace(f":{enrolment.pk}:", ":*:")}
            for e in Evidence.objects.filter(source_key__startswith=f"enrolment:{enrolment.pk}:").order_by("competency")
        ],
    }


@pytest.fixture
def newcomer() -> User:
    return User.objects.create_user("new.comer@example.org", name="New Comer")


@pytest.mark.parametrize("which", ["failed first", "Spanish", "the security chief's", "begun"])
def test_a_seeded_way_is_what_the_services_write(which, newcomer):
    completed = Enrolment.objects.completed().order_by("pk")
    seeded = {
        "failed first": completed.filter(attempts__lesson__is_check=True, attempts__passed=False),
        "Spanish": completed.filter(course__language="es"),
        "the security chief's": completed.filter(person__email="ciso@demo.example"),
        "begun": Enrolment.objects.open().filter(person__email="learner@demo.example"),
    }[which].select_related("course")[0]
    again = walk_again(seeded, newcomer)
    assert told(again) == told(seeded)
    assert bool(told(again)["evidence"]) == (which != "begun")


def test_every_completion_left_the_evidence_of_its_course():
    for enrolment in Enrolment.objects.completed().select_related("course"):
        left = Evidence.objects.filter(source_key__startswith=f"enrolment:{enrolment.pk}:")
        expected = {(o.competency_id, o.level.rank) for o in enrolment.course.outcomes.select_related("level")}
        assert {(e.competency_id, e.rank) for e in left} == expected
