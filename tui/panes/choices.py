"""Panes that people choose from: cloud and project, clouds to add, and the help."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from tui.actions import PLACES, Action, actions_in, symbol
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.paint import KEYS, NOT_NOW, SECTION
from tui.table.spec import Row, RowSource

PAGE = 2000  # rows of a window; the engine gives no more at once
MOST_PROJECTS = 10_000
NO_CANDIDATES = (
    "No cloud is set up, and there is none to add:\n{reason}\n\n"
    "Put a clouds.yaml where OpenStack's own tools look for it,\n"
    "~/.config/openstack/clouds.yaml, then press r.\n\n"
    "To look around without a cloud press {demo}: it opens a demo (qdeck --demo)."
)
NO_MORE = (
    "There is no other entry to add:\n{reason}\n\n"
    "Entries of clouds.yaml files are looked for where OpenStack's own tools look;\nr looks again, q goes back."
)


class ScopePane(Pane):
    """Clouds and projects; `enter` limits the view that was left to the chosen one."""

    noun = "choice"
    has_strip = False

    def __init__(self, view: View, world: Any, under: View) -> None:
        self.under = under  # the view that will be limited
        super().__init__(view, world)

    def make_source(self) -> RowSource:
        """All, clouds, projects."""
        return FetchedSource(("name", "what", "cloud", "domain"), self._rows)

    async def _rows(self) -> Rows:
        rows: Rows = [(("all", "", ""), ["all clouds, all projects", "", "", ""])]
        for cloud in self.world.clouds:
            name = str(cloud.get("name"))
            rows.append((("cloud", name, ""), [name, "cloud", name, ""]))
        return rows + await self._projects()

    async def _projects(self) -> Rows:
        rows: dict[tuple[str, ...], list[Any]] = {}
        body: dict[str, Any] = {"type": "project", "filter": "", "sort": [["name", False]], "before": 0, "after": PAGE}
        anchor: Any = "start"
        while len(rows) < MOST_PROJECTS:
            answer = await self.world.post("/q/windows", json=body | {"anchor": anchor})
            names, before = list(answer.get("columns") or ()), len(rows)
            for values in answer.get("rows") or []:
                project = dict(zip(names, values, strict=False))
                shown = [project.get("name"), "project", project.get("cloud"), project.get("domain_name")]
                rows["project", str(project.get("cloud")), str(project.get("id"))] = shown
                anchor = {"key": [project.get(name) for name in ("cloud", "region", "id")]}
            if not answer.get("has_after") or len(rows) == before:
                break
        return list(rows.items())

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Name first."""
        return [
            Head("name", "CLOUD OR PROJECT", "name", 30, 0),
            Head("what", "WHAT", "text", 8, 1),
            Head("cloud", "CLOUD", "name", 16, 2),
            Head("domain", "DOMAIN", "name", 16, 3),
        ]

    def title(self) -> str:
        """What is chosen."""
        return "choose a cloud or project"

    def enter(self, row: Row) -> View:
        """The view, limited."""
        kind, cloud, project = row.key
        under = replace(self.under, cursor=(), line=0)
        if kind == "all":
            return replace(under, clouds=(), projects=())
        return replace(under, clouds=(cloud,), projects=(project,) if kind == "project" else ())


class SetupPane(Pane):
    """No cloud yet: which ones could be added, and how to go on without any."""

    places = ("list", "setup")
    topics = frozenset({"engine"})
    noun = "cloud of clouds.yaml"
    _reason = "looking for clouds.yaml …"

    def make_source(self) -> RowSource:
        """Entries of clouds.yaml files."""
        return FetchedSource(("name", "auth_url", "user", "where"), self._rows)

    async def _rows(self) -> Rows:
        answer = await self.world.get("/q/clouds/candidates")
        self._reason = clean(answer.get("reason") or "no clouds.yaml was found")
        rows: Rows = []
        for item in answer.get("items") or []:
            if isinstance(item, dict):
                name, file = str(item.get("name") or ""), str(item.get("file") or "")
                added = f"yes, as {clean(item['added'])}" if item.get("added") else "no"
                rows.append(((name, file), [name, item.get("auth_url") or "", added, file]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Name and where it leads."""
        return [
            Head("name", "ENTRY", "name", 20, 0),
            Head("auth_url", "IDENTITY ENDPOINT", "text", 30, 1),
            Head("added", "ADDED", "text", 8, 2),
            Head("where", "FROM", "text", 40, 3),
        ]

    def title(self) -> str:
        """What to do."""
        return "add a cloud"

    def empty(self) -> str:
        """No candidates: lead by the hand."""
        if self.world.clouds:
            return NO_MORE.format(reason=self._reason)
        return NO_CANDIDATES.format(reason=self._reason, demo=self.world.keymap.shown("demo"))

    def strip(self, row: Row) -> list[Parts]:
        """What enter does."""
        name = clean(row.values[0])
        if str(row.values[2]).startswith("yes"):
            first: Parts = [(name, "strong"), (f" is watched already ({str(row.values[2])[5:]})", "muted")]
        else:
            first = [("enter tests ", "muted"), (name, "strong"), (" and asks whether to add it, READ-ONLY", "muted")]
        demo = self.world.keymap.shown("demo")
        return [
            first,
            [("its password stays in clouds.yaml; nothing in the cloud is changed", "muted")],
            [("without a cloud: ", "muted"), (demo, "accent"), (" looks around in a demo, as ", "muted"),
             ("qdeck --demo", "accent"), (" does", "muted")],
        ]  # fmt: skip


class HelpPane(Pane):
    """The keys that work in the view that was left, in groups; made from the registry."""

    noun = "key"
    has_strip = False

    def __init__(self, view: View, world: Any, places: Iterable[str]) -> None:
        self.here = tuple(places)
        super().__init__(view, world)

    def make_source(self) -> RowSource:
        """Actions as rows."""
        return FetchedSource(("key", "does"), self._rows)

    async def _rows(self) -> Rows:
        groups: dict[str, list[Action]] = {}
        for action in actions_in(self.here, self.world.keymap.actions):
            if action.keys:
                groups.setdefault(self._group(action), []).append(action)
        rows: Rows = []
        for place in (*reversed(self.here), "all"):
            found = groups.get(place, [])
            if found:
                rows.append(((SECTION, place), [" ", f"── {PLACES[place]} ──"]))
            for action in found:
                reason = self.world.why_not.get(action.id, "")
                keys = "  ".join(map(symbol, action.keys))
                key = (NOT_NOW, action.id) if reason else (action.id,)
                rows.append((key, [keys, f"not now, {reason}: {action.title}" if reason else action.title]))
        rows.append(((SECTION, "grammar"), [" ", "── what / and : understand ──"]))
        return rows + [((f"grammar{n}",), [" ", text]) for n, text in enumerate(GRAMMAR)]

    def _group(self, action: Action) -> str:
        """The place that says most about where an action works."""
        return next((place for place in reversed(self.here) if place in action.where), "all")

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Key, what it does."""
        return [Head("key", "KEY", KEYS, 12, 0), Head("does", "DOES", "text", 78, 1)]

    def title(self) -> str:
        """What it is."""
        return "help"


GRAMMAR = (
    'web prod: rows with both words    "two words"    !web: without',
    "a or b    ( )    status:error,shutoff: any of them",
    "name:=web-1 exactly    name:~^web regex    host:none    fault:any",
    "vcpus:>4    ram:8G..64G    age:<2d",
    ":volumes /error sort:size:desc @prod-eu: all in one line",
    ":web-3  :10.20.0.7  :fa163e001122  :find X: what it is or was",
    ":clouds  :inventory  :settings  :keys  :activity  :q",
    ":theme dark|light|contrast|ansi|none",
)
