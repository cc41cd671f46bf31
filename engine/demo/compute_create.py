"""POST /servers: what is checked at once, and the machine that starts to build."""

from __future__ import annotations

from typing import Any

from engine.demo.answers import Refusal
from engine.demo.lifecycle import Lifecycle
from engine.demo.machines import Maker
from engine.demo.quotas import compute_usage
from engine.demo.records import Image, Port, Server, Volume
from engine.demo.routing import Call, check_types
from engine.demo.state import State

KEYS = {
    "name", "imageRef", "flavorRef", "networks", "metadata", "user_data", "key_name", "availability_zone",
    "config_drive", "security_groups", "block_device_mapping_v2", "block_device_mapping", "min_count",
    "max_count", "tags", "description", "adminPass", "personality", "accessIPv4", "accessIPv6",
    "OS-DCF:diskConfig", "return_reservation_id", "host", "hypervisor_hostname",
    "trusted_image_certificates", "hostname",
}  # fmt: skip


TYPES: dict[str, type | tuple[type, ...]] = {
    "metadata": dict,
    "tags": list,
    "networks": (list, str),
    "block_device_mapping_v2": list,
    "user_data": str,
    "key_name": str,
    "availability_zone": str,
    "description": str,
    "min_count": int,
    "max_count": int,
}


def create(state: State, lifecycle: Lifecycle, call: Call) -> Server:
    """The server in BUILD. Raises Refusal in Nova's words: 400, 403 (quota), 404."""
    body = call.document("server")
    _check(body)
    flavor = state.flavors.get(str(body["flavorRef"]))
    if flavor is None:
        raise Refusal(400, f"Flavor {body['flavorRef']} could not be found.")
    image = _image(state, call, body)
    disks = [disk for disk in body.get("block_device_mapping_v2") or [] if isinstance(disk, dict)]
    if image is None and not disks:
        raise Refusal(400, "Invalid imageRef provided.")
    _quota(state, call, flavor.vcpus, flavor.ram, int(body.get("min_count") or 1))
    key = body.get("key_name")
    if key and not any(pair.name == key and pair.user == call.token.user.id for pair in state.keypairs):
        raise Refusal(400, "Invalid key_name provided.")
    server = Server(
        state.dice.uuid(), state.next_number, body["name"].strip(), call.token.project_id, call.token.user.id, flavor,
        None if disks else image, bool(disks), None, "BUILD", call.now, call.now, None, key,
        str(body.get("availability_zone") or "nova"), ("default",), [], [], hostname=body["name"].strip(),
        user_data=body.get("user_data"), description=body.get("description"),
    )  # fmt: skip
    server.metadata = {str(name): str(value) for name, value in (body.get("metadata") or {}).items()}
    server.tags = tuple(str(tag) for tag in body.get("tags") or ())
    state.next_number += 1
    _plug(state, lifecycle, call, server, body.get("networks"))
    _disks(state, lifecycle, call, server, disks)
    # The real lab's machines fail on request in the same way, so that tests can have broken ones.
    fails = "boot" if server.metadata.get("lab_fault") == "boot" else None
    if fails:
        fails = f"Build of instance {server.id} aborted: lab: the guest was asked to fail"
    lifecycle.start_build(server, state.clock.now(), fails=fails)
    return server


def _check(body: Any) -> None:
    if not isinstance(body, dict):
        raise Refusal(400, f"Invalid input for field/attribute server. Value: {body}. {body} is not of type 'object'")
    check_types(body, TYPES)
    unknown = sorted(key for key in body if key not in KEYS)
    if unknown:
        words = ", ".join(f"'{key}'" for key in unknown)
        verb = "was" if len(unknown) == 1 else "were"
        raise Refusal(
            400,
            f"Invalid input for field/attribute server. Value: {body}. Additional properties are not allowed "
            f"({words} {verb} unexpected)",
        )
    for key in ("name", "flavorRef", "networks"):
        if key not in body:
            raise Refusal(
                400, f"Invalid input for field/attribute server. Value: {body}. '{key}' is a required property"
            )
    if not isinstance(body["name"], str) or not 1 <= len(body["name"].strip()) <= 255:
        raise Refusal(400, f"Invalid input for field/attribute name. Value: {body['name']}.")


def _image(state: State, call: Call, body: dict[str, Any]) -> Image | None:
    reference = body.get("imageRef")
    if not reference:
        return None
    image = state.images.get(str(reference))
    if image is None:
        raise Refusal(400, f"Image {reference} could not be found.")
    return image


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


def _plug(state: State, lifecycle: Lifecycle, call: Call, server: Server, networks: Any) -> None:
    if networks == "none":
        return
    net = lifecycle.net(server.project)
    wiring = lifecycle.maker.wiring
    group = wiring.default_group(server.project, call.now)
    if networks == "auto" or not networks:
        subnet = wiring.subnet_for(net, "app", call.now)
        Maker.bind(server, wiring.plug(net, subnet, (group.id,), call.now))
        return
    for wanted in networks if isinstance(networks, list) else [networks]:
        if not isinstance(wanted, dict):
            raise Refusal(400, f"Invalid input for field/attribute networks. Value: {networks}.")
        port = state.ports.get(str(wanted.get("port"))) if isinstance(wanted, dict) else None
        if port is None:
            network = state.networks.get(str(wanted.get("uuid"))) if isinstance(wanted, dict) else None
            if network is None:
                raise Refusal(400, f"Network {wanted.get('uuid')} could not be found.")
            subnets = network.subnets
            if subnets:
                port = wiring.plug(net, subnets[0], (group.id,), call.now)
            else:
                port = Port(
                    state.dice.uuid(), "", network, server.project, state.dice.mac(), "DOWN", "", "", [],
                    (group.id,), "", call.now, call.now,
                )  # fmt: skip
                state.ports.add(port)
        elif port.device_id:
            raise Refusal(409, f"Port {port.id} is still in use.")
        Maker.bind(server, port)


def _disks(state: State, lifecycle: Lifecycle, call: Call, server: Server, disks: list[dict[str, Any]]) -> None:
    net = lifecycle.net(server.project)
    for index, disk in enumerate(disks):
        volume: Volume | None = None
        if disk.get("source_type") == "volume":
            volume = state.volumes.get(str(disk.get("uuid")))
        else:
            image = state.images.get(str(disk.get("uuid")))
            size = int(disk.get("volume_size") or (image.min_disk if image else 1) or 1)
            volume = lifecycle.maker.volume(net, "", size, "standard", call.now, image=image)
            volume.user = call.token.user.id
        if volume is None:
            raise Refusal(400, f"Block Device Mapping is Invalid: failed to get volume {disk.get('uuid')}.")
        lifecycle.maker.attach(
            volume, server, f"/dev/vd{'abcdefghijkl'[index]}", call.now,
            delete_on_termination=bool(disk.get("delete_on_termination")),
        )  # fmt: skip
