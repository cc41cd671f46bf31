"""Since, last, as of; created, deleted, changed."""

from __future__ import annotations

from datetime import datetime

from tests.copilot.evaluation.cases import case
from tests.copilot.evaluation.expect import Changes, Expected, count, either, rows, winner
from tests.copilot.evaluation.oracle import happened, pick, tally
from tests.copilot.evaluation.world import World, key


def _since(w: World, days: int) -> datetime:
    return w.at(days, 0)


case(
    "time",
    lambda w, s: rows("server", happened(w, "server", "created", _since(w, -1))),
    """
    vms created since yesterday; which vms are since yesterday new; new servers since yesterday; ~instances createt
    since yesterday; which machines were made since yesterday?
    """,
)
case(
    "time",
    lambda w, s: rows("server", happened(w, "server", "created", _since(w, 0))),
    """
    vms created today; new vms today?; which servers were created today; ~instances craeted today; machines built
    today
    """,
)
case(
    "time",
    lambda w, s: count(happened(w, "server", "created", _since(w, -7))),
    """
    how many vms were created in the last 7 days; number of new servers in the past 7 days; ~how many isntances
    created in last 7 days; new vm count, last seven days
    """,
)
case(
    "time",
    lambda w, s: rows("server", happened(w, "server", "created", _since(w, -1), _since(w, 0))),
    """
    vms created yesterday; servers made yesterday; ~which machines were created yesteday
    """,
)
case(
    "time",
    lambda w, s: rows("server", happened(w, "server", "created", _since(w, -9), _since(w, -2))),
    """
    vms created last week; which servers were made last week?; ~instnaces created last week
    """,
)
case(
    "time",
    lambda w, s: rows("server", happened(w, "server", "created", _since(w, -2))),
    """
    vms created this week; new servers since monday; ~machines craeted this week; instances created since Monday
    0:00
    """,
)
case(
    "time",
    lambda w, s: count(happened(w, "server", "created", w.at(-24, 0))),
    """
    how many vms were created this month; new servers this month, count; ~how many machines were made this moth
    """,
)
case(
    "time",
    lambda w, s: rows("volume", happened(w, "volume", "created", _since(w, -7))),
    """
    volumes created in the last 7 days; new disks in the past 7 days; ~volmues created in teh last 7 days; vols < 7
    days old
    """,
)
case(
    "time",
    lambda w, s: rows("snapshot", happened(w, "snapshot", "created", _since(w, 0))),
    """
    snapshots taken today; which snaps were made today; ~snapshots craeted today; today's snapshots
    """,
)
case(
    "time",
    lambda w, s: count(happened(w, "snapshot", "created", _since(w, -1))),
    """
    how many snapshots since yesterday; ~number of snapshots taken since yesterady; snap count since yesterday
    """,
)
case(
    "time",
    lambda w, s: rows("server", w.gone("server", _since(w, -9), _since(w, -2))),
    """
    vms deleted last week; which servers were deleted last week?; ~machines delted last week; what instances were
    removed last week
    """,
)
case(
    "time",
    lambda w, s: rows("server", w.gone("server", _since(w, -1), w.now)),
    """
    which vms were deleted since yesterday; servers deleted since yesterday; ~instances that were deletd since
    yesterday; vms gone since yesterday
    """,
)
case(
    "time",
    lambda w, s: count(w.gone("server", _since(w, -7), w.now)),
    """
    how many vms were deleted in the last 7 days; number of deleted servers past 7 days; ~how many machines where
    deleted in the last 7 days
    """,
)
case(
    "time",
    lambda w, s: rows("server", w.gone("server", _since(w, 0), w.now)),
    """
    vms deleted today; which machines vanished today?; ~deleetd servers today
    """,
)
case(
    "time",
    lambda w, s: rows("volume", w.gone("volume", _since(w, -7), w.now)),
    """
    volumes deleted in the last 7 days; which disks were removed in the last 7 days; ~volumes deleted within past 7
    dayz
    """,
)
case(
    "time",
    lambda w, s: count(pick(w, "server", at=w.at(-2, 9))),
    """
    how many vms were there as of Monday 9:00; vm count on monday at 9; ~number of servers as fo monday 9:00; how
    many machines did we have on Monday at 9am?
    """,
)
case(
    "time",
    lambda w, s: count(pick(w, "server", at=w.at(-2, 9), status="ACTIVE")),
    """
    how many vms were running on monday at 9:00; running servers as of monday 9:00, count; ~how many vms were runing
    monday 9am
    """,
)
case(
    "time",
    lambda w, s: rows("server", pick(w, "server", at=w.at(-1, 12), status="SHUTOFF")),
    """
    which vms were stopped yesterday at noon; stopped servers as of yesterday 12:00; ~shutoff vms yesterday at 12
    oclock
    """,
)
case(
    "time",
    lambda w, s: rows("server", pick(w, "server", at=w.at(-1, 14), host=s.host["name"])),
    """
    what ran on {host} yesterday at 14:00; vms on host {host} as of yesterday 2pm; ~which servers were on {host}
    yesteday at 14:00; machines on {host|short} on Tuesday at 14:00
    """,
)
case(
    "time",
    lambda w, s: count(pick(w, "server", at=w.at(-5, 12), project_id=s.project["id"])),
    """
    how many vms did {project} have on friday at noon; vm count of {project} as of 2026-11-20 12:00; ~how many
    servers had {project} on friday 12:00; number of machines of {project} on 20 Nov at 12:00; how many vms in
    {project} on 20.11.2026 at 12:00
    """,
)
case(
    "time",
    lambda w, s: count(pick(w, "volume", at=w.at(-10, 12))),
    """
    how many volumes did we have on 2026-11-15 at 12:00; volume count 10 days ago; ~number of volumes 10 dasy ago
    """,
)


def _keys(w: World, days: int, test) -> Expected:  # type: ignore[no-untyped-def]
    return Changes(
        frozenset(key(row) for _, type, kind, row in w.events(w.at(days, 0), w.now) if test(type, kind, row))
    )


def _only(w: World, of: str, days: int, kinds: tuple[str, ...], **equal: str) -> Expected:
    return _keys(
        w, days, lambda type, kind, row: type == of and kind in kinds and all(row[n] == v for n, v in equal.items())
    )


def _of(w: World, id: str) -> Expected:
    return _keys(w, -30, lambda type, kind, row: row["id"] == id)


def _in(w: World, project: str, days: int) -> Expected:
    return _keys(w, days, lambda type, kind, row: row.get("project_id") == project)


def _changed(w: World, days: int, until: int | None = None) -> Expected:
    """What changed: the things that were created, changed or deleted, each once, or every event of theirs."""
    events = w.events(w.at(days, 0), w.now if until is None else w.at(until, 0))
    return Changes(frozenset(key(row) for _, _, _, row in events))


case(
    "changes",
    lambda w, s: _changed(w, -1),
    """
    what changed since yesterday; what happened since yesterday?; ~waht changed since yesterday; anything changed
    since yesterday?; show changes since yesterday; WHAT HAS CHANGED SINCE YESTERDAY
    """,
)
case(
    "changes",
    lambda w, s: _changed(w, 0),
    """
    what changed today; changes today; ~wat happened today; list everything that changed today
    """,
)
case(
    "changes",
    lambda w, s: _changed(w, -1, 0),
    """
    what changed yesterday; yesterday's changes; ~what chnaged yesterday
    """,
)
case(
    "changes",
    lambda w, s: either(
        _only(w, "server", -1, ("created", "changed", "deleted")),
        _only(w, "server", -1, ("created", "changed")),
        _only(w, "server", -1, ("changed",)),
    ),
    """
    which vms changed since yesterday; what changed on the servers since yesterday; ~wich vms changed since
    yesterday
    """,
)
case(
    "changes",
    lambda w, s: _only(w, "server", 0, ("changed",), status="SHUTOFF"),
    """
    which vms were stopped today; vms that went down today; ~servers stoped today; what machines were powered off
    today?
    """,
)
case(
    "changes",
    lambda w, s: _of(w, s.moved["id"]),
    """
    what changed on {moved}; history of {moved}; what happened to {moved}?; ~what hapened to {moved} since
    yesterday; {moved} changes
    """,
)
case(
    "changes",
    lambda w, s: _of(w, s.stopped["id"]),
    """
    what happened to {stopped} in the last 3 days; ~changs of {stopped} in the last 3 days; why is {stopped} down,
    what changed
    """,
)
case(
    "changes",
    lambda w, s: _in(w, s.project["id"], -1),
    """
    what changed in {project} since yesterday; changes in tenant {project} since yesterday; ~what hapened in project
    {project} since yesterday; timeline for {project} since yesterday
    """,
)
case(
    "time",
    lambda w, s: winner(tally(happened(w, "server", "created", _since(w, -7)), "project")),
    """
    which project created the most vms in the last 7 days; ~who made most servers in the last 7 days, by porject
    """,
    only=("north", "rhine", "isles"),
)
