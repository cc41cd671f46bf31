"""The generated pages are current, and links of the written ones lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]


def test_generated_pages_are_current() -> None:
    command = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert not [target for target in targets if not (page.parent / target).exists()]


def test_every_command_of_the_guides_exists() -> None:
    from typer.main import get_command

    from tui.cli.commands import app

    group = get_command(app)
    known = {
        *group.commands,
        *(f"{name} {sub}" for name, one in group.commands.items() for sub in getattr(one, "commands", ())),
    }
    for page in WRITTEN:
        if page.name == "copilot-questions.md":
            continue  # "qdeck user" is a phrase there, as questions say it
        for words in re.findall(r"`?qdeck (?:--demo )?([a-z]+(?: [a-z]+)?)", page.read_text(encoding="utf-8")):
            first = words.split()[0]
            assert first in known, f"{page.name}: qdeck {words}"
            if hasattr(group.commands[first], "commands") and " " in words:
                assert words in known, f"{page.name}: qdeck {words}"
