"""Columns: they never overlap, never leave the screen, and give way in a fixed order."""

from hypothesis import given
from hypothesis import strategies as st

from store.types import registry
from tui.table.columns import heads_of_type
from tui.table.layout import Head, place

HEADS = st.lists(
    st.builds(
        Head,
        name=st.text("abcdef", min_size=1, max_size=6),
        title=st.text("ABCDEF", min_size=1, max_size=12),
        role=st.sampled_from(["name", "text", "number", "id", "status"]),
        cells=st.integers(3, 60),
        shown=st.booleans(),
    ),
    max_size=12,
    unique_by=lambda head: head.name,
)


WIDE = (("name", "name", 30), ("project", "name", 20), ("ips", "address", 20))


@given(HEADS, st.integers(0, 100), st.integers(0, 300), st.integers(1, 2), st.integers(0, 12), st.booleans())
def test_columns_stay_apart_and_on_screen(
    heads: list[Head], need: int, available: int, gap: int, left: int, wide: bool
) -> None:
    placed = place(heads, {head.name: need for head in heads}, 3, available, gap, left, wide)
    at = 3 - gap
    for spot in placed:
        assert spot.start == at + gap
        assert spot.cells > 0
        at = spot.start + spot.cells
    assert not placed or at <= available
    if heads and available > 3:
        assert placed[0].head is heads[0]


def test_a_long_name_gives_cells_away_so_that_shown_columns_fit() -> None:
    heads = [Head("name", "NAME", "name", 40), Head("status", "STATUS", "status", 8), Head("ram", "RAM", "number", 6)]
    placed = place(heads, {"name": 40, "status": 7, "ram": 5}, 3, 40, 1)
    assert [spot.head.name for spot in placed] == ["name", "status", "ram"]


def test_the_first_column_gives_cells_away_last() -> None:
    """Names that are cut to the same beginning are no names any more."""
    heads = [Head(name, name.upper(), role, cells) for name, role, cells in WIDE]
    needs = {"name": 30, "project": 20, "ips": 20}
    assert [spot.cells for spot in place(heads, needs, 3, 43, 1)] == [16, 11, 11]
    assert [spot.cells for spot in place(heads, needs, 3, 39, 1)] == [14, 10, 10]


def test_spare_cells_go_to_the_column_whose_texts_are_cut() -> None:
    heads = [Head("name", "NAME", "name", 10), Head("status", "STATUS", "status", 8)]
    placed = place(heads, {"name": 18, "status": 6}, 3, 80, 1)
    assert placed[0].cells == 18


def test_columns_that_nobody_asked_for_and_that_are_empty_are_left_out() -> None:
    heads = [Head("a", "A", shown=True), Head("b", "B", shown=False), Head("c", "C", shown=False)]
    needs = {"a": 5, "b": 1, "c": 4}
    assert [p.head.name for p in place(heads, needs, 3, 80, 1)] == ["a", "c"]
    assert [p.head.name for p in place(heads, needs, 3, 80, 1, keep="b")] == ["a", "b", "c"]


def test_every_type_has_columns_that_begin_with_those_shown_by_default() -> None:
    for type in registry.ALL.values():
        columns = ("cloud", "region", "id", *(column.name for column in type.view_columns))
        heads = heads_of_type(type, columns, several_clouds=False)
        default = list(type.default_columns)
        assert [head.name for head in heads[: len(default)]] == default
        assert len({head.name for head in heads}) == len(heads)
        for head in heads:
            assert columns[head.index] == head.name


def test_the_cloud_is_a_column_where_there_are_several() -> None:
    type = registry.find("server")
    columns = ("cloud", "region", "id", *(column.name for column in type.view_columns))
    assert heads_of_type(type, columns, several_clouds=True)[1].name == "cloud"
