"""A required level that lapses: announced once, standing until its day, then lowered, with the path saying why."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from competencies import tasks
from competencies.enums import EvidenceKind
from competencies.levels import Verdict
from competencies.models import Evidence, RefreshNotice
from competencies.refreshing import REFRESH_JOB, notify_refresh_due
from competencies.rulemaking import change_rules, draft_rules, publish_rules, rules_digest
from competencies.selectors import standing_of
from competencies.services import Finding, record_evidence, withdraw_evidence
from learning import tasks as learning_tasks
from learning.enums import PlanReason
from learning.selectors import change_views, path_of
from learning.services import replan, replan_many
from learning.wording import change_words
from organisations.jobs import run_job
from organisations.models import Job
from tests.builders import (
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_person,
    make_post,
    make_profile,
    make_unit,
)

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.fixture
def version():
    return make_framework(codes="ABC")


@pytest.fixture
def ana(version):
    person = make_person("Ana Pérez")
    make_post(make_unit(), holder=person, roles=[make_profile(version, {"A": 4, "B": 2})])
    return person


def certify(person, what, rank, lapses_on, *, key="certificate") -> Evidence:
    [piece] = record_evidence(
        person=person,
        findings=[Finding(what, rank)],
        kind=EvidenceKind.CERTIFICATE,
        source_key=f"{key}:{person.pk}:{what.pk}",
        by=None,
        assessed=True,
        source={"en": "Certificate of risk"},
        occurred_on=TODAY() - timedelta(days=20),
        valid_until=lapses_on,
    )
    return piece


def tell(*people, on: date):
    return notify_refresh_due(person_ids=[person.pk for person in people], as_of=on)


def noon(day: date) -> datetime:
    return timezone.make_aware(datetime(day.year, day.month, day.day, 12))


def test_the_whole_calendar_of_a_certificate(version, ana):
    """91 days before: nothing. 90: told, the level stands. The day before: stands. On the day: the next evidence counts."""
    a = competency(version, "A")
    make_course(version, {"A": 4}, key="refresher")
    give_evidence(ana, a, 2, EvidenceKind.COURSE, days_ago=10)
    lapses_on = TODAY() + timedelta(days=200)
    piece = certify(ana, a, 4, lapses_on)
    replan(person=ana, reason=PlanReason.ROLE)

    def level_on(day):
        return standing_of(ana, as_of=day).line(a.pk).level

    before = lapses_on - timedelta(days=91)
    assert tell(ana, on=before)["notices"] == 0
    assert (level_on(before).rank, level_on(before).refresh_due) == (4, False)

    first = lapses_on - timedelta(days=90)
    assert tell(ana, on=first) == {"people": 1, "told": 1, "notices": 1, "failed": 0}
    assert (level_on(first).rank, level_on(first).refresh_due) == (4, True)
    assert RefreshNotice.objects.get().evidence == piece

    eve = lapses_on - timedelta(days=1)
    assert tell(ana, on=eve)["notices"] == 0  # told already
    assert level_on(eve).rank == 4
    assert replan_many(person_ids=[ana.pk], reason=PlanReason.SWEEP, at=noon(eve)) == 0

    after = level_on(lapses_on)
    assert (after.rank, after.basis.item.kind) == (2, EvidenceKind.COURSE)
    assert next(j for j in after.judged if j.item.id == piece.pk).verdict is Verdict.LAPSED
    assert Evidence.objects.standing().filter(pk=piece.pk).exists()  # history is kept

    assert replan_many(person_ids=[ana.pk], reason=PlanReason.SWEEP, at=noon(lapses_on)) == 1
    plan = ana.path_plans.latest()
    assert [step.course.key for step in plan.steps.all()] == ["refresher"]
    sentences = [change_words(change) for change in change_views([plan])[plan.pk]]
    assert sentences[0].startswith("What showed level 4 in “Competency A”, a certificate, lapsed on ")
    assert sentences[1] == "“Refresher” came into your path: it leads to “Competency A”."
    assert replan_many(person_ids=[ana.pk], reason=PlanReason.SWEEP, at=noon(lapses_on + timedelta(days=1))) == 0


def test_a_lapse_that_no_course_closes_is_explained_too(version, ana):
    lapses_on = TODAY() + timedelta(days=30)
    certify(ana, competency(version, "A"), 4, lapses_on)
    replan(person=ana, reason=PlanReason.ROLE)
    replan_many(person_ids=[ana.pk], reason=PlanReason.SWEEP, at=noon(lapses_on))
    plan = ana.path_plans.latest()
    [change] = change_views([plan])[plan.pk]
    assert "lapsed on" in change_words(change)
    assert (plan.reason, plan.met) == (PlanReason.SWEEP, 0)


def test_what_lapsed_before_the_plan_in_force_is_no_news(version, ana):
    lapses_on = TODAY() + timedelta(days=30)
    certify(ana, competency(version, "A"), 4, lapses_on)
    replan(person=ana, reason=PlanReason.ROLE)
    replan_many(person_ids=[ana.pk], reason=PlanReason.SWEEP, at=noon(lapses_on))
    make_course(version, {"A": 4}, key="late-offer")
    replan_many(person_ids=[ana.pk], reason=PlanReason.OFFER, at=noon(lapses_on + timedelta(days=9)))
    plan = ana.path_plans.latest()
    assert [change.kind for change in change_views([plan])[plan.pk]] == ["added"]


def test_the_nightly_sweep_replans_when_a_level_lapses(version, ana):
    make_course(version, {"A": 4}, key="refresher")
    certify(ana, competency(version, "A"), 4, TODAY() + timedelta(days=1))
    replan(person=ana, reason=PlanReason.ROLE)
    assert path_of(ana).steps == ()
    ana.path_plans.update(made_at=timezone.now() - timedelta(days=2))
    Evidence._base_manager.filter(person=ana).update(valid_until=TODAY())  # as if two days had passed
    learning_tasks.sweep_paths()
    run_job(Job.objects.get(kind="learning.replan_all").pk)
    view = path_of(ana)
    assert [step.course.key for step in view.steps] == ["refresher"]
    assert "lapsed on" in change_words(change_views([view.plan])[view.plan.pk][0])


def test_one_mail_a_person_lists_all_that_lapses_and_where_to_go(version, ana):
    soon, later = TODAY() + timedelta(days=20), TODAY() + timedelta(days=40)
    certify(ana, competency(version, "A"), 4, later)
    certify(ana, competency(version, "B"), 3, soon)
    give_evidence(ana, competency(version, "B"), 2, EvidenceKind.COURSE)
    certify(ana, competency(version, "C"), 3, soon)  # no role asks for it
    tell(ana, on=TODAY())
    [message] = mail.outbox
    assert (message.to, message.subject) == ([ana.email], "2 competencies: time to refresh them")
    assert message.body.index("Competency B") < message.body.index("Competency A")
    assert "Your role’s level stays shown by other evidence." in message.body
    assert "After that, nothing shows it any more." in message.body
    assert f"/learn/competencies/{competency(version, 'A').pk}/" in message.body
    assert "http" in message.body
    assert "Competency C" not in message.body
    assert RefreshNotice.objects.count() == 2


def test_a_piece_is_announced_once_and_a_new_one_anew(version, ana):
    a = competency(version, "A")
    certify(ana, a, 4, TODAY() + timedelta(days=20))
    for _night in range(3):
        tell(ana, on=TODAY())
    assert len(mail.outbox) == 1
    certify(ana, a, 4, TODAY() + timedelta(days=50), key="renewed")  # carries the level now, and is due itself
    tell(ana, on=TODAY())
    tell(ana, on=TODAY())
    assert len(mail.outbox) == 2


def test_a_level_that_is_carried_on_until_a_later_day_is_announced_for_that_day_too(version, ana):
    a = competency(version, "A")
    piece = certify(ana, a, 4, TODAY() + timedelta(days=20))
    assert tell(ana, on=TODAY())["notices"] == 1
    later = TODAY() + timedelta(days=200)
    Evidence._base_manager.filter(pk=piece.pk).update(valid_until=later)  # as other rules would have it
    assert tell(ana, on=TODAY())["notices"] == 0  # not due
    due = later - timedelta(days=30)
    assert tell(ana, on=due)["notices"] == 1
    assert RefreshNotice.objects.get().lapses_on == later
    assert tell(ana, on=due)["notices"] == 0
    Evidence._base_manager.filter(pk=piece.pk).update(valid_until=later - timedelta(days=1))
    assert tell(ana, on=due)["notices"] == 0  # two days in turn are not told in turns
    assert len(mail.outbox) == 2


def test_a_mail_that_the_server_refuses_is_tried_again_the_next_night_and_stops_nobody_else(version, ana, monkeypatch):
    other = make_person("Zoe")
    make_post(make_unit(), holder=other, roles=[make_profile(version, {"A": 4})])
    for person in (ana, other):
        certify(person, competency(version, "A"), 4, TODAY() + timedelta(days=20))
    send = EmailBackend.send_messages

    def refuse_ana(self, messages):
        if ana.email in messages[0].to:
            raise OSError("421 try again later")
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", refuse_ana)
    assert tell(ana, other, on=TODAY()) == {"people": 2, "told": 1, "notices": 2, "failed": 1}
    monkeypatch.undo()
    assert tell(ana, other, on=TODAY())["told"] == 1
    assert sorted(message.to[0] for message in mail.outbox) == sorted([ana.email, other.email])


def test_who_has_left_and_what_was_withdrawn_is_not_announced(version, ana):
    piece = certify(ana, competency(version, "A"), 4, TODAY() + timedelta(days=20))
    withdraw_evidence(evidence=piece, by=None, reason="Wrong person.")
    gone = make_person("Gone", is_active=False)
    make_post(make_unit(), holder=gone, roles=[make_profile(version, {"A": 4})])
    certify(gone, competency(version, "A"), 4, TODAY() + timedelta(days=20))
    assert tell(ana, gone, on=TODAY())["notices"] == 0
    assert mail.outbox == []


def test_the_days_of_the_rules_in_force_decide(version, ana):
    certify(ana, competency(version, "A"), 4, TODAY() + timedelta(days=40))
    draft = draft_rules(framework=None, by=None)
    change_rules(rulebook=draft, content=draft.content | {"refresh_days": 30}, note="Sooner is too soon.", by=None)
    publish_rules(rulebook=draft, by=None, seen=rules_digest(draft_rules(framework=None, by=None)))
    assert tell(ana, on=TODAY())["notices"] == 0
    assert tell(ana, on=TODAY() + timedelta(days=10))["notices"] == 1


def test_the_nightly_job_runs_once_a_day_and_says_what_it_did(version, ana):
    certify(ana, competency(version, "A"), 4, TODAY() + timedelta(days=20))
    tasks.notify_refresh_due()
    tasks.notify_refresh_due()
    job = Job.objects.get(kind=REFRESH_JOB)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.report["told"]) == ("done", 1)


def test_telling_asks_as_many_queries_for_many_people_as_for_few(version, ana, count_queries):
    unit, profile = make_unit(), make_profile(version, {"A": 4, "B": 2})

    def people(count):
        found = [make_person() for _n in range(count)]
        for person in found:
            make_post(unit, holder=person, roles=[profile])
            certify(person, competency(version, "A"), 4, TODAY() + timedelta(days=20))
            certify(person, competency(version, "B"), 2, TODAY() + timedelta(days=20))
        return found

    few, many = people(2), people(9)
    counts = [count_queries(lambda group=group: tell(*group, on=TODAY())) for group in (few, many)]
    assert counts[0] == counts[1] <= 20
    assert len(mail.outbox) == 11


def test_the_desk_says_what_is_due_the_soonest_first(client, version, ana):
    client.force_login(ana)
    assert "Refresh due" not in client.get("/learn/").content.decode()
    certify(ana, competency(version, "A"), 4, TODAY() + timedelta(days=40))
    certify(ana, competency(version, "B"), 2, TODAY() + timedelta(days=20))
    text = client.get("/learn/").content.decode()
    callout = text[text.index("Refresh due") :]
    assert callout.index("Competency B") < callout.index("Competency A")
