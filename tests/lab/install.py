"""Install what the lab needs: Debian packages, a virtual environment, the fake back ends."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.lab.places import DATA, HERE, HOME, VENV, binary
from tests.lab.processes import Failure
from tests.lab.steps import Stamp, digest, run, timed

LOCK = HERE / "requirements.lock"
INSTALLER = HERE / "installer.lock"
FAKES = HERE / "fakes"

NEEDED = {
    "/usr/sbin/mariadbd": "mariadb-server",
    "/usr/bin/mariadb": "mariadb-client",
    "/usr/lib/rabbitmq/bin/rabbitmq-server": "rabbitmq-server",
    "/usr/bin/qemu-img": "qemu-utils",
}


def missing_packages() -> list[str]:
    """Debian packages that the lab needs and this machine lacks."""
    missing = {package for file, package in NEEDED.items() if not Path(file).exists()}
    if not VENV.exists():
        if not importlib.util.find_spec("ensurepip"):
            missing.add("python3-venv")
        if not shutil.which("cc"):
            missing.update(("gcc", "libc6-dev", "python3-dev"))
    return sorted(missing)


def check_machine() -> None:
    """Raise Failure, saying why, when this machine cannot carry the lab."""
    if os.geteuid():
        raise Failure("The lab needs root (its services keep files and install packages): run it as root.")
    if sys.version_info[:2] != (3, 11):
        raise Failure(
            f"The lab's packages are locked for Python 3.11, and this is {sys.version.split()[0]}: "
            "run it with python3.11 (Debian 12)."
        )
    missing = missing_packages()
    if missing and not shutil.which("apt-get"):
        raise Failure(f"The lab needs {', '.join(missing)}, and there is no apt-get here: use Debian 12.")


@contextlib.contextmanager
def _no_daemons() -> Iterator[None]:
    """Keep freshly installed packages from starting services of their own."""
    guard = Path("/usr/sbin/policy-rc.d")
    if guard.exists():
        yield
        return
    guard.write_text("#!/bin/sh\nexit 101\n")
    guard.chmod(0o755)
    try:
        yield
    finally:
        guard.unlink(missing_ok=True)


def install_packages() -> None:
    """Install missing Debian packages; the package lists are fetched first."""
    missing = missing_packages()
    if not missing:
        return
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    with timed("apt: " + " ".join(missing)), _no_daemons():
        # Stale lists may still do, so only the installation decides.
        run(["apt-get", "update"], "apt", env, allowed=tuple(range(256)))
        run(["apt-get", "install", "-y", "--no-install-recommends", *missing], "apt", env)


def install_python() -> None:
    """Make the lab's virtual environment from the hashed lock."""
    stamp = Stamp("python packages", digest(LOCK, INSTALLER))
    if stamp.fresh and Path(binary("nova-manage")).exists():
        return
    with timed("python packages"):
        if not Path(binary("pip")).exists():
            run([sys.executable, "-m", "venv", str(VENV)], "python")
        pip = [binary("pip"), "install", "-q", "--require-hashes", "-r"]
        run([*pip, str(INSTALLER)], "python")
        env = {"VIRTUAL_ENV": str(VENV), "UV_CACHE_DIR": str(HOME / "cache")}
        fast = [binary("uv"), "pip", "install", "-q", "--require-hashes", "-r", str(LOCK)]
        if run(fast, "python", env, allowed=tuple(range(-64, 256))):
            # uv does not read pip's configuration, which may name the only reachable index.
            run([*pip, str(LOCK)], "python")
    stamp.write()


def install_fakes() -> None:
    """Install the fake back ends, and make nova find its driver."""
    stamp = Stamp("fake back ends", digest(LOCK, FAKES))
    if stamp.fresh:
        return
    with timed("fake back ends"):
        copy = DATA / "fakes"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(FAKES, copy, ignore=shutil.ignore_patterns("__pycache__"))
        pip = [binary("pip"), "install", "-q", "--no-deps", "--no-index", "--no-build-isolation"]
        run([*pip, "--force-reinstall", str(copy)], "python")
        where = "import importlib.util as u; print(u.find_spec('nova').submodule_search_locations[0])"
        nova = subprocess.check_output([binary("python"), "-c", where], text=True).strip()
        # Nova loads compute drivers only from below nova.virt.
        (Path(nova) / "virt" / "qdecklab.py").write_text("from lab_fakes.nova_virt import LabDriver  # noqa: F401\n")
    stamp.write()
