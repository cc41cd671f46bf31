"""What the demo's people decided: made once, in force, and about what the demo has."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.access.models import ENGINE
from engine.demonstration.arranging import EVERYWHERE, OF_TENANT, SPARE, TENANT, arrange
from engine.snapshots.policies.desk import PolicyDesk
from tests.engine.demo.harness import Wire
from tests.engine.snapshots.policies.place import Place


@pytest.fixture
def desk(tmp_path: Path) -> PolicyDesk:
    place = Place(tmp_path)
    arrange(place.desk)
    return place.desk


def test_it_is_decided_once(desk: PolicyDesk) -> None:
    arrange(desk)
    rows = {row["name"]: row for row in desk.listing.sets(ENGINE)}
    assert set(rows) == {EVERYWHERE, OF_TENANT}
    assert rows[EVERYWHERE]["is_global"] and rows[EVERYWHERE]["policies"] == ["weekly_4"]
    assert rows[OF_TENANT]["tenant_name"] == TENANT and rows[OF_TENANT]["policies"] == ["daily_5"]
    (spare,) = desk.giving.exclusions(ENGINE)
    assert spare["reason"] and spare["expires_at"] > desk.service.clock()


@pytest.mark.parametrize("servers", [50, 400])
def test_it_is_about_something(servers: int) -> None:
    state = Wire.new(servers).cloud.state
    assert any(project.name == TENANT for project in state.projects)
    assert any(SPARE in volume.name for volume in state.volumes)
