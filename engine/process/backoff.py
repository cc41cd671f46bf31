"""When a dead worker is replaced: pure decisions, times are arguments."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_PAUSE = 15.0  # seconds
FIRST_PAUSE = 0.1
_WELL = 10.0  # seconds of service after which earlier deaths are forgotten
_SOME = 1.0  # seconds of service after which a death does not count against the next start
MOST_FAILED_STARTS = 6


@dataclass(slots=True)
class Backoff:
    """Counts deaths that came too soon.

    early   deaths in a row after less than a second of service
    failed  starts in a row that never came to serve
    """

    early: int = 0
    failed: int = 0

    def pause(self, served: float | None) -> float | None:
        """Seconds to wait before the next worker; None to give up.

        served: seconds that the dead worker answered requests; None when it never did.
        """
        if served is None:
            self.failed += 1
        else:
            self.failed = 0
            if served >= _WELL:
                self.early = 0
        if self.failed >= MOST_FAILED_STARTS:
            return None
        if served is not None and served >= _SOME:
            return 0.0
        # The first early death may be anything; those that follow are a pattern.
        pause = 0.0 if self.early == 0 else min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (self.early - 1))
        self.early += 1
        return pause
