"""Where the operator is: a view as a value, the history of views, and both as JSON for the engine to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from store.filters import ViewText, parse
from store.types import registry
from tui.table.spec import Spec

OF_ONE = ("detail", "raw", "log", "events", "tree", "history", "compare")  # views of one resource
SPANS = ("changes", "timeline", "report")  # opened by their own word, with two times behind it
PAGES = (  # opened by their own word, with a filter behind it
    *("audit", "notes", "handover", "views", "jobs", "keys", "settings", "listings", "activity"),
    *("health", "problems", "drift", "drift-rules", "ignores", "windows"),
    *("protection", "policies", "compliance", "runs", "exclusions"),
    *("restores", "restore-kept", "restores-many"),
    *("copilot", "suggestions"),
)
PROTECTED = ("points", "why")  # of one resource: what it can go back to, why it has its policies
KINDS = (
    "list",
    *OF_ONE,
    "inventory",
    "dashboard",
    "tenant",
    "heatmap",
    "clouds",
    "setup",
    "collections",
    "scope",
    "help",
    "find",
    *PAGES,
    "record",
    "job",
    "columns",
    "drift_event",
    "run",
    "restore",
    "answer",
    *PROTECTED,
    *SPANS,
)
MOST_VIEWS = 30
_TEXT_LIMIT = 2000
MOST_EXTRA = 8  # columns beyond the default ones that lists read for wide screens and for the strip
FIRST_EXTRA = ("fault", "created_at", "flavor_name", "availability_zone", "disabled_reason", "description", "locked")


@dataclass(frozen=True, slots=True)
class View:
    """One view: everything needed to come back to it.

    kind     one of KINDS
    type     name of the resource type, for lists and views of one resource
    columns  shown columns of a list in their order, () = those that the type declares
    subject  key of the resource, for views of one resource
    of       (type, *key) of the resource that a list hangs on, if a key led there
    span     two times: of a comparison, or of what changed between them; time words, the second "" for now
    cursor, line  key of the row under the cursor and its line on screen
    """

    kind: str = "list"
    type: str = ""
    filter: str = ""
    sort: tuple[tuple[str, bool], ...] = ()
    clouds: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    at: str = ""
    columns: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    of: tuple[str, ...] = ()
    format: str = "yaml"
    span: tuple[str, ...] = ()
    cursor: tuple[str, ...] = ()
    line: int = 0

    def same_place(self, other: View) -> bool:
        """Whether both show the same thing, wherever the cursor is."""
        return replace(self, cursor=(), line=0) == replace(other, cursor=(), line=0)

    def text(self) -> str:
        """The view in the words of the command bar, as far as it has words."""
        if self.kind == "find" and self.subject:
            return f"find {self.subject[0]}"
        if self.kind in PAGES and self.filter:
            return f"{self.kind} {self.filter}"
        if self.kind in SPANS:
            from tui.changes import words_of_view  # needed only by those who keep such a view

            return words_of_view(self)
        if self.kind != "list":
            return self.kind
        cloud = self.clouds[0] if len(self.clouds) == 1 else ""
        return ViewText(registry.ALL[self.type].plural, self.filter, self.sort, cloud, self.at).format()


DEFAULT = View("list", "server")
HOME = View("dashboard")
AWAY = timedelta(hours=8)  # after which the first screen comes before the view that was left


def left_long_ago(session: Any, now: datetime) -> bool:
    """Whether what the engine kept was left so long ago that whoever comes back begins a new shift."""
    try:
        return now - datetime.fromisoformat(session["at"]) > AWAY
    except (KeyError, TypeError, ValueError):
        return False


def spec_of(view: View, *, all_columns: bool = False) -> Spec:
    """A list of resources as the engine is asked for it: with the columns that it shows and the first others of its
    own, or with all (joined ones cost the engine a look-up each).
    """
    type = registry.ALL[view.type]
    columns = tuple(column.name for column in type.view_columns)
    if not all_columns:
        shown = tuple(name for name in view.columns if name in columns) or type.default_columns
        own = [c.name for c in type.columns if c.role not in ("id", "list") and c.name not in shown]
        extra = [name for name in own if name in FIRST_EXTRA] + [name for name in own if name not in FIRST_EXTRA]
        named = [name for name in ("name", *(c.name for c in type.columns if c.role == "status")) if name in own]
        columns = tuple(dict.fromkeys((*shown, *named, *extra[:MOST_EXTRA])))
    return Spec(view.type, view.filter, view.sort, view.clouds, view.projects, view.at, columns)


def view_of_text(text: str, current: View) -> View:
    """The view that a line of the command bar means, seen from the current one.

    Raises FilterError, TimeError, and KeyError with a sentence about the type's name.
    """
    first, _, rest = text.strip().partition(" ")
    if first.lower() == "find" and rest.strip():
        return find_view(rest, current)
    if first.lower() in (*SPANS, "deletions"):
        from tui.changes import view_of_words

        return view_of_words(first.lower(), rest, current)
    if first.lower() in PAGES:
        parse(rest)
        return View(first.lower(), filter=rest.strip())
    parsed = ViewText.parse(text)
    if parsed.type:
        type = registry.find(parsed.type)
        sort = tuple((column_named(type.name, name), down) for name, down in parsed.sort)
    else:
        type = registry.ALL.get(current.type) or registry.find("server")
        sort = tuple((column_named(type.name, name), down) for name, down in parsed.sort) or current.sort
    clouds = (parsed.cloud,) if parsed.cloud else current.clouds
    projects = current.projects if clouds == current.clouds else ()
    at = instant_of_words(parsed.at) if parsed.at else current.at
    return View("list", type.name, parsed.filter, sort, clouds, projects, at)


def find_view(text: str, current: View) -> View:
    """What a text is or was, in all clouds, at the time of the current view."""
    return View("find", subject=(" ".join(text.split())[:255],), at=current.at)


def instant_of_words(words: str) -> str:
    """RFC 3339 of what time words mean to the operator; "" for now. Raises TimeError."""
    from tui.times import parse as parse_time  # needed only when somebody looks back

    now = datetime.now().astimezone()
    moment = parse_time(words, now) if words.strip() else now
    return "" if moment == now else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def column_named(type_name: str, name: str) -> str:
    """The column that a person means: its own name, or its head as it is on screen ("age")."""
    columns = registry.ALL[type_name].view_columns
    if any(column.name == name for column in columns):
        return name
    wanted = name.lower().replace("_", " ")
    return next((column.name for column in columns if column.title.lower() == wanted), name)


def view_of_json(data: Any) -> View | None:
    """The view in what the engine kept; None when it can't be understood (another version may have written it)."""
    if not isinstance(data, Mapping):
        return None
    kind, type_name = data.get("kind"), data.get("type", "")
    if kind not in KINDS or (kind in ("list", "columns", *OF_ONE) and type_name not in registry.ALL):
        return None
    texts: dict[str, Any] = {name: data.get(name, "") for name in ("filter", "at", "format")}
    lists: dict[str, Any] = {
        name: _texts(data.get(name)) for name in ("clouds", "projects", "columns", "subject", "of", "cursor", "span")
    }
    if not all(isinstance(text, str) and len(text) <= _TEXT_LIMIT for text in texts.values()):
        return None
    if (kind in (*OF_ONE, *PROTECTED) and len(lists["subject"]) != 3) or len(lists["of"]) not in (0, 4):
        return None
    if (kind in SPANS and type_name not in ("", *registry.ALL)) or len(lists["span"]) not in (0, 2):
        return None
    line = data.get("line")
    return View(
        kind=kind,
        type=type_name,
        sort=tuple((name, bool(down)) for name, down in _pairs(data.get("sort"))),
        line=line if isinstance(line, int) and 0 <= line < 1000 else 0,
        **texts,
        **lists,
    )


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list | tuple) and all(isinstance(v, str) for v in value) else ()


def _pairs(value: Any) -> list[tuple[str, bool]]:
    if not isinstance(value, list | tuple):
        return []
    return [tuple(v) for v in value if isinstance(v, list | tuple) and len(v) == 2 and isinstance(v[0], str)]


@dataclass(slots=True)
class History:
    """Views in the order they were opened, and the one on screen."""

    views: list[View] = field(default_factory=list)
    index: int = -1

    @property
    def current(self) -> View:
        """The view on screen; the default one before anything was opened."""
        return self.views[self.index] if self.views else DEFAULT

    def open(self, view: View) -> None:
        """Put a new view behind the current one; what lay ahead is forgotten."""
        if self.views and self.current.same_place(view):
            self.views[self.index] = view
            return
        self.views[self.index + 1 :] = [view]
        del self.views[:-MOST_VIEWS]
        self.index = len(self.views) - 1

    def update(self, view: View) -> None:
        """Replace the current view: its filter, order or cursor changed."""
        if self.views:
            self.views[self.index] = view

    def step(self, delta: int) -> View | None:
        """Go back or ahead; None when there is nothing there."""
        target = self.index + delta
        if not 0 <= target < len(self.views):
            return None
        self.index = target
        return self.current

    def to_json(self, theme: str, lines: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
        """What the engine keeps: the current view and the way back from it, the latest lines of the bar; a few KB."""
        start = max(0, self.index - 9)
        return {
            "protocol": 1,
            "theme": theme,
            "lines": dict(lines or {}),
            "view": asdict(self.current),
            "back": [asdict(view) for view in self.views[start : self.index]],
        }

    @classmethod
    def from_json(cls, data: Any) -> History:
        """What the engine kept; empty when it can't be understood."""
        if not isinstance(data, Mapping):
            return cls()
        back = data.get("back")
        views = [view_of_json(item) for item in (*(back if isinstance(back, list) else ()), data.get("view"))]
        known = [view for view in views if view is not None]
        if not known or views[-1] is None:
            return cls()
        return cls(known[-MOST_VIEWS:], len(known[-MOST_VIEWS:]) - 1)
