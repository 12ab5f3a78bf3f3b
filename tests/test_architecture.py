"""The house: each floor knows only the floors below it - in its imports and in its foreign keys."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db.models import ForeignKey, ManyToManyField

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "organisations": set(),
    "competencies": {"organisations"},
    "readiness": {"organisations", "competencies"},
    "courses": {"organisations", "competencies"},
    "learning": {"organisations", "competencies", "readiness", "courses"},
    "certificates": {"organisations", "competencies", "courses", "learning"},
}
DJANGO_FREE = {
    "competencies/diagnostic.py", "competencies/calibration.py", "competencies/simulation.py",
    "competencies/campaign_progress.py", "competencies/levels.py", "competencies/likely.py", "competencies/rulebooks.py",
    "competencies/vectors.py", "competencies/suppression.py",
    "competencies/rating_error.py",
    "competencies/gaps.py", "competencies/equivalence.py", "competencies/crosswalk.py",
    "competencies/differences.py", "competencies/panels.py", "courses/marking.py", "courses/prerequisites.py", "learning/planning.py",
    "certificates/codes.py", "certificates/criteria.py", "certificates/record.py", "learning/changes.py", "learning/conditions.py",
    "learning/due_dates.py", "learning/greedy.py", "learning/instances.py", "learning/optimiser.py",
    "learning/ordering.py", "learning/path_terms.py", "learning/periods.py", "learning/reminders.py",
    "learning/rounds.py", "learning/stages.py", "organisations/key_folder.py", "organisations/plain_text.py",
    "readiness/sealing.py", "readiness/totals.py",
    "readiness/ballot.py", "readiness/counting.py", "readiness/cuts.py", "readiness/keystore.py", "readiness/questionnaire.py",
    "readiness/statistics/display.py",
    "readiness/statistics/agreement.py", "readiness/statistics/did.py", "readiness/statistics/drivers.py",
    "readiness/statistics/inference.py", "readiness/statistics/reliability.py", "readiness/statistics/scores.py",
    "readiness/statistics/weighting.py",
    "certificates/credentials/badge.py", "certificates/credentials/baking.py", "certificates/credentials/canonical.py",
    "certificates/credentials/contexts.py", "certificates/credentials/jwt.py", "certificates/credentials/keys.py",
    "certificates/credentials/proofs.py", "certificates/credentials/reading.py", "certificates/credentials/status.py",
    "certificates/credentials/verifying.py",
}  # fmt: skip


def imports_of(path: Path) -> set[str]:
    """Top-level packages a file imports anywhere, also inside functions and under TYPE_CHECKING."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: say the whole name of what is imported"
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("floor", MAY_IMPORT)
def test_a_floor_imports_only_what_lies_below_it(floor):
    for path in (ROOT / floor).rglob("*.py"):
        above = (imports_of(path) & set(MAY_IMPORT)) - MAY_IMPORT[floor] - {floor}
        assert not above, f"{path.relative_to(ROOT)} reaches up to {', '.join(sorted(above))}"
        if "migrations" not in path.parts:
            assert "config" not in imports_of(path), f"{path.relative_to(ROOT)} reaches for the wiring"
            assert "tests" not in imports_of(path)


@pytest.mark.parametrize("floor", MAY_IMPORT)
def test_a_floor_points_only_at_rows_below_it(floor):
    for model in apps.get_app_config(floor).get_models():
        for field in model._meta.get_fields():
            if isinstance(field, (ForeignKey, ManyToManyField)) and field.related_model:
                target = field.related_model._meta.app_label
                assert target not in MAY_IMPORT or target == floor or target in MAY_IMPORT[floor], (
                    f"{model.__name__}.{field.name}"
                )


@pytest.mark.parametrize("name", sorted(DJANGO_FREE))
def test_pure_modules_know_no_request_no_clock_no_database(name):
    path = ROOT / name
    source = path.read_text(encoding="utf-8")
    modules = {n.module or "" for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ImportFrom)}
    assert not {m for m in modules if m.startswith("django") or m.endswith((".models", ".services", ".selectors"))}, (
        name
    )
    assert "datetime.now" not in source and "date.today" not in source and "timezone.now" not in source


def test_no_migration_is_missing(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_migrations_import_no_code_of_the_floors():
    for floor in MAY_IMPORT:
        for path in (ROOT / floor / "migrations").glob("0*.py"):
            allowed = (
                {floor} if path.name in {"0001_initial.py", "0008_claims_and_contests.py", "0008_cohorts.py"} else set()
            )  # storage and path of a file field
            assert not (imports_of(path) & set(MAY_IMPORT)) - allowed, path


def test_templates_carry_no_script_or_style_of_their_own():
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert " style=" not in text, path
        assert "<style" not in text, path
        assert (
            " onclick=" not in text and " onchange=" not in text and "hx-on" not in text and "javascript:" not in text
        ), path
        if "<script" in text:
            assert "<script src=" in text or path.name == "500.html", path


def test_nothing_is_loaded_from_another_host():
    for path in [
        *(ROOT / "templates").rglob("*.html"),
        *(ROOT / "static").rglob("*.css"),
        *(ROOT / "static").rglob("*.js"),
    ]:
        for line in path.read_text(encoding="utf-8").splitlines():
            if any(mark in line for mark in ("src=", "url(", "@import", "<link")):
                assert "http://" not in line and "https://" not in line, f"{path}: {line.strip()[:100]}"


def test_lock_files_name_no_registry():
    others = "tests/certificates/node/"
    names = ("requirements.txt", "requirements-dev.txt", "package-lock.json", ".npmrc", "pyproject.toml")
    for name in (*names, f"{others}package-lock.json", f"{others}.npmrc"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "index-url" not in text and '"resolved"' not in text and "registry=" not in text, name


def test_every_floor_is_installed_in_order():
    floors = [app for app in settings.INSTALLED_APPS if app in MAY_IMPORT]
    assert floors == list(MAY_IMPORT)
