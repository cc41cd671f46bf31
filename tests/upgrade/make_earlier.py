"""Leaves jobs of the write gate and of snapshot policies open, dies, and keeps the database.

When: as make_database.py, which does the same for restores. It also runs with builds from before restores; the kept
file schema-11 was made so, with an older dbos than the locked one:

    git worktree add /tmp/earlier 2dd3fd9 && cp -r tests/upgrade /tmp/earlier/tests
    pip install --no-deps --target /tmp/older dbos==3.3.0
    cd /tmp/earlier && PYTHONPATH=/tmp/older PYTHON -m tests.upgrade.make_earlier schema-11-dbos-3.3.0
    cp -r tests/upgrade/kept/schema-11-dbos-3.3.0 BACK && git worktree remove --force /tmp/earlier
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from tests.upgrade import earlier, files

# Where the jobs that stop machines are left: after so many changes (the answer of the last one not seen).
STOPS = {"after a change": 2, "cancel not noticed": 1, "queued": 0, "stored": 0}
MACHINES = 12  # of each of these jobs
VOLUMES = 6
LEFT_AFTER = 3  # snapshots


class Held:
    """Whoever comes here stays; `reached` says that somebody has."""

    def __init__(self) -> None:
        self.reached = threading.Event()

    def stay(self) -> None:
        self.reached.set()
        threading.Event().wait()


def leave(folder: Path) -> None:
    """Begin all jobs, wait until each is at its place, write the clouds, and die."""
    with earlier.opened(folder) as own:
        kept: dict[str, Any] = {"jobs": {}}
        _actions(own, kept["jobs"])
        kept["volumes"] = _snapshots(own, kept["jobs"])
        kept.update(own.written())
        (folder / "clouds.json").write_text(json.dumps(kept))
        os.kill(os.getpid(), signal.SIGKILL)


def _actions(own: earlier.Earlier, kept: dict[str, Any]) -> None:
    """Jobs that stop machines, more than are stopped side by side, and one that makes a network."""
    places: dict[str, Held] = {}
    counts: dict[str, int] = {}
    own.gate.lift("east")

    def on_send(method: str, path: str, body: Any) -> None:
        state = "in a create" if path == "/networks" else own.gate.cloud.docs[path.split("/")[2]]["description"]
        counts[state] = counts.get(state, 0) + 1
        if counts[state] >= STOPS.get(state, 1):
            places[state].stay()  # whoever runs beside it comes to the same place

    own.serve(on_send)
    run, start = own.jobs._durable._body, own.jobs._start

    def body(job: str) -> None:
        if kept.get(job, {}).get("state") == "queued":
            places["queued"].stay()
        run(job)

    def begin(job: str) -> None:
        kept[job] = {"state": begun[-1], "ends": "cancelled" if "cancel" in begun[-1] else "done"}
        places[begun[-1]].reached.set() if begun[-1] == "stored" else start(job)

    begun: list[str] = []
    own.jobs._durable._body = body
    own.jobs._start = begin  # type: ignore[method-assign]
    for state in (*STOPS, "in a create"):
        begun.append(state)
        places[state] = Held()
        if state == "in a create":
            made = own.gate.plan("network.create", cloud="east", options={"name": "new", "project": "p1"})
        else:
            keys = [own.gate.cloud.server(f"{state.replace(' ', '-')}-{n}", description=state) for n in range(MACHINES)]
            made = own.gate.plan("server.stop", *keys)
        job = own.gate.execute(made, reason="this is tried")
        assert places[state].reached.wait(30), (state, own.jobs.job(job["id"]))
        if state == "cancel not noticed":
            own.jobs.cancel(job["id"], earlier.fakes.OPS)
    own.jobs._start = start  # type: ignore[method-assign]


def _snapshots(own: earlier.Earlier, kept: dict[str, Any]) -> dict[str, str]:
    """A run of two policies over some volumes, of which some are through."""
    world, place = own.world, Held()
    volumes = {world.cloud.add_volume(): ("daily", "weekly")[number % 2] for number in range(VOLUMES)}
    own.wanted(volumes)
    world.now = earlier.simulated.START
    create = world.cloud._create

    def created(call: Any) -> Any:
        answer = create(call)
        if len(world.cloud.made) >= LEFT_AFTER:
            place.stay()  # whoever runs beside it comes to the same place
        return answer

    world.cloud._create = created  # type: ignore[method-assign]
    world.timing.tick(world.now)  # the policies are noticed; a day later they are due
    world.now += earlier.simulated.timedelta(days=1)
    for _ in range(100):
        world.timing.tick(world.now)
        if place.reached.wait(0.05):
            break
    assert place.reached.is_set(), f"no snapshot was made: {world.timing.problems} {own.jobs.page()}"
    for job in own.jobs.status():
        if job["kind"] == "snapshots":
            kept[job["id"]] = {"state": "after a change", "ends": "done"}
    return volumes


def make(name: str) -> None:
    """Have another process leave such a database, and keep it."""
    with tempfile.TemporaryDirectory() as text:
        ended = subprocess.run([sys.executable, "-m", "tests.upgrade.make_earlier", "--leave", text], cwd=files.ROOT)
        assert ended.returncode == -signal.SIGKILL, "it was to die, and ended otherwise"
        print(f"{files.pack(files.KEPT / name, Path(text))} open jobs in {files.KEPT / name}")


if __name__ == "__main__":
    files.main(__doc__, leave, make)
