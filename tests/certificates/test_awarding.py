"""Certificates for paths, levels and roles: issued when the criteria are met, explained from their own record, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from certificates import awarding
from certificates.award_jobs import AWARD, AWARD_ALL, award_all
from certificates.awarding import award, forecast
from certificates.defining import retire_definition
from certificates.enums import Kind, RevocationReason, Verdict
from certificates.life import reissue, revoke
from certificates.models import Certificate, Definition
from certificates.record import Ground, claim_of
from certificates.tasks import ask_for_awards
from certificates.verdicts import judge
from competencies.enums import EvidenceKind
from competencies.lifecycle import draft_next_edition
from competencies.services import assign_role, withdraw_evidence
from learning.curated import add_courses, new_draft, publish_version
from organisations.enums import JobState
from organisations.models import Job
from tests.builders import (
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
    many_people,
    take_course,
)
from tests.certificates.definitions import complete, define, house, make_curated, noon

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return make_person("Ada Admin", is_superuser=True)


@pytest.fixture
def version():
    return make_framework()


def of(person) -> list[Certificate]:
    return list(Certificate.objects.filter(holder=person).order_by("pk"))


def carrier(profile, unit=None):
    person = make_person()
    make_post(unit or make_unit(), holder=person, roles=[profile])
    return person


# --- Roles ----------------------------------------------------------------------------------------------------------------
def test_a_role_is_certified_when_all_it_requires_is_shown_and_the_record_says_by_what(admin, version, settings):
    settings.ISSUER_NAME = "Ministry of Digital Affairs"
    profile = make_profile(version, {"A": 3, "B": 2})
    person = carrier(profile)
    title = "Certified CISO of the public administration"
    definition = define(admin, Kind.ROLE, role=profile, title=title, validity_months=36)
    give_evidence(person, competency(version, "A"), 4, EvidenceKind.PANEL, days_ago=9)
    assert of(person) == []
    give_evidence(person, competency(version, "B"), 2, days_ago=3)
    [certificate] = of(person)
    said = claim_of(certificate.record)
    today = timezone.localdate()
    assert (said.kind, said.title, said.issuer) == ("role", title, "Ministry of Digital Affairs")
    assert (said.key, said.revision, said.definition) == (profile.code, None, f"{definition.key}/1")
    assert said.completed_on == today - timedelta(days=3)
    assert said.issued_on == today and certificate.valid_until == said.valid_until
    assert said.valid_until.year == today.year + 3
    assert [(o.code, o.level.rank, o.grounds) for o in said.outcomes] == [
        ("A", 3, (Ground("Panel of assessors", "", today - timedelta(days=9)),)),
        ("B", 2, (Ground("Prior learning", "", today - timedelta(days=3)),)),
    ]
    assert said.criteria.startswith("Show the required level in each competency of the role")
    assert certificate.document
    assert certificate.holder == person and certificate.enrolment is None
    [letter] = [letter for letter in mail.outbox if letter.to == [person.email]]
    assert title in letter.subject and certificate.serial in letter.body


def test_a_passed_course_is_named_as_what_shows_it(admin, version):
    profile = make_profile(version, {"A": 2})
    person = carrier(profile)
    define(admin, Kind.ROLE, role=profile)
    take_course(person, make_course(version, {"A": 2}, title="Governing cyber risk"))
    [role] = Certificate.objects.filter(holder=person, enrolment=None)
    [outcome] = claim_of(role.record).outcomes
    assert [(g.kind, g.title) for g in outcome.grounds] == [("Course passed", "Governing cyber risk")]


def test_who_does_not_carry_the_role_gets_none_until_she_does(admin, version):
    profile = make_profile(version, {"A": 2})
    person = make_person()
    give_evidence(person, competency(version, "A"), 3)
    definition = define(admin, Kind.ROLE, role=profile)
    assert award(definition=definition) == 0
    assign_role(person=person, profile=profile, by=admin, starts_on=timezone.localdate())
    assert len(of(person)) == 1


def test_a_role_is_followed_through_its_editions(admin, version):
    profile = make_profile(version, {"A": 2})
    person = carrier(profile)
    definition = define(admin, Kind.ROLE, role=profile)
    give_evidence(person, competency(version, "A"), 1)
    later = draft_next_edition(version=version, edition="2", by=admin)
    version.status = "superseded"
    version.save()
    later.status = "published"
    later.save()
    for old in (competency(version, "A"), profile):  # as the crosswalk of publishing does
        type(old).objects.filter(code=old.code).exclude(pk=old.pk).update(lineage=old.lineage)
    new = later.competencies.get(code="A")
    give_evidence(person, new, 3)
    award(definition=definition)
    [certificate] = of(person)
    assert claim_of(certificate.record).outcomes[0].edition == "2"


def test_what_lapses_or_is_withdrawn_later_takes_nothing_back_and_hr_can_revoke_it(admin, version):
    profile = make_profile(version, {"A": 2})
    unit, hr, _person = house()
    person = carrier(profile, unit)
    definition = define(admin, Kind.ROLE, role=profile)
    piece = give_evidence(person, competency(version, "A"), 2)
    [certificate] = of(person)
    withdraw_evidence(evidence=piece, by=hr, reason="Wrong person.")
    award(definition=definition)
    assert of(person) == [certificate]
    assert judge(certificate, as_of=timezone.localdate()).verdict == Verdict.VALID
    revoke(certificate=certificate, reason=RevocationReason.ISSUED_IN_ERROR, note="Wrong person.", by=hr)
    award(definition=definition)
    assert of(person) == [certificate]


# --- Levels ---------------------------------------------------------------------------------------------------------------
def test_a_level_is_certified_whoever_shows_it_and_says_the_level_asked_for(admin, version):
    a = competency(version, "A")
    low, high = make_person(), make_person()
    give_evidence(low, a, 2)
    give_evidence(high, a, 5)
    define(admin, Kind.LEVEL, competency=a, level=version.levels.get(rank=3))
    assert of(low) == []
    [certificate] = of(high)
    said = claim_of(certificate.record)
    assert (said.kind, said.key, said.outcomes[0].level.rank) == ("level", "A", 3)
    assert said.criteria == "Show “Label 3” in “Competency A” by evidence that counts under the published rules."


def test_a_self_assessment_certifies_nothing(admin, version):
    a, person = competency(version, "A"), make_person()
    define(admin, Kind.LEVEL, competency=a, level=version.levels.get(rank=1))
    give_evidence(person, a, 5, EvidenceKind.SELF, by=person)
    assert of(person) == []


# --- Paths ----------------------------------------------------------------------------------------------------------------
def test_a_path_is_certified_when_its_stages_and_choices_are_completed(version):
    unit, hr, person = house()
    first = make_course(version, {"A": 2}, effort=60, title="First")
    second = make_course(version, {"A": 3}, effort=30, title="Second")
    third, fourth = make_course(version, {"B": 1}, effort=10, title="Third"), make_course()
    path = make_curated(unit, hr, [first, second], choose=[third, fourth])
    definition = define(hr, Kind.PATH, path=path, unit=unit)
    complete(person, first, days_ago=5)
    complete(person, second, days_ago=2)
    assert award(definition=definition) == 0
    complete(person, third, days_ago=1, assessed=False)
    assert award(definition=definition) == 1
    [certificate] = of(person)
    said = claim_of(certificate.record)
    assert (said.kind, said.key, said.revision, said.effort_minutes) == ("path", path.key, 1, 100)
    today = timezone.localdate()
    # The path was published today: it is completed on the first day on which somebody could follow it.
    assert said.completed_on == today
    assert [(o.code, o.level and o.level.rank) for o in said.outcomes] == [("A", 3), ("B", None)]
    assert [(g.kind, g.title) for g in said.outcomes[0].grounds] == [
        ("Course passed", "Second"), ("Course passed", "First"),
    ]  # fmt: skip
    assert said.outcomes[1].grounds[0].kind == "Course completed"


def test_a_version_that_asks_for_more_takes_nothing_back(version):
    unit, hr, person = house()
    first, second = make_course(), make_course()
    path = make_curated(unit, hr, [first])
    path.versions.update(published_at=noon(10))
    complete(person, first, days_ago=5)
    late = make_person()
    make_post(unit, holder=late)
    draft = new_draft(path=path, by=hr)
    add_courses(version=draft, stage_id=draft.stages.get().pk, keys=[second.key], by=hr)
    publish_version(version=draft, by=hr)
    complete(late, first)
    definition = define(hr, Kind.PATH, path=path, unit=unit)
    assert award(definition=definition) == 0  # what putting it in force issued is there
    [certificate] = of(person)
    assert claim_of(certificate.record).revision == 1
    assert of(late) == []


def test_passing_the_last_course_is_news_enough():
    unit, hr, person = house()
    course = make_course()
    path = make_curated(unit, hr, [course])
    define(hr, Kind.PATH, path=path, unit=unit)
    take_course(person, course)
    assert [c.record["award"]["kind"] for c in of(person)] == ["course", "path"]


# --- For whom -------------------------------------------------------------------------------------------------------------
def test_each_person_gets_that_of_the_nearest_unit_and_no_other(admin, version):
    a = competency(version, "A")
    unit, hr, person = house()
    inner, outside, left = make_person(), make_person(), make_person(is_active=False)
    below = make_unit(parent=unit)
    make_post(below, holder=inner)
    for somebody in (person, inner, outside, left):
        give_evidence(somebody, a, 3)
    level = {"competency": a, "level": version.levels.get(rank=3)}
    define(hr, Kind.LEVEL, unit=below, title="Unit", **level)
    define(hr, Kind.LEVEL, unit=unit, title="Ministry", **level)
    define(admin, Kind.LEVEL, title="All", **level)
    for definition in Definition.objects.all():
        award(definition=definition)
    titles = {somebody: [c.about["title"] for c in of(somebody)] for somebody in (person, inner, outside, left)}
    assert titles == {person: ["Ministry"], inner: ["Unit"], outside: ["All"], left: []}


def test_the_document_speaks_the_language_of_the_definition_else_the_holders(admin, version):
    a = competency(version, "A")
    level = {"competency": a, "level": version.levels.get(rank=1)}
    person = make_person(language="es")
    give_evidence(person, a, 3)
    define(admin, Kind.LEVEL, title={"en": "Certified", "es": "Certificada"}, **level)
    [certificate] = of(person)
    said = claim_of(certificate.record)
    assert (said.language, said.title, said.title_language) == ("es", "Certificada", "es")


# --- Once -----------------------------------------------------------------------------------------------------------------
def test_twice_is_once(admin, version):
    profile = make_profile(version, {"A": 2})
    person = carrier(profile)
    definition = define(admin, Kind.ROLE, role=profile)
    give_evidence(person, competency(version, "A"), 3)
    give_evidence(person, competency(version, "A"), 4)
    for _time in range(2):
        assert award(definition=definition) == 0
        ask_for_awards(at=timezone.now())
    assert len(of(person)) == 1
    assert len([letter for letter in mail.outbox if letter.to == [person.email]]) == 1
    assert Job.objects.filter(kind=AWARD_ALL).count() == 1


def test_a_corrected_name_is_no_reason_to_issue_it_again(admin, version):
    a = competency(version, "A")
    definition = define(admin, Kind.LEVEL, competency=a, level=version.levels.get(rank=2))
    person = make_person()
    give_evidence(person, a, 3)
    reissue(certificate=of(person)[0], name="Ana Maria", by=admin)
    assert award(definition=definition) == 0
    assert len(of(person)) == 2


def test_an_ended_definition_gives_nothing(admin, version):
    a = competency(version, "A")
    definition = define(admin, Kind.LEVEL, competency=a, level=version.levels.get(rank=2))
    retire_definition(definition=definition, by=admin)
    person = make_person()
    give_evidence(person, a, 3)
    assert award(definition=definition) == 0 and of(person) == []


def test_where_nothing_is_defined_news_costs_no_job(version):
    person = make_person()
    give_evidence(person, competency(version, "A"), 3)
    assert not Job.objects.filter(kind=AWARD).exists()


def test_the_sweep_heals_what_an_event_missed(admin, version, monkeypatch):
    a = competency(version, "A")
    define(admin, Kind.LEVEL, competency=a, level=version.levels.get(rank=2))
    person = make_person()
    monkeypatch.setattr("certificates.receivers.ask_for_award", lambda *args: None)
    give_evidence(person, a, 3)
    assert of(person) == []
    ask_for_awards(at=timezone.now())
    assert len(of(person)) == 1


def test_a_kill_before_the_document_leaves_a_certificate_that_the_next_sweep_completes(admin, version, monkeypatch):
    a = competency(version, "A")
    definition = define(admin, Kind.LEVEL, active=False, competency=a, level=version.levels.get(rank=2))
    Definition.objects.update(status="active")
    person = make_person()
    monkeypatch.setattr("certificates.receivers.ask_for_award", lambda *args: None)
    give_evidence(person, a, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(awarding, "complete", lambda rows: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            award(definition=definition)
    [certificate] = of(person)
    assert not certificate.document
    assert award(definition=definition) == 0
    assert len(of(person)) == 1


def test_a_kill_before_the_mail_loses_the_certificate_too_and_the_next_run_makes_both(admin, version, monkeypatch):
    a = competency(version, "A")
    definition = define(admin, Kind.LEVEL, active=False, competency=a, level=version.levels.get(rank=2))
    Definition.objects.update(status="active")
    person = make_person()
    monkeypatch.setattr("certificates.receivers.ask_for_award", lambda *args: None)
    give_evidence(person, a, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(awarding, "tell_awarded", lambda row: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            award(definition=definition)
    assert of(person) == []
    assert award(definition=definition) == 1
    assert len(mail.outbox) == 1


def test_people_are_gone_through_in_batches_and_none_is_left_out(admin, version, monkeypatch):
    monkeypatch.setattr(awarding, "BATCH", 2)
    a = competency(version, "A")
    people = [make_person() for _n in range(5)]
    for person in people:
        give_evidence(person, a, 3)
    define(admin, Kind.LEVEL, competency=a, level=version.levels.get(rank=2))
    assert Certificate.objects.count() == 5
    assert Job.objects.get(kind="certificates.award_definition").report == {"written": 5}


# --- Cost -----------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", [Kind.ROLE, Kind.LEVEL, Kind.PATH])
def test_the_number_of_queries_does_not_grow_with_people(admin, version, kind, django_assert_max_num_queries):
    unit = make_unit()
    profile = make_profile(version, {"A": 2, "B": 2})
    course = make_course(version, {"A": 2})
    make_hr(admin, unit)
    said = {
        Kind.ROLE: {"role": profile},
        Kind.LEVEL: {"competency": competency(version, "A"), "level": version.levels.get(rank=2)},
        Kind.PATH: {"path": make_curated(unit, admin, [course])},
    }[kind]
    definition = define(admin, kind, active=False, **said)
    counts = []
    for many in (1, 9):
        for pk in many_people(many, unit, roles=[profile]):
            person = type(admin).objects.get(pk=pk)
            complete(person, course)
            for code in "AB":
                give_evidence(person, competency(version, code), 2)
        with django_assert_max_num_queries(40) as asked:
            seen = forecast(definition, day=timezone.localdate())
        counts.append(len(asked))
    assert seen.count == 10
    assert counts[0] == counts[1]


def test_a_dry_run_says_who_would_get_it_and_writes_nothing(admin, version, monkeypatch):
    a = competency(version, "A")
    for n in range(4):
        give_evidence(make_person(f"Person {n}"), a, 2 + n % 2)
    definition = define(admin, Kind.LEVEL, active=False, competency=a, level=version.levels.get(rank=3))
    seen = forecast(definition, day=timezone.localdate())
    assert (seen.count, seen.names, seen.is_part) == (2, ("Person 1", "Person 3"), False)
    assert not Certificate.objects.exists()
    monkeypatch.setattr(awarding, "MOST_LOOKED_AT", 2)
    monkeypatch.setattr(awarding, "BATCH", 2)
    seen = forecast(definition, day=timezone.localdate())
    assert (seen.count, seen.is_part, seen.looked_at) == (1, True, 2)


def test_the_job_of_the_night_reports_how_many(admin, version):
    a = competency(version, "A")
    give_evidence(make_person(), a, 3)
    definition = define(admin, Kind.LEVEL, active=False, competency=a, level=version.levels.get(rank=2))
    Definition.objects.filter(pk=definition.pk).update(status="active")
    ask_for_awards(at=timezone.now())
    job = Job.objects.get(kind=AWARD_ALL)
    assert (job.state, job.report) == (JobState.DONE, {"written": 1})
    assert award_all is not None
