"""Starts the demo cloud as a child process and writes the clouds.yaml that leads to it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY_SECONDS = 60.0
# Raised whenever a seed gives another cloud than before: one that was made by an older release is not the same then.
RECIPE = 5
# clouds.yaml entry: user, project, its domain
ENTRIES = {
    "demo": ("admin", "admin", "Default"),
    "demo-member": ("member", "demo", "Default"),
    "demo-reader": ("reader", "demo", "Default"),
}


class DemoCloudFailed(RuntimeError):
    """The demo cloud did not come up; the text says why in one sentence."""


@dataclass
class DemoCloud:
    """A running demo cloud; it ends with this process, or with `stop`. `ports`: one per service, where it listens."""

    auth_url: str
    clouds_yaml: Path
    control: Path
    process: subprocess.Popen[bytes]
    ports: tuple[int, ...] = ()

    @classmethod
    def start(
        cls,
        home: Path,
        servers: int = 50,
        seed: str = "1",
        *,
        days_ago: float = 0.0,
        age_days: float = 0.0,
        speak_as: Sequence[int] = (),
        still: bool = False,
        pace: float = 1.0,
        timeout: float = READY_SECONDS,
        wait: float = 0.0,
    ) -> DemoCloud:
        """Starts the process and waits until it answers.

        The cloud of a home is remembered in `<home>/cloud.json` (servers, seed, epoch, until, ports): started again it
        is the same cloud at the same address (if nobody has taken it), with what would have happened
        meanwhile. `days_ago`: its clock begins so many days in the past, so that a collection sees the past and
        `advance` brings the rest. `age_days`: a new cloud has lived so long already when its clock begins, with a
        snapshot tool that ran every night until then.
        `pace`: how long a change of a machine or a disk takes, as a part of the usual: tests start it with 0.005.
        `speak_as`: the ports of another cloud, whose addresses this one names in place of its own.
        `wait`: seconds for the cloud of an engine that was killed to end. Raises DemoCloudFailed.
        """
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _lock(home, wait)
        memory = _memory(home, servers, seed, days_ago, age_days)
        control = _control_path(home)
        password = secrets.token_urlsafe(24)
        command = [
            sys.executable, "-P", "-m", "engine.demo", "--servers", str(servers), "--seed", seed,
            "--port", ",".join(map(str, memory["ports"])),
            "--control", str(control), "--password-file", "-", "--epoch", _rfc3339(memory["epoch"]),
            "--until", _rfc3339(memory["until"]), "--start-days-ago", str(days_ago),
        ]  # fmt: skip
        command += ["--speak-as", ",".join(map(str, speak_as))] if speak_as else []
        command += ["--still"] if still else []
        command += ["--pace", str(pace)] if pace != 1.0 else []
        log = home / "demo.log"
        try:
            with log.open("wb") as errors:
                process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd="/",
                    env=_environment(), start_new_session=True, pass_fds=(lock,),
                )  # fmt: skip
        finally:
            os.close(lock)
        try:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):  # It ended at once; _ready says why.
                process.stdin.write(password.encode() + b"\n")
                process.stdin.flush()
            ready = _ready(process, timeout, log)
        except BaseException:
            _end(process)
            raise
        remember(home, {**memory, "ports": ready["ports"]})
        clouds = home / "clouds.yaml"
        _write(clouds, _clouds_yaml(ready["auth_url"], password))
        return cls(ready["auth_url"], clouds, control, process, tuple(ready["ports"]))

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Uses one of the switches (see control.py). Raises DemoCloudFailed with what the cloud answered."""
        return call(self.control, method, path, body)

    def advance(self, seconds: float) -> dict[str, Any]:
        """Puts the cloud's clock forward; what happened meanwhile has happened when this returns."""
        return self.call("POST", "/clock", {"advance_seconds": seconds})

    def stop(self) -> None:
        """Ends the process and waits for it."""
        _end(self.process)
        if self.control.parent != self.clouds_yaml.parent:
            with contextlib.suppress(OSError):
                self.control.parent.rmdir()


def call(control: Path, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """One request to a control socket, for whoever did not start the cloud. Raises DemoCloudFailed."""
    import http.client
    import socket

    class Connection(http.client.HTTPConnection):
        def connect(self) -> None:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            self.sock.connect(str(control))

    connection = Connection("localhost", timeout=300)
    try:
        connection.request(method, path, json.dumps(body) if body is not None else None)
        response = connection.getresponse()
        document = json.loads(response.read())
    except (OSError, ValueError, http.client.HTTPException) as reason:
        raise DemoCloudFailed(f"The demo cloud's switches at {control} do not answer: {reason}.") from None
    finally:
        connection.close()
    if response.status != 200:
        raise DemoCloudFailed(f"The demo cloud refused {method} {path}: {document.get('detail')}.")
    return document


def _lock(home: Path, wait: float) -> int:
    """A descriptor that locks the home; the cloud's process holds it until it ends, whatever becomes of us."""
    descriptor = os.open(home / "cloud.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except OSError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                raise DemoCloudFailed(f"The demo cloud cannot start: another demo cloud uses {home}.") from None
        time.sleep(0.05)


def _control_path(home: Path) -> Path:
    """In the home, or in a directory of our own where the home's path is too long for a socket."""
    path = home / "control.sock"
    if len(os.fsencode(path)) <= 100:
        return path
    return Path(tempfile.mkdtemp(prefix="qdeck-demo-")) / "control.sock"


def remembered(home: Path) -> dict[str, Any] | None:
    """The cloud of this home: {"servers", "seed", "epoch", "until" (seconds), "ports", "recipe"}.

    None when there is none, or an older release made it: started again it would be another cloud.
    """
    memory = _read_memory(home)
    return memory if memory and memory["recipe"] == RECIPE else None


def _read_memory(home: Path) -> dict[str, Any] | None:
    try:
        known = json.loads((home / "cloud.json").read_text(encoding="utf-8"))
        return {
            "servers": int(known["servers"]),
            "seed": str(known["seed"]),
            "epoch": int(known["epoch"]),
            "until": int(known.get("until", known["epoch"])),
            "ports": [int(port) for port in known["ports"]],
            "recipe": known.get("recipe"),
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _memory(home: Path, servers: int, seed: str, days_ago: float, age_days: float) -> dict[str, Any]:
    """What this home's cloud is; a new one begins where its clock starts or earlier, at the old ports."""
    start = int(time.time() - days_ago * 86400)
    known = _read_memory(home)
    same = known and (known["servers"], known["seed"], known["recipe"]) == (servers, seed, RECIPE)
    if known and same and known["epoch"] <= start:
        return known
    ports = known["ports"] if known else [0]
    epoch = start - int(age_days * 86400)
    return {"servers": servers, "seed": seed, "epoch": epoch, "until": start, "ports": ports, "recipe": RECIPE}


def remember(home: Path, memory: dict[str, Any]) -> None:
    """Let the next start in this home be that cloud: a document as `remembered` answers it."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(home / "cloud.json", json.dumps(memory))


def _rfc3339(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(seconds))


def _environment() -> dict[str, str]:
    """What the child needs, without what could make it run a stranger's code."""
    kept = {
        name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
    }
    # The package may stand in the source tree, not in site-packages: named by its absolute place, never by the cwd.
    kept["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    kept["PYTHONSAFEPATH"] = "1"
    return kept


def _ready(process: subprocess.Popen[bytes], timeout: float, log: Path) -> dict[str, Any]:
    assert process.stdout is not None
    deadline = time.monotonic() + timeout
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise DemoCloudFailed(
                    f"The demo cloud was not ready after {timeout:.0f} s; {log} may say why. Try a smaller --servers."
                )
            part = os.read(process.stdout.fileno(), 4096)
            if not part:
                raise DemoCloudFailed(_reason(process, log))
            line += part
    try:
        document = json.loads(line)
        return {"auth_url": str(document["auth_url"]), "ports": [int(port) for port in document["ports"]]}
    except (ValueError, KeyError, TypeError):
        raise DemoCloudFailed(
            f"The demo cloud said something unexpected instead of its address: {line[:200]!r}."
        ) from None


def _reason(process: subprocess.Popen[bytes], log: Path) -> str:
    status = process.wait(10)
    last = ""
    with contextlib.suppress(OSError):
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        last = lines[-1] if lines else ""
    return last or f"The demo cloud ended with status {status} before it was ready; see {log}."


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    # While it is still building its cloud it does not look at stdin.
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _clouds_yaml(auth_url: str, password: str) -> str:
    """The three entries; written by hand, since every value is of our own making and needs no escaping."""
    lines = ["clouds:"]
    for entry, (user, project, domain) in ENTRIES.items():
        lines += [
            f"  {entry}:",
            "    auth:",
            f"      auth_url: {auth_url}",
            f"      username: {user}",
            f'      password: "{password}"',
            f"      user_domain_name: {domain}",
            f"      project_name: {project}",
            f"      project_domain_name: {domain}",
            "    region_name: RegionOne",
            "    identity_api_version: 3",
        ]
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
    """Replaces the file, 0600 from its first moment."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)
