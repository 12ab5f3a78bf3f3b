"""Questionnaires from draft to ready to retired: what has to be right before people are asked, and by whose word.

A version that is ready is never changed (readiness.models.instruments); the next one begins as its copy. A language is
offered to people once somebody who speaks it has reviewed it, whether the version is a draft still or ready.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from django.conf import settings
from django.conf.locale import LANG_INFO
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.log_actions import log

from organisations.models import User
from readiness.content import content_of
from readiness.enums import (
    LEAST_STATEMENTS,
    MOST_OPEN_QUESTIONS,
    MOST_STATEMENTS,
    QUESTION_LANGUAGES,
    InstrumentStatus,
)
from readiness.models import Block, Instrument, Item, LanguageReview, OpenQuestion
from readiness.questionnaire import PLACEHOLDERS, Content, items_of, missing_in, placeholders_in, texts_of
from readiness.waves import reviewed_languages

NAMED = 12


class InstrumentRefused(ValueError):
    """Something that cannot be done with a questionnaire; `reasons` are sentences for the person who tried."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


# --- Languages -------------------------------------------------------------------------------------------------------
def question_languages() -> list[str]:
    """Those of the installation, then those questionnaires ship in besides."""
    return list(dict.fromkeys([*(code for code, _name in settings.LANGUAGES), *QUESTION_LANGUAGES]))


def language_name(language: str) -> str:
    return (
        dict(settings.LANGUAGES).get(language) or LANG_INFO.get(language, {}).get("name_local", language).capitalize()
    )


# --- What has to be right --------------------------------------------------------------------------------------------
def objections_to(content: Content, languages: Collection[str], licence: str) -> list[str]:
    """Why people cannot be asked this yet, in sentences that name the place; empty where they can.

    `content`: as `readiness.content.content_of` gives it. `languages`: those that are reviewed.
    """
    return [
        *_about_blocks(content),
        *_about_codes(content),
        *_about_scale(content),
        *_about_placeholders(content),
        *_about_languages(content, languages),
        *([] if licence.strip() else [_("The licence is missing. Say under which terms the questions may be used.")]),
    ]


def _about_blocks(content: Content) -> Iterable[str]:
    if not content["blocks"]:
        yield _("There is no block of statements yet.")
    for block in content["blocks"]:
        if len(block["items"]) < LEAST_STATEMENTS:
            yield ngettext(
                "Block “%(block)s” has %(n)s statement, and needs at least %(least)s: one alone says too little.",
                "Block “%(block)s” has %(n)s statements, and needs at least %(least)s: one alone says too little.",
                len(block["items"]),
            ) % {"block": block["code"], "n": len(block["items"]), "least": LEAST_STATEMENTS}
    statements = sum(len(block["items"]) for block in content["blocks"])
    if statements > MOST_STATEMENTS:
        yield _("There are %(n)s statements, and at most %(most)s are asked. Leave some out.") % {
            "n": statements,
            "most": MOST_STATEMENTS,
        }
    if len(content["questions"]) > MOST_OPEN_QUESTIONS:
        yield _("There are %(n)s open questions, and at most %(most)s are asked. Leave some out.") % {
            "n": len(content["questions"]),
            "most": MOST_OPEN_QUESTIONS,
        }


def _about_codes(content: Content) -> Iterable[str]:
    counted = Counter(item["code"] for _block, item in items_of(content))
    counted.update(question["code"] for question in content["questions"])
    blocks = Counter(block["code"] for block in content["blocks"])
    for code, n in [*counted.items(), *blocks.items()]:
        if n > 1:
            yield _("The code “%(code)s” is there %(n)s times. Give each its own.") % {"code": code, "n": n}


def _about_scale(content: Content) -> Iterable[str]:
    values = [step["value"] for step in content["scale"]]
    if sorted(value for value in values if value != 0) != [1, 2, 3, 4, 5] or values.count(0) > 1:
        yield _("The answers are not five from 1 to 5, with or without “don't know”. Choose them again.")


def _about_placeholders(content: Content) -> Iterable[str]:
    for name, words in texts_of(content):
        found = {language: placeholders_in(text) for language, text in words.items() if text}
        unknown = sorted({other for _ours, others in found.values() for other in others})
        if unknown:
            yield _("%(place)s: “%(found)s” is no placeholder. Only %(known)s are filled in.") % {
                "place": name,
                "found": "”, “".join(unknown),
                "known": ", ".join(f"{{{known}}}" for known in PLACEHOLDERS),
            }
        elif len({frozenset(ours) for ours, _others in found.values()}) > 1:
            yield _("%(place)s: the languages do not name the same placeholders: %(found)s.") % {
                "place": name,
                "found": "; ".join(
                    f"{language_name(language)} " + (", ".join(f"{{{one}}}" for one in sorted(ours)) or "–")
                    for language, (ours, _others) in found.items()
                ),
            }


def _about_languages(content: Content, languages: Collection[str]) -> Iterable[str]:
    if not languages:
        yield _("No language has been reviewed yet. People are only asked in words that somebody has reviewed.")
    for language in languages:
        if sentence := _missing(content, language):
            yield sentence


def _missing(content: Content, language: str) -> str | None:
    missing = missing_in(content, language)
    if not missing:
        return None
    more = [_("and %(n)s more") % {"n": len(missing) - NAMED}] if len(missing) > NAMED else []
    return _("%(language)s: these texts are missing: %(names)s.") % {
        "language": language_name(language),
        "names": ", ".join([*missing[:NAMED], *more]),
    }


def texts_missing(instrument: Instrument) -> dict[str, str | None]:
    """By language of questionnaires, the sentence that says what it lacks; None where everything is there."""
    content = content_of(instrument)
    return {language: _missing(content, language) for language in question_languages()}


def objections_to_use(instrument: Instrument) -> list[str]:
    """Why this draft cannot be made ready, in sentences. Five queries."""
    return objections_to(content_of(instrument), reviewed_languages(instrument), instrument.licence)


# --- Services --------------------------------------------------------------------------------------------------------
def hold(instrument: Instrument) -> Instrument:
    """Lock a questionnaire until the transaction ends: nobody makes it ready while a part of it is written."""
    held = Instrument.objects.select_for_update(of=("self",)).filter(pk=instrument.pk).first()
    if held is None:
        raise InstrumentRefused(_("This questionnaire is no longer there."))
    return held


@transaction.atomic
def make_ready(*, instrument: Instrument, by: User | None) -> Instrument:
    """From now on people can be asked it, and it never changes. Twice is once. Raises InstrumentRefused with all objections."""
    instrument = hold(instrument)
    if instrument.status == InstrumentStatus.READY:
        return instrument
    if instrument.status == InstrumentStatus.RETIRED:
        raise InstrumentRefused(_("This questionnaire is retired. Make the next version of it."))
    if objections := objections_to_use(instrument):
        raise InstrumentRefused(*objections)
    instrument.status = InstrumentStatus.READY
    instrument.save(update_fields=["status"])
    log(instance=instrument, action="readiness.make_instrument_ready", user=by)
    return instrument


@transaction.atomic
def retire(*, instrument: Instrument, by: User | None) -> Instrument:
    """No new survey asks it; surveys that did keep their results. Twice is once. A draft is deleted instead."""
    instrument = hold(instrument)
    if instrument.status == InstrumentStatus.RETIRED:
        return instrument
    if instrument.status == InstrumentStatus.DRAFT:
        raise InstrumentRefused(_("This is a draft: delete it instead."))
    instrument.status = InstrumentStatus.RETIRED
    instrument.save(update_fields=["status"])
    log(instance=instrument, action="readiness.retire_instrument", user=by)
    return instrument


@transaction.atomic
def next_version(*, instrument: Instrument, by: User | None) -> Instrument:
    """A draft that begins as a copy, reviews of its words included. One draft a questionnaire: twice gives the same."""
    # Whoever asks for the next version of the same questionnaire at the same moment waits here.
    versions = Instrument.objects.select_for_update(of=("self",)).filter(slug=instrument.slug).order_by("version")
    there = {version.pk: version for version in versions}
    origin = there.get(instrument.pk)
    if origin is None:
        raise InstrumentRefused(_("This questionnaire is no longer there."))
    draft = next((version for version in there.values() if not version.is_frozen), None)
    if draft is not None:
        return draft
    last = Instrument.objects.filter(slug=origin.slug).aggregate(last=Max("version"))["last"]
    draft = Instrument.objects.create(
        slug=origin.slug, version=last + 1, title=origin.title, about=origin.about, licence=origin.licence,
        attribution=origin.attribution, source=origin.source, scale=origin.scale,
        asked_in_order=origin.asked_in_order, minutes=origin.minutes,
    )  # fmt: skip
    for block in origin.blocks.order_by("sort_order", "pk").prefetch_related("items"):
        copied = Block.objects.create(
            instrument=draft, code=block.code, title=block.title, about=block.about, lead_in=block.lead_in,
            kind=block.kind, sort_order=block.sort_order,
        )  # fmt: skip
        Item.objects.bulk_create(
            Item(block=copied, code=item.code, text=item.text, pulse=item.pulse, sort_order=item.sort_order)
            for item in block.items.all()
        )
    OpenQuestion.objects.bulk_create(
        OpenQuestion(instrument=draft, code=q.code, text=q.text, pulse=q.pulse, sort_order=q.sort_order)
        for q in origin.questions.all()
    )
    LanguageReview.objects.bulk_create(
        LanguageReview(instrument=draft, language=r.language, reviewer_id=r.reviewer_id, on=r.on, note=r.note)
        for r in origin.reviews.all()
    )
    log(instance=draft, action="readiness.draft_next_instrument", user=by, data={"from": origin.version})
    return draft


@transaction.atomic
def review_language(*, instrument: Instrument, language: str, by: User | None, note: str = "") -> LanguageReview:
    """Somebody who speaks the language says that its words are right; `note`: how they were reviewed. Twice is once.

    `by` is None for what a shipped file says of itself.
    """
    instrument = hold(instrument)
    if language not in question_languages():
        raise InstrumentRefused(_("“%(language)s” is not a language of questionnaires.") % {"language": language})
    if instrument.status == InstrumentStatus.RETIRED:
        raise InstrumentRefused(_("This questionnaire is retired. Nothing of it is reviewed any more."))
    there = LanguageReview.objects.filter(instrument=instrument, language=language).first()
    if there is not None:
        return there
    if sentence := _missing(content_of(instrument), language):
        raise InstrumentRefused(sentence)
    review = LanguageReview.objects.create(
        instrument=instrument, language=language, reviewer=by, note=" ".join(note.split())[:300]
    )
    log(instance=instrument, action="readiness.review_language", user=by, data={"language": language})
    return review


@transaction.atomic
def withdraw_review(*, instrument: Instrument, language: str, by: User | None) -> None:
    """The words of a language are not right after all: it is no longer offered. Surveys that are open stay as they are."""
    instrument = hold(instrument)
    reviews = LanguageReview.objects.filter(instrument=instrument)
    if not reviews.filter(language=language).exists():
        return
    if instrument.is_frozen and not reviews.exclude(language=language).exists():
        raise InstrumentRefused(_("It is the only reviewed language. Retire the questionnaire instead."))
    reviews.filter(language=language).delete()
    log(instance=instrument, action="readiness.withdraw_review", user=by, data={"language": language})


def objection_to_deleting(instrument: Instrument) -> str | None:
    if instrument.is_frozen:
        return _("Questionnaires that were ready are retired, not deleted: results refer to them.")
    if instrument.waves.exists():
        return _("A survey is being prepared with this questionnaire. Choose another one there first.")
    return None
