"""Where the private key of a survey lies until it is closed: in a file of its own, outside database, media and backups.

`FileKeyStore` keeps it readable for the server's account alone; `PassphraseKeyStore` encrypts it with the data steward's
passphrase. Both destroy for good what they can reach: the bytes are overwritten before the file goes. A copy that a
backup took of the folder they cannot reach: keep the folder out of backups (docs/operations.md).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol
from unicodedata import normalize

from nacl import pwhash
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from nacl.utils import random

from organisations import key_folder
from organisations.key_folder import LEAST_PASSPHRASE, KeyMissing, KeyTrouble, WrongPassphrase
from readiness.ballot import KEY_BYTES, new_key

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{7,63}")


class ShortPassphrase(KeyTrouble):
    """Fewer than LEAST_PASSPHRASE characters."""


class KeyStore(Protocol):
    def exists(self, name: str) -> bool: ...
    def destroy(self, name: str) -> None: ...


class _Folder:
    """Files of keys, one a name. Every write reaches the disk before it counts."""

    suffix = ""

    def __init__(self, folder: Path, forbidden: Iterable[Path] = ()) -> None:
        self.folder = folder
        self._forbidden = tuple(forbidden)

    def exists(self, name: str) -> bool:
        return self._path(name).is_file()

    def destroy(self, name: str) -> None:
        """Overwrite and remove the key. Twice is once, and so is after an interruption."""
        path = self._path(name)
        try:
            file = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return
        with os.fdopen(file, "r+b", buffering=0) as opened:
            # A byte more than the key had: what an interruption leaves is not taken for a key.
            opened.write(random(os.fstat(opened.fileno()).st_size + 1))
            os.fsync(opened.fileno())
        path.unlink(missing_ok=True)
        key_folder.sync(self.folder)

    def _write(self, name: str, content: bytes) -> None:
        # Under its own name from the first byte: what an interruption leaves is destroyed with the key.
        path = self._path(name)
        key_folder.prepare(self.folder, self._forbidden, closes=True)
        key_folder.write_new(path, content)
        key_folder.sync(self.folder)

    def _read(self, name: str) -> bytes:
        return key_folder.read(self._path(name))

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeyTrouble("a key's name has 8 to 64 small letters, digits and hyphens")
        return self.folder / f"{name}{self.suffix}"


class FileKeyStore(_Folder):
    """Keys as they are, readable for the account of the server alone."""

    suffix = ".key"

    def create(self, name: str) -> bytes:
        """Make a pair; returns the public half. Raises KeyTrouble where there is one of this name."""
        private, public = new_key()
        self._write(name, private)
        return public

    def put(self, name: str, private: bytes) -> None:
        """Lay down a key that a steward has released for counting. Twice is once."""
        if not self.exists(name):
            self._write(name, private)

    def read(self, name: str) -> bytes:
        """Raises KeyMissing, also for a file that an interruption left half written or half destroyed."""
        private = self._read(name)
        if len(private) != KEY_BYTES:
            raise KeyMissing("there is no whole key of this name")
        return private


class PassphraseKeyStore(_Folder):
    """Keys encrypted with a passphrase that only the data steward knows: Argon2id, then XSalsa20-Poly1305."""

    suffix = ".locked"

    def __init__(
        self,
        folder: Path,
        forbidden: Iterable[Path] = (),
        *,
        ops: int = pwhash.argon2id.OPSLIMIT_MODERATE,
        memory: int = pwhash.argon2id.MEMLIMIT_MODERATE,
    ) -> None:
        super().__init__(folder, forbidden)
        self._ops, self._memory = ops, memory

    def create(self, name: str, passphrase: str) -> bytes:
        """Make a pair; returns the public half. Raises ShortPassphrase, or KeyTrouble for a name that is taken."""
        if len(passphrase) < LEAST_PASSPHRASE:
            raise ShortPassphrase(f"a passphrase has at least {LEAST_PASSPHRASE} characters")
        private, public = new_key()
        salt = random(pwhash.argon2id.SALTBYTES)
        self._write(name, salt + self._box(passphrase, salt).encrypt(private))
        return public

    def read(self, name: str, passphrase: str) -> bytes:
        """Raises KeyMissing or WrongPassphrase."""
        content = self._read(name)
        salt, locked = content[: pwhash.argon2id.SALTBYTES], content[pwhash.argon2id.SALTBYTES :]
        try:
            return self._box(passphrase, salt).decrypt(locked)
        except (CryptoError, ValueError, TypeError):
            raise WrongPassphrase("this passphrase does not open the key") from None

    def _box(self, passphrase: str, salt: bytes) -> SecretBox:
        # One keyboard types é as one sign, another as two (RFC 8265, OpaqueString).
        words = normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
        secret = pwhash.argon2id.kdf(SecretBox.KEY_SIZE, words, salt, opslimit=self._ops, memlimit=self._memory)
        return SecretBox(secret)
