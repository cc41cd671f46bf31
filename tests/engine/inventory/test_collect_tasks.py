"""Who reads what, whole or as a delta; what a collection's state is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.clouds.rules import Candidate, Probe, granted, refusal, share_out
from engine.clouds.session import Endpoint, Token
from engine.inventory.collector.tasks import Before, Options, Progress, Task, in_order, overall, since, worst
from store.types import registry

NOW = datetime(2026, 2, 8, 9, 0, tzinfo=UTC)


def token(*roles: str, scope: str = "project:p1", user: str = "u") -> Token:
    return Token(user, user, scope, "", tuple(sorted(roles)))


ADMIN, MEMBER, READER = token("admin", "member", "reader"), token("member", "reader"), token("reader")
SYSTEM, DOMAIN = token("admin", scope="system"), token("admin", scope="domain:d")

GRANTED: list[tuple[str, Token, int, bool]] = [
    ("compute", ADMIN, 200, True),
    ("compute", MEMBER, 403, False),
    ("block-storage", ADMIN, 200, True),
    ("block-storage", MEMBER, 403, False),
    ("network", ADMIN, 200, True),
    ("network", READER, 403, False),
    ("network", SYSTEM, 200, False),  # 200 with nothing: not to be believed
    ("image", ADMIN, 200, True),
    ("image", ADMIN, 404, True),  # no such probe: roles decide
    ("image", MEMBER, 404, False),
    ("identity", SYSTEM, 200, True),
    ("identity", DOMAIN, 200, False),
    ("identity", MEMBER, 403, False),
    ("compute", token("cloud_reader"), 200, True),  # a policy of the cloud's own
]


@pytest.mark.parametrize(("service", "who", "status", "expected"), GRANTED)
def test_all_projects_is_granted_by_the_probe_and_not_by_the_list(
    service: str, who: Token, status: int, expected: bool
) -> None:
    assert granted(service, who, status) is expected


def test_a_service_without_a_probe_goes_by_the_role() -> None:
    assert granted("orchestration", ADMIN, 200) and not granted("orchestration", MEMBER, 200)
    assert Probe("/x").alike == (404,)


@pytest.mark.parametrize("service", ["compute", "network", "image", "block-storage"])
@pytest.mark.parametrize("who", [SYSTEM, DOMAIN])
def test_tokens_without_a_project_are_not_asked_for_resources(service: str, who: Token) -> None:
    assert refusal(service, who)
    assert not refusal("identity", who)


def candidates(*given: tuple[str, Token, bool]) -> list[Candidate]:
    return [Candidate(*one) for one in given]


P2 = token("member", scope="project:p2", user="v")
SHARES: list[tuple[str, list[Candidate], str, list[tuple[str, str]]]] = [
    ("server", candidates(("a", ADMIN, True), ("m", MEMBER, False)), "", [("a", "all")]),
    ("server", candidates(("a", ADMIN, True), ("b", ADMIN, True)), "b", [("b", "all")]),
    ("server", candidates(("m", MEMBER, False), ("n", P2, False)), "", [("m", "p1"), ("n", "p2")]),
    ("server", candidates(("r", READER, False), ("m", MEMBER, False)), "", [("m", "p1")]),
    ("volume_attachment", candidates(("m", MEMBER, False), ("n", P2, False)), "", [("m", "p1"), ("n", "p2")]),
    ("flavor", candidates(("m", MEMBER, False), ("n", P2, False)), "", [("m", "all")]),
    ("flavor", candidates(("m", MEMBER, False), ("n", P2, False)), "n", [("n", "all")]),
    ("network_agent", candidates(("m", MEMBER, False)), "", []),
    ("network_agent", candidates(("a", ADMIN, True)), "", [("a", "all")]),
    ("project", candidates(("m", MEMBER, False), ("n", P2, False)), "", [("m", "p1"), ("n", "p2")]),
    ("server", [], "", []),
]


@pytest.mark.parametrize(("type", "who", "last", "expected"), SHARES)
def test_each_resource_is_read_once_by_the_widest_account(
    type: str, who: list[Candidate], last: str, expected: list[tuple[str, str]]
) -> None:
    shares = share_out(registry.ALL[type], who, last)
    assert [(share.account, share.scope) for share in shares] == expected


def task(type: str = "server", who: Token = ADMIN, top: str = "2.96", wide: bool = True) -> Task:
    declared = registry.ALL[type]
    endpoint = Endpoint(declared.listing.service, "r", "http://e", top)
    return Task(declared, "r", "a", "all", wide, endpoint, who)


def before(**changed: Any) -> Before:
    fields: dict[str, Any] = {
        "state": "ok",
        "whole_at": NOW - timedelta(hours=1),
        "fresh_at": NOW - timedelta(minutes=15),
        "rows": 5,
        "visibility": task().visibility,
    }
    return Before(**{**fields, **changed})


def test_a_delta_reaches_back_by_the_overlap_in_the_services_time() -> None:
    found = since(task(), before(), NOW, Options(overlap=300), skew=60)
    assert found == NOW - timedelta(minutes=15) - timedelta(seconds=240)


WHOLE: list[tuple[Task, Before | None]] = [
    (task(), None),
    (task(), before(whole_at=None)),
    (task(), before(whole_at=NOW - timedelta(hours=5))),
    (task(), before(state="suspect")),
    (task(), before(state="failed")),
    (task(), before(state="degraded")),
    (task(), before(fresh_at=NOW + timedelta(minutes=1))),
    (task(who=token("admin", "reader")), before()),
    (task("flavor"), before(visibility=None)),
    (task("volume", top="3.59"), before(visibility=None)),
    (task("image"), before(visibility=None)),
]


@pytest.mark.parametrize(("one", "known"), WHOLE)
def test_otherwise_a_list_is_read_whole(one: Task, known: Before | None) -> None:
    assert since(one, known, NOW, Options()) is None


def test_queries() -> None:
    one = task()
    assert ("all_tenants", "1") in one.fixed()
    one.since = NOW
    assert ("changes-since", "2026-02-08T09:00:00Z") in one.fixed()
    assert not [name for name, _ in task(wide=False).fixed() if name == "all_tenants"]
    volume = task("volume", top="3.71")
    volume.since = NOW
    assert ("updated_at", "gte:2026-02-08T09:00:00Z") in volume.fixed()
    sweep = task("volume", top="3.71")
    sweep.sweep = True
    assert sweep.path() == "/volumes"
    port = task("port")
    port.sweep = True
    assert ("fields", "id") in port.fixed() and port.path() == "/ports"


STATES: list[tuple[list[str], bool, str]] = [
    (["done", "done"], False, "done"),
    (["done", "not_permitted"], False, "done"),
    (["done", "failed"], False, "partial"),
    (["done", "suspect"], False, "partial"),
    (["failed", "not_permitted"], False, "failed"),
    (["done"], True, "cancelled"),
    ([], False, "done"),
]


@pytest.mark.parametrize(("states", "cancelled", "expected"), STATES)
def test_the_state_of_a_collection(states: list[Any], cancelled: bool, expected: str) -> None:
    assert overall([Progress(f"t{n}", "", state) for n, state in enumerate(states)], cancelled) == expected


def test_the_worst_of_several_lists_is_shown() -> None:
    assert worst(["done", "partial", "not_permitted"]) == "partial"
    assert worst([]) == "done"


def test_types_that_need_others_come_last_and_on_demand_ones_only_when_asked() -> None:
    names = [type.name for type in in_order(registry.ALL, None)]
    assert names.index("domain") < names.index("user") and names.index("project") < names.index("quota")
    assert "cinder_message" not in names
    assert [type.name for type in in_order(registry.ALL, ["cinder_message"])] == ["cinder_message"]
