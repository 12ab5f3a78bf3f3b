"""News from this floor, sent after commit. Receivers only enqueue."""

from django.dispatch import Signal

# Somebody's evidence grew or was withdrawn. Sends person_id, evidence_ids and key, a string naming the event.
evidence_changed = Signal()
