"""Finding roles and competencies by their wording, in any language, whatever the accents and capitals.

`search_text` holds every language of code, title, other names and description, folded; a query is folded alike, and
every word of it must be contained. The database keeps what contains them; of those the likeliest (where the words
stand first, which is the title) are ranked exactly.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, TypeVar

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, Exists, F, IntegerField, Model, OuterRef, QuerySet, Value, When
from django.db.models.functions import StrIndex
from i18nfield.strings import LazyI18nString

from competencies.enums import CompetencyKind
from competencies.models import Competency, FrameworkVersion, Role, RoleProfile
from competencies.models.framework import fold
from competencies.selectors import published_versions
from organisations.plain_text import without_links

MOST_CHARACTERS, MOST_WORDS = 100, 8
# Beyond these, what the words stand first in has been ranked; who wants more adds a word.
MOST_RANKED = 1_000
PAGE_SIZE = 20
ROLES_SHOWN = 6
ROLE = "role"

M = TypeVar("M", bound=Model)


class Match(IntEnum):
    """How well a title fits, the best first."""

    WHOLE = 0
    BEGINS = 1
    CONTAINS = 2
    ELSEWHERE = 3


def clean_query(text: str) -> str:
    """What was typed as it is shown again: no NUL, one line, not endless."""
    return " ".join(text[: 10 * MOST_CHARACTERS].replace("\0", " ").split())[:MOST_CHARACTERS]


def words_of(query: str) -> list[str]:
    return list(dict.fromkeys(fold(clean_query(query)).split()))[:MOST_WORDS]


def containing(rows: QuerySet[M], words: list[str]) -> QuerySet[M]:
    """Rows that contain every word; without words none of them is left out."""
    for word in words:
        rows = rows.filter(search_text__contains=word)
    return rows


def match_of(titles: list[str], words: list[str]) -> Match:
    """How well folded titles (one a language, or a code) fit; the best of them counts."""
    phrase = " ".join(words)
    if phrase in titles:
        return Match.WHOLE
    if any(title.startswith(phrase) for title in titles):
        return Match.BEGINS
    if any(all(word in title for word in words) for title in titles):
        return Match.CONTAINS
    return Match.ELSEWHERE


def folded_titles(title: Any, code: str = "") -> list[str]:
    data = title.data if isinstance(title, LazyI18nString) else title
    texts = [str(text) for text in data.values()] if isinstance(data, dict) else [str(data or "")]
    return [fold(text) for text in (*texts, code) if text]


def _ranked(rows: QuerySet[Any], words: list[str], *, kinds: bool = True) -> list[tuple[int, str]]:
    """Ids with their kind, the best match first. One query of at most MOST_RANKED rows."""
    phrase = " ".join(words)
    far = Value(1_000_000, output_field=IntegerField())
    rows = rows.annotate(
        as_phrase=StrIndex("search_text", Value(phrase)), first_word=StrIndex("search_text", Value(words[0]))
    ).order_by(Case(When(as_phrase=0, then=far), default=F("as_phrase")), "first_word", "pk")
    fields = ("pk", F("kind") if kinds else Value(""), "title", "code")
    found = [
        (match_of(folded_titles(title, code), words), len(str(title)), order, (pk, kind))
        for order, (pk, kind, title, code) in enumerate(rows.values_list(*fields)[:MOST_RANKED])
    ]
    return [row for _match, _length, _order, row in sorted(found)]


def ranked_ids(rows: QuerySet[Any], words: list[str]) -> list[int]:
    """Ids of everything that contains the words, the best match first; what is beyond the ranked comes behind it."""
    rows = containing(rows, words)
    ids = [pk for pk, _kind in _ranked(rows, words, kinds=False)]
    if len(ids) >= MOST_RANKED:
        known = set(ids)
        ids += [pk for pk in rows.order_by("pk").values_list("pk", flat=True) if pk not in known]
    return ids


@dataclass(frozen=True)
class Found:
    """A role or competency that was found. `other_wording`: its title in another language than the reader's, where the
    words are in that one; `excerpt`: where its description says them, when no title does."""

    thing: Any
    other_wording: str
    excerpt: str
    profile_id: int | None = None


@dataclass(frozen=True)
class Results:
    """What was found. `roles` are the first of `role_count`, or a page of them when only roles are asked for."""

    query: str
    words: tuple[str, ...]
    versions: tuple[FrameworkVersion, ...]
    version: FrameworkVersion | None
    kind: str
    kinds: tuple[tuple[str, int], ...]
    role_count: int
    competency_count: int
    roles: tuple[Found, ...]
    competencies: tuple[Found, ...]
    page: Page[Any] | None
    cut: bool

    @property
    def narrowed(self) -> bool:
        return self.version is not None or bool(self.kind)


def search(query: str, *, framework: str = "", kind: str = "", page: str | int | None = 1) -> Results:
    """Search all published frameworks, or one (its slug); `kind` is a kind of competency or "role". Eight queries at most."""
    versions = tuple(published_versions().select_related("framework").defer("extra", "description").order_by("pk"))
    version = next((v for v in versions if v.framework.slug == framework), None)
    kind = kind if kind == ROLE or kind in CompetencyKind.values else ""
    words = words_of(query)
    if not words:
        return Results(clean_query(query), (), versions, version, kind, (), 0, 0, (), (), None, False)
    within = [version.pk] if version is not None else [v.pk for v in versions]
    can_be_opened = Exists(RoleProfile.objects.filter(role=OuterRef("pk")))
    roles = containing(Role.objects.filter(can_be_opened, version__in=within), words)
    competencies = containing(Competency.objects.filter(version__in=within), words)
    role_ids = [pk for pk, _none in _ranked(roles, words, kinds=False)]
    role_count = len(role_ids) if len(role_ids) < MOST_RANKED else roles.count()
    ranked = _ranked(competencies, words)
    by_kind: Mapping[str, int] = Counter(k for _pk, k in ranked)
    if len(ranked) >= MOST_RANKED:  # there are more: the database counts, and ranks within the kind that is asked for
        by_kind = dict(competencies.order_by().values_list("kind").annotate(n=Count("pk")))
        ranked = _ranked(competencies.filter(kind=kind), words) if kind in by_kind else ranked
    shown: Page[Any] | None = None
    found_roles: list[Found] = []
    found_competencies: list[Found] = []
    if kind == ROLE:
        shown = Paginator(role_ids, PAGE_SIZE).get_page(page)
        found_roles = _roles(list(shown), words)
    else:
        shown = Paginator([pk for pk, k in ranked if kind in ("", k)], PAGE_SIZE).get_page(page)
        found_competencies = _competencies(list(shown), words)
        if not kind and shown.number == 1:
            found_roles = _roles(role_ids[:ROLES_SHOWN], words)
    in_order = tuple((k, by_kind[k]) for k in CompetencyKind.values if k in by_kind)
    return Results(
        query=clean_query(query),
        words=tuple(words),
        versions=versions,
        version=version,
        kind=kind,
        kinds=in_order,
        role_count=role_count,
        competency_count=sum(by_kind.values()),
        roles=tuple(found_roles),
        competencies=tuple(found_competencies),
        page=shown,
        cut=shown.paginator.count >= MOST_RANKED,
    )


def _other_wording(thing: Any, words: list[str]) -> str:
    """The title in another language, where the words are in that one and not in the reader's."""
    shown = fold(str(thing.title))
    if any(word in shown for word in words) or not isinstance(thing.title.data, dict):
        return ""
    return next((str(text) for text in thing.title.data.values() if all(word in fold(str(text)) for word in words)), "")


def excerpt_of(text: Any, words: list[str]) -> str:
    """About the first of the words that stands there: the words around it, in whichever language has it; line breaks are kept."""
    data = text.data if isinstance(text, LazyI18nString) else text
    texts = [str(text), *(str(value) for value in data.values())] if isinstance(data, dict) else [str(text or "")]
    for candidate in map(without_links, texts):
        tokens = list(re.finditer(r"\S+", candidate))
        at = next((i for i, token in enumerate(tokens) if any(word in fold(token[0]) for word in words)), None)
        if at is not None:
            start = max(0, at - 8)
            kept = tokens[start : start + 24]
            shown = candidate[kept[0].start() : kept[-1].end()]
            # Blanks shrink to one, line breaks stay.
            shown = re.sub(r"\s*\n\s*|\s+", lambda gap: "\n" if "\n" in gap[0] else " ", shown)
            return ("… " if start else "") + shown + (" …" if start + 24 < len(tokens) else "")
    return ""


def _found(thing: Any, description: Any, words: list[str], profile_id: int | None = None) -> Found:
    elsewhere = match_of(folded_titles(thing.title, thing.code), words) == Match.ELSEWHERE
    excerpt = excerpt_of(description, words) if elsewhere else ""
    return Found(thing, _other_wording(thing, words), excerpt, profile_id)


def _competencies(ids: list[int], words: list[str]) -> list[Found]:
    rows = (
        Competency.objects.filter(pk__in=ids)
        .select_related("version__framework", "area")
        .defer("search_text", "extra", "example", "alternatives", "version__extra", "area__extra")
        .in_bulk()
    )
    return [_found(rows[pk], rows[pk].description, words) for pk in ids if pk in rows]


def _roles(ids: list[int], words: list[str]) -> list[Found]:
    first: dict[int, int] = {}
    profiles = RoleProfile.objects.filter(role__in=ids).order_by("position", "code").values_list("role_id", "pk")
    for role_id, pk in profiles:
        first.setdefault(role_id, pk)
    rows = (
        Role.objects.filter(pk__in=ids)
        .select_related("version__framework", "family")
        .defer("search_text", "extra", "version__extra")
        .in_bulk()
    )
    return [_found(rows[pk], rows[pk].summary, words, first[pk]) for pk in ids if pk in rows and pk in first]
