"""The rules of the house that import-linter can't say: sizes, empty package files, and no words of a machine."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 450
PACKAGES = ("tui", "engine", "copilot", "store")


def tracked(*patterns: str) -> list[Path]:
    """Files of the project that match the patterns; every file where there is no repository (an unpacked archive)."""
    done = subprocess.run(["git", "ls-files", "--", *patterns], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        return [path for pattern in patterns for path in ROOT.rglob(pattern) if ".venv" not in path.parts]
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


def test_no_file_is_too_long_to_read() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked("*.py")
        if (lines := len(path.read_text().splitlines())) > LIMIT
    }
    assert not long


def test_package_files_are_empty() -> None:
    full = [str(path.relative_to(ROOT)) for path in tracked("*__init__.py") if path.read_text().strip()]
    assert not full


def test_no_room_for_odds_and_ends() -> None:
    assert not [path for path in tracked("*.py") if path.stem in ("utils", "util", "helpers", "misc", "common")]


@pytest.mark.parametrize("package", PACKAGES)
def test_public_things_say_what_they_are(package: str) -> None:
    silent = []
    for path in tracked(f"{package}/*.py"):
        for node in ast.parse(path.read_text()).body:
            public = isinstance(
                node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
            ) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                silent.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert not silent


# Who may hold what sends: the gate, the sessions it is given, and what starts the engine and puts it together.
SENDERS = ("engine/gate/performing.py", "engine/clouds/writing.py", "engine/clouds/session.py")
SESSIONS = ("engine/app.py", "engine/clouds/writing.py")
# Libraries that speak HTTP or are made of it; only these rooms may import them.
WIRES = ("requests", "httpx", "urllib3", "urllib.request", "http.client", "aiohttp", "keystoneauth1", "openstack")
WIRED = (
    *("engine/clouds/", "engine/demo/", "engine/demonstration/", "engine/embedded.py"),
    "engine/dashboard/prometheus.py",  # asks a source of measurements, which is no cloud, by GET alone
)
# Receivers that are no clouds: routers, queues.
_HARMLESS = re.compile(r"router|queue|ready|answers|readers|giving")


def engine_files() -> Iterator[tuple[str, ast.Module]]:
    """Every file of the engine but the demo cloud, parsed."""
    for path in tracked("engine/*.py"):
        if "demo" not in path.parts:
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def test_only_the_gate_changes_a_cloud() -> None:
    """No call that looks like sending anywhere in the engine but in the gate and in what it sends with."""
    found = []
    for name, tree in engine_files():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and name not in SENDERS:
                receiver, verb = ast.unparse(node.func.value), node.func.attr
                sends = verb in ("post", "put", "patch", "send") or (verb == "delete" and _speaks(receiver))
                if sends and not _HARMLESS.search(receiver) and receiver != "super()":
                    found.append(f"{name}:{node.lineno} {receiver}.{verb}")
    assert not found


def _speaks(receiver: str) -> bool:
    return re.search(r"session$|adapter|cloud$|client|link$", receiver) is not None and receiver != "sessions"


def test_only_the_gate_is_given_what_sends() -> None:
    found = []
    for name, tree in engine_files():
        for node in ast.walk(tree):
            modules = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for module in modules:
                if module.startswith("engine.clouds.writing") and name not in SESSIONS:
                    found.append(f"{name}:{node.lineno} {module}")
                if any(f"{module}.".startswith(f"{wire}.") for wire in WIRES) and not name.startswith(WIRED):
                    found.append(f"{name}:{node.lineno} {module}")
    assert not found


def test_the_gate_sends_in_one_place() -> None:
    """Two lines: the call that changes something, after its intent is on disk, and the question that is a POST."""
    lines = (ROOT / "engine/gate/performing.py").read_text().splitlines()
    sends = [number for number, line in enumerate(lines) if ".send(" in line]
    assert len(sends) == 2
    intents = [number for number, line in enumerate(lines) if '"intent"' in line]
    assert min(intents) < sends[0] < sends[1]
