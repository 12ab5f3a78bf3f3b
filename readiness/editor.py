"""Change in the CMS: initiatives are told there, champions and impacts kept. Questionnaires: readiness.questionnaire_editor.

Whoever may change initiatives here changes those of units she serves as HR officer and those in whose team she is; of others
she sees nothing, neither their champions nor their impacts. Nothing of surveys, answers or results is edited here, or
anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import ModelChoiceFilter
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.permissions import ModelPermissionPolicy
from wagtail.snippets.views import chooser as choosing
from wagtail.snippets.views import snippets
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from competencies.models import ProficiencyLevel
from competencies.models.framework import in_languages
from organisations.choosers import ChooserViewSet
from organisations.perms import is_hr
from readiness.editor_fields import PersonField, RowsPanel, WordsForm
from readiness.enums import IMPACT_ASPECTS, IMPACT_STRENGTHS
from readiness.models import Block, Champion, Impact, Initiative, Instrument
from readiness.perms import initiatives_to_write, may_run, serves_unit
from readiness.questionnaire_editor import (
    BlockViewSet,
    InstrumentViewSet,
    SuggestionViewSet,
    objection_to_deleting,
    page_of,
)


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
