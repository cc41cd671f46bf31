"""Cinder services. They have no id: binary and host make one."""

from store.types.declaration import Column, Link, Listing, ResourceType

TYPE = ResourceType(
    name="volume_service",
    plural="volume_services",
    title="Volume services",
    aliases=("vsvc", "cinder_service", "cinder_services"),
    listing=Listing(
        service="block-storage", path="/os-services", key="services", microversion="3.65", page=0, needs="admin"
    ),
    id_path=(),
    id_derive="volume_service_id",
    default_sort=("host", "binary"),
    columns=(
        Column("host", path=("host",), role="name", title="HOST", width=22, shown=True, search=True),
        Column("binary", path=("binary",), role="name", title="BINARY", width=16, shown=True, search=True),
        Column("state", path=("state",), role="status", title="STATE", width=5, shown=True, search=True),
        Column("status", path=("status",), role="status", title="STATUS", width=8, shown=True, search=True),
        Column("zone", path=("zone",), role="name", title="ZONE", width=10, shown=True, search=True),
        Column("disabled_reason", path=("disabled_reason",), title="REASON", width=24, search=True),
        Column("cluster", path=("cluster",), role="name", title="CLUSTER"),
        Column("backend_state", path=("backend_state",), role="status", title="BACKEND", width=7),
    ),
    faults=("down", "disabled", "error"),
    links=(Link("storage_pool", "service_host", own="host", title="pools"),),
    volatile_paths=(("updated_at",),),
)
