"""What each person asked and was told. Only he sees it; the newest are kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import delete, func, insert, select, update

from engine.access.models import Caller
from engine.api.errors import NotFound
from store import times
from store.ops.copilot_tables import copilot_history as table
from store.ops.errors import OpsError
from store.ops.ops import Ops

Row = dict[str, Any]
_log = structlog.get_logger("qdeck.copilot")


@dataclass(frozen=True, slots=True)
class Told:
    """What was answered. Tokens and cost are the model's; None where none was asked, or no price is set."""

    answer: str
    intent: str
    confidence: float
    backend: str = "builtin"
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None
    sent_external: bool = False

    def values(self) -> Row:
        """The columns."""
        return {
            "answer": self.answer,
            "intent": self.intent[:64],
            "confidence": self.confidence,
            "backend": self.backend,
            "model": self.model,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost": self.cost,
            "sent_external": self.sent_external,
        }


class History:
    """See the module. Blocks; safe on any thread."""

    def __init__(self, ops: Ops, most: Callable[[], int], clock: Callable[[], datetime] = times.utcnow) -> None:
        """`most`: how many of one person are kept."""
        self._ops, self._most, self._clock = ops, most, clock

    def keep(self, caller: Caller, question: str, told: Told) -> int | None:
        """Keep a question and forget the oldest; its number, or None where it cannot be kept (which is only logged)."""
        values = {"owner": caller.owner, "caller": caller.name[:255], "question": question,
                  "created_at": self._clock(), **told.values()}  # fmt: skip
        try:
            with self._ops.begin() as connection:
                made = connection.execute(insert(table).values(values)).inserted_primary_key
                newest = select(table.c.id).where(table.c.owner == caller.owner).order_by(table.c.id.desc())
                last = newest.offset(self._most()).limit(1).scalar_subquery()
                connection.execute(delete(table).where(table.c.owner == caller.owner, table.c.id <= last))
        except OpsError as error:
            _log.warning("a question was not kept", reason=str(error))
            return None
        return int(made[0]) if made else None

    def change(self, id: int | None, told: Told) -> None:
        """What a model said in the end, in place of the built-in answer."""
        if id is None:
            return
        try:
            with self._ops.begin() as connection:
                connection.execute(update(table).where(table.c.id == id).values(told.values()))
        except OpsError as error:
            _log.warning("a model's answer was not kept", reason=str(error))

    def page(self, caller: Caller, limit: int, offset: int = 0) -> tuple[int, list[Row]]:
        """(how many of the caller's are kept, a page of them, newest first)."""
        own = table.c.owner == caller.owner
        with self._ops.read() as connection:
            total = connection.scalar(select(func.count()).select_from(table).where(own)) or 0
            order = select(table).where(own).order_by(table.c.id.desc()).limit(limit).offset(offset)
            return total, [_item(row) for row in connection.execute(order).mappings()]

    def forget(self, caller: Caller) -> int:
        """Forget all that the caller asked; how many it were."""
        with self._ops.begin() as connection:
            return connection.execute(delete(table).where(table.c.owner == caller.owner)).rowcount

    def judge(self, caller: Caller, id: int, feedback: str, comment: str) -> None:
        """What the caller thinks of an answer to him. Raises NotFound, also for somebody else's."""
        mine = (table.c.id == id) & (table.c.owner == caller.owner)
        with self._ops.begin() as connection:
            changed = connection.execute(update(table).where(mine).values(feedback=feedback, comment=clean(comment)))
            if not changed.rowcount:
                raise NotFound(f"you have asked no question with the number {id}, or it is not kept any more")


def clean(text: str) -> str:
    """A person's text on one line, without control and invisible characters and halves of some (lone surrogates)."""
    text = _ESCAPES.sub(" ", text)
    kept = (" " if (kind := unicodedata.category(one)) in _BLANK else "" if kind in _NOTHING else one for one in text)
    return " ".join("".join(kept).split())


# Colours and titles of terminals: "[31m" would be words of the question without the escape before it.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)")
_BLANK, _NOTHING = ("Cc", "Zl", "Zp"), ("Cf", "Cs")


def _item(row: Mapping[Any, Any]) -> Row:
    """A HistoryItem."""
    names = ("id", "question", "answer", "intent", "model", "confidence", "cost", "feedback", "comment")
    sent, received = row["input_tokens"], row["output_tokens"]
    return {
        **{name: row[name] for name in names},
        "backend_used": row["backend"],
        "tokens_used": None if sent is None and received is None else (sent or 0) + (received or 0),
        "data_sent_external": row["sent_external"],
        "created_at": times.text(row["created_at"]),
    }
