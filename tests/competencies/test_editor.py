"""Frameworks in the CMS: who may edit, what stays frozen, what a draft of a part is, and what nobody can destroy."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from wagtail.models import Revision
from wagtail.test.utils.form_data import inline_formset, nested_form_data

from competencies.enums import FrameworkStatus
from competencies.models import Area, Competency, FrameworkVersion, Requirement, Role, RoleProfile
from competencies.perms import STEWARDS, is_steward
from tests.builders import competency, make_framework, make_hr, make_person, make_profile, make_unit

pytestmark = pytest.mark.django_db
MODELS = ("frameworkversion", "area", "competency", "role", "roleprofile")


def cms(model: str, view: str, *args: Any) -> str:
    return reverse(f"wagtailsnippets_competencies_{model}:{view}", args=args)


@pytest.fixture
def steward(client):
    person = make_person("Stella Steward")
    person.groups.add(Group.objects.get(name=STEWARDS))
    client.force_login(person)
    return person


@pytest.fixture
def draft():
    return make_framework("ours", codes="AB", status=FrameworkStatus.DRAFT)


@pytest.fixture
def published():
    return make_framework("theirs", codes="AB")


def page(client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, response
    return unescape(response.content.decode())


def sentences(response) -> str:
    html = response.content.decode()
    found = re.findall(r'class="error-message">(.*?)</', html, re.DOTALL)
    found += re.findall(r'<li class="(?:error|success|warning)[^"]*">(.*?)</li>', html, re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", " ".join(found))).split())


def of_competency(row: Competency, **changes: Any) -> dict[str, Any]:
    """The form of a competency as the page shows it, with changes."""
    descriptors = changes.pop("descriptors", None)
    values = {
        "code": row.code, "kind": row.kind, "title_0": str(row.title), "title_1": "", "description_0": "", "description_1": "",
        "example_0": "", "example_1": "", "alternatives_0": "", "alternatives_1": "", "area": row.area_id or "", "parent": "",
        "rank": "", "position": row.position, "identifier": "",
    }  # fmt: skip
    latest = Revision.objects.for_instance(row).order_by("-pk").first() if row.pk else None
    if latest is not None:
        values |= {"loaded_revision_id": latest.pk, "loaded_revision_created_at": latest.created_at.isoformat()}
    if descriptors is None:
        rows = list(row.descriptors.all()) if row.pk else []
        formset = inline_formset(
            [{"id": d.pk, "level": d.level_id, "text_0": str(d.text), "text_1": ""} for d in rows], initial=len(rows)
        )
    else:
        formset = inline_formset(descriptors)
    return nested_form_data(values | {"descriptors": formset}) | changes


def of_profile(row: RoleProfile, requirements: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    values = {
        "role": row.role_id, "code": row.code, "grade_0": "", "grade_1": "", "summary_0": "", "summary_1": "",
        "position": 0, "identifier": "",
    }  # fmt: skip
    initial = sum("id" in r for r in requirements)
    defaults = {"level": "", "importance": 3, "necessity": "required"}
    rows = inline_formset([defaults | r for r in requirements], initial=initial)
    return nested_form_data(values | {"requirements": rows}) | changes


# --- Who ---------------------------------------------------------------------------------------------------------
def test_stewards_are_a_group_of_the_migration_and_superusers(draft, django_assert_num_queries):
    person = make_person()
    assert not is_steward(person)
    person.groups.add(Group.objects.get(name=STEWARDS))
    with django_assert_num_queries(1):
        assert is_steward(person)
    assert is_steward(make_person(is_superuser=True))
    codenames = set(Group.objects.get(name=STEWARDS).permissions.values_list("codename", flat=True))
    assert codenames >= {"access_admin"} | {
        f"{a}_{m}" for a in ("add", "change", "delete", "view", "publish") for m in MODELS
    }


@pytest.mark.parametrize("model", MODELS)
def test_a_steward_finds_every_kind_in_the_menu_and_can_search_it(client, steward, draft, published, model):
    make_profile(draft, {"A": 2}, title="Lead")
    assert "Frameworks" in page(client, "/cms/")
    listed = page(client, cms(model, "list"))
    assert "ours" in listed
    assert "theirs" in listed or model in ("role", "roleprofile")
    assert client.get(cms(model, "list"), {"q": "Xyzzy"}).status_code == 200


@pytest.mark.parametrize("who", ["editor", "hr", "learner"])
@pytest.mark.parametrize("view", ["list", "edit", "add"])
def test_nobody_else_gets_to_them(client, draft, who, view):
    person = make_person()
    if who == "editor":
        person.groups.add(Group.objects.get(name="Editors"))
    if who == "hr":
        make_hr(person, make_unit())
    client.force_login(person)
    args = [competency(draft, "A").pk] if view == "edit" else []
    response = client.get(cms("competency", view, *args))
    if who == "editor":
        assert response.status_code == 302
        assert response.url == "/cms/"
    else:
        assert response.status_code == 403


# --- What is published -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("status", [FrameworkStatus.PUBLISHED, FrameworkStatus.SUPERSEDED])
def test_what_is_published_is_looked_at_and_says_where_to_go_on(client, steward, published, model, status):
    profile = make_profile(published, {"A": 2})
    FrameworkVersion.objects.filter(pk=published.pk).update(status=status)
    thing = {
        "frameworkversion": published, "area": published.areas.get(), "competency": competency(published, "A"),
        "role": profile.role, "roleprofile": profile,
    }[model]  # fmt: skip
    shown = page(client, cms(model, "inspect", thing.pk))
    assert "never changes. Make a draft of the next edition" in shown
    assert reverse("framework_version", args=[published.pk]) in shown
    assert cms(model, "edit", thing.pk) not in shown
    assert cms(model, "edit", thing.pk) not in page(client, cms(model, "list"))
    for view in ("edit", "delete"):
        for ask in (client.get, client.post):
            response = ask(cms(model, view, thing.pk), follow=view == "edit")
            if view == "edit":
                assert response.redirect_chain[-1][0] == cms(model, "inspect", thing.pk)
                assert "never changes" in sentences(response)
            else:
                assert response.status_code == 302
    assert type(thing).objects.filter(pk=thing.pk).exists()
    assert not Revision.objects.exists()


def test_the_words_of_a_draft_are_edited_and_its_status_is_not(client, steward, draft):
    url = cms("frameworkversion", "edit", draft.pk)
    seen = re.search(r'name="seen" value="(\w+)"', page(client, url))[1]
    form = {
        "title_0": "Ours", "title_1": "Lo nuestro", "description_0": "", "description_1": "", "publisher": "Ministry",
        "source": "", "source_url": "", "licence": "CC BY 4.0", "attribution": "", "identifier": "", "seen": seen,
        "status": "published",
    }  # fmt: skip
    assert client.post(url, form).status_code == 302
    draft.refresh_from_db()
    assert (str(draft.title), draft.licence, draft.status) == ("Ours", "CC BY 4.0", FrameworkStatus.DRAFT)
    again = client.post(url, form | {"title_0": "Mine"})
    assert "Somebody has changed these words since you opened them" in unescape(again.content.decode())
    draft.refresh_from_db()
    assert str(draft.title) == "Ours"
    seen = re.search(r'name="seen" value="(\w+)"', again.content.decode())[1]
    assert client.post(url, form | {"title_0": "Mine", "seen": seen}).status_code == 302


def test_versions_are_neither_added_nor_deleted_by_a_form(client, steward, draft):
    assert client.get(cms("frameworkversion", "add")).status_code == 302
    assert client.post(cms("frameworkversion", "delete", draft.pk)).status_code == 302
    assert FrameworkVersion.objects.filter(pk=draft.pk).exists()


# --- Drafts and history of parts ---------------------------------------------------------------------------------
def test_save_draft_leaves_the_row_and_publish_writes_it_both_with_history(client, steward, draft):
    a = competency(draft, "A")
    url = cms("competency", "edit", a.pk)
    assert client.post(url, of_competency(a, title_0="For later")).status_code == 302
    row = Competency.objects.get(pk=a.pk)
    assert (str(row.title), row.has_unpublished_changes) == ("Competency A", True)
    assert "For later" in page(client, url)
    assert "1 part has words that are not in the draft yet" in page(client, f"/frameworks/desk/{draft.pk}/")
    response = client.post(url, of_competency(row, title_0="Written", title_1="Escrita", **{"action-publish": "1"}))
    assert response.status_code == 302
    row.refresh_from_db()
    assert (row.title.data, row.has_unpublished_changes) == ({"en": "Written", "es": "Escrita"}, False)
    assert "written" in row.search_text
    assert row.descriptors.count() == 5
    assert row.revisions.count() == 2
    history = page(client, cms("competency", "history", a.pk))
    assert "Stella Steward" in history
    first, second = row.revisions.order_by("pk")
    compared = page(client, cms("competency", "revisions_compare", a.pk, first.pk, second.pk))
    assert "For later" in re.sub("<[^>]*>", "", compared)
    assert client.get(cms("competency", "revisions_revert", a.pk, first.pk)).status_code == 200


def test_one_input_for_each_language(client, steward, draft):
    shown = page(client, cms("competency", "edit", competency(draft, "A").pk))
    for name, language in (("title_0", "English"), ("title_1", "Español"), ("descriptors-0-text_1", "Español")):
        assert re.search(rf'name="{name}"[^>]*title="{language}"|title="{language}"[^>]*name="{name}"', shown), name


def test_a_new_part_asks_for_its_draft_first(client, steward, draft, published):
    asked = page(client, cms("competency", "add"))
    assert "Which draft does it belong to?" in asked
    assert f"?draft={draft.pk}" in asked
    assert f"?draft={published.pk}" not in asked
    url = f"{cms('competency', 'add')}?draft={draft.pk}"
    new = Competency(version=draft, code="N", title="New", area=draft.areas.get())
    form = of_competency(new, descriptors=[{"level": draft.levels.get(rank=2).pk, "text_0": "I can.", "text_1": ""}])
    assert client.post(url, form | {"action-publish": "1"}).status_code == 302
    made = competency(draft, "N")
    assert made.live
    assert [str(d.text) for d in made.descriptors.all()] == ["I can."]
    again = client.post(url, form | {"action-publish": "1"})
    assert "“N” is taken in this framework version" in sentences(again)
    assert draft.competencies.count() == 3


@pytest.mark.parametrize("model", ["area", "competency", "role", "roleprofile"])
def test_a_list_of_one_draft_adds_to_that_draft_without_asking_again(client, steward, draft, published, model):
    add = cms(model, "add")
    assert f'href="{add}?draft={draft.pk}"' in page(client, f"{cms(model, 'list')}?version={draft.pk}")
    for asked in ("", f"?version={published.pk}", "?version=99999999", "?version=x"):
        found = page(client, f"{cms(model, 'list')}{asked}")
        assert f'href="{add}"' in found
        assert "?draft=" not in found


def test_a_new_part_goes_into_no_published_version(client, steward, published):
    url = f"{cms('area', 'add')}?draft={published.pk}"
    form = {"code": "x", "title_0": "X", "title_1": "", "description_0": "", "description_1": "", "position": 1}
    for response in (client.get(url), client.post(url, form)):
        assert "never changes" in sentences(response)
    assert published.areas.count() == 1
    assert "There is no draft yet" in page(client, cms("area", "add"))


def test_a_role_and_its_profile_are_made_in_a_draft(client, steward, draft):
    url = f"{cms('role', 'add')}?draft={draft.pk}"
    form = {
        "code": "lead", "key_post": "", "title_0": "Lead", "title_1": "", "summary_0": "", "summary_1": "",
        "alternatives_0": "", "alternatives_1": "", "family": "", "position": 0, "identifier": "", "action-publish": "1",
    }  # fmt: skip
    assert client.post(url, form).status_code == 302
    role = Role.objects.get(version=draft)
    profile = RoleProfile(role=role, code="lead")
    needs = [{"competency": competency(draft, "A").pk, "level": draft.levels.get(rank=3).pk, "importance": 5}]
    url = f"{cms('roleprofile', 'add')}?draft={draft.pk}"
    assert client.post(url, of_profile(profile, needs) | {"action-publish": "1"}).status_code == 302
    need = Requirement.objects.get(profile__role=role)
    assert (need.competency.code, need.level.rank, need.importance) == ("A", 3, 5)


# --- What may be referred to -------------------------------------------------------------------------------------
def test_choices_stay_within_the_draft_and_what_it_extends(client, steward, draft, published):
    base = make_framework("national", codes="N")
    FrameworkVersion.objects.filter(pk=draft.pk).update(extends=base)
    profile = make_profile(draft, {"A": 2})
    url = cms("roleprofile", "edit", profile.pk)
    need = profile.requirements.get()
    rows = [{"id": need.pk, "competency": need.competency_id, "level": need.level_id}]
    foreign = [*rows, {"competency": competency(published, "A").pk}]
    refused = client.post(url, of_profile(profile, foreign) | {"action-publish": "1"})
    assert "Choose a competency of this framework version, or of the one it extends." in sentences(refused)
    crossed = [*rows, {"competency": competency(base, "N").pk, "level": draft.levels.get(rank=2).pk}]
    refused = client.post(url, of_profile(profile, crossed) | {"action-publish": "1"})
    assert "This level belongs to another framework than the competency." in sentences(refused)
    fine = [*rows, {"competency": competency(base, "N").pk, "level": base.levels.get(rank=2).pk}]
    assert client.post(url, of_profile(profile, fine) | {"action-publish": "1"}).status_code == 302
    assert profile.requirements.count() == 2
    twice = [*rows, {"competency": need.competency_id}]
    refused = client.post(url, of_profile(profile, twice) | {"action-publish": "1"})
    assert refused.status_code == 200
    assert profile.requirements.count() == 2


def test_the_chooser_offers_what_the_draft_may_refer_to_and_finds_it_by_wording(client, steward, draft, published):
    url = cms_chooser("competency", "choose")
    offered = client.get(url, {"draft": draft.pk}).json()["html"]
    assert offered.count("data-chooser-modal-choice") == 2
    results = client.get(cms_chooser("competency", "choose_results"), {"draft": draft.pk, "q": "competencía b"})
    assert results.content.decode().count("data-chooser-modal-choice") == 1
    client.force_login(make_editor())
    assert str(competency(draft, "A").pk) not in re.findall(
        r"chosen/(\d+)/", client.get(url, {"draft": draft.pk}).json()["html"]
    )


def cms_chooser(model: str, view: str) -> str:
    return reverse(f"wagtailsnippetchoosers_competencies_{model}:{view}")


def make_editor():
    person = make_person("Edith Editor")
    person.groups.add(Group.objects.get(name="Editors"))
    return person


def test_a_competency_is_not_part_of_itself_or_of_its_own_parts(client, steward, draft):
    a, b = competency(draft, "A"), competency(draft, "B")
    Competency.objects.filter(pk=b.pk).update(parent=a)
    for parent in (a, b):
        response = client.post(cms("competency", "edit", a.pk), of_competency(a, parent=parent.pk))
        assert "cannot be part of itself" in sentences(response)


# --- Two at once -------------------------------------------------------------------------------------------------
def test_the_second_of_two_editors_is_told_and_loses_no_words(client, steward, draft):
    a = competency(draft, "A")
    url = cms("competency", "edit", a.pk)
    client.post(url, of_competency(a, title_0="First"))
    opened_by_both = of_competency(a)
    other = make_person("Otto Other")
    other.groups.add(Group.objects.get(name=STEWARDS))
    theirs = Client()
    theirs.force_login(other)
    assert theirs.post(url, opened_by_both | {"title_0": "Otto’s"}).status_code == 302
    late = client.post(url, opened_by_both | {"title_0": "Stella’s"})
    assert "Otto Other has saved this since you opened it." in sentences(late)
    assert "Stella’s" in unescape(late.content.decode())
    assert Competency.objects.get(pk=a.pk).get_latest_revision_as_object().title.data["en"] == "Otto’s"
    assert client.post(url, of_competency(a, title_0="Stella’s")).status_code == 302


def test_a_draft_that_was_published_meanwhile_is_left_alone(client, steward, draft):
    a = competency(draft, "A")
    form = of_competency(a, title_0="Too late", **{"action-publish": "1"})
    FrameworkVersion.objects.filter(pk=draft.pk).update(status=FrameworkStatus.PUBLISHED)
    for extra in ({}, {"HTTP_ACCEPT": "application/json"}):
        response = client.post(cms("competency", "edit", a.pk), form, **extra)
        assert response.status_code == (400 if extra else 302)
    assert "never changes" in response.json()["error_message"]
    assert str(Competency.objects.get(pk=a.pk).title) == "Competency A"
    assert not Revision.objects.exists()


def test_a_part_saved_for_later_cannot_be_put_into_a_published_version(client, steward, draft):
    a = competency(draft, "A")
    client.post(cms("competency", "edit", a.pk), of_competency(a, title_0="For later"))
    FrameworkVersion.objects.filter(pk=draft.pk).update(status=FrameworkStatus.PUBLISHED)
    revision = Revision.objects.get()
    url = cms("competency", "revisions_revert", a.pk, revision.pk)
    assert client.get(url).url == cms("competency", "inspect", a.pk)
    assert client.get(cms("competency", "unpublish", a.pk)).status_code == 302
    assert Competency.objects.get(pk=a.pk).live


# --- What nobody can destroy -------------------------------------------------------------------------------------
def test_what_others_point_to_stays(client, steward, draft):
    profile = make_profile(draft, {"A": 2})
    a, b, area = competency(draft, "A"), competency(draft, "B"), draft.areas.get()
    for model, thing, sentence in (
        ("competency", a, "1 role profile requires"),
        ("area", area, "holds 2 competencies"),
        ("role", profile.role, "has 1 profile"),
    ):
        response = client.post(cms(model, "delete", thing.pk), follow=True)
        assert sentence in sentences(response)
        assert type(thing).objects.filter(pk=thing.pk).exists()
    assert client.post(cms("competency", "delete", b.pk)).status_code == 302
    assert not Competency.objects.filter(pk=b.pk).exists()
    url = reverse("wagtail_bulk_action", args=["competencies", "area", "delete"])
    client.post(f"{url}?id={area.pk}")
    assert Area.objects.filter(pk=area.pk).exists()


def test_deleting_many_at_once_spares_published_versions(client, steward, published):
    url = reverse("wagtail_bulk_action", args=["competencies", "competency", "delete"])
    client.post(f"{url}?id={competency(published, 'B').pk}")
    assert published.competencies.count() == 2


# --- Cost --------------------------------------------------------------------------------------------------------
def test_lists_and_forms_cost_the_same_for_many_as_for_few(client, steward, count_queries):
    def cost(codes: str) -> tuple[int, ...]:
        version = make_framework(codes=codes, status=FrameworkStatus.DRAFT)
        profile = make_profile(version, dict.fromkeys(codes, 2))
        urls = [cms("roleprofile", "edit", profile.pk), f"{cms('competency', 'list')}?version={version.pk}"]
        return tuple(count_queries(lambda u=url: client.get(u)) for url in urls)

    client.get(cms("competency", "list"))
    assert cost("AB") == cost("ABCDEFGHIJKL")
