"""Standing rules in words: whom they mean, as one sentence, and how they stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from competencies.enums import FrameworkStatus
from competencies.models import Competency, RoleProfile
from learning.conditions import (
    Condition,
    ConditionRefused,
    HasGrade,
    HasLanguage,
    HasManager,
    HasRole,
    HasTag,
    HoldsLevel,
    InUnit,
    Leaf,
    Mentions,
    Row,
    Started,
    mentions,
    read_condition,
    to_rows,
)
from learning.models import AssignmentRule
from organisations.models import Unit, User


@dataclass(frozen=True)
class Names:
    """What the things are called that conditions name by their ids."""

    units: Mapping[int, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[int, str] = field(default_factory=dict)
    competencies: Mapping[str, str] = field(default_factory=dict)


def role_name(profile: RoleProfile) -> str:
    return f"{profile.role}: {profile}" if str(profile.grade) else str(profile)


def names_of(named: Iterable[Mentions]) -> Names:
    """One query for each sort of thing that is named."""
    every = list(named)
    units = {pk for m in every for pk in m.units}
    roles = {lineage for m in every for lineage in m.roles}
    people = {pk for m in every for pk in m.people}
    competencies = {lineage for m in every for lineage in m.competencies}
    return Names(
        units={u.pk: str(u.name) for u in Unit.objects.filter(pk__in=units)} if units else {},
        roles=_role_names(roles) if roles else {},
        people=dict(User.objects.filter(pk__in=people).values_list("pk", "name")) if people else {},
        competencies=_competency_names(competencies) if competencies else {},
    )


def _role_names(lineages: Iterable[str]) -> dict[str, str]:
    """As the edition in force calls them, or the last one that had them."""
    rows = RoleProfile.objects.filter(lineage__in=map(UUID, lineages)).select_related("role__version")
    ordered = sorted(rows, key=lambda p: (p.role.version.status == FrameworkStatus.PUBLISHED, p.pk))
    return {str(profile.lineage): role_name(profile) for profile in ordered}


def _competency_names(lineages: Iterable[str]) -> dict[str, str]:
    rows = (
        Competency.objects.filter(lineage__in=map(UUID, lineages))
        .select_related("version")
        .only("title", "lineage", "version__status")
    )
    ordered = sorted(rows, key=lambda c: (c.version.status == FrameworkStatus.PUBLISHED, c.pk))
    return {str(competency.lineage): str(competency.title) for competency in ordered}


# --- Whom ------------------------------------------------------------------------------------------------------------
def whom_words(rules: Sequence[AssignmentRule]) -> dict[int, str]:
    """Whom each of these rules means, by its id. One query for each sort of thing that is named."""
    read: dict[int, Condition] = {}
    for rule in rules:
        try:
            read[rule.pk] = read_condition(rule.condition)
        except ConditionRefused:
            continue
    names = names_of(mentions(condition) for condition in read.values())
    return {
        rule.pk: sentence(str(rule.unit), to_rows(read[rule.pk]) if rule.pk in read else None, names) for rule in rules
    }


def sentence(unit: str, groups: Sequence[Sequence[Row]] | None, names: Names) -> str:
    """Everybody in the unit who …: groups are joined by "and", rows of a group by "or"."""
    if not groups:
        return _("The conditions cannot be put into words.")
    parts = []
    for group in groups:
        phrases = [phrase(row, names) for row in group]
        joined = phrases[0]
        for following in phrases[1:]:
            joined = _("%(one)s or %(other)s") % {"one": joined, "other": following}
        parts.append(joined if len(phrases) == 1 or len(groups) == 1 else _("either %(choices)s") % {"choices": joined})
    said = parts[0]
    for following in parts[1:]:
        said = _("%(one)s, and %(other)s") % {"one": said, "other": following}
    return _("Everybody in “%(unit)s” or below who %(conditions)s.") % {"unit": unit, "conditions": said}


def phrase(row: Row, names: Names) -> str:
    """One condition as what somebody does or is."""
    positive, negative = _phrases(row.leaf, names)
    return negative if row.negated else positive


def _phrases(leaf: Leaf, names: Names) -> tuple[str, str]:
    gone = _("something that is no longer there")
    match leaf:
        case InUnit(unit, _path, below):
            values = {"unit": names.units.get(unit, gone)}
            if below:
                return _("is in “%(unit)s” or below") % values, _("is neither in “%(unit)s” nor below") % values
            return _("is in “%(unit)s” itself") % values, _("is not in “%(unit)s” itself") % values
        case HasRole(role):
            values = {"role": names.roles.get(role, gone)}
            return _("has the role “%(role)s”") % values, _("does not have the role “%(role)s”") % values
        case HasGrade(grade):
            values = {"grade": grade}
            return _("holds a post of grade %(grade)s") % values, _("holds no post of grade %(grade)s") % values
        case HasLanguage(language):
            values = {"language": language_name(language)}
            return _("reads in %(language)s") % values, _("does not read in %(language)s") % values
        case HasManager(person):
            values = {"name": names.people.get(person, gone)}
            return _("reports to %(name)s") % values, _("does not report to %(name)s") % values
        case HasTag(tag):
            values = {"tag": tag}
            return _("has the tag “%(tag)s”") % values, _("does not have the tag “%(tag)s”") % values
        case HoldsLevel(competency, at_least, below_rank):
            values = {
                "competency": names.competencies.get(competency, gone),
                "rank": str(at_least or below_rank or 0),
            }
            reaches = _("holds “%(competency)s” at level %(rank)s or above") % values
            lacks = _("is below level %(rank)s in “%(competency)s”") % values
            return (reaches, lacks) if at_least is not None else (lacks, reaches)
        case Started():
            return _started(leaf)


def _started(leaf: Started) -> tuple[str, str]:
    if leaf.after is not None:
        values = {"day": formats.date_format(leaf.after, "DATE_FORMAT")}
        return (
            _("started in the post on %(day)s or later") % values,
            _("did not start in the post on %(day)s or later") % values,
        )
    if leaf.before is not None:
        values = {"day": formats.date_format(leaf.before, "DATE_FORMAT")}
        return _("started in the post before %(day)s") % values, _("did not start in the post before %(day)s") % values
    days = leaf.days_ago_at_least if leaf.days_ago_at_least is not None else leaf.days_ago_at_most or 0
    counted = {"days": days}
    if leaf.days_ago_at_least is not None:
        return (
            ngettext(
                "started in the post at least %(days)s day ago", "started in the post at least %(days)s days ago", days
            )
            % counted,
            ngettext(
                "did not start in the post %(days)s day ago or earlier",
                "did not start in the post %(days)s days ago or earlier",
                days,
            )
            % counted,
        )
    return (
        ngettext("started in the post at most %(days)s day ago", "started in the post at most %(days)s days ago", days)
        % counted,
        ngettext(
            "did not start in the post in the last %(days)s day",
            "did not start in the post in the last %(days)s days",
            days,
        )
        % counted,
    )


def language_name(code: str) -> str:
    return dict(settings.LANGUAGES).get(code, code)


# --- How it stands ---------------------------------------------------------------------------------------------------
def state_words(rule: AssignmentRule, stuck: str = "") -> tuple[str, str]:
    """Kind of status mark, and words."""
    if rule.is_working:
        return ("overdue", _("Stuck: does nothing")) if stuck else ("done", _("Working"))
    if rule.started_at is not None:
        return "neutral", _("Stopped")
    if rule.stopped_at is not None:
        return "soon", _("Changed: waits for its dry run")
    return "soon", _("Not started yet")
