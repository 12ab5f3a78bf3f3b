from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from certificates.enums import RevocationReason
from certificates.sharing import DAYS


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
