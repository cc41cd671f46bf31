"""What `qdeck restore start`, `points` and `addresses` print: what is wrong, the ways back, what there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from store.types import registry
from tui import restore
from tui.cli.choosing import the_resource
from tui.cli.exits import note
from tui.cli.inventory import instant
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, local_time, write_document, write_rows
from tui.cli.restore_asking import SECONDS, restoring, say, started, the_disk, the_machine

WAYS = ("way", "possible", "what")
DISKS = ("disk", "gb", "device", "volume_type", "volume_id")
POINT = ("taken_at", "age", "kind", "policy", "consistency", "disks", "usable", "id")
POINT_CSV = ("taken_at", "age_seconds", "kind", "policy", "consistency", "proof", "back_end", "status", "size_gb",
             "volumes", "missing", "spread_ms", "problem", "name", "id")  # fmt: skip
SUBNETS = ("subnet", "cidr", "free", "addresses", "subnet_id")
_SHOWN = 5
_MARKS = {"ok": " ", "warning": "!", "problem": "x"}
Place = tuple[str | None, str | None]  # (cloud, region), None = any


def start(options: GlobalOptions, ref: str, place: Place, output: Format) -> None:
    """Print the triage of a machine, its ways, disks and newest points."""
    with restoring(options) as client:
        found = started(client, the_machine(client, ref, *place))
    if output is Format.csv:
        write_rows([_way(way) for way in found["ways"]], WAYS, output)
        return
    if output is not Format.table:
        write_document(found, output)
        return
    machine = found["machine"]
    say(restore.machine_words(machine))
    for finding in found["findings"]:
        say(f"{_MARKS.get(finding['level'], '?')} {restore.told(finding['text'])}")
        if finding["command"]:
            say(f"    $ {finding['command']}")
    for text in found["unread"]:
        say(f"! not known: {restore.told(text)}")
    for text in found["references"]:
        say(f"! it is named by {restore.told(text)}")
    say()
    write_rows([_way(way) for way in found["ways"]], WAYS, output)
    say()
    write_rows([_disk(disk, machine["name"]) for disk in found["disks"]], DISKS, output)
    say()
    points = found["points"]
    write_rows([_point(one, found) for one in points[:_SHOWN]], POINT, output)
    _tell_points(points, _SHOWN, machine)
    first = next((way for way in found["ways"] if way["first"]), None)
    if first is not None:
        note(f"`qdeck restore plan {machine['key'][2]} --way {first['way']}` plans the suggested way")


def points(
    options: GlobalOptions, ref: str, disk: str | None, at: str | None, limit: int, place: Place, output: Format
) -> None:
    """Print the restore points of a machine, the newest first."""
    until = instant(at)
    with restoring(options) as client:
        found = started(client, the_machine(client, ref, *place))
    machine = found["machine"]
    items = found["points"]
    if disk is not None:
        wanted = str(the_disk(found["disks"], machine["name"], disk)["volume_id"])
        items = [one for one in items if wanted in one["volumes"]]
    if until is not None:
        items = [one for one in items if one["taken_at"] is not None and _moment(one["taken_at"]) <= _moment(until)]
    shown = items[:limit] if limit else items
    if output in (Format.json, Format.yaml):
        write_document(shown, output)
    elif output is Format.csv:
        write_rows(shown, POINT_CSV, output)
    elif shown:
        write_rows([_point(one, found) for one in shown], POINT, output)
    _tell_points(items, limit, machine)


def addresses(options: GlobalOptions, ref: str, project: str | None, limit: int, place: Place, output: Format) -> None:
    """Print the addresses of a network that are known to be free."""
    with restoring(options) as client:
        cloud, region, id = the_resource(client, registry.ALL["network"], ref, *place)
        params = {"network": id, "cloud": cloud, "region": region}
        if project is not None:
            params["project"] = the_resource(client, registry.ALL["project"], project, cloud, None)[2]
        found = client.request("GET", restore.ADDRESSES, params=params, seconds=SECONDS)
    rows = [
        {**one, "subnet": one["subnet_name"] or one["subnet_id"], "free": one["available_count"],
         "addresses": one["available_ips"][: limit or None]}
        for one in found["subnets"]
    ]  # fmt: skip
    if output in (Format.json, Format.yaml):
        write_document(found, output)
    else:
        write_rows(rows, SUBNETS, output)
    if not found["known"]:
        note(f"{found['network_name'] or id}: what is free is not known: {found['why']}")
    elif output is Format.table and any(row["free"] > len(row["addresses"]) for row in rows):
        note("--limit shows more of them")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _way(way: Mapping[str, Any]) -> dict[str, Any]:
    what = way["title"] if way["possible"] else way["why"]
    return {"way": way["way"] + (" *" if way["first"] else ""), "possible": way["possible"], "what": what}


def _disk(disk: Mapping[str, Any], machine: str) -> dict[str, Any]:
    return {**disk, "disk": restore.short_disk(disk, machine), "gb": disk["size_gb"]}


def _point(point: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "taken_at": local_time(point["taken_at"]),
        "age": restore.span(restore.whole(point["age_seconds"])),
        "kind": point["kind"],
        "policy": restore.made_by(point),
        "consistency": restore.consistency_words(point),
        "disks": restore.disks_words(point, found["disks"], found["machine"]["name"]),
        "usable": "yes" if not point["problem"] else f"no: {point['problem']}",
        "id": point["id"],
    }


def _tell_points(points: Sequence[Mapping[str, Any]], limit: int, machine: Mapping[str, Any]) -> None:
    if not points:
        note(f"{machine['name']} has no restore point like that; `qdeck snapshot points` shows those of any volume")
    elif limit and len(points) > limit:
        note(f"these are the newest {limit} of {len(points)} restore points; `qdeck restore points` lists more")
