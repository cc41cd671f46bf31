"""Routes that are asked all the time are looked for first, and nothing else changes."""

from typing import Any

import pytest
from fastapi import FastAPI

from engine.api.mounting import first
from tests.engine.api.furniture import client


def app() -> FastAPI:
    made = FastAPI()

    def answer(word: str) -> Any:
        return lambda: {"answer": word}

    made.get("/things/{id}")(lambda id: {"answer": f"thing {id}"})
    made.get("/a")(answer("a"))
    made.get("/busy")(answer("busy"))
    made.post("/busy")(answer("posted"))
    made.get("/b")(answer("b"))
    return made


def test_they_come_first_in_the_order_given_and_the_others_keep_theirs() -> None:
    made = app()
    before = [getattr(route, "path", "") for route in made.routes]
    first(made, ["/b", "/busy"])
    after = [getattr(route, "path", "") for route in made.routes]
    assert after == ["/b", "/busy", "/busy", *(path for path in before if path not in ("/b", "/busy"))]


ASKED = [
    ("GET", "/busy"),
    ("POST", "/busy"),
    ("PUT", "/busy"),
    ("GET", "/things/busy"),
    ("GET", "/a"),
    ("GET", "/x"),
]


async def test_every_request_is_answered_as_before() -> None:
    plain, other = app(), app()
    first(other, ["/busy"])
    async with client(plain, {}) as before, client(other, {}) as after:
        for method, path in ASKED:
            expected, got = await before.request(method, path), await after.request(method, path)
            assert (got.status_code, got.json()) == (expected.status_code, expected.json()), (method, path)


@pytest.mark.parametrize("path", ["/things/{id}", "/nowhere"])
def test_what_may_take_another_routes_requests_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="can't be looked for first"):
        first(app(), [path])
