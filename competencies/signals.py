"""News from this floor, sent after commit. Receivers only enqueue."""

from django.dispatch import Signal

# Somebody's evidence grew or was withdrawn. Sends person_id, evidence_ids and reason ("evidence").
evidence_changed = Signal()
# Somebody's roles changed. Sends person_id and key, a string naming the change.
roles_changed = Signal()
