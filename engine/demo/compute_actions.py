"""What Nova does when asked: create, delete, rename, actions, attachments."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.compute import require_member, require_reader
from engine.demo.compute_create import create
from engine.demo.compute_events_console import console_output
from engine.demo.compute_images import MachineImages
from engine.demo.compute_render import VM_STATES, server_document
from engine.demo.compute_servers import Servers
from engine.demo.lifecycle import REBOOT, STOP
from engine.demo.records import Server
from engine.demo.routing import Call
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.compute import Compute

# action: its name in the action list and in errors, the states it is allowed in
ALLOWED: dict[str, tuple[str, tuple[str, ...]]] = {
    "os-start": ("start", ("SHUTOFF",)),
    "os-stop": ("stop", ("ACTIVE", "ERROR")),
    "reboot": ("reboot", ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED")),
    "pause": ("pause", ("ACTIVE",)),
    "unpause": ("unpause", ("PAUSED",)),
    "suspend": ("suspend", ("ACTIVE",)),
    "resume": ("resume", ("SUSPENDED",)),
    "resize": ("resize", ("ACTIVE", "SHUTOFF")),
}
POWER: dict[str, tuple[str, str, float]] = {
    "os-start": ("powering-on", "ACTIVE", STOP),
    "os-stop": ("powering-off", "SHUTOFF", STOP),
    "pause": ("pausing", "PAUSED", STOP),
    "unpause": ("unpausing", "ACTIVE", STOP),
    "suspend": ("suspending", "SUSPENDED", STOP),
    "resume": ("resuming", "ACTIVE", STOP),
}
RULES = {
    "os-start": "os_compute_api:servers:start",
    "os-stop": "os_compute_api:servers:stop",
    "reboot": "os_compute_api:servers:reboot",
    "resize": "os_compute_api:servers:resize",
    "lock": "os_compute_api:os-lock-server:lock",
    "unlock": "os_compute_api:os-lock-server:unlock",
    "os-getConsoleOutput": "os_compute_api:os-console-output",
    "createImage": "os_compute_api:servers:create_image",
    "pause": "os_compute_api:os-pause-server:pause",
    "unpause": "os_compute_api:os-pause-server:unpause",
    "suspend": "os_compute_api:os-suspend-server:suspend",
    "resume": "os_compute_api:os-suspend-server:resume",
}


def add_actions(compute: Compute) -> None:
    """Route what makes, changes and removes servers, and what is told of one server."""
    actions = Actions(compute)
    on = compute.routes.on
    on("POST", "/servers")(actions.create)
    on("PUT", "/servers/{id}")(actions.rename)
    on("DELETE", "/servers/{id}")(actions.delete)
    on("POST", "/servers/{id}/action")(actions.act)
    on("GET", "/servers/{id}/os-volume_attachments")(actions.attachments)
    on("POST", "/servers/{id}/os-volume_attachments")(actions.attach)
    on("DELETE", "/servers/{id}/os-volume_attachments/{volume}")(actions.detach)
    on("GET", "/servers/{id}/os-interface")(actions.interfaces)
    on("GET", "/servers/{id}/metadata")(actions.metadata)


class Actions:
    """Nova's calls that change a server, and its volumes and interfaces."""

    def __init__(self, compute: Compute) -> None:
        self.compute, self.state, self.lifecycle = compute, compute.state, compute.lifecycle
        self.servers = Servers(compute)
        self.images = MachineImages(compute.state, compute.lifecycle)

    def _server(self, call: Call, id: str) -> Server:
        return self.servers.find(call, id)

    def _unlocked(self, call: Call, server: Server) -> None:
        # An administrator's token walks through locks, as Nova's policy lets it.
        if server.locked and not call.token.admin:
            raise Refusal(409, f"Instance {server.id} is locked")

    def _record(self, call: Call, server: Server, action: str) -> None:
        entry = self.state.record(server, action, call.token.user.id, call.token.project_id, call.now)
        entry.request = call.request_id

    def create(self, call: Call) -> Response:
        require_member(call, "os_compute_api:servers:create")
        server = create(self.state, self.lifecycle, call)
        self._record(call, server, "create")
        document: dict[str, Any] = {
            "id": server.id,
            "links": server_document(server, call.version, False, call.base)["links"],
            "OS-DCF:diskConfig": "MANUAL",
            "security_groups": [{"name": name} for name in server.groups],
            "adminPass": secrets.token_urlsafe(9),
        }
        return answer({"server": document}, 202, Location=document["links"][0]["href"])

    def rename(self, call: Call, id: str) -> Response:
        require_member(call, "os_compute_api:servers:update")
        body = call.document("server")
        server = self._server(call, id)
        if not isinstance(body, dict):
            raise Refusal(
                400, f"Invalid input for field/attribute server. Value: {body}. {body} is not of type 'object'"
            )
        if "name" in body:
            if not isinstance(body["name"], str) or not 1 <= len(body["name"].strip()) <= 255:
                raise Refusal(400, f"Invalid input for field/attribute name. Value: {body['name']}.")
            server.name = body["name"].strip()
        if "description" in body and call.version >= (2, 19):
            server.description = body["description"]
        server.updated = call.now
        document = server_document(server, call.version, call.token.project_admin, call.base, single=True)
        return answer({"server": document})

    def delete(self, call: Call, id: str) -> Response:
        require_member(call, "os_compute_api:servers:delete")
        server = self._server(call, id)
        self._unlocked(call, server)
        self._record(call, server, "delete")
        self.lifecycle.delete(server, self.state.clock.now())
        return empty(204)

    # Actions

    def act(self, call: Call, id: str) -> Response:
        body = call.json()
        if not isinstance(body, dict) or len(body) != 1:
            raise Refusal(400, "There is no such action")
        action, value = next(iter(body.items()))
        special: dict[str, Callable[[Call, Server, Any], Response]] = {
            "lock": self._lock,
            "unlock": self._unlock,
            "resize": self._resize,
            "os-getConsoleOutput": self._console,
            "createImage": self._create_image,
        }
        if action not in ALLOWED and action not in special:
            raise Refusal(400, f"There is no such action: {action}")
        require_member(call, RULES[action])
        server = self.servers.find(call, id, "Instance {id} has no mapping to a cell.")
        if action in ALLOWED:
            self._ready(call, server, action, value)
        if action in special:
            return special[action](call, server, value)
        self._record(call, server, ALLOWED[action][0])
        now = self.state.clock.now()
        if action == "reboot":
            hard = isinstance(value, dict) and str(value.get("type")).upper() == "HARD"
            server.status = "HARD_REBOOT" if hard else "REBOOT"
            self.lifecycle.change_power(server, "rebooting_hard" if hard else "rebooting", "ACTIVE", now, REBOOT)
        else:
            task, status, seconds = POWER[action]
            self.lifecycle.change_power(server, task, status, now, seconds)
        return empty(202)

    @staticmethod
    def _reboot_states(server: Server, value: Any) -> tuple[str, ...] | None:
        """States that the kind of reboot is allowed in; None when a hard one ends a soft one that runs."""
        kind = str(value.get("type") if isinstance(value, dict) else None).upper()
        if kind not in ("SOFT", "HARD"):
            raise Refusal(400, f"Invalid input for field/attribute type. Value: {kind}. Not one of SOFT, HARD")
        if kind == "SOFT":
            return ("ACTIVE",)
        return None if server.task == "rebooting" else ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "ERROR")

    def _ready(self, call: Call, server: Server, action: str, value: Any) -> None:
        name, states = ALLOWED[action]
        self._unlocked(call, server)
        if action == "reboot":
            found = self._reboot_states(server, value)
            if found is None:
                return
            states = found
        if server.task:
            raise Refusal(409, f"Cannot '{name}' instance {server.id} while it is in task_state {server.task}")
        if server.status not in states:
            state = VM_STATES.get(server.status, "active")
            raise Refusal(409, f"Cannot '{name}' instance {server.id} while it is in vm_state {state}")

    def _lock(self, call: Call, server: Server, value: Any) -> Response:
        self._record(call, server, "lock")
        server.locked, server.updated = True, call.now
        server.locked_reason = value.get("locked_reason") if isinstance(value, dict) else None
        return empty(202)

    def _unlock(self, call: Call, server: Server, value: Any) -> Response:
        self._record(call, server, "unlock")
        server.locked, server.locked_reason, server.updated = False, None, call.now
        return empty(202)

    def _resize(self, call: Call, server: Server, value: Any) -> Response:
        reference = value.get("flavorRef") if isinstance(value, dict) else None
        flavor = self.state.flavors.get(str(reference))
        if flavor is None:
            raise Refusal(400, f"Flavor {reference} could not be found.")
        self._record(call, server, "resize")
        self.lifecycle.resize(server, flavor, self.state.clock.now())
        return empty(202)

    def _console(self, call: Call, server: Server, value: Any) -> Response:
        return answer({"output": console_output(server, value, call.now)})

    def _create_image(self, call: Call, server: Server, value: Any) -> Response:
        # No lock stands in the way: nothing of the machine is changed.
        made = self.images.create(call, server, value)
        self._record(call, server, "createImage")
        return made

    # Attachments

    def attachments(self, call: Call, id: str) -> Response:
        require_reader(call, "os_compute_api:os-volumes-attachments:index")
        server = self._server(call, id)
        rows = []
        for attachment in server.volumes:
            row: dict[str, Any] = {
                "volumeId": attachment.volume,
                "serverId": server.id,
                "device": attachment.device,
            }
            if call.version < (2, 89):
                row["id"] = attachment.volume
            if call.version >= (2, 70):
                row["tag"] = None
            if call.version >= (2, 79):
                row["delete_on_termination"] = attachment.delete_on_termination
            if call.version >= (2, 89):
                row |= {"attachment_id": attachment.id, "bdm_uuid": attachment.id}
            rows.append(row)
        return answer({"volumeAttachments": rows})

    def attach(self, call: Call, id: str) -> Response:
        require_member(call, "os_compute_api:os-volumes-attachments:create")
        body = call.document("volumeAttachment")
        server = self._server(call, id)
        self._unlocked(call, server)
        volume_id = str(body.get("volumeId")) if isinstance(body, dict) else ""
        volume = self.state.volumes.get(volume_id)
        if volume is None or not (volume.project == call.token.project_id or call.token.project_admin):
            raise Refusal(404, f"Volume {volume_id} could not be found.")
        if volume.attachments and not volume.multiattach:
            held = volume.attachments[0].server
            raise Refusal(400, f"Invalid volume: volume {volume_id} is already attached to instances: {held}")
        if volume.status not in ("available", "in-use"):
            raise Refusal(400, f"Invalid volume: Volume {volume_id} status must be available or in-use or downloading")
        self._record(call, server, "attach_volume")
        attachment = self.lifecycle.attach(volume, server, body.get("device"), self.state.clock.now())
        row: dict[str, Any] = {"id": volume_id, "serverId": id, "volumeId": volume_id, "device": attachment.device}
        if call.version >= (2, 70):
            row["tag"] = None
        if call.version >= (2, 79):
            row["delete_on_termination"] = False
        return answer({"volumeAttachment": row})

    def detach(self, call: Call, id: str, volume: str) -> Response:
        require_member(call, "os_compute_api:os-volumes-attachments:delete")
        server = self._server(call, id)
        self._unlocked(call, server)
        attachment = next((row for row in server.volumes if row.volume == volume), None)
        if attachment is None:
            raise Refusal(404, f"Instance {id} is not attached to volume {volume}")
        self._record(call, server, "detach_volume")
        self.lifecycle.start_detach(attachment, self.state.clock.now())
        return empty(202)

    def interfaces(self, call: Call, id: str) -> Response:
        require_reader(call, "os_compute_api:os-attach-interfaces:list")
        rows = []
        for port in self._server(call, id).ports:
            row: dict[str, Any] = {
                "net_id": port.network.id,
                "port_id": port.id,
                "mac_addr": port.mac,
                "port_state": port.status,
                "fixed_ips": [{"subnet_id": subnet, "ip_address": ip} for subnet, ip in port.fixed_ips],
            }
            if call.version >= (2, 70):
                row["tag"] = None
            rows.append(row)
        return answer({"interfaceAttachments": rows})

    def metadata(self, call: Call, id: str) -> Response:
        require_reader(call, "os_compute_api:server-metadata:index")
        return answer({"metadata": self._server(call, id).metadata or {}})
