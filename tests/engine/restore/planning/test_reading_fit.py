"""Quotas, and hosts by Placement, services, zones and server groups."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.restore.models import Machine, Request
from engine.restore.planning import reading_fit as fit
from tests.engine.restore.planning.clouds import Cloud, refused

SMALL = {"name": "m1", "vcpus": 2, "ram": 1024, "disk": 5, "ephemeral": 1, "swap": 512, "extra_specs": {}}
OPEN = "!COMPUTE_STATUS_DISABLED"


def machine(host: str = "c1", **more: Any) -> Machine:
    return Machine(("east", "r1", "m1"), "web-1", "p1", host=host, flavor=SMALL, **more)


def service(host: str, state: str = "up", status: str = "enabled", zone: str = "nova") -> dict[str, Any]:
    return {"host": host, "state": state, "status": status, "zone": zone, "binary": "nova-compute"}


# Quotas


def test_quotas_are_told_alike_of_all_services() -> None:
    cloud = Cloud()
    entry = {"limit": 10, "in_use": 3, "reserved": 1}
    cloud.put("compute", "/os-quota-sets/p1/detail", {"quota_set": {"id": "p1", "instances": entry}})
    cloud.put("block-storage", "/os-quota-sets/p1", {"quota_set": {"gigabytes_fast": entry}})
    cloud.put("network", "/quotas/p1/details", {"quota": {"port": {"limit": -1, "used": 5, "reserved": 0}}})
    found = {name: one.result() for name, one in fit.quotas(cloud.asking(), "p1").items()}
    assert found == {
        "compute": {"instances": entry},
        "storage": {"gigabytes_fast": entry},
        "network": {"port": {"limit": -1, "in_use": 5, "reserved": 0}},
    }


def test_a_quota_that_cannot_be_read_is_a_sentence() -> None:
    cloud = Cloud()
    cloud.put("compute", "/os-quota-sets/p1/detail", refused())
    found = fit.quotas(cloud.asking(), "p1")["compute"].result()
    assert isinstance(found, str)
    assert "403" in found


# Placement


@pytest.mark.parametrize(
    ("specs", "boot", "asked", "required"),
    [
        ({}, "image", "VCPU:2,MEMORY_MB:1024,DISK_GB:7", OPEN),
        # A root that is a volume takes nothing of the host's disk; ephemeral and swap do.
        ({}, "volume", "VCPU:2,MEMORY_MB:1024,DISK_GB:2", OPEN),
        ({"hw:cpu_policy": "dedicated"}, "volume", "PCPU:2,MEMORY_MB:1024,DISK_GB:2", OPEN),
        ({"resources:VCPU": "0", "resources:CUSTOM_X": "1"}, "volume", "MEMORY_MB:1024,DISK_GB:2,CUSTOM_X:1", OPEN),
        ({"trait:HW_X": "required", "trait:HW_Y": "forbidden"}, "volume", "VCPU:2,MEMORY_MB:1024,DISK_GB:2",
         f"{OPEN},HW_X,!HW_Y"),
        ({"resources:bad name": "1", "trait:a b": "required"}, "volume", "VCPU:2,MEMORY_MB:1024,DISK_GB:2", OPEN),
    ],
)  # fmt: skip
def test_placement_is_asked_for_what_the_flavor_takes(specs: Any, boot: Any, asked: str, required: str) -> None:
    found = dict(fit.resources({**SMALL, "extra_specs": specs}, boot) or [])
    assert (found["resources"], found["required"]) == (asked, required)


@pytest.mark.parametrize("key", ["resources1:VGPU", "resources_GPU:VGPU", "trait1:X", "group_policy", "accel:x"])
def test_what_placement_cannot_be_asked_so_is_not_asked(key: str) -> None:
    assert fit.resources({**SMALL, "extra_specs": {key: "1"}}, "image") is None


def test_a_flavor_that_is_not_known_is_not_asked_for() -> None:
    assert fit.resources({}, "image") is None


def test_candidates_are_counted_by_host() -> None:
    cloud = Cloud()
    requests = [
        {"allocations": {"a": {}}}, {"allocations": {"b1": {}, "b": {}}}, {"allocations": {"b2": {}, "b": {}}}, {}, "x",
    ]  # fmt: skip
    summaries = {"a": {"root_provider_uuid": "a"}, "b": {"root_provider_uuid": "b"}, "b1": {"root_provider_uuid": "b"},
                 "b2": {"root_provider_uuid": "b"}}  # fmt: skip
    answer = {"allocation_requests": requests, "provider_summaries": summaries}
    cloud.put("placement", "/allocation_candidates", answer)
    assert fit.candidates(cloud.asking(), []) == ["a", "b"]


NAMES = {"a": "c1", "b": "c2.example.com", "c": "c3"}


@pytest.mark.parametrize(
    ("providers", "hosts"),
    [
        (["a", "b"], {"c1", "c2"}),
        ([], set()),
        # One that nobody knows by name, such as a bare metal node: then nothing is known.
        (["a", "x"], None),
        (["a", "c"], None),
    ],
)
def test_providers_are_hosts_by_their_names(providers: list[str], hosts: set[str] | None) -> None:
    found = fit.named(providers, NAMES, [service("c1"), service("c2")])
    assert found == (None if hosts is None else frozenset(hosts))


# Hosts

SERVICES = [service("c1"), service("c2"), service("c3", zone="b"), service("c4", "down"), service("c5", "up", "off")]
ALL = frozenset({"c1", "c2", "c3", "c4", "c5"})
APART = {"id": "g", "policy": "anti-affinity", "rules": {}, "members": ["m1", "m2"]}
TOGETHER = {"id": "g", "policies": ["affinity"], "members": ["m1", "m2"]}


@pytest.mark.parametrize(
    ("group", "known", "zone", "expected"),
    [
        # Placement does not know which hosts are down; the services do.
        (None, fit.Fitting(SERVICES, ALL, 5), "", (3, None, None)),
        (None, fit.Fitting(None, None, 5), "", (5, None, None)),
        (None, fit.Fitting(SERVICES, None, None), "", (None, None, None)),
        (None, fit.Fitting(SERVICES, ALL, 5), "b", (1, None, None)),
        (APART, fit.Fitting(SERVICES, ALL, 5, {"c2": 1}), "", (3, 2, 1)),
        (APART, fit.Fitting(SERVICES, ALL, 5, {"c2": 1, "c3": 1}), "", (3, 1, 0)),
        # Its own host is full now, and has room when the machine gives its own up.
        (APART, fit.Fitting(SERVICES, frozenset({"c2"}), 1, {"c2": 1}), "", (1, 1, 0)),
        ({**APART, "rules": {"max_server_per_host": 2}}, fit.Fitting(SERVICES, ALL, 5, {"c2": 1}), "", (3, 3, 3)),
        (TOGETHER, fit.Fitting(SERVICES, ALL, 5, {"c1": 1}), "", (3, 1, 1)),
        (TOGETHER, fit.Fitting(SERVICES, frozenset({"c2"}), 1, {}), "", (1, 2, 0)),
        ({**APART, "policy": "soft-anti-affinity"}, fit.Fitting(SERVICES, ALL, 5, {"c2": 1}), "", (3, None, None)),
        # Where the members are is not known: nothing is said of the group.
        (APART, fit.Fitting(SERVICES, ALL, 5, None), "", (3, None, None)),
        (APART, fit.Fitting(None, None, None, {"c2": 1}), "", (None, None, None)),
    ],
)
def test_hosts_that_are_left(group: Any, known: fit.Fitting, zone: str, expected: Any) -> None:
    found = fit.hosts_of(machine(), group, known, zone)
    assert (found.candidates, found.parked, found.beside) == expected


@given(
    st.sets(st.sampled_from(sorted(ALL))), st.dictionaries(st.sampled_from(sorted(ALL)), st.integers(1, 3)),
    st.sampled_from([APART, TOGETHER]), st.sampled_from(["", *sorted(ALL)]),
)  # fmt: skip
def test_giving_a_host_up_never_leaves_fewer_hosts(
    able: set[str], taken: dict[str, int], group: Any, host: str
) -> None:
    if group is TOGETHER and host:
        taken = {host: 1} if taken else {}  # members of such a group are on one host
    found = fit.hosts_of(machine(host), group, fit.Fitting(SERVICES, frozenset(able), len(able), taken))
    assert found.parked is not None
    assert found.beside is not None
    assert found.parked >= found.beside >= 0


def test_the_zone_is_the_one_that_a_successor_is_pinned_to() -> None:
    asked = Request("p1", "m1", zone=True)
    assert fit.zone_of(machine(zone="z"), Request("p1", "m1")) == ""
    assert fit.zone_of(machine(zone="z"), asked) == "z"
    assert fit.zone_of(machine(zone="z", pinned_zone="y"), asked) == "y"


def test_a_full_group_is_found_full_from_the_clouds_answers() -> None:
    cloud = Cloud()
    cloud.put("compute", "/os-services", {"services": [service("c1"), service("c2")]})
    cloud.put("placement", "/resource_providers", {"resource_providers": [
        {"uuid": "a", "name": "c1"}, {"uuid": "b", "name": "c2"}]})  # fmt: skip
    cloud.put("placement", "/allocation_candidates", {"allocation_requests": [
        {"allocations": {"a": {}}}, {"allocations": {"b": {}}}]})  # fmt: skip
    cloud.put("compute", "/os-server-groups/g", {"server_group": APART})
    cloud.put("compute", "/servers/m2", {"server": {"OS-EXT-SRV-ATTR:host": "c2"}})
    found = fit.hosts_now(cloud.asking(), machine(group_id="g"), "")
    assert (found.candidates, found.parked, found.beside) == (2, 1, 0)


@pytest.mark.parametrize(("path", "answer"), [("/servers/m2", refused()), ("/servers/m2", {"server": {"id": "m2"}})])
def test_a_member_whose_host_is_not_told_makes_nothing_up(path: str, answer: Any) -> None:
    cloud = Cloud()
    cloud.put("compute", "/os-services", {"services": [service("c1")]})
    cloud.put("compute", "/os-server-groups/g", {"server_group": APART})
    cloud.put("compute", path, answer)
    found = fit.hosts_now(cloud.asking(), machine(group_id="g"), "")
    assert (found.candidates, found.parked, found.beside) == (None, None, None)


def test_a_member_that_is_gone_is_nowhere() -> None:
    cloud = Cloud()
    asked = fit.members(cloud.asking(), APART, "m1")
    assert fit.spread(asked) == {}
    assert fit.members(cloud.asking(), {"members": [str(n) for n in range(99)]}, "m1") is None
    assert fit.spread(None) is None


def test_to_a_member_the_cloud_has_no_hosts_to_count() -> None:
    cloud = Cloud(admin=False)
    cloud.put("compute", "/os-services", {"services": []})
    assert fit.hosts_now(cloud.asking(), machine(), "") == fit.Hosts()


def test_below_2_71_the_group_is_found_by_its_members() -> None:
    cloud = Cloud()
    cloud.put("compute", "/os-server-groups", {"server_groups": [{"id": "x", "members": []}, APART]})
    assert fit.group_of(cloud.asking(), {"id": "m1"}) == APART
    assert fit.group_of(cloud.asking(), {"id": "m1", "server_groups": []}) is None
