"""Contexts are bundled and exact, graphs are bounded."""

from __future__ import annotations

import json
import socket
import threading
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyld import jsonld

from certificates.credentials import contexts
from certificates.credentials.canonical import NotCanonical, TooComplex, UndefinedTerm, canonical_form
from tests.certificates.credentials.builders import BADGES, CLAIM, HERE, VECTORS, build_credential, with_name


@pytest.mark.parametrize("address", contexts.BUNDLED)
def test_every_bundled_context_is_the_one_whose_digest_is_written_down(address):
    assert "@context" in contexts.context_at(address)


@HERE
@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("https://purl.imsglobal.org/spec/ob/v3p0/context.json", BADGES / "contexts/ob-v3p0.json"),
        ("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json", BADGES / "contexts/ob-v3p0-3.0.1.json"),
        ("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json", BADGES / "contexts/ob-v3p0-3.0.2.json"),
        ("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", BADGES / "contexts/ob-v3p0-3.0.3.json"),
        ("https://purl.imsglobal.org/spec/ob/v3p0/extensions.json", BADGES / "contexts/ob-v3p0-extensions.json"),
        ("https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json", BADGES / "contexts/clr-v2p0-2.0.1.json"),
        ("https://www.w3.org/ns/credentials/v2", VECTORS / "contexts/credentials-v2.json"),
        ("https://w3id.org/security/data-integrity/v2", VECTORS / "contexts/data-integrity-v2.json"),
        ("https://w3id.org/security/multikey/v1", VECTORS / "contexts/multikey-v1.json"),
        ("https://www.w3.org/ns/credentials/status/v1", VECTORS / "contexts/bitstring-status-list-v1.json"),
    ],
)
def test_the_bundled_contexts_say_what_their_publishers_say(address, path):
    assert contexts.context_at(address) == json.loads(path.read_text(encoding="utf-8"))


def test_an_unknown_context_is_refused_by_its_address_and_nobody_is_asked(monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    monkeypatch.setattr(socket, "getaddrinfo", None)
    document = {**build_credential(), "@context": [contexts.CREDENTIALS_V2, "https://evil.example/context.json"]}
    with pytest.raises(contexts.UnknownContext) as caught:
        canonical_form(document)
    assert caught.value.address == "https://evil.example/context.json"


def test_a_bundled_file_that_was_changed_or_is_missing_is_refused(tmp_path):
    changed = tmp_path / "changed.json"
    changed.write_text('{"@context": {}}')
    with pytest.raises(contexts.DamagedContext):
        contexts.read(contexts.Bundled(changed, "0" * 64))
    with pytest.raises(contexts.DamagedContext):
        contexts.read(contexts.Bundled(tmp_path / "missing.json", "0" * 64))


def test_no_two_words_of_the_contexts_we_issue_with_mean_the_same():
    """Else a signed credential could be written anew in other words, and a reader of names would overlook it."""

    def aliases(terms, where):
        seen: dict[str, str] = {}
        for term, definition in terms.items():
            meaning = definition if isinstance(definition, str) else None
            if isinstance(definition, dict):
                meaning = definition.get("@id")
                if isinstance(definition.get("@context"), dict):
                    aliases(definition["@context"], f"{where}/{term}")
            if meaning and not term.startswith("@"):
                assert meaning not in seen, f"{where}: {term} and {seen.get(meaning)}"
                seen[meaning] = term

    aliases(contexts.context_at(contexts.OPEN_BADGES)["@context"], "ob")
    aliases(contexts.context_at(contexts.CREDENTIALS_V2)["@context"], "vc")


def plainly(document) -> str:
    """The library by itself: no strictness, no bounds, nothing kept."""
    options = {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": contexts.load}
    text: str = jsonld.normalize(document, options)
    return text


@HERE
@pytest.mark.parametrize(
    "name",
    ["simple.json", "simple_v1.json", "simple-eddsa-2022.json", "simple-context-version.json", "../clr/simple.json"],
)
def test_what_is_kept_between_documents_changes_nothing(name):
    document = json.loads((BADGES / "examples" / name).read_text(encoding="utf-8"))
    expected = plainly(document)
    for other in (document, build_credential(), document):
        canonical_form(other)
    assert canonical_form(document) == expected


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 4), st.booleans(), st.text(st.characters(codec="utf-8"), max_size=30))
def test_the_canonical_form_is_the_librarys(outcomes, with_status, name):
    claim = replace(with_name(name), outcomes=CLAIM.outcomes * outcomes)
    credential = build_credential(claim, place=7 if with_status else None)
    assert canonical_form(credential) == plainly(credential)


def test_the_order_of_members_and_of_sets_does_not_matter():
    credential = build_credential()
    turned = dict(reversed(credential.items()))
    turned["credentialSubject"] = dict(reversed(credential["credentialSubject"].items()))
    turned["credentialSubject"]["achievement"] = {
        **credential["credentialSubject"]["achievement"],
        "alignment": credential["credentialSubject"]["achievement"]["alignment"][::-1],
    }
    assert canonical_form(turned) == canonical_form(credential)


@pytest.mark.parametrize(
    ("change", "term"),
    [
        ({"type": ["VerifiableCredential", "OtherCredential"]}, "OtherCredential"),
        ({"unheard": 1}, "unheard"),
        ({"id": "relative/path"}, "relative/path"),
        ({"credentialStatus": {"id": "//host/path", "type": "BitstringStatusListEntry"}}, "//host/path"),
    ],
)
def test_what_would_be_left_out_of_the_graph_is_refused(change, term):
    with pytest.raises(UndefinedTerm) as caught:
        canonical_form({**build_credential(), **change})
    assert caught.value.term in term or term in caught.value.term


def poisoned(size: int) -> dict:
    """Blank nodes that all point at all others: alike from every side, n! ways to number them."""
    nodes = [{"@id": f"_:n{number}", "https://poison.example/p": []} for number in range(size)]
    for node in nodes:
        node["https://poison.example/p"] = [{"@id": other["@id"]} for other in nodes if other is not node]
    return {"@graph": nodes}


@pytest.mark.parametrize("size", [8, 12, 40])
def test_a_poisoned_graph_is_refused_before_it_costs_anything(size):
    started = time.process_time()
    with pytest.raises(TooComplex):
        canonical_form(poisoned(size))
    assert time.process_time() - started < 3


def test_a_few_nodes_that_are_alike_are_numbered():
    document = {
        "@context": contexts.CREDENTIALS_V2,
        "@graph": [{"https://fair.example/p": {"https://fair.example/q": {}}} for _ in range(4)],
    }
    assert canonical_form(document).count("_:c14n") == 4 * 2 * 2  # two statements each, between two blank nodes


@pytest.mark.parametrize(
    "document",
    [
        {"@context": {"@vocab": 5}},
        {"@context": contexts.CREDENTIALS_V2, "id": 5},
        {"@context": contexts.CREDENTIALS_V2, "type": {"a": 1}},
        {"@context": contexts.CREDENTIALS_V2, "@reverse": 1},
        {"@context": {"a": "b", "b": "a"}},
        {"@context": contexts.CREDENTIALS_V2, "@graph": {"@value": {"a": []}}},
    ],
)
def test_what_is_not_json_ld_is_refused_and_never_an_error_of_the_library(document):
    with pytest.raises((NotCanonical, contexts.UnknownContext)):
        canonical_form(document)


def test_threads_do_not_disturb_each_other():
    expected = canonical_form(build_credential())
    found: list[str] = []

    def work() -> None:
        found.extend(canonical_form(build_credential()) for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert set(found) == {expected}
