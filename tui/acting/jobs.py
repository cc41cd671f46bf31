"""Jobs: their pane and view, what can be asked of them, and a word on every page when one of mine ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tui.state import View
from tui.table.cells import clean

if TYPE_CHECKING:
    from tui.console import QuarterdeckApp

MOST_ASKED = 50  # newest jobs that are looked at when one changed


class Jobs:
    """Mixed into the app."""

    def action_jobs(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """All jobs."""
        self.open_view(View("jobs"))

    def action_cancel_job(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Begin no further step, once that is confirmed."""
        job = self._job_here("cancel", "it has ended, or is being cancelled already")
        if job is None:
            return

        async def cancel() -> None:
            answer = await self.world.post(f"/q/jobs/{quote(str(job['id']))}/cancel")
            self.notice(f"job {job.get('number')} begins no further step; what runs is finished")
            self._job_again(answer)

        self._confirm(f"cancel job {job.get('number')}? what is done stays done. y", cancel)

    def action_retry_job(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """What failed or was skipped again, as a new job, once that is confirmed."""
        job = self._job_here("retry", "nothing of it failed, or it still runs")
        if job is None:
            return
        left = int(job.get("total") or 0) - int(job.get("done") or 0)

        async def retry() -> None:
            answer = await self.world.post(f"/q/jobs/{quote(str(job['id']))}/retry")
            self._job_again(answer)
            if isinstance(answer, dict) and answer.get("id"):
                self.open_view(View("job", subject=(str(answer["id"]),)))

        words = "the one that is not done" if left == 1 else f"the {left:,} that are not done"
        self._confirm(f"try {words} again, as a new job? y", retry)

    def _job_here(self: QuarterdeckApp, ability: str, otherwise: str) -> dict[str, Any] | None:  # type: ignore[misc]
        """The job that is meant, if that can be asked of it."""
        find = getattr(self.pane, "job_here", None)
        job: dict[str, Any] | None = find(self.table.current) if find is not None else None
        if job is None:
            return None
        if ability not in (job.get("can") or ()):
            self.notice(f"job {job.get('number')}: {otherwise}")
            return None
        return job

    def _job_again(self: QuarterdeckApp, answer: Any) -> None:  # type: ignore[misc]
        if isinstance(answer, dict):
            self.take_job(answer)
        self.pane.expire()
        self.table.reload()

    def action_open_machine(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The resource of the step under the cursor."""
        row = self.table.current
        view = self.pane.enter(row) if row is not None else None
        if view is not None:
            self.open_view(view)
        else:
            self.notice("this line is about no resource")

    # What is told everywhere

    async def learn_me(self: QuarterdeckApp) -> bool:  # type: ignore[misc]
        """Ask once who the engine takes us for; True when that is new."""
        if self.world.me:
            return False
        answer = await self.world.get("/q/whoami")
        self.world.me = answer if isinstance(answer, dict) else {}
        return bool(self.world.me)

    async def learn_jobs(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """One changed: which of mine run, and which have ended since."""
        await self.learn_me()
        answer = await self.world.get("/q/jobs", {"page_size": MOST_ASKED, "by": self.world.me.get("name")})
        for job in reversed(answer.get("items") or []):
            if isinstance(job, dict):
                self.take_job(job)
        self.show_lines()

    def take_job(self: QuarterdeckApp, job: dict[str, Any]) -> None:  # type: ignore[misc]
        """Remember a job of mine; one that ended while we looked on is told."""
        from tui.panes.jobs import OPEN, job_words

        id, state = str(job.get("id")), str(job.get("state"))
        before = self.world.jobs.get(id)
        self.world.jobs[id] = job
        while len(self.world.jobs) > 4 * MOST_ASKED:
            self.world.jobs.pop(next(iter(self.world.jobs)))
        ended = before is not None and before.get("state") in OPEN and state not in OPEN
        if not ended or (self.pane.view.kind in ("job", "restore") and self.pane.view.subject == (id,)):
            return
        words = job_words(job)
        if state == "done":
            self.notice(f"✔ {words}")
        else:
            self.world.job_alert = (id, f"✖ {words}; 7 shows it")
        self.show_lines()

    def job_seen(self: QuarterdeckApp, view: View) -> None:  # type: ignore[misc]
        """Somebody looks at the jobs: what was told of one is read."""
        of_one = view.kind in ("job", "restore") and self.world.job_alert[0] in view.subject
        if view.kind in ("jobs", "restores") or of_one:
            self.world.job_alert = ("", "")

    def command_job(self: QuarterdeckApp, argument: str) -> None:  # type: ignore[misc]
        """`:job 118`."""
        if argument.strip():
            self.open_view(View("job", subject=(clean(argument.strip())[:64],)))
        else:
            self.action_jobs()
