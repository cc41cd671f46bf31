"""The nodes of a parsed statement that may occur: for each kind all of its fields, and what each may hold.

A rule is called with the walk and the field's value; it raises Refused, or has the walk go on with what lies below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from copilot.guard import allowed
from copilot.guard.refusing import Refused, shown

if TYPE_CHECKING:
    from copilot.guard.walking import Walk

_WITH_OFFSET = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?[+-]\d\d(:?\d\d)?")
Node = dict[str, Any]
Rule = Callable[["Walk", Any], None]
Fields = Mapping[str, Rule]

MAX_ITEMS = 1000  # in one list of nodes: values of an IN, columns of a SELECT
MAX_LITERAL = 1000  # characters


def as_node(value: Any) -> Node:
    """The value, which must be an object. Raises Refused."""
    if not isinstance(value, dict):
        raise Refused("The statement is not a plain SELECT.")
    return value


def empty(walk: Walk, value: Any) -> None:
    """Rule: nothing is there."""
    if value not in ("", [], None, False):
        raise Refused("The statement has a part that is not available (a parameter, sample or option): leave it out.")


def _source(walk: Walk, value: Any) -> None:
    walk.table(value)


def _query(walk: Walk, value: Any) -> None:
    walk.query(value)


def _statement(walk: Walk, value: Any) -> None:
    walk.statement(as_node(value))


def _any_of(*values: Any) -> Rule:
    def rule(walk: Walk, value: Any) -> None:
        if isinstance(value, dict | list) or value not in values:
            raise Refused(f"{shown(value)} is not available here: write a plain SELECT.")

    return rule


def _yes_or_no(walk: Walk, value: Any) -> None:
    if value is not True and value is not False:
        raise Refused("The statement is not a plain SELECT.")


def _one(walk: Walk, value: Any) -> None:
    if value is not None:
        walk.expression(value)


def _listed(rule: Rule) -> Rule:
    def each(walk: Walk, value: Any) -> None:
        if not isinstance(value, list):
            raise Refused("The statement is not a plain SELECT.")
        if len(value) > MAX_ITEMS:
            raise Refused(f"A list in the statement has more than {MAX_ITEMS} parts: use a join or a sub-query.")
        for one in value:
            rule(walk, one)

    return each


def _part(**fields: Rule) -> Rule:
    return lambda walk, value: walk.fields("part", as_node(value), fields)


def _named(walk: Walk, value: Any) -> None:
    walk.name(value)


def _column_name(walk: Walk, value: Any) -> None:
    walk.names.add(walk.name(value).lower())


def _nothing(walk: Walk, value: Any) -> None:
    """Looked at already."""


def _some(rule: Rule) -> Rule:
    return lambda walk, value: None if value is None else rule(walk, value)


def _constant(walk: Walk, value: Any) -> None:
    kind = as_node(as_node(value).get("type")).get("id")
    if set(value) - {"type", "is_null", "value"}:
        raise Refused("The statement has a constant that is not available.")
    if kind not in allowed.CONSTANTS:
        raise Refused(f"A constant of the type {shown(kind)} is not available: use numbers, texts, dates and times.")
    _type(walk, value["type"])
    held = value.get("value")
    if isinstance(held, str) and len(held) > MAX_LITERAL:
        raise Refused(f"A text in the statement is longer than {MAX_LITERAL} characters: shorten it.")
    if isinstance(held, str) and _WITH_OFFSET.fullmatch(held.strip()):
        value["value"] = _in_utc(held.strip())
    if isinstance(held, dict):  # a number of 128 bits
        _part(upper=_number, lower=_number)(walk, held)
    elif isinstance(held, float) and abs(held) == float("inf"):
        raise Refused("A number in the statement is too large.")
    elif held is not None and not isinstance(held, str | int | float):
        raise Refused("The statement has a constant that is not available.")


def _in_utc(text: str) -> str:
    """DuckDB reads the offset of a time and leaves it out of account; so it is taken into account here."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
    except (ValueError, OverflowError):
        raise Refused(f"The time {shown(text)} can not be read: write it in UTC, as 2026-11-23 09:00:00.") from None


def _number(walk: Walk, value: Any) -> None:
    if not isinstance(value, int):
        raise Refused("The statement has a number that is not available.")


def _type(walk: Walk, value: Any) -> None:
    kind = as_node(value).get("id")
    if kind in allowed.ZONED:
        value["id"] = kind = "TIMESTAMP"
    info = value.get("type_info") or {}
    if kind not in allowed.TYPES or set(value) - {"id", "type_info"}:
        name = info.get("name") if kind == "UNBOUND" else kind
        raise Refused(f"The type {shown(name)} is not available: use numbers, VARCHAR, DATE, TIMESTAMP, INTERVAL.")
    if info:
        fields: dict[str, Rule] = {"alias": empty, "extension_info": empty}
        if kind == "LIST":
            fields["child_type"] = _type
        elif kind == "DECIMAL":
            fields.update(width=_number, scale=_number)
        walk.fields("type", info, fields)


def _using(walk: Walk, value: Any) -> None:
    _listed(_column_name)(walk, value)


def _join_kind(walk: Walk, value: Any) -> None:
    _any_of("REGULAR", "CROSS", "NATURAL", "ASOF")(walk, value)
    if value == "NATURAL":
        walk.whole = True


def _star_columns(walk: Walk, value: Any) -> None:
    _yes_or_no(walk, value)
    walk.whole = True


def _star_pattern(walk: Walk, value: Any) -> None:
    if value is not None:
        raise Refused("COLUMNS(...) and * LIKE are not available: name the columns.")


_QUALIFIED = _part(catalog=empty, schema=empty, table=_named, column=_column_name)
_ORDER = _part(
    type=_nothing,
    null_order=_any_of("ORDER_DEFAULT", "NULLS FIRST", "NULLS LAST"),
    expression=_one,
)
_ORDERS = _part(type=_nothing, orders=_listed(_ORDER))
FUNCTION: dict[str, Rule] = {
    "alias": _named,
    "function_name": _nothing,
    "schema": _any_of("", "main"),
    "catalog": empty,
    "children": _listed(_one),
    "filter": _one,
    "order_bys": _some(_ORDERS),
    "distinct": _yes_or_no,
    "is_operator": _yes_or_no,
    "export_state": empty,
}
_COMPARISONS = frozenset(
    f"COMPARE_{word}"
    for word in allowed.words(
        "EQUAL NOTEQUAL LESSTHAN GREATERTHAN LESSTHANOREQUALTO GREATERTHANOREQUALTO DISTINCT_FROM NOT_DISTINCT_FROM"
    )
)
_BOUNDS = _any_of(
    *("UNBOUNDED_PRECEDING", "UNBOUNDED_FOLLOWING", "CURRENT_ROW_RANGE", "CURRENT_ROW_ROWS", "CURRENT_ROW_GROUPS"),
    *(f"EXPR_{side}_{kind}" for side in ("PRECEDING", "FOLLOWING") for kind in ("RANGE", "ROWS", "GROUPS")),
)
_WINDOW: dict[str, Rule] = {
    "alias": _named,
    "function_name": _nothing,
    "schema": _any_of("", "main"),
    "catalog": empty,
    "children": _listed(_one),
    "partitions": _listed(_one),
    "orders": _listed(_ORDER),
    "start": _BOUNDS,
    "end": _BOUNDS,
    "start_expr": _one,
    "end_expr": _one,
    "offset_expr": _one,
    "default_expr": _one,
    "ignore_nulls": _yes_or_no,
    "filter_expr": _one,
    "exclude_clause": _any_of("NO_OTHER", "CURRENT_ROW", "GROUP", "TIES"),
    "distinct": _yes_or_no,
    "arg_orders": _listed(_ORDER),
}
_TWO: dict[str, Rule] = {"alias": _named, "left": _one, "right": _one}
EXPRESSIONS: dict[str, tuple[frozenset[str], dict[str, Rule]]] = {
    "COLUMN_REF": (frozenset({"COLUMN_REF"}), {"alias": _named, "column_names": _nothing}),
    "CONSTANT": (frozenset({"VALUE_CONSTANT"}), {"alias": _named, "value": _constant}),
    "FUNCTION": (frozenset({"FUNCTION"}), FUNCTION),
    "COMPARISON": (_COMPARISONS, _TWO),
    "CONJUNCTION": (
        frozenset({"CONJUNCTION_AND", "CONJUNCTION_OR"}),
        {"alias": _named, "children": _listed(_one)},
    ),
    "OPERATOR": (
        allowed.words(
            "COMPARE_IN COMPARE_NOT_IN OPERATOR_COALESCE OPERATOR_IS_NULL OPERATOR_IS_NOT_NULL OPERATOR_NOT "
            "ARRAY_EXTRACT ARRAY_SLICE STRUCT_EXTRACT GROUPING_FUNCTION OPERATOR_TRY"
        ),
        {"alias": _named, "children": _listed(_one)},
    ),
    "CAST": (
        frozenset({"OPERATOR_CAST"}),
        {"alias": _named, "child": _one, "cast_type": _type, "try_cast": _yes_or_no},
    ),
    "CASE": (
        frozenset({"CASE_EXPR"}),
        {
            "alias": _named,
            "case_checks": _listed(_part(when_expr=_one, then_expr=_one)),
            "else_expr": _one,
        },
    ),
    "BETWEEN": (frozenset({"COMPARE_BETWEEN"}), {"alias": _named, "input": _one, "lower": _one, "upper": _one}),
    "SUBQUERY": (
        frozenset({"SUBQUERY"}),
        {
            "alias": _named,
            "subquery_type": _any_of("SCALAR", "EXISTS", "NOT_EXISTS", "ANY"),
            "subquery": _statement,
            "child": _one,
            "comparison_type": _any_of("INVALID", *_COMPARISONS),
        },
    ),
    "STAR": (
        frozenset({"STAR"}),
        {
            "alias": _named,
            "relation_name": _named,
            "exclude_list": _listed(_column_name),
            "replace_list": _listed(_part(key=_column_name, value=_one)),
            "columns": _star_columns,
            "expr": _star_pattern,
            "qualified_exclude_list": _listed(_QUALIFIED),
            "rename_list": _listed(_part(key=_QUALIFIED, value=_named)),
        },
    ),
    "WINDOW": (
        frozenset(
            f"WINDOW_{word}"
            for word in allowed.words(
                "AGGREGATE ROW_NUMBER RANK RANK_DENSE PERCENT_RANK CUME_DIST NTILE LAG LEAD FIRST_VALUE "
                "LAST_VALUE NTH_VALUE"
            )
        ),
        _WINDOW,
    ),
    "LAMBDA": (frozenset({"LAMBDA"}), {"alias": _named, "lhs": _one, "expr": _one}),
    "COLLATE": (
        frozenset({"COLLATE"}),
        {"alias": _named, "child": _one, "collation": _any_of(*allowed.COLLATIONS)},
    ),
}
_SOURCE: dict[str, Rule] = {"alias": _named, "sample": empty}
TABLES: dict[str, dict[str, Rule]] = {
    "EMPTY": _SOURCE,
    "BASE_TABLE": {
        **_SOURCE,
        "schema_name": empty,
        "catalog_name": empty,
        "table_name": _nothing,
        "column_name_alias": _listed(_named),
        "at_clause": empty,
    },
    "JOIN": {
        **_SOURCE,
        "left": _source,
        "right": _source,
        "condition": _one,
        "join_type": _any_of("INNER", "LEFT", "RIGHT", "OUTER", "FULL", "SEMI", "ANTI"),
        "ref_type": _join_kind,
        "using_columns": _using,
        "delim_flipped": empty,
        "duplicate_eliminated_columns": empty,
    },
    "SUBQUERY": {
        **_SOURCE,
        "subquery": _statement,
        "column_name_alias": _listed(_named),
    },
    "TABLE_FUNCTION": {
        **_SOURCE,
        "function": _one,
        "column_name_alias": _listed(_named),
        "with_ordinality": _any_of("WITHOUT_ORDINALITY"),
    },
    "EXPRESSION_LIST": {
        **_SOURCE,
        "expected_names": _listed(_named),
        "expected_types": empty,
        "values": _listed(_listed(_one)),
    },
}
_MODIFIERS: dict[str, dict[str, Rule]] = {
    "ORDER_MODIFIER": {"orders": _listed(_ORDER)},
    "LIMIT_MODIFIER": {"limit": _one, "offset": _one},
    "DISTINCT_MODIFIER": {"distinct_on_targets": _some(_listed(_one))},
}


def _modifier(walk: Walk, value: Any) -> None:
    kind = as_node(value).get("type")
    if kind not in _MODIFIERS:
        raise Refused(f"{shown(kind)} is not available: use ORDER BY, DISTINCT and LIMIT with a number.")
    walk.fields(kind, value, _MODIFIERS[kind])


_QUERY: dict[str, Rule] = {"modifiers": _listed(_modifier), "cte_map": _nothing}
QUERIES: dict[str, dict[str, Rule]] = {
    "SELECT_NODE": {
        **_QUERY,
        "from_table": _source,
        "select_list": _listed(_one),
        "where_clause": _one,
        "group_expressions": _listed(_one),
        "group_sets": _listed(_listed(_number)),
        "aggregate_handling": _any_of("STANDARD_HANDLING", "FORCE_AGGREGATES", "NO_AGGREGATES_ALLOWED"),
        "having": _one,
        "sample": empty,
        "qualify": _one,
    },
    "SET_OPERATION_NODE": {
        **_QUERY,
        "setop_type": _any_of("UNION", "UNION_BY_NAME", "EXCEPT", "INTERSECT"),
        "setop_all": _yes_or_no,
        "left": _query,
        "right": _query,
    },
}
WITH: dict[str, Rule] = {
    "aliases": _listed(_named),
    "query": _statement,
    "materialized": _any_of("CTE_MATERIALIZE_DEFAULT", "CTE_MATERIALIZE_ALWAYS", "CTE_MATERIALIZE_NEVER"),
    "key_targets": empty,
}
STATEMENT: dict[str, Rule] = {"node": _query, "named_param_map": empty}
