"""Questionnaires in the CMS, with their blocks and statements, and suggestions for low blocks.

They belong to no unit: the whole group of change editors writes them. A questionnaire is changed while it is a draft; its
own page says what is missing, in which languages it may be asked, and makes it ready.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import Any

from django import forms
from django.contrib.admin.utils import quote
from django.core.validators import MinValueValidator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from django_filters import ChoiceFilter
from i18nfield.strings import LazyI18nString
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.permissions import ModelPermissionPolicy
from wagtail.snippets.views import snippets
from wagtail.snippets.views.snippets import SnippetViewSet

from competencies.banks_editor import may
from competencies.models.framework import in_languages
from organisations.choosers import ChooserViewSet
from organisations.ids import as_id
from organisations.perms import signed_in
from readiness.editor_fields import QuestionWordsForm, RowsPanel, WordsForm
from readiness.enums import InstrumentStatus
from readiness.instruments import (
    InstrumentRefused,
    hold,
    language_name,
    make_ready,
    next_version,
    objection_to_deleting,
    objections_to_use,
    question_languages,
    retire,
    review_language,
    texts_missing,
    withdraw_review,
)
from readiness.loading import shipped_scales
from readiness.models import Block, Instrument, InstrumentIsFrozen, Suggestion, Wave

# Questionnaires are written in bulk, which Wagtail's index of references does not see; what points to them is looked up.
for _model in (Instrument, Block):
    setattr(_model, "wagtail_reference_index_ignore", True)  # noqa: B010  # the models do not declare it


# --- Questionnaires: forms ---------------------------------------------------------------------------------------
AS_IT_IS = "as-it-is"


class InstrumentForm(QuestionWordsForm):
    """The words of a draft, its blocks and open questions. The answers are one of the scales that are tried."""

    answers = forms.ChoiceField(label=gettext_lazy("Answers"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scales = known_scales()
        own = next((name for name, scale in self.scales.items() if scale == self.instance.scale), None)
        choices = [(name, _range_of(scale)) for name, scale in self.scales.items()]
        if self.instance.scale and own is None:
            choices.insert(0, (AS_IT_IS, _range_of(self.instance.scale)))
            own = AS_IT_IS
        self.fields["answers"].choices = choices
        self.initial["answers"] = own
        self.fields["minutes"].min_value = 1
        self.fields["minutes"].validators.append(MinValueValidator(1))
        if self.instance.pk:  # all versions of one questionnaire bear its name
            del self.fields["slug"]

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if Instrument.objects.filter(slug=slug).exists():
            raise forms.ValidationError(
                _("There is a questionnaire with this short name. Make its next version, or choose another name.")
            )
        return slug

    def save(self, commit: bool = True) -> Any:
        chosen = self.cleaned_data["answers"]
        if chosen != AS_IT_IS:
            self.instance.scale = self.scales[chosen]
        return super().save(commit)


def known_scales() -> dict[str, list[dict[str, Any]]]:
    """The answers to choose from, by the short name of a questionnaire that has them: those that ship, those in use."""
    found = dict(shipped_scales())
    for instrument in Instrument.objects.exclude(status=InstrumentStatus.DRAFT).order_by("pk"):
        if instrument.scale not in found.values():
            found[f"{instrument.slug}-{instrument.version}"] = instrument.scale
    return found


def _range_of(scale: list[dict[str, Any]]) -> str:
    """ "Strongly disagree … Strongly agree, Don't know": the ends say which scale it is."""
    said = {step["value"]: str(LazyI18nString(step["text"])) for step in scale}
    ends = " … ".join(said[value] for value in (1, 5) if value in said)
    return f"{ends}, {said[0]}" if 0 in said else ends


class BlockForm(QuestionWordsForm):
    pass


# --- Questionnaires: views ---------------------------------------------------------------------------------------
def instrument_of(thing: Instrument | Block) -> Instrument:
    return thing if isinstance(thing, Instrument) else thing.instrument


def objection_to_editing(thing: Instrument | Block) -> str | None:
    instrument = instrument_of(thing)
    return str(InstrumentIsFrozen(instrument)) if instrument.is_frozen else None


class InstrumentPolicy(ModelPermissionPolicy):
    """What the model's permissions allow, and only in drafts. Blocks come and go on the page of their questionnaire."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        if self.model is Block and action in {"add", "delete"}:
            return False
        return bool(super().user_has_permission(user, action))

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Any) -> bool:
        if action in {"change", "delete"} and instrument_of(instance).is_frozen:
            return False
        return bool(super().user_has_permission_for_instance(user, action, instance))


class WhileDraft:
    """A view that writes: within one transaction that holds the questionnaire, and with a sentence where it is frozen."""

    object: Any
    request: HttpRequest
    permission_required = "change"

    def objection(self, thing: Any) -> str | None:
        return objection_to_editing(thing)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.user_has_permission(self.permission_required) and (sentence := self.objection(self.object)):  # type: ignore[attr-defined]
            return self.refuse(sentence)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            try:
                held = hold(instrument_of(self.object))
            except InstrumentRefused as error:
                messages.error(request, str(error))
                return redirect(Instrument.snippet_viewset.get_url_name("list"))
            if sentence := self.objection(held):
                return self.refuse(sentence)
            return super().post(request, *args, **kwargs)  # type: ignore[misc]

    def refuse(self, sentence: str) -> HttpResponse:
        messages.error(self.request, sentence)
        return redirect(page_of(instrument_of(self.object)))


def page_of(instrument: Instrument) -> str:
    """The questionnaire's own page in the CMS."""
    return reverse(Instrument.snippet_viewset.get_url_name("inspect"), args=[quote(instrument.pk)])


class EditView(WhileDraft, snippets.EditView):
    def get_success_url(self) -> str:
        """Its own page says what is still missing."""
        return page_of(instrument_of(self.object))


class CreateView(snippets.CreateView):
    def get_success_url(self) -> str:
        return page_of(self.object)


class DeleteView(WhileDraft, snippets.DeleteView):
    permission_required = "delete"

    def objection(self, thing: Any) -> str | None:
        return objection_to_deleting(thing)


class LookView(snippets.InspectView):
    object: Any

    def get_edit_url(self) -> str | None:
        return None if objection_to_editing(self.object) else super().get_edit_url()

    def get_delete_url(self) -> str | None:
        return None if objection_to_deleting(instrument_of(self.object)) else super().get_delete_url()

    def get_field_display_value(self, field_name: str, field: Any) -> Any:
        value = getattr(self.object, field_name)
        if isinstance(value, LazyI18nString):
            return _in_each_language(value)
        if field_name == "scale":
            return format_html_join("", "<p>{} · {}</p>", ((s["value"], LazyI18nString(s["text"])) for s in value))
        if field_name == "items":
            rows = [
                (item.code, _("also in the pulse") if item.pulse else "", _in_each_language(item.text))
                for item in value.all()
            ]
            return format_html_join("", "<p><b>{}</b> {}</p>{}", rows)
        return super().get_field_display_value(field_name, field) if value not in ("", None) else "–"

    def get_field_label(self, field_name: str, field: Any) -> str:
        if field_name == "items":
            return _("Statements")
        if field_name == "scale":
            return _("Answers")
        return str(super().get_field_label(field_name, field))


def _in_each_language(text: Any) -> Any:
    said = in_languages(text)
    return (
        format_html_join("", '<p lang="{}"><b>{}</b> {}</p>', ((lang, lang, words) for lang, words in said.items()))
        or "–"
    )


class InstrumentLookView(LookView):
    template_name = "readiness/cms/instrument.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        instrument: Instrument = self.object
        named = Instrument.snippet_viewset.get_url_name
        reviews = {review.language: review for review in instrument.reviews.select_related("reviewer")}
        missing = texts_missing(instrument)
        action = "edit" if not instrument.is_frozen else "inspect"
        block_url = Block.snippet_viewset.get_url_name(action)
        blocks = instrument.blocks.order_by("sort_order", "pk").prefetch_related("items")
        return {
            **super().get_context_data(**kwargs),
            "may_change": ModelPermissionPolicy(Instrument).user_has_permission(self.request.user, "change"),
            "edit_url": self.get_edit_url(),
            "closed": objection_to_editing(instrument),
            "objections": [] if instrument.is_frozen else objections_to_use(instrument),
            "blocks": [
                (block, list(block.items.all()), reverse(block_url, args=[quote(block.pk)])) for block in blocks
            ],
            "questions": list(instrument.questions.order_by("sort_order", "pk")),
            "languages": [
                {
                    "code": code,
                    "name": language_name(code),
                    "review": reviews.get(code),
                    "missing": missing[code],
                }
                for code in question_languages()
            ],
            "is_retired": instrument.status == InstrumentStatus.RETIRED,
            "surveys": Wave.objects.filter(instrument=instrument).count(),
            **{f"{name}_url": reverse(named(name), args=[quote(instrument.pk)]) for name in ACTIONS},
        }


class ListView(snippets.IndexView):
    @cached_property
    def columns(self) -> list[Any]:
        return super().columns[1:]  # without the boxes for many at once

    def get_base_queryset(self) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_base_queryset()
        return found.select_related("instrument") if self.model is Block else found

    def get_edit_url(self, instance: Any) -> str | None:
        # A questionnaire's own page comes first: what is missing, its blocks and languages, and the way to edit it.
        if self.model is Instrument or objection_to_editing(instance):
            return None
        return super().get_edit_url(instance)

    def get_delete_url(self, instance: Any) -> str | None:
        return None if instrument_of(instance).is_frozen else super().get_delete_url(instance)


# --- Questionnaires: what is done with them ----------------------------------------------------------------------
def _act(request: HttpRequest, pk: str, action: str) -> HttpResponse:
    may(request, Instrument, "change")
    by = signed_in(request)
    instrument = get_object_or_404(Instrument, pk=as_id(pk))
    language = request.POST.get("language", "")
    try:
        if action == "make_ready":
            make_ready(instrument=instrument, by=by)
            sentence = _("Ready: surveys can ask it, and it does not change any more.")
        elif action == "retire":
            retire(instrument=instrument, by=by)
            sentence = _("Retired: no new survey asks it.")
        elif action == "next_version":
            instrument = next_version(instrument=instrument, by=by)
            sentence = _("This is the draft of the next version.")
        elif action == "review":
            note = request.POST.get("note", "").replace("\0", "")
            review_language(instrument=instrument, language=language, by=by, note=note)
            sentence = _("%(language)s is reviewed: people can be asked in it.") % {"language": language_name(language)}
        else:
            withdraw_review(instrument=instrument, language=language, by=by)
            sentence = _("%(language)s is no longer offered.") % {"language": language_name(language)}
    except InstrumentRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, sentence)
    return redirect(page_of(instrument))


ACTIONS = ("make_ready", "retire", "next_version", "review", "withdraw")


def _door(action: str) -> Any:
    @require_POST
    def view(request: HttpRequest, pk: str) -> HttpResponse:
        return _act(request, pk, action)

    return view


# --- Questionnaires: viewsets ------------------------------------------------------------------------------------
class InstrumentFilterSet(WagtailFilterSet):
    class Meta:
        model = Instrument
        fields = ["status"]


class BlockFilterSet(WagtailFilterSet):
    class Meta:
        model = Block
        fields = ["instrument", "kind"]


class InstrumentViewSet(SnippetViewSet):
    model = Instrument
    chooser_viewset_class = ChooserViewSet
    icon = "form"
    inspect_view_enabled = True
    copy_view_enabled = False
    list_display = ["__str__", "slug", "version", "status", "licence"]
    filterset_class = InstrumentFilterSet
    search_fields = ["slug", "title"]
    index_view_class = ListView
    add_view_class = CreateView
    edit_view_class = EditView
    delete_view_class = DeleteView
    inspect_view_class = InstrumentLookView
    inspect_template_name = InstrumentLookView.template_name
    inspect_view_fields = [
        "slug",
        "version",
        "status",
        "title",
        "about",
        "scale",
        "minutes",
        "licence",
        "attribution",
        "source",
    ]
    edit_handler = ObjectList(
        [
            MultiFieldPanel(
                [
                    FieldPanel("slug"),
                    FieldPanel("title"),
                    FieldPanel("about"),
                    FieldRowPanel([FieldPanel("answers"), FieldPanel("minutes")]),
                ],
                heading=gettext_lazy("What it is"),
            ),
            RowsPanel(
                "blocks",
                form=QuestionWordsForm,
                panels=[FieldRowPanel([FieldPanel("code"), FieldPanel("kind")]), FieldPanel("title")],
                heading=gettext_lazy("Blocks; their statements are written on the page of each"),
                label=gettext_lazy("Block"),
            ),
            RowsPanel(
                "questions",
                form=QuestionWordsForm,
                panels=[FieldRowPanel([FieldPanel("code"), FieldPanel("pulse")]), FieldPanel("text")],
                heading=gettext_lazy("Open questions"),
                label=gettext_lazy("Open question"),
            ),
            MultiFieldPanel(
                [FieldPanel("licence"), FieldPanel("attribution"), FieldPanel("source")],
                heading=gettext_lazy("Where it comes from, and how it may be used"),
            ),
        ],
        base_form_class=InstrumentForm,
    )

    @property
    def permission_policy(self) -> InstrumentPolicy:
        return InstrumentPolicy(self.model)

    def get_urlpatterns(self) -> list[Any]:
        doors = [path(f"{name.replace('_', '-')}/<str:pk>/", _door(name), name=name) for name in ACTIONS]
        return [*super().get_urlpatterns(), *doors]


class BlockViewSet(SnippetViewSet):
    model = Block
    chooser_viewset_class = ChooserViewSet
    icon = "list-ul"
    menu_label = gettext_lazy("Blocks and statements")
    inspect_view_enabled = True
    copy_view_enabled = False
    list_per_page = 50
    list_display = ["__str__", "code", "instrument", "kind"]
    filterset_class = BlockFilterSet
    search_fields = ["code", "title"]
    index_view_class = ListView
    edit_view_class = EditView
    inspect_view_class = LookView
    inspect_view_fields = ["instrument", "code", "kind", "title", "about", "lead_in", "items"]
    edit_handler = ObjectList(
        [
            FieldPanel("about"),
            FieldPanel("lead_in"),
            RowsPanel(
                "items",
                form=QuestionWordsForm,
                panels=[FieldRowPanel([FieldPanel("code"), FieldPanel("pulse")]), FieldPanel("text")],
                heading=gettext_lazy("Statements: agreeing is favourable; {initiative} and {service} are filled in"),
                label=gettext_lazy("Statement"),
            ),
        ],
        base_form_class=BlockForm,
    )

    @property
    def permission_policy(self) -> InstrumentPolicy:
        return InstrumentPolicy(self.model)


# --- Suggestions -------------------------------------------------------------------------------------------------
def block_words() -> dict[str, str]:
    """What blocks are called, by code, in the order of their names: each as the newest questionnaire that has it calls
    it, and with its code where two are called alike. One query.
    """
    said = {code: str(title) or code for code, title in Block.objects.order_by("pk").values_list("code", "title")}
    alike = Counter(said.values())
    words = {code: f"{title} ({code})" if alike[title] > 1 else title for code, title in said.items()}
    return dict(sorted(words.items(), key=lambda one: (one[1], one[0])))


class SuggestionForm(WordsForm):
    """A suggestion is for a block that some questionnaire has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = block_words()
        if self.instance.block:
            known.setdefault(self.instance.block, self.instance.block)
        self.fields["block"] = forms.ChoiceField(label=self.fields["block"].label, choices=list(known.items()))


def _blocks_with_suggestions() -> list[tuple[str, str]]:
    known = block_words()
    used = set(Suggestion.objects.order_by().values_list("block", flat=True))
    return [
        *((code, words) for code, words in known.items() if code in used),
        *((c, c) for c in sorted(used - set(known))),
    ]


class SuggestionFilterSet(WagtailFilterSet):
    block = ChoiceFilter(choices=_blocks_with_suggestions, label=gettext_lazy("Block"))

    class Meta:
        model = Suggestion
        fields = ["block", "kind"]


class SuggestionListView(snippets.IndexView):
    @cached_property
    def columns(self) -> list[Any]:
        columns: list[Any] = super().columns
        known = block_words()
        for column in columns:
            if column.name == "block":
                column.accessor = lambda suggestion: known.get(suggestion.block, suggestion.block)
        return columns


class SuggestionViewSet(SnippetViewSet):
    model = Suggestion
    chooser_viewset_class = ChooserViewSet
    icon = "help"
    copy_view_enabled = False
    list_per_page = 50
    list_display = ["title", "block", "kind", "order"]
    index_view_class = SuggestionListView
    filterset_class = SuggestionFilterSet
    search_fields = ["block", "title", "text"]
    edit_handler = ObjectList(
        [
            FieldRowPanel([FieldPanel("block"), FieldPanel("kind"), FieldPanel("order")]),
            FieldPanel("title"),
            FieldPanel("text"),
            FieldPanel("link"),
        ],
        base_form_class=SuggestionForm,
    )
