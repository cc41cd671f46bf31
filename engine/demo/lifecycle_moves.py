"""What takes a machine off its host and puts it back, or makes it anew in its place: shelving and rebuilding."""

from __future__ import annotations

from collections.abc import Callable

from engine.demo import names
from engine.demo.lifecycle import STOP, Lifecycle
from engine.demo.records import Host, Image, Server, ServerGroup, Volume
from engine.demo.state import State

SHELVE, UPLOAD, OFFLOAD, UNSHELVE, REBUILD, REIMAGE = 0.3, 1.5, 0.6, 1.2, 1.0, 1.5
GIB = 1 << 30
Fits = Callable[[Host], bool]


class Moves:
    """Shelves, unshelves and rebuilds machines; each answers at once and ends when its time has come."""

    def __init__(self, state: State, lifecycle: Lifecycle) -> None:
        self.state, self.lifecycle = state, lifecycle

    # Shelving

    def shelve(self, server: Server, user: str, now: float) -> None:
        """One that boots from a volume leaves its host at once, any other when its disk has become an image."""
        server.was, server.task, server.updated = server.status, "shelving", int(now)
        if self.lifecycle.silent(server):
            return
        if server.from_volume:
            self._then(server, now, SHELVE + OFFLOAD, "shelving", lambda due: self._offloaded(server, due))
            return
        image = self._image(server, user, int(now))

        def upload(due: int) -> None:
            server.task = "shelving_image_uploading"
            self._then(server, due, UPLOAD, server.task, lambda at: self._shelved(server, image, at))

        self._then(server, now, SHELVE, "shelving", upload)

    def _then(self, server: Server, since: float, seconds: float, task: str, finish: Callable[[int], None]) -> None:
        """`finish(due)` unless the machine is gone or does something else by then; a failure puts it back."""

        def done(due: int) -> None:
            if server.deleted or server.task != task:
                return
            wrong = self.state.failing("shelve", server.name) if task == "shelving" else None
            if wrong:
                server.task, server.updated = None, due
                self._blame(server, "shelve", wrong)
            else:
                finish(due)

        self.lifecycle.later(since, seconds, done)

    @staticmethod
    def _blame(server: Server, action: str, message: str) -> None:
        for entry in reversed(server.actions or []):
            if entry.action == action:
                entry.message = message
                return

    def _image(self, server: Server, user: str, now: int) -> Image:
        """The image that a shelved machine's local disk is kept in; it belongs to the machine's project."""
        source = server.image
        properties = {**(source.properties if source else {}), "base_image_ref": source.id if source else ""}
        properties |= {"image_type": "snapshot", "instance_uuid": server.id, "user_id": user}
        image = Image(
            self.state.dice.uuid(), f"{server.name}-shelved", server.project, "private",
            server.flavor.disk * GIB // 4, None, source.disk_format if source else "qcow2",
            source.min_disk if source else 0, source.min_ram if source else 0, properties, now, now, "queued",
        )  # fmt: skip
        return self.state.images.add(image)

    def _shelved(self, server: Server, image: Image, due: int) -> None:
        image.status, image.updated = "active", due
        server.status, server.task, server.updated, server.shelved_image = "SHELVED", None, due, image.id
        if self.state.shelved_seconds == 0:
            self.offload(server, due)
        elif self.state.shelved_seconds > 0:
            self.state.clock.after(self.state.shelved_seconds, lambda at: self._if_shelved(server, at), since=due)

    def _if_shelved(self, server: Server, due: float) -> None:
        if not server.deleted and server.status == "SHELVED" and server.task is None:
            self.offload(server, due)

    def offload(self, server: Server, now: float) -> None:
        """A shelved machine gives its host back."""
        server.task, server.updated = "shelving_offloading", int(now)
        if not self.lifecycle.silent(server):
            self._then(server, now, OFFLOAD, "shelving_offloading", lambda due: self._offloaded(server, due))

    def _offloaded(self, server: Server, due: int) -> None:
        if server.host:
            server.host.leave(server)
        server.host, server.zone = None, ""
        server.status, server.task, server.updated = "SHELVED_OFFLOADED", None, due
        for port in server.ports:
            port.host, port.status, port.updated, port.revision = "", "DOWN", due, port.revision + 1
        for attachment in list(server.volumes):
            self.state.renew_attachment(attachment, None, "reserved", due)
            volume = self.state.volumes.get(attachment.volume)
            if volume:
                volume.status, volume.updated = held_status(volume), due

    def unshelve(self, server: Server, now: float, fits: Fits) -> None:
        """Running again, whatever it was before; without a host for it, it stays as it is."""
        server.task, server.updated = "unshelving", int(now)
        since = server.status

        def finish(due: int) -> None:
            if server.deleted or server.task != "unshelving":
                return
            server.task, server.updated = None, due
            host = server.host
            wrong = self.state.failing("unshelve", server.name)
            if host is None and not wrong:
                host = self.lifecycle.maker.host_for(server.flavor, due, fits)
            if host is None or wrong:
                self._blame(server, "unshelve", wrong or names.NOVALID)
                return
            if since == "SHELVED_OFFLOADED":
                self.lifecycle.settle(server, host, due)
            server.status, server.launched, server.fault = "ACTIVE", due, None
            if server.shelved_image:
                self.state.images.remove(server.shelved_image)
                server.shelved_image = None

        self.lifecycle.later(now, UNSHELVE, finish)

    # Rebuilding

    def rebuild(self, server: Server, image: Image, now: float) -> None:
        """The root disk is made of the image; what was stopped is stopped again."""
        server.was, server.status, server.task, server.updated = server.status, "REBUILD", "rebuilding", int(now)
        if not server.from_volume:
            server.image = image
        if not self.lifecycle.silent(server):
            seconds = REIMAGE if server.from_volume else REBUILD
            self.lifecycle.later(now, seconds, lambda due: self._rebuilt(server, image, due))

    def _rebuilt(self, server: Server, image: Image, due: int) -> None:
        if server.deleted or server.task != "rebuilding":
            return
        wrong = self.state.failing("rebuild", server.name)
        if wrong:
            self.lifecycle.fail(server, wrong, due)
            self._blame(server, "rebuild", wrong)
            return
        if server.from_volume:
            self._reimaged(server, image, due)
        server.fault, server.launched, server.boot = None, due, ""
        server.status, server.task, server.updated = "ACTIVE", None, due
        if server.was == "SHUTOFF":
            self.lifecycle.change_power(server, "powering-off", "SHUTOFF", due, STOP / 4)

    def _reimaged(self, server: Server, image: Image, due: int) -> None:
        for attachment in server.volumes:
            volume = self.state.volumes.get(attachment.volume)
            if attachment.root and volume:
                volume.image, volume.image_meta, volume.bootable, volume.updated = image, None, True, due


def held_status(volume: Volume) -> str:
    """A volume's status by what holds it: one machine that runs is enough to be in use."""
    if any(row.status == "attached" for row in volume.attachments):
        return "in-use"
    return "reserved" if volume.attachments else "available"


def allowed(state: State, server: Server, *, host: str | None = None, zone: str | None = None) -> Fits:
    """The hosts that may have the machine: by name, by zone, by what its server group says of its members."""

    def fits(candidate: Host) -> bool:
        if (host and candidate.name != host) or (zone and candidate.zone != zone):
            return False
        group = state.server_groups.get(server.server_group or "")
        return group is None or _by_policy(state, group, server, candidate)

    return fits


def _by_policy(state: State, group: ServerGroup, server: Server, candidate: Host) -> bool:
    others = [state.servers.get(id) for id in group.members if id != server.id]
    hosts = [other.host for other in others if other is not None and other.host is not None]
    if group.policy == "anti-affinity":
        most = (group.rules or {}).get("max_server_per_host", 1)
        return sum(1 for host in hosts if host is candidate) < most
    return group.policy != "affinity" or not hosts or candidate in hosts
