"""What the tests of restores ask of either cloud: machines on given volumes and ports, and waiting for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from tests.contract.wire import Actor, wait_for
from tests.live.projects import Project

COMPUTE, STORAGE = "2.100", "3.71"
Document = dict[str, Any]


def image_of(tenant: Project) -> Document:
    """The smallest image that boots."""
    images = [row for row in tenant.member.get("image", "/v2/images?limit=100")["images"] if row["status"] == "active"]
    return dict(min(images, key=lambda row: (row["min_disk"], row["min_ram"], row["name"])))


def flavor_of(tenant: Project) -> Document:
    """The smallest flavor with a disk."""
    flavors = tenant.member.get("compute", "/flavors/detail", COMPUTE)["flavors"]
    return dict(min((row for row in flavors if row["disk"] >= 1), key=lambda row: (row["ram"], row["disk"])))


def root_of(tenant: Project, name: str = "root", **more: Any) -> Document:
    """A volume to boot from."""
    image = image_of(tenant)
    return tenant.volume(name, max(1, image["min_disk"]), imageRef=image["id"], **more)


def port_of(tenant: Project, actor: Actor | None = None, **more: Any) -> Document:
    """A port on the project's network, made by its member or by somebody else."""
    body = {"port": {"network_id": tenant.network_id, **more}}
    answer = (actor or tenant.member)("network", "/v2.0/ports", "POST", json=body)
    assert answer.status_code == 201, answer.text
    port: Document = answer.json()["port"]
    return port


def disk(volume: Mapping[str, Any], boot: int = -1, **more: Any) -> Document:
    """A row of block_device_mapping_v2 for a volume that is there."""
    return {
        "boot_index": boot,
        "uuid": volume["id"],
        "source_type": "volume",
        "destination_type": "volume",
        **more,
    }


def boot(tenant: Project, name: str = "machine", actor: Actor | None = None, **more: Any) -> requests.Response:
    """POST /servers: of the smallest image without a card, unless `more` says otherwise."""
    hints = more.pop("hints", None)
    volumes = more.get("block_device_mapping_v2") or []
    local = not any(row["boot_index"] == 0 for row in volumes)
    body: Document = {
        "name": name,
        "imageRef": image_of(tenant)["id"] if local else "",
        "flavorRef": flavor_of(tenant)["id"],
        "networks": "none",
        **more,
    }
    document: Document = {"server": body}
    if hints:
        document["os:scheduler_hints"] = hints
    return (actor or tenant.member)("compute", "/servers", "POST", version=COMPUTE, json=document)


def booted(tenant: Project, name: str = "machine", status: str = "ACTIVE", **more: Any) -> Document:
    """A machine that has the status."""
    answer = boot(tenant, name, **more)
    assert answer.status_code == 202, answer.text
    return at_rest(tenant, answer.json()["server"]["id"], status)


def show(actor: Actor, id: str) -> Document:
    """The machine as somebody sees it."""
    server: Document = actor.get("compute", f"/servers/{id}", COMPUTE)["server"]
    return server


def at_rest(tenant: Project, id: str, status: str) -> Document:
    """The machine once it has the status and does nothing."""
    return dict(
        wait_for(
            lambda: show(tenant.member, id),
            # Of a machine that leaves its host the status is told a moment before the host is forgotten.
            lambda now: (
                now["status"] == status
                and now["OS-EXT-STS:task_state"] is None
                and not (status == "SHELVED_OFFLOADED" and now["hostId"])
            ),
            120,
        )
    )


def act(actor: Actor, id: str, action: str, value: Any = None, version: str = COMPUTE) -> requests.Response:
    """POST of an action."""
    return actor("compute", f"/servers/{id}/action", "POST", version=version, json={action: value})


def done(tenant: Project, id: str, action: str, status: str, value: Any = None) -> Document:
    """The machine after an action that the member may do."""
    answer = act(tenant.member, id, action, value)
    assert answer.status_code == 202, answer.text
    return at_rest(tenant, id, status)


def gone(tenant: Project, id: str) -> None:
    """Delete a machine and wait until it is gone."""
    assert tenant.member("compute", f"/servers/{id}", "DELETE", version=COMPUTE).status_code == 204
    wait_for(
        lambda: tenant.member("compute", f"/servers/{id}", version=COMPUTE).status_code, lambda now: now == 404, 60
    )


def volume_now(tenant: Project, id: str) -> Document:
    """The volume as the administrator sees it."""
    volume: Document = tenant.admin.get("block-storage", f"/volumes/{id}", STORAGE)["volume"]
    return volume


def volume_is(tenant: Project, id: str, status: str) -> Document:
    """The volume once it has the status."""
    return dict(wait_for(lambda: volume_now(tenant, id), lambda now: now["status"] == status, 60))


def port_now(tenant: Project, id: str) -> Document:
    """The port as the administrator sees it, with its binding."""
    port: Document = tenant.admin.get("network", f"/v2.0/ports/{id}")["port"]
    return port


def change_port(actor: Actor, id: str, **body: Any) -> requests.Response:
    """PUT of a port; a colon of a name is written as two underscores."""
    named = {name.replace("__", ":"): value for name, value in body.items()}
    return actor("network", f"/v2.0/ports/{id}", "PUT", json={"port": named})


def refused(answer: requests.Response) -> tuple[int, str]:
    """(status, words) of a refusal by Nova or Cinder, or (status, type) of one by Neutron."""
    document = answer.json()
    if "NeutronError" in document:
        return answer.status_code, str(document["NeutronError"]["type"])
    ((_, content),) = document.items()
    return answer.status_code, str(content["message"])
