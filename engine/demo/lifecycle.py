"""What takes time in a cloud: machines and disks that come, go and change, by the cloud's clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.demo import names
from engine.demo.machines import DEVICES, POOLS, Maker
from engine.demo.network_records import Port
from engine.demo.records import Attachment, Flavor, Host, Server, Snapshot, Volume
from engine.demo.state import State
from engine.demo.tables import Table
from engine.demo.wiring import TenantNet

BUILD, STOP, REBOOT, DELETE, RESIZE, DISK, GONE = 2.0, 0.8, 1.5, 0.4, 3.0, 0.4, 0.003
KEEP_DELETED = 20_000
CLONING = POOLS["premium"]  # the pool where a volume made from a snapshot shares its blocks


class Lifecycle:
    """Starts operations and finishes them when their time has come."""

    def __init__(self, state: State, maker: Maker, nets: list[TenantNet]) -> None:
        self.state, self.maker = state, maker
        self.nets = {net.project.id: net for net in nets}
        # Volumes made from a snapshot, by its id, where they share its blocks.
        self._clones: dict[str, set[str]] = {}
        for volume in state.volumes:
            self._note_clone(volume)
        self._others: dict[str, TenantNet] = {}

    def net(self, project: str) -> TenantNet:
        """What the project's machines are plugged into; a project that came later starts with nothing of its own."""
        net = self.nets.get(project) or self._others.get(project)
        if net is None:
            owner = self.state.projects.get(project)
            assert owner is not None
            groups = {"default": self.maker.wiring.default_group(project, self.state.now())}
            net = self._others[project] = TenantNet(owner, "", groups, None)
        return net

    def later(self, since: float, seconds: float, finish: Callable[[int], None]) -> None:
        """Runs `finish(when)` once a change that began at `since` has taken its seconds, by the cloud's pace."""
        self.state.clock.takes(seconds, finish, since=since)

    @staticmethod
    def _forget(table: Table[Any], id: str) -> None:
        table.remove(id)

    # Servers

    def start_build(
        self, server: Server, now: float, *, fails: str | None = None, fits: Callable[[Host], bool] | None = None
    ) -> None:
        """Adds the server in BUILD; it becomes ACTIVE, or ERROR with the reason. `fits`: hosts that may be chosen."""
        server.status, server.task, server.launched = "BUILD", "scheduling", None
        self.state.servers.add(server)

        def finish(due: int) -> None:
            if server.deleted or server.status != "BUILD":
                return
            server.task, server.updated = None, due
            wrong = fails or self.state.failing("server", server.name)
            host = None if wrong else self.maker.host_for(server.flavor, due, fits)
            if host is None:
                self.fail(server, wrong or names.NOVALID, due)
                return
            self.settle(server, host, due)
            server.status, server.launched = "ACTIVE", due

        self.later(now, BUILD, finish)

    def settle(self, server: Server, host: Host, due: int) -> None:
        """The machine is on the host from now on, with its ports and volumes."""
        self.maker.place(server, host)
        for port in server.ports:
            port.host, port.status, port.updated = host.name, "ACTIVE", due
            port.device_owner = f"compute:{server.zone}"
            port.revision += 2
        for attachment in list(server.volumes):
            volume = self.state.volumes.get(attachment.volume)
            if attachment.status == "reserved":
                self.state.renew_attachment(attachment, host.name, "attached", due)
                if volume:
                    volume.status, volume.updated = "in-use", due
            else:
                attachment.host = host.name

    def silent(self, server: Server) -> bool:
        """Whether the machine's host does not answer: what is asked of it begins and never ends."""
        host = server.host
        return host is not None and not host.up and self.state.now() >= (host.stopped_at or 0)

    def fail(self, server: Server, message: str, when: int, *, code: int = 500) -> None:
        server.status, server.task, server.updated = "ERROR", None, when
        server.fault = (code, message, when)
        if server.launched is None and server.actions and server.actions[0].action == "create":
            server.actions[0].message = message  # told also after the server, and its fault, are gone

    def change_power(self, server: Server, task: str, status: str, now: float, seconds: float) -> None:
        """Task state at once, the new status after the time it takes."""
        server.task, server.updated = task, int(now)
        if status == "SHUTOFF" and self.state.failing("stop", server.name):
            return  # A guest that does not listen.

        def finish(due: int) -> None:
            if not server.deleted and server.task == task:
                server.task, server.status, server.updated = None, status, due

        self.later(now, seconds, finish)

    def delete(self, server: Server, now: float) -> None:
        server.task, server.updated = "deleting", int(now)
        self.later(now, DELETE, lambda due: self.remove(server, due))

    def remove(self, server: Server, when: int) -> None:
        """The machine is gone: its ports too, its volumes as `delete_on_termination` says."""
        if server.deleted:
            return
        state = self.state
        state.servers.remove(server.id)
        if server.host:
            server.host.leave(server)
        server.deleted, server.status, server.task = True, "DELETED", None
        server.updated = server.terminated = when
        server.fault = None
        for attachment in list(server.volumes):
            volume = state.volumes.get(attachment.volume)
            self.detach(attachment, when)
            if volume and attachment.delete_on_termination and not self.has_snapshots(volume):
                state.volumes.remove(volume.id)
        for port in server.ports:
            if port.id in server.given_ports:
                self.release_port(port, when)
            else:
                self.remove_port(port, when)
        server.ports, server.volumes = [], []
        server.given_ports, server.shelved_image = frozenset(), None
        if state.server_groups.get(server.server_group or ""):
            members = state.server_groups.rows[server.server_group or ""].members
            if server.id in members:
                members.remove(server.id)
        state.deleted_servers.add(server)
        if len(state.deleted_servers) > KEEP_DELETED:
            state.deleted_servers.remove(next(iter(state.deleted_servers.rows)))

    @staticmethod
    def release_port(port: Port, when: int) -> None:
        """A port that Nova was given is nobody's again."""
        port.device_id, port.device_owner, port.host, port.status = "", "", "", "DOWN"
        port.updated, port.revision = when, port.revision + 1

    def remove_port(self, port: Port, when: int) -> None:
        if port.floating:
            port.floating.port, port.floating.router, port.floating.fixed = None, None, ""
            port.floating.status, port.floating.updated = "DOWN", when
            port.floating.revision += 1
        self.state.ports.remove(port.id)
        for trunk in [row for row in self.state.trunks if row.port is port]:
            self.state.trunks.remove(trunk.id)
            for child, _ in trunk.sub_ports:
                self.state.ports.remove(child.id)

    def resize(self, server: Server, flavor: Flavor, now: float) -> None:
        """A resize that is confirmed by itself, as the stock configuration can."""
        server.status, server.task, server.updated = "RESIZE", "resize_prep", int(now)

        def finish(due: int) -> None:
            if server.deleted or server.status != "RESIZE":
                return
            if server.host:
                server.host.leave(server)
            server.flavor = flavor
            if server.host:
                server.host.place(server)
            server.status, server.task, server.updated = "ACTIVE", None, due

        self.later(now, RESIZE, finish)

    # Disks

    def _note_clone(self, volume: Volume) -> None:
        if volume.snapshot and volume.pool == CLONING:
            self._clones.setdefault(volume.snapshot, set()).add(volume.id)

    def cloned(self, snapshot: Snapshot) -> bool:
        """Whether a volume still shares the snapshot's blocks: then the back end doesn't let it go."""
        clones = self._clones.get(snapshot.id)
        return clones is not None and any(id in self.state.volumes for id in clones)

    def create_volume(self, volume: Volume, now: float, *, fails: bool = False, seconds: float = DISK) -> None:
        volume.status = "creating"
        self._note_clone(volume)
        pool, volume.pool = volume.pool, None
        self.state.volumes.add(volume)

        def finish(due: int) -> None:
            if volume.id in self.state.volumes and volume.status == "creating":
                wrong = fails or self.state.failing("volume", volume.name) is not None
                volume.status, volume.updated = ("error" if wrong else "available"), due
                volume.pool = None if wrong else pool

        self.later(now, seconds, finish)

    def delete_volume(self, volume: Volume, now: float) -> None:
        volume.status, volume.updated = "deleting", int(now)
        self.later(now, GONE, lambda due: self._forget(self.state.volumes, volume.id))

    def create_snapshot(self, snapshot: Snapshot, now: float) -> None:
        snapshot.status, snapshot.updated = "creating", None
        self.state.snapshots.add(snapshot)

        def finish(due: int) -> None:
            if snapshot.status == "creating":
                wrong = self.state.failing("snapshot", snapshot.name) is not None
                snapshot.status, snapshot.updated = ("error" if wrong else "available"), due

        self.later(now, DISK, finish)

    def delete_snapshot(self, snapshot: Snapshot, now: float) -> None:
        snapshot.status, snapshot.updated = "deleting", int(now)

        def finish(due: int) -> None:
            if self.cloned(snapshot):
                # The driver says that it is busy, and Cinder, which had said yes, puts it back.
                snapshot.status, snapshot.updated = "available", due
            else:
                self._forget(self.state.snapshots, snapshot.id)

        self.later(now, GONE, finish)

    def attach(self, volume: Volume, server: Server, device: str | None, now: float, **more: Any) -> Attachment:
        """Reserved at once, in use a moment later; of a machine without a host it is in use at once."""
        device = device or self.free_device(server)
        attachment = self.state.add_attachment(volume, server, device, int(now), status="reserved", **more)
        volume.status, volume.updated = "reserved", int(now)
        if server.host is None:
            attachment.status, volume.status = "attached", "in-use"
            return attachment

        def finish(due: int) -> None:
            if attachment.id not in self.state.attachments or attachment.status != "reserved":
                return
            if self.state.failing("attach", volume.name):
                self.detach(attachment, due)
                return
            attachment.status = "attached"
            volume.status, volume.updated = "in-use", due

        self.later(now, DISK, finish)
        return attachment

    def start_detach(self, attachment: Attachment, now: float) -> None:
        server = self.state.servers.get(attachment.server)
        if server is not None and server.host is None:
            self.detach(attachment, int(now))
            return
        volume = self.state.volumes.get(attachment.volume)
        if volume:
            volume.status, volume.updated = "detaching", int(now)
        if server is not None and self.silent(server):
            return
        self.later(now, DISK, lambda due: self.detach(attachment, due))

    def detach(self, attachment: Attachment, when: int) -> None:
        if self.state.attachments.remove(attachment.id) is None:
            return
        volume = self.state.volumes.get(attachment.volume)
        if volume:
            volume.attachments = [other for other in volume.attachments if other is not attachment]
            volume.updated = when
            if not volume.attachments:
                volume.status = "available"
        server = self.state.servers.get(attachment.server)
        if server:
            server.volumes = [other for other in server.volumes if other is not attachment]
            server.updated = when

    def has_snapshots(self, volume: Volume) -> bool:
        return bool(self.state.snapshots.having("volume", volume.id))

    @staticmethod
    def free_device(server: Server) -> str:
        taken = {attachment.device for attachment in server.volumes}
        letters = "a" + DEVICES
        return next(f"/dev/vd{letter}" for letter in letters if f"/dev/vd{letter}" not in taken)
