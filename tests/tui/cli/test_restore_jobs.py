"""`qdeck restore jobs`, `show`, `watch`, `cancel`, `retry`, `answer`, `cleanup`, `kept`: printed, asked, exit codes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.tui.cli.restore_engine import PHRASE, PLAN, Engine, connect, job, plan, ran, step
from tui.api.errors import ApiError, EngineUnavailable
from tui.cli import restore_watch
from tui.cli.exits import CANNOT, FAILED, NO_ENGINE, NOT_FOUND, OK, PARTIAL, USAGE

ONE = f"GET /q/restore/jobs/{PLAN}"
JOBS = f"POST /q/restore/jobs/{PLAN}"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(restore_watch, "_LOOK_SECONDS", 0.0)
    engine = connect(monkeypatch)
    engine.answers["GET /q/restore/jobs/7"] = job()
    return engine


def going(status: str = "RUNNING", *states: str, **more: Any) -> dict[str, Any]:
    names = ("VALIDATE_LIVE_STATE", "CREATE_SERVER", "FINALIZE")
    steps = [step(name, state) for name, state in zip(names, states, strict=False)]
    return job(status, [*steps, step("UNDO_SERVER", "SKIPPED", "undo")], **more)


def test_every_step_is_told_once_as_it_ends(engine: Engine) -> None:
    engine.answers[ONE] = [
        going("RUNNING", "SUCCEEDED", "RUNNING", "PENDING"),
        going("RUNNING", "SUCCEEDED", "RUNNING", "PENDING"),
        going("SUCCEEDED", "SUCCEEDED", "SUCCEEDED", "SUCCEEDED", old_machine="the old db-1 is kept"),
    ]
    code, said = ran("watch", "7")
    assert code == OK and "restore 7 succeeded" in said and "the old db-1 is kept" in said
    for number, name in enumerate(("VALIDATE_LIVE_STATE", "CREATE_SERVER", "FINALIZE"), 1):
        assert said.count(f"{number}/3 SUCCEEDED {name}") == 1
    assert "UNDO" not in said


@pytest.mark.parametrize(
    ("ended", "code", "words"),
    [
        (going("FAILED", "SUCCEEDED", "FAILED", can=["retry", "cleanup"]), FAILED, "`qdeck restore retry 7`"),
        (going("CANCELED", "SUCCEEDED"), FAILED, "canceled"),
        (going("SUCCEEDED", "SUCCEEDED", incomplete=True), PARTIAL, "succeeded"),
        (going("SUCCEEDED", "SUCCEEDED"), OK, "succeeded"),
    ],
)
def test_the_exit_code_says_what_came_of_it(engine: Engine, ended: dict[str, Any], code: int, words: str) -> None:
    engine.answers["GET /q/restore/jobs/7"] = ended
    found, said = ran("watch", "7")
    assert found == code and words in said
    found, said = ran("watch", "7", "-o", "json")
    assert found == code and json.loads(said[said.index("{") : said.rindex("}") + 1])["status"] == ended["status"]


def test_a_lost_engine_is_waited_for(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.answers[ONE] = [EngineUnavailable("nobody answers"), EngineUnavailable("nobody answers"),
                           going("SUCCEEDED", "SUCCEEDED")]  # fmt: skip
    code, said = ran("watch", "7")
    assert code == OK and said.count("nobody answers; waiting for it") == 1 and "the engine answers again" in said
    monkeypatch.setattr(restore_watch, "_AWAY_SECONDS", -1.0)
    engine.answers[ONE] = EngineUnavailable("nobody answers")
    code, said = ran("watch", "7")
    assert code == NO_ENGINE and "goes on with the next engine" in said


def test_interrupted_it_goes_on(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(restore_watch.time, "sleep", press)
    code, said = ran("watch", "7")
    assert code != OK and "restore 7 goes on" in said
    assert not [asked for asked, _ in engine.asked if asked.startswith("POST")]


def test_what_it_asks_is_told_and_answered(engine: Engine) -> None:
    asks = going("RUNNING", "RUNNING", asks="does db-1 answer?", can=["cancel", "answer"])
    engine.answers |= {"GET /q/restore/jobs/7": asks, ONE: [asks, going("SUCCEEDED", "SUCCEEDED")]}
    code, said = ran("watch", "7")
    assert code == OK and said.count("it asks: does db-1 answer?") == 1 and "qdeck restore answer 7 yes" in said
    engine.answers[f"{JOBS}/answer"] = asks
    assert ran("answer", "7", "no")[0] == OK and engine.sent(f"{JOBS}/answer") == {"answer": "no"}
    assert ran("answer", "7", "perhaps")[0] == USAGE
    engine.answers[f"{JOBS}/answer"] = ApiError(409, "somebody answered before")
    assert ran("answer", "7", "yes") == (CANNOT, "qdeck: somebody answered before\n")


def test_a_plan_is_not_watched(engine: Engine) -> None:
    code, said = ran("watch", PLAN[:8])
    assert code == CANNOT and f"qdeck restore execute {PLAN}" in said


@pytest.mark.parametrize(("ref", "code"), [("9", NOT_FOUND), ("01a", NOT_FOUND), ("zzzzz", NOT_FOUND), ("01a2", OK)])
def test_restores_are_named_by_number_id_or_its_start(engine: Engine, ref: str, code: int) -> None:
    assert ran("show", ref)[0] == code


def test_a_list_says_what_waits_and_what_is_not_possible(engine: Engine) -> None:
    bad = job("PLANNED", eligible=False, vm_name="db\x1b[2J")
    engine.answers["GET /q/restore/jobs"] = {"total": 5, "items": [job("RUNNING"), job("PLANNED"), bad]}
    code, said = ran("jobs")
    assert code == OK and "running" in said and "planned" in said and "not possible" in said and "\x1b" not in said
    assert "the newest 3 of 5" in said
    assert len(json.loads(ran("jobs", "--status", "failed", "-o", "json")[1].partition("\nqdeck")[0])) == 3
    assert engine.sent("GET /q/restore/jobs")["status"] == "FAILED"


def test_cancelling(engine: Engine) -> None:
    running = job("RUNNING", can=["cancel"])
    engine.answers |= {"GET /q/restore/jobs/7": running, f"{JOBS}/cancel": running, ONE: job("CANCELED")}
    code, said = ran("cancel", "7", "--reason", "the wrong one", "--watch")
    assert code == OK and "taken back" in said and engine.sent(f"{JOBS}/cancel") == {"reason": "the wrong one"}
    engine.answers["GET /q/restore/jobs/7"] = job("RUNNING")
    code, said = ran("cancel", "7")
    assert code == CANNOT and "past the step" in said
    engine.answers |= {ONE: job("PLANNED"), f"{JOBS}/cancel": job("PLANNED")}
    assert "is given up" in ran("cancel", PLAN)[1]


def test_a_retry_asks_for_the_phrase_again(engine: Engine) -> None:
    engine.answers |= {"GET /q/restore/jobs/7": job("FAILED", can=["retry"]), ONE: job("RUNNING"),
                       f"GET /q/restore/plans/{PLAN}": plan("REPLACE")}  # fmt: skip
    engine.answers[f"{JOBS}/retry"] = {"job_id": PLAN, "resumed_from_step": "CREATE_SERVER",
                                       "reused_resources": {"volume_id": "v"}}  # fmt: skip
    assert ran("retry", "7")[0] == USAGE
    code, said = ran("retry", "7", "--typed", PHRASE, "--ip-strategy", "new_ips")
    assert code == OK and "goes on from CREATE_SERVER with the volumes" in said
    assert engine.sent(f"{JOBS}/retry") == {"typed": PHRASE, "ip_strategy_override": "NEW_IPS"}
    engine.answers["GET /q/restore/jobs/7"] = job("SUCCEEDED")
    assert ran("retry", "7")[0] == CANNOT


LEFT = [
    {"type": "port", "name": "p", "id": "1", "purpose": "port:0", "can_go": True, "reason": ""},
    {"type": "volume", "name": "v", "id": "2", "purpose": "volume:x", "can_go": True, "reason": ""},
    {"type": "server", "name": "s", "id": "3", "purpose": "server", "can_go": False, "reason": "not its mark"},
]


def test_cleaning_up_shows_first_what_goes(engine: Engine) -> None:
    engine.answers |= {"GET /q/restore/jobs/7": job("FAILED"), f"{ONE}/left": {"items": LEFT}}
    code, said = ran("cleanup", "7", "--dry-run")
    assert code == OK and "not its mark" in said and "a retry uses it again" in said
    assert ran("cleanup", "7")[0] == USAGE, "nobody is there to agree"
    cleaned = {"removed": LEFT[:1], "left": LEFT[1:], "errors": []}
    engine.answers[f"{JOBS}/cleanup"] = {"job_id": PLAN, "cleaned": cleaned, "message": "Cleanup completed"}
    code, said = ran("cleanup", "7", "-y")
    assert code == OK and "1 removed, 2 left" in said
    assert engine.sent(f"{JOBS}/cleanup") == {"delete_volume": False, "typed": ""}
    cleaned["errors"] = ["v is still there"]
    assert ran("cleanup", "7", "-y", "--delete-volume")[0] == PARTIAL
    engine.answers["GET /q/writes"] = {"items": [{"cloud": "prod", "production": True}]}
    assert ran("cleanup", "7", "-y")[0] == USAGE, "a production cloud wants its name"
    ran("cleanup", "7", "--typed", "prod")
    assert engine.sent(f"{JOBS}/cleanup")["typed"] == "prod"


def test_old_storage(engine: Engine) -> None:
    engine.answers["GET /q/restore/jobs/7"] = job("SUCCEEDED", can=["cleanup_storage"])
    result = {"deleted_volumes": ["v"], "deleted_snapshots": [], "errors": [],
              "skipped": [{"type": "snapshot", "id": "s", "reason": "it is in use"}]}  # fmt: skip
    engine.answers[f"{JOBS}/cleanup-storage"] = {"job_id": PLAN, "result": result, "message": "done"}
    code, said = ran("cleanup-storage", "7", "-y", "--source-snapshot")
    assert code == OK and "gone" in said and "it is in use" in said
    assert ran("cleanup-storage", "7", "-y", "--no-old-volume")[0] == USAGE
    engine.answers["GET /q/restore/jobs/7"] = job("FAILED")
    assert ran("cleanup-storage", "7", "-y")[0] == CANNOT


def test_what_is_kept(engine: Engine) -> None:
    row = {"id": "0badcafe-1", "job_id": PLAN, "kind": "machine", "cloud": "prod", "region": "eu", "project_id": "p1",
           "resource_id": "feed0000-1", "name": "db-1-old-7", "at_end": "none", "state": "kept", "problem": "",
           "since": None, "until": "2026-12-07T10:00:00Z", "over": False, "project_name": "acme", "machine": "db-1",
           "typed": "db-1-old-7", "can": ["extend", "release", "remove"]}  # fmt: skip
    engine.answers["GET /q/restore/kept"] = {"items": [row]}
    path = f"POST /q/restore/kept/{row['id']}"
    engine.answers |= {f"{path}/extend": row, f"{path}/release": row, f"{path}/remove": row}
    assert "db-1-old-7" in ran("kept")[1] and json.loads(ran("kept", "-o", "json")[1])[0]["id"] == row["id"]
    assert ran("kept", "extend", "feed", "3")[0] == OK and engine.sent(f"{path}/extend") == {"days": 3}
    assert ran("kept", "release", "db-1-old-7", "-y", "--rename")[0] == OK
    assert engine.sent(f"{path}/release") == {"rename": True}
    assert ran("kept", "remove", "0bad")[0] == USAGE, "its name has to be typed"
    assert ran("kept", "remove", "0bad", "--typed", "db-1")[0] == CANNOT
    assert ran("kept", "remove", "0bad", "--typed", "db-1-old-7")[0] == OK
    assert engine.sent(f"{path}/remove") == {"typed": "db-1-old-7"}
    assert ran("kept", "extend", "other", "3")[0] == NOT_FOUND
