"""What goes on by itself: a thread that looks again and again whether there is something to do."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Looking:
    """Looks after a pause, or at once when it is woken; also when that happened during a look. Thread-safe."""

    def __init__(self, name: str, look: Callable[[], float | None]) -> None:
        """`look()` is one look; it answers the seconds until the next (None: until it is woken), and raises nothing."""
        self._name, self._look = name, look
        self._wake, self._stop = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def ending(self) -> bool:
        """Whether `close` was called: nothing new is begun then."""
        return self._stop.is_set()

    def begin(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Look now."""
        self._wake.set()

    def close(self, seconds: float = 5.0) -> None:
        """End it; a look that goes on is waited for that long."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=seconds)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            self._wake.wait(self._look())
