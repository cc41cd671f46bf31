"""Questions of people: answered by the copilot at once, and where it is not sure handed to a language model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from engine.access.models import Caller
from engine.copilot import asking_models, telling
from engine.copilot.asking_models import CannotAsk, Model, Task
from engine.copilot.conversations import Conversations
from engine.copilot.history import History, Told
from engine.copilot.models import Question
from engine.copilot.running import Questions, Running
from engine.copilot.telling import By

if TYPE_CHECKING:
    from copilot.answers import Answer
    from copilot.backends.base import Cancel
    from engine.audit.service import AuditService
    from engine.copilot.asking import Asked, Asker, Copilot
    from engine.copilot.rooms import Rooms
    from engine.settings.copilot_section import Copilot as Settings

Item = dict[str, Any]
_log = structlog.get_logger("qdeck.copilot")
_BUSY = "as many questions as may are with the model already: ask again in a moment"
_CRASHED = "the model could not be asked; the engine's log says why"


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
        self._settings, self._copilot, self._model = settings, copilot, model
        self._conversations = Conversations()
        self._made: Asker | None = None
        self._making = threading.Lock()
        self.questions = Questions()

    def close(self) -> None:
        """Ask no model any further."""
        self.questions.close()

    def ask(self, caller: Caller, asked: Question) -> Running:
        """Answer a question: the built-in answer, while a model may still be at it. Raises BadRequest."""
        from engine.copilot.asking import wants_model

        one, settings = self._asker().ask(caller, asked), self._settings()
        further = not asked.built_in and settings.backend != "builtin" and wants_model(one.answer)
        reason = asking_models.not_ready(settings) if further else ""
        external = further and not reason and not settings.local
        told = Told(one.answer.text, one.answer.intent, one.answer.confidence, sent_external=external)
        id = self.history.keep(caller, one.question, told)
        if not further or reason:
            return self.questions.done(caller, self._told(one, one.answer, By(fallback=reason), id))
        return self._further(one, id, settings)

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

    def _asker(self) -> Asker:
        with self._making:
            if self._made is None:
                from engine.copilot.asking import Asker

                self._made = Asker(self._rooms, self._copilot(), self._conversations)
            return self._made

    def _told(self, one: Asked, found: Answer, by: By, id: int | None) -> Item:
        took = (time.perf_counter() - one.began) * 1000
        return telling.answer(found, by, id, self._rooms.reads.clock(), took)

    # The model

    def _further(self, one: Asked, id: int | None, settings: Settings) -> Running:
        from copilot.backends.base import Cancel

        cancel = Cancel()
        first = self._told(one, one.answer, By(external=not settings.local), id)
        running = self.questions.begin(
            one.caller, first, cancel, lambda running: self._modelled(one, id, settings, running, cancel)
        )
        if running is None:
            self.history.change(id, Told(one.answer.text, one.answer.intent, one.answer.confidence))
            return self.questions.done(one.caller, self._told(one, one.answer, By(fallback=_BUSY), id))
        return running

    def _modelled(self, one: Asked, id: int | None, settings: Settings, running: Running, cancel: Cancel) -> Item:
        """The final answer: the model's, or the built-in one with the reason. Raises nothing."""
        from copilot.backends.errors import BackendError
        from copilot.sources import NotAllowed, NotAvailable

        external = not settings.local
        try:
            if external:
                detail = {"model": settings.model, "question": id, "redacted": settings.redacts}
                self._audit.record(one.caller, "copilot.send", settings.address or "", detail)
            task = Task(one.question, one.context, one.sources, one.answer, running.say, running.doing, cancel)
            worded, usage = self._model(task, settings)
        except (BackendError, CannotAsk, NotAllowed, NotAvailable) as error:
            used = getattr(error, "usage", None)  # what the attempt cost all the same
            return self._told(one, one.answer, By(usage=used, external=external, fallback=str(error)), id)
        except Exception:
            _log.exception("a model could not be asked")
            return self._told(one, one.answer, By(external=external, fallback=_CRASHED), id)
        if usage.cost is None:
            usage = replace(usage, cost=settings.cost(usage.input_tokens, usage.output_tokens))
        by = By(settings.backend, settings.model, usage, external)
        if not running.done:
            told = Told(
                worded.text, worded.intent, worded.confidence, settings.backend, settings.model, usage.input_tokens,
                usage.output_tokens, usage.cost, external,
            )  # fmt: skip
            self.history.change(id, told)
            self._asker().remember(one, worded)
        return self._told(one, worded, by, id)
