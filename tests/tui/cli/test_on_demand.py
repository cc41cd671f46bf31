"""`qdeck ls cinder_messages`: read from the cloud when the filter names the resource."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from store.filters import parse
from tui.api.errors import ApiError
from tui.cli import inventory
from tui.cli.exits import PARTIAL
from tui.cli.options import GlobalOptions
from tui.cli.output import Format
from tui.ondemand import one_value

ONE: list[tuple[str, str | None]] = [
    ("resource_id:=v1", "v1"),
    ('error resource_id:="v 1" cloud:=lab', "v 1"),
    ("resource_id:v1", None),
    ("resource_id:=v1,=v2", None),
    ("!resource_id:=v1", None),
    ("resource_id:=v1 or resource_id:=v2", None),
    ("request_id:=v1", None),
    ("", None),
]


@pytest.mark.parametrize(("text", "resource"), ONE)
def test_the_resource_that_a_filter_names(text: str, resource: str | None) -> None:
    assert one_value(parse(text), "resource_id") == resource


class FakeClient:
    """An engine with one stored message; `problem` is what reading now comes to."""

    def __init__(self, problem: ApiError | None = None) -> None:
        self.problem = problem
        self.asked: list[Any] = []

    def post(self, path: str, json: Any = None) -> Any:
        if path == "/q/collections/on-demand":
            self.asked.append(json)
            if self.problem is not None:
                raise self.problem
            return {}
        row = ["lab", "r", "m1", *["x"] * len(json["columns"])]
        columns = ["cloud", "region", "id", *json["columns"]]
        return {"columns": columns, "rows": [row], "has_after": False, "data_age_seconds": None, "states": []}


def run(client: FakeClient, monkeypatch: pytest.MonkeyPatch, type: str, filter: str, **more: Any) -> None:
    @contextmanager
    def connected(options: GlobalOptions) -> Iterator[FakeClient]:
        yield client

    monkeypatch.setattr(inventory, "connected", connected)
    options = {"sort_words": [], "column_words": None, "limit": 0, "at_words": None, "cloud": None, "region": None}
    inventory.ls(None, type, filter, output=Format.json, **{**options, **more})  # type: ignore[arg-type]


def test_messages_of_one_resource_are_read_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = FakeClient()
    run(client, monkeypatch, "messages", "resource_id:=v1", cloud="lab")
    assert client.asked == [{"type": "cinder_message", "resource_id": "v1", "cloud": "lab"}]
    told = capsys.readouterr()
    assert json.loads(told.out)[0]["id"] == "m1"
    assert told.err == ""


@pytest.mark.parametrize(
    ("type", "filter", "at", "told"),
    [("messages", "", None, "resource_id:=ID"), ("messages", "resource_id:=v1", "2001-01-01", "as of"),
     ("volumes", "id:=v1", None, "")],
)  # fmt: skip
def test_nothing_is_read_for_the_past_or_without_a_resource(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    type: str,
    filter: str,
    at: str | None,
    told: str,
) -> None:
    client = FakeClient()
    run(client, monkeypatch, type, filter, at_words=at)
    assert client.asked == []
    assert told in capsys.readouterr().err


def test_a_cloud_that_does_not_answer_leaves_what_was_read_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = FakeClient(ApiError(504, "lab did not answer within 20 s"))
    with pytest.raises(SystemExit) as ended:
        run(client, monkeypatch, "messages", "resource_id:=v1")
    assert ended.value.code == PARTIAL
    told = capsys.readouterr()
    assert json.loads(told.out)[0]["id"] == "m1"
    assert "not read now: lab did not answer" in told.err


def test_a_resource_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(ApiError(404, "there is no volume"))
    with pytest.raises(ApiError):
        run(client, monkeypatch, "messages", "resource_id:=v1")
