"""The audit chain: what is kept, what is found again, and that every kind of tampering shows."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from engine.access.models import ENGINE, Caller
from engine.audit.service import AuditService
from store import times
from tests.engine.api.furniture import Furniture

ALICE = Caller("root", 0, 1001, "alice", "admin")
BOB = Caller("bob", role="operator", via="tcp", token_id="t-1")


@pytest.fixture
def engine(tmp_path: Path):
    made = Furniture(tmp_path)
    yield made
    made.close()


@pytest.fixture
def audit(engine: Furniture) -> AuditService:
    return engine.audit


def fill(audit: AuditService) -> None:
    audit.record(ALICE, "cloud.add", "prod", {"auth_url": "https://x:5000", "n": [1, None, 2.5, "ü\u2028"]})
    audit.record(BOB, "cloud.remove", "prod 100%_done", outcome="refused")
    audit.record(ENGINE, "collection.run", "prod", {"rows": 10**15}, "failed")


def test_a_record_keeps_who_and_what(audit: AuditService) -> None:
    before = times.utcnow()
    identity = audit.record(ALICE, "cloud.add", "prod", {"a": 1})
    total, [found] = audit.page()
    assert total == 1 and before <= found["at"] <= times.utcnow()
    expected = {
        "id": identity,
        "seq": 1,
        "actor": "root",
        "uid": 0,
        "login_uid": 1001,
        "login_name": "alice",
        "role": "admin",
        "via": "socket",
        "token_id": None,
        "action": "cloud.add",
        "target": "prod",
        "detail": {"a": 1},
        "outcome": "ok",
    }
    assert {key: found[key] for key in expected} == expected


def test_an_untouched_chain_verifies(audit: AuditService) -> None:
    assert audit.verify().ok and audit.verify().records == 0
    fill(audit)
    found = audit.verify()
    assert (found.ok, found.records, found.head) == (True, 3, audit.page()[1][0]["hash"])


@pytest.mark.parametrize(
    ("tamper", "seq", "words"),
    [
        ("UPDATE audit SET actor = 'eve' WHERE seq = 1", 1, "was changed"),
        ("UPDATE audit SET detail = '{}' WHERE seq = 1", 1, "was changed"),
        ("UPDATE audit SET outcome = 'ok' WHERE seq = 2", 2, "was changed"),
        ("UPDATE audit SET at = at - 1 WHERE seq = 3", 3, "was changed"),
        ("UPDATE audit SET login_uid = NULL WHERE seq = 1", 1, "was changed"),
        ("UPDATE audit SET hash = 'x' WHERE seq = 2", 2, "was changed"),
        ("DELETE FROM audit WHERE seq = 2", 2, "is missing"),
        ("DELETE FROM audit WHERE seq = 1", 1, "is missing"),
        ("DELETE FROM audit WHERE seq = 3", 2, "newest records are missing: 3"),
        ("DELETE FROM audit", 0, "newest records are missing: 3"),
        ("UPDATE audit SET seq = 5 - seq WHERE seq > 1", 2, "was changed"),
    ],
)
def test_tampering_shows(engine: Furniture, tamper: str, seq: int, words: str) -> None:
    fill(engine.audit)
    with closing(sqlite3.connect(engine.ops.path)) as intruder:
        intruder.execute("DROP TRIGGER audit_no_update")
        intruder.execute("DROP TRIGGER audit_no_delete")
        if "5 - seq" in tamper:
            intruder.execute("UPDATE audit SET seq = -seq WHERE seq > 1")
            intruder.execute("UPDATE audit SET seq = 5 + seq WHERE seq < 0")
        else:
            intruder.execute(tamper)
        intruder.commit()
    found = engine.audit.verify()
    assert (found.ok, found.seq) == (False, seq) and words in (found.problem or "")


def test_records_of_many_threads_make_one_chain(audit: AuditService) -> None:
    threads = [
        threading.Thread(target=lambda: [audit.record(BOB, "x.y", "t", {"n": n}) for n in range(15)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (audit.verify().ok, audit.verify().records) == (True, 60)


def test_a_record_falls_with_the_act_it_belongs_to(engine: Furniture) -> None:
    with pytest.raises(ZeroDivisionError), engine.ops.begin() as connection:
        engine.audit.record(BOB, "x.y", "t", connection=connection)
        raise ZeroDivisionError
    assert engine.audit.page()[0] == 0
    engine.audit.record(BOB, "x.y", "t")
    assert engine.audit.verify().ok


@pytest.mark.parametrize(
    ("filters", "targets"),
    [
        ({}, ["prod", "prod 100%_done", "prod"]),
        ({"actor": "bob"}, ["prod 100%_done"]),
        ({"actor": "alice"}, ["prod"]),  # the person behind root
        ({"action": "cloud.*"}, ["prod 100%_done", "prod"]),
        ({"action": "cloud.add"}, ["prod"]),
        ({"action": "cloud"}, []),
        ({"outcome": "failed"}, ["prod"]),
        ({"text": "100%_"}, ["prod 100%_done"]),
        ({"text": "x:5000"}, ["prod"]),
        ({"text": "%"}, ["prod 100%_done"]),
        ({"limit": 1}, ["prod"]),
        ({"limit": 1, "offset": 1}, ["prod 100%_done"]),
        ({"limit": 1, "offset": 9}, []),
    ],
)
def test_filters(audit: AuditService, filters: dict, targets: list[str]) -> None:
    fill(audit)
    assert [record["target"] for record in audit.page(**filters)[1]] == targets


def test_a_time_range_takes_its_start_and_not_its_end(audit: AuditService) -> None:
    fill(audit)
    moments = [record["at"] for record in audit.page()[1]]
    assert audit.page(since=moments[1], until=moments[0])[0] == 1
    assert audit.page(since=moments[0] + timedelta(microseconds=1))[0] == 0


def test_too_large_a_detail_is_refused(audit: AuditService) -> None:
    with pytest.raises(ValueError, match="65536 bytes"):
        audit.record(BOB, "x.y", "t", {"big": "x" * 65_536})
    assert audit.page()[0] == 0


async def test_over_the_api(engine: Furniture) -> None:
    fill(engine.audit)
    async with engine.socket() as client:
        found = (await client.get("/q/audit", params={"page_size": 2})).json()
        assert (found["total"], found["page"], found["page_size"], len(found["items"])) == (3, 1, 2, 2)
        assert found["items"][0]["at"].endswith("Z") and found["items"][0]["detail"] == {"rows": 10**15}
        assert (await client.get("/q/audit", params={"actor": "alice"})).json()["total"] == 1
        assert (await client.get("/q/audit", params={"since": "2020-01-01"})).json()["total"] == 3
        bad = await client.get("/q/audit", params={"since": "yesterday"})
        assert bad.status_code == 400 and "is not a time" in bad.json()["detail"]
        verdict = (await client.get("/q/audit/verification")).json()
    assert verdict["ok"] is True and verdict["records"] == 3


async def test_a_limited_caller_sees_his_own_records_only(engine: Furniture) -> None:
    fill(engine.audit)
    key = engine.access.tokens.create_key("bob", "viewer", "x", clouds=["test"])[1]
    async with engine.tcp(key) as client:
        found = (await client.get("/q/audit")).json()
        assert (found["total"], found["items"][0]["actor"]) == (1, "bob")
        assert (await client.get("/q/audit", params={"text": "x:5000"})).json()["total"] == 0
        assert (await client.get("/q/audit/verification")).status_code == 403
    everything = engine.access.tokens.create_key("bob", "viewer", "x")[1]
    async with engine.tcp(everything) as client:
        assert (await client.get("/q/audit")).json()["total"] == 3
