"""What uses what: both directions, each once, of every type."""

from __future__ import annotations

import pytest

from store.types import registry
from store.types.relations import relations

ALL = list(registry.ALL.values())


def of(name: str, direction: str) -> set[str]:
    return {relation.link.type for relation in relations(registry.ALL[name]) if relation.direction == direction}


def test_a_server_and_its_neighbours() -> None:
    assert of("server", "uses") >= {"volume", "port", "hypervisor", "image", "project", "flavor", "floating_ip"}
    assert "server" in of("volume", "used_by") & of("port", "used_by") & of("hypervisor", "used_by") & of(
        "image", "used_by"
    )
    assert "snapshot" in of("volume", "used_by") and "volume" in of("snapshot", "uses")
    assert "aggregate" in of("hypervisor", "uses") and "hypervisor" in of("aggregate", "used_by")


@pytest.mark.parametrize("type", ALL, ids=lambda type: type.name)
def test_every_relation_is_there_from_both_ends_and_once(type) -> None:  # type: ignore[no-untyped-def]
    seen = [(r.link.type, r.link.column, r.link.own) for r in relations(type)]
    assert len(seen) == len(set(seen))
    for relation in relations(type):
        link, other = relation.link, registry.ALL[relation.link.type]
        back = [
            r
            for r in relations(other)
            if (r.link.type, r.link.column, r.link.own) == (type.name, link.own, link.column)
        ]
        assert len(back) == 1
        named = link.own in ("id", "name") or link.column in ("id", "name")
        if other is not type and named:  # what shares a host is neither's user
            assert back[0].direction != relation.direction
        for owner, column in ((other, link.column), (type, link.own)):
            assert column == "id" or owner.column(column)
