"""Problems as the engine tells them, for tests of the client."""

from __future__ import annotations

from typing import Any

from tests.tui.fake import FakeClient
from tui.api.errors import ApiError

HOSTILE = "\x1b]0;title\x07[red]\u202e=1+1\nnext"


def problem(id: str, title: str, severity: str = "warning", **more: Any) -> dict[str, Any]:
    """One problem as `GET /q/problems` lists it."""
    return {
        "id": id, "rule": "service_down", "severity": severity, "title": title, "detail": f"what is behind {title}",
        "cloud": "prod-eu", "region": "eu-1", "type": "server", "key": None, "filter": "status:error", "opens": None,
        "project_id": None, "project_name": None, "since": "2026-02-08T09:00:00Z", "since_exact": True,
        "first_seen": "2026-02-08T09:00:00Z", "age_seconds": 390.0, "count": 1, "machines": 0, "owner": None,
        "mine": False, "taken_at": None, "note": None, "note_by": None, "note_key": ["prod-eu", id],
        "muted_until": None, "muted_by": None, "mute_reason": None, **more,
    }  # fmt: skip


USUAL = (
    problem("aa01", "cmp-02: nova-compute is down", "critical", machines=23, key=["prod-eu", "eu-1", "7"],
            type="compute_service", detail="23 machines, 2 of them in anti-affinity groups"),
    problem("bb02", "9 volumes of acme-prod are stuck", owner="dana", count=9, type="volume",
            filter="status:detaching project_name:acme-prod", note="ticket with the vendor", note_by="dana"),
    problem("cc03", "prod-us is stale", opens="clouds", type=None, since_exact=False, rule="list_stale"),
    problem("dd04", "job 118 waits: Stop 3 servers", opens="job:118", type=None, mine=True, owner="root"),
    problem("ee05", "/var/lib/qdeck has 2.1 GB left", type=None, rule="disk", cloud=None),
    problem("ff06", HOSTILE, "info", detail=HOSTILE, note=HOSTILE, owner=HOSTILE),
    problem("0a07", "quota of lab", muted_until="2126-02-08T09:00:00Z", muted_by="anna", mute_reason="known"),
)  # fmt: skip


class TroubledClient(FakeClient):
    """An engine with problems that can be taken and muted."""

    def __init__(self, *items: dict[str, Any]) -> None:
        super().__init__(50)
        self.problem_items = [dict(item) for item in items or USUAL]

    async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
        if path == "/q/notes":
            self._note("POST", path, json)
            return {"subject": json["subject"], "text": json["text"]}
        if not path.startswith("/q/problems/"):
            return await super().post(path, json, params)
        self._note("POST", path, json)
        if path.endswith("/take"):
            return self._change(path, owner="root", mine=True)
        return self._change(path, muted_until=json["until"], muted_by="root", mute_reason=json["reason"])

    async def delete(self, path: str, json: Any = None, params: Any = None) -> Any:
        self._note("DELETE", path, json)
        if path.endswith("/take"):
            return self._change(path, owner=None, mine=False)
        return self._change(path, muted_until=None)

    def _change(self, path: str, **values: Any) -> dict[str, Any]:
        for item in self.problem_items:
            if item["id"] == path.split("/")[3]:
                item.update(values)
                return item
        raise ApiError(404, "this problem is over")

    def trouble(self, *items: dict[str, Any]) -> None:
        """From now on these are the problems; who listens is told."""
        self.problem_items = [dict(item) for item in items]
        self.change({"topic": "problems"})
