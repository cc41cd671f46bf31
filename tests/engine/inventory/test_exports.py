"""Exports: the list as it is, in four formats, within limits, and nothing in it acts on whoever opens the file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pyarrow.parquet
import pytest
from openpyxl import load_workbook

from engine.access.models import Caller
from engine.inventory.exports import Exports
from store.estate.reading.exporting import Picked
from store.estate.reading.models import Window
from tests.engine.inventory.reading import DOCUMENTS, START, Inventory, server

LIMITED = Caller(name="v", role="viewer", projects=("p1",), via="embedded")
NAMES = [
    "web-1", "=HYPERLINK(\"http://x\")", "+1+1", "-2-2", "@SUM(A1)", "\t=1", "\x1b]0;owned\x07\x1b[2J", "a,b;\"c\"",
    "\u202egpj.exe", "line\nbreak", "名前😀", "[red]m[/red]", "\x9b31m", "-5", "#REF!", "",
]  # fmt: skip
COLUMNS = ["name", "id", "vcpus", "locked", "created_at", "tags"]


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inventory]:
    servers = [
        server(n, name=name, locked=n % 2 == 0, tags=["a", "=b"] if n == 1 else []) for n, name in enumerate(NAMES, 1)
    ]
    inventory = Inventory(tmp_path_factory.mktemp("home"), DOCUMENTS | {"server": servers})
    yield inventory
    inventory.close()


async def export(
    inventory: Inventory, format: str, caller: Caller | None = None, status: int = 200, **body: Any
) -> httpx.Response:
    async with inventory.as_(caller) if caller else inventory.as_() as client:
        asked = {"type": "servers", "sort": [["id", False]], "columns": COLUMNS, "format": format, **body}
        answer = await client.post("/q/exports", json=asked)
    assert answer.status_code == status, answer.text
    return answer


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


async def test_csv_holds_no_formula_and_no_escape(inventory: Inventory) -> None:
    answer = await export(inventory, "csv")
    assert answer.headers["x-qdeck-rows"] == str(len(NAMES))
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith('attachment; filename="servers-20')
    assert answer.headers["content-disposition"].endswith('.csv"')
    assert answer.text.startswith("name,id,vcpus,locked,created_at,tags\n")
    assert not set(answer.text) & set("\x1b\x07\x9b\u202e")
    rows = rows_of(answer)
    assert len(rows) == len(NAMES)
    for row, name in zip(rows, NAMES, strict=True):
        assert row["name"] in (name, f"'{name}") or "\ufffd" in row["name"]
        assert not row["name"].startswith(("=", "+", "@", "\t")) and (row["name"][:1] != "-" or row["name"] == "-5")
    assert rows[0] | {"tags": json.loads(rows[0]["tags"])} == {
        "name": "web-1", "id": server(1)["id"], "vcpus": "2", "locked": "false", "created_at": "2026-11-01T00:00:00Z",
        "tags": ["a", "=b"],
    }  # fmt: skip


async def test_json_is_exact_and_prints_nothing_that_acts(inventory: Inventory) -> None:
    answer = await export(inventory, "json")
    assert not set(answer.text) & set("\x1b\x07\x9b\u202e")
    rows = answer.json()
    assert [row["name"] for row in rows] == NAMES
    assert list(rows[0]) == COLUMNS
    assert (rows[0]["vcpus"], rows[0]["locked"], rows[0]["tags"]) == (2, False, ["a", "=b"])
    assert rows[0]["created_at"] == "2026-11-01T00:00:00Z"


async def test_parquet_keeps_types_and_characters(inventory: Inventory) -> None:
    answer = await export(inventory, "parquet")
    table = pyarrow.parquet.read_table(io.BytesIO(answer.content))
    assert {field.name: str(field.type) for field in table.schema} == {
        "name": "string", "id": "string", "vcpus": "int64", "locked": "bool",
        "created_at": "timestamp[us, tz=UTC]", "tags": "list<element: string>",
    }  # fmt: skip
    assert table.column("name").to_pylist() == NAMES
    [micros] = table.column("created_at").cast("int64")[:1].to_pylist()
    assert micros == datetime(2026, 11, 1, tzinfo=UTC).timestamp() * 1e6


async def test_xlsx_has_texts_where_texts_are(inventory: Inventory) -> None:
    answer = await export(inventory, "xlsx")
    sheet = load_workbook(io.BytesIO(answer.content)).active
    assert sheet is not None and sheet.title == "servers"
    heads, *rows = sheet.iter_rows()
    assert [cell.value for cell in heads] == ["name", "id", "vcpus", "locked", "created_at UTC", "tags"]
    assert len(rows) == len(NAMES)
    for row, name in zip(rows, NAMES, strict=True):
        assert row[0].data_type in ("s", "inlineStr", "n") and (row[0].data_type != "n" or row[0].value is None)
        if name and not set(name) & set("\x1b\x07"):
            assert row[0].value == name
    assert [cell.value for cell in rows[0]] == [
        "web-1", server(1)["id"], 2, False, datetime(2026, 11, 1), "a, =b"
    ]  # fmt: skip


async def test_filter_order_limit_and_picked_rows(inventory: Inventory) -> None:
    async def names(**body: Any) -> list[str]:
        return [row["name"] for row in (await export(inventory, "json", **body)).json()]

    assert await names(filter="name:=web-1") == ["web-1"]
    assert await names(sort=[["id", True]], limit=2) == [NAMES[-1], NAMES[-2]]
    keys = [["prod", "RegionOne", server(n)["id"]] for n in (3, 1)]
    assert await names(keys=keys) == ["web-1", "+1+1"]
    assert await names(minus=keys) == [name for name in NAMES if name not in ("web-1", "+1+1")]
    assert await names(keys=[]) == []
    assert await names(at="2020-01-01T00:00:00Z") == []
    at = (START + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len(await names(at=at)) == len(NAMES)


async def test_columns_are_those_asked_for_else_the_declared_ones(inventory: Inventory) -> None:
    head = (await export(inventory, "csv", columns=["name", "cloud"])).text.partition("\n")[0]
    assert head == "name,cloud"
    head = (await export(inventory, "csv", columns=None)).text.partition("\n")[0]
    assert head == "cloud,region,id,name,status,project_name,host,vcpus,ram_mb,disk_gb,ips"


@pytest.mark.parametrize("format", ["csv", "json", "xlsx", "parquet"])
async def test_an_empty_list_is_a_whole_file(inventory: Inventory, format: str) -> None:
    content = (await export(inventory, format, filter="name:=nothing")).content
    if format == "parquet":
        assert pyarrow.parquet.read_table(io.BytesIO(content)).column_names == COLUMNS
    elif format == "xlsx":
        assert load_workbook(io.BytesIO(content)).active.max_row == 1  # type: ignore[union-attr]
    else:
        assert content == (b"[]\n" if format == "json" else b"name,id,vcpus,locked,created_at,tags\n")


async def test_nobody_takes_away_what_he_may_not_see(inventory: Inventory) -> None:
    answer = await export(inventory, "json", LIMITED, columns=["name", "project_id"])
    assert {row["project_id"] for row in answer.json()} == {"p1"}
    technical = Caller(name="t", role="technical", via="embedded")
    await export(inventory, "csv", technical, 403, type="keypairs", sort=[], columns=None)


async def test_what_cannot_be_asked_for(inventory: Inventory) -> None:
    for body in ({"filter": "nonsense:=1"}, {"columns": ["nonsense"]}, {"type": "nonsense"}, {"filter": "("}):
        answer = await export(inventory, "csv", status=400, **body)
        assert answer.json()["detail"].startswith("Invalid parameter")
    await export(inventory, "ods", status=422)


async def test_it_is_in_the_audit(inventory: Inventory) -> None:
    await export(inventory, "csv", filter="name:=web-1")
    records = inventory.audit.page(limit=5)
    assert "inventory.export" in json.dumps(records, default=str)


async def test_a_list_that_is_too_long_is_refused_in_words(inventory: Inventory) -> None:
    from engine.api.errors import BadRequest

    exports = Exports(inventory.reads, most_rows=3)
    with pytest.raises(BadRequest, match="has 16 rows, and a file takes 3: narrow it"):
        await exports.begin(Window("server"), Picked(), "csv", None)
    made = await exports.begin(Window("server"), Picked(), "csv", 3)
    assert len([piece async for piece in exports.stream(made)]) >= 1


async def test_given_up_in_the_middle(inventory: Inventory) -> None:
    exports = Exports(inventory.reads)
    for format in ("csv", "xlsx"):
        made = await exports.begin(Window("server"), Picked(), format, None)
        stream = exports.stream(made)
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
    assert not exports._open
