"""Asking a running engine for the first screen while Textual is being imported: the wait for both is one wait.

Nothing here may fail loudly or start an engine: what could not be read early is read later, in the ordinary way.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.cli.options import GlobalOptions
    from tui.state import View

PATH = "/q/problems"
PROBLEMS = {"muted": True, "limit": 100}  # what the dashboard asks for first
ROWS = 100  # more than most screens; the table asks for the rest
MARGIN = 40  # rows before the one the cursor was left on
SECONDS = 2.0  # for each answer


@dataclass(frozen=True, slots=True)
class Early:
    """What was read from the engine while the console was loading. `view` is what it was read for, `window` is
    (body, answer); `answers` those of GET: path -> (parameters, answer).
    """

    view: View | None = None
    session: Any = None
    window: tuple[Any, Any] | None = None
    clouds: Any = None
    answers: dict[str, tuple[Any, Any]] = field(default_factory=dict)


class EarlyReader(threading.Thread):
    """Reads the view the operator left, its first rows and the clouds, from an engine that already runs."""

    def __init__(self, options: GlobalOptions, view: str) -> None:
        super().__init__(name="early", daemon=True)
        self._options, self._view = options, view
        self._found = Early()

    def wait(self, seconds: float) -> Early | None:
        """What was found if that takes no longer than so many seconds, else None."""
        self.join(seconds)
        return None if self.is_alive() else self._found

    def result(self, seconds: float) -> Early:
        """What was found within so many more seconds."""
        return self.wait(seconds) or Early()

    def run(self) -> None:
        """Read; whatever goes wrong, the console finds out by itself and says it better."""
        try:
            self._found = self._read()
        except Exception:
            return

    def _read(self) -> Early:
        from tui.api.http import Reader, check_protocol, request
        from tui.api.target import find
        from tui.api.transport import Connection

        target = find(self._options)
        if target.socket is None:
            return Early()
        connection = Connection(target)

        def ask(method: str, path: str, body: Any = None) -> Any:
            data = request(method, path, host=target.host, json_body=body)
            answer = connection.exchange(data, Reader(), SECONDS)
            check_protocol(answer, path)
            return answer.value()

        try:
            session = None if self._view else ask("GET", "/q/session-view")
            view = _first_view(self._view, session)
            body = window_body(view)
            window = None if body is None else (body, ask("POST", "/q/windows", body))
            clouds, answers = ask("GET", "/q/clouds"), {}
            if view.kind == "dashboard" and not view.clouds:
                asked = "&".join(f"{name}={str(value).lower()}" for name, value in PROBLEMS.items())
                answers[PATH] = (PROBLEMS, ask("GET", f"{PATH}?{asked}"))
            return Early(view, session or {}, window, clouds, answers)
        finally:
            connection.close()


def _first_view(text: str, session: Any) -> View:
    """What the console will open with."""
    from tui.state import DEFAULT, HOME, History, left_long_ago, view_of_text

    if text:
        return view_of_text(text, DEFAULT)
    history = History.from_json(session)
    return history.current if history.views and not left_long_ago(session, datetime.now(UTC)) else HOME


def window_body(view: View) -> dict[str, Any] | None:
    """What the first view will ask for; None when it is no list of resources."""
    from tui.state import spec_of

    if view.kind != "list":
        return None
    anchor: Any = {"key": list(view.cursor)} if view.cursor else "start"
    return spec_of(view).body() | {"anchor": anchor, "before": MARGIN if view.cursor else 0, "after": ROWS}
