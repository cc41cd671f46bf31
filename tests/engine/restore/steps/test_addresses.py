"""Addresses, MACs and floating IPs go over, whatever Neutron has against it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.restore.records import Records
from engine.restore.steps.addresses import spare_mac
from tests.engine.restore.steps import scenes_machines as scenes
from tests.engine.restore.steps.scenes_machines import Scene


def _moved(scene: Scene) -> Scene:
    wanted = ("STOP_OLD_MACHINE", "PARK_OLD_MACHINE", "MOVE_ADDRESSES")
    scene.job.run(*(name for name in wanted if name in scene.does))
    return scene


def test_the_old_ports_have_no_address_and_another_mac(records: Records) -> None:
    scene = _moved(scenes.shelved(records))
    for nic in scene.job.plan.nics:
        port = scene.cloud.ports[nic.port_id]
        assert port["mac_address"] == spare_mac(scene.job.plan.id, nic, 0) and port["device_id"] == scene.server
        # What Neutron makes of the MAC is all that is left.
        assert all(one["ip_address"].startswith("fd00::") for one in port["fixed_ips"])
    assert [one["port_id"] for one in scene.cloud.floatings.values()] == [None]


def test_the_ports_of_a_stopped_machine_are_bound_again(records: Records) -> None:
    scene = _moved(scenes.stopped(records))
    for nic in scene.job.plan.nics:
        port = scene.cloud.ports[nic.port_id]
        assert (port["device_id"], port["device_owner"], port["binding:host_id"]) == (
            scene.server, "compute:az1", scenes.OLD_HOST)  # fmt: skip


def test_the_ports_of_a_dead_host_are_bound_nowhere(records: Records) -> None:
    scene = _moved(scenes.dead(records))
    for nic in scene.job.plan.nics:
        port = scene.cloud.ports[nic.port_id]
        assert (port["device_id"], port["binding:host_id"]) == (scene.server, "")
    scene.job.run("UNDO_ADDRESSES")
    assert {port["binding:host_id"] for port in scene.cloud.ports.values()} == {scenes.OLD_HOST}


def test_a_spare_mac_that_somebody_has_is_not_taken(records: Records) -> None:
    scene = scenes.shelved(records)
    nic = scene.job.plan.nics[0]
    taken = spare_mac(scene.job.plan.id, nic, 0)
    scene.cloud.ports["other"] = {**scene.cloud.ports[nic.port_id], "id": "other", "mac_address": taken,
                                  "fixed_ips": [], "device_id": "x"}  # fmt: skip
    _moved(scene)
    assert scene.cloud.ports[nic.port_id]["mac_address"] == spare_mac(scene.job.plan.id, nic, 1)


def test_only_what_the_new_machine_gets_is_given_up(records: Records) -> None:
    scene = scenes.shelved(records)
    first, second = scene.job.plan.nics
    scene.job.plan = replace(scene.job.plan, nics=(first, replace(second, keep_mac=False, wanted=())))
    before = dict(scene.cloud.ports[second.port_id])
    _moved(scene)
    now = scene.cloud.ports[second.port_id]
    assert (now["mac_address"], now["fixed_ips"]) == (before["mac_address"], before["fixed_ips"])


def test_a_port_that_somebody_deleted(records: Records) -> None:
    scene = scenes.shelved(records)
    del scene.cloud.ports[scene.job.plan.nics[1].port_id]
    scene.job.run("STOP_OLD_MACHINE", "PARK_OLD_MACHINE")
    assert "is gone: somebody deleted it" in scene.job.attempt("MOVE_ADDRESSES")
    # The first one gets its own back all the same, and what could not be is said.
    said = scene.job.attempt("UNDO_ADDRESSES")
    assert said.startswith("1 ports of web have their addresses; 10.1.0.5, 10.1.0.6: ")


def test_floating_ips_point_at_the_same_address_of_the_new_machine(records: Records) -> None:
    scene = scenes.shelved(records)
    scene.job.run(*scene.before_commit)
    (floating,) = scene.cloud.floatings.values()
    assert scene.cloud.ports[floating["port_id"]]["device_id"] == scene.new["id"]
    assert floating["fixed_ip_address"] == "10.0.0.5"


def test_with_another_address_at_that(records: Records) -> None:
    scene = scenes.other_addresses(records)
    scene.job.run(*scene.before_commit)
    (floating,) = scene.cloud.floatings.values()
    port = scene.cloud.ports[floating["port_id"]]
    assert port["device_id"] == scene.new["id"]
    assert floating["fixed_ip_address"] == port["fixed_ips"][0]["ip_address"] != "10.0.0.5"


@pytest.mark.parametrize("step", ["MOVE_FLOATING_IPS", "UNDO_FLOATING_IPS"])
def test_a_floating_ip_that_somebody_pointed_elsewhere_stays_there(records: Records, step: str) -> None:
    scene = scenes.shelved(records)
    scene.job.run(*scene.before_commit[:-2])
    (floating,) = scene.cloud.floatings.values()
    floating |= {"port_id": "theirs", "fixed_ip_address": "10.9.9.9"}
    result = scene.job.step(step)
    assert "was pointed at another port meanwhile, and is left there" in result.detail
    assert floating["port_id"] == "theirs"


def test_a_floating_ip_that_is_gone_is_said(records: Records) -> None:
    scene = scenes.shelved(records)
    scene.job.run(*scene.before_commit[:-2])
    scene.cloud.floatings.clear()
    assert "198.51.100.7 is gone" in scene.job.step("MOVE_FLOATING_IPS").detail
