"""Nothing is deleted, and nothing changes, because a listing failed, broke off, or could see less."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.inventory.collecting import Bench, bench


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A cloud collected whole once, in pages of ten."""
    with bench(tmp_path_factory.mktemp("guards"), page=10) as made:
        assert made.collect()["state"] == "done"
        yield made


@pytest.fixture
def cloud(collected: Bench) -> Iterator[Bench]:
    """The same without faults; afterwards the store is as the cloud is again."""
    collected.touched.clear()
    yield collected
    collected.repair()
    assert not collected.touched or collected.collect(sorted(collected.touched))["state"] == "done"


BROKEN: list[tuple[str, dict[str, Any], str, set[str]]] = [
    ("status", {"status": 500}, "500", {"failed"}),
    ("status", {"status": 503}, "503", {"failed"}),
    ("malformed", {}, "not JSON", {"failed"}),
    ("truncate", {}, "broke the connection off", {"failed"}),
    ("reset", {}, "broke the connection off", {"failed"}),
    ("half", {}, "500", {"partial"}),
]


@pytest.mark.parametrize(("kind", "rule", "reason", "states"), BROKEN, ids=[f"{b[0]}-{b[2]}" for b in BROKEN])
@pytest.mark.parametrize(
    ("service", "path", "type"),
    [("compute", "/servers/detail", "server"), ("network", "/ports", "port"), ("volume", "/volumes/detail", "volume")],
)
def test_a_listing_that_fails_or_breaks_off_changes_nothing(
    cloud: Bench, kind: str, rule: dict[str, Any], reason: str, states: set[str], service: str, path: str, type: str
) -> None:
    before = cloud.everything()
    cloud.fault(kind, service=service, path=path, **rule)
    ended = cloud.collect([type, "flavor"])
    assert ended["types"][type]["state"] in states
    assert reason in ended["types"][type]["error"]
    assert ended["types"]["flavor"]["state"] == "done"
    assert ended["state"] == "partial"
    assert cloud.everything() == before
    assert cloud.state(type)["state"] in states


def test_every_service_down_but_identity(cloud: Bench) -> None:
    before = cloud.everything()
    for service in ("compute", "volume", "network", "image"):
        cloud.fault("status", service=service, status=503)
    ended = cloud.collect()
    assert ended["state"] == "partial"
    assert {ended["types"][name]["state"] for name in ("server", "volume", "port", "image")} == {"failed"}
    assert {ended["types"][name]["state"] for name in ("project", "user", "role")} == {"done"}
    assert cloud.everything() == before


def test_nobody_can_log_in(cloud: Bench) -> None:
    before = cloud.everything()
    cloud.fault("status", service="identity", path="/auth/tokens", method="POST", status=401)
    ended = cloud.collect()
    assert ended["state"] == "failed"
    assert "refused the login" in ended["error"]
    assert cloud.everything() == before
    assert cloud.state("server")["state"] == "failed"
    assert cloud.clouds.cloud("demo")["state"] == "failed"


@pytest.mark.parametrize("full", [True, False], ids=["full", "delta"])
def test_a_down_cell_keeps_its_servers(cloud: Bench, full: bool) -> None:
    """Whether its servers are shown bare, or left out in silence."""
    cloud.collect(["server", "compute_service"])
    before = cloud.everything()
    cloud.fault("down_cell", share=0.5)
    ended = cloud.collect(["server", "compute_service"], full=full)
    assert ended["types"]["server"]["kind"] == ("full" if full else "delta")
    assert {row["state"] for row in ended["types"].values()} == {"degraded"}
    assert "does not answer" in ended["types"]["server"]["error"]
    assert cloud.everything() == before
    state = cloud.state("server")
    assert state["state"] == "degraded"
    assert "does not answer" in state["reason"]
    cloud.repair()
    assert cloud.collect(["server", "compute_service"], full=False)["state"] == "done"
    assert cloud.state("server")["state"] == "ok"
    assert cloud.everything() == before


def test_a_service_missing_from_the_catalog(cloud: Bench) -> None:
    changed = ("endpoint", "quota")  # the cloud's own list of endpoints, and quotas of one service less
    before = cloud.everything(*changed)
    cloud.fault("missing_service", service="volume")
    ended = cloud.collect()
    assert ended["types"]["volume"]["state"] == "not_permitted"
    assert "catalog" in ended["types"]["volume"]["error"]
    assert ended["types"]["server"]["state"] == "done"
    assert cloud.everything(*changed) == before


def test_the_token_ends_in_the_middle_of_a_listing(cloud: Bench) -> None:
    before = cloud.everything()
    cloud.fault("expire_token", service="network", path="/ports", skip=1, times=1)
    ended = cloud.collect(["port"])
    assert ended["types"]["port"]["state"] == "done"
    assert cloud.everything() == before


def test_a_rate_limit_is_waited_for(cloud: Bench) -> None:
    before = cloud.everything()
    cloud.fault("rate_limit", service="compute", path="/servers/detail", seconds=1, times=1)
    ended = cloud.collect(["server"])
    assert ended["types"]["server"]["state"] == "done"
    assert ended["types"]["server"]["seconds"] >= 1
    assert cloud.everything() == before


def test_role_assignments_are_read_without_names_where_names_fail(cloud: Bench) -> None:
    before = set(cloud.current("role_assignment"))
    cloud.fault("status", service="identity", path="/role_assignments", status=500, times=3)
    ended = cloud.collect(["role_assignment"])
    assert ended["types"]["role_assignment"]["state"] == "done"
    assert set(cloud.current("role_assignment")) == before


@pytest.mark.parametrize("kind", ["extra_fields", "hostile", "big_metadata", "nulls"])
def test_odd_rows_never_stop_a_collection_and_never_delete(cloud: Bench, kind: str) -> None:
    ids = {type: set(cloud.current(type)) for type in ("server", "volume", "port", "network", "image")}
    cloud.fault(kind)
    ended = cloud.collect(list(ids))
    assert ended["state"] in ("done", "partial"), ended
    assert {type: set(cloud.current(type)) for type in ids} == ids


def test_a_role_taken_away_and_given_back(cloud: Bench) -> None:
    role = {"user": "admin", "role": "admin", "project": "admin"}
    cloud.demo.call("POST", "/roles", {"action": "grant", **role, "role": "member"})
    cloud.collect(["role_assignment"])
    before = cloud.everything()
    cloud.demo.call("POST", "/roles", {"action": "revoke", **role})
    try:
        for _ in range(2):
            lost = cloud.collect()
            assert lost["types"]["hypervisor"]["state"] == "not_permitted"
            assert lost["types"]["port"]["rows"] < len(cloud.current("port"))
            assert cloud.everything() == before
    finally:
        cloud.demo.call("POST", "/roles", {"action": "grant", **role})
    back = cloud.collect()
    assert back["state"] == "done", back
    assert cloud.everything() == before


def test_a_role_taken_away_while_a_list_is_read(cloud: Bench) -> None:
    """The token lives on with less: Cinder filters the second half in silence."""
    before = cloud.everything()
    role = {"user": "admin", "role": "admin", "project": "admin"}
    cloud.demo.call("POST", "/roles", {"action": "grant", **role, "role": "member"})
    cloud.fault("slow", service="volume", path="/volumes/detail", seconds=0.4)
    (started,) = cloud.collections.start(clouds=["demo"], types=["volume"], full=True)
    _until_rows(cloud, started["id"])
    cloud.demo.call("POST", "/roles", {"action": "revoke", **role})
    try:
        ended = cloud.collections.wait(started["id"], 30)
        (row,) = ended["types"]
        assert row["state"] in ("partial", "failed"), row
        assert cloud.everything() == before
    finally:
        cloud.demo.call("POST", "/roles", {"action": "grant", **role})


def _until_rows(cloud: Bench, id: str) -> None:
    import time

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        types = cloud.collections.get(id)["types"]
        if types and types[0]["rows"]:
            return
        time.sleep(0.01)
    raise AssertionError("no rows came")
