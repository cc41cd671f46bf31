"""Secrets never get past the door: each is planted, and everything that was written is searched."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.estate.estate import Estate
from store.estate.models import Listing
from store.estate.visibility import Visibility
from store.ids import uuid7
from store.redact import HIDDEN, redact
from store.times import utcnow
from store.types import registry

PLANT = "planted-value-that-must-never-be-stored"
USER_DATA = base64.b64encode(f"#cloud-config\npassword: {PLANT}\n".encode()).decode()

PLANTED: list[tuple[str, dict[str, Any]]] = [
    ("server", {"OS-EXT-SRV-ATTR:user_data": USER_DATA}),
    ("server", {"user_data": USER_DATA}),
    ("server", {"adminPass": PLANT}),
    ("server", {"metadata": {"db_password": PLANT, "role": "web"}}),
    ("server", {"metadata": {"API-KEY": PLANT, "AccessKey": PLANT, "authToken": PLANT, "PassPhrase": PLANT}}),
    ("server", {"remote_console": {"url": f"https://c/?token={PLANT}", "type": "novnc"}}),
    ("server", {"unknown": [{"deep": {"client_secret": PLANT}}]}),
    ("keypair", {"name": "k", "user_id": "u", "private_key": PLANT}),
    ("volume", {"metadata": {"luks_passwd": PLANT}}),
    ("volume", {"volume_image_metadata": {"os_secret": PLANT}}),
    ("volume_attachment", {"connection_info": {"auth_password": PLANT, "discovery_auth_password": PLANT}}),
    ("image", {"os_admin_password": PLANT}),
    ("image", {"direct_url": f"swift+https://user:{PLANT}@host/container/id"}),
    ("image", {"locations": [{"url": f"swift+https://user:{PLANT}@host/c", "metadata": {}}]}),
    ("user", {"password": PLANT, "name": "u"}),
    ("user", {"options": {"secret": PLANT}}),
]


@pytest.mark.parametrize(("type", "fields"), PLANTED, ids=[f"{t}-{next(iter(f))}" for t, f in PLANTED])
def test_a_planted_secret_is_nowhere_in_the_document(type: str, fields: dict[str, Any]) -> None:
    document = redact({"id": "1", "name": "n", **copy.deepcopy(fields)})
    assert PLANT not in json.dumps(document)
    assert USER_DATA not in json.dumps(document)
    assert redact(copy.deepcopy(document)) == document


def test_user_data_leaves_its_hash_and_size() -> None:
    data = base64.b64decode(USER_DATA)
    document = redact({"id": "1", "OS-EXT-SRV-ATTR:user_data": USER_DATA})
    expected = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    assert document["OS-EXT-SRV-ATTR:user_data"] == expected


def test_64_kb_of_user_data_add_no_more_than_100_bytes() -> None:
    big = redact({"id": "1", "OS-EXT-SRV-ATTR:user_data": base64.b64encode(b"x" * 49_150).decode()})
    none = redact({"id": "1", "OS-EXT-SRV-ATTR:user_data": None})
    assert len(json.dumps(big, separators=(",", ":"))) - len(json.dumps(none, separators=(",", ":"))) <= 100


HARMLESS: list[dict[str, Any]] = [
    {"password_expires_at": "2027-01-01T00:00:00.000000"},
    {"addresses": {"secret-net": [{"addr": "10.0.0.1"}]}},
    {"metadata": {"role": "web", "owner": "team"}},
    {"key_name": "ops"},
    {"security_groups": [{"name": "token-ring"}]},
    {"metadata": {"has_secret": True, "password": "", "token": None}},
]


@pytest.mark.parametrize("fields", HARMLESS, ids=[next(iter(f)) for f in HARMLESS])
def test_what_is_no_secret_stays(fields: dict[str, Any]) -> None:
    document = {"id": "1", **fields}
    assert redact(copy.deepcopy(document)) == document


def test_too_deep_is_not_kept() -> None:
    deep: Any = {"client_secret": PLANT}
    for _ in range(30):
        deep = [{"x": deep}]
    document = redact({"id": "1", "blob_of_json": deep})
    assert PLANT not in json.dumps(document)
    assert HIDDEN in json.dumps(document)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=25,
)


@given(st.dictionaries(st.text(max_size=12) | st.sampled_from(["metadata", "password", "user_data"]), JSON, max_size=8))
def test_any_document_passes(document: dict[str, Any]) -> None:
    once = redact(document)
    assert redact(copy.deepcopy(once)) == once


def test_nothing_planted_reaches_the_store(tmp_path: Path) -> None:
    seen = Visibility("e", "u", "project:p", ("admin",), True)
    with Estate.open(tmp_path / "estate.duckdb", types=registry.ALL) as estate:
        for number, (type, fields) in enumerate(PLANTED):
            writer = estate.begin(Listing(uuid7(), "c", "", type, "delta", "all", seen, utcnow()))
            builder = writer.builder()
            builder.add(redact({"id": f"id-{number}", "name": "n", **copy.deepcopy(fields)}))
            writer.add(builder.take())
            writer.finish(ended_at=utcnow())
        estate.checkpoint()
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        assert PLANT.encode() not in content and USER_DATA.encode() not in content
