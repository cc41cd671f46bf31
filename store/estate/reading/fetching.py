"""Fetching rows that are already chosen: their numbers are known, what is shown of them is joined to these few."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from store.estate.reading.order import Sql, Term, order_by, run
from store.estate.reading.query import Query, columns_of
from store.estate.reading.relation import LEADING, Moment, Relation, quoted
from store.types import registry

if TYPE_CHECKING:
    import duckdb


def fetch(
    connection: duckdb.DuckDBPyConnection,
    query: Query,
    columns: Sequence[str],
    chosen: Sql,
    kept: Sequence[str],
    order: Sequence[Term],
) -> list[tuple[Any, ...]]:
    """Rows of (cloud, region, id, *columns, *kept), in order; the arguments are those of `statement`."""
    sql, values = statement(query, columns, chosen, kept, order)
    return run(connection, sql, values).fetchall()


def statement(query: Query, columns: Sequence[str], chosen: Sql, kept: Sequence[str], order: Sequence[Term]) -> Sql:
    """SELECT of (cloud, region, id, *columns, *kept) of chosen rows, in order.

    chosen  SELECT that gives `rid`, the row's number, and the columns named by `kept`
    order   terms over the kept columns, which are `t`'s
    """
    shown = Relation(query.type, query.moment, "page")
    picked = [shown.column(name) for name in (*LEADING, *columns)] + [f"t.{name}" for name in kept]
    carried = [f"w.{quoted(name)}" for name in (*LEADING, *query.relation.needs(list(columns)))]
    carried += [f"k.{name}" for name in kept]
    sql = (
        f"WITH keys AS MATERIALIZED ({chosen[0]}),"
        f" page AS (SELECT {', '.join(carried)} FROM keys k JOIN {quoted(query.type.table)} w ON w.rowid = k.rid"
        f" WHERE {query.moment.of('w')})"
        f" SELECT {', '.join(picked)} {shown.from_clause} ORDER BY {order_by(order)}"
    )
    return sql, chosen[1]


@lru_cache(maxsize=256)
def types_shown(type: str, columns: tuple[str, ...] | None) -> tuple[str, ...]:
    """Names of the types whose rows the columns (None: the default ones) are made of. Raises UnknownColumn."""
    relation = Relation(registry.ALL[type], Moment(None))
    for name in columns_of(relation.type, columns):
        relation.column(name)
    return tuple(sorted(relation.types))
