"""The line under the context: the state of the list, or, while it is open, a line of text for `:`, `/` or a question.

Opening it changes no layout, so it costs one line on the wire. Every printable key is text in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from tui.table.cells import clean, cut_end, width
from tui.table.paint import Part
from tui.widgets.lines import Lines

MOST_HISTORY = 50
MOST_TEXT = 1000
TYPED = 20  # cells that a text has at least where the screen has them
KEPT = (":", "/")  # whose lines are kept over sessions
MOST_KEPT, LONGEST_KEPT = 20, 200
_EDITING = frozenset(["escape", "enter", "tab", "up", "down", "left", "right", "home", "end", "backspace", "delete"])


class Owner(Protocol):
    """Who is told what was typed; at once, so that keys which come in one packet keep their order."""

    def bar_typed(self, mode: str, text: str) -> None: ...
    def bar_entered(self, mode: str, text: str) -> None: ...
    def bar_cancelled(self) -> None: ...
    def bar_completed(self) -> None: ...
    def bar_moved(self, mode: str, step: int) -> bool: ...


class Bar(Lines):
    """What is typed means nothing here: the owner is told."""

    def __init__(self, owner: Owner, *, id: str) -> None:
        super().__init__(id=id)
        self._owner = owner
        self.mode = ""
        self.value = ""
        self.cursor = 0
        self._state: tuple[Sequence[Part], Sequence[Part]] = ((), ())
        self._history: dict[str, list[str]] = {":": [], "/": []}
        self._recalled = 0
        self._choices: list[str] = []
        self._choice = -1

    @property
    def lines_kept(self) -> dict[str, list[str]]:
        """The latest lines of commands and filters, for the next session."""
        return {mode: [line[:LONGEST_KEPT] for line in self._history[mode][-MOST_KEPT:]] for mode in KEPT}

    def take_kept(self, lines: object) -> None:
        """Take up the lines of an earlier session; what can't be understood is left out."""
        for mode in KEPT:
            earlier = lines.get(mode) if isinstance(lines, dict) else None
            known = [clean(line)[:MOST_TEXT] for line in earlier or () if isinstance(line, str)]
            mine = self._history[mode]
            self._history[mode] = [*(line for line in known if line not in mine), *mine][-MOST_HISTORY:]

    def earlier(self, mode: str) -> list[str]:
        """Lines that were entered, the newest last."""
        return self._history.get(mode, [])

    @property
    def is_open(self) -> bool:
        """Whether people type into it."""
        return bool(self.mode)

    def show_state(self, left: Sequence[Part], right: Sequence[Part]) -> None:
        """What the line says while nobody types; the right part is there in any case."""
        self._state = (left, right)
        self._refresh_line()

    def open(self, mode: str, text: str = "") -> None:
        """Open with a prompt (":", "/" or a question) and a text to start from."""
        self.mode, self.value, self.cursor = mode, text, len(text)
        self._recalled, self._choice = 0, -1
        self._refresh_line()

    def close(self) -> None:
        """Show the state again."""
        text = self.value.strip()
        if self.mode and text:
            history = self._history.setdefault(self.mode, [])
            if text in history:
                history.remove(text)
            history.append(text)
            del history[:-MOST_HISTORY]
        self.mode = ""
        self._refresh_line()

    def complete(self, choices: Callable[[str], Sequence[str]]) -> None:
        """Put the next completion of the last word in its place; `choices` gives whole texts for a text."""
        if self._choice < 0:
            self._choices = [self.value, *choices(self.value)]
            self._choice = 0
        if len(self._choices) > 1:
            choice = self._choice % (len(self._choices) - 1) + 1
            self.put(self._choices[choice])
            self._choice = choice

    def put(self, text: str) -> None:
        """Replace the whole text."""
        self._edit(clean(text)[:MOST_TEXT], len(text))

    def _edit(self, text: str, cursor: int) -> None:
        self.value, self.cursor = text, min(max(0, cursor), len(text))
        self._choice = -1
        self._refresh_line()
        self._owner.bar_typed(self.mode, text)

    def _refresh_line(self) -> None:
        left, right = self._state
        if not self.mode:
            self.show((left, right))
            return
        prompt = self.mode if len(self.mode) == 1 else self.mode.rstrip(": ") + ": "
        cells = self.size.width - 2
        beside = sum(width(text) for text, _ in right)
        if width(prompt) + TYPED + beside > cells:
            right, beside = (), 0  # what is typed comes first
        prompt = cut_end(prompt, max(1, cells - min(TYPED, cells // 2)))
        room = max(4, cells - beside - width(prompt))
        start = 0  # the cursor is always in sight
        while width(self.value[start : self.cursor]) >= room:
            start += 1
        at = self.value[self.cursor : self.cursor + 1] or " "
        typed: list[Part] = [
            (" " + prompt, "key"),
            (self.value[start : self.cursor], "strong"),
            (at, "input"),
            (self.value[self.cursor + 1 :], "strong"),
        ]
        self.show((typed, right))

    # Keys

    def take_key(self, key: str, character: str | None) -> bool:
        """Edit the text; False for a key that isn't text and edits nothing."""
        if key in _EDITING:
            getattr(self, f"_key_{key}")()
            return True
        if character is not None and character.isprintable():
            self._insert(character)
            return True
        return False

    def take_paste(self, text: str) -> None:
        """Pasted texts may hold anything: one clean line of them is taken."""
        self._insert(clean(text.strip()))

    def _insert(self, text: str) -> None:
        if len(self.value) + len(text) <= MOST_TEXT:
            text = clean(text)
            self._edit(self.value[: self.cursor] + text + self.value[self.cursor :], self.cursor + len(text))

    def _key_escape(self) -> None:
        self._owner.bar_cancelled()

    def _key_enter(self) -> None:
        self._owner.bar_entered(self.mode, self.value.strip())

    def _key_tab(self) -> None:
        self._owner.bar_completed()

    def _key_backspace(self) -> None:
        if self.cursor:
            self._edit(self.value[: self.cursor - 1] + self.value[self.cursor :], self.cursor - 1)

    def _key_delete(self) -> None:
        if self.cursor < len(self.value):
            self._edit(self.value[: self.cursor] + self.value[self.cursor + 1 :], self.cursor)

    def _move(self, cursor: int) -> None:
        self.cursor = min(max(0, cursor), len(self.value))
        self._refresh_line()

    def _key_left(self) -> None:
        self._move(self.cursor - 1)

    def _key_right(self) -> None:
        self._move(self.cursor + 1)

    def _key_home(self) -> None:
        self._move(0)

    def _key_end(self) -> None:
        self._move(len(self.value))

    def _key_up(self) -> None:
        if not self._owner.bar_moved(self.mode, -1):
            self._recall(-1)

    def _key_down(self) -> None:
        if self._recalled or not self._owner.bar_moved(self.mode, 1):
            self._recall(1)

    def _recall(self, step: int) -> None:
        history = self._history.get(self.mode, [])
        target = self._recalled + step
        if history and -len(history) <= target <= 0:
            self.put(history[target] if target < 0 else "")
            self._recalled = target
