"""The walk through every node of a parsed statement.

DuckDB writes a statement as JSON. Each kind of node that may occur is listed here with all of its fields and what each
may hold; a node, a field or a value that is not listed is refused, so that what a later DuckDB can do is refused until
somebody looked at it. On the way, what depends on the time of the question is replaced: `now()` by a constant, and
`servers_at(moment)` by the name of a table that will hold the rows of that moment.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from copilot.guard import allowed
from copilot.guard.refusing import Refused, shown
from copilot.guard.shapes import (
    EXPRESSIONS,
    FUNCTION,
    MAX_LITERAL,
    QUERIES,
    STATEMENT,
    TABLES,
    WITH,
    Fields,
    Node,
    as_node,
)
from store.types import registry
from store.types.declaration import ResourceType

MAX_DEPTH = 60  # nodes within nodes
MAX_NODES = 4000
MAX_NAME = 128  # characters
MAX_MOMENTS = 4

VIEWS: Mapping[str, ResourceType] = {type.plural: type for type in registry.ALL.values()}
AT_A_TIME: Mapping[str, ResourceType] = {f"{type.plural}_at": type for type in registry.ALL.values()}
_COMMON = frozenset({"class", "type", "query_location"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows that the statement reads.

    table   the name they have in the statement that runs
    moment  the node of the moment's expression; None = now
    """

    type: ResourceType
    table: str
    moment: Node | None = None


@dataclass(slots=True)
class Walk:
    """One walk.

    now     aware time of the question
    tables  names that may be read besides those of the statement itself; None = the public views, of which those that
            are read come into `wanted`
    names   every name of a column in the statement, lower-cased
    whole   all columns may be meant (`*`, NATURAL JOIN, a row as a value)
    """

    now: datetime
    tables: frozenset[str] | None = None
    wanted: dict[str, Wanted] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    whole: bool = False
    _known: list[str] = field(default_factory=list)  # names of WITH that are visible here
    _rows: set[str] = field(default_factory=set)  # names that stand for rows
    _bare: set[str] = field(default_factory=set)  # columns named without an alias
    _depth: int = 0
    _nodes: int = 0
    _in_moment: bool = False

    # Statements

    def statement(self, holder: Node) -> None:
        """A statement, or a sub-query. Raises Refused."""
        self.fields("statement", holder, STATEMENT)
        if not self._depth and self._bare & self._rows:
            self.whole = True  # `SELECT s FROM servers s`: the row itself

    def query(self, node: Any) -> None:
        kind = node.get("type") if isinstance(node, dict) else None
        if kind == "RECURSIVE_CTE_NODE":
            raise Refused("WITH RECURSIVE is not available: use joins and sub-queries without recursion.")
        if kind not in QUERIES:
            raise Refused(f"A statement of the kind {shown(kind)} is not available: write one SELECT.")
        before = len(self._known)
        self._ctes(node.get("cte_map"))
        self.fields(kind, node, QUERIES[kind])
        del self._known[before:]

    def _ctes(self, holder: Any) -> None:
        """The WITH of a query: each may use those before it. They may not take the name of a view."""
        if set(as_node(holder)) != {"map"}:
            raise Refused("The statement is not a plain SELECT.")
        for entry in holder["map"]:
            name = self.name(entry.get("key")).lower()
            if name in VIEWS or name in AT_A_TIME or (self.tables is not None and name in self.tables):
                raise Refused(f"A WITH may not be called {shown(name)}, the name of a view: call it something else.")
            value = as_node(entry.get("value"))
            self.fields("WITH", value, WITH)
            self._known.append(name)
            self._rows.add(name)

    # Tables

    def table(self, node: Any) -> None:
        kind = node.get("type") if isinstance(node, dict) else None
        if kind == "BASE_TABLE":
            self._base_table(node)
        elif kind == "TABLE_FUNCTION":
            self._table_function(node)
        elif kind not in TABLES:
            what = {"SHOW_REF": "DESCRIBE, SHOW and SUMMARIZE are", "PIVOT": "PIVOT and UNPIVOT are"}.get(str(kind))
            raise Refused(f"{what or shown(kind) + ' in FROM is'} not available: write a plain SELECT of the views.")
        if node["type"] == "BASE_TABLE" and node.get("column_name_alias"):
            self.whole = True  # they are given by position
        self.fields(str(node["type"]), node, TABLES[node["type"]])
        self._rows.add(str(node.get("alias") or "").lower())

    def _base_table(self, node: Node) -> None:
        if node.get("schema_name") or node.get("catalog_name"):
            raise Refused(f"Name views without a schema or a database: {_views()}.")
        name = self.name(node.get("table_name"), MAX_LITERAL).lower()
        self._rows.add(name)
        if name in self._known:
            return
        if self.tables is None and name in VIEWS:
            self.wanted.setdefault(name, Wanted(VIEWS[name], name))
            node["table_name"] = name
        elif self.tables is None or name not in self.tables:
            raise Refused(f"There is no view {shown(node.get('table_name'))}. The views are: {_views()}.")

    def _table_function(self, node: Node) -> None:
        """`unnest(list)` stays; `servers_at(moment)` becomes a table."""
        call = as_node(node.get("function"))
        name = str(call.get("function_name")).lower()
        if name in allowed.ROWS and not self._in_moment:
            return
        if self.tables is not None or name not in AT_A_TIME or call.get("schema") or call.get("catalog"):
            raise Refused(
                f"The table function {shown(name)} is not available: read views ({_views()}) or their rows of a time, "
                "such as servers_at(TIMESTAMP '2026-11-23 09:00:00')."
            )
        arguments = call.get("children") or []
        if len(arguments) != 1:
            raise Refused(f"{name} takes one argument, the time: {name}(TIMESTAMP '2026-11-23 09:00:00').")
        self._in_moment = True
        self.fields("FUNCTION", {**call, "function_name": "+"}, FUNCTION)
        self._in_moment = False
        table = self._moment(name, arguments[0])
        kept = {key: node[key] for key in ("sample", "query_location", "column_name_alias")}
        base = {"schema_name": "", "table_name": table, "catalog_name": "", "at_clause": None}
        alias, ordinality = node.get("alias"), node.get("with_ordinality")
        node.clear()
        node.update({"type": "BASE_TABLE", "alias": self.name(alias or name), **kept, **base})
        if ordinality != "WITHOUT_ORDINALITY":
            raise Refused("WITH ORDINALITY is not available here: use row_number() OVER ().")

    def _moment(self, name: str, expression: Node) -> str:
        text = json.dumps(_without_places(expression))
        for known in self.wanted.values():
            if known.moment and known.type is AT_A_TIME[name] and json.dumps(_without_places(known.moment)) == text:
                return known.table
        count = sum(1 for known in self.wanted.values() if known.moment)
        if count >= MAX_MOMENTS:
            raise Refused(f"A statement may look at {MAX_MOMENTS} times at most: ask in several statements.")
        table = f"{name}_{count + 1}"
        self.wanted[table] = Wanted(AT_A_TIME[name], table, copy.deepcopy(expression))
        return table

    # Expressions

    def expression(self, node: Any) -> None:
        """One expression with everything in it."""
        kind = node.get("class") if isinstance(node, dict) else None
        if kind == "COLUMN_REF":
            self._column(node)
            kind = node["class"]
        elif kind in ("FUNCTION", "WINDOW"):
            self._function(node)
            kind = node["class"]
        if kind not in EXPRESSIONS:
            what = {"PARAMETER": "Parameters (? or $1) are", "POSITIONAL_REFERENCE": "Positions (#1) are"}.get(
                str(kind)
            )
            raise Refused(f"{what or shown(kind) + ' is'} not available: write values and names of columns.")
        types, fields = EXPRESSIONS[kind]
        if node.get("type") not in types:
            raise Refused(f"{shown(node.get('type'))} is not available: write it with plain operators and functions.")
        if self._in_moment and kind in ("SUBQUERY", "WINDOW", "LAMBDA", "STAR"):
            raise Refused("The time of a view must be a constant, such as TIMESTAMP '2026-11-23 09:00:00'.")
        self.fields(kind, node, fields)

    def _column(self, node: Node) -> None:
        parts = node.get("column_names")
        if not isinstance(parts, list) or not 1 <= len(parts) <= 2:
            raise Refused("Name columns as column or alias.column, without a schema or a database.")
        names = [self.name(part).lower() for part in parts]
        if len(parts) == 1 and names[0] in allowed.WORDS and self._time(node, names[0]):
            return
        if self._in_moment:
            raise Refused("The time of a view must be a constant, not a column.")
        self.names.update(names)
        if len(names) == 1:
            self._bare.add(names[0])

    def _time(self, node: Node, name: str) -> bool:
        """Put the time of the question in place of a word or a call that stands for it."""
        if name not in allowed.NOW and name not in allowed.TODAY:
            return False
        at = self.now.astimezone(UTC).replace(tzinfo=None)
        kind, text = ("DATE", f"{at:%Y-%m-%d}") if name in allowed.TODAY else ("TIMESTAMP", f"{at:%Y-%m-%d %H:%M:%S}")
        alias = node.get("alias") or ""
        node.clear()
        node.update(_constant_time(kind, text, alias))
        return True

    def _function(self, node: Node) -> None:
        name = str(node.get("function_name")).lower()
        if node.get("catalog") or node.get("schema") not in ("", "main"):
            raise Refused(f"Name functions without a schema: {shown(name)}.")
        window = node.get("class") == "WINDOW"
        children = node.get("children")
        if not window and not children and self._time(node, name):
            return
        if self._in_moment and name not in allowed.MOMENTS:
            raise Refused("The time of a view must be a constant, such as TIMESTAMP '2026-11-23 09:00:00'.")
        if name not in (allowed.WINDOWS if window else allowed.FUNCTIONS | allowed.ROWS):
            raise Refused(f"The function {shown(name)} is not available: write it with common functions of DuckDB.")
        if isinstance(children, list) and any(as_node(child).get("class") == "STAR" for child in children):
            raise Refused("COLUMNS(...), * LIKE and functions of * are not available: name the columns.")
        if name == "age" and isinstance(children, list) and len(children) == 1:
            children.insert(0, _constant_time("TIMESTAMP", f"{self.now.astimezone(UTC):%Y-%m-%d %H:%M:%S}", ""))

    # Parts

    def fields(self, kind: str, node: Node, fields: Fields) -> None:
        self._depth += 1
        self._nodes += 1
        if self._depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise Refused("The statement is too long or nested too deep: write a shorter one.")
        for name, value in node.items():
            if name in _COMMON:
                continue
            if name not in fields:
                raise Refused(f"{shown(name)} of {shown(kind)} is not available: write a plain SELECT.")
            fields[name](self, value)
        self._depth -= 1

    def name(self, value: Any, most: int = MAX_NAME) -> str:
        if not isinstance(value, str) or len(value) > most:
            raise Refused(f"A name in the statement is longer than {MAX_NAME} characters: shorten it.")
        return value


def _views() -> str:
    return ", ".join(VIEWS)


def _constant_time(kind: str, text: str, alias: str) -> Node:
    value = {"type": {"id": "VARCHAR", "type_info": None}, "is_null": False, "value": text}
    child = {"class": "CONSTANT", "type": "VALUE_CONSTANT", "alias": "", "query_location": 0, "value": value}
    cast = {"class": "CAST", "type": "OPERATOR_CAST", "alias": alias, "query_location": 0, "child": child}
    return {**cast, "cast_type": {"id": kind, "type_info": None}, "try_cast": False}


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_places(part) for name, part in value.items() if name != "query_location"}
    return [_without_places(part) for part in value] if isinstance(value, list) else value
