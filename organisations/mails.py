"""Mails to people: plain text in their language, their first line the subject. Called from jobs, never from a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils import translation

from organisations.models import User


def send(person: User, template: str, context: dict[str, Any], headers: Mapping[str, str] | None = None) -> bool:
    """Send `templates/<template>.txt` to one person; returns False for somebody who has left.

    The template knows `person`, `site_name` and `site_url` (no slash at its end) beside `context`.
    """
    if not person.is_active:
        return False
    shared = {"person": person, "site_name": settings.SITE_NAME, "site_url": settings.SITE_URL}
    with translation.override(person.language or settings.LANGUAGE_CODE):
        text = render_to_string(f"{template}.txt", shared | context)
    subject, _newline, body = text.lstrip().partition("\n")
    subject, body = " ".join(subject.split()), body.lstrip("\n")
    EmailMessage(subject, body, settings.DEFAULT_FROM_EMAIL, [person.email], headers=dict(headers or {})).send()
    return True
