"""Doors of standing rules: what there is, what a rule says, trying it out, starting, changing and stopping it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import BoundField, Form
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from wagtail.models import ModelLogEntry

from learning import batch_words, rule_words, rules
from learning.asking import ask_of as ask_of_batch
from learning.assign_forms import WhatForm, WhenForm, course_titles
from learning.batches import CannotBeChanged, has_changes, settle
from learning.conditions import Condition, ConditionRefused, mentions, read_condition, to_rows
from learning.enums import BatchStatus, EndReason, OnLeaving, RowOutcome
from learning.models import Assignment, AssignmentBatch, AssignmentRule
from learning.rule_forms import (
    SORTS,
    Offer,
    RawGroups,
    RowForm,
    RuleForm,
    change_rows,
    condition_in,
    initial_of,
    mentioned_by,
    row_forms,
    rows_of_condition,
    said_in,
    sent_rows,
    too_few_words,
)
from learning.rules import RuleRefused
from organisations.enums import JobState
from organisations.ids import as_id, as_token
from organisations.models import Job, User
from organisations.perms import hr_officer

RULES_A_PAGE = 50
PEOPLE_A_PAGE = 50
LEFT_SHOWN = 20
HISTORY_SHOWN = 30


@require_GET
def rule_list(request: HttpRequest) -> HttpResponse:
    """Which rules there are, whom each reaches, how many have it by it, and when it was last checked."""
    officer = hr_officer(request)
    page = Paginator(rules.rules_visible_to(officer), RULES_A_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    whom, numbers, what = rule_words.whom_words(shown), rules.numbers_given(shown), _what_words(shown)
    stuck = rules.stuck_among(shown)
    rows = [
        {
            "rule": rule,
            "whom": whom[rule.pk],
            "what": what[rule.pk],
            "number": numbers.get(rule.pk, 0),
            "state": rule_words.state_words(rule, stuck.get(rule.pk, "")),
        }
        for rule in shown
    ]
    return render(request, "learning/rule_list.html", {"page_of_rules": page, "rows": rows})


def _what_words(shown: list[AssignmentRule]) -> dict[int, str]:
    """What each rule gives, by its id. Two queries at the most."""
    paths = batch_words.path_titles({rule.curated_path_id for rule in shown if rule.curated_path_id})
    keys = {rule.course_key for rule in shown if rule.course_key}
    courses = dict(course_titles(keys)) if keys else {}
    return {
        rule.pk: rule_words.role_name(rule.profile)
        if rule.profile is not None
        else paths.get(rule.curated_path_id, "")
        if rule.curated_path_id
        else courses.get(rule.course_key, rule.course_key)
        for rule in shown
    }


def _rule(request: HttpRequest, pk: int) -> AssignmentRule:
    if as_id(pk) is None:
        raise Http404
    return get_object_or_404(rules.rules_visible_to(hr_officer(request)), pk=pk)


# --- One rule --------------------------------------------------------------------------------------------------------
@require_GET
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    """What a rule says, how it stands, its dry run to decide on, who has it by it, who left, what happened."""
    row = _rule(request, pk)
    return render(request, "learning/rule.html", _context(request, row))


def _context(request: HttpRequest, row: AssignmentRule, **more: Any) -> dict[str, Any]:
    officer = hr_officer(request)
    stuck = rules.what_is_stuck(row)
    tried = rules.newest_try(row)
    tried = settle(tried) if tried is not None else None
    given = rules.given_by(row).select_related("person").order_by("person__name", "pk")
    page = Paginator(given, PEOPLE_A_PAGE).get_page(request.GET.get("page"))
    left, elsewhere = _who_left(row, officer)
    ask = None
    if not stuck:
        ask = rules.ask_of(row)
    courses = dict(course_titles({ask.due_policy.course_key})) if ask and ask.due_policy.course_key else {}
    return {
        "rule": row,
        "whom": rule_words.whom_words([row])[row.pk],
        "what": _what_words([row])[row.pk],
        "due": batch_words.due_words(ask.due_policy, courses) if ask else "",
        "repeat": batch_words.repeat_words(ask.repeat) if ask else "",
        "state": rule_words.state_words(row, stuck),
        "stuck": stuck,
        "try": _try_view(row, tried, officer),
        "can_start": rules.can_start(row, tried),
        "page_of_people": page,
        "number": page.paginator.count,
        "left": left,
        "elsewhere": elsewhere,
        "history": _history(row),
        "token": uuid4(),
        "stop_choices": [(OnLeaving.KEEP.value, _("They keep it")), (OnLeaving.END.value, _("They lose it"))],
        "stop_error": "",
        **more,
    }


def _who_left(row: AssignmentRule, officer: User) -> tuple[list[Assignment], int]:
    """Who lost it last, as far as the officer may see them, and how many of these are elsewhere now."""
    ended = Assignment.objects.filter(rule=row, end_reason=EndReason.LEFT_RULE).select_related("person")
    newest = list(ended.order_by("-ended_on", "-pk")[:LEFT_SHOWN])
    seen = set(
        User.objects.visible_to(officer).filter(pk__in=[a.person_id for a in newest]).values_list("pk", flat=True)
    )
    shown = [assignment for assignment in newest if assignment.person_id in seen]
    return shown, len(newest) - len(shown)


def _history(row: AssignmentRule) -> list[dict[str, Any]]:
    """What happened to the rule, the newest first, in the words of the log."""
    entries = (
        ModelLogEntry.objects.for_instance(row).select_related("user").order_by("-timestamp", "-pk")[:HISTORY_SHOWN]
    )
    return [
        {
            "at": entry.timestamp,
            "words": entry.message,
            "who": entry.user.name if entry.user is not None else "",
            "gaining": entry.data.get("gaining", 0),
            "leaving": entry.data.get("leaving", 0),
        }
        for entry in entries
    ]


def _try_view(row: AssignmentRule, tried: AssignmentBatch | None, officer: User) -> dict[str, Any] | None:
    """The dry run as the page tells of it: waited for, ready with its figures, out of date, or why there is none."""
    if tried is None:
        job = (
            Job.objects.filter(kind=rules.TRY_RULE_JOB, payload__rule=row.pk, payload__said=rules.digest_of(row))
            .order_by("-pk")
            .first()
        )
        if job is None or job.state == JobState.DONE:
            return None
        return {"batch": None, "waits": job.is_open, "error": job.error, "figures": [], "own": False}
    counts = tried.counts
    return {
        "batch": tried,
        "waits": tried.status == BatchStatus.COUNTING,
        "error": "",
        "own": officer.is_superuser or tried.created_by_id == officer.pk,
        "ready": tried.status == BatchStatus.READY,
        "applying": tried.status == BatchStatus.APPLYING,
        "stale": tried.status in (BatchStatus.STALE, BatchStatus.FAILED, BatchStatus.UNDONE),
        "gains": counts.get(RowOutcome.GAINS, 0),
        "holds": counts.get(RowOutcome.HOLDS, 0),
        "loses": counts.get(RowOutcome.LOSES, 0),
        "conflicts": counts.get(RowOutcome.CONFLICT, 0),
        "unrealistic": counts.get("reasons", {}).get("unrealistic", 0),
        "changes": has_changes(tried),
        "people": len(ask_of_batch(tried).whom.person_ids),
    }


@require_POST
def rule_try(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the dry run. Pressed twice it is made once."""
    row, officer = _rule(request, pk), hr_officer(request)
    stuck = rules.what_is_stuck(row)
    if stuck:
        messages.error(request, stuck)
    else:
        rules.try_rule(rule=row, by=officer, token=as_token(request.POST.get("token", "")) or str(uuid4()))
    return redirect("rule", pk=pk)


@require_POST
def rule_start(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm the dry run that was looked at, and no other."""
    row, officer = _rule(request, pk), hr_officer(request)
    batch = get_object_or_404(
        row.batches.filter(created_by__isnull=False), pk=as_id(request.POST.get("batch", "")) or 0
    )
    try:
        started = rules.start_rule(rule=row, batch=batch, by=officer)
    except (RuleRefused, CannotBeChanged) as sentence:
        messages.error(request, str(sentence))
    else:
        if started.is_working:
            messages.success(request, _("The rule works. Who meets it from now on gets it by itself."))
        else:
            messages.info(request, _("It is being assigned. Once that is done, the rule works."))
    return redirect("rule", pk=pk)


@require_POST
def rule_stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop it; what becomes of what it gave has to be said."""
    row, officer = _rule(request, pk), hr_officer(request)
    then = request.POST.get("then", "")
    if then not in (OnLeaving.KEEP, OnLeaving.END):
        error = _("Say what happens to those who have it by this rule.")
        return render(request, "learning/rule.html", _context(request, row, stop_error=error), status=422)
    rules.stop_rule(rule=row, then=OnLeaving(then), by=officer)
    messages.success(request, _("“%(title)s” is stopped. It gives nothing to anybody any more.") % {"title": row})
    return redirect("rule", pk=pk)


# --- Saying it -------------------------------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
def rule_new(request: HttpRequest) -> HttpResponse:
    """A new rule; what was chosen for an assignment may come along in the address."""
    return _say(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def rule_change(request: HttpRequest, pk: int) -> HttpResponse:
    return _say(request, _rule(request, pk))


def _say(request: HttpRequest, row: AssignmentRule | None) -> HttpResponse:
    officer = hr_officer(request)
    offer = Offer(officer, mentioned_by(row))
    do = request.POST.get("do", "save")
    unsaid = False
    if request.method != "POST":
        initial = initial_of(row) if row is not None else _plain(request.GET)
        groups = _first_rows(row, offer)
        unsaid = groups is None
        groups = groups or []
        seen = rules.digest_of(row) if row is not None else ""
    else:
        initial, groups = _plain(request.POST), sent_rows(request.POST)
        seen = request.POST.get("seen", "")[:40]
        if do != "save":
            groups = change_rows(groups, do, request.POST)
    saving = request.method == "POST" and do == "save"
    judged: dict[str, Any] = {"data": request.POST} if saving else {"initial": initial}
    forms = (
        RuleForm(officer=officer, **judged),
        WhatForm(officer=officer, **judged),
        WhenForm(officer=officer, **judged),
    )
    made = row_forms(groups, offer, bound=saving or do == "read")
    condition = condition_in(made) if saving or do == "read" else condition_in(row_forms(groups, offer, bound=True))
    if saving:
        answer = _save(request, row, forms, made, condition, seen)
        if answer is not None:
            return answer
    all_forms: list[Form] = [*forms, *(form for group in made for form in group)]
    context: dict[str, Any] = {
        "rule": row,
        "form": forms[0],
        "what": forms[1].ask(),
        "when": forms[2].ask(),
        "groups": [_group(n, group) for n, group in enumerate(made)],
        "together": _Together(all_forms),
        "sorts": [(f"c-{sort}", form.title) for sort, form in SORTS.items()],
        "sentence": _sentence(forms[0], condition),
        "seen": seen,
        "unsaid": unsaid,
        "repeats": bool(forms[2]["repeat_months"].value()) or bool(forms[2]["repeat_months"].errors),
    }
    wrong = (saving or do == "read") and any(form.errors for form in all_forms)
    return render(request, "learning/rule_form.html", context, status=422 if wrong else 200)


class _Together:
    """Several forms as one, for the list of what is to be put right."""

    def __init__(self, forms: list[Form]) -> None:
        self.forms = forms

    def non_field_errors(self) -> list[str]:
        return [str(error) for form in self.forms for error in form.non_field_errors()]

    def __iter__(self) -> Iterator[BoundField]:
        return (field for form in self.forms for field in form)


def _plain(data: QueryDict) -> dict[str, str]:
    names = {*RuleForm.base_fields, *WhatForm.base_fields, *WhenForm.base_fields}
    return {name: str(data[name]) for name in sorted(names) if name in data}


def _first_rows(row: AssignmentRule | None, offer: Offer) -> RawGroups | None:
    if row is None:
        return [[{"kind": "unit", "verb": "", "below": True}]]
    try:
        return rows_of_condition(read_condition(row.condition), offer)
    except ConditionRefused:
        return None


def _group(number: int, group: list[RowForm]) -> dict[str, Any]:
    return {
        "number": number,
        "rows": [{"form": form, "remove": f"remove-{number}-{n}"} for n, form in enumerate(group)],
    }


def _sentence(form: RuleForm, condition: Condition | None) -> str:
    """What is filled in so far, as one sentence; empty while something is missing."""
    if condition is None:
        return ""
    unit = next((str(u.name) for u in form.fields["unit"].queryset if str(u.pk) == str(form["unit"].value())), "…")  # type: ignore[attr-defined]
    return rule_words.sentence(unit, to_rows(condition), rule_words.names_of([mentions(condition)]))


def _save(
    request: HttpRequest,
    row: AssignmentRule | None,
    forms: tuple[RuleForm, WhatForm, WhenForm],
    made: list[list[RowForm]],
    condition: Condition | None,
    seen: str,
) -> HttpResponse | None:
    """The way on when everything is in order; otherwise the forms say what is not."""
    officer = hr_officer(request)
    wrong = [form for form in forms if not form.is_valid()]  # each is asked, so that all errors show at once
    if not made:
        forms[0].add_error(None, too_few_words())
    if wrong or condition is None:
        return None
    said = said_in(*forms, condition)
    try:
        new = (
            rules.make_rule(said=said, by=officer)
            if row is None
            else rules.change_rule(rule=row, said=said, by=officer, seen=seen)
        )
    except RuleRefused as sentence:
        where = next((form for form in forms if sentence.field in form.fields), forms[0])
        where.add_error(sentence.field if sentence.field in where.fields else None, str(sentence))
        return None
    if not new.is_working and new.started_at is None:
        rules.try_rule(rule=new, by=officer, token=f"saved-{rules.digest_of(new)}-{new.stopped_at or ''}"[:36])
    messages.success(request, _("Saved. It does nothing before you confirm its dry run."))
    return redirect("rule", pk=new.pk)
