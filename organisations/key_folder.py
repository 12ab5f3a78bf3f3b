"""A folder of private keys: out of what is served and backed up, for the server's account alone, read without following links.

Key stores of two floors lay their files down with it. Every name and every byte is on the disk before it counts.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

LEAST_PASSPHRASE = 12  # characters


class KeyTrouble(ValueError):
    """The key or the store cannot do what it is asked; the text says why and holds no key."""


class KeyMissing(KeyTrouble):
    """There is no such key: it was never made here, or it has been destroyed."""


class KeyFolderRefused(KeyTrouble):
    """The folder or a file in it lies where keys must not lie, or others may read it."""


class WrongPassphrase(KeyTrouble):
    """This passphrase does not open the key."""


def prepare(folder: Path, forbidden: Iterable[Path], *, closes: bool) -> None:
    """The folder, made where it is missing. Raises KeyFolderRefused.

    `closes`: one that others may only read is closed to them instead of refused, for keys that are still to be made.
    """
    where = folder.resolve()
    for root in forbidden:
        inside = root.resolve()
        if where == inside or inside in where.parents:
            raise KeyFolderRefused("keys must not lie where files are served from or backed up")
    if folder.is_symlink():
        raise KeyFolderRefused("the folder of keys is a link to somewhere else")
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        sync(folder.parent)
    found = folder.stat()
    # Where others may write, a name may lead to what they have put there; and such a folder is not ours to close.
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise KeyFolderRefused("the folder of keys belongs to another account, or others may write into it")
    if stat.S_IMODE(found.st_mode) & 0o077:
        if not closes:
            raise KeyFolderRefused("others may look into the folder of keys (chmod 700)")
        folder.chmod(0o700)


def read(path: Path) -> bytes:
    """Raises KeyMissing, and KeyFolderRefused for a link, another account's file and one that others may read."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise KeyMissing(f"there is no key {path.stem}") from None
    except OSError as error:
        raise KeyFolderRefused(f"{path.name} cannot be read, or is a link to somewhere else") from error
    with os.fdopen(file, "rb") as opened:
        found = os.fstat(opened.fileno())
        if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            raise KeyFolderRefused(f"{path.name} belongs to another account, or others may read it (chmod 600)")
        return opened.read()


def write_new(path: Path, content: bytes) -> None:
    """A file that was not there before. Raises KeyTrouble where there is one; its name needs `sync` of the folder."""
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


def sync(folder: Path) -> None:
    """Names of files reach the disk with their folder, not with themselves."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
