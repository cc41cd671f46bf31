"""Nova's actions that take a machine off its host, put it back or make its disk anew; and how all actions begin."""

from __future__ import annotations

from typing import Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.compute_create import MOST_USER_DATA, ZONES, bootable
from engine.demo.compute_nics import name_groups
from engine.demo.compute_render import VM_STATES, server_document
from engine.demo.lifecycle import Lifecycle
from engine.demo.lifecycle_moves import Moves, allowed
from engine.demo.network_records import SecurityGroup
from engine.demo.records import Image, Server
from engine.demo.routing import Call, Version
from engine.demo.serving import Response
from engine.demo.state import State

STATES = {
    "shelve": ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED"),
    "shelveOffload": ("SHELVED",),
    "unshelve": ("SHELVED", "SHELVED_OFFLOADED"),
    "rebuild": ("ACTIVE", "SHUTOFF", "ERROR"),
}
# What a rebuild may change besides the disk, and since when.
REBUILDS: dict[str, Version] = {
    "imageRef": (2, 1), "name": (2, 1), "metadata": (2, 1), "adminPass": (2, 1), "preserve_ephemeral": (2, 1),
    "OS-DCF:diskConfig": (2, 1), "accessIPv4": (2, 1), "accessIPv6": (2, 1), "description": (2, 19),
    "key_name": (2, 54), "user_data": (2, 57), "hostname": (2, 90),
}  # fmt: skip


def unlocked(call: Call, server: Server) -> None:
    """Raise Refusal(409) for a locked machine; an administrator's token walks through locks, as Nova lets it."""
    if server.locked and not call.token.admin:
        raise Refusal(409, f"Instance {server.id} is locked")


def at_rest(server: Server, action: str, states: tuple[str, ...]) -> None:
    """Raise Refusal(409) in Nova's words unless the machine is in one of the states and does nothing else."""
    if server.task:
        raise Refusal(409, f"Cannot '{action}' instance {server.id} while it is in task_state {server.task}")
    if server.status not in states:
        state = VM_STATES.get(server.status, "active")
        raise Refusal(409, f"Cannot '{action}' instance {server.id} while it is in vm_state {state}")


def record(state: State, call: Call, server: Server, action: str) -> None:
    """Writes the call into the machine's list of actions."""
    entry = state.record(server, action, call.token.user.id, call.token.project_id, call.now)
    entry.request = call.request_id


class MachineMoves:
    """shelve, shelveOffload, unshelve and rebuild, with Nova's checks."""

    def __init__(self, state: State, lifecycle: Lifecycle) -> None:
        self.state, self.lifecycle = state, lifecycle
        self.moves = Moves(state, lifecycle)

    def act(self, call: Call, server: Server, action: str, value: Any) -> Response:
        """The answer to one of these actions. Raises Refusal: 400, 409."""
        at_rest(server, action, STATES[action])
        now = self.state.clock.now()
        if action == "rebuild":
            return self._rebuild(call, server, value, now)
        if action == "unshelve":
            host, zone = self._place(call, server, value)
            record(self.state, call, server, action)
            self.moves.unshelve(server, now, allowed(self.state, server, host=host, zone=zone))
        elif action == "shelve":
            record(self.state, call, server, action)
            self.moves.shelve(server, call.token.user.id, now)
        else:
            record(self.state, call, server, action)
            self.moves.offload(server, now)
        return empty(202)

    @staticmethod
    def _place(call: Call, server: Server, value: Any) -> tuple[str | None, str | None]:
        """(host, zone) that the machine is to go to."""
        asked = value if isinstance(value, dict) else {}
        host, zone = asked.get("host"), asked.get("availability_zone", server.pinned_zone)
        if asked and call.version < (2, 77):
            raise Refusal(400, f"Invalid input for field/attribute unshelve. Value: {value}. {value} is not 'None'")
        if host and not call.token.project_admin:
            raise Refusal(403, "Policy doesn't allow os_compute_api:os-shelve:unshelve_to_host to be performed.")
        if zone is not None and zone not in ZONES:
            raise Refusal(400, "The requested availability zone is not available")
        if "availability_zone" in asked:
            server.pinned_zone = zone
        return host, zone

    # Rebuilding

    def _rebuild(self, call: Call, server: Server, value: Any, now: float) -> Response:
        if not isinstance(value, dict) or not value.get("imageRef"):
            raise Refusal(400, f"Invalid input for field/attribute rebuild. Value: {value}. 'imageRef' is required")
        unknown = sorted(name for name in value if REBUILDS.get(name, (9, 0)) > call.version)
        if unknown:
            words = ", ".join(f"'{name}'" for name in unknown)
            raise Refusal(
                400,
                f"Invalid input for field/attribute rebuild. Value: {value}. Additional properties are not allowed "
                f"({words} unexpected)",
            )
        image = self._image(call, server, str(value["imageRef"]))
        self._change(call, server, value)
        record(self.state, call, server, "rebuild")
        self.moves.rebuild(server, image, now)
        document = server_document(server, call.version, call.token.project_admin, call.base, single=True)
        return answer({"server": {**document, "adminPass": "demo-only"}}, 202)

    def _image(self, call: Call, server: Server, id: str) -> Image:
        image = self.state.images.get(id)
        mine = image is not None and (
            image.owner == call.token.project_id or image.visibility != "private" or call.token.admin
        )
        if image is None or not mine:
            raise Refusal(400, "Cannot find image for rebuild")
        bootable(image, server.flavor)
        if not server.from_volume:
            if server.flavor.disk < image.min_disk:
                raise Refusal(400, "Flavor's disk is smaller than the minimum size specified in image metadata.")
            return image
        root = next((self.state.volumes.get(row.volume) for row in server.volumes if row.root), None)
        if root is None or root.status != "in-use":
            status = root.status if root else "gone"
            raise Refusal(
                400, f"Invalid volume: volume '{root.id if root else ''}' status must be 'in-use'. Currently in "
                f"'{status}' status"
            )  # fmt: skip
        if call.version < (2, 93) and root.image is not image:
            raise Refusal(
                400,
                f"Image {id} is unacceptable: Unable to rebuild with a different image for a volume-backed server.",
            )
        if root.size < image.min_disk:
            raise Refusal(400, f"Volume {root.id} is smaller than the minimum size of image {id}.")
        return image

    def _change(self, call: Call, server: Server, value: dict[str, Any]) -> None:
        key, data = value.get("key_name", server.key), value.get("user_data", server.user_data)
        if "key_name" in value and key is not None:
            mine = (pair for pair in self.state.keypairs if pair.user == call.token.user.id)
            if not any(pair.name == key for pair in mine):
                raise Refusal(400, "Invalid key_name provided.")
        if data is not None and (not isinstance(data, str) or len(data) > MOST_USER_DATA):
            raise Refusal(400, "Invalid input for field/attribute user_data.")
        server.key, server.user_data = key, data
        server.name = str(value.get("name", server.name)).strip() or server.name
        server.description = value.get("description", server.description)
        server.hostname = value.get("hostname", server.hostname)
        if isinstance(value.get("metadata"), dict):
            server.metadata = {str(name): str(text) for name, text in value["metadata"].items()}

    # Security groups

    def regroup(self, call: Call, server: Server, value: Any, *, joins: bool) -> Response:
        """addSecurityGroup and removeSecurityGroup, by name or id, for all ports of the machine."""
        unlocked(call, server)
        name = value.get("name") if isinstance(value, dict) else None
        groups = self.state.security_groups.having("project", server.project)
        group: SecurityGroup | None = next((row for row in groups if name in (row.id, row.name)), None)
        if group is None:
            raise Refusal(404, f"Security group {name} not found for project {server.project}.")
        for port in server.ports:
            others = tuple(id for id in port.groups if id != group.id)
            port.groups = (*others, group.id) if joins else others
            port.updated, port.revision = call.now, port.revision + 1
        name_groups(self.state, server)
        record(self.state, call, server, "addSecurityGroup" if joins else "removeSecurityGroup")
        return empty(202)
