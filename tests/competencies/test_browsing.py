"""Looking into frameworks: what there is, edition by edition, and how role, competency and course hang together."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.utils import timezone

from competencies import browsing
from competencies.enums import CompetencyKind, EvidenceKind, FrameworkStatus, LinkRelation, Necessity
from competencies.models import (
    Alignment,
    Area,
    Competency,
    CompetencyLink,
    Framework,
    FrameworkVersion,
    Requirement,
    Role,
    RoleFamily,
    RoleProfile,
)
from tests.builders import competency, give_evidence, make_course, make_framework, make_person, make_profile

pytestmark = pytest.mark.django_db


def text(client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


def add(version: FrameworkVersion, *codes: str, **fields: object) -> list[Competency]:
    """More competencies of a published version, past its guard, as a loader writes them."""
    rows = [Competency(version=version, code=code, **{"title": {"en": f"Thing {code}"}, **fields}) for code in codes]
    for row in rows:
        row.search_text = row.searchable()
    return Competency.objects.bulk_create(rows)


def next_edition(old: FrameworkVersion, *, keep: str) -> FrameworkVersion:
    """Edition 2 of a framework, in force: the competencies named in `keep` go on, the others are withdrawn."""
    FrameworkVersion.objects.filter(pk=old.pk).update(
        status=FrameworkStatus.SUPERSEDED, superseded_at=timezone.make_aware(datetime(2026, 3, 14, 12))
    )
    new = FrameworkVersion.objects.create(
        framework=old.framework, edition="2", status=FrameworkStatus.PUBLISHED, previous=old
    )
    for code in keep:
        before = competency(old, code)
        add(new, code, title={"en": f"Competency {code}"}, lineage=before.lineage)
    return new


@pytest.fixture
def version():
    return make_framework("alpha", codes="ABC")


# --- The list ----------------------------------------------------------------------------------------------------
def test_every_published_framework_says_what_it_holds_and_drafts_stay_hidden(client, version):
    add(version, "T1", "T2", kind=CompetencyKind.TASK)
    make_profile(version, {"A": 1})
    FrameworkVersion.objects.filter(pk=version.pk).update(licence="CC-BY-4.0", publisher="House of Numbers")
    make_framework("unripe", status=FrameworkStatus.DRAFT)
    page = text(client, "/frameworks/")
    for words in ("alpha", "3 competencies · 2 tasks", "1 role", "1 area", "6 levels", "House of Numbers", "CC-BY-4.0"):
        assert words in page
    assert "unripe" not in page


def test_a_local_framework_stands_under_the_one_it_extends_in_whatever_edition(client, version):
    local = make_framework("local-words")
    FrameworkVersion.objects.filter(pk=local.pk).update(extends=version)
    next_edition(version, keep="A")
    (card,) = browsing.published_frameworks()
    assert card.version.edition == "2"
    assert [below.version for below in card.extensions] == [local]
    assert "Adds to it locally" in text(client, "/frameworks/")
    assert "It adds to:" in text(client, "/frameworks/local-words/")
    assert "local-words" in text(client, "/frameworks/alpha/")


# --- One framework -----------------------------------------------------------------------------------------------
def test_a_framework_shows_areas_with_competencies_and_families_with_roles(client, version):
    profile = make_profile(version, {"A": 3}, title="Risk officer")
    family = RoleFamily(version=version, code="f", title={"en": "Guardians"})
    RoleFamily.objects.bulk_create([family])
    Role.objects.filter(pk=profile.role_id).update(family=family)
    page = text(client, "/frameworks/alpha/")
    for words in ("Area</h3>", "Competency A", "What A is.", "Guardians (1)", "Risk officer", f"/roles/{profile.pk}/"):
        assert words in page


def test_parts_are_folded_under_their_whole_and_counted(client, version):
    a = competency(version, "A")
    add(version, "S1", "S2", kind=CompetencyKind.STATEMENT, parent=a)
    add(version, "O1", kind=CompetencyKind.OUTCOME, parent=a)
    view = browsing.framework_view(browsing.editions_of("alpha"), version, filters=browsing.Filters())
    assert [entry.competency.code for entry in view.entries] == ["A", "B", "C"]
    assert view.entries[0].counts == (("statement", 2), ("outcome", 1))
    assert {part.code for part in view.entries[0].parts} == {"S1", "S2", "O1"}
    assert view.page.paginator.count == 3
    assert "2 statements · 1 learning outcome" in text(client, "/frameworks/alpha/")
    only = browsing.framework_view([version], version, filters=browsing.Filters(kind="statement"))
    assert [entry.competency.code for entry in only.entries] == ["S1", "S2"]


def test_many_parts_are_only_counted(client, version, monkeypatch):
    monkeypatch.setattr(browsing, "MOST_PARTS", 2)
    a = competency(version, "A")
    add(version, "S1", "S2", "S3", kind=CompetencyKind.STATEMENT, parent=a)
    page = text(client, "/frameworks/alpha/")
    assert "3 statements" in page
    assert "Thing S1" not in page


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("", "ABCXY"),
        ("kind=task", "XY"),
        ("area=0", "XY"),
        ("q=competencia+b", "B"),
        ("q=COMPETENCÍA", "ABC"),
        ("kind=task&q=thing+x", "X"),
        ("kind=nonsense&area=nonsense&page=nonsense", "ABCXY"),
        ("area=99999999999999999999", "ABCXY"),
    ],
)
def test_a_framework_is_filtered_by_kind_area_and_words(client, version, query, codes):
    add(version, "X", "Y", kind=CompetencyKind.TASK)
    view = client.get(f"/frameworks/alpha/?{query}").context["view"]
    assert "".join(entry.competency.code for entry in view.entries) == codes
    assert view.page.paginator.count == len(codes)


def test_a_filter_that_leaves_nothing_leads_back(client, version):
    page = text(client, "/frameworks/alpha/?q=nowhere")
    assert "Nothing found here" in page
    assert "Show everything" in page


def test_the_partial_is_the_region_of_the_whole(client, version):
    whole = text(client, "/frameworks/alpha/?q=b")
    part = client.get("/frameworks/alpha/?q=b", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert part.strip() in whole


def test_a_superseded_edition_stays_readable_and_says_so(client, version):
    new = next_edition(version, keep="AB")
    page = text(client, f"/frameworks/alpha/?edition={version.pk}")
    assert "Superseded by edition 2 on 14 March 2026" in page
    assert "Competency C" in page
    page = text(client, "/frameworks/alpha/")
    assert "Superseded" not in page
    assert "Competency C" not in page
    assert f"?edition={version.pk}" in page
    assert text(client, f"/frameworks/alpha/?edition={new.pk}")


@pytest.mark.parametrize(
    "address", ["nothing/", "draft/", "alpha/?edition=0", "alpha/?edition=x", "alpha/?edition=%00"]
)
def test_what_is_not_there_or_still_a_draft_is_not_found(client, version, address):
    make_framework("draft", status=FrameworkStatus.DRAFT)
    assert client.get(f"/frameworks/{address}").status_code == 404


def test_a_draft_edition_is_not_read_by_its_number(client, version):
    draft = FrameworkVersion.objects.create(framework=version.framework, edition="9")
    assert client.get(f"/frameworks/alpha/?edition={draft.pk}").status_code == 404
    a = add(draft, "A")[0]
    assert client.get(f"/competencies/{a.pk}/").status_code == 404


def big_framework(size: int) -> FrameworkVersion:
    version = FrameworkVersion.objects.create(
        framework=Framework.objects.create(slug=f"big-{size}", title={"en": f"Big {size}"}),
        edition="1",
        status=FrameworkStatus.PUBLISHED,
    )
    areas = Area.objects.bulk_create(Area(version=version, code=f"a{n}", title={"en": f"Area {n}"}) for n in range(40))
    rows = [
        Competency(
            version=version,
            code=f"c{n}",
            area=areas[n % 40],
            position=n,
            title={"en": f"Skill number {n}", "es": f"Habilidad número {n}"},
            description={"en": "What it takes. " * 10},
            kind=[CompetencyKind.SKILL, CompetencyKind.KNOWLEDGE][n % 2],
        )
        for n in range(size)
    ]
    for row in rows:
        row.search_text = row.searchable()
    Competency.objects.bulk_create(rows)
    roles = Role.objects.bulk_create(
        Role(version=version, code=f"r{n}", title={"en": f"Role {n}"}) for n in range(size // 5)
    )
    RoleProfile.objects.bulk_create(RoleProfile(role=role, code=role.code) for role in roles)
    return version


def test_a_big_framework_costs_what_a_small_one_does(client, count_queries):
    small, big = big_framework(60), big_framework(6_000)
    client.get("/frameworks/")
    for path in ("", "?q=number", "?kind=skill", "?area=0", "?page=2"):
        counts = {
            v: count_queries(lambda v=v, p=path: client.get(f"/frameworks/{v.framework.slug}/{p}"))
            for v in (small, big)
        }
        assert max(counts.values()) <= 12, path
    page = client.get("/frameworks/big-6000/").content
    assert page.count(b"<li") < 300
    assert len(page) < 80_000
    assert count_queries(lambda: client.get("/frameworks/")) <= 12
    assert count_queries(lambda: client.get(f"/roles/?framework={big.pk}")) <= 12
    assert client.get(f"/roles/?framework={big.pk}").content.count(b"/roles/") < 150


# --- One competency ----------------------------------------------------------------------------------------------
def test_a_competency_says_what_it_is_who_needs_it_and_what_leads_there(client, version):
    a = competency(version, "A")
    Competency.objects.filter(pk=a.pk).update(
        example={"en": "A town hall does it."}, alternatives={"en": "Alpha skill\nFirst skill"}
    )
    child = add(version, "S1", kind=CompetencyKind.STATEMENT, parent=a, rank=2)[0]
    profile = make_profile(version, {"A": 3}, title="Risk officer", importance=5)
    make_course(version, {"A": 4}, key="to-four")
    page = text(client, f"/competencies/{a.pk}/")
    for words in (
        "What A is.", "A town hall does it.", "Alpha skill · First skill", "I can do A at 3.", "Level 3, Label 3",
        "Level 2 Label 2 · Statement (1)", f"/competencies/{child.pk}/", "1 role asks for it", "Risk officer",
        f"/roles/{profile.pk}/", "level 3, Label 3", "importance 5 of 5", "/courses/to-four/", "to level 4, Label 4",
    ):  # fmt: skip
        assert words in page, words
    assert "Your level" not in page
    assert f"/competencies/{a.pk}/" in text(client, f"/competencies/{child.pk}/")


@pytest.mark.parametrize(
    ("others", "value", "said"),
    [
        ((3,), "", False),  # nothing is ever graded: the source states none
        ((3, 5), "", True),  # where others are graded, the middle is a grade
        ((3,), "3.12", True),  # a figure of the source
    ],
)
def test_importance_is_said_only_where_the_source_states_it(client, version, others, value, said):
    profile = make_profile(version, {"A": 1}, title="Asked about")
    FrameworkVersion.objects.filter(pk=version.pk).update(status="draft")
    profile.requirements.update(importance_value=value)
    FrameworkVersion.objects.filter(pk=version.pk).update(status="published")
    for importance in others:
        make_profile(version, {"B": 1}, importance=importance)
    page = client.get(f"/competencies/{competency(version, 'A').pk}/").content.decode()
    assert "Asked about" in page
    assert ("importance 3 of 5" in page) is said


def test_optional_and_uncertain_requirements_are_called_so_and_come_last(client, version):
    make_profile(version, {"A": 1}, title="Needs it")
    for necessity in (Necessity.UNCERTAIN, Necessity.OPTIONAL):
        profile = make_profile(version, {"A": 1}, title=f"Role {necessity}", importance=5)
        Requirement.objects.filter(profile=profile).update(necessity=necessity)
    page = browsing.required_by(competency(version, "A"))
    assert [r.necessity for r in page] == ["required", "optional", "uncertain"]
    words = text(client, f"/competencies/{competency(version, 'A').pk}/")
    assert "<b>Optional</b>" in words
    assert "<b>Too uncertain to be used</b>" in words


def test_links_read_from_both_ends(client, version):
    a, b, c = (competency(version, code) for code in "ABC")
    CompetencyLink.objects.bulk_create(
        [
            CompetencyLink(version=version, origin=a, target=b, relation=LinkRelation.BROADER),
            CompetencyLink(version=version, origin=c, target=a, relation=LinkRelation.PRECEDES),
            CompetencyLink(
                version=version, origin=a, relation=LinkRelation.EXACT,
                target_uri="https://example.org/x", target_title="X elsewhere",
            ),
            CompetencyLink(version=version, origin=a, relation=LinkRelation.OTHER, target_uri="javascript:x", target_title="Trap"),
        ]
    )  # fmt: skip
    page = " ".join(text(client, f"/competencies/{a.pk}/").split())
    assert f'It is broader than <a href="/competencies/{b.pk}/">' in page
    assert "comes before this one" in page
    assert '<a href="https://example.org/x" rel="nofollow">X elsewhere</a>' in page
    assert "Trap" in page
    assert "javascript:" not in page
    assert "What is shown for one counts for the other." not in page
    assert f'It is narrower than <a href="/competencies/{a.pk}/">' in " ".join(
        text(client, f"/competencies/{b.pk}/").split()
    )


def test_an_exact_alignment_counts_for_both_and_brings_its_courses(client, version):
    other = make_framework("beta", codes="Z")
    a, z = competency(version, "A"), competency(other, "Z")
    Alignment.objects.create(origin=a, target=z, relation=LinkRelation.EXACT, note="Read side by side.")
    make_course(other, {"Z": 3}, key="beta-course")
    for one, another in ((a, z), (z, a)):
        page = text(client, f"/competencies/{one.pk}/")
        assert "What is shown for one counts for the other." in page
        assert "Read side by side." in page
        assert f"/competencies/{another.pk}/" in page
        assert "/courses/beta-course/" in page
    assert "which is the same; the levels are of that framework" in text(client, f"/competencies/{a.pk}/")
    Alignment.objects.update(withdrawn_at=timezone.now())
    assert "counts for the other" not in text(client, f"/competencies/{a.pk}/")


def test_an_alignment_with_a_draft_is_nobodys_business_yet(client, version):
    draft = make_framework("beta", codes="Z", status=FrameworkStatus.DRAFT)
    Alignment.objects.create(
        origin=competency(version, "A"), target=competency(draft, "Z"), relation=LinkRelation.RELATED
    )
    assert "Competency Z" not in text(client, f"/competencies/{competency(version, 'A').pk}/")


def test_editions_of_a_competency_lead_to_each_other(client, version):
    new = next_edition(version, keep="AB")
    a, a2 = competency(version, "A"), competency(new, "A")
    make_profile(new, {"A": None}, title="Role of today")
    page = text(client, f"/competencies/{a.pk}/")
    assert "Superseded by edition 2 on 14 March 2026." in page
    assert f"/competencies/{a2.pk}/" in page
    assert "Role of today" in page
    assert "earlier: alpha 1" in text(client, f"/competencies/{a2.pk}/")
    page = text(client, f"/competencies/{competency(version, 'C').pk}/")
    assert "Withdrawn" in page
    assert "What was shown for it stays on record." in page
    assert f"?edition={version.pk}" in page


def test_who_is_signed_in_sees_her_level_and_where_to_go(client, version):
    ana = make_person("Ana")
    a = competency(version, "A")
    client.force_login(ana)
    page = text(client, f"/competencies/{a.pk}/")
    assert "Nothing is on record yet." in page
    assert f"/learn/competencies/{a.pk}/assess/" in page
    give_evidence(ana, a, 2, EvidenceKind.PRIOR_LEARNING)
    page = text(client, f"/competencies/{a.pk}/")
    assert "Level 2" in page
    assert f'href="/learn/competencies/{a.pk}/"' in page
    next_edition(version, keep="")
    page = text(client, f"/competencies/{a.pk}/")
    assert "Why this level" in page
    assert "/assess/" not in page


def test_a_competency_costs_the_same_with_much_around_it_as_with_little(client, count_queries):
    version = make_framework("alpha", codes="AB")
    b = competency(version, "B")
    for _ in range(35):
        make_profile(version, {"B": 2})
    for n in range(3):
        make_course(version, {"B": 4}, key=f"course-{n}")
        other = make_framework(codes="Z")
        Alignment.objects.create(origin=b, target=competency(other, "Z"), relation=LinkRelation.EXACT)
    add(version, *(f"S{n}" for n in range(60)), kind=CompetencyKind.STATEMENT, parent=b)
    make_profile(version, {"A": 2})
    make_course(version, {"A": 4})
    client.get(f"/competencies/{b.pk}/")
    counts = [count_queries(lambda c=c: client.get(f"/competencies/{competency(version, c).pk}/")) - 1 for c in "AB"]
    assert max(counts) <= 12
    page = text(client, f"/competencies/{b.pk}/?roles=2")
    assert "31 to 35 of 35" in page


@pytest.mark.parametrize("pk", ["0", "999999", "99999999999999999999999"])
def test_a_competency_that_is_not_there_is_not_found(client, pk):
    assert client.get(f"/competencies/{pk}/").status_code == 404


# --- Roles -------------------------------------------------------------------------------------------------------
def test_a_role_folds_what_is_optional_or_uncertain_away_from_what_it_requires(client, version):
    profile = make_profile(version, {"A": 3, "B": 2, "C": 1})
    Requirement.objects.filter(profile=profile, competency__code="B").update(necessity=Necessity.OPTIONAL)
    Requirement.objects.filter(profile=profile, competency__code="C").update(necessity=Necessity.UNCERTAIN)
    page = text(client, f"/roles/{profile.pk}/")
    assert "It requires 1 competency" in page
    assert "Useful, not required: 1 competency" in page
    assert "Too uncertain to be used: 1 competency" in page
    assert page.index("Competency A") < page.index("Competency B") < page.index("Competency C")
    assert f"/competencies/{competency(version, 'A').pk}/" in page
    assert f"/roles/compare/?a={profile.pk}" in page
    assert f"/roles/{profile.pk}/card.pdf" in page


def test_a_profile_shows_what_it_builds_on_and_the_stricter_level_counts(client, version):
    base = make_profile(version, {"A": 3, "B": 4})
    local = make_framework("local", codes="L")
    FrameworkVersion.objects.filter(pk=local.pk).update(extends=version)
    mine = make_profile(local, {"L": 2})
    Requirement.objects.bulk_create(
        [Requirement(profile=mine, competency=competency(version, "A"), level=version.levels.get(rank=5), importance=2)]
    )
    RoleProfile.objects.filter(pk=mine.pk).update(builds_on=base)
    mine.refresh_from_db()
    asked = {a.competency.code: a for a in browsing.requirements_of([mine])[mine.pk]}
    assert {code: a.rank for code, a in asked.items()} == {"A": 5, "B": 4, "L": 2}
    assert {code for code, a in asked.items() if a.inherited} == {"B"}
    assert asked["A"].importance == 3
    page = text(client, f"/roles/{mine.pk}/")
    assert "It requires 3 competencies" in page
    assert "From the national framework: alpha" in page
    assert "From the national framework" not in text(client, f"/roles/{base.pk}/")


def test_a_hundred_and_fifty_requirements_fold_by_kind(client, count_queries):
    version = make_framework("nice-like", ranks=0, codes=[f"K{n}" for n in range(100)])
    add(version, *(f"T{n}" for n in range(50)), kind=CompetencyKind.TASK)
    codes = version.competencies.values_list("code", flat=True)
    profile = make_profile(version, dict.fromkeys(codes))
    client.get(f"/roles/{profile.pk}/")
    page = text(client, f"/roles/{profile.pk}/")
    assert "Competency (100)" in page
    assert "Task (50)" in page
    assert "states no level" not in page
    assert count_queries(lambda: client.get(f"/roles/{profile.pk}/")) <= 12


def test_roles_are_paged_and_filtered_by_family(client, version):
    family = RoleFamily(version=version, code="f", title={"en": "Guardians"})
    RoleFamily.objects.bulk_create([family])
    for n in range(63):
        profile = make_profile(version, {}, title=f"Clerk {n}")
    Role.objects.filter(pk=profile.role_id).update(family=family)
    assert len(client.get("/roles/").context["roles"]) == 60
    assert len(client.get("/roles/?page=2").context["roles"]) == 3
    assert [str(r) for r in client.get(f"/roles/?family={family.pk}").context["roles"]] == ["Clerk 62"]
    assert client.get("/roles/?family=x&page=x").status_code == 200


def test_home_and_roles_lead_to_frameworks_and_search(client, version):
    make_profile(version, {"A": 1}, key_post="CISO")
    for page in (text(client, "/"), text(client, "/roles/")):
        assert 'href="/frameworks/"' in page
        assert "/frameworks/search/" in page
