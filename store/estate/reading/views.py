"""The public views: one per type with the current rows (`servers`), and one table macro with the rows of a time
(`servers_at(t)`).

They show what the lists show: keys, stored, joined and computed columns, and since when the version holds. No
documents.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from store.estate.reading.relation import LEADING, Moment, Relation, quoted
from store.types import registry
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb


def select(type: ResourceType, moment: Moment) -> str:
    """The SELECT behind a view."""
    relation = Relation(type, moment)
    names = [*LEADING, *(column.name for column in type.view_columns), "valid_from"]
    picked = ", ".join(f"{relation.column(name)} AS {quoted(name)}" for name in names)
    return f"SELECT {picked} {relation.from_clause} WHERE {relation.at('t')}"


def definitions() -> list[str]:
    """The statements that make all views and macros."""
    statements = []
    for type in registry.ALL.values():
        statements.append(f"CREATE OR REPLACE VIEW {quoted(type.plural)} AS {select(type, Moment(None))}")
        at = select(type, Moment("moment::TIMESTAMP"))
        statements.append(f"CREATE OR REPLACE MACRO {quoted(type.plural + '_at')}(moment) AS TABLE {at}")
    return statements


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """Make all views and macros anew when a declaration changed, in one transaction. The version tables must exist."""
    statements = definitions()
    mark = hashlib.sha256("\n".join(statements).encode()).hexdigest()
    if connection.execute("SELECT value FROM meta WHERE key = 'views'").fetchone() == (mark,):
        return
    connection.execute("BEGIN")
    try:
        for statement in statements:
            connection.execute(statement)
        connection.execute("DELETE FROM meta WHERE key = 'views'")
        connection.execute("INSERT INTO meta VALUES ('views', ?)", [mark])
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
