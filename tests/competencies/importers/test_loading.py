from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from i18nfield.strings import LazyI18nString
from wagtail.models import ModelLogEntry

from competencies import importers
from competencies.enums import FrameworkStatus
from competencies.importers import CannotImport, content
from competencies.loading import Loaded, content_of, load_framework
from competencies.models import (
    Area,
    Competency,
    CompetencyLink,
    Framework,
    FrameworkVersion,
    LevelDescriptor,
    Requirement,
    Role,
    RoleFamily,
    RoleProfile,
)

from .builders import platform_document, write_json

pytestmark = pytest.mark.django_db
SMALLEST_BATCH = 999 // 24  # what SQLite takes of the widest row here


@pytest.fixture
def sample(tmp_path):
    return importers.read(write_json(tmp_path / "sample.json", platform_document()))


def test_a_framework_is_stored_as_it_was_read(sample):
    loaded = load_framework(content=sample)
    version = loaded.version
    assert loaded.created
    assert (version.edition, version.status, version.languages) == ("1", FrameworkStatus.PUBLISHED, ["en", "es"])
    assert (version.published_at, version.content_digest) == (version.imported_at, sample.digest)
    assert version.framework.title == LazyI18nString({"en": "Sample", "es": "Muestra"})
    competency = version.competencies.get()
    assert (competency.code, competency.area.code, competency.kind, competency.position) == ("A1", "A", "competency", 1)
    assert competency.title == LazyI18nString({"en": "Counting", "es": "Contar"})
    assert competency.example == LazyI18nString("")
    descriptor = competency.descriptors.get()
    assert (descriptor.level.rank, descriptor.text.localize("es")) == (1, "Puedo contar.")
    requirement = Requirement.objects.get(profile__role__version=version)
    assert (requirement.competency, requirement.level, requirement.importance) == (competency, descriptor.level, 4)
    assert (requirement.profile.code, requirement.profile.role.code, requirement.profile.role.family.code) == (
        "clerk",
        "clerk",
        "f",
    )


def test_loading_twice_writes_nothing(sample, row_counts):
    first = load_framework(content=sample)
    before = row_counts()
    again = load_framework(content=sample)
    assert (again.version, again.created) == (first.version, False)
    assert row_counts() == before


def test_loading_is_logged(sample, django_user_model):
    officer = django_user_model.objects.create_user(email="hr@example.org", password="a long enough password")
    version = load_framework(content=sample, by=officer).version
    entry = ModelLogEntry.objects.get(action="competencies.import_framework")
    assert (entry.object_id, entry.user) == (str(version.pk), officer)
    assert entry.data["edition"] == "1"


def test_a_draft_is_not_published(sample):
    version = load_framework(content=sample, publish=False).version
    assert (version.status, version.published_at) == (FrameworkStatus.DRAFT, None)


def test_an_edition_with_other_content_is_refused_and_nothing_is_written(sample, row_counts):
    load_framework(content=sample)
    before = row_counts()
    changed = replace(sample, publisher="Somebody else")
    with pytest.raises(CannotImport, match="edition 1: This edition of “Sample” is there already with other content"):
        load_framework(content=changed)
    assert row_counts() == before
    assert load_framework(content=changed, edition="1b").created


def test_the_same_content_under_another_edition_is_the_one_that_is_there(sample, row_counts):
    first = load_framework(content=sample)
    before = row_counts()
    again = load_framework(content=sample, edition="2")
    assert (again.version, again.created, again.version.edition) == (first.version, False, "1")
    assert row_counts() == before


def test_a_newer_edition_waits_as_a_draft_beside_the_one_in_force(sample):
    older = load_framework(content=sample).version
    newer = load_framework(content=replace(sample, edition="2", publisher="Us")).version
    older.refresh_from_db()
    assert (older.status, newer.status) == (FrameworkStatus.PUBLISHED, FrameworkStatus.DRAFT)
    assert newer.previous == older
    assert older.framework == newer.framework
    assert older.competencies.get() != newer.competencies.get()


def test_a_source_without_an_edition_is_named_after_the_day_it_is_loaded(sample):
    nameless = replace(sample, edition=None)
    day = timezone.localdate().isoformat()
    first = load_framework(content=nameless).version
    assert first.edition == day
    assert load_framework(content=nameless) == Loaded(first, created=False, counts=sample.counts)
    other = load_framework(content=replace(nameless, publisher="Others")).version
    assert other.edition == f"{day} (2)"
    FrameworkVersion.objects.filter(pk=first.pk).update(edition="1999-01-01")  # loaded long ago
    assert load_framework(content=nameless).version == first


@pytest.mark.parametrize("edition", ["", " ", "x" * 61, "\0"])
def test_an_edition_that_cannot_be_stored_is_refused(sample, edition):
    with pytest.raises(CannotImport, match="edition: "):
        load_framework(content=sample, edition=edition)
    assert not Framework.objects.exists()


def test_a_failure_half_way_leaves_nothing(sample, monkeypatch, row_counts):
    before = row_counts()

    def fail(*args, **kwargs):
        raise RuntimeError("the power failed")

    monkeypatch.setattr("competencies.loading._store_roles", fail)
    with pytest.raises(RuntimeError):
        load_framework(content=sample)
    assert row_counts() == before


def test_the_real_nice_framework_is_stored_whole_and_once(nice_folder, row_counts):
    nice = importers.read(nice_folder)
    version = load_framework(content=nice).version
    assert version.edition == "2.1.0"
    rows = row_counts()
    expected = {"Area": 11, "RoleFamily": 5, "Competency": 2148, "Role": 41, "RoleProfile": 41, "Requirement": 5334}
    assert {name: rows[name] for name in expected} == expected
    leadership = Role.objects.get(code="OG-WRL-007")
    assert leadership.external_codes == {"opm": ["901"]}
    kinds = list(leadership.profiles.get().requirements.values_list("competency__kind", flat=True))
    assert [kinds.count(kind) for kind in ("task", "knowledge", "skill")] == [37, 45, 18]
    assert not Requirement.objects.exclude(level=None).exists()
    assert not load_framework(content=importers.read(nice_folder)).created
    assert row_counts() == rows


def test_the_real_ddat_framework_is_stored_whole_and_once(ddat_folder, row_counts):
    ddat = importers.read(ddat_folder)
    version = load_framework(content=ddat).version
    assert version.edition == timezone.localdate().isoformat()
    rows = row_counts()
    expected = {
        "ProficiencyLevel": 4,
        "RoleFamily": 8,
        "Competency": 188,
        "LevelDescriptor": 604,
        "Role": 52,
        "RoleProfile": 205,
        "Requirement": 1809,
    }
    assert {name: rows[name] for name in expected} == expected
    chiefs = RoleProfile.objects.filter(role__key_post__in=["CISO", "CTO", "CDIO", "CDO"])
    assert [str(profile.grade) for profile in chiefs] == [""] * 4
    required = Requirement.objects.filter(profile__in=chiefs)
    assert (required.count(), required.exclude(level=None).count()) == (28, 0)
    assert Requirement.objects.filter(level=None).count() == 28
    assert not load_framework(content=importers.read(ddat_folder)).created
    assert row_counts() == rows


def queries_of(content):
    with CaptureQueriesContext(connection) as queries:
        load_framework(content=content)
    return len(queries)


@pytest.mark.parametrize(
    "name",
    ["nice-2.1.0", "ddat-2025-09", "esco-1.2.0-subset", "onet-29.2-subset", "digcomp-3.0",
     "case/packages/smarter-balanced-hs-math.json", "case/packages/webb-dok.json"],
)  # fmt: skip
def test_what_is_stored_is_what_was_read(shared_data, name, count_queries):
    read = importers.read(shared_data / name)
    version = load_framework(content=read).version
    stored = FrameworkVersion.objects.get(pk=version.pk)
    assert content_of(stored).digest == read.digest
    assert count_queries(lambda: content_of(stored)) <= 12


@pytest.mark.parametrize(("folder", "most"), [("nice-2.1.0", 150), ("ddat-2025-09", 50)])
def test_queries_grow_with_batches_and_not_with_rows(shared_data, folder, most):
    whole = importers.read(shared_data / folder)
    roles = whole.roles[: len(whole.roles) // 2]
    half = replace(whole, slug="half", roles=roles)
    fewer_rows = sum(whole.counts[name] - half.counts[name] for name in ("roles", "profiles", "requirements"))
    queries, queries_of_half = queries_of(whole), queries_of(half)
    assert queries <= most
    assert fewer_rows > 800
    assert queries - queries_of_half <= fewer_rows / SMALLEST_BATCH + 3


def test_importers_know_what_the_columns_hold():
    held = {
        (Framework, "slug"): content.MAX_SLUG,
        (Framework, "publisher"): content.MAX_PUBLISHER,
        (FrameworkVersion, "edition"): content.MAX_EDITION,
        (FrameworkVersion, "source"): content.MAX_SOURCE,
        (FrameworkVersion, "source_url"): content.MAX_URL,
        (FrameworkVersion, "licence"): content.MAX_LICENCE,
        (Area, "code"): content.MAX_AREA_CODE,
        (RoleFamily, "code"): content.MAX_AREA_CODE,
        (Competency, "code"): content.MAX_COMPETENCY_CODE,
        (Competency, "identifier"): content.MAX_IDENTIFIER,
        (CompetencyLink, "target_uri"): content.MAX_IDENTIFIER,
        (Role, "code"): content.MAX_ROLE_CODE,
        (Role, "key_post"): content.MAX_KEY_POST,
        (RoleProfile, "code"): content.MAX_PROFILE_CODE,
    }
    assert held == {(model, name): model._meta.get_field(name).max_length for model, name in held}
    assert LevelDescriptor._meta.get_field("text").max_length is None
