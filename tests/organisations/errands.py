"""A slow errand for test_worker.py: its workers include this module, nothing else imports it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from organisations.jobs import Run, job_kind
from organisations.models import Unit


@job_kind("tests.slow", "A slow errand")
def slow(run: Run) -> dict[str, Any]:
    """Leaves one unit behind, after `steps` tenths of a second; writes down who began and who came to the end."""
    steps, code = run.payload["steps"], run.payload["code"]
    note(run, "begins")
    for step in range(steps):
        time.sleep(0.1)
        run.progress(step + 1, steps)
    if not Unit.objects.filter(code=code).exists():
        Unit.add_root(code=code, name={"en": "Left by an errand"})
    note(run, "ends")
    return {"by": os.getpid()}


def note(run: Run, what: str) -> None:
    with Path(run.payload["diary"]).open("a", encoding="utf-8") as diary:
        diary.write(f"{run.payload['code']} {what} {os.getpid()}\n")
