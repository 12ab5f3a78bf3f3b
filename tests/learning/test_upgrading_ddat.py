"""The real UK framework in use, then its next edition: every record survives, counts, and the difference is told."""

from __future__ import annotations

import csv
import io

import pytest
from django.utils import timezone

from competencies import importers
from competencies.differences import RequirementChange, Rewording
from competencies.enums import SuccessionBasis
from competencies.lifecycle import difference_of, propose_crosswalk, undecided_lines
from competencies.loading import content_of, load_framework
from competencies.models import Competency, Evidence, PostRole, RoleAssignment
from competencies.selectors import explained_level, standing_of, standings_of
from competencies.services import assign_role
from courses.models import CourseOutcome
from courses.selectors import offered_courses
from learning.enums import PlanReason
from learning.models import PathStep
from learning.selectors import current_plans
from learning.services import replan_many
from tests.builders import give_evidence, make_course, make_person, make_post, make_unit, take_course
from tests.competencies.editions import profile_of, publish

pytestmark = pytest.mark.django_db

# What the edited copy changes. The text below the renamed skill stays: by that it is found again.
ROLE, GRADE = "Business analyst", "Business analyst"
RENAMED, NEW_NAME = "Systems analysis", "Analysis of systems"
WITHDRAWN = "Business process improvement"
ADDED = "Stewardship of models"
RAISED = "Business modelling"  # from Working to Practitioner, for our role
REWORDED = "Adapting to delivery methodologies"  # at Awareness
NEW_WORDS = "You can:\n- say which methods there are"
PROFILE = "business-analyst--business-analyst"


def table(raw: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def written(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


@pytest.fixture(scope="module")
def real(shared_data):
    return importers.read(shared_data / "ddat-2025-09")


@pytest.fixture(scope="module")
def edited(shared_data, tmp_path_factory):
    """The next edition, read from an edited copy of the real files."""
    folder = shared_data / "ddat-2025-09"
    roles = [row for row in table((folder / "roles.csv").read_bytes()) if row["Skill Name"] != WITHDRAWN]
    skills = [row for row in table((folder / "skills.csv").read_bytes()) if row["Skill Name"] != WITHDRAWN]
    words = {row["Skill Name"]: row for row in skills}
    ours = [row for row in roles if (row["Role"], row["Role Level"]) == (ROLE, GRADE)]
    for row in ours:
        if row["Skill Name"] == RAISED:
            row["Skill Level"], row["Skill Level Description"] = "Practitioner", words[RAISED]["Practitioner"]
    added = dict.fromkeys(skills[0], "You can:\n- look after models") | {
        "Skill Name": ADDED,
        "Skill Description": "Models are looked after.",
        "Roles that require Skill": ROLE,
    }
    roles.append(
        ours[-1]
        | {
            "Skill Name": ADDED,
            "Skill Description": added["Skill Description"],
            "Skill Level": "Working",
            "Skill Level Description": added["Working"],
        }
    )
    skills.append(added)
    for row in (*roles, *skills):
        if row["Skill Name"] == REWORDED and "Awareness" in row:
            row["Awareness"] = NEW_WORDS
        if row["Skill Name"] == REWORDED and row.get("Skill Level") == "Awareness":
            row["Skill Level Description"] = NEW_WORDS
        if row["Skill Name"] == RENAMED:
            row["Skill Name"] = NEW_NAME
    copy = tmp_path_factory.mktemp("ddat")
    (copy / "roles.csv").write_bytes(written(roles))
    (copy / "skills.csv").write_bytes(written(skills))
    return importers.read(copy)


def skill(version, title) -> Competency:
    return next(c for c in version.competencies.all() if str(c) == title)


@pytest.fixture
def steward():
    return make_person("Steward")


@pytest.fixture
def old(real):
    return load_framework(content=real, edition="2025-09").version


@pytest.fixture
def draft(old, edited):
    return propose_crosswalk(version=load_framework(content=edited, edition="2026-09").version)


@pytest.fixture
def ana(old):
    """Holds a post with the role; has shown three skills, one of which goes."""
    ana = make_person("Ana")
    make_post(make_unit(), holder=ana, roles=[profile_of(old, PROFILE)])
    for title, rank in ((RAISED, 2), (RENAMED, 2), (WITHDRAWN, 3)):
        give_evidence(ana, skill(old, title), rank)
    return ana


@pytest.fixture
def berta(old):
    """Was given the role, and has been planned for."""
    berta = make_person("Berta")
    assign_role(person=berta, profile=profile_of(old, PROFILE), by=None, starts_on=timezone.localdate())
    return berta


@pytest.fixture
def courses(old):
    codes = {title: skill(old, title).code for title in (RAISED, RENAMED, WITHDRAWN)}
    return {
        "modelling": make_course(old, {codes[RAISED]: 3}, key="modelling"),
        "systems": make_course(old, {codes[RENAMED]: 2}, key="systems"),
        "processes": make_course(old, {codes[WITHDRAWN]: 2}, key="processes"),
    }


def records() -> dict[str, list[dict[str, object]]]:
    models = (Evidence, PostRole, RoleAssignment, CourseOutcome, PathStep)
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def keys(person) -> list[str]:
    plan = current_plans([person.pk]).get(person.pk)
    return sorted(step.course.key for step in plan.steps.all()) if plan else []


def test_the_difference_says_just_what_was_changed(real, draft):
    found = difference_of(draft)
    codes = {str(c): c.code for c in draft.competencies.all()}
    gone = skill(draft.previous, WITHDRAWN).code
    assert (found.added, found.withdrawn, found.scale) == ((codes[ADDED],), (gone,), ())
    assert found.unchanged == 188 - 3
    reworded, renamed = sorted(found.changed, key=lambda change: bool(change.moved))
    [words] = reworded.rewordings
    assert reworded.new == codes[REWORDED]
    assert (words.what, words.rank, words.language, words.after) == ("descriptor", 1, "en", NEW_WORDS)
    assert renamed.rewordings == (Rewording("title", "en", RENAMED, NEW_NAME),)
    assert renamed.moved == (("code", skill(draft.previous, RENAMED).code, codes[NEW_NAME]),)
    assert (found.profiles_added, found.profiles_withdrawn) == ((), ())
    changes = {change.new[1]: change.requirements for change in found.profiles_changed}
    requiring = {
        profile.code
        for role in real.roles
        for profile in role.profiles
        if gone in [r.competency for r in profile.requirements]
    }
    assert changes.keys() == requiring | {PROFILE}
    for code in requiring - {PROFILE}:
        assert [(change.kind, change.competency) for change in changes[code]] == [("withdrawn", gone)]
    assert sorted(changes[PROFILE], key=lambda change: change.kind) == [
        RequirementChange("added", codes[ADDED], "", "2"),
        RequirementChange("raised", codes[RAISED], "2", "3"),
        RequirementChange("withdrawn", gone, "2", ""),
    ]
    assert found.profiles_unchanged == 205 - len(changes)


def test_the_crosswalk_finds_the_renamed_skill_by_its_wording_and_leaves_two_lines_to_a_person(draft):
    lines = {str(line.old): line for line in draft.competency_successions.select_related("old", "new")}
    assert (str(lines[RENAMED].new), lines[RENAMED].basis) == (NEW_NAME, SuccessionBasis.CLOSE)
    assert (lines[WITHDRAWN].new, lines[WITHDRAWN].basis) == (None, SuccessionBasis.NONE)
    others = {line.basis for title, line in lines.items() if title not in (RENAMED, WITHDRAWN)}
    assert others == {SuccessionBasis.CODE}
    assert undecided_lines(draft) == 188 + 205


def test_every_record_survives_and_reads_as_it_was(old, draft, ana, berta, courses, steward):
    replan_many(person_ids=[ana.pk, berta.pk], reason=PlanReason.FIRST)
    before, content = records(), content_of(old)
    publish(draft, steward)
    after = records()
    assert {name: rows for name, rows in after.items() if name != "PathStep"} == {
        name: rows for name, rows in before.items() if name != "PathStep"
    }
    assert before["PathStep"]
    assert all(step in after["PathStep"] for step in before["PathStep"])  # plans are added to
    assert content_of(old) == content
    explained = explained_level(ana, skill(old, WITHDRAWN))
    assert (explained.level.rank, len(explained.rows)) == (3, 1)
    assert [str(piece.competency) for piece in Evidence.objects.order_by("pk")] == [RAISED, RENAMED, WITHDRAWN]


def test_holders_have_the_successor_and_their_evidence_counts(old, draft, ana, berta, steward):
    publish(draft, steward)
    standings = standings_of([ana.pk, berta.pk])
    for standing in standings.values():
        assert [profile.pk for profile in standing.profiles] == [profile_of(draft, PROFILE).pk]
    lines = {str(line.competency): (line.required.rank, line.level.rank) for line in standings[ana.pk].lines}
    assert (lines[RAISED], lines[NEW_NAME], lines[ADDED]) == ((3, 2), (2, 2), (2, 0))
    assert not {RENAMED, WITHDRAWN} & lines.keys()
    explained = explained_level(ana, skill(draft, NEW_NAME))
    assert [str(competency) for competency in explained.via.values()] == [RENAMED]


def test_courses_of_the_old_edition_close_gaps_of_the_new_one(old, draft, ana, berta, courses, steward):
    people = [ana.pk, berta.pk]
    replan_many(person_ids=people, reason=PlanReason.FIRST)
    assert (keys(ana), keys(berta)) == ([], ["modelling", "processes", "systems"])
    publish(draft, steward)
    replan_many(person_ids=people, reason=PlanReason.FRAMEWORK)
    assert (keys(ana), keys(berta)) == (["modelling"], ["modelling", "systems"])
    assert replan_many(person_ids=people, reason=PlanReason.FRAMEWORK) == 0
    goal = skill(draft, RAISED)
    assert dict(offered_courses()["modelling"].outcomes)[goal.pk] == 3
    take_course(ana, courses["modelling"])
    assert standing_of(ana).line(goal.pk).is_met
    assert Evidence.objects.latest("pk").competency == skill(old, RAISED)
    assert keys(ana) == []


def test_going_back_is_another_edition(old, draft, ana, steward):
    """The old content again, as a third edition: what was withdrawn comes as new, the rest goes on."""
    from competencies.lifecycle import draft_next_edition

    second = publish(draft, steward)
    third = publish(draft_next_edition(version=old, edition="2027-09", by=steward), steward)
    assert third.previous == second
    lines = {str(line.competency): (line.required.rank, line.level.rank) for line in standing_of(ana).lines}
    assert (lines[RAISED], lines[RENAMED]) == ((2, 2), (2, 2))
    assert lines[WITHDRAWN] == (2, 0)
