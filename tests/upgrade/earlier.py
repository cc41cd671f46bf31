"""Jobs of the write gate and of snapshot policies under way in simulated clouds: what there was before restores.

Runs with this build and with earlier ones: it uses nothing of the engine that came with restores.
"""

from __future__ import annotations

import copy
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from engine.jobs.actions import ActionsRunner
from engine.jobs.service import JobService
from store.ops.ops import Ops
from tests.engine.gate import fakes
from tests.engine.snapshots.runs import simulated
from tests.engine.snapshots.runs.simulated import World

Doc = dict[str, Any]
_WORLD = ("volumes", "snapshots", "servers", "images", "groups", "group_types", "group_snapshots", "limits", "made")


class _Jobs:
    """Stands where the simulated snapshots have their journal: the engine's own jobs, once there are any."""

    def __init__(self) -> None:
        self.real: JobService | None = None
        self.runner: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


class Earlier:
    """A gate and snapshot policies, each with a cloud, and one jobs room, on the ops database of a folder."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        stops = fakes.action("server.stop", {"os-stop": None}, "SHUTOFF")
        self.gate = stack.enter_context(fakes.room(folder, stops, fakes.creation(find=self._find)))
        self.gate.rows.named = {("project", "p1"): [{"key": ("east", "", "p1"), "name": "shop"}]}
        plain, simulated.Journal = simulated.Journal, _Jobs  # type: ignore[misc,assignment]
        try:
            self.world = World(folder)
        finally:
            simulated.Journal = plain  # type: ignore[misc]
        stack.callback(self.world.close)
        self.ops: Ops = self.world.real
        self.audit = self.gate.audit
        self.jobs = JobService(self.ops, self.audit, self.gate.feed)
        stack.callback(self.jobs.close)
        self.world.journal.real = self.jobs  # type: ignore[attr-defined]
        self.gate.gate.attach(self.jobs)
        self.jobs.register("actions", ActionsRunner(self.gate.gate))
        self.jobs.register("snapshots", self.world.journal.runner)  # type: ignore[arg-type]

    def _find(self, context: Any, target: Any, options: Any) -> str | None:
        """What carries the step's token in the gate's cloud."""
        docs = self.gate.cloud.docs
        return next((id for id, doc in docs.items() if doc.get("description") == context.token), None)

    def written(self) -> Doc:
        """Both clouds, as JSON has them."""
        world, cloud = self.world, self.gate.cloud
        found = {
            "gate": {"docs": cloud.docs, "sent": cloud.sent},
            "policies": {name: getattr(world.cloud, name) for name in _WORLD},
            "numbers": next(world.cloud.numbers),
        }
        return dict(json.loads(json.dumps(copy.deepcopy(found))))

    def read(self, stored: Doc) -> None:
        """The clouds again."""
        self.gate.cloud.docs.update(stored["gate"]["docs"])
        self.gate.cloud.sent += [tuple(one) for one in stored["gate"]["sent"]]
        for name in _WORLD:
            setattr(self.world.cloud, name, stored["policies"][name])
        self.world.cloud.numbers = itertools.count(stored["numbers"])

    def wanted(self, volumes: dict[str, str]) -> None:
        """A policy for each of these volumes: {volume: name of its policy}."""
        for volume, name in volumes.items():
            if name not in self.world.wanted.policies:
                self.world.policy(name)
            self.world.hold(volume, name)

    def serve(self, on_send: Callable[[str, str, Any], None] = lambda method, path, body: None) -> None:
        """Have the gate's cloud do what it is told; `on_send` is called once it has."""
        cloud = self.gate.cloud
        numbers = itertools.count(len(cloud.sent) + 1)
        lock = threading.Lock()

        def send(method: str, path: str, body: Any) -> fakes.Reply:
            document = None
            with lock:
                if path == "/networks":
                    id = f"net-{next(numbers)}"
                    cloud.docs[id] = {"id": id, "tenant_id": "p1", **body["network"]}
                    document = {"network": cloud.docs[id]}
                else:
                    cloud.docs[path.split("/")[2]]["status"] = "SHUTOFF"
            on_send(method, path, body)
            return fakes.reply(202, document, f"req-{len(cloud.sent)}")

        cloud.on_send = send


@contextmanager
def opened(folder: Path) -> Iterator[Earlier]:
    """One of them, closed at the end."""
    with ExitStack() as stack:
        yield Earlier(folder, stack)
