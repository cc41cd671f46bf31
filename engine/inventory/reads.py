"""Reading what is stored: windows, single resources, states of listings; within what the caller may see.

DuckDB's calls block, so they run on a few threads of our own: more would only fight for the same two cores, and the
event loop stays free.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from engine.access.models import Caller
from engine.api.errors import BadRequest, NotFound, Unavailable
from engine.inventory.courtesy import answering
from store import times
from store.estate.decisions import in_force
from store.estate.reading import single, windows
from store.estate.reading.fetching import types_shown
from store.estate.reading.hints import Hints
from store.estate.reading.models import Key, Scope, UnknownColumn, Window
from store.estate.reading.orders import Orders, Versions
from store.filters import FilterError
from store.types import registry
from store.types.declaration import ResourceType

if TYPE_CHECKING:
    import duckdb

    from store.estate.estate import Estate

T = TypeVar("T")
THREADS = 3
_STATES_KEPT_SECONDS = 0.5


class InventoryReads:
    """Reads of one estate. `run` is awaited by routes; everything else blocks and is safe on any thread."""

    def __init__(self, estate: Estate, *, clock: Callable[[], datetime] = times.utcnow) -> None:
        self.estate = estate
        self.clock = clock
        self.closed = False
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="read")
        self._hints = Hints()
        self._orders = Orders()
        self._states: tuple[float, int, list[dict[str, Any]]] | None = None
        self._states_lock = threading.Lock()

    def close(self) -> None:
        """Let running reads end; no more are taken."""
        self.closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def run(self, function: Callable[..., T], *arguments: Any) -> Awaitable[T]:
        """The function's answer, computed on one of the reading threads; collections step aside meanwhile."""

        async def answer() -> T:
            with answering():
                return await asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

        return answer()

    def read(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        """Run work on a reading connection, all of whose statements see the same state.

        Raises BadRequest for a filter or column that does not exist or cannot be evaluated, Unavailable when memory is
        short or the store is being closed.
        """
        import duckdb

        try:
            with self.estate.reader() as connection:
                connection.execute("BEGIN TRANSACTION READ ONLY")
                answer = work(connection)
                connection.execute("COMMIT")
                return answer
        except FilterError as error:
            raise BadRequest(
                f"Invalid parameter: filter: {error.message} (at character {error.position + 1})"
            ) from None
        except UnknownColumn as error:
            raise BadRequest(f"Invalid parameter: {error.args[0]}") from None
        except duckdb.OutOfMemoryException:
            raise Unavailable(
                "the store has not enough memory for this list just now: narrow it with a filter"
            ) from None
        except (duckdb.InterruptException, duckdb.ConnectionException):
            raise Unavailable("the engine is stopping: ask again when it runs") from None
        except (duckdb.InvalidInputException, duckdb.OutOfRangeException, duckdb.ConversionException) as error:
            sentence = str(error).splitlines()[0][:200]
            raise BadRequest(f"Invalid parameter: the filter cannot be evaluated: {sentence}") from None

    # Windows

    def window(self, window: Window) -> dict[str, Any]:
        """The rows around the anchor, with the data's version, its age and the listings that are not well."""
        versions, now = self._versions(window), self.clock()

        def work(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
            kept = self._orders.window(connection, window, now, versions)
            return kept or windows.read_window(connection, window, now, self._hints)

        answer = self._ready_rows(window, versions) or self.read(work)
        return self._told(window, answer, versions, self._all_states())

    def ready_window(self, window: Window) -> dict[str, Any] | None:
        """The answer of `window` when everything it says is in memory, else None; does not block."""
        states, versions = self._recent_states(), self._versions(window)
        answer = None if states is None else self._ready_rows(window, versions)
        return self._told(window, answer, versions, states) if answer and states is not None else None

    def _ready_rows(self, window: Window, versions: Versions) -> dict[str, Any] | None:
        """The window's rows when all of them are in memory, else None; does not block."""
        try:
            return self._orders.window(None, window, self.clock(), versions)
        except (FilterError, UnknownColumn):
            return None  # reading them says what is wrong

    def position(self, window: Window) -> dict[str, Any]:
        """Total and the anchor's rank."""
        versions, now = self._versions(window), self.clock()

        def work(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
            kept = self._orders.position(connection, window, now, versions)
            return kept or windows.position(connection, window, now)

        return {**self.read(work), "data_version": versions.type}

    def _versions(self, window: Window) -> Versions:
        try:
            types = types_shown(window.type, window.columns)
        except UnknownColumn:
            types = ()  # reading the list says which
        version = self.estate.data_version
        return Versions(version(window.type), tuple(version(type) for type in types))

    def _told(
        self, window: Window, answer: dict[str, Any], versions: Versions, states: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """The answer with what a reader of its rows has to know."""
        visible = self._aged(states, visible_clouds(window.scope)) if window.at is None else []
        return {
            **answer,
            "at": window.at,
            "data_version": versions.type,
            "data_age_seconds": _age_of(window.type, visible),
            "states": _unwell(window.type, visible),
        }

    def page(self, window: Window, offset: int, limit: int) -> tuple[int, list[str], list[list[Any]]]:
        """(total, columns, rows) from `offset` on."""
        return self.read(lambda connection: windows.read_page(connection, window, offset, limit, self.clock()))

    # Single resources

    def resource(self, type: ResourceType, key: Key, at: datetime | None, scope: Scope) -> dict[str, Any]:
        """One resource with its links and the listing that saw it last. Raises NotFound."""

        def work(connection: duckdb.DuckDBPyConnection) -> dict[str, Any] | None:
            one = single.read_one(connection, type, key, at, scope)
            if one is not None:
                one["links"] = single.links(connection, one, at, scope)
            return one

        found = self.read(work)
        if found is None:
            raise NotFound(f"there is no {type.name} {key[2]!r:.80}" + (" at that time" if at else ""))
        found["listing"] = self._listing(type.name, key[0], key[1])
        return found

    def keys(self, type: ResourceType, id: str, at: datetime | None, scope: Scope) -> list[Key]:
        """Keys of the resources with exactly this id, also of one that is gone; one per cloud and region."""
        return self.read(lambda connection: single.keys_of(connection, type, id, at, scope))

    def candidates(
        self, types: Iterable[ResourceType], reference: str, at: datetime | None, scope: Scope
    ) -> list[dict[str, Any]]:
        """See store.estate.reading.single.candidates."""
        return self.read(lambda connection: single.candidates(connection, types, reference, at, scope))

    # Listings

    def states(self, clouds: tuple[str, ...] | None = None) -> list[dict[str, Any]]:
        """State of every listing, with its age: see Estate.states. Half a second old at most."""
        return self._aged(self._all_states(), clouds)

    def age(self, type: str, clouds: tuple[str, ...] | None) -> float | None:
        """Seconds since the type was last listed whole, of the cloud where that is longest ago; None when never."""
        return _age_of(type, self.states(clouds))

    def unwell(self, type: str, clouds: tuple[str, ...] | None) -> list[dict[str, Any]]:
        """The type's listings whose state is not ok: what a reader of the rows has to know."""
        return _unwell(type, self.states(clouds))

    def _recent_states(self) -> list[dict[str, Any]] | None:
        known = self._states
        if known is None or time.monotonic() - known[0] > _STATES_KEPT_SECONDS:
            return None
        # Who was told of a change asks at once: what was kept from before it would be the last that he hears.
        return known[2] if known[1] == self.estate.data_version() else None

    def _all_states(self) -> list[dict[str, Any]]:
        with self._states_lock:
            states = self._recent_states()
            if states is None:
                version = self.estate.data_version()
                states = in_force(self.estate.states())
                self._states = (time.monotonic(), version, states)
            return states

    def _aged(self, states: list[dict[str, Any]], clouds: tuple[str, ...] | None) -> list[dict[str, Any]]:
        now = self.clock()
        return [
            {**state, "age_seconds": _age(now, state["fresh_ended_at"])}
            for state in states
            if clouds is None or state["cloud"] in clouds
        ]

    def _listing(self, type: str, cloud: str, region: str) -> dict[str, Any] | None:
        names = ("state", "reason", "scope", "ended_at", "fresh_ended_at", "whole_ended_at", "age_seconds", "seen_by")
        for state in self.states((cloud,)):
            if state["type"] == type and state["region"] == region:
                return {name: state[name] for name in names}
        return None


def _age(now: datetime, at: datetime | None) -> float | None:
    return None if at is None else max(0.0, round((now - at).total_seconds(), 3))


def _age_of(type: str, states: Iterable[dict[str, Any]]) -> float | None:
    ages = [s["age_seconds"] for s in states if s["type"] == type and s["age_seconds"] is not None]
    return max(ages, default=None)


def _unwell(type: str, states: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    names = ("cloud", "region", "scope", "state", "reason", "missing", "age_seconds")
    return [{name: s[name] for name in names} for s in states if s["type"] == type and s["state"] != "ok"]


def scope_of(
    caller: Caller,
    clouds: Iterable[str] | None = None,
    regions: Iterable[str] | None = None,
    projects: Iterable[str] | None = None,
) -> Scope:
    """The limits of the caller's role and the choice of the request. An empty choice is none."""
    return Scope(
        clouds=caller.clouds,
        projects=caller.projects,
        domains=caller.domains,
        in_clouds=tuple(clouds) if clouds else None,
        in_regions=tuple(regions) if regions else None,
        in_projects=tuple(projects) if projects else None,
    )


def visible_clouds(scope: Scope) -> tuple[str, ...] | None:
    """Clouds that lie within limit and choice; None = all."""
    if scope.clouds is None or scope.in_clouds is None:
        return scope.clouds if scope.in_clouds is None else scope.in_clouds
    return tuple(cloud for cloud in scope.in_clouds if cloud in scope.clouds)


def find_type(word: str) -> ResourceType:
    """The type called so. Raises BadRequest."""
    try:
        return registry.find(word)
    except KeyError as error:
        raise BadRequest(f"Invalid parameter: type: {error.args[0]}") from None


def moment(text: str | None, now: datetime) -> datetime | None:
    """A time parameter; None for none. Raises BadRequest for what is no time, or lies in the future."""
    if text is None:
        return None
    try:
        at = times.parse(text)
    except ValueError as error:
        raise BadRequest(f"Invalid parameter: at: {error}") from None
    if at > now:
        raise BadRequest("Invalid parameter: at lies in the future; only the past and the present are stored")
    return at


def in_region(scope: Scope, region: str | None) -> Scope:
    """The scope with a choice of one region ('' = resources of no region) when one is given."""
    return scope if region is None else replace(scope, in_regions=(region,))
