"""The contract suite runs the same tests on two clouds: the demo, and the lab (marked live)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.wire import Actor, Login
from tests.live.lab_cloud import LabCloud
from tests.live.projects import Project


@dataclass(frozen=True)
class Cloud:
    """A cloud under test: its clouds.yaml entries for an administrator, a member and a reader."""

    name: str
    admin_auth: dict[str, Any]
    member_auth: dict[str, Any]
    reader_auth: dict[str, Any]

    @cached_property
    def admin(self) -> Actor:
        """admin on the project admin."""
        return Actor(Login.from_entry(self.admin_auth))

    @cached_property
    def system(self) -> Actor:
        """The same user with system scope."""
        return Actor(replace(Login.from_entry(self.admin_auth), system=True))

    @cached_property
    def member(self) -> Actor:
        """member on a project."""
        return Actor(Login.from_entry(self.member_auth))

    @cached_property
    def reader(self) -> Actor:
        """reader on the same project."""
        return Actor(Login.from_entry(self.reader_auth))

    def actor(self, role: str) -> Actor:
        """By name: admin, member, reader or system."""
        found: Actor = getattr(self, role)
        return found


@pytest.fixture(scope="session")
def demo_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A demo cloud of 60 servers in a process of its own."""
    from engine.demo.launch import DemoCloud

    home: Path = tmp_path_factory.mktemp("demo")
    demo = DemoCloud.start(home, servers=60, seed="contract", still=True)
    try:
        entries = yaml.safe_load(demo.clouds_yaml.read_text())["clouds"]
        yield Cloud("demo", *(entries[name]["auth"] for name in ("demo", "demo-member", "demo-reader")))
    finally:
        demo.stop()


@pytest.fixture(scope="session")
def lab_cloud() -> Cloud:
    """The lab, which must be up."""
    entries = LabCloud.running().entries
    return Cloud("lab", *(entries[name]["auth"] for name in ("lab-admin", "lab-member", "lab-reader")))


@pytest.fixture(scope="session", params=["demo", pytest.param("lab", marks=pytest.mark.live)])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Each cloud in turn."""
    found: Cloud = request.getfixturevalue(f"{request.param}_cloud")
    return found


@pytest.fixture
def tenant(cloud: Cloud) -> Iterator[Project]:
    """A project of the test's own with a member and a reader, removed afterwards."""
    made = Project(cloud.admin)
    yield made
    made.remove()
