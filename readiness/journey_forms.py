"""Forms of the change journey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from organisations.models import Unit, User
from readiness.enums import ActionStatus, ConcernDecision, ConcernKind, NudgeKind
from readiness.models import Nudge

SATURDAY = 5


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
            "Then it is not kept who asked, nor at what hour, and questions of one day stand in a random order. Only how "
            "many questions you have asked today is counted, until tomorrow. You get no mail: the answer stands here. Your "
            "words are shown as you write them, so leave out what only you could know."
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
    unit = forms.ModelChoiceField(
        label=_("Unit"),
        queryset=Unit.objects.none(),
        empty_label=None,
        help_text=_("Where fewer than ten people work, the unit above is noted, so that nobody is pointed at."),
        error_messages={"required": _("Choose the unit."), "invalid_choice": _("Choose the unit.")},
    )
    kind = forms.ChoiceField(
        label=_("Kind of concern"),
        choices=ConcernKind.choices,
        error_messages={
            "required": _("Choose what kind of concern it is."),
            "invalid_choice": _("Choose what kind of concern it is."),
        },
    )
    text = forms.CharField(
        label=_("What people worry about"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("In their words, without names, and nothing that points at one person."),
        error_messages={"required": _("Write what people worry about, without names.")},
    )  # fmt: skip

    def __init__(self, *args: Any, units: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]


class DecideConcernForm(forms.Form):
    decision = forms.ChoiceField(
        label=_("Decision"),
        choices=[(c.value, c.label) for c in ConcernDecision if c.value],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a decision."), "invalid_choice": _("Choose a decision.")},
    )
    answer = forms.CharField(
        label=_("What is done, or why not"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Champions and managers of the unit read it and pass it on."),
        error_messages={"required": _("Say it in a sentence: people read it.")},
    )


def _in_a_month(day: date) -> date:
    """Never a Saturday or a Sunday: nobody is there to end it."""
    due = day + timedelta(days=30)
    return due + timedelta(days=7 - due.weekday() if due.weekday() >= SATURDAY else 0)


class ActionForm(forms.Form):
    """`owners`: people to choose from by their address, as the browser suggests them."""

    text = forms.CharField(
        label=_("What is done?"),
        max_length=300,
        help_text=_("One thing, with a verb: “Explain the new counter in each team”."),
        error_messages={"required": _("Say what is done.")},
    )
    owner = forms.EmailField(
        label=_("Who does it?"),
        max_length=254,
        widget=forms.EmailInput(attrs={"list": "owners", "autocomplete": "off"}),
        help_text=_("The e-mail address of one person: what belongs to all is done by nobody."),
        error_messages={"required": _("Name one person."), "invalid": _("Write the e-mail address of one person.")},
    )
    due_on = forms.DateField(
        label=_("By when?"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": _("Choose a date within the next year."),
            "invalid": _("Choose a date within the next year."),
        },
    )
    what_staff_will_notice = forms.CharField(
        label=_("What will staff notice?"),
        max_length=300,
        help_text=_("They read it, and can tell whether it has happened."),
        error_messages={"required": _("Say what staff will notice of it: else it is done on paper only.")},
    )

    def __init__(self, *args: Any, me: User, owners: Sequence[User] = (), **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"due_on": _in_a_month(timezone.localdate()), "owner": me.email})
        super().__init__(*args, **kwargs)
        self.owners = owners

    def clean_owner(self) -> User:
        return somebody(self.cleaned_data["owner"])


class EndActionForm(forms.Form):
    status = forms.ChoiceField(
        label=_("What became of it?"),
        choices=[(ActionStatus.DONE, _("It is done")), (ActionStatus.DROPPED, _("It is dropped"))],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Say whether it is done or dropped."),
            "invalid_choice": _("Say whether it is done or dropped."),
        },
    )
    outcome = forms.CharField(
        label=_("What came of it, or why it is dropped"),
        max_length=300,
        help_text=_("A sentence; staff read it."),
        error_messages={"required": _("Say in a sentence what came of it: staff read it.")},
    )


class MoveActionForm(forms.Form):
    due_on = forms.DateField(
        label=_("New date"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": _("Choose a date within the next year."),
            "invalid": _("Choose a date within the next year."),
        },
    )
    reason = forms.CharField(
        label=_("Why it takes longer"),
        max_length=300,
        help_text=_("Staff read it beside the first date."),
        error_messages={"required": _("Say why it takes longer.")},
    )


class ChampionForm(forms.Form):
    person = forms.EmailField(
        label=_("Colleague"),
        max_length=254,
        help_text=_("The e-mail address of somebody who has said that she would like to."),
        error_messages={
            "required": _("Write the colleague’s e-mail address."),
            "invalid": _("Write the colleague’s e-mail address."),
        },
    )
    hours_month = forms.IntegerField(
        label=_("Hours a month"),
        min_value=1,
        max_value=160,
        initial=4,
        help_text=_("Working time for it; her manager agrees to them."),
    )

    def clean_person(self) -> User:
        return somebody(self.cleaned_data["person"])


class NudgesForm(forms.Form):
    """A tick and a plan for each thing a person may want to be reminded of. `kinds`: those there are for her."""

    def __init__(self, *args: Any, kinds: Sequence[NudgeKind], nudges: Mapping[str, Nudge], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = kinds
        for kind in kinds:
            nudge = nudges.get(kind)
            self.fields[f"on_{kind}"] = forms.BooleanField(
                label=kind.label, required=False, initial=nudge is not None and not nudge.is_off
            )
            self.fields[f"plan_{kind}"] = forms.CharField(
                label=format_lazy(_("When and where: {what}"), what=kind.label),
                required=False,
                max_length=200,
                initial=nudge.when_where_plan if nudge is not None else "",
            )

    def wishes(self) -> dict[NudgeKind, tuple[bool, str]]:
        """For each kind whether it is on, and the plan."""
        data = self.cleaned_data
        return {kind: (data[f"on_{kind}"], " ".join(data[f"plan_{kind}"].split())) for kind in self.kinds}

    @property
    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"on_{kind}"], self[f"plan_{kind}"]) for kind in self.kinds]
