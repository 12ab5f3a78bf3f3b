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
    actions.register_action("certificates.share", _("Share a certificate"), _("Link to the certificate made"))
    actions.register_action("certificates.end_share", _("End a link"), _("Link to the certificate ended"))
    actions.register_action("certificates.import_badge", _("Hand in a badge"), _("Badge from elsewhere handed in"))
