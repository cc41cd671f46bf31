"""Answers that are shared for a few seconds: many machines that are planned together have much to ask in common."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from engine.restore.planning.asking import Query, Reader

Answer = dict[str, Any] | None
Asked = tuple[Any, ...]


class Shared:
    """In place of a gate's reader. What is asked while the same is being asked waits for that answer; an answer serves
    for so many seconds. A question that fails is asked again by the next. Thread-safe.
    """

    def __init__(
        self, reader: Callable[..., Reader], seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._reader, self._seconds, self._clock = reader, seconds, clock
        self._answers: dict[Asked, tuple[float, Future[Answer]]] = {}
        self._lock = threading.Lock()

    def __call__(self, cloud: str, region: str, project_id: str, kind: str) -> Reader:
        """A reader of that project, as the gate gives one."""
        inner = self._reader(cloud, region, project_id, kind)

        def get(service: str, path: str, microversion: str = "", query: Query = ()) -> Answer:
            asked = (cloud, region, project_id, kind, service, path, microversion, tuple(query))
            answer, mine = self._turn(asked)
            if mine:
                try:
                    answer.set_result(inner(service, path, microversion, query))
                except BaseException as error:
                    with self._lock:
                        self._answers.pop(asked, None)
                    answer.set_exception(error)
            return answer.result()

        return get

    def _turn(self, asked: Asked) -> tuple[Future[Answer], bool]:
        """(the answer, whether the caller has to ask for it)."""
        now = self._clock()
        with self._lock:
            known = self._answers.get(asked)
            if known is not None and now - known[0] < self._seconds:
                return known[1], False
            for old in [one for one, (at, _) in self._answers.items() if now - at >= self._seconds]:
                del self._answers[old]
            answer: Future[Answer] = Future()
            self._answers[asked] = (now, answer)
            return answer, True
