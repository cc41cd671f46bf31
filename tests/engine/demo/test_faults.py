"""Faults on demand: what each kind does to an answer, where it applies, how often."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from engine.demo import names
from engine.demo.faults import KINDS
from tests.engine.demo.harness import Wire

SERVERS = "/v2.1/servers/detail?all_tenants=1"


def test_a_status_in_the_services_own_words(own: Wire) -> None:
    own.cloud.faults.add({"kind": "status", "status": 503})
    assert own("compute", SERVERS).json == {"serviceUnavailable": {"code": 503, "message": "Service Unavailable"}}
    assert own("network", "/v2.0/ports").json["NeutronError"]["message"] == "Service Unavailable"
    assert own("image", "/v2/images").json["code"] == "503 Service Unavailable"
    assert own("identity", "/v3/projects").json["error"]["code"] == 503
    assert own.cloud.faults.remove(None) == 1
    assert own("compute", SERVERS).status == 200


def test_rate_limit_says_when_to_come_back(own: Wire) -> None:
    own.cloud.faults.add({"kind": "rate_limit", "service": "volume", "seconds": 3, "times": 1})
    answer = own("volume", "/volumes")
    assert (answer.status, answer.headers["retry-after"]) == (429, "3")
    assert own("volume", "/volumes").status == 200


@pytest.mark.parametrize(
    ("rule", "hit", "missed"),
    [
        ({"service": "compute"}, ("compute", SERVERS, "GET"), ("volume", "/volumes", "GET")),
        ({"path": "/servers"}, ("compute", SERVERS, "GET"), ("compute", "/v2.1/flavors", "GET")),
        ({"path": "/volumes"}, ("volume", "/volumes/detail", "GET"), ("volume", "/snapshots/detail", "GET")),
        ({"path": "/v2.0/ports"}, ("network", "/v2.0/ports", "GET"), ("network", "/v2.0/networks", "GET")),
        ({"method": "post"}, ("compute", "/v2.1/servers", "POST"), ("compute", SERVERS, "GET")),
    ],
)
def test_where_a_rule_applies(own: Wire, rule: dict[str, Any], hit: Any, missed: Any) -> None:
    own.cloud.faults.add({"kind": "status", "status": 500, **rule})
    assert own(hit[0], hit[1], method=hit[2], body={}).status == 500
    assert own(missed[0], missed[1], method=missed[2]).status == 200


def test_skip_and_times(own: Wire) -> None:
    own.cloud.faults.add({"kind": "status", "status": 500, "skip": 2, "times": 2})
    assert [own("compute", SERVERS).status for _ in range(6)] == [200, 200, 500, 500, 200, 200]


def test_half_of_a_listing(own: Wire) -> None:
    own.cloud.faults.add({"kind": "half", "service": "network"})
    first = own("network", "/v2.0/ports?limit=2")
    assert first.status == 200
    marker = first.json["ports"][-1]["id"]
    assert own("network", f"/v2.0/ports?limit=2&marker={marker}").status == 500


@pytest.mark.parametrize("kind", ["hang", "reset", "truncate"])
def test_wrecks_are_marked_for_the_server(own: Wire, kind: str) -> None:
    own.cloud.faults.add({"kind": kind})
    assert own("compute", SERVERS).response.wreck == kind


def test_slow_and_latency_add_up(own: Wire) -> None:
    own.cloud.faults.latency = 0.2
    own.cloud.faults.add({"kind": "slow", "seconds": 1.5})
    assert own("compute", SERVERS).response.delay == pytest.approx(1.7)


def test_no_json(own: Wire) -> None:
    own.cloud.faults.add({"kind": "malformed"})
    answer = own("compute", SERVERS)
    assert answer.status == 200
    with pytest.raises(orjson.JSONDecodeError):
        _ = answer.json


def test_spoiled_rows(own: Wire) -> None:
    plain = own("compute", SERVERS).json["servers"]
    own.cloud.faults.add({"kind": "extra_fields", "times": 1})
    assert set(own("compute", SERVERS).json["servers"][0]) - set(plain[0]) == {"x-vendor:extra", "zz_new_field"}
    own.cloud.faults.add({"kind": "nulls", "times": 1})
    nulls = own("compute", SERVERS).json["servers"]
    assert [row["id"] for row in nulls] == [row["id"] for row in plain]
    assert {value for row in nulls for name, value in row.items() if name != "id"} == {None}
    own.cloud.faults.add({"kind": "hostile", "times": 1})
    assert own("compute", SERVERS).json["servers"][1]["name"] == names.HOSTILE[1]
    own.cloud.faults.add({"kind": "big_metadata", "times": 1, "path": "/servers"})
    big = own("compute", SERVERS)
    assert len(big.json["servers"][0]["metadata"]["blob"]) == 10 * 1024 * 1024
    # What is told wrong is not wrong in the cloud.
    assert own("compute", SERVERS).json["servers"] == plain


def test_a_cell_that_does_not_answer(own: Wire) -> None:
    whole = {row["id"] for row in own("compute", SERVERS).json["servers"]}
    own.cloud.faults.add({"kind": "down_cell", "share": 0.5})
    rows = own("compute", SERVERS).json["servers"]
    bare = [row for row in rows if row["status"] == "UNKNOWN"]
    assert 0 < len(bare) < len(rows) and {row["id"] for row in rows} == whole
    assert all(set(row) == {"id", "status", "tenant_id", "created", "links"} for row in bare)
    brief = own("compute", "/v2.1/servers?all_tenants=1").json["servers"]
    assert {row["id"] for row in brief if row.get("status") == "UNKNOWN"} == {row["id"] for row in bare}
    one = own("compute", f"/v2.1/servers/{bare[0]['id']}").json["server"]
    assert one == bare[0]
    assert own("compute", f"/v2.1/servers/{bare[0]['id']}", OpenStack_API_Version="compute 2.68").status == 404
    own.cloud.faults.remove(None)
    assert not [row for row in own("compute", SERVERS).json["servers"] if row["status"] == "UNKNOWN"]


@pytest.mark.parametrize(
    ("query", "version"),
    [
        ("", "2.68"),
        ("&limit=1000", "2.100"),
        ("&sort_key=uuid", "2.100"),
        ("&name=.", "2.100"),
        ("&deleted=0", "2.100"),
        ("&changes-since=2020-01-01T00:00:00Z", "2.100"),
    ],
)
def test_most_lists_leave_out_a_cell_that_does_not_answer(own: Wire, query: str, version: str) -> None:
    def listed() -> set[str]:
        answer = own("compute", SERVERS + query, OpenStack_API_Version=f"compute {version}")
        assert answer.status == 200
        return {row["id"] for row in answer.json["servers"]}

    whole = listed()
    own.cloud.faults.add({"kind": "down_cell", "share": 0.5})
    down = own.cloud.state.down_servers
    assert down & whole and listed() == whole - down


def test_a_members_list_names_what_is_in_a_cell_that_does_not_answer(own: Wire) -> None:
    own.cloud.faults.add({"kind": "down_cell", "share": 1.0})
    rows = own("compute", "/v2.1/servers/detail", "member").json["servers"]
    down = own.cloud.state.down_servers & {row["id"] for row in rows}
    assert down and {row["status"] for row in rows if row["id"] in down} == {"UNKNOWN"}
    paged = own("compute", "/v2.1/servers/detail?limit=50", "member").json["servers"]
    assert {row["id"] for row in paged} == {row["id"] for row in rows} - down


def test_services_of_a_cell_that_does_not_answer(own: Wire) -> None:
    def services(version: str, query: str = "") -> list[dict[str, Any]]:
        target = f"/v2.1/os-services{query}"
        return own("compute", target, OpenStack_API_Version=f"compute {version}").json["services"]

    whole = services("2.100")
    own.cloud.faults.add({"kind": "down_cell", "share": 0.5})
    unknown = [row for row in services("2.100") if row["status"] == "UNKNOWN"]
    assert unknown and all(set(row) == {"binary", "host", "status"} for row in unknown)
    assert len(services("2.100")) == len(whole)
    assert len(services("2.68")) == len(whole) - len(unknown)
    assert not [row for row in services("2.100", "?binary=nova-compute") if row["status"] == "UNKNOWN"]
    assert own("compute", "/v2.1/os-hypervisors/detail").status == 500


def test_a_token_that_ends_in_the_middle(own: Wire) -> None:
    own.token("admin")
    own.cloud.faults.add({"kind": "expire_token", "service": "compute", "times": 1})
    assert own("compute", SERVERS).status == 200
    assert own("compute", SERVERS, None, X_Auth_Token=own.tokens["admin"].id).status == 401


def test_a_missing_service_is_in_no_catalogue(own: Wire) -> None:
    from engine.demo.control import Control

    control = Control(own.cloud)
    control.fault({"kind": "missing_service", "service": "volume"}, None)  # type: ignore[arg-type]
    token = own.cloud.identity.token_document(own.token("admin"))
    assert "block-storage" not in {service["type"] for service in token["catalog"]}
    assert own("volume", "/volumes").status == 404
    own.cloud.faults.remove(None)
    control._catalogue()
    token = own.cloud.identity.token_document(own.token("admin"))
    assert "block-storage" in {service["type"] for service in token["catalog"]}


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({}, "no fault of the kind"),
        ({"kind": "explode"}, "the kinds are"),
        ({"kind": "status", "service": "heat"}, "no service"),
        ({"kind": "missing_service"}, "needs the service"),
    ],
)
def test_rules_that_make_no_sense(own: Wire, rule: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        own.cloud.faults.add(rule)


def test_every_kind_is_tried_here() -> None:
    from pathlib import Path

    here = Path(__file__)
    text = "".join(file.read_text(encoding="utf-8") for file in (here, here.with_name("test_faults_of_changes.py")))
    assert all(f'"{kind}"' in text for kind in KINDS)


def test_a_fault_of_ours_is_a_500_not_a_broken_line(own: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*given: object) -> None:
        raise RuntimeError("a fault of the demo itself")

    monkeypatch.setattr(own.cloud.services["compute"], "handle", broken)
    answer = own("compute", SERVERS)
    assert answer.status == 500 and "computeFault" in answer.json
