"""What restore jobs note: nothing that may be in a cloud is ever forgotten, and nothing is noted twice."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from engine.restore.records import Records
from store.ops.ops import Ops
from store.ops.restore_tables import restore_plans

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
PLACE = {"cloud": "lab", "region": "one", "project_id": "p1"}


def _key(id: str = "") -> tuple[str, str, str]:
    return ("lab", "one", id)


@pytest.fixture
def ops(tmp_path: Path):
    with closing(Ops.open(tmp_path / "ops.sqlite")) as opened:
        yield opened


@pytest.fixture
def records(ops: Ops) -> Records:
    return Records(ops, lambda: NOW)


def _states(records: Records, job: str = "j1") -> list[tuple[str, str, str]]:
    return [(row["purpose"], row["id"], row["state"]) for row in records.of_job(job)]


def test_a_resource_is_noted_before_it_has_an_id_and_once(records: Records) -> None:
    records.begin("j1", 4, "server", "server", "token-a", "web-1", _key(), "p1")
    assert _states(records) == [("server", "", "begun")]
    records.made("j1", "server", "s-9")
    records.begin("j1", 4, "server", "server", "token-a", "web-1", _key(), "p1")
    assert _states(records) == [("server", "s-9", "made")]


def test_what_was_noted_with_another_token_is_set_aside_not_forgotten(records: Records) -> None:
    records.begin("j1", 4, "port:0", "port", "token-a", "", _key(), "p1")
    records.made("j1", "port:0", "port-1")
    records.begin("j1", 7, "port:0", "port", "token-b", "", _key(), "p1")
    rows = records.of_job("j1")
    assert {(row["token"], row["id"], row["state"]) for row in rows} == {
        ("token-a", "port-1", "made"),
        ("token-b", "", "begun"),
    }
    found = records.found("j1", "port:0")
    assert found is not None and found["token"] == "token-b"


def test_what_was_removed_can_be_made_again(records: Records) -> None:
    records.begin("j1", 4, "port:0", "port", "token-a", "", _key(), "p1")
    records.made("j1", "port:0", "port-1")
    records.removed("j1", "port:0")
    records.begin("j1", 4, "port:0", "port", "token-a", "", _key(), "p1")
    found = records.found("j1", "port:0")
    assert found is not None and (found["id"], found["state"]) == ("", "begun")
    assert sorted(row["state"] for row in records.of_job("j1")) == ["begun", "removed"]


def test_an_answer_for_what_was_never_noted_is_an_error(records: Records) -> None:
    with pytest.raises(LookupError, match="noted nothing for server"):
        records.made("j1", "server", "s-9")


def test_what_a_job_hands_over_is_no_longer_left(records: Records) -> None:
    for purpose, id in (("server", "s-9"), ("port:0", "port-1"), ("temporary:v1", "")):
        records.begin("j1", 1, purpose, "port", f"t-{purpose}", "", _key(), "p1")
        if id:
            records.made("j1", purpose, id)
    records.handed_over("j1")
    assert [row["purpose"] for row in records.left()] == ["temporary:v1"]


def test_a_retry_takes_over_and_gives_back_when_it_is_not_begun(ops: Ops, records: Records) -> None:
    for purpose, token, id in (("volume:v1", "token-a", "v-new"), ("volume:v2", "token-b", ""), ("port:0", "c", "p-1")):
        records.begin("j1", 3, purpose, purpose.partition(":")[0], token, "", _key(), "p1")
        if id:
            records.made("j1", purpose, id)
    with ops.begin() as connection:
        taken = records.adopt(connection, "j2", "j1", ["volume:v1", "volume:v2"])
    assert [(row["job_id"], row["purpose"], row["token"], row["id"]) for row in taken] == [
        ("j2", "volume:v1", "token-a", "v-new")
    ]
    assert _states(records, "j2") == [("volume:v1", "v-new", "made")]
    assert {(row["job_id"], row["purpose"]) for row in records.left()} == {
        ("j2", "volume:v1"), ("j1", "volume:v2"), ("j1", "port:0"),
    }  # fmt: skip
    records.return_adopted("j2", "j1")
    assert records.of_job("j2") == []
    assert {row["purpose"]: row["state"] for row in records.of_job("j1")} == {
        "volume:v1": "made", "volume:v2": "begun", "port:0": "made",
    }  # fmt: skip


def test_the_chain_of_retries(ops: Ops, records: Records) -> None:
    with ops.begin() as connection:
        for id, before in (("j1", None), ("j2", "j1"), ("j3", "j2")):
            connection.execute(
                insert(restore_plans).values(
                    id=id, created_at=NOW, expires_at=NOW, server_id="m", server_name="m", way="NEW", status="ENDED",
                    eligible=True, hash="", content={}, owner="o", made_by="o", retry_of=before, **PLACE,
                )
            )  # fmt: skip
    assert records.chain("j3") == ["j3", "j2", "j1"]
    assert records.chain("unknown") == ["unknown"]


def test_what_is_kept_is_noted_once_and_found_when_it_is_due(records: Records) -> None:
    records.keep("j1", "machine", _key("m1"), "p1", "web-1", NOW + timedelta(days=7))
    records.keep("j1", "machine", _key("m1"), "p1", "web-1", NOW + timedelta(days=9))
    records.keep("j2", "volume", _key("v1"), "p1", "v", NOW + timedelta(days=8))
    records.keep("j3", "volume", _key("v2"), "p1", "w", None)
    assert [row["resource_id"] for row in records.kept()] == ["m1", "v1", "v2"]
    due = records.kept(due=NOW + timedelta(days=7))
    assert [row["resource_id"] for row in due] == ["m1"]
    assert due[0]["until"] == NOW + timedelta(days=7)
    assert records.keeps("lab", "one", "m1") is not None
    records.change_kept(due[0]["id"], state="released", changed_by="anna")
    assert records.keeps("lab", "one", "m1") is None
    assert [row["resource_id"] for row in records.kept()] == ["v1", "v2"]


def test_lineage_is_followed_over_several_restores(records: Records) -> None:
    for old, new in (("v1", "v2"), ("v2", "v3"), ("v1", "v2"), ("x1", "x2")):
        records.lineage("j1", "volume", _key(old), _key(new))
    assert [(row["old_id"], row["new_id"]) for row in records.line("lab", "one", "v2")] == [("v1", "v2"), ("v2", "v3")]
    assert records.before("lab", "one", "v3") == ["v2", "v1"]
    assert records.before("lab", "one", "v1") == []
    assert records.before("other", "one", "v3") == []


def test_a_circle_of_lineage_ends(records: Records) -> None:
    records.lineage("j1", "volume", _key("v1"), _key("v2"))
    records.lineage("j2", "volume", _key("v2"), _key("v1"))
    assert records.before("lab", "one", "v1") == ["v2"]
    assert len(records.line("lab", "one", "v1")) == 2


def test_the_first_answer_counts(ops: Ops, records: Records) -> None:
    assert records.answer("j1") is None
    with ops.begin() as connection:
        assert records.say(connection, "j1", "yes", "anna")
        assert not records.say(connection, "j1", "no", "ben")
    assert records.answer("j1") == "yes"


def test_lines_of_many_are_told_at_once(records: Records) -> None:
    for old, new in (("v1", "v2"), ("v2", "v3"), ("m1", "m2")):
        records.lineage("j1", "volume", _key(old), _key(new))
    assert records.lines("lab", "one", ["v1", "v3", "m2", "alone"]) == {
        "v1": ([], ["v2", "v3"]),
        "v3": (["v2", "v1"], []),
        "m2": (["m1"], []),
    }
    assert records.lines("lab", "two", ["v1"]) == {} == records.lines("lab", "one", [])
