"""Questions cut into words, as tired operators type them.

Unicode is folded before anything else (compatibility forms, accents, curly quotes, dashes; control characters and those
that turn text around are dropped), and every token knows its place in the question as it was typed.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from copilot.language.pieces import (
    BEFORE_NOT,
    CONTRACTED,
    ENDINGS,
    JOINED,
    MONTHS,
    NOT_NAMES,
    RANKING,
    SHORT_UNITS,
    WEEKDAYS,
)
from copilot.reading import Token

Kind = Literal["word", "number", "quoted", "address", "mac", "id", "name", "mark"]
Piece = tuple[int, int, str, Kind]  # from, to (in the folded text), word, kind

# Drawn differently, meant the same. Compatibility folding knows none of them.
_SAME = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u02bc\u2032\u00b4\u201b", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u00ab\u00bb\u2033\u2039\u203a", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
        "\u2014": ",",
        "\u2015": ",",
        "\u2265": ">=",
        "\u2264": "<=",
        "\u2260": "!=",
        "\u2248": "~",
        "\u00d7": "x",
        "\u00bd": ".5",
        "\u00bc": ".25",
        "\u00be": ".75",
    }
)
_MARKS = {"==": "=", "=>": ">=", "=<": "<=", "<>": "!=", ";": ",", "--": ","}

_PIECE = re.compile(
    r"""
    (?P<space> \s+ )
  | (?P<url> [a-z][a-z0-9+.\-]{0,15}://[^\s"'`<>,;]+ )
  | (?P<quoted> "[^"]*" | `[^`]*` | (?<!\w)'(?:[^']|(?<=\w)'(?=\w))*'(?!\w) )
  | (?P<time> \d{4}-\d\d?-\d\d?t\d\d?:?\d\d(?::?\d\d(?:[.,]\d+)?)?(?:z|[+-]\d\d(?::?\d\d)?)?(?![\w:]) )
  | (?P<clock> \d\d?:\d\d(?::\d\d)?(?:z|\+\d\d(?::?\d\d)?)(?![\w:]) )
  | (?P<zoned> [0-9a-f:.]*::?[0-9a-f:.]*%[\w.\-]+ )
  | (?P<thousands> \d{1,3}(?:,\d{3})+(?![\w,]) )
  | (?P<mark> <=|>=|=>|=<|!=|<>|==|--+|[<>=~,;%+] )
  | (?P<and> & )
  | (?P<not> !(?=\w) )
  | (?P<chunk> [\w.\-*@'/:]+ )
  | (?P<other> . )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)

_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_MEASURED = re.compile(r"(\d+(?:\.\d+)?|\.\d+)([a-z]+)")
_COMPOUND = re.compile(r"(?:\d+[dhms]){2,4}")
_RANKED = re.compile(rf"({'|'.join(sorted(RANKING))})[-_]?(\d+)(?:[-_]?([a-z]+))?")
_CLOCK = re.compile(r"\d\d?:\d\d(?::\d\d)?(?:[ap]m)?")
_CLOCK_HALF = re.compile(r"(\d\d?:\d\d)([ap])\.?m")
_ORDINAL = re.compile(r"\d+(?:st|nd|rd|th)")
_HALF_DAY = re.compile(r"(\d\d?)?([ap])\.m")
_SLASHED = re.compile(r"\d+(?:/\d+){1,2}")
_DAY_MONTH_DOTS = re.compile(r"(?:[0-2]?\d|3[01])\.(?:0[1-9]|1[0-2])\.")  # "24.11."
_YEAR_MONTH = re.compile(r"(?:19|20)\d\d-(?:0\d|1[0-2])")
_DAY_MONTH = re.compile(rf"(\d\d?)-({'|'.join(sorted(MONTHS))})(?:-(\d{{4}}|\d\d))?")
_MAC = re.compile(r"[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){1,4}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}")
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){1,3}(?:-[0-9a-f]{1,12})?|[0-9a-f]{8,}")
_V4 = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?")
_V4_PORT = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3}):(\d{1,5})")
_V6 = re.compile(r"[0-9a-f:.]{2,45}(?:/\d{1,3})?")
_NAME_SIGN = re.compile(r"[\d\-._*@/]")


def tokenise(question: str, known: Collection[str] = ()) -> tuple[Token, ...]:
    """The words of a question, in order; never raises.

    known  plain lower-case words: compounds of them ("floating-ip") are split, numbers glued to them ("5vms") too

    A quoted token's `text` is what stands between the quotes. A contraction gives a token for each of its words
    ("isn't": "is", "not"). Sizes, spans and ranges are cut apart ("8gb": "8", "gb"; "4-8": "4", "-", "8"); dates and
    times of day stay whole and have the kind "name". Marks are , < <= > >= = != % + - / * ~ and nothing else.
    """
    folded = _Folded.of(question)
    tokens = []
    for start, end, word, kind in _pieces(folded.text, frozenset(known)):
        if word:
            first, last = folded.place(start, end)
            tokens.append(Token(folded.typed(*_inside(folded.text, start, end, kind)), word, first, last, kind))
    return tuple(tokens)


def _inside(text: str, start: int, end: int, kind: Kind) -> tuple[int, int]:
    return (start + 1, end - 1) if kind == "quoted" else (start, end)


@dataclass(frozen=True, slots=True)
class _Folded:
    """A question folded; `origin[i]` is the place in the question of the character that `text[i]` comes from."""

    question: str
    text: str
    origin: list[int]

    @classmethod
    def of(cls, question: str) -> _Folded:
        if question.isascii() and question.isprintable():
            return cls(question, question, list(range(len(question))))
        text: list[str] = []
        origin: list[int] = []
        for place, character in enumerate(question):
            for one in _fold(character):
                text.append(one)
                origin.append(place)
        return cls(question, "".join(text), origin)

    def place(self, start: int, end: int) -> tuple[int, int]:
        """From and to in the question."""
        return self.origin[start], self.origin[end - 1] + 1

    def typed(self, start: int, end: int) -> str:
        """As typed, without the characters that folding drops (accents stay)."""
        if end <= start:
            return ""
        first, last = self.place(start, end)
        return "".join(one for one in self.question[first:last] if unicodedata.category(one)[0] != "C").strip()


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    if character in "\t\n\r\v\f":
        return " "
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", character.translate(_SAME)))
    kept = (one for one in folded if unicodedata.category(one)[0] != "C" and unicodedata.category(one) != "Mn")
    return "".join(" " if unicodedata.category(one)[0] == "Z" else one for one in kept).translate(_SAME)


def _lower(text: str) -> str:
    return text.lower() if text.isascii() else "".join(_fold(one) for one in text.lower())


def _pieces(text: str, known: frozenset[str]) -> Iterator[Piece]:
    for found in _PIECE.finditer(text):
        start, end, piece = found.start(), found.end(), _lower(found[0])
        match found.lastgroup:
            case "url" | "time" | "clock":
                yield start, end, piece.rstrip(".?!"), "name"
            case "quoted":
                yield start, end, " ".join(piece[1:-1].split()), "quoted"
            case "zoned":
                yield from _zoned(start, end, piece, known)
            case "thousands":
                yield start, end, piece.replace(",", ""), "number"
            case "mark":
                yield start, end, "," if piece.startswith("--") else _MARKS.get(piece, piece), "mark"
            case "and":
                yield start, end, "and", "word"
            case "not":
                yield start, end, "not", "word"
            case "chunk":
                yield from _chunk(start, end, piece, known)


def _zoned(start: int, end: int, word: str, known: frozenset[str]) -> Iterator[Piece]:
    """An IPv6 address with its interface ("fe80::1%eth0"), or a time of day before a percent sign."""
    if _is_address(word):
        yield start, end, word, "address"
    else:
        at = word.index("%")
        yield from _chunk(start, start + at, word[:at], known)
        yield start + at, start + at + 1, "%", "mark"
        yield from _chunk(start + at + 1, end, word[at + 1 :], known)


def _chunk(start: int, end: int, word: str, known: frozenset[str]) -> Iterator[Piece]:
    """Characters without a blank between them: usually one word or name, `word` being text[start:end] in lower case."""
    if _DAY_MONTH_DOTS.fullmatch(word):
        yield start, end, word, "name"
        return
    while word and word[-1] in ".:'-@" and not word.endswith("::"):
        if word == "-":
            yield start, end, "-", "mark"
            return
        word, end = word[:-1], end - 1
    kept = word.lstrip("'@-_" if _V6.fullmatch(word) else ":'@-_")
    if not _NUMBER.match(kept):
        kept = kept.lstrip(".")
    start, word = start + len(word) - len(kept), kept
    if not word:
        return
    if word in ("*", "/"):
        yield start, end, word, "mark"
    elif (kind := _fixed(word, known)) is not None:
        yield start, end, word, kind
    else:
        parts = next(filter(None, (cut(word, known) for cut in _CUTS)), None)
        if parts is not None:
            yield from _placed(start, end, word, parts, known)
        else:
            yield start, end, word, "name" if _NAME_SIGN.search(word) else "word"


def _fixed(word: str, known: frozenset[str]) -> Kind | None:
    """The kind of what can be told by its form, whole; None = look closer."""
    if word.isalpha():
        return None if word in CONTRACTED else "word"
    if word in known or word in NOT_NAMES or _ORDINAL.fullmatch(word):
        return "word"
    if _NUMBER.fullmatch(word):
        return "number"
    if _CLOCK.fullmatch(word) or (_SLASHED.fullmatch(word) and not _V4.fullmatch(word)):
        return "name"
    if _is_address(word):
        return "address"
    if _MAC.fullmatch(word):
        return "mac"
    if _ID.fullmatch(word) and (re.search("[a-f]", word) or len(word) == 32):
        return "id" if re.search(r"\d", word) or "-" in word else None
    return None


def _is_address(word: str) -> bool:
    bare = word.partition("%")[0] if "%" in word else word
    if not (_V4.fullmatch(bare) or (bare.count(":") >= 2 and _V6.fullmatch(bare))):
        return False
    try:
        ipaddress.ip_interface(word)
    except ValueError:
        return False
    return True


def _placed(start: int, end: int, word: str, parts: Iterable[str], known: frozenset[str]) -> Iterator[Piece]:
    """Parts of a chunk where they stand in it; "typed=meant" for one that is written out differently."""
    position = 0
    for part in parts:
        typed, _, meant = part.partition("=")
        at = max(word.find(typed, position), position)
        position = at + len(typed)
        if meant:
            yield start + at, start + position, meant, "word"
        elif not typed.strip(".-/"):
            yield start + at, start + position, "/" if typed == "/" else "-", "mark"
        else:
            yield from _chunk(start + at, start + position, typed, known)


def _contraction(word: str, _known: frozenset[str]) -> list[str] | None:
    if word in CONTRACTED:
        return list(CONTRACTED[word])
    base, apostrophe, ending = word.rpartition("'")
    if ending == "t" and base.endswith("n") and len(base) > 1:
        base = base[:-1]  # "n't" stays for the "not"
        return [f"{base}={BEFORE_NOT.get(base, base)}", "n't=not"]
    if not apostrophe or ending not in ENDINGS or "'" in base:
        return None
    if ending == "s" and base not in JOINED:
        return [base] if base else None  # possessive, or a plural as greengrocers write it
    return [base, f"'{ending}={JOINED[base] if ending == 's' else ENDINGS[ending]}"]


def _half_day(word: str, _known: frozenset[str]) -> list[str] | None:
    """ "9a.m": 9, am; "9:30p.m"."""
    if (found := _CLOCK_HALF.fullmatch(word)) is not None and "." in word:
        return [found[1], f"{word[found.end(1) :]}={found[2]}m"]
    if (found := _HALF_DAY.fullmatch(word)) is None:
        return None
    return [*filter(None, (found[1],)), f"{found[2]}.m={found[2]}m"]


def _measured(word: str, known: frozenset[str]) -> list[str] | None:
    """ "8gb": 8, gb; "2h30m"; "5vms" where "vms" is known; "top5"; "last24h"."""
    if _COMPOUND.fullmatch(word):
        return re.findall(r"\d+|[a-z]", word)
    if (found := _MEASURED.fullmatch(word)) is not None:
        return [found[1], found[2]] if found[2] in SHORT_UNITS or (len(found[2]) > 1 and found[2] in known) else None
    if (found := _RANKED.fullmatch(word)) is not None and (
        not found[3] or found[3] in SHORT_UNITS or found[3] in known
    ):
        return [part for part in found.groups() if part]
    return None


def _range(word: str, _known: frozenset[str]) -> list[str] | None:
    """ "4-8", "512mb-2gb", "9am-5pm", "9:00-10:30", "mon-wed", "2026-11-20..2026-11-25", "20-nov-2026"."""
    if (found := _DAY_MONTH.fullmatch(word)) is not None:
        return [part for part in found.groups() if part]
    if ".." in word and all(sides := re.split(r"\.\.+", word)) and len(sides) == 2:
        return [sides[0], word[len(sides[0]) : -len(sides[1])], sides[1]]
    low, dash, high = word.partition("-")
    if not dash or "-" in high or _YEAR_MONTH.fullmatch(word):
        return None
    if low in WEEKDAYS and high in WEEKDAYS:
        return [low, "-", high]
    one, other = _measure(low), _measure(high)
    return [low, "-", high] if one is not None and other is not None and one in ("", other) else None


def _measure(side: str) -> str | None:
    """What kind of number the side of a range is: "" without a unit; None = it is none."""
    if _NUMBER.fullmatch(side):
        return ""
    if _CLOCK.fullmatch(side):
        return "clock"
    found = _MEASURED.fullmatch(side)
    return SHORT_UNITS.get(found[2]) if found is not None else None


def _compound(word: str, known: frozenset[str]) -> list[str] | None:
    """ "floating-ip", "powered_off", "24-hour": plain words only, so that "web-01" and "db-master" stay names."""
    parts = re.split("[-_]", word)
    if len(parts) < 2 or not all(parts):
        return None
    plain = [part in known or part in NOT_NAMES for part in parts]
    if parts[0] == "non" and all(plain[1:]):
        return ["non=not", *parts[1:]]
    if _NUMBER.fullmatch(parts[0]) and all(plain[1:]) and parts[1] in SHORT_UNITS:
        return parts
    return parts if all(plain) else None


def _separated(word: str, _known: frozenset[str]) -> list[str] | None:
    """ "cpu/ram", "status:error", "10.0.0.1:6443"; a path ("/dev/vdb") stays whole."""
    if (found := _V4_PORT.fullmatch(word)) is not None:
        return [found[1], found[2]]
    if word.startswith("/") or "@" in word:
        return None
    if "/" in word:
        return re.findall("/|[^/]+", word)
    return [part for part in word.split(":") if part] if ":" in word else None


_CUTS = (_contraction, _half_day, _measured, _range, _compound, _separated)
