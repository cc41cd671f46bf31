"""The first lines of user data: what is shown of it, to whom, and that they are nowhere afterwards."""

from __future__ import annotations

import base64
import gzip
import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.access.models import Caller
from engine.clouds.errors import CloudError
from engine.gate.models import NoRole
from engine.restore.user_data import MOST_CHARACTERS, MOST_LINES, NO_TEXT, shown
from engine.settings.models import Settings
from engine.settings.restore_section import Restore
from store.ops.ops import Ops
from store.redact import HIDDEN, digest
from tests.engine.compute.running import World, running
from tests.engine.restore.serving import ADMIN, ANNA, VIEWER
from tests.engine.restore.small_cloud import OTHER, PROJECT
from tests.engine.restore.test_routes import Api

PATH = "/q/restore/user-data?cloud=lab&region=one&id=old"
FIELD = "OS-EXT-SRV-ATTR:user_data"
MIME = "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/cloud-config\n\npackages: [nginx]\n--x--\n"


def base(data: bytes | str) -> str:
    return base64.b64encode(data.encode() if isinstance(data, str) else data).decode()


TEXTS: list[tuple[str, list[str], bool]] = [
    ("#cloud-config\nruncmd:\n\t- mkfs /dev/vdb\n", ["#cloud-config", "runcmd:", "    - mkfs /dev/vdb"], False),
    ("one\r\ntwo\rthree", ["one", "two", "three"], False),
    ("\n".join("abcdefghijkl"), list("abcdefghijkl"), False),
    ("\n".join("abcdefghijkl") + "\n", list("abcdefghijkl"), False),
    ("\n".join("abcdefghijklm"), list("abcdefghijkl"), True),
    ("\n" * 40, [""] * 12, True),
    ("x" * 200, ["x" * 200], False),
    ("x" * 201, ["x" * 200], True),
    ("\t" * 60, [" " * 200], True),
    ("\ufeff<powershell>\nzürich\n", ["<powershell>", "zürich"], False),
    ("a\x1b[2J\x1b]0;x\x07b\u202ec\u2028d\x9be", ["a?[2J?]0;x?b?c?d?e"], False),
    (MIME, MIME.splitlines(), False),
]


@pytest.mark.parametrize(("words", "lines", "more"), TEXTS)
def test_the_first_lines_of_a_text(words: str, lines: list[str], more: bool) -> None:
    found = shown(base(words))
    assert (found["kind"], found["lines"], found["more"]) == ("text", lines, more)
    assert {"sha256": found["sha256"], "size": found["bytes"]} == digest(base(words))


@pytest.mark.parametrize(
    "raw",
    [base(gzip.compress(b"#cloud-config", mtime=0)), base(b"\x7fELF\0\0"), base(b"a\0b"), "no base64!", "zü", "YQ",
     base("zürich".encode("latin-1")), base("text".encode("utf-16")), HIDDEN],
)  # fmt: skip
def test_what_is_no_text_is_only_named(raw: str) -> None:
    found = shown(raw)
    assert (found["kind"], found["lines"], found["more"]) == (NO_TEXT, [], True)
    assert found["bytes"] > 0 and (len(found["sha256"]) == 64 or raw == HIDDEN)


def test_none_is_told_as_none() -> None:
    assert shown("") == {"bytes": 0, "sha256": "", "kind": "none", "lines": [], "more": False}


@given(st.one_of(st.text(), st.binary()))
def test_whatever_it_is_few_printable_lines_are_shown(data: bytes | str) -> None:
    raw = base(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
    lines = shown(raw)["lines"]
    assert len(lines) <= MOST_LINES and all(len(line) <= MOST_CHARACTERS and line.isprintable() for line in lines)


# Who is shown it


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with closing(Ops.open(tmp_path / "ops.sqlite")) as ops:
        api = Api(ops)
        given = base("password: hunter2\n")
        api.world.gate.server("old", name="web-1", **{FIELD: digest(given)})
        api.world.gate.user_datas["old"] = given
        yield api


def records(api: Api) -> list[dict[str, Any]]:
    _, found = api.world.audit.page(limit=200)
    return [one for one in found if one["action"] == "restore.user_data"]


def test_it_is_shown_and_the_audit_says_so_without_it(api: Api) -> None:
    assert api.good("GET", PATH)["lines"] == ["password: hunter2"]
    (record,) = records(api)
    assert (record["actor"], record["target"], record["outcome"]) == ("anna", "lab user data of web-1", "ok")
    assert record["detail"] == {"cloud": "lab", "region": "one", "server": "old"}


@pytest.mark.parametrize(
    ("caller", "status"),
    [
        (ANNA, 200), (ADMIN, 200), (VIEWER, 403),
        (Caller("eve", role="admin", projects=(PROJECT,)), 200),
        (Caller("eve", role="admin", projects=(OTHER,)), 404),
        (Caller("eve", role="admin", clouds=("prod",)), 404),
        (Caller("eve", role="viewer", projects=(PROJECT,)), 403),
    ],
)  # fmt: skip
def test_only_who_may_restore_that_machine_is_shown_it(api: Api, caller: Caller, status: int) -> None:
    api.caller = caller
    answer = api.ask("GET", PATH)
    assert (answer.status_code, "hunter2" in answer.text, len(records(api))) == (status, status == 200, status == 200)


def test_whose_it_is_now_counts_and_not_what_was_collected(api: Api) -> None:
    api.world.gate.docs["server"]["old"]["tenant_id"] = OTHER
    api.caller = Caller("eve", role="admin", projects=(PROJECT,))
    answer = api.ask("GET", PATH)
    assert (answer.status_code, records(api)) == (404, []) and "hunter2" not in answer.text


@pytest.mark.parametrize(
    ("document", "status", "said"),
    [
        (None, 404, "user data goes with its machine"),
        ({}, 409, "only administrators are told"),
        ({FIELD: HIDDEN}, 409, "only administrators are told"),
        ({FIELD: None}, 200, '"kind":"none"'),
    ],
)
def test_what_cannot_be_shown_is_said(api: Api, document: dict[str, Any] | None, status: int, said: str) -> None:
    gate = api.world.gate
    del gate.docs["server"]["old"]
    gate.user_datas.clear()
    if document is not None:
        gate.server("old", **document)
    answer = api.ask("GET", PATH)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


@pytest.mark.parametrize(
    ("problem", "status", "said"),
    [
        (NoRole("nobody has a role", "openstack role add"), 409, "openstack role add"),
        (CloudError("timeout", "no way"), 502, "no way"),
    ],
)
def test_a_cloud_that_does_not_answer_is_told(api: Api, problem: Exception, status: int, said: str) -> None:
    api.world.gate.problems["GET /servers/old"] = problem
    answer = api.ask("GET", PATH)
    assert (answer.status_code, said in answer.text, records(api)) == (status, True, [])


def test_where_restores_are_off_there_is_nothing(api: Api) -> None:
    api.world.settings = Settings(restore=Restore(enabled=False))
    assert api.ask("GET", PATH).status_code == 404
    assert api.ask("GET", PATH.replace("=old", "=../old")).status_code == 422


# Against a cloud

PLANTED = "mkfs.ext4 /dev/vdb"  # in the user data of a machine of every demo of that size
BEGINS = base("#cloud-config\nruncmd:\n  - mkfs.ext4 /de")  # the same as Nova has it


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running(tmp_path_factory.mktemp("user-data"), "user-data", servers=30) as world:
        yield world


def _has_it(world: World, id: str) -> bool:
    return str(world.cloud_server(id).get(FIELD)).startswith(BEGINS)


def test_what_was_looked_at_is_in_no_file_no_log_and_no_plan(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    machine = next(row for row in world.rows("server") if _has_it(world, row["key"][2]))
    cloud, region, id = machine["key"]
    answer = world.call("GET", "/q/restore/user-data", params={"cloud": cloud, "region": region, "id": id})
    assert answer.status_code == 200 and PLANTED in answer.text, answer.text
    assert answer.headers.get_list("cache-control") == ["no-store"]
    assert answer.json()["lines"][:2] == ["#cloud-config", "runcmd:"] and answer.json()["bytes"] > 40_000
    body = {"server_id": id, "cloud": cloud, "region": region, "way": "NEW", "user_data": True}
    plan = world.call("POST", "/q/restore/plans", json=body)
    assert plan.status_code == 200 and plan.json()["machine"]["user_data_sha256"] == answer.json()["sha256"]
    assert "cloud-init may run its first-boot steps again" in plan.text and "cloud-init.disabled" in plan.text
    _, audit = world.parts.audit.page(limit=200)
    (looked,) = [one for one in audit if one["action"] == "restore.user_data"]
    assert looked["target"] == f"demo user data of {machine['name']}"
    printed = capfd.readouterr()
    places = {"plan": plan.text, "audit": str(audit), "log": caplog.text, "printed": printed.out + printed.err}
    home = world.parts.home.path
    for path in home.rglob("*"):
        if path.is_file() and "demo" not in path.relative_to(home).parts:
            places[str(path)] = path.read_bytes().decode("latin-1")
    assert any("ops" in name for name in places)
    assert [name for name, words in places.items() if PLANTED in words or BEGINS in words] == []
