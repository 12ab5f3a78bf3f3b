"""Keys: their public names, and the files in which the private halves lie."""

from __future__ import annotations

import contextlib
import os
import stat
from datetime import date

import base58
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from certificates.credentials import keys
from certificates.credentials.keys import (
    FileKeyStore,
    Kind,
    MalformedKey,
    PublicKey,
    PublishedKey,
    public_key,
)
from organisations.key_folder import KeyFolderRefused, KeyMissing, KeyTrouble, WrongPassphrase
from tests.certificates.credentials.builders import DID, FOREIGN, OURS

DAY = date(2026, 1, 1)
# did:key of the W3C test suites for P-256.
P256 = "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"


@given(st.binary(min_size=32, max_size=32))
def test_an_ed25519_key_is_read_back_as_it_was_written(raw):
    key = PublicKey(Kind.ED25519, raw)
    assert key.multibase.startswith("z6Mk")
    assert public_key(key.multibase) == key
    assert keys.key_in_did_key(keys.did_key(key)) == key
    assert keys.key_in_did_key(keys.did_key_method(key)) == key


def test_a_p256_key_is_read():
    key = public_key(P256)
    assert (key.kind, key.multibase) == (Kind.P256, P256)
    assert key.jwk["crv"] == "P-256"


@given(st.text(max_size=130))
def test_any_text_is_a_key_or_is_refused(text):
    with contextlib.suppress(MalformedKey):
        assert public_key(text).multibase == text


@pytest.mark.parametrize(
    "multibase",
    [
        "",
        "z",
        "m" + OURS.key.multibase[1:],
        OURS.key.multibase[:-1],
        OURS.key.multibase + "1",
        "z1" + OURS.key.multibase[1:],
        "z" + base58.b58encode(b"\xec\x01" + bytes(32)).decode(),  # X25519, which signs nothing
        "z" + base58.b58encode(b"\xe7\x01" + bytes(33)).decode(),  # secp256k1
        "z" + base58.b58encode(b"\x80\x24" + b"\x02" + b"\xff" * 32).decode(),  # no point of the curve
        "z" + "1" * 5_000,
    ],
)
def test_what_is_no_key_we_know_is_refused(multibase):
    with pytest.raises(MalformedKey):
        public_key(multibase)


@pytest.mark.parametrize(
    "method", ["did:key:", "did:web:x", f"did:key:{P256}#{OURS.key.multibase}", f"did:key:{OURS.key.multibase}#"]
)
def test_a_did_key_names_one_key(method):
    with pytest.raises(MalformedKey):
        keys.key_in_did_key(method)


@pytest.mark.parametrize(
    ("host", "path", "did", "address"),
    [
        ("gov.example", "", "did:web:gov.example", "https://gov.example/.well-known/did.json"),
        ("gov.example:8443", "", "did:web:gov.example%3A8443", "https://gov.example:8443/.well-known/did.json"),
        ("gov.example", "bodies/tax/", "did:web:gov.example:bodies:tax", "https://gov.example/bodies/tax/did.json"),
    ],
)
def test_a_did_web_is_an_address_written_with_colons(host, path, did, address):
    assert keys.did_web(host, path) == did
    assert keys.did_web_address(did) == address


@pytest.mark.parametrize(
    "did",
    [
        "did:web:",
        "did:key:x",
        "did:web:a/b",
        "did:web:gov.example:..",
        "did:web:gov.example:a%2Fb",
        "did:web:-x",
        "did:web:a@b",
        "did:web:a::b",
    ],
)
def test_a_did_web_leads_nowhere_else(did):
    with pytest.raises(MalformedKey):
        keys.did_web_address(did)


def test_the_document_lists_retired_keys_and_leaves_out_what_was_withdrawn():
    published = [
        PublishedKey("young", OURS.key, date(2026, 5, 1)),
        PublishedKey("old", FOREIGN.key, DAY, retired_on=date(2026, 5, 1)),
        PublishedKey("lost", PublicKey(Kind.ED25519, bytes(32)), DAY, withdrawn=True),
        PublishedKey("paper", public_key(P256), DAY),
    ]
    document = keys.did_document(DID, published)
    assert [method["publicKeyMultibase"] for method in document["verificationMethod"]] == [
        FOREIGN.key.multibase,
        OURS.key.multibase,
    ]
    assert document["assertionMethod"] == [f"{DID}#{FOREIGN.key.multibase}", f"{DID}#{OURS.key.multibase}"]


def test_the_youngest_key_that_signs_on_the_day_signs():
    old = PublishedKey("old", FOREIGN.key, DAY, retired_on=date(2026, 5, 1))
    young = PublishedKey("young", OURS.key, date(2026, 4, 1))
    assert keys.signing_key([old, young], kind=Kind.ED25519, as_of=date(2026, 3, 1)) == old
    assert keys.signing_key([old, young], kind=Kind.ED25519, as_of=date(2026, 4, 1)) == young
    for day, kind in ((date(2025, 12, 31), Kind.ED25519), (DAY, Kind.P256)):
        with pytest.raises(KeyMissing):
            keys.signing_key([old, young], kind=kind, as_of=day)


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "keys"


@pytest.mark.parametrize("passphrase", ["", "correct horse battery"])
@pytest.mark.parametrize("kind", Kind)
def test_a_key_signs_what_its_published_half_verifies(folder, kind, passphrase):
    made = FileKeyStore(folder, passphrase=passphrase).create(kind, on=DAY)
    store = FileKeyStore(folder, passphrase=passphrase)
    assert store.keys() == (made,)
    signature = store.sign(made.key_id, b"message")
    assert len(signature) == 64
    assert made.key.verifies(signature, b"message")
    assert not made.key.verifies(signature, b"massage")
    assert not made.key.verifies(signature[:-1], b"message")


def test_nobody_else_may_read_what_is_written(folder):
    os.umask(os.umask(0))  # whatever it is
    before = os.umask(0)
    try:
        FileKeyStore(folder).create(Kind.ED25519, on=DAY)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_passphrase_is_needed_once_it_was_given(folder):
    made = FileKeyStore(folder, passphrase="correct horse battery").create(Kind.ED25519, on=DAY)
    assert b"ENCRYPTED" in (folder / f"{made.key_id}.pem").read_bytes()
    for passphrase in ("", "wrong horse battery"):
        with pytest.raises(WrongPassphrase):
            FileKeyStore(folder, passphrase=passphrase).sign(made.key_id, b"message")
    with pytest.raises(KeyTrouble):
        FileKeyStore(folder, passphrase="short")


def test_a_key_made_before_there_was_a_passphrase_goes_on_signing(folder):
    made = FileKeyStore(folder).create(Kind.ED25519, on=DAY)
    signature = FileKeyStore(folder, passphrase="correct horse battery").sign(made.key_id, b"message")
    assert made.key.verifies(signature, b"message")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused(folder, mode):
    store = FileKeyStore(folder)
    made = store.create(Kind.ED25519, on=DAY)
    (folder / f"{made.key_id}.pem").chmod(mode)
    with pytest.raises(KeyFolderRefused):
        FileKeyStore(folder).sign(made.key_id, b"message")


def test_a_folder_that_others_may_look_into_is_refused(folder):
    folder.mkdir(mode=0o750)
    with pytest.raises(KeyFolderRefused):
        FileKeyStore(folder).create(Kind.ED25519, on=DAY)
    assert list(folder.iterdir()) == []


def test_keys_do_not_lie_where_files_are_served(tmp_path):
    media = tmp_path / "media"
    for inside in (media, media / "keys", tmp_path / "elsewhere" / ".." / "media" / "keys"):
        with pytest.raises(KeyFolderRefused):
            FileKeyStore(inside, forbidden=[media]).create(Kind.ED25519, on=DAY)
    assert not media.exists()


def test_links_are_not_followed(folder, tmp_path):
    store = FileKeyStore(folder)
    made = store.create(Kind.ED25519, on=DAY)
    private = folder / f"{made.key_id}.pem"
    private.rename(tmp_path / "elsewhere.pem")
    private.symlink_to(tmp_path / "elsewhere.pem")
    with pytest.raises(KeyFolderRefused):
        FileKeyStore(folder).sign(made.key_id, b"message")
    (tmp_path / "link").symlink_to(folder)
    with pytest.raises(KeyFolderRefused):
        FileKeyStore(tmp_path / "link").keys()


def test_a_key_is_never_overwritten(folder):
    store = FileKeyStore(folder)
    made = store.create(Kind.ED25519, on=DAY, key_id="first-key")
    with pytest.raises(KeyTrouble):
        FileKeyStore(folder).create(Kind.ED25519, on=DAY, key_id="first-key")
    assert made.key.verifies(FileKeyStore(folder).sign("first-key", b"message"), b"message")
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("key_id", ["../media/x", "a", "A" * 9, "x/y", "k" * 65, ".hidden"])
def test_a_name_leads_nowhere_else(folder, key_id):
    with pytest.raises(KeyTrouble):
        FileKeyStore(folder).create(Kind.ED25519, on=DAY, key_id=key_id)
    with pytest.raises(KeyTrouble):
        FileKeyStore(folder).sign(key_id, b"")


def test_a_private_half_that_was_swapped_does_not_sign(folder):
    store = FileKeyStore(folder)
    one, other = (store.create(Kind.ED25519, on=DAY) for _ in range(2))
    (folder / f"{other.key_id}.pem").replace(folder / f"{one.key_id}.pem")
    with pytest.raises(KeyTrouble):
        FileKeyStore(folder).sign(one.key_id, b"message")


def test_rotation_keeps_the_old_key_published(folder):
    store = FileKeyStore(folder)
    old = store.create(Kind.ED25519, on=DAY)
    young = store.create(Kind.ED25519, on=date(2026, 5, 1))
    store.retire(old.key_id, on=date(2026, 5, 1))
    store.retire(old.key_id, on=date(2026, 6, 1))  # the first day stays
    retired, current = FileKeyStore(folder).keys()
    assert (retired.key_id, retired.retired_on) == (old.key_id, date(2026, 5, 1))
    assert keys.signing_key(store.keys(), kind=Kind.ED25519, as_of=date(2026, 5, 1)) == current == young
    assert len(keys.did_document(DID, store.keys())["verificationMethod"]) == 2
    store.retire(old.key_id, on=date(2026, 6, 2), withdrawn=True)
    assert len(keys.did_document(DID, store.keys())["verificationMethod"]) == 1


def test_a_p256_signature_is_r_and_s_and_no_der(folder):
    made = FileKeyStore(folder).create(Kind.P256, on=DAY)
    assert isinstance(made.key._point(), ec.EllipticCurvePublicKey)
    for _ in range(20):
        signature = FileKeyStore(folder).sign(made.key_id, b"message")
        assert len(signature) == 64
        assert made.key.verifies(signature, b"message")


def test_the_same_message_gets_the_same_signature(folder):
    store = FileKeyStore(folder)
    for kind in Kind:
        made = store.create(kind, on=DAY)
        assert store.sign(made.key_id, b"message") == store.sign(made.key_id, b"message")


def test_a_signature_for_paper_is_der(folder):
    store = FileKeyStore(folder)
    made = store.create(Kind.P256, on=DAY)
    made.key._point().verify(keys.as_der(store.sign(made.key_id, b"message")), b"message", ec.ECDSA(hashes.SHA256()))
    with pytest.raises(ValueError, match="32 bytes"):
        keys.as_der(b"short")


def test_withdrawn_keys_are_not_known():
    kept = PublishedKey("old", OURS.key, DAY, retired_on=DAY)
    lost = PublishedKey("lost", FOREIGN.key, DAY, withdrawn=True)
    assert keys.known_methods(DID, [kept, lost]) == {OURS.method(): OURS.key}


def test_a_description_that_is_damaged_says_so(folder):
    made = FileKeyStore(folder).create(Kind.ED25519, on=DAY)
    path = folder / f"{made.key_id}.json"
    path.write_text("{}")
    with pytest.raises(KeyTrouble):
        FileKeyStore(folder).keys()
