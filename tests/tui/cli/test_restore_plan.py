"""`qdeck restore start`, `points`, `plan`, `execute`: what is asked of the engine, and what is printed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.restore import bodies
from tests.tui.cli.restore_engine import DISKS, NETWORK, PHRASE, PLAN, POINT, SERVER, Engine, connect, job, plan, ran
from tui.api.errors import ApiError
from tui.cli import restore_plan
from tui.cli.commands import app
from tui.cli.exits import CANNOT, NOT_FOUND, OK, USAGE

EXECUTE = f"POST /q/restore/plans/{PLAN}/execute"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    return connect(monkeypatch)


def body(engine: Engine, *words: str) -> dict[str, Any]:
    """What `plan db-1 WORDS` asks for; the engine's own validation takes it."""
    code, said = ran("plan", "db-1", *words)
    assert code == OK, said
    sent: dict[str, Any] = engine.sent("POST /q/restore/plans")
    bodies.RequestBody.model_validate(sent)
    return {name: value for name, value in sent.items() if name not in ("cloud", "region", "server_id")}


ASKED: list[tuple[str, dict[str, Any]]] = [
    ("", {"way": "NEW"}),
    ("--way in-place", {"way": "IN_PLACE"}),
    ("--way DISK_BESIDE --volume vdb --helper none", {"way": "DISK_BESIDE", "volume_id": DISKS[1], "helper": "none"}),
    ("--way data-volume-back --volume data --stop", {"way": "DATA_VOLUME_BACK", "volume_id": DISKS[1], "stop": True}),
    ("--way replace", {"way": "REPLACE", "ip_strategy": "SAME_IPS_OR_FAIL"}),
    ("--way replace --ip-strategy new_ips", {"way": "REPLACE", "ip_strategy": "NEW_IPS"}),
    ("--ip front=10.0.0.9", {"way": "NEW", "ip_strategy": "MANUAL_IP", "manual_ips": {NETWORK: "10.0.0.9"}}),
    ("--point nightly-1 --keep db-1-data",
     {"way": "NEW", "restore_point_id": POINT, "disks": {DISKS[1]: "keep_current"}}),
    (f"--point {POINT[:8]} --leave-out {DISKS[1][:8]}",
     {"way": "NEW", "restore_point_id": POINT, "disks": {DISKS[1]: "leave_out"}}),
    (f"--from-point vdb={POINT} --from-point root",
     {"way": "NEW", "disks": {DISKS[1]: f"point:{POINT}", DISKS[0]: "restore_point"}}),
    ("--name x --keep-days 3 --delete-old --user-data --zone --no-safety-snapshot --raise-quota",
     {"way": "NEW", "new_name": "x", "keep_days": 3, "end": "delete", "user_data": True, "zone": True,
      "raise_quota": True,
      "safety_snapshot": False}),
    ("--prove-port 22 --prove-seconds 0 --no-ask",
     {"way": "NEW", "prove": {"tcp_port": 22, "seconds": 0, "ask": False}}),
]  # fmt: skip


@pytest.mark.parametrize(("words", "asked"), ASKED, ids=[words or "nothing" for words, _ in ASKED])
def test_options_are_fields_of_the_request(engine: Engine, words: str, asked: dict[str, Any]) -> None:
    assert body(engine, *words.split()) == asked


WRONG = [
    ("--way sideways", USAGE, "disk-beside, data-volume-back, in-place, new, replace"),
    ("--keep vdz", NOT_FOUND, "there is no disk 'vdz'; it has root (/dev/vda), data (/dev/vdb)"),
    ("--keep vdb --leave-out data", USAGE, "say one thing of a disk"),
    ("--ip front", USAGE, "write NETWORK=ADDRESS"),
    ("--ip back=10.0.0.9", NOT_FOUND, "db-1 is not on the network 'back'; it is on front"),
    ("--ip front=10.0.0.9 --ip-strategy NEW_IPS", USAGE, "--ip is for --ip-strategy MANUAL_IP"),
    ("--point weekly", NOT_FOUND, "no restore point 'weekly'"),
    (f"--point {POINT} --at yesterday", USAGE, "give one of the two"),
]


@pytest.mark.parametrize(("words", "code", "said"), WRONG, ids=[words for words, _, _ in WRONG])
def test_wrong_words_are_told_in_one_sentence(engine: Engine, words: str, code: int, said: str) -> None:
    ended, output = ran("plan", "db-1", *words.split())
    assert (ended, said in " ".join(output.split())) == (code, True), output
    assert "POST /q/restore/plans" not in [asked for asked, _ in engine.asked]


def test_the_review_begins_with_whose_machine_and_what_is_lost(engine: Engine) -> None:
    engine.answers["POST /q/restore/plans"] = plan("REPLACE")
    code, said = ran("plan", "db-1", "--way", "replace")
    lines = said.splitlines()
    assert code == OK and lines[0] == "prod/eu · acme · db-1   LOST: 16h00m of root"
    assert f"plan {PLAN}, expires" in lines[3]
    for title in ("will be lost", "will differ", "steps", "if it fails or is cancelled before PROVE_IT_ANSWERS"):
        assert title in lines, title
    assert f"it asks to type: {PHRASE}" in said and "keep current" in said
    assert "start db-1-new" in ran("plan", "db-1", "--dry-run")[1]
    assert json.loads(ran("plan", "db-1", "-o", "json")[1])["id"] == PLAN
    assert ran("plan", "db-1", "-o", "csv")[1].startswith("plan,eligible,way")


def test_a_plan_that_is_not_possible_ends_with_2_and_is_not_carried_out(engine: Engine) -> None:
    refused = plan(eligible=False, problems=["no room\x1b[2J"])
    engine.answers |= {"POST /q/restore/plans": refused, f"GET /q/restore/plans/{PLAN}": refused}
    code, said = ran("plan", "db-1")
    assert code == CANNOT and "it can NOT be carried out: no room" in said and "\x1b" not in said
    code, said = ran("execute", PLAN, "-y")
    assert code == CANNOT and "no room" in said and EXECUTE not in [asked for asked, _ in engine.asked]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"expired": True}, "older than 30 minutes"),
        ({"executed_at": "2026-11-30T10:00:00Z"}, "carried out before"),
        ({"status": "CANCELED"}, "given up"),
        ({"dry_run_only": True}, "only planned"),
    ],
)
def test_a_plan_that_is_over_is_not_sent(engine: Engine, more: dict[str, Any], said: str) -> None:
    engine.answers[f"GET /q/restore/plans/{PLAN}"] = plan(**more)
    code, output = ran("execute", PLAN, "-y")
    assert code == CANNOT and said in output and EXECUTE not in [asked for asked, _ in engine.asked]


def test_the_phrase_is_exact_and_never_filled_in(engine: Engine) -> None:
    engine.answers |= {f"GET /q/restore/plans/{PLAN}": plan("REPLACE"), EXECUTE: job()}
    code, said = ran("execute", PLAN, "--yes")
    assert code == USAGE and f'--typed "{PHRASE}"' in said
    code, said = ran("execute", PLAN, "--typed", PHRASE.lower())
    assert code == CANNOT and "not the phrase" in said
    assert EXECUTE not in [asked for asked, _ in engine.asked]
    code, said = ran("execute", PLAN[:10], "--typed", PHRASE, "--reason", "why")
    assert code == OK and "restore 7 begins" in said
    assert engine.sent(EXECUTE) == {"reason": "why", "ticket": "", "typed": PHRASE, "hash": "h"}


def test_nobody_at_the_terminal_agrees_to_nothing(engine: Engine) -> None:
    engine.answers[EXECUTE] = job()
    assert ran("execute", PLAN)[0] == USAGE and EXECUTE not in [asked for asked, _ in engine.asked]
    code, said = ran("execute", PLAN, "-y", "-o", "json")
    assert code == OK and json.loads(said[said.index("{") : said.rindex("}") + 1])["number"] == 7


def test_what_has_changed_since_is_told_line_by_line(engine: Engine) -> None:
    differences = ["the root disk is 40 GB, and was 20 GB", "its flavor is another"]
    engine.answers[EXECUTE] = ApiError(409, "2 things have changed: make a new plan", {"differences": differences})
    code, said = ran("execute", PLAN, "-y")
    assert code == CANNOT and all(line in said for line in differences) and "make a new plan" in said
    engine.answers[EXECUTE] = ApiError(409, "no role there", {"command": "openstack role add x"})
    assert "an administrator can change that: openstack role add x" in ran("execute", PLAN, "-y")[1]


def test_triage_ways_and_points(engine: Engine) -> None:
    code, said = ran("start", "db-1")
    assert code == OK and "x its host is down" in said and "$ openstack server evacuate x" in said
    assert "Nova is too old" in said and "NEW *" in said and "all 2 disks" in said
    assert json.loads(ran("points", "db-1", "--disk", "vdb", "-o", "json")[1])[0]["id"] == POINT
    assert "policy" in ran("points", "db-1", "-o", "csv")[1].splitlines()[0]
    engine.start["points"] = []
    assert "has no restore point" in ran("points", "db-1")[1]


def test_addresses_that_are_free(engine: Engine) -> None:
    engine.answers["GET /q/resolve"] = {"items": [{"key": ["prod", "eu", NETWORK], "name": "front", "match": "name"}]}
    subnet = {"subnet_id": "s", "subnet_name": "", "cidr": "10.0.0.0/24", "gateway_ip": None,
              "available_ips": ["10.0.0.7", "10.0.0.8"], "available_count": 2}  # fmt: skip
    found = {"network_id": NETWORK, "network_name": "front", "known": True, "why": "", "subnets": [subnet]}
    engine.answers["GET /q/restore/addresses"] = found
    code, said = ran("addresses", "front", "-n", "1")
    assert code == OK and "10.0.0.7" in said and "10.0.0.8" not in said and "--limit" in said
    engine.answers["GET /q/restore/addresses"] = {**found, "known": False, "why": "it is another project's"}
    assert "not known: it is another project's" in ran("addresses", "front")[1]


USER_DATA = "GET /q/restore/user-data"
LINES = {"bytes": 900, "sha256": "ab" * 32, "kind": "text", "lines": ["#cloud-config", "x\x1b[2J"], "more": True}


def test_a_terminal_is_shown_the_first_lines_of_user_data_and_no_file_is(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.answers[USER_DATA] = LINES
    words = ("plan", "db-1", "--user-data", "-o", "json")
    assert "cloud-config" not in ran(*words)[1], "nobody is there to read it"
    assert USER_DATA not in [asked for asked, _ in engine.asked]
    monkeypatch.setattr(restore_plan, "_somebody_reads", lambda: True)
    done = CliRunner().invoke(app, ["restore", *words])
    assert done.stderr.splitlines()[:2] == [
        "qdeck: user data: 900 bytes, sha256 abababababab, the first lines:", "  | #cloud-config",
    ]  # fmt: skip
    assert "\x1b" not in done.stderr and json.loads(done.stdout)["id"] == PLAN and "cloud-config" not in done.stdout
    assert engine.sent(USER_DATA) == {"cloud": "prod", "region": "eu", "id": SERVER}
    engine.asked.clear()
    for others in ("", "--user-data --way in-place"):
        assert "cloud-config" not in ran("plan", "db-1", *others.split())[1]
    assert USER_DATA not in [asked for asked, _ in engine.asked]


def test_user_data_that_can_not_be_shown_keeps_nobody_from_planning(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restore_plan, "_somebody_reads", lambda: True)
    engine.answers[USER_DATA] = ApiError(409, "only administrators are told")
    code, said = ran("plan", "db-1", "--user-data")
    assert code == OK and "its user data is not shown: only administrators are told" in said and "carry it out" in said
