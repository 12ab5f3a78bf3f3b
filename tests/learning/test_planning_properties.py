"""The planner with duties, choices, dates and its time limit, against enumeration on instances small enough for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain, combinations, permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from learning import planning
from learning.greedy import choose_greedily
from learning.instances import make_instance
from learning.ordering import Job, arrange
from learning.path_terms import Catalogue, Choice, Mandatory, Model, Offer, Pace, Session, Target
from learning.planning import plan_path

MONDAY = date(2026, 3, 2)
PACE = Pace(weekly_minutes=70, starts_on=MONDAY)  # ten minutes a day


@st.composite
def cases(draw):
    """Up to seven courses, each needing only earlier ones; up to four gaps; duties and wishes of every kind."""
    count = draw(st.integers(1, 7))
    names = [f"c{i}" for i in range(count)]
    some = st.frozensets(st.sampled_from(names), max_size=2)
    offers = [
        Offer(
            name,
            draw(st.integers(1, 6)) * 10,
            tuple(sorted(draw(st.dictionaries(st.integers(1, 4), st.integers(1, 3), max_size=3)).items())),
            frozenset(names[j] for j in draw(st.sets(st.integers(0, 6), max_size=2)) if j < i),
            draw(st.integers(0, 6)) == 0,
        )
        for i, name in enumerate(names)
    ]
    day = st.none() | st.integers(0, 20).map(lambda n: MONDAY + timedelta(days=n))
    targets = [
        Target(pk, held, required, Decimal(draw(st.integers(1, 5))), draw(day))
        for pk in draw(st.sets(st.integers(1, 4), max_size=4))
        for held, required in [draw(st.tuples(st.integers(0, 2), st.integers(1, 3)))]
        if held < required
    ]
    kept = st.none() | some.map(frozenset)
    groups = draw(
        st.lists(st.tuples(st.sets(st.sampled_from(names), min_size=1), st.integers(1, 3), day, kept), max_size=2)
    )
    return {
        "targets": targets,
        "offers": offers,
        "satisfied": draw(some),
        "mandatory": [Mandatory(key, draw(day)) for key in sorted(draw(some) | draw(st.sampled_from([set(), {"x"}])))],
        "choices": [Choice(f"g{i}", tuple(sorted(keys)), n, due, k) for i, (keys, n, due, k) in enumerate(groups)],
        "pinned": draw(some),
        "declined": draw(some),
        "in_plan": draw(some),
    }


def needed(keys, offers, done):
    """Keys with all they need, None when something of it is not there."""
    found, stack = set(), list(keys)
    while stack:
        key = stack.pop()
        if key not in found:
            if key not in offers:
                return None
            found.add(key)
            stack.extend(offers[key].prerequisites - done)
    return found


def rules(case):
    """The rules of a path said once more, without the planner: what must be in, what may be, what is to be reached."""
    offers, done = {o.key: o for o in case["offers"]}, case["satisfied"]
    asked = ({m.key for m in case["mandatory"]} | case["pinned"]) - done
    begun = {key for key, o in offers.items() if o.begun} - done - case["declined"]
    must = {key for key in asked | (begun & case["in_plan"]) if needed([key], offers, done) is not None}
    closed = needed(must, offers, done)
    free = {key: o for key, o in offers.items() if key not in case["declined"] or key in closed}
    may = {key for key in free if needed([key], free, done) is not None}
    goals = {}
    for t in case["targets"]:
        best = max((offers[key].reaches(t.competency_id) for key in may), default=0)
        if best > t.held:
            goals[t.competency_id] = min(best, t.required)
    groups = []
    for group in case["choices"]:
        counted = done if group.kept is None else group.kept
        members = set(group.keys) - counted
        missing = group.choose - len(set(group.keys) & counted)
        if missing > 0:
            groups.append((members, min(missing, len(members & may))))
    must |= {
        key
        for key in begun & may
        if any(offers[key].reaches(pk) >= rank for pk, rank in goals.items()) or any(key in m for m, _n in groups)
    }
    return offers, must, may, goals, groups


def is_feasible(chosen, case):
    offers, must, may, goals, groups = rules(case)
    return (
        must <= chosen <= may
        and all(offers[key].prerequisites - case["satisfied"] <= chosen for key in chosen)
        and all(any(offers[key].reaches(pk) >= rank for key in chosen) for pk, rank in goals.items())
        and all(len(chosen & members) >= least for members, least in groups)
    )


def all_feasible(case):
    names = [o.key for o in case["offers"]]
    subsets = chain.from_iterable(combinations(names, n) for n in range(len(names) + 1))
    return [frozenset(s) for s in subsets if is_feasible(frozenset(s), case)]


def minutes(chosen, case):
    return sum(o.effort_minutes for o in case["offers"] if o.key in chosen)


def keys_of(plan):
    return frozenset(step.key for step in plan.steps)


@settings(max_examples=200, deadline=None)
@given(cases())
def test_a_plan_meets_every_rule_no_cheaper_one_does_and_among_equals_it_changes_least(case):
    plan = plan_path(**case)
    found, everything = keys_of(plan), all_feasible(case)
    assert found in everything
    least = min(minutes(s, case) for s in everything)
    assert plan.effort_minutes == minutes(found, case) == least
    assert (plan.proof.status, plan.proof.bound_minutes, plan.proof.gap_minutes) == ("optimal", least, 0)
    changes = min(len(s ^ case["in_plan"]) for s in everything if minutes(s, case) == least)
    assert len(found ^ case["in_plan"]) == changes


@settings(max_examples=100, deadline=None)
@given(cases(), st.sampled_from([0.0, 1e-9]))
def test_at_its_time_limit_it_gives_a_feasible_plan_without_a_spare_course_and_says_so(case, limit):
    exact = plan_path(**case)
    plan = plan_path(**case, time_limit_seconds=limit)
    assert is_feasible(keys_of(plan), case)
    assert plan.effort_minutes - plan.proof.gap_minutes == plan.proof.bound_minutes <= exact.effort_minutes
    assert plan.proof.status in ("greedy", "optimal")
    _offers, must, *_rest = rules(case)
    for key in keys_of(plan) - must:
        assert not is_feasible(keys_of(plan) - {key}, case), "no course can be left out"


@settings(max_examples=100, deadline=None)
@given(cases(), st.randoms(), st.sampled_from([None, PACE]))
def test_shuffling_what_goes_in_changes_nothing(case, random, pace):
    first = plan_path(**case, pace=pace)
    shuffled = dict(case)
    for name in ("targets", "offers", "mandatory", "choices"):
        shuffled[name] = random.sample(case[name], len(case[name]))
    planning._chosen.cache_clear()
    assert plan_path(**shuffled, pace=pace) == first
    assert plan_path(**(case | {"offers": Catalogue.of(case["offers"])}), pace=pace) == first


@settings(max_examples=100, deadline=None)
@given(cases(), st.sampled_from([None, PACE]))
def test_a_plan_in_force_is_kept_when_nothing_else_has_changed(case, pace):
    first = plan_path(**case, pace=pace)
    # What is begun stays once it is planned; of what is not begun nothing new may come of keeping it.
    again = plan_path(**(case | {"in_plan": keys_of(first)}), pace=pace)
    assert keys_of(again) == keys_of(first)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_of_the_shortest_plans_none_is_in_time_where_this_one_is_late(case):
    plan = plan_path(**case, pace=PACE)
    assert all(step.starts_on is not None and step.ends_on >= step.starts_on for step in plan.steps)
    if not any(step.is_late for step in plan.steps):
        return
    least = min(minutes(s, case) for s in all_feasible(case))
    for rival in all_feasible(case):
        if minutes(rival, case) == least:
            assert not can_be_in_time(rival, case)


def can_be_in_time(chosen, case):
    offers, _must, _may, goals, _groups = rules(case)
    for order in permutations(sorted(chosen)):
        ends, total = {}, 0
        for key in order:
            if not offers[key].prerequisites - case["satisfied"] <= ends.keys():
                break
            total += offers[key].effort_minutes
            ends[key] = MONDAY + timedelta(days=-(-total // 10) - 1)
        if len(ends) < len(order):
            continue
        mandatory = {
            m.key: m.due_on for m in sorted(case["mandatory"], key=lambda m: m.due_on or date.max, reverse=True)
        }
        if any(due and key in ends and ends[key] > due for key, due in mandatory.items()):
            continue
        if any(
            t.due_on and t.competency_id in goals
            and not any(offers[k].reaches(t.competency_id) >= goals[t.competency_id] and ends[k] <= t.due_on for k in ends)
            for t in case["targets"]
        ):  # fmt: skip
            continue
        if any(
            group.due_on
            and group.choose > len(set(group.keys) & (case["satisfied"] if group.kept is None else group.kept))
            and any(ends[k] > group.due_on for k in ends if k in group.keys)
            for group in case["choices"]
        ):  # fmt: skip
            continue
        return True
    return False


jobs_strategy = st.lists(
    st.tuples(
        st.integers(0, 60), st.none() | st.integers(0, 20), st.sets(st.integers(0, 5)), st.integers(0, 5), st.booleans()
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=250, deadline=None)
@given(jobs_strategy)
def test_no_order_has_a_smaller_greatest_lateness(rows):
    jobs = [
        Job(
            f"j{i}",
            effort,
            frozenset(f"j{j}" for j in before if j < i),
            None if due is None else MONDAY + timedelta(days=due),
            Decimal(urgency),
            begun,
        )
        for i, (effort, due, before, urgency, begun) in enumerate(rows)
    ]
    placed = arrange(jobs, PACE)

    def greatest(order):
        worst, total, done = 0, 0, set()
        for job in order:
            if not job.before <= done:
                return None
            done.add(job.key)
            total += job.minutes
            ends = MONDAY + timedelta(days=max(0, -(-total // 10) - 1))
            worst = max(worst, (ends - job.due_on).days if job.due_on else 0)
        return worst

    by_key = {job.key: job for job in jobs}
    found = greatest([by_key[p.key] for p in placed])
    assert found == min(value for order in permutations(jobs) if (value := greatest(order)) is not None)


@st.composite
def dated_cases(draw):
    rows = []
    for i in range(draw(st.integers(1, 6))):
        starts = draw(st.lists(st.integers(-3, 25), max_size=3))
        sessions = tuple(
            Session(i * 10 + n, MONDAY + timedelta(days=s), MONDAY + timedelta(days=s + draw(st.integers(0, 4))))
            for n, s in enumerate(starts)
        )
        due = draw(st.none() | st.integers(0, 20))
        rows.append(
            Job(
                f"j{i}",
                draw(st.integers(0, 60)),
                frozenset(f"j{j}" for j in draw(st.sets(st.integers(0, 5), max_size=2)) if j < i),
                None if due is None else MONDAY + timedelta(days=due),
                sessions=sessions,
                dated=draw(st.booleans()),
            )
        )
    away = draw(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 5)), max_size=2))
    return rows, tuple((MONDAY + timedelta(days=a), MONDAY + timedelta(days=a + n)) for a, n in away)


@settings(max_examples=250, deadline=None)
@given(dated_cases())
def test_sessions_are_real_come_after_what_they_need_and_nobody_learns_while_away(case):
    jobs, away = case
    placed = {p.key: p for p in arrange(jobs, Pace(70, MONDAY, away))}
    order = list(placed)
    assert set(order) == {job.key for job in jobs}
    for job in jobs:
        at = placed[job.key]
        assert all(order.index(first) < order.index(job.key) for first in job.before)
        if at.starts_on is None:
            assert at.is_late == (at.due_on is not None)
            assert job.dated or any(placed[first].starts_on is None for first in job.before)
            continue
        assert at.is_late == (at.due_on is not None and at.ends_on > at.due_on)
        assert not any(begin <= day < until for begin, until in away for day in (at.starts_on, at.ends_on))
        for first in job.before:
            assert placed[first].ends_on <= at.starts_on
            if placed[first].run_id is not None or job.dated:
                assert placed[first].ends_on < at.starts_on
        if job.dated:
            assert Session(at.run_id, at.starts_on, at.ends_on) in job.sessions
            assert at.starts_on >= MONDAY
        else:
            assert at.run_id is None


def test_a_dated_course_takes_the_session_before_its_date_and_others_fill_the_time():
    early, late = Session(1, date(2026, 3, 10), date(2026, 3, 11)), Session(2, date(2026, 4, 1), date(2026, 4, 2))
    course = Offer("class", 20, ((1, 2),), frozenset({"first"}), sessions=(late, early), dated=True)
    first, other = Offer("first", 20, ()), Offer("other", 60, ((2, 2),))
    targets = [Target(1, 0, 2, Decimal(1), date(2026, 3, 20)), Target(2, 0, 2, Decimal(9))]
    plan = plan_path(targets, [course, first, other], pace=PACE)
    assert [(s.key, s.run_id, s.starts_on, s.is_late) for s in plan.steps] == [
        ("other", None, date(2026, 3, 2), False),
        ("first", None, date(2026, 3, 8), False),
        ("class", 1, date(2026, 3, 10), False),
    ]


def test_a_dated_course_without_a_session_to_come_is_not_offered_and_a_mandatory_one_is_named():
    over = Session(1, date(2026, 2, 1), date(2026, 2, 2))
    course = Offer("class", 20, ((1, 2),), sessions=(over,), dated=True)
    plan = plan_path([Target(1, 0, 2, Decimal(1))], [course], mandatory=[Mandatory("class")], pace=PACE)
    assert (plan.steps, plan.unavailable) == ((), ("class",))
    assert plan.unclosed[0].reaches == 0
    going_on = plan_path([Target(1, 0, 2, Decimal(1))], [replace(course, begun=True)], pace=PACE)
    assert keys_of(going_on) == {"class"}


def test_declining_leaves_the_gap_open_and_says_why_but_never_takes_off_a_mandatory_course():
    course = Offer("a", 20, ((1, 2),))
    gap = Target(1, 0, 2, Decimal(1))
    plan = plan_path([gap], [course], declined=frozenset({"a"}))
    assert (plan.steps, plan.unclosed[0].declined) == ((), True)
    plan = plan_path([gap], [course], declined=frozenset({"a"}), mandatory=[Mandatory("a")])
    assert (keys_of(plan), plan.unclosed) == ({"a"}, ())


def test_a_mandatory_course_that_is_passed_is_done_unless_it_comes_back():
    course, passed = Offer("a", 20, ()), frozenset({"a"})
    assert plan_path([], [course], satisfied=passed, mandatory=[Mandatory("a")]).steps == ()
    assert keys_of(plan_path([], [course], satisfied=passed, mandatory=[Mandatory("a", again=True)])) == {"a"}


def test_passed_courses_count_in_a_choice_and_one_that_cannot_be_filled_is_named():
    offers = [Offer("a", 20, ()), Offer("b", 30, ()), Offer("c", 40, ())]
    two = Choice("g", ("a", "b", "c"), 2)
    assert keys_of(plan_path([], offers, choices=[two])) == {"a", "b"}
    assert keys_of(plan_path([], offers, choices=[two], satisfied=frozenset({"c"}))) == {"a"}
    plan = plan_path([], offers[:1], choices=[two])
    assert (keys_of(plan), plan.short_choices) == ({"a"}, ("g",))


def test_a_choice_that_comes_back_is_filled_again_but_for_what_was_kept_since():
    offers, passed = [Offer("a", 20, ()), Offer("b", 30, ()), Offer("c", 40, ())], frozenset({"a", "b"})
    two = Choice("g", ("a", "b", "c"), 2)
    assert plan_path([], offers, choices=[two], satisfied=passed).steps == ()
    again = replace(two, kept=frozenset())
    assert keys_of(plan_path([], offers, choices=[again], satisfied=passed)) == {"a", "b"}
    assert keys_of(plan_path([], offers, choices=[replace(two, kept=frozenset({"b"}))], satisfied=passed)) == {"a"}


def test_leave_moves_the_dates_and_a_pace_of_nothing_gives_none():
    offers = [Offer("a", 50, ((1, 2),))]
    away = ((date(2026, 3, 4), date(2026, 3, 9)),)
    [step] = plan_path([Target(1, 0, 2, Decimal(1))], offers, pace=replace(PACE, away=away)).steps
    assert (step.starts_on, step.ends_on) == (date(2026, 3, 2), date(2026, 3, 11))
    [step] = plan_path([Target(1, 0, 2, Decimal(1))], offers, pace=replace(PACE, weekly_minutes=0)).steps
    assert (step.starts_on, step.ends_on) == (None, None)


def test_a_path_longer_than_time_itself_ends_on_its_last_day():
    [step] = plan_path([], [Offer("a", 10**12, ())], mandatory=[Mandatory("a", MONDAY)], pace=PACE).steps
    assert (step.ends_on, step.is_late) == (date.max, True)


def test_a_catalogue_for_one_person_plans_as_one_made_afresh():
    offers = [Offer("a", 60, ((1, 2),)), Offer("b", 20, ((1, 2),))]
    base, mine = Catalogue.of(offers), Offer("a", 40, ((1, 2),), begun=True)
    gap = [Target(1, 0, 2, Decimal(1))]
    assert plan_path(gap, base.with_offers([mine])) == plan_path(gap, [mine, offers[1]])
    assert keys_of(plan_path(gap, base)) == {"b"}
    assert base.with_offers([mine]) == base.with_offers([mine]) != base


def test_people_who_lack_the_same_share_one_solving():
    instance = make_instance(courses=40, gaps=10, seed=1)
    catalogue = Catalogue.of(instance.offers)
    planning._chosen.cache_clear()
    for priority in range(20):
        plan_path(
            [replace(t, priority=Decimal(priority)) for t in instance.targets],
            catalogue,
            satisfied=frozenset({f"elsewhere-{priority}"}),
        )
    assert planning._chosen.cache_info().misses == 1


def test_greedy_is_feasible_and_the_exact_plan_no_longer_on_seeded_instances():
    for seed in range(5):
        instance = make_instance(courses=60, gaps=20, seed=seed)
        greedy = plan_path(instance.targets, instance.offers, time_limit_seconds=0.0)
        exact = plan_path(instance.targets, instance.offers)
        assert greedy.unclosed == exact.unclosed
        assert exact.proof.status == "optimal"
        assert greedy.effort_minutes >= exact.effort_minutes


def test_the_greedy_answer_takes_the_course_that_does_most_for_its_minutes():
    model = Model((30, 20, 20), (((0, 1), 1), ((0, 2), 1)))
    assert choose_greedily(model) == {0}


def test_of_two_plans_as_short_as_each_other_the_one_in_time_is_chosen():
    both, one, two = Offer("both", 60, ((1, 2), (2, 2))), Offer("one", 30, ((1, 2),)), Offer("two", 30, ((2, 2),))
    gaps = [Target(1, 0, 2, Decimal(1), date(2026, 3, 4)), Target(2, 0, 2, Decimal(9))]
    kept = frozenset({"both"})
    assert (
        keys_of(plan_path([replace(t, due_on=None) for t in gaps], [both, one, two], in_plan=kept, pace=PACE)) == kept
    )
    plan = plan_path(gaps, [both, one, two], in_plan=kept, pace=PACE)
    assert [(s.key, s.is_late) for s in plan.steps] == [("one", False), ("two", False)]
    in_class = replace(one, key="a", dated=True, sessions=(Session(1, date(2026, 3, 9), date(2026, 3, 9)),))
    assert keys_of(plan_path(gaps, [in_class, one, two], pace=PACE)) == {"one", "two"}
