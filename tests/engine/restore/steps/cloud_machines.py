"""The simulated Nova and Neutron: machines, key pairs, ports and floating IPs, as strict as the real ones.

What real Neutron refuses is refused: two ports with one address or one MAC, emptying a port whose address has a
floating IP, changing the MAC of a bound port. Nova sets its task before it answers, and takes delete_on_termination at
its word.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from engine.access.models import Caller
from engine.gate.models import Answer, Call
from tests.engine.restore.steps.cloud_base import PROJECT, Base, Doc, refuse, route

USERS_KEY = "ssh-ed25519 AAAA users"


class MachineParts(Base):
    """Beside StorageParts, which has `servers`, `volumes` and `attachments`.

    room      hosts that can take another machine; None: as many as wanted
    refuses   actions of Nova that are forbidden there: {"shelve": 403}
    delays    a shelved machine stays on its host until it is offloaded by hand
    unknown   fields of a server that this old Nova does not know
    """

    servers: dict[str, Doc]
    volumes: dict[str, Doc]
    attachments: dict[str, list[Doc]]
    actions: dict[str, list[Doc]]
    contents: dict[str, str]
    fails: set[str]

    def __init__(self) -> None:
        super().__init__()
        self.ports: dict[str, Doc] = {}
        self.floatings: dict[str, Doc] = {}
        self.subnets: dict[str, Doc] = {}
        self.keypairs: dict[str, dict[str, Doc]] = {}
        self.consoles: dict[str, str] = {}
        self.user_datas: dict[str, str] = {}
        self.refuses: dict[str, int] = {}
        self.unknown: tuple[str, ...] = ()
        self.delays = False
        self.room: int | None = None
        self.boots: list[Doc] = []  # what Nova was asked to boot
        self.console = "login:"  # what new machines say

    # To begin with

    def add_subnet(self, network: str, **more: Any) -> str:
        id = self.new_id("sub")
        self.subnets[id] = {"id": id, "network_id": network, "ipv6_address_mode": None, **more}
        return id

    def add_port(self, server: str, network: str, fixed: Iterable[tuple[str, str]], mac: str, **more: Any) -> str:
        id = self.new_id("port")
        host = self.servers[server].get("OS-EXT-SRV-ATTR:host") or ""
        self.ports[id] = {
            "id": id, "network_id": network, "project_id": PROJECT, "name": "", "description": "", "mac_address": mac,
            "fixed_ips": [{"subnet_id": subnet, "ip_address": address} for subnet, address in fixed],
            "device_id": server, "device_owner": "compute:az1", "binding:host_id": host,
            "binding:vif_type": "ovs" if host else "unbound", "security_groups": [], "tags": [],
            "port_security_enabled": True, **more,
        }  # fmt: skip
        self._automatic(self.ports[id])
        return id

    def add_floating(self, address: str, port: str, fixed: str) -> str:
        id = self.new_id("fip")
        self.floatings[id] = {"id": id, "floating_ip_address": address, "port_id": port, "fixed_ip_address": fixed}
        return id

    def ports_of(self, server: str) -> list[Doc]:
        return [port for port in self.ports.values() if port["device_id"] == server]

    # Machines

    @route("compute", "GET", "/servers/{id}")
    def server(self, id: str) -> Doc | None:
        return {"server": self.servers[id]} if id in self.servers else None

    @route("compute", "GET", "/servers/detail")
    def server_list(self) -> Doc:
        return {"servers": list(self.servers.values())}

    @route("compute", "PUT", "/servers/{id}", "server")
    def change_server(self, id: str, body: Doc) -> tuple[int, Doc]:
        self._there(id).update(body)
        return 200, {}

    @route("compute", "POST", "/servers", "server")
    def make_server(self, body: Doc) -> tuple[int, Doc]:
        assert self.call.session == "tenant" and self.call.creates
        for name in self.unknown:
            if name in body or any(name in one for one in body["block_device_mapping_v2"]):
                raise refuse(400, f"Additional properties are not allowed ({name!r} was unexpected)")
        if body.get("key_name") and body["key_name"] not in self.keypairs.get("engine-user", {}):
            raise refuse(400, "Invalid key_name provided.")
        for one in body["networks"]:
            if one["port"] not in self.ports or self.ports[one["port"]]["device_id"]:
                raise refuse(409, f"Port {one['port']} is still in use.")
        disks = [one for one in body["block_device_mapping_v2"] if one["source_type"] == "volume"]
        for one in disks:
            if self.volumes[one["uuid"]]["status"] != "available":
                raise refuse(400, f"Block Device Mapping is Invalid: failed to get volume {one['uuid']}.")
        id = self.new_id("srv")
        self.boots.append({**body, "id": id, "hints": (self.call.body or {}).get("os:scheduler_hints")})
        self.servers[id] = {
            "id": id, "name": body["name"], "status": "BUILD", "OS-EXT-STS:task_state": "spawning",
            "tenant_id": PROJECT, "locked": False, "metadata": dict(body["metadata"]), "OS-EXT-SRV-ATTR:host": None,
            "image": {"id": body["imageRef"]} if body.get("imageRef") else "", "key_name": body.get("key_name"),
        }  # fmt: skip
        self.actions[id], self.attachments[id] = [], []
        for number, one in enumerate(disks):
            self.volumes[one["uuid"]]["status"] = "reserved"
            self.attachments[id].append(
                {"volumeId": one["uuid"], "serverId": id, "device": f"/dev/vd{'abcdef'[number]}", "tag": one.get("tag"),
                 "delete_on_termination": one["delete_on_termination"]}
            )  # fmt: skip
        for one in body["networks"]:
            self.ports[one["port"]] |= {"device_id": id, "device_owner": "compute:az1"}
        self.soon(lambda: self._booted(id))
        return 202, {"server": {"id": id, "adminPass": "secret"}}

    def _booted(self, id: str) -> None:
        found = self.servers.get(id)
        if found is None or found["OS-EXT-STS:task_state"] == "deleting":
            return
        found["OS-EXT-STS:task_state"] = None
        if "boot" in self.fails or not self._place():
            found |= {"status": "ERROR", "fault": {"message": "No valid host was found."}}
            for one in self.attachments[id]:
                self.volumes[one["volumeId"]]["status"] = "available"
            return
        found |= {"status": "ACTIVE", "OS-EXT-SRV-ATTR:host": "cmp-2"}
        self.consoles[id] = self.console
        self._wire(id, "cmp-2")

    def _place(self) -> bool:
        taken = sum(bool(one.get("OS-EXT-SRV-ATTR:host")) for one in self.servers.values())
        return self.room is None or taken < self.room

    def _wire(self, id: str, host: str) -> None:
        for port in self.ports_of(id):
            port |= {"binding:host_id": host, "binding:vif_type": "ovs" if host else "unbound"}
        for one in self.attachments[id]:
            volume = self.volumes[one["volumeId"]]
            if not any(row["server_id"] == id for row in volume["attachments"]):
                volume["attachments"].append({"server_id": id, "device": one["device"]})
            volume["status"] = "in-use"

    @route("compute", "DELETE", "/servers/{id}")
    def remove_server(self, id: str) -> tuple[int, Doc]:
        self._there(id)["OS-EXT-STS:task_state"] = "deleting"
        self.soon(lambda: self._deleted(id))
        return 204, {}

    def _deleted(self, id: str) -> None:
        if self.servers.pop(id, None) is None:
            return
        for one in self.attachments.pop(id):
            volume = self.volumes[one["volumeId"]]
            volume["attachments"] = [row for row in volume["attachments"] if row["server_id"] != id]
            volume["status"] = "in-use" if volume["attachments"] else "available"
            if one["delete_on_termination"]:
                del self.volumes[one["volumeId"]]
        for port in self.ports_of(id):
            port |= {"device_id": "", "device_owner": "", "binding:host_id": "", "binding:vif_type": "unbound"}

    def _there(self, id: str) -> Doc:
        found = self.servers.get(id)
        if found is None:
            raise refuse(404, f"Instance {id} could not be found.")
        return found

    # What is done to them

    def _act(self, id: str, name: str, states: tuple[str, ...], task: str, end: Any) -> tuple[int, Doc]:
        found = self._there(id)
        if name in self.refuses:
            raise refuse(self.refuses[name], f"Policy doesn't allow {name} to be performed.")
        if found["OS-EXT-STS:task_state"] or found["status"] not in states:
            raise refuse(409, f"Cannot '{name}' instance {id} while it is in vm_state {found['status']}")
        found["OS-EXT-STS:task_state"] = task

        def ended() -> None:
            if id in self.servers:
                self.servers[id]["OS-EXT-STS:task_state"] = None
                end(self.servers[id])

        self.soon(ended)
        return 202, {}

    @route("compute", "POST", "/servers/{id}/action", "os-stop")
    def stop(self, id: str, body: Doc) -> tuple[int, Doc]:
        end = (lambda one: None) if "stop" in self.fails else (lambda one: one.update(status="SHUTOFF"))
        return self._act(id, "stop", ("ACTIVE", "ERROR"), "powering-off", end)

    @route("compute", "POST", "/servers/{id}/action", "os-start")
    def start(self, id: str, body: Doc) -> tuple[int, Doc]:
        return self._act(id, "start", ("SHUTOFF",), "powering-on", lambda one: one.update(status="ACTIVE"))

    @route("compute", "POST", "/servers/{id}/action", "unpause")
    def unpause(self, id: str, body: Doc) -> tuple[int, Doc]:
        return self._act(id, "unpause", ("PAUSED",), "unpausing", lambda one: one.update(status="ACTIVE"))

    @route("compute", "POST", "/servers/{id}/action", "shelve")
    def shelve(self, id: str, body: Doc) -> tuple[int, Doc]:
        def end(one: Doc) -> None:
            if "shelve" in self.fails:
                return
            one["status"] = "SHELVED"
            if not self.delays:
                self._offloaded(one)

        return self._act(id, "shelve", ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED"), "shelving", end)

    @route("compute", "POST", "/servers/{id}/action", "shelveOffload")
    def offload(self, id: str, body: Doc) -> tuple[int, Doc]:
        assert self.call.session == "admin"
        return self._act(id, "shelveOffload", ("SHELVED",), "shelving_offloading", self._offloaded)

    def _offloaded(self, one: Doc) -> None:
        one |= {"status": "SHELVED_OFFLOADED", "OS-EXT-SRV-ATTR:host": None}
        for row in self.attachments[one["id"]]:
            volume = self.volumes[row["volumeId"]]
            volume["attachments"] = [other for other in volume["attachments"] if other["server_id"] != one["id"]]
            volume["status"] = "reserved"
        for port in self.ports_of(one["id"]):
            port |= {"binding:host_id": "", "binding:vif_type": "unbound"}

    @route("compute", "POST", "/servers/{id}/action", "unshelve")
    def unshelve(self, id: str, body: Doc) -> tuple[int, Doc]:
        def end(one: Doc) -> None:
            if "unshelve" in self.fails or not (one["OS-EXT-SRV-ATTR:host"] or self._place()):
                self.actions[id].append({"action": "unshelve", "message": "No valid host was found."})
                return
            one |= {"status": "ACTIVE", "OS-EXT-SRV-ATTR:host": one["OS-EXT-SRV-ATTR:host"] or "cmp-3"}
            self._wire(id, one["OS-EXT-SRV-ATTR:host"])

        return self._act(id, "unshelve", ("SHELVED", "SHELVED_OFFLOADED"), "unshelving", end)

    @route("compute", "POST", "/servers/{id}/action", "lock")
    def lock(self, id: str, body: Doc) -> tuple[int, Doc]:
        self._there(id).update(locked=True, locked_reason=body.get("locked_reason"))
        return 202, {}

    def ask(self, caller: Caller, call: Call) -> Answer:
        """The console log."""
        self.tick()
        assert set(call.body or ()) == {"os-getConsoleOutput"}
        return Answer(200, (), {"output": self.consoles.get(call.path.split("/")[2], "")})

    def user_data(self, cloud: str, region: str, server_id: str) -> str:
        return self.user_datas.get(server_id, "")

    # Key pairs

    @route("compute", "GET", "/os-keypairs")
    def keypair_list(self) -> Doc:
        return {"keypairs": [{"keypair": one} for one in self.keypairs.get("engine-user", {}).values()]}

    @route("compute", "GET", "/os-keypairs/{name}")
    def keypair(self, name: str) -> Doc | None:
        found = self.keypairs.get(self.query.get("user_id", "engine-user"), {}).get(name)
        return {"keypair": found} if found else None

    @route("compute", "POST", "/os-keypairs", "keypair")
    def make_keypair(self, body: Doc) -> tuple[int, Doc]:
        own = self.keypairs.setdefault("engine-user", {})
        if body["name"] in own:
            raise refuse(409, f"Key pair {body['name']!r} already exists.")
        own[body["name"]] = dict(body)
        return 201, {"keypair": dict(body)}

    @route("compute", "DELETE", "/os-keypairs/{name}")
    def remove_keypair(self, name: str) -> tuple[int, Doc]:
        if self.keypairs.get("engine-user", {}).pop(name, None) is None:
            raise refuse(404, f"Keypair {name} not found")
        return 204, {}

    # Ports

    @route("network", "GET", "/subnets")
    def subnet_list(self) -> Doc:
        return {"subnets": [one for one in self.subnets.values() if one["network_id"] == self.query.get("network_id")]}

    @route("network", "GET", "/ports/{id}")
    def port(self, id: str) -> Doc | None:
        return {"port": self.ports[id]} if id in self.ports else None

    @route("network", "GET", "/ports")
    def port_list(self) -> Doc:
        return {"ports": [one for one in self.ports.values() if one["description"] == self.query.get("description")]}

    @route("network", "POST", "/ports", "port")
    def make_port(self, body: Doc) -> tuple[int, Doc]:
        assert self.call.session == "admin" and body["project_id"] == PROJECT
        id = self.new_id("port")
        made = {"id": id, "device_id": "", "device_owner": "", "binding:host_id": "", "binding:vif_type": "unbound",
                "tags": [], "port_security_enabled": True,
                "mac_address": f"fa:16:3e:ff:00:{int(id.split('-')[1]):02x}",
                **{key: value for key, value in body.items() if key != "fixed_ips"}}  # fmt: skip
        self._free_mac(made)
        own = [id for id, one in self.subnets.items() if one["network_id"] == body["network_id"]]
        plain = [id for id in own if not self.subnets[id]["ipv6_address_mode"]]
        made["fixed_ips"] = [self._address(one, plain) for one in body.get("fixed_ips", [{}] if plain else [])]
        self._automatic(made)
        self.ports[id] = made
        return 201, {"port": made}

    def _free_mac(self, port: Doc) -> None:
        for other in self.ports.values():
            same = (other["network_id"], other["mac_address"]) == (port["network_id"], port["mac_address"])
            if same and other["id"] != port["id"]:
                raise refuse(409, f"The mac address {port['mac_address']} is in use.")

    def _address(self, asked: Doc, plain: list[str], but: str = "") -> Doc:
        subnet = asked.get("subnet_id") or plain[0]
        if self.subnets[subnet]["ipv6_address_mode"] and "ip_address" in asked:
            raise refuse(409, f"IP address {asked['ip_address']} already allocated in subnet {subnet}")
        used = {one["ip_address"] for port in self.ports.values() for one in port["fixed_ips"] if port["id"] != but}
        address = asked.get("ip_address") or next(f"10.0.0.{n}" for n in range(100, 250) if f"10.0.0.{n}" not in used)
        if address in used:
            raise refuse(409, f"IP address {address} already allocated in subnet {subnet}")
        return {"subnet_id": subnet, "ip_address": address}

    def _automatic(self, port: Doc) -> None:
        """Addresses that follow from the MAC come by themselves."""
        auto = [id for id, one in self.subnets.items()
                if one["network_id"] == port["network_id"] and one["ipv6_address_mode"] == "slaac"]  # fmt: skip
        port["fixed_ips"] = [one for one in port["fixed_ips"] if one["subnet_id"] not in auto]
        port["fixed_ips"] += [{"subnet_id": id, "ip_address": f"fd00::{port['mac_address']}"} for id in auto]

    @route("network", "PUT", "/ports/{id}", "port")
    def change_port(self, id: str, body: Doc) -> tuple[int, Doc]:
        assert self.call.session == "admin"
        port = self.ports.get(id)
        if port is None:
            raise refuse(404, f"Port {id} could not be found.")
        if "fixed_ips" in body:
            has = {one["fixed_ip_address"] for one in self.floatings.values() if one["port_id"] == id}
            if has - {one.get("ip_address") for one in body["fixed_ips"]}:
                raise refuse(400, "Cannot update the fixed_ips: the original is associated to a floating ip")
            body["fixed_ips"] = [self._address(one, [], id) for one in body["fixed_ips"]]
        if body.get("mac_address", port["mac_address"]) != port["mac_address"]:
            if port["binding:vif_type"] not in ("unbound", "binding_failed"):
                raise refuse(409, f"Unable to complete operation on port {id}, port is already bound")
            self._free_mac({**port, **body})
        port |= body
        if "binding:host_id" in body:
            port["binding:vif_type"] = "ovs" if body["binding:host_id"] else "unbound"
        self._automatic(port)
        return 200, {"port": port}

    @route("network", "PUT", "/ports/{id}/tags", "tags")
    def tag_port(self, id: str, body: Any) -> tuple[int, Doc]:
        self.ports[id]["tags"] = list(body)
        return 200, {}

    @route("network", "DELETE", "/ports/{id}")
    def remove_port(self, id: str) -> tuple[int, Doc]:
        if id not in self.ports:
            raise refuse(404, f"Port {id} could not be found.")
        for one in self.floatings.values():
            if one["port_id"] == id:
                one |= {"port_id": None, "fixed_ip_address": None}
        del self.ports[id]
        return 204, {}

    @route("network", "GET", "/floatingips/{id}")
    def floating(self, id: str) -> Doc | None:
        return {"floatingip": self.floatings[id]} if id in self.floatings else None

    @route("network", "PUT", "/floatingips/{id}", "floatingip")
    def change_floating(self, id: str, body: Doc) -> tuple[int, Doc]:
        if body["port_id"] is None:
            self.floatings[id] |= {"port_id": None, "fixed_ip_address": None}
            return 200, {}
        has = [one["ip_address"] for one in self.ports[body["port_id"]]["fixed_ips"]]
        fixed = body.get("fixed_ip_address") or has[0]
        if fixed not in has:
            raise refuse(400, f"Port {body['port_id']} does not have fixed ip {fixed}.")
        self.floatings[id] |= {"port_id": body["port_id"], "fixed_ip_address": fixed}
        return 200, {}
