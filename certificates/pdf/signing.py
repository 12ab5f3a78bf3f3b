"""Papers signed as PAdES (ETSI EN 319 142-1, baseline B-B, with a time stamp B-T), by pyHanko.

The signature covers the whole file and certifies it: any later change, even a second signature, breaks it (DocMDP 1).
The private key stays in its store, which is asked for one signature a paper. The same paper, signer and moment give the
same bytes where the store signs deterministically (RFC 6979), as FileKeyStore does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from typing import Any

from asn1crypto import algos, cms, x509
from django.utils.translation import gettext as _
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.sign.fields import InvisSigSettings, MDPPerm, SigFieldSpec, SigSeedSubFilter, VisibleSigSettings
from pyhanko.sign.general import as_signing_certificate_v2, simple_cms_attribute
from pyhanko.sign.signers import Signer
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigMDPSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from certificates.credentials.keys import as_der
from certificates.pdf.palette import QUIET
from certificates.pdf.typesetting import TEXT, Fonts, clip, letters
from certificates.words import date_in_words
from organisations.paper import settable

FIELD = "Signature"
STRIP = (230.0, 11.0)  # how large a visible signature is, points
STAMP_ROOM = 12_000  # bytes a time stamp may take with its certificates


class Unsignable(ValueError):
    """The paper is no PDF that can take a signature."""


@dataclass(frozen=True)
class PaperSigner:
    """Who signs. `chain`: DER certificates, the signer's first. `sign`: ECDSA P-256 with SHA-256 of a message, 64 bytes."""

    chain: tuple[bytes, ...]
    sign: Callable[[bytes], bytes]


def sign_pdf(
    content: bytes,
    *,
    signer: PaperSigner,
    at: datetime,
    reason: str = "",
    visible: bool = False,
    timestamper: TimeStamper | None = None,
) -> bytes:
    """The paper with a signature appended, dated `at` (aware).

    `timestamper` (pyHanko's) is asked for a token over the network and lifts it to B-T. A visible signature is one line
    in the lower right corner, in the language that is switched on. Raises Unsignable.
    """
    if at.tzinfo is None:
        raise ValueError("a signature's moment needs its time zone")
    try:
        writer = _Writer(BytesIO(content))
        writer.give_id(sha256(content + at.isoformat().encode()).digest()[:16])
        box = _box(writer) if visible else None
        embedder = PdfCMSEmbedder(new_field_spec=_field(box))
        steps = embedder.write_cms(FIELD, writer)
        field = next(steps).get_object()
        if box is not None:
            _draw(writer, field, box, signer, at)
        reserved = 2 * (sum(len(one) for one in signer.chain) + 900 + (STAMP_ROOM if timestamper else 0))
        steps.send(
            SigObjSetup(
                sig_placeholder=SignatureObject(
                    timestamp=at, subfilter=SigSeedSubFilter.PADES, reason=reason or None, bytes_reserved=reserved
                ),
                mdp_setup=SigMDPSetup(md_algorithm="sha256", certify=True, docmdp_perms=MDPPerm.NO_CHANGES),
            )
        )
        digest, output = steps.send(SigIOSetup(md_algorithm="sha256"))
    except (PdfError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise Unsignable(str(error)) from error
    signed = _signed(signer, digest.document_digest, timestamper)
    digest.fill_with_cms(output, signed)
    return bytes(output.getvalue())


class _Writer(IncrementalPdfFileWriter):
    """As pyHanko's, but nothing in it depends on chance or on the day it is run."""

    def _update_meta(self) -> None:
        """Metadata stay as they were issued: pyHanko would put the present moment and its own name there."""

    def give_id(self, second: bytes) -> None:
        """An identifier of this revision; pyHanko draws one."""
        try:
            first = self.prev.trailer["/ID"][0]
        except (KeyError, IndexError):
            first = generic.ByteStringObject(second)
        self._document_id = generic.ArrayObject([first, generic.ByteStringObject(second)])


def _signed(signer: PaperSigner, digest: bytes, timestamper: TimeStamper | None) -> bytes:
    """The CMS signature of a document's digest.

    Writing it down by asn1crypto takes twice as long as all the rest. Of one signer only the digest and the signature
    differ, both of known lengths, so the rest is written once and the two are put into their places.
    """
    attributes = _attributes(signer.chain[0], _ANY_DIGEST).replace(_ANY_DIGEST, digest)
    signature = as_der(signer.sign(attributes))
    if timestamper is None:
        return (
            _template(signer.chain, len(signature))
            .replace(_ANY_DIGEST, digest)
            .replace(_any(len(signature)), signature)
        )
    whole = _Fixed(signer.chain, signature).async_sign_prescribed_attributes(
        "sha256", cms.CMSAttributes.load(attributes), timestamper=timestamper
    )
    return bytes(asyncio.run(whole).dump())


@lru_cache(maxsize=32)
def _attributes(certificate: bytes, digest: bytes) -> bytes:
    """What is signed (EN 319 142-1, 6.3): no time, which stands in the document, but the certificate's digest."""
    values = (
        ("content_type", "data"),
        ("message_digest", digest),
        ("signing_certificate_v2", as_signing_certificate_v2(_certificate(certificate))),
        (
            "cms_algorithm_protection",
            cms.CMSAlgorithmProtection(
                {"digest_algorithm": {"algorithm": "sha256"}, "signature_algorithm": _MECHANISM}
            ),
        ),
    )
    return bytes(cms.CMSAttributes([simple_cms_attribute(name, value) for name, value in values]).dump())


@lru_cache(maxsize=64)
def _template(chain: tuple[bytes, ...], length: int) -> bytes:
    """The CMS of a signer with marks where the digest and a signature of this length go."""
    attributes = cms.CMSAttributes.load(_attributes(chain[0], _ANY_DIGEST))
    work = _Fixed(chain, _any(length)).async_sign_prescribed_attributes("sha256", attributes)
    try:
        work.send(None)  # nothing is waited for, so no event loop is needed
    except StopIteration as done:
        written = bytes(done.value.dump())
    if written.count(_ANY_DIGEST) != 1 or written.count(_any(length)) != 1:
        raise Unsignable("the certificate holds what marks a place")
    return written


_ANY_DIGEST = sha256(b"where the digest of the document goes").digest()


@lru_cache(maxsize=64)
def _any(length: int) -> bytes:
    """A mark of this length: no certificate holds it."""
    return (sha256(b"where the signature goes").digest() * 4)[:length]


class _Fixed(Signer):
    """pyHanko's signer around a signature made before."""

    def __init__(self, chain: tuple[bytes, ...], signature: bytes) -> None:
        first, *others = (_certificate(one) for one in chain)
        registry = SimpleCertificateStore()
        registry.register_multiple(others)
        super().__init__(signing_cert=first, cert_registry=registry, signature_mechanism=_MECHANISM)
        self._signature = signature

    async def unsigned_attrs(
        self,
        digest_algorithm: str,
        signature: bytes,
        signed_attrs: cms.CMSAttributes,
        timestamper: Any = None,
        dry_run: bool = False,
    ) -> cms.CMSAttributes | None:
        if timestamper is None:  # pyHanko's own would ask for an event loop to gather nothing
            return None
        return await super().unsigned_attrs(digest_algorithm, signature, signed_attrs, timestamper, dry_run)

    async def async_sign_raw(self, data: bytes, digest_algorithm: str, dry_run: bool = False) -> bytes:
        return self._signature


_MECHANISM = algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})


@lru_cache(maxsize=32)
def _certificate(der: bytes) -> x509.Certificate:
    return x509.Certificate.load(der, strict=True)


# --- What is seen ------------------------------------------------------------------------------------------------
def _field(box: tuple[int, int, int, int] | None) -> SigFieldSpec:
    # Printed even where invisible: the archive profile allows no hidden annotations.
    return SigFieldSpec(
        FIELD,
        box=box,
        invis_sig_settings=InvisSigSettings(set_hidden_flag=False, set_print_flag=True, box_out_of_bounds=False),
        visible_sig_settings=VisibleSigSettings(rotate_with_page=False, scale_with_page_zoom=True),
    )


def _box(writer: IncrementalPdfFileWriter) -> tuple[int, int, int, int]:
    page = writer.root["/Pages"]["/Kids"][0]
    left, _bottom, right, _top = (float(n) for n in page["/MediaBox"])
    edge = right - 58 if right - left > 700 else right - 64
    return round(edge - STRIP[0]), 34, round(edge), round(34 + STRIP[1])


def _draw(
    writer: IncrementalPdfFileWriter,
    field: generic.DictionaryObject,
    box: tuple[int, int, int, int],
    signer: PaperSigner,
    at: datetime,
) -> None:
    """One line of text, in a font of the document's own making, as the appearance of the field."""
    name = str(_certificate(signer.chain[0]).subject.native.get("common_name", ""))
    said = _("Signed digitally by %(name)s on %(day)s") % {"name": name, "day": date_in_words(at.date())}
    width, height = box[2] - box[0], box[3] - box[1]
    block = clip(settable(said, letters())[0], TEXT, width - 4, ((7.5, 1), (6.5, 1), (5.5, 1)))
    fonts = Fonts("S")
    line = block.lines[0]
    drawn = fonts.draw(line, width - 2 - line.width * block.size / 1000, 3, block.size)
    colour = " ".join(f"{part:.3f}" for part in QUIET)
    resources = generic.DictionaryObject()
    for use, font in fonts.objects():
        resources[pdf_name(f"/{use.resource}")] = _embedded(writer, font)
    form = generic.StreamObject(
        {
            pdf_name("/Type"): pdf_name("/XObject"),
            pdf_name("/Subtype"): pdf_name("/Form"),
            pdf_name("/BBox"): generic.ArrayObject(generic.FloatObject(n) for n in (0, 0, width, height)),
            pdf_name("/Resources"): generic.DictionaryObject({pdf_name("/Font"): resources}),
        },
        stream_data=f"{colour} rg {drawn}".encode("latin-1"),
    )
    field[pdf_name("/AP")] = generic.DictionaryObject({pdf_name("/N"): writer.add_object(form)})
    # What a screen reader says of it.
    field[pdf_name("/TU")] = generic.pdf_string(said)


def _embedded(writer: IncrementalPdfFileWriter, font: Any) -> generic.IndirectObject:
    program = generic.StreamObject(
        {pdf_name("/Length1"): generic.NumberObject(len(font.program))}, stream_data=font.program
    )
    program.compress()
    descriptor = _dictionary(font.descriptor)
    descriptor[pdf_name("/FontFile2")] = writer.add_object(program)
    descendant = _dictionary(font.descendant)
    descendant[pdf_name("/FontDescriptor")] = writer.add_object(descriptor)
    descendant[pdf_name("/CIDToGIDMap")] = writer.add_object(_packed(font.glyph_map))
    whole = _dictionary(font.font)
    whole[pdf_name("/DescendantFonts")] = generic.ArrayObject([writer.add_object(descendant)])
    whole[pdf_name("/ToUnicode")] = writer.add_object(_packed(font.to_unicode))
    return writer.add_object(whole)


def _packed(content: bytes) -> generic.StreamObject:
    return generic.StreamObject({pdf_name("/Filter"): pdf_name("/FlateDecode")}, encoded_data=content)


def _dictionary(text: str) -> generic.DictionaryObject:
    """A dictionary as typesetting writes it down, read by pyHanko."""
    return generic.DictionaryObject.read_from_stream(BytesIO(f"<<{text}>>".encode()), generic.Reference(1, 0, None))
