"""Laying down certificates: who may, what is refused, what a course's certificate then says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from wagtail.models import ModelLogEntry

from certificates.defining import (
    DefinitionRefused,
    Said,
    activate_definition,
    add_signatory,
    change_body,
    change_definition,
    change_logo,
    end_signatory,
    make_body,
    make_definition,
    retire_definition,
    said_of,
)
from certificates.enums import DefinitionStatus, Design, Kind
from certificates.models import Certificate, Definition, IssuingBody, Logo
from certificates.record import claim_of
from certificates.services import issue_certificate, issue_certificates
from competencies.case_packages import item_address, package_of
from organisations.models import Job
from tests.builders import (
    competency,
    make_course,
    make_framework,
    make_hr,
    make_person,
    make_post,
    make_profile,
    make_unit,
)
from tests.certificates.builders import NOON
from tests.certificates.definitions import complete, define, house, make_curated, picture

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return make_person("Ada Admin", is_superuser=True)


def issued(person, course, **more) -> Certificate:
    return issue_certificate(enrolment=complete(person, course, **more), at=NOON)


# --- Who may ------------------------------------------------------------------------------------------------------------
def test_officers_define_for_units_they_serve_and_administrators_for_everybody(admin):
    unit, hr, person = house()
    below = make_unit(parent=unit)
    course = make_course()
    assert define(hr, Kind.COURSE, course=course, unit=unit).status == DefinitionStatus.ACTIVE
    assert define(hr, Kind.COURSE, course=course, unit=below).status == DefinitionStatus.ACTIVE
    assert define(admin, Kind.COURSE, course=course).status == DefinitionStatus.ACTIVE
    for who, where in ((hr, None), (hr, make_unit()), (person, unit), (make_person(), None)):
        with pytest.raises(DefinitionRefused) as refused:
            define(who, Kind.COURSE, course=course, unit=where)
        assert refused.value.field == "unit"


def test_another_units_definition_is_neither_changed_nor_put_in_force_nor_ended():
    unit, hr, _person = house()
    _there, other, _somebody = house()
    draft = define(hr, Kind.COURSE, active=False, course=make_course(), unit=unit)
    for act in (
        lambda: change_definition(definition=draft, said=said_of(draft), by=other),
        lambda: activate_definition(definition=draft, by=other),
        lambda: retire_definition(definition=draft, by=other),
    ):
        with pytest.raises(DefinitionRefused, match="not among those you serve"):
            act()


# --- What is refused ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"title": {"en": " "}}, "title"),
        ({"title": {"es": "Certificada"}}, "title"),
        ({"title": {"en": "x" * 201}}, "title"),
        ({"criteria": {"en": "x" * 601}}, "criteria"),
        ({"kind": "other"}, "kind"),
        ({"kind": Kind.PATH}, "path"),
        ({"course": None}, "course"),
        ({"validity_months": 0}, "validity_months"),
        ({"validity_months": 601}, "validity_months"),
        ({"validity_months": 3, "renewal_months": 3}, "renewal_months"),
        ({"renewal_months": 61}, "renewal_months"),
        ({"language": "xx"}, "language"),
        ({"design": "loud"}, "design"),
    ],
)
def test_what_cannot_be_laid_down_is_said_in_a_sentence_at_its_field(admin, change, field):
    said = Said(kind=Kind.COURSE, title={"en": "Certified"}, course=make_course(), validity_months=24)
    with pytest.raises(DefinitionRefused) as refused:
        make_definition(said=replace(said, **change), by=admin)
    assert refused.value.field == field
    assert str(refused.value).endswith((".", "!"))
    assert not Definition.objects.exists()


def test_a_level_is_one_of_the_competencys_framework_and_shows_something(admin):
    one, other = make_framework(), make_framework()
    level = {"competency": competency(one, "A"), "level": other.levels.get(rank=3)}
    with pytest.raises(DefinitionRefused, match="another framework"):
        define(admin, Kind.LEVEL, **level)
    with pytest.raises(DefinitionRefused, match="shows nothing"):
        define(admin, Kind.LEVEL, competency=competency(one, "A"), level=one.levels.get(rank=0))


def test_a_second_one_for_the_same_thing_and_people_is_refused(admin):
    unit, hr, _person = house()
    english = make_course(key="risk")
    spanish = make_course(key="risk", language="es")
    first = define(hr, Kind.COURSE, course=english, unit=unit, title="First")
    second = define(hr, Kind.COURSE, active=False, course=spanish, unit=unit, title="Second")
    with pytest.raises(DefinitionRefused, match="“First” is in force"):
        activate_definition(definition=second, by=hr)
    define(admin, Kind.COURSE, course=english, title="For all")
    retire_definition(definition=first, by=hr)
    assert activate_definition(definition=second, by=hr).status == DefinitionStatus.ACTIVE


def test_what_nobody_could_meet_is_not_put_in_force(admin):
    version = make_framework()
    empty = make_profile(version, {})
    with pytest.raises(DefinitionRefused, match="requires nothing"):
        define(admin, Kind.ROLE, role=empty)
    course = make_course()
    course.unpublish()
    with pytest.raises(DefinitionRefused, match="not offered"):
        define(admin, Kind.COURSE, course=course)
    unit, hr, _person = house()
    path = make_curated(unit, hr, [make_course()])
    path.versions.update(status="superseded")
    with pytest.raises(DefinitionRefused, match="no version that is published"):
        define(hr, Kind.PATH, path=path, unit=unit)


# --- Once, and what changes -----------------------------------------------------------------------------------------------
def test_pressing_twice_makes_one_draft_and_puts_it_in_force_once(admin):
    version = make_framework()
    said = Said(kind=Kind.ROLE, title={"en": "Certified"}, role=make_profile(version, {"A": 2}))
    first = make_definition(said=said, by=admin)
    assert make_definition(said=said, by=admin) == first
    activate_definition(definition=first, by=admin)
    activate_definition(definition=first, by=admin)
    actions = ModelLogEntry.objects.filter(action__startswith="certificates.").values_list("action", flat=True)
    assert sorted(actions) == ["certificates.activate_definition", "certificates.make_definition"]
    assert Job.objects.filter(kind="certificates.award_definition").count() == 1
    retire_definition(definition=first, by=admin)
    retire_definition(definition=first, by=admin)
    assert ModelLogEntry.objects.filter(action="certificates.retire_definition").count() == 1


def test_in_force_it_gets_another_revision_and_what_was_issued_keeps_what_it_said(admin):
    course = make_course()
    definition = define(admin, Kind.COURSE, course=course, title="Certified governor")
    certificate = issued(make_person(), course)
    said = replace(said_of(definition), title={"en": "Certified ruler"})
    changed = change_definition(definition=definition, said=said, by=admin)
    assert changed.revision == 2
    assert change_definition(definition=definition, said=said, by=admin).revision == 2
    certificate.refresh_from_db()
    assert claim_of(certificate.record).title == "Certified governor"
    later = claim_of(issued(make_person(), course).record)
    assert (later.title, later.definition) == ("Certified ruler", f"{definition.key}/2")
    for change, field in (({"course": make_course()}, "course"), ({"unit": make_unit()}, "unit")):
        with pytest.raises(DefinitionRefused) as refused:
            change_definition(definition=definition, said=replace(said, **change), by=admin)
        assert refused.value.field == field
    retire_definition(definition=definition, by=admin)
    with pytest.raises(DefinitionRefused, match="no longer issued"):
        change_definition(definition=definition, said=said, by=admin)


def test_two_of_one_title_have_keys_of_their_own(admin):
    keys = [define(admin, Kind.COURSE, course=make_course(), title="Certified CISO").key for _n in range(2)]
    assert keys == ["certified-ciso", "certified-ciso-2"]


# --- What a course's certificate says ---------------------------------------------------------------------------------
def test_a_course_certificate_says_what_its_definition_lays_down(admin):
    unit, hr, person = house()
    course = make_course(make_framework(), {"A": 2}, title="Governing cyber risk")
    body = make_body(name="Ministry of Digital Affairs", unit=unit, colour="#123abc", by=hr)
    rosa = add_signatory(body=body, name="Rosa Medina", title="Minister", by=hr)
    add_signatory(body=body, name="Luis Paz", title="Director", by=hr)
    change_logo(body=body, content=picture(), by=hr)
    definition = define(
        hr, Kind.COURSE, course=course, unit=unit, title={"en": "Certified governor", "es": "Gobernadora certificada"},
        criteria={"en": "Pass the check."}, validity_months=24, language="es", design=Design.PLAIN, body=body,
        signatories=(rosa,),
    )  # fmt: skip
    certificate = issued(person, course)
    said = claim_of(certificate.record)
    assert (certificate.definition, certificate.period, certificate.renews) == (definition, 1, None)
    assert (said.title, said.title_language, said.language) == ("Gobernadora certificada", "es", "es")
    assert said.definition == f"{definition.key}/1"
    # Written in English alone, the criteria are not put on a Spanish document.
    assert said.criteria != "Pass the check."
    assert said.valid_until == date(2028, 3, 3)
    assert (said.issuer, [s.name for s in said.signatories]) == ("Ministry of Digital Affairs", ["Rosa Medina"])
    assert (said.look.design, said.look.colour, said.look.logo) == ("plain", "#123ABC", Logo.objects.get().pk)
    assert said.revision == course.live_revision_id and said.key == course.key


def test_without_a_definition_the_holders_body_issues_it_and_three_sign(admin, settings):
    settings.ISSUER_NAME = "Digital Talent Platform"
    unit, hr, person = house()
    inner = make_person()
    make_post(make_unit(parent=unit), holder=inner)
    make_body(name="For everybody", unit=None, by=admin)
    body = make_body(name="Ministry", unit=unit, by=hr)
    signing = [add_signatory(body=body, name=f"Name {n}", title="Director", by=hr) for n in range(5)]
    end_signatory(signatory=signing[1], by=hr)
    course = make_course()
    for somebody in (person, inner):
        said = claim_of(issued(somebody, course).record)
        assert said.issuer == "Ministry"
        assert [s.name for s in said.signatories] == ["Name 0", "Name 2", "Name 3"]
        assert (said.definition, said.valid_until, said.look.design) == ("", None, "formal")
        assert said.criteria == "Complete every lesson and pass the final check."
    without = claim_of(issued(make_person(), course, assessed=False).record)
    assert (without.issuer, without.criteria) == ("For everybody", "Complete every lesson.")
    IssuingBody.objects.filter(unit=None).delete()
    assert claim_of(issued(make_person(), course).record).issuer == "Digital Talent Platform"


def test_the_nearest_definition_applies_and_at_most_one(admin):
    unit, hr, person = house()
    inner, outside = make_person(), make_person()
    below = make_unit(parent=unit)
    make_post(below, holder=inner)
    course = make_course()
    define(admin, Kind.COURSE, course=course, title="All")
    define(hr, Kind.COURSE, course=course, unit=unit, title="Ministry")
    define(hr, Kind.COURSE, course=course, unit=below, title="Unit")
    define(hr, Kind.COURSE, course=make_course(), unit=below, title="Another course")
    titles = [claim_of(issued(somebody, course).record).title for somebody in (outside, person, inner)]
    assert titles == ["All", "Ministry", "Unit"]


def test_a_draft_and_an_ended_definition_say_nothing(admin):
    course = make_course()
    define(admin, Kind.COURSE, active=False, course=course, title="Draft")
    retire_definition(definition=define(admin, Kind.COURSE, course=course, title="Ended"), by=admin)
    assert claim_of(issued(make_person(), course).record).title == course.title


def test_queries_do_not_grow_with_the_certificates_of_a_definition(django_assert_max_num_queries):
    course = make_course(make_framework(), {"A": 2})
    unit, hr, _person = house()
    define(hr, Kind.COURSE, course=course, unit=unit, validity_months=12)
    counts = []
    issued(make_person(), course)  # the counter of the year is there
    for many in (1, 12):
        people = [make_person() for _n in range(many)]
        for somebody in people:
            make_post(unit, holder=somebody)
        enrolments = [complete(somebody, course) for somebody in people]
        with django_assert_max_num_queries(60) as asked:
            issue_certificates(enrolments=enrolments, at=NOON, documents=False)
        counts.append(len(asked))
    assert counts[0] == counts[1]


# --- Bodies -------------------------------------------------------------------------------------------------------------
def test_a_unit_has_one_body_and_everybody_else_one(admin):
    unit, hr, _person = house()
    body = make_body(name="Ministry", unit=unit, by=hr)
    assert make_body(name=" Ministry ", unit=unit, by=hr) == body
    with pytest.raises(DefinitionRefused, match="issues the certificates of these people already"):
        make_body(name="Another", unit=unit, by=hr)
    make_body(name="Usual", unit=None, by=admin)
    with pytest.raises(DefinitionRefused) as refused:
        make_body(name="Usual too", unit=None, by=admin)
    assert refused.value.field == "unit"
    with pytest.raises(DefinitionRefused):
        make_body(name="Theirs", unit=None, by=hr)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"colour": "red"}, "colour"),
        ({"colour": "#12345\n"}, "colour"),
    ],
)
def test_a_body_has_a_name_and_a_colour(admin, change, field):
    body = make_body(name="Ministry", unit=None, by=admin)
    with pytest.raises(DefinitionRefused) as refused:
        change_body(body=body, by=admin, **({"name": "Ministry", "colour": "#000000"} | change))
    assert refused.value.field == field


def test_nobody_issues_in_the_name_of_a_body_next_door(admin):
    unit, hr, _person = house()
    there, other, _somebody = house()
    theirs = make_body(name="Next door", unit=there, by=other)
    with pytest.raises(DefinitionRefused) as refused:
        define(hr, Kind.COURSE, course=make_course(), unit=unit, body=theirs)
    assert refused.value.field == "body"
    for act in (
        lambda: change_body(body=theirs, name="Mine", colour="#000000", by=hr),
        lambda: change_logo(body=theirs, content=None, by=hr),
        lambda: add_signatory(body=theirs, name="Me", title="Myself", by=hr),
    ):
        with pytest.raises(DefinitionRefused):
            act()


def test_who_signs_is_added_once_and_ended_and_signs_no_definition_of_another_body(admin):
    one, two = make_body(name="One", unit=None, by=admin), make_body(name="Two", unit=make_unit(), by=admin)
    rosa = add_signatory(body=one, name="Rosa", title="Minister", by=admin)
    assert add_signatory(body=one, name="Rosa ", title="Minister", by=admin) == rosa
    for body, signing in ((two, (rosa,)), (None, (rosa,))):
        with pytest.raises(DefinitionRefused) as refused:
            define(admin, Kind.COURSE, course=make_course(), body=body, signatories=signing)
        assert refused.value.field == "signatories"
    first = end_signatory(signatory=rosa, by=admin).ended_at
    assert end_signatory(signatory=rosa, by=admin).ended_at == first
    assert add_signatory(body=one, name="Rosa", title="Minister", by=admin) != rosa
    for name, title in (("", "x"), ("x", ""), ("x" * 121, "x"), ("x", "x" * 161)):
        with pytest.raises(DefinitionRefused):
            add_signatory(body=one, name=name, title=title, by=admin)


def test_a_logo_is_painted_anew_without_what_is_beside_the_picture(admin):
    body = make_body(name="Ministry", unit=None, by=admin)
    info = PngInfo()
    info.add_text("Comment", "secret place")
    with_exif = Image.Exif()
    with_exif[0x010E] = "secret place"
    for content, kind in ((picture(pnginfo=info), "png"), (picture("JPEG", exif=with_exif), "jpeg")):
        assert b"secret place" in content
        logo = change_logo(body=body, content=content, by=admin).logo
        assert logo.media_type == f"image/{kind}"
        assert b"secret place" not in bytes(logo.content)
        assert logo.pk == Logo.digest_of(bytes(logo.content))
        with Image.open(BytesIO(bytes(logo.content))) as kept:
            assert kept.size == (40, 20)
    again = change_logo(body=body, content=picture("JPEG", exif=with_exif), by=admin).logo
    assert again.pk == logo.pk and Logo.objects.count() == 2
    assert ModelLogEntry.objects.filter(action="certificates.change_logo").count() == 2
    assert change_logo(body=body, content=None, by=admin).logo is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no picture"),
        (b"\x89PNG\r\n\x1a\n and then nothing", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
        (picture()[:60], "no picture"),
        (picture("GIF"), "no picture"),
        (picture(size=(2001, 10)), "2000 pixels"),
        (picture() + b"x" * 500_000, "500 kB"),
    ],
)
def test_what_is_no_small_png_or_jpeg_is_refused(admin, content, sentence):
    body = make_body(name="Ministry", unit=None, by=admin)
    with pytest.raises(DefinitionRefused, match=sentence) as refused:
        change_logo(body=body, content=content, by=admin)
    assert refused.value.field == "logo"
    assert not Logo.objects.exists()


def test_a_body_with_a_logo_that_has_holes_keeps_them(admin):
    file = BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(file, format="PNG")
    body = make_body(name="Ministry", unit=None, by=admin)
    logo = change_logo(body=body, content=file.getvalue(), by=admin).logo
    with Image.open(BytesIO(bytes(logo.content))) as kept:
        assert kept.mode == "RGBA"


# --- Addresses ------------------------------------------------------------------------------------------------------------
def test_an_outcome_names_the_address_where_its_competency_is_served(admin):
    version = make_framework()
    served = {item["uri"] for item in package_of(version)["CFItems"]}
    assert {item_address(c) for c in version.competencies.select_related("version")} <= served
    said = claim_of(issued(make_person(), make_course(version, {"A": 2})).record)
    assert said.outcomes[0].uri in served and said.outcomes[0].uri.startswith("http://testserver/ims/case/")


def test_a_competency_of_a_draft_has_the_address_its_source_gives_or_none():
    draft = make_framework(status="draft")
    a = competency(draft, "A")
    assert item_address(a) == ""
    a.identifier = "https://data.example.org/skill/1"
    assert item_address(a) == a.identifier
    a.identifier = "urn:x:1"
    assert item_address(a) == ""


def test_officers_of_a_unit_above_may_change_what_a_unit_below_has():
    unit, hr, _person = house()
    below = make_unit(parent=unit)
    inner = make_person()
    make_hr(inner, below)
    draft = define(inner, Kind.COURSE, active=False, course=make_course(), unit=below)
    assert activate_definition(definition=draft, by=hr).status == DefinitionStatus.ACTIVE
