"""The organisation in the CMS: units, posts, who holds them, and whom HR officers serve."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from treebeard.exceptions import InvalidMoveToDescendant
from wagtail import hooks
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.admin.panels import FieldPanel
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from organisations.models import Appointment, HrMandate, Post, Unit


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
        if parent is not None and self.instance.pk and (parent == self.instance or parent.is_descendant_of(self.instance)):
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


class UnitViewSet(SnippetViewSet):
    model = Unit
    icon = "site"
    list_display = ["name", "code", "kind"]
    ordering = ["path"]
    panels = [FieldPanel("name"), FieldPanel("code"), FieldPanel("kind"), FieldPanel("parent")]


class PostViewSet(SnippetViewSet):
    model = Post
    icon = "tag"
    list_display = ["title", "code", "unit", "reports_to"]
    list_filter = ["unit"]
    search_fields = ["code", "title"]
    panels = [FieldPanel(name) for name in ("title", "code", "unit", "reports_to", "starts_on", "ends_on")]


class AppointmentViewSet(SnippetViewSet):
    model = Appointment
    icon = "user"
    list_display = ["person", "post", "starts_on", "ends_on"]
    search_fields = ["person__name", "person__email", "post__code"]
    panels = [FieldPanel(name) for name in ("person", "post", "starts_on", "ends_on")]


class HrMandateViewSet(SnippetViewSet):
    model = HrMandate
    icon = "group"
    list_display = ["officer", "unit"]
    panels = [FieldPanel("officer"), FieldPanel("unit")]


class OrganisationGroup(SnippetViewSetGroup):
    items = (UnitViewSet, PostViewSet, AppointmentViewSet, HrMandateViewSet)
    menu_label = _("Organisation")
    menu_icon = "site"
    menu_order = 300


register_snippet(OrganisationGroup)
