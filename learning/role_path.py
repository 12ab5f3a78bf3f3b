"""What a role card says: the role's requirements in words, and the path of somebody who holds nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from competencies.browsing import Asked, descriptor_texts, requirements_of
from competencies.enums import HELD_RANK, CompetencyKind, Necessity
from competencies.models import FrameworkVersion, RoleProfile
from competencies.selectors import Scale, scales_of
from courses.selectors import OfferedCourse, offered_courses
from learning.planning import Closing, Plan, Target, plan_path
from learning.role_card import RoleCard, Row, Section, Step
from learning.services import offers_for
from organisations.plain_text import without_links

# A list of more than these of several kinds is set as statements by kind.
FEW_REQUIREMENTS = 25


@dataclass(frozen=True)
class RolePath:
    """The courses for somebody who holds nothing, as the planner chooses them."""

    plan: Plan
    offered: Mapping[str, OfferedCourse]
    asked: Mapping[int, Asked]


def path_for_role(asked: Iterable[Asked], *, language: str) -> RolePath:
    """Only what is required counts. Five queries, two more where courses teach what is aligned with the role's."""
    required = {a.competency.pk: a for a in asked if a.necessity == Necessity.REQUIRED}
    targets = []
    for pk, a in required.items():
        needed = HELD_RANK if a.rank is None else a.rank
        if needed > 0:
            targets.append(Target(pk, 0, needed, Decimal(a.importance) / 5 * needed))
    offered = offered_courses()
    return RolePath(plan_path(targets, offers_for(language, offered)), offered, required)


def role_card_of(profile: RoleProfile, *, language: str, dated: date) -> RoleCard:
    """The card of a profile (with role, family, version and framework selected) in the reader's language."""
    asked = requirements_of([profile])[profile.pk]
    scales = scales_of({a.competency.version_id for a in asked})
    path = path_for_role(asked, language=language)
    version, role = profile.role.version, profile.role
    required = [a for a in asked if a.necessity == Necessity.REQUIRED]
    eyebrow = [
        "" if version.is_published else _("No longer in force"),
        role.key_post,
        str(role) if str(profile) != str(role) else "",
        str(role.family or ""),
    ]
    summaries = dict.fromkeys(filter(None, (without_links(str(text)) for text in (role.summary, profile.summary))))
    return RoleCard(
        language=language,
        dated=dated,
        title=str(profile),
        eyebrow=" · ".join(part for part in eyebrow if part),
        summary="\n".join(summaries),
        required=len(required),
        sections=_sections(asked, scales),
        steps=_steps(path, scales, language),
        minutes=path.plan.effort_minutes,
        unclosed=tuple(_unclosed(c, path) for c in path.plan.unclosed),
        framework=_framework_words(version, asked),
        licence=version.licence,
        attribution=version.attribution,
        source=version.source_url,
        url=f"{settings.SITE_URL}{reverse('role_detail', args=[profile.pk])}",
    )


def _framework_words(version: FrameworkVersion, asked: Iterable[Asked]) -> str:
    base = next((str(a.competency.version) for a in asked if a.inherited), "")
    return f"{version} · {base}" if base and base != str(version) else str(version)


def _sections(asked: Sequence[Asked], scales: Mapping[int, Scale]) -> tuple[Section, ...]:
    required = [a for a in asked if a.necessity == Necessity.REQUIRED]
    texts = descriptor_texts(required)
    sections = []
    if len(required) > FEW_REQUIREMENTS and not any(scales[a.competency.version_id].is_stated for a in required):
        for kind in CompetencyKind:
            of_kind = [a for a in required if a.competency.kind == kind]
            if of_kind:
                heading = _("%(kind)s (%(n)s)") % {"kind": kind.label, "n": len(of_kind)}
                sections.append(_brief(heading, of_kind, scales))
    elif required:
        sections.append(Section("", tuple(_row(a, texts, scales) for a in required)))
    for necessity, heading in (
        (Necessity.OPTIONAL, _("Useful, not required")),
        (Necessity.UNCERTAIN, _("Published by the source as too uncertain to be used")),
    ):
        rest = [a for a in asked if a.necessity == necessity]
        if rest:
            sections.append(_brief(heading, rest, scales))
    return tuple(sections)


def _brief(heading: str, asked: Iterable[Asked], scales: Mapping[int, Scale]) -> Section:
    rows = tuple(Row(str(a.competency), label=_level_words(a.competency.version_id, a.rank, scales)) for a in asked)
    return Section(heading, rows, brief=True)


def _level_words(version_id: int, rank: int | None, scales: Mapping[int, Scale]) -> str:
    return "" if rank is None else _("level %(rank)s") % {"rank": rank}


def _row(asked: Asked, texts: Mapping[int, str], scales: Mapping[int, Scale]) -> Row:
    scale = scales[asked.competency.version_id]
    note = ""
    if asked.inherited:
        note = _("From the national framework: %(framework)s") % {"framework": asked.competency.version.framework}
    return Row(
        title=str(asked.competency),
        level=asked.rank,
        levels=scale.max_rank if scale.is_stated else 0,
        label=scale.label(asked.rank) if asked.rank is not None else "",
        text=without_links(texts.get(asked.competency.pk) or str(asked.competency.description)),
        note=note,
    )


def _steps(path: RolePath, scales: Mapping[int, Scale], language: str) -> tuple[Step, ...]:
    pages = {step.key: path.offered[step.key].page_for(language) for step in path.plan.steps}
    return tuple(
        Step(
            title=pages[step.key].title,
            minutes=pages[step.key].effort_minutes,
            leads_to=tuple(_leads_to(c, path, scales) for c in step.closes),
            needed_by=tuple(pages[key].title for key in step.needed_by),
        )
        for step in path.plan.steps
    )


def _leads_to(closing: Closing, path: RolePath, scales: Mapping[int, Scale]) -> str:
    """ "Risk governance, level 4": as far as is required or, short of that, as the course leads."""
    competency = path.asked[closing.competency_id].competency
    if not scales[competency.version_id].is_stated:
        return str(competency)
    return _("%(competency)s, level %(rank)s") % {
        "competency": competency,
        "rank": min(closing.reaches, closing.required),
    }


def _unclosed(closing: Closing, path: RolePath) -> str:
    competency = path.asked[closing.competency_id].competency
    if not closing.reaches:
        return str(competency)
    return _("%(competency)s (to level %(reached)s of the %(required)s required)") % {
        "competency": competency,
        "reached": closing.reaches,
        "required": closing.required,
    }
