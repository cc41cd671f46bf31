"""A write to a subnet moves its network's counter too: that is told of the subnet, not of the network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store.estate import drift
from store.estate.drift_models import TypeWatch, Watch
from store.estate.estate import Estate
from store.estate.models import Listing
from store.ids import uuid7
from store.types import registry
from tests.store.estate.cloud import ADMIN, at, rows

NAMES = ("network", "subnet")
WATCHES = {
    "network": TypeWatch("network", (Watch(125, "unseen", "revision_number", "info"),)),
    "subnet": TypeWatch(
        "subnet",
        (Watch(24, "changed", "enable_dhcp", "warning", "v.enable_dhcp::VARCHAR"),
         Watch(134, "unseen", "revision_number", "info")),
    ),
}  # fmt: skip


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    with Estate.open(tmp_path / "estate.duckdb", types={name: registry.ALL[name] for name in NAMES}) as made:
        yield made


def collect(estate: Estate, type: str, minute: float, *docs: dict[str, Any]) -> None:
    """One listing, derived at once."""
    writer = estate.begin(Listing(uuid7(), "cloud", "one", type, "full", "all", ADMIN, at(minute)))
    builder = writer.builder()
    for doc in docs:
        builder.add(doc)
    writer.add(builder.take())
    writer.finish(ended_at=at(minute + 0.5))
    estate.write(lambda c: drift.derive(c, ("cloud", "one", type), WATCHES[type])).result()


def network(revision: int, id: str = "n1") -> dict[str, Any]:
    return {"id": id, "name": id, "project_id": "p", "status": "ACTIVE", "revision_number": revision}


def subnet(revision: int, dhcp: bool = True) -> dict[str, Any]:
    return {"id": "s1", "name": "s", "network_id": "n1", "project_id": "p", "cidr": "10.0.0.0/24",
            "enable_dhcp": dhcp, "revision_number": revision}  # fmt: skip


def told(estate: Estate) -> list[Any]:
    return rows(estate, "SELECT type, resource_id, field FROM drift_events ORDER BY type, resource_id, field")


@pytest.mark.parametrize("network_first", [True, False])
def test_a_subnet_that_was_changed_is_told_alone(estate: Estate, network_first: bool) -> None:
    early, late = (10.0, 10.2) if network_first else (10.2, 10.0)
    collect(estate, "network", 0, network(1))
    collect(estate, "subnet", 0, subnet(1))
    for type, minute in sorted((("network", early), ("subnet", late)), key=lambda pair: pair[1]):
        collect(estate, type, minute, network(2) if type == "network" else subnet(2, dhcp=False))
    assert told(estate) == [("subnet", "s1", "enable_dhcp")]


def test_a_subnet_that_was_changed_and_back_is_told_alone(estate: Estate) -> None:
    for minute, revision in ((0, 1), (10, 3)):
        collect(estate, "network", minute, network(revision))
        collect(estate, "subnet", minute, subnet(revision))
    assert told(estate) == [("subnet", "s1", "revision_number")]


def test_what_the_network_counts_when_no_subnet_moved_is_told(estate: Estate) -> None:
    for minute, revision in ((0, 1), (10, 3)):
        collect(estate, "network", minute, network(revision))
        collect(estate, "subnet", minute, subnet(1))
    assert told(estate) == [("network", "n1", "revision_number")]


def test_a_change_of_another_time_or_network_explains_nothing(estate: Estate) -> None:
    collect(estate, "network", 0, network(1), network(1, "n2"))
    collect(estate, "subnet", 0, subnet(1))
    collect(estate, "subnet", 10, subnet(2, dhcp=False))
    collect(estate, "network", 10, network(2), network(2, "n2"))
    collect(estate, "network", 20, network(2), network(2, "n2"))
    collect(estate, "subnet", 20, subnet(2, dhcp=False))
    collect(estate, "network", 30, network(3), network(2, "n2"))
    assert told(estate) == [
        ("network", "n1", "revision_number"), ("network", "n2", "revision_number"), ("subnet", "s1", "enable_dhcp"),
    ]  # fmt: skip
