"""Steps of `up`: timed, logged, and skipped when nothing they depend on has changed."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.lab.places import LOG, STATE, say
from tests.lab.processes import Failure, environment


@contextlib.contextmanager
def timed(name: str) -> Iterator[None]:
    """Print how long a step took, when it ended well."""
    began = time.monotonic()
    yield
    say(f"{name:28} {time.monotonic() - began:6.1f}s")


class Stamp:
    """Remembers with which inputs a step was last finished."""

    def __init__(self, name: str, value: str) -> None:
        self.file = STATE / name.replace(" ", "-")
        self.value = value

    @property
    def fresh(self) -> bool:
        """Whether the step was finished with exactly these inputs."""
        return self.file.exists() and self.file.read_text() == self.value

    def write(self) -> None:
        """Note that the step is finished."""
        STATE.mkdir(parents=True, exist_ok=True)
        self.file.write_text(self.value)


def digest(*sources: Path) -> str:
    """SHA-256 over files, and over the names and contents of all files below folders."""
    total = hashlib.sha256()
    for source in sources:
        files = sorted(source.rglob("*.*")) if source.is_dir() else [source]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                total.update(file.name.encode() + file.read_bytes())
    return total.hexdigest()


def run(command: list[str], log: str, env: dict[str, str] | None = None, allowed: tuple[int, ...] = (0,)) -> int:
    """Run a command, its output appended to `log/up-LOG.out`, and return its exit code.

    Raises Failure with the end of the output when the code is not an allowed one.
    """
    LOG.mkdir(parents=True, exist_ok=True)
    file = LOG / f"up-{log}.out"
    with file.open("ab") as out:
        out.write(f"\n$ {' '.join(command)}\n".encode())
        out.flush()
        code = subprocess.call(command, stdout=out, stderr=out, env=environment(env), stdin=subprocess.DEVNULL)
    if code not in allowed:
        tail = "\n".join(file.read_text(errors="replace").splitlines()[-15:])
        raise Failure(f"{command[0]} ended with {code}; the whole output is in {file}, its end:\n{tail}")
    return code
