"""Frameworks, role profiles, what people are known to hold, and what is missing."""
