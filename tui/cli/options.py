"""What every command accepts before its own name: which engine is meant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """Which engine a command talks to.

    demo     the demo's engine, started when needed
    engine   socket path or https:// address given by hand ("" is none)
    servers  size of the demo estate, when the demo is started by this command
    past     days of history that the demo gets, when it is started by this command
    home     home of the engine; None is the default one
    """

    demo: bool = False
    engine: str | None = None
    servers: int | None = None
    home: Path | None = None
    past: int | None = None
