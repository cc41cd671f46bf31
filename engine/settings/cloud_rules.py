"""Settings of one cloud: what changes of it need, and what nobody may touch."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

from engine.settings.restore_section import CloudRestore
from engine.settings.section import Section


def _ticket_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return value


class HandsOff(Section):
    """What must not be changed, why, and until when. Any of projects, hosts and names that fits is enough; an entry
    without them freezes the whole cloud."""

    projects: tuple[str, ...] = Field(default=(), description="Ids or names of projects; `*` and `?` stand for more.")
    hosts: tuple[str, ...] = Field(default=(), description="Names of hosts; `*` and `?` stand for more.")
    names: tuple[str, ...] = Field(default=(), description="Names of resources; `*` and `?` stand for more.")
    reason: str = Field(min_length=1, max_length=255, description="Told to everybody who is refused.")
    since: AwareDatetime | None = Field(
        default=None,
        description="Begins then; unset: now.",
        json_schema_extra={"allowed": "a time, like 2026-12-02T06:00:00Z"},
    )
    until: AwareDatetime | None = Field(
        default=None,
        description="Ends then; unset: never.",
        json_schema_extra={"allowed": "a time, like 2026-12-02T06:00:00Z"},
    )


class CloudRules(Section):
    """What changes of one cloud need."""

    production: bool = Field(default=False, strict=True, description="Every change asks to type the cloud's name.")
    reason_required: bool = Field(default=False, strict=True, description="A change needs a reason.")
    ticket_required: bool = Field(default=False, strict=True, description="A change needs a ticket.")
    ticket_pattern: Annotated[str, AfterValidator(_ticket_pattern)] | None = Field(
        default=None, min_length=1, max_length=200, description="Regular expression that a whole ticket must match."
    )
    write_minutes: int = Field(
        default=60, strict=True, ge=1, le=1440, description="Minutes that read-only mode is lifted for, unless said."
    )
    grant_member: bool = Field(
        default=False,
        strict=True,
        description="Where no account has a role in a project, a job may make the administrator's user a `member` of "
        "it; that is taken back when the job ends.",
    )
    restore: CloudRestore = CloudRestore()
    hands_off: tuple[HandsOff, ...] = Field(
        default=(),
        description="What nobody may change, and for how long.",
        json_schema_extra={"allowed": "tables, written `[[clouds.NAME.hands_off]]`"},
    )
