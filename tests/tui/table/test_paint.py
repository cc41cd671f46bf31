"""What of a row stands out: what is wrong; and what stands back: what is as it should be, or says little."""

from datetime import UTC, datetime

import pytest

from tui.table.layout import Head, place
from tui.table.paint import DOCUMENT, KEYS, LABEL, LINK, NOT_NOW, SECTION, row_line, texts_of
from tui.table.spec import Row
from tui.themes.palette import PALETTES

PALETTE = PALETTES["dark"]
NOW = datetime(2026, 2, 8, tzinfo=UTC)


def styles(row: Row, heads: list[Head], *, cursor: bool = False, marked: bool = False) -> dict[str, set[str]]:
    """Word on screen -> the names of the palette's styles that it is drawn with."""
    texts = texts_of(row, heads, NOW)
    status = next((head for head in heads if head.role == "status"), None)
    placed = place(heads, {head.name: 30 for head in heads}, 3, 160, 1)
    names = [head.name for head in heads]
    line = row_line(row, dict(zip(names, texts, strict=True)), placed, PALETTE, 160, cursor=cursor, marked=marked,
                      status=status, faults=("error",))  # fmt: skip
    known = PALETTE.cursor if cursor else PALETTE.plain
    found: dict[str, set[str]] = {}
    for segment in line:
        for word in segment.text.split():
            found.setdefault(word, set()).update(name for name, style in known.items() if style == segment.style)
    assert sum(segment.cell_length for segment in line) == 160
    return found


LIST = [Head("name", "NAME", "name", 20, 0), Head("status", "STATUS", "status", 10, 1), Head("n", "N", "number", 5, 2)]


@pytest.mark.parametrize(
    ("name", "shown"),
    [("8f1c2d3e-0000-4000-8000-00000000be77", "8f1c2d3e-0…00000be77"),
     ("└ 8f1c2d3e-0000-4000-8000-00000000be77", "└ 8f1c2d3e…00000be77"),
     ("a-machine-with-a-rather-long-name", "a-machine-with-a-ra…"), ("8f1c2d3e-0000", "8f1c2d3e-0000       ")],
)  # fmt: skip
def test_an_id_in_place_of_a_name_keeps_both_ends(name: str, shown: str) -> None:
    row, heads = Row(("k",), (name, "ACTIVE", 1)), LIST[:1]
    placed = place(heads, {"name": 20}, 0, 22, 1)
    texts = {"name": texts_of(row, heads, NOW)[0]}
    line = row_line(row, texts, placed, PALETTE, 22, cursor=False, marked=False, status=None, faults=())
    assert "".join(segment.text for segment in line)[1:21] == shown


@pytest.mark.parametrize(
    ("status", "glyph", "style"),
    [("ACTIVE", "●", "text"), ("ERROR", "✖", "bad"), ("SHUTOFF", "○", "idle"), ("BUILD", "◐", "busy"),
     ("RESCUE", "▲", "warn"), ("odd", "·", "none")],
)  # fmt: skip
@pytest.mark.parametrize("cursor", [False, True])
def test_only_what_is_not_as_it_should_be_has_a_colour(status: str, glyph: str, style: str, cursor: bool) -> None:
    found = styles(Row(("c", "", "1"), ["web", status, 4]), LIST, cursor=cursor)
    assert style in found[status]
    assert "text" in found["web"] and "text" in found["4"]
    assert ("ok" if style == "text" else style) in found[glyph]


@pytest.mark.parametrize(("value", "shown"), [(None, "-"), (0, "0")])
def test_what_says_little_stands_back(value: object, shown: str) -> None:
    assert "muted" in styles(Row(("c", "", "1"), ["web", "ACTIVE", value]), LIST)[shown]


def test_marks_and_rows_that_are_gone_are_drawn_as_a_whole() -> None:
    marked = styles(Row(("c", "", "1"), ["web", "ACTIVE", None]), LIST, marked=True)
    assert "mark" in marked["web"] and "mark" in marked["-"]
    gone = styles(Row(("c", "", "1"), ["web", "ERROR", None], gone=True), LIST)
    assert all("gone" in gone[word] for word in ("web", "ERROR", "-"))


FIELDS = [Head("field", "FIELD", LABEL, 20, 0), Head("value", "VALUE", "text", 40, 1)]


@pytest.mark.parametrize(
    ("key", "values", "name", "value"),
    [
        (("field", "host"), ["host", "cmp-1"], "muted", "text"),
        (("field", "host"), ["host", "-"], "muted", "muted"),
        ((LINK, "volume", "x:=1"), ["volumes", "2"], "accent", "text"),
        ((LINK, "volume", "x:=1"), ["volumes", "0"], "muted", "muted"),
        ((LINK, "message", "x:=1"), ["messages", "later"], "accent", "text"),
    ],
)
def test_names_of_fields_stand_back_and_links_lead(
    key: tuple[str, ...], values: list[str], name: str, value: str
) -> None:
    found = styles(Row(key, list(values)), FIELDS)
    assert name in found[values[0]] and value in found[values[1]]


@pytest.mark.parametrize(
    ("key", "key_style", "words"),
    [(("open",), "accent", "text"), ((NOT_NOW, "open"), "muted", "muted"), ((SECTION, "all"), "strong", "strong")],
)
def test_help_shows_keys_headings_and_what_is_not_possible_now(
    key: tuple[str, ...], key_style: str, words: str
) -> None:
    heads = [Head("key", "KEY", KEYS, 10, 0), Head("does", "DOES", "text", 40, 1)]
    found = styles(Row(key, ["x" if key[0] != SECTION else " ", "opens"]), heads)
    assert words in found["opens"]
    assert key[0] == SECTION or key_style in found["x"]


@pytest.mark.parametrize(
    ("line", "key", "rest"),
    [
        ("  id: 4aac", "id:", "4aac"), ('  "id": 12,', '"id":', "12,"), ("addresses:", "addresses:", None),
        ("- plain", None, "plain"), ("time: 10:20", "time:", "10:20"),
    ],
)  # fmt: skip
def test_keys_of_documents_stand_back(line: str, key: str | None, rest: str | None) -> None:
    found = styles(Row(("0",), [line]), [Head("line", "YAML", DOCUMENT, 80, 0)])
    assert key is None or "muted" in found[key]
    assert rest is None or "text" in found[rest]
