"""Operations on servers: start, stop, reboot, lock, unlock, rename. What Nova would refuse is refused in the plan."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.gate.models import Call, Change, Check, Context, Operation, Settled, Target
from store import times
from store.types.actions import ACTIONS

Options = Mapping[str, Any]
Command = tuple[str, ...]

LOCK_REASON = "2.73"  # microversion that knows `locked_reason`
# How long ago a reboot may have begun that is taken for an interrupted attempt of ours.
_REBOOT_SEEN = timedelta(hours=1)
_STATES = {
    "ACTIVE": "active",
    "SHUTOFF": "stopped",
    "PAUSED": "paused",
    "SUSPENDED": "suspended",
    "ERROR": "error",
    "REBOOT": "active",
    "HARD_REBOOT": "active",
}
_WORDS = {"active": "running", "stopped": "stopped", "error": "in error"}
_HARD = frozenset({"active", "stopped", "paused", "suspended", "error"})
# A soft reboot that hangs is ended by a hard one.
_SOFT_TASKS = frozenset({"rebooting", "reboot_pending", "reboot_started"})


def operations() -> list[Operation]:
    """What can be done to servers."""
    return [
        Operation(ACTIONS["server.start"], _start_check, _action("os-start"), _command("start"), _is("active"), None,
                  _settled_start, seconds=300),
        Operation(ACTIONS["server.stop"], _stop_check, _action("os-stop"), _command("stop"), _is("stopped"), None,
                  _settled_stop, seconds=300),
        Operation(ACTIONS["server.reboot"], _reboot_check, _reboot_calls, _reboot_commands, _reboot_begun, None,
                  _settled_reboot, seconds=420),
        Operation(ACTIONS["server.lock"], _lock_check, _lock_calls, _lock_commands, _locked, None, _settled_lock,
                  seconds=30, passes_locks=True),
        Operation(ACTIONS["server.unlock"], _unlock_check, _action("unlock"), _command("unlock"), _unlocked, None,
                  _settled_unlock, seconds=30, passes_locks=True),
        Operation(ACTIONS["server.rename"], _rename_check, _rename_calls, _rename_commands, _renamed, None,
                  _settled_rename, seconds=30),
    ]  # fmt: skip


def server_action(target: Target, body: Mapping[str, Any], what: str, microversion: str = "") -> Call:
    """POST of one of Nova's actions on a server."""
    return Call(
        target.cloud,
        target.region,
        "compute",
        "POST",
        f"/servers/{target.id}/action",
        body,
        microversion,
        project_id=target.project_id,
        what=what,
        key=target.key,
        type="server",
    )


def _state(target: Target) -> str:
    """Nova's vm_state, made from the status where the token does not see it."""
    found = target.doc.get("OS-EXT-STS:vm_state")
    status = str(target.doc.get("status") or "")
    return str(found) if found else _STATES.get(status, status.lower())


def _task(target: Target) -> str:
    return str(target.doc.get("OS-EXT-STS:task_state") or "")


def _word(state: str) -> str:
    return _WORDS.get(state, state.replace("_", " ") or "in an unknown state")


def _busy(target: Target) -> str | None:
    """Why nothing can be begun just now: a task runs, or its host is dead."""
    if task := _task(target):
        return f"{target.name} is busy ({task}): wait until that is done"
    return _dead(target)


def _dead(target: Target) -> str | None:
    if target.doc.get("host_status") != "DOWN":
        return None
    host = target.doc.get("OS-EXT-SRV-ATTR:host") or target.host or "its host"
    return f"{target.name} is on {host}, whose compute service is down: nobody there would do it"


def _action(action: str) -> Any:
    verb = action.removeprefix("os-")

    def calls(ctx: Context, target: Target, options: Options) -> list[Call]:
        return [server_action(target, {action: None}, f"{verb} {target.name}")]

    return calls


def _command(verb: str) -> Any:
    def commands(ctx: Context, target: Target, options: Options) -> list[Command]:
        return [("server", verb, target.id)]

    return commands


def _is(state: str) -> Any:
    def already(ctx: Context, target: Target, options: Options) -> bool:
        return _state(target) == state and not _task(target)

    return already


def _power(target: Target, ctx: Context, allowed: Sequence[str], wanted: str, after: str, else_: str) -> Check:
    state = _state(target)
    # A repeated step may find it done, or on the way: `already` and `settled` tell which.
    if ctx.attempt > 1 and (state == wanted or _task(target)):
        return Check()
    if problem := _busy(target):
        return Check(problem)
    if state == wanted:
        return Check(f"{target.name} is already {_word(state)}")
    if state not in allowed:
        return Check(f"{target.name} is {_word(state)}: {else_}")
    return Check(changes=(Change("status", target.doc.get("status"), after),))


def _start_check(ctx: Context, target: Target, options: Options) -> Check:
    hint = "a hard reboot may bring it back" if _state(target) == "error" else "only a stopped machine can be started"
    return _power(target, ctx, ("stopped",), "active", "ACTIVE", hint)


def _stop_check(ctx: Context, target: Target, options: Options) -> Check:
    return _power(target, ctx, ("active", "error"), "stopped", "SHUTOFF", "only a running machine can be stopped")


def _reboot_check(ctx: Context, target: Target, options: Options) -> Check:
    hard, state, task = options.get("type") == "HARD", _state(target), _task(target)
    if ctx.attempt > 1 and task.startswith("reboot"):
        return Check()
    problem = _dead(target) if hard and task in _SOFT_TASKS else _busy(target)
    if problem:
        return Check(problem)
    if not hard and state != "active":
        return Check(f"{target.name} is {_word(state)}: only a running machine can be rebooted softly; try HARD")
    if state not in _HARD:
        return Check(f"{target.name} is {_word(state)}: it cannot be rebooted")
    lost = ("what its guest has not written to disk",) if hard and state == "active" else ()
    return Check(changes=(Change("status", target.doc.get("status"), "ACTIVE"),), lost=lost)


def _reboot_calls(ctx: Context, target: Target, options: Options) -> list[Call]:
    how = str(options.get("type") or "SOFT")
    return [server_action(target, {"reboot": {"type": how}}, f"{how.lower()} reboot of {target.name}")]


def _reboot_commands(ctx: Context, target: Target, options: Options) -> list[Command]:
    return [("server", "reboot", "--hard" if options.get("type") == "HARD" else "--soft", target.id)]


def _reboot_begun(ctx: Context, target: Target, options: Options) -> bool:
    """Whether an interrupted attempt had reached Nova: its list of actions says so. Nothing else tells a reboot that
    is over from one that was never asked for."""
    if ctx.attempt <= 1:
        return False
    found = ctx.get("compute", f"/servers/{target.id}/os-instance-actions", "2.87") or {}
    actions = [one for one in found.get("instanceActions", ()) if isinstance(one, dict)]
    newest = max(actions, key=lambda one: str(one.get("start_time") or ""), default={})
    if newest.get("action") != "reboot":
        return False
    began = _instant(newest.get("start_time"))
    return began is not None and times.utcnow() - began < _REBOOT_SEEN


def _instant(value: Any) -> datetime | None:
    """Nova's times in actions: ISO 8601 in UTC without a zone."""
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _settled_start(ctx: Context, target: Target, options: Options) -> Settled | None:
    return _ended(target) or (Settled("running") if _state(target) == "active" and not _task(target) else None)


def _settled_stop(ctx: Context, target: Target, options: Options) -> Settled | None:
    # A machine in error may be stopped, so `error` before the task has begun is no end.
    if not target.doc:
        return Settled("it is gone", ok=False)
    return Settled("stopped") if _state(target) == "stopped" and not _task(target) else None


def _settled_reboot(ctx: Context, target: Target, options: Options) -> Settled | None:
    # Nova sets the task before it answers, so no task means that the reboot is over.
    if not target.doc or _task(target):
        return _ended(target)
    return _ended(target) or (Settled("rebooted") if target.doc.get("status") == "ACTIVE" else None)


def _ended(target: Target) -> Settled | None:
    """The ends that nobody wants."""
    if not target.doc:
        return Settled("it is gone", ok=False)
    if _state(target) != "error" or _task(target):
        return None
    fault = target.doc.get("fault")
    words = fault.get("message") if isinstance(fault, Mapping) else None
    return Settled("the cloud put it into ERROR" + (f": {_line(words)}" if words else ""), ok=False)


def _line(text: Any) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())[:200]


# Locks


def locked_reason(ctx: Context, options: Options) -> str:
    """What everybody reads who meets the lock: the reason given for it, else the plan's; with the ticket before."""
    words = str(options.get("reason") or ctx.reason)
    return f"{ctx.ticket}: {words}"[:255].removesuffix(": ") if ctx.ticket else words[:255]


def _lock_check(ctx: Context, target: Target, options: Options) -> Check:
    if target.doc.get("locked") is True:
        if ctx.attempt > 1:
            return Check()
        reason = target.doc.get("locked_reason")
        return Check(f"{target.name} is already locked" + (f": {_line(reason)}" if reason else ""))
    changes = [Change("locked", False, True)]
    if reason := locked_reason(ctx, options):
        changes.append(Change("locked_reason", None, reason))
    return Check(changes=tuple(changes))


def _lock_calls(ctx: Context, target: Target, options: Options) -> list[Call]:
    what = f"lock {target.name}"
    if reason := locked_reason(ctx, options):
        return [server_action(target, {"lock": {"locked_reason": reason}}, what, LOCK_REASON)]
    return [server_action(target, {"lock": None}, what)]


def _lock_commands(ctx: Context, target: Target, options: Options) -> list[Command]:
    reason = locked_reason(ctx, options)
    return [("server", "lock", *(("--reason", reason) if reason else ()), target.id)]


def _locked(ctx: Context, target: Target, options: Options) -> bool:
    return target.doc.get("locked") is True


def _settled_lock(ctx: Context, target: Target, options: Options) -> Settled | None:
    if not target.doc:
        return Settled("it is gone", ok=False)
    return Settled("locked") if target.doc.get("locked") is True else None


def _unlock_check(ctx: Context, target: Target, options: Options) -> Check:
    if target.doc.get("locked") is not True:
        return Check() if ctx.attempt > 1 else Check(f"{target.name} is not locked")
    changes = [Change("locked", True, False)]
    if reason := target.doc.get("locked_reason"):
        changes.append(Change("locked_reason", reason, None))
    return Check(changes=tuple(changes))


def _unlocked(ctx: Context, target: Target, options: Options) -> bool:
    return bool(target.doc) and target.doc.get("locked") is not True


def _settled_unlock(ctx: Context, target: Target, options: Options) -> Settled | None:
    if not target.doc:
        return Settled("it is gone", ok=False)
    return Settled("unlocked") if target.doc.get("locked") is not True else None


# Names


def new_name(ctx: Context, name: str, options: Options) -> str:
    """The pattern with {name} and {n} filled in; spaces around it go, as Nova strips them."""
    pattern = str(options["name"]).replace("{n}", str(ctx.number))
    return pattern.replace("{name}", name).strip()


def _rename_check(ctx: Context, target: Target, options: Options) -> Check:
    pattern, before = str(options["name"]), str(target.doc.get("name") or target.name)
    after = new_name(ctx, before, options)
    if ctx.count > 1 and "{name}" not in pattern and "{n}" not in pattern:
        return Check(f"{ctx.count} machines would all be called {after!r}: put {{name}} or {{n}} into the pattern")
    if _renamed(ctx, target, options):
        return Check() if ctx.attempt > 1 else Check(f"{target.name} is already called that")
    if not 1 <= len(after) <= 255:
        return Check(f"the new name would have {len(after)} characters: 1 to 255 are allowed")
    return Check(changes=(Change("name", before, after),))


def _rename_calls(ctx: Context, target: Target, options: Options) -> list[Call]:
    before = str(target.doc.get("name") or target.name)
    after = new_name(ctx, before, options)
    return [
        Call(
            target.cloud,
            target.region,
            "compute",
            "PUT",
            f"/servers/{target.id}",
            {"server": {"name": after}},
            project_id=target.project_id,
            what=f"rename {before} to {after}",
            key=target.key,
            type="server",
        )
    ]


def _rename_commands(ctx: Context, target: Target, options: Options) -> list[Command]:
    before = str(target.doc.get("name") or target.name)
    return [("server", "set", "--name", new_name(ctx, before, options), target.id)]


def _renamed(ctx: Context, target: Target, options: Options) -> bool:
    """Whether it has its new name. After an interrupted attempt {name} may stand for the old name, whatever it was."""
    now = str(target.doc.get("name") or target.name)
    if now == new_name(ctx, now, options):
        return True
    if ctx.attempt <= 1:
        return False
    parts = str(options["name"]).replace("{n}", str(ctx.number)).strip().split("{name}")
    return re.fullmatch("(.+)".join(map(re.escape, parts)), now) is not None


def _settled_rename(ctx: Context, target: Target, options: Options) -> Settled | None:
    if not target.doc:
        return Settled("it is gone", ok=False)
    return Settled(f"renamed to {target.doc.get('name')}")
