"""Table of shifts: where each person's began."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from store.ops.tables import Instant, metadata

shift_marks = Table(
    "shift_marks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", String(300), nullable=False),
    Column("name", String(255), nullable=False),
    Column("at", Instant, nullable=False),
    Column("note", Text, nullable=False, server_default=""),
    Index("ix_shift_marks_owner", "owner", "at"),
)
