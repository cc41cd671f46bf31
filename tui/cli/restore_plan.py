"""What `qdeck restore plan` and `execute` do: options become the request, a person answers for it."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from store.types import registry
from tui import restore
from tui.api.client import SyncClient
from tui.api.errors import ApiError
from tui.cli.acting import ask_line
from tui.cli.choosing import the_resource
from tui.cli.engine_link import detail
from tui.cli.exits import CANNOT, NOT_FOUND, OK, USAGE, leave, note
from tui.cli.inventory import instant
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, write_document, write_rows
from tui.cli.restore_asking import (
    SECONDS,
    SHORTEST,
    agreed,
    given_phrase,
    name_of,
    restoring,
    started,
    the_disk,
    the_machine,
    the_restore,
)
from tui.cli.restore_review import head, write_review
from tui.cli.restore_watch import follow
from tui.table.cells import clean

COLUMNS = ("plan", "eligible", "way", "cloud", "project", "machine", "point", "strategy", "lost", "problems", "typed",
           "expires_at")  # fmt: skip
NO_HELPER = "none"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says of a restore; `direct` are fields of the request as they are (None: not said).

    keep, leave_out  disks; from_points  disk or disk=point; ips  network=address; groups, networks, helper  names
    """

    machine: str
    cloud: str | None = None
    region: str | None = None
    at: str | None = None
    point: str | None = None
    volume: str | None = None
    keep: Sequence[str] = ()
    leave_out: Sequence[str] = ()
    from_points: Sequence[str] = ()
    ips: Sequence[str] = ()
    network: str | None = None
    groups: Sequence[str] = ()
    helper: str | None = None
    direct: Mapping[str, Any] = field(default_factory=dict)
    prove: Mapping[str, Any] = field(default_factory=dict)


def plan(options: GlobalOptions, wish: Wish, dry_run: bool, output: Format) -> None:
    """Make a plan and print it; ends with 2 when it cannot be carried out."""
    with restoring(options) as client:
        body = request(client, wish)
        if body.get("user_data") and body.get("way") in restore.MAKES_MACHINE and _somebody_reads():
            _show_user_data(client, body)
        made = client.request("POST", restore.PLANS, json=body, seconds=SECONDS)
    if output in (Format.json, Format.yaml):
        write_document(made, output)
    elif output is Format.csv:
        write_rows([_row(made)], COLUMNS, output)
    else:
        write_review(made, dry_run=dry_run)
    leave(OK if made["eligible"] else CANNOT)


def _somebody_reads() -> bool:
    """Whether what goes to stderr is seen by a person and lands in no file."""
    return sys.stderr.isatty()


def _show_user_data(client: SyncClient, body: Mapping[str, Any]) -> None:
    """What would run again, for the person at the terminal alone: it may hold passwords, so no file gets it."""
    params = {"cloud": body["cloud"], "region": body["region"], "id": body["server_id"]}
    try:
        found = client.request("GET", restore.USER_DATA, params=params, seconds=SECONDS)
    except ApiError as error:  # the plan says itself whether it can be passed on
        note(f"its user data is not shown: {restore.told(detail(error.detail))}")
        return
    note(f"user data: {restore.user_data_words(found)}")
    for line in found["lines"]:
        sys.stderr.write(f"  | {clean(line)}\n")


def request(client: SyncClient, wish: Wish) -> dict[str, Any]:
    """The request that is meant; names are looked up among what the machine has. Ends the command for what is wrong."""
    if wish.at is not None and wish.point is not None:
        leave(USAGE, "--at chooses the newest points by then, --point names one: give one of the two")
    at = instant(wish.at)
    key = the_machine(client, wish.machine, wish.cloud, wish.region)
    body: dict[str, Any] = {"cloud": key[0], "region": key[1], "server_id": key[2]}
    body |= {name: value for name, value in wish.direct.items() if value is not None}
    if body.get("way") == "REPLACE" and not wish.ips:  # its successor takes over; the API's default is meant for copies
        body.setdefault("ip_strategy", "SAME_IPS_OR_FAIL")
    prove = {name: value for name, value in wish.prove.items() if value is not None}
    body |= {"prove": prove} if prove else {}
    body |= {"at": at} if at is not None else {}
    named = (wish.point, wish.volume, *wish.keep, *wish.leave_out, *wish.from_points, *wish.ips)
    if any(one is not None for one in named):
        _by_name(body, wish, started(client, key))
    if wish.helper == NO_HELPER:
        body["helper"] = NO_HELPER
    elif wish.helper is not None:
        body["helper"] = the_machine(client, wish.helper, key[0], key[1])[2]
    if wish.network is not None:
        body["network_override_id"] = the_resource(client, registry.ALL["network"], wish.network, key[0], key[1])[2]
    if wish.groups:
        body["security_group_ids"] = _groups(client, wish.groups, key)
    return body


def _by_name(body: dict[str, Any], wish: Wish, found: Mapping[str, Any]) -> None:
    """Put into the request what is named among the machine's own disks, points and networks."""
    machine, disks = found["machine"]["name"], found["disks"]

    def disk(ref: str) -> str:
        return str(the_disk(disks, machine, ref)["volume_id"])

    if wish.point is not None:
        body["restore_point_id"] = the_point(found["points"], wish.point)
    if wish.volume is not None:
        body["volume_id"] = disk(wish.volume)
    choices: dict[str, str] = {}
    given = [(ref, "keep_current") for ref in wish.keep] + [(ref, "leave_out") for ref in wish.leave_out]
    for text in wish.from_points:
        ref, equals, point = text.partition("=")
        given.append((ref, restore.POINT + the_point(found["points"], point) if equals else "restore_point"))
    for ref, choice in given:
        if choices.setdefault(id := disk(ref), choice) != choice:
            leave(USAGE, f"{ref}: say one thing of a disk: --keep, --leave-out or --from-point")
        if not id:
            leave(USAGE, f"{ref} is no volume: it comes from the point that --point names")
    body |= {"disks": choices} if choices else {}
    if wish.ips:
        body["manual_ips"] = _addresses(wish.ips, found["nics"], machine)
        if body.setdefault("ip_strategy", "MANUAL_IP") != "MANUAL_IP":
            leave(USAGE, f"--ip is for --ip-strategy MANUAL_IP, not {body['ip_strategy']}")


def the_point(points: Sequence[Mapping[str, Any]], ref: str) -> str:
    """Id of the restore point that is meant: its id, the start of it, or its name. What is not among the machine's own
    is passed on: it may be one of a volume that has several, and the plan says when there is none.
    """
    found = [one for one in points if ref in (one["id"], one["name"])]
    found = found or [one for one in points if len(ref) >= SHORTEST and one["id"].startswith(ref)]
    if len(found) > 1:
        shown = ", ".join(f"{one['id']} ({one['taken_at']})" for one in found[:5])
        leave(USAGE, f"{ref!r} means {len(found)} restore points: {shown}; say which by its id")
    if not found and len(ref) < 32:
        leave(NOT_FOUND, f"the machine has no restore point {ref!r}; `qdeck restore points MACHINE` lists them")
    return str(found[0]["id"]) if found else ref


def _addresses(given: Sequence[str], nics: Sequence[Mapping[str, Any]], machine: str) -> dict[str, str]:
    """{network id: address} of NET=ADDRESS."""
    found: dict[str, str] = {}
    for text in given:
        ref, equals, address = text.partition("=")
        if not equals or not address:
            leave(USAGE, f"--ip {text}: write NETWORK=ADDRESS")
        ids = {nic["network_id"] for nic in nics if ref in (nic["network_id"], nic["network_name"])}
        if len(ids) != 1:
            known = ", ".join(dict.fromkeys(nic["network_name"] or nic["network_id"] for nic in nics))
            problem = f"has several networks {ref!r}: use the id" if ids else f"is not on the network {ref!r}"
            leave(USAGE if ids else NOT_FOUND, f"{machine} {problem}; it is on {known or 'none'}")
        if found.setdefault(id := ids.pop(), address) != address:
            leave(USAGE, f"--ip {text}: the network was given the address {found[id]} already")
    return found


def _groups(client: SyncClient, refs: Sequence[str], key: Sequence[str]) -> list[str]:
    """Ids of security groups of the machine's project: every project has a "default"."""
    project = client.get(f"/q/resources/server/{key[2]}", params={"cloud": key[0], "region": key[1]})
    owner = project["fields"]["project_id"] if "fields" in project else project["row"]["project_id"]
    found = []
    for ref in refs:
        asked = {"type": "security_group", "columns": ["name", "project_id"], "after": 1000,
                 "filter": f"project_id:={owner}", "clouds": [key[0]], "regions": [key[1]]}  # fmt: skip
        rows = client.post("/q/windows", json=asked)["rows"]
        ids = [row[2] for row in rows if ref in (row[2], row[3])]
        if len(ids) != 1:
            problem = f"{len(ids)} security groups are called" if ids else "there is no security group"
            leave(USAGE if ids else NOT_FOUND, f"{problem} {ref!r} in the machine's project")
        found += ids
    return found


def _row(plan: Mapping[str, Any]) -> dict[str, Any]:
    machine, point = plan["machine"], plan["point"] or {}
    return {
        "plan": plan["id"],
        "eligible": plan["eligible"],
        "way": plan["way"],
        "cloud": machine["key"][0],
        "project": machine["project_name"] or machine["project_id"],
        "machine": machine["name"],
        "point": point.get("id"),
        "strategy": plan["strategy"],
        "lost": "; ".join(plan["lost"]),
        "problems": "; ".join(plan["problems"]),
        "typed": plan["requires"]["typed"],
        "expires_at": plan["expires_at"],
    }


# Carrying it out


@dataclass(frozen=True, slots=True)
class Given:
    """What a person answers for: `typed` the phrase given beforehand; None: whoever is at the terminal is asked."""

    reason: str = ""
    ticket: str = ""
    typed: str | None = None
    yes: bool = False
    watch: bool = False


def execute(options: GlobalOptions, ref: str, given: Given, output: Format) -> None:
    """Carry a plan out, and follow its job where that is asked."""
    with restoring(options) as client:
        id = the_restore(client, ref)["id"]
        found = client.get(restore.path_of(restore.PLANS, id))
        for line in head(found):
            note(line)
        _possible(found)
        body = answers(found["requires"], given)
        phrase = found["requires"]["typed"]
        if phrase:
            body["typed"] = given_phrase(phrase, given.typed, "carry this out")
        else:
            agreed(given.yes or given.typed is not None, "carry this out?")
        path = restore.path_of(restore.PLANS, id, "execute")
        job = client.request("POST", path, json={**body, "hash": found["hash"]}, seconds=SECONDS)
        begun(client, job, given.watch, output)


def begun(client: SyncClient, job: Mapping[str, Any], watch: bool, output: Format) -> None:
    """Tell that a restore has begun, and follow it where that is asked; ends the command."""
    if watch:
        follow(client, job, output)
    number = name_of(job)
    note(f"restore {number} begins; `qdeck restore watch {number}` follows it")
    if output in (Format.json, Format.yaml):
        write_document(job, output)
    elif output is Format.csv:
        write_rows([job], ("number", "id", "status", "way", "vm_name", "cloud"), output)
    leave(OK)


def answers(requires: Mapping[str, Any], given: Given) -> dict[str, Any]:
    """Reason and ticket, asked for where they are needed and missing."""
    pattern = f" like {requires['ticket_pattern']}" if requires["ticket_pattern"] else ""
    reason = given.reason or (ask_line("reason: ", "give one with --reason") if requires["reason"] else "")
    ticket = given.ticket or (ask_line(f"ticket{pattern}: ", "give one with --ticket") if requires["ticket"] else "")
    return {"reason": reason, "ticket": ticket, "typed": given.typed or ""}


def _possible(plan: Mapping[str, Any]) -> None:
    """End the command when the plan cannot be carried out."""
    if plan["executed_at"] is not None:
        leave(CANNOT, f"it was carried out before: `qdeck restore show {plan['id']}`; make a new plan")
    if plan["status"] != "PLANNED":
        leave(CANNOT, "it was given up: make a new plan")
    if plan["expired"]:
        leave(CANNOT, "it is older than 30 minutes: make a new plan")
    if not plan["eligible"]:
        for text in plan["problems"]:
            note(f"  x {restore.told(text)}")
        leave(CANNOT, "it cannot be carried out")
    if plan["dry_run_only"]:
        leave(CANNOT, "restores are only planned in this cloud (restore.dry_run)")
