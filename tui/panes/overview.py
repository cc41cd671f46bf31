"""Panes over everything: the inventory's types, the clouds, a running collection."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from store.types import registry
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Row, RowSource
from tui.targets import writable_words
from tui.times import age

SERVICES = {
    "identity": "identity",
    "compute": "compute",
    "block-storage": "block storage",
    "image": "image",
    "network": "network",
}


class InventoryPane(Pane):
    """Every type with its count; `enter` opens its list."""

    topics = frozenset({"data", "engine", "collection"})
    noun = "type"
    has_strip = False

    def make_source(self) -> RowSource:
        """Types as rows."""
        return FetchedSource(("type", "count", "service", "names"), self._rows)

    async def _rows(self) -> Rows:
        rows: Rows = []
        for type in registry.ALL.values():
            if type.listing.on_demand:
                continue
            count = self.world.count(type.name, self.view.clouds)
            service = SERVICES.get(type.listing.service, type.listing.service)
            rows.append(((type.name,), [type.title, count, service, ", ".join((type.plural, *type.aliases))]))
        order = {name: number for number, name in enumerate(("compute", "block storage", "network", "image"))}
        rows.sort(key=lambda row: order.get(row[1][2], 9))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Title, count, service and the words for `:`."""
        return [
            Head("type", "TYPE", "name", 24, 0),
            Head("count", "COUNT", "number", 9, 1),
            Head("service", "SERVICE", "name", 13, 2),
            Head("names", "GO TO WITH :", "text", 30, 3),
        ]

    def title(self) -> str:
        """What it is."""
        return "inventory"

    def enter(self, row: Row) -> View:
        """The type's list."""
        return View("list", row.key[0], clouds=self.view.clouds, projects=self.view.projects)


class CloudsPane(Pane):
    """How every cloud is doing: age of its data, what is wrong, what to do."""

    places = ("list", "clouds")
    topics = frozenset({"data", "engine", "collection", "writes"})
    noun = "cloud"

    def make_source(self) -> RowSource:
        """Clouds as rows."""
        return FetchedSource(("name", "state", "age", "servers", "rows", "writing", "reason"), self._rows)

    async def _rows(self) -> Rows:
        answer = await self.world.get("/q/clouds")
        self.world.clouds = [item for item in answer.get("items") or [] if isinstance(item, dict)]
        self.world.clouds_known = True
        rows: Rows = []
        now = datetime.now(UTC)
        for cloud in self.world.clouds:
            counts = cloud.get("rows") or {}
            seconds = cloud.get("age_seconds")
            values = [
                cloud.get("name"),
                cloud.get("state") or "unknown",
                "never" if seconds is None else age(seconds),
                counts.get("server"),
                sum(n for n in counts.values() if isinstance(n, int)),
                writable_words(cloud, now),
                cloud.get("reason") or "",
            ]
            rows.append(((str(cloud.get("name")),), values))
        return rows

    @property
    def faults(self) -> tuple[str, ...]:
        """States in which data isn't renewed."""
        return ("unreachable", "refused", "failed", "error")

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """State first, reason last."""
        return [
            Head("name", "CLOUD", "name", 20, 0),
            Head("state", "STATE", "status", 12, 1),
            Head("age", "DATA AGE", "number", 8, 2),
            Head("servers", "SERVERS", "number", 8, 3),
            Head("rows", "ROWS", "number", 9, 4),
            Head("writing", "CHANGES", "text", 13, 5),
            Head("reason", "WHAT IS WRONG", "text", 60, 6),
        ]

    def title(self) -> str:
        """What it is."""
        return "clouds"

    def empty(self) -> str:
        """No cloud at all."""
        return self.filtered() or "no cloud is set up\n+ shows the clouds of clouds.yaml that can be added"

    def enter(self, row: Row) -> View:
        """That cloud's types."""
        return View("inventory", clouds=(row.key[0],))

    def strip(self, row: Row) -> list[Parts]:
        """Accounts, and what to do about what is wrong."""
        cloud = self.world.cloud(row.key[0]) or {}
        first: Parts = [(clean(cloud.get("name", "")), "strong")]
        if cloud.get("reason"):
            first += [("  " + clean(cloud["reason"]), "bad")]
        second: Parts = []
        for account in cloud.get("accounts") or []:
            if isinstance(account, dict):
                words = [
                    account.get("name"),
                    account.get("user"),
                    account.get("scope_name") or account.get("scope"),
                    account.get("auth_url"),
                ]
                second += [("account ", "muted"), (clean("  ".join(str(w) for w in words if w)) + "   ", "text")]
                if account.get("last_error"):
                    second.append((clean(account["last_error"]), "bad"))
        third: Parts = [(advice(str(cloud.get("state") or ""), cloud.get("age_seconds")), "muted")]
        return [first, second, third]


def advice(state: str, age_seconds: Any) -> str:
    """What a state means and what to do about it."""
    old = f"data is {age(age_seconds)} old; " if isinstance(age_seconds, int | float) else ""
    known = {
        "ok": f"{old}r collects now",
        "stale": f"{old}the last collections failed; r tries again now",
        "unreachable": f"{old}it is tried again by itself; what was collected stays readable",
        "suspect": f"{old}many rows vanished at once, so none was deleted; = decides whether they are gone",
        "degraded": f"{old}a part of it could not be read; l tells what, r tries again now",
        "failed": f"{old}it can't be read; l tells what was tried, r tries again now",
        "not_permitted": f"{old}the account may not read some types (l); another account of this cloud may",
        "new": "nothing was collected yet; r collects now",
    }
    return known.get(state, f"{old}r collects now")


class CollectionsPane(Pane):
    """The collection that runs or ran last, type by type."""

    topics = frozenset({"collection"})
    noun = "type"
    live = True

    def make_source(self) -> RowSource:
        """Types of the newest collection of each cloud as rows."""
        names = ("type", "state", "cloud", "rows", "of", "rate", "new", "changed", "gone", "error")
        return FetchedSource(names, self._rows)

    async def _rows(self) -> Rows:
        answer = await self.world.get("/q/collections")
        self.world.collections = [item for item in answer.get("items") or [] if isinstance(item, dict)]
        rows: Rows = []
        seen: set[str] = set()
        for collection in self.world.collections:
            cloud = str(collection.get("cloud"))
            if cloud in seen:
                continue
            seen.add(cloud)
            for part in collection.get("types") or []:
                rate = part.get("rate")
                values = [
                    part.get("type"), part.get("state"), cloud, part.get("rows"), part.get("total_known"),
                    round(rate) if isinstance(rate, int | float) else None,
                    part.get("new"), part.get("changed"), part.get("gone"), part.get("error") or "",
                ]  # fmt: skip
                rows.append(((cloud, str(part.get("region")), str(part.get("type"))), values))
        return rows

    @property
    def faults(self) -> tuple[str, ...]:
        """States of a type that brought nothing."""
        return ("failed", "error")

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Progress first."""
        return [
            Head("type", "TYPE", "name", 20, 0),
            Head("state", "STATE", "status", 9, 1, levels={"done": "ok"}),
            Head("cloud", "CLOUD", "name", 12, 2, self.world.several_clouds, not self.world.several_clouds),
            Head("rows", "ROWS", "number", 8, 3),
            Head("of", "OF", "number", 8, 4),
            Head("rate", "PER S", "number", 6, 5),
            Head("new", "NEW", "number", 7, 6),
            Head("changed", "CHANGED", "number", 7, 7),
            Head("gone", "GONE", "number", 6, 8),
            Head("error", "WHAT WENT WRONG", "text", 60, 9),
        ]

    def title(self) -> str:
        """What it is."""
        return "collection"

    def empty(self) -> str:
        """None yet."""
        return self.filtered() or "no collection ran since the engine started\nr starts one"

    def enter(self, row: Row) -> View | None:
        """The type's list."""
        try:
            return View("list", registry.find(row.key[2]).name, clouds=(row.key[0],))
        except KeyError:
            return None

    def strip(self, row: Row) -> list[Parts]:
        """What went wrong, in full."""
        error = str(row.values[9] or "")
        return [[(clean(row.values[0]), "strong"), ("  " + clean(error), "bad")]]
