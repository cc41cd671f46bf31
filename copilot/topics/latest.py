"""The last job, restore, run, action: how it ended, why, who began it and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from copilot.answering.wording import clean, moment
from copilot.answers import Answer, Proposal
from copilot.model.registry import entity
from copilot.query import Condition, both
from copilot.topics.framing import by_whom, with_people
from copilot.topics.listing import called, fetch, shown, table
from copilot.topics.speech import Speech, knows
from copilot.topics.topic import Asked, Topic

_NEWEST = r"\b(last|latest|newest|most recent)\b"
# The list, and its columns of who and how it ended, and the pane that shows it.
_LISTS = (
    (r"\b((snapshot|backup|policy) (run|job)|run)\b", "snapshot_run", "triggered_by", "status", "runs"),
    (r"\b(restore|recovery|restoration)\b", "restore", "by", "status", "restores"),
    (r"\b(job|task)\b", "job", "by", "state", "jobs"),
    (r"\b(action|operation)\b", "audit_record", "actor", "outcome", "audit"),
)
_WELL = ("succeed", "succeeded", "success", "successful", "work", "worked", "well", "ok", "okay", "fine", "through",
         "complete", "completed", "done", "finish", "finished")  # fmt: skip
_BADLY = ("fail", "failed", "failing", "wrong", "broken", "error", "unsuccessful", "break")
_RUNNING = ("running", "progress", "going")
_ASKS = r"^(so |and )?(did|was|has|is|how|what|why|who|when|status|state|result|outcome|error|reason)\b"
_KNOWN = knows(
    "last latest newest most recent run job restore recovery restoration task action operation snapshot backup policy "
    "background succeed succeeded success successful work worked well ok okay fine through complete completed done "
    "finish finished fail failed failing wrong broken error unsuccessful break running progress going go went status "
    "state result outcome reason message detail why who when how end ended started start submitted planned triggered "
    "made ran run begin began did was has of by nightly one 's",
    ("user", "console_user", "server", "project"),
)


def _which(heard: Speech) -> tuple[str, str, str, str, str] | None:
    return next((one for one in _LISTS if heard.matches(one[0])), None)


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    if not (heard.matches(_NEWEST) and heard.matches(_ASKS)) or _which(heard) is None or heard.has("many", "much"):
        return 0.0
    if not heard.has(*_WELL, *_BADLY, *_RUNNING, "status", "state", "result", "outcome", "who", "why", "end", "go"):
        return 0.0  # "when was the last job": a query of the list
    return _KNOWN.claim(asked)


def _answer(asked: Asked) -> Answer | None:
    heard = Speech.of(asked)
    found = _which(heard)
    if found is None:
        return None
    _, name, person, state, pane = found
    asked = with_people(asked, name, person)
    one = entity(name)
    where: list[Condition] = [piece.condition for piece in by_whom(person, asked)]
    for type, column in (("server", "server_name"), ("project", "project_name")):
        if asked.of_type(type):
            if column not in one.attributes:
                return None
            where += called(asked, column, type)
    if heard.matches(rf"{_NEWEST} (failed|broken)") or heard.has("why", "error", "reason", "message"):
        failed = next(state.condition for state in one.states if "failed" in state.words)
        where.append(failed)
    result = fetch(asked, name, both(*where), order=((one.born, True),), limit=1)
    about = f" by {clean(asked.of_type('user', 'console_user')[0].name)}" if by_whom(person, asked) else ""
    if not result.rows:
        said = "failed " if "why" in heard.words else ""
        return Answer("answer", f"None: there is no {said}{one.singular}{about}.", table=table(result),
                      shown=shown(result))  # fmt: skip
    row = result.rows[0]
    value = _value(heard, row, person, state)
    lead = "" if not isinstance(value, bool) else "Yes: " if value else "No: "
    return Answer(
        "answer",
        f"{lead}{_told(one.singular, about, row, person, state, one.born, asked)}",
        value=value,
        table=table(result),
        shown=shown(result),
        data_at=asked.sources.data_at((name,)),
        unknown=_KNOWN.beyond(asked),
        proposals=(Proposal("pane", f"open the {pane}", name=pane),),
    )


def _value(heard: Speech, row: Mapping[str, Any], person: str, state: str) -> Any:
    ended = str(row.get(state)).lower()
    if heard.matches(r"^(so |and )?(did|was|has|is)\b"):
        if heard.has(*_BADLY):
            return ended in ("failed", "partial", "interrupted", "refused")
        if heard.has(*_RUNNING):
            return ended in ("running", "pending")
        return ended in ("succeeded", "completed", "done", "ok")
    if "who" in heard.words:
        return row.get(person)
    return row.get("detail") if "why" in heard.words else row.get(state)


def _told(singular: str, about: str, row: Mapping[str, Any], person: str, state: str, born: str, asked: Asked) -> str:
    name = row.get("title") or row.get("server_name") or row.get("action") or row.get("id")
    by = f" by {clean(str(row[person]))}" if row.get(person) and not about else ""
    why = f": {clean(str(row['detail']), 160)}" if row.get("detail") else ""
    at = f", {moment(row[born], asked.context.now)}" if row.get(born) else ""
    return f"the last {singular}{about} ({clean(str(name))}{at}{by}) is {str(row.get(state)).lower()}{why}."


TOPIC = Topic("jobs", _claims, _answer)
