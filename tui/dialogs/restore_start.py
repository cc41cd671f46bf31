"""The restore wizard's first page: is a restore the right thing at all, which way, and back to which moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tui import restore
from tui.dialogs.page import Drawn, Line, Page, rule
from tui.dialogs.planlines import wrapped
from tui.panes.pane import Parts
from tui.table.cells import clean, cut_end, fit, width

WAYS, POINTS = "ways", "points"
MOST_EVENTS, MOST_CONSOLE = 3, 6  # lines of the machine's past among the details
MIN_POINTS = 3  # points that are shown however small the screen is


class StartPage(Page):
    """Enter accepts: first the way, then the point; then the plan is made.

    answer  what GET /q/restore/start told
    plan    gets the way, the id of the point and the disk that a way of one disk is about ("" = the engine's choice)
    log     shows the machine's console log
    point   id of the point to begin with ("" = the newest that fits)
    disk    id of the disk somebody came from
    """

    whole = True

    def __init__(
        self,
        answer: Mapping[str, Any],
        *,
        plan: Callable[[str, str, str], None],
        back: Callable[[], None],
        log: Callable[[], None],
        point: str = "",
        disk: str = "",
        at: str = "",
    ) -> None:
        super().__init__()
        self.machine: Mapping[str, Any] = answer.get("machine") or {}
        self.findings = _objects(answer.get("findings"))
        self.ways = _objects(answer.get("ways"))
        self.points = _objects(answer.get("points"))
        self.disks = _objects(answer.get("disks"))
        self.name = clean(self.machine.get("name") or "")
        self.findings += [{"level": "warning", "text": text} for text in answer.get("unread") or ()]
        self.events, self.console = _objects(answer.get("events")), [str(n) for n in answer.get("console") or ()]
        self._plan, self._back, self._log = plan, back, log
        self.focus = WAYS
        self.details = False
        self.saying = ""
        self.top = 0
        self.way_at = self._first_way()
        self.disk_at = self._disk_index(disk)
        self.at = 0
        self._begin_at(point)
        if at and not point:
            self._by_then(at)

    # What is chosen

    def _first_way(self) -> int:
        first = [n for n, way in enumerate(self.ways) if way.get("first") and way.get("possible")]
        possible = [n for n, way in enumerate(self.ways) if way.get("possible")]
        return (first or possible or [0])[0]

    def _disk_index(self, id: str) -> int:
        """The disk named; else of a machine with a root and one data disk the one that the way is for."""
        found = [n for n, disk in enumerate(self.disks) if disk.get("volume_id") == id]
        return found[0] if id and found else -1

    def _begin_at(self, point: str) -> None:
        named = [n for n, one in enumerate(self.points) if point and one.get("id") == point]
        if named:
            self.at = named[0]
        else:
            self._to_fitting()

    def _by_then(self, at: str) -> None:
        """The newest fitting point taken by a local time, "2026-11-23 09:00"; a sentence where there is none."""
        taken = [(n, restore.local_time(one.get("taken_at"))) for n, one in enumerate(self.points) if self._fits(one)]
        found = [n for n, time in taken if time and time <= at]
        if found:
            self.at = max(found, key=dict(taken).__getitem__)
        else:
            self.saying = f"no restore point that fits was taken by {clean(at)}: choose one"

    def _to_fitting(self) -> None:
        """The newest point that has what the way is about; the one under the cursor where it has it."""
        fitting = [n for n, one in enumerate(self.points) if self._fits(one)]
        if fitting and self.at not in fitting:
            self.at = fitting[0]

    @property
    def way(self) -> str:
        """The chosen way."""
        return str(self.ways[self.way_at].get("way")) if self.ways else ""

    @property
    def disk(self) -> Mapping[str, Any] | None:
        """The disk that a way of one disk is about; None for other ways."""
        if self.way not in restore.OF_ONE_DISK or not self.disks:
            return None
        if self.disk_at >= 0:
            return self.disks[self.disk_at]
        data = [disk for disk in self.disks if not disk.get("root")]
        root = [disk for disk in self.disks if disk.get("root")]
        return (data if self.way == "DATA_VOLUME_BACK" and data else root or self.disks)[0]

    @property
    def disk_id(self) -> str:
        """Its id, "" for none."""
        return str((self.disk or {}).get("volume_id") or "")

    @property
    def point(self) -> Mapping[str, Any] | None:
        """The chosen point."""
        return self.points[self.at] if self.points else None

    def _fits(self, point: Mapping[str, Any]) -> bool:
        if point.get("problem"):
            return False
        if self.disk is not None:
            return restore.has_disk(point, self.disk_id)
        roots = [str(disk.get("volume_id")) for disk in self.disks if disk.get("root")]
        return not roots or point.get("kind") == "image" or restore.has_disk(point, roots[0])

    # Keys

    def take_key(self, key: str, character: str | None) -> None:
        """Moves, a way's number, enter, escape."""
        self.saying = ""
        if key in ("escape", "q"):
            self._leave()
        elif key in ("tab", "shift+tab"):
            self.focus = POINTS if self.focus == WAYS else WAYS
        elif key in ("j", "down", "k", "up", "pagedown", "pageup", "g", "home", "G", "end"):
            self._move(key)
        elif character is not None and character.isdigit() and 0 < int(character) <= len(self.ways):
            self.way_at, self.focus = int(character) - 1, WAYS
            self._to_fitting()
        elif key == "v":
            self._next_disk()
        elif key == "d":
            self.details = not self.details
        elif key == "l":
            self._log()
        elif key == "enter":
            self._enter()
        self.changed()

    def _leave(self) -> None:
        if self.focus == POINTS:
            self.focus = WAYS
        else:
            self._back()

    def _move(self, key: str) -> None:
        steps = {"j": 1, "down": 1, "k": -1, "up": -1, "pagedown": 10, "pageup": -10}
        step = steps.get(key, 10**6 if key in ("G", "end") else -(10**6))
        if self.focus == WAYS:
            self.way_at = max(0, min(len(self.ways) - 1, self.way_at + step)) if self.ways else 0
            self._to_fitting()
        elif self.points:
            self.at = max(0, min(len(self.points) - 1, self.at + step))

    def _next_disk(self) -> None:
        if self.disk is None:
            self.saying = "this way is about all of the machine; disks are chosen in its plan"
            return
        here = self.disks.index(self.disk)  # type: ignore[arg-type]
        self.disk_at = (here + 1) % len(self.disks)
        self._to_fitting()

    def _enter(self) -> None:
        way = self.ways[self.way_at] if self.ways else {}
        if not way.get("possible"):
            why = clean(way.get("why") or "the engine does not say why")
            self.saying = f"{restore.WAY_WORDS.get(self.way, clean(self.way))}: {why}" if way else "no way is possible"
        elif self.point is None:
            self.saying = "there is nothing to go back to: no restore point is known"
        elif not self._fits(self.point):
            what = restore.short_disk(self.disk, self.name) if self.disk is not None else "the root disk"
            self.focus = POINTS
            self.saying = clean(self.point.get("problem") or f"this point does not have {what}: choose another")
        elif self.focus == WAYS:
            self.focus = POINTS
        else:
            self._plan(self.way, str(self.point.get("id") or ""), self.disk_id)

    def keys(self) -> Sequence[tuple[str, str]]:
        """What is possible now."""
        enter = "this way" if self.focus == WAYS else "plan it"
        found = [("enter", enter), ("j k", "choose"), ("tab", "points" if self.focus == WAYS else "ways")]
        if self.disk is not None and len(self.disks) > 1:
            found.append(("v", "other disk"))
        found += [("l", "console log"), ("d", "short" if self.details else "details")]
        return (*found, ("esc", "ways" if self.focus == POINTS else "no"))

    # Drawing

    def draw(self, cells: int, rows: int) -> Drawn:
        """Triage, ways, timeline with its points, what going back costs."""
        head = [self._title(cells), *self._triage(cells)]
        ways: list[Line] = [(self._way(number, cells), []) for number in range(len(self.ways))]
        if not ways:
            ways = [([(" no way back is known", "bad")], [])]
        foot = self._foot(cells)
        line, room = self._line(cells), max(MIN_POINTS, rows - len(head) - len(ways) - 1 - len(foot))
        points = self._points(cells, room)
        blank: list[Line] = [([], [])] * max(0, room - len(points))
        lines = [*head, *ways, line, *points, *blank, *foot]
        focus = len(head) + self.way_at
        if self.focus == POINTS:
            focus = len(head) + len(ways) + 1 + max(0, self.at - self.top)
        return Drawn(lines, focus)

    def _title(self, cells: int) -> Line:
        status = "gone" if self.machine.get("gone") else clean(self.machine.get("status") or "").lower()
        room = max(10, cells - min(16, len(status)) - 20)
        words = f"RESTORE {restore.machine_words(self.machine, room)}"
        return rule([(words, "strong")], cells, [(cut_end(status, 16), "muted")] if status else [])

    def _triage(self, cells: int) -> list[Line]:
        """What is against it, worst first; when nothing is, one line says so."""
        bad = [f for f in self.findings if f.get("level") != "ok"]
        bad.sort(key=lambda finding: finding.get("level") != "problem")
        shown = [*bad, *(f for f in self.findings if f.get("level") == "ok")] if self.details else bad
        lines: list[Line] = []
        if not bad and not (self.details and self.findings):
            lines.append(([(" ● ", "ok"), (cut_end(self._nothing(), cells - 4), "text")], []))
        for finding in shown:
            lines += self._finding(finding, cells)
        return [*lines, *self._past(cells)] if self.details else lines

    def _nothing(self) -> str:
        """That nothing is against it, with what was looked at first."""
        seen = clean(self.findings[0].get("text") or "") if self.findings else ""
        return "nothing is against a restore" + (f": {seen}" if seen else "")

    def _past(self, cells: int) -> list[Line]:
        """The last things that were done to the machine, with their errors, and the end of its console log."""
        lines: list[Line] = []
        now = datetime.now(UTC)
        for event in self.events[:MOST_EVENTS]:
            error = clean(event.get("error") or "")
            words = f"{restore.when(event.get('at'), now)}  {clean(event.get('action') or '')}  {error}".rstrip()
            lines.append(([(" ○ ", "muted"), (cut_end(words, cells - 4), "warn" if error else "text")], []))
        for text in self.console[-MOST_CONSOLE:]:
            lines.append(([(" │ ", "rule"), (cut_end(clean(text), cells - 4), "muted")], []))
        return lines

    def _finding(self, finding: Mapping[str, Any], cells: int) -> list[Line]:
        glyph, style = restore.LEVEL_GLYPHS.get(str(finding.get("level")), ("·", "text"))
        pieces = wrapped(clean(finding.get("text") or ""), cells - 4)[
            : 6 if self.details or finding.get("level") == "problem" else 2
        ]
        lines: list[Line] = []
        for number, piece in enumerate(pieces):
            mark = f" {glyph} " if number == 0 else "   "
            lines.append(([(mark, style), (piece, "text" if style == "ok" else style)], []))
        if finding.get("command"):
            command = clean(finding["command"])
            pieces = wrapped(command, cells - 6) if self.details else [cut_end(command, cells - 6)]
            lines += [([("   $ " if n == 0 else "     ", "muted"), (p, "accent")], []) for n, p in enumerate(pieces)]
        return lines

    def _way(self, number: int, cells: int) -> Parts:
        way = self.ways[number]
        name = str(way.get("way"))
        here, chosen = self.focus == WAYS and number == self.way_at, number == self.way_at
        possible = bool(way.get("possible"))
        style = "muted" if not possible else "strong" if chosen else "text"
        words = restore.WAY_WORDS.get(name, clean(way.get("title") or name))
        parts: Parts = [
            ("▸" if here else " ", "key"),
            (f"({'•' if chosen else ' '}) ", "key" if chosen else "muted"),
            (f"{number + 1} ", "muted" if not possible else "key"),
            (fit(words, 17), style),
        ]
        told = clean(way.get("title") or "") or restore.WAY_MEANING.get(name, "")
        meaning = restore.WAY_MEANING.get(name, told)
        said = meaning if possible else f"not possible: {clean(way.get('why') or 'the engine does not say why')}"
        if possible and way.get("first"):
            said = f"{clean(way.get('why') or '') or meaning}"
        room = cells - sum(width(text) for text, _ in parts) - 2
        parts.append((" " + cut_end(said, max(4, room)), "muted" if not chosen or not possible else "text"))
        return parts

    def _line(self, cells: int) -> Line:
        """The timeline, in the rule between ways and points."""
        if not self.points:
            return rule([("restore points", "muted")], cells)
        parts: Parts = [("── ", "rule"), *restore.timeline(self.points, self.at, max(10, cells - 4))]
        return parts, []

    def _points(self, cells: int, room: int) -> list[Line]:
        if not self.points:
            return [([(" no restore point: there is nothing to go back to", "bad")], [])]
        self.top = max(0, min(self.top, self.at, len(self.points) - room), self.at - room + 1)
        shown = range(self.top, min(len(self.points), self.top + room))
        return [(self._point(number, cells), []) for number in shown]

    def _point(self, number: int, cells: int) -> Parts:
        point = self.points[number]
        chosen = number == self.at
        fits = self._fits(point)
        kind = "BACKUP" if restore.is_backup(point) else clean(point.get("kind") or "")
        style = "muted" if not fits else "strong" if chosen else "text"
        old = restore.span(restore.whole(point.get("age_seconds")))
        parts: Parts = [
            ("▸" if chosen and self.focus == POINTS else " ", "key"),
            (f"{'◆' if chosen else '■' if restore.is_backup(point) else '●'} ", "key" if chosen else "muted"),
            (fit(restore.when(point.get("taken_at"), datetime.now(UTC)), 12), style),
            (fit(old, 7, right=True) + "  ", style),
            (fit(restore.made_by(point), 10), style),
            (" " + fit(kind, 9), "strong" if kind == "BACKUP" else style),
        ]
        disks = restore.disks_words(point, self.disks, self.name)
        said = clean(point.get("problem") or restore.own_words(point, self.disks, self.name))
        if fits:
            told = [restore.consistency_words(point), disks]
            said = ", ".join(part for part in (reversed(told) if point.get("missing") else told) if part)
        room = cells - sum(width(text) for text, _ in parts) - 2
        warn = fits and bool(point.get("missing"))
        parts.append((" " + cut_end(said, max(4, room)), "warn" if warn else style))
        return parts

    def _foot(self, cells: int) -> list[Line]:
        lines: list[Line] = [([("─" * cells, "rule")], [])]
        if self.disk is not None:
            name, more = restore.short_disk(self.disk, self.name), restore.disk_size(self.disk)
            parts: Parts = [(" disk ", "muted"), (cut_end(f"{name} {more}".strip(), max(10, cells // 2)), "strong")]
            if len(self.disks) > 1:
                parts += [("   ", "text"), ("v", "key"), (f" another of {len(self.disks)}", "muted")]
            lines.append((parts, []))
        words, style = restore.back_words(self.way, self.point, self.disks, self.disk_id, self.name)
        if self.machine.get("gone") and self.point is not None:
            old = restore.span(restore.whole(self.point.get("age_seconds")))
            words, style = f"LOST: what was written after this point, {old} ago, before it was deleted", "bad"
        way = self.ways[self.way_at] if self.ways else {}
        if way and not way.get("possible"):
            words, style = f"not possible: {clean(way.get('why') or 'the engine does not say why')}", "warn"
        if self.saying:
            words, style = clean(self.saying), "warn"
        lines += [([(" " + piece, style)], []) for piece in wrapped(words, cells - 2)[:2]]
        return lines


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []
