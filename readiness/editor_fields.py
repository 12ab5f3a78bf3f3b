"""Fields, forms and rows that pages of change in the CMS share."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy
from i18nfield.forms import I18nFormField, I18nTextarea
from wagtail.admin.forms.models import WagtailAdminModelForm

from competencies.banks_editor import OptionsPanel
from competencies.editor import LineInEachLanguage, TextInEachLanguage, name_languages
from competencies.models.framework import in_languages
from organisations.models import User
from readiness.instruments import question_languages


class PersonField(forms.ModelChoiceField):
    """A person by her e-mail address: a list to choose from would hold everybody who works for the state."""

    default_error_messages = {"invalid_choice": gettext_lazy("Nobody here has this e-mail address.")}

    def __init__(self, *, label: Any) -> None:
        super().__init__(
            queryset=User.objects.all(),
            label=label,
            to_field_name="email",
            help_text=gettext_lazy("The e-mail address she signs in with."),
            widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        )

    def prepare_value(self, value: Any) -> Any:
        pk = value if isinstance(value, int) else None
        if pk is not None:
            return User.objects.filter(pk=pk).values_list("email", flat=True).first() or ""
        return super().prepare_value(value)

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        text = str(getattr(value, "email", value)).strip().lower()
        found = User.objects.filter(email=text).first() if "\0" not in text else None
        if found is None:
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), str(data or "").strip().lower())


class WordsForm(WagtailAdminModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_languages(self)


class QuestionWordsForm(WagtailAdminModelForm):
    """Texts in every language questionnaires are written in, and in those they have: saving loses none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in list(self.fields.items()):
            if not isinstance(field, I18nFormField):
                continue
            there = in_languages(getattr(self.instance, name) or "")
            long = isinstance(field.widget, I18nTextarea)
            self.fields[name] = I18nFormField(
                locales=list(dict.fromkeys([*question_languages(), *there])),
                widget=TextInEachLanguage if long else LineInEachLanguage,
                widget_kwargs={"attrs": {"rows": 2}} if long else {},
                required=field.one_required,
                label=field.label,
                help_text=field.help_text,
            )


class RowsPanel(OptionsPanel):
    """Inline rows with a form of their own."""
