"""Answers of the audit room."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Record(BaseModel):
    """One record: who (`actor`, the effective user; `login_name`, the person behind sudo) did what, to what, and how
    it ended; `hash` seals it together with the record before.
    """

    seq: int
    id: str
    at: str
    actor: str
    role: str
    via: str
    uid: int | None
    login_uid: int | None
    login_name: str | None
    token_id: str | None
    action: str
    target: str
    detail: dict[str, Any]
    outcome: str
    previous_hash: str
    hash: str


class SealedRecord(Record):
    """One record and whether its hash and its link to the record before are right."""

    sealed: bool


class Records(BaseModel):
    """A page of records, the newest first."""

    total: int
    page: int
    page_size: int
    items: list[Record]


class Verification(BaseModel):
    """Whether the chain is as it was written; else `problem` and the `seq` of the first record that is not."""

    ok: bool
    records: int
    head: str
    problem: str | None
    seq: int | None
