"""Ids as they come in addresses and forms: anybody may write anything there."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django import forms
from django.db import connection
from django.db.models.expressions import RawSQL

# What a database column for ids holds.
LARGEST = 2**63 - 1


def as_id(text: object) -> int | None:
    """The id a text states in plain digits; None where it states none that a database could know."""
    digits = str(text)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        return None
    number = int(digits)
    return number if number <= LARGEST else None


def as_token(text: object) -> str:
    """The token of a form as we hand it out (a UUID); "" for anything else."""
    try:
        return str(UUID(str(text)))
    except ValueError:
        return ""


class Ids(list[int]):
    """A list of ids that goes to the database as one value: `filter(pk__in=Ids(…))`.

    Each of the usual parameters passes through half a dozen of Django's functions, which for hundreds of ids in dozens of
    queries is a good part of the work.
    """

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        if connection.vendor == "sqlite":
            of_list = RawSQL("SELECT value FROM json_each(%s)", [json.dumps(self)])
        else:
            of_list = RawSQL("SELECT unnest(%s::bigint[])", [list(self)])
        return of_list.resolve_expression(*args, **kwargs)


class ModelChoices(forms.ModelMultipleChoiceField):
    """Several rows by id. Django lets numbers through to the database that it cannot take."""

    def clean(self, value: Any) -> Any:
        for given in value if isinstance(value, list | tuple) else ():
            if as_id(given) is None:
                raise forms.ValidationError(
                    self.error_messages["invalid_choice"], code="invalid_choice", params={"value": str(given)[:40]}
                )
        return super().clean(value)
