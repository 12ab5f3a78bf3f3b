"""What this floor writes into the log."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import hooks


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    actions.register_action("certificates.issue", _("Issue a certificate"), _("Certificate issued"))
    actions.register_action("certificates.revoke", _("Revoke a certificate"), _("Certificate revoked"))
    actions.register_action("certificates.reissue", _("Issue a certificate anew"), _("Certificate issued anew"))
    actions.register_action("certificates.cohort", _("Issue to a cohort"), _("Certificates of a cohort asked for"))
