"""The tools that a model is given: it can look, and it can propose. Nothing that it calls changes anything.

What it passes is hostile until checked: shapes, lengths, names. What it gets is JSON with short, clean values, marked
as data of others. Resources get short references ("r1"), and only what was found in this conversation can be proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from copilot.answers import Key, Proposal, Shown
from copilot.backends import structured
from copilot.backends.base import ToolCall, ToolSpec
from copilot.backends.results import Found, Refs, described, listing, result_of
from copilot.backends.untrusted import clean
from copilot.backends.verification import Facts
from copilot.query import Query
from copilot.sources import NotAllowed, NotAvailable
from store.types import actions, registry
from store.types.actions import ActionDeclaration

MOST_SQL = 4_000
MOST_PROPOSALS = 5
MOST_TARGETS = 50

_TEXT = {"type": "string"}

SPECS: tuple[ToolSpec, ...] = (
    ToolSpec(
        "describe_views",
        "Columns and relations of some views. Without names, the names of all views and lists.",
        {
            "type": "object",
            "properties": {"views": {"type": "array", "items": _TEXT, "description": "names, at most 6"}},
        },
    ),
    ToolSpec(
        "query",
        "Reads data: either `sql`, one DuckDB SELECT on the views, or the fields of a query (entity, where, ...).",
        {
            "type": "object",
            "properties": {"sql": {"type": "string", "description": "one SELECT"}, **structured.FIELDS},
        },
        sql=("sql",),
    ),
    ToolSpec(
        "find_resource",
        "Finds resources by a name, part of a name, address, MAC or id, also ones that are gone.",
        {
            "type": "object",
            "properties": {
                "text": {"type": "string", "description": "what to look for"},
                "at": {"type": "string", "description": "RFC 3339 time: as it was then"},
            },
            "required": ["text"],
        },
    ),
    ToolSpec(
        "open_pane",
        "Proposes to show something to the person: a resource (ref), a list (type, with a filter), or a pane (name).",
        {
            "type": "object",
            "properties": {
                "ref": {"type": "string", "description": 'of a result: "r1"'},
                "type": {"type": "string", "description": "resource type of a list"},
                "filter": {"type": "string", "description": "filter of the list: status:ERROR host:name"},
                "pane": {"type": "string", "description": "name of a pane"},
            },
        },
    ),
    ToolSpec(
        "prefill_wizard",
        "Proposes an action: its form is opened, filled in, for the person to decide. Nothing is done by it.",
        {
            "type": "object",
            "properties": {
                "action": {"type": "string", "description": 'id of the action: "server.stop"'},
                "refs": {"type": "array", "items": _TEXT, "description": "references of the resources"},
                "values": {"type": "object", "description": "options of the action by name"},
            },
            "required": ["action"],
        },
    ),
)

DOING = {
    "describe_views": "looks at the views",
    "query": "reads data",
    "find_resource": "looks for a resource",
    "open_pane": "proposes a pane",
    "prefill_wizard": "fills in a form",
}


@dataclass(frozen=True, slots=True)
class Hands:
    """What the tools work with, within the asker's rights.

    run_sql    checks and runs SQL of a model (copilot.guard). Raises `refused` for what it does not run
    run_query  runs a query of the copilot's own kind. Raises ValueError, NotAllowed, NotAvailable
    find       the app's find: {"items": [...], "more"}
    may        whether the asker may read an entity
    panes      names of panes and what they are called
    actions    what can be proposed, by id
    refused    exceptions whose message may be told to the model
    """

    run_sql: Callable[[str], Found]
    run_query: Callable[[Query], Found]
    find: Callable[[str, datetime | None], Mapping[str, Any]]
    may: Callable[[str], bool] = lambda entity: True
    panes: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, ActionDeclaration] = field(default_factory=lambda: actions.ACTIONS)
    refused: tuple[type[Exception], ...] = ()


class _Wrong(ValueError):
    """Something is wrong with a call; the message is for the model."""


class Toolbox:
    """The tools of one conversation, and what came of them.

    facts      everything that was read, to check the model's text against
    found      results with rows, in their order
    proposals  what the model proposes
    """

    def __init__(self, hands: Hands, facts: Facts, now: datetime, refs: Refs | None = None) -> None:
        self._hands, self._now = hands, now
        self.facts = facts
        self.refs = refs or Refs()
        self.found: list[Found] = []
        self.proposals: list[Proposal] = []

    def call(self, call: ToolCall) -> dict[str, Any]:
        """The result, as JSON for the model: {"ok": true, ...} or {"ok": false, "error": sentence}. Never raises."""
        known: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "describe_views": self._describe,
            "query": self._query,
            "find_resource": self._find,
            "open_pane": self._open,
            "prefill_wizard": self._prefill,
        }
        tool = known.get(call.name)
        if tool is None:
            return _error(f"there is no tool {clean(call.name, 40)!r}; there are {', '.join(known)}")
        if call.problem:
            return _error(call.problem)
        told: tuple[type[Exception], ...] = (NotAllowed, NotAvailable, ValueError, *self._hands.refused)
        try:
            return {"ok": True, **tool(call.arguments)}
        except told as error:
            return _error(str(error))
        except Exception:  # a tool that fails must not end the conversation
            return _error("the tool failed")

    def _describe(self, given: Mapping[str, Any]) -> dict[str, Any]:
        views = given.get("views") or []
        if not isinstance(views, list) or len(views) > 6 or not all(isinstance(one, str) for one in views):
            raise _Wrong("views must be a list of at most 6 names")
        return described(views, self._hands.may) if views else listing(self._hands.may)

    def _query(self, given: Mapping[str, Any]) -> dict[str, Any]:
        sql = given.get("sql")
        if sql:
            if not isinstance(sql, str) or len(sql) > MOST_SQL:
                raise _Wrong(f"sql must be one SELECT of at most {MOST_SQL} characters")
            found = self._hands.run_sql(sql)
        else:
            query = structured.query_of(given, self._now)
            if not self._hands.may(query.entity):
                raise _Wrong(f"the person may not read {query.entity}")
            found = self._hands.run_query(query)
        self.found.append(found)
        self.facts.add_table(found.table)
        return result_of(found, self.refs)

    def _find(self, given: Mapping[str, Any]) -> dict[str, Any]:
        text, at = _text(given, "text", 255), given.get("at")
        answer = self._hands.find(text, structured.time_of(at) if at else None)
        items = [one for one in answer.get("items", ()) if isinstance(one, Mapping)]
        table = self.refs.of_items(items, bool(answer.get("more")))
        self.found.append(Found(table, Shown(text, "find")))
        self.facts.add_table(table)
        return result_of(self.found[-1], self.refs)

    def _open(self, given: Mapping[str, Any]) -> dict[str, Any]:
        if given.get("ref"):
            ((type, key, name),) = self._targets([given["ref"]])
            return self._propose(Proposal("open", f"open {name}", type=type, keys=(key,)))
        if given.get("pane"):
            pane = _text(given, "pane", 60)
            if pane not in self._hands.panes:
                raise _Wrong(
                    f"there is no pane {clean(pane, 40)!r}; there are {', '.join(self._hands.panes) or 'none'}"
                )
            return self._propose(Proposal("pane", f"open {self._hands.panes[pane]}", name=pane))
        type = _type(given.get("type"))
        if not self._hands.may(type):
            raise _Wrong(f"the person may not read {type}")
        filter = _filter(type, given.get("filter") or "", self._now)
        label = f"list {registry.ALL[type].title.lower()}" + (f" with {clean(filter, 40)}" if filter else "")
        return self._propose(Proposal("open", label, type=type, filter=filter))

    def _prefill(self, given: Mapping[str, Any]) -> dict[str, Any]:
        action = self._hands.actions.get(_text(given, "action", 60))
        if action is None:
            raise _Wrong(f"there is no such action; there are {', '.join(self._hands.actions) or 'none'}")
        refs = given.get("refs") or []
        if not isinstance(refs, list) or len(refs) > MOST_TARGETS:
            raise _Wrong(f"refs must be a list of at most {MOST_TARGETS}")
        targets = self._targets(refs)
        _check_targets(action, targets)
        values = _values(action, given.get("values") or {})
        names = ", ".join(name for _, _, name in targets[:3]) + (", ..." if len(targets) > 3 else "")
        label = f"{action.title.lower()} {names}".strip() + "..."
        keys = tuple(key for _, key, _ in targets)
        return self._propose(Proposal("prefill", label, action.id, action.type, keys=keys, values=values))

    def _targets(self, refs: list[Any]) -> list[tuple[str, Key, str]]:
        found = [self.refs.get(one) if isinstance(one, str) else None for one in refs]
        if None in found:
            raise _Wrong("a ref must be one of a result of this conversation; find the resource first")
        return [one for one in found if one is not None]

    def _propose(self, proposal: Proposal) -> dict[str, Any]:
        if proposal not in self.proposals:
            if len(self.proposals) >= MOST_PROPOSALS:
                raise _Wrong("enough is proposed already")
            self.proposals.append(proposal)
        return {"proposed": clean(proposal.label, 120), "note": "The person decides; nothing was done."}


def _error(sentence: str) -> dict[str, Any]:
    return {"ok": False, "error": clean(sentence, 600)}


def _text(given: Mapping[str, Any], name: str, most: int) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise _Wrong(f"{name} must be a text of 1 to {most} characters")
    return value.strip()


def _type(value: Any) -> str:
    try:
        return registry.find(value if isinstance(value, str) else "").name
    except KeyError as error:
        raise _Wrong(str(error.args[0])) from None


def _filter(type: str, text: Any, now: datetime) -> str:
    """The filter's text, if the app can read it for this type."""
    from store import filter_sql, filters

    if not isinstance(text, str) or len(text) > 300 or clean(text, 300) != " ".join(text.split()):
        raise _Wrong("filter must be a text of at most 300 characters")
    filter_sql.check(filters.parse(text), registry.ALL[type], now)
    return text.strip()


def _check_targets(action: ActionDeclaration, targets: list[tuple[str, Key, str]]) -> None:
    if action.creates and targets:
        raise _Wrong(f"{action.id} makes something new and takes no refs")
    if any(type != action.type for type, _, _ in targets):
        raise _Wrong(f"{action.id} takes refs of type {action.type} only")
    if len(targets) > 1 and not action.many:
        raise _Wrong(f"{action.id} takes one ref")


def _values(action: ActionDeclaration, given: Any) -> tuple[tuple[str, str], ...]:
    """What is filled in: options that the action has, with values it may have. What is missing the person fills in."""
    if not isinstance(given, Mapping) or len(given) > 30:
        raise _Wrong("values must be an object of options")
    made = []
    for name, value in given.items():
        try:
            option = action.option(str(name))
        except KeyError:
            names = ", ".join(one.name for one in action.options) or "none"
            raise _Wrong(f"{action.id} has no option {clean(str(name), 40)!r}; it has {names}") from None
        if value is None or value == "":
            continue
        if problem := option.problem(value):
            raise _Wrong(f"{option.name} {problem}")
        made.append((option.name, _written(value)))
    return tuple(made)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
