"""Forms of assessment campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from competencies.forms import level_choices
from competencies.models import RoleProfile
from competencies.selectors import Descriptor, Line, published_profiles
from competencies.services import Finding
from organisations.ids import as_id
from organisations.models import Unit, User
from organisations.perms import units_served


class UnitChoice(forms.ModelChoiceField):
    """One unit by its id; the depth in words a screen reader skips: an em space a level."""

    def label_from_instance(self, unit: Unit) -> str:
        return "\u2003" * max(unit.depth - 1, 0) + str(unit.name)

    def to_python(self, value: Any) -> Any:
        if value not in self.empty_values and not isinstance(value, Unit) and as_id(value) is None:
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().to_python(value)


class ProfileChoice(forms.ModelChoiceField):
    def to_python(self, value: Any) -> Any:
        if value not in self.empty_values and not isinstance(value, RoleProfile) and as_id(value) is None:
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().to_python(value)


def day_field(label: Any, help_text: Any = "", *, required: Any = "") -> forms.DateField:
    return forms.DateField(
        label=label,
        help_text=help_text,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": required or _("Give the last day."),
            "invalid": _("Give a date, for example 2026-12-31."),
        },
    )


class CampaignForm(forms.Form):
    """What HR says to open a campaign. What may not be is said by the service, beside the field."""

    title = forms.CharField(
        label=_("Title"),
        max_length=200,
        help_text=_("People read it in the mail and on their desk, for example “Skills round, spring”."),
        error_messages={"required": _("Give the campaign a title.")},
    )
    unit = UnitChoice(
        label=_("Unit"),
        queryset=Unit.objects.none(),
        empty_label=_("Choose a unit"),
        help_text=_("Everybody in it and in the units below it."),
        error_messages={
            "required": _("Choose the unit whose people you ask."),
            "invalid_choice": _("This unit is not among those you serve."),
        },
    )
    profile = ProfileChoice(
        label=_("Role"),
        queryset=RoleProfile.objects.none(),
        required=False,
        empty_label=_("All roles: each person for those she has"),
        error_messages={"invalid_choice": _("This role is no longer in use. Choose another.")},
    )
    opens_on = day_field(_("First day"), _("People are invited on this day."), required=_("Give the first day."))
    closes_on = day_field(_("Last day"))
    asks_managers = forms.BooleanField(
        label=_("Managers confirm"),
        required=False,
        initial=True,
        help_text=_("They are asked for their word on each level once a person has assessed herself."),
    )
    message = forms.CharField(
        label=_("Why, in a few words"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Stands in the invitation: what the answers are used for."),
    )
    token = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def __init__(self, *args: Any, officer: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = units_served(officer)  # type: ignore[attr-defined]
        profiles = list(published_profiles())
        self.fields["profile"].queryset = published_profiles()  # type: ignore[attr-defined]
        grouped: dict[str, list[tuple[int, str]]] = {}
        for profile in profiles:
            group = f"{profile.role.version.framework} · {profile.role.family or ''}".rstrip(" ·")
            label = f"{profile.role}: {profile}" if str(profile.grade) else str(profile)
            grouped.setdefault(group, []).append((profile.pk, label))
        nothing = self.fields["profile"].empty_label  # type: ignore[attr-defined]
        self.fields["profile"].choices = [("", nothing), *grouped.items()]  # type: ignore[attr-defined]
        self.fields["opens_on"].initial = timezone.localdate
        self.fields["token"].initial = lambda: str(uuid4())


class LastDayForm(forms.Form):
    closes_on = day_field(_("New last day"))


class PeopleFilter(forms.Form):
    STEPS = (
        ("", _("All")),
        ("missing", _("Not done with assessing themselves")),
        ("not_begun", _("Not begun")),
        ("begun", _("Begun")),
        ("assessed", _("Waiting for their manager")),
        ("confirmed", _("Confirmed")),
    )
    q = forms.CharField(label=_("Name or e-mail"), required=False, max_length=100)
    step = forms.ChoiceField(label=_("How far"), required=False, choices=STEPS)
    unit = UnitChoice(label=_("Unit"), queryset=Unit.objects.none(), required=False, empty_label=_("All units"))

    def __init__(self, *args: Any, units: Sequence[Unit], asks_managers: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = Unit.objects.filter(pk__in=[unit.pk for unit in units])  # type: ignore[attr-defined]
        self.fields["unit"].choices = [("", _("All units")), *((u.pk, str(u.name)) for u in units)]  # type: ignore[attr-defined]
        if not asks_managers:
            done = [choice for choice in self.STEPS if choice[0] not in {"assessed", "confirmed"}]
            self.fields["step"].choices = [*done, ("done", _("Done"))]  # type: ignore[attr-defined]


class ConfirmForm(forms.Form):
    """A manager's word on several levels: one choice a competency, none of them made beforehand.

    `declared-<id>` is what the person had said when the page was shown, so that nobody confirms what she did not see.
    """

    note = forms.CharField(
        label=_("What have you seen?"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("A sentence the person will read: the piece of work that shows it."),
    )
    token = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def __init__(self, *args: Any, lines: Sequence[Line], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = lines
        self.fields["token"].initial = lambda: str(uuid4())
        for line in lines:
            pk = line.competency.pk
            scale = [Descriptor(rank, words, "") for rank, words in sorted(line.scale.labels.items())]
            self.fields[f"rank-{pk}"] = forms.ChoiceField(
                label=_("How you see it"),
                required=False,
                widget=forms.RadioSelect,
                choices=level_choices(scale),
                error_messages={"invalid_choice": _("Choose one of the levels shown.")},
            )
            self.fields[f"declared-{pk}"] = forms.CharField(
                widget=forms.HiddenInput, required=False, max_length=4, initial=str(line.level.declared)
            )

    @property
    def rows(self) -> list[tuple[Line, Any, Any]]:
        return [
            (line, self[f"rank-{line.competency.pk}"], self[f"declared-{line.competency.pk}"]) for line in self.lines
        ]

    def chosen(self) -> list[Finding]:
        """What was chosen, competency by competency; what was left open is left out."""
        data = self.cleaned_data
        return [
            Finding(line.competency, int(data[f"rank-{line.competency.pk}"]))
            for line in self.lines
            if data[f"rank-{line.competency.pk}"]
        ]

    def all_of_them(self) -> list[Finding] | None:
        """What was chosen, and the rest as self-assessed; None where that has changed since the page was shown."""
        chosen = {finding.competency.pk: finding for finding in self.chosen()}
        found = []
        for line in self.lines:
            pk = line.competency.pk
            if pk in chosen:
                found.append(chosen[pk])
            elif line.level.declared is None or self.cleaned_data[f"declared-{pk}"] != str(line.level.declared):
                return None
            else:
                found.append(Finding(line.competency, line.level.declared))
        return found
