"""Requests and answers of /q/clouds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class CloudAdd(BaseModel):
    """Body of POST /q/clouds: a clouds.yaml entry, the cloud's name here, and the file if it is not in a usual
    place."""

    model_config = ConfigDict(extra="forbid")

    account: str = Field(min_length=1, max_length=255)
    name: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")
    file: str | None = Field(None, max_length=4096)


class EntryTest(BaseModel):
    """Body of POST /q/clouds/candidates/test: a clouds.yaml entry, and the file if it is not in a usual place."""

    model_config = ConfigDict(extra="forbid")

    account: str = Field(min_length=1, max_length=255)
    file: str | None = Field(None, max_length=4096)


class AccountState(BaseModel):
    """One clouds.yaml entry that a cloud is collected with."""

    name: str
    file: str
    auth_url: str
    user: str | None
    scope: str | None
    roles: list[str]
    last_error: str | None


class CloudState(BaseModel):
    """A cloud: its accounts, where it has regions, how its data stands. `state` is new, ok, suspect, degraded or
    failed."""

    name: str
    accounts: list[AccountState]
    regions: list[str]
    state: str
    reason: str | None
    last_whole_listing: str | None
    age_seconds: float | None
    writable: bool
    writable_until: str | None
    rows: dict[str, int]


class Candidate(BaseModel):
    """A clouds.yaml entry that could be added; `added` is the cloud it already belongs to."""

    name: str
    file: str
    auth_url: str
    added: str | None


class GrantState(BaseModel):
    """A role that the engine's own user was given for a job (`clouds.NAME.grant_member`).

    `state` is giving, given or taking; `problem` why it could not be taken back, `command` what does so by hand.
    """

    id: str
    cloud: str
    project_id: str
    user_id: str
    user_name: str
    role_name: str
    account: str
    job_id: str
    asked_by: str
    state: str
    problem: str | None
    attempts: int
    since: str
    command: str


class GrantStates(BaseModel):
    """The roles that are given just now."""

    items: list[GrantState]
