"""Table of problems: since when each is known, who has it, and until when it is quiet.

What is broken is computed from the estate; this is what people and time add to it.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from store.ops.tables import Instant, metadata

problems = Table(
    "problems",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("rule", String(64), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("cloud", String(63)),
    Column("title", Text, nullable=False),
    Column("first_seen", Instant, nullable=False),
    # When it was found to be over; NULL while it lasts. It comes back as the same problem within a while.
    Column("gone_at", Instant),
    Column("owner", String(300)),
    Column("owner_name", String(255)),
    Column("taken_at", Instant),
    Column("muted_until", Instant),
    Column("muted_by", String(255)),
    Column("mute_reason", Text),
    Index("ix_problems_gone_at", "gone_at"),
)
