"""From draft to published to superseded: the crosswalk to the edition before, publishing, drafts of the next, extensions.

A published version never changes. Publishing the next hands its competencies and role profiles the lineages of those
they follow, so that evidence, posts, assignments and courses of the edition before go on counting without being
touched (competencies.selectors reads by lineage).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.deletion import ProtectedError
from django.utils import timezone
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from competencies.crosswalk import Thing, propose
from competencies.differences import Difference, compare
from competencies.enums import (
    CERTAIN_BASES,
    FrameworkStatus,
    SuccessionBasis,
    SuccessionDecision,
)
from competencies.importers.content import MAX_EDITION, MAX_SLUG, objection_to_text, tidy
from competencies.loading import content_of, store_version
from competencies.models import (
    Area,
    Competency,
    CompetencySuccession,
    Framework,
    FrameworkVersion,
    ProfileSuccession,
    Role,
    RoleProfile,
)
from competencies.models.framework import version_uuid
from competencies.selectors import Supposing
from competencies.signals import framework_published
from organisations.models import User

BATCH = 1_000
NAMED = 20


class NotPossible(ValueError):
    """Something that cannot be done with a version now; the text is a sentence for the person who tried."""


# --- The crosswalk -----------------------------------------------------------------------------------------------
@transaction.atomic
def propose_crosswalk(*, version: FrameworkVersion) -> FrameworkVersion:
    """Lay the draft beside the edition in force: a line for each competency and role profile of that.

    What a person has confirmed stays; the rest is proposed anew from the words as they are now. Doing it twice leaves
    the same lines. Returns the version, which follows the edition in force.
    """
    version = _lock_draft(version)
    in_force = FrameworkVersion.objects.published().filter(framework=version.framework_id).first()
    if version.previous != in_force:
        version.competency_successions.all().delete()
        version.profile_successions.all().delete()
        version.previous = in_force
        version.save(update_fields=["previous"])
    if in_force is None:
        return version
    language = (in_force.languages or [get_language() or "en"])[0]
    _propose_lines(
        CompetencySuccession,
        version,
        [_competency_thing(c, language) for c in in_force.competencies.order_by("position", "pk")],
        [_competency_thing(c, language) for c in version.competencies.order_by("position", "pk")],
    )
    _propose_lines(
        ProfileSuccession,
        version,
        [_profile_thing(p, language) for p in _profiles_of(in_force)],
        [_profile_thing(p, language) for p in _profiles_of(version)],
    )
    return version


def _propose_lines(
    model: type[CompetencySuccession] | type[ProfileSuccession],
    version: FrameworkVersion,
    old: Sequence[Thing],
    new: Sequence[Thing],
) -> None:
    lines = model._default_manager.filter(version=version)
    kept = {line.old_id: line.new_id for line in lines.filter(decision=SuccessionDecision.CONFIRMED)}
    lines.exclude(decision=SuccessionDecision.CONFIRMED).delete()
    taken = set(kept.values())
    matches = propose(
        [thing for thing in old if thing.key not in kept], [thing for thing in new if thing.key not in taken]
    )
    rows: list[Any] = [
        model(version=version, old_id=m.old, new_id=m.new, basis=m.basis, similarity=m.similarity) for m in matches
    ]
    model._default_manager.bulk_create(rows, batch_size=BATCH)


def _competency_thing(competency: Competency, language: str) -> Thing:
    return Thing(
        competency.pk,
        competency.kind,
        competency.code,
        _in(competency.title, language),
        _in(competency.description, language),
        competency.identifier,
    )


def _profile_thing(profile: RoleProfile, language: str) -> Thing:
    grade = _in(profile.grade, language)
    title = f"{_in(profile.role.title, language)} {grade}".strip()
    text = _in(profile.summary, language) or _in(profile.role.summary, language)
    return Thing(profile.pk, "profile", f"{profile.role.code}/{profile.code}", title, text, profile.identifier)


def _in(text: object, language: str) -> str:
    data = getattr(text, "data", text)
    if isinstance(data, dict):
        return str(data.get(language) or next(iter(data.values()), ""))
    return str(data or "")


def _profiles_of(version: FrameworkVersion) -> list[RoleProfile]:
    return list(
        RoleProfile.objects.filter(role__version=version)
        .select_related("role")
        .order_by("role__position", "role__code", "position", "pk")
    )


@transaction.atomic
def confirm_certain(*, version: FrameworkVersion, by: User | None) -> int:
    """Confirm every line that stands on the same identifier, code or wording; returns how many were confirmed now.

    `by` is None when a command does it.
    """
    version = _lock_draft(version)
    now = timezone.now()
    confirmed = 0
    for lines in (version.competency_successions, version.profile_successions):
        confirmed += lines.filter(decision=SuccessionDecision.PROPOSED, basis__in=CERTAIN_BASES).update(
            decision=SuccessionDecision.CONFIRMED, decided_by=by, decided_at=now
        )
    if confirmed:
        log(instance=version, action="competencies.confirm_crosswalk", user=by, data={"lines": confirmed})
    return confirmed


@transaction.atomic
def decide_succession(
    *,
    line: CompetencySuccession | ProfileSuccession,
    successor: Competency | RoleProfile | None,
    by: User,
) -> CompetencySuccession | ProfileSuccession:
    """A person says what follows on something of the edition before: None, that it is withdrawn.

    Raises NotPossible when the successor is not of this draft or follows on something else already by a person's word;
    a mere proposal gives way.
    """
    version = _lock_draft(line.version)
    model = type(line)
    line = model._default_manager.select_for_update(of=("self",)).get(pk=line.pk)
    if successor is not None:
        if not isinstance(successor, model._meta.get_field("new").related_model) or successor.owner().pk != version.pk:
            raise NotPossible(_("“%(name)s” is not part of this draft.") % {"name": successor})
        rival = model._default_manager.filter(version=version, new_id=successor.pk).exclude(pk=line.pk).first()
        if rival is not None and rival.decision == SuccessionDecision.CONFIRMED:
            raise NotPossible(
                _("“%(new)s” follows on “%(old)s” already. Change that line first.")
                % {"new": successor, "old": rival.old}
            )
        if rival is not None:
            rival.new_id, rival.basis, rival.similarity = None, SuccessionBasis.NONE, 0
            rival.save(update_fields=["new", "basis", "similarity"])
    if line.new_id != (successor.pk if successor is not None else None):
        line.basis, line.similarity = SuccessionBasis.PERSON, 0
    line.new_id = successor.pk if successor is not None else None
    line.decision, line.decided_by, line.decided_at = SuccessionDecision.CONFIRMED, by, timezone.now()
    line.save(update_fields=["new", "basis", "similarity", "decision", "decided_by", "decided_at"])
    log(
        instance=version,
        action="competencies.decide_succession",
        user=by,
        data={"kind": model._meta.model_name, "old": line.old_id, "new": line.new_id},
    )
    return line


def difference_of(version: FrameworkVersion) -> Difference:
    """What the version changes against the one it follows, by its crosswalk as it stands. Nothing for a first edition."""
    if version.previous is None:
        return Difference()
    competencies: dict[str, str | None] = dict(
        version.competency_successions.values_list("old__code", "new__code").order_by("pk")
    )
    profiles = {
        (old_role, old): (new_role, new) if new is not None else None
        for old_role, old, new_role, new in version.profile_successions.values_list(
            "old__role__code", "old__code", "new__role__code", "new__code"
        )
    }
    return compare(content_of(version.previous), content_of(version), competencies=competencies, profiles=profiles)


def supposing_published(version: FrameworkVersion) -> Supposing:
    """What would be in force if this draft were published with its crosswalk as it stands."""
    return Supposing(
        profiles=dict(version.profile_successions.exclude(new=None).values_list("old_id", "new_id")),
        lineages=dict(version.competency_successions.exclude(new=None).values_list("new_id", "old__lineage")),
    )


# --- Publishing --------------------------------------------------------------------------------------------------
def undecided_lines(version: FrameworkVersion) -> int:
    return sum(
        lines.filter(decision=SuccessionDecision.PROPOSED).count()
        for lines in (version.competency_successions, version.profile_successions)
    )


def unfinished_parts(version: FrameworkVersion) -> list[str]:
    """Titles of parts whose last changes in the CMS are not part of the draft yet, or were never made part of it."""
    unfinished = Q(has_unpublished_changes=True) | Q(live=False)
    titles = [
        str(row)
        for rows in (
            Area.objects.filter(unfinished, version=version),
            Competency.objects.filter(unfinished, version=version),
            Role.objects.filter(unfinished, version=version),
            RoleProfile.objects.filter(unfinished, role__version=version).select_related("role"),
        )
        for row in rows[:20]
    ]
    return titles[:20]


def roles_without_profile(version: FrameworkVersion) -> list[str]:
    """Titles of roles that say nothing of what they require: no person, post or path could ever have them."""
    return [str(role) for role in Role.objects.filter(version=version, profiles=None).order_by("position", "code")]


def objections_to_publishing(version: FrameworkVersion) -> list[str]:
    """Sentences that say what is left to do before the draft can be published; empty when nothing is."""
    found = []
    if not version.competencies.exists() and not RoleProfile.objects.filter(role__version=version).exists():
        found.append(_("The draft holds nothing yet. Add competencies or roles first."))
    in_force = FrameworkVersion.objects.published().filter(framework=version.framework_id).first()
    if version.previous != in_force:
        found.append(_("Another edition is in force by now. Lay the draft beside that one first."))
    elif in_force is not None:
        left = undecided_lines(version)
        if left:
            found.append(_("%(count)s lines of the crosswalk are not decided yet.") % {"count": left})
        if _missing_lines(version, in_force):
            found.append(_("The draft has not been laid beside the edition in force yet."))
    if bare := roles_without_profile(version):
        names = ", ".join(f"“{title}”" for title in bare[:NAMED])
        found.append(
            ngettext(
                "%(count)s role has no profile, so nobody could be given it: %(names)s. Add a profile, or delete the role.",
                "%(count)s roles have no profile, so nobody could be given them: %(names)s. "
                "Add a profile to each, or delete the roles.",
                len(bare),
            )
            % {"count": len(bare), "names": names + (" …" if len(bare) > NAMED else "")}
        )
    if titles := unfinished_parts(version):
        names = ", ".join(f"“{title}”" for title in titles)
        found.append(
            _("Changes in the CMS are not part of the draft yet: %(names)s. Publish or discard them there.")
            % {"names": names}
        )
    return found


def needs_proposal(version: FrameworkVersion) -> bool:
    """Whether the draft has to be laid beside the edition in force (again): nothing was, or things came since."""
    in_force = FrameworkVersion.objects.published().filter(framework=version.framework_id).first()
    return version.previous != in_force or (in_force is not None and _missing_lines(version, in_force) > 0)


def _missing_lines(version: FrameworkVersion, in_force: FrameworkVersion) -> int:
    missing = in_force.competencies.exclude(successions__version=version).count()
    return missing + RoleProfile.objects.filter(role__version=in_force).exclude(successions__version=version).count()


def state_digest(version: FrameworkVersion) -> str:
    """Stands for the draft with its crosswalk: who reads what publishing does and who publishes speak of the same."""
    state = [
        content_of(version).digest,
        version.previous_id,
        sorted(version.competency_successions.values_list("old_id", "new_id"), key=str),
        sorted(version.profile_successions.values_list("old_id", "new_id"), key=str),
    ]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()


@transaction.atomic
def publish_version(
    *, version: FrameworkVersion, by: User | None, at: datetime | None = None, seen: str | None = None
) -> FrameworkVersion:
    """Put the draft in force and supersede the edition it follows. Publishing twice leaves the same state.

    `seen` is the state that was read (`state_digest`); None for a command that has no reader. Raises NotPossible with
    what is left to do, or when the draft is another one than was read.
    """
    moment = at or timezone.now()
    version = (
        FrameworkVersion.objects.select_for_update(of=("self",))
        .select_related("previous", "framework")
        .get(pk=version.pk)
    )
    if version.status != FrameworkStatus.DRAFT:
        return version
    # Two people who publish two drafts of a framework wait for each other here.
    Framework.objects.select_for_update().get(pk=version.framework_id)
    if objections := objections_to_publishing(version):
        raise NotPossible(" ".join(objections))
    if seen is not None and seen != state_digest(version):
        raise NotPossible(
            _("The draft has changed since you read what publishing does. Nothing was published; please read again.")
        )
    previous = version.previous
    _hand_on_lineages(version)
    if previous is not None:
        FrameworkVersion.objects.filter(pk=previous.pk).update(status=FrameworkStatus.SUPERSEDED, superseded_at=moment)
    version.status = FrameworkStatus.PUBLISHED
    version.published_at = moment
    version.content_digest = content_of(version).digest
    version.save(update_fields=["status", "published_at", "content_digest"])
    Framework.objects.filter(pk=version.framework_id).update(
        title=version.title or F("title"), publisher=version.publisher or F("publisher")
    )
    log(
        instance=version,
        action="competencies.publish_framework",
        user=by,
        data={"previous": previous.pk if previous is not None else None, "digest": version.content_digest},
    )
    transaction.on_commit(
        partial(
            framework_published.send,
            sender=FrameworkVersion,
            version_id=version.pk,
            previous_id=previous.pk if previous is not None else None,
        )
    )
    return version


def _hand_on_lineages(version: FrameworkVersion) -> None:
    competencies = []
    for line in version.competency_successions.exclude(new=None).select_related("old", "new"):
        if line.new is not None:
            line.new.lineage = line.old.lineage
            competencies.append(line.new)
    Competency.objects.bulk_update(competencies, ["lineage"], batch_size=BATCH)
    profiles = []
    for row in version.profile_successions.exclude(new=None).select_related("old", "new"):
        if row.new is not None:
            row.new.lineage = row.old.lineage
            profiles.append(row.new)
    RoleProfile.objects.bulk_update(profiles, ["lineage"], batch_size=BATCH)


# --- Drafts ------------------------------------------------------------------------------------------------------
def edition_name(framework: Framework, edition: str) -> str:
    """The name as it is stored. Raises NotPossible for one that is empty, too long or taken."""
    name = tidy(edition)
    objection = objection_to_text(name, limit=MAX_EDITION) if name else _("Give the edition a name, for example “2.0”.")
    if objection:
        raise NotPossible(objection)
    if framework.versions.filter(edition=name).exists():
        raise NotPossible(
            _("“%(framework)s” has an edition “%(edition)s” already. Give this one another name.")
            % {"framework": framework, "edition": name}
        )
    return name


@transaction.atomic
def draft_next_edition(*, version: FrameworkVersion, edition: str, by: User) -> FrameworkVersion:
    """A draft with everything this version holds, to be changed and published in its place.

    Raises NotPossible for an edition's name that cannot be.
    """
    framework = Framework.objects.select_for_update().get(pk=version.framework_id)
    name = edition_name(framework, edition)
    content = replace(content_of(version), edition=name)
    in_force = FrameworkVersion.objects.published().filter(framework=framework).first()
    draft = store_version(framework=framework, content=content, edition=name, previous=in_force, publish=False, by=by)
    return propose_crosswalk(version=draft)


@transaction.atomic
def draft_extension(
    *, base: FrameworkVersion, slug: str, title: Mapping[str, str], publisher: str, edition: str, by: User
) -> FrameworkVersion:
    """An empty draft of a framework of our own that adds to a published one. The published one is not touched.

    Raises NotPossible for a base that is not published, or a short name that is taken.
    """
    if base.status != FrameworkStatus.PUBLISHED:
        raise NotPossible(_("Only a published framework can be extended."))
    if base.extends_id is not None:
        raise NotPossible(
            _("“%(version)s” is an extension itself. Extend the framework it adds to.") % {"version": base}
        )
    if len(slug) > MAX_SLUG or Framework.objects.filter(slug=slug).exists():
        raise NotPossible(
            _("Another framework has the short name “%(slug)s” already. Choose another one.") % {"slug": slug}
        )
    framework = Framework.objects.create(slug=slug, title=dict(title), publisher=publisher)
    name = edition_name(framework, edition)
    version = FrameworkVersion.objects.create(
        framework=framework,
        edition=name,
        title=dict(title),
        publisher=publisher,
        languages=list(base.languages),
        uuid=version_uuid(slug, name),
        extends=base,
    )
    log(instance=version, action="competencies.extend_framework", user=by, data={"extends": base.pk})
    return version


@transaction.atomic
def discard_draft(*, version: FrameworkVersion, by: User) -> None:
    """Remove a draft with everything in it. Raises NotPossible when it is no draft, or something leans on it."""
    found = FrameworkVersion.objects.select_for_update(of=("self",)).filter(pk=version.pk).first()
    if found is None:  # pressed twice
        return
    if found.status != FrameworkStatus.DRAFT:
        raise NotPossible(_("Only a draft can be discarded. A published edition is superseded by the next one."))
    framework = found.framework
    log(instance=framework, action="competencies.discard_draft", user=by, data={"edition": found.edition})
    try:
        found.delete()
    except ProtectedError as error:
        raise NotPossible(
            _("Something leans on this draft (a course, a post, evidence). Take that away first.")
        ) from error
    if not framework.versions.exists():
        framework.delete()


def _lock_draft(version: FrameworkVersion) -> FrameworkVersion:
    locked = (
        FrameworkVersion.objects.select_for_update(of=("self",))
        .select_related("previous", "framework")
        .get(pk=version.pk)
    )
    if locked.status != FrameworkStatus.DRAFT:
        raise NotPossible(_("“%(version)s” is published and never changes.") % {"version": locked})
    return locked
