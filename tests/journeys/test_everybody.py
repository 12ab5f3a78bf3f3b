"""What holds for every page: without script, by keyboard, on a narrow screen, in Spanish, when something is wrong."""

from __future__ import annotations

import re
import time

import pytest

PAGES = {
    "-": ["/", "/courses/", "/courses/?q=risk", "/courses/governing-cyber-risk/", "/roles/", "/roles/3/", "/roles/compare/?a=1&b=3",
          "/frameworks/", "/frameworks/public-digital-talent/", "/frameworks/search/?q=riesgo", "/competencies/16/",
          "/verify/", "/verify/NOTACODE22/",
          "/account/login/", "/account/signup/", "/account/password/reset/", "/nothing-here/"],
    "ciso": ["/learn/", "/learn/path/", "/learn/competencies/16/", "/learn/competencies/16/assess/", "/competencies/16/",
             "/learn/certificates/", "/account/details/", "/account/email/", "/account/password/change/", "/jobs/", "/hr/",
             "/learn/evaluation/waiting/"],
    "manager": ["/team/", "/evaluation/"],
    "hr": ["/hr/", "/hr/people/", "/hr/assign/", "/hr/batches/", "/evaluation/", "/evaluation/safe-digital-work/",
           "/evaluation/safe-digital-work/figures/", "/evaluation/figures/1/"],
}  # fmt: skip


@pytest.mark.parametrize("who", PAGES)
@pytest.mark.parametrize("width", [320, 1280])
def test_every_page_is_free_of_findings_and_fits(walker, who, width):
    person = walker(width=width)
    if who != "-":
        person.sign_in(who)
    for path in PAGES[who]:
        person.go(path)


@pytest.mark.parametrize("who", PAGES)
def test_every_page_is_free_of_findings_in_spanish_and_in_the_dark(walker, who):
    person = walker(width=640, locale="es-PY", color_scheme="dark")
    if who != "-":
        person.sign_in(who)
    for path in PAGES[who]:
        person.go(path)
        assert person.page.locator("html").get_attribute("lang") == "es"


def test_at_200_percent_zoom_nothing_is_cut_off(walker):
    # 200 % zoom of a 1280 px window is a 640 px window with twice the pixels.
    person = walker(width=640, height=450, device_scale_factor=2).sign_in("ciso")
    for path in PAGES["ciso"]:
        person.go(path)


def test_the_keyboard_alone_is_enough_to_sign_in_and_reach_the_next_step(walker):
    person = walker().go("/account/login/")
    page = person.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    page.keyboard.press("Enter")
    assert "#main" in page.url
    page.locator("[name=login]").focus()
    page.keyboard.type("ciso@demo.example")
    page.keyboard.press("Tab")
    for _ in range(4):
        if page.evaluate("document.activeElement.name") == "password":
            break
        page.keyboard.press("Tab")
    page.keyboard.type("demo-ministry")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    person.look().sees("Your way to the role")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("!!document.activeElement.closest('.next-card')"):
            break
    assert page.evaluate("!!document.activeElement.closest('.next-card')")
    outline = page.evaluate(
        "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).boxShadow"
    )
    assert outline != "nonenone"


def test_without_script_a_lesson_is_answered_and_a_role_assigned(walker):
    person = walker(java_script_enabled=False).sign_in("learner").go("/courses/digital-strategy/")
    person.press("Start the course")
    person.page.locator("fieldset.question-card input[type=radio]").first.check()
    person.press("Check my answers").sees("% right")
    officer = walker(java_script_enabled=False).sign_in("hr").go("/hr/assign/")
    officer.page.get_by_label("Which role?").select_option(label="HR partner")
    officer.press("Next")
    officer.page.get_by_label("List of e-mail addresses").fill("editor@demo.example")
    officer.press("Next").press("See what it would do")
    officer.press("Assign to 1 person")
    deadline = time.monotonic() + 60
    while "Undo until" not in officer.page.locator("main").inner_text():
        assert time.monotonic() < deadline
        time.sleep(0.5)
        officer.page.reload()


def test_a_newcomer_signs_up_confirms_by_mail_and_finds_the_courses(walker, site):
    person = walker().go("/account/signup/")
    person.page.get_by_label("Your name").fill("Nadia Newcomer")
    person.page.locator("[name=email]").fill("nadia@gov.example")
    person.page.locator("[name=password1]").fill("a-calm-long-password")
    person.page.locator("[name=password2]").fill("a-calm-long-password")
    with person.page.expect_navigation():
        person.page.locator("main button[type=submit]").first.click()
    person.look()
    link = mail_link(site, "confirm-email")
    person.go(link)
    with person.page.expect_navigation():
        person.page.locator("main button[type=submit]").first.click()
    person.look()
    if "/account/login/" in person.page.url:
        person.sign_in("nadia@gov.example", "a-calm-long-password")
    person.go("/learn/").sees("You have no role here yet")


def test_an_editor_publishes_a_change_of_a_lesson_and_learners_find_it(walker):
    title = "Before you press ‘send’"
    editor = walker().sign_in("editor").go("/cms/pages/search/?q=Before+you+press")
    page = editor.page
    page.get_by_role("link", name=f"Edit '{title}'").or_(page.get_by_role("link", name=title)).first.click()
    page.wait_for_url("**/edit/")
    page.locator("#id_title").fill("Before you press ‘send’: the postcard test")
    page.get_by_role("button", name="More actions").last.click()
    with page.expect_navigation():
        page.get_by_role("button", name="Publish").last.click()
    visitor = walker().go("/courses/?q=postcard")
    visitor.sees("1 course", "Found in a lesson of this course")
    visitor.page.locator("#catalogue a.card-link").first.click()
    visitor.page.wait_for_load_state()
    visitor.look().sees("Before you press ‘send’: the postcard test")


def test_a_forgotten_password_is_set_anew_by_mail(walker, site):
    person = walker().go("/account/password/reset/")
    person.page.locator("[name=email]").fill("editor@demo.example")
    with person.page.expect_navigation():
        person.page.locator("main button[type=submit]").first.click()
    person.look()
    person.go(mail_link(site, "password/reset/key"))
    for field in ("password1", "password2"):
        person.page.locator(f"[name={field}]").fill("another-calm-password")
    with person.page.expect_navigation():
        person.page.locator("main button[type=submit]").first.click()
    person.look()
    walker().sign_in("editor", "another-calm-password").go("/cms/").sees("Pages")


def mail_link(site, part: str) -> str:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for path in (
            sorted(site.mails.glob("*"), key=lambda p: p.stat().st_mtime, reverse=True) if site.mails.exists() else []
        ):
            found = re.search(rf"https?://[^/\s]+(/account/{part}\S*)", path.read_text().replace("=\n", ""))
            if found:
                return found.group(1).rstrip(".")
        time.sleep(0.2)
    raise AssertionError(f"no mail with a link to {part}")
