"""The engine with a script: where a restore's worker is killed, what its calls are answered, when its job is cancelled.

The script is a JSON file that the test writes and this process reads again when it changed:

    go      {"go": true}: until then whoever is to be killed only waits
    kill    {job: [rules]}: once at every place that one of the rules means. A place is a moment of a step or of a call:
            "begin" and "end" of a step; "before" a call, in its "middle" (the cloud did it, nobody saw the answer) and
            "after" it. A rule is a few words that all must fit: "all" (every place), "undo" and "do" (steps that take
            back, and the others), a moment, the name of a step
    faults  {job: {kind: rule}}: every call that the rule means is answered once with each kind before it is let through
    refuse  {job: [step, call, status]}: this call is refused for good
    cancel  {job: step}: the job is cancelled when this step begins

What happened is appended to another file before it happens, so that it happens once whatever dies. A worker is killed
when it has served for a second (its parent replaces it at once then), or all that is left waits to be killed: until
then whoever came to his place stays there, so that one kill serves many jobs at the places where each of them is.
"""

from __future__ import annotations

import json
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Imported so that every worker that is forked has them: a thousand kills are to fit into minutes.
import dbos  # noqa: F401
import keystoneauth1.identity.v3  # noqa: F401
import openstack.config  # noqa: F401
from fastapi import FastAPI

import engine.app
from engine.app import EngineParts
from engine.clouds.writing import AccountSession
from engine.gate.models import Actor, Answer, Call
from engine.gate.refusals import NotDone
from engine.jobs.models import Step, StepContext, StepResult
from engine.process.control import Control
from engine.process.models import Home
from engine.restore.runner import KIND
from engine.restore.steps import catalogue, hands

catalogue.steps()
SERVED = 1.1  # seconds, after which the parent replaces a dead worker without a pause
QUIET = 0.3  # seconds in which nobody came to a place of his any more
_ID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
NOT_DONE = ("401", "409", "413", "429", "503", "no answer")  # the cloud did nothing


class Script:
    """See the module. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._file, self._log = folder / "script.json", folder / "happened"
        self._lock = threading.Lock()
        self._read_at = 0
        self._rules: dict[str, Any] = {}
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        self._happened = {tuple(json.loads(line)) for line in lines}
        self._began = time.monotonic()
        self._blocked_at: float | None = None
        self._under_way = 0  # calls that the cloud has, and whose middle is to come
        threading.Thread(target=self._kill, daemon=True).start()

    def rules(self, name: str, job: str) -> Any:
        with self._lock:
            changed = self._file.stat().st_mtime_ns if self._file.exists() else 0
            if changed != self._read_at:
                self._rules, self._read_at = json.loads(self._file.read_text()), changed
            return self._rules.get(name, {}).get(job)

    def once(self, *what: str) -> bool:
        """Whether this has not happened yet; it is noted on disk first."""
        with self._lock:
            if what in self._happened:
                return False
            self._happened.add(what)
            handle = os.open(self._log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
            try:
                os.write(handle, (json.dumps(what) + "\n").encode())
                os.fsync(handle)
            finally:
                os.close(handle)
            return True

    def place(self, job: str, step: str, call: str, moment: str) -> None:
        """A place where the worker may be killed; whoever comes to one that is on the script does not leave it."""
        wanted = any(meant(rule, step, moment) for rule in self.rules("kill", job) or ())
        if wanted and self.once("kill", job, step, call, moment):
            with self._lock:
                self._blocked_at = time.monotonic()
            threading.Event().wait()

    def sends(self, count: int) -> None:
        """A call is sent, or (-1) was answered: nobody is killed meanwhile, because that would be nobody's place."""
        with self._lock:
            self._under_way += count

    def _kill(self) -> None:
        while True:
            time.sleep(0.01)
            if not self.rules("go", "go"):
                continue
            with self._lock:
                now, blocked = time.monotonic(), self._blocked_at
                if blocked is None or self._under_way:
                    continue
                if now - blocked > QUIET and now - self._began > SERVED:
                    os.kill(os.getpid(), signal.SIGKILL)


class Runner:
    """Performs the steps of restores, with what the script says."""

    def __init__(self, inner: Any, script: Script, cancel: Callable[[str], None]) -> None:
        self._inner, self._script, self._cancel = inner, script, cancel
        self.versions = inner.versions
        self.here = threading.local()

    def run_step(self, step: Step, context: StepContext) -> StepResult:
        self.here.step = step.name
        script, job = self._script, context.job_id
        script.place(job, step.name, "", "begin")
        if script.rules("cancel", job) == step.name:
            self._cancel(job)  # again after a kill in just this moment
            script.once("cancel", job, step.name)
        result: StepResult = self._inner.run_step(step, context)
        script.place(job, step.name, "", "end")
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class Calls:
    """Sends what a restore changes, with what the script says."""

    def __init__(self, gate: Any, script: Script, runner: Runner) -> None:
        self._perform, self._script, self._runner = gate.perform, script, runner
        self._local = threading.local()
        plain = AccountSession.send

        def send(session: AccountSession, method: str, *arguments: Any) -> Any:
            after = getattr(self._local, "after", None)
            self._local.after = None
            if after is None:
                return plain(session, method, *arguments)
            script.sends(1)
            try:
                answer = plain(session, method, *arguments)
            finally:
                script.sends(-1)
            after()
            return answer

        AccountSession.send = send  # type: ignore[method-assign,assignment]

    def perform(self, actor: Actor, call: Call) -> Answer:
        step, script = getattr(self._runner.here, "step", ""), self._script
        if actor.action != "restore":
            return self._perform(actor, call)
        what, job = named(call), actor.job
        refused = script.rules("refuse", job)
        if refused and refused[:2] == [step, what]:
            script.once("refuse", job, step, what, str(refused[2]))
            raise NotDone(f"{call.what}: the cloud refused it ({refused[2]}): this is tried", status=int(refused[2]))
        for kind, rule in (script.rules("faults", job) or {}).items():
            if meant(rule, step) and script.once("fault", job, step, what, kind):
                return self._wrong(kind, actor, call)
        script.place(job, step, what, "before")
        self._local.after = lambda: script.place(job, step, what, "middle")
        try:
            answer = self._perform(actor, call)
        finally:
            self._local.after = None
        script.place(job, step, what, "after")
        return answer

    def _wrong(self, kind: str, actor: Actor, call: Call) -> Answer:
        if kind not in NOT_DONE:
            self._perform(actor, call)
        if kind in ("no answer", "lost"):
            raise NotDone(f"{call.what}: no answer came", uncertain=True)
        status = int(kind.split()[0])
        raise NotDone(
            f"{call.what}: this is tried ({kind})", status=status, retry_after=0.05 if status == 429 else None
        )


def meant(rule: str, step: str, moment: str = "") -> bool:
    """Whether a rule of the script means this."""
    return set(rule.split()) <= {"all", "undo" if step.startswith("UNDO_") else "do", step, moment}


def named(call: Call) -> str:
    """A call without its ids: the same at every attempt."""
    key = next(iter(call.body or {}), "")
    return f"{call.method} {call.service}{_ID.sub('*', call.path)} {key}".strip()


def open_engine(home: Home, *, demo: bool = False, servers: int | None = None, **more: Any) -> EngineParts:
    """The engine's own services, with the script of its home between restores and the cloud."""
    parts = engine.app.open_engine(home, demo=demo, servers=servers, **more)
    script = Script(Path(os.environ.get("QDECK_TEST_SCRIPT", home.path)))
    # How long is looked for what nobody answered: the demo answers at once, or not at all.
    hands.LOST_SECONDS = float(os.environ.get("QDECK_TEST_LOST", "0.4"))
    hands.AGAIN_SECONDS = hands.LOST_SECONDS / 2
    inner = parts.jobs._runners[KIND]

    def cancel(job: str) -> None:
        found = parts.jobs.job(job)
        from tests.engine.jobs.backend import CALLER

        if found["can"]:
            parts.jobs.cancel(job, CALLER)

    runner = Runner(inner, script, cancel)
    parts.jobs.register(KIND, runner)
    calls = Calls(parts.gate, script, runner)
    parts.gate.perform = calls.perform  # type: ignore[method-assign]
    return parts


def create_app(parts: EngineParts, control: Control) -> FastAPI:
    """The engine's own API."""
    return engine.app.create_app(parts, control)
