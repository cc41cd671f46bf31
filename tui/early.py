"""Asking a running engine for the first screen while Textual is being imported: the wait for both is one wait.

Nothing here may fail loudly or start an engine: what could not be read early is read later, in the ordinary way.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.cli.options import GlobalOptions

ROWS = 100  # more than most screens; the table asks for the rest
MARGIN = 40  # rows before the one the cursor was left on
SECONDS = 2.0  # for each answer


@dataclass(frozen=True, slots=True)
class Early:
    """What was read from the engine while the console was loading. `window` is (body, answer)."""

    session: Any = None
    window: tuple[Any, Any] | None = None
    clouds: Any = None


class EarlyReader(threading.Thread):
    """Reads the view the operator left, its first rows and the clouds, from an engine that already runs."""

    def __init__(self, options: GlobalOptions, view: str) -> None:
        super().__init__(name="early", daemon=True)
        self._options, self._view = options, view
        self._found = Early()

    def result(self, seconds: float) -> Early:
        """What was found within so many more seconds."""
        self.join(seconds)
        return self._found if not self.is_alive() else Early()

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
            body = _window_body(self._view, session)
            window = None if body is None else (body, ask("POST", "/q/windows", body))
            return Early(session or {}, window, ask("GET", "/q/clouds"))
        finally:
            connection.close()


def _window_body(text: str, session: Any) -> dict[str, Any] | None:
    """What the first view will ask for; None when it is no list of resources."""
    from tui.state import DEFAULT, History, spec_of, view_of_text

    view = view_of_text(text, DEFAULT) if text else History.from_json(session).current
    if view.kind != "list":
        return None
    anchor: Any = {"key": list(view.cursor)} if view.cursor else "start"
    return spec_of(view).body() | {"anchor": anchor, "before": MARGIN if view.cursor else 0, "after": ROWS}
