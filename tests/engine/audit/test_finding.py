"""Finding audit records by ticket, target and cloud; one record with its seal; the documented user-access log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import engine.audit.access_log
from engine.access.models import Caller
from engine.audit.access_log import AccessLog
from store.ops import migrations
from tests.engine.api.furniture import Furniture

ALICE = Caller("alice", 1001, role="admin")
LIMITED = Caller("lim", 1003, role="operator", clouds=("prod",))


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Furniture]:
    furniture = Furniture(tmp_path)
    furniture.audit.record(ALICE, "server.stop", "web-3", {"ticket": "CHG42", "cloud": "prod", "reason": "disk"})
    furniture.audit.record(LIMITED, "server.start", "web-4", {"ticket": "chg43", "cloud": "test"})
    furniture.audit.record(ALICE, "cloud.add", "prod", {"ticket": 7})
    yield furniture
    furniture.close()


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"ticket": "CHG42"}, [1]),
        ({"ticket": "chg42"}, [1]),
        ({"ticket": "CHG43"}, [2]),
        ({"ticket": "CHG4"}, []),
        ({"target": "web"}, [2, 1]),
        ({"target": "%"}, []),
        ({"cloud": "prod"}, [3, 1]),
        ({"cloud": "pro"}, []),
        ({"without": ("server.",)}, [3]),
        ({"ticket": "CHG42", "cloud": "test"}, []),
    ],
)
def test_filters(made: Furniture, filters: dict[str, Any], expected: list[int]) -> None:
    assert [record["seq"] for record in made.audit.page(**filters)[1]] == expected
    assert made.audit.verify().ok


def test_a_ticket_taken_out_of_the_index_shows(made: Furniture) -> None:
    with closing(sqlite3.connect(made.ops.path)) as intruder:
        intruder.execute("DELETE FROM audit_tickets WHERE ticket = 'CHG42'")
        intruder.commit()
    found = made.audit.verify()
    assert (found.ok, found.seq) == (False, 1) and "ticket of record 1" in (found.problem or "")


def test_tickets_of_older_records_are_found_after_the_migration(made: Furniture) -> None:
    with made.ops.begin() as connection:
        for table in ("notes", "shift_marks", "saved_views", "column_choices", "audit_tickets"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        next(m for m in migrations.MIGRATIONS if m.version == 4).apply(connection)
    assert [record["seq"] for record in made.audit.page(ticket="CHG42")[1]] == [1] and made.audit.verify().ok


async def test_one_record_with_its_seal(made: Furniture) -> None:
    async with made.embedded(ALICE) as alice, made.embedded(LIMITED) as limited:
        found = (await alice.get("/q/audit/2")).json()
        assert (found["action"], found["sealed"]) == ("server.start", True)
        assert (await limited.get("/q/audit/2")).status_code == 200  # his own
        assert (await limited.get("/q/audit/1")).status_code == 404
        assert (await alice.get("/q/audit/99")).status_code == 404
        assert (await alice.get("/q/audit/0")).status_code == 422
        answer = (await alice.get("/q/audit", params={"ticket": "CHG42", "cloud": "prod", "target": "web"})).json()
        assert answer["total"] == 1
    with closing(sqlite3.connect(made.ops.path)) as intruder:
        intruder.execute("DROP TRIGGER audit_no_update")
        intruder.execute("UPDATE audit SET target = 'db-1' WHERE seq = 1")
        intruder.commit()
    first, second = made.audit.one(1), made.audit.one(2)
    assert first is not None and second is not None and (first["sealed"], second["sealed"]) == (False, True)


async def test_the_user_access_log(made: Furniture) -> None:
    log = AccessLog(made.ops)
    made.app.include_router(engine.audit.access_log.routes(log, made.access))
    async with made.embedded(ALICE) as alice, made.embedded(LIMITED) as other:
        body = {"action": "login", "user_name": "carol", "success": False, "ip_address": "192.0.2.1"}
        answer = await alice.post("/admin/user-access-log", json=body)
        assert answer.status_code == 201 and answer.json()["user_name"] == "carol"
        assert (await alice.post("/admin/user-access-log", json={"action": "view"})).json()["user_name"] == "alice"
        assert (await other.post("/admin/user-access-log", json=body)).status_code == 403
        assert (await alice.post("/admin/user-access-log", json={})).status_code == 422
        huge = {"action": "x", "details": {"x": "y" * 20_000}}
        assert (await alice.post("/admin/user-access-log", json=huge)).status_code == 400
    assert [event["action"] for event in log.newest()] == ["view", "login"]
