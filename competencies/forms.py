from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from competencies.importers.content import MAX_EDITION, objection_to_text, tidy
from competencies.importers.sources import MAX_FILE_BYTES, MAX_FOLDER_BYTES
from competencies.models import Competency
from competencies.selectors import Descriptor, descriptors_of

LIMITS = {"file": MAX_FILE_BYTES // 1024**2, "all": MAX_FOLDER_BYTES // 1024**2}


def level_choices(descriptors: list[Descriptor]) -> list[tuple[str, str]]:
    if not descriptors:
        return [("0", str(_("Not yet"))), ("1", str(_("Yes")))]
    return [(str(d.rank), _("Level %(rank)s · %(label)s") % {"rank": d.rank, "label": d.label}) for d in descriptors]


class AssessForm(forms.Form):
    """Which descriptor fits. The token makes a doubled press one press."""

    rank = forms.ChoiceField(
        label=_("Which of these fits?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the description that fits, or skip this one.")},
    )
    token = forms.CharField(widget=forms.HiddenInput, max_length=40)

    def __init__(self, *args: object, competency: Competency, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.descriptors = descriptors_of(competency)
        self.fields["rank"].choices = level_choices(self.descriptors)  # type: ignore[attr-defined]
        self.fields["token"].initial = lambda: str(uuid4())

    @property
    def descriptions_by_rank(self) -> dict[str, str]:
        return {str(d.rank): d.text for d in self.descriptors}

    def clean_rank(self) -> int:
        return int(self.cleaned_data["rank"])


class ManagerAssessForm(AssessForm):
    note = forms.CharField(
        label=_("What have you seen?"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A sentence the person will read: the piece of work that shows it."),
    )


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One or several files."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        files = data if isinstance(data, list) else [data] if data else []
        if not files:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return [super(FilesField, self).clean(file, initial) for file in files]


class UploadForm(forms.Form):
    """Files of one edition. The token makes a doubled press one press."""

    upload = FilesField(
        label=_("Files"),
        error_messages={
            "required": _("Choose the file of the framework."),
            "empty": _("The file is empty. Export it again."),
            "max_length": _("The name of the file is too long. Give it a shorter one."),
        },
    )
    edition = forms.CharField(
        label=_("Edition"),
        required=False,
        max_length=MAX_EDITION,
        help_text=_("For a source that does not say which edition it is, e.g. 2025-09. Leave it empty otherwise."),
    )
    token = forms.UUIDField(widget=forms.HiddenInput, error_messages={"invalid": _("Open the page again.")})

    def __init__(self, *args: Any, too_large: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.too_large = too_large
        self.fields["token"].initial = uuid4
        self.fields["upload"].help_text = (
            _(
                "One file, several files of one edition, or one .zip of them. "
                "At most %(file)s MB each and %(all)s MB together."
            )
            % LIMITS
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.too_large:
            # What was not let in is missing from the files: that sentence would mislead.
            self.errors.pop("upload", None)
            self.add_error(
                "upload",
                _("“%(names)s”: larger than %(file)s MB, or more than %(all)s MB together. Nothing was kept.")
                % {"names": ", ".join(self.too_large[:5]), **LIMITS},
            )
        return cleaned

    def clean_edition(self) -> str:
        edition = tidy(self.cleaned_data["edition"])
        if objection := objection_to_text(edition, limit=MAX_EDITION):
            raise forms.ValidationError(objection)
        return edition
