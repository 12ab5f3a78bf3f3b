"""News of surveys, with ids only: what happened, never what anybody answered."""

from django.dispatch import Signal

# wave_id: people are asked from now on.
wave_opened = Signal()
# wave_id: results are there and shared, or everything was deleted because too few had answered.
wave_closed = Signal()
# initiative_id: what it needs people to be able to do, or by when, has changed.
needs_changed = Signal()
