"""What is hidden for how it looks, whatever is known of the estate: secrets, links, addresses, ids, compound words."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from copilot.redaction import vocabulary
from copilot.redaction.book import LINK

WORLD = frozenset(("0.0.0.0/0", "::/0"))  # everywhere the same
_SECRET_WORD = (
    r"pass(?:wd|word|phrase|code)|pwd|secret(?:[ _-]?key)?|(?:access[ _-]?|auth[ _-]?|api[ _-]?)?token|credentials?|"
    r"(?:private|auth|api|access|encryption)[ _-]?key"
)
# In this order; what an earlier one took, a later one leaves.
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("secret", re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----.*?(?:-----END [A-Z0-9 ]{1,40}-----|\Z)", re.DOTALL)),
    ("secret", re.compile(r"(?i)\b(?:bearer|basic)\s+(?P<it>[A-Za-z0-9._~+/=-]{8,})")),
    (
        "secret",
        re.compile(rf"(?i)(?:{_SECRET_WORD})[\"']?\s*(?::=|=|:|\bis\b|\bwas\b)\s*(?:\"(?P<a>[^\"]+)\"|'(?P<b>[^']+)'|(?P<it>[^\s\"',;]+))"),
    ),
    ("secret", re.compile(r"(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\S+)\s+[A-Za-z0-9+/=]+(?:\s+\S+@\S+)?")),
    ("mac", re.compile(r"(?<![\w:-])(?:[0-9A-Fa-f]{2}[:-]){5}(?:[0-9A-Fa-f]{2}[:-]){0,2}[0-9A-Fa-f]{2}(?![\w:-])")),
    (
        "ip",
        re.compile(
            r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?:%\w+)?"
            r"(?:/\d{1,3})?(?![\w:])"
        ),
    ),
)  # fmt: skip
# A word with signs in it; ends of sentences, quotes and brackets do not belong to it.
_CHUNK = re.compile(r"[^\s\"'`,;()\[\]{}|<>!?*=:\u2018\u2019\u201c\u201d\u00ab\u00bb\u3001\u3002\uff0c]+")
_CAMEL = re.compile(r"[a-z][A-Z]")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{24,64}", re.IGNORECASE)
_EDGE = ".-_/+~#%&$^\\…"


@dataclass(frozen=True, slots=True)
class Span:
    """Characters from `start` to before `end` that are hidden together."""

    start: int
    end: int
    kind: str


def shaped(text: str) -> list[Span]:
    """What is hidden for its shape; spans may touch and overlap."""
    found = list(_links(text))
    for kind, pattern in _SHAPES:
        for match in pattern.finditer(text):
            group = next((name for name in ("it", "a", "b") if match.groupdict().get(name)), 0)
            start, end = match.span(group)
            whole = text[start:end]
            if kind == "ip" and (_is_clock(whole) or whole in WORLD or not _is_address(whole)):
                continue
            if kind == "secret" and vocabulary.is_word(whole):
                continue
            if start < end:
                found.append(Span(start, end, kind_of(whole) if kind == "ip" else kind))
    return found


def _links(text: str) -> Iterator[Span]:
    """Everything between blanks that has "://" in it: no LINK is left that could come about by hiding."""
    at = text.find("://")
    while at >= 0:
        start, end = at, at
        while start and not text[start - 1].isspace():
            start -= 1
        while end < len(text) and not text[end].isspace():
            end += 1
        yield Span(start, end, "link")
        at = text.find("://", end)


def chunks(text: str) -> Iterator[tuple[int, int]]:
    """Places of the words that have signs or digits in them, without signs at their ends."""
    for match in _CHUNK.finditer(text):
        start, end = match.span()
        while start < end and text[start] in _EDGE:
            start += 1
        while start < end and text[end - 1] in _EDGE:
            end -= 1
        if start < end and is_compound(text[start:end]):
            yield start, end


def is_compound(word: str) -> bool:
    """Whether a word is more than letters: "web-03", "cmp03", "a.b", "myServer"."""
    return not word.isalpha() or (word.isascii() and _CAMEL.search(word) is not None)


def kind_of(value: str) -> str:
    """What a value looks like: "ip", "prefix", "mac", "mail", "id", "link", or "name"."""
    if LINK.fullmatch(value):
        return "link"
    if _is_address(value):
        return "prefix" if "/" in value else "ip"
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}", value):
        return "mac"
    if _UUID.fullmatch(value):
        return "id"
    return "mail" if "@" in value and " " not in value else "name"


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_interface(value)
    except ValueError:
        return False
    return "." in value or ":" in value


def _is_clock(value: str) -> bool:
    return re.fullmatch(r"\d{1,2}:\d\d:\d\d", value) is not None
