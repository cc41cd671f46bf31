"""POST /servers: what is checked at once, and the machine that starts to build."""

from __future__ import annotations

from typing import Any

from engine.demo import compute_disks
from engine.demo.answers import Refusal
from engine.demo.compute_nics import Nic, nics, plug
from engine.demo.lifecycle import Lifecycle
from engine.demo.lifecycle_moves import allowed
from engine.demo.quotas import compute_usage
from engine.demo.records import Flavor, Image, Server, ServerGroup
from engine.demo.routing import Call, Version, check_types
from engine.demo.state import State

KEYS = {
    "name", "imageRef", "flavorRef", "networks", "metadata", "user_data", "key_name", "availability_zone",
    "config_drive", "security_groups", "block_device_mapping_v2", "block_device_mapping", "min_count",
    "max_count", "adminPass", "personality", "accessIPv4", "accessIPv6", "OS-DCF:diskConfig",
    "return_reservation_id",
}  # fmt: skip
LATER: dict[str, Version] = {
    "description": (2, 19), "tags": (2, 52), "trusted_image_certificates": (2, 63), "host": (2, 74),
    "hypervisor_hostname": (2, 74), "hostname": (2, 90),
}  # fmt: skip
TYPES: dict[str, type | tuple[type, ...]] = {
    "metadata": dict,
    "tags": list,
    "networks": (list, str),
    "security_groups": list,
    "block_device_mapping_v2": list,
    "user_data": str,
    "key_name": str,
    "availability_zone": str,
    "description": str,
    "hostname": str,
    "min_count": int,
    "max_count": int,
}
MOST_USER_DATA = 65535
ZONES = ("nova", "zone-b")
HINTS = ("os:scheduler_hints", "OS-SCH-HNT:scheduler_hints")


def create(state: State, lifecycle: Lifecycle, call: Call) -> Server:
    """The server in BUILD. Raises Refusal in Nova's words: 400, 403 (quota), 404, 409."""
    body = call.document("server")
    _check(body, call.version)
    flavor = state.flavors.get(str(body["flavorRef"]))
    if flavor is None:
        raise Refusal(400, f"Flavor {body['flavorRef']} could not be found.")
    image = _image(state, body, flavor)
    zone = _zone(body)
    group = _group(state, call)
    asked = nics(state, lifecycle, call, body)
    disks = compute_disks.asked(state, call, body, image)
    _quota(state, call, flavor.vcpus, flavor.ram, int(body.get("min_count") or 1))
    key = body.get("key_name")
    if key and not any(pair.name == key and pair.user == call.token.user.id for pair in state.keypairs):
        raise Refusal(400, "Invalid key_name provided.")
    server = _new(state, call, body, flavor, image, from_volume=any(disk.boot == 0 for disk in disks))
    server.pinned_zone, server.key = zone, key
    if group is not None:
        group.members.append(server.id)
        server.server_group = group.id
    state.servers.add(server)
    plug(state, lifecycle, call, server, asked)
    compute_disks.give(state, lifecycle, call, server, disks)
    host = body.get("host") or body.get("hypervisor_hostname")
    lifecycle.start_build(
        server, state.clock.now(), fails=_fails(server, asked), fits=allowed(state, server, host=host, zone=zone)
    )
    return server


def _new(
    state: State, call: Call, body: dict[str, Any], flavor: Flavor, image: Image | None, *, from_volume: bool
) -> Server:
    name = body["name"].strip()
    server = Server(
        state.dice.uuid(), state.next_number, name, call.token.project_id, call.token.user.id, flavor,
        None if from_volume else image, from_volume, None, "BUILD", call.now, call.now, None, None,
        str(body.get("availability_zone") or "nova"), ("default",), [], [], hostname=body.get("hostname") or name,
        user_data=body.get("user_data"), description=body.get("description"),
    )  # fmt: skip
    state.next_number += 1
    server.metadata = {str(name): str(value) for name, value in (body.get("metadata") or {}).items()}
    server.tags = tuple(str(tag) for tag in body.get("tags") or ())
    server.config_drive = str(body.get("config_drive") or "").lower() in ("true", "1", "yes", "on")
    server.boot = ""
    return server


def _fails(server: Server, asked: list[Nic]) -> str | None:
    """Why it will never run: what Nova finds out only when it builds."""
    # The real lab's machines fail on request in the same way, so that tests can have broken ones.
    if (server.metadata or {}).get("lab_fault") == "boot":
        return f"Build of instance {server.id} aborted: lab: the guest was asked to fail"
    for nic in asked:
        if nic.port is not None and nic.port.project != server.project:
            return (
                f"Exceeded maximum number of retries. Exceeded max scheduling attempts 3 for instance {server.id}. "
                f"Last exception: Port {nic.port.id} not usable for instance {server.id}."
            )
    return None


def _check(body: Any, version: Version) -> None:
    if not isinstance(body, dict):
        raise Refusal(400, f"Invalid input for field/attribute server. Value: {body}. {body} is not of type 'object'")
    check_types(body, TYPES)
    unknown = sorted(key for key in body if key not in KEYS and LATER.get(key, (9, 0)) > version)
    if unknown:
        words = ", ".join(f"'{key}'" for key in unknown)
        verb = "was" if len(unknown) == 1 else "were"
        raise Refusal(
            400,
            f"Invalid input for field/attribute server. Value: {body}. Additional properties are not allowed "
            f"({words} {verb} unexpected)",
        )
    for key in ("name", "flavorRef", "networks"):
        if key not in body and (key != "networks" or version >= (2, 37)):
            raise Refusal(
                400, f"Invalid input for field/attribute server. Value: {body}. '{key}' is a required property"
            )
    if not isinstance(body["name"], str) or not 1 <= len(body["name"].strip()) <= 255:
        raise Refusal(400, f"Invalid input for field/attribute name. Value: {body['name']}.")
    if len(body.get("user_data") or "") > MOST_USER_DATA:
        raise Refusal(400, f"Invalid input for field/attribute user_data. Value: {body['user_data']}. It is too long")


def _image(state: State, body: dict[str, Any], flavor: Flavor) -> Image | None:
    reference = body.get("imageRef")
    if not reference:
        return None
    image = state.images.get(str(reference))
    if image is None:
        raise Refusal(400, f"Image {reference} could not be found.")
    return bootable(image, flavor)


def bootable(image: Image, flavor: Flavor) -> Image:
    """The image, if the flavor's memory fits it and it is there. Raises Refusal(400)."""
    if image.status != "active":
        raise Refusal(400, f"Image {image.id} is not active.")
    if image.min_ram > flavor.ram:
        raise Refusal(400, "Flavor's memory is too small for requested image.")
    return image


def _zone(body: dict[str, Any]) -> str | None:
    zone: str | None = body.get("availability_zone") or None
    if zone is not None and zone not in ZONES:
        raise Refusal(400, "The requested availability zone is not available")
    return zone


def _group(state: State, call: Call) -> ServerGroup | None:
    document = call.json()
    hints: dict[str, Any] = next((document[name] for name in HINTS if isinstance(document.get(name), dict)), {})
    wanted = hints.get("group")
    if wanted is None:
        return None
    group = state.server_groups.get(str(wanted))
    if group is None or group.project != call.token.project_id:
        raise Refusal(400, f"Instance group {wanted} could not be found.")
    project = call.token.project
    limit = project.compute_quota["server_group_members"] if project else -1
    if 0 <= limit <= len([id for id in group.members if id in state.servers]):
        raise Refusal(403, "Quota exceeded, too many servers in group")
    return group


def _quota(state: State, call: Call, vcpus: int, ram: int, count: int) -> None:
    project = call.token.project
    assert project is not None
    used = compute_usage(state, project.id).get(project.id, {})
    asked = {"cores": vcpus * count, "instances": count, "ram": ram * count}
    over = [name for name, value in asked.items() if 0 <= project.compute_quota[name] < used.get(name, 0) + value]
    if over:
        names = ", ".join(over)
        values = ", ".join(str(asked[name]) for name in over)
        taken = ", ".join(str(used.get(name, 0)) for name in over)
        limits = ", ".join(str(project.compute_quota[name]) for name in over)
        raise Refusal(
            403, f"Quota exceeded for {names}: Requested {values}, but already used {taken} of {limits} {names}"
        )
