"""Settings and their documentation; what production refuses."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.safety import refuse_demo_accounts
from tests.builders import make_person

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = [ROOT / "config" / "settings" / name for name in ("base.py", "local.py", "production.py")]


def test_every_variable_that_is_read_is_documented_and_the_other_way_round():
    read = set()
    for path in [*SETTINGS, ROOT / "config" / "run.py"]:
        read |= set(re.findall(r'env(?:\.\w+)?\(\s*"([A-Z_]+)"', path.read_text()))
        read |= set(re.findall(r'environ\.get\(\s*"([A-Z_]+)"', path.read_text()))
    table = (ROOT / "docs" / "operations.md").read_text().split("## Production in short")[0]
    told = set(re.findall(r"`([A-Z_]{3,})`", table)) - {"SECRET_KEY_FILE"}
    assert read - told == set(), "read but not documented"
    assert told - read - {"DJANGO_SETTINGS_MODULE"} == set(), "documented but not read"


def start_production(**env: str) -> subprocess.CompletedProcess[str]:
    base = {
        k: v
        for k, v in os.environ.items()
        if k not in {"SECRET_KEY", "ALLOWED_HOSTS", "SITE_URL", "DJANGO_SETTINGS_MODULE"}
    }
    return subprocess.run(
        [sys.executable, "-c", "import config.wsgi"],
        cwd=ROOT, env={**base, "DJANGO_SETTINGS_MODULE": "config.settings.production", **env},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("missing", ["SECRET_KEY", "ALLOWED_HOSTS", "SITE_URL"])
def test_production_does_not_guess_what_it_must_be_told(missing, tmp_path):
    env = {
        "SECRET_KEY": "x" * 50,
        "ALLOWED_HOSTS": "talent.example",
        "SITE_URL": "https://talent.example",
        "VAR_DIR": str(tmp_path),
    }
    env.pop(missing)
    result = start_production(**env)
    assert result.returncode != 0
    assert missing in result.stderr


def test_production_refuses_demo_accounts(db):
    refuse_demo_accounts()
    make_person(email="ciso@demo.example")
    with pytest.raises(ImproperlyConfigured, match=r"ciso@demo\.example"):
        refuse_demo_accounts()


@pytest.fixture
def production(tmp_path):
    """Settings of production and a database of its own, which is migrated."""
    env = {
        "SECRET_KEY": "x" * 50, "ALLOWED_HOSTS": "talent.example", "SITE_URL": "https://talent.example", "VAR_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{tmp_path / 'own.sqlite3'}", "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "CELERY_BROKER_URL": "filesystem://localhost",
    }  # fmt: skip
    (tmp_path / "static").mkdir()
    manage(env, "migrate", "-v0")
    return env


def manage(env: dict[str, str], *args: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *args],
        cwd=ROOT,
        env={**os.environ, **env},
        check=True,
        capture_output=True,
        timeout=120,
    )


def start_celery(env: dict[str, str], *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "celery", "--quiet", "-A", "config", *args],
        cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_production_really_asks_before_it_serves_or_works(production):
    """With the demo account nothing of it starts, without it it does."""
    assert start_production(**production).returncode == 0
    manage(
        production,
        "shell",
        "-v0",
        "-c",
        "from organisations.models import User; User.objects.create_user('admin@demo.example', 'x', name='A')",
    )
    worker = ("worker", "--pool", "solo", "--without-gossip", "--without-mingle")
    for start in (
        lambda: start_production(**production),
        lambda: start_celery(production, *worker),
        lambda: start_celery(production, *worker, "--beat", "--pool", "threads"),
        lambda: start_celery(production, "beat"),
    ):
        refused = start()
        assert refused.returncode != 0
        assert "Production does not start with them" in refused.stderr


def test_the_content_security_policy_is_strict_outside_the_cms(client, db):
    policy = client.get("/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
