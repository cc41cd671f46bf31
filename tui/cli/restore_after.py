"""What `qdeck restore cleanup`, `cleanup-storage` and `kept` do: after a restore, what of it is still there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tui import restore
from tui.api.client import SyncClient
from tui.cli.exits import CANNOT, FAILED, NOT_FOUND, OK, PARTIAL, USAGE, leave, note
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, local_time, write_document, write_rows
from tui.cli.restore_asking import SECONDS, SHORTEST, agreed, given_phrase, name_of, restoring, the_restore

LEFT = ("what", "name", "becomes", "why", "id")
STORAGE = ("what", "becomes", "why", "id")
KEPT = ("until", "over", "kind", "name", "machine", "project", "cloud", "at_end", "problem", "id")
Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sure:
    """How sure somebody is: `typed` the name of a production cloud, or of what is removed, given beforehand."""

    yes: bool = False
    typed: str | None = None
    dry_run: bool = False


def cleanup(options: GlobalOptions, ref: str, delete_volume: bool, sure: Sure, output: Format) -> None:
    """Delete what a restore left, once a person has seen it; ends with 6 when something stays that should have gone."""
    with restoring(options) as client:
        job = the_restore(client, ref)
        found = client.request("GET", restore.path_of(restore.JOBS, job["id"], "left"), seconds=SECONDS)["items"]
        rows = [_left(one, delete_volume) for one in found]
        going = [row for row in rows if row["becomes"] == "goes"]
        if sure.dry_run or not going:
            _write(found, rows, LEFT, output)
            if not any(one["can_go"] for one in found):
                note(f"restore {name_of(job)} left nothing that can be removed")
            elif not going:
                note("volumes are preserved for a retry; --delete-volume removes them, too")
            leave(OK)
        if output is Format.table:
            write_rows(rows, LEFT, output)
        typed = _sure(client, job, sure, f"delete {_count(len(going))} that restore {name_of(job)} made?")
        path = restore.path_of(restore.JOBS, job["id"], "cleanup")
        body = {"delete_volume": delete_volume, "typed": typed}
        answer = client.request("POST", path, json=body, seconds=SECONDS)
    cleaned = answer["cleaned"]
    if output is Format.csv:
        words = {"removed": "gone", "left": "stays"}
        every = [{**_left(one, delete_volume), "becomes": words[key]} for key in words for one in cleaned[key]]
        write_rows(every, LEFT, output)
    elif output is not Format.table:
        write_document(answer, output)
    for text in cleaned["errors"]:
        note(restore.told(text))
    note(f"{restore.told(answer['message'])}: {len(cleaned['removed'])} removed, {len(cleaned['left'])} left")
    leave(OK if not cleaned["errors"] else PARTIAL if cleaned["removed"] else FAILED)


def _left(one: Item, delete_volume: bool) -> dict[str, Any]:
    spared = one["purpose"].startswith("volume:") and not delete_volume and one["can_go"]
    why = "a retry uses it again; --delete-volume removes it" if spared else one["reason"]
    stays = spared or not one["can_go"]
    return {"what": one["type"], "name": one["name"], "becomes": "stays" if stays else "goes", "why": why or None,
            "id": one["id"]}  # fmt: skip


def _sure(client: SyncClient, job: Item, sure: Sure, question: str) -> str:
    """What is typed for a production cloud; else a yes."""
    item = next((one for one in client.get("/q/writes")["items"] if one["cloud"] == job["cloud"]), None)
    if item is not None and item["production"]:
        return given_phrase(job["cloud"], sure.typed, f"do it in this production cloud ({question.rstrip('?')})")
    agreed(sure.yes, question)
    return sure.typed or ""


def _count(number: int) -> str:
    return "the one thing" if number == 1 else f"the {number} things"


def cleanup_storage(
    options: GlobalOptions, ref: str, old_volume: bool, source_snapshot: bool, sure: Sure, output: Format
) -> None:
    """Delete old storage that a REPLACE left; ends with 6 when some of it did not go for an error."""
    what = [*(["its old root volume"] if old_volume else []), *(["its restore point"] if source_snapshot else [])]
    if not what:
        leave(USAGE, "say what is to be deleted: --old-volume, --source-snapshot")
    with restoring(options) as client:
        job = the_restore(client, ref)
        if "cleanup_storage" not in job["can"]:
            leave(CANNOT, "only a REPLACE that has succeeded leaves old storage to be cleaned up")
        typed = _sure(client, job, sure, f"delete {' and '.join(what)}, unless something needs it?")
        body = {"delete_old_volume": old_volume, "delete_source_snapshot": source_snapshot, "typed": typed}
        path = restore.path_of(restore.JOBS, job["id"], "cleanup-storage")
        answer = client.request("POST", path, json=body, seconds=SECONDS)
    result = answer["result"]
    deleted = [("volume", id) for id in result["deleted_volumes"]]
    deleted += [("snapshot", id) for id in result["deleted_snapshots"]]
    rows = [{"what": what, "becomes": "gone", "why": None, "id": id} for what, id in deleted]
    rows += [
        {"what": one["type"], "becomes": "stays", "why": one["reason"], "id": one["id"]} for one in result["skipped"]
    ]
    _write(answer, rows, STORAGE, output)
    for text in result["errors"]:
        note(restore.told(text))
    leave(OK if not result["errors"] else PARTIAL if deleted else FAILED)


# What is kept


def kept(options: GlobalOptions, place: tuple[str | None, str | None], output: Format) -> None:
    """Print what is kept after restores, what ends first before the rest."""
    with restoring(options) as client:
        items = _kept(client, place)
    _write(items, [_kept_row(one) for one in items], KEPT, output)
    if not items:
        note("nothing is kept after restores")


def extend(options: GlobalOptions, ref: str, days: int, output: Format) -> None:
    """Keep something longer."""
    with restoring(options) as client:
        found = _the_kept(client, ref)
        found = client.post(restore.path_of(restore.KEPT, found["id"], "extend"), json={"days": days})
    _told(found, f"{found['name']} is kept until {local_time(found['until'])}", output)


def release(options: GlobalOptions, ref: str, rename: bool, yes: bool, output: Format) -> None:
    """Keep something no longer, and leave it where it is."""
    with restoring(options) as client:
        found = _the_kept(client, ref)
        agreed(yes, f"leave the {found['kind'].replace('_', ' ')} {found['name']} to itself, with no lock and no date?")
        path = restore.path_of(restore.KEPT, found["id"], "release")
        found = client.request("POST", path, json={"rename": rename}, seconds=SECONDS)
    _told(found, f"{found['name']} is not kept any more; it is where it was", output)


def remove(options: GlobalOptions, ref: str, typed: str | None, output: Format) -> None:
    """Delete what is kept, its name typed."""
    with restoring(options) as client:
        found = _the_kept(client, ref)
        item = next((one for one in client.get("/q/writes")["items"] if one["cloud"] == found["cloud"]), None)
        names = [found["cloud"]] if item is not None and item["production"] else []
        phrase = " ".join([*names, found["typed"]])
        body = {"typed": given_phrase(phrase, typed, f"delete this {found['kind'].replace('_', ' ')}")}
        path = restore.path_of(restore.KEPT, found["id"], "remove")
        found = client.request("POST", path, json=body, seconds=SECONDS)
    _told(found, f"{found['name']} is deleted", output)


def _kept(client: SyncClient, place: tuple[str | None, str | None]) -> list[dict[str, Any]]:
    params = {name: value for name, value in zip(("cloud", "region"), place, strict=True) if value is not None}
    items: list[dict[str, Any]] = client.get(restore.KEPT, params=params)["items"]
    return items


def _the_kept(client: SyncClient, ref: str) -> dict[str, Any]:
    """What is kept of that id (its own, or that of the machine or volume), start of it, or name."""
    items = _kept(client, (None, None))
    found = [one for one in items if ref in (one["id"], one["resource_id"], one["name"])]
    if not found and len(ref) >= SHORTEST:
        found = [one for one in items if one["id"].startswith(ref) or one["resource_id"].startswith(ref)]
    if len(found) == 1:
        return found[0]
    if found:
        leave(USAGE, f"{ref!r} means {len(found)} things: say which by its id ({', '.join(_ids(found))})")
    leave(NOT_FOUND, f"nothing that is kept is called {ref!r:.80}; `qdeck restore kept` lists it")


def _ids(items: Sequence[Item]) -> list[str]:
    return [str(one["id"]) for one in items[:5]]


def _kept_row(one: Item) -> dict[str, Any]:
    return {
        **one,
        "until": local_time(one["until"]),
        "kind": one["kind"].replace("_", " "),
        "project": one["project_name"] or one["project_id"],
        "problem": one["problem"] or None,
    }


def _told(found: Item, words: str, output: Format) -> None:
    if output in (Format.json, Format.yaml):
        write_document(found, output)
    elif output is Format.csv:
        write_rows([_kept_row(found)], KEPT, output)
    note(words)


def _write(document: Any, rows: Sequence[Item], columns: Sequence[str], output: Format) -> None:
    if output in (Format.json, Format.yaml):
        write_document(document, output)
    elif rows or output is Format.csv:
        write_rows(rows, columns, output)
