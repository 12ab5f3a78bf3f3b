from django import forms
from django.utils.translation import gettext_lazy as _


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
