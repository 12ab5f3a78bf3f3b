"""Frameworks of every shape that a spreadsheet has to hold, for property tests: with names that are hard to keep apart."""

from __future__ import annotations

from hypothesis import strategies as st

from competencies.enums import CompetencyKind, LinkRelation, Necessity
from competencies.importers.content import (
    UNUSABLE,
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
    tidy,
)

TRICKY = [
    "=1+1",
    "-x",
    "+",
    "@a",
    "'=x",
    "'",
    "''",
    "1",
    "01",
    "1.0",
    "Level 1",
    "yes",
    "NULL",
    "#N/A",
    "_x000D_",
    "x005F_",
]
WORDS = [
    "a",
    "A",
    "á",
    "Data",
    "data",
    "DATA ",
    "数据",
    "😀",
    "two\nlines",
    "tab\tin",
    "semi;colon",
    'quo"te',
    "com,ma",
    "{}",
    "[en]",
    "x (2)",
]

texts = (
    st.one_of(
        st.sampled_from([*TRICKY, *WORDS]),
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=12),
        st.lists(st.sampled_from([*TRICKY, *WORDS]), min_size=1, max_size=3).map(" ".join),
    )
    .map(lambda text: tidy(UNUSABLE.sub("", text)))
    .filter(bool)
)
short = texts.map(lambda text: tidy(text[:20])).filter(bool)
json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**20), 10**20),
        st.floats(allow_nan=False, allow_infinity=False),
        texts,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)
extras = st.one_of(st.just({}), st.dictionaries(texts, json_values, max_size=3))
identifiers = st.one_of(st.just(""), texts)


@st.composite
def spreadsheet_contents(draw: st.DrawFn) -> FrameworkContent:
    languages = draw(st.sampled_from([("en",), ("es",), ("es", "en"), ("pt-BR", "en", "fr")]))

    def words(*, blank: bool = True) -> dict[str, str]:
        used = draw(st.lists(st.sampled_from(languages), min_size=0 if blank else 1, unique=True))
        return {language: draw(texts) for language in used}

    def codes(least: int, most: int) -> list[str]:
        return draw(st.lists(short, min_size=least, max_size=most, unique=True))

    def beyond() -> dict:
        return {"identifier": draw(identifiers), "extra": draw(extras)}

    ranks = draw(st.lists(st.integers(0, 20), max_size=4, unique=True))
    levels = tuple(LevelContent(rank, words(blank=False), words(), **beyond()) for rank in ranks)
    extends = draw(st.one_of(st.none(), st.tuples(st.sampled_from(["base", "other"]), short)))
    # In an extension, codes that are not there are of the other framework - and look like nothing that is there.
    elsewhere = st.sampled_from(["elsewhere-1", "elsewhere-2"])
    foreign = st.nothing() if extends is None else elsewhere
    rank_or_none = st.one_of(st.none(), st.sampled_from(ranks)) if ranks else st.none()

    def of(known: list[str]) -> st.SearchStrategy:
        return st.one_of(st.none(), *([st.sampled_from(known)] if known else []), foreign)

    area_codes = codes(0, 3)
    areas = tuple(AreaContent(code, words(blank=False), words(), **beyond()) for code in area_codes)
    family_codes = codes(0, 3)
    families = tuple(FamilyContent(code, words(blank=False), words(), **beyond()) for code in family_codes)
    competency_codes = codes(1, 5)
    competencies = tuple(
        CompetencyContent(
            code=code,
            title=words(blank=False),
            kind=draw(st.sampled_from(CompetencyKind.values)),
            area=draw(of(area_codes)),
            description=words(),
            example=words(),
            descriptors=tuple(
                DescriptorContent(rank, words(blank=False))
                for rank in sorted(draw(st.lists(st.sampled_from(ranks), unique=True)) if ranks else [])
            ),
            parent=draw(of(competency_codes[:number])),
            rank=draw(rank_or_none),
            alternatives=words(),
            **beyond(),
        )
        for number, code in enumerate(competency_codes)
    )

    def requirement(code: str) -> RequirementContent:
        return RequirementContent(
            competency=code,
            level=draw(rank_or_none),
            importance=draw(st.integers(1, 5)),
            necessity=draw(st.sampled_from(Necessity.values)),
            level_value=draw(st.sampled_from(["", "4.62", "-1", "3.10", "1e-3"])),
            importance_value=draw(st.sampled_from(["", "0.5", "75"])),
            extra=draw(extras),
        )

    def profile(code: str) -> ProfileContent:
        required = draw(st.lists(st.one_of(st.sampled_from(competency_codes), foreign), max_size=3, unique=True))
        return ProfileContent(
            code=code,
            grade=words(),
            summary=words(),
            requirements=tuple(map(requirement, required)),
            builds_on=None if extends is None else draw(st.one_of(st.none(), short)),
            **beyond(),
        )

    roles = tuple(
        RoleContent(
            code=code,
            title=words(blank=False),
            family=draw(of(family_codes)),
            summary=words(),
            key_post=draw(st.one_of(st.just(""), short)),
            external_codes=draw(st.dictionaries(short, st.lists(short, max_size=2).map(tuple), max_size=2)),
            profiles=tuple(map(profile, codes(0, 3))),
            alternatives=words(),
            **beyond(),
        )
        for code in codes(0, 3)
    )

    def link() -> LinkContent:
        return LinkContent(
            origin=draw(st.one_of(st.sampled_from(competency_codes), foreign)),
            relation=draw(st.sampled_from(LinkRelation.values)),
            target=draw(of(competency_codes)),
            target_uri=draw(texts),
            target_title=draw(identifiers),
            note=draw(identifiers),
            **beyond(),
        )

    return FrameworkContent(
        slug=draw(st.sampled_from(["a", "our-framework", "x-1"])),
        title=words(blank=False),
        edition=draw(st.one_of(st.none(), short)),
        description=words(),
        publisher=draw(identifiers),
        source=draw(identifiers),
        source_url=draw(st.sampled_from(["", "https://example.org/a?b=c"])),
        licence=draw(identifiers),
        attribution=draw(identifiers),
        languages=languages,
        levels=levels,
        areas=areas,
        families=families,
        competencies=competencies,
        roles=roles,
        links=tuple(link() for _number in range(draw(st.integers(0, 2)))),
        extends=extends,
        **beyond(),
    )
