"""JSON that parsers disagree about: each gets an answer, and nothing of it breaks what is stored."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.api.furniture import Furniture, quick_hashes

BODIES = {
    "big integer": b"1" * 400,
    "beyond 64 bits": b"[18446744073709551616, -9223372036854775809]",
    "not a number": b"[NaN, Infinity, -Infinity]",
    "huge float": b"1e999",
    "lone surrogate": b'"\\ud800"',
    "surrogate key": b'{"\\udfff": 1}',
    "null character": b'"a\\u0000b"',
    "deep": b"[" * 300 + b"]" * 300,
    "deeper": b"[" * 5000 + b"]" * 5000,
    "deepest": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "duplicate keys": b'{"a": 1, "a": 2}',
    "not UTF-8": b'"\xff\xfe"',
    "byte order mark": b"\xef\xbb\xbf1",
    "escapes": b'"\\u001b]0;x\\u0007\\u202e"',
    "empty": b"",
    "null": b"null",
}


@pytest.fixture
def engine(tmp_path: Path):
    made = Furniture(tmp_path)
    with quick_hashes():
        yield made
    made.close()


@pytest.mark.parametrize(
    ("method", "path", "frame"),
    [
        ("PUT", "/q/session-view", b"%b"),
        ("PUT", "/q/settings/collection.retries", b'{"value": %b}'),
        ("PUT", "/q/settings/logging.level", b'{"value": %b}'),
        ("POST", "/auth/login", b'{"username": %b, "password": "x"}'),
        ("POST", "/auth/login", b'{"username": "x", "password": %b}'),
        ("POST", "/q/users", b'{"username": "x", "password": "long enough", "clouds": [%b]}'),
        ("POST", "/q/tokens", b'{"name": "x", "expires_days": %b}'),
    ],
)
async def test_hostile_bodies(engine: Furniture, method: str, path: str, frame: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with engine.embedded() as client:
        for name, body in BODIES.items():
            answer = await client.request(method, path, content=frame % body, headers=headers)
            assert answer.status_code < 500, (name, answer.text)
            assert answer.status_code < 400 or set(answer.json()) == {"detail"}, (name, answer.text)
        for check in ("/q/session-view", "/q/settings", "/q/audit", "/q/users", "/q/tokens"):
            again = await client.get(check)
            assert again.status_code == 200
            again.json()
    assert engine.audit.verify().ok
