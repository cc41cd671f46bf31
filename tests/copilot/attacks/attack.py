"""The attacks: TOML files in this folder, and what is known of each."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

_MANY = re.compile(r"<<(\d+) x (.*?)>>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack.

    kind   what is done with it: a name in runners.KINDS
    text   what the model, a name or a server says; `<<20 x text>>` is written out
    says   part of what must be answered
    where  file and number, for the test's name
    """

    kind: str
    text: str
    says: str
    where: str


def attacks() -> list[Attack]:
    """All attacks of all files."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        for number, entry in enumerate(tomllib.loads(path.read_text())["attack"], 1):
            text = _MANY.sub(lambda many: many[2] * int(many[1]), entry["text"])
            found.append(Attack(entry["kind"], text, entry.get("says", ""), f"{path.stem}-{number}-{entry['kind']}"))
    return found
