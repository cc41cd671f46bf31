"""The engine's client: `EngineClient` for the console, `SyncClient` for the command line.

Both hide that a worker is replaced: a request that only reads is asked again until it is answered, one that changes
something is never sent twice.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tui.api import discovery
from tui.api.discovery import Progress
from tui.api.errors import ApiError, ConnectionLost, EngineUnavailable, ProtocolMismatch
from tui.api.http import Answer, NotHttp, Reader, check_protocol, is_safe, request
from tui.api.target import Target, find
from tui.api.transport import AsyncConnection, Connection

if TYPE_CHECKING:
    from tui.api.download import Sink
    from tui.cli.options import GlobalOptions

__all__ = ["ApiError", "EngineClient", "EngineUnavailable", "ProtocolMismatch", "SyncClient"]

ANSWER_SECONDS = 60.0
RETRY_SECONDS = 10.0  # that a read waits for a new worker
_MOST_IDLE = 4  # connections kept between requests
_START_AGAIN_SECONDS = 10.0


def _pauses() -> Iterator[float]:
    """Seconds between attempts: a new worker answers after a quarter of a second."""
    pause = 0.02
    while True:
        yield pause
        pause = min(0.5, pause * 1.6)


def _frame(target: Target, method: str, path: str, json: Any, params: Any) -> bytes:
    headers = {"authorization": f"Bearer {target.token}"} if target.token else {}
    return request(method, path, host=target.host, json_body=json, params=params, headers=headers)


def _value(answer: Answer, path: str) -> Any:
    check_protocol(answer, path)
    try:
        return answer.value()
    except NotHttp as error:
        raise EngineUnavailable(str(error)) from error


def _uncertain(method: str, path: str) -> EngineUnavailable:
    return EngineUnavailable(
        f"the connection broke after {method} {path} was sent: whether the engine did it is not known; look, then "
        "repeat it if needed"
    )


class SyncClient:
    """A blocking client with one connection: `with SyncClient.connect(options) as client: client.get("/q/clouds")`."""

    def __init__(self, target: Target, connection: Connection | None = None) -> None:
        self.target = target
        self._connection = connection

    @classmethod
    def connect(cls, options: GlobalOptions, progress: Progress | None = None, *, start: bool = True) -> SyncClient:
        """Find the engine, start it when none answers. progress gets sentences while that takes time.

        Raises EngineUnavailable.
        """
        target = find(options)
        return cls(target, discovery.connect(target, progress, start=start))

    def __enter__(self) -> SyncClient:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get(self, path: str, params: Any = None) -> Any:
        """See `request`."""
        return self.request("GET", path, params=params)

    def post(self, path: str, json: Any = None, params: Any = None) -> Any:
        """See `request`."""
        return self.request("POST", path, json=json, params=params)

    def put(self, path: str, json: Any = None, params: Any = None) -> Any:
        """See `request`."""
        return self.request("PUT", path, json=json, params=params)

    def delete(self, path: str, json: Any = None, params: Any = None) -> Any:
        """See `request`."""
        return self.request("DELETE", path, json=json, params=params)

    def request(
        self, method: str, path: str, json: Any = None, params: Any = None, seconds: float = ANSWER_SECONDS
    ) -> Any:
        """The answer's content: JSON as Python values, other text as str, None for none.

        Raises ApiError, ProtocolMismatch, EngineUnavailable.
        """
        data = _frame(self.target, method, path, json, params)
        deadline = time.monotonic() + RETRY_SECONDS
        for pause in _pauses():
            try:
                return _value(self._exchange(data, method, seconds), path)
            except ConnectionLost as error:
                if error.sent and not is_safe(method, path):
                    raise _uncertain(method, path) from error
                if error.gone:
                    raise EngineUnavailable(discovery.nobody(self.target)) from error
                if time.monotonic() > deadline:
                    raise EngineUnavailable(f"the engine does not come back: {error}") from error
            time.sleep(pause)
        raise AssertionError("unreachable: the pauses have no end")

    def download(
        self, path: str, json: Any, sink: Sink, *, method: str = "POST", params: Mapping[str, Any] | None = None
    ) -> dict[str, str]:
        """Ask, and write the answer to the sink as it comes; the answer's headers. Raises what `request` raises."""
        from tui.api.download import Request, download

        return download(self.target, Request(_frame(self.target, method, path, json, params), path, sink))

    def _exchange(self, data: bytes, method: str, seconds: float) -> Answer:
        if self._connection is None or self._connection.is_stale:
            self.close()
            self._connection = Connection(self.target)
        return self._connection.exchange(data, Reader(method == "HEAD"), seconds)


class EngineClient:
    """An asynchronous client; requests may run side by side."""

    def __init__(self, target: Target, progress: Progress | None = None, *, start: bool = True) -> None:
        self.target = target
        self._progress = progress
        self._may_start = start and target.home is not None
        self._idle: list[AsyncConnection] = []
        self._start_after = 0.0
        self._closed = False

    @classmethod
    async def connect(
        cls, options: GlobalOptions, progress: Progress | None = None, *, start: bool = True
    ) -> EngineClient:
        """Find the engine, start it when none answers (on a thread). Raises EngineUnavailable."""
        client = cls(find(options), progress, start=start)
        try:
            client._idle.append(await AsyncConnection.open(client.target))
        except ConnectionLost as error:
            await client._begin(error, first=True)
        return client

    async def __aenter__(self) -> EngineClient:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    async def get(self, path: str, params: Any = None) -> Any:
        """See `request`."""
        return await self.request("GET", path, params=params)

    async def post(self, path: str, json: Any = None, params: Any = None) -> Any:
        """See `request`."""
        return await self.request("POST", path, json=json, params=params)

    async def put(self, path: str, json: Any = None, params: Any = None) -> Any:
        """See `request`."""
        return await self.request("PUT", path, json=json, params=params)

    async def delete(self, path: str, json: Any = None, params: Any = None) -> Any:
        """See `request`."""
        return await self.request("DELETE", path, json=json, params=params)

    async def changes(self, wait: float = 25.0) -> AsyncIterator[list[dict[str, Any]]]:
        """Lists of hints about what changed, for ever; [{"topic": "resync"}] when some may have been missed.

        Raises what `request` raises; begin again then.
        """
        since: int | None = None
        while True:
            answer = await self.get("/q/changes", params={"since": since, "wait": 0 if since is None else wait})
            first, since = since is None, int(answer["seq"])
            if answer["hints"] and not first:
                yield answer["hints"]

    async def request(
        self, method: str, path: str, json: Any = None, params: Any = None, seconds: float = ANSWER_SECONDS
    ) -> Any:
        """The answer's content: JSON as Python values, other text as str, None for none.

        Raises ApiError, ProtocolMismatch, EngineUnavailable.
        """
        import asyncio

        data = _frame(self.target, method, path, json, params)
        deadline = time.monotonic() + RETRY_SECONDS
        for pause in _pauses():
            try:
                return _value(await self._exchange(data, method, seconds), path)
            except ConnectionLost as error:
                if error.sent and not is_safe(method, path):
                    raise _uncertain(method, path) from error
                if error.gone:
                    await self._begin(error)
                elif time.monotonic() > deadline:
                    raise EngineUnavailable(f"the engine does not come back: {error}") from error
            await asyncio.sleep(pause)
        raise AssertionError("unreachable: the pauses have no end")

    async def download(
        self, path: str, json: Any, sink: Sink, told: Callable[[Mapping[str, str]], None] = lambda headers: None
    ) -> dict[str, str]:
        """Post, and write the answer to the sink as it comes; the answer's headers, of which `told` hears first.

        Raises what `request` raises.
        """
        from tui.api.download import Request, download_async

        request = Request(_frame(self.target, "POST", path, json, None), path, sink, told)
        return await download_async(self.target, request)

    async def _exchange(self, data: bytes, method: str, seconds: float) -> Answer:
        connection = await self._connection()
        answer = await connection.exchange(data, Reader(method == "HEAD"), seconds)
        if answer.keeps_open and len(self._idle) < _MOST_IDLE and not self._closed:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    async def _connection(self) -> AsyncConnection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_stale:
                return connection
            connection.close()
        return await AsyncConnection.open(self.target)

    async def _begin(self, error: ConnectionLost, first: bool = False) -> None:
        """Nobody listens: start the engine, unless somebody stopped it on purpose. Raises EngineUnavailable."""
        import asyncio

        home = self.target.home
        if home is None or not self._may_start:
            raise EngineUnavailable(discovery.nobody(self.target)) from error
        if not first and discovery.last_words(home).get("state") == "stopped":
            command = "qdeck --demo" if self.target.demo else "qdeck"
            raise EngineUnavailable(f"the engine was stopped; `{command} engine start` starts it") from error
        if time.monotonic() < self._start_after:
            raise EngineUnavailable(discovery.nobody(self.target)) from error
        self._start_after = time.monotonic() + _START_AGAIN_SECONDS
        connection = await asyncio.to_thread(discovery.start_engine, self.target, self._progress)
        with contextlib.suppress(OSError):
            connection.close()
