"""Tables of what people decided on drift: accepted events, switched rules, what is ignored, when work was going on.

The events themselves are in the estate and can be derived again; their ids stay the same, so a decision holds.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text

from store.ops.tables import Instant, metadata

# An undone acknowledgement keeps its row; one event has at most one that is in force.
drift_acks = Table(
    "drift_acks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("batch", String(36), nullable=False),
    Column("event", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("by", String(255), nullable=False),
    Column("owner", String(300), nullable=False),
    Column("note", Text, nullable=False),
    Column("until", Instant),
    Column("undone_at", Instant),
    Column("undone_by", String(255)),
    Index("ix_drift_acks_event", "event"),
    Index("ix_drift_acks_batch", "batch"),
)

# Rules that are not as shipped. `enabled_at`: changes before it are not told.
drift_rules = Table(
    "drift_rules",
    metadata,
    Column("rule", Integer, primary_key=True, autoincrement=False),
    Column("enabled", Boolean, nullable=False),
    Column("enabled_at", Instant),
    Column("severity", String(16)),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", String(255), nullable=False),
)

# `kind`: "ignore" (while the entry is there) or "window" (what changed between `since` and `until`).
drift_exceptions = Table(
    "drift_exceptions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(255)),
    Column("tag", String(255)),
    Column("project", String(255)),
    Column("cloud", String(63)),
    Column("type", String(64)),
    Column("severity", String(16)),
    Column("rule", Integer),
    Column("field", String(255)),
    Column("reason", Text, nullable=False),
    Column("since", Instant),
    Column("until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("removed_at", Instant),
    Column("removed_by", String(255)),
    Index("ix_drift_exceptions_kind", "kind"),
)
