"""What `qdeck restore many` does: one plan for many machines, carried out, followed, paused, cancelled."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from store.types import registry
from tui import restore, restore_many
from tui.api.client import SyncClient
from tui.api.errors import EngineUnavailable
from tui.cli.choosing import the_resource
from tui.cli.exits import CANNOT, FAILED, OK, PARTIAL, USAGE, leave, note
from tui.cli.inventory import instant
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, write_document, write_rows
from tui.cli.restore_asking import SECONDS, agreed, given_phrase, restoring, say

COLUMNS = ("group", "machine", "state", "point", "lost", "detail", "job", "cloud", "project")
PLANS = ("id", "way", "status", "machines", "created_at", "by", "detail")
_LOOK_SECONDS, _AWAY_SECONDS = 1.0, 600.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says: machines or a filter, and fields of the request as they are (None: not said)."""

    machines: Sequence[str]
    filter: str | None
    cloud: str | None
    region: str | None
    at: str | None
    direct: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Given:
    """What is given when it is carried out."""

    reason: str
    ticket: str
    typed: str | None
    yes: bool


def plan(options: GlobalOptions, wish: Wish, output: Format) -> None:
    """Make a plan and print it; ends with 2 when it cannot be carried out."""
    if bool(wish.machines) == (wish.filter is not None):
        leave(USAGE, "give ids or names of machines, or --filter")
    body: dict[str, Any] = {**wish.direct, "at": instant(wish.at)}
    body = {name: value for name, value in body.items() if value is not None}
    body["limits"] = {name: value for name, value in wish.limits.items() if value is not None}
    with restoring(options) as client:
        body["keys"] = _keys(client, wish)
        made = client.request("POST", restore_many.BULK, json=body, seconds=SECONDS)
    _write(made, output)
    for text in restore_many.tight(made):
        note(text)
    possible = (made.get("counts") or {}).get("WAITING", 0)
    if output is Format.table:
        typed = (made.get("requires") or {}).get("typed")
        note(f"{made['detail']}; `qdeck restore many execute {made['id']}`" + (f' asks for "{typed}"' if typed else ""))
    leave(OK if possible and not restore_many.tight(made) else CANNOT)


def execute(
    options: GlobalOptions, id: str, leave_out: Sequence[str], given: Given, watch: bool, output: Format
) -> None:
    """Carry one out; the phrase is typed or given."""
    with restoring(options) as client:
        found = _found(client, id)
        out = [list(restore_many.key_of(_line(found, ref))) for ref in leave_out]
        count = sum(bool(one.get("eligible")) for one in restore_many.machines_of(found)) - len(out)
        phrase = restore_many.phrase_for(found, len(out))
        if not phrase:
            agreed(given.yes, f"restore {count} machines ({restore.WAY_WORDS.get(found['way'], found['way'])})?")
        body = {"reason": given.reason, "ticket": given.ticket, "hash": found["hash"], "leave_out": out,
                "typed": given_phrase(phrase, given.typed, "carry it out")}  # fmt: skip
        path = restore.path_of(restore_many.BULK, found["id"], "execute")
        begun = client.request("POST", path, json=body, seconds=SECONDS)
        note(f"{count} machines are being restored; `qdeck restore many watch {begun['id']}` follows them")
        if watch:
            _follow(client, begun, output)
        _write(begun, output)


def list_all(options: GlobalOptions, output: Format) -> None:
    """Print all of them."""
    with restoring(options) as client:
        items = restore.items_of(client.get(restore_many.BULK))
    if output in (Format.json, Format.yaml):
        write_document(items, output)
    else:
        rows = [{**one, "machines": one["total"], "by": one["executed_by"] or one["created_by"]} for one in items]
        write_rows(rows, PLANS, output)


def show(options: GlobalOptions, id: str, output: Format) -> None:
    """Print where each machine of one stands."""
    with restoring(options) as client:
        _write(_found(client, id), output)


def watch(options: GlobalOptions, id: str, output: Format) -> None:
    """Follow one to its end."""
    with restoring(options) as client:
        _follow(client, _found(client, id), output)


def ask(options: GlobalOptions, id: str, what: str, body: Mapping[str, Any] | None = None) -> None:
    """Pause, resume or cancel one."""
    with restoring(options) as client:
        found = _found(client, id)
        answer = client.post(restore.path_of(restore_many.BULK, found["id"], what), body)
    note(f"{restore_many.status_of(answer)}: {restore.told(answer['detail'])}")


def _found(client: SyncClient, ref: str) -> dict[str, Any]:
    """The plan that is meant. Ends the command for none and several."""
    items = restore.items_of(client.get(restore_many.BULK))
    known = [
        str(one["id"]) for one in items if str(one["id"]) == ref or (len(ref) >= 4 and str(one["id"]).startswith(ref))
    ]
    if len(known) > 1 and ref not in known:
        leave(USAGE, f"{ref!r} is the start of {len(known)} plans: give more of it")
    id = ref if ref in known or not known else known[0]
    return dict(client.get(restore.path_of(restore_many.BULK, id)))


def _line(found: Mapping[str, Any], ref: str) -> Mapping[str, Any]:
    lines = restore_many.machines_of(found)
    meant = [one for one in lines if ref in (one.get("id"), one.get("name"))]
    if len(meant) != 1:
        leave(USAGE, f"{ref!r} is {'none' if not meant else 'several'} of the machines of this plan")
    return meant[0]


def _keys(client: SyncClient, wish: Wish) -> list[list[str]]:
    """Keys of the machines that are meant."""
    if wish.filter is None:
        declared = registry.ALL["server"]
        return [list(the_resource(client, declared, ref, wish.cloud, wish.region)) for ref in wish.machines]
    most = restore_many.MOST
    asked: dict[str, Any] = {"type": "server", "filter": wish.filter, "columns": ["name"], "after": most + 1}
    asked |= {"clouds": [wish.cloud]} if wish.cloud else {}
    asked |= {"regions": [wish.region]} if wish.region is not None else {}
    keys = [list(row[:3]) for row in client.post("/q/windows", asked)["rows"]]
    if not keys or len(keys) > most:
        leave(USAGE, f"the filter passes {'none' if not keys else f'more than {most}'}: one plan is of 1 to {most}")
    return keys


# Showing


def _rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "group": one.get("group"), "machine": restore_many.name_of(one), "state": restore_many.state_of(one),
            "point": (one.get("point") or {}).get("taken_at"), "lost": restore.span(one.get("lost_seconds")),
            "detail": restore.told(one.get("detail")), "job": one.get("number"), "cloud": one.get("cloud"),
            "project": one.get("project_name") or one.get("project_id"),
        }
        for one in restore_many.machines_of(found)
    ]  # fmt: skip


def _write(found: Mapping[str, Any], output: Format) -> None:
    if output in (Format.json, Format.yaml):
        write_document(found, output)
    else:
        write_rows(_rows(found), COLUMNS, output)


def _follow(client: SyncClient, found: Mapping[str, Any], output: Format) -> NoReturn:
    """A line whenever a machine's state changes; then all of it. Interrupted, it goes on."""
    known: dict[tuple[str, str, str], str] = {}
    path, away, said = restore.path_of(restore_many.BULK, found["id"]), 0.0, ""
    try:
        while True:
            for one in restore_many.machines_of(found):
                state = restore_many.state_of(one)
                if known.get(restore_many.key_of(one), "waiting") != state and output is Format.table:
                    say(f"{restore_many.name_of(one)}: {state}  {restore.told(one.get('detail'))}".rstrip())
                known[restore_many.key_of(one)] = state
            now = restore_many.status_of(found)
            if now == "paused" and now != said:
                note(restore.told(found["detail"]))
            said = now
            if found["status"] in restore_many.OVER:
                break
            time.sleep(_LOOK_SECONDS)
            try:
                found, away = client.get(path), 0.0
            except EngineUnavailable:
                away += _LOOK_SECONDS
                if away > _AWAY_SECONDS:
                    raise
    except KeyboardInterrupt:
        note(f"it goes on; `qdeck restore many watch {found['id']}` follows it again, cancel ends it")
        raise
    if output is not Format.table:
        _write(found, output)
    note(f"{restore_many.status_of(found)}: {restore.told(found['detail'])}")
    leave({"SUCCEEDED": OK, "PARTIAL": PARTIAL}.get(str(found["status"]), FAILED))
