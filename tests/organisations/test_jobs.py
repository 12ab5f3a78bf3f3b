"""Jobs: asked for once, retried with patience, taken over from the dead, and never by two at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext

from organisations import jobs, tasks
from organisations.enums import MAX_JOB_ATTEMPTS, JobState
from organisations.jobs import CannotBeDone, Run, enqueue, run_job, sweep
from organisations.models import Job
from tests.builders import make_person

pytestmark = pytest.mark.django_db
KIND = "tests.errand"


class Errand:
    """A handler whose behaviour a test chooses; it counts its calls."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.act: Callable[[Run], Any] = lambda run: {"done": True}

    def __call__(self, run: Run) -> dict[str, Any] | None:
        self.runs.append(run)
        return self.act(run)


def fail(error: BaseException) -> Callable[[Run], Any]:
    def act(run: Run) -> None:
        raise error

    return act


@pytest.fixture
def errand(monkeypatch) -> Errand:
    handler = Errand()
    monkeypatch.setitem(jobs.KINDS, KIND, jobs.Kind(KIND, "An errand", handler))
    return handler


@pytest.fixture
def sent(monkeypatch) -> list[int]:
    """The broker keeps what it is given; nothing runs until a test runs it."""
    ids: list[int] = []
    monkeypatch.setattr(tasks.run_job_task, "delay", ids.append)
    return ids


@pytest.fixture
def clock(monkeypatch):
    """Time that stands still until a test moves it; ahead of the real one, which models' defaults have kept."""

    class Clock:
        now = timezone.now() + timedelta(hours=1)

        def forward(self, **by: float) -> None:
            self.now += timedelta(**by)

    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.now)
    return clock


def ask(key: str = "one", **values: Any) -> Job:
    return enqueue(kind=KIND, key=key, payload=values.pop("payload", {"person": 1}), **values)


def now_is(job: Job) -> Job:
    job.refresh_from_db()
    return job


# --- Asking ------------------------------------------------------------------------------------------------------
def test_asking_twice_is_asking_once(errand, sent):
    asker = make_person()
    first = ask(by=asker)
    second = ask(by=make_person(), payload={"person": 2})
    assert first == second == Job.objects.get()
    assert (second.payload, second.created_by) == ({"person": 1}, asker)
    assert sent == [first.pk]


def test_the_same_key_of_another_kind_is_another_job(errand, sent, monkeypatch):
    monkeypatch.setitem(jobs.KINDS, "tests.other", jobs.Kind("tests.other", "Other", errand))
    ask("same")
    enqueue(kind="tests.other", key="same", payload={})
    assert Job.objects.count() == len(sent) == 2


def test_asking_again_for_what_is_finished_runs_nothing_again(errand):
    ask()
    assert ask().state == JobState.DONE
    assert len(errand.runs) == 1


def test_nothing_is_handed_over_when_the_transaction_rolls_back(errand, sent):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        ask()
        raise ZeroDivisionError
    assert not Job.objects.exists()
    assert sent == []
    assert errand.runs == []


def test_a_job_is_handed_over_only_after_the_transaction_that_asked_for_it(errand, sent):
    with transaction.atomic():
        job = ask()
        assert sent == []
    assert sent == [job.pk]


def test_a_broker_that_is_away_loses_nothing(errand, monkeypatch, caplog):
    def away(job_id: int) -> None:
        raise ConnectionError("broker away")

    monkeypatch.setattr(tasks.run_job_task, "delay", away)
    job = ask()
    assert job.state == JobState.QUEUED
    assert "waits for the sweep" in caplog.text
    monkeypatch.undo()
    assert list(Job.objects.left_behind(timezone.now())) == [job]


def test_what_is_asked_for_here_is_done_on_return(errand, sent):
    job = ask(here=True)
    assert now_is(job).state == JobState.DONE
    assert sent == []


def test_what_fails_here_stays_for_the_sweep_and_does_not_disturb_who_asked(errand, sent, clock):
    errand.act = fail(ValueError("no"))
    job = ask(here=True)
    assert now_is(job).state == JobState.QUEUED
    assert sweep() == 0  # it is given a rest first
    clock.forward(seconds=30)
    errand.act = lambda run: {"second": "time"}
    assert sweep() == 1
    assert sent == [job.pk]
    run_job(job.pk)
    assert (now_is(job).state, job.report) == (JobState.DONE, {"second": "time"})


def test_what_is_killed_here_stays_for_the_sweep(errand, sent, clock, settings):
    errand.act = fail(SystemExit())
    with pytest.raises(SystemExit):
        ask(here=True)
    job = Job.objects.get()
    assert job.state == JobState.RUNNING
    clock.forward(seconds=settings.JOB_LEASE_SECONDS)
    assert sweep() == 1


# --- Running -----------------------------------------------------------------------------------------------------
def test_a_job_ends_with_its_report(errand, sent, clock):
    job = run_job(ask(payload={"people": [1, 2]}).pk)
    assert errand.runs[0].payload == {"people": [1, 2]}
    assert (job.state, job.report, job.error, job.attempts) == (JobState.DONE, {"done": True}, "", 1)
    assert (job.lease, job.lease_until, job.finished_at) == (None, None, clock.now)


def test_a_handler_without_report_leaves_an_empty_one(errand, sent):
    errand.act = lambda run: None
    assert run_job(ask().pk).report == {}


def test_a_finished_job_does_not_run_again_however_often_it_is_delivered(errand, sent):
    job = ask()
    assert run_job(job.pk).state == JobState.DONE
    assert run_job(job.pk) is None
    assert len(errand.runs) == 1


def test_a_message_about_a_job_that_is_not_there_is_ignored():
    assert run_job(0) is None


def test_a_job_does_not_run_while_another_worker_has_it(errand, sent):
    job = ask()
    meanwhile = []

    def act(run: Run) -> None:
        meanwhile.append(run_job(job.pk))  # the message came twice

    errand.act = act
    assert run_job(job.pk).state == JobState.DONE
    assert meanwhile == [None]
    assert len(errand.runs) == 1


def test_the_errands_of_celery_run_and_sweep(errand, sent):
    job = ask()
    tasks.run_job_task(job.pk)
    assert now_is(job).state == JobState.DONE
    ask("two")
    assert tasks.sweep_jobs() == 1


@pytest.mark.parametrize("language", ["es", "en", "", "xx", "../x"])
def test_a_handler_speaks_the_language_of_who_asked(errand, sent, language):
    errand.act = lambda run: {"language": translation.get_language()}
    with translation.override("es"):
        job = run_job(ask(by=make_person(language=language)).pk)
        assert job.report == {"language": language or "en"}
        assert translation.get_language() == "es"
        assert run_job(ask("nobody's").pk).report == {"language": "en"}


# --- Failing -----------------------------------------------------------------------------------------------------
def test_a_failing_job_is_tried_again_after_longer_and_longer_pauses_and_then_stops_with_a_sentence(
    errand, sent, clock, caplog
):
    errand.act = fail(ValueError("secret detail"))
    job = ask()
    pauses = []
    for attempt in range(1, MAX_JOB_ATTEMPTS):
        run_job(job.pk)
        assert (now_is(job).state, job.attempts, job.lease) == (JobState.QUEUED, attempt, None)
        pauses.append((job.not_before - clock.now).total_seconds())
        clock.forward(seconds=pauses[-1] - 1)
        assert run_job(job.pk) is None
        assert sweep() == 0
        clock.forward(seconds=1)
        assert sweep() == 1
    assert pauses == [30, 60, 120, 240]
    run_job(job.pk)
    assert (now_is(job).state, job.attempts, job.finished_at) == (JobState.FAILED, MAX_JOB_ATTEMPTS, clock.now)
    assert job.error == (
        "It went wrong 5 times and was given up (ValueError). An administrator finds the reason in the log."
    )
    assert "secret detail" in caplog.text
    clock.forward(days=1)
    assert sweep() == 0
    assert run_job(job.pk) is None
    assert len(errand.runs) == MAX_JOB_ATTEMPTS


def test_the_pause_begins_when_the_attempt_ends(errand, sent, clock):
    def act(run: Run) -> None:
        clock.forward(minutes=10)
        raise ValueError

    errand.act = act
    job = run_job(ask().pk)
    assert job.not_before == clock.now + timedelta(seconds=30)


def test_a_job_that_recovers_forgets_what_went_wrong(errand, sent, clock):
    errand.act = fail(ValueError())
    job = run_job(ask().pk)
    assert job.error == "ValueError"
    clock.forward(seconds=30)
    errand.act = lambda run: {}
    assert (run_job(job.pk).state, now_is(job).error, job.attempts) == (JobState.DONE, "", 2)


def test_what_cannot_be_done_stops_at_once_with_its_sentence(errand, sent):
    errand.act = fail(CannotBeDone("The role profile is no longer there."))
    job = run_job(ask().pk)
    assert (job.state, job.error, job.attempts) == (JobState.FAILED, "The role profile is no longer there.", 1)
    assert job.finished_at is not None
    assert sweep() == 0


def test_a_kind_nobody_knows_any_more_is_tried_and_then_stops(sent, clock):
    job = enqueue(kind="tests.gone", key="x", payload={})
    for _ in range(MAX_JOB_ATTEMPTS):
        clock.forward(hours=1)
        run_job(job.pk)
    assert (now_is(job).state, "KeyError" in job.error) == (JobState.FAILED, True)
    assert jobs.label_of(job) == "tests.gone"


def test_the_last_sentence_is_in_the_language_of_who_asked(errand, sent, monkeypatch):
    monkeypatch.setattr(jobs, "_", lambda text: f"{translation.get_language()}: {text}")
    asker = make_person(language="es")
    failing = ask("failing", by=asker)
    killed = ask("killed", by=asker)
    Job.objects.filter(pk=failing.pk).update(attempts=MAX_JOB_ATTEMPTS - 1)
    Job.objects.filter(pk=killed.pk).update(attempts=MAX_JOB_ATTEMPTS)
    errand.act = fail(ValueError())
    assert run_job(failing.pk).error.startswith("es: It went wrong 5 times")
    assert run_job(killed.pk).error == "es: It was interrupted 5 times."


# --- Dying and taking over ---------------------------------------------------------------------------------------
def test_a_job_past_its_lease_is_taken_over_and_one_within_it_is_not(errand, sent, clock, settings):
    job = ask()
    errand.act = fail(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        run_job(job.pk)
    sent.clear()
    clock.forward(seconds=settings.JOB_LEASE_SECONDS - 1)
    assert sweep() == 0
    assert run_job(job.pk) is None
    clock.forward(seconds=1)
    assert sweep() == 1
    assert sent == [job.pk]
    errand.act = lambda run: {}
    assert (run_job(job.pk).state, now_is(job).attempts) == (JobState.DONE, 2)


def test_a_job_that_kills_its_workers_is_given_up_with_a_sentence(errand, sent, clock, settings):
    """Out of memory, say: no exception is ever seen, only leases that run out."""
    errand.act = fail(SystemExit())
    job = ask()
    for _ in range(MAX_JOB_ATTEMPTS):
        with pytest.raises(SystemExit):
            run_job(job.pk)
        clock.forward(seconds=settings.JOB_LEASE_SECONDS)
    assert run_job(job.pk).state == JobState.FAILED
    assert now_is(job).error == "It was interrupted 5 times."
    assert (job.lease, job.finished_at) == (None, clock.now)
    assert len(errand.runs) == MAX_JOB_ATTEMPTS


@pytest.mark.parametrize(
    "end",
    [
        lambda run: run.progress(2, 2),
        lambda run: {"mine": True},
        fail(CannotBeDone("I cannot")),
        fail(ValueError("I failed")),
    ],
    ids=["progress", "report", "cannot be done", "failure"],
)
def test_who_has_lost_the_lease_leaves_no_trace(errand, sent, end):
    job = ask()
    other = uuid.uuid4()
    until = timezone.now() + timedelta(hours=1)

    def act(run: Run) -> Any:
        Job.objects.filter(pk=job.pk).update(lease=other, lease_until=until, attempts=2, done=1, total=2)
        return end(run)

    errand.act = act
    run_job(job.pk)
    assert (now_is(job).state, job.lease, job.lease_until) == (JobState.RUNNING, other, until)
    assert (job.report, job.error, job.attempts, job.done, job.total) == ({}, "", 2, 1, 2)
    assert job.finished_at is None


def test_losing_the_lease_on_the_last_attempt_leaves_no_trace_either(errand, sent):
    job = ask()
    Job.objects.update(attempts=MAX_JOB_ATTEMPTS - 1)
    other = uuid.uuid4()

    def act(run: Run) -> None:
        Job.objects.update(lease=other)
        raise ValueError

    errand.act = act
    run_job(job.pk)
    assert (now_is(job).state, job.lease, job.error) == (JobState.RUNNING, other, "")


def test_one_whose_job_another_has_finished_stops_without_a_trace(errand, sent, caplog):
    job = ask()

    def act(run: Run) -> None:
        Job.objects.update(state=JobState.DONE, lease=None, report={"other": 1})
        run.progress(1, 1)

    errand.act = act
    assert run_job(job.pk) is None
    assert (now_is(job).state, job.report) == (JobState.DONE, {"other": 1})
    assert "taken over" in caplog.text


# --- Progress ----------------------------------------------------------------------------------------------------
def test_progress_is_noted_at_most_once_a_second_and_always_at_the_end(errand, sent, clock, settings, count_queries):
    seen = []

    def act(run: Run) -> None:
        def note(done: int) -> None:
            queries = count_queries(lambda: run.progress(done, 4))
            seen.append((queries, *Job.objects.values_list("done", "total", "lease_until").get()))

        begun = clock.now + timedelta(seconds=settings.JOB_LEASE_SECONDS)
        note(0)
        assert seen[-1] == (0, 0, 0, begun)
        clock.forward(seconds=1)
        note(1)
        assert seen[-1] == (1, 1, 4, begun + timedelta(seconds=1))
        clock.forward(seconds=0.5)
        note(2)
        assert seen[-1] == (0, 1, 4, begun + timedelta(seconds=1))
        note(4)
        assert seen[-1] == (1, 4, 4, begun + timedelta(seconds=1.5))

    errand.act = act
    job = run_job(ask().pk)
    assert (job.state, job.error) == (JobState.DONE, "")
    assert len(seen) == 4
    assert (job.done, job.total, job.pct) == (4, 4, 100)


def test_a_worker_that_gives_signs_of_life_keeps_its_job_beyond_the_first_lease(errand, sent, clock, settings):
    taken = []

    def act(run: Run) -> None:
        for done in range(5):
            clock.forward(seconds=settings.JOB_LEASE_SECONDS - 1)
            run.progress(done, 5)
            taken.append(sweep())

    errand.act = act
    assert run_job(ask().pk).state == JobState.DONE
    assert taken == [0] * 5


# --- The sweep ---------------------------------------------------------------------------------------------------
def test_the_sweep_hands_over_what_is_due_and_nothing_else(errand, sent, clock):
    def row(key: str, **fields: Any) -> Job:
        return Job.objects.create(kind=KIND, key=key, **fields)

    soon = clock.now + timedelta(seconds=1)
    lost = row("lost", not_before=clock.now)
    row("resting", not_before=soon)
    row("running", state=JobState.RUNNING, lease=uuid.uuid4(), lease_until=soon, not_before=clock.now)
    dead = row("dead", state=JobState.RUNNING, lease=uuid.uuid4(), lease_until=clock.now, not_before=clock.now)
    row("done", state=JobState.DONE, not_before=clock.now)
    row("failed", state=JobState.FAILED, not_before=clock.now)
    assert sweep() == 2
    assert sent == [lost.pk, dead.pk]
    sent.clear()
    assert sweep(now=soon) == 4
    assert len(sent) == 4


def test_the_sweep_asks_one_query_for_many_jobs_and_takes_a_thousand_at_a_time(errand, sent, count_queries):
    Job.objects.bulk_create(Job(kind=KIND, key=str(n)) for n in range(1005))
    assert count_queries(sweep) == 1
    assert len(sent) == 1000
    assert sent == sorted(sent)


def test_a_swept_job_that_is_delivered_twice_runs_once(errand, sent):
    job = ask()
    sweep()
    sweep()
    assert sent == [job.pk] * 3
    assert [run_job(pk) and "ran" for pk in sent] == ["ran", None, None]


# --- Kinds -------------------------------------------------------------------------------------------------------
def test_a_kind_is_registered_by_its_name_and_shown_by_its_label(monkeypatch):
    monkeypatch.setattr(jobs, "KINDS", {})

    @jobs.job_kind("tests.new", gettext("New"))
    def handler(run: Run) -> None: ...

    assert jobs.KINDS["tests.new"].handler is handler
    assert jobs.label_of(Job(kind="tests.new")) == "New"
