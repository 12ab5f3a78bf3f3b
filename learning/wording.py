"""Paths and their changes in sentences."""

from __future__ import annotations

from datetime import date

from django.conf import settings
from django.utils import formats
from django.utils.text import get_text_list
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from competencies.selectors import Line
from competencies.wording import kind_phrase
from courses.models import CoursePage
from learning.due_dates import NONE
from learning.enums import CuratedStatus
from learning.hr import Asked
from learning.models import AssignmentBatch
from learning.planning import Closing
from learning.selectors import ChangeView, StepView


def closing_words(line: Line, closing: Closing) -> str:
    """What a course does for one gap."""
    name = str(line.competency)
    if not line.scale.is_stated or line.required.rank is None:
        return (
            _("shows “%(name)s”, which your role requires without stating a level") % {"name": name}
            if line.scale.is_stated
            else _("shows “%(name)s”") % {"name": name}
        )
    values = {"name": name, "held": closing.held, "reaches": closing.reaches, "required": closing.required}
    if closing.is_closed:
        return _("closes “%(name)s” (%(held)s → %(reaches)s)") % values
    return _("narrows “%(name)s” (%(held)s → %(reaches)s of %(required)s)") % values


def why_next(step: StepView, due_on: date | None) -> str:
    """Why this step comes next, in a sentence or two."""
    if step.closes:
        sentence = _("It %(what)s.") % {"what": closing_words(*step.closes[0])}
    else:
        titles = get_text_list([f"“{course.title}”" for course in step.needed_by], _("and"))
        sentence = ngettext("%(titles)s requires it first.", "%(titles)s require it first.", len(step.needed_by)) % {
            "titles": titles
        }
    if due_on is not None:
        sentence += " " + _("Due %(day)s.") % {"day": formats.date_format(due_on, "DATE_FORMAT")}
    return sentence


def why_here(step: StepView) -> list[str]:
    """Why a step is in the path, and what would remove it."""
    sentences = []
    for line, closing in step.closes:
        if line.required.rank is not None:
            sentences.append(
                _("Your role asks for “%(name)s” at level %(required)s; level %(held)s is shown so far.")
                % {"name": line.competency, "required": line.required.rank, "held": closing.held}
            )
        else:
            sentences.append(
                _("Your role asks for “%(name)s” without stating a level; nothing is shown so far.")
                % {"name": line.competency}
            )
    if step.needed_by:
        titles = get_text_list([f"“{course.title}”" for course in step.needed_by], _("and"))
        sentences.append(
            ngettext("%(titles)s requires it first.", "%(titles)s require it first.", len(step.needed_by))
            % {"titles": titles}
        )
    return sentences


def what_removes(step: StepView) -> str:
    """When a step leaves the path by itself."""
    names = [f"“{line.competency}”" for line, closing in step.closes]
    if not names:
        return _("It leaves your path when no course after it needs it any more.")
    return ngettext(
        "It leaves your path when %(names)s is shown in another way, or your role no longer asks for it.",
        "It leaves your path when %(names)s are shown in another way, or your role no longer asks for them.",
        len(names),
    ) % {"names": get_text_list(names, _("and"))}


def change_words(change: ChangeView) -> str:
    """One change of the path as a sentence with its reason."""
    names = get_text_list([f"“{c}”" for c in change.competencies], _("and"))
    values = {"course": change.course_title, "names": names, "rank": change.rank}
    if change.kind == "added":
        if change.why == "gap":
            return _("“%(course)s” came into your path: it leads to %(names)s.") % values
        return _("“%(course)s” came into your path: another course needs it first.") % values
    if change.kind == "lapsed" and change.on is not None:
        values |= {"what": kind_phrase(change.evidence_kind), "day": formats.date_format(change.on, "DATE_FORMAT")}
        if change.rank == 1:  # also "held", where a framework has no levels
            return _("What showed %(names)s, %(what)s, lapsed on %(day)s.") % values
        return _("What showed level %(rank)s in %(names)s, %(what)s, lapsed on %(day)s.") % values
    if change.why == "held" and change.evidence_kind:
        values["what"] = kind_phrase(change.evidence_kind)
        if change.rank == 1:  # also "held", where a framework has no levels
            return _("“%(course)s” left your path: %(names)s is shown by %(what)s.") % values
        return _("“%(course)s” left your path: level %(rank)s in %(names)s is shown by %(what)s.") % values
    return {
        "passed": _("“%(course)s” left your path: you passed it."),
        "held": _("“%(course)s” left your path: what it leads to is shown already."),
        "not_required": _("“%(course)s” left your path: your roles no longer ask for what it leads to."),
        "not_offered": _("“%(course)s” left your path: the course is no longer offered."),
        "shorter": _("“%(course)s” left your path: there is a shorter way now."),
    }[change.why] % values


def asked_words(asked: Asked) -> str:
    """What an assignment job was asked to do: what, and the date."""
    role = str(asked.profile) if asked.profile is not None else _("a role that is no longer there")
    if asked.batch is not None:
        role = batch_words(asked.batch)
    if asked.due_on is None:
        if asked.batch is not None and asked.batch.due_policy.get("kind", NONE) != NONE:
            return _("“%(role)s”, with a date for each person") % {"role": role}
        return _("“%(role)s”, without a due date") % {"role": role}
    return _("“%(role)s”, due %(day)s") % {"role": role, "day": formats.date_format(asked.due_on, "DATE_FORMAT")}


def batch_words(batch: AssignmentBatch) -> str:
    """What a batch is about: the name of the role, the curated path or the course. A query for a path or a course."""
    if batch.profile is not None:
        return str(batch.profile)
    if batch.curated_path is not None:
        version = batch.curated_path.versions.exclude(status=CuratedStatus.DRAFT).order_by("-number").first()
        return str(version.title) if version is not None else batch.curated_path.key
    pages = {page.language: page for page in CoursePage.objects.filter(key=batch.course_key)}
    page = pages.get(get_language() or "") or pages.get(settings.LANGUAGE_CODE) or next(iter(pages.values()), None)
    return page.title if page is not None else batch.course_key


def unclosed_words(line: Line, closing: Closing) -> str:
    """A gap that remains after the path, and what else helps."""
    name = str(line.competency)
    if line.scale.is_stated and closing.reaches:
        return _(
            "“%(name)s”: courses lead to level %(reaches)s of the %(required)s needed. The rest is shown by work: "
            "an assignment, then a panel or the recognition of prior learning."
        ) % {"name": name, "reaches": closing.reaches, "required": closing.required}
    return _(
        "“%(name)s”: no course leads there yet. What helps: an assignment with a mentor, the recognition of prior learning, "
        "a panel. The HR desk counts whom this course is missing for."
    ) % {"name": name}
