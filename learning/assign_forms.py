"""The three questions of an assignment: what, whom, when. Together they make an `Ask`, and an `Ask` fills them in again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from competencies.models import PostRole, RoleAssignment, RoleProfile
from competencies.selectors import published_profiles, successors_of
from courses.models import CoursePage
from learning.asking import Ask, Whom, assignable_paths
from learning.due_dates import (
    AFTER_ASSIGNMENT,
    AFTER_START_IN_POST,
    AFTER_STEP,
    BEFORE_CERTIFICATION_ENDS,
    FIXED,
    MAX_DAYS,
    NONE,
    DuePolicy,
)
from learning.enums import AssignmentKind, CuratedStatus, Existing
from learning.forms import ProfileChoice, UnitChoices, acceptable_due_date
from learning.hr import people_served
from learning.list_forms import ListForm
from learning.models import CuratedPath, CuratedVersion
from learning.periods import MAX_MONTHS, Recurrence, RecurrenceRefused
from organisations.ids import ModelChoices, as_id
from organisations.models import Appointment, Unit, User
from organisations.perms import units_served

YES, NO = "yes", "no"


class PathChoice(forms.ModelChoiceField):
    """The curated paths that are in use and that an officer may assign, called as their version in force is."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=CuratedPath.objects.none(), empty_label=_("Choose a path"), **kwargs)

    def offer(self, officer: User) -> None:
        """Read what is offered today. One query."""
        self.queryset = assignable_paths(officer)
        versions = CuratedVersion.objects.filter(status=CuratedStatus.PUBLISHED, path__in=self.queryset.values("pk"))
        titles = sorted((str(version.title), version.path_id) for version in versions.only("title", "path_id"))
        self.choices = [("", self.empty_label), *((pk, title) for title, pk in titles)]
        self.is_empty = not titles


class CourseChoice(forms.ChoiceField):
    """The courses on offer by their key, each called as in the reader's language where there is such a page."""

    def offer(self) -> None:
        """Read what is offered today. One query."""
        titles = course_titles()
        self.choices = [("", _("Choose a course")), *titles]
        self.is_empty = not titles


def course_titles(keys: Iterable[str] | None = None) -> list[tuple[str, str]]:
    """Key and title by title, of what is offered; of `keys`, offered or not. One query."""
    pages = CoursePage.objects.offered() if keys is None else CoursePage.objects.filter(key__in=set(keys))
    wanted = [settings.LANGUAGE_CODE, get_language()]
    best: dict[str, tuple[int, str]] = {}
    for key, language, title in pages.exclude(key="").order_by("pk").values_list("key", "language", "title"):
        rank = max((n for n, one in enumerate(wanted) if one == language), default=-1)
        if key not in best or rank > best[key][0]:
            best[key] = (rank, title)
    return sorted(((key, title) for key, (_rank, title) in best.items()), key=lambda row: (row[1].casefold(), row[0]))


class RoleChoices(ModelChoices):
    def label_from_instance(self, profile: RoleProfile) -> str:
        return f"{profile.role}: {profile}" if str(profile.grade) else str(profile)


def roles_held(officer: User) -> list[int]:
    """The role profiles in force that somebody an officer serves has. Three queries, four after a new edition."""
    day = timezone.localdate()
    posts = Appointment.objects.current(day).filter(post__unit__in=units_served(officer).values("pk")).values("post_id")
    by_post = PostRole.objects.filter(post__in=posts).order_by().values_list("profile_id", flat=True).distinct()
    assigned = RoleAssignment.objects.current(day).filter(person__in=people_served(officer, day).values("pk"))
    ids = {*by_post, *assigned.order_by().values_list("profile_id", flat=True).distinct()}
    return sorted(set(successors_of(ids).values()))


class StepForm(forms.Form):
    """A step of the way. Answers of other steps are carried beside it (learning/assign_views.py)."""

    base_fields: ClassVar[dict[str, forms.Field]]
    use_required_attribute = False
    # Fields that have several values.
    many: frozenset[str] = frozenset()
    # Questions that want an answer, although there is a default or it depends on another answer.
    wanted: frozenset[str] = frozenset()

    def __init__(self, *args: Any, officer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer(officer)

    def offer(self, officer: User) -> None:
        """Read what there is to choose from."""

    def ask(self) -> StepForm:
        """Made ready to be shown: what wants an answer is not called optional. For after the answers were checked."""
        for name in self.wanted:
            self.fields[name].required = True
        return self


class WhatForm(StepForm):
    wanted = frozenset({"kind", "profile", "curated_path", "course", "mandatory"})
    kind = forms.ChoiceField(
        label=_("What do you assign?"),
        choices=[
            (AssignmentKind.ROLE.value, _("A role and the path to it")),
            (AssignmentKind.PATH.value, _("A curated path")),
            (AssignmentKind.COURSE.value, _("A course")),
        ],
        required=False,
        initial=AssignmentKind.ROLE.value,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Choose a role, a curated path or a course.")},
    )
    profile = ProfileChoice(
        label=_("Which role?"),
        required=False,
        error_messages={"invalid_choice": _("This role is not offered any more. Choose another.")},
    )
    curated_path = PathChoice(
        label=_("Which curated path?"),
        required=False,
        error_messages={"invalid_choice": _("This path is not in use, or not yours to assign. Choose another.")},
    )
    course = CourseChoice(
        label=_("Which course?"),
        required=False,
        error_messages={"invalid_choice": _("This course is not offered any more. Choose another.")},
    )
    mandatory = forms.ChoiceField(
        label=_("Must it be done?"),
        choices=[(YES, _("Mandatory")), (NO, _("Recommended"))],
        required=False,
        initial=YES,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Choose mandatory or recommended.")},
    )
    note = forms.CharField(
        label=_("Why?"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_(
            "A sentence that people read beside it, such as “The new data protection act asks it of everybody.”"
        ),
        error_messages={"max_length": _("Keep it to %(limit_value)d characters; these are %(show_value)d.")},
    )
    asked: dict[str, tuple[str, Any]] = {
        AssignmentKind.ROLE.value: ("profile", _("Choose the role to assign.")),
        AssignmentKind.PATH.value: ("curated_path", _("Choose the path to assign.")),
        AssignmentKind.COURSE.value: ("course", _("Choose the course to assign.")),
    }

    def offer(self, officer: User) -> None:
        self.fields["profile"].offer()  # type: ignore[attr-defined]
        self.fields["curated_path"].offer(officer)  # type: ignore[attr-defined]
        self.fields["course"].offer()  # type: ignore[attr-defined]
        # What there is nothing of is not asked about.
        kinds = self.fields["kind"]
        empty = {kind for kind, (name, _s) in self.asked.items() if getattr(self.fields[name], "is_empty", False)}
        kinds.choices = [choice for choice in kinds.choices if choice[0] not in empty]  # type: ignore[attr-defined]

    def clean_note(self) -> str:
        return " ".join(self.cleaned_data["note"].split())

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "kind" in self.errors:
            return data
        data["kind"] = kind = data.get("kind") or AssignmentKind.ROLE.value
        wanted, sentence = self.asked[kind]
        for name, _sentence in self.asked.values():
            if name != wanted:  # chosen first, then thought better of
                self.errors.pop(name, None)
                data[name] = None
        if wanted not in self.errors and not data.get(wanted):
            self.add_error(wanted, sentence)
        return data


class WhomForm(ListForm, StepForm):
    field_order = ("units", "with_sub_units", "people", "holders", "emails", "file", "list_name")
    many = frozenset({"units", "people", "holders"})
    units = UnitChoices(
        label=_("Units"),
        queryset=Unit.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("One of these units is not among those you serve.")},
    )
    with_sub_units = forms.BooleanField(label=_("Also the units below those chosen"), required=False, initial=True)
    people = ModelChoices(
        label=_("People"),
        queryset=User.objects.none(),
        required=False,
        widget=forms.MultipleHiddenInput,
        error_messages={"invalid_choice": _("One of these people is not among those you serve.")},
    )
    holders = RoleChoices(
        label=_("Everybody who has one of these roles"),
        queryset=RoleProfile.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": _("Nobody you serve has one of these roles any more. Choose again.")},
    )

    def offer(self, officer: User) -> None:
        held = roles_held(officer)
        self.fields["units"].queryset = units_served(officer)  # type: ignore[attr-defined]
        self.fields["people"].queryset = people_served(officer)  # type: ignore[attr-defined]
        self.fields["holders"].queryset = published_profiles().filter(pk__in=held)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not any(data.get(name) for name in ("units", "people", "holders", "emails")):
            raise forms.ValidationError(
                _("Say whom you mean: choose at least one unit, role or person, paste a list or choose a file.")
            )
        return data

    def whom(self) -> Whom:
        data = self.cleaned_data
        return Whom(
            unit_ids=tuple(unit.pk for unit in data["units"]),
            with_sub_units=data["with_sub_units"],
            person_ids=tuple(person.pk for person in data["people"]),
            holders_of=tuple(profile.pk for profile in data["holders"]),
            emails=data["emails"],
            list_name=data["list_name"] if data["emails"] else "",
        )


# What a due date asks for beside its kind.
ASKS = {
    FIXED: ("due_on",),
    AFTER_ASSIGNMENT: ("due_days",),
    AFTER_START_IN_POST: ("due_days",),
    AFTER_STEP: ("due_days", "due_course"),
    BEFORE_CERTIFICATION_ENDS: ("due_days",),
}


class WhenForm(StepForm):
    wanted = frozenset({"due", "due_on", "due_days", "due_course", "existing"})
    due = forms.ChoiceField(
        label=_("Until when?"),
        choices=[
            (NONE, _("No date")),
            (FIXED, _("A date, the same for everybody")),
            (AFTER_ASSIGNMENT, _("Some days after the assignment")),
            (AFTER_START_IN_POST, _("Some days after each one’s start in the post")),
            (AFTER_STEP, _("Some days after another course is completed")),
            (BEFORE_CERTIFICATION_ENDS, _("Some days before a certification ends")),
        ],
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Choose what the date depends on.")},
    )
    due_on = forms.DateField(
        label=_("Due date"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("The last day in time. People see it on their path."),
    )
    due_days = forms.IntegerField(
        label=_("How many days?"), required=False, widget=forms.NumberInput(attrs={"min": 1, "max": MAX_DAYS})
    )
    due_course = CourseChoice(
        label=_("After which course?"),
        required=False,
        error_messages={"invalid_choice": _("This course is not offered any more. Choose another.")},
    )
    repeat_months = forms.IntegerField(
        label=_("Again every so many months"),
        required=False,
        widget=forms.NumberInput(attrs={"min": 1, "max": MAX_MONTHS}),
        help_text=_("Leave it empty if once is enough. 12 is once a year."),
    )
    opens_days = forms.IntegerField(
        label=_("Open so many days before it is due"),
        required=False,
        initial=90,
        widget=forms.NumberInput(attrs={"min": 0}),
        help_text=_("What is done earlier counts for the time before."),
    )
    grace_days = forms.IntegerField(
        label=_("Let pass so many days after it was due"),
        required=False,
        initial=0,
        widget=forms.NumberInput(attrs={"min": 0}),
    )
    existing = forms.ChoiceField(
        label=_("Who has it already"),
        choices=Existing.choices,
        required=False,
        initial=Existing.KEEP.value,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Choose what happens to the dates of those who have it already.")},
    )

    def offer(self, officer: User) -> None:
        self.fields["due_course"].offer()  # type: ignore[attr-defined]
        if not self.is_bound:
            self.initial.setdefault("due", FIXED if self.initial.get("due_on") else NONE)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "due" in self.errors:
            return data
        data["due"] = kind = data.get("due") or (FIXED if data.get("due_on") or "due_on" in self.errors else NONE)
        for name in {"due_on", "due_days", "due_course"} - set(ASKS.get(kind, ())):
            self.errors.pop(name, None)
            data[name] = None
        for name in ASKS.get(kind, ()):
            if name not in self.errors:
                self._check_due(name, data.get(name))
        self._check_repeat(data)
        return data

    def _check_due(self, name: str, value: Any) -> None:
        if name == "due_on":
            if value is None:
                self.add_error(name, _("Give the date."))
                return
            try:
                acceptable_due_date(value)
            except forms.ValidationError as error:
                self.add_error(name, error)
        elif name == "due_days" and (value is None or not 1 <= value <= MAX_DAYS):
            self.add_error(name, gettext("Give a number of days from 1 to %(most)s.") % {"most": MAX_DAYS})
        elif name == "due_course" and not value:
            self.add_error(name, _("Choose the course after which the days are counted."))

    def _check_repeat(self, data: dict[str, Any]) -> None:
        data["repeat"] = None
        if "repeat_months" in self.errors:
            return
        if not data.get("repeat_months") and data.get("repeat_months") != 0:
            for name in ("opens_days", "grace_days"):
                self.errors.pop(name, None)
            return
        if {"opens_days", "grace_days"} & set(self.errors):
            return
        opens, grace = data.get("opens_days"), data.get("grace_days")
        try:
            data["repeat"] = Recurrence(data["repeat_months"], 0 if opens is None else opens, grace or 0)
        except RecurrenceRefused as refused:
            field = {"every_months": "repeat_months", "grace_days": "grace_days"}.get(refused.place, "opens_days")
            self.add_error(field, _repeat_sentence(refused))
            return
        if data["due"] == NONE:
            self.add_error("due", _("What comes round again needs a first date. Say until when."))

    def due_policy(self) -> DuePolicy:
        data = self.cleaned_data
        return DuePolicy(
            data["due"],
            on=data.get("due_on"),
            days=data.get("due_days") or 0,
            course_key=data.get("due_course") or "",
        )


def _repeat_sentence(refused: RecurrenceRefused) -> str:
    if refused.problem == "overlaps":
        return gettext("One time would open before the one before it is over. Give fewer days, or more months.")
    if refused.place == "every_months":
        return gettext("Give a number of months from 1 to %(most)s.") % {"most": MAX_MONTHS}
    return gettext("Give a number of days from 0.")


FORMS: dict[str, type[StepForm]] = {"what": WhatForm, "whom": WhomForm, "when": WhenForm}


def ask_in(what: Any, whom: Any, when: Any) -> Ask:
    """What three valid forms ask for."""
    data = what.cleaned_data
    return Ask(
        kind=AssignmentKind(data["kind"]),
        whom=whom.whom(),
        profile_id=data["profile"].pk if data.get("profile") else None,
        curated_path_id=data["curated_path"].pk if data.get("curated_path") else None,
        course_key=data.get("course") or "",
        mandatory=data.get("mandatory") != NO,
        note=data["note"],
        due_policy=when.due_policy(),
        repeat=when.cleaned_data["repeat"],
        existing=Existing(when.cleaned_data.get("existing") or Existing.KEEP),
    )


def answers_of(ask: Ask) -> QueryDict:
    """An `Ask` as the answers that would make it again."""
    answers = QueryDict(mutable=True)
    due, repeat = ask.due_policy, ask.repeat
    single = {
        "kind": ask.kind.value,
        "profile": ask.profile_id,
        "curated_path": ask.curated_path_id,
        "course": ask.course_key,
        "mandatory": YES if ask.mandatory else NO,
        "note": ask.note,
        "emails": "\n".join(ask.whom.emails),
        "list_name": ask.whom.list_name,
        "due": due.kind,
        "due_on": due.on and due.on.isoformat(),
        "due_days": due.days or None,
        "due_course": due.course_key,
        "repeat_months": repeat and repeat.every_months,
        "opens_days": repeat and repeat.opens_days_before,
        "grace_days": repeat and repeat.grace_days,
        "existing": ask.existing.value,
    }
    for name, value in single.items():
        answers[name] = "" if value is None else str(value)
    if ask.whom.with_sub_units:
        answers["with_sub_units"] = "on"
    for name, ids in (("units", ask.whom.unit_ids), ("people", ask.whom.person_ids), ("holders", ask.whom.holders_of)):
        answers.setlist(name, [str(pk) for pk in ids])
    return answers


def plain_ids(texts: Iterable[str], limit: int) -> list[int]:
    """The ids among what somebody sent, not more than `limit`."""
    return [pk for pk in map(as_id, texts) if pk is not None][:limit]
