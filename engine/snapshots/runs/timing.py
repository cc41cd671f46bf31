"""The thread that looks at every cloud again and again: what is due begins, and what runs goes on.

Nothing that goes wrong ends it. `Timing.tick` is one look at all clouds, at a time that is given, without the thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from engine.api.errors import ApiError
from engine.clouds.errors import CloudError
from engine.jobs.looking import Looking
from store.estate.errors import EstateError
from store.ops.errors import OpsError

if TYPE_CHECKING:
    from engine.snapshots.runs.driving import Driver

LOOK_SECONDS = 2.0  # between two looks when nobody wakes it
CLOUDS_AT_ONCE = 4

_log = structlog.get_logger("qdeck.snapshots")


class Timing:
    """Looks at clouds until `close`; each cloud by itself, so that a slow one holds up no other."""

    def __init__(
        self,
        driver: Driver,
        clouds: Callable[[], Sequence[str]],
        clock: Callable[[], datetime],
        also: Callable[[datetime], bool] = lambda now: False,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """`also(now)` is called at each look before the clouds: what else goes on by itself (the pipeline)."""
        self._driver, self._clouds, self._clock, self._also = driver, clouds, clock, also
        self._seconds = look_seconds
        self._thread = Looking("snapshots-timing", self._again)
        self._pool: ThreadPoolExecutor | None = None
        self._looking: dict[str, Future[bool]] = {}
        self.problems: dict[str, str] = {}  # by cloud ("" for all): why the last look did not work

    def begin(self) -> None:
        """Start the thread."""
        self._pool = ThreadPoolExecutor(CLOUDS_AT_ONCE, thread_name_prefix="snapshots-look")
        self._thread.begin()

    def close(self) -> None:
        """End it; looks that go on are waited for a little."""
        self._thread.close()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def wake(self) -> None:
        """Look now: something was asked for, or ended."""
        self._thread.wake()

    def tick(self, now: datetime) -> bool:
        """One look at everything, on this thread; True when something moved. Raises nothing that a look raises."""
        moved = self._guarded("", lambda: self._also(now))
        for cloud in self._names():
            moved = self._guarded(cloud, lambda cloud=cloud: self._driver.look(cloud, now)) or moved  # type: ignore[misc]
        return moved

    def _again(self) -> float:
        now = self._clock()
        moved = self._guarded("", lambda: self._also(now))
        for cloud in self._names():
            moved = self._begin_look(cloud, now) or moved
        return 0.0 if moved else self._seconds

    def _begin_look(self, cloud: str, now: datetime) -> bool:
        """Look at a cloud in a thread of the pool, unless that is being done."""
        before = self._looking.get(cloud)
        if before is not None and not before.done():
            return False
        assert self._pool is not None

        def look() -> bool:
            moved = self._guarded(cloud, lambda: self._driver.look(cloud, now))
            if moved:
                self._thread.wake()
            return moved

        self._looking[cloud] = self._pool.submit(look)
        return False

    def _names(self) -> Sequence[str]:
        found: Sequence[str] = ()

        def ask() -> bool:
            nonlocal found
            found = list(self._clouds())
            return False

        self._guarded("clouds", ask)
        return found

    def _guarded(self, cloud: str, look: Callable[[], bool]) -> bool:
        """A look that fails says why and is tried again at the next: a schedule that ends silently protects nobody."""
        try:
            moved = look()
        except (ApiError, CloudError, EstateError, OpsError) as error:
            sentence = getattr(error, "detail", None) or str(error)
            if self.problems.get(cloud) != sentence:
                _log.warning("snapshot runs could not go on", cloud=cloud, reason=sentence)
            self.problems[cloud] = sentence
            return False
        except Exception as error:
            if not self._thread.ending:
                _log.exception("snapshot runs could not go on", cloud=cloud)
                self.problems[cloud] = f"an error of the engine itself ({type(error).__name__}); its log has the rest"
            return False
        self.problems.pop(cloud, None)
        return moved
