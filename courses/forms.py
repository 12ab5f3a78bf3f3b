"""The course as the CMS asks for it."""

from __future__ import annotations

from typing import Any

from wagtail.admin.forms import WagtailAdminPageForm


class CourseForm(WagtailAdminPageForm):
    def clean(self) -> dict[str, Any]:
        """The page's own look at its prerequisites would see those of before the edit: the rows are saved after it."""
        cleaned: dict[str, Any] = super().clean()
        rows = self.formsets.get("prerequisites")
        if rows is not None and rows.is_valid():
            kept = (row for row in rows.cleaned_data if row.get("prerequisite") and not row.get("DELETE"))
            key = cleaned.get("key") or cleaned.get("slug") or ""
            self.instance.check_prerequisites(key, {row["prerequisite"].key for row in kept})
        return cleaned
