"""Editions of frameworks for tests: small content, loaded, laid beside the one in force and published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from competencies.importers.content import (
    AreaContent,
    CompetencyContent,
    DescriptorContent,
    FamilyContent,
    FrameworkContent,
    LevelContent,
    LinkContent,
    ProfileContent,
    RequirementContent,
    RoleContent,
)
from competencies.lifecycle import confirm_certain, decide_succession, propose_crosswalk, publish_version
from competencies.loading import load_framework
from competencies.models import Competency, FrameworkVersion, RoleProfile
from organisations.models import User

LABELS = ("Awareness", "Working", "Practitioner", "Expert")


def small_content(slug: str = "national", edition: str = "1", **change: Any) -> FrameworkContent:
    """Four levels, competencies A (with descriptors), B and C, one role with a junior and a senior profile."""
    values: dict[str, Any] = {
        "publisher": "The ministry",
        "languages": ("en", "es"),
        "levels": tuple(LevelContent(rank, {"en": label}) for rank, label in enumerate(LABELS, start=1)),
        "areas": (AreaContent("area", {"en": "Area", "es": "Área"}),),
        "families": (FamilyContent("family", {"en": "Family"}),),
        "competencies": (
            CompetencyContent(
                "A",
                {"en": "Counting", "es": "Contar"},
                area="area",
                description={"en": "Counts what is there.", "es": "Cuenta lo que hay."},
                descriptors=tuple(DescriptorContent(rank, {"en": f"Counts at {rank}."}) for rank in range(1, 5)),
                extra={"colour": "green"},
            ),
            CompetencyContent("B", {"en": "Asking"}, area="area", description={"en": "Asks until it is clear."}),
            CompetencyContent("C", {"en": "Telex"}, area="area", description={"en": "Sends telexes."}, parent="B"),
        ),
        "roles": (
            RoleContent(
                "clerk",
                {"en": "Clerk", "es": "Oficinista"},
                family="family",
                profiles=(
                    ProfileContent(
                        "junior-clerk",
                        {"en": "Junior"},
                        requirements=(RequirementContent("A", 2), RequirementContent("C", 1)),
                    ),
                    ProfileContent(
                        "senior-clerk",
                        {"en": "Senior"},
                        requirements=(RequirementContent("A", 3, 5), RequirementContent("B", None)),
                    ),
                ),
            ),
        ),
        "links": (LinkContent("A", "related", target="B"),),
    }
    return FrameworkContent(slug=slug, title={"en": slug.title()}, edition=edition, **(values | change))


def altered(
    content: FrameworkContent, edition: str = "2", **competencies: Mapping[str, Any] | None
) -> FrameworkContent:
    """The next edition: competencies by code with other fields, None for one that goes, with what requires it."""
    kept = tuple(
        replace(c, **(competencies.get(c.code) or {}))
        for c in content.competencies
        if competencies.get(c.code, {}) is not None
    )
    codes = {c.code: str((competencies.get(c.code) or {}).get("code", c.code)) for c in content.competencies}
    gone = {code for code, fields in competencies.items() if fields is None}
    roles = tuple(
        replace(
            role,
            profiles=tuple(
                replace(
                    profile,
                    requirements=tuple(
                        replace(r, competency=codes.get(r.competency, r.competency))
                        for r in profile.requirements
                        if r.competency not in gone
                    ),
                )
                for profile in role.profiles
            ),
        )
        for role in content.roles
    )
    links = tuple(
        replace(link, origin=codes[link.origin], target=codes[link.target or ""])
        for link in content.links
        if not {link.origin, link.target} & gone
    )
    return replace(content, edition=edition, competencies=kept, roles=roles, links=links)


def require(content: FrameworkContent, profile: str, *requirements: RequirementContent) -> FrameworkContent:
    """The content with these requirements of a profile instead of those it has."""
    roles = tuple(
        replace(
            role,
            profiles=tuple(replace(p, requirements=requirements) if p.code == profile else p for p in role.profiles),
        )
        for role in content.roles
    )
    return replace(content, roles=roles)


def load(content: FrameworkContent) -> FrameworkVersion:
    """Load content: published where it is the first edition, else a draft laid beside the one in force."""
    version = load_framework(content=content).version
    return propose_crosswalk(version=version) if version.is_draft else version


def confirm_all(version: FrameworkVersion, by: User) -> None:
    """Confirm every line of the crosswalk as it was proposed."""
    confirm_certain(version=version, by=by)
    for lines in (version.competency_successions, version.profile_successions):
        for line in lines.filter(decision="proposed").select_related("new"):
            decide_succession(line=line, successor=line.new, by=by)


def publish(version: FrameworkVersion, by: User) -> FrameworkVersion:
    """Confirm the crosswalk as it was proposed and publish."""
    confirm_all(version, by)
    return publish_version(version=version, by=by)


def competency_of(version: FrameworkVersion, code: str) -> Competency:
    return version.competencies.get(code=code)


def profile_of(version: FrameworkVersion, code: str) -> RoleProfile:
    return RoleProfile.objects.get(role__version=version, code=code)
