"""Tables of the operations database: what a person or a job decided or did.

Portable between SQLite and PostgreSQL: text ids (UUIDv7), instants as UTC microseconds in a BIGINT, JSON documents.
A table is changed by a new migration, never by editing an old one (store/ops/migrations.py).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, stored as whole microseconds since 1970 in UTC: sorts and compares alike on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


metadata = MetaData()

# Facts about this database itself: application, schema_version, created_at, and the head of the audit chain.
meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

# Accounts: clouds.yaml entries that the engine collects with; those of one identity endpoint share `cloud`.
# No credential is stored: `source` is the clouds.yaml file that holds it.
accounts = Table(
    "accounts",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("cloud", String(63), nullable=False),
    Column("account", String(255), nullable=False),
    Column("auth_url", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("scope", Text),
    Column("user_name", Text),
    Column("roles", JSON, nullable=False, default=list),
    Column("regions", JSON, nullable=False, default=list),
    Column("details", JSON, nullable=False, default=dict),
    Column("writable", Boolean, nullable=False, default=False),
    Column("last_error", Text),
    Column("last_error_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(255), nullable=False),
    UniqueConstraint("cloud", "account", name="uq_accounts_cloud_account"),
)

# People who log in over TCP. Callers on the socket are known by the kernel and need no row here.
users = Table(
    "users",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("username", String(255), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, default=True),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("last_login_at", Instant),
)

# The role of a user of ours, with its scope: NULL means no limit, a list names what it may see.
role_bindings = Table(
    "role_bindings",
    metadata,
    Column("user_id", String(36), ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role", String(32), nullable=False),
    Column("clouds", JSON(none_as_null=True)),
    Column("domains", JSON(none_as_null=True)),
    Column("projects", JSON(none_as_null=True)),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", String(255), nullable=False),
)

# API keys. Only a SHA-256 of the 256-bit random secret is kept.
api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("user_id", String(36), ForeignKey("users.id", ondelete="CASCADE")),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("role", String(32), nullable=False),
    Column("clouds", JSON(none_as_null=True)),
    Column("domains", JSON(none_as_null=True)),
    Column("projects", JSON(none_as_null=True)),
    Column("created_at", Instant, nullable=False),
    Column("created_by", String(255), nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
)

# Logins over TCP: a signed token is accepted only while its row here is neither expired nor revoked.
sessions = Table(
    "sessions",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("user_id", String(36), ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("address", String(64)),
    Column("agent", String(255)),
    Index("ix_sessions_user_id", "user_id"),
    Index("ix_sessions_expires_at", "expires_at"),
)

# Who did what. Append-only (triggers), each row sealed with the hash of the one before it.
audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("id", String(36), nullable=False, unique=True),
    Column("at", Instant, nullable=False),
    Column("actor", String(255), nullable=False),
    Column("role", String(32), nullable=False),
    Column("via", String(16), nullable=False),
    Column("uid", BigInteger),
    Column("login_uid", BigInteger),
    Column("login_name", String(255)),
    Column("token_id", String(36)),
    Column("action", String(128), nullable=False),
    Column("target", Text, nullable=False),
    # Canonical JSON text, not a JSON column: the hash covers these very bytes.
    Column("detail", Text, nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index("ix_audit_at", "at"),
    Index("ix_audit_actor", "actor"),
    Index("ix_audit_action", "action"),
)

# Settings changed in the app. A key that the configuration file sets wins over its row here.
settings = Table(
    "settings",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("updated_by", String(255), nullable=False),
)

# The view each person left, so that the next `qdeck` returns to it. `owner` is "uid:<n>" or "user:<name>".
session_views = Table(
    "session_views",
    metadata,
    Column("owner", String(300), primary_key=True),
    Column("view", Text, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

# The documented user-access log: who reached which part, as reported or seen.
access_log = Table(
    "access_log",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("user_name", String(255), nullable=False),
    Column("action", String(128), nullable=False),
    Column("resource", Text),
    Column("success", Boolean, nullable=False, server_default=text("true")),
    Column("address", String(64)),
    Column("agent", String(255)),
    Column("detail", JSON, nullable=False, default=dict),
    Index("ix_access_log_at", "at"),
    Index("ix_access_log_user_name", "user_name"),
)
