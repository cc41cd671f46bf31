"""The editor of policies and sets: it shows what they would do while they are typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tui.dialogs.fields import Field
from tui.dialogs.form import FormPage
from tui.dialogs.page import Drawn, Line
from tui.dialogs.planlines import wrapped
from tui.panes.pane import Parts
from tui.snapshots import next_words
from tui.table.cells import clean, cut_end, fit

KEPT_OUT = (("overridden", "go to what wins over it"), ("excluded", "are excluded"), ("lost", "lose it"))
INVALID = "Invalid parameter: "  # how the engine begins what it says of a value
PREVIEW_ROWS = 7  # lines of the preview on a small screen


class EditorPage(FormPage):
    """Fields above, under them what the engine says of their values. `ask(page)` is called when a value changed.

    problems  what the engine says is wrong, by the name of the field
    preview   its last answer; None until there is one
    """

    whole = True
    last_field_goes = False

    def __init__(
        self,
        title: str,
        about: str,
        fields: Sequence[Field],
        submit: Callable[[dict[str, Any]], None],
        back: Callable[[], None],
        ask: Callable[[EditorPage], None],
        *,
        go: str = "Make it",
    ) -> None:
        super().__init__(title, about, fields, submit, back, go=go)
        self.problems: dict[str, str] = {}
        self.preview: Mapping[str, Any] | None = None
        self.fault = ""  # why there is no preview
        self.waiting = False
        self._ask = ask
        for field in self.fields:
            field.changed = self._typed

    def _typed(self, field: Field) -> None:
        self.problems.pop(field.name, None)
        self.ask_again()

    def ask_again(self) -> None:
        """Have the preview made for the values as they are now."""
        self.waiting = True
        self._ask(self)

    def take_preview(self, answer: Mapping[str, Any]) -> None:
        """The engine answered."""
        told = answer.get("problems")
        self.problems = {str(name): clean(words) for name, words in told.items()} if isinstance(told, Mapping) else {}
        self.preview, self.fault, self.waiting = answer, "", False
        self.changed()

    def no_preview(self, why: str) -> None:
        """It did not."""
        self.fault, self.waiting = why, False
        self.changed()

    def wrong_with(self, field: Field) -> str:
        """What the field itself knows, else what the engine says."""
        return super().wrong_with(field) or self.problems.get(field.name, "")

    def keys(self) -> Sequence[tuple[str, str]]:
        """What may be pressed."""
        return (
            ("tab", "next"),
            ("shift tab", "before"),
            ("← →", "choose"),
            ("enter", "next, on the button go on"),
            ("esc", "cancel"),
        )

    def draw(self, cells: int, rows: int) -> Drawn:
        """Title, as many fields as there is room for around the focused one, the preview, the buttons."""
        fields, focus = self.field_lines(cells)
        said = self.said_lines(cells)
        buttons: Line = (self.buttons(), self._said(cells))
        most = rows - len(fields) if rows - len(fields) > PREVIEW_ROWS else PREVIEW_ROWS
        told = self._preview_lines(cells)[: max(0, min(most, rows - 9) - len(said))]
        room = max(1, rows - 2 - len(said) - (1 + len(told) if told else 0))
        on_button = not isinstance(self.focus, Field)
        focus = len(fields) - 1 if on_button else focus
        top = max(0, min(focus - room // 2, len(fields) - room))
        lines: list[Line] = [self.head(cells), *fields[top : top + room]]
        if told:
            lines.append(([("── what it would do ", "rule"), ("─" * max(0, cells - 20), "rule")], []))
            lines += told
        lines += [*said, buttons]
        return Drawn(lines, len(lines) - 1 if on_button else 1 + focus - top)

    def refuse(self, detail: str) -> bool:
        """The engine refused a value of one field: it is said there, and gets the focus; False when it names none."""
        words = detail.removeprefix(INVALID)
        name, _, rest = words.partition(" ")
        field = next((one for one in self.fields if one.name == name.partition(".")[0]), None)
        if field is None or words == detail or not rest:
            return False
        self.problems[field.name] = rest
        self.focus, self.saying = field, f"{field.option.title} {rest}"
        self.changed()
        return True

    def _preview_lines(self, cells: int) -> list[Line]:
        if self.fault:
            return [([(cut_end(f" no preview: {clean(self.fault)}", cells - 1), "warn")], [])]
        if self.preview is None:
            return [([(" ◐ asking the engine …" if self.waiting else " fill in the fields", "muted")], [])]
        titles = {field.name: field.option.title for field in self.fields}
        lines: list[Line] = []
        for name, words in self.problems.items():
            said = f"✖ {titles.get(name, name)}: {words}"
            lines += [([(f" {piece}", "bad")], []) for piece in wrapped(said, cells - 2)]
        lines += preview_lines(self.preview, cells)
        if self.waiting and lines:
            lines[0] = (lines[0][0], [("◐ ", "busy")])
        return lines


def preview_lines(told: Mapping[str, Any], cells: int) -> list[Line]:
    """How many volumes, when, what it costs, where it does not fit, which they are, from whom they are taken."""
    lines: list[Parts] = []
    times = next_words(list(told.get("next") or ())[:3], str(told.get("timezone") or "UTC"))
    if times:
        lines.append([(" next    ", "muted"), (times, "text")])
    count = told.get("volumes")
    if isinstance(count, int):
        projects = [one for one in told.get("projects") or () if isinstance(one, Mapping)]
        kept = [f"{told[name]:,} {words}" for name, words in KEPT_OUT if told.get(name)]
        where = (
            f" in {len(projects):,} project{'' if len(projects) == 1 else 's'}"
            if count
            else ""
            if kept
            else ": none matches"
        )
        taken = f"{count:,} volumes"
        rest = f"; {', '.join(kept)}" if kept else ""
        lines.append([(" takes   ", "muted"), (taken, "strong" if count else "warn"), (where, "text"), (rest, "muted")])
        if count:
            lines += _cost(told, projects)
        names = ", ".join(clean(name) for name in list(told.get("first") or ())[:10])
        if names:
            more = f" and {count - 10:,} more" if count > 10 else ""
            lines.append([(" first   ", "muted"), (names + more, "text")])
        for one in told.get("taken_from") or ():
            lines.append(_taken(one))
        lines += [_project(one) for one in projects]
    return [([(cut_end(text, cells) if number == 0 else text, style) for number, (text, style) in enumerate(parts)], [])
            for parts in lines]  # fmt: skip


def _cost(told: Mapping[str, Any], projects: Sequence[Mapping[str, Any]]) -> list[Parts]:
    snapshots, gb = told.get("snapshots"), told.get("gb")
    if not isinstance(snapshots, int):
        return []
    over = sum(bool(one.get("problem")) for one in projects)
    known = all(isinstance(one.get("snapshots_limit"), int) for one in projects)
    parts: Parts = [(" costs   ", "muted"), (f"{snapshots:,} snapshots", "strong"), (f", {gb or 0:,} GB more", "text")]
    if over:
        parts.append((f"  ✖ does not fit in {over:,}", "bad"))
    else:
        parts.append(("  ● fits their quota" if known else "  ▲ their quota is not known", "text" if known else "warn"))
    return [parts]


def _taken(one: Mapping[str, Any]) -> Parts:
    names = ", ".join(clean(name) for name in list(one.get("first") or ())[:3])
    count = int(one.get("volumes") or 0)
    words = f"▲ {clean(one.get('name') or '')} loses {count:,} of them"
    return [(" instead ", "muted"), (words, "warn"), (f" ({names})" if names else "", "muted")]


def _project(one: Mapping[str, Any]) -> Parts:
    parts: Parts = [
        (f"   {fit(clean(one.get('project_name') or ''), 18)} ", "text"),
        (f"{int(one.get('volumes') or 0):>4,} vol ", "muted"),
    ]
    if one.get("problem"):
        return [*parts, (f" ✖ too much: {clean(one['problem'])}", "bad")]
    for name, unit in (("snapshots", "snapshots"), ("gb", "GB")):
        need, used, limit = one.get(name), one.get(f"{name}_used"), one.get(f"{name}_limit")
        parts.append((f" +{need or 0:,} {unit}", "text"))
        if isinstance(used, int) and isinstance(limit, int):
            parts.append((f" on {used:,} of {limit:,}" if limit >= 0 else f" on {used:,}, no limit", "muted"))
        else:
            parts.append((", quota not known", "muted"))
    return parts
