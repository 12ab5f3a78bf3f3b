"""The whole loop in a browser: role → gap → path → course → evidence → certificate → a stranger verifies."""

from __future__ import annotations

import re
import time

from tests.journeys.answers import answer_all


def test_the_ciso_closes_her_largest_gap_and_a_stranger_verifies_her_certificate(walker):
    her = walker().sign_in("ciso")
    her.sees("Chief Information Security Officer", "Your way to the role").shot("learn")
    before = her.page.locator("section[aria-labelledby=way]").inner_text()
    met = int(re.search(r"(\d+) of \d+ competencies at the level", before).group(1))

    her.go("/learn/path/").sees("Governing cyber risk", "no shorter path closes these gaps").shot("path")
    why = her.page.locator("li.step", has_text="Governing cyber risk").get_by_text("Why here")
    why.click()
    her.sees("Your role “Chief Information Security Officer (CISO)” asks for “Cyber risk governance” at level 4")

    her.go("/courses/governing-cyber-risk/").shot("course")
    start = her.page.locator("main .next-card")
    her.press("Start the course" if "Start the course" in start.inner_text() else "Continue")
    her.shot("lesson")
    for _ in range(10):
        if "final-check" in her.page.url:
            break
        if her.page.locator("main form[action$='/done/'] button").count():
            answer_all(her.page, "governing-cyber-risk")
            her.press("Check my answers").sees("100 % right")
            with her.page.expect_navigation():
                her.page.locator("main form[action$='/done/'] button").click()
            her.look()
        else:
            her.press("Next lesson")
    assert "final-check" in her.page.url

    # Too many wrong answers: what to read again, nothing lost, and another try.
    answer_all(her.page, "governing-cyber-risk", wrongly=4)
    her.shot("check").press("Hand in").sees("Not passed yet", "Worth reading again:").shot("check-failed")
    her.press("Try again")
    answer_all(her.page, "governing-cyber-risk")
    her.press("Hand in").sees(
        "Passed", "100 % right answers", "What you have shown", "Cyber risk governance", "left your path: you passed it"
    )

    # The certificate is made by the worker while she looks.
    link = her.page.locator("main a[href*='/learn/certificates/20']").first
    link.wait_for(timeout=60_000)
    her.shot("result")
    with her.page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename.endswith(".pdf")
    assert download.value.path().read_bytes().startswith(b"%PDF-")

    # Whether it was worth it: said in confidence, once, and not to be changed.
    her.press("Was it worth it? Say so in one minute").sees("Your answers are encrypted").shot("feedback")
    for statement in her.page.locator("fieldset.survey-item").all():
        statement.get_by_text("Agree", exact=True).click()
    her.press("Send my answers").sees("Your answers are in the box")

    her.go("/learn/")
    after = her.page.locator("section[aria-labelledby=way]").inner_text()
    assert int(re.search(r"(\d+) of \d+ competencies at the level", after).group(1)) > met
    her.go("/learn/certificates/").shot("certificates")
    code = re.search(r"\b([2-9A-HJ-NP-TV-Z]{5}-?[2-9A-HJ-NP-TV-Z]{5})\b", her.page.locator("main").inner_text()).group(
        1
    )

    stranger = walker(width=360).go("/")
    stranger.page.get_by_label("Certificate code").fill(code.lower())
    stranger.press("Check")
    stranger.sees("Valid", "Governing cyber risk").shot("verify")
    stranger.page.get_by_role("button", name="Español").first.click()
    stranger.page.wait_for_load_state()
    stranger.sees("Válido")


def test_hr_assigns_a_role_after_looking_at_what_it_does_and_the_person_gains_the_path(walker):
    officer = walker().sign_in("hr").go("/hr/").sees("Key posts", "Vacant").shot("hr")
    officer.press("Assign", exact=True)
    officer.page.get_by_label("Which role?").select_option(label="Change lead")
    officer.shot("assign-what").press("Next")
    officer.page.get_by_label("List of e-mail addresses").fill(
        "learner@demo.example\nnobody@demo.example\nnot an address"
    )
    officer.shot("assign-whom").press("Next")
    officer.press("See what it would do")
    officer.sees(
        "1 person gains the path to “Change lead”", "Nothing has been written yet.", "could not be found"
    ).shot("assign-preview")
    officer.press("Assign to 1 person")
    deadline = time.monotonic() + 60
    while "Undo until" not in officer.page.locator("main").inner_text():
        assert time.monotonic() < deadline, officer.page.locator("main").inner_text()
        time.sleep(0.3)
    officer.look().shot("batch")

    learner = walker().sign_in("learner")
    learner.sees("Change lead").go("/learn/path/").sees("Leading people through change")


def test_a_manager_confirms_a_level_and_the_path_of_her_colleague_gets_shorter(walker):
    boss = walker().sign_in("manager").go("/team/").sees("People").shot("team")
    boss.sees("wait")
    boss.press("Begin with").shot("team-member")
    boss.press("Confirm or correct").shot("assess-person")
    boss.page.locator("label[for=id_rank_2]").click()
    boss.page.get_by_label(re.compile("What have you seen")).fill(
        "Ran the weekly review with the team and wrote its decisions down."
    )
    boss.press("Save").sees("Saved: your assessment")


def test_assessing_oneself_leads_through_the_descriptors(walker):
    her = walker(width=360).sign_in("learner")
    her.go("/learn/")
    first = her.page.locator("a", has_text="Assess yourself").first
    with her.page.expect_navigation():
        first.click()
    her.look().sees("Which of these fits?").shot("assess")
    her.page.locator("label[for=id_rank_2]").click()
    her.press("Save").sees("Saved:")


def test_answers_survive_closing_the_browser(walker, site):
    first = walker().sign_in("learner").go("/courses/buying-technology/")
    first.press("Start the course" if "Start the course" in first.page.locator("main").inner_text() else "Continue")
    address = first.page.url.removeprefix(site.url)
    radio = first.page.locator("fieldset.question-card input[type=radio]").first
    with first.page.expect_response(lambda r: r.url.endswith("/answers/")) as saved:
        radio.check()
    assert saved.value.status == 204
    first.context.close()
    again = walker().sign_in("learner").go(address)
    assert again.page.locator("fieldset.question-card input[type=radio]").first.is_checked()
