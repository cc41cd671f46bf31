"""Fixtures of the live tests: the lab, and a project per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contract.wire import Actor
from tests.live.lab_cloud import LabCloud
from tests.live.projects import Project


@pytest.fixture(scope="session")
def lab() -> LabCloud:
    """The running lab. Never skips: a lab that is not up is a failure with the reason."""
    return LabCloud.running()


@pytest.fixture
def project(lab: LabCloud) -> Iterator[Project]:
    """A project of the test's own, with a member and a reader, removed afterwards with all that is in it."""
    made = Project(lab.actor("lab-admin"))
    yield made
    made.remove()


@pytest.fixture
def admin(lab: LabCloud) -> Actor:
    """The lab's administrator."""
    return lab.actor("lab-admin")
