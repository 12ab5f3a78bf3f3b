"""Paths and their changes in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.conf import settings
from django.utils import formats
from django.utils.text import get_text_list
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from competencies.selectors import Line
from competencies.wording import kind_phrase
from courses.models import CoursePage
from learning.due_dates import NONE
from learning.enums import AssignmentKind, CuratedStatus
from learning.hr import Asked
from learning.models import Assignment, AssignmentBatch
from learning.periods import COMPLETION, Recurrence
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
    due_on = step.step.due_on or due_on
    asked = asked_sentences(step)
    if step.closes:
        sentence = _("It %(what)s.") % {"what": closing_words(*step.closes[0])}
    elif asked:
        sentence = asked[0]
    elif step.needed_by:
        sentence = _needed_sentence(step)
    elif step.is_pinned:
        sentence = _("You pinned it.")
    else:
        sentence = _("You have begun it.")
    if step.needed_for:
        need = step.needed_for[0]
        values = {"change": need.initiative.title, "name": need.competency}
        sentence += " " + _("The change “%(change)s” needs “%(name)s”.") % values
    if due_on is not None:
        sentence += " " + _("Due %(day)s.") % {"day": formats.date_format(due_on, "DATE_FORMAT")}
    return sentence


def _needed_sentence(step: StepView) -> str:
    titles = get_text_list([f"“{course.title}”" for course in step.needed_by], _("and"))
    return ngettext("%(titles)s requires it first.", "%(titles)s require it first.", len(step.needed_by)) % {
        "titles": titles
    }


def path_title(assignment: Assignment) -> str:
    """The curated path of an assignment by the name it has today."""
    versions = getattr(assignment.curated_path, "in_force", [])
    return str(versions[0].title) if versions else str(assignment.curated_path)


def asked_sentences(step: StepView) -> list[str]:
    """Who asked for a course, and why, a sentence for each assignment behind it."""
    return [_asked_sentence(step, assignment) for assignment in step.asked_by]


def _asked_sentence(step: StepView, assignment: Assignment) -> str:
    officer = assignment.batch.created_by if assignment.batch is not None else None
    values = {
        "day": formats.date_format(assignment.assigned_on, "DATE_FORMAT"),
        "who": officer.name if officer is not None else "",
        "rule": assignment.rule.title if assignment.rule is not None else "",
    }
    if assignment.kind == AssignmentKind.PATH:
        values["path"] = path_title(assignment)
        stage = step.stages.get(assignment.curated_path_id) if assignment.curated_path_id is not None else None
        if stage is not None and stage.choose is not None:
            values |= {"stage": str(stage.title), "choose": str(stage.choose)}
            sentence = _("It counts in “%(path)s”, stage “%(stage)s”, of which %(choose)s are chosen.") % values
        else:
            sentence = _("It is part of the path “%(path)s”.") % values
    elif assignment.rule is not None:
        sentence = _("The rule “%(rule)s” asks for it, since %(day)s.") % values
    elif values["who"]:
        sentence = _("%(who)s asked for it on %(day)s.") % values
    else:
        sentence = _("HR asked for it on %(day)s.") % values
    if assignment.note:
        sentence += " " + _("Why: %(note)s") % {"note": assignment.note}
    return sentence


def why_here(step: StepView) -> list[str]:
    """Why a step is in the path."""
    sentences = asked_sentences(step)
    for line, closing in step.closes:
        sentences.append(_gap_sentence(step.roles.get(line.competency.pk, ()), line, closing))
    if step.needed_by:
        sentences.append(_needed_sentence(step))
    if step.is_pinned:
        sentences.append(_("You pinned it to your path."))
    if "begun" in step.step.kinds and not sentences:
        sentences.append(_("You have begun it; what is begun stays."))
    return sentences


def _gap_sentence(roles: Sequence[str], line: Line, closing: Closing) -> str:
    """Which role asks for a competency, at what level, and what is shown so far."""
    values = {
        "roles": get_text_list([f"“{role}”" for role in roles], _("and")),
        "name": line.competency,
        "required": line.required.rank,
        "held": closing.held,
    }
    n = max(len(roles), 1)
    if line.required.rank is None:
        return (
            ngettext(
                "Your role %(roles)s asks for “%(name)s” without stating a level; nothing is shown so far.",
                "Your roles %(roles)s ask for “%(name)s” without stating a level; nothing is shown so far.",
                n,
            )
            % values
        )
    if closing.held:
        return (
            ngettext(
                "Your role %(roles)s asks for “%(name)s” at level %(required)s; level %(held)s is shown so far.",
                "Your roles %(roles)s ask for “%(name)s” at level %(required)s; level %(held)s is shown so far.",
                n,
            )
            % values
        )
    return (
        ngettext(
            "Your role %(roles)s asks for “%(name)s” at level %(required)s; nothing is shown so far.",
            "Your roles %(roles)s ask for “%(name)s” at level %(required)s; nothing is shown so far.",
            n,
        )
        % values
    )


def what_removes(step: StepView) -> str:
    """When a step leaves the path by itself."""
    names = [f"“{line.competency}”" for line, closing in step.closes]
    if step.is_mandatory:
        return _(
            "It is mandatory: it leaves your path when you pass it, show what it leads to in another way, or HR ends or "
            "exempts you from it."
        )
    if step.asked_by:
        return _("It leaves your path when you pass it, show what it leads to in another way, or decline it.")
    if not names and step.is_pinned:
        return _("It leaves your path when you pass it or take the pin away.")
    if step.is_pinned:
        return _(
            "It leaves your path when you pass it or show all it leads to in another way. Your pin keeps it even if your "
            "role no longer asks for it."
        )
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
    if change.on is not None:
        values["day"] = formats.date_format(change.on, "DATE_FORMAT")
    if change.kind == "added":
        if change.why == "mandatory" and change.on is not None:
            return _("“%(course)s” came into your path: you are asked for it by %(day)s.") % values
        return {
            "mandatory": _("“%(course)s” came into your path: you are asked for it."),
            "gap": _("“%(course)s” came into your path: it leads to %(names)s."),
            "choice": _("“%(course)s” came into your path: it counts as one of the courses to choose from."),
            "pinned": _("“%(course)s” came into your path: you pinned it."),
            "prerequisite": _("“%(course)s” came into your path: another course needs it first."),
        }[change.why] % values
    if change.kind == "dated":
        return {
            "due": _("“%(course)s” has a date now: due %(day)s."),
            "earlier": _("“%(course)s” is due earlier: %(day)s."),
            "later": _("“%(course)s” is due later: %(day)s."),
            "no_date": _("“%(course)s” has no due date any more."),
        }[change.why] % values
    if change.kind == "lapsed" and change.on is not None:
        values["what"] = kind_phrase(change.evidence_kind)
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
        "declined": _("“%(course)s” left your path: you declined it."),
        "not_asked": _("“%(course)s” left your path: you are no longer asked for it."),
        "unavailable": _("“%(course)s” is asked of you, but cannot be taken at present. Your HR unit can see it."),
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
    if closing.declined:
        return _("“%(name)s”: a course leads there, and you declined it. Planning with it again closes the gap.") % {
            "name": name
        }
    if line.scale.is_stated and closing.reaches:
        return _(
            "“%(name)s”: courses lead to level %(reaches)s of the %(required)s needed. The rest is shown by work: "
            "an assignment, then a panel or the recognition of prior learning."
        ) % {"name": name, "reaches": closing.reaches, "required": closing.required}
    return _(
        "“%(name)s”: no course leads there yet. What helps: an assignment with a mentor, the recognition of prior learning, "
        "a panel. The HR desk counts whom this course is missing for."
    ) % {"name": name}


def recurrence_words(recurrence: Recurrence) -> str:
    """How often something comes round, and from when it counts."""
    months = recurrence.every_months
    if months % 12 == 0:
        often = ngettext("Every year", "Every %(n)s years", months // 12) % {"n": months // 12}
    else:
        often = ngettext("Every month", "Every %(n)s months", months) % {"n": months}
    if recurrence.anchor == COMPLETION:
        often = _("%(often)s from the day you complete it") % {"often": often}
    days = recurrence.opens_days_before
    opens = ngettext("it counts from a day before", "it counts from %(n)s days before", days) % {"n": days}
    return f"{often}; {opens}." if days else f"{often}."


TURN_WORDS = {
    "upcoming": ("neutral", gettext_lazy("Opens later")),
    "open": ("info", gettext_lazy("To be done")),
    "grace": ("soon", gettext_lazy("Overdue, still let pass")),
    "missed": ("overdue", gettext_lazy("Missed")),
    "done": ("done", gettext_lazy("Kept")),
    "done_late": ("soon", gettext_lazy("Kept late")),
}
