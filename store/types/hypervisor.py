"""Compute hosts. Asked at 2.87: from 2.88 on the answer has no capacity any more."""

from store.types.declaration import Column, Link, Listing, ResourceType, Role


def _used(name: str, role: Role, title: str, width: int, shown: bool = False) -> Column:
    return Column(name, "BIGINT", (name,), role, title, width, shown=shown, volatile=True)


TYPE = ResourceType(
    name="hypervisor",
    plural="hypervisors",
    title="Hypervisors",
    aliases=("hv", "host", "hosts", "compute_host"),
    listing=Listing(
        service="compute", path="/os-hypervisors/detail", key="hypervisors", microversion="2.87", needs="admin"
    ),
    columns=(
        Column("name", path=("hypervisor_hostname",), role="name", title="NAME", width=18, shown=True, search=True),
        Column("state", path=("state",), role="status", title="STATE", width=5, shown=True, search=True),
        Column("status", path=("status",), role="status", title="STATUS", width=8, shown=True, search=True),
        Column("host_ip", path=("host_ip",), role="address", title="IP", width=15, search=True),
        Column("service_host", path=("service", "host"), role="name", title="SERVICE HOST", search=True),
        Column("disabled_reason", path=("service", "disabled_reason"), title="REASON", width=24, search=True),
        Column("hypervisor_type", path=("hypervisor_type",), title="TYPE", width=6, search=True),
        Column("hypervisor_version", "BIGINT", ("hypervisor_version",), role="number", title="VERSION", width=8),
        Column("vcpus", "BIGINT", ("vcpus",), role="number", title="vCPU", width=5, shown=True),
        _used("vcpus_used", "number", "vCPU USED", 9, True),
        Column("memory_mb", "BIGINT", ("memory_mb",), role="size_mb", title="RAM", width=6, shown=True),
        _used("memory_mb_used", "size_mb", "RAM USED", 8, True),
        Column("local_gb", "BIGINT", ("local_gb",), role="size_gb", title="DISK", width=6, shown=True),
        _used("local_gb_used", "size_gb", "DISK USED", 9),
        _used("running_vms", "number", "VMs", 4, True),
    ),
    list_columns=(
        "name",
        "state",
        "status",
        "vcpus",
        "vcpus_used",
        "memory_mb",
        "memory_mb_used",
        "local_gb",
        "running_vms",
    ),
    faults=("down", "error"),
    links=(
        Link("server", "host", own="name", title="servers"),
        Link("compute_service", "host", own="service_host", title="compute service"),
        Link("aggregate", "hosts", own="service_host", title="aggregates"),
        Link("network_agent", "host", own="service_host", title="network agents"),
    ),
    volatile_paths=(
        ("free_ram_mb",),
        ("free_disk_gb",),
        ("current_workload",),
        ("disk_available_least",),
        ("uptime",),
        ("links",),
    ),
    documented={
        "hypervisor_id": "id",
        "hypervisor_hostname": "name",
        "hypervisor_type": "hypervisor_type",
        "host_ip": "host_ip",
        "state": "state",
        "status": "status",
        "vcpus": "vcpus",
        "vcpus_used": "vcpus_used",
        "memory_mb": "memory_mb",
        "memory_mb_used": "memory_mb_used",
        "local_gb": "local_gb",
        "local_gb_used": "local_gb_used",
        "running_vms": "running_vms",
    },
)
