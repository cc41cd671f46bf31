"""Everything that is known of one machine when its restore is planned, read now: the questions in three rounds.

First what needs nothing but the machine's id; then what its documents lead to (volumes, networks, points); then what
those lead to. All questions of a round are asked side by side, so that a plan takes about three answers' time.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from engine.api.errors import ApiError
from engine.clouds.errors import CloudError
from engine.gate import rules
from engine.gate.models import Target
from engine.inventory.console_log import clean, tail, through_gate
from engine.inventory.events_rules import moment
from engine.restore.models import Boot, Key, Machine, Request
from engine.restore.planning import reading_fit as fit
from engine.restore.planning import reading_gone as gone
from engine.restore.planning import reading_machine as docs
from engine.restore.planning import reading_network as network
from engine.restore.planning.asking import Asking, Doc, Sources, Tried, or_else, text
from engine.restore.planning.facts import Facts
from engine.restore.planning.reading_further import MOST_ACTIONS, First, Further
from engine.restore.planning.reading_points import PointReading, Seconds
from engine.restore.planning.reading_rights import access_of, rights_of

if TYPE_CHECKING:
    from engine.access.models import Caller
    from engine.gate.service import Gate
    from engine.snapshots.points import Journal

LINES = 20  # of the console
CONSOLE_SECONDS = 3.0  # a console that is not there by then is done without: its host may hang
_DEAD = ("DOWN", "UNKNOWN")


class Lineage(Protocol):
    """What took the place of what, by earlier restores (engine/restore/records.py)."""

    def before(self, cloud: str, region: str, id: str) -> list[str]:
        """Ids of what it took the place of, the nearest first."""
        ...


@dataclass(frozen=True, slots=True)
class Room:
    """What facts are made of beside the cloud's answers.

    consoles  threads of their own: a console of a host that hangs is not answered for a minute
    seconds   how long a point takes until a volume of it is there
    """

    gate: Gate
    sources: Sources
    journal: Journal
    lineage: Lineage
    consoles: Executor
    seconds: Seconds = lambda cloud, region, point: None


@dataclass(frozen=True, slots=True)
class Purpose:
    """What facts are read for, and what of them is not needed then.

    plan_id  of the plan whose own job may hold the machine
    points   volumes whose points are wanted; None: those of all
    whole    False: only what a plan relies on (planning/relying.py), for looking again before it is carried out: no
             quotas, hosts, console, events, key pair, nor what points at the machine
    """

    plan_id: str = ""
    points: frozenset[str] | None = None
    whole: bool = True


class Reading:
    """One machine's facts. The first round is asked when it is made; `server` says whether the machine is there, and
    one of `live` and `deleted` answers. They raise NotDone and CloudError where nothing can be planned without what was
    asked.
    """

    def __init__(self, room: Room, ask: Asking, key: Key, request: Request, purpose: Purpose) -> None:
        self._room, self._ask, self._key, self._request, self._purpose = room, ask, key, request, purpose
        path = f"/servers/{key[2]}"
        self._server = ask.later(ask.one, "compute", path, "server", docs.SERVER)
        self._attachments = ask.later(
            ask.rows, "compute", f"{path}/os-volume_attachments", "volumeAttachments", docs.ATTACHMENTS
        )
        self._ports = ask.later(network.ports_of, ask, key[2])
        public = [("is_public", "None")] if ask.admin else []
        self._flavors = ask.later(ask.rows, "compute", "/flavors/detail", "flavors", docs.FLAVORS, public)
        self._services = ask.try_later(fit.compute_services, ask)
        self._cinder: Tried[list[dict[str, Any]]] = Tried.given([])
        self._actions: Tried[dict[str, Any] | None] = Tried.given(None)
        self._providers: Tried[dict[str, str]] = Tried.given("not asked")
        if purpose.whole:
            query = [("all_tenants", "1"), ("instance_id", key[2])]
            self._cinder = ask.try_later(ask.rows, "block-storage", "/attachments", "attachments", "3.27", query)
            # Nova knows for a while what was done to a machine that is deleted, too.
            limit = [("limit", str(MOST_ACTIONS))]
            self._actions = ask.try_later(ask.get, "compute", f"{path}/os-instance-actions", docs.ACTIONS, limit)
            self._providers = ask.try_later(fit.provider_names, ask)
        self._access = ask.later(access_of, ask, room.gate.lends)
        self._tops = [ask.later(ask.top, service) for service in ("compute", "block-storage")]

    @property
    def server(self) -> dict[str, Any] | None:
        """Nova's document; None when the machine is not there, or not to be seen."""
        return self._server.result()

    def live(self, caller: Caller, server: Doc, project: tuple[str, str]) -> Facts:
        """The facts of a machine that is there. `project`: names of its project and domain."""
        attachments = self._attachments.result()
        boot: Boot = "volume" if docs.boots_from_volume(server, attachments) else "image"
        ids = list(dict.fromkeys([*(docs.volume_of(one) for one in attachments), *docs.volume_ids(server)]))
        asked = gone.volumes_now(self._ask, ids)
        points = self._points(ids, image_root=boot == "image")
        console = self._console(caller, server)
        ports = network.in_order(self._ports.result(), server)
        further = Further(self._ask, self._key, self._request, server, boot, ports, self._first(), self._purpose.whole)
        machine = further.machine(docs.machine_of(self._key, server, boot=boot, project=project))
        volumes = {id: doc for id, answer in asked.items() if (doc := answer.result()) is not None}
        cinder = self._cinder.result()
        facts = self._facts(further, machine, further.network.done(), server)
        return replace(
            facts,
            disks=docs.disks_of(server, attachments, volumes),
            points=points.done(),
            console=_lines(console),
            disagreements=docs.disagreements(self._key[2], ids, volumes, cinder),
            refused=self._refused(machine, server, ids),
            unread=(*facts.unread, *points.unread, *_unread(cinder)),
        )

    def deleted(self, kept: gone.Remembered, project: tuple[str, str]) -> Facts:
        """The facts of a machine that is gone, out of what the store remembers of it."""
        attached = gone.attachments(kept)
        boot: Boot = "volume" if docs.boots_from_volume(kept.server, attached) else "image"
        ids = docs.volume_ids(kept.server)
        asked = gone.volumes_now(self._ask, ids)
        points = self._points(ids, image_root=boot == "image")
        floating = self._ask.later(gone.free_floating, self._ask, kept.floating)
        ports = network.in_order(kept.ports, kept.server)
        further = Further(
            self._ask, self._key, self._request, kept.server, boot, ports, self._first(), self._purpose.whole
        )
        machine = docs.machine_of(self._key, kept.server, boot=boot, project=project, gone=True)
        machine = replace(further.machine(machine), host="", host_status="", task_state="", power_state=None)
        now = {id: answer.result() for id, answer in asked.items()}
        seen = replace(further.network.done(), floating=floating.result())
        facts = self._facts(further, machine, seen, kept.server)
        return replace(
            facts,
            disks=gone.disks(kept, attached, now),
            points=points.done(),
            refused=self._refused(machine, {}, ids),
            survived=gone.survivors(now),
            unread=(*facts.unread, *points.unread),
        )

    # Parts

    def _first(self) -> First:
        return First(
            self._flavors.result(),
            self._actions.result(),
            self._services.result(),
            self._providers.result(),
            self._access.result(),
        )

    def _points(self, volumes: Sequence[str], *, image_root: bool) -> PointReading:
        cloud, region, id = self._key
        room = self._room
        wanted = self._purpose.points
        older = {one: room.lineage.before(cloud, region, one) for one in volumes if wanted is None or one in wanted}
        servers = [id, *room.lineage.before(cloud, region, id)]
        return PointReading(self._ask, room.journal, older, servers, image_root=image_root, seconds=room.seconds)

    def _facts(self, further: Further, machine: Machine, seen: network.Seen, server: Doc) -> Facts:
        """What is made alike of a machine that is there and of one that is gone."""
        hosts = further.hosts(machine)
        nics = network.nics_of(seen, machine.project_id)
        services = or_else(self._services.result(), [])
        own = fit.service_of(services, machine.host) if machine.host else None
        quotas = {name: answer.result() for name, answer in further.quotas.items()}
        return Facts(
            machine=machine,
            nics=nics,
            events=further.events(),
            service=(text(own.get("state")).lower(), moment(own.get("updated_at"))) if own is not None else None,
            references=further.references(machine, nics, seen),
            compute_quota=quotas.get("compute", "not read"),
            storage_quota=quotas.get("storage", "not read"),
            network_quota=quotas.get("network", "not read"),
            hosts=hosts,
            networks=further.networks(seen),
            rights=rights_of(self._ask, self._access.result(), further.keys.done(), server, gone=machine.gone),
            compute_top=self._tops[0].result(),
            volume_top=self._tops[1].result(),
            root_image_problem=further.image_problem(),
            helper=further.helper(),
            no_groups=further.no_groups(),
            unread=tuple(further.unread()),
        )

    def _refused(self, machine: Machine, server: Doc, volumes: Sequence[str]) -> dict[str, str]:
        """What the gate would say no to, and why."""
        gate, place = self._room.gate, self._key[:2]
        found: dict[str, str] = {}
        if locked := rules.lock_problem(server, machine.name):
            found["locked"] = locked
        targets: list[tuple[str, Key]] = [("server", self._key), *(("volume", (*place, id)) for id in volumes)]
        held = (gate.held(type, key, self._purpose.plan_id) for type, key in targets)
        if first := next(filter(None, held), None):
            found["held"] = f"{machine.name}: {first}"
        target = Target(
            "server", self._key, machine.name, machine.project_id, machine.project_name, machine.host, doc=server
        )
        if freeze := gate.hands_off(target):
            found["hands_off"] = freeze
        if not gate.windows.state(place[0])[0]:
            found["read_only"] = f"{place[0]} is read-only: lift that before the restore is carried out"
        return found

    def _console(self, caller: Caller, server: Doc) -> Future[Any] | None:
        """Ask for the last lines of its console, unless its host is dead and would not answer."""
        dead = text(server.get("host_status")) in _DEAD
        if dead or server.get("OS-EXT-STS:vm_state") != "active" or not self._purpose.whole:
            return None
        body = {"os-getConsoleOutput": {"length": LINES + 1}}
        name = text(server.get("name")) or self._key[2]
        send = through_gate(self._room.gate.ask)
        return self._room.consoles.submit(send, caller, self._key, self._ask.project_id, body, name)


def _lines(answer: Future[Any] | None) -> tuple[str, ...] | None:
    """The console's last lines, harmless; None when they may not be read, or did not come in time."""
    if answer is None:
        return None
    try:
        output = answer.result(timeout=CONSOLE_SECONDS).document.get("output")
    except (ApiError, CloudError, TimeoutError):
        answer.cancel()
        return None
    return tuple(tail(clean(output), LINES)[0]) if isinstance(output, str) else None


def _unread(cinder: Sequence[Doc] | str) -> tuple[str, ...]:
    if isinstance(cinder, str):
        return (f"which volumes Cinder has on the machine could not be read: {cinder}",)
    return ()
