"""Volumes and whether their policies are kept, the worst first; and why a volume has the policies it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from store.filters import FilterError, matches, parse
from tui.dialogs.planlines import wrapped
from tui.ondemand import one_value
from tui.panes.pane import FetchedSource, Pane, Parts, Rows
from tui.panes.told import AskedPane, local
from tui.snapshots import COMPLIANCE, COMPLIANCE_LEVELS, REASON_WORDS, items_of, key_of, status_word, why_path
from tui.state import View
from tui.table.cells import clean
from tui.table.layout import Head
from tui.table.spec import Key, Row, RowSource

COLUMNS = (
    "volume",
    "status",
    "policy",
    "last",
    "why",
    "project",
    "server",
    "points",
    "cover",
    "size",
    "domain",
    "cloud",
)
FIELDS = (*COLUMNS, "id", "set", "type", "region", "tenant", "tenant_id", "level")
LEVELS = {status_word(name): level for name, level in COMPLIANCE_LEVELS.items()}
ORDER = ("quota_blocked", "missing", "no_policy", "pending", "excluded", "compliant")
MOST = 20_000
STATUSES = ("missing", "quota_blocked", "pending")  # what `!` goes through


class CompliancePane(AskedPane):
    """Every volume with the worst of its policies, as the numbers of the overview count them; a filter that names a
    policy shows a row for each policy of a volume. `enter` opens the volume.
    """

    places = ("list", "room", "kept")
    topics = frozenset({"snapshots", "data"})
    noun = "volume"
    columns = COLUMNS
    fields = FIELDS
    items: dict[Key, dict[str, Any]]

    async def ask(self, filter: str) -> Rows:
        """Read them."""
        self.whole = not names_policy(filter)
        by = "volume" if self.whole else "rows"
        params: dict[str, Any] = {"limit": MOST, "by": by, **narrowing(filter)}
        if len(self.view.clouds) == 1:
            params["cloud"] = self.view.clouds[0]
        answer = await self.world.get(COMPLIANCE, params)
        self.answer: dict[str, Any] = answer if isinstance(answer, dict) else {}
        self.more = max(0, int(self.answer.get("total") or 0) - len(items_of(answer)))
        rank = {name: number for number, name in enumerate(ORDER)}
        found = sorted(items_of(answer), key=lambda item: rank.get(str(item.get("status")), len(rank)))
        self.records.clear()
        self.items = {}
        rows: Rows = []
        for item in found:
            key = (*key_of(item), "" if self.whole else str(item.get("policy") or ""))
            shown = kept_values(item)
            self.items[key] = item
            self.records[key] = {
                **shown, "status": str(item.get("status") or ""), "last": item.get("last_at"), "id": key[2],
                "set": item.get("source"), "type": item.get("volume_type"), "region": key[1],
                "tenant": item.get("project_name"), "tenant_id": item.get("project_id"), "level": item.get("level"),
            }  # fmt: skip
            rows.append((key, [shown[name] for name in COLUMNS]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Volume and status first, then why."""
        several = self.world.several_clouds
        index = {name: number for number, name in enumerate(COLUMNS)}
        return [
            Head("volume", "VOLUME", "name", 18, index["volume"]),
            Head("status", "STATUS", "status", 13, index["status"], levels=LEVELS),
            Head("policy", "POLICY", "name", 11, index["policy"]),
            Head("last", "LAST", "time", 5, index["last"]),
            Head("project", "PROJECT", "name", 12, index["project"]),
            Head("why", "WHY", "text", 34, index["why"]),
            Head("server", "SERVER", "name", 14, index["server"], False),
            Head("points", "POINTS", "number", 6, index["points"], False),
            Head("cover", "COVERED BY", "text", 14, index["cover"], False),
            Head("size", "SIZE", "size_gb", 5, index["size"], False),
            Head("domain", "DOMAIN", "name", 10, index["domain"], False),
            Head("cloud", "CLOUD", "name", 10, index["cloud"], several, not several),
        ]

    def title(self) -> str:
        """What they are."""
        return "volumes by compliance"

    def empty(self) -> str:
        """None, or filtered away."""
        if self.view.filter:
            return self.filtered()
        if self.asked.stale:
            return "judging the volumes …"
        return f"no volume has a policy\n{self.world.keymap.shown('policies')} shows how to make the first one"

    def enter(self, row: Row) -> View:
        """The volume."""
        return View("detail", "volume", subject=row.key[:3])

    def resource_here(self, row: Row | None) -> tuple[str, Key, str] | None:
        """(type, key, name) of the volume under the cursor."""
        item = None if row is None else getattr(self, "items", {}).get(row.key)
        return None if row is None or item is None else ("volume", row.key[:3], str(item.get("volume_name") or ""))

    volume_here = resource_here

    def strip(self, row: Row) -> list[Parts]:
        """Which volume, how it stands, what there is to go back to."""
        item = getattr(self, "items", {}).get(row.key)
        if item is None:
            return []
        status = str(item.get("status") or "")
        first: Parts = [(clean(item.get("volume_name") or row.key[2]), "strong"),
                        (f"  {status_word(status)}", COMPLIANCE_LEVELS.get(status, "none"))]  # fmt: skip
        if item.get("policy"):
            first.append((f"  {clean(item['policy'])}", "text"))
        second: Parts = [(kept_values(item)["why"], "text")]
        third: Parts = [("newest ", "muted"), (local(item["last_at"]) if item.get("last_at") else "never", "text")]
        for one in item.get("policies") or () if len(item.get("policies") or ()) > 1 else ():
            word = str(one.get("status") or "")
            third.append((f"  {clean(one.get('policy'))} {status_word(word)}", COMPLIANCE_LEVELS.get(word, "none")))
        third.append((f"  {cover_words(item)}", "muted"))
        if self.more:
            third.append((f"  {self.more:,} more are not read: narrow with /", "muted"))
        return [first, second, third]


def names_policy(filter: str) -> bool:
    """Whether a filter asks for a policy."""
    try:
        return any(match.column == "policy" for match in matches(parse(filter)))
    except FilterError:
        return False


def narrowing(filter: str) -> dict[str, str]:
    """What of a filter the engine sifts by: one status, one policy."""
    try:
        tree = parse(filter)
    except FilterError:
        return {}
    found = {name: one_value(tree, name) for name in ("status", "policy")}
    return {name: value for name, value in found.items() if value and (name != "status" or value in ORDER)}


def cover_words(item: Mapping[str, Any]) -> str:
    """backup; same back end only; nothing; "" where it was not told."""
    return {"backup": "has a backup", "same": "same back end only", "nothing": "nothing"}.get(
        str(item.get("cover")), ""
    )


def policies_words(item: Mapping[str, Any]) -> str | None:
    """The policy that the row is judged by, and how many more the volume has: daily_5 +1."""
    more = len(item.get("policies") or ()) - 1
    return f"{clean(item['policy'])}{f' +{more}' if more > 0 else ''}" if item.get("policy") else None


def kept_values(item: Mapping[str, Any]) -> dict[str, Any]:
    """A row's values by column."""
    why = clean(item.get("reason") or item.get("detail") or "")
    return {
        "volume": clean(item.get("volume_name") or item.get("volume_id") or ""),
        "status": status_word(item.get("status")), "policy": policies_words(item), "last": item.get("last_at"),
        "why": why, "project": item.get("project_name"), "server": item.get("server_name"),
        "points": item.get("points"),
        "cover": cover_words(item), "size": item.get("size_gb"), "domain": item.get("domain_name"),
        "cloud": key_of(item)[0],
    }  # fmt: skip


class WhyPane(Pane):
    """Reasons as rows, the deciding ones first."""

    places = ("list", "room", "why")
    topics = frozenset({"snapshots"})
    noun = "reason"
    columns = ("says", "decides", "name", "asks", "text")

    def make_source(self) -> RowSource:
        """Reasons as rows."""
        self.answer: dict[str, Any] = {}
        return FetchedSource(self.columns, self._rows)

    async def _rows(self) -> Rows:
        if len(self.view.subject) != 3:
            return []
        answer = await self.world.get(why_path(self.view.subject))
        self.answer = answer if isinstance(answer, dict) else {}
        reasons = [item for item in self.answer.get("reasons") or () if isinstance(item, dict)]
        reasons.sort(key=lambda item: not item.get("applies"))
        return [((str(number),), reason_values(item)) for number, item in enumerate(reasons)]

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """Whether it decides is a glyph and a word."""
        return [
            Head("says", "WHAT", "name", 24, 0),
            Head("decides", "COUNTS", "status", 9, 1, levels={"decides": "ok", "set aside": "idle"}),
            Head("name", "NAME", "name", 16, 2),
            Head("asks", "ASKS FOR", "text", 18, 3),
            Head("text", "BECAUSE", "text", 60, 4),
        ]

    def volume_here(self, row: Row | None) -> tuple[str, Key, str] | None:
        """The volume, wherever the cursor is."""
        return ("volume", self.view.subject, self.name) if len(self.view.subject) == 3 else None

    @property
    def name(self) -> str:
        """Of the volume."""
        known = self.world.names.get(("volume", *self.view.subject))
        return clean(self.answer.get("volume_name") or known or (self.view.subject[-1:] or ("",))[0])

    def title(self) -> str:
        """The answer in short."""
        return f"why {self.name}: {held_words(self.answer)}" if self.answer else "why"

    def empty(self) -> str:
        """No policy: how it would get one."""
        if self.view.filter:
            return self.filtered()
        if isinstance(self.source, FetchedSource) and self.source.stale:
            return "asking why …"
        keys = self.world.keymap.shown
        return (
            f"no policy takes this volume: nothing asks for one\n{keys('policies')} adds a policy or set, "
            f"{keys('take_point')} takes a snapshot now"
        )

    def strip(self, row: Row) -> list[Parts]:
        """What was decided, and the sentence in full."""
        first: Parts = [(held_words(self.answer), "strong")]
        pieces = wrapped(str(row.values[4] or ""), max(20, self.world.cells - 3))
        return [first, *([(piece, "text")] for piece in pieces[:2])]


def held_words(answer: Mapping[str, Any]) -> str:
    """The policies that were decided on: daily_5 (keep 5), weekly_4 (keep 4); excluded; no policy."""
    if answer.get("excluded"):
        return f"excluded: {clean(answer['excluded'])}"
    held = [item for item in answer.get("policies") or () if isinstance(item, dict)]
    return ", ".join(f"{clean(item.get('policy'))} (keep {item.get('keep')})" for item in held) or "no policy"


def reason_values(item: Mapping[str, Any]) -> list[Any]:
    """A row."""
    kind = str(item.get("kind") or "")
    asks = ", ".join(
        clean(name) + (f" keep {keep}" if keep else "") for name, keep in (item.get("policies") or {}).items()
    )
    return [
        REASON_WORDS.get(kind, clean(kind)), "decides" if item.get("applies") else "set aside", item.get("name"),
        asks, clean(item.get("text") or ""),
    ]  # fmt: skip
