"""The public home page when several frameworks are there."""

import pytest

from competencies.models import PostRole, Role
from competencies.selectors import STARTER
from tests.builders import make_framework, make_post, make_profile, make_unit

pytestmark = pytest.mark.django_db


def key_role(version, title: str, key_post: str, summary: str = ""):
    profile = make_profile(version, {"A": 1}, title=title, key_post=key_post)
    Role.objects.filter(pk=profile.role_id).update(summary={"en": summary})
    return profile


def roles_shown(client) -> list[str]:
    return [str(role.title) for role in client.get("/").context["key_roles"]]


@pytest.fixture
def two():
    """A national framework whose slug comes first, with a CISO twice, and the starter framework."""
    national, starter = make_framework("national", codes="A"), make_framework(STARTER, codes="A")
    profiles = {
        "first": key_role(national, "National CISO", "CISO", "A [long](https://gov.example/x) summary. " * 20),
        "second": key_role(national, "National CISO, senior", "CISO"),
        "cio": key_role(national, "National CIO", "CIO"),
        "starter": key_role(starter, "Starter CISO", "CISO"),
    }
    make_profile(national, {"A": 1}, title="National officer")
    make_profile(starter, {"A": 1}, title="Starter officer")
    return profiles


def test_before_posts_carry_roles_the_starter_framework_is_shown(client, two):
    assert roles_shown(client) == ["Starter CISO"]
    page = client.get("/").content.decode()
    assert "Starter officer" in page
    assert "National officer" not in page


def test_the_framework_of_the_ministry_s_posts_is_shown_each_key_post_once(client, two):
    make_post(make_unit(), roles=[two["cio"]])
    assert roles_shown(client) == ["National CISO", "National CIO"]
    page = client.get("/").content.decode()
    assert "National officer" in page
    assert "Starter officer" not in page


def test_summaries_on_the_home_page_are_short_and_without_addresses(client, two):
    make_post(make_unit(), roles=[two["cio"]])
    page = client.get("/").content.decode()
    assert "A long summary." in page
    assert "gov.example" not in page
    assert page.count("A long summary.") < 12


def test_a_framework_without_key_roles_leaves_the_place_to_the_next(client, two):
    plain = make_profile(make_framework("plain", codes="A"), {"A": 1})
    make_post(make_unit(), roles=[plain])
    assert PostRole.objects.count() == 1
    assert roles_shown(client) == ["Starter CISO"]


def test_more_frameworks_cost_no_more_queries(client, two, count_queries):
    client.get("/")
    before = count_queries(lambda: client.get("/"))
    for number in range(5):
        key_role(make_framework(f"more-{number}", codes="A"), "More", "CTO")
    assert count_queries(lambda: client.get("/")) == before
