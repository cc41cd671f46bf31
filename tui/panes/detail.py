"""One resource: all its columns and what hangs on it; and its whole document as YAML or JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from store.types import registry
from tui.panes.notes import note_rows
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.panes.resources import resource_params, resource_path
from tui.panes.told import drift_rows, points_rows
from tui.state import View
from tui.table.cells import clean
from tui.table.format import GLYPHS, NOTHING, level, moment_of, value_text
from tui.table.layout import Head
from tui.table.paint import DOCUMENT, LABEL, LINK
from tui.table.spec import Row, RowSource
from tui.times import age
from tui.world import World

LONGEST_VALUE = 2000
LINE_CELLS = 400  # longer lines of a document are broken: a value may be 10 MB on one line
MOST_LINES = 20_000


class _OneResource(Pane):
    """What both views of one resource share."""

    topics = frozenset({"data"})

    def __init__(self, view: View, world: World) -> None:
        self.type = registry.ALL[view.type]
        super().__init__(view, world)
        self.answer: dict[str, Any] = {}

    async def fetch(self) -> dict[str, Any]:
        """The resource as the engine knows it."""
        key = self.view.subject
        self.answer = await self.world.get(resource_path(self.type.name, key), resource_params(key, self.view.at))
        return self.answer

    @property
    def name(self) -> str:
        """The resource's name, or its id."""
        row = self.answer.get("row") or {}
        return clean(row.get("name") or self.view.subject[-1])

    def title(self) -> str:
        """Type and name."""
        return f"{self.type.name.replace('_', ' ')} {self.name}"


class DetailPane(_OneResource):
    """Links first, then every column with its value."""

    places = ("list", "detail")
    topics = frozenset({"data", "notes", "drift"})
    noun = "field"

    def make_source(self) -> RowSource:
        """Fields and links as rows."""
        return FetchedSource(("field", "value"), self._rows)

    async def _rows(self) -> Rows:
        answer = await self.fetch()
        # First what somebody wanted everybody to know who looks here.
        rows = await note_rows(self.world, "resource", self.type.name, self.view.subject)
        for link in answer.get("links") or []:
            title = clean(link.get("title") or link.get("type", ""))
            key = (LINK, str(link.get("type", "")), str(link.get("filter", "")))
            count = "read from the cloud when opened" if link.get("on_demand") else str(link.get("count", "?"))
            rows.append((key, [f"→ {title}", count]))
        if not self.view.at:
            rows += await drift_rows(self.world, self.view.subject)
            if self.type.name in ("volume", "server"):
                rows += await points_rows(self.world, self.type.name, self.view.subject)
        values, denied = answer.get("row") or {}, set(answer.get("denied") or ())
        now = datetime.now(UTC)
        own = self.view.subject
        values = values | {"id": own[-1], "cloud": own[0], "region": own[1]}
        declared = {column.name: column.role for column in self.type.view_columns}
        # What the list shows too comes first, then which one it is, then all the rest.
        for name in dict.fromkeys((*self.type.default_columns, "id", "cloud", "region", *declared, *values)):
            shown = full_text(values.get(name), declared.get(name, "text"), now)
            if name in denied:
                shown = "not visible to the account that collects this"
            rows.append((("field", name), [name, shown]))
        for name in ("valid_from", "valid_to"):
            if answer.get(name):
                rows.append((("field", name), [name, full_text(answer[name], "time", now)]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Field and value."""
        return [Head("field", "FIELD", LABEL, 20, 0), Head("value", "VALUE", "text", 400, 1)]

    def enter(self, row: Row) -> View | None:
        """The list behind a link."""
        if row.key[0] != LINK:
            return None
        if row.key[1] == "points":
            return View("points", self.type.name, subject=self.view.subject)
        if row.key[1] == "drift":
            return View("drift", filter=row.key[2], clouds=self.view.subject[:1])
        try:
            type = registry.find(row.key[1])
        except KeyError:
            return None
        clouds = (self.view.subject[0],) if self.view.subject[0] else ()
        return View("list", type.name, filter=row.key[2], clouds=clouds, at=self.view.at)

    def asks(self, row: Row) -> dict[str, str] | None:
        """What the cloud must be asked for before a link shows anything; None for what collections read.

        The past is not asked for: only what was read then is known.
        """
        links = self.answer.get("links") or ()
        if row.key[0] != LINK or self.view.at:
            return None
        if not any(link.get("on_demand") and str(link.get("type")) == row.key[1] for link in links):
            return None
        cloud, region, id = self.view.subject
        return {"type": row.key[1], "resource_id": id, "cloud": cloud, "region": region}

    def strip(self, row: Row) -> list[Parts]:
        """The whole value of the field, over the lines there are."""
        if row.key[0] == LINK:
            return [[(f"enter opens {clean(row.values[0][2:])}", "muted")], [(clean(row.key[2]), "text")]]
        value = str(row.values[1])
        return [[(value[start : start + 76], "text")] for start in range(0, min(len(value), 76 * 3), 76)] or [[]]

    def empty(self) -> str:
        """There is always something, unless a filter hides it."""
        return "no field matches this filter\nesc clears it" if self.view.filter else "reading …"


class RawPane(_OneResource):
    """The document as the cloud's API gave it, secrets left out by the engine."""

    places = ("list", "raw")
    has_strip = False
    noun = "line"

    def make_source(self) -> RowSource:
        """Lines as rows."""
        return FetchedSource(("line",), self._rows)

    async def _rows(self) -> Rows:
        document = (await self.fetch()).get("doc")
        text = as_json(document) if self.view.format == "json" else as_yaml(document)
        lines: list[str] = []
        for line in text.split("\n"):
            lines += [line[at : at + LINE_CELLS] for at in range(0, len(line), LINE_CELLS)] or [""]
            if len(lines) > MOST_LINES:
                lines.append(f"… more than {MOST_LINES:,} lines; `qdeck show` prints all of them")
                break
        return [((str(number),), [_keep_indent(line)]) for number, line in enumerate(lines)]

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """One column of text."""
        return [Head("line", self.view.format.upper(), DOCUMENT, LINE_CELLS, 0)]

    def empty(self) -> str:
        """There is always something, unless a filter hides it."""
        return "no line matches this filter\nesc clears it" if self.view.filter else "reading …"


def _keep_indent(line: str) -> str:
    # A blank in front keeps an empty line from being shown as "nothing".
    return line or " "


def full_text(value: Any, role: str, now: datetime) -> str:
    """A value in full, on one line: times with their age, lists with all their items."""
    if role == "time" and isinstance(value, str) and (moment := moment_of(value)):
        words = moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
        return f"{words} ({age((now - moment).total_seconds())} ago)"
    if role == "status" and value:
        return f"{GLYPHS[level(value)]} {clean(value)}"
    if isinstance(value, list):
        return clean(", ".join(str(item) for item in value) or NOTHING, LONGEST_VALUE)
    if role in ("size_mb", "size_gb", "size_bytes") and isinstance(value, int | float) and not isinstance(value, bool):
        if value == 0:
            return "0"
        unit = {"size_mb": "MiB", "size_gb": "GiB", "size_bytes": "B"}[role]
        return f"{value_text(value, role, now)} ({value:,} {unit})"
    if isinstance(value, dict):
        return clean(json.dumps(value, ensure_ascii=False), LONGEST_VALUE)
    return value_text(value, role if role != "address" else "list", now)


def as_json(document: Any) -> str:
    """The document as indented JSON."""
    return json.dumps(document, indent=2, ensure_ascii=False, default=str)


def as_yaml(document: Any) -> str:
    """The document as YAML, keys in the order of the API's answer."""
    import yaml  # 15 ms, needed here alone

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(document, Dumper=dumper, sort_keys=False, allow_unicode=True, width=LINE_CELLS).rstrip("\n")
