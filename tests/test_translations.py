"""Every text in every language: nothing missing, no placeholder lost, nothing forgotten in the code."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
from pathlib import Path

import polib
import pytest
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
CATALOGUES = sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\[time\]")


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def test_every_language_but_english_has_its_catalogue():
    assert {path.parts[-3] for path in CATALOGUES} == {code for code, _name in settings.LANGUAGES} - {"en"}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_text_is_translated_with_its_placeholders(path):
    for entry in polib.pofile(str(path)):
        assert "fuzzy" not in entry.flags, entry.msgid
        # The form for one is held to the English singular, all others to the plural.
        forms = entry.msgstr_plural or {0: entry.msgstr}
        for number, translation in forms.items():
            assert translation, f"not translated: {entry.msgid}"
            wanted = placeholders(entry.msgid_plural if entry.msgid_plural and number else entry.msgid)
            either = wanted | placeholders(entry.msgid) | placeholders(entry.msgid_plural or "")
            assert placeholders(translation) <= either, entry.msgid
            missing = wanted - placeholders(translation)
            assert missing <= ({"n", "count", "found", "total"} if entry.msgid_plural else set()), entry.msgid
            assert translation.strip() == translation or entry.msgid.strip() != entry.msgid, entry.msgid


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="GNU gettext is not installed")
@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_no_text_of_the_code_is_missing_from_the_catalogue(path, tmp_path):
    """Collects the texts anew beside the catalogue and compares (make messages does it in place)."""
    copy = tmp_path / "project"
    skip = shutil.ignore_patterns(".git", ".venv", "node_modules", "build", "var", "tests", "*.mo", "__pycache__")
    shutil.copytree(ROOT, copy, ignore=skip)
    subprocess.run(
        [str(ROOT / ".venv/bin/python"), "manage.py", "makemessages", "-l", path.parts[-3], "--no-location", "--no-obsolete"],
        cwd=copy, check=True, capture_output=True, env={"PATH": "/usr/bin:/bin", "VAR_DIR": str(tmp_path / "var"), "HOME": str(tmp_path)},
    )  # fmt: skip
    fresh = {(e.msgctxt, e.msgid) for e in polib.pofile(str(copy / path.relative_to(ROOT)))}
    ours = {(e.msgctxt, e.msgid) for e in polib.pofile(str(path))}
    assert fresh - ours == set(), "run make messages and translate"
    assert ours - fresh == set(), "run make messages"


def test_texts_are_marked_by_names_that_the_collector_knows():
    """`gettext_lazy as _lazy` marks a text for readers and hides it from xgettext."""
    known = re.compile(r"\b(?:u?n?p?gettext(?:_lazy|_noop)?) as (?!_\b)\w+")
    hidden = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in ROOT.glob("[!.]*/**/*.py")
        if path.relative_to(ROOT).parts[0] not in {"node_modules", "build", "var", "tests"}
        for found in known.finditer(path.read_text())
    ]
    assert hidden == []


def test_no_text_is_marked_inside_an_f_string():
    """The collector does not look there: such a text stays English for good."""
    names = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
    hidden = [
        f"{path.relative_to(ROOT)}: {ast.unparse(call)}"
        for path in ROOT.glob("[!.]*/**/*.py")
        if path.relative_to(ROOT).parts[0] not in {"node_modules", "build", "var", "tests"}
        for text in ast.walk(ast.parse(path.read_text()))
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and getattr(call.func, "id", getattr(call.func, "attr", "")) in names
    ]
    assert hidden == []
