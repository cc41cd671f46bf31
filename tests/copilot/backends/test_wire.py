"""Where questions go, and where they never go."""

from __future__ import annotations

import logging
import socket

import pytest

from copilot.backends import wire
from copilot.backends.base import Config
from copilot.backends.connection import is_local
from copilot.backends.errors import NotReachable, WrongServer
from tests.copilot.backends import speech
from tests.copilot.backends.asking import KEY, MAKERS, ask, backend, text_of
from tests.copilot.backends.server import serving

ADDRESSES = {
    "this.machine": ["127.0.0.1", "::1"],
    "both.ways": ["127.0.0.1", "10.0.0.9"],
    "elsewhere": ["192.0.2.7"],
    "mapped": ["::ffff:127.0.0.1"],
    "mapped.elsewhere": ["::ffff:192.0.2.7"],
    "any": ["0.0.0.0"],
}


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Host names of the tests; others are not resolved at all."""
    real = socket.getaddrinfo

    def resolve(host, port, *more, **named):
        if host in ADDRESSES:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port or 0)) for one in ADDRESSES[host]]
        return real(host, port, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:11434", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:11434", True),
        ("http://localhost:11434", True),
        ("https://this.machine/v1", True),
        ("http://mapped", True),
        ("http://127.1", True),
        ("http://2130706433", True),
        ("http://mapped.elsewhere", False),
        ("http://both.ways", False),
        ("http://elsewhere", False),
        ("http://any", False),
        ("http://0.0.0.0", False),
        ("http://192.0.2.7", False),
        ("http://[fe80::1]", False),
        ("http://127.0.0.1@192.0.2.7", False),
        ("http://192.0.2.7/127.0.0.1", False),
        ("http://192.0.2.7#127.0.0.1", False),
        ("http://no-such-host.invalid", False),
        ("http://", False),
        ("http://[", False),
        ("http://localhost:port", False),
        ("file:///etc/passwd", False),
        ("unix:///run/model.sock", False),
        ("localhost:11434", False),
        ("", False),
    ],
)
def test_what_is_loopback(url: str, local: bool) -> None:
    assert wire.is_loopback(url) is local


def test_a_model_behind_a_proxy_is_not_local() -> None:
    url = "http://127.0.0.1:11434"
    assert is_local(Config("ollama", "small", url)) is True
    assert is_local(Config("ollama", "small", url, proxy="http://proxy:3128")) is False
    assert is_local(Config("openai", "gpt")) is False


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host",
        "host:11434",
        "http://",
        "http://[",
        "http://a:b@host",
        "http://host?x=1",
        "http://host#x",
        "x" * 300,
    ],
)
@pytest.mark.parametrize("maker", MAKERS)
def test_addresses_that_are_none(maker: str, url: str) -> None:
    with pytest.raises(WrongServer) as caught:
        ask(maker, url, key="")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("maker", MAKERS)
def test_a_key_is_not_sent_unencrypted_elsewhere(maker: str) -> None:
    with pytest.raises(WrongServer, match="unencrypted"):
        ask(maker, "http://192.0.2.7:9")


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("maker", MAKERS)
def test_a_local_name_is_not_resolved_a_second_time(maker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that turns into another machine's after it was looked at."""
    with serving(speech.say(maker, "12.")) as server:
        answers = iter([["127.0.0.1"], ["192.0.2.7"], ["192.0.2.7"]])
        resolved: list[str] = []
        real = socket.getaddrinfo

        def resolve(host, port, *more, **named):
            name = host.decode() if isinstance(host, bytes) else host
            if name != "turning":
                return real(host, port, *more, **named)
            resolved.append(name)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in next(answers)]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        url = f"http://turning:{server.port}" + ("/v1" if maker == "openai" else "")
        assert text_of(ask(maker, url)) == "12."
        assert len(resolved) == 1
        assert server.asked[0].headers["host"] == f"turning:{server.port}"


@pytest.mark.parametrize("maker", MAKERS)
def test_proxies_of_the_environment_are_not_used(maker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(speech.say(maker, "no")) as proxy, serving(speech.say(maker, "12.")) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert text_of(ask(maker, server)) == "12."
        with pytest.raises(NotReachable):
            ask(maker, "http://no-such-host.invalid:9", key="")
        assert proxy.asked == []


@pytest.mark.parametrize("maker", MAKERS)
def test_a_configured_proxy_is_used(maker: str) -> None:
    with serving(speech.say(maker, "12.")) as proxy:
        url = "http://models.invalid:9" + ("/v1" if maker == "openai" else "")
        assert text_of(ask(maker, url, key="", proxy=proxy.url)) == "12."
        assert proxy.asked[0].path.startswith("http://models.invalid:9/")


@pytest.mark.parametrize("maker", MAKERS)
def test_addresses_of_the_environment_are_not_used(maker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(speech.say(maker, "no")) as other, serving(speech.say(maker, "12.")) as server:
        for name in ("OLLAMA_HOST", "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL"):
            monkeypatch.setenv(name, other.url)
        assert text_of(ask(maker, server)) == "12."
        assert other.asked == []


@pytest.mark.parametrize("maker", MAKERS)
def test_the_key_is_in_no_repr_and_no_log(maker: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(speech.say(maker, "12.")) as server:
        ask(maker, server)
        assert KEY not in repr(backend(maker, server).config)
    assert KEY not in caplog.text
    assert "how many?" not in caplog.text


def test_a_file_of_certificates_that_is_none(tmp_path) -> None:
    with pytest.raises(WrongServer, match="certificates"):
        ask("openai", "https://127.0.0.1:9/v1", ca_file=str(tmp_path / "none.pem"))
