"""Every code that a check can give has a sentence: collected from the code itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from certificates import check_words
from certificates.credentials import verifying
from certificates.enums import FileVerdict, Verdict
from certificates.findings import BY_RECORDS, Finding, Issuer, Said
from certificates.telling import advice, sentence
from certificates.templatetags.certificates import finding_mark
from certificates.verdicts import Judgement

FLOOR = Path(check_words.__file__).parent
FILES = [*sorted((FLOOR / "credentials").glob("*.py")), FLOOR / "checking.py", FLOOR / "papers_check.py"]
RAISED = {"BadImage", "BadToken", "BadTokenSignature", "Unreadable", "_NoKey"}
# Calls whose argument of this place is a code.
PLACES = {
    "failed": 1, "undecided": 1, "_unreadable": 1, "unreadable": 1, "Checked": 2, "Step": 2, "_not_ours": 0,
} | dict.fromkeys(RAISED, 0)  # fmt: skip


def texts(node: ast.AST | None) -> set[str]:
    """Texts an argument may be: also of `a if b else c`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        return {node.value}
    if isinstance(node, ast.IfExp):
        return texts(node.body) | texts(node.orelse)
    return set()


def codes() -> tuple[set[str], set[str]]:
    """Codes of what did not pass, and of cautions."""
    reasons, cautions = set(), set()
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                place = PLACES.get(name)
                if place is not None and len(node.args) > place:
                    reasons |= texts(node.args[place])
                if name == "append" and getattr(node.func.value, "attr", "") == "cautions":
                    cautions |= texts(node.args[0])
                if name == "cautioned":
                    cautions |= {text for argument in node.args for text in texts(argument)}
            if isinstance(node, ast.FunctionDef) and node.name in ("_badge_fault", "_credential_fault", "_disguise"):
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Return) and isinstance(inner.value, (ast.Tuple, ast.IfExp)):
                        pairs = [inner.value] if isinstance(inner.value, ast.Tuple) else [inner.value.orelse]
                        for pair in pairs:
                            reasons |= texts(pair.elts[0])
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "code":
                reasons |= texts(node.value)
    return reasons, cautions


def test_every_code_has_a_sentence():
    reasons, cautions = codes()
    assert len(reasons) > 60  # the walk finds them
    assert reasons - check_words.REASONS.keys() == set()
    assert cautions - check_words.CAUTIONS.keys() == set()
    assert {code for _state, code in BY_RECORDS.values() if code} <= check_words.REASONS.keys()
    assert {"claims_moved", "signature", "context_unknown", "two_credentials", "name_twice", "expired"} <= reasons


def test_no_sentence_is_left_of_a_code_that_is_gone():
    reasons, cautions = codes()
    used = reasons | {code for _state, code in BY_RECORDS.values() if code}
    assert check_words.REASONS.keys() - used <= {"expired", "not_yet_valid"}
    assert check_words.CAUTIONS.keys() - cautions <= {"list_not_used", "list_unreadable"}


def test_every_step_has_its_heading_and_its_word_when_it_passed():
    steps = {check.value for check in verifying.Check} | {"records", "paper"}
    assert check_words.CHECKS.keys() == steps == check_words.PASSED.keys()


@pytest.mark.parametrize("code", check_words.REASONS)
def test_a_sentence_takes_its_detail_or_none(code):
    assert "%" not in check_words.reason(code)
    assert check_words.reason(code, "100 % of <this>")


@pytest.mark.parametrize("state", FileVerdict)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("said", [None, Said("Title", "Holder", None, None)])
def test_every_verdict_is_told_and_only_a_valid_one_looks_valid(state, known, said):
    finding = Finding(state, "json", issuer=Issuer("did:web:x.example", "X", known=known), said=said)
    assert sentence(finding)
    assert advice(finding)
    assert (finding_mark(finding) == "valid") == (state == FileVerdict.VALID)
    assert finding.state.label


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_of_our_records_is_told(verdict):
    finding = Finding(BY_RECORDS[verdict][0], "pdf", issuer=Issuer(known=True, ours=True), judgement=Judgement(verdict))
    assert finding.state.value == verdict.value
    assert sentence(finding)
