"""The page on which a person answers: what it says, what it takes, and that nothing of it is left anywhere else."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import formats, timezone, translation
from django.utils.translation import gettext
from django.views.debug import ExceptionReporter

from organisations.models import User
from readiness import inviting, keys
from readiness.ballot import ENVELOPE_BYTES, MOST_BYTES, Ballot, open_envelopes
from readiness.closing import close_wave
from readiness.enums import MAX_COMMENT, KeyKeeper
from readiness.models import Envelope, Participation, Wave
from readiness.surveys import (
    cleaned,
    form_of,
    keep_key,
    minutes_of,
    open_surveys_of,
    read_answers,
    self_check_of,
)
from tests.builders import make_person, make_post, make_unit
from tests.readiness.surveys import answer, draft, make_initiative, make_instrument, make_open, staff

pytestmark = pytest.mark.django_db
SECRET = "the basement archive floods"
ALL = {f"a_{code}": "4" for code in ("why1", "why2", "why3", "support1", "support2", "commitment1", "commitment2")}


@pytest.fixture
def wave() -> Wave:
    unit = make_unit("Registry")
    staff(unit, 24)
    return make_open(make_initiative(unit), k=10)


def asked(wave: Wave, n: int = 0) -> User:
    return Participation.objects.filter(wave=wave, done=False).order_by("pk").select_related("person")[n].person


def client_of(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def url(wave: Wave, name: str = "survey", **query: str) -> str:
    return reverse(name, args=[wave.pk], query=query)


def send(person: User, wave: Wave, **fields: str) -> Any:
    return client_of(person).post(url(wave), fields | {"do": "send"})


def text_of(response: Any) -> str:
    words = re.sub(r"(?s)<(script|style|noscript).*?</\1>|<[^>]+>", " ", response.content.decode())
    return " ".join(words.split())


def only_ballot(wave: Wave) -> Ballot:
    wave.refresh_from_db()
    [blob] = Envelope.objects.filter(wave=wave).values_list("blob", flat=True)
    private = keys.file_keys().read(wave.key_name)
    return open_envelopes([bytes(blob)], private)[0]


def with_languages(wave: Wave, **more: str) -> Wave:
    """The same questions in further languages: every text of the first one with a word before it."""

    def say(node: Any) -> Any:
        if isinstance(node, dict) and isinstance(node.get("en"), str):
            return node | {code: f"{word} {node['en']}" for code, word in more.items()}
        if isinstance(node, dict):
            return {key: say(value) for key, value in node.items()}
        return [say(part) for part in node] if isinstance(node, list) else node

    wave.questionnaire = say(wave.questionnaire) | {"languages": [*wave.questionnaire["languages"], *more]}
    wave.save()
    return wave


# --- What the page says ----------------------------------------------------------------------------------------------
def test_the_page_says_what_happens_with_answers_before_it_asks(wave):
    page = text_of(client_of(asked(wave)).get(url(wave)))
    promise = (
        "Your answers are encrypted. They are only opened together with all others when the survey closes. "
        "Groups smaller than 10 are never shown."
    )
    assert promise in page
    assert page.index(promise) < page.index("why 1 of One counter")
    assert "About 2 minutes · 7 statements · 1 open question" in page
    assert f"The last day to answer is {formats.date_format(wave.last_day, 'DATE_FORMAT')}." in page
    assert f"The result comes on {formats.date_format(timezone.localtime(wave.closes_at), 'DATE_FORMAT')}." in page
    assert "You see the one of your unit, your manager sees the same figures on the same day." in page
    assert "Do not write names; a moderator may shorten your text. At most 1,500 characters." in page.replace(
        "1500", "1,500"
    )


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("pt", "As suas respostas são criptografadas"),
        ("fr", "Vos réponses sont chiffrées"),
        ("es", "Sus respuestas van cifradas"),
    ],
)
def test_the_promise_stands_in_the_language_of_the_questions(wave, language, words):
    """Also in one the platform does not speak: who reads the questions in it reads there what becomes of answers."""
    with_languages(wave, pt="Porquê", fr="Pourquoi")
    page = client_of(asked(wave)).get(url(wave, language=language))
    said = re.search(rf'<p lang="{language}"[^>]*>([^<]*)</p>', page.text)
    assert said is not None
    if language == "es":  # one the platform speaks: the sentence of its own catalogue
        with translation.override("es"):
            words = gettext(
                "Your answers are encrypted. They are only opened together with all others when the survey closes. Groups "
                "smaller than %(k)s are never shown."
            ) % {"k": 10}
    assert words in said[1]
    assert "10" in said[1]
    assert not re.search(r'<p lang="en"', client_of(asked(wave)).get(url(wave, language="en")).text)


def test_a_survey_that_closes_at_midnight_is_said_to_be_open_the_day_before(wave):
    midnight = timezone.localtime(timezone.now()).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=9)
    wave.closes_at = midnight
    assert wave.last_day == midnight.date() - timedelta(days=1)
    wave.closes_at = midnight + timedelta(hours=12)
    assert wave.last_day == midnight.date()


def test_where_a_steward_opens_the_box_no_day_is_promised(wave):
    wave.key_keeper = KeyKeeper.PASSPHRASE
    wave.save()
    page = text_of(client_of(asked(wave)).get(url(wave)))
    assert "The result comes when the data steward has opened the box" in page
    assert "The result comes on" not in page


def test_each_statement_is_a_group_of_radio_buttons_with_its_own_name(wave):
    page = client_of(asked(wave)).get(url(wave)).content.decode()
    assert page.count("<fieldset") == page.count("<legend") == 7
    assert re.findall(r'name="a_why1" value="(\d)"', page) == ["1", "2", "3", "4", "5", "0"]
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'<label[^>]* for="([^"]+)"', page)) <= set(ids)
    assert page.count(" checked") == 0


def test_the_names_of_blocks_stay_away_for_they_say_what_a_high_figure_means(wave):
    for block in wave.questionnaire["blocks"]:
        block["title"] = {"en": "The name of a block"}
    wave.save()
    assert "The name of a block" not in client_of(asked(wave)).get(url(wave)).content.decode()


def test_nothing_that_is_typed_is_offered_to_a_spell_checker_or_remembered_by_the_browser(wave):
    page = client_of(asked(wave)).get(url(wave)).content.decode()
    [area] = re.findall(r"<textarea[^>]*>", page)
    assert 'spellcheck="false"' in area and 'autocomplete="off"' in area and f'maxlength="{MAX_COMMENT}"' in area
    assert re.search(r'<form[^>]*autocomplete="off"[^>]*data-survey', page)


def test_an_address_cannot_fill_in_answers(wave):
    page = client_of(asked(wave)).get(url(wave, a_why1="5", t_wish=SECRET)).content.decode()
    assert " checked" not in page
    assert SECRET not in page.split("<form")[-2] + page.split("<textarea")[1].split("</textarea>")[0]


@pytest.mark.parametrize(
    ("statements", "groups"),
    [(1, [1]), (3, [3]), (4, [4]), (5, [3, 2]), (7, [3, 2, 2]), (8, [3, 3, 2]), (12, [3, 3, 3, 3])],
)
def test_statements_stand_in_groups_of_about_three(statements, groups):
    wave = make_open_with({"block": statements})
    form = form_of(wave.questionnaire, "en", {})
    assert [len(group.items) for group in form.groups] == groups
    assert [item.number for group in form.groups for item in group.items] == list(range(1, statements + 1))


@pytest.mark.parametrize(
    ("blocks", "groups"),
    [([3, 3, 3], [3, 3, 3]), ([1] * 7, [3, 3, 1]), ([2, 1, 2, 2], [3, 2, 2]), ([1, 5, 1], [1, 3, 2, 1]), ([2], [2])],
)
def test_blocks_of_a_statement_or_two_share_a_group(blocks, groups):
    wave = make_open_with({f"block{n}": size for n, size in enumerate(blocks)})
    form = form_of(wave.questionnaire, "en", {})
    assert [len(group.items) for group in form.groups] == groups
    codes = [item.code for group in form.groups for item in group.items]
    assert codes == [item["code"] for block in wave.questionnaire["blocks"] for item in block["items"]]


def test_what_is_said_before_statements_stands_before_these_alone():
    wave = make_open_with({"a": 1, "b": 1, "c": 4, "d": 1})
    wave.questionnaire["blocks"][2]["lead_in"] = {"en": "Think of the last course."}
    wave.questionnaire["blocks"][1]["lead_in"] = {}
    form = form_of(wave.questionnaire, "en", {})
    assert [(group.lead_in, len(group.items)) for group in form.groups] == [
        ("", 2), ("Think of the last course.", 4), ("", 1),
    ]  # fmt: skip
    assert "Statement 7 of 7" in text_of(client_of(asked(wave)).get(url(wave)))


def test_a_pulse_takes_fewer_minutes_than_its_questionnaire_is_said_to(wave):
    assert minutes_of(wave.questionnaire) == 2  # 7 x 8 s + 45 s
    long = make_open_with({"block": 36}).questionnaire
    assert minutes_of(long) == 6  # 36 x 8 s + 45 s = 5.6 min
    assert minutes_of(long | {"instrument": {"minutes": 4}}) == 4
    assert minutes_of(long | {"instrument": {}}) == 6


def make_open_with(blocks: dict[str, int]) -> Wave:
    """A block of one statement is what a pulse leaves of a longer one."""
    unit = make_unit()
    staff(unit, 24)
    wave = make_open(make_initiative(unit), make_instrument({code: max(2, n) for code, n in blocks.items()}))
    for block in wave.questionnaire["blocks"]:
        block["items"] = block["items"][: blocks[block["code"]]]
    wave.save()
    return wave


def test_the_page_asks_as_many_queries_for_sixty_statements_as_for_three(count_queries):
    counts = []
    for blocks in ({"a": 3}, {f"b{n}": 6 for n in range(10)}):
        wave = make_open_with(blocks)
        client = client_of(asked(wave))
        counts.append(count_queries(lambda c=client, w=wave: c.get(url(w))))
    assert counts[0] == counts[1] <= 5


# --- In which language -----------------------------------------------------------------------------------------------
def test_the_questions_come_in_the_readers_language_or_in_the_first_there_is(wave):
    assert [form_of(wave.questionnaire, code, {}).language for code in ("es", "en", "pt", "", "²")] == [
        "es", "en", "en", "en", "en",
    ]  # fmt: skip
    client = client_of(asked(wave))
    client.cookies["django_language"] = "es"
    assert "why 1 de Ventanilla única" in text_of(client.get(url(wave)))


def test_a_questionnaire_speaks_more_languages_than_the_interface(wave):
    with_languages(wave, pt="Pois", ar="نعم")
    client = client_of(asked(wave))
    page = client.get(url(wave, language="pt")).content.decode()
    assert '<html lang="en"' in page
    assert '<span lang="pt" dir="ltr">Pois why 1 of One counter</span>' in page
    assert re.search(
        r'<a [^>]*language=pt" lang="pt" hreflang="pt" data-survey-hop aria-current="true">Português</a>', page
    )
    assert 'lang="ar" dir="rtl"' in client.get(url(wave, language="ar")).content.decode()
    # It stays when the page comes back, and what is sent is the same in every language.
    back = client.post(url(wave), {"language": "pt", "a_why1": "4"}).content.decode()
    assert '<input type="hidden" name="language" value="pt">' in back and "Pois why 2" in back


def test_a_language_that_django_does_not_know_is_offered_by_its_code(wave):
    with_languages(wave, gn="Heẽ")
    with translation.override("en"):
        page = client_of(asked(wave)).get(url(wave, language="gn"))
    assert page.status_code == 200
    assert 'lang="gn"' in page.content.decode()


def test_changing_the_language_sends_nothing(wave):
    page = client_of(asked(wave)).get(url(wave)).content.decode()
    form = page.split("data-survey=")[1].split("</form>")[0]
    assert re.findall(r"<button[^>]*name=\"(\w+)\"", form) == ["do"]
    assert "Choose the language first: another one begins with an empty page." in page  # without script


# --- Sending ---------------------------------------------------------------------------------------------------------
def test_what_is_sent_is_in_the_envelope_and_nothing_else(wave):
    person = asked(wave)
    fields = ALL | {
        "a_why2": "0",
        "t_wish": f"  {SECRET}\r\nevery spring\0 ",
        "a_other": "5",
        "t_other": "x",
        "n": "root",
    }
    del fields["a_support1"]
    response = send(person, wave, **fields)
    assert (response.status_code, response["Location"]) == (302, url(wave, "survey_sent"))
    ballot = only_ballot(wave)
    given = dict.fromkeys((name[2:] for name in ALL), 4) | {"why2": 0, "support1": 0}
    assert dict(ballot.answers) == given
    assert dict(ballot.comments) == {"wish": f"{SECRET}\nevery spring"}
    assert ballot.node == Participation.objects.get(wave=wave, person=person).node_code
    assert Participation.objects.get(wave=wave, person=person).done


def test_thank_you_says_what_happens_next_and_when(wave):
    person = asked(wave)
    client = client_of(person)
    assert client.get(url(wave, "survey_sent"))["Location"] == url(wave)  # nothing is sent yet
    page = text_of(client.post(url(wave), ALL | {"do": "send"}, follow=True))
    day = formats.date_format(timezone.localtime(wave.closes_at), "DATE_FORMAT")
    assert f"The result comes on {day}, with a mail to you." in page
    assert "You see the same figures as your manager, on the same day." in page
    html = client.get(url(wave, "survey_sent")).content.decode()
    assert reverse("initiative", args=[wave.initiative.slug]) in html


def test_without_script_everybody_looks_once_more_whatever_was_left_out(wave):
    some = {"a_why1": "4", "t_wish": SECRET}
    partly, wholly = asked(wave, 0), asked(wave, 1)
    first, second = client_of(partly).post(url(wave), some), client_of(wholly).post(url(wave), ALL)
    assert (first.status_code, second.status_code) == (200, 200)
    assert "6 statements have no answer: 2 , 3 , 4 , 5 , 6 , 7 ." in text_of(first)
    assert "Every statement has an answer." in text_of(second)
    assert not Envelope.objects.exists() and not Participation.objects.filter(done=True).exists()
    html = first.content.decode()
    assert re.findall(r'name="(\w+)" value="(\d)"[^>]* checked', html) == [("a_why1", "4")]
    assert f">{SECRET}</textarea>" in html
    # The page that came back holds all that is needed to send.
    sent = dict(re.findall(r'name="(a_\w+)" value="(\d)"[^>]* checked', html)) | {"t_wish": SECRET}
    assert send(partly, wave, **sent).status_code == 302
    assert only_ballot(wave).answers["why1"] == 4


@pytest.mark.parametrize("value", ["6", "-1", "²", "٣", "4.0", " 4", "on", "\x00", "🦉", "4" * 5000])
def test_a_value_off_the_scale_is_not_taken_and_not_passed_over(wave, value):
    response = send(asked(wave), wave, **ALL | {"a_why1": value})
    assert response.status_code == 422
    assert "An answer is not on the scale. Look at your answers again." in text_of(response)
    assert response.content.decode().count(" checked") == 6
    assert not Envelope.objects.exists()


@pytest.mark.parametrize("fields", [{}, {"t_wish": " \r\n\0 "}, dict.fromkeys(ALL, "0")])
@pytest.mark.parametrize("do", ["look", "send"])
def test_who_answers_nothing_is_told_so(wave, fields, do):
    response = client_of(asked(wave)).post(url(wave), fields | {"do": do})
    assert response.status_code == 422
    assert "You have not answered anything yet." in text_of(response)
    assert not Envelope.objects.exists()


def test_a_comment_alone_is_an_answer(wave):
    assert send(asked(wave), wave, t_wish=SECRET).status_code == 302
    assert dict(only_ballot(wave).comments) == {"wish": SECRET}


def test_a_comment_is_as_long_as_the_browser_counts_it(wave):
    lines = "a\r\n" * (MAX_COMMENT // 2)  # a browser counts a line break once and sends two characters
    assert len(lines) > MAX_COMMENT
    assert send(asked(wave), wave, t_wish=lines + "b").status_code == 422
    assert send(asked(wave), wave, t_wish=lines).status_code == 302
    assert len(only_ballot(wave).comments["wish"]) == MAX_COMMENT - 1  # the last break is trimmed


def test_a_comment_that_is_too_long_comes_back_whole_with_by_how_much(wave):
    response = send(asked(wave), wave, **ALL, t_wish="x" * (MAX_COMMENT + 3))
    assert response.status_code == 422
    assert "A comment has at most 1500 characters." in text_of(response).replace("1,500", "1500")
    assert "3 characters too long" in text_of(response)
    html = response.content.decode()
    assert "x" * (MAX_COMMENT + 3) + "</textarea>" in html and 'aria-invalid="true"' in html
    assert html.count(" checked") == 7
    assert not Envelope.objects.exists()


def test_control_characters_are_left_out_and_what_people_write_with_stays():
    assert cleaned(" a\0b\x07\x1b\x85c\r\nd\re\tf ") == "abc\nd\ne\tf"
    assert cleaned("Straße – ¿qué? 👩‍💻 ção") == "Straße – ¿qué? 👩‍💻 ção"


def payload_bytes(questionnaire: dict[str, Any], comment: str) -> int:
    """Of a ballot with every statement answered and every question answered with this comment, at the longest code."""
    asked = form_of(questionnaire, "en", {})
    answers = {item.code: 5 for group in asked.groups for item in group.items}
    payload = {"n": "u" * 40, "c": "c" * 40, "a": answers, "t": {q.code: comment for q in asked.questions}}
    return len(json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode())


def test_two_long_comments_fit_into_the_envelope_in_the_languages_we_offer():
    unit = make_unit()
    staff(unit, 24)
    blocks = {f"block{n}": 6 for n in range(10)}
    wave = make_open(make_initiative(unit), make_instrument(blocks, questions=("open1", "open2")))
    # 60 statements of 12 bytes, two comments, every character an accented one of two bytes.
    assert payload_bytes(wave.questionnaire, "é" * MAX_COMMENT) < MOST_BYTES
    assert payload_bytes(wave.questionnaire, "👩" * MAX_COMMENT) > MOST_BYTES  # 4 bytes: what the next test is about
    given = {f"a_{item['code']}": "5" for block in wave.questionnaire["blocks"] for item in block["items"]}
    response = send(asked(wave), wave, **given, t_open1="é" * MAX_COMMENT, t_open2='"' * MAX_COMMENT)
    assert response.status_code == 302
    assert len(bytes(Envelope.objects.get().blob)) == ENVELOPE_BYTES


@pytest.mark.parametrize("character", ["👩", "語"])
def test_comments_that_do_not_fit_together_come_back_with_a_sentence(character):
    unit = make_unit()
    staff(unit, 24)
    wave = make_open(make_initiative(unit), make_instrument(questions=("open1", "open2")))
    person = asked(wave)
    long = character * MAX_COMMENT
    response = send(person, wave, **ALL, t_open1=long, t_open2=long)
    assert response.status_code == 422
    assert "Your comments are too long together. Shorten one of them." in text_of(response)
    assert response.content.decode().count(f"{long}</textarea>") == 2
    assert not Envelope.objects.exists() and not Participation.objects.filter(done=True).exists()
    assert send(person, wave, **ALL, t_open1=long, t_open2=character * 100).status_code == 302


# --- Once, and not too late ------------------------------------------------------------------------------------------
def test_who_has_answered_reads_only_that(wave):
    person = asked(wave)
    send(person, wave, **ALL)
    response = client_of(person).get(url(wave))
    assert response.status_code == 200
    main = response.content.decode().split("<main")[1].split("</main>")[0]
    assert "You have answered" in main
    assert "<input" not in main and not re.search(
        r"\d{1,2}:\d\d|20\d\d", text_of(response).split("You have answered", 2)[2]
    )


def test_a_doubled_press_casts_once(wave):
    person = asked(wave)
    assert send(person, wave, **ALL).status_code == 302
    again = send(person, wave, a_why1="1", t_wish=SECRET)
    assert again.status_code == 409
    assert "You have answered" in text_of(again) and SECRET not in again.content.decode()
    assert only_ballot(wave).answers["why1"] == 4


def test_a_second_press_that_comes_between_reading_and_casting_casts_once(wave, monkeypatch):
    person = asked(wave)

    def meanwhile(**kwargs: Any) -> None:
        monkeypatch.undo()
        send(person, wave, **ALL)
        from readiness.casting import cast

        cast(**kwargs)

    monkeypatch.setattr("readiness.survey_views.cast", meanwhile)
    response = send(person, wave, a_why1="1")
    assert response.status_code == 409 and "You have answered" in text_of(response)
    assert only_ballot(wave).answers["why1"] == 4


def test_after_the_end_nothing_is_taken_and_nothing_typed_is_lost(wave):
    person = asked(wave)
    Wave.objects.filter(pk=wave.pk).update(opens_at=timezone.now() - timedelta(days=9), closes_at=timezone.now())
    page = client_of(person).get(url(wave))
    assert page.status_code == 410 and "This survey is closed" in text_of(page)
    response = send(person, wave, **ALL, t_wish=SECRET)
    assert response.status_code == 409
    assert "This survey is closed. Your answers were not taken." in text_of(response)
    assert f">{SECRET}</textarea>" in response.content.decode()
    assert not Envelope.objects.exists() and not Participation.objects.filter(done=True).exists()


def test_before_it_opens_there_is_no_survey(wave):
    Wave.objects.filter(pk=wave.pk).update(opens_at=timezone.now() + timedelta(hours=1))
    assert client_of(asked(wave)).get(url(wave)).status_code == 404
    assert send(asked(wave), wave, **ALL).status_code == 404
    assert not Envelope.objects.exists()


def test_who_is_not_asked_finds_nothing(wave):
    stranger = make_person()
    make_post(make_unit("Elsewhere"), holder=stranger)
    lead = wave.initiative.team.first().person
    for person in (stranger, lead, make_person(is_superuser=True)):
        assert client_of(person).get(url(wave)).status_code == 404
        assert client_of(person).get(url(wave, "survey_sent")).status_code == 404
        assert send(person, wave, **ALL).status_code == 404
    assert client_of(stranger).get(url(wave, "survey_notice")).status_code == 404
    assert client_of(stranger).get(url(wave, "survey_self_check")).status_code == 404
    assert Client().get(url(wave))["Location"].startswith(reverse("account_login"))
    assert not Envelope.objects.exists()


def test_a_survey_in_preparation_has_no_page_for_anybody(wave):
    wave = draft(make_initiative(wave.unit), wave.instrument, at=timezone.now())
    for name in ("survey", "survey_sent", "survey_notice", "survey_self_check"):
        assert client_of(make_person(is_superuser=True)).get(url(wave, name)).status_code == 404


def test_the_link_of_an_old_invitation_leads_to_the_result(wave):
    person, other = asked(wave, 0), asked(wave, 1)
    answer(wave, but=[other])
    close_wave(wave=wave, at=wave.closes_at)
    for one in (person, other):  # who had answered is not known any more
        assert client_of(one).get(url(wave))["Location"] == url(wave, "survey_results")
    late = send(other, wave, **ALL, t_wish=SECRET)
    assert late.status_code == 409
    assert "Your answers came after the end. They were not taken and are not stored." in text_of(late)


def test_where_too_few_answered_the_old_link_says_so(wave):
    person = asked(wave)
    send(asked(wave, 1), wave, **ALL)
    close_wave(wave=wave, at=wave.closes_at)
    response = client_of(person).get(url(wave))
    assert response.status_code == 410
    assert "Fewer than 10 people had answered" in text_of(response)


# --- Nothing is left anywhere ----------------------------------------------------------------------------------------
def test_no_cache_keeps_a_page_of_the_survey(wave):
    client = client_of(asked(wave))
    pages = [client.get(url(wave)), client.post(url(wave), {"a_why1": "4"}), client.post(url(wave), {})]
    pages += [client.get(url(wave, "survey_self_check")), client.post(url(wave), ALL | {"do": "send"})]
    pages += [client.get(url(wave, "survey_sent")), client.get(url(wave)), client.post(url(wave), ALL)]
    assert [response.status_code for response in pages] == [200, 200, 422, 200, 302, 200, 200, 409]
    for response in pages:
        assert {"no-store", "private"} <= set(response["Cache-Control"].replace(" ", "").split(","))


def test_what_is_answered_does_not_show_in_the_response(wave):
    """Status, headers, cookies and body of the press are the same for whoever answers whatever."""
    seen = []
    for n, fields in enumerate([{"a_why1": "1"}, ALL, {"t_wish": SECRET * 40}, ALL | {"t_wish": "👩" * 1000}]):
        response = send(asked(wave, 0), wave, **fields)
        cookies = {name: len(morsel.value) for name, morsel in response.cookies.items()}
        headers = {name: value for name, value in response.headers.items() if name not in ("Expires",)}
        seen.append((response.status_code, headers, cookies, response.content))
        assert Envelope.objects.count() == n + 1
    assert all(one == seen[0] for one in seen)
    assert {len(bytes(blob)) for blob in Envelope.objects.values_list("blob", flat=True)} == {ENVELOPE_BYTES}


def test_session_cache_messages_and_logs_know_nothing_of_an_answer(wave, settings, caplog):
    settings.DEBUG = True  # statements of the database are logged then, with their parameters
    caplog.set_level(logging.DEBUG)
    person = asked(wave)
    client = client_of(person)
    before = dict(client.session.items())
    for fields in ({"t_wish": SECRET}, ALL | {"t_wish": SECRET, "a_why1": "9"}, ALL | {"t_wish": SECRET, "do": "send"}):
        response = client.post(url(wave), fields)
        assert "messages" not in response.cookies
    assert response.status_code == 302
    assert dict(client.session.items()) == before
    assert caplog.records and SECRET not in caplog.text
    assert not any(SECRET in str(vars(record)) for record in caplog.records)
    assert not cache._cache  # the suite's cache is the memory of this process
    client.get(url(wave, "survey_sent"))
    assert list(client.get(url(wave, "survey_sent")).context["messages"]) == []


def report_of(client: Client, wave: Wave, caught: list[BaseException]) -> str:
    """What an error report would carry: the page, the text of a mail."""
    from django.core.signals import got_request_exception

    reports: list[str] = []

    def note(request: HttpRequest, **_kwargs: Any) -> None:
        reporter = ExceptionReporter(request, *sys.exc_info())
        reports.append(reporter.get_traceback_html() + reporter.get_traceback_text())
        caught.append(sys.exc_info()[1])  # type: ignore[arg-type]

    got_request_exception.connect(note)
    try:
        client.raise_request_exception = False
        stdout, sys.stdout = sys.stdout, io.StringIO()
        response = client.post(url(wave), ALL | {"a_why3": "2", "t_wish": SECRET, "do": "send"})
        sys.stdout = stdout
    finally:
        got_request_exception.disconnect(note)
    assert response.status_code == 500
    assert SECRET not in response.content.decode()
    [report] = reports
    return report


BREAKS = {
    "encrypting": "readiness.casting.seal_ballot",
    "casting": "readiness.survey_views.cast",
    "reading": "readiness.survey_views.read_answers",
    "drawing": "readiness.surveys.in_language",
    "before the view": "django.contrib.sessions.backends.base.SessionBase.get",
}


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("place", BREAKS)
def test_no_report_of_an_error_carries_an_answer(wave, settings, monkeypatch, place, debug):
    client, caught = client_of(asked(wave)), []

    def breaks(*_args: Any, **_kwargs: Any) -> None:
        raise RuntimeError("the disk is full")

    if place == "drawing":  # the page comes back, with what was typed
        monkeypatch.setattr("readiness.surveys.MAX_COMMENT", 3)
    monkeypatch.setattr(BREAKS[place], breaks)
    settings.DEBUG = debug
    report = report_of(client, wave, caught)
    assert str(caught[0]) == "the disk is full"
    assert "the disk is full" in report and "/surveys/" in report
    assert SECRET not in report
    assert "a_why3" not in report or not re.search(r"a_why3[^*]{0,40}?2\b", report)


def test_reports_of_other_pages_are_as_complete_as_ever(rf, settings):
    from config.reports import ReporterFilter

    request = rf.post("/account/details/", {"name": "New Name"})
    assert ReporterFilter().get_post_parameters(request)["name"] == "New Name"
    assert set(ReporterFilter().get_post_parameters(rf.post("/surveys/1/", {"a": "4"})).values()) == {"*" * 20}
    settings.DEBUG = True
    assert not ReporterFilter().is_active(request)
    assert not ReporterFilter().is_active(None)


def test_what_a_person_gave_cannot_be_printed_by_accident(wave):
    given = read_answers(wave.questionnaire, ALL | {"t_wish": SECRET})
    form = form_of(wave.questionnaire, "en", ALL | {"t_wish": SECRET})
    for thing in (given, form, form.groups, form.questions, form.groups[0].items):
        assert SECRET not in repr(thing) and "'4'" not in repr(thing)


def test_answers_kept_on_a_device_are_hers_alone_and_tell_no_name(wave):
    one, other = asked(wave, 0), asked(wave, 1)
    key = keep_key(one, wave)
    assert key == keep_key(User.objects.get(pk=one.pk), wave)
    assert len({key, keep_key(other, wave), keep_key(one, Wave(pk=wave.pk + 1))}) == 3
    assert re.fullmatch(rf"survey-{wave.pk}-[0-9a-f]{{20}}", key)
    assert f'data-survey="{key}"' in client_of(one).get(url(wave)).content.decode()
    # Where she has answered, and where it is over, the browser is told to forget.
    send(one, wave, **ALL)
    for name in ("survey", "survey_sent"):
        assert f'data-survey-done="survey-{wave.pk}-"' in client_of(one).get(url(wave, name)).content.decode()


# --- For herself -----------------------------------------------------------------------------------------------------
def test_the_self_check_has_nothing_to_send_with(wave):
    response = client_of(asked(wave)).get(url(wave, "survey_self_check"))
    main = response.content.decode().split("<main")[1].split("</main>")[0]
    assert "<form" not in main and 'type="submit"' not in main and "formaction" not in main and "hx-" not in main
    assert main.count("<fieldset") == 3  # of each block the first statement is in the pulse
    assert "Take a sheet with three columns" in main
    assert "This page cannot send anything" in main


def test_the_self_check_asks_everything_where_nothing_is_marked_for_the_pulse(wave):
    for block in wave.questionnaire["blocks"]:
        for item in block["items"]:
            item.pop("pulse", None)
    form = self_check_of(wave.questionnaire, "es")
    assert (form.statements, form.language, form.questions) == (7, "es", ())


def test_the_self_check_keeps_the_order_a_questionnaire_prescribes(wave):
    codes = [item["code"] for block in wave.questionnaire["blocks"] for item in block["items"]]
    wave.questionnaire["order"] = codes[::-1]
    wave.save()
    assert client_of(asked(wave)).get(url(wave, "survey_self_check")).status_code == 200
    form = self_check_of(wave.questionnaire, "en")
    assert [item.code for group in form.groups for item in group.items] == ["commitment1", "support1", "why1"]
    whole = form_of(wave.questionnaire, "en", {})
    assert [item.code for group in whole.groups for item in group.items] == codes[::-1]


def test_the_self_check_stays_when_the_survey_is_over(wave):
    person = asked(wave)
    answer(wave)
    close_wave(wave=wave, at=wave.closes_at)
    assert client_of(person).get(url(wave, "survey_self_check")).status_code == 200
    assert client_of(person).get(url(wave, "survey_notice")).status_code == 200


# --- On the desk and by mail -----------------------------------------------------------------------------------------
def test_surveys_that_wait_are_found_by_one_query_the_first_to_close_on_top(wave, django_assert_num_queries):
    person = asked(wave)
    unit = make_unit("Projects")
    staff(unit, 20)
    make_post(unit, holder=person)
    Participation.objects.filter(wave=wave).exclude(person=person).delete()
    later = make_open(make_initiative(unit), days=20)
    Participation.objects.get_or_create(wave=later, person=person, defaults={"node_code": unit.code})
    with django_assert_num_queries(1):
        found = open_surveys_of(person, timezone.now())
        assert [w.pk for w in found] == [wave.pk, later.pk]
        assert [str(w.initiative.title) for w in found] == ["One counter", "One counter"]
    assert [w.pk for w in open_surveys_of(person, wave.closes_at)] == [later.pk]
    assert open_surveys_of(person, wave.opens_at - timedelta(seconds=1)) == []
    send(person, wave, **ALL)
    assert [w.pk for w in open_surveys_of(person, timezone.now())] == [later.pk]


def test_the_desk_says_what_to_do_how_long_it_takes_and_until_when(wave):
    person = asked(wave)
    assert 'hx-get="/surveys/waiting/"' in client_of(person).get("/learn/").content.decode()
    page = text_of(client_of(person).get("/surveys/waiting/"))
    assert "Say what you think about “One counter”" in page
    day = formats.date_format(wave.last_day, "DATE_FORMAT")
    assert f"about 2 min, confidential, until {day}" in page
    send(person, wave, **ALL)
    assert "No survey waits for you." in text_of(client_of(person).get("/surveys/waiting/"))
    assert not client_of(person).get("/surveys/waiting/", headers={"HX-Request": "true"}).content.strip()


def test_invitation_and_reminder_say_what_the_page_says(wave):
    mail.outbox.clear()
    done = asked(wave)
    send(done, wave, **ALL)
    for send_mails in (inviting.invite, inviting.remind):
        mail.outbox.clear()
        assert send_mails(wave, done=0, progress=lambda *_: None) == 23
        assert done.email not in {to for message in mail.outbox for to in message.to}
        message = mail.outbox[0]
        body = " ".join(message.body.split())
        assert "One counter" in message.subject
        assert (
            "Your answers are encrypted. They are only opened together with all others when the survey closes. "
            "Groups smaller than 10 are never shown."
        ) in body
        assert "It takes about 2 minutes" in body
        assert f"The last day to answer is {formats.date_format(wave.last_day, 'DATE_FORMAT')}" in body
        assert f"http://testserver{url(wave)}" in body
        assert "nobody is shown" in body or "Nobody sees who has answered" in body


def test_the_news_of_a_result_leads_to_it_and_that_of_none_says_so(wave):
    answer(wave)
    closed = close_wave(wave=wave, at=wave.closes_at)
    mail.outbox.clear()
    inviting.share(closed, done=0, progress=lambda *_: None)
    assert len(mail.outbox) == 24
    assert f"http://testserver{url(wave, 'survey_results')}" in mail.outbox[0].body
    unit = make_unit()
    staff(unit, 20)
    other = make_open(make_initiative(unit))
    nothing = close_wave(wave=other, at=other.closes_at)
    mail.outbox.clear()
    inviting.share(nothing, done=0, progress=lambda *_: None)
    body = " ".join(mail.outbox[0].body.split())
    assert "Fewer than 10 people answered the survey." in body
    assert f"http://testserver{reverse('initiative', args=[other.initiative.slug])}" in body
