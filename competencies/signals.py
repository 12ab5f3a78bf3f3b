"""News from this floor, sent after commit. Receivers only enqueue."""

from django.dispatch import Signal

# Somebody's evidence grew or was withdrawn. Sends person_id, evidence_ids and key, a string naming the event.
evidence_changed = Signal()

# sent after the commit with `version_id` and `previous_id` (None for a framework's first edition)
framework_published = Signal()

# sent after the commit with `alignment_id` and `lineages` (the two that now count, or no longer count, for each other)
alignment_changed = Signal()

# sent after the commit with `rulebook_id` and `framework_id` (None: the rules of all frameworks without their own)
rules_changed = Signal()
