"""Making, changing and removing things in a cloud effectively once, whatever the cloud or the engine does meanwhile.

OpenStack has no idempotency keys. So what is made carries a mark that nobody can guess, noted before the cloud is
asked; whoever comes later looks for it first. What is changed is looked at before and after. Answers are read so:

    no answer, 500, 502, 504   nobody knows whether it was done: it is looked for, and asked again when it is not there
    429, 503                   it was not done: asked again, after Retry-After where the cloud says so
    401                        the session logged in again already; a role may take a moment to be known
    409                        another state than expected, often for a moment: looked at, and asked again for a while
    anything else              it was refused: the step fails with the cloud's own words
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.clouds.errors import CloudError
from engine.gate.carrying import made_id
from engine.gate.models import Call, NoRole, SessionKind
from engine.gate.refusals import NotDone
from engine.restore.steps.failing import Failed

if TYPE_CHECKING:
    from engine.restore.steps.work import Work

ACT_SECONDS = 120.0  # the longest that a change is asked for again
CREATE_SECONDS = 120.0
ASK_SECONDS = 60.0  # the longest that a read which fails for the moment is repeated
LOST_SECONDS = 10.0  # that something is looked for whose answer did not come
AGAIN_SECONDS = 3.0  # the same at a later attempt: the cloud may still be at it
_LONGEST = 15.0  # between two attempts, and the longest Retry-After that is waited for at once
_UNSURE = (408, 500, 502, 504)
_LATER = (401, 425, 429, 503)
_CONFLICT = 409
_UNREACHABLE = ("refused", "timeout", "unreachable", "dns", "busy", "broken")


class _Pace:
    """Growing pauses within a time."""

    def __init__(self, work: Work, seconds: float) -> None:
        self._work = work
        self._deadline = time.monotonic() + seconds
        self._pause = 0.1

    def rest(self, problem: str, wanted: float | None = None) -> None:
        """Pause; raises Failed(problem) when the time is over."""
        left = self._deadline - time.monotonic()
        pause = min(self._pause if wanted is None else max(wanted, 0.05), _LONGEST)
        if left <= 0:
            raise Failed(problem)
        self._work.context.sleep(min(pause, left))
        self._pause = min(self._pause * 2, 5.0)


def get(work: Work, service: str, path: str, microversion: str, query: Any, kind: SessionKind) -> dict[str, Any] | None:
    """See Work.get."""
    pace = _Pace(work, ASK_SECONDS)
    while True:
        work.look_up()
        try:
            read = work.kit.gate.reader(work.cloud, work.region, work.project_id, kind)
            return read(service, path, microversion, query)
        except NoRole as error:
            raise Failed(str(error)) from error
        except (NotDone, CloudError) as error:
            if not _passes(error):
                raise Failed(str(error)) from error
            pace.rest(str(error), getattr(error, "retry_after", None))


def create(
    work: Work, purpose: str, type: str, call: Call, find: Callable[[], dict[str, Any] | None], name: str
) -> str:
    """Make something and answer its id; the same id however often it is asked for.

    call  carries `work.mark(purpose)` in what it makes; `find()` looks for that and answers the document, or None
    Raises Failed, Cancelled (nothing was asked for then), and what the gate raises besides.
    """
    row = work.records.found(work.job_id, purpose)
    if row is not None and row["state"] in ("made", "handed_over"):
        return str(row["id"])
    if row is not None and row["state"] == "begun" and (found := work.context.wait(find, AGAIN_SECONDS, first=0.05)):
        return _noted(work, purpose, found)
    work.look_up()
    key = (work.cloud, work.region, "")
    work.records.begin(work.job_id, work.step.seq, purpose, type, work.mark(purpose), name, key, work.project_id)
    pace, conflicts = _Pace(work, CREATE_SECONDS), 0
    while True:
        try:
            answer = work.perform(call)
            if id := _plain_id(answer.document) or made_id(answer):
                work.records.made(work.job_id, purpose, id)
                return id
            problem, wanted, look = f"{call.what}: the cloud took it without saying what it made", None, LOST_SECONDS
        except NotDone as error:
            problem, wanted = error.detail, error.retry_after
            look = LOST_SECONDS if _unsure(error) else 0.0
            conflicts += error.cloud_status == _CONFLICT
            if not (_unsure(error) or error.cloud_status in _LATER or 0 < conflicts <= 5):
                _never(work, purpose)
                raise Failed(problem) from error
        if found := work.context.wait(find, look, first=0.05):
            return _noted(work, purpose, found)
        pace.rest(problem, wanted)
        work.look_up()


def act(work: Work, call: Call, is_so: Callable[[], bool], seconds: float) -> None:
    """Have something changed; nothing is sent when it is so already.

    Raises Failed when it is refused, or not so after all that was tried; Cancelled before anything is sent.
    """
    pace = _Pace(work, seconds)
    while not is_so():
        work.look_up()
        try:
            work.perform(call)
            return
        except NotDone as error:
            status = error.cloud_status
            if not (_unsure(error) or status in (*_LATER, _CONFLICT)):
                # What was refused because it is done already is no failure.
                if is_so():
                    return
                raise Failed(error.detail) from error
            pace.rest(error.detail, error.retry_after)


def remove(work: Work, purpose: str, call: Call, gone: Callable[[], bool], seconds: float) -> None:
    """Remove what this job made for that purpose, and wait until it is gone.

    Only what the records have as made by this very job is removed: Failed for anything else.
    """
    row = work.records.found(work.job_id, purpose)
    if row is None or row["state"] == "removed":
        return
    if row["state"] != "made" or call.key is None or call.key[2] != row["id"]:
        raise Failed(f"{call.what}: the records of this job do not say that it made it, so it is left alone")
    pace = _Pace(work, seconds)
    while not gone():
        try:
            work.perform(call)
            break
        except NotDone as error:
            if error.cloud_status == 404:
                break
            if not (_unsure(error) or error.cloud_status in (*_LATER, _CONFLICT, 400)):
                raise Failed(error.detail) from error
            pace.rest(error.detail, error.retry_after)
    if not work.context.wait(lambda: gone() or None, seconds, first=0.05, longest=1.0):
        raise Failed(f"{call.what}: the cloud took it, but it is still there after {seconds:g} s")
    work.records.removed(work.job_id, purpose)


def _noted(work: Work, purpose: str, document: dict[str, Any]) -> str:
    id = str(document["id"])
    work.records.made(work.job_id, purpose, id)
    return id


def _never(work: Work, purpose: str) -> None:
    """It was refused outright: nothing with this mark will ever be there."""
    work.records.removed(work.job_id, purpose)


def _plain_id(document: Any) -> str:
    """Some answers name what they made otherwise: createImage `image_id`, an upload `os-volume_upload_image`."""
    found = document.get("image_id")
    inner = document.get("os-volume_upload_image")
    if isinstance(inner, dict):
        found = inner.get("image_id")
    return found if isinstance(found, str) else ""


def _unsure(error: NotDone) -> bool:
    return error.uncertain or error.cloud_status in _UNSURE


def _passes(error: NotDone | CloudError) -> bool:
    if isinstance(error, NotDone):
        return _unsure(error) or error.cloud_status in _LATER
    return error.kind in _UNREACHABLE or error.status in (*_LATER, *_UNSURE)
