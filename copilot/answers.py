"""What the copilot answers with, and what it is asked with besides the question."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Literal

from copilot.query import Query

Key = tuple[str, str, str]  # (cloud, region or '', id)
MAX_QUESTION = 1000  # characters

Outcome = Literal["answer", "ask_back", "unsure", "proposal", "apology"]


@dataclass(frozen=True, slots=True)
class Named:
    """A resource that a name, address or id in the question stands for.

    type   name of the resource type
    typed  what was typed; differs from `name` where a typo was forgiven
    """

    type: str
    key: Key
    name: str
    typed: str = ""
    project: str = ""  # of what belongs to one: tells resources of the same name apart


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was answered, for the next one to go on from.

    frame  what the grammar understood (copilot.grammar.frames.Frame); only the grammar looks into it
    """

    question: str
    frame: object = None
    query: Query | None = None
    named: tuple[Named, ...] = ()
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounds a question.

    now       aware time; all times in words are seen from it, in `zone`
    selected  resources under the cursor or marked in the app: "this machine"
    turns     earlier questions of the same conversation, oldest first
    """

    now: datetime
    zone: tzinfo
    selected: tuple[Named, ...] = ()
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something the app can do with the answer, if the person wants it. Nothing is done by itself.

    kind     "open": a list (`type`, `filter`, `sort`, `at`) or one resource (`keys`); "pane": a numbered area or other
             pane (`name`); "prefill": the plan or wizard of the action `name` on `keys` with `values` filled in
    label    a few words for the key's description: "restore web-03..."
    command  the same as a command line, where there is one: "qdeck restore plan web-03"
    """

    kind: Literal["open", "pane", "prefill"]
    label: str
    name: str = ""
    type: str = ""
    filter: str = ""
    sort: tuple[tuple[str, bool], ...] = ()
    at: datetime | None = None
    keys: tuple[Key, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    command: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """How the answer was found, for "show the query".

    text  the query itself: SQL on the public views, runnable as it stands, or the rooms' call
    kind  what `text` is
    """

    text: str
    kind: Literal["sql", "list", "live", "find"] = "sql"


@dataclass(frozen=True, slots=True)
class Field:
    """A column of an answer's rows: its key in the rows, its head, its role (store.types.declaration.Role)."""

    name: str
    title: str
    role: str = "text"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of an answer.

    rows   dicts by column name, plain JSON values (times are RFC 3339 texts); at most MOST_ROWS
    keys   for each row, type and key of the resource it is about; () where rows are about none
    total  how many there are, also beyond `rows`
    """

    columns: tuple[Field, ...]
    rows: tuple[dict[str, Any], ...]
    total: int
    keys: tuple[tuple[str, Key], ...] = ()


MOST_ROWS = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer.

    outcome     "answer"; "ask_back": what was meant is not clear, `choices` are complete questions to choose from;
                "unsure": not understood, `choices` are the nearest questions; "proposal": an action was asked for,
                `proposals` open its plan; "apology": it could not be done, the text says why
    text        one to six lines of plain text. Numbers in it come from the rows or the value
    value       the number, text or yes/no that the text states, where there is one
    unit        of the value: "MB", "GB", "bytes", "%", "seconds" or ""
    intent      documented name of the question's kind (copilot/topics/intents.py)
    confidence  0..1; `sure` from SURE on
    scope       what was taken into account, in words: "project acme-prod", "as of Mon 23 Nov 09:00"
    data_at     when the oldest of the data was read; None = nothing was collected, or it is live
    live        the cloud was asked just now
    understood  the question as it was understood, in words; always shown where typos were forgiven
    unknown     words that were not understood
    """

    outcome: Outcome
    text: str
    intent: str = ""
    value: Any = None
    unit: str = ""
    confidence: float = 1.0
    table: Table | None = None
    shown: tuple[Shown, ...] = ()
    scope: tuple[str, ...] = ()
    data_at: datetime | None = None
    live: bool = False
    understood: str = ""
    unknown: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    query: Query | None = None
    frame: object = None
    named: tuple[Named, ...] = ()
    topic: str = ""

    @property
    def sure(self) -> bool:
        """Whether it is answered with confidence."""
        return self.outcome in ("answer", "proposal") and self.confidence >= SURE


SURE = 0.8


@dataclass(slots=True)
class Usage:
    """What a language model used. `cost` in the currency of the settings' prices; None where no price is set."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    calls: int = 0
    tools: list[str] = field(default_factory=list)
