"""Names as they are compared: what people leave out or write differently is taken away. Pure.

strict("Web_01 (old)") -> "web_01 (old)"   case, width of characters, runs of blanks
loose("Web_01 (old)")  -> "web-01-old"     also accents, and which signs stand between the words
tight("Web_01 (old)")  -> "web1old"        also the signs themselves and zeros before numbers; "1-2" keeps its dash
bare("Web_01 (old)")   -> "web01old"       letters and digits alone

Each is made so that texts that are equal in one are equal in the following ones. A name of signs alone is in all of
them what it is in `strict`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

_SIGNS = re.compile(r"[^0-9a-z]+")
_BLANKS = re.compile(r"\s+")
_ZEROS = re.compile(r"(?<![0-9])0+(?=[0-9])")
_DASH = re.compile(r"-(?![0-9])|(?<![0-9])-")
_GROUP = re.compile(r"[0-9]+")
_NO_SIGNS = {code: None for code in range(128) if chr(code) != "\n" and not chr(code).isalnum()}


@lru_cache(maxsize=2048)  # the names of one lookup: compared in several ways, and often the same many times
def strict(text: str) -> str:
    """As it looks: characters that can't be seen are left out, control characters are blanks."""
    if text.isascii() and text.isprintable():
        return _BLANKS.sub(" ", text).strip().casefold()
    seen = "".join(" " if unicodedata.category(c) == "Cc" else c for c in text if unicodedata.category(c) != "Cf")
    # Twice: folding a letter can leave a sequence that has a shorter form.
    for _ in range(2):
        seen = unicodedata.normalize("NFKC", seen).casefold()
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", seen)).strip()


@lru_cache(maxsize=2048)
def loose(text: str) -> str:
    """Words of it, with one dash between them."""
    folded = strict(text)
    if folded.isascii():
        return _SIGNS.sub("-", folded).strip("-") or folded
    parts = unicodedata.normalize("NFKD", folded)
    kept = (c if c.isalnum() or c.isspace() else "-" for c in parts if not unicodedata.category(c).startswith("M"))
    return re.sub(r"[-\s]+", "-", "".join(kept)).strip("-") or folded


def tight(text: str) -> str:
    """Words run together, numbers without their zeros."""
    return _DASH.sub("", _ZEROS.sub("", loose(text)))


def bare(text: str) -> str:
    """Its letters and digits."""
    return loose(text).replace("-", "") or strict(text)


def bare_all(texts: Sequence[str]) -> list[str]:
    """`bare` of many texts. Plain ones in one piece: that takes a tenth of the time."""
    plain = [text.isascii() and text.isprintable() for text in texts]
    joined = "\n".join(text for text, is_plain in zip(texts, plain, strict=True) if is_plain)
    folded = iter(joined.lower().translate(_NO_SIGNS).split("\n"))
    return [
        (next(folded) or bare(text)) if is_plain else bare(text) for text, is_plain in zip(texts, plain, strict=True)
    ]


def words(text: str) -> tuple[str, ...]:
    """Its words and numbers: "web2-db 03" is web, 2, db, 3."""
    return tuple(re.findall(r"[0-9]+|[^0-9-]+", _ZEROS.sub("", loose(text))))


def numbers(text: str) -> tuple[str, ...]:
    """The numbers in it, without zeros before them. Names that differ in them are different things, not typos."""
    return tuple(_GROUP.findall(_ZEROS.sub("", loose(text))))
