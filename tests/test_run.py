"""`make run` as a person meets it: it starts, ends with Ctrl-C or its terminal, and leaves her data alone."""

from __future__ import annotations

import fcntl
import os
import pty
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import termios
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.conftest import PLANTED, ROOT

PREPARE = """
import django; django.setup()
from tests.builders import make_course, make_framework, make_person
make_course(make_framework("public-digital-talent", codes="A"), {"A": 2}, key="of-our-own")
make_person("Somebody Real")
from tests.readiness.surveys import make_instrument
make_instrument(slug="of-our-own")
from django.core.management import call_command
call_command("issuer_keys", "create", verbosity=0)
"""


def run_with(port: str, var_dir: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "config.run"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PORT": port, "VAR_DIR": str(var_dir), "DJANGO_SETTINGS_MODULE": "config.settings.local"},
    )  # fmt: skip


@pytest.mark.parametrize("port", ["abc", "", "0", "-1", "²", "65536", pytest.param("9" * 5000, id="9…")])
def test_a_port_that_is_none_is_refused_in_a_sentence(port, tmp_path):
    result = run_with(port, tmp_path)
    assert result.returncode == 1
    assert "a number from 1 to 65535" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_in_use_is_refused_in_a_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run_with(str(taken.getsockname()[1]), tmp_path)
    assert result.returncode == 1
    assert "is in use" in result.stderr


@pytest.fixture
def env(request, tmp_path, django_db_setup: None) -> dict[str, str]:
    """A migrated database of its own in which a person has entered something, and a free port."""
    if connection.vendor != "sqlite":
        pytest.skip("how it starts and ends is the same on every database; this makes its own of SQLite")
    template, _target = request.config.stash[PLANTED]
    shutil.copy(template, tmp_path / "db.sqlite3")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    own = {"VAR_DIR": str(tmp_path), "PORT": port, "DJANGO_SETTINGS_MODULE": "config.settings.local"}
    inherited = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "CELERY_BROKER_URL", "CACHE_URL"}}
    env = {**inherited, **own}
    subprocess.run([sys.executable, "-c", PREPARE], cwd=ROOT, env=env, check=True, timeout=60)
    return env


def processes(var_dir: str) -> dict[int, str]:
    """Command lines of all that runs with this VAR_DIR, by process id."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended while we look
            variables = (folder / "environ").read_bytes().split(b"\0")
            if f"VAR_DIR={var_dir}".encode() in variables:
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def wait_for(what: Callable[[], Any], why: str, seconds: float = 120) -> None:
    """It takes two seconds on an idle machine; how long it takes on a busy one is not what these tests are about."""
    until = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until:
            pytest.fail(why)
        time.sleep(0.1)


def is_up(port: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=2) as answer:
        return bool(answer.status == 200)
    return False


@pytest.fixture
def start(env) -> Iterator[Callable[[], tuple[subprocess.Popen[bytes], FileIO]]]:
    """Start it in a terminal of its own; returns the process and the terminal's other end."""
    started: list[tuple[subprocess.Popen[bytes], FileIO]] = []

    def begin() -> tuple[subprocess.Popen[bytes], FileIO]:
        ours, its = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "config.run"], cwd=ROOT, env=env, stdin=its, stdout=its, stderr=its,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(its)
        terminal = FileIO(ours, "r+")
        started.append((process, terminal))
        wait_for(lambda: is_up(env["PORT"]) and worker_runs(), "it did not come up")
        return process, terminal

    def worker_runs() -> bool:
        return any(" celery " in command for command in processes(env["VAR_DIR"]).values())

    yield begin
    for _process, terminal in started:
        terminal.close()
    for pid in processes(env["VAR_DIR"]):  # none, where it works
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for process, _terminal in started:
        process.wait(timeout=60)


def everything_in(var_dir: str) -> list[str]:
    with closing(sqlite3.connect(Path(var_dir) / "db.sqlite3")) as database:
        return list(database.iterdump())


@pytest.mark.worker
def test_ctrl_c_and_a_closed_terminal_end_all_of_it_and_no_start_changes_data(env, start):
    before = everything_in(env["VAR_DIR"])

    process, terminal = start()
    terminal.write(b"\x03")  # Ctrl-C
    assert process.wait(timeout=120) == 0
    wait_for(lambda: not processes(env["VAR_DIR"]), "something is left running", seconds=30)
    terminal.close()

    process, terminal = start()
    terminal.close()
    process.wait(timeout=120)
    wait_for(lambda: not processes(env["VAR_DIR"]), "something is left running", seconds=30)

    assert everything_in(env["VAR_DIR"]) == before
