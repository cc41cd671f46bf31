"""Table of notes: what people want each other to know about a resource, a job, a drift event or a problem."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from store.ops.tables import Instant, metadata

# A note that was taken back keeps its row: the hand-over and the audit may have named it.
notes = Table(
    "notes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("type", String(64), nullable=False),
    # JSON text of the key's parts: ["prod","","<id>"] of a resource, ["<id>"] of a job.
    Column("key", Text, nullable=False),
    Column("name", String(255), nullable=False, server_default=""),
    Column("cloud", String(63)),
    Column("text", Text, nullable=False),
    Column("until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("owner", String(300), nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("removed_at", Instant),
    Column("removed_by", String(255)),
    Index("ix_notes_subject", "kind", "type", "key"),
    Index("ix_notes_created_at", "created_at"),
)
