from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from competencies.enums import ALIGNMENT_CHOICES
from competencies.importers.content import MAX_EDITION, objection_to_text, tidy
from competencies.importers.sources import MAX_FILE_BYTES, MAX_FOLDER_BYTES
from competencies.models import Competency, ProficiencyLevel
from competencies.selectors import Descriptor, descriptors_of
from organisations.models import User

OFF_THE_SCALE = _("Choose one of the levels shown.")
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
        error_messages={
            "required": _("Choose the description that fits, or skip this one."),
            "invalid_choice": OFF_THE_SCALE,
        },
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

    def __init__(self, *args: object, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rank = self.fields["rank"]
        rank.label = _("Which of these have you seen %(name)s do?") % {"name": person.get_short_name()}
        rank.error_messages["required"] = _("Choose the description that fits, or cancel.")


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
        help_text=_(
            "Where the source does not say which edition it is, write it here, e.g. 2025-09; "
            "else the edition is called after today’s date. Leave it empty where the source says it."
        ),
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


class EditionForm(forms.Form):
    edition = forms.CharField(
        label=_("Name of the edition"),
        max_length=MAX_EDITION,
        help_text=_("As people will read it, for example “2027” or “2.0”."),
        error_messages={"required": _("Give the edition a name.")},
    )


class ExtensionForm(EditionForm):
    title = forms.CharField(
        label=_("Title"),
        max_length=300,
        help_text=_("For example: “What our ministry adds”."),
        error_messages={"required": _("Give the extension a title.")},
    )
    slug = forms.SlugField(
        label=_("Short name"),
        max_length=80,
        help_text=_("Letters, digits and hyphens; it becomes part of the address."),
        error_messages={
            "required": _("Give the extension a short name."),
            "invalid": _("Use letters, digits and hyphens only."),
        },
    )
    publisher = forms.CharField(label=_("Published by"), max_length=200, required=False)
    field_order = ["title", "slug", "edition", "publisher"]

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"]).lower()
        if slug in RESERVED_SLUGS:
            raise forms.ValidationError(_("This short name is taken by the platform itself. Choose another one."))
        return slug


# Addresses below /frameworks/ that are no framework's.
RESERVED_SLUGS = frozenset({"desk", "search"})


class CandidateChoice(forms.ModelChoiceField):
    def label_from_instance(self, competency: Competency) -> str:
        return f"{competency} ({competency.version})"


class AlignForm(forms.Form):
    """`level-<rank>` fields say which level here is which there; they count for exact alignments only."""

    target = CandidateChoice(
        label=_("Competency of the other framework"),
        queryset=Competency.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={
            "required": _("Choose a competency. Look for it first."),
            "invalid_choice": _("This competency is not published any more. Look for it again."),
        },
    )
    relation = forms.ChoiceField(label=_("How they stand to each other"), choices=ALIGNMENT_CHOICES)
    note = forms.CharField(
        label=_("Why"),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Everybody can read this: it is published with the alignment, also in CASE. Name no person."),
    )

    def __init__(self, *args: Any, origin: Competency, candidates: Sequence[Competency], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target"].queryset = Competency.objects.published().select_related("version__framework")  # type: ignore[attr-defined]
        self.fields["target"].choices = [  # type: ignore[attr-defined]
            (str(c.pk), f"{c} ({c.version})") for c in candidates
        ]
        self.ranks = list(ProficiencyLevel.objects.filter(version=origin.version_id, rank__gt=0).order_by("rank"))
        for level in self.ranks:
            self.fields[f"level-{level.rank}"] = forms.IntegerField(
                label=_("Level %(rank)s (%(label)s) here is there level") % {"rank": level.rank, "label": level.label},
                required=False,
                min_value=0,
                max_value=20,
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["levels"] = {
            level.rank: data[f"level-{level.rank}"]
            for level in self.ranks
            if data.get(f"level-{level.rank}") is not None
        }
        return data
