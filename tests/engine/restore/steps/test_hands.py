"""Making, changing and removing effectively once, whatever the cloud answers and whenever the engine ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.gate.models import Answer, Call
from engine.gate.refusals import NotDone
from engine.jobs.models import Interrupted
from engine.restore.records import Records
from engine.restore.steps import hands
from engine.restore.steps.failing import Cancelled, Failed
from store.ops.ops import Ops

CALL = Call("sim", "one", "block-storage", "POST", "/volumes", {"volume": {}}, what="make a volume")
DELETE = Call("sim", "one", "block-storage", "DELETE", "/volumes/v1", what="remove it", key=("sim", "one", "v1"))


class Context:
    """Time that nobody waits for."""

    def __init__(self, work: Work) -> None:
        self.work, self.slept = work, 0.0

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.work.waited()

    def wait(self, check: Callable[[], Any], seconds: float, **paces: float) -> Any:
        return check() or (check() if seconds else None)


class Step:
    seq = 3


class Work:
    """What hands.py needs of a step; the cloud answers what is in `script`."""

    def __init__(self, records: Records) -> None:
        self.records, self.job_id, self.step = records, "job-1", Step()
        self.cloud, self.region, self.project_id = "sim", "one", "p1"
        self.context = Context(self)
        self.script: list[Any] = []
        self.sent = 0
        self.there: dict[str, Any] | None = None
        self.cancelled = self.stopping = False
        self.waited: Callable[[], object] = lambda: None

    def mark(self, purpose: str = "") -> str:
        return f"token-{purpose}"

    def look_up(self) -> None:
        if self.stopping:
            raise Interrupted
        if self.cancelled:
            raise Cancelled("cancelled")

    def perform(self, call: Call) -> Answer:
        self.sent += 1
        said = self.script.pop(0) if self.script else "made"
        if said in ("made", "lost", "500 done", "silent"):
            self.there = {"id": "v1"}
        if said == "lost":
            raise NotDone("no answer", uncertain=True)
        if said == "no answer":
            raise NotDone("no answer", uncertain=True)
        if said == "500 done":
            raise NotDone("broken", status=500)
        if isinstance(said, int):
            raise NotDone(f"says {said}", status=said, retry_after=0.01)
        return Answer(202, (), {} if said == "silent" else {"volume": {"id": "v1"}})

    def create(self) -> str:
        return hands.create(self, "volume:a", "volume", CALL, lambda: self.there, "a")  # type: ignore[arg-type]

    def act(self, is_so: Callable[[], bool], seconds: float = 60.0) -> None:
        hands.act(self, CALL, is_so, seconds)  # type: ignore[arg-type]

    def remove(self, call: Call = DELETE) -> None:
        hands.remove(self, "volume:a", call, lambda: self.there is None, 5.0)  # type: ignore[arg-type]


@pytest.fixture
def work(tmp_path: Path) -> Any:
    ops = Ops.open(tmp_path / "ops.sqlite")
    yield Work(Records(ops))
    ops.close()


@pytest.mark.parametrize(
    ("script", "sent"),
    [
        ([], 1),
        (["lost"], 1),
        (["500 done"], 1),
        (["silent"], 1),
        (["no answer"], 2),
        ([500], 2),
        ([503, 429, 401], 4),
        ([409, 409], 3),
    ],
    ids=str,
)
def test_it_is_made_once(work: Work, script: list[Any], sent: int) -> None:
    work.script = script
    assert work.create() == "v1" and work.sent == sent
    row = work.records.found("job-1", "volume:a")
    assert row is not None and (row["state"], row["id"], row["token"]) == ("made", "v1", "token-volume:a")
    # A second attempt of the step asks for nothing.
    assert work.create() == "v1" and work.sent == sent


@pytest.mark.parametrize("status", [400, 403, 404, 413])
def test_what_is_refused_fails_with_the_clouds_words(work: Work, status: int) -> None:
    work.script = [status]
    with pytest.raises(Failed, match=f"says {status}"):
        work.create()
    assert work.sent == 1
    row = work.records.found("job-1", "volume:a")
    assert row is not None and row["state"] == "removed", "nothing with this mark can be there"


def test_what_an_earlier_attempt_began_is_found_also_when_the_job_is_cancelled(work: Work) -> None:
    work.records.begin("job-1", 3, "volume:a", "volume", "token-volume:a", "a", ("sim", "one", ""), "p1")
    work.there, work.cancelled = {"id": "v1"}, True
    assert work.create() == "v1" and work.sent == 0


def test_nothing_is_begun_in_a_cancelled_job(work: Work) -> None:
    work.cancelled = True
    with pytest.raises(Cancelled):
        work.create()
    assert work.sent == 0 and work.records.found("job-1", "volume:a") is None


def test_a_conflict_that_stays_fails(work: Work) -> None:
    work.script = [409] * 20
    with pytest.raises(Failed, match="says 409"):
        work.create()
    assert work.sent <= 6


def test_a_change_that_is_there_is_not_sent(work: Work) -> None:
    work.act(lambda: True)
    assert work.sent == 0


@pytest.mark.parametrize(("script", "sent"), [([], 1), (["lost"], 1), (["no answer"], 2), ([409, 503], 3)], ids=str)
def test_a_change_is_sent_until_it_is_so(work: Work, script: list[Any], sent: int) -> None:
    work.script = script
    work.act(lambda: work.there is not None)
    assert work.sent == sent


def test_a_change_that_is_refused_because_it_is_done_is_no_failure(work: Work) -> None:
    work.script = [400]
    looks = iter([False, True])
    work.act(lambda: next(looks))
    assert work.sent == 1


def test_a_stopping_engine_leaves_the_rest_to_the_next_start(work: Work) -> None:
    work.script = [503] * 5
    work.waited = lambda: setattr(work, "stopping", True)
    with pytest.raises(Interrupted):
        work.create()
    row = work.records.found("job-1", "volume:a")
    assert row is not None and row["state"] == "begun", "it is looked for by whoever goes on"


def test_only_what_this_job_made_is_removed(work: Work) -> None:
    work.create()
    other = Call("sim", "one", "block-storage", "DELETE", "/volumes/v2", what="remove", key=("sim", "one", "v2"))
    sent = work.sent
    with pytest.raises(Failed, match="left alone"):
        work.remove(other)
    work.records.handed_over("job-1")
    with pytest.raises(Failed, match="left alone"):
        work.remove()
    assert work.sent == sent, "what is in use is no job's to remove"


def test_nothing_is_removed_that_was_never_noted(work: Work) -> None:
    work.there = {"id": "v1"}
    work.remove()
    assert work.sent == 0 and work.there


def test_it_is_removed_once_and_noted(work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    work.create()
    plain = work.perform

    def perform(call: Call) -> Answer:
        answer = plain(call)
        work.there = None
        return answer

    monkeypatch.setattr(work, "perform", perform)
    sent = work.sent
    work.remove()
    work.remove()
    row = work.records.found("job-1", "volume:a")
    assert work.sent == sent + 1 and row is not None and row["state"] == "removed"
