"""Settings in force: defaults, changes made in the app, and the file, which wins."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert

from engine.settings.service import SettingsService
from store import times
from store.ops import tables
from tests.engine.api.furniture import Furniture, configured

KEY = "collection.interval_minutes"


@pytest.fixture
def engine(tmp_path: Path):
    made = configured(tmp_path, "[collection]\nretries = 1\n[access.users.alice]\nrole = 'viewer'\n")
    yield made
    made.close()


async def test_reading(engine: Furniture) -> None:
    async with engine.embedded() as client:
        found = (await client.get("/q/settings")).json()
        items = {item["key"]: item for item in found["items"]}
        assert found["file"] == str(engine.home / "qdeck.toml")
        assert items["collection.retries"] == {
            "key": "collection.retries",
            "value": 1,
            "default": 3,
            "source": "file",
            "locked": True,
            "changeable": False,
            "allowed": "a whole number from 0 to 10",
            "description": "Times a read is repeated after a passing error.",
            "updated_at": None,
            "updated_by": None,
        }
        assert (items[KEY]["value"], items[KEY]["source"], items[KEY]["changeable"]) == (15, "default", True)
        assert items["access.users"]["value"]["alice"]["role"] == "viewer"
        assert items["engine.group"]["changeable"] is False
        assert (await client.get("/q/settings/x")).status_code == 404


async def test_changing_and_going_back(engine: Furniture) -> None:
    heard: list[int] = []
    engine.settings.on_change(lambda settings: heard.append(settings.collection.interval_minutes))
    async with engine.embedded() as client:
        changed = (await client.put(f"/q/settings/{KEY}", json={"value": 30})).json()
        assert (changed["value"], changed["source"], changed["updated_by"]) == (30, "app", "root")
        await client.put(f"/q/settings/{KEY}", json={"value": 20})
        assert engine.settings.current.collection.interval_minutes == 20
        assert SettingsService(engine.ops, engine.loaded).current.collection.interval_minutes == 20
        reset = (await client.delete(f"/q/settings/{KEY}")).json()
        assert (reset["value"], reset["source"]) == (15, "default")
    assert heard == [30, 20, 15]
    trail = [(r["action"], r["target"], r["detail"]) for r in engine.audit.page()[1]]
    assert trail[1] == ("settings.change", KEY, {"before": 30, "after": 20})
    assert trail[0] == ("settings.reset", KEY, {"before": 20})


@pytest.mark.parametrize(
    ("key", "value", "status", "words"),
    [
        (KEY, 0, 400, "allowed is a whole number from 1 to 1440"),
        (KEY, "10", 400, "allowed is a whole number"),
        (KEY, True, 400, "allowed is a whole number"),
        (KEY, None, 400, "needs a value"),
        (KEY, {"a": [1]}, 400, "allowed is a whole number"),
        ("logging.level", "debug", 400, "one of `DEBUG`"),
        ("collection.retries", 2, 409, "which wins; remove it there"),
        ("engine.group", "wheel", 409, "only in the configuration file"),
        ("access.users", {"eve": {"role": "superadmin"}}, 409, "only in the configuration file"),
        ("collection", {}, 404, "is not a setting"),
        ("a.b", 1, 404, "is not a setting"),
    ],
)
async def test_refusals_change_nothing(engine: Furniture, key: str, value: object, status: int, words: str) -> None:
    before = engine.settings.items()
    async with engine.embedded() as client:
        answer = await client.put(f"/q/settings/{key}", json={"value": value})
    assert answer.status_code == status and words in answer.json()["detail"]
    assert engine.settings.items() == before and engine.audit.page()[0] == 0


async def test_without_an_audit_record_nothing_changes(engine: Furniture, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(connection: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        engine.settings.change(KEY, 30, "x", broken)
    assert engine.settings.current.collection.interval_minutes == 15
    assert engine.settings.item(KEY)["source"] == "default"


def test_an_override_that_is_not_valid_any_more_is_left_out(engine: Furniture) -> None:
    rows = [("collection.interval_minutes", -5), ("collection.retention_days", 30), ("collection.gone", 1)]
    with engine.ops.begin() as connection:
        for key, value in rows:
            connection.execute(
                insert(tables.settings).values(key=key, value=value, updated_at=times.utcnow(), updated_by="old")
            )
    current = SettingsService(engine.ops, engine.loaded).current.collection
    assert (current.interval_minutes, current.retention_days) == (15, 30)


async def test_the_view_comes_back_to_its_owner(engine: Furniture) -> None:
    view = {"view": "servers /web sort:age:desc @prod", "cursor": ["prod", "", "ü"]}
    async with engine.socket() as mine, engine.embedded() as other:
        assert (await mine.get("/q/session-view")).json() is None
        assert (await mine.put("/q/session-view", json={"old": 1})).status_code == 204
        assert (await mine.put("/q/session-view", json=view)).status_code == 204
        assert (await mine.get("/q/session-view")).json() == view
        # The fixture's embedded caller has uid 0; run as root both are the same owner.
        same = engine.access.caller_of({"extensions": {"qdeck.peer": {"uid": 0}}}).owner if _root() else None
        assert (await other.get("/q/session-view")).json() == (view if same else None)
        big = await mine.put("/q/session-view", json={"x": "y" * 17_000})
        assert (big.status_code, big.json()["detail"]) == (400, "a view may have 16384 bytes")
        assert (await mine.get("/q/session-view")).json() == view


def _root() -> bool:
    import os

    return os.getuid() == 0
