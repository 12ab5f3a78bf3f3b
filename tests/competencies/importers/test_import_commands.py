from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from competencies.enums import FrameworkStatus
from competencies.management.commands import load_starter_framework
from competencies.models import FrameworkVersion

from .builders import platform_document, write_json

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def sample(tmp_path):
    return write_json(tmp_path / "sample.json", platform_document())


def test_it_prints_counts_and_says_what_was_written(sample):
    printed = run("import_framework", sample)
    assert "sample · 1" in printed
    assert "  Levels                         2\n" in printed
    assert printed.endswith("Imported “sample” as edition 1.\n")
    assert run("import_framework", sample).endswith(
        "This content is there already as edition 1. Nothing was written.\n"
    )


def test_a_dry_run_reads_everything_and_writes_nothing(sample, row_counts):
    before = row_counts()
    assert run("import_framework", sample, "--dry-run").endswith(
        "Dry run: it can be imported as edition 1. Nothing was written.\n"
    )
    assert row_counts() == before


def test_a_dry_run_finds_conflicts(sample, tmp_path):
    run("import_framework", sample)
    document = platform_document()
    document["framework"]["publisher"] = "Somebody else"
    with pytest.raises(CommandError, match="edition 1: This edition of “Sample” is there already with other content"):
        run("import_framework", write_json(tmp_path / "other.json", document), "--dry-run")


def test_an_edition_can_be_named(sample):
    assert "Imported “sample” as edition 2024." in run("import_framework", sample, "--edition", "2024")
    assert "there already as edition 2024" in run("import_framework", sample)


def test_json_is_one_object(sample):
    printed = json.loads(run("import_framework", sample, "--json"))
    digest = printed.pop("digest")
    assert len(digest) == 64
    assert printed["counts"]["competencies"] == 1
    assert {
        key: printed[key] for key in ("framework", "edition", "created", "already_there", "dry_run", "deviations")
    } == {
        "framework": "sample",
        "edition": "1",
        "created": True,
        "already_there": False,
        "dry_run": False,
        "deviations": [],
    }
    again = json.loads(run("import_framework", sample, "--json", "--dry-run"))
    assert (again["created"], again["already_there"], again["dry_run"]) == (False, True, True)


def test_faults_are_printed_one_on_a_line_and_counted(tmp_path, row_counts):
    before = row_counts()
    document = platform_document()
    document["roles"][0]["requirements"] *= 61
    path = write_json(tmp_path / "broken.json", document)
    with pytest.raises(CommandError) as caught:
        run("import_framework", path)
    lines = str(caught.value).splitlines()
    assert caught.value.returncode == 1
    assert lines[0] == "Nothing was imported, there are 60 faults:"
    assert lines[1].startswith("$.roles[0].requirements[1].competency: “A1” is required here already.")
    assert (len(lines), lines[-1]) == (52, "… and 10 more")
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("import_framework", path, "--json", stdout=out)
    printed = json.loads(out.getvalue())
    assert (printed["created"], printed["fault_count"], len(printed["faults"])) == (False, 60, 50)
    assert row_counts() == before


def test_only_the_first_deviations_are_printed(tmp_path):
    document = platform_document()
    document["areas"] = [{"code": f"A{number or ''}", "title": {"en": "Area"}} for number in range(25)]
    printed = run("import_framework", write_json(tmp_path / "sample.json", document))
    assert "25 deviations:" in printed
    assert printed.count("Not in every language") == 20
    assert "… and 5 more" in printed


def test_the_starter_framework_is_loaded_once(row_counts):
    assert run("load_starter_framework") == "Loaded “public-digital-talent”, edition 1.0.\n"
    rows = row_counts()
    assert (rows["Competency"], rows["Role"], rows["LevelDescriptor"]) == (29, 10, 145)
    assert "is there already. Nothing was written." in run("load_starter_framework")
    assert row_counts() == rows


def test_a_starter_framework_that_somebody_changed_is_left_alone(row_counts, tmp_path, monkeypatch):
    run("load_starter_framework")
    before = row_counts()
    shipped = json.loads(load_starter_framework.STARTER_FRAMEWORK.read_text(encoding="utf-8"))
    shipped["framework"]["publisher"] = "The next release"
    monkeypatch.setattr(load_starter_framework, "STARTER_FRAMEWORK", write_json(tmp_path / "next.json", shipped))
    assert "with other content than the one that ships. It was left as it is." in run("load_starter_framework")
    assert row_counts() == before
    assert FrameworkVersion.objects.get().framework.publisher != "The next release"


def second_edition(tmp_path, **competency):
    """The sample with another competency in edition 2."""
    document = platform_document()
    document["framework"]["edition"] = "2"
    document["competencies"][0] |= competency
    document["roles"][0]["requirements"][0]["competency"] = document["competencies"][0]["code"]
    return str(write_json(tmp_path / "2.json", document))


def test_a_later_edition_waits_as_a_draft_unless_it_is_to_be_published_and_is_sure(sample, tmp_path):
    run("import_framework", str(sample))
    path = second_edition(tmp_path, description={"en": "Said otherwise.", "es": "Dicho de otro modo."})
    assert "It waits as a draft" in run("import_framework", path)
    draft = FrameworkVersion.objects.get(edition="2")
    assert draft.status == FrameworkStatus.DRAFT
    run("import_framework", path, "--publish")
    draft.refresh_from_db()
    assert draft.status == FrameworkStatus.PUBLISHED
    assert FrameworkVersion.objects.get(edition="1").status == FrameworkStatus.SUPERSEDED


def test_an_edition_that_needs_a_decision_is_not_published_by_a_command(sample, tmp_path):
    run("import_framework", str(sample))
    path = second_edition(tmp_path, code="Z9", title={"en": "Quite another thing", "es": "Otra cosa"})
    said = run("import_framework", path, "--publish")
    assert "It is not published yet" in said
    assert "crosswalk" in said
    assert FrameworkVersion.objects.get(edition="2").status == FrameworkStatus.DRAFT
