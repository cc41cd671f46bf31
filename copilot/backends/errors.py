"""What can go wrong with a language model: one clear sentence each, and whether it may pass by itself.

Sentences hold nothing of what was sent, and no key: some servers repeat the key in what they answer.
"""

from __future__ import annotations

import re
from typing import Any

from copilot.answers import Usage
from copilot.backends.untrusted import clean


class BackendError(Exception):
    """A model did not answer.

    passing      the same request may succeed in a while
    retry_after  seconds that the server asks to wait, if it told
    usage        what the question had used until then, where it was asked in a conversation
    """

    passing = False

    def __init__(self, sentence: str, *, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after
        self.usage: Usage | None = None


class Cancelled(BackendError):
    """The person or the engine ended it."""

    def __init__(self) -> None:
        super().__init__("The question was cancelled.")


class NotReachable(BackendError):
    """Nobody answers at the address."""

    passing = True


class RefusedKey(BackendError):
    """401, 403."""


class UnknownModel(BackendError):
    """The server has no such model, or no such address."""


class RateLimited(BackendError):
    """Too many requests for now."""

    passing = True


class OutOfCredit(BackendError):
    """The account has no credit or quota left."""


class Overloaded(BackendError):
    """The server is busy or failed inside."""

    passing = True


class TimedOut(BackendError):
    """Took too long; the sentence says what did."""

    passing = True


class BrokenStream(BackendError):
    """The answer broke off or makes no sense."""

    passing = True


class TooMuch(BackendError):
    """The answer does not end."""


class TooLong(BackendError):
    """What was asked does not fit into the model's context."""


class CutShort(BackendError):
    """The answer reached the most tokens before its end."""


class Refused(BackendError):
    """The model or its server declined to answer."""


class NotAccepted(BackendError):
    """The server does not take the request as it is."""


class ToolsNotSupported(NotAccepted):
    """The model or the server knows no tools."""


class WrongServer(BackendError):
    """What answers is not a server of this kind: a redirect, a web page. Or the address must not be used."""


_CONTEXT = re.compile(
    r"context.{0,20}(length|size|window)|prompt is too long|too many tokens|context_length_exceeded"
    r"|exceed_context_size|request_too_large",
    re.I,
)
_CREDIT = re.compile(r"insufficient_quota|credit balance|billing|payment|exceeded your current quota", re.I)
_NO_MODEL = re.compile(r"model\b.{0,80}(not found|does not exist|not exist)|model_not_found|unknown model", re.I)
_TOOLS = re.compile(r"\b(tools?|tool_choice|tool choice|function[_ ]?call\w*|functions?)\b", re.I)
_KINDS: dict[str, int] = {  # Anthropic's names of errors, which come with status 200 inside a stream
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
    "server_error": 500,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "service_unavailable": 503,
}


def from_status(
    status: int, said: str, who: str, model: str, *, kind: str = "", key: str = "", after: float | None = None
) -> BackendError:
    """The error for an HTTP status (or a kind of error told inside a stream) and what the server said with it."""
    if status < 400:
        status = _KINDS.get(kind, 500)
    text = f"{kind} {said}"
    reason = _quoted(said, key)
    if _CREDIT.search(text) or status == 402:
        return OutOfCredit(f"{who} reports that the account's credit or quota is used up; look into its billing.")
    if status in (401, 403):
        return RefusedKey(f"{who} refuses the API key ({status}); set a valid one in the copilot's settings.")
    if status == 413 or (status in (400, 422, 500) and _CONTEXT.search(text)):
        return TooLong(f"The question with its data is too long for the model {_name(model)}; ask for less at once.")
    if status == 404 or (status == 400 and _NO_MODEL.search(text)):
        return UnknownModel(f"{who} knows no model {_name(model)} at this address{reason}; check model and address.")
    if status == 429:
        wait = f"; it asks to wait {after:.0f} seconds" if after else ""
        return RateLimited(f"{who} takes no more requests for now{wait}.", retry_after=after)
    if status == 408 or status == 504:
        return TimedOut(f"{who} gave up on the request because it took too long.")
    if status in (502, 503, 529):
        return Overloaded(f"{who} is overloaded or down for now ({status}); try again in a while.", retry_after=after)
    if status >= 500:
        return Overloaded(f"{who} failed inside ({status}){reason}; try again in a while.", retry_after=after)
    if status in (400, 422, 501) and _TOOLS.search(text):
        return ToolsNotSupported(f"The model {_name(model)} or its server knows no tools{reason}.")
    return NotAccepted(f"{who} does not take the request ({status}){reason}.")


def seconds(value: Any) -> float | None:
    """Retry-After in seconds (0..3600), as a number or an HTTP date; None when it says nothing useful."""
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        wait = float(value)
    except (TypeError, ValueError):
        try:
            when = parsedate_to_datetime(str(value))
        except (TypeError, ValueError):
            return None
        wait = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(wait, 0.0), 3600.0) if wait == wait else None


def found_in(error: BaseException | None) -> BackendError | None:
    """The BackendError that an exception of a client was raised from, if there is one."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, BackendError):
            return error
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return None


def _quoted(said: str, key: str) -> str:
    text = said.replace(key, "...") if key else said
    text = clean(text, 160)
    return f" ({text})" if text else ""


def _name(model: str) -> str:
    return repr(clean(model, 80))
