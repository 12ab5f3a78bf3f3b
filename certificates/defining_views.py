"""Doors of HR to what is laid down: definitions from draft to end, with a preview, and the bodies that issue."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.core.paginator import Paginator
from django.db.models import Case, Count, IntegerField, Q, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_safe
from wagtail.models import ModelLogEntry

from certificates import defining
from certificates.applying import usual_criteria
from certificates.awarding import Forecast, forecast
from certificates.defining import DefinitionRefused, Said, said_of
from certificates.defining_forms import FORMS, BodyForm, DefinitionForm, LogoForm, NewBodyForm, SignatoryForm
from certificates.enums import DefinitionStatus, Kind
from certificates.logos import MOST_BYTES
from certificates.models import Certificate, Definition, IssuingBody
from certificates.papers import draw
from certificates.perms import (
    bodies_edited_by,
    bodies_open_to,
    definitions_edited_by,
    definitions_open_to,
    looked_after_by,
    may_define,
)
from certificates.samples import sample_claim
from organisations.ids import as_id
from organisations.models import User
from organisations.perms import hr_officer

PAGE = 20
HOLDERS_SHOWN = 10


def _definition(officer: User, pk: int) -> Definition:
    return get_object_or_404(definitions_open_to(officer).whole(), pk=pk)


def _hers(officer: User, pk: int) -> Definition:
    return get_object_or_404(definitions_edited_by(officer).whole(), pk=pk)


def _of_her_people(officer: User) -> Any:
    """Certificates she may look after, as a condition on those of a definition."""
    return looked_after_by(officer).order_by().values("pk")


# --- The definitions there are -----------------------------------------------------------------------------------
@require_GET
def definition_list(request: HttpRequest) -> HttpResponse:
    """What is certified, for whom, for how long, how often so far - and what waits to be put in force."""
    me = hr_officer(request)
    order = Case(
        When(status=DefinitionStatus.DRAFT, then=0), When(status=DefinitionStatus.ACTIVE, then=1), default=2,
        output_field=IntegerField(),
    )  # fmt: skip
    rows = definitions_open_to(me).whole().order_by(order, "kind", "key")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    issued = dict(
        Certificate.objects.filter(definition__in=shown, superseded_by=None, pk__in=_of_her_people(me))
        .order_by()
        .values_list("definition")
        .annotate(Count("pk"))
    )
    context = {"rows": [(row, issued.get(row.pk, 0)) for row in shown], "page_of_rows": page}
    return render(request, "certificates/definition_list.html", context)


@require_GET
def definition_new(request: HttpRequest) -> HttpResponse:
    """First step of two: what is it given for?"""
    hr_officer(request)
    return render(request, "certificates/definition_new.html")


@require_http_methods(["GET", "HEAD", "POST"])
def definition_new_of(request: HttpRequest, kind: str) -> HttpResponse:
    """Second step: the form of that kind. It becomes a draft; nobody gets anything before it is put in force."""
    me = hr_officer(request)
    if kind not in FORMS:
        raise Http404
    form = FORMS[kind](request.POST if request.method == "POST" else None, officer=me)
    if request.method == "POST" and form.is_valid():
        said = form.said_now()
        if request.POST.get("do") == "preview":
            return _preview(said, request)
        try:
            definition = defining.make_definition(said=said, by=me)
        except DefinitionRefused as refused:
            form.refuse(refused.field, str(refused))
        else:
            return redirect("definition", definition.pk)
    return _form_page(request, form, kind, None)


@require_http_methods(["GET", "HEAD", "POST"])
def definition_change(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what it says; in force, what was issued keeps what it said."""
    me = hr_officer(request)
    definition = _hers(me, pk)
    if definition.status == DefinitionStatus.RETIRED:
        raise Http404
    in_force = definition.status == DefinitionStatus.ACTIVE
    form = FORMS[definition.kind](
        request.POST if request.method == "POST" else None, officer=me, said=said_of(definition), fixed=in_force
    )
    if request.method == "POST" and form.is_valid():
        said = form.said_now()
        if request.POST.get("do") == "preview":
            return _preview(said, request)
        try:
            changed = defining.change_definition(definition=definition, said=said, by=me)
        except DefinitionRefused as refused:
            form.refuse(refused.field, str(refused))
        else:
            messages.success(request, _("Saved.") if changed.revision == definition.revision else _in_force(changed))
            return redirect("definition", pk)
    return _form_page(request, form, definition.kind, definition)


def _in_force(definition: Definition) -> str:
    return _("Saved as revision %(number)s. What was issued before keeps what it said.") % {
        "number": definition.revision
    }


def _form_page(request: HttpRequest, form: DefinitionForm, kind: str, definition: Definition | None) -> HttpResponse:
    context = {
        "form": form,
        "parts": form.parts,
        "kind": Kind(kind),
        "definition": definition,
        "usual": usual_criteria(kind),
        "can_preview": True,
    }
    return render(request, "certificates/definition_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def definition(request: HttpRequest, pk: int) -> HttpResponse:
    """One definition: its state and next step, who would get it or has it, and what happened."""
    me = hr_officer(request)
    found = _definition(me, pk)
    is_hers = may_define(me, found.unit)
    refusal = ""
    if request.method == "POST":
        if not is_hers:
            raise Http404
        try:
            _do(request, found, me)
        except DefinitionRefused as refused:
            refusal = str(refused)
        else:
            return redirect("definition", pk)
    today = timezone.localdate()
    hers = Certificate.objects.filter(definition=found, superseded_by=None, pk__in=_of_her_people(me))
    counts = hers.aggregate(
        issued=Count("pk"),
        revoked=Count("pk", filter=Q(revocation__isnull=False)),
        expired=Count("pk", filter=Q(valid_until__lte=today, revocation__isnull=True)),
    )
    would_get: Forecast | None = None
    if found.status == DefinitionStatus.DRAFT and is_hers and found.kind != Kind.COURSE:
        would_get = forecast(found, day=today)
    log = ModelLogEntry.objects.for_instance(found).select_related("user").order_by("-timestamp", "-pk")
    context = {
        "definition": found,
        "title": str(found.title),
        "desk_url": f"{reverse('certificate_desk')}?definition={found.pk}",
        "subject": _subject(found),
        "criteria": str(found.criteria) or usual_criteria(found.kind, found),
        "is_hers": is_hers,
        "is_draft": found.status == DefinitionStatus.DRAFT,
        "is_active": found.status == DefinitionStatus.ACTIVE,
        "would_get": would_get,
        "counts": counts,
        "holders": list(hers.with_life().select_related("holder").order_by("-issued_on", "-pk")[:HOLDERS_SHOWN]),
        "language": dict(settings.LANGUAGES).get(found.language, ""),
        "signing": [s for s in found.signatories.all() if s.ended_at is None],
        "history": list(log),
        "refusal": refusal,
    }
    return render(request, "certificates/definition.html", context, status=422 if refusal else 200)


def _do(request: HttpRequest, found: Definition, me: User) -> None:
    """What was pressed. Raises DefinitionRefused."""
    match request.POST.get("do", ""):
        case "activate":
            defining.activate_definition(definition=found, by=me)
            messages.success(
                request,
                _("In force. Whoever passes the course from now on gets it.")
                if found.kind == Kind.COURSE
                else _("In force. Certificates are being issued to those who meet the criteria; they are told."),
            )
        case "retire":
            defining.retire_definition(definition=found, by=me)
            messages.success(request, _("No longer issued. What was issued stays valid until its own end."))
        case _:
            raise DefinitionRefused(_("Press one of the buttons of this page."))


def _subject(found: Definition) -> str:
    """What it is given for, in words."""
    if found.course is not None:
        return found.course.title
    if found.path is not None:
        version = found.path.versions.exclude(status="draft").order_by("-number").first()
        return str(version.title) if version is not None else found.path.key
    if found.competency is not None and found.level is not None:
        return _("%(competency)s at “%(level)s” or above") % {
            "competency": found.competency, "level": found.level.label,
        }  # fmt: skip
    role = found.role
    if role is None:
        return ""
    return f"{role.role}: {role.grade}" if str(role.grade) else str(role.role)


@require_safe
def definition_preview(request: HttpRequest, pk: int) -> HttpResponse:
    """A sample of the document by what the definition says today."""
    me = hr_officer(request)
    return _preview(said_of(_definition(me, pk)), request)


def _preview(said: Said, request: HttpRequest) -> HttpResponse:
    claim = sample_claim(said, reader=get_language() or "", day=timezone.localdate())
    response = HttpResponse(draw(claim), content_type="application/pdf")
    response.headers["Content-Disposition"] = 'inline; filename="sample.pdf"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


# --- Issuing bodies ----------------------------------------------------------------------------------------------
@require_GET
def body_list(request: HttpRequest) -> HttpResponse:
    """In whose name certificates are issued, and who signs."""
    me = hr_officer(request)
    rows = bodies_open_to(me).select_related("unit", "logo").prefetch_related("signatories").order_by("unit__path")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    hers = set(bodies_edited_by(me).filter(pk__in=[body.pk for body in page.object_list]).values_list("pk", flat=True))
    shown = [
        (body, body.pk in hers, [s for s in body.signatories.all() if s.ended_at is None]) for body in page.object_list
    ]
    context = {"rows": shown, "page_of_rows": page, "usual_name": settings.ISSUER_NAME}
    return render(request, "certificates/body_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def body_new(request: HttpRequest) -> HttpResponse:
    """A body for a unit: its name and colour; logo and signatories come next."""
    me = hr_officer(request)
    form = NewBodyForm(request.POST if request.method == "POST" else None, officer=me)
    if request.method == "POST" and form.is_valid():
        try:
            body = defining.make_body(by=me, **form.cleaned_data)
        except DefinitionRefused as refused:
            form.add_error(refused.field or None, str(refused))
        else:
            return redirect("body", body.pk)
    return render(request, "certificates/body_new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def body(request: HttpRequest, pk: int) -> HttpResponse:
    """One body: its name, colour, logo, and who signs."""
    me = hr_officer(request)
    found = get_object_or_404(bodies_edited_by(me).select_related("unit", "logo"), pk=pk)
    do = request.POST.get("do", "") if request.method == "POST" else ""
    forms: dict[str, Any] = {
        "body_form": BodyForm(
            request.POST if do == "change" else None, initial={"name": found.name, "colour": found.colour}
        ),
        "logo_form": LogoForm(request.POST if do == "logo" else None, request.FILES if do == "logo" else None),
        "signatory_form": SignatoryForm(request.POST if do == "sign" else None, auto_id="signs_%s"),
    }
    refusal = ""
    if request.method == "POST":
        try:
            said = _change_body(request, found, do, forms, me)
        except DefinitionRefused as refused:
            said, refusal = None, str(refused)
        if said is not None:
            messages.success(request, said)
            return redirect("body", pk)
    signatories = list(found.signatories.all())
    context = {
        "body": found,
        "signing": [s for s in signatories if s.ended_at is None],
        "ended": [s for s in signatories if s.ended_at is not None],
        "refusal": refusal,
        **forms,
    }
    return render(request, "certificates/body.html", context, status=422 if request.method == "POST" else 200)


def _change_body(request: HttpRequest, found: IssuingBody, do: str, forms: dict[str, Any], me: User) -> str | None:
    """Do what was pressed; what to say of it, None where a form is not right. Raises DefinitionRefused."""
    name = {"change": "body_form", "logo": "logo_form", "sign": "signatory_form"}.get(do)
    form: Any = forms[name] if name is not None else None
    if form is not None and not form.is_valid():
        return None
    try:
        match do:
            case "change":
                defining.change_body(body=found, by=me, **form.cleaned_data)
                return _("Saved. What was issued before keeps what it said.")
            case "logo":
                upload = form.cleaned_data["logo"]
                # No more is read than is allowed, and one byte to see that it is too much.
                content = upload.read(MOST_BYTES + 1)
                defining.change_logo(body=found, content=content, by=me)
                return _("The logo was changed. What was issued before keeps its own.")
            case "no_logo":
                defining.change_logo(body=found, content=None, by=me)
                return _("There is no logo any more.")
            case "sign":
                defining.add_signatory(body=found, by=me, **form.cleaned_data)
                return _("Added. She or he signs what is issued from now on.")
            case "end":
                pk = as_id(request.POST.get("signatory", "")) or 0
                defining.end_signatory(signatory=found.signatories.get(pk=pk), by=me)
                return _("Signs no more. What was signed stays signed.")
    except ObjectDoesNotExist:
        raise DefinitionRefused(_("This signatory is no longer there.")) from None
    except DefinitionRefused as refused:
        if form is None:
            raise
        form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        return None
    raise DefinitionRefused(_("Press one of the buttons of this page."))


@require_safe
def body_logo(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture of a body, as we painted it."""
    me = hr_officer(request)
    found = get_object_or_404(bodies_open_to(me).select_related("logo"), pk=pk, logo__isnull=False)
    logo = found.logo
    if logo is None:
        raise Http404
    response = HttpResponse(bytes(logo.content), content_type=logo.media_type)
    response.headers["Cache-Control"] = "private, max-age=300"
    return response
