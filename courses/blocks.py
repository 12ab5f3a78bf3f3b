"""What a lesson is made of, as an author meets it in the CMS."""

from __future__ import annotations

from html import unescape
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.html import strip_tags
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.blocks.struct_block import StructBlockValidationError
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.images.blocks import ImageChooserBlock

TEXT_FEATURES = ["h3", "h4", "bold", "italic", "ol", "ul", "link", "document-link"]


class PictureBlock(blocks.StructBlock):
    image = ImageChooserBlock(label=_("picture"))
    alt = blocks.CharBlock(
        label=_("what the picture says"),
        max_length=600,
        help_text=_("In words, for people who do not see it. Not “diagram of …” but what it tells."),
    )
    caption = blocks.CharBlock(label=_("caption"), required=False, max_length=300)

    class Meta:
        icon = "image"
        label = _("Picture")
        template = "courses/blocks/picture.html"


class VideoBlock(blocks.StructBlock):
    """A video is only there when everybody can follow it: captions and transcript are required."""

    title = blocks.CharBlock(label=_("title"), max_length=200)
    video = DocumentChooserBlock(label=_("video file"), help_text=_("MP4 or WebM."))
    captions = DocumentChooserBlock(
        label=_("captions"), help_text=_("A WebVTT file (.vtt) in the language of the course.")
    )
    transcript = blocks.RichTextBlock(label=_("transcript"), features=TEXT_FEATURES)

    class Meta:
        icon = "media"
        label = _("Video")
        template = "courses/blocks/video.html"

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        errors = {}
        if not cleaned["video"].filename.lower().endswith((".mp4", ".webm")):
            errors["video"] = ValidationError(_("Choose an MP4 or WebM file."))
        if not cleaned["captions"].filename.lower().endswith(".vtt"):
            errors["captions"] = ValidationError(_("Choose a WebVTT file (.vtt)."))
        if not unescape(strip_tags(cleaned["transcript"].source)).strip():
            errors["transcript"] = ValidationError(_("Write down what is said and shown."))
        if errors:
            raise StructBlockValidationError(block_errors=errors)
        return cleaned


class CallOutBlock(blocks.StructBlock):
    kind = blocks.ChoiceBlock(
        label=_("kind"),
        choices=[
            ("key_point", _("Key point")),
            ("example", _("Example")),
            ("warning", _("Take care")),
            ("try_it", _("Try it")),
        ],
        default="key_point",
    )
    title = blocks.CharBlock(label=_("title"), required=False, max_length=200)
    text = blocks.RichTextBlock(label=_("text"), features=TEXT_FEATURES)

    class Meta:
        icon = "info-circle"
        label = _("Call-out")
        template = "courses/blocks/call_out.html"


class DocumentBlock(blocks.StructBlock):
    title = blocks.CharBlock(label=_("title"), max_length=200)
    document = DocumentChooserBlock(label=_("document"))

    class Meta:
        icon = "doc-full"
        label = _("Document")
        template = "courses/blocks/document.html"


class QuestionBlock(blocks.StructBlock):
    """What all question kinds share: an explanation that teaches, and where to read again."""

    explanation = blocks.TextBlock(
        label=_("explanation"), rows=3, help_text=_("Shown after answering: why the right answer is right.")
    )
    revisit = blocks.CharBlock(
        label=_("lesson to revisit"),
        required=False,
        max_length=255,
        help_text=_("The slug of the lesson of this course that teaches it."),
    )

    class Meta:
        icon = "help"
        group = _("Questions")
        template = "courses/blocks/question.html"


class OptionBlock(blocks.StructBlock):
    text = blocks.TextBlock(label=_("answer"), rows=2)
    correct = blocks.BooleanBlock(label=_("right answer"), required=False)
    feedback = blocks.TextBlock(label=_("feedback"), required=False, rows=2)


def _option_list() -> blocks.ListBlock:
    return blocks.ListBlock(OptionBlock(), label=_("answers"), min_num=2, max_num=8)


class SingleChoiceBlock(QuestionBlock):
    question = blocks.TextBlock(label=_("question"), rows=2)
    options = _option_list()

    class Meta:
        label = _("One of many")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        if sum(option["correct"] for option in cleaned["options"]) != 1:
            raise StructBlockValidationError(
                block_errors={"options": ValidationError(_("Mark exactly one answer as right."))}
            )
        return cleaned


class MultipleChoiceBlock(QuestionBlock):
    question = blocks.TextBlock(label=_("question"), rows=2)
    options = _option_list()

    class Meta:
        label = _("Several of many")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        right = sum(option["correct"] for option in cleaned["options"])
        if right < 2 or right == len(cleaned["options"]):
            raise StructBlockValidationError(
                block_errors={
                    "options": ValidationError(_("Mark at least two answers as right and leave at least one wrong."))
                }
            )
        return cleaned


class TrueFalseBlock(QuestionBlock):
    statement = blocks.TextBlock(label=_("statement"), rows=2)
    answer = blocks.ChoiceBlock(label=_("the statement is"), choices=[("true", _("True")), ("false", _("False"))])

    class Meta:
        label = _("True or false")


class ShortTextBlock(QuestionBlock):
    question = blocks.TextBlock(label=_("question"), rows=2)
    accepted = blocks.ListBlock(
        blocks.CharBlock(max_length=120),
        label=_("accepted answers"),
        min_num=1,
        max_num=60,
        help_text=_("Capital letters, accents and spaces around do not matter."),
    )

    class Meta:
        label = _("Short text")


class PairBlock(blocks.StructBlock):
    left = blocks.CharBlock(label=_("left side"), max_length=300)
    right = blocks.CharBlock(label=_("right side"), max_length=300)


class MatchingBlock(QuestionBlock):
    question = blocks.TextBlock(label=_("question"), rows=2)
    pairs = blocks.ListBlock(PairBlock(), label=_("pairs"), min_num=2, max_num=8)

    class Meta:
        label = _("Matching")

    def clean(self, value: Any) -> Any:
        cleaned = super().clean(value)
        rights = [pair["right"].strip().casefold() for pair in cleaned["pairs"]]
        if len(set(rights)) != len(rights):
            raise StructBlockValidationError(
                block_errors={
                    "pairs": ValidationError(_("Two pairs have the same right side; nobody could tell them apart."))
                }
            )
        return cleaned


QUESTION_BLOCKS: dict[str, type[QuestionBlock]] = {
    "single_choice": SingleChoiceBlock,
    "multiple_choice": MultipleChoiceBlock,
    "true_false": TrueFalseBlock,
    "short_text": ShortTextBlock,
    "matching": MatchingBlock,
}


class LessonBodyBlock(blocks.StreamBlock):
    text = blocks.RichTextBlock(
        label=_("Text"), icon="pilcrow", features=TEXT_FEATURES, template="courses/blocks/text.html"
    )
    picture = PictureBlock()
    video = VideoBlock()
    call_out = CallOutBlock()
    document = DocumentBlock()
    single_choice = SingleChoiceBlock()
    multiple_choice = MultipleChoiceBlock()
    true_false = TrueFalseBlock()
    short_text = ShortTextBlock()
    matching = MatchingBlock()
