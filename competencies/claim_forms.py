"""Forms of claims: what a person asks to have recognised, and what an assessor answers."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from competencies.claims import Asked
from competencies.documents import DocumentsField, TakesDocuments
from competencies.enums import HELD_RANK, ClaimKind
from competencies.forms import OFF_THE_SCALE
from competencies.models import Claim, Competency
from competencies.selectors import Descriptor, descriptors_of

MAX_TEXT = 4000


def rank_choices(descriptors: list[Descriptor]) -> list[tuple[str, str]]:
    """The levels that can be asked for; a scale's zero shows nothing."""
    return [
        (str(d.rank), str(_("Level %(rank)s · %(label)s") % {"rank": d.rank, "label": d.label}))
        for d in descriptors
        if d.rank > 0
    ]


class LevelledForm(forms.Form):
    """A form with one of a competency's levels. A framework without levels knows only "held": then nothing is asked."""

    rank = forms.ChoiceField(widget=forms.RadioSelect, error_messages={"invalid_choice": OFF_THE_SCALE})

    def __init__(self, *args: Any, competency: Competency, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.descriptors = descriptors_of(competency)
        if self.descriptors:
            self.fields["rank"].choices = rank_choices(self.descriptors)  # type: ignore[attr-defined]
        else:
            del self.fields["rank"]

    @property
    def descriptions_by_rank(self) -> dict[str, str]:
        return {str(d.rank): d.text for d in self.descriptors}

    @property
    def rank_given(self) -> int:
        if not self.descriptors:
            return HELD_RANK
        return int(self.cleaned_data.get("rank") or 0)


class ClaimForm(TakesDocuments, LevelledForm):
    """What shows the level. The token makes a doubled press one press."""

    kind: ClaimKind
    title = forms.CharField(max_length=200)
    issuer = forms.CharField(max_length=200)
    issued_on = forms.DateField(error_messages={"required": _("Give the date."), "invalid": _("Give a date.")})
    valid_until = forms.DateField(
        label=_("Valid until"),
        required=False,
        help_text=_("Leave it empty if the certificate names no end."),
        error_messages={"invalid": _("Give a date.")},
    )
    statement = forms.CharField(max_length=MAX_TEXT, widget=forms.Textarea(attrs={"rows": 5}))
    documents = DocumentsField()
    token = forms.UUIDField(widget=forms.HiddenInput, error_messages={"invalid": _("Open the page again.")})
    field_order = ["title", "issuer", "issued_on", "valid_until", "rank", "statement", "documents", "token"]

    def __init__(self, *args: Any, competency: Competency, previous: Claim | None = None, **kwargs: Any) -> None:
        if previous is not None:
            kwargs["initial"] = {
                "title": previous.title,
                "issuer": previous.issuer,
                "issued_on": previous.issued_on,
                "valid_until": previous.valid_until,
                "rank": str(previous.rank),
                "statement": previous.statement,
            }
        super().__init__(*args, competency=competency, **kwargs)
        self.competency = competency
        self.fields["token"].initial = uuid4
        self.fields["issued_on"].widget.attrs["max"] = timezone.localdate().isoformat()
        if previous is not None and previous.documents.exists():
            self.fields["documents"].required = False
            self.fields["documents"].help_text = _(
                "What you gave last time stays with it; add more if you like. PDF, PNG or JPEG, at most 10 MB each."
            )
        if "rank" in self.fields:
            self.fields["rank"].label = _("Which level does it show?")
            self.fields["rank"].error_messages["required"] = _("Choose the description that it shows.")

    @property
    def asked(self) -> Asked:
        data = self.cleaned_data
        return Asked(
            competency=self.competency,
            kind=self.kind,
            rank=self.rank_given,
            title=data["title"],
            issuer=data.get("issuer", ""),
            issued_on=data["issued_on"],
            valid_until=data.get("valid_until"),
            statement=data["statement"],
            files=data["documents"],
        )


class CertificateForm(ClaimForm):
    kind = ClaimKind.CERTIFICATE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields = self.fields
        fields["title"].label = _("What is the certificate called?")
        fields["title"].error_messages["required"] = _("Say what the certificate is called.")
        fields["issuer"].label = _("Who issued it?")
        fields["issuer"].error_messages["required"] = _("Say who issued it.")
        fields["issued_on"].label = _("Date on the certificate")
        fields["statement"].label = _("What did you have to do for it?")
        fields["statement"].required = False
        fields["statement"].help_text = _("An examination, a project, days of attendance: it helps whoever decides.")
        fields["documents"].label = _("The certificate")


class PriorLearningForm(ClaimForm):
    kind = ClaimKind.PRIOR_LEARNING

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields = self.fields
        del fields["valid_until"]
        fields["title"].label = _("What have you done?")
        fields["title"].help_text = _("In a few words, for example: “Led the move of the pension register”.")
        fields["title"].error_messages["required"] = _("Say what you have done.")
        fields["issuer"].label = _("Where, or for whom?")
        fields["issuer"].required = False
        fields["issued_on"].label = _("When did you last do it?")
        fields["statement"].label = _("How does it show this level?")
        fields["statement"].help_text = _("What you did yourself, how it went, and who could confirm it.")
        fields["statement"].error_messages["required"] = _("Say how it shows this level.")


FORMS: dict[str, type[ClaimForm]] = {form.kind.value: form for form in (CertificateForm, PriorLearningForm)}


class DecisionForm(LevelledForm):
    """Accept at a level, or not; the answer is read by the person."""

    decision = forms.ChoiceField(
        label=_("Your decision"),
        choices=[("accept", _("Accept")), ("refuse", _("Do not accept"))],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Accept it or do not accept it."),
            "invalid_choice": _("Accept it or do not accept it."),
        },
    )
    answer = forms.CharField(
        label=_("Your answer"),
        required=False,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("The person reads it. It is needed when you accept less than was asked for, or nothing."),
    )
    field_order = ["decision", "rank", "answer"]

    def __init__(self, *args: Any, claim: Claim, **kwargs: Any) -> None:
        super().__init__(*args, competency=claim.competency, initial={"rank": str(claim.rank)}, **kwargs)
        if "rank" in self.fields:
            self.fields["rank"].required = self.data.get("decision") != "refuse"
            self.fields["rank"].label = _("At which level, if you accept it?")
            self.fields["rank"].error_messages["required"] = _("Choose the level it shows, or do not accept it.")

    @property
    def accepts(self) -> bool:
        return bool(self.cleaned_data["decision"] == "accept")
