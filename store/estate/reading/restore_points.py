"""What volumes can be restored from: Cinder snapshots, snapshots that are parts of a machine's image, Cinder backups.

Rows as the clouds have them now, within a scope; which of them are ours, and what they prove, is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from store.estate.reading import limits
from store.estate.reading.capacity import NOW, select
from store.estate.reading.models import Scope
from store.estate.reading.order import run
from store.estate.reading.problems import Rows
from store.estate.reading.relation import Relation
from store.types import registry

if TYPE_CHECKING:
    import duckdb

# (cloud, region, snapshot id, volume id, microseconds since 1970, policy or '')
Taken = tuple[str, str, str, str, int | None, str]

# The policy that a snapshot's metadata name, where they also say that a policy made it; '' otherwise.
_POLICY = """CASE WHEN list_contains(t.metadata, 'created_by=p9_auto_snapshots') THEN coalesce(list_first(
    list_transform(list_filter(t.metadata, lambda m: starts_with(m, 'policy=')), lambda m: substr(m, 8))), '')
    ELSE '' END"""
# Glance gives a volume-booted machine's image as one of no bytes with this property: JSON text, by some as a list.
_MAPPING = "json_extract_string(t.doc, '$.block_device_mapping')"
_PROPERTIES = ("created_by", "policy", "original_project_id", "qdeck_mark", "qdeck_taken_at", "qdeck_consistency",
               "instance_uuid", "hw_qemu_guest_agent", "os_require_quiesce")  # fmt: skip


def taken(connection: duckdb.DuckDBPyConnection, scope: Scope) -> list[Taken]:
    """Every usable snapshot, for judging thousands of volumes at once: see Taken."""
    relation = Relation(registry.ALL["snapshot"], NOW)
    inside, parameters = limits.condition(relation, scope)
    sql = f"""SELECT t.cloud, t.region, t.id, t.volume_id, epoch_us(t.created_at), {_POLICY}
        {relation.from_clause} WHERE {relation.at("t")} AND lower(t.status) = 'available' AND t.volume_id IS NOT NULL
            AND ({inside})"""
    return run(connection, sql, parameters).fetchall()


def backup_counts(connection: duckdb.DuckDBPyConnection, scope: Scope) -> list[tuple[str, str, str, int]]:
    """(cloud, region, volume id, usable backups of it)."""
    relation = Relation(registry.ALL["backup"], NOW)
    inside, parameters = limits.condition(relation, scope)
    sql = f"""SELECT t.cloud, t.region, t.volume_id, count(*) {relation.from_clause}
        WHERE {relation.at("t")} AND lower(t.status) = 'available' AND t.volume_id IS NOT NULL AND ({inside})
        GROUP BY t.cloud, t.region, t.volume_id"""
    return run(connection, sql, parameters).fetchall()


def snapshots(connection: duckdb.DuckDBPyConnection, scope: Scope, volumes: Sequence[str] | None = None) -> Rows:
    """Snapshots of these volumes (ids; None = all), in any state: cloud, region, id, name, status, size_gb, volume_id,
    volume_name (None when it is gone), project_id, project_name, created_at, metadata ("key=value"), policy."""
    return select(
        connection,
        "snapshot",
        "t.cloud, t.region, t.id, t.name, t.status, t.size_gb, t.volume_id, {volume_name} AS volume_name, t.project_id,"
        f" {{project_name}} AS project_name, t.created_at, t.metadata, {_POLICY} AS policy",
        scope,
        where=_of(volumes),
        parameters=_wanted(volumes),
    )


def backups(connection: duckdb.DuckDBPyConnection, scope: Scope, volumes: Sequence[str] | None = None) -> Rows:
    """Backups of these volumes (ids; None = all), in any state. `data_of`: when the data were as it has them."""
    return select(
        connection,
        "backup",
        "t.cloud, t.region, t.id, t.name, t.status, t.size_gb, t.volume_id, {volume_name} AS volume_name, t.project_id,"
        " {project_name} AS project_name, t.snapshot_id, t.is_incremental, t.has_dependents, t.container,"
        " t.availability_zone, t.fail_reason, t.created_at, coalesce(t.data_timestamp, t.created_at) AS data_of",
        scope,
        where=_of(volumes),
        parameters=_wanted(volumes),
    )


def images(connection: duckdb.DuckDBPyConnection, scope: Scope) -> Rows:
    """Images of volume-booted machines: cloud, region, id, name, status, project_id, created_at, the properties that
    say who made it and how, and `mapping`: the block device mapping, JSON text."""
    properties = ", ".join(f"json_extract_string(t.doc, '$.{name}') AS {name}" for name in _PROPERTIES)
    return select(
        connection,
        "image",
        "t.cloud, t.region, t.id, t.name, t.status, t.project_id, {project_name} AS project_name, t.created_at,"
        f" {_MAPPING} AS mapping, {properties}",
        scope,
        # The text is looked through first: nearly all images have no such property, and JSON is dear to read.
        where=f"contains(t.doc, 'block_device_mapping') AND {_MAPPING} IS NOT NULL",
    )


def volumes_of_server(connection: duckdb.DuckDBPyConnection, scope: Scope, server: str) -> Rows:
    """Volumes that hang on this server now: cloud, region, id, name."""
    return select(
        connection,
        "volume",
        "t.cloud, t.region, t.id, t.name",
        scope,
        where="list_contains(t.server_ids, ?)",
        parameters=(server,),
    )


def _of(volumes: Sequence[str] | None) -> str:
    return "" if volumes is None else "t.volume_id IN (SELECT unnest(?::VARCHAR[]))"


def _wanted(volumes: Sequence[str] | None) -> tuple[Any, ...]:
    return () if volumes is None else (list(volumes),)
