"""The first lines of a machine's user data, for whoever decides whether a new machine gets them again.

User data is where tenants keep passwords: it is read live, answered once, and kept, logged and journalled nowhere; the
audit says that somebody looked, not what he saw.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, Any

from engine.access.models import Caller
from engine.api.errors import NotFound
from engine.clouds.errors import CloudError
from engine.gate.models import NoRole
from engine.gate.refusals import NotDone, Refused
from engine.restore.models import Key
from engine.restore.planning.asking import text
from engine.restore.planning.reading_machine import readable_user_data
from store.redact import digest

if TYPE_CHECKING:
    from engine.audit.service import AuditService
    from engine.restore.showing import Visible
    from engine.restore.sources import Gate

MOST_LINES = 12
MOST_CHARACTERS = 200  # of a line
NO_TEXT = "binary or compressed"
_MICROVERSION = "2.3"  # the first that tells user data
_BREAK = re.compile(r"\r\n|\r|\n")
Item = dict[str, Any]


class UserData:
    """See the module. Thread-safe; blocks."""

    def __init__(self, gate: Gate, audit: AuditService, sees: Visible) -> None:
        """`sees(caller, cloud, project id)`: whether the caller's role covers it."""
        self._gate, self._audit, self._sees = gate, audit, sees

    def look(self, caller: Caller, key: Key) -> Item:
        """What `shown` makes of a machine's user data as it is now; that it was looked at is in the audit first.

        Raises NotFound for a machine that is gone or not the caller's, Refused when no account may read user data,
        and what reading the cloud does.
        """
        cloud, region, id = key
        try:
            found = self._gate.reader(cloud, region, "", "admin")("compute", f"/servers/{id}", _MICROVERSION)
            server = (found or {}).get("server")
            # Whose it is now counts, and before anything is read of it.
            if not isinstance(server, dict) or not self._sees(caller, cloud, text(server.get("tenant_id"))):
                raise NotFound(f"there is no machine {id!r:.80}: user data goes with its machine")
            if not readable_user_data(server):
                raise Refused("no_role", f"no account of {cloud} may read user data: only administrators are told")
            raw = self._gate.user_data(cloud, region, id)
        except NoRole as error:
            raise Refused("no_role", str(error), command=error.command) from error
        except CloudError as error:
            raise NotDone(str(error)) from error
        name = text(server.get("name")) or id
        detail = {"cloud": cloud, "region": region, "server": id}
        self._audit.record(caller, "restore.user_data", f"{cloud} user data of {name}", detail)
        return shown(raw)


def shown(raw: str) -> Item:
    """{bytes, sha256, kind, lines, more} of user data as Nova has it (base64; "" for none).

    kind   "text", "none", or NO_TEXT: then there are no lines; nothing is unpacked
    lines  at most 12 of at most 200 characters, what could act on a terminal as "?"
    more   there is more of it than these lines show
    """
    if not raw:
        return {"bytes": 0, "sha256": "", "kind": "none", "lines": [], "more": False}
    told = digest(raw)
    told = told if isinstance(told, dict) else {"size": len(raw), "sha256": ""}  # it is the word for what is redacted
    found = {"bytes": told["size"], "sha256": told["sha256"]}
    words = _text(raw)
    if words is None:
        return {**found, "kind": NO_TEXT, "lines": [], "more": True}
    pieces = _BREAK.split(words, maxsplit=MOST_LINES)
    rest = "".join(pieces[MOST_LINES:])
    pieces = pieces[:MOST_LINES] if pieces[-1] else pieces[:-1][:MOST_LINES]
    lines = [_printable(piece) for piece in pieces]
    cut = any(len(line) > MOST_CHARACTERS for line in lines)
    return {
        **found, "kind": "text", "lines": [line[:MOST_CHARACTERS] for line in lines], "more": bool(rest) or cut,
    }  # fmt: skip


def _text(raw: str) -> str | None:
    """It decoded; None for what is no text (archives, gzip, other encodings, or no base64)."""
    try:
        words = binascii.a2b_base64(raw.encode("ascii"), strict_mode=True).decode("utf-8-sig")
    except ValueError:  # of base64, ASCII and UTF-8 alike
        return None
    return None if "\0" in words else words


def _printable(line: str) -> str:
    """A character more than is shown is enough to know that there are more."""
    line = line[: MOST_CHARACTERS + 1].replace("\t", "    ")
    return line if line.isprintable() else "".join(c if c.isprintable() else "?" for c in line)
