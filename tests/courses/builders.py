"""Raw lesson content and small files, as the CMS would hand them over."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.core.files.base import ContentFile
from wagtail.documents import get_document_model
from wagtail.images import get_image_model

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><path d="M0 0h40v30H0z"/></svg>'


def items(*values: Any) -> list[dict[str, Any]]:
    return [{"type": "item", "id": str(uuid4()), "value": value} for value in values]


def block(kind: str, /, **value: Any) -> dict[str, Any]:
    return {"type": kind, "id": str(uuid4()), "value": value}


def option(correct: bool = False, text: str = "An answer", feedback: str = "") -> dict[str, Any]:
    return {"text": text, "correct": correct, "feedback": feedback}


def choice(*rights: bool, kind: str = "single_choice", **value: Any) -> dict[str, Any]:
    """A question with an option per truth value."""
    options = items(*(option(right, f"Answer {n}") for n, right in enumerate(rights, start=1)))
    return block(kind, **({"question": "Which?", "options": options, "explanation": "Because."} | value))


def true_false(answer: str = "true", **value: Any) -> dict[str, Any]:
    return block("true_false", **({"statement": "So it is.", "answer": answer, "explanation": "Because."} | value))


def short_text(*accepted: str, **value: Any) -> dict[str, Any]:
    return block(
        "short_text", **({"question": "Say it.", "accepted": items(*accepted), "explanation": "Because."} | value)
    )


def matching(*pairs: tuple[str, str], **value: Any) -> dict[str, Any]:
    sides = items(*({"left": left, "right": right} for left, right in pairs))
    return block("matching", **({"question": "Match.", "pairs": sides, "explanation": "Because."} | value))


def make_document(name: str, content: bytes = b"x") -> Any:
    return get_document_model().objects.create(title=name, file=ContentFile(content, name=name))


def make_image(name: str = "picture.svg") -> Any:
    return get_image_model().objects.create(title=name, file=ContentFile(SVG, name=name), width=40, height=30)
