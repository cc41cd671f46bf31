"""Blocks of numbers on the dashboard: drift, protection, and how many there are of what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.board.links import view_of
from tui.board.pieces import Block, Line, Piece, cells
from tui.charts.bars import number
from tui.charts.sparklines import arrow, since_known, sparkline
from tui.panes.pane import Parts
from tui.state import View
from tui.table.cells import clean, fit
from tui.table.format import GLYPHS

Answer = Mapping[str, Any]
Facts = Mapping[str, Any]


def unknown(block: Block, name: str, faults: Mapping[str, str]) -> None:
    """One line instead of numbers that are not there: still read, or why not."""
    fault = faults.get(name)
    words, style = (f" not known: {clean(fault)}", "warn") if fault else (" …", "muted")
    if fault:
        block.spot(f"{name} fault", None, [("not known: ", "warn"), (clean(fault), "text")])
    block.add(Piece(words, style, f"{name} fault" if fault else ""))


# Drift


def drift(facts: Facts, faults: Mapping[str, str], room: int, clouds: tuple[str, ...]) -> Block:
    """What is to be looked at, by severity; the events of the last days as a line."""
    block = Block([Piece(" drift", "strong")])
    answer = facts.get("drift")
    if answer is None:
        unknown(block, "drift", faults)
        return block
    triage = answer.get("triage") or {}
    for name, style in (("critical", "bad"), ("warning", "warn"), ("info", "text")):
        count = int(triage.get(name) or 0)
        view = View("drift", filter=f"severity:={name}", clouds=clouds)
        about: Parts = [
            (f"{count:,} {name}", "strong"),
            (" drift events to be looked at: open, or gone unseen", "text"),
        ]
        key = block.spot(f"drift {name}", view, about)
        shown = style if count else "muted"
        block.add(Piece(f" {fit(name, 9)}", "text", key), Piece(f"{count:>6,}", shown, key))
    flapping = int(answer.get("flapping") or 0)
    days = (facts.get("drift days") or {}).get("days") or ()
    course = sparkline([day.get("total") for day in days], min(14, max(0, room - 11)), low=0)
    about = [(f"{flapping:,} go back and forth", "text")]
    if days:
        opened = sum(int(day.get("total") or 0) for day in days)
        about.append((f"; opened in the last {len(days)} days: {opened:,}", "muted"))
    key = block.spot("drift days", View("drift", clouds=clouds), about)
    if course:
        block.add(Piece(f" {len(days)} days  ", "muted", key), Piece(course, "accent", key))
    elif flapping:
        block.add(Piece(f" {fit('flapping', 9)}", "text", key), Piece(f"{flapping:>6,}", "warn", key))
    else:
        block.spots.pop(key)
    return block


# Protection


def protection(facts: Facts, faults: Mapping[str, str], room: int, clouds: tuple[str, ...]) -> Block:
    """How many volumes are protected, by what, and whether policies are kept."""
    block = Block([Piece(" protection", "strong")])
    answer = facts.get("coverage")
    if answer is None:
        unknown(block, "coverage", faults)
        return block
    behind, total = answer.get("behind") or {}, int(answer.get("total_volumes") or 0)
    bare, stale = int(answer.get("total_at_risk") or 0), int(answer.get("stale") or 0)
    covered = None if answer.get("risk_percentage") is None else 100 - answer["risk_percentage"]
    about: Parts = [(f"{total - bare:,} of {total:,} volumes have a snapshot or a backup", "text")]
    key = block.spot("covered", view_of(behind.get("total_volumes"), clouds), about)
    style = "muted" if covered is None else "ok" if covered >= 90 else "warn" if covered >= 50 else "bad"
    _row(block, room, "covered", number(covered, 1) if total else "no volumes", style, key)
    words: Parts = [(f"{bare:,} volumes without snapshot and backup", "strong"), (": lost if they break", "text")]
    key = block.spot("unprotected", view_of(behind.get("total_at_risk"), clouds), words)
    _row(block, room, "unprotected", f"{bare:,}", "warn" if bare else "muted", key)
    days = answer.get("stale_days") or 7
    words = [(f"{stale:,} volumes are protected, but not within {days} days", "text")]
    key = block.spot("stale", view_of(behind.get("stale"), clouds), words)
    _row(block, room, f"older {days}d", f"{stale:,}", "warn" if stale else "muted", key)
    _kept(block, facts, room, clouds)
    return block


def _kept(block: Block, facts: Facts, room: int, clouds: tuple[str, ...]) -> None:
    answer = facts.get("compliance")
    if answer is None:
        return
    days = answer.get("drift_events") or ()
    current = answer.get("current_compliance")
    about: Parts = [(clean(answer.get("policy") or ""), "text")]
    behind = (days[-1].get("behind") or {}) if days else {}
    view = view_of(behind.get("violations") or next(iter(behind.values()), None), clouds)
    key = block.spot("policy", view, about, [(f"{clean(answer.get('trend') or '')} over {len(days)} days", "muted")])
    if current is None:
        _row(block, room, "policy", "none", "muted", key)
        return
    left = min(14, room - 20)
    known = since_known([day.get("compliance_percent") for day in days])
    course = sparkline(known, left, 0, 100) if left >= 4 and len(known) > 2 else ""
    style = "ok" if current >= 99.95 else "warn" if current >= 80 else "bad"
    _row(block, room, "policy kept", number(current, 1), style, key, course)


def _row(block: Block, room: int, name: str, value: str, style: str, key: str, course: str = "") -> None:
    line = [Piece(f" {fit(name, 11)}", "text", key), Piece(f" {value:>6}", style, key)]
    if course:
        line.append(Piece(f" {course}", "muted", key))
    block.lines.append(line)


# How many there are of what

_COUNTS = (
    ("vms", "servers", "total_vms"), ("", "running", "vms_running"), ("", "in error", "vms_error"),
    ("volumes", "volumes", "total_volumes"), ("snapshots", "snapshots", "total_snapshots"),
    ("networks", "networks", "total_networks"), ("", "hosts", "total_hosts"), ("", "tenants", "total_tenants"),
)  # fmt: skip


def counts(facts: Facts, faults: Mapping[str, str], room: int, clouds: tuple[str, ...], rows: int = 2) -> Block:
    """Numbers of the estate, each with the course of the last 30 days, over as many lines as they need."""
    block = Block([Piece(" estate", "strong")])
    summary = facts.get("summary")
    if summary is None:
        unknown(block, "summary", faults)
        return block
    lines = (facts.get("lines") or {}).get("metrics") or {}
    behind = summary.get("behind") or {}
    current: Line = []
    for metric, name, field in _COUNTS:
        value = summary.get(field)
        if value is None or (field == "vms_error" and not value):
            continue
        view = view_of(behind.get(field), clouds)
        pieces = _count(block, name, field, int(value), lines.get(metric) or {}, view, room)
        if current and cells(current) + cells(pieces) > room:
            block.lines.append(current)
            current = []
            if len(block.lines) == rows:
                return block
        current += pieces
    block.lines.append(current)
    return block


def _count(block: Block, name: str, field: str, value: int, line: Answer, view: View | None, room: int) -> Line:
    series = since_known(line.get("series") or ())
    about: Parts = [(f"{value:,} {name}", "strong")]
    if line.get("change") is not None:
        about.append((f"  {line['change']:+,} in 30 days, {line.get('velocity_per_day') or 0:+.1f} a day", "text"))
    elif line.get("since"):
        about.append((f"  known since {clean(line['since'])[:10]}", "muted"))
    key = block.spot(f"count {field}", view, about)
    style = "bad" if field == "vms_error" else "strong"
    glyph = f"{GLYPHS['bad']} " if field == "vms_error" else ""
    pieces = [Piece(f" {glyph}{value:,}", style, key), Piece(f" {name}", "muted", key)]
    course = sparkline(series, 8 if room < 110 else 14)
    if len(course) > 2 and room >= 60:
        pieces.append(Piece(f" {course}{arrow(series)}", "accent", key))
    return [*pieces, Piece(" ", "text")]
