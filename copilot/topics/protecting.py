"""Whether a machine or volume is protected: its snapshots, backups and restore points, over all its volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from copilot.answering.wording import clean, listed, moment
from copilot.answers import Answer, Named, Proposal
from copilot.execution.result import Result
from copilot.query import AnyOf, Condition, Test
from copilot.sources import NotAllowed
from copilot.topics.listing import fetch, plural, shown, table
from copilot.topics.speech import Speech, knows, telling
from copilot.topics.topic import Asked, Topic

_PROTECTED = r"\b(protected|backed up|covered|safe|secured|unprotected|snapshotted|backupped|recoverable|protection|" \
             r"restorable|rpo|backup status|coverage|backed-up)\b"  # fmt: skip
_HAS = r"^(so |and )?(does|do|has|have|is there|are there|can i|can we|could i|could we) .*" \
       r"\b(backups?|snapshots?|restore points?|recovery points?|copy|copies|restore|recover)\b"  # fmt: skip
_LAST = r"\b(last|latest|newest|recently)\b.*\b(backed up|snapshotted|protected|covered)\b"
_PARTS = r"\b(which|what) (volumes?|disks?)\b.*\b(not|un|un?protected|without|missing)\b|\bhow many volumes\b"
_THINGS = ("server", "volume")
_KNOWN = knows(
    "protected backed up covered safe secured unprotected snapshotted recoverable protection restorable rpo backup "
    "backups status coverage snapshot snapshots restore point points recovery recover copy copies last latest newest "
    "recently time when volumes volume disks disk not fully completely partly how well whole one it still policy under "
    "against loss data lost backed-up all of machine vm server properly have no any level date ago been",
    _THINGS,
)
_COLUMNS = ("name", "size_gb", "status", "protected", "last_snapshot_at", "snapshot_count", "last_backup_at",
            "backup_count", "server_name")  # fmt: skip


def _claims(asked: Asked) -> float:
    if not asked.of_type(*_THINGS):
        return 0.0
    heard = Speech.of(asked)
    sure = heard.matches(_PROTECTED) or heard.matches(_LAST)
    if heard.matches(_PARTS):
        return 0.0  # a list of volumes, which is one query
    if sure or heard.matches(_HAS):
        return _KNOWN.claim(asked, 1.0 if sure else 0.97)
    return 0.0


def _answer(asked: Asked) -> Answer | None:
    things = list(dict.fromkeys(asked.of_type(*_THINGS)))[:10]
    result = fetch(asked, "volume", AnyOf(tuple(_volumes(one) for one in things)), columns=_COLUMNS)
    heard = Speech.of(asked)
    if result.total == 0:
        return _without_volumes(things, heard)
    rows = result.rows
    kept = [row for row in rows if row["protected"]]
    name = listed([clean(one.name) for one in things], len(things))
    text, value = _told(name, rows, kept, heard, asked)
    policies = _policies(asked, result)
    return Answer(
        "answer",
        text + policies,
        intent="backup_status",
        value=value,
        table=table(result),
        shown=shown(result),
        data_at=asked.sources.data_at(("volume", "snapshot", "backup")),
        named=tuple(things),
        proposals=(Proposal("pane", f"restore points of {clean(things[0].name)}", name="points", type=things[0].type,
                            keys=(things[0].key,)),),
    )  # fmt: skip


def _volumes(one: Named) -> Condition:
    return Test("id", "=", (one.key[2],)) if one.type == "volume" else Test("server_ids", "=", (one.key[2],))


def _without_volumes(things: Sequence[Named], heard: Speech) -> Answer | None:
    if any(one.type == "volume" for one in things):
        return None
    name = listed([clean(one.name) for one in things], len(things))
    value = heard.has("unprotected") or heard.matches(r"\bnot (protected|backed up|covered|safe)\b")
    text = f"{'Yes' if value else 'No'}: {name} has no volumes, so nothing of it has snapshots or backups."
    return Answer("answer", text, intent="backup_status", value=bool(value), named=tuple(things))


def _told(name: str, rows: Sequence[Mapping[str, Any]], kept: Sequence[Mapping[str, Any]], heard: Speech,
          asked: Asked) -> tuple[str, Any]:  # fmt: skip
    newest = max((at for row in kept for at in (row["last_snapshot_at"], row["last_backup_at"]) if at), default=None)
    ago = f", the newest copy was made {moment(newest, asked.context.now)}" if newest else ""
    asks_when = heard.matches(r"\b(when|last|latest|newest|how old|how long ago)\b")
    negated = heard.has("unprotected") or heard.matches(r"\bnot (protected|backed up|covered|safe)\b")
    whole = len(rows)
    volumes = "its only volume has" if whole == 1 else f"all {whole} volumes have"
    if len(rows) == 1 and str(rows[0]["name"]) == name:
        volumes = "it has"
    if not kept:
        have = {"its only volume has": "its only volume has neither", "it has": "it has neither"}.get(
            volumes, f"none of its {whole} volumes has"
        )
        copies = "snapshots nor backups" if have.endswith("neither") else "a snapshot or backup"
        return (
            f"{'Yes' if negated else 'No'}: {name} is not protected, {have} {copies}.",
            None if asks_when else negated,
        )
    if len(kept) == whole:
        lead = "" if asks_when else ("No: " if negated else "Yes: ")
        text = f"{lead}{name} is protected, {volumes} snapshots or backups{ago}."
        return text, newest if asks_when else not negated
    missing = [clean(str(row["name"])) for row in rows if not row["protected"]]
    text = f"Partly: {len(kept)} of {plural(whole, 'volume')} of {name} have snapshots or backups{ago}."
    return f"{text} Not covered: {listed(missing, len(missing))}.", newest if asks_when else False


def _policies(asked: Asked, result: Result) -> str:
    """What the snapshot policies say of these volumes; "" where none does or the asker may not read it."""
    ids = tuple(key[2] for _, key in result.keys)
    if not ids or not asked.sources.may("compliance"):
        return ""
    try:
        found = fetch(asked, "compliance", Test("resource_id", "=", ids), columns=("volume_name", "policy", "status"))
    except NotAllowed:
        return ""
    governed = [row for row in found.rows if row["policy"]]
    if not governed:
        return " No snapshot policy covers it."
    late = [clean(str(row["volume_name"])) for row in governed if row["status"] in ("missing", "quota_blocked")]
    names = sorted({clean(str(row["policy"])) for row in governed})
    said = f" Under policy {listed(names, len(names))}"
    return f"{said}; late: {listed(late, len(late))}." if late else f"{said}."


TOPIC = Topic("backup_status", _claims, telling(_answer, _KNOWN))
