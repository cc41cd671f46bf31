"""The tour of the documentation does what it says, key by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import tour
from tests.engine.process.running import ROOT
from tests.tui.line.demo import demo
from tests.tui.pty import python
from tui.actions import ACTIONS


def test_the_keys_are_read_from_the_document() -> None:
    found = tour.lines("text\n\n```keys\n: vol␣/x tab enter => volumes · !servers\nesc => servers\n```\n")
    assert found[0].keys == (":", "v", "o", "l", " ", "/", "x", "tab", "enter")
    assert found[0].holds("all volumes") and not found[0].holds("volumes of servers") and not found[0].holds("")
    assert (found[1].keys, found[1].number) == (("escape",), 2)
    with pytest.raises(ValueError, match="does not say"):
        tour.lines("```keys\nj k\n```\n")


def test_the_tour_shows_most_of_what_keys_do() -> None:
    document = tour.DOCUMENT.read_text(encoding="utf-8")
    typed = {key for line in tour.lines(document) for key in line.keys}
    symbols = {"slash": "/", "colon": ":", "question_mark": "?", "asterisk": "*", "minus": "-", "space": " "}
    known = {symbols.get(key, key) for action in ACTIONS for key in action.keys}
    assert len(typed & known) >= 25
    assert all(line.shown for line in tour.lines(document))


@pytest.mark.faults
def test_every_line_of_the_tour_shows_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with demo(50) as one:
        command = python("-c", "from tui.cli.main import run; run()", "--engine", str(one.socket))
        came = tour.walk(command, 20.0, {"HOME": str(Path("/nonexistent"))})
    # Every line waited for what it shows, so that a key which was dropped or did something else would be told.
    typed = sum(len(line.keys) for line in tour.lines(tour.DOCUMENT.read_text(encoding="utf-8")))
    assert len(came.painted) + len(came.silent) == typed
