"""The drawn ministry, before anything is stored."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from organisations.demo import (
    ACCOUNT_NAMES,
    DEMO_ACCOUNTS,
    DEMO_DOMAIN,
    LARGE_TEAM,
    MAX_TEAM,
    Ministry,
    Seat,
    draw_ministry,
    workday_from,
    workday_until,
    workdays,
)

DAY = date(2026, 3, 16)


def reporting_line(seat: Seat) -> list[Seat]:
    line = []
    while seat.above is not None:
        seat = seat.above
        assert seat not in line
        line.append(seat)
    return line


def spans(ministry: Ministry) -> Counter[int]:
    return Counter(member.leader.number for member in ministry.members if member.leader)


@settings(deadline=None, max_examples=30)
@given(
    people=st.integers(30, 900),
    seed=st.integers(0, 10**6),
    as_of=st.dates(date(2001, 1, 1), date(2030, 12, 31)),
)
def test_any_ministry_is_whole(people, seed, as_of):
    ministry = draw_ministry(people=people, seed=seed, as_of=as_of)
    emails = [member.user.email for member in ministry.members]
    assert len(emails) == len(set(emails)) == people
    assert all(email.isascii() and email.endswith(f"@{DEMO_DOMAIN}") for email in emails)
    assert set(DEMO_ACCOUNTS) <= set(emails)
    assert len({seat.code for seat in ministry.seats}) == len(ministry.seats)
    assert len({place.code for place in ministry.places}) == len(ministry.places)
    roots = {reporting_line(seat)[-1] if seat.above else seat for seat in ministry.seats}
    assert {seat.place.code for seat in roots} == {"MPS-SEC", "NRO"}
    for seat in ministry.seats:
        assert (seat.holder is None) == (seat.since is None)
        assert seat.holder is None or seat in seat.holder.seats
    for member in ministry.members:
        assert (member.left_on is None) == bool(member.seats)
        assert member.leader is not member
        held = sorted((holding.starts_on, holding.ends_on) for holding in member.holdings if holding.ends_on)
        assert all(starts_on < ends_on for starts_on, ends_on in held)
    turns = sorted(
        (holding.seat.code, holding.starts_on, holding.ends_on or date.max)
        for member in ministry.members
        for holding in member.holdings
    )
    for (code, _starts_on, ends_on), (next_code, starts_on, _ends_on) in pairwise(turns):
        assert code != next_code or ends_on <= starts_on


@pytest.mark.parametrize("people", [30, 45, 79, 80, 160, 500])
def test_equal_arguments_draw_the_same_ministry(people):
    def told(ministry: Ministry) -> list[tuple]:
        return [
            (m.user.name, m.user.email, m.user.language, m.drive, [(h.seat.code, h.starts_on) for h in m.holdings])
            for m in ministry.members
        ]

    first, second, other = (draw_ministry(people=people, seed=seed, as_of=DAY) for seed in (3, 3, 4))
    assert told(first) == told(second) != told(other)


@pytest.mark.parametrize("people", [160, 400, 3000])
def test_teams_are_of_a_size_that_a_lead_can_lead(people):
    ministry = draw_ministry(people=people, seed=1, as_of=DAY)
    sizes = sorted(spans(ministry).values(), reverse=True)
    if people >= 1000:
        assert sizes.pop(0) == LARGE_TEAM
    # Two more where a vacant chair above sends its people up.
    assert max(sizes) <= MAX_TEAM + 4


def test_a_tenth_of_the_people_works_in_the_second_body():
    ministry = draw_ministry(people=500, seed=1, as_of=DAY)
    assert Counter(member.body for member in ministry.members) == {"MPS": 450, "NRO": 50}


def test_the_manager_leads_about_fourteen_among_them_the_learner():
    ministry = draw_ministry(people=160, seed=1, as_of=DAY)
    team = ministry.team_of(ministry.account("manager"))
    assert len(team) == 14
    assert ministry.account("learner") in team
    assert any(member.seat.above.holder is None for member in team)


def test_the_accounts_have_the_names_of_the_story():
    ministry = draw_ministry(people=30, seed=9, as_of=DAY)
    assert {m.account: m.user.name for m in ministry.members if m.account} == ACCOUNT_NAMES


def test_posts_are_named_in_both_languages():
    ministry = draw_ministry(people=160, seed=1, as_of=DAY)
    assert all(all(seat.title) and all(seat.place.name) for seat in ministry.seats)


def test_weekends_are_skipped_in_both_directions():
    friday, saturday, sunday, monday = (date(2026, 3, day) for day in (13, 14, 15, 16))
    assert workday_from(saturday) == workday_from(sunday) == workday_from(monday) == monday
    assert workday_until(saturday) == workday_until(sunday) == workday_until(friday) == friday
    assert workdays(friday, monday) == [friday, monday]
