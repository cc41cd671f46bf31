"""Carrying out an action from the command line: the plan is shown, confirmed, carried out as a job, and told."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from store.types import registry
from store.types.actions import ActionDeclaration, Option
from tui.api.client import SyncClient
from tui.api.errors import EngineUnavailable
from tui.cli.choosing import the_resource
from tui.cli.engine_link import connected
from tui.cli.exits import FAILED, NO_ENGINE, OK, PARTIAL, USAGE, leave, note
from tui.cli.options import GlobalOptions
from tui.cli.output import Format, plain, printable, write_document, write_rows

PLAN_SECONDS = 300.0  # every target of a plan is read from its cloud
COLUMNS = ("name", "project", "cloud", "state", "detail", "request_id", "id")
PLAN_COLUMNS = ("name", "project", "cloud", "state", "changes", "problem", "id")
_SHOWN = 20  # lines of a kind that a plan is shown with; -o json has all
_LOOK_SECONDS = 0.25
_AWAY_SECONDS = 30.0  # that a job is watched while no engine answers
_YES = ("y", "yes")


@dataclass(frozen=True, slots=True)
class How:
    """What the command line says beside action, targets and options.

    typed       the phrase that a plan asks for, given beforehand; None: a person at the terminal is asked
    yes         carry out a plan that asks for no phrase without a question
    pass_lock   go through the lock of a single machine, with its name typed
    stop_after  failures after which no further target is begun
    """

    filter: str | None = None
    cloud: str | None = None
    region: str | None = None
    reason: str = ""
    ticket: str = ""
    typed: str | None = None
    yes: bool = False
    pass_lock: bool = False
    stop_after: int | None = None
    dry_run: bool = False
    wait: bool = True
    output: Format = Format.table


def act(
    options: GlobalOptions, action: ActionDeclaration, refs: Sequence[str], values: Mapping[str, Any], how: How
) -> None:
    """Plan and carry out; ends the process with the exit code: done, failed, or done in part."""
    if action.creates and (refs or how.filter is not None):
        leave(USAGE, f"{action.id} makes something new: it takes no resources")
    if not action.creates and not refs and how.filter is None:
        leave(USAGE, f"say what to {action.title.lower()}: ids or names, or --filter")
    if refs and how.filter is not None:
        leave(USAGE, "give ids or names, or --filter, not both")
    with connected(options) as client:
        body = {"action": action.id, "options": dict(values), **_targets(client, action, refs, how)}
        plan = client.request("POST", "/q/plans", json=body, seconds=PLAN_SECONDS)
        if how.dry_run:
            _dry(plan, how.output)
        _show(plan)
        given = confirmed(plan, how)
        job = client.request("POST", f"/q/plans/{plan['id']}/execute", json=given, seconds=PLAN_SECONDS)["job"]
        if not how.wait:
            note(f"job {job['number']} begins; `qdeck jobs {job['number']}` shows it")
            if how.output is not Format.table:
                write_document(job, how.output)
            leave(OK)
        refused = [item for item in plan["items"] if not item["ok"] and item["key"] not in given["override"]]
        tell(watched(client, job), how.output, refused, {tuple(item["key"]): item for item in plan["items"]})


def values_of(action: ActionDeclaration, texts: Sequence[str]) -> dict[str, Any]:
    """The options given as name=value, each as its kind wants it. Ends the process for what cannot be read."""
    found: dict[str, Any] = {}
    known = {option.name: option for option in action.options}
    for text in texts:
        name, equals, value = text.partition("=")
        option = known.get(name.replace("-", "_"))
        if not equals or option is None:
            leave(USAGE, f"--option {text}: {action.id} takes name=value of {', '.join(known) or 'nothing'}")
        found[option.name] = value_of(option, value)
    return found


def value_of(option: Option, text: str) -> Any:
    """One option's value, from a text. Ends the process when it cannot be read."""
    value: Any = text
    match option.kind:
        case "number":
            value = int(text) if text.lstrip("-").isdecimal() else text
        case "bool":
            value = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(text.lower())
            value = text if value is None else value
        case "choice":
            value = next((choice for choice in option.choices if choice.lower() == text.lower()), text)
        case "list":
            value = [part.strip() for part in text.split(",") if part.strip()]
    if problem := option.problem(value):
        leave(USAGE, f"{option.name} {problem}")
    return value


def _targets(client: SyncClient, action: ActionDeclaration, refs: Sequence[str], how: How) -> dict[str, Any]:
    if action.creates:
        return {"cloud": how.cloud, "region": how.region}
    if how.filter is not None:
        chosen: dict[str, Any] = {"filter": how.filter}
        if how.cloud is not None:
            chosen["clouds"] = [how.cloud]
        if how.region is not None:
            chosen["regions"] = [how.region]
        return {"targets": chosen}
    kind = registry.ALL[action.type]
    words = [word for ref in refs for word in (sys.stdin.read().split() if ref == "-" else [ref])]
    keys = [the_resource(client, kind, word, how.cloud, how.region) for word in words]
    return {"targets": {"keys": list(dict.fromkeys(map(tuple, keys)))}}


# The plan


def _dry(plan: Mapping[str, Any], output: Format) -> None:
    """Print the plan on stdout; ends the process."""
    if output in (Format.json, Format.yaml):
        write_document(plan, output)
    else:
        write_rows([_plan_row(item) for item in plan["items"]], PLAN_COLUMNS, output)
        _tell_rest(plan)
    refused = plan["refused"]
    leave(OK if not refused else FAILED if refused == plan["count"] else PARTIAL)


def _show(plan: Mapping[str, Any]) -> None:
    """Tell the plan on stderr: what is done, to what, and what is lost."""
    note(plan["title"])
    for item in plan["items"][:_SHOWN]:
        row = _plan_row(item)
        where = "/".join(part for part in (row["cloud"], row["project"]) if part)
        what = row["problem"] or row["changes"]
        _say(f"  {'-' if item['ok'] else 'x'} {item['name']}" + (f" ({where})" if where else "") + f": {what}")
    if (more := len(plan["items"]) - _SHOWN) > 0:
        _say(f"    and {more} more; --dry-run lists all")
    _tell_rest(plan)


def _say(line: str) -> None:
    sys.stderr.write(f"{printable(line)}\n")


def _tell_rest(plan: Mapping[str, Any]) -> None:
    lost = [(item["name"], word) for item in plan["items"] if item["ok"] for word in item["lost"]]
    for name, word in lost[:_SHOWN]:
        _say(f"  lost with {name}: {word}")
    for warning in plan["warnings"]:
        _say(f"  mind: {warning}")
    for command in plan["commands"][:_SHOWN]:
        _say(f"  $ {command}")
    if plan["refused"] and plan["count"] > 1:
        _say(f"  {plan['refused']} of {plan['count']} are refused and left out")


def _plan_row(item: Mapping[str, Any]) -> dict[str, Any]:
    changes = "; ".join(f"{one['field']}: {plain(one['from'])} -> {plain(one['to'])}" for one in item["changes"])
    return {
        "name": item["name"],
        "project": item["project_name"],
        "cloud": item["cloud"],
        "state": item["state"],
        "changes": changes,
        "problem": item["problem"],
        "id": item["key"][2],
    }


def confirmed(plan: Mapping[str, Any], how: How) -> dict[str, Any]:
    """The body of the execution, once a person (or the command line) has agreed; ends the process otherwise."""
    passable = [item["key"] for item in plan["items"] if item["override"]]
    if how.pass_lock and not passable:
        leave(USAGE, "--pass-lock is for a plan of one locked machine")
    if plan["refused"] == plan["count"] and not how.pass_lock:
        problem = plan["items"][0]["problem"] if plan["count"] == 1 else "every one of them is refused"
        hint = "; --pass-lock goes through the lock" if passable else ""
        leave(FAILED, f"nothing is done: {problem}{hint}")
    asked = plan["requires"]
    reason = how.reason or (ask_line("reason: ", "give one with --reason") if asked["reason"] else "")
    pattern = f" like {asked['ticket_pattern']}" if asked["ticket_pattern"] else ""
    ticket = how.ticket or (ask_line(f"ticket{pattern}: ", "give one with --ticket") if asked["ticket"] else "")
    phrase = asked["override"] if how.pass_lock else asked["typed"]
    typed = how.typed
    if phrase and typed is None:
        typed = ask_line(f'type "{phrase}" to carry this out: ', f'give the phrase with --yes-typed "{phrase}"')
        if typed != phrase:
            leave(FAILED, "that is not the phrase: nothing is done")
    elif not phrase and not how.yes and how.typed is None:
        answer = ask_line("carry this out? [y/N] ", "add --yes to carry it out without a question")
        if answer.lower() not in _YES:
            leave(FAILED, "nothing is done")
    return {
        "reason": reason,
        "ticket": ticket,
        "typed": typed or "",
        "stop_after": how.stop_after,
        "hash": plan["hash"],
        "override": passable if how.pass_lock else [],
    }


def ask_line(question: str, otherwise: str) -> str:
    """A line from the person at the terminal; ends the process with `otherwise` when there is nobody to ask."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        leave(USAGE, f"nobody is at the terminal to answer {question.strip()!r}: {otherwise}")
    sys.stderr.write(f"qdeck: {printable(question)}")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        leave(FAILED, "nothing is done")
    return line.strip()


# The job


def watched(client: SyncClient, job: dict[str, Any]) -> dict[str, Any]:
    """The job once it has ended, with its progress on a terminal meanwhile. Interrupted, it goes on."""
    live, told = sys.stderr.isatty(), ""
    try:
        while job["ended_at"] is None:
            time.sleep(_LOOK_SECONDS)
            job = _looked(client, job)
            line = f"qdeck: job {job['number']}: {job['done']} of {job['total']} done, {job['failed']} failed"
            line += f" ({job['detail']})" if job["state"] == "waiting" else ""
            if live and line != told:
                sys.stderr.write(f"\r{printable(line)[:100]}\x1b[K")
                sys.stderr.flush()
                told = line
    except KeyboardInterrupt:
        if told:
            sys.stderr.write("\n")
        note(f"job {job['number']} goes on; `qdeck jobs {job['number']} cancel` stops it after what it has begun")
        raise
    if told:
        sys.stderr.write("\r\x1b[K")
    return job


def _looked(client: SyncClient, job: dict[str, Any]) -> dict[str, Any]:
    """The job as it is now; waits while the engine's worker is being started anew."""
    deadline = time.monotonic() + _AWAY_SECONDS
    while True:
        try:
            found: dict[str, Any] = client.get(f"/q/jobs/{job['id']}")
            return found
        except EngineUnavailable as error:
            if time.monotonic() > deadline:
                number = job["number"]
                leave(NO_ENGINE, f"{error}; job {number} is taken up again by the next engine: `qdeck jobs {number}`")
            time.sleep(_LOOK_SECONDS)


def tell(
    job: Mapping[str, Any],
    output: Format,
    refused: Sequence[Mapping[str, Any]] = (),
    items: Mapping[tuple[str, ...], Mapping[str, Any]] = MappingProxyType({}),
) -> None:
    """Print what came of each target; ends the process with the exit code. `items`: the plan's, by key."""
    rows = [_result(step, job, items) for step in job["steps"]]
    rows += [{**_plan_row(item), "state": "refused", "detail": item["problem"]} for item in refused]
    if output in (Format.json, Format.yaml):
        write_document({"job": job, "results": rows}, output)
    else:
        write_rows(rows, COLUMNS, output)
    failed = job["total"] - job["done"]
    words = f"job {job['number']}: {job['done']} done"
    words += f", {job['failed']} failed" if job["failed"] else ""
    skipped = failed - job["failed"]
    words += f", {skipped} not begun" if skipped > 0 else ""
    words += f", {len(refused)} refused" if refused else ""
    note(words + (f"; `qdeck jobs {job['number']} retry` tries again what was not done" if failed else ""))
    leave(FAILED if not job["done"] else PARTIAL if failed or refused else OK)


def _result(
    step: Mapping[str, Any], job: Mapping[str, Any], items: Mapping[tuple[str, ...], Mapping[str, Any]]
) -> dict[str, Any]:
    key = step["key"]
    # What is made has no key yet: the plan has one item then.
    item = items.get(tuple(key)) if key else next(iter(items.values()), None)
    return {
        "name": step["target"] or step["name"],
        "project": item["project_name"] or None if item else None,
        "cloud": key[0] if key else job["cloud"],
        "state": step["state"],
        "detail": step["detail"],
        "request_id": step["request_id"],
        "id": key[2] if key else step["created"],
    }
