"""Questionnaires from draft to ready: each rule says what is wrong, and what is ready never changes by any door."""

from __future__ import annotations

import pytest
from wagtail.models import ModelLogEntry

from readiness.content import content_of
from readiness.enums import MOST_STATEMENTS, InstrumentStatus
from readiness.instruments import (
    InstrumentRefused,
    make_ready,
    next_version,
    objections_to_use,
    question_languages,
    retire,
    review_language,
    withdraw_review,
)
from readiness.models import Block, Instrument, InstrumentIsFrozen, Item, LanguageReview, OpenQuestion
from readiness.waves import reviewed_languages
from tests.builders import make_person
from tests.readiness.surveys import make_instrument

pytestmark = pytest.mark.django_db


@pytest.fixture
def author():
    return make_person("Ada Author")


@pytest.fixture
def ready() -> Instrument:
    return make_instrument()


@pytest.fixture
def draft(ready, author) -> Instrument:
    """A draft in which nothing is wrong: the next version of one that is ready."""
    return next_version(instrument=ready, by=author)


def first_item(instrument: Instrument) -> Item:
    return Item.objects.filter(block__instrument=instrument).order_by("block__sort_order", "sort_order")[0]


def refusal(instrument: Instrument) -> str:
    with pytest.raises(InstrumentRefused) as refused:
        make_ready(instrument=instrument, by=None)
    assert Instrument.objects.get(pk=instrument.pk).status == InstrumentStatus.DRAFT
    assert list(refused.value.reasons) == objections_to_use(instrument)
    return str(refused.value)


def review_again(instrument: Instrument) -> None:
    """As if somebody had reviewed both languages after the last change."""
    for language in ("en", "es"):
        LanguageReview.objects.get_or_create(instrument=instrument, language=language)


# --- Making it ready -----------------------------------------------------------------------------------------------
def test_a_draft_in_which_nothing_is_wrong_is_made_ready_once(draft, author):
    for _time in range(2):
        assert make_ready(instrument=draft, by=author).status == InstrumentStatus.READY
    entry = ModelLogEntry.objects.get(action="readiness.make_instrument_ready", object_id=draft.pk)
    assert entry.user == author


def test_it_needs_a_block(draft):
    for block in draft.blocks.all():
        block.delete()
    assert "There is no block of statements yet." in refusal(draft)


def test_a_block_needs_two_statements(draft):
    block = Block.objects.create(instrument=draft, code="lone", title={"en": "Lone", "es": "Sola"})
    Item.objects.create(block=block, code="lone1", text={"en": "One", "es": "Una"})
    review_again(draft)
    assert refusal(draft) == "Block “lone” has 1 statement, and needs at least 2: one alone says too little."


def test_at_most_sixty_statements_are_asked(draft):
    block, there = draft.blocks.all()[0], Item.objects.filter(block__instrument=draft).count()
    texts = {"en": "One more", "es": "Una más"}
    Item.objects.bulk_create(Item(block=block, code=f"more{n}", text=texts) for n in range(MOST_STATEMENTS - there))
    assert objections_to_use(draft) == []
    Item.objects.create(block=block, code="last", text=texts)
    review_again(draft)
    assert "There are 61 statements, and at most 60 are asked." in refusal(draft)


def test_three_open_questions_are_enough(draft):
    for n in range(3):
        OpenQuestion.objects.create(instrument=draft, code=f"open{n}", text={"en": "What?", "es": "¿Qué?"})
    review_again(draft)
    assert "There are 4 open questions, and at most 3 are asked." in refusal(draft)


def test_a_code_is_there_once_in_the_whole_questionnaire(draft):
    other = draft.blocks.all()[1]
    Item.objects.create(block=other, code=first_item(draft).code, text={"en": "Again", "es": "Otra vez"})
    review_again(draft)
    assert refusal(draft) == "The code “why1” is there 2 times. Give each its own."


def test_a_statement_and_an_open_question_do_not_share_a_code(draft):
    OpenQuestion.objects.create(instrument=draft, code="why1", text={"en": "What?", "es": "¿Qué?"})
    review_again(draft)
    assert "“why1” is there 2 times" in refusal(draft)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ({"en": "I know {iniciative}.", "es": "Sé {initiative}."}, "why1: “{iniciative}” is no placeholder."),
        ({"en": "I know {initiative.", "es": "Sé."}, "why1: “{” is no placeholder."),
        (
            {"en": "I know {initiative}.", "es": "Lo sé."},
            "why1: the languages do not name the same placeholders: English {initiative}; Español –.",
        ),
        # Also in a language that nobody has reviewed yet: its review would come too late to mend it.
        ({"en": "I know.", "es": "Sé.", "fr": "Je sais {service}."}, "Français {service}"),
    ],
)
def test_placeholders_are_known_and_the_same_in_all_languages(draft, text, sentence):
    item = first_item(draft)
    item.text = text
    item.save()
    review_again(draft)
    assert sentence in refusal(draft)


def test_every_text_is_there_in_each_reviewed_language(draft):
    LanguageReview.objects.create(instrument=draft, language="pt")
    assert "Português: these texts are missing: title, scale 1, scale 2" in refusal(draft)


def test_a_language_has_to_be_reviewed(draft):
    draft.reviews.all().delete()
    assert refusal(draft).startswith("No language has been reviewed yet.")


def test_the_licence_is_said(draft):
    draft.licence = " "
    draft.save()
    assert refusal(draft) == "The licence is missing. Say under which terms the questions may be used."


@pytest.mark.parametrize("values", [[1, 2, 3, 4], [1, 2, 3, 4, 5, 6], [1, 1, 2, 3, 4, 5], [0, 0, 1, 2, 3, 4, 5], []])
def test_the_answers_are_five(draft, values):
    draft.scale = [{"value": value, "text": {"en": "A", "es": "A"}} for value in values]
    draft.save()
    review_again(draft)
    assert refusal(draft) == ("The answers are not five from 1 to 5, with or without “don't know”. Choose them again.")


def test_all_that_is_wrong_is_said_at_once(draft):
    draft.licence = ""
    draft.save()
    draft.reviews.all().delete()
    assert len(objections_to_use(draft)) == 2


def test_the_rules_are_looked_up_in_as_many_queries_for_many_blocks_as_for_one(count_queries):
    small, large = make_instrument({"a": 2}), make_instrument({f"b{n}": 2 for n in range(12)})
    assert count_queries(lambda: objections_to_use(small)) == count_queries(lambda: objections_to_use(large)) <= 5


# --- What is ready never changes ---------------------------------------------------------------------------------
@pytest.fixture(params=[InstrumentStatus.READY, InstrumentStatus.RETIRED])
def frozen(request, ready) -> Instrument:
    if request.param == InstrumentStatus.RETIRED:
        return retire(instrument=ready, by=None)
    return ready


def test_no_part_of_it_is_changed_added_or_deleted(frozen):
    before = content_of(frozen)
    block, item, question = frozen.blocks.all()[0], first_item(frozen), frozen.questions.all()[0]
    for part in (block, item, question):
        with pytest.raises(InstrumentIsFrozen, match="no draft any more"):
            part.save()
        with pytest.raises(InstrumentIsFrozen):
            part.delete()
    for part in (
        Block(instrument=frozen, code="new", title={"en": "New"}),
        Item(block=block, code="new", text={"en": "New"}),
        OpenQuestion(instrument=frozen, code="new", text={"en": "New"}),
    ):
        with pytest.raises(InstrumentIsFrozen):
            part.save()
    assert content_of(frozen) == before


def test_its_own_words_stay_and_it_is_not_deleted(frozen):
    for field, value in (("title", {"en": "Other"}), ("licence", "none"), ("scale", []), ("slug", "other")):
        fresh = Instrument.objects.get(pk=frozen.pk)
        setattr(fresh, field, value)
        for fields in (None, [field], [field, "status"]):
            with pytest.raises(InstrumentIsFrozen):
                fresh.save(update_fields=fields)
    with pytest.raises(InstrumentIsFrozen):
        frozen.delete()
    assert Instrument.objects.filter(pk=frozen.pk).exists()


def test_it_never_becomes_a_draft_again(frozen):
    frozen.status = InstrumentStatus.DRAFT
    with pytest.raises(InstrumentIsFrozen):
        frozen.save(update_fields=["status"])


def test_a_part_moves_neither_into_it_nor_out_of_it(ready, draft):
    outside, inside = draft.blocks.all()[0], ready.blocks.all()[0]
    outside.instrument, inside.instrument = ready, draft
    for block in (outside, inside):
        with pytest.raises(InstrumentIsFrozen):
            block.save()


def test_who_read_it_while_it_was_a_draft_does_not_change_it_afterwards(draft):
    item, before = first_item(draft), Instrument.objects.get(pk=draft.pk)
    make_ready(instrument=draft, by=None)
    with pytest.raises(InstrumentIsFrozen):
        item.save()
    with pytest.raises(InstrumentIsFrozen):
        before.save()


# --- Retiring ------------------------------------------------------------------------------------------------------
def test_a_retired_one_is_not_offered_and_does_not_come_back(ready, author):
    for _time in range(2):
        assert retire(instrument=ready, by=author).status == InstrumentStatus.RETIRED
    assert not Instrument.objects.usable().exists()
    with pytest.raises(InstrumentRefused, match=r"is retired\. Make the next version"):
        make_ready(instrument=ready, by=author)
    assert ModelLogEntry.objects.filter(action="readiness.retire_instrument").count() == 1


def test_a_draft_is_deleted_not_retired(draft):
    with pytest.raises(InstrumentRefused, match="delete it instead"):
        retire(instrument=draft, by=None)
    draft.delete()
    assert not Instrument.objects.filter(pk=draft.pk).exists()


# --- The next version ----------------------------------------------------------------------------------------------
def test_the_next_version_begins_as_a_copy_and_is_made_once(ready, author):
    first, second = (next_version(instrument=ready, by=author) for _time in range(2))
    assert first == second
    assert (first.version, first.status) == (2, InstrumentStatus.DRAFT)
    old, new = content_of(ready), content_of(first)
    assert old["instrument"].pop("version") + 1 == new["instrument"].pop("version")
    assert old == new
    assert reviewed_languages(first) == reviewed_languages(ready)


def test_changing_the_copy_leaves_what_it_was_copied_from(ready, draft):
    before = content_of(ready)
    item = first_item(draft)
    item.text = {"en": "Other words", "es": "Otras palabras"}
    item.save()
    draft.blocks.all()[1].delete()
    assert content_of(ready) == before


def test_the_next_version_follows_the_highest_also_from_an_older_one(ready, draft):
    make_ready(instrument=draft, by=None)
    assert next_version(instrument=ready, by=None).version == 3


# --- Languages -----------------------------------------------------------------------------------------------------
def test_a_complete_language_is_reviewed_once_also_when_the_questionnaire_is_ready(ready, author):
    ready.reviews.filter(language="es").delete()
    for _time in range(2):
        review = review_language(instrument=ready, language="es", by=author, note="  Read by\nthree colleagues ")
    assert (review.reviewer, review.note) == (author, "Read by three colleagues")
    assert reviewed_languages(ready) == ["en", "es"]
    assert ModelLogEntry.objects.get(action="readiness.review_language").data == {"language": "es"}


def test_a_language_in_which_something_is_missing_is_not_reviewed(ready):
    with pytest.raises(InstrumentRefused, match="Português: these texts are missing: title, scale 1"):
        review_language(instrument=ready, language="pt", by=None)


def test_only_languages_of_questionnaires_are_reviewed(ready):
    assert question_languages() == ["en", "es", "pt", "fr"]
    with pytest.raises(InstrumentRefused, match="“xx” is not a language"):
        review_language(instrument=ready, language="xx", by=None)


def test_new_words_of_a_draft_wait_for_review_again_in_their_language_only(draft):
    item = first_item(draft)
    item.text = {"en": "I know why {initiative} comes.", "es": item.text.data["es"]}
    item.save()
    assert reviewed_languages(draft) == ["es"]
    draft.title = {"en": "Questions", "es": "Otras preguntas"}
    draft.save()
    assert reviewed_languages(draft) == []


@pytest.mark.parametrize("part", ["block", "item", "question", "scale"])
def test_whatever_is_reworded_or_added_waits_for_review(draft, part):
    spanish = {"en": "New", "es": "Nueva"}
    if part == "block":
        block = draft.blocks.all()[0]
        block.about = {"es": "Sobre esto"}
        block.save()
        assert reviewed_languages(draft) == ["en"]
        return
    if part == "item":
        Item.objects.create(block=draft.blocks.all()[0], code="new", text=spanish)
    if part == "question":
        OpenQuestion.objects.create(instrument=draft, code="new", text=spanish)
    if part == "scale":
        draft.scale = [{**step, "text": spanish} for step in draft.scale]
        draft.save()
    assert reviewed_languages(draft) == []


def test_what_changes_no_words_keeps_the_reviews(draft):
    item = first_item(draft)
    item.pulse, item.sort_order = not item.pulse, 9
    item.save()
    draft.minutes = 3
    draft.save()
    draft.blocks.all()[1].delete()
    assert reviewed_languages(draft) == ["en", "es"]


def test_a_review_can_be_withdrawn_but_not_the_last_of_one_that_is_ready(ready, author):
    withdraw_review(instrument=ready, language="es", by=author)
    withdraw_review(instrument=ready, language="es", by=author)
    assert reviewed_languages(ready) == ["en"]
    with pytest.raises(InstrumentRefused, match="It is the only reviewed language"):
        withdraw_review(instrument=ready, language="en", by=author)
    assert ModelLogEntry.objects.filter(action="readiness.withdraw_review").count() == 1
