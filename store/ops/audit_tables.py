"""Where the audit's tickets are found: a copy of what its sealed records say, made in the same transaction.

An index over the JSON itself would need SQLite to trust functions in a schema, which it is told not to.
"""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from store.ops.tables import metadata

audit_tickets = Table(
    "audit_tickets",
    metadata,
    Column("ticket", String(255), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
)
