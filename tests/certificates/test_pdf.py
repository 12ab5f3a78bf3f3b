"""The document: everything it must say, in letters it has, the same bytes each time."""

from __future__ import annotations

import shutil
import subprocess
import unicodedata
from datetime import date
from io import BytesIO

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader

from certificates.pdf import formal, plain, render_pdf, typesetting
from certificates.pdf.drawing import UnreadableLogo
from certificates.pdf.palette import WHITE, contrast, palette
from certificates.record import Look, Signatory
from organisations.paper import settable
from tests.certificates.builders import claim, outcome

EIGHTY = "María de los Ángeles Fernández-Villaverde y Sánchez de la Torre Goicoechea Núñez"


def read(content: bytes) -> PdfReader:
    return PdfReader(BytesIO(content))


def text_of(content: bytes) -> str:
    return " ".join(read(content).pages[0].extract_text().split())


def test_the_document_says_who_what_when_by_whom_and_how_to_check_it():
    text = text_of(render_pdf(claim()))
    for part in [
        "Certificate", "This is to certify that", "José Ángel Muñoz",
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


def test_the_plain_design_is_one_page_of_a4_upright():
    (page,) = read(render_pdf(claim(look=Look("plain")))).pages
    assert [round(float(n)) for n in page.mediabox] == [0, 0, 595, 842]


def test_a_design_nobody_knows_any_more_is_drawn_plain():
    assert render_pdf(claim(look=Look("baroque"))) == render_pdf(claim(look=Look("plain")))


@pytest.mark.parametrize("design", ["formal", "plain"])
def test_all_fonts_are_embedded(design):
    (page,) = read(render_pdf(claim(holder="محمد Ana", look=Look(design)))).pages
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        assert "Noto" in font["/BaseFont"]
        assert "/ToUnicode" in font
        (descendant,) = font["/DescendantFonts"]
        assert "/FontFile2" in descendant["/FontDescriptor"]


@pytest.mark.parametrize("design", ["formal", "plain"])
def test_both_designs_say_all_that_the_record_says(design):
    text = text_of(
        render_pdf(
            claim(
                look=Look(design, "#7A1F2B"),
                kind="role",
                title="Certified CISO of the public administration",
                criteria="Every competency of the role at its level.",
                signatories=(
                    Signatory("Rosa Medina", "Minister of Digital Affairs"),
                    Signatory("Ana Quispe", "Director"),
                ),
                valid_until=date(2029, 1, 1),
                renews="2023-000044",
            )
        )
    )
    for part in [
        "José Ángel Muñoz", "meets what the role requires", "Certified CISO of the public administration",
        "Every competency of the role at its level.", "Rosa Medina", "Minister of Digital Affairs", "Ana Quispe",
        "Director", "Met on", "31 December 2028", "renews No. 2023-000044", "7KQ2M-XD4RF",
    ]:  # fmt: skip
        assert part in text


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("path", "has completed the learning path"),
        ("level", "has shown the level"),
        ("role", "meets what the role requires"),
        ("course", "has completed the course and passed its final check"),
    ],
)
def test_each_kind_of_certificate_has_its_sentence(kind, sentence):
    assert sentence in text_of(render_pdf(claim(kind=kind)))


def test_time_that_nobody_counted_is_not_stated():
    assert "Learning time" not in text_of(render_pdf(claim(kind="role", effort_minutes=0)))


# --- The organisation's own look -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "chosen", ["#0B5A75", "#FFFFFF", "#FFFF00", "#F2C94C", "#777777", "#000000", "none of these", ""]
)
def test_text_reads_whatever_colour_an_organisation_has(chosen):
    colours = palette(chosen)
    assert contrast(colours.strong, WHITE) >= 4.5
    assert contrast(colours.on_base, colours.base) >= 4.5


def picture(mode: str = "RGBA", size: tuple[int, int] = (300, 100), kind: str = "PNG") -> bytes:
    buffer = BytesIO()
    Image.new(mode, size, (200, 30, 40, 128) if mode == "RGBA" else 90).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "logo", [picture(), picture("L"), picture("P"), picture("CMYK", kind="JPEG"), picture(size=(3000, 40))]
)
def test_a_logo_stands_on_the_paper_with_words_for_who_cannot_see_it(logo):
    content = render_pdf(claim(), logo=logo)
    assert content != render_pdf(claim())
    assert content == render_pdf(claim(), logo=logo)
    assert b"/Alt(Logo of Ministry of Digital Affairs)" in content
    image = next(o for o in read(content).pages[0]["/Resources"]["/XObject"].values() if o["/Subtype"] == "/Image")
    assert max(image["/Width"], image["/Height"]) <= 900


@pytest.mark.parametrize("logo", [b"", b"GIF89a", picture()[:60], b"<svg/>"])
def test_what_is_no_picture_is_refused(logo):
    with pytest.raises(UnreadableLogo):
        render_pdf(claim(), logo=logo)


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
    name = typesetting.fit(EIGHTY, typesetting.DISPLAY, formal.COLUMN, formal.NAME_STEPS)
    assert len(EIGHTY) == 80
    assert len(name.lines) == 2
    assert name.size >= 24
    assert " ".join(line.text for line in name.lines) == EIGHTY
    assert EIGHTY in text_of(render_pdf(claim(holder=EIGHTY)))


@given(
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Zs", "Cf"]), min_size=1, max_size=200),
    st.integers(60, 600),
)
def test_no_line_is_wider_than_its_place_and_no_letter_is_lost(text, width):
    fitted = typesetting.fit(text, typesetting.DISPLAY, width, formal.NAME_STEPS)
    assert "".join(line.text for line in fitted.lines) == text
    assert fitted.width <= width


def test_what_has_no_room_ends_in_an_ellipsis():
    text = "A sentence that goes on. " * 30
    block = typesetting.clip(text, typesetting.TEXT, 300, ((10, 1), (9, 2)))
    assert len(block.lines) == 2
    assert block.lines[-1].text.endswith("…")
    assert block.width <= 300


@pytest.mark.parametrize("count", [0, 1, 3, 5, 6, 11, 12, 13, 40])
@pytest.mark.parametrize("design", ["formal", "plain"])
def test_any_number_of_outcomes_keeps_its_place(count, design):
    outcomes = tuple(
        outcome(f"C{n}", f"Competency number {n} with quite a long name to it", 1 + n % 5) for n in range(count)
    )
    content = render_pdf(claim(holder=EIGHTY, title=EIGHTY * 3, outcomes=outcomes, look=Look(design)))
    text = text_of(content)
    shown = sum(f"Competency number {n} with" in text for n in range(count))
    assert shown == (count if count <= 12 else 11)
    assert (f"{count - 11} more are listed where the certificate is checked." in text) == (count > 12)
    assert len(read(content).pages) == 1


@pytest.mark.parametrize("design", ["formal", "plain"])
@pytest.mark.parametrize("count", [0, 2, 12])
def test_what_stands_on_the_page_does_not_overlap(design, count, monkeypatch):
    """Everything at its longest: no block of text touches another, and all of them stand on the paper."""
    boxes: list[tuple[float, float, float, float, str]] = []
    written = typesetting.Fonts.draw

    def draw(self, line, x, y, size, spaced=0):
        width = line.width * size / 1000 + spaced * max(len(line.text) - 1, 0)
        boxes.append((x, y - size * 0.16, x + width, y + size * 0.68, line.text))
        return written(self, line, x, y, size, spaced)

    monkeypatch.setattr(typesetting.Fonts, "draw", draw)
    outcomes = tuple(outcome(f"C{n}", "A competency with quite a long name " * 3, 5) for n in range(count))
    render_pdf(
        claim(
            holder="Wolfeschlegelsteinhausen " * 8,
            title="A course title " * 17,
            outcomes=outcomes,
            look=Look(design),
            criteria="Criteria that go on and on. " * 20,
            signatories=(Signatory("Somebody with a very long name indeed " * 3, "With an even longer title " * 5),)
            * 3,
            valid_until=date(2029, 1, 1),
            renews="2023-000044",
            issuer="A ministry with a long name " * 6,
        ),
        logo=picture(),
    )
    page = formal if design == "formal" else plain
    assert all(x > 0 and right < page.WIDTH and y > 20 and top < page.HEIGHT for x, y, right, top, _ in boxes)
    for index, (left, low, right, high, text) in enumerate(boxes):
        for other_left, other_low, other_right, other_high, other in boxes[:index]:
            apart = left >= other_right or other_left >= right or low >= other_high or other_low >= high
            assert apart, (text, other)


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
    assert settable(name, typesetting.letters()) == (name, False)
    text = text_of(render_pdf(claim(holder=name)))
    assert name in unicodedata.normalize("NFC", text)
    assert "lacks some letters" not in text


@pytest.mark.parametrize("name", ["محمد بن نجيب", "אברהם בן־דוד", "نجیب‌الله", "नरेंद्र", "Ana محمد (Muñoz) דוד"])
def test_names_in_other_scripts_are_set_as_written(name):
    content = render_pdf(claim(holder=name))
    assert settable(name, typesetting.letters()) == (name, False)
    assert "lacks some letters" not in text_of(content)
    assert f"/ActualText<FEFF{name.encode('utf-16-be').hex().upper()}>".encode() in content or name == "नरेंद्र"


def test_arabic_letters_are_joined_and_stand_from_right_to_left():
    """Shaped by hand: meem initial, hah medial, meem medial, dal final, the last letter leftmost."""
    line = typesetting.set_line("محمد", typesetting.STRONG)
    (run,) = line.runs
    assert line.base == 1
    assert [glyph.text for glyph in run.glyphs] == list("دمحم")
    alone = [typesetting.set_line(letter, typesetting.STRONG).runs[0].glyphs[0].number for letter in "دمحم"]
    assert all(glyph.number != single for glyph, single in zip(run.glyphs, alone, strict=True))


def test_figures_and_latin_words_within_arabic_keep_their_direction():
    line = typesetting.set_line("محمد ABC 123", typesetting.TEXT)
    seen = "".join(glyph.text for run in line.runs for glyph in run.glyphs)
    assert seen == "123 ABC " + "محمد"[::-1] or seen == "ABC 123 " + "محمد"[::-1]


@pytest.mark.parametrize("name", ["محمد نجيب", "ثابت بن يوسف", "אברהם כהן"])
def test_letters_that_share_a_shape_are_told_apart_when_copied(name):
    """Each glyph with a letter gives back that letter; dots, which have none, are drawn as outlines."""
    line = typesetting.set_line(name, typesetting.DISPLAY)
    assert sorted("".join(glyph.text for run in line.runs for glyph in run.glyphs)) == sorted(name)


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
@pytest.mark.parametrize("name", ["محمد نجيب", "ثابت بن يوسف", "אברהם כהן", "Łukasz Żółć", "Αλεξάνδρα Παπαδοπούλου"])
def test_a_reader_of_others_copies_the_name_as_it_is(name, tmp_path):
    path = tmp_path / "paper.pdf"
    path.write_bytes(render_pdf(claim(holder=name)))
    said = subprocess.run(["pdftotext", str(path), "-"], capture_output=True, check=True, text=True).stdout
    assert name in said


@pytest.mark.parametrize(
    ("name", "shown", "changed"),
    [
        ("王小明", "WangXiaoMing", True),
        ("გიორგი მაისურაძე", "Giorgi Maisuradze", True),
        ("ગાંધી Kumar", settable("ગાંધી")[0] + " Kumar", True),
        ("Ana 😀 Quispe", "Ana Quispe", False),
        ("Ａｎａ", "Ana", False),
        ("Ana\U000e0041 Quispe", "Ana Quispe", False),
    ],
)
def test_letters_the_typeface_lacks_are_set_in_latin_ones(name, shown, changed):
    assert settable(name, typesetting.letters()) == (shown, changed)


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
    known = typesetting.letters()
    for text in (name, course):
        assert all(ord(c) in known for c in settable(text, known)[0])
