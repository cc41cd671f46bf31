"""Routes of notes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import ValidationError
from starlette.responses import Response

from engine.access.models import Caller
from engine.access.service import AccessService
from engine.api.answers import JsonAnswer
from engine.api.errors import BadRequest, describe
from engine.api.instants import instant
from engine.api.paging import Page, page
from engine.notes.models import Kind, Note, NoteAdd, Notes, Subject
from engine.notes.service import NoteService

Text = Annotated[str | None, Query(max_length=255)]
Time = Annotated[str | None, Query(max_length=40, description="RFC 3339, like 2026-02-08T09:00:00Z.")]
About = Annotated[
    str | None,
    Query(max_length=4096, description='JSON: {"kind":"resource","type":"server","key":["prod","","<id>"]}.'),
]


def routes(service: NoteService, access: AccessService) -> APIRouter:
    """`/q/notes`."""
    router = APIRouter(tags=["notes"], default_response_class=JsonAnswer)
    reader = access.requires("inventory:read")
    # Words between colleagues, as tickets are: every role may write them, and admins take back those of others.
    writer = access.requires("tickets:write")

    @router.get("/q/notes", response_model=Notes)
    def notes(
        caller: Annotated[Caller, Depends(reader)],
        page: Annotated[Page, Depends(page)],
        subject: About = None,
        kind: Annotated[Kind | None, Query()] = None,
        cloud: Text = None,
        by: Text = None,
        text: Text = None,
        since: Time = None,
        past: Annotated[bool, Query(description="Also notes whose until is past.")] = False,
    ) -> Response:
        """Notes, newest first; those on one thing with `subject`."""
        total, items = service.page(
            caller,
            subject=_subject(subject),
            kind=kind,
            cloud=cloud,
            by=by,
            text=text,
            since=instant("since", since),
            past=past,
            limit=page.limit,
            offset=page.offset,
        )
        return JsonAnswer(page.answer(total, items))

    @router.post("/q/notes", response_model=Note, status_code=201)
    def add(note: NoteAdd, caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Write a note on a resource, job, drift event or problem."""
        return JsonAnswer(service.add(caller, note.subject, note.text, instant("until", note.until)), status_code=201)

    @router.delete("/q/notes/{id}", status_code=204)
    def remove(id: Annotated[str, Path(max_length=36)], caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Take a note back: one's own, or as an admin anybody's."""
        service.remove(caller, id)
        return Response(status_code=204)

    return router


def _subject(text: str | None) -> Subject | None:
    if text is None:
        return None
    try:
        return Subject.model_validate_json(text)
    except ValidationError as error:
        raise BadRequest(
            describe(error.errors()).replace("Invalid parameter: ", "Invalid parameter: subject: ")
        ) from None
