"""Services that answer strangely: rows that are none, pages in a circle, lists cut short by a limit of the server's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from engine.access.models import ENGINE
from engine.audit.service import AuditService
from engine.clouds.service import CloudService
from engine.inventory.collect import CollectionService
from engine.inventory.collector.tasks import Options
from store.estate.estate import Estate
from store.ops.ops import Ops
from store.types import registry
from tests.engine.clouds import broken
from tests.engine.inventory.collecting import HASTY, SETTINGS

Listed = Callable[[dict[str, str]], dict[str, Any]]  # query -> body of GET /servers/detail


@contextmanager
def nova(tmp_path: Path, listed: Listed) -> Iterator[Callable[[], dict[str, Any]]]:
    """A cloud with nothing but a compute service; answers a function that collects its servers."""
    keystone = broken.identity()

    def answers(method: str, path: str, url: str) -> tuple[int, Any]:
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path.startswith("/v3/auth/tokens"):
            return (201 if method == "POST" else 200), broken.token(url)
        if parts.path == "/compute/v2.1/":
            return 200, {"version": {"id": "v2.1", "version": "2.96", "min_version": "2.1"}}
        if parts.path == "/compute/v2.1/servers":
            return 200, {"servers": []}
        if parts.path == "/compute/v2.1/servers/detail":
            return 200, listed(query)
        return keystone(method, path, url)

    ops = Ops.open(tmp_path / "ops.sqlite")
    with (
        broken.speaking(answers) as url,
        Estate.open(tmp_path / "estate.duckdb", types=registry.ALL) as estate,
    ):
        clouds = CloudService(ops, SETTINGS, AuditService(ops), estate)
        clouds.add(ENGINE, "broken", file=broken.write_clouds(tmp_path / "clouds.yaml", f"{url}/v3"))
        collections = CollectionService(estate, clouds, SETTINGS, None, None, patience=HASTY, options=Options(page=3))

        def collect() -> dict[str, Any]:
            (started,) = collections.start(ENGINE, ["broken"], ["server"], True)
            (row,) = collections.wait(started["id"], 20)["types"]
            with estate.reader() as connection:
                ids = connection.execute("SELECT id FROM server_versions WHERE valid_to IS NULL ORDER BY id").fetchall()
            return {**row, "ids": [id for (id,) in ids]}

        yield collect
        collections.close()
    ops.close()


def server(id: str, **fields: Any) -> dict[str, Any]:
    return {"id": id, "name": id, "status": "ACTIVE", "flavor": {}, "tenant_id": "p1", **fields}


@pytest.mark.parametrize("odd", [7, None, "text", [], {}, {"id": None}, {"id": {}}])
def test_rows_that_can_not_be_read_are_counted_and_nothing_is_deleted(tmp_path: Path, odd: Any) -> None:
    rows: list[Any] = [server("a"), server("b")]
    with nova(tmp_path, lambda query: {"servers": rows}) as collect:
        assert collect()["state"] == "done"
        rows[:] = [server("a"), odd, server("c")]
        row = collect()
        assert row["state"] == "partial" and "1 row" in row["error"], row
        assert row["ids"] == ["a", "b", "c"]
        rows[:] = [server("a"), server("c")]
        assert collect()["ids"] == ["a", "c"]


HOSTILE: list[dict[str, Any]] = [
    {"name": None, "status": 5, "flavor": [], "addresses": "x", "metadata": 3, "fault": []},
    {"flavor": {"vcpus": "many", "ram": 1e300, "disk": -1}, "created": "yesterday", "locked": "maybe"},
    {"addresses": {"n": [None, {"addr": 7}, {"addr": ["x"]}]}, "os-extended-volumes:volumes_attached": [3, {}]},
    {"name": "\u202e\x1b[2Jé\x00\ud83d\ude00" * 50, "metadata": {"k": "v" * 10_000_000}},
    {"created": "9999999-01-01T00:00:00Z", "flavor": {"vcpus": 2**70}},
    {"image": "", "tenant_id": 5, "key_name": {"a": 1}, "tags": [1, None, {"x": []}]},
]


@pytest.mark.parametrize("fields", HOSTILE, ids=range(len(HOSTILE)))
def test_documents_of_any_shape_are_kept(tmp_path: Path, fields: dict[str, Any]) -> None:
    with nova(tmp_path, lambda query: {"servers": [server("a"), server("odd", **fields)]}) as collect:
        row = collect()
        assert row["state"] == "done" and row["ids"] == ["a", "odd"], row
        assert collect()["changed"] == 0


def test_pages_in_a_circle_end(tmp_path: Path) -> None:
    def listed(query: dict[str, str]) -> dict[str, Any]:
        ids = {"": "abc", "c": "def", "f": "abc"}[query.get("marker", "")]
        next = {"a": "c", "d": "f"}[ids[0]]
        links = [{"rel": "next", "href": f"http://elsewhere/servers?marker={next}"}]
        return {"servers": [server(id) for id in ids], "servers_links": links}

    with nova(tmp_path, listed) as collect:
        row = collect()
        assert row["state"] == "partial" and "circle" in row["error"]
        assert row["ids"] == list("abcdef")


def test_a_page_that_the_server_makes_shorter_is_not_the_end(tmp_path: Path) -> None:
    every = [f"s{number:02d}" for number in range(11)]

    def listed(query: dict[str, str]) -> dict[str, Any]:
        start = every.index(query["marker"]) + 1 if "marker" in query else 0
        page = every[start : start + min(2, int(query["limit"]))]
        links = [{"rel": "next", "href": f"/servers?marker={page[-1]}"}] if start + 2 < len(every) else []
        return {"servers": [server(id) for id in page], "servers_links": links}

    with nova(tmp_path, listed) as collect:
        row = collect()
        assert row["state"] == "done" and row["ids"] == every


def test_a_list_that_ends_too_early_is_suspect_when_much_is_missing(tmp_path: Path) -> None:
    rows = [server(f"s{number:02d}") for number in range(40)]
    with nova(tmp_path, lambda query: {"servers": rows}) as collect:
        collect()
        del rows[20:]
        row = collect()
        assert row["state"] == "suspect" and len(row["ids"]) == 40
        assert len(collect()["ids"]) == 20  # the same again, with the same rights
