"""Signed papers: what others say of them, what we say of them, and what becomes of both when a byte changes."""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from asn1crypto import x509
from cryptography import x509 as others_x509
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from pypdf import PdfReader, PdfWriter

from certificates.credentials.keys import FileKeyStore, Kind, MalformedKey
from certificates.pdf import render_pdf
from certificates.pdf.judging import SignatureState, code_in, credential_in, judge_signatures
from certificates.pdf.merging import merge_pdfs
from certificates.pdf.signing import PaperSigner, Unsignable, sign_pdf
from certificates.pdf.x509 import self_signed, signing_request
from certificates.record import Look
from tests.certificates.builders import claim

AT = datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
NAMES = {"name": "Ministry of Digital Affairs – seal", "organisation": "Ministry of Digital Affairs", "country": "ES"}
CREDENTIAL = b'{"type": ["VerifiableCredential"]}'
needs_pdfsig = pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler-utils is not installed")


def make_signer(folder, on: date = date(2026, 1, 1), **changes: Any) -> PaperSigner:
    store = FileKeyStore(folder)
    key = store.create(Kind.P256, on=on)
    sign = partial(store.sign, key.key_id)
    return PaperSigner((self_signed(key.key, sign=sign, on=on, **(NAMES | changes)),), sign)


@pytest.fixture(scope="module")
def signer(tmp_path_factory) -> PaperSigner:
    return make_signer(tmp_path_factory.mktemp("keys") / "ours")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory) -> PaperSigner:
    return make_signer(tmp_path_factory.mktemp("keys") / "other")


@pytest.fixture(scope="module")
def paper(signer) -> bytes:
    return sign_pdf(render_pdf(claim(), credential=CREDENTIAL), signer=signer, at=AT, reason="Certificate 2026-000123")


def state(content: bytes, signer: PaperSigner) -> SignatureState:
    return judge_signatures(content, trusted=[signer.chain[0]]).state


def of_others(content: bytes, signer: PaperSigner) -> Any:
    (signature,) = PdfFileReader(BytesIO(content)).embedded_signatures
    roots = [x509.Certificate.load(signer.chain[0])]
    return validate_pdf_signature(signature, ValidationContext(trust_roots=roots, allow_fetching=False))


def gap_of(content: bytes) -> tuple[int, int]:
    match = re.search(rb"/ByteRange \[0 (\d+) (\d+) ", content)
    assert match
    return int(match[1]), int(match[2])


# --- What others say -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("visible", [False, True])
@pytest.mark.parametrize("design", ["formal", "plain"])
def test_pyhanko_finds_our_signature_valid_trusted_and_of_the_whole_file(signer, visible, design):
    content = sign_pdf(render_pdf(claim(look=Look(design))), signer=signer, at=AT, visible=visible)
    verdict = of_others(content, signer)
    assert verdict.bottom_line
    assert verdict.coverage.name == "ENTIRE_FILE"
    assert verdict.signer_reported_dt == AT
    assert verdict.docmdp_ok


def test_pyhanko_finds_a_changed_digit_invalid(paper, signer):
    changed = paper.replace(b"<pdf:Keywords>2026-000123", b"<pdf:Keywords>2026-000124")
    assert changed != paper
    assert not of_others(changed, signer).bottom_line


def run_pdfsig(content: bytes, folder) -> str:
    path = folder / "paper.pdf"
    path.write_bytes(content)
    return subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, text=True).stdout


@needs_pdfsig
@pytest.mark.parametrize("visible", [False, True])
def test_pdfsig_finds_our_signature_valid(signer, visible, tmp_path):
    said = run_pdfsig(sign_pdf(render_pdf(claim()), signer=signer, at=AT, visible=visible), tmp_path)
    assert "Signature Validation: Signature is Valid." in said
    assert "ETSI.CAdES.detached" in said
    assert "Total document signed" in said


@needs_pdfsig
def test_pdfsig_finds_a_changed_digit_invalid(paper, tmp_path):
    changed = paper.replace(b"<pdf:Keywords>2026-000123", b"<pdf:Keywords>2026-000124")
    assert changed != paper
    assert "Signature is Valid" not in run_pdfsig(changed, tmp_path)


def test_the_signature_allows_no_changes_at_all(paper):
    root = PdfReader(BytesIO(paper)).trailer["/Root"]
    (reference,) = root["/Perms"]["/DocMDP"]["/Reference"]
    assert reference["/TransformMethod"] == "/DocMDP"
    assert reference["/TransformParams"]["/P"] == 1


def test_an_invisible_signature_is_still_printed_as_archives_ask(paper):
    (widget,) = (a.get_object() for a in PdfReader(BytesIO(paper)).pages[0]["/Annots"] if a["/Subtype"] == "/Widget")
    assert widget["/F"] & 2 == 0
    assert widget["/F"] & 4


def test_a_visible_signature_has_its_words_and_its_own_font(signer):
    content = sign_pdf(render_pdf(claim()), signer=signer, at=AT, visible=True)
    (widget,) = (a.get_object() for a in PdfReader(BytesIO(content)).pages[0]["/Annots"] if a["/Subtype"] == "/Widget")
    assert widget["/TU"] == "Signed digitally by Ministry of Digital Affairs – seal on 4 March 2026"
    (font,) = widget["/AP"]["/N"]["/Resources"]["/Font"].values()
    assert "/FontFile2" in font["/DescendantFonts"][0]["/FontDescriptor"]


def test_the_same_paper_signer_and_moment_give_the_same_bytes(signer, paper):
    again = sign_pdf(render_pdf(claim(), credential=CREDENTIAL), signer=signer, at=AT, reason="Certificate 2026-000123")
    assert again == paper
    assert (
        paper.count(b"/Metadata") == render_pdf(claim(), credential=CREDENTIAL).count(b"/Metadata") + 1
    )  # the catalogue's
    later = datetime(2026, 3, 4, 9, 31, tzinfo=UTC)
    assert sign_pdf(render_pdf(claim()), signer=signer, at=later) != paper


def test_many_signatures_of_different_lengths_all_hold(signer):
    """ECDSA gives 70 to 72 bytes, now and then fewer: each length has its own mould."""
    lengths = set()
    for number in range(24):
        content = sign_pdf(render_pdf(claim(serial=f"2026-{number:06d}")), signer=signer, at=AT)
        start, end = gap_of(content)
        lengths.add(len(content[start:end].rstrip(b"0>")))
        assert state(content, signer) is SignatureState.OURS
    assert len(lengths) > 1


def test_a_time_stamp_lifts_the_signature_to_b_t(signer):
    from asn1crypto import keys
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    private = rsa.generate_private_key(65537, 2048)  # pyHanko's dummy knows no other
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    name = others_x509.Name([others_x509.NameAttribute(others_x509.oid.NameOID.COMMON_NAME, "Clock")])
    from cryptography.hazmat.primitives import hashes

    certificate = (
        others_x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2026, 1, 1))
        .not_valid_after(datetime(2036, 1, 1))
        .add_extension(others_x509.ExtendedKeyUsage([others_x509.oid.ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .sign(private, hashes.SHA256())
    )
    clock = DummyTimeStamper(
        tsa_cert=x509.Certificate.load(certificate.public_bytes(Encoding.DER)),
        tsa_key=keys.PrivateKeyInfo.load(der),
        certs_to_embed=SimpleCertificateStore(),
        fixed_dt=AT,
    )
    content = sign_pdf(render_pdf(claim()), signer=signer, at=AT, timestamper=clock)
    assert state(content, signer) is SignatureState.OURS
    (signature,) = PdfFileReader(BytesIO(content)).embedded_signatures
    assert [a["type"].native for a in signature.signer_info["unsigned_attrs"]] == ["signature_time_stamp_token"]


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"%PDF-1.7\n%%EOF", b"no paper"])
def test_what_is_no_paper_is_not_signed(content, signer):
    with pytest.raises(Unsignable):
        sign_pdf(content, signer=signer, at=AT)


# --- What we say -----------------------------------------------------------------------------------------------
def test_our_paper_is_ours_with_its_moment_and_signer(paper, signer):
    judgement = judge_signatures(paper, trusted=[signer.chain[0]])
    assert judgement.state is SignatureState.OURS
    assert judgement.signed_at == AT
    assert judgement.signer == signer.chain[0]
    assert judgement.name == "Ministry of Digital Affairs – seal"


def test_a_paper_without_signature_is_unsigned(signer):
    assert state(render_pdf(claim()), signer) is SignatureState.UNSIGNED


def test_a_title_that_speaks_of_byte_ranges_is_no_signature(signer):
    trap = "/ByteRange [0 10 20 30] /Contents <00>"
    content = render_pdf(claim(title=trap, holder=trap))
    signed = sign_pdf(content, signer=signer, at=AT, reason=trap)
    assert state(signed, signer) is SignatureState.OURS


def test_a_paper_somebody_else_signed_is_by_somebody_unknown(signer, stranger):
    content = sign_pdf(render_pdf(claim()), signer=stranger, at=AT)
    assert state(content, signer) is SignatureState.UNKNOWN
    # The name is the stranger's own choice: the same as ours here.
    assert judge_signatures(content, trusted=[]).name == "Ministry of Digital Affairs – seal"


@pytest.mark.parametrize(
    ("on", "years", "expected"),
    [
        (date(2025, 3, 5), 1, SignatureState.OURS),  # expired since, not when it signed
        (date(2024, 3, 1), 1, SignatureState.UNKNOWN),
        (date(2026, 3, 5), 1, SignatureState.UNKNOWN),
    ],
)
def test_a_certificate_counts_as_of_the_moment_of_signing(on, years, expected, tmp_path):
    signer = make_signer(tmp_path / "keys", on=on, years=years)
    assert state(sign_pdf(render_pdf(claim()), signer=signer, at=AT), signer) is expected


@settings(max_examples=300, deadline=None)
@given(place=st.integers(0, 10**9), flip=st.integers(1, 255))
def test_no_byte_outside_the_signature_may_change(paper, signer, place, flip):
    start, end = gap_of(paper)
    covered = [*range(start), *range(end, len(paper))]
    changed = bytearray(paper)
    changed[covered[place % len(covered)]] ^= flip
    assert state(bytes(changed), signer) is not SignatureState.OURS


def test_a_changed_digit_is_a_changed_paper(paper, signer):
    changed = paper.replace(b"<pdf:Keywords>2026-000123", b"<pdf:Keywords>2026-000124")
    assert state(changed, signer) is SignatureState.CHANGED


def test_a_signature_moved_to_another_paper_is_changed(paper, signer):
    other = sign_pdf(render_pdf(claim(holder="Eve"), credential=CREDENTIAL), signer=signer, at=AT, reason="x")
    (start, end), (other_start, other_end) = gap_of(paper), gap_of(other)
    assert end - start == other_end - other_start
    assert state(other[:other_start] + paper[start:end] + other[other_end:], signer) is SignatureState.CHANGED


def test_anything_after_the_signature_is_a_change(paper, signer):
    writer = IncrementalPdfFileWriter(BytesIO(paper))
    writer.root["/Lang"] = writer.root["/Lang"]
    writer.update_root()
    updated = BytesIO()
    writer.write(updated)
    for content in (updated.getvalue(), paper + b"\n", paper + b"\n%%EOF\n", paper + paper):
        assert state(content, signer) is SignatureState.CHANGED


def test_a_second_signature_by_somebody_else_is_a_change(paper, signer, stranger, monkeypatch):
    from certificates.pdf import signing

    monkeypatch.setattr(signing, "FIELD", "Another")
    again = sign_pdf(paper, signer=stranger, at=AT)
    assert len(PdfFileReader(BytesIO(again)).embedded_signatures) == 2
    assert state(again, signer) is SignatureState.CHANGED


def test_a_paper_saved_anew_has_lost_its_signature(paper, signer):
    saved = BytesIO()
    PdfWriter(clone_from=PdfReader(BytesIO(paper))).write(saved)
    assert state(saved.getvalue(), signer) in (SignatureState.CHANGED, SignatureState.UNSIGNED)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_paper_cut_off_is_never_ours(paper, signer, share):
    assert state(paper[: int(len(paper) * share)], signer) in (SignatureState.CHANGED, SignatureState.UNREADABLE)


def bomb() -> bytes:
    packed = zlib.compress(bytes(60_000_000), 9)
    head = b"<</Type/EmbeddedFile/Subtype/application#2Fjson/Filter/FlateDecode/Length %d>>\nstream\n" % len(packed)
    return b"1 0 obj\n" + head + packed + b"\nendstream\n"


TRAPS: dict[str, Callable[[], bytes]] = {
    "nothing but a head": lambda: b"",
    "deep": lambda: b"1 0 obj\n" + b"[" * 200_000 + b"]" * 200_000,
    "huge table": lambda: b"xref\n0 999999999\ntrailer<</Size 999999999/Prev 9>>\nstartxref\n9",
    "itself": lambda: b"1 0 obj 1 0 R endobj trailer<</Root 1 0 R>>\nstartxref\n0",
    "bomb": bomb,
    "many ranges": lambda: b"/ByteRange [0 1 2 3]" * 100_000,
    "spaces": lambda: (b"/ByteRange" + b" " * 5_000) * 900,
    "beyond": lambda: b"/Contents<00>/ByteRange [0 9999999999 9999999999 9999999999]",
    "keywords": lambda: b"<pdf:Keywords>" * 300_000,
    "strings": lambda: b"/Keywords (" * 300_000,
    "files": lambda: b"/Type/EmbeddedFile " * 300_000,
    "too large": lambda: bytes(10_000_001),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_traps_get_a_verdict_and_nothing_is_unpacked_for_them(trap, signer):
    content = b"%PDF-1.7\n" + TRAPS[trap]() + b"\n%%EOF"
    assert state(content, signer) is not SignatureState.OURS
    assert credential_in(content) is None
    assert code_in(content) is None


@pytest.mark.parametrize("packed", [b"30" * 90_000, b"30840000ffff" * 20_000, b"a080" * 40_000, b"00", b"3"])
def test_a_signature_that_is_none_is_a_change(packed, signer):
    head = b"%PDF-1.7\n1 0 obj<</Type/Sig/Contents"
    gap = b"<" + packed + b">"
    for tail_length in range(10, 99):
        tail = b"/ByteRange [0 %d %d %d]>>endobj\n%%%%EOF" % (len(head), len(head) + len(gap), tail_length)
        if len(tail) == tail_length:
            break
    assert state(head + gap + tail, signer) is SignatureState.CHANGED


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.binary(max_size=400))
def test_whatever_the_bytes_there_is_a_verdict(signer, first, second):
    for content in (first, b"%PDF-1.7" + first, b"%PDF-1.7 /Contents <" + first.hex().encode() + b">/ByteRange [0 20 "):
        assert judge_signatures(content + second, trusted=signer.chain).state in SignatureState
        code_in(content + second)
        credential_in(content + second)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**9), st.binary(min_size=1, max_size=8))
def test_whatever_stands_in_the_place_of_the_signature_there_is_a_verdict(paper, signer, place, bytes_):
    start, _end = gap_of(paper)
    at = start + 1 + place % 1200 * 2
    changed = paper[:at] + bytes_.hex().encode() + paper[at + len(bytes_) * 2 :]
    assert len(changed) == len(paper)
    assert judge_signatures(changed, trusted=signer.chain).state in SignatureState


# --- What it carries -------------------------------------------------------------------------------------------
def test_code_and_credential_are_found_signed_or_not(paper):
    assert code_in(paper) == code_in(render_pdf(claim())) == "7KQ2MXD4RF"
    assert credential_in(paper) == CREDENTIAL
    assert credential_in(render_pdf(claim())) is None


def test_a_code_that_is_none_is_not_found():
    assert code_in(b"%PDF-1.7 <pdf:Keywords>2026-000123, 7KQ2M-XD4RG</pdf:Keywords>") is None


def test_a_credential_larger_than_a_megabyte_is_left_where_it_is():
    assert credential_in(render_pdf(claim(), credential=b"{" + b" " * 1_000_000 + b"}")) is None


# --- Certificates ----------------------------------------------------------------------------------------------
def test_our_certificate_is_read_and_verified_by_others(signer):
    certificate = others_x509.load_der_x509_certificate(signer.chain[0])
    certificate.verify_directly_issued_by(certificate)
    assert certificate.not_valid_before_utc == datetime(2026, 1, 1, tzinfo=UTC)
    assert certificate.not_valid_after_utc == datetime(2036, 1, 1, 23, 59, 59, tzinfo=UTC)
    assert certificate.extensions.get_extension_for_class(others_x509.KeyUsage).value.content_commitment
    assert not certificate.extensions.get_extension_for_class(others_x509.BasicConstraints).value.ca


def test_the_same_key_and_words_give_the_same_certificate(tmp_path):
    store = FileKeyStore(tmp_path / "keys")
    key = store.create(Kind.P256, on=date(2026, 1, 1))
    make = partial(self_signed, key.key, sign=partial(store.sign, key.key_id), on=date(2028, 2, 29), **NAMES)
    assert make() == make()
    assert make(years=1) != make()


def test_a_request_is_read_and_verified_by_others(tmp_path):
    store = FileKeyStore(tmp_path / "keys")
    key = store.create(Kind.P256, on=date(2026, 1, 1))
    request = others_x509.load_der_x509_csr(signing_request(key.key, sign=partial(store.sign, key.key_id), **NAMES))
    assert request.is_signature_valid
    assert "Ministry of Digital Affairs" in request.subject.rfc4514_string()


def test_other_keys_and_countries_are_refused(tmp_path):
    store = FileKeyStore(tmp_path / "keys")
    key = store.create(Kind.ED25519, on=date(2026, 1, 1))
    with pytest.raises(MalformedKey):
        self_signed(key.key, sign=bytes, on=date(2026, 1, 1), **NAMES)
    good = store.create(Kind.P256, on=date(2026, 1, 1))
    with pytest.raises(ValueError, match="capital letters"):
        self_signed(good.key, sign=bytes, on=date(2026, 1, 1), **(NAMES | {"country": "es"}))


# --- Many as one -----------------------------------------------------------------------------------------------
def test_many_papers_become_one_with_their_text_and_fonts(signer):
    names = [f"Person {number} José" for number in range(70)]
    papers = (sign_pdf(render_pdf(claim(holder=name)), signer=signer, at=AT) for name in names[:3])
    plain = (render_pdf(claim(holder=name, look=Look("plain"))) for name in names[3:])
    out = BytesIO()
    assert merge_pdfs([*papers, *plain], out) == 70
    merged = PdfReader(BytesIO(out.getvalue()))
    assert len(merged.pages) == 70
    for name, page in zip(names, merged.pages, strict=True):
        assert name in page.extract_text()
    assert state(out.getvalue(), signer) is SignatureState.UNSIGNED


def test_what_is_the_same_in_many_is_written_once():
    one, many = BytesIO(), BytesIO()
    merge_pdfs([render_pdf(claim())], one)
    merge_pdfs([render_pdf(claim(holder=f"P {n}")) for n in range(10)], many)
    assert len(many.getvalue()) < 8 * len(one.getvalue())


def test_nothing_to_merge_is_refused():
    with pytest.raises(ValueError, match="nothing to merge"):
        merge_pdfs([], BytesIO())
