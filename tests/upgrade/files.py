"""Kept files: an ops database as an earlier build left it, its clouds as JSON, and what wrote them.

Nothing here needs the engine: the generators run with earlier builds, too.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import json
import lzma
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

Doc = dict[str, Any]
ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).parent / "kept"
_DATABASE, _CLOUDS, _ABOUT = "ops.sqlite.xz", "clouds.json.xz", "about.json"
_PACKING: dict[str, Any] = {"preset": 9 | lzma.PRESET_EXTREME}


def pack(kept: Path, folder: Path, **more: Any) -> int:
    """Keep what a process that died left in a folder: ops.sqlite with its write-ahead log, and clouds.json.

    Answers how many jobs are open in it. `more` goes into what is said about it.
    """
    small = folder / "small.sqlite"
    with contextlib.closing(sqlite3.connect(folder / "ops.sqlite")) as connection:
        connection.execute(f"VACUUM INTO '{small}'")
        (schema,) = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone()
        left = "SELECT kind, count(*) FROM jobs WHERE state IN ('queued', 'running', 'waiting') GROUP BY kind"
        kinds = dict(connection.execute(left))
    kept.mkdir(parents=True, exist_ok=True)
    (kept / _DATABASE).write_bytes(lzma.compress(small.read_bytes(), **_PACKING))
    clouds = json.dumps(json.loads((folder / "clouds.json").read_text()), indent=1, sort_keys=True)
    (kept / _CLOUDS).write_bytes(lzma.compress(clouds.encode(), **_PACKING))
    build = subprocess.run(["git", "describe", "--always"], cwd=ROOT, capture_output=True, text=True, check=True)
    told = {"build": build.stdout.strip(), "dbos": importlib.metadata.version("dbos"), "schema": int(schema), **more}
    (kept / _ABOUT).write_text(json.dumps({**told, "open_jobs": kinds}, indent=2) + "\n")
    return sum(kinds.values())


def about(kept: Path) -> Doc:
    """What wrote a kept file: build, dbos, schema, open_jobs by kind."""
    return dict(json.loads((kept / _ABOUT).read_text()))


def unpack(kept: Path, folder: Path) -> Doc:
    """Write a copy of the kept database to a folder as ops.sqlite; the clouds beside it."""
    target = folder / "ops.sqlite"
    target.write_bytes(lzma.decompress((kept / _DATABASE).read_bytes()))
    target.chmod(0o600)
    return dict(json.loads(lzma.decompress((kept / _CLOUDS).read_bytes())))


def main(doc: str | None, leave: Callable[[Path], object], make: Callable[[str], object]) -> None:
    """The command line of a generator: `NAME` makes and keeps a database; `--leave FOLDER` is the process that dies."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("name", nargs="?", default="")
    parser.add_argument("--leave", type=Path)
    chosen = parser.parse_args()
    if chosen.leave:
        leave(chosen.leave)
    else:
        make(chosen.name)
