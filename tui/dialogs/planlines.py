"""A plan in words: lines for the screen, and the whole of it as text for a file. Pure; every text is cleaned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tui.panes.pane import Parts
from tui.table.cells import clean, cut_end, fit, width
from tui.table.format import GLYPHS, NOTHING, level, moment_of

DANGER = {"none": ("", "text"), "disruptive": ("interrupts", "warn"), "destructive": ("DESTROYS", "bad")}
Plan = Mapping[str, Any]


def seconds_left(plan: Plan, now: datetime) -> int | None:
    """Seconds until the plan can no longer be carried out; None when it doesn't say."""
    moment = moment_of(str(plan.get("expires_at") or ""))
    return None if moment is None else max(0, int((moment - now).total_seconds()))


def clock(seconds: int) -> str:
    """29:41; 1:02:03."""
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"


def items_of(plan: Plan) -> list[Mapping[str, Any]]:
    """The plan's items: those that are changed first, they are what is decided about."""
    items = [item for item in plan.get("items") or () if isinstance(item, Mapping)]
    return sorted(items, key=lambda item: not item.get("ok"))


def whose_of(items: Sequence[Mapping[str, Any]]) -> str:
    """The field that tells machines of one name apart: where they are in several clouds, the cloud."""
    return "cloud" if len({item.get("cloud") for item in items}) > 1 else "project_name"


def item_line(item: Mapping[str, Any], cells: int, columns: Sequence[int], whose: str = "project_name") -> Parts:
    """One machine: what it is, how it is, and what happens to it. Why nothing does needs the room of the rest."""
    ok = bool(item.get("ok"))
    name, state = clean(item.get("name") or NOTHING), clean(item.get("state") or NOTHING)
    parts: Parts = [(f" {'✔' if ok else '✖'} ", "ok" if ok else "bad"), (fit(name, columns[0]), "strong")]
    told = [(clean(item.get(whose) or NOTHING), columns[1])] if ok or whose == "cloud" else []
    told += [(state, columns[2])] if ok else []
    for text, room in told:
        parts.append((" " + fit(text, room), "text"))
    used = 3 + columns[0] + sum(room + 1 for _, room in told)
    said = changes_text(item) if ok else problem_text(item).replace(f"refused: {name} ", "refused: ", 1)
    parts.append(("  " + cut_end(said, max(4, cells - used - 2)), "text" if ok else "warn"))
    return parts


def columns_of(items: Sequence[Mapping[str, Any]], cells: int, whose: str = "project_name") -> tuple[int, int, int]:
    """Cells for name, project (or cloud) and state: what they need, at most half of the line."""

    def widest(key: str, most: int) -> int:
        return max([min(most, width(clean(item.get(key) or NOTHING))) for item in items[:200]] or [1])

    return widest("name", max(10, cells // 4)), widest(whose, max(6, cells // 8)), widest("state", 12)


def changes_text(item: Mapping[str, Any]) -> str:
    """All changes on one line."""
    changes = [change_text(change) for change in item.get("changes") or () if isinstance(change, Mapping)]
    return ", ".join(changes) or "no field changes"


def change_text(change: Mapping[str, Any]) -> str:
    """status ACTIVE → SHUTOFF; a field that is new has no arrow."""
    before, after, name = change.get("from"), change.get("to"), clean(change.get("field") or "")
    if before in (None, ""):
        return f"{name} {value(after)}"
    return f"{name} {value(before)} → {value(after)}"


def value(given: Any) -> str:
    """A value of a field, short."""
    if given is None or given == "":
        return NOTHING
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, list | tuple):
        return clean(", ".join(map(str, given))) or NOTHING
    return clean(given)


def problem_text(item: Mapping[str, Any]) -> str:
    """Why nothing happens to it."""
    return "refused: " + clean(item.get("problem") or "the engine does not say why")


_DONE = {"create": "created", "delete": "DELETED"}


def summary(plan: Plan) -> Parts:
    """How many are changed, and how many are left alone."""
    items = items_of(plan)
    count, refused = int(plan.get("count") or len(items)), int(plan.get("refused") or 0)
    going = max(0, count - refused)
    done = _DONE.get(str(plan.get("action") or "").rpartition(".")[2], "changed")
    if not refused:
        return [(f" {'all ' if count > 1 else ''}{count:,} {'are' if count > 1 else 'is'} {done}", "text")]
    if not going:
        return [(f" ✖ {'all ' if count > 1 else ''}{count:,} refused: there is nothing to do", "bad")]
    return [
        (f" {going:,} of {count:,} {'are' if going > 1 else 'is'} {done}, ", "text"),
        (f"{refused:,} refused and left alone", "warn"),
    ]


def notes(plan: Plan) -> list[Parts]:
    """What is lost, and what the engine warns of."""
    lines: list[Parts] = []
    lost = [clean(text) for item in items_of(plan) if item.get("ok") for text in item.get("lost") or ()]
    if lost:
        more = f" (+{len(lost) - 1} more: d)" if len(lost) > 1 else ""
        lines.append([(" lost ", "bad"), (lost[0] + more, "text")])
    lines += [[(" ▲ " + clean(text), "warn")] for text in plan.get("warnings") or ()]
    return lines


def commands_line(plan: Plan, cells: int) -> Parts:
    """The first command that would do the same, and how many more there are."""
    commands = [clean(command) for command in plan.get("commands") or ()]
    if not commands:
        return []
    more = f"  +{len(commands) - 1}, c copies" if len(commands) > 1 else "  c copies"
    room = max(8, cells - len(more) - 4)
    return [(" $ ", "muted"), (cut_end(commands[0], room), "accent"), (more, "muted")]


def details(plan: Plan, cells: int) -> list[Parts]:
    """Everything the plan says, line by line."""
    lines: list[Parts] = []
    for item in items_of(plan):
        ok = bool(item.get("ok"))
        where = "/".join(clean(part) for part in (item.get("key") or ())[:2] if part)
        glyph = GLYPHS[level(item.get("state"))] if item.get("state") else ""
        head = f"{clean(item.get('name') or NOTHING)}  {clean(item.get('project_name') or '')}  {where}"
        lines.append([(f" {'✔' if ok else '✖'} ", "ok" if ok else "bad"), (head, "strong"),
                      (f"  {glyph} {clean(item.get('state') or '')}".rstrip(), "muted")])  # fmt: skip
        if item.get("key"):
            lines.append([("     id " + clean(item["key"][-1]), "muted")])
        told = [(change_text(change), "text") for change in item.get("changes") or () if isinstance(change, Mapping)]
        told += [("lost: " + clean(text), "bad") for text in item.get("lost") or ()]
        if not ok:
            told.append((problem_text(item), "warn"))
        if item.get("override"):
            told.append((clean(item["override"]), "warn"))
        for text, style in told:
            lines += [[("     " + part, style)] for part in wrapped(text, cells - 7)]
    for text in plan.get("warnings") or ():
        lines += [[(" ▲ " + part, "warn")] for part in wrapped(clean(text), cells - 5)]
    if plan.get("commands"):
        lines.append([(" the same on the command line:", "muted")])
    for command in plan.get("commands") or ():
        lines += [[("   " + part, "accent")] for part in wrapped(clean(command), cells - 5)]
    return lines


def wrapped(text: str, cells: int) -> list[str]:
    """A cleaned text in pieces of so many cells, broken at blanks where there are some."""
    import textwrap

    return textwrap.wrap(text, max(10, cells), drop_whitespace=True) or [""]


def as_text(plan: Plan) -> str:
    """The whole plan for a file."""
    head = [clean(plan.get("title") or ""), f"plan {clean(plan.get('id') or '')}", ""]
    if plan.get("expires_at"):
        head.insert(2, f"expires {clean(plan['expires_at'])}")
    lines = ["".join(text for text, _ in parts).rstrip() for parts in details(plan, 110)]
    return "\n".join([*head, "".join(text for text, _ in summary(plan)).strip(), "", *lines]) + "\n"
