"""Forms of a person's own path."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from learning.forms import ProfileChoice
from learning.wishes import LEAST_WEEKLY, MOST_WEEKLY


class PaceForm(forms.Form):
    hours = forms.DecimalField(
        label=_("Hours a week for learning"),
        min_value=Decimal(LEAST_WEEKLY) / 60,
        max_value=Decimal(MOST_WEEKLY) / 60,
        max_digits=6,
        decimal_places=2,
        error_messages={
            "min_value": _("Choose between a quarter of an hour and 40 hours a week."),
            "max_value": _("Choose between a quarter of an hour and 40 hours a week."),
        },
        help_text=_("Half an hour is 0.5."),
    )

    @property
    def weekly_minutes(self) -> int:
        return round(self.cleaned_data["hours"] * 60)


class DeclineForm(forms.Form):
    reason = forms.CharField(
        label=_("Why is this course not for you?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("HR reads it beside the course, without your name. It does not change your level."),
        error_messages={"required": _("Say why, so that whoever plans courses learns from it.")},
    )


class WhatIfForm(forms.Form):
    """Everything is optional: what is left alone stays as it is."""

    hours = forms.DecimalField(
        label=_("Hours a week for learning"),
        required=False,
        min_value=Decimal(LEAST_WEEKLY) / 60,
        max_value=Decimal(MOST_WEEKLY) / 60,
        max_digits=6,
        decimal_places=2,
        error_messages={
            "min_value": _("Choose between a quarter of an hour and 40 hours a week."),
            "max_value": _("Choose between a quarter of an hour and 40 hours a week."),
        },
    )
    role = ProfileChoice(label=_("With one role more"), required=False)
    skip = forms.MultipleChoiceField(
        label=_("Without these courses"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, courses: list[tuple[str, str]], held: Collection[int] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].offer(but=held)  # type: ignore[attr-defined]
        self.fields["skip"].choices = courses  # type: ignore[attr-defined]

    @property
    def weekly_minutes(self) -> int | None:
        hours = self.cleaned_data["hours"]
        return None if hours is None else round(hours * 60)
