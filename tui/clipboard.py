"""Copying over whatever lies between here and the clipboard: the terminal (OSC 52), tmux, else a file.

Nobody can know whether a terminal took what it was sent: so it is said where a text went, and never that it arrived.
"""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from store.formulas import inert
from tui.files import NewFile, SaveError

WAYS = ("auto", "osc52", "tmux", "file")
MOST_ENCODED = 74_994  # bytes of base64 that terminals are known to take in one sequence
TMUX_SECONDS = 2.0
MOST_NAMES = 100


@dataclass(frozen=True, slots=True)
class Settings:
    """How copies travel.

    way      one of WAYS, from QDECK_CLIPBOARD
    most     bytes of base64 that the terminal is sent at most, from QDECK_OSC52_MAX
    in_tmux  whether a tmux is asked, and sequences must be passed through it
    problem  what is wrong with the settings, as a sentence
    """

    way: str = "auto"
    most: int = MOST_ENCODED
    in_tmux: bool = False
    problem: str = ""


def settings(env: Mapping[str, str]) -> Settings:
    """What the environment says."""
    way, most, problem = env.get("QDECK_CLIPBOARD", "").strip().lower() or "auto", MOST_ENCODED, ""
    if way not in WAYS:
        way, problem = "auto", f"QDECK_CLIPBOARD is one of {', '.join(WAYS)}"
    told = env.get("QDECK_OSC52_MAX", "").strip()
    if told:
        if told.isascii() and told.isdigit():
            most = int(told)
        else:
            problem = "QDECK_OSC52_MAX is a number of bytes"
    return Settings(way, most, bool(env.get("TMUX")), problem)


def one_line(text: str) -> str:
    """A value to be pasted: a line end in a name would run what stands before it."""
    return inert(" ".join(text.splitlines()).replace("\t", " "))


def many_lines(text: str) -> str:
    """A text to be pasted, its own line ends and tabs kept."""
    return inert(text.replace("\r\n", "\n").replace("\r", "\n"))


def osc52(text: str, *, in_tmux: bool) -> str:
    """The sequence that asks a terminal to take the text; inside tmux one that asks tmux to pass it on."""
    encoded = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
    sequence = f"\x1b]52;c;{encoded}\x07"
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\" if in_tmux else sequence


def encoded_size(text: str) -> int:
    """Bytes of the text in base64."""
    return -(-len(text.encode("utf-8", "replace")) // 3) * 4


def copy(text: str, send: Callable[[str], None], chosen: Settings, *, tmux: Callable[[str], str] | None = None) -> str:
    """Take the text (`one_line` or `many_lines` made it) as far as it gets; where that is, in words.

    send  writes a sequence to the terminal
    tmux  hands a text to tmux: "" or what went wrong
    In tmux its own command comes first: it is the only way whose outcome is known, and it works with the settings
    that tmux has by itself, with which sequences of programs inside are dropped.
    """
    lines = text.count("\n") + 1
    what = f"{lines:,} lines" if lines > 1 else f"{len(text):,} characters" if len(text) > 60 else "it"
    problems = [chosen.problem] if chosen.problem else []
    if chosen.way == "tmux" or (chosen.way == "auto" and chosen.in_tmux):
        problem = (tmux or to_tmux)(text)
        if not problem:
            return f"sent {what} to tmux's buffer, and by tmux to the terminal"
        problems.append(problem)
    if chosen.way in ("auto", "osc52"):
        size = encoded_size(text)
        if size <= chosen.most:
            send(osc52(text, in_tmux=chosen.in_tmux))
            return _said(f"sent {what} to the terminal (OSC 52)", problems)
        problems.append(f"{size:,} bytes are more than the {chosen.most:,} a terminal takes")
    try:
        path = to_file(text)
    except SaveError as error:
        return _said(f"not copied: {error}", problems)
    return _said(f"written to {path}", problems)


def _said(words: str, problems: list[str]) -> str:
    return f"{words}; {'; '.join(problems)}" if problems else words


def to_tmux(text: str) -> str:
    """Put the text into tmux's buffer, and by tmux on the terminal's clipboard; what went wrong, in words."""
    command = ["tmux", "load-buffer", "-w", "-"]
    try:
        done = subprocess.run(
            command, input=text.encode("utf-8", "replace"), capture_output=True, timeout=TMUX_SECONDS, check=False
        )
    except FileNotFoundError:
        return "there is no tmux to be found"
    except (OSError, subprocess.TimeoutExpired):
        return "tmux does not answer"
    said = inert(" ".join(done.stderr.decode("utf-8", "replace").split()))[:80]
    return "" if done.returncode == 0 else f"tmux: {said or f'it ended with {done.returncode}'}"


def to_file(text: str, folders: tuple[Path, ...] | None = None) -> Path:
    """Write the text to a new file where the console was started, else at home. Raises SaveError."""
    stem = f"qdeck-copy-{datetime.now():%Y%m%d-%H%M%S}"
    problem = SaveError("no folder can be written")
    for folder in folders or (Path.cwd(), Path.home()):
        if not os.access(folder, os.W_OK):
            continue
        for number in range(1, MOST_NAMES):
            path = folder / f"{stem}{'' if number == 1 else f'-{number}'}.txt"
            if path.exists():
                continue
            try:
                with NewFile(path) as file:
                    file.write(text.encode("utf-8", "replace"))
                return path
            except SaveError as error:
                problem = error
    raise problem
