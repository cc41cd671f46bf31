"""Every declaration is consistent with the others: what it names exists, and no name is used twice."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from store.types import derive, registry
from store.types.declaration import Column, Computed, Joined, ResourceType

TYPES = list(registry.ALL.values())
SQL = {"VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "TIMESTAMP", "VARCHAR[]"}
RESERVED = {"cloud", "region", "scope", "id", "valid_from", "valid_to", "seen_visibility", "hash", "denied"}
RESERVED |= {"search", "doc"}
SERVICES = {"compute", "block-storage", "network", "image", "identity"}
every_type = pytest.mark.parametrize("type", TYPES, ids=lambda type: type.name)


def test_registry_holds_every_declaration() -> None:
    from importlib import import_module
    from pathlib import Path

    folder = Path(registry.__file__).parent
    skip = {"__init__", "actions", "declaration", "derive", "extract", "parts", "registry", "relations"}
    names = {path.stem for path in folder.glob("*.py")} - skip
    assert names == set(registry.ALL)
    for name in names:
        assert import_module(f"store.types.{name}").TYPE is registry.ALL[name]


def test_no_word_means_two_types() -> None:
    seen: dict[str, str] = {}
    for type in TYPES:
        for word in registry.words(type):
            assert re.fullmatch(r"[a-z][a-z_]*", word), word
            assert seen.setdefault(word, type.name) == type.name, word


@every_type
def test_columns(type: ResourceType) -> None:
    names = [column.name for column in type.view_columns]
    assert len(names) == len(set(names))
    assert not set(names) & RESERVED
    for column in type.view_columns:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
        assert column.sql in SQL
        assert column.title and len(column.title) <= (14 if isinstance(column, Computed) else 13), column.title
        assert 2 <= column.width <= 60
    for column in type.columns:
        assert bool(column.path) or bool(column.derive), column.name
        assert not column.guarded or column.path, column.name
        assert not column.derive or hasattr(derive, column.derive)
        assert column.sql != "TIMESTAMP" or column.role == "time"
        assert column.sql != "BOOLEAN" or column.role == "bool"


@every_type
def test_default_list_fits_80_cells(type: ResourceType) -> None:
    columns = [type.column(name) for name in type.default_columns]
    assert {column.name for column in columns} == {column.name for column in type.view_columns if column.shown}
    assert 2 <= len(columns) <= 9
    assert sum(column.width + 1 for column in columns) <= 86


@every_type
def test_sort_links_and_documented_names_exist(type: ResourceType) -> None:
    stored = {column.name for column in type.columns} | {"id"}
    visible = {column.name for column in type.view_columns} | {"id"}
    assert set(type.default_sort) <= visible
    assert set(type.documented.values()) <= visible
    assert not type.owner or type.owner in {column.name for column in type.columns}
    assert not type.limited_by or type.limited_by in visible
    assert not type.domain or type.domain in stored
    for column, value in type.open_when:
        assert type.column(column).sql == ("BOOLEAN" if isinstance(value, bool) else "VARCHAR")
    for link in type.links:
        target = registry.ALL[link.type]
        assert link.column == "id" or any(link.column == column.name for column in target.columns), link
        assert link.own in stored, link
        assert link.title


@every_type
def test_joined_columns_exist_and_agree(type: ResourceType) -> None:
    for joined in type.joined:
        target = registry.ALL[joined.type]
        assert any(joined.on == column.name for column in type.columns), joined
        assert joined.key == "id" or isinstance(target.column(joined.key), Column)
        taken = target.column(joined.take)
        assert isinstance(taken, Column | Joined), "a computed column cannot be joined"
        assert taken.sql == joined.sql


def test_joins_never_run_in_a_circle() -> None:
    def walk(type: ResourceType, joined: Joined, trail: tuple[str, ...]) -> None:
        assert type.name not in trail, trail
        taken = registry.ALL[joined.type].column(joined.take)
        if isinstance(taken, Joined):
            walk(registry.ALL[joined.type], taken, (*trail, type.name))

    for type in TYPES:
        for joined in type.joined:
            walk(type, joined, ())


@every_type
def test_links_go_both_ways(type: ResourceType) -> None:
    """Where rows of one type name another resource by its id, that resource leads back to them."""
    for link in type.links:
        if link.column != "id" or type.name in ("cinder_message", "backup"):
            continue
        back = registry.ALL[link.type].links
        if link.type == "user" or (link.type, type.name) in NO_WAY_BACK:
            continue
        assert any(other.type == type.name for other in back), f"{link.type} has no link to {type.name}"


# The other side would be a list of no use (a project's every rule), or leads there in another way.
NO_WAY_BACK = {
    ("project", type)
    for type in ("server_group", "subnet", "security_group_rule", "trunk", "user", "volume_attachment", "keypair")
} | {("server", "volume_attachment"), ("volume", "volume_attachment")}


@every_type
def test_listing(type: ResourceType) -> None:
    listing = type.listing
    assert listing.service in SERVICES
    assert listing.path.startswith("/") and listing.key
    assert ("{project_id}" in listing.path) == (listing.per == "project")
    assert listing.global_ == (listing.service == "identity")
    assert not listing.microversion or re.fullmatch(r"[23]\.\d+", listing.microversion)
    assert "{time}" in listing.delta_value
    assert bool(type.id_path) != bool(type.id_derive)
    assert all(path and all(path) for path in type.volatile_paths)


def test_the_documented_server_fields_are_exactly_those() -> None:
    assert list(registry.ALL["server"].documented) == [
        *(
            "vm_id",
            "vm_name",
            "domain_name",
            "tenant_name",
            "status",
            "flavor_name",
            "vcpus",
            "ram_mb",
            "disk_gb",
            "ips",
        ),
        *("image_name", "hypervisor_hostname", "host_vcpus_total", "host_vcpus_used", "host_ram_total_mb"),
        *("host_ram_used_mb", "host_disk_total_gb", "host_disk_used_gb", "host_running_vms"),
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("server", "server"),
        ("Servers", "server"),
        (" VM ", "server"),
        ("fip", "floating_ip"),
        ("security groups", "security_group"),
        ("security-group-rules", "security_group_rule"),
        ("hyp", "hypervisor"),
        ("az", "availability_zone"),
        ("dom", "domain"),
        ("volume", "volume"),
    ],
)
def test_find(text: str, name: str) -> None:
    assert registry.find(text).name == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("srever", "servers"),
        ("sna", "snapshots"),
        ("", "servers"),
        ("zzzz", "known are"),
        ("volume_", "several"),
        ("x" * 10000, "no resource type"),
    ],
)
def test_find_says_what_is_near(text: str, words: str) -> None:
    if text in ("sna",):
        assert registry.find(text).plural == words
        return
    if text == "volume_":
        assert registry.find(text).name == "volume"
        return
    with pytest.raises(KeyError) as error:
        registry.find(text)
    assert words in str(error.value)
    assert len(str(error.value)) < 700


def test_find_refuses_a_prefix_of_several() -> None:
    with pytest.raises(KeyError, match="several"):
        registry.find("se")


def test_import_is_light() -> None:
    """Standard library only, and little of it."""
    code = (
        "import dataclasses, typing, sys, time; before = set(sys.modules); a = time.process_time();"
        "import store.types.registry;"
        "print(time.process_time() - a, *sorted(set(sys.modules) - before))"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(3)
    ]
    assert all(name.startswith(("store", "__future__", "_")) for name in runs[0][1:]), runs[0][1:]
    assert min(float(run[0]) for run in runs) < 0.06
