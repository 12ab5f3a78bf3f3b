"""Certificates for paths, levels and roles: who meets the criteria of a definition gets one, explained from its record.

Read in batches of people: the number of queries depends on batches, never on people. Doing it twice leaves the same
state. The rules themselves are pure (certificates/criteria.py, learning/rounds.py).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from i18nfield.strings import LazyI18nString

from certificates.applying import (
    Bodies,
    Definitions,
    Had,
    Workplaces,
    criteria_in,
    document_language,
    had_by,
    in_language,
    local_day,
)
from certificates.award_mails import tell_awarded
from certificates.codes import new_code
from certificates.criteria import Piece, Term, met_on, next_term, pieces_showing
from certificates.enums import DefinitionStatus, Kind
from certificates.models import Certificate, Definition
from certificates.outcomes import Steps, outcome_of
from certificates.record import Claim, Ground, Outcome, tidy
from certificates.services import complete
from certificates.writing import Draft, certified, write_certificates
from competencies.enums import DEFAULT_IMPORTANCE, EvidenceKind
from competencies.gaps import Required, merge_requirements
from competencies.levels import NOTHING_HELD
from competencies.models import Competency, Evidence, ProficiencyLevel, RoleAssignment
from competencies.selectors import NOTHING_SUPPOSED, given_profiles, levels_in, needs_of, profiles_in_force
from competencies.selectors.editions import Place, places_of
from competencies.selectors.standings import brought_forward
from courses.models import CourseOutcome, Enrolment
from learning.curated import stages_of
from learning.enums import CuratedStatus
from learning.models import CuratedVersion
from learning.rounds import InForce, Need, kept_on
from learning.stages import Stage
from organisations.models import Appointment, User

BATCH = 500
# So many pieces are named under an outcome: the newest.
MOST_GROUNDS = 5
# A dry run looks at so many people at most.
MOST_LOOKED_AT, MOST_NAMES = 2000, 10

Progress = Callable[[int, int], None]


# --- What somebody has shown -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Source:
    """What shows an outcome, before it is put into the words of a language."""

    kind: str
    assessed: bool
    said: LazyI18nString | str
    on: date

    def words(self, language: str) -> Ground:
        """In the language that is active, which is `language`."""
        said = in_language(self.said, language)[0] if isinstance(self.said, LazyI18nString) else tidy(self.said)
        if self.kind == EvidenceKind.COURSE:
            return Ground(_("Course passed") if self.assessed else _("Course completed"), said, self.on)
        return Ground(str(EvidenceKind(self.kind).label), said, self.on)


@dataclass(frozen=True)
class Shown:
    """A competency, the level that is certified, and what shows it, the newest first."""

    competency: Competency
    level: ProficiencyLevel | None
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Met:
    """That somebody meets all that is asked, since when, and what shows it."""

    completed_on: date
    shown: tuple[Shown, ...]
    effort_minutes: int = 0
    assessed: bool = True
    revision: int | None = None


class Asked(ABC):
    """What a definition asks for, read once."""

    def __init__(self, definition: Definition, day: date) -> None:
        self.definition, self.day = definition, day

    @property
    @abstractmethod
    def key(self) -> str:
        """What it is given for, in our own terms."""

    @abstractmethod
    def considered(self) -> Q:
        """Who can meet it at all, as a condition on people."""

    @abstractmethod
    def met_by(self, since: Mapping[int, date | None]) -> dict[int, Met]:
        """Who of these people meets it, by id. What shows it must be later than the day given, where one is."""


class LevelsAsked(Asked):
    """Levels in one competency or in all that a role requires, as they count in the editions in force."""

    def __init__(self, definition: Definition, day: date) -> None:
        super().__init__(definition, day)
        required, competencies, self.places = self._needs()
        self.required = [r for r in _in_order(required) if r.rank_needed > 0]
        self.competencies = competencies
        versions = {self.competencies[r.competency_id].version_id for r in self.required}
        self.levels = {
            (level.version_id, level.rank): level for level in ProficiencyLevel.objects.filter(version__in=versions)
        }

    def _needs(self) -> tuple[Sequence[Required], Mapping[int, Competency], Mapping[int, Place]]:
        definition = self.definition
        if definition.role is not None:
            in_force = profiles_in_force(given_profiles([definition.role.pk]))
            needs = needs_of(in_force.values())
            [profile] = in_force.values()
            return needs.required.get(profile.profile_id, ()), needs.competencies, needs.places
        if definition.competency is None or definition.level is None:
            return (), {}, {}
        competency = definition.competency
        one = Required(competency.pk, competency.version_id, definition.level.rank, DEFAULT_IMPORTANCE)
        required, competencies = brought_forward({0: [one]}, {competency.pk: competency}, NOTHING_SUPPOSED)
        return required[0], competencies, places_of(competencies.values(), NOTHING_SUPPOSED)

    @property
    def key(self) -> str:
        definition = self.definition
        if definition.role is not None:
            return definition.role.code
        return definition.competency.code if definition.competency is not None else ""

    def considered(self) -> Q:
        role = self.definition.role
        if role is None:
            lineages = {place.lineage for place in self.places.values()}
            lineages |= {other.lineage for place in self.places.values() for other in place.counterparts}
            known = Evidence.objects.standing().filter(competency__lineage__in=lineages)
            return Q(pk__in=known.order_by().values("person_id"))
        by_post = Appointment.objects.current(self.day).filter(post__post_roles__profile__lineage=role.lineage)
        assigned = RoleAssignment.objects.current(self.day).filter(profile__lineage=role.lineage)
        return Q(pk__in=by_post.order_by().values("person_id")) | Q(pk__in=assigned.order_by().values("person_id"))

    def met_by(self, since: Mapping[int, date | None]) -> dict[int, Met]:
        if not self.required:
            return {}
        levels = levels_in(list(since), self.places, as_of=self.day)
        met: dict[int, tuple[date, list[tuple[Piece, ...]]]] = {}
        for person_id, later_than in since.items():
            shown = [
                pieces_showing(levels[person_id].get(r.competency_id, NOTHING_HELD), r.rank_needed)
                for r in self.required
            ]
            on = met_on(shown, later_than)
            if on is not None:
                met[person_id] = on, shown
        ids = {p.evidence_id for _on, shown in met.values() for pieces in shown for p in pieces[:MOST_GROUNDS]}
        rows = {
            pk: (kind, assessed, source)
            for pk, kind, assessed, source in Evidence.objects.filter(pk__in=ids).values_list(
                "pk", "kind", "assessed", "source"
            )
        }
        return {
            person_id: Met(
                on,
                tuple(
                    Shown(
                        self.competencies[r.competency_id],
                        self.level_of(r),
                        tuple(Source(*rows[p.evidence_id], p.on) for p in pieces[:MOST_GROUNDS]),
                    )
                    for r, pieces in zip(self.required, shown, strict=True)
                ),
            )
            for person_id, (on, shown) in met.items()
        }

    def level_of(self, required: Required) -> ProficiencyLevel | None:
        version_id = self.competencies[required.competency_id].version_id
        return None if required.rank is None else self.levels.get((version_id, required.rank))


def _in_order(required: Sequence[Required]) -> list[Required]:
    """Each competency once, with the highest level asked for; the weightiest first."""
    merged = merge_requirements(required)
    return sorted(merged, key=lambda r: (-r.importance, r.competency_id))


class PathAsked(Asked):
    """All courses of the stages of a curated path, and of a stage with a choice as many as it asks for.

    What was asked for on the day it was completed counts: a later version takes nothing back (learning/rounds.py).
    """

    def __init__(self, definition: Definition, day: date) -> None:
        super().__init__(definition, day)
        rows = CuratedVersion.objects.filter(path=definition.path_id, published_at__isnull=False)
        rows = rows.filter(status__in=(CuratedStatus.PUBLISHED, CuratedStatus.SUPERSEDED))
        self.versions = list(rows.order_by("published_at", "number"))
        stages = stages_of(version.pk for version in self.versions)
        self.stages = [stages[version.pk] for version in self.versions]
        self.asked = [
            InForce(local_day(version.published_at), _needs_of(parts))
            for version, parts in zip(self.versions, self.stages, strict=True)
            if version.published_at is not None
        ]
        self.keys = {key for parts in self.stages for stage in parts for key in stage.keys}
        self.outcomes: dict[int, list[CourseOutcome]] = defaultdict(list)
        outcomes = CourseOutcome.objects.filter(course__key__in=self.keys).order_by("course", "sort_order", "pk")
        for outcome in outcomes.select_related("competency__version__framework", "level"):
            self.outcomes[outcome.course_id].append(outcome)

    @property
    def key(self) -> str:
        return self.definition.path.key if self.definition.path is not None else ""

    def considered(self) -> Q:
        begun = Enrolment.objects.completed().filter(course__key__in=self.keys)
        return Q(pk__in=begun.order_by().values("person_id"))

    def met_by(self, since: Mapping[int, date | None]) -> dict[int, Met]:
        done: dict[int, list[tuple[date, str, Enrolment]]] = defaultdict(list)
        rows = Enrolment.objects.completed().filter(person__in=list(since), course__key__in=self.keys)
        for row in rows.select_related("course").order_by("completed_at", "pk"):
            if row.completed_at is not None:
                done[row.person_id].append((local_day(row.completed_at), row.course.key, row))
        found = {}
        for person_id, later_than in since.items():
            opens_on = date.min if later_than is None else later_than + timedelta(days=1)
            taken = done.get(person_id, [])
            on = kept_on(self.asked, [(day, key) for day, key, _row in taken], opens_on, self.day)
            if on is not None:
                within = {key: (day, row) for day, key, row in taken if opens_on <= day <= on}
                found[person_id] = self._met(on, within)
        return found

    def _met(self, on: date, taken: Mapping[str, tuple[date, Enrolment]]) -> Met:
        """`taken`: by course key the day of the newest completion that counts, and the enrolment."""
        place = max(n for n, asked in enumerate(self.asked) if asked.from_day <= on)
        courses = [taken[key] for stage in self.stages[place] for key in stage.keys if key in taken]
        highest: dict[int, CourseOutcome] = {}
        assessed: dict[int, bool] = {}
        sources: dict[int, list[Source]] = defaultdict(list)
        for day, row in courses:
            for outcome in self.outcomes.get(row.course_id, ()):
                pk = outcome.competency_id
                sources[pk].append(Source(EvidenceKind.COURSE, row.assessed, row.course.title, day))
                rank = (row.assessed, outcome.level.rank if outcome.level is not None else 0)
                before = highest.get(pk)
                if before is None or rank > (assessed[pk], before.level.rank if before.level is not None else 0):
                    highest[pk], assessed[pk] = outcome, row.assessed
        return Met(
            completed_on=on,
            shown=tuple(
                Shown(
                    outcome.competency,
                    outcome.level if assessed[pk] else None,
                    tuple(sorted(sources[pk], key=lambda s: s.on, reverse=True)[:MOST_GROUNDS]),
                )
                for pk, outcome in highest.items()
            ),
            effort_minutes=sum(row.course.effort_minutes for _day, row in courses),
            assessed=any(row.assessed for _day, row in courses),
            revision=self.versions[place].number,
        )


def _needs_of(stages: Sequence[Stage]) -> tuple[Need, ...]:
    """A stage without courses asks for nothing."""
    return tuple(Need(frozenset(stage.keys), stage.needed) for stage in stages if stage.needed)


def asked_by(definition: Definition, day: date) -> Asked:
    return PathAsked(definition, day) if definition.kind == Kind.PATH else LevelsAsked(definition, day)


# --- Drafts ------------------------------------------------------------------------------------------------------
class Awarding:
    """A definition read whole, with what is beside it, to be asked for many people on one day."""

    def __init__(self, definition: Definition, day: date) -> None:
        self.definition = definition
        self.day = day
        self.asked = asked_by(definition, day)
        self._definitions = Definitions(definition.kind, supposing=definition)
        self._bodies = Bodies()
        self._steps = Steps()
        self._worded: dict[tuple[int, int | None, str], Outcome] = {}

    def people(self) -> QuerySet[User]:
        """Who is looked at: active people of the unit and below, or everybody, who can meet it at all."""
        people = User.objects.active().filter(self.asked.considered())
        if self.definition.unit_path:
            here = Appointment.objects.current(self.day).filter(post__unit__path__startswith=self.definition.unit_path)
            people = people.filter(pk__in=here.order_by().values("person_id"))
        return people

    def drafts(self, person_ids: Sequence[int]) -> list[Draft]:
        """What is to be issued to these people, in their order. As many queries for one as for a thousand."""
        workplaces = Workplaces()
        workplaces.learn(person_ids)
        had = had_by([self.definition.pk], person_ids)
        terms: dict[int, Term] = {}
        for person_id in person_ids:
            places = workplaces.on(person_id, self.day)
            applying = self._definitions.of(self.definition.thing, places)
            if applying is None or applying.pk != self.definition.pk:
                continue
            mine = had.get((self.definition.pk, person_id))
            term = next_term(
                mine.last if mine is not None else None,
                validity_months=self.definition.validity_months,
                renewal_months=self.definition.renewal_months,
                day=self.day,
            )
            if term is not None:
                terms[person_id] = term
        met = self.asked.met_by({person_id: term.since for person_id, term in terms.items()}) if terms else {}
        if not met:
            return []
        self._steps.learn(s.competency.version_id for one in met.values() for s in one.shown)
        people = User.objects.in_bulk(met)
        return [
            self._draft(people[pk], met[pk], terms[pk], had.get((self.definition.pk, pk)), workplaces.on(pk, self.day))
            for pk in person_ids
            if pk in met
        ]

    def _draft(self, person: User, met: Met, term: Term, had: Had | None, workplaces: Collection[str]) -> Draft:
        definition = self.definition
        language = document_language(definition.language, person.language)
        title, title_language = in_language(definition.title, language)
        issuer = self._bodies.of(definition, workplaces)
        renewed = had if term.renews else None
        with translation.override(language):
            outcomes = tuple(self._outcome(shown, language) for shown in met.shown)
        claim = Claim(
            serial="",
            code="",
            url="",
            holder=tidy(str(person)),
            title=title,
            key=self.asked.key,
            title_language=title_language,
            revision=met.revision,
            outcomes=outcomes,
            effort_minutes=met.effort_minutes,
            assessed=met.assessed,
            score_pct=None,
            completed_on=met.completed_on,
            issued_on=self.day,
            valid_until=term.valid_until,
            issuer=issuer.name,
            language=language,
            kind=definition.kind,
            definition=definition.reference,
            criteria=criteria_in(definition, definition.kind, language),
            signatories=issuer.signatories,
            look=issuer.look(definition),
            renews=renewed.serial if renewed is not None else "",
        )
        return Draft(
            claim=claim,
            holder_id=person.pk,
            definition_id=definition.pk,
            period=term.period,
            renews_id=renewed.certificate_id if renewed is not None else None,
        )

    def _outcome(self, shown: Shown, language: str) -> Outcome:
        key = (shown.competency.pk, shown.level.pk if shown.level is not None else None, language)
        if key not in self._worded:
            self._worded[key] = outcome_of(shown.competency, shown.level, language, self._steps)
        return replace(self._worded[key], grounds=tuple(source.words(language) for source in shown.sources))


# --- Awarding ----------------------------------------------------------------------------------------------------
def award(
    *,
    definition: Definition,
    only: Collection[int] | None = None,
    at: datetime | None = None,
    by: User | None = None,
    tell: bool = True,
    codes: Callable[[], str] = new_code,
    progress: Progress | None = None,
) -> int:
    """Issue what a definition in force gives on a day, with documents, to everybody or to these people; returns how many.

    Goes through people in batches: what a kill leaves undone the next run does. Twice is once. `tell` False sends no mail.
    """
    definition = Definition.objects.whole().get(pk=definition.pk)
    if definition.status != DefinitionStatus.ACTIVE or definition.kind == Kind.COURSE:
        return 0
    awarding = Awarding(definition, local_day(at or timezone.now()))
    people = awarding.people() if only is None else awarding.people().filter(pk__in=only)
    written = 0
    for done, ids in enumerate(_batches(people)):
        if progress is not None:
            progress(done, done + 1)
        drafts = awarding.drafts(ids)
        already = certified(drafts)
        fresh = [draft for draft in drafts if draft.key not in already]
        if fresh:
            written += len(_issue(fresh, by=by, tell=tell, codes=codes))
    return written


def _issue(drafts: Sequence[Draft], *, by: User | None, tell: bool, codes: Callable[[], str]) -> list[Certificate]:
    # The mail is asked for with the row: a kill loses both or neither. The document follows, and has a sweep of its own.
    with transaction.atomic():
        certificates = write_certificates(drafts, by=by, codes=codes)
        for certificate in certificates if tell else ():
            tell_awarded(certificate)
    complete(certificates)
    return certificates


def _batches(people: QuerySet[User]) -> Iterator[list[int]]:
    """By key, so that the tenth batch costs what the first does and nobody is met twice."""
    last = 0
    while ids := list(people.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield ids
        last = ids[-1]


@dataclass(frozen=True)
class Forecast:
    """Who would get it now: how many, the names of the first; whether more people were there than were looked at."""

    count: int
    names: tuple[str, ...]
    is_part: bool = False
    looked_at: int = 0

    @property
    def more(self) -> int:
        """How many are not named."""
        return self.count - len(self.names)


def forecast(definition: Definition, *, day: date) -> Forecast:
    """What putting a definition in force would issue on a day. Nothing is written."""
    if definition.kind == Kind.COURSE:
        return Forecast(0, ())
    awarding = Awarding(Definition.objects.whole().get(pk=definition.pk), day)
    holders: list[str] = []
    count = looked_at = 0
    for ids in _batches(awarding.people()):
        if looked_at >= MOST_LOOKED_AT:
            return Forecast(count, tuple(holders), True, looked_at)
        drafts = awarding.drafts(ids)
        looked_at += len(ids)
        count += len(drafts)
        holders += [draft.claim.holder for draft in drafts[: MOST_NAMES - len(holders)]]
    return Forecast(count, tuple(holders), False, looked_at)
