"""What people are asked, frozen: an instrument's content with its placeholders filled in, in reviewed languages only.

Pure. Texts are {language: words}. The content of an instrument and the questionnaire of a wave have the same shape, see
`readiness.models.Wave`; statements and open questions of the content also say whether they are in the pulse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

PULSE = "pulse"
PLACEHOLDERS = ("initiative", "service")
# Statements that are mixed over blocks are set apart four by four, for the eye only.
MIXED = 4
_BRACES = re.compile(r"\{([^{}]*)\}|[{}]")

Words = Mapping[str, str]
Content = Mapping[str, Any]


class NoLanguage(ValueError):
    """No reviewed language has all texts."""


def questionnaire_of(
    content: Content, kind: str, initiative: Words, service: Words, languages: Sequence[str]
) -> dict[str, Any]:
    """The questions of one wave.

    `kind` "pulse" leaves only what is marked for the pulse. `initiative`, `service`: the names that stand for {initiative}
    and {service}, in the reader's language, or else in the first they have. `languages`: the reviewed ones, in the order
    in which they are offered; one in which a text is missing is left out. Raises NoLanguage where none is left.
    """
    blocks = []
    for block in content["blocks"]:
        items = [item for item in block["items"] if kind != PULSE or item.get("pulse")]
        if items:
            blocks.append({**block, "items": items})
    questions = [question for question in content["questions"] if kind != PULSE or question.get("pulse")]
    needed = [
        *(step["text"] for step in content["scale"]),
        *(text for block in blocks for text in (block["title"], *(item["text"] for item in block["items"]))),
        *(question["text"] for question in questions),
    ]
    offered = [language for language in languages if all(text.get(language) for text in needed)]
    if not blocks or not offered:
        raise NoLanguage

    def filled(text: Words) -> dict[str, str]:
        return {
            language: fill(text[language], language, initiative, service) for language in offered if text.get(language)
        }

    return {
        "instrument": dict(content["instrument"]),
        "languages": offered,
        "scale": [{"value": step["value"], "text": filled(step["text"])} for step in content["scale"]],
        "blocks": [
            {
                "code": block["code"],
                "kind": block["kind"],
                "title": filled(block["title"]),
                "about": filled(block["about"]),
                "lead_in": filled(block.get("lead_in", {})),
                "items": [
                    {"code": item["code"], "text": filled(item["text"]), "pulse": bool(item.get("pulse"))}
                    for item in block["items"]
                ],
            }
            for block in blocks
        ],
        "questions": [{"code": question["code"], "text": filled(question["text"])} for question in questions],
        "order": _order(content.get("order", ()), [item["code"] for block in blocks for item in block["items"]]),
    }


def _order(wanted: Sequence[str], asked: Sequence[str]) -> list[str]:
    """What is asked, in the order that is wanted, what that does not name at the end; nothing where none is wanted."""
    place = {code: at for at, code in enumerate(wanted)}
    return sorted(asked, key=lambda code: place.get(code, len(place))) if place else []


def fill(text: str, language: str, initiative: Words, service: Words) -> str:
    """A text with its names. Braces that are no placeholder of ours stay as they are, also those of a name."""
    names = dict(zip(PLACEHOLDERS, (initiative, service), strict=True))
    return _BRACES.sub(lambda found: in_language(names[found[1]], language) if found[1] in names else found[0], text)


def in_language(words: Words, language: str) -> str:
    """The words in a language, else in the first there is; nothing where there is none."""
    return words.get(language) or next((said for said in words.values() if said), "")


def items_of(questionnaire: Content) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(block code, item), in the order in which they are asked."""
    for block in questionnaire["blocks"]:
        for item in block["items"]:
            yield block["code"], item


def sections_of(questionnaire: Content) -> list[dict[str, Any]]:
    """How the statements are put to people, part by part: [{"lead_in": {language: words}, "items": [...]}].

    A part is a block, without its name: that says what a high figure means. Where the instrument prescribes an order of
    its own, the statements stand mixed as it says, a few a part. Answers are kept in the order of item_codes either way.
    """
    order = questionnaire.get("order")
    if not order:
        return [
            {"lead_in": block.get("lead_in", {}), "items": list(block["items"])} for block in questionnaire["blocks"]
        ]
    by_code = {item["code"]: item for _block, item in items_of(questionnaire)}
    return [
        {"lead_in": {}, "items": [by_code[code] for code in order[start : start + MIXED]]}
        for start in range(0, len(order), MIXED)
    ]


def item_codes(questionnaire: Content) -> list[str]:
    return [item["code"] for _block, item in items_of(questionnaire)]


def question_codes(questionnaire: Content) -> list[str]:
    return [question["code"] for question in questionnaire["questions"]]


def block_codes(questionnaire: Content) -> list[str]:
    return [block["code"] for block in questionnaire["blocks"]]


def block_positions(questionnaire: Content) -> dict[str, slice]:
    """Where each block's answers stand on a sheet."""
    found, at = {}, 0
    for block in questionnaire["blocks"]:
        found[block["code"]] = slice(at, at + len(block["items"]))
        at += len(block["items"])
    return found


def pulse_positions(questionnaire: Content) -> dict[str, list[int]]:
    """Of blocks in which some statements, not all, are in the pulse: their positions within the block."""
    found = {}
    for block in questionnaire["blocks"]:
        marked = [at for at, item in enumerate(block["items"]) if item.get("pulse")]
        if marked and len(marked) < len(block["items"]):
            found[block["code"]] = marked
    return found


def pulse_key(block: str) -> str:
    """The name under which totals of a block's pulse statements alone are kept."""
    return f"{block}~pulse"


def comparable(before: Content, after: Content) -> dict[str, tuple[str, str]]:
    """By block code, the names of the totals that are about exactly the same statements in two waves.

    A pulse asks a few statements of a block; it is compared with what people said to just those. Blocks that have no
    statements in common, or others, are left out.
    """
    one, two = _asked(before), _asked(after)
    found = {}
    for block in block_codes(after):
        names = (block, pulse_key(block))
        pairs = [(a, b) for a in names for b in names if one.get(a) and one.get(a) == two.get(b)]
        if pairs:
            found[block] = pairs[0]
    return found


def _asked(questionnaire: Content) -> dict[str, list[str]]:
    """The statements behind each kept total."""
    asked = block_items(questionnaire)
    for code, positions in pulse_positions(questionnaire).items():
        asked[pulse_key(code)] = [asked[code][at] for at in positions]
    return asked


def block_items(questionnaire: Content) -> dict[str, list[str]]:
    """The codes of each block's statements."""
    return {block["code"]: [item["code"] for item in block["items"]] for block in questionnaire["blocks"]}


def texts_of(content: Content) -> Iterable[tuple[str, Words]]:
    """Every text with a name for it, for checks: "why1", "why · title". What may be left out is last."""
    yield "title", content["instrument"]["title"]
    for step in content["scale"]:
        yield f"scale {step['value']}", step["text"]
    for block in content["blocks"]:
        yield f"{block['code']} · title", block["title"]
        for item in block["items"]:
            yield item["code"], item["text"]
    for question in content["questions"]:
        yield question["code"], question["text"]
    for block in content["blocks"]:
        for name in ("about", "lead_in"):
            if any(block[name].values()):
                yield f"{block['code']} · {name}", block[name]


def placeholders_in(text: str) -> tuple[set[str], set[str]]:
    """(placeholders of ours, everything else in braces, and braces left alone) in a text."""
    ours, others = set[str](), set[str]()
    for found in _BRACES.finditer(text):
        (ours if found[1] in PLACEHOLDERS else others).add(found[1] if found[1] in PLACEHOLDERS else found[0])
    return ours, others


def missing_in(content: Content, language: str) -> list[str]:
    """Names of the texts that a language lacks."""
    return [name for name, words in texts_of(content) if not words.get(language, "").strip()]
