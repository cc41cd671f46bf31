"""Taking a restore back: what it made goes, and the old machine has its addresses and volumes again and is as it was.

Nothing here trusts what an earlier step said: it may have been killed before it could say anything. The plan says how
it was, the records say what is the job's own, and the cloud how far things came. All of these run, one after another,
even when one fails.
"""

from __future__ import annotations

import functools
import time
from typing import Any

from engine.gate.models import Call
from engine.jobs.models import StepResult
from engine.restore.models import Nic
from engine.restore.planning.steps import moved
from engine.restore.steps import addresses, attaching, hands, keypairs, looking, parking, ports, servers, volumes
from engine.restore.steps.addresses import Wanted, arrange, given_up, host_again, port_purpose
from engine.restore.steps.failing import Failed
from engine.restore.steps.looking import Doc, action, settled, status, task
from engine.restore.steps.work import Work

GONE_SECONDS = 600.0
BACK_SECONDS = 3600.0  # that a machine is brought back for: unshelving needs room, which may come
_PAUSES = (1.0, 60.0)  # between two attempts at that, at first and later


# The new machine and its ports


def undo_server(work: Work) -> StepResult:
    """UNDO_SERVER: the new machine is deleted, and with it no volume that this job has not made."""
    keypairs.forget(work)
    id = _own(work, servers.PURPOSE, lambda: servers.find(work))
    if not id:
        return work.done("there is no new machine")
    found = looking.server(work, id)
    if found is not None and task(found) != "deleting":
        parking.preserve(work, id)
        if any(row.get("delete_on_termination") is True for row in looking.attachments(work, id)):
            raise Failed(f"volumes would be deleted with {work.plan.new_name} ({id}): it is left, delete it by hand")
    call = work.call(
        "compute", "DELETE", f"/servers/{id}", what=f"delete {work.plan.new_name}, which was not finished",
        type="server", id=id,
    )  # fmt: skip
    work.remove(servers.PURPOSE, call, lambda: looking.server(work, id) is None, seconds=GONE_SECONDS)
    return work.done(f"{work.plan.new_name} ({id}) is deleted")


def _own(work: Work, purpose: str, find: Any) -> str:
    """Id of what this job made for a purpose; what was only begun is looked for. "" when there is nothing to remove."""
    row = work.records.found(work.job_id, purpose)
    if row is None or row["state"] not in ("begun", "made"):
        return ""
    if row["state"] == "made":
        return str(row["id"])
    # A request whose answer nobody saw may still be under way.
    found = work.context.wait(find, hands.LOST_SECONDS, first=0.05)
    if found is None:
        return ""
    work.records.made(work.job_id, purpose, str(found["id"]))
    return str(found["id"])


def undo_ports(work: Work) -> StepResult:
    """UNDO_PORTS: the new ports go, so that their addresses are free."""
    removed, problems = 0, []
    for nic in work.plan.nics:
        purpose = port_purpose(nic)
        id = _own(work, purpose, functools.partial(ports.find, work, purpose))
        if not id:
            continue
        call = work.call(
            "network", "DELETE", f"/ports/{id}", session="admin", what=f"delete the new port {id}", type="port", id=id
        )  # fmt: skip
        try:
            work.remove(purpose, call, functools.partial(_no_port, work, id))
            removed += 1
        except Failed as problem:
            problems.append(problem.detail)
    return _all(work, f"{removed} new ports are deleted", problems)


def _no_port(work: Work, id: str) -> bool:
    return looking.port(work, id) is None


def _all(work: Work, said: str, problems: list[str]) -> StepResult:
    """The end of a step that went on although something failed."""
    if problems:
        raise Failed("; ".join([said, *problems])[:1000])
    return work.done(said)


# What the old machine gave away


def undo_addresses(work: Work) -> StepResult:
    """UNDO_ADDRESSES: the old ports have their addresses and MACs again."""
    back, problems = 0, []
    for nic in given_up(work):
        try:
            arrange(work, nic, Wanted(nic.fixed, nic.mac if nic.keep_mac else None, host_again(work)))
            back += 1
        except Failed as problem:
            problems.append(f"{', '.join(one.address for one in nic.fixed)}: {problem.detail}")
    return _all(work, f"{back} ports of {looking.name(work)} have their addresses", problems)


def undo_floating_ips(work: Work) -> StepResult:
    """UNDO_FLOATING_IPS: they point at the old machine again; one that somebody pointed elsewhere is left there."""
    back, left, problems = 0, [], []
    for nic in work.plan.nics:
        for one in nic.floating:
            try:
                said = addresses.point(work, one, nic.port_id, one.fixed_address, _new_ports(work, nic))
                left += [said] if said else []
                back += not said
            except Failed as problem:
                problems.append(f"{one.address}: {problem.detail}")
    return _all(work, "; ".join([f"{back} floating IPs point at {looking.name(work)}", *left]), problems)


def _new_ports(work: Work, nic: Nic) -> tuple[str, ...]:
    """The new port of this job, should it still be there."""
    row = work.records.found(work.job_id, port_purpose(nic))
    return (str(row["id"]),) if row is not None and row["id"] else ()


def undo_move_volumes(work: Work) -> StepResult:
    """UNDO_MOVE_VOLUMES: the kept volumes are the old machine's again, in their old order."""
    back, problems = [], []
    for disk in sorted(moved(work.plan), key=lambda disk: disk.order):
        called = disk.name or disk.volume_id
        try:
            if disk.volume_id not in looking.attached(work, work.server_id):
                _free(work, disk.volume_id)
                back.append(called)
            attaching.attach(work, work.server_id, disk.volume_id, disk)
        except Failed as problem:
            problems.append(f"{called}: {problem.detail}")
    said = f"{', '.join(back)} back on {looking.name(work)}" if back else f"none was taken off {looking.name(work)}"
    if lost := _lost_tags(work):
        said += f"; without the tag {', '.join(lost)}, which Nova does not take for a shelved machine"
    return _all(work, said, problems)


def _free(work: Work, id: str) -> None:
    """Wait until the new machine, which is deleted by now, has let go of a volume."""
    found = work.until("volume", id, _let_go, GONE_SECONDS)
    if found is None:
        raise Failed(
            "it was not free in time: something else has it, or Cinder still believes that the new machine does"
        )
    if not found:
        raise Failed("the volume is gone: somebody deleted it")


def _let_go(volume: Doc | None) -> Doc | None:
    if volume is None:
        return {}
    others = volumes.servers_of(volume)
    ready = ("available", "in-use") if volume.get("multiattach") and others else ("available",)
    return volume if volumes.status(volume) in ready else None


def _lost_tags(work: Work) -> list[str]:
    """Tags that the kept volumes had at the old machine and have no more."""
    has = {str(row["volumeId"]): str(row.get("tag") or "") for row in looking.attachments(work, work.server_id)}
    return [disk.tag for disk in moved(work.plan) if disk.tag and has.get(disk.volume_id) == ""]


# The old machine itself


def undo_park(work: Work) -> StepResult:
    """UNDO_PARK: unshelved or started, and as it was: running or off."""
    return work.done(back(work))


def undo_start(work: Work) -> StepResult:
    """UNDO_START: running again, if it ran."""
    return work.done(back(work))


def back(work: Work) -> str:
    """Bring the old machine back to how it was; a sentence. What fails is tried again for long: room may come.

    Raises Failed with what Nova says.
    """
    called, deadline, pause, last = looking.name(work), time.monotonic() + BACK_SECONDS, _PAUSES[0], ""
    asked: list[str] = []
    while True:
        found = looking.server(work, work.server_id)
        if found is None:
            raise Failed(f"{called} is gone: somebody deleted it")
        if task(found):
            _wait(work, deadline, called, task(found))
            continue
        if _as_it_was(work, found):
            return f"{called} is {status(found)}, as it was"
        wanted, body = _next(work, found)
        if wanted in asked:  # asked for before, and it did not come to that
            last = _why(work, found, wanted)
            work.progress(f"{wanted} {called} failed ({last}): tried again")
            if time.monotonic() + pause >= deadline:
                raise Failed(
                    f"{called} could not be brought back ({wanted}): {last}; its addresses and volumes are its "
                    f"own again, so try `openstack server {wanted} {work.server_id}` once there is room"
                )
            work.context.sleep(pause)
            pause = min(pause * 2, _PAUSES[1])
        asked.append(wanted)
        work.progress(f"{wanted} {called}")
        work.act(_call(work, wanted, body), functools.partial(_moved_on, work, found))
        _wait(work, deadline, called, wanted)


def _call(work: Work, wanted: str, body: dict[str, Any]) -> Call:
    return action(work, work.server_id, body, f"{wanted} {looking.name(work)}")


def _moved_on(work: Work, before: Doc) -> bool:
    """Whether something is being done with it, or has been, since it was looked at."""
    now = looking.server(work, work.server_id)
    return now is None or bool(task(now)) or status(now) != status(before)


def _as_it_was(work: Work, found: Doc) -> bool:
    if work.plan.was_running and settled(found, "ACTIVE"):
        return True
    was = work.plan.machine.status.upper()
    if settled(found, was):
        return True  # paused, suspended, shelved or in ERROR before: nothing was done with it
    shelved = settled(found, *looking.SHELVED) and was in looking.SHELVED
    return shelved or (not work.plan.was_running and was not in looking.SHELVED and settled(found, "SHUTOFF"))


def _next(work: Work, found: Doc) -> tuple[str, dict[str, Any]]:
    """(what people call it, Nova's action) that brings it nearer to what it was. Raises Failed for none."""
    state = status(found)
    if state in looking.SHELVED:
        return "unshelve", {"unshelve": None}
    if state == "SHUTOFF":
        return "start", {"os-start": None}
    if state == "PAUSED":
        return "unpause", {"unpause": None}
    if state == "SUSPENDED":
        return "resume", {"resume": None}
    if state == "ACTIVE":
        return "stop", {"os-stop": None}
    words = looking.fault(looking.server(work, work.server_id))
    raise Failed(f"{looking.name(work)} is {state}: {words}; look at it, a hard reboot may bring it back")


def _wait(work: Work, deadline: float, called: str, what: str) -> None:
    """Until nothing is being done with it."""
    seconds = max(deadline - time.monotonic(), 0.1)
    if work.until("server", work.server_id, lambda found: _idle(work, found), seconds) is None:
        raise Failed(f"{called} was still busy ({what}) after {BACK_SECONDS / 60:g} minutes")


def _idle(work: Work, found: Doc | None) -> bool | None:
    if found is None or not task(found):
        # What a watcher saw may be older than what was asked for.
        return None if task(looking.server(work, work.server_id)) else True
    return None


def _why(work: Work, found: Doc, wanted: str) -> str:
    """Why the last attempt came to nothing, as Nova noted it."""
    if status(found) == "ERROR":
        return looking.fault(found)
    rows = (work.get("compute", f"/servers/{work.server_id}/os-instance-actions") or {}).get("instanceActions") or ()
    newest = next((row for row in rows if isinstance(row, dict) and row.get("action") == wanted), {})
    path = f"/servers/{work.server_id}/os-instance-actions/{newest.get('request_id') or ''}"
    one = (work.get("compute", path, kind="admin") or {}).get("instanceAction") if newest.get("request_id") else None
    events = one.get("events") if isinstance(one, dict) else None
    said = [row.get("details") for row in events or () if isinstance(row, dict) and row.get("result") == "Error"]
    words = next((text for text in said if text), newest.get("message"))
    return looking.line(words) if words else f"it is {status(found)} again; unshelving needs room on a host"


def undo_preserve(work: Work) -> StepResult:
    """UNDO_PRESERVE: volumes go with the old machine again where they did before."""
    if looking.server(work, work.server_id) is None:
        raise Failed(f"{looking.name(work)} is gone: somebody deleted it")
    has, back, problems = looking.attached(work, work.server_id), 0, []
    for disk in work.plan.disks:
        if not disk.delete_on_termination or disk.volume_id not in has:
            continue
        try:
            parking.goes_with(work, work.server_id, disk.volume_id, True)
            back += 1
        except Failed as problem:
            problems.append(f"{disk.name or disk.volume_id}: {problem.detail}")
    return _all(work, f"{back} volumes go with {looking.name(work)} again" if back else "none went with it", problems)


STEPS = {
    "UNDO_SERVER": undo_server,
    "UNDO_PORTS": undo_ports,
    "UNDO_ADDRESSES": undo_addresses,
    "UNDO_FLOATING_IPS": undo_floating_ips,
    "UNDO_MOVE_VOLUMES": undo_move_volumes,
    "UNDO_PARK": undo_park,
    "UNDO_START": undo_start,
    "UNDO_PRESERVE": undo_preserve,
}
