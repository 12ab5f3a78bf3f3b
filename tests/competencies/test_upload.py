"""Frameworks that a steward uploads: read in the background, stored as drafts, or refused with every fault and its place."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile

from competencies import uploads
from competencies.enums import FrameworkStatus
from competencies.importers.sources import MAX_FILE_BYTES
from competencies.jobs import IMPORT_JOB
from competencies.management.commands.load_starter_framework import STARTER_FRAMEWORK
from competencies.models import Framework, FrameworkVersion
from competencies.perms import STEWARDS
from organisations import jobs
from organisations.enums import JobState
from organisations.models import Job
from organisations.tasks import run_job_task
from tests.builders import make_framework, make_person

pytestmark = pytest.mark.django_db
URL = "/frameworks/desk/upload/"


@pytest.fixture(autouse=True)
def _private_files(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "private": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "private"), "base_url": None},
        },
    }
    storages._storages = {}
    storages.backends = settings.STORAGES
    yield


@pytest.fixture(autouse=True)
def _waiting(monkeypatch):
    """Jobs wait until the test lets a worker have them."""
    monkeypatch.setattr(run_job_task, "delay", lambda job_id: None)


@pytest.fixture
def steward(client):
    person = make_person("Stella Steward")
    person.groups.add(Group.objects.get(name=STEWARDS))
    client.force_login(person)
    return person


def starter(**changes: Any) -> SimpleUploadedFile:
    document = json.loads(STARTER_FRAMEWORK.read_text())
    document["framework"] |= changes
    return SimpleUploadedFile("our-framework.json", json.dumps(document).encode())


def upload(client, *files, token="", edition=""):
    return client.post(URL, {"upload": files, "edition": edition, "token": token or str(uuid4())})


def work() -> Job:
    job = Job.objects.filter(kind=IMPORT_JOB).latest("pk")
    jobs.run_job(job.pk)
    job.refresh_from_db()
    return job


def kept_files() -> list[Path]:
    root = Path(storages["private"].location)  # type: ignore[attr-defined]
    return [path for path in root.rglob("*") if path.is_file()]


def packed(**files: bytes) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return raw.getvalue()


def text(client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


# --- What goes well ----------------------------------------------------------------------------------------------
def test_an_upload_becomes_a_draft_even_where_it_is_the_first_of_its_framework(client, steward):
    response = upload(client, starter())
    assert "It begins in a moment" in text(client, response.url)
    assert len(kept_files()) == 1
    job = work()
    version = FrameworkVersion.objects.get()
    assert (job.state, job.report["version"], job.report["created"]) == (JobState.DONE, version.pk, True)
    assert version.status == FrameworkStatus.DRAFT
    assert kept_files() == []
    page = text(client, response.url)
    assert f"Loaded as a draft: {version}" in page
    assert f"/frameworks/desk/{version.pk}/" in page
    assert client.get(f"/jobs/{job.pk}/").url == response.url
    assert "Stella Steward" in text(client, f"/frameworks/desk/{version.pk}/")


def test_the_two_files_of_ddat_become_a_draft_with_the_counts_of_their_source(client, steward, shared_data):
    folder = shared_data / "ddat-2025-09"
    files = [SimpleUploadedFile(path.name, path.read_bytes()) for path in sorted(folder.glob("*.csv"))]
    response = upload(client, *files, edition="2025-09")
    job = work()
    version = FrameworkVersion.objects.get(edition="2025-09")
    assert version.status == FrameworkStatus.DRAFT
    assert version.competencies.count() == job.report["counts"]["competencies"] > 100
    page = text(client, response.url)
    assert "Role profiles" in page
    assert f"{len(job.report['deviations'])} deviation" in page
    place, _sentence = job.report["deviations"][0]
    assert place in page


def test_the_files_may_come_in_one_zip_with_folders_in_it(client, steward, shared_data):
    folder = shared_data / "ddat-2025-09"
    files = {f"edition__{path.stem}_csv": path.read_bytes() for path in folder.glob("*.csv")}
    files["__MACOSX__x_csv"] = b"resource fork"
    upload(client, SimpleUploadedFile("ddat.zip", packed(**files)), edition="zipped")
    assert work().report["created"]
    assert FrameworkVersion.objects.get(edition="zipped").competencies.count() > 100


def test_pressing_twice_asks_once_and_keeps_the_files_once(client, steward):
    token = str(uuid4())
    first, second = upload(client, starter(), token=token), upload(client, starter(), token=token)
    assert first.url == second.url
    assert Job.objects.filter(kind=IMPORT_JOB).count() == 1
    assert len(kept_files()) == 1


def test_the_same_content_again_leads_to_the_edition_that_is_there(client, steward):
    upload(client, starter())
    work()
    response = upload(client, starter())
    assert work().report["created"] is False
    assert "It is there already" in text(client, response.url)
    assert FrameworkVersion.objects.count() == 1


def test_a_worker_that_is_killed_after_loading_leaves_one_draft(client, steward):
    upload(client, starter())
    job = Job.objects.get(kind=IMPORT_JOB)
    files = {path: path.read_bytes() for path in kept_files()}
    work()
    for path, raw in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
    Job.objects.filter(pk=job.pk).update(state=JobState.QUEUED)
    work()
    assert FrameworkVersion.objects.count() == 1


def test_every_steward_sees_the_uploads_of_all(client, steward):
    url = upload(client, starter()).url
    other = make_person("Other")
    other.groups.add(Group.objects.get(name=STEWARDS))
    client.force_login(other)
    assert client.get(url).status_code == 200
    assert "our-framework.json" in text(client, "/frameworks/desk/")


# --- What is refused ---------------------------------------------------------------------------------------------
def test_a_broken_file_is_refused_with_every_fault_and_its_place_and_nothing_is_stored(client, steward, shared_data):
    folder = shared_data / "ddat-2025-09"
    files = [
        SimpleUploadedFile(
            path.name, path.read_bytes().replace(b",Working", b",Wroking", 3 * (path.name == "roles.csv"))
        )
        for path in sorted(folder.glob("*.csv"))
    ]
    response = upload(client, *files)
    job = work()
    assert job.state == JobState.DONE
    assert job.report["fault_count"] >= 3
    page = text(client, response.url)
    assert "Nothing was loaded" in page
    for place, _message in job.report["faults"][:3]:
        assert place in page
    assert "roles.csv line" in page or "skills.csv line" in page
    assert not Framework.objects.exists()
    assert kept_files() == []
    assert "Correct the files and upload them again" in text(client, "/frameworks/desk/")


def test_what_is_no_framework_is_refused_without_naming_a_folder_of_the_machine(client, steward):
    response = upload(client, SimpleUploadedFile("letter.txt", b"Dear colleague"))
    work()
    page = text(client, response.url)
    assert "your upload" in page
    assert gettempdir() not in page
    assert "/framework-" not in page


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (packed(a_json=b"{}" * 100, b_csv=b"\0" * 60 * 1024 * 1024), "larger than 50 MB"),
        (packed(**{f"f{n}_csv": b"\0" * 30 * 1024 * 1024 for n in range(4)}), "unpacks to far more"),
        (packed(a_csv=b"\0" * 40 * 1024 * 1024), "unpacks to far more"),
        (packed(**{f"f{n}_csv": b"x" for n in range(101)}), "more than 100 files"),
        (packed(**{f"f{n}_csv": b"" for n in range(1000)}), "more than 100 files"),
        (packed(a__x_csv=b"1", b__x_csv=b"2"), "Two files have this name"),
        (packed(a_csv=b"x" * 1000)[:-30], "damaged or cut off"),
        (packed(), "holds no file"),
        (b"PK\x03\x04 nothing", "damaged or cut off"),
    ],
    ids=["large", "total", "ratio", "many", "very-many", "twins", "cut-off", "empty", "no-zip"],
)
def test_a_hostile_or_broken_zip_is_refused_with_a_sentence(client, steward, raw, sentence):
    response = upload(client, SimpleUploadedFile("edition.zip", raw))
    job = work()
    assert job.state == JobState.DONE
    assert sentence in text(client, response.url)
    assert not FrameworkVersion.objects.exists()
    assert kept_files() == []


def test_a_zip_that_lies_about_its_sizes_does_not_unpack_to_more(client, steward):
    raw = packed(a_csv=b"x" * 1_000_000)
    lying = raw.replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    response = upload(client, SimpleUploadedFile("edition.zip", lying))
    work()
    assert "damaged or cut off" in text(client, response.url)


def test_names_that_lead_elsewhere_stay_in_the_folder(client, steward, tmp_path):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("../../outside.json", STARTER_FRAMEWORK.read_bytes())
    upload(client, SimpleUploadedFile("edition.zip", raw.getvalue()))
    assert work().report["created"]
    assert not list(tmp_path.rglob("outside.json"))


def test_a_file_of_51_mb_is_refused_and_never_kept(client, steward):
    response = upload(client, SimpleUploadedFile("large.json", b" " * (MAX_FILE_BYTES + 1024 * 1024)))
    assert response.status_code == 422
    page = response.content.decode()
    assert "large.json" in page
    assert "larger than 50 MB" in page
    assert not Job.objects.filter(kind=IMPORT_JOB).exists()
    assert kept_files() == []


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"upload": []}, "Choose the file of the framework."),
        ({"upload": [SimpleUploadedFile("e.json", b"")]}, "The file is empty."),
        ({"token": "../../x"}, "Open the page again."),
        ({"edition": "e" * 61}, "at most 60 characters"),
        ({"edition": "a\x1bb"}, "unusable character"),
    ],
)
def test_what_is_missing_or_unusable_gets_a_sentence(client, steward, data, sentence):
    for file in data.get("upload", []):
        file.seek(0)
    response = client.post(URL, {"upload": [starter()], "token": str(uuid4()), "edition": ""} | data)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Job.objects.filter(kind=IMPORT_JOB).exists()


def test_an_edition_that_is_there_with_other_content_is_a_fault(client, steward):
    upload(client, starter(), edition="one")
    work()
    response = upload(client, starter(licence="another"), edition="one")
    work()
    assert "is there already with other content" in text(client, response.url)


def test_the_token_of_the_form_is_checked_although_sizes_are_bounded_first(steward):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(steward)
    assert upload(strict, starter()).status_code == 403
    assert not Job.objects.filter(kind=IMPORT_JOB).exists()


@pytest.mark.parametrize("url", ["/frameworks/desk/", URL, "/frameworks/desk/template.xlsx"])
def test_others_have_no_desk(client, url):
    client.force_login(make_person())
    assert client.get(url).status_code == 403
    assert upload(client, starter()).status_code == 403


def test_uploads_that_nobody_read_are_cleared_after_days(client, steward, monkeypatch):
    [lost] = uploads.keep([starter()])
    [young] = uploads.keep([starter()])
    old = storages["private"].path(lost.key)
    import os

    os.utime(old, (1, 1))
    upload(client, starter())
    work()
    assert [path.parent.name for path in kept_files()] == [young.key.split("/")[1]]


# --- The desk ----------------------------------------------------------------------------------------------------
def test_the_desk_says_what_to_do_next(client, steward):
    assert "Upload a framework" in text(client, "/frameworks/desk/")
    make_framework("in-force")
    assert "Upload the next edition" in text(client, "/frameworks/desk/")
    draft = make_framework("new", status=FrameworkStatus.DRAFT)
    assert f"Look through the draft “{FrameworkVersion.objects.get(pk=draft.pk)}”" in text(client, "/frameworks/desk/")


def test_the_desk_costs_the_same_for_many_frameworks_as_for_one(client, steward, count_queries):
    draft = make_framework("a", status=FrameworkStatus.DRAFT)
    few = count_queries(lambda: client.get("/frameworks/desk/"))
    one = count_queries(lambda: client.get(f"/frameworks/desk/{draft.pk}/"))
    for n in range(5):
        make_framework(f"f{n}", codes="ABCDEFGH")
        make_framework(f"d{n}", status=FrameworkStatus.DRAFT)
        upload(client, starter(), edition=str(n))
    large = make_framework("b", codes="ABCDEFGH", status=FrameworkStatus.DRAFT)
    assert count_queries(lambda: client.get("/frameworks/desk/")) == few <= 12
    assert count_queries(lambda: client.get(f"/frameworks/desk/{large.pk}/")) == one <= 15


def test_the_empty_template_can_be_uploaded_when_it_is_filled_in(client, steward):
    response = client.get("/frameworks/desk/template.xlsx")
    assert response["Content-Disposition"] == 'attachment; filename="framework-template.xlsx"'
    upload(client, SimpleUploadedFile("ours.xlsx", response.content))
    job = work()
    assert "version" in job.report or job.report["faults"]


def test_the_navigation_shows_the_desk_to_stewards_alone(client, steward):
    link = 'href="/frameworks/desk/"'
    assert link in text(client, "/roles/")
    client.force_login(make_person())
    assert link not in text(client, "/roles/")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("roles.xlsx", "roles.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\.hidden.csv", "hidden.csv"),
        ("x" * 300 + ".xlsx", "x" * 195 + ".xlsx"),
        ("ñ" * 300 + ".csv", "ñ" * 98 + ".csv"),
        ("🦉" * 100 + ".json", "🦉" * 48 + ".json"),
        ("a." + "x" * 300, "a." + "x" * 198),
        ("\ud800.csv", "file.csv"),
        ("a\x00b.csv", "ab.csv"),
        ("...", "file"),
        ("", "file"),
    ],
)
def test_a_name_is_one_the_disk_takes_and_keeps_its_ending(given, kept, tmp_path):
    assert uploads.file_name(given) == kept
    (tmp_path / uploads.file_name(given)).write_bytes(b"")


def test_a_file_with_a_very_long_name_is_read_like_any_other():
    name = "Competencias " + "ñ" * 200 + ".csv"
    kept = [uploads.Kept(uploads.private().save("framework-uploads/long/001", ContentFile(b"a;b")), name)]
    with uploads.unpacked(kept) as folder:
        [file] = folder.iterdir()
        assert file.suffix == ".csv"
        assert file.read_bytes() == b"a;b"
