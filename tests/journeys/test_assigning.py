"""An officer asks what happens to whom before she presses, presses, and takes it back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any


def wait_for(who: Any, words: str) -> None:
    deadline = time.monotonic() + 60
    while words not in who.page.locator("main").inner_text():
        assert time.monotonic() < deadline, who.page.locator("main").inner_text()
        time.sleep(0.3)
    who.look()


def test_an_officer_sees_what_an_assignment_would_do_assigns_it_and_takes_it_back(walker, tmp_path: Path):
    officer = walker().sign_in("hr").go("/hr/").press("Assign", exact=True).shot("assign-what")
    officer.page.get_by_label("A course").check()
    officer.page.get_by_label("Which course?").select_option(label="Governing cyber risk")
    officer.page.get_by_label("Why?").fill("The cyber exercise in spring asks it of all of us.")
    officer.shot("assign-what-course").press("Next")

    # A file with a line that is no address; what cannot be read is said at once.
    officer.page.get_by_label("File with e-mail addresses").set_input_files(
        {"name": "staff.csv", "mimeType": "text/csv", "buffer": b"\x89PNG\0"}
    )
    officer.press("Next").sees("This is not a CSV file or an Excel workbook.").shot("assign-whom-refused")
    listed = "Name,E-mail\nAna,learner@demo.example\nEd,editor@demo.example\nX,nobody@demo.example\nY,not an address\n"
    officer.page.get_by_label("File with e-mail addresses").set_input_files(
        {"name": "staff.csv", "mimeType": "text/csv", "buffer": listed.encode()}
    )
    officer.shot("assign-whom").press("Next")
    officer.page.get_by_label("Some days after the assignment").check()
    officer.page.get_by_label("How many days?").fill("2")
    officer.shot("assign-when").press("See what it would do")

    wait_for(officer, "Nothing has been written yet.")
    officer.sees("gain the course “Governing cyber risk”", "could not be found", "the date is not realistic")
    officer.shot("assign-dry-run")
    officer.press("could not be found").sees("not an e-mail address", "nobody@demo.example").shot("assign-not-found")
    officer.press("Set a realistic date").shot("assign-realistic").press("See what it would do")
    wait_for(officer, "Nothing has been written yet.")
    assert "not realistic" not in officer.page.locator("main").inner_text()
    with officer.page.expect_download() as download:
        officer.page.get_by_role("link", name="All rows for Excel").click()
    assert download.value.path().read_bytes().startswith(b"PK")
    officer.page.get_by_role("button", name="Assign to").click()
    wait_for(officer, "Undo until")
    officer.sees("done").shot("assign-applied")

    learner = walker(width=360).sign_in("learner").go("/learn/path/").sees("Governing cyber risk")

    officer.press("Undo until").sees("What is kept").shot("assign-undo").press("Take it back")
    wait_for(officer, "took it back")
    officer.sees("taken back").shot("assign-undone")
    officer.go("/hr/batches/").sees("Governing cyber risk", "Taken back").shot("assignments")
    # The dry run with the date that was not realistic gave way to the one with the other date.
    assert "Waits for you" not in officer.page.locator("main").inner_text()
    officer.go("/hr/").sees("Your latest assignments").shot("hr")
    learner.go("/learn/path/")
    assert "Governing cyber risk" not in learner.page.locator("main ol.steps").first.inner_text()
