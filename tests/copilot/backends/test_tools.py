"""What a model can make of its tools, and what it cannot."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.answers import Field, Proposal, Table
from copilot.backends.base import ToolCall
from copilot.backends.results import MOST_CHARACTERS, MOST_ROWS, NOTE
from copilot.backends.tools import SPECS
from tests.copilot.backends.estate import NOW, Estate


def call(box: Any, name: str, **arguments: Any) -> dict[str, Any]:
    return box.call(ToolCall("a", name, arguments))


def test_sql_is_run_and_its_rows_are_data() -> None:
    estate = Estate()
    box = estate.toolbox()
    result = call(box, "query", sql="SELECT * FROM servers")
    assert estate.sql == ["SELECT * FROM servers"]
    assert result["ok"] and result["note"] == NOTE and result["complete"] and result["total"] == 2
    assert result["columns"] == ["ref", "name", "status", "ram_mb"]
    assert result["rows"][0] == ["r1", "web-01", "ACTIVE", 16384]
    assert result["units"] == {"ram_mb": "size_mb"}
    assert box.found[0].table is estate.table


def test_names_reach_a_model_without_control_and_bidi_characters_and_cut() -> None:
    table = Table((Field("name", "NAME"),), ({"name": "a\x1b[31m\u202eb\u200b\n" + "x" * 5000},), 1)
    (row,) = call(Estate(table).toolbox(), "query", sql="SELECT 1")["rows"]
    assert row[0].startswith("a[31mb x") and row[0].isprintable() and len(row[0]) == 120


def test_results_are_short() -> None:
    many = tuple({"name": "x" * 100, "list": ["y" * 500] * 100} for _ in range(200))
    result = call(
        Estate(Table((Field("name", "N"), Field("list", "L")), many, 5000)).toolbox(), "query", sql="SELECT 1"
    )
    assert len(result["rows"]) <= MOST_ROWS and not result["complete"] and result["total"] == 5000
    assert len(json.dumps(result["rows"])) <= MOST_CHARACTERS + 1000


def test_values_that_json_does_not_have() -> None:
    rows = ({"a": float("nan"), "b": NOW, "c": {"d": [float("inf")]}, "e": object()},)
    result = call(Estate(Table(tuple(Field(one, one) for one in "abce"), rows, 1)).toolbox(), "query", sql="SELECT 1")
    assert result["rows"][0][:3] == [None, NOW.isoformat(), {"d": [None]}]
    json.dumps(result, allow_nan=False)


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("SELECT * FROM secret", "there is no view secret"),
        ("SELECT * FROM forbidden", "You may not read it."),
        ("SELECT * FROM broken", "the tool failed"),
        ("x" * 5000, "at most 4000 characters"),
        (["SELECT 1"], "sql must be one SELECT"),
        ({"a": 1}, "sql must be one SELECT"),
    ],
)
def test_sql_that_is_not_run(sql: Any, says: str) -> None:
    box = Estate().toolbox()
    result = call(box, "query", sql=sql)
    assert result["ok"] is False and says in result["error"]
    assert box.found == []


def test_a_query_of_fields() -> None:
    estate = Estate()
    assert call(estate.toolbox(), "query", entity="server", measure="count")["ok"]
    assert (estate.queries[0].entity, estate.queries[0].measure.kind) == ("server", "count")


def test_what_the_person_may_not_read_is_not_read() -> None:
    estate = Estate()
    box = estate.toolbox(may=lambda entity: entity != "user")
    assert "may not read user" in call(box, "query", entity="user")["error"]
    assert "may not read user" in call(box, "describe_views", views=["users"])["error"]
    assert "may not read user" in call(box, "open_pane", type="users")["error"]
    assert "users" not in call(box, "describe_views")["views"]
    assert estate.queries == []


def test_views_are_described() -> None:
    box = Estate().toolbox()
    names = call(box, "describe_views")
    assert "servers" in names["views"] and "drift_event" in names["lists"]
    described = call(box, "describe_views", views=["servers", "volume", "drift_event"])["entities"]
    assert described["server"]["columns"]["ram_mb"] == "BIGINT size_mb"
    assert described["server"]["view"] == "servers" and described["drift_event"]["view"] is None
    assert "volume" in described["server"]["relations"]


@pytest.mark.parametrize("views", [["nothing"], ["servers"] * 7, "servers", [1], [None], [["servers"]], {"a": 1}])
def test_views_that_are_none(views: Any) -> None:
    assert call(Estate().toolbox(), "describe_views", views=views)["ok"] is False


def test_a_resource_is_found() -> None:
    estate = Estate()
    box = estate.toolbox()
    result = call(box, "find_resource", text=" web-01 ", at="2026-11-29T10:00:00Z")
    assert estate.looked_for[0][0] == "web-01" and estate.looked_for[0][1].day == 29
    assert result["columns"][:3] == ["ref", "type", "name"] and result["rows"][0][0] == "r1"
    assert len(result["rows"]) == 1
    assert box.refs.get("r1") == ("server", ("c", "r", "id-1"), "web-01")


@pytest.mark.parametrize(
    "arguments", [{}, {"text": ""}, {"text": 5}, {"text": "x" * 300}, {"text": "a", "at": "soon"}, {"text": ["a"]}]
)
def test_what_cannot_be_looked_for(arguments: dict) -> None:
    estate = Estate()
    assert call(estate.toolbox(), "find_resource", **arguments)["ok"] is False
    assert estate.looked_for == []


def test_the_same_resource_keeps_its_reference() -> None:
    box = Estate().toolbox()
    call(box, "query", sql="SELECT 1")
    assert call(box, "find_resource", text="web-01")["rows"][0][0] == "r1"
    assert call(box, "query", sql="SELECT 2")["rows"][1][0] == "r2"


def test_a_proposal_to_open() -> None:
    box = Estate().toolbox()
    call(box, "query", sql="SELECT 1")
    assert call(box, "open_pane", ref="r1")["note"] == "The person decides; nothing was done."
    assert call(box, "open_pane", type="vms", filter="status:ERROR")["ok"]
    assert call(box, "open_pane", pane="health")["ok"]
    assert box.proposals == [
        Proposal("open", "open web-01", type="server", keys=(("c", "r", "id-1"),)),
        Proposal("open", "list servers with status:ERROR", type="server", filter="status:ERROR"),
        Proposal("pane", "open health", name="health"),
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"ref": "r1"},
        {"ref": "id-1"},
        {"ref": 1},
        {"pane": "nothing"},
        {"pane": "../x"},
        {"type": "nothing"},
        {"type": ["server"]},
        {"type": "server", "filter": "nocolumn:x"},
        {"type": "server", "filter": "(("},
        {"type": "server", "filter": "x\x1b[2J"},
        {"type": "server", "filter": "x" * 400},
        {"type": "server", "filter": 5},
    ],
)
def test_what_cannot_be_opened(arguments: dict) -> None:
    box = Estate().toolbox()
    assert call(box, "open_pane", **arguments)["ok"] is False
    assert box.proposals == []


def test_a_form_is_proposed_and_nothing_is_done() -> None:
    estate = Estate()
    box = estate.toolbox()
    call(box, "query", sql="SELECT 1")
    assert call(box, "prefill_wizard", action="server.reboot", refs=["r1", "r2"], values={"type": "HARD"})["ok"]
    (one,) = box.proposals
    assert (one.kind, one.name, one.type, one.values) == ("prefill", "server.reboot", "server", (("type", "HARD"),))
    assert one.keys == (("c", "r", "id-1"), ("c", "r", "id-3"))
    assert one.label.isprintable() and one.label.startswith("reboot web-01, web-03")
    assert len(estate.sql) == 1  # nothing else was called


@pytest.mark.parametrize(
    "arguments",
    [
        {"action": "server.delete_everything"},
        {"action": ""},
        {},
        {"action": "server.stop", "refs": ["r9"]},
        {"action": "server.stop", "refs": ["id-1"]},
        {"action": "server.stop", "refs": "r1"},
        {"action": "server.stop", "refs": ["r1"] * 60},
        {"action": "server.stop", "refs": [{"key": ["c", "r", "id-9"]}]},
        {"action": "volume.snapshot", "refs": ["r1"]},
        {"action": "network.create", "refs": ["r1"]},
        {"action": "server.reboot", "refs": ["r1"], "values": {"type": "EXPLODE"}},
        {"action": "server.reboot", "refs": ["r1"], "values": {"force": True}},
        {"action": "server.reboot", "refs": ["r1"], "values": ["HARD"]},
        {"action": "server.rename", "refs": ["r1"], "values": {"name": "a\x1b[2J"}},
        {"action": "server.rename", "refs": ["r1"], "values": {"name": "x" * 300}},
        {"action": "flavor.create", "values": {"vcpus": "many"}},
        {"action": "flavor.create", "values": {"vcpus": 10**9}},
    ],
)
def test_forms_that_are_not_proposed(arguments: dict) -> None:
    box = Estate().toolbox()
    call(box, "query", sql="SELECT 1")
    assert call(box, "prefill_wizard", **arguments)["ok"] is False
    assert box.proposals == []


def test_proposals_are_few() -> None:
    box = Estate().toolbox()
    call(box, "query", sql="SELECT 1")
    results = [call(box, "open_pane", type="servers", filter=f"name:a{n}")["ok"] for n in range(8)]
    assert results == [True] * 5 + [False] * 3
    assert call(box, "open_pane", type="servers", filter="name:a0")["ok"]  # the same again is no other
    assert len(box.proposals) == 5


@pytest.mark.parametrize("name", ["exec", "", "query\x1b", "delete_server", "__class__", "x" * 9000])
def test_unknown_tools(name: str) -> None:
    result = call(Estate().toolbox(), name)
    assert not result["ok"] and "there is no tool" in result["error"]
    assert result["error"].isprintable() and len(result["error"]) < 700


def test_arguments_that_could_not_be_read_are_told() -> None:
    result = Estate().toolbox().call(ToolCall("a", "query", problem="the arguments are not JSON"))
    assert result == {"ok": False, "error": "the arguments are not JSON"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = sorted({name for spec in SPECS for name in spec.parameters["properties"]})


@given(st.sampled_from([spec.name for spec in SPECS]), st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5))
def test_no_arguments_make_a_tool_raise(name: str, arguments: dict) -> None:
    result = Estate().toolbox().call(ToolCall("a", name, arguments))
    assert isinstance(result["ok"], bool)
    json.dumps(result, allow_nan=False)
    assert result["ok"] or result["error"].isprintable()


def test_declarations_hold_only_what_all_clients_pass_on() -> None:
    import ollama

    def keys(schema: Any) -> set[str]:
        inner = set().union(*map(keys, schema.get("properties", {}).values())) if "properties" in schema else set()
        return set(schema) | inner | (keys(schema["items"]) if schema.get("items") else set())

    for spec in SPECS:
        assert keys(spec.parameters) <= {"type", "properties", "required", "enum", "items", "description"}
        function = {"name": spec.name, "description": spec.description, "parameters": spec.parameters}
        passed = ollama.Tool.model_validate({"type": "function", "function": function}).model_dump(exclude_none=True)
        assert passed["function"]["parameters"]["properties"] == spec.parameters["properties"]
