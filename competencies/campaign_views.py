"""Doors to assessment campaigns: HR opens and follows them, managers confirm."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from competencies import campaigns
from competencies.campaign_forms import CampaignForm, ConfirmForm, LastDayForm, PeopleFilter
from competencies.campaign_progress import Step, step_of
from competencies.campaigns import CampaignRefused
from competencies.models import AssessmentCampaign, CampaignInvitation
from competencies.services import EvidenceRefused
from competencies.spreadsheet import disarmed
from organisations import perms
from organisations.models import Unit, User
from organisations.perms import hr_officer, signed_in

CAMPAIGNS_A_PAGE = 20
PEOPLE_A_PAGE = 50
STEP_WORDS = {
    Step.NOT_BEGUN: ("neutral", gettext_lazy("Not begun")),
    Step.BEGUN: ("soon", gettext_lazy("Begun")),
    Step.ASSESSED: ("info", gettext_lazy("Waits for the manager")),
    Step.CONFIRMED: ("done", gettext_lazy("Confirmed")),
}


def _campaign(officer: User, pk: int) -> AssessmentCampaign:
    return get_object_or_404(campaigns.campaigns_visible_to(officer), pk=pk)


@require_GET
def campaign_list(request: HttpRequest) -> HttpResponse:
    """Which campaigns are under way, and how far is each?"""
    officer = hr_officer(request)
    day = timezone.localdate()
    page = Paginator(campaigns.campaigns_visible_to(officer), CAMPAIGNS_A_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    tallies = campaigns.tallies_of(shown, day)
    context = {
        "page_of_campaigns": page,
        "rows": [{"campaign": c, "state": _state(c), "tally": tallies[c.pk]} for c in shown],
    }
    return render(request, "competencies/campaign_list.html", context)


def _state(campaign: AssessmentCampaign) -> str:
    day = timezone.localdate()
    if campaign.ended_at is not None:
        return "ended"
    if campaigns.is_over(campaign, day):
        return "over"
    return "running" if campaign.opens_on <= day else "planned"


def campaign_new(request: HttpRequest) -> HttpResponse:
    """Say whom and when, see what it would do, then open it. Nothing is written before the last press."""
    officer = hr_officer(request)
    form = CampaignForm(request.POST or None, officer=officer)
    preview = None
    wanted = request.POST.get("do", "")
    if request.method == "POST" and form.is_valid() and wanted != "change":
        data = dict(form.cleaned_data)
        try:
            if wanted == "open":
                campaign = campaigns.open_campaign(**data, by=officer)
                messages.success(request, _opened_sentence(campaign))
                return redirect("hr_campaign", pk=campaign.pk)
            preview = campaigns.preview_campaign(
                unit=data["unit"],
                profile=data["profile"],
                opens_on=data["opens_on"],
                closes_on=data["closes_on"],
                by=officer,
            )
        except CampaignRefused as error:
            form.add_error(error.field or None, str(error))
    if wanted == "change":  # back to the form as it was filled in, without complaints
        form = CampaignForm(
            initial=request.POST.dict() | {"asks_managers": "asks_managers" in request.POST}, officer=officer
        )
    context = {
        "form": form,
        "preview": preview,
        "step_words": [_("Whom and when"), _("Preview")],
        "step_number": 2 if preview else 1,
        "carried": [(name, request.POST[name]) for name in form.fields if name in request.POST] if preview else [],
    }
    return render(request, "competencies/campaign_new.html", context, status=422 if form.errors else 200)


def _opened_sentence(campaign: AssessmentCampaign) -> str:
    if campaigns.is_running(campaign, timezone.localdate()):
        return _("“%(title)s” is open. People are being invited now.") % {"title": campaign}
    return _("“%(title)s” is planned. People are invited on its first day.") % {"title": campaign}


def _people(campaign: AssessmentCampaign, data: dict[str, Any]) -> QuerySet[CampaignInvitation]:
    rows = campaigns.people_asked(campaign, timezone.localdate()).select_related("person")
    if data.get("q"):
        rows = rows.filter(Q(person__name__icontains=data["q"]) | Q(person__email__icontains=data["q"]))
    step = data.get("step")
    if step == "missing":
        rows = rows.filter(assessed__lt=F("asked"))
    elif step == "done":
        rows = rows.filter(assessed=F("asked"))
    elif step:
        rows = rows.filter(campaigns.STEP_FILTERS[Step(step)])
    if data.get("unit"):
        rows = rows.filter(unit=data["unit"])
    return rows.order_by("person__name", "pk")


def _step_words(row: CampaignInvitation, campaign: AssessmentCampaign) -> tuple[str, str]:
    step = step_of(asked=row.asked, assessed=row.assessed, confirmed=row.confirmed)
    if not campaign.asks_managers and step in {Step.ASSESSED, Step.CONFIRMED}:
        return "done", _("Done")
    kind, words = STEP_WORDS[step]
    return kind, str(words)


def hr_campaign(request: HttpRequest, pk: int) -> HttpResponse:
    """How far is it, where is it slow, who is missing? With a later last day as its only form."""
    officer = hr_officer(request)
    campaign = _campaign(officer, pk)
    form = LastDayForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            campaign = campaigns.extend_campaign(
                campaign=campaign, closes_on=form.cleaned_data["closes_on"], by=officer
            )
        except CampaignRefused as error:
            form.add_error("closes_on", str(error))
        else:
            messages.success(request, _("The last day was moved."))
            return redirect("hr_campaign", pk=pk)
    day = timezone.localdate()
    units = campaigns.units_of(campaign, day)
    given = request.GET if {"q", "step", "unit"} & set(request.GET) else {"step": "missing"}
    chosen = PeopleFilter(given, units=[u.unit for u in units], asks_managers=campaign.asks_managers)
    rows = _people(campaign, chosen.cleaned_data if chosen.is_valid() else {})
    page = Paginator(rows, PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    names = {u.unit.pk: u.unit for u in units}
    context = {
        "campaign": campaign,
        "state": _state(campaign),
        "tally": campaigns.total_of(units),
        "units": units,
        "filter": chosen,
        "page_of_people": page,
        "people": [
            {"row": row, "unit": names.get(row.unit_id or 0, ""), "step": _step_words(row, campaign)}
            for row in page.object_list
        ],
        "form": form,
    }
    return render(request, "competencies/campaign.html", context, status=422 if form.errors else 200)


@require_POST
def campaign_end(request: HttpRequest, pk: int) -> HttpResponse:
    officer = hr_officer(request)
    campaign = campaigns.end_campaign(campaign=_campaign(officer, pk), by=officer)
    messages.success(request, _("“%(title)s” has ended. Nobody is reminded any more.") % {"title": campaign})
    return redirect("hr_campaign", pk=pk)


class _Echo:
    def write(self, value: str) -> str:
        return value


@require_GET
def campaign_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Who is how far, for a spreadsheet; names that look like formulas are disarmed."""
    campaign = _campaign(hr_officer(request), pk)
    names = {u.pk: str(u.name) for u in Unit.objects.filter(path__startswith=campaign.unit.path)}
    rows = _people(campaign, {})

    def lines() -> Iterator[list[str]]:
        yield [
            _("Name"), _("E-mail"), _("Unit"), _("Competencies asked for"), _("Self-assessed"), _("Confirmed"),
            _("How far"), _("Invited"), _("Reminders"),
        ]  # fmt: skip
        for row in rows:
            yield [
                row.person.name,
                row.person.email,
                names.get(row.unit_id or 0, ""),
                str(row.asked),
                str(row.assessed),
                str(row.confirmed) if campaign.asks_managers else "",
                _step_words(row, campaign)[1],
                timezone.localdate(row.invited_at).isoformat(),
                str(row.reminders),
            ]

    # The language of the request is that of the reader while the lines are made, not when they are sent.
    made = list(lines())
    writer = csv.writer(_Echo())
    written = (writer.writerow([disarmed(cell) for cell in line]) for line in made)
    response = StreamingHttpResponse(written, content_type="text/csv; charset=utf-8")
    name = slugify(campaign.title)[:80] or f"campaign-{campaign.pk}"
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def confirm_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """A manager says how she sees the levels one of her people declared: all on one page, saved at once."""
    me = signed_in(request)
    person = get_object_or_404(User.objects.visible_to(me), pk=person_id)
    if person == me or not (me.is_superuser or perms.is_manager_of(me, person)):
        raise PermissionDenied(_("Only the person’s manager confirms levels."))
    day = timezone.localdate()
    token = request.POST.get("token", "").replace("\0", "")[:40]  # PostgreSQL keeps no NUL
    if request.method == "POST" and campaigns.is_confirmed(person=person, by=me, token=token):
        return _after_confirming(request, person)
    waiting = campaigns.to_confirm(person, day)
    form = ConfirmForm(request.POST or None, lines=waiting.lines)
    if request.method == "POST" and form.is_valid():
        findings = form.all_of_them() if request.POST.get("do") == "all" else form.chosen()
        if findings is None:
            sentence = _("%(name)s has changed her or his answers since you looked. Please look again.")
            form.add_error(None, sentence % {"name": person})
        else:
            try:
                campaigns.confirm_levels(
                    person=person, findings=findings, note=form.cleaned_data["note"], token=token, by=me
                )
            except EvidenceRefused as error:
                form.add_error(None, str(error))
            else:
                return _after_confirming(request, person)
    context = {"person": person, "waiting": waiting, "form": form}
    return render(request, "competencies/confirm_person.html", context, status=422 if form.errors else 200)


def _after_confirming(request: HttpRequest, person: User) -> HttpResponse:
    """On to the next person who waits, else back to the team."""
    me = signed_in(request)
    day = timezone.localdate()
    messages.success(request, _("Saved: your word on the levels of %(name)s.") % {"name": person})
    team = list(User.objects.led_by(me, day).active().values_list("pk", flat=True))
    following = next((pk for item in campaigns.confirmations_of(team, day) for pk in item.person_ids), None)
    if following is not None and following != person.pk:
        return redirect(reverse("confirm_person", args=[following]))
    return redirect("team")
