"""What a version of a curated path changes, in sentences."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from learning.curated import Shown
from learning.models import CuratedVersion
from learning.stages import Difference, Stage


def choice_words(stage: Stage) -> str:
    """How many of its courses a stage asks for."""
    if stage.choose is None:
        return _("all courses are needed")
    return _("%(choose)s of %(count)s courses to choose") % {"choose": stage.choose, "count": len(stage.keys)}


def difference_words(difference: Difference, shown: Shown) -> str:
    before, after = difference.before, difference.after
    values = {
        "course": shown.title(difference.key) if difference.key else "",
        "before": before.title if before is not None else "",
        "after": after.title if after is not None else "",
    }
    match difference.kind:
        case "stage_added":
            return _("New stage: “%(after)s”") % values
        case "stage_removed":
            return _("Stage removed: “%(before)s”") % values
        case "stage_renamed":
            return _("“%(before)s” is called “%(after)s” now") % values
        case "stages_moved":
            return _("The stages are in another order")
        case "choice":
            return _("“%(stage)s”: %(now)s; before, %(then)s") % {
                "stage": values["after"],
                "now": choice_words(after) if after is not None else "",
                "then": choice_words(before) if before is not None else "",
            }
        case "added":
            return _("New in “%(after)s”: “%(course)s”") % values
        case "removed":
            return _("No longer in the path: “%(course)s”") % values
        case "moved":
            return _("“%(course)s” moves from “%(before)s” to “%(after)s”") % values
        case "order":
            return _("“%(after)s”: the courses are in another order") % values


def changes_words(
    before: CuratedVersion, after: CuratedVersion, found: Iterable[Difference], shown: Shown
) -> list[str]:
    """All that a version changes of the one before it, its title and purpose first."""
    words = []
    if before.title != after.title:
        words.append(
            _("Another title: “%(after)s”, before “%(before)s”") % {"after": after.title, "before": before.title}
        )
    if before.summary != after.summary:
        words.append(_("Another text on what it is for"))
    return words + [difference_words(one, shown) for one in found]
