"""The pages of a diagnostic: what they say, what they keep to the person, and that nothing is lost."""

import re
from dataclasses import replace

import pytest
from django.utils import timezone, translation

from competencies.diagnosing import diagnostics_of, result_of, start_diagnostic, stop_diagnostic
from competencies.diagnostic_words import how_sure, percent
from competencies.enums import DiagnosticEnd
from competencies.importers.content import LevelContent
from competencies.models import Diagnostic, DiagnosticAnswer, Evidence
from competencies.selectors import explained_level
from competencies.services import withdraw_evidence
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
from tests.competencies.banks import answer_open, make_bank, open_answer, option_of, take
from tests.competencies.editions import altered, load, publish, small_content

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return make_framework(codes="AB")


@pytest.fixture
def house(version):
    unit = make_unit()
    people = {name: make_person(name.title()) for name in ("ana", "boss", "officer", "other")}
    people["admin"] = make_person("Admin", is_superuser=True, is_staff=True)
    boss = make_post(unit, holder=people["boss"])
    make_post(unit, holder=people["ana"], reports_to=boss, roles=[make_profile(version, {"A": 3, "B": 2})])
    make_hr(people["officer"], unit)
    return people


@pytest.fixture
def bank(version):
    return make_bank(competency(version, "A"))


@pytest.fixture
def page(client):
    def get(url, status=200):
        response = client.get(url)
        assert response.status_code == status, response.content.decode()[:400]
        return response.content.decode()

    return get


def start_url(bank):
    return f"/learn/competencies/{bank.competency_id}/diagnostic/"


def test_the_first_page_says_how_long_what_it_can_do_and_who_sees_what(client, page, house, bank):
    client.force_login(house["ana"])
    found = page(start_url(bank))
    for words in (
        "About 15 questions, about 8 min (at most 20 questions)",
        "up to level 3",
        "at least 80 % sure",
        "That counts for 24 months.",
        "It issues no certificate",
        "You alone see your questions and answers.",
        "Start",
    ):
        assert words in found
    assert not Diagnostic.objects.exists()  # looking starts nothing


def test_a_competency_without_a_bank_has_no_such_page(client, page, house, version):
    client.force_login(house["ana"])
    page(f"/learn/competencies/{competency(version, 'B').pk}/diagnostic/", 404)


def test_without_script_from_the_start_to_the_result(client, page, house, bank):
    client.force_login(house["ana"])
    make_course(bank.competency.version, {"A": 5}, key="further")
    response = client.post(start_url(bank))
    diagnostic = Diagnostic.objects.get(person=house["ana"])
    assert response["Location"] == f"/learn/diagnostics/{diagnostic.pk}/"
    assert "Go on where you stopped" in page(start_url(bank))
    while (waiting := open_answer(diagnostic)) is not None:
        address = f"/learn/diagnostics/{diagnostic.pk}/"
        found = page(address)
        assert f"Question {waiting.position}" in found
        assert "at most 20" in found
        assert str(waiting.item.text) in found
        assert "Because of" not in found
        right = option_of(waiting.item, right=True)
        response = client.post(address, {"position": waiting.position, "option": right})
        assert response.status_code == 302
    assert response["Location"] == f"/learn/diagnostics/{diagnostic.pk}/result/"
    found = page(response["Location"])
    for words in (
        "level 0 before, level 3 (label 3) now",
        "A diagnostic shows at most level 3",
        "of 100 people who answer as you did",
        "almost certain",
        "Part by part",
        "Courses that help",
        "/courses/further/",
        "Because of",
        "Back to my learning",
    ):
        assert words in found, words
    [example] = re.findall(r"“(\d+) of 100” means", found)
    assert f"{example} of 100</span>" in found  # a figure that the page shows
    assert page(f"/learn/diagnostics/{diagnostic.pk}/", 302) == ""


def test_the_result_says_what_left_the_path(client, page, house, bank):
    from learning.enums import PlanReason
    from learning.services import replan_many

    make_course(bank.competency.version, {"A": 3}, key="to-three", title="The long way")
    replan_many(person_ids=[house["ana"].pk], reason=PlanReason.FIRST)
    client.force_login(house["ana"])
    path = page("/learn/path/")
    assert "The long way" in path
    assert re.search(r"Know “Competency A” already\?\s*<a href=\"" + start_url(bank), path)
    diagnostic = start_diagnostic(person=house["ana"], bank=bank)
    while diagnostic.finished_at is None:
        diagnostic = answer_open(diagnostic, right=True)
    found = page(f"/learn/diagnostics/{diagnostic.pk}/result/")
    assert "“The long way” left your path" in found
    assert "The long way" not in page("/learn/path/").split("Changes")[0]


def test_no_answer_and_foreign_answers_are_said_beside_the_question(client, house, bank):
    client.force_login(house["ana"])
    diagnostic = start_diagnostic(person=house["ana"], bank=bank)
    address = f"/learn/diagnostics/{diagnostic.pk}/"
    for data, words in (
        ({"position": 1}, "Choose an answer"),
        ({"position": 1, "option": "²"}, "Choose one of the answers"),
        ({"position": "x", "option": "unknown"}, "Choose one of the answers"),
    ):
        response = client.post(address, data)
        assert response.status_code == 422
        assert words in response.content.decode()
    other = option_of(bank.items.exclude(pk=open_answer(diagnostic).item_id).first(), right=True)
    response = client.post(address, {"position": 1, "option": other}, follow=True)
    assert "Choose one of the answers to this question." in response.content.decode()
    assert DiagnosticAnswer.objects.filter(answered_at__isnull=False).count() == 0


def test_an_old_tab_is_told_and_led_to_the_question_that_is_open(client, house, bank):
    client.force_login(house["ana"])
    diagnostic = start_diagnostic(person=house["ana"], bank=bank)
    address = f"/learn/diagnostics/{diagnostic.pk}/"
    client.post(address, {"position": 1, "option": "unknown"})
    again = client.post(address, {"position": 1, "option": "unknown"}, follow=True).content.decode()
    assert "Question 2" in again
    assert "already" not in again
    item = diagnostic.answers.get(position=1).item
    other = client.post(address, {"position": 1, "option": option_of(item, right=True)}, follow=True).content.decode()
    assert "your first answer counts" in other
    assert "Question 2" in other


def test_stopping_records_nothing_and_shows_no_answers_to_begin_again_with(client, page, house, bank):
    client.force_login(house["ana"])
    diagnostic = answer_open(start_diagnostic(person=house["ana"], bank=bank), right=False)
    unanswered = open_answer(diagnostic).item
    assert client.get(f"/learn/diagnostics/{diagnostic.pk}/stop/").status_code == 405
    found = client.post(f"/learn/diagnostics/{diagnostic.pk}/stop/", follow=True).content.decode()
    assert "Nothing was recorded" in found
    assert "You stopped it." in found
    for words in ("Because of", "Right of", "1 question, ", "Your questions, and why", str(unanswered.text)):
        assert words not in found
    assert not Evidence.objects.exists()
    Diagnostic.objects.update(ended=DiagnosticEnd.LEFT)
    assert "Because of" not in page(f"/learn/diagnostics/{diagnostic.pk}/result/")
    response = client.post(start_url(bank))  # she may begin again, with other questions
    again = Diagnostic.objects.get(finished_at=None)
    assert response["Location"] == f"/learn/diagnostics/{again.pk}/"


def test_too_few_questions_left_says_from_which_day(client, house, version):
    bank = make_bank(competency(version, "A"), items=8)
    take(start_diagnostic(person=house["ana"], bank=bank), ability=0.0)
    client.force_login(house["ana"])
    response = client.get(start_url(bank))
    assert "You can take it again from" in response.content.decode()
    response = client.post(start_url(bank))
    assert response.status_code == 422
    assert "You can take it again from" in response.content.decode()


@pytest.mark.parametrize("visitor", ["boss", "officer", "admin", "other"])
def test_nobody_else_sees_questions_or_answers(client, page, house, bank, visitor):
    finished = take(start_diagnostic(person=house["ana"], bank=bank), ability=0.0)
    begun = start_diagnostic(person=house["ana"], bank=bank)
    client.force_login(house[visitor])
    for diagnostic in (finished, begun):
        page(f"/learn/diagnostics/{diagnostic.pk}/", 404)
        page(f"/learn/diagnostics/{diagnostic.pk}/result/", 404)
        assert client.post(f"/learn/diagnostics/{diagnostic.pk}/stop/").status_code == 404
        data = {"position": diagnostic.answers.count(), "option": "unknown"}
        assert client.post(f"/learn/diagnostics/{diagnostic.pk}/", data).status_code == 404
    assert open_answer(begun) is not None


def test_a_manager_sees_the_level_and_that_a_diagnostic_showed_it_and_no_answer(client, page, house, bank):
    diagnostic = take(start_diagnostic(person=house["ana"], bank=bank), ability=3.0)
    client.force_login(house["boss"])
    found = page(f"/people/{house['ana'].pk}/competencies/{bank.competency_id}/")
    assert "shown by a diagnostic" in found
    assert f"/learn/diagnostics/{diagnostic.pk}/" not in found
    assert not any(str(row.item.text) in found for row in diagnostic.answers.select_related("item"))


def test_a_withdrawn_result_says_so(client, page, house, bank):
    diagnostic = take(start_diagnostic(person=house["ana"], bank=bank), ability=3.0)
    withdraw_evidence(evidence=diagnostic.evidence, by=house["admin"], reason="Wrong person.")
    client.force_login(house["ana"])
    assert "This result was withdrawn" in page(f"/learn/diagnostics/{diagnostic.pk}/result/")


def test_questions_and_answers_are_in_the_readers_language(client, page, house, bank):
    house["ana"].language = "es"
    house["ana"].save()
    client.force_login(house["ana"])
    client.cookies["django_language"] = "es"
    diagnostic = start_diagnostic(person=house["ana"], bank=bank)
    with translation.override("es"):
        words = str(open_answer(diagnostic).item.text)
    assert words.startswith("¿Pregunta")
    found = page(f"/learn/diagnostics/{diagnostic.pk}/")
    assert words in found
    assert "Bien de" in found


def test_the_desk_offers_it_before_the_course_where_little_is_known(client, page, house, bank):
    client.force_login(house["ana"])
    found = page("/learn/")
    assert found.count(start_url(bank)) == 1
    assert "Take the diagnostic (about 8 min)" in found
    start_diagnostic(person=house["ana"], bank=bank)
    assert "Go on with the diagnostic" in page("/learn/")
    assert start_url(bank) in page(f"/learn/competencies/{bank.competency_id}/")


@pytest.mark.parametrize("url", ["/learn/", "/learn/path/"])
def test_offers_add_the_same_queries_however_many_there_are(client, house, version, count_queries, url):
    client.force_login(house["ana"])
    make_bank(competency(version, "A"), items=6)
    client.get(url)
    one = count_queries(lambda: client.get(url))
    make_bank(competency(version, "B"), items=6)
    assert count_queries(lambda: client.get(url)) == one


def test_a_question_costs_as_many_queries_in_a_large_bank_as_in_a_small_one(client, house, version, count_queries):
    client.force_login(house["ana"])
    counts = []
    for code, items in (("A", 12), ("B", 60)):
        diagnostic = start_diagnostic(person=house["ana"], bank=make_bank(competency(version, code), items=items))
        address = f"/learn/diagnostics/{diagnostic.pk}/"
        client.get(address)
        looking = count_queries(lambda a=address: client.get(a))
        answering = count_queries(lambda a=address: client.post(a, {"position": 1, "option": "unknown"}))
        stop_diagnostic(diagnostic=diagnostic, at=timezone.now())
        result = count_queries(lambda a=address: client.get(f"{a}result/"))
        counts.append((looking, answering, result))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("chance", "words"), [(0.999, "almost certain"), (0.91, "very likely"), (0.5, "about as likely")]
)
def test_probabilities_are_said_in_words(chance, words):
    assert words in how_sure(chance)


def test_nothing_uncertain_is_called_certain():
    assert (percent(0.9999), percent(0.0001), percent(0.914)) == (99, 1, 91)


def test_the_level_is_told_on_the_scale_in_force_after_a_new_edition(client, page):
    first, steward, ana = load(small_content()), make_person(), make_person()
    diagnostic = take(
        start_diagnostic(person=ana, bank=make_bank(competency(first, "A"), cuts=(-1.0, 0.0, 1.0, 2.0))), ability=3.0
    )
    before = result_of(diagnostic)
    following = altered(small_content())
    levels = (*following.levels, LevelContent(5, {"en": "Master"}))
    second = publish(load(replace(following, levels=levels)), by=steward)
    result = result_of(diagnostics_of(ana).get())
    assert result.moved.competency == competency(second, "A")
    assert (before.moved.scale.max_rank, result.moved.scale.max_rank) == (4, 5)
    now = explained_level(ana, competency(second, "A"))
    assert (result.moved.before.rank, result.moved.after.rank) == (0, now.level.rank)
    client.force_login(ana)
    [bar] = re.findall(
        r'<svg class="level-bar .*?</svg>', page(f"/learn/diagnostics/{diagnostic.pk}/result/"), re.DOTALL
    )
    assert bar.count("<rect") == 5
    withdraw_evidence(evidence=diagnostic.evidence, by=steward, reason="Wrong person.")
    assert result_of(diagnostics_of(ana).get()).moved is None
