"""No address and no form brings a page down: each door with what nobody sends who means well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction

from courses.models import CataloguePage
from tests.test_doors import GETS, GONE, NO, POSTS, VISITORS, WRONG, House, client_of, house

__all__ = ["house"]  # the fixture

HOSTILE = {
    "a superscript digit": "²",
    "a number no database has": str(10**30),
    "a negative number": "-1",
    "a NUL": "\x00",
    "an emoji": "🦉",
    "five thousand characters": "x" * 5000,
}
# What no other database would take otherwise is tried on SQLite alone: these suites are long, and the code is the same.
OF_THE_CODE = {"a superscript digit", "a negative number", "an emoji"}
TRIED = {name: value for name, value in HOSTILE.items() if connection.vendor == "sqlite" or name not in OF_THE_CODE}
# What doors read beside what their rows show.
PARAMETERS = {
    "framework_detail": ("edition", "q", "kind", "area", "page"),
    "framework_search": ("q", "framework", "kind", "page"),
    "competency_detail": ("roles",),
    "role_compare": ("a", "b", "q"),
    "role_list": ("framework", "family", "page", "q"),
    "framework_desk": ("page",),
    "framework_upload_result": ("page",),
    "framework_version": ("page", "part", "show"),
    "rules": ("framework",),
    "rules_draft": ("framework",),
    "rules_edit": ("note", "refresh_days", "rules-manager-months", "parameters-prior_mean"),
    "rules_publish": ("state",),
    "disagreement_share": ("do",),
    "case_documents": ("limit", "offset", "sort", "orderBy", "filter", "fields"),
    "wagtail_serve": ("again", "page"),
    "home": ("q", "language", "page"),
    "verify": ("code",),
    "verify_file": ("file", "status_list"),
    "verify_file_data": ("file", "status_list"),
    "trusted_issuers": ("name", "pasted"),
    "cohort_new": ("course", "how", "first", "last", "unit", "emails", "list_name", "note", "token", "do"),
    "certificate_desk": ("q", "page", "definition"),
    "certificate_life": ("do", "reason", "note", "name", "why"),
    "definition_list": ("page",),
    "definition_new_of": (
        "unit",
        "role",
        "title_en",
        "criteria_en",
        "validity_months",
        "renewal_months",
        "body",
        "signatories",
        "design",
        "language",
        "do",
    ),
    "definition": ("do",),
    "definition_change": ("unit", "role", "title_en", "criteria_es", "validity_months", "body", "signatories", "do"),
    "body_list": ("page",),
    "body_new": ("unit", "name", "colour"),
    "body": ("do", "name", "colour", "title", "signatory"),
    "add_evidence": ("kind", "previous", "title", "issuer", "issued_on", "valid_until", "rank", "statement", "token"),
    "assess_claim": ("decision", "rank", "answer"),
    "assess_next": ("all",),
    "assess_myself": ("all", "rank", "token"),
    "assess_person": ("rank", "token", "note"),
    "contest_evidence": ("reason", "wanted_rank", "token"),
    "withdraw_evidence": ("reason",),
    "contest": ("do",),
    "assess_contest": ("decision", "rank", "passed", "answer"),
    "ask_panel": ("q", "members", "subject", "due_on", "token", "do"),
    "panel": ("do", "rank", "note"),
    "record_quiz": ("title", "rank", "passed", "on", "token"),
    "diagnostic": ("position", "option"),
    "standing": ("unit", "role", "area", "competency", "page", "posts"),
    "nearest": ("profile", "page"),
    "findable": ("answer",),
    "personal_settings": ("do", "recommended", "seen"),
    "hr_people": ("q", "unit", "page"),
    "path_pace": ("hours",),
    "what_if": ("hours", "role", "skip"),
    "decline_step": ("reason",),
    "assign": (
        "go",
        "step",
        "kind",
        "profile",
        "curated_path",
        "course",
        "mandatory",
        "note",
        "units",
        "with_sub_units",
        "people",
        "holders",
        "emails",
        "list_name",
        "due",
        "due_on",
        "due_days",
        "due_course",
        "repeat_months",
        "opens_days",
        "grace_days",
        "existing",
        "token",
        "batch",
        "realistic",
    ),
    "batch_list": ("page",),
    "batch": ("show", "page"),
    "batch_csv": ("show",),
    "batch_xlsx": ("show",),
    "batch_again": ("token",),
    "rule_list": ("page",),
    "rule": ("page",),
    "rule_new": (
        "title",
        "unit",
        "kind",
        "profile",
        "curated_path",
        "course",
        "mandatory",
        "note",
        "due",
        "due_on",
        "due_days",
        "due_course",
        "repeat_months",
        "opens_days",
        "grace_days",
        "on_leaving",
        "do",
        "new",
        "new-0",
        "c0-0-kind",
        "c0-0-verb",
        "c0-0-language",
    ),
    "rule_change": ("seen", "do"),
    "rule_start": ("batch",),
    "rule_stop": ("then",),
    "hr_campaigns": ("page",),
    "hr_campaign": ("page", "q", "step", "unit", "closes_on"),
    "campaign_new": ("title", "unit", "profile", "opens_on", "closes_on", "asks_managers", "message", "token", "do"),
    "confirm_person": ("token", "note", "do"),
    "curated_list": ("page",),
    "curated_new": ("unit", "title_en", "title_es", "summary_en"),
    "curated_draft": ("do", "stage", "to", "title_en", "title_es", "summary_en"),
    "curated_stage": ("q", "do", "course", "to", "title_en", "choose"),
    "curated_publish": ("state", "note"),
    "curated_archive": ("do",),
    "ask_extension": ("until", "reason"),
    "decide_extension": ("decision", "until", "answer"),
    "exceptions": ("kind", "unit", "page", "do", "rows", "reason", "until"),
    "job_list": ("page",),
    "set_language": ("language", "next"),
    "submit_answers": ("attempt",),
    "save_answers": ("attempt",),
    "account_login": ("next", "login", "password"),
    "account_signup": ("next", "email", "password1", "name"),
    "account_details": ("name", "known_as"),
    "account_reset_password": ("email",),
    "framework_upload": ("token", "edition"),
    "initiative": ("role", "page"),
    "question_ask": ("text", "anonymously", "token"),
    "question_answer": ("answer",),
    "concerns": ("unit", "kind", "text"),
    "concern_decide": ("decision", "answer"),
    "champions": ("person", "hours_month"),
    "champion_decide": ("agreed", "reason", "from"),
    "change_nudges": ("on_read_why", "plan_read_why", "plan_answer_survey"),
    "action_new": ("unit", "wave", "block", "text", "owner", "due_on", "what_staff_will_notice"),
    "action": ("status", "outcome", "due_on", "reason", "move"),
    "actions": ("page",),
    "wave_new": ("kind", "instrument", "unit", "opens_on", "closes_on", "k", "cut_attribute", "key_keeper"),
    "wave_approve": ("seen",),
    "wave_key": ("passphrase",),
    "wave_comments": ("comment", "state", "text", "reason"),
    "survey": ("language", "do", "a_why1", "t_wish"),
    "survey, to send": ("language", "do", "a_why1", "t_wish"),
    "survey_self_check": ("language",),
    "survey_map": ("page",),
    "course_feedback": ("language", "a_trn1"),
    "measure_new": ("name", "unit_of_measure", "source", "lower_is_better"),
    "measure": ("text", "do", "name"),
    "wagtailadmin_explore_root": ("p", "ordering", "q"),
}
# Ways through the steps of the assignment, past which the hostile parameter is read.
MORE: dict[str, tuple[str, tuple[str, ...]]] = {
    "assign": (
        "hr",
        tuple(
            f"/hr/assign/?go={go}&step={step}&profile={{profile}}&people={{person}}&units=1&emails=&due_on="
            for go in ("what", "whom", "when", "preview")
            for step in ("what", "when")
        ),
    ),
    "catalogue": ("learner", ("/courses/?q=x&language=en&page=1",)),
    "lesson": ("learner", ("/courses/begun/lesson-1/?again=1", "/courses/begun/final-check/?again=1")),
    "drafts": (
        "steward",
        ("/frameworks/desk/{draft}/crosswalk/?show=all&page=1", "/competencies/{competency}/align/?q=x"),
    ),
    "CMS": (
        "admin",
        (
            "/cms/pages/?p=1&ordering=x&q=x",
            "/cms/snippets/organisations/appointment/?p=1&q=x&ordering=x",
            "/cms/snippets/organisations/appointment/edit/{person}/",
            "/cms/snippets/organisations/post/?p=1&q=x&unit=1&grade=x",
            "/cms/snippets/organisations/leave/?q=x",
            "/cms/snippets/organisations/persontag/?q=x&name=x",
            "/cms/snippets/competencies/competency/add/?draft={draft}",
            "/cms/snippets/competencies/competency/?version={version}&area=1",
            "/cms/snippets/choose/competencies/competency/?draft={draft}&q=x&p=1",
            "/cms/snippets/competencies/roleassignment/?q=x",
            "/cms/snippets/readiness/initiative/?p=1&q=x&status=x",
            "/cms/snippets/readiness/initiative/edit/{person}/",
            "/cms/snippets/readiness/champion/?q=x&initiative=1&manager_agreed=x",
            "/cms/snippets/readiness/impact/?initiative=1",
            "/cms/snippets/readiness/instrument/?q=x&status=x",
            "/cms/snippets/readiness/instrument/inspect/{person}/",
            "/cms/snippets/readiness/block/?q=x&instrument=1&kind=x",
            "/cms/snippets/readiness/suggestion/?q=x&block=x&kind=x",
        ),
    ),
}
FORMS: dict[str, dict[str, str]] = {
    "/frameworks/desk/{version}/extend/": {"title": "More", "slug": "more", "edition": "1", "publisher": ""},
    "/cms/snippets/organisations/appointment/add/": {"person": "", "post": "", "starts_on": "", "ends_on": ""},
    "/cms/snippets/organisations/leave/add/": {"person": "", "starts_on": "", "ends_on": ""},
    "/cms/snippets/organisations/persontag/add/": {"person": "", "name": ""},
    "/cms/snippets/organisations/hrmandate/add/": {"officer": "", "unit": ""},
    "/cms/snippets/organisations/unit/add/": {"name_0": "", "code": "", "kind": "", "parent": ""},
    "/cms/snippets/organisations/post/add/": {
        "title_0": "", "code": "", "unit": "", "grade": "", "reports_to": "", "starts_on": "", "ends_on": "",
    },
    "/cms/snippets/readiness/initiative/add/": {
        "title_0": "", "slug": "", "unit": "", "status": "", "starts_on": "", "team-0-person": "", "team-0-role": "",
        "needs-0-competency": "", "needs-0-level": "", "needs-0-profile": "", "needs-0-by": "",
        "role_impacts-0-profile": "", "milestones-0-on": "",
    },
    "/cms/snippets/readiness/champion/add/": {"initiative": "", "person": "", "unit": "", "hours_month": ""},
    "/cms/snippets/readiness/impact/add/": {"initiative": "", "unit": "", "people": "", "role": ""},
    "/cms/snippets/readiness/suggestion/add/": {"block": "", "kind": "", "order": "", "title_0": "", "link": ""},
    "/cms/snippets/readiness/instrument/add/": {
        "slug": "", "title_0": "", "title_2": "", "answers": "", "minutes": "", "licence": "", "blocks-0-code": "",
        "blocks-0-kind": "", "blocks-0-title_0": "", "questions-0-code": "", "questions-0-text_0": "",
    },
    "/cms/snippets/competencies/postrole/add/": {"post": "", "profile": ""},
    "/cms/snippets/competencies/roleassignment/add/": {"person": "", "profile": "", "starts_on": "", "ends_on": ""},
    "/cms/snippets/competencies/competency/add/?draft={draft}": {"code": "", "area": "", "parent": "", "title_0": ""},
    "/cms/pages/add/courses/coursepage/{catalogue}/": {
        "title": "", "slug": "", "key": "", "effort_minutes": "", "language": "",
        "outcomes-0-competency": "", "outcomes-0-level": "", "prerequisites-0-prerequisite": "",
    },
    "/hr/campaigns/new/": {
        "title": "x", "unit": "1", "profile": "", "opens_on": "2030-01-01", "closes_on": "2030-02-01", "message": "",
        "token": "t", "do": "open",
    },
    "/hr/rules/new/": {
        "title": "x", "unit": "{unit}", "kind": "course", "course": "door", "mandatory": "yes", "due": "none",
        "on_leaving": "end", "do": "save", "c0-0-kind": "unit", "c0-0-unit": "{unit}", "c0-1-kind": "role",
        "c0-1-role": "", "c1-0-kind": "grade", "c1-0-grade": "", "c1-1-kind": "started", "c1-1-how": "after",
        "c1-1-on": "2026-01-01", "c1-1-days": "1", "c2-0-kind": "manager", "c2-0-email": "x", "c2-1-kind": "tag",
        "c2-1-tag": "x", "c3-0-kind": "level", "c3-0-competency": "A", "c3-0-how": "below", "c3-0-rank": "1",
        "c999-999-kind": "unit", "c3-0-verb": "not",
    },
    "/hr/campaigns/{campaign}/": {"closes_on": "2030-02-01"},
    "/hr/paths/new/": {"unit": "1", "title_en": "x", "title_es": "", "summary_en": "", "summary_es": ""},
    "/hr/paths/{curated}/draft/?add": {"do": "add", "title_en": "x", "title_es": ""},
    "/hr/paths/{curated}/draft/?move": {"stage": "{stage}", "to": "1"},
    "/hr/paths/{curated}/draft/?remove": {"do": "remove", "stage": "{stage}"},
    "/hr/paths/{curated}/draft/{stage}/?change": {"do": "change", "title_en": "x", "title_es": "", "choose": "1"},
    "/hr/paths/{curated}/draft/{stage}/?add": {"do": "add", "course": "door"},
    "/hr/paths/{curated}/draft/{stage}/?move": {"course": "door", "to": "1"},
    "/hr/paths/{curated}/draft/{stage}/?remove": {"do": "remove", "course": "door"},
    "/team/confirm/{person}/": {
        "rank-{competency}": "2", "declared-{competency}": "2", "note": "", "token": "t", "do": "all",
    },
    "/team/extensions/{extension}/": {"decision": "granted", "until": "2030-01-01", "answer": "So."},
    "/hr/exceptions/?kind=overdue&page=1": {
        "do": "date", "rows": "{asked}", "due_{asked}": "2030-01-01", "reason": "x", "until": "2030-01-01",
    },
    "/frameworks/desk/{draft}/crosswalk/": {"c-1": "1", "p-1": "1", "do": ""},
    "/competencies/{competency}/align/": {"target": "", "relation": "", "note": "", "level-1": "", "q": ""},
    "/frameworks/desk/{version}/next/": {"edition": ""},
}  # fmt: skip
FORMSETS = {
    f"{prefix}-{name}": number
    for prefix, total in (
        ("outcomes", "1"),
        ("prerequisites", "1"),
        ("comments", "0"),
        ("team", "1"),
        ("needs", "1"),
        ("role_impacts", "1"),
        ("milestones", "1"),
        ("blocks", "1"),
        ("questions", "1"),
    )
    for name, number in (
        ("TOTAL_FORMS", total),
        ("INITIAL_FORMS", "0"),
        ("MIN_NUM_FORMS", "0"),
        ("MAX_NUM_FORMS", "9"),
        ("0-ORDER", "1"),
    )
}


def hostile_addresses(name: str, url: str, ids: dict[str, Any], value: str) -> Iterator[str]:
    """The address with each id of its path, and each parameter, replaced in turn; then all parameters at once."""
    path, _mark, query = url.partition("?")
    for placeholder in re.findall(r"\{(\w+)\}", path):
        yield path.format(**ids | {placeholder: quote(value)})
    own = dict(pair.split("=", 1) for pair in query.format(**ids).split("&")) if query else {}
    names = list(dict.fromkeys([*own, *PARAMETERS.get(name, ())]))
    for one in names:
        yield f"{path.format(**ids)}?{urlencode(own | {one: value})}"
    yield f"{path.format(**ids)}?{urlencode(dict.fromkeys(names or ['page'], value))}"


def who_gets_in(who: dict[str, object]) -> str:
    """One visitor for whom the door does what it is there for: who has a path herself, before who may do everything."""
    return next(v for v in ("learner", "hr", "steward", "admin") if who[v] not in (NO, GONE, WRONG) or v == "admin")


def failures(house: House, requests: Iterator[tuple[str, str, dict[str, Any] | None]]) -> list[str]:
    clients = {visitor: client_of(house, visitor) for visitor in VISITORS}
    found = []
    for visitor, url, data in requests:
        client = clients[visitor]
        client.raise_request_exception = False
        with transaction.atomic():  # each request meets the same house
            response = client.get(url) if data is None else client.post(url, data)
            if response.streaming:
                b"".join(response)
            if response.status_code >= 500:
                found.append(f"{visitor} {url[:150]} {str(data)[:150]}: {response.exc_info[1]!r}"[:400])
            transaction.set_rollback(True)
    return found


def looks(house: House, value: str) -> Iterator[tuple[str, str, None]]:
    for name, (url, who) in GETS.items():
        yield from ((who_gets_in(who), address, None) for address in hostile_addresses(name, url, house.ids, value))
    for name, (visitor, urls) in MORE.items():
        for url in urls:
            yield from ((visitor, address, None) for address in hostile_addresses(name, url, house.ids, value))


def writes(house: House, value: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name, (url, data, who) in POSTS.items():
        visitor = who_gets_in(who)
        for address in hostile_addresses("", url, house.ids, value):
            yield visitor, address, data
        names = [*data, *PARAMETERS.get(name, ())]
        for one in names:
            yield visitor, url.format(**house.ids), data | {one: value}
        yield visitor, url.format(**house.ids), dict.fromkeys(names, value)
    whole = {"profile": str(house.ids["profile"]), "people": [str(house.ids["person"])], "emails": "", "due_on": ""}
    for go in ("whom", "when", "preview"):
        for one in (*whole, *PARAMETERS["assign"]):
            yield "hr", "/hr/assign/", whole | {"step": "when", "go": go, "token": str(uuid4()), one: value}
    for due in ("fixed", "after_assignment", "after_step", "before_certification_ends"):
        for one in ("due_on", "due_days", "due_course", "repeat_months", "opens_days", "grace_days"):
            answers = {"step": "when", "token": str(uuid4()), "due": due, "due_days": "9", "repeat_months": "12"}
            yield "hr", "/hr/assign/", whole | answers | {one: value}
    for one in ("file", "units"):
        yield "hr", "/hr/assign/", whole | {"step": "whom", one: SimpleUploadedFile(value[:50], value.encode())}
    ids = house.ids | {"catalogue": CataloguePage.objects.get().pk}
    for url, fields in FORMS.items():
        data = {name.format(**ids): text.format(**ids) for name, text in fields.items()}
        for one in data:
            yield "admin", url.format(**ids), FORMSETS | data | {one: value}
        yield "admin", url.format(**ids), FORMSETS | dict.fromkeys(data, value)


@pytest.mark.parametrize("value", TRIED.values(), ids=TRIED)
def test_no_address_brings_a_page_down(house, value):
    found = failures(house, looks(house, value))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("value", TRIED.values(), ids=TRIED)
def test_no_form_brings_a_page_down(house, value):
    found = failures(house, writes(house, value))
    assert not found, "\n".join(found)
