"""Following a restore: each step with its time as it ends, what it asks, until the end. Interrupted, it goes on."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from tui import restore
from tui.api.client import SyncClient
from tui.api.errors import ApiError, EngineUnavailable
from tui.cli.exits import CANNOT, FAILED, NO_ENGINE, OK, PARTIAL, leave, note
from tui.cli.output import Format, cells, printable, write_document, write_rows
from tui.cli.restore_asking import name_of, say

STEPS = ("step", "name", "phase", "status", "seconds", "usual_seconds", "attempt", "started_at", "ended_at", "detail",
         "created")  # fmt: skip
OVER = ("SUCCEEDED", "FAILED", "CANCELED")
_ENDED = ("SUCCEEDED", "FAILED")  # what was not begun is counted in the last line
_LOOK_SECONDS, _AWAY_SECONDS = 1.0, 600.0
_WORDS = {"yes": "yes", "y": "yes", "no": "no", "n": "no"}


def follow(client: SyncClient, job: Mapping[str, Any], output: Format) -> NoReturn:
    """Print steps as they end, then what came of it; ends the command: 0 done, 1 failed or cancelled, 6 in part."""
    teller = Teller(name_of(job), quiet=output is not Format.table)
    try:
        while True:
            teller.tell(job)
            if job["status"] in OVER:
                break
            _wait(client, job)
            job = _looked(client, job, teller)
    except KeyboardInterrupt:
        teller.clear()
        number = name_of(job)
        note(f"restore {number} goes on; `qdeck restore watch {number}` follows it again, cancel ends it")
        raise
    teller.clear()
    if output in (Format.json, Format.yaml):
        write_document(job, output)
    elif output is Format.csv:
        write_rows([{**one, "step": one["step_order"]} for one in job["steps"]], STEPS, output)
    judged(job)


def judged(job: Mapping[str, Any]) -> NoReturn:
    """Say what came of a restore that is over, and what can be done now; ends the command with its code."""
    number, status = name_of(job), restore.status_of(job)
    words = f"restore {number} {status}" + (f": {restore.told(job['detail'])}" if job["detail"] else "")
    note(words)
    if job["old_machine"]:
        note(restore.told(job["old_machine"]))
    can = [word for word in restore.abilities(job) if word in ("retry", "cleanup", "cleanup_storage")]
    if can:
        note("; ".join(f"`qdeck restore {word.replace('_', '-')} {number}`" for word in can))
    if job["status"] == "SUCCEEDED":
        leave(PARTIAL if job["incomplete"] else OK)
    leave(FAILED)


class Teller:
    """Writes every step that has ended, once, on stdout; on a terminal the one that runs on the last line of stderr.

    `quiet`: programs read stdout: steps go to stderr.
    """

    def __init__(self, number: str, *, quiet: bool) -> None:
        self._number, self._quiet, self._live = number, quiet, sys.stderr.isatty()
        self._told: dict[tuple[str, str], str] = {}
        self._asked = self._line = ""

    def tell(self, job: Mapping[str, Any]) -> None:
        """What is new in it."""
        steps = restore.steps_of(job)
        over = job["status"] in OVER
        width = max((len(str(step["name"])) for step in steps), default=0)
        for step in steps:
            key, status = (str(step["phase"]), str(step["name"])), str(step["status"])
            if status in _ENDED and self._told.get(key) != status:
                self._told[key] = status
                self._write(step_line(step, steps, width))
        if job["asks"] and job["asks"] != self._asked and not over:
            self.clear()
            note(f"it asks: {restore.told(job['asks'])}")
            note("type yes or no" if _person() else f"`qdeck restore answer {self._number} yes` (or no)")
        self._asked = str(job["asks"] or "")
        self._now(job, steps)

    def _now(self, job: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]) -> None:
        """The step that runs, on a terminal."""
        running = next((step for step in steps if step["status"] == "RUNNING"), None)
        if not self._live or job["status"] in OVER:
            return
        words = f"restore {self._number} {restore.status_of(job)}"
        if running is not None:
            usual = f" (usually {restore.span(running['usual_seconds'])})" if running["usual_seconds"] else ""
            words = f"{running['name']} {restore.span(running['seconds'])}{usual}"
            words += f": {restore.told(running['progress'])}" if running["progress"] else ""
        elif job["detail"]:
            words += f": {restore.told(job['detail'])}"
        if words != self._line:
            sys.stderr.write(f"\r{_cut(printable(words))}\x1b[K")
            sys.stderr.flush()
            self._line = words

    def _write(self, line: str) -> None:
        self.clear()
        if self._quiet:
            note(line)
        else:
            say(line)
            sys.stdout.flush()

    def clear(self) -> None:
        """Take the last line away."""
        if self._line:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._line = ""


def step_line(step: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], width: int) -> str:
    """3/18 SUCCEEDED  QUOTA_CHECK   0.2s  it fits; what takes back is counted by itself."""
    same = [one for one in steps if one["phase"] == step["phase"]]
    place = next((number for number, one in enumerate(same, 1) if one is step), 0)
    seconds = f"{step['seconds']:.1f}s" if step["seconds"] is not None else "-"
    again = f" (attempt {step['attempt']})" if step["attempt"] > 1 else ""
    line = f"{place:2}/{len(same)} {step['status']:<9} {step['name']:<{width}} {seconds:>8}"
    return f"{line}  {restore.told(step['detail'] or step['progress'] or '')}{again}".rstrip()


def _wait(client: SyncClient, job: Mapping[str, Any]) -> None:
    """Until the next look. While it asks, a person may answer here."""
    if not (job["asks"] and _person()):
        time.sleep(_LOOK_SECONDS)
        return
    ready, _, _ = select.select([sys.stdin], [], [], _LOOK_SECONDS)
    if not ready:
        return
    word = sys.stdin.readline().strip().lower()
    if word not in _WORDS:
        note("type yes when the machine answers, or no to have everything taken back")
        time.sleep(_LOOK_SECONDS)
        return
    try:
        client.post(restore.path_of(restore.JOBS, job["id"], "answer"), json={"answer": _WORDS[word]})
    except ApiError as error:
        note(str(error.detail))  # somebody answered before


def _person() -> bool:
    """Whether somebody is at the terminal, and this is not in the background."""
    try:
        return sys.stdin.isatty() and sys.stderr.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:
        return False


def _looked(client: SyncClient, job: Mapping[str, Any], teller: Teller) -> Mapping[str, Any]:
    """The job as it is now; waits while no engine answers."""
    deadline, told = time.monotonic() + _AWAY_SECONDS, False
    while True:
        try:
            found: dict[str, Any] = client.get(restore.path_of(restore.JOBS, job["id"]))
            if told:
                note("the engine answers again")
            return found
        except EngineUnavailable as error:
            number = name_of(job)
            if time.monotonic() > deadline:
                teller.clear()
                leave(
                    NO_ENGINE, f"{error}; restore {number} goes on with the next engine: `qdeck restore watch {number}`"
                )
            if not told:
                teller.clear()
                note(f"{error}; waiting for it")
                told = True
            time.sleep(_LOOK_SECONDS)


def watchable(job: Mapping[str, Any]) -> None:
    """End the command when there is nothing to follow."""
    if job["status"] == "PLANNED":
        leave(CANNOT, f"it is only planned: `qdeck restore execute {job['id']}` carries it out")


def _cut(text: str) -> str:
    try:
        room = os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        room = 80
    while text and cells(text) >= room:
        text = text[:-1]
    return text
