"""Policies and the sets that give them to volumes, in one list; and the exclusions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.panes.told import with_rest
from tui.snapshots import (
    EXCLUSIONS,
    POLICIES,
    PRESETS,
    SCHEDULE,
    SETS,
    items_of,
    match_words,
    next_words,
    policies_of,
    policy_words,
    unread,
    unread_words,
    when_words,
    zoned,
)
from tui.state import View
from tui.table.cells import clean
from tui.table.format import moment_of
from tui.table.layout import Head
from tui.table.spec import Key, Row, RowSource

_SWITCH = {"on": "ok", "off": "idle", "made up": "none"}
OWNER, OWNERS_NO = "metadata-tag", "the owner says so: auto_snapshot is no in the volume's metadata"
_FORCE = {"in force": "ok", "over": "idle"}
MOST = 1000  # sets
NAMELESS = "made up from its name: nobody made this policy"


class PoliciesPane(Pane):
    """Policies first, then sets; `enter` lists the volumes that have the policy, or that the set gives policies to."""

    places = ("list", "room", "policies")
    topics = frozenset({"snapshots"})
    noun = "policy"
    columns = ("name", "is", "kind", "what", "volumes", "next", "by")

    def make_source(self) -> RowSource:
        """Both as rows."""
        self.items: dict[Key, dict[str, Any]] = {}
        self.rest = ""
        return FetchedSource(self.columns, self._rows)

    async def _rows(self) -> Rows:
        policies = items_of(await self.world.get(POLICIES))
        told = await self.world.get(SETS, {"page_size": MOST})
        sets, self.rest = items_of(told), unread_words(unread(told), "more sets")
        now = datetime.now(UTC)
        self.items = {("policy", str(item.get("name"))): item for item in policies}
        self.items |= {("set", str(item.get("id"))): item for item in sets}
        return [(key, policy_values(item, now) if key[0] == "policy" else set_values(item))
                for key, item in self.items.items()]  # fmt: skip

    async def enrich(self, row: Row) -> bool:
        """The next three times of the policy."""
        item = self.items.get(row.key)
        if item is None or row.key[0] != "policy" or "next" in item or not item.get("enabled", True):
            return False
        asked = {name: item.get(name) for name in ("schedule", "timezone", "keep")}
        item["next"] = (await self.world.get(SCHEDULE, asked)).get("next") or []
        return True

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Whether it is on is the glyph."""
        return [
            Head("name", "NAME", "name", 18, 0),
            Head("is", "IS", "status", 7, 1, levels=_SWITCH),
            Head("kind", "KIND", "text", 6, 2),
            Head("volumes", "VOLUMES", "number", 7, 4),
            Head("next", "NEXT", "text", 7, 5),
            Head("what", "WHEN, OR WHAT FOR WHICH VOLUMES", "text", 60, 3),
            Head("by", "CHANGED BY", "name", 10, 6, False),
        ]

    def title(self) -> str:
        """What they are."""
        return "snapshot policies"

    def empty(self) -> str:
        """None yet: the keys to the first one."""
        if self.view.filter:
            return self.filtered()
        if isinstance(self.source, FetchedSource) and self.source.stale:
            return "reading the policies …"
        keys = self.world.keymap.shown
        name, _, _, words = PRESETS[0]
        return (
            f"no policy yet, so no volume gets a snapshot\n{keys('add_policy')} then d adds {name}: {words}\n"
            "enter makes it; until then nothing is changed"
        )

    def enter(self, row: Row) -> View | None:
        """The volumes it is about."""
        item = self.items.get(row.key) or {}
        if row.key[0] == "policy":
            return View("compliance", filter=f'policy:="{row.key[1]}"')
        return View("compliance", filter=f'set:="{clean(item.get("name") or row.key[1])}"')

    def strip(self, row: Row) -> list[Parts]:
        """The whole of it."""
        item = self.items.get(row.key)
        if item is None:
            return []
        first, second, third = policy_about(item) if row.key[0] == "policy" else set_about(item)
        return [first, second, with_rest(third, self.rest)]


def policy_values(item: Mapping[str, Any], now: datetime) -> list[Any]:
    """A row of a policy."""
    state = "made up" if item.get("known") is False else "on" if item.get("enabled", True) else "off"
    return [
        item.get("name"), state, "policy", policy_words(item), item.get("volumes"),
        when_words((next_times(item) or [None])[0], now), item.get("updated_by"),
    ]  # fmt: skip


def set_values(item: Mapping[str, Any]) -> list[Any]:
    """A row of a set."""
    return [
        item.get("name"), "on" if item.get("is_active", True) else "off", "set",
        f"{policies_of(item) or 'no policy'} for {match_words(item)}", item.get("volumes"), None,
        item.get("updated_by") or item.get("created_by"),
    ]  # fmt: skip


def next_times(item: Mapping[str, Any]) -> list[Any]:
    """The next times of a policy: the ones that were asked for, else the one that the list tells."""
    return [at for at in item.get("next") or [item.get("next_at")] if at]


def policy_about(item: Mapping[str, Any]) -> list[Parts]:
    """A policy in three lines."""
    first: Parts = [(clean(item.get("name") or ""), "strong"), (f"  {policy_words(item)}", "text")]
    if item.get("known") is False:
        first.append((f"  {NAMELESS}", "warn"))
    elif not item.get("enabled", True):
        first.append(("  off: nothing is made", "warn"))
    times = next_words(next_times(item)[:3], str(item.get("timezone") or "UTC"))
    second: Parts = [("next ", "muted"), (times or "never", "text")] if item.get("enabled", True) else []
    third: Parts = [
        ("per ", "muted"),
        ("machine, all its volumes at once" if item.get("method") == "server" else "volume", "text"),
    ]
    for name, words in (("jitter_minutes", "up to {} min later"), ("catch_up_hours", "caught up for {} h"),
                        ("window_hours", "complies for {} h")):  # fmt: skip
        if item.get(name):
            third.append((f" · {words.format(item[name])}", "text"))
    if item.get("description"):
        third.append((f" · {clean(item['description'])}", "muted"))
    return [first, second, third]


def set_about(item: Mapping[str, Any]) -> list[Parts]:
    """A set in three lines."""
    first: Parts = [
        (clean(item.get("name") or ""), "strong"),
        ("  gives ", "muted"),
        (policies_of(item) or "no policy", "text"),
    ]
    if not item.get("is_active", True):
        first.append(("  off: gives nothing", "warn"))
    second: Parts = [("to ", "muted"), (match_words(item), "text")]
    keeps = ", ".join(f"{clean(name)} {keep}" for name, keep in (item.get("retention_map") or {}).items())
    third: Parts = [("priority ", "muted"), (str(item.get("priority") or 0), "text")]
    if keeps:
        third += [(" · keeps ", "muted"), (keeps, "text")]
    if item.get("description"):
        third.append((f" · {clean(item['description'])}", "muted"))
    return [first, second, third]


class ExclusionsPane(Pane):
    """What no policy takes, and why; the newest first."""

    places = ("list", "room", "exclusions")
    topics = frozenset({"snapshots"})
    noun = "exclusion"
    counted = True
    columns = ("what", "is", "reason", "source", "until", "by", "at")

    def make_source(self) -> RowSource:
        """Exclusions as rows."""
        self.items: dict[Key, dict[str, Any]] = {}
        self.rest = ""
        return FetchedSource(self.columns, self._rows)

    async def _rows(self) -> Rows:
        now = datetime.now(UTC)
        answer = await self.world.get(EXCLUSIONS, {"owners": True})
        owners = answer.get("owners") or () if isinstance(answer, dict) else ()
        more = int(answer.get("owners_total") or 0) - len(owners) if isinstance(answer, dict) else 0
        self.rest = unread_words(more, "more of owners")
        self.items = {(str(item.get("id")),): item for item in items_of(answer)}
        self.items |= {
            (OWNER, str(item.get("volume_id"))): {**item, "source": OWNER, "reason": OWNERS_NO} for item in owners
        }
        return [(key, exclusion_values(item, now)) for key, item in self.items.items()]

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """What is left out, and why."""
        return [
            Head("what", "EXCLUDED", "name", 26, 0),
            Head("is", "IS", "status", 8, 1, levels=_FORCE),
            Head("reason", "WHY", "text", 24, 2),
            Head("until", "ENDS", "text", 8, 4),
            Head("source", "FROM", "text", 12, 3),
            Head("by", "WHO", "name", 8, 5),
            Head("at", "AGE", "time", 4, 6),
        ]

    def title(self) -> str:
        """What they are."""
        return "excluded from snapshots"

    def empty(self) -> str:
        """None, and how to make one."""
        if self.view.filter:
            return self.filtered()
        if isinstance(self.source, FetchedSource) and self.source.stale:
            return "reading the exclusions …"
        key = self.world.keymap.shown("exclude")
        return f"nothing is excluded\n{key} adds one; in the volumes it begins with the one under the cursor"

    def enter(self, row: Row) -> View | None:
        """The volume, if it is about one."""
        item = self.items.get(row.key) or {}
        if not item.get("volume_id"):
            return View("compliance", filter="status:=excluded")
        key = tuple(str(item.get(name) or "") for name in ("cloud", "region", "volume_id"))
        return View("detail", "volume", subject=key)

    def strip(self, row: Row) -> list[Parts]:
        """The whole of it."""
        item = self.items.get(row.key)
        if item is None:
            return []
        ends: Parts = [("by ", "muted"), (clean(item.get("created_by") or "the owner's metadata"), "text")]
        ends += [
            ("  until ", "muted"),
            (zoned(item["expires_at"], "UTC") + " UTC" if item.get("expires_at") else "it is ended", "text"),
        ]
        reason: Parts = [(clean(item.get("reason") or ""), "text")]
        return [[(exclusion_words(item), "strong")], reason, with_rest(ends, self.rest)]


def exclusion_words(item: Mapping[str, Any]) -> str:
    """What it leaves out: volume db-1; project lab; volumes by a match."""
    if item.get("volume_id"):
        return f"volume {clean(item.get('volume_name') or item['volume_id'])}"
    if item.get("tenant_id") and not item.get("match") and not item.get("tenant_name"):
        return f"project {clean(item['tenant_id'])}"
    return match_words(item)


def exclusion_values(item: Mapping[str, Any], now: datetime) -> list[Any]:
    """A row."""
    end = moment_of(str(item.get("expires_at") or ""))
    over = item.get("in_force") is False or (end is not None and end <= now)
    return [
        exclusion_words(item), "over" if over else "in force", item.get("reason"), item.get("source"),
        "never" if end is None else when_words(item["expires_at"], now), item.get("created_by"), item.get("created_at"),
    ]  # fmt: skip
