"""The catalogue as Wagtail pages: home → catalogue → course → lesson."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel
from wagtail.fields import StreamField
from wagtail.models import Orderable, Page, PageManager
from wagtail.query import PageQuerySet
from wagtail.search import index

from competencies.models import Competency, ProficiencyLevel
from competencies.models.framework import fold
from courses.blocks import LessonBodyBlock
from courses.enums import CourseFormat
from courses.forms import CourseForm
from courses.prerequisites import find_cycle
from organisations.choosers import PageChooser


class HomePage(Page):
    """The public home. Its words belong to the interface and are translated with it."""

    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["courses.CataloguePage"]
    max_count = 1
    template = "home.html"

    class Meta:
        verbose_name = _("home page")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        from courses.views import home_context

        return super().get_context(request, *args, **kwargs) | home_context(request)


class CataloguePage(Page):
    """All courses, with search."""

    parent_page_types = ["courses.HomePage"]
    subpage_types = ["courses.CoursePage"]
    max_count = 1
    template = "courses/catalogue.html"

    class Meta:
        verbose_name = _("catalogue")

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        from courses.views import catalogue_context

        return super().get_context(request, *args, **kwargs) | catalogue_context(request)

    def get_template(self, request: HttpRequest, *args: Any, **kwargs: Any) -> str:
        return "courses/partials/_catalogue.html" if getattr(request, "htmx", False) else self.template


def words_in(text: str) -> list[str]:
    """The words of a text, folded: laid down like this, every database finds the same ones."""
    return re.findall(r"[^\W_]+", fold(text))


class CoursePageQuerySet(PageQuerySet):
    def offered(self) -> CoursePageQuerySet:
        """Courses a person can take now."""
        return self.live().public()


class CoursePage(Page):
    """A course in one language. `key` is the same for all its languages: passing one is passing the course."""

    key = models.SlugField(
        _("course key"),
        max_length=120,
        blank=True,
        help_text=_("The same in all languages of this course. Empty: taken from the slug."),
    )
    language = models.CharField(
        _("language"), max_length=12, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    summary = models.TextField(
        _("summary"), max_length=400, help_text=_("What people can do afterwards, and for whom it is.")
    )
    effort_minutes = models.PositiveIntegerField(
        _("effort in minutes"),
        validators=[MinValueValidator(1), MaxValueValidator(60 * 200)],
        help_text=_("Reading, exercises and the check."),
    )
    format = models.CharField(
        _("format"),
        max_length=10,
        choices=CourseFormat.choices,
        default=CourseFormat.SELF_PACED,
        help_text=_("Classroom, live and blended courses are taken in a run, with its dates and seats."),
    )
    pass_mark_pct = models.PositiveSmallIntegerField(
        _("pass mark in percent"), default=80, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )

    objects = PageManager.from_queryset(CoursePageQuerySet)()

    parent_page_types = ["courses.CataloguePage"]
    subpage_types = ["courses.LessonPage"]
    base_form_class = CourseForm
    exclude_fields_in_copy = ["key"]
    template = "courses/course_page.html"

    content_panels = [
        *Page.content_panels,
        FieldPanel("summary"),
        FieldRowPanel(
            [FieldPanel("language"), FieldPanel("format"), FieldPanel("effort_minutes"), FieldPanel("pass_mark_pct")]
        ),
        MultiFieldPanel([InlinePanel("outcomes", label=_("Outcome"), min_num=1)], heading=_("Outcomes")),
        MultiFieldPanel([InlinePanel("prerequisites", label=_("Prerequisite"))], heading=_("Prerequisites")),
        MultiFieldPanel([InlinePanel("runs", label=_("Run"))], heading=_("Runs")),
        FieldPanel("key"),
    ]
    search_fields = [
        *Page.search_fields,
        index.SearchField("summary"),
        index.AutocompleteField("search_text"),
        index.FilterField("language"),
        index.FilterField("key"),
    ]

    class Meta:
        verbose_name = _("course")
        verbose_name_plural = _("courses")
        constraints = [
            models.UniqueConstraint(
                fields=["key", "language"],
                name="courses_one_course_per_key_and_language",
                violation_error_message=_("There is already a course with this key in this language."),
            )
        ]

    def clean(self) -> None:
        super().clean()
        self.key = self.key or self.slug
        self.check_prerequisites(self.key, {p.prerequisite.key for p in self.prerequisites.all() if p.prerequisite_id})

    def check_prerequisites(self, key: str, needed: set[str]) -> None:
        """Raise ValidationError where a course of this key that needs these would need itself in the end."""
        if key in needed:
            raise ValidationError(_("A course cannot be its own prerequisite."))
        edges: dict[str, set[str]] = {}
        others = CoursePrerequisite.objects.exclude(course_id=self.pk).values_list("course__key", "prerequisite__key")
        for course_key, prerequisite_key in others:
            edges.setdefault(course_key, set()).add(prerequisite_key)
        edges[key] = edges.get(key, set()) | needed
        cycle = find_cycle(edges)
        if cycle:
            raise ValidationError(
                _("These courses would require each other in a circle: %(cycle)s.") % {"cycle": " → ".join(cycle)}
            )

    def save(self, *args: Any, **kwargs: Any) -> Any:
        self.key = self.key or self.slug
        return super().save(*args, **kwargs)

    def search_text(self) -> str:
        """What the index holds of a course: title and summary, what it leads to in every language, its lessons."""
        lessons = LessonPage.objects.child_of(self).live().filter(is_check=False) if self.pk else []
        texts = [self.title, self.summary]
        texts += [outcome.competency.search_text for outcome in self.outcomes.all()]
        for lesson in lessons:
            texts += [lesson.title, *lesson.body.stream_block.get_searchable_content(lesson.body)]
        return " ".join(words_in(" ".join(texts)))

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        from courses.views import course_context

        return super().get_context(request, *args, **kwargs) | course_context(request, self)


class CourseOutcome(Orderable):
    """Passing the course is evidence for this competency at this level."""

    course = ParentalKey(CoursePage, on_delete=models.CASCADE, related_name="outcomes")
    competency = models.ForeignKey(
        Competency, on_delete=models.PROTECT, related_name="course_outcomes", verbose_name=_("competency")
    )
    level = models.ForeignKey(
        ProficiencyLevel,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="course_outcomes",
        verbose_name=_("level"),
        help_text=_("Empty only where the framework has no levels."),
    )

    class Meta(Orderable.Meta):
        verbose_name = _("outcome")
        verbose_name_plural = _("outcomes")
        constraints = [
            models.UniqueConstraint(
                fields=["course", "competency"],
                name="courses_one_outcome_per_competency",
                violation_error_message=_("This competency is already an outcome of the course."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.competency} · {self.level or ''}"

    def clean(self) -> None:
        super().clean()
        if not self.competency_id:
            return
        level = self.level
        if level is None:
            if self.competency.version.levels.exists():
                raise ValidationError({"level": _("Say which level the course leads to.")})
        elif level.version_id != self.competency.version_id:
            raise ValidationError({"level": _("This level belongs to another framework than the competency.")})


class CoursePrerequisite(Orderable):
    course = ParentalKey(CoursePage, on_delete=models.CASCADE, related_name="prerequisites")
    prerequisite = models.ForeignKey(
        CoursePage, on_delete=models.PROTECT, related_name="required_by", verbose_name=_("course to take first")
    )

    panels = [FieldPanel("prerequisite", widget=PageChooser(target_models=[CoursePage]))]

    class Meta(Orderable.Meta):
        verbose_name = _("prerequisite")
        verbose_name_plural = _("prerequisites")
        constraints = [
            models.UniqueConstraint(
                fields=["course", "prerequisite"],
                name="courses_one_prerequisite_per_course",
                violation_error_message=_("This course is already a prerequisite."),
            )
        ]

    def __str__(self) -> str:
        return str(self.prerequisite)


class LessonPage(Page):
    """A part of a course; with `is_check`, the questions that decide whether the course is passed."""

    minutes = models.PositiveSmallIntegerField(
        _("minutes"), default=10, validators=[MinValueValidator(1), MaxValueValidator(600)]
    )
    is_check = models.BooleanField(
        _("final check"),
        default=False,
        help_text=_("The questions of this lesson decide whether the course is passed."),
    )
    body = StreamField(LessonBodyBlock(), verbose_name=_("content"), blank=True)

    parent_page_types = ["courses.CoursePage"]
    subpage_types: list[str] = []
    template = "courses/lesson_page.html"

    content_panels = [
        *Page.content_panels,
        FieldRowPanel([FieldPanel("minutes"), FieldPanel("is_check")]),
        FieldPanel("body"),
    ]
    search_fields = [*Page.search_fields, index.SearchField("body")]

    class Meta:
        verbose_name = _("lesson")
        verbose_name_plural = _("lessons")

    @property
    def course(self) -> CoursePage:
        return self.get_parent().specific

    def clean(self) -> None:
        super().clean()
        if self.is_check and not any(block.block_type in _question_types() for block in self.body):
            raise ValidationError({"body": _("A final check needs at least one question.")})

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Lessons are for people who take the course; everybody else meets its page first."""
        from courses.views import show_lesson

        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return show_lesson(request, self)

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        from courses.views import preview_lesson

        return preview_lesson(request, self)


def _question_types() -> frozenset[str]:
    from courses.blocks import QUESTION_BLOCKS

    return frozenset(QUESTION_BLOCKS)
