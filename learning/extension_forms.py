"""Forms of asking for more time, and of deciding on it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from learning.enums import Decision
from learning.extensions import MAX_TEXT, RequestView
from learning.room import Room


def day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class AskForm(forms.Form):
    until = forms.DateField(
        label=_("Until when?"),
        widget=day_input(),
        error_messages={"required": _("Choose the date you ask for."), "invalid": _("Choose a date after today.")},
    )
    reason = forms.CharField(
        label=_("Why do you need more time?"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Who decides reads it. A sentence is enough."),
        error_messages={"required": _("Say why: whoever decides reads it.")},
    )


def suggested_until(room: Room, due_on: date) -> date:
    """A date worth asking for: the first that can be met at her pace, else two weeks more."""
    realistic = room.realistic_from(due_on)
    if realistic is not None and realistic > due_on:
        return realistic
    return max(due_on, room.day) + timedelta(days=14)


class DecideForm(forms.Form):
    decision = forms.ChoiceField(
        choices=[(Decision.GRANTED, ""), (Decision.REFUSED, "")],
        widget=forms.HiddenInput,
        error_messages={
            "required": _("Grant the time or refuse it."),
            "invalid_choice": _("Grant the time or refuse it."),
        },
    )
    until = forms.DateField(
        label=_("More time until"),
        required=False,
        widget=day_input(),
        help_text=_("The date she asks for; choose another one where that fits better."),
        error_messages={"invalid": _("Choose a date after today.")},
    )
    answer = forms.CharField(
        label=_("Your answer"),
        required=False,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The person reads it. If you refuse, say why and what would help."),
    )

    def __init__(self, *args: Any, view: RequestView, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"until": view.request.until})
        kwargs["auto_id"] = f"id_{view.request.pk}_%s"  # several of them stand on one page
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("decision") == Decision.GRANTED and not data.get("until") and "until" not in self.errors:
            self.add_error("until", forms.ValidationError(_("Choose the date until which she has time.")))
        if data.get("decision") == Decision.REFUSED and not data.get("answer") and "answer" not in self.errors:
            self.add_error("answer", forms.ValidationError(_("Say why, and what would help: the person reads it.")))
        return data
