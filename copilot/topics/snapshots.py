"""Snapshots and backups in sum: how many, how large, the newest, what has none."""

from __future__ import annotations

from copilot.answering import wording
from copilot.answers import Answer, Proposal
from copilot.execution.run import run
from copilot.query import Condition, Measure, Query, Test, both
from copilot.topics.listing import called, count, fetch, plural, shown, table
from copilot.topics.speech import Speech, knows, telling
from copilot.topics.topic import Asked, Topic

_KNOWN = knows(
    "snapshot snapshots overview summary summarize summarise report status statistics stats situation volume cloud "
    "overall current state total",
    ("project", "cloud"),
)
_SUMMARY = ("overview", "summary", "summarize", "summarise", "report", "status", "statistics", "stats", "situation")


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    if not heard.has("snapshot", "snapshots") or not heard.has(*_SUMMARY) or _KNOWN.beyond(asked):
        return 0.0
    return _KNOWN.claim(asked)


def _answer(asked: Asked) -> Answer | None:
    where: list[Condition] = called(asked, "project_name", "project") + called(asked, "cloud", "cloud")
    newest = fetch(asked, "snapshot", both(*where), order=(("created_at", True),), limit=10)
    size = run(Query("snapshot", both(*where), Measure("sum", "size_gb")), asked.sources, asked.context.now).value
    failed = count(asked, "snapshot", both(*where, Test("status", "starts", ("error",))))
    volumes = count(asked, "volume", both(*where))
    covered = count(asked, "volume", both(*where, Test("snapshot_count", ">", (0,))))
    text = f"There are {plural(newest.total, 'snapshot')}, {wording.measured(size or 0, 'GB')} in all"
    text += f", {failed:,} of them in error." if failed else "."
    text += f" {covered:,} of {plural(volumes, 'volume')} have one."
    made = newest.rows[0].get("created_at") if newest.rows else None
    if made:
        name = wording.clean(str(newest.rows[0]["name"]))
        text += f" The newest is {name}, {wording.moment(made, asked.context.now)}."
    return Answer(
        "answer",
        text,
        intent="snapshot_summary",
        value=newest.total,
        table=table(newest),
        shown=shown(newest),
        data_at=asked.sources.data_at(("snapshot", "volume")),
        proposals=(Proposal("pane", "open the protection", name="protection"),),
    )


TOPIC = Topic("snapshot_summary", _claims, telling(_answer, _KNOWN))
