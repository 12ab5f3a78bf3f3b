"""Laying down certificates: by which criteria they are given, in whose name, under whose names.

Each act is one transaction, asked for twice it is done once, and stands in the audit log with its author. What may not
be done is said in a sentence (`DefinitionRefused`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from i18nfield.strings import LazyI18nString
from wagtail.log_actions import log

from certificates.enums import DefinitionStatus, Design, Kind
from certificates.logos import LogoRefused, stored_logo
from certificates.models import Definition, IssuingBody, Signatory
from certificates.models.defining import COLOUR
from certificates.perms import may_define
from certificates.record import tidy
from competencies.models import Competency, ProficiencyLevel, RoleProfile
from competencies.selectors import given_profiles, needs_of, profiles_in_force
from courses.models import CoursePage
from learning.curated import published_stages
from learning.models import CuratedPath
from organisations.jobs import enqueue
from organisations.models import Unit, User

AWARD_DEFINITION: Final = "certificates.award_definition"
MOST_TITLE, MOST_CRITERIA, MOST_NAME, MOST_SIGNER, MOST_SIGNER_TITLE = 200, 600, 200, 120, 160
MOST_MONTHS, MOST_RENEWAL_MONTHS, MOST_SIGNATORIES = 600, 60, 3
KEY_LENGTH = 80
SUBJECTS: Final[dict[str, tuple[str, ...]]] = {
    Kind.COURSE: ("course",),
    Kind.PATH: ("path",),
    Kind.LEVEL: ("competency", "level"),
    Kind.ROLE: ("role",),
}
Words = Mapping[str, str]


class DefinitionRefused(ValueError):
    """What was asked for cannot be laid down; the text is a sentence for whoever asked. `field`: where."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Said:
    """What HR says of a certificate. Just what its kind needs of `course` … `role`; texts by language code."""

    kind: str
    title: Words
    unit: Unit | None = None
    course: CoursePage | None = None
    path: CuratedPath | None = None
    competency: Competency | None = None
    level: ProficiencyLevel | None = None
    role: RoleProfile | None = None
    criteria: Words = field(default_factory=dict)
    validity_months: int | None = None
    renewal_months: int = 3
    language: str = ""
    design: str = Design.FORMAL
    body: IssuingBody | None = None
    signatories: tuple[Signatory, ...] = ()

    def columns(self) -> dict[str, Any]:
        """As the table keeps it, but for the signatories."""
        return {
            "kind": self.kind, "unit": self.unit, "course": self.course, "path": self.path,
            "competency": self.competency, "level": self.level, "role": self.role,
            "title": _stored(self.title), "criteria": _stored(self.criteria), "validity_months": self.validity_months,
            "renewal_months": self.renewal_months, "language": self.language, "design": self.design, "body": self.body,
        }  # fmt: skip


def said_of(definition: Definition) -> Said:
    """What a definition says, to be said again with changes. One query."""
    fields = (
        "kind", "unit", "course", "path", "competency", "level", "role", "validity_months", "renewal_months",
        "language", "design", "body",
    )  # fmt: skip
    return Said(
        title=_words(definition.title),
        criteria=_words(definition.criteria),
        signatories=tuple(definition.signatories.all()),
        **{name: getattr(definition, name) for name in fields},
    )


# --- Definitions -------------------------------------------------------------------------------------------------
@transaction.atomic
def make_definition(*, said: Said, by: User) -> Definition:
    """Begin a definition: a draft, by which nothing is issued. The same said again by the same officer gives the one
    there is. Raises DefinitionRefused."""
    said = _checked(said, by)
    wanted = Definition(**said.columns())
    begun = Definition.objects.filter(created_by=by, status=DefinitionStatus.DRAFT, kind=said.kind, unit=said.unit)
    for draft in begun.whole():
        if draft.thing == wanted.thing and draft.title == wanted.title:
            return draft
    definition = _new(wanted, by)
    definition.signatories.set(said.signatories)
    log(instance=definition, action="certificates.make_definition", user=by, data={"kind": said.kind})
    return definition


def _new(definition: Definition, by: User) -> Definition:
    definition.created_by = by
    root = slugify(_main(definition.title.data))[: KEY_LENGTH - 8].strip("-") or "certificate"
    taken = set(Definition.objects.filter(key__startswith=root).values_list("key", flat=True))
    number = 1
    while True:
        definition.key = root if number == 1 else f"{root}-{number}"
        if definition.key not in taken:
            try:
                with transaction.atomic():
                    definition.save(force_insert=True)
                return definition
            except IntegrityError:  # somebody else was faster with this key
                definition.pk = None
        number += 1


@transaction.atomic
def change_definition(*, definition: Definition, said: Said, by: User) -> Definition:
    """Change what it says. In force it gets another revision: what was issued keeps what it said, and what it is given
    for, and for whose people, stays. Saying the same again changes nothing. Raises DefinitionRefused.
    """
    definition = _hold(definition, by)
    if definition.status == DefinitionStatus.RETIRED:
        raise DefinitionRefused(_("It is no longer issued and does not change any more."))
    said = _checked(said, by)
    if said.kind != definition.kind:
        raise DefinitionRefused(_("What kind of thing it is given for does not change: define another certificate."))
    wanted = Definition(**said.columns())
    in_force = definition.status == DefinitionStatus.ACTIVE
    if in_force and wanted.thing != definition.thing:
        raise DefinitionRefused(
            _("It is in force: what it is given for does not change. Define another certificate."),
            SUBJECTS[said.kind][-1],
        )
    if in_force and wanted.unit_id != definition.unit_id:
        raise DefinitionRefused(
            _("It is in force: for whose people it is does not change. Define another certificate."), "unit"
        )
    columns = said.columns()
    changed = sorted(name for name, value in columns.items() if getattr(definition, name) != value)
    signing = {signatory.pk for signatory in said.signatories}
    if signing != {signatory.pk for signatory in definition.signatories.all()}:
        changed.append("signatories")
    if not changed:
        return definition
    for name, value in columns.items():
        setattr(definition, name, value)
    if in_force:
        definition.revision += 1
    definition.save()
    definition.signatories.set(said.signatories)
    data = {"what": changed, "revision": definition.revision}
    log(instance=definition, action="certificates.change_definition", user=by, data=data)
    return definition


@transaction.atomic
def activate_definition(*, definition: Definition, by: User) -> Definition:
    """Put it in force: who meets its criteria gets the certificate, today and from now on. Twice is once.

    Raises DefinitionRefused where another one is in force for the same thing and unit, or nobody could ever meet it.
    """
    definition = _hold(definition, by)
    if definition.status == DefinitionStatus.ACTIVE:
        return definition
    if definition.status == DefinitionStatus.RETIRED:
        raise DefinitionRefused(_("It is no longer issued. Define another certificate."))
    # All of a kind are the lock: of two officers who put two of them in force, the second finds the first.
    list(Definition.objects.select_for_update(of=("self",)).filter(kind=definition.kind).values_list("pk"))
    for other in Definition.objects.active().filter(kind=definition.kind, unit=definition.unit).whole():
        if other.thing == definition.thing:
            raise DefinitionRefused(
                _("“%(title)s” is in force for the same thing and the same people. End that one first, or change it.")
                % {"title": other.title}
            )
    _check_can_be_met(definition)
    definition.status = DefinitionStatus.ACTIVE
    definition.save(update_fields=["status"])
    log(instance=definition, action="certificates.activate_definition", user=by, data={"revision": definition.revision})
    if definition.kind != Kind.COURSE:  # a course's certificate comes with passing it
        enqueue(kind=AWARD_DEFINITION, key=str(definition.pk), payload={"definition": definition.pk}, by=by)
    return definition


def _check_can_be_met(definition: Definition) -> None:
    """Raises DefinitionRefused where what it is given for is not there, or asks for nothing."""
    if definition.course is not None:
        if not CoursePage.objects.offered().filter(key=definition.course.key).exists():
            raise DefinitionRefused(_("This course is not offered, so nobody could pass it."))
    elif definition.path is not None:
        if definition.path.archived_at is not None or not published_stages([definition.path.pk]).get(
            definition.path.pk
        ):
            raise DefinitionRefused(_("This path has no version that is published, so nobody could complete it."))
    elif definition.competency is not None:
        if not Competency.objects.published().filter(lineage=definition.competency.lineage).exists():
            raise DefinitionRefused(_("This competency is in no framework that is in force."))
    elif definition.role is not None:
        in_force = profiles_in_force(given_profiles([definition.role.pk]))
        required = needs_of(in_force.values()).required
        if not any(required.get(profile.profile_id) for profile in in_force.values()):
            raise DefinitionRefused(_("This role requires nothing, so there is nothing to certify."))


@transaction.atomic
def retire_definition(*, definition: Definition, by: User) -> Definition:
    """Nothing is issued by it any more; what was issued stays valid until its own end. Twice is once."""
    definition = _hold(definition, by)
    if definition.status != DefinitionStatus.RETIRED:
        definition.status = DefinitionStatus.RETIRED
        definition.save(update_fields=["status"])
        log(instance=definition, action="certificates.retire_definition", user=by)
    return definition


def _hold(definition: Definition, by: User) -> Definition:
    """The row as it is now, locked; DefinitionRefused for who may not."""
    Definition.objects.select_for_update(of=("self",)).filter(pk=definition.pk).first()
    row = Definition.objects.whole().get(pk=definition.pk)
    _check_may(by, row.unit)
    return row


def _check_may(by: User, unit: Unit | None) -> None:
    if may_define(by, unit):
        return
    if unit is None:
        raise DefinitionRefused(_("What is for everybody is for administrators: choose a unit you serve."), "unit")
    raise DefinitionRefused(_("This unit is not among those you serve."), "unit")


def _checked(said: Said, by: User) -> Said:
    """The same, tidied. Raises DefinitionRefused."""
    _check_may(by, said.unit)
    if said.kind not in Kind.values:
        raise DefinitionRefused(_("Choose what the certificate is given for."), "kind")
    for kind, names in SUBJECTS.items():
        for name in names:
            if (getattr(said, name) is not None) != (kind == said.kind):
                where = SUBJECTS[said.kind][0]
                raise DefinitionRefused(
                    _("Say what the certificate is given for: one thing, of the kind chosen."), where
                )
    if said.competency is not None and said.level is not None and said.level.version_id != said.competency.version_id:
        raise DefinitionRefused(_("This level belongs to another framework than the competency."), "level")
    if said.level is not None and not said.level.rank:
        raise DefinitionRefused(_("This level shows nothing yet: choose a higher one."), "level")
    title, criteria = _tidied(said.title), _tidied(said.criteria)
    if not title.get(settings.LANGUAGE_CODE):
        raise DefinitionRefused(_("Write the title as it is to stand on the certificate."), "title")
    if any(len(text) > MOST_TITLE for text in title.values()):
        raise DefinitionRefused(_("Write the title in 200 characters at most."), "title")
    if any(len(text) > MOST_CRITERIA for text in criteria.values()):
        raise DefinitionRefused(_("Write the criteria in 600 characters at most."), "criteria")
    if said.validity_months is not None and not 1 <= said.validity_months <= MOST_MONTHS:
        raise DefinitionRefused(_("Write how many months it is valid, from 1 to 600, or nothing."), "validity_months")
    if not 0 <= said.renewal_months <= MOST_RENEWAL_MONTHS:
        raise DefinitionRefused(_("Write a number of months from 0 to 60."), "renewal_months")
    if said.validity_months is not None and said.renewal_months >= said.validity_months:
        raise DefinitionRefused(
            _("It could be renewed on the day it is issued: choose fewer months than it is valid."), "renewal_months"
        )
    if said.language not in {"", *dict(settings.LANGUAGES)}:
        raise DefinitionRefused(_("Choose a language of this installation."), "language")
    if said.design not in Design.values:
        raise DefinitionRefused(_("Choose one of the designs."), "design")
    _check_body(said, by)
    return Said(**{**_values(said), "title": title, "criteria": criteria})


def _check_body(said: Said, by: User) -> None:
    """In nobody's name but her own units', those above, or the usual one."""
    body = said.body
    if body is not None and body.unit is not None and not by.is_superuser:
        own = said.unit.path if said.unit is not None else ""
        if not (own.startswith(body.unit.path) or may_define(by, body.unit)):
            raise DefinitionRefused(_("This body does not issue certificates for the people of this unit."), "body")
    if len(said.signatories) > MOST_SIGNATORIES:
        raise DefinitionRefused(_("Three sign at most."), "signatories")
    for signatory in said.signatories:
        if body is None or signatory.body_id != body.pk or signatory.ended_at is not None:
            raise DefinitionRefused(_("Choose those who sign from the signatories of the body."), "signatories")


def _values(said: Said) -> dict[str, Any]:
    return {name: getattr(said, name) for name in said.__dataclass_fields__}


def _tidied(words: Words) -> dict[str, str]:
    spoken = dict(settings.LANGUAGES)
    return {code: text for code, given in words.items() if code in spoken and (text := tidy(given))}


def _stored(words: Words) -> LazyI18nString:
    return LazyI18nString(dict(words))


def _words(stored: Any) -> dict[str, str]:
    data = getattr(stored, "data", stored) or {}
    return {settings.LANGUAGE_CODE: data} if isinstance(data, str) else {code: str(text) for code, text in data.items()}


def _main(data: Any) -> str:
    return _words(data).get(settings.LANGUAGE_CODE, "")


# --- Issuing bodies ----------------------------------------------------------------------------------------------
@transaction.atomic
def make_body(*, name: str, unit: Unit | None, colour: str = COLOUR, by: User) -> IssuingBody:
    """A body in whose name certificates of a unit and those below are issued; one a unit. Asked for twice it is one.

    Raises DefinitionRefused.
    """
    _check_may(by, unit)
    name, colour = _checked_body(name, colour)
    there = IssuingBody.objects.filter(unit=unit).first()
    if there is None:
        try:
            with transaction.atomic():
                body = IssuingBody.objects.create(name=name, unit=unit, colour=colour)
        except IntegrityError:  # two officers at once
            there = IssuingBody.objects.get(unit=unit)
    if there is not None:
        if (there.name, there.colour) == (name, colour):
            return there
        raise DefinitionRefused(
            _("“%(name)s” issues the certificates of these people already. Change that one.") % {"name": there.name},
            "unit",
        )
    log(instance=body, action="certificates.make_body", user=by)
    return body


@transaction.atomic
def change_body(*, body: IssuingBody, name: str, colour: str, by: User) -> IssuingBody:
    """Its name and colour from now on; what was issued keeps both. Raises DefinitionRefused."""
    body = _hold_body(body, by)
    name, colour = _checked_body(name, colour)
    if (body.name, body.colour) != (name, colour):
        body.name, body.colour = name, colour
        body.save(update_fields=["name", "colour"])
        log(instance=body, action="certificates.change_body", user=by)
    return body


@transaction.atomic
def change_logo(*, body: IssuingBody, content: bytes | None, by: User) -> IssuingBody:
    """Give it another picture (PNG or JPEG as uploaded), or none. What was issued keeps the one it had.

    Raises DefinitionRefused for what is no such picture, or too large.
    """
    body = _hold_body(body, by)
    try:
        logo = stored_logo(content) if content is not None else None
    except LogoRefused as refused:
        raise DefinitionRefused(str(refused), "logo") from refused
    if body.logo_id != (logo.pk if logo is not None else None):
        body.logo = logo
        body.save(update_fields=["logo"])
        log(instance=body, action="certificates.change_logo", user=by, data={"logo": body.logo_id})
    return body


@transaction.atomic
def add_signatory(*, body: IssuingBody, name: str, title: str, by: User) -> Signatory:
    """Somebody who puts her name under the certificates of a body; the same name and title is added once.

    Raises DefinitionRefused.
    """
    body = _hold_body(body, by)
    name, title = tidy(name), tidy(title)
    if not name or len(name) > MOST_SIGNER:
        raise DefinitionRefused(_("Write the name of who signs, in 120 characters at most."), "name")
    if not title or len(title) > MOST_SIGNER_TITLE:
        raise DefinitionRefused(_("Write as what she or he signs, in 160 characters at most."), "title")
    signing = list(body.signatories.all())
    there = next((s for s in signing if (s.name, s.title, s.ended_at) == (name, title, None)), None)
    if there is not None:
        return there
    position = max((signatory.position for signatory in signing), default=0) + 1
    signatory = Signatory.objects.create(body=body, name=name, title=title, position=position)
    log(instance=body, action="certificates.add_signatory", user=by, data={"name": name, "title": title})
    return signatory


@transaction.atomic
def end_signatory(*, signatory: Signatory, by: User, at: datetime | None = None) -> Signatory:
    """She signs no more; what she signed stays signed. Twice is once."""
    body = _hold_body(signatory.body, by)
    signatory = Signatory.objects.get(pk=signatory.pk)
    if signatory.ended_at is None:
        signatory.ended_at = at or timezone.now()
        signatory.save(update_fields=["ended_at"])
        log(instance=body, action="certificates.end_signatory", user=by, data={"name": signatory.name})
    return signatory


def _hold_body(body: IssuingBody, by: User) -> IssuingBody:
    row = IssuingBody.objects.select_for_update(of=("self",)).select_related("unit").get(pk=body.pk)
    _check_may(by, row.unit)
    return row


def _checked_body(name: str, colour: str) -> tuple[str, str]:
    name = tidy(name)
    if not name:
        raise DefinitionRefused(_("Write the name as it is to stand on the certificate."), "name")
    if len(name) > MOST_NAME:
        raise DefinitionRefused(_("Write the name in 200 characters at most."), "name")
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", colour):
        raise DefinitionRefused(_("Write the colour as # and six of 0-9 and A-F."), "colour")
    return name, colour.upper()
