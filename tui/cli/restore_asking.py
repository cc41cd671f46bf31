"""What every `qdeck restore` command needs: the engine's refusals as exit codes, machines, their disks, and restores.

Exit codes of restores: 0 it is done, 1 it failed or was cancelled, 2 it cannot be done as asked (3 to 6 as elsewhere).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from store.types import registry
from tui import restore
from tui.api.client import SyncClient
from tui.api.errors import ApiError
from tui.cli.acting import ask_line
from tui.cli.choosing import the_resource
from tui.cli.engine_link import connected, detail
from tui.cli.exits import CANNOT, FAILED, NOT_FOUND, USAGE, leave, note
from tui.cli.options import GlobalOptions
from tui.cli.output import printable

SECONDS = 300.0  # that clouds may take until a plan is made, looked at again, or something is cleaned up
SHORTEST = 4  # letters of an id that name a restore
WHOLE = 36  # letters of a whole id
_PAGE = 1000
_YES = ("y", "yes")
Item = Mapping[str, Any]


@contextmanager
def restoring(options: GlobalOptions) -> Iterator[SyncClient]:
    """A client; what the engine refuses is told with all that it says about it, and ends the command."""
    with connected(options) as client:
        try:
            yield client
        except ApiError as error:
            if error.status != 409:
                raise
            for line in error.fields.get("differences") or ():
                note(f"  {restore.told(line)}")
            note(restore.told(detail(error.detail)))
            if command := error.fields.get("command"):
                note(f"an administrator can change that: {command}")
            leave(CANNOT)


def the_machine(client: SyncClient, ref: str, cloud: str | None, region: str | None) -> list[str]:
    """Key of the machine that is meant; a whole id also of one that is gone. Ends the command when there is none."""
    return the_resource(client, registry.ALL["server"], ref, cloud, region)


def started(client: SyncClient, key: Sequence[str]) -> dict[str, Any]:
    """What is known of a machine, read live."""
    params = {"cloud": key[0], "region": key[1], "id": key[2]}
    found: dict[str, Any] = client.request("GET", restore.START, params=params, seconds=SECONDS)
    return found


def the_disk(disks: Sequence[Item], machine: str, ref: str) -> Item:
    """The disk of a machine that is meant: root, a device (vdb), a name with or without the machine's, an id or its
    start. Ends the command when it is none, or several.
    """
    found = [disk for disk in disks if ref in _words_of(disk, machine)]
    found = found or [disk for disk in disks if len(ref) >= SHORTEST and str(disk["volume_id"]).startswith(ref)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{restore.short_disk(disk, machine)} ({disk['device'] or disk['volume_id']})" for disk in disks)
    problem = f"{len(found)} disks are called {ref!r}: use the id" if found else f"there is no disk {ref!r}"
    leave(NOT_FOUND if not found else USAGE, f"{machine}: {problem}; it has {known or 'no disk'}")


def _words_of(disk: Item, machine: str) -> set[str]:
    device = str(disk["device"] or "")
    words = {str(disk["volume_id"]), str(disk["name"]), restore.short_disk(disk, machine), device}
    return (words | {device.removeprefix("/dev/")} | ({"root"} if disk["root"] else set())) - {""}


def the_restore(client: SyncClient, ref: str) -> dict[str, Any]:
    """A restore by the number of its job, its id, or the start of its id. Ends the command when there is none."""
    number = ref.isdecimal() and len(ref) < 10
    if number or len(ref) >= WHOLE:
        try:
            found: dict[str, Any] = client.get(restore.path_of(restore.JOBS, ref))
            return found
        except ApiError as error:
            if error.status != 404 or not number:
                raise
    ids = _begins_with(client, ref) if len(ref) >= SHORTEST else []
    if len(ids) == 1:
        return the_restore(client, ids[0])
    if ids:
        leave(USAGE, f'"{ref}" begins the ids of {len(ids)} restores: {", ".join(ids[:4])}')
    leave(NOT_FOUND, f"there is no restore {ref!r:.80}; `qdeck restore jobs` lists them")


def _begins_with(client: SyncClient, ref: str) -> list[str]:
    items = client.get(restore.JOBS, params={"limit": _PAGE})["items"]
    return [item["id"] for item in items if item["id"].startswith(ref)]


def name_of(job: Item) -> str:
    """How a restore is called in commands: the number of its job, else the id of its plan."""
    return str(job["id"] if job.get("number") is None else job["number"])


def given_phrase(phrase: str | None, typed: str | None, what: str) -> str:
    """What has to be typed: from the command line, else asked of the person. Ends the command when it is another."""
    if not phrase:
        return ""
    if typed is None:
        typed = ask_line(f'type "{phrase}" to {what}: ', f'give the phrase with --typed "{phrase}"')
    if typed != phrase:
        leave(CANNOT, f'that is not the phrase "{phrase}": nothing is done')
    return typed


def agreed(yes: bool, question: str) -> None:
    """End the command unless the person (or the command line) agrees."""
    if not yes and ask_line(f"{question} [y/N] ", "add --yes to do it without a question").lower() not in _YES:
        leave(FAILED, "nothing is done")


def say(line: str = "") -> None:
    """A line for people on stdout, without control characters."""
    sys.stdout.write(f"{printable(line)}\n")
