"""Trying whether a model answers."""

from __future__ import annotations

import json

import pytest

from copilot.backends import connection
from copilot.backends.base import Config, Limits
from tests.copilot.backends import speech
from tests.copilot.backends.asking import KEY, MAKERS
from tests.copilot.backends.server import Asked, Reply, serving

LISTS = {
    "ollama": {"models": [{"model": "small:latest", "size": 1}, {"model": "large\x1b[2J:70b", "size": 2}]},
    "anthropic": {
        "data": [{"id": "small", "type": "model", "display_name": "x", "created_at": "2026-01-01T00:00:00Z"}],
        "has_more": False,
        "first_id": "small",
        "last_id": "small",
    },
    "openai": {"object": "list", "data": [{"id": "small", "object": "model", "created": 1, "owned_by": "x"}]},
}
PATHS = {"ollama": "/api/tags", "anthropic": "/v1/models", "openai": "/v1/models"}
QUICK = Limits(connect=10, first=20, between=20, total=60)


def answering(maker: str, answer: Reply):
    def turn(asked: Asked) -> Reply:
        if asked.path.partition("?")[0] == PATHS[maker]:
            return Reply([json.dumps(LISTS[maker]).encode()], headers={"content-type": "application/json"})
        return answer

    return turn


def trying(maker: str, url: str, limits: Limits = connection.TEST) -> connection.Tried:
    url += "/v1" if maker == "openai" else ""
    return connection.test_connection(Config(maker, "small", url, KEY), limits)  # type: ignore[arg-type]


@pytest.mark.parametrize("maker", MAKERS)
def test_a_model_that_answers(maker: str) -> None:
    with serving(answering(maker, speech.say(maker, "OK"))) as server:
        tried = trying(maker, server.url)
    assert tried.success and "answers with 'small'" in tried.message.replace("small.", "'small'.")
    assert 0 <= tried.latency_ms < 30_000
    assert tried.models == (("small:latest", "large[2J:70b") if maker == "ollama" else ("small",))


@pytest.mark.parametrize("maker", MAKERS)
def test_an_unknown_model_is_told_with_those_there_are(maker: str) -> None:
    with serving(answering(maker, speech.refuse(maker, 404, 'model "small" not found', "not_found_error"))) as server:
        tried = trying(maker, server.url)
    assert not tried.success and "knows no model" in tried.message and tried.models


@pytest.mark.parametrize("maker", MAKERS)
def test_a_refused_key(maker: str) -> None:
    with serving(speech.refuse(maker, 401, f"invalid key {KEY}", "authentication_error")) as server:
        tried = trying(maker, server.url)
    assert (tried.success, tried.models) == (False, ())
    assert "refuses the API key" in tried.message and KEY not in tried.message


@pytest.mark.parametrize("maker", MAKERS)
def test_nobody_there(maker: str) -> None:
    with serving(None) as server:
        port = server.port
    tried = trying(maker, f"http://127.0.0.1:{port}", QUICK)
    assert not tried.success and "cannot be reached" in tried.message


@pytest.mark.parametrize("maker", MAKERS)
def test_a_server_that_lists_no_models_is_no_failure(maker: str) -> None:
    def turn(asked: Asked) -> Reply:
        return speech.say(maker, "OK") if asked.method == "POST" else Reply([b"{}"], 404)

    with serving(turn) as server:
        tried = trying(maker, server.url)
    assert tried.success and tried.models == ()


@pytest.mark.parametrize("maker", MAKERS)
def test_a_slow_server(maker: str) -> None:
    with serving(None) as server:
        tried = trying(maker, server.url, Limits(first=0.2, total=60))
    assert not tried.success and "did not begin" in tried.message
