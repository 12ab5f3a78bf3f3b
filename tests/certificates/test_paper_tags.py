"""What a screen reader, an archive and a machine find in the document: tags, metadata, colours, the file inside."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from lxml import etree
from pypdf import PdfReader

from certificates.pdf import render_pdf
from certificates.pdf.colour_profile import srgb_profile
from certificates.record import Claim, Look, Signatory
from tests.certificates.builders import claim, outcome

DESIGNS = pytest.mark.parametrize("design", ["formal", "plain"])


def rich(design: str, **changes: Any) -> Claim:
    values = {
        "look": Look(design),
        "holder": "محمد Muñoz",
        "signatories": (Signatory("Rosa Medina", "Minister"),),
        "criteria": "Pass the check.",
        "outcomes": (
            outcome("SR1", "Gobernanza del riesgo", 4),
            replace(outcome("SR2", "Incident command", 3), language="es"),
        ),
    }
    return claim(**(values | changes))


def root_of(content: bytes) -> Any:
    return PdfReader(BytesIO(content)).trailer["/Root"]


def walk(element: Any) -> list[Any]:
    """Elements of the structure tree in the order in which they are read."""
    kids = element.get("/K", [])
    found = [element] if "/S" in element else []
    for kid in kids if isinstance(kids, list) else [kids]:
        kid = kid.get_object()
        if isinstance(kid, dict) and kid.get("/Type") != "/OBJR":
            found += walk(kid)
    return found


@DESIGNS
def test_the_document_is_tagged_and_says_its_language(design):
    root = root_of(render_pdf(rich(design, language="es")))
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/Lang"] == "es"
    (document,) = root["/StructTreeRoot"]["/K"]
    assert document["/S"] == "/Document"
    assert document["/Lang"] == "es"


@DESIGNS
def test_headings_lists_and_figures_come_in_reading_order(design):
    roles = [element["/S"] for element in walk(root_of(render_pdf(rich(design)))["/StructTreeRoot"])]
    assert roles[0] == "/Document"
    assert roles.count("/H1") == 1
    assert roles.index("/H1") < roles.index("/H2") < roles.index("/L") < roles.index("/Figure")
    assert roles.count("/LI") == 2


@DESIGNS
def test_what_is_drawn_is_either_read_or_decoration(design):
    """Nothing shows outside of marked content, marked content is never within another, each mark has its element."""
    content = render_pdf(rich(design))
    operators = PdfReader(BytesIO(content)).pages[0].get_contents().get_data().decode("latin-1")
    depth, marks = 0, []
    for token in re.findall(r"<</MCID \d+>>|BDC|BMC|EMC|TJ|Tj|\bf\b|\bS\b|\bB\b|Do|[^\s]+", operators):
        if token.startswith("<</MCID "):
            marks.append(int(token[8:-2]))
        elif token in ("BDC", "BMC"):
            depth += 1
        elif token == "EMC":
            depth -= 1
        elif token in ("TJ", "Tj", "f", "S", "B", "Do"):
            assert depth == 1, token
        assert 0 <= depth <= 1
    root = root_of(content)
    parents = root["/StructTreeRoot"]["/ParentTree"]["/Nums"][1].get_object()
    assert marks == list(range(len(parents)))
    for mark, element in enumerate(parents):
        assert element.get_object()["/K"][0] == mark


@DESIGNS
def test_pictures_have_words_and_shaped_names_their_letters(design):
    elements = walk(root_of(render_pdf(rich(design)))["/StructTreeRoot"])
    for figure in (element for element in elements if element["/S"] == "/Figure"):
        assert "https://talent.gov.example/verify/7KQ2MXD4RF/" in figure["/Alt"]
        assert "/BBox" in figure["/A"]
    assert "محمد Muñoz" in [element.get("/ActualText") for element in elements]


def test_titles_in_another_language_say_so():
    elements = walk(root_of(render_pdf(rich("formal", title_language="fr")))["/StructTreeRoot"])
    assert {element.get("/Lang") for element in elements} == {None, "en", "fr", "es"}


@DESIGNS
def test_the_address_is_a_link_that_the_tags_know(design):
    content = render_pdf(rich(design))
    page = PdfReader(BytesIO(content)).pages[0]
    (annotation,) = (one.get_object() for one in page["/Annots"])
    assert annotation["/A"]["/URI"] == "https://talent.gov.example/verify/7KQ2MXD4RF/"
    assert annotation["/Contents"]
    assert page["/Tabs"] == "/S"
    numbers = root_of(content)["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    link = numbers[numbers.index(annotation["/StructParent"]) + 1].get_object()
    assert link["/S"] == "/Link"
    assert link["/K"][1]["/Obj"].get_object() == annotation


# --- Archive profile (PDF/A-3a) --------------------------------------------------------------------------------
def xmp_of(content: bytes) -> dict[str, str]:
    metadata = root_of(content)["/Metadata"].get_data()
    tree = etree.fromstring(re.sub(rb"<\?xpacket.*?\?>", b"", metadata).strip())
    return {
        etree.QName(element).localname: " ".join("".join(element.itertext()).split())
        for element in tree.iter()
        if isinstance(element.tag, str)
        and etree.QName(element).namespace != "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    }


@pytest.mark.parametrize("holder", ["José Ángel Muñoz", "محمد", "A & B <c>", "Zero\x00 and\ud800 half"])
def test_the_metadata_say_twice_the_same(holder):
    content = render_pdf(claim(holder=holder))
    told, xmp = PdfReader(BytesIO(content)).metadata, xmp_of(content)
    assert (xmp["part"], xmp["conformance"]) == ("3", "A")
    assert xmp["title"] == told.title
    assert xmp["creator"] == told.author
    assert xmp["description"] == told.subject
    assert xmp["Keywords"] == told["/Keywords"]
    assert xmp["Producer"] == told.producer
    assert xmp["CreatorTool"] == told.creator
    assert xmp["CreateDate"] == "2026-03-04T00:00:00Z"
    assert told.creation_date.date() == date(2026, 3, 4)


@DESIGNS
def test_colours_have_their_profile_and_nothing_of_the_device_alone(design):
    (intent,) = root_of(render_pdf(rich(design)))["/OutputIntents"]
    profile = intent["/DestOutputProfile"]
    assert intent["/S"] == "/GTS_PDFA1"
    assert profile["/N"] == 3
    assert profile.get_data() == srgb_profile()


def test_the_colour_profile_is_one_that_others_read():
    from PIL import Image, ImageCms

    profile = ImageCms.ImageCmsProfile(BytesIO(srgb_profile()))
    assert ImageCms.getProfileDescription(profile).strip() == "sRGB IEC61966-2.1"
    pixel = Image.new("RGB", (1, 1), (11, 90, 117))
    turned = ImageCms.profileToProfile(pixel, profile, ImageCms.createProfile("sRGB"))
    assert all(abs(a - b) <= 1 for a, b in zip(turned.getpixel((0, 0)), (11, 90, 117), strict=True))


@DESIGNS
def test_streams_end_on_a_line_of_their_own_and_have_their_stated_length(design):
    content = render_pdf(rich(design), credential=b"{}")
    for match in re.finditer(rb"/Length (\d+)>>\nstream\n", content):
        assert content[match.end() + int(match[1]) :].startswith(b"\nendstream\n")
    assert len(re.findall(rb"\nendstream", content)) == len(re.findall(rb">>\nstream\n", content))


@DESIGNS
def test_nothing_is_hidden_transparent_encrypted_or_run(design):
    content = render_pdf(rich(design), credential=b"{}")
    for forbidden in (b"/SMask", b"/Encrypt", b"/JavaScript", b"/LZWDecode", b"/ca ", b"/CA ", b"/Launch"):
        assert forbidden not in content
    assert content.startswith(b"%PDF-1.7\n")
    assert PdfReader(BytesIO(content)).trailer["/ID"]


@DESIGNS
def test_each_glyph_has_its_letter_and_its_width(design):
    page = PdfReader(BytesIO(render_pdf(rich(design)))).pages[0]
    for font in page["/Resources"]["/Font"].values():
        (descendant,) = font["/DescendantFonts"]
        (_first, widths) = descendant["/W"]
        letters = re.findall(r"<([0-9A-F]{4})> <([0-9A-F]+)>", font["/ToUnicode"].get_data().decode())[1:]
        assert [int(code, 16) for code, _text in letters] == list(range(1, len(widths) + 1))
        assert len(descendant["/CIDToGIDMap"].get_data()) == 2 * (len(widths) + 1)


# --- The credential inside -------------------------------------------------------------------------------------
def test_the_paper_carries_its_credential():
    proof = b'{"proof": []}' * 50
    content = render_pdf(claim(), credential=proof)
    assert PdfReader(BytesIO(content)).attachments == {"credential.json": [proof]}
    (specification,) = (one.get_object() for one in root_of(content)["/AF"])
    assert specification["/AFRelationship"] == "/Source"
    assert specification["/EF"]["/F"]["/Subtype"] == "/application/json"
    assert render_pdf(claim(), credential=proof) == content
    assert zlib.compress(proof) in content
    assert "/AF" not in root_of(render_pdf(claim()))
