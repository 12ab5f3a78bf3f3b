"""Documents as the platform issues them: signed, with the credential inside, and judged by readers of others."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from django.core.management import CommandError, call_command
from pypdf import PdfReader

from certificates import issuer
from certificates.credentials.keys import Kind
from certificates.models import Certificate, IssuerKey
from certificates.papers import Press, certificates_in, paper_signer
from certificates.pdf.judging import SignatureState, code_in, credential_in, judge_signatures
from certificates.services import complete, issue_certificates
from certificates.verdicts import believed_claim
from organisations.key_folder import KeyMissing
from tests.certificates.builders import NOON, build_certificate, build_completed, build_person, read_document

pytestmark = pytest.mark.django_db
PDFSIG = shutil.which("pdfsig")


@pytest.fixture(autouse=True)
def keys(settings, tmp_path):
    settings.ISSUER_KEY_DIR = str(tmp_path / "keys")
    call_command("issuer_keys", "create", verbosity=0)


def ours() -> list[bytes]:
    return [der for row in IssuerKey.objects.all() for der in certificates_in(row.chain)]


def test_a_paper_is_issued_signed_with_its_credential_inside():
    certificate = build_certificate()
    paper = read_document(certificate)
    assert judge_signatures(paper, trusted=ours()).state == SignatureState.OURS
    assert code_in(paper) == certificate.code
    assert credential_in(paper) == certificate.credential.document.encode()
    assert PdfReader(BytesIO(paper)).pages[0].extract_text()


def test_a_changed_digit_is_noticed():
    paper = read_document(build_certificate())
    place = paper.index(b"/CreationDate") + 20
    changed = paper[:place] + (b"1" if paper[place : place + 1] != b"1" else b"2") + paper[place + 1 :]
    assert judge_signatures(changed, trusted=ours()).state == SignatureState.CHANGED


@pytest.mark.skipif(PDFSIG is None, reason="pdfsig is not here (poppler-utils)")
def test_pdfsig_finds_it_whole_and_a_changed_digit_broken(tmp_path):
    paper = read_document(build_certificate())
    changed = paper.replace(b"/CreationDate (D:2026", b"/CreationDate (D:2027")
    assert changed != paper

    def said(content: bytes) -> str:
        (tmp_path / "paper.pdf").write_bytes(content)
        done = subprocess.run(
            ["pdfsig", "-nocert", "paper.pdf"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout + done.stderr

    good = said(paper)
    assert "Signature is Valid." in good and "Total document signed" in good and "ETSI.CAdES.detached" in good
    assert "Digest Mismatch" in said(changed)


def test_the_same_certificate_at_the_same_moment_gives_the_same_bytes():
    (certificate,) = issue_certificates(enrolments=[build_completed()], at=NOON, documents=False)
    claim = believed_claim(certificate)
    assert Press(NOON).paper(claim, "{}") == Press(NOON).paper(claim, "{}")


def test_without_a_key_for_papers_they_are_issued_unsigned():
    IssuerKey.objects.filter(kind=Kind.P256.value).update(
        retired_on=NOON.date() - timedelta(days=900), created_on=NOON.date() - timedelta(days=999)
    )
    assert paper_signer() is None
    assert judge_signatures(read_document(build_certificate()), trusted=ours()).state == SignatureState.UNSIGNED


def test_when_the_key_is_lost_papers_wait_for_the_next_one_instead_of_going_out_unsigned(settings):
    for path in Path(settings.ISSUER_KEY_DIR).iterdir():
        path.unlink()
    (certificate,) = issue_certificates(enrolments=[build_completed()], at=NOON, documents=False)
    with pytest.raises(KeyMissing):
        complete([certificate])
    assert not Certificate.objects.get().document
    call_command("issuer_keys", "create", verbosity=0)
    complete([certificate])
    paper = read_document(Certificate.objects.get())
    assert judge_signatures(paper, trusted=ours()).state == SignatureState.OURS
    assert credential_in(paper) is not None


def test_an_administrator_is_told_that_nothing_is_signed(client, settings):
    root = build_person("Root", is_superuser=True)
    client.force_login(root)
    assert "Nothing is signed" not in client.get("/hr/certificates/").content.decode()
    Path(settings.ISSUER_KEY_DIR).chmod(0o777)
    assert "Nothing is signed" in client.get("/hr/certificates/").content.decode()


def test_a_signature_can_be_seen_where_the_settings_say_so(settings):
    settings.PAPER_SIGNATURE_VISIBLE = True
    assert judge_signatures(read_document(build_certificate()), trusted=ours()).state == SignatureState.OURS


def test_after_a_rotation_papers_of_the_old_key_are_still_ours():
    old = read_document(build_certificate())
    call_command("issuer_keys", "rotate", verbosity=0)
    new = read_document(build_certificate())
    assert {judge_signatures(paper, trusted=ours()).state for paper in (old, new)} == {SignatureState.OURS}
    assert judge_signatures(old, trusted=ours()).signer != judge_signatures(new, trusted=ours()).signer


# --- A certificate of an authority -------------------------------------------------------------------------------
class Authority:
    """A certification authority, as a ministry of the interior may run one."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Root of the State")])
        self.own = self.certify(self.private.public_key(), self.name)

    def certify(self, public, name):
        now = datetime.now(UTC)
        made = x509.CertificateBuilder().subject_name(name).issuer_name(self.name).public_key(public)
        made = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        return made.not_valid_after(now + timedelta(days=900)).sign(self.private, hashes.SHA256())


def test_an_authority_certifies_the_key_and_its_chain_goes_with_every_paper(tmp_path, capsys):
    key_id = IssuerKey.objects.get(kind=Kind.P256.value).key_id
    call_command("issuer_keys", "request", key_id)
    asked = x509.load_pem_x509_csr(capsys.readouterr().out.encode())
    assert asked.is_signature_valid
    authority = Authority()
    answer = authority.certify(asked.public_key(), asked.subject)
    chain = tmp_path / "chain.pem"
    chain.write_bytes(answer.public_bytes(Encoding.PEM) + authority.own.public_bytes(Encoding.PEM))
    call_command("issuer_keys", "install", key_id, str(chain), verbosity=0)

    judged = judge_signatures(read_document(build_certificate()), trusted=ours())
    assert judged.state == SignatureState.OURS
    assert judged.signer == answer.public_bytes(Encoding.DER)
    assert issuer.hand(Kind.P256).row.key_id == key_id


def test_what_is_no_chain_of_this_key_is_refused_and_nothing_is_changed(tmp_path):
    row = IssuerKey.objects.get(kind=Kind.P256.value)
    authority, stranger = Authority(), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Somebody")])
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), row.key.raw)
    files = {
        "not text at all": b"\xff\x00",
        "empty": b"",
        "of another key": authority.certify(stranger.public_key(), name).public_bytes(Encoding.PEM),
        "not issued by what follows": authority.certify(point, name).public_bytes(Encoding.PEM)
        + Authority().own.public_bytes(Encoding.PEM),
    }
    for content in files.values():
        (tmp_path / "chain.pem").write_bytes(content)
        with pytest.raises(CommandError):
            call_command("issuer_keys", "install", row.key_id, str(tmp_path / "chain.pem"), verbosity=0)
    assert IssuerKey.objects.get(pk=row.pk).chain == row.chain
