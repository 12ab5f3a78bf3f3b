"""Background work of surveys. Each handler may run twice and leaves the same state as once; a payload holds ids only."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from organisations.jobs import CannotBeDone, Run, job_kind
from readiness import closing, inviting, waves
from readiness.enums import CLOSE_JOB, INVITE_JOB, OPEN_JOB, REMIND_JOB, SHARE_JOB
from readiness.models import Wave


@job_kind(OPEN_JOB, gettext_lazy("Open a survey"))
def open_wave(run: Run) -> dict[str, Any]:
    try:
        wave = waves.open_wave(wave=_wave(run), by=run.job.created_by)
    except waves.WaveRefused as refused:
        raise CannotBeDone(str(refused)) from refused
    return {"wave": wave.pk, "state": wave.state}


@job_kind(CLOSE_JOB, gettext_lazy("Close a survey and count it"))
def close_wave(run: Run) -> dict[str, Any]:
    wave = closing.close_wave(wave=_wave(run))
    return {"wave": wave.pk, "state": wave.state}


@job_kind(INVITE_JOB, gettext_lazy("Invite people to a survey"))
def invite(run: Run) -> dict[str, Any]:
    return {"mailed": inviting.invite(_wave(run), done=run.job.done, progress=run.progress)}


@job_kind(REMIND_JOB, gettext_lazy("Remind people of a survey"))
def remind(run: Run) -> dict[str, Any]:
    return {"mailed": inviting.remind(_wave(run), done=run.job.done, progress=run.progress)}


@job_kind(SHARE_JOB, gettext_lazy("Tell people that the results of a survey are there"))
def share(run: Run) -> dict[str, Any]:
    return {"mailed": inviting.share(_wave(run), done=run.job.done, progress=run.progress)}


def _wave(run: Run) -> Wave:
    wave = Wave.objects.select_related("initiative__unit", "instrument", "unit").filter(pk=run.payload["wave"]).first()
    if wave is None:
        raise CannotBeDone(_("This survey is no longer there."))
    return wave
