"""What `qdeck snapshot compliance`, `coverage` and `points` do."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from store.types import registry
from tui.api.client import SyncClient
from tui.cli.choosing import the_resource
from tui.cli.engine_link import connected
from tui.cli.exits import FAILED, USAGE, leave, note
from tui.cli.export import Stdout
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, local_time, write_document, write_rows

COMPLIANCE, REPORT = "/q/snapshot/compliance", "/q/snapshot/compliance/report"
COVERAGE, POINTS = "/q/snapshot/coverage", "/q/snapshot/points"
OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3  # codes of monitoring checks
VOLUMES = ("status", "volume", "tenant", "policy", "points", "newest", "window", "cover", "why")
GROUPS = {
    "tenant": ("tenant", "domain"), "domain": ("domain",), "policy": ("policy", "window"),
}  # fmt: skip
COUNTS = ("kept", "compliant", "missing", "quota_blocked", "pending", "excluded", "volumes")
COVERED = ("coverage", "risk", "score", "volume", "size_gb", "tenant", "server", "snapshots", "last_snapshot",
           "backups", "last_backup")  # fmt: skip
POINT = ("taken_at", "kind", "policy", "ours", "status", "consistency", "lies_on", "size_gb", "volume", "name", "id")
TITLES = {"quota_blocked": "BLOCKED", "size_gb": "GB", "kept": "KEPT %"}
Place = tuple[str | None, str | None]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is asked for, as the command line says it."""

    by: str = "rows"
    statuses: Sequence[str] = ()
    policies: Sequence[str] = ()
    tenant: str | None = None
    volume: str | None = None
    days: int | None = None
    place: Place = (None, None)

    def params(self, client: SyncClient) -> dict[str, Any]:
        """Parameters of the routes; names are looked up. Ends the command when there is no such thing."""
        cloud, region = self.place
        given: dict[str, Any] = {"by": self.by, "status": list(self.statuses), "policy": list(self.policies),
                                 "days": self.days}  # fmt: skip
        if self.tenant:
            cloud, _, given["tenant_id"] = the_resource(client, registry.ALL["project"], self.tenant, cloud, None)
        if self.volume:
            cloud, region, given["volume_id"] = the_resource(client, registry.ALL["volume"], self.volume, cloud, region)
        return _given({**given, "cloud": cloud, "region": region})


def _given(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if value not in (None, [], "")}


def report(options: GlobalOptions, choice: Choice, limit: int, output: str, file: Path | None) -> None:
    """Print the report, or write it as a file."""
    if file is not None and output not in ("csv", "xlsx", "json"):
        leave(USAGE, f"--file takes -o csv, xlsx or json, not {output}")
    if output == "xlsx" and file is None and sys.stdout.isatty():
        leave(USAGE, "xlsx is not for a terminal: name a file with --file, or redirect the output")
    with connected(options) as client:
        params = choice.params(client)
        if file is not None or output in ("csv", "xlsx"):
            _download(client, {**params, "format": output}, file)
            return
        answer = client.get(COMPLIANCE, params={**params, "limit": limit})
    if output in ("json", "yaml"):
        write_document(answer["items"], Format(output))
    elif choice.by in ("rows", "volume"):
        if answer["items"]:
            write_rows([_volume(item) for item in answer["items"]], VOLUMES, Format.table, titles=TITLES)
    elif answer["items"]:
        columns = (*GROUPS[choice.by], *COUNTS)
        write_rows([_group(item) for item in answer["items"]], columns, Format.table, titles=TITLES)
    if choice.policies and not answer["items"] and not answer["summary"]["volumes"]["total"]:
        asked = ", ".join(map(repr, choice.policies))
        note(f"no volume here has the policy {asked}; `qdeck snapshot policies` lists those that volumes have")
        return
    note(summary_words(answer))
    if answer["total"] > len(answer["items"]):
        note(f"these are the first {len(answer['items'])} of {answer['total']}; --limit shows more, -o csv all")


def _download(client: SyncClient, params: Mapping[str, Any], file: Path | None) -> None:
    if file is None:
        sys.stdout.flush()
        client.download(REPORT, None, Stdout(), method="GET", params=params)
        return
    from tui.files import NewFile, SaveError, size_text

    try:
        with NewFile(file) as new:
            headers = client.download(REPORT, None, new, method="GET", params=params)
    except SaveError as error:
        leave(FAILED, str(error))
    note(f"{headers.get('x-qdeck-rows', 'all')} rows, {size_text(new.size)}, in {new.path}")


def summary_words(answer: Mapping[str, Any]) -> str:
    """Kept 91.3 % of 240 volumes, by each policy's own window: 12 missing, 3 blocked by quota; 40 without a policy."""
    volumes, bare = answer["summary"]["volumes"], answer["summary"]["ungoverned"]
    rest = f"{bare:,} volume{'' if bare == 1 else 's'} without a policy"
    if volumes["compliance_pct"] is None and not volumes["total"]:
        return f"{answer['policy']}; {rest}"
    kept = "nothing to judge yet" if volumes["compliance_pct"] is None else f"{volumes['compliance_pct']:g} % kept"
    parts = [f"{volumes[name]:,} {words}" for name, words in (
        ("missing", "missing"), ("quota_blocked", "blocked by quota"), ("pending", "pending"), ("excluded", "excluded"),
    ) if volumes[name]]  # fmt: skip
    return f"{kept} of {volumes['judged']:,} volumes, by {answer['policy']}" + "".join(
        f"; {part}" for part in ([", ".join(parts)] if parts else []) + ([rest] if bare else [])
    )


def check_compliance(options: GlobalOptions, choice: Choice) -> NoReturn:
    """Print one line for a monitoring system and end with its code."""
    try:
        with connected(options) as client:
            answer = client.get(COMPLIANCE, params={**choice.params(client), "by": "volume", "limit": 20_000})
    except SystemExit as error:
        # Whatever the reason, the check knows nothing; 1 and 2 would claim that it does.
        raise SystemExit(UNKNOWN if error.code else error.code) from None
    levels = [item["level"] for item in answer["items"]]
    volumes = answer["summary"]["volumes"]
    code = CRITICAL if "lost" in levels else WARNING if "late" in levels else OK if volumes["total"] else UNKNOWN
    state = ("OK", "WARNING", "CRITICAL", "UNKNOWN")[code]
    kept = "U" if volumes["compliance_pct"] is None else f"{volumes['compliance_pct']:g}%"
    counts = " ".join(f"{name}={volumes[name]}" for name in ("compliant", "missing", "quota_blocked", "pending"))
    print(f"{state} - {summary_words(answer)} | kept={kept} {counts}")
    raise SystemExit(code)


def _volume(item: Mapping[str, Any]) -> dict[str, Any]:
    hours = item["window_hours"]
    return {
        **item,
        "volume": item["volume_name"] or item["volume_id"],
        "tenant": item["project_name"] or item["project_id"],
        "newest": local_time(item["last_at"]),
        "window": None if hours is None else span_words(hours),
        "why": item["reason"],
    }


def span_words(hours: float) -> str:
    """30h, 9d."""
    return f"{hours:g}h" if hours < 72 else f"{hours / 24:.0f}d"


def _group(item: Mapping[str, Any]) -> dict[str, Any]:
    hours = item.get("window_hours")
    return {
        **item["rows"],
        "tenant": item.get("tenant_name") or item.get("tenant_id"),
        "domain": item.get("domain_name") or item.get("domain_id"),
        "policy": item.get("policy"),
        "window": None if hours is None else span_words(hours),
        "kept": item["rows"]["compliance_pct"],
        "volumes": item["volumes"]["total"],
    }


def covered(
    options: GlobalOptions, only: str | None, tenant: str | None, place: Place, limit: int, output: Format
) -> None:
    """Print what volumes can be restored from."""
    with connected(options) as client:
        params = Choice(tenant=tenant, place=place).params(client)
        del params["by"]
        answer = client.get(COVERAGE, params=_given({**params, "coverage": only, "limit": limit, "offset": 0}))
    if output in (Format.json, Format.yaml):
        write_document(answer["items"], output)
    elif answer["items"] or output is Format.csv:
        write_rows([_covered(item) for item in answer["items"]], COVERED, output, titles=TITLES)
    counts = answer["summary"]
    safe, same, bare = counts["both"] + counts["backup"], counts["snapshots"], counts["nothing"]
    note(f"{counts['total']:,} volumes: {safe:,} with a backup, {same:,} with snapshots on their own back end only, "
         f"{bare:,} with nothing")  # fmt: skip


def _covered(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **item,
        "score": item["risk_score"],
        "volume": item["volume_name"] or item["volume_id"],
        "tenant": item["tenant_name"] or item["tenant_id"],
        "server": item["vm_name"] or item["vm_id"],
        "snapshots": item["snapshot_count"],
        "last_snapshot": local_time(item["last_snapshot_at"]),
        "backups": item["backup_count"],
        "last_backup": local_time(item["last_backup_at"]),
    }


def restorable(
    options: GlobalOptions,
    reference: str | None,
    server: str | None,
    gone: bool,
    policy: str | None,
    place: Place,
    limit: int,
    output: Format,
) -> None:
    """Print a timeline of restore points."""
    if sum((reference is not None, server is not None, gone)) != 1:
        leave(USAGE, "say of what: a volume, --server MACHINE, or --gone")
    with connected(options) as client:
        params: dict[str, Any] = {"policy": policy, "cloud": place[0], "region": place[1], "limit": limit, "offset": 0}
        if gone:
            params["gone"] = True
        else:
            type = "volume" if server is None else "server"
            key = _key(client, type, reference or server or "", place)
            params |= {"cloud": key[0], "region": key[1], type: key[2]}
        answer = client.get(POINTS, params=_given(params))
    if output in (Format.json, Format.yaml):
        write_document(answer["items"], output)
    elif answer["items"] or output is Format.csv:
        write_rows([_point(item) for item in answer["items"]], POINT, output, titles=TITLES)
    if not answer["items"]:
        note("there is nothing to go back to")
    elif answer["total"] > len(answer["items"]):
        note(f"these are the newest {len(answer['items'])} of {answer['total']}; --limit shows more")


def _key(client: SyncClient, type: str, reference: str, place: Place) -> list[str | None]:
    """Key of the resource; an id that is nowhere known may still have points, in whichever cloud."""
    from tui.api.errors import ApiError

    if type == "volume" and len(reference) == 36 and reference.count("-") == 4:
        try:
            found = client.get(POINTS, params=_given({"volume": reference, "cloud": place[0], "region": place[1]}))
        except ApiError as error:
            if error.status != 404:
                raise
        else:
            if found["total"]:
                return [place[0], place[1], reference]
    return list(the_resource(client, registry.ALL[type], reference, *place))


def _point(item: Mapping[str, Any]) -> dict[str, Any]:
    spread = item["spread_ms"]
    word = item["consistency"]
    return {
        **item,
        "taken_at": local_time(item["taken_at"]),
        "policy": item["policy"] or None,
        "ours": item["own"],
        "consistency": f"{word}, spread {spread:,} ms" if isinstance(spread, int) else word,
        "lies_on": item.get("container") or "a backup store" if item["back_end"] == "backup" else "same back end",
        "volume": item["volume_name"] or item["volume_id"],
    }
