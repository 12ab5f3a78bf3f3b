from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from competencies import importers
from competencies.enums import CompetencyKind
from competencies.importers import CannotImport
from competencies.importers.content import (
    AreaContent,
    CompetencyContent,
    DescriptorContent,
    FamilyContent,
    FrameworkContent,
    LevelContent,
    ProfileContent,
    RequirementContent,
    RoleContent,
    tidy,
)

from .builders import platform_document, platform_of, write_json

STARTER = Path(settings.BASE_DIR) / "competencies" / "data" / "starter-framework.json"


def refused(tmp_path, document):
    with pytest.raises(CannotImport) as caught:
        importers.read(write_json(tmp_path / "framework.json", document))
    return {fault.place: fault.message for fault in caught.value.faults}


def test_a_file_comes_in_as_it_is_written(tmp_path):
    content = importers.read(write_json(tmp_path / "framework.json", platform_document()))
    assert content.edition == "1"
    assert content.title == {"en": "Sample", "es": "Muestra"}
    assert content.competencies[0].descriptors == (DescriptorContent(1, {"en": "I can count.", "es": "Puedo contar."}),)
    [role] = content.roles
    assert role.profiles == (ProfileContent(code="clerk", requirements=(RequirementContent("A1", 1, 4),)),)
    assert content.deviations == ()


def test_the_starter_framework_is_understood_without_deviation():
    content = importers.read(STARTER)
    assert (content.slug, content.languages, content.deviations) == ("public-digital-talent", ("en", "es"), ())
    assert [level.rank for level in content.levels] == [0, 1, 2, 3, 4, 5]
    assert {len(competency.descriptors) for competency in content.competencies} == {5}
    assert (content.counts["areas"], content.counts["competencies"], content.counts["roles"]) == (6, 29, 10)


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        (lambda d: d.pop("levels"), "$", "“levels” is missing"),
        (lambda d: d.update(format="digital-talent-framework/2"), "$.format", "not understood"),
        (lambda d: d.update(colour=1), "$", "“colour” is not known here"),
        (lambda d: d["framework"].update(slug="Über Alles"), "$.framework.slug", "not a short name"),
        (
            lambda d: d["framework"].update(source_url="javascript:alert(1)"),
            "$.framework.source_url",
            "not a web address",
        ),
        (lambda d: d["framework"].update(edition=1), "$.framework.edition", "found a number"),
        (lambda d: d["framework"].update(edition="x" * 61), "$.framework.edition", "at most 60 fit"),
        (lambda d: d["framework"].update(languages=["english!"]), "$.framework.languages[0]", "not a language code"),
        (lambda d: d["framework"].update(languages=[]), "$.framework.languages", "has no language"),
        (
            lambda d: d["framework"]["title"].update(fr="Exemple"),
            "$.framework.title",
            "“fr” is not among the languages",
        ),
        (lambda d: d["framework"].update(title={}), "$.framework.title", "text is empty"),
        (lambda d: d["framework"].update(title="Sample"), "$.framework.title", "Expected an object in braces"),
        (lambda d: d["levels"][0].update(rank=21), "$.levels[0].rank", "out of range"),
        (lambda d: d["levels"][0].update(rank=True), "$.levels[0].rank", "found true or false"),
        (lambda d: d["levels"][0].update(rank=1), "$.levels[1].rank", "there already"),
        (lambda d: d["areas"].append(d["areas"][0]), "$.areas[1].code", "there already"),
        (lambda d: d["competencies"][0].update(area="B"), "$.competencies[0].area", "no “B”"),
        (lambda d: d["competencies"][0].update(kind="habit"), "$.competencies[0].kind", "not a kind"),
        (
            lambda d: d["competencies"][0]["descriptors"].update({"7": {"en": "x"}}),
            "$.competencies[0].descriptors['7']",
            "0, 1",
        ),
        (lambda d: d["competencies"][0]["title"].update(en="\x07"), "$.competencies[0].title.en", "U+0007"),
        (lambda d: d["competencies"][0]["title"].update(en="\ud800"), "$.competencies[0].title.en", "U+D800"),
        (lambda d: d["roles"][0].update(family="g"), "$.roles[0].family", "no “g”"),
        (lambda d: d["roles"][0].update(profiles=[]), "$.roles[0]", "either “requirements” or"),
        (lambda d: d["roles"][0].update(key_post="x" * 21), "$.roles[0].key_post", "at most 20"),
        (
            lambda d: d["roles"][0]["requirements"][0].update(level=4),
            "$.roles[0].requirements[0].level",
            "not on the scale",
        ),
        (lambda d: d["roles"][0]["requirements"][0].pop("level"), "$.roles[0].requirements[0]", "“level” is missing"),
        (
            lambda d: d["roles"][0]["requirements"][0].update(importance=6),
            "$.roles[0].requirements[0].importance",
            "1 to 5",
        ),
        (
            lambda d: d["roles"][0]["requirements"][0].update(competency="Z"),
            "$.roles[0].requirements[0].competency",
            "no “Z”",
        ),
        (
            lambda d: d["roles"][0]["requirements"].extend(d["roles"][0]["requirements"]),
            "$.roles[0].requirements[1].competency",
            "already",
        ),
    ],
)
def test_each_fault_has_its_path_and_its_sentence(tmp_path, change, place, words):
    document = platform_document()
    change(document)
    faults = refused(tmp_path, document)
    assert list(faults) == [place]
    assert words in faults[place]


def test_one_reading_names_all_faults(tmp_path):
    document = platform_document()
    document["levels"][1]["label"] = None
    document["competencies"][0]["code"] = ""
    document["roles"][0]["requirements"][0]["importance"] = "high"
    assert {"$.levels[1].label", "$.competencies[0].code", "$.roles[0].requirements[0].importance"} <= set(
        refused(tmp_path, document)
    )


def test_a_missing_language_is_told(tmp_path):
    document = platform_document()
    del document["roles"][0]["title"]["es"]
    [deviation] = importers.read(write_json(tmp_path / "framework.json", document)).deviations
    assert str(deviation) == "$.roles[0].title: Not in every language: es."


def test_a_role_may_require_without_stating_a_level_and_have_grades(tmp_path):
    document = platform_document()
    document["roles"][0]["profiles"] = [
        {
            "code": "junior",
            "grade": {"en": "Junior", "es": "Inicial"},
            "requirements": [{"competency": "A1", "level": None}],
        },
        {"code": "senior", "requirements": document["roles"][0].pop("requirements")},
    ]
    [role] = importers.read(write_json(tmp_path / "framework.json", document)).roles
    assert role.profiles[0].requirements == (RequirementContent("A1", None, 3),)
    assert role.profiles[1].grade == {}


# --- What is written is what is read ---------------------------------------------------------------------------
words = (
    st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Cn"]), min_size=1, max_size=30)
    .map(tidy)
    .filter(bool)
)
texts = st.dictionaries(st.sampled_from(["en", "es"]), words, min_size=1)
maybe = st.one_of(st.just({}), texts)
codes = st.lists(words, unique=True, max_size=4)


@st.composite
def contents(draw):
    ranks = draw(st.lists(st.integers(0, 20), unique=True, max_size=4))
    areas, families = draw(codes), draw(codes)
    competencies = draw(st.lists(words, unique=True, min_size=1, max_size=5))
    levels = st.sampled_from([None, *ranks])

    def requirements():
        chosen = draw(st.lists(st.sampled_from(competencies), unique=True))
        return tuple(RequirementContent(code, draw(levels), draw(st.integers(1, 5))) for code in chosen)

    def descriptors():
        chosen = sorted(draw(st.lists(st.sampled_from(ranks), unique=True))) if ranks else []
        return tuple(DescriptorContent(rank, draw(texts)) for rank in chosen)

    return FrameworkContent(
        slug=draw(st.from_regex(r"[a-z0-9]{1,9}(-[a-z0-9]{1,9})?", fullmatch=True)),
        title=draw(texts),
        edition=draw(words),
        description=draw(maybe),
        publisher=draw(words),
        source_url=draw(st.sampled_from(["", "https://example.org/a?b=c"])),
        languages=("en", "es"),
        levels=tuple(LevelContent(rank, draw(texts), draw(maybe)) for rank in ranks),
        areas=tuple(AreaContent(code, draw(texts), draw(maybe)) for code in areas),
        families=tuple(FamilyContent(code, draw(texts)) for code in families),
        competencies=tuple(
            CompetencyContent(
                code=code,
                title=draw(texts),
                kind=draw(st.sampled_from(CompetencyKind.values)),
                area=draw(st.sampled_from([None, *areas])),
                example=draw(maybe),
                descriptors=descriptors(),
            )
            for code in competencies
        ),
        roles=tuple(
            RoleContent(
                code=code,
                title=draw(texts),
                family=draw(st.sampled_from([None, *families])),
                key_post=draw(st.sampled_from(["", "CIO"])),
                external_codes=draw(st.dictionaries(words, st.lists(words, max_size=2).map(tuple), max_size=2)),
                profiles=tuple(
                    ProfileContent(grade_code, draw(maybe), draw(maybe), requirements()) for grade_code in draw(codes)
                ),
            )
            for code in draw(codes)
        ),
    )


@given(contents())
@hypothesis_settings(max_examples=60, deadline=None)
def test_what_is_written_is_what_is_read(content):
    with TemporaryDirectory() as folder:
        again = importers.read(write_json(Path(folder) / "framework.json", platform_of(content)))
    assert again.digest == content.digest
    assert (again.edition, again.counts) == (content.edition, content.counts)


@pytest.mark.parametrize("folder", ["nice-2.1.0", "ddat-2025-09"])
def test_a_real_framework_survives_the_way_through_our_own_format(shared_data, tmp_path, folder):
    content = importers.read(shared_data / folder)
    document = platform_of(content)
    document["framework"]["edition"] = "any"
    path = write_json(tmp_path / "framework.json", document)
    assert importers.read(path).digest == content.digest
    path.write_text(json.dumps(document, indent=3, ensure_ascii=False, sort_keys=True), encoding="utf-8-sig")
    assert importers.read(path).digest == content.digest
