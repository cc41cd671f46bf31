"""In, on, of: tenants, domains, hosts, networks, zones, several at once, and what is not in them."""

from __future__ import annotations

from tests.copilot.evaluation.cases import case
from tests.copilot.evaluation.expect import Number, count, either, rows, saying
from tests.copilot.evaluation.oracle import named, pick, total

case(
    "scope",
    lambda w, s: rows("server", pick(w, "server", project_id=s.project["id"])),
    """
    vms on tenant {project}; list servers in project {project}; show me all instances of {project}; ~machines in
    porject {project}; what vms does {project} have?; {project} vms; servers for tenant {project|upper}; all boxes
    belonging to org {project}; vms in {project|typo}; which guests are in {project|blank}?
    """,
)
case(
    "scope",
    lambda w, s: count(pick(w, "server", project_id=s.project["id"])),
    """
    how many vms in {project}; how much machines has the tenant {project}; number of servers on tenant {project};
    ~how many vms does tennant {project} have; vm count {project}; how many instances are in project
    {project|lower}; {project} - how many machines?; how many vms in {project|typo}
    """,
)
case(
    "scope",
    lambda w, s: count(pick(w, "server", project_id=s.project["id"], status="ACTIVE")),
    """
    how many powered on VMs on tenant {project}?; running vms in {project} count; ~how many runing servers in
    {project}; number of active instances of project {project}
    """,
)
case(
    "scope",
    lambda w, s: rows("server", pick(w, "server", project_id=s.project["id"], status="SHUTOFF")),
    """
    stopped vms in {project}; powered off servers on tenant {project}; which machines of {project} are switched
    off?; ~stoped vms in {project}; {project} shutoff instances
    """,
)
case(
    "scope",
    lambda w, s: rows("volume", pick(w, "volume", project_id=s.project2["id"])),
    """
    volumes in {project2}; show disks of tenant {project2}; ~volmes of project {project2}; list all vols for
    {project2}
    """,
)
case(
    "scope",
    lambda w, s: count(pick(w, "snapshot", project_id=s.project["id"])),
    """
    how many snapshots does {project} have; snapshot count for tenant {project}; ~snaphsots in project {project},
    how many
    """,
)
case(
    "scope",
    lambda w, s: rows("floating_ip", pick(w, "floating_ip", project_id=s.project["id"])),
    """
    floating ips of {project}; fips in project {project}; ~which flaoting ips does {project} use
    """,
)
case(
    "scope",
    lambda w, s: rows("server", pick(w, "server", host=s.host["name"])),
    """
    what runs on host {host}; which vms are lying on host {host}; vms on {host}; which servers run on {host}?; ~waht
    vms are on host {host}; machines at {host|upper}; show everything running on hypervisor {host}; instances on
    {host|short}; vms on compute node {host}; what is running on {host|nodash}; guests on host {host|typo}
    """,
)
case(
    "scope",
    lambda w, s: count(pick(w, "server", host=s.host2["name"])),
    """
    how many vms on {host2}; vm count on host {host2}; ~how mny instances run on {host2}; number of servers on
    hypervisor {host2|short}; how many guests does {host2} have
    """,
)
case(
    "scope",
    lambda w, s: either(
        rows("server", pick(w, "server", host=s.host3["name"], status="SHUTOFF")),
        rows("server", pick(w, "server", lambda v: v["status"] != "ACTIVE", host=s.host3["name"])),
        rows("server", pick(w, "server", host=s.host3["name"], status=("SHUTOFF", "ERROR"))),
    ),
    """
    vms down {host3}?; which vms are down on {host3}; ~vms that are donw on host {host3}
    """,
)
case(
    "scope",
    lambda w, s: rows("server", pick(w, "server", host=s.host["name"], status="SHUTOFF")),
    """
    stopped vms on {host}; shutoff instances on host {host}; ~powerd off servers on {host}; what's switched off on
    {host|short}?
    """,
)
case(
    "scope",
    lambda w, s: rows("server", pick(w, "server", domain=s.domain["name"])),
    """
    vms in domain {domain}; servers of domain {domain}; ~instances in domian {domain}; all machines belonging to the
    {domain} domain
    """,
)
case(
    "scope",
    lambda w, s: rows("project", pick(w, "project", domain=s.domain["name"])),
    """
    projects in domain {domain}; which tenants belong to domain {domain}?; ~list porjects of domain {domain}
    """,
)
case(
    "scope",
    lambda w, s: named(w, "network", s.network, rows("server", pick(w, "server", network=s.network["name"]))),
    """
    vms on network {network}; servers connected to network {network}; ~machines in netwrok {network}; which
    instances are attached to net {network}?; what's on network {network|upper}, i mean vms
    """,
)
case(
    "scope",
    lambda w, s: named(w, "network", s.network2, count(pick(w, "port", network=s.network2["name"]))),
    """
    how many ports on network {network2}; number of ports in net {network2}; ~port coutn of network {network2}
    """,
)
case(
    "scope",
    lambda w, s: rows("server", pick(w, "server", zone=s.zone["name"])),
    """
    vms in zone {zone}; servers in availability zone {zone}; ~instances in az {zone} plaese; which machines run in
    AZ {zone}?
    """,
)
case(
    "scope",
    lambda w, s: count(pick(w, "server", project_id=s.project["id"], host=s.host["name"])),
    """
    how many vms of {project} are on {host}; number of {project} servers on host {host}; ~vms of tennant {project}
    on {host}, how many; how many machines does {project} run on hypervisor {host|short}
    """,
)
case(
    "scope",
    lambda w, s: rows("server", pick(w, "server", project_id=s.project["id"], zone=s.zone["name"], status="ACTIVE")),
    """
    running vms of {project} in zone {zone}; ~active servers in zone {zone} and porject {project}; which instances
    of {project} in AZ {zone} are on?
    """,
)
case(
    "scope",
    lambda w, s: rows("server", pick(w, "server", project_id=(s.project["id"], s.project2["id"]))),
    """
    vms in {project} and {project2}; servers of {project} or {project2}; ~instances in {project} adn {project2};
    list machines of tenants {project}, {project2}
    """,
)
case(
    "scope",
    lambda w, s: count(pick(w, "server", host=(s.host["name"], s.host2["name"]))),
    """
    how many vms run on {host} and {host2}; ~vm count on {host} plus {host2} togehter; number of servers on hosts
    {host}, {host2}
    """,
)
case(
    "scope",
    lambda w, s: rows("server", pick(w, "server", lambda v: v["project_id"] != s.project["id"])),
    """
    vms not in {project}; all servers outside of {project}; ~instances that are not in porject {project}; list
    machines except those of {project}; every vm except in tenant {project}
    """,
)
case(
    "scope",
    lambda w, s: count(pick(w, "server", lambda v: v["host"] != s.host["name"])),
    """
    how many vms are not on {host}; number of servers outside {host}; ~how many instances arent on host {host}
    """,
)
case(
    "scope",
    lambda w, s: either(
        rows("server", pick(w, "server", lambda v: v["project_id"] == s.project["id"] and v["host"] != s.host["name"])),
        # "Not running" may also be the state of those that are on the host, if the answer says so.
        saying(
            rows(
                "server",
                pick(
                    w,
                    "server",
                    lambda v: v["status"] != "ACTIVE",
                    project_id=s.project["id"],
                    host=s.host["name"],
                ),
            ),
            "not running",
            "not active",
        ),
    ),
    """
    vms of {project} not on {host}; ~{project} servers that are not runnning on {host}; machines of tenant {project}
    except on host {host}
    """,
)
case(
    "scope",
    lambda w, s: rows(
        "server",
        pick(
            w,
            "server",
            lambda v: v["status"] == "SHUTOFF" and v["project_id"] not in (s.project["id"], s.project2["id"]),
        ),
    ),
    """
    stopped vms except in {project} and {project2}; ~powered off servers not in {project} or {project2} plz
    """,
)
case(
    "scope",
    lambda w, s: Number(total(pick(w, "volume", project_id=s.project["id"]), "size_gb"), "GB"),
    """
    how much storage does {project} use in volumes; total volume size of {project}; ~sum of voulme sizes in tenant
    {project}; how many GB of volumes does {project} have?; volume capacity used by {project} in total
    """,
)
case(
    "scope",
    lambda w, s: Number(total(pick(w, "server", project_id=s.project["id"]), "vcpus")),
    """
    how many vcpus does {project} use; total cores of {project}'s vms; ~vpcus used by tenant {project}; sum of vcpus
    in {project}
    """,
)
case(
    "scope",
    lambda w, s: (
        rows("server", pick(w, "server", user_id=s.user2["id"]))
        if len(pick(w, "user", name=s.user2["name"])) == 1
        else either(
            rows("server", pick(w, "server", user=s.user2["name"])),
            rows("server", pick(w, "server", user_id=s.user2["id"])),
        )
    ),
    """
    vms created by {user2}; servers of user {user2}; ~machines craeted by user {user2}; which instances did {user2}
    create?
    """,
)
case(
    "scope",
    lambda w, s: rows("server", pick(w, "server", cloud=s.cloud["name"])),
    """
    vms in cloud {cloud}; servers of the {cloud} cloud; ~instances in colud {cloud}
    """,
    only=("isles",),
)
case(
    "scope",
    lambda w, s: count(pick(w, "server", cloud=s.cloud2["name"], status="SHUTOFF")),
    """
    how many stopped vms in cloud {cloud2}; ~shutoff instances in {cloud2}, how mnay
    """,
    only=("isles",),
)
case(
    "scope",
    lambda w, s: rows("server", pick(w, "server", region=s.region2["name"])),
    """
    vms in region {region2}; servers in {region2}; ~machines in regoin {region2}
    """,
    only=("rhine",),
)
case(
    "scope",
    lambda w, s: count(pick(w, "volume", region=s.region["name"])),
    """
    how many volumes in region {region}; ~disks in region {region} coutn
    """,
    only=("rhine",),
)
case(
    "scope",
    lambda w, s: (
        rows("subnet", pick(w, "subnet", network_id=s.network["id"]))
        if len(pick(w, "network", name=s.network["name"])) == 1
        else either(rows("subnet", pick(w, "subnet", network=s.network["name"])))
    ),
    """
    subnets of network {network}; which subnets are in net {network}; ~subents of network {network}
    """,
    only=("north", "isles"),
)
case(
    "scope",
    lambda w, s: rows("router", pick(w, "router", project_id=s.project["id"])),
    """
    routers of {project}; router in project {project}; ~ruoters of tenant {project}
    """,
)
case(
    "scope",
    lambda w, s: rows("security_group", pick(w, "security_group", project_id=s.project["id"])),
    """
    security groups of {project}; which sgs does tenant {project} have; ~secuirty groups in {project}
    """,
)
case(
    "scope",
    lambda w, s: rows("server", pick(w, "server", project_id=s.project["id"], image=None)),
    """
    vms of {project} that boot from volume; ~{project} servers bootet from volume; boot from volume instances in
    {project}
    """,
)
