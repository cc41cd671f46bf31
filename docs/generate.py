"""Writes the generated pages anew: `python docs/generate.py`; with `--check` it only says which ones are stale."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def settings() -> str:
    """docs/settings.md"""
    from engine.settings.reference import markdown

    return markdown()


def permissions() -> str:
    """docs/permissions.md"""
    from engine.access.reference import markdown

    return markdown()


def api() -> str:
    """docs/api.md, from the composed application."""
    from engine.api.reference import markdown
    from engine.app import create_app, open_engine
    from engine.process.control import Control
    from engine.process.models import Home
    from engine.process.status import Status

    with tempfile.TemporaryDirectory() as folder:
        parts = open_engine(Home.at(Path(folder)))
        try:
            return markdown(create_app(parts, Control(Status(home="", socket=""), lambda event: None)))
        finally:
            parts.close()


_KEYS_HEAD = """# Keys

<!-- Generated from tui/actions.py and docs/generate.py; a test keeps it current. -->

`?` shows the keys that work where you are. `:` finds every action by its name or title, too.

## Keys of your own

Write `~/.config/qdeck/keys.toml` (`$XDG_CONFIG_HOME/qdeck/keys.toml` where that is set). It is read when the console
starts. A line puts a key, or a list of keys, in place of the usual ones of an action; `[]` leaves it without a key:

```toml
sort = "z"
page_down = ["pgdn", "f5"]
"mark-all" = []
```

The names of the actions are in the tables below, and in `:keys`, which also shows which keys are yours and where the
file lies. A key is the character on it, or a name: `enter`, `esc`, `tab`, `space`, `del`, `home`, `end`, `pgup`,
`pgdn`, `up`, `down`, `left`, `right`, `shift up`, `shift down`, `shift tab`, `f2` to `f9`, `f12`.

What can't be used is refused with a sentence that names the file and the line, and the rest of the file works: a key
that means something else where both would work (swap two keys in one file and neither clashes), and keys that the
terminal, the shell or tmux take: `ctrl` and `alt` with anything, `~`, `f1`, `f10`, `f11`. `command`, `step_back` and
`close` keep at least one key.
"""


def keys() -> str:
    """docs/keys.md, from the registry of actions."""
    from tui.actions import ACTIONS, PLACES, symbol

    lines = [_KEYS_HEAD]
    for place, words in PLACES.items():
        rows = [action for action in ACTIONS if action.where[0] == place]
        if not rows:
            continue
        lines += [f"## {words[:1].upper()}{words[1:]}", "", "| key | does | action | also |", "|---|---|---|---|"]
        for action in rows:
            shown = " ".join(f"`{symbol(key)}`" for key in action.keys).replace("|", "\\|")
            also = ", ".join(PLACES[other] for other in action.where[1:])
            lines.append(f"| {shown} | {action.title} | `{action.id}` | {also} |")
        lines.append("")
    return "\n".join(lines)


def types() -> str:
    """docs/types.md, from the declarations."""
    from store.types import registry

    lines = [
        "# Resource types", "", "<!-- Generated from store/types; a test keeps it current. -->", "",
        "| type | list | aliases | read from | columns |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for kind in registry.ALL.values():
        columns = ", ".join(column.name for column in (*kind.columns, *kind.joined))
        source = f"{kind.listing.service} `{kind.listing.path}`"
        lines.append(f"| {kind.name} | {kind.plural} | {', '.join(kind.aliases)} | {source} | {columns} |")
    return "\n".join(lines) + "\n"


def drift() -> str:
    """docs/drift.md, from the rules and the tables of causes."""
    from engine.drift.reference import markdown

    return markdown()


def copilot_questions() -> str:
    """docs/copilot-questions.md, from the semantic model."""
    from copilot.model.reference import markdown

    return markdown()


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings,
    "permissions.md": permissions,
    "api.md": api,
    "keys.md": keys,
    "types.md": types,
    "drift.md": drift,
    "copilot-questions.md": copilot_questions,
}


def main() -> int:
    """Write or check every page."""
    check = "--check" in sys.argv[1:]
    stale = []
    for name, make in PAGES.items():
        path, page = ROOT / "docs" / name, make()
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            stale.append(name)
            if not check:
                path.write_text(page, encoding="utf-8")
    for name in stale:
        print(f"docs/{name} {'is stale: run make docs' if check else 'written'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
