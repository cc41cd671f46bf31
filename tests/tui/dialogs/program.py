"""The console on a client with a gate, as a program on a terminal: `python -m tests.tui.dialogs.program`."""

from __future__ import annotations

import os


def main() -> int:
    """Run it."""
    from tui.app import prepare

    prepare(os.environ)
    from tests.tui.fakes import GateClient, item, plan
    from tui.console import QuarterdeckApp
    from tui.themes.palette import choose

    client = GateClient(5000)
    items = [item(["prod-eu", "eu-1", f"{n:08x}"], f"web-{n}") for n in range(60)]
    client.plan = plan(items, requires={"reason": True, "typed": "prod-eu STOP 60 SERVERS"})

    async def connect() -> GateClient:
        return client

    app = QuarterdeckApp(connect, "servers", theme=choose(os.environ))
    app.run(mouse=False)
    return app.return_code or 0


if __name__ == "__main__":
    raise SystemExit(main())
