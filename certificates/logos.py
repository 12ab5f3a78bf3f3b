"""Logos of issuing bodies: what was uploaded is looked at, painted anew without anything beside the picture, and kept
under its digest."""

from __future__ import annotations

import warnings
from io import BytesIO

from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from certificates.models import Logo

MOST_BYTES, MOST_PIXELS = 500_000, 2000
MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}


class LogoRefused(ValueError):
    """The picture cannot be used; the text is a sentence for whoever chose it."""


def stored_logo(content: bytes) -> Logo:
    """The row of a picture, made when there is none. Raises LogoRefused."""
    clean, media_type = repainted(content)
    logo, _created = Logo.objects.get_or_create(
        pk=Logo.digest_of(clean), defaults={"content": clean, "media_type": media_type}
    )
    return logo


def repainted(content: bytes) -> tuple[bytes, str]:
    """The picture itself in its own format, without metadata, and its media type.

    Raises LogoRefused for anything but a PNG or JPEG of at most MOST_BYTES and MOST_PIXELS a side.
    """
    if len(content) > MOST_BYTES:
        raise LogoRefused(_("The picture is larger than 500 kB: choose a smaller one."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the limit below is lower
            with Image.open(BytesIO(content), formats=tuple(MEDIA_TYPES)) as picture:
                # Asked before it is unpacked: a few bytes may stand for gigabytes.
                if max(picture.size) > MOST_PIXELS:
                    raise LogoRefused(_("The picture is larger than 2000 pixels a side: choose a smaller one."))
                kind = picture.format or "PNG"
                upright = ImageOps.exif_transpose(picture)
                has_holes = kind == "PNG" and ("A" in upright.getbands() or "transparency" in upright.info)
                painted = upright.convert("RGBA" if has_holes else "RGB")
        # A new picture of the same points carries no profile, comment or place where it was taken.
        bare = Image.frombytes(painted.mode, painted.size, painted.tobytes())
        written = BytesIO()
        bare.save(written, format=kind, **({"quality": 92} if kind == "JPEG" else {"optimize": True}))
    except LogoRefused:
        raise
    except Exception as error:  # whatever a hostile picture makes its reader stumble over
        raise LogoRefused(_("This is no picture that can be opened: choose a PNG or a JPEG.")) from error
    return written.getvalue(), MEDIA_TYPES[kind]
