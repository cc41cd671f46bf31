"""Fields: what is typed into them, and what is wrong with it."""

from __future__ import annotations

import pytest

from store.types.actions import ACTIONS, Option
from tests.tui.fakes import HOSTILE
from tui.dialogs.asking import fields_for
from tui.dialogs.completion import Match, ResourceField
from tui.dialogs.fields import ChoiceField, Field, PhraseField, TextField, field_of
from tui.table.cells import width
from tui.targets import Targets
from tui.widgets.editing import LineEdit


def type_into(field: Field, text: str) -> None:
    """Press the keys of a text."""
    for char in text:
        field.take_key("space" if char == " " else char, char)


def drawn(field: Field, cells: int, focused: bool = True) -> str:
    """The field as text."""
    return "".join(text for text, _ in field.parts(cells, focused))


@pytest.mark.parametrize(
    ("keys", "value", "cursor"),
    [
        (["a", "b", "left", "c"], "acb", 2),
        (["a", "b", "home", "delete"], "b", 0),
        (["a", "b", "backspace", "backspace", "backspace", "c"], "c", 1),
        (["a", "left", "left", "end", "b"], "ab", 2),
    ],
)
def test_a_line_is_edited(keys: list[str], value: str, cursor: int) -> None:
    edit = LineEdit()
    for key in keys:
        assert edit.take_key(key, key if len(key) == 1 else None)
    assert (edit.value, edit.cursor) == (value, cursor)
    assert not edit.take_key("tab", None) and not edit.take_key("f5", None)


@pytest.mark.parametrize("cells", [1, 2, 5, 20])
@pytest.mark.parametrize("text", ["", "abc", "日本語のテキスト", "a" * 50])
def test_the_cursor_is_in_sight_and_nothing_is_too_wide(text: str, cells: int) -> None:
    edit = LineEdit(text)
    for _ in range(len(text) + 1):
        before, at, after = edit.shown(cells)
        assert at and width(before) < max(1, cells) + 1 and width(before + at + after) <= cells + 1
        edit.take_key("left", None)


@pytest.mark.parametrize(
    ("option", "typed", "value", "wrong"),
    [
        (Option("n", "N", "number", minimum=1, maximum=9), "5", 5, ""),
        (Option("n", "N", "number", minimum=1, maximum=9), "12", 12, "at most 9"),
        (Option("n", "N", "number"), "1x", "1x", "whole number"),
        (Option("n", "N", "number", required=True), "", None, "required"),
        (Option("t", "T", maximum=3), "abcd", "abcd", "at most 3"),
        (Option("l", "L", "list"), "a, b,,c ", ["a", "b", "c"], ""),
        (Option("t", "T", default="x"), "", "x", ""),
    ],
)
def test_what_is_typed_is_checked_at_once(option: Option, typed: str, value: object, wrong: str) -> None:
    field = field_of(option)
    type_into(field, typed)
    assert field.value() == value
    assert wrong in field.problem() and bool(wrong) == bool(field.problem())
    for cells in (8, 30):
        for focused in (True, False):
            assert width(drawn(field, cells, focused)) == cells


def test_a_choice_goes_round_and_jumps_to_letters() -> None:
    field = field_of(Option("type", "How", "choice", choices=("SOFT", "HARD"), default="SOFT"))
    assert isinstance(field, ChoiceField) and field.value() == "SOFT"
    field.take_key("right", None)
    assert field.value() == "HARD"
    field.take_key("s", "s")
    assert field.value() == "SOFT" and "(•) SOFT" in drawn(field, 40) and "HARD" not in drawn(field, 10)
    assert field.take_key("x", "x") and not field.take_key("tab", None)
    optional = field_of(Option("kind", "Kind", "choice", choices=("a", "b")))
    assert optional.value() is None and not optional.problem()
    assert field_of(Option("b", "B", "bool", default=True)).value() is True


def test_a_phrase_is_typed_and_never_pasted() -> None:
    field = PhraseField(Option("typed", "the phrase", required=True), "DELETE db")
    assert field.value() is None and field.problem()
    assert "type it" in field.take_paste("DELETE db") and field.value() is None
    type_into(field, "DELETE d")
    assert field.problem()
    type_into(field, "b")
    assert not field.problem() and field.value() == "DELETE db"


def test_hostile_text_is_never_kept() -> None:
    field = TextField(Option("t", "T"))
    field.take_paste(HOSTILE)
    assert field.text.isprintable() and "\x1b" not in field.text and field.problem() == ""


# Resources

GROUPS = [Match("id-1", "web", "acme"), Match("id-2", "web-2", "acme"), Match("id-3", "db", "")]


def searching() -> tuple[ResourceField, list[str]]:
    """A field, and what it looked for."""
    asked: list[str] = []
    option = Option("group", "Group", "resource", type="security_group", required=True)
    return ResourceField(option, lambda field, text: asked.append(text)), asked


def test_a_resource_is_looked_for_and_chosen() -> None:
    field, asked = searching()
    type_into(field, "we")
    assert asked == ["w", "we"] and field.problem() == "is being looked for"
    field.offer("w", GROUPS)  # an older answer
    assert not field.matches
    field.offer("we", GROUPS[:2])
    assert "not chosen" in field.problem() and len(field.below(40)) == 2
    assert field.take_key("down", None)
    assert not field.take_key("enter", None)  # the focus goes on
    assert field.value() == "id-2" and field.text == "web-2" and not field.problem()
    type_into(field, "x")
    assert field.taken is None and field.problem()
    field.offer("web-2x", [])
    assert "no security group" in field.problem()


def test_the_only_match_is_taken_when_it_is_spelt_out() -> None:
    field, _ = searching()
    type_into(field, "db")
    field.offer("db", GROUPS[2:])
    assert field.value() == "id-3"


# From declarations

ROW = {"project_id": "p1", "project_name": "acme", "security_group_id": "g1", "security_group_name": "web"}


@pytest.mark.parametrize("action", list(ACTIONS))
def test_every_declared_option_has_its_field(action: str) -> None:
    declaration = ACTIONS[action]
    targets = Targets(declaration.type, {"keys": [["c", "r", "id"]]}, 1, ("c",), "name", ROW)
    fields = fields_for(declaration, targets, [("c", "r")], lambda field, text, cloud: None)
    assert [field.name for field in fields] == [option.name for option in declaration.options]
    for field in fields:
        assert drawn(field, 30) and (field.below(30) or True)
        assert field.option.required or not field.problem()
    with_places = fields_for(declaration, None, [("c", "r"), ("d", "")], lambda field, text, cloud: None)
    assert with_places[0].name == "place" and with_places[0].value() == ("c", "r")


def test_what_the_row_says_is_filled_in() -> None:
    row = Targets("security_group_rule", {"keys": [["c", "r", "x"]]}, 1, ("c",), "", ROW)
    fields = fields_for(ACTIONS["security_group_rule.create"], row, [], lambda field, text, cloud: None)
    assert fields[0].value() == "g1"
    group = Targets("security_group", {"keys": [["c", "r", "g9"]]}, 1, ("c",), "web", {})
    assert fields_for(ACTIONS["security_group_rule.create"], group, [], lambda *_: None)[0].value() == "g9"
    several = Targets("server", {"keys": []}, 3, ("c",))
    assert fields_for(ACTIONS["server.rename"], several, [], lambda *_: None)[0].value() == "{name}"
