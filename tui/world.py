"""What the console knows about the engine and its clouds; shared by all panes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tui.keymap import Keymap

if TYPE_CHECKING:
    from asyncio import Event


class Client(Protocol):
    """The engine's client, as far as the console uses it."""

    async def get(self, path: str, params: Any = None) -> Any: ...
    async def post(self, path: str, json: Any = None) -> Any: ...
    async def put(self, path: str, json: Any = None) -> Any: ...
    async def delete(self, path: str) -> Any: ...


@dataclass(slots=True)
class World:
    """The engine behind a client that may not be there yet: calls wait until it is.

    columns        chosen columns of lists, by type
    offline_since  loop time when the engine stopped answering, None while it answers
    demo           in a demo: {"state": "starting", "past", "ready" or "failed", "problem": text}; empty otherwise
    engine_known   whether the engine has said if it is a demo's
    cells          width of the screen
    keymap         the keys in force
    said           what the console said in this session: (time, words), the oldest first
    why_not        why actions can't be done on the view that the help is about, by id
    me             who the engine takes us for (GET /q/whoami); {} until that was asked
    jobs           jobs of mine by id, as they were last told, the oldest first
    job_alert      (id of a job that failed and nobody looked at yet, words about it); ("", "") = none
    problem_alert  the same for a critical problem that is new
    problem_counts problems that are not muted by severity, as they were last told; {} until then
    boards         answers that boards are made of, by view: whoever comes back sees them until newer ones are there
    names          names of resources by (type, *key) that a key led away from
    answers        the copilot's latest answers by id of the question: {"question": ..., "answer": ...}
    copilot        what it said of itself: "status", "chips", "asked", as the engine answered
    """

    client: Client | None = None
    clouds: list[dict[str, Any]] = field(default_factory=list)
    clouds_known: bool = False
    collections: list[dict[str, Any]] = field(default_factory=list)
    columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    offline_since: float | None = None
    offline_reason: str = ""
    demo: dict[str, str] = field(default_factory=dict)
    engine_known: bool = False
    cells: int = 80
    keymap: Keymap = field(default_factory=Keymap)
    said: list[tuple[str, str]] = field(default_factory=list)
    why_not: dict[str, str] = field(default_factory=dict)
    me: dict[str, Any] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    job_alert: tuple[str, str] = ("", "")
    problem_alert: tuple[str, str] = ("", "")
    problem_counts: dict[str, int] = field(default_factory=dict)
    boards: dict[tuple[Any, ...], dict[str, Any]] = field(default_factory=dict)
    names: dict[tuple[str, ...], str] = field(default_factory=dict)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    copilot: dict[str, Any] = field(default_factory=dict)
    first_answers: dict[str, Any] = field(default_factory=dict)
    _ready: Event | None = None  # of the calls that wait for the client

    def connected(self, client: Client) -> None:
        """The client is there: waiting calls go on."""
        self.client = client
        if self._ready is not None:
            self._ready.set()

    async def _there(self) -> Client:
        """The client, once it is there."""
        if self.client is None:
            from asyncio import Event  # here: the first frame is painted without a loop

            self._ready = self._ready or Event()
            await self._ready.wait()
        assert self.client is not None
        return self.client

    async def get(self, path: str, params: Any = None) -> Any:
        """See the client. What was asked while the console was loading is not asked again, once."""
        early = self.first_answers.get(path)
        if early is not None and early[0] == params:
            return self.first_answers.pop(path)[1]
        return await (await self._there()).get(path, params=params)

    async def post(self, path: str, json: Any = None) -> Any:
        """See the client. An answer that was fetched while the console was loading is used once."""
        if path == "/q/windows" and (early := self.first_answers.pop(path, None)) is not None:
            body, answer = early
            if _asks(body) == _asks(json):
                return answer
        return await (await self._there()).post(path, json=json)

    async def put(self, path: str, json: Any = None) -> Any:
        """See the client."""
        return await (await self._there()).put(path, json=json)

    async def delete(self, path: str) -> Any:
        """See the client."""
        return await (await self._there()).delete(path)

    def take_clouds(self, answer: Any) -> None:
        """Remember what `GET /q/clouds` says."""
        self.clouds = [c for c in answer.get("items") or [] if isinstance(c, dict)]
        self.clouds_known = True

    def take_engine(self, answer: Any) -> None:
        """Remember what `GET /q/engine` says of a demo. Older engines only say that they are one, or nothing."""
        told = answer.get("demo") if isinstance(answer, dict) else None
        if isinstance(told, dict):
            self.demo = {name: str(told.get(name) or "") for name in ("state", "problem")}
            past = told.get("past")
            if isinstance(past, dict) and isinstance(past.get("done"), int) and isinstance(past.get("days"), int):
                self.demo["past"] = f"{past['done']} of {past['days']} days"
        else:
            self.demo = {"state": "ready", "problem": ""} if told is True else {}
        self.engine_known = True

    @property
    def demo_state(self) -> str:
        """How far the demo is; "" when this is none."""
        return self.demo.get("state", "")

    @property
    def several_clouds(self) -> bool:
        """Whether a list must say which cloud a row is of."""
        return len(self.clouds) > 1

    @property
    def running(self) -> dict[str, Any] | None:
        """The collection that runs, if one does."""
        return next((c for c in self.collections if c.get("state") in ("running", "queued")), None)

    @property
    def running_job(self) -> dict[str, Any] | None:
        """The newest job of mine that has not ended."""
        return next(
            (j for j in reversed(self.jobs.values()) if j.get("state") in ("queued", "running", "waiting")), None
        )

    def cloud(self, name: str) -> dict[str, Any] | None:
        """What is known about a cloud."""
        return next((c for c in self.clouds if c.get("name") == name), None)

    def count(self, type_name: str, clouds: tuple[str, ...] = ()) -> int | None:
        """Rows of a type in these clouds (none named: all); None when no cloud says."""
        rows = [c.get("rows") or {} for c in self.clouds if not clouds or c.get("name") in clouds]
        known = [r[type_name] for r in rows if isinstance(r.get(type_name), int)]
        return sum(known) if known else None


def _asks(body: dict[str, Any]) -> dict[str, Any]:
    """What a window's question is about, however many rows it asks for."""
    return {name: value for name, value in body.items() if name not in ("before", "after")}
