"""The course as the CMS asks for it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
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
        self._keep_booked_runs()
        return cleaned

    def _keep_booked_runs(self) -> None:
        """A run somebody has a seat in is cancelled, not deleted: the seat would end in an error."""
        from courses.models import CourseRun
        from courses.runs import runs_in_use

        rows = self.formsets.get("runs")
        if rows is None or not self.instance.pk:
            return
        kept = {form.instance.pk for form in rows.forms if form not in rows.deleted_forms and form.instance.pk}
        gone = set(CourseRun.objects.filter(course=self.instance.pk).values_list("pk", flat=True)) - kept
        if runs_in_use(sorted(gone)):
            raise ValidationError(_("People have booked seats in a run you deleted. Mark it as cancelled instead."))
