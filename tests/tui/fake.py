"""A client without an engine: rows computed from their index, so that a list may be a million rows long.

It implements the methods of the engine's client that the console uses, and keeps count of what was asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from store.types import registry
from tui.api.errors import ApiError

BOARDS = ("/dashboard/", "/tenant-health/", "/drift/", "/q/drift/")  # answered by tests.tui.figures
MOST_ROWS = 2000  # of a window, before and after its anchor each; the engine refuses more
COPILOT: dict[str, Any] = {
    "/q/copilot/history": {"total": 0, "items": []},
    "/q/copilot/suggestions": {"suggestions": {"categories": [], "tips": []}},
    "/q/copilot/status": {"backend": "builtin", "model": None, "local": True, "external": False, "ready": True},
}
DRIFT = ("events", "summary", "rules", "ignores", "windows")
KINDS = ("web", "db", "cache", "batch", "app")
STATUSES = ("ACTIVE", "ACTIVE", "SHUTOFF", "ACTIVE", "ERROR", "BUILD", "ACTIVE")


def server_values(index: int, columns: tuple[str, ...]) -> list[Any]:
    """One server, always the same for an index."""
    kind = KINDS[index % len(KINDS)]
    # Half a minute past the minute, counted from now: ages on screen are the same whenever a test looks.
    made = (
        (datetime.now(UTC) - timedelta(minutes=3 + 17 * index % 900_000, seconds=30)).isoformat().replace("+00:00", "Z")
    )
    known = {
        "cloud": "prod-eu",
        "region": "eu-1",
        "id": f"{index:08x}-7e1f-4a4c-9c1d-{index * 7919 % 0xFFFFFFFFFFFF:012x}",
        "name": f"{index:07d}-{kind}",
        "status": STATUSES[index % len(STATUSES)],
        "project_id": f"{index % 40:032x}",
        "project_name": f"acme-{('prod', 'dev', 'test')[index % 3]}",
        "host": f"cmp-{index % 120:03d}",
        "flavor_name": f"m1.{('small', 'large', 'xlarge')[index % 3]}",
        "vcpus": 2 ** (index % 6),
        "ram_mb": 1024 * 2 ** (index % 8),
        "disk_gb": 20 * (1 + index % 130),
        "ips": f"10.{index >> 16 & 255}.{index >> 8 & 255}.{index & 255}" + (", 203.0.113.9" if index % 4 == 0 else ""),
        "availability_zone": f"zone-{index % 3 + 1}",
        "created_at": made,
        "locked": index % 11 == 0,
        "fault": "No valid host was found." if STATUSES[index % len(STATUSES)] == "ERROR" else None,
    }
    return [known.get(name) for name in columns]


class FakeClient:
    """`rows` servers (computed lazily), a few rows of every other type, one cloud."""

    def __init__(self, rows: int = 200, *, delay: float = 0.0) -> None:
        self.rows = rows
        self.delay = delay
        self.calls: list[tuple[str, str, Any]] = []
        self.gone: set[int] = set()  # indices of servers that were deleted
        self.override: dict[tuple[int, str], Any] = {}  # (index, column) -> value
        self.version = 1
        self.seq = 1
        self.hints: list[dict[str, Any]] = []
        self.saved_view: Any = None
        self.columns: dict[str, list[str]] = {}  # chosen columns, by type
        self.fail: Exception | None = None
        self.fail_path: dict[str, Exception] = {}
        self.clouds = [cloud("prod-eu", rows)]
        self.demo: Any = None  # what the engine says of its demo
        self.links: list[dict[str, Any]] = []  # more links of every resource
        self.candidates: list[dict[str, Any]] = []
        self.collections: list[dict[str, Any]] = []
        self.states: list[dict[str, Any]] = []
        self.age = 42.0
        self.docs: dict[str, Any] = {}
        self.listings: list[dict[str, Any]] = []
        self.jobs: list[dict[str, Any]] = []
        self.settings = {item["key"]: item for item in SETTINGS}
        self.problem_items: list[dict[str, Any]] = []  # see tests.tui.troubles
        self.answers: dict[str, Any] = {}  # answers of GET by path, before all others
        self._changed = asyncio.Event()
        self.answering = asyncio.Event()  # cleared: no answer until it is set
        self.answering.set()

    # the client's methods

    async def get(self, path: str, params: Any = None, json: Any = None) -> Any:
        self._note("GET", path, params)
        if path.startswith("/q/changes"):
            return await self._changes(params or {})
        await self._wait(path)
        if path in self.answers:
            return self.answers[path]
        if path.startswith("/q/resources/"):
            return self._resource(path)
        if path.startswith(("/q/snapshot/", "/snapshot")):  # see tests.tui.snapshots_fake
            return {"total": 0, "items": []}
        if path in ("/q/restore/jobs", "/q/restore/kept", "/q/restore/bulk"):  # see tests.tui.restore_fake
            return {"total": 0, "items": []}
        answers: dict[str, Callable[[], Any]] = {
            "/q/clouds": lambda: {"items": self.clouds},
            "/q/tree": lambda: self._tree(params),
            "/q/clouds/candidates": lambda: {"items": self.candidates},
            "/q/collections": lambda: {"items": self.collections},
            "/q/session-view": lambda: self.saved_view,
            "/q/engine": lambda: {"state": "running", "version": "0.1.0", "pid": 1, "clouds": [], "demo": self.demo},
            "/q/notes": lambda: {"total": 0, "items": []},
            "/q/problems": lambda: self.problems(params or {}),
            "/q/listings": lambda: {"items": self.listings},
            "/q/settings": lambda: {"file": "/etc/qdeck/qdeck.toml", "items": list(self.settings.values())},
            "/q/jobs": lambda: {"total": len(self.jobs), "items": self.jobs},
            "/q/audit": lambda: {"total": 0, "items": []},
            **{f"/q/drift/{name}": lambda: {"total": 0, "items": []} for name in DRIFT},
            "/q/views": lambda: {"items": []},
            "/q/shift": lambda: {"mine": None},
            "/q/columns": lambda: {
                "items": [{"type": t, "columns": c, "chosen": True} for t, c in self.columns.items()]
            },
        }
        if path.startswith("/q/copilot/"):  # see tests.tui.copilot_fake
            if path not in COPILOT:
                raise ApiError(404, "this question is no longer kept")
            return COPILOT[path]
        if path.startswith(BOARDS) and path not in answers:
            raise ApiError(404, "this engine does not tell it")
        return answers[path.partition("?")[0]]()

    async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
        self._note("POST", path, json)
        await self._wait(path)
        if path == "/q/windows":
            return self._window(json)
        if path == "/q/windows/position":
            return self._position(json)
        if path == "/q/collections":
            item = collection("prod-eu")
            self.collections = [item]
            return {"items": [item]}
        if path == "/q/collections/on-demand":
            return {"rows": [], "state": "ok", "reason": ""}
        if path == "/q/clouds/candidates/test":
            return {"user": "ops", "scope_name": "all", "roles": ["reader"], "regions": ["eu-1"], "problem": None}
        if path == "/q/suspects/decision":
            return {"kept": 40}
        if path == "/q/clouds":
            self.clouds.append(cloud(json["account"], 3))
            self.candidates = [c for c in self.candidates if c["name"] != json["account"]]
            return self.clouds[-1]
        raise KeyError(path)

    async def put(self, path: str, json: Any = None, params: Any = None) -> Any:
        self._note("PUT", path, json)
        await self._wait(path)
        if path.startswith("/q/columns/"):
            self.columns[path.rpartition("/")[2]] = json["columns"]
            return {}
        if path.startswith("/q/settings/"):
            key = path.rpartition("/")[2]
            self.settings[key] = self.settings[key] | {"value": json["value"], "source": "app"}
            return self.settings[key]
        assert path == "/q/session-view"
        self.saved_view = json
        return {}

    async def delete(self, path: str, json: Any = None, params: Any = None) -> Any:
        self._note("DELETE", path, json)
        await self._wait(path)
        return {}

    async def download(self, path: str, json: Any, sink: Any, told: Any) -> dict[str, str]:
        """`POST /q/exports`: names of the rows, as CSV whatever was asked for."""
        self._note("POST", path, json)
        await self._wait(path)
        order = self._ordered(json)
        headers = {"x-qdeck-rows": str(len(order))}
        told(headers)
        for index in order:
            sink.write((",".join(str(v) for v in self.values(index, tuple(json["columns"]))) + "\n").encode())
        return headers

    async def close(self) -> None:
        self.calls.append(("CLOSE", "", None))

    # what tests do

    def change(self, *hints: dict[str, Any]) -> None:
        """Say that data changed."""
        self.version += 1
        self.seq += 1
        self.hints = list(hints) or [{"topic": "data", "type": "server", "cloud": "prod-eu", "version": self.version}]
        self._changed.set()

    def problems(self, params: dict[str, Any]) -> dict[str, Any]:
        """`GET /q/problems`."""
        loud = [p for p in self.problem_items if not p["muted_until"]]
        quiet = [p for p in self.problem_items if p["muted_until"]]
        counts = {name: sum(p["severity"] == name for p in loud) for name in ("critical", "warning", "info")}
        listed = [p for p in (*loud, *(quiet if params.get("muted", True) else ()))
                  if params.get("severity") in (None, p["severity"])]  # fmt: skip
        return {"total": len(listed), "counts": {**counts, "muted": len(quiet)}, "items": listed, "at": None,
                "problems": []}  # fmt: skip

    def asked(self, method: str, path: str) -> list[Any]:
        """The bodies of the calls of that path."""
        return [body for m, p, body in self.calls if (m, p) == (method, path)]

    # inside

    def _note(self, method: str, path: str, body: Any) -> None:
        self.calls.append((method, path, body))

    async def _wait(self, path: str) -> None:
        await asyncio.sleep(self.delay)
        await self.answering.wait()
        error = self.fail or next((e for p, e in self.fail_path.items() if path.startswith(p)), None)
        if error is not None:
            raise error

    async def _changes(self, params: dict[str, Any]) -> Any:
        if self.fail is not None:
            raise self.fail
        if int(params.get("since") or 0) >= self.seq:
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), float(params.get("wait", 25)))
            except TimeoutError:
                return {"seq": self.seq, "hints": []}
        if self.fail is not None:
            raise self.fail
        return {"seq": self.seq, "hints": self.hints if params.get("since") else []}

    def _indices(self, body: dict[str, Any]) -> list[int] | range:
        """Indices of the rows that pass, in ascending order of name."""
        total = range(0) if body["type"] != "server" else range(self.rows)
        words = body.get("filter", "").lower().split()
        if not words and not self.gone:
            return total
        if len(words) == 1 and (word := words[0].removeprefix("name:")) in KINDS and not self.gone:
            return total[KINDS.index(word) :: len(KINDS)]
        if self.rows > 50_000:
            return range(0)
        names = ("name", "status", "host", "project_name")
        kept = []
        for i in total:
            text = " ".join(str(v) for v in self.values(i, names)).lower()
            if i not in self.gone and all(w.partition(":")[2] in text if ":" in w else w in text for w in words):
                kept.append(i)
        return kept

    def values(self, index: int, columns: tuple[str, ...]) -> list[Any]:
        values = server_values(index, columns)
        for number, name in enumerate(columns):
            if (index, name) in self.override:
                values[number] = self.override[index, name]
        return values

    def _ordered(self, body: dict[str, Any]) -> list[int] | range:
        indices = self._indices(body)
        for name, descending in reversed(body.get("sort") or []):
            if name == "name":
                indices = indices[::-1] if descending else indices
            elif len(indices) <= 50_000:
                indices = sorted(indices, key=lambda i: self.values(i, (name,))[0] or 0, reverse=descending)
        return indices

    def _at(self, body: dict[str, Any], order: list[int] | range) -> int | None:
        anchor = body["anchor"]
        if anchor == "start":
            return 0 if len(order) else None
        if anchor == "end":
            return len(order) - 1 if len(order) else None
        if "rank" in anchor:
            return min(anchor["rank"], len(order) - 1)
        index = int(anchor["key"][2][:8], 16)
        try:
            return order.index(index)
        except ValueError:
            return None

    def _window(self, body: dict[str, Any]) -> Any:
        type = registry.find(body["type"])
        known = [c.name for c in type.view_columns]
        assert set(body.get("columns") or ()) <= set(known), "unknown column asked for"
        assert max(body["before"], body["after"]) <= MOST_ROWS, "more rows asked for than an engine gives"
        columns = ("cloud", "region", "id", *(body.get("columns") or type.default_columns))
        order = self._ordered(body)
        at = self._at(body, order)
        middle = 0 if at is None else at
        start, stop = max(0, middle - body["before"]), min(len(order), middle + body["after"] + 1)
        return {
            "type": type.name, "columns": list(columns),
            "rows": [self.values(order[i], columns) for i in range(start, stop)],
            "anchor_index": None if at is None else at - start,
            "has_before": start > 0, "has_after": stop < len(order),
            "data_version": self.version, "data_age_seconds": self.age, "states": self.states, "at": None,
        }  # fmt: skip

    def _position(self, body: dict[str, Any]) -> Any:
        order = self._ordered(body)
        return {"total": len(order), "rank": self._at(body, order), "data_version": self.version}

    def _tree(self, params: dict[str, Any]) -> Any:
        """A server with its host and 30 volumes; a volume with its server; a host with all servers."""
        type, id = params["type"], params["id"]
        name, status = (self.values(int(id[:8], 16), ("name", "status"))) if type == "server" else (id, None)

        def group(direction: str, type: str, ids: list[str], count: int = 0) -> dict[str, Any]:
            items = [{"key": ["prod-eu", "eu-1", i], "name": f"{type}-{i[:8]}", "status": "in-use"} for i in ids]
            found = {"direction": direction, "type": type, "title": f"{type}s", "filter": f"x:={id}", "items": items}
            return found | {"count": count or len(items)}

        server = "00000001-7e1f-4a4c-9c1d-000000001eef"
        groups = {
            "server": [group("uses", "hypervisor", ["cmp-001"]), group("uses", "volume", list("abc"))],
            "volume": [group("used_by", "server", [server]), group("used_by", "snapshot", ["s1"])],
            "hypervisor": [group("used_by", "server", [f"{n:08x}-x" for n in range(50)], 1234)],
        }.get(type, [])
        key = [params["cloud"], params["region"], id]
        return {"type": type, "key": key, "name": name, "status": status, "gone": False, "groups": groups}

    def _resource(self, path: str) -> Any:
        type_name, id = path.split("/")[3:5]
        type = registry.find(type_name)
        columns = tuple(c.name for c in type.view_columns)
        index = int(id[:8], 16)
        row = dict(zip(columns, self.values(index, columns), strict=True))
        doc = self.docs.get(id) or {"id": id, "name": row.get("name"), "metadata": {"[red]markup[/red]": "a: b"}}
        return {
            "type": type.name, "key": ["prod-eu", "eu-1", id], "row": row, "doc": doc, "denied": [],
            "valid_from": "2026-02-08T09:00:00Z", "valid_to": None, "listing": {"ended_at": "2026-02-08T09:00:00Z"},
            "links": [
                {"type": "volume", "title": "volumes", "filter": f"server_ids:={id}", "count": 3},
                {"type": "port", "title": "ports", "filter": f"device_id:={id}", "count": 2},
                *self.links,
            ],
        }  # fmt: skip


def setting(key: str, value: Any, **more: Any) -> dict[str, Any]:
    """A setting as `GET /q/settings` describes it."""
    return {
        "key": key, "value": value, "default": value, "source": "default", "locked": False, "changeable": True,
        "allowed": "a whole number from 1 to 1440", "description": f"What {key} is for.", "updated_at": None,
        "updated_by": None, **more,
    }  # fmt: skip


SETTINGS = (
    setting("collection.interval_minutes", 5),
    setting("collection.retention_days", 180, default=90, source="file", locked=True, changeable=False),
    setting("engine.group", None, changeable=False),
)


def cloud(name: str, servers: int) -> dict[str, Any]:
    """A cloud as `GET /q/clouds` describes it."""
    return {
        "name": name,
        "accounts": [{"name": name, "auth_url": "https://id.example/v3", "scope": "system", "user": "ops"}],
        "regions": ["eu-1"], "state": "ok", "reason": "", "last_whole_listing": "2026-02-08T09:00:00Z",
        "age_seconds": 42, "writable": False, "rows": {"server": servers, "volume": 30, "project": 3},
    }  # fmt: skip


def collection(cloud_name: str, state: str = "running") -> dict[str, Any]:
    """A collection as the engine describes it."""
    return {
        "id": "01", "cloud": cloud_name, "state": state, "started_at": "2026-02-08T09:00:00Z", "ended_at": None,
        "by": "ops", "error": None,
        "types": [
            {"type": "server", "region": "eu-1", "state": "running", "rows": 4200, "total_known": 12408, "rate": 810.5,
             "new": 4200, "changed": 0, "gone": 0, "error": None},
            {"type": "volume", "region": "eu-1", "state": "queued", "rows": 0, "total_known": None, "rate": None,
             "new": 0, "changed": 0, "gone": 0, "error": None},
        ],
    }  # fmt: skip
