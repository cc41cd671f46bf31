"""Tables of what people keep of their screens: views under a name, and the columns of each type's list."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, String, Table, Text

from store.ops.tables import Instant, metadata

# `owner` is "" for a shared view: it has one name for everybody.
saved_views = Table(
    "saved_views",
    metadata,
    Column("owner", String(300), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    Column("columns", JSON, nullable=False, default=list),
    Column("cloud", String(63)),
    Column("made_by", String(255), nullable=False),
    Column("maker", String(300), nullable=False),
    Column("updated_at", Instant, nullable=False),
)

column_choices = Table(
    "column_choices",
    metadata,
    Column("owner", String(300), primary_key=True),
    Column("type", String(64), primary_key=True),
    Column("columns", JSON, nullable=False),
    Column("wide", Boolean, nullable=False, default=False),
    Column("updated_at", Instant, nullable=False),
)
