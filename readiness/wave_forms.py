"""Forms of preparing a survey, of its key, and of reading comments before anybody else does."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from organisations.models import Unit
from readiness.enums import DEFAULT_K, MAX_COMMENT, CommentState, CutAttribute, KeyKeeper, WaveKind
from readiness.models import Initiative, Instrument, Wave
from readiness.sealing import LEAST_K
from readiness.surveys import language_names

USUAL_INSTRUMENT = "readiness-core"


def day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class WaveForm(forms.Form):
    """Whom, what, when. Days are whole ones: a survey opens at the beginning of a day and closes at the end of one."""

    kind = forms.ChoiceField(
        label=_("What is this survey?"),
        choices=WaveKind.choices,
        help_text=_(
            "The baseline comes before the change, pulses ask a few statements on the way, the final survey compares."
        ),
    )
    instrument = forms.ModelChoiceField(label=_("Questionnaire"), queryset=Instrument.objects.none(), empty_label=None)
    unit = forms.ModelChoiceField(
        label=_("Who is asked?"),
        queryset=Unit.objects.none(),
        empty_label=None,
        help_text=_("Everybody in this unit and below it. Whole units only: a selection could single people out."),
    )
    opens_on = forms.DateField(label=_("Opens on"), widget=day_input())
    closes_on = forms.DateField(label=_("Last day"), widget=day_input(), help_text=_("Two weeks are usual."))
    k = forms.IntegerField(
        label=_("Smallest group"),
        min_value=LEAST_K,
        max_value=100,
        initial=DEFAULT_K,
        help_text=_("No figure is ever about fewer people than this. Ten is usual; five is the least."),
    )
    cut_attribute = forms.ChoiceField(
        label=_("Also show the whole body by"),
        required=False,
        choices=CutAttribute.choices,
        help_text=_("One attribute at most, decided now: it cannot be chosen after the answers are in."),
    )
    key_keeper = forms.ChoiceField(label=_("Who keeps the key?"), choices=KeyKeeper.choices, initial=KeyKeeper.FILE)

    def __init__(self, *args: Any, initiative: Initiative, wave: Wave | None = None, **kwargs: Any) -> None:
        day = timezone.localdate()
        kwargs.setdefault(
            "initial",
            {
                "kind": wave.kind if wave else WaveKind.BASELINE,
                "instrument": wave.instrument_id if wave else _usual_instrument(),
                "unit": wave.unit_id if wave else initiative.unit_id,
                "opens_on": timezone.localdate(wave.opens_at) if wave else day,
                "closes_on": timezone.localdate(wave.closes_at) - timedelta(days=1)
                if wave
                else day + timedelta(days=14),
                "k": wave.k if wave else DEFAULT_K,
                "cut_attribute": wave.cut_attribute if wave else "",
                "key_keeper": wave.key_keeper if wave else KeyKeeper.FILE,
            },
        )
        super().__init__(*args, **kwargs)
        instruments = Instrument.objects.for_waves().order_by("slug", "-version").prefetch_related("reviews")
        self.fields["instrument"].label_from_instance = _with_languages  # type: ignore[attr-defined]
        self.fields["instrument"].queryset = instruments  # type: ignore[attr-defined]
        units = Unit.objects.filter(path__startswith=initiative.unit.path).order_by("path")
        self.fields["unit"].queryset = units  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        opens_on, closes_on = data.get("opens_on"), data.get("closes_on")
        if opens_on and closes_on and closes_on < opens_on:
            self.add_error("closes_on", _("The last day comes after the first."))
        return data

    @property
    def opens_at(self) -> datetime:
        return _midnight(self.cleaned_data["opens_on"])

    @property
    def closes_at(self) -> datetime:
        return _midnight(self.cleaned_data["closes_on"] + timedelta(days=1))


def _usual_instrument() -> Instrument | None:
    """Ours on a change: it is there in more languages than others, and has a pulse."""
    return Instrument.objects.for_waves().filter(slug=USUAL_INSTRUMENT).order_by("-version").first()


def _with_languages(instrument: Instrument) -> str:
    """What it is called, and in which languages people could answer it today."""
    languages = [name for _code, name in language_names(review.language for review in instrument.reviews.all())]
    return f"{instrument} · {', '.join(languages)}" if languages else str(instrument)


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()), timezone.get_default_timezone())


class PassphraseForm(forms.Form):
    passphrase = forms.CharField(
        label=_("Passphrase"),
        strip=False,
        max_length=400,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("At least twelve characters. It is not stored anywhere: without it no answer can ever be read."),
    )


class CommentForm(forms.Form):
    """A moderator shows a comment, shortened where it names or singles out somebody, or withholds it with a reason."""

    state = forms.ChoiceField(choices=[(CommentState.SHOWN, ""), (CommentState.WITHHELD, "")], widget=forms.HiddenInput)
    text = forms.CharField(
        label=_("As it will be shown"),
        max_length=MAX_COMMENT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Take out names and whatever tells who wrote it. Change nothing else."),
    )
    reason = forms.CharField(
        label=_("If you withhold it: why"), max_length=300, required=False, widget=forms.TextInput()
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("state") == CommentState.WITHHELD and not data.get("reason"):
            self.add_error("reason", _("Say why: what is withheld is counted and published with its reasons."))
        return data
