"""Forms of service figures."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from learning.models import ServiceMeasure


class MeasureForm(forms.ModelForm):
    class Meta:
        model = ServiceMeasure
        fields = ["name", "unit_of_measure", "lower_is_better", "source"]
        help_texts = {
            "name": _("In the words of the service: “days until a permit is issued”."),
            "source": _("The register or report the figures are taken from, so that others can check them."),
            "lower_is_better": _("As for days of waiting or complaints."),
        }

    def clean_name(self) -> str:
        """The course is no field of the form, so Django would not look at the two together."""
        name: str = self.cleaned_data["name"]
        others = ServiceMeasure.objects.filter(course_key=self.instance.course_key, name=name)
        if others.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("This course has a figure of that name already."))
        return name


class FiguresForm(forms.Form):
    text = forms.CharField(
        label=_("Figures"),
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false"}),
        max_length=300_000,
        help_text=_(
            "One line for each unit and month: code of the unit; month; figure – for example “permits; 2026-09; 12.5”. "
            "You can paste the three columns from a spreadsheet. What is there for the same month is replaced."
        ),
        error_messages={"required": _("There is no line with a figure yet.")},
    )
