"""Open Badges 3.0 without Django: how a certificate becomes a verifiable credential, and how any such credential is judged.

Source: docs/algorithms/credentials.md.
"""
