"""Who issues: its name in public (did:web), its keys, and the hand that signs.

Public halves are rows (models.IssuerKey) and stay for ever; private ones are in the key store that the settings name.
Whatever was signed goes on verifying when the store is lost, because verifying asks the rows alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from certificates.credentials import keys
from certificates.credentials.keys import FileKeyStore, KeyStore, Kind, PublicKey, PublishedKey
from certificates.models import IssuerKey
from organisations.key_folder import KeyMissing, KeyTrouble
from organisations.served import served_folders

logger = logging.getLogger(__name__)


def did_of(key: PublicKey) -> str:
    """The issuer's name in credentials signed with this key: did:web, or did:key where ISSUER_DID says so."""
    return keys.did_key(key) if settings.ISSUER_DID == "key" else issuer_did()


def issuer_did() -> str:
    """did:web of the address the platform is served at."""
    address = urlsplit(settings.SITE_URL)
    return keys.did_web(address.netloc.lower(), address.path)


def file_key_store() -> FileKeyStore:
    """Keys as files, for who has no HSM and no KMS. Another store is named in ISSUER_KEY_STORE."""
    return _file_key_store(settings.ISSUER_KEY_DIR, settings.ISSUER_KEY_PASSPHRASE)


@cache
def _file_key_store(folder: str, passphrase: str) -> FileKeyStore:
    # One object for a process: it keeps opened keys, and opening one takes longer than a hundred signatures.
    return FileKeyStore(Path(folder), served_folders(), passphrase=passphrase)


def key_store() -> KeyStore:
    """The store of the settings: a function of this path gives it."""
    store: KeyStore = import_string(settings.ISSUER_KEY_STORE)()
    return store


def published_keys() -> tuple[PublishedKey, ...]:
    """Every key we sign or signed with, oldest first. One query."""
    return tuple(row.published for row in IssuerKey.objects.all())


def did_document() -> dict[str, Any]:
    """What is served for our did:web. It names the did:key of each key too: both are one issuer. One query."""
    published = published_keys()
    document = keys.did_document(issuer_did(), published)
    names = [keys.did_key(key.key) for key in published if key.key.kind is Kind.ED25519 and not key.withdrawn]
    return document | ({"alsoKnownAs": names} if names else {})


def key_finder() -> Callable[[str], PublicKey | None]:
    """`key_of` for credentials.verifying: our keys under the names they sign with, those not withdrawn. One query.

    The name ends in the key itself, so a credential of the years under another address is still ours: nobody else
    can sign with that key.
    """
    ours = {key.key.multibase: key.key for key in published_keys() if not key.withdrawn}

    def key_of(method: str) -> PublicKey | None:
        controller, _, fragment = method.partition("#")
        if controller.startswith("did:key:"):
            name = controller.removeprefix("did:key:")
            return ours.get(name) if fragment in ("", name) else None
        return ours.get(fragment) if controller.startswith("did:web:") else None

    return key_of


def key_of(method: str) -> PublicKey | None:
    """One look-up; who makes several asks key_finder once."""
    return key_finder()(method)


@dataclass(frozen=True)
class Hand:
    """A key that signs. `did` is the issuer it signs for, `method` its name in public, `sign` gives 64 bytes on a message,
    `row` is the public half."""

    row: IssuerKey
    key: PublicKey
    did: str
    method: str
    sign: Callable[[bytes], bytes]


def hand(kind: Kind, *, as_of: date | None = None) -> Hand:
    """The youngest key of the kind that the store has and that signs on this day (today). Publishes it where it is not yet.

    Raises KeyMissing where there is none: `manage.py issuer_keys create` makes one. One or two queries.
    """
    store = key_store()
    rows = {row.public: row for row in IssuerKey.objects.filter(kind=kind.value)}
    # What the row says of its days counts besides what the store says: withdrawn in one place is withdrawn.
    able = [
        key
        for key in store.keys()  # noqa: SIM118 - a store is no dict
        if key.key.multibase not in rows or rows[key.key.multibase].signs_on(as_of or timezone.localdate())
    ]
    chosen = keys.signing_key(able, kind=kind, as_of=as_of or timezone.localdate())
    row = rows.get(chosen.key.multibase) or publish(chosen)
    return _hand(row, chosen.key_id, did_of(chosen.key), store)


def hand_for(did: str) -> Hand:
    """A hand that signs for this issuer: any of ours for a did:web, for a did:key the one key, also when it has been retired,
    for what it issued goes on needing its lists. Raises KeyMissing."""
    if not did.startswith("did:key:"):
        found = hand(Kind.ED25519)
        return replace(found, did=did, method=keys.method_of(did, found.key))
    store = key_store()
    multibase = did.removeprefix("did:key:")
    row = IssuerKey.objects.filter(public=multibase, withdrawn=False).first()
    held = next((key for key in store.keys() if key.key.multibase == multibase), None)  # noqa: SIM118
    if row is None or held is None:
        raise KeyMissing(f"the key of {did} is not in the store")
    return _hand(row, held.key_id, did, store)


def _hand(row: IssuerKey, key_id: str, did: str, store: KeyStore) -> Hand:
    return Hand(row, row.key, did, keys.method_of(did, row.key), lambda message: store.sign(key_id, message))


def has_key(kind: Kind) -> bool:
    """Whether anything can be signed today; False also where the store cannot be opened, which the log then says."""
    try:
        hand(kind)
    except KeyMissing:
        return False
    except KeyTrouble:
        logger.exception("the store of the issuer's keys cannot be used")
        return False
    return True


def is_lost(kind: Kind) -> bool:
    """Whether there should be a key that signs today, and the store has none. One or two queries."""
    try:
        hand(kind)
    except KeyMissing:
        today = timezone.localdate()
        return any(row.signs_on(today) for row in IssuerKey.objects.filter(kind=kind.value))
    return False


@transaction.atomic
def publish(key: PublishedKey) -> IssuerKey:
    """The public half as a row, with the days the store gives it; what ended or was withdrawn stays so."""
    row, _made = IssuerKey.objects.select_for_update().get_or_create(
        public=key.key.multibase,
        defaults={"key_id": key.key_id, "kind": key.key.kind.value, "created_on": key.created_on},
    )
    days = [day for day in (row.retired_on, key.retired_on) if day is not None]
    ended, withdrawn = min(days, default=None), row.withdrawn or key.withdrawn
    if (ended, withdrawn) != (row.retired_on, row.withdrawn):
        row.retired_on, row.withdrawn = ended, withdrawn
        row.save(update_fields=["retired_on", "withdrawn"])
    return row


def publish_all() -> list[IssuerKey]:
    """Everything the store holds, oldest first."""
    return [publish(key) for key in key_store().keys()]  # noqa: SIM118
