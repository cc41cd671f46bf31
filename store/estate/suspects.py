"""Deletion is earned: which of the rows that a whole listing no longer shows may be closed. Pure rules."""

from __future__ import annotations

from dataclasses import dataclass

from store.estate.models import State
from store.estate.visibility import Relation

MASS_SHARE = 0.20  # more than this share of the covered rows ...
MASS_ROWS = 10  # ... and at least this many


@dataclass(frozen=True, slots=True)
class Absence:
    """What a whole listing does not show, in rows.

    covered   current rows that the listing should show
    blocked   absent, and last seen by a listing that could see more than this one, or something else
    kept      absent, and a person said that they still exist
    fresh     absent, closable, and not absent from the whole listing before
    repeated  absent, closable, and already absent from the whole listing before
    arrived   new rows of the same listing that may stand in their place (types that rotate)
    """

    covered: int
    blocked: int = 0
    kept: int = 0
    fresh: int = 0
    repeated: int = 0
    arrived: int = 0

    @property
    def open(self) -> int:
        """Absent rows that nobody has decided about."""
        return self.blocked + self.fresh + self.repeated


@dataclass(frozen=True, slots=True)
class Verdict:
    """`close`: the fresh and the repeated rows are deleted; otherwise nothing is."""

    state: State
    reason: str
    close: bool


def judge(absence: Absence, relation: Relation | None) -> Verdict:
    """What a whole listing may delete.

    `relation` is its visibility against that of the last whole listing of the same scope; None when it is the first.
    """
    gone, covered = absence.open, absence.covered
    if gone and relation not in (None, "same"):
        words = {"narrower": "sees less than before", "wider": "sees more than before"}
        change = words.get(str(relation), "sees something else than before")
        return Verdict(
            "suspect",
            f"the account {change}, and {gone} of {covered} rows are no longer listed; nothing was deleted. "
            "The next listing with the same rights decides what it can, or accept or reject it yourself.",
            close=False,
        )
    # Retention takes away as many as were made: a list that only turned over has lost nothing.
    lost = absence.fresh - absence.arrived
    if lost >= MASS_ROWS and lost > covered * MASS_SHARE:
        return Verdict(
            "suspect",
            f"{absence.fresh} of {covered} rows vanished at once; nothing was deleted. "
            "They are deleted when the next listing does not show them either, or accept or reject it yourself.",
            close=False,
        )
    if absence.blocked:
        return Verdict(
            "suspect",
            f"{absence.blocked} of {covered} rows were last seen with rights that this account does not have; "
            "they are kept until an account that may see them lists them, or accept or reject it yourself.",
            close=True,
        )
    if absence.kept:
        return Verdict(
            "degraded",
            f"{absence.kept} of {covered} rows are no longer listed and were kept by a person's decision.",
            True,
        )
    return Verdict("ok", "", close=True)
