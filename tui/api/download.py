"""Answers that are files: their bytes go to a sink as they come, and are never all in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tui.api.errors import ConnectionLost, EngineUnavailable
from tui.api.http import Answer, Reader, check_protocol
from tui.api.target import Target
from tui.api.transport import AsyncConnection, Connection

SECONDS = 3600.0  # that a file may take


class Sink(Protocol):
    """Takes bytes; what it raises ends the download."""

    def write(self, data: bytes, /) -> object: ...


class SinkReader(Reader):
    """A reader that hands the content of a good answer on; that of an error it keeps, to be read as its sentence."""

    def __init__(self, sink: Sink, told: Callable[[Mapping[str, str]], None] = lambda headers: None) -> None:
        super().__init__()
        self._sink, self._told = sink, told
        self._announced = False

    def feed(self, data: bytes) -> Answer | None:
        """See Reader; also raises what the sink raises."""
        answer = super().feed(data)
        head = self._answer
        if head is None or head.status >= 400:
            return answer
        if not self._announced:
            self._announced = True
            self._told(head.headers)
        if answer is not None:
            self._sink.write(answer.body)
            answer.body = b""
        elif self._body:
            self._sink.write(bytes(self._body))
            if self._left is not None:
                self._left -= len(self._body)
            self._body.clear()
        return answer


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: the request's bytes, its path, where its answer goes, and who is told of its headers."""

    data: bytes
    path: str
    sink: Sink
    told: Callable[[Mapping[str, str]], None] = lambda headers: None

    def reader(self) -> SinkReader:
        """For the answer."""
        return SinkReader(self.sink, self.told)

    def headers(self, answer: Answer) -> dict[str, str]:
        """Of a good answer. Raises ApiError, ProtocolMismatch."""
        check_protocol(answer, self.path)
        if answer.status >= 400:
            answer.value()
        return answer.headers


def download(target: Target, request: Request) -> dict[str, str]:
    """Write an answer to its sink, on a connection of its own; its headers.

    Raises ApiError, ProtocolMismatch, EngineUnavailable, what the sink raises. Bytes may have been written then.
    """
    try:
        connection = Connection(target)
        try:
            return request.headers(connection.exchange(request.data, request.reader(), SECONDS))
        finally:
            connection.close()
    except ConnectionLost as error:
        raise _broken(error) from error


async def download_async(target: Target, request: Request) -> dict[str, str]:
    """See `download`."""
    try:
        connection = await AsyncConnection.open(target)
        try:
            return request.headers(await connection.exchange(request.data, request.reader(), SECONDS))
        finally:
            connection.close()
    except ConnectionLost as error:
        raise _broken(error) from error


def _broken(error: ConnectionLost) -> EngineUnavailable:
    return EngineUnavailable(f"the file did not come whole, so nothing of it is kept ({error}); ask for it again")
