"""The audit: who did what to what, under which ticket; and one record with its calls and its seal."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from store.filters import And, Filter, Match, Word, parse
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.panes.told import AskedPane, local
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Row, RowSource
from tui.times import UNITS

MOST = 1000
COLUMNS = ("at", "who", "action", "target", "ticket", "outcome", "cloud", "reason", "request_id", "status", "seq")
_ASKED = {"actor": "actor", "who": "actor", "ticket": "ticket", "outcome": "outcome", "cloud": "cloud"}
_PLAIN = re.compile(r"^[A-Za-z0-9_.:/@-]+$")
_LENGTH = re.compile(r"^(\d+(?:\.\d+)?)(s|m|min|h|d|w)$")
_LONGEST = 100 * 365 * 86400.0


class AuditPane(AskedPane):
    """Records, the newest first; `enter` opens one."""

    places = ("list", "audit")
    topics = frozenset({"jobs", "notes", "writes", "views", "collection"})
    noun = "record"
    columns = COLUMNS
    fields = (
        "at",
        "who",
        "actor",
        "action",
        "target",
        "ticket",
        "outcome",
        "cloud",
        "reason",
        "role",
        "status",
        "text",
    )
    _more = 0

    async def ask(self, filter: str) -> Rows:
        """Records that the engine finds for the filter."""
        params: dict[str, Any] = {"page_size": MOST, **question(filter)}
        answer = await self.world.get("/q/audit", params)
        items = [item for item in answer.get("items") or () if isinstance(item, dict)]
        self._more = int(answer.get("total") or 0) - len(items)
        self.records.clear()
        rows: Rows = []
        for item in items:
            shown = shown_record(item)
            key = (str(item.get("seq")),)
            self.records[key] = {**shown, "actor": item.get("actor"), "role": item.get("role"), "text": _all(item)}
            rows.append((key, [shown.get(name) for name in COLUMNS]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """When, who, what, under which ticket."""
        index = {name: number for number, name in enumerate(COLUMNS)}
        return [
            Head("at", "AGE", "time", 4, index["at"]),
            Head("who", "WHO", "name", 10, index["who"]),
            Head("action", "ACTION", "name", 16, index["action"]),
            Head("target", "TARGET", "text", 22, index["target"]),
            Head("ticket", "TICKET", "name", 9, index["ticket"]),
            Head("outcome", "OUTCOME", "text", 7, index["outcome"]),
            Head("cloud", "CLOUD", "name", 10, index["cloud"], False),
            Head("reason", "REASON", "text", 24, index["reason"], False),
            Head("request_id", "REQUEST", "id", 40, index["request_id"], False),
            Head("status", "HTTP", "number", 4, index["status"], False),
            Head("seq", "NO", "number", 6, index["seq"], False),
        ]

    def title(self) -> str:
        """What it is."""
        return "audit"

    def empty(self) -> str:
        """Nothing, and how to filter."""
        if self.view.filter:
            return "no record passes this filter\nesc clears it; words, ticket:CHG1, who:anna, action:server, age:<8h"
        return "reading the audit …" if self.asked.stale else "nothing was done yet"

    def enter(self, row: Row) -> View | None:
        """One record."""
        return View("record", subject=(row.key[0],))

    def strip(self, row: Row) -> list[Parts]:
        """The whole sentence, reason and request."""
        record = self.records.get(row.key, {})
        first: Parts = [(f"{clean(record.get('who') or '')} ", "strong"), (clean(record.get("action") or ""), "accent")]
        first += [
            (f" {clean(record.get('target') or '')}", "text"),
            (f"  {clean(record.get('outcome') or '')}", "muted"),
        ]
        second: Parts = []
        for name in ("ticket", "reason", "cloud", "request_id"):
            if record.get(name):
                second += [("  " * bool(second) + name.replace("_", " ") + " ", "muted"), (clean(record[name]), "text")]
        third: Parts = [(local(record.get("at")), "muted")]
        if self._more > 0:
            third.append((f"  {self._more:,} older ones are not here: narrow with / ticket:… who:… age:<8h", "muted"))
        return [first, second, third]


class RecordPane(Pane):
    """One record: all that it says, and whether it is as it was written."""

    places = ("list", "record")
    noun = "field"

    def make_source(self) -> RowSource:
        """Fields as rows."""
        return FetchedSource(("field", "value"), self._rows)

    async def _rows(self) -> Rows:
        seq = self.view.subject[0] if self.view.subject else ""
        if not seq.isdigit():
            return []
        item = await self.world.get(f"/q/audit/{int(seq)}")
        seal = "yes: its hash is right, and follows the record before" if item.get("sealed") else "NO: it was changed"
        rows: Rows = [(("sealed",), ["as it was written", seal])]
        names = ("at", "actor", "login_name", "role", "via", "action", "target", "outcome")
        for name in names:
            rows.append(((name,), [name, local(item[name]) if name == "at" else clean(item.get(name) or "-")]))
        for name, value in _flat(item.get("detail") or {}):
            rows.append((("detail", name), [name, clean(value, 2000)]))
        for name in ("uid", "login_uid", "token_id", "id", "seq", "previous_hash", "hash"):
            rows.append(((name,), [name, clean("-" if item.get(name) is None else item[name])]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Field and value."""
        return [Head("field", "FIELD", "name", 20, 0), Head("value", "VALUE", "text", 400, 1)]

    def title(self) -> str:
        """Which."""
        return f"audit record {clean(self.view.subject[0] if self.view.subject else '')}"

    def empty(self) -> str:
        """There is always something, unless there is no such record."""
        return "no field matches this filter\nesc clears it" if self.view.filter else "there is no such record"

    def strip(self, row: Row) -> list[Parts]:
        """The whole value, over the lines there are."""
        value = str(row.values[1])
        bad = row.key == ("sealed",) and value.startswith("NO")
        style = "bad" if bad else "text"
        return [[(value[start : start + 76], style)] for start in range(0, min(len(value), 76 * 3), 76)] or [[]]


def shown_record(item: Mapping[str, Any]) -> dict[str, Any]:
    """A record's fields as lists show them: what its detail says by usual names stands beside them."""
    detail = item.get("detail") if isinstance(item.get("detail"), dict) else {}
    assert isinstance(detail, dict)
    request = detail.get("request_id") or detail.get("request_ids")
    return {
        **{name: item.get(name) for name in ("at", "action", "target", "outcome", "seq")},
        "who": item.get("login_name") or item.get("actor"),
        **{name: detail.get(name) for name in ("ticket", "reason", "cloud", "status")},
        "request_id": ", ".join(map(str, request)) if isinstance(request, list) else request,
    }


def question(filter: str) -> dict[str, str]:
    """What of a filter the engine is asked for, over the whole audit: its answer is sifted by the filter again.

    The engine looks for one text: the longest of those that must occur.
    """
    params: dict[str, str] = {}
    texts: list[str] = []
    for term in _required(parse(filter)):
        if isinstance(term, Word):
            texts.append(term.text)
        elif isinstance(term, Match) and len(term.values) == 1:
            _narrow(params, texts, term)
    plain = [text for text in texts if _PLAIN.match(text)]  # others stand escaped in what the engine looks through
    if plain:
        params["text"] = max(plain, key=len)
    return params


def _narrow(params: dict[str, str], texts: list[str], term: Match) -> None:
    value = term.values[0]
    if term.column == "age" and value.operator in ("", "<", "<="):
        found = _LENGTH.match(value.text)
        if found:
            seconds = float(found[1]) * UNITS[found[2]]
            since = datetime.now(UTC) - timedelta(seconds=min(seconds, _LONGEST))
            params["since"] = since.isoformat().replace("+00:00", "Z")
    elif value.operator == "=" and term.column in _ASKED:
        params[_ASKED[term.column]] = value.text
    elif value.operator in ("", "=") and term.column in (
        "who",
        "actor",
        "action",
        "target",
        "ticket",
        "reason",
        "text",
    ):
        texts.append(value.text)


def _required(tree: Filter) -> Iterator[Filter]:
    if isinstance(tree, And):
        for item in tree.items:
            yield from _required(item)
    else:
        yield tree


def _all(item: Mapping[str, Any]) -> str:
    return f"{item.get('target')} {json.dumps(item.get('detail'), ensure_ascii=False, default=str)}"


def _flat(detail: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """The detail's facts, those inside others with both names; a call's method and path stay one fact."""
    for name, value in detail.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{before}{name}.")
        elif isinstance(value, list):
            yield (
                f"{before}{name}",
                ", ".join(v if isinstance(v, str) else json.dumps(v, default=str) for v in value) or "-",
            )
        else:
            yield f"{before}{name}", "-" if value is None else str(value)
