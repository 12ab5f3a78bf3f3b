"""What several ratings say together; panels from asking to closing; results of quizzes."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.db import connection
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import ModelLogEntry

from competencies.assessors import ASSESSORS
from competencies.enums import EvidenceKind
from competencies.models import Evidence, Panel, PanelRating
from competencies.panel_rating import (
    PanelRefused,
    ask_panel,
    call_off_panel,
    close_panel,
    decline_panel,
    panels_to_rate,
    rate_on_panel,
)
from competencies.panels import TooFewRatings, panel_rank
from competencies.quizzes import record_quiz
from competencies.selectors import explained_level
from competencies.services import EvidenceRefused
from organisations.jobs import run_job
from organisations.models import Job
from tests.builders import competency, give_evidence, make_framework, make_hr, make_person, make_post, make_unit

TODAY = timezone.localdate


# --- The idea ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("ranks", "together"),
    [([2, 4], 2), ([3, 3], 3), ([1, 3, 5], 3), ([5, 5, 1], 5), ([1, 2, 3, 4], 2), ([0, 4, 4, 4, 5], 4)],
)
def test_a_panel_says_the_lower_median(ranks, together):
    assert panel_rank(ranks) == together


@pytest.mark.parametrize("ranks", [[], [3]])
def test_one_opinion_is_no_panel(ranks):
    with pytest.raises(TooFewRatings):
        panel_rank(ranks)


RATINGS = st.lists(st.integers(0, 5), min_size=2, max_size=5)


@given(RATINGS, st.randoms())
def test_whatever_their_order_the_result_is_the_highest_that_more_than_half_of_them_reach(ranks, chance):
    shuffled = ranks[:]
    chance.shuffle(shuffled)
    together = panel_rank(ranks)
    assert panel_rank(shuffled) == together
    assert together in ranks
    assert sum(rank >= together for rank in ranks) * 2 > len(ranks)
    assert sum(rank > together for rank in ranks) * 2 <= len(ranks)


@given(RATINGS, st.data())
def test_a_higher_rating_never_lowers_the_result(ranks, data):
    which = data.draw(st.integers(0, len(ranks) - 1))
    higher = [*ranks[:which], ranks[which] + 1, *ranks[which + 1 :]]
    assert panel_rank(ranks) <= panel_rank(higher)


# --- Services ----------------------------------------------------------------------------------------------------
@pytest.fixture
def version(db):
    return make_framework(codes="AB")


@pytest.fixture
def a(version):
    return competency(version, "A")


@pytest.fixture
def boss(db):
    return make_person("Berta Boss")


@pytest.fixture
def team(boss):
    """Ana and three colleagues."""
    unit = make_unit()
    post = make_post(unit, holder=boss)
    people = [make_person(name) for name in ("Ana Pérez", "Carl Colleague", "Dora Deputy", "Emil Expert")]
    for person in people:
        make_post(unit, holder=person, reports_to=post)
    return people


def asked(boss, team, a, **values):
    ana, *others = team
    given = {
        "person": ana, "competency": a, "members": others, "due_on": TODAY() + timedelta(days=7),
        "subject": "The outage in May.", "token": "t", "by": boss, **values,
    }  # fmt: skip
    return ask_panel(**given)


def run_mails():
    for job in Job.objects.filter(kind__endswith="_mail").order_by("pk"):
        run_job(job.pk)


def test_when_all_have_rated_the_panel_closes_as_one_piece_of_evidence(boss, team, a):
    ana, *others = team
    panel = asked(boss, team, a)
    for member, rank in zip(others, (2, 5, 3), strict=True):
        assert not Evidence.objects.exists()
        rate_on_panel(panel=panel, by=member, rank=rank, note="Seen it.")
    panel.refresh_from_db()
    [piece] = Evidence.objects.all()
    assert (piece.kind, piece.rank, piece.assessed, piece.recorded_by) == (EvidenceKind.PANEL, 3, True, boss)
    assert panel.evidence == piece
    assert str(piece.source) == "Panel of 3"
    assert explained_level(ana, a).level.rank == 3


def test_a_doubled_press_asks_one_panel_and_writes_to_each_member_once(boss, team, a):
    assert asked(boss, team, a) == asked(boss, team, a)
    assert PanelRating.objects.count() == 3
    run_mails()
    assert sorted(m.to[0] for m in mail.outbox) == sorted(person.email for person in team[1:])
    assert "Berta Boss asks you to rate Ana Pérez" in mail.outbox[0].body
    assert f"/panels/{Panel.objects.get().pk}/" in mail.outbox[0].body
    assert "outage" not in mail.outbox[0].body


def test_a_member_rates_once_and_what_is_pressed_again_changes_nothing(boss, team, a):
    panel = asked(boss, team, a)
    rate_on_panel(panel=panel, by=team[1], rank=2)
    assert rate_on_panel(panel=panel, by=team[1], rank=5).rank == 2
    with pytest.raises(PanelRefused, match="rated already"):
        decline_panel(panel=panel, by=team[1])


def test_who_declines_is_not_waited_for_and_with_fewer_than_two_left_there_is_no_result(boss, team, a):
    _ana, first, second, third = team
    panel = asked(boss, team, a)
    decline_panel(panel=panel, by=first)
    decline_panel(panel=panel, by=first)
    with pytest.raises(PanelRefused, match="declined"):
        rate_on_panel(panel=panel, by=first, rank=3)
    rate_on_panel(panel=panel, by=second, rank=3)
    rate_on_panel(panel=panel, by=third, rank=4)
    panel.refresh_from_db()
    assert (panel.evidence.rank, str(panel.evidence.source)) == (3, "Panel of 2")

    short = asked(boss, team, a, members=[first, second], token="short")
    rate_on_panel(panel=short, by=first, rank=5)
    decline_panel(panel=short, by=second)
    short.refresh_from_db()
    assert short.closed_at is not None
    assert short.evidence is None
    run_mails()
    assert "without a result" in [m for m in mail.outbox if m.to == [boss.email]][-1].body


def test_who_asked_closes_it_after_the_date_with_two_ratings_or_more(boss, team, a):
    panel = asked(boss, team, a, due_on=TODAY())
    tomorrow = timezone.now() + timedelta(days=1)
    rate_on_panel(panel=panel, by=team[1], rank=4)
    with pytest.raises(PanelRefused, match="one opinion"):
        close_panel(panel=panel, by=boss, at=tomorrow)
    rate_on_panel(panel=panel, by=team[2], rank=2)
    with pytest.raises(PanelRefused, match="day after"):
        close_panel(panel=panel, by=boss)
    with pytest.raises(PanelRefused, match="Only who asked"):
        close_panel(panel=panel, by=team[1], at=tomorrow)
    assert close_panel(panel=panel, by=boss, at=tomorrow) == close_panel(panel=panel, by=boss, at=tomorrow)
    [piece] = Evidence.objects.all()
    assert piece.rank == 2
    with pytest.raises(PanelRefused, match="closed"):
        rate_on_panel(panel=panel, by=team[3], rank=5)


def test_a_panel_that_is_called_off_records_nothing(boss, team, a):
    panel = asked(boss, team, a)
    for member in team[1:3]:
        rate_on_panel(panel=panel, by=member, rank=4)
    with pytest.raises(PanelRefused):
        call_off_panel(panel=panel, by=team[1])
    assert call_off_panel(panel=panel, by=boss).called_off
    assert call_off_panel(panel=panel, by=boss).closed_at
    with pytest.raises(PanelRefused, match="closed"):
        rate_on_panel(panel=panel, by=team[3], rank=4)
    assert not Evidence.objects.exists()


def test_of_a_panel_that_was_called_off_nobody_reads_the_ratings(client, boss, team, a):
    panel = asked(boss, team, a)
    rate_on_panel(panel=panel, by=team[1], rank=4, note="Chaired the board.")
    call_off_panel(panel=panel, by=boss)
    for reader in (boss, team[1], team[2], make_person(is_superuser=True)):
        client.force_login(reader)
        response = client.get(f"/panels/{panel.pk}/")
        page = text(response)
        assert "Called off" in page and "has rated" in page
        assert "Chaired the board." not in page and "evel 4" not in page
        assert {(row["level"], row["note"]) for row in response.context["ratings"]} == {("", "")}
    entries = ModelLogEntry.objects.filter(action__endswith="_panel")
    assert {entry.label for entry in entries} == {f"Panel {panel.pk}"}
    assert entries.count() == 3


def test_a_panel_whose_competency_was_withdrawn_meanwhile_closes_without_evidence_and_says_so(client, boss, team, a):
    panel = asked(boss, team, a)
    type(a.version).objects.filter(pk=a.version_id).update(status="superseded")
    for member in team[1:]:
        rate_on_panel(panel=panel, by=member, rank=4)
    panel.refresh_from_db()
    assert panel.closed_at is not None
    assert not Evidence.objects.exists()
    client.force_login(boss)
    assert "The competency was withdrawn meanwhile" in client.get(f"/panels/{panel.pk}/").content.decode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ana, others, a, boss: {"members": [ana, others[0]]}, "cannot rate"),
        (lambda ana, others, a, boss: {"members": [others[0], others[0]]}, "named twice"),
        (lambda ana, others, a, boss: {"members": others[:1]}, "not a panel"),
        (lambda ana, others, a, boss: {"members": []}, "not a panel"),
        (lambda ana, others, a, boss: {"members": [*others, boss, make_person(), make_person()]}, "not a panel"),
        (lambda ana, others, a, boss: {"members": [others[0], make_person("A Stranger")]}, "cannot be asked"),
        (lambda ana, others, a, boss: {"due_on": TODAY() - timedelta(days=1)}, "today or a later"),
        (lambda ana, others, a, boss: {"due_on": TODAY() + timedelta(days=400)}, "six months"),
        (lambda ana, others, a, boss: {"by": ana}, "for yourself"),
        (lambda ana, others, a, boss: {"by": others[0]}, "manager or HR officer"),
        (lambda ana, others, a, boss: {"competency": competency(make_framework(codes="Q", status="draft"), "Q")}, "in use"),
    ],
)  # fmt: skip
def test_what_is_no_panel_gets_a_sentence_and_writes_nothing(boss, team, a, change, words):
    ana, *others = team
    with pytest.raises(PanelRefused, match=words):
        asked(boss, team, a, **change(ana, others, a, boss))
    assert not Panel.objects.exists()
    assert not Job.objects.filter(kind="competencies.panel_mail").exists()


def test_off_the_scale_and_from_outside_nobody_rates(boss, team, a):
    panel = asked(boss, team, a)
    with pytest.raises(PanelRefused, match="not on the scale"):
        rate_on_panel(panel=panel, by=team[1], rank=9)
    with pytest.raises(PanelRefused, match="not on this panel"):
        rate_on_panel(panel=panel, by=boss, rank=3)
    assert not PanelRating.objects.filter(rank__isnull=False).exists()


def test_assessors_from_elsewhere_and_hr_officers_take_part(team, a):
    ana = team[0]
    officer, outsider, far = make_person(), make_person(), make_person()
    from organisations.models import Appointment

    make_hr(officer, Appointment.objects.get(person=ana).post.unit)
    for person in (outsider, far):
        person.groups.add(Group.objects.get(name=ASSESSORS))
    panel = asked(officer, team, a, members=[outsider, far])
    assert panel.ratings.count() == 2
    assert [rating.panel for rating in panels_to_rate(far)] == [panel]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor == "sqlite",
    reason="the threads of a test would share one SQLite connection; the race is run on PostgreSQL",
)
def test_the_last_two_members_at_the_same_moment_make_one_piece():
    version = make_framework(codes="A")
    a, ana = competency(version, "A"), make_person()
    boss = make_person(is_superuser=True)
    members = [make_person(), make_person()]
    panel = ask_panel(person=ana, competency=a, members=members, due_on=TODAY(), subject="", token="race", by=boss)
    barrier = Barrier(2)

    def work(member):
        barrier.wait()
        try:
            rate_on_panel(panel=panel, by=member, rank=3)
        finally:
            connection.close()

    threads = [Thread(target=work, args=(member,)) for member in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert Evidence.objects.filter(kind=EvidenceKind.PANEL).count() == 1
    panel.refresh_from_db()
    assert panel.evidence is not None


# --- Doors -------------------------------------------------------------------------------------------------------
def text(response, status=200) -> str:
    assert response.status_code == status
    return response.content.decode()


def test_the_way_of_a_panel_through_the_pages(client, boss, team, a):
    ana, carl, dora, _emil = team
    client.force_login(boss)
    url = f"/people/{ana.pk}/competencies/{a.pk}/panel/"
    assert url in text(client.get(f"/people/{ana.pk}/competencies/{a.pk}/"))
    page = text(client.get(url))
    assert "Carl Colleague" in page
    assert "Ana Pérez (" not in page
    data = {
        "members": [carl.pk, dora.pk], "subject": "The outage.", "due_on": TODAY().isoformat(), "token": "t", "do": "ask",
    }  # fmt: skip
    to_panel = client.post(url, data).url
    assert client.post(url, data).url == to_panel
    page = text(client.get(to_panel))
    assert "0 of 2 have rated" in page
    assert to_panel in text(client.get(f"/people/{ana.pk}/competencies/{a.pk}/"))

    client.force_login(carl)
    assert "Rate Ana Pérez in “Competency A”" in text(client.get("/learn/"))
    page = text(client.get(to_panel))
    assert "The outage." in page
    assert "I can do A at 3." in page
    assert "Choose the description that fits" in text(client.post(to_panel, {"do": "rate"}), 422)
    assert client.post(to_panel, {"do": "rate", "rank": "4", "note": "Calm and clear."}).url == to_panel
    page = text(client.get(to_panel))
    assert "your rating counts once the panel is closed" in page
    assert "You have rated: level 4" in page
    assert "Dora Deputy" not in page
    assert "Rate Ana Pérez" not in text(client.get("/learn/"))

    client.force_login(dora)
    page = text(client.get(to_panel))
    assert "Calm and clear" not in page
    assert "level 4" not in page
    client.force_login(boss)
    page = text(client.get(to_panel))
    assert "1 of 2 have rated" in page
    assert "level 4" not in page
    assert "Calm and clear" not in page
    client.force_login(dora)
    client.post(to_panel, {"do": "rate", "rank": "2"})
    page = text(client.get(to_panel))
    assert "yours was the last rating, and the panel is closed" in page
    assert "Closed: together they say level 2" in page
    assert "Calm and clear" not in page  # notes are for who asked
    client.force_login(boss)
    assert "Calm and clear" in text(client.get(to_panel))
    client.force_login(ana)
    assert client.get(to_panel).status_code == 404
    assert "Panel of 2" in text(client.get(f"/learn/competencies/{a.pk}/"))


def test_looking_for_people_keeps_what_was_chosen_and_typed_without_script(client, boss, team, a):
    ana, carl, *_rest = team
    zoe = make_person("Zoë Zimmer", email="zoe@elsewhere.example")
    zoe.groups.add(Group.objects.get(name=ASSESSORS))
    for n in range(15):
        make_person(f"Aaron {n}").groups.add(Group.objects.get(name=ASSESSORS))
    client.force_login(boss)
    url = f"/people/{ana.pk}/competencies/{a.pk}/panel/"
    assert "look for a name" in text(client.get(url))
    data = {
        "members": [carl.pk],
        "subject": "Typed.",
        "due_on": "2027-01-15",
        "token": "mine",
        "q": "elsewhere",
        "do": "search",
    }
    page = text(client.post(url, data))
    assert "Zoë Zimmer" in page
    assert "Aaron 3" not in page
    [chosen] = [tag for tag in page.split("<input")[1:] if f'value="{carl.pk}"' in tag and 'name="members"' in tag]
    assert " checked" in chosen.split(">")[0]
    [found] = [tag for tag in page.split("<input")[1:] if f'value="{zoe.pk}"' in tag and 'name="members"' in tag]
    assert " checked" not in found.split(">")[0]
    assert "Typed." in page
    assert 'value="2027-01-15"' in page
    assert 'value="mine"' in page
    assert not Panel.objects.exists()
    assert "Nobody you may ask is called" in text(client.post(url, data | {"q": "qqqq"}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"members": []}, "Choose the people"),
        ({"members": ["one"]}, "not a panel"),
        ({"members": ["one", "one"]}, "named twice"),
        ({"members": ["ana", "one"]}, "cannot be asked"),
        ({"members": ["²", "x"]}, "cannot be asked"),
        ({"due_on": "2020-01-01"}, "today or a later day"),
        ({"due_on": "9999-12-31"}, "six months"),
        ({"due_on": "soon"}, "Give a date"),
    ],
)
def test_a_panel_asked_for_badly_gets_sentences_beside_the_fields(client, boss, team, a, change, words):
    ana, one, two, *_rest = team
    known = {"ana": ana.pk, "one": one.pk, "two": two.pk}
    client.force_login(boss)
    data = {"members": ["one", "two"], "due_on": TODAY().isoformat(), "token": "t", "do": "ask"} | change
    data["members"] = [known.get(name, name) for name in data["members"]]
    assert words in text(client.post(f"/people/{ana.pk}/competencies/{a.pk}/panel/", data), 422)
    assert not Panel.objects.exists()


def test_the_ask_page_costs_the_same_for_many_people_as_for_few(client, boss, team, a, count_queries):
    url = f"/people/{team[0].pk}/competencies/{a.pk}/panel/"
    client.force_login(boss)
    client.get(url)
    few = count_queries(lambda: client.get(url))
    for _n in range(10):
        make_person().groups.add(Group.objects.get(name=ASSESSORS))
    assert count_queries(lambda: client.get(url)) == few


# --- Quizzes -----------------------------------------------------------------------------------------------------
def quizzed(person, a, by, **values):
    given = {"rank": 3, "passed": True, "title": "Risk quiz", "on": TODAY(), "token": "t", **values}
    return record_quiz(person=person, competency=a, by=by, **given)


@pytest.mark.parametrize("passed", [True, False])
def test_a_quiz_attains_nothing_and_moves_what_is_likely(boss, team, a, passed):
    ana = team[0]
    give_evidence(ana, a, 2)
    before = explained_level(ana, a)
    piece = quizzed(ana, a, boss, passed=passed)
    assert quizzed(ana, a, boss, passed=passed) == piece
    after = explained_level(ana, a)
    assert after.level.rank == before.level.rank == 2
    assert (after.likely.mean > before.likely.mean) is passed


def test_the_title_of_a_quiz_is_words_whatever_it_looks_like(boss, team, a):
    quizzed(team[0], a, boss, title='{"en": 5}')
    assert str(Evidence.objects.get().source) == '{"en": 5}'


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"on": TODAY() + timedelta(days=1)}, "in the future"),
        ({"rank": 9}, "not on the scale"),
        ({"rank": 0}, "choose the level"),
        ({"title": "  "}, "which quiz"),
    ],
)
def test_a_quiz_recorded_badly_gets_a_sentence_and_writes_nothing(boss, team, a, values, words):
    with pytest.raises(EvidenceRefused, match=words):
        quizzed(team[0], a, boss, **values)
    assert not Evidence.objects.exists()


def test_nobody_records_a_quiz_for_oneself_for_strangers_or_in_a_withdrawn_competency(boss, team, a):
    ana, carl, *_rest = team
    with pytest.raises(EvidenceRefused, match="your own quiz"):
        quizzed(ana, a, ana)
    with pytest.raises(EvidenceRefused, match="manager or an assessor"):
        quizzed(ana, a, carl)
    type(a.version).objects.filter(pk=a.version_id).update(status="superseded")
    a.refresh_from_db()
    with pytest.raises(EvidenceRefused, match="not in use"):
        quizzed(ana, a, boss)
    assert not Evidence.objects.exists()


def test_a_quiz_is_recorded_by_the_page_once_and_the_page_says_what_it_counts_for(client, boss, team, a):
    ana = team[0]
    client.force_login(boss)
    url = f"/people/{ana.pk}/competencies/{a.pk}/quiz/"
    assert "does not show a level by the rules" in text(client.get(url))
    data = {"title": "Risk quiz", "rank": "3", "passed": "no", "on": TODAY().isoformat(), "token": "t"}
    for _n in range(2):
        assert client.post(url, data).url == f"/people/{ana.pk}/competencies/{a.pk}/"
    [piece] = Evidence.objects.all()
    assert (piece.kind, piece.passed, piece.rank) == ("quiz", False, 3)
    client.force_login(ana)
    assert "Quiz “Risk quiz”, not passed" in text(client.get(f"/learn/competencies/{a.pk}/"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"on": "2999-01-01"}, "cannot lie in the future"),
        ({"on": "1990-01-01"}, "more than ten years"),
        ({"on": "x"}, "Give a date"),
        ({"rank": "0"}, "Choose one of the levels"),
        ({"rank": "9"}, "Choose one of the levels"),
        ({"passed": ""}, "Say whether it was passed"),
        ({"title": ""}, "Say which quiz"),
    ],
)
def test_a_quiz_filled_in_badly_gets_sentences_beside_the_fields(client, boss, team, a, change, words):
    client.force_login(boss)
    data = {"title": "Risk quiz", "rank": "3", "passed": "no", "on": TODAY().isoformat(), "token": "t"} | change
    assert words in text(client.post(f"/people/{team[0].pk}/competencies/{a.pk}/quiz/", data), 422)
    assert not Evidence.objects.exists()
