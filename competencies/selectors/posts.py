"""Key posts: filled by somebody at the level of the role, filled below it, or vacant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from competencies.models import PostRole
from competencies.selectors.editions import successors_of
from competencies.selectors.standings import Standing, standings_of
from organisations.models import Appointment, User


@dataclass(frozen=True)
class KeyPostView:
    """A key post: filled by somebody at the level, filled below it, or vacant."""

    post_role: PostRole
    holder: User | None
    standing: Standing | None
    profile_id: int  # the profile in force, where that of the post is of a superseded edition

    @property
    def state(self) -> str:
        if self.holder is None or self.standing is None:
            return "vacant"
        return "at_level" if self.met == self.total else "below"

    @property
    def met(self) -> int:
        return self.standing.way_to(self.profile_id)[0] if self.standing is not None else 0

    @property
    def total(self) -> int:
        return self.standing.way_to(self.profile_id)[1] if self.standing is not None else 0


def key_post_views(rows: Iterable[PostRole], day: date) -> list[KeyPostView]:
    """How each of these key posts (`key_posts`) stands on a day. As many queries for one as for many."""
    posts = list(rows)
    holders = holders_of_posts(posts, day)
    standings = standings_of(sorted({person.pk for person in holders.values()}), as_of=day)
    in_force = successors_of([row.profile_id for row in posts])
    views = []
    for row in posts:
        holder = holders.get(row.post_id)
        views.append(KeyPostView(row, holder, standings[holder.pk] if holder else None, in_force[row.profile_id]))
    return views


def holders_of_posts(rows: Iterable[PostRole], day: date) -> dict[int, User]:
    """Who holds each of these posts, by the id of the post. One query."""
    held = Appointment.objects.current(day).filter(post_id__in=[row.post_id for row in rows]).select_related("person")
    return {appointment.post_id: appointment.person for appointment in held}
