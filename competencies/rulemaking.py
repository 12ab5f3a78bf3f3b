"""The life of the rules: a draft of the next edition, its numbers, publishing, discarding.

What is in force is never changed; the next edition supersedes it. Number 1 is what the product ships with (no row).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from competencies.enums import FrameworkStatus
from competencies.models import Framework, Rulebook, RulebookStatus
from competencies.rulebooks import SHIPPED, Book, NumberChanged, changed_numbers, read_book, read_kept, write_book
from competencies.ruling import book_of
from competencies.selectors import Supposing
from competencies.signals import rules_changed
from organisations.models import User

FIRST_OF_OURS = 2


class RulesNotPossible(ValueError):
    """Something that cannot be done with these rules now; the text is a sentence for the person who tried."""


@dataclass(frozen=True)
class Edition:
    """An edition as readers see it; `row` is None for what the product ships with."""

    row: Rulebook | None
    number: int
    book: Book
    changes: tuple[NumberChanged, ...]


def book_written(rulebook: Rulebook) -> Book:
    return read_kept(rulebook.content, version=str(rulebook.number))


def book_replaced(rulebook: Rulebook) -> Book:
    """What counts in the place of this draft today: the framework's own rules, those for all, or the shipped ones."""
    if rulebook.framework_id is not None:
        return book_of(rulebook.framework_id)
    row = Rulebook.objects.filter(framework=None, status=RulebookStatus.PUBLISHED).first()
    return book_written(row) if row is not None else SHIPPED


def changes_of_draft(rulebook: Rulebook) -> tuple[NumberChanged, ...]:
    """What a draft changes against what it would replace."""
    return changed_numbers(book_replaced(rulebook), book_written(rulebook))


def supposing_rules(rulebook: Rulebook) -> Supposing:
    """As if this draft were in force."""
    return Supposing(books={rulebook.framework_id: book_written(rulebook)})


def editions(framework: Framework | None) -> list[Edition]:
    """The editions of one framework's rules, or of those for all, the newest first; drafts are left out. One query.

    What changed is said against the edition before; for a framework's first own edition against what the product ships
    with.
    """
    rows = list(
        Rulebook.objects.filter(framework=framework)
        .exclude(status=RulebookStatus.DRAFT)
        .select_related("published_by")
        .order_by("number")
    )
    found = [] if framework is not None else [Edition(None, 1, SHIPPED, ())]
    before = SHIPPED
    for row in rows:
        book = book_written(row)
        found.append(Edition(row, row.number, book, changed_numbers(before, book)))
        before = book
    return found[::-1]


def rules_digest(rulebook: Rulebook) -> str:
    """Stands for the draft beside what it would replace: who reads what publishing does and who publishes speak of the
    same."""
    in_force = sorted(Rulebook.objects.filter(status=RulebookStatus.PUBLISHED).values_list("pk", flat=True))
    state = [rulebook.pk, rulebook.framework_id, write_book(book_written(rulebook)), in_force]
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


@transaction.atomic
def draft_rules(*, framework: Framework | None, by: User | None) -> Rulebook:
    """A draft of the next edition, a copy of what is in force; where there is a draft already, that one."""
    if framework is not None:
        Framework.objects.select_for_update().get(pk=framework.pk)
    draft = Rulebook.objects.filter(framework=framework, status=RulebookStatus.DRAFT).first()
    if draft is not None:
        return draft
    last = Rulebook.objects.filter(framework=framework).aggregate(last=Max("number"))["last"]
    number = FIRST_OF_OURS if last is None else last + 1
    draft = Rulebook(framework=framework, number=number, created_by=by, note="")
    draft.content = write_book(book_replaced(draft))
    try:
        with transaction.atomic():
            draft.save(force_insert=True)
    except IntegrityError:  # two stewards at once
        return Rulebook.objects.get(framework=framework, number=number)
    log(instance=draft, action="competencies.draft_rules", user=by, data={"number": number})
    return draft


def _lock(rulebook: Rulebook) -> Rulebook:
    found = Rulebook.objects.select_for_update(of=("self",)).select_related("framework").filter(pk=rulebook.pk).first()
    if found is None:
        raise RulesNotPossible(_("The draft is no longer there."))
    return found


@transaction.atomic
def change_rules(*, rulebook: Rulebook, content: Mapping[str, Any], note: str, by: User | None) -> Rulebook:
    """Write other numbers into a draft. Raises RulesRefused where they cannot be rules, RulesNotPossible for an edition
    that was published. Writing the same again leaves the same."""
    rulebook = _lock(rulebook)
    if not rulebook.is_draft:
        raise RulesNotPossible(_("These rules were published; they are not changed. Write the next edition."))
    before = book_written(rulebook)
    after = read_book(content, version=str(rulebook.number))
    numbers = changed_numbers(before, after)
    if not numbers and note == rulebook.note:
        return rulebook
    rulebook.content, rulebook.note = write_book(after), note
    rulebook.save(update_fields=["content", "note"])
    data = {change.place: [change.before, change.after] for change in numbers}
    log(instance=rulebook, action="competencies.change_rules", user=by, data=data)
    return rulebook


def objections_to_rules(rulebook: Rulebook) -> list[str]:
    """What is left to do before this draft can be published."""
    objections = []
    if not changes_of_draft(rulebook):
        objections.append(_("The draft says the same as the rules in force. Change a number first."))
    if not rulebook.note.strip():
        objections.append(_("Say what changes and why: everybody whose level moves will read it."))
    return objections


@transaction.atomic
def publish_rules(*, rulebook: Rulebook, by: User | None, seen: str, at: datetime | None = None) -> Rulebook:
    """Put the draft in force and supersede the edition before. Publishing twice leaves the same state.

    `seen` is the digest of the draft whose effect was read (`rules_digest`). Raises RulesNotPossible with what is left to
    do, or when the draft, or what it replaces, is another one than was read.
    """
    moment = at or timezone.now()
    if rulebook.framework_id is not None:
        Framework.objects.select_for_update().get(pk=rulebook.framework_id)
    rulebook = _lock(rulebook)
    if not rulebook.is_draft:
        return rulebook
    if objections := objections_to_rules(rulebook):
        raise RulesNotPossible(" ".join(objections))
    if seen != rules_digest(rulebook):
        raise RulesNotPossible(
            _("The rules have changed since you read whose level moves. Nothing was published; please read again.")
        )
    changes = changes_of_draft(rulebook)
    Rulebook.objects.filter(framework=rulebook.framework_id, status=RulebookStatus.PUBLISHED).update(
        status=RulebookStatus.SUPERSEDED, superseded_at=moment
    )
    rulebook.status = RulebookStatus.PUBLISHED
    rulebook.published_by, rulebook.published_at = by, moment
    rulebook.save(update_fields=["status", "published_by", "published_at"])
    data = {change.place: [change.before, change.after] for change in changes}
    log(instance=rulebook, action="competencies.publish_rules", user=by, data=data)
    transaction.on_commit(
        partial(rules_changed.send, sender=Rulebook, rulebook_id=rulebook.pk, framework_id=rulebook.framework_id)
    )
    return rulebook


@transaction.atomic
def discard_rules(*, rulebook: Rulebook, by: User | None) -> None:
    """Throw a draft away. What was published stays: RulesNotPossible."""
    found = Rulebook.objects.select_for_update(of=("self",)).filter(pk=rulebook.pk).first()
    if found is None:  # pressed twice
        return
    if not found.is_draft:
        raise RulesNotPossible(_("These rules were published; they are not thrown away."))
    log(instance=found, action="competencies.discard_rules", user=by, data={"number": found.number})
    found.delete()


@dataclass(frozen=True)
class InForce:
    """The rules of one framework, or of all without rules of their own (`framework` None), with a draft if there is one."""

    framework: Framework | None
    book: Book
    row: Rulebook | None
    draft: Rulebook | None


def rules_in_force() -> list[InForce]:
    """Those for all first, then each published framework by name. Two queries however many frameworks."""
    rows = list(Rulebook.objects.exclude(status=RulebookStatus.SUPERSEDED).select_related("framework", "published_by"))
    published = {row.framework_id: row for row in rows if row.status == RulebookStatus.PUBLISHED}
    drafts = {row.framework_id: row for row in rows if row.is_draft}
    named = list(Framework.objects.filter(versions__status=FrameworkStatus.PUBLISHED).distinct())
    frameworks = [None, *sorted(named, key=lambda framework: (str(framework).casefold(), framework.pk))]
    found = []
    for framework in frameworks:
        pk = framework.pk if framework is not None else None
        row = published.get(pk)
        general = published.get(None)
        counting = row or general
        found.append(InForce(framework, book_written(counting) if counting else SHIPPED, row, drafts.get(pk)))
    return found
