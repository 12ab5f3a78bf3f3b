"""Migrations of this floor go forth on data as it was before, and back."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from competencies.models import Competency, Role
from competencies.models.framework import version_uuid

BEFORE = [("competencies", "0001_initial")]


def migrate(targets):
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


@pytest.fixture
def newest() -> Iterator[list[tuple[str, str]]]:
    """Every app at its newest migration, before and after the test."""
    targets = MigrationExecutor(connection).loader.graph.leaf_nodes()
    yield targets
    migrate(targets)


def old_data(apps):
    """A framework with two published editions and a draft, as was possible; one competency and role in each."""

    def model(name):
        return apps.get_model("competencies", name)

    framework = model("Framework").objects.create(slug="house", title={"en": "House", "es": "Casa"}, publisher="Us")
    for edition, status in (("1", "published"), ("2", "published"), ("3", "draft")):
        version = model("FrameworkVersion").objects.create(
            framework=framework, edition=edition, status=status, content_digest=f"digest {edition}", languages=["en"]
        )
        competency = model("Competency").objects.create(
            version=version,
            code="A-1",
            kind="skill",
            title={"en": "Counting", "es": "Evaluación"},
            description={"en": "Counts  what is there."},
        )
        role = model("Role").objects.create(
            version=version, code="ciso", title={"en": "Chief", "es": "Jefa"}, key_post="CISO"
        )
        profile = model("RoleProfile").objects.create(role=role, code="ciso")
        model("Requirement").objects.create(profile=profile, competency=competency, importance=5)


@pytest.mark.django_db(transaction=True)
def test_editions_are_filled_forth_on_old_data_and_back(newest):
    old_data(migrate(BEFORE))
    apps = migrate(newest)
    versions = list(apps.get_model("competencies", "FrameworkVersion").objects.order_by("edition"))
    assert [(v.edition, v.status, v.superseded_at is not None) for v in versions] == [
        ("1", "superseded", True),
        ("2", "published", False),
        ("3", "draft", False),
    ]
    assert [v.uuid for v in versions] == [version_uuid("house", edition) for edition in "123"]
    assert {(str(v.title), v.publisher) for v in versions} == {("House", "Us")}
    competencies = list(apps.get_model("competencies", "Competency").objects.all())
    profiles = list(apps.get_model("competencies", "RoleProfile").objects.all())
    assert len({row.lineage for row in competencies}) == len({row.lineage for row in profiles}) == 3
    assert {row.search_text for row in competencies} == {"a-1 counting evaluacion counts what is there."}
    roles = apps.get_model("competencies", "Role").objects.all()
    assert {row.search_text for row in roles} == {"ciso chief jefa ciso"}
    requirements = apps.get_model("competencies", "Requirement").objects.all()
    assert {row.necessity for row in requirements} == {"required"}
    # What the migration laid down is what the models lay down.
    for model in (Competency, Role):
        assert all(row.search_text == row.searchable() for row in model.objects.all())
    apps = migrate(BEFORE)
    rows = apps.get_model("competencies", "Competency").objects.order_by("pk")
    assert [(row.code, row.title.data["es"]) for row in rows] == [("A-1", "Evaluación")] * 3
    assert apps.get_model("competencies", "Requirement").objects.count() == 3
