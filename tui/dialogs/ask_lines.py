"""What the drawer of questions draws: an answer with the first of its rows, and what could be asked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tui import copilot
from tui.copilot import DOT, Answer, Chip
from tui.dialogs.page import Line
from tui.dialogs.planlines import wrapped
from tui.panes.pane import Parts
from tui.table.cells import clean, cut_end, fit, width
from tui.table.format import GLYPHS, RIGHT_ALIGNED, level, value_text
from tui.table.layout import Head, Placed, place

MOST_PREVIEW = 8  # rows
MOST_LINES = 400  # of one answer
GAP = 2
WHOLE = 34  # cells of the first column that others give way to


def paragraphs(lines: Sequence[str], cells: int, style: str = "text") -> list[Line]:
    """Cleaned lines, broken to the width; what stands in front of a line stays in front of its rest."""
    found: list[Line] = []
    for line in lines[:MOST_LINES]:
        indent = " " * min(len(line) - len(line.lstrip()), 8)
        found += [([(f" {indent}{piece}", style)], []) for piece in wrapped(line.strip(), cells - 2 - len(indent))]
    return found[:MOST_LINES]


def choice_lines(answer: Answer, cells: int) -> list[Line]:
    """Questions to choose from, by number."""
    found: list[Line] = []
    for number, choice in enumerate((answer.get("choices") or ())[:9], 1):
        found.append(([(f" {number} ", "key"), (cut_end(clean(choice), cells - 4), "text")], []))
    return found


def preview(answer: Answer, cells: int, rows: int) -> list[Line]:
    """Heads and the first rows of its table, in so many lines; none where there is no room for a row."""
    known = copilot.rows_of(answer)
    count = min(len(known), MOST_PREVIEW, rows - 1)
    heads = copilot.heads_of(answer)
    if count < 1 or not heads:
        return []
    now = datetime.now(UTC)
    texts = [[value_text(values[head.index], head.role, now) for head in heads] for _, values in known[:count]]
    needs = {head.name: max(width(line[head.index]) for line in texts) for head in heads}
    needs |= {head.name: needs[head.name] + GAP for head in heads if head.role == "status"}
    placed = _placed(heads, needs, cells)
    lines: list[Line] = [(_row([(one.head.title, "head") for one in placed], placed), [])]
    for texts_of_row in texts:
        lines.append((_row([_cell(texts_of_row[one.head.index], one.head.role) for one in placed], placed), []))
    return lines


def _placed(heads: Sequence[Head], needs: Mapping[str, int], cells: int) -> list[Placed]:
    """Columns that fit. The first says what a row is: the last ones go before it is cut."""
    for count in range(len(heads), 2, -1):
        placed = place(heads[:count], needs, 1, cells - 1, GAP)
        if len(placed) == count and placed[0].cells >= min(needs[heads[0].name], WHOLE):
            return placed
    return place(heads, needs, 1, cells - 1, GAP)


def _cell(text: str, role: str) -> tuple[str, str]:
    if role != "status":
        return text, "text"
    how = level(text)
    return f"{GLYPHS[how]} {text}", how


def _row(texts: Sequence[tuple[str, str]], placed: Sequence[Placed]) -> Parts:
    parts: Parts = []
    used = 0
    for (text, style), one in zip(texts, placed, strict=True):
        parts.append((" " * (one.start - used), "text"))
        parts.append((fit(text, one.cells, right=one.head.role in RIGHT_ALIGNED), style))
        used = one.start + one.cells
    return parts


def offer_lines(offers: Sequence[Chip], chosen: int, cells: int) -> list[Line]:
    """What could be asked; templates end in dots."""
    lines: list[Line] = []
    for number, chip in enumerate(offers):
        here = number == chosen
        words = chip.question.rstrip() + (" …" if chip.template else "")
        room = cells - 4 - width(chip.why) - 2
        left: Parts = [(" ▸ " if here else "   ", "key"), (cut_end(words, max(10, room)), "strong" if here else "text")]
        lines.append((left, [(chip.why + " ", "muted")] if room > 10 else []))
    return lines


def proposal_lines(answer: Answer, cells: int) -> list[Line]:
    """What can be done with it: keys and words, over as many lines as they need."""
    lines: list[Line] = []
    parts: Parts = []
    used = 1
    for key, proposal in copilot.proposals_of(answer):
        label = cut_end(clean(proposal.get("label") or proposal.get("name") or "open it"), cells - 10)
        cost = width(key) + width(label) + 4
        if parts and used + cost > cells:
            lines.append((parts, []))
            parts, used = [], 1
        parts += [(" ", "text"), (key, "key"), (f" {label}  ", "text")]
        used += cost
    return [*lines, (parts, [])] if parts else lines


def fact_lines(answer: Answer, waited: float, cells: int) -> list[Line]:
    """What the answer stands on, in at most two lines."""
    lines: list[Line] = []
    parts: Parts = [(" ", "text")]
    used = 1
    for words, style in copilot.facts(answer, waited):
        words = cut_end(words, cells - 3)
        if used + width(words) > cells - 1 and len(parts) > 1:
            lines.append((parts[:-1] if parts[-1][0] == DOT else parts, []))
            parts, used = [(" ", "text")], 1
            if words == DOT:
                continue
        parts.append((words, style))
        used += width(words)
    return [*lines, (parts, [])][:2]
