"""The form of a draft of the rules: a fieldset a rule, the numbers of the estimate behind a disclosure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from competencies import rules_wording
from competencies.rulebooks import (
    SHIPPED,
    Book,
    RulesRefused,
    is_whole,
    limits_of,
    numbers_of,
    read_book,
    with_numbers,
    write_book,
)
from competencies.wording import rule_words

MAX_NOTE = 2_000


@dataclass(frozen=True)
class Group:
    """The numbers of one rule, or of one kind of evidence in the estimate."""

    title: str
    fields: tuple[BoundField, ...]
    words: str = ""

    @property
    def has_errors(self) -> bool:
        return any(field.errors for field in self.fields)


def field_name(place: str) -> str:
    return place.replace(".", "-")


class RulesForm(forms.Form):
    """The numbers of a book and why they change. `numbers` are those cleaned, by their dotted place."""

    note = forms.CharField(
        label=_("What changes, and why"),
        max_length=MAX_NOTE,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Everybody whose level moves reads this."),
        error_messages={"required": _("Say in a sentence what changes and why.")},
    )

    def __init__(self, *args: Any, book: Book, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.book = book
        self.numbers: dict[str, float] = {}
        self.places = tuple(numbers_of(write_book(SHIPPED)))
        current = numbers_of(write_book(book))
        for place in self.places:
            least, most = (rules_wording.as_shown(place, limit) for limit in limits_of(place))
            kind = forms.IntegerField if is_whole(place) else forms.FloatField
            words = rules_wording.refusal_words(RulesRefused(place, "out_of_range"))
            self.fields[field_name(place)] = kind(
                label=rules_wording.number_name(place),
                initial=rules_wording.as_shown(place, current[place]),
                error_messages={"required": words, "invalid": words},
                widget=forms.NumberInput(attrs={"min": least, "max": most, "step": 1 if is_whole(place) else "any"}),
            )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for place in self.places:
            name = field_name(place)
            if name not in cleaned:
                continue
            number = rules_wording.as_kept(place, cleaned[name])
            try:  # each by itself, so that everything that is wrong is said at once
                read_book(with_numbers({place: number}), version="")
            except RulesRefused as error:
                self.add_error(name, rules_wording.refusal_words(error))
            else:
                self.numbers[place] = number
        return cleaned

    @property
    def content(self) -> dict[str, Any]:
        return with_numbers(self.numbers)

    @property
    def rule_groups(self) -> list[Group]:
        """One a rule that has numbers, with the sentence it makes as it is."""
        codes = {place.split(".")[1] for place in self.places if place.startswith("rules.")}
        return [
            Group(rules_wording.rule_name(rule.code), self._within(f"rules.{rule.code}."), rule_words(rule))
            for rule in self.book.rules.rules
            if rule.code in codes
        ]

    @property
    def refresh(self) -> BoundField:
        return self["refresh_days"]

    @property
    def estimate_groups(self) -> list[Group]:
        """What is known of nobody in particular, then one a kind of evidence."""
        general = tuple(
            self[field_name(place)]
            for place in self.places
            if place.startswith("parameters.") and not place.startswith("parameters.kinds.")
        )
        kinds = dict.fromkeys(place.split(".")[2] for place in self.places if place.startswith("parameters.kinds."))
        return [
            Group(str(_("Before anything is known")), general),
            *(Group(rules_wording.kind_name(kind), self._within(f"parameters.kinds.{kind}.")) for kind in kinds),
        ]

    @property
    def estimate_has_errors(self) -> bool:
        return any(group.has_errors for group in self.estimate_groups)

    def _within(self, prefix: str) -> tuple[BoundField, ...]:
        return tuple(self[field_name(place)] for place in self.places if place.startswith(prefix))
