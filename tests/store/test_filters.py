"""The filter grammar: text and tree belong together, whatever was typed, and no text reaches SQL."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import filters
from store.filters import And, Filter, FilterError, Match, Not, Or, Value, ViewText, Word, parse
from store.types import registry

W = Word


def M(column: str, *values: Value) -> Match:
    return Match(column, values)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", And(())),
        ("   ", And(())),
        ("web", W("web")),
        ("web prod", And((W("web"), W("prod")))),
        ("web and prod", And((W("web"), W("prod")))),
        ('"two words"', W("two words")),
        (r'"a \" \\ b"', W('a " \\ b')),
        ("!web", Not(W("web"))),
        ("!(a b)", Not(And((W("a"), W("b"))))),
        ("a or b c", Or((W("a"), And((W("b"), W("c")))))),
        ("(a or b) c", And((Or((W("a"), W("b"))), W("c")))),
        ("a OR (b or c)", Or((W("a"), W("b"), W("c")))),
        ('"or"', W("or")),
        ("status:error,shutoff", M("status", Value("", "error"), Value("", "shutoff"))),
        ("Name:=web-1", M("name", Value("=", "web-1"))),
        ("vcpus:>=4", M("vcpus", Value(">=", "4"))),
        ("vcpus:10..20", M("vcpus", Value("..", "10", "20"))),
        ("vcpus:10..", M("vcpus", Value("..", "10", ""))),
        ("host:none !host:any", And((M("host", Value("none")), Not(M("host", Value("any")))))),
        ('name:"none"', M("name", Value("", "none"))),
        (r"name:~^web-(a|b),\d$ x", And((M("name", Value("~", r"^web-(a|b),\d$")), W("x")))),
        ("(name:~^a$)", M("name", Value("~", "^a$"))),
        ("fa:16:3e:1f:2b:3c", W("fa:16:3e:1f:2b:3c")),
        ("fd00:20::5/64", W("fd00:20::5/64")),
        ("10.20.0.0/24", W("10.20.0.0/24")),
        ("(fd00::1 or a)", Or((W("fd00::1"), W("a")))),
    ],
)
def test_parse(text: str, tree: Filter) -> None:
    assert parse(text) == tree
    assert parse(filters.format(tree)) == tree


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ('web "open', 4, "never closed"),
        ("(a", 0, "never closed"),
        ("a)", 1, "closes nothing"),
        ("()", 0, "nothing between"),
        ('""', 0, "nothing between the quotes"),
        ("a or", 2, "both sides"),
        ("or a", 0, "both sides"),
        ("a and", 2, "both sides"),
        ("a and or b", 2, "both sides"),
        ("status:", 7, "value is missing"),
        ("status:a,", 9, "value is missing"),
        ("status:> 4", 7, "value is missing"),
        ("name:~", 5, "regular expression is missing"),
        ("a ! b", 2, "right after"),
        ("a\x00b", 1, "control"),
        ("\ud800", 0, "control"),
        ("(" * 500 + "a", 31, "deeper"),
        ("!" * 500 + "a", 31, "deeper"),
        ("x" * 5000, 2000, "longer"),
    ],
)
def test_refused(text: str, position: int, words: str) -> None:
    with pytest.raises(FilterError, match=words) as error:
        parse(text)
    assert error.value.position == position


_texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), min_size=1, max_size=10)
_columns = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: not re.match("[0-9a-f]{1,4}$", name)
)
_ends = st.from_regex(r"[0-9]{1,4}[GMd]?", fullmatch=True)
_values = st.one_of(
    st.builds(Value, st.sampled_from(["", ">", ">=", "<", "<=", "=", "~"]), _texts),
    st.builds(Value, st.just(".."), _ends, _ends | st.just("")),
    st.builds(Value, st.sampled_from(["none", "any"])),
)
_leaves = st.builds(Word, _texts) | st.builds(Match, _columns, st.lists(_values, min_size=1, max_size=3).map(tuple))


def _grow(inner: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(inner, min_size=2, max_size=3)
    flat_or = several.map(
        lambda items: [i for item in items for i in (item.items if isinstance(item, Or) else (item,))]
    )
    return st.one_of(
        inner.map(Not), several.map(lambda items: filters.all_of(*items)), flat_or.map(lambda items: Or(tuple(items)))
    )


trees = st.recursive(_leaves, _grow, max_leaves=8)


@settings(max_examples=150, deadline=None)
@given(tree=trees)
def test_a_formatted_tree_parses_to_itself(tree: Filter) -> None:
    text = filters.format(tree)
    if len(text) <= filters.MAX_TEXT:
        assert parse(text) == tree
        assert parse(f"  {text}\t") == tree


_odd = st.lists(
    st.sampled_from(
        [
            "a",
            "or",
            "and",
            " ",
            "(",
            ")",
            '"',
            "!",
            ":",
            ",",
            "name:",
            "~",
            "..",
            ">",
            "\\",
            "=",
            "none",
            "\n",
            "é",
            "@",
        ]
    ),
    max_size=25,
).map("".join)


@settings(max_examples=200, deadline=None)
@given(text=_odd | st.text(max_size=40))
def test_any_text_parses_or_is_refused_with_a_position(text: str) -> None:
    try:
        tree = parse(text)
    except FilterError as error:
        assert 0 <= error.position <= len(text)
        assert str(error) and "\n" not in str(error)
    else:
        assert parse(filters.format(tree)) == tree


def test_no_column_looks_like_an_address() -> None:
    """A word of hexadecimal digits before a colon is taken for an address, so no column may be called so."""
    for type in registry.ALL.values():
        for column in type.view_columns:
            assert not re.fullmatch("[0-9a-f]{1,4}", column.name)


@pytest.mark.parametrize(
    ("text", "view"),
    [
        ("servers", ViewText("servers")),
        (
            "servers /web status:error sort:age:desc @prod",
            ViewText("servers", "web status:error", (("age", True),), "prod"),
        ),
        ("/web", ViewText("", "web")),
        ("vm sort:name sort:host:desc", ViewText("vm", "", (("name", False), ("host", True)), "")),
        ('servers /(a or b) "x sort:y @z"', ViewText("servers", '(a or b) "x sort:y @z"')),
        ("servers //dev/vdb", ViewText("servers", "/dev/vdb")),
        ("", ViewText()),
    ],
)
def test_view_text(text: str, view: ViewText) -> None:
    assert ViewText.parse(text) == view
    assert ViewText.parse(view.format()) == view


@pytest.mark.parametrize("text", ["servers sort:name:down", "servers sort:", "servers /(a", 'servers /"a'])
def test_view_text_refused(text: str) -> None:
    with pytest.raises(FilterError):
        ViewText.parse(text)


@settings(max_examples=200, deadline=None)
@given(
    tree=trees, type=st.sampled_from(["", "servers"]), cloud=st.sampled_from(["", "prod-1"]), descending=st.booleans()
)
def test_a_view_survives_its_text(tree: Filter, type: str, cloud: str, descending: bool) -> None:
    text = filters.format(tree)
    if any(match.column == "sort" for match in filters.matches(tree)) or len(text) > filters.MAX_TEXT:
        return
    view = ViewText(type, text, (("name", descending),), cloud)
    assert ViewText.parse(view.format()) == view


def test_import_is_light() -> None:
    code = (
        "import dataclasses, re, sys, time; before = set(sys.modules); a = time.process_time(); import store.filters;"
        "print(time.process_time() - a, *sorted(set(sys.modules) - before))"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
        for _ in range(3)
    ]
    assert [name for name in runs[0][1:] if not name.startswith(("_", "store", "collections"))] == []
    assert min(float(run[0]) for run in runs) < 0.02
