"""The first lines of the dashboard: what is wrong, worst first; and how each cloud is doing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.board.pieces import Block, Line, Piece, cells, said
from tui.problems import LEVELS, SEVERITIES, Problem, muted_words, since, view_of, word
from tui.state import View
from tui.table.cells import clean, fit, width
from tui.table.format import GLYPHS, level
from tui.times import age
from tui.world import World

ALL = View("problems")


def problems(answer: Mapping[str, Any] | None, fault: str, room: int, rows: int, clouds: tuple[str, ...]) -> Block:
    """Up to `rows` lines under the counts."""
    block = Block()
    every = View("problems", clouds=clouds)
    block.spot("problems", every, [("every problem, worst first: ", "text"), ("enter", "key"), (" lists them", "text")])
    block.title = [Piece(" PROBLEMS", "strong", "problems")]
    if answer is None:
        block.title.append(Piece("  not known: " + clean(fault) if fault else "  …", "bad" if fault else "muted"))
        return block
    _counts(block, answer, every)
    items = [item for item in answer.get("items") or () if not item.get("muted_until")]
    missed = answer.get("problems") or ()
    if missed:
        block.spot("missed", None, [(clean(missed[0]), "warn")], [("so there may be more than is shown here", "text")])
        block.add(Piece(" ▲ not everything could be judged: ", "warn", "missed"), said(missed[0], "text", "missed"))
    if not items:
        if not missed:
            block.add(Piece(f" {GLYPHS['ok']} nothing is wrong", "ok"))
        return block
    left = max(1, rows - len(block.lines))
    shown = items if len(items) <= left else items[: max(1, left - 1)]
    for number, item in enumerate(shown):
        block.lines.append(_problem(block, number, item, room))
    if len(items) > len(shown) and left > 1:
        block.spot("more problems", every, [("the rest of the list", "text")])
        block.add(Piece(f" … {len(items) - len(shown):,} more", "muted", "more problems"))
    return block


def _counts(block: Block, answer: Mapping[str, Any], every: View) -> None:
    counts = answer.get("counts") or {}
    for name in SEVERITIES:
        if counts.get(name):
            words = f"{counts[name]:,} {name} problem{'s' if counts[name] != 1 else ''}"
            view = View("problems", filter=f"severity:={name} muted:=no", clouds=every.clouds)
            key = block.spot(f"problems {name}", view, [(words, "strong"), (", muted ones not counted", "muted")])
            block.title.append(Piece(f" {GLYPHS[LEVELS[name]]} {counts[name]:,} {name}", LEVELS[name], key))
    if counts.get("muted"):
        view = View("problems", filter="muted:=yes", clouds=every.clouds)
        key = block.spot("problems muted", view, [(f"{counts['muted']:,} muted: quiet until their time", "text")])
        block.title.append(Piece(f"  {counts['muted']:,} muted", "muted", key))


def _problem(block: Block, number: int, item: Problem, room: int) -> Line:
    """Glyph, title, since, who, what is behind it."""
    style = LEVELS[word(item)]
    key = f"problem {number}"
    about = [(f"{clean(item.get('severity') or '')}  ", style), (clean(item.get("title") or ""), "strong")]
    third = [("muted " + muted_words(item), "warn")] if item.get("muted_until") else []
    if item.get("note"):
        third += [("✎ ", "accent"), (clean(item["note"]), "text")]
    block.spot(key, view_of(item) or ALL, about, [(clean(item.get("detail") or ""), "text")], third)
    owner = clean(item.get("owner") or "-")
    title = min(44, room * 2 // 5) if room >= 60 else max(6, room - 9)
    line: Line = [
        Piece(" ", "text", key),
        Piece(f"{GLYPHS[style]} ", style, key),
        Piece(fit(clean(item.get("title") or ""), title), "strong" if style == "bad" else "text", key),
        Piece(" " + fit(since(item), 4, right=True), "muted", key),
    ]
    if room >= 60:
        line.append(Piece(" " + fit(owner, 8), "ok" if item.get("mine") else "muted", key))
        line.append(Piece(" " + clean(item.get("detail") or ""), "text", key))
    return line


def clouds(world: World, chosen: tuple[str, ...], room: int) -> Block:
    """One line: every cloud with its state and the age of its data, the worst first; what does not fit is counted."""
    block = Block()
    page = View("clouds")
    block.spot("clouds", page, [("how each cloud is doing: ", "text"), ("enter", "key"), (" or :clouds", "text")])
    line: Line = [Piece(" CLOUDS ", "strong", "clouds")]
    known = [cloud for cloud in world.clouds if not chosen or cloud.get("name") in chosen]
    known.sort(key=lambda cloud: ("bad", "warn", "busy", "none", "idle", "ok").index(_level(cloud)))
    for number, cloud in enumerate(known):
        pieces = _cloud(block, cloud)
        rest = len(known) - number
        if cells(line) + cells(pieces) + (len(f" +{rest - 1} more") if rest > 1 else 0) > room and number:
            block.spot("more clouds", page, [("the other clouds", "text")])
            line.append(Piece(f" +{rest} more", "muted", "more clouds"))
            break
        line += pieces
    if not known:
        line.append(Piece(" none is watched yet" if world.clouds_known else " …", "muted"))
    block.lines.append(line)
    return block


def _level(cloud: Mapping[str, Any]) -> str:
    return level(cloud.get("state") or "unknown", ("unreachable", "refused", "failed", "error"))


def _cloud(block: Block, cloud: Mapping[str, Any]) -> Line:
    name, state, found = clean(cloud.get("name") or "?"), clean(cloud.get("state") or "unknown"), _level(cloud)
    seconds = cloud.get("age_seconds")
    old = age(seconds) if isinstance(seconds, int | float) else "no data"
    about = [(name, "strong"), (f"  {state.replace('_', ' ')}, its data is {old} old", found)]
    key = block.spot(
        f"cloud {name}",
        View("clouds", cursor=(str(cloud.get("name")),)),
        about,
        [(clean(cloud.get("reason") or "nothing is wrong with it"), "text")],
    )
    words = name if width(name) <= 16 else fit(name, 16).rstrip()
    line: Line = [Piece(f" {GLYPHS[found]} ", found, key), Piece(words, "text", key)]
    if state != "ok":
        line.append(Piece(f" {state.replace('_', ' ')}", found, key))
    return [*line, Piece(f" {old} ", "muted", key)]
