"""One question to a model: it calls tools, gets results, and answers; its answer is checked before it counts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from copilot.answers import Proposal, Usage
from copilot.backends import spoken
from copilot.backends.base import (
    Cancel,
    Done,
    Event,
    Limits,
    Message,
    Request,
    Text,
    ToolCall,
)
from copilot.backends.errors import (
    BackendError,
    Cancelled,
    CutShort,
    Refused,
    TimedOut,
    TooLong,
    ToolsNotSupported,
)
from copilot.backends.outlet import Outlet, Sent
from copilot.backends.prompts import ANSWER_NOW, UNVERIFIED
from copilot.backends.results import Found
from copilot.backends.tools import DOING, SPECS, Toolbox
from copilot.backends.untrusted import clean

MOST_TEXT = 4_000  # characters of an answer
_MOST_REPAIRS = 1
_LEAST_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Budget:
    """What one question may take.

    rounds   requests to the model; the last one may call no tool
    calls    of tools, over all requests
    tokens   in and out, over all requests
    seconds  over all
    retries  of a request that failed in a way that may pass, before anything of its answer was shown
    patience most seconds to wait when a server asks to
    """

    rounds: int = 6
    calls: int = 12
    tokens: int = 60_000
    seconds: float = 120.0
    retries: int = 1
    patience: float = 5.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of it.

    text        what may be shown; "" where nothing the model said may
    grounded    a tool read something: the answer is about data
    unverified  parts of the model's answer that no result gives; its text is left out then
    found       results that were read, in their order; the last one with rows is what the answer is about
    error       why there is no answer, or none to the end
    """

    text: str = ""
    grounded: bool = False
    unverified: tuple[str, ...] = ()
    found: tuple[Found, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    usage: Usage = field(default_factory=Usage)
    sent: Sent = field(default_factory=Sent)
    error: BackendError | None = None


@dataclass(frozen=True, slots=True)
class Watching:
    """Who is told while it goes on.

    say    everything of the present answer so far: unverified, to be shown as arriving and replaced at the end
    doing  what the model does now, in words
    """

    say: Callable[[str], None] = lambda text: None
    doing: Callable[[str], None] = lambda words: None


class Conversation:
    """Asks one question."""

    def __init__(
        self,
        outlet: Outlet,
        toolbox: Toolbox,
        *,
        budget: Budget | None = None,
        limits: Limits | None = None,
        watching: Watching | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._outlet, self._toolbox = outlet, toolbox
        self._budget, self._limits = budget or Budget(), limits or Limits()
        self._watching = watching or Watching()
        self._clock = clock
        self._usage = Usage()
        self._tokens = 0
        self._spoken = False
        self._end = clock() + self._budget.seconds

    def ask(self, rules: str, asked: Mapping[str, Any], cancel: Cancel, notes: str = "") -> Reply:
        """The answer. A failure is in `Reply.error`, with what was found until then; being cancelled too."""
        request = Request(rules, (Message("user", dict(asked)),), SPECS, notes)
        try:
            text, unverified = self._go(request, cancel)
        except BackendError as error:
            return self._reply("", (), error)
        return self._reply(text, unverified, None)

    def _reply(self, text: str, unverified: tuple[str, ...], error: BackendError | None) -> Reply:
        box = self._toolbox
        found = tuple(box.found)
        proposals = tuple(box.proposals)
        return Reply(text, bool(found), unverified, found, proposals, self._usage, self._outlet.sent, error)

    def _go(self, request: Request, cancel: Cancel) -> tuple[str, tuple[str, ...]]:
        repairs = 0
        for left in range(self._budget.rounds - 1, -1, -1):
            used_up = self._tokens >= self._budget.tokens or len(self._usage.tools) >= self._budget.calls
            final = left == 0 or used_up
            if final and not request.final:
                request = replace(request, final=True, messages=(*request.messages, _told(ANSWER_NOW)))
            turn = self._turn(request, cancel)
            if turn.calls and not final:
                request = self._called(request, turn, cancel)
                continue
            text = clean(turn.text, MOST_TEXT, lines=True)
            self._complain(turn, text)
            verdict = self._toolbox.facts.check(text)
            if verdict.good:
                return text, ()
            if final or repairs >= _MOST_REPAIRS:
                return "", verdict.unverified
            repairs += 1
            parts = ", ".join(repr(one) for one in verdict.unverified[:10])
            more = (Message("assistant", turn.text), _told(UNVERIFIED.format(parts=parts)))
            request = replace(request, messages=(*request.messages, *more))
        raise CutShort("The model called tools until the end and did not answer.")

    def _complain(self, turn: _Turn, text: str) -> None:
        """Raise for an answer that is none."""
        if turn.stop == "refused":
            raise Refused("The model declined to answer this question.")
        if turn.stop == "context":
            raise TooLong("The question with its data is too long for the model; ask for less at once.")
        if turn.stop == "length":
            raise CutShort(f"The model's answer was cut at {self._limits.tokens} tokens; ask for less at once.")
        if not text:
            raise CutShort("The model gave an empty answer.")

    def _called(self, request: Request, turn: _Turn, cancel: Cancel) -> Request:
        """The request with the calls and their results."""
        results = []
        for call in turn.calls:
            if cancel.cancelled:
                raise Cancelled
            self._in_time()
            self._watching.doing(DOING.get(call.name, "calls a tool"))
            enough = len(self._usage.tools) >= self._budget.calls
            self._usage.tools.append(clean(call.name, 40))
            result = {"ok": False, "error": "enough tools were called"} if enough else self._toolbox.call(call)
            results.append(Message("tool", result, call=call))
        made = Message("assistant", turn.text, turn.calls, opaque=turn.opaque)
        return replace(request, messages=(*request.messages, made, *results))

    def _turn(self, request: Request, cancel: Cancel) -> _Turn:
        """One answer of the model, retried where that may help and nothing was shown yet."""
        retries = 0
        while True:
            turn = _Turn()
            try:
                self._stream(request, cancel, turn)
                return turn
            except ToolsNotSupported:
                if self._spoken:
                    raise
                self._spoken = True
            except BackendError as error:
                wait = error.retry_after or 0.5
                hopeless = not error.passing or bool(turn.text) or wait > self._budget.patience
                if hopeless or retries >= self._budget.retries or self._left() < wait + _LEAST_SECONDS:
                    raise
                retries += 1
                _wait(wait, cancel)

    def _stream(self, request: Request, cancel: Cancel, turn: _Turn) -> None:
        self._in_time()
        self._watching.doing("thinks")
        limits = replace(self._limits, total=min(self._limits.total, self._left()))
        sent = spoken.spoken(request) if self._spoken else request
        self._usage.calls += 1
        for event in self._outlet.send(sent, cancel, limits):
            turn.take(event)
            if isinstance(event, Text) and not (self._spoken and spoken.begins_call(turn.text)):
                self._watching.say(clean(turn.text, MOST_TEXT, lines=True))
            if isinstance(event, Done):
                self._count(event)
        if (
            self._spoken and not request.final and (call := spoken.call_in(self._outlet.raw, self._usage.calls))
        ):  # as the model wrote it: names that are put into JSON or SQL must not change what it says
            turn.text, turn.calls = "", (self._outlet.revealed(call, SPECS),)

    def _count(self, done: Done) -> None:
        usage, tokens = self._usage, done.tokens
        usage.input_tokens += tokens.input
        usage.output_tokens += tokens.output
        self._tokens = usage.input_tokens + usage.output_tokens
        price = self._outlet.backend.config.price
        if price is not None:
            usage.cost = price.of(usage.input_tokens, usage.output_tokens)

    def _in_time(self) -> None:
        if self._left() < _LEAST_SECONDS:
            raise TimedOut(f"The model did not finish within {self._budget.seconds:g} seconds.")

    def _left(self) -> float:
        return self._end - self._clock()


class _Turn:
    """One answer of the model as it arrives."""

    def __init__(self) -> None:
        self.text = ""
        self.calls: tuple[ToolCall, ...] = ()
        self.stop = ""
        self.opaque: tuple[Any, ...] = ()

    def take(self, event: Event) -> None:
        if isinstance(event, Text):
            self.text += event.text
        elif isinstance(event, ToolCall):
            self.calls = (*self.calls, event)
        else:
            self.stop, self.opaque = event.stop, event.opaque


def _told(text: str) -> Message:
    return Message("user", text)


def _wait(seconds: float, cancel: Cancel) -> None:
    """Wait, but not when it is cancelled."""
    import threading

    ended = threading.Event()
    take_back = cancel.when(ended.set)
    try:
        ended.wait(seconds)
    finally:
        take_back()
    if cancel.cancelled:
        raise Cancelled
