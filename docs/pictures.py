"""Draws the pictures of the README from the running console on a demo of its own: `python docs/pictures.py`, or some of
them by their names.
"""

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

# file: (view in the words of the command bar, groups of keys, columns, rows). What a group does is waited for.
PICTURES: dict[str, tuple[str, tuple[tuple[str, ...], ...], int, int]] = {
    "dashboard-120x36.svg": ("", (("j", "j"),), 120, 36),
    "servers-160x45.svg": ("servers internal", (("j", "j", "j"),), 160, 45),
    "server-120x36.svg": ("servers demo-db", (("j",), ("enter",)), 120, 36),
    "tree-120x36.svg": ("servers demo-db", (("j",), ("t",)), 120, 36),
    "snapshots-120x36.svg": ("servers", (("3",), ("j",)), 120, 36),
    "plan-100x28.svg": (
        "servers demo-web host:cmp-00 status:active",
        (("asterisk",), ("x",), ("o",), ("tab", *"patch day", "tab", *"CHG-20411")),
        100,
        28,
    ),
    "ask-120x36.svg": (
        "servers demo-",
        (("i",), (*"how many vms per host", "enter"), ("i",), (*"only the stopped ones", "enter")),
        120,
        36,
    ),
    "filter-80x24.svg": ("volumes /db size_gb:>20", (("j",),), 80, 24),
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
        # A picture is taken when two looks in a row show the same words, whatever counts up or down.
        before, now = "", "?"
        while now != before:
            await pilot.pause(1.0)
            before, now = now, re.sub(r"\d+", "", pilot.app.export_screenshot())

    wanted = sys.argv[1:] or PICTURES
    for name, (view, groups, columns, rows) in ((name, PICTURES[name]) for name in wanted):
        app = QuarterdeckApp(connect, view, theme="dark")
        async with app.run_test(size=(columns, rows)) as pilot:
            await settled(pilot)
            for keys in groups:
                await pilot.press(*("space" if key == " " else "minus" if key == "-" else key for key in keys))
                await settled(pilot)
            (IMAGES / name).write_text(own_fonts(app.export_screenshot(title="qdeck --demo")), encoding="utf-8")
            print(f"docs/images/{name} drawn")


def main() -> None:
    """Start a demo, wait until it has lived through its past, draw, stop it."""
    IMAGES.mkdir(exist_ok=True)
    for old in IMAGES.glob("*.svg"):
        if old.name not in PICTURES:
            old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["QDECK_HOME"] = folder
        command = [str(QDECK), "--demo", "--servers", "200", "--past", "7"]
        try:
            subprocess.run([*command, "ls", "servers", "--limit", "1"], check=True, stdout=subprocess.DEVNULL)
            wait_for_today(command)
            subprocess.run([*command, "collect", "--wait"], check=False, stdout=subprocess.DEVNULL)
            asyncio.run(draw(Path(folder)))
        finally:
            subprocess.run([*command, "engine", "stop"], check=False, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
