"""Frameworks as other houses read them: pure functions over FrameworkContent; no database."""
