"""Raw documents: their bytes, their hash, what is kept apart from them, and whether two differ in a way that
matters."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection
from typing import Any

import orjson

BLOB_BYTES = 64 * 1024  # a value longer than this is stored by hash apart
_DEPTH = 200  # orjson writes 254 levels
_INT64 = 1 << 63

Path = tuple[str, ...]


def dump(value: Any) -> bytes:
    """Canonical JSON (sorted keys, UTF-8). Never raises on what a JSON parser can have made, however odd."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except (TypeError, RecursionError):
        clean = _clean(value, 0)
        return json.dumps(clean, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def _clean(value: Any, depth: int) -> Any:
    """The same value without what orjson refuses: half surrogates, integers over 64 bits, nesting without end."""
    if depth > _DEPTH:
        return f"(nested deeper than {_DEPTH} levels)"
    if isinstance(value, dict):
        return {_clean(str(key), depth): _clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item, depth + 1) for item in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -_INT64 <= value < 2 * _INT64 else float(value) if value.bit_length() < 1000 else str(value)
    return str(value)


class Blobs:
    """Large values found in one batch: hash -> (bytes, value)."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: dict[str, tuple[int, str]] = {}

    def shrink(self, doc: dict[str, Any]) -> dict[str, Any]:
        """The document with every value over 64 KB replaced by `sha256:<hex> <bytes>`."""
        small = {}
        for key, value in doc.items():
            value = self._strings(value, 0)
            if isinstance(value, dict | list):
                data = dump(value)
                if len(data) > BLOB_BYTES:
                    value = self._keep(data)
            small[key] = value
        return small

    def _strings(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            if len(value) * 4 <= BLOB_BYTES:
                return value
            data = value.encode("utf-8", "replace")
            return self._keep(data) if len(data) > BLOB_BYTES else value
        if depth > _DEPTH:
            return value
        if isinstance(value, dict):
            return {key: self._strings(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [self._strings(item, depth + 1) for item in value]
        return value

    def _keep(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        self.found[digest] = (len(data), data.decode("utf-8"))
        return f"sha256:{digest} {len(data)}"


Hashed = tuple[bytes, bytes]


def hasher(volatile: Collection[Path]) -> Callable[[dict[str, Any]], Hashed]:
    """A function that gives (16-byte hash, JSON of the whole document); the hash leaves the volatile paths out."""
    flat = tuple(path[0] for path in volatile if len(path) == 1)
    deep = tuple(path for path in volatile if len(path) > 1)
    blake2b = hashlib.blake2b

    def digest(doc: dict[str, Any]) -> Hashed:
        # Taking the few volatile keys out and putting them back is cheaper than copying the document, and writing
        # them behind the rest is cheaper than writing the document twice.
        kept = {key: doc.pop(key) for key in flat if key in doc}
        data = dump(_without(doc, deep) if deep else doc)
        hash = blake2b(data, digest_size=16).digest()
        if deep:
            doc.update(kept)
            return hash, dump(doc)
        if kept:
            doc.update(kept)
            data = data[:-1] + (b"," if len(data) > 2 else b"") + dump(kept)[1:]
        return hash, data

    return digest


def _without(doc: dict[str, Any], paths: tuple[Path, ...]) -> dict[str, Any]:
    """A copy without the values at those paths (only the dicts on the way are copied)."""
    copy = dict(doc)
    for path in paths:
        _drop(copy, path)
    return copy


def _drop(parent: dict[str, Any], path: Path) -> None:
    head, rest = path[0], path[1:]
    if not rest:
        parent.pop(head, None)
        return
    child = parent.get(head)
    if isinstance(child, dict):
        parent[head] = child = dict(child)
        _drop(child, rest)
    elif isinstance(child, list):
        parent[head] = items = [dict(item) if isinstance(item, dict) else item for item in child]
        for item in items:
            if isinstance(item, dict):
                _drop(item, rest)


def without(doc: dict[str, Any], paths: Collection[Path]) -> dict[str, Any]:
    """A copy of the document without the values at those paths; lists on the way are entered."""
    return _without(doc, tuple(paths))


def differs(old: dict[str, Any], new: dict[str, Any], *, shared_only: bool) -> bool:
    """Whether two documents (without volatile paths) say different things.

    Services answer lists that are sets (security groups, tags, fixed addresses) in any order, so order alone
    is no difference. With
    `shared_only`, top-level fields that only one of them has are passed over: the two were seen with different rights.
    """
    if not shared_only and old.keys() != new.keys():
        return True
    return any(key in new and value != new[key] and not _alike(value, new[key]) for key, value in old.items())


def _alike(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(value == b[key] or _alike(value, b[key]) for key, value in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and sorted(map(_ordered, a)) == sorted(map(_ordered, b))
    return bool(a == b)


def _ordered(value: Any) -> bytes:
    """A form in which values that differ only in the order of lists are equal."""
    return dump(_sorted(value))


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(item) for item in value), key=dump)
    return value
