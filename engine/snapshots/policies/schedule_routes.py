"""A schedule while it is typed: what it means, when it is due next, and what is wrong with it. Nothing is kept."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.snapshots.models import Policy
from engine.snapshots.policies import schedule
from engine.snapshots.policies.desk import PolicyDesk
from engine.snapshots.policies.naming import MOST_KEPT

TIMES = 3


class ScheduleAnswer(BaseModel):
    """A schedule as it is understood: cron line, words with zone and number, the next times (fewer where there are no
    more). `problems`: sentences by parameter; while there are any, the rest is empty."""

    schedule: str
    timezone: str
    words: str
    next: list[str]
    problems: dict[str, str]


def routes(desk: PolicyDesk, access: AccessService) -> APIRouter:
    """`/q/snapshot/schedule`."""
    router = APIRouter()
    reader = Annotated[Caller, Depends(access.requires("snapshot_policy_sets:read"))]

    @router.get("/q/snapshot/schedule", response_model=ScheduleAnswer)
    def understood(
        caller: reader,
        schedule: Annotated[str, Query(max_length=255, description='Cron, or words such as "daily 02:00".')],
        timezone: Annotated[str, Query(max_length=64)] = "UTC",
        keep: Annotated[int, Query(ge=1, le=MOST_KEPT)] = 7,
    ) -> Response:
        """What a schedule means, and when it is due next."""
        return JsonAnswer(tried(schedule, timezone, keep, desk.service.clock()))

    return router


def tried(text: str, timezone: str, keep: int, now: datetime) -> dict[str, Any]:
    """A ScheduleAnswer."""
    problems: dict[str, str] = {}

    def checked(name: str, value: str, check: Callable[[str], str]) -> str:
        try:
            return check(value)
        except ValueError as error:
            problems[name] = str(error)
            return ""

    cron = checked("schedule", text, schedule.parse)
    zone = checked("timezone", timezone, schedule.check_zone)
    if problems:
        return {"schedule": cron, "timezone": zone, "words": "", "next": [], "problems": problems}
    policy, found, at = Policy("", cron, zone, keep), [], now
    for _ in range(TIMES):
        coming = schedule.next_occurrence(policy, at)
        if coming is None:
            break
        found.append(coming)
        at = coming
    return {"schedule": cron, "timezone": zone, "words": schedule.words(policy), "next": found, "problems": {}}
