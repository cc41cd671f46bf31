"""A cell that does not answer is found out although Nova keeps silent about it, and with how many calls."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from engine.clouds.errors import CloudError, of_status
from engine.clouds.session import Answer
from engine.inventory.collector.cells import check_cells, is_bare
from engine.inventory.collector.tasks import Task
from engine.inventory.pages import BadPage, Degraded
from store.types import registry

BARE = {"id": "1", "status": "UNKNOWN", "tenant_id": "p", "created": "2026-01-01T00:00:00Z", "links": []}
BRIEF = {"id": "2", "name": "web-1", "links": []}
UP = {"id": "s", "binary": "nova-compute", "host": "a", "status": "enabled", "state": "up"}
DOWN = {"binary": "nova-compute", "host": "b", "status": "UNKNOWN"}
MORE = [{"rel": "next", "href": "http://nova/servers?marker=2"}]


@dataclass
class FakeCaller:
    """Answers by path; what is not there is refused with its number."""

    answers: Mapping[str, Any]
    asked: list[str] = field(default_factory=list)

    def get(self, url: str, headers: Mapping[str, str], what: str, read: Callable[[Answer], Any]) -> Any:
        parts = urlsplit(url)
        path = parts.path.removeprefix("/v2.1") + (f"?{parts.query}" if parts.query else "")
        assert headers == {"OpenStack-API-Version": "compute 2.96"}
        self.asked.append(path)
        answer = self.answers[path]
        if isinstance(answer, int):
            raise of_status(answer, b"", what)
        return read(Answer(200, {}, answer if isinstance(answer, bytes) else json.dumps(answer).encode()))


class FakeEndpoint:
    url = "http://nova/v2.1"

    def __init__(self, top: str) -> None:
        self.top = top


def check(answers: Mapping[str, Any], *, wide: bool, top: str = "2.96", vanished: Sequence[str] = ()) -> list[str]:
    """The calls made; raises what the check raises."""
    caller = FakeCaller(answers)
    task = Task(registry.ALL["server"], "r", "a", "all", wide, FakeEndpoint(top), None)  # type: ignore[arg-type]
    try:
        check_cells(caller, task, lambda: vanished)  # type: ignore[arg-type]
    finally:
        assert len(caller.asked) == len(set(caller.asked))
    return caller.asked


SERVICES, ALL, OWN = "/os-services", "/servers?all_tenants=1", "/servers"

FINE: list[tuple[bool, dict[str, Any], list[str]]] = [
    (True, {SERVICES: {"services": [UP]}}, [SERVICES]),
    (True, {SERVICES: 403, ALL: {"servers": [BRIEF]}}, [SERVICES, ALL]),
    (False, {OWN: {"servers": [BRIEF]}}, [OWN]),
    (False, {OWN: {"servers": []}}, [OWN]),
    (False, {OWN: {"servers": [BRIEF], "servers_links": MORE}}, [OWN]),
]


@pytest.mark.parametrize(("wide", "answers", "calls"), FINE)
def test_cells_that_answer_cost_one_call(wide: bool, answers: dict[str, Any], calls: list[str]) -> None:
    assert check(answers, wide=wide) == calls


SILENT: list[tuple[bool, dict[str, Any]]] = [
    (True, {SERVICES: {"services": [UP, DOWN]}}),
    (True, {SERVICES: 403, ALL: {"servers": [BRIEF, BARE]}}),
    (True, {SERVICES: 404, ALL: {"servers": [BARE]}}),
    (False, {OWN: {"servers": [BARE, BRIEF], "servers_links": MORE}}),
]


@pytest.mark.parametrize(("wide", "answers"), SILENT)
def test_a_cell_that_does_not_is_told(wide: bool, answers: dict[str, Any]) -> None:
    with pytest.raises(Degraded, match="a cell of the compute service does not answer"):
        check(answers, wide=wide)


def test_vanished_servers_are_looked_at_where_one_answer_does_not_hold_all() -> None:
    full = {"servers": [BRIEF], "servers_links": MORE}
    many = [str(number) for number in range(1000)]
    gone = {f"/servers/{id}": 404 for id in many}
    calls = check({OWN: full, **gone}, wide=False, vanished=many)
    assert len(calls) == 11
    known = {"server": {**BARE, "flavor": {}, "name": "unmapped"}}
    assert check({OWN: full, "/servers/7": known}, wide=False, vanished=["7"]) == [OWN, "/servers/7"]
    with pytest.raises(Degraded):
        check({OWN: full, **gone, "/servers/900": {"server": BARE}}, wide=False, vanished=many)


@pytest.mark.parametrize("top", ["", "2.1", "2.68"])
def test_an_older_nova_is_not_asked(top: str) -> None:
    assert check({}, wide=True, top=top) == []


@pytest.mark.parametrize(
    ("answer", "error"), [(500, CloudError), (b"{", BadPage), ({"servers": []}, BadPage), ({"services": 3}, BadPage)]
)
def test_an_answer_that_tells_nothing_is_no_all_clear(answer: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        check({SERVICES: answer}, wide=True)


@pytest.mark.parametrize(
    ("type", "row", "bare"),
    [
        ("server", BARE, True),
        ("server", {**BARE, "flavor": {}}, False),
        ("server", {"id": "1", "status": "ACTIVE"}, False),
        ("compute_service", DOWN, True),
        ("compute_service", UP, False),
        ("volume", {"id": "1", "status": "UNKNOWN"}, False),
    ],
)
def test_rows_that_stand_for_what_is_not_known(type: str, row: dict[str, Any], bare: bool) -> None:
    assert is_bare(type, row) is bare
