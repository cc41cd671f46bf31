"""HTTP/1.1 as bytes, without any input or output: shared by the two clients.

Written out here because libraries cost the start of every command more than the command itself: httpx 80 to 400 ms,
http.client and h11 15 to 60 ms.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from engine.process.models import PROTOCOL, VERSION
from tui.api.errors import ApiError, ProtocolMismatch

_MOST_HEAD = 64 * 1024
_MOST_BODY = 512 * 1024 * 1024
# POSTs that may be asked twice: windows carry their question in a body; on demand, a cloud is read once more.
_READING_POSTS = ("/q/windows", "/q/windows/position", "/q/collections/on-demand")


class NotHttp(Exception):
    """The other end does not speak HTTP as an engine does."""


@dataclass(slots=True)
class Answer:
    """One answer. Header names are lower-case."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    @property
    def keeps_open(self) -> bool:
        """Whether the connection can carry another request."""
        return self.headers.get("connection", "").lower() != "close"

    def value(self) -> Any:
        """The content: JSON as Python values, text as it is, None for nothing.

        Raises ApiError for statuses from 400, ProtocolMismatch for 426.
        """
        content: Any = self.body.decode("utf-8", "replace")
        if "json" in self.headers.get("content-type", ""):
            try:
                content = json.loads(self.body)
            except ValueError as error:
                raise NotHttp("the engine's answer is no valid JSON") from error
        if self.status >= 400:
            detail = content.get("detail", content) if isinstance(content, dict) else content
            if self.status == 426:
                raise ProtocolMismatch(str(detail))
            fields = content if isinstance(content, dict) else {}
            raise ApiError(self.status, detail or f"the engine answered {self.status}", fields)
        return content if self.body else None


def request(
    method: str, path: str, *, host: str, json_body: Any = None, params: Any = None, headers: Mapping[str, str] = {}
) -> bytes:
    """The bytes of a request. Raises ValueError for a path or header that would break its frame."""
    target = quote(path, safe="/?&=%:@!$'()*+,;~-._[]")
    if params:
        target += ("&" if "?" in target else "?") + _query(params)
    body = b"" if json_body is None else json.dumps(json_body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    lines = [
        f"{method} {target} HTTP/1.1",
        f"host: {host}",
        f"x-qdeck-protocol: {PROTOCOL}",
        f"user-agent: qdeck/{VERSION}",
        "accept: application/json, text/plain;q=0.5, */*;q=0.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    if json_body is not None:
        lines.append("content-type: application/json")
    if body or method not in ("GET", "HEAD"):
        lines.append(f"content-length: {len(body)}")
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header or method holds a line break")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def _query(params: Any) -> str:
    pairs = params.items() if isinstance(params, Mapping) else params
    flat: list[tuple[str, Any]] = []
    for name, value in pairs:
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is not None:
                flat.append((name, str(one).lower() if isinstance(one, bool) else one))
    return urlencode(flat)


def is_safe(method: str, path: str) -> bool:
    """Whether asking twice does no more than asking once."""
    return method in ("GET", "HEAD") or (method == "POST" and path.partition("?")[0] in _READING_POSTS)


def check_protocol(answer: Answer, path: str) -> None:
    """Raise ProtocolMismatch when an engine of another protocol answered. Its status and health are always read."""
    told = answer.headers.get("x-qdeck-protocol")
    if told is None or told == str(PROTOCOL) or not path.startswith("/q/") or path.startswith("/q/engine"):
        return
    version = answer.headers.get("x-qdeck-version", "unknown")
    if told.isdigit() and int(told) > PROTOCOL:
        advice = f"install qdeck {version}, the engine's release"
    else:
        advice = "restart the engine with `qdeck engine restart` so that it is the installed release"
    raise ProtocolMismatch(
        f"this is qdeck {VERSION} with protocol {PROTOCOL}, the engine is qdeck {version} with protocol {told[:16]}; "
        + advice
    )


@dataclass(slots=True)
class Reader:
    """Collects the bytes of one answer. `feed` returns it when it is whole."""

    head_only: bool = False
    _buffer: bytearray = field(default_factory=bytearray)
    _answer: Answer | None = None
    _left: int | None = None  # bytes of the body still to come; None when chunks or the end of the connection decide
    _chunked: bool = False
    _body: bytearray = field(default_factory=bytearray)

    @property
    def started(self) -> bool:
        """Whether any byte of the answer has come."""
        return self._answer is not None or bool(self._buffer)

    def feed(self, data: bytes) -> Answer | None:
        """Add bytes; the answer once whole. Raises NotHttp."""
        self._buffer += data
        while self._answer is None:
            if not self._take_head():
                return None
        if self._chunked:
            return self._take_chunks()
        self._body += self._buffer
        self._buffer.clear()
        self._check_size()
        if self._left is not None and len(self._body) >= self._left:
            return self._done(bytes(self._body[: self._left]))
        return None

    def end(self) -> Answer | None:
        """The connection was closed: the answer if that is how it ends, else None."""
        if self._answer is not None and self._left is None and not self._chunked:
            return self._done(bytes(self._body))
        return None

    def _take_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > _MOST_HEAD:
                raise NotHttp("the answer has no end of its headers")
            return False
        first, *lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        words = first.split(" ", 2)
        if len(words) < 2 or not words[0].startswith("HTTP/1.") or not (words[1].isdigit() and len(words[1]) == 3):
            raise NotHttp("the answer is no HTTP")
        status = int(words[1])
        if status < 200:
            return bool(self._buffer)  # an interim answer: the real one follows
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        self._answer = Answer(status, headers)
        self._chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        length = headers.get("content-length", "")
        if self.head_only or status in (204, 304):
            self._left, self._chunked = 0, False
        elif not self._chunked and length:
            if not length.isdigit():
                raise NotHttp("the answer's length is no number")
            self._left = int(length)
        return True

    def _take_chunks(self) -> Answer | None:
        while True:
            end = self._buffer.find(b"\r\n")
            if end < 0:
                return None
            try:
                size = int(bytes(self._buffer[:end]).split(b";")[0], 16)
            except ValueError as error:
                raise NotHttp("the answer's chunks are broken") from error
            if size == 0:
                # Trailers end with an empty line; ours has none.
                if self._buffer.find(b"\r\n\r\n", end) < 0:
                    return None
                return self._done(bytes(self._body))
            if len(self._buffer) < end + 2 + size + 2:
                self._check_size(size)
                return None
            self._body += self._buffer[end + 2 : end + 2 + size]
            del self._buffer[: end + 2 + size + 2]
            self._check_size()

    def _check_size(self, more: int = 0) -> None:
        if max(len(self._body) + more, self._left or 0) > _MOST_BODY:
            raise NotHttp("the answer is larger than any of an engine's")

    def _done(self, body: bytes) -> Answer:
        assert self._answer is not None
        self._answer.body = body
        return self._answer
