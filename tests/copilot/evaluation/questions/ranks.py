"""The most, the largest, per, compared with, percent, sums and averages."""

from __future__ import annotations

from tests.copilot.evaluation.cases import case
from tests.copilot.evaluation.expect import Expected, Number, Winner, Yes, either, groups, rows, top, winner
from tests.copilot.evaluation.oracle import add, mean, pick, share, tally, total
from tests.copilot.evaluation.world import World


def _most_disks(w: World) -> Expected:
    count = tally(pick(w, "volume", lambda v: v["server"]), "server_id")
    names = {row["id"]: row["name"] for row in w.rows("server")}
    return Winner(frozenset(names[id] for id, number in count.items() if number == max(count.values())))


def _aged(found):  # type: ignore[no-untyped-def]
    return [{**row, "age": row["created"].timestamp()} for row in found]


case(
    "sum",
    lambda w, s: Number(total(w.rows("server"), "vcpus")),
    """
    total vcpus of all vms; how many vcpus do all servers have together; ~sum of vpcus over all instances; vcpu sum
    """,
)
case(
    "sum",
    lambda w, s: Number(total(w.rows("server"), "ram_mb"), "MB"),
    """
    total ram of all vms; how much memory do all servers use together?; ~sum of ram acros all machines; ram
    allocated to instances in total
    """,
)
case(
    "sum",
    lambda w, s: Number(total(w.rows("volume"), "size_gb"), "GB"),
    """
    total size of all volumes; how much volume storage do we have in total; ~summ of volume sizes; how many TB of
    volumes are there altogether?; sum up the size of all disks
    """,
)
case(
    "sum",
    lambda w, s: Number(total(pick(w, "volume", server_id=None), "size_gb"), "GB"),
    """
    how much space do unattached volumes take; total GB of unattached volumes; ~how much storge is wasted in
    unattached volumes
    """,
)
case(
    "sum",
    lambda w, s: Number(total(w.rows("snapshot"), "size_gb"), "GB"),
    """
    total snapshot size; how many GB of snapshots; ~sum of snpashot sizes
    """,
)
case(
    "average",
    lambda w, s: Number(mean(w.rows("volume"), "size_gb"), "GB", 0.01),
    """
    average volume size; what's the mean size of a disk?; ~avarage size of volumes; avg volume size
    """,
)
case(
    "average",
    lambda w, s: Number(mean(w.rows("server"), "ram_mb"), "MB", 0.01),
    """
    average ram per vm; mean memory of a server; ~averge ram of instances; how much RAM does a vm have on average?
    """,
)
case(
    "average",
    lambda w, s: Number(round(mean(pick(w, "server", project_id=s.project["id"]), "vcpus"), 2), "", 0.01),
    """
    average vcpus of vms in {project}; ~mean number of cores of {project} machnies; avg vcpus per server in tenant
    {project}
    """,
)
case(
    "max",
    lambda w, s: Number(max(v["size_gb"] for v in w.rows("volume")), "GB"),
    """
    what is the maximum volume size; max size of a volume; ~maximun volume size
    """,
)
case(
    "max",
    lambda w, s: Number(max(v["ram_mb"] for v in w.rows("server")), "MB"),
    """
    what's the most memory a vm has; maximum ram of any server; ~max ram fo a vm
    """,
)
case(
    "max",
    lambda w, s: Number(min(v["size_gb"] for v in w.rows("volume")), "GB"),
    """
    minimum volume size; smallest size a volume has; ~mininum disk size
    """,
)
case(
    "top",
    lambda w, s: top(w.rows("volume"), "size_gb", 5),
    """
    top 5 largest volumes; the five biggest disks; 5 largest vols; ~top 5 lagrest volumes; show me the 5 volumes
    with the most GB
    """,
)
case(
    "top",
    lambda w, s: top(w.rows("server"), "ram_mb", 3),
    """
    top 3 vms by ram; the three servers with the most memory; ~3 bigest vms by memory; which 3 machines have the
    most RAM?
    """,
)
case(
    "top",
    lambda w, s: top(w.rows("server"), "vcpus", 10),
    """
    top 10 vms by vcpus; 10 servers with most cores; ~top ten vms by vpcus
    """,
)
case(
    "top",
    lambda w, s: either(
        top(w.rows("volume"), "size_gb", 1), rows("volume", [v for v in w.rows("volume") if v["size_gb"] == 1000])
    ),
    """
    largest volume; what is the biggest disk?; ~the bigest volume
    """,
)
case(
    "top",
    lambda w, s: top(_aged(w.rows("server")), "age", 5, least=True),
    """
    5 oldest vms; the five oldest servers; ~oldest 5 instnaces; which 5 machines are the oldest
    """,
)
case(
    "top",
    lambda w, s: top(_aged(w.rows("server")), "age", 3),
    """
    3 newest vms; the three most recently created servers; ~last 3 createt vms; newest three instances
    """,
)
case(
    "top",
    lambda w, s: top(_aged(w.rows("snapshot")), "age", 10),
    """
    last 10 snapshots; the ten most recent snaps; ~10 latest snaphots; 10 newest snapshots
    """,
)
case(
    "top",
    lambda w, s: top(pick(w, "volume", project_id=s.project["id"]), "size_gb", 3),
    """
    3 largest volumes of {project}; top 3 disks in {project} by size; ~three bigest volumes in {project}
    """,
)
case(
    "top",
    lambda w, s: top(w.rows("image"), "size_mb", 2),
    """
    2 largest images; the two biggest images; ~top 2 iamges by size
    """,
)
case(
    "top",
    lambda w, s: (
        top(w.rows("flavor"), "ram_mb", 1)
        if len({f["ram_mb"] for f in w.rows("flavor")}) == len(w.rows("flavor"))
        else either(
            top(w.rows("flavor"), "ram_mb", 1),
            rows("flavor", [f for f in w.rows("flavor") if f["ram_mb"] == max(g["ram_mb"] for g in w.rows("flavor"))]),
        )
    ),
    """
    largest flavor by ram; which flavour has the most memory?; ~bigest flavor by ram
    """,
)


case(
    "group",
    lambda w, s: groups(w.rows("server"), "host"),
    """
    vms per host; how many servers are on each hypervisor?; ~vm count per hots; number of instances by host;
    machines per compute node, please; group vms by host
    """,
)
case(
    "group",
    lambda w, s: groups(w.rows("server"), "status"),
    """
    vms by status; how many servers in each status; ~vm count per staus; status breakdown of instances; count
    machines by state
    """,
)
case(
    "group",
    lambda w, s: groups(w.rows("server"), "flavor"),
    """
    vms by flavor; how many servers per flavour; ~instances per falvor; which flavors are used how often?
    """,
)
case(
    "group",
    lambda w, s: groups(w.rows("volume"), "kind"),
    """
    volumes by type; how many disks per volume type; ~volmues per type; volume count for each type
    """,
)
case(
    "group",
    lambda w, s: groups(w.rows("volume"), "kind", "size_gb", "GB"),
    """
    total volume size per type; storage used by volume type; ~sum of volume size by volume tpye
    """,
)
case(
    "group",
    lambda w, s: groups(w.rows("server"), "zone"),
    """
    vms per availability zone; servers by AZ; ~instnaces per zone
    """,
)
case(
    "group",
    lambda w, s: groups(pick(w, "server", project_id=s.project["id"]), "host"),
    """
    vms of {project} per host; how are {project}'s servers spread over hosts; ~{project} machines by hots
    """,
)
case(
    "group",
    lambda w, s: groups(pick(w, "server", status="SHUTOFF"), "host"),
    """
    stopped vms per host; number of shutoff servers by hypervisor; ~stoped instances per host
    """,
)
case(
    "group",
    lambda w, s: groups(w.rows("server"), "project", "vcpus"),
    """
    vcpus per project; total cores by tenant; ~vpcus per project; how many vcpus does each tenant use
    """,
    only=("north", "rhine", "isles"),
)
case(
    "group",
    lambda w, s: groups(w.rows("server"), "project", "ram_mb", "MB"),
    """
    memory per project; ram usage by tenant; ~how much ram does each porject use
    """,
    only=("north", "rhine", "isles"),
)
case(
    "group",
    lambda w, s: groups(w.rows("volume"), "project", "size_gb", "GB"),
    """
    volume storage per tenant; how many GB of volumes by project; ~disk space per porject
    """,
    only=("north", "rhine", "isles"),
)
case(
    "group",
    lambda w, s: groups(w.rows("server"), "project"),
    """
    vms per project; number of servers by tenant; how many instances does each project have; ~vms per tennant; count
    of machines grouped by project; server count per org
    """,
    only=("north", "rhine", "isles"),
)
case(
    "group",
    lambda w, s: either(
        groups(pick(w, "server", lambda v: v["image"]), "image"), groups(w.rows("server"), "boot_image")
    ),
    """
    vms by image; how many servers per image; ~instances per iamge
    """,
)
case(
    "group",
    lambda w, s: groups(w.rows("floating_ip"), "project"),
    """
    floating ips per project; fips by tenant; ~floating ips per tennant
    """,
    only=("north", "rhine", "isles"),
)
case(
    "most",
    lambda w, s: winner(tally(w.rows("server"), "project")),
    """
    which project has the most vms; which tenant has at most vms, i mean the biggest number; tenant with most
    servers; who has the most instances?; ~which porject has most vms; biggest tenant by number of vms
    """,
    only=("north", "rhine", "isles"),
)
case(
    "most",
    lambda w, s: winner(tally(w.rows("server"), "host")),
    """
    which host has the most vms; busiest hypervisor by vm count; ~wich host runs the most instances; host with most
    servers
    """,
)
case(
    "most",
    lambda w, s: (
        winner(tally(w.rows("server"), "host", [h["name"] for h in w.rows("hypervisor")]), least=True)
        if sum(not tally(w.rows("server"), "host").get(h["name"]) for h in w.rows("hypervisor")) == 0
        else either(
            winner(tally(w.rows("server"), "host", [h["name"] for h in w.rows("hypervisor")]), least=True),
            winner(tally(w.rows("server"), "host"), least=True),
        )
    ),
    """
    which host has the fewest vms; least loaded hypervisor by number of vms; ~host with the fewst servers
    """,
)
case(
    "most",
    lambda w, s: winner(add(w.rows("volume"), "project", "size_gb")),
    """
    which tenant uses the most volume storage; project with the most GB of volumes; ~who uses most disk sapce in
    volumes
    """,
    only=("north", "rhine", "isles"),
)
case(
    "most",
    lambda w, s: winner(tally(w.rows("server"), "flavor")),
    """
    most used flavor; which flavor do most vms have; ~most popular falvor
    """,
)
case(
    "most",
    lambda w, s: winner(add(w.rows("server"), "project", "vcpus")),
    """
    which project uses the most vcpus; tenant with most cores; ~porject with the most cpus
    """,
    only=("north", "rhine", "isles"),
)
case(
    "most",
    lambda w, s: _most_disks(w),
    """
    which vm has the most volumes; server with most disks; ~machine with the most volmues
    """,
)
case(
    "compare",
    lambda w, s: Yes(
        len(pick(w, "server", project_id=s.project["id"])) > len(pick(w, "server", project_id=s.project3["id"]))
    ),
    """
    does {project} have more vms than {project3}?; has {project} more servers than {project3}; ~does {project} hvae
    more instances than {project3}; are there more machines in {project} than in {project3}
    """,
)
case(
    "compare",
    lambda w, s: Yes(len(pick(w, "server", host=s.host["name"])) < len(pick(w, "server", host=s.host3["name"]))),
    """
    are there fewer vms on {host} than on {host3}; does {host} have less vms than {host3}?; ~has {host} fewer
    servres than {host3}
    """,
)
case(
    "compare",
    lambda w, s: Yes(len(pick(w, "server", project_id=s.project["id"])) > 40),
    """
    does {project} have more than 40 vms; are there more than forty servers in {project}?; ~has {project} mor than
    40 instances
    """,
)
case(
    "compare",
    lambda w, s: Yes(s.flavor["ram_mb"] < s.flavor2["ram_mb"]),
    """
    is {flavor} smaller than {flavor2} in ram; does flavor {flavor2} have more ram than {flavor}?; ~has flavor
    {flavor2} more memroy than {flavor}
    """,
)
case(
    "percent",
    lambda w, s: share(pick(w, "server", status="ACTIVE"), w.rows("server")),
    """
    what percentage of vms is running; percent of servers powered on; ~what percntage of instances is active; share
    of running machines in %; how many percent of vms are running?
    """,
)
case(
    "percent",
    lambda w, s: (
        share(pick(w, "volume", server_id=None), w.rows("volume"))
        if not pick(w, "volume", status="error")
        else either(
            share(pick(w, "volume", server_id=None), w.rows("volume")),
            share(pick(w, "volume", status="available"), w.rows("volume")),
        )
    ),
    """
    what percent of volumes is unattached; share of unattached disks; ~percentage of unatached volumes
    """,
)
case(
    "percent",
    lambda w, s: share(
        pick(w, "server", project_id=s.project["id"], status="SHUTOFF"), pick(w, "server", project_id=s.project["id"])
    ),
    """
    what percentage of {project}'s vms is stopped; ~percent of {project} servers that are powerd off
    """,
)
case(
    "percent",
    lambda w, s: share(pick(w, "volume", encrypted=True), w.rows("volume")),
    """
    percentage of encrypted volumes; how many percent of the volumes are encrypted; ~share of encryptet disks
    """,
)
