"""A question that the built-in copilot is not sure of, asked of the configured model: everything put together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from copilot.answers import Answer, Context, Field, Table, Usage
from copilot.backends import prompts
from copilot.backends.base import Cancel, Config, Limits, Redactor
from copilot.backends.connection import open_backend
from copilot.backends.conversation import Budget, Conversation, Reply, Watching
from copilot.backends.outlet import Sent, outlet_for
from copilot.backends.results import Found
from copilot.backends.tools import Hands, Toolbox
from copilot.backends.verification import Facts
from copilot.sources import Sources
from store.types import actions, registry
from store.types.actions import ActionDeclaration

if TYPE_CHECKING:
    from copilot.execution.result import Result
    from copilot.query import Query

CONFIDENCE = 0.7  # of a model's answer from data: below SURE, whatever it says
LEFT_OUT = "The model's words held numbers or names that no query gave, so they are left out."


@dataclass(frozen=True, slots=True)
class Setup:
    """How a model is asked.

    redactor  hides what must not leave; None only for a model on this machine
    notes     the administrator's own instructions
    panes     names of panes that can be proposed, and what they are called
    """

    config: Config
    redactor: Redactor | None = None
    notes: str = ""
    budget: Budget = field(default_factory=Budget)
    limits: Limits = field(default_factory=Limits)
    panes: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[str, ActionDeclaration] = field(default_factory=lambda: actions.ACTIONS)


def ask_model(
    question: str,
    context: Context,
    sources: Sources,
    built_in: Answer,
    setup: Setup,
    cancel: Cancel,
    *,
    say: Callable[[str], None] = lambda piece: None,
    doing: Callable[[str], None] = lambda words: None,
) -> tuple[Answer, Usage, Sent]:
    """The model's answer, what it used, and what was sent.

    `say` gets the text piece by piece as it arrives, unverified; the answer's text replaces it. Raises BackendError,
    whose `usage` then says what was used, and ValueError for a model elsewhere without a redactor.
    """
    facts = Facts(question, context.now, context.zone)
    toolbox = Toolbox(hands(sources, context.now, setup), facts, context.now)
    talk = Conversation(
        outlet_for(open_backend(setup.config), setup.redactor),
        toolbox,
        budget=setup.budget,
        limits=setup.limits,
        watching=Watching(Pieces(say), doing),
    )
    asked = prompts.asked(question, context, built_in, toolbox.refs)
    reply = talk.ask(prompts.rules(sources.may), asked, cancel, setup.notes)
    if reply.error is not None:
        reply.error.usage = reply.usage
        raise reply.error
    return answer_of(reply, built_in, sources), reply.usage, reply.sent


def answer_of(reply: Reply, built_in: Answer, sources: Sources) -> Answer:
    """The answer to show. A model is never sure; words that could not be verified give way to the rows."""
    table = next((one.table for one in reversed(reply.found) if one.table.rows), None)
    if table is None and reply.found:
        table = reply.found[-1].table
    types = tuple(dict.fromkeys(type for one in reply.found for type in _types(one)))
    common = replace(
        built_in,
        intent="model",
        topic="model",
        value=None,
        unit="",
        table=table,
        shown=tuple(one.shown for one in reply.found if one.shown is not None),
        proposals=reply.proposals,
        data_at=sources.data_at(types) if types else built_in.data_at,
        live=False,
    )
    if reply.unverified:
        if table is not None and table.rows:
            return replace(
                common, outcome="answer", text=f"{LEFT_OUT} This is what was read.", confidence=0.5, choices=()
            )
        return replace(common, outcome="unsure", text=LEFT_OUT, confidence=0.2)
    if reply.proposals and not reply.grounded:
        return replace(common, outcome="proposal", text=reply.text, confidence=CONFIDENCE, choices=())
    if not reply.grounded:
        return replace(common, outcome="unsure", text=reply.text, confidence=0.3)
    return replace(common, outcome="answer", text=reply.text, confidence=CONFIDENCE, choices=())


def hands(sources: Sources, now: datetime, setup: Setup) -> Hands:
    """The tools' hands, within the asker's rights."""
    from copilot.guard.refusing import Refused

    def run_sql(sql: str) -> Found:
        from copilot.answers import Shown
        from copilot.guard.running import run

        ran = run(sql, sources, now=now)
        return Found(ran.table, Shown(ran.sql), ran.cut)

    def run_query(query: Query) -> Found:
        from copilot.answers import Shown
        from copilot.execution.run import run

        result = run(query, sources, now)
        shown = Shown(result.sql) if result.sql else Shown(f"list {query.entity}", "list")
        return Found(_table(result, query), shown)

    return Hands(
        run_sql=run_sql,
        run_query=run_query,
        find=lambda text, at: sources.find(text, at),
        may=sources.may,
        panes=setup.panes,
        actions=setup.actions,
        refused=(Refused,),
    )


def _table(result: Result, query: Query) -> Table:
    """A result as rows; a number becomes the only row."""
    if query.measure.kind == "rows" or query.group:
        return Table(result.columns, result.rows, result.total, result.keys)
    name = query.measure.kind
    roles = {"MB": "size_mb", "GB": "size_gb", "bytes": "size_bytes"}
    return Table((Field(name, name.upper(), roles.get(result.unit, "number")),), ({name: result.value},), 1)


def _types(found: Found) -> list[str]:
    """Resource types that a result was read from."""
    if found.shown is None or found.shown.kind != "sql":
        return []
    words = set(re.findall(r"[a-z_]+", found.shown.text.lower()))
    return [one.name for one in registry.ALL.values() if {one.plural, f"{one.plural}_at"} & words]


class Pieces:
    """Turns "everything so far" into pieces; a new answer begins on a new line."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say, self._shown = say, ""

    def __call__(self, text: str) -> None:
        more = text[len(self._shown) :] if text.startswith(self._shown) else f"\n{text}"
        self._shown = text
        if more:
            self._say(more)
