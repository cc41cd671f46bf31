"""How many."""

from __future__ import annotations

from tests.copilot.evaluation.cases import case
from tests.copilot.evaluation.expect import count, either
from tests.copilot.evaluation.oracle import pick

case(
    "count",
    lambda w, s: count(w.rows("server")),
    """
    How many VMs do we have?; ~how mnay vms; vm count; total number of instances please; count all servers; Could
    you tell me how many virtual machines exist in total?; HOW MANY MACHINES; number of guests?; what's our server
    count; how much vms have we in total; ~how much servers are ther; how many boxes are we running in total,
    whatever their state?; instances: how many; so how many vms are there now; count vms; please the number of all
    virtual machines
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("hypervisor")),
    """
    how many hypervisors; number of compute nodes?; ~how many hots do we have; hosts count; count of physical hosts;
    How many compute hosts are there in the cloud?; hv count
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("volume")),
    """
    how many volumes are there; volume count?; ~how many voulmes; count disks; total number of cinder volumes; give
    me the number of vols
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("network")),
    """
    how many networks?; ~number of netwroks; count of all nets; networks - how many
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("image")),
    """
    how many images have we got; image count; ~how many imges; number of glance images
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("project")),
    """
    how many tenants are there; how many projects are we having; project count; ~how many porjects do we have;
    number of orgs; count tenants; How many projects exist?
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("domain")),
    """
    how many domains; number of keystone domains; ~domian count; domains, how many?
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("snapshot")),
    """
    how many snapshots exist; snap count; ~numbr of snapshots; count volume snapshots; how many snaps do we keep?
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("floating_ip")),
    """
    how many floating ips; fip count?; ~floatin ips count; total fips
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("port")),
    """
    how many ports are there; number of neutron ports; ~how many prots; count ports
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("user")),
    """
    how many users are in keystone?; user count; ~how many usres; number of cloud users
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("flavor")),
    """
    how many flavors; ~flavros count; how many flavours do we offer; number of instance types
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("router")),
    """
    how many routers?; router count; ~how many ruoters are there
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("subnet")),
    """
    how many subnets; subnet count; ~number of subents
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("security_group")),
    """
    how many security groups do we have; sg count; ~how many secuirty groups; number of sgs
    """,
)
case(
    "count",
    lambda w, s: count(w.rows("backup")),
    """
    how many backups are there; backup count; ~count backpus
    """,
)
case(
    "count",
    lambda w, s: count(pick(w, "server", status="ACTIVE")),
    """
    how many vms are powered on; how many machines are running right now?; active vm count; ~how many vms are
    runing; number of servers turned on; how many instances are up; count running guests; how many vms are ACTIVE?;
    how many boxes are on
    """,
)
case(
    "count",
    lambda w, s: count(pick(w, "server", status="SHUTOFF")),
    """
    how many vms are powered off; how many machines are switched off; stopped server count; ~how many servers are
    stoped; number of instances that are shut off; count of shutoff vms; how many vms are turned off?; ~nubmer of
    powered off vms
    """,
)
case(
    "count",
    lambda w, s: count(pick(w, "server", status="ERROR")),
    """
    how many vms are in error; number of broken servers; ~how many instances are in eror state; error vm count; how
    many failed machines?
    """,
)
case(
    "count",
    lambda w, s: count(pick(w, "server", status="PAUSED")),
    """
    how many paused vms; count paused instances; ~how many servers are pasued
    """,
)
case(
    "count",
    lambda w, s: count(pick(w, "server", lambda v: v["status"] != "ACTIVE")),
    """
    how many vms are not running; number of servers that aren't active; ~count of machines wich are not running; how
    many instances don't run?
    """,
)
case(
    "count",
    lambda w, s: count(pick(w, "server", lambda v: v["status"] in ("ACTIVE", "ERROR"))),
    """
    how many vms are active or in error; number of servers running or in error state
    """,
)
case(
    "count",
    lambda w, s: either(count(pick(w, "volume", server_id=None)), count(pick(w, "volume", status="available"))),
    """
    how many volumes are unattached; number of disks nobody uses; ~how many volumes arent atached to anything; count
    of volumes not attached; how many orphaned volumes do we have; detached vols count
    """,
)
case(
    "count",
    lambda w, s: count(pick(w, "floating_ip", server=None)),
    """
    how many fips are unused; number of floating ips without a server; ~how many unasigned floating ips; free
    floating ips count; how many floating IPs aren't attached?
    """,
)
case(
    "count",
    lambda w, s: count(pick(w, "hypervisor", state="down")),
    """
    how many hosts are down; number of dead hypervisors; ~how many compute ndoes are down
    """,
)
case(
    "count",
    lambda w, s: count(pick(w, "server", locked=True)),
    """
    how many vms are locked; locked instances count; ~how many lcoked servers
    """,
)
case(
    "count",
    lambda w, s: count(pick(w, "server", image=None)),
    """
    how many vms boot from volume; number of volume-booted instances; ~count of servers bootet from volume
    """,
)
case(
    "count",
    lambda w, s: count(pick(w, "volume", encrypted=True)),
    """
    how many encrypted volumes; ~number of encryptd disks; how many vols are encrypted?
    """,
)
case(
    "count",
    lambda w, s: count(pick(w, "network", external=True)),
    """
    how many external networks are there; number of external nets; ~count externl networks
    """,
)
case(
    "count",
    lambda w, s: count(pick(w, "user", enabled=False)),
    """
    how many users are disabled; number of disabled accounts in keystone; ~disbaled users count
    """,
)
