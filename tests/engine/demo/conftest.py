"""One small cloud for tests that only read; those that change something make their own."""

from __future__ import annotations

import pytest

from tests.engine.demo.harness import Wire


@pytest.fixture(scope="session")
def wire() -> Wire:
    return Wire.new()


@pytest.fixture
def own() -> Wire:
    return Wire.new(servers=12)
