"""Forms about contests, panels and quizzes. The token makes a doubled press one press."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from competencies.contests import MAX_TEXT
from competencies.documents import DocumentsField, TakesDocuments
from competencies.enums import ContestState, EvidenceKind
from competencies.forms import AssessForm, level_choices
from competencies.models import Competency, Evidence
from competencies.panel_rating import LONGEST, USUAL
from competencies.panels import FEWEST, MOST
from competencies.selectors import descriptors_of
from organisations.ids import ModelChoices
from organisations.models import User

DATE = {"type": "date"}


class TokenForm(forms.Form):
    token = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["token"].initial = lambda: str(uuid4())


def set_choices(field: forms.Field, choices: Sequence[tuple[str, Any]]) -> None:
    field.choices = list(choices)  # type: ignore[attr-defined]


class ContestForm(TakesDocuments, TokenForm):
    """What is wrong with a piece of evidence."""

    reason = forms.CharField(
        label=_("What is wrong?"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("Only who decides reads this; your manager and who recorded the piece do not."),
        error_messages={"required": _("Say what is wrong, in a sentence or two.")},
    )
    wanted_rank = forms.ChoiceField(
        label=_("Which level would be right?"),
        required=False,
        widget=forms.RadioSelect,
        help_text=_("Leave it open if you are not sure."),
        error_messages={"invalid_choice": _("Choose one of the levels, or leave it open.")},
    )
    documents = DocumentsField(label=_("Documents that show it"), required=False)
    field_order = ["reason", "wanted_rank", "documents"]

    def __init__(self, *args: Any, evidence: Evidence, again: bool, of_withdrawal: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.descriptors = descriptors_of(evidence.competency)
        set_choices(self.fields["wanted_rank"], [("", _("I leave it open")), *level_choices(self.descriptors)])
        if of_withdrawal:
            self.fields["reason"].label = _("Why should it count?")
            self.fields["reason"].error_messages["required"] = _("Say why it should count, in a sentence or two.")
            self.fields["reason"].help_text = _("Only who decides reads this.")
        elif again:
            self.fields["reason"].label = _("What is new since the answer?")
            self.fields["reason"].error_messages["required"] = _("Say what is new since the answer.")

    @property
    def descriptions_by_rank(self) -> dict[str, str]:
        return {str(d.rank): d.text for d in self.descriptors}

    def clean_wanted_rank(self) -> int | None:
        wanted = self.cleaned_data["wanted_rank"]
        return int(wanted) if wanted else None


class WithdrawForm(forms.Form):
    """Why a piece no longer counts."""

    reason = forms.CharField(
        label=_("Why should it no longer count?"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("The person reads it with your name, and keeps it on her record."),
        error_messages={"required": _("Say why: the person reads it.")},
    )


class DecideContestForm(forms.Form):
    """The second assessor's word."""

    decision = forms.ChoiceField(
        label=_("What do you decide?"),
        widget=forms.RadioSelect,
        choices=[
            (ContestState.KEPT.value, _("It stands as it was")),
            (ContestState.CORRECTED.value, _("It is corrected to another level")),
            (ContestState.REMOVED.value, _("It is withdrawn")),
        ],
        error_messages={"required": _("Choose what you decide."), "invalid_choice": _("Choose what you decide.")},
    )
    rank = forms.ChoiceField(
        label=_("Which level is right?"),
        required=False,
        widget=forms.RadioSelect,
        help_text=_("Only when you correct it."),
        error_messages={"invalid_choice": _("Choose one of the levels.")},
    )
    passed = forms.ChoiceField(
        label=_("The quiz was"),
        required=False,
        widget=forms.RadioSelect,
        choices=[("yes", _("passed")), ("no", _("not passed"))],
        help_text=_("Only when you correct it."),
        error_messages={"invalid_choice": _("Choose one of the two.")},
    )
    answer = forms.CharField(
        label=_("Your answer"),
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("The person reads it with your name."),
        error_messages={"required": _("Write the answer: the person reads it.")},
    )

    def __init__(self, *args: Any, evidence: Evidence, of_withdrawal: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.descriptors = descriptors_of(evidence.competency)
        set_choices(self.fields["rank"], level_choices(self.descriptors))
        if of_withdrawal:
            again, stays = _("It counts again, at the level below"), _("It stays withdrawn")
            set_choices(
                self.fields["decision"], [(ContestState.CORRECTED.value, again), (ContestState.REMOVED.value, stays)]
            )
            self.fields["rank"].initial = str(evidence.rank)
            self.fields["rank"].help_text = _("Only when it counts again.")
        if evidence.kind != EvidenceKind.QUIZ:
            del self.fields["passed"]
        else:
            self.fields["rank"].label = _("Which level did it test?")

    @property
    def descriptions_by_rank(self) -> dict[str, str]:
        return {str(d.rank): d.text for d in self.descriptors}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        corrects = data.get("decision") == ContestState.CORRECTED.value
        if corrects and not data.get("rank") and "rank" not in self.errors:
            self.add_error("rank", _("Choose the level that is right."))
        data["rank"] = int(data["rank"]) if corrects and data.get("rank") else None
        data["passed"] = {"yes": True, "no": False}.get(data.get("passed") or "")
        return data


class MembersField(ModelChoices):
    def label_from_instance(self, person: User) -> str:
        return f"{person.name} ({person.email})"


class AskPanelForm(TokenForm):
    """Whom to ask, what to look at, until when. `q` looks for people by name or e-mail."""

    q = forms.CharField(
        label=_("Look for somebody else"),
        required=False,
        max_length=100,
        help_text=_("A part of the name or the e-mail address."),
    )
    members = MembersField(
        label=_("Who rates?"),
        queryset=User.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Choose the people who are to rate."),
            "invalid_choice": _("One of these people cannot be asked. Choose others."),
        },
    )
    subject = forms.CharField(
        label=_("What should they look at?"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For example a piece of work they have seen. The members read it; the person does not."),
    )
    due_on = forms.DateField(
        label=_("Until when?"),
        widget=forms.DateInput(attrs=DATE, format="%Y-%m-%d"),
        error_messages={"required": _("Give a date."), "invalid": _("Give a date, for example 2026-12-31.")},
    )
    field_order = ["q", "members", "subject", "due_on"]

    def __init__(self, *args: Any, eligible: Any, shown: Sequence[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = self.fields["members"]
        members.queryset = eligible  # type: ignore[attr-defined]
        members.help_text = _("%(fewest)s to %(most)s people who have seen the work. Each rates alone.") % {
            "fewest": FEWEST,
            "most": MOST,
        }
        set_choices(members, [(str(person.pk), f"{person.name} ({person.email})") for person in shown])
        self.fields["due_on"].initial = lambda: timezone.localdate() + USUAL

    def clean_members(self) -> list[User]:
        given = self.data.getlist("members") if hasattr(self.data, "getlist") else []
        if len(set(given)) < len(given):
            raise forms.ValidationError(_("Somebody is named twice. Each member rates once."))
        members = list(self.cleaned_data["members"])
        if not FEWEST <= len(members) <= MOST:
            raise forms.ValidationError(
                _("Choose %(fewest)s to %(most)s people: one person alone is not a panel.")
                % {"fewest": FEWEST, "most": MOST}
            )
        return members

    def clean_due_on(self) -> date:
        due_on: date = self.cleaned_data["due_on"]
        today = timezone.localdate()
        if due_on < today:
            raise forms.ValidationError(_("Choose today or a later day."))
        if due_on > today + LONGEST:
            raise forms.ValidationError(_("Choose a day within the next six months."))
        return due_on


class RateForm(AssessForm):
    """One member's rating."""

    note = forms.CharField(
        label=_("What shows it?"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Who asked for the panel reads it once the panel is closed."),
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rank = self.fields["rank"]
        rank.label = _("Which of these have you seen %(name)s do?") % {"name": person.get_short_name()}
        rank.error_messages["required"] = _("Choose the description that fits, or decline.")
        del self.fields["token"]  # a member rates once, whatever is pressed


class QuizForm(TokenForm):
    """The result of a quiz."""

    title = forms.CharField(
        label=_("Which quiz?"),
        max_length=200,
        help_text=_("Its title, as the person knows it."),
        error_messages={"required": _("Say which quiz it was.")},
    )
    rank = forms.ChoiceField(
        label=_("Which level does it test?"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose the level the quiz tests."),
            "invalid_choice": _("Choose one of the levels."),
        },
    )
    passed = forms.ChoiceField(
        label=_("Result"),
        widget=forms.RadioSelect,
        choices=[("yes", _("Passed")), ("no", _("Not passed"))],
        error_messages={"required": _("Say whether it was passed."), "invalid_choice": _("Choose one of the two.")},
    )
    on = forms.DateField(
        label=_("Date of the quiz"),
        widget=forms.DateInput(attrs=DATE, format="%Y-%m-%d"),
        error_messages={"required": _("Give the date."), "invalid": _("Give a date, for example 2026-11-30.")},
    )
    field_order = ["title", "rank", "passed", "on"]

    def __init__(self, *args: Any, competency: Competency, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.descriptors = descriptors_of(competency)
        set_choices(self.fields["rank"], [c for c in level_choices(self.descriptors) if c[0] != "0"])
        self.fields["on"].initial = timezone.localdate

    def clean_on(self) -> date:
        on: date = self.cleaned_data["on"]
        if on > timezone.localdate():
            raise forms.ValidationError(_("The quiz cannot lie in the future."))
        if on < timezone.localdate() - timedelta(days=3653):
            raise forms.ValidationError(_("A quiz of more than ten years ago says nothing of today."))
        return on

    def clean_rank(self) -> int:
        return int(self.cleaned_data["rank"])

    def clean_passed(self) -> bool:
        return bool(self.cleaned_data["passed"] == "yes")
