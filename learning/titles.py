"""What assignments ask for, by the name a reader knows it by."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.utils.translation import get_language

from courses.models import CoursePage
from learning.enums import CuratedStatus
from learning.models import Assignment, CuratedVersion


def titles_of(assignments: Iterable[Assignment]) -> dict[int, str]:
    """The role, curated path or course of each assignment (with `role_assignment__profile__role` selected), by its id.

    A query for paths and one for courses, where there are any.
    """
    rows = list(assignments)
    paths = {row.curated_path_id for row in rows if row.curated_path_id is not None}
    versions = (
        CuratedVersion.objects.filter(path_id__in=paths, status=CuratedStatus.PUBLISHED).order_by("number")
        if paths
        else ()
    )
    path_titles = {version.path_id: str(version.title) for version in versions}
    courses = course_titles(row.course_key for row in rows if row.course_key)
    found = {}
    for row in rows:
        if row.role_assignment is not None:
            found[row.pk] = str(row.role_assignment.profile)
        elif row.curated_path_id is not None:
            found[row.pk] = path_titles.get(row.curated_path_id, "") or str(row.curated_path)
        else:
            found[row.pk] = courses.get(row.course_key, row.course_key)
    return found


def course_titles(keys: Iterable[str]) -> dict[str, str]:
    """Titles of courses by key, in the reader's language where there is one. One query, none for no keys."""
    wanted = set(keys)
    if not wanted:
        return {}
    # The reader's language last, so that it is what stays.
    order = [settings.LANGUAGE_CODE, get_language()]
    pages = CoursePage.objects.filter(key__in=wanted).order_by("live", "-pk").values_list("key", "language", "title")
    ranked = sorted(pages, key=lambda page: order.index(page[1]) if page[1] in order else -1)
    return {key: title for key, _language, title in ranked}
