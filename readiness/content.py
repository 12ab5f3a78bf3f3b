"""The content of an instrument as plain values: what a wave freezes, an approver sees, and files carry."""

from __future__ import annotations

from typing import Any

from readiness.models import Instrument
from readiness.tree import words_of


def content_of(instrument: Instrument) -> dict[str, Any]:
    """Everything people would be asked, in the shape of `readiness.questionnaire`. Four queries."""
    return {
        "instrument": {
            "slug": instrument.slug,
            "version": instrument.version,
            "title": words_of(instrument.title),
            "licence": instrument.licence,
            "attribution": instrument.attribution,
            "minutes": instrument.minutes,
        },
        "scale": instrument.scale,
        "blocks": [
            {
                "code": block.code,
                "kind": block.kind,
                "title": words_of(block.title),
                "about": words_of(block.about),
                "lead_in": words_of(block.lead_in),
                "items": [
                    {"code": item.code, "text": words_of(item.text), "pulse": item.pulse} for item in block.items.all()
                ],
            }
            for block in instrument.blocks.order_by("sort_order", "pk").prefetch_related("items")
        ],
        "questions": [
            {"code": question.code, "text": words_of(question.text), "pulse": question.pulse}
            for question in instrument.questions.order_by("sort_order", "pk")
        ],
        "order": list(instrument.asked_in_order),
    }
