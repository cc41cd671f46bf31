"""The rules of the house that import-linter can't say: sizes, empty package files, and no words of a machine."""

import ast
import re
import subprocess
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


def test_only_the_gate_changes_a_cloud() -> None:
    """No call of a cloud session's changing methods anywhere in the engine (the gate does not exist yet)."""
    call = re.compile(r"\b(session|adapter|cloud|link)\.(post|put|patch|delete)\(")
    found = []
    for path in tracked("engine/*.py"):
        if "demo" in path.parts or "gate" in path.parts:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{n}"
            for n, line in enumerate(path.read_text().splitlines(), 1)
            if call.search(line)
        ]
    assert not found
