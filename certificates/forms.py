from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from certificates.enums import RevocationReason
from certificates.sharing import DAYS
from certificates.trusting import MOST_CHARACTERS


class VerifyForm(forms.Form):
    """The code as somebody reads it off a certificate."""

    code = forms.CharField(
        label=_("Code on the certificate"),
        max_length=60,
        help_text=_("Ten letters and digits, such as 7KQ2M-XD4RF. Capitals, spaces and the dash do not matter."),
        error_messages={
            "required": _("Type the code that stands on the certificate."),
            "max_length": _("That is too long for a code: it has ten letters and digits."),
        },
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


class FileForm(forms.Form):
    """A certificate or badge as a file. What came in is read elsewhere, within bounds; here are the words.

    `refusal` is why it was not read.
    """

    file = forms.FileField(
        label=_("File of the certificate or badge"),
        help_text=_("PDF, badge picture (PNG, SVG), JSON or token, up to 10 MB. It is checked and not kept."),
        widget=forms.FileInput(attrs={"class": "drop-file"}),
    )
    status_list = forms.FileField(
        label=_("Status list of its issuer"),
        help_text=_(
            "Only for badges of other issuers, where the answer asks for it: whether one was taken back stands in a list that "
            "is not fetched from here."
        ),
        required=False,
        widget=forms.FileInput(),
    )

    def __init__(self, *args: Any, refusal: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refusal = refusal

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if self.refusal:
            self.errors.pop("file", None)
            self.add_error("file", self.refusal)
        return cleaned


class TrustForm(forms.Form):
    """An issuer elsewhere and its keys, pasted in."""

    name = forms.CharField(
        label=_("Name of the issuer"),
        max_length=200,
        help_text=_("As whoever checks a badge is to read it."),
        error_messages={
            "required": _("Write the name of the issuer."),
            "max_length": _("Write the name in 200 characters at most."),
        },
    )
    pasted = forms.CharField(
        label=_("Its did:key, or its document with the public keys"),
        max_length=MOST_CHARACTERS,
        help_text=_(
            "For did:web the document is called did.json. Open it yourself, on the issuer’s own site, and paste what it "
            "says: nothing is fetched from here."
        ),
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        error_messages={
            "required": _("Paste the did:key or the document."),
            "max_length": _("That is too long for the document of an issuer."),
        },
    )


class FindForm(forms.Form):
    """Number, code or name."""

    q = forms.CharField(label=_("Number, code or name of the holder"), max_length=100, required=False)

    def clean_q(self) -> str:
        return " ".join(self.cleaned_data["q"].replace("\0", "").split())


class RevokeForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Why it no longer counts"),
        help_text=_("Whoever checks the certificate reads this."),
        choices=[("", _("Choose a reason")), *RevocationReason.choices],
        error_messages={"required": _("Choose the reason that is shown to whoever checks the certificate.")},
    )
    note = forms.CharField(
        label=_("What happened"),
        help_text=_("The holder reads it; whoever checks the certificate does not."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={
            "required": _("Say what happened: the holder reads it, and so does whoever looks into it later."),
            "max_length": _("Say it in 500 characters at most."),
        },
    )


class RenewForm(forms.Form):
    why = forms.CharField(
        label=_("Why it is renewed"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={
            "required": _("Say why it is renewed: whoever looks into it later reads it."),
            "max_length": _("Say it in 500 characters at most."),
        },
    )


class ReissueForm(forms.Form):
    name = forms.CharField(
        label=_("The name as it is to stand there"),
        max_length=200,
        error_messages={
            "required": _("Write the name as it is to stand on the certificate."),
            "max_length": _("Write the name in 200 characters at most."),
        },
    )


class ShareForm(forms.Form):
    """What a link is to show, for whom and how long. The number makes a doubled press one link."""

    label = forms.CharField(
        label=_("For whom?"),
        help_text=_("For yourself, to tell your links apart. Whoever opens the link does not see it."),
        max_length=80,
        required=False,
        error_messages={"max_length": _("Say it in 80 characters at most.")},
    )
    days = forms.TypedChoiceField(
        label=_("How long is it to work?"),
        coerce=int,
        choices=list(DAYS.items()),
        initial=30,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose how long the link is to work."),
            "invalid_choice": _("Choose how long the link is to work."),
        },
    )
    shows_grounds = forms.BooleanField(
        label=_("Show what it rests on"),
        help_text=_("The courses, diagnostics and confirmations behind each competency, with their dates."),
        required=False,
    )
    lets_download = forms.BooleanField(
        label=_("Let them download the certificate"),
        help_text=_(
            "The PDF and the credential, with all that stands in them. What was downloaded stays when the link has ended."
        ),
        required=False,
    )
    number = forms.UUIDField(
        widget=forms.HiddenInput, initial=uuid4, error_messages={"invalid": _("Open the page again.")}
    )
