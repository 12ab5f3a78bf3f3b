"""Draft → published → superseded, the crosswalk between editions, and local extensions."""

from dataclasses import replace

import pytest
from django.db import transaction
from django.utils import timezone
from wagtail.models import ModelLogEntry

from competencies.enums import EvidenceKind, SuccessionBasis, SuccessionDecision
from competencies.enums import FrameworkStatus as Status
from competencies.importers import CannotImport
from competencies.importers.content import CompetencyContent, ProfileContent, RequirementContent, RoleContent
from competencies.lifecycle import (
    NotPossible,
    confirm_certain,
    decide_succession,
    difference_of,
    discard_draft,
    draft_extension,
    draft_next_edition,
    edition_name,
    objections_to_publishing,
    propose_crosswalk,
    publish_version,
    state_digest,
    supposing_published,
    undecided_lines,
)
from competencies.loading import content_of, load_framework
from competencies.models import (
    Area,
    Competency,
    CompetencyLink,
    CompetencySuccession,
    Evidence,
    Framework,
    FrameworkVersion,
    LevelDescriptor,
    ProficiencyLevel,
    Requirement,
    Role,
    RoleFamily,
    RoleProfile,
    VersionIsFrozen,
)
from competencies.signals import framework_published
from tests.builders import make_person
from tests.competencies.editions import (
    altered,
    competency_of,
    confirm_all,
    load,
    profile_of,
    publish,
    small_content,
)

pytestmark = pytest.mark.django_db
PARTS = (
    ProficiencyLevel,
    Area,
    Competency,
    LevelDescriptor,
    CompetencyLink,
    RoleFamily,
    Role,
    RoleProfile,
    Requirement,
)


@pytest.fixture
def steward():
    return make_person("Steward")


@pytest.fixture
def first():
    return load(small_content())


@pytest.fixture
def heard():
    """What was announced: (version id, previous id)."""
    news = []

    def hear(version_id, previous_id, **kwargs):
        news.append((version_id, previous_id))

    framework_published.connect(hear)
    yield news
    framework_published.disconnect(hear)


def line_of(version, code) -> CompetencySuccession:
    return version.competency_successions.get(old__code=code)


def statuses(*versions):
    return [FrameworkVersion.objects.get(pk=version.pk).status for version in versions]


# --- From draft to superseded ------------------------------------------------------------------------------------
def test_the_next_edition_takes_the_place_of_the_one_in_force(first, steward, heard):
    second = load(altered(small_content(), A={"title": {"en": "Counting well"}}))
    assert statuses(first, second) == [Status.PUBLISHED, Status.DRAFT]
    published = publish(second, steward)
    assert statuses(first, second) == [Status.SUPERSEDED, Status.PUBLISHED]
    first.refresh_from_db()
    assert first.superseded_at == published.published_at
    assert published.content_digest == content_of(published).digest
    assert heard == [(second.pk, first.pk)]
    entry = ModelLogEntry.objects.get(action="competencies.publish_framework")
    assert (entry.user, entry.data["previous"]) == (steward, first.pk)


def test_publishing_twice_is_publishing_once(first, steward, heard):
    second = publish(load(altered(small_content(), C=None)), steward)
    again = publish_version(version=second, by=make_person())
    assert (again.published_at, again.content_digest) == (second.published_at, second.content_digest)
    assert len(heard) == ModelLogEntry.objects.filter(action="competencies.publish_framework").count() == 1


def test_what_stays_has_the_lineage_of_what_it_follows_and_what_is_new_has_its_own(first, steward):
    content = altered(small_content(), A={"title": {"en": "Counting well"}}, C=None)
    content = replace(content, competencies=(*content.competencies, CompetencyContent("D", {"en": "Cloud cost"})))
    second = publish(load(content), steward)
    lineage = dict(first.competencies.values_list("code", "lineage"))
    now = dict(second.competencies.values_list("code", "lineage"))
    assert (now["A"], now["B"]) == (lineage["A"], lineage["B"])
    assert now["D"] not in lineage.values()
    for code in ("junior-clerk", "senior-clerk"):
        assert profile_of(second, code).lineage == profile_of(first, code).lineage


def test_lineages_reach_over_several_editions(first, steward):
    for edition in ("2", "3"):
        latest = publish(load(altered(small_content(), edition, A={"title": {"en": f"Counting {edition}"}})), steward)
    assert competency_of(latest, "A").lineage == competency_of(first, "A").lineage


def test_a_draft_keeps_lineages_of_its_own_until_it_is_published(first):
    second = load(altered(small_content(), A={"title": {"en": "Counting well"}}))
    old = set(first.competencies.values_list("lineage", flat=True))
    assert not old & set(second.competencies.values_list("lineage", flat=True))


def test_undecided_lines_refuse(first, steward):
    second = load(altered(small_content(), C=None))
    assert undecided_lines(second) == 5
    assert confirm_certain(version=second, by=steward) == 4
    assert confirm_certain(version=second, by=steward) == 0
    with pytest.raises(NotPossible, match="1 lines of the crosswalk are not decided yet"):
        publish_version(version=second, by=steward)
    assert statuses(first, second) == [Status.PUBLISHED, Status.DRAFT]
    decide_succession(line=line_of(second, "C"), successor=None, by=steward)
    assert objections_to_publishing(second) == []


def test_a_draft_that_was_never_laid_beside_the_other_is_refused(first, steward):
    second = load_framework(content=altered(small_content(), C=None)).version
    assert objections_to_publishing(second) == ["The draft has not been laid beside the edition in force yet."]
    propose_crosswalk(version=second)
    confirm_all(second, steward)
    line_of(second, "A").new.delete()  # the editor takes away what a line was about
    assert objections_to_publishing(second) == ["The draft has not been laid beside the edition in force yet."]


def test_an_empty_draft_is_refused(first, steward):
    draft = draft_extension(base=first, slug="ours", title={"en": "Ours"}, publisher="", edition="1", by=steward)
    with pytest.raises(NotPossible, match="holds nothing yet"):
        publish_version(version=draft, by=steward)


def test_who_read_another_draft_than_is_there_publishes_nothing(first, steward):
    second = load(altered(small_content(), C=None))
    confirm_all(second, steward)
    seen = state_digest(second)
    assert seen == state_digest(FrameworkVersion.objects.get(pk=second.pk))
    competency = competency_of(second, "A")
    competency.title = {"en": "Counting otherwise"}
    competency.save()
    with pytest.raises(NotPossible, match="has changed since you read"):
        publish_version(version=second, by=steward, seen=seen)
    assert statuses(first, second) == [Status.PUBLISHED, Status.DRAFT]
    assert publish_version(version=second, by=steward, seen=state_digest(second)).is_published


def test_another_decision_is_another_state(first, steward):
    second = load(altered(small_content(), C={"code": "D", "title": {"en": "Cloud"}, "description": {"en": "Bills."}}))
    confirm_all(second, steward)
    seen = state_digest(second)
    decide_succession(line=line_of(second, "C"), successor=competency_of(second, "D"), by=steward)
    with pytest.raises(NotPossible, match="has changed since you read"):
        publish_version(version=second, by=steward, seen=seen)


def test_of_two_drafts_the_second_waits_for_the_crosswalk_with_the_first(first, steward):
    one = load(altered(small_content(), "2", C=None))
    other = load(altered(small_content(), "2b", A={"title": {"en": "Counting well"}}))
    confirm_all(other, steward)
    publish(one, steward)
    with pytest.raises(NotPossible, match="Another edition is in force by now"):
        publish_version(version=other, by=steward)
    propose_crosswalk(version=other)
    other.refresh_from_db()
    assert other.previous == one
    assert undecided_lines(other) == 4  # what was confirmed against the edition before is no longer of use
    publish(other, steward)
    assert statuses(first, one, other) == [Status.SUPERSEDED, Status.SUPERSEDED, Status.PUBLISHED]
    assert competency_of(other, "A").lineage == competency_of(first, "A").lineage
    assert competency_of(other, "C").lineage != competency_of(first, "C").lineage  # it was withdrawn in between


def test_parts_left_unfinished_in_the_cms_refuse(first, steward):
    second = load(altered(small_content(), C=None))
    confirm_all(second, steward)
    competency = competency_of(second, "A")
    competency.title = {"en": "Half a thought"}
    competency.save_revision(user=steward)
    with pytest.raises(NotPossible, match="Changes in the CMS are not part of the draft yet: “Counting”"):
        publish_version(version=second, by=steward)
    competency.get_latest_revision().publish(user=steward, skip_permission_checks=True)
    assert publish_version(version=second, by=steward).competencies.get(code="A").title.localize("en") == (
        "Half a thought"
    )


def test_the_framework_is_called_as_its_edition_in_force(first, steward):
    publish(load(replace(altered(small_content(), C=None), title={"en": "National 2"}, publisher="Other")), steward)
    framework = Framework.objects.get()
    assert (str(framework), framework.publisher) == ("National 2", "Other")


# --- A published version never changes ---------------------------------------------------------------------------
def of_version(model, version):
    path = {LevelDescriptor: "competency__version", RoleProfile: "role__version", Requirement: "profile__role__version"}
    return model._default_manager.filter(**{path.get(model, "version"): version}).first()


@pytest.mark.parametrize("model", PARTS)
def test_no_part_of_a_published_version_is_saved_or_deleted(first, model):
    part = of_version(model, first)
    before = content_of(first)
    for attempt in (part.save, part.delete):
        with pytest.raises(VersionIsFrozen, match="National 1” is published and never changes"):
            attempt()
    assert content_of(first) == before


@pytest.mark.parametrize("model", PARTS)
def test_nor_of_a_superseded_one_while_parts_of_a_draft_are(first, steward, model):
    second = publish(load(altered(small_content(), B={"title": {"en": "Asking well"}})), steward)
    draft = draft_next_edition(version=second, edition="3", by=steward)
    with pytest.raises(VersionIsFrozen):
        of_version(model, first).save()
    part = of_version(model, draft)
    part.save()
    part.delete()
    assert not model._default_manager.filter(pk=part.pk).exists()


def test_nothing_is_added_to_a_published_version(first):
    with pytest.raises(VersionIsFrozen):
        Competency.objects.create(version=first, code="Z", title={"en": "Late"})
    with pytest.raises(VersionIsFrozen):
        Requirement.objects.create(profile=profile_of(first, "junior-clerk"), competency=competency_of(first, "B"))


def test_who_opened_a_part_while_it_was_a_draft_cannot_save_it_after_publishing(first, steward):
    second = load(altered(small_content(), C=None))
    opened = Competency.objects.select_related("version").get(version=second, code="A")
    publish(second, steward)
    assert opened.version.is_draft  # what she has in hand is out of date
    opened.title = {"en": "Too late"}
    with pytest.raises(VersionIsFrozen):
        opened.save()


def test_a_part_is_not_moved_out_of_a_published_version(first):
    second = load(altered(small_content(), C=None))
    for model in (Competency, Role, Area):
        part = of_version(model, first)
        part.version, part.code = second, "moved"
        with pytest.raises(VersionIsFrozen):
            part.save()


def test_a_change_in_the_cms_is_refused_as_well(first, steward):
    competency = competency_of(first, "A")
    with pytest.raises(VersionIsFrozen):
        competency.save_revision(user=steward)


# --- The crosswalk -----------------------------------------------------------------------------------------------
def test_the_crosswalk_has_a_line_for_everything_before(first):
    second = load(altered(small_content(), C=None))
    lines = {line.old.code: line for line in second.competency_successions.select_related("old", "new")}
    assert {code: line.new and line.new.code for code, line in lines.items()} == {"A": "A", "B": "B", "C": None}
    assert {code: line.basis for code, line in lines.items()} == {"A": "code", "B": "code", "C": "none"}
    assert second.profile_successions.count() == 2
    assert {line.decision for line in lines.values()} == {SuccessionDecision.PROPOSED}


def test_proposing_again_keeps_what_a_person_has_confirmed_and_proposes_the_rest_anew(first, steward):
    second = load(altered(small_content(), C={"code": "D", "title": {"en": "Cloud"}, "description": {"en": "Bills."}}))
    decide_succession(line=line_of(second, "A"), successor=None, by=steward)
    competency = competency_of(second, "D")
    competency.code, competency.title, competency.description = "D", {"en": "Telex"}, {"en": "Sends telexes."}
    competency.save()
    for _ in range(2):
        propose_crosswalk(version=second)
        lines = {line.old.code: line for line in second.competency_successions.select_related("old", "new")}
        assert {code: (line.new and line.new.code, line.basis) for code, line in lines.items()} == {
            "A": (None, SuccessionBasis.PERSON),
            "B": ("B", SuccessionBasis.CODE),
            "C": ("D", SuccessionBasis.WORDING),
        }
        assert (lines["A"].decided_by, lines["C"].decided_by) == (steward, None)


def test_a_person_s_word_goes_before_a_proposal_and_not_before_another_word(first, steward):
    second = load(altered(small_content(), C=None))
    successor = competency_of(second, "B")
    line = decide_succession(line=line_of(second, "C"), successor=successor, by=steward)
    assert (line.new, line.basis, line.decided_by) == (successor, SuccessionBasis.PERSON, steward)
    rival = line_of(second, "B")
    assert (rival.new, rival.basis, rival.decision) == (None, SuccessionBasis.NONE, SuccessionDecision.PROPOSED)
    with pytest.raises(NotPossible, match="“Asking” follows on “Telex” already"):
        decide_succession(line=rival, successor=successor, by=steward)
    assert difference_of(second).withdrawn == ("B",)


def test_confirming_what_was_proposed_keeps_its_ground(first, steward):
    second = load(altered(small_content(), C=None))
    line = line_of(second, "A")
    decided = decide_succession(line=line, successor=line.new, by=steward)
    assert (decided.basis, decided.similarity) == (SuccessionBasis.CODE, 100)


def test_a_successor_is_of_the_draft_and_of_the_same_sort(first, steward):
    second = load(altered(small_content(), C=None))
    with pytest.raises(NotPossible, match="is not part of this draft"):
        decide_succession(line=line_of(second, "C"), successor=competency_of(first, "B"), by=steward)
    with pytest.raises(NotPossible, match="is not part of this draft"):
        decide_succession(line=line_of(second, "C"), successor=profile_of(second, "junior-clerk"), by=steward)


def test_the_crosswalk_of_a_published_edition_stands(first, steward):
    second = publish(load(altered(small_content(), C=None)), steward)
    for attempt in (
        lambda: propose_crosswalk(version=second),
        lambda: confirm_certain(version=second, by=steward),
        lambda: decide_succession(line=line_of(second, "A"), successor=None, by=steward),
    ):
        with pytest.raises(NotPossible, match="is published and never changes"):
            attempt()


def test_what_is_supposed_is_what_publishing_brings(first, steward):
    second = load(altered(small_content(), A={"code": "A9"}, C=None))
    confirm_all(second, steward)
    supposed = supposing_published(second)
    assert supposed.lineages == {
        competency_of(second, new).pk: competency_of(first, old).lineage for old, new in {"A": "A9", "B": "B"}.items()
    }
    publish_version(version=second, by=steward)
    assert supposed.lineages == dict(second.competencies.values_list("pk", "lineage"))
    assert supposed.profiles == {
        profile_of(first, code).pk: profile_of(second, code).pk for code in ("junior-clerk", "senior-clerk")
    }


def test_the_first_edition_differs_from_nothing(first):
    assert difference_of(first).is_empty


def test_a_crosswalk_is_proposed_with_as_many_queries_for_many_as_for_few(steward, count_queries):
    counts = []
    for slug, size in (("few", 3), ("many", 60)):
        content = small_content(
            slug,
            competencies=tuple(CompetencyContent(f"S{n}", {"en": f"Skill {n}"}) for n in range(size)),
            roles=(),
            links=(),
        )
        load(content)
        draft = load_framework(content=altered(content, S0=None)).version
        counts.append(count_queries(lambda: propose_crosswalk(version=draft)))  # noqa: B023
        confirm_all(draft, steward)
        counts.append(count_queries(lambda: publish_version(version=draft, by=steward)))  # noqa: B023
    assert counts[:2] == counts[2:]


# --- Drafts ------------------------------------------------------------------------------------------------------
def test_a_draft_of_the_next_edition_holds_everything(first, steward):
    draft = draft_next_edition(version=first, edition=" 2.0 ", by=steward)
    assert (draft.edition, draft.status, draft.previous) == ("2.0", Status.DRAFT, first)
    assert content_of(draft) == replace(content_of(first), edition="2.0")
    assert difference_of(draft).is_empty
    assert confirm_certain(version=draft, by=steward) == undecided_lines(first) + 5
    publish_version(version=draft, by=steward)
    assert set(draft.competencies.values_list("lineage")) == set(first.competencies.values_list("lineage"))


def test_an_older_edition_can_be_taken_up_again(first, steward):
    second = publish(load(altered(small_content(), C=None)), steward)
    third = draft_next_edition(version=first, edition="3", by=steward)
    assert third.previous == second
    assert difference_of(third).added == ("C",)


@pytest.mark.parametrize(
    ("edition", "sentence"),
    [
        ("1", "has an edition “1” already"),
        (" ", "Give the edition a name"),
        ("x" * 61, "at most 60 fit"),
        ("\0", "U\\+0000"),
    ],
)
def test_an_edition_s_name_that_cannot_be(first, steward, edition, sentence):
    with pytest.raises(NotPossible, match=sentence):
        edition_name(first.framework, edition)
    with pytest.raises(NotPossible, match=sentence):
        draft_next_edition(version=first, edition=edition, by=steward)
    assert first.framework.versions.count() == 1


def test_a_discarded_draft_is_gone_with_everything_in_it_and_nothing_else(first, steward, count_rows):
    before = count_rows()
    draft = draft_next_edition(version=first, edition="2", by=steward)
    competency_of(draft, "A").save_revision(user=steward)
    discard_draft(version=draft, by=steward)
    discard_draft(version=draft, by=steward)
    assert count_rows() == before
    assert statuses(first) == [Status.PUBLISHED]
    assert ModelLogEntry.objects.filter(action="competencies.discard_draft").count() == 1


def test_what_is_published_or_leaned_on_is_not_discarded(first, steward):
    with pytest.raises(NotPossible, match="Only a draft can be discarded"):
        discard_draft(version=first, by=steward)
    draft = draft_next_edition(version=first, edition="2", by=steward)
    # No door records evidence for a draft; a row that is there all the same is not lost.
    Evidence.objects.bulk_create(
        [
            Evidence(
                person=make_person(),
                competency=competency_of(draft, "A"),
                kind=EvidenceKind.SELF,
                rank=2,
                occurred_on=timezone.localdate(),
                source_key="past-the-doors",
            )
        ]
    )
    with transaction.atomic(), pytest.raises(NotPossible, match="Something leans on this draft"):
        discard_draft(version=draft, by=steward)
    assert draft.competencies.count() == 3


def test_a_framework_goes_with_its_only_draft(steward):
    draft = load_framework(content=small_content(), publish=False).version
    discard_draft(version=draft, by=steward)
    assert not Framework.objects.exists()


@pytest.fixture
def count_rows():
    from django.apps import apps

    models = [*apps.get_app_config("competencies").get_models(), apps.get_model("wagtailcore", "Revision")]
    return lambda: {model.__name__: model._default_manager.count() for model in models}


# --- Extensions --------------------------------------------------------------------------------------------------
def local_content(**change):
    content = small_content(
        "ours",
        levels=(),
        areas=(),
        families=(),
        competencies=(CompetencyContent("L1", {"en": "Local law"}, area="area", parent="B"),),
        roles=(
            RoleContent(
                "registrar",
                {"en": "Registrar"},
                family="family",
                profiles=(
                    ProfileContent(
                        "registrar",
                        requirements=(RequirementContent("L1", None), RequirementContent("A", 4)),
                        builds_on="junior-clerk",
                    ),
                ),
            ),
        ),
        links=(),
        extends=("national", "1"),
    )
    return replace(content, **change)


@pytest.fixture
def extension(first):
    return load(local_content())


def test_an_extension_is_an_empty_draft_that_adds_to_a_published_framework(first, steward, count_rows):
    before = content_of(first)
    rows = count_rows()
    draft = draft_extension(base=first, slug="ours", title={"en": "Ours"}, publisher="Us", edition="1", by=steward)
    assert (draft.extends, draft.status, draft.languages, draft.previous) == (first, Status.DRAFT, ["en", "es"], None)
    assert content_of(first) == before
    now = count_rows()
    assert {name for name in rows if now[name] != rows[name]} == {"Framework", "FrameworkVersion"}


def test_a_role_without_a_profile_is_not_published_because_nobody_could_have_it(first, steward):
    draft = draft_extension(base=first, slug="ours", title={"en": "Ours"}, publisher="Us", edition="1", by=steward)
    role = Role.objects.create(version=draft, code="porter", title={"en": "Porter"})
    Competency.objects.create(version=draft, code="L", title={"en": "Local"})
    draft = propose_crosswalk(version=draft)
    [objection] = objections_to_publishing(draft)
    assert "1 role has no profile" in objection
    assert "“Porter”" in objection
    with pytest.raises(NotPossible, match="Porter"):
        publish_version(version=draft, by=steward)
    RoleProfile.objects.create(role=role, code="porter")
    assert objections_to_publishing(draft) == []
    assert publish_version(version=draft, by=steward).is_published


def test_what_cannot_be_extended_or_named_so(first, extension, steward):
    draft = draft_next_edition(version=first, edition="2", by=steward)
    for base, slug, sentence in (
        (draft, "mine", "Only a published framework can be extended"),
        (extension, "mine", "is an extension itself"),
        (first, "ours", "has the short name “ours” already"),
    ):
        with pytest.raises(NotPossible, match=sentence):
            draft_extension(base=base, slug=slug, title={"en": "M"}, publisher="", edition="1", by=steward)
    assert not Framework.objects.filter(slug="mine").exists()


def test_an_extension_adds_and_leaves_the_national_framework_byte_for_byte(first):
    rows = {model.__name__: list(model._default_manager.order_by("pk").values()) for model in PARTS}
    before = content_of(first)
    extension = load(local_content())
    assert content_of(first) == before
    assert content_of(first).digest == before.digest == small_content().digest
    for model in PARTS:
        kept = list(
            model._default_manager.filter(pk__in=[row["id"] for row in rows[model.__name__]]).order_by("pk").values()
        )
        assert kept == rows[model.__name__]
    own = competency_of(extension, "L1")
    assert (own.area.version, own.parent.version) == (first, first)
    assert extension.roles.get().family.version == first
    registrar = profile_of(extension, "registrar")
    assert registrar.builds_on == profile_of(first, "junior-clerk")
    needs = {
        r.competency.code: (r.competency.version, r.level and r.level.version) for r in registrar.requirements.all()
    }
    assert needs == {"L1": (extension, None), "A": (first, first)}


def test_what_was_loaded_of_an_extension_is_what_is_read_of_it(extension):
    assert content_of(extension) == local_content()
    assert content_of(extension).digest == local_content().digest
    again = load_framework(content=local_content())
    assert (again.version, again.created) == (extension, False)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"competencies": (CompetencyContent("A", {"en": "Our counting"}),), "roles": ()}, "A"),
        ({"roles": (RoleContent("clerk", {"en": "Our clerk"}),)}, "clerk"),
    ],
)
def test_codes_of_the_national_framework_are_refused(first, change, place):
    with pytest.raises(CannotImport, match=f"{place}: The extended framework has this code already"):
        load_framework(content=local_content(**change))
    assert not Framework.objects.filter(slug="ours").exists()


@pytest.mark.parametrize("extends", [("national", "9"), ("nowhere", "1")])
def test_what_is_extended_must_be_there(first, extends):
    with pytest.raises(CannotImport, match="is not published here"):
        load_framework(content=local_content(extends=extends))
    assert not Framework.objects.filter(slug="ours").exists()


def test_a_draft_is_not_extended(first, steward):
    draft_next_edition(version=first, edition="2", by=steward)
    with pytest.raises(CannotImport, match="is not published here"):
        load_framework(content=local_content(extends=("national", "2")))


def test_the_next_edition_of_an_extension_extends_the_same_and_says_what_differs(first, extension, steward):
    draft = draft_next_edition(version=extension, edition="2", by=steward)
    assert (draft.extends, draft.previous) == (first, extension)
    assert difference_of(draft).is_empty
    requirement = profile_of(draft, "registrar").requirements.get(competency__code="A")
    requirement.level = first.levels.get(rank=3)
    requirement.save()
    [change] = difference_of(draft).profiles_changed
    assert [(c.kind, c.competency, c.before, c.after) for c in change.requirements] == [("lowered", "A", "4", "3")]
    publish(draft, steward)
    assert statuses(first, extension, draft) == [Status.PUBLISHED, Status.SUPERSEDED, Status.PUBLISHED]


def test_an_extension_outlives_the_edition_it_was_made_for(first, extension, steward):
    publish(load(altered(small_content(), B={"title": {"en": "Asking well"}})), steward)
    assert content_of(extension) == local_content()
    assert publish(draft_next_edition(version=extension, edition="2", by=steward), steward).extends == first


def test_every_verb_that_is_logged_is_known_to_the_log():
    import re
    from pathlib import Path

    from wagtail.log_actions import registry

    root = Path(__file__).resolve().parents[2]
    used = {
        action
        for app in ("organisations", "competencies", "courses", "learning", "certificates")
        for path in (root / app).rglob("*.py")
        for action in re.findall(r"""\blog\([^)]*?action="([a-z_.]+)\"""", path.read_text())
    }
    assert "competencies.discard_draft" in used
    assert all(registry.action_exists(action) for action in used)
