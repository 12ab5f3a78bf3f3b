"""Change in the CMS: initiatives are told there, questionnaires written, champions, impacts and suggestions kept.

Whoever may change initiatives here changes those of units she serves as HR officer and those in whose team she is; of others
she sees nothing, neither their champions nor their impacts. Nothing of surveys, answers or results is edited here, or
anywhere. A questionnaire is changed while it is a draft; its own page says what is missing, in which languages it may be
asked, and makes it ready.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django import forms
from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied
from django.core.validators import MinValueValidator
from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from django_filters import ModelChoiceFilter
from i18nfield.forms import I18nFormField, I18nTextarea
from i18nfield.strings import LazyI18nString
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.permissions import ModelPermissionPolicy
from wagtail.snippets.views import chooser as choosing
from wagtail.snippets.views import snippets
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from competencies.banks_editor import OptionsPanel, may
from competencies.editor import LineInEachLanguage, TextInEachLanguage, name_languages
from competencies.models import ProficiencyLevel
from competencies.models.framework import in_languages
from organisations.choosers import ChooserViewSet
from organisations.ids import as_id
from organisations.models import User
from organisations.perms import is_hr, signed_in
from readiness.enums import IMPACT_ASPECTS, IMPACT_STRENGTHS, InstrumentStatus
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
from readiness.models import (
    Block,
    Champion,
    Impact,
    Initiative,
    Instrument,
    InstrumentIsFrozen,
    Suggestion,
    Wave,
)
from readiness.perms import initiatives_to_write, may_run, serves_unit

# Questionnaires are written in bulk, which Wagtail's index of references does not see; what points to them is looked up.
for _model in (Instrument, Block):
    setattr(_model, "wagtail_reference_index_ignore", True)  # noqa: B010  # the models do not declare it


# --- Fields ------------------------------------------------------------------------------------------------------
class PersonField(forms.ModelChoiceField):
    """A person by her e-mail address: a list to choose from would hold everybody who works for the state."""

    default_error_messages = {"invalid_choice": gettext_lazy("Nobody here has this e-mail address.")}

    def __init__(self, *, label: Any) -> None:
        super().__init__(
            queryset=User.objects.all(),
            label=label,
            to_field_name="email",
            help_text=gettext_lazy("The e-mail address she signs in with."),
            widget=forms.EmailInput(attrs={"autocomplete": "off"}),
        )

    def prepare_value(self, value: Any) -> Any:
        pk = value if isinstance(value, int) else None
        if pk is not None:
            return User.objects.filter(pk=pk).values_list("email", flat=True).first() or ""
        return super().prepare_value(value)

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        text = str(getattr(value, "email", value)).strip().lower()
        found = User.objects.filter(email=text).first() if "\0" not in text else None
        if found is None:
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), str(data or "").strip().lower())


class WordsForm(WagtailAdminModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name_languages(self)


class QuestionWordsForm(WagtailAdminModelForm):
    """Texts in every language questionnaires are written in, and in those they have: saving loses none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in list(self.fields.items()):
            if not isinstance(field, I18nFormField):
                continue
            there = in_languages(getattr(self.instance, name) or "")
            long = isinstance(field.widget, I18nTextarea)
            self.fields[name] = I18nFormField(
                locales=list(dict.fromkeys([*question_languages(), *there])),
                widget=TextInEachLanguage if long else LineInEachLanguage,
                widget_kwargs={"attrs": {"rows": 2}} if long else {},
                required=field.one_required,
                label=field.label,
                help_text=field.help_text,
            )


class RowsPanel(OptionsPanel):
    """Inline rows with a form of their own."""


# --- Whose initiatives -------------------------------------------------------------------------------------------
def written_by(user: Any, model: type[Model]) -> Q:
    """Initiatives somebody may write, or what belongs to those: champions and impacts."""
    initiatives = initiatives_to_write(user).values("pk")
    return Q(pk__in=initiatives) if model is Initiative else Q(initiative__in=initiatives)


def may_write(user: Any, thing: Model) -> bool:
    """One query; of what is not there yet, whatever the model's permissions allow."""
    model = type(thing)
    return thing.pk is None or model._default_manager.filter(written_by(user, model), pk=thing.pk).exists()


class OwnPolicy(ModelPermissionPolicy):
    """What the model's permissions allow, of initiatives that are hers to write."""

    def user_has_permission_for_instance(self, user: Any, action: str, instance: Model) -> bool:
        return bool(super().user_has_permission_for_instance(user, action, instance)) and may_write(user, instance)

    def instances_user_has_any_permission_for(self, user: Any, actions: Any) -> QuerySet[Any]:
        found: QuerySet[Any] = super().instances_user_has_any_permission_for(user, actions)
        return found.filter(written_by(user, self.model))


class OwnInitiativePolicy(OwnPolicy):
    """A new one is told by who serves a unit as HR officer: nobody else could say of which unit it is."""

    def user_has_permission(self, user: Any, action: str) -> bool:
        return bool(super().user_has_permission(user, action)) and (action != "add" or is_hr(user))


class OnlyOwn:
    """A view of one thing: what is not hers to write is as good as none."""

    request: HttpRequest

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        found = super().get_object(*args, **kwargs)  # type: ignore[misc]
        if not may_write(self.request.user, found):
            raise Http404
        return found


class OwnEditView(OnlyOwn, snippets.EditView):
    pass


class OwnDeleteView(OnlyOwn, snippets.DeleteView):
    pass


class OwnUsageView(OnlyOwn, snippets.UsageView):
    pass


class OwnHistoryView(OnlyOwn, snippets.HistoryView):
    pass


class OwnListView(snippets.IndexView):
    def get_base_queryset(self) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_base_queryset()
        shown = [
            field.name for field in self.model._meta.fields if field.many_to_one and field.name in self.list_display
        ]
        return found.filter(written_by(self.request.user, self.model)).select_related(*shown)


class ChoosesOwn:
    """A chooser offers what is hers to write, and gives no title of anything else."""

    model_class: Any
    request: HttpRequest

    def get_object_list(self) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_object_list()  # type: ignore[misc]
        return found.filter(written_by(self.request.user, self.model_class))


class OwnChooseView(ChoosesOwn, choosing.ChooseView):
    pass


class OwnChooseResultsView(ChoosesOwn, choosing.ChooseResultsView):
    pass


class OwnChosenView(choosing.SnippetChosenView):
    request: HttpRequest

    def get_object(self, pk: Any) -> Any:
        return self.model_class.objects.filter(written_by(self.request.user, self.model_class)).get(pk=pk)


class OwnChosenMultipleView(choosing.SnippetChosenMultipleView):
    request: HttpRequest

    def get_objects(self, pks: Any) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_objects(pks)
        return found.filter(written_by(self.request.user, self.model_class))


class OwnChooserViewSet(ChooserViewSet):
    choose_view_class = OwnChooseView
    choose_results_view_class = OwnChooseResultsView
    chosen_view_class = OwnChosenView
    chosen_multiple_view_class = OwnChosenMultipleView


class OwnViewSet(SnippetViewSet):
    """Pages of initiatives and of what belongs to them, for who may write them."""

    chooser_viewset_class = OwnChooserViewSet
    copy_view_enabled = False
    index_view_class = OwnListView
    edit_view_class = OwnEditView
    delete_view_class = OwnDeleteView
    usage_view_class = OwnUsageView
    history_view_class = OwnHistoryView

    @property
    def permission_policy(self) -> OwnPolicy:
        return OwnPolicy(self.model)


def _own_initiatives(request: HttpRequest | None) -> QuerySet[Initiative]:
    return initiatives_to_write(request.user) if request is not None else Initiative.objects.none()


# --- Initiatives -------------------------------------------------------------------------------------------------
class InitiativeForm(WordsForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slug"].required = False
        self.fields["slug"].help_text = _("Part of its address. Empty: made of the title.")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        title = cleaned.get("title")
        if "slug" in cleaned and not cleaned["slug"] and title:
            cleaned["slug"] = self._free_slug(next(iter(in_languages(title).values()), ""))
        unit = cleaned.get("unit")
        if unit is not None and unit.pk != self.initial.get("unit") and not serves_unit(self.for_user, unit):
            self.add_error("unit", _("You tell of changes of units you serve as HR officer: choose one of those."))
        # Else who writes the page could make herself the one who runs the change.
        if self.instance.pk and self.formsets["team"].has_changed() and not may_run(self.for_user, self.instance):
            self.add_error(None, _("Who is in the team is decided by its sponsor and lead, and by HR of the unit."))
        return cleaned

    def _free_slug(self, title: str) -> str:
        base = slugify(title)[:70] or "change"
        taken = set(Initiative.objects.filter(slug__startswith=base).values_list("slug", flat=True))
        return next(name for n in range(1, len(taken) + 2) if (name := base if n == 1 else f"{base}-{n}") not in taken)

    def save(self, commit: bool = True) -> Any:
        self.instance.updated_on = timezone.localdate()
        return super().save(commit)


class LevelField(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.version.framework} · {obj}"


class NeedForm(WagtailAdminModelForm):
    level = LevelField(
        label=gettext_lazy("Level"), queryset=ProficiencyLevel.objects.none(), required=False,
        help_text=gettext_lazy("Of the competency. Empty: any level."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        levels = ProficiencyLevel.objects.filter(version__status="published")
        if self.instance.level_id:
            levels |= ProficiencyLevel.objects.filter(pk=self.instance.level_id)
        self.fields["level"].queryset = levels.select_related("version__framework").order_by(
            "version__framework__slug", "rank"
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        level, competency = cleaned.get("level"), cleaned.get("competency")
        if level is not None and competency is not None and level.version_id != competency.version_id:
            self.add_error("level", _("This level belongs to another framework than the competency."))
        return cleaned


class TeamMemberForm(WagtailAdminModelForm):
    person = PersonField(label=gettext_lazy("Person"))


def objection_to_deleting_initiative(initiative: Initiative) -> str | None:
    if initiative.is_published:
        return _("People have read “%(name)s”: it is ended, not deleted.") % {"name": initiative}
    attached = (initiative.waves, initiative.questions, initiative.actions, initiative.concerns, initiative.readings)
    if any(rows.exists() for rows in attached):
        return _("Surveys, questions or actions belong to “%(name)s”: it stays.") % {"name": initiative}
    return None


class InitiativeViewSet(OwnViewSet):
    model = Initiative
    icon = "pick"
    list_display = ["title", "unit", "status", "starts_on", "updated_on"]
    list_filter = ["status"]
    search_fields = ["slug", "title", "short_name"]

    @property
    def permission_policy(self) -> OwnInitiativePolicy:
        return OwnInitiativePolicy(self.model)

    edit_handler = ObjectList(
        [
            MultiFieldPanel(
                [
                    FieldPanel("title"),
                    FieldPanel("summary"),
                    FieldRowPanel([FieldPanel("starts_on"), FieldPanel("ends_on")]),
                    FieldPanel("unit"),
                    FieldRowPanel([FieldPanel("status"), FieldPanel("is_public")]),
                    FieldPanel("slug"),
                ],
                heading=gettext_lazy("What it is"),
            ),
            MultiFieldPanel(
                [
                    FieldPanel("why"),
                    FieldPanel("evidence"),
                    FieldPanel("if_we_do_nothing"),
                    FieldPanel("for_citizens"),
                ],
                heading=gettext_lazy("Why"),
            ),
            MultiFieldPanel(
                [FieldPanel("what_changes"), FieldPanel("what_stays")], heading=gettext_lazy("What changes, what stays")
            ),
            RowsPanel(
                "role_impacts",
                panels=[FieldPanel("profile"), FieldPanel("text")],
                heading=gettext_lazy("What changes for me, by role"),
                label=gettext_lazy("Role"),
            ),
            RowsPanel(
                "milestones",
                panels=[FieldRowPanel([FieldPanel("on"), FieldPanel("is_done")]), FieldPanel("text")],
                heading=gettext_lazy("Timeline"),
                label=gettext_lazy("Milestone"),
            ),
            MultiFieldPanel(
                [FieldPanel("still_open"), FieldPanel("decider")], heading=gettext_lazy("What is open, who decides")
            ),
            RowsPanel(
                "needs",
                form=NeedForm,
                panels=[
                    FieldRowPanel([FieldPanel("competency"), FieldPanel("level")]),
                    FieldRowPanel([FieldPanel("profile"), FieldPanel("by")]),
                ],
                heading=gettext_lazy("What people need to be able to do: a competency, or a role"),
                label=gettext_lazy("Need"),
            ),
            RowsPanel(
                "team",
                form=TeamMemberForm,
                panels=[FieldRowPanel([FieldPanel("person"), FieldPanel("role")])],
                heading=gettext_lazy("Who does what; two approvers let a survey open"),
                label=gettext_lazy("Member of the team"),
            ),
            MultiFieldPanel(
                [FieldPanel("short_name"), FieldPanel("service_name")],
                heading=gettext_lazy("Its name within the questions of a survey"),
            ),
        ],
        base_form_class=InitiativeForm,
    )


class OfInitiativeForm(WordsForm):
    """What belongs to an initiative belongs to one of hers."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["initiative"].queryset = initiatives_to_write(self.for_user)


class ChampionForm(OfInitiativeForm):
    person = PersonField(label=gettext_lazy("Person"))


class ChampionFilterSet(WagtailFilterSet):
    initiative = ModelChoiceFilter(queryset=_own_initiatives, label=gettext_lazy("Initiative"))

    class Meta:
        model = Champion
        fields = ["initiative", "manager_agreed"]


class ChampionViewSet(OwnViewSet):
    model = Champion
    icon = "user"
    list_display = ["person", "initiative", "unit", "hours_month", "manager_agreed"]
    filterset_class = ChampionFilterSet
    search_fields = ["person__name", "person__email"]
    edit_handler = ObjectList(
        [
            FieldPanel("initiative"),
            FieldPanel("person"),
            FieldPanel("unit"),
            FieldRowPanel([FieldPanel("hours_month"), FieldPanel("manager_agreed")]),
        ],
        base_form_class=ChampionForm,
    )


class ImpactForm(OfInitiativeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in IMPACT_ASPECTS:
            self.fields[name] = forms.TypedChoiceField(
                label=self.fields[name].label, choices=IMPACT_STRENGTHS, coerce=int, initial=0
            )


class ImpactFilterSet(WagtailFilterSet):
    initiative = ModelChoiceFilter(queryset=_own_initiatives, label=gettext_lazy("Initiative"))

    class Meta:
        model = Impact
        fields = ["initiative"]


class ImpactViewSet(OwnViewSet):
    model = Impact
    icon = "group"
    list_display = ["unit", "initiative", "people"]
    filterset_class = ImpactFilterSet
    edit_handler = ObjectList(
        [
            FieldPanel("initiative"),
            FieldRowPanel([FieldPanel("unit"), FieldPanel("people")]),
            MultiFieldPanel(
                [
                    FieldRowPanel([FieldPanel(name) for name in IMPACT_ASPECTS[:3]]),
                    FieldRowPanel([FieldPanel(name) for name in IMPACT_ASPECTS[3:]]),
                ],
                heading=gettext_lazy("How much changes"),
            ),
            FieldPanel("mitigation"),
        ],
        base_form_class=ImpactForm,
    )


class SuggestionForm(WordsForm):
    """A suggestion is for a block that some questionnaire has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = dict(Block.objects.order_by("pk").values_list("code", "title"))
        if self.instance.block:
            known.setdefault(self.instance.block, self.instance.block)
        self.fields["block"] = forms.ChoiceField(
            label=self.fields["block"].label,
            choices=sorted(((code, f"{code} · {title}") for code, title in known.items()), key=lambda one: one[0]),
        )


class SuggestionViewSet(SnippetViewSet):
    model = Suggestion
    chooser_viewset_class = ChooserViewSet
    icon = "help"
    copy_view_enabled = False
    list_per_page = 50
    list_display = ["title", "block", "kind", "order"]
    list_filter = ["block", "kind"]
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


class ChangeGroup(SnippetViewSetGroup):
    items = (
        InitiativeViewSet,
        ImpactViewSet,
        ChampionViewSet,
        InstrumentViewSet,
        BlockViewSet,
        SuggestionViewSet,
    )
    menu_label = gettext_lazy("Change")
    menu_icon = "pick"
    menu_order = 308


def refuse_deleting(request: HttpRequest, things: Iterable[Model]) -> HttpResponse | None:
    """Redirect with the sentence, where one of the things has to stay."""
    for thing in things:
        if isinstance(thing, Initiative | Champion | Impact) and not may_write(request.user, thing):
            raise PermissionDenied
        if isinstance(thing, Initiative) and (sentence := objection_to_deleting_initiative(thing)):
            messages.error(request, sentence)
            return redirect(Initiative.snippet_viewset.get_url_name("list"))
        if isinstance(thing, Instrument) and (sentence := objection_to_deleting(thing)):
            messages.error(request, sentence)
            return redirect(page_of(thing))
        if isinstance(thing, Block):
            messages.error(request, _("A block is taken out on the page of its questionnaire, while that is a draft."))
            return redirect(page_of(thing.instrument))
    return None
