"""`qdeck drift`: the list, the code of a monitoring check, acknowledging, rules, ignores and windows."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.tui.drift_fake import HOSTILE, DriftClient, event
from tui.cli import drift as module
from tui.cli import drift_rules
from tui.cli.commands import app
from tui.cli.drift import CSV, check_code, check_line
from tui.cli.exits import NO_ENGINE, NOT_FOUND, PARTIAL, USAGE, leave
from tui.cli.options import GlobalOptions


class Engine:
    """The asynchronous fake, one answer at a time."""

    def __init__(self, events: list[dict[str, Any]] | None = None) -> None:
        self.fake = DriftClient(events)
        self.fails = ""

    def get(self, path: str, params: Any = None) -> Any:
        return asyncio.run(self.fake.get(path, params))

    def post(self, path: str, json: Any = None) -> Any:
        return asyncio.run(self.fake.post(path, json))

    def put(self, path: str, json: Any = None) -> Any:
        return asyncio.run(self.fake.put(path, json))

    def delete(self, path: str) -> Any:
        return asyncio.run(self.fake.delete(path))


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()

    @contextmanager
    def connected(options: GlobalOptions) -> Iterator[Engine]:
        if engine.fails:
            leave(NO_ENGINE, engine.fails)
        yield engine

    monkeypatch.setattr(module, "connected", connected)
    monkeypatch.setattr(drift_rules, "connected", connected)
    return engine


def run(*words: str) -> Any:
    """`qdeck drift WORDS`."""
    return CliRunner().invoke(app, ["drift", *words])


def ids(*words: str) -> list[int]:
    done = run(*words, "-o", "json")
    assert done.exit_code == 0, done.stderr
    return [item["id"] for item in json.loads(done.stdout)]


def test_what_is_to_be_looked_at_is_listed_worst_first(engine: Engine) -> None:
    done = run()
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3", "4", "5", "10", "11"]
    assert "web-1" in lines[1] and "flavor_id m1.small → m1.large" in lines[1] and "m.levi" in lines[1]
    assert "\x1b" not in done.stdout and "\u202e" not in done.stdout


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--severity", "critical"), [1, 2]),
        (("-f", "severity:critical web-1"), [1]),
        (("--filter", "who:levi"), [1]),
        (("--filter", "state:acknowledged,expected"), [7, 8]),
        (("--all", "--severity", "info"), [6, 9, 10, 11]),
        (("--limit", "2"), [1, 2]),
        (("-f", "no-such-thing"), []),
    ],
)
def test_events_are_chosen(engine: Engine, words: tuple[str, ...], found: list[int]) -> None:
    assert ids(*words) == found


def test_what_the_engine_can_choose_it_chooses(engine: Engine) -> None:
    run("--type", "floating-ip", "--project", "acme", "--cloud", "prod-eu", "--since", "2h ago")
    params = engine.fake.asked("GET", "/q/drift/events")[-1]
    assert (params["type"], params["project"], params["cloud"]) == (["floating_ip"], "acme", "prod-eu")
    assert params["since"].endswith("Z")


def test_csv_has_every_field_and_no_formula(engine: Engine) -> None:
    engine.fake.events = {1: event(1, resource_name="=HYPERLINK(1)")}
    (row,) = csv.DictReader(io.StringIO(run("-o", "csv").stdout))
    assert set(row) == set(CSV)
    assert not row["resource_name"].startswith("=")


def test_an_empty_list_says_where_the_rest_is(engine: Engine) -> None:
    engine.fake.events = {7: engine.fake.events[7]}
    done = run()
    assert (done.exit_code, done.stdout) == (0, "")
    assert "nothing drifted that nobody looked at; --all shows what was settled" in done.stderr


@pytest.mark.parametrize("words", [("-f", "nope:1"), ("-f", "("), ("--severity", "bad")])
def test_a_wrong_choice_is_one_sentence(engine: Engine, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == USAGE
    assert run("--check", *words).exit_code == 3  # a check that knows nothing says so


# Monitoring


@pytest.mark.parametrize(
    ("severities", "code", "line"),
    [
        ((), 0, "OK - nothing drifted | critical=0 warning=0 info=0"),
        (("info",), 0, "OK - nothing drifted | critical=0 warning=0 info=1"),
        (("warning", "info"), 1, "WARNING - web-0: status ACTIVE → SHUTOFF, not asked yet | "
                                 "critical=0 warning=1 info=1"),
        (("critical", "warning"), 2, "CRITICAL - web-0: status ACTIVE → SHUTOFF, not asked yet (+1 more) | "
                                     "critical=1 warning=1 info=0"),
    ],
)  # fmt: skip
def test_a_check_ends_with_how_bad_it_is(severities: tuple[str, ...], code: int, line: str) -> None:
    items = [event(number, severity) for number, severity in enumerate(severities)]
    assert (check_code(items), check_line(items)) == (code, line)


def test_a_check_counts_all_that_passes(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    done = run("--check")
    assert (done.exit_code, done.stdout.count("\n")) == (2, 1)
    assert "critical=2 warning=3 info=2" in done.stdout
    assert run("--check", "--severity", "warning").exit_code == 1
    assert run("--check", "-f", "web-404").exit_code == 0


def test_a_check_without_an_engine_is_unknown(engine: Engine) -> None:
    engine.fails = "no engine answers"
    assert run("--check").exit_code == 3
    assert run().exit_code == NO_ENGINE


def test_drift_that_is_not_whole_is_unknown_unless_it_is_critical(engine: Engine) -> None:
    engine.fake.gaps = ["the disk | is full"]
    assert run("--check").exit_code == 2
    done = run("--check", "--severity", "warning")
    assert done.exit_code == 3 and done.stdout.startswith(
        "UNKNOWN - drift is not whole: the disk / is full | critical=0"
    )
    engine.fake.events.clear()
    done = run()
    assert "drift is not whole: the disk | is full" in done.stderr and "nothing drifted" not in done.stderr


def test_no_name_is_performance_data(engine: Engine) -> None:
    engine.fake.events = {1: event(1, "critical", resource_name=f"a|b=1{HOSTILE}")}
    (line,) = run("--check").stdout.splitlines()
    assert line.count("|") == 1 and not set(line) & set("\x1b\x07\u202e")


# One event, and accepting


def test_one_event_with_all_that_is_known(engine: Engine) -> None:
    done = run("show", "3")
    assert done.exit_code == 0
    for words in ("one of 2", "stop by anna", "reboot by unknown", "several actions can have caused it",
                  "undone by bob", "created by"):  # fmt: skip
        assert words in done.stdout
    assert json.loads(run("show", "3", "-o", "json").stdout)["id"] == 3


def test_events_are_acknowledged_and_that_is_taken_back(engine: Engine) -> None:
    done = run("ack", "1", "2", "7", "--note", "planned", "--until", "2h")
    assert "acknowledged 2, 1 were already; `qdeck drift unack --batch b0` takes it back" in done.stderr
    (body,) = engine.fake.asked("POST", "/q/drift/acknowledge")
    assert (body["ids"], body["note"]) == ([1, 2, 7], "planned") and body["until"].endswith("Z")
    assert 1 not in ids()
    assert "2 no longer acknowledged" in run("unack", "--batch", "b0").stderr
    assert ids()[:2] == [1, 2]
    assert "1 no longer acknowledged" in run("unack", "7").stderr


def test_all_that_pass_are_acknowledged_only_with_a_yes(engine: Engine) -> None:
    done = run("ack", "-f", "severity:critical")
    assert done.exit_code == USAGE and "give --yes" in done.stderr
    assert engine.fake.asked("POST", "/q/drift/acknowledge") == []
    assert run("ack", "-f", "severity:critical", "--yes").exit_code == 0
    assert engine.fake.asked("POST", "/q/drift/acknowledge")[0]["ids"] == [1, 2]
    assert run("ack", "-f", "web-404", "--yes").exit_code == NOT_FOUND


@pytest.mark.parametrize("words", [("ack",), ("ack", "1", "-f", "x"), ("ack", "1", "--until", "2020-01-01"),
                                   ("unack",), ("unack", "1", "--batch", "b")])  # fmt: skip
def test_what_is_to_be_acknowledged_must_be_said(engine: Engine, words: tuple[str, ...]) -> None:
    assert run(*words).exit_code == USAGE
    assert engine.fake.asked("POST", "/q/drift/acknowledge") == []


def test_an_id_that_is_no_event_is_told(engine: Engine) -> None:
    done = run("ack", "1", "404")
    assert done.exit_code == PARTIAL and "there is no event 404" in done.stderr
    assert run("ack", "404").exit_code == NOT_FOUND


# Rules, ignores, windows


def test_rules_are_listed_switched_and_graded(engine: Engine) -> None:
    assert len(run("rules").stdout.splitlines()) == 4
    assert run("rules", "--type", "volume").stdout.splitlines()[1:] == []
    assert "rule 2 Rule 2 is off, critical" in run("rule", "2", "--off", "--severity", "critical").stderr
    assert engine.fake.rules[2]["enabled"] is False
    assert "is off, warning" in run("rule", "2", "--severity", "default").stderr
    assert "Rule 2" in run("rule", "2").stdout
    assert run("rule", "99").exit_code == NOT_FOUND
    assert run("rule", "2", "--severity", "worst").exit_code == USAGE


def test_entries_are_added_listed_and_taken_back(engine: Engine) -> None:
    assert "nothing is ignored" in run("ignores").stderr
    done = run("ignore", "--name", "web-*", "--severity", "info", "--rule", "2", "--reason", "tests", "--until", "2d")
    assert done.exit_code == 0 and "ignored: name web-*, severity info, rule 2" in done.stderr
    (body,) = engine.fake.asked("POST", "/q/drift/ignores")
    assert body.pop("until").endswith("Z")
    assert body == {"name": "web-*", "severity": "info", "rule": 2, "reason": "tests"}
    assert "tests" in run("ignores").stdout
    (entry,) = json.loads(run("ignores", "-o", "json").stdout)
    assert run("ignores", "--remove", entry["id"]).exit_code == 0
    assert engine.fake.entries["ignores"] == []


def test_windows_are_planned_and_ended(engine: Engine) -> None:
    done = run("window", "--from", "1h ago", "--until", "2h", "--reason", "disks", "--project", "acme")
    assert "planned: project acme" in done.stderr
    (body,) = engine.fake.asked("POST", "/q/drift/windows")
    assert body["since"] < body["until"] and body["project"] == "acme"
    assert run("window", "--until", "yesterday", "--reason", "x").exit_code == USAGE
    assert run("window", "--until", "2h").exit_code == USAGE
    (entry,) = json.loads(run("windows", "-o", "json").stdout)
    assert "disks" in run("windows").stdout
    assert "has ended" in run("windows", "--end", entry["id"]).stderr
