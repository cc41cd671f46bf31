"""Snapshot policies by name: what they keep, when they run, what is under them; and their runs without the noun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from copilot.answering.wording import clean
from copilot.answers import Answer, Proposal
from copilot.grammar.answering import framed
from copilot.grammar.frames import Frame, Piece
from copilot.model.registry import entity
from copilot.query import Condition, Test, both
from copilot.topics.framing import form_of, rows_of, when
from copilot.topics.listing import called, fetch, shown, table
from copilot.topics.speech import Knows, Speech, knows
from copilot.topics.topic import Asked, Topic

# Column of a policy, by what is asked.
_ASKED = (
    (r"\b(keep|keeps|kept|retention|retain|retains)\b", "keep"),
    (r"\b(next)\b", "next_at"),
    (r"\b(schedule|scheduled|how often|when|interval)\b", "schedule"),
    (r"\b(enabled|active|on|running|in force)\b", "enabled"),
    (r"\b(disabled|inactive|off|paused|switched off)\b", "enabled"),
    (r"\b(made|created|by whom|wrote|set up|defined)\b", "made_by"),
    (r"\b(method)\b", "method"),
    (r"\b(window)\b", "window_hours"),
)
_VOLUMES = ("volume", "volumes", "disk", "disks")
_WORDS = knows(
    "policy policies snapshot snapshots backup backups retention keep keeps kept retain retains point points restore "
    "next schedule scheduled often when interval enabled active inactive disabled off paused running force run runs "
    "made created whom wrote set up defined who method window volume volumes disk disks under covered by governed "
    "assigned using use uses cover covers apply applies have has belong hold protected number count copies long does",
    ("volume", "project"),
    periods=True,
)
_RUN = (
    r"\b(last|latest|newest|failed|partial|completed|successful|unsuccessful|running|recent|previous|nightly|all|many|"
    r"which|any|the|list|show|snapshot|policy|backup) runs?\b|^runs\b|\bruns? (failed|completed|succeeded|<time>)|"
    r"\bruns of\b"
)
_FAILED = r"^(how many|number of) snapshots (failed|did the (snapshot )?polic(y|ies) (make|take|create))\b"
_RUN_KNOWN = knows(
    "run runs last latest newest failed fail partial completed complete successful unsuccessful succeeded running "
    "recent previous nightly snapshot snapshots policy policies backup volume volumes made make taken created create "
    "take failed ended done incomplete skipped removed deleted number count happened did do in",
    (),
    periods=True,
)
_STATES = {"failed": ("failed", "partial"), "fail": ("failed", "partial"), "unsuccessful": ("failed", "partial"),
           "partial": ("partial",), "incomplete": ("partial",), "completed": ("completed",), "complete": ("completed",),
           "successful": ("completed",), "succeeded": ("completed",), "running": ("running",)}  # fmt: skip


def _policy(asked: Asked) -> str:
    """The name of a policy that stands in the question; "" for none."""
    strange = {item.text.casefold(): item for item in asked.items if not item.named and not item.entities}
    if not any("_" in text or "-" in text or item.senses is None for text, item in strange.items()):
        return ""
    if not asked.sources.may("snapshot_policy"):
        return ""
    names = {str(row["name"]).casefold(): str(row["name"]) for row in asked.sources.rows("snapshot_policy")}
    return next((names[text] for text in strange if text in names), "")


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    if heard.matches(_RUN) and not asked.parse.groups and not heard.matches(r"\b(what|which \S+|who|vms?) runs on\b"):
        sure = _counts_snapshots(heard) or bool(_policy(asked)) or heard.matches(r"^when\b.*\blast run\b")
        return _run_known(asked).claim(asked, 1.0 if sure else 0.99)
    if heard.matches(_FAILED):
        return _run_known(asked).claim(asked)
    if _without(heard) or _of_volume(asked, heard):
        return replace(_WORDS, words=_WORDS.words | {"without", "no", "not", "to"}).claim(asked)
    if not any(item.senses is None and not item.named and item.period is None for item in asked.items):
        return 0.0
    if not _WORDS.words & (heard.words - {"is", "what"}):
        return 0.0
    return _known(asked).claim(asked) if _policy(asked) else 0.0


def _counts_snapshots(heard: Speech) -> bool:
    return heard.has("snapshots", "volumes") and heard.matches(r"\b(how many|number of)\b")


def _without(heard: Speech) -> bool:
    """ "volumes without a policy"."""
    lacks = r"\b(without|no|not under|not covered by|not assigned to)( a| any| the)?( snapshot| backup)? polic(y|ies)\b"
    return heard.has(*_VOLUMES) and heard.matches(lacks)


def _of_volume(asked: Asked, heard: Speech) -> bool:
    """ "which policy does db-01-data1 have"."""
    return bool(asked.of_type("volume")) and heard.has("policy", "policies", "snapshot policy", "snapshot policies")


def _known(asked: Asked) -> Knows:
    return Knows(_WORDS.words | {_policy(asked).casefold()}, _WORDS.types, periods=True)


def _run_known(asked: Asked) -> Knows:
    return Knows(_RUN_KNOWN.words | {_policy(asked).casefold()}, frozenset(), periods=True)


def _answer(asked: Asked) -> Answer | None:
    heard, name = Speech.of(asked), _policy(asked)
    if heard.matches(_RUN) or heard.matches(_FAILED):
        return _runs(asked, heard, name)
    if _without(heard) and not name:
        return _volumes(asked, heard, Test("status", "=", ("no_policy",)), "without a snapshot policy")
    if _of_volume(asked, heard) and not name:
        return _policy_of(asked)
    if heard.has(*_VOLUMES) and not heard.has("keep", "keeps", "made", "created"):
        return _volumes(asked, heard, Test("policies", "=", (name,)), f"under policy {clean(name)}")
    return _one(asked, heard, name)


def _volumes(asked: Asked, heard: Speech, test: Condition, said: str) -> Answer:
    scope = called(asked, "project_name", "project")
    pieces = [Piece("policy", both(test, *scope), said)]
    return rows_of("compliance", pieces, asked, form=form_of(heard))


def _policy_of(asked: Asked) -> Answer:
    result = fetch(asked, "compliance", both(*called(asked, "volume_name", "volume")))
    parts = []
    for row in result.rows[:5]:
        policies = ", ".join(map(clean, row.get("policies") or [])) or clean(str(row.get("policy") or ""))
        parts.append(f"{clean(str(row['volume_name']))}: {policies or 'no snapshot policy'}")
    value = result.rows[0].get("policy") if len(result.rows) == 1 else None
    text = f"{'; '.join(parts)}." if parts else "Nothing is known of the snapshot policy of this volume."
    return Answer("answer", text, value=value, table=table(result), shown=shown(result),
                  named=asked.of_type("volume"))  # fmt: skip


def _one(asked: Asked, heard: Speech, name: str) -> Answer | None:
    column = next((own for pattern, own in _ASKED if heard.matches(pattern)), "")
    columns = ("name", "schedule", "keep", "enabled", "volumes", "next_at", "made_by", "method", "window_hours")
    result = fetch(asked, "snapshot_policy", Test("name", "=", (name,)), columns=columns)
    if not result.rows:
        return None
    row = result.rows[0]
    value = row.get(column) if column else None
    text = _told(row)
    if column == "enabled" and heard.matches(r"^(so |and )?(is|are|was)\b"):
        value = bool(row["enabled"]) != heard.has("disabled", "inactive", "off", "paused")
        text = f"{'Yes' if value else 'No'}: {text}"
    return Answer(
        "answer",
        text,
        value=value,
        table=table(result),
        shown=shown(result),
        unknown=_known(asked).beyond(asked),
        proposals=(Proposal("pane", "open the snapshot policies", name="policies"),),
    )


def _told(row: Mapping[str, Any]) -> str:
    state = "is enabled" if row.get("enabled") else "is disabled"
    when_ = f", schedule {clean(str(row['schedule']))}" if row.get("schedule") else ""
    keep = f", keeps {row['keep']} points" if row.get("keep") is not None else ""
    by = f", made by {clean(str(row['made_by']))}" if row.get("made_by") else ""
    volumes = f", {row['volumes']} volumes" if row.get("volumes") is not None else ""
    return f"policy {clean(str(row['name']))} {state}{when_}{keep}{volumes}{by}."


def _runs(asked: Asked, heard: Speech, name: str) -> Answer | None:
    pieces = list(when("snapshot_run", asked.period))
    if name:
        pieces.append(Piece("policy", Test("policies", "=", (name,)), f"of policy {clean(name)}"))
    newest = heard.matches(r"\b(last|latest|newest|most recent) (\S+ )?run\b")
    if _counts_snapshots(heard):
        return _made(asked, heard, pieces, newest)
    if heard.has("all", "every") and form_of(heard) == "yes_no":
        return _all_went(asked, heard, pieces)
    for word, states in _STATES.items():
        if word in heard.words:
            pieces.append(Piece("column:status", Test("status", "=", states), word))
            break
    return rows_of("snapshot_run", pieces, asked, form=form_of(heard), newest=newest, confidence=0.99)


def _all_went(asked: Asked, heard: Speech, pieces: list[Piece]) -> Answer | None:
    """ "were all runs successful"."""
    states = next((states for word, states in _STATES.items() if word in heard.words), None)
    if states is None:
        return None
    predicate = (Piece("column:status", Test("status", "=", states), " or ".join(states)),)
    return framed(Frame("snapshot_run", "every", tuple(pieces), predicate), 0.99, asked)


def _made(asked: Asked, heard: Speech, pieces: list[Piece], newest: bool) -> Answer | None:
    """ "how many snapshots were made in the last run"."""
    column = "failed_count" if heard.has("failed", "fail") else "total_volumes" if heard.has("volumes") else "created"
    order = ((entity("snapshot_run").born, True),)
    result = fetch(asked, "snapshot_run", both(*(piece.condition for piece in pieces)), order=order,
                   limit=1 if newest else None)  # fmt: skip
    if not result.rows:
        return Answer("answer", "None: there was no such snapshot run.", value=0, table=table(result))
    value = sum(int(row.get(column) or 0) for row in result.rows)
    what = {"failed_count": "failed snapshots", "created": "snapshots made", "total_volumes": "volumes"}[column]
    runs = f"the last run ({result.rows[0].get('status')})" if newest else f"{len(result.rows)} runs"
    return Answer("answer", f"{value:,} {what} in {runs}.", value=value, table=table(result), shown=shown(result))


TOPIC = Topic("snapshot_policies", _claims, _answer)
