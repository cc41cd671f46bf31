"""Who, or which project, has the most of a list of the console: jobs, restores, drift, late volumes."""

from __future__ import annotations

import re

from copilot.answers import Answer
from copilot.grammar.frames import Piece
from copilot.grammar.items import Item
from copilot.model.declaration import Entity
from copilot.model.registry import entity
from copilot.query import Test
from copilot.topics.framing import rows_of, when
from copilot.topics.speech import Speech, knows
from copilot.topics.topic import Asked, Topic

_ASKS = re.compile(
    r"^(so |and )?(who|(which|what) (user|person|operator|project|tenant|domain|machine|server|vm|policy)|"
    r"(the )?(user|person|project|tenant|domain|machine|server|vm))\b.*\b(most|largest number of)\b"
)
_WORDS = (
    "who which what user person operator project tenant domain machine server vm most largest number of has have had "
    "got with caused made submitted started did begun ran wrote shows suffers sees event events"
)
_OF = {"user": "user", "person": "user", "operator": "user", "who": "user", "project": "project", "tenant": "project",
       "domain": "domain", "machine": "server", "server": "server", "vm": "server"}  # fmt: skip


def _list(asked: Asked) -> Entity | None:
    """The list of the console that is counted; None for none."""
    for item in asked.items:
        for name in item.entities:
            if not item.named and entity(name).type is None and name != "console_user":
                return entity(name)
    return None


def _column(heard: Speech, one: Entity) -> str:
    found = _ASKS.match(heard.text)
    if found is None:
        return ""
    subject = next((word for word in heard.text.split() if word in _OF), "")
    return one.scopes.get(_OF.get(subject, ""), "")


def _state(item: Item, one: Entity) -> bool:
    return item.senses is not None and one.name in item.senses.states


def _claims(asked: Asked) -> float:
    heard = Speech.of(asked)
    one = _list(asked) if _ASKS.match(heard.text) else None
    if one is None or not _column(heard, one):
        return 0.0
    said = {word for item in asked.items if _state(item, one) for word in (item.said or item.text.lower()).split()}
    return knows(_WORDS, (one.name,), periods=True, also=said).claim(asked)


def _answer(asked: Asked) -> Answer | None:
    one = _list(asked)
    if one is None:
        return None
    pieces = list(when(one.name, asked.period)) if one.born else []
    for item in asked.items:
        if item.senses is not None and one.name in item.senses.states and not item.entities:
            state = item.senses.states[one.name]
            pieces.append(Piece(f"state:{state.says}", state.condition, state.says or item.text))
    column = _column(Speech.of(asked), one)
    pieces.append(Piece(f"known:{column}", Test(column, "any"), ""))
    return rows_of(one.name, pieces, asked, most=column)


TOPIC = Topic("most_of_a_list", _claims, _answer)
