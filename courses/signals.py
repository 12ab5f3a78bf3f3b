"""News from this floor, sent after commit. Receivers only enqueue."""

from django.dispatch import Signal

# A course was passed (or completed, where it has no check). Sends enrolment_id.
course_passed = Signal()
# The offer changed: a course was published, changed or withdrawn. Sends course_key.
offer_changed = Signal()
# Somebody booked a seat in a run or gave it back. Sends person_id.
seat_changed = Signal()
