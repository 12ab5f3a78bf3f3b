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
    actions.register_action("certificates.renew", _("Renew a certificate"), _("Certificate renewed"))
    actions.register_action("certificates.make_definition", _("Define a certificate"), _("Definition made"))
    actions.register_action("certificates.change_definition", _("Change a definition"), _("Definition changed"))
    actions.register_action("certificates.activate_definition", _("Put a definition in force"), _("Put in force"))
    actions.register_action("certificates.retire_definition", _("End a definition"), _("No longer issued"))
    actions.register_action("certificates.make_body", _("Make an issuing body"), _("Issuing body made"))
    actions.register_action("certificates.change_body", _("Change an issuing body"), _("Issuing body changed"))
    actions.register_action("certificates.change_logo", _("Change a logo"), _("Logo changed"))
    actions.register_action("certificates.add_signatory", _("Add a signatory"), _("Signatory added"))
    actions.register_action("certificates.end_signatory", _("End a signatory"), _("Signs no more"))
    actions.register_action("certificates.trust", _("Trust an issuer"), _("Issuer listed as trusted"))
    actions.register_action("certificates.end_trust", _("End the trust in an issuer"), _("Issuer no longer trusted"))
    actions.register_action("certificates.share", _("Share a certificate"), _("Link to the certificate made"))
    actions.register_action("certificates.end_share", _("End a link"), _("Link to the certificate ended"))
    actions.register_action("certificates.import_badge", _("Hand in a badge"), _("Badge from elsewhere handed in"))
    actions.register_action("certificates.cohort", _("Issue to a cohort"), _("Certificates of a cohort asked for"))
