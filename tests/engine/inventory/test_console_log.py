"""Console logs are made harmless, and what stands in their way is a sentence."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from engine.access.models import Caller
from engine.access.service import CALLER, AccessService
from engine.api import errors
from engine.api.errors import ApiError
from engine.clouds.errors import CloudError
from engine.inventory.console_log import ConsoleLogs, clean, refusal, tail, through_gate
from engine.inventory.events_routes import console_routes
from engine.inventory.reads import InventoryReads
from engine.settings.loading import Loaded
from store.ops.ops import Ops
from tests.contract.wire import Actor, Login
from tests.engine.api.furniture import ADMIN, client
from tests.engine.inventory.collecting import Bench, bench

CASES: list[tuple[str, str]] = [
    ("plain\r\ntext", "plain\ntext"),
    ("[\x1b[0;32m  OK  \x1b[0m] Started", "[  OK  ] Started"),
    # Nova takes the escape characters out and leaves the rest.
    ("[[0;32m  OK  [0m] Started", "[  OK  ] Started"),
    ("[[0;1;31mFAILED[0m] Failed", "[FAILED] Failed"),
    ("[?25l[2J[01;01H[=3hBooting", "Booting"),
    ("[    0.000000] Linux version", "[    0.000000] Linux version"),
    ("cloud-init[612]: finished [net,ver=2]", "cloud-init[612]: finished [net,ver=2]"),
    ("array[0] = [1m] [2K] [12]", "array[0] = ] [2K] [12]"),
    ("\x1b]0;owned\x07title", "title"),
    ("\x1b]52;c;ZXZpbA==\x1b\\clip", "clip"),
    ("\x1bP+q544e\x1b\\dcs", "dcs"),
    ("\x9b31mred", "red"),
    ("\x1b(B\x1b=keys", "keys"),
    ("10%\r50%\r100%", "100%"),
    ("abX\bc", "abc"),
    ("a\tb", "a       b"),
    ("nul\x00l", "null"),
    ("rtl \u202egnp.exe", "rtl ?gnp.exe"),
    ("zero\u200bwidth \ud800", "zero?width ?"),
    ("a\u2028b", "a?b"),
    ("grün 名前 🔥", "grün 名前 🔥"),
]


@pytest.mark.parametrize(("given_", "wanted"), CASES)
def test_cleaning(given_: str, wanted: str) -> None:
    assert clean(given_) == wanted


@given(st.text(alphabet=st.characters() | st.sampled_from("\x1b[]0;mHJK?\x07\r\n\b\x9b\\"), max_size=80))
def test_nothing_that_acts_on_a_terminal_is_left(text: str) -> None:
    cleaned = clean(text)
    assert all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in cleaned.replace("\n", ""))


def test_long_lines_and_texts_end_somewhere() -> None:
    assert len(clean("x" * 10_000)) == 4000
    assert len(clean("x\n" * 3_000_000)) <= 2 << 20


@pytest.mark.parametrize(
    ("text", "length", "lines", "more"),
    [("a\nb\nc\n\n", 2, ["b", "c"], True), ("a\nb", 2, ["a", "b"], False), ("", 5, [], False)],
)
def test_the_end_of_a_text(text: str, length: int, lines: list[str], more: bool) -> None:
    assert tail(text, length) == (lines, more)


@dataclass
class Answer:
    status: int
    document: Mapping[str, Any] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("status", "kind", "code", "words"),
    [
        (403, "", 403, "a reader may not"),
        (0, "denied", 403, "a reader may not"),
        (404, "", 404, "is gone, or has none"),
        (409, "", 409, "no console yet"),
        (501, "", 501, "offers no console log"),
        (500, "", 502, "could not be read (boom)"),
        (0, "timeout", 504, "could not be read"),
    ],
)
def test_refusals_are_sentences(status: int, kind: str, code: int, words: str) -> None:
    found = refusal(status, "boom", "web-1", kind)
    assert isinstance(found, ApiError) and found.status == code
    assert words in found.detail and "web-1" in found.detail
    assert CloudError("denied", "x").kind == "denied"


class Desk:
    """A collected cloud, and the route over it; `role` is whose token asks, and `asked` what was sent."""

    def __init__(self, cloud: Bench, home: Path) -> None:
        self.cloud = cloud
        entries = yaml.safe_load(cloud.demo.clouds_yaml.read_text())["clouds"]
        self.actors = {
            role: Actor(Login.from_entry(entries[name]["auth"]))
            for role, name in (("admin", "demo"), ("member", "demo-member"), ("reader", "demo-reader"))
        }
        cloud.collect(["server", "project"])
        self.role = "admin"
        self.error: CloudError | ApiError | None = None
        self.asked: list[Any] = []
        self.reads = InventoryReads(cloud.estate)
        self.ops = Ops.open(home / "access.sqlite")
        access = AccessService(self.ops, Loaded().settings)
        self.app = FastAPI(openapi_url=None)
        self.app.include_router(console_routes(self.reads, ConsoleLogs(self.reads, self.send), access))
        errors.install(self.app)
        access.check_routes(self.app)

    def send(self, caller: Caller, key: Any, project: str, body: dict[str, Any], title: str) -> Answer:
        if self.error is not None:
            raise self.error
        self.asked.append((key, project, body))
        answer = self.actors[self.role]("compute", f"/servers/{key[2]}/action", "POST", json=body)
        return Answer(answer.status_code, answer.json())

    async def ask(self, id: str, caller: Caller = ADMIN, **query: Any) -> Any:
        async with client(self.app, {CALLER: caller}) as made:
            return await made.get(f"/q/servers/{id}/console-log", params=query)

    def server(self, where: str) -> str:
        sql = f"SELECT id FROM server_versions WHERE valid_to IS NULL AND {where} ORDER BY id LIMIT 1"
        with self.cloud.estate.reader() as connection:
            return str(connection.execute(sql).fetchall()[0][0])

    def mine(self) -> str:
        return self.server(f"status = 'ACTIVE' AND project_id = '{self.actors['member'].project_id}'")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    home = tmp_path_factory.mktemp("console")
    with bench(home, servers=60) as cloud:
        desk = Desk(cloud, home)
        yield desk
        desk.reads.close()
        desk.ops.close()


@pytest.fixture
def desk(made: Desk) -> Iterator[Desk]:
    yield made
    made.role, made.error = "admin", None
    made.asked.clear()


async def test_the_end_of_a_log(desk: Desk) -> None:
    id = desk.mine()
    answer = (await desk.ask(id, length=5)).json()
    assert (answer["lines"], answer["truncated"], answer["key"][2]) == (5, True, id)
    assert desk.asked[0][2] == {"os-getConsoleOutput": {"length": 6}}
    whole = (await desk.ask(id, length=10_000)).json()
    assert whole["lines"] > 50 and whole["truncated"] is False
    assert "login:" in whole["text"] and "[  OK  ] " in whole["text"] and "[0;32m" not in whole["text"]
    desk.role = "member"
    assert (await desk.ask(id)).status_code == 200
    assert (await desk.ask(id, length=0)).status_code == 422


async def test_a_reader_may_not_and_is_told_what_would_help(desk: Desk) -> None:
    desk.role = "reader"
    answer = await desk.ask(desk.mine())
    assert answer.status_code == 403
    assert "a reader may not" in answer.json()["detail"] and "os-console-output" in answer.json()["detail"]


async def test_a_server_without_a_console(desk: Desk) -> None:
    answer = await desk.ask(desk.server("status = 'ERROR'"))
    assert answer.status_code == 409 and "no console yet" in answer.json()["detail"]
    assert (await desk.ask("nobody")).status_code == 404
    limited = Caller(name="eve", role="viewer", via="embedded", projects=("other",))
    assert (await desk.ask(desk.mine(), limited)).status_code == 404


async def test_a_cloud_that_does_not_answer(desk: Desk) -> None:
    desk.error = CloudError("timeout", "the compute service of demo did not answer in time")
    answer = await desk.ask(desk.mine())
    assert answer.status_code == 504 and "did not answer in time" in answer.json()["detail"]


async def test_what_the_gate_passes_on(desk: Desk) -> None:
    passed = ApiError("Nova said no", 502)
    passed.cloud_status = 403  # type: ignore[attr-defined]
    desk.error = passed
    assert (await desk.ask(desk.mine())).status_code == 403
    desk.error = ApiError("you may not", 403)
    assert (await desk.ask(desk.mine())).json()["detail"] == "you may not"


async def test_a_server_that_is_gone_is_not_asked_for(desk: Desk) -> None:
    id = desk.server("status = 'SHUTOFF'")
    assert desk.actors["admin"]("compute", f"/servers/{id}", "DELETE").status_code == 204
    desk.cloud.demo.advance(5)
    desk.cloud.collect(["server"])
    answer = await desk.ask(id)
    assert answer.status_code == 404 and "clouds keep no console log of deleted machines" in answer.json()["detail"]
    assert desk.asked == []


def test_the_gate_is_asked_for_what_changes_nothing() -> None:
    models = pytest.importorskip("engine.gate.models")
    sent: list[Any] = []

    def gate(caller: Caller, call: Any) -> Answer:
        sent.append(call)
        return Answer(200, {"output": ""})

    body = {"os-getConsoleOutput": {"length": 3}}
    through_gate(gate)(ADMIN, ("lab", "r", "s/1"), "p", body, "web")
    assert sent == [
        models.Call(
            "lab", "r", "compute", "POST", "/servers/s%2F1/action", body, session="read", project_id="p",
            what="read the console log of web", key=("lab", "r", "s/1"), type="server",
        )
    ]  # fmt: skip
