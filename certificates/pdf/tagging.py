"""Tagged PDF on ReportLab, which has none: what is read, in which order, and what is mere decoration.

A page is drawn inside elements (headings, paragraphs, lists, figures with alternative texts) and artifacts; `Tagged`
writes the structure tree, the parent tree, the fonts, the metadata as XMP, the colour profile and attached files.
Every stream and object here is written by hand: ReportLab's own leave no line end before `endstream`, which the
archive profile (PDF/A-3a, ISO 19005-3) asks for.
Source: ISO 32000-1, 14.7 and 14.8; ISO 14289-1 (PDF/UA).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from hashlib import md5
from xml.sax.saxutils import escape

from reportlab.pdfbase.pdfdoc import PDFCatalog, PDFDocument, PDFObject, PDFObjectReference, PDFPage

from certificates.pdf.colour_profile import srgb_profile
from certificates.pdf.typesetting import FontObjects, Fonts
from organisations.paper import Sheet

PRODUCER = "ReportLab PDF Library"
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


class Written(PDFObject):
    """An indirect object whose bytes are ours. `content` may be given late, but before the document is saved."""

    __RefOnly__ = 1

    def __init__(self, content: bytes = b"") -> None:
        self.content = content

    def format(self, document: PDFDocument) -> bytes:
        return self.content


def stream(dictionary: str, content: bytes, *, packed: bool = True) -> bytes:
    """A stream object; `packed` content was compressed by zlib."""
    filters = "/Filter/FlateDecode" if packed else ""
    return f"<<{dictionary}{filters}/Length {len(content)}>>\nstream\n".encode() + content + b"\nendstream"


def text_string(text: str) -> str:
    """A text as PDF writes it down outside of pages."""
    if text.isascii() and text.isprintable():
        return "(" + text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") + ")"
    return f"<FEFF{text.encode('utf-16-be', 'surrogatepass').hex().upper()}>"


@dataclass
class Element:
    """A node of the structure tree: its role, its attributes, and what it holds."""

    role: str
    attributes: str = ""
    kids: list[Element | int] = field(default_factory=list)
    annotation: PDFObjectReference | None = None


@dataclass(frozen=True)
class Attachment:
    """A file inside the document; `relation` says what it is to it (ISO 19005-3, 6.8)."""

    name: str
    kind: str
    content: bytes
    description: str
    relation: str = "Source"


@dataclass(frozen=True)
class About:
    """What the document says of itself."""

    title: str
    author: str
    subject: str
    keywords: str
    creator: str
    language: str
    dated: date


class Tagged:
    """One page of tagged paper over a sheet of ReportLab's."""

    def __init__(self, sheet: Sheet, about: About) -> None:
        self.canvas, self._sheet, self._about = sheet.canvas, sheet, about
        self._document: PDFDocument = sheet.canvas._doc
        self.fonts = Fonts()
        self._root = Element("Document", f"/Lang{text_string(about.language)}")
        self._open = [self._root]
        self._marks: list[Element] = []
        self._links: list[tuple[Element, tuple[float, float, float, float], str, str]] = []
        self._images: dict[str, PDFObjectReference] = {}

    # --- What is drawn
    @contextmanager
    def group(self, role: str) -> Iterator[None]:
        """Elements that belong together, such as a list and its items."""
        element = Element(role, "/A<</O/List/ListNumbering/None>>" if role == "L" else "")
        self._open[-1].kids.append(element)
        self._open.append(element)
        yield
        self._open.pop()

    @contextmanager
    def element(
        self, role: str, *, alt: str = "", actual: str = "", language: str = "", box: tuple[float, ...] = ()
    ) -> Iterator[Element]:
        """Something that is read. `actual` is the text where shapes alone would not give it back; figures have a box."""
        attributes = f"/Alt{text_string(alt)}" if alt else ""
        attributes += f"/ActualText{text_string(actual)}" if actual else ""
        attributes += f"/Lang{text_string(language)}" if language and language != self._about.language else ""
        if box:
            attributes += f"/A<</O/Layout/Placement/Block/BBox[{' '.join(f'{n:.1f}' for n in box)}]>>"
        element = Element(role, attributes, [len(self._marks)])
        self.canvas.addLiteral(f"/{role} <</MCID {len(self._marks)}>> BDC")
        self._marks.append(element)
        self._open[-1].kids.append(element)
        yield element
        self.canvas.addLiteral("EMC")

    @contextmanager
    def decoration(self) -> Iterator[None]:
        """Something that is only seen."""
        self.canvas.addLiteral("/Artifact BMC")
        yield
        self.canvas.addLiteral("EMC")

    def link(self, element: Element, box: tuple[float, float, float, float], url: str, words: str) -> None:
        """Make a place of the page lead to an address; `element` has the role Link."""
        self._links.append((element, box, url, words))

    def picture(self, key: str, dictionary: str, content: bytes) -> str:
        """Register an image (packed samples, or a JPEG with its filter in `dictionary`); returns its resource name."""
        if key not in self._images:
            packed = "/Filter" not in dictionary
            self._images[key] = self._add(stream("/Type/XObject/Subtype/Image" + dictionary, content, packed=packed))
        return f"Im{list(self._images).index(key) + 1}"

    def form(self, key: str, box: tuple[float, float, float, float], packed: bytes) -> str:
        """Register packed operators as a drawing of its own; returns its resource name."""
        if key not in self._images:
            bounds = " ".join(f"{n:g}" for n in box)
            self._images[key] = self._add(
                stream(f"/Type/XObject/Subtype/Form/BBox[{bounds}]/Resources<</ProcSet[/PDF]>>", packed)
            )
        return f"Im{list(self._images).index(key) + 1}"

    # --- What is written
    def content(self, attachment: Attachment | None = None) -> bytes:
        """End the page and the document."""
        canvas, document, about = self.canvas, self._document, self._about
        canvas.setTitle(about.title)
        canvas.setAuthor(about.author)
        canvas.setSubject(about.subject)
        canvas.setKeywords(about.keywords)
        canvas.setCreator(about.creator)
        canvas.setProducer(PRODUCER)
        document._pdfVersion = (1, 7)
        page_name = document.thisPageName()
        canvas.showPage()
        page: PDFPage = document.idToObject[page_name]
        page_ref = PDFObjectReference(page_name)
        page.Contents = self._add(stream("", zlib.compress(page.stream.encode("latin-1"))))
        page.__NoDefault__ = [*PDFPage.__NoDefault__, "StructParents", "Tabs"]
        page.StructParents, page.Tabs = 0, _Name("S")
        resources = document.idToObject["BasicFonts"].dict
        for use, font in self.fonts.objects():
            resources[use.resource] = self._embed(font)
        if self._images:
            page.XObjects = _Dictionary(
                {f"Im{number}": reference for number, reference in enumerate(self._images.values(), start=1)}, document
            )
        self._write_structure(page, page_ref)
        catalog: PDFCatalog = document.Catalog
        catalog.__NoDefault__ = [*PDFCatalog.__NoDefault__, "OutputIntents", "AF"]
        catalog.MarkInfo = self._add(b"<</Marked true>>")
        catalog.Metadata = self._add(stream("/Type/Metadata/Subtype/XML", _xmp(about), packed=False))
        profile = self._add(stream("/N 3", _packed_profile()))
        intent = (
            "<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/Info(sRGB IEC61966-2.1)"
            f"/RegistryName(http://www.color.org)/DestOutputProfile {self._number(profile)}>>"
        )
        catalog.OutputIntents = _Plain(f"[{intent}]")
        if attachment is not None:
            self._attach(attachment, catalog)
        return self._sheet.content()

    def _add(self, content: bytes) -> PDFObjectReference:
        return self._document.Reference(Written(content))

    def _number(self, reference: PDFObjectReference) -> str:
        number, generation = self._document.idToObjectNumberAndVersion[reference.name]
        return f"{number} {generation} R"

    def _embed(self, font: FontObjects) -> PDFObjectReference:
        program = self._add(stream(f"/Length1 {len(font.program)}", font.program_packed))
        descriptor = self._add(f"<<{font.descriptor}/FontFile2 {self._number(program)}>>".encode())
        places = self._add(stream("", font.glyph_map))
        descendant = self._add(
            f"<<{font.descendant}/FontDescriptor {self._number(descriptor)}"
            f"/CIDToGIDMap {self._number(places)}>>".encode()
        )
        letters = self._add(stream("", font.to_unicode))
        return self._add(
            f"<<{font.font}/DescendantFonts[{self._number(descendant)}]/ToUnicode {self._number(letters)}>>".encode()
        )

    def _write_structure(self, page: PDFPage, page_ref: PDFObjectReference) -> None:
        document = self._document
        page_number = self._number(page_ref)
        annotations: list[PDFObjectReference] = []
        for place, (element, box, url, words) in enumerate(self._links, start=1):
            rectangle = " ".join(f"{n:.2f}" for n in box)
            element.annotation = self._add(
                f"<</Type/Annot/Subtype/Link/Rect[{rectangle}]/Border[0 0 0]/F 4/Contents{text_string(words)}"
                f"/StructParent {place}/A<</S/URI/URI{text_string(url)}>>>>".encode()
            )
            annotations.append(element.annotation)
        if annotations:
            page.Annots = _Plain(f"[{' '.join(self._number(one) for one in annotations)}]")
        tree = Written()
        tree_number = self._number(document.Reference(tree))
        written: dict[int, str] = {}

        def write(element: Element, parent: str) -> str:
            node = Written()
            number = self._number(document.Reference(node))
            written[id(element)] = number
            kids = [str(kid) if isinstance(kid, int) else write(kid, number) for kid in element.kids]
            if element.annotation is not None:
                kids.append(f"<</Type/OBJR/Obj {self._number(element.annotation)}/Pg {page_number}>>")
            node.content = (
                f"<</Type/StructElem/S/{element.role}/P {parent}/Pg {page_number}{element.attributes}"
                f"/K[{' '.join(kids)}]>>"
            ).encode()
            return number

        root = write(self._root, tree_number)
        marks = " ".join(written[id(element)] for element in self._marks)
        links = "".join(
            f" {place} {written[id(element)]}" for place, (element, *_rest) in enumerate(self._links, start=1)
        )
        tree.content = (
            f"<</Type/StructTreeRoot/K[{root}]/ParentTree<</Nums[0[{marks}]{links}]>>"
            f"/ParentTreeNextKey {len(self._links) + 1}>>"
        ).encode()
        document.Catalog.StructTreeRoot = PDFObjectReference(_name_of(document, tree))

    def _attach(self, attachment: Attachment, catalog: PDFCatalog) -> None:
        about = self._about
        kind = attachment.kind.replace("/", "#2F")
        digest = md5(attachment.content, usedforsecurity=False).hexdigest().upper()
        moment = f"(D:{about.dated:%Y%m%d}000000Z)"
        file = self._add(
            stream(
                f"/Type/EmbeddedFile/Subtype/{kind}/Params<</Size {len(attachment.content)}"
                f"/ModDate{moment}/CheckSum<{digest}>>>",
                zlib.compress(attachment.content),
            )
        )
        name = text_string(attachment.name)
        specification = self._add(
            f"<</Type/Filespec/F{name}/UF{name}/Desc{text_string(attachment.description)}"
            f"/AFRelationship/{attachment.relation}/EF<</F {self._number(file)}/UF {self._number(file)}>>>>".encode()
        )
        number = self._number(specification)
        catalog.Names = self._add(f"<</EmbeddedFiles<</Names[{name} {number}]>>>>".encode())
        catalog.AF = _Plain(f"[{number}]")


class _Plain(PDFObject):
    """A direct value written by hand."""

    def __init__(self, text: str) -> None:
        self._text = text.encode()

    def format(self, document: PDFDocument) -> bytes:
        return self._text


def _Name(text: str) -> _Plain:
    return _Plain(f"/{text}")


def _Dictionary(values: dict[str, PDFObjectReference], document: PDFDocument) -> _Plain:
    numbers = {name: document.idToObjectNumberAndVersion[reference.name] for name, reference in values.items()}
    return _Plain("<<" + "".join(f"/{name} {n} {g} R" for name, (n, g) in numbers.items()) + ">>")


def _name_of(document: PDFDocument, thing: PDFObject) -> str:
    name: str = document.Reference(thing).name
    return name


@lru_cache(maxsize=1)
def _packed_profile() -> bytes:
    return zlib.compress(srgb_profile())


def _xmp(about: About) -> bytes:
    """The metadata once more, as the archive profile asks: word for word what the document information says."""
    title, author, subject, keywords, creator = (
        escape(text) for text in (about.title, about.author, about.subject, about.keywords, about.creator)
    )
    moment = f"{about.dated:%Y-%m-%d}T00:00:00Z"
    return _XMP.format(
        title=title,
        author=author,
        subject=subject,
        keywords=keywords,
        creator=creator,
        producer=PRODUCER,
        language=escape(about.language),
        moment=moment,
    ).encode()


_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" \
xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>
<dc:language><rdf:Bag><rdf:li>{language}</rdf:li></rdf:Bag></dc:language>
<pdf:Keywords>{keywords}</pdf:Keywords>
<pdf:Producer>{producer}</pdf:Producer>
<xmp:CreatorTool>{creator}</xmp:CreatorTool>
<xmp:CreateDate>{moment}</xmp:CreateDate>
<xmp:ModifyDate>{moment}</xmp:ModifyDate>
<pdfaid:part>3</pdfaid:part>
<pdfaid:conformance>A</pdfaid:conformance>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""
