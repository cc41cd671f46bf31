"""The rows a table holds: the cursor keeps its row whatever happens around it."""

from hypothesis import given
from hypothesis import strategies as st

from tui.table.buffer import Buffer
from tui.table.spec import Row, Window


def window(names: str, *, anchor: int | None = 0, before: bool = False, after: bool = False) -> Window:
    rows = [Row(("c", "r", name), [name]) for name in names]
    return Window(("name",), rows, anchor, before, after)


def buffer(names: str, height: int = 3, **options: bool) -> Buffer:
    made = Buffer()
    made.replace(window(names, **options), height, key=None, line=0)
    return made


def names(made: Buffer) -> str:
    return "".join(row.key[2] for row in made.rows)


def test_moving_scrolls_as_little_as_needed() -> None:
    made = buffer("abcdef")
    assert made.move(2, 3) == 0
    assert (made.top, made.cursor) == (0, 2)
    made.move(1, 3)
    assert (made.top, made.cursor) == (1, 3)
    made.move(-3, 3)
    assert (made.top, made.cursor) == (0, 0)


def test_a_page_moves_cursor_and_screen_together() -> None:
    made = buffer("abcdefghi")
    made.move(1, 3)
    made.page(3, 3)
    assert (made.top, made.cursor) == (3, 4)
    made.page(30, 3)
    assert (made.top, made.cursor) == (6, 8)


def test_what_is_not_here_yet_is_returned_as_the_rest() -> None:
    assert buffer("abc", after=True).move(5, 3) == 3
    assert buffer("abc").move(5, 3) == 0
    assert buffer("abc", before=True).move(-5, 3) == -5


def test_the_cursor_keeps_its_row_and_its_line_when_rows_come_before_it() -> None:
    made = buffer("bcdef")
    made.move(3, 3)
    line = made.cursor - made.top
    made.replace(window("abbcdef"), 3, key=("c", "r", "e"), line=line)
    assert made.current is not None and made.current.key[2] == "e"
    assert made.cursor - made.top == line


def test_a_row_that_is_gone_stays_struck_through_until_the_cursor_moves() -> None:
    made = buffer("abcdef")
    made.move(2, 3)
    made.replace(window("abdef", anchor=None), 3, key=("c", "r", "c"), line=2)
    assert made.current is not None and made.current.gone
    assert names(made) == "abcdef"
    made.move(1, 3)
    assert names(made) == "abdef"
    assert made.current.key[2] == "d"


def test_going_up_from_a_row_that_is_gone() -> None:
    made = buffer("abcdef")
    made.move(2, 3)
    made.replace(window("abdef", anchor=None), 3, key=("c", "r", "c"), line=2)
    made.move(-1, 3)
    assert made.current is not None and made.current.key[2] == "b"
    assert names(made) == "abdef"


def test_the_only_row_may_be_gone() -> None:
    made = buffer("a")
    made.replace(window("", anchor=None), 3, key=("c", "r", "a"), line=0)
    assert made.current is not None and made.current.gone
    made.move(1, 3)
    assert names(made) == "a"


def test_more_rows_are_joined_without_doubles() -> None:
    made = buffer("cde", before=True, after=True)
    made.move(1, 3)
    assert made.extend_after(window("efg")) == 2
    assert made.extend_before(window("abc")) == 2
    assert names(made) == "abcdefg"
    assert made.current is not None and made.current.key[2] == "d"
    assert not made.has_before and not made.has_after


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("move"), st.integers(-30, 30)),
            st.tuples(st.just("page"), st.integers(-30, 30)),
            st.tuples(st.just("data"), st.sets(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), max_size=26)),
        ),
        max_size=30,
    ),
    st.integers(1, 10),
)
def test_cursor_and_screen_are_always_inside(steps: list[tuple[str, object]], height: int) -> None:
    made = buffer("abcdefghijklmnopqrstuvwxyz", height)
    for kind, value in steps:
        if kind == "data":
            assert isinstance(value, set)
            row = made.current
            key = row.key if row else None
            made.replace(window("".join(sorted(value)), anchor=None), height, key=key, line=made.cursor - made.top)
            if key is not None:
                assert made.current is not None and made.current.key == key
        else:
            assert isinstance(value, int)
            (made.move if kind == "move" else made.page)(value, height)
        if made.rows:
            assert 0 <= made.cursor < len(made.rows)
            assert made.top <= made.cursor < made.top + height
            assert made.top == 0 or len(made.visible(height)) == height
