"""Statistics of a survey: pure functions of numbers, one file a family. A figure that cannot be had is None, never made up.

Formulae, sources and a worked example: docs/algorithms/readiness.md.
"""
