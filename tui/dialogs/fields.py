"""Fields of forms and plans: what is typed or chosen, checked while that happens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from store.types.actions import Option
from tui.panes.pane import Parts
from tui.table.cells import clean, fit, width
from tui.widgets.editing import LineEdit


class Field:
    """One field. `touched`: somebody was in it, so what is wrong with it is said.

    changed  called with the field when its value changed
    """

    def __init__(self, option: Option) -> None:
        self.option = option
        self.touched = False
        self.changed: Callable[[Field], None] = lambda field: None

    @property
    def name(self) -> str:
        """The option's name."""
        return self.option.name

    def value(self) -> Any:
        """The value as the API takes it; None when there is none."""
        raise NotImplementedError

    def problem(self) -> str:
        """What is wrong with it, as the end of a sentence; "" when nothing is."""
        return self.option.problem(self.value()) or ""

    def fill(self, text: str) -> None:
        """Offer a value that somebody else wrote; what can't be one is left out."""

    def going_well(self) -> bool:
        """Whether it only is not finished yet: what is wrong need not be said while somebody types."""
        return False

    def take_key(self, key: str, character: str | None) -> bool:
        """Edit; False for a key that means nothing here."""
        return False

    def take_paste(self, text: str) -> str:
        """Take a pasted text; a sentence when it is refused."""
        return ""

    def parts(self, cells: int, focused: bool) -> Parts:
        """The value in so many cells."""
        raise NotImplementedError

    def below(self, cells: int) -> list[Parts]:
        """Lines under the field while it has the focus."""
        return []


class TextField(Field):
    """One line of text; also numbers, and lists with commas between."""

    def __init__(self, option: Option, start: str = "") -> None:
        super().__init__(option)
        text = start or ("" if option.default is None else str(option.default))
        self.edit = LineEdit(clean(text))

    def fill(self, text: str) -> None:
        """As if it were typed."""
        self.edit.put(text.strip())

    @property
    def text(self) -> str:
        """What is typed, without blanks around it."""
        return self.edit.value.strip()

    def value(self) -> Any:
        """Text, number or list."""
        text = self.text
        if not text:
            return None
        if self.option.kind == "number":
            digits = text.removeprefix("-")
            return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 19 else text
        if self.option.kind == "list":
            return [word.strip() for word in text.split(",") if word.strip()]
        return text

    def take_key(self, key: str, character: str | None) -> bool:
        """Edit the text. A digit takes the place of a number that was offered: appended it would be another one."""
        before = self.edit.value
        if self.option.kind == "number" and not self.touched and character is not None and character.isdigit():
            self.edit.put("")
        taken = self.edit.take_key(key, character)
        if self.edit.value != before:
            self.touched = True
            self.changed(self)
        return taken

    def take_paste(self, text: str) -> str:
        """One clean line of it."""
        self.edit.insert(text.strip())
        self.touched = True
        self.changed(self)
        return ""

    def parts(self, cells: int, focused: bool) -> Parts:
        """The text between brackets, the cursor in it."""
        room = max(1, cells - 2)
        if not focused:
            return [("[", "muted"), (fit(self.edit.value, room), "strong"), ("]", "muted")]
        before, at, after = self.edit.shown(room)
        rest = fit(after, room - width(before) - width(at))
        return [("[", "key"), (before, "strong"), (at, "input"), (rest, "strong"), ("]", "key")]


class ChoiceField(Field):
    """One of a few words: left and right go through them, a letter goes to the next that begins with it."""

    def __init__(
        self, option: Option, choices: Sequence[tuple[Any, str]], start: Any = None, *, optional: bool = False
    ) -> None:
        super().__init__(option)
        self.choices = [*([(None, "-")] if optional else []), *choices]
        values = [value for value, _ in self.choices]
        wanted = start if start is not None else option.default
        self.at = values.index(wanted) if wanted in values else 0

    def value(self) -> Any:
        """The chosen value."""
        return self.choices[self.at][0] if self.choices else None

    def fill(self, text: str) -> None:
        """The choice of that name."""
        words = text.strip().lower()
        found = [n for n, (value, word) in enumerate(self.choices) if words in (str(value).lower(), word.lower())]
        self.at = found[0] if found else self.at

    def take_key(self, key: str, character: str | None) -> bool:
        """Go to another choice."""
        count = len(self.choices)
        if not count:
            return False
        step = {"left": -1, "right": 1, "space": 1, "backspace": -1}.get(key)
        if step is not None:
            self._go((self.at + step) % count)
            return True
        if character is not None and character.isprintable():
            ahead = [(self.at + n) % count for n in range(1, count + 1)]
            found = [n for n in ahead if self.choices[n][1].lower().startswith(character.lower())]
            if found:
                self._go(found[0])
            return True
        return False

    def _go(self, at: int) -> None:
        self.at, self.touched = at, True
        self.changed(self)

    def parts(self, cells: int, focused: bool) -> Parts:
        """All choices side by side where there is room, else the chosen one between arrows."""
        words = [clean(word) for _, word in self.choices]
        if sum(len(word) + 5 for word in words) <= cells:
            parts: Parts = []
            for number, word in enumerate(words):
                chosen = number == self.at
                style = "key" if chosen and focused else "strong" if chosen else "muted"
                parts += [(f"({'•' if chosen else ' '}) {word}", style), (" ", "text")]
            return parts
        word = fit(words[self.at] if words else "", max(1, cells - 4))
        return [("< ", "key" if focused else "muted"), (word, "strong"), (" >", "key" if focused else "muted")]


class PhraseField(TextField):
    """A phrase that must be typed, letter by letter, before something is done. Never filled in, never pasted."""

    def __init__(self, option: Option, phrase: str) -> None:
        super().__init__(option)
        self.phrase = phrase

    def problem(self) -> str:
        """Whether it is typed whole."""
        return (
            "" if self.text == self.phrase else "is not typed yet" if not self.text else "is not the phrase asked for"
        )

    def going_well(self) -> bool:
        """The beginning of the phrase."""
        return bool(self.text) and self.phrase.startswith(self.text)

    def fill(self, text: str) -> None:
        """Never."""

    def take_paste(self, text: str) -> str:
        """Refused."""
        return "type it: what is pasted was not read"


def field_of(option: Option, start: Any = None) -> Field:
    """The field for an option of an action, except for resources (see completion.py); `start` is its first value."""
    if option.kind == "bool":
        default = option.default if start is None else start
        return ChoiceField(option, ((True, "yes"), (False, "no")), bool(default))
    if option.kind == "choice":
        words = [(choice, choice) for choice in option.choices]
        return ChoiceField(option, words, start, optional=not option.required and option.default is None)
    return TextField(option, "" if start is None else str(start))
