"""Draws the pictures of the README from the running console on a demo of its own: `python docs/pictures.py`."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
IMAGES = ROOT / "docs" / "images"
QDECK = Path(sys.executable).with_name("qdeck")

# file: (view in the words of the command bar, keys, columns, rows)
PICTURES = {
    "servers-120x40.svg": ("servers sort:status:desc", ["j", "j"], 120, 40),
    "filter-80x24.svg": ("volumes /db size_gb:>20", ["j"], 80, 24),
    "inventory-80x24.svg": ("", ["1"], 80, 24),
}


def own_fonts(picture: str) -> str:
    """The picture with the reader's own monospaced font: nothing is fetched to show it."""
    picture = re.sub(r"@font-face\s*\{.*?\}", "", picture, flags=re.DOTALL)
    return picture.replace("Fira Code", "monospace")


def wait_for_today(command: list[str]) -> None:
    """Wait until the demo has lived through its past."""
    for _ in range(600):
        done = subprocess.run([*command, "engine", "status", "-o", "json"], capture_output=True, text=True, check=True)
        if json.loads(done.stdout)["demo"]["state"] == "ready":
            return
        time.sleep(0.2)
    raise SystemExit("the demo did not reach the present")


async def draw(home: Path) -> None:
    """One picture after the other."""
    from textual.pilot import Pilot

    from tui.api.client import EngineClient
    from tui.cli.options import GlobalOptions
    from tui.console import QuarterdeckApp

    async def connect() -> EngineClient:
        return await EngineClient.connect(GlobalOptions(demo=True, home=home))

    async def settled(pilot: Pilot[int]) -> None:
        # A picture is taken when two looks in a row show the same.
        before, now = "", pilot.app.export_screenshot()
        while now != before:
            await pilot.pause(1.0)
            before, now = now, pilot.app.export_screenshot()

    for name, (view, keys, columns, rows) in PICTURES.items():
        app = QuarterdeckApp(connect, view)
        async with app.run_test(size=(columns, rows)) as pilot:
            await settled(pilot)
            await pilot.press(*keys)
            await settled(pilot)
            (IMAGES / name).write_text(own_fonts(app.export_screenshot(title="qdeck --demo")), encoding="utf-8")
            print(f"docs/images/{name} drawn")


def main() -> None:
    """Start a demo, wait until it has lived through its past, draw, stop it."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["QDECK_HOME"] = folder
        command = [str(QDECK), "--demo", "--servers", "200"]
        try:
            subprocess.run([*command, "ls", "servers", "--limit", "1"], check=True, stdout=subprocess.DEVNULL)
            wait_for_today(command)
            subprocess.run([*command, "collect", "--wait"], check=False, stdout=subprocess.DEVNULL)
            asyncio.run(draw(Path(folder)))
        finally:
            subprocess.run([*command, "engine", "stop"], check=False, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
