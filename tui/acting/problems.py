"""Problems: their keys, and a line and the bell on every page when a critical one is new."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tui import deadlines
from tui.api.errors import ApiError
from tui.early import PATH
from tui.state import View
from tui.table.cells import clean
from tui.times import TimeError

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp
    from tui.problems import Problem

MOST_WATCHED = 500  # critical ones; with more open at once another one is no news
_MUTE_HELP = "write how long: 2h, 18:00, tomorrow 9:00, then why if you like; off takes the mute back"
WORDS_FOR = {"on": True, "off": False}


class Problems:
    """Mixed into the app."""

    bell_on: bool = True
    _rung: set[tuple[str, str]] | None = None  # (id, first seen) of critical ones that are known; None = nobody asked

    def action_problems(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """All of them, of the clouds on screen."""
        self.open_view(View("problems", clouds=self.pane.view.clouds))

    def open_in_problems(self: QuarterdeckApp, row: Any) -> None:  # type: ignore[misc]
        """What is broken; a sentence where that is nothing that can be opened."""
        view = self.pane.enter(row)
        if view is None:
            self.notice("this is about the console itself; the lines below say all there is to it")
        else:
            self.open_view(view)

    def _problem_here(self: QuarterdeckApp) -> Problem | None:  # type: ignore[misc]
        find = getattr(self.pane, "problem_here", None)
        found: Problem | None = find(self.table.current) if find is not None else None
        if found is None:
            self.notice("no problem is under the cursor")
        return found

    def action_take_problem(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Say that one has it; again: that nobody has it any more."""
        problem = self._problem_here()
        if problem is not None:
            self.in_background(self._take_problem(problem))

    async def _take_problem(self: QuarterdeckApp, problem: Problem) -> None:  # type: ignore[misc]
        path = f"{PATH}/{quote(str(problem['id']))}/take"
        if problem.get("mine"):
            await self.world.delete(path)
            self.notice("nobody has it any more")
        else:
            before = f", no longer {clean(problem['owner'])}" if problem.get("owner") else ""
            await self.world.post(path)
            self.notice(f"you have it{before}: everybody sees that")
        self._problems_again()

    def action_mute_problem(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Quiet until a time, and why."""
        problem = self._problem_here()
        if problem is None:
            return

        def take(text: str) -> str | None:
            words = text.strip()
            if words.lower() in ("off", "no"):
                self.in_background(self._send_unmute(problem))
                return None
            found = until_and_reason(words)
            if isinstance(found, str):
                return found
            self.in_background(self._send_mute(problem, *found))
            return None

        self.ask_line(f"mute {clean(problem.get('title') or '')[:30]} for: ", take)
        self.explain(_MUTE_HELP)

    async def _send_mute(self: QuarterdeckApp, problem: Problem, until: datetime, reason: str) -> None:  # type: ignore[misc]
        at = until.astimezone(UTC).isoformat().replace("+00:00", "Z")
        await self.world.post(f"{PATH}/{quote(str(problem['id']))}/mute", json={"until": at, "reason": reason})
        self.notice(f"muted until {until.astimezone():%a %H:%M}: no bell, no line, not counted")
        self._problems_again()

    async def _send_unmute(self: QuarterdeckApp, problem: Problem) -> None:  # type: ignore[misc]
        await self.world.delete(f"{PATH}/{quote(str(problem['id']))}/mute")
        self.notice("no longer muted")
        self._problems_again()

    def _problems_again(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.pane.expire()
        self.table.reload()

    # What is told everywhere

    async def learn_problems(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Ask for the critical ones; one that is new is told on every page, and rings."""
        try:
            answer = await self.world.get(PATH, {"severity": "critical", "muted": False, "limit": MOST_WATCHED})
        except ApiError as error:
            if error.status not in (403, 404):  # a role that may not see them, an engine that doesn't know them yet
                raise
            return
        self.take_problems(answer)

    def take_problems(self: QuarterdeckApp, answer: Any) -> None:  # type: ignore[misc]
        """What is critical now. The same one is told once; at the start it is no news."""
        items = [item for item in answer.get("items") or () if isinstance(item, dict)]
        self.world.problem_counts = dict(answer.get("counts") or {})
        marks = {(str(item.get("id")), str(item.get("first_seen"))): item for item in items}
        known, self._rung = self._rung, (self._rung or set()) | set(marks)
        if self.world.problem_alert[0] not in {id for id, _ in marks}:
            self.world.problem_alert = ("", "")
        fresh = [item for mark, item in marks.items() if mark not in known] if known is not None else []
        if fresh and self.pane.view.kind not in ("problems", "dashboard"):
            more = f" (+{len(fresh) - 1} more)" if len(fresh) > 1 else ""
            words = f"✖ {clean(fresh[0].get('title') or '')}{more}; {self.world.keymap.shown('home')} shows it"
            self.world.problem_alert = (str(fresh[0].get("id")), words)
        if fresh:
            self.remember_said("; ".join(f"new problem: {clean(item.get('title') or '')}" for item in fresh[:5]))
            if self.bell_on and os.environ.get("QDECK_BELL") != "off":
                self.bell()
        self.show_lines()

    def problems_seen(self: QuarterdeckApp, view: View) -> None:  # type: ignore[misc]
        """Somebody looks at them: what was told is read."""
        if view.kind in ("problems", "dashboard"):
            self.world.problem_alert = ("", "")

    def command_bell(self: QuarterdeckApp, argument: str) -> None:  # type: ignore[misc]
        """`:bell off`: a new critical problem is only shown. Kept for the next start."""
        word = argument.strip().lower()
        if word in WORDS_FOR:
            self.bell_on = WORDS_FOR[word]
            self.save_soon()
        self.notice(f"a new critical problem {'rings' if self.bell_on else 'does not ring'}; :bell on, :bell off")


def until_and_reason(words: str) -> tuple[datetime, str] | str:
    """(until, reason) of what was typed: the longest beginning that is a time, and the rest. Else a sentence."""
    now = datetime.now().astimezone()
    parts = words.split()
    for count in (3, 2, 1):
        if count <= len(parts):
            try:
                return deadlines.parse(" ".join(parts[:count]), now), " ".join(parts[count:])
            except TimeError as error:
                if count == 1:
                    return str(error)
    return _MUTE_HELP
