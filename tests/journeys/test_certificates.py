"""A certificate leaves the house: earned, shared, checked by strangers in every form, revoked, and checked again."""

from __future__ import annotations

import json
import re
import time
import zipfile

from tests.journeys.answers import answer_all

COURSE = "cloud-for-decision-makers"


def test_a_certificate_is_issued_shared_checked_by_a_stranger_revoked_and_checked_again(walker, tmp_path):
    her = walker().sign_in("learner")
    pass_course(her, COURSE)
    her.page.locator("main a[href*='/learn/certificates/20']").first.wait_for(timeout=60_000)
    her.go("/learn/certificates/").sees("Cloud").shot("my-certificates")
    her.page.get_by_role("link", name=re.compile("Share: .*[Cc]loud")).first.click()
    her.page.wait_for_url(re.compile(r"/learn/certificates/20"))
    her.look()
    serial = re.search(r"20\d\d-\d{6}", her.page.url)[0]
    wait_until(her, "The same certificate for programs", "Credential (JSON)")
    her.shot("certificate")
    code = re.search(r"See the page for code (\S{5}-\S{5})", her.page.locator("main").inner_text())[1]

    files = {}
    for name in ("certificate.pdf", "credential.json", "credential.jwt", "badge.png", "badge.svg"):
        with her.page.expect_download() as download:
            her.page.locator(f"main a[href$='/{serial}/{name}']").first.click()
        download.value.save_as(tmp_path / name)
        files[name] = tmp_path / name
    assert files["certificate.pdf"].read_bytes().startswith(b"%PDF-")
    assert json.loads(files["credential.json"].read_text())["proof"]

    # She makes a link for whoever hires her.
    her.page.locator("main summary", has_text="Make a link").click()
    her.shot("certificate-share")
    her.page.locator("main form[action$='/share/'] button").first.click()
    her.page.wait_for_load_state()
    her.look()
    link = re.search(r"http\S+/c/[\w-]{20,}/", her.page.content())[0]

    stranger = walker(width=360)
    stranger.page.goto(link)
    stranger.look().sees("Valid", "Cloud").shot("shared")
    stranger.go("/verify/").shot("verify-two-ways")
    for name, path in files.items():
        hand_in(stranger, path).sees("Valid", "Cloud")
        stranger.shot(f"verify-file-{name.replace('.', '-')}")

    # What was changed is not what we issued.
    forged = tmp_path / "forged.json"
    forged.write_text(files["credential.json"].read_text().replace('"Cloud', '"Crowd'))
    hand_in(stranger, forged).sees("Not valid").shot("verify-forged")
    paper = tmp_path / "forged.pdf"
    paper.write_bytes(files["certificate.pdf"].read_bytes() + b"\n% one byte more")
    hand_in(stranger, paper).sees("Not valid")
    nothing = tmp_path / "nothing.pdf"
    nothing.write_bytes(b"%PDF-1.7 nothing")
    hand_in(stranger, nothing).sees("Not readable")

    officer = walker().sign_in("hr").go("/hr/certificates/").shot("certificate-desk")
    officer.page.locator("main input[name=q]").fill(serial)
    officer.press("Find")
    officer.press(serial, exact=True).shot("certificate-life")
    officer.page.locator("select[name=reason]").select_option("result_corrected")
    officer.page.locator("textarea[name=note]").fill("The final check was marked wrongly.")
    officer.page.locator("form", has=officer.page.locator("select[name=reason]")).locator("button").click()
    officer.page.wait_for_load_state()
    officer.look().sees("Revoked").shot("certificate-revoked")

    stranger.page.goto(link)
    stranger.look().sees("Revoked", "The result it rests on was corrected").shot("shared-revoked")
    assert "Cloud" not in stranger.page.locator("main").inner_text()
    stranger.go(f"/verify/{code}/").sees("Revoked")
    for path in files.values():
        hand_in(stranger, path).sees("Revoked")
    her.go(f"/learn/certificates/{serial}/").sees("Revoked", "The final check was marked wrongly.").shot(
        "certificate-hers-revoked"
    )


def test_hr_defines_a_certificate_looks_at_a_sample_and_puts_it_in_force(walker):
    officer = walker().sign_in("hr").go("/hr/certificates/definitions/").shot("definitions")
    officer.press("Define a certificate").shot("definition-new")
    officer.go("/hr/certificates/definitions/new/level/")
    choice = officer.page.locator("select[name=competency] option", has_text="Cyber risk governance").first
    officer.page.locator("select[name=competency]").select_option(choice.get_attribute("value"))
    officer.page.locator("select[name=level]").select_option(index=2)
    officer.page.locator("input[name=title_en]").fill("Governs cyber risk")
    officer.page.locator("input[name=validity_months]").fill("24")
    officer.shot("definition-form").press("Save the draft").sees("Governs cyber risk", "Draft", "at once").shot(
        "definition"
    )
    sample = officer.context.request.get(
        officer.site.url + officer.page.locator("main a[href$='/preview.pdf']").get_attribute("href")
    )
    assert sample.headers["content-type"] == "application/pdf"
    assert sample.body().startswith(b"%PDF-")
    officer.press("Put it in force").sees("In force")
    wait_until(officer, "issued on")
    officer.shot("definition-in-force")
    officer.go("/hr/certificates/bodies/").shot("bodies")


def test_hr_hands_out_the_certificates_of_a_whole_course(walker, tmp_path):
    officer = walker().sign_in("hr").go("/hr/certificates/cohorts/").shot("cohorts")
    officer.go("/hr/certificates/cohorts/new/").shot("cohort-new")
    course = officer.page.locator("select[name=course] option", has_text="Working safely").first
    officer.page.locator("select[name=course]").select_option(course.get_attribute("value"))
    officer.page.locator("label[for=id_how_1]").click()
    officer.page.locator("select[name=unit]").select_option(index=1)
    officer.press("See what it would do").sees("Nothing has been written yet.").shot("cohort-preview")
    officer.press("Make the files")
    wait_until(officer, "ZIP", "CSV")
    officer.shot("cohort")
    with officer.page.expect_download() as download:
        officer.page.locator("main a", has_text="ZIP").first.click()
    download.value.save_as(tmp_path / "cohort.zip")
    with zipfile.ZipFile(tmp_path / "cohort.zip") as packed:
        names = packed.namelist()
        assert names and sum(name.endswith(".pdf") for name in names) == sum(name.endswith(".json") for name in names)


def pass_course(her, key: str) -> None:
    her.go(f"/courses/{key}/")
    start = her.page.locator("main .next-card").inner_text()
    her.press("Start the course" if "Start the course" in start else "Continue")
    for _ in range(12):
        if (
            her.page.locator("main fieldset.question-card").count()
            and her.page.get_by_role("button", name="Hand in").count()
        ):
            break
        if her.page.locator("main form[action$='/done/'] button").count():
            if her.page.locator("main fieldset.question-card").count():
                answer_all(her.page, key)
                her.press("Check my answers")
            with her.page.expect_navigation():
                her.page.locator("main form[action$='/done/'] button").click()
            her.look()
        else:
            her.press("Next lesson")
    answer_all(her.page, key)
    her.press("Hand in").sees("Passed")


def hand_in(stranger, path):
    stranger.go("/verify/")
    stranger.page.locator("input[type=file]").first.set_input_files(str(path))
    with stranger.page.expect_navigation():
        stranger.page.locator("form[action$='/verify/file/'] button[type=submit]").first.click()
    return stranger.look()


def wait_until(walker, *words: str) -> None:
    deadline = time.monotonic() + 60
    while not all(word in walker.page.locator("main").inner_text() for word in words):
        assert time.monotonic() < deadline, walker.page.locator("main").inner_text()
        time.sleep(0.5)
        walker.page.reload()
