"""A client whose engine knows a past: versions of one server, and a list of changes of any length."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.tui.fake import FakeClient

COLUMNS = ["key", "type", "cloud", "region", "id", "change", "at", "name", "project", "what", "field", "times",
           "old", "new"]  # fmt: skip
SUBJECT = ("prod-eu", "eu-1", "00000000-7e1f-4a4c-9c1d-000000000000")
DAY = datetime(2026, 2, 8, tzinfo=UTC)
HOSTILE = "we\x1b[31mb\u202e-1\nx"


def at(hours: float) -> str:
    """So many hours after the beginning of the day."""
    return (DAY + timedelta(hours=hours, microseconds=1)).isoformat().replace("+00:00", "Z")


def version(number: int, kind: str, what: str, changes: list[tuple[str, Any, Any]], **more: Any) -> dict[str, Any]:
    """One version as `/history/details` tells it."""
    return {
        "recorded_at": at(number),
        "change_type": kind,
        "change_description": what,
        "sequence": number,
        "current": False,
        "valid_to": at(number + 1),
        "change_hash": f"h{number}",
        "key_fields": {"name": "web-1", "status": "ACTIVE"},
        "changes": [{"field": name, "old_value": old, "new_value": new} for name, old, new in changes],
        "user": None,
        **more,
    }


VERSIONS = [
    version(4, "changed", "status ACTIVE -> ERROR; host cmp-1 -> cmp-2", [
        ("status", "ACTIVE", "ERROR"), ("host", "cmp-1", "cmp-2"), ("tags", ["a"], ["a", "b"]),
    ], current=True, valid_to=None),
    version(3, "returned", "listed again", []),
    version(2, "deleted", "gone; was SHUTOFF", []),
    version(2, "changed", "status ACTIVE -> SHUTOFF", [("status", "ACTIVE", "SHUTOFF")]),
    version(1, "first_seen", "there when the first collection looked", []),
]  # fmt: skip
FIELDS = [
    {"field": "status", "source": "column", "old_value": "ACTIVE", "new_value": "ERROR", "changed": True,
     "volatile": False},
    {"field": "metadata.owner", "source": "document", "old_value": None, "new_value": HOSTILE, "changed": True,
     "volatile": False},
    {"field": "host", "source": "column", "old_value": "cmp-1",
     "new_value": "not visible to the account that listed it", "changed": None, "volatile": False},
    {"field": "updated_at", "source": "column", "old_value": at(1), "new_value": at(4), "changed": True,
     "volatile": True},
    {"field": "vcpus", "source": "column", "old_value": 2, "new_value": 2, "changed": False, "volatile": False},
]  # fmt: skip


class PastClient(FakeClient):
    """`changes` rows in every list of changes, computed from their number."""

    def __init__(self, rows: int = 50, changes: int = 300) -> None:
        super().__init__(rows)
        self.changes = changes
        self.fields = FIELDS
        self.vanished = False  # whether the newer of two states is that it is not there

    def row(self, number: int, mode: str) -> list[Any]:
        """One row of a list of changes."""
        kind = ("changed", "gone" if mode == "net" else "deleted", "new")[number % 3]
        place = ["server", "prod-eu", "eu-1", f"id-{number:05}"]
        key = [*place, at(-number), kind] if mode == "each" else place
        name = HOSTILE if number == 1 else f"web-{number:05}"
        what = ("status ACTIVE -> ERROR", "gone; was ACTIVE", "ACTIVE, flavor m1")[number % 3]
        fields = ["status"] if kind == "changed" else []
        return [key, *place, kind, at(-number), name, "acme-prod", what, fields, number % 7 + 1, at(-9), at(-number)]

    async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
        if not path.startswith("/q/history/windows"):
            return await super().post(path, json, params)
        self._note("POST", path, json)
        await self._wait(path)
        mode, words = json["mode"], json["filter"].split()
        order = [n for n in range(self.changes)
                 if all(word in str(self.row(n, mode)) for word in words if ":" not in word)]  # fmt: skip
        if json["sort"] and json["sort"][0][1]:
            order.reverse()
        anchor = json["anchor"]
        if anchor in ("start", "end"):
            index = 0 if anchor == "start" else len(order) - 1
        elif "rank" in anchor:
            index = min(anchor["rank"], len(order) - 1)
        else:
            wanted = [n for n, number in enumerate(order) if self.row(number, mode)[0] == list(anchor["key"])]
            index = wanted[0] if wanted else -1
        found = None if index < 0 or not order else index
        if path.endswith("/position"):
            return {"total": len(order), "rank": found}
        start = max(0, (found or 0) - json["before"])
        stop = min(len(order), (found or 0) + json["after"] + 1)
        return {
            "columns": COLUMNS,
            "rows": [self.row(number, mode) for number in order[start:stop]],
            "anchor_index": None if found is None else found - start,
            "has_before": start > 0,
            "has_after": stop < len(order),
            "total": len(order),
            "counts": {"changed": len(order)},
            "left_out": 0,
            "from": json["from"],
            "to": json.get("to") or at(0),
        }

    async def get(self, path: str, params: Any = None, json: Any = None) -> Any:
        bare = path.partition("?")[0]
        answers = {
            "/history/details/": lambda: {"resource_name": "web-1", "exists": True, "total_versions": 4,
                                          "changes": VERSIONS},
            "/q/history/compare/": self._compared,
            "/q/history/periods": self._periods,
            "/audit/compliance-report": self._report,
        }  # fmt: skip
        for start, answer in answers.items():
            if bare.startswith(start):
                self._note("GET", bare, params)
                await self._wait(bare)
                return answer()
        return await super().get(path, params, json)

    def _compared(self) -> dict[str, Any]:
        current = None if self.vanished else {"change_hash": "h4", "recorded_at": at(4), "valid_to": None}
        previous = {"change_hash": "h2", "recorded_at": at(2), "valid_to": at(4)}
        return {"resource_name": "web-1", "current": current, "previous": previous,
                "identical": False, "changes": [], "fields": self.fields}  # fmt: skip

    def _periods(self) -> dict[str, Any]:
        periods = [
            {"period": at(hour)[:13] + ":00:00Z", "total": hour * 10, "created": 1, "discovered": 0, "returned": 0,
             "changed": hour * 10 - 2, "deleted": 1, "by_type": {"server": hour * 9, "port": hour}}
            for hour in range(5)
        ]  # fmt: skip
        return {"periods": periods, "bucket": "hour", "since": at(0), "until": at(5), "total_changes": 100}

    def _report(self) -> dict[str, Any]:
        counts = {"total": 9, "created": 1, "discovered": 0, "returned": 1, "changed": 5, "deleted": 2}
        place = {"cloud": "prod-eu", "region": "eu-1", "listings": 24, "failed": 0, "doubtful": 0,
                 "longest_gap_seconds": 3600.0}  # fmt: skip
        types = [{"resource_type": name, **counts, "clouds": [place], "remarks": []} for name in ("server", "user")]
        access = {"total": 9, "items": [{"resource_type": "user", "resource_id": "u1"}]}
        return {"period": {"start": at(0), "end": at(24)}, "generated_at": at(24), "status": "incomplete",
                "summary": {**counts, "total": 18, "resource_types": 2}, "by_type": types, "by_day": [],
                "access_changes": access, "deletions": {"total": 4, "items": []},
                "remarks": ["volumes of prod-eu were not listed for 28 h: more may have changed"]}  # fmt: skip
