"""Snapshots: the pages of the room, restore points of anything, snapshots taken and deleted through the gate, runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tui.state import OF_ONE, View
from tui.table.cells import clean

if TYPE_CHECKING:
    from store.types.actions import ActionDeclaration
    from tui.console import QuarterdeckApp
    from tui.targets import Targets

PAGES = ("policies", "compliance", "runs", "exclusions")
WITH_POINTS = ("volume", "server")


class Snapshots:
    """Mixed into the app."""

    # Pages of the room

    def action_snapshots(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The overview, of the clouds on screen."""
        self.open_view(View("protection", clouds=self.pane.view.clouds))

    def _open_page(self: QuarterdeckApp, kind: str) -> None:  # type: ignore[misc]
        """A page of the room; from one to the next nothing is piled up."""
        here = self.pane.view
        if here.kind != kind or here.filter:
            self.open_view(View(kind, clouds=here.clouds), instead=here.kind in PAGES and here.kind != kind)

    def action_policies(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self._open_page("policies")

    def action_kept_volumes(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self._open_page("compliance")

    def action_runs(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self._open_page("runs")

    def action_exclusions(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self._open_page("exclusions")

    def action_room_next(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self._beside(1)

    def action_room_previous(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self._beside(-1)

    def _beside(self: QuarterdeckApp, step: int) -> None:  # type: ignore[misc]
        kind = self.pane.view.kind
        at = PAGES.index(kind) if kind in PAGES else PAGES.index("runs")
        self._open_page(PAGES[(at + step) % len(PAGES)])

    def action_by_compliance(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """One status after the other alone, then all."""
        from dataclasses import replace

        from tui.snapshots import next_status

        view = self.pane.view
        self.change_view(replace(view, filter=next_status(view.filter)), keep_row=True)

    # Restore points, and why

    def _protected_here(self: QuarterdeckApp) -> tuple[str, tuple[str, ...], str] | None:  # type: ignore[misc]
        """(type, key, name) of the volume or machine under the cursor or on screen."""
        from tui.copying import subject_of

        own = getattr(self.pane, "volume_here", None)
        found = own(self.table.current) if own is not None else subject_of(self.pane, self.table.current)
        return found if found is not None and found[0] in WITH_POINTS else None

    def action_points(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The restore points of the volume or machine."""
        found = self._protected_here()
        if found is None:
            self.notice("only volumes and machines have restore points; none is under the cursor")
            return
        type, key, name = found
        if name:
            self.world.names[type, *key] = clean(name)
        self.open_view(View("points", type, subject=key, clouds=self.pane.view.clouds))

    def action_why(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Why the volume has its policies."""
        found = self._protected_here()
        if found is None or found[0] != "volume":
            self.notice("policies are given to volumes; m on one of this machine's volumes, then w")
            return
        if found[2]:
            self.world.names["volume", *found[1]] = clean(found[2])
        self.open_view(View("why", "volume", subject=found[1], clouds=self.pane.view.clouds))

    # Taking and deleting, through the gate

    def action_take_snapshot(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """A snapshot of the marked volumes or machines, or of the one under the cursor."""
        targets = self._to_take()
        if targets is None:
            self.notice("snapshots are taken of volumes and machines; none is under the cursor")
            return
        self._plan_for(f"{targets.type}.snapshot", targets)

    action_take_point = action_take_snapshot

    def _to_take(self: QuarterdeckApp) -> Targets | None:  # type: ignore[misc]
        view = self.pane.view
        if view.kind == "list" or view.kind in OF_ONE:
            targets = self.chosen() if view.kind != "tree" else self._one_target(self._protected_here())
            return targets if targets is not None and targets.type in WITH_POINTS else None
        keys = [key[:3] for key in sorted(self.table.marks.keys)] if view.kind == "compliance" else []
        if len(set(keys)) > 1:
            return self._targets("volume", list(dict.fromkeys(keys)))
        return self._one_target(self._protected_here())

    def _one_target(self: QuarterdeckApp, found: Any) -> Targets | None:  # type: ignore[misc]
        return None if found is None else self._targets(found[0], [found[1]], str(found[2]))

    def _targets(self: QuarterdeckApp, type: str, keys: list[tuple[str, ...]], name: str = "") -> Targets:  # type: ignore[misc]
        from tui.targets import Targets

        clouds = tuple(sorted({key[0] for key in keys}))
        return Targets(type, {"keys": [list(key) for key in keys]}, len(keys), clouds, name if len(keys) == 1 else "")

    def _plan_for(self: QuarterdeckApp, id: str, targets: Targets) -> None:  # type: ignore[misc]
        from store.types.actions import ACTIONS

        declaration: ActionDeclaration | None = ACTIONS.get(id)
        if self.table.marks.start is not None:
            self.notice("end the range with v first, esc forgets it")
        elif declaration is None:
            self.notice(f"this release can't do that to {targets.type}s")
        elif reason := self._against(declaration, targets):
            self.notice(f"{declaration.title}: {reason}")
        else:
            self.begin_action(declaration, targets)

    def action_delete_points(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The marked restore points, or the one under the cursor."""
        from tui.panes.snapshots_points import BACKUPS, MIXED, PointsPane

        pane, row, marks = self.pane, self.table.current, self.table.marks
        if not isinstance(pane, PointsPane):
            return
        keys = sorted(marks.keys) if marks.keys else [row.key] if row is not None and marks.of is None else []
        if marks.of is not None:
            keys = [key for key in pane.items if key not in marks.keys]
        if not keys:
            self.notice("no restore point is under the cursor")
            return
        kinds = {key[3] for key in keys}
        if "backup" in kinds or len(kinds) > 1:
            self.notice(BACKUPS if "backup" in kinds else MIXED)
            return
        type = kinds.pop()
        name = str(pane.items.get(keys[0], {}).get("name") or "")
        self._plan_for(f"{type}.delete", self._targets(type, [key[:3] for key in keys], name))

    # Runs

    def _run_here(self: QuarterdeckApp) -> dict[str, Any] | None:  # type: ignore[misc]
        find = getattr(self.pane, "run_here", None)
        run: dict[str, Any] | None = find(self.table.current) if find is not None else None
        if run is None:
            self.notice("no run is under the cursor")
        return run

    def action_cancel_run(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Begin no further snapshot, once that is confirmed."""
        from tui.panes.snapshots_runs import OPEN
        from tui.snapshots import RUN

        run = self._run_here()
        if run is None:
            return
        if run.get("status") not in OPEN:
            self.notice(f"run {run.get('id')} has ended")
            return

        async def cancel() -> None:
            await self.world.post(f"{RUN}/{quote(str(run['id']), safe='')}/cancel")
            self.notice(f"run {run.get('id')} begins no further snapshot; what is being made is finished")
            self._room_again()

        self._confirm(f"cancel run {run.get('id')}? what was made stays. y", cancel)

    def action_retry_run(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """What failed or was skipped, again: by the run's job."""
        from tui.api.errors import ApiError
        from tui.snapshots import job_of

        run = self._run_here()
        if run is None:
            return
        job = job_of(run)
        if not job or run.get("status") not in ("failed", "partial", "cancelled"):
            self.notice(f"run {run.get('id')}: nothing of it failed, or it still runs")
            return

        async def retry() -> None:
            try:
                answer = await self.world.post(f"/q/jobs/{quote(job, safe='')}/retry")
            except ApiError as error:
                if error.status != 409 or not str(error.detail).startswith("every step of job"):
                    raise
                # What was left out before the job began is no step of it.
                key = self.world.keymap.shown("run_policies")
                self.notice(f"run {run.get('id')}: no step of it failed; {key} makes what was left out")
                return
            self._job_again(answer)

        self._confirm(f"try what failed or was skipped in run {run.get('id')} again? y", retry)

    def action_open_job(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """The run's job, step by step."""
        from tui.snapshots import job_of

        run = self._run_here()
        if run is None:
            return
        if job := job_of(run):
            self.open_view(View("job", subject=(job,)))
        else:
            self.notice(f"run {run.get('id')} has no job: nothing was to be made")

    def _room_again(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        self.pane.expire()
        self.table.reload()
