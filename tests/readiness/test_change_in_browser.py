"""A change from end to end in a browser: why, answers, one result for staff and manager, an action, the next pulse, what
has come of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from organisations.models import User
from readiness.enums import TeamRole, WaveKind
from readiness.models import LastInvitation, Participation, Wave, WaveEvent
from readiness.tasks import settle_surveys
from tests.builders import make_person, make_post, make_unit
from tests.journeys.conftest import CHROMIUM
from tests.readiness.surveys import answer, approve, draft, in_team, make_initiative, make_instrument, staff
from tests.readiness.test_survey_in_browser import desk

__all__ = ["desk"]  # the fixture

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.journey,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install it or set CHROMIUM to its path"),
]


@pytest.fixture
def wave() -> Wave:
    unit = make_unit("Registry")
    boss = make_post(unit, title="Head", holder=make_person("Mara Head"))
    staff(unit, 24, boss)
    initiative = make_initiative(unit, slug="one-counter")
    wave = draft(initiative, make_instrument({"why": 3, "support": 2}), at=timezone.now())
    approve(wave)
    return wave


def some_days_later(wave: Wave, days: int) -> None:
    """Time goes by: the survey and what is known of its opening lie so many days further back."""
    back = timedelta(days=days)
    wave.refresh_from_db()
    Wave.objects.filter(pk=wave.pk).update(opens_at=wave.opens_at - back, closes_at=wave.closes_at - back)
    for event in WaveEvent.objects.filter(wave=wave):
        WaveEvent.objects.filter(pk=event.pk).update(on=event.on - back)
    for row in LastInvitation.objects.all():
        LastInvitation.objects.filter(pk=row.pk).update(on=row.on - back)


def figures(page_of) -> list[str]:
    return page_of.page.locator("section[aria-labelledby=blocks] tbody tr").all_inner_texts()


def test_people_read_why_answer_see_one_result_act_and_see_what_comes_of_it(wave, desk):
    lead, mara = in_team(wave.initiative, TeamRole.LEAD), User.objects.get(name="Mara Head")
    office = desk(lead, viewport={"width": 1280, "height": 900})
    office.go(f"/surveys/{wave.pk}/run/").press("Open the survey")
    office.go(f"/surveys/{wave.pk}/run/").look("run-open")
    assert "25 people are asked" in office.main()
    wave.refresh_from_db()

    # An employee reads why and answers.
    me = Participation.objects.exclude(person=mara).select_related("person").first().person
    phone = desk(me)
    phone.go("/changes/one-counter/").look("change")
    assert "People come five times for one thing." in phone.main()
    phone.go(f"/surveys/{wave.pk}/")
    for code in ("why1", "why2", "why3", "support1", "support2"):
        phone.choose(code, "Agree" if code.startswith("why") else "Rather disagree")
    phone.press("Send my answers")
    assert "Thank you" in phone.main()
    answer(wave, lambda n, item: (4 if item.startswith("why") else 2) + n % 2, but=[me])

    # The wave closes; employee and manager see the same, on the same day.
    some_days_later(wave, 20)
    settle_surveys(timezone.now())
    phone.go(f"/surveys/{wave.pk}/results/").look("results-staff")
    chief = desk(mara)
    chief.go(f"/surveys/{wave.pk}/results/").look("results-manager")
    assert figures(phone) == figures(chief) and len(figures(chief)) == 2
    assert "25 of 25 answered" in phone.main()

    # The card of the week fits a phone, and an action is set.
    chief.go("/surveys/week/").look("week")
    card = chief.page.locator(".week").first.bounding_box()
    assert card["height"] <= 640 and "No action yet" in chief.main()
    chief.go(f"/surveys/{wave.pk}/results/")
    with chief.page.expect_navigation():
        chief.page.locator("main").get_by_role("link", name="Set an action").first.click()
    chief.page.get_by_label("What is done?").fill("Answer every question within a day")
    chief.page.get_by_label("What will staff notice?").fill("No question waits over the weekend")
    chief.press("Set the action")
    phone.go("/changes/one-counter/actions/")
    assert "No question waits over the weekend" in phone.main()

    # The next pulse opens.
    pulse = draft(wave.initiative, wave.instrument, at=timezone.now(), kind=WaveKind.PULSE)
    approve(pulse)
    office.go(f"/surveys/{pulse.pk}/run/").press("Open the survey")
    pulse.refresh_from_db()
    assert pulse.state == "open" and pulse.previous == wave
    answer(pulse, lambda n, item: 4 + n % 2)
    some_days_later(pulse, 16)
    settle_surveys(timezone.now())

    # The outcome page shows the difference.
    office.go("/changes/one-counter/outcome/").look("outcome")
    table = office.page.locator("section[aria-labelledby=blocks] table")
    assert table.locator("thead th").count() == 3
    row = table.locator("tbody tr", has_text="Support").locator("td b").all_inner_texts()
    assert len(row) == 2 and int(row[1]) > int(row[0])
    phone.go(f"/surveys/{pulse.pk}/results/")
    assert "up by about" in phone.main()


IN_VIEW = """() => {
    const box = document.querySelector("#messages .callout").getBoundingClientRect();
    return box.top >= 0 && box.bottom <= window.innerHeight;
}"""


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_what_became_of_a_form_is_in_view_wherever_the_form_stood(wave, desk, script):
    me = User.objects.filter(appointments__post__unit=wave.unit).exclude(name="Mara Head").earliest("pk")
    phone = desk(me, java_script_enabled=script).go("/changes/one-counter/")
    assert phone.page.locator("#messages").evaluate("box => box !== document.activeElement")
    phone.page.get_by_label("Your question").fill("Who helps on the first Monday?")
    phone.press("Ask this question")
    phone.page.wait_for_load_state("load")
    assert "Your question stands below" in phone.page.locator("#messages").inner_text()
    assert phone.page.evaluate(IN_VIEW)
    if script:
        assert phone.page.evaluate("document.activeElement.id") == "messages"
        phone.look("told")
    phone.page.keyboard.press("Tab")
    assert phone.page.evaluate("!!document.activeElement.closest('main')")


def test_where_something_is_wrong_the_keyboard_begins_at_what_is_wrong(wave, desk):
    me = User.objects.filter(appointments__post__unit=wave.unit).exclude(name="Mara Head").earliest("pk")
    phone = desk(me).go("/changes/one-counter/")
    phone.press("Ask this question")
    assert phone.page.evaluate("document.activeElement.hasAttribute('data-error-summary')")
