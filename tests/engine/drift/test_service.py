"""Drift as people see it: states, filters, limits, counts, names, and what is one event's group."""

from __future__ import annotations

from typing import Any

import pytest

from engine.access.models import Caller
from engine.api.errors import BadRequest, NotFound
from engine.drift.models import EventFilter, Order
from store.estate.reading.models import Scope
from tests.engine.drift.place import ALICE, BOB, OF_D1, OF_P2, Place, action, at, machines
from tests.engine.inventory.reading import server

ID = server(1)["id"]


def test_an_event_says_what_happened_to_what(busy: Place) -> None:
    [event] = busy.events(types=("server",), field="status")
    assert event["description"] == "server web-1: status ACTIVE -> SHUTOFF"
    assert (event["severity"], event["state"], event["rule_id"], event["kind"]) == ("warning", "open", 2, "changed")
    assert event["key"] == ["prod", "one", ID] and event["owner_id"] == ID
    assert (event["project_name"], event["domain_id"], event["domain_name"]) == ("labs-dev", "d2", "labs")
    times = [event[name].isoformat() for name in ("seen_before", "detected_at", "seen_at")]
    assert times == [at(minutes).replace(tzinfo=None).isoformat() for minutes in (10, 20, 20.5)]


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["host", "name", "status"]),
    ({"severities": ("info",)}, ["host", "name"]),
    ({"severities": ("critical",)}, []),
    ({"types": ("servers",)}, ["host", "name", "status"]),
    ({"types": ("volume",)}, []),
    ({"clouds": ("prod",)}, ["host", "name", "status"]),
    ({"clouds": ("test",)}, []),
    ({"regions": ("one",)}, ["host", "name", "status"]),
    ({"projects": ("p2",)}, ["status"]),
    ({"projects": ("LABS-dev",)}, ["status"]),
    ({"domains": ("d1",)}, ["host", "name"]),
    ({"rules": (2, 102)}, ["name", "status"]),
    ({"field": "name"}, ["name"]),
    ({"id": ID}, ["status"]),
    ({"text": "SHUToff"}, ["status"]),
    ({"text": "cmp-9"}, ["host"]),
    ({"text": "acme"}, ["host", "name"]),
    ({"text": "%"}, []),
    ({"grades": ("not_asked",)}, ["host", "name", "status"]),
    ({"grades": ("cloud",)}, []),
    ({"flapping": False}, ["host", "name", "status"]),
    ({"flapping": True}, []),
    ({"acknowledged": True}, []),
    ({"since": at(20)}, ["host", "name", "status"]),
    ({"since": at(20.1)}, []),
    ({"until": at(20)}, []),
    ({"states": ("triage",), "severities": ("warning", "critical")}, ["status"]),
    ({"states": ("resolved",)}, []),
]


def test_filters(busy: Place) -> None:
    short = {"hypervisor_hostname": "host"}
    for wanted, names in FILTERS:
        found = sorted(short.get(one["field_changed"], one["field_changed"]) for one in busy.events(**wanted))
        assert found == names, wanted


def test_a_choice_that_is_none_is_refused(busy: Place) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"states": ("gone",)}, "state 'gone' is none of open"),
        ({"severities": ("bad",)}, "severity"),
        ({"grades": ("sure",)}, "grade"),
        ({"types": ("nothing",)}, "type"),
    ]
    for wanted, says in refused:
        with pytest.raises(BadRequest, match=says):
            busy.events(**wanted)


def test_order_and_pages(busy: Place) -> None:
    assert [one["severity"] for one in busy.events(order=Order("severity"))] == ["warning", "info", "info"]
    names = [one["resource_name"] for one in busy.events(order=Order("resource_name", False))]
    assert names == ["db", "db", "web-1"]
    found = [busy.service.page(ALICE, EventFilter(), Order("rule_id", False), 1, offset) for offset in range(3)]
    assert [(total, rows[0]["rule_id"]) for total, rows in found] == [(3, 2), (3, 4), (3, 102)]


def test_what_goes_back_waits_to_be_seen_when_it_matters(busy: Place) -> None:
    busy.listed("server", machines(), 30)
    assert busy.told() == [
        ("db", "hypervisor_hostname", "resolved"),
        ("db", "name", "resolved"),
        ("web-1", "status", "resolved_unseen"),
    ]
    [event] = busy.events(states=("triage",))
    found, _ = busy.service.choose(ALICE, [event["id"]], None)
    assert busy.decisions.acknowledge(ALICE, found, "seen", None)[0] == 1
    assert busy.events(states=("triage",)) == []
    assert busy.told(states=("acknowledged",)) == [("web-1", "status", "acknowledged")]


def test_flapping_is_one_event_with_a_count(busy: Place) -> None:
    for minutes, status in ((30, "ACTIVE"), (40, "SHUTOFF"), (50, "ACTIVE"), (60, "SHUTOFF")):
        busy.listed("server", machines({"status": status}), minutes)
    [event] = busy.events(field="status")
    assert (event["count"], event["flapping"], event["state"]) == (3, True, "open")
    assert [one["id"] for one in busy.events(flapping=True)] == [event["id"]]
    assert busy.service.summary(ALICE)["flapping"] == 1


def test_a_limited_role_sees_events_of_its_projects_only(busy: Place) -> None:
    assert busy.told(OF_P2) == [("web-1", "status", "open")]
    assert busy.told(OF_D1) == [("db", "hypervisor_hostname", "open"), ("db", "name", "open")]
    assert busy.told(Caller("x", 1, role="operator", clouds=("test",))) == []
    assert busy.told(Caller("x", 1, role="operator", projects=())) == []
    assert busy.service.summary(OF_P2)["triage"] == {"critical": 0, "warning": 1, "info": 0, "total": 1}
    other = busy.events(field="name")[0]["id"]
    with pytest.raises(NotFound):
        busy.service.event(OF_P2, other)
    assert busy.service.choose(OF_P2, [other], None) == ([], [other])


def test_types_that_a_role_may_not_read_are_not_told(busy: Place) -> None:
    for minutes, cores in ((11, 10), (21, 20)):
        busy.listed("quota", [{"project_id": "p1", "limits": {"compute": {"cores": cores}}}], minutes)
    told = busy.events(types=("quota",))
    assert [one["field_changed"] for one in told] == ["cores_limit"]
    assert busy.events(Caller("tech", 1, role="technical"), types=("quota",)) == []


def test_counts(busy: Place) -> None:
    summary = busy.service.summary(BOB)
    assert summary["triage"] == {"critical": 0, "warning": 1, "info": 2, "total": 3}
    assert summary["by_state"]["open"]["total"] == 3 and summary["by_state"]["resolved"]["total"] == 0
    assert [(one["key"], one["counts"]["total"]) for one in summary["by_type"]] == [("server", 3)]
    assert [(one["name"], one["counts"]["total"]) for one in summary["by_project"]] == [
        ("labs-dev", 1), ("acme-prod", 2)
    ]  # fmt: skip
    assert {one["key"]: one["counts"]["total"] for one in summary["by_rule"]} == {"2": 1, "4": 1, "102": 1}
    assert [(one["key"], one["counts"]["total"]) for one in summary["by_cloud"]] == [("prod", 3)]
    assert summary["not_asked"] == 3
    documented = busy.service.documented_summary(BOB, Scope())
    assert (documented["total"], documented["unacknowledged"]) == (3, 3)
    assert documented["by_resource_type"] == {"server": 3}
    assert documented["days"][-1] == {"date": "2026-11-20", "critical": 0, "warning": 1, "info": 2, "total": 3}
    assert len(documented["days"]) == 7
    assert busy.service.open_by_project(Scope()) == {("prod", "p2"): {"warning": 1}, ("prod", "p1"): {"info": 2}}
    assert busy.service.open_by_project(Scope(projects=("p2",))) == {("prod", "p2"): {"warning": 1}}
    assert busy.service.open_by_project(Scope(), at(25)) == {}


def test_ids_in_values_have_names(place: Place) -> None:
    place.people()
    place.listed("server", machines(), 1)
    volume = {"id": "v1", "name": "data", "status": "in-use", "size": 1, "os-vol-tenant-attr:tenant_id": "p2"}
    place.listed("volume", [{**volume, "attachments": [{"server_id": ID}]}], 2)
    place.listed("volume", [{**volume, "attachments": [], "status": "available"}], 3)
    [event] = place.events(field="server_id")
    assert (event["old_value"], event["old_name"], event["new_value"], event["new_name"]) == (ID, "web-1", None, None)
    assert event["description"] == "volume data: server id web-1 -> none"
    assert event["owner_id"] == ID and event["severity"] == "critical"


def test_what_one_action_did_is_one_group(busy: Place) -> None:
    volume = {"id": "v1", "name": "data", "status": "in-use", "size": 1, "attachments": [{"server_id": ID}],
              "os-vol-tenant-attr:tenant_id": "p2"}  # fmt: skip
    busy.listed("volume", [volume], 21)
    busy.nova.said[ID] = [action("stop", 15), action("delete", 25)]
    busy.listed("server", machines(count=4)[1:], 30)
    busy.listed("volume", [{**volume, "status": "available", "attachments": []}], 31)
    busy.room.asker.work()
    of_delete = busy.events(id=ID, since=at(25))
    assert {one["request_id"] for one in of_delete} == {"req-delete-25"}
    [head] = {one["group"] for one in of_delete}
    assert {one["id"]: one["field_changed"] for one in of_delete}[head] == "existence"
    assert [one["group"] for one in busy.events(field="name")] == [None]


def test_one_event_with_all_that_is_known(busy: Place) -> None:
    [event] = busy.events(field="name")
    detail = busy.service.event(ALICE, event["id"])
    assert detail["rule"]["name"] == "Server Renamed" and detail["grade"] == "unknown"
    assert detail["created_by"] == "root", "who made it is known, who renamed it is not"
    assert [one["field_changed"] for one in detail["related"]] == ["hypervisor_hostname"]
    assert detail["acks"] == [] and detail["problem"] is None
    with pytest.raises(NotFound):
        busy.service.event(ALICE, 1)


def test_a_move_is_told_to_clients(busy: Place) -> None:
    before = busy.service.version
    busy.minutes += 1
    found, _ = busy.service.choose(ALICE, None, EventFilter(field="name"))
    busy.decisions.acknowledge(ALICE, found, "", at(busy.minutes + 5))
    assert busy.service.version == before + 1
    busy.listed("server", machines(), 40)
    assert busy.service.version > before + 1
