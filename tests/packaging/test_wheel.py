"""The wheel, as pipx and uv install it: into an environment of its own, with the command on the path."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built without fetching anything."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    return next(folder.glob("quarterdeck-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`bin` of a fresh environment that holds the wheel, and sees the packages of the lock from this one."""
    home = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, timeout=120)
    python = home / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(command, check=True, timeout=120)
    site = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    # Listed after its own packages: the wheel's modules win over the checkout's.
    (Path(site.stdout.strip()) / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home / "bin"


def test_wheel_holds_the_four_packages_and_their_data(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {"tui", "engine", "copilot", "store"} <= tops
    assert not tops & {"tests", "benchmarks", "docs"}
    data = [*(ROOT / "store").rglob("*.sql"), *(ROOT / "tui").rglob("*.tcss")]
    assert {str(path.relative_to(ROOT)) for path in data} <= set(names)


def test_command_works_and_ignores_a_stranger_in_the_current_directory(installed: Path, tmp_path: Path) -> None:
    for name in ("engine", "tui", "store"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger ran')\n")
    done = subprocess.run([installed / "qdeck", "version"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("qdeck 0.")
    listed = subprocess.run(
        [installed / "qdeck", "types", "-o", "json"], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert "server" in {row["type"] for row in json.loads(listed.stdout)}


def test_shell_completion_knows_commands_and_types(installed: Path) -> None:
    def complete(line: str, word: int) -> str:
        environment = {**os.environ, "_QDECK_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(word)}
        done = subprocess.run([installed / "qdeck"], env=environment, capture_output=True, text=True, timeout=60)
        return done.stdout

    assert "collect" in complete("qdeck col", 1).split()
    assert "servers" in complete("qdeck ls ser", 2).split()
