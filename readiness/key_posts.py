"""Key posts in the units of a change, then and now: filled or vacant for whoever runs it, and the level of a holder only for
who may look at that person anyhow. A body has one CISO, so a level there is a person's level (decision 16).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from competencies.models import PostRole
from competencies.selectors import KeyPostView, key_post_views, key_posts
from organisations.models import Post, User
from readiness.models import Initiative

ORDER = ("profile__role__position", "post__unit__path", "post__code")


@dataclass(frozen=True)
class PostState:
    """A key post on one day. `state`: "none" (there was no such post), "vacant", "filled" (its holder's level is not told),
    "below" or "at_level"."""

    state: str
    holder: User | None = None


@dataclass(frozen=True)
class PostOverTime:
    post_role: PostRole
    before: PostState | None
    now: PostState


@dataclass(frozen=True)
class KeyPosts:
    """`before`: the day compared with, None where there is none yet. `others`: filled today, holders not for this reader;
    of those `others_filled_before` were filled then too, None where there is no such day."""

    before: date | None
    posts: tuple[PostOverTime, ...]
    others: int = 0
    others_filled_before: int | None = None

    def __bool__(self) -> bool:
        return bool(self.posts or self.others)


def key_posts_over_time(initiative: Initiative, viewer: User, before: date | None, day: date) -> KeyPosts:
    """What this reader may know of them. Both days are measured by what their roles ask today. As many queries for one as
    for many; about twice those of the standing of one person."""
    posts = key_posts().filter(post__unit__path__startswith=initiative.unit.path)
    rows = list(posts.filter(post__in=Post.objects.existing(day).values("pk")).order_by(*ORDER))
    if before is not None and before >= day:
        before = None
    then = _by_row(rows, before) if before is not None else {}
    now = _by_row(rows, day)
    people = {view.holder.pk for view in [*now.values(), *then.values()] if view.holder is not None}
    seen = set(User.objects.visible_to(viewer, day).filter(pk__in=people).values_list("pk", flat=True))
    shown, others, filled_before = [], 0, 0
    for row in rows:
        today, earlier = _told(now[row.pk], seen), _told(then.get(row.pk), seen)
        if today.state == "filled":
            others += 1
            filled_before += earlier.holder is not None or earlier.state == "filled"
        else:
            shown.append(PostOverTime(row, earlier if before is not None else None, today))
    return KeyPosts(before, tuple(shown), others, filled_before if before is not None else None)


def _by_row(rows: Sequence[PostRole], day: date) -> dict[int, KeyPostView]:
    """By id of the row, those whose post existed that day."""
    there = set(Post.objects.existing(day).filter(pk__in=[row.post_id for row in rows]).values_list("pk", flat=True))
    return {view.post_role.pk: view for view in key_post_views([row for row in rows if row.post_id in there], day)}


def _told(view: KeyPostView | None, seen: Collection[int]) -> PostState:
    if view is None:
        return PostState("none")
    if view.holder is None or view.standing is None:
        return PostState("vacant")
    if view.holder.pk not in seen:
        return PostState("filled")
    return PostState(view.state, view.holder)
