"""Evidence that disagrees with the level: a note to the person, and to her manager if she agrees. It changes no level."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from competencies.levels import disagreement
from competencies.models import Competency, Evidence, SharedDisagreement
from competencies.selectors import Explained, explained_level
from organisations.models import User


class NotShared(ValueError):
    """A note that cannot be shared; the text is a sentence for the person who tried."""


@dataclass(frozen=True)
class Disagreeing:
    """The piece that speaks against the level, the rank it says, and whether the manager may see the note."""

    evidence: Evidence
    says: int
    shared: bool


def disagreement_in(explained: Explained, *, as_of: date) -> Disagreeing | None:
    """One query where evidence disagrees, none elsewhere."""
    item = disagreement(explained.level, as_of=as_of)
    if item is None:
        return None
    shared = SharedDisagreement.objects.filter(evidence_id=item.id).exists()
    return Disagreeing(explained.rows[item.id], item.says, shared)


@transaction.atomic
def share_disagreement(*, person: User, competency: Competency, by: User, as_of: date) -> SharedDisagreement:
    """Let the manager see the note that evidence disagrees. Sharing twice leaves one. Only the person herself agrees."""
    if by != person:
        raise NotShared(_("Only the person herself lets her manager see this note."))
    found = disagreement_in(explained_level(person, competency, as_of=as_of), as_of=as_of)
    if found is None:
        raise NotShared(_("Nothing on record disagrees with this level any more, so there is no note to show."))
    shared, created = SharedDisagreement.objects.get_or_create(evidence=found.evidence)
    if created:
        log(instance=found.evidence, action="competencies.share_disagreement", user=by, data={"says": found.says})
    return shared


@transaction.atomic
def unshare_disagreement(*, person: User, competency: Competency, by: User) -> int:
    """Take the agreement back, for all pieces of this competency; returns how many notes that hid. Twice is once."""
    if by != person:
        raise NotShared(_("Only the person herself decides who sees this note."))
    rows = SharedDisagreement.objects.select_for_update(of=("self",)).filter(evidence__person=person)
    own = list(rows.filter(evidence__competency__lineage=competency.lineage).select_related("evidence"))
    found = disagreement_in(explained_level(person, competency), as_of=timezone.localdate())
    if found is not None and found.shared:  # it may have been recorded for what is the same competency elsewhere
        own += [row for row in rows.filter(evidence=found.evidence).select_related("evidence") if row not in own]
    for row in own:
        log(instance=row.evidence, action="competencies.unshare_disagreement", user=by)
        row.delete()
    return len(own)
