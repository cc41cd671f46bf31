"""Making room: the old machine stopped, its volumes made safe, itself shelved, and the disks that move taken off.

Shelved, the machine holds no host and no place in its server group, and its ports are bound nowhere, so that their
addresses can move. Where a cloud does not let it be shelved it stays stopped, and addresses.py unbinds the ports.
"""

from __future__ import annotations

from engine.jobs.models import StepResult
from engine.restore.planning.steps import moved, restored
from engine.restore.steps import attaching, looking
from engine.restore.steps.failing import Cancelled, Failed
from engine.restore.steps.looking import Doc, action, settled, status, task
from engine.restore.steps.work import Work

ASK_SECONDS = 30.0  # that shelving is asked for before the machine is parked another way
SHELVE_SECONDS = 3600.0  # shelving a machine that boots from an image uploads its disk
START_SECONDS = 600.0
_ERROR = "ERROR"


# Keeping the volumes whatever becomes of the machine


def preserve_old_volumes(work: Work) -> StepResult:
    """PRESERVE_OLD_VOLUMES: no volume of the old machine goes with it when it is deleted.

    Where the machine stays only the volume that comes off is meant: the others go on as they are.
    """
    looking.old_machine(work)
    off = frozenset(disk.volume_id for disk in restored(work.plan))
    was = preserve(work, work.server_id, off if work.plan.way == "DATA_VOLUME_BACK" else None)
    count = sum(was.values())
    return work.done(f"{count} would have gone with the machine; now none does" if count else "none goes with it",
                     was=was)  # fmt: skip


def preserve(work: Work, server_id: str, only: frozenset[str] | None = None) -> dict[str, bool]:
    """Switch delete_on_termination off; {volume id: whether it was on}. `only`: these volumes and no others."""
    rows = looking.attachments(work, server_id)
    was = {str(row["volumeId"]): row.get("delete_on_termination") is True for row in rows}
    for id in was:
        if was[id] and (only is None or id in only):
            goes_with(work, server_id, id, False)
    return was


def goes_with(work: Work, server_id: str, volume_id: str, goes: bool) -> None:
    """Whether a volume is deleted with its machine: made so. Nothing is done where it is attached no more."""
    names = {disk.volume_id: disk.name for disk in work.plan.disks}
    call = looking.keep_at_end(work, server_id, volume_id, not goes, names.get(volume_id, ""))

    def is_so() -> bool:
        rows = looking.attachments(work, server_id)
        found = next((row for row in rows if row["volumeId"] == volume_id), None)
        return found is None or (found.get("delete_on_termination") is True) is goes

    work.act(call, is_so)


# Stopping and starting


def stop_old_machine(work: Work) -> StepResult:
    """STOP_OLD_MACHINE: gracefully; nothing has moved when it does not stop in its time."""
    found = looking.old_machine(work)
    if settled(found, *looking.STILL):
        return work.done(f"{looking.name(work)} is {status(found)}: nothing to stop", stopped=False)
    if settled(found, "PAUSED", "SUSPENDED"):
        return work.done(f"{looking.name(work)} is {status(found)}: nothing runs there", stopped=False)
    seconds = float(work.settings.stop_seconds)
    work.progress(f"waits up to {seconds:g} s for {looking.name(work)} to shut down")
    if not stop(work, work.server_id, seconds):
        raise Failed(
            f"{looking.name(work)} has not stopped within {seconds:g} s: it keeps its addresses and volumes; look at "
            "its console, stop it by hand, then restore again"
        )
    return work.done("stopped", stopped=True)


def stop(work: Work, id: str, seconds: float) -> bool:
    """Have a machine shut down; whether it did within the time. Raises Failed when the cloud refuses."""

    def begun() -> bool:
        found = looking.server(work, id)
        return found is None or status(found) in looking.STILL or task(found).startswith("powering-off")

    work.act(action(work, id, {"os-stop": None}, f"stop {looking.name(work)}"), begun)
    found = work.until("server", id, lambda found: _when(found, *looking.STILL), seconds)
    if found is not None and not found:
        raise Failed(f"{looking.name(work)} is gone: somebody deleted it meanwhile")
    return found is not None


def start_machine(work: Work) -> StepResult:
    """START_MACHINE: running again, if it ran."""
    if not work.plan.was_running:
        return work.done(f"{looking.name(work)} was not running before")
    looking.old_machine(work)
    start(work, work.server_id)
    return work.done("running")


def start(work: Work, id: str) -> None:
    """Have a stopped machine run. Raises Failed when it does not."""

    def begun() -> bool:
        found = looking.server(work, id)
        return found is None or status(found) == "ACTIVE" or task(found).startswith("powering-on")

    work.act(action(work, id, {"os-start": None}, f"start {looking.name(work)}"), begun)
    found = work.until("server", id, lambda found: _when(found, "ACTIVE", _ERROR), START_SECONDS)
    if found is None:
        raise Failed(f"{looking.name(work)} was not running after {START_SECONDS:g} s")
    if not settled(found, "ACTIVE"):
        raise Failed(f"{looking.name(work)} did not start: {looking.fault(found) if found else 'it is gone'}")


def _when(found: Doc | None, *states: str) -> Doc | None:
    """The document once it is in one of the states with nothing going on; {} for a machine that is gone."""
    if found is None or status(found) in looking.GONE:
        return {}
    return found if settled(found, *states) else None


# Parking


def park_old_machine(work: Work) -> StepResult:
    """PARK_OLD_MACHINE: shelved where that can be; else stopped is enough, and the plan's second choice."""
    found = looking.old_machine(work)
    if work.plan.park != "shelve" and status(found) not in looking.SHELVED:
        return _stopped(work, "as planned")
    refused = shelve(work)
    if refused:
        return _stopped(work, refused)
    found = looking.old_machine(work)
    if status(found) == "SHELVED":
        return work.done("shelved; its host holds its place until the cloud offloads it", parked="shelve", host=True)
    return work.done("shelved: its host and its place in the server group are free", parked="shelve")


def _stopped(work: Work, why: str) -> StepResult:
    found = looking.old_machine(work)
    if not settled(found, "SHUTOFF"):
        raise Failed(f"{looking.name(work)} could not be shelved ({why}) and is {status(found)}, not stopped: its "
                     "addresses cannot be moved safely")  # fmt: skip
    return work.done(f"stays stopped on its host ({why})", parked="stop", why=why)


def shelve(work: Work) -> str:
    """Shelve and offload the old machine; "" when that is done, else why the cloud does not let it be shelved."""
    id = work.server_id

    def begun() -> bool:
        found = looking.server(work, id)
        return status(found) in ("", *looking.SHELVED) or task(found).startswith("shelving")

    try:
        work.act(action(work, id, {"shelve": None}, f"shelve {looking.name(work)}"), begun, seconds=ASK_SECONDS)
    except Cancelled:
        raise
    except Failed as problem:
        return problem.detail
    work.progress(f"waits until {looking.name(work)} is shelved")
    found = work.until("server", id, lambda found: _shelved(work, found), SHELVE_SECONDS)
    if found is None:
        raise Failed(f"{looking.name(work)} was not shelved after {SHELVE_SECONDS / 60:g} minutes")
    if status(found) == _ERROR:
        raise Failed(f"shelving put {looking.name(work)} into ERROR: {looking.fault(found)}")
    if not found:
        raise Failed(f"{looking.name(work)} is gone: somebody deleted it meanwhile")
    if status(found) not in looking.SHELVED:
        return "the cloud began to shelve it and gave up"
    if status(found) == "SHELVED":
        _offload(work)
    return ""


def _shelved(work: Work, found: Doc | None) -> Doc | None:
    """As `_when`. Nova sets the task before it answers, so a machine without one is shelved, or never will be; what a
    watcher saw may be older, so that is looked at once more."""
    ended = _when(found, *looking.SHELVED, _ERROR)
    if ended is None and found is not None and not task(found):
        ended = _when(looking.server(work, work.server_id), *looking.SHELVED, "SHUTOFF", "ACTIVE", _ERROR)
    return ended


def _offload(work: Work) -> None:
    """Take it off its host where the cloud would leave it there for a while. Only an administrator may: without, the
    place on the host is not free, and everything else works."""
    call = action(work, work.server_id, {"shelveOffload": None}, f"offload {looking.name(work)}", admin=True)

    def begun() -> bool:
        found = looking.server(work, work.server_id)
        return status(found) in ("", "SHELVED_OFFLOADED") or task(found).startswith("shelving")

    try:
        work.act(call, begun, seconds=ASK_SECONDS)
    except Cancelled:
        raise
    except Failed:
        return
    work.until("server", work.server_id, lambda found: _when(found, "SHELVED_OFFLOADED", _ERROR), START_SECONDS)


# The disks that move


def move_volumes(work: Work) -> StepResult:
    """MOVE_VOLUMES: what the new machine gets from the old one is taken off it."""
    disks = moved(work.plan)
    for disk in disks:
        looking.old_machine(work)
        if disk.root:
            raise Failed(
                f"{disk.name or disk.volume_id} is the root of {looking.name(work)}: it cannot be taken off it"
            )
        work.progress(f"takes {disk.name or disk.volume_id} off")
        if disk.volume_id in looking.attached(work, work.server_id):
            attaching.detach(work, work.server_id, disk.volume_id)
    return work.done(f"{len(disks)} taken off {looking.name(work)}", volumes=[disk.volume_id for disk in disks])


STEPS = {
    "PRESERVE_OLD_VOLUMES": preserve_old_volumes,
    "STOP_OLD_MACHINE": stop_old_machine,
    "START_MACHINE": start_machine,
    "PARK_OLD_MACHINE": park_old_machine,
    "MOVE_VOLUMES": move_volumes,
}
