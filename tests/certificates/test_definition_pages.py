"""The pages from which HR lays down certificates, without script; and what holders and strangers read of it."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from certificates.awarding import award
from certificates.defining import activate_definition, add_signatory, make_body, retire_definition
from certificates.enums import DefinitionStatus, Kind
from certificates.models import Certificate, Definition, IssuingBody, Logo, Signatory
from tests.builders import (
    competency,
    give_evidence,
    make_course,
    make_framework,
    make_person,
    make_post,
    make_profile,
    make_unit,
    many_people,
)
from tests.certificates.definitions import complete, define, house, make_curated, noon, picture
from tests.certificates.test_pages import words_of

pytestmark = pytest.mark.django_db

LIST = "/hr/certificates/definitions/"


@pytest.fixture
def at_work(client):
    """A unit, its HR officer, somebody who carries a role there, and the role."""
    unit, hr, person = house("Ministry")
    version = make_framework()
    profile = make_profile(version, {"A": 2}, title="Chief Information Security Officer")
    make_post(unit, holder=person, roles=[profile])
    client.force_login(hr)
    return unit, hr, person, profile


def said(unit, **changes) -> dict[str, object]:
    words = {
        "unit": unit.pk,
        "title_en": "Certified CISO",
        "validity_months": "24",
        "renewal_months": "3",
        "do": "save",
    }
    return words | changes


def text_of(response) -> str:
    assert response["Content-Type"] == "application/pdf"
    return " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(response.content)).pages).split())


# --- From nothing to a certificate ------------------------------------------------------------------------------------
def test_an_officer_defines_a_role_certificate_looks_at_it_and_puts_it_in_force(client, at_work):
    unit, _hr, person, profile = at_work
    give_evidence(person, competency(profile.role.version, "A"), 3)
    assert "Nothing is defined yet" in words_of(client.get(LIST))
    assert "Step 1 of 2" in words_of(client.get(f"{LIST}new/"))
    response = client.get(f"{LIST}new/role/")
    assert "Chief Information Security Officer" in words_of(response)
    response = client.post(f"{LIST}new/role/", said(unit, role=profile.pk))
    definition = Definition.objects.get()
    assert response.status_code == 302 and response.url == f"{LIST}{definition.pk}/"
    assert (definition.status, definition.validity_months, definition.unit, definition.role) == (
        DefinitionStatus.DRAFT, 24, unit, profile,
    )  # fmt: skip
    page = words_of(client.get(response.url))
    assert "1 person gets it at once" in page and person.name in page and "Put it in force" in page
    assert not Certificate.objects.exists()
    response = client.post(response.url, {"do": "activate"}, follow=True)
    assert "In force. Certificates are being issued" in response.content.decode()
    assert Certificate.objects.get().holder == person
    page = words_of(client.get(f"{LIST}{definition.pk}/"))
    assert "Issued 1 time to people you serve." in page and "Put it in force" not in page
    row = words_of(client.get(LIST))
    assert "Certified CISO" in row and "24 months" in row and "In force" in row
    found = client.get(f"/hr/certificates/?definition={definition.pk}")
    assert "Only “Certified CISO”." in words_of(found) and found.context["page_of_rows"].paginator.count == 1


def test_each_kind_has_its_form(client, at_work):
    unit, hr, _person, profile = at_work
    version = profile.role.version
    course = make_course(version, {"A": 2}, key="risk")
    path = make_curated(unit, hr, [course])
    level = {"competency": competency(version, "A").pk, "level": version.levels.get(rank=3).pk}
    for kind, subject in (("course", {"course": "risk"}), ("path", {"path": path.pk}), ("level", level)):
        assert client.get(f"{LIST}new/{kind}/").status_code == 200
        response = client.post(f"{LIST}new/{kind}/", said(unit, title_en=f"For a {kind}", **subject))
        assert response.status_code == 302, response.context["form"].errors
        page = client.get(response.url)
        assert page.status_code == 200
        change = client.get(f"{response.url}change/")
        assert change.status_code == 200 and f"For a {kind}" in change.content.decode()
        pdf = client.get(f"{response.url}preview.pdf")
        assert f"SAMPLE: For a {kind}" in text_of(pdf)
    assert client.get(f"{LIST}new/other/").status_code == 404


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(client, at_work):
    unit, _hr, _person, profile = at_work
    response = client.post(f"{LIST}new/role/", said(unit, role=profile.pk, title_en="", criteria_en="Mine."))
    assert response.status_code == 422
    assert "Write the title as it is to stand on the certificate." in words_of(response)
    assert "Mine." in response.content.decode()
    response = client.post(f"{LIST}new/role/", said(unit, role=profile.pk, validity_months=2, renewal_months=2))
    assert response.status_code == 422 and "renewal_months" in response.context["form"].errors
    assert not Definition.objects.exists()


def test_changing_what_is_in_force_says_that_it_is_another_revision(client, at_work):
    unit, hr, _person, profile = at_work
    definition = define(hr, Kind.ROLE, role=profile, unit=unit)
    url = f"{LIST}{definition.pk}/change/"
    response = client.post(url, said(unit, role=profile.pk, title_en="Another title"), follow=True)
    assert "Saved as revision 2." in response.content.decode()
    definition.refresh_from_db()
    # What it is given for cannot be changed by the form either.
    client.post(url, said(make_unit(), role=make_profile(make_framework(), {"A": 1}).pk, title_en="Third"))
    changed = Definition.objects.get()
    assert (changed.role, changed.unit, changed.revision, str(changed.title)) == (profile, unit, 3, "Third")
    retire_definition(definition=definition, by=hr)
    assert client.get(url).status_code == 404


def test_a_second_one_in_force_is_refused_in_a_sentence(client, at_work):
    unit, hr, _person, profile = at_work
    define(hr, Kind.ROLE, role=profile, unit=unit, title="First")
    second = define(hr, Kind.ROLE, active=False, role=profile, unit=unit, title="Second")
    response = client.post(f"{LIST}{second.pk}/", {"do": "activate"})
    assert response.status_code == 422 and "“First” is in force" in words_of(response)
    response = client.post(f"{LIST}{second.pk}/", {"do": "what"})
    assert response.status_code == 422


def test_ending_asks_for_a_press_of_its_own(client, at_work):
    unit, hr, _person, profile = at_work
    definition = define(hr, Kind.ROLE, role=profile, unit=unit)
    client.post(f"{LIST}{definition.pk}/", {"do": "retire"})
    definition.refresh_from_db()
    assert definition.status == DefinitionStatus.RETIRED
    page = words_of(client.get(f"{LIST}{definition.pk}/"))
    assert "No longer issued" in page and "Issue it no longer" not in page


# --- The sample -------------------------------------------------------------------------------------------------------
def test_a_sample_is_marked_and_never_stored_saved_or_not(client, at_work):
    unit, hr, person, profile = at_work
    response = client.post(f"{LIST}new/role/", said(unit, role=profile.pk, do="preview"))
    text = text_of(response)
    assert "Sample Name" in text and "SAMPLE: Certified CISO" in text and "Competency A" in text
    assert "no-store" in response["Cache-Control"] and response["Content-Disposition"].startswith("inline")
    assert not Definition.objects.exists()
    definition = define(hr, Kind.ROLE, active=False, role=profile, unit=unit, title="Kept")
    response = client.post(
        f"{LIST}{definition.pk}/change/", said(unit, role=profile.pk, title_en="Not kept", do="preview")
    )
    assert "SAMPLE: Not kept" in text_of(response)
    text = text_of(client.get(f"{LIST}{definition.pk}/preview.pdf"))
    assert "SAMPLE: Kept" in text and person.name not in text
    assert not Certificate.objects.exists()


def test_the_code_of_a_sample_leads_to_no_certificate(client):
    assert client.get("/verify/XXXXXXXXXX/").status_code == 404


# --- For whom ---------------------------------------------------------------------------------------------------------
def test_what_is_laid_down_above_is_read_and_not_changed(client, at_work):
    _unit, _hr, _person, profile = at_work
    admin = make_person(is_superuser=True)
    above = define(admin, Kind.ROLE, role=profile, title="For everybody")
    a, level = competency(profile.role.version, "A"), profile.role.version.levels.get(rank=1)
    draft = define(admin, Kind.LEVEL, active=False, title="Draft for all", competency=a, level=level)
    assert "For everybody" in words_of(client.get(LIST)) and "Draft for all" not in words_of(client.get(LIST))
    page = words_of(client.get(f"{LIST}{above.pk}/"))
    assert "those who serve there change it" in page and "Change it" not in page
    assert client.get(f"{LIST}{above.pk}/preview.pdf").status_code == 200
    assert client.get(f"{LIST}{above.pk}/change/").status_code == 404
    assert client.post(f"{LIST}{above.pk}/", {"do": "retire"}).status_code == 404
    assert client.get(f"{LIST}{draft.pk}/").status_code == 404
    above.refresh_from_db()
    assert above.status == DefinitionStatus.ACTIVE


def test_an_officer_counts_and_names_her_own_people_alone(client, at_work):
    _unit, _hr, person, profile = at_work
    outside = make_person("Somebody Else")
    make_post(make_unit(), holder=outside, roles=[profile])
    for somebody in (person, outside):
        give_evidence(somebody, competency(profile.role.version, "A"), 3)
    definition = define(make_person(is_superuser=True), Kind.ROLE, role=profile)
    assert Certificate.objects.count() == 2
    page = words_of(client.get(f"{LIST}{definition.pk}/"))
    assert "Issued 1 time" in page and "Somebody Else" not in page
    assert client.get(LIST).context["rows"][0][1] == 1


def test_hostile_values_are_refused_and_nothing_breaks(client, at_work):
    unit, _hr, _person, profile = at_work
    there, other, _somebody = house()
    theirs = make_body(name="Next door", unit=there, by=other)
    signing = add_signatory(body=theirs, name="Rosa", title="Minister", by=other)
    hostile = ["x\0y", "9" * 30, "-1", "Ω" * 5000, "1 OR 1=1", there.pk, theirs.pk]
    fields = (
        "unit", "role", "title_en", "criteria_en", "validity_months", "renewal_months", "body", "signatories", "design",
        "language", "do",
    )  # fmt: skip
    for name in fields:
        for value in hostile:
            response = client.post(f"{LIST}new/role/", said(unit, role=profile.pk) | {name: value})
            assert response.status_code in (200, 302, 422), (name, value)
    for definition in Definition.objects.all():
        assert definition.unit == unit and definition.role == profile and definition.body is None
        assert not definition.signatories.exists()
    response = client.post(f"{LIST}new/role/", said(unit, role=profile.pk, body=theirs.pk, signatories=[signing.pk]))
    assert response.status_code == 422
    for url in (
        f"{LIST}{10**30}/",
        f"{LIST}x/",
        "/hr/certificates/bodies/999999/",
        f"/hr/certificates/bodies/{theirs.pk}/",
    ):
        assert client.get(url).status_code == 404, url


def test_the_list_costs_the_same_for_many(client, at_work, django_assert_max_num_queries):
    unit, hr, _person, _profile = at_work
    counts = []
    for _round in range(2):
        for _n in range(3):
            define(hr, Kind.COURSE, course=make_course(), unit=unit)
        with django_assert_max_num_queries(40) as asked:
            client.get(LIST)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_the_page_of_a_definition_costs_the_same_for_many_holders(client, at_work, django_assert_max_num_queries):
    unit, hr, _person, profile = at_work
    definition = define(hr, Kind.ROLE, active=False, role=profile, unit=unit)
    url = f"{LIST}{definition.pk}/"
    counts = []
    for many in (1, 8):
        for pk in many_people(many, unit, roles=[profile]):
            give_evidence(type(hr).objects.get(pk=pk), competency(profile.role.version, "A"), 3)
        with django_assert_max_num_queries(60) as asked:
            client.get(url)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    activate_definition(definition=definition, by=hr)
    assert Certificate.objects.count() == 9
    with django_assert_max_num_queries(counts[0]):
        assert "Issued 9 times" in words_of(client.get(url))


# --- Bodies -----------------------------------------------------------------------------------------------------------
def test_an_officer_adds_a_body_its_logo_and_who_signs(client, at_work):
    unit, _hr, _person, _profile = at_work
    assert "No issuing body yet" in words_of(client.get("/hr/certificates/bodies/"))
    response = client.post(
        "/hr/certificates/bodies/new/", {"unit": unit.pk, "name": "Ministry of Digital Affairs", "colour": "#123abc"}
    )
    body = IssuingBody.objects.get()
    url = f"/hr/certificates/bodies/{body.pk}/"
    assert response.url == url
    assert "Nobody yet" in words_of(client.get(url))
    client.post(url, {"do": "sign", "name": "Rosa Medina", "title": "Minister"})
    assert client.get(f"{url}logo/").status_code == 404
    client.post(url, {"do": "logo", "logo": SimpleUploadedFile("logo.png", picture())})
    shown = client.get(f"{url}logo/")
    assert shown["Content-Type"] == "image/png" and Logo.digest_of(shown.content) == Logo.objects.get().pk
    client.post(url, {"do": "change", "name": "Ministry of All", "colour": "#000000"})
    page = words_of(client.get(url))
    assert "Ministry of All" in page and "Rosa Medina, Minister" in page
    listed = words_of(client.get("/hr/certificates/bodies/"))
    assert "Ministry of All" in listed and "Rosa Medina, Minister" in listed
    client.post(url, {"do": "end", "signatory": Signatory.objects.get().pk})
    client.post(url, {"do": "no_logo"})
    page = words_of(client.get(url))
    assert "Signed before: Rosa Medina, Minister" in page and "None yet" in page


def test_what_is_wrong_with_a_body_is_said_where_it_is(client, at_work):
    unit, hr, _person, _profile = at_work
    body = make_body(name="Ministry", unit=unit, by=hr)
    url = f"/hr/certificates/bodies/{body.pk}/"
    for posted, sentence in (
        ({"do": "change", "name": "", "colour": "#000000"}, "Write the name as it is to stand"),
        ({"do": "change", "name": "Ministry", "colour": "red"}, "Write the colour as #"),
        ({"do": "sign", "name": "", "title": "x"}, "Write the name of who signs"),
        ({"do": "sign", "name": "x\0", "title": "x"}, "Null characters are not allowed"),
        ({"do": "logo", "logo": SimpleUploadedFile("logo.png", b"<svg/>")}, "no picture that can be opened"),
        ({"do": "logo", "logo": SimpleUploadedFile("logo.png", b"x" * 600_000)}, "larger than 500 kB"),
        ({"do": "logo"}, "Choose a picture."),
        ({"do": "end", "signatory": "9" * 30}, "no longer there"),
        ({"do": "other"}, "Press one of the buttons"),
    ):
        response = client.post(url, posted)
        assert response.status_code == 422 and sentence in words_of(response), posted
    response = client.post("/hr/certificates/bodies/new/", {"unit": unit.pk, "name": "Another", "colour": "#000000"})
    assert response.status_code == 422 and "issues the certificates of these people already" in words_of(response)


def test_everybodys_body_is_shown_to_officers_and_changed_by_administrators(client, at_work):
    admin = make_person(is_superuser=True)
    usual = make_body(name="Usual", unit=None, by=admin)
    assert "Usual" in words_of(client.get("/hr/certificates/bodies/"))
    assert client.get(f"/hr/certificates/bodies/{usual.pk}/").status_code == 404
    client.force_login(admin)
    assert client.get(f"/hr/certificates/bodies/{usual.pk}/").status_code == 200
    assert client.get("/hr/certificates/bodies/new/").status_code == 200


# --- What others read -------------------------------------------------------------------------------------------------
@pytest.fixture
def holder(at_work):
    unit, hr, person, profile = at_work
    give_evidence(person, competency(profile.role.version, "A"), 3, days_ago=4)
    definition = define(
        hr, Kind.ROLE, role=profile, unit=unit, title="Certified CISO", validity_months=24,
        criteria={"en": "Show all five competencies."},
    )  # fmt: skip
    award(definition=definition)
    return person, hr, Certificate.objects.get()


def test_a_stranger_reads_kind_title_criteria_and_end_and_never_the_grounds(client, holder):
    _person, _hr, certificate = holder
    client.logout()
    page = words_of(client.get(reverse("verify_certificate", args=[certificate.code])))
    assert "Role Certified CISO" in page and "What it took Show all five competencies." in page
    assert "showed all that the role requires" in page and "Up to and including" in page
    assert "Prior learning" not in page and "Why it was issued" not in page
    data = client.get(reverse("verify_data", args=[certificate.code])).content.decode()
    assert "Show all five" in data and "Prior learning" not in data and "grounds" not in data


@pytest.mark.parametrize("kind", [Kind.PATH, Kind.LEVEL])
def test_the_verdict_has_a_sentence_for_each_kind(client, at_work, kind):
    unit, hr, person, profile = at_work
    version = profile.role.version
    course = make_course(version, {"A": 2})
    complete(person, course)
    give_evidence(person, competency(version, "A"), 3)
    subject = {
        Kind.PATH: lambda: {"path": make_curated(unit, hr, [course])},
        Kind.LEVEL: lambda: {"competency": competency(version, "A"), "level": version.levels.get(rank=2)},
    }[kind]()
    define(hr, kind, unit=unit, **subject)
    page = words_of(client.get(reverse("verify_certificate", args=[Certificate.objects.get().code])))
    assert {Kind.PATH: "completed the learning path", Kind.LEVEL: "showed this level by evidence"}[kind] in page


def test_the_holder_and_hr_read_why_it_was_issued(client, holder):
    person, hr, certificate = holder
    page = words_of(client.get(reverse("certificate_life", args=[certificate.serial])))
    assert "Why it was issued Show all five competencies." in page and "Prior learning" in page
    assert "Certified CISO" in page
    client.force_login(person)
    page = words_of(client.get(reverse("certificate_page", args=[certificate.serial])))
    assert "What it says, and why Show all five competencies." in page and "Prior learning" in page
    assert "up to and including" in page
    assert hr is not None


def test_hr_renews_on_the_page_of_a_certificate(client, holder):
    _person, _hr, certificate = holder
    url = reverse("certificate_life", args=[certificate.serial])
    response = client.post(url, {"do": "renew", "why": " "})
    assert response.status_code == 422 and "Say why it is renewed" in words_of(response)
    response = client.post(url, {"do": "renew", "why": "On leave."}, follow=True)
    assert "Renewed. The holder is told." in response.content.decode()
    fresh = Certificate.objects.get(renews=certificate)
    page = words_of(client.get(url))
    assert f"It was renewed by {fresh.serial}" in page and "Renew it" not in page
    assert f"It renews {certificate.serial}" in words_of(client.get(response.redirect_chain[-1][0]))


def test_a_certificate_without_end_offers_no_renewal(client, at_work):
    unit, _hr, person, profile = at_work
    from certificates.services import issue_certificate

    certificate = issue_certificate(enrolment=complete(person, make_course()), at=noon())
    page = words_of(client.get(reverse("certificate_life", args=[certificate.serial])))
    assert "Renew it" not in page and "Why it was issued" in page
    assert timezone.localdate() and unit and profile
