"""The list of one resource type: the heart of the console."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from store.filters import FilterError, matches, parse
from store.types import registry
from store.types.declaration import ResourceType
from tui.ondemand import way_there
from tui.panes.pane import Pane, Parts
from tui.state import View, spec_of
from tui.table.cells import clean
from tui.table.columns import heads_of_type
from tui.table.format import GLYPHS, level, value_text
from tui.table.layout import Head
from tui.table.source import EngineSource
from tui.table.spec import Key, Row, RowSource, Spec
from tui.world import World

ALWAYS = ("cloud", "region", "id", "age")  # names that every type's filter knows


class ResourcesPane(Pane):
    """Rows of one type, from the engine."""

    places = ("list", "resources")
    topics = frozenset({"data", "notes"})
    counted = True

    def __init__(self, view: View, world: World) -> None:
        self.type: ResourceType = registry.ALL[view.type]
        self.noun = self.type.plural.replace("_", " ")
        super().__init__(view, world)
        self.columns: tuple[str, ...] = ()
        self.all_columns = False
        self._links: dict[Key, list[dict[str, Any]]] = {}
        self._notes: dict[Key, int] = {}

    def make_source(self) -> RowSource:
        """Windows of the engine."""
        return EngineSource(self.world)

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """The type's columns."""
        self.columns = columns
        several = self.world.several_clouds and len(self.view.clouds) != 1
        return heads_of_type(self.type, columns, several_clouds=several, chosen=self.view.columns)

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """Names of the shown columns, in their order."""
        return self.view.columns or self.type.default_columns

    @property
    def faults(self) -> Sequence[str]:
        """The type's own words."""
        return self.type.faults

    def spec(self) -> Spec:
        """The view as the engine is asked."""
        return spec_of(self.view, all_columns=self.all_columns)

    def title(self) -> str:
        """The type's plural, and what they hang on if a key led here."""
        words = self.type.title.lower() if self.type.title else self.type.plural
        if not self.view.of:
            return words
        return f"{words} of {self.world.names.get(self.view.of) or clean(self.view.of[-1])[:8]}"

    def check_filter(self, text: str) -> str:
        """The grammar, and the columns' names."""
        try:
            tree = parse(text)
        except FilterError as error:
            return str(error)
        known = {column.name for column in self.type.view_columns}.union(ALWAYS)
        for match in matches(tree):
            name = match.column
            heads = {column.title.lower().replace(" ", "_") for column in self.type.view_columns}
            if name not in known and name not in heads and not any(k.startswith(name) for k in known):
                return f"{self.type.plural} have no column {name!r}; tab completes names"
        return ""

    def empty(self) -> str:
        """Why there are none, and what to do."""
        if self.view.filter:
            return f"no {self.noun} match this filter\nesc clears it"
        if self.type.listing.on_demand:
            return way_there(self.type)
        running = self.world.running
        if not self.world.clouds and self.world.demo:
            return demo_text(self.world)
        if running:
            return f"nothing collected yet: {progress_text(running)}\n0 then c shows every type"
        if self.world.clouds_known and not self.world.clouds:
            return "no cloud is set up yet\n0 shows the clouds that could be added"
        if self.world.count(self.type.name) is None:
            return f"no {self.noun} were ever collected\nr collects now"
        where = " in this cloud and project" if self.view.clouds or self.view.projects else ""
        return f"there are no {self.noun}{where}"

    def enter(self, row: Row) -> View:
        """All columns of the row."""
        view = self.view
        return View("detail", self.type.name, subject=row.key, clouds=view.clouds, projects=view.projects, at=view.at)

    def strip(self, row: Row) -> list[Parts]:
        """Name, state and what is wrong; what isn't on screen; what hangs on it."""
        values = dict(zip(self.columns, row.values, strict=False))
        now = datetime.now(UTC)
        first: Parts = [(clean(values.get("name") or row.key[-1]), "strong")]
        status = next((c.name for c in self.type.view_columns if c.role == "status"), "")
        if row.gone:
            first += [("  gone: the newest listing doesn't have it any more", "warn")]
        elif status and values.get(status) is not None:
            word = level(values[status], self.type.faults)
            first += [("  ", "text"), (f"{GLYPHS[word]} {clean(values[status])}", word)]
        fault = values.get("fault") or values.get("disabled_reason")
        if fault:
            first += [("  ", "text"), (clean(fault), "bad")]
        second: Parts = [(clean(row.key[-1]), "muted")] if values.get("name") else []
        for column in self.type.view_columns:
            value = values.get(column.name)
            skip = column.name in self.shown_columns or column.name in ("name", "fault", "id")
            if skip or value in (None, "", []) or column.role == "id" or value is False:
                continue
            text = value_text(value, column.role, now)
            second += [("  " * bool(second) + (column.title or column.name).lower() + " ", "muted"), (text, "text")]
        return [first, second, self._links_line(row)]

    def _links_line(self, row: Row) -> Parts:
        parts: Parts = []
        if number := self._notes.get(row.key):
            parts.append((f"✎ {number:,} note{'s' * (number > 1)}", "warn"))
        for link in self._links.get(row.key, ()):
            on_demand = bool(link.get("on_demand"))
            if not link.get("count") and not on_demand:
                continue
            if parts:
                parts.append((" · ", "muted"))
            parts += [(clean(link.get("title") or link.get("type", "")), "muted")]
            if not on_demand:  # how many there are is known once the cloud was asked
                parts += [(" " + clean(link.get("count", "?")), "accent")]
        return parts

    async def enrich(self, row: Row) -> bool:
        """Counts of what hangs on the row, and of the notes on it."""
        from tui.panes.notes import count_notes  # here: the first screen is there before anybody counts

        if row.key in self._links:
            return False
        answer = await self.world.get(resource_path(self.type.name, row.key), resource_params(row.key, self.view.at))
        if len(self._links) > 200:
            self.expire()
        self._notes[row.key] = await count_notes(self.world, self.type.name, row.key)
        self._links[row.key] = [link for link in answer.get("links") or [] if isinstance(link, dict)]
        return True

    def expire(self) -> None:
        """Counts are read again."""
        self._links.clear()
        self._notes.clear()


def resource_path(type_name: str, key: Key) -> str:
    """Path of one resource; ids of some types hold slashes and blanks."""
    from urllib.parse import quote

    return f"/q/resources/{type_name}/{quote(key[-1], safe='')}"


def resource_params(key: Key, at: str) -> dict[str, str]:
    """Parameters that name one resource among the clouds."""
    params = {"cloud": key[0], "region": key[1]}
    return params | {"at": at} if at else params


def demo_text(world: World) -> str:
    """What a demo without its cloud is doing, or why it has none."""
    if world.demo_state == "failed":
        problem = clean(world.demo["problem"], 400)
        return f"the demo cloud can't be made\n{problem}\n`qdeck --demo engine logs` says more"
    doing = progress_text(world.running) if world.running else "its services start, then everything in it is collected"
    return f"the demo cloud is being made\n{doing}"


def progress_text(collection: dict[str, Any]) -> str:
    """One line about a running collection."""
    types = [t for t in collection.get("types") or [] if isinstance(t, dict)]
    done = sum(t.get("state") == "done" for t in types)
    rows = sum(t.get("rows") or 0 for t in types)
    rate = sum(t.get("rate") or 0 for t in types if t.get("state") == "running")
    now = ", ".join(clean(t.get("type", "")) for t in types if t.get("state") == "running")[:60]
    if not types:
        return f"collecting {clean(collection.get('cloud', ''))}: signing in, looking what there is"
    speed = f" at {rate:,.0f}/s" if rate else ""
    head = f"collecting {clean(collection.get('cloud', ''))}: {rows:,} rows{speed}, {done}/{len(types)} types"
    return f"{head} ({now})" if now else head
