"""Jobs and restores by number or machine: what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from copilot.answering.wording import clean, moment, span
from copilot.answers import Answer, Proposal
from copilot.grammar.frames import Piece
from copilot.query import Condition, Test, both
from copilot.topics.framing import by_whom, form_of, rows_of, when
from copilot.topics.listing import called, fetch, plural, shown, table
from copilot.topics.speech import Knows, Speech, knows, telling, words
from copilot.topics.topic import Asked, Topic
from store import times

_RESTORED = r"\brestored\b"
_RESTORE = r"\b(restores?|restoration|restoring|recovery|recoveries|restored)\b"
_WAS_RESTORED = (
    r"^(so |and )?(did|has|have|is|was|were|what|which|who|when|how many|list|show|restored|vms?|servers?|machines?)\b"
)
_RESTORED_WORDS = words(
    "being going will now anything something who when which ever been times often "
    "successfully successful vms servers machines by number"
)
_OUTCOME = (
    r"\b(work|worked|working|succeed|succeeded|fail|failed|finish|finished|complete|completed|done|ok|okay|"
    r"through|happened|become|became|over|ready|going|goes|well|successful|stand|status|progress|went|go)\b"
)
_KNOWN = knows(
    "restore restores restoration restoring recovery restored job work worked succeed succeeded fail failed finish "
    "finished complete completed done ok okay through happened happen become became over ready going goes well "
    "successful stand status progress went go last latest newest my did machine vm server far result outcome take "
    "took long run "
    "state background number no details yet info it wrong why who started submitted planned by error message reason "
    "ever",
    ("server", "project"),
)
_STATES = {"SUCCEEDED": "succeeded", "FAILED": "failed", "RUNNING": "is running", "PENDING": "is about to run",
           "PLANNED": "is planned, not begun", "CANCELED": "was cancelled",
           "INTERRUPTED": "was interrupted"}  # fmt: skip


def _job_number(asked: Asked) -> int | None:
    """The number behind "job"."""
    for one, other in zip(asked.items, asked.items[1:], strict=False):
        text = (one.said or one.text).lower()
        if text.split()[-1:] in (["job"], ["jobs"], ["number"], ["no"], ["nr"]) or other.text.startswith("#"):
            digits = other.text.strip("#?.")
            if digits.isdecimal() and len(digits) < 12:
                return int(digits)
        tail = text.rpartition(" ")[2]
        if text.startswith("job ") and tail.isdecimal():
            return int(tail)
    return None


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    if heard.has("job", "jobs") and _job_number(asked) is not None:
        return _known(asked).claim(asked)
    if heard.matches(_RESTORED) and heard.matches(_WAS_RESTORED):
        return _known(asked).claim(asked)
    if heard.matches(_RESTORE) and heard.matches(r"^(so |and )?(did|has|is|was|have|how|what)\b") and heard.matches(
        _OUTCOME
    ):  # fmt: skip
        plain = heard.has("restores", "many", "which", "all", "running", "any")
        return 0.0 if plain else _KNOWN.claim(asked)
    return 0.0


def _known(asked: Asked) -> Knows:
    if Speech.of(asked).matches(_RESTORED):
        return replace(_KNOWN, words=_KNOWN.words | _RESTORED_WORDS, periods=True,
                       types=_KNOWN.types | {"user", "console_user"})  # fmt: skip
    return Knows(_KNOWN.words | {str(_job_number(asked))}, _KNOWN.types, numbers=_job_number(asked) is not None)


def _answer(asked: Asked) -> Answer | None:
    number = _job_number(asked)
    if number is not None:
        return _job(asked, number)
    return _restored(asked) if Speech.of(asked).matches(_RESTORED) else _restore(asked)


def _job(asked: Asked, number: int) -> Answer:
    columns = (
        "number",
        "title",
        "state",
        "by",
        "detail",
        "done",
        "failed_count",
        "total",
        "created_at",
        "started_at",
        "ended_at",
    )
    result = fetch(asked, "job", Test("number", "=", (number,)), columns=columns)
    if not result.rows:
        return Answer("answer", f"None: no job {number} is known.", table=table(result), shown=shown(result))
    row = result.rows[0]
    steps = f", {row['done']} of {row['total']} steps done" if row["total"] else ""
    failed = f", {row['failed_count']} failed" if row["failed_count"] else ""
    ended = f", ended {moment(row['ended_at'], asked.context.now)}" if row["ended_at"] else ""
    by = f", submitted by {clean(str(row['by']))}" if row["by"] else ""
    detail = f" {clean(str(row['detail']), 200)}" if row["detail"] else ""
    text = f"Job {number} ({clean(str(row['title']))}) is {row['state']}{steps}{failed}{by}{ended}.{detail}"
    value: Any = row["state"]
    unit = ""
    if Speech.of(asked).matches(r"\bhow long\b"):
        value, unit, text = _took(number, row, text)
    if Speech.of(asked).matches(r"^(did|has|is|was)\b"):
        value = _held(Speech.of(asked), str(row["state"]).lower())
        text = text if value is None else f"{'Yes' if value else 'No'}: {text[0].lower()}{text[1:]}"
    return Answer(
        "answer",
        text,
        intent="jobs",
        value=value,
        unit=unit,
        table=table(result),
        shown=shown(result),
        proposals=(Proposal("pane", "open the jobs", name="jobs"),),
    )


def _took(number: int, row: Mapping[str, Any], text: str) -> tuple[float | None, str, str]:
    """How long a job took: (seconds, unit, sentence)."""
    began, ended = row["started_at"], row["ended_at"]
    if not began or not ended:
        return None, "", f"How long job {number} took is not known: its start or end is not recorded. {text}"
    seconds = (times.parse(ended) - times.parse(began)).total_seconds()
    return seconds, "seconds", f"Job {number} took {span(seconds)}. {text}"


def _restore(asked: Asked) -> Answer:
    where: list[Condition] = called(asked, "server_name", "server") + called(asked, "project_name", "project")
    result = fetch(asked, "restore", both(*where), limit=1)
    about = f" of {clean(asked.of_type('server')[0].name)}" if asked.of_type("server") else ""
    if not result.rows:
        return Answer("answer", f"None: no restore{about} is known.", intent="restore_job_status", value=None,
                      table=table(result), shown=shown(result))  # fmt: skip
    row = result.rows[0]
    value = _held(Speech.of(asked), str(row["status"]).lower())
    text = _told(row, asked)
    more = f" There are {plural(result.total, 'restore')} in all{about}." if result.total > 1 else ""
    lead = "" if value is None else "Yes: " if value else "No: "
    return Answer(
        "answer",
        f"{lead}{text}{more}",
        intent="restore_job_status",
        value=value if value is not None else row["status"],
        table=table(result),
        shown=shown(result),
        named=asked.of_type("server"),
        proposals=(Proposal("pane", "open the restores", name="restores"),),
    )


def _restored(asked: Asked) -> Answer | None:
    """ "was web-03 restored", "who restored it", "which machines were restored": those that went well."""
    heard = Speech.of(asked)
    pieces = [*by_whom("by", asked), *when("restore", asked.period)]
    for column, type in (("server_name", "server"), ("project_name", "project")):
        name = next((one.name for one in asked.of_type(type)), "")
        pieces += [Piece(f"scope:{type}", test, f"of {type} {name}") for test in called(asked, column, type)]
    states: tuple[str, ...] = ("SUCCEEDED",)
    said = "that succeeded"
    if heard.has("being"):
        states, said = ("RUNNING", "PENDING"), "running"
    elif heard.has("going", "will"):
        states, said = ("PLANNED", "PENDING", "RUNNING"), "planned or running"
    pieces.append(Piece("column:status", Test("status", "=", states), said))
    form = form_of(heard)
    asks_last = heard.has("last", "latest", "newest") or (heard.has("when", "who") and bool(asked.of_type("server")))
    made = rows_of("restore", pieces, asked, form=form, newest=form == "list" and asks_last)
    if made.table is not None and made.table.total == 1 and heard.has("who"):
        by = made.table.rows[0].get("by")
        made = replace(made, value=by, text=f"{clean(str(by))}: {made.text}")
    if made.table is None or made.table.total or form == "count":
        return made
    found = fetch(asked, "restore", both(*(piece.condition for piece in pieces[:-1])), limit=1)
    return replace(made, text=f"{made.text} {_told(found.rows[0], asked)}") if found.rows else made


def _told(row: Mapping[str, Any], asked: Asked) -> str:
    state = _STATES.get(str(row["status"]), f"is {row['status']}")
    detail = f" ({clean(str(row['detail']), 160)})" if row["detail"] else ""
    planned = f", planned {moment(row['created_at'], asked.context.now)}" if row["created_at"] else ""
    by = f" by {clean(str(row['by']))}" if row["by"] else ""
    return f"The newest restore, of {clean(str(row['server_name']))}{planned}{by}, {state}{detail}."


def _held(heard: Speech, state: str) -> bool | None:
    """Whether what was asked is so; None where it was not a yes-no question."""
    if not heard.matches(r"^(so |and )?(did|has|have|is|was)\b"):
        return None
    if heard.has("fail", "failed", "wrong"):
        return state in ("failed", "partial", "interrupted")
    if heard.has("over", "finished", "done", "finish", "complete", "completed", "ready", "through"):
        return state in ("succeeded", "done", "failed", "partial", "canceled", "cancelled") and not (
            heard.has("ready", "through", "complete", "completed") and state not in ("succeeded", "done")
        )
    if heard.has("running", "going", "progress"):
        return state in ("running", "pending")
    return state in ("succeeded", "done")


TOPIC = Topic("jobs", _claims, telling(_answer, _known))
