"""Who decides on claims and contests, and what waits for whom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.rrule import DAILY, FR, MO, TH, TU, WE, rrule
from django.contrib.auth.models import AnonymousUser, Permission
from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from competencies.enums import ClaimState, ContestState
from competencies.models import Claim, Contest, Evidence, PanelRating
from organisations import perms
from organisations.models import Appointment, HrMandate, Unit, User

# The group is made by a migration; the permission decides, so another group may have it too.
ASSESSORS = "Assessors"
DECIDE = "decide_claim"
WORKING_DAYS = 15
SOON = timedelta(days=7)
# So many of each kind are looked at on the desk, what is due first.
MOST = 200


def answer_due_on(day: date) -> date:
    """When an answer is due that was asked for on `day`: fifteen working days later, public holidays not counted out."""
    days = rrule(DAILY, byweekday=(MO, TU, WE, TH, FR), dtstart=day + timedelta(days=1), count=WORKING_DAYS)
    return days[-1].date()


def _holding_permission() -> QuerySet[Permission]:
    return Permission.objects.filter(content_type__app_label="competencies", codename=DECIDE)


def decides_for_everybody(user: User | AnonymousUser) -> bool:
    """Administrators and holders of the permission. One query."""
    if not user.is_authenticated or not user.is_active:
        return False
    return user.is_superuser or _holding_permission().filter(Q(group__user=user) | Q(user=user)).exists()


def can_decide(user: User | AnonymousUser, person: User, *, besides: Collection[int] = ()) -> bool:
    """Whether `user` may decide on claims and contests of `person`: assessors, administrators, her HR officers.

    Never the person herself, and nobody in `besides` (who recorded a contested piece, say).
    """
    if not user.is_authenticated or not user.is_active or user.pk == person.pk or user.pk in besides:
        return False
    return decides_for_everybody(user) or User.objects.in_hr_scope_of(user).filter(pk=person.pk).exists()


def makers_of(evidence: Evidence) -> set[int]:
    """Who made a piece of evidence and so cannot judge it again: who recorded it, and the members of its panel.

    Of a correction also who made the piece it stands for.
    """
    pieces = [evidence] if evidence.stands_for is None else [evidence, evidence.stands_for]
    members = PanelRating.objects.filter(panel__evidence__in=pieces).values_list("assessor_id", flat=True)
    return {*members, *(piece.recorded_by_id for piece in pieces if piece.recorded_by_id is not None)}


def made_among(user: User, pieces: Sequence[Evidence]) -> set[int]:
    """Which of these pieces `user` made, in the same sense. One query. Pieces come with `stands_for` selected."""
    asked = {pk for piece in pieces for pk in (piece.pk, piece.stands_for_id) if pk is not None}
    rated = set(
        PanelRating.objects.filter(assessor=user, panel__evidence__in=asked).values_list("panel__evidence", flat=True)
    )
    return {
        piece.pk
        for piece in pieces
        if rated & {piece.pk, piece.stands_for_id}
        or user.pk == piece.recorded_by_id
        or (piece.stands_for is not None and user.pk == piece.stands_for.recorded_by_id)
    }


def choose_assessor(person: User, *, besides: Collection[int] = ()) -> User | None:
    """Of those who may decide the one with the least to decide; an administrator only where there is nobody else.

    Two queries, however many there are.
    """
    step = Unit.steplen
    paths = Appointment.objects.current().filter(person=person).values_list("post__unit__path", flat=True)
    above = {path[:length] for path in paths for length in range(step, len(path) + 1, step)}
    permission = _holding_permission()
    by_office = Q(Exists(permission.filter(Q(group__user=OuterRef("pk")) | Q(user=OuterRef("pk"))))) | Q(
        Exists(HrMandate.objects.filter(officer=OuterRef("pk"), unit__path__in=above))
    )
    in_office = User.objects.active().filter(by_office).values("pk")
    eligible = (
        User.objects.active()
        .filter(Q(pk__in=in_office) | Q(is_superuser=True))
        .exclude(pk__in={person.pk, *besides})
        .annotate(
            in_office=Exists(User.objects.filter(pk=OuterRef("pk"), pk__in=in_office)),
            load=_open_of(Claim, ClaimState.SUBMITTED) + _open_of(Contest, ContestState.OPEN),
        )
    )
    return eligible.order_by("-in_office", "load", "pk").first()


def _open_of(model: type[Claim] | type[Contest], state: str) -> Coalesce:
    rows = (
        model._default_manager.filter(assessor=OuterRef("pk"), state=state)
        .order_by()
        .values("assessor")
        .annotate(n=Count("pk"))
    )
    return Coalesce(Subquery(rows.values("n"), output_field=IntegerField()), 0)


@dataclass(frozen=True)
class Waiting:
    """A claim or a contest that waits for its answer. `kind` is "claim" or "contest"."""

    kind: str
    item: Claim | Contest
    mine: bool
    as_of: date

    @property
    def person(self) -> User:
        return self.item.person

    @property
    def competency(self) -> object:
        return self.item.competency if isinstance(self.item, Claim) else self.item.evidence.competency

    @property
    def due_on(self) -> date:
        return self.item.due_on

    @property
    def url_name(self) -> str:
        return f"assess_{self.kind}"

    @property
    def is_overdue(self) -> bool:
        return self.due_on < self.as_of

    @property
    def is_soon(self) -> bool:
        return not self.is_overdue and self.due_on <= self.as_of + SOON


@dataclass(frozen=True)
class Desk:
    """What waits for an assessor: hers first, then what she could take over; each by its date."""

    mine: list[Waiting]
    others: list[Waiting]

    @property
    def overdue(self) -> list[Waiting]:
        return [waiting for waiting in self.mine if waiting.is_overdue]


def waiting_for(user: User, *, as_of: date | None = None) -> Desk:
    """Claims and contests `user` may decide on; no contests of people she leads.

    Six queries at most, however much waits; one more for each row of vacant posts below hers.
    """
    day = as_of or timezone.localdate()
    scope = Q()
    if not decides_for_everybody(user):
        scope = Q(person__in=User.objects.in_hr_scope_of(user, day).values("pk"))
    claims = open_claims().filter(scope).exclude(person=user)
    rated = PanelRating.objects.filter(assessor=user)
    made = Exists(rated.filter(panel__evidence=OuterRef("evidence"))) | Exists(
        rated.filter(panel__evidence=OuterRef("evidence__stands_for"))
    )
    contests = (
        open_contests()
        .filter(scope, ~made)
        .exclude(person=user)
        .exclude(person__in=User.objects.led_by(user, day).values("pk"))
        .exclude(evidence__recorded_by=user)
        .exclude(evidence__stands_for__recorded_by=user)
        .exclude(
            evidence__withdrawal__withdrawn_by=user
        )  # an open contest of a withdrawn piece is one of the withdrawal
        .exclude(_decided_before_and_given_to_another(user))
    )  # exclude keeps pieces nobody recorded
    found = [
        *(Waiting("claim", claim, claim.assessor_id == user.pk, day) for claim in _first(claims, user)),
        *(Waiting("contest", contest, contest.assessor_id == user.pk, day) for contest in _first(contests, user)),
    ]
    found.sort(key=lambda waiting: (waiting.due_on, waiting.kind, waiting.item.pk))
    return Desk([w for w in found if w.mine], [w for w in found if not w.mine])


def _decided_before_and_given_to_another(user: User) -> Q:
    """Contests that take up again what `user` decided; in between there may be one that was taken back."""
    decided = Q(previous__decided_by=user) | Q(previous__previous__decided_by=user)
    return decided & Q(assessor__isnull=False) & ~Q(assessor=user)


def _first(rows: QuerySet, user: User) -> QuerySet:
    hers = Exists(rows.model._default_manager.filter(pk=OuterRef("pk"), assessor=user))
    return rows.annotate(hers=hers).order_by("-hers", "due_on", "pk")[:MOST]


def open_claims() -> QuerySet[Claim]:
    return Claim.objects.filter(state=ClaimState.SUBMITTED).select_related(
        "person", "assessor", "competency__version__framework"
    )


def open_contests() -> QuerySet[Contest]:
    return Contest.objects.filter(state=ContestState.OPEN).select_related(
        "person", "assessor", "evidence__competency__version__framework"
    )


def has_a_desk(user: User | AnonymousUser) -> bool:
    """Whether something waits for this person, or may come to wait: then there is the desk "To decide"."""
    return user.is_authenticated and (perms.is_hr(user) or decides_for_everybody(user) or is_asked(user))


def is_asked(user: User) -> bool:
    """Whether a claim, a contest or a panel was given to this person. One query."""
    return User.objects.filter(pk=user.pk).filter(given_something()).exists()


def given_something() -> Q:
    """The condition on a person that something waits for her answer."""
    claims = Claim.objects.filter(assessor=OuterRef("pk"), state=ClaimState.SUBMITTED)
    contests = Contest.objects.filter(assessor=OuterRef("pk"), state=ContestState.OPEN)
    ratings = PanelRating.objects.filter(
        assessor=OuterRef("pk"), rank__isnull=True, declined_at__isnull=True, panel__closed_at__isnull=True
    )
    return Q(Exists(claims)) | Q(Exists(contests)) | Q(Exists(ratings))
