"""What a certificate would look like: a claim like those a definition gives, marked as a sample and never stored."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from certificates.applying import Bodies, Issuer, criteria_in, document_language, in_language, issuer_of
from certificates.awarding import LevelsAsked, PathAsked
from certificates.criteria import months_after
from certificates.defining import Said
from certificates.enums import Kind
from certificates.models import Definition
from certificates.outcomes import Steps, outcome_of
from certificates.record import Claim, tidy
from certificates.record import Signatory as Signer
from competencies.models import Competency, ProficiencyLevel
from courses.models import CourseOutcome

# Of the form of a code, and none: whoever follows it is told that there is no such certificate.
CODE, SERIAL = "X" * 10, "0000-000000"
MOST_OUTCOMES = 12


def sample_claim(said: Said, *, reader: str, day: date) -> Claim:
    """The claim of a sample, as it would be issued on a day; `reader` is the language of who looks at it."""
    definition = Definition(**said.columns())
    language = document_language(said.language, reader)
    title, title_language = in_language(definition.title, language)
    issuer = _issuer(said)
    steps = Steps()
    shown = _outcomes(definition, day)
    steps.learn(competency.version_id for competency, _level in shown)
    with translation.override(language):
        holder = _("Sample Name")
        title = _("SAMPLE: %(title)s") % {"title": title}
    return Claim(
        serial=SERIAL,
        code=CODE,
        url=f"{settings.SITE_URL}/verify/{CODE}/",
        holder=holder,
        title=title,
        key="sample",
        title_language=title_language,
        revision=None,
        outcomes=tuple(outcome_of(competency, level, language, steps) for competency, level in shown[:MOST_OUTCOMES]),
        effort_minutes=said.course.effort_minutes if said.course is not None else 0,
        assessed=True,
        score_pct=None,
        completed_on=day,
        issued_on=day,
        valid_until=months_after(day, said.validity_months),
        issuer=issuer.name,
        language=language,
        kind=said.kind,
        definition="sample",
        criteria=criteria_in(definition, said.kind, language),
        signatories=issuer.signatories,
        look=issuer.look(definition),
    )


def _issuer(said: Said) -> Issuer:
    if said.body is None:
        return Bodies().of(None, [said.unit.path] if said.unit is not None else [])
    issuer = issuer_of(said.body)
    named = tuple(Signer(tidy(s.name), tidy(s.title)) for s in said.signatories)
    return Issuer(issuer.name, named or issuer.signatories, issuer.colour, issuer.logo)


def _outcomes(definition: Definition, day: date) -> list[tuple[Competency, ProficiencyLevel | None]]:
    """What it would say was shown, were everything done."""
    if definition.kind == Kind.COURSE:
        rows = CourseOutcome.objects.filter(course=definition.course).order_by("sort_order", "pk")
        return [(row.competency, row.level) for row in rows.select_related("competency__version__framework", "level")]
    if definition.kind == Kind.PATH:
        highest: dict[int, CourseOutcome] = {}
        for rows_of_course in PathAsked(definition, day).outcomes.values():
            for row in rows_of_course:
                before = highest.get(row.competency_id)
                if before is None or _rank(row) > _rank(before):
                    highest[row.competency_id] = row
        return [(row.competency, row.level) for row in highest.values()]
    asked = LevelsAsked(definition, day)
    return [(asked.competencies[r.competency_id], asked.level_of(r)) for r in asked.required]


def _rank(outcome: CourseOutcome) -> int:
    return outcome.level.rank if outcome.level is not None else 0
