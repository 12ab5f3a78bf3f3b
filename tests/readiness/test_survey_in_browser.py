"""The survey in a browser: with a thumb, by keyboard, without script, and what stays on the device."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client

from organisations.models import User
from readiness.models import Envelope, Participation, Wave
from tests.builders import make_unit
from tests.journeys.conftest import ARGS, CHROMIUM, SHOTS, WCAG
from tests.readiness.surveys import make_initiative, make_instrument, make_open, staff
from tests.readiness.test_survey_form import SECRET, asked, only_ballot, url, with_languages

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.journey,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install it or set CHROMIUM to its path"),
]


class Desk:
    """A person at a browser. `sent`: each page the browser asked for, as (method, path, body)."""

    def __init__(self, browser: Any, site: str, person: User, **options: Any) -> None:
        self.site = site
        self.sent: list[tuple[str, str, str]] = []
        self.faults: list[str] = []
        self.context = browser.new_context(**{"viewport": {"width": 360, "height": 800}, "locale": "en-GB"} | options)
        self.be(person)
        self.page = self.context.new_page()
        self.page.set_default_timeout(5_000)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda m: self.faults.append(m.text) if "Content Security" in m.text else None)
        self.page.on("request", self.note)

    def be(self, person: User) -> None:
        """Sign in as somebody; the browser stays the same."""
        client = Client()
        client.force_login(person)
        self.context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": self.site}])

    def note(self, request: Any) -> None:
        path = request.url.removeprefix(self.site)
        if not path.startswith("/static/"):
            self.sent.append((request.method, path, request.post_data or ""))

    def go(self, path: str) -> Desk:
        self.page.goto(self.site + path)
        return self

    def choose(self, code: str, words: str) -> None:
        self.page.locator(f"fieldset:has([name=a_{code}])").get_by_text(words, exact=True).click()

    def press(self, name: str) -> None:
        with self.page.expect_navigation():
            self.page.locator("main").get_by_role("button", name=name).first.click()

    def main(self) -> str:
        return str(self.page.locator("main").inner_text())

    def kept(self) -> list[str]:
        """Everything this device keeps, in either store, but the address of the page that htmx notes for the tab."""
        script = "[localStorage, sessionStorage].flatMap(s => Object.keys(s).map(k => k + ' ' + s.getItem(k)))"
        return [row for row in self.page.evaluate(script) if not row.startswith("htmx-current-path-for-history /")]

    def look(self, name: str = "") -> None:
        """axe finds nothing, nothing is too wide; and a picture to be looked at."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page, options=WCAG).response["violations"]
        assert not found, json.dumps([(v["id"], [n["html"][:160] for n in v["nodes"]][:3]) for v in found], indent=1)
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{self.page.url} is {wide} px too wide"
        if name:
            SHOTS.mkdir(parents=True, exist_ok=True)
            width = self.page.viewport_size["width"]
            self.page.screenshot(path=SHOTS / f"survey-{name}-{width}.png", full_page=True)


@pytest.fixture
def wave() -> Wave:
    unit = make_unit("Registry")
    staff(unit, 24)
    wave = make_open(make_initiative(unit), make_instrument({"why": 3, "benefit": 3, "support": 3}))
    scale = {1: "Totalmente en desacuerdo", 3: "Ni de acuerdo ni en desacuerdo", 0: "No sé / no aplica"}
    for step in wave.questionnaire["scale"]:
        step["text"]["es"] = scale.get(step["value"], step["text"]["es"])
    wave.save()
    return wave


@pytest.fixture
def desk(wave: Wave, live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Desk]]:
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread, which has a connection of its own meanwhile and waits for each answer.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    desks: list[Desk] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)

        def make(person: User, **options: Any) -> Desk:
            desks.append(Desk(browser, live_server.url, person, **options))
            return desks[-1]

        yield make
        for one in desks:
            assert not one.faults, one.faults
            one.context.close()
        browser.close()
        connections.close_all()


SCHEMES: dict[str, dict[str, Any]] = {
    "a phone": {"viewport": {"width": 360, "height": 800}},
    "the smallest": {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
    "a desk": {"viewport": {"width": 1280, "height": 900}},
    "own colours": {"viewport": {"width": 1280, "height": 900}, "forced_colors": "active"},
    "without script": {"viewport": {"width": 360, "height": 800}, "java_script_enabled": False},
}


@pytest.mark.parametrize("scheme", [name for name in SCHEMES if name != "without script"])
def test_every_page_of_a_survey_is_free_of_findings_and_fits(wave, desk, scheme):
    with_languages(wave, pt="Pois", fr="Alors")
    her = desk(asked(wave), **SCHEMES[scheme])
    shown = {"a phone": "", "a desk": ""}.get(scheme)
    picture = (lambda name: name) if shown is not None else (lambda name: "")
    her.go(url(wave)).look(picture("form"))
    her.go(url(wave, language="es")).look(picture("spanish"))
    her.go(url(wave, "survey_notice")).look()
    her.go(url(wave, "survey_self_check")).look(picture("self-check"))
    her.choose("why1", "Agree")
    her.choose("benefit1", "Disagree")
    her.page.get_by_role("button", name="Show where I stand").click()
    her.look(picture("self-check-result"))
    her.go(url(wave)).choose("why1", "Agree")
    her.page.get_by_role("button", name="Send my answers").click()
    her.look(picture("held"))
    her.press("Send my answers")
    her.look(picture("sent"))
    her.go(url(wave)).look(picture("answered"))


@pytest.mark.parametrize("width", [320, 1280])
def test_the_pages_that_come_back_are_free_of_findings(wave, desk, width):
    her = desk(asked(wave), viewport={"width": width, "height": 900})
    her.go(url(wave))
    her.press("Send my answers")
    assert "You have not answered anything yet." in her.main()
    her.look("empty")
    # What somebody without script gets, looked at with one: form.submit() passes the script by.
    for name, words, comment in (
        ("too-long", "100 characters too long", "x" * 1600),
        ("once-more", "8 statements have no answer", ""),
    ):
        her.go(url(wave)).choose("why1", "Agree")
        with her.page.expect_navigation():
            her.page.evaluate(
                "text => { document.querySelector('textarea').value = text;"
                " document.querySelector('form[data-survey]').submit(); }",
                comment,
            )
        assert words in her.main()
        her.look(name)


def test_a_thumb_hits_every_answer(wave, desk):
    her = desk(asked(wave)).go(url(wave))
    boxes = her.page.evaluate(
        "[...document.querySelectorAll('.survey-choice')].map(c => { const b = c.getBoundingClientRect();"
        " const at = document.elementFromPoint; c.scrollIntoView(); const r = c.getBoundingClientRect();"
        " return [b.width, b.height, document.elementFromPoint(r.right - 6, r.top + 6).tagName]; })"
    )
    assert len(boxes) == 54
    assert min(width for width, _height, _tag in boxes) >= 250
    assert min(height for _width, height, _tag in boxes) >= 48
    # The corner of the row belongs to the label, not to empty space (the first rows may lie below the line of progress).
    assert {tag for _width, _height, tag in boxes} <= {"LABEL", "P"}


def test_how_far_one_is_stands_there_in_words_and_nothing_leaves_before_the_press(wave, desk):
    her = desk(asked(wave)).go(url(wave))
    assert "0 of 9 statements answered" in her.main()
    her.choose("why1", "Agree")
    her.choose("why2", "I don't know")
    her.choose("why1", "Disagree")
    her.page.locator("textarea").fill(SECRET)
    assert "2 of 9 statements answered" in her.main()
    assert [method for method, _path, _body in her.sent] == ["GET"]
    assert her.kept() == []  # unless she wants it, the device keeps nothing


def test_the_browser_holds_a_press_with_something_left_out_and_sends_the_second_one(wave, desk):
    person = asked(wave)
    her = desk(person).go(url(wave))
    for code in ("why1", "why2", "why3", "benefit1", "benefit2", "benefit3", "support1"):
        her.choose(code, "Rather agree")
    send = her.page.get_by_role("button", name="Send my answers")
    send.click()
    assert "2 statements have no answer." in her.main()
    assert len(her.sent) == 1 and not Envelope.objects.exists()
    her.page.get_by_role("link", name="Go to the first of them").click()
    assert her.page.evaluate("document.activeElement.name") == "a_support2"
    her.choose("support2", "Disagree")
    her.press("Send my answers")
    assert "Thank you for your answers" in her.main()
    assert [method for method, _path, _body in her.sent] == ["GET", "POST", "GET"]
    assert dict(only_ballot(wave).answers)["support2"] == 1


def test_with_everything_answered_one_press_is_enough(wave, desk):
    her = desk(asked(wave)).go(url(wave))
    for block in ("why", "benefit", "support"):
        for n in (1, 2, 3):
            her.choose(f"{block}{n}", "Agree")
    her.press("Send my answers")
    assert "Thank you for your answers" in her.main()


def test_without_script_she_looks_once_more_and_sends(wave, desk):
    person = asked(wave)
    her = desk(person, java_script_enabled=False).go(url(wave))
    assert "statements answered" not in her.main() and "Keep my answers" not in her.main()
    her.choose("why1", "Agree")
    her.page.locator("textarea").fill(SECRET)
    her.press("Look once more and send")
    assert "Not sent yet: look once more" in her.main() and "8 statements have no answer:" in her.main()
    assert not Participation.objects.filter(done=True).exists()
    her.choose("why2", "Disagree")
    her.press("Send my answers")
    assert "Thank you for your answers" in her.main()
    ballot = only_ballot(wave)
    assert (ballot.answers["why1"], ballot.answers["why2"], dict(ballot.comments)) == (5, 1, {"wish": SECRET})


def test_by_keyboard_alone_a_slip_of_enter_sends_nothing(wave, desk):
    her = desk(asked(wave), viewport={"width": 1280, "height": 900}).go(url(wave))
    page = her.page
    page.locator("#keep").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "a_why1"
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("document.querySelector('[name=a_why1]:checked').value") == "4"
    page.keyboard.press("Enter")
    assert len(her.sent) == 1
    outline = page.evaluate("getComputedStyle(document.activeElement.closest('.survey-choice')).outlineStyle")
    assert outline != "none"
    for _ in range(8):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "a_support3"
    # What has the focus is not below the line that says how far one is.
    top, line = page.evaluate(
        "[document.activeElement.getBoundingClientRect().top,"
        " document.querySelector('[data-survey-progress]').getBoundingClientRect().bottom]"
    )
    assert top >= line


# --- What stays on the device ----------------------------------------------------------------------------------------
def test_answers_stay_on_the_device_only_if_she_wants_it_and_only_until_she_sends(wave, desk):
    person = asked(wave)
    her = desk(person).go(url(wave))
    keep = her.page.get_by_label("Keep my answers on this device until I send")
    assert not keep.is_checked()
    her.choose("why1", "Agree")
    assert her.kept() == []
    keep.check()
    her.page.locator("textarea").fill(SECRET)
    [kept] = her.kept()
    assert SECRET in kept and person.email not in kept and f"survey-{wave.pk}-" in kept
    her.page.reload()
    assert her.page.locator("[name=a_why1]:checked").get_attribute("value") == "5"
    assert her.page.locator("textarea").input_value() == SECRET
    assert "1 of 9 statements answered" in her.main()
    her.page.get_by_label("Keep my answers").uncheck()
    assert her.kept() == []
    her.page.get_by_label("Keep my answers").check()
    her.page.get_by_role("button", name="Send my answers").click()
    assert her.kept()
    her.press("Send my answers")
    assert "Thank you" in her.main() and her.kept() == []


def test_the_next_person_on_the_same_device_finds_an_empty_page(wave, desk):
    one, other = asked(wave, 0), asked(wave, 1)
    her = desk(one).go(url(wave))
    her.page.get_by_label("Keep my answers").check()
    her.choose("why1", "Agree")
    her.be(other)
    her.go(url(wave))
    assert her.page.locator(":checked").count() == 0 and "0 of 9" in her.main()
    # Who signs out takes everything along, also what others have left.
    her.page.locator("summary").first.click()
    with her.page.expect_navigation():
        her.page.get_by_role("button", name="Sign out").click()
    assert her.kept() == []


def test_what_was_kept_goes_when_the_survey_is_over(wave, desk):
    her = desk(asked(wave)).go(url(wave))
    her.page.get_by_label("Keep my answers").check()
    her.choose("why1", "Agree")
    assert len(her.kept()) == 1
    her.page.evaluate(
        "localStorage.setItem('kept:survey-999-x', JSON.stringify({until: '2020-01-01T00:00:00+00:00', fields: []}));"
        "localStorage.setItem('kept:lesson-1', '[]');"
    )
    her.go(url(wave))
    assert not any("survey-999" in row for row in her.kept())
    assert any("lesson-1" in row for row in her.kept())  # of others it leaves alone what is theirs


def test_another_language_takes_the_answers_along_and_leaves_nothing_behind(wave, desk):
    person = asked(wave)
    her = desk(person).go(url(wave))
    her.choose("why1", "Agree")
    her.page.locator("textarea").fill(SECRET)
    with her.page.expect_navigation():
        her.page.get_by_role("link", name="Español").click()
    assert "why 1 de Ventanilla única" in her.main()
    assert her.page.locator("[name=a_why1]:checked").get_attribute("value") == "5"
    assert her.page.locator("textarea").input_value() == SECRET
    assert her.kept() == []
    assert [(method, body) for method, _path, body in her.sent] == [("GET", ""), ("GET", "")]
    assert not any(SECRET in path or "why1" in path for _method, path, _body in her.sent)


def test_who_leaves_with_answers_that_are_not_kept_is_asked_first(wave, desk):
    her = desk(asked(wave)).go(url(wave))
    asked_first: list[str] = []
    her.page.on("dialog", lambda dialog: (asked_first.append(dialog.type), dialog.accept()))
    her.go(url(wave))
    assert asked_first == []
    her.choose("why1", "Agree")
    her.go(url(wave))
    assert asked_first == ["beforeunload"]


# --- For herself -----------------------------------------------------------------------------------------------------
def test_the_self_check_adds_up_on_the_page_and_keeps_and_sends_nothing(wave, desk):
    her = desk(asked(wave)).go(url(wave, "survey_self_check"))
    her.choose("why1", "Agree")
    her.choose("benefit1", "Disagree")
    her.choose("support1", "Neither")
    her.page.keyboard.press("Enter")
    her.page.get_by_role("button", name="Show where I stand").click()
    result = her.page.locator("[data-self-check-result]").inner_text()
    carries, between, lacks = (result.index(w) for w in ("What carries you", "In between", "What to ask or talk about"))
    assert carries < result.index("why 1 of One counter") < between < result.index("support 1 of One counter") < lacks
    assert lacks < result.index("benefit 1 of One counter")
    assert "You answered 3 of 3." in her.main()
    her.choose("benefit1", "I don't know")
    assert "What to ask or talk about" not in her.page.locator("[data-self-check-result]").inner_text()
    assert [method for method, _path, _body in her.sent] == ["GET"]
    assert her.kept() == []
    her.page.reload()
    assert her.page.locator(":checked").count() == 0


def test_without_script_the_self_check_works_with_paper(wave, desk):
    her = desk(asked(wave), java_script_enabled=False).go(url(wave, "survey_self_check"))
    assert "With paper instead of a script" in her.main()
    assert "Show where I stand" not in her.main()
