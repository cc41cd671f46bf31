"""Notes, shift, hand-over and audit on the command line, against a demo engine."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pytest

from tests.tui.cli.test_commands import Deck, small_demo


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deck]:
    """A small demo without a past."""
    with small_demo(tmp_path_factory.mktemp("records")) as running:
        yield running


def test_a_note_is_written_listed_and_taken_back(deck: Deck) -> None:
    server = json.loads(run(deck, "ls", "servers", "-o", "json").stdout)[0]
    text = "=HYPERLINK(1) \x1b]0;x\x07 flaky"
    made = json.loads(run(deck, "note", "server", server["id"], text, "--until", "2h", "-o", "json").stdout)
    assert made["subject"]["key"] == [server["cloud"], server["region"], server["id"]] and made["text"] == text
    assert run(deck, "note", "problem", f"{server['cloud']}/servers", "calling them").returncode == 0
    listed = run(deck, "notes")
    assert "flaky" in listed.stdout and "\x1b" not in listed.stdout and "calling them" in listed.stdout
    [only] = json.loads(run(deck, "notes", "server", server["id"], "-o", "json").stdout)
    assert only["id"] == made["id"]
    assert run(deck, "notes", "--remove", only["id"]).returncode == 0
    assert run(deck, "notes", "--remove", only["id"]).returncode == 4
    assert run(deck, "notes", "server").returncode == 2
    assert run(deck, "note", "server", server["id"], "x", "--until", "2020-01-01").returncode == 2
    assert run(deck, "note", "server", "no-such-machine", "x").returncode == 4


def test_a_shift_and_its_page(deck: Deck) -> None:
    assert "not begun" in run(deck, "shift", "show").stderr
    assert run(deck, "shift", "start", "night", "shift").returncode == 0
    assert "night shift" in run(deck, "shift", "show").stdout
    run(deck, "note", "problem", "demo", "watch the disk of = host 3")
    page = run(deck, "handover")
    assert page.returncode == 0 and page.stdout.startswith("# Hand-over of ")
    assert (
        "watch the disk" in page.stdout and "night shift" in page.stdout and "## Running and failed jobs" in page.stdout
    )
    sections = json.loads(run(deck, "handover", "-o", "json").stdout)["sections"]
    assert {"problems", "jobs", "changes", "notes"} <= {section["name"] for section in sections}
    rows = list(csv.DictReader(io.StringIO(run(deck, "handover", "-o", "csv").stdout)))
    assert any("watch the disk" in row["text"] for row in rows)
    assert run(deck, "handover", "--since", "2020-01-01").returncode == 2


def test_the_audit_is_searched_and_verified(deck: Deck) -> None:
    run(deck, "shift", "start")
    found = json.loads(run(deck, "audit", "--action", "shift.*", "--since", "1h ago", "-o", "json").stdout)
    assert found and {record["action"] for record in found} == {"shift.start"}
    rows = list(csv.DictReader(io.StringIO(run(deck, "audit", "-o", "csv").stdout)))
    assert rows and {"ticket", "reason", "hash"} <= set(rows[0])
    assert run(deck, "audit", "--ticket", "CHG1").stdout.splitlines()[1:] == []
    assert "shift.start" in run(deck, "audit").stdout
    newest = run(deck, "audit", "--limit", "1")
    assert len(newest.stdout.splitlines()) == 2 and "newest 1 of" in newest.stderr
    verdict = json.loads(run(deck, "audit", "verify", "-o", "json").stdout)
    assert verdict["ok"] is True and verdict["records"] >= len(rows)


def run(deck: Deck, *words: str):  # type: ignore[no-untyped-def]
    """`qdeck --demo WORDS` on the running demo."""
    return deck("--demo", *words, demo=False)
