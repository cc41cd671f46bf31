"""Saving what is shown: lists through the engine, texts as they are; never over another file, for nobody else."""

from __future__ import annotations

import csv
import json
import stat
from datetime import datetime
from pathlib import Path

import pytest

from tests.tui.fake import FakeClient
from tests.tui.screen import console, text, until, until_text
from tui.api.errors import EngineUnavailable
from tui.exporting import ending_of
from tui.files import NewFile, SaveError, file_name, size_text


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_appears_whole_and_for_its_owner_alone(here: Path) -> None:
    with NewFile(here / "a.csv") as file:
        file.write(b"one\n")
        assert (here / "a.csv").read_bytes() == b"", "its name is taken, its content is not there yet"
        file.write(b"two\n")
    assert (here / "a.csv").read_bytes() == b"one\ntwo\n"
    assert stat.S_IMODE((here / "a.csv").stat().st_mode) == 0o600
    assert [path.name for path in here.iterdir()] == ["a.csv"]


def test_nothing_is_overwritten_and_what_failed_leaves_nothing(here: Path) -> None:
    (here / "a.csv").write_text("mine")
    with pytest.raises(SaveError, match="exists already, and nothing is overwritten"), NewFile(here / "a.csv"):
        pass
    assert (here / "a.csv").read_text() == "mine"
    (here / "to").symlink_to(here / "elsewhere")
    with pytest.raises(SaveError, match="exists already"), NewFile(here / "to"):
        pass
    with pytest.raises(RuntimeError), NewFile(here / "b.csv") as file:
        file.write(b"half")
        raise RuntimeError
    with pytest.raises(SaveError, match="can't be written: No such file"), NewFile(here / "nowhere" / "b.csv"):
        pass
    with pytest.raises(SaveError, match="can't be written"), NewFile(here / "b\0.csv"):
        pass
    assert sorted(path.name for path in here.iterdir()) == ["a.csv", "to"]


@pytest.mark.parametrize(
    ("path", "ending"),
    [("a.csv", "csv"), ("~/x.y/A.CSV", "csv"), ("a.xlsx", "xlsx"), ("a.log", ""), ("csv", ""), ("", ""), ("a.", "")],
)
def test_the_name_says_the_format(path: str, ending: str) -> None:
    assert ending_of(path, ("csv", "xlsx")) == ending


def test_names_and_sizes() -> None:
    now = datetime(2026, 11, 25, 9, 30)
    assert file_name("servers", "csv", now) == "./servers-20261125-0930.csv"
    assert file_name("../../\x1b]0;x\x07", "txt", now) == "./0-x-20261125-0930.txt"
    assert file_name("..", "txt", now) == "./list-20261125-0930.txt"
    assert [size_text(n) for n in (999, 12_340, 5_000_000, 2 * 10**9)] == ["999 bytes", "12.3 kB", "5.0 MB", "2.0 GB"]


async def test_a_list_is_exported_as_it_is_shown(here: Path) -> None:
    client = FakeClient(50)
    async with console(client, "servers /web sort:name:desc") as (app, pilot):
        await pilot.press("E")
        await until_text(pilot, "save as: ./servers-2", ".xlsx")
        for ending in ("xlsx", "parquet", "json", "csv"):
            await pilot.press("tab")
            await until(pilot, lambda: app.bar.value.endswith(f".{ending}"), ending)  # noqa: B023
        await pilot.press(*["backspace"] * 40, *"out.csv", "enter")
        await until_text(pilot, "saved 10 rows, ", "in out.csv")
        [body] = client.asked("POST", "/q/exports")
        assert body["format"] == "csv" and body["filter"] == "web" and body["sort"] == [["name", True]]
        assert body["columns"][:4] == ["cloud", "region", "name", "status"] and body["columns"][-1] == "id"
        assert "keys" not in body and "minus" not in body
        rows = list(csv.reader((here / "out.csv").open()))
        assert len(rows) == 10 and rows[0][2] > rows[1][2]
        await pilot.press("E", *["backspace"] * 40, *"out.csv", "enter")
        await until_text(pilot, "exists already")
        await pilot.press(*["backspace"] * 40, *"out.ods", "enter")
        await until_text(pilot, "end the name with one of .csv .xlsx .parquet .json")
        await pilot.press("escape")


async def test_marks_alone_are_exported(here: Path) -> None:
    client = FakeClient(50)
    async with console(client) as (_, pilot):
        await pilot.press("space", "space", "E")
        await until_text(pilot, "export 2 marked to")
        await pilot.press(*["backspace"] * 40, *"two.json", "enter")
        await until(pilot, lambda: (here / "two.json").exists() and (here / "two.json").stat().st_size, "the file")
        [body] = client.asked("POST", "/q/exports")
        assert [key[2][:8] for key in body["keys"]] == ["00000000", "00000001"]
        await pilot.press("escape", "asterisk", "space")
        await pilot.press("colon", *"export parquet rest.parquet", "enter")
        await until_text(pilot, "rest.parquet")
        body = client.asked("POST", "/q/exports")[1]
        assert (body["format"], len(body["minus"]), "keys" in body) == ("parquet", 1, False)


async def test_while_an_export_takes_its_time_it_says_how_far_it_is(here: Path) -> None:
    client = FakeClient(50)
    async with console(client) as (app, pilot):
        client.answering.clear()
        await pilot.press("colon", *"export csv a.csv", "enter")
        await until_text(pilot, "exporting: ")
        before = app.table.current
        await pilot.press("j")  # the console goes on meanwhile
        await until(pilot, lambda: app.table.current is not before)
        client.answering.set()
        await until_text(pilot, "saved 50 rows")
        assert not app.exporting and "exporting: " not in text(app)


async def test_what_fails_leaves_no_file(here: Path) -> None:
    client = FakeClient(50)
    client.fail_path["/q/exports"] = EngineUnavailable("the file did not come whole")
    async with console(client) as (app, pilot):
        await pilot.press("colon", *"export csv a.csv", "enter")
        await until_text(pilot, "did not come whole")
        await until(pilot, lambda: not app.exporting, "it has ended")
        assert not list(map(str, here.iterdir()))  # noqa: ASYNC240 - a test's own folder
        await pilot.press("colon", *"export csv nowhere/a.csv", "enter")
        await until_text(pilot, "can't be written")


async def test_texts_and_other_lists(here: Path) -> None:
    client = FakeClient(50)
    id = "00000000-7e1f-4a4c-9c1d-000000000000"
    client.docs[id] = {"name": "\x1b]0;owned\x07", "c1": "\x9b31m", "long": "x" * 1000}
    async with console(client) as (_, pilot):
        await pilot.press("y")
        await until_text(pilot, "long:")
        await pilot.press("colon", *"export yaml doc.yaml", "enter")
        await until_text(pilot, "saved 1.0 kB in doc.yaml")
        saved = (here / "doc.yaml").read_text()
        assert "x" * 1000 in saved.replace("\n", "") and not set(saved) & set("\x1b\x07\x9b")
        await pilot.press("escape", "enter")
        await until_text(pilot, "FIELD")
        await pilot.press("colon", *"export json detail.json", "enter")
        await until(pilot, lambda: (here / "detail.json").exists(), "the file")
        assert {"field": "vcpus", "value": "1"} in json.loads((here / "detail.json").read_text())
        await pilot.press("E")
        assert "./server-0000000-web-2" in text(pilot.app)
        await pilot.press("escape", "1")
        await until_text(pilot, "inventory")
        await pilot.press("colon", *"export csv types.csv", "enter")
        await until(pilot, lambda: (here / "types.csv").exists(), "the file")
        assert "servers" in (here / "types.csv").read_text().lower()
        await pilot.press("colon", *"export xlsx types.xlsx", "enter")
        await until_text(pilot, "can be saved as csv, json, txt")
