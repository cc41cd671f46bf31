"""The moments that a volume or a machine can go back to: its restore points, the newest first."""

from __future__ import annotations

from typing import Any

from tui.faults import is_expected
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.panes.resources import resource_params, resource_path
from tui.panes.told import local, with_rest
from tui.snapshots import POINTS, consistency_words, items_of, made_by, place_words, unread, unread_words
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Key, Row, RowSource

COLUMNS = ("at", "by", "status", "what", "size", "place", "volume", "name", "id")
TYPES = ("volume", "server")
MOST = 1000  # points
BACKUPS = "a backup is not deleted from here: it is what is left when the storage is lost"
MIXED = "images and snapshots are deleted by plans of their own: mark either"


class PointsPane(Pane):
    """Points of one resource; parts of one point stand together. `S` takes one now, `D` deletes the marked ones."""

    places = ("list", "room", "points")
    topics = frozenset({"snapshots", "data", "jobs"})
    noun = "restore point"
    counted = True

    def make_source(self) -> RowSource:
        """Points as rows."""
        self.items: dict[Key, dict[str, Any]] = {}
        self.answer: dict[str, Any] = {}
        return FetchedSource(COLUMNS, self._rows)

    async def _rows(self) -> Rows:
        self.items = {}
        if self.view.type not in TYPES or len(self.view.subject) != 3:
            return []
        cloud, region, id = self.view.subject
        params = {"cloud": cloud, "region": region, self.view.type: id, "limit": MOST}
        answer = await self.world.get(POINTS, params)
        self.answer = answer if isinstance(answer, dict) else {}
        await self._learn_name()
        rows: Rows = []
        for item, parts in together(items_of(answer)):
            image = item.get("kind") == "image"
            whole = f"{len(parts)} volumes, as one" if image else f"{volume_of(item)} and {len(parts)} more, as one"
            rows.append(self._row(item, whole if parts else ""))
            rows += [self._row(one, f"└ {volume_of(one)}") for one in parts]
        return rows

    async def _learn_name(self) -> None:
        """A machine's name is in none of its points; whoever comes back to this page brings none either."""
        place = (self.view.type, *self.view.subject)
        if self.view.type != "server" or place in self.world.names:
            return
        try:
            path, params = resource_path("server", self.view.subject), resource_params(self.view.subject, "")
            row = (await self.world.get(path, params)).get("row") or {}
        except Exception as error:
            if not is_expected(error):
                raise
            return  # it is gone: its id is what is known
        self.world.names[place] = clean(row.get("name") or self.view.subject[-1])

    def _row(self, item: dict[str, Any], volume: str) -> tuple[Key, list[Any]]:
        key = (*(str(item.get(name) or "") for name in ("cloud", "region", "id")), str(item.get("kind") or "snapshot"))
        self.items[key] = item
        return key, [
            item.get("taken_at"), made_by(item), item.get("status"), consistency_words(item), item.get("size_gb"),
            place_words(item), volume or item.get("volume_name") or item.get("volume_id"), item.get("name"),
            item.get("id"),
        ]  # fmt: skip

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """How old and whose first, then what it is and where it lies."""
        server = self.view.type == "server"
        return [
            Head("at", "AGE", "time", 5, 0),
            Head("by", "MADE BY", "name", 12, 1),
            Head("status", "STATUS", "status", 9, 2),
            Head("what", "CONSISTENCY", "text", 18, 3),
            Head("size", "SIZE", "size_gb", 5, 4),
            Head("place", "LIES ON", "text", 13, 5),
            Head("volume", "VOLUME", "name", 14, 6, server, not server),
            Head("name", "NAME", "name", 30, 7, False),
            Head("id", "ID", "id", 36, 8, False),
        ]

    @property
    def name(self) -> str:
        """Of the resource."""
        known = self.world.names.get((self.view.type, *self.view.subject))
        own = self.view.type == "volume" and next(
            (one["volume_name"] for one in self.items.values() if one.get("volume_name")), ""
        )
        return clean(known or own or (self.view.subject[-1:] or ("",))[0])

    def title(self) -> str:
        """Of what."""
        return f"restore points of {self.name}"

    def empty(self) -> str:
        """None: what that means and the key to the first."""
        if self.view.filter:
            return self.filtered()
        if isinstance(self.source, FetchedSource) and self.source.stale:
            return "looking for restore points …"
        if self.view.type not in TYPES:
            return "only volumes and machines have restore points"
        keys = self.world.keymap.shown
        why = f", {keys('why')} says why no policy does" if self.view.type == "volume" else ""
        return f"nothing to go back to: if it breaks, its data are lost\n{keys('take_point')} takes a snapshot now{why}"

    def enter(self, row: Row) -> View | None:
        """The snapshot, image or backup itself."""
        kind = row.key[3]
        return View("detail", kind, subject=row.key[:3]) if kind in ("snapshot", "image", "backup") else None

    def resource_here(self, row: Row | None) -> tuple[str, Key, str] | None:
        """(type, key, name) of the point under the cursor."""
        if row is None or row.key not in self.items:
            return None
        return row.key[3], row.key[:3], str(self.items[row.key].get("name") or "")

    def volume_here(self, row: Row | None) -> tuple[str, Key, str] | None:
        """The resource whose points these are, for taking one and for why."""
        if self.view.type not in TYPES or len(self.view.subject) != 3:
            return None
        return self.view.type, self.view.subject, self.name

    def strip(self, row: Row) -> list[Parts]:
        """When and by whom, what it is and what proves that, and whether a policy will remove it."""
        item = self.items.get(row.key)
        if item is None:
            return []
        by = clean(item.get("made_by") or made_by(item))
        first: Parts = [(local(item.get("taken_at")), "strong"), (f"  {by}", "text")]
        first.append((f"  {clean(item.get('name') or item.get('id') or '')}", "muted"))
        second: Parts = [(consistency_words(item), "text")]
        if item.get("proof"):
            second.append((f": {clean(item['proof'])}", "muted"))
        kept = "retention of its policy removes it in time" if item.get("own") else "no policy ever removes it"
        lost = "is lost with the storage of its volume" if place_words(item) != "backup" else "survives the storage"
        third: Parts = with_rest([(f"{kept}; {lost}", "muted")], unread_words(unread(self.answer), "older"))
        if item.get("group"):
            third.append(("; made as one with others", "muted"))
        return [first, second, third]


def together(items: list[dict[str, Any]]) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The points in their order, each with the parts that its image is made of, or, where they have no image, the first
    of those made as one with the others; a part stands nowhere else.
    """
    whole = {str(item.get("id")): item for item in items if item.get("kind") == "image"}
    parts: dict[str, list[dict[str, Any]]] = {}
    heads: list[tuple[str, dict[str, Any]]] = []
    for item in items:
        group = str(item.get("id") if item.get("kind") == "image" else item.get("group") or "")
        if whole.setdefault(group, item) is item or not group:
            heads.append((group, item))
        else:
            parts.setdefault(group, []).append(item)
    return [(item, parts.get(group, []) if group else []) for group, item in heads]


def volume_of(item: dict[str, Any]) -> str:
    """Name of the volume of a point, else its id."""
    return clean(item.get("volume_name") or item.get("volume_id") or "")
