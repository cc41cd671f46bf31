"""Conversations, and what lies under the cursor."""

from __future__ import annotations

from tests.copilot.evaluation.cases import case
from tests.copilot.evaluation.expect import Number, Text, Yes, count, either, groups, rows, shows, top
from tests.copilot.evaluation.oracle import copies, disks, pick, protected, total


def _of(w, s, **more):  # type: ignore[no-untyped-def]
    return pick(w, "server", project_id=s.project["id"], **more)


case(
    "follow-up",
    lambda w, s: rows("server", pick(w, "server", status="SHUTOFF")),
    """
    list vms >> only the stopped ones; show all servers >> just the powered off ones; ~list instances >> only the
    stoped ones please; vms >> which of them are off?
    """,
)
case(
    "follow-up",
    lambda w, s: rows("server", _of(w, s, status="ACTIVE")),
    """
    vms in {project} >> only running; list servers of {project} >> only the active ones; ~machines in tenant
    {project} >> only runing ones
    """,
)
case(
    "follow-up",
    lambda w, s: count(pick(w, "server", host=s.host2["name"])),
    """
    how many vms on {host} >> and on {host2}?; vm count on {host} >> and {host2|short}?; ~how many servers run on
    {host} >> adn on {host2}; how many vms on {host} >> what about {host2}
    """,
)
case(
    "follow-up",
    lambda w, s: count(pick(w, "server", host=s.host2["name"])),
    """
    how many vms are on host {host} >> and on host {host2|number}?; number of servers on {host} >> same for host
    {host2|number}
    """,
    only=("north", "rhine", "isles"),
)
case(
    "follow-up",
    lambda w, s: count(pick(w, "server", status="SHUTOFF")),
    """
    list stopped vms >> how many is that; show powered off servers >> how many?; ~stopped machines >> how many are
    thta; vms that are off >> count them
    """,
)
case(
    "follow-up",
    lambda w, s: rows("server", pick(w, "server", project_id=s.project2["id"])),
    """
    vms in {project} >> same for {project2}; list servers of {project} >> and for {project2}?; ~instances in
    {project} >> teh same for {project2}; {project} vms >> what about tenant {project2}?; list vms in {project} >>
    {project2}?
    """,
)
case(
    "follow-up",
    lambda w, s: groups(_of(w, s), "flavor"),
    """
    vms in {project} >> group them by flavor; list {project} servers >> grouped by flavor please; ~machines of
    {project} >> group by flvaor; vms of tenant {project} >> break that down by flavour
    """,
)
case(
    "follow-up",
    lambda w, s: top(_of(w, s), "ram_mb", len(_of(w, s))),
    """
    vms in {project} >> sort by ram; list servers of {project} >> order them by memory, largest first; ~machines in
    {project} >> sort by ram descnding
    """,
)
case(
    "follow-up",
    lambda w, s: count(_of(w, s, status="SHUTOFF", host=s.host["name"])),
    """
    vms in {project} >> only the stopped ones >> on {host} >> how many; servers of {project} >> just those on {host}
    >> only powered off >> count
    """,
)
case(
    "follow-up",
    lambda w, s: rows("server", _of(w, s, status="SHUTOFF")),
    """
    how many vms does {project} have >> which of them are stopped?; vm count of {project} >> show me the ones that
    are off; ~how many vms in {project} >> wich are stopped
    """,
)
case(
    "follow-up",
    lambda w, s: rows("server", pick(w, "server", lambda v: v["ram_mb"] > 8192, status="SHUTOFF")),
    """
    list stopped vms >> with more than 8 GB ram; powered off machines >> only those with over 8G memory; ~stoped
    servers >> those wiht more than 8 gigs of ram
    """,
)
case(
    "follow-up",
    lambda w, s: rows("server", pick(w, "server", lambda v: v["project_id"] != s.project["id"], status="SHUTOFF")),
    """
    stopped vms >> not in {project}; list powered-off servers >> without {project}; ~shutoff vms >> except those
    form {project}
    """,
)
case(
    "follow-up",
    lambda w, s: Number(total(pick(w, "volume", server_id=None), "size_gb"), "GB"),
    """
    unattached volumes >> how big are they in total; list free disks >> total size?; ~unattached voulmes >> sum of
    their size
    """,
)
case(
    "follow-up",
    lambda w, s: top(pick(w, "volume", project_id=s.project["id"]), "size_gb", 3),
    """
    volumes of {project} >> the 3 largest; list {project} disks >> top 3 by size; ~volmues in {project} >> only the
    3 bigest
    """,
)
case(
    "follow-up",
    lambda w, s: count(pick(w, "volume", project_id=s.project["id"])),
    """
    how many vms does {project} have >> and volumes?; vm count in {project} >> and how many volumes; ~how many
    servers in {project} >> adn volumes
    """,
)
case(
    "follow-up",
    lambda w, s: Text((s.server["flavor"],)),
    """
    where does {server} run >> and what flavor is it?; status of {server} >> its flavor?; ~is {server} running >>
    what flavro does it have
    """,
)
case(
    "follow-up",
    lambda w, s: rows("volume", disks(w, s.server_many)),
    """
    show {server_many} >> which volumes does it have; what is {server_many} >> its volumes; ~where does
    {server_many} run >> waht volumes are attached to it
    """,
)
case(
    "follow-up",
    lambda w, s: Text((s.server2["host"],)),
    """
    where does {server} run >> and {server2}?; host of {server} >> what about {server2}; ~which host is {server} on
    >> adn {server2}
    """,
)
case(
    "follow-up",
    lambda w, s: rows("server", pick(w, "server", at=w.at(-2, 9), project_id=s.project["id"])),
    """
    vms in {project} >> and as of monday 9:00?; list {project} vms >> how was that on monday at 9:00
    """,
)

case(
    "selection",
    lambda w, s: rows("server", pick(w, "server", host=s.host["name"])),
    """
    what runs on this host; vms on this host; ~which machines run on tihs host; what's running here?; list its vms
    """,
    selected="hypervisor:host",
)
case(
    "selection",
    lambda w, s: Text((s.server["host"],)),
    """
    where does this run; which host is this vm on?; ~on wich host is this machine; host?
    """,
    selected="server:server",
)
case(
    "selection",
    lambda w, s: Yes(s.server["status"] == "ACTIVE"),
    """
    is it running; is this vm up?; ~is this machine runing
    """,
    selected="server:server",
)
case(
    "selection",
    lambda w, s: either(Yes(all(v["id"] in protected(w) for v in disks(w, s.server))), Yes(_kept(w, s.server))),
    """
    is this machine protected?; is this vm protected; ~is this server protcted
    """,
    selected="server:server",
)
case(
    "selection",
    lambda w, s: Yes(False),
    """
    is this volume protected?; is this disk backed up; ~is this volume proteced; does this volume have any
    snapshots?
    """,
    selected="volume:volume_bare",
)
case(
    "selection",
    lambda w, s: rows("volume", disks(w, s.server_many)),
    """
    volumes of this vm; which disks does this have?; ~its volmues; what volumes are attached here
    """,
    selected="server:server_many",
)
case(
    "selection",
    lambda w, s: either(Text((s.server["project"],)), Text((s.server["user"],))),
    """
    who owns this; whose machine is this?; ~which tennant owns this
    """,
    selected="server:server",
)
case(
    "selection",
    lambda w, s: count(pick(w, "server", project_id=s.project["id"])),
    """
    how many vms does this project have; vm count of this tenant; ~how mny servers in this project
    """,
    selected="project:project",
)
case(
    "selection",
    lambda w, s: rows("snapshot", copies(w, s.volume)),
    """
    snapshots of this volume; list its snapshots; ~show snapshtos of this
    """,
    selected="volume:volume",
)
case(
    "selection",
    lambda w, s: Text((s.server["fixed"],)),
    """
    ip?; what's its ip address; ~ip adress of this
    """,
    selected="server:server",
)
case(
    "selection",
    lambda w, s: shows(s.server),
    """
    tell me about this; what is this?; ~detials of this vm
    """,
    selected="server:server",
)


def _kept(w, server) -> bool:  # type: ignore[no-untyped-def]
    return any(r["server_id"] == server["id"] and r["status"] == "compliant" for r in w.rooms["compliance"])
