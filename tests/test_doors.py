"""Every URL, and what each kind of visitor gets. A new URL without a row fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from certificates.cohorts import CohortAsk, How, start_cohort
from certificates.defining import Said as Words
from certificates.defining import change_logo, make_body, make_definition
from certificates.enums import Kind
from certificates.importing import check_badge
from certificates.models import TrustedIssuer
from certificates.sharing import make_link, token_of
from competencies.alignments import align
from competencies.campaigns import open_campaign
from competencies.case_packages import package_of
from competencies.contests import open_contest
from competencies.diagnosing import NOT_OFFERED_FOR, start_diagnostic, stop_diagnostic
from competencies.enums import EvidenceKind, FrameworkStatus, LinkRelation
from competencies.jobs import IMPORT_JOB
from competencies.lifecycle import draft_next_edition
from competencies.models import FrameworkVersion
from competencies.panel_rating import ask_panel
from competencies.perms import STEWARDS, VIEWERS
from competencies.rulebooks import SHIPPED, write_book
from competencies.rulemaking import change_rules, draft_rules, publish_rules, rules_digest
from competencies.services import assign_role
from courses.enums import CourseFormat
from courses.models import CourseRun, Enrolment
from learning.asking import Ask, Whom
from learning.batches import start_batch
from learning.calendar_feed import make_address
from learning.conditions import InUnit
from learning.curated import add_courses, add_stage, make_path, new_draft
from learning.curated import publish_version as publish_curated
from learning.digests import off_token
from learning.enums import AssignmentKind, OnLeaving
from learning.extensions import ask_extension
from learning.models import Assignment, AssignmentBatch, ServiceMeasure
from learning.rules import Said, make_rule, try_rule
from organisations.jobs import enqueue
from organisations.models import Job, User
from readiness.enums import TeamRole
from readiness.initiatives import ask_question
from readiness.loading import DATA, load_instrument
from readiness.models import Champion, Concern, TeamMember
from tests.builders import (
    competency,
    give_evidence,
    lessons_of,
    make_claim,
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
    take_course,
)
from tests.certificates.definitions import picture
from tests.certificates.held import badge_file, with_credential
from tests.competencies.banks import make_bank
from tests.readiness.surveys import act_on, make_closed, make_initiative, make_instrument, make_open, staff
from tests.readiness.surveys import draft as draft_survey

VISITORS = (
    "anonymous",
    "learner",
    "manager",
    "other_manager",
    "hr",
    "other_hr",
    "editor",
    "steward",
    "viewer",
    "admin",
)
OK, SIGN_IN, NO, GONE, BACK, WRONG = 200, "sign-in", 403, 404, 302, 405


@dataclass
class House:
    """One of everything: a learner with her manager and HR officer, and the same next door."""

    people: dict[str, User] = field(default_factory=dict)
    ids: dict[str, Any] = field(default_factory=dict)

    def named(self, value: Any) -> Any:
        """“{unit}” is the id of the unit, and so on; anything else is sent as it stands."""
        name = value[1:-1] if isinstance(value, str) and value[:1] == "{" and value[-1:] == "}" else ""
        return str(self.ids[name]) if name in self.ids else value


@pytest.fixture
def house(db: None) -> House:
    from django.contrib.auth.models import Group

    version = make_framework(codes="AB")
    profile = make_profile(version, {"A": 3, "B": None}, key_post="CISO")
    here, there = make_unit("Here"), make_unit("There")
    names = {
        name: make_person(name.title(), is_superuser=name == "admin", is_staff=name == "admin") for name in VISITORS[1:]
    }
    boss = make_post(here, holder=names["manager"])
    make_post(here, holder=names["learner"], reports_to=boss, roles=[profile])
    other = make_post(there, holder=names["other_manager"])
    make_post(there, holder=make_person("Somebody Else"), reports_to=other)
    make_hr(names["hr"], here)
    make_hr(names["other_hr"], there)
    names["editor"].groups.add(Group.objects.get(name="Editors"))
    names["steward"].groups.add(Group.objects.get(name=STEWARDS))
    names["viewer"].groups.add(Group.objects.get(name=VIEWERS))
    course = make_course(version, {"A": 3}, key="door")
    load_instrument(path=DATA / "course-evaluation.json")
    taken = take_course(names["learner"], course)
    begun = make_course(version, {"A": 2}, key="begun")
    Enrolment.objects.create(person=names["learner"], course=begun)
    declared = give_evidence(names["learner"], competency(version, "A"), 2, EvidenceKind.SELF)
    contest = open_contest(person=names["learner"], evidence=declared, reason="Too low.", token="doors")
    confirmed = give_evidence(names["learner"], competency(version, "A"), 2, EvidenceKind.MANAGER, by=names["manager"])
    panel = ask_panel(
        person=names["learner"], competency=competency(version, "A"), members=[names["manager"], names["hr"]],
        due_on=timezone.localdate(), subject="", token="doors", by=names["admin"],
    )  # fmt: skip
    job = enqueue(
        kind="learning.replan",
        key="doors",
        payload={"people": [names["learner"].pk], "reason": "sweep"},
        by=names["hr"],
    )
    draft = make_framework("draft", codes="C", status=FrameworkStatus.DRAFT)
    later = draft_next_edition(version=version, edition="2", by=names["steward"])
    alignment = align(
        origin=competency(version, "A"), target=competency(make_framework(), "A"), relation=LinkRelation.RELATED,
        by=names["steward"],
    )  # fmt: skip
    claim = make_claim(names["learner"], competency(version, "A"))
    bank = make_bank(competency(version, "B"), items=12)
    long_ago = timezone.now() - NOT_OFFERED_FOR
    finished = start_diagnostic(person=names["learner"], bank=bank, at=long_ago)
    finished = stop_diagnostic(diagnostic=finished, at=long_ago)
    diagnostic = start_diagnostic(person=names["learner"], bank=bank)
    in_force = draft_rules(framework=None, by=names["steward"])
    content = write_book(SHIPPED) | {"refresh_days": 60}
    in_force = change_rules(rulebook=in_force, content=content, note="Later is soon enough.", by=names["steward"])
    publish_rules(rulebook=in_force, by=names["steward"], seen=rules_digest(in_force))
    rules = draft_rules(framework=None, by=names["steward"])
    upload = enqueue(kind=IMPORT_JOB, key="doors", payload={"files": [], "edition": ""}, by=names["steward"])
    today = timezone.localdate()
    campaign = open_campaign(
        title="Round", unit=here, profile=None, opens_on=today, closes_on=today, asks_managers=True, message="",
        token="doors", by=names["hr"],
    )  # fmt: skip
    calendar = make_address(person=names["learner"], seen="", by=names["learner"])
    second = make_profile(version, {"B": 1})
    ask = Ask(AssignmentKind.ROLE, Whom(unit_ids=(here.pk,)), profile_id=second.pk)
    batch = start_batch(officer=names["hr"], ask=ask, token="doors")
    assignment, _new = assign_role(person=names["learner"], profile=second, by=names["hr"], starts_on=today)
    dated = make_course(version, {"B": 1}, key="dated")
    dated.format = CourseFormat.CLASSROOM
    dated.save()
    run = CourseRun.objects.create(course=dated, starts_on=today, ends_on=today)
    first = make_path(unit=here, title={"en": "Welcome"}, summary={}, by=names["hr"])
    stage = add_stage(version=first, title={"en": "Basics"}, by=names["hr"])
    add_courses(version=first, stage_id=stage.pk, keys=[course.key], by=names["hr"])
    publish_curated(version=first, by=names["hr"])
    curated = new_draft(path=first.path, by=names["hr"])
    add_courses(version=curated, stage_id=curated.stages.get().pk, keys=[begun.key], by=names["hr"])
    rule = make_rule(
        said=Said(
            title="Everybody here", unit=here, condition=InUnit(here.pk, here.path, True), kind=AssignmentKind.COURSE,
            course_key="door", on_leaving=OnLeaving.END,
        ),
        by=names["hr"],
    )  # fmt: skip
    try_rule(rule=rule, by=names["hr"], token="doors")
    asked = Assignment.objects.create(
        role_assignment=assignment, due_on=today + timedelta(days=1), assigned_on=today - timedelta(days=9)
    )
    extension = ask_extension(
        assignment=asked, until=today + timedelta(days=60), reason="Budget talks.", by=names["learner"]
    )
    staff(here, 12, boss)
    change = make_initiative(here, slug="door")
    TeamMember.objects.create(initiative=change, person=names["hr"], role=TeamRole.MODERATOR)
    questions = make_instrument({"why": 2})
    closed = make_closed(change, questions, days_ago=60, k=5)
    action = act_on(closed)
    wave = make_open(change, questions, k=5)
    another = make_initiative(here, slug="next-door")
    prepared = draft_survey(another, questions, at=timezone.now())
    concern = Concern.objects.create(initiative=change, unit=here, kind="workload", text="Too much at once.")
    champion = Champion.objects.create(initiative=change, person=names["learner"], unit=here)
    question = ask_question(initiative=change, text="When?", by=names["learner"], anonymously=False, token=uuid4())
    cohort_ask = CohortAsk(course.key, How.BETWEEN, today - timedelta(days=9), today)
    cohort = start_cohort(officer=names["hr"], ask=cohort_ask, token="doors")
    measure = ServiceMeasure.objects.create(course_key="door", name="Days until a permit", made_by=names["hr"])
    fresh = Enrolment.objects.create(person=names["learner"], course=make_course(version, {"B": None}, key="fresh"))
    item = identifiers(version)
    certificate = taken.certificate
    trusted = TrustedIssuer.objects.create(name="Academy", identifier="did:web:academy.example", keys={})
    certificate = with_credential(taken.certificate)
    link = make_link(certificate=certificate, by=names["learner"], number=uuid4(), days=7, lets_download=True)
    badge = check_badge(person=names["learner"], data=badge_file())
    issuing = make_body(name="Ministry", unit=here, by=names["hr"])
    change_logo(body=issuing, content=picture(), by=names["hr"])
    said = Words(kind=Kind.ROLE, title={"en": "Certified"}, unit=here, role=profile, body=issuing)
    definition = make_definition(said=said, by=names["hr"])
    ids = {
        "person": names["learner"].pk, "competency": competency(version, "A").pk, "profile": profile.pk, "course": course.pk,
        "definition": definition.pk, "body": issuing.pk,
        "lesson": lessons_of(begun)[0].pk, "check": lessons_of(begun)[-1].pk, "enrolment": taken.pk, "job": job.pk,
        "serial": certificate.serial, "code": certificate.code, "trusted": trusted.pk,
        "slug": version.framework.slug, "version": version.pk,
        "draft": draft.pk, "upload": upload.pk, "uuid": version.uuid, **item,
        "contest": contest.pk, "evidence": confirmed.pk, "panel": panel.pk,
        "framework": version.framework.slug, "later": later.pk, "alignment": alignment.pk, "claim": claim.pk,
        "document": claim.documents.get().pk,
        "bank_of": competency(version, "B").pk, "diagnostic": diagnostic.pk, "finished": finished.pk,
        "campaign": campaign.pk, "calendar": calendar, "off": off_token(names["learner"]),
        "rules": rules.pk, "rules_in_force": in_force.pk,
        "unit": here.pk, "assignment": assignment.pk, "run": run.pk,
        "curated": curated.path_id, "curated_key": curated.path.key, "stage": curated.stages.get().pk,
        "batch": batch.pk,
        "rule": rule.pk,
        "asked": asked.pk, "extension": extension.pk,
        "closed": closed.pk, "wave": wave.pk, "prepared": prepared.pk, "node": here.code, "action": action.pk,
        "link": link.pk, "shared": token_of(link), "badge": badge.pk,
        "measure": measure.pk, "fresh": fresh.pk, "cohort": cohort.pk, "cohort_file": cohort.files.get(kind="csv").pk,
        "concern": concern.pk, "champion": champion.pk, "question": question.pk,
    }  # fmt: skip
    return House(names, ids)


def identifiers(version: FrameworkVersion) -> dict[str, str]:
    """One thing of each collection of the version's CASE package."""
    package = package_of(version)
    return {
        "item": package["CFItems"][0]["identifier"],
        "association": package["CFAssociations"][0]["identifier"],
        "rubric": package["CFRubrics"][0]["identifier"],
        "item_type": package["CFDefinitions"]["CFItemTypes"][0]["identifier"],
    }


def every(status: object, **exceptions: object) -> dict[str, object]:
    return dict.fromkeys(VISITORS, status) | exceptions


def signed_in(status: object, **exceptions: object) -> dict[str, object]:
    return every(status, anonymous=SIGN_IN) | exceptions


ABOUT_HER = signed_in(GONE, learner=OK, manager=OK, hr=OK, admin=OK)
HR = signed_in(NO, hr=OK, other_hr=OK, admin=OK)
STEWARD = signed_in(NO, steward=OK, admin=OK)
CASE = "/ims/case/v1p1"
HERS_ALONE = signed_in(GONE, learner=OK)
DEFINES = signed_in(NO, hr=OK, other_hr=GONE, admin=OK)
HERS_AS_HR = signed_in(NO, hr=OK, other_hr=GONE, admin=OK)
DECIDES = signed_in(GONE, hr=OK, admin=OK)
# Who works where the change happens, who serves them, and an administrator.
IN_CHANGE = signed_in(GONE, learner=OK, manager=OK, hr=OK, admin=OK)
LEADS_CHANGE = IN_CHANGE | {"learner": GONE}

RULE = {
    "title": "Everybody", "unit": "{unit}", "kind": "course", "course": "door", "mandatory": "yes", "on_leaving": "end",
    "due": "none", "c0-0-kind": "language", "c0-0-language": "en", "do": "save",
}  # fmt: skip

# name of the URL: (method, address, who gets what)
GETS: dict[str, tuple[str, dict[str, object]]] = {
    "home": ("/", every(OK)),
    "health": ("/health/", every(OK)),
    "favicon": ("/favicon.ico", every(301)),
    "wagtail_serve": ("/courses/door/", every(OK)),
    "media": ("/media/nothing.png", every(GONE)),
    "role_list": ("/roles/", every(OK)),
    "framework_list": ("/frameworks/", every(OK)),
    "framework_detail": ("/frameworks/{framework}/", every(OK)),
    "framework_search": ("/frameworks/search/?q=competency", every(OK)),
    "competency_detail": ("/competencies/{competency}/", every(OK)),
    "role_compare": ("/roles/compare/?a={profile}&b={profile}", every(OK)),
    "role_card": ("/roles/{profile}/card.pdf", every(OK)),
    "role_detail": ("/roles/{profile}/", every(OK)),
    "framework_desk": ("/frameworks/desk/", STEWARD),
    "framework_upload": ("/frameworks/desk/upload/", STEWARD),
    "framework_upload_result": ("/frameworks/desk/uploads/{upload}/", STEWARD),
    "framework_template": ("/frameworks/desk/template.xlsx", STEWARD),
    "framework_version": ("/frameworks/desk/{draft}/", STEWARD),
    "framework_difference": ("/frameworks/desk/{draft}/difference/", signed_in(NO, steward=GONE, admin=GONE)),
    "framework_difference of a later edition": ("/frameworks/desk/{later}/difference/", STEWARD),
    "framework_crosswalk": ("/frameworks/desk/{later}/crosswalk/", STEWARD),
    "framework_publish": ("/frameworks/desk/{later}/publish/", STEWARD),
    "framework_next": ("/frameworks/desk/{version}/next/", STEWARD),
    "framework_extend": ("/frameworks/desk/{version}/extend/", STEWARD),
    "framework_discard": ("/frameworks/desk/{later}/discard/", STEWARD),
    "competency_align": ("/competencies/{competency}/align/", STEWARD),
    "alignment_withdraw": ("/competencies/alignments/{alignment}/withdraw/", signed_in(WRONG)),
    "framework_download": ("/frameworks/{slug}/download/{version}.zip", every(OK)),
    "framework_download of a draft": ("/frameworks/draft/download/{draft}.zip", every(GONE, steward=OK, admin=OK)),
    "rules": ("/levels/rules/", signed_in(OK)),
    "rules_draft": ("/levels/rules/draft/", signed_in(WRONG)),
    "rulebook": ("/levels/rules/{rules}/", signed_in(GONE, steward=OK, admin=OK)),
    "rulebook in force": ("/levels/rules/{rules_in_force}/", signed_in(OK)),
    "rules_edit": ("/levels/rules/{rules}/edit/", STEWARD),
    "rules_publish": ("/levels/rules/{rules}/publish/", STEWARD),
    "rules_discard": ("/levels/rules/{rules}/discard/", signed_in(WRONG)),
    "disagreement_share": ("/learn/competencies/{competency}/share/", signed_in(WRONG)),
    "case_package": (CASE + "/CFPackages/{uuid}", every(OK)),
    "case_documents": (CASE + "/CFDocuments", every(OK)),
    "case_document": (CASE + "/CFDocuments/{uuid}", every(OK)),
    "case_item": (CASE + "/CFItems/{item}", every(OK)),
    "case_item_associations": (CASE + "/CFItemAssociations/{item}", every(OK)),
    "case_association": (CASE + "/CFAssociations/{association}", every(OK)),
    "case_CFItemTypes": (CASE + "/CFItemTypes/{item_type}", every(OK)),
    "case_CFRubrics": (CASE + "/CFRubrics/{rubric}", every(OK)),
    "case_CFLicenses": (CASE + "/CFLicenses/{uuid}", every(GONE)),
    "case_CFConcepts": (CASE + "/CFConcepts/{uuid}", every(GONE)),
    "case_CFSubjects": (CASE + "/CFSubjects/{uuid}", every(GONE)),
    "case_CFAssociationGroupings": (CASE + "/CFAssociationGroupings/{uuid}", every(GONE)),
    "verify": ("/verify/", every(OK)),
    "verify_file": ("/verify/file/", every(OK)),
    "verify_file_data": ("/verify/file/data/", every(WRONG)),
    "verify_certificate": ("/verify/{code}/", every(OK)),
    "did": ("/.well-known/did.json", every(OK)),
    "did_below": ("/did.json", every(OK)),
    "status_list": ("/status/999999/", every(GONE)),
    "verify_data": ("/verify/{code}/data/", every(OK)),
    "set_language": ("/language/", every(WRONG)),
    "learn": ("/learn/", signed_in(OK)),
    "path": ("/learn/path/", signed_in(OK)),
    "path_pace": ("/learn/path/pace/", signed_in(WRONG)),
    "book_seat": ("/learn/runs/{run}/book/", signed_in(WRONG)),
    "give_back_seat": ("/learn/runs/{run}/give-back/", signed_in(WRONG)),
    "what_if": ("/learn/path/what-if/?hours=3", signed_in(OK)),
    "pin_step": ("/learn/path/door/pin/", signed_in(WRONG)),
    "decline_step": ("/learn/path/door/decline/", signed_in(OK)),
    "decline_step of no course": ("/learn/path/nowhere/decline/", signed_in(GONE)),
    "unwish_step": ("/learn/path/door/as-before/", signed_in(WRONG)),
    "assess_next": ("/learn/assess/", signed_in(BACK)),
    "my_level": ("/learn/competencies/{competency}/", signed_in(OK)),
    "assess_myself": ("/learn/competencies/{competency}/assess/", signed_in(OK)),
    "diagnostic_start": ("/learn/competencies/{bank_of}/diagnostic/", signed_in(OK)),
    "diagnostic_start without a bank": ("/learn/competencies/{competency}/diagnostic/", signed_in(GONE)),
    "diagnostic": ("/learn/diagnostics/{diagnostic}/", HERS_ALONE),
    "diagnostic_stop": ("/learn/diagnostics/{diagnostic}/stop/", signed_in(WRONG)),
    "diagnostic_result": ("/learn/diagnostics/{finished}/result/", HERS_ALONE),
    "diagnostic_result before its end": ("/learn/diagnostics/{diagnostic}/result/", signed_in(GONE, learner=BACK)),
    "level_of": ("/people/{person}/competencies/{competency}/", ABOUT_HER),
    "assess_person": ("/people/{person}/competencies/{competency}/assess/", ABOUT_HER | {"learner": BACK, "hr": NO}),
    "contest_evidence": ("/learn/evidence/{evidence}/contest/", HERS_ALONE),
    "withdraw_evidence": ("/evidence/{evidence}/withdraw/", ABOUT_HER | {"learner": NO, "manager": NO}),
    "contest": ("/learn/contests/{contest}/", HERS_ALONE),
    "assess_contest": ("/assess/contests/{contest}/", signed_in(GONE, hr=OK, admin=OK)),
    "ask_panel": ("/people/{person}/competencies/{competency}/panel/", ABOUT_HER | {"learner": NO}),
    "panel": ("/panels/{panel}/", signed_in(GONE, manager=OK, hr=OK, admin=OK)),
    "record_quiz": ("/people/{person}/competencies/{competency}/quiz/", ABOUT_HER | {"learner": NO}),
    "my_evidence": ("/learn/evidence/", signed_in(OK)),
    "add_evidence": ("/learn/competencies/{competency}/evidence/?kind=certificate", signed_in(OK)),
    "my_claim": ("/learn/claims/{claim}/", HERS_ALONE),
    "take_back_claim": ("/learn/claims/{claim}/take-back/", signed_in(WRONG)),
    "evidence_document": ("/evidence/documents/{document}/", DECIDES | {"learner": OK}),
    "assess_desk": ("/assess/", HR | {"manager": OK}),  # she is on a panel
    "assess_claim": ("/assess/claims/{claim}/", DECIDES),
    "take_over_claim": ("/assess/claims/{claim}/take-over/", signed_in(WRONG)),
    "enrol": ("/learn/enrol/{course}/", signed_in(WRONG)),
    "complete_lesson": ("/learn/lessons/{lesson}/done/", signed_in(WRONG)),
    "save_answers": ("/learn/lessons/{lesson}/answers/", signed_in(WRONG)),
    "submit_answers": ("/learn/lessons/{lesson}/submit/", signed_in(WRONG)),
    "pre_check": ("/learn/courses/{fresh}/before/", HERS_ALONE),
    "pre_check of a course that is over": ("/learn/courses/{enrolment}/before/", signed_in(GONE, learner=BACK)),
    "evaluation_waiting": ("/learn/evaluation/waiting/", signed_in(OK)),
    "course_feedback": ("/learn/evaluation/door/reaction/", signed_in(410, learner=OK)),
    "course_feedback of no course": ("/learn/evaluation/nowhere/reaction/", signed_in(GONE)),
    "evaluation_list": ("/evaluation/", signed_in(OK, learner=NO, viewer=NO)),
    "evaluation": ("/evaluation/door/", signed_in(OK, viewer=NO)),
    "measure_new": ("/evaluation/door/figures/", HR),
    "measure": ("/evaluation/figures/{measure}/", HR),
    "course_result": ("/learn/results/{enrolment}/", HERS_ALONE),
    "my_certificates": ("/learn/certificates/", signed_in(OK)),
    "certificate_desk": ("/hr/certificates/", HR),
    "certificate_life": ("/hr/certificates/{serial}/", signed_in(NO, hr=OK, other_hr=GONE, admin=OK)),
    "trusted_issuers": ("/hr/certificates/trusted/", signed_in(NO, admin=OK)),
    "trusted_issuer_end": ("/hr/certificates/trusted/{trusted}/end/", signed_in(WRONG)),
    "definition_list": ("/hr/certificates/definitions/", HR),
    "definition_new": ("/hr/certificates/definitions/new/", HR),
    "definition_new_of": ("/hr/certificates/definitions/new/role/", HR),
    "definition": ("/hr/certificates/definitions/{definition}/", DEFINES),
    "definition_change": ("/hr/certificates/definitions/{definition}/change/", DEFINES),
    "definition_preview": ("/hr/certificates/definitions/{definition}/preview.pdf", DEFINES),
    "body_list": ("/hr/certificates/bodies/", HR),
    "body_new": ("/hr/certificates/bodies/new/", HR),
    "body": ("/hr/certificates/bodies/{body}/", DEFINES),
    "body_logo": ("/hr/certificates/bodies/{body}/logo/", DEFINES),
    "cohort_list": ("/hr/certificates/cohorts/", HR),
    "cohort_new": ("/hr/certificates/cohorts/new/", HR),
    "cohort": ("/hr/certificates/cohorts/{cohort}/", HERS_AS_HR),
    "cohort_again": ("/hr/certificates/cohorts/{cohort}/again/", signed_in(WRONG)),
    "cohort_file": ("/hr/certificates/cohorts/{cohort}/files/{cohort_file}/", HERS_AS_HR),
    "certificate_state": ("/learn/certificates/of/{enrolment}/", HERS_ALONE),
    "certificate_document": ("/learn/certificates/{serial}/certificate.pdf", HERS_ALONE | {"admin": OK}),
    "certificate_piece": ("/learn/certificates/{serial}/credential.json", HERS_ALONE | {"admin": OK}),
    "certificate_piece, a badge": ("/learn/certificates/{serial}/badge.png", HERS_ALONE | {"admin": OK}),
    "share_certificate": ("/learn/certificates/{serial}/share/", signed_in(WRONG)),
    "end_share_link": ("/learn/certificates/links/{link}/end/", signed_in(WRONG)),
    "shared_certificate": ("/c/{shared}/", every(OK)),
    "shared_certificate that is none": ("/c/nobody/", every(GONE)),
    "shared_piece": ("/c/{shared}/credential.json", every(OK)),
    "shared_piece that is not handed out": ("/c/{shared}/badge.png", every(GONE)),
    "badge_picture": ("/badges/0b5a75-course.png", every(OK)),
    "import_badge": ("/learn/certificates/import/", signed_in(OK)),
    "imported_badge": ("/learn/certificates/import/{badge}/", HERS_ALONE),
    "imported_badge, the level": ("/learn/certificates/import/{badge}/?competency={competency}", HERS_ALONE),
    "certificate_page": ("/learn/certificates/{serial}/", HERS_ALONE | {"admin": OK}),
    "team": ("/team/", signed_in(OK)),
    "team_member": ("/team/{person}/", ABOUT_HER),
    "role_end": ("/team/{person}/roles/{assignment}/end/", ABOUT_HER | {"learner": NO, "manager": NO}),
    "role_replace": ("/team/{person}/roles/{assignment}/replace/", ABOUT_HER | {"learner": NO, "manager": NO}),
    "hr": ("/hr/", HR),
    "hr_people": ("/hr/people/", HR),
    "assign": ("/hr/assign/", HR),
    "assign, from a batch": ("/hr/assign/?batch={batch}&go=when", HR | {"other_hr": GONE}),
    "batch_list": ("/hr/batches/", HR),
    "batch": ("/hr/batches/{batch}/", HR | {"other_hr": GONE}),
    "batch_csv": ("/hr/batches/{batch}/rows.csv", HR | {"other_hr": GONE}),
    "batch_xlsx": ("/hr/batches/{batch}/rows.xlsx", HR | {"other_hr": GONE}),
    "batch_undo": ("/hr/batches/{batch}/undo/", signed_in(NO, hr=BACK, other_hr=GONE, admin=BACK)),
    "batch_apply": ("/hr/batches/{batch}/apply/", signed_in(WRONG)),
    "batch_again": ("/hr/batches/{batch}/again/", signed_in(WRONG)),
    "batch_discard": ("/hr/batches/{batch}/discard/", signed_in(WRONG)),
    "rule_list": ("/hr/rules/", HR),
    "rule_new": ("/hr/rules/new/", HR),
    "rule": ("/hr/rules/{rule}/", HR | {"other_hr": GONE}),
    "rule_change": ("/hr/rules/{rule}/change/", HR | {"other_hr": GONE}),
    "rule_try": ("/hr/rules/{rule}/try/", signed_in(WRONG)),
    "rule_start": ("/hr/rules/{rule}/start/", signed_in(WRONG)),
    "rule_stop": ("/hr/rules/{rule}/stop/", signed_in(WRONG)),
    "hr_campaigns": ("/hr/campaigns/", HR),
    "campaign_new": ("/hr/campaigns/new/", HR),
    "hr_campaign": ("/hr/campaigns/{campaign}/", HR | {"other_hr": GONE}),
    "campaign_csv": ("/hr/campaigns/{campaign}/people.csv", HR | {"other_hr": GONE}),
    "campaign_end": ("/hr/campaigns/{campaign}/end/", signed_in(WRONG)),
    "confirm_person": ("/team/confirm/{person}/", ABOUT_HER | {"learner": NO, "hr": NO}),
    "standing": ("/hr/standing/", HR | {"viewer": OK}),
    "standing of a unit she serves": ("/hr/standing/?unit={unit}", HR | {"viewer": OK, "other_hr": GONE}),
    "standing_recount": ("/hr/standing/recount/", signed_in(WRONG)),
    "nearest": ("/hr/nearest/?profile={profile}", HR),
    "ask_extension": ("/learn/asked/{asked}/more-time/", signed_in(GONE, learner=BACK)),  # she has asked already
    "withdraw_extension": ("/learn/more-time/{extension}/withdraw/", signed_in(WRONG)),
    "team_extensions": ("/team/extensions/", signed_in(OK)),
    "decide_extension": ("/team/extensions/{extension}/", ABOUT_HER | {"learner": GONE}),
    "exceptions": ("/hr/exceptions/", HR),
    "exceptions_count": ("/hr/exceptions/count/", HR),
    "findable": ("/account/findable/", signed_in(OK)),
    "curated_list": ("/hr/paths/", HR),
    "curated_new": ("/hr/paths/new/", HR),
    "curated_path": ("/hr/paths/{curated}/", HR | {"other_hr": GONE}),
    "curated_draft": ("/hr/paths/{curated}/draft/", HR | {"other_hr": GONE}),
    "curated_stage": ("/hr/paths/{curated}/draft/{stage}/", HR | {"other_hr": GONE}),
    "curated_publish": ("/hr/paths/{curated}/publish/", HR | {"other_hr": GONE}),
    "curated_start_draft": ("/hr/paths/{curated}/draft/begin/", signed_in(WRONG)),
    "curated_discard": ("/hr/paths/{curated}/draft/discard/", signed_in(WRONG)),
    "curated_archive": ("/hr/paths/{curated}/archive/", signed_in(WRONG)),
    "curated": ("/learn/curated/{curated_key}/", signed_in(OK)),
    "requirements": ("/learn/requirements/", signed_in(OK)),
    "personal_settings": ("/learn/settings/", signed_in(OK)),
    "reminders_off": ("/reminders/off/{off}/", every(OK)),
    "calendar": ("/calendar/{calendar}.ics", every(OK)),
    "job_list": ("/jobs/", signed_in(OK)),
    "job": ("/jobs/{job}/", signed_in(GONE, hr=OK, admin=OK)),
    "account_details": ("/account/details/", signed_in(OK)),
    "account_login": ("/account/login/", every(BACK, anonymous=OK)),
    "account_signup": ("/account/signup/", every(BACK, anonymous=OK)),
    "account_logout": ("/account/logout/", every(OK, anonymous=BACK)),
    "account_email": ("/account/email/", signed_in(OK)),
    "account_change_password": ("/account/password/change/", signed_in(OK)),
    "account_set_password": ("/account/password/set/", signed_in(BACK)),
    "account_reset_password": ("/account/password/reset/", every(OK)),
    "account_reset_password_done": ("/account/password/reset/done/", every(OK)),
    "account_reset_password_from_key": ("/account/password/reset/key/1-set-password/", every(OK)),
    "account_reset_password_from_key_done": ("/account/password/reset/key/done/", every(OK)),
    "account_confirm_email": ("/account/confirm-email/nothing/", every(OK)),
    "account_email_verification_sent": ("/account/confirm-email/", every(OK)),
    "account_inactive": ("/account/inactive/", every(OK)),
    "account_reauthenticate": ("/account/reauthenticate/", signed_in(OK)),
    "account_confirm_login_code": ("/account/login/code/confirm/", every(BACK, anonymous=SIGN_IN)),
    "initiatives": ("/changes/", every(OK)),
    "initiative": ("/changes/door/", IN_CHANGE | {"anonymous": GONE}),
    "initiative_read": ("/changes/door/read/", signed_in(WRONG)),
    "question_ask": ("/changes/door/ask/", signed_in(WRONG)),
    "question_answer": ("/changes/questions/{question}/", DECIDES),
    "concerns": ("/changes/door/concerns/", LEADS_CHANGE),
    "concern_decide": ("/changes/concerns/{concern}/", DECIDES),
    "champions": ("/changes/door/champions/", IN_CHANGE),
    "champion_decide": ("/changes/champions/{champion}/", signed_in(WRONG)),
    "champion_release": ("/changes/champions/{champion}/end/", signed_in(WRONG)),
    "change_nudges": ("/account/changes/", signed_in(OK)),
    "actions": ("/changes/door/actions/", IN_CHANGE),
    "action_new": ("/changes/door/actions/new/", LEADS_CHANGE),
    "action": ("/changes/actions/{action}/", LEADS_CHANGE),
    "surveys": ("/surveys/", signed_in(OK)),
    "wave": ("/surveys/{prepared}/run/", DECIDES),
    "wave_assessment": ("/surveys/{prepared}/run/assessment/", DECIDES),
    "wave of an open survey": ("/surveys/{wave}/run/", DECIDES),
    "wave of a closed survey": ("/surveys/{closed}/run/", DECIDES),
    "wave_new": ("/changes/door/survey/", DECIDES | {"learner": NO, "manager": NO}),
    "wave_approve": ("/surveys/{prepared}/run/approve/", signed_in(WRONG)),
    "wave_open": ("/surveys/{prepared}/run/open/", signed_in(WRONG)),
    "wave_discard": ("/surveys/{prepared}/run/discard/", signed_in(WRONG)),
    "wave_key": ("/surveys/{prepared}/run/key/", signed_in(WRONG)),
    "wave_comments": ("/surveys/{closed}/run/comments/", signed_in(GONE, hr=OK)),
    "surveys_waiting": ("/surveys/waiting/", signed_in(OK)),
    "week_of_change": ("/surveys/week/", signed_in(OK)),
    "survey": ("/surveys/{wave}/", signed_in(GONE, learner=OK, manager=OK)),
    "survey of a closed one": ("/surveys/{closed}/", signed_in(GONE, learner=BACK, manager=BACK, hr=BACK, admin=BACK)),
    "survey_sent": ("/surveys/{wave}/sent/", signed_in(GONE, learner=BACK, manager=BACK)),
    "survey_notice": ("/surveys/{wave}/notice/", IN_CHANGE),
    "survey_notice of a survey in preparation": ("/surveys/{prepared}/notice/", signed_in(GONE)),
    "survey_self_check": ("/surveys/{wave}/self-check/", IN_CHANGE),
    "survey_self_check of a closed one": ("/surveys/{closed}/self-check/", IN_CHANGE),
    "survey_results": ("/surveys/{closed}/results/", IN_CHANGE),
    "survey_results of an open survey": ("/surveys/{wave}/results/", signed_in(GONE)),
    "survey_results_of": ("/surveys/{closed}/results/{node}/", IN_CHANGE),
    "survey_results_data": ("/surveys/{closed}/results/{node}/data.json", IN_CHANGE),
    "survey_results_sheet": ("/surveys/{closed}/results/{node}/results.xlsx", IN_CHANGE),
    "survey_results_paper": ("/surveys/{closed}/results/{node}/results.pdf", IN_CHANGE),
    "outcome": ("/changes/door/outcome/", DECIDES),
    "survey_map": ("/surveys/{closed}/map/", LEADS_CHANGE),
    "survey_map_of": ("/surveys/{closed}/map/{node}/", LEADS_CHANGE),
    "cms_login": ("/cms/login/?next=/cms/", every(SIGN_IN)),
    "wagtailadmin_home": ("/cms/", signed_in(NO, editor=OK, steward=OK, admin=OK)),
    "wagtailadmin_explore_root": ("/cms/pages/", signed_in(NO, editor=OK, steward=BACK, admin=OK)),
    "wagtaildocs_serve": ("/documents/9999/nothing.csv", signed_in(GONE)),
}
POSTS: dict[str, tuple[str, dict[str, str], dict[str, object]]] = {
    "set_language": ("/language/", {"language": "es"}, every(BACK)),
    "enrol": ("/learn/enrol/{course}/", {}, signed_in(BACK)),
    "complete_lesson": ("/learn/lessons/{lesson}/done/", {}, signed_in(GONE, learner=BACK)),
    "save_answers": ("/learn/lessons/{check}/answers/", {}, signed_in(GONE, learner=204)),
    "submit_answers": ("/learn/lessons/{check}/submit/", {"attempt": "1"}, signed_in(GONE, learner=422)),
    "assess_myself": ("/learn/competencies/{competency}/assess/", {"rank": "2", "token": "t"}, signed_in(BACK)),
    "assess_person": (
        "/people/{person}/competencies/{competency}/assess/", {"rank": "2", "token": "t"},
        signed_in(GONE, learner=BACK, manager=BACK, hr=NO, admin=BACK),
    ),
    "contest_evidence": (
        "/learn/evidence/{evidence}/contest/", {"reason": "Too low.", "token": "t"}, signed_in(GONE, learner=BACK)
    ),
    "withdraw_evidence": (
        "/evidence/{evidence}/withdraw/", {"reason": "Too high."},
        signed_in(GONE, learner=NO, manager=NO, hr=BACK, admin=BACK),
    ),
    "contest": ("/learn/contests/{contest}/", {"do": "take_back"}, signed_in(GONE, learner=BACK)),
    "assess_contest": (
        "/assess/contests/{contest}/", {"decision": "kept", "answer": "It fits."}, signed_in(GONE, hr=BACK, admin=BACK)
    ),
    "ask_panel": (
        "/people/{person}/competencies/{competency}/panel/", {"do": "ask", "token": "t"},
        signed_in(GONE, learner=NO, manager=422, hr=422, admin=422),
    ),
    "panel": ("/panels/{panel}/", {"do": "rate", "rank": "2"}, signed_in(GONE, manager=BACK, hr=BACK, admin=BACK)),
    "record_quiz": (
        "/people/{person}/competencies/{competency}/quiz/",
        {"title": "Quiz", "rank": "2", "passed": "yes", "on": "2026-01-01", "token": "t"},
        signed_in(GONE, learner=NO, manager=BACK, hr=BACK, admin=BACK),
    ),
    "add_evidence": ("/learn/competencies/{competency}/evidence/?kind=certificate", {"token": "x"}, signed_in(422)),
    "take_back_claim": ("/learn/claims/{claim}/take-back/", {}, signed_in(GONE, learner=BACK)),
    "assess_claim": (
        "/assess/claims/{claim}/", {"decision": "refuse", "answer": "No."}, signed_in(GONE, hr=BACK, admin=BACK),
    ),
    "take_over_claim": ("/assess/claims/{claim}/take-over/", {}, signed_in(GONE, hr=BACK, admin=BACK)),
    "diagnostic_start": (
        "/learn/competencies/{bank_of}/diagnostic/", {}, signed_in(BACK, steward=422, admin=422)  # they read the answers
    ),
    "diagnostic": ("/learn/diagnostics/{diagnostic}/", {"position": "1"}, signed_in(GONE, learner=422)),
    "diagnostic_stop": ("/learn/diagnostics/{diagnostic}/stop/", {}, signed_in(GONE, learner=BACK)),
    "campaign_new": ("/hr/campaigns/new/", {"title": ""}, signed_in(NO, hr=422, other_hr=422, admin=422)),
    "hr_campaign": ("/hr/campaigns/{campaign}/", {"closes_on": "x"}, signed_in(NO, hr=422, other_hr=GONE, admin=422)),
    "campaign_end": ("/hr/campaigns/{campaign}/end/", {}, signed_in(NO, hr=BACK, other_hr=GONE, admin=BACK)),
    "confirm_person": (
        "/team/confirm/{person}/", {"token": "t", "do": "all"},
        signed_in(GONE, learner=NO, manager=422, hr=NO, admin=422),
    ),
    "role_end": (
        "/team/{person}/roles/{assignment}/end/", {}, signed_in(GONE, learner=NO, manager=NO, hr=BACK, admin=BACK)
    ),
    "role_replace": (
        "/team/{person}/roles/{assignment}/replace/", {"profile": "x"},
        signed_in(GONE, learner=NO, manager=NO, hr=422, admin=422),
    ),
    "curated_new": ("/hr/paths/new/", {"title_en": ""}, signed_in(NO, hr=422, other_hr=422, admin=422)),
    "curated_draft": ("/hr/paths/{curated}/draft/", {"do": "x"}, signed_in(NO, hr=422, other_hr=GONE, admin=422)),
    "curated_stage": (
        "/hr/paths/{curated}/draft/{stage}/", {"do": "add", "course": "x"},
        signed_in(NO, hr=422, other_hr=GONE, admin=422),
    ),
    "curated_publish": (
        "/hr/paths/{curated}/publish/", {"state": "x", "note": ""}, signed_in(NO, hr=422, other_hr=GONE, admin=422)
    ),
    "curated_start_draft": ("/hr/paths/{curated}/draft/begin/", {}, signed_in(NO, hr=BACK, other_hr=GONE, admin=BACK)),
    "curated_discard": ("/hr/paths/{curated}/draft/discard/", {}, signed_in(NO, hr=BACK, other_hr=GONE, admin=BACK)),
    "curated_archive": ("/hr/paths/{curated}/archive/", {}, signed_in(NO, hr=BACK, other_hr=GONE, admin=BACK)),
    "personal_settings": ("/learn/settings/", {"do": "reminders"}, signed_in(BACK)),
    "reminders_off": ("/reminders/off/{off}/", {}, every(OK)),
    "calendar": ("/calendar/{calendar}.ics", {}, every(WRONG)),
    "standing_recount": ("/hr/standing/recount/", {}, signed_in(NO, hr=BACK, other_hr=BACK, admin=BACK)),
    "ask_extension": (
        "/learn/asked/{asked}/more-time/", {"until": "2001-01-01", "reason": "Please."}, signed_in(GONE, learner=422)
    ),
    "withdraw_extension": ("/learn/more-time/{extension}/withdraw/", {}, signed_in(GONE, learner=BACK)),
    "team_extensions": ("/team/extensions/", {}, signed_in(WRONG)),
    "decide_extension": (
        "/team/extensions/{extension}/", {"decision": "refused", "answer": "No."},
        signed_in(GONE, manager=BACK, hr=BACK, admin=BACK),
    ),
    "exceptions": (
        "/hr/exceptions/", {"do": "exempt", "rows": "{asked}", "reason": ""},
        signed_in(NO, hr=422, other_hr=422, admin=422),
    ),
    "findable": ("/account/findable/", {"answer": "agree"}, signed_in(BACK)),
    "assign": ("/hr/assign/", {"step": "what"}, signed_in(NO, hr=422, other_hr=422, admin=422)),
    "batch_apply": ("/hr/batches/{batch}/apply/", {}, signed_in(NO, hr=BACK, other_hr=GONE, admin=BACK)),
    "batch_undo": ("/hr/batches/{batch}/undo/", {}, signed_in(NO, hr=BACK, other_hr=GONE, admin=BACK)),
    "batch_again": ("/hr/batches/{batch}/again/", {"token": "x"}, signed_in(NO, hr=BACK, other_hr=GONE, admin=BACK)),
    "batch_discard": ("/hr/batches/{batch}/discard/", {}, signed_in(NO, hr=BACK, other_hr=GONE, admin=BACK)),
    "framework_upload": ("/frameworks/desk/upload/", {"token": "x"}, signed_in(NO, steward=422, admin=422)),
    "case_package": (CASE + "/CFPackages/{uuid}", {}, every(WRONG)),
    "framework_crosswalk": ("/frameworks/desk/{later}/crosswalk/", {"do": "sure"}, signed_in(NO, steward=BACK, admin=BACK)),
    "framework_publish": ("/frameworks/desk/{later}/publish/", {"state": "x"}, signed_in(NO, steward=BACK, admin=BACK)),
    "framework_next": ("/frameworks/desk/{version}/next/", {"edition": ""}, signed_in(NO, steward=422, admin=422)),
    "framework_extend": ("/frameworks/desk/{version}/extend/", {"slug": "desk"}, signed_in(NO, steward=422, admin=422)),
    "framework_discard": ("/frameworks/desk/{later}/discard/", {}, signed_in(NO, steward=BACK, admin=BACK)),
    "competency_align": ("/competencies/{competency}/align/", {"target": "x"}, signed_in(NO, steward=422, admin=422)),
    "alignment_withdraw": ("/competencies/alignments/{alignment}/withdraw/", {}, signed_in(NO, steward=BACK, admin=BACK)),
    "rules_draft": ("/levels/rules/draft/", {}, signed_in(NO, steward=BACK, admin=BACK)),
    "rules_edit": ("/levels/rules/{rules}/edit/", {"note": ""}, signed_in(NO, steward=422, admin=422)),
    "rules_publish": ("/levels/rules/{rules}/publish/", {"state": "x"}, signed_in(NO, steward=BACK, admin=BACK)),
    "rules_discard": ("/levels/rules/{rules}/discard/", {}, signed_in(NO, steward=BACK, admin=BACK)),
    "disagreement_share": ("/learn/competencies/{competency}/share/", {}, signed_in(BACK)),
    "rule_list": ("/hr/rules/", {}, signed_in(WRONG)),
    "rule_new": ("/hr/rules/new/", RULE, signed_in(NO, hr=BACK, other_hr=422, admin=BACK)),
    "rule": ("/hr/rules/{rule}/", {}, signed_in(WRONG)),
    "rule_change": (
        "/hr/rules/{rule}/change/", RULE | {"seen": "x"}, signed_in(NO, hr=422, other_hr=GONE, admin=422)
    ),
    "rule_try": ("/hr/rules/{rule}/try/", {"token": "t"}, signed_in(NO, hr=BACK, other_hr=GONE, admin=BACK)),
    "rule_start": ("/hr/rules/{rule}/start/", {"batch": "x"}, signed_in(NO, hr=GONE, other_hr=GONE, admin=GONE)),
    "rule_stop": ("/hr/rules/{rule}/stop/", {"then": ""}, signed_in(NO, hr=422, other_hr=GONE, admin=422)),
    "account_details": ("/account/details/", {"name": "New Name"}, signed_in(BACK)),
    "path_pace": ("/learn/path/pace/", {"hours": "x"}, signed_in(422)),
    "book_seat": ("/learn/runs/{run}/book/", {}, signed_in(BACK)),
    "give_back_seat": ("/learn/runs/{run}/give-back/", {}, signed_in(BACK)),
    "book_seat of no run": ("/learn/runs/0/book/", {}, signed_in(GONE)),
    "what_if": ("/learn/path/what-if/", {"hours": "100"}, signed_in(422)),
    "pin_step": ("/learn/path/door/pin/", {}, signed_in(BACK)),
    "decline_step": ("/learn/path/door/decline/", {"reason": ""}, signed_in(422)),
    "unwish_step": ("/learn/path/door/as-before/", {}, signed_in(BACK)),
    "initiative_read": ("/changes/door/read/", {}, signed_in(GONE, learner=BACK, manager=BACK, hr=BACK, admin=BACK)),
    "question_ask": (
        "/changes/door/ask/", {"text": "Why?", "anonymously": "on", "token": ""},
        signed_in(GONE, learner=BACK, manager=BACK, hr=BACK, admin=BACK),
    ),
    "question_answer": ("/changes/questions/{question}/", {"answer": ""}, signed_in(GONE, hr=422, admin=422)),
    "concerns": (
        "/changes/door/concerns/", {"unit": "{unit}", "kind": "trust", "text": ""},
        signed_in(GONE, manager=422, hr=422, admin=422),
    ),
    "concern_decide": ("/changes/concerns/{concern}/", {"decision": "", "answer": ""}, signed_in(GONE, hr=422, admin=422)),
    "champions": (
        "/changes/door/champions/", {"person": "x", "hours_month": "4"}, signed_in(GONE, hr=422, admin=422)
    ),
    "champion_decide": ("/changes/champions/{champion}/", {"agreed": "yes"}, signed_in(GONE, manager=BACK)),
    "champion_release": (
        "/changes/champions/{champion}/end/", {}, signed_in(GONE, learner=BACK, manager=BACK, hr=BACK, admin=BACK)
    ),
    "change_nudges": ("/account/changes/", {"on_read_why": "on", "plan_read_why": "On Tuesday"}, signed_in(BACK)),
    "action_new": (
        "/changes/door/actions/new/", {"text": "", "owner": "", "due_on": "", "what_staff_will_notice": ""},
        signed_in(GONE, manager=422, hr=422, admin=422),
    ),
    "action": ("/changes/actions/{action}/", {"status": "done", "outcome": ""}, signed_in(GONE, manager=422, hr=422, admin=422)),
    "verify_file": ("/verify/file/", {}, every(422)),
    "verify_file_data": ("/verify/file/data/", {}, every(422)),
    "trusted_issuers": ("/hr/certificates/trusted/", {"name": "", "pasted": ""}, signed_in(NO, admin=422)),
    "trusted_issuer_end": ("/hr/certificates/trusted/{trusted}/end/", {}, signed_in(NO, admin=BACK)),
    "certificate_life": (
        "/hr/certificates/{serial}/", {"do": "revoke", "reason": "", "note": ""},
        signed_in(NO, hr=422, other_hr=GONE, admin=422),
    ),
    "share_certificate": ("/learn/certificates/{serial}/share/", {"days": "x"}, signed_in(GONE, learner=422)),
    "end_share_link": ("/learn/certificates/links/{link}/end/", {}, signed_in(GONE, learner=BACK)),
    "shared_certificate": ("/c/{shared}/", {}, every(WRONG)),
    "import_badge": ("/learn/certificates/import/", {}, signed_in(422)),
    "imported_badge": (
        "/learn/certificates/import/{badge}/?competency={competency}", {"rank": ""}, signed_in(GONE, learner=422)
    ),
    "definition_new_of": ("/hr/certificates/definitions/new/role/", {"title_en": ""}, signed_in(NO, hr=422, other_hr=422, admin=422)),
    "definition": ("/hr/certificates/definitions/{definition}/", {"do": "x"}, signed_in(NO, hr=422, other_hr=GONE, admin=422)),
    "definition_change": (
        "/hr/certificates/definitions/{definition}/change/", {"title_en": ""},
        signed_in(NO, hr=422, other_hr=GONE, admin=422),
    ),
    "body_new": ("/hr/certificates/bodies/new/", {"name": ""}, signed_in(NO, hr=422, other_hr=422, admin=422)),
    "body": ("/hr/certificates/bodies/{body}/", {"do": "x"}, signed_in(NO, hr=422, other_hr=GONE, admin=422)),
    "cohort_new": (
        "/hr/certificates/cohorts/new/", {"course": "door", "how": "x", "do": "look"},
        signed_in(NO, hr=422, other_hr=422, admin=422),
    ),
    "cohort_again": (
        "/hr/certificates/cohorts/{cohort}/again/", {}, signed_in(NO, hr=BACK, other_hr=GONE, admin=BACK)
    ),
    "wave_new": ("/changes/door/survey/", {"kind": "x"}, signed_in(GONE, learner=NO, manager=NO, hr=422, admin=422)),
    "wave_approve": ("/surveys/{prepared}/run/approve/", {"seen": "x"}, signed_in(GONE, hr=BACK, admin=BACK)),
    "wave_open": ("/surveys/{prepared}/run/open/", {}, signed_in(GONE, hr=BACK, admin=BACK)),
    "wave_discard": ("/surveys/{prepared}/run/discard/", {}, signed_in(GONE, hr=BACK, admin=BACK)),
    "wave_key": ("/surveys/{prepared}/run/key/", {"passphrase": "x"}, signed_in(GONE, hr=BACK, admin=BACK)),
    "wave_comments": ("/surveys/{closed}/run/comments/", {"comment": "x", "state": "shown"}, signed_in(GONE)),
    "survey": ("/surveys/{wave}/", {"a_why1": "6", "do": "send"}, signed_in(GONE, learner=422, manager=422)),
    "survey, to look once more": ("/surveys/{wave}/", {"a_why1": "4"}, signed_in(GONE, learner=OK, manager=OK)),
    "survey, to send": (
        "/surveys/{wave}/", {"a_why1": "4", "do": "send"}, signed_in(GONE, learner=BACK, manager=BACK)
    ),
    "survey, too late": (
        "/surveys/{closed}/", {"a_why1": "4", "do": "send"}, signed_in(GONE, learner=409, manager=409, hr=409, admin=409)
    ),
    "survey_self_check": ("/surveys/{wave}/self-check/", {}, signed_in(WRONG)),
    "survey_results": ("/surveys/{closed}/results/", {}, signed_in(WRONG)),
    "pre_check": ("/learn/courses/{fresh}/before/", {}, signed_in(GONE, learner=BACK)),
    "course_feedback": ("/learn/evaluation/door/reaction/", {"a_trn1": "6"}, signed_in(410, learner=422)),
    "measure_new": ("/evaluation/door/figures/", {"name": ""}, signed_in(NO, hr=422, other_hr=422, admin=422)),
    "measure": ("/evaluation/figures/{measure}/", {"text": "x"}, signed_in(NO, hr=422, other_hr=422, admin=422)),
    "evaluation_list": ("/evaluation/", {}, signed_in(WRONG)),
    "evaluation": ("/evaluation/door/", {}, signed_in(WRONG)),
    "evaluation_waiting": ("/learn/evaluation/waiting/", {}, signed_in(WRONG)),
    "hr": ("/hr/", {}, signed_in(WRONG)),
    "learn": ("/learn/", {}, signed_in(WRONG)),
    "team": ("/team/", {}, signed_in(WRONG)),
}  # fmt: skip


def outcome(response: Any) -> object:
    if response.streaming:
        b"".join(response)  # a file is closed when it has been read
    if response.status_code == 302 and response["Location"].startswith("/account/login/"):
        return SIGN_IN
    return response.status_code


def client_of(house: House, visitor: str) -> Client:
    client = Client()
    if visitor != "anonymous":
        client.force_login(house.people[visitor])
    return client


@pytest.mark.parametrize("visitor", VISITORS)
def test_what_each_visitor_gets_when_looking(house, visitor):
    client = client_of(house, visitor)
    got = {name: outcome(client.get(url.format(**house.ids))) for name, (url, _who) in GETS.items()}
    assert got == {name: who[visitor] for name, (_url, who) in GETS.items()}


@pytest.mark.parametrize("visitor", VISITORS)
def test_what_each_visitor_gets_when_writing(house, visitor):
    got = {}
    for name, (url, data, _who) in POSTS.items():
        with transaction.atomic():  # each door meets the same house
            sent = {key: house.named(value) for key, value in data.items()}
            got[name] = outcome(client_of(house, visitor).post(url.format(**house.ids), sent))
            transaction.set_rollback(True)
    assert got == {name: who[visitor] for name, (_url, _data, who) in POSTS.items()}


@pytest.mark.parametrize("visitor", VISITORS)
def test_no_door_leads_round_in_a_circle(house, visitor):
    client = client_of(house, visitor)
    for name, (url, _who) in GETS.items():
        last = client.get(url.format(**house.ids), follow=True)  # raises RedirectCycleError where it comes back
        assert outcome(last) not in (BACK, SIGN_IN), name


def test_the_only_sign_in_page_is_the_one_with_the_rate_limit(client, db):
    response = client.post("/cms/login/", {"username": "a@example.org", "password": "x"}, follow=True)
    assert response.redirect_chain[0] == ("/account/login/", 302)
    assert client.get("/cms/login/?next=/cms/pages/")["Location"] == "/account/login/?next=/cms/pages/"


def test_every_url_has_its_row():
    def names(patterns: list[Any], prefix: str = "") -> set[str]:
        found = set()
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                inner = prefix + str(pattern.pattern)
                if not inner.startswith(("cms/", "documents/")):
                    found |= names(pattern.url_patterns, inner)
            elif isinstance(pattern, URLPattern):
                found.add(pattern.name or str(pattern.pattern).split(".")[0])
        return found

    missing = names(get_resolver().url_patterns) - set(GETS)
    assert not missing, f"no row for {sorted(missing)}"


def test_people_of_other_units_stay_unseen_in_lists(house):
    page = client_of(house, "other_hr").get("/hr/people/").content.decode()
    assert house.people["learner"].name not in page
    page = client_of(house, "hr").get("/hr/people/").content.decode()
    assert house.people["learner"].name in page


def test_an_officer_cannot_assign_to_people_she_does_not_serve(house):
    client = client_of(house, "other_hr")
    person = house.people["learner"]
    data = {"step": "when", "profile": house.ids["profile"], "people": [person.pk], "token": str(uuid4())}
    assert client.post("/hr/assign/", data).status_code == 422
    data = {"step": "when", "profile": house.ids["profile"], "emails": person.email, "token": str(uuid4())}
    batch = AssignmentBatch.objects.get(pk=client.post("/hr/assign/", data).url.split("/")[-2])
    assert batch.counts["gains"] == 0
    assert batch.rows.get().reasons == ["unknown"]


def test_a_job_is_seen_by_who_asked_for_it(house):
    assert list(Job.objects.visible_to(house.people["other_hr"])) == []
    assert house.ids["job"] in Job.objects.visible_to(house.people["hr"]).values_list("pk", flat=True)
