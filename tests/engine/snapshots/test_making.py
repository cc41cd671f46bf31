"""The calls that make and remove restore points: their bodies, names and metadata, and finding what they made."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.gate import rules
from engine.snapshots import group_snapshots, making
from engine.snapshots.models import TOKEN, Volume
from store.redact import is_secret, redact

AT = datetime(2026, 11, 30, 1, 2, 3, tzinfo=UTC)
VOLUME = Volume("east", "r1", "v1", "data of shop", "in-use", 20, project_id="p1")
METADATA = making.policy_metadata("daily_5", "p1", "t0", AT, volume_id="v1")


def test_a_snapshot_is_made_in_the_volumes_project_whatever_the_microversion() -> None:
    call = making.create_snapshot(VOLUME, "n" * 300, "d", METADATA)
    assert (call.method, call.path, call.session, call.project_id, call.creates) == (
        "POST", "/snapshots", "tenant", "p1", True,
    )  # fmt: skip
    # Below 3.66 an in-use volume needs it; from there on it must not be said, so no microversion is asked for.
    assert call.microversion == "" and call.body is not None and call.body["snapshot"]["force"] is True
    assert call.body["snapshot"]["volume_id"] == "v1" and len(call.body["snapshot"]["name"]) == 255
    assert rules.project_problem(call, "p1") is None and rules.project_problem(call, "admin") is not None


def test_a_machines_point_is_one_image_whose_id_is_answered() -> None:
    call = making.create_image(("east", "r1", "s1"), "p1", "n", METADATA, "web")
    assert (call.service, call.path, call.microversion) == ("compute", "/servers/s1/action", "2.45")
    assert call.body == {"createImage": {"name": "n", "metadata": METADATA}}
    assert call.creates and rules.project_problem(call, "admin") is not None
    assert making.image_of({"image_id": "i1"}) == "i1"
    assert making.image_of({}) == making.image_of({"image_id": 3}) == ""


def test_what_is_removed_is_removed_plainly() -> None:
    for call in (making.delete_snapshot(("c", "r", "s1"), "p1"), making.delete_image(("c", "r", "i1"), "p1")):
        assert call.method == "DELETE" and call.body is None and call.session == "tenant"
        assert call.path in ("/snapshots/s1", "/images/i1") and call.project_id == "p1"


def test_every_call_is_covered_by_the_standing_permission_of_policy_runs() -> None:
    key = ("east", "r1", "x1")
    for call in (
        making.create_snapshot(VOLUME, "n", "d", METADATA),
        making.create_image(key, "p1", "n", METADATA),
        making.delete_snapshot(key, "p1"),
        making.delete_image(key, "p1"),
        group_snapshots.create(key, "p1", "g1", "n", "daily", "t" * 32),
        group_snapshots.delete(key, "p1"),
        making.write_metadata(VOLUME, {"auto_snapshot": "true"}),
        making.remove_metadata(VOLUME, "retention_daily_5"),
    ):
        assert rules.stands("snapshots", call), call.path


# Names and metadata


@pytest.mark.parametrize(
    ("given_", "name"),
    [
        ({"tenant": "shop", "server": "web-1", "volume": "root"}, "auto-shop-daily_5-web-1-root-20261130-010203"),
        ({"volume": "root"}, "auto-daily_5-root-20261130-010203"),
        ({"tenant": "Müller & Söhne", "volume": "a/b c"}, "auto-M-ller-S-hne-daily_5-a-b-c-20261130-010203"),
        ({"tenant": "../..", "volume": "\x1b[31m"}, "auto-daily_5-31m-20261130-010203"),
        ({"volume": "v" * 60}, f"auto-daily_5-{'v' * 40}-20261130-010203"),
    ],
)
def test_names_are_the_documented_pattern(given_: dict[str, str], name: str) -> None:
    assert making.snapshot_name("daily_5", AT, **given_) == name
    assert making.is_policy_name(name)


def test_the_time_in_a_name_is_utc() -> None:
    berlin = AT.astimezone(timezone(timedelta(hours=1)))
    assert making.stamp(berlin) == making.stamp(AT) == "20261130-010203"


@given(st.lists(st.text(max_size=80), min_size=4, max_size=4))
def test_names_are_safe_whatever_things_are_called(parts: list[str]) -> None:
    policy, tenant, server, volume = parts
    name = making.snapshot_name(policy, AT, tenant=tenant, server=server, volume=volume)
    assert re.fullmatch(r"auto-[A-Za-z0-9._-]*20261130-010203", name) and len(name) <= 255
    assert making.part(making.part(tenant)) == making.part(tenant)


def test_metadata_says_who_made_it_for_what_and_when() -> None:
    assert METADATA == {
        "created_by": "p9_auto_snapshots",
        "policy": "daily_5",
        "original_project_id": "p1",
        "original_volume_id": "v1",
        "qdeck_mark": "t0",
        "qdeck_taken_at": "2026-11-30T01:02:03Z",
        "qdeck_consistency": "crash-consistent",
    }
    hand = making.hand_metadata("p1", "t0", AT, volume_id="v1")
    assert hand["created_by"] == "quarterdeck" and "policy" not in hand


def test_what_is_found_again_by_is_not_taken_for_a_secret() -> None:
    assert not any(is_secret(key) for key in METADATA)
    assert redact({"metadata": dict(METADATA)})["metadata"] == METADATA


# Metadata of volumes


def test_only_the_documented_keys_are_written_and_nothing_is_replaced() -> None:
    written = {"auto_snapshot": "true", "snapshot_policies": "daily_5,weekly_4", "retention_daily_5": "9"}
    call = making.write_metadata(VOLUME, written)
    assert (call.method, call.path, call.body) == ("POST", "/volumes/v1/metadata", {"metadata": written})
    assert call.session == "tenant" and not call.creates


@pytest.mark.parametrize(
    "metadata",
    [
        {"sla_days": "3"},
        {"retention_": "3"},
        {"retention": "3"},
        {"owner": "me", "auto_snapshot": "true"},
        {"snapshot_policies": "x" * 256},
        {f"retention_{'x' * 250}": "3"},
        {"retention_a\nb": "3"},
    ],
)
def test_other_keys_and_what_cinder_would_not_take_are_refused(metadata: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="volume"):
        making.write_metadata(VOLUME, metadata)


def test_only_the_documented_keys_are_taken_away() -> None:
    assert making.remove_metadata(VOLUME, "snapshot_policies").path == "/volumes/v1/metadata/snapshot_policies"
    for key in ("owner", "retention_a/b", "retention_..\\x", "retention_a b"):
        with pytest.raises(ValueError, match="can be taken"):
            making.remove_metadata(VOLUME, key)


# Finding again


def cinder(rows: list[dict[str, Any]], page: int) -> making.Get:
    """A Cinder whose pages are smaller than asked for."""

    def get(service: str, path: str, microversion: str = "", query: Any = ()) -> dict[str, Any]:
        assert (service, path) == ("block-storage", "/snapshots/detail")
        asked = dict(query)
        assert asked["all_tenants"] == "1" and asked["volume_id"] == "v1"
        start = next((n + 1 for n, row in enumerate(rows) if row["id"] == asked.get("marker")), 0)
        found: dict[str, Any] = {"snapshots": rows[start : start + page]}
        if start + page < len(rows):
            found["snapshots_links"] = [{"rel": "next", "href": "x"}]
        return found

    return get


@pytest.mark.parametrize("page", [1, 2, 5, 100])
def test_a_snapshot_is_found_by_its_token_on_any_page(page: int) -> None:
    rows: list[dict[str, Any]] = [{"id": f"s{n}", "volume_id": "v1", "metadata": {TOKEN: f"t{n}"}} for n in range(7)]
    rows += [{"id": "odd", "volume_id": "v1", "metadata": None}, {"id": "other", "volume_id": "v2"}]
    get = cinder(rows, page)
    found = making.find_by_token(get, "v1", "t6")
    assert found is not None and found["id"] == "s6"
    assert making.find_by_token(get, "v1", "t9") is None and making.find_by_token(get, "v1", "") is None
    assert [row["id"] for row in making.snapshots_of(get, "v1")][-1] == "odd"


def test_an_image_is_found_by_its_token_also_when_glance_did_not_filter() -> None:
    def get(service: str, path: str, microversion: str = "", query: Any = ()) -> dict[str, Any]:
        assert (service, path) == ("image", "/images") and (TOKEN, "t1") in query
        return {"images": [{"id": "i0"}, {"id": "i1", TOKEN: "t1"}]}

    found = making.find_image(get, "t1")
    assert found is not None and found["id"] == "i1"
    assert making.find_image(lambda *given_: None, "t1") is None


def test_the_snapshots_of_a_machines_image_are_read_from_its_mapping() -> None:
    mapping: list[Any] = [
        {"snapshot_id": "s1", "volume_size": 20, "device_name": "/dev/vda", "boot_index": 0},
        {"snapshot_id": "s2", "volume_size": None, "device_name": None, "boot_index": None},
        {"snapshot_id": None, "source_type": "blank"},
        {"snapshot_id": "../../x"},
        "odd",
    ]
    found = making.image_parts({"block_device_mapping": json.dumps(mapping)})
    assert found == [making.ImagePart("s1", 20, "/dev/vda", True), making.ImagePart("s2")]
    assert making.image_parts({"block_device_mapping": mapping}) == found


@pytest.mark.parametrize("text", [None, "", "{", "3", '"x"', "null", '{"snapshot_id": "s1"}', 7])
def test_a_mapping_that_is_none_has_no_parts(text: Any) -> None:
    assert making.image_parts({"block_device_mapping": text}) == []


# What a point is

AGENT = {"hw_qemu_guest_agent": "yes"}
FROZEN = {**AGENT, "os_require_quiesce": "True"}


@pytest.mark.parametrize(
    ("server", "image", "by_nova", "volumes", "what"),
    [
        ({"status": "ACTIVE", "OS-EXT-STS:vm_state": "active"}, FROZEN, True, 2, "quiesced"),
        ({"status": "ACTIVE"}, FROZEN, True, 1, "quiesced"),
        ({"status": "ACTIVE"}, FROZEN, False, 2, "crash-consistent"),
        ({"status": "ACTIVE"}, AGENT, True, 2, "crash-consistent"),
        ({"status": "ACTIVE"}, {"os_require_quiesce": "yes"}, True, 2, "crash-consistent"),
        ({"status": "ACTIVE"}, {**AGENT, "os_require_quiesce": "no"}, True, 2, "crash-consistent"),
        ({"status": "PAUSED"}, FROZEN, True, 2, "crash-consistent"),
        ({"status": "SHUTOFF"}, {}, True, 2, "group-consistent"),
        ({"OS-EXT-STS:vm_state": "stopped"}, FROZEN, False, 2, "group-consistent"),
        ({}, {}, False, 1, "group-consistent"),
    ],
)
def test_a_point_is_called_what_something_proves(
    server: dict[str, Any], image: dict[str, Any], by_nova: bool, volumes: int, what: str
) -> None:
    found, proof = making.consistency(server, image, by_nova=by_nova, volumes=volumes)
    assert found == what and proof
