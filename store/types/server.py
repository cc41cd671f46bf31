"""Servers (Nova instances), read at 2.87 or higher: the flavor is embedded and has no id."""

from store.types.declaration import Column, Joined, Link, Listing, ResourceType

TYPE = ResourceType(
    name="server",
    plural="servers",
    title="Servers",
    aliases=("vm", "vms", "instance", "instances", "srv"),
    listing=Listing(
        service="compute",
        path="/servers/detail",
        key="servers",
        microversion="2.96",
        all_projects="all_tenants",
        delta="changes-since",
        needs="admin",
    ),
    columns=(
        Column("name", path=("name",), role="name", title="NAME", width=22, shown=True, search=True),
        Column("status", path=("status",), role="status", title="STATUS", width=9, shown=True, search=True),
        Column("project_id", path=("tenant_id",), role="id", title="PROJECT ID"),
        Column("user_id", path=("user_id",), role="id", title="USER ID"),
        Column("vm_state", path=("OS-EXT-STS:vm_state",), role="status", title="VM STATE"),
        Column("task_state", path=("OS-EXT-STS:task_state",), role="status", title="TASK"),
        Column("power_state", "BIGINT", ("OS-EXT-STS:power_state",), role="number", title="POWER"),
        Column("host", path=("OS-EXT-SRV-ATTR:hypervisor_hostname",), role="name", title="HOST", width=14, shown=True, guarded=True, search=True),
        Column("flavor_name", path=("flavor", "original_name"), role="name", title="FLAVOR", search=True),
        Column("vcpus", "BIGINT", ("flavor", "vcpus"), role="number", title="vCPU", width=4, shown=True),
        Column("ram_mb", "BIGINT", ("flavor", "ram"), role="size_mb", title="RAM", width=6, shown=True),
        Column("flavor_disk_gb", "BIGINT", ("flavor", "disk"), role="size_gb", title="FLAVOR GB"),
        Column("image_id", derive="server_image_id", role="id", title="IMAGE ID"),
        Column("addresses", "VARCHAR[]", derive="server_addresses", role="address", title="IPs", width=22, shown=True, search=True),
        Column("volume_ids", "VARCHAR[]", derive="server_volume_ids", role="list", title="VOLUMES"),
        Column("availability_zone", path=("OS-EXT-AZ:availability_zone",), role="name", title="ZONE"),
        Column("locked", "BOOLEAN", ("locked",), role="bool", title="LOCKED"),
        Column("key_name", path=("key_name",), role="name", title="KEY", search=True),
        Column("fault", path=("fault", "message"), title="FAULT", width=40, search=True),
        Column("user_data_sha256", derive="server_user_data_sha256", role="id", title="USER DATA", guarded=True),
        Column("created_at", "TIMESTAMP", ("created",), role="time", title="AGE", width=5),
    ),
    joined=(
        Joined("project_name", "project", on="project_id", title="PROJECT", shown=True),
        Joined("domain_name", "project", on="project_id", take="domain_name", title="DOMAIN"),
        Joined("image_name", "image", on="image_id", title="IMAGE"),
    ),
    links=(
        Link("volume", "server_ids", title="volumes"),
        Link("port", "device_id", title="ports"),
        Link("hypervisor", "name", own="host", title="host"),
    ),
    volatile_paths=(("links",), ("updated",), ("OS-SRV-USG:launched_at",), ("progress",)),
)
