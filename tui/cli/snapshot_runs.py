"""`qdeck snapshot run`, `runs`, `now`, `status`, `enable`, `disable`: runs of policies, watched and begun by hand."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from store.types import registry
from tui.api.client import SyncClient
from tui.api.errors import EngineUnavailable
from tui.cli.acting import ask_line
from tui.cli.choosing import the_resource
from tui.cli.engine_link import connected
from tui.cli.exits import FAILED, NOT_FOUND, PARTIAL, USAGE, leave, note
from tui.cli.inventory import quoted
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, local_time, printable, write_document, write_pairs, write_rows

RUNS = ("id", "cloud", "status", "why", "policies", "made", "removed", "skipped", "failed", "blocked", "begun", "took")
RECORDS = ("volume", "tenant", "policy", "action", "status", "snapshot", "detail")
BLOCKS = ("volume", "tenant", "policy", "size_gb", "resource", "limit", "used", "needed")
BATCHES = ("batch", "tenants", "points", "status", "completed", "skipped", "failed")
OVER = ("completed", "partial", "failed", "cancelled", "skipped", "dry_run_completed")
_WHY = {"schedule": "due", "on_demand": "now", "manual": "by hand"}
_LOOK_SECONDS, _AWAY_SECONDS = 1.0, 60.0

Output = Annotated[Format, typer.Option("-o", "--output", help="How results are written to stdout.")]
Cloud = Annotated[str | None, typer.Option("--cloud", help="The cloud; needed where there are several.")]
Region = Annotated[str | None, typer.Option("--region", help="The region; needed where there are several.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for its end; interrupted, it goes on.")]
Number = Annotated[int | None, typer.Argument(metavar="RUN", help="Its number; all runs unless given.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; it stays in the audit.")]


def register(group: typer.Typer) -> None:
    """Add these commands to the group."""
    for name, command in (
        ("run", run), ("runs", runs), ("now", now), ("status", status), ("enable", enable), ("disable", disable),
    ):  # fmt: skip
        group.command(name)(command)


def run(
    context: typer.Context,
    policies: Annotated[list[str] | None, typer.Option("--policy", help="Only this one; may be repeated.")] = None,
    cloud: Cloud = None,
    region: Region = None,
    volumes: Annotated[
        list[str] | None, typer.Option("--volume", help="Only this one: id, start of an id, name; may be repeated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Make nothing: say what would be made.")] = False,
    wait: Wait = False,
    output: Output = Format.table,
) -> None:
    """Make the restore points of policies now, whatever is due, and keep as many as they say."""
    options: GlobalOptions = context.obj
    with connected(options) as client:
        keys = [the_resource(client, registry.ALL["volume"], one, cloud, region) for one in volumes or ()]
        place = cloud or _only([key[0] for key in keys]) or _the_cloud(client)
        _all_known(client, policies or ())
        body: dict[str, Any] = {"cloud": place, "region": region, "dry_run": dry_run}
        body["policies"] = policies or None
        body["volumes"] = [key[2] for key in keys] or None
        begun = client.post("/q/snapshot/runs", json=body)
        if wait or dry_run:
            begun = _followed(client, begun)
        records = _records(client, begun["id"]) if dry_run else []
    if output in (Format.json, Format.yaml):
        write_document({**begun, "records": records} if dry_run else begun, output)
    elif dry_run:
        write_rows([_record(one) for one in records], RECORDS, output)
        note(f"nothing was made: {begun['detail']}")
    else:
        write_rows([_run(begun)], RUNS, output)
        if not wait:
            note(f"snapshot run {begun['id']} was asked for; `qdeck snapshot status` shows how it goes")
    if wait or dry_run:
        _judge(begun)


def runs(
    context: typer.Context,
    number: Number = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, max=1000, help="At most so many.")] = 20,
    state: Annotated[str | None, typer.Option("--status", help=f"Only {', '.join(OVER)}, pending or running.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Of one run: what was not made, and why.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="End this run between two restore points.")] = False,
    output: Output = Format.table,
) -> None:
    """List the runs, newest first; or what one of them did, volume by volume."""
    options: GlobalOptions = context.obj
    if number is None:
        if failed or cancel:
            leave(USAGE, "say which run: `qdeck snapshot runs RUN`")
        with connected(options) as client:
            query = f"limit={limit}" + (f"&status={quoted(state)}" if state else "")
            answer = client.get(f"/snapshot-runs?{query}")
            idle = client.get("/q/snapshot/runs/state")
        items = answer["items"]
        if output in (Format.json, Format.yaml):
            write_document(items, output)
        elif items or output is Format.csv:
            write_rows([_run(one) for one in items], RUNS, output)
            if answer["total"] > len(items):
                note(f"these are the newest {len(items)} of {answer['total']:,}; --limit shows more")
        elif state:
            note(f"no run is {state.replace('_', ' ')}")
        else:
            note("there was no run yet; `qdeck snapshot due` says when the next one is due")
        _tell_idle(idle)
        return
    with connected(options) as client:
        if cancel:
            write_rows([_run(client.post(f"/q/snapshot/runs/{number}/cancel"))], RUNS, output)
            return
        found = client.get(f"/q/snapshot/runs/{number}")
        records = _records(client, number)
    records = [one for one in records if not failed or one["status"] not in ("OK", "DRY_RUN")]
    if output in (Format.json, Format.yaml):
        write_document({**found, "records": records}, output)
    else:
        write_rows([_record(one) for one in records], RECORDS, output)
        note(
            f"run {number} of {found['cloud']}: {found['status']}" + (f", {found['detail']}" if found["detail"] else "")
        )


def now(context: typer.Context, wait: Wait = False, output: Output = Format.table) -> None:
    """Write policies to volumes, collect, make every volume's restore points, collect again: the pipeline on demand."""
    with connected(context.obj) as client:
        begun = client.post("/snapshot/run-now")
        found = client.get("/snapshot/run-now/status")
        if wait:
            left = "the pipeline goes on; `qdeck snapshot status` shows how"
            over = ("completed", "failed")
            found = _watch(client, "/snapshot/run-now/status", lambda one: one["status"] in over, _pipeline, left)
    if output is Format.table:
        write_rows(found["steps"], ("label", "status", "detail"), output)
        if not wait:
            note(f"{begun['message'].partition('.')[0].lower()}; `qdeck snapshot status` shows how it goes")
    else:
        write_document(found, output) if output is not Format.csv else write_rows(
            found["steps"], ("label", "status"), output
        )
    if wait and found["status"] == "failed":
        leave(FAILED, found["detail"] or "a step failed")


def status(context: typer.Context, output: Output = Format.table) -> None:
    """Show what runs now, how far it is, why nothing runs, and the newest pipeline on demand."""
    with connected(context.obj) as client:
        active = client.get("/snapshot/runs/active/progress")
        pipeline = client.get("/snapshot/run-now/status")
        idle = client.get("/q/snapshot/runs/state")
        clouds = client.get("/q/snapshot/clouds")["items"]
    if output in (Format.json, Format.yaml):
        write_document({"active": active, "pipeline": pipeline, **idle, "clouds": clouds}, output)
        return
    if active["active"]:
        found = active["run"]
        write_pairs({**_run(found), "progress": _progress(found)}, output)
        write_rows([_batch(one) for one in active["batches"]], BATCHES, output)
        if active.get("quota_blocks"):
            write_rows([_block(one) for one in active["quota_blocks"]], BLOCKS, output)
    else:
        note("no run is at work")
    if pipeline["status"] != "idle":
        write_rows(pipeline["steps"], ("label", "status", "detail"), output)
    for one in clouds:
        if not one["enabled"]:
            note(f"{one['cloud']} is not enabled for policy runs: `qdeck snapshot enable {one['cloud']} --reason WHY`")
    _tell_idle(idle)


def enable(
    context: typer.Context,
    cloud: Annotated[str, typer.Argument(metavar="CLOUD", help="Its name.")],
    reason: Reason = "",
    typed: Annotated[
        str | None, typer.Option("--yes-typed", help="The name of a production cloud, instead of typing it.")
    ] = None,
    output: Output = Format.table,
) -> None:
    """Let policy runs make and remove restore points in a cloud that is read-only otherwise, until it is disabled."""
    with connected(context.obj) as client:
        states = {one["cloud"]: one for one in client.get("/q/snapshot/clouds")["items"]}
        if typed is None and states.get(cloud, {}).get("production"):
            asked = f'type "{cloud}" to let policy runs work there: '
            typed = ask_line(asked, f"give its name with --yes-typed {cloud}")
        body = {"reason": reason, "typed": typed or ""}
        found = client.post(f"/q/snapshot/clouds/{quoted(cloud)}", json=body)
    write_pairs(found, output)


def disable(
    context: typer.Context,
    cloud: Annotated[str, typer.Argument(metavar="CLOUD", help="Its name.")],
    reason: Reason = "",
    output: Output = Format.table,
) -> None:
    """Policy runs change a read-only cloud no more; one that is at work stops at its next call."""
    with connected(context.obj) as client:
        found = client.delete(f"/q/snapshot/clouds/{quoted(cloud)}?reason={quoted(reason)}")
    write_pairs(found, output)


# Inside


def _the_cloud(client: SyncClient) -> str:
    names = [cloud["name"] for cloud in client.get("/q/clouds")["items"]]
    if not names:
        leave(FAILED, "no cloud is watched yet; `qdeck cloud add NAME` adds one of your clouds.yaml")
    if len(names) > 1:
        leave(USAGE, f"there are several clouds: say which with --cloud ({', '.join(names)})")
    return str(names[0])


def _all_known(client: SyncClient, policies: Sequence[str]) -> None:
    """End the command when nobody made one of these policies and nothing names it: the run would make nothing."""
    if not policies:
        return
    known = {one["name"] for one in client.get("/q/snapshot/policies")["items"]}
    for name in policies:
        if name not in known:
            leave(NOT_FOUND, f"there is no policy {name!r}, and nothing names it; `qdeck snapshot policies` lists them")


def _only(found: list[str]) -> str | None:
    if len(set(found)) > 1:
        leave(USAGE, "a run is of one cloud: the volumes lie in several")
    return found[0] if found else None


def _records(client: SyncClient, run: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = client.get(f"/q/snapshot/runs/{run}/records?limit=1000&offset={len(found)}")
        found += page["items"]
        if not page["items"] or len(found) >= page["total"]:
            return found


def _followed(client: SyncClient, run: Mapping[str, Any]) -> dict[str, Any]:
    left = f"run {run['id']} goes on; `qdeck snapshot runs {run['id']} --cancel` ends it after what it has begun"
    return _watch(client, f"/q/snapshot/runs/{run['id']}", lambda one: one["status"] in OVER, _progress, left)


def _watch(
    client: SyncClient,
    path: str,
    over: Callable[[dict[str, Any]], bool],
    line: Callable[[dict[str, Any]], str],
    left: str,
) -> dict[str, Any]:
    """Ask until it is over, with its progress on a terminal meanwhile. Interrupted, it goes on, and `left` is said."""
    live, told = sys.stderr.isatty(), ""
    try:
        while True:
            found = _asked(client, path)
            if over(found):
                break
            words = f"qdeck: {line(found)}"
            if live and words != told:
                sys.stderr.write(f"\r{printable(words)[:100]}\x1b[K")
                sys.stderr.flush()
                told = words
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        if told:
            sys.stderr.write("\n")
        note(left)
        raise
    if told:
        sys.stderr.write("\r\x1b[K")
    return found


def _asked(client: SyncClient, path: str) -> dict[str, Any]:
    """The answer; waits while the engine's worker is being started anew."""
    deadline = time.monotonic() + _AWAY_SECONDS
    while True:
        try:
            found: dict[str, Any] = client.get(path)
            return found
        except EngineUnavailable:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def _progress(run: Mapping[str, Any]) -> str:
    if run["status"] == "pending":
        return f"run {run['id']} waits for its turn"
    if run["total_batches"] == 0:
        return f"run {run['id']}: the lists are being read"
    until = run["estimated_finish_at"]
    made = f"{run['snapshots_created']:,} of {run['total_volumes']:,} restore points made"
    said = f"run {run['id']}: {run['progress_pct']:g} %, {made}"
    said += f", {run['snapshots_failed']} failed" if run["snapshots_failed"] else ""
    return said + (f", until about {local_time(until)}" if until else "")


def _pipeline(found: Mapping[str, Any]) -> str:
    running = next((step["label"] for step in found["steps"] if step["status"] in ("running", "pending")), "ending")
    done = sum(step["status"] == "completed" for step in found["steps"])
    return f"pipeline: {done} of {len(found['steps'])} steps done, {running.lower()}"


def _judge(run: Mapping[str, Any]) -> None:
    if run["status"] in ("failed", "cancelled"):
        leave(FAILED, run["detail"] or run["status"])
    if run["status"] == "partial":
        leave(PARTIAL, f"{run['detail']}; `qdeck snapshot runs {run['id']} --failed` says why")


def _tell_idle(state: Mapping[str, Any]) -> None:
    for cloud, why in state["idle"].items():
        note(f"{cloud}: something is due and nothing runs: {why}")
    for cloud, why in state["problems"].items():
        note(f"{cloud or 'snapshot runs'}: {why}")


def _run(run: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": run["id"],
        "cloud": run["cloud"],
        "status": run["status"],
        "why": _WHY.get(run["run_type"], run["run_type"]),
        "policies": ", ".join(run["policy_names"]) or "all",
        "made": run["snapshots_created"],
        "removed": run["snapshots_deleted"],
        "skipped": run["volumes_skipped"],
        "failed": run["snapshots_failed"],
        "blocked": run["quota_blocked"],
        "begun": local_time(run["started_at"]),
        "took": _took(run),
    }


def _took(run: Mapping[str, Any]) -> str:
    from store import times

    if not run["started_at"] or not run["finished_at"]:
        return f"{run['progress_pct']:g} %" if run["started_at"] else ""
    seconds = (times.parse(run["finished_at"]) - times.parse(run["started_at"])).total_seconds()
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _batch(one: Mapping[str, Any]) -> dict[str, Any]:
    """A batch in a table; what the API calls total_volumes counts restore points, one of a volume and policy each."""
    tenants = ", ".join(map(str, one["tenant_names"]))
    return {**one, "batch": one["batch_number"], "tenants": tenants, "points": one["total_volumes"]}


def _record(one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "volume": one["volume_name"] or one["volume_id"],
        "tenant": one["project_name"],
        "policy": one["policy"],
        "action": one["action"],
        "status": one["status"],
        "snapshot": one["snapshot_name"] or one["snapshot_id"],
        "detail": one["detail"],
    }


def _block(one: Mapping[str, Any]) -> dict[str, Any]:
    return {**one, "volume": one["volume_name"] or one["volume_id"], "tenant": one["tenant_name"]}
