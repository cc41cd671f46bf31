"""Single facts about single things."""

from __future__ import annotations

from tests.copilot.evaluation.cases import case
from tests.copilot.evaluation.expect import Expected, Moment, Number, Text, either, rows
from tests.copilot.evaluation.oracle import copies, disks, named, pick
from tests.copilot.evaluation.world import Row, World

case(
    "lookup",
    lambda w, s: Text((s.server["flavor"],)),
    """
    what flavor is {server}; which flavour does {server} have?; ~flavro of {server}; flavor of vm {server}; {server}
    flavor?; tell me the flavor of {server|upper}
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.server["host"],)),
    """
    where does {server} run; on which host lies {server}; which host is {server} on?; what hypervisor runs {server};
    ~on wich host is {server}; host of {server}; where is {server}; on which compute node does {server} run;
    {server} host
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.server["fixed"],)),
    """
    ip of {server}; what is the ip address of {server}?; ~ip adress of {server}; which addresses does {server} have;
    {server} ip; what's {server}'s ip
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.server["fip"],)),
    """
    floating ip of {server}; which fip does {server} have?; ~flaoting ip of {server}; public ip of {server}
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.server["mac"],)),
    """
    mac address of {server}; what's the MAC of {server}; ~mac adress for {server}
    """,
)
case(
    "lookup",
    lambda w, s: Number(s.server["ram_mb"], "MB"),
    """
    how much ram does {server} have; memory of {server}; ~how mcuh memory has {server}; ram of {server}?; {server}
    RAM
    """,
)
case(
    "lookup",
    lambda w, s: Number(s.server["vcpus"]),
    """
    how many vcpus does {server} have; cores of {server}?; ~how many cpus has {server} got; vcpu count of {server}
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.server_off["status"],)),
    """
    status of {server_off}; what state is {server_off} in?; ~staus of {server_off}; what is the status of vm
    {server_off}
    """,
)
case(
    "lookup",
    lambda w, s: either(Text((s.server["project"],)), Text((s.server["user"],))),
    """
    which project does {server} belong to; tenant of {server}?; ~whitch tenant is {server} in; project of {server};
    who owns {server}; whose vm is {server}
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.server2["image"],)),
    """
    what image does {server2} use; which image was {server2} built from?; ~iamge of {server2}; os image of {server2}
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.server["network"],)),
    """
    which network is {server} on; networks of {server}; ~what netwrok is {server} connected to
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.server["zone"],)),
    """
    availability zone of {server}; which AZ is {server} in?; ~zone of {server} pls
    """,
)
case(
    "lookup",
    lambda w, s: Moment(s.server["created"]),
    """
    when was {server} created; creation time of {server}?; ~when was {server} craeted
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.server["user"],)),
    """
    who created {server}; which user created {server}?; ~who craeted {server}
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.server["group"],)),
    """
    which security groups does {server} have; sgs of {server}; ~secuirty group of {server}
    """,
)
case(
    "lookup",
    lambda w, s: Number(s.volume["size_gb"], "GB"),
    """
    size of volume {volume}; how big is {volume}?; ~siez of {volume}; how many GB is volume {volume}; how large is
    disk {volume}
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.volume["kind"],)),
    """
    what type is volume {volume}; volume type of {volume}?; ~volume tpye of {volume}
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.volume["server"],)),
    """
    which vm is {volume} attached to; what server uses volume {volume}?; ~to wich machine is {volume} attached; who
    uses volume {volume}
    """,
)
case(
    "lookup",
    lambda w, s: either(Text((s.volume["project"],)), Text((_user(w, s.volume),))),
    """
    who owns volume {volume}; project of {volume}; ~which tennant owns {volume}
    """,
)
case(
    "lookup",
    lambda w, s: Number(len(disks(w, s.server_many))),
    """
    how many volumes does {server_many} have; number of disks on {server_many}; ~how many volmues are attached to
    {server_many}
    """,
)
case(
    "lookup",
    lambda w, s: rows("snapshot", copies(w, s.volume)),
    """
    snapshots of {volume}; list snaps of volume {volume}; ~snapshtos of {volume}; which snapshots exist for
    {volume}?
    """,
)
case(
    "lookup",
    lambda w, s: Number(len(copies(w, s.volume))),
    """
    how many snapshots does {volume} have; snapshot count for volume {volume}; ~how many snpashots of {volume}
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.project["domain"],)),
    """
    which domain is {project} in; domain of project {project}; ~domian of tenant {project}
    """,
)
case(
    "lookup",
    lambda w, s: named(w, "flavor", s.flavor, Number(s.flavor["ram_mb"], "MB")),
    """
    how much ram does flavor {flavor} have; memory of flavor {flavor}; ~ram of flvaor {flavor}
    """,
)
case(
    "lookup",
    lambda w, s: named(w, "flavor", s.flavor, Number(s.flavor["vcpus"])),
    """
    vcpus of flavor {flavor}; how many cores does the {flavor} flavor have?; ~how many vcpus has falvor {flavor}
    """,
)
case(
    "lookup",
    lambda w, s: named(w, "image", s.image, Number(s.image["size_mb"], "MB")),
    """
    size of image {image}; how big is the {image} image?; ~how large is iamge {image}
    """,
)
case(
    "lookup",
    lambda w, s: Number(s.host["vcpus"]),
    """
    how many vcpus does host {host} have; total cores of hypervisor {host}; ~vpcus of host {host}; cpu count of
    {host|short}
    """,
)
case(
    "lookup",
    lambda w, s: Number(s.host["memory_used"], "MB"),
    """
    how much memory is used on {host}; used ram of host {host}; ~memroy used on {host}
    """,
)
case(
    "lookup",
    lambda w, s: Number(s.host["memory_mb"] - s.host["memory_used"], "MB"),
    """
    how much free ram does {host} have; free memory on host {host}; ~how much memroy is free on {host}
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.host["ip"],)),
    """
    ip of host {host}; what's the address of hypervisor {host}; ~ip adress of host {host}
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.host_off["reason"],)),
    """
    why is {host_off} disabled; disabled reason of host {host_off}; ~reson why {host_off} is disabled
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.host_down["state"],)),
    """
    state of host {host_down}; what is the state of {host_down}?
    """,
)
case(
    "lookup",
    lambda w, s: _plain(w, "network", s.network, s.network["cidr"]),
    """
    cidr of network {network}; which subnet range does {network} have
    """,
    only=("north",),
)
case(
    "lookup",
    lambda w, s: named(w, "subnet", s.subnet, Text((s.subnet["gateway"],))),
    """
    gateway of {subnet}; what's the gateway of subnet {subnet}; ~gatway of {subnet}
    """,
)
case(
    "lookup",
    lambda w, s: (
        Text((s.router["external_ip"],))
        if len(pick(w, "router", name=s.router["name"])) == 1
        else either(Text((s.router["external_ip"],)), named(w, "router", s.router, Text((s.router["external_ip"],))))
    ),
    """
    external ip of {router}; gateway address of router {router}; ~extrenal ip of router {router}
    """,
)
case(
    "lookup",
    lambda w, s: Text((s.server_err["fault"],)),
    """
    why is {server_err} in error; what's the fault of {server_err}?; ~why did {server_err} go in eror; error message
    of {server_err}
    """,
)
case(
    "lookup",
    lambda w, s: named(w, "user", s.user2, Text((s.user2["email"],))),
    """
    email of user {user2}; what's {user2}'s mail address; ~emial of {user2}
    """,
)


def _plain(w: World, type: str, row: dict, value: str) -> Expected:  # type: ignore[type-arg]
    return named(w, type, row, Text((value,)))


def _user(w: World, row: Row) -> str:
    return str(next(user["name"] for user in w.rows("user") if user["id"] == row["user_id"]))
