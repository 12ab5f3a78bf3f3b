"""Choosers of the CMS that take a form back with whatever was sent: Wagtail's own fail on what is no id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import cached_property
from wagtail.admin.widgets import AdminPageChooser
from wagtail.admin.widgets.chooser import BaseChooser
from wagtail.snippets.views.chooser import SnippetChooserViewSet
from wagtail.snippets.widgets import AdminSnippetChooser

from organisations.ids import as_id

NO_ROW = "0"


class TakesIds(BaseChooser):
    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        """What is no id becomes one that no row has: the field says that there is no such choice."""
        value = super().value_from_datadict(data, files, name)
        return value if value is None or as_id(value) is not None else NO_ROW


class Chooser(TakesIds, AdminSnippetChooser):
    pass


class PageChooser(TakesIds, AdminPageChooser):
    pass


class ChooserViewSet(SnippetChooserViewSet):
    @cached_property
    def widget_class(self) -> Chooser:
        return Chooser(model=self.model, icon=self.icon)
