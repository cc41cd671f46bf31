"""Clouds that do not work, each in its own way, on loopback."""

from __future__ import annotations

import datetime
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Answers = Callable[[str, str, str], tuple[int, Any]]  # (method, path, own address) -> status, body


def write_clouds(path: Path, url: str, name: str = "broken", **entry: Any) -> Path:
    """A clouds.yaml (JSON is YAML) with one entry."""
    auth = {"auth_url": url, "username": "u", "password": "made-up", "project_name": "p"}
    auth |= {"user_domain_id": "default", "project_domain_id": "default"}
    path.write_text(json.dumps({"clouds": {name: {"auth": auth, **entry}}}))
    return path


def refusing() -> str:
    """An address where nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/v3"


@contextmanager
def listening(serve: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a listener that hands every connection to `serve`."""
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def accept() -> None:
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    def one(connection: socket.socket) -> None:
        try:
            wrapped = context.wrap_socket(connection, server_side=True) if context else connection
            with wrapped:
                serve(wrapped)
        except OSError:
            connection.close()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        listener.close()


@contextmanager
def silent() -> Iterator[str]:
    """Accepts and never answers."""
    ended = threading.Event()
    with listening(lambda connection: ended.wait(30) and None) as url:
        yield url
        ended.set()


@contextmanager
def speaking(answers: Answers, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Answers HTTP requests, one per connection."""
    own: list[str] = []

    def serve(connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return
            data += part
            if data[0] == 0x16:  # TLS, where HTTP was expected: as web servers answer it
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                return
        head, _, rest = data.partition(b"\r\n\r\n")
        lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        length = int(lengths[0][15:]) if lengths else 0
        while len(rest) < length:
            rest += connection.recv(65536)
        method, path, _ = head.decode().split(" ", 2)
        status, body = answers(method, path, own[0])
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        more = "X-Subject-Token: t\r\n" if path.endswith("/auth/tokens") else ""
        connection.sendall(
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n{more}"
            "Connection: close\r\n\r\n".encode()
            + raw
        )

    with listening(serve, context) as url:
        own.append(url)
        yield url


def token(url: str, *, project: bool = True, services: dict[str, str] | None = None) -> dict[str, Any]:
    """A token's document with a catalog of {type: url}."""
    domain = {"id": "default", "name": "Default"}
    services = services if services is not None else {"compute": f"{url}/compute/v2.1"}
    found: dict[str, Any] = {
        "methods": ["password"],
        "user": {"id": "u1", "name": "u", "domain": domain},
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "expires_at": "2099-01-01T00:00:00.000000Z",
        "audit_ids": ["x"],
    }
    if project:
        found["project"] = {"id": "p1", "name": "p", "domain": domain}
        found["roles"] = [{"id": "r", "name": "member"}]
        found["catalog"] = [
            {
                "type": kind,
                "name": kind,
                "id": kind,
                "endpoints": [{"interface": "public", "region": "one", "region_id": "one", "url": at, "id": "e"}],
            }
            for kind, at in services.items()
        ]
    return {"token": found}


def identity(*, some: bool = True, **options: Any) -> Answers:
    """A Keystone that lets everybody in; `some`: the user has a project. `options` as for `token`."""

    def answers(method: str, path: str, url: str) -> tuple[int, Any]:
        if path == "/v3/auth/tokens":
            return 201, token(url, **options)
        if path.startswith("/v3/auth/projects"):
            return 200, {"projects": [{"id": "p1", "name": "web"}] if some else []}
        if path in ("/", "/v3", "/v3/"):
            links = [{"rel": "self", "href": f"{url}/v3/"}]
            return 200, {"version": {"id": "v3.14", "status": "stable", "links": links}}
        return 404, {}

    return answers


def certificate(folder: Path, *, host: str = "127.0.0.1", days: int = 1) -> tuple[ssl.SSLContext, Path]:
    """A server's context with a certificate it signed itself, and that certificate's file. `days` < 0: expired."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    try:
        alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        alternative = x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    file, secret = folder / f"{host}{days}.pem", folder / f"{host}{days}.key"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return context, file
