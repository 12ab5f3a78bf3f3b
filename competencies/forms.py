from __future__ import annotations

from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from competencies.models import Competency
from competencies.selectors import Descriptor, descriptors_of


def level_choices(descriptors: list[Descriptor]) -> list[tuple[str, str]]:
    if not descriptors:
        return [("0", str(_("Not yet"))), ("1", str(_("Yes")))]
    return [(str(d.rank), _("Level %(rank)s · %(label)s") % {"rank": d.rank, "label": d.label}) for d in descriptors]


class AssessForm(forms.Form):
    """Which descriptor fits. The token makes a doubled press one press."""

    rank = forms.ChoiceField(
        label=_("Which of these fits?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the description that fits, or skip this one.")},
    )
    token = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def __init__(self, *args: object, competency: Competency, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.descriptors = descriptors_of(competency)
        self.fields["rank"].choices = level_choices(self.descriptors)  # type: ignore[attr-defined]
        self.fields["token"].initial = lambda: str(uuid4())

    @property
    def descriptions_by_rank(self) -> dict[str, str]:
        return {str(d.rank): d.text for d in self.descriptors}

    def clean_rank(self) -> int:
        return int(self.cleaned_data["rank"])


class ManagerAssessForm(AssessForm):
    note = forms.CharField(
        label=_("What have you seen?"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A sentence the person will read: the piece of work that shows it."),
    )
