"""Keys as the operator wants them: `keys.toml` in the folder of qdeck's configuration puts them in place of the usual
ones. What can't be used is refused with a sentence that names file and line; the rest works.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tui.actions import ACTIONS, PLACES, Action, key_named, reserved, symbol

NEEDED = ("command", "step_back", "close")  # without these nobody finds the way back
MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Keymap:
    """The actions with the keys in force. `file` is where the operator's own keys are looked for, `problems` what of
    it could not be used, `changed` the ids of the actions with keys of the operator's.
    """

    actions: tuple[Action, ...] = ACTIONS
    file: Path | None = None
    problems: tuple[str, ...] = ()
    changed: frozenset[str] = frozenset()

    def shown(self, id: str) -> str:
        """What is written on the first key of an action; its name for the command bar when it has none."""
        action = next(action for action in self.actions if action.id == id)
        return symbol(action.keys[0]) if action.keys else f":{id.replace('_', '-')}"

    @property
    def complaint(self) -> str:
        """What of the operator's own keys can't be used, in one line; "" when all can."""
        if not self.problems:
            return ""
        more = f" (+{len(self.problems) - 1} more)" if len(self.problems) > 1 else ""
        first = self.problems[0].removeprefix(f"{self.file.parent}/" if self.file else "")
        return f":keys shows what is not used: {first}{more}"


def file_of(env: Mapping[str, str]) -> Path | None:
    """Where a person's keys lie: `$XDG_CONFIG_HOME/qdeck/keys.toml`, else `~/.config/qdeck/keys.toml`."""
    config = env.get("XDG_CONFIG_HOME") or (str(Path(env["HOME"]) / ".config") if env.get("HOME") else "")
    return Path(config) / "qdeck" / "keys.toml" if config else None


def read(file: Path | None) -> Keymap:
    """The usual keys with those of a file in their place. Raises nothing: what is wrong is among `problems`."""
    if file is None or not file.exists():
        return Keymap(file=file)
    try:
        if file.stat().st_size > MOST_BYTES:
            return Keymap(file=file, problems=(f"{file}: is larger than 64 KB, so it holds no keys; it is not used",))
        text = file.read_text(encoding="utf-8")
        wanted = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        return Keymap(file=file, problems=(f"{file}: can't be read ({error}); the usual keys are used",))
    except tomllib.TOMLDecodeError as error:
        return Keymap(file=file, problems=(f"{file}: is no TOML ({error}); the usual keys are used",))
    return _Reading(file, text).keymap(wanted)


class _Reading:
    """One file on its way to a keymap."""

    def __init__(self, file: Path, text: str) -> None:
        self._file, self._lines = file, text.splitlines()
        self._problems: list[str] = []

    def keymap(self, wanted: Mapping[str, Any]) -> Keymap:
        usual = {action.id: action for action in ACTIONS}
        own: dict[str, tuple[str, ...]] = {}
        for name, value in wanted.items():
            id = name.replace("-", "_")
            if id not in usual:
                self._refuse(name, f"{name} is no action; :keys lists them")
            elif keys := self._keys(name, value):
                own[id] = keys
            elif value == [] and id not in NEEDED:
                own[id] = ()
            elif value == []:
                self._refuse(name, f"{name} needs a key: nobody would find the way back")
        own = self._without_clashes(own)
        actions = tuple(replace(a, keys=own[a.id]) if a.id in own else a for a in ACTIONS)
        return Keymap(actions, self._file, tuple(self._problems), frozenset(own))

    def _keys(self, name: str, value: Any) -> tuple[str, ...]:
        """The keys that an entry names; () when it can't be used, or names none."""
        words = [value] if isinstance(value, str) else value
        if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
            self._refuse(name, f"{name} is a key or a list of keys, for example {name} = 'w' or {name} = ['w', 'home']")
            return ()
        keys = []
        for word in words:
            key = key_named(word)
            if key is None:
                self._refuse(name, f"{word!r:.40} is no key; write the character, or a name like pgdn, home, del, up")
                return ()
            if reserved(key):
                self._refuse(name, f"{word} is taken by terminals, shells or tmux and can't be bound")
                return ()
            keys.append(key)
        return tuple(dict.fromkeys(keys))

    def _without_clashes(self, own: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """Leave out entries, the last of the file first, until no key means two things anywhere."""
        while True:
            actions = [replace(a, keys=own[a.id]) if a.id in own else a for a in ACTIONS]
            found = next(((a, b, key) for a, b, key, _ in overlaps(actions) if a.id in own or b.id in own), None)
            if found is None:
                return own
            first, second, key = found
            order = list(own)
            entry = max((a for a in (first, second) if a.id in own), key=lambda a: order.index(a.id))
            other = second if entry is first else first
            self._refuse(entry.id, f"{symbol(key)} means {other.id} ({other.title.split(':')[0]}) already")
            del own[entry.id]

    def _refuse(self, name: str, why: str) -> None:
        pattern = re.compile(rf"""\s*["']?{re.escape(name).replace("_", "[-_]")}["']?\s*[=.]""")
        line = next((number for number, text in enumerate(self._lines, 1) if pattern.match(text)), None)
        where = f" line {line}" if line else ""
        self._problems.append(f"{self._file}{where}: {why}; the usual key is used")


def together() -> list[tuple[str, ...]]:
    """The places whose keys work at the same time: those of each pane."""
    from tui.panes.make import pane_places  # here: panes look at keys too

    return [*pane_places(), *((place,) for place in PLACES)]


def overlaps(actions: Sequence[Action]) -> list[tuple[Action, Action, str, tuple[str, ...]]]:
    """Pairs of actions that want the same key where both would work: (earlier, later, key, places)."""
    found = []
    for places in together():
        taken: dict[str, Action] = {}
        for action in actions:
            for key in action.keys if action.works_in(places) else ():
                other = taken.setdefault(key, action)
                if other is not action:
                    found.append((other, action, key, places))
    return found
