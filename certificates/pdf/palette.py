"""An organisation's colour on paper: tints for grounds, a shade dark enough for text, and ink where neither reads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

Colour = tuple[float, float, float]

_HEX = re.compile(r"#[0-9A-Fa-f]{6}")
DEFAULT = "#0B5A75"
# WCAG 2.2, 1.4.3: small text.
LEAST_CONTRAST = 4.5


def colour(text: str) -> Colour:
    return int(text[1:3], 16) / 255, int(text[3:5], 16) / 255, int(text[5:7], 16) / 255


WHITE, INK, QUIET, LINE, EDGE = (colour(c) for c in ("#FFFFFF", "#16202B", "#4A5763", "#D9DEE3", "#6F7C87"))


@dataclass(frozen=True)
class Palette:
    """`base` is the organisation's own, `strong` reads as text on white, `on_base` as text on the base."""

    base: Colour
    strong: Colour
    on_base: Colour
    soft: Colour
    faint: Colour


@lru_cache(maxsize=64)
def palette(text: str) -> Palette:
    """The colours of a document for "#RRGGBB"; the platform's own where that is no colour."""
    base = colour(text if _HEX.fullmatch(text) else DEFAULT)
    strong = base
    for step in range(1, 11):
        if contrast(strong, WHITE) >= LEAST_CONTRAST:
            break
        strong = mixed(base, INK, step / 10)
    on_base = WHITE if contrast(WHITE, base) >= LEAST_CONTRAST else INK
    if contrast(on_base, base) < LEAST_CONTRAST:  # of the middle tones ink is the better
        on_base = max((WHITE, INK, (0.0, 0.0, 0.0)), key=lambda one: contrast(one, base))
    # Lines are drawn by the strong shade thinned: a light colour would vanish, and a faint one is never text.
    return Palette(base, strong, on_base, mixed(strong, WHITE, 0.62), mixed(strong, WHITE, 0.88))


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of the other in the one."""
    red, green, blue = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    """From 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(one: Colour) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in one)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
