"""The part of a form that takes a list of people: pasted, or read from a file into the same field."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from learning import lists
from learning.lists import MAX_CHARACTERS, MAX_LINES, count_of, lines_of, too_many

# Beyond this, a list is blank lines more than people.
MAX_POSITIONS = 5 * MAX_LINES


class ListForm(forms.Form):
    """`emails` becomes the entries of the list; `list_name` is the file they were read from, if any."""

    emails = forms.CharField(
        label=_("List of e-mail addresses"),
        required=False,
        strip=False,  # a blank line on top has its number
        max_length=MAX_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 5, "autocomplete": "off", "spellcheck": "false"}),
        help_text=_(
            "One a line, or separated by commas. You can paste a column from a spreadsheet. Instead of a file."
        ),
        error_messages={"max_length": _("The list is too long. Divide it.")},
    )
    file = forms.FileField(
        label=_("File with e-mail addresses"),
        required=False,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.xlsx"}),
        help_text=_("CSV or Excel (.xlsx), up to 10,000 rows. The column is found by its heading, such as “E-mail”."),
    )
    list_name = forms.CharField(required=False, max_length=200, widget=forms.HiddenInput)

    def clean_emails(self) -> tuple[str, ...]:
        entries = lines_of(self.cleaned_data["emails"])
        if count_of(entries) > MAX_LINES:
            raise forms.ValidationError(too_many(count_of(entries)))
        if len(entries) > MAX_POSITIONS:
            raise forms.ValidationError(_("There are too many blank lines between the addresses. Delete them."))
        return entries


def take_list(request: HttpRequest, data: QueryDict, bound: lists.BoundedList) -> str:
    """Put the lines of a file into the field of the list, where they travel on. Returns the sentence where it is refused."""
    file = request.FILES.get("file")
    if bound.too_large:
        return lists.too_large()
    if file is None:
        if not data.get("emails", "").strip():
            data["list_name"] = ""
        return ""
    if data.get("emails", "").strip() and not data.get("list_name"):
        return gettext("Paste a list or choose a file, not both. Empty the list, then choose the file again.")
    try:
        found = lists.read_list(file)
    except lists.ListRefused as refused:
        return str(refused)
    data["emails"], data["list_name"] = found.text, found.name
    return ""
