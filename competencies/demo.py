"""The demo ministry, second floor: roles of posts, what people say of themselves, what others say of them.

Pieces of evidence have the very form that competencies.services gives them; only the way is shorter (bulk statements,
no signals), so that ten thousand people take seconds. Course evidence belongs to the floor above.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from random import Random

from django.contrib.auth.models import Group

from competencies.enums import EvidenceKind
from competencies.gaps import Required, merge_requirements
from competencies.models import (
    Competency,
    Evidence,
    EvidenceWithdrawal,
    FrameworkVersion,
    PostRole,
    Requirement,
    RoleAssignment,
    RoleProfile,
)
from competencies.perms import BANK_MODELS, STEWARDS
from organisations.demo import BATCH, Member, Ministry, Words, i18n, moment, stream, workday_from, workdays

STARTER_SLUG = "public-digital-talent"
EVERYBODY = "public-servant"
# Which roles of the starter framework a kind of post carries; every post carries EVERYBODY beside them.
ROLES_OF_KIND: dict[str, tuple[str, ...]] = {
    "staff": (),
    "service-owner": ("digital-service-owner",),
    "data-steward": ("data-steward",),
    "hr-partner": ("hr-partner",),
    "change-lead": ("change-lead",),
    "team-lead": ("line-manager",),
    "head": ("line-manager",),
    "hr-head": ("hr-partner", "line-manager"),
    "change-head": ("change-lead", "line-manager"),
    "data-head": ("data-steward", "line-manager"),
    "cio": ("cio", "line-manager"),
    "cto": ("cto", "line-manager"),
    "ciso": ("ciso", "line-manager"),
    "cdio": ("cdio", "line-manager"),
}
# Who has come less far than this has not even assessed herself; from the second on, managers have had a look.
ASSESSED_FROM, RATED_FROM = 0.12, 0.3


class NotReady(ValueError):
    """What the demo ministry is built on is not there; the text is a sentence for whoever asked."""


@dataclass(frozen=True)
class Starter:
    """The starter framework as the demo needs it: by code."""

    competencies: Mapping[str, Competency]
    profiles: Mapping[str, RoleProfile]
    required: Mapping[str, tuple[Required, ...]]

    @cached_property
    def by_id(self) -> dict[int, Competency]:
        return {competency.pk: competency for competency in self.competencies.values()}

    def roles_of(self, member: Member) -> tuple[str, ...]:
        """Roles of the posts she holds on the day of seeding."""
        if not member.seats:
            return ()
        return (EVERYBODY, *sorted({role for seat in member.seats for role in ROLES_OF_KIND[seat.kind]}))

    def needs_of(self, member: Member) -> dict[int, int]:
        """Competency id → rank that her posts ask for."""
        roles = self.roles_of(member)
        if roles not in self._needs:
            merged = merge_requirements(required for role in roles for required in self.required[role])
            self._needs[roles] = {required.competency_id: required.rank_needed for required in merged}
        return self._needs[roles]

    @cached_property
    def _needs(self) -> dict[tuple[str, ...], dict[int, int]]:
        return {}


def starter_framework() -> Starter:
    """Read the starter framework. Raises NotReady when it is not loaded."""
    version = FrameworkVersion.objects.published().filter(framework__slug=STARTER_SLUG).order_by("pk").last()
    if version is None:
        raise NotReady("The starter framework is not loaded. Run “manage.py load_starter_framework” first.")
    profiles = {
        profile.role.code: profile
        for profile in RoleProfile.objects.filter(role__version=version).select_related("role").order_by("-position")
    }
    required: dict[str, list[Required]] = defaultdict(list)
    rows = Requirement.objects.filter(profile__in=profiles.values()).select_related("level", "profile__role")
    for row in rows:
        rank = row.level.rank if row.level is not None else None
        required[row.profile.role.code].append(
            Required(row.competency_id, version.pk, rank, row.importance, (row.profile_id,))
        )
    wanted = {EVERYBODY, *(role for roles in ROLES_OF_KIND.values() for role in roles)}
    if missing := sorted(wanted - profiles.keys()):
        raise NotReady(f"The starter framework that is loaded lacks the roles the demo ministry needs: {missing}.")
    competencies = {
        row.code: row for row in Competency.objects.filter(version=version).select_related("area").order_by("pk")
    }
    return Starter(competencies, profiles, {code: tuple(rows) for code, rows in required.items()})


def appoint_steward(ministry: Ministry) -> None:
    """The HR officer looks after the frameworks too, as stewards do. Not after the banks: she takes a diagnostic herself."""
    stewards = Group.objects.get(name=STEWARDS).permissions.exclude(content_type__model__in=BANK_MODELS)
    ministry.account("hr").user.user_permissions.add(*stewards)


def give_roles(ministry: Ministry, starter: Starter) -> int:
    """Let every post carry its roles; returns how many rows that took."""
    rows = [
        PostRole(post=seat.post, profile=starter.profiles[role])
        for seat in ministry.seats
        for role in (EVERYBODY, *ROLES_OF_KIND[seat.kind])
    ]
    PostRole.objects.bulk_create(rows, batch_size=BATCH)
    return len(rows)


def give_earlier_roles(ministry: Ministry, starter: Starter) -> dict[date, set[int]]:
    """A few had a role for some months and have it no more. Returns the days on which people's roles changed."""
    starts_on, ends_on = ministry.ago(300), ministry.ago(130)
    there = [m for m in ministry.members if not m.account and m.seats and m.seat.kind == "staff" and m.drive < 0.72]
    chosen = [member for member in there if member.known_from < starts_on][: 2 + len(there) // 300]
    RoleAssignment.objects.bulk_create(
        RoleAssignment(
            person=member.user,
            profile=starter.profiles["change-lead"],
            starts_on=starts_on,
            ends_on=ends_on,
            assigned_by=ministry.officers[member.body].user,
            assigned_at=moment(starts_on, 10 * 60),
        )
        for member in chosen
    )
    people = {member.user.pk for member in chosen}
    return {starts_on: set(people), ends_on: set(people)} if people else {}


# --- What people say ---------------------------------------------------------------------------------------------
@dataclass
class Assessments:
    """What was recorded, and on which days levels may have moved by it. `withdrawals` are for their day to write."""

    pieces: int = 0
    days: dict[date, set[int]] = field(default_factory=lambda: defaultdict(set))
    withdrawals: dict[date, list[EvidenceWithdrawal]] = field(default_factory=lambda: defaultdict(list))


# A piece of somebody's story: days ago, kind, competency code → rank.
Told = tuple[int, EvidenceKind, Mapping[str, int]]
SELF, MANAGER, PANEL = EvidenceKind.SELF, EvidenceKind.MANAGER, EvidenceKind.PANEL
PANEL_SOURCE: Words = ("Panel for senior digital posts", "Panel para puestos digitales de dirección")
# The chief information security officer came from the ranks. The panel that chose her found much; what her own field
# asks for was left to learn, and she sees herself a step further in it than is on record.
CISO_TOLD = (
    (196, PANEL, {"GL2": 3, "PC1": 3, "PC2": 3, "LS3": 3, "TD1": 3, "GL1": 2}),
    (
        190,
        SELF,
        {
            "SR1": 3, "SR3": 3, "SR4": 3, "SR5": 2, "SR2": 3, "GL2": 3, "PC2": 3, "PC1": 3, "LS3": 2, "TD1": 3,
            "GL1": 2, "SC1": 2, "PC4": 3, "GL5": 2, "TD5": 2, "LS4": 2,
        },
    ),
    (
        180,
        MANAGER,
        {
            "SR1": 2, "SR3": 2, "SR4": 2, "SR5": 1, "SC1": 2, "PC4": 2, "GL5": 2, "SC3": 1, "PC3": 2, "TD5": 2,
            "LS4": 2, "GL4": 1,
        },
    ),
)  # fmt: skip
# The learner is half way: her manager confirmed what he had seen, and she has seen herself grow since.
LEARNER_TOLD = (
    (
        205,
        SELF,
        {
            "SC1": 3, "SC2": 2, "SC4": 2, "SC3": 2, "LS4": 1, "GL2": 2, "TD5": 2, "PC2": 2, "GL3": 2, "SR2": 3,
            "PC4": 3,
        },
    ),
    (186, MANAGER, {"GL3": 2, "PC4": 2, "SC2": 2, "LS4": 1, "TD5": 2}),
    (9, SELF, {"SC2": 3, "PC2": 3}),
)  # fmt: skip
# The manager knows his trade; leading and coaching he learns as everybody does.
MANAGER_TOLD = (
    (250, SELF, {"SR2": 2, "GL2": 2, "GL5": 2, "LS4": 2, "PC1": 2, "PC2": 2, "PC3": 2, "SC1": 2, "TD5": 2, "PC4": 3}),
    (
        238,
        MANAGER,
        {"SR2": 2, "GL2": 2, "GL5": 2, "LS4": 2, "PC1": 1, "PC2": 1, "PC3": 1, "SC1": 1, "TD5": 1, "PC4": 2},
    ),
)
# The HR officer passed what her own role asks for first.
HR_TOLD = (
    (290, SELF, {"PC5": 3, "LS3": 2, "PC3": 3, "PC2": 3, "PC1": 2, "GL2": 2, "SC1": 1, "PC4": 2, "GL5": 2, "SC3": 1}),
    (
        276,
        MANAGER,
        {"PC5": 2, "LS3": 2, "PC3": 2, "PC2": 2, "PC1": 2, "GL2": 1, "SC1": 1, "PC4": 2, "GL5": 2, "GL1": 1, "GL4": 1},
    ),
)
EDITOR_TOLD = ((60, SELF, {"SC3": 3, "SC1": 2, "PC4": 3, "GL5": 2, "GL2": 1}),)
ADMIN_TOLD = (
    (150, SELF, {"SR2": 3, "GL2": 2, "PC4": 3, "GL5": 1, "SC1": 1, "SC3": 1}),
    (139, MANAGER, {"PC4": 2, "GL5": 1, "SC1": 1, "SC3": 1}),
)
STORIES: dict[str, Iterable[Told]] = {
    "ciso": CISO_TOLD,
    "learner": LEARNER_TOLD,
    "manager": MANAGER_TOLD,
    "hr": HR_TOLD,
    "editor": EDITOR_TOLD,
    "admin": ADMIN_TOLD,
}
# The digital chief is half way, and no course leads as far as her post asks in LS5: HR sees where the offer ends. The
# chief information officer is where his post asks him to be (`_Writer.all_held`).
CDIO_TOLD = (
    (300, PANEL, {"LS1": 4, "LS5": 2, "PC1": 4, "LS4": 3, "LS3": 3, "SC1": 3}),
    (288, SELF, {"LS1": 4, "LS5": 3, "PC1": 4, "LS4": 3, "LS3": 3, "SC1": 3, "SC2": 2, "TD2": 1, "GL4": 1}),
)


def assess(ministry: Ministry, starter: Starter) -> Assessments:
    """Record a year of self-assessments, managers' assessments and panels; a few of them will be withdrawn."""
    found = Assessments()
    writer = _Writer(ministry, starter, found)
    waiting: list[Evidence] = []
    for member in ministry.members:
        waiting += writer.pieces_of(member)
        if len(waiting) >= 10 * BATCH:
            _store(waiting, found)
            waiting = []
    _store(waiting, found)
    return found


def _store(pieces: list[Evidence], found: Assessments) -> None:
    Evidence.objects.bulk_create(pieces, batch_size=BATCH)
    found.pieces += len(pieces)


class _Writer:
    def __init__(self, ministry: Ministry, starter: Starter, found: Assessments) -> None:
        self.ministry, self.starter, self.found = ministry, starter, found
        self.days = workdays(ministry.first_day, ministry.last_day)
        self.source = i18n(PANEL_SOURCE)
        manager = ministry.account("manager")
        # Of the team everybody looks at, every third waits to be rated.
        self.unrated = {member.number for member in ministry.team_of(manager)[1::3]}
        self.talks = 0
        self.panel = {"MPS": ministry.officers["MPS"], "NRO": ministry.officers["NRO"]}

    def pieces_of(self, member: Member) -> Iterator[Evidence]:
        if member.account in STORIES:
            yield from self.told(member, STORIES[member.account])
        elif member.seats and member.body == "MPS" and member.seat.kind == "cio":
            yield from self.told(member, self.all_held(member))
        elif member.seats and member.seat.kind == "cdio":
            yield from self.told(member, CDIO_TOLD)
        elif member.seats and member.drive >= ASSESSED_FROM:
            yield from self.usual(member)

    def all_held(self, member: Member) -> list[Told]:
        """A panel for what a manager's word cannot show, the manager's word for the rest."""
        needs = {self.starter.by_id[pk].code: rank for pk, rank in self.starter.needs_of(member).items()}
        return [
            (330, PANEL, {code: rank for code, rank in needs.items() if rank > 2}),
            (323, SELF, needs),
            (318, MANAGER, {code: rank for code, rank in needs.items() if rank <= 2}),
        ]

    def told(self, member: Member, told: Iterable[tuple[int, EvidenceKind, Mapping[str, int]]]) -> Iterator[Evidence]:
        for days, kind, ranks in told:
            chance = stream(self.ministry.seed, "told", member.number, days)
            findings = [(self.starter.competencies[code], rank) for code, rank in ranks.items()]
            yield from self.record(member, kind, self.ministry.ago(days), findings, chance)

    def usual(self, member: Member) -> Iterator[Evidence]:
        """What a person sees in herself, and her manager in her: near what her posts ask for, each in their own way."""
        chance = stream(self.ministry.seed, "assess", member.number)
        since = member.seat.since or self.ministry.first_day
        own = self.between(since + timedelta(days=7), self.ministry.ago(25))
        if not own:
            return
        day = own[int(len(own) * chance.random() ** 1.3)]
        able = {
            pk: min(5, max(0, round(rank - 0.9 + 1.6 * member.drive + chance.gauss(0, 0.7))))
            for pk, rank in self.starter.needs_of(member).items()
        }
        # Some think more of themselves than others do, some less.
        bias = chance.choices((-1, 0, 1), (15, 55, 30))[0]
        declared = {
            pk: min(5, max(0, rank + bias)) for pk, rank in able.items() if chance.random() < 0.55 + 0.4 * member.drive
        }
        yield from self.record(member, SELF, day, self._findings(declared), chance)
        if self._is_rated(member, chance):
            talks = self.between(max(day, member.led_from or day) + timedelta(days=4), self.ministry.ago(3))
            if talks:
                seen = {
                    pk: min(5, max(1, able[pk] + chance.choices((-1, 0, 1), (20, 65, 15))[0]))
                    for pk, rank in declared.items()
                    if rank
                }
                day = chance.choice(talks[:30])
                pieces = list(self.record(member, MANAGER, day, self._findings(seen), chance))
                self.reconsider(pieces, member, chance)
                yield from pieces
        later = self.between(day + timedelta(days=60), self.ministry.ago(2))
        if later and declared and chance.random() < 0.2:
            again = chance.sample(sorted(declared), min(2, len(declared)))
            grown = {pk: min(5, declared[pk] + 1) for pk in again}
            yield from self.record(member, SELF, chance.choice(later), self._findings(grown), chance)

    def between(self, first: date, last: date) -> Sequence[date]:
        """Workdays of the history in this span."""
        return self.days[bisect_left(self.days, first) : bisect_right(self.days, last)]

    def _findings(self, ranks: Mapping[int, int]) -> list[tuple[Competency, int]]:
        return [(self.starter.by_id[pk], rank) for pk, rank in sorted(ranks.items())]

    def _is_rated(self, member: Member, chance: Random) -> bool:
        wished = chance.random() < (0.5 if member.drive < 0.72 else 0.35)
        if member.leader is None or member.drive < RATED_FROM:
            return False
        if member.leader.account == "manager":
            return member.number not in self.unrated
        return wished

    def record(
        self,
        member: Member,
        kind: EvidenceKind,
        day: date,
        findings: Sequence[tuple[Competency, int]],
        chance: Random,
    ) -> Iterator[Evidence]:
        """Pieces as competencies.services records them: the same keys, the same fields."""
        person, by = member.user, self._by(member, kind)
        token = f"demo-{day:%Y%m%d}"
        key = {
            SELF: f"self:{person.pk}:{token}",
            MANAGER: f"manager:{by.user.pk}:{person.pk}:{token}",
            PANEL: f"panel:{person.pk}:{token}",
        }[kind]
        if kind != SELF:
            self.found.days[day].add(person.pk)
        clock = chance.uniform(8.5 * 60, 14 * 60)
        for competency, rank in findings:
            clock += chance.uniform(1, 4)
            piece = Evidence(
                person=person,
                competency=competency,
                kind=kind,
                rank=rank,
                assessed=kind != SELF,
                occurred_on=day,
                source=self.source if kind == PANEL else "",
                note=_note(competency, rank, by.user.language, chance) if kind == MANAGER else "",
                source_key=f"{key}:{competency.pk}",
                recorded_by=by.user,
                recorded_at=moment(day, clock),
            )
            yield piece

    def _by(self, member: Member, kind: EvidenceKind) -> Member:
        if kind == MANAGER and member.leader is not None:
            return member.leader
        return self.panel[member.body] if kind == PANEL else member

    def reconsider(self, pieces: Sequence[Evidence], member: Member, chance: Random) -> None:
        """Now and then a manager takes something back; however small the ministry, it happens twice."""
        self.talks += 1
        for number, piece in enumerate(pieces):
            on = min(workday_from(piece.occurred_on + timedelta(days=chance.randint(1, 6))), self.ministry.last_day)
            wished = chance.random() < 0.006 or (number == 0 and self.talks in (1, 3))
            if not wished or on <= piece.occurred_on or member.leader is None:
                continue
            by = member.leader.user
            self.found.withdrawals[on].append(
                EvidenceWithdrawal(
                    evidence=piece,
                    reason=chance.choice(REASONS)[by.language == "es"],
                    withdrawn_by=by,
                    withdrawn_at=moment(on, chance.uniform(540, 1000)),
                )
            )
            self.found.days[on].add(piece.person_id)


def withdraw(withdrawals: Sequence[EvidenceWithdrawal]) -> None:
    """Write the withdrawals of a day, once the pieces they speak of are stored."""
    for row in withdrawals:
        row.evidence_id = row.evidence.pk
    EvidenceWithdrawal.objects.bulk_create(withdrawals)


def _note(competency: Competency, rank: int, language: str, chance: Random) -> str:
    """A manager's sentence: what she saw."""
    area = competency.area.code if competency.area is not None else ""
    by_rank = NOTES.get(area, NOTES["PC"])
    return chance.choice(by_rank[min(rank, len(by_rank)) - 1])[language == "es"]


# By area and level (1, 2, 3 and more).
NOTES: dict[str, tuple[tuple[Words, ...], ...]] = {
    "LS": (
        (
            (
                "Knows what the plan is for and can say where our work fits in.",
                "Sabe para qué es el plan y dónde encaja nuestro trabajo.",
            ),
        ),
        (
            (
                "Prepares figures and options for the quarterly review with some help.",
                "Prepara cifras y opciones para la revisión trimestral con algo de ayuda.",
            ),
            (
                "Used our template for the last proposal; two questions came back, both fair.",
                "Usó nuestra plantilla en la última propuesta; volvieron dos preguntas, ambas razonables.",
            ),
        ),
        (
            (
                "Ran the last review without me; the decisions were written down and kept.",
                "Condujo la última revisión sin mi ayuda; las decisiones quedaron por escrito y se cumplieron.",
            ),
        ),
    ),
    "GL": (
        (
            (
                "Asks when in doubt about a rule, which is what I want.",
                "Pregunta cuando duda de una regla, y eso es lo que quiero.",
            ),
        ),
        (
            (
                "Follows the checklist and brings me the cases that do not fit it.",
                "Sigue la lista de control y me trae los casos que no encajan.",
            ),
            (
                "I looked at three files: complete, and in the right place.",
                "Revisé tres expedientes: completos y en su lugar.",
            ),
        ),
        (
            (
                "Colleagues come with their questions; the last audit found nothing to correct.",
                "Los colegas acuden con sus preguntas; la última auditoría no encontró nada que corregir.",
            ),
        ),
    ),
    "TD": (
        (
            (
                "Reads the diagrams and reports well, does not make them yet.",
                "Lee bien los diagramas y los informes, todavía no los elabora.",
            ),
        ),
        (
            (
                "Works with our templates; of two pieces I looked at, one needed a small correction.",
                "Trabaja con nuestras plantillas; de dos trabajos que miré, uno necesitó una corrección menor.",
            ),
            (
                "Checks the figures before sending them on and says how sure they are.",
                "Comprueba las cifras antes de enviarlas y dice qué tan seguras son.",
            ),
        ),
        (
            (
                "Chose the approach for the last piece of work and could explain why.",
                "Eligió el enfoque del último trabajo y supo explicar por qué.",
            ),
        ),
    ),
    "SR": (
        (("Knows whom to call, and calls at once.", "Sabe a quién llamar, y llama enseguida."),),
        (
            (
                "Keeps to the rules in daily work; knew what to do in our last exercise.",
                "Cumple las reglas en el trabajo diario; supo qué hacer en nuestro último simulacro.",
            ),
            (
                "Reported a doubtful message within minutes and warned the team.",
                "Avisó de un mensaje dudoso en minutos y alertó al equipo.",
            ),
        ),
        (
            (
                "Led the last exercise and closed the actions on time.",
                "Dirigió el último simulacro y cerró las acciones a tiempo.",
            ),
        ),
    ),
    "SC": (
        (
            (
                "Sees where people get stuck; does not write it down yet.",
                "Ve dónde se traban las personas; todavía no lo deja por escrito.",
            ),
        ),
        (
            (
                "Watched real users together with a colleague and brought back three things to change.",
                "Observó a personas usuarias con un colega y trajo tres cosas por cambiar.",
            ),
            (
                "Rewrote two letters in plain words; fewer people call about them.",
                "Reescribió dos cartas en palabras sencillas; menos personas llaman por ellas.",
            ),
        ),
        (
            (
                "Plans and holds sessions with users alone; two forms became shorter.",
                "Planifica y conduce sesiones con personas usuarias sin ayuda; dos formularios quedaron más cortos.",
            ),
        ),
    ),
    "PC": (
        (
            (
                "Tells the team what will change; could listen more.",
                "Cuenta al equipo lo que va a cambiar; podría escuchar más.",
            ),
        ),
        (
            (
                "Holds short talks with colleagues, using the guide; they say it helps.",
                "Mantiene charlas cortas con sus colegas usando la guía; dicen que ayuda.",
            ),
            (
                "Shares drafts where all can see them and answers within the day.",
                "Comparte borradores donde todos pueden verlos y responde en el día.",
            ),
        ),
        (
            (
                "Others learn from the way these talks are held.",
                "Otras personas aprenden de la manera en que lleva estas charlas.",
            ),
        ),
    ),
}
REASONS: tuple[Words, ...] = (
    ("Recorded for the wrong person.", "Registrada para otra persona por error."),
    ("We had spoken about another competency.", "Habíamos hablado de otra competencia."),
    ("Too early: we will look at it together again.", "Demasiado pronto: lo veremos juntos otra vez."),
)
