"""Badges from elsewhere: checked, said in words, and a claim that an assessor decides on. Never more than that."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, timedelta
from hashlib import sha256

import pytest
from allauth.account.models import EmailAddress
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certificates import importing
from certificates.badge_facts import Names, digest_of, facts_of, names, text_of
from certificates.badge_picture import badge_png, badge_svg
from certificates.credentials import jwt
from certificates.credentials.baking import bake_png, bake_svg
from certificates.credentials.keys import did_web
from certificates.import_words import STANDINGS, names_words
from certificates.importing import (
    MOST_WAITING,
    WAITS,
    BadgeRefused,
    Standing,
    check_badge,
    claim_badge,
    suggestions_for,
)
from certificates.models import ImportedBadge
from competencies.claims import refuse_claim, take_back_claim
from competencies.enums import ClaimState
from competencies.models import Claim
from tests.builders import competency, make_framework, make_person, make_profile
from tests.certificates.builders import build_certificate
from tests.certificates.credentials.builders import CLAIM, FOREIGN, OURS, as_bytes, build_credential, forged, sign
from tests.certificates.held import ELSEWHERE, badge, badge_file, with_credential
from tests.certificates.test_pages import words_of


def identity(value: str, kind: str, *, hashed: bool = False, salt: str = "") -> dict:
    said = "sha256$" + sha256((value + salt).encode()).hexdigest() if hashed else value
    found = {"type": "IdentityObject", "hashed": hashed, "identityHash": said, "identityType": kind}
    return found | ({"salt": salt} if salt else {})


def naming(*identities: dict, **subject) -> dict:
    return {"credentialSubject": {"identifier": list(identities)} | subject}


ANA = {"name": "Ana María Quispe", "emails": ["ana@ministry.example"]}


# --- Whom it names -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("credential", "expected"),
    [
        (naming(identity("Ana María Quispe", "name")), Names.BY_NAME),
        (naming(identity("QUISPE, Ana Maria", "name")), Names.BY_NAME),
        (naming(identity("Ana Quispe", "name")), Names.SOMEBODY_ELSE),
        (naming(identity("ana@ministry.example", "emailAddress")), Names.BY_EMAIL),
        (naming(identity("Ana@Ministry.example", "emailAddress")), Names.BY_EMAIL),
        (naming(identity("ana@ministry.example", "emailAddress", hashed=True, salt="s4lt")), Names.BY_EMAIL),
        (naming(identity("bea@ministry.example", "emailAddress", hashed=True, salt="s4lt")), Names.SOMEBODY_ELSE),
        (naming(identity("Ana María Quispe", "name", hashed=True)), Names.BY_NAME),
        (naming(identity("ana@ministry.example", "nonsense", hashed=True)), Names.BY_EMAIL),
        (naming(identity("Bea Rojas", "name"), identity("ana@ministry.example", "emailAddress")), Names.BY_EMAIL),
        (naming(id="mailto:ana@ministry.example"), Names.BY_EMAIL),
        (naming(name="Bea Rojas"), Names.SOMEBODY_ELSE),
        (naming({"hashed": True, "identityType": "emailAddress", "identityHash": "md5$abc"}), Names.NOBODY),
        (naming(id="did:example:1"), Names.NOBODY),
        (naming(identity("", "name")), Names.NOBODY),
        ({}, Names.NOBODY),
        ({"credentialSubject": ["x", 3, None]}, Names.NOBODY),
        (naming({"identityHash": 7, "hashed": True, "salt": []}, {"identityHash": ["x"]}), Names.NOBODY),
    ],
)
def test_whether_a_badge_names_the_person(credential, expected):
    assert names(credential, **ANA) is expected


def test_what_is_said_of_names_shows_the_other_name_and_no_digest():
    assert "Bea Rojas" in names_words(Names.SOMEBODY_ELSE, "Bea Rojas")
    assert "%" not in names_words(Names.SOMEBODY_ELSE, "")
    assert {names_words(one, "") for one in Names} != {""}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
KEYS = ["id", "issuer", "credentialSubject", "validFrom", "validUntil", "proof"]
INNER = ["achievement", "identifier", "name", "alignment", "criteria", "identityHash", "hashed", "salt", "targetCode"]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(KEYS), st.dictionaries(st.sampled_from(INNER), JSON) | JSON))
def test_whatever_a_document_holds_it_is_read_or_left_out(document):
    facts = facts_of(document, zone=UTC)
    assert all("\x00" not in text for text in (facts.title, facts.issuer, facts.credential_id))
    assert names(document, **ANA) in Names
    assert len(digest_of(document)) == 64


def test_texts_of_others_are_cut_cleaned_and_cannot_turn_the_line():
    assert text_of("a\u202eb\x00c\n d") == "abc d"
    assert len(text_of("x" * 10_000)) == 200
    assert text_of({"@value": "Título", "@language": "es"}) == "Título"
    assert text_of(["first", "second"]) == "first"
    assert text_of(7) == text_of(None) == text_of([]) == ""


@pytest.mark.parametrize(
    ("until", "first_day_without"),
    [
        ("2029-03-03T23:59:59Z", date(2029, 3, 4)),
        ("2029-03-04T00:00:00Z", date(2029, 3, 4)),
        ("9999-12-31T23:59:59Z", None),
        ("soon", None),
    ],
)
def test_the_end_is_the_first_day_on_which_it_no_longer_counts(until, first_day_without):
    assert facts_of({"validUntil": until}, zone=UTC).valid_until == first_day_without


def test_the_same_badge_has_one_digest_whatever_proves_it():
    document = badge()
    assert digest_of(document) == digest_of(document | {"proof": []}) != digest_of(document | {"name": "Another"})


# --- Checking ----------------------------------------------------------------------------------------------------


@pytest.fixture
def ana(db):
    person = make_person("Ana Quispe")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


@pytest.fixture
def needed(ana):
    from competencies.services import assign_role

    version = make_framework(codes="AB")
    assign_role(person=ana, profile=make_profile(version, {"A": 3, "B": 2}), by=None, starts_on=timezone.localdate())
    return version


def refused(person, data, at=None) -> BadgeRefused:
    with pytest.raises(BadgeRefused) as caught:
        check_badge(person=person, data=data, at=at)
    assert not ImportedBadge.objects.exists()
    return caught.value


def test_a_sound_badge_of_an_unknown_issuer_is_kept_with_what_was_found(ana):
    found = check_badge(person=ana, data=badge_file())
    assert found.verdict["standing"] == Standing.ISSUER_UNKNOWN
    assert found.verdict["names"] == Names.SOMEBODY_ELSE
    assert found.verdict["named"] == CLAIM.holder
    assert found.claim is None and found.content == badge_file().decode()


def test_of_a_known_issuer_it_is_said_that_it_is_known(ana, monkeypatch):
    monkeypatch.setattr(importing, "_key_of", lambda: lambda method: FOREIGN.key)
    assert check_badge(person=ana, data=badge_file()).verdict["standing"] == Standing.GENUINE


def test_a_signature_that_cannot_be_checked_is_said_and_taken(ana):
    did = did_web("elsewhere.example")
    assert check_badge(person=ana, data=badge_file(did=did)).verdict["standing"] == Standing.UNCHECKED


@pytest.mark.parametrize("form", ["json", "jwt", "png", "svg"])
def test_it_comes_in_four_forms_and_is_one_badge(ana, form):
    document = badge()
    text = json.dumps(document)
    token = jwt.sign_jwt(document, sign=FOREIGN.sign, method=FOREIGN.method(ELSEWHERE), key=FOREIGN.key)
    data = {
        "json": b"\xef\xbb\xbf \n" + text.encode(),
        "jwt": token.encode() + b"\n",
        "png": bake_png(badge_png("#0B5A75", "course"), text),
        "svg": bake_svg(badge_svg("#0B5A75", "course"), text),
    }[form]
    found = check_badge(person=ana, data=data)
    assert found.digest == digest_of(document)
    assert importing.facts(found).title == "Cyber risk for boards"
    assert check_badge(person=ana, data=text.encode()).pk == found.pk


@pytest.mark.parametrize(
    ("data", "standing"),
    [
        (b"hello", Standing.UNREADABLE),
        (b"\x89PNG\r\n\x1a\n", Standing.UNREADABLE),
        (b"%PDF-1.7", Standing.UNREADABLE),
        (b"{", Standing.UNREADABLE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", Standing.UNREADABLE),
        (badge_png("#0B5A75", "course"), Standing.UNREADABLE),
        (json.dumps(badge() | {"name": "Another"}).encode(), Standing.NOT_GENUINE),
        (forged(header={"alg": "none", "typ": "JWT"}), Standing.UNREADABLE),
        (badge_file(validUntil="2026-04-01T00:00:00Z"), Standing.EXPIRED),
        (badge_file(did=did_web("elsewhere.example"), validUntil="2026-04-01T00:00:00Z"), Standing.EXPIRED),
        (badge_file(validFrom="2999-01-01T00:00:00Z", validUntil=None), Standing.NOT_YET_VALID),
    ],
)
def test_what_cannot_count_is_refused_with_its_word(ana, data, standing):
    assert refused(ana, data).standing is standing


def test_an_empty_file_and_one_that_is_too_large_are_refused_in_words(ana):
    assert "empty" in str(refused(ana, b""))
    assert "10 MB" in str(refused(ana, b"{" * (importing.MAX_BYTES + 1)))


def test_what_was_issued_here_is_not_handed_in(ana, settings):
    own = with_credential(build_certificate(ana))
    assert "issued here" in str(refused(ana, own.credential.document.encode()))
    settings.SITE_URL = "https://talent.gov.example"
    assert "issued here" in str(refused(ana, as_bytes(sign(build_credential(place=None)))))
    assert "issued here" in str(refused(ana, as_bytes(sign(build_credential(place=None) | {"id": "urn:uuid:1"}, OURS))))


def test_what_waits_too_long_or_is_too_much_goes(ana):
    long_ago = timezone.now() - WAITS - timedelta(days=1)
    old = check_badge(person=ana, data=badge_file(), at=long_ago)
    for number in range(MOST_WAITING + 3):
        check_badge(person=ana, data=badge_file(id=f"urn:uuid:{number}"))
    assert not ImportedBadge.objects.filter(pk=old.pk).exists()
    assert ImportedBadge.objects.count() == MOST_WAITING


def test_every_standing_has_its_words():
    assert set(STANDINGS) == set(Standing)


# --- What it shows -----------------------------------------------------------------------------------------------
def test_competencies_the_badge_names_come_before_those_a_role_asks_for(ana, needed):
    found = check_badge(person=ana, data=badge_file())
    said = importing.facts(found)
    plain = [suggestion.competency.code for suggestion in suggestions_for(ana, said)]
    assert sorted(plain) == ["A", "B"]
    named = replace(said, alignments=(replace(said.alignments[0], code="B"),))
    first, *rest = suggestions_for(ana, named)
    assert (first.competency.code, first.matched) == ("B", True)
    assert [(s.competency.code, s.matched) for s in rest] == [("A", False)]


def test_a_badge_becomes_a_claim_with_the_credential_as_its_document(ana, needed):
    found = check_badge(person=ana, data=badge_file())
    claim = claim_badge(badge=found, by=ana, competency=competency(needed, "A"), rank=3, statement="Two days.")
    assert (claim.title, claim.issuer, claim.issued_on) == (
        "Cyber risk for boards", "Ministry of Digital Affairs", date(2026, 3, 4),
    )  # fmt: skip
    assert claim.valid_until == date(2029, 3, 4) and claim.state == ClaimState.SUBMITTED
    [document] = claim.documents.all()
    assert (document.name, document.content_type) == ("open-badge.json", "application/vc+ld+json")
    with document.file.open("rb") as file:
        assert file.read() == badge_file()
    assert claim_badge(badge=found, by=ana, competency=competency(needed, "B"), rank=2) == claim
    assert not ana.evidence.exists()  # it counts for nothing until somebody has decided


def test_a_badge_is_handed_in_once(ana, needed):
    found = check_badge(person=ana, data=badge_file())
    claim = claim_badge(badge=found, by=ana, competency=competency(needed, "A"), rank=3)
    for data in (badge_file(), badge_file(name="The same id, said otherwise")):
        with pytest.raises(BadgeRefused, match="handed in this badge already"):
            check_badge(person=ana, data=data)
    take_back_claim(claim=claim, by=ana)
    again = check_badge(person=ana, data=badge_file())
    assert claim_badge(badge=again, by=ana, competency=competency(needed, "A"), rank=3) != claim
    assert sorted(ImportedBadge.objects.values_list("turn", flat=True)) == [1, 2]


def test_a_badge_that_counts_for_somebody_else_is_refused_without_a_name(ana, needed):
    bea = make_person("Bea Rojas")
    hers, mine = check_badge(person=bea, data=badge_file()), check_badge(person=ana, data=badge_file())
    claim = claim_badge(badge=hers, by=bea, competency=competency(needed, "A"), rank=3)
    for act in (
        lambda: check_badge(person=ana, data=badge_file()),
        lambda: claim_badge(badge=mine, by=ana, competency=competency(needed, "A"), rank=3),
    ):
        with pytest.raises(BadgeRefused, match="another account") as caught:
            act()
        assert "Bea" not in str(caught.value)
    refuse_claim(claim=claim, by=make_person("Admin", is_superuser=True), answer="It names somebody else.")
    assert claim_badge(badge=mine, by=ana, competency=competency(needed, "A"), rank=3).person == ana


def test_two_accounts_at_the_same_moment_are_told_apart_by_the_database(ana, needed):
    bea = make_person("Bea Rojas")
    for person in (ana, bea):
        check_badge(person=person, data=badge_file())
    claim = claim_badge(badge=ImportedBadge.objects.get(person=ana), by=ana, competency=competency(needed, "A"), rank=3)
    other = Claim.objects.get(pk=claim.pk)
    other.pk, other.token, other.person = None, "other", bea
    other.save()
    row = ImportedBadge.objects.get(person=bea)
    row.claim, row.turn = other, 1
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


# --- Pages -------------------------------------------------------------------------------------------------------
def hand_in(client, data: bytes, name="badge.json"):
    return client.post(reverse("import_badge"), {"badge": SimpleUploadedFile(name, data)})


def test_from_file_to_claim(client, ana, needed):
    subject = {"identifier": [identity(ana.email, "emailAddress", hashed=True, salt="x")]}
    client.force_login(ana)
    response = hand_in(client, badge_file(subject=subject))
    words = words_of(client.get(response.url))
    for part in (
        "Genuine, issuer not known here", "It was given to the e-mail address of this account.",
        "Cyber risk for boards", "Ministry of Digital Affairs", "4 March 2026", "Cyber risk governance",
    ):  # fmt: skip
        assert part in words
    assert client.get(response.url + "?competency=").status_code == 422
    page = f"{response.url}?competency={competency(needed, 'A').pk}"
    assert "Which level does it show?" in words_of(client.get(page))
    assert client.post(page, {}).status_code == 422
    done = client.post(page, {"rank": "3", "statement": ""})
    claim = Claim.objects.get()
    assert done.url == reverse("my_claim", args=[claim.pk])
    assert "What the check of the badge found" in words_of(client.get(done.url))
    assert client.get(response.url).url == done.url  # it is a claim now


def test_the_assessor_reads_what_was_found_and_whom_it_names(client, ana, needed):
    found = check_badge(person=ana, data=badge_file())
    claim = claim_badge(badge=found, by=ana, competency=competency(needed, "A"), rank=3, statement="Genuine, I swear")
    client.force_login(make_person("Admin", is_superuser=True))
    words = words_of(client.get(reverse("assess_claim", args=[claim.pk])))
    assert "Genuine, issuer not known here" in words
    assert "It names somebody else than this account does: José Ángel Muñoz." in words


def test_nobody_reads_the_badge_of_another(client, ana, needed):
    found = check_badge(person=ana, data=badge_file())
    client.force_login(make_person("Admin", is_superuser=True))
    page = reverse("imported_badge", args=[found.pk])
    assert client.get(page).status_code == client.post(page + "?competency=1").status_code == 404


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty."),
        (b"hello", "Not readable There is no badge in this file."),
        (json.dumps(badge() | {"name": "Another"}).encode(), "Not genuine It was changed after it was signed"),
    ],
)
def test_what_is_refused_is_said_on_the_page(client, ana, data, sentence):
    client.force_login(ana)
    response = hand_in(client, data)
    assert response.status_code == 422
    assert sentence in words_of(response)


def test_hostile_words_in_a_badge_stay_words(client, ana, needed):
    document = badge()
    achievement = document["credentialSubject"]["achievement"] | {"name": "<script>alert(1)</script>\u202e"}
    document = badge(
        subject={"achievement": achievement}, issuer={"id": ELSEWHERE, "type": ["Profile"], "name": "<b>x</b>"}
    )
    client.force_login(ana)
    page = client.get(hand_in(client, json.dumps(document).encode()).url).content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;" in page and "<b>x</b>" not in page


@pytest.mark.parametrize("competency_id", ["0", "99999999999999999999999", "x", "-1", "%00"])
def test_a_competency_that_is_none_is_asked_for_again_or_not_found(client, ana, needed, competency_id):
    found = check_badge(person=ana, data=badge_file())
    client.force_login(ana)
    assert client.get(f"{reverse('imported_badge', args=[found.pk])}?competency={competency_id}").status_code in (
        404,
        422,
    )
    assert client.post(f"{reverse('imported_badge', args=[found.pk])}?competency={competency_id}").status_code == 404


def test_without_a_role_and_a_match_the_page_says_what_to_do(client, ana):
    client.force_login(ana)
    assert "No competency to choose from" in words_of(client.get(hand_in(client, badge_file()).url))
