"""Forms of the change journey."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from organisations.models import Unit, User
from readiness.enums import ActionStatus, ConcernDecision, ConcernKind


def somebody(email: str) -> User:
    """The colleague with this address. Whether there is an account is only told to colleagues, who may know."""
    found = User.objects.active().filter(email__iexact=email.strip()).first()
    if found is None:
        raise forms.ValidationError(_("Nobody here has this address."))
    return found


class AskForm(forms.Form):
    text = forms.CharField(
        label=_("Your question"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write your question.")},
    )  # fmt: skip
    anonymously = forms.BooleanField(
        label=_("Ask without my name"),
        required=False,
        help_text=_(
            "Then nothing is kept of who asked, and no time finer than the day; you get no mail with the answer."
        ),
    )
    token = forms.UUIDField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"token": uuid4()})
        super().__init__(*args, **kwargs)


class AnswerForm(forms.Form):
    answer = forms.CharField(
        label=_("Answer"), max_length=4000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Everybody reads it. “We don't know yet, we will on …” is an answer."),
        error_messages={"required": _("Write an answer.")},
    )  # fmt: skip


class ConcernForm(forms.Form):
    unit = forms.ModelChoiceField(label=_("Unit"), queryset=Unit.objects.none(), empty_label=None)
    kind = forms.ChoiceField(label=_("Kind of concern"), choices=ConcernKind.choices)
    text = forms.CharField(
        label=_("What people worry about"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Of the unit, without names. Of a unit of fewer than ten people it is noted for the one above."),
    )  # fmt: skip

    def __init__(self, *args: Any, units: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]


class DecideConcernForm(forms.Form):
    decision = forms.ChoiceField(label=_("Decision"), choices=[(c.value, c.label) for c in ConcernDecision if c.value])
    answer = forms.CharField(label=_("In a sentence"), max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))


class ActionForm(forms.Form):
    text = forms.CharField(
        label=_("What is done?"),
        max_length=300,
        help_text=_("One thing, with a verb: “Explain the new counter in each team”."),
    )
    owner = forms.EmailField(
        label=_("Who does it?"),
        max_length=254,
        help_text=_("The e-mail address of one person: what belongs to all is done by nobody."),
    )
    due_on = forms.DateField(label=_("By when?"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    what_staff_will_notice = forms.CharField(
        label=_("What will staff notice?"),
        max_length=300,
        help_text=_("They read it, and can tell whether it has happened."),
    )

    def __init__(self, *args: Any, me: User, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"due_on": timezone.localdate() + timedelta(days=30), "owner": me.email})
        super().__init__(*args, **kwargs)

    def clean_owner(self) -> User:
        return somebody(self.cleaned_data["owner"])


class EndActionForm(forms.Form):
    status = forms.ChoiceField(
        label=_("What became of it?"),
        choices=[(ActionStatus.DONE, ActionStatus.DONE.label), (ActionStatus.DROPPED, ActionStatus.DROPPED.label)],
    )
    outcome = forms.CharField(label=_("In a sentence"), max_length=300, help_text=_("Staff read it."))


class MoveActionForm(forms.Form):
    due_on = forms.DateField(label=_("New date"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    reason = forms.CharField(label=_("Why it takes longer"), max_length=300)


class ChampionForm(forms.Form):
    person = forms.EmailField(label=_("Colleague"), max_length=254, help_text=_("The colleague's e-mail address."))
    hours_month = forms.IntegerField(label=_("Hours a month"), min_value=1, max_value=160, initial=4)

    def clean_person(self) -> User:
        return somebody(self.cleaned_data["person"])
