"""Documents: looked at by what they hold, kept privately, gone when nothing came of them, handed out to few."""

from __future__ import annotations

import contextlib
import io
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from datetime import timedelta

import pytest
from django import forms
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.utils import timezone
from PIL import Image
from pypdf import PdfWriter
from pypdf.actions import JavaScript

from competencies import documents
from competencies.assessors import ASSESSORS
from competencies.documents import DocumentRefused, DocumentsField, clean_name, inspect, store_documents
from competencies.models import EvidenceDocument
from tests.builders import make_person

PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def picture(kind: str = "PNG", size: tuple[int, int] = (20, 10)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "white").save(out, kind)
    return out.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def bomb(side: int = 30_000) -> bytes:
    """A picture of a few hundred kilobytes that unpacks to gigabytes."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    packed = zlib.compress(b"\0" * 50_000_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("run.exe", b"MZ")
    return out.getvalue()


def packed_object(inner: bytes) -> bytes:
    return b"<< /Type /ObjStm /Filter /FlateDecode >>\nstream\n" + zlib.compress(inner) + b"\nendstream\n"


def picture_in_scans(count: int) -> bytes:
    """A JPEG that is sent in many steps, each of which a reader goes through the whole picture for."""
    whole = picture("JPEG")
    scan = whole.index(documents.SCAN)
    return whole[:scan] + whole[scan:-2] * count + whole[-2:]


def pdf(extra: bytes) -> bytes:
    return PDF.replace(b"trailer", extra + b"\ntrailer")


def upload(data: bytes, name: str = "certificate.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def keys() -> list[str]:
    return sorted(documents._keys(documents.FOLDER))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PDF, "application/pdf"),
        (picture(), "image/png"),
        (picture("JPEG"), "image/jpeg"),
        (picture("MPO"), "image/jpeg"),  # what telephones write
    ],
)
def test_a_document_is_what_it_holds_whatever_it_is_called(data, kind):
    assert inspect(upload(data, "whatever.txt")) == kind


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b"MZ" + b"\0" * 600, "not a PDF, PNG or JPEG"),
        (b"<html><script>alert(1)</script></html>", "not a PDF, PNG or JPEG"),
        (archive(), "not a PDF, PNG or JPEG"),
        (PDF + b"x" * (documents.MAX_BYTES + 1), "larger than 10 MB"),
        (PDF[:-7], "cut off"),
        (b"%PDF-1.4 <html><script>x</script>\n%%EOF", "hides another file"),
        (PDF + archive(), "hides another file"),
        (picture() + archive(), "hides another file"),
        (picture("JPEG") + archive(), "hides another file"),
        (picture()[:60], "damaged or cut off"),
        (picture("JPEG", (400, 400))[:-300], "damaged or cut off"),
        (bomb(), "million pixels"),
        (bomb(9_000), "million pixels"),
        (pdf(b"<< /Encrypt 5 0 R >>"), "locked"),
        (pdf(b"<< /S /JavaScript /JS (app.alert(1)) >>"), "more than pages"),
        (pdf(b"<< /S /J#61vaScript /JS (app.alert(1)) >>"), "more than pages"),
        (pdf(b"<< /S /Launch /F (cmd.exe) >>"), "more than pages"),
        (pdf(b"<< /EmbeddedFiles 3 0 R >>"), "more than pages"),
        (pdf(packed_object(b"<< /S /JavaScript >>")), "more than pages"),
        (pdf(packed_object(b" " * 9_000_000)), "unpacks to far more"),
        (pdf(packed_object(b" " * 3_000_000) * 3), "unpacks to far more"),
        (pdf(packed_object(b"1") * 1_001), "unpacks to far more"),
        (pdf(packed_object(b"<< /S /J#61vaScript >>").replace(b"ObjStm", b"Obj#53t#6D")), "more than pages"),
        (pdf(packed_object(b"1").replace(b"x\x9c", b"no")), "cannot be opened as a PDF"),
        (pdf(packed_object(b"1")[:-20]), "cannot be opened as a PDF"),
        (pdf(b"<< /ObjStm >> stream\n" + zlib.compress(b"1")[:-3] + b"endstream"), "cannot be opened as a PDF"),
        (pdf(b"<< /ObjStm >> stream\n" + packed_object(b"1")), "cannot be opened as a PDF"),
        (pdf(b"<< /Encrypt 5 0 R >>" + packed_object(b"1").replace(b"x\x9c", b"no")), "locked"),
        (picture_in_scans(51), "unpacks to far more"),
    ],
)
def test_a_hostile_or_broken_file_is_refused_with_a_sentence(data, sentence):
    with pytest.raises(DocumentRefused, match=sentence):
        inspect(upload(data))


def written(change: Callable[[PdfWriter], object] = lambda writer: None) -> bytes:
    """A PDF as programs write them."""
    writer, out = PdfWriter(), io.BytesIO()
    writer.add_blank_page(width=200, height=200)
    change(writer)
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda writer: writer.encrypt("secret"), "locked"),
        (lambda writer: writer.add_attachment("run.exe", b"MZ"), "more than pages"),
        (lambda writer: writer.add_open_action(JavaScript("app.alert(1)")), "more than pages"),
    ],
)
def test_what_programs_write_is_told_apart(change, sentence):
    assert inspect(upload(written())) == "application/pdf"
    with pytest.raises(DocumentRefused, match=sentence):
        inspect(upload(written(change)))


@pytest.mark.parametrize(
    "part", [b"/ObjStm stream", b"/ObjStmstream", b"/O#62jStm", b"/#4a#61", b"#41", b"/", b"/EmbeddedFil", b"/Launch0"]
)
def test_a_document_made_to_be_slow_is_looked_at_as_fast_as_any_other(part):
    data = pdf(part * (2_000_000 // len(part)))
    began = time.process_time()
    with contextlib.suppress(DocumentRefused):
        inspect(upload(data))
    assert time.process_time() - began < 2


def test_a_picture_in_a_few_scans_is_taken():
    out = io.BytesIO()
    Image.new("RGB", (40, 40), "white").save(out, "JPEG", progressive=True)
    assert out.getvalue().count(documents.SCAN) > 5
    assert inspect(upload(out.getvalue())) == "image/jpeg"


@pytest.mark.django_db
def test_a_file_that_the_form_has_looked_at_is_not_looked_at_again(monkeypatch):
    looked: list[str | None] = []
    monkeypatch.setattr(documents, "inspect", lambda file: (looked.append(file.name), inspect(file))[1])
    files = DocumentsField().clean([upload(PDF)])
    store_documents(owner=make_person(), files=[*files, upload(picture(), "b.png")])
    assert looked == ["certificate.pdf", "b.png"]


def test_words_that_only_look_like_commands_do_not_hinder():
    assert inspect(upload(pdf(b"<< /Launchpad 1 /JavaScripts 2 >>" + packed_object(b"<< /Type /Page >>"))))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\diploma.pdf", "diploma.pdf"),
        ("dip\x00lo\nma\u202e.pdf", "diploma.pdf"),
        ("título  año.pdf", "título año.pdf"),
        ("...", ""),
        ("x" * 300 + ".pdf", "x" * 196 + ".pdf"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_name_is_shown_without_paths_and_invisible_characters(given, shown):
    assert clean_name(given) == shown


@pytest.mark.django_db
def test_a_document_is_kept_privately_under_a_number_and_called_what_it_is(settings):
    ana = make_person()
    [document] = store_documents(owner=ana, files=[upload(picture(), "../Diploma.pdf")])
    assert (document.name, document.content_type) == ("Diploma.pdf.png", "image/png")
    assert document.file.name == f"evidence/{document.pk.hex[:2]}/{document.pk.hex}"
    assert not document.file.path.startswith(str(settings.MEDIA_ROOT))
    assert document.file.read() == picture()
    document.file.close()


@pytest.mark.django_db
def test_what_is_rolled_back_leaves_no_file():
    ana, before = make_person(), keys()
    with pytest.raises(RuntimeError), transaction.atomic():
        store_documents(owner=ana, files=[upload(PDF), upload(picture(), "b.png")])
        assert len(keys()) == len(before) + 2
        raise RuntimeError
    assert keys() == before
    assert not EvidenceDocument.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_with_the_whole_transaction_leaves_no_file_and_what_is_committed_stays():
    ana, before = make_person(), keys()
    with transaction.atomic():
        [kept] = store_documents(owner=ana, files=[upload(PDF)])
    with pytest.raises(RuntimeError), transaction.atomic():
        store_documents(owner=ana, files=[upload(picture())])
        raise RuntimeError
    assert keys() == sorted([*before, kept.file.name])


@pytest.mark.django_db
def test_one_file_that_is_refused_keeps_all_from_being_stored():
    ana, before = make_person(), keys()
    with pytest.raises(DocumentRefused):
        store_documents(owner=ana, files=[upload(PDF), upload(b"x", "x.pdf")])
    with pytest.raises(DocumentRefused, match="same file"):
        store_documents(owner=ana, files=[upload(PDF, "a.pdf"), upload(PDF, "b.pdf")])
    assert keys() == before


@pytest.mark.django_db
def test_what_a_killed_worker_left_behind_is_cleared_after_a_day():
    later = timezone.now() + timedelta(days=2)
    documents.clear_lost_documents(later)  # of other tests
    [document] = store_documents(owner=make_person(), files=[upload(PDF)])
    lost = documents.private().save("evidence/zz/lost", upload(PDF))
    assert documents.clear_lost_documents() == 0
    assert documents.clear_lost_documents(later) == 1
    assert lost not in keys() and document.file.name in keys()


def test_the_field_says_everything_that_is_wrong_with_the_files():
    field = DocumentsField()
    assert len(field.clean([upload(PDF), upload(picture(), "b.png")])) == 2
    assert DocumentsField(required=False).clean(None) == []
    with pytest.raises(forms.ValidationError, match="Add the document"):
        field.clean([])
    with pytest.raises(forms.ValidationError, match="At most 3"):
        field.clean([upload(picture(size=(n, 1))) for n in range(1, 5)])
    with pytest.raises(forms.ValidationError) as caught:
        field.clean([upload(b"", "a.pdf"), upload(b"MZ", "b.pdf")])
    assert len(caught.value.messages) == 2


@pytest.mark.django_db
def test_a_document_is_fetched_by_its_owner_and_administrators_and_by_nobody_else(client):
    ana = make_person()
    [document] = store_documents(owner=ana, files=[upload(PDF, "título.pdf")])
    url = f"/evidence/documents/{document.pk}/"
    for person, status in (
        (ana, 200),
        (make_person(is_superuser=True), 200),
        (make_person(), 404),
        (assessor(), 404),  # it belongs to nothing she decides on
    ):
        client.force_login(person)
        response = client.get(url)
        assert response.status_code == status
        if status == 200:
            assert b"".join(response) == PDF
            assert response["Content-Disposition"].startswith("attachment")
            assert response["X-Content-Type-Options"] == "nosniff"
            assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
            assert "no-store" in response["Cache-Control"]
    client.logout()
    assert client.get(url).status_code == 302
    assert client.post(url).status_code in {302, 405}


def assessor():
    person = make_person("Aina Assessor")
    person.groups.add(Group.objects.get(name=ASSESSORS))
    return person


@pytest.mark.django_db
def test_a_document_that_is_not_where_it_was_stored_is_not_found(client):
    ana = make_person()
    [document] = store_documents(owner=ana, files=[upload(PDF)])
    documents.private().delete(document.file.name)
    client.force_login(ana)
    assert client.get(f"/evidence/documents/{document.pk}/").status_code == 404
