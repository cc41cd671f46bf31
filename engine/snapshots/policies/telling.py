"""The sentences of a decision: why a volume has its policies, and why other things that match do not count. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from engine.snapshots.models import Policy, Reason
from engine.snapshots.policies import schedule
from engine.snapshots.policies.matching import about
from store import times

if TYPE_CHECKING:
    from engine.snapshots.policies.metadata import Wish
    from engine.snapshots.policies.rules import Exclusion, PolicySet, _Claim

OWNER = "its owner wants no automatic snapshots: its metadata say auto_snapshot=false"
DERIVED = "its metadata say what was written there from here; they decide nothing by themselves"
NOTHING = "no set matches it, nothing is assigned to it, and its metadata ask for nothing"
_WINS = "an exclusion wins over it"


def exclusion(one: Exclusion) -> str:
    """Why an exclusion keeps policies away: "excluded until 2026-12-01T00:00:00Z: lab (by anna)"."""
    until = f" until {times.text(one.expires_at)}" if one.expires_at is not None else ""
    return f"excluded{until}: {one.reason}" + (f" (by {one.by})" if one.by else "")


def of_volume(claim: _Claim, wish: Wish, excluded: bool) -> str:
    """Of what is said of the volume itself."""
    if claim.kind == "assignment":
        return f"assigned to this very volume{' by ' + claim.by if claim.by else ''}" + (
            f"; {_WINS}" if excluded else ""
        )
    problems = "".join(f"; {problem}" for problem in wish.problems)
    if claim.policies:
        return "its own metadata ask for it" + (f"; {_WINS}" if excluded else "") + problems
    if wish.auto is False:
        return "its own metadata say auto_snapshot=false" + problems
    if wish.auto:
        return "its own metadata ask for automatic snapshots but name no policy" + problems
    if wish.policies:
        return "its own metadata name policies, but do not say auto_snapshot=true" + problems
    return "its own metadata cannot be read" + problems


def of_set(one: PolicySet, first: PolicySet, rank: int, *, overruled: bool, excluded: bool) -> str:
    """Of a set that matches; `first` is the most specific one, `rank` this one's place among those that match."""
    names = about(one.specificity)
    if excluded:
        return f"matches (names {names}); {_WINS}"
    if overruled:
        return f"matches (names {names}), but what is said of this very volume wins"
    if rank == 0:
        return f"the most specific set that matches: names {names}, priority {one.priority}"
    if one.specificity < first.specificity:
        return f"matches (names {names}), but {first.name!r} is more specific: it names {about(first.specificity)}"
    if one.priority > first.priority:
        return f"matches as specifically as {first.name!r}, whose priority number is smaller: {first.priority}"
    return f"matches as specifically as {first.name!r}, which is older and of the same priority"


def of_policies(policies: Sequence[Policy]) -> str:
    """What is to be known of the policies themselves: switched off, or made by nobody."""
    said = [f"; {one.name} is switched off" for one in policies if not one.enabled]
    for one in policies:
        if one.enabled and not one.known:
            said.append(f"; nobody made {one.name}, so it is what its name says: {schedule.words(one)}")
    return "".join(said)


def reason(one: Reason) -> dict[str, Any]:
    """A reason as it is answered."""
    names = ("kind", "id", "name", "specificity", "applies", "text")
    return {name: getattr(one, name) for name in names} | {"policies": dict(one.policies)}
