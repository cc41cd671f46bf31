"""Conditions: sizes with units, names, attachments, how many of something."""

from __future__ import annotations

from datetime import timedelta

from tests.copilot.evaluation.cases import case
from tests.copilot.evaluation.expect import count, either, rows
from tests.copilot.evaluation.oracle import copies, disks, pick, tally
from tests.copilot.evaluation.world import Row, World


def _servers(w: World, test) -> list[Row]:  # type: ignore[no-untyped-def]
    return pick(w, "server", test)


case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: v["ram_mb"] > 8192)),
    """
    vms with more than 8G ram; show servers with over 8 GB of memory; which machines have more than 8 gigs of RAM?;
    ~servers with mroe than 8gb ram; instances with ram > 8GB; vms bigger than 8192 MB ram
    """,
)
case(
    "filter",
    lambda w, s: count(_servers(w, lambda v: v["ram_mb"] >= 16384)),
    """
    how many vms have at least 16 gigs; number of servers with 16G or more memory; count instances with ram >= 16
    GB; ~how many machines have at leats 16GB ram
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: v["vcpus"] >= 8)),
    """
    vms with 8 or more cpus; list instances with at least 8 vcpus; machines with >= 8 cores; ~servers with at laest
    eight cores; guests having no fewer than 8 vCPUs
    """,
)
case(
    "filter",
    lambda w, s: count(_servers(w, lambda v: v["vcpus"] == 1)),
    """
    how many single-core vms; how many vms have exactly one vcpu; ~count servers with 1 vpcu; number of instances
    with 1 core
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: v["vcpus"] > 4 and v["status"] == "SHUTOFF")),
    """
    stopped vms with more than 4 cores; which powered-off servers have over 4 vcpus; ~shutof instances with more
    than 4 cpus; show me machines that are off and have more than four vcpus
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: 4096 <= v["ram_mb"] <= 16384)),
    """
    vms with between 4 and 16 GB ram; servers with ram between 4GB and 16GB; ~instances with betwen 4 and 16 gigs of
    memory
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: v["ram_mb"] < 4096)),
    """
    vms with less than 4 GB ram; small servers under 4G memory; ~machines with les than 4 gb ram; instances below
    4096 MB
    """,
)
case(
    "filter",
    lambda w, s: rows("volume", pick(w, "volume", lambda v: v["size_gb"] > 200)),
    """
    volumes larger than 200 GB; disks over 200G; which volumes are bigger than 200 gigs; ~voluems > 200GB; show vols
    above 200 gb; volumes with size greater than 200GB please
    """,
)
case(
    "filter",
    lambda w, s: rows("volume", pick(w, "volume", lambda v: v["size_gb"] >= 500)),
    """
    volumes of at least 500 GB; disks with 500 gigs or more; ~vols at lest 500G
    """,
)
case(
    "filter",
    lambda w, s: count(pick(w, "volume", lambda v: v["size_gb"] <= 20)),
    """
    how many volumes are 20 GB or smaller; number of disks up to 20G; ~how mny volumes of at most 20GB
    """,
)
case(
    "filter",
    lambda w, s: rows("volume", pick(w, "volume", lambda v: v["size_gb"] == 100)),
    """
    volumes of exactly 100 GB; which disks are 100G; ~volumes taht are 100 gb; 100GB volumes
    """,
)
case(
    "filter",
    lambda w, s: rows("volume", pick(w, "volume", lambda v: v["size_gb"] > 100 and not v["server_id"])),
    """
    unattached volumes over 100 GB; orphaned disks bigger than 100G; ~free volmes larger than 100GB; not attached
    volumes above 100 gigs
    """,
)
case(
    "filter",
    lambda w, s: rows("volume", pick(w, "volume", kind=s.kind["name"])),
    """
    volumes of type {kind}; {kind} volumes; which disks have volume type {kind}; ~volmues of type {kind}
    """,
)
case(
    "filter",
    lambda w, s: count(pick(w, "volume", lambda v: v["kind"] != s.kind["name"])),
    """
    how many volumes are not of type {kind}; number of volumes that aren't {kind} type; ~how many volums not of type
    {kind}
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: v["name"].lower().startswith(s.prefix["name"].lower()))),
    """
    vms starting with {prefix}; servers whose name begins with {prefix}; ~machines satrting with {prefix}; list all
    instances named {prefix}*; which guests have a name that starts with '{prefix}'?; show vms with prefix {prefix}
    """,
)
case(
    "filter",
    lambda w, s: count(_servers(w, lambda v: s.part["name"].lower() in v["name"].lower())),
    """
    how many vms contain {part} in their name; number of servers with '{part}' in the name; ~count instances
    contianing "{part}"; how many machines have {part} somewhere in the name
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: v["name"].endswith("2"))),
    """
    vms whose name ends with 2; servers ending in '2'; ~machines with a name endign with 2
    """,
)
case(
    "filter",
    lambda w, s: rows("volume", pick(w, "volume", lambda v: v["name"].startswith("spare"))),
    """
    volumes starting with spare; disks whose name begins with 'spare'; ~voulmes named spare*
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: not v["fip"])),
    """
    vms without floating ip; which machines have no floating ip, please as list; servers that have no fip; which
    instances don't have a floating ip?; ~machines wihtout a floating IP; list guests with no public ip
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: v["fip"])),
    """
    vms with a floating ip; which servers have a fip; ~instances with flaoting ip; machines having floating ips
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: len(v["volumes"]) > 2)),
    """
    vms with more than 2 volumes; servers with over two disks attached; ~instances with mor than 2 volumes; which
    machines have 3 or more volumes?
    """,
)
case(
    "filter",
    lambda w, s: count(_servers(w, lambda v: not v["volumes"])),
    """
    how many vms have no volumes; number of servers without any attached volume; ~how many instances have no
    volumse; count machines with zero volumes
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: not v["image"])),
    """
    vms booted from volume; servers that boot from a volume; which instances are boot-from-volume; ~machines booted
    form volume
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: v["image"])),
    """
    vms booted from image; servers that boot from an image; ~instances bootet from image
    """,
)
case(
    "filter",
    lambda w, s: either(
        rows("server", _servers(w, lambda v: v["image"] == s.image["name"])),
        rows("server", _servers(w, lambda v: v["boot_image"] == s.image["name"])),
    ),
    """
    vms using image {image}; which servers were built from {image}?; ~instances with imgae {image}; machines from
    image {image|upper}; show me everything that runs {image} image, vms only
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: v["flavor"] == s.flavor["name"])),
    """
    vms with flavor {flavor}; servers of flavour {flavor}; ~instances with falvor {flavor}; which machines use the
    {flavor} flavor?; {flavor} vms
    """,
)
case(
    "filter",
    lambda w, s: count(_servers(w, lambda v: v["flavor"] in (s.flavor["name"], s.flavor2["name"]))),
    """
    how many vms have flavor {flavor} or {flavor2}; ~number of servers with flavor {flavor} or flvaor {flavor2}
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: "critical" in v["tags"])),
    """
    vms tagged critical; servers with tag critical; ~machines taged critical; which instances have the tag
    'critical'?
    """,
)
case(
    "filter",
    lambda w, s: rows(
        "server", _servers(w, lambda v: v["status"] == "SHUTOFF" and not v["fip"] and v["ram_mb"] >= 4096)
    ),
    """
    stopped vms without floating ip and at least 4 GB ram; ~powered off servers with no fip and 4 GB or more memroy
    """,
)
case(
    "filter",
    lambda w, s: rows("server", _servers(w, lambda v: v["created"] < w.now - timedelta(days=365))),
    """
    vms older than a year; servers older than 365 days; ~machines odler than one year; which instances are more than
    a year old?
    """,
)
case(
    "filter",
    lambda w, s: count(pick(w, "snapshot", lambda v: v["created"] < w.now - timedelta(days=30))),
    """
    how many snapshots are older than 30 days; count snapshots more than 30 days old; ~how many snapshtos older than
    30d; snaps > 30 days old, count
    """,
)
case(
    "filter",
    lambda w, s: rows("volume", pick(w, "volume", lambda v: not copies(w, v) and not copies(w, v, "backup"))),
    """
    volumes without any snapshot or backup; ~disks with no snapshots and no backpus
    """,
)
case(
    "filter",
    lambda w, s: count(pick(w, "volume", lambda v: not copies(w, v))),
    """
    how many volumes have no snapshot; number of disks without snapshots; ~how many voulmes have no snaps; volumes
    never snapshotted, how many
    """,
)
case(
    "filter",
    lambda w, s: rows("volume", pick(w, "volume", lambda v: len(copies(w, v)) > 2)),
    """
    volumes with more than 2 snapshots; disks having at least 3 snaps; ~volmes with more than two snapshots
    """,
)
case(
    "filter",
    lambda w, s: rows(
        "project", pick(w, "project", lambda p: tally(w.rows("server"), "project_id").get(p["id"], 0) > 20)
    ),
    """
    projects with more than 20 vms; tenants that have over 20 servers; ~which tennants have more than 20 instances
    """,
)
case(
    "filter",
    lambda w, s: rows(
        "project", pick(w, "project", lambda p: not any(v["project_id"] == p["id"] for v in w.rows("server")))
    ),
    """
    projects without vms; which tenants have no servers; ~projetcs with no instances; empty projects, i.e. no
    servers
    """,
)
case(
    "filter",
    lambda w, s: rows(
        "hypervisor", pick(w, "hypervisor", lambda h: not any(v["host"] == h["name"] for v in w.rows("server")))
    ),
    """
    hosts without any vm; which hypervisors have no vms; ~hosts wiht no instances; empty compute nodes
    """,
)
case(
    "filter",
    lambda w, s: rows(
        "hypervisor", pick(w, "hypervisor", lambda h: sum(v["host"] == h["name"] for v in w.rows("server")) > 20)
    ),
    """
    hosts with more than 20 vms; hypervisors running over 20 instances; ~hots with more than 20 servers
    """,
)
case(
    "filter",
    lambda w, s: rows("volume", disks(w, s.server_many)),
    """
    volumes of {server_many}; disks attached to {server_many}; which vols does {server_many} have?; ~volmues
    attached to {server_many}
    """,
)
case(
    "filter",
    lambda w, s: rows("image", pick(w, "image", lambda i: i["size_mb"] > 2048)),
    """
    images larger than 2 GB; which images are over 2G?; ~imges bigger than 2 gigs
    """,
)
case(
    "filter",
    lambda w, s: rows("flavor", pick(w, "flavor", lambda f: f["vcpus"] >= 4)),
    """
    flavors with at least 4 vcpus; flavours with 4 cores or more; ~flvors with >= 4 cpus
    """,
)
case(
    "filter",
    lambda w, s: rows("flavor", pick(w, "flavor", lambda f: f["ram_mb"] < 8192)),
    """
    flavors with less than 8 GB of ram; flavors under 8G memory; ~falvors below 8gb ram
    """,
)
case(
    "filter",
    lambda w, s: rows("image", pick(w, "image", format="raw")),
    """
    raw images; images in raw format; ~iamges with format raw
    """,
)
case(
    "filter",
    lambda w, s: rows("security_group_rule", pick(w, "security_group_rule", remote="0.0.0.0/0")),
    """
    rules open to 0.0.0.0/0; security group rules with remote 0.0.0.0/0; ~firewall rules opne to the world; which sg
    rules allow the whole internet?
    """,
)
case(
    "filter",
    lambda w, s: rows("security_group_rule", pick(w, "security_group_rule", direction="ingress", port=22)),
    """
    ingress rules for port 22; security group rules that allow ssh port 22; ~ingres rules on port 22
    """,
)
