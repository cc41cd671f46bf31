"""A real engine with a real demo cloud, whose services break when told to."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.demo.launch import call
from tests.engine.process.running import Engine, temporary_home, wait_for
from tui.api.client import SyncClient

SECONDS = 90.0
# Short pauses: what a person waits a minute for need not take one here.
SETTINGS = "[collection]\nretries = 1\nread_timeout_seconds = 1.5\nconnect_timeout_seconds = 1.5\n"


class Demo:
    """One engine and the switches of its cloud; `servers` is how many there are."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.socket = engine.home.socket
        self.control = engine.home.path / "cloud" / "control.sock"
        self.servers = 0

    def switch(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Use one of the cloud's switches (engine/demo/control.py)."""
        return call(self.control, method, path, dict(body) if body is not None else None)

    def fault(self, kind: str, **options: Any) -> None:
        """Let something go wrong from now on."""
        self.switch("POST", "/faults", {"kind": kind, **options})

    def repair(self) -> None:
        """Nothing goes wrong any more."""
        self.switch("DELETE", "/faults")

    def client(self) -> SyncClient:
        """A client of the engine."""
        return self.engine.client()

    def collect(self, *types: str, full: bool = True) -> dict[str, Any]:
        """Collect these types (all when none is named) to the end; answers the collection."""
        with self.client() as client:
            asked = {"clouds": ["demo"], "full": full, **({"types": list(types)} if types else {})}
            (item,) = client.post("/q/collections", asked)["items"]
            deadline = time.monotonic() + SECONDS
            while (found := client.get(f"/q/collections/{item['id']}"))["ended_at"] is None:
                assert time.monotonic() < deadline, found
                time.sleep(0.02)
        return found

    def states(self) -> dict[str, str]:
        """The state of every type's list."""
        with self.client() as client:
            return {row["type"]: row["state"] for row in client.get("/q/listings")["items"]}


@contextmanager
def demo(servers: int = 60, *words: str, settings: str = SETTINGS) -> Iterator[Demo]:
    """A demo whose present has been collected; by default it has no past and nothing changes by itself."""
    with temporary_home() as home:
        home.path.mkdir(mode=0o700, parents=True)
        (home.path / "qdeck.toml").write_text(settings, encoding="utf-8")
        given: Sequence[str] = words or ("--past", "0")
        engine = Engine(home, "--demo", "--servers", str(servers), *given, application="engine.app")
        try:
            engine.until_running()
            wait_for(lambda: engine.get("/q/engine")["demo"]["state"] in ("ready", "failed"), SECONDS)
            assert engine.get("/q/engine")["demo"]["state"] == "ready", engine.get("/q/engine")
            one = Demo(engine)
            one.servers = one.switch("POST", "/state", {"changes_per_day": 0})["counts"]["servers"]
            yield one
        finally:
            engine.close()


def logs(home: Path) -> str:
    """What engine and demo cloud wrote, for a test that fails."""
    return "\n".join(path.read_text(errors="replace") for path in sorted(home.rglob("*.log")))
