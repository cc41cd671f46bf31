"""The bar at the bottom for `:` and `/`: a text input with history and completion; printable keys are text in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input

from tui.table.cells import clean
from tui.widgets.lines import Lines

MOST_HISTORY = 50
MOST_TEXT = 1000


class _Text(Input):
    BINDINGS = [
        Binding("escape", "cancel_bar", show=False),
        Binding("tab", "complete", show=False),
        Binding("up", "recall(-1)", show=False),
        Binding("down", "recall(1)", show=False),
    ]

    def action_cancel_bar(self) -> None:
        self.post_message(Bar.Cancelled())

    def action_complete(self) -> None:
        self.post_message(Bar.Completed())

    def action_recall(self, step: int) -> None:
        self.post_message(Bar.Recalled(step))


class Bar(Horizontal):
    """Hidden until it is opened. Its messages say what was typed; what it means is not its business."""

    DEFAULT_CSS = """
    Bar { height: 1; width: 1fr; display: none; background: $background; }
    Bar.open { display: block; }
    Bar > Lines { width: 3; }
    Bar > Input, Bar > Input:focus {
        border: none; padding: 0; height: 1; width: 1fr; background: $background; color: $foreground;
        background-tint: transparent 0%;
    }
    """

    class Typed(Message):
        """The text changed."""

        def __init__(self, mode: str, text: str) -> None:
            super().__init__()
            self.mode, self.text = mode, text

    class Entered(Typed):
        """The text was entered."""

    class Cancelled(Message):
        """Escape was pressed."""

    class Completed(Message):
        """Tab was pressed."""

    class Recalled(Message):
        """Up or down was pressed."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.mode = ""
        self.prompt = Lines(id="prompt")
        self.input = _Text(max_length=MOST_TEXT, select_on_focus=False, compact=True)
        self.input.cursor_blink = False
        self._history: dict[str, list[str]] = {":": [], "/": []}
        self._recalled = 0
        self._choices: list[str] = []
        self._choice = -1

    def compose(self) -> ComposeResult:
        """Prompt and text."""
        yield self.prompt
        yield self.input

    @property
    def is_open(self) -> bool:
        """Whether people type into it."""
        return bool(self.mode)

    def open(self, mode: str, text: str = "") -> None:
        """Open with a prompt of one character and a text to start from."""
        self.mode = mode
        self.add_class("open")
        self.prompt.show(([(" " + mode + " ", "key")], ()))
        self._recalled, self._choice = 0, -1
        with self.input.prevent(Input.Changed):
            self.input.value = text
        self.input.cursor_position = len(text)
        self.input.focus()

    def close(self) -> None:
        """Hide it; the caller gives the focus to something else."""
        if self.mode and (text := self.input.value.strip()):
            history = self._history[self.mode]
            if text in history:
                history.remove(text)
            history.append(text)
            del history[:-MOST_HISTORY]
        self.mode = ""
        self.remove_class("open")

    def complete(self, choices: Callable[[str], Sequence[str]]) -> None:
        """Put the next completion of the last word in its place; `choices` gives whole texts for a text."""
        if self._choice < 0:
            self._choices = [self.input.value, *choices(self.input.value)]
            self._choice = 0
        if len(self._choices) > 1:
            self._choice = self._choice % (len(self._choices) - 1) + 1
            self._put(self._choices[self._choice], keep_choice=True)

    def _put(self, text: str, keep_choice: bool = False) -> None:
        choice = self._choice
        with self.input.prevent(Input.Changed):
            self.input.value = text
        self.input.cursor_position = len(text)
        self._choice = choice if keep_choice else -1
        self.post_message(self.Typed(self.mode, text))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Pasted texts may hold anything: only a clean line is passed on."""
        event.stop()
        self._choice = -1
        self._recalled = 0
        if self.mode:
            self.post_message(self.Typed(self.mode, clean(event.value)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        if self.mode:
            self.post_message(self.Entered(self.mode, clean(event.value).strip()))

    def on_bar_recalled(self, message: Recalled) -> None:
        """Step through what was entered before."""
        message.stop()
        history = self._history.get(self.mode, [])
        target = self._recalled + message.step
        if history and -len(history) <= target <= 0:
            self._put(history[target] if target < 0 else "")
            self._recalled = target
