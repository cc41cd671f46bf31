"""The way into the full-screen console. Light: Textual is imported while the engine is already being asked."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.cli.options import GlobalOptions
    from tui.world import Client

EARLY_SECONDS = 0.2  # the longest that the first frame waits for an engine that is slow to answer


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
    if remote:
        env.setdefault("TEXTUAL_FPS", "15")
    if env.pop("NO_COLOR", "") and not env.get("QDECK_THEME"):
        env["QDECK_THEME"] = "none"
    return not remote and env.get("QDECK_MOUSE", "") != "off"


def run(options: GlobalOptions, view: str = "") -> int:
    """Open the console on the engine that the options mean; returns the process's exit code.

    view  what to show first, in the words of the command bar; "" = where the operator was
    """
    from tui.early import EarlyReader

    mouse = prepare(os.environ)
    reader = EarlyReader(options, view)
    reader.start()
    from tui.console import QuarterdeckApp
    from tui.keymap import file_of, read
    from tui.themes.palette import choose

    async def connect() -> Client:
        from tui.api.client import EngineClient

        return await EngineClient.connect(options, progress=app.starting)

    early = reader.result(EARLY_SECONDS)
    keymap = read(file_of(os.environ))
    app = QuarterdeckApp(connect, view, theme=choose(os.environ), early=early, logs=_logs(options), keymap=keymap)
    try:
        app.run(mouse=mouse)
    finally:
        sys.stdout.flush()
    if app.leads_to_demo:
        os.environ.pop("QDECK_ENGINE", None)  # a demo has its own
        os.execv(sys.executable, [sys.executable, "-m", "tui.cli.main", "--demo"])
    return app.return_code or 0


def _logs(options: GlobalOptions):  # type: ignore[no-untyped-def]
    from tui.api.target import find

    try:
        home = find(options).home
    except Exception:
        return None
    return home.logs if home is not None else None
