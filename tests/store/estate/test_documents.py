"""Documents as hostile clouds may send them."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.estate.documents import BLOB_BYTES, Blobs, differs, dump, hasher
from store.estate.estate import Estate
from tests.store.estate.cloud import at, collect, current, rows, thing

nested: Any = []
for _ in range(900):
    nested = [nested]

HOSTILE = [
    "\ud800 half a surrogate",
    1 << 80,
    -(1 << 200),
    10**400,
    nested,
    {"a": {"\udfff": [1, None, True, 1.5, "x\x00y"]}},
    float("nan"),
]


@pytest.mark.parametrize("value", HOSTILE)
def test_dump_never_raises_and_stays_json(value: Any) -> None:
    data = dump({"value": value})
    data.decode("utf-8")
    json.loads(data)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_stored(estate: Estate, value: Any) -> None:
    doc = {"id": "id-1", "name": value, "project_id": value, "size": value, "tags": value, "extra": value}
    assert collect(estate, 0, [doc]).new == 1
    assert collect(estate, 1, [doc]).unchanged == 1
    (text,) = current(estate, "doc")[0]
    json.loads(text)


def test_wrong_shapes_become_null(estate: Estate) -> None:
    wrong = {"id": "id-1", "name": {"a": 1}, "size": "many", "tags": {"x": 1}, "created_at": 5, "used": [1]}
    collect(estate, 0, [wrong, {"id": 7}, {"id": ["x"]}, "text", None, 5])  # type: ignore[list-item]
    assert ("id-1", None, None, None) in current(estate, "id", "name", "size", "created_at")


def test_control_characters_and_null_bytes_survive(estate: Estate) -> None:
    name = "a\x00b\x1b[31m\u202e'; DROP TABLE thing_versions; --"
    collect(estate, 0, [thing(1, name=name)])
    assert current(estate, "name") == [(name,)]


def test_a_large_value_is_stored_once_apart_by_hash(estate: Estate) -> None:
    value = "x" * (10 << 20)
    docs = [thing(n, metadata={"big": value, "small": "y"}) for n in range(3)]
    collect(estate, 0, docs)
    digest = hashlib.sha256(value.encode()).hexdigest()
    marker = f"sha256:{digest} {len(value)}"
    for (text,) in current(estate, "doc"):
        assert orjson.loads(text)["metadata"] == {"big": marker, "small": "y"}
        assert len(text) < 500
    assert rows(estate, "SELECT hash, bytes, length(value) FROM blobs") == [(digest, len(value), len(value))]
    assert rows(estate, "SELECT count(*) FROM blob_uses")[0][0] == 3
    assert collect(estate, 1, docs).unchanged == 3
    assert collect(estate, 2, [thing(n, metadata={"big": value + "z", "small": "y"}) for n in range(3)]).changed == 3
    assert rows(estate, "SELECT count(*) FROM blobs")[0][0] == 2


def test_values_that_no_version_refers_to_are_dropped(estate: Estate) -> None:
    collect(estate, 0, [thing(1, big="a" * 70_000), thing(2, big="a" * 70_000)])
    collect(estate, 1, [thing(1, big="b" * 70_000), thing(2, big="a" * 70_000)])
    estate.retain(at(0))
    assert rows(estate, "SELECT count(*) FROM blobs")[0][0] == 2
    estate.retain(at(10))
    assert rows(estate, "SELECT count(*) FROM blobs")[0][0] == 2
    collect(estate, 2, [thing(1, big="b" * 70_000), thing(2)])
    estate.retain(at(10))
    assert rows(estate, "SELECT left(value, 1) FROM blobs") == [("b",)]
    assert rows(estate, "SELECT count(*) FROM blob_uses")[0][0] == 1


def test_a_large_collection_of_small_values_is_kept_apart_as_one() -> None:
    blobs = Blobs()
    small = blobs.shrink({"id": "a", "metadata": {f"key-{n}": "v" * 100 for n in range(1000)}})
    assert len(dump(small)) < 200
    ((size, value),) = blobs.found.values()
    assert size > BLOB_BYTES and json.loads(value)["key-7"] == "v" * 100


def test_the_hash_leaves_volatile_paths_out_and_gives_them_back() -> None:
    digest = hasher([("updated",), ("stats", "beat"), ("items", "beat"), ("absent", "x")])
    first = {"updated": 1, "stats": {"beat": 1, "k": 1}, "items": [{"beat": 1, "k": 2}, 5], "id": "a"}
    second = {"id": "a", "updated": 2, "items": [{"beat": 9, "k": 2}, 5], "stats": {"k": 1}}
    assert digest(first)[0] == digest(second)[0]
    assert first["updated"] == 1 and first["stats"] == {"beat": 1, "k": 1}
    assert json.loads(digest(first)[1]) == first
    assert digest({**first, "stats": {"k": 2}})[0] != digest(first)[0]
    flat = hasher([("updated",)])
    assert json.loads(flat({"updated": 1})[1]) == {"updated": 1}
    assert json.loads(flat({"updated": 1, "b": 2})[1]) == {"updated": 1, "b": 2}


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=2), values, max_size=4))
def test_a_document_does_not_differ_from_itself_in_another_order(doc: dict[str, Any]) -> None:
    other = json.loads(json.dumps(doc), object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    assert not differs(doc, _reversed(other), shared_only=False)
    assert differs(doc, {**doc, "new key": 1}, shared_only=False)
    assert not differs(doc, {**doc, "new key": 1}, shared_only=True)


def _reversed(value: Any) -> Any:
    if isinstance(value, list):
        return [_reversed(item) for item in reversed(value)]
    return {key: _reversed(item) for key, item in value.items()} if isinstance(value, dict) else value
