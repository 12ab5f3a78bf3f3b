"""Keys of surveys in files of their own: for one account alone, made once, and gone for good."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from nacl import pwhash

from organisations.key_folder import KeyFolderRefused, KeyMissing, KeyTrouble, WrongPassphrase
from readiness.ballot import public_of
from readiness.keystore import FileKeyStore, PassphraseKeyStore, ShortPassphrase

NAME = "0123456789abcdef"
WORDS = "four words of the steward"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "keys"


def steward(folder):
    return PassphraseKeyStore(folder, ops=pwhash.argon2id.OPSLIMIT_MIN, memory=pwhash.argon2id.MEMLIMIT_MIN)


def test_a_key_is_readable_for_the_server_alone(folder):
    store = FileKeyStore(folder)
    public = store.create(NAME)
    assert public_of(store.read(NAME)) == public
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    [file] = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_destroyed_key_is_nowhere_in_the_folder_and_destroying_twice_is_once(folder):
    store = FileKeyStore(folder)
    store.create(NAME)
    private = store.read(NAME)
    store.destroy(NAME)
    store.destroy(NAME)
    assert not store.exists(NAME)
    assert not any(private in file.read_bytes() for file in folder.iterdir())
    with pytest.raises(KeyMissing):
        store.read(NAME)


def test_its_bytes_are_overwritten_before_the_file_goes(folder, tmp_path):
    store = FileKeyStore(folder)
    store.create(NAME)
    private = store.read(NAME)
    other_name = tmp_path / "hard-link"
    other_name.hardlink_to(next(folder.iterdir()))
    store.destroy(NAME)
    assert private not in other_name.read_bytes()


def test_a_key_is_never_made_over_another(folder):
    store = FileKeyStore(folder)
    public = store.create(NAME)
    with pytest.raises(KeyTrouble):
        store.create(NAME)
    assert public_of(store.read(NAME)) == public


@pytest.mark.parametrize("name", ["../escape", "a/b/c/d/e/f", "short", "UPPERCASE0", "", "x" * 65, "null\0byte"])
def test_a_name_leads_nowhere_else(folder, name):
    for act in (FileKeyStore(folder).create, FileKeyStore(folder).read, FileKeyStore(folder).destroy):
        with pytest.raises(KeyTrouble):
            act(name)


def test_keys_do_not_lie_where_files_are_served_from(tmp_path):
    with pytest.raises(KeyFolderRefused):
        FileKeyStore(tmp_path / "media" / "keys", forbidden=[tmp_path / "media"]).create(NAME)
    (tmp_path / "elsewhere").symlink_to(tmp_path / "media", target_is_directory=True)
    (tmp_path / "media").mkdir()
    with pytest.raises(KeyFolderRefused):
        FileKeyStore(tmp_path / "elsewhere", forbidden=[tmp_path / "media"]).create(NAME)
    with pytest.raises(KeyFolderRefused):
        FileKeyStore(tmp_path / "elsewhere").create(NAME)


def test_a_file_half_written_is_no_key(folder):
    store = FileKeyStore(folder)
    store.create(NAME)
    next(folder.iterdir()).write_bytes(b"half")
    with pytest.raises(KeyMissing):
        store.read(NAME)


def test_behind_a_passphrase_the_key_lies_encrypted(folder):
    store = steward(folder)
    public = store.create(NAME, WORDS)
    private = store.read(NAME, WORDS)
    assert public_of(private) == public
    assert not any(private in file.read_bytes() for file in folder.iterdir())
    with pytest.raises(WrongPassphrase):
        store.read(NAME, WORDS + "!")


def test_a_short_passphrase_is_refused_and_leaves_nothing(folder):
    with pytest.raises(ShortPassphrase):
        steward(folder).create(NAME, "too short")
    assert not folder.exists() or not list(folder.iterdir())


def test_a_damaged_file_opens_with_no_passphrase(folder):
    store = steward(folder)
    store.create(NAME, WORDS)
    next(folder.iterdir()).write_bytes(b"")
    with pytest.raises(WrongPassphrase):
        store.read(NAME, WORDS)


def test_the_message_of_a_refusal_holds_no_key_and_no_passphrase(folder):
    store = steward(folder)
    store.create(NAME, WORDS)
    with pytest.raises(WrongPassphrase) as refused:
        store.read(NAME, "another passphrase")
    assert "another passphrase" not in str(refused.value)


# --- Accidents ---------------------------------------------------------------------------------------------------
def test_a_key_half_destroyed_is_no_key_and_destroying_it_again_ends_it(folder, monkeypatch):
    store = FileKeyStore(folder)
    store.create(NAME)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", lambda *_args, **_kw: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            store.destroy(NAME)
    assert store.exists(NAME)
    with pytest.raises(KeyMissing):
        store.read(NAME)
    store.destroy(NAME)
    assert list(folder.iterdir()) == []


def test_a_key_that_did_not_reach_the_disk_leaves_the_name_free(folder, monkeypatch):
    store = FileKeyStore(folder)
    folder.mkdir(mode=0o700)

    def full(_file):
        raise OSError(errno.ENOSPC, "disk full")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="full"):
            store.create(NAME)
    assert list(folder.iterdir()) == []
    assert store.create(NAME) == public_of(store.read(NAME))


def test_a_key_counts_when_file_and_folders_have_reached_the_disk(folder, monkeypatch):
    synced, fsync = [], os.fsync

    def noted(file):
        synced.append(os.fstat(file).st_ino)
        fsync(file)

    monkeypatch.setattr(os, "fsync", noted)
    FileKeyStore(folder).create(NAME)
    above, inside, file = (path.stat().st_ino for path in (folder.parent, folder, folder / f"{NAME}.key"))
    assert synced == [above, file, inside]
    FileKeyStore(folder).destroy(NAME)
    assert synced[3:] == [file, inside]


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o702])
def test_a_folder_that_others_may_write_into_is_refused_and_left_as_it_is(folder, mode):
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(KeyFolderRefused):
        FileKeyStore(folder).create(NAME)
    assert stat.S_IMODE(folder.stat().st_mode) == mode
    assert list(folder.iterdir()) == []


def test_a_folder_that_others_may_only_read_is_closed_to_them(folder):
    folder.mkdir()
    folder.chmod(0o755)
    FileKeyStore(folder).create(NAME)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_that_others_may_read_is_refused(folder, mode):
    store = FileKeyStore(folder)
    store.create(NAME)
    next(folder.iterdir()).chmod(mode)
    with pytest.raises(KeyFolderRefused):
        store.read(NAME)


def test_a_link_that_lies_in_place_of_a_key_is_not_followed(folder, tmp_path):
    folder.mkdir(mode=0o700)
    target = tmp_path / "somebody-else-s"
    target.write_bytes(b"x" * 32)
    (folder / f"{NAME}.key").symlink_to(target)
    store = FileKeyStore(folder)
    for act in (store.create, store.read, store.destroy):
        with pytest.raises((KeyTrouble, OSError)):
            act(NAME)
    assert target.read_bytes() == b"x" * 32


def test_a_passphrase_is_the_same_from_whatever_keyboard(folder):
    store = steward(folder)
    public = store.create(NAME, "cuatro pi\u00f1as verdes")
    assert public_of(store.read(NAME, "cuatro pin\u0303as verdes")) == public


def test_a_destroyed_key_behind_a_passphrase_is_missing_and_not_wrong(folder):
    store = steward(folder)
    store.create(NAME, WORDS)
    locked = next(folder.iterdir()).read_bytes()
    store.destroy(NAME)
    store.destroy(NAME)
    assert not any(locked in file.read_bytes() for file in folder.iterdir())
    with pytest.raises(KeyMissing):
        store.read(NAME, WORDS)
