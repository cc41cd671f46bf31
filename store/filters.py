"""The one filter grammar: text -> tree -> text. Standard library only; store.filter_sql makes SQL of a tree.

    web prod            both words in the row's search text          "two words"   one text with blanks
    !term               not                                          a or b, ( )   either
    status:error,shutoff    any of them: status equal, texts and names contained, case never matters
    name:=web-1         exactly                                      name:~^web    regular expression (RE2)
    vcpus:>4  >= < <= 4..8  4..  ram:8G  age:<2d  created_at:2026-11-01..2026-11-05
    host:none  host:any     has no value, has any

Terms beside each other are all required. `or` binds less tightly than that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_TEXT = 2000  # characters
MAX_DEPTH = 30
OPERATORS = (">=", "<=", ">", "<", "=", "~")

_COLUMN = re.compile(r"([A-Za-z][A-Za-z0-9_]*):")
_ADDRESS = re.compile(r"[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:.]*(/\d+)?(?=[\s()]|$)")  # fa:16:3e, fd00::5: words, not columns
_BARE_WORD = re.compile(r"[^\s()\"]+")
_BARE_VALUE = re.compile(r"[^\s(),\"]+")
_PLAIN = re.compile(r"[^\s()\",!\\]+")
_KEYWORDS = ("or", "and")


class FilterError(ValueError):
    """A filter that cannot be read: one clear sentence, and the position (0-based character) it is about."""

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


@dataclass(frozen=True, slots=True)
class Filter:
    """A node of the tree."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of `column:value`.

    operator  "" (as the column's role says), one of OPERATORS, ".." (range), "none" or "any"
    text      the operand; of a range the lower end, "" when open
    upper     of a range the upper end, "" when open
    """

    operator: str
    text: str = ""
    upper: str = ""
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Word(Filter):
    """A text that the row's search text contains."""

    text: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Match(Filter):
    """A column with any of the values."""

    column: str
    values: tuple[Value, ...]
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Not(Filter):
    """What the item does not pass."""

    item: Filter


@dataclass(frozen=True, slots=True)
class And(Filter):
    """All of them; without items everything passes."""

    items: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class Or(Filter):
    """Any of them."""

    items: tuple[Filter, ...] = ()


EVERYTHING = And(())


def all_of(*filters: Filter) -> Filter:
    """A filter that passes what all of them pass."""
    items: list[Filter] = []
    for one in filters:
        items += one.items if isinstance(one, And) else (one,)
    return items[0] if len(items) == 1 else And(tuple(items))


def matches(filter: Filter) -> Iterator[Match]:
    """Every `column:value` term of the tree."""
    if isinstance(filter, Match):
        yield filter
    elif isinstance(filter, Not):
        yield from matches(filter.item)
    elif isinstance(filter, And | Or):
        for item in filter.items:
            yield from matches(item)


def parse(text: str) -> Filter:
    """The tree of a filter's text; an empty text passes everything.

    Raises FilterError with the position of what it could not read. Column names are not checked: that needs the type
    (`store.filter_sql.check`).
    """
    if len(text) > MAX_TEXT:
        raise FilterError(f"the filter is longer than {MAX_TEXT} characters", MAX_TEXT)
    for position, character in enumerate(text):
        if (character < " " and character not in "\t\n") or "\ud800" <= character <= "\udfff" or character == "\x7f":
            raise FilterError("the filter has a control character in it", position)
    parser = _Parser(text)
    tree = parser.either(0)
    if parser.position < len(text):
        raise FilterError("this ) closes nothing; leave it out or quote it", parser.position)
    return tree


class _Parser:
    """Recursive descent over the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def blanks(self) -> None:
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1

    def keyword(self) -> str:
        """`or` or `and` at the position, as a word of its own, else ""."""
        found = _BARE_WORD.match(self.text, self.position)
        word = found.group().lower() if found else ""
        return word if word in _KEYWORDS else ""

    def either(self, depth: int) -> Filter:
        if depth > MAX_DEPTH:
            raise FilterError(f"the filter is nested deeper than {MAX_DEPTH} levels", self.position)
        branches = [self.together(depth)]
        while self.keyword() == "or":
            start = self.position
            self.position += 2
            self.blanks()
            branch = self.together(depth)
            if not (_terms(branches[-1]) and _terms(branch)):
                raise FilterError("`or` needs a term on both sides", start)
            branches.append(branch)
        items: list[Filter] = []
        for branch in branches:
            items += branch.items if isinstance(branch, Or) else (branch,)
        return items[0] if len(items) == 1 else Or(tuple(items))

    def together(self, depth: int) -> Filter:
        """Terms up to `or`, `)` or the end."""
        items: list[Filter] = []
        self.blanks()
        while self.position < len(self.text) and self.text[self.position] != ")":
            keyword = self.keyword()
            if keyword == "or":
                break
            if keyword == "and" and items:
                start = self.position
                self.position += 3
                self.blanks()
                if self.position >= len(self.text) or self.text[self.position] == ")" or self.keyword():
                    raise FilterError("`and` needs a term on both sides", start)
            items.append(self.term(depth))
            self.blanks()
        return all_of(*items)

    def term(self, depth: int) -> Filter:
        start, character = self.position, self.text[self.position]
        if character == "!":
            if depth > MAX_DEPTH:
                raise FilterError(f"the filter is nested deeper than {MAX_DEPTH} levels", start)
            self.position += 1
            if self.position >= len(self.text) or self.text[self.position].isspace() or self.text[self.position] == ")":
                raise FilterError("! needs a term right after it", start)
            return Not(self.term(depth + 1))
        if character == "(":
            self.position += 1
            inner = self.either(depth + 1)
            if self.position >= len(self.text):
                raise FilterError("this ( is never closed", start)
            self.position += 1
            if not _terms(inner):
                raise FilterError("there is nothing between ( and )", start)
            return inner
        if character == '"':
            return Word(self.quoted(), start)
        column = _COLUMN.match(self.text, self.position)
        if column and not _ADDRESS.match(self.text, self.position):
            self.position = column.end()
            return Match(column.group(1).lower(), self.values(), start)
        found = _BARE_WORD.match(self.text, self.position)
        assert found, "every other character starts a word"
        self.position = found.end()
        return Word(found.group(), start)

    def quoted(self) -> str:
        """The text between quotes; \\" and \\\\ stand for " and \\."""
        start = self.position
        found: list[str] = []
        position = start + 1
        while position < len(self.text):
            character = self.text[position]
            if character == '"':
                self.position = position + 1
                if not found:
                    raise FilterError("there is nothing between the quotes", start)
                return "".join(found)
            if character == "\\" and self.text[position + 1 : position + 2] in ("\\", '"'):
                position += 1
                character = self.text[position]
            found.append(character)
            position += 1
        raise FilterError('the quote " is never closed', start)

    def values(self) -> tuple[Value, ...]:
        found = [self.value()]
        while self.text[self.position : self.position + 1] == ",":
            self.position += 1
            found.append(self.value())
        return tuple(found)

    def value(self) -> Value:
        start = self.position
        operator = next((known for known in OPERATORS if self.text.startswith(known, start)), "")
        self.position += len(operator)
        if self.text[self.position : self.position + 1] == '"':
            return Value(operator, self.quoted(), position=start)
        if operator == "~":
            return Value(operator, self.bare_regex(start), position=start)
        found = _BARE_VALUE.match(self.text, self.position)
        if not found:
            raise FilterError("a value is missing here", start)
        self.position = found.end()
        text = found.group()
        if not operator and text.lower() in ("none", "any"):
            return Value(text.lower(), position=start)
        lower, dots, upper = text.partition("..")
        if dots and not operator and (lower or upper):
            return Value("..", lower, upper, position=start)
        return Value(operator, text, position=start)

    def bare_regex(self, start: int) -> str:
        """A pattern up to a blank, or to a `)` that it did not open."""
        depth, position = 0, self.position
        while position < len(self.text) and not self.text[position].isspace():
            character = self.text[position]
            if character == "\\":
                position += 1
            elif character == "(":
                depth += 1
            elif character == ")":
                depth -= 1
                if depth < 0:
                    break
            position += 1
        pattern = self.text[self.position : min(position, len(self.text))]
        if not pattern:
            raise FilterError("a regular expression is missing after ~", start)
        self.position += len(pattern)
        return pattern


def _terms(filter: Filter) -> bool:
    return filter != EVERYTHING


def format(filter: Filter) -> str:
    """The text of a tree, which parses to the same tree."""
    if isinstance(filter, Or):
        return " or ".join(_grouped(item, Or) for item in filter.items)
    if isinstance(filter, And):
        return " ".join(_grouped(item, And) for item in filter.items)
    return _grouped(filter, Filter)


def _grouped(filter: Filter, within: type[Filter]) -> str:
    if isinstance(filter, Not):
        return "!" + _grouped(filter.item, Not)
    if isinstance(filter, Word):
        text = filter.text
        special = text.lower() in _KEYWORDS or text[0] in "!@" or (_COLUMN.match(text) and not _ADDRESS.match(text))
        return _quote(text) if special or not _BARE_WORD.fullmatch(text) else text
    if isinstance(filter, Match):
        return f"{filter.column}:{','.join(map(_value, filter.values))}"
    bare = format(filter)
    return bare if within is Or and isinstance(filter, And) else f"({bare})"


def _value(value: Value) -> str:
    if value.operator in ("none", "any"):
        return value.operator
    if value.operator == "..":
        return f"{value.text}..{value.upper}"
    text = value.text
    plain = _PLAIN.fullmatch(text) and not (
        not value.operator and (text.lower() in ("none", "any") or ".." in text or text[0] in "<>=~")
    )
    if value.operator in (">", "<") and text.startswith("="):
        plain = None
    return value.operator + (text if plain and value.operator != "~" else _quote(text))


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class ViewText:
    """What a list shows, as one line of text: `servers /web status:error sort:age:desc @prod at:"yesterday 14:00"`.

    type    what the person called the type; "" = the current one
    filter  a filter's text
    sort    (column, descending) pairs
    cloud   name of the one cloud shown, "" = all
    at      words for a time of the past, "" = now
    """

    type: str = ""
    filter: str = ""
    sort: tuple[tuple[str, bool], ...] = ()
    cloud: str = ""
    at: str = ""

    @classmethod
    def parse(cls, text: str) -> ViewText:
        """Read the line. Raises FilterError; the filter itself is checked too."""
        type, sort, cloud, at, kept = "", [], "", "", []
        for number, (position, token) in enumerate(_tokens(text)):
            if number == 0 and token[0] not in '/@"!(' and ":" not in token:
                type = token
            elif token.startswith("@") and len(token) > 1:
                cloud = token[1:]
            elif token.startswith("sort:"):
                sort.append(_sort_term(token[5:], position))
            elif token.startswith("at:") and len(token) > 3:
                at = token[3:].strip('"')
            else:
                kept.append(token)
        filter = " ".join(kept)
        filter = filter[1:].strip() if filter.startswith("/") else filter
        parse(filter)
        return cls(type, filter, tuple(sort), cloud, at)

    def format(self) -> str:
        """The line; parses to the same view when the filter's text is in the form that `format(parse(...))` gives."""
        parts = [self.type, f"/{self.filter}" if self.filter else ""]
        parts += [f"sort:{column}{':desc' if descending else ''}" for column, descending in self.sort]
        parts.append(f"@{self.cloud}" if self.cloud else "")
        parts.append(f'at:"{self.at}"' if " " in self.at else f"at:{self.at}" if self.at else "")
        return " ".join(part for part in parts if part)


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """(position, token): runs between blanks; quotes and parentheses keep blanks inside."""
    start, depth, inside, position = None, 0, False, 0
    while position < len(text):
        character = text[position]
        if character == "\\" and inside:
            position += 1
        elif character == '"':
            inside = not inside
        elif not inside and character in "()":
            depth += 1 if character == "(" else -1
        if character.isspace() and not inside and depth <= 0:
            if start is not None:
                yield start, text[start:position]
                start = None
        elif start is None:
            start = position
        position += 1
    if start is not None:
        yield start, text[start:]


def _sort_term(text: str, position: int) -> tuple[str, bool]:
    column, _, direction = text.partition(":")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", column) or direction not in ("", "asc", "desc"):
        raise FilterError("write sort:column, sort:column:asc or sort:column:desc", position)
    return column.lower(), direction == "desc"
