"""An HR officer looks after frameworks: loads one from the template, compares roles, publishes after reading what it does."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest


@pytest.fixture(scope="session")
def template(site: Any) -> Any:
    """The workbook as an officer fills it in: the downloaded template, with rows typed over the example."""

    def fill(raw: bytes, *, edition: str, level: int, extra_role: bool = True) -> bytes:
        from openpyxl import Workbook, load_workbook

        assert "Competencies" in load_workbook(io.BytesIO(raw)).sheetnames
        book = Workbook()
        book.remove(book.active)
        rows: dict[str, list[list[Any]]] = {
            "Framework": [["Property", "Value"], ["Title", "Records service"], ["Short name", "records-service"],
                          ["Edition", edition], ["Languages", "en"], ["Published by", "National Registry Office"]],
            "Levels": [["Level", "Name"], [1, "With guidance"], [2, "Alone"], [3, "Leads others"]],
            "Competencies": [["Title", "Description", "Level 1", "Level 2", "Level 3"],
                             ["Appraising records", "Deciding what is kept.", "I follow a schedule.", "I decide.", "I set the schedule."],
                             ["Answering requests", "Access to what is kept.", "I find it.", "I decide on access.", "I train others."]],
            "Roles": [["Title", "Summary"], ["Archivist", "Keeps and opens the records."], ["Reading room officer", "Helps readers."]],
            "Requirements": [["Role", "Competency", "Level", "Importance"],
                             ["Archivist", "Appraising records", level, 5], ["Archivist", "Answering requests", 2, 3],
                             ["Reading room officer", "Answering requests", 2, 4]],
        }  # fmt: skip
        for name, lines in rows.items():
            sheet = book.create_sheet(name)
            for line in lines:
                sheet.append(line)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    return fill


def upload(officer: Any, raw: bytes, name: str) -> Any:
    officer.go("/frameworks/desk/upload/")
    officer.page.set_input_files(
        "main input[type=file]",
        {"name": name, "mimeType": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "buffer": raw},
    )
    officer.press("Upload")
    deadline = time.monotonic() + 40
    while officer.page.get_by_role("link", name="Open the draft").count() == 0:
        assert time.monotonic() < deadline, officer.page.locator("main").inner_text()
        time.sleep(0.3)
    return officer.look()


def test_an_officer_loads_a_framework_compares_roles_and_publishes_the_next_edition(walker, template):
    officer = walker().sign_in("hr").go("/frameworks/desk/").shot("framework-desk")
    with officer.page.expect_download() as download:
        officer.page.get_by_role("link", name="Download the empty template").click()
    raw = download.value.path().read_bytes()

    # The first edition: nobody has a role of it yet.
    upload(officer, template(raw, edition="2026", level=2), "records.xlsx").shot("framework-upload-result")
    officer.press("Open the draft").shot("framework-draft")
    officer.press("See what publishing does").sees("It is the framework’s first edition").shot(
        "framework-publish-first"
    )
    officer.press("Publish edition 2026").sees("is in force")

    # Two roles of it side by side.
    officer.go("/frameworks/records-service/")
    first, second = (
        officer.page.locator("main a", has_text=title).first.get_attribute("href").rstrip("/").rsplit("/", 1)[1]
        for title in ("Archivist", "Reading room officer")
    )
    officer.go(f"/roles/compare/?a={first}&b={second}").sees("Answering requests", "Appraising records")
    officer.shot("role-compare")

    # Somebody gets the role, so that the next edition means something to her.
    officer.go("/hr/assign/")
    officer.page.select_option("[name=profile]", first)
    officer.press("Next")
    officer.page.fill("[name=emails]", "learner@demo.example")
    officer.press("Next").press("See what it would do").press("Assign to 1 person")

    # The next edition asks for more; what that does is read, then it is published.
    upload(officer, template(raw, edition="2027", level=3), "records-2027.xlsx").press("Open the draft")
    officer.press("Crosswalk").sees("lines are sure").shot("framework-crosswalk")
    officer.press("Confirm 4 lines").sees("Every line is decided")
    officer.press("What this edition changes").sees("the level rises from 2 to 3").shot("framework-difference")
    officer.press("See what publishing does").sees("people have a role of this framework")
    deadline = time.monotonic() + 30
    while officer.page.get_by_role("button", name="Publish edition 2027").count() == 0:
        assert time.monotonic() < deadline, officer.page.locator("main").inner_text()
        time.sleep(0.3)
    officer.look().sees("levels missing:").shot("framework-publish")
    officer.press("Publish edition 2027").sees("is in force")
    officer.go("/frameworks/records-service/").sees("2027")

    # She who has the role is asked for the new level; nothing had to be assigned again.
    learner = walker().sign_in("learner")
    deadline = time.monotonic() + 30
    while "Level 3 needed" not in learner.go("/learn/").page.locator("main").inner_text():
        assert time.monotonic() < deadline, learner.page.locator("main").inner_text()
        time.sleep(0.5)
    learner.sees("Appraising records")


def test_a_workbook_with_faults_is_refused_with_every_place(walker, template):
    officer = walker(width=360).sign_in("hr").go("/frameworks/desk/")
    with officer.page.expect_download() as download:
        officer.page.get_by_role("link", name="Download the empty template").click()
    raw = template(download.value.path().read_bytes(), edition="9", level=7)
    officer.go("/frameworks/desk/upload/")
    officer.page.set_input_files(
        "main input[type=file]", {"name": "f.xlsx", "mimeType": "application/zip", "buffer": raw}
    )
    officer.press("Upload")
    deadline = time.monotonic() + 40
    while "row 2" not in officer.page.locator("main").inner_text():
        assert time.monotonic() < deadline, officer.page.locator("main").inner_text()
        time.sleep(0.3)
    officer.look().shot("framework-faults").sees("Requirements")
