"""The log of database statements says nothing about envelopes, however loud it is set.

At DEBUG each statement is logged with its values: the row that says who has answered stands a line above the one with
the envelope's id, and whoever reads the log has joined what the tables keep apart. Promise P2, acceptance test A7.
"""

from __future__ import annotations

import logging

from django.db.models import Model

STATEMENTS = "django.db.backends"


class Unsaid(logging.Filter):
    """Drops every record of a statement that names one of its tables."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: set[str] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        # Django puts the statement beside the message; who wrapped the record may have left the message only.
        statement = getattr(record, "sql", None) or record.getMessage()
        return not any(table in statement for table in self.tables)


_unsaid = Unsaid()


def keep_out_of_the_log(*models: type[Model]) -> None:
    """From now on no statement about these tables is logged in this process. Doing it twice is doing it once."""
    _unsaid.tables.update(model._meta.db_table for model in models)
    logging.getLogger(STATEMENTS).addFilter(_unsaid)
