"""The process: how it starts, who may talk to it, how its wire breaks on purpose, and how it ends."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from engine.demo.launch import DemoCloud, DemoCloudFailed, call

SECONDS = 20


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoCloud]:
    cloud = DemoCloud.start(tmp_path_factory.mktemp("cloud"), servers=30, seed="p", still=True)
    yield cloud
    cloud.stop()


def auth_of(demo: DemoCloud, entry: str = "demo") -> dict[str, Any]:
    return yaml.safe_load(demo.clouds_yaml.read_text())["clouds"][entry]["auth"]


def login(demo: DemoCloud, entry: str = "demo") -> tuple[requests.Session, dict[str, str]]:
    """A session with a token, and the public address of each service."""
    auth = auth_of(demo, entry)
    user = {"name": auth["username"], "password": auth["password"], "domain": {"name": "Default"}}
    scope = {"project": {"name": auth["project_name"], "domain": {"name": "Default"}}}
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
    session = requests.Session()
    session.trust_env = False
    answer = session.post(f"{auth['auth_url']}/auth/tokens", json=body, timeout=SECONDS)
    assert answer.status_code == 201, answer.text
    session.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
    catalog = answer.json()["token"]["catalog"]
    return session, {service["type"]: service["endpoints"][0]["url"] for service in catalog}


@pytest.fixture
def faultless(demo: DemoCloud) -> Iterator[DemoCloud]:
    yield demo
    demo.call("DELETE", "/faults")
    demo.call("POST", "/latency", {"ms": 0})


def wait_until(test: Any, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_it_is_ready_within_a_second(demo: DemoCloud, tmp_path: Path) -> None:
    began = time.monotonic()
    other = DemoCloud.start(tmp_path, servers=50, seed="fast")
    took = time.monotonic() - began
    other.stop()
    # Measured 0.25 s alone; the bound leaves room for the other tests on the machine.
    assert took < 3


def test_files_and_sockets_are_the_owners_alone(demo: DemoCloud) -> None:
    assert stat.S_IMODE(demo.clouds_yaml.stat().st_mode) == 0o600
    assert stat.S_IMODE(demo.control.stat().st_mode) == 0o600
    entries = yaml.safe_load(demo.clouds_yaml.read_text())["clouds"]
    assert set(entries) == {"demo", "demo-member", "demo-reader"}


def test_the_password_is_in_no_argument_and_no_log(demo: DemoCloud) -> None:
    login(demo)
    password = auth_of(demo)["password"].encode()
    proc = Path(f"/proc/{demo.process.pid}")
    assert password not in (proc / "cmdline").read_bytes()
    assert password not in (proc / "environ").read_bytes()
    assert password not in (demo.clouds_yaml.parent / "demo.log").read_bytes()
    assert b"-P" in (proc / "cmdline").read_bytes().split(b"\0")


def test_it_listens_on_loopback_only(demo: DemoCloud) -> None:
    _, endpoints = login(demo)
    assert {url.split(":")[1] for url in endpoints.values()} == {"//127.0.0.1"}
    assert len({url.split("/")[2] for url in endpoints.values()}) == 6


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from engine.demo.launch import DemoCloud\n"
        f"cloud = DemoCloud.start(Path({str(tmp_path)!r}), servers=5, seed='x')\n"
        "print(cloud.process.pid, flush=True); sys.stdin.read()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert Path(f"/proc/{child}").exists()
    parent.kill()
    parent.wait()
    # A child that ended may stay as a zombie until init takes it.
    wait_until(lambda: not Path(f"/proc/{child}").exists() or "Z" in _state(child))
    for pipe in (parent.stdin, parent.stdout):
        assert pipe is not None
        pipe.close()


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "Z"


def test_a_strangers_engine_is_never_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "stranger"
    here.mkdir()
    (here / "engine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit(9)\n")
    (here / "orjson.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.chdir(here)
    monkeypatch.setenv("PYTHONPATH", str(here))
    cloud = DemoCloud.start(tmp_path / "home", servers=3, seed="x")
    cloud.stop()
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("servers", "reason"), [(0, "1 to 50,000 servers, not 0"), (50_001, "1 to 50,000 servers, not 50001")]
)
def test_it_says_why_it_cannot_start(tmp_path: Path, servers: int, reason: str) -> None:
    with pytest.raises(DemoCloudFailed, match=reason):
        DemoCloud.start(tmp_path, servers=servers, seed="x")


def test_a_home_that_is_in_use(demo: DemoCloud) -> None:
    with pytest.raises(DemoCloudFailed, match="another demo cloud uses"):
        DemoCloud.start(demo.clouds_yaml.parent, servers=30, seed="p")
    assert demo.call("GET", "/state")["counts"]["servers"] == 30


def test_a_home_with_a_long_name(tmp_path: Path) -> None:
    cloud = DemoCloud.start(tmp_path / ("long" * 30), servers=3, seed="x")
    directory = cloud.control.parent
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert cloud.call("GET", "/state")["counts"]["servers"] == 3
    cloud.stop()
    assert not directory.exists()


def test_a_start_that_takes_too_long(tmp_path: Path) -> None:
    with pytest.raises(DemoCloudFailed, match="not ready after"):
        DemoCloud.start(tmp_path, servers=50_000, seed="x", timeout=0.05)


def test_a_password_file_that_others_can_read(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("a long enough password")
    secret.chmod(0o644)
    command = [sys.executable, "-P", "-m", "engine.demo", "--control", str(tmp_path / "c"), "--password-file"]
    done = subprocess.run([*command, str(secret)], capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 2
    assert "can be read by others" in done.stderr and "Traceback" not in done.stderr


def test_started_again_it_is_the_same_cloud(tmp_path: Path) -> None:
    names, addresses = [], []
    for _ in range(2):
        cloud = DemoCloud.start(tmp_path, servers=8, seed="again", still=True)
        session, endpoints = login(cloud)
        rows = session.get(f"{endpoints['compute']}/servers/detail?all_tenants=1", timeout=SECONDS).json()["servers"]
        names.append([(row["id"], row["name"], row["created"]) for row in rows])
        addresses.append(endpoints)
        cloud.stop()
    assert names[0] == names[1]
    assert addresses[0] == addresses[1]
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", int(addresses[0]["compute"].split(":")[2].split("/")[0])))
        thief.listen()
        cloud = DemoCloud.start(tmp_path, servers=8, seed="again", still=True)
        _, endpoints = login(cloud)
        cloud.stop()
    assert endpoints["compute"] != addresses[0]["compute"]
    assert endpoints["identity"] == addresses[0]["identity"]


def test_the_past_is_collected_before_it_is_left(tmp_path: Path) -> None:
    cloud = DemoCloud.start(tmp_path, servers=20, seed="past", days_ago=30)
    try:
        state = cloud.call("GET", "/state")
        assert (
            state["now"][:10] == state["epoch"][:10] < time.strftime("%Y-%m-%d", time.gmtime(time.time() - 29 * 86400))
        )
        done = cloud.call("POST", "/clock", {"advance_to": "now"})
        assert done["changes"] >= state["changes_per_day"] * 29 > 0
        assert done["now"][:10] == time.strftime("%Y-%m-%d", time.gmtime())
        # Tokens go by the wall clock: a client of today can use one.
        session, endpoints = login(cloud)
        assert session.get(f"{endpoints['compute']}/servers", timeout=SECONDS).status_code == 200
    finally:
        cloud.stop()


def test_the_wire_breaks_as_asked(faultless: DemoCloud) -> None:
    session, endpoints = login(faultless)
    url = f"{endpoints['compute']}/servers/detail?all_tenants=1"
    faultless.call("POST", "/faults", {"kind": "reset", "service": "compute", "times": 1})
    with pytest.raises(requests.ConnectionError):
        session.get(url, timeout=SECONDS)
    faultless.call("POST", "/faults", {"kind": "truncate", "service": "compute", "times": 1})
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        session.get(url, timeout=SECONDS)
    faultless.call("POST", "/faults", {"kind": "hang", "service": "compute", "times": 1})
    with pytest.raises(requests.Timeout):
        session.get(url, timeout=0.3)
    assert session.get(url, timeout=SECONDS).status_code == 200


def test_head_and_closing_lines(demo: DemoCloud) -> None:
    session, endpoints = login(demo)
    own = {"X-Subject-Token": str(session.headers["X-Auth-Token"])}
    head = session.head(f"{demo.auth_url}/auth/tokens", headers=own, timeout=SECONDS)
    assert (head.status_code, head.content) == (200, b"")
    for _ in range(2):
        answer = session.get(f"{endpoints['compute']}/servers", headers={"Connection": "close"}, timeout=SECONDS)
        assert answer.status_code == 200


def test_latency(faultless: DemoCloud) -> None:
    session, endpoints = login(faultless)
    faultless.call("POST", "/latency", {"ms": 250})
    began = time.monotonic()
    session.get(f"{endpoints['network']}/v2.0/networks", timeout=SECONDS)
    assert time.monotonic() - began >= 0.25


def test_many_calls_on_many_lines(demo: DemoCloud) -> None:
    from concurrent.futures import ThreadPoolExecutor

    _, endpoints = login(demo)

    def pages(_: int) -> int:
        session, _ = login(demo)
        return len(session.get(f"{endpoints['network']}/v2.0/ports", timeout=SECONDS).json()["ports"])

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(pages, range(64)))) == 1


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01 not http\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n", b""]
)
def test_nonsense_on_the_wire_hurts_nobody(demo: DemoCloud, sent: bytes) -> None:
    port = int(demo.auth_url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        while line.recv(4096):
            pass
    assert demo.call("GET", "/state")["seed"] == "p"


@pytest.mark.parametrize(
    ("method", "path", "body", "reason"),
    [
        ("POST", "/faults", {"kind": "explode"}, "no fault of the kind"),
        ("POST", "/clock", {"advance_seconds": -5}, "only goes forward"),
        ("POST", "/clock", {"advance_seconds": "soon"}, "could not convert"),
        ("POST", "/latency", {"ms": -1}, "between 0 and"),
        ("POST", "/roles", {"action": "grant", "user": "nobody"}, "no user"),
        ("POST", "/roles", {"action": "grant", "user": "admin", "role": "king", "system": True}, "no role"),
        ("POST", "/change", {"kind": "explode"}, "no change"),
        ("GET", "/nothing", None, "no switch"),
    ],
)
def test_switches_refuse_nonsense(demo: DemoCloud, method: str, path: str, body: Any, reason: str) -> None:
    with pytest.raises(DemoCloudFailed, match=reason):
        demo.call(method, path, body)


def test_a_role_taken_by_a_switch_and_given_back(demo: DemoCloud) -> None:
    session, endpoints = login(demo, "demo-member")
    body = {"action": "revoke", "user": "member", "role": "member", "project": "demo"}
    assert demo.call("POST", "/roles", body)["tokens_ended"] >= 1
    assert session.get(f"{endpoints['compute']}/servers", timeout=SECONDS).status_code == 401
    demo.call("POST", "/roles", {**body, "action": "grant"})
    session, endpoints = login(demo, "demo-member")
    assert session.get(f"{endpoints['compute']}/servers", timeout=SECONDS).status_code == 200


def test_switches_of_a_cloud_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(DemoCloudFailed, match="do not answer"):
        call(tmp_path / "nothing.sock", "GET", "/state")


def test_a_dead_socket_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "control.sock"))
    dead.close()
    cloud = DemoCloud.start(tmp_path, servers=3, seed="x")
    cloud.stop()
    assert not (tmp_path / "control.sock").exists()
    (tmp_path / "control.sock").write_text("precious")
    with pytest.raises(DemoCloudFailed, match="in the way"):
        DemoCloud.start(tmp_path, servers=3, seed="x")
    assert (tmp_path / "control.sock").read_text() == "precious"


def test_light_imports() -> None:
    heavy = [
        "openstack",
        "keystoneauth1",
        "pandas",
        "pyarrow",
        "duckdb",
        "fastapi",
        "pydantic",
        "uvicorn",
        "sqlalchemy",
    ]
    script = "import sys, json, engine.demo.process, engine.demo.launch; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    )
    assert not set(heavy) & set(loaded)
