"""Frameworks and roles in the CMS: drafts are edited (competencies.editor), roles of posts set; the log knows our verbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.panels import FieldPanel
from wagtail.snippets.models import register_snippet
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from competencies import banks_editor, editor
from competencies.models import PostRole, RoleAssignment


@hooks.register("register_log_actions")
def log_actions(actions: Any) -> None:
    actions.register_action("competencies.import_framework", _("Import a framework"), _("Framework imported"))
    actions.register_action("competencies.publish_framework", _("Publish a framework"), _("Framework published"))
    actions.register_action("competencies.extend_framework", _("Extend a framework"), _("Framework extended"))
    actions.register_action("competencies.discard_draft", _("Discard a draft"), _("Draft discarded"))
    actions.register_action("competencies.confirm_crosswalk", _("Confirm a crosswalk"), _("Crosswalk confirmed"))
    actions.register_action("competencies.decide_succession", _("Decide what follows"), _("Decided what follows"))
    actions.register_action("competencies.align", _("Align competencies"), _("Competencies aligned"))
    actions.register_action("competencies.withdraw_alignment", _("Withdraw an alignment"), _("Alignment withdrawn"))
    actions.register_action("competencies.record_evidence", _("Record evidence"), _("Evidence recorded"))
    actions.register_action("competencies.withdraw_evidence", _("Withdraw evidence"), _("Evidence withdrawn"))
    actions.register_action("competencies.open_contest", _("Contest evidence"), _("Evidence contested"))
    actions.register_action("competencies.take_back_contest", _("Take back a contest"), _("Contest taken back"))
    actions.register_action("competencies.decide_contest", _("Decide a contest"), _("Contest decided"))
    actions.register_action("competencies.hand_on_contest", _("Hand on a contest"), _("Contest handed on"))
    actions.register_action("competencies.end_contest", _("End a contest"), _("Contest ended: evidence withdrawn"))
    actions.register_action("competencies.ask_panel", _("Ask a panel"), _("Panel asked"))
    actions.register_action("competencies.rate_on_panel", _("Rate on a panel"), _("Rated on a panel"))
    actions.register_action("competencies.decline_panel", _("Decline a panel"), _("Panel declined"))
    actions.register_action("competencies.close_panel", _("Close a panel"), _("Panel closed"))
    actions.register_action("competencies.call_off_panel", _("Call off a panel"), _("Panel called off"))
    actions.register_action("competencies.submit_claim", _("Submit a claim"), _("Claim submitted"))
    actions.register_action("competencies.take_back_claim", _("Take back a claim"), _("Claim taken back"))
    actions.register_action("competencies.take_over_claim", _("Take over a claim"), _("Claim taken over"))
    actions.register_action("competencies.decide_claim", _("Decide on a claim"), _("Claim decided"))
    actions.register_action("competencies.start_diagnostic", _("Start a diagnostic"), _("Diagnostic started"))
    actions.register_action("competencies.stop_diagnostic", _("Stop a diagnostic"), _("Diagnostic stopped"))
    actions.register_action("competencies.finish_diagnostic", _("Finish a diagnostic"), _("Diagnostic finished"))
    actions.register_action(
        "competencies.close_diagnostic", _("Close a diagnostic"), _("Diagnostic closed, left unfinished")
    )
    actions.register_action("competencies.load_item_bank", _("Load an item bank"), _("Item bank loaded"))
    actions.register_action("competencies.put_item_bank_in_use", _("Put in use"), _("Put in use"))
    actions.register_action("competencies.retire_item_bank", _("Retire an item bank"), _("Item bank retired"))
    actions.register_action("competencies.retire_item", _("Retire a question"), _("Question retired"))
    actions.register_action("competencies.calibrate_item_bank", _("Estimate from answers"), _("Estimated from answers"))
    actions.register_action("competencies.draft_rules", _("Draft rules"), _("Rules drafted"))
    actions.register_action("competencies.change_rules", _("Change rules"), _("Rules changed"))
    actions.register_action("competencies.publish_rules", _("Publish rules"), _("Rules published"))
    actions.register_action("competencies.discard_rules", _("Discard rules"), _("Rules discarded"))
    actions.register_action("competencies.share_disagreement", _("Share a note"), _("Note shared with the manager"))
    actions.register_action("competencies.unshare_disagreement", _("Stop sharing a note"), _("Note no longer shared"))
    actions.register_action("competencies.assign_role", _("Assign a role"), _("Role assigned"))
    actions.register_action("competencies.open_campaign", _("Open a campaign"), _("Campaign opened"))
    actions.register_action("competencies.extend_campaign", _("Extend a campaign"), _("Campaign extended"))
    actions.register_action("competencies.end_campaign", _("End a campaign early"), _("Campaign ended early"))
    actions.register_action("competencies.agree_to_be_found", _("Agree to be found"), _("Agreed to be found"))
    actions.register_action("competencies.take_back_agreement", _("Take back agreement"), _("Agreement taken back"))
    actions.register_action("competencies.end_role", _("End a role"), _("Role ended"))


class PostRoleViewSet(SnippetViewSet):
    model = PostRole
    icon = "tag"
    list_display = ["post", "profile"]
    panels = [FieldPanel("post"), FieldPanel("profile")]


class RoleAssignmentViewSet(SnippetViewSet):
    model = RoleAssignment
    icon = "user"
    list_display = ["person", "profile", "starts_on", "ends_on"]
    search_fields = ["person__name", "person__email"]
    panels = [FieldPanel("person"), FieldPanel("profile"), FieldPanel("starts_on"), FieldPanel("ends_on")]


class RolesGroup(SnippetViewSetGroup):
    items = (PostRoleViewSet, RoleAssignmentViewSet)
    menu_label = _("Roles")
    menu_icon = "tag"
    menu_order = 310


register_snippet(RolesGroup)
register_snippet(editor.FrameworksGroup)
register_snippet(banks_editor.BanksGroup)


@hooks.register("before_delete_snippet")
def keep_what_others_point_to(request: HttpRequest, instances: Sequence[Model]) -> HttpResponse | None:
    return editor.refuse_deleting(request, instances) or banks_editor.refuse_deleting(request, instances)


hooks.register("before_bulk_action", banks_editor.refuse_deleting_many)


@hooks.register("construct_snippet_action_menu")
def offer_no_unpublishing(menu_items: list[Any], request: HttpRequest, context: Mapping[str, Any]) -> None:
    editor.no_unpublishing(menu_items, context)
