"""Whose badges are taken as theirs: read from what an administrator pastes in, never fetched."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from joserfc.jwk import ECKey, RSAKey
from wagtail.models import ModelLogEntry

from certificates import trusting
from certificates.credentials import keys
from certificates.credentials.keys import PublicKey
from certificates.models import TrustedIssuer
from certificates.trusting import NotTrusted, read_pasted
from tests.certificates.builders import build_person
from tests.certificates.credentials.builders import FOREIGN, OURS, Signer
from tests.certificates.test_checking import ELSEWHERE, elsewhere_document, know_our_key

pytestmark = pytest.mark.django_db

DID_KEY = keys.did_key(FOREIGN.key)
WEB = "https://badges.example.org/issuer"


def root():
    return build_person("Root", is_superuser=True)


def document(*methods, did: str = ELSEWHERE, **others) -> str:
    return json.dumps({"id": did, "verificationMethod": list(methods), **others})


def method(name: str = "#k1", **key):
    return {"id": name, "type": "Multikey", **(key or {"publicKeyMultibase": FOREIGN.key.multibase})}


# --- Reading -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("text", [DID_KEY, f"  {DID_KEY}\n", keys.did_key_method(FOREIGN.key)])
def test_a_did_key_is_issuer_and_key_in_one(text):
    read = read_pasted(text)
    assert (read.identifier, read.keys) == (DID_KEY, {DID_KEY: FOREIGN.key})


@pytest.mark.parametrize("did", [ELSEWHERE, WEB])
@pytest.mark.parametrize("name", ["#k1", "{did}#k1"])
def test_names_of_keys_are_read_whole_or_short(did, name):
    assert read_pasted(document(method(name.format(did=did)), did=did)).keys == {f"{did}#k1": FOREIGN.key}


def test_a_key_as_jwk_is_the_same_key():
    assert read_pasted(document(method(publicKeyJwk=FOREIGN.key.jwk))).keys == {f"{ELSEWHERE}#k1": FOREIGN.key}


def test_keys_of_tokens_are_read_too():
    ec = ECKey.generate_key("P-256").as_dict(private=False)
    big = RSAKey.import_key(rsa.generate_private_key(65537, 2048).public_key()).as_dict(private=False)
    read = read_pasted(document(method("#a", publicKeyJwk=ec), method("#b", publicKeyJwk=big)))
    assert [key["kty"] for key in read.keys.values() if not isinstance(key, PublicKey)] == ["EC", "RSA"]


def test_only_the_keys_that_sign_credentials_count_where_the_document_says_which():
    both = [method("#a"), method("#b", publicKeyMultibase=OURS.key.multibase)]
    assert set(read_pasted(document(*both)).keys) == {f"{ELSEWHERE}#a", f"{ELSEWHERE}#b"}
    assert set(read_pasted(document(*both, assertionMethod=["#b"])).keys) == {f"{ELSEWHERE}#b"}
    inside = document(method("#a"), assertionMethod=[method("#c")])
    assert set(read_pasted(inside).keys) == {f"{ELSEWHERE}#c"}
    with pytest.raises(NotTrusted):
        read_pasted(document(*both, assertionMethod=[]))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("did:web:badges.example.org", "Nothing is fetched"),
        (WEB, "Nothing is fetched"),
        ("did:key:zNothing0", "cannot be read"),
        ("hello", "neither a did:key nor a document"),
        ('{"id": "x", "id": "y"}', "neither a did:key nor a document"),
        ("[" * 40_000, "neither a did:key nor a document"),
        ("\ud800", "neither a did:key nor a document"),
        ("x" * 50_001, "too long"),
        ("{}", "no “id”"),
        ('{"id": 5}', "no “id”"),
        (document(method(), did="http://badges.example.org/issuer"), "no “id”"),
        (document(method(), did="did:web:..%2f"), "no “id”"),
        (document(), "no public key"),
        (document(5, None, [], {"id": 7}), "no public key"),
        (document(method("did:web:talent.gov.example#k1")), "no public key"),  # of somebody else
        (document(method(publicKeyMultibase="z6Mk")), "no public key"),
        (document(method(publicKeyJwk={"kty": "oct", "k": "AAAA"})), "private key"),
        (document(method(publicKeyJwk={**FOREIGN.key.jwk, "d": "AAAA"})), "private key"),
        (document(method(publicKeyJwk={"kty": "RSA", "n": "AQAB", "e": "AQAB"})), "no public key"),
    ],
)
def test_what_names_no_issuer_is_refused_with_the_reason(text, sentence):
    with pytest.raises(NotTrusted, match=sentence):
        read_pasted(text)


# --- Trusting and ending -----------------------------------------------------------------------------------------
def test_a_listed_issuer_is_known_by_every_name_its_key_has():
    trusting.trust_issuer(name=" Academy  of Elsewhere ", pasted=DID_KEY, by=root())
    known = trusting.known_issuers()
    for name in (DID_KEY, keys.did_key_method(FOREIGN.key)):
        assert known.key_of(name) == FOREIGN.key
    assert known.key_of(f"{DID_KEY}#{OURS.key.multibase}") is None
    assert known.names == {DID_KEY: "Academy of Elsewhere"}


def test_a_token_without_the_name_of_a_key_means_the_only_one():
    trusting.trust_issuer(name="One", pasted=elsewhere_document(), by=root())
    assert trusting.known_issuers().key_of(ELSEWHERE) == FOREIGN.key
    two = document(method("#a"), method("#b", publicKeyMultibase=Signer(5).key.multibase), did=WEB)
    trusting.trust_issuer(name="Two", pasted=two, by=root())
    assert trusting.known_issuers().key_of(WEB) is None


def test_an_issuer_is_listed_once_and_anew_after_its_end():
    by = root()
    row = trusting.trust_issuer(name="One", pasted=DID_KEY, by=by)
    with pytest.raises(NotTrusted, match="listed already"):
        trusting.trust_issuer(name="Two", pasted=DID_KEY, by=by)
    ended = trusting.end_trust(trusted=row, by=by)
    assert trusting.end_trust(trusted=row, by=by).ended_at == ended.ended_at  # twice is once
    assert trusting.known_issuers().key_of(DID_KEY) is None
    trusting.trust_issuer(name="One again", pasted=DID_KEY, by=by)
    assert TrustedIssuer.objects.count() == 2
    assert [entry.action for entry in ModelLogEntry.objects.for_instance(row).order_by("pk")] == [
        "certificates.trust",
        "certificates.end_trust",
    ]


def test_the_platform_does_not_list_itself():
    know_our_key()
    for pasted in (keys.did_key(OURS.key), document(method(), did="did:web:testserver")):
        with pytest.raises(NotTrusted, match="platform itself"):
            trusting.trust_issuer(name="Us", pasted=pasted, by=root())


def test_only_administrators_vouch():
    row = trusting.trust_issuer(name="One", pasted=DID_KEY, by=root())
    somebody = build_person("Somebody")
    with pytest.raises(PermissionDenied):
        trusting.trust_issuer(name="Two", pasted=elsewhere_document(), by=somebody)
    with pytest.raises(PermissionDenied):
        trusting.end_trust(trusted=row, by=somebody)


def test_everybody_listed_is_read_in_one_query(django_assert_num_queries):
    by = root()
    for seed in range(3, 8):
        trusting.trust_issuer(name=f"Issuer {seed}", pasted=keys.did_key(Signer(seed).key), by=by)
    with django_assert_num_queries(1):
        assert len(trusting.known_issuers().names) == 5


# --- The page ----------------------------------------------------------------------------------------------------
def test_an_administrator_lists_an_issuer_and_ends_the_trust(client):
    client.force_login(root())
    address = reverse("trusted_issuers")
    assert "Nobody yet" in client.get(address).content.decode()
    response = client.post(address, {"name": "Academy", "pasted": elsewhere_document()}, follow=True)
    assert "Badges of Academy are now taken as its own." in response.content.decode()
    row = TrustedIssuer.objects.get()
    assert row.added_by.name == "Root"
    response = client.post(reverse("trusted_issuer_end", args=[row.pk]), follow=True)
    assert "Trusted before" in response.content.decode()


def test_what_cannot_be_read_comes_back_with_the_reason_beside_it(client):
    client.force_login(root())
    response = client.post(reverse("trusted_issuers"), {"name": "Academy", "pasted": "did:web:x.example"})
    assert response.status_code == 422
    html = response.content.decode()
    assert "Nothing is fetched from other addresses." in html
    assert "did:web:x.example</textarea>" in html
