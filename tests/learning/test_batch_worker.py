"""A real worker is killed in the middle of an assignment; the next one goes on, and each person has it once."""

from __future__ import annotations

from collections import Counter

import pytest

from competencies.models import RoleAssignment
from learning.batches import apply_batch, rows_of
from learning.models import Assignment, BatchRow, PathPlan
from organisations import tasks
from organisations.enums import JobState
from organisations.jobs import sweep
from organisations.models import Job
from tests.learning.test_batches import Ministry
from tests.organisations.test_worker import LEASE_SECONDS, broker, hire, wait_for

pytestmark = [pytest.mark.worker, pytest.mark.django_db(transaction=True)]
PEOPLE = 1500
__all__ = ["broker", "hire"]  # fixtures


def test_an_assignment_whose_worker_is_killed_gives_each_person_one(broker, hire):
    m = Ministry()
    m.crowd(PEOPLE - 2)
    batch = m.start(here=True)
    first = hire("first@test")
    apply_batch(batch=batch, by=m.officer)
    wait_for(lambda: BatchRow.objects.filter(batch=batch, state="applied").exists(), first)
    first.kill()
    done = BatchRow.objects.filter(batch=batch, state="applied").count()
    assert 0 < done < PEOPLE
    assert Assignment.objects.count() == done

    batch.refresh_from_db()
    second = hire("second@test")
    wait_for(lambda: sweep() == 1, second, seconds=LEASE_SECONDS + 10)
    wait_for(lambda: Job.objects.get(pk=batch.job_id).state == JobState.DONE, second, seconds=120)
    for _ in range(2):
        tasks.run_job_task.delay(batch.job_id)
    batch.refresh_from_db()
    assert (batch.status, batch.counts["states"]["applied"]) == ("applied", PEOPLE)
    for rows in (Assignment.objects, RoleAssignment.objects):
        assert set(Counter(rows.values_list("person_id", flat=True)).values()) == {1}
        assert rows.count() == PEOPLE
    assert rows_of(batch).filter(state="applied", assignment__isnull=False).count() == PEOPLE
    assert PathPlan.objects.values("person").distinct().count() == PEOPLE
