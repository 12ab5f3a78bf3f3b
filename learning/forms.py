"""Forms of the HR desk."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from competencies.models import FrameworkVersion, RoleAssignment, RoleProfile
from competencies.selectors import frameworks_own_first, published_profiles
from learning.hr import holders_of
from organisations.ids import ModelChoices
from organisations.models import Unit, User
from organisations.perms import units_served


class ProfileChoice(forms.ModelChoiceField):
    """The role profiles of the editions in force, a group for each framework; the ministry's own framework comes first."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("queryset", RoleProfile.objects.none())
        super().__init__(empty_label=_("Choose a role"), **kwargs)

    def offer(self, but: Collection[int] = ()) -> None:
        """Read what is offered today, leaving out the profiles with the ids `but`. Three queries, however many roles."""
        self.queryset = published_profiles()
        profiles = [profile for profile in published_profiles() if profile.pk not in but]
        order = frameworks_own_first({p.role.version.framework_id: p.role.version.framework.slug for p in profiles})
        grouped: dict[FrameworkVersion, list[tuple[int, str]]] = {}
        for profile in sorted(profiles, key=lambda p: order.index(p.role.version.framework_id)):
            grouped.setdefault(profile.role.version, []).append((profile.pk, self.label_from_instance(profile)))
        groups = [
            (_("%(framework)s, edition %(edition)s") % {"framework": v.framework, "edition": v.edition}, options)
            for v, options in grouped.items()
        ]
        self.choices = [("", self.empty_label), *groups]

    def label_from_instance(self, profile: RoleProfile) -> str:
        return f"{profile.role}: {profile}" if str(profile.grade) else str(profile)


class UnitChoices(ModelChoices):
    def label_from_instance(self, unit: Unit) -> str:
        # The depth in words a screen reader skips: an em space a level.
        return "\u2003" * max(unit.depth - 1, 0) + str(unit.name)


def acceptable_due_date(due_on: date | None) -> date | None:
    today = timezone.localdate()
    if due_on is not None and due_on <= today:
        raise forms.ValidationError(_("Choose a date after today."))
    if due_on is not None and due_on > today + timedelta(days=3653):
        raise forms.ValidationError(_("Choose a date within ten years."))
    return due_on


class ReplaceForm(forms.Form):
    """The role that comes instead of an assigned one, and by when it is to be met."""

    profile = ProfileChoice(
        label=_("Which role instead?"),
        error_messages={
            "required": _("Choose the role that comes instead."),
            "invalid_choice": _("This role is not offered any more. Choose another."),
        },
    )
    due_on = forms.DateField(
        label=_("Due date"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Leave empty if there is no date. The person sees it on the path."),
    )

    def __init__(self, *args: Any, assignment: RoleAssignment, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.assignment = assignment
        self.fields["profile"].offer()  # type: ignore[attr-defined]

    def clean_profile(self) -> RoleProfile:
        profile: RoleProfile = self.cleaned_data["profile"]
        person = self.assignment.person
        if profile.lineage == self.assignment.profile.lineage:
            raise forms.ValidationError(_("This is the role that ends. Choose another one."))
        if holders_of(profile, [person.pk], timezone.localdate()):
            raise forms.ValidationError(
                _("%(name)s has this role already. Choose another one, or only end the old role.")
                % {"name": person.name}
            )
        return profile

    def clean_due_on(self) -> date | None:
        return acceptable_due_date(self.cleaned_data["due_on"])


class RosterFilter(forms.Form):
    says_optional = False

    q = forms.CharField(label=_("Name or e-mail"), required=False, max_length=100)
    unit = forms.ModelChoiceField(
        label=_("Unit"), queryset=Unit.objects.none(), required=False, empty_label=_("All units")
    )

    def __init__(self, *args: object, officer: User, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["unit"].queryset = units_served(officer)  # type: ignore[attr-defined]
