"""From a view to its pane. A pane's module is loaded when its first view is opened: the first screen needs one."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import Any

from tui.panes.pane import Pane
from tui.state import View
from tui.world import World

# Kind of view -> module of this package, and the class in it.
PANES: dict[str, tuple[str, str]] = {
    "list": ("resources", "ResourcesPane"),
    "detail": ("detail", "DetailPane"),
    "raw": ("detail", "RawPane"),
    "inventory": ("overview", "InventoryPane"),
    "clouds": ("overview", "CloudsPane"),
    "setup": ("choices", "SetupPane"),
    "collections": ("overview", "CollectionsPane"),
    "find": ("find", "FindPane"),
    "log": ("log", "LogPane"),
    "tree": ("tree", "TreePane"),
    "events": ("events", "EventsPane"),
    "audit": ("audit", "AuditPane"),
    "record": ("audit", "RecordPane"),
    "jobs": ("jobs", "JobsPane"),
    "job": ("job", "JobPane"),
    "notes": ("notes", "NotesPane"),
    "handover": ("handover", "HandoverPane"),
    "views": ("saved", "SavedPane"),
    "columns": ("columns", "ColumnsPane"),
    "keys": ("keys", "KeysPane"),
    "settings": ("settings", "SettingsPane"),
    "listings": ("listings", "ListingsPane"),
    "activity": ("activity", "ActivityPane"),
    "history": ("history", "HistoryPane"),
    "compare": ("history", "ComparePane"),
    "changes": ("changes", "ChangesPane"),
    "timeline": ("timeline", "TimelinePane"),
    "report": ("timeline", "ReportPane"),
    "drift": ("drift", "DriftPane"),
    "drift_event": ("drift_event", "DriftEventPane"),
    "drift-rules": ("drift_rules", "RulesPane"),
    "ignores": ("drift_rules", "IgnoresPane"),
    "windows": ("drift_rules", "WindowsPane"),
    "protection": ("snapshots", "ProtectionPane"),
    "policies": ("snapshots_policies", "PoliciesPane"),
    "exclusions": ("snapshots_policies", "ExclusionsPane"),
    "compliance": ("snapshots_compliance", "CompliancePane"),
    "why": ("snapshots_compliance", "WhyPane"),
    "runs": ("snapshots_runs", "RunsPane"),
    "run": ("snapshots_runs", "RunPane"),
    "points": ("snapshots_points", "PointsPane"),
    "restores": ("restores", "RestoresPane"),
    "restore": ("restore_job", "RestoreJobPane"),
    "restore-kept": ("restore_kept", "KeptPane"),
    "restores-many": ("restore_many", "ManyPane"),
    "problems": ("problems", "ProblemsPane"),
    "dashboard": ("dashboard", "DashboardPane"),
    "health": ("health", "HealthPane"),
    "heatmap": ("heatmap", "HeatmapPane"),
    "tenant": ("tenant", "TenantPane"),
    "copilot": ("copilot", "CopilotPane"),
    "suggestions": ("copilot", "SuggestionsPane"),
    "answer": ("answer", "AnswerPane"),
    "scope": ("choices", "ScopePane"),
    "help": ("choices", "HelpPane"),
}


def pane_class(kind: str) -> Any:
    """The class of the panes of a kind of view."""
    module, name = PANES[kind]
    return getattr(import_module(f"tui.panes.{module}"), name)


def make_pane(view: View, world: World, *, under: View, places: Iterable[str]) -> Pane:
    """The pane of a view. `under` is the list that a chosen cloud will limit, `places` those that the help is about."""
    more = {"scope": (under,), "help": (places,)}.get(view.kind, ())
    pane: Pane = pane_class(view.kind)(view, world, *more)
    return pane


def pane_places() -> list[tuple[str, ...]]:
    """The places of every kind of pane: keys of the places of one pane work at the same time."""
    return list(dict.fromkeys(pane_class(kind).places for kind in PANES))
