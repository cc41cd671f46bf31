"""`qdeck audit` and `qdeck audit verify`."""

from __future__ import annotations

from typing import Any

from store.formulas import harmless
from tui.cli.engine_link import connected
from tui.cli.exits import FAILED, leave, note
from tui.cli.inventory import instant
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, write_document, write_pairs, write_rows

PAGE = 1000
DEEPEST = 10_000  # what the engine's lists give
TABLE = ("at", "who", "action", "target", "ticket", "outcome", "seq")
CSV = (
    "seq", "at", "actor", "login_name", "role", "via", "action", "target", "outcome", "ticket", "reason", "cloud",
    "status", "request_id", "detail", "hash",
)  # fmt: skip


def records(options: GlobalOptions, filters: dict[str, str | None], limit: int, output: Format) -> None:
    """Print the records that pass all filters, the newest first; since and until in the operator's words."""
    for name in ("since", "until"):
        filters[name] = instant(filters[name])
    query: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    wanted = min(limit or DEEPEST, DEEPEST)
    items: list[dict[str, Any]] = []
    with connected(options) as client:
        while len(items) < wanted:
            size = min(PAGE, wanted - len(items))
            answer = client.get("/q/audit", params={**query, "limit": size, "offset": len(items)})
            items += answer["items"]
            if not answer["items"] or len(items) >= answer["total"]:
                break
    total = answer["total"]
    if output in (Format.json, Format.yaml):
        write_document(items, output)
    elif output is Format.csv:
        write_rows([{n: _cell(v) for n, v in flat(item).items()} for item in items], CSV, output)
    else:
        write_rows([flat(item) for item in items], TABLE, output)
    if total > len(items):
        note(f"these are the newest {len(items)} of {total}; narrow them with --since, --ticket or --actor")


def verify(options: GlobalOptions, output: Format) -> None:
    """Read the whole chain again and say whether it is as it was written; ends with 1 when it is not."""
    with connected(options) as client:
        answer = client.get("/q/audit/verification")
    write_pairs(answer, output)
    if not answer["ok"]:
        leave(FAILED, f"the audit was changed: {answer['problem']}")


def flat(record: dict[str, Any]) -> dict[str, Any]:
    """A record with what its detail says by usual names beside it; `who` is the person behind sudo."""
    detail = record.get("detail") or {}
    request = detail.get("request_id") or detail.get("request_ids")
    return {
        **record,
        "who": record.get("login_name") or record.get("actor"),
        **{name: detail.get(name) for name in ("ticket", "reason", "cloud", "status")},
        "request_id": ", ".join(map(str, request)) if isinstance(request, list) else request,
    }


def _cell(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value
