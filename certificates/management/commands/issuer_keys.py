"""manage.py issuer_keys: the keys that certificates are signed with. Made here, kept in the key store, published for ever."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from asn1crypto import pem
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from certificates import issuer
from certificates.credentials.keys import FileKeyStore, Kind, PublishedKey
from certificates.models import Certificate, IssuerKey
from certificates.papers import certificates_in
from certificates.pdf.x509 import self_signed, signing_request
from certificates.selectors import CREDENTIALS
from organisations.jobs import enqueue
from organisations.key_folder import KeyTrouble


class Command(BaseCommand):
    help = "Make, rotate and end the keys that certificates are signed with; show what is published."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="every published key with its days, and whether the store can sign with it")
        create = actions.add_parser("create", help="make a key of each kind that has none which signs today")
        create.add_argument(
            "--kind", choices=[kind.value for kind in Kind], help="one kind only, also where there is one"
        )
        actions.add_parser("rotate", help="make new keys of both kinds; the old ones sign no more and stay published")
        for name, words in (
            ("retire", "from today the key signs no more; what it signed goes on verifying"),
            ("withdraw", "the key is in other hands: nothing it signed verifies any more"),
        ):
            actions.add_parser(name, help=words).add_argument("key_id")
        actions.add_parser("request", help="a request for a certificate of this key").add_argument("key_id")
        install = actions.add_parser("install", help="the certificates an authority made for this key, in PEM")
        install.add_argument("key_id")
        install.add_argument("chain", help="a file: the key's own certificate first, then each one's issuer")
        actions.add_parser("publish", help="publish the keys an HSM or a KMS holds")

    def handle(self, *args: Any, **options: Any) -> None:
        action = getattr(self, options["action"])
        try:
            action(options)
        except KeyTrouble as error:
            raise CommandError(str(error)) from error

    def list(self, options: dict[str, Any]) -> None:
        held = {key.key.multibase for key in issuer.key_store().keys()}  # noqa: SIM118
        today = timezone.localdate()
        self.stdout.write(f"Issuer {issuer.issuer_did()}")
        for row in IssuerKey.objects.all():
            state = (
                "in other hands"
                if row.withdrawn
                else "signs"
                if row.signs_on(today) and row.public in held
                else "lost: it is not in the store"
                if row.signs_on(today)
                else f"signed until {row.retired_on}"
            )
            self.stdout.write(f"  {row.key_id}  {row.kind:<8} since {row.created_on}  {state}\n    {row.public}")

    def create(self, options: dict[str, Any]) -> None:
        kinds = [Kind(options["kind"])] if options.get("kind") else [k for k in Kind if not issuer.has_key(k)]
        for kind in kinds:
            self._make(kind, options)
        if not kinds:
            self._say("There is a key of each kind already: `rotate` makes new ones.", options)

    def rotate(self, options: dict[str, Any]) -> None:
        """New ones first: there is no moment without a key."""
        store, today = self._file_store(), timezone.localdate()
        old = [key for key in store.keys() if key.signs_on(today)]  # noqa: SIM118
        for kind in Kind:
            self._make(kind, options)
        for key in old:
            self._end(store, key, options, withdrawn=False)

    def retire(self, options: dict[str, Any]) -> None:
        self._end_named(options, withdrawn=False)

    def withdraw(self, options: dict[str, Any]) -> None:
        self._end_named(options, withdrawn=True)

    def publish(self, options: dict[str, Any]) -> None:
        for row in issuer.publish_all():
            self._say(f"{row.key_id}  {row.kind}  {row.public}", options)

    def _make(self, kind: Kind, options: dict[str, Any]) -> None:
        store = self._file_store()
        made = store.create(kind, on=timezone.localdate())
        row = issuer.publish(made)
        if kind is Kind.P256:
            about = self._subject()
            own = self_signed(
                made.key,
                sign=partial(store.sign, made.key_id),
                name=about["name"],
                organisation=about["organisation"],
                country=about["country"],
                on=made.created_on,
            )
            row.chain = pem.armor("CERTIFICATE", own).decode()
            row.save(update_fields=["chain"])
        self._say(f"{made.key_id}  {kind.value}  {made.key.multibase}", options)
        if kind is Kind.ED25519 and Certificate.objects.without_credential().exists():
            # What was issued before there was a key gets its credential now.
            enqueue(kind=CREDENTIALS, key=f"key-{made.key_id}", payload={})

    def request(self, options: dict[str, Any]) -> None:
        row = self._row(options)
        sign = partial(issuer.key_store().sign, row.key_id)
        asked = signing_request(row.key, sign=sign, **self._subject())
        self.stdout.write(pem.armor("CERTIFICATE REQUEST", asked).decode())

    def install(self, options: dict[str, Any]) -> None:
        """Only what is certified for this very key, in the order a reader follows it."""
        row = self._row(options)
        try:
            chain = certificates_in(Path(options["chain"]).read_text(encoding="ascii"))
            found = [x509.load_der_x509_certificate(der) for der in chain]
        except (OSError, ValueError) as error:
            raise CommandError(f"No certificates in PEM: {error}") from error
        if not found:
            raise CommandError("The file holds no certificate.")
        own = found[0].public_key()
        if not isinstance(own, ec.EllipticCurvePublicKey) or (
            own.public_bytes(Encoding.X962, PublicFormat.CompressedPoint) != row.key.raw
        ):
            raise CommandError(f"The first certificate is not that of the key {row.key_id}.")
        for lower, upper in pairwise(found):
            try:
                lower.verify_directly_issued_by(upper)
            except (ValueError, TypeError, InvalidSignature) as error:
                raise CommandError("Each certificate must be followed by the one that issued it.") from error
        row.chain = "".join(pem.armor("CERTIFICATE", der).decode() for der in chain)
        row.save(update_fields=["chain"])
        self._say(f"{row.key_id} signs with a certificate of {found[0].issuer.rfc4514_string()}", options)

    def _subject(self) -> dict[str, str]:
        """What stands in a certificate of the key."""
        return {"name": settings.ISSUER_NAME, "organisation": settings.ISSUER_NAME, "country": settings.ISSUER_COUNTRY}

    def _row(self, options: dict[str, Any]) -> IssuerKey:
        row = IssuerKey.objects.filter(key_id=options["key_id"]).first()
        if row is None:
            raise CommandError(f"No key is called {options['key_id']}: `list` shows them.")
        return row

    def _end_named(self, options: dict[str, Any], *, withdrawn: bool) -> None:
        row = self._row(options)
        store = issuer.key_store()
        if isinstance(store, FileKeyStore) and any(key.key_id == row.key_id for key in store.keys()):  # noqa: SIM118
            self._end(store, row.published, options, withdrawn=withdrawn)
        else:
            # The private half is lost or lies elsewhere: the row alone ends it.
            published = row.published
            issuer.publish(
                PublishedKey(published.key_id, published.key, published.created_on, timezone.localdate(), withdrawn)
            )
            self._say(f"{row.key_id} signs no more", options)

    def _end(self, store: FileKeyStore, key: PublishedKey, options: dict[str, Any], *, withdrawn: bool) -> None:
        issuer.publish(store.retire(key.key_id, on=timezone.localdate(), withdrawn=withdrawn))
        self._say(f"{key.key_id} signs no more", options)

    def _file_store(self) -> FileKeyStore:
        store = issuer.key_store()
        if not isinstance(store, FileKeyStore):
            raise CommandError("This key store makes its keys itself. Make one there, then run `publish`.")
        return store

    def _say(self, text: str, options: dict[str, Any]) -> None:
        if options["verbosity"] > 0:
            self.stdout.write(text)
