"""Which key store a wave uses, from the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from readiness.keystore import FileKeyStore, PassphraseKeyStore


def _forbidden() -> list[Path]:
    """Where a key must never lie: what is served, and what a backup of the files people give us takes along."""
    roots = [Path(settings.MEDIA_ROOT), Path(settings.STATIC_ROOT)]
    options: Any = settings.STORAGES.get("private", {})
    private = options.get("OPTIONS", {}).get("location")
    return [*roots, Path(private)] if private else roots


def file_keys() -> FileKeyStore:
    return FileKeyStore(Path(settings.SURVEY_KEY_DIR), forbidden=_forbidden())


def passphrase_keys() -> PassphraseKeyStore:
    return PassphraseKeyStore(Path(settings.SURVEY_KEY_DIR), forbidden=_forbidden())


def create_key(name: str, passphrase: str | None = None) -> bytes:
    """Make a pair in the one store or the other; returns the public half. Raises KeyTrouble."""
    if passphrase is None:
        return file_keys().create(name)
    return passphrase_keys().create(name, passphrase)


def destroy_key(name: str) -> None:
    """Both stores: a key that was released for counting lies in the first, the one behind a passphrase in the second."""
    file_keys().destroy(name)
    passphrase_keys().destroy(name)
