"""Many papers as one PDF for the printer, thousands of them, in the memory of a few.

Pages, text and fonts stay as they are. What belongs to a document and not to its pages is lost, and must be: the
signatures (they are of other files), the tags, the files inside, the metadata. Hand out the papers themselves; this is
for printing.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from io import BytesIO
from typing import Any, BinaryIO

from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
)

# Of a page: what only means something within its document.
_DROPPED = {"/Parent", "/StructParents", "/Tabs", "/Annots", "/B", "/AA", "/Metadata"}
_BRANCH = 64  # pages to a node of the page tree


def merge_pdfs(contents: Iterable[bytes], out: BinaryIO) -> int:
    """Write the pages of all documents, in their order, as one document; returns how many pages there are.

    One document is in memory at a time; of those written only places are kept, and digests of streams, so that what is
    the same in many (frames, logos) is written once. Links and form fields are left out. Raises pypdf.errors.PyPdfError
    for what is no PDF, ValueError where there is none at all.
    """
    merged = _Merged(out)
    for content in contents:
        merged.take(content)
    if not merged.pages:
        raise ValueError("there is nothing to merge")
    merged.finish()
    return len(merged.pages)


class _Merged:
    def __init__(self, out: BinaryIO) -> None:
        self.pages: list[int] = []
        self._out = out
        self._at = 0
        self._places: list[int] = [0, 0, 0]  # of objects 1 (catalogue), 2 (root of the page tree) and on
        self._known: dict[bytes, int] = {}
        # Nodes over the pages are numbered when they are needed, before their pages are written.
        self._nodes: list[int] = []
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def take(self, content: bytes) -> None:
        reader = PdfReader(BytesIO(content))
        numbers: dict[int, int] = {}
        for page in reader.pages:
            if len(self.pages) % _BRANCH == 0:
                self._nodes.append(self._number())
            kept = DictionaryObject({NameObject(k): v for k, v in page.items() if k not in _DROPPED})
            for inherited in ("/Resources", "/MediaBox", "/CropBox", "/Rotate"):
                if inherited not in kept and inherited in page:
                    kept[NameObject(inherited)] = page[inherited]
            ready = self._moved(kept, reader, numbers)
            ready[NameObject("/Parent")] = IndirectObject(self._nodes[-1], 0, reader)
            number = self._number()
            self._put(number, _written(ready))
            self.pages.append(number)

    def _moved(self, thing: PdfObject, reader: PdfReader, numbers: dict[int, int]) -> Any:
        """The same object with its references leading to objects already written here."""
        if isinstance(thing, IndirectObject):
            if thing.idnum not in numbers:
                target = thing.get_object()
                if target is None:
                    return NumberObject(0)
                numbers[thing.idnum] = -1  # under way: a circle would have no end
                numbers[thing.idnum] = self._place(_written(self._moved(target, reader, numbers)))
            if numbers[thing.idnum] < 0:
                raise ValueError("the objects of a page lead back to themselves")
            return IndirectObject(numbers[thing.idnum], 0, reader)
        if isinstance(thing, StreamObject):
            moved: Any = StreamObject()
            moved._data = thing._data
        elif isinstance(thing, DictionaryObject):
            moved = DictionaryObject()
        elif isinstance(thing, ArrayObject):
            return ArrayObject(self._moved(part, reader, numbers) for part in thing)
        else:
            return thing
        for key, value in thing.items():
            moved[NameObject(key)] = self._moved(value, reader, numbers)
        return moved

    def _place(self, written: bytes) -> int:
        """Write an object, unless the same one stands there already."""
        digest = sha256(written).digest()
        if digest not in self._known:
            self._known[digest] = self._number()
            self._put(self._known[digest], written)
        return self._known[digest]

    def finish(self) -> None:
        for index, node in enumerate(self._nodes):
            kids = self.pages[index * _BRANCH : (index + 1) * _BRANCH]
            self._put(node, f"<</Type/Pages/Parent 2 0 R/Count {len(kids)}/Kids[{_listed(kids)}]>>".encode())
        self._put(2, f"<</Type/Pages/Count {len(self.pages)}/Kids[{_listed(self._nodes)}]>>".encode())
        self._put(1, b"<</Type/Catalog/Pages 2 0 R>>")
        start = self._at
        size = len(self._places)
        self._write(f"xref\n0 {size}\n0000000000 65535 f \n".encode())
        for place in self._places[1:]:
            self._write(f"{place:010d} 00000 n \n".encode())
        self._write(f"trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode())

    def _number(self) -> int:
        self._places.append(0)
        return len(self._places) - 1

    def _put(self, number: int, written: bytes) -> None:
        self._places[number] = self._at
        self._write(f"{number} 0 obj\n".encode() + written + b"\nendobj\n")

    def _write(self, content: bytes) -> None:
        self._out.write(content)
        self._at += len(content)


def _written(thing: PdfObject) -> bytes:
    buffer = BytesIO()
    thing.write_to_stream(buffer)
    return buffer.getvalue()


def _listed(numbers: Iterable[int]) -> str:
    return " ".join(f"{number} 0 R" for number in numbers)
