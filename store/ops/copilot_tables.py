"""Table of what people asked the copilot, and what it answered: for them to look at again, and to judge."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text, text

from store.ops.tables import Instant, metadata

# The newest of each caller are kept (setting copilot.max_history_per_user). `owner` is "uid:<n>" or "user:<name>". The
# number is the documented history_id: never given twice, so that nobody's thumb lands on a later answer.
copilot_history = Table(
    "copilot_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("owner", String(300), nullable=False),
    Column("caller", String(255), nullable=False),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("intent", String(64), nullable=False, server_default=""),
    Column("backend", String(32), nullable=False),
    Column("model", String(255)),
    Column("confidence", Float, nullable=False),
    # Of the model that was asked; NULL where none was, and the cost where no price is set.
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cost", Float),
    Column("sent_external", Boolean, nullable=False, server_default=text("false")),
    Column("feedback", String(8)),
    Column("comment", Text, nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    Index("ix_copilot_history_owner", "owner", "id"),
    sqlite_autoincrement=True,
)
