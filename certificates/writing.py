"""Writing certificates down: drafts get numbers, codes and rows, all of a batch or none.

Whatever a certificate is for - a course, a path, a level, a role - it is written here, so that numbers have no gap, a
thing is certified once, and the log names who did it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import TypeVar

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from wagtail.models import ModelLogEntry

from certificates.codes import new_code
from certificates.models import Certificate, SerialCounter
from certificates.record import Claim, digest_of, record_of
from organisations.models import User

T = TypeVar("T")

WRITE_BATCH = 500
# How often a batch is tried again after another worker was quicker or a code was drawn twice.
TRIES = 5


@dataclass(frozen=True)
class Draft:
    """What is to be certified, of whom. `claim` has no serial, code and address yet.

    A course is certified once an enrolment, anything else once a definition, holder and period.
    """

    claim: Claim
    holder_id: int
    enrolment_id: int | None = None
    definition_id: int | None = None
    period: int = 1
    renews_id: int | None = None

    @property
    def key(self) -> tuple[object, ...]:
        if self.enrolment_id is not None:
            return ("enrolment", self.enrolment_id)
        return (self.definition_id, self.holder_id, self.period)


def write_certificates(
    drafts: Sequence[Draft], *, by: User | None, codes: Callable[[], str] = new_code
) -> list[Certificate]:
    """The certificates of these drafts, in their order: those that are there already, and the others made now.

    Queries grow with batches of WRITE_BATCH, each a transaction. `codes` is for demo data that must repeat itself.
    """
    written: list[Certificate] = []
    for batch in batches(drafts, WRITE_BATCH):
        written += _written(batch, by, codes)
    return written


def _written(drafts: Sequence[Draft], by: User | None, codes: Callable[[], str]) -> list[Certificate]:
    tries = TRIES
    found = certified(drafts)
    while missing := list({draft.key: draft for draft in drafts if draft.key not in found}.values()):
        try:
            # A clash (the same thing elsewhere, a code drawn twice) undoes the batch and its serial numbers.
            with transaction.atomic():
                _write(missing, by, codes)
        except IntegrityError:
            tries -= 1
            if not tries:
                raise
        found = certified(drafts)
    return [found[draft.key] for draft in drafts]


def certified(drafts: Iterable[Draft]) -> dict[tuple[object, ...], Certificate]:
    """The certificates there are for drafts, by the draft's key; of one that was replaced, the first. Two queries at most."""
    drafts = list(drafts)
    enrolments = [draft.enrolment_id for draft in drafts if draft.enrolment_id is not None]
    others = [draft for draft in drafts if draft.enrolment_id is None]
    found: dict[tuple[object, ...], Certificate] = {}
    if enrolments:
        found |= {("enrolment", c.enrolment_id): c for c in Certificate.objects.filter(enrolment__in=enrolments)}
    if others:
        rows = Certificate.objects.filter(
            Q(definition__in={draft.definition_id for draft in others}),
            holder__in={draft.holder_id for draft in others},
            enrolment__isnull=True,
            supersedes__isnull=True,
        )
        found |= {(c.definition_id, c.holder_id, c.period): c for c in rows}
    return found


def _write(drafts: Sequence[Draft], by: User | None, codes: Callable[[], str]) -> None:
    counters = _lock_counters({draft.claim.issued_on.year for draft in drafts})
    # Whoever held the lock before us may have issued some of them.
    already = certified(drafts)
    drafts = [draft for draft in drafts if draft.key not in already]
    certificates = []
    for draft, code in zip(drafts, free_codes(len(drafts), codes), strict=True):
        counter = counters[draft.claim.issued_on.year]
        counter.last += 1
        claim = numbered(draft.claim, serial=_serial(counter), code=code)
        record = record_of(claim)
        certificates.append(
            Certificate(
                code=claim.code,
                serial=claim.serial,
                holder_id=draft.holder_id,
                enrolment_id=draft.enrolment_id,
                definition_id=draft.definition_id,
                period=draft.period,
                renews_id=draft.renews_id,
                record=record,
                digest=digest_of(record),
                issued_on=claim.issued_on,
                valid_until=claim.valid_until,
            )
        )
    Certificate.objects.bulk_create(certificates)
    SerialCounter.objects.bulk_update(counters.values(), ["last"])
    _log(certificates, by)


def numbered(claim: Claim, *, serial: str, code: str) -> Claim:
    """The claim with its number, its code and the address where it is checked."""
    url = f"{settings.SITE_URL}{reverse('verify_certificate', args=[code])}"
    return replace(claim, serial=serial, code=code, url=url)


def _lock_counters(years: set[int]) -> dict[int, SerialCounter]:
    """The counters of these years, locked until the transaction ends, so that numbers have no gap and no double."""
    counters = {}
    for year in sorted(years):
        SerialCounter.objects.get_or_create(year=year)
        counters[year] = SerialCounter.objects.select_for_update().get(year=year)
    return counters


def next_serial(day: date) -> str:
    """The next number of a year, within a transaction: the counter is locked until it ends, so there is no gap."""
    counter = _lock_counters({day.year})[day.year]
    counter.last += 1
    counter.save(update_fields=["last"])
    return _serial(counter)


def _serial(counter: SerialCounter) -> str:
    return f"{counter.year}-{counter.last:06d}"


def free_codes(count: int, codes: Callable[[], str]) -> list[str]:
    """As many codes as asked for that nobody has yet; the unique constraint has the last word."""
    drawn: dict[str, None] = {}
    while len(drawn) < count:
        more = {codes(): None for _n in range(count - len(drawn))}
        taken = set(Certificate.objects.filter(code__in=more).values_list("code", flat=True))
        drawn |= {code: None for code in more if code not in taken}
    return list(drawn)


def _log(certificates: Sequence[Certificate], by: User | None) -> None:
    """What `wagtail.log_actions.log` writes, for many at once."""
    kind, now = ContentType.objects.get_for_model(Certificate), timezone.now()
    ModelLogEntry.objects.bulk_create(
        ModelLogEntry(
            content_type=kind,
            object_id=str(certificate.pk),
            label=str(certificate),
            action="certificates.issue",
            timestamp=now,
            user=by,
            data={"code": certificate.code, "digest": certificate.digest},
        )
        for certificate in certificates
    )


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most `size`, in order."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
