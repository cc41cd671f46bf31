"""The copilot's own answer to a question: what surrounds it, and what goes wrong. Loaded with the first question."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from copilot.answers import SURE, Answer, Context, Named, Turn
from copilot.sources import NotAllowed, NotAvailable, Sources
from engine.access.models import Caller
from engine.api.errors import BadRequest
from engine.copilot.conversations import Conversations
from engine.copilot.history import clean
from engine.copilot.models import Question, Selected
from engine.copilot.shelf import Shelf
from engine.copilot.sources import CallerSources
from store.estate.reading import single
from store.types import registry

if TYPE_CHECKING:
    from engine.copilot.rooms import Rooms

_log = structlog.get_logger("qdeck.copilot")
_ABOUT_ITSELF = ("help", "data_age", "not_available")
_EMPTY = "Nothing was collected yet: add a cloud with `qdeck cloud add`, or wait for its first collection."
_OF_NOTHING = 0.5  # how sure an answer is that is made of nothing
_FAILED = "The question could not be answered: the copilot failed, and the engine's log says why."


class Copilot(Protocol):
    """Answers a question by itself (copilot.service.Copilot)."""

    def ask(self, question: str, context: Context, sources: Sources) -> Answer:
        """The answer."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its answer. `began`: performance counter when it came."""

    caller: Caller
    question: str
    conversation: tuple[str, str]
    context: Context
    sources: CallerSources
    began: float
    answer: Answer


class Asker:
    """See the module. Thread-safe, and blocks."""

    def __init__(self, rooms: Rooms, copilot: Copilot, conversations: Conversations) -> None:
        self._rooms, self._copilot, self._conversations = rooms, copilot, conversations
        self._shelf = Shelf()
        self._filled = False

    def ask(self, caller: Caller, asked: Question) -> Asked:
        """Answer it. What fails is an answer too, an apology. Raises BadRequest."""
        began, question = time.perf_counter(), clean(asked.question)
        if not question:
            raise BadRequest("Invalid parameter: question: ask something")
        known = {
            one["name"] for one in self._rooms.clouds.clouds() if caller.clouds is None or one["name"] in caller.clouds
        }
        if asked.cloud and asked.cloud not in known:
            raise BadRequest(f"Invalid parameter: cloud: there is no cloud {asked.cloud!r:.80} here")
        sources = CallerSources(self._rooms, caller, [asked.cloud] if asked.cloud else [], self._shelf)
        name = (caller.owner, asked.conversation)
        context = Context(
            self._rooms.reads.clock(), zone_of(asked.zone), _named(sources, asked.selected),
            self._conversations.turns(name),
        )  # fmt: skip
        found = self._told(caller, self._answer(question, context, sources))
        one = Asked(caller, question, name, context, sources, began, found)
        self.remember(one, found)
        return one

    def _told(self, caller: Caller, found: Answer) -> Answer:
        """With what is true of all answers of this engine to this caller."""
        found = _within(caller, found)
        if found.data_at is not None or found.live or found.outcome not in ("answer", "unsure"):
            return found
        has_something = bool(found.value) or (found.table is not None and found.table.total > 0)
        if has_something or found.intent in _ABOUT_ITSELF or self._is_filled():
            return found
        return replace(found, text=f"{found.text} {_EMPTY}", confidence=min(found.confidence, _OF_NOTHING))

    def _is_filled(self) -> bool:
        """Whether anything was ever collected."""
        self._filled = self._filled or any(one["fresh_started_at"] for one in self._rooms.reads.states(None))
        return self._filled

    def remember(self, one: Asked, found: Answer) -> None:
        """The next question of the conversation may go on from this answer."""
        if found.outcome in ("answer", "proposal"):
            turn = Turn(one.question, found.frame, found.query, found.named, found.topic)
            self._conversations.add(one.conversation, turn)

    def _answer(self, question: str, context: Context, sources: CallerSources) -> Answer:
        try:
            return self._copilot.ask(question, context, sources)
        except (NotAllowed, NotAvailable) as error:
            return Answer("apology", str(error), confidence=0.0)
        except Exception:
            _log.exception("the copilot failed on a question")
            return Answer("apology", _FAILED, confidence=0.0)


def _within(caller: Caller, found: Answer) -> Answer:
    """An answer of what the caller's role covers says so; an apology is a sentence."""
    if found.outcome == "apology":
        return replace(found, text=_sentence(found.text))
    told = found.outcome == "answer" and (found.query is not None or found.table is not None)
    if not (told and caller.limited):
        return found
    limits = {"project": caller.projects, "domain": caller.domains, "cloud": caller.clouds}
    words = [f"{len(ids)} {what}{'' if len(ids) == 1 else 's'}" for what, ids in limits.items() if ids is not None]
    return replace(found, scope=(*found.scope, f"only what your role covers ({', '.join(words)})"))


def wants_model(found: Answer) -> bool:
    """Whether a model is asked: it was not understood, or not surely. What was refused, or asked back, is not."""
    return found.outcome == "unsure" or (found.outcome == "answer" and found.confidence < SURE)


def zone_of(name: str | None) -> tzinfo:
    """The zone of that IANA name; UTC for none. Raises BadRequest."""
    if not name:
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequest("Invalid parameter: zone: is no time zone; give one like UTC or Europe/Berlin") from None


def _named(sources: CallerSources, selected: Sequence[Selected]) -> tuple[Named, ...]:
    """What the app's keys stand for, within what the asker may see; the others are left out."""
    wanted = [(one.type, one.key) for one in selected if one.type in registry.ALL and sources.may(one.type)]
    if not wanted:
        return ()

    def work(connection: Any) -> tuple[Named, ...]:
        found = []
        for type, key in dict.fromkeys(wanted):
            one = single.read_one(connection, registry.ALL[type], key, None, sources.scope)
            if one is not None:
                row = one["row"]
                name = row.get(single.label_column(registry.ALL[type])) or key[2]
                found.append(Named(type, key, str(name), project=row.get("project_name") or ""))
        return tuple(found)

    try:
        return sources.read(work)
    except NotAvailable:
        return ()


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
