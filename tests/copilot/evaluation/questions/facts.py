"""Yes or no."""

from __future__ import annotations

from tests.copilot.evaluation.cases import case
from tests.copilot.evaluation.expect import Expected, Yes, either, rows, saying
from tests.copilot.evaluation.oracle import pick
from tests.copilot.evaluation.world import Row


def _any(found: list[Row], type: str = "server") -> Expected:
    """Yes or no, or just those that there are."""
    return either(Yes(bool(found)), rows(type, found))


def _is(type: str, row: Row, *words: str) -> Expected:
    """Yes, or just it in a list of what is in the state, the state said. An empty list is no "no" of that kind: it
    would also come of a name that was not understood.
    """
    return either(Yes(True), saying(rows(type, [row]), *words))


case(
    "yes-no",
    lambda w, s: _is("server", s.server, "running", "active", "up", "powered on"),
    """
    is {server} running; is {server} up?; ~is {server} runing; {server} running?; is vm {server} powered on; is
    {server|upper} active?; Could you please check whether {server} is running?
    """,
)
case(
    "yes-no",
    lambda w, s: Yes(False),
    """
    is {server_off} running; is {server_off} up?; ~is {server_off} actve; is the machine {server_off} turned on?
    """,
)
case(
    "yes-no",
    lambda w, s: _is("server", s.server_off, "stopped", "shutoff", "shut off", "off"),
    """
    is {server_off} stopped; is {server_off} powered off?; ~is {server_off} swiched off
    """,
)
case(
    "yes-no",
    lambda w, s: Yes(False),
    """
    are all hosts up; are all hypervisors up and running?; ~are all hots up; all compute nodes ok?
    """,
)
case(
    "yes-no",
    lambda w, s: Yes(False),
    """
    are all vms running; are all servers active?; ~are all machines runing
    """,
)
case(
    "yes-no",
    lambda w, s: _any(pick(w, "server", status="ERROR")),
    """
    any vm in error; is there any server in error state?; ~any vms in eror?; are there broken instances; do we have
    vms in error?
    """,
)
case(
    "yes-no",
    lambda w, s: _any(pick(w, "server", host=s.host["name"], status="ERROR")),
    """
    any vm in error on {host}; are there broken vms on {host}?; ~any instnaces in error on host {host}
    """,
)
case(
    "yes-no",
    lambda w, s: Yes(False),
    """
    is {host_down} up; is host {host_down} up?; ~is hypervisor {host_down} uo; is {host_down|short} alive
    """,
)
case(
    "yes-no",
    lambda w, s: _is("hypervisor", s.host_down, "down"),
    """
    is {host_down} down; is host {host_down|short} down?
    """,
)
case(
    "yes-no",
    lambda w, s: _is("hypervisor", s.host_off, "disabled"),
    """
    is {host_off} disabled; is host {host_off} disabled?; ~is {host_off} disabeld
    """,
)
case(
    "yes-no",
    lambda w, s: _is("volume", s.volume, "attached", "in use"),
    """
    is {volume} attached; is volume {volume} in use?; ~is volume {volume} atached
    """,
)
case(
    "yes-no",
    lambda w, s: Yes(False),
    """
    is {volume_free} attached to a vm; is volume {volume_free} attached?; ~is {volume_free} in us by any server
    """,
)
case(
    "yes-no",
    lambda w, s: Yes(True),
    """
    does {server} have a floating ip; has {server} a fip?; ~does {server} have a flaoting ip
    """,
)
case(
    "yes-no",
    lambda w, s: Yes(False),
    """
    does {server_bare} have a floating ip; has {server_bare} any volumes; ~has {server_bare} a floatin ip; does
    {server_bare} have volumes attached?
    """,
)
case(
    "yes-no",
    lambda w, s: _is("server", s.server_locked, "locked"),
    """
    is {server_locked} locked; is vm {server_locked} locked?; ~is {server_locked} lokced
    """,
)
case(
    "yes-no",
    lambda w, s: Yes(False),
    """
    is {server_open} locked; is {server_open} locked right now?
    """,
)
case(
    "yes-no",
    lambda w, s: _is("volume", s.volume2, "encrypted"),
    """
    is {volume2} encrypted; is volume {volume2} encrypted?; ~is disk {volume2} encrpted
    """,
)
case(
    "yes-no",
    lambda w, s: Yes(True),
    """
    does {server_fromvol} boot from a volume; is {server_fromvol} booted from volume?; ~does {server_fromvol} boot
    form volume
    """,
)
case(
    "yes-no",
    lambda w, s: _any(pick(w, "server", project_id=s.project["id"], status="SHUTOFF")),
    """
    does {project} have any stopped vms; are there stopped vms in {project}?; ~any stoped servers in {project}
    """,
)
case(
    "yes-no",
    lambda w, s: Yes(s.server2["host"] == s.host["name"]),
    """
    does {server2} run on {host}; is {server2} on host {host}?; ~is {server2} runing on {host}
    """,
)
case(
    "yes-no",
    lambda w, s: _any(pick(w, "network", status="DOWN"), "network"),
    """
    is there a network that is down; are any networks down?; ~any netwrok down?
    """,
)
case(
    "yes-no",
    lambda w, s: either(
        _any(pick(w, "volume", server_id=None), "volume"), _any(pick(w, "volume", status="available"), "volume")
    ),
    """
    do we have unattached volumes; are there any orphaned disks?; ~are there unatached volumes
    """,
)
case(
    "yes-no",
    lambda w, s: _any(pick(w, "snapshot", lambda copy: copy["created"] >= w.at(0, 0)), "snapshot"),
    """
    were any snapshots taken today; any snaps today?; ~where there snapshots taken today
    """,
)
