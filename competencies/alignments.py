"""A person's word on how competencies of two frameworks stand to each other: said, withdrawn, never edited."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from competencies.enums import FrameworkStatus, LinkRelation
from competencies.lifecycle import NotPossible
from competencies.models import Alignment, Competency, ProficiencyLevel
from competencies.signals import alignment_changed
from organisations.models import User


@transaction.atomic
def align(
    *,
    origin: Competency,
    target: Competency,
    relation: LinkRelation,
    by: User,
    rank_map: Mapping[int, int] | None = None,
    note: str = "",
) -> Alignment:
    """Say how competencies of two frameworks stand to each other; saying the same twice leaves one alignment.

    What was said of other editions of the two counts as said of these. `rank_map` (level here → level there) is for exact
    ones between different scales. Raises NotPossible for two editions of one framework (that is the crosswalk's matter),
    drafts, levels that are not on the scales or go down while the other go up, or when another relation stands already.
    """
    if origin.version.framework_id == target.version.framework_id:
        raise NotPossible(
            _("Both are of the same framework. Its editions are joined by the crosswalk when one is published.")
        )
    for competency in (origin, target):
        if competency.version.status == FrameworkStatus.DRAFT:
            raise NotPossible(_("“%(name)s” is part of a draft. Publish that first.") % {"name": competency})
    ranks = {int(at): int(to) for at, to in (rank_map or {}).items()} if relation == LinkRelation.EXACT else {}
    _check_ranks(origin, target, ranks)
    # Two who align the same two at once wait for each other here.
    list(Competency.objects.select_for_update(of=("self",)).filter(pk__in=[origin.pk, target.pk]).order_by("pk"))
    here, there = origin.lineage, target.lineage
    found = (
        Alignment.objects.standing()
        .filter(Q(origin__lineage=here, target__lineage=there) | Q(origin__lineage=there, target__lineage=here))
        .select_related("origin", "target")
        .first()
    )
    if found is not None:
        said = (found.origin.lineage, found.relation, found.rank_map)
        if said == (here, relation, _as_stored(ranks)):
            return found
        raise NotPossible(_("These two are aligned already (%(words)s). Withdraw that first.") % {"words": found})
    alignment = Alignment.objects.create(
        origin=origin, target=target, relation=relation, rank_map=_as_stored(ranks), note=note, made_by=by
    )
    log(
        instance=alignment,
        action="competencies.align",
        user=by,
        data={"relation": relation, "levels": _as_stored(ranks)},
    )
    _announce(alignment)
    return alignment


@transaction.atomic
def withdraw_alignment(*, alignment: Alignment, by: User) -> Alignment:
    """The alignment stays on record and no longer counts. Withdrawing twice leaves the first withdrawal."""
    alignment = (
        Alignment.objects.select_for_update(of=("self",)).select_related("origin", "target").get(pk=alignment.pk)
    )
    if alignment.withdrawn_at is None:
        alignment.withdrawn_at, alignment.withdrawn_by = timezone.now(), by
        alignment.save(update_fields=["withdrawn_at", "withdrawn_by"])
        log(instance=alignment, action="competencies.withdraw_alignment", user=by)
        _announce(alignment)
    return alignment


def _announce(alignment: Alignment) -> None:
    if alignment.relation == LinkRelation.EXACT:
        transaction.on_commit(
            partial(
                alignment_changed.send,
                sender=Alignment,
                alignment_id=alignment.pk,
                lineages=[str(alignment.origin.lineage), str(alignment.target.lineage)],
            )
        )


def _as_stored(ranks: Mapping[int, int]) -> dict[str, int]:
    return {str(at): to for at, to in sorted(ranks.items())}


def _check_ranks(origin: Competency, target: Competency, ranks: Mapping[int, int]) -> None:
    def scale(competency: Competency) -> set[int]:
        return set(ProficiencyLevel.objects.filter(version=competency.version_id).values_list("rank", flat=True))

    here, there = scale(origin), scale(target)
    for rank, known in (*((rank, here) for rank in ranks), *((rank, there) for rank in ranks.values())):
        if rank not in known:
            raise NotPossible(_("Level %(rank)s is not on the scale.") % {"rank": rank})
    ordered = [to for _at, to in sorted(ranks.items())]
    if ordered != sorted(ordered):
        raise NotPossible(_("A higher level here cannot be a lower level there. Correct the levels."))
