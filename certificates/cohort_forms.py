"""The questions of a cohort: which course, whom, and what it is called."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from certificates.cohorts import CohortAsk, How
from courses.models import CoursePage, Enrolment
from learning.assign_forms import course_titles
from learning.forms import UnitChoices
from learning.list_forms import ListForm
from learning.lists import count_of
from organisations.ids import as_id
from organisations.models import Unit, User
from organisations.perms import units_served

EARLIEST = date(2000, 1, 1)


def certified_courses() -> list[tuple[str, str]]:
    """Key and title of the courses that somebody completed, offered or no more. Two queries."""
    done = Enrolment.objects.completed().filter(course=OuterRef("pk"))
    keys = CoursePage.objects.filter(Exists(done)).exclude(key="").values_list("key", flat=True)
    return course_titles(list(keys))


class UnitChoice(forms.ModelChoiceField):
    def label_from_instance(self, unit: Unit) -> str:
        return UnitChoices.label_from_instance(self, unit)  # type: ignore[arg-type]  # asks nothing of the field

    def to_python(self, value: Any) -> Unit | None:
        # Django lets numbers through to the database that it cannot take.
        found: Unit | None = super().to_python(value if as_id(value) is not None else ("-" if value else value))
        return found


def _day_field(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Write the day as year-month-day, such as 2026-03-31.")},
    )


class CohortForm(ListForm):
    field_order = ("course", "how", "first", "last", "unit", "file", "emails", "list_name", "note")
    use_required_attribute = False

    course = forms.ChoiceField(
        label=_("Which course?"),
        error_messages={
            "required": _("Choose the course."),
            "invalid_choice": _("Nobody has completed this course. Choose another."),
        },
    )
    how = forms.ChoiceField(
        label=_("Who of those who completed it?"),
        choices=[
            (How.BETWEEN.value, _("Everybody who completed it between two days")),
            (How.UNIT.value, _("The people of a unit and those below it")),
            (How.LIST.value, _("The people of a list")),
        ],
        initial=How.BETWEEN.value,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose whom you mean."), "invalid_choice": _("Choose whom you mean.")},
    )
    first = _day_field(_("From"))
    last = _day_field(_("To, this day included"))
    unit = UnitChoice(
        label=_("Which unit?"),
        queryset=Unit.objects.none(),
        required=False,
        empty_label=_("Choose a unit"),
        error_messages={"invalid_choice": _("This unit is not among those you serve.")},
    )
    note = forms.CharField(
        label=_("What do you call this cohort?"),
        required=False,
        max_length=120,
        help_text=_("For you to find it again, such as “Spring 2026”. It stands on no certificate."),
        error_messages={"max_length": _("Keep it to %(limit_value)d characters; these are %(show_value)d.")},
    )

    def __init__(self, *args: Any, officer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        titles = certified_courses()
        self.fields["course"].choices = [("", _("Choose a course")), *titles]  # type: ignore[attr-defined]
        self.has_courses = bool(titles)
        self.fields["unit"].queryset = units_served(officer)  # type: ignore[attr-defined]

    def asked(self) -> CohortForm:
        """Made ready to be shown: what wants an answer is not called optional. For after the answers were checked."""
        for name in ("first", "last", "unit"):
            self.fields[name].required = True
        return self

    def clean_note(self) -> str:
        return " ".join(self.cleaned_data["note"].split())

    def clean(self) -> dict[str, Any]:
        """What was answered first and is not asked any more complains of nothing."""
        data = super().clean() or {}
        how = data.get("how")
        asked = {How.BETWEEN: ("first", "last"), How.UNIT: ("unit",), How.LIST: ("emails", "file")}
        for other, names in asked.items():
            for name in names:
                if other != how:
                    self.errors.pop(name, None)
        if how == How.BETWEEN:
            self._check_days(data)
        elif how == How.UNIT and not data.get("unit") and "unit" not in self.errors:
            self.add_error("unit", _("Choose the unit."))
        elif how == How.LIST and not count_of(data.get("emails") or ()) and "emails" not in self.errors:
            self.add_error("emails", _("Paste the addresses or choose a file."))
        return data

    def _check_days(self, data: dict[str, Any]) -> None:
        for name in ("first", "last"):
            day = data.get(name)
            if day is None and name not in self.errors:
                self.add_error(name, _("Give the day."))
            elif day is not None and not EARLIEST <= day <= timezone.localdate():
                self.add_error(name, _("Choose a day between the year 2000 and today."))
        first, last = data.get("first"), data.get("last")
        if first is not None and last is not None and last < first:
            self.add_error("last", _("This day is before the first one."))

    def ask(self) -> CohortAsk:
        data, how = self.cleaned_data, How(self.cleaned_data["how"])
        return CohortAsk(
            course_key=data["course"],
            how=how,
            first=data.get("first") if how == How.BETWEEN else None,
            last=data.get("last") if how == How.BETWEEN else None,
            unit_id=data["unit"].pk if how == How.UNIT else None,
            emails=data["emails"] if how == How.LIST else (),
            list_name=data["list_name"] if how == How.LIST else "",
            note=data["note"],
        )
