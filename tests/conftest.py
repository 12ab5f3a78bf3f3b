"""What all tests share: a closed network, strict templates, callbacks on commit, one migrated database file."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

# Hypothesis as this suite uses it: a busy machine is no fault.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")

ROOT = Path(__file__).resolve().parent.parent
SHARED_DATA = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))


def pytest_configure(config: pytest.Config) -> None:
    for template in settings.TEMPLATES:
        template["OPTIONS"]["string_if_invalid"] = UndefinedVariable()


class UndefinedVariable(str):
    """Django puts this where a template names what is not there; our tests say so instead of showing a gap.

    `{% if x %}`, `default` and the like resolve without it. Templates of others are their own affair.
    """

    def __contains__(self, item: object) -> bool:
        return item == "%s"

    def __mod__(self, name: object) -> str:
        from inspect import currentframe

        frame = currentframe()
        origin = ""
        while frame is not None:
            node = frame.f_locals.get("self")
            place = getattr(getattr(node, "origin", None), "name", "")
            if place:
                origin = str(place)
                break
            frame = frame.f_back
        if origin and not origin.startswith(str(ROOT / "templates")):
            return ""
        raise AssertionError(f"undefined template variable “{name}” in {origin or 'a template'}")


PLANTED = pytest.StashKey[Any]()


def maintain(*statements: str) -> None:
    """Run statements about whole databases, from the maintenance database of the same PostgreSQL."""
    import psycopg

    values = connection.settings_dict
    with psycopg.connect(
        host=values["HOST"],
        port=values["PORT"] or None,
        user=values["USER"],
        password=values["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    ) as other:
        for statement in statements:
            other.execute(statement)


def plant(config: pytest.Config) -> None:
    """Bring the database back to what migrations left: the page tree, content types, permissions, groups."""
    from django.contrib.contenttypes.models import ContentType

    connection.close()
    if connection.vendor == "sqlite":
        template, target = config.stash[PLANTED]
        for leftover in ("-wal", "-shm"):
            target.with_name(target.name + leftover).unlink(missing_ok=True)
        shutil.copy(template, target)
    else:
        name = config.stash[PLANTED]
        maintain(f'DROP DATABASE "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}" TEMPLATE "{name}_planted"')
    ContentType.objects.clear_cache()
    cache.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """A test that really commits empties the database at its end; the next one finds it planted again.

    After the last test the test database is gone and the connection may lead to a real one: hands off.
    """
    yield
    if nextitem is None:
        return
    marker = item.get_closest_marker("django_db")
    if "transactional_db" in getattr(item, "fixturenames", ()) or (
        marker is not None and marker.kwargs.get("transaction")
    ):
        from pytest_django.plugin import blocking_manager_key

        with item.config.stash[blocking_manager_key].unblock():
            plant(item.config)


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: Any
) -> Iterator[None]:
    """Migrating an empty database takes most of a short run: on SQLite its result is kept in build/ and copied.

    The copy is named after the migrations and settings, so a changed migration makes a new one.
    """
    from django.test.utils import setup_databases, teardown_databases

    if connection.vendor != "sqlite":
        with django_db_blocker.unblock():
            config = setup_databases(verbosity=0, interactive=False, serialized_aliases=[])
            request.config.stash[PLANTED] = name = connection.settings_dict["NAME"]
            connection.close()
            maintain(f'DROP DATABASE IF EXISTS "{name}_planted"', f'CREATE DATABASE "{name}_planted" TEMPLATE "{name}"')
        yield
        with django_db_blocker.unblock():
            teardown_databases(config, verbosity=0)
            maintain(f'DROP DATABASE "{name}_planted"')
        return
    from django.db.migrations.loader import MigrationLoader

    with django_db_blocker.unblock():
        digest = hashlib.sha256()
        for name, migration in sorted(MigrationLoader(None).disk_migrations.items()):
            digest.update(repr(name).encode() + Path(sys.modules[migration.__module__].__file__ or "").read_bytes())
        template = ROOT / "build" / f"test-{digest.hexdigest()[:16]}.sqlite3"
        target = Path(connection.settings_dict["TEST"]["NAME"])
        if not template.exists():
            template.parent.mkdir(exist_ok=True)
            config = setup_databases(verbosity=0, interactive=False)
            with sqlite3.connect(template.with_suffix(f".{os.getpid()}")) as copy:
                connection.ensure_connection()
                connection.connection.backup(copy)
            copy.close()
            template.with_suffix(f".{os.getpid()}").replace(template)
            teardown_databases(config, verbosity=0)
        connection.close()
        connection.settings_dict["NAME"] = str(target)
        request.config.stash[PLANTED] = (template, target)
        plant(request.config)
    yield
    with django_db_blocker.unblock():
        connection.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the real data sets are not here ({SHARED_DATA}); set SHARED_DATA")
    return SHARED_DATA


@pytest.fixture(autouse=True)
def _closed_network(request: pytest.FixtureRequest, socket_enabled: None) -> Iterator[None]:
    """Only this machine may be talked to: the database, the broker, the live server."""
    import pytest_socket

    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)
    yield
    pytest_socket._remove_restrictions()


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    cache.clear()
    yield


@pytest.fixture(autouse=True)
def _commit_callbacks(request: pytest.FixtureRequest) -> Iterator[None]:
    """What is to happen after commit happens in tests too, as soon as the outermost block of the product ends."""
    marker = request.node.get_closest_marker("django_db")
    uses_db = marker is not None or {"db", "transactional_db", "django_db_setup"} & set(request.fixturenames)
    if (
        not uses_db
        or (marker is not None and marker.kwargs.get("transaction"))
        or "transactional_db" in request.fixturenames
    ):
        yield
        return
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.transaction import Atomic

    original = Atomic.__exit__

    def leave(self: Atomic, exc_type: object, exc_value: object, traceback: object) -> None:
        original(self, exc_type, exc_value, traceback)
        conn = connection
        # One block is the test's own; when only that is left, the product has committed.
        if exc_type is None and not self._from_testcase and len(conn.savepoint_ids) == 0 and conn.in_atomic_block:
            while conn.run_on_commit:
                callbacks, conn.run_on_commit = conn.run_on_commit, []
                for _sids, callback, _robust in callbacks:
                    callback()

    original_on_commit = BaseDatabaseWrapper.on_commit

    def on_commit(self: BaseDatabaseWrapper, func: Callable[[], object], robust: bool = False) -> None:
        if self.in_atomic_block and not self.savepoint_ids:  # outside every block of the product: at once
            func()
        else:
            original_on_commit(self, func, robust)

    Atomic.__exit__ = leave  # type: ignore[method-assign]
    BaseDatabaseWrapper.on_commit = on_commit  # type: ignore[method-assign]
    yield
    Atomic.__exit__ = original  # type: ignore[method-assign]
    BaseDatabaseWrapper.on_commit = original_on_commit  # type: ignore[method-assign]


@pytest.fixture
def htmx_client(client: Client) -> Client:
    client.defaults["HTTP_HX_REQUEST"] = "true"
    return client


@pytest.fixture
def count_queries() -> Callable[[Callable[[], object]], int]:
    def count(act: Callable[[], object]) -> int:
        with CaptureQueriesContext(connection) as captured:
            act()
        return len([q for q in captured if not re.match(r"(SAVEPOINT|RELEASE|ROLLBACK TO)", q["sql"])])

    return count
