"""Wagtail's news about course pages become news about the offer."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from wagtail.signals import page_published, page_unpublished

from courses.models import CoursePage
from courses.signals import offer_changed


def _tell(sender: type[CoursePage], instance: CoursePage, **kwargs: Any) -> None:
    revision = (
        f"{instance.live_revision_id or 0}-{'live' if instance.live else 'off'}-{instance.latest_revision_id or 0}"
    )
    transaction.on_commit(
        lambda: offer_changed.send(sender=CoursePage, course_key=instance.key, revision=f"{instance.pk}-{revision}")
    )


page_published.connect(_tell, sender=CoursePage, dispatch_uid="courses.offer_published")
page_unpublished.connect(_tell, sender=CoursePage, dispatch_uid="courses.offer_unpublished")
