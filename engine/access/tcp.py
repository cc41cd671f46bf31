"""The listener over TCP: off unless configured, and never in clear beyond the machine itself."""

from __future__ import annotations

import ipaddress
import ssl
from pathlib import Path
from typing import Any

from engine.settings.models import Settings
from engine.settings.secrets import SecretUnreadable, check_private


class TcpRefused(Exception):
    """The configured listener would be unsafe or cannot work; one clear sentence. The engine does not start."""


def tcp_options(settings: Settings) -> dict[str, Any] | None:
    """Arguments for `uvicorn.Config(app, **options)` of the TCP listener; None when none is configured.

    Checks the certificate and key now, so that the engine fails at start and not at the first connection.
    Raises TcpRefused.
    """
    tcp = settings.engine.tcp
    if tcp.listen is None:
        return None
    host, _, port = tcp.listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    options: dict[str, Any] = {
        "host": host,
        "port": int(port),
        # The peer's address decides rate limits: no header may replace it.
        "proxy_headers": False,
        "server_header": False,
        "access_log": False,
        "limit_concurrency": 256,
        "timeout_keep_alive": 30,
        "h11_max_incomplete_event_size": 32 * 1024,
    }
    if tcp.certificate is not None and tcp.key is not None:
        tls_context(tcp.certificate, tcp.key)
        certificate, key = tcp.certificate, tcp.key
        return {
            **options,
            "ssl_certfile": str(certificate),
            "ssl_keyfile": str(key),
            "ssl_context_factory": lambda *_: tls_context(certificate, key),
        }
    if not is_loopback(host):
        raise TcpRefused(
            f"engine.tcp.listen is {tcp.listen}, which other machines can reach, and no TLS is configured; "
            "set engine.tcp.certificate and engine.tcp.key, or listen on 127.0.0.1"
        )
    return options


def tls_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """A server's context for TLS 1.2 and later with this chain and key. Raises TcpRefused."""
    if not certificate.is_file():
        raise TcpRefused(f"the certificate file {certificate} does not exist; correct engine.tcp.certificate")
    try:
        check_private(key)
    except SecretUnreadable as error:
        raise TcpRefused(str(error)) from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        # An empty password instead of the terminal's: a background process has nobody to ask.
        context.load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, OSError) as error:
        reason = getattr(error, "reason", None) or error.strerror or str(error)
        raise TcpRefused(
            f"the certificate {certificate} and the key {key} cannot be used together ({reason}); both must be PEM, "
            "belong together, and the key must have no passphrase"
        ) from error
    return context


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches `host`. A name other than localhost counts as reachable by others."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
