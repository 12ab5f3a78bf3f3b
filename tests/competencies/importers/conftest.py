from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps


@pytest.fixture(scope="session")
def nice_folder(shared_data: Path) -> Path:
    return shared_data / "nice-2.1.0"


@pytest.fixture(scope="session")
def ddat_folder(shared_data: Path) -> Path:
    return shared_data / "ddat-2025-09"


@pytest.fixture(scope="session")
def esco_folder(shared_data: Path) -> Path:
    return shared_data / "esco-1.2.0-subset"


@pytest.fixture(scope="session")
def onet_folder(shared_data: Path) -> Path:
    return shared_data / "onet-29.2-subset"


@pytest.fixture(scope="session")
def digcomp_folder(shared_data: Path) -> Path:
    return shared_data / "digcomp-3.0"


@pytest.fixture(scope="session")
def case_folder(shared_data: Path) -> Path:
    return shared_data / "case" / "packages"


@pytest.fixture
def row_counts(db: Any) -> Callable[[], dict[str, int]]:
    """How many rows every table of the competencies floor has, and the log."""
    models = [*apps.get_app_config("competencies").get_models(), apps.get_model("wagtailcore", "ModelLogEntry")]
    return lambda: {model.__name__: model._default_manager.count() for model in models}
