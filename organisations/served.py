"""What of this machine is served or goes along with a backup of what people give us."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings


def served_folders() -> list[Path]:
    """Where a key must never lie: what is served, and what a backup of the files people give us takes along."""
    roots = [Path(settings.MEDIA_ROOT), Path(settings.STATIC_ROOT)]
    options: Any = settings.STORAGES.get("private", {})
    private = options.get("OPTIONS", {}).get("location")
    return [*roots, Path(private)] if private else roots
