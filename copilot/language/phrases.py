"""Looking at tokens as plain words: what quoted texts and names say is never taken for language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from copilot.reading import Token

T = TypeVar("T")
Phrases = Mapping[str, tuple[tuple[tuple[str, ...], T], ...]]  # first word -> (whole phrase, meaning), longest first


def word(tokens: Sequence[Token], i: int) -> str:
    """The plain word, number or mark at i; "" when there is none."""
    if 0 <= i < len(tokens) and tokens[i].kind in ("word", "number", "mark"):
        return tokens[i].word
    return ""


def number(tokens: Sequence[Token], i: int) -> float | None:
    """The number written in digits at i; one of more than 15 characters is none that anybody means."""
    if 0 <= i < len(tokens) and tokens[i].kind == "number" and len(tokens[i].word) <= 15:
        return float(tokens[i].word)
    return None


def phrases(meanings: Mapping[str, T]) -> Phrases[T]:
    """Phrases ("no more than") by their first word, for `phrase`."""
    found: dict[str, list[tuple[tuple[str, ...], T]]] = {}
    for text, meaning in meanings.items():
        words = tuple(text.split())
        found.setdefault(words[0], []).append((words, meaning))
    return {first: tuple(sorted(items, key=lambda item: -len(item[0]))) for first, items in found.items()}


def phrase(tokens: Sequence[Token], i: int, among: Phrases[T]) -> tuple[T, int] | None:
    """The meaning of the longest phrase that stands at i, and how many tokens it has."""
    for words, meaning in among.get(word(tokens, i), ()):
        if all(word(tokens, i + place) == one for place, one in enumerate(words)):
            return meaning, len(words)
    return None
