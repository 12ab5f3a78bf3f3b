"""The organisation in the CMS: units, posts, who holds them, and whom HR officers serve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from treebeard.exceptions import InvalidMoveToDescendant
from wagtail import hooks
from wagtail.admin import messages
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from organisations.choosers import ChooserViewSet
from organisations.models import Appointment, HrMandate, Leave, PersonTag, Post, Unit


class UnitForm(WagtailAdminModelForm):
    """A unit with the one above it: choosing another moves the whole branch."""

    parent = forms.ModelChoiceField(label=_("belongs to"), queryset=Unit.objects.order_by("path"), required=False)

    class Meta:
        model = Unit
        fields = ["name", "code", "kind"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["parent"].initial = self.instance.get_parent()

    def clean_parent(self) -> Unit | None:
        parent = self.cleaned_data["parent"]
        if (
            parent is not None
            and self.instance.pk
            and (parent == self.instance or parent.is_descendant_of(self.instance))
        ):
            raise forms.ValidationError(_("A unit cannot belong to itself or to a unit below it."))
        return parent

    def save(self, commit: bool = True) -> Unit:
        unit: Unit = super().save(commit=False)
        parent = self.cleaned_data["parent"]
        if not unit.pk:
            return parent.add_child(instance=unit) if parent else Unit.add_root(instance=unit)
        unit.save()
        old = unit.get_parent()
        if (old.pk if old else None) != (parent.pk if parent else None):
            try:
                if parent:
                    unit.move(parent, "last-child")
                else:
                    unit.move(Unit.get_last_root_node(), "last-sibling")
            except InvalidMoveToDescendant as error:  # two editors at once
                raise forms.ValidationError(_("A unit cannot belong to itself or to a unit below it.")) from error
            unit.refresh_from_db()
        return unit


Unit.base_form_class = UnitForm


class PostForm(WagtailAdminModelForm):
    def clean_reports_to(self) -> Post | None:
        above: Post | None = self.cleaned_data["reports_to"]
        if above is None or above.pk == self.instance.pk:  # the model has a sentence for itself
            return above
        seen, higher = {above.pk}, above.reports_to
        while higher is not None and higher.pk not in seen:
            if higher.pk == self.instance.pk:
                raise forms.ValidationError(
                    _("“%(post)s” reports to this post already, directly or through others. Choose another post.")
                    % {"post": above}
                )
            seen.add(higher.pk)
            higher = higher.reports_to
        return above


Post.base_form_class = PostForm  # type: ignore[attr-defined]  # Wagtail looks for it


class UnitViewSet(SnippetViewSet):
    model = Unit
    chooser_viewset_class = ChooserViewSet
    icon = "site"
    list_display = ["name", "code", "kind"]
    ordering = ["path"]
    panels = [FieldPanel("name"), FieldPanel("code"), FieldPanel("kind"), FieldPanel("parent")]


class PostViewSet(SnippetViewSet):
    model = Post
    chooser_viewset_class = ChooserViewSet
    icon = "tag"
    list_display = ["title", "code", "unit", "grade", "reports_to"]
    list_filter = ["unit", "grade"]
    search_fields = ["code", "title", "grade"]
    panels = [FieldPanel(name) for name in ("title", "code", "unit", "grade", "reports_to", "starts_on", "ends_on")]


class AppointmentViewSet(SnippetViewSet):
    model = Appointment
    icon = "user"
    list_display = ["person", "post", "starts_on", "ends_on"]
    search_fields = ["person__name", "person__email", "post__code"]
    panels = [FieldPanel(name) for name in ("person", "post", "starts_on", "ends_on")]


class LeaveViewSet(SnippetViewSet):
    model = Leave
    icon = "date"
    list_display = ["person", "starts_on", "ends_on"]
    search_fields = ["person__name", "person__email"]
    panels = [FieldPanel(name) for name in ("person", "starts_on", "ends_on")]


class PersonTagViewSet(SnippetViewSet):
    model = PersonTag
    icon = "tag"
    list_display = ["person", "name"]
    list_filter = ["name"]
    search_fields = ["person__name", "person__email", "name"]
    panels = [FieldPanel("person"), FieldPanel("name")]


class HrMandateViewSet(SnippetViewSet):
    model = HrMandate
    icon = "group"
    list_display = ["officer", "unit"]
    panels = [FieldPanel("officer"), FieldPanel("unit")]


class OrganisationGroup(SnippetViewSetGroup):
    items = (UnitViewSet, PostViewSet, AppointmentViewSet, LeaveViewSet, PersonTagViewSet, HrMandateViewSet)
    menu_label = _("Organisation")
    menu_icon = "site"
    menu_order = 300


register_snippet(OrganisationGroup)


@hooks.register("before_delete_snippet")
def keep_units_with_units_below(request: HttpRequest, instances: Sequence[Model]) -> HttpResponse | None:
    """A branch would go with its root, or stop at the first post in it with an error nobody understands."""
    for unit in instances:
        if isinstance(unit, Unit) and not unit.is_leaf():
            messages.error(
                request, _("“%(unit)s” has units below it. Move those elsewhere or delete them first.") % {"unit": unit}
            )
            return redirect("wagtailsnippets_organisations_unit:list")
    return None
