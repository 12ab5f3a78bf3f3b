"""A diagnostic from the offer on the desk to the result: left in the middle, gone on with elsewhere, and what it changes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent.parent.parent / "competencies" / "data"
NAME = "Safe everyday practice"


def right_answers(code: str, language: str = "en") -> dict[str, str]:
    """Question → right answer of a shipped bank: what somebody who knows it well would choose."""
    for path in sorted(DATA.rglob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.get("format") == "item-bank/1" and content["competency"] == code:
            return {
                item["text"][language]: next(o["text"][language] for o in item["options"] if o["correct"])
                for item in content["items"]
            }
    raise AssertionError(f"no bank of {code} is shipped")


def answer(her: Any, known: dict[str, str]) -> None:
    card = her.page.locator("fieldset.question-card")
    card.get_by_text(known[card.locator(".question-words").inner_text().strip()], exact=True).click()
    her.press("Answer", exact=True)


def met(her: Any) -> int:
    way = her.page.locator("section[aria-labelledby=way]").inner_text()
    return int(re.search(r"(\d+) of \d+ competencies at the level", way).group(1))


def test_the_officer_shows_what_she_knows_already_and_needs_no_course_for_it(walker, site):
    known = right_answers("SR2")
    her = walker().sign_in("hr").go("/learn/path/").sees(f"Know “{NAME}” already?").shot("diagnostic-path-before")
    before = met(her.go("/learn/").sees("Take the diagnostic (about 8 min)").shot("diagnostic-desk"))
    her.press("Take the diagnostic").sees(NAME, "Who sees what", "up to level 3")
    her.shot("diagnostic-start").press("Start").sees("Question 1", "at most 20").shot("diagnostic-question")
    her.page.locator("main form#question button").click()
    her.page.wait_for_load_state()
    her.sees("Choose an answer").shot("diagnostic-no-answer")
    for _ in range(4):
        answer(her, known)
    her.sees("Question 5")
    asked = her.page.locator(".question-words").inner_text()
    her.context.close()

    # The other day, on a telephone and without script: the same question, and on from there.
    again = walker(width=360, java_script_enabled=False).sign_in("hr").go("/learn/")
    again.press("Go on with the diagnostic").press("Go on where you stopped").sees("Question 5", asked)
    for _ in range(20):
        if "/result/" in again.page.url:
            break
        answer(again, known)
    again.sees(
        "Result of the diagnostic", "level 0 before, level 3", "of 100", "What changed on your path", "Part by part"
    )
    again.shot("diagnostic-result")
    again.page.locator("details summary", has_text="Question 1,").click()
    again.page.get_by_text("Your answer: right").locator("visible=true").first.wait_for()
    address = again.page.url.removeprefix(site.url)

    assert met(again.go("/learn/")) == before + 1
    path = again.go("/learn/path/").page.locator("main").inner_text()
    assert f"Know “{NAME}” already?" not in path

    # Her manager and the administrator see the level, never an answer.
    assert walker().sign_in("admin").page.request.get(site.url + address).status == 404
