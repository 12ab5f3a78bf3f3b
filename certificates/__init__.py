"""Certificates: what is issued, how it looks on paper, and how a stranger verifies it."""
