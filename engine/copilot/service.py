"""Questions of people: answered by the copilot at once, and where it is not sure handed to a language model."""

from __future__ import annotations

import threading
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from copilot.answers import SURE, Answer, Context, Named, Turn, Usage
from copilot.sources import NotAllowed, NotAvailable
from engine.access.models import Caller
from engine.api.errors import BadRequest
from engine.copilot import asking_models, telling
from engine.copilot.asking_models import CannotAsk, Model, Task
from engine.copilot.conversations import Conversations
from engine.copilot.history import History, Told
from engine.copilot.models import Question, Selected
from engine.copilot.running import Questions, Running
from engine.copilot.sources import CallerSources
from engine.copilot.telling import By
from store.estate.reading import single
from store.types import registry

if TYPE_CHECKING:
    from engine.audit.service import AuditService
    from engine.copilot.lists import Rooms
    from engine.settings.copilot_section import Copilot as Settings

Item = dict[str, Any]
_log = structlog.get_logger("qdeck.copilot")
_BUSY = "as many questions as may are with the model already: ask again in a moment"
_FAILED = "The question could not be answered: the copilot failed, and the engine's log says why."


class Copilot(Protocol):
    """Answers a question by itself (copilot.service.Copilot)."""

    def ask(self, question: str, context: Context, sources: Any) -> Answer:
        """The answer."""
        ...


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question on its way."""

    caller: Caller
    question: str
    conversation: tuple[str, str]
    context: Context
    sources: CallerSources
    began: float


class CopilotService:
    """See the module. Thread-safe. `ask` blocks."""

    def __init__(
        self,
        rooms: Rooms,
        audit: AuditService,
        history: History,
        settings: Callable[[], Settings],
        copilot: Callable[[], Copilot],
        model: Model,
    ) -> None:
        """`copilot`: makes the built-in one, when the first question comes."""
        self._rooms, self._audit, self.history = rooms, audit, history
        self._settings, self._make, self._model = settings, copilot, model
        self._made: Copilot | None = None
        self._making = threading.Lock()
        self._conversations = Conversations()
        self.questions = Questions()

    def close(self) -> None:
        """Ask no model any further."""
        self.questions.close()

    def ask(self, caller: Caller, asked: Question) -> Running:
        """Answer a question: the built-in answer, while a model may still be at it. Raises BadRequest."""
        one = self._asked(caller, asked)
        found = self._answered(one)
        settings = self._settings()
        further = not asked.built_in and settings.backend != "builtin" and wants_model(found)
        external = further and not settings.local
        told = Told(found.text, found.intent, found.confidence, sent_external=external)
        id = self.history.keep(caller, one.question, told)
        self._remember(one, found)
        if not further:
            return self.questions.done(caller, self._told(one, found, By(), id))
        if reason := asking_models.not_ready(settings):
            return self._alone(one, found, id, reason)
        return self._further(one, found, id, settings)

    def forget(self, caller: Caller) -> int:
        """Forget the caller's history and conversations; how many questions it were."""
        self._conversations.forget(caller.owner)
        return self.history.forget(caller)

    def status(self) -> Item:
        """A Status."""
        settings = self._settings()
        reason = asking_models.not_ready(settings)
        return {
            "backend": settings.backend,
            "model": settings.model,
            "address": settings.address,
            "local": settings.local,
            "external": not settings.local,
            "ready": not reason,
            "reason": reason,
        }

    # The built-in answer

    def _asked(self, caller: Caller, asked: Question) -> _Asked:
        question = clean(asked.question)
        if not question:
            raise BadRequest("Invalid parameter: question: ask something")
        sources = CallerSources(self._rooms, caller, [asked.cloud] if asked.cloud else [])
        name = (caller.owner, asked.conversation)
        context = Context(
            self._rooms.reads.clock(), zone_of(asked.zone), self._named(sources, asked.selected),
            self._conversations.turns(name),
        )  # fmt: skip
        return _Asked(caller, question, name, context, sources, time.perf_counter())

    def _named(self, sources: CallerSources, selected: Sequence[Selected]) -> tuple[Named, ...]:
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

    def _answered(self, one: _Asked) -> Answer:
        try:
            return self._built_in().ask(one.question, one.context, one.sources)
        except (NotAllowed, NotAvailable) as error:
            return Answer("apology", _sentence(str(error)))
        except Exception:
            _log.exception("the copilot failed on a question")
            return Answer("apology", _FAILED, confidence=0.0)

    def _built_in(self) -> Copilot:
        with self._making:
            if self._made is None:
                self._made = self._make()
            return self._made

    def _remember(self, one: _Asked, found: Answer) -> None:
        if found.outcome in ("answer", "proposal"):
            turn = Turn(one.question, found.query, found.named, found.topic)
            self._conversations.add(one.conversation, turn)

    def _told(self, one: _Asked, found: Answer, by: By, id: int | None) -> Item:
        took = (time.perf_counter() - one.began) * 1000
        return telling.answer(found, by, id, self._rooms.reads.clock(), took)

    # The model

    def _alone(self, one: _Asked, found: Answer, id: int | None, reason: str) -> Running:
        """The built-in answer stands, because the model cannot be asked."""
        self.history.change(id, Told(found.text, found.intent, found.confidence))
        return self.questions.done(one.caller, self._told(one, found, By(fallback=reason), id))

    def _further(self, one: _Asked, found: Answer, id: int | None, settings: Settings) -> Running:
        from copilot.backends.base import Cancel

        cancel = Cancel()
        first = self._told(one, found, By(external=not settings.local), id)
        running = self.questions.begin(
            one.caller, first, cancel, lambda running: self._modelled(one, found, id, settings, running, cancel)
        )
        return running or self._alone(one, found, id, _BUSY)

    def _modelled(
        self, one: _Asked, found: Answer, id: int | None, settings: Settings, running: Running, cancel: Any
    ) -> Item:
        """The final answer: the model's, or the built-in one with the reason. Raises nothing."""
        from copilot.backends.errors import BackendError

        external = not settings.local
        try:
            if external:
                detail = {"model": settings.model, "question": id, "redacted": settings.redacts}
                self._audit.record(one.caller, "copilot.send", settings.address or "", detail)
            task = Task(one.question, one.context, one.sources, found, running.say, running.doing, cancel)
            worded, usage = self._model(task, settings)
        except (BackendError, CannotAsk, NotAllowed, NotAvailable) as error:
            return self._told(one, found, By(external=external, fallback=str(error)), id)
        except Exception:
            _log.exception("a model could not be asked")
            reason = "the model could not be asked; the engine's log says why"
            return self._told(one, found, By(external=external, fallback=reason), id)
        if usage.cost is None:
            usage = replace(usage, cost=settings.cost(usage.input_tokens, usage.output_tokens))
        by = By(settings.backend, settings.model, usage, external)
        if not running.done:
            self.history.change(id, _told_by(worded, by, usage))
            self._remember(one, worded)
        return self._told(one, worded, by, id)


def wants_model(found: Answer) -> bool:
    """Whether a model is asked: it was not understood, or not surely. What was refused, or asked back, is not."""
    return found.outcome == "unsure" or (found.outcome == "answer" and found.confidence < SURE)


def clean(text: str) -> str:
    """A person's text on one line, without control characters and half characters (lone surrogates)."""
    kept = "".join(" " if unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") else one for one in text)
    return " ".join(kept.split())


def zone_of(name: str | None) -> tzinfo:
    """The zone of that IANA name; UTC for none. Raises BadRequest."""
    if not name:
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadRequest("Invalid parameter: zone: is no time zone; give one like UTC or Europe/Berlin") from None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _told_by(found: Answer, by: By, usage: Usage) -> Told:
    return Told(
        found.text, found.intent, found.confidence, by.backend, by.model, usage.input_tokens, usage.output_tokens,
        usage.cost, by.external,
    )  # fmt: skip
