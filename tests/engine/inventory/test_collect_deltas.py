"""Deltas between whole listings end in the same state as whole listings, whatever happened in the cloud."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.engine.inventory.collecting import Bench, bench

DELTA_TYPES = ["server", "volume", "network", "subnet", "port", "router", "floating_ip", "security_group"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_any_changes_a_delta_equals_a_whole_listing(tmp_path: Path, seed: int) -> None:
    walk = random.Random(seed)
    with bench(tmp_path / "a", servers=25, page=20) as by_delta:
        by_delta.collect(DELTA_TYPES)
        with bench(tmp_path / "b", page=20, demo=by_delta.demo) as whole:
            kinds = set()
            for _ in range(4):
                by_delta.demo.call("POST", "/change", {"count": walk.randint(1, 12)})
                by_delta.demo.advance(walk.choice([30, 700, 90_000]))
                ended = by_delta.collect(DELTA_TYPES, full=False)
                assert ended["state"] == "done", ended
                kinds.update((name, row["kind"]) for name, row in ended["types"].items())
                whole.collect(DELTA_TYPES, full=True)
                for type in DELTA_TYPES:
                    assert by_delta.current(type) == whole.current(type), (seed, type)
            assert ("server", "delta") in kinds and ("volume", "delta") in kinds


def test_a_delta_without_changes_writes_nothing(tmp_path: Path) -> None:
    with bench(tmp_path) as cloud:
        cloud.collect(DELTA_TYPES)
        before = cloud.everything()
        ended = cloud.collect(DELTA_TYPES, full=False)
        assert ended["types"]["server"]["kind"] == "delta"
        assert cloud.everything() == before


def test_a_service_that_refuses_deltas_is_read_whole(tmp_path: Path) -> None:
    """Neutron answers 400 to `changed_since` unless filters go unchecked: that is no failure."""
    with bench(tmp_path) as cloud:
        cloud.collect(["port"])
        cloud.fault("status", service="network", path="/ports", status=400, times=1, skip=0)
        ended = cloud.collect(["port"], full=False)
        assert ended["types"]["port"]["state"] == "done"
        assert ended["types"]["port"]["kind"] == "full"
        assert cloud.state("port")["state"] == "ok"


def test_a_broken_delta_is_followed_by_a_whole_listing(tmp_path: Path) -> None:
    with bench(tmp_path) as cloud:
        cloud.collect(["server"])
        cloud.fault("status", service="compute", path="/servers/detail", status=500)
        assert cloud.collect(["server"], full=False)["types"]["server"]["state"] == "failed"
        cloud.repair()
        assert cloud.collect(["server"], full=False)["types"]["server"]["kind"] == "full"
        assert cloud.collect(["server"], full=False)["types"]["server"]["kind"] == "delta"


def test_a_deleted_server_is_closed_by_a_delta(tmp_path: Path) -> None:
    with bench(tmp_path) as cloud:
        cloud.collect(["server", "volume"])
        gone = _delete(cloud, "server")
        ended = cloud.collect(["server"], full=False)
        assert ended["types"]["server"]["gone"] == 1
        assert gone not in cloud.current("server")


def _delete(cloud: Bench, type: str) -> str:
    """Delete one server through the API, as its administrator."""
    import json
    import urllib.request

    from engine.clouds import entries
    from engine.clouds.session import CloudSession

    session = CloudSession(entries.find("demo", cloud.demo.clouds_yaml))
    session.login()
    url = session.endpoint("compute", "RegionOne").url
    listed = json.loads(session.get(f"{url}/servers/detail?all_tenants=1&status=ACTIVE").body)["servers"]
    id = next(row["id"] for row in listed if not row["OS-EXT-STS:task_state"] and not row.get("locked"))
    request = urllib.request.Request(f"{url}/servers/{id}", method="DELETE")
    request.add_header("X-Auth-Token", session._access().auth_token)
    urllib.request.urlopen(request)
    cloud.demo.advance(120)
    return id
