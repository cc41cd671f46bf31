"""A machine's console log: asked of Nova through the gate, and made harmless before anybody sees it.

What a guest writes to its serial port is hostile: escape sequences that move the cursor, set titles or ask the terminal
questions. Nova takes the escape characters out and leaves the rest of each sequence (`[0;32m`), so both forms go.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

import orjson

from engine.api.errors import ApiError, Forbidden, NotFound
from engine.clouds.errors import CloudError
from store import times
from store.estate.reading import single
from store.estate.reading.models import Key, Scope
from store.types import registry

if TYPE_CHECKING:
    from datetime import datetime

    from engine.access.models import Caller
    from engine.inventory.reads import InventoryReads

LINES = 200
MOST_LINES = 10_000
# Nova reads at most the last 100 KB of a console (its MAX_CONSOLE_BYTES).
_NOVA_BYTES = 102_400
_MOST_CHARACTERS = 2 << 20
_LONGEST_LINE = 4000

_SEQUENCES = re.compile(
    r"\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # titles, clipboard, links
    r"|\x1b[PX^_][^\x1b\n]*(?:\x1b\\)?"  # device strings
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # colours, cursor, modes
    r"|\x1b[ -/]*[0-~]?"
)
# What is left of such sequences when only the escape character was taken out.
_REMAINS = re.compile(
    r"\[(?:\d{1,3}(?:;\d{1,3})*m|m(?!\w)|[?=]\d{1,4}(?:;\d{1,4})*[hlcn]|\d{1,3};\d{1,3}[Hfr]|[0-3]?[JK](?![\w\]])|6n"
    r"|H(?=\[))"
)
_BAD = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def clean(text: str) -> str:
    """The text without escape sequences and control characters; lines end with "\\n", tabs are spaces.

    A carriage return or a backspace overwrites as on a screen. Anything else that could act on a terminal, or that
    turns the reading direction, becomes "?".
    """
    text = text[-_MOST_CHARACTERS:].replace("\r\n", "\n")
    text = _REMAINS.sub("", _SEQUENCES.sub("", text))
    return "\n".join(_line(line) for line in text.split("\n"))


def _line(line: str) -> str:
    if line.isascii() and line.isprintable():
        return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"
    if "\r" in line:
        line = next((part for part in reversed(line.split("\r")) if part.strip("\x00 ")), "")
    if "\b" in line:
        line = _struck(line)
    line = line.expandtabs(8).replace("\x00", "")
    line = "".join("?" if unicodedata.category(c) in _BAD else c for c in line)
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"


def _struck(line: str) -> str:
    kept: list[str] = []
    for character in line:
        if character != "\b":
            kept.append(character)
        elif kept:
            kept.pop()
    return "".join(kept)


def tail(text: str, length: int) -> tuple[list[str], bool]:
    """(the last `length` lines, whether there are, or were, more before them)."""
    lines = text.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()  # the guest's empty lines at the end say nothing, and a following reader would see jumps
    cut = len(lines) > length or len(text.encode("utf-8", "replace")) >= _NOVA_BYTES
    return lines[-length:], cut


class Answer(Protocol):
    """What a cloud answered: HTTP status, and its JSON."""

    @property
    def status(self) -> int: ...

    @property
    def document(self) -> Mapping[str, Any]: ...


# (caller, key of the server, its project, the body of the action, its name) -> what Nova answered
Ask = Callable[["Caller", Key, str, dict[str, Any], str], Answer]


def through_gate(ask: Callable[[Caller, Any], Answer]) -> Ask:
    """An Ask that has the gate send it: `ask` is the gate's way to ask what changes nothing."""

    def send(caller: Caller, key: Key, project: str, body: dict[str, Any], title: str) -> Answer:
        from engine.gate.models import Call

        call = Call(
            cloud=key[0],
            region=key[1],
            service="compute",
            method="POST",
            path=f"/servers/{quote(key[2], safe='')}/action",
            body=body,
            session="read",
            project_id=project,
            what=f"read the console log of {title}",
            key=key,
            type="server",
        )
        return ask(caller, call)

    return send


class ConsoleLogs:
    """Reads console logs. `ask` sends the one POST that changes nothing, through the gate. Blocks; thread-safe."""

    def __init__(self, reads: InventoryReads, ask: Ask) -> None:
        self._reads = reads
        self._ask = ask

    def read(self, caller: Caller, key: Key, scope: Scope, length: int) -> dict[str, Any]:
        """The answer of ConsoleLogAnswer. Raises NotFound, Forbidden ("a reader may not"), ApiError with a sentence."""
        type = registry.ALL["server"]
        now: datetime = self._reads.clock()
        one = self._reads.read(lambda connection: single.read_one(connection, type, key, None, scope))
        if one is None:
            raise NotFound(f"there is no server {key[2]!r:.80}")
        name = one["row"].get("name")
        title = name if isinstance(name, str) and name else key[2]
        if one["valid_to"] is not None:
            raise NotFound(f"{title:.80} is gone, and clouds keep no console log of deleted machines")
        # One line more than asked tells whether there are more.
        body = {"os-getConsoleOutput": {"length": length + 1}}
        try:
            answer = self._ask(caller, key, str(one["row"].get("project_id") or ""), body, title)
        except CloudError as error:
            raise refusal(error.status or 0, str(error), title, error.kind) from None
        except ApiError as error:
            status = getattr(error, "cloud_status", None)  # the gate passes on what the cloud answered
            if not isinstance(status, int):
                raise
            raise refusal(status, error.detail, title) from None
        if answer.status != 200:
            from engine.clouds import errors

            said = errors.reason(orjson.dumps(dict(answer.document), default=str))
            raise refusal(answer.status, said, title)
        output = answer.document.get("output")
        if not isinstance(output, str):
            raise ApiError(f"Nova answered the question for the console log of {title:.80} with something else", 502)
        lines, truncated = tail(clean(output), length)
        return {
            "key": list(key),
            "name": name if isinstance(name, str) else None,
            "at": times.text(now),
            "text": "\n".join(lines),
            "lines": len(lines),
            "truncated": truncated,
        }


def refusal(status: int, words: str, title: str, kind: str = "") -> ApiError:
    """The sentence for a console log that could not be had; `words` are the cloud's or the session's own."""
    said = f" ({words})" if words else ""
    title = f"{title:.80}"
    if status == 403 or kind == "denied":
        return Forbidden(
            f"this account may not read the console log of {title}: a reader may not, the cloud wants the role member "
            f"in its project; add an account with that role{said}"
        )
    if status == 404:
        return NotFound(f"the cloud has no console of {title}: it is gone, or has none{said}")
    if status == 409:
        return ApiError(f"{title} has no console yet: it was never started on a host, or is being moved{said}", 409)
    if status == 501:
        return ApiError(f"the host of {title} offers no console log{said}", 501)
    known = {"timeout": 504, "busy": 503, "unknown": 404, "bad_request": 400}.get(kind, 502)
    return ApiError(f"the console log of {title} could not be read{said}", known)
