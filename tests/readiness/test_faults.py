"""A close that is killed anywhere, and many people who answer at once: nothing between, nothing lost, nothing twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, connections
from django.utils import timezone

from organisations.models import User
from readiness import closing, keys
from readiness.casting import CastRefused, cast
from readiness.closing import close_wave
from readiness.enums import WaveState
from readiness.models import Envelope, Participation, Sheet, SheetClass, Wave
from readiness.results import NoResult, results_for
from tests.readiness.surveys import (
    answer,
    make_initiative,
    make_instrument,
    make_ministry,
    make_open,
)

pytestmark = pytest.mark.django_db(transaction=True)


class Killed(BaseException):
    """What nobody catches, like the end of a process."""


def killed(*_args, **_values):
    raise Killed


@pytest.mark.parametrize(
    "where", ["_ballots", "count", "_store", "note", "keys.destroy_key", "wipe_deleted_rows", "enqueue"]
)
def test_a_close_killed_anywhere_is_open_with_its_key_or_closed_without_it(monkeypatch, where):
    units = make_ministry()
    wave = make_open(make_initiative(units["M"]))
    answer(wave)
    owner, _dot, name = where.rpartition(".")
    with monkeypatch.context() as patched:
        patched.setattr(getattr(closing, owner) if owner else closing, name, killed)
        with pytest.raises(Killed):
            close_wave(wave=wave, at=wave.closes_at)
    wave.refresh_from_db()
    if wave.state == WaveState.OPEN:
        assert keys.file_keys().exists(wave.key_name)
        assert Envelope.objects.count() == Participation.objects.filter(done=True).count() == 39
        assert not SheetClass.objects.exists() and not Sheet.objects.exists()
    else:
        # Counted, and its key to be destroyed: no result yet, and no way back.
        assert wave.state == WaveState.SEALED
        assert not Envelope.objects.exists() and not Participation.objects.exists()
    with pytest.raises(NoResult):
        results_for(wave, wave.nodes.get(code=units["M"].code))
    # The sweep takes it up again.
    assert wave.pk in {found.pk for found in closing.due_to_close(wave.closes_at)}
    wave = close_wave(wave=wave, at=wave.closes_at)
    assert wave.state == WaveState.CLOSED and not keys.file_keys().exists(wave.key_name)
    assert Sheet.objects.count() == 39
    assert [event.kind for event in wave.events.all()].count("closed") == 1


def test_everybody_at_once_and_each_pressing_twice_is_one_ballot_each():
    many = connection.vendor == "postgresql"
    units = make_ministry({"M": 2000 if many else 50})
    wave = make_open(make_initiative(units["M"]), make_instrument({"why": 2}))
    people = list(User.objects.filter(participations__wave=wave))
    threads = 24 if many else 50
    start = Barrier(threads)

    def press(some: list[User]) -> list[str]:
        found = []
        try:
            start.wait(timeout=60)
            for person in some:
                for _press in range(2):
                    try:
                        cast(person=person, wave=wave, answers={"why1": 4, "why2": 2}, comments={})
                        found.append("taken")
                    except CastRefused as refused:
                        found.append("already" if refused.already else str(refused))
        finally:
            connections.close_all()
        return found

    with ThreadPoolExecutor(threads) as pool:
        said = [word for words in pool.map(press, [people[at::threads] for at in range(threads)]) for word in words]
    assert said.count("taken") == said.count("already") == len(people)
    assert Envelope.objects.count() == len(people) == Participation.objects.filter(done=True).count()


def test_who_answers_while_the_survey_closes_is_counted_or_told():
    units = make_ministry({"M": 60})
    wave = make_open(make_initiative(units["M"]), make_instrument({"why": 2}))
    people = list(User.objects.filter(participations__wave=wave).order_by("pk"))
    for person in people[:30]:
        cast(person=person, wave=wave, answers={"why1": 4}, comments={})
    start = Barrier(5)

    def press(some: list[User]) -> int:
        taken = 0
        try:
            start.wait(timeout=60)
            for person in some:
                try:
                    cast(person=person, wave=wave, answers={"why1": 4}, comments={})
                    taken += 1
                except CastRefused:
                    pass
        finally:
            connections.close_all()
        return taken

    def close() -> Wave:
        try:
            start.wait(timeout=60)
            return close_wave(wave=wave, at=wave.closes_at)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(5) as pool:
        closed = pool.submit(close)
        taken = sum(pool.map(press, [people[30 + at :: 4] for at in range(4)]))
        wave = closed.result()
    assert wave.state == WaveState.CLOSED
    assert Sheet.objects.count() == 30 + taken
    assert timezone.now() < wave.closes_at
