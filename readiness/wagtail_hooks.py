"""The floor in the CMS: initiatives (readiness.editor), questionnaires and suggestions (readiness.questionnaire_editor); and
what our acts are called in the audit log.

Surveys, ballots, answers, comments and results are not here: they have their own pages, or none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.snippets.models import register_snippet

from readiness import editor

register_snippet(editor.ChangeGroup)


@hooks.register("before_delete_snippet")
def keep_what_others_point_to(request: HttpRequest, instances: Sequence[Model]) -> HttpResponse | None:
    return editor.refuse_deleting(request, instances)


@hooks.register("register_log_actions")
def log_actions(actions: Any) -> None:
    """Answering a survey is no act that is logged: nobody needs to know who did."""
    actions.register_action("readiness.make_wave", _("Prepare a survey"), _("Survey prepared"))
    actions.register_action("readiness.discard_wave", _("Throw a survey away"), _("Survey thrown away"))
    actions.register_action("readiness.approve_wave", _("Approve a survey"), _("Survey approved"))
    actions.register_action("readiness.open_wave", _("Open a survey"), _("Survey opened"))
    actions.register_action("readiness.release_key", _("Open the key of a survey"), _("Key of a survey opened"))
    actions.register_action("readiness.close_wave", _("Close a survey"), _("Survey closed"))
    actions.register_action(
        "readiness.make_instrument_ready", _("Make a questionnaire ready"), _("Questionnaire ready for use")
    )
    actions.register_action("readiness.retire_instrument", _("Retire a questionnaire"), _("Questionnaire retired"))
    actions.register_action(
        "readiness.draft_next_instrument", _("Draft the next version"), _("Next version of a questionnaire drafted")
    )
    actions.register_action("readiness.review_language", _("Review a language"), _("Language reviewed"))
    actions.register_action("readiness.withdraw_review", _("Withdraw a review"), _("Review of a language withdrawn"))
    actions.register_action("readiness.moderate_comment", _("Moderate a comment"), _("Comment moderated"))
    actions.register_action("readiness.ask_question", _("Ask about a change"), _("Question about a change asked"))
    actions.register_action(
        "readiness.answer_question", _("Answer a question about a change"), _("Question about a change answered")
    )
    actions.register_action("readiness.decide_concern", _("Decide a concern"), _("Concern decided"))
    actions.register_action("readiness.propose_champion", _("Propose a champion"), _("Champion proposed"))
    actions.register_action(
        "readiness.decide_champion", _("Decide on a champion's hours"), _("Champion's hours decided")
    )
    actions.register_action("readiness.set_action", _("Set an action"), _("Action set"))
    actions.register_action("readiness.end_action", _("End an action"), _("Action ended"))
    actions.register_action("readiness.move_action", _("Move the date of an action"), _("Date of an action moved"))
    actions.register_action("readiness.release_champion", _("Release a champion"), _("Champion released"))
    actions.register_action("readiness.plan_nudges", _("Plan reminders"), _("Reminders of a change planned"))
