"""Nova's diagnostics as a source: counters become percentages, machines take turns, hosts need all of theirs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from engine.clouds.errors import CloudError
from engine.dashboard import diagnostics
from engine.dashboard.diagnostics import Counter, Diagnostics, counter, cpu_percent, memory_percent
from engine.dashboard.utilisation import Key, Reading

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def answer(*times: int, driver: str = "vmwareapi", used: int | None = 512, **more: Any) -> dict[str, Any]:
    """As Nova answers from 2.48 on."""
    details = [{"id": n, "time": time, "utilisation": None} for n, time in enumerate(times)]
    return {"state": "running", "driver": driver, "cpu_details": details, "num_cpus": len(times),
            "memory_details": {"maximum": 2048, "used": used}, **more}  # fmt: skip


@pytest.mark.parametrize(
    ("before", "seconds", "times", "expected"),
    [
        (None, 60, (1, 2), None),
        ((0, 2), 60, (30_000_000_000, 30_000_000_000), 50.0),
        ((0, 2), 60, (0, 0), 0.0),
        ((0, 1), 10, (99_000_000_000,), 100.0),  # clocks that differ
        ((10**12, 2), 60, (5, 5), None),  # started again
        ((0, 1), 60, (30_000_000_000, 0), None),  # resized
        ((0, 2), 0.5, (1, 1), None),  # too soon to say
    ],
)
def test_cpu(before: tuple[int, int] | None, seconds: float, times: tuple[int, ...], expected: float | None) -> None:
    now = counter(answer(*times), NOW)
    then = Counter(*before, NOW - timedelta(seconds=seconds)) if before else None
    assert cpu_percent(answer(*times), now, then) == (None if expected is None else pytest.approx(expected))


def test_what_the_hypervisor_says_itself() -> None:
    details = [{"time": None, "utilisation": 40}, {"time": None, "utilisation": 60}]
    assert cpu_percent(answer(cpu_details=details), None, None) == 50.0


@pytest.mark.parametrize(
    "odd", [{}, {"cpu_details": None}, {"cpu_details": [7, {"time": True}]}, {"cpu_details": [{}]}]
)
def test_answers_without_cpu(odd: dict[str, Any]) -> None:
    assert counter(odd, NOW) is None and cpu_percent(odd, None, None) is None


@pytest.mark.parametrize(
    ("driver", "used", "expected"),
    [("vmwareapi", 512, 25.0), ("libvirt", 2048, None), ("vmwareapi", None, None), ("vmwareapi", 9999, None)],
)
def test_memory(driver: str, used: int | None, expected: float | None) -> None:
    assert memory_percent(answer(1, driver=driver, used=used)) == expected


def machine(id: str, host: str = "cmp-1", vcpus: int = 2) -> dict[str, Any]:
    return {"cloud": "prod", "region": "one", "id": id, "host": host, "vcpus": vcpus, "ram_mb": 1024}


def key(id: str) -> Key:
    return ("prod", "one", id)


def test_a_host_is_its_machines_when_all_are_known() -> None:
    hosts = [{"cloud": "prod", "region": "one", "id": f"h{n}", "name": f"cmp-{n}", "vcpus": 8, "memory_mb": 4096}
             for n in (1, 2, 3)]  # fmt: skip
    machines = [machine("a"), machine("b", vcpus=4), machine("c", "cmp-2"), machine("d", "cmp-2")]
    readings = {
        key("a"): Reading(50.0, 100.0, NOW),
        key("b"): Reading(25.0, None, NOW),
        key("c"): Reading(9.0, 9.0, NOW),
    }
    found = diagnostics.of_hosts(hosts, machines, readings, NOW)
    # 2 x 50 % and 4 x 25 % of 8 vCPUs; memory of b is not known; cmp-2 has an unknown machine, cmp-3 none.
    assert found == {key("h1"): Reading(25.0, None, NOW)}


class Nova:
    """Stands for CloudService with one account whose Nova answers by the machine's id."""

    def __init__(self, answers: dict[str, tuple[int, Any]], accounts: int = 1) -> None:
        self.answers, self.number = answers, accounts
        self.asked: list[str] = []

    def accounts(self, cloud: str) -> list[int]:
        return list(range(self.number))

    def connect(self, account: int) -> Any:
        session = SimpleNamespace(
            endpoint=lambda service, region: SimpleNamespace(url="http://nova", top="2.96"),
            get=self.get,
            close=lambda: None,
        )
        return SimpleNamespace(session=session)

    def get(self, url: str, headers: dict[str, str], max_bytes: int) -> Any:
        assert headers == {"OpenStack-API-Version": "compute 2.48"}
        id = url.split("/")[-2]
        self.asked.append(id)
        status, body = self.answers.get(id, (200, answer(1)))
        return SimpleNamespace(status=status, body=body if isinstance(body, bytes) else orjson.dumps(body))


def test_machines_take_turns_within_the_budget() -> None:
    nova: Any = Nova({})
    asking, machines = Diagnostics(nova), [machine(id) for id in "edcba"]
    for _ in range(3):
        asking.measure("prod", machines, 2, NOW)
    assert nova.asked == ["a", "b", "c", "d", "e", "a"]
    asking.measure("prod", [machine(id) for id in "xyz"], 9, NOW)
    assert nova.asked[6:] == ["x", "y", "z"]
    assert asking.measure("prod", [], 9, NOW) == {}


def test_the_second_answer_gives_cpu() -> None:
    answers: dict[str, tuple[int, Any]] = {"a": (200, answer(0, driver="libvirt")), "b": (409, {}), "c": (404, {})}
    nova: Any = Nova(answers)
    asking, machines = Diagnostics(nova), [machine(id) for id in "abc"]
    assert asking.measure("prod", machines, 1, NOW) == {}, "a counter alone says nothing"
    assert asking.learning
    answers["a"] = (200, answer(15_000_000_000, driver="libvirt"))
    later = NOW + timedelta(seconds=60)
    assert asking.measure("prod", machines, 1, later) == {key("a"): Reading(pytest.approx(25.0), None, later)}, (
        "the same one"
    )
    assert not asking.learning


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [(403, {"forbidden": {"message": "Policy"}}, "not permitted"), (200, b"<", "could not be read"), (500, {}, "500")],
)
def test_a_cloud_that_does_not_tell(status: int, body: Any, sentence: str) -> None:
    nova: Any = Nova({"a": (status, body)}, accounts=2)
    with pytest.raises(CloudError, match=sentence):
        Diagnostics(nova).measure("prod", [machine("a")], 9, NOW)
    nobody: Any = Nova({}, accounts=0)
    with pytest.raises(CloudError, match="no account of prod"):
        Diagnostics(nobody).measure("prod", [machine("a")], 9, NOW)


def test_machines_that_never_tell_are_not_asked_in_haste() -> None:
    nova: Any = Nova({id: (200, {"cpu_details": []}) for id in "ab"})
    asking = Diagnostics(nova)
    for _ in range(2):
        assert asking.measure("prod", [machine("a"), machine("b")], 1, NOW) == {}
        assert not asking.learning
    assert nova.asked == ["a", "b"]
