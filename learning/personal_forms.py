"""Forms of what a person sets for herself."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _


class RemindersForm(forms.Form):
    recommended = forms.BooleanField(
        label=_("Remind me of what is recommended, too"),
        required=False,
        help_text=_(
            "You are always reminded of what is mandatory: one mail a week at most, with everything that is due."
        ),
    )
