"""Frameworks in the CMS: drafts are edited part by part, with Wagtail's drafts and history; what is published is looked at.

"Save draft" keeps a wording for later and leaves the edition as it is; "Publish" puts it into the draft edition. The
edition itself is published elsewhere (competencies.lifecycle), and from then on nothing in it changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, cast

from django import forms
from django.conf import settings
from django.conf.locale import LANG_INFO
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_filters import ChoiceFilter, ModelChoiceFilter
from i18nfield.fields import I18nCharField, I18nTextField
from i18nfield.forms import I18nTextarea, I18nTextInput, I18nWidget
from i18nfield.strings import LazyI18nString
from wagtail.admin import messages
from wagtail.admin.compare import TextFieldComparison, register_comparison_class
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.forms.choosers import BaseFilterForm
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, HelpPanel, InlinePanel, MultiFieldPanel, ObjectList, Panel
from wagtail.models import Revision, RevisionMixin
from wagtail.permissions import ModelPermissionPolicy
from wagtail.snippets.views import snippets
from wagtail.snippets.views.chooser import ChooseResultsView, ChooseView
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from competencies.enums import CompetencyKind, FrameworkStatus
from competencies.models import (
    Area,
    Competency,
    FrameworkVersion,
    LevelDescriptor,
    ProficiencyLevel,
    Requirement,
    Role,
    RoleProfile,
    VersionIsFrozen,
)
from competencies.models.framework import fold
from organisations.choosers import Chooser, ChooserViewSet
from organisations.ids import as_id

PARTS: tuple[type[Model], ...] = (Area, Competency, Role, RoleProfile)
EDITABLE: tuple[type[Model], ...] = (FrameworkVersion, *PARTS)
# Frameworks are stored in bulk, which Wagtail's index of references does not see: half an index would mislead, and cost.
# What points to a part is looked up instead (`objection_to_deleting`).
for _model in EDITABLE:
    _model.wagtail_reference_index_ignore = True  # type: ignore[attr-defined]
# Where the words of every language stand in small letters without accents.
FOLDED: dict[type[Model], str] = {Competency: "search_text", Role: "search_text", RoleProfile: "role__search_text"}
WORDS_OF_VERSION = (
    "title", "description", "publisher", "source", "source_url", "licence", "attribution", "identifier",
)  # fmt: skip


def owner_of(thing: Model) -> FrameworkVersion:
    """The version that a thing is, or belongs to."""
    return thing if isinstance(thing, FrameworkVersion) else thing.owner()  # type: ignore[attr-defined]


def version_lookup(model: type[Model]) -> str:
    """Where the version stands, seen from a model."""
    return {FrameworkVersion: "pk", RoleProfile: "role__version"}.get(model, "version")


def hold_draft(version_id: int) -> FrameworkVersion:
    """Lock a version until the transaction ends: nobody publishes it while a part is written, parts go one by one.

    Raises VersionIsFrozen when it is not a draft, or no longer.
    """
    version = FrameworkVersion.objects.select_for_update(of=("self",)).select_related("framework").get(pk=version_id)
    if not version.is_draft:
        raise VersionIsFrozen(version)
    return version


def digest_of_words(version: FrameworkVersion) -> str:
    """Tells whether somebody has changed the words of a version meanwhile: it has no history of its own."""
    words = [getattr(value, "data", value) for value in (getattr(version, name) for name in WORDS_OF_VERSION)]
    return hashlib.sha256(repr(words).encode()).hexdigest()


class DraftPolicy(ModelPermissionPolicy):
    """What the model's permissions allow, and only in drafts: published versions are looked at."""

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Model) -> bool:
        if action in {"change", "delete", "publish"} and not owner_of(instance).is_draft:
            return False
        return bool(super().user_has_permission_for_instance(user, action, instance))


class WordingComparison(TextFieldComparison):
    """Two wordings beside each other, each language on a line of its own."""

    val_a: Any
    val_b: Any

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.val_a, self.val_b = _each_language(self.val_a), _each_language(self.val_b)


def _each_language(value: Any) -> str:
    data = value.data if isinstance(value, LazyI18nString) else value
    if not isinstance(data, dict):
        return str(data or "")
    return "\n".join(f"{language}: {text}" for language, text in sorted(data.items()) if text)


register_comparison_class(I18nCharField, comparison_class=WordingComparison)
register_comparison_class(I18nTextField, comparison_class=WordingComparison)


# --- Forms -------------------------------------------------------------------------------------------------------
class Scope:
    """What the parts of one draft may refer to: the draft itself and the framework it extends."""

    def __init__(self, draft: FrameworkVersion) -> None:
        self.draft = draft
        self.version_ids = [pk for pk in (draft.pk, draft.extends_id) if pk is not None]

    def of(self, model: type[Model]) -> QuerySet[Any]:
        return model._default_manager.filter(**{f"{version_lookup(model)}__in": self.version_ids})

    @cached_property
    def levels(self) -> list[ProficiencyLevel]:
        return list(self.of(ProficiencyLevel).order_by("version", "rank"))

    @cached_property
    def competencies(self) -> dict[int, Competency]:
        """For the names in a form with many requirements: one query, however many there are."""
        return self.of(Competency).only("pk", "code", "title", "version").in_bulk()


class KnownChoiceField(forms.ModelChoiceField):
    """A choice among things that are at hand already: as many rows as there are, no query for each."""

    known: Mapping[int, Model]

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return self.known[int(getattr(value, "pk", value))]
        except (KeyError, TypeError, ValueError):
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice") from None


class DraftChooser(Chooser):
    """A chooser that offers what one draft may refer to."""

    draft_id: int | None = None
    known: Mapping[int, Model] | None = None

    def get_chooser_modal_url(self) -> str:
        url = str(super().get_chooser_modal_url())
        return url if self.draft_id is None else f"{url}?draft={self.draft_id}"

    def get_instance(self, value: Any) -> Any:
        if self.known is not None and value and not isinstance(value, Model):
            return self.known.get(int(value))
        return super().get_instance(value)


class EachLanguage:
    """An input for each language under its name: a placeholder goes as soon as something is written."""

    enabled_locales: list[str]

    def format_output(self, rendered_widgets: list[str], id_: str) -> str:
        names = dict(settings.LANGUAGES)
        rows = [
            # A text may be wanted in more languages than the platform speaks; the widget is its own output.
            (id_, number, names.get(language) or _local_name(language), mark_safe(widget))
            for number, (language, widget) in enumerate(zip(self.enabled_locales, rendered_widgets, strict=True))
        ]
        inputs = format_html_join("", '<div><label class="w-field__label" for="{}_{}">{}</label>{}</div>', rows)
        return format_html('<div id="{}">{}</div>', id_, inputs)


def _local_name(language: str) -> str:
    return str(LANG_INFO.get(language, {}).get("name_local", language)).capitalize()


class LineInEachLanguage(EachLanguage, I18nTextInput):
    pass


class TextInEachLanguage(EachLanguage, I18nTextarea):
    pass


def name_languages(form: forms.BaseForm) -> None:
    for field in form.fields.values():
        widget = field.widget
        if isinstance(widget, I18nWidget) and not isinstance(widget, EachLanguage):
            kind = TextInEachLanguage if isinstance(widget, I18nTextarea) else LineInEachLanguage
            rows = {"rows": 4} if kind is TextInEachLanguage else {}
            field.widget = kind(locales=widget.locales, field=field, attrs={**widget.attrs, **rows})


def confine(form: forms.BaseForm, scope: Scope) -> None:
    """Let every field of a form offer and take only what the draft may refer to."""
    for field in form.fields.values():
        if not isinstance(field, forms.ModelChoiceField):
            continue
        model = cast("QuerySet[Any]", field.queryset).model
        if isinstance(field, KnownChoiceField):
            field.known = scope.competencies if model is Competency else {level.pk: level for level in scope.levels}
        else:
            field.queryset = scope.of(model)
        if isinstance(field.widget, DraftChooser):
            field.widget.draft_id = scope.draft.pk
            field.widget.known = scope.competencies if isinstance(field, KnownChoiceField) else None
        elif model is ProficiencyLevel:
            field.choices = [("", "---------"), *((level.pk, str(level)) for level in scope.levels)]


class PartForm(WagtailAdminModelForm):
    """A part of a draft. Choices stay within the draft and what it extends; codes are unique there."""

    def __init__(self, *args: Any, draft: FrameworkVersion | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope = Scope(draft or owner_of(self.instance))
        confine(self, self.scope)
        name_languages(self)
        for formset in self.formsets.values():
            formset.form_kwargs["scope"] = self.scope

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if (code := cleaned.get("code")) and self._code_is_taken(code, cleaned):
            self.add_error(
                "code", _("“%(code)s” is taken in this framework version. Give this one another code.") % {"code": code}
            )
        return cleaned

    def _code_is_taken(self, code: str, cleaned: Mapping[str, Any]) -> bool:
        """In the draft, or in what it extends: a code must lead to one thing."""
        model = type(self.instance)
        others = self.scope.of(model).filter(code=code).exclude(pk=self.instance.pk)
        if model is RoleProfile:
            others = others.filter(role=cleaned.get("role"))
        return bool(others.exists())


class CompetencyForm(PartForm):
    def clean_parent(self) -> Competency | None:
        above: Competency | None = self.cleaned_data["parent"]
        higher, seen = above, set[int]()
        while higher is not None and higher.pk not in seen:
            if higher.pk == self.instance.pk:
                raise forms.ValidationError(_("A competency cannot be part of itself or of one that is part of it."))
            seen.add(higher.pk)
            higher = higher.parent
        return above


class RoleProfileForm(PartForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        draft = self.scope.draft
        # A draft's role has the profile; only what the extended framework asks for may be built upon.
        self.fields["role"].queryset = Role.objects.filter(version=draft)
        self.fields["role"].label_from_instance = lambda role: f"{role} ({role.code})"
        if draft.extends_id is None:
            del self.fields["builds_on"]
        else:
            base = RoleProfile.objects.filter(role__version=draft.extends_id).select_related("role")
            self.fields["builds_on"].queryset = base
            self.fields["builds_on"].label_from_instance = lambda profile: (
                f"{profile.role} · {profile.grade}" if str(profile.grade) else str(profile.role)
            )


class ChildForm(WagtailAdminModelForm):
    def __init__(self, *args: Any, scope: Scope, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        confine(self, scope)
        name_languages(self)


class DescriptorForm(ChildForm):
    level = KnownChoiceField(
        label=gettext_lazy("level"),
        queryset=ProficiencyLevel.objects.none(),
        error_messages={"invalid_choice": gettext_lazy("Choose a level of this framework version.")},
    )

    class Meta:
        model = LevelDescriptor
        fields = ["level", "text"]


class RequirementForm(ChildForm):
    competency = KnownChoiceField(
        label=gettext_lazy("competency"),
        queryset=Competency.objects.none(),
        widget=DraftChooser(Competency),
        error_messages={
            "invalid_choice": gettext_lazy("Choose a competency of this framework version, or of the one it extends.")
        },
    )
    level = KnownChoiceField(
        label=gettext_lazy("level"),
        queryset=ProficiencyLevel.objects.none(),
        required=False,
        help_text=gettext_lazy("Empty where the role asks for the competency at any level."),
        error_messages={
            "invalid_choice": gettext_lazy("Choose a level of this framework version, or of the one it extends.")
        },
    )

    class Meta:
        model = Requirement
        fields = ["competency", "level", "importance", "necessity"]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        level, competency = cleaned.get("level"), cleaned.get("competency")
        # The model says so too, once the profile is there.
        if level is not None and competency is not None and level.version_id != competency.version_id:
            self.add_error("level", _("This level belongs to another framework than the competency."))
        return cleaned


class VersionForm(WagtailAdminModelForm):
    """The words of a draft. `seen` is what they were when the form was opened."""

    data: Any

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, draft: FrameworkVersion | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_languages(self)
        self.there = digest_of_words(self.instance)
        self.initial["seen"] = self.there

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        if cleaned.get("seen") != self.there:
            # Shown again the form knows what is there now, so saving once more is a decision.
            self.data = self.data.copy()
            self.data["seen"] = self.there
            self.add_error(
                None,
                _(
                    "Somebody has changed these words since you opened them. Yours are still below: "
                    "open the page in another window to compare, then save again or take over what is there."
                ),
            )
        return cleaned


class ChildrenPanel(InlinePanel):
    """Inline rows whose form knows the draft."""

    def __init__(self, *args: Any, form: type[ChildForm], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.form = form

    def clone_kwargs(self) -> dict[str, Any]:
        return {**super().clone_kwargs(), "form": self.form}

    def get_form_options(self) -> dict[str, Any]:
        options: dict[str, Any] = super().get_form_options()
        options["formsets"][self.relation_name]["form"] = self.form
        return options


# --- Views -------------------------------------------------------------------------------------------------------
class DraftOnly:
    """A view that writes: within one transaction that holds the draft, and with a sentence where it is none any more."""

    object: Any
    request: HttpRequest
    model: type[Model]

    def version_id(self) -> int:
        return owner_of(self.object).pk

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        permission: str = getattr(self, "permission_required", "change")
        if self.user_has_permission(permission) and not owner_of(self.object).is_draft:  # type: ignore[attr-defined]
            return self.refuse(VersionIsFrozen(owner_of(self.object)))
        try:
            return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        except VersionIsFrozen as error:
            return self.refuse(error)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            hold_draft(self.version_id())
            self.look_again()
            return super().post(request, *args, **kwargs)  # type: ignore[misc]

    def look_again(self) -> None:
        """Read once more what another may have written before the draft was held."""

    def refuse(self, error: VersionIsFrozen) -> HttpResponse:
        sentence = str(error)
        if getattr(self, "expects_json_response", False):
            return self.json_error_response("version_is_frozen", sentence)  # type: ignore[attr-defined]
        desk = reverse("framework_version", args=[self.version_id()])
        messages.error(self.request, sentence, buttons=[messages.button(desk, _("To the desk of this framework"))])
        name = self.model.snippet_viewset.get_url_name("inspect")  # type: ignore[attr-defined]
        return redirect(name, quote(self.object.pk))


class DraftEditView(DraftOnly, snippets.EditView):
    def look_again(self) -> None:
        self.object = self.get_object()

    def is_valid(self, form: Any) -> bool:
        if self.overtaken_by() is None:
            return bool(super().is_valid(form))
        form.is_valid()
        form.add_error(
            None,
            _(
                "%(name)s has saved this since you opened it. Your words are still below: "
                "compare them in the history, then save again or take over what is there."
            )
            % {"name": self.overtaken_by() or _("Somebody")},
        )
        self.produced_error_code = "overtaken"
        self.produced_error_message = self.get_error_message()
        return False

    def overtaken_by(self) -> str | None:
        """The name of whoever saved since the form was opened; None when nobody did."""
        if not issubclass(self.model, RevisionMixin) or self.object.latest_revision_id is None:
            return None
        latest = Revision.objects.select_related("user").get(pk=self.object.latest_revision_id)
        data = self.request.POST
        if own := data.get("overwrite_revision_id"):
            overtaken = own != str(latest.pk)
        else:
            seen = (data.get("loaded_revision_id"), data.get("loaded_revision_created_at"))
            overtaken = seen != (str(latest.pk), latest.created_at.isoformat())
        return str(latest.user or "") if overtaken else None

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "draft": owner_of(self.object)}


class DraftCreateView(snippets.CreateView):
    """Asks for the draft first (`?draft=`), then for the part."""

    draft: FrameworkVersion | None = None

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        chosen = as_id(request.GET.get("draft", ""))
        if chosen is not None:
            self.draft = FrameworkVersion.objects.select_related("framework", "extends").filter(pk=chosen).first()
        super().setup(request, *args, **kwargs)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.user_has_permission("add"):
            raise PermissionDenied
        if self.draft is None:
            return self.ask_for_draft()
        try:
            if not self.draft.is_draft:
                raise VersionIsFrozen(self.draft)
            return super().dispatch(request, *args, **kwargs)
        except VersionIsFrozen as error:
            if self.expects_json_response:
                return self.json_error_response("version_is_frozen", str(error))
            messages.error(request, str(error))
            return self.ask_for_draft()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with transaction.atomic():
            hold_draft(cast("FrameworkVersion", self.draft).pk)
            return super().post(request, *args, **kwargs)

    def ask_for_draft(self) -> HttpResponse:
        drafts = (
            FrameworkVersion.objects.filter(status=FrameworkStatus.DRAFT)
            .select_related("framework")
            .order_by("framework__slug", "-imported_at")
        )
        context = {
            "page_of_drafts": Paginator(drafts, 50).get_page(self.request.GET.get("p")),
            "add_url": reverse(self.add_url_name),
            "model_name": self.model._meta.verbose_name,
            "header_icon": self.header_icon,
            "page_title": _("Which draft does it belong to?"),
        }
        return TemplateResponse(self.request, "competencies/cms/choose_draft.html", context)

    def get_add_url(self) -> str:
        url = str(super().get_add_url())
        return url if self.draft is None else f"{url}?draft={self.draft.pk}"

    def get_initial_form_instance(self) -> Model:
        """The part, in its draft; a profile gets there by its role."""
        return self.model() if self.model is RoleProfile else self.model(version=self.draft)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "draft": self.draft}


class DraftDeleteView(DraftOnly, snippets.DeleteView):
    pass


class NoUnpublishing(snippets.UnpublishView):
    """A part is in its draft or it is deleted; there is nothing between."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        raise PermissionDenied


class LookView(snippets.InspectView):
    """A part or a version as it stands. Published ones say why they cannot be edited and where to go on."""

    template_name = "competencies/cms/inspect.html"

    def get_edit_url(self) -> str | None:
        return super().get_edit_url() if owner_of(self.object).is_draft else None

    def get_delete_url(self) -> str | None:
        return super().get_delete_url() if owner_of(self.object).is_draft else None

    def get_field_display_value(self, field_name: str, field: Any) -> Any:
        value = getattr(self.object, field_name)
        if value in (None, "", {}) or (isinstance(value, LazyI18nString) and not str(value)):
            return "–"
        if isinstance(value, LazyI18nString) and isinstance(value.data, dict):
            said = [(language, text) for language, text in value.data.items() if text]
            return format_html_join("", '<p lang="{}"><b>{}</b> {}</p>', ((lang, lang, text) for lang, text in said))
        if field_name == "descriptors":
            rows = value.select_related("level")
            return format_html_join("", "<p><b>{}</b> {}</p>", ((row.level, row.text) for row in rows))
        if field_name == "requirements":
            rows = value.select_related("competency", "level")
            words = ((row, row.get_necessity_display(), row.importance) for row in rows)
            return format_html_join("", "<p>{} · {} · {}</p>", words)
        return super().get_field_display_value(field_name, field)

    def get_field_label(self, field_name: str, field: Any) -> str:
        if field_name in ("descriptors", "requirements"):
            return str(self.model._meta.get_field(field_name).related_model._meta.verbose_name_plural).capitalize()
        return str(super().get_field_label(field_name, field))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        owner = owner_of(self.object)
        return {
            **super().get_context_data(**kwargs),
            "owner": owner,
            "frozen": "" if owner.is_draft else str(VersionIsFrozen(owner)),
            "desk_url": reverse("framework_version", args=[owner.pk]),
        }


class PartListView(snippets.IndexView):
    """Everything there is, drafts and what is published; only drafts are edited. Found by wording in any language."""

    @cached_property
    def columns(self) -> list[Any]:
        return super().columns[1:]  # without the boxes for many at once: parts are deleted one by one

    def get_base_queryset(self) -> QuerySet[Any]:
        related = {
            FrameworkVersion: ("framework",),
            RoleProfile: ("role__version__framework",),
            Competency: ("version__framework", "area"),
        }
        return cast(
            "QuerySet[Any]",
            super().get_base_queryset().select_related(*related.get(self.model, ("version__framework",))),
        )

    def get_add_url(self) -> str | None:
        """A list of one draft adds to that draft; from others the draft is asked for."""
        url = cast("str | None", super().get_add_url())
        chosen = as_id(self.request.GET.get("version", "")) if url else None
        if chosen is None or not FrameworkVersion.objects.filter(pk=chosen, status=FrameworkStatus.DRAFT).exists():
            return url
        return f"{url}?draft={chosen}"

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        column = FOLDED.get(self.model)
        if not self.is_searching or column is None:
            return cast("QuerySet[Any]", super().search_queryset(queryset))
        return queryset.filter(**{f"{column}__contains": fold(self.search_query)})

    def get_edit_url(self, instance: Model) -> str | None:
        return super().get_edit_url(instance) if owner_of(instance).is_draft else None

    def get_delete_url(self, instance: Model) -> str | None:
        return super().get_delete_url(instance) if owner_of(instance).is_draft else None


# --- Choosers ----------------------------------------------------------------------------------------------------
class WordingFilterForm(BaseFilterForm):
    q = forms.CharField(
        label=gettext_lazy("Search"),
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("Search")}),
        required=False,
    )

    def filter(self, objects: QuerySet[Any]) -> QuerySet[Any]:
        objects = super().filter(objects)
        words = self.cleaned_data.get("q")
        if not words:
            return objects
        self.is_searching, self.search_query = True, words
        column = FOLDED.get(objects.model)
        if column is None:
            return objects.filter(code__icontains=words)
        return objects.filter(**{f"{column}__contains": fold(words)})


class WithinDraft:
    """For who edits a draft, what that may refer to; else what is published."""

    request: HttpRequest

    def get_object_list(self) -> QuerySet[Any]:
        objects: QuerySet[Any] = super().get_object_list()  # type: ignore[misc]
        lookup = version_lookup(objects.model)
        chosen = as_id(self.request.GET.get("draft", ""))
        draft = FrameworkVersion.objects.filter(pk=chosen).first() if chosen is not None else None
        if draft is None or not DraftPolicy(objects.model).user_has_permission(self.request.user, "change"):
            prefix = "" if lookup == "pk" else f"{lookup}__"
            return objects.filter(**{f"{prefix}status": FrameworkStatus.PUBLISHED})
        return Scope(draft).of(objects.model)


class PartChooseView(WithinDraft, ChooseView):
    filter_form_class = WordingFilterForm


class PartChooseResultsView(WithinDraft, ChooseResultsView):
    filter_form_class = WordingFilterForm


class PartChooserViewSet(ChooserViewSet):
    choose_view_class = PartChooseView
    choose_results_view_class = PartChooseResultsView
    preserve_url_parameters = ["multiple", "draft"]


# --- Filters -----------------------------------------------------------------------------------------------------
def versions_to_filter(_request: HttpRequest | None) -> QuerySet[FrameworkVersion]:
    return FrameworkVersion.objects.select_related("framework").order_by("framework__slug", "-imported_at")


def areas_to_filter(request: HttpRequest | None) -> QuerySet[Area]:
    """The areas of the version that is filtered by; of every one where none is."""
    areas = Area.objects.order_by("version", "position")
    chosen = None if request is None else as_id(request.GET.get("version", ""))
    return areas if chosen is None else areas.filter(version=chosen)


class VersionFilterSet(WagtailFilterSet):
    status = ChoiceFilter(choices=FrameworkStatus.choices, label=gettext_lazy("Status"))

    class Meta:
        model = FrameworkVersion
        fields = ["status"]


class PartFilterSet(WagtailFilterSet):
    version = ModelChoiceFilter(queryset=versions_to_filter, label=gettext_lazy("Framework version"))


class AreaFilterSet(PartFilterSet):
    class Meta:
        model = Area
        fields = ["version"]


class CompetencyFilterSet(PartFilterSet):
    area = ModelChoiceFilter(queryset=areas_to_filter, label=gettext_lazy("Area"))
    kind = ChoiceFilter(choices=CompetencyKind.choices, label=gettext_lazy("Kind"))

    class Meta:
        model = Competency
        fields = ["version", "area", "kind"]


class RoleFilterSet(PartFilterSet):
    class Meta:
        model = Role
        fields = ["version"]


class ProfileFilterSet(WagtailFilterSet):
    version = ModelChoiceFilter(
        queryset=versions_to_filter, field_name="role__version", label=gettext_lazy("Framework version")
    )

    class Meta:
        model = RoleProfile
        fields = ["version"]


# --- Viewsets ----------------------------------------------------------------------------------------------------
HOW_TO_SAVE = gettext_lazy(
    "<p>“Save draft” keeps your words for later. “Publish” puts them into the draft edition; "
    "people see them when that edition is published.</p>"
)


def part_panels(*panels: Panel | str) -> list[Panel | str]:
    return [HelpPanel(content=HOW_TO_SAVE), *panels]


def code_panel() -> FieldPanel:
    return FieldPanel("code", required_on_save=True)


def title_panel(name: str = "title") -> FieldPanel:
    return FieldPanel(name, required_on_save=True)


class PartViewSet(SnippetViewSet):
    """A kind of thing that belongs to a version."""

    inspect_view_enabled = True
    copy_view_enabled = False
    list_per_page = 50
    index_view_class = PartListView
    add_view_class = DraftCreateView
    edit_view_class = DraftEditView
    delete_view_class = DraftDeleteView
    inspect_view_class = LookView
    unpublish_view_class = NoUnpublishing
    chooser_viewset_class = PartChooserViewSet
    inspect_template_name = LookView.template_name

    @property
    def permission_policy(self) -> DraftPolicy:
        return DraftPolicy(self.model)


class VersionPolicy(DraftPolicy):
    """Versions come by upload or from the edition before, and leave by being discarded: never by a form of the CMS."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        return action not in {"add", "delete"} and bool(super().user_has_permission(user, action))


class FrameworkVersionViewSet(PartViewSet):
    model = FrameworkVersion
    icon = "list-ul"
    menu_label = gettext_lazy("Versions")
    list_display = ["__str__", "status", "imported_at", "published_at"]
    filterset_class = VersionFilterSet
    search_fields = ["framework__slug", "edition", "title"]
    inspect_view_fields = ["framework", "edition", "status", *WORDS_OF_VERSION]
    edit_handler = ObjectList(
        [
            FieldPanel("title"),
            FieldPanel("description"),
            MultiFieldPanel(
                [FieldPanel("publisher"), FieldPanel("source"), FieldPanel("source_url")],
                heading=gettext_lazy("Where it comes from"),
            ),
            MultiFieldPanel(
                [FieldPanel("licence"), FieldPanel("attribution")], heading=gettext_lazy("How it may be used")
            ),
            FieldPanel("identifier"),
        ],
        base_form_class=VersionForm,
    )

    @property
    def permission_policy(self) -> VersionPolicy:
        return VersionPolicy(self.model)


class AreaViewSet(PartViewSet):
    model = Area
    icon = "folder-open-inverse"
    list_display = ["title", "code", "version"]
    filterset_class = AreaFilterSet
    search_fields = ["code", "title"]
    inspect_view_fields = ["version", "code", "title", "description", "identifier", "position"]
    edit_handler = ObjectList(
        part_panels(
            FieldRowPanel([code_panel(), FieldPanel("position")]),
            title_panel(),
            FieldPanel("description"),
            FieldPanel("identifier"),
        ),
        base_form_class=PartForm,
    )


class CompetencyViewSet(PartViewSet):
    model = Competency
    icon = "clipboard-list"
    list_display = ["title", "code", "kind", "area", "version"]
    filterset_class = CompetencyFilterSet
    search_fields = ["search_text"]
    inspect_view_fields = [
        "version", "area", "parent", "kind", "code", "title", "description", "example", "alternatives", "descriptors",
        "rank", "identifier",
    ]  # fmt: skip
    edit_handler = ObjectList(
        part_panels(
            FieldRowPanel([code_panel(), FieldPanel("kind")]),
            title_panel(),
            FieldPanel("description"),
            FieldPanel("example"),
            FieldPanel("alternatives"),
            ChildrenPanel(
                "descriptors",
                form=DescriptorForm,
                panels=[FieldPanel("level"), FieldPanel("text")],
                heading=gettext_lazy("What each level looks like"),
                label=gettext_lazy("Level descriptor"),
            ),
            MultiFieldPanel(
                [
                    FieldPanel("area", widget=DraftChooser(Area)),
                    FieldPanel("parent", widget=DraftChooser(Competency)),
                    FieldPanel("rank"),
                    FieldPanel("position"),
                    FieldPanel("identifier"),
                ],
                heading=gettext_lazy("Where it stands"),
            ),
        ),
        base_form_class=CompetencyForm,
    )


class RoleViewSet(PartViewSet):
    model = Role
    icon = "group"
    list_display = ["title", "code", "key_post", "family", "version"]
    filterset_class = RoleFilterSet
    search_fields = ["search_text"]
    inspect_view_fields = [
        "version", "family", "code", "title", "summary", "key_post", "alternatives", "external_codes", "identifier",
    ]  # fmt: skip
    edit_handler = ObjectList(
        part_panels(
            FieldRowPanel([code_panel(), FieldPanel("key_post")]),
            title_panel(),
            FieldPanel("summary"),
            FieldPanel("alternatives"),
            MultiFieldPanel(
                [FieldPanel("family"), FieldPanel("position"), FieldPanel("identifier")],
                heading=gettext_lazy("Where it stands"),
            ),
        ),
        base_form_class=PartForm,
    )


class RoleProfileViewSet(PartViewSet):
    model = RoleProfile
    icon = "user"
    list_display = ["__str__", "role", "code", "role__version"]
    filterset_class = ProfileFilterSet
    search_fields = ["role__search_text"]
    inspect_view_fields = ["role", "grade", "code", "summary", "builds_on", "requirements", "identifier"]
    edit_handler = ObjectList(
        part_panels(
            FieldRowPanel([FieldPanel("role", widget=forms.Select), code_panel()]),
            FieldPanel("grade"),
            FieldPanel("summary"),
            ChildrenPanel(
                "requirements",
                form=RequirementForm,
                panels=[
                    FieldPanel("competency"),
                    FieldRowPanel([FieldPanel("level"), FieldPanel("importance"), FieldPanel("necessity")]),
                ],
                heading=gettext_lazy("What it requires"),
                label=gettext_lazy("Requirement"),
            ),
            FieldPanel("builds_on", widget=forms.Select),
            FieldRowPanel([FieldPanel("position"), FieldPanel("identifier")]),
        ),
        base_form_class=RoleProfileForm,
    )


class FrameworksGroup(SnippetViewSetGroup):
    items = (FrameworkVersionViewSet, AreaViewSet, CompetencyViewSet, RoleViewSet, RoleProfileViewSet)
    menu_label = gettext_lazy("Frameworks")
    menu_icon = "list-ul"
    menu_order = 305


# --- What would be lost ------------------------------------------------------------------------------------------
def objection_to_deleting(thing: Model) -> str | None:
    """The sentence that says why a part stays: what points to it would go with it without a word."""
    if isinstance(thing, EDITABLE) and not owner_of(thing).is_draft:
        return str(VersionIsFrozen(owner_of(thing)))
    if isinstance(thing, FrameworkVersion):
        return _("A draft is discarded as a whole on the desk of its framework.")
    name = {"name": str(thing)}
    if isinstance(thing, Area) and (count := thing.competencies.count()):
        return ngettext(
            "“%(name)s” holds %(count)s competency. Move it elsewhere first.",
            "“%(name)s” holds %(count)s competencies. Move them elsewhere first.",
            count,
        ) % {**name, "count": count}
    if isinstance(thing, Competency):
        if count := thing.requirements.count():
            return ngettext(
                "%(count)s role profile requires “%(name)s”. Take it out there first.",
                "%(count)s role profiles require “%(name)s”. Take it out there first.",
                count,
            ) % {**name, "count": count}
        if count := thing.children.count() + thing.links.count() + thing.linked_by.count():
            return ngettext(
                "%(count)s other competency is part of “%(name)s” or linked with it. Move or delete that first.",
                "%(count)s other competencies are part of “%(name)s” or linked with it. Move or delete those first.",
                count,
            ) % {**name, "count": count}
    if isinstance(thing, Role) and (count := thing.profiles.count()):
        return ngettext(
            "“%(name)s” has %(count)s profile. Delete that first.",
            "“%(name)s” has %(count)s profiles. Delete those first.",
            count,
        ) % {**name, "count": count}
    return None


def refuse_deleting(request: HttpRequest, things: Iterable[Model]) -> HttpResponse | None:
    """Redirect with the sentence, where one of the things has to stay."""
    for thing in things:
        if isinstance(thing, EDITABLE) and (objection := objection_to_deleting(thing)):
            messages.error(request, objection)
            name = thing.snippet_viewset.get_url_name("inspect")  # type: ignore[attr-defined]
            return redirect(name, quote(thing.pk))
    return None


def no_unpublishing(menu_items: list[Any], context: Mapping[str, Any]) -> None:
    """A part is in its draft or it is deleted; there is nothing between."""
    if context.get("model") in PARTS:
        menu_items[:] = [item for item in menu_items if item.name != "action-unpublish"]
