"""Texts as others wrote them, made readable. Pure.

Frameworks come with a little Markdown in their texts. Line breaks say something and are kept; a link is shown by its words.
"""

from __future__ import annotations

import re

# Words in brackets and right behind them an address in parentheses, perhaps with a title; the address may hold one pair
# of parentheses, as those of encyclopaedias do. Bounded, so that a text of brackets takes no longer than any other.
_LINK = re.compile(
    r"!?\[([^\[\]]{1,500})\]"
    r"\(\s{0,3}<?(?:https?://|mailto:|/)[^\s()<>]{0,2000}(?:\([^\s()<>]{0,500}\)[^\s()<>]{0,2000})?>?"
    r"(?:\s{1,3}\"[^\"\n]{0,300}\")?\s{0,3}\)"
)


def without_links(text: str) -> str:
    """The text with the words of its Markdown links in their place; everything else as it is."""
    return _LINK.sub(r"\1", text)
