"""Keys from bytes: an escape alone, and keys that begin with one."""

from __future__ import annotations

from textual import events

from tui.terminal import LOOK, Parser


def keys(*pieces: str) -> list[str]:
    """Names of the keys in pieces of input that follow each other within the time a key may take."""
    parser = Parser(False)
    found = [event for piece in pieces for event in parser.feed(piece)]
    return [event.key for event in found if isinstance(event, events.Key)]


def test_a_key_in_two_pieces_is_one_key() -> None:
    assert keys("\x1b", "[B") == ["down"]
    assert keys("j", "\x1b[", "A", "k") == ["j", "up", "k"]


def test_an_escape_is_waited_for_no_longer_than_it_takes_to_know_it() -> None:
    parser = Parser(False)
    assert parser.seconds == LOOK
    assert not list(parser.feed("\x1b"))
    assert parser.seconds < LOOK
