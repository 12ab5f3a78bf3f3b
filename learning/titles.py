"""What assignments are called, in whatever language is active when the name is needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db.models import Prefetch, QuerySet
from django.utils.translation import get_language

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
