"""What a language model is asked with and answers with, whichever maker's it is.

A backend streams one answer: pieces of text, whole tool calls, and at the end what was used. Errors are those of
`copilot.backends.errors`. Only `copilot.backends.outlet.Outlet.send` calls `Backend.stream`: what a backend is given
leaves the machine as it stands.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Maker = Literal["ollama", "anthropic", "openai"]
Stop = Literal["end", "tools", "length", "context", "refused"]


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost, in the currency of the settings."""

    input: float
    output: float

    def of(self, input_tokens: int, output_tokens: int) -> float:
        """Cost of so many tokens read and written."""
        return (input_tokens * self.input + output_tokens * self.output) / 1_000_000


@dataclass(frozen=True, slots=True)
class Config:
    """Which model is asked, and where.

    url      root of the server; "" = the maker's own (Ollama: this machine)
    key      the API key; never in a repr, an error or a log
    proxy    address of an HTTP proxy; the environment's proxies are never used
    ca_file  certificates to trust besides the system's
    context  tokens of context that an Ollama server is told to keep: its own default cuts long questions silently
    """

    backend: Maker
    model: str
    url: str = ""
    key: str = field(default="", repr=False)
    proxy: str = ""
    ca_file: str = ""
    price: Price | None = None
    context: int = 16_384


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as it is declared to a model.

    parameters  JSON Schema of an object, with nothing but type, properties, required, enum, items, description: what
                all makers' clients pass on
    sql         names of the arguments that hold SQL: pseudonyms in them are undone as quoted values
    """

    name: str
    description: str
    parameters: Mapping[str, Any]
    sql: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of the answer, as it arrives."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants called. `problem` says what is wrong with its arguments, which are then empty."""

    id: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one request; `estimated` where the server told none and characters were counted instead."""

    input: int = 0
    output: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The end of an answer.

    stop    "end"; "tools" = tools are to be called; "length" = cut at the most tokens; "context" = the model's context
            is full; "refused" = the model or its server declined
    opaque  what this maker wants back unchanged with the answer's tool results (signed reasoning)
    """

    tokens: Tokens
    stop: Stop = "end"
    opaque: tuple[Any, ...] = ()


Event = Text | ToolCall | Done


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the conversation.

    content  a text or a JSON value; of a "tool" message the result of `call`
    calls    tools that an "assistant" message called
    """

    role: Literal["user", "assistant", "tool"]
    content: Any = ""
    calls: tuple[ToolCall, ...] = ()
    call: ToolCall | None = None
    opaque: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a model.

    rules    the program's own instructions; nothing in them is from an estate or from a person
    notes    instructions of the administrator, "" = none
    final    no tool may be called any more
    """

    rules: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    notes: str = ""
    final: bool = False

    @property
    def system(self) -> str:
        """Rules and notes as one text."""
        return f"{self.rules}\n\n{self.notes}" if self.notes else self.rules


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much. Times in seconds.

    first       until the first sign of an answer, counted from the beginning of the request
    between     without a sign of life after that
    total       of one request
    tokens      most tokens of one answer
    characters  most characters of one answer, whatever the server calls tokens
    arguments   most characters of one tool call's arguments
    calls       most tool calls of one answer
    bytes       most bytes read for one answer
    """

    connect: float = 5.0
    first: float = 60.0
    between: float = 30.0
    total: float = 120.0
    tokens: int = 1024
    characters: int = 40_000
    arguments: int = 20_000
    calls: int = 8
    bytes: int = 8_000_000


class Cancel:
    """Lets another thread end a question at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._waiting: dict[object, Callable[[], None]] = {}

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._cancelled

    def cancel(self) -> None:
        """End it; from any thread, any number of times."""
        with self._lock:
            waiting = () if self._cancelled else tuple(self._waiting.values())
            self._cancelled = True
        for one in waiting:
            one()

    def when(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` when it is cancelled, at once if it already is; the result takes it back."""
        token = object()
        with self._lock:
            self._waiting[token] = callback
            cancelled = self._cancelled
        if cancelled:
            callback()
        return lambda: self._waiting.pop(token, None) and None


class Backend(Protocol):
    """A language model behind its maker's client."""

    @property
    def config(self) -> Config:
        """What it was made from."""

    def stream(self, request: Request, cancel: Cancel, limits: Limits) -> Iterator[Event]:
        """The answer as it arrives; the last event is Done. Raises BackendError (its subclasses), Cancelled among them.

        Closing the iterator closes the connection."""

    def models(self, cancel: Cancel, limits: Limits) -> tuple[str, ...]:
        """Names of the models that the server offers; () where it lists none. Raises BackendError."""


class Revealer(Protocol):
    """Undoes pseudonyms in a text that arrives in pieces: one may be split between two of them."""

    def feed(self, piece: str) -> str:
        """What of the text so far can be shown and was not returned before."""

    def end(self) -> str:
        """The rest."""


class Redactor(Protocol):
    """Reversible pseudonyms for what must not leave the machine. One object for one conversation."""

    def hide(self, text: str) -> str:
        """The text as it may leave."""

    def hide_cell(self, text: str, column: str) -> str:
        """A value of a result's column, as it may leave."""

    def reveal(self, text: str) -> str:
        """The text with pseudonyms undone."""

    def revealer(self) -> Revealer:
        """The same for a text in pieces."""


class StreamRevealer:
    """A Revealer for pseudonyms that are one word each: a word is held back until its end has come.

    reveal   undoes pseudonyms in a whole text
    longest  most characters of a pseudonym; longer words cannot be one, and are let go
    """

    def __init__(self, reveal: Callable[[str], str], longest: int = 200) -> None:
        self._reveal = reveal
        self._longest = longest
        self._held = ""

    def feed(self, piece: str) -> str:
        text = self._held + piece
        end = len(text)
        while end and not _ends_word(text[end - 1]):
            end -= 1
        if len(text) - end > self._longest:
            end = len(text)
        self._held = text[end:]
        return self._reveal(text[:end])

    def end(self) -> str:
        held, self._held = self._held, ""
        return self._reveal(held)


def _ends_word(character: str) -> bool:
    return character.isspace() or character in "\"'`,;()[]{}|<>!?*"


class Nothing:
    """The Redactor of a model on this machine: hides nothing."""

    def hide(self, text: str) -> str:
        return text

    def hide_cell(self, text: str, column: str) -> str:
        return text

    def reveal(self, text: str) -> str:
        return text

    def revealer(self) -> Revealer:
        return StreamRevealer(self.reveal, longest=0)
