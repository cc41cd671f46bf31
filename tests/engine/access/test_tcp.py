"""The TCP listener's options: off by default, TLS beyond loopback, and a real handshake with them."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from pathlib import Path

import pytest

from engine.access.tcp import TcpRefused, is_loopback, tcp_options
from engine.settings.models import Settings


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(_pem(key, serialization.NoEncryption()))
    (folder / "locked.pem").write_bytes(_pem(key, serialization.BestAvailableEncryption(b"a passphrase")))
    (folder / "other.pem").write_bytes(_pem(ec.generate_private_key(ec.SECP256R1()), serialization.NoEncryption()))
    for file in folder.iterdir():
        file.chmod(0o600)
    return cert_file, key_file


def _pem(key, encryption) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)


def options(**tcp: object) -> dict | None:
    return tcp_options(Settings.model_validate({"engine": {"tcp": tcp}}))


def test_off_unless_configured() -> None:
    assert options() is None


@pytest.mark.parametrize(("listen", "host"), [("127.0.0.1:8000", "127.0.0.1"), ("[::1]:8000", "::1")])
def test_clear_text_stays_on_the_machine(listen: str, host: str) -> None:
    found = options(listen=listen)
    assert found is not None and (found["host"], found["port"], found["proxy_headers"]) == (host, 8000, False)
    assert not any(name.startswith("ssl") for name in found)


@pytest.mark.parametrize("listen", ["0.0.0.0:8000", "[::]:8000", "192.0.2.1:80", "jump.example:8000", "127.0.0.1.x:1"])
def test_clear_text_beyond_it_is_refused(listen: str) -> None:
    with pytest.raises(TcpRefused, match="no TLS is configured; set"):
        options(listen=listen)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.9.9.9", True), ("::1", True), ("::", False), ("0.0.0.0", False), ("", False)],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    ("certificate", "key", "words"),
    [
        ("none.pem", "key.pem", "does not exist"),
        ("cert.pem", "none.pem", "cannot be read"),
        ("cert.pem", "other.pem", "belong together"),
        ("cert.pem", "locked.pem", "no passphrase"),
        ("key.pem", "key.pem", "must be PEM"),
    ],
)
def test_unusable_files_stop_the_start(pair: tuple[Path, Path], certificate: str, key: str, words: str) -> None:
    folder = pair[0].parent
    with pytest.raises(TcpRefused, match=words):
        options(listen="0.0.0.0:8443", certificate=str(folder / certificate), key=str(folder / key))


def test_a_key_others_can_read_stops_the_start(pair: tuple[Path, Path], tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_bytes(pair[1].read_bytes())
    key.chmod(0o644)
    with pytest.raises(TcpRefused, match="run: chmod 600"):
        options(listen="0.0.0.0:8443", certificate=str(pair[0]), key=str(key))


async def test_uvicorn_serves_tls_with_these_options(pair: tuple[Path, Path]) -> None:
    import uvicorn

    async def app(scope, receive, send) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": scope["scheme"].encode()})

    found = options(listen="127.0.0.1:1", certificate=str(pair[0]), key=str(pair[1]))
    assert found is not None
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None, **{**found, "port": 0}))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not serving.done()
            await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        trusting = ssl.create_default_context(cafile=str(pair[0]))
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting, server_hostname="localhost")
        assert writer.get_extra_info("ssl_object").version() in ("TLSv1.2", "TLSv1.3")
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 204")
        writer.close()
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        with pytest.warns(DeprecationWarning):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", port, ssl=old)
    finally:
        server.should_exit = True
        await serving
