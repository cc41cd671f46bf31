from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.drift.place import Place, machines


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


@pytest.fixture
def busy(place: Place) -> Place:
    """Two machines changed: web-1 (of p2, a warning) stopped, web-2 (of p1) was renamed and got another host."""
    place.people()
    place.listed("server", machines(), 10)
    changed = {"name": "db", "OS-EXT-SRV-ATTR:host": "cmp-9", "OS-EXT-SRV-ATTR:hypervisor_hostname": "cmp-9"}
    place.listed("server", machines({"status": "SHUTOFF"}, changed), 20)
    return place
