"""The metadata keys of volumes that snapshot policies are read from and written to, in every documented spelling. Pure.

Values are a tenant's text: what makes no sense is left out with a sentence, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.snapshots.models import (
    AUTO_SNAPSHOT,
    NO,
    OLD_POLICY,
    OLD_RETENTIONS,
    POLICIES,
    RETENTION,
    RETENTION_OF_ALL,
    YES,
    Held,
)
from engine.snapshots.policies.naming import MOST_KEPT, is_name

MOST_POLICIES = 20  # of one volume; a metadata value could name a hundred
LONGEST_VALUE = 255  # of Cinder


@dataclass(frozen=True, slots=True)
class Wish:
    """What a volume's metadata say.

    auto      True, False, or None when `auto_snapshot` is not there or is neither yes nor no
    policies  names, in order, without repeats
    keep      policy -> how many are kept; `keep_all` for policies that are not in it
    problems  sentences about what could not be read
    """

    auto: bool | None
    policies: tuple[str, ...]
    keep: Mapping[str, int]
    keep_all: int | None
    problems: tuple[str, ...] = ()


NOTHING = Wish(None, (), {}, None)
_PREFIXES = (*OLD_RETENTIONS, RETENTION)  # the later one wins
_WHOLE = frozenset({AUTO_SNAPSHOT, POLICIES, OLD_POLICY, *RETENTION_OF_ALL})


def relevant(metadata: Mapping[str, str]) -> dict[str, str]:
    """The entries that say anything about policies."""
    return {key: value for key, value in metadata.items() if key in _WHOLE or key.startswith(_PREFIXES)}


def read(entries: Mapping[str, str]) -> Wish:
    """What the (relevant) entries say."""
    problems: list[str] = []
    flag = entries.get(AUTO_SNAPSHOT, "").strip().lower()
    auto = True if flag in YES else False if flag in NO else None
    if auto is None and flag:
        problems.append(f"its metadata say {AUTO_SNAPSHOT}={flag[:20]!r}, which is neither yes nor no")
    names: dict[str, None] = {}
    for key in (POLICIES, OLD_POLICY):
        for name in (part.strip() for part in entries.get(key, "").split(",")):
            if is_name(name):
                names[name] = None
            elif name:
                problems.append(f"its metadata name {name[:40]!r}, which cannot be a policy")
    if len(names) > MOST_POLICIES:
        problems.append(f"its metadata name {len(names)} policies; the first {MOST_POLICIES} count")
    whole: int | None = None
    for key in reversed(RETENTION_OF_ALL):
        number = _number(key, entries.get(key), problems)
        whole = whole if number is None else number
    keep: dict[str, int] = {}
    for prefix in _PREFIXES:
        for key, value in entries.items():
            if key.startswith(prefix) and key not in RETENTION_OF_ALL:
                number = _number(key, value, problems)
                if number is not None:
                    keep[key.removeprefix(prefix)] = number
    return Wish(auto, tuple(names)[:MOST_POLICIES], keep, whole, tuple(problems))


def _number(key: str, value: str | None, problems: list[str]) -> int | None:
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdecimal() and len(text) <= 6 and 1 <= int(text) <= MOST_KEPT:
        return int(text)
    shown = "".join(character if character.isprintable() else "?" for character in key[:60])
    problems.append(f"its metadata say {shown}={text[:20]!r}, which is no number from 1 to {MOST_KEPT}")
    return None


def written(held: Iterable[Held]) -> dict[str, str]:
    """What is written to a volume that has these policies; {} for none. Policies whose names do not fit are left out
    (Cinder's values end at 255 characters)."""
    found: dict[str, str] = {}
    names: list[str] = []
    for one in held:
        if len(",".join([*names, one.policy])) > LONGEST_VALUE:
            break
        names.append(one.policy)
        found[RETENTION + one.policy] = str(one.keep)
    return {AUTO_SNAPSHOT: "true", POLICIES: ",".join(names), **found} if names else {}


def derived_from(entries: Mapping[str, str], wrote: Sequence[Mapping[str, str]]) -> Mapping[str, str] | None:
    """What we wrote that the (relevant) entries still say, whole; None when they are a person's: who changes one of
    them, takes one away or adds a policy speaks for himself from then on.

    wrote  what was written last and, while that is being changed, what it is changed to
    """
    if OLD_POLICY in entries:
        return None
    return next((one for one in wrote if one and all(entries.get(key) == value for key, value in one.items())), None)


def changes(
    entries: Mapping[str, str], wrote: Sequence[Mapping[str, str]], held: Iterable[Held]
) -> dict[str, str | None]:
    """What has to be written so that the volume's metadata say what was decided: key -> value, None to take it away.

    {} when they say so, and when they are a person's own: those are never written over.
    """
    if is_persons(entries, wrote):
        return {}
    wanted = written(held)
    found: dict[str, str | None] = {key: value for key, value in wanted.items() if entries.get(key) != value}
    ours = {key for block in wrote for key in block}
    return found | {key: None for key in sorted(ours) if key in entries and key not in wanted}


def is_persons(entries: Mapping[str, str], wrote: Sequence[Mapping[str, str]]) -> bool:
    """Whether a person's own word stands in the entries: yes or no, or a policy."""
    if derived_from(entries, wrote) is not None:
        return False
    return any(key in entries for key in (AUTO_SNAPSHOT, POLICIES, OLD_POLICY))
