"""Table of compliance with snapshot policies, day by day: what was judged at each day's end, kept for the trend."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from store.ops.tables import Instant, metadata

# Counts of (volume, policy) pairs by status; the row with policy "" counts volumes, each by the worst of its policies.
# Names are kept because a tenant's history outlives it. `day` is a UTC date, `made_at` when it was judged.
compliance_days = Table(
    "compliance_days",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("cloud", String(63), primary_key=True),
    Column("region", String(255), primary_key=True),
    Column("project_id", String(255), primary_key=True),
    Column("policy", String(255), primary_key=True),
    Column("project_name", String(255), nullable=False, default=""),
    Column("domain_id", String(255), nullable=False, default=""),
    Column("domain_name", String(255), nullable=False, default=""),
    Column("compliant", Integer, nullable=False),
    Column("missing", Integer, nullable=False),
    Column("pending", Integer, nullable=False),
    Column("quota_blocked", Integer, nullable=False),
    Column("excluded", Integer, nullable=False),
    Column("made_at", Instant, nullable=False),
    Index("ix_compliance_days_place", "cloud", "project_id", "day"),
)

TABLES = (compliance_days,)
