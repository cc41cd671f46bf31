"""Whether a volume has the restore points that its policies promise. Pure: facts and the time in, words out.

One policy on one volume is judged by that policy's own window: how old the newest point may be before the schedule must
have made another. Four words, and a fifth for what no policy takes:

quota_blocked  no point that is young enough, and within two days a run left the volume out because of its quota
missing        no point that is young enough, though the policy was due
compliant      the newest usable point of that policy lies within the window
pending        no point yet, and none was due since the policy and the volume exist
excluded       somebody said that no policy takes it
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeVar

if TYPE_CHECKING:
    from engine.snapshots.models import ComplianceStatus

BLOCKED = timedelta(hours=48)  # after which a run that was blocked no longer explains a missing point
# Order of a list: what has to be looked at first.
ORDER: tuple[ComplianceStatus, ...] = ("quota_blocked", "missing", "compliant", "pending", "excluded")
# A volume with several policies is as bad as the first of these.
_WORST: tuple[ComplianceStatus, ...] = ("quota_blocked", "missing", "pending", "compliant", "excluded")
BROKEN: tuple[ComplianceStatus, ...] = ("quota_blocked", "missing")
RANK = {status: place for place, status in enumerate(ORDER)}
_BADNESS = {status: place for place, status in enumerate(_WORST)}

Coverage = Literal["both", "backup", "snapshots", "nothing"]
Risk = Literal["none", "back end", "all"]
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def judge(
    now: datetime, window: timedelta, newest: datetime | None, blocked_at: datetime | None, *, due: bool
) -> ComplianceStatus:
    """The word for one policy on one volume.

    newest      when its newest usable point was taken; a time ahead of ours counts as now
    blocked_at  when a run last left it out because of quota
    due         whether a point should have been made since both exist
    """
    if newest is not None and now - newest <= window:
        return "compliant"
    if blocked_at is not None and now - blocked_at <= BLOCKED:
        return "quota_blocked"
    # An old point shows that the policy did run: it is not the first one that is waited for.
    return "missing" if due or newest is not None else "pending"


def was_due(since: datetime | None, occurrence: datetime | None) -> bool:
    """Whether a point was due: the newest occurrence of the schedule (that a run had the time to make) lies after the
    later of what it needs, `since`; None = as long as one can think."""
    return occurrence is not None and (since is None or occurrence > since)


def worst(statuses: Iterable[ComplianceStatus]) -> ComplianceStatus:
    """The word for a volume by those for its policies. Raises ValueError for none at all."""
    return min(statuses, key=_BADNESS.__getitem__)


@dataclass(slots=True)
class Sums:
    """How many of each word."""

    compliant: int = 0
    missing: int = 0
    pending: int = 0
    quota_blocked: int = 0
    excluded: int = 0

    def add(self, status: ComplianceStatus, count: int = 1) -> None:
        """Count it."""
        setattr(self, status, getattr(self, status) + count)

    @property
    def total(self) -> int:
        """All of them."""
        return self.compliant + self.missing + self.pending + self.quota_blocked + self.excluded

    @property
    def judged(self) -> int:
        """Those that keep or break a promise: what is pending or excluded does neither."""
        return self.compliant + self.missing + self.quota_blocked

    @property
    def broken(self) -> int:
        """Promises that are not kept."""
        return self.missing + self.quota_blocked

    @property
    def percent(self) -> float | None:
        """Compliant of the judged ones, to one digit; never 100 while one is broken; None when nothing is judged."""
        return percent(self.compliant, self.judged)

    def told(self) -> dict[str, int | float | None]:
        """As answers have it."""
        return {**{status: getattr(self, status) for status in ORDER}, "total": self.total, "judged": self.judged,
                "compliance_pct": self.percent}  # fmt: skip


def percent(compliant: int, judged: int) -> float | None:
    """Percent to one digit; what is not whole is never rounded up to 100; None when nothing is judged."""
    if not judged:
        return None
    found = round(100.0 * compliant / judged, 1)
    return found if compliant == judged else min(found, 99.9)


@dataclass(slots=True)
class Group:
    """Sums of one tenant, domain or policy: of (volume, policy) pairs, and of volumes by their worst policy."""

    rows: Sums = field(default_factory=Sums)
    volumes: Sums = field(default_factory=Sums)


def grouped(
    rows: Iterable[T],
    group: Callable[[T], K],
    volume: Callable[[T], Hashable],
    status: Callable[[T], ComplianceStatus],
) -> dict[K, Group]:
    """Groups of rows, each a policy on a volume (or an exclusion): every row and volume counts once a group."""
    found: dict[K, Group] = {}
    volumes: dict[K, dict[Hashable, ComplianceStatus]] = {}
    for row in rows:
        key, word, of = group(row), status(row), volume(row)
        if key not in found:
            found[key], volumes[key] = Group(), {}
        found[key].rows.add(word)
        before = volumes[key].get(of)
        volumes[key][of] = word if before is None else worst((before, word))
    for key, words in volumes.items():
        for word in words.values():
            found[key].volumes.add(word)
    return found


def coverage(snapshots: int, backups: int) -> Coverage:
    """What a volume can be restored from: a snapshot lies where the volume does, a backup elsewhere."""
    if backups:
        return "both" if snapshots else "backup"
    return "snapshots" if snapshots else "nothing"


# What is lost with the volume's storage: nothing, all that was protected by it, all.
RISK: Mapping[Coverage, Risk] = {"both": "none", "backup": "none", "snapshots": "back end", "nothing": "all"}
