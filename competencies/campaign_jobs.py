"""Background work of assessment campaigns. Each handler may run twice and leaves the same state as once."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from competencies import campaigns
from competencies.campaigns import CAMPAIGN_JOB, COUNT_JOB, MANAGERS_JOB
from competencies.models import AssessmentCampaign
from organisations.jobs import CannotBeDone, Run, job_kind


@job_kind(CAMPAIGN_JOB, gettext_lazy("Invite people to an assessment campaign"))
def run_campaign(run: Run) -> dict[str, Any]:
    campaign = AssessmentCampaign.objects.select_related("unit", "profile").filter(pk=run.payload["campaign"]).first()
    if campaign is None:
        raise CannotBeDone(_("The campaign is no longer there."))
    return campaigns.run_campaign(campaign=campaign, at=timezone.now(), progress=run.progress)


@job_kind(COUNT_JOB, gettext_lazy("Count how far people are in assessment campaigns"))
def count_person(run: Run) -> None:
    campaigns.count_person(person_id=run.payload["person"], at=timezone.now())


@job_kind(MANAGERS_JOB, gettext_lazy("Tell managers who waits for their word"))
def remind_managers(run: Run) -> dict[str, Any]:
    return {"mailed": campaigns.remind_managers(at=timezone.now(), progress=run.progress)}
