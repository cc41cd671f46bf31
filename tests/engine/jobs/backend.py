"""A test back end: effects are lines of a file, each with its token, so that they can be counted after any crash."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine.access.models import Caller
from engine.jobs.models import Step, StepContext, StepResult

CALLER = Caller("ops", 1000, None, None, "superadmin")


class Effects:
    """Makes one effect a step.

    `args`: "fail" (sentence), "seconds" (pause before and after), "gate" (event), "hold" (no end before a file of that
    name is there), "size" (bytes of its result).
    """

    versions: Sequence[int] = (1,)

    def __init__(self, folder: Path) -> None:
        self.file = folder / "effects"
        self.gates: dict[str, threading.Event] = {}
        self.seen: list[tuple[int, int]] = []  # (seq, attempt)
        self.over: list[str] = []
        self.errors: list[Exception] = []  # raised by the next steps, one each
        self.together = 0
        self.tells = ""  # progress that every step tells
        self._running = 0
        self._lock = threading.Lock()

    def run_step(self, step: Step, context: StepContext) -> StepResult:
        with self._lock:
            self.seen.append((step.seq, context.attempt))
            self._running += 1
            self.together = max(self.together, self._running)
        try:
            return self._run(step, context)
        finally:
            with self._lock:
                self._running -= 1

    def _run(self, step: Step, context: StepContext) -> StepResult:
        pause = float(step.args.get("seconds", 0)) * random.random()
        if self.tells:
            context.progress(self.tells)
        with self._lock:
            error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error
        if (name := step.args.get("gate")) is not None:
            context.wait(lambda: self.gates[name].is_set() or None, 30, first=0.01, longest=0.05)
        if (sentence := step.args.get("fail")) is not None:
            return StepResult(False, sentence)
        if context.attempt > 1 and context.token in self.tokens():
            return StepResult(True, "found", (f"req-{step.seq}",), context.token)
        time.sleep(pause)
        self._append(f"{context.token} {step.args.get('what', step.seq)}\n")
        time.sleep(pause)
        if (name := step.args.get("hold")) is not None:
            context.wait(lambda: self.file.with_name(name).exists() or None, 60, first=0.01, longest=0.05)
        result = {"seq": step.seq} | ({"text": "x" * step.args["size"]} if "size" in step.args else {})
        return StepResult(True, "made", (f"req-{step.seq}",), context.token, result)

    def _append(self, line: str) -> None:
        handle = os.open(self.file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    def lines(self) -> list[tuple[str, str]]:
        """(token, what) of every effect."""
        text = self.file.read_text() if self.file.exists() else ""
        return [(line.split()[0], line.split()[1]) for line in text.splitlines()]

    def tokens(self) -> set[str]:
        return {token for token, _ in self.lines()}

    def counts(self) -> Counter[str]:
        """How often each effect happened."""
        return Counter(what for _, what in self.lines())

    def ended(self, job: dict[str, Any]) -> None:
        self.over.append(job["state"])

    def retry(self, job: dict[str, Any], steps: Sequence[Step], caller: Caller) -> dict[str, Any] | None:
        return None


def plan(count: int, **args: Any) -> dict[str, Any]:
    """A plan of one group."""
    return {
        "version": 1,
        "steps": [{"name": f"step {n}", "args": {"what": f"e{n}", **args}} for n in range(1, count + 1)],
    }
