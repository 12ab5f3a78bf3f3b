"""A real worker is killed in the middle of a job; the sweep hands it to another, which does it once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from celery import Celery
from django.db import connection

from organisations import tasks
from organisations.enums import JobState
from organisations.jobs import enqueue, sweep
from organisations.models import Job, Unit
from tests.conftest import ROOT

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]
LEASE_SECONDS = 5


def database_url() -> str:
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    who = ":".join(filter(None, (values["USER"], values["PASSWORD"])))
    return f"postgres://{who}@{values['HOST']}:{values['PORT'] or 5432}/{values['NAME']}"


@dataclass
class Broker:
    """The suite's broker (CELERY_BROKER_URL, else files), with a queue of this test's own."""

    url: str
    queue: str
    sender: Celery
    folder: Path

    def waiting(self) -> int:
        """Messages nobody has taken yet."""
        if self.url.startswith("filesystem"):
            return len(list(self.folder.iterdir()))
        with self.sender.connection_for_read() as link:
            try:
                return link.default_channel.queue_declare(self.queue, passive=True).message_count
            except link.channel_errors:  # an empty queue of Redis is none
                return 0


@pytest.fixture
def broker(tmp_path, monkeypatch) -> Iterator[Broker]:
    """Hand-overs of this process become messages in the queue that the workers watch."""
    url = os.environ.get("CELERY_BROKER_URL", "filesystem://")
    queue = f"test-{uuid4().hex}"
    folder = tmp_path / "broker" / "queue"
    control = tmp_path / "broker" / "control"
    for path in (folder, control):
        path.mkdir(parents=True)
    sender = Celery("sender", broker=url, set_as_current=False)
    if url.startswith("filesystem"):
        sender.conf.broker_transport_options = {
            "data_folder_in": str(folder),
            "data_folder_out": str(folder),
            "control_folder": str(control),
        }
    monkeypatch.setattr(
        tasks.run_job_task,
        "delay",
        lambda job_id: sender.send_task(tasks.run_job_task.name, args=[job_id], queue=queue, ignore_result=True),
    )
    yield Broker(url, queue, sender, folder)
    sender.close()


class Worker:
    def __init__(self, var_dir: Path, name: str, broker: Broker) -> None:
        self.log = var_dir / f"{name}.log"
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.local",
            "DATABASE_URL": database_url(),
            "VAR_DIR": str(var_dir),
            "CELERY_BROKER_URL": broker.url,
            "JOB_LEASE_SECONDS": str(LEASE_SECONDS),
        }
        command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--include", "tests.organisations.errands"]
        options = ["--pool", "threads", "--concurrency", "1", "--loglevel", "INFO", "--hostname", name]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--queues", broker.queue]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, *options, *quiet],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=10)


@pytest.fixture
def hire(tmp_path, broker) -> Iterator[Callable[[str], Worker]]:
    hired: list[Worker] = []

    def start(name: str) -> Worker:
        hired.append(Worker(tmp_path, name, broker))
        return hired[-1]

    yield start
    for worker in hired:
        worker.kill()


def wait_for(what: Callable[[], object], worker: Worker, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not what():
        dead = worker.process.poll() is not None
        if dead or time.monotonic() > until:
            jobs = list(Job.objects.values("pk", "state", "done", "attempts", "error"))
            pytest.fail(f"{'the worker died' if dead else 'it took too long'}: {jobs}\n{worker.log.read_text()}")
        time.sleep(0.05)


def test_a_job_whose_worker_is_killed_is_done_once_by_the_next(tmp_path, broker, hire):
    diary = tmp_path / "diary"

    def ask(code: str, steps: int) -> Job:
        return enqueue(kind="tests.slow", key=code, payload={"code": code, "steps": steps, "diary": str(diary)})

    first = hire("first@test")
    job = ask("slow", 30)

    def state() -> str:
        job.refresh_from_db()
        return job.state

    wait_for(lambda: state() == JobState.RUNNING and 0 < job.done < job.total, first)
    first.kill()
    assert state() == JobState.RUNNING  # the row does not know yet
    assert not Unit.objects.filter(code="slow").exists()
    assert sweep() == 0  # within its lease it is believed to be in good hands

    second = hire("second@test")
    wait_for(lambda: sweep() == 1, second, seconds=LEASE_SECONDS + 10)
    wait_for(lambda: state() == JobState.DONE, second)
    assert (job.attempts, job.report, job.error, job.lease) == (2, {"by": second.process.pid}, "", None)
    assert (job.done, job.total) == (30, 30)

    # Messages that come late, twice or after the end change nothing; the errand behind them is done, so they were read.
    for _ in range(3):
        tasks.run_job_task.delay(job.pk)
    last = ask("last", 1)
    wait_for(lambda: Job.objects.get(pk=last.pk).state == JobState.DONE, second)
    assert sweep() == 0
    assert broker.waiting() == 0
    assert diary.read_text().splitlines() == [
        f"slow begins {first.process.pid}",
        f"slow begins {second.process.pid}",
        f"slow ends {second.process.pid}",
        f"last begins {second.process.pid}",
        f"last ends {second.process.pid}",
    ]
    assert Unit.objects.filter(code="slow").count() == 1
    assert state() == JobState.DONE
    assert job.attempts == 2
