"""Lines of the command bar that ask about the past, and how changes are named."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.filters import FilterError
from tui.changes import KINDS, instants, kind_word, side, span_of_words
from tui.commands import understand
from tui.state import DEFAULT, View, view_of_json, view_of_text
from tui.times import TimeError


@pytest.mark.parametrize(
    ("words", "span"),
    [
        ("", ("24h ago", "")),
        ("2h ago", ("2h ago", "")),
        ("48h 2h", ("48h", "2h")),
        ("yesterday", ("yesterday", "")),
        ("yesterday 14:00", ("yesterday 14:00", "")),
        ("yesterday today", ("yesterday", "today")),
        ("yesterday 14:00 today 9:00", ("yesterday 14:00", "today 9:00")),
        ("yesterday 14:00 .. now", ("yesterday 14:00", "")),
        (".. 2h ago", ("24h ago", "2h ago")),
        ("2026-02-07T10:00:00Z 2026-02-08T10:00:00Z", ("2026-02-07T10:00:00Z", "2026-02-08T10:00:00Z")),
        ("7d now", ("7d", "")),
    ],
)
def test_two_times_in_words(words: str, span: tuple[str, str]) -> None:
    assert span_of_words(words) == span


@pytest.mark.parametrize("words", ["soon", "soon .. now", "2h .. then", "yesterday 25:00 now"])
def test_words_that_name_no_time(words: str) -> None:
    with pytest.raises(TimeError, match="names no time"):
        span_of_words(words)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("changes", {"kind": "changes", "type": "", "filter": "", "format": "net", "span": ("24h ago", "")}),
        ("changes 7d servers /web field:status", {"type": "server", "filter": "web field:status", "span": ("7d", "")}),
        ("changes volumes yesterday 9:00 .. 2h @lab", {"type": "volume", "clouds": ("lab",),
                                                       "span": ("yesterday 9:00", "2h")}),
        ("deletions 7d ports /web", {"kind": "changes", "type": "port", "format": "each",
                                     "filter": "change:deleted web", "span": ("7d", "")}),
        ("timeline 30d", {"kind": "timeline", "span": ("30d", "")}),
        ("report", {"kind": "report", "span": ("24h ago", "")}),
    ],
)  # fmt: skip
def test_lines_of_the_bar(line: str, wanted: dict[str, Any]) -> None:
    view = view_of_text(line, DEFAULT)
    assert {name: getattr(view, name) for name in wanted} == wanted
    assert view_of_json(asdict(view)) == view, "it is kept, and opened again"
    if line != "changes" and not line.startswith("deletions"):
        again = view_of_text(view.text(), DEFAULT)
        assert (again.kind, again.type, again.filter, again.span) == (view.kind, view.type, view.filter, view.span)
        assert understand(line, DEFAULT).view == view


@pytest.mark.parametrize("line", ["changes soon", "changes 2h /(", "timeline 2h then"])
def test_lines_that_cannot_be_used(line: str) -> None:
    with pytest.raises((TimeError, FilterError)):
        view_of_text(line, DEFAULT)


@pytest.mark.parametrize("data", [{"kind": "changes", "type": "spoon"}, {"kind": "changes", "span": ["a"]},
                                  {"kind": "compare", "type": "server", "subject": ["a"]}])  # fmt: skip
def test_kept_views_that_cannot_be_understood(data: dict[str, Any]) -> None:
    assert view_of_json(data) is None


def test_an_instant_keeps_its_microseconds() -> None:
    span = ("2026-02-07T10:00:00.123456Z", "2026-02-08T10:00:00.000001Z")
    assert instants(span) == span
    assert instants(("2h", ""))[1] == ""


@given(st.text(max_size=40))
def test_any_words_name_times_or_are_refused(words: str) -> None:
    try:
        since, until = span_of_words(words)
    except TimeError:
        return
    instants((since, until))


def test_every_kind_has_a_word_and_a_level() -> None:
    assert {kind_word(kind) for kind in KINDS} == {"new", "first seen", "found", "back", "changed", "gone"}
    assert kind_word("\x1b[2J") and "\x1b" not in kind_word("\x1b[2J")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), ("", "-"), ([], "-"), (True, "yes"), (0, "0"), (["a", "b"], "a, b"), ({"a": 1}, '{"a": 1}'),
     ([{"a": "\x1b"}], '[{"a": "\\u001b"}]'), ("a\nb", "a b")],
)  # fmt: skip
def test_values_on_one_line(value: Any, text: str) -> None:
    assert side(value) == text


def test_a_view_has_no_times_unless_it_asks_for_them() -> None:
    assert View("list", "server").span == ()
