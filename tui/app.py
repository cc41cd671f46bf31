"""The way into the full-screen console. Light: an engine that runs is asked at once, and what it answers is painted
before Textual is imported.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping, MutableMapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.cli.options import GlobalOptions
    from tui.early import Early
    from tui.keymap import Keymap
    from tui.takeover import Takeover
    from tui.world import Client

PAINT_SECONDS = 0.1  # the longest that the import of Textual waits for the answers that are painted before it
# Where the engine is slower, it is looked for its answers again after each of these.
PIECES = ("asyncio", "rich.console", "textual.css.styles", "textual.app", "tui.table.widget", "tui.acting.viewing")
EARLY_SECONDS = 0.2  # the longest that the console waits, once loaded, for an engine that is slow to answer


def prepare(env: MutableMapping[str, str]) -> bool:
    """Set what Textual reads from the environment when it is imported; returns whether the mouse is used.

    Over SSH bytes are latency: 15 frames a second, no mouse reports. Animations are off everywhere. NO_COLOR is ours to
    honour: Textual would paint greys with 24-bit escapes.
    """
    remote = bool(env.get("SSH_TTY") or env.get("SSH_CONNECTION"))
    env.setdefault("TEXTUAL_ANIMATIONS", "none")
    env.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    # How long a lone escape may be the beginning of another key. Those come in one piece, also over a slow line.
    env.setdefault("ESCDELAY", "40")
    env.setdefault("TEXTUAL_DRIVER", "tui.terminal:PromptDriver")
    env.setdefault("TEXTUAL_COLOR_SYSTEM", colours_of(env))
    if remote:
        env.setdefault("TEXTUAL_FPS", "15")
    if env.pop("NO_COLOR", "") and not env.get("QDECK_THEME"):
        env["QDECK_THEME"] = "none"
    return not remote and env.get("QDECK_MOUSE", "") != "off"


def colours_of(env: Mapping[str, str]) -> str:
    """How many colours the terminal says it has, in Rich's words and by its rule: truecolor, 256 or standard."""
    if env.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit"):
        return "truecolor"
    return "256" if env.get("TERM", "").strip().lower().rpartition("-")[2] in ("256color", "kitty") else "standard"


def run(options: GlobalOptions, view: str = "") -> int:
    """Open the console on the engine that the options mean; returns the process's exit code.

    view  what to show first, in the words of the command bar; "" = where the operator was
    """
    from tui.early import EarlyReader

    gc.disable()  # what is imported stays: looking for garbage in it costs a tenth of the start
    mouse = prepare(os.environ)
    reader = EarlyReader(options, view)
    reader.start()
    import tui.frame  # meanwhile
    import tui.panes.resources  # noqa: F401
    from tui.keymap import file_of, read
    from tui.takeover import terminal
    from tui.themes.palette import choose

    keymap = read(file_of(os.environ))
    taken = terminal(os.environ)
    try:
        if taken is not None and not paint(taken, reader.wait(PAINT_SECONDS), keymap):
            for module in PIECES:
                import_module(module)
                if paint(taken, reader.wait(0), keymap):
                    break
        from tui.console import QuarterdeckApp

        async def connect() -> Client:
            from tui.api.client import EngineClient

            return await EngineClient.connect(options, progress=app.starting)

        app = QuarterdeckApp(
            connect, view, theme=choose(os.environ), early=reader.result(EARLY_SECONDS), logs=_logs(options),
            keymap=keymap, taken=taken,
        )  # fmt: skip
        gc.freeze()
        gc.enable()
        if taken is not None:
            taken.before_textual()
        app.run(mouse=mouse)
    finally:
        if taken is not None:
            taken.give_back()
        sys.stdout.flush()
    if app.leads_to_demo:
        os.environ.pop("QDECK_ENGINE", None)  # a demo has its own
        os.execv(sys.executable, [sys.executable, "-m", "tui.cli.main", "--demo"])
    return app.return_code or 0


def paint(taken: Takeover, early: Early | None, keymap: Keymap) -> bool:
    """Show the first frame, if what it needs was read; False when the answers are still on their way. What goes wrong
    here the console says better.
    """
    from tui.frame import first_frame
    from tui.takeover import size

    if early is None:
        return False
    try:
        taken.watch_size()
        lines = first_frame(early, os.environ, keymap, *size())
        if lines is not None:
            taken.paint(lines, os.environ["TEXTUAL_COLOR_SYSTEM"])
    except Exception:
        taken.give_back()
    return True


def _logs(options: GlobalOptions):  # type: ignore[no-untyped-def]
    from tui.api.target import find

    try:
        home = find(options).home
    except Exception:
        return None
    return home.logs if home is not None else None
