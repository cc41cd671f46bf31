"""A client whose engine has a copilot: answers are prepared by the test, models say what they are given to say.

`python -m tests.tui.copilot_fake` shows the console on it.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from tests.tui.fake import server_values
from tests.tui.fakes import GateClient, stamp
from tui.api.errors import ApiError

SERVER = ["prod-eu", "eu-1", server_values(1, ("id",))[0]]
QUESTION = "which machines of acme-dev are off?"


def answer(**more: Any) -> dict[str, Any]:
    """An answer as the engine gives it; by itself a sure one without rows."""
    return {
        "history_id": 7, "outcome": "answer", "text": "There are 5,000 machines.", "value": 5000, "unit": "",
        "intent": "vm_count", "topic": "", "confidence": 1.0, "sure": True, "understood": "", "unknown": [],
        "scope": ["all projects"], "data_at": None, "data_age_seconds": 42.0, "live": False, "choices": [],
        "table": None, "queries": [{"kind": "sql", "text": "SELECT count(*)\nFROM servers"}], "proposals": [],
        "backend_used": "builtin", "model": None, "tokens_used": None, "cost": None, "data_sent_external": False,
        "took_ms": 4.0, "fallback_reason": "", **more,
    }  # fmt: skip


def proposal(kind: str, label: str, **more: Any) -> dict[str, Any]:
    """A proposal of an answer."""
    empty: dict[str, Any] = {
        "name": "",
        "type": "",
        "filter": "",
        "sort": [],
        "at": None,
        "keys": [],
        "values": [],
        "command": "",
    }
    return {"kind": kind, "label": label, **empty, **more}


def table(count: int, total: int = 0) -> dict[str, Any]:
    """Servers as rows of an answer."""
    names = ("name", "status", "project_name", "ram_mb", "id")
    rows = [dict(zip(names, server_values(n, names), strict=True)) for n in range(count)]
    roles = ("name", "status", "name", "size_mb", "id")
    columns = [
        {"name": name, "title": name.removesuffix("_name").removesuffix("_mb"), "role": role}
        for name, role in zip(names[:4], roles, strict=False)
    ]
    keys = [{"type": "server", "key": ["prod-eu", "eu-1", row.pop("id")]} for row in rows]
    return {"columns": columns, "rows": rows, "keys": keys, "total": total or count}


LISTED = answer(
    text="12 machines of acme-dev are off, the largest is 0000002-cache (4 GB).",
    table=table(12),
    scope=["project acme-dev"],
    proposals=[
        proposal("prefill", "snapshot of 0000001-db …", name="snapshot", type="server", keys=[SERVER],
                 values=[["name", "before-patch"]]),
        proposal("prefill", "restore 0000001-db …", name="restore", type="server", keys=[SERVER]),
        proposal("pane", "what changed", name="drift", filter="severity:critical"),
    ],
)  # fmt: skip
ASKED_BACK = answer(
    outcome="ask_back",
    text="Two projects are called acme.",
    sure=False,
    confidence=0.5,
    choices=["how many machines has acme-prod?", "how many machines has acme-dev?"],
    queries=[],
)
SUGGESTED = {
    "suggestions": {
        "categories": [
            {"name": "Infrastructure", "icon": "", "chips": [
                {"label": "How many VMs?", "question": "How many VMs?"},
                {"label": "Hosts", "question": "List all hosts", "template": False}]},
            {"name": "Tenant / Project", "icon": "", "chips": [
                {"label": "VMs on tenant …", "question": "VMs on tenant ", "template": True},
                {"label": "Quota for …", "question": "Quota of tenant ", "template": True}]},
        ],
        "tips": ['Scope by tenant: add "on tenant <name>"', "Use words like show, list, count, how many"],
    }
}  # fmt: skip


def asked(number: int, question: str, said: str, **more: Any) -> dict[str, Any]:
    """A question of the history."""
    return {
        "id": number, "question": question, "answer": said, "intent": "", "backend_used": "builtin", "model": None,
        "confidence": 1.0, "tokens_used": None, "cost": None, "data_sent_external": False, "feedback": None,
        "comment": "", "created_at": stamp(-180), **more,
    }  # fmt: skip


class CopilotClient(GateClient):
    """`said` answers by question ("" = any); `words` are what a model says bit by bit before the answer."""

    def __init__(self, rows: int = 200, *, writable: bool = True) -> None:
        super().__init__(rows, writable=writable)
        self.said: dict[str, dict[str, Any]] = {"": LISTED}
        self.words: list[str] = []
        self.tool = "query"
        self.final: dict[str, Any] | None = None
        self.more = asyncio.Event()  # cleared: the model says nothing more until it is set
        self.more.set()
        self.status = {"backend": "builtin", "model": None, "address": None, "local": True, "external": False,
                       "ready": True, "reason": ""}  # fmt: skip
        self.history = [
            asked(3, "how many VMs?", "There are 5,000 machines."),
            asked(2, QUESTION, "12 machines of acme-dev are off.", feedback="up", comment="right"),
        ]
        self.kept: dict[str, dict[str, Any]] = {}

    async def get(self, path: str, params: Any = None, json: Any = None) -> Any:
        if not path.startswith("/q/copilot"):
            return await super().get(path, params, json)
        self._note("GET", path, params)
        await self._wait(path)
        if path == "/q/copilot/status":
            return self.status
        if path == "/q/copilot/history":
            return {"total": len(self.history), "items": self.history}
        if path == "/q/copilot/suggestions":
            return SUGGESTED
        id = path.rpartition("/")[2]
        if id not in self.kept:
            raise ApiError(404, "this question is no longer kept")
        await self.more.wait()
        return self._next(id, int((params or {}).get("offset") or 0))

    def _next(self, id: str, offset: int) -> dict[str, Any]:
        whole = "".join(self.words)
        end = next((at for at in self._ends() if at > offset), None)
        if end is None or not self.words:
            final = self.final or self.kept[id]
            return {"id": id, "state": "done", "offset": len(whole), "text": whole[offset:], "tool": "",
                    "answer": final}  # fmt: skip
        return {"id": id, "state": "running", "offset": end, "text": whole[offset:end], "tool": self.tool,
                "answer": self.kept[id]}  # fmt: skip

    def _ends(self) -> list[int]:
        return [len("".join(self.words[: n + 1])) for n in range(len(self.words))]

    async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
        if "/copilot/" not in path:
            return await super().post(path, json, params)
        self._note("POST", path, json)
        await self._wait(path)
        if path == "/q/copilot/feedback":
            for item in self.history:
                item["feedback"] = json["feedback"] if item["id"] == json["history_id"] else item["feedback"]
            return {"status": "ok"}
        if path == "/api/copilot/test-connection":
            return {"success": True, "message": "Ollama answers", "latency_ms": 245}
        id = f"q{len(self.kept) + 1}"
        found = self.said.get(json["question"], self.said[""])
        self.kept[id] = found
        self.history.insert(0, asked(100 + len(self.kept), json["question"], found["text"]))
        state = "running" if self.words and not json.get("built_in") else "done"
        return {"id": id, "state": state, "offset": 0, "text": "", "tool": "", "answer": found}


def main() -> int:
    """Run the console on this terminal."""
    from tui.app import prepare

    prepare(os.environ)
    from tui.console import QuarterdeckApp
    from tui.themes.palette import choose

    client = CopilotClient(5000)
    client.said |= {"who?": ASKED_BACK}
    if os.environ.get("FAKE_MODEL"):
        client.status |= {"backend": "ollama", "model": "llama3"}
        client.words = [f"word{n} " for n in range(30)]

    async def connect() -> CopilotClient:
        return client

    app = QuarterdeckApp(connect, "servers", theme=choose(os.environ))
    app.run(mouse=False)
    return app.return_code or 0


if __name__ == "__main__":
    raise SystemExit(main())
