"""Forms of the exceptions: which are shown, and what is done with those ticked."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from learning.exceptions import Kind
from learning.extension_forms import day_input
from organisations.ids import as_id
from organisations.models import Unit, User
from organisations.perms import units_served


class UnitChoice(forms.ModelChoiceField):
    def to_python(self, value: Any) -> Any:
        if value not in self.empty_values and as_id(value) is None:
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().to_python(value)

    def label_from_instance(self, unit: Unit) -> str:
        # The depth in words a screen reader skips: an em space a level.
        return "\u2003" * max(unit.depth - 1, 0) + str(unit.name)


class ExceptionFilter(forms.Form):
    says_optional = False

    kind = forms.ChoiceField(label=_("What is wrong"), required=False, choices=[("", _("Everything")), *Kind.choices])
    unit = UnitChoice(label=_("Unit"), queryset=Unit.objects.none(), required=False, empty_label=_("All units"))

    def __init__(self, *args: Any, officer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = units_served(officer)  # type: ignore[attr-defined]


DATE, EXEMPT, LEAVE, AGAIN = "date", "exempt", "leave", "again"


class ActForm(forms.Form):
    """What to do with the rows ticked. Dates of single rows are in fields of their own: `due_<id>`."""

    says_optional = False  # what is shown is what the answer before asks for

    do = forms.ChoiceField(
        label=_("What to do with those ticked"),
        choices=[
            (DATE, _("Set the date in their row")),
            (EXEMPT, _("Exempt them, with a reason")),
            (LEAVE, _("Leave it as it is for now")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose what to do."), "invalid_choice": _("Choose what to do.")},
    )
    reason = forms.CharField(
        label=_("Why they are exempt"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Each person reads it on her path."),
    )
    until = forms.DateField(
        label=_("Leave it until"),
        required=False,
        widget=day_input(),
        help_text=_("Then it comes back to this list, if it is still so."),
        error_messages={"invalid": _("Choose a date after today.")},
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("do") == EXEMPT and not data.get("reason") and "reason" not in self.errors:
            self.add_error("reason", forms.ValidationError(_("Say why: the person reads it.")))
        if data.get("do") == LEAVE and not data.get("until") and "until" not in self.errors:
            self.add_error("until", forms.ValidationError(_("Choose the date until which you leave it.")))
        return data


def read_day(text: str) -> date | None:
    """A date as a browser sends it; None for anything else."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None
