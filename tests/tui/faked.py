"""The console on a client without an engine, as a program: `python -m tests.tui.faked ROWS [VIEW]`."""

from __future__ import annotations

import os
import sys


def keep(path: str, view: object) -> None:
    """Write a view to a file."""
    import json
    from pathlib import Path

    Path(path).write_text(json.dumps(view), encoding="utf-8")


def main() -> int:
    """Run it on this terminal; FAKE_SAVED names a file that gets the view that was kept."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    view = sys.argv[2] if len(sys.argv) > 2 else ""

    from tui.app import prepare

    prepare(os.environ)
    from tests.tui.fake import FakeClient
    from tui.console import QuarterdeckApp
    from tui.themes.palette import choose

    class Saving(FakeClient):
        async def put(self, path, json=None, params=None):  # type: ignore[no-untyped-def]
            await super().put(path, json)
            if os.environ.get("FAKE_SAVED"):
                keep(os.environ["FAKE_SAVED"], json)

    client = Saving(rows)

    async def connect() -> FakeClient:
        return client

    app = QuarterdeckApp(connect, view or "servers", theme=choose(os.environ))
    app.run(mouse=False)
    return app.return_code or 0


if __name__ == "__main__":
    raise SystemExit(main())
