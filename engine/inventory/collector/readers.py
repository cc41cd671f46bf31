"""How each type's rows are read: the plain list, and the few types that need more than one call. A reader yields pages
of documents."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import Any
from urllib.parse import quote

from engine.clouds.errors import CloudError
from engine.clouds.session import Answer, microversion_header
from engine.inventory.collector.calls import Caller, Cancelled, check
from engine.inventory.collector.source import Source, background, wait_for
from engine.inventory.collector.tasks import Options, Task
from engine.inventory.courtesy import step_aside
from engine.inventory.pages import WITHOUT_LINKS, NotWhole, Page, Pager, address, parse

Rows = list[Any]

_AHEAD = 3  # pages read and not yet used: memory against waiting


@dataclass(slots=True)
class Reading:
    """What a reader needs: the task, the account, limits, and ids of rows that other types brought (projects,
    domains)."""

    task: Task
    source: Source
    options: Options
    stop: threading.Event
    ids: Callable[[str], Sequence[str]]

    @property
    def what(self) -> str:
        """The list's name in sentences."""
        return self.task.type.title.lower()


def read(reading: Reading) -> Iterator[Rows]:
    """All rows of the task's list, page by page. Raises CloudError, BadPage, NotWhole, Cancelled."""
    reader = _READERS.get(reading.task.type.name, plain)
    yield from reader(reading)


def plain(reading: Reading, path: str = "", extra: tuple[tuple[str, str], ...] = ()) -> Iterator[Rows]:
    """One list to its very end; the next pages are on their way while this one is being used."""
    task, listing = reading.task, reading.task.type.listing
    limit = min(listing.page, reading.options.page or listing.page)
    links = task.type.name not in WITHOUT_LINKS
    pager = Pager((*task.fixed(), *extra), limit, listing.paging, links)
    caller = reading.source.caller(listing.service, task.region)
    headers = microversion_header(listing.service, task.microversion)
    path = path or task.path()

    ready: Queue[Rows | None] = Queue(maxsize=_AHEAD)
    left = threading.Event()  # nobody waits for pages any more

    def fetch() -> None:
        more = True
        while more and not left.is_set():
            page = _page(reading, caller, headers, path, pager)
            more = pager.take(page)
            _put(ready, page.rows, left)
        if pager.truncated:
            raise NotWhole("the service says that it left rows out (truncated)")

    fetching = background(fetch)
    try:
        while (rows := _next(ready, fetching, reading.stop)) is not None:
            yield rows
    finally:
        left.set()


def _put(ready: Queue[Rows | None], rows: Rows, left: threading.Event) -> None:
    while not left.is_set():
        try:
            ready.put(rows, timeout=0.2)
            return
        except Full:
            continue


def _next(ready: Queue[Rows | None], fetching: Future[None], stop: threading.Event) -> Rows | None:
    """The next page; None when the list has ended. Raises what the fetching raised, once every page before was used."""
    while True:
        ended = fetching.done()
        try:
            return ready.get(timeout=0.001 if ended else 0.05)
        except Empty:
            if ended:
                fetching.result()
                return None
            check(stop)


def _page(reading: Reading, caller: Caller, headers: dict[str, str], path: str, pager: Pager) -> Page:
    listing = reading.task.type.listing

    def understand(answer: Answer) -> Page:
        step_aside()
        return parse(answer.body, listing.key, listing.wrapper)

    while True:
        url = address(reading.task.endpoint.url, path, pager.query())
        try:
            return caller.get(url, headers, reading.what, understand)
        except CloudError as error:
            if error.status not in (400, 404) or not pager.marker:
                raise
            # The row that marked our place was deleted since.
            if not pager.lost():
                raise NotWhole("the list was changing too fast to keep the place in it") from None


def users(reading: Reading) -> Iterator[Rows]:
    """Users and groups, one call per domain: domains may have back ends of their own, which a call for all leaves
    out."""
    domains = reading.ids("domain")
    if not domains:
        yield from plain(reading)
        return
    failed: list[str] = []
    for domain in domains:
        try:
            yield from plain(reading, extra=(("domain_id", domain),))
        except CloudError as error:
            if error.status in (401, 403) or error.kind == "timeout":
                raise
            failed.append(str(error))
    if failed:
        raise NotWhole(f"{len(failed)} of {len(domains)} domains could not be read: {failed[0]}")


def role_assignments(reading: Reading) -> Iterator[Rows]:
    """With names; without them where that fails (one unreachable user directory is enough)."""
    sent = 0
    try:
        for rows in plain(reading):
            sent += len(rows)
            yield rows
        return
    except CloudError as error:
        if sent or error.status is None or error.status in (401, 403, 404):
            raise
    listing = reading.task.type.listing
    bare = tuple((name, value) for name, value in listing.query if name != "include_names")
    task = reading.task
    caller = reading.source.caller(listing.service, task.region)
    pager = Pager(bare, 0)
    more = True
    while more:
        page = wait_for(background(lambda: _page(reading, caller, {}, task.path(), pager)), reading.stop)
        more = pager.take(page)
        yield page.rows
    if pager.truncated:
        raise NotWhole("the service says that it left rows out (truncated)")


def own(path: str) -> Callable[[Reading], Iterator[Rows]]:
    """All rows if the account may list them; else those it belongs to, which says nothing about the others."""

    def reader(reading: Reading) -> Iterator[Rows]:
        try:
            yield from plain(reading)
            return
        except CloudError as error:
            if error.status != 403:
                raise
        yield from plain(reading, path)

    return reader


def zones(reading: Reading) -> Iterator[Rows]:
    """Availability zones with their hosts, or without where only an administrator sees those."""
    try:
        yield from plain(reading)
    except CloudError as error:
        if error.status != 403:
            raise
        yield from plain(reading, reading.task.path().removesuffix("/detail"))


def messages(reading: Reading) -> Iterator[Rows]:
    """Messages about one resource. A Cinder too old to look for them (3.5) answers those about others too."""
    wanted = dict(reading.task.fixed())["resource_uuid"]
    for rows in plain(reading):
        yield [row for row in rows if not isinstance(row, dict) or row.get("resource_uuid") == wanted]


# Quota and usage: (name in the document, service, path, key of the answer).
_QUOTAS = (
    ("compute", "compute", "/os-quota-sets/{project}/detail", "quota_set"),
    ("volume", "block-storage", "/os-quota-sets/{project}?usage=true", "quota_set"),
    ("network", "network", "/quotas/{project}/details.json", "quota"),
)
_TURN = 300.0  # seconds after which it is other projects' turn


def quota_projects(reading: Reading) -> list[str]:
    """Projects whose quota is read this time: all, or as many as the call budget allows, taking turns."""
    if reading.task.scope != "all":
        return [reading.task.scope]
    projects = sorted(reading.ids("project"))
    most = max(1, reading.options.per_project_calls // len(_QUOTAS))
    if len(projects) <= most:
        return projects
    start = int(time.time() // _TURN) * most % len(projects)
    return (projects + projects)[start : start + most]


def quotas(reading: Reading) -> Iterator[Rows]:
    """Limits and usage, three calls a project, side by side."""
    task = reading.task
    projects = quota_projects(reading)
    services = []
    for one in _QUOTAS:
        error = reading.source.service(one[1], task.region).error
        if error is None:
            services.append(one)
        elif error.kind != "no_service":
            raise error  # half a quota would look like a change
    with ThreadPoolExecutor(reading.options.projects, thread_name_prefix="collect-quota") as pool:
        futures = [pool.submit(_quota, reading, project, services) for project in projects]
        try:
            for future in futures:
                document = wait_for(future, reading.stop)
                if document is not None:
                    yield [document]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _quota(reading: Reading, project: str, services: Sequence[tuple[str, str, str, str]]) -> dict[str, Any] | None:
    import orjson

    from store.types.derive import quota_document

    answers: dict[str, Any] = {}
    for name, service, path, key in services:
        found = reading.source.service(service, reading.task.region)
        if found.endpoint is None or reading.stop.is_set():
            raise Cancelled
        url = address(found.endpoint.url, path.format(project=project), [])
        caller = reading.source.caller(service, reading.task.region)
        version = reading.task.microversion if service == "compute" else ""
        try:
            answers[name] = caller.get(
                url, microversion_header(service, version), f"quotas of {service}", lambda a: orjson.loads(a.body)
            ).get(key)
        except CloudError as error:
            # A project that is just being deleted, or a service without quotas for it.
            if error.status not in (400, 404):
                raise
    return quota_document(project, answers) if answers else None


_READERS: dict[str, Callable[[Reading], Iterator[Rows]]] = {
    "user": users,
    "group": users,
    "role_assignment": role_assignments,
    "project": own("/auth/projects"),
    "availability_zone": zones,
    "quota": quotas,
    "cinder_message": messages,
}


def several(reading: Reading, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Documents of single resources, read side by side; those that are gone are left out."""
    service = reading.task.type.listing.service
    caller = reading.source.caller(service, reading.task.region)
    with ThreadPoolExecutor(reading.options.per_service, thread_name_prefix="collect-one") as pool:
        futures = [pool.submit(one, caller, reading.task, id) for id in ids]
        try:
            for future in futures:
                document = wait_for(future, reading.stop)
                if document is not None:
                    yield document
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


# Fields that a service shows of a single resource and not in its lists: left out, so that both tell the same.
_ONE_ONLY = {"server": ("server_groups",)}


def one(caller: Caller, task: Task, id: str) -> dict[str, Any] | None:
    """The document of a single resource; None when it is gone."""
    import orjson

    listing = task.type.listing
    path = f"{listing.path.removesuffix('/detail')}/{quote(id, safe='')}"
    url = address(task.endpoint.url, path, [])
    headers = microversion_header(listing.service, task.microversion)
    try:
        answer = caller.get(url, headers, task.type.title.lower(), lambda a: orjson.loads(a.body))
    except CloudError as error:
        if error.status == 404:
            return None
        raise
    inner = list(answer.values()) if isinstance(answer, dict) and len(answer) == 1 else [answer]
    if not isinstance(inner[0], dict):
        return None
    return {key: value for key, value in inner[0].items() if key not in _ONE_ONLY.get(task.type.name, ())}
