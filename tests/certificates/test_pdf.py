"""The document: everything it must say, in letters it has, the same bytes each time."""

from __future__ import annotations

import unicodedata
from datetime import date
from io import BytesIO

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from reportlab.pdfbase import pdfmetrics

from certificates import pdf
from certificates.pdf import render_pdf
from organisations import paper
from organisations.paper import fit, settable
from tests.certificates.builders import claim, outcome

EIGHTY = "María de los Ángeles Fernández-Villaverde y Sánchez de la Torre Goicoechea Núñez"


def read(content: bytes) -> PdfReader:
    return PdfReader(BytesIO(content))


def text_of(content: bytes) -> str:
    return " ".join(read(content).pages[0].extract_text().split())


def test_the_document_says_who_what_when_by_whom_and_how_to_check_it():
    text = text_of(render_pdf(claim()))
    for part in [
        "CERTIFICATE", "This is to certify that", "José Ángel Muñoz",
        "has completed the course and passed its final check",
        "Governing cyber risk", "Cyber risk governance", "Leads others", "Level 4 of 5",
        "Incident command", "Level 3 of 5",
        "Digital talent 1.0", "Completed on", "3 March 2026", "Issued on", "4 March 2026", "2 hours 30 minutes",
        "2026-000123", "7KQ2M-XD4RF", "talent.gov.example/verify", "Ministry of Digital Affairs",
    ]:  # fmt: skip
        assert part in text
    assert "90" not in text  # the score is nobody else's business


def test_dates_and_lengths_are_in_the_documents_language():
    text = text_of(render_pdf(claim(language="es", valid_until=date(2029, 1, 1))))
    assert "3 de marzo de 2026" in text
    assert "31 de diciembre de 2028" in text


def test_a_course_without_check_does_not_claim_a_pass():
    text = text_of(render_pdf(claim(assessed=False, outcomes=(outcome("SR1", "Cyber risk governance", None),))))
    assert "passed" not in text
    assert "Competencies the course is about Cyber risk governance" in text
    assert "Level" not in text


def test_title_language_author_and_subject_are_set():
    reader = read(render_pdf(claim(language="es")))
    assert reader.trailer["/Root"]["/Lang"] == "es"
    assert reader.trailer["/Root"]["/ViewerPreferences"]["/DisplayDocTitle"] is not None
    assert "Governing cyber risk" in reader.metadata.title
    assert "José Ángel Muñoz" in reader.metadata.title
    assert reader.metadata.author == "Ministry of Digital Affairs"
    assert "2026-000123" in reader.metadata.subject
    assert "https://talent.gov.example/verify/7KQ2MXD4RF/" in reader.metadata.subject
    assert reader.metadata.creation_date.date() == date(2026, 3, 4)


def test_it_is_one_page_of_a4_across():
    (page,) = read(render_pdf(claim())).pages
    assert [round(float(n)) for n in page.mediabox] == [0, 0, 842, 595]


def test_all_fonts_are_embedded():
    (page,) = read(render_pdf(claim())).pages
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        assert "NotoSans" in font["/BaseFont"]
        assert "/FontFile2" in font["/FontDescriptor"]
        assert "/ToUnicode" in font


def test_the_same_record_gives_the_same_bytes_whatever_was_drawn_between():
    first = render_pdf(claim())
    other = render_pdf(claim(holder="Łukasz Żółć", language="es"))
    assert first == render_pdf(claim())
    assert first != other


def test_the_square_pattern_holds_the_address():
    """Its rectangles are read back from the page and laid over the pattern that belongs to the address."""
    (page,) = read(render_pdf(claim())).pages
    operators = page.get_contents().get_data().decode("latin-1")
    matrix = segno.make(claim().url, error="m", micro=False, boost_error=False).matrix
    drawn = [[0] * len(matrix) for _ in matrix]
    path = max(operators.splitlines(), key=lambda line: line.count(" re"))
    numbers = path.removesuffix(" f").split(" re")
    for rectangle in filter(None, (part.strip() for part in numbers)):
        column, row, width, height = map(int, rectangle.split())
        assert height == 1
        for x in range(column, column + width):
            drawn[row][x] = 1
    assert drawn == [list(row) for row in matrix]


# --- Long and short ----------------------------------------------------------------------------------------------
def test_a_name_of_eighty_characters_stands_on_two_lines():
    name = fit(EIGHTY, paper.SEMIBOLD, pdf.COLUMN, pdf.NAME_STEPS)
    assert len(EIGHTY) == 80
    assert len(name.lines) == 2
    assert name.size >= 24
    assert " ".join(name.lines) == EIGHTY
    assert EIGHTY in text_of(render_pdf(claim(holder=EIGHTY)))


@given(
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Zs", "Cf"]), min_size=1, max_size=200),
    st.integers(60, 600),
)
def test_no_line_is_wider_than_its_place_and_no_letter_is_lost(text, width):
    fitted = fit(text, paper.SEMIBOLD, width, pdf.NAME_STEPS)
    assert "".join(fitted.lines) == text
    assert all(pdfmetrics.stringWidth(line, fitted.font, fitted.size) <= width for line in fitted.lines)


@pytest.mark.parametrize("count", [0, 1, 3, 5, 6, 11, 12, 13, 40])
def test_any_number_of_outcomes_keeps_its_place(count):
    outcomes = tuple(
        outcome(f"C{n}", f"Competency number {n} with quite a long name to it", 1 + n % 5) for n in range(count)
    )
    content = render_pdf(claim(holder=EIGHTY, title=EIGHTY * 3, outcomes=outcomes))
    text = text_of(content)
    shown = sum(f"Competency number {n} with" in text for n in range(count))
    assert shown == (count if count <= 12 else 11)
    assert (f"{count - 11} more are listed where the certificate is checked." in text) == (count > 12)
    assert len(read(content).pages) == 1


def test_what_stands_on_the_page_does_not_overlap():
    """Name, course and outcomes at their longest: each line of text below the one before."""
    outcomes = tuple(outcome(f"C{n}", "A competency with quite a long name " * 3, 5) for n in range(12))
    content = render_pdf(claim(holder="Wolfeschlegelsteinhausen " * 8, title="A course title " * 17, outcomes=outcomes))
    lines: list[tuple[float, str]] = []

    def visit(text, cm, tm, font, size):
        if text.strip() and tm[4] < pdf.LEFT + 1 and tm[4] > pdf.PANEL:
            lines.append((tm[5], text.strip()))

    read(content).pages[0].extract_text(visitor_text=visit)
    heights = [y for y, _ in lines]
    assert len(lines) > 12
    assert all(0 < y < pdf.HEIGHT for y in heights)
    body = heights[: heights.index(min(h for h in heights if h > pdf.FOOT + 30)) + 1]
    assert body == sorted(body, reverse=True)


# --- Letters -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name",
    [
        "José Ángel Íñiguez",
        "Zoë Müller-Łęcka",
        "Nguyễn Thị Hồng",
        "Αλεξάνδρα Παπαδοπούλου",
        "Олександра Їжакевич-Ґалаґан",
        "Þórður Ægisson",
    ],
)
def test_latin_greek_and_cyrillic_names_are_set_as_written(name):
    assert settable(name) == (name, False)
    text = text_of(render_pdf(claim(holder=name)))
    assert name in unicodedata.normalize("NFC", text)
    assert "lacks some letters" not in text


@pytest.mark.parametrize(
    ("name", "shown", "changed"),
    [
        ("王小明", "WangXiaoMing", True),
        ("გიორგი მაისურაძე", "Giorgi Maisuradze", True),
        ("नरेंद्र Kumar", "Nremdr Kumar", True),
        ("Ana 😀 Quispe", "Ana Quispe", False),
        ("Ａｎａ", "Ana", False),
        ("Ana\U000e0041 Quispe", "Ana Quispe", False),
    ],
)
def test_letters_the_typeface_lacks_are_set_in_latin_ones(name, shown, changed):
    assert settable(name) == (shown, changed)


def test_the_document_says_when_letters_were_replaced():
    content = render_pdf(claim(holder="王小明"))
    assert "This document's typeface lacks some letters; they are set in Latin ones." in text_of(content)
    assert "王小明" in read(content).metadata.title


@settings(max_examples=40, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=200),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=255),
)
def test_no_name_and_no_title_breaks_the_document(name, course):
    content = render_pdf(claim(holder=name, title=course, outcomes=(outcome("C", course, 2),)))
    assert content.startswith(b"%PDF")
    known = paper.letters()
    for text in (name, course):
        assert all(ord(c) in known for c in settable(text)[0])
