"""Frameworks to take away: published ones by everybody, drafts by stewards, each in three forms."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.contrib.auth.models import Group

from competencies import importers
from competencies.enums import FrameworkStatus
from competencies.importers.content import FrameworkContent
from competencies.loading import content_of, load_framework
from competencies.management.commands.load_starter_framework import STARTER_FRAMEWORK
from competencies.models import FrameworkVersion
from competencies.perms import STEWARDS
from tests.builders import make_framework, make_person, make_profile

pytestmark = pytest.mark.django_db
KINDS = ("xlsx", "zip", "json")


@pytest.fixture
def starter() -> FrameworkVersion:
    return load_framework(content=importers.read(STARTER_FRAMEWORK)).version


def url_of(version: FrameworkVersion, kind: str) -> str:
    return f"/frameworks/{version.framework.slug}/download/{version.pk}.{kind}"


def read_again(raw: bytes, name: str, tmp_path: Path) -> FrameworkContent:
    path = tmp_path / name
    path.write_bytes(raw)
    if not name.endswith(".zip"):
        return importers.read(path)
    folder = tmp_path / "files"
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        archive.extractall(folder)
    return importers.read(folder)


@pytest.mark.parametrize("kind", ["xlsx", "zip"])
def test_what_is_downloaded_is_the_framework_when_it_is_read_again(client, starter, kind, tmp_path):
    response = client.get(url_of(starter, kind))
    assert response.status_code == 200
    assert response["Content-Disposition"] == (
        f'attachment; filename="{starter.framework.slug}-{starter.edition.replace(".", "")}.{kind}"'
    )
    assert read_again(response.content, f"x.{kind}", tmp_path).digest == content_of(starter).digest


def test_the_case_download_is_the_package_that_is_served(client, starter):
    response = client.get(url_of(starter, "json"))
    assert response["Content-Type"] == "application/json"
    assert response["Content-Disposition"].endswith('.case.json"')
    served = client.get(f"/ims/case/v1p1/CFPackages/{starter.uuid}")
    assert json.loads(response.content) == served.json()


@pytest.mark.parametrize("kind", KINDS)
def test_a_draft_is_for_stewards_alone(client, kind):
    draft = make_framework("new", status=FrameworkStatus.DRAFT)
    url = url_of(draft, kind)
    assert client.get(url).status_code == 404
    person = make_person()
    client.force_login(person)
    assert client.get(url).status_code == 404
    person.groups.add(Group.objects.get(name=STEWARDS))
    assert client.get(url).status_code == 200


def test_a_superseded_edition_can_still_be_taken_away(client, starter):
    FrameworkVersion.objects.filter(pk=starter.pk).update(status=FrameworkStatus.SUPERSEDED)
    assert client.get(url_of(starter, "xlsx")).status_code == 200


def test_addresses_that_do_not_fit_lead_nowhere(client, starter):
    other = make_framework("other")
    for url in (
        f"/frameworks/{starter.framework.slug}/download/{other.pk}.xlsx",
        f"/frameworks/{starter.framework.slug}/download/{starter.pk}.exe",
        f"/frameworks/{starter.framework.slug}/download/999999.xlsx",
    ):
        assert client.get(url).status_code == 404


def test_the_name_of_the_file_is_harmless_whatever_the_edition_is_called(client):
    version = make_framework("named")
    FrameworkVersion.objects.filter(pk=version.pk).update(edition='x"; y/../"\r\nz ñ')
    name = client.get(url_of(version, "zip"))["Content-Disposition"]
    assert name == 'attachment; filename="named-x-y-z-n.zip"'


@pytest.mark.parametrize("kind", KINDS)
def test_a_download_costs_the_same_for_a_large_framework_as_for_a_small_one(client, count_queries, kind):
    small, large = make_framework("small", codes="A"), make_framework("large", codes="ABCDEFGHIJKL")
    make_profile(small, {"A": 2})
    for _n in range(5):
        make_profile(large, dict.fromkeys("ABCDEFGHIJKL", 3))
    counts = [count_queries(lambda v=v: client.get(url_of(v, kind))) for v in (small, large)]
    assert counts[0] == counts[1] <= 15
    assert count_queries(lambda: client.get(url_of(large, kind))) <= 3  # written once
