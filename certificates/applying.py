"""What HR has laid down as it applies to a person: the definition of the nearest unit, the body in whose name, its words.

Read once for many people; the rule of what is nearest is `criteria.nearest`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Prefetch
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from i18nfield.strings import LazyI18nString

from certificates.criteria import Last, nearest
from certificates.enums import Kind
from certificates.models import Certificate, Definition, IssuingBody, Signatory
from certificates.record import Look, tidy
from certificates.record import Signatory as Signer
from organisations.models import Appointment

MOST_SIGNATORIES = 3


class Workplaces:
    """Where people work: the tree paths of the units of their posts, on any day."""

    def __init__(self) -> None:
        self._posts: dict[int, list[tuple[str, date, date | None]]] = {}

    def learn(self, person_ids: Iterable[int]) -> None:
        """One query, none where all are known."""
        new = set(person_ids) - self._posts.keys()
        if not new:
            return
        found: dict[int, list[tuple[str, date, date | None]]] = defaultdict(list)
        rows = Appointment.objects.filter(person__in=new).order_by("pk")
        for person_id, path, starts_on, ends_on in rows.values_list(
            "person", "post__unit__path", "starts_on", "ends_on"
        ):
            found[person_id].append((path, starts_on, ends_on))
        self._posts |= {person_id: found[person_id] for person_id in new}

    def on(self, person_id: int, day: date) -> tuple[str, ...]:
        posts = self._posts.get(person_id, ())
        return tuple(path for path, starts_on, ends_on in posts if starts_on <= day and (not ends_on or day < ends_on))


@dataclass(frozen=True)
class Issuer:
    """In whose name, under whose names, in whose colours."""

    name: str
    signatories: tuple[Signer, ...] = ()
    colour: str = ""
    logo: str = ""

    def look(self, definition: Definition | None) -> Look:
        own = {"colour": self.colour} if self.colour else {}
        design = {"design": definition.design} if definition is not None else {}
        return Look(logo=self.logo, **own, **design)


class Bodies:
    """The issuing bodies. Two queries, when the first is asked for."""

    def __init__(self) -> None:
        self._by_path: dict[str, Issuer] | None = None
        self._by_id: dict[int, Issuer] = {}

    def of(self, definition: Definition | None, workplaces: Collection[str]) -> Issuer:
        """The body of the definition, else that of the nearest unit above, else the usual one, else the installation's
        name. Those sign whom the definition names, else the first three of the body; who signs no more, never."""
        by_path = self._read()
        if definition is not None and definition.body_id is not None:
            issuer = self._by_id[definition.body_id]
            named = tuple(_signer(s) for s in definition.signatories.all() if s.ended_at is None)
            return Issuer(issuer.name, named[:MOST_SIGNATORIES] or issuer.signatories, issuer.colour, issuer.logo)
        return nearest(by_path, workplaces) or Issuer(tidy(settings.ISSUER_NAME))

    def _read(self) -> Mapping[str, Issuer]:
        if self._by_path is None:
            signing = Prefetch("signatories", Signatory.objects.filter(ended_at__isnull=True))
            self._by_path = {}
            for body in IssuingBody.objects.select_related("unit").prefetch_related(signing):
                issuer = issuer_of(body)
                self._by_id[body.pk] = issuer
                # One that is for no unit and not the usual one cannot be: the first without unit is the usual one.
                self._by_path[body.unit.path if body.unit is not None else ""] = issuer
        return self._by_path


def issuer_of(body: IssuingBody) -> Issuer:
    signing = [signatory for signatory in body.signatories.all() if signatory.ended_at is None]
    return Issuer(
        tidy(body.name), tuple(_signer(s) for s in signing[:MOST_SIGNATORIES]), body.colour, body.logo_id or ""
    )


def _signer(signatory: Signatory) -> Signer:
    return Signer(tidy(signatory.name), tidy(signatory.title))


class Definitions:
    """The definitions in force of some kinds. Two queries, when the first is asked for.

    `supposing` asks "what if": as if this one were in force, too.
    """

    def __init__(self, *kinds: str, supposing: Definition | None = None) -> None:
        self._kinds = kinds
        self._supposing = supposing
        self._found: dict[tuple[object, ...], dict[str, Definition]] | None = None

    def of(self, thing: tuple[object, ...], workplaces: Collection[str]) -> Definition | None:
        """The one that applies to somebody who works there, and to this thing."""
        if self._found is None:
            self._found = defaultdict(dict)
            for definition in Definition.objects.active().filter(kind__in=self._kinds).whole():
                self._found[definition.thing][definition.unit_path] = definition
            if self._supposing is not None:
                self._found[self._supposing.thing][self._supposing.unit_path] = self._supposing
        return nearest(self._found.get(thing, {}), workplaces)


# --- What somebody has already -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Had:
    """The newest certificate of somebody by a definition, to be followed by another."""

    last: Last
    certificate_id: int
    serial: str


def had_by(definition_ids: Collection[int], person_ids: Collection[int]) -> dict[tuple[int, int], Had]:
    """By definition and holder, of what nothing took the place of. One query.

    Newest is what counts longest; what was revoked only where nothing else is there.
    """
    fields = (
        "definition_id", "holder_id", "period", "pk", "serial", "issued_on", "valid_until", "superseded_by",
        "revocation__revoked_at",
    )  # fmt: skip
    rows = Certificate.objects.filter(definition__in=definition_ids, holder__in=person_ids).order_by("pk")
    # A name corrected later does not make what was shown before look older: the day is that of the first of its period.
    first: dict[tuple[int, int, int], date] = {}
    found: dict[tuple[int, int], tuple[tuple[object, ...], Had]] = {}
    for definition_id, holder_id, period, pk, serial, issued_on, valid_until, newer, revoked_at in rows.values_list(
        *fields
    ):
        issued_on = first.setdefault((definition_id, holder_id, period), issued_on)
        if newer is not None:
            continue
        revoked_on = None if revoked_at is None else local_day(revoked_at)
        had = Had(Last(period, issued_on, valid_until, revoked_on), pk, serial)
        rank = (revoked_on is None, period, valid_until or date.max, pk)
        key = (definition_id, holder_id)
        if key not in found or rank > found[key][0]:
            found[key] = (rank, had)
    return {key: had for key, (_rank, had) in found.items()}


def local_day(moment: datetime) -> date:
    """The date in the installation's own time zone, whoever asks from wherever."""
    return timezone.localtime(moment, timezone.get_default_timezone()).date()


# --- Words -------------------------------------------------------------------------------------------------------
def document_language(*wishes: str) -> str:
    """The first of the wished languages that the installation speaks, else its own."""
    spoken = dict(settings.LANGUAGES)
    return next((language for language in wishes if language in spoken), settings.LANGUAGE_CODE)


def in_language(words: LazyI18nString, language: str) -> tuple[str, str]:
    """A text and its language: the wished one if it was written in that, else the installation's, else the first."""
    data = words.data
    if not isinstance(data, dict):
        return tidy(str(data or "")), settings.LANGUAGE_CODE
    written = {code: text for code, text in data.items() if text}
    for code in (language, settings.LANGUAGE_CODE, *written):
        if code in written:
            return tidy(str(written[code])), code
    return "", language


def criteria_in(definition: Definition | None, kind: str, language: str, *, assessed: bool = True) -> str:
    """What it took, in the document's language: HR's words where they were written in it, else the usual ones."""
    if definition is not None:
        words, spoken = in_language(definition.criteria, language)
        if words and spoken == language:
            return words
    with translation.override(language):
        return usual_criteria(kind, definition, assessed=assessed)


def usual_criteria(kind: str, definition: Definition | None = None, *, assessed: bool = True) -> str:
    """A sentence in the language that is active."""
    if kind == Kind.COURSE:
        return _("Complete every lesson and pass the final check.") if assessed else _("Complete every lesson.")
    if kind == Kind.PATH:
        return _("Complete every course that the learning path asks for, and as many of each choice as it asks for.")
    if kind == Kind.LEVEL and definition is not None and definition.competency is not None:
        return _("Show “%(level)s” in “%(competency)s” by evidence that counts under the published rules.") % {
            "level": definition.level.label if definition.level is not None else "",
            "competency": definition.competency,
        }
    return _(
        "Show the required level in each competency of the role, by evidence that counts under the published rules."
    )
