"""Hides what is of an estate before a model is asked, and puts it back in what the model says.

Two rules. Cells of results: a value stays only if it is a number, a time or a word of the fixed vocabulary; in columns
that hold names, ids and addresses nothing stays. Texts (questions, notes, errors): hidden are the names that the asker
may see, everything that was hidden before in this conversation, secrets, links, addresses, ids, and words with signs or
digits in them that are none of the vocabulary's: host names, names of what is gone.

A text that looks like a pseudonym is itself hidden, so that one that comes back has one meaning only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from copilot.linking import folding
from copilot.linking.names import Names
from copilot.redaction import shapes, vocabulary
from copilot.redaction.book import PSEUDONYM, Book
from copilot.redaction.columns import column_kind
from copilot.redaction.index import Index, index_of
from copilot.redaction.revealing import Stream
from copilot.redaction.shapes import Span
from copilot.sources import Sources

# Scripts without blanks between words: each character is a word, and so is every other sign that is not ASCII.
_OPEN = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"[{_OPEN}]|[^\W_{_OPEN}]+|[^\w\s\x00-\x7f]")
_REF = re.compile(r"r\d{1,4}")
_QUOTED = re.compile(r"[\"'\u2018\u201c](?P<it>[^\"'\u2018\u2019\u201c\u201d]{1,255})[\"'\u2019\u201d]")
_ODD = re.compile(r"[=@#$%&+*~^|\\<>:()\[\]{}]")  # between words: no sentence has it there
_JOINED = re.compile(r"[A-Za-z0-9_]")
_FAR = 4  # characters that may stand between two words of a name


class Redactor:
    """The Redactor of one conversation (copilot.backends.base.Redactor)."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._own = Index()  # what was hidden for where it stood, to be found again in texts
        self._book = Book(taken=lambda text: index.kind(folding.bare(text)) is not None)

    @classmethod
    def of(cls, sources: Sources) -> Redactor:
        """A redactor for what the asker may see. Raises NotAvailable when the names cannot be read."""
        return cls(index_of(Names.of(sources)))

    def hide(self, text: str) -> str:
        """The text as it may leave."""
        if vocabulary.is_listed(text):
            return text
        known = self._book.known(text)
        if known is not None:
            return known
        spans = _merged(text, [*shapes.shaped(text), *self._looking_alike(text), *self._compounds(text)])
        spans = _merged(text, [*spans, *self._quoted(text), *self._named(text)])
        parts, at = [], 0
        for span in spans:
            parts += [text[at : span.start], self._book.pseudonym(text[span.start : span.end], span.kind)]
            at = span.end
        return "".join((*parts, text[at:]))

    def hide_cell(self, text: str, column: str) -> str:
        """A value of a result, as it may leave: all of it or nothing."""
        if not text or (column == "ref" and _REF.fullmatch(text)):
            return text
        known = self._book.known(text)
        kind = column_kind(column)
        bare = folding.bare(text)
        called = not vocabulary.is_listed(text) and self._index.kind(bare)
        if kind is None and not called and (vocabulary.stays(text) or text in shapes.WORLD):
            return text
        if known is not None:
            return known
        looks = shapes.kind_of(text)
        if kind in (None, "name") or looks in ("ip", "prefix", "mac", "mail", "id", "link"):
            kind = (looks if looks != "name" else None) or self._index.kind(bare) or kind or "text"
        if not vocabulary.stays(text):
            self._own.add((bare,), kind)
        return self._book.pseudonym(text, kind)

    def reveal(self, text: str) -> str:
        """The text with pseudonyms undone."""
        return self._book.reveal(text)

    def revealer(self) -> Stream:
        """The same for a text in pieces."""
        return Stream(self._book.reveal)

    def _kind(self, bare: str) -> str | None:
        return self._own.kind(bare) or self._index.kind(bare)

    def _looking_alike(self, text: str) -> Iterator[Span]:
        for match in PSEUDONYM.finditer(text):
            yield Span(*match.span(), self._kind(folding.bare(match.group())) or "name")

    def _compounds(self, text: str) -> Iterator[Span]:
        """Words with signs or digits in them."""
        for start, end in shapes.chunks(text):
            word = text[start:end]
            if vocabulary.is_listed(word) or vocabulary.is_number(word) or word in shapes.WORLD:
                continue
            if vocabulary.is_word(word) and not self._kind(folding.bare(word)):
                continue
            if not any(map(str.isalnum, word)) or (not word.isascii() and word.isalpha()):
                continue  # signs alone; words of scripts that have none between them
            looks = shapes.kind_of(word)
            yield Span(start, end, self._kind(folding.bare(word)) or looks)

    def _quoted(self, text: str) -> Iterator[Span]:
        """Names in quotes, also those of plain words alone."""
        for match in _QUOTED.finditer(text):
            start, end = match.span("it")
            if not vocabulary.is_word(match["it"]) and (kind := self._kind(folding.bare(match["it"]))):
                yield Span(start, end, kind)

    def _named(self, text: str) -> Iterator[Span]:
        """Runs of words that are names, the longest at each place."""
        words = [(*match.span(), _bare(match.group())) for match in _WORD.finditer(text)]
        place = 0
        while place < len(words):
            found = self._run(text, words, place)
            if found is None:
                place += 1
                continue
            end, kind = found
            yield Span(words[place][0], words[end - 1][1], kind)
            place = end

    def _run(self, text: str, words: list[tuple[int, int, str]], first: int) -> tuple[int, str] | None:
        """Where the longest name that begins with the word ends (number of a word), and its kind."""
        bare, found = "", None
        tells = False  # whether any of the words is none of the vocabulary's
        for place in range(first, len(words)):
            start, end, part = words[place]
            if place > first and start - words[place - 1][1] > _FAR:
                break
            bare += part
            limit = max(self._index.longest(bare), self._own.longest(bare))
            if len(bare) > limit:
                break
            word = text[start:end]
            tells = tells or not (vocabulary.is_word(word) or vocabulary.is_number(word))
            tells = tells or (place > first and _ODD.search(text, words[place - 1][1], start) is not None)
            if (len(bare) > 2 or not bare.isascii()) and tells and (kind := self._kind(bare)):
                found = place + 1, kind
        return found


def _bare(word: str) -> str:
    return word.lower() if word.isascii() else folding.bare(word)


def _merged(text: str, spans: list[Span]) -> list[Span]:
    """The spans in order, none touching another; each ends where a pseudonym in its place would end."""
    made: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, -one.end)):
        start, end = _widened(text, span.start, span.end)
        if made and start <= made[-1].end:
            last = made.pop()
            start, end = _widened(text, last.start, max(end, last.end))
            while made and start <= made[-1].end:
                start = made.pop().start
            made.append(Span(start, end, last.kind))
        else:
            made.append(Span(start, end, span.kind))
    return made


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """So far that no letter, digit or dash of a word touches it: `PSEUDONYM` would not see it then."""
    while end < len(text) and (_JOINED.match(text, end) or (text[end] == "-" and _JOINED.match(text, end + 1))):
        end += 1
    while start and (
        _JOINED.match(text, start - 1) or (text[start - 1] == "-" and start > 1 and _JOINED.match(text, start - 2))
    ):
        start -= 1
    return start, end
