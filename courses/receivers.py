"""Wagtail's news about pages: what is offered has changed, and what a search finds."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete
from wagtail.models import Page
from wagtail.search import index
from wagtail.signals import page_published, page_unpublished, post_page_move

from courses.models import CoursePage, LessonPage
from courses.signals import offer_changed


def _tell(sender: type[CoursePage], instance: CoursePage, **kwargs: Any) -> None:
    revision = (
        f"{instance.live_revision_id or 0}-{'live' if instance.live else 'off'}-{instance.latest_revision_id or 0}"
    )
    transaction.on_commit(
        lambda: offer_changed.send(sender=CoursePage, course_key=instance.key, revision=f"{instance.pk}-{revision}")
    )


def _index(course: CoursePage) -> None:
    """Lay down anew what a search finds; Wagtail does it when a page itself is saved, before its outcomes are."""
    transaction.on_commit(lambda: index.insert_or_update_object(course))


def _course_changed(sender: type[CoursePage], instance: CoursePage, **kwargs: Any) -> None:
    _index(CoursePage.objects.get(pk=instance.pk))


def _lesson_changed(
    sender: type[LessonPage], instance: LessonPage, parent_page_before: Page | None = None, **kwargs: Any
) -> None:
    """A course is found by the words of its lessons; one that moved changes two courses."""
    paths = {instance.path[: -LessonPage.steplen], parent_page_before.path if parent_page_before else ""}
    for course in CoursePage.objects.filter(path__in=paths):
        _index(course)


for _signal in (page_published, page_unpublished, post_page_move, post_delete):
    _signal.connect(_lesson_changed, sender=LessonPage)
page_published.connect(_course_changed, sender=CoursePage, dispatch_uid="courses.course_indexed")
page_published.connect(_tell, sender=CoursePage, dispatch_uid="courses.offer_published")
page_unpublished.connect(_tell, sender=CoursePage, dispatch_uid="courses.offer_unpublished")
