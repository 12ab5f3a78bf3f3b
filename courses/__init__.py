"""Courses as pages, enrolments, and the record of what people did in them."""
