"""Blocks of the page of one tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tui.board.figures import unknown
from tui.board.links import view_of
from tui.board.pieces import Block, Piece
from tui.board.tenants import BANDS, name_of
from tui.charts.bars import bar, level
from tui.charts.heat import shade, style
from tui.charts.sparklines import arrow, columns, since_known, sparkline
from tui.panes.pane import Parts
from tui.state import View
from tui.table.cells import clean, fit
from tui.table.format import GLYPHS, age_text, size

Answer = Mapping[str, Any]
Faults = Mapping[str, str]
# Part of the answer -> what is counted there: (name on screen, field of `resources`, key of `behind`).
_STATES = {
    "servers": (("servers", "total"), ("running", "active"), ("shut off", "shutoff"), ("in error", "error"),
                ("other", "other")),
    "volumes": (("volumes", "total"), ("in use", "in_use"), ("available", "available"), ("in error", "error")),
    "snapshots": (("snapshots", "total"), ("in error", "error")),
    "networks": (("networks", "total"),),
    "floating_ips": (("floating IPs", "total"),),
}  # fmt: skip


def score(facts: Answer, faults: Faults, room: int, cloud: str) -> Block:
    """Score and band, then every deduction with its reason; each opens what it counted."""
    block = Block()
    found = facts.get("detail")
    if found is None:
        unknown(block, "detail", faults)
        return block
    band = BANDS.get(str(found.get("health_status")), "none")
    value = int(found.get("health_score") or 0)
    project = View("detail", "project", subject=(cloud, "", str(found.get("project_id") or "")))
    key = block.spot("score", project, [(name_of(found), "strong"), (" as a project: enter opens it", "muted")])
    block.title = [
        Piece(f" {name_of(found)} ", "strong", key),
        Piece(f"{GLYPHS[band]} {value} of 100 {clean(found.get('health_status') or '')}  ", band, key),
        Piece(bar(value, 20 if room >= 60 else 6), band, key),
    ]
    use = found.get("utilization_score")
    if use is not None and room >= 60:
        block.title.append(Piece(f"  use {shade(use)} {use:.0f}%", style(use)))
    for number, taken in enumerate(found.get("deductions") or ()):
        about: Parts = [(clean(taken.get("reason") or ""), "text"), (": enter lists them", "muted")]
        spot = block.spot(f"deduction {number}", view_of(taken.get("behind")), about)
        block.add(
            Piece(f" {-float(taken.get('points') or 0):>+6g} ", "bad", spot),
            Piece(clean(taken.get("reason") or ""), "text", spot),
        )
    if not block.lines:
        block.add(Piece(f" {GLYPHS['ok']} nothing to take points for", "ok"))
    policy = found.get("policy") or {}
    if policy.get("state") and policy["state"] != "judged":
        block.add(Piece(f" snapshots are not judged: {clean(policy['state'])}", "muted"))
    return block


def states(facts: Answer, faults: Faults, room: int, asked: bool) -> Block:
    """What it has, by state."""
    block = Block([Piece(" has", "strong")])
    found = facts.get("detail")
    if found is None:
        unknown(block, "detail", {})
        return block
    behind = found.get("behind") or {}
    for part, names in _STATES.items():
        counted = (found.get("resources") or {}).get(part) or {}
        for name, field in names:
            count = int(counted.get(field) or 0)
            whole = field == "total"
            if not count and not whole:
                continue
            key = block.spot(f"{part} {field}", view_of(behind.get(f"{field}_{part}")), [(f"{count:,} {name}", "text")])
            bad = "bad" if field == "error" else "strong" if whole else "text"
            lead = "" if whole else "  "
            block.add(Piece(f" {fit(lead + name, 13)}", "text", key), Piece(f"{count:>7,}", bad, key))
    return block


def trend(facts: Answer, faults: Faults, room: int, asked: bool) -> Block:
    """Score, policy and drift of the last days, oldest on the left."""
    block = Block([Piece(" 30 days", "strong")])
    answer = facts.get("trends")
    if answer is None:
        unknown(block, "trends", faults)
        return block
    days = list(reversed(answer.get("trends") or ()))
    scores = since_known([day.get("health_score") for day in days])
    width = max(4, min(30, room - 8))
    drawn = columns(scores, width, 3, 0, 100)
    marks = ("100", "   ", "  0")
    for mark, line in zip(marks, drawn, strict=False):
        block.add(Piece(f" {mark} ", "muted"), Piece(line, "accent"))
    if not drawn:
        block.add(Piece(" no day is known yet", "muted"))
    known = [value for value in scores if value is not None]
    if known:
        block.add(Piece(f" score {known[0]} {arrow(scores)} {known[-1]}", "text"))
    for name, field, low, high in (("drift", "drift_events", 0.0, None), ("policy", "compliance_pct", 0.0, 100.0)):
        values = since_known([day.get(field) for day in days])
        course = sparkline(values, max(4, width - 4), low, high)
        if course and any(values):
            block.add(Piece(f" {fit(name, 7)}", "muted"), Piece(course, "text"))
    made = [int(day.get("snapshots_created") or 0) for day in days]
    block.add(Piece(f" {sum(made):,} snapshots made", "muted"))
    return block


def quota(facts: Answer, faults: Faults, room: int, asked: bool) -> Block:
    """Live quota, when it was asked for."""
    block = Block([Piece(" quota", "strong"), Piece(" live", "muted")])
    answer = facts.get("quota")
    if not asked:
        block.add(Piece(" u", "key"), Piece(" asks the cloud", "muted"))
        return block
    if answer is None:
        unknown(block, "quota", faults)
        return block
    if not answer.get("available"):
        block.add(Piece(f" not known: {clean(answer.get('reason') or 'the cloud does not say')}", "warn"))
        return block
    found = {
        name: one
        for part in ("compute", "storage")
        for name, one in (answer.get(part) or {}).items()
        if isinstance(one, Mapping)
    }
    longest = max((len(_quota_words(name, one)) for name, one in found.items()), default=0)
    for name, one in found.items():
        block.lines.append(_quota(name, one, max(4, min(10, room - 11 - longest))))
    return block


_QUOTA_NAMES = {"ram_mb": "RAM", "gigabytes": "disk"}
_UNITS = {"ram_mb": 2, "gigabytes": 3}


def _quota_words(name: str, found: Answer) -> str:
    limit, used = found.get("limit"), float(found.get("in_use") or 0) + float(found.get("reserved") or 0)
    if not isinstance(limit, int | float) or limit < 0:
        return f" {_amount(name, used)}, no limit"
    return f" {_amount(name, used)}/{_amount(name, limit)}"


def _quota(name: str, found: Answer, cells: int) -> list[Piece]:
    limit, used = found.get("limit"), float(found.get("in_use") or 0) + float(found.get("reserved") or 0)
    title, words = fit(_QUOTA_NAMES.get(name, clean(name)), 9), _quota_words(name, found)
    if not isinstance(limit, int | float) or limit < 0:
        return [Piece(f" {title}", "text"), Piece(words, "muted")]
    percent = 100.0 * used / limit if limit else 100.0
    bad = level(percent, 75, 90)
    return [Piece(f" {title} ", "text"), Piece(bar(percent, cells), bad), Piece(words, bad if bad != "ok" else "text")]


def _amount(name: str, value: float) -> str:
    return size(value, _UNITS[name]) if name in _UNITS else f"{value:,.0f}"


def drift(facts: Answer, room: int, rows: int) -> Block:
    """The newest events."""
    events: Sequence[Answer] = (facts.get("detail") or {}).get("recent_drift_events") or ()
    block = Block([Piece(" drift of the last 30 days", "strong")])
    now = datetime.now(UTC)
    for event in events[:rows]:
        name = clean(event.get("resource_name") or event.get("resource_id") or "")
        change = f"{clean(event.get('old_value') or 'none')} → {clean(event.get('new_value') or 'none')}"
        bad = {"critical": "bad", "warning": "warn"}.get(str(event.get("severity")), "idle")
        about: Parts = [(name, "strong"), (f"  {clean(event.get('field_name') or '')} {change}", "text")]
        key = block.spot(f"event {event.get('id')}", View("drift_event", subject=(str(event.get("id")),)), about)
        block.add(
            Piece(f" {GLYPHS[bad]} ", bad, key),
            Piece(fit(age_text(str(event.get("detected_at") or ""), now), 5), "muted", key),
            Piece(fit(f"{clean(event.get('resource_type') or '').replace('_', ' ')} {name}", 34), "text", key),
            Piece(f" {clean(event.get('field_name') or '')} {change}", "text", key),
        )
    return block


def volumes(facts: Answer, room: int, cloud: str, rows: int) -> Block:
    """The largest ones."""
    found: Sequence[Answer] = (facts.get("detail") or {}).get("top_volumes") or ()
    block = Block([Piece(" largest volumes", "strong")])
    for volume in found[:rows]:
        subject = (cloud, str(volume.get("region") or ""), str(volume.get("volume_id") or ""))
        name = clean(volume.get("volume_name") or volume.get("volume_id") or "")
        key = block.spot(f"volume {subject[2]}", View("detail", "volume", subject=subject), [(name, "strong")])
        attached = f" on {clean(volume['attached_to'])}" if volume.get("attached_to") else ""
        gigabytes = volume.get("size_gb")
        amount = "?" if gigabytes is None else size(gigabytes, 3)
        block.add(
            Piece(f" {amount:>6} ", "text", key),
            Piece(fit(name, 34), "text", key),
            Piece(f" {clean(volume.get('status') or '')}{attached}", "muted", key),
        )
    return block
