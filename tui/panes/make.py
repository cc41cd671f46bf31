"""From a view to its pane."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tui.panes.activity import ActivityPane
from tui.panes.audit import AuditPane, RecordPane
from tui.panes.changes import ChangesPane
from tui.panes.choices import HelpPane, ScopePane, SetupPane
from tui.panes.columns import ColumnsPane
from tui.panes.dashboard import DashboardPane
from tui.panes.detail import DetailPane, RawPane
from tui.panes.drift import DriftPane
from tui.panes.drift_event import DriftEventPane
from tui.panes.drift_rules import IgnoresPane, RulesPane, WindowsPane
from tui.panes.events import EventsPane
from tui.panes.find import FindPane
from tui.panes.handover import HandoverPane
from tui.panes.health import HealthPane
from tui.panes.heatmap import HeatmapPane
from tui.panes.history import ComparePane, HistoryPane
from tui.panes.job import JobPane
from tui.panes.jobs import JobsPane
from tui.panes.keys import KeysPane
from tui.panes.listings import ListingsPane
from tui.panes.log import LogPane
from tui.panes.notes import NotesPane
from tui.panes.overview import CloudsPane, CollectionsPane, InventoryPane
from tui.panes.pane import Pane
from tui.panes.problems import ProblemsPane
from tui.panes.resources import ResourcesPane
from tui.panes.saved import SavedPane
from tui.panes.settings import SettingsPane
from tui.panes.tenant import TenantPane
from tui.panes.timeline import ReportPane, TimelinePane
from tui.panes.tree import TreePane
from tui.state import View
from tui.world import World

_PANES: dict[str, Callable[[View, World], Pane]] = {
    "list": ResourcesPane,
    "detail": DetailPane,
    "raw": RawPane,
    "inventory": InventoryPane,
    "clouds": CloudsPane,
    "setup": SetupPane,
    "collections": CollectionsPane,
    "find": FindPane,
    "log": LogPane,
    "tree": TreePane,
    "events": EventsPane,
    "audit": AuditPane,
    "record": RecordPane,
    "jobs": JobsPane,
    "job": JobPane,
    "notes": NotesPane,
    "handover": HandoverPane,
    "views": SavedPane,
    "columns": ColumnsPane,
    "keys": KeysPane,
    "settings": SettingsPane,
    "listings": ListingsPane,
    "activity": ActivityPane,
    "history": HistoryPane,
    "compare": ComparePane,
    "changes": ChangesPane,
    "timeline": TimelinePane,
    "report": ReportPane,
    "drift": DriftPane,
    "drift_event": DriftEventPane,
    "drift-rules": RulesPane,
    "ignores": IgnoresPane,
    "windows": WindowsPane,
    "problems": ProblemsPane,
    "dashboard": DashboardPane,
    "health": HealthPane,
    "heatmap": HeatmapPane,
    "tenant": TenantPane,
}


def make_pane(view: View, world: World, *, under: View, places: Iterable[str]) -> Pane:
    """The pane of a view. `under` is the list that a chosen cloud will limit, `places` those that the help is about."""
    if view.kind == "scope":
        return ScopePane(view, world, under)
    if view.kind == "help":
        return HelpPane(view, world, places)
    return _PANES[view.kind](view, world)


def pane_places() -> list[tuple[str, ...]]:
    """The places of every kind of pane: keys of the places of one pane work at the same time."""
    return list(dict.fromkeys(pane.places for pane in (*_PANES.values(), ScopePane, HelpPane)))  # type: ignore[attr-defined]
