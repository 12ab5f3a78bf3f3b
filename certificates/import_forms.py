"""Forms for a badge from elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from certificates.importing import Suggestion
from competencies.claim_forms import MAX_TEXT, LevelledForm


class BadgeForm(forms.Form):
    badge = forms.FileField(
        label=_("The badge"),
        help_text=_(
            "As you downloaded it: a JSON or JWT file, or a PNG or SVG picture with the badge inside. At most 10 MB."
        ),
        allow_empty_file=True,  # said in our own words
        error_messages={"required": _("Choose the file of the badge."), "invalid": _("Choose the file of the badge.")},
        widget=forms.ClearableFileInput(
            attrs={"accept": ".json,.jwt,.txt,.png,.svg,application/json,image/png,image/svg+xml"}
        ),
    )


class CompetencyForm(forms.Form):
    """Which competency it shows; those the badge names come first."""

    competency = forms.ChoiceField(
        label=_("Which competency does it show?"),
        help_text=_("Those that your roles ask for, and those that the badge names."),
        error_messages={
            "required": _("Choose the competency it shows."),
            "invalid_choice": _("Choose the competency it shows."),
        },
    )

    def __init__(self, *args: Any, suggestions: Sequence[Suggestion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for suggestion in suggestions:
            competency = suggestion.competency
            title = str(_("Named by the badge")) if suggestion.matched else str(competency.version.framework)
            groups[title].append((str(competency.pk), str(competency)))
        self.fields["competency"].choices = [("", _("Choose a competency")), *groups.items()]  # type: ignore[attr-defined]


class ShowsForm(LevelledForm):
    """The level it shows, in the person's judgement, and what she had to do."""

    statement = forms.CharField(
        label=_("What did you have to do for it?"),
        help_text=_("An examination, a project, days of attendance: it helps whoever decides."),
        required=False,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    field_order = ["rank", "statement"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "rank" in self.fields:
            self.fields["rank"].label = _("Which level does it show?")
            self.fields["rank"].error_messages["required"] = _("Choose the description that it shows.")
