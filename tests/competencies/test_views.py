import re
from dataclasses import replace
from io import BytesIO

import pytest
from django.utils import translation
from pypdf import PdfReader

from competencies import wording
from competencies.enums import EvidenceKind
from competencies.levels import RULES
from competencies.models import Evidence
from competencies.selectors import standing_of
from competencies.templatetags.competencies import shortened
from tests.builders import (
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
)
from tests.competencies.banks import make_bank
from tests.competencies.editions import altered, load, profile_of, publish, small_content

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return make_framework(codes="ABC")


@pytest.fixture
def ana(version):
    person = make_person("Ana Pérez")
    make_post(make_unit(), holder=person, roles=[make_profile(version, {"A": 4, "B": 2, "C": None})])
    return person


def text(client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_why_this_level_names_rule_evidence_and_what_would_change_it(client, version, ana):
    boss = make_person("Berta Boss")
    a = competency(version, "A")
    give_evidence(ana, a, 2, EvidenceKind.COURSE, days_ago=40)
    give_evidence(ana, a, 3, EvidenceKind.MANAGER, by=boss, days_ago=5)
    give_evidence(ana, a, 4, EvidenceKind.SELF, days_ago=3, by=ana)
    make_course(version, {"A": 4}, key="to-four")
    client.force_login(ana)
    page = text(client, f"/learn/competencies/{a.pk}/")
    for words in (
        "Level 3 of the 4 your role needs",
        "A manager’s assessment shows at most level 2 alone",
        "Manager&#x27;s assessment, recorded by Berta Boss",
        "This is what shows level 3",
        "Shown beside the level; counts for nothing by itself.",
        "You pass a course with a check for level 4.",
        "/courses/to-four/",
    ):
        assert words in page


def test_assessing_oneself_goes_from_one_competency_to_the_next_and_back_to_the_desk(client, version, ana):
    client.force_login(ana)
    url = client.get("/learn/assess/").url
    seen = []
    while url != "/learn/":
        page = text(client, url)
        assert "I can do" in page
        token = page.split('name="token" value="')[1].split('"')[0]
        response = client.post(url, {"rank": "2", "token": token})
        seen.append(url)
        url = response.url
    assert len(seen) == 3
    assert Evidence.objects.filter(kind=EvidenceKind.SELF).count() == 3
    assert client.get("/learn/assess/").url == "/learn/"


@pytest.mark.parametrize("rank", ["", "9", "x", "-1"])
def test_a_self_assessment_off_the_scale_gets_a_sentence(client, version, ana, rank):
    client.force_login(ana)
    response = client.post(f"/learn/competencies/{competency(version, 'A').pk}/assess/", {"rank": rank, "token": "t"})
    assert response.status_code == 422
    assert not Evidence.objects.exists()
    words = response.content.decode()
    assert ("Choose one of the levels shown." if rank else "Choose the description that fits") in words


def test_a_manager_sees_the_level_and_the_kinds_of_evidence_and_can_confirm(client, version, ana):
    boss = make_person("Berta Boss")
    from organisations.models import Appointment, Post

    post = Appointment.objects.get(person=ana).post
    Post.objects.filter(pk=post.pk).update(reports_to=make_post(post.unit, holder=boss))
    give_evidence(ana, competency(version, "B"), 2, EvidenceKind.SELF, by=ana)
    client.force_login(boss)
    assert "1 level waits" in text(client, f"/team/{ana.pk}/")
    url = f"/people/{ana.pk}/competencies/{competency(version, 'B').pk}/assess/"
    assert "Which of these have you seen Ana do?" in text(client, url)
    assert client.post(url, {"rank": "2", "note": "Ran the desk.", "token": "t"}).url == f"/team/{ana.pk}/"
    assert standing_of(ana).line(competency(version, "B").pk).is_met
    client.force_login(ana)
    assert "Ran the desk." in text(client, f"/learn/competencies/{competency(version, 'B').pk}/")


def test_roles_are_listed_by_framework_and_show_what_they_require_without_a_level(client, version, ana):
    profile = make_profile(version, {"A": 3, "C": None}, title="Change lead")
    assert "Change lead" in text(client, "/roles/")
    page = text(client, f"/roles/{profile.pk}/")
    assert "I can do A at 3." in page
    assert "Required; the framework states no level." in page
    assert client.get("/roles/999999/").status_code == 404
    assert client.get("/roles/?framework=nonsense").status_code == 200


def test_a_draft_framework_is_not_shown(client):
    draft = make_framework(codes="Q", status="draft")
    profile = make_profile(draft, {"Q": 1}, title="Hidden role")
    assert "Hidden role" not in text(client, "/roles/")
    assert client.get(f"/roles/{profile.pk}/").status_code == 404


def followed():
    """The edition in force after the small one: without C and the senior clerk."""
    content = altered(small_content(), C=None)
    [role] = content.roles
    content = replace(content, roles=(replace(role, profiles=role.profiles[:1]),))
    return publish(load(content), make_person("Steward"))


@pytest.fixture
def superseded():
    """The roles of an edition that another one follows: the junior clerk goes on, the senior one is withdrawn."""
    first = load(small_content())
    return first, followed()


def test_a_superseded_role_stays_readable_and_leads_to_its_successor(client, superseded):
    first, second = superseded
    junior, following = profile_of(first, "junior-clerk"), profile_of(second, "junior-clerk")
    page = text(client, f"/roles/{junior.pk}/")
    assert "Superseded by edition 2" in page
    assert f'href="/roles/{following.pk}/"' in page
    assert "Telex" in page
    assert f"/frameworks/national/?edition={first.pk}" in page
    assert "Superseded" not in text(client, f"/roles/{following.pk}/")
    assert "not in the edition in force" in text(client, f"/roles/{profile_of(first, 'senior-clerk').pk}/")
    card = client.get(f"/roles/{junior.pk}/card.pdf")
    assert (card.status_code, card["Content-Type"]) == (200, "application/pdf")
    words = " ".join(page.extract_text() for page in PdfReader(BytesIO(card.getvalue())).pages)
    assert "No longer in force" in words
    both = client.get("/roles/compare/", {"a": junior.pk, "b": following.pk})
    assert (both.context["first"], both.context["second"]) == (junior, following)
    assert f'href="/roles/{junior.pk}/"' in text(client, f"/frameworks/national/?edition={first.pk}")
    listed = text(client, f"/roles/?framework={first.pk}")
    assert f'href="/roles/{junior.pk}/"' in listed
    assert "no longer in force" in listed


def test_the_role_of_a_draft_is_nobodys_at_any_door(client):
    draft = make_framework(codes="Q", status="draft")
    profile = make_profile(draft, {"Q": 1}, title="Hidden role")
    assert client.get(f"/roles/{profile.pk}/card.pdf").status_code == 404
    assert client.get("/roles/compare/", {"a": profile.pk}).context["first"] is None
    assert "Hidden role" not in text(client, f"/roles/?framework={draft.pk}")


def test_the_role_card_costs_the_same_for_many_competencies_as_for_few(client, count_queries):
    version = make_framework(codes="ABCDEFGH")
    few, many = make_profile(version, {"A": 2}), make_profile(version, dict.fromkeys("ABCDEFGH", 3))
    for code in "ABCDEFGH":
        make_course(version, {code: 4})
    client.get(f"/roles/{few.pk}/")
    counts = [count_queries(lambda p=profile: client.get(f"/roles/{p.pk}/")) for profile in (few, many)]
    assert counts[0] == counts[1] <= 12
    assert count_queries(lambda: client.get("/roles/")) <= 12


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_rule_has_its_words_in_every_language(language):
    with translation.override(language):
        sentences = [wording.rule_words(rule) for rule in RULES.rules]
    assert len(set(sentences)) == len(sentences)
    assert all("%(" not in sentence for sentence in sentences)


def test_what_is_missing_from_a_managers_word_is_named_by_the_question_on_the_page(client, version, ana):
    unit, boss = make_unit(), make_person("Max Ruiz")
    make_post(unit, holder=ana, reports_to=make_post(unit, holder=boss))
    client.force_login(boss)
    url = f"/people/{ana.pk}/competencies/{competency(version, 'A').pk}/assess/"
    text = client.post(url, {"token": "t"}).content.decode()
    assert text.count(f"Which of these have you seen {ana.get_short_name()} do?") == 2  # the question, the summary
    assert "Choose the description that fits, or cancel." in text
    assert "Which of these fits?" not in text
    assert "skip this one" not in text


def test_an_officer_comes_from_her_people_and_a_manager_from_her_team(client, version, ana):
    unit, boss, officer = make_unit(), make_person(), make_person()
    make_post(unit, holder=ana, reports_to=make_post(unit, holder=boss))
    make_hr(officer, unit)
    admin = make_person(is_superuser=True)
    one = competency(version, "A").pk
    pages = [f"/people/{ana.pk}/competencies/{one}/", f"/team/{ana.pk}/"]
    for reader, theirs, others in (
        (boss, "/team/", "/hr/people/"),
        (officer, "/hr/people/", "/team/"),
        (admin, "/hr/people/", "/team/"),
    ):
        client.force_login(reader)
        for page in pages if reader == officer else [*pages, f"/people/{ana.pk}/competencies/{one}/assess/"]:
            trail = client.get(page).content.decode().split("breadcrumbs", 1)[1].split("</nav>")[0]
            assert f'href="{theirs}"' in trail, (reader, page)
            assert f'href="{others}"' not in trail, (reader, page)


def test_a_level_no_role_asks_for_is_not_said_to_be_required(client, version, ana):
    other = make_framework(codes="Z")
    z = competency(other, "Z")
    client.force_login(ana)
    assert "Nothing shown yet" in text(client, f"/learn/competencies/{z.pk}/")
    give_evidence(ana, z, 2)
    page = text(client, f"/learn/competencies/{z.pk}/")
    assert "Level 2, Label 2 – shown by prior learning" in page
    give_evidence(ana, competency(make_framework(codes="Y", ranks=0), "Y"), 1)
    plain = competency(make_framework(codes="X", ranks=0), "X")
    assert "Nothing shown yet" in text(client, f"/learn/competencies/{plain.pk}/")
    for address in (f"/learn/competencies/{z.pk}/", f"/learn/competencies/{plain.pk}/", f"/competencies/{z.pk}/"):
        assert "equired at any level" not in text(client, address)
        assert "the role states no level" not in text(client, address)
    assert "Required at any level, not shown yet" in text(client, f"/learn/competencies/{competency(version, 'C').pk}/")


@pytest.mark.parametrize(
    ("words", "most", "short"),
    [
        ("Sets direction.", 20, "Sets direction."),
        ("Sets direction for the ministry", 20, "Sets direction for…"),
        ("Sets direction, and more", 17, "Sets direction…"),
        ("Sets direction for all", 19, "Sets direction for…"),
        ("Donaudampfschifffahrt", 10, "Donaudamp…"),
        ("", 10, ""),
    ],
)
def test_a_text_is_cut_between_words(words, most, short):
    assert shortened(words, most) == short
    assert len(short) <= most


def test_the_list_of_roles_cuts_no_word(client, version):
    profile = make_profile(version, {"A": 1})
    profile.role.__class__.objects.filter(pk=profile.role_id).update(summary={"en": "wordwordword " * 40})
    assert "wordwordword…" in text(client, "/roles/")


@pytest.fixture
def judged():
    """Somebody judged by an edition before another one followed: A goes on and her role asks for it, C was withdrawn."""
    first = load(small_content())
    boss, person = make_person("Boss Before"), make_person("Clara Clerk")
    post = make_post(make_unit(), holder=boss)
    make_post(make_unit(), holder=person, reports_to=post, roles=[profile_of(first, "junior-clerk")])
    for code in "AC":
        give_evidence(person, competency(first, code), 1, EvidenceKind.COURSE, days_ago=5)
    return first, followed(), person, boss


def test_why_this_level_of_a_superseded_edition_leads_to_the_one_in_force(client, judged):
    first, second, person, boss = judged
    old, new = competency(first, "A").pk, competency(second, "A").pk
    client.force_login(person)
    response = client.get(f"/learn/competencies/{old}/")
    assert (response.status_code, response["Location"]) == (302, f"/learn/competencies/{new}/")
    page = text(client, f"/learn/competencies/{new}/")
    assert "Level 1 of the 2 your role needs" in page
    assert f'href="/learn/competencies/{new}/assess/"' in page
    client.force_login(boss)
    response = client.get(f"/people/{person.pk}/competencies/{old}/")
    assert (response.status_code, response["Location"]) == (302, f"/people/{person.pk}/competencies/{new}/")
    client.force_login(make_person("Stranger"))
    assert client.get(f"/people/{person.pk}/competencies/{old}/").status_code == 404


def test_why_this_level_of_what_was_withdrawn_stays_readable_without_doors(client, judged):
    first, second, person, boss = judged
    gone, kept = competency(first, "C"), competency(second, "A")
    make_bank(gone, items=6)
    client.force_login(person)
    page = text(client, f"/learn/competencies/{gone.pk}/")
    assert "This is what shows level 1" in page
    doors = re.findall(rf'href="(/learn/competencies/{gone.pk}/[^"]+|[^"]*panel[^"]*)"', page)
    assert doors == []
    record = text(client, "/learn/evidence/")
    assert f"/learn/competencies/{gone.pk}/evidence/" not in record
    assert f"/learn/competencies/{kept.pk}/evidence/" in record
    client.force_login(boss)
    page = text(client, f"/people/{person.pk}/competencies/{gone.pk}/")
    assert re.findall(rf'href="(/people/{person.pk}/competencies/{gone.pk}/[^"]+)"', page) == []


def test_why_this_level_of_a_draft_is_nobodys(client, ana):
    draft = make_framework(codes="Q", status="draft")
    client.force_login(ana)
    assert client.get(f"/learn/competencies/{competency(draft, 'Q').pk}/").status_code == 404
