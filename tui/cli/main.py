"""The command line's front door: `qdeck` opens the app, `qdeck COMMAND` answers on stdout.

Opening the app must be quick, so a command line that holds only global options never loads the command parser.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tui.cli.options import GlobalOptions


def run() -> None:
    """Entry point of `qdeck`."""
    options = app_options(sys.argv[1:])
    try:
        if options is not None:
            open_app(options, "")
        else:
            from tui.cli.commands import app

            app(prog_name="qdeck")
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except BrokenPipeError:
        # The reader of our output went away (`| head`): that is its right, and nothing more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(141) from None


def app_options(arguments: list[str]) -> GlobalOptions | None:
    """The global options if the command line holds nothing else, so that it opens the app; else None."""
    if any(name.startswith("_QDECK") and name.endswith("COMPLETE") for name in os.environ):
        return None
    demo, engine, home = False, os.environ.get("QDECK_ENGINE") or None, os.environ.get("QDECK_HOME")
    numbers: dict[str, int] = {}
    words = iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if name == "--demo" and not equals:
            demo = True
            continue
        if name not in ("--engine", "--servers", "--past", "--home"):
            return None
        value = value if equals else next(words, "")
        if not value or (name in ("--servers", "--past") and not value.isdigit()):
            return None
        if name == "--past" and int(value) > 30:
            return None
        if name == "--engine":
            engine = value
        elif name == "--home":
            home = value
        else:
            numbers[name.removeprefix("--")] = int(value)
    return GlobalOptions(demo=demo, engine=engine, home=Path(home) if home else None, **numbers)


def open_app(options: GlobalOptions, view: str) -> None:
    """Open the full-screen app; ends the process with its exit code."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        from tui.cli.exits import USAGE, leave

        leave(
            USAGE,
            "the console needs a terminal; for scripts use a command, for example `qdeck ls servers -o json`",
        )
    from tui.app import run as run_app

    raise SystemExit(run_app(options, view))


if __name__ == "__main__":
    run()
