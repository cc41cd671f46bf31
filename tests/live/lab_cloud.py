"""How tests find the lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.wire import Actor, Login
from tests.lab import places, processes, services


class LabCloud:
    """The lab's clouds.yaml, and an Actor for each of its entries."""

    def __init__(self, clouds_yaml: Path) -> None:
        self.clouds_yaml = clouds_yaml
        self.entries: dict[str, Any] = yaml.safe_load(clouds_yaml.read_text())["clouds"]

    @classmethod
    def running(cls) -> LabCloud:
        """The lab; fails the test, saying what to do, when it is not up."""
        down = [service.name for service in services.everything() if not processes.read_pid(service.name)]
        if down or not places.CLOUDS.exists():
            what = "nothing runs" if len(down) == len(services.everything()) else f"missing: {', '.join(down)}"
            pytest.fail(
                f"The lab in {places.HOME} is not up ({what}): start it with `make lab-up`.",
                pytrace=False,
            )
        return cls(places.CLOUDS)

    def actor(self, entry: str) -> Actor:
        """A new Actor, with a token of its own, for an entry of clouds.yaml."""
        return Actor(Login.from_entry(self.entries[entry]["auth"]))
