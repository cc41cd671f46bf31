"""What `qdeck snapshot assign`, `assignments`, `exclude` and `exclusions` do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from store.types import registry
from tui import deadlines
from tui.api.client import SyncClient
from tui.cli.acting import watched
from tui.cli.choosing import the_resource
from tui.cli.engine_link import connected
from tui.cli.exits import PARTIAL, USAGE, leave, note
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, local_time, write_document, write_rows
from tui.cli.snapshot_rules import match_of, policies_of, tenant_of, the_set, write_preview
from tui.periods import stamp
from tui.times import TimeError

ASSIGNED = ("id", "cloud", "region", "volume", "tenant", "set", "policies", "keep", "by", "reason")
EXCLUDED = ("id", "cloud", "what", "reason", "until", "is", "by")
_PAGE = 1000
Place = tuple[str | None, str | None]  # (cloud, region), None = any


def _volumes(client: SyncClient, refs: Sequence[str], place: Place) -> dict[tuple[str, str], list[str]]:
    """(cloud, region) -> ids of the volumes that are meant. Ends the command when one is not there."""
    found: dict[tuple[str, str], list[str]] = {}
    for ref in refs:
        cloud, region, id = the_resource(client, registry.ALL["volume"], ref, *place)
        found.setdefault((cloud, region), []).append(id)
    return found


def assign(
    options: GlobalOptions,
    refs: Sequence[str],
    set_ref: str | None,
    chosen: Sequence[str] | None,
    keep: int | None,
    reason: str,
    place: Place,
    output: Format,
    *,
    write: bool,
    preview: bool,
) -> None:
    """Give volumes a set, or policies; or say what that would do."""
    if (set_ref is None) == (not chosen):
        leave(USAGE, "say what they get: --set SET, or --policy NAME (may be repeated)")
    body: dict[str, Any] = {} if preview or not reason else {"reason": reason}
    if chosen:
        body["policies"], body["retention_map"] = policies_of(chosen)
    if keep is not None:
        body["keep"] = keep
    with connected(options) as client:
        if set_ref is not None:
            body["policy_set_id"] = the_set(client, set_ref)["id"]
        items: list[dict[str, Any]] = []
        written: list[dict[str, Any]] = []
        for (cloud, region), ids in _volumes(client, refs, place).items():
            where = {"volume_ids": ids, "cloud": cloud, "region": region or None}
            if preview:
                write_preview(client.post("/q/snapshot/assignments/preview", json={**body, **where}), output)
                continue
            items += client.post("/snapshot-assignments", json={**body, **where})["items"]
            if write:
                asked = {**where, "reason": reason}
                jobs = client.post("/q/snapshot/assignments/write", json=asked)["jobs"]
                written += [step for job in jobs for step in watched(client, job)["steps"]]
    if not preview:
        _told(items, written, output)


def _told(items: Sequence[Mapping[str, Any]], written: Sequence[Mapping[str, Any]], output: Format) -> None:
    if output in (Format.json, Format.yaml):
        write_document({"assignments": items, "written": written} if written else items, output)
    else:
        write_rows([_assignment(item) for item in items], ASSIGNED, output)
    if output is Format.table:
        for row in written:
            note(f"{row['target']}: {row['detail'] or row['state']}")
    if any(row["state"] != "done" for row in written):
        leave(PARTIAL, "assigned, but not everything could be written to the volumes' metadata")


def assignments(
    options: GlobalOptions, volume: str | None, set_ref: str | None, remove: int | None, output: Format
) -> None:
    """Print assignments, or take one back."""
    with connected(options) as client:
        if remove is not None:
            client.delete(f"/snapshot-assignments/{remove}")
            note(f"took assignment {remove} back")
            return
        asked: dict[str, Any] = {"page_size": _PAGE}
        if volume is not None:
            asked["volume_id"] = the_resource(client, registry.ALL["volume"], volume, None, None)[2]
        if set_ref is not None:
            asked["policy_set_id"] = the_set(client, set_ref)["id"]
        answer = client.get("/snapshot-assignments", params=asked)
    items = answer["items"]
    if output in (Format.json, Format.yaml):
        write_document(items, output)
    elif items or output is Format.csv:
        write_rows([_assignment(item) for item in items], ASSIGNED, output)
    else:
        note("no volume was given policies of its own")
    if answer["total"] > len(items):
        leave(PARTIAL, f"these are the first {len(items)} of {answer['total']}; ask for one volume or set")


def _assignment(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, "volume": item["volume_name"] or item["volume_id"], "tenant": item["tenant_name"],
            "set": item["policy_set_name"], "by": item["updated_by"]}  # fmt: skip


def exclude(
    options: GlobalOptions,
    refs: Sequence[str],
    tenant: str | None,
    matches: Sequence[str] | None,
    reason: str,
    until: str | None,
    place: Place,
    output: Format,
) -> None:
    """Keep policies away from volumes, a tenant, or what matches."""
    if not (refs or tenant or matches):
        leave(USAGE, "say what is excluded: volumes, --tenant, or --match KEY=VALUE")
    if refs and (tenant or matches):
        leave(USAGE, "volumes are excluded by themselves; leave --tenant and --match out")
    body: dict[str, Any] = {"reason": reason}
    if until is not None:
        try:
            body["expires_at"] = stamp(deadlines.parse(until, datetime.now().astimezone()))
        except TimeError as error:
            leave(USAGE, str(error))
    if matches:
        body["match"] = match_of(matches)
    body |= {name: value for name, value in zip(("cloud", "region"), place, strict=True) if value}
    with connected(options) as client:
        bodies = [
            {**body, "volume_id": id, "cloud": cloud, "region": region}
            for (cloud, region), ids in _volumes(client, refs, place).items()
            for id in ids
        ]
        if not refs:
            bodies = [body | (tenant_of(client, tenant, place[0]) if tenant else {})]
        made = [client.post("/q/snapshot/exclusions", json=one) for one in bodies]
    if output in (Format.json, Format.yaml):
        write_document(made, output)
    else:
        write_rows([_exclusion(item) for item in made], EXCLUDED, output)


def exclusions(options: GlobalOptions, owners: bool, remove: int | None, output: Format) -> None:
    """Print exclusions, or take one back."""
    with connected(options) as client:
        if remove is not None:
            client.delete(f"/q/snapshot/exclusions/{remove}")
            note(f"took exclusion {remove} back")
            return
        answer = client.get("/q/snapshot/exclusions", params={"owners": owners})
    if output in (Format.json, Format.yaml):
        write_document(answer if owners else answer["items"], output)
        return
    rows = [_exclusion(item) for item in answer["items"]]
    rows += [_owner(item) for item in answer["owners"] or ()]
    if rows or output is Format.csv:
        write_rows(rows, EXCLUDED, output)
    else:
        note("nothing is excluded")
    if more := (answer.get("owners_total") or 0) - len(answer["owners"] or ()):
        note(f"{more:,} more volumes are left out by their owners' metadata; they are not listed")


def _exclusion(item: Mapping[str, Any]) -> dict[str, Any]:
    match = ", ".join(f"{key}={value}" for key, value in item["match"].items())
    tenant = item["tenant_name"] or item["tenant_id"]
    volume = item["volume_name"] or item["volume_id"]
    what = [f"volume {volume}" if volume else "", f"tenant {tenant}" if tenant else "", match]
    return {**item, "what": ", ".join(part for part in what if part), "until": local_time(item["expires_at"]),
            "is": "in force" if item["in_force"] else "ended", "by": item["created_by"]}  # fmt: skip


def _owner(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": None,
        "cloud": item["cloud"],
        "what": f"volume {item['volume_name'] or item['volume_id']}",
        "reason": "its metadata say auto_snapshot=false",
        "until": None,
        "is": "in force",
        "by": "its owner",
    }
