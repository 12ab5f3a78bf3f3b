"""Evidence that adds up to a level people accept: said, asked, judged, contested, answered - and what it changes."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from tests.journeys.test_diagnostic import DATA

PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
CHANGE, LISTENING = "Leading change", "Communicating and listening in change"


def bank_of(code: str) -> dict[str, dict[str, Any]]:
    """Question → item of a shipped bank."""
    content = json.loads((DATA / "item-banks" / f"{code.lower()}.json").read_text(encoding="utf-8"))
    return {item["text"]["en"]: item for item in content["items"]}


def answer_as_a_beginner(her: Any, bank: dict[str, dict[str, Any]]) -> None:
    """Right where a question is easy, otherwise "I don't know"."""
    for _ in range(20):
        if "/result/" in her.page.url:
            return
        card = her.page.locator("fieldset.question-card")
        item = bank[card.locator(".question-words").inner_text().strip()]
        if item["difficulty"] < -0.6:
            right = next(o["text"]["en"] for o in item["options"] if o["correct"])
            card.get_by_text(right, exact=True).click()
        else:
            card.get_by_text(re.compile("I don.t know")).click()
        her.press("Answer", exact=True)
    assert "/result/" in her.page.url


def why(her: Any, name: str) -> Any:
    """The page "why this level" of a competency, reached from the desk."""
    her.go("/learn/")
    for more in her.page.locator("main details summary").all():
        more.click()
    link = her.page.locator("li", has=her.page.get_by_role("heading", name=name, exact=True)).get_by_role(
        "link", name=re.compile("Why this level")
    )
    with her.page.expect_navigation():
        link.click()
    return her.look()


def follow(who: Any, words: str) -> None:
    """The link of the row that says these words."""
    with who.page.expect_navigation():
        who.page.locator("main tr", has_text=words).get_by_role("link").first.click()
    who.look()


def assign(officer: Any, role: str, email: str) -> None:
    officer.go("/hr/assign/").page.get_by_label("Which role?").select_option(label=role)
    officer.press("Next").page.get_by_label("List of e-mail addresses").fill(email)
    officer.press("Next").press("See what it would do").press("Assign to 1 person")
    deadline = time.monotonic() + 60
    while "Undo until" not in officer.page.locator("main").inner_text():
        assert time.monotonic() < deadline, officer.page.locator("main").inner_text()
        time.sleep(0.3)


def test_a_person_is_judged_too_low_contests_it_and_a_second_assessor_corrects_level_and_path(walker):
    officer, her = walker().sign_in("hr"), walker().sign_in("learner")
    assign(officer, "Line manager", "learner@demo.example")
    her.go("/learn/path/").sees("Leading people through change")

    # What she did before is recognised: of the two things the course was there for, one is left.
    why(her, LISTENING).press("Add evidence").shot("evidence-choose")
    her.press("Prior learning")
    her.page.fill("[name=title]", "Facilitated the consultation on the new counters")
    her.page.fill("[name=issued_on]", "2026-03-02")
    her.page.locator("label[for^=id_rank_]", has_text="Level 3").click()
    her.page.fill(
        "[name=statement]", "Six meetings in three regions, 140 people; the decisions changed after the second."
    )
    her.page.set_input_files("[name=documents]", {"name": "report.pdf", "mimeType": "application/pdf", "buffer": PDF})
    her.shot("evidence-add").press("Submit").sees("Facilitated the consultation").shot("evidence-claim")
    officer.go("/assess/").sees("Facilitated the consultation").shot("assess-desk")
    follow(officer, "Facilitated the consultation")
    officer.page.locator("label[for^=id_decision_]", has_text=re.compile("ccept")).first.click()
    officer.page.locator("label[for^=id_rank_]", has_text="Level 3").click()
    officer.page.fill("[name=answer]", "The report shows level 3: planned, listened, changed course.")
    officer.shot("assess-claim").press("Send the answer")
    why(her, LISTENING).sees("Level 3; your role needs 3", "Prior learning")

    # She says what she thinks of herself, and asks a diagnostic.
    page = why(her, CHANGE).sees("nothing shown yet", "What would change it", "A diagnostic shows level 2")
    page.sees("Take the diagnostic").shot("why-before")
    her.press("Assess yourself", exact=True)
    her.page.locator("label[for=id_rank_2]").click()
    her.press("Save")
    why(her, CHANGE).sees("you see yourself at 2").press("Take the diagnostic").press("Start")
    answer_as_a_beginner(her, bank_of("PC1"))
    her.sees("level 0 before, level 1").shot("diagnostic-level-1")

    # Her manager has a look, and sees less than she does.
    boss = walker().sign_in("manager").go("/team/")
    with boss.page.expect_navigation():
        boss.page.locator("main a", has_text="Ana").first.click()
    boss.look()
    address = boss.page.url.removeprefix(boss.site.url)
    competency = re.search(r"/learn/competencies/(\d+)/", why(her, CHANGE).page.url).group(1)
    person = re.search(r"/team/(\d+)/", address).group(1)
    boss.go(f"/people/{person}/competencies/{competency}/assess/").page.locator("label[for=id_rank_1]").click()
    boss.page.get_by_label(re.compile("What have you seen")).fill("Took notes in two meetings about the change.")
    boss.press("Save").sees("Saved: your assessment")

    # She contests it; the manager is not the one who decides.
    why(her, CHANGE).sees("Manager", "Took notes in two meetings").shot("why-contestable")
    row = her.page.locator("tr, p", has_text="Manager’s assessment").or_(
        her.page.locator("tr, section#shows p", has_text="Manager's assessment")
    )
    contest = row.get_by_role("link", name=re.compile("Contest"))
    if not contest.count():
        contest = her.page.locator("section[aria-labelledby=shows]").get_by_role("link", name=re.compile("Contest"))
    with her.page.expect_navigation():
        contest.first.click()
    her.look()
    her.page.fill(
        "[name=reason]", "I led the change of the morning meeting in May with a checklist; six colleagues were there."
    )
    her.page.locator("label[for^=id_wanted_rank_]", has_text="Level 2").click()
    her.shot("contest").press("Send").sees("Being looked at").shot("contest-open")
    assert boss.page.request.get(f"{boss.site.url}/assess/").status == 403
    boss.go(f"/people/{person}/competencies/{competency}/")
    officer.go("/assess/")
    follow(officer, "Leading change")
    officer.page.locator("label[for^=id_decision_]", has_text="corrected").click()
    officer.page.locator("label[for^=id_rank_]", has_text="Level 2").click()
    officer.page.fill("[name=answer]", "I spoke with two of the six: she did it with a guide. That is level 2.")
    officer.shot("assess-contest").press("Decide")

    # The answer, the level before and after, and what left the path and why.
    her.go("/learn/evidence/")
    with her.page.expect_navigation():
        her.page.locator("main a[href*='/learn/contests/']").first.click()
    her.look().sees(
        "I spoke with two of the six", "Level 1 (aware) before, level 2", "left your path: level 2 in"
    ).shot("contest-answer")
    her.sees("Leading people through change")
    assert "Leading people through change" not in her.go("/learn/path/").page.locator("main ol").first.inner_text()
    why(her, CHANGE).sees("Level 2; your role needs 2", "corrected").shot("why-after")
    # Somebody who knows no statistics reads what would bring more, and that the estimate decides nothing.
    her.sees("What would bring level 3", "This estimate decides nothing")
