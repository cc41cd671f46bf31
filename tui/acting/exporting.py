"""`E` and `:export`: what is shown, as a new file."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from tui.panes.resources import ResourcesPane
from tui.table.cells import clean

if TYPE_CHECKING:
    from tui.api.download import Sink
    from tui.console import QuarterdeckApp
    from tui.files import NewFile

TOLD_SECONDS = 0.5  # between words about an export that goes on


class Downloader(Protocol):
    """The part of the engine's client that an export needs."""

    async def download(
        self, path: str, json: Any, sink: Sink, told: Callable[[Mapping[str, str]], None]
    ) -> dict[str, str]: ...


class Progress:
    """A sink that counts what it passes on."""

    def __init__(self, file: NewFile) -> None:
        self._file = file
        self.rows = ""

    def told(self, headers: Mapping[str, str]) -> None:
        """The answer has begun: it says how many rows it will have."""
        rows = headers.get("x-qdeck-rows", "")
        self.rows = f"{int(rows):,} row{'' if rows == '1' else 's'}" if rows.isdigit() else "the rows"

    def write(self, data: bytes) -> None:
        """See Sink."""
        self._file.write(data)

    def words(self) -> str:
        """How far it is."""
        from tui.files import size_text

        if not self.rows:
            return "the engine reads the rows …"
        return f"{self.rows}: {size_text(self._file.size)} so far …"


class Exporting:
    """Mixed into the app."""

    exporting: bool = False

    def action_export(self: QuarterdeckApp) -> None:  # type: ignore[misc]
        """Ask where to; the ending of the name is the format."""
        from tui.exporting import endings
        from tui.files import file_name

        known = endings(self.pane)
        start = file_name(self._file_subject(), known[0], datetime.now())
        marked = self.table.marks.count if isinstance(self.pane, ResourcesPane) and self.table.marks else None
        prompt = f"export {marked:,} marked to" if marked else "save as"

        def others(path: str) -> list[str]:
            return [f"{path[: len(path) - len(Path(path).suffix)]}.{ending}" for ending in (*known[1:], known[0])]

        self.ask_line(prompt, self._export_to, start, others)
        if len(known) > 1:
            self.show_hint("", [f".{ending}" for ending in known])

    def command_export(self: QuarterdeckApp, argument: str) -> None:  # type: ignore[misc]
        """`:export csv PATH`; without a path a name is made."""
        from tui.exporting import endings
        from tui.files import file_name

        ending, _, path = argument.strip().partition(" ")
        known = endings(self.pane)
        if ending not in known:
            self.notice(f"this view can be saved as {', '.join(known)}")
            return
        path = path.strip() or file_name(self._file_subject(), ending, datetime.now())
        if problem := self._export(path, ending):
            self.notice(problem)

    def _file_subject(self: QuarterdeckApp) -> str:  # type: ignore[misc]
        pane, view = self.pane, self.pane.view
        if isinstance(pane, ResourcesPane):
            return pane.type.plural
        name = getattr(pane, "name", "") or (view.subject[-1] if view.subject else "")
        kind = "" if view.kind in ("raw", "detail") else view.kind
        return "-".join(str(part) for part in (view.type, kind, name) if part)

    def _export_to(self: QuarterdeckApp, path: str) -> str | None:  # type: ignore[misc]
        from tui.exporting import ending_of, endings

        path = path.strip()
        known = endings(self.pane)
        ending = ending_of(path, known)
        if not ending:
            return f"end the name with one of {' '.join('.' + one for one in known)}"
        return self._export(path, ending)

    def _export(self: QuarterdeckApp, path: str, ending: str) -> str | None:  # type: ignore[misc]
        """Begin to write; a sentence when that can't be."""
        from tui.exporting import request, text_of
        from tui.files import NewFile, SaveError, size_text

        if self.exporting:
            return "an export is being made; begin the next one when it has ended"
        file = NewFile(Path(path))
        pane = self.pane
        try:
            if isinstance(pane, ResourcesPane):
                if self.world.client is None or self.world.offline_since is not None:
                    return "no engine answers, and it makes the file; try again when it does"
                self._begin_export(file, request(pane, self.table.marks, ending))
                return None
            with file:
                file.write(text_of(pane, self.table.spec, ending).encode("utf-8", "replace"))
        except SaveError as error:
            return str(error)
        self.notice(f"saved {size_text(file.size)} in {clean(file.path)}")
        return None

    def _begin_export(self: QuarterdeckApp, file: NewFile, body: dict[str, Any]) -> None:  # type: ignore[misc]
        opened = contextlib.ExitStack()
        opened.enter_context(file)  # now, while the bar is open: a name that can't be used is said there
        self.exporting = True
        self.in_background(self._export_list(file, opened, body))

    async def _export_list(  # type: ignore[misc]
        self: QuarterdeckApp, file: NewFile, opened: contextlib.ExitStack, body: dict[str, Any]
    ) -> None:
        from tui.files import SaveError, size_text

        progress = Progress(file)
        client = cast(Downloader, self.world.client)
        teller = asyncio.create_task(self._tell_export(progress))
        try:
            with opened:
                await client.download("/q/exports", body, progress, progress.told)
        except SaveError as error:
            self.notice(str(error))
            return
        finally:
            teller.cancel()
            self.exporting = False
            self.end_notice()
        self.notice(f"saved {progress.rows}, {size_text(file.size)}, in {clean(file.path)}")

    async def _tell_export(self: QuarterdeckApp, progress: Progress) -> None:  # type: ignore[misc]
        while True:
            self.notice(f"exporting: {progress.words()}", lasting=True)
            await asyncio.sleep(TOLD_SECONDS)
