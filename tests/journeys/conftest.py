"""The product itself, started by its own runner on a database of its own, and a browser to walk it with.

Nothing of Django runs in this process: a journey knows only what a person sees.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SHOTS = ROOT / "build" / "screenshots"
CHROMIUM = (
    os.environ.get("CHROMIUM")
    or shutil.which("chromium")
    or shutil.which("chromium-browser")
    or shutil.which("google-chrome")
)
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WCAG = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.journey)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="no Chromium here: install it or set CHROMIUM to its path"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def own_database(tmp: Path) -> tuple[dict[str, str], Any]:
    """The suite's kind of database, but one of the journeys' own."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        return {"DATABASE_URL": f"sqlite:///{tmp / 'db.sqlite3'}"}, lambda: None
    import psycopg

    name = f"journeys_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')

    def drop() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    return {"DATABASE_URL": url.rsplit("/", 1)[0] + f"/{name}"}, drop


@dataclass
class Site:
    """The running product."""

    url: str
    process: subprocess.Popen[str]
    output: Path
    mails: Path


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    tmp = tmp_path_factory.mktemp("site")
    port = free_port()
    database, drop = own_database(tmp)
    mails = tmp / "mails"
    env = {
        **{k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"},
        **database,
        "VAR_DIR": str(tmp / "var"), "PORT": str(port), "EMAIL_URL": f"filemail:///{mails}", "DEFAULT_FROM_EMAIL": "talent@demo.example",
    }  # fmt: skip
    output = tmp / "output.txt"
    with output.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.run"], cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT, text=True
        )
    try:
        deadline = time.monotonic() + 300
        while "The platform is ready" not in output.read_text():
            assert process.poll() is None, output.read_text()[-3000:]
            assert time.monotonic() < deadline, output.read_text()[-3000:]
            time.sleep(0.2)
        yield Site(f"http://127.0.0.1:{port}", process, output, mails)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
        drop()


@pytest.fixture(scope="session")
def browser(site: Site) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield browser
        browser.close()


@dataclass
class Walker:
    """A person at a browser. Each new page is checked: no script error, nothing from elsewhere, axe finds nothing."""

    site: Site
    browser: Any
    options: dict[str, Any]
    faults: list[str] = field(default_factory=list)
    seen: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.context = self.browser.new_context(**self.options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on(
            "console",
            lambda m: (
                self.faults.append(f"console: {m.text}")
                if m.type == "error" and not re.search(r"status of (403|404|422) ", m.text)
                else None
            ),
        )
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on(
            "request",
            lambda r: (
                self.faults.append(f"foreign: {r.url}")
                if not r.url.startswith((self.site.url, "data:", "blob:"))
                else None
            ),
        )

    def go(self, path: str) -> Walker:
        self.page.goto(self.site.url + path)
        return self.look()

    def look(self) -> Walker:
        """Check the page one stands on, once for each address and width."""
        self.page.wait_for_load_state("load")
        where = (
            re.sub(r"\d+", "n", self.page.url.removeprefix(self.site.url).split("?")[0]),
            self.page.viewport_size["width"],
        )
        assert not self.faults, self.faults
        if where in self.seen or where[0].startswith("/cms/"):
            return self
        self.seen.add(where)
        from axe_playwright_python.sync_playwright import Axe

        if self.options.get("java_script_enabled", True):
            found = Axe().run(self.page, options=WCAG).response["violations"]
            assert not found, f"{where[0]}: " + json.dumps(
                [(v["id"], [n["html"][:160] for n in v["nodes"]][:3]) for v in found], indent=1
            )
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{where[0]} is {wide} px too wide at {where[1]} px"
        return self

    def shot(self, name: str) -> Walker:
        """Keep a picture at the widths we promise, to be looked at with every change."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        before = self.page.viewport_size
        for width in (1280, 360):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.screenshot(path=SHOTS / f"{name}-{width}.png", full_page=True)
        self.page.set_viewport_size(before)
        return self

    def press(self, name: str, exact: bool = False) -> Walker:
        """Press the button or follow the link with these words in the main part of the page."""
        main = self.page.locator("main")
        target = (
            main.get_by_role("button", name=name, exact=exact)
            .or_(main.get_by_role("link", name=name, exact=exact))
            .first
        )
        with self.page.expect_navigation():
            target.click()
        return self.look()

    def sees(self, *words: str) -> Walker:
        text = self.page.locator("body").inner_text()
        for word in words:
            assert word in text, f"“{word}” is not on {self.page.url}:\n{text[:1500]}"
        return self

    def sign_in(self, who: str, password: str = "demo-ministry") -> Walker:  # noqa: S107
        self.go("/account/login/")
        self.page.fill("[name=login]", f"{who}@demo.example" if "@" not in who else who)
        self.page.fill("[name=password]", password)
        with self.page.expect_navigation():
            self.page.locator("main button[type=submit]").first.click()
        return self.look()

    def sign_out(self) -> Walker:
        self.go("/account/logout/")
        with self.page.expect_navigation():
            self.page.locator("main button[type=submit]").first.click()
        return self


@pytest.fixture
def walker(site: Site, browser: Any) -> Iterator[Any]:
    """Make people at browsers: walker(), walker(width=320), walker(java_script_enabled=False)."""
    walkers = []

    def make(width: int = 1280, height: int = 900, **options: Any) -> Walker:
        made = Walker(site, browser, {"viewport": {"width": width, "height": height}, "locale": "en-GB", **options})
        walkers.append(made)
        return made

    yield make
    for one in walkers:
        one.context.close()
        assert not one.faults, one.faults
