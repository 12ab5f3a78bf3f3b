"""Many documents as one, to be printed: a first version that knows what our own documents look like.

Objects of each are copied with new numbers while they come by; what is kept is where each begins. Nothing but pages and
what they need is taken over: neither attachments nor metadata nor signatures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise
from typing import BinaryIO

_STARTXREF = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*\Z")
_OBJECT = re.compile(rb"\s*(\d+) 0 obj\b(.*)endobj", re.DOTALL)
_REFERENCE = re.compile(rb"\b(\d+) 0 R\b")
_PAGE, _PAGES = re.compile(rb"/Type\s*/Page\b(?!s)"), re.compile(rb"/Type\s*/(?:Pages|Catalog|Metadata)\b")


class CannotMerge(ValueError):
    """A document that is not built as ours are."""


def merge_pdfs(contents: Iterable[bytes], out: BinaryIO) -> int:
    """Write the pages of all documents into one; returns how many pages. Memory does not grow with their size."""
    start = out.tell()
    out.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets: list[int] = [0, 0]  # 1 is the catalogue, 2 the list of pages; both are written last
    pages: list[int] = []
    for content in contents:
        first, before = len(offsets), len(pages)
        objects = dict(_objects(content))
        offsets += [0] * max(objects, default=0)
        for number, body in objects.items():
            if _PAGES.search(body.partition(b"stream")[0]):
                continue
            head, stream, rest = body.partition(b"stream")
            if _PAGE.search(head):
                pages.append(first + number)
                head = re.sub(rb"/Parent\s+\d+ 0 R", b"/Parent 2 0 R", head)
            head = _REFERENCE.sub(partial(_moved, first), head)
            offsets[first + number - 1] = out.tell() - start
            out.write(b"%d 0 obj%s%s%sendobj\n" % (first + number, head, stream, rest))
        if len(pages) == before:
            raise CannotMerge("there is no page in it")
    kids = b" ".join(b"%d 0 R" % page for page in pages)
    for number, body in (
        (1, b"<< /Type /Catalog /Pages 2 0 R >>"),
        (2, b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), kids)),
    ):
        offsets[number - 1] = out.tell() - start
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    end = out.tell() - start
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1))
    for offset in offsets:
        out.write(b"%010d 00000 n \n" % offset if offset else b"0000000000 65535 f \n")
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(offsets) + 1, end))
    return len(pages)


def _objects(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and body of each object, by the table at the end. Raises CannotMerge."""
    found = _STARTXREF.search(content[-1_024:])
    at = int(found.group(1)) if found else -1
    table = re.compile(rb"xref\s+0 (\d+)\s*?\r?\n").match(content, at) if at >= 0 else None
    if table is None or int(table.group(1)) < 2:
        raise CannotMerge("the table of objects is not where the end of the document says")
    # A line for each object: its offset in ten digits, its edition, n or f.
    lines = content[table.end() : table.end() + 20 * int(table.group(1))]
    begins = sorted(int(lines[n : n + 10]) for n in range(20, len(lines), 20) if lines[n + 17 : n + 18] == b"n")
    for begin, end in pairwise([*begins, at]):
        whole = _OBJECT.match(content[begin:end])
        if whole is None:
            raise CannotMerge("an object is not where the table says")
        yield int(whole.group(1)), whole.group(2)


def _moved(by: int, reference: re.Match[bytes]) -> bytes:
    return b"%d 0 R" % (int(reference.group(1)) + by)
