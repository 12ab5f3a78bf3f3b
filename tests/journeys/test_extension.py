"""More time in a browser: a person asks, her manager grants, she sees the new date; HR looks at what does not go as asked."""

from __future__ import annotations

import re


def test_a_manager_grants_more_time_and_the_person_sees_her_new_date(walker):
    her = walker().sign_in("learner").go("/learn/path/").sees("Asked of you")
    row = her.page.locator("section[aria-labelledby=asked] li", has_text="Digital service owner")
    before = re.search(r"Due (.+\d{4})", row.inner_text()).group(1)
    with her.page.expect_navigation():
        row.get_by_role("link", name="Ask for more time").click()
    her.look().sees("decides", "Until then your date stays as it is.").shot("extension-ask")

    # A date that is no later comes back with its sentence, and nothing is lost.
    wanted = her.page.get_by_label("Until when?").input_value()
    her.page.get_by_label("Until when?").fill("2020-01-01")
    her.page.get_by_label("Why do you need more time?").fill("The new service goes live first; I train its team.")
    her.press("Ask for more time").sees("Choose a date after today.")
    assert her.page.get_by_label("Why do you need more time?").input_value().startswith("The new service")
    her.page.get_by_label("Until when?").fill(wanted)
    her.press("Ask for more time").sees("Asked. You get the answer by mail", "Asked for time until").shot(
        "extension-path"
    )
    assert before in row.inner_text()

    boss = walker().sign_in("manager").go("/team/").sees("Decide 1 extension request").shot("extension-team")
    boss.press("Decide").sees("The new service goes live first", "Left to learn").shot("extension-decide")
    boss.press("Refuse").sees("Say why, and what would help")
    boss.page.get_by_label("Your answer").fill("Agreed. Bring what you have to our talk in spring.")
    boss.press("Grant more time").sees("Granted: it is due on", "Nobody asks for more time")
    after = re.search(r"it is due on (.+?\d{4}) now", boss.page.locator("body").inner_text()).group(1)
    assert after != before

    her.go("/learn/path/").sees(f"Due {after}", "More time granted until", "Bring what you have to our talk")
    her.shot("extension-granted")


def test_hr_works_through_what_does_not_go_as_asked(walker):
    officer = walker().sign_in("hr").go("/hr/")
    link = officer.page.locator("main").get_by_role("link", name=re.compile(r"exceptions?$"))
    with officer.page.expect_navigation():
        link.first.click()
    officer.look().sees("Overdue", "left to learn").shot("exceptions")
    first = officer.page.locator("tbody tr").first
    name = first.locator("th a").inner_text()
    first.locator("input[type=checkbox]").check()
    officer.page.get_by_label("Exempt them, with a reason").check()
    officer.press("Do it for those ticked").sees("Say why: the person reads it.").shot("exceptions-wrong")
    assert officer.page.locator("tbody input[type=checkbox]:checked").count() == 1
    officer.page.get_by_label("Why they are exempt").fill("Moves to another body next month.")
    officer.press("Do it for those ticked").sees("Done for 1 person.")
    officer.go("/hr/exceptions/?kind=exempt").sees(name, "Moves to another body next month.").shot("exceptions-exempt")
    officer.page.locator("tbody input[type=checkbox]").first.check()
    officer.press("Ask it of them again").sees("Done for 1 person.")
