"""Volumes out of the estate, within what a caller may see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.inventory.reads import InventoryReads
from engine.snapshots.volumes import find, metadata_of, volumes
from store.estate.estate import Estate
from store.estate.reading import snapshot_volumes
from store.estate.reading.models import Scope
from tests.engine.inventory.reading import DOCUMENTS, take_in
from tests.engine.tenants.company import volume


@pytest.fixture
def reads(tmp_path: Path) -> Iterator[InventoryReads]:
    estate = Estate.open(tmp_path / "estate.duckdb")
    reads = InventoryReads(estate)
    for type in ("domain", "project"):
        take_in(estate, type, DOCUMENTS[type])
    odd = volume(3, "p2", "Error_Deleting", name=None, size=None, bootable="true", multiattach=True, attachments=[
        {"server_id": "s1", "device": "/dev/vda"}, {"server_id": "s2", "device": "/dev/vdb"}])  # fmt: skip
    take_in(estate, "volume", [volume(1, "p1", metadata={"a": "b=c", "auto_snapshot": "yes"}), volume(2, "p2"), odd])
    take_in(estate, "volume", [volume(1, "p1", name="elsewhere")], cloud="other")
    yield reads
    reads.close()
    estate.close()


def ids(reads: InventoryReads, scope: Scope) -> list[tuple[str, str]]:
    return [(one.cloud, one.id) for one in volumes(reads, scope)]


def test_scopes(reads: InventoryReads) -> None:
    everything = [("other", "vol-1"), ("prod", "vol-1"), ("prod", "vol-2"), ("prod", "vol-3")]
    assert ids(reads, Scope()) == everything
    assert ids(reads, Scope(in_clouds=("prod",), in_regions=("RegionOne",))) == everything[1:]
    assert ids(reads, Scope(in_clouds=("prod",), in_regions=("elsewhere",))) == []
    assert ids(reads, Scope(clouds=("other",))) == everything[:1]
    assert ids(reads, Scope(projects=("p2",))) == everything[2:]
    assert ids(reads, Scope(domains=("d2",))) == everything[2:]


def test_what_is_odd_has_defaults(reads: InventoryReads) -> None:
    three = volumes(reads, Scope(), [("prod", "RegionOne", "vol-3")])[0]
    assert (three.name, three.size_gb, three.status) == ("", 0, "error_deleting")
    assert (three.bootable, three.multiattach, three.server_ids) == (True, True, ("s1", "s2"))
    assert (three.domain_name, three.key) == ("labs", ("prod", "RegionOne", "vol-3"))
    one = find(reads, Scope(), ["vol-1", "vol-1", "vol-9"])
    assert [(found.cloud, found.name) for found in one] == [("other", "elsewhere"), ("prod", "disk-1")]
    assert dict(one[1].metadata) == {"a": "b=c", "auto_snapshot": "yes"} and one[0].project_name == ""


def test_many_keys_are_asked_for_in_parts(reads: InventoryReads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot_volumes, "_CHUNK", 1)
    keys = [("prod", "RegionOne", f"vol-{n}") for n in (3, 1, 9, 1)]
    assert [one.id for one in volumes(reads, Scope(), keys)] == ["vol-1", "vol-3"]


def test_projects(reads: InventoryReads) -> None:
    found = reads.read(lambda connection: snapshot_volumes.projects(connection, Scope(domains=("d2",))))
    assert found == [("prod", "p2", "labs-dev")]


def test_keys_with_an_equals_sign_are_cut_at_the_first() -> None:
    assert metadata_of(["a=b", "c=", "d=e=f", "g"]) == {"a": "b", "c": "", "d": "e=f", "g": ""}
