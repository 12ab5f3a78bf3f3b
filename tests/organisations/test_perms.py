"""Who may see and serve whom: vacancies, dates, circles, borders between units."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.utils import timezone

from organisations import perms
from organisations.models import Post, User
from tests.builders import LONG_AGO, appoint, make_hr, make_person, make_post, make_unit

pytestmark = pytest.mark.django_db


def today() -> date:
    return timezone.localdate()


def yesterday() -> date:
    return today() - timedelta(days=1)


def tomorrow() -> date:
    return today() + timedelta(days=1)


def names(people) -> list[str]:
    return sorted(person.name for person in people)


def team(manager: User, as_of: date | None = None) -> list[str]:
    return names(User.objects.led_by(manager, as_of))


@pytest.fixture
def unit():
    return make_unit("Ministry")


@pytest.fixture
def boss():
    return make_person("Boss")


@pytest.fixture
def chair(unit, boss):
    return make_post(unit, title="Director", holder=boss)


def held(unit, name: str, reports_to: Post | None, **dates) -> Post:
    post = make_post(unit, reports_to=reports_to)
    appoint(make_person(name), post, **dates)
    return post


# --- Whom one leads ----------------------------------------------------------------------------------------------
def test_a_manager_leads_those_who_report_to_her_post_and_not_those_who_report_to_them(unit, boss, chair):
    head = held(unit, "Head", chair)
    held(unit, "Clerk", head)
    assert team(boss) == ["Head"]
    assert team(User.objects.get(name="Head")) == ["Clerk"]
    assert team(User.objects.get(name="Clerk")) == []


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_a_vacant_post_passes_its_reports_up_however_many_are_vacant(unit, boss, chair, levels):
    above = chair
    for _ in range(levels):
        above = make_post(unit, reports_to=above)
    held(unit, "Clerk", above)
    assert team(boss) == ["Clerk"]


def test_a_lead_who_comes_takes_over_and_one_who_goes_hands_back(unit, boss, chair):
    lead = make_post(unit, reports_to=chair)
    held(unit, "Clerk", lead)
    appoint(make_person("Lead"), lead, starts_on=yesterday(), ends_on=tomorrow())
    assert team(boss, yesterday() - timedelta(days=1)) == ["Clerk"]
    assert team(boss, yesterday()) == ["Lead"]
    assert team(boss, today()) == ["Lead"]
    assert team(boss, tomorrow()) == ["Clerk"]


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        (0, None, ["Clerk"]),  # begins today
        (1, None, []),  # begins tomorrow
        (-9, 0, []),  # `ends_on` is the first day without
        (-9, 1, ["Clerk"]),  # the last day
    ],
)
def test_an_appointment_counts_from_its_first_day_until_the_day_before_its_end(
    unit, boss, chair, starts, ends, expected
):
    ends_on = None if ends is None else today() + timedelta(days=ends)
    held(unit, "Clerk", chair, starts_on=today() + timedelta(days=starts), ends_on=ends_on)
    assert team(boss) == expected


def test_whose_own_appointment_has_ended_or_has_not_begun_leads_nobody(unit):
    chair, chair_to_be = make_post(unit), make_post(unit)
    former, future = make_person("Former"), make_person("Future")
    appoint(former, chair, ends_on=today())
    appoint(future, chair_to_be, starts_on=tomorrow())
    held(unit, "Clerk", chair)
    held(unit, "Other", chair_to_be)
    for person in (former, future):
        assert team(person) == []
        assert not perms.is_manager(person)
        assert list(User.objects.visible_to(person)) == [person]


def test_a_person_with_two_posts_leads_the_teams_of_both_and_never_herself(unit, boss, chair):
    second = make_post(unit, reports_to=chair)  # her second post reports to her first
    appoint(boss, second)
    held(unit, "Clerk", chair)
    held(unit, "Other", second)
    assert team(boss) == ["Clerk", "Other"]


def test_a_person_who_holds_two_posts_in_the_team_is_in_it_once(unit, boss, chair):
    held(unit, "Clerk", chair)
    appoint(User.objects.get(name="Clerk"), make_post(unit, reports_to=chair))
    assert team(boss) == ["Clerk"]
    assert User.objects.visible_to(boss).count() == 2


def test_who_leads_only_herself_is_no_manager(unit, boss, chair):
    appoint(boss, make_post(unit, reports_to=chair))
    assert team(boss) == []
    assert not perms.is_manager(boss)


@pytest.mark.parametrize("ends_on", ["today", "long ago"])
def test_a_post_that_is_abolished_is_nobodys_and_passes_its_reports_up(unit, boss, chair, ends_on):
    """Somebody closed the post and forgot to move those below it."""
    gone = held(unit, "Gone", chair)
    held(unit, "Clerk", gone)
    Post.objects.filter(pk=gone.pk).update(ends_on=today() if ends_on == "today" else LONG_AGO + timedelta(days=1))
    assert team(boss) == ["Clerk"]


def test_a_post_that_does_not_exist_yet_passes_its_reports_up(unit, boss, chair):
    planned = make_post(unit, reports_to=chair)
    Post.objects.filter(pk=planned.pk).update(starts_on=tomorrow())
    held(unit, "Clerk", planned)
    assert team(boss) == ["Clerk"]


def test_posts_in_a_circle_do_not_hang_and_nobody_leads_herself(unit):
    first, second, third = (make_post(unit) for _ in range(3))
    for post, above in ((first, third), (second, first), (third, second)):
        Post.objects.filter(pk=post.pk).update(reports_to=above)
    ana = make_person("Ana")
    appoint(ana, first)
    assert team(ana) == []  # two vacant posts below, which lead back to her
    appoint(make_person("Bea"), third)
    assert team(ana) == ["Bea"]
    assert team(User.objects.get(name="Bea")) == ["Ana"]


def test_vacant_posts_in_a_circle_below_do_not_hang(unit, boss, chair):
    one = make_post(unit, reports_to=chair)
    two = make_post(unit, reports_to=one)
    Post.objects.filter(pk=one.pk).update(reports_to=two)
    three = make_post(unit, reports_to=chair)
    Post.objects.filter(pk=two.pk).update(reports_to=three)
    held(unit, "Clerk", two)
    assert team(boss) == ["Clerk"]


def test_a_wide_and_deep_team_takes_as_many_queries_as_there_are_vacant_rows(unit, boss, chair, count_queries):
    for _ in range(20):
        held(unit, "Clerk", chair)
    flat = count_queries(lambda: perms.posts_led_by(boss, today()))
    for _ in range(20):
        held(unit, "Clerk", make_post(unit, reports_to=chair))
    assert len(perms.posts_led_by(boss, today())) == 40
    assert count_queries(lambda: perms.posts_led_by(boss, today())) == flat + 1 == 3


def test_a_manager_keeps_her_desk_when_the_posts_below_are_vacant_or_closed(unit, boss, chair, count_queries):
    assert not perms.is_manager(boss)
    below = make_post(unit, reports_to=chair)
    assert perms.is_manager(boss)
    Post.objects.filter(pk=below.pk).update(ends_on=today())
    appoint(make_person("Former"), below)
    assert team(boss) == []  # nobody holds a post that is closed
    held(unit, "Other", make_post(unit, reports_to=below))
    assert team(boss) == ["Other"]
    assert perms.is_manager(boss)
    assert count_queries(lambda: perms.is_manager(boss)) == 1


def test_the_cms_is_open_to_editors_and_administrators_in_one_query(count_queries):
    editor, admin, clerk = make_person(), make_person(is_superuser=True), make_person()
    editor.groups.add(Group.objects.get(name="Editors"))
    personal = make_person()
    personal.user_permissions.add(Permission.objects.get(codename="access_admin"))
    for person, expected in ((editor, True), (admin, True), (personal, True), (clerk, False)):
        assert perms.is_editor(person) is expected
        assert person.has_perm("wagtailadmin.access_admin") is expected
        assert count_queries(lambda person=person: perms.is_editor(person)) <= 1
    assert not perms.is_editor(AnonymousUser())


def test_is_manager_of_asks_for_one_person(unit, boss, chair):
    held(unit, "Clerk", chair)
    clerk = User.objects.get(name="Clerk")
    assert perms.is_manager_of(boss, clerk)
    assert not perms.is_manager_of(boss, boss)
    assert not perms.is_manager_of(clerk, boss)
    assert not perms.is_manager_of(boss, clerk, as_of=LONG_AGO - timedelta(days=1))


# --- Whom HR serves ----------------------------------------------------------------------------------------------
@pytest.fixture
def tree():
    """A ministry with two directorates, each with a section, and a person in each; and another ministry."""
    ministry = make_unit("Ministry")
    units = {"Ministry": ministry, "Elsewhere": make_unit("Elsewhere")}
    for name in ("North", "South"):
        units[name] = make_unit(name, ministry)
        units[f"{name} section"] = make_unit(f"{name} section", units[name])
    for name, unit in units.items():
        make_post(unit, holder=make_person(f"{name} person"))
    return units


@pytest.mark.parametrize(
    ("unit", "served"),
    [
        ("North section", ["North section person"]),
        ("North", ["North person", "North section person"]),
        (
            "Ministry",
            ["Ministry person", "North person", "North section person", "South person", "South section person"],
        ),
        ("Elsewhere", ["Elsewhere person"]),
    ],
)
def test_hr_serves_its_unit_and_those_below_and_neither_those_above_nor_neighbours(tree, unit, served):
    officer = make_person("Officer")
    make_hr(officer, tree[unit])
    assert names(User.objects.in_hr_scope_of(officer)) == served
    assert names(User.objects.visible_to(officer)) == sorted([*served, "Officer"])
    assert perms.is_hr(officer)


def test_two_mandates_add_up_and_nobody_is_counted_twice(tree):
    officer = make_person("Officer")
    for name in ("North", "North section", "Elsewhere"):
        make_hr(officer, tree[name])
    appoint(User.objects.get(name="North person"), make_post(tree["Elsewhere"]))
    assert names(User.objects.in_hr_scope_of(officer)) == ["Elsewhere person", "North person", "North section person"]


@pytest.mark.parametrize("starts_on, ends_on", [(LONG_AGO, 0), (1, None)])
def test_hr_does_not_see_who_has_left_or_has_not_come_yet(tree, starts_on, ends_on):
    def day(value):
        return today() + timedelta(days=value) if isinstance(value, int) else value

    officer = make_person("Officer")
    make_hr(officer, tree["South"])
    appoint(make_person("Visitor"), make_post(tree["South"]), starts_on=day(starts_on), ends_on=day(ends_on))
    assert "Visitor" not in names(User.objects.visible_to(officer))


def test_without_a_mandate_a_title_opens_nothing(tree):
    clerk = User.objects.get(name="North person")
    assert not perms.is_hr(clerk)
    assert not User.objects.in_hr_scope_of(clerk).exists()


def test_a_unit_that_moves_takes_its_people_into_the_scope_of_its_new_house(tree):
    officer = make_person("Officer")
    make_hr(officer, tree["Elsewhere"])
    tree["North"].move(tree["Elsewhere"], "last-child")
    assert names(User.objects.in_hr_scope_of(officer)) == ["Elsewhere person", "North person", "North section person"]


# --- Whom one sees -----------------------------------------------------------------------------------------------
def test_an_anonymous_visitor_sees_nobody_and_has_no_desk():
    make_person()
    visitor = AnonymousUser()
    assert not User.objects.visible_to(visitor).exists()
    assert not perms.is_manager(visitor)
    assert not perms.is_hr(visitor)


def test_an_administrator_sees_everybody_and_a_stranger_only_herself(tree):
    admin, stranger = make_person("Admin", is_superuser=True), make_person("Stranger")
    assert User.objects.visible_to(admin).count() == User.objects.count()
    assert list(User.objects.visible_to(stranger)) == [stranger]
    assert perms.is_hr(admin)


def test_one_who_leads_and_serves_sees_both_and_each_once(tree):
    officer = make_person("Officer")
    make_hr(officer, tree["North"])
    post = make_post(tree["South"], holder=officer)
    held(tree["North"], "Clerk", post)
    assert names(User.objects.visible_to(officer)) == ["Clerk", "North person", "North section person", "Officer"]


def test_what_one_sees_can_be_narrowed_further(tree):
    """Views chain it: a Q that could not be combined would open a door."""
    officer = make_person("Officer")
    make_hr(officer, tree["North"])
    assert not User.objects.filter(name="South person").visible_to(officer).exists()
    assert User.objects.visible_to(officer).exclude(pk=officer.pk).filter(name__startswith="North").count() == 2


# --- The other way round: who leads somebody -----------------------------------------------------------------------
def test_who_leads_a_person_is_who_finds_her_in_the_team(unit, boss, chair):
    vacant = make_post(unit, reports_to=chair)
    lead = held(unit, "Lead", vacant)
    held(unit, "Member", lead)
    ended = held(unit, "Left", chair, ends_on=yesterday())
    held(unit, "Orphan", ended)
    outside = make_post(unit)
    held(unit, "Nobody's", outside)
    held(unit, "Later", chair, starts_on=tomorrow())
    appoint(User.objects.get(name="Member"), make_post(unit, reports_to=chair))
    round_about = make_post(unit)
    Post.objects.filter(pk=outside.pk).update(reports_to=round_about)
    Post.objects.filter(pk=round_about.pk).update(reports_to=outside)
    everybody = list(User.objects.all())
    found = perms.managers_of([person.pk for person in everybody], today())
    expected = {
        person.pk: {m.pk for m in everybody if m.pk != person.pk and perms.is_manager_of(m, person)}
        for person in everybody
    }
    assert found == expected
    assert found[User.objects.get(name="Lead").pk] == {boss.pk}


def test_finding_who_leads_asks_two_queries_for_many(unit, chair, count_queries):
    for n in range(12):
        held(unit, f"P{n}", chair)
    ids = list(User.objects.values_list("pk", flat=True))
    assert count_queries(lambda: perms.managers_of(ids, today())) == 2


def test_an_officer_serves_her_units_and_those_below_in_tree_order(unit):
    below, other = make_unit("Below", unit), make_unit("Other")
    officer = make_person()
    assert list(perms.units_served(officer)) == []
    make_hr(officer, unit)
    assert list(perms.units_served(officer)) == [unit, below]
    assert other in perms.units_served(make_person(is_superuser=True))
