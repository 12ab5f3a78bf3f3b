"""The elements of the design: a builtin library, so pages need no {% load %}. Each is shown in docs/design.md.

Markup lives in templates/elements/; this file turns what a page knows (ranks, states, fields) into what that markup
draws. Everything optional has a default here, so a page never has to pass an empty value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django import template
from django.conf import settings
from django.core.paginator import Page
from django.forms import BaseForm, BoundField, widgets
from django.forms.formsets import BaseFormSet
from django.forms.renderers import DjangoTemplates
from django.template.loader import get_template, render_to_string
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify
from django.utils.timezone import is_aware, localtime
from django.utils.translation import get_language_info, gettext, gettext_lazy, ngettext

from organisations.plain_text import without_links

register = template.Library()

Values = dict[str, Any]


def _attributes(attrs: Mapping[str, Any]) -> SafeString:
    """Keyword arguments as HTML attributes: hx_get → hx-get, class_ → class, True → bare, False and None → left out."""
    said = [(name.rstrip("_").replace("_", "-"), value) for name, value in attrs.items() if value not in (None, False)]
    return format_html_join(
        "", "{}", [(format_html(" {}", n) if v is True else format_html(' {}="{}"', n, v),) for n, v in said]
    )


def _draw(name: str, values: Values) -> SafeString:
    return mark_safe(render_to_string(f"elements/{name}.html", values))  # an autoescaped template's own output


# --- Icons -------------------------------------------------------------------------------------------------------
# On a 24 × 24 grid. States differ in outline, not only in colour: circle, triangle, octagon, square, ring.
_CIRCLE: Final = "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z"
_OCTAGON: Final = "M7.9 2h8.2L22 7.9v8.2L16.1 22H7.9L2 16.1V7.9z"
_CROSS: Final = "M8.5 7 12 10.5 15.5 7 17 8.5 13.5 12l3.5 3.5-1.5 1.5-3.5-3.5L8.5 17 7 15.5l3.5-3.5L7 8.5z"
ICONS: Final[dict[str, str]] = {
    "done": f"{_CIRCLE} M10.5 16.9 5.9 12.3l1.6-1.6 3 3 6-6 1.6 1.6z",
    "soon": "M12 2.2 23 21.5H1z M11 9h2v6.4h-2z M11 17h2v2h-2z",
    "overdue": f"{_OCTAGON} M11 6h2v7.6h-2z M11 15.6h2v2.2h-2z",
    "info": "M4 2h16a2 2 0 0 1 2 2v16a2 2 0 0 1-2 2H4a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2z M11 6h2v2.2h-2z M11 10h2v8h-2z",
    "neutral": f"{_CIRCLE} M12 5a7 7 0 1 1 0 14 7 7 0 0 1 0-14z",
    "now": f"{_CIRCLE} M9.5 7.5 17 12l-7.5 4.5z",
    "clock": f"{_CIRCLE} M11 6h2v5.5l3.7 2.2-1 1.7-4.7-2.8z",
    "revoked": f"{_OCTAGON} {_CROSS}",
    "wrong": f"{_CIRCLE} {_CROSS}",
    "newer": f"{_CIRCLE} M7.6 11.4 12 7l4.4 4.4-1.4 1.4-2-2V17h-2v-6.2l-2 2z",
    "unknown": f"{_CIRCLE} M11 16.2h2v2.2h-2z"
    " M8 9.6a4 4 0 1 1 5.9 3.5c-.7.4-.9.7-.9 1.3v.3h-2v-.5c0-1.4.5-2.2 1.8-2.9A2 2 0 1 0 10 9.6z",
    "check": "M9.5 18.4 3.3 12.2 5 10.5l4.5 4.5 9.6-9.6 1.7 1.7z",
    "cross": "M5.5 4 12 10.5 18.5 4 20 5.5 13.5 12l6.5 6.5-1.5 1.5-6.5-6.5L5.5 20 4 18.5l6.5-6.5L4 5.5z",
    "arrow": "M13.6 5 21 12l-7.4 7-1.4-1.5 4.8-4.5H3v-2h14l-4.8-4.5z",
    "chevron": "M9 4.5 16.5 12 9 19.5 7.5 18l6-6-6-6z",
    "search": "M10 3a7 7 0 1 0 4.2 12.6l4.6 4.6 1.4-1.4-4.6-4.6A7 7 0 0 0 10 3z M10 5a5 5 0 1 1 0 10 5 5 0 0 1 0-10z",
    "plus": "M11 4h2v7h7v2h-7v7h-2v-7H4v-2h7z",
    "minus": "M4 11h16v2H4z",
    "moved": "M8 3 13 8l-1.4 1.4L9 6.8V15H7V6.8L4.4 9.4 3 8z M16 21l-5-5 1.4-1.4 2.6 2.6V9h2v8.2l2.6-2.6L21 16z",
    "pin": "M8 2h8v2l-1.5 1v6l3 3v2H13v6h-2v-6H6.5v-2l3-3V5L8 4z",
    "lock": "M8 10V7a4 4 0 1 1 8 0v3h2v11H6V10z M10 10h4V7a2 2 0 1 0-4 0z",
    "print": "M7 3h10v5h3v9h-3v4H7v-4H4V8h3z M9 5h6v3H9z M9 14h6v5H9z",
    "download": "M11 3h2v9.2l3.3-3.3 1.4 1.4L12 16l-5.7-5.7 1.4-1.4 3.3 3.3z M4 18h16v2H4z",
}
_DIRECTED: Final = frozenset({"arrow", "chevron", "now"})


@register.simple_tag
def icon(name: str) -> SafeString:
    """A small drawing beside a word, never without one: it is hidden from screen readers."""
    return format_html(
        '<svg class="icon{}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">'
        '<path fill-rule="evenodd" d="{}"/></svg>',
        " icon-directed" if name in _DIRECTED else "",
        ICONS[name],
    )


# --- Level bar, progress -----------------------------------------------------------------------------------------
_BARS: Final = {
    "normal": {"width": 176, "height": 16, "notch": 11, "gap": 4},
    "small": {"width": 96, "height": 10, "notch": 8, "gap": 3},
}
_SIDE: Final = 1  # room for a stroke at the start
_END: Final = 7  # room for a notch at the very end


def _level_words(held: int, declared: int, required: int | str | None, most: int) -> str:
    said = [gettext("Level %(held)s of %(most)s evidenced") % {"held": held, "most": most}]
    if declared > held:
        said.append(gettext("level %(declared)s declared") % {"declared": declared})
    if required == "any":
        said.append(gettext("required, level not stated"))
    elif required is not None:
        said.append(gettext("level %(required)s required") % {"required": required})
    return ", ".join(said)


def _hatch(x: float, y: int, width: float, height: int) -> str:
    """Diagonals inside a box: drawn as lines, because a pattern would need an id of its own for every bar."""
    inner, step = height - 4, 5
    starts = [x + 2 + step * i for i in range(int((width - 4 - inner) // step) + 1)] or [x + (width - inner) / 2]
    return " ".join(f"M{start:.1f} {y + height - 2}l{inner} -{inner}" for start in starts)


@register.inclusion_tag("elements/level_bar.html")
def level_bar(
    held: int | None = 0,
    required: int | str | None = None,
    declared: int | None = None,
    max: int = 5,
    label: str = "",
    size: str = "normal",
) -> Values:
    """The signature: filled = evidenced, hatched = declared only, outlined notch = required.

    Ranks are counted from 1; `required` is None where nothing is asked, "any" (or 0) where a level is not stated.
    `label` is the sentence for those who do not see the drawing; without it the numbers are said.
    """
    form = _BARS[size]
    most, have = int(max) or 1, int(held or 0)
    claim = int(declared or 0)
    wanted: int | str | None = "any" if required in (0, "any") else None if required in (None, "") else int(required)
    width, height, top, gap = form["width"], form["height"], form["notch"], form["gap"]
    wide = (width - gap * (most - 1)) / most
    segments = []
    for rank in range(1, most + 1):
        x = _SIDE + (rank - 1) * (wide + gap)
        kind = "held" if rank <= have else "declared" if rank <= claim else "empty"
        segments.append(
            {
                "kind": kind,
                "x": f"{x + 0.5:.1f}",
                "y": f"{top + 0.5:.1f}",
                "width": f"{wide - 1:.1f}",
                "height": height - 1,
                "hatch": _hatch(x, top, wide, height) if kind == "declared" else "",
            }
        )
    notch, goal = "", ""
    half = top // 2
    if isinstance(wanted, int):
        at = _SIDE + min(wanted, most) * (wide + gap) - gap / 2
        notch = f"M{at - half:.1f} 1h{2 * half}v{half - 1}L{at:.1f} {top - 1}L{at - half:.1f} {half}z"
        goal = f"M{at:.1f} {top - 1}V{top + height + 2}"
    elif wanted == "any":
        goal = f"M{_SIDE + 0.5:.1f} {top - 2}V{half}H{_SIDE + width - 0.5:.1f}V{top - 2}"
    return {
        "label": label or _level_words(have, claim, wanted, most),
        "size": size,
        "width": _SIDE + width + _END,
        "height": top + height + 3,
        "segments": segments,
        "notch": notch,
        "goal": goal,
        "any": wanted == "any",
    }


@register.inclusion_tag("elements/progress_bar.html")
def progress_bar(value: float, max: float, label: str, quiet: str = "") -> Values:
    """How far: the words stand above the bar and name it. `quiet` adds words that are not part of its name."""
    return {"value": str(min(value, max)), "max": str(max or 1), "label": label, "quiet": quiet}


# --- Buttons, cards, steps ---------------------------------------------------------------------------------------
_VARIANTS: Final = {"primary": "primary", "secondary": "secondary", "quiet": "tertiary", "danger": "primary"}


@register.inclusion_tag("elements/button.html")
def button(
    text: str, href: str = "", variant: str = "primary", icon: str = "", type: str = "submit", **attrs: Any
) -> Values:
    """A button, or with `href` a link that looks like one. Other names become attributes: hx_post="…", name="…"."""
    return {
        "text": text,
        "href": href,
        "variant": _VARIANTS[variant],
        "danger": variant == "danger",
        "icon": icon,
        "type": type,
        "attrs": _attributes(attrs),
    }


@register.inclusion_tag("elements/next_card.html")
def next_card(
    title: str, action: str, url: str, eyebrow: str = "", meta: str = "", why: str = "", post: bool = False
) -> Values:
    """What to do next, why, how long: one a page, with the page's one primary button. `post` makes it a form."""
    return {
        "eyebrow": eyebrow or gettext("Next"),
        "title": title,
        "meta": meta,
        "why": why,
        "action": action,
        "url": url,
        "post": post,
    }


@register.simple_block_tag
def card(
    content: str,
    title: str = "",
    url: str = "",
    eyebrow: str = "",
    meta: str = "",
    level: int = 3,
    tone: str = "default",
) -> SafeString:
    """A bordered box; its title may be a link. Several stand in <ul class="card-grid"><li>…</li></ul>."""
    return _draw(
        "card",
        {
            "content": content,
            "title": title,
            "url": url,
            "eyebrow": eyebrow,
            "meta": meta,
            "level": level,
            "tone": tone,
        },
    )


STEP_STATES: Final = {"done": gettext_lazy("Done"), "current": gettext_lazy("Now"), "todo": gettext_lazy("To do")}
STEP_CHANGES: Final = {
    "added": gettext_lazy("Added"),
    "removed": gettext_lazy("Removed"),
    "moved": gettext_lazy("Moved"),
}


@register.simple_block_tag
def step(
    content: str,
    title: str,
    state: str = "todo",
    url: str = "",
    minutes: int | None = None,
    format: str = "",
    due: str = "",
    change: str = "",
    level: int = 3,
) -> SafeString:
    """One step of a path, inside <ol class="steps">. `change` shows a what-if: added, removed, moved."""
    meta = [format] if format else []
    if minutes:
        meta.insert(0, duration(minutes))
    return _draw(
        "step",
        {
            "content": content,
            "title": title,
            "state": state,
            "state_words": STEP_STATES[state],
            "icon": {"done": "done", "current": "now", "todo": "neutral"}[state],
            "url": url,
            "meta": meta,
            "due": due,
            "change": change,
            "change_words": STEP_CHANGES[change] if change else "",
            "change_icon": {"added": "plus", "removed": "minus", "moved": "moved"}.get(change, ""),
            "level": level,
        },
    )


@register.filter
def duration(minutes: int) -> str:
    """Minutes in words short enough for a card: 8 min, 1 h 30 min, 9 h."""
    hours, rest = divmod(int(minutes), 60)
    if not hours:
        return gettext("%(minutes)s min") % {"minutes": rest}
    if not rest:
        return gettext("%(hours)s h") % {"hours": hours}
    return gettext("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": rest}


@register.filter
def plain_source(text: object) -> str:
    """A text of a framework as it is read: of its Markdown links the words. Line breaks are kept for what comes after."""
    return without_links("" if text is None else str(text))


@register.inclusion_tag("elements/closes.html")
def closes(competency: str, before: int, after: int, required: int | str | None = None, max: int = 5) -> Values:
    """Which gap a step closes: a level bar before, an arrow, a level bar after, and the words."""
    words = gettext("level %(before)s to %(after)s") % {"before": before, "after": after}
    return {
        "competency": competency,
        "before": before,
        "after": after,
        "required": required,
        "max": max,
        "words": words,
    }


@register.inclusion_tag("elements/stepper.html")
def stepper(steps: Iterable[str | tuple[str, str]], current: int, label: str = "") -> Values:
    """Where one is in a task of a few pages. A step is a word, or a word and the address to go back to."""
    rows = [(s, "") if isinstance(s, str) or not isinstance(s, (tuple, list)) else (s[0], s[1]) for s in steps]
    shown = [
        {
            "n": n,
            "label": words,
            "url": url if n < current else "",
            "state": "done" if n < current else "current" if n == current else "todo",
        }
        for n, (words, url) in enumerate(rows, start=1)
    ]
    return {"steps": shown, "current": current, "count": len(shown), "label": label or gettext("Steps")}


# --- Words about state -------------------------------------------------------------------------------------------
STATUSES: Final = {
    "done": gettext_lazy("Done"),
    "soon": gettext_lazy("Due soon"),
    "overdue": gettext_lazy("Overdue"),
    "info": gettext_lazy("For information"),
    "neutral": gettext_lazy("To do"),
}


@register.inclusion_tag("elements/status.html")
def status(kind: str, text: str = "") -> Values:
    """A state as word, shape and colour: done, soon, overdue, info, neutral."""
    return {"kind": kind, "text": text or STATUSES[kind]}


_TONES: Final = {"done": "success", "soon": "warning", "overdue": "danger", "info": "info"}


@register.simple_block_tag
def callout(content: str, kind: str = "info", title: str = "", level: int = 2, role: str = "") -> SafeString:
    """A few sentences set apart, with the kind's shape and colour."""
    return _draw(
        "callout",
        {"content": content, "kind": kind, "color": _TONES[kind], "title": title, "level": level, "role": role},
    )


@register.filter
def message_kind(level_tag: str) -> str:
    return {"success": "done", "warning": "soon", "error": "overdue"}.get(level_tag, "info")


@register.simple_block_tag
def disclosure(content: str, summary: str, open: bool = False, boxed: bool = False) -> SafeString:
    """Details on demand. `boxed` for a list of them (questions and answers), plain for "Why here"."""
    return _draw("disclosure", {"content": content, "summary": summary, "open": open, "boxed": boxed})


@register.simple_tag
def fact(term: str, value: object) -> SafeString:
    """A row of <dl class="facts">."""
    return format_html("<div><dt>{}</dt><dd>{}</dd></div>", term, value)


@register.inclusion_tag("elements/stat.html")
def stat(number: object, words: str, unit: str = "", margin: str = "", url: str = "") -> Values:
    """A number with its unit and its words, inside <ul class="stats">."""
    return {"number": number, "words": words, "unit": unit, "margin": margin, "url": url}


@register.inclusion_tag("elements/empty_state.html")
def empty_state(title: str, text: str = "", action: str = "", url: str = "", level: int = 2) -> Values:
    """Nothing here, and what to do about it."""
    return {"title": title, "text": text, "action": action, "url": url, "level": level}


VERDICTS: Final = {
    "valid": ("done", "done", gettext_lazy("Valid")),
    "expired": ("soon", "clock", gettext_lazy("Expired")),
    "superseded": ("info", "newer", gettext_lazy("Superseded")),
    "revoked": ("overdue", "revoked", gettext_lazy("Revoked")),
    "unknown": ("neutral", "unknown", gettext_lazy("Unknown")),
}


@register.simple_block_tag
def verdict(content: str, state: str, word: str = "", sentence: str = "", level: int = 1) -> SafeString:
    """The one word that matters, with its mark; the body holds the facts and what they mean."""
    kind, mark, default = VERDICTS[state]
    return _draw(
        "verdict",
        {
            "content": content,
            "state": state,
            "kind": kind,
            "icon": mark,
            "word": word or default,
            "sentence": sentence,
            "level": level,
        },
    )


@register.inclusion_tag("elements/saved_mark.html")
def saved_mark(at: datetime | None = None) -> Values:
    """Whether what was typed is safe. static/js/app.js keeps it true for the form it stands in."""
    if at is not None and is_aware(at):
        at = localtime(at)
    return {"time": at.strftime("%H:%M") if at else ""}


# --- Pages -------------------------------------------------------------------------------------------------------
@register.inclusion_tag("elements/copy_text.html")
def copy_text(text: str, what: str) -> Values:
    """A text to take along, with a button that copies it where a script may: `what` is its name for who cannot see it."""
    return {
        "text": text,
        "word": gettext("Copy"),
        "done": gettext("Copied"),
        "label": gettext("Copy: %(what)s") % {"what": what},
    }


@register.inclusion_tag("elements/page_header.html")
def page_header(
    title: str, quiet: str = "", eyebrow: str = "", action: str = "", url: str = "", variant: str = "secondary"
) -> Values:
    """The h1 of a page, a quiet line under it and at most one action beside it."""
    return {"title": title, "quiet": quiet, "eyebrow": eyebrow, "action": action, "url": url, "variant": variant}


@register.inclusion_tag("elements/breadcrumbs.html")
def breadcrumbs(*items: str) -> Values:
    """Label and address in turn, and at the end the label of this page: {% breadcrumbs "Courses" url page.title %}."""
    pairs = list(zip(items[0:-1:2], items[1::2], strict=False))
    return {"trail": pairs, "here": items[-1]}


@register.inclusion_tag("elements/nav_link.html", takes_context=True)
def nav_link(context: template.Context, url: str, text: str, exact: bool = False, also: str = "") -> Values:
    """A link of the navigation that knows whether one is there ("page"), below it or below `also` ("true")."""
    path = getattr(context.get("request"), "path", "")
    below = url != "/" and not exact and (path.startswith(url) or bool(also and path.startswith(also)))
    current = "page" if path == url else "true" if below else ""
    return {"url": url, "text": text, "current": current}


@register.inclusion_tag("elements/language_switch.html", takes_context=True)
def language_switch(context: template.Context) -> Values:
    request = context.get("request")
    languages = [{"code": code, "name": get_language_info(code)["name_local"]} for code, _name in settings.LANGUAGES]
    return {
        "languages": languages,
        "LANGUAGE_CODE": context.get("LANGUAGE_CODE") or settings.LANGUAGE_CODE,
        "next": request.get_full_path() if request is not None else "/",
    }


@register.simple_block_tag
def table(content: str, caption: str, quiet_caption: bool = False, sticky: bool = False, **attrs: Any) -> SafeString:
    """A table that becomes cards on a phone: each <td> carries data-label with the head of its column."""
    values = {"content": content, "caption": caption, "quiet_caption": quiet_caption, "sticky": sticky}
    return _draw("table", {**values, "id": f"table-{slugify(caption) or 'x'}", "attrs": _attributes(attrs)})


@register.inclusion_tag("elements/pagination.html", takes_context=True)
def pagination(context: template.Context, page: Page[Any], param: str = "page", label: str = "") -> Values:
    """Earlier and later pages; the other parts of the address (filters, order) stay."""
    request = context.get("request")
    query = request.GET.copy() if request is not None else None

    def address(number: int) -> str:
        if query is None:
            return f"?{param}={number}"
        query[param] = str(number)
        return f"?{query.urlencode()}"

    paginator = page.paginator
    numbers = [
        {"number": n, "url": address(n) if isinstance(n, int) else "", "current": n == page.number}
        for n in paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    ]
    return {
        "many": paginator.num_pages > 1,
        "numbers": numbers,
        "previous": address(page.number - 1) if page.has_previous() else "",
        "next": address(page.number + 1) if page.has_next() else "",
        "label": label or gettext("Pages"),
        "start": page.start_index(),
        "end": page.end_index(),
        "total": paginator.count,
    }


# --- Work under way ----------------------------------------------------------------------------------------------
@register.simple_block_tag
def live_region(content: str, **attrs: Any) -> SafeString:
    """What changes by itself and is read out politely: {% live_region hx_get=url hx_trigger="every 3s" %}…."""
    return format_html(
        '<div role="status" aria-live="polite"{}>{}</div>', _attributes(attrs), conditional_escape(content)
    )


@register.inclusion_tag("elements/job_progress.html")
def job_progress(state: str, words: str, value: int = 0, max: int = 0) -> Values:
    """How far a job is. States are organisations.JobState: queued, running, done, failed."""
    kind = {"queued": "neutral", "running": "info", "done": "done", "failed": "overdue"}[state]
    title = {
        "queued": gettext("Waiting"),
        "running": gettext("Under way"),
        "done": gettext("Done"),
        "failed": gettext("Stopped"),
    }[state]
    return {
        "state": state,
        "kind": kind,
        "title": title,
        "words": words,
        "value": value,
        "max": max,
        "counted": bool(max),
    }


# --- Questions ---------------------------------------------------------------------------------------------------
@register.simple_block_tag
def question_card(content: str, question: str, number: int | None = None, of: int | None = None) -> SafeString:
    """One question: a fieldset whose legend is the question; the body holds the answers and the feedback."""
    return _draw("question_card", {"content": content, "question": question, "number": number, "of": of})


_MARKS: Final = {
    "right": ("done", "done", gettext_lazy("Your answer: right")),
    "wrong": ("overdue", "wrong", gettext_lazy("Your answer: not right")),
    "missed": ("info", "info", gettext_lazy("This was also right")),
    "answer": ("info", "info", gettext_lazy("This is the right answer")),
}


@register.inclusion_tag("elements/choice.html")
def choice(
    name: str,
    value: object,
    label: str,
    type: str = "radio",
    checked: bool = False,
    text: str = "",
    mark: str = "",
    id: str = "",
    card: bool = False,
    **attrs: Any,
) -> Values:
    """One answer outside a Django form. `card` makes it large.

    `mark` shows it after grading: right, wrong, missed (one of several), answer (the only one).
    """
    kind, shape, words = _MARKS.get(mark, ("", "", ""))
    return {
        "id": id or f"id_{slugify(name)}_{slugify(str(value))}",
        "name": name,
        "value": value,
        "label": label,
        "type": type,
        "checked": checked,
        "text": text,
        "card": card,
        "mark": mark,
        "mark_kind": kind,
        "mark_icon": shape,
        "mark_words": words,
        "attrs": _attributes(attrs),
    }


@register.simple_block_tag
def feedback(content: str, right: bool, word: str = "") -> SafeString:
    """What one learns from an answer, right below it."""
    words = word or (gettext("Right") if right else gettext("Not quite"))
    return _draw("feedback", {"content": content, "right": right, "word": words})


# --- Forms -------------------------------------------------------------------------------------------------------
class FormRenderer(DjangoTemplates):
    """`{{ form }}` in our elements; every widget keeps Django's (and Wagtail's) own template. Set as FORM_RENDERER."""

    form_template_name = "elements/form.html"
    field_template_name = "elements/field.html"

    def get_template(self, template_name: str) -> Any:
        return (
            get_template(template_name)
            if template_name.startswith("elements/")
            else super().get_template(template_name)
        )


def _use_native_control(widget: widgets.Widget) -> None:
    """Dates and times by the browser's own control, which every locale reads and Django always understands (ISO)."""
    if isinstance(widget, widgets.DateTimeBaseInput) and widget.input_type == "text":
        native = {widgets.DateTimeInput: ("datetime-local", "%Y-%m-%dT%H:%M"), widgets.TimeInput: ("time", "%H:%M")}
        widget.input_type, widget.format = next(
            (v for k, v in native.items() if isinstance(widget, k)), ("date", "%Y-%m-%d")
        )


def _control(field: BoundField) -> SafeString:
    widget = field.field.widget
    attrs: Values = {"placeholder": False}
    if not isinstance(widget, (widgets.ClearableFileInput, widgets.MultiWidget, widgets.SelectDateWidget)):
        attrs["class"] = f"ds-input {widget.attrs.get('class', '')}".strip()
    if isinstance(widget, widgets.Textarea) and widget.attrs.get("rows") == "10":
        attrs |= {"rows": False, "cols": False}  # Django's default; without it the box grows with the text
    if isinstance(widget, widgets.MultiWidget):
        names = [gettext("Date"), gettext("Time")] if isinstance(widget, widgets.SplitDateTimeWidget) else []
        for n, part in enumerate(widget.widgets):
            _use_native_control(part)
            part.attrs.setdefault("aria-label", names[n] if names else f"{field.label} {n + 1}")
    return field.as_widget(attrs=attrs)


def _options(field: BoundField, descriptions: Mapping[str, str]) -> list[Values]:
    options = []
    for option in field.subwidgets:
        option.data["attrs"]["class"] = "ds-input"
        text = descriptions.get(str(option.data["value"]), "")
        if text:
            option.data["attrs"]["aria-describedby"] = f"{option.id_for_label}_text"
        options.append({"control": option.tag(), "id": option.id_for_label, "label": option.choice_label, "text": text})
    return options


@register.inclusion_tag("elements/form_field.html")
def form_field(
    field: BoundField,
    layout: str = "",
    descriptions: Mapping[str, str] | None = None,
    label: str = "",
    help_text: str = "",
) -> Values:
    """A field of a form: label, help, control, error, tied together.

    Radios and checkboxes have a `layout`: "stack" (as they come), "cards" (large, with `descriptions` by value),
    "scale" (side by side where there is room). A widget may carry `layout` and `descriptions` of its own.
    """
    widget = field.field.widget
    _use_native_control(widget)
    descriptions = descriptions or getattr(widget, "descriptions", None) or {}
    chooses = isinstance(widget, (widgets.RadioSelect, widgets.CheckboxSelectMultiple))
    kind = (
        "hidden" if field.is_hidden
        else "group" if chooses
        else "parts" if field.use_fieldset
        else "check" if isinstance(widget, widgets.CheckboxInput)
        else "field"
    )  # fmt: skip
    help_words = help_text or field.help_text
    described = [f"{field.auto_id}_helptext"] if help_words else []
    if field.errors:
        described.append(f"{field.auto_id}_error")
    return {
        "kind": kind,
        "layout": layout or getattr(widget, "layout", "") or "stack",
        "control": "" if chooses else _control(field),
        "options": _options(field, {str(k): v for k, v in descriptions.items()}) if chooses else [],
        "id": field.id_for_label,
        "auto_id": field.auto_id,
        "label": label or field.label,
        "optional": (
            not field.field.required
            and kind not in ("hidden", "check")
            and not field.field.disabled
            # Where leaving a field alone is an answer like any other (a filter, "is in"), the note only confuses.
            and getattr(field.form, "says_optional", True)
        ),
        "help_text": help_words,
        "errors": [] if kind == "hidden" else field.errors,
        "described_by": " ".join(described),
    }


@register.inclusion_tag("elements/form.html")
def form_fields(form: BaseForm, only: str = "", leave_out: str = "", summary: bool = True, **labels: str) -> Values:
    """All fields of a form, or those named ("name, email"), with the list of errors on top.

    Further arguments are labels by field name, for forms that are not ours: email=_("E-mail address").
    """
    for name, label in labels.items():
        if name in form.fields:
            form[name].label = label
    wanted = {n.strip() for n in only.split(",") if n.strip()} or set(form.fields)
    wanted -= {n.strip() for n in leave_out.split(",")}
    return {
        "form": form,
        "fields": [(bound, bound.errors) for bound in form.visible_fields() if bound.name in wanted],
        "hidden_fields": form.hidden_fields() if not only else [b for b in form.hidden_fields() if b.name in wanted],
        "no_summary": not summary,
    }


def _anchor(field: BoundField) -> str:
    """The control an error leads to: of radios and checkboxes, the first."""
    return field.id_for_label or (f"{field.auto_id}_0" if field.auto_id else "")


@register.inclusion_tag("elements/error_summary.html")
def error_summary(*forms: BaseForm | BaseFormSet[Any]) -> Values:
    """What to put right, each line a link to its field; empty where nothing is wrong."""
    rows: list[tuple[str, str, str]] = []
    singles: list[BaseForm] = []
    for form in forms:
        if isinstance(form, BaseFormSet):
            rows += [("", str(error), "") for error in form.non_form_errors()]
            singles += list(form.forms)
        else:
            singles.append(form)
    for single in singles:
        rows += [("", str(error), "") for error in single.non_field_errors()]
        for bound in single:
            anchor = "" if bound.is_hidden else _anchor(bound)
            rows += [(anchor, str(error), str(bound.label)) for error in bound.errors]
    title = ngettext("There is %(count)s thing to put right", "There are %(count)s things to put right", len(rows))
    return {"rows": rows, "title": title % {"count": len(rows)}}


@register.inclusion_tag("elements/search_form.html")
def search_form(
    action: str,
    label: str,
    value: str = "",
    name: str = "q",
    button: str = "",
    keep: Sequence[tuple[str, str]] = (),
    **attrs: Any,
) -> Values:
    """A search that works by itself (GET). `keep` are other parts of the address to carry along."""
    return {
        "action": action,
        "label": label,
        "value": value,
        "name": name,
        "button": button or gettext("Search"),
        "keep": keep,
        "id": f"search-{slugify(name)}",
        "attrs": _attributes(attrs),
    }
