"""What a value of a resource looks like in a list: short, by the role its type declares for it.

Values arrive as JSON gives them: text, numbers, booleans, lists, RFC 3339 times; anything else is shown as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from tui.table.cells import clean
from tui.times import age

RIGHT_ALIGNED = frozenset({"number", "size_mb", "size_gb", "size_bytes", "time"})
NOTHING = "-"
_SIZE_EXPONENT = {"size_bytes": 0, "size_mb": 2, "size_gb": 3}
_UNITS = "BKMGTPE"

_OK = frozenset(
    {
        "active", "available", "in-use", "up", "enabled", "online", "true", "ok", "success",
        "completed", "allocated", "associated", "usable", "running", "alive"
    }
)  # fmt: skip
_IDLE = frozenset(
    {
        "shutoff", "shutdown", "stopped", "paused", "suspended", "shelved", "shelved_offloaded",
        "disabled", "soft-delete", "soft_deleted", "deleted", "offline", "false", "deactivated",
        "nostate"
    }
)  # fmt: skip
_WARN = frozenset(
    {
        "rescue", "rescued", "verify_resize", "resized", "degraded", "maintenance",
        "awaiting-transfer", "unknown", "restricted", "suspect", "stale", "partial", "not_permitted"
    }
)  # fmt: skip
_BUSY = frozenset(
    {
        "build", "reboot", "hard_reboot", "resize", "rebuild", "migrate", "queued", "saving",
        "importing", "password", "pending", "pending_delete", "pending_create", "pending_update",
        "revert_resize", "backing-up", "restoring-backup", "retyping", "managing", "uploading",
        "downloading", "new", "collecting", "adding"
    }
)  # fmt: skip
GLYPHS = {"ok": "●", "idle": "○", "warn": "▲", "busy": "◐", "bad": "✖", "none": "·"}


def level(status: object, faults: Sequence[str] = ("error",), own: Mapping[str, str] | None = None) -> str:
    """How bad a status word is: ok, idle, busy, warn, bad or none (nothing known). `own`: levels of words."""
    if status is None or status == "":
        return "none"
    word = str(status).lower()
    if own and word in own:
        return own[word]
    if word in faults or word.startswith("error") or word in ("failed", "down", "killed", "dead"):
        return "bad"
    for name, words in (("ok", _OK), ("idle", _IDLE), ("warn", _WARN), ("busy", _BUSY)):
        if word in words:
            return name
    return "busy" if word.endswith("ing") else "none"


def size(amount: float, exponent: int) -> str:
    """An amount of 1024**exponent bytes in at most five characters: 512M, 1.5G, 64G, 2.1T."""
    negative, amount = amount < 0, abs(float(amount))
    while amount >= 1024 and exponent < len(_UNITS) - 1:
        amount /= 1024
        exponent += 1
    whole = amount == int(amount) or amount >= 99.95
    digits = f"{amount:.0f}" if whole else f"{amount:.1f}".removesuffix(".0")
    return f"{'-' if negative else ''}{digits}{_UNITS[exponent]}"


def value_text(value: object, role: str, now: datetime) -> str:
    """The cleaned one-line text of a value; `now` (aware) turns times into ages."""
    if value is None or value == "" or value == []:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if role in _SIZE_EXPONENT and isinstance(value, int | float):
        return size(value, _SIZE_EXPONENT[role]) if value == value and abs(value) < 1e24 else NOTHING
    if role == "time" and isinstance(value, str):
        return age_text(value, now)
    if role == "address" and isinstance(value, str) and "," in value:
        value = [part.strip() for part in value[:2048].split(",")]
    if isinstance(value, list):
        return _list_text(value, role)
    return clean(value)


def age_text(value: str, now: datetime) -> str:
    """Age of an RFC 3339 time in at most four characters; other text stays as it is; the future is "in 3m"."""
    moment = moment_of(value)
    if moment is None:
        return clean(value)
    seconds = (now - moment).total_seconds()
    # Clocks of clouds and jump hosts differ by a little: that isn't the future.
    return age(seconds) if seconds > -90 else f"in {age(-seconds)}"


def moment_of(value: str) -> datetime | None:
    """The aware instant of an RFC 3339 text, None when it is none."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _list_text(values: list, role: str) -> str:
    if role == "address":  # the first address says most; the others are counted
        more = f" +{len(values) - 1}" if len(values) > 1 else ""
        return clean(values[0]) + more
    return clean(", ".join(str(value) for value in values[:50]))
