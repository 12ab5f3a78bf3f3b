"""Definitions for tests, made by the services HR uses."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from io import BytesIO
from typing import Any

from django.utils import timezone
from PIL import Image

from certificates.defining import Said, activate_definition, make_definition
from certificates.models import Definition
from courses.models import CoursePage, Enrolment
from learning.curated import add_courses, add_stage, make_path, publish_version
from learning.models import CuratedPath
from organisations.models import Unit, User
from tests.builders import make_hr, make_person, make_post, make_unit


def house(name: str = "") -> tuple[Unit, User, User]:
    """A unit, its HR officer and somebody who works there."""
    unit, hr, person = make_unit(name), make_person("Hannah Human"), make_person("Ana Quispe")
    make_post(unit, holder=person)
    make_hr(hr, unit)
    return unit, hr, person


def define(by: User, kind: str, *, active: bool = True, title: str = "Certified", **said: Any) -> Definition:
    words = {"en": title} if isinstance(title, str) else title
    definition = make_definition(said=Said(kind=kind, title=words, **said), by=by)
    return activate_definition(definition=definition, by=by) if active else definition


def make_curated(unit: Unit, by: User, courses: list[CoursePage], *, choose: list[CoursePage] = ()) -> CuratedPath:
    """A published path of one stage with all of `courses`, and with `choose` another with one of those."""
    version = make_path(unit=unit, title={"en": "Welcome"}, summary={}, by=by)
    stage = add_stage(version=version, title={"en": "Basics"}, by=by)
    add_courses(version=version, stage_id=stage.pk, keys=[course.key for course in courses], by=by)
    if choose:
        stage = add_stage(version=version, title={"en": "One of"}, by=by)
        add_courses(version=version, stage_id=stage.pk, keys=[course.key for course in choose], by=by)
        version.stages.filter(pk=stage.pk).update(choose=1)
    return publish_version(version=version, by=by).path


def complete(
    person: User, course: CoursePage, *, days_ago: int = 0, number: int = 1, assessed: bool = True
) -> Enrolment:
    """A completed enrolment, without a word to anybody."""
    return Enrolment.objects.create(
        person=person, course=course, number=number, assessed=assessed, completed_at=noon(days_ago)
    )


def noon(days_ago: int = 0) -> datetime:
    day = timezone.localdate() - timedelta(days=days_ago)
    return datetime.combine(day, time(12), tzinfo=UTC)


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), **options: object) -> bytes:
    file = BytesIO()
    Image.new("RGB", size, "#0B5A75").save(file, format=kind, **options)
    return file.getvalue()
