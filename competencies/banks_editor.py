"""Item banks in the CMS: drafts are written and read, put in use when they are fit, and retired.

A bank in use or retired is looked at; a question that somebody has been asked is retired, not edited. Every action is
in the history. What a bank does with invented people stands on its page, before anybody real takes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import cached_property
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST
from django_filters import ModelChoiceFilter
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, ObjectList
from wagtail.admin.widgets import HeaderButton
from wagtail.permissions import ModelPermissionPolicy
from wagtail.snippets.views import snippets
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from competencies.banks import (
    FORMAT,
    GRID_FROM,
    GRID_TO,
    BankRefused,
    answered_of,
    figures_of,
    load_bank,
    objection_to_cuts,
    objection_to_right_answers,
    objections_to_use,
    put_in_use,
    read_bank,
    retire_bank,
    retire_item,
)
from competencies.calibration import FEWEST_ANSWERS
from competencies.editor import name_languages
from competencies.enums import BankStatus
from competencies.importers import CannotImport
from competencies.importers.sources import Source
from competencies.models import BankFacet, Competency, DiagnosticAnswer, DiagnosticItem, ItemBank
from competencies.simulation import LEAST_EXACT_PCT, LEAST_WITHIN_ONE_PCT, MOST_MEDIAN_ITEMS
from organisations.ids import as_id

MAX_FILE_BYTES = 5 * 1024 * 1024
SHOWN_FAULTS = 50
# What points to a bank or a question is looked up where it matters; an index of references would only cost.
for _model in (ItemBank, BankFacet, DiagnosticItem):
    setattr(_model, "wagtail_reference_index_ignore", True)  # noqa: B010  # the models do not declare it


def objection_to_editing(thing: ItemBank | DiagnosticItem) -> str | None:
    """The sentence that says why a bank or a question is only looked at, or None."""
    if isinstance(thing, ItemBank):
        if thing.status == BankStatus.DRAFT:
            return None
        return _("This bank is no draft any more: people rely on it as it is. Load the changed bank as a new edition.")
    if thing.bank.status == BankStatus.RETIRED:
        return _("The bank of this question is retired. Nothing in it changes.")
    if thing.is_retired:
        return _("This question is retired. It stays as it was asked.")
    if DiagnosticAnswer.objects.filter(item=thing).exists():
        return _("People have been asked this question, so its words stay. Retire it, and write another.")
    return None


def objection_to_deleting(thing: ItemBank | DiagnosticItem) -> str | None:
    bank = thing if isinstance(thing, ItemBank) else thing.bank
    if bank.status == BankStatus.DRAFT:
        return None
    return _("What was in use is retired, not deleted: answers of people refer to it.")


class BankPolicy(ModelPermissionPolicy):
    """What the model's permissions allow, of what may still change."""

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Any) -> bool:
        if action == "change" and objection_to_editing(instance):
            return False
        if action == "delete" and objection_to_deleting(instance):
            return False
        return bool(super().user_has_permission_for_instance(user, action, instance))


# --- Forms -------------------------------------------------------------------------------------------------------
class CompetencyField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.code} · {obj}"


class BankForm(WagtailAdminModelForm):
    competency = CompetencyField(label=gettext_lazy("Competency"), queryset=Competency.objects.none())
    cuts = forms.JSONField(
        label=gettext_lazy("Cuts between the levels"),
        help_text=gettext_lazy("On the scale of ability, from low to high, for example [-1.5, -0.5, 0.5, 1.5]."),
        widget=forms.TextInput,
        error_messages={
            "invalid": gettext_lazy("Write the cuts as numbers in square brackets, for example [-1.5, -0.5, 0.5, 1.5].")
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Frameworks of many thousand statements have no banks for all of them: what has levels described can have one.
        self.fields["competency"].queryset = (
            Competency.objects.published().filter(descriptors__isnull=False).distinct().order_by("code")
        )
        if self.instance.pk:
            self.fields["competency"].queryset = Competency.objects.filter(pk=self.instance.competency_id)
        name_languages(self)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        competency = cleaned.get("competency")
        if competency and "cuts" in cleaned and (objection := objection_to_cuts(cleaned["cuts"], competency)):
            self.add_error("cuts", objection)
        return cleaned


class ChildForm(WagtailAdminModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_languages(self)


class FacetForm(ChildForm):
    share = forms.FloatField(
        label=gettext_lazy("Share"),
        min_value=0.01,
        max_value=1,
        help_text=gettext_lazy("Of the questions of a diagnostic, for example 0.25. The shares add up to 1."),
    )


class ItemForm(WagtailAdminModelForm):
    """A question of one bank: its part and its level are the bank's, exactly one answer is right."""

    level = forms.TypedChoiceField(label=gettext_lazy("Level it tells"), coerce=int)
    difficulty = forms.FloatField(
        label=gettext_lazy("Difficulty"),
        min_value=GRID_FROM,
        max_value=GRID_TO,
        help_text=gettext_lazy("The ability at which half of the people know the answer, from -4 to 4."),
    )

    def __init__(self, *args: Any, bank: ItemBank | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bank = bank or self.instance.bank
        self.instance.bank = bank
        self.fields["facet"].queryset = bank.facets.all()
        cuts = bank.cuts if isinstance(bank.cuts, list) else []
        self.fields["level"].choices = [(level, str(level)) for level in range(1, len(cuts) + 1)]
        name_languages(self)

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if DiagnosticItem.objects.filter(bank=self.instance.bank, key=key).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("There is a question with this key in the bank already."))
        return key

    def is_valid(self) -> bool:
        if not super().is_valid():
            return False
        rows = [row for row in self.formsets["options"].cleaned_data if row and not row.get("DELETE")]
        objection = objection_to_right_answers(sum(bool(row.get("correct")) for row in rows))
        if len(rows) < 2:
            objection = _("A question has at least two answers.")
        if objection:
            self.add_error(None, objection)
        return objection is None

    def save(self, commit: bool = True) -> Any:
        if commit and self.instance.pk:
            # The right answer may move to another row: there is never more than one, also while rows are written.
            self.instance.options.model.objects.filter(item=self.instance.pk).update(correct=False)
        return super().save(commit)


class OptionsPanel(InlinePanel):
    """Inline rows whose texts stand under the names of their languages."""

    def __init__(self, *args: Any, form: type[WagtailAdminModelForm] = ChildForm, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.form = form

    def clone_kwargs(self) -> dict[str, Any]:
        return {**super().clone_kwargs(), "form": self.form}

    def get_form_options(self) -> dict[str, Any]:
        options: dict[str, Any] = super().get_form_options()
        options["formsets"][self.relation_name]["form"] = self.form
        return options


class BankFileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("A JSON file of the format “item-bank/1”, at most 5 MB."),
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_FILE_BYTES:
            raise forms.ValidationError(_("The file is larger than 5 MB. A bank is smaller: check the file."))
        return file


# --- Views -------------------------------------------------------------------------------------------------------
class StillOpen:
    """A view that writes: within one transaction that holds the row, and with a sentence where it is closed."""

    object: Any
    request: HttpRequest
    objection = staticmethod(objection_to_editing)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.user_has_permission(self.permission_required) and (sentence := self.objection(self.object)):  # type: ignore[attr-defined]
            return self.refuse(sentence)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            held = type(self.object).objects.select_for_update(of=("self",)).get(pk=self.object.pk)
            if sentence := self.objection(held):
                return self.refuse(sentence)
            return super().post(request, *args, **kwargs)  # type: ignore[misc]

    def refuse(self, sentence: str) -> HttpResponse:
        messages.error(self.request, sentence)
        return redirect(self.object.snippet_viewset.get_url_name("inspect"), quote(self.object.pk))


class EditView(StillOpen, snippets.EditView):
    permission_required = "change"

    def get_success_url(self) -> str:
        """Its own page says what can be done next."""
        return reverse(self.object.snippet_viewset.get_url_name("inspect"), args=[self.object.pk])


class DeleteView(StillOpen, snippets.DeleteView):
    objection = staticmethod(objection_to_deleting)

    def delete_action(self) -> None:
        """A draft goes with its questions."""
        with transaction.atomic():
            if isinstance(self.object, ItemBank):
                DiagnosticItem.objects.filter(bank=self.object).delete()
            super().delete_action()


class LookView(snippets.InspectView):
    def get_edit_url(self) -> str | None:
        return None if objection_to_editing(self.object) else super().get_edit_url()

    def get_delete_url(self) -> str | None:
        return None if objection_to_deleting(self.object) else super().get_delete_url()

    def get_field_display_value(self, field_name: str, field: Any) -> Any:
        value = getattr(self.object, field_name)
        if field_name == "options":
            mark = _("right")
            rows = [(option.text, f" ({mark})" if option.correct else "") for option in value.all()]
            return format_html_join("", "<p>{}{}</p>", rows)
        if field_name == "facets":
            rows = [(facet.title, round(100 * facet.share)) for facet in value.all()]
            return format_html_join("", "<p>{} · {} %</p>", rows)
        if field_name == "calibrated_at":
            return value or _("Not yet: the difficulty is its author's judgement.")
        return super().get_field_display_value(field_name, field)

    def get_field_label(self, field_name: str, field: Any) -> str:
        if field_name in ("facets", "options"):
            return str(self.model._meta.get_field(field_name).related_model._meta.verbose_name_plural).capitalize()
        return str(super().get_field_label(field_name, field))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = self.permission_policy.user_has_permission(self.request.user, "change")
        return {**super().get_context_data(**kwargs), "may_change": may, "closed": objection_to_editing(self.object)}


class BankLookView(LookView):
    template_name = "competencies/cms/bank.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        bank: ItemBank = self.object
        report = figures_of(bank)
        questions = DiagnosticItem.objects.filter(bank=bank)
        items_list = reverse(DiagnosticItem.snippet_viewset.get_url_name("list"))
        items_add = reverse(DiagnosticItem.snippet_viewset.get_url_name("add"))
        return {
            **super().get_context_data(**kwargs),
            "edit_url": self.get_edit_url(),
            "report": report,
            "shortfalls": {
                "exact_pct": _("The level is right for fewer than %(least)g %% of people.")
                % {"least": LEAST_EXACT_PCT},
                "within_one_pct": _("The level is within one for fewer than %(least)g %% of people.")
                % {"least": LEAST_WITHIN_ONE_PCT},
                "median_items": _("Half of the people are asked more than %(most)g questions.")
                % {"most": MOST_MEDIAN_ITEMS},
            },
            "missed": [] if report is None else report.shortfalls(give_or_take=report.chance_points),
            "answered": answered_of(bank),
            "fewest_answers": FEWEST_ANSWERS,
            "objections": [] if bank.status == BankStatus.RETIRED else objections_to_use(bank),
            "counted": questions.filter(is_retired=False).count(),
            "items_url": f"{items_list}?bank={bank.pk}",
            "add_item_url": f"{items_add}?bank={bank.pk}" if bank.status != BankStatus.RETIRED else "",
            "use_url": reverse(bank.snippet_viewset.get_url_name("put_in_use"), args=[bank.pk]),
            "retire_url": reverse(bank.snippet_viewset.get_url_name("retire"), args=[bank.pk]),
        }


class ItemLookView(LookView):
    template_name = "competencies/cms/item.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        viewset = self.object.snippet_viewset
        bank_url = ItemBank.snippet_viewset.get_url_name("inspect")
        return {
            **super().get_context_data(**kwargs),
            "asked": DiagnosticAnswer.objects.filter(item=self.object).count(),
            "bank_url": reverse(bank_url, args=[self.object.bank_id]),
            "retire_url": reverse(viewset.get_url_name("retire"), args=[self.object.pk]),
        }


class ListView(snippets.IndexView):
    def get_base_queryset(self) -> QuerySet[Any]:
        related = ("competency",) if self.model is ItemBank else ("bank__competency", "facet")
        found: QuerySet[Any] = super().get_base_queryset().select_related(*related)
        return found

    def get_edit_url(self, instance: Any) -> str | None:
        # Whether a question was asked is looked up on its own page, not once a row.
        bank = instance if isinstance(instance, ItemBank) else instance.bank
        return super().get_edit_url(instance) if bank.status == BankStatus.DRAFT else None

    def get_delete_url(self, instance: Any) -> str | None:
        return None if objection_to_deleting(instance) else super().get_delete_url(instance)


class BankListView(ListView):
    @cached_property
    def columns(self) -> list[Any]:
        return super().columns[1:]  # without the boxes for many at once: banks are deleted one by one

    def get_edit_url(self, instance: Any) -> str | None:
        return None  # a bank's own page comes first: its questions, its figures, and the way to edit it

    @property
    def header_buttons(self) -> list[Any]:
        buttons = list(super().header_buttons)
        if self.permission_policy.user_has_permission(self.request.user, "add"):
            url = reverse(self.model.snippet_viewset.get_url_name("load"))
            buttons.append(HeaderButton(_("Load a file"), url=url, icon_name="upload"))
        return buttons


class ItemCreateView(snippets.CreateView):
    """Asks for the bank first (`?bank=`), then for the question."""

    bank: ItemBank | None = None

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        chosen = as_id(request.GET.get("bank", ""))
        if chosen is not None:
            self.bank = ItemBank.objects.select_related("competency").filter(pk=chosen).first()
        super().setup(request, *args, **kwargs)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.user_has_permission("add"):
            raise PermissionDenied
        if self.bank is None or self.bank.status == BankStatus.RETIRED:
            messages.error(request, _("Open the bank the question is for, and add it there."))
            return redirect(ItemBank.snippet_viewset.get_url_name("list"))
        return super().dispatch(request, *args, **kwargs)

    def get_add_url(self) -> str:
        url = str(super().get_add_url())
        return url if self.bank is None else f"{url}?bank={self.bank.pk}"

    def get_initial_form_instance(self) -> Model:
        return DiagnosticItem(bank=self.bank)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "bank": self.bank}


def may(request: HttpRequest, model: type[Model], action: str) -> None:
    """Raise PermissionDenied for who may not."""
    if not ModelPermissionPolicy(model).user_has_permission(request.user, action):
        raise PermissionDenied


@require_http_methods(["GET", "POST"])
def load_file(request: HttpRequest) -> HttpResponse:
    """A file becomes a draft. The same file twice leads to the bank it made."""
    may(request, ItemBank, "add")
    posted = (request.POST, request.FILES) if request.method == "POST" else ()
    form = BankFileForm(*posted)
    faults: list[str] = []
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            loaded = load_bank(
                content=read_bank(Source(file.name, file.read())),
                by=request.user,  # type: ignore[arg-type]
                in_use=False,
            )
        except CannotImport as error:
            faults = [str(fault) for fault in error.faults[:SHOWN_FAULTS]]
            form.add_error(
                "file",
                ngettext(
                    "Nothing was written: %(count)s fault was found.",
                    "Nothing was written: %(count)s faults were found.",
                    error.count,
                )
                % {"count": error.count},
            )
        else:
            sentence = _("The bank is loaded as a draft.") if loaded.created else _("This bank is there already.")
            messages.success(request, sentence)
            return redirect(ItemBank.snippet_viewset.get_url_name("inspect"), loaded.bank.pk)
    context = {
        "form": form,
        "faults": faults,
        "format": FORMAT,
        "page_title": _("Load an item bank"),
        "header_icon": BankViewSet.icon,
    }
    return TemplateResponse(
        request, "competencies/cms/load_bank.html", context, status=422 if form.is_bound and form.errors else 200
    )


@require_POST
def put_bank_in_use(request: HttpRequest, pk: str) -> HttpResponse:
    may(request, ItemBank, "change")
    bank = get_object_or_404(ItemBank, pk=as_id(pk))
    try:
        put_in_use(bank=bank, by=request.user)  # type: ignore[arg-type]
    except BankRefused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("People can take this diagnostic now."))
    return redirect(ItemBank.snippet_viewset.get_url_name("inspect"), bank.pk)


@require_POST
def take_bank_out(request: HttpRequest, pk: str) -> HttpResponse:
    may(request, ItemBank, "change")
    bank = get_object_or_404(ItemBank, pk=as_id(pk))
    retire_bank(bank=bank, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("Retired: nobody begins it any more. Who has begun can finish."))
    return redirect(ItemBank.snippet_viewset.get_url_name("inspect"), bank.pk)


@require_POST
def take_item_out(request: HttpRequest, pk: str) -> HttpResponse:
    may(request, DiagnosticItem, "change")
    item = get_object_or_404(DiagnosticItem, pk=as_id(pk))
    retire_item(item=item, by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("Retired: nobody is asked this question any more. Answers given still count."))
    return redirect(DiagnosticItem.snippet_viewset.get_url_name("inspect"), item.pk)


# --- Viewsets ----------------------------------------------------------------------------------------------------
class BankFilterSet(WagtailFilterSet):
    class Meta:
        model = ItemBank
        fields = ["status"]


class ItemFilterSet(WagtailFilterSet):
    bank = ModelChoiceFilter(queryset=ItemBank.objects.select_related("competency"), label=gettext_lazy("Item bank"))

    class Meta:
        model = DiagnosticItem
        fields = ["bank", "level", "is_retired"]


class BankViewSet(SnippetViewSet):
    model = ItemBank
    icon = "clipboard-list"
    inspect_view_enabled = True
    copy_view_enabled = False
    list_per_page = 50
    list_display = ["__str__", "competency", "status", "created_at"]
    filterset_class = BankFilterSet
    search_fields = ["title", "edition"]
    index_view_class = BankListView
    edit_view_class = EditView
    delete_view_class = DeleteView
    inspect_view_class = BankLookView
    inspect_template_name = BankLookView.template_name
    inspect_view_fields = ["competency", "edition", "status", "cuts", "facets"]
    edit_handler = ObjectList(
        [
            FieldPanel("competency"),
            FieldRowPanel([FieldPanel("edition"), FieldPanel("cuts")]),
            FieldPanel("title"),
            OptionsPanel(
                "facets",
                form=FacetForm,
                panels=[FieldRowPanel([FieldPanel("code"), FieldPanel("share")]), FieldPanel("title")],
                heading=gettext_lazy("Parts of the competency"),
                label=gettext_lazy("Part"),
                min_num=1,
            ),
        ],
        base_form_class=BankForm,
    )

    @property
    def permission_policy(self) -> BankPolicy:
        return BankPolicy(self.model)

    def get_urlpatterns(self) -> list[Any]:
        return [
            *super().get_urlpatterns(),
            path("load/", load_file, name="load"),
            path("use/<str:pk>/", put_bank_in_use, name="put_in_use"),
            path("retire/<str:pk>/", take_bank_out, name="retire"),
        ]


class ItemViewSet(SnippetViewSet):
    model = DiagnosticItem
    icon = "help"
    inspect_view_enabled = True
    copy_view_enabled = False
    list_per_page = 50
    list_display = ["__str__", "key", "level", "difficulty", "facet", "is_retired"]
    filterset_class = ItemFilterSet
    search_fields = ["key", "text"]
    index_view_class = ListView
    add_view_class = ItemCreateView
    edit_view_class = EditView
    delete_view_class = DeleteView
    inspect_view_class = ItemLookView
    inspect_template_name = ItemLookView.template_name
    inspect_view_fields = [
        "bank", "facet", "key", "level", "text", "options", "explanation", "difficulty", "discrimination",
        "calibrated_at", "is_retired",
    ]  # fmt: skip
    edit_handler = ObjectList(
        [
            FieldRowPanel([FieldPanel("key"), FieldPanel("facet", widget=forms.Select)]),
            FieldRowPanel([FieldPanel("level"), FieldPanel("difficulty")]),
            FieldPanel("text"),
            OptionsPanel(
                "options",
                panels=[FieldPanel("text"), FieldPanel("correct"), FieldPanel("position")],
                heading=gettext_lazy("Answers: exactly one is right"),
                label=gettext_lazy("Answer option"),
                min_num=2,
                max_num=8,
            ),
            FieldPanel("explanation"),
        ],
        base_form_class=ItemForm,
    )

    @property
    def permission_policy(self) -> BankPolicy:
        return BankPolicy(self.model)

    def get_urlpatterns(self) -> list[Any]:
        return [*super().get_urlpatterns(), path("retire/<str:pk>/", take_item_out, name="retire")]


class BanksGroup(SnippetViewSetGroup):
    items = (BankViewSet, ItemViewSet)
    menu_label = gettext_lazy("Diagnostics")
    menu_icon = "help"
    menu_order = 307


def refuse_deleting(request: HttpRequest, things: Iterable[Model]) -> HttpResponse | None:
    """Redirect with the sentence, where one of the things has to stay; a draft's questions go before it."""
    for thing in things:
        if isinstance(thing, (ItemBank, DiagnosticItem)) and (objection := objection_to_deleting(thing)):
            messages.error(request, objection)
            return redirect(thing.snippet_viewset.get_url_name("inspect"), quote(thing.pk))
    return None


def refuse_deleting_many(
    request: HttpRequest, action: str, things: Iterable[Model], _view: object
) -> HttpResponse | None:
    """A bank is deleted on a page of its own, which takes its questions along."""
    if action != "delete" or not any(isinstance(thing, ItemBank) for thing in things):
        return None
    messages.error(request, _("Delete banks one by one."))
    return redirect(ItemBank.snippet_viewset.get_url_name("list"))
