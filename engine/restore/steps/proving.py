"""Whether the machine answers: ACTIVE only says that a process runs, and a kernel panic is ACTIVE, too.

What was chosen decides: the configured command, else a connection to a floating IP, else what the console log says. A
panic, a machine that finds nothing to boot from or an ERROR is a no at once. What is still open at the end of the time
is asked of a person; where nobody answers the restore goes on, but nothing is ever deleted on the strength of that.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.api.errors import ApiError
from engine.clouds.errors import CloudError
from engine.inventory.console_log import clean
from engine.jobs.models import StepResult
from engine.restore.steps import looking
from engine.restore.steps.failing import Failed
from engine.restore.steps.work import Work

TCP_SECONDS = 3.0
COMMAND_SECONDS = 30.0
LINES = 200  # of the console log
_LONGEST_LINE = 1000  # that a pattern of the settings is tried on
# What no machine comes back from by itself.
_NEVER = re.compile(
    r"Kernel panic - not syncing|No bootable device|not a bootable disk|Boot failed: not a bootable|"
    r"VFS: Unable to mount root fs|Unable to find a bootable|No boot(?:able)? device|grub rescue>|"
    r"You are in emergency mode|Give root password for maintenance|Failed to mount /sysroot",
    re.IGNORECASE,
)  # fmt: skip


def prove_it_answers(work: Work) -> StepResult:
    """PROVE_IT_ANSWERS: see the module. `more`: proven, by ("console", "tcp", "command", "person", "")."""
    prove, id = work.plan.request.prove, _server_id(work)
    if work.plan.way not in ("NEW", "REPLACE") and not work.plan.was_running:
        return work.done(f"{_called(work)} was not running before, and is not now: nothing can show that it would "
                         "answer", proven=False, by="")  # fmt: skip
    looks = _looks(work, id)
    work.progress(f"waits up to {prove.seconds} s until {_called(work)} answers")
    by = work.wait(lambda: _said(work, id, looks), float(prove.seconds))
    if by:
        return _answers(work, by)
    if not prove.ask:
        return work.done(f"{_called(work)} runs; that it answers was not seen within {prove.seconds} s", proven=False,
                         by="")  # fmt: skip
    return _asked(work, id, looks)


def _asked(work: Work, id: str, looks: Sequence[tuple[str, Callable[[], bool]]]) -> StepResult:
    """A person is asked; what is seen meanwhile counts, too."""
    minutes = work.plan.request.prove.answer_minutes
    work.progress(f"does {_called(work)} answer? Nothing was seen of it yet; say yes or no within {minutes} min")

    by = work.wait(lambda: _said(work, id, looks), minutes * 60.0)
    if by is None:
        return work.done(
            f"nobody said within {minutes} min whether {_called(work)} answers: it runs, and nothing old is deleted",
            proven=False, by="",
        )  # fmt: skip
    return _answers(work, by)


def _said(work: Work, id: str, looks: Sequence[tuple[str, Callable[[], bool]]]) -> str | None:
    """What a person said, asked or not yet, else what is seen."""
    return work.records.answer(work.job_id) or _look(work, id, looks)


def _answers(work: Work, by: str) -> StepResult:
    """The word of a person ("yes", "no"), or what was seen. Raises Failed for a no."""
    if by == "no":
        raise Failed(f"a person said that {_called(work)} does not answer")
    by = "person" if by == "yes" else by
    return work.done(f"{_called(work)} answers ({by})", proven=True, by=by)


def proven(work: Work) -> bool:
    """Whether the new machine has shown that it answers: without that nothing is deleted."""
    return work.result("PROVE_IT_ANSWERS").get("proven") is True


def _called(work: Work) -> str:
    return work.plan.new_name if work.plan.way in ("NEW", "REPLACE") else looking.name(work)


def _server_id(work: Work) -> str:
    """The machine that has to answer: the new one, or the same where its disk was changed."""
    id = work.made("server") if work.plan.way in ("NEW", "REPLACE") else work.server_id
    if not id:
        raise Failed(f"{_called(work)} is not there any more: retry the restore")
    return id


def _looks(work: Work, id: str) -> list[tuple[str, Callable[[], bool]]]:
    """What is looked at, the strongest of what was chosen alone."""
    prove = work.plan.request.prove
    floating = [one.address for nic in work.plan.nics for one in nic.floating]
    if work.plan.way == "NEW":
        floating = []  # they stay with the old machine
    if prove.command and work.settings.prove_command:
        return [("command", lambda: runs(work, id, floating))]
    if prove.tcp_port is not None and floating:
        port = prove.tcp_port
        return [("tcp", lambda: any(connects(address, port) for address in floating))]
    patterns = [re.compile(one) for one in prove.console]
    return [("console", lambda: says(work, id, patterns))] if patterns else []


def _look(work: Work, id: str, looks: Sequence[tuple[str, Callable[[], bool]]]) -> str | None:
    """What shows that it answers; None for nothing yet. Raises Failed for what shows that it never will."""
    found = looking.server(work, id)
    if found is None:
        raise Failed(f"{_called(work)} is gone: somebody deleted it")
    if looking.status(found) == "ERROR":
        raise Failed(f"{_called(work)} is in ERROR: {looking.fault(found)}")
    if looking.settled(found, *looking.STILL):
        raise Failed(f"{_called(work)} has stopped by itself ({looking.status(found)})")
    by = next((name for name, look in looks if look()), None)
    if by is None and (trouble := _NEVER.search(console(work, id))):
        raise Failed(f"{_called(work)} does not start: its console says {trouble.group(0)!r}")
    return by


# The console log


def console(work: Work, id: str) -> str:
    """The last lines of its console log, made harmless; "" where there is none."""
    call = looking.action(work, id, {"os-getConsoleOutput": {"length": LINES}}, f"read the console of {_called(work)}")
    try:
        answer = work.kit.gate.ask(work.context.caller, call)
    except (ApiError, CloudError):
        return ""  # no console, or not just now: it proves nothing either way
    output = answer.document.get("output")
    return clean(output) if isinstance(output, str) else ""


def says(work: Work, id: str, patterns: Sequence[re.Pattern[str]]) -> bool:
    """Whether any line of the console has one of the patterns."""
    lines = [text[:_LONGEST_LINE] for text in console(work, id).split("\n")]
    return any(pattern.search(text) for text in lines for pattern in patterns)


# Connections and the command


def connects(address: str, port: int) -> bool:
    """Whether something takes a TCP connection there. Only floating IPs are tried: a tenant's private address may be
    somebody else's machine where the engine runs."""
    try:
        with socket.create_connection((address, port), TCP_SECONDS):
            return True
    except OSError:
        return False


def runs(work: Work, id: str, floating: Sequence[str]) -> bool:
    """Whether the configured command says (0) that the machine answers; it is killed after its time, with all that it
    began."""
    try:
        begun = subprocess.Popen(  # the settings' file alone says what is run, as a list: no shell
            list(work.settings.prove_command), env=environment(work, id, floating), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise Failed(f"the command of restore.prove_command cannot be run: {error}") from error
    deadline = time.monotonic() + COMMAND_SECONDS
    try:
        while time.monotonic() < deadline:
            work.look_up()
            try:
                return begun.wait(0.2) == 0
            except subprocess.TimeoutExpired:
                continue
        return False
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(begun.pid, signal.SIGKILL)
        begun.wait()


def environment(work: Work, id: str, floating: Sequence[str]) -> Mapping[str, str]:
    """What the command is told, and nothing of the engine's own environment but where programs are."""
    fixed = [address for nic in work.plan.nics for address in _addresses_of(work, nic)]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TZ") if name in os.environ}
    told: dict[str, Any] = {
        "CLOUD": work.cloud, "REGION": work.region, "PROJECT": work.project_id, "SERVER": id,
        "NAME": _called(work), "OLD_SERVER": work.server_id, "FLOATING_IPS": " ".join(floating),
        "FIXED_IPS": " ".join(fixed), "JOB": work.job_id, "WAY": work.plan.way,
    }  # fmt: skip
    return kept | {f"QDECK_{name}": str(value) for name, value in told.items()}


def _addresses_of(work: Work, nic: Any) -> list[str]:
    id = work.made(f"port:{nic.order}") if work.plan.way in ("NEW", "REPLACE") else nic.port_id
    found = looking.port(work, id) if id else None
    return [address for _, address in looking.addresses(found)]


STEPS = {"PROVE_IT_ANSWERS": prove_it_answers}
