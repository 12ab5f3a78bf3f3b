"""Where the private key of a survey lies until it is closed: in a file of its own, outside database, media and backups.

`FileKeyStore` keeps it readable for the server's account alone; `PassphraseKeyStore` encrypts it with the data steward's
passphrase. Both destroy for good what they can reach: the bytes are overwritten before the file goes. A copy that a
backup took of the folder they cannot reach: keep the folder out of backups (docs/operations.md).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol
from unicodedata import normalize

from nacl import pwhash
from nacl.exceptions import CryptoError
from nacl.secret import SecretBox
from nacl.utils import random

from readiness.ballot import KEY_BYTES, new_key

LEAST_PASSPHRASE = 12
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{7,63}")


class KeyTrouble(ValueError):
    """The key store cannot do what it is asked; the text says why and holds no key."""


class KeyMissing(KeyTrouble):
    """There is no such key: it was never made here, or it has been destroyed."""


class KeyFolderRefused(KeyTrouble):
    """The folder lies where keys must not lie, or others may read it."""


class WrongPassphrase(KeyTrouble):
    """This passphrase does not open the key."""


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
        _sync(self.folder)

    def _write(self, name: str, content: bytes) -> None:
        path = self._path(name)
        self._prepare()
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        except FileExistsError:
            raise KeyTrouble("there is a key of this name already") from None
        try:
            with os.fdopen(file, "wb") as opened:
                opened.write(content)
                opened.flush()
                os.fsync(opened.fileno())
        except OSError:
            path.unlink(missing_ok=True)  # a full disk: half a key would stand in the way of a whole one
            raise
        _sync(self.folder)

    def _read(self, name: str) -> bytes:
        try:
            file = os.open(self._path(name), os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            raise KeyMissing("there is no key of this name") from None
        with os.fdopen(file, "rb") as opened:
            return opened.read()

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise KeyTrouble("a key's name has 8 to 64 small letters, digits and hyphens")
        return self.folder / f"{name}{self.suffix}"

    def _prepare(self) -> None:
        """The folder, made where it is missing. Raises KeyFolderRefused."""
        where = self.folder.resolve()
        for root in self._forbidden:
            inside = root.resolve()
            if where == inside or inside in where.parents:
                raise KeyFolderRefused("keys must not lie where files are served from or backed up")
        if self.folder.is_symlink():
            raise KeyFolderRefused("the folder of keys is a link to somewhere else")
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _sync(self.folder.parent)
        found = self.folder.stat()
        # Where others may write, a name may lead to what they have put there; and such a folder is not ours to close.
        if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise KeyFolderRefused("the folder of keys belongs to another account, or others may write into it")
        if stat.S_IMODE(found.st_mode) & 0o077:
            self.folder.chmod(0o700)


def _sync(folder: Path) -> None:
    """Names of files reach the disk with their folder, not with themselves."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


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
