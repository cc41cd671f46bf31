"""Words that are nothing but something to find, and the answers in the operator's own zone; no clock is read here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

# What has a colon and is no filter of one column: fa:16:3e:00:11:22, fd00::7, 10.0.0.7:443, https://10.0.0.7/.
_VALUE = re.compile(r"\[?[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,}.*|\d+(\.\d+){3}.*|https?://.*", re.IGNORECASE)
_WEEK = timedelta(days=6)


def is_value(word: str) -> bool:
    """Whether a word of the command bar is an address, a MAC or a URL, and so nothing but something to find."""
    return _VALUE.fullmatch(word) is not None


def sentence(item: Mapping[str, Any], now: datetime) -> str:
    """`10.20.0.7 was web-3 until Tue 14:02`; what a restore put in its place is said, too."""
    if item["type"] == "audit":
        return f"{item['says']}, {_moment(item['from'], now)}"
    until = f" until {_moment(item['to'], now)}" if item["to"] else ""
    links = {"replaced_by": "replaced by", "in_place_of": "in the place of"}
    line = "".join(f", {words} {item[name]}" for name, words in links.items() if item.get(name))
    return f"{item['says']}{until}{line}"


def period(item: Mapping[str, Any], now: datetime) -> str:
    """`Mon 09:00 - Tue 14:02`, or `since 2026-10-01 09:00`; "gone" where the resource is."""
    if item["to"] is None:
        return f"since {_moment(item['from'], now)}"
    if item["type"] == "audit":
        return _moment(item["from"], now)
    gone = ", gone" if item["gone"] else ""
    return f"{_moment(item['from'], now)} - {_moment(item['to'], now)}{gone}"


def _moment(text: str, now: datetime) -> str:
    """A weekday and the time of the last days; a date before."""
    at = datetime.fromisoformat(text).astimezone(now.tzinfo)
    return f"{at:%a %H:%M}" if abs(now - at) < _WEEK else f"{at:%Y-%m-%d %H:%M}"
