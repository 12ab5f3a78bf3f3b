"""What assignments are called, in whatever language is active when the name is needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.utils.translation import get_language, override

from courses.models import CoursePage
from learning.enums import CuratedStatus
from learning.models import Assignment, CuratedVersion


def with_names(assignments: QuerySet[Assignment]) -> QuerySet[Assignment]:
    """Assignments with the role and the published version of the curated path they ask for: two more queries."""
    published = CuratedVersion.objects.filter(status=CuratedStatus.PUBLISHED)
    return assignments.select_related("role_assignment__profile__role").prefetch_related(
        Prefetch("curated_path__versions", queryset=published, to_attr="in_force")
    )


class Titles:
    """Names of assignments (read `with_names`). One query for the pages of all their courses, none where there are none."""

    def __init__(self, assignments: Iterable[Assignment], keys: Iterable[str] = ()) -> None:
        wanted = {assignment.course_key for assignment in assignments if assignment.course_key} | set(keys)
        self.pages: dict[str, list[CoursePage]] = defaultdict(list)
        if wanted:
            for page in CoursePage.objects.filter(key__in=wanted).order_by("-live", "pk"):
                self.pages[page.key].append(page)

    def page(self, key: str) -> CoursePage | None:
        """The page of a course: offered before not offered, then in the reader's language before any other."""
        languages: Sequence[str | None] = (get_language(), settings.LANGUAGE_CODE)
        return min(
            self.pages.get(key, ()),
            key=lambda page: (
                not page.live,
                languages.index(page.language) if page.language in languages else len(languages),
                page.pk,
            ),
            default=None,
        )

    def of(self, assignment: Assignment) -> str:
        if assignment.course_key:
            page = self.page(assignment.course_key)
            return page.title if page is not None else assignment.course_key
        if assignment.role_assignment is not None:
            return str(assignment.role_assignment.profile)
        versions = getattr(assignment.curated_path, "in_force", [])
        return str(versions[0].title) if versions else str(assignment.curated_path)


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


def title_for_its_person(assignment: Assignment) -> str:
    """What it is called in the language of the person it is for, where that is known."""
    with override(assignment.person.language or get_language()):
        return titles_of([assignment])[assignment.pk]


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
