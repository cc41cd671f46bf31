"""How much memory an attack costs: the high-water mark of this process while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20


@dataclass(slots=True)
class Measured:
    """`grown`: bytes by which this process was larger at its largest than at the beginning."""

    grown: int = 0


@contextmanager
def measured() -> Iterator[Measured]:
    """Measure the block. The kernel's mark is set back first, so that only the block counts."""
    result = Measured()
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmRSS")
    yield result
    result.grown = max(0, _memory("VmHWM") - before)


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"the kernel does not tell {name}")
