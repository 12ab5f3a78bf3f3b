"""The demo ministry: who issues and signs its certificates, and what else than courses it certifies."""

from __future__ import annotations

from datetime import timedelta

from wagtail.models import ModelLogEntry

from certificates.awarding import award
from certificates.defining import (
    AWARD_DEFINITION,
    Said,
    activate_definition,
    add_signatory,
    make_body,
    make_definition,
)
from certificates.enums import Kind
from certificates.models import Definition, IssuingBody
from competencies.demo import Starter
from learning.demo_paths import KEY
from learning.models import CuratedPath
from organisations.demo import Ministry, moment
from organisations.enums import JobState
from organisations.models import Job

NAME = "Ministry of Public Services"
COLOUR = "#1B4965"
# Nobody of the ministry: who signs is above those who work in it.
SIGNATORIES = (
    ("Eleni Papadakis", "Minister of Public Services"),
    ("Daniel Okafor", "Chair of the Board for Digital Careers"),
)
CISO_TITLE = {
    "en": "Certified CISO of the public administration",
    "es": "CISO certificado de la administración pública",
}
CISO_CRITERIA = {
    "en": "Hold the office and show every level that the role of Chief Information Security Officer requires, by evidence "
    "that counts under the published rules.",
    "es": "Ejercer el cargo y demostrar cada nivel que exige el rol de responsable de seguridad de la información, con "
    "evidencias que cuentan según las reglas publicadas.",
}
WELCOME_TITLE = {"en": "Leads a team in digital government", "es": "Dirige un equipo en el gobierno digital"}
CHANGE_TITLE = {"en": "Leads change in the administration", "es": "Lidera el cambio en la administración"}


def lay_down_bodies(ministry: Ministry) -> IssuingBody:
    """Before anything is issued: certificates of the ministry's people bear its name and two signatures."""
    officer = ministry.account("hr").user
    unit = next(place.unit for place in ministry.places if place.code == "MPS")
    body = make_body(name=NAME, unit=unit, colour=COLOUR, by=officer)
    for name, title in SIGNATORIES:
        add_signatory(body=body, name=name, title=title, by=officer)
    return body


def certify(ministry: Ministry, starter: Starter, body: IssuingBody) -> int:
    """Put three definitions in force and issue what they give on the last day; returns how many certificates that were.

    A role that nobody meets yet, a level that some have shown, and a path that waits as a draft.
    """
    officer = ministry.account("hr").user
    role = Said(
        kind=Kind.ROLE, title=CISO_TITLE, criteria=CISO_CRITERIA, unit=body.unit, role=starter.profiles["ciso"],
        validity_months=36, renewal_months=6, body=body,
    )  # fmt: skip
    path = Said(
        kind=Kind.PATH, title=WELCOME_TITLE, unit=body.unit, path=CuratedPath.objects.get(key=KEY), validity_months=36
    )
    change = starter.competencies["PC1"]
    level = Said(
        kind=Kind.LEVEL, title=CHANGE_TITLE, unit=body.unit, competency=change,
        level=change.version.levels.get(rank=4), validity_months=24,
    )  # fmt: skip
    begun_at, evening = moment(ministry.ago(20), 9 * 60), moment(ministry.last_day, 18 * 60 + 30)
    written = 0
    for number, said in enumerate((role, level, path)):
        definition = make_definition(said=said, by=officer)
        if said.kind != Kind.PATH:
            activate_definition(definition=definition, by=officer)
            written += award(definition=definition, at=evening, tell=False)
        at = begun_at + timedelta(hours=number)
        Definition.objects.filter(pk=definition.pk).update(created_at=at)
        for step, entry in enumerate(ModelLogEntry.objects.for_instance(definition).order_by("pk")):
            ModelLogEntry.objects.filter(pk=entry.pk).update(timestamp=at + timedelta(minutes=20 * step))
    # What the services ask for has been done above.
    Job.objects.filter(kind=AWARD_DEFINITION, state=JobState.QUEUED).delete()
    return written
