"""One database for the whole folder: the starter framework and courses are loaded once, each module makes its ministry
in a savepoint. Nothing is ever committed, so no callback on commit runs and nothing is left behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from certificates.demo import Made, seed_ministry

AS_OF = date(2026, 3, 16)
PEOPLE = 50


@pytest.fixture(scope="package")
def starter(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        for command in ("load_starter_framework", "load_item_banks", "load_courses"):
            call_command(command, stdout=StringIO())
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def made(starter: None) -> Iterator[Made]:
    """The demo ministry of fifty people, for as long as the tests of a module last."""
    with transaction.atomic():
        result = seed_ministry(people=PEOPLE, seed=1, as_of=AS_OF)
        assert result is not None
        yield result
        transaction.set_rollback(True)


@pytest.fixture
def undone(starter: None) -> Iterator[None]:
    """What a test writes is taken back when it ends."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
