"""`make run`: everything a laptop needs, step by step, then the server and its worker until Ctrl-C.

Nothing a person has entered is touched: the demo ministry is only made in a database without people.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = os.environ.get("PORT", "8000")
STARTED = time.monotonic()


def say(text: str) -> None:
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", flush=True)


def refuse(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
    sys.exit(1)


def check_port() -> None:
    if not (PORT.isascii() and PORT.isdigit() and 0 < int(PORT[:6]) < 65536):
        refuse(f"PORT is “{PORT}”, but a port is a number from 1 to 65535: make run PORT=8080")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(PORT)))
        except PermissionError:
            refuse(f"Port {PORT} is for administrators. Choose a higher one: make run PORT=8080")
        except OSError:
            refuse(f"Port {PORT} is in use. Stop what runs there, or choose another: make run PORT=8080")


def compile_messages() -> None:
    """Translations from .po to .mo where they are newer; no gettext tools are needed."""
    import polib

    for po in Path("locale").glob("*/LC_MESSAGES/*.po"):
        mo = po.with_suffix(".mo")
        if not mo.exists() or mo.stat().st_mtime < po.stat().st_mtime:
            polib.pofile(str(po)).save_as_mofile(str(mo))


def prepare_database() -> None:
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    for folder in (
        settings.VAR_DIR,
        settings.MEDIA_ROOT,
        settings.BROKER_DIR / "queue",
        settings.BROKER_DIR / "control",
    ):
        Path(folder).mkdir(parents=True, exist_ok=True)
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("Bringing the database up to date")
        call_command("migrate", verbosity=0)


def load_reference_data(*, with_demo: bool) -> None:
    from django.core.management import call_command

    from certificates.models import IssuerKey
    from competencies.models import FrameworkVersion, ItemBank
    from courses.models import CoursePage
    from organisations.models import User
    from readiness.models import Instrument

    if not FrameworkVersion.objects.filter(framework__slug="public-digital-talent").exists():
        say("Loading the starter framework")
        call_command("load_starter_framework", verbosity=0)
    if not ItemBank.objects.exists():
        say("Loading the questions of the diagnostics")
        call_command("load_item_banks", present=True, verbosity=0)
    if not CoursePage.objects.exists():
        say("Loading the starter courses")
        call_command("load_courses", verbosity=0)
    if not Instrument.objects.exists():
        say("Loading the questionnaires")
        call_command("load_instruments", verbosity=0)
    if not IssuerKey.objects.exists():
        say("Making the keys that certificates are signed with")
        call_command("issuer_keys", "create", verbosity=0)
    if with_demo and not User.objects.exists():
        say("Making the demo ministry (about 160 people)")
        call_command("seed_demo", verbosity=0)


def print_addresses() -> None:
    from organisations.demo import DEMO_PASSWORD, demo_accounts_present

    address = f"http://{HOST}:{PORT}"
    for _attempt in range(300):
        try:
            with urllib.request.urlopen(f"{address}/health/", timeout=2):  # noqa: S310
                break
        except OSError:
            time.sleep(0.1)
    lines = ["", f"  The platform is ready: {address}", ""]
    accounts = demo_accounts_present()
    if accounts:
        lines += ["  Demo accounts (password " + DEMO_PASSWORD + "):", *(f"    {email}" for email in accounts), ""]
    lines += ["  Ctrl-C ends it.", ""]
    say("Ready")
    print("\n".join(lines), flush=True)


def end_with_the_terminal() -> None:
    """A closed terminal ends it as Ctrl-C does: server and worker are in sessions of their own and would go on."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup
        return
    main_process = os.getpid()

    def hang_up(*args: object) -> None:
        if os.getpid() != main_process:  # the watchers of server and worker end with them
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):  # writing to a terminal that is gone is an error
            os.dup2(nowhere, stream)
        os.kill(main_process, signal.SIGINT)

    signal.signal(signal.SIGHUP, hang_up)


def main() -> None:
    """`--messages` only compiles translations; `--prepare` also readies database and reference data, without people."""
    compile_messages()
    if "--messages" in sys.argv:
        return
    prepare = "--prepare" in sys.argv
    if not prepare:
        check_port()
    import django

    django.setup()
    prepare_database()
    load_reference_data(with_demo=not prepare)
    if prepare:
        say("Everything is in place. Start with: make run")
        return
    from django.db import connections
    from honcho.manager import Manager

    connections.close_all()
    # A container's only user is root; Celery's banner of warnings would bury the address.
    env = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
    }
    python = sys.executable
    manager = Manager()
    manager.add_process(
        "web",
        f"exec {python} -m gunicorn config.wsgi --bind {HOST}:{PORT} --worker-class gthread --workers 2 --threads 4 --log-level warning",
        env=env,
    )
    manager.add_process(
        "worker",
        f"exec {python} -m celery --quiet -A config worker --beat --pool threads --concurrency 2 --loglevel WARNING "
        "--without-gossip --without-mingle",
        env=env,
    )
    end_with_the_terminal()
    say("Starting the server and the worker")
    threading.Thread(target=print_addresses, daemon=True).start()
    manager.loop()
    # Ctrl-C is how one ends it: nothing went wrong.
    sys.exit(0 if manager.returncode in (0, None, 130, 143, -2, -15) else manager.returncode)


if __name__ == "__main__":
    main()
