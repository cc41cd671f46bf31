"""`qdeck` whose Textual is imported when a file says how: `python -m tests.tui.gated FOLDER [ARGUMENT ...]`.

The file `asked` is made in the folder when the import begins; it goes on when there is a file `go`, and fails when that
holds a word.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

SECONDS = 30.0


class Gate:
    """Finds no module; stands in the way of Textual's until the file is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._asked = False

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Wait at the first part of Textual."""
        if self._asked or name.partition(".")[0] != "textual":
            return
        self._asked = True
        (self._folder / "asked").touch()
        go, end = self._folder / "go", time.monotonic() + SECONDS
        while not go.exists() and time.monotonic() < end:
            time.sleep(0.01)
        if go.read_text(encoding="utf-8"):
            raise ImportError("textual is broken")


if __name__ == "__main__":
    sys.meta_path.insert(0, Gate(Path(sys.argv[1])))
    del sys.argv[1]
    from tui.cli.main import run

    run()
