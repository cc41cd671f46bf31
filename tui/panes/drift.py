"""Drift: what is other than it was, the worst first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from engine.drift.models import SEVERITIES, TRIAGE
from store.filter_rows import passes
from store.filters import parse
from store.types import registry
from tui.drift import LEVELS, between_words, counts_words, state_words, subject_words, sure_words
from tui.drift_filters import COLUMNS, FIELDS, question, record_of, shown_event, shown_states
from tui.panes.pane import Parts, Rows
from tui.panes.told import AskedPane, AskedSource
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Key, Row, Spec

EVENTS = "/q/drift/events"
MOST = 1000  # events that are read at once
DEEPEST = 10_000  # what the engine's lists give


class DriftSource(AskedSource):
    """Severities are in the order of how bad they are, not of the alphabet."""

    def selected(self, spec: Spec) -> list[Row]:
        """See LocalSource."""
        rows = super().selected(spec)
        first = spec.sort[0] if spec.sort else ("", False)
        if first[0] == "severity":
            at = COLUMNS.index("severity")
            rank = {name: number for number, name in enumerate(SEVERITIES)}
            rows.sort(key=lambda row: rank.get(str(row.values[at]), len(rank)), reverse=first[1])
        return rows


class DriftPane(AskedPane):
    """Events of the triage unless the filter names other states; `enter` opens one."""

    places = ("list", "drift")
    topics = frozenset({"drift"})
    noun = "event"
    counted = False
    columns = COLUMNS
    fields = FIELDS
    items: dict[Key, dict[str, Any]]

    def make_source(self) -> AskedSource:
        """Rows for the filter."""
        self.records: dict[Key, dict[str, Any]] = {}
        self.items = {}
        self.summary: dict[str, Any] = {}
        self.more = 0  # events that were not read
        self.below: dict[Key, list[Key]] = {}  # event -> those that the same action explains, read with it
        self.asked = DriftSource(self.columns, self.ask, self.records)
        return self.asked

    async def ask(self, filter: str) -> Rows:
        """Read the events that may pass, and the numbers of the triage."""
        params = self.params(filter)
        answer = await self.world.get(EVENTS, params)
        if int(answer.get("total") or 0) > MOST:
            params = self.params(filter, narrow=True)
            answer = await self.world.get(EVENTS, params)
        self.summary = await self.world.get("/q/drift/summary")
        items = [item for item in answer.get("items") or () if isinstance(item, dict)]
        self.more = max(0, int(answer.get("total") or 0) - len(items))
        self.records.clear()
        self.items = {(str(item.get("id")),): item for item in grouped(items)}
        self.below = {}
        rows: Rows = []
        for key, item in self.items.items():
            head = head_of(item)
            if head is not None and head in self.items:
                self.below.setdefault(head, []).append(key)
            shown = shown_event(item)
            if head is not None and head in self.items:
                shown["resource"] = f"└ {shown['resource']}"
            self.records[key] = record_of(item)
            rows.append((key, [shown.get(name) for name in COLUMNS]))
        return rows

    def params(self, filter: str, *, narrow: bool = False) -> dict[str, Any]:
        """What the engine is asked for: the worst first, the newest of them first."""
        params = question(filter, narrow=narrow) | {"sort_by": "severity", "sort_dir": "desc", "page_size": MOST}
        if self.view.clouds:
            params["cloud"] = list(self.view.clouds)
        if self.view.projects:
            params["project"] = list(self.view.projects)
        return params

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """What changed on what first; how bad is a glyph before it, and a word."""
        index = {name: number for number, name in enumerate(COLUMNS)}
        several = self.world.several_clouds
        others = set(shown_states(self.view.filter)) != set(TRIAGE)
        return [
            Head("resource", "RESOURCE", "name", 11, index["resource"]),
            Head("change", "CHANGE", "text", 26, index["change"]),
            Head("at", "AGE", "time", 4, index["at"]),
            Head("severity", "SEVERITY", "status", 8, index["severity"], levels=LEVELS),
            Head("state", "STATE", "text", 12, index["state"], others, True),
            Head("who", "WHO", "name", 14, index["who"]),
            Head("type", "TYPE", "text", 14, index["type"], False),
            Head("project", "PROJECT", "name", 12, index["project"], False),
            Head("cloud", "CLOUD", "name", 10, index["cloud"], several, not several),
            Head("rule", "RULE", "text", 26, index["rule"], False),
            Head("count", "TIMES", "number", 5, index["count"], False, True),
            Head("field", "FIELD", "text", 14, index["field"], False, True),
            Head("old", "WAS", "text", 20, index["old"], False, True),
            Head("new", "IS", "text", 20, index["new"], False, True),
            Head("region", "REGION", "name", 10, index["region"], False, True),
            Head("id", "ID", "id", 36, index["id"], False, True),
            Head("grade", "HOW SURE", "text", 14, index["grade"], False, True),
        ]

    def title(self) -> str:
        """What it is, and what is to be looked at: drift ✖2 ▲9 ·31."""
        counts = self.summary.get("triage") if self.summary else None
        words = "drift, not whole:" if self.gaps else "drift"
        return f"{words} {counts_words(counts)}" if isinstance(counts, dict) else words

    @property
    def gaps(self) -> list[str]:
        """Why the drift is not whole just now, as sentences."""
        return [clean(one) for one in self.summary.get("problems") or ()]

    def empty(self) -> str:
        """Nothing to look at, or nothing that passes."""
        if self.asked.stale:
            return "reading the drift …"
        if self.gaps:
            return f"the drift is not whole: {self.gaps[0]}"
        if not self.view.filter:
            return "nothing drifted that nobody looked at\n. shows what was acknowledged too, tab the rules"
        hidden = "" if set(shown_states(self.view.filter)) > set(TRIAGE) else "; . and , show what is hidden"
        return f"no event passes this filter\nesc clears it{hidden}"

    def enter(self, row: Row) -> View | None:
        """The event with all that is known of it."""
        return View("drift_event", subject=row.key)

    def resource_here(self, row: Row | None) -> tuple[str, Key, str] | None:
        """(type, key, name) of the resource of the event under the cursor."""
        return None if row is None else resource_of(self.items.get(row.key))

    def event_ids(self, keys: Sequence[Key]) -> list[int]:
        """Ids of the events in these rows."""
        return [int(key[0]) for key in keys if key[0].isdecimal()]

    def with_below(self, key: Key) -> list[Key]:
        """An event, and those that stand below it because the same action explains them."""
        return [key, *self.below.get(key, ())]

    def state_of(self, key: Key) -> str:
        """The state of the event in a row."""
        return str((self.items.get(key) or {}).get("state") or "")

    def note_subject(self, row: Row | None) -> dict[str, Any] | None:
        """What a note here would be about."""
        return subject_of(self.items.get(row.key) if row is not None else None)

    def strip(self, row: Row) -> list[Parts]:
        """What changed in full; who did it and how sure that is; when, where, and what people said."""
        item = self.items.get(row.key)
        if item is None:
            return []
        first: Parts = [
            (subject_words(item), "strong"),
            (f"  {clean(item.get('rule_name') or '')}", "muted"),
        ]
        if item.get("flapping"):
            first.append((f"  goes back and forth: {int(item.get('count') or 0)} times", "warn"))
        second: Parts = [("who ", "muted"), (sure_words(item), "text")]
        third: Parts = [(between_words(item), "muted")]
        for name in ("project_name", "cloud"):
            if item.get(name):
                third += [(" · ", "muted"), (clean(item[name]), "text")]
        if item.get("state") != "open":
            third.append((f"  {state_words(item)}", "warn" if item.get("state") == "resolved_unseen" else "text"))
        if self.gaps:
            third = [(f"not whole: {self.gaps[0]}", "bad")]
        elif self.more:
            third.append((f"  {self.more:,} more are not read: narrow with /", "muted"))
        return [first, second, third]

    async def passing(self, filter: str, leave_out: Collection[Key] = ()) -> list[int]:
        """Ids of all events that pass the filter now, also of those that were not read; as many as lists give."""
        tree, now = parse(filter), datetime.now(UTC)
        params, found, read = self.params(filter), [], 0
        while read < DEEPEST:
            answer = await self.world.get(EVENTS, {**params, "page": read // MOST + 1})
            items = [item for item in answer.get("items") or () if isinstance(item, dict)]
            found += [(str(i.get("id")),) for i in items if passes(tree, record_of(i), now)]
            read += len(items)
            if len(items) < MOST or read >= int(answer.get("total") or 0):
                break
        return self.event_ids([key for key in dict.fromkeys(found) if key not in leave_out])


def head_of(item: dict[str, Any]) -> Key | None:
    """Key of the event below which this one stands; None for one that stands by itself."""
    group = item.get("group")
    return (str(group),) if isinstance(group, int) and group != item.get("id") else None


def grouped(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events in their order, those of one action together, where the first of them stood; none is lost."""
    heads = {(str(item.get("id")),) for item in items if head_of(item) is None}
    groups: dict[Key, list[dict[str, Any]]] = {}
    for item in items:
        own, head = (str(item.get("id")),), head_of(item)
        below = head is not None and head in heads
        group = groups.setdefault(head if below and head is not None else own, [])
        group.insert(len(group) if below else 0, item)
    return [item for group in groups.values() for item in group]


def resource_of(item: dict[str, Any] | None) -> tuple[str, Key, str] | None:
    """(type, key, name) of an event's resource; None when it is of no type that is known here."""
    type, key = str((item or {}).get("resource_type") or ""), (item or {}).get("key")
    if item is None or type not in registry.ALL or not isinstance(key, list) or len(key) != 3:
        return None
    return type, tuple(str(part or "") for part in key), str(item.get("resource_name") or "")


def subject_of(item: dict[str, Any] | None) -> dict[str, Any] | None:
    """An event as what a note is about."""
    if not item:
        return None
    return {"kind": "drift", "type": str(item.get("resource_type") or "")[:64], "key": [str(item.get("id"))],
            "name": subject_words(item)[:255]}  # fmt: skip
