"""Every element in every state, rendered under strict templates, and looked at by axe in light, dark and forced colours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser
from django.contrib.staticfiles import finders
from django.core.paginator import Paginator
from django.template import engines
from django.test import RequestFactory
from django.utils import timezone, translation

from tests.journeys.conftest import ARGS, CHROMIUM, WCAG

HERE = Path(__file__).resolve().parent
LONG = "Verantwortungsübernahmebestätigungsamt für Donaudampfschifffahrt"


class Scale(forms.RadioSelect):
    layout = "scale"


class Cards(forms.RadioSelect):
    layout = "cards"
    descriptions = {n: f"I can do this at level {n}, in words a person can say yes or no to." for n in range(1, 6)}


class EveryField(forms.Form):
    name = forms.CharField(label="Your name", help_text="As it should stand on your certificates.")
    mail = forms.EmailField(label="E-mail address", required=False)
    level = forms.ChoiceField(
        label="Which fits?", choices=[(n, f"Level {n}") for n in range(1, 6)], widget=Cards, initial=2
    )
    agree = forms.ChoiceField(
        label="I know what will change", choices=[(n, f"Answer {n}") for n in range(1, 6)], widget=Scale
    )
    bodies = forms.MultipleChoiceField(
        label="Which bodies?",
        choices=[("a", "Identity"), ("b", LONG)],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    unit = forms.ChoiceField(label="Unit", choices=[("", "Choose"), ("b", LONG * 2)])
    due = forms.DateField(label="Due", initial=timezone.localdate)
    hours = forms.IntegerField(label="Hours per week", min_value=1, initial=3)
    at = forms.SplitDateTimeField(label="Starts", required=False, widget=forms.SplitDateTimeWidget)
    note = forms.CharField(label="Note", widget=forms.Textarea, required=False)
    file = forms.FileField(label="Evidence", required=False, help_text="PDF, at most 5 MB.")
    ok = forms.BooleanField(label="I have read this", required=True)

    def clean(self) -> None:
        raise forms.ValidationError("The date is before the start of the course.")


def gallery(language: str) -> str:
    request = RequestFactory().get("/gallery/?page=5")
    request.user = AnonymousUser()
    context = {
        "form": EveryField(),
        "bad_form": EveryField({"name": "", "mail": "x", "level": "9"}, prefix="bad"),
        "now": timezone.now(),
        "stepper_steps": [("What", "/1/"), ("Whom", "/2/"), "When", "Preview"],
        "page_obj": Paginator(range(230), 20).get_page(5),
    }
    with translation.override(language):
        return engines["django"].from_string((HERE / "gallery.html").read_text()).render(context, request)


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_element_renders_in_every_state_without_an_undefined_variable(language):
    page = gallery(language)
    assert f'<html lang="{language}"' in page
    assert page.count('role="img"') > 5


@pytest.mark.journey
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: install it or set CHROMIUM to its path")
def test_axe_finds_nothing_and_nothing_is_too_wide_in_any_scheme(tmp_path):
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import Route, sync_playwright

    page_text = gallery("en")

    def serve(route: Route) -> None:
        path = route.request.url.removeprefix("http://gallery.test/")
        if path.startswith("static/"):
            found = finders.find(path.removeprefix("static/").split("?")[0])
            route.fulfill(path=found) if found else route.fulfill(status=404, body="")
        else:
            route.fulfill(body=page_text, content_type="text/html; charset=utf-8")

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        for options in ({"color_scheme": "light"}, {"color_scheme": "dark"}, {"forced_colors": "active"}):
            for width in (320, 1280):
                context = browser.new_context(viewport={"width": width, "height": 900}, **options)
                context.route("**/*", serve)
                page = context.new_page()
                page.goto("http://gallery.test/")
                found = Axe().run(page, options=WCAG).response["violations"]
                assert not found, json.dumps([(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found])
                assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
                context.close()
        browser.close()
