"""A credential inside its picture: baked into PNG or SVG, and taken out again.

PNG is read chunk by chunk and its pixels are never decoded, so the size of the picture costs nothing; SVG is read by
lxml with entities, external parts and the network off. What is baked is a token or JSON, as text.
Source: Open Badges 3.0, 5.3 (baked badges); PNG, 11.3.3.4 (iTXt).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from lxml import etree

KEYWORD = b"openbadgecredential"
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
MAX_IMAGE = 10_000_000
MAX_SVG = 4_000_000
MAX_CHUNKS = 20_000
MAX_TEXT = 1_400_000
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TAG = f"{{{NAMESPACE}}}credential"
_SVG = "http://www.w3.org/2000/svg"
_DOING = {"script", "foreignObject", "handler", "listener", "set", "animate"}


class BadImage(ValueError):
    """No picture we bake into or take from; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_png(data: bytes) -> bool:
    return data.startswith(_SIGNATURE)


def is_svg(data: bytes) -> bool:
    """Whether it looks like XML with an svg in it; `unbake_svg` decides."""
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"<") and b"<svg" in data[:65_536]


def bake_png(image: bytes, credential: str) -> bytes:
    """The PNG with the credential in it, in place of one that is there. Pixels and other parts stay byte for byte.

    Raises BadImage.
    """
    parts = []
    baked = False
    for kind, content, raw in _chunks(image):
        if kind == b"iTXt" and content.startswith(KEYWORD + b"\0"):
            continue
        parts.append(raw)
        if kind == b"IHDR":
            # After the header: a reader that stops at the first pixels still finds it.
            parts.append(_chunk(b"iTXt", KEYWORD + b"\0" + b"\0\0" + b"\0" + b"\0" + credential.encode()))
            baked = True
    if not baked:
        raise BadImage("not_a_png")
    return _SIGNATURE + b"".join(parts)


def unbake_png(image: bytes) -> str:
    """The credential in a PNG, as text. Raises BadImage, also for two of them."""
    found = None
    for kind, content, _raw in _chunks(image):
        if kind != b"iTXt" or not content.startswith(KEYWORD + b"\0"):
            continue
        if found is not None:
            raise BadImage("two_credentials")
        found = content
    if found is None:
        raise BadImage("no_credential")
    rest = found[len(KEYWORD) + 1 :]
    if len(rest) < 2 or rest[0] != 0:
        raise BadImage("compressed")  # which the standard forbids
    try:
        _language, _keyword, text = rest[2:].split(b"\0", 2)
        if len(text) > MAX_TEXT:
            raise BadImage("too_large")
        return text.decode("utf-8")
    except ValueError as error:
        if isinstance(error, BadImage):
            raise
        raise BadImage("no_credential") from error


def _chunks(image: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Kind, content and all bytes of each chunk, up to and with IEND. Raises BadImage."""
    if not is_png(image):
        raise BadImage("not_a_png")
    if len(image) > MAX_IMAGE:
        raise BadImage("too_large")
    position, number = len(_SIGNATURE), 0
    while True:
        if position + 12 > len(image) or number >= MAX_CHUNKS:
            raise BadImage("damaged")
        length, kind = struct.unpack(">I4s", image[position : position + 8])
        end = position + 12 + length
        if end > len(image) or (number == 0) != (kind == b"IHDR"):
            raise BadImage("damaged")
        content = image[position + 8 : end - 4]
        if zlib.crc32(kind + content) != struct.unpack(">I", image[end - 4 : end])[0]:
            raise BadImage("damaged")
        yield kind, content, image[position:end]
        if kind == b"IEND":
            return
        position, number = end, number + 1


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def bake_svg(image: bytes, credential: str) -> bytes:
    """The SVG with the credential in it, in place of one that is there: a token as `verify`, JSON as text.

    Raises BadImage, also for a picture that does things (scripts, handlers, links that run): it would do them under
    our address.
    """
    root = _parsed(image)
    _refuse_active(root)
    for old in list(root.iter(_TAG)):
        parent = old.getparent()
        if parent is not None:
            parent.remove(old)
    # A new root, because the name of the namespace belongs to the svg element and lxml fixes names at birth.
    baked = etree.Element(root.tag, dict(root.attrib), nsmap={**root.nsmap, "openbadges": NAMESPACE})
    element = etree.SubElement(baked, _TAG)
    if credential.lstrip().startswith("{"):
        element.text = etree.CDATA(credential.replace("]]>", "]]\\u003e"))
    else:
        element.set("verify", credential)
    baked.text, element.tail = root.text, "\n"
    baked.extend(list(root))
    content: bytes = etree.tostring(baked, xml_declaration=True, encoding="UTF-8")
    return content


def unbake_svg(image: bytes) -> str:
    """The credential in an SVG, as text. Raises BadImage, also for two of them."""
    found = list(_parsed(image).iter(_TAG))
    if len(found) > 1:
        raise BadImage("two_credentials")
    if not found:
        raise BadImage("no_credential")
    text = found[0].get("verify") or "".join(found[0].itertext()).strip()
    if not text:
        raise BadImage("no_credential")
    if len(text) > MAX_TEXT:
        raise BadImage("too_large")
    return str(text)


def _parsed(image: bytes) -> etree._Element:
    if len(image) > MAX_SVG:
        raise BadImage("too_large")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(image, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BadImage("not_an_svg") from error
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and any(True for _ in declared.iterentities()):
        raise BadImage("entities")
    if root.tag != f"{{{_SVG}}}svg":
        raise BadImage("not_an_svg")
    return root


def _refuse_active(root: etree._Element) -> None:
    for element in root.iter():
        if not isinstance(element.tag, str):
            if element.tag is etree.Entity or element.tag is etree.ProcessingInstruction:
                raise BadImage("active_content")
            continue
        if etree.QName(element).localname in _DOING:
            raise BadImage("active_content")
        for name, value in element.attrib.items():
            local = etree.QName(name).localname.lower()
            address = "".join(str(value).split()).lower()
            if local.startswith("on") or (local in ("href", "src") and not address.startswith(("#", "data:image/"))):
                raise BadImage("active_content")
