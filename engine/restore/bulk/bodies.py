"""Requests of /q/restore/bulk."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from engine.restore.bodies import Cloud, Name, NeededId, ProveBody, Region, Words, _Body
from engine.restore.bulk import rules
from engine.restore.bulk.models import MOST_MACHINES
from engine.restore.models import Key, Request, Strategy

Triple = tuple[Cloud, Region, NeededId]
Group = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*$")]
Count = Annotated[int, Field(ge=1, le=MOST_MACHINES)]


class LimitsBody(_Body):
    """How many restores go on side by side; what is left out is as the settings say."""

    parallel: Count | None = None
    per_backend: Count | None = None
    per_project: Count | None = None


class BulkBody(_Body):
    """One plan for many machines.

    at      the newest restore points not after this time; left out: the newest there are
    order   groups of name globs ("db-*, mq-?"), one after another; machines that fit none come last
    stop_after  failures after which no further machine begins (3)
    """

    keys: Annotated[list[Triple], Field(min_length=1, max_length=MOST_MACHINES)]
    way: Literal["NEW", "REPLACE", "IN_PLACE"]
    at: AwareDatetime | None = None
    ip_strategy: Literal["NEW_IPS", "TRY_SAME_IPS", "SAME_IPS_OR_FAIL"] | None = None
    keep_days: int | None = Field(None, ge=1, le=365)
    order: list[Group] = Field(default_factory=list, max_length=50)
    limits: LimitsBody = Field(default_factory=lambda: LimitsBody.model_validate({}))
    stop_after: Count | None = None
    prove: ProveBody = Field(default_factory=lambda: ProveBody.model_validate({}))

    def wanted(self) -> Request:
        """What is asked for each of them; days 0: as the settings say."""
        strategy: Strategy = rules.strategy(self.way, self.ip_strategy)
        at = None if self.at is None else self.at.astimezone(UTC)
        return Request("", "", way=self.way, at=at, ip_strategy=strategy, keep_days=self.keep_days or 0)

    def machines(self) -> list[Key]:
        """Which machines."""
        return [(cloud, region, id) for cloud, region, id in self.keys]


class BulkExecuteBody(_Body):
    """As for one plan; `leave_out`: machines of it that are not begun."""

    reason: Words = ""
    ticket: Name = ""
    typed: Words = ""
    hash: str | None = Field(None, max_length=64)
    leave_out: list[Triple] = Field(default_factory=list, max_length=MOST_MACHINES)


class BulkCancelBody(_Body):
    """`running`: cancel also the machines whose restores run."""

    running: bool = False
