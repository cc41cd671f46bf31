"""From the text that a model wrote to a statement that may run, or a refusal.

The text is read by DuckDB's own parser, which runs nothing: `json_serialize_sql` knows SELECT only. What is walked and
found good is written as text again, and that text is parsed and walked once more: what runs is what was looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from copilot.guard.refusing import Failed, Refused
from copilot.guard.shapes import Node
from copilot.guard.walking import Walk, Wanted
from store import times

if TYPE_CHECKING:
    import duckdb

MAX_TEXT = 10_000  # characters
MAX_TREE = 4_000_000  # characters of JSON

# Runs one of the statements of this file with its parameters, on a DuckDB that may hold nothing: answers its rows, or
# raises Failed.
Ask = Callable[[str, Sequence[Any]], Sequence[Sequence[Any]]]

_PARSE = "SELECT json_serialize_sql(?)"
_WRITE = "SELECT json_deserialize_sql(?)"


@dataclass(frozen=True, slots=True)
class Checked:
    """A statement that may run.

    text     to be run on tables that are named as in `wanted`, and on nothing else
    wanted   what it reads
    moments  for each of `wanted`, its time (naive, UTC); None = now
    columns  names of columns that it mentions, lower-cased; None = all of them may be meant
    about    the one view whose rows are the statement's rows, where that is plain to see
    """

    text: str
    wanted: tuple[Wanted, ...]
    moments: tuple[datetime | None, ...]
    columns: frozenset[str] | None
    about: Wanted | None = None


def check(sql: str, connection: duckdb.DuckDBPyConnection, now: datetime | None = None) -> Checked:
    """Look at a statement with a DuckDB connection, of which only the parser is used. Raises Refused."""
    import duckdb

    def ask(text: str, values: Sequence[Any]) -> Sequence[Sequence[Any]]:
        try:
            return connection.execute(text, list(values)).fetchall()
        except duckdb.Error as error:
            raise Failed(type(error).__name__, str(error)) from None

    return looked_at(sql, ask, now)


def looked_at(sql: str, ask: Ask, now: datetime | None = None) -> Checked:
    """As `check`, with whatever runs statements. `now` is an aware time. Raises Refused, and what `ask` raises."""
    statement = _parsed(_readable(sql), ask)
    walk = Walk(now or times.utcnow())
    walk.statement(statement)
    wanted = tuple(walk.wanted.values())
    text = _written(statement, ask)
    again = Walk(walk.now, frozenset(walk.wanted))
    again.statement(_parsed(text, ask))
    moments = tuple(None if one.moment is None else _moment(one.moment, ask) for one in wanted)
    columns = None if walk.whole else frozenset(walk.names)
    return Checked(text, wanted, moments, columns, _about(statement["node"], walk))


def _readable(sql: object) -> str:
    if not isinstance(sql, str) or not sql.strip():
        raise Refused("There is no statement: write one SELECT.")
    if len(sql) > MAX_TEXT:
        raise Refused(f"The statement is longer than {MAX_TEXT:,} characters: write a shorter one.")
    if any(not (character.isprintable() or character in " \t\r\n") for character in sql):
        raise Refused("The statement has control or invisible characters in it: write it without them.")
    return sql


def _parsed(text: str, ask: Ask) -> Node:
    answer = str(ask(_PARSE, [text])[0][0])
    if len(answer) > MAX_TREE:
        raise Refused("The statement is too long: write a shorter one.")
    try:
        parsed = json.loads(answer)
    except (ValueError, RecursionError):
        raise Refused("The statement can not be read: write a shorter, plain SELECT.") from None
    if parsed.get("error") is not False:
        raise Refused(_why(parsed))
    statements = parsed.get("statements")
    if not isinstance(statements, list) or len(statements) != 1 or set(parsed) - {"error", "statements"}:
        raise Refused("Write exactly one SELECT, without a second statement after a semicolon.")
    return dict(statements[0])


def _why(parsed: Node) -> str:
    if parsed.get("error_type") == "not implemented":
        return "Only SELECT statements are run, and no PIVOT: nothing here can be changed, set, loaded or described."
    place = str(parsed.get("position") or "")
    where = f" at character {int(place) + 1}" if place.isdigit() else ""
    return f"The statement is no valid SQL of DuckDB: there is a syntax error{where}. Write one plain SELECT."


def _written(statement: Node, ask: Ask) -> str:
    tree = json.dumps({"error": False, "statements": [statement]})
    try:
        return str(ask(_WRITE, [tree])[0][0])
    except Failed:
        raise Refused("The statement has a value that can not be used: write plain numbers and texts.") from None


def _moment(expression: Node, ask: Ask) -> datetime:
    """The time that a constant expression stands for; it was walked with few functions and nothing to read."""
    example = "write it as TIMESTAMP '2026-11-23 09:00:00' (UTC)"
    select = {**_SELECT, "select_list": [expression]}
    text = _written({"node": select, "named_param_map": []}, ask)
    try:
        found = ask(f"SELECT CAST(CAST(({text}) AS TIMESTAMP) AS VARCHAR)", [])[0][0]
        return datetime.fromisoformat(str(found))
    except (Failed, ValueError):
        raise Refused(f"The time of a view can not be read: {example}.") from None


_SELECT: Node = {
    "type": "SELECT_NODE",
    "modifiers": [],
    "cte_map": {"map": []},
    "from_table": {"type": "EMPTY", "alias": "", "sample": None, "query_location": 0},
    "where_clause": None,
    "group_expressions": [],
    "group_sets": [],
    "aggregate_handling": "STANDARD_HANDLING",
    "having": None,
    "sample": None,
    "qualify": None,
}


def _about(node: Node, walk: Walk) -> Wanted | None:
    """The view whose rows the statement answers one by one, with what their keys are made of."""
    source = node.get("from_table") or {}
    if node["type"] != "SELECT_NODE" or source.get("type") != "BASE_TABLE" or source["column_name_alias"]:
        return None
    if node["group_expressions"] or node["aggregate_handling"] != "STANDARD_HANDLING" or node["group_sets"]:
        return None
    plain = {
        str(one["column_names"][-1]).lower()
        for one in node["select_list"]
        if one["class"] == "COLUMN_REF" and not one["alias"]
    }
    star = node["select_list"][0]
    everything = star["class"] == "STAR" and not (star["replace_list"] or star["rename_list"] or star["exclude_list"])
    others = [one for one in node["select_list"] if str(one.get("alias")).lower() in ("cloud", "region", "id")]
    return (
        walk.wanted.get(source["table_name"])
        if not others and (everything or {"cloud", "region", "id"} <= plain)
        else None
    )
