"""Keys of surveys in files of their own: for one account alone, made once, and gone for good."""

from __future__ import annotations

import stat

import pytest
from nacl import pwhash

from readiness.ballot import public_of
from readiness.keystore import (
    FileKeyStore,
    KeyFolderRefused,
    KeyMissing,
    KeyTrouble,
    PassphraseKeyStore,
    ShortPassphrase,
    WrongPassphrase,
)

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
