"""Which key store a wave uses, from the settings."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from organisations.served import served_folders
from readiness.keystore import FileKeyStore, PassphraseKeyStore


def file_keys() -> FileKeyStore:
    return FileKeyStore(Path(settings.SURVEY_KEY_DIR), forbidden=served_folders())


def passphrase_keys() -> PassphraseKeyStore:
    return PassphraseKeyStore(Path(settings.SURVEY_KEY_DIR), forbidden=served_folders())


def create_key(name: str, passphrase: str | None = None) -> bytes:
    """Make a pair in the one store or the other; returns the public half. Raises KeyTrouble."""
    if passphrase is None:
        return file_keys().create(name)
    return passphrase_keys().create(name, passphrase)


def destroy_key(name: str) -> None:
    """Both stores: a key that was released for counting lies in the first, the one behind a passphrase in the second."""
    file_keys().destroy(name)
    passphrase_keys().destroy(name)
