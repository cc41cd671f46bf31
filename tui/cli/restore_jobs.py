"""What `qdeck restore jobs`, `show`, `watch`, `cancel`, `retry` and `answer` do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui import restore
from tui.cli.exits import CANNOT, OK, leave, note
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, local_time, write_document, write_pairs, write_rows
from tui.cli.restore_asking import SECONDS, given_phrase, name_of, restoring, say, the_machine, the_restore
from tui.cli.restore_plan import Given, begun
from tui.cli.restore_review import write_review
from tui.cli.restore_watch import OVER, STEPS, follow, step_line, watchable

JOBS = ("restore", "status", "way", "machine", "project", "cloud", "step", "by", "created_at", "detail")
CSV = ("number", "id", "status", "way", "vm_name", "vm_id", "project_name", "cloud", "region", "restore_point_id",
       "ip_strategy", "created_at", "created_by", "executed_at", "finished_at", "detail")  # fmt: skip
RESOURCES = ("type", "name", "state", "purpose", "id")


def listed(options: GlobalOptions, status: str | None, machine: str | None, place: tuple[str | None, str | None],
           limit: int, output: Format) -> None:  # fmt: skip
    """Print restores and plans, the newest first."""
    with restoring(options) as client:
        cloud, region = place
        params: dict[str, Any] = {"status": status, "cloud": cloud, "region": region, "limit": limit}
        if machine is not None:
            params["cloud"], params["region"], params["vm_id"] = the_machine(client, machine, cloud, region)
        answer = client.get(restore.JOBS, params={name: value for name, value in params.items() if value is not None})
    items = answer["items"]
    if output in (Format.json, Format.yaml):
        write_document(items, output)
    elif output is Format.csv:
        write_rows(items, CSV, output)
    elif items:
        write_rows([_row(one) for one in items], JOBS, output)
    if answer["total"] > len(items):
        note(f"these are the newest {len(items)} of {answer['total']}; --limit shows more")
    elif not items:
        note(
            "there is no restore like that" if params.get("vm_id") or status else "nothing was restored or planned yet"
        )


def _row(job: Mapping[str, Any]) -> dict[str, Any]:
    named = job["number"] if job["number"] is not None else job["id"]
    return {
        "restore": str(named),
        "status": _status(job),
        "way": job["way"],
        "machine": job["vm_name"],
        "project": job["project_name"],
        "cloud": job["cloud"],
        "step": restore.current_step(job) or None,
        "by": job["created_by"],
        "created_at": local_time(job["created_at"]),
        "detail": restore.told(job["detail"] or "") or None,
    }


def _status(job: Mapping[str, Any]) -> str:
    """A plan that can't be carried out does not wait for anybody."""
    planned = job["status"] == "PLANNED" and not job["expired"]
    return "not possible" if planned and not job["eligible"] else restore.status_of(job)


def show(options: GlobalOptions, ref: str, plan: bool, output: Format) -> None:
    """Print a restore with its steps, what it made, and what can be asked of it; or its plan."""
    with restoring(options) as client:
        job = the_restore(client, ref)
        found = client.get(restore.path_of(restore.PLANS, job["id"])) if plan else job
    if output in (Format.json, Format.yaml):
        write_document(found, output)
    elif plan and output is Format.table:
        write_review(found, dry_run=True)
    elif output is Format.csv:
        write_rows([{**one, "step": one["step_order"]} for one in job["steps"]], STEPS, output)
    else:
        _show(job)


def _show(job: Mapping[str, Any]) -> None:
    pairs = {
        "restore": name_of(job), "id": job["id"], "status": _status(job), "detail": job["detail"],
        "way": job["way"], "machine": job["vm_name"], "project": job["project_name"], "cloud": job["cloud"],
        "new_name": job["new_vm_name"], "point": job["restore_point_name"] or job["restore_point_id"],
        "addresses": job["ip_strategy"] if job["way"] in restore.MAKES_MACHINE else None,
        "by": job["executed_by"] or job["created_by"],
        "planned": local_time(job["created_at"]), "started": local_time(job["started_at"]),
        "finished": local_time(job["finished_at"]), "retry_of": job["retry_of"],
        "retried_by": ", ".join(job["retried_by"]) or None, "old_machine": restore.told(job["old_machine"]),
    }  # fmt: skip
    write_pairs({name: value for name, value in pairs.items() if value not in (None, "")}, Format.table)
    say()
    steps = job["steps"]
    width = max((len(step["name"]) for step in steps), default=0)
    for step in steps:
        if step["phase"] == "undo" and step["status"] in ("PENDING", "SKIPPED"):
            continue  # nothing has to be taken back
        say(step_line(step, steps, width))
    if job["resources"]:
        say()
        write_rows(job["resources"], RESOURCES, Format.table)
    if job["asks"]:
        note(f"it asks: {restore.told(job['asks'])}")
    number = name_of(job)
    can = [*(["execute"] if job["status"] == "PLANNED" and not job["expired"] and job["eligible"] else []),
           *(["watch"] if job["status"] not in (*OVER, "PLANNED") else []), *job["can"]]  # fmt: skip
    commands = [f"`qdeck restore {word.replace('_', '-')} {number}{' yes|no' if word == 'answer' else ''}`"
                for word in can]  # fmt: skip
    if commands:
        note(" or ".join(commands))


def watch(options: GlobalOptions, ref: str, output: Format) -> None:
    """Follow a restore to its end; ends with what came of it."""
    with restoring(options) as client:
        job = the_restore(client, ref)
        watchable(job)
        follow(client, job, output)


def cancel(options: GlobalOptions, ref: str, reason: str, wait: bool, output: Format) -> None:
    """Give up a plan, or end a restore: what it changed is taken back."""
    with restoring(options) as client:
        job = the_restore(client, ref)
        if job["status"] != "PLANNED" and "cancel" not in job["can"]:
            why = "it is over" if job["status"] in OVER else "it is past the step from which nothing is taken back"
            leave(CANNOT, f"restore {name_of(job)} cannot be cancelled: {why}")
        job = client.post(restore.path_of(restore.JOBS, job["id"], "cancel"), json={"reason": reason or None})
        number = name_of(job)
        if job["number"] is None:
            note(f"the plan {number} is given up")
        else:
            note(f"restore {number} is being cancelled: what it changed is taken back")
            if wait:
                job = client.get(restore.path_of(restore.JOBS, job["id"]))
                # Cancelled is what was asked for.
                try:
                    follow(client, job, output)
                except SystemExit as ended:
                    after = client.get(restore.path_of(restore.JOBS, job["id"]))
                    leave(OK if after["status"] == "CANCELED" else int(ended.code or 0))
            note(f"`qdeck restore watch {number}` shows how that goes")
    if output in (Format.json, Format.yaml):
        write_document(job, output)


def retry(options: GlobalOptions, ref: str, strategy: str | None, given: Given, output: Format) -> None:
    """Begin a new restore that goes on with what a failed one made."""
    with restoring(options) as client:
        job = the_restore(client, ref)
        if "retry" not in job["can"]:
            leave(CANNOT, f"restore {name_of(job)} cannot be retried: it is {restore.status_of(job)}{_retried(job)}")
        plan = client.get(restore.path_of(restore.PLANS, job["id"]))
        typed = given_phrase(plan["requires"]["typed"], given.typed, "try this again")
        body = {"typed": typed, "ip_strategy_override": strategy}
        path = restore.path_of(restore.JOBS, job["id"], "retry")
        answer = client.request("POST", path, json=body, seconds=SECONDS)
        reused = answer["reused_resources"]
        note(f"it goes on from {answer['resumed_from_step']}" + (" with the volumes that were made" if reused else ""))
        begun(client, client.get(restore.path_of(restore.JOBS, answer["job_id"])), given.watch, output)


def _retried(job: Mapping[str, Any]) -> str:
    return f", and was retried by {', '.join(job['retried_by'])}" if job["retried_by"] else ""


def answer(options: GlobalOptions, ref: str, word: str, output: Format) -> None:
    """Say whether the machine answers."""
    with restoring(options) as client:
        job = the_restore(client, ref)
        job = client.post(restore.path_of(restore.JOBS, job["id"], "answer"), json={"answer": word})
    number = name_of(job)
    note(f"restore {number} goes on" if word == "yes" else f"restore {number} takes back what it changed")
    if output in (Format.json, Format.yaml):
        write_document(job, output)
