"""Asking a cloud: who asks, page after page, with patience; and values that tenants write."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

import pytest

from engine.clouds.errors import CloudError
from engine.gate.models import NoRole
from engine.gate.refusals import NotDone
from engine.restore.planning import asking
from tests.engine.restore.planning.clouds import Cloud, refused


@pytest.mark.parametrize(
    ("admin", "members", "kind", "sees"),
    [
        (True, ("p1",), "read", True),
        (True, (), "read", True),
        (False, ("p1",), "tenant", True),
        # Neither an administrator nor a member: what is not seen may be there all the same.
        (False, ("p2",), "read", False),
    ],
)
def test_whoever_sees_the_most_is_asked(admin: bool, members: tuple[str, ...], kind: str, sees: bool) -> None:
    cloud = Cloud(admin=admin, members=members)
    ask = cloud.asking()
    ask.get("compute", "/servers/x")
    assert (ask.admin, ask.sees, ask.calls) == (admin, sees, 1)
    assert cloud.asked[0][-1] == kind
    ask.own("network", "/networks/n")
    assert (ask.calls, cloud.asked[1][-1]) == (2, "tenant")


def test_a_cloud_that_cannot_be_logged_in_to_is_not_asked() -> None:
    cloud = Cloud()

    def who(*arguments: Any) -> Any:
        raise CloudError("password", "the login was refused")

    with pytest.raises(CloudError):
        asking.Asking(asking.Sources(cloud.reader, who, None), "east", "r1")  # type: ignore[arg-type]


def pages(links: Any) -> Cloud:
    """Two pages of rows; `links(page)` says that there is more."""
    cloud = Cloud()

    def answer(query: dict[str, str]) -> Any:
        marker = query.get("marker")
        rows = [{"id": "a"}, "x", {"id": "b"}] if marker is None else [{"id": "c"}]
        assert marker in (None, "b")
        return {"rows": rows, **links(marker)}

    cloud.put("compute", "/rows", answer)
    return cloud


@pytest.mark.parametrize(
    ("links", "ids"),
    [
        (lambda marker: {"rows_links": [{"rel": "next", "href": "x"}]} if marker is None else {}, "abc"),
        (lambda marker: {"next": "/v2/rows?marker=b"} if marker is None else {}, "abc"),
        (lambda marker: {"rows_links": [{"rel": "previous", "href": "x"}]}, "ab"),
        (lambda marker: {}, "ab"),
        (lambda marker: {"rows_links": 7, "next": None}, "ab"),
    ],
)
def test_all_pages_are_read(links: Any, ids: str) -> None:
    assert "".join(row["id"] for row in pages(links).asking().rows("compute", "/rows", "rows")) == ids


def test_what_is_not_there_has_no_rows_and_what_is_refused_is_not_empty() -> None:
    cloud = Cloud()
    cloud.put("compute", "/no", refused())
    cloud.put("compute", "/odd", {"rows": {"id": "a"}})
    assert cloud.asking().rows("compute", "/rows", "rows") == []
    assert cloud.asking().rows("compute", "/odd", "rows") == []
    assert cloud.asking().one("compute", "/odd", "server") is None
    with pytest.raises(NotDone):
        cloud.asking().rows("compute", "/no", "rows")


@pytest.mark.parametrize("error", [refused(), CloudError("timeout", "too slow"), NoRole("nobody", "x")])
def test_what_a_cloud_does_not_say_is_a_sentence(error: Exception) -> None:
    def work() -> int:
        raise error

    ask = Cloud().asking()
    answer = ask.try_later(work).result()
    assert answer == str(error)
    assert asking.or_else(answer, 7) == 7
    with pytest.raises(type(error)):
        ask.later(work).result()


def test_a_fault_of_our_own_is_never_a_sentence() -> None:
    def work() -> int:
        raise KeyError("ours")

    with pytest.raises(KeyError):
        Cloud().asking().try_later(work).result()


def test_patience_ends_and_answers_that_are_there_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.05)
    go = threading.Event()
    hanging = Cloud().asking().try_later(go.wait, 30)
    assert hanging.result() == "no answer came within 0.05 seconds"
    go.set()
    quick: Future[int | str] = Future()
    quick.set_result(5)
    late = asking.Tried(quick)
    monkeypatch.setattr(late, "_until", 0.0)
    assert late.result() == 5
    assert asking.Tried.given("not asked").result() == "not asked"


def test_a_service_that_is_not_there_has_no_version() -> None:
    assert Cloud().asking().top("compute") == "2.100"
    assert Cloud().asking().top("load-balancer") == ""


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [(7, 7, ""), ("7", 7, "7"), (-1, 0, ""), ("", 0, ""), (None, 0, ""), (True, 0, ""), ([7], 0, ""), ("x", 0, "x"),
     (1e400, 0, ""), (2**80, 0, "")],
)  # fmt: skip
def test_numbers_and_texts_are_what_they_seem(value: Any, number: int, text: str) -> None:
    assert asking.number(value) == number
    assert asking.text(value) == text


def test_lists_and_objects_hold_texts_alone() -> None:
    assert asking.texts(["a", 1, None, "b"]) == ("a", "b")
    assert asking.texts("ab") == ()
    assert asking.pairs({"a": "b", "n": 1, "l": []}) == {"a": "b"}
    assert asking.pairs([("a", "b")]) == {}
