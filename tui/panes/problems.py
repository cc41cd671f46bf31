"""Problems: everything that is wrong now, worst first, with who has it and what was said about it."""

from __future__ import annotations

from typing import Any

from tui.panes.pane import Parts, Rows
from tui.panes.told import AskedPane, local
from tui.problems import (
    FIELDS,
    LEVELS,
    PATH,
    Problem,
    counts_glyphs,
    muted_words,
    record,
    since,
    subject_of,
    view_of,
    word,
)
from tui.state import View
from tui.table.cells import clean
from tui.table.format import GLYPHS
from tui.table.layout import Head
from tui.table.spec import Key, Row

MOST = 1000
COLUMNS = ("severity", "title", "since", "owner", "detail", "note", "muted", "project", "cloud")


class ProblemsPane(AskedPane):
    """The list, muted ones last; `enter` opens what is broken. The subject: () = all, (id,) = that one first."""

    places = ("list", "problems")
    topics = frozenset({"problems", "notes"})
    noun = "problem"
    columns = COLUMNS
    fields = FIELDS
    answer: dict[str, Any]

    async def ask(self, filter: str) -> Rows:
        """Read the list."""
        self.answer = await self.world.get(PATH, {"limit": MOST})
        self.records.clear()
        self.items: dict[Key, Problem] = {}
        clouds = self.view.clouds
        rows: Rows = []
        for item in self.answer.get("items") or ():
            if clouds and item.get("cloud") not in (*clouds, None):
                continue
            key = (str(item.get("id")),)
            self.items[key] = item
            self.records[key] = record(item)
            values = {
                "severity": word(item),
                "title": clean(item.get("title") or ""),
                "since": since(item),
                "owner": item.get("owner"),
                "detail": clean(item.get("detail") or ""),
                "note": clean(item.get("note") or ""),
                "muted": muted_words(item),
                "project": item.get("project_name"),
                "cloud": item.get("cloud"),
            }
            rows.append((key, [values[name] for name in COLUMNS]))
        return rows

    def heads(self, columns: tuple[str, ...]) -> list[Head]:
        """What, since when, who has it, and what is behind it; the glyph in front says how bad."""
        several = self.world.several_clouds
        return [
            Head("title", "PROBLEM", "name", 40, 1),
            Head("since", "SINCE", "number", 5, 2),
            Head("owner", "WHO", "name", 8, 3),
            Head("detail", "WHAT IS BEHIND IT", "text", 36, 4),
            Head("severity", "LEVEL", "status", 8, 0, False, levels=LEVELS),
            Head("note", "NOTE", "text", 30, 5, False),
            Head("muted", "MUTED", "text", 26, 6, False),
            Head("project", "PROJECT", "name", 14, 7, False),
            Head("cloud", "CLOUD", "name", 10, 8, several, not several),
        ]

    def title(self) -> str:
        """What it is, and how many of each."""
        words = counts_glyphs(getattr(self, "answer", {}).get("counts") or {})
        return f"problems {words}" if words else "problems"

    @property
    def counted(self) -> bool:  # type: ignore[override]
        """The counts are in the title."""
        return False

    def empty(self) -> str:
        """Nothing wrong, or filtered away; what could not be judged is said."""
        if self.view.filter:
            return "no problem passes this filter\nesc clears it"
        if self.asked.stale:
            return "reading the problems …"
        missed = getattr(self, "answer", {}).get("problems") or ()
        if missed:
            return "\n".join(["not everything could be judged:", *(clean(sentence) for sentence in missed)])
        if self.world.clouds_known and not self.world.clouds:
            return "no cloud is watched yet, and nothing is wrong with the console itself"
        return "nothing is wrong"

    def enter(self, row: Row) -> View | None:
        """What is broken."""
        item = self.problem_here(row)
        return view_of(item) if item else None

    def problem_here(self, row: Row | None) -> Problem | None:
        """The problem under the cursor."""
        return None if row is None else getattr(self, "items", {}).get(row.key)

    def note_subject(self, row: Row | None) -> dict[str, Any] | None:
        """What a note here would be about."""
        return subject_of(self.problem_here(row))

    def strip(self, row: Row) -> list[Parts]:
        """How bad and what; what is behind it; who has it, what was said, until when it is muted."""
        item = self.problem_here(row)
        return [] if item is None else about_parts(item, self.world.several_clouds)


def about_parts(item: Problem, several: bool) -> list[Parts]:
    """Three lines about a problem."""
    level = LEVELS[word(item)]
    first: Parts = [
        (f"{GLYPHS[level]} {clean(item.get('severity') or '')}  ", level),
        (clean(item.get("title") or ""), "strong"),
    ]
    machines = int(item.get("machines") or 0)
    if machines:
        first.append((f"  {machines:,} machine{'s' if machines != 1 else ''}", "text"))
    where = [clean(item[name]) for name in ("cloud", "region", "project_name") if item.get(name)]
    if where and (several or item.get("project_name")):
        first.append(("  " + " · ".join(where), "muted"))
    second: Parts = [(clean(item.get("detail") or "enter opens it"), "text")]
    third: Parts = _owner(item)
    if item.get("muted_until"):
        third += [("  muted ", "muted"), (muted_words(item), "warn")]
    if item.get("note"):
        third += [("  ✎ ", "accent"), (clean(item["note"]), "text")]
        if item.get("note_by"):
            third.append((f" ({clean(item['note_by'])})", "muted"))
    began = item.get("since") or item.get("first_seen")
    third += [
        ("  since ", "muted"),
        (local(began), "text"),
        ("" if item.get("since_exact") else " or earlier", "muted"),
    ]
    return [first, second, third]


def _owner(item: Problem) -> Parts:
    if not item.get("owner"):
        return [("nobody has it: ", "muted"), ("t", "key"), (" takes it", "muted")]
    return [("yours" if item.get("mine") else f"{clean(item['owner'])} has it", "ok")]
