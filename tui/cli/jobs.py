"""`qdeck jobs`, `qdeck writes` and `qdeck actions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tui.cli.acting import ask_line, tell, watched
from tui.cli.engine_link import connected
from tui.cli.exits import USAGE, leave, note
from tui.cli.inventory import find_type, quoted
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, local_time, write_document, write_pairs, write_rows

VERBS = ("follow", "cancel", "retry")
JOB_COLUMNS = ("number", "state", "title", "by", "cloud", "done", "failed", "total", "created_at", "ticket")
STEP_COLUMNS = ("seq", "state", "name", "detail", "request_id", "attempt")
WRITE_COLUMNS = ("cloud", "mode", "until", "needs")
ACTION_COLUMNS = ("id", "title", "danger", "many", "allowed", "options")


def listed(options: GlobalOptions, states: Sequence[str], by: str | None, limit: int, output: Format) -> None:
    """Print jobs, the newest first."""
    query: dict[str, Any] = {"limit": limit}
    if states:
        query["state"] = list(states)
    if by is not None:
        query["by"] = by
    with connected(options) as client:
        answer = client.get("/q/jobs", params=query)
    items = answer["items"]
    if output in (Format.json, Format.yaml):
        write_document(items, output)
    else:
        write_rows(_timed(items, output), JOB_COLUMNS, output)
    if answer["total"] > len(items):
        note(f"these are the newest {len(items)} of {answer['total']}")


def one(options: GlobalOptions, reference: str, verb: str | None, wait: bool, output: Format) -> None:
    """Print a job with its steps, cancel it, or begin again what was not done in it."""
    if verb not in (None, *VERBS):
        leave(USAGE, f"a job can be {', '.join(VERBS)}, not {verb!r}")
    path = f"/q/jobs/{quoted(reference)}"
    with connected(options) as client:
        if verb is None:
            _show(client.get(path), output)
        elif verb == "follow":
            tell(watched(client, client.get(path)), output)
        elif verb == "cancel":
            job = client.post(f"{path}/cancel")
            note(f"job {job['number']} begins nothing more" + ("" if job["ended_at"] else "; what runs is finished"))
        else:
            job = client.request("POST", f"{path}/retry", seconds=300.0)
            note(f"job {job['number']} tries again what was not done")
            if wait:
                tell(watched(client, job), output)


def _timed(jobs: Sequence[Mapping[str, Any]], output: Format) -> list[dict[str, Any]]:
    """For people the times are those of their zone."""
    if output is not Format.table:
        return list(map(dict, jobs))
    return [
        {**job, **{name: local_time(job[name]) for name in ("created_at", "ended_at") if job[name]}} for job in jobs
    ]


def _show(job: Mapping[str, Any], output: Format) -> None:
    if output in (Format.json, Format.yaml):
        write_document(job, output)
        return
    if output is Format.table:
        names = ("number", "title", "state", "detail", "by", "cloud", "reason", "ticket", "created_at", "ended_at")
        (shown,) = _timed([job], output)
        write_pairs({name: shown[name] for name in names if shown[name] not in (None, "")}, output)
    write_rows(job["steps"], STEP_COLUMNS, output)
    can = [*([] if job["ended_at"] else ["follow"]), *job["can"]]
    if can:
        note(" or ".join(f"`qdeck jobs {job['number']} {word}`" for word in can))


def actions(options: GlobalOptions, type_word: str | None, output: Format) -> None:
    """Print what can be done to resources of a type, or of all."""
    query = {} if type_word is None else {"type": find_type(type_word).name}
    with connected(options) as client:
        items = client.get("/q/actions", params=query)["items"]
    if output in (Format.json, Format.yaml):
        write_document(items, output)
        return
    rows = [
        {**item, "options": [one["name"] + ("" if one["required"] else "?") for one in item["options"]]}
        for item in items
    ]
    write_rows(rows, ACTION_COLUMNS, output)


def writes(options: GlobalOptions, output: Format) -> None:
    """Print which clouds may be changed just now."""
    with connected(options) as client:
        items = client.get("/q/writes")["items"]
    if output in (Format.json, Format.yaml):
        write_document(items, output)
    else:
        write_rows([_mode(item) for item in items], WRITE_COLUMNS, output)
    for item in items:
        for freeze in item["hands_off"]:
            if freeze.get("in_force"):
                what = [*freeze.get("projects", ()), *freeze.get("hosts", ()), *freeze.get("names", ())]
                note(f"hands off {', '.join(what) or item['cloud']} ({item['cloud']}): {freeze['reason']}")


def _mode(item: Mapping[str, Any]) -> dict[str, Any]:
    needs = [word for word in ("reason", "ticket") if item[f"{word}_required"]]
    needs += ["its name typed"] if item["production"] else []
    mode = "always writable" if item["demo"] else "writable" if item["writable"] else "read-only"
    return {"cloud": item["cloud"], "mode": mode, "until": item["until"], "needs": needs or None}


def lift(options: GlobalOptions, cloud: str, minutes: int | None, reason: str, typed: str | None) -> None:
    """Lift read-only mode; a production cloud asks its name."""
    with connected(options) as client:
        item = next((one for one in client.get("/q/writes")["items"] if one["cloud"] == cloud), None)
        if item is not None and item["reason_required"] and not reason:
            reason = ask_line("reason: ", "give one with --reason")
        if item is not None and item["production"] and not item["demo"] and typed is None:
            typed = ask_line(f'type "{cloud}" to lift read-only mode: ', f"give its name with --yes-typed {cloud}")
        body = {"minutes": minutes, "reason": reason, "typed": typed or ""}
        item = client.post(f"/q/writes/{quoted(cloud)}", json=body)
    if item["demo"]:
        note(f"{cloud} has no read-only mode")
        return
    left = (datetime.fromisoformat(item["until"].replace("Z", "+00:00")) - datetime.now(UTC)).total_seconds()
    note(f"{cloud} may be changed for {max(1, round(left / 60))} minutes, until {item['until']}")


def end(options: GlobalOptions, cloud: str) -> None:
    """Make a cloud read-only again."""
    with connected(options) as client:
        item = client.delete(f"/q/writes/{quoted(cloud)}")
    note(f"{cloud} has no read-only mode" if item["demo"] else f"{cloud} is read-only")
