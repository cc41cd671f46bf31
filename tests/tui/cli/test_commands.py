"""The command line as a user has it: a process per command, against a demo engine that the first one starts."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet
import pytest
import yaml

QDECK = Path(sys.executable).with_name("qdeck")


class Deck:
    """Runs `qdeck --demo ...` with a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        # Nothing of the person who runs the tests: neither an engine nor a clouds.yaml.
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "QDECK_HOME": str(home / "deck"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "OS_CLIENT_CONFIG_FILE": str(home / "clouds.yaml"),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
        }

    def __call__(self, *words: str, demo: bool = True, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = [str(QDECK), *(["--demo", "--past", "1"] if demo else []), *words]
        return subprocess.run(command, env=self.environment, input=stdin, capture_output=True, text=True, timeout=90)


@contextmanager
def small_demo(home: Path) -> Iterator[Deck]:
    """A demo of twenty servers without a past, which runs until the end."""
    deck = Deck(home)
    try:
        done = deck("--demo", "--servers", "20", "--past", "0", "ls", "servers", demo=False)
        assert done.returncode == 0, done.stderr
        yield deck
    finally:
        deck("--demo", "engine", "stop", demo=False)


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """A demo that has been collected."""
    deck = Deck(tmp_path_factory.mktemp("deck"))
    try:
        assert deck("engine", "start").returncode == 0
        # Its past has to be over, or rows change between two commands.
        for _ in range(300):
            demo = json.loads(deck("engine", "status", "-o", "json").stdout)["demo"]
            if demo["state"] == "ready":
                break
        else:
            pytest.fail(f"the demo did not reach the present: {demo}")
        done = deck("collect", "--wait", "-o", "json")
        assert done.returncode in (0, 6), done.stderr
        yield deck
    finally:
        deck("engine", "stop")
        deck("engine", "stop", demo=False)


def test_list_formats_hold_the_same_rows(deck: Deck) -> None:
    rows = json.loads(deck("ls", "servers", "-o", "json").stdout)
    assert len(rows) > 20
    assert yaml.safe_load(deck("ls", "servers", "-o", "yaml").stdout) == rows
    read = list(csv.DictReader(io.StringIO(deck("ls", "servers", "-o", "csv").stdout)))
    assert [row["id"] for row in read] == [row["id"] for row in rows]
    table = deck("ls", "servers", "--columns", "id,name")
    assert len(table.stdout.splitlines()) == len(rows) + 1
    assert "data " in table.stderr


def test_lists_as_files(deck: Deck, tmp_path: Path) -> None:
    words = ["ls", "servers", "status:active", "--columns", "name,id,created_at", "--sort", "name", "--limit", "5"]
    rows = json.loads(deck(*words, "-o", "json").stdout)
    for style in ("csv", "json", "xlsx", "parquet"):
        file = tmp_path / f"servers.{style}"
        done = deck(*words, "-o", style, "--file", str(file))
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert "qdeck: 5 rows, " in done.stderr and str(file) in done.stderr
        assert file.stat().st_mode & 0o777 == 0o600
    assert deck(*words, "-o", "csv").stdout == (tmp_path / "servers.csv").read_text()
    assert json.loads((tmp_path / "servers.json").read_text()) == rows
    assert pyarrow.parquet.read_table(tmp_path / "servers.parquet").column("name").to_pylist() == [
        row["name"] for row in rows
    ]
    again = deck(*words, "-o", "csv", "--file", str(tmp_path / "servers.csv"))
    assert again.returncode == 1 and "nothing is overwritten" in again.stderr
    assert deck(*words, "-o", "yaml", "--file", str(tmp_path / "a.yaml")).returncode == 2
    assert deck("ls", "servers", "nonsense:=1", "-o", "csv").returncode == 2


def test_filter_sort_columns_and_limit(deck: Deck) -> None:
    words = ["ls", "vm", "status:active", "--sort", "vcpus:desc", "--columns", "name,vcpus,status", "--limit", "7"]
    rows = json.loads(deck(*words, "-o", "json").stdout)
    assert len(rows) == 7
    assert {row["status"] for row in rows} == {"ACTIVE"}
    cores = [row["vcpus"] for row in rows]
    assert cores == sorted(cores, reverse=True)
    assert list(rows[0]) == ["name", "vcpus", "status"]


def test_show_by_id_start_of_id_and_name(deck: Deck) -> None:
    row = json.loads(deck("ls", "networks", "-o", "json", "--limit", "1").stdout)[0]
    for ref in (row["id"], row["id"][:13]):
        shown = deck("show", "network", ref, "-o", "json")
        assert shown.returncode == 0, shown.stderr
        assert json.loads(shown.stdout)["name"] == row["name"]
    raw = json.loads(deck("show", "network", row["id"], "--raw", "-o", "json").stdout)
    assert raw["id"] == row["id"]


def test_the_past_is_asked_with_time_words(deck: Deck) -> None:
    now = json.loads(deck("ls", "servers", "-o", "json").stdout)
    before = deck("ls", "servers", "--at", "2001-01-01", "-o", "json")
    assert json.loads(before.stdout) == []
    assert "as of Mon 2001-01-01" in before.stderr
    assert len(now) > 0


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["ls", "serverz"], 2, "server"),
        (["ls", "servers", "name:("], 2, "character"),
        (["ls", "servers", "nocolumn:x"], 2, "nocolumn"),
        (["ls", "servers", "--columns", "nope"], 2, "nope"),
        (["ls", "servers", "--sort", "name:sideways"], 2, "asc or desc"),
        (["ls", "servers", "--at", "soonish"], 2, "yesterday"),
        (["ls", "servers", "--at", "2999-01-01"], 2, "future"),
        (["show", "server", "no-such-machine"], 4, "no-such-machine"),
        (["show", "server", "x" * 5000], 2, ""),
        (["api", "GET", "/no/such/path"], 4, "not found"),
        (["api", "BREW", "/servers"], 2, "BREW"),
        (["api", "GET", "servers"], 2, "/servers"),
        (["api", "GET", "/servers", "-f", "page_size=0"], 2, "page_size"),
        (["api", "POST", "/q/windows", "--input", "/no/such/file"], 2, "No such file"),
        (["cloud", "add", "nothere"], 4, "clouds.yaml"),
        (["cloud", "remove", "nothere"], 4, "nothere"),
        (["collect", "nothere"], 4, "nothere"),
        (["collect", "--type", "spaceship"], 2, "spaceship"),
    ],
)
def test_wrong_input_is_one_sentence_and_a_code(deck: Deck, words: list[str], code: int, says: str) -> None:
    done = deck(*words)
    assert done.returncode == code, (done.stdout, done.stderr)
    assert done.stdout == ""
    assert says.lower() in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 4


def test_results_go_to_stdout_and_the_rest_to_stderr(deck: Deck) -> None:
    done = deck("collect", "--wait", "-o", "json")
    collections = json.loads(done.stdout)
    assert collections[0]["cloud"] == "demo"
    assert all(row["state"] == "done" for row in collections[0]["types"]), done.stdout


def test_raw_calls_take_fields_and_bodies(deck: Deck) -> None:
    page = json.loads(deck("api", "GET", "/servers", "-f", "page_size=3").stdout)
    assert len(page["items"]) == 3
    body = json.dumps({"type": "server", "anchor": "start", "before": 0, "after": 2})
    window = json.loads(deck("api", "POST", "/q/windows", "--input", "-", stdin=body).stdout)
    assert len(window["rows"]) == 2


def test_engine_status_says_what_it_must(deck: Deck) -> None:
    status = json.loads(deck("engine", "status", "-o", "json").stdout)
    for name in ("state", "pid", "version", "protocol", "home", "socket", "started_at", "clouds", "jobs"):
        assert name in status
    assert status["state"] == "running"
    assert status["home"] == str(deck.home / "deck" / "demo")


def test_no_engine_is_said_with_its_own_code(tmp_path: Path) -> None:
    done = Deck(tmp_path)("engine", "status", demo=False)
    assert done.returncode == 3
    assert not (tmp_path / "deck").exists()


def test_the_console_needs_a_terminal(deck: Deck) -> None:
    done = deck()
    assert done.returncode == 2
    assert "terminal" in done.stderr
