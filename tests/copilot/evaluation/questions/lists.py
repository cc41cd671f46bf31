"""Lists of things, and what they are when they are in some state."""

from __future__ import annotations

from tests.copilot.evaluation.cases import case
from tests.copilot.evaluation.expect import either, rows
from tests.copilot.evaluation.oracle import pick

_ALL = {
    "server": """
        list vms; show me all servers; ~lsit all instances; which machines do we have?; all vms please; display every
        virtual machine; SHOW VMS; give me the complete list of guests
    """,
    "hypervisor": """
        list hosts; please show me once all hosts; show all hypervisors; what compute nodes do we have; ~shwo me the
        hosts; hypervisor list; LIST ALL HOSTS
    """,
    "volume": """
        list volumes; show all disks; ~list all volmues; which volumes exist; vols; volumes overview list please
    """,
    "network": """
        list networks; show me the networks; ~what netwokrs are there; all nets
    """,
    "floating_ip": """
        list floating ips; show fips; ~list all flaoting ips; which floating IPs do we have
    """,
    "subnet": """
        list subnets; show all subnets; ~subntes list
    """,
    "router": """
        list routers; which routers exist?; ~show me teh routers
    """,
    "flavor": """
        list flavors; what flavours are available; ~show falvors; which instance types can I use
    """,
    "image": """
        list images; what images do we have; ~show all iamges; imgs
    """,
    "project": """
        list projects; show all tenants; ~list tennants; which orgs are there
    """,
    "domain": """
        list domains; what domains do we have?; ~shwo domains
    """,
    "user": """
        list keystone users; show all cloud users; ~lsit users in keystone
    """,
    "security_group": """
        list security groups; show me all sgs; ~lits secgroups
    """,
    "snapshot": """
        list snapshots; show all volume snapshots; ~shwo snaps
    """,
    "backup": """
        list backups; show all volume backups; ~lsit backups
    """,
    "keypair": """
        list keypairs; show ssh keys; ~key pairs lsit
    """,
    "availability_zone": """
        list availability zones; which AZs do we have?; ~show avialability zones
    """,
    "aggregate": """
        list host aggregates; show aggregates; ~host agregates
    """,
    "volume_type": """
        list volume types; what volume types are there; ~volume tyeps
    """,
    "network_agent": """
        list network agents; show neutron agents; ~netwrok agents list
    """,
    "port": """
        list ports; show all neutron ports; ~lsit ports
    """,
    "role_assignment": """
        list role assignments; who has access to what; ~show all role assigments
    """,
}
for _type, _words in _ALL.items():
    case("list", lambda w, s, type=_type: rows(type, w.rows(type)), _words)  # type: ignore[misc]

case(
    "list",
    lambda w, s: rows("server", pick(w, "server", status="ACTIVE")),
    """
    show running vms; list powered on machines; which servers are active; ~show me the runing instances; all active
    guests; what vms are turned on?
    """,
)
case(
    "list",
    lambda w, s: rows("server", pick(w, "server", status="SHUTOFF")),
    """
    list powered off vms; show me the machines who are off; show stopped servers; which machines are switched off?;
    ~lsit stopped vms; shutoff instances; what's powered off; give me the vms that are turned off; vms off; show me
    shut down machines
    """,
)
case(
    "list",
    lambda w, s: either(
        rows("server", pick(w, "server", status="ERROR")),
        rows("server", pick(w, "server", lambda v: v["status"] not in ("ACTIVE", "SHUTOFF"))),
    ),
    """
    vms in error; show me please all vms which stand on error; show broken servers; which instances are in ERROR
    state?; ~list vms in eror; failed vms; error instances pls; any machines in error? list them; faulty servers
    """,
)
case(
    "list",
    lambda w, s: either(
        rows("hypervisor", pick(w, "hypervisor", state="down")),
        rows("hypervisor", pick(w, "hypervisor", lambda h: h["state"] == "down" or h["status"] == "disabled")),
    ),
    """
    hosts down; which hypervisors are down?; ~show donw hosts; dead compute nodes; list hosts that are not up; down
    hosts?
    """,
)
case(
    "list",
    lambda w, s: rows("hypervisor", pick(w, "hypervisor", status="disabled")),
    """
    which hosts are disabled; show disabled hypervisors; ~list disabeld compute nodes; hosts with scheduling
    disabled
    """,
)
case(
    "list",
    lambda w, s: rows("hypervisor", pick(w, "hypervisor", state="up")),
    """
    which hosts are up; list hypervisors that are up; ~hots that are up
    """,
)
case(
    "list",
    lambda w, s: rows("server", pick(w, "server", lambda v: v["status"] != "ACTIVE")),
    """
    which vms are not running; list servers that are not active; ~show all machines taht aren't running; everything
    not running, vms i mean
    """,
)
case(
    "list",
    lambda w, s: rows("server", pick(w, "server", status=("PAUSED", "SUSPENDED"))),
    """
    show paused or suspended vms; list suspended and paused instances; ~vms that are paused or suspened
    """,
)
case(
    "list",
    lambda w, s: either(
        rows("volume", pick(w, "volume", server_id=None)), rows("volume", pick(w, "volume", status="available"))
    ),
    """
    unattached volumes; show volumes that are not attached; which disks are not in use?; ~list unatached volumes;
    orphaned vols; volumes without a server; disks attached to nothing; free volumes
    """,
)
case(
    "list",
    lambda w, s: rows("volume", pick(w, "volume", status="error")),
    """
    volumes in error; show broken volumes; ~which voluems are in error; error vols?
    """,
)
case(
    "list",
    lambda w, s: rows("volume", pick(w, "volume", encrypted=True)),
    """
    list encrypted volumes; which disks are encrypted; ~encrpyted volumes
    """,
)
case(
    "list",
    lambda w, s: rows("volume", pick(w, "volume", bootable=True)),
    """
    bootable volumes; show me volumes that are bootable; ~which disks are botable
    """,
)
case(
    "list",
    lambda w, s: rows("floating_ip", pick(w, "floating_ip", server=None)),
    """
    unused floating ips; which fips are free; list floating ips not attached to a vm; ~unasociated fips; fips
    without server
    """,
)
case(
    "list",
    lambda w, s: rows("snapshot", pick(w, "snapshot", status="error")),
    """
    failed snapshots; snapshots in error state; ~show snapshots in errror
    """,
)
case(
    "list",
    lambda w, s: rows("network", pick(w, "network", external=True)),
    """
    external networks; which networks are external?; ~list extrenal nets
    """,
)
case(
    "list",
    lambda w, s: rows("network", pick(w, "network", shared=True)),
    """
    shared networks; which nets are shared; ~show sharde networks
    """,
)
case(
    "list",
    lambda w, s: rows("network", pick(w, "network", status="DOWN")),
    """
    networks that are down; which network is down?; ~netwroks down
    """,
)
case(
    "list",
    lambda w, s: rows("server", pick(w, "server", locked=True)),
    """
    locked vms; which instances are locked; ~lcoked servers
    """,
)
case(
    "list",
    lambda w, s: rows("project", pick(w, "project", enabled=False)),
    """
    disabled projects; which tenants are disabled?; ~disabeld tenants
    """,
)
case(
    "list",
    lambda w, s: rows("user", pick(w, "user", enabled=False)),
    """
    disabled users; keystone users that are disabled; ~list diasbled users
    """,
)
case(
    "list",
    lambda w, s: rows("image", pick(w, "image", visibility="private")),
    """
    private images; which images are private; ~privat images
    """,
)
case(
    "list",
    lambda w, s: rows("image", pick(w, "image", protected=True)),
    """
    protected images; images that are protected against deletion; ~protcted images
    """,
)
case(
    "list",
    lambda w, s: (
        rows("flavor", pick(w, "flavor", public=False))
        if any(not f["public"] for f in w.rows("flavor"))
        else rows("flavor", [])
    ),
    """
    non-public flavors; flavors that are not public
    """,
    only=("north",),
)
case(
    "list",
    lambda w, s: rows("network_agent", pick(w, "network_agent", state="down")),
    """
    network agents down; which neutron agents are dead?; ~agnets down
    """,
)
case(
    "list",
    lambda w, s: rows("compute_service", pick(w, "compute_service", state="down")),
    """
    compute services down; nova services that are down; ~which nova servcies are down
    """,
)
case(
    "list",
    lambda w, s: rows("subnet", pick(w, "subnet", dhcp=False)),
    """
    subnets without dhcp; which subnets have dhcp disabled; ~subnets with no dhpc
    """,
)
