"""Forms of curated paths: texts in every language of the installation, without a widget of their own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from learning.curated import MOST_COURSES
from organisations.ids import as_id
from organisations.models import Unit, User
from organisations.perms import units_served

TITLE_LENGTH = 120
SUMMARY_LENGTH = 600


class WordsForm(forms.Form):
    """A title, and with `with_summary` what it is for, in each language; the installation's own is needed."""

    with_summary = False

    def __init__(self, *args: Any, titles: Any = None, summaries: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, _name in settings.LANGUAGES:
            language = get_language_info(code)["name_translated"]
            self.fields[f"title_{code}"] = forms.CharField(
                label=_("Title in %(language)s") % {"language": language},
                max_length=TITLE_LENGTH,
                required=code == settings.LANGUAGE_CODE,
                initial=_in(titles, code),
                error_messages={"required": _("Write a title.")},
            )
        for code, _name in settings.LANGUAGES if self.with_summary else ():
            language = get_language_info(code)["name_translated"]
            self.fields[f"summary_{code}"] = forms.CharField(
                label=_("For whom, and what they can do afterwards, in %(language)s") % {"language": language},
                max_length=SUMMARY_LENGTH,
                required=False,
                initial=_in(summaries, code),
                widget=forms.Textarea(attrs={"rows": 3}),
            )

    def words(self, name: str) -> dict[str, str]:
        return {code: self.cleaned_data.get(f"{name}_{code}", "") for code, _name in settings.LANGUAGES}


def _in(words: Any, code: str) -> str:
    """A stored text in one language; a plain string is in the installation's."""
    data = getattr(words, "data", None) or {}
    if isinstance(data, str):
        return data if code == settings.LANGUAGE_CODE else ""
    return str(data.get(code, ""))


class PathForm(WordsForm):
    with_summary = True


class UnitChoice(forms.ModelChoiceField):
    def label_from_instance(self, unit: Unit) -> str:
        return "\u2003" * max(unit.depth - 1, 0) + str(unit.name)

    def to_python(self, value: Any) -> Any:
        if value not in self.empty_values and not isinstance(value, Unit) and as_id(value) is None:
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().to_python(value)


class NewPathForm(PathForm):
    unit = UnitChoice(
        label=gettext_lazy("Unit"),
        queryset=Unit.objects.none(),
        empty_label=gettext_lazy("Choose a unit"),
        help_text=gettext_lazy(
            "Its HR officers change the path. Officers of the units below can give it to their people."
        ),
        error_messages={
            "required": gettext_lazy("Choose the unit the path belongs to."),
            "invalid_choice": gettext_lazy("This unit is not among those you serve."),
        },
    )

    def __init__(self, *args: Any, officer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        served = units_served(officer)
        self.fields["unit"].queryset = served  # type: ignore[attr-defined]
        mandates = list(officer.hr_mandates.values_list("unit_id", flat=True)[:2])
        if len(mandates) == 1:
            self.fields["unit"].initial = mandates[0]


class StageForm(WordsForm):
    choose = forms.IntegerField(
        label=gettext_lazy("How many of its courses to choose"),
        required=False,
        min_value=1,
        max_value=MOST_COURSES - 1,
        help_text=gettext_lazy("Leave empty: all of them are needed."),
        error_messages={
            "invalid": gettext_lazy("Write a whole number, or nothing."),
            "min_value": gettext_lazy("Write 1 or more, or nothing."),
            "max_value": gettext_lazy("A stage does not have so many courses."),
        },
    )


class NewStageForm(WordsForm):
    pass


class PublishForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("Why it changes, in a sentence"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Colleagues in HR read it in the history of the path."),
    )
