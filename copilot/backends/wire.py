"""What goes over the wire to a model's server, the same for all makers' clients: one origin, our headers only, no proxy
of the environment, no redirects, no compressed or endless answers.

The clients read a good deal from the environment (keys, addresses, headers to add, proxies, tracing). None of that is
wanted here: a setting of the console says where questions go, and nothing else does.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from copilot.backends.base import Config, Limits
from copilot.backends.errors import BrokenStream, TooMuch, WrongServer
from copilot.backends.untrusted import clean

DEFAULT_URLS = {
    "ollama": "http://localhost:11434",
    "anthropic": "https://api.anthropic.com",
    "openai": "https://api.openai.com/v1",
}
WHO = {"ollama": "Ollama", "anthropic": "Anthropic", "openai": "The OpenAI-compatible server"}
AGENT = "quarterdeck"
_PASSED = frozenset((
    "host", "accept", "connection", "content-type", "content-length", "transfer-encoding", "anthropic-version",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where a backend's server is. `pinned`: the loopback address to connect to, "" where the server is elsewhere."""

    url: str
    scheme: str
    host: str
    port: int
    pinned: str = ""


def url_of(config: Config) -> str:
    """The address asked: the configured one or the maker's."""
    return (config.url or DEFAULT_URLS[config.backend]).rstrip("/")


def place(config: Config) -> Place:
    """Where the backend's server is, checked. Raises WrongServer with a sentence when it must not be used.

    Resolves the host's name where it may be this machine.
    """
    url = url_of(config)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise WrongServer(f"The model's address {clean(url, 80)!r} is not an http:// or https:// address.")
    if parts.username is not None or parts.query or parts.fragment:
        raise WrongServer("The model's address must hold no user, password or query; the key has its own setting.")
    pinned = "" if config.proxy else loopback_address(url)
    if config.key and parts.scheme == "http" and not pinned:
        raise WrongServer("The API key is not sent unencrypted to another machine; use an https:// address.")
    return Place(url, parts.scheme, host.lower(), port or (443 if parts.scheme == "https" else 80), pinned)


def is_loopback(url: str) -> bool:
    """Whether the address is this machine's own: every address that its host resolves to is a loopback address."""
    return bool(loopback_address(url))


def loopback_address(url: str) -> str:
    """The loopback address that the URL's host stands for; "" when it is, or may be, another machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or not host:
            return ""
        found = socket.getaddrinfo(host, parts.port or 0, type=socket.SOCK_STREAM)
    except (OSError, ValueError):  # not to be resolved, or no host name at all
        return ""
    addresses = [str(one[4][0]) for one in found]
    return addresses[0] if addresses and all(map(_is_loopback, addresses)) else ""


def _is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(ip, "ipv4_mapped", None)
    return bool((mapped or ip).is_loopback)


def http_options(http: ModuleType, config: Config, where: Place, limits: Limits) -> dict[str, Any]:
    """Arguments for an AsyncClient of `http` (httpx or httpx2), which the makers' clients are given."""
    return {
        "transport": transport(http, config, where, limits),
        "trust_env": False,
        "follow_redirects": False,
        # Reading is timed outside, where the first sign of an answer and a pause in it are different things.
        "timeout": http.Timeout(None, connect=limits.connect, write=30.0, pool=limits.connect),
    }


def transport(http: ModuleType, config: Config, where: Place, limits: Limits) -> Any:
    """The transport through which a maker's client sends."""
    _quiet()
    inner = http.AsyncHTTPTransport(
        verify=_trust(config) if where.scheme == "https" else False,
        trust_env=False,
        proxy=config.proxy or None,
    )
    return _transport_class(http)(inner, config, where, limits)


def _trust(config: Config) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=None)
        if config.ca_file:
            context.load_verify_locations(cafile=config.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise WrongServer("The file of trusted certificates for the model's server cannot be read.") from error
    return context


def _quiet() -> None:
    """The clients log whole requests when told to by the environment; questions belong in no log."""
    for name in ("anthropic", "openai", "httpx", "httpx2", "httpcore", "httpcore2"):
        logger = logging.getLogger(name)
        if logger.getEffectiveLevel() < logging.WARNING:
            logger.setLevel(logging.WARNING)


def _headers(request: Any, config: Config) -> list[tuple[str, str]]:
    """Headers as they leave: those that the protocol needs, the configured key, no compression."""
    kept = [(name, value) for name, value in request.headers.multi_items() if name.lower() in _PASSED]
    kept += [("User-Agent", AGENT), ("Accept-Encoding", "identity")]
    if config.key:
        own = ("X-Api-Key", config.key) if config.backend == "anthropic" else ("Authorization", f"Bearer {config.key}")
        kept.append(own)
    return kept


_classes: dict[str, Any] = {}


def _transport_class(http: ModuleType) -> Any:
    """The transport as a class of `http`'s own kind; made once for each of the two libraries."""
    if http.__name__ in _classes:
        return _classes[http.__name__]

    class Bytes(http.AsyncByteStream):  # type: ignore[misc, name-defined]
        """An answer's bytes, up to the limit."""

        def __init__(self, inner: Any, most: int) -> None:
            self._inner, self._left = inner, most

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for piece in self._inner:
                self._left -= len(piece)
                if self._left < 0:
                    raise TooMuch("The model's answer does not end; it was broken off.")
                yield piece

        async def aclose(self) -> None:
            await self._inner.aclose()

    class Guarded(http.AsyncBaseTransport):  # type: ignore[misc, name-defined]
        """Sends to one place, with our headers."""

        def __init__(self, inner: Any, config: Config, where: Place, limits: Limits) -> None:
            self._inner, self._config, self._where, self._limits = inner, config, where, limits

        async def handle_async_request(self, request: Any) -> Any:
            _aim(http, request, self._config, self._where)
            response = await self._inner.handle_async_request(request)
            try:
                _check(response, WHO[self._config.backend])
            except BaseException:
                await response.aclose()
                raise
            response.stream = Bytes(response.stream, self._limits.bytes)
            return response

        async def aclose(self) -> None:
            await self._inner.aclose()

    _classes[http.__name__] = Guarded
    return Guarded


def _aim(http: ModuleType, request: Any, config: Config, where: Place) -> None:
    url = request.url
    port = url.port or (443 if url.scheme == "https" else 80)
    if (url.scheme, url.host.lower(), port) != (where.scheme, where.host, where.port):
        raise WrongServer("A request to another address than the configured one was stopped.")
    request.headers = http.Headers(_headers(request, config))
    if where.pinned:  # the name is not resolved a second time: it could stand for another machine then
        request.url = url.copy_with(host=where.pinned)
        request.extensions = {**request.extensions, "sni_hostname": where.host}


def _check(response: Any, who: str) -> None:
    if 300 <= response.status_code < 400:
        raise WrongServer(f"{who} sends requests on to another address; set the final address in the settings.")
    if response.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
        raise BrokenStream(f"{who} answers compressed although it was asked not to.")
    if response.status_code < 400 and "text/html" in response.headers.get("content-type", "").lower():
        raise WrongServer(f"{who} answers with a web page; another server or a proxy's login is at this address.")
