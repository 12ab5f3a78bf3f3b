"""Forms of allauth whose errors name the field and say what to do."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth_forms
from django.core.validators import EmailValidator
from django.forms import Field
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_ADDRESS = _("Enter your e-mail address.")
_NOT_AN_ADDRESS = _("Enter an e-mail address such as name@ministry.gov.")
_PASSWORD = _("Enter your password.")
_NEW_PASSWORD = _("Choose a password.")
_AGAIN = _("Type the password a second time.")


def _say(fields: dict[str, Field], **sentences: str | Promise) -> None:
    """What stands beside a field that was left empty; beside an address also what an address looks like."""
    for name, sentence in sentences.items():
        if name not in fields:
            continue
        fields[name].error_messages["required"] = sentence  # type: ignore[assignment]
        if sentence is _ADDRESS:
            others = [v for v in fields[name].validators if not isinstance(v, EmailValidator)]
            fields[name].validators = [*others, EmailValidator(message=_NOT_AN_ADDRESS)]


class SignupForm(allauth_forms.SignupForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _say(self.fields, email=_ADDRESS, password1=_NEW_PASSWORD, password2=_AGAIN)


class LoginForm(allauth_forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _say(self.fields, login=_ADDRESS, password=_PASSWORD)


class ResetPasswordForm(allauth_forms.ResetPasswordForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _say(self.fields, email=_ADDRESS)


class ResetPasswordKeyForm(allauth_forms.ResetPasswordKeyForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _say(self.fields, password1=_NEW_PASSWORD, password2=_AGAIN)
