"""Volumes and network cards of a machine: what it has, more, fewer, and what becomes of them when it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.compute import require_member, require_reader
from engine.demo.compute_moves import at_rest, record, unlocked
from engine.demo.compute_nics import Nic, free_port, make_port, name_groups, room, sees
from engine.demo.compute_servers import Servers
from engine.demo.machines import Maker
from engine.demo.network_records import Port
from engine.demo.records import Attachment, Server, Volume
from engine.demo.routing import Call
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.compute import Compute

STATES = ("ACTIVE", "PAUSED", "SUSPENDED", "SHUTOFF", "VERIFY_RESIZE", "SHELVED", "SHELVED_OFFLOADED")
CARDS = ("ACTIVE", "PAUSED", "SHUTOFF")


def add_attachments(compute: Compute) -> None:
    """Route the volumes and interfaces of a server."""
    volumes, cards = Volumes(compute), Cards(compute)
    on = compute.routes.on
    on("GET", "/servers/{id}/os-volume_attachments")(volumes.all)
    on("POST", "/servers/{id}/os-volume_attachments")(volumes.attach)
    on("GET", "/servers/{id}/os-volume_attachments/{volume}")(volumes.one)
    on("PUT", "/servers/{id}/os-volume_attachments/{volume}")(volumes.change)
    on("DELETE", "/servers/{id}/os-volume_attachments/{volume}")(volumes.detach)
    on("GET", "/servers/{id}/os-interface")(cards.all)
    on("POST", "/servers/{id}/os-interface")(cards.attach)
    on("GET", "/servers/{id}/os-interface/{port}")(cards.one)
    on("DELETE", "/servers/{id}/os-interface/{port}")(cards.detach)


class Volumes:
    """os-volume_attachments."""

    def __init__(self, compute: Compute) -> None:
        self.state, self.lifecycle, self.servers = compute.state, compute.lifecycle, Servers(compute)

    @staticmethod
    def _row(call: Call, attachment: Attachment) -> dict[str, Any]:
        row: dict[str, Any] = {
            "volumeId": attachment.volume,
            "serverId": attachment.server,
            "device": attachment.device or None,
        }
        if call.version < (2, 89):
            row["id"] = attachment.volume
        if call.version >= (2, 70):
            row["tag"] = attachment.tag
        if call.version >= (2, 79):
            row["delete_on_termination"] = attachment.delete_on_termination
        if call.version >= (2, 89):
            row |= {"attachment_id": attachment.id, "bdm_uuid": attachment.bdm}
        return row

    def all(self, call: Call, id: str) -> Response:
        require_reader(call, "os_compute_api:os-volumes-attachments:index")
        server = self.servers.find(call, id)
        return answer({"volumeAttachments": [self._row(call, row) for row in server.volumes]})

    @staticmethod
    def _find(server: Server, volume: str) -> Attachment:
        for attachment in server.volumes:
            if attachment.volume == volume:
                return attachment
        raise Refusal(404, f"Instance {server.id} is not attached to volume {volume}")

    def one(self, call: Call, id: str, volume: str) -> Response:
        require_reader(call, "os_compute_api:os-volumes-attachments:show")
        return answer({"volumeAttachment": self._row(call, self._find(self.servers.find(call, id), volume))})

    def attach(self, call: Call, id: str) -> Response:
        require_member(call, "os_compute_api:os-volumes-attachments:create")
        body = call.document("volumeAttachment")
        body = body if isinstance(body, dict) else {}
        self._known(call, body)
        server = self.servers.find(call, id)
        unlocked(call, server)
        volume = self._volume(call, str(body.get("volumeId")))
        at_rest(server, "attach_volume", STATES)
        tag = body.get("tag")
        if tag and server.status == "SHELVED_OFFLOADED":
            raise Refusal(400, "Tagged volume attachment is not supported for shelved-offloaded instances.")
        if any(row.volume == volume.id for row in server.volumes):
            raise Refusal(400, f"Invalid volume: volume {volume.id} already attached")
        record(self.state, call, server, "attach_volume")
        # A machine without a host names no device before it runs again.
        device = body.get("device") or (None if server.host else self.lifecycle.free_device(server))
        attachment = self.lifecycle.attach(
            volume, server, device, self.state.clock.now(), tag=tag,
            delete_on_termination=bool(body.get("delete_on_termination")),
        )  # fmt: skip
        row: dict[str, Any] = {
            "id": volume.id,
            "serverId": id,
            "volumeId": volume.id,
            "device": attachment.device if server.host else None,
        }
        if call.version >= (2, 70):
            row["tag"] = tag
        if call.version >= (2, 79):
            row["delete_on_termination"] = attachment.delete_on_termination
        return answer({"volumeAttachment": row})

    @staticmethod
    def _known(call: Call, body: dict[str, Any]) -> None:
        later = {"volumeId": (2, 0), "device": (2, 0), "tag": (2, 49), "delete_on_termination": (2, 79)}
        unknown = [name for name in body if later.get(name, (9, 0)) > call.version]
        if unknown:
            raise Refusal(
                400,
                f"Invalid input for field/attribute volumeAttachment. Value: {body}. Additional properties are not "
                f"allowed ('{unknown[0]}' was unexpected)",
            )

    def _volume(self, call: Call, id: str) -> Volume:
        volume = self.state.volumes.get(id)
        if volume is None or not (volume.project == call.token.project_id or call.token.project_admin):
            raise Refusal(404, f"Volume {id} could not be found.")
        if volume.attachments and not volume.multiattach:
            held = volume.attachments[0].server
            raise Refusal(400, f"Invalid volume: volume {id} is already attached to instances: {held}")
        if volume.status not in ("available", "in-use"):
            raise Refusal(400, f"Invalid volume: Volume {id} status must be available or in-use or downloading")
        return volume

    def change(self, call: Call, id: str, volume: str) -> Response:
        """delete_on_termination, from 2.85 on; another volume in its place is for administrators, and not here."""
        require_member(call, "os_compute_api:os-volumes-attachments:update")
        body = call.document("volumeAttachment")
        body = body if isinstance(body, dict) else {}
        if "delete_on_termination" in body and call.version < (2, 85):
            raise Refusal(
                400,
                f"Invalid input for field/attribute volumeAttachment. Value: {body}. Additional properties are not "
                "allowed ('delete_on_termination' was unexpected)",
            )
        server = self.servers.find(call, id)
        if body.get("volumeId") != volume:
            raise Refusal(403, "Policy doesn't allow os_compute_api:os-volumes-attachments:swap to be performed.")
        attachment = self._find(server, volume)
        wanted = body.get("delete_on_termination")
        if not isinstance(wanted, bool):
            raise Refusal(400, f"Invalid input for field/attribute delete_on_termination. Value: {wanted}.")
        attachment.delete_on_termination, server.updated = wanted, call.now
        return empty(202)

    def detach(self, call: Call, id: str, volume: str) -> Response:
        require_member(call, "os_compute_api:os-volumes-attachments:delete")
        server = self.servers.find(call, id)
        unlocked(call, server)
        attachment = self._find(server, volume)
        if attachment.root:
            raise Refusal(400, "Cannot detach a root device volume")
        at_rest(server, "detach_volume", STATES)
        record(self.state, call, server, "detach_volume")
        self.lifecycle.start_detach(attachment, self.state.clock.now())
        return empty(202)


class Cards:
    """os-interface."""

    def __init__(self, compute: Compute) -> None:
        self.state, self.lifecycle, self.servers = compute.state, compute.lifecycle, Servers(compute)

    @staticmethod
    def _row(call: Call, server: Server, port: Port) -> dict[str, Any]:
        row: dict[str, Any] = {
            "net_id": port.network.id,
            "port_id": port.id,
            "mac_addr": port.mac,
            "port_state": port.status,
            "fixed_ips": [{"subnet_id": subnet, "ip_address": ip} for subnet, ip in port.fixed_ips],
        }
        if call.version >= (2, 70):
            row["tag"] = (server.nic_tags or {}).get(port.id)
        return row

    def all(self, call: Call, id: str) -> Response:
        require_reader(call, "os_compute_api:os-attach-interfaces:list")
        server = self.servers.find(call, id)
        return answer({"interfaceAttachments": [self._row(call, server, port) for port in server.ports]})

    @staticmethod
    def _find(server: Server, id: str) -> Port:
        for port in server.ports:
            if port.id == id:
                return port
        raise Refusal(404, f"Instance {server.id} does not have a port with id {id}")

    def one(self, call: Call, id: str, port: str) -> Response:
        require_reader(call, "os_compute_api:os-attach-interfaces:show")
        server = self.servers.find(call, id)
        return answer({"interfaceAttachment": self._row(call, server, self._find(server, port))})

    def attach(self, call: Call, id: str) -> Response:
        require_member(call, "os_compute_api:os-attach-interfaces:create")
        body = call.document("interfaceAttachment")
        body = body if isinstance(body, dict) else {}
        server = self.servers.find(call, id)
        unlocked(call, server)
        at_rest(server, "attach_interface", CARDS)
        port = self._port(call, server, body)
        if body.get("tag"):
            server.nic_tags = {**(server.nic_tags or {}), port.id: str(body["tag"])}
        Maker.bind(server, port)
        name_groups(self.state, server)
        record(self.state, call, server, "attach_interface")
        server.updated = call.now
        return answer({"interfaceAttachment": self._row(call, server, port)})

    def _port(self, call: Call, server: Server, body: dict[str, Any]) -> Port:
        if body.get("port_id"):
            port = self.state.ports.get(str(body["port_id"]))
            if port is None:
                raise Refusal(404, f"Port id {body['port_id']} could not be found.")
            free_port(self.state, call, port.id)
            if port.project != server.project:
                raise Refusal(400, f"Port {port.id} not usable for instance {server.id}.")
            server.given_ports |= {port.id}
            return port
        network = self.state.networks.get(str(body.get("net_id")))
        if network is None or not sees(call, network):
            raise Refusal(404, f"Network {body.get('net_id')} could not be found.")
        room(self.state, server.project, 1)
        default = self.lifecycle.maker.wiring.default_group(server.project, call.now)
        address = next((row.get("ip_address") for row in body.get("fixed_ips") or ()), None)
        nic = Nic(network=network, address=address, groups=(default.id,))
        return make_port(self.state, self.lifecycle, call, server.project, nic)

    def detach(self, call: Call, id: str, port: str) -> Response:
        require_member(call, "os_compute_api:os-attach-interfaces:delete")
        server = self.servers.find(call, id)
        unlocked(call, server)
        at_rest(server, "detach_interface", CARDS)
        found = self._find(server, port)
        record(self.state, call, server, "detach_interface")

        def finish(due: int) -> None:
            if found not in server.ports:
                return
            server.ports.remove(found)
            if port in server.given_ports:
                server.given_ports -= {port}
                self.lifecycle.release_port(found, due)
            else:
                self.lifecycle.remove_port(found, due)
            name_groups(self.state, server)

        if not self.lifecycle.silent(server):
            self.lifecycle.later(self.state.clock.now(), 0.3, finish)
        return empty(202)
