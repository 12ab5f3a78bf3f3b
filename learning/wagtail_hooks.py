"""What the CMS knows of learning: the acts its audit log names."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from wagtail import hooks


@hooks.register("register_log_actions")
def log_actions(actions: Any) -> None:
    actions.register_action("learning.assign", _("Assign"), _("Assigned"))
    actions.register_action("learning.undo", _("Take an assignment back"), _("Assignment taken back"))
