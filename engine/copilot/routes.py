"""Routes of the copilot: the console's own under /q/copilot, and the documented ones under /api/copilot."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.mounting import mount
from engine.copilot import chips, models, telling
from engine.copilot.configuring import Configuring
from engine.copilot.models import Config, ConfigChange, Connection, DocumentedQuestion, Question, Tested
from engine.copilot.running import Running
from engine.copilot.service import CopilotService
from engine.inventory.courtesy import answering

Id = Annotated[str, Path(max_length=64)]
LONGEST_WAIT = 55.0  # seconds that a request is held back
MOST_LISTED = 200


def routes(service: CopilotService, configuring: Configuring, access: AccessService) -> APIRouter:
    """All routes of the room."""
    router = APIRouter(tags=["copilot"], default_response_class=JsonAnswer)
    mount(router, _questions(service, access))
    mount(router, _history(service, access))
    mount(router, _documented(service, access))
    mount(router, _configuration(configuring, access))
    return router


def _ask(service: CopilotService, caller: Caller, question: Question) -> Running:
    with answering():
        return service.ask(caller, question)


def _questions(service: CopilotService, access: AccessService) -> APIRouter:
    router = APIRouter()
    asker = Annotated[Caller, Depends(access.requires("authenticated"))]

    @router.post("/q/copilot/questions", response_model=models.Questioned)
    def ask(question: Question, caller: asker) -> Response:
        """Ask: the copilot's own answer comes at once; "running" while a language model is asked further."""
        return JsonAnswer(_ask(service, caller, question).told(0))

    @router.get("/q/copilot/questions/{id}", response_model=models.Questioned)
    async def asked(
        id: Id,
        caller: asker,
        offset: Annotated[int, Query(ge=0, le=2**31, description="Characters of the text that are known.")] = 0,
        wait: Annotated[float, Query(ge=0, le=LONGEST_WAIT, description="Seconds to wait for more.")] = 0.0,
    ) -> Response:
        """A question, and what a language model says further; held back until there is something new."""
        running = service.questions.one(caller, id)
        if wait:
            await running.wait(offset, wait)
        return JsonAnswer(running.told(offset))

    @router.delete("/q/copilot/questions/{id}", status_code=204)
    def cancel(id: Id, caller: asker) -> Response:
        """Ask the language model no further; the copilot's own answer stands."""
        service.questions.cancel(caller, id)
        return Response(status_code=204)

    @router.get("/q/copilot/suggestions", response_model=models.Suggestions)
    def suggestions(caller: asker) -> Response:
        """Questions to begin with, by group."""
        return JsonAnswer(chips.suggestions())

    @router.get("/q/copilot/status", response_model=models.Status)
    def status(caller: asker) -> Response:
        """Who answers what the copilot is not sure of, and where that goes."""
        return JsonAnswer(service.status())

    return router


def _history(service: CopilotService, access: AccessService) -> APIRouter:
    router = APIRouter()
    asker = Annotated[Caller, Depends(access.requires("authenticated"))]

    @router.get("/q/copilot/history", response_model=models.HistoryPage)
    def history(
        caller: asker,
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 50,
        offset: Annotated[int, Query(ge=0, le=10_000)] = 0,
    ) -> Response:
        """What the caller asked, the newest first. Nobody sees what others asked."""
        total, items = service.history.page(caller, limit, offset)
        return JsonAnswer({"total": total, "items": items})

    @router.delete("/q/copilot/history", response_model=models.Forgotten)
    def forget(caller: asker) -> Response:
        """Forget all that the caller asked."""
        return JsonAnswer({"forgotten": service.forget(caller)})

    @router.post("/q/copilot/feedback", response_model=models.Done)
    def feedback(body: models.Feedback, caller: asker) -> Response:
        """Say whether an answer helped."""
        service.history.judge(caller, body.history_id, body.feedback, body.comment)
        return JsonAnswer({"status": "ok"})

    return router


def _documented(service: CopilotService, access: AccessService) -> APIRouter:
    router = APIRouter(prefix="/api/copilot")
    asker = Annotated[Caller, Depends(access.requires("authenticated"))]

    @router.post("/ask", response_model=models.DocumentedAnswer)
    async def ask(body: DocumentedQuestion, caller: asker) -> Response:
        """Ask, in the caller's usual conversation; waits until a language model has answered, where one is asked."""
        running = await asyncio.to_thread(_ask, service, caller, Question.model_validate({"question": body.question}))
        await running.ended()
        answer: dict[str, Any] = running.answer or {}
        return JsonAnswer(telling.documented(answer))

    @router.get("/suggestions", response_model=models.Suggestions)
    def suggestions(caller: asker) -> Response:
        """Quick-start questions in groups, and tips."""
        return JsonAnswer(chips.suggestions())

    @router.get("/history", response_model=list[models.HistoryItem])
    def history(caller: asker) -> Response:
        """The caller's newest 200 questions."""
        return JsonAnswer(service.history.page(caller, MOST_LISTED)[1])

    @router.post("/feedback", response_model=models.Done)
    def feedback(body: models.Feedback, caller: asker) -> Response:
        """Say whether an answer helped."""
        service.history.judge(caller, body.history_id, body.feedback, body.comment)
        return JsonAnswer({"status": "ok"})

    return router


def _configuration(configuring: Configuring, access: AccessService) -> APIRouter:
    router = APIRouter(prefix="/api/copilot")
    admin = Annotated[Caller, Depends(access.requires("copilot:admin"))]

    @router.get("/config", response_model=Config)
    def config(caller: admin) -> Response:
        """The configuration in force."""
        return JsonAnswer(configuring.config())

    @router.put("/config", response_model=Config)
    def change(body: ConfigChange, caller: admin) -> Response:
        """Change it, at once. Keys are referred to in the configuration file and never sent."""
        return JsonAnswer(configuring.change(caller, body))

    @router.post("/test-connection", response_model=Tested)
    def test_connection(caller: admin, body: Connection | None = None) -> Response:
        """Ask the language model for one word. Nothing of the estate is sent."""
        return JsonAnswer(configuring.tried(body or Connection.model_validate({})))

    return router
