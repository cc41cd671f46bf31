"""Tenants on the dashboard: how many are healthy, the worst by name with why, and where they use what they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui.board.figures import unknown
from tui.board.pieces import Block, Line, Piece, cells
from tui.charts.heat import shade, style
from tui.panes.pane import Parts
from tui.state import View
from tui.table.cells import clean, cut_end, fit
from tui.table.format import GLYPHS

Answer = Mapping[str, Any]
BANDS: Mapping[str, str] = {"critical": "bad", "warning": "warn", "healthy": "ok"}
HEAT_CELL = 18


def tenants(facts: Answer, faults: Mapping[str, str], room: int, clouds: tuple[str, ...], rows: int) -> Block:
    """The worst of them over `rows` lines; with many lines one a line, with its reasons."""
    every = View("health", clouds=clouds)
    block = Block()
    about = ([("every tenant with its score, and what it lost points for", "text")],)
    block.title = [Piece(" tenants", "strong", block.spot("tenants", every, *about))]
    answer = facts.get("tenants")
    if answer is None:
        unknown(block, "tenants", faults)
        return block
    _bands(block, answer.get("summary") or {}, every)
    found = worst_first(answer.get("tenants") or ())
    if not found:
        block.add(Piece(" no tenants are known", "muted"))
    elif rows >= 5:
        for number, tenant in enumerate(found[:rows]):
            block.lines.append(_line(block, number, tenant, room))
    else:
        _in_a_row(block, found, room, rows, every)
    return block


def worst_first(found: Sequence[Answer]) -> list[Answer]:
    """The lowest score first; of the same score the one with more servers."""
    return sorted(found, key=lambda t: (_score(t), -int(t.get("total_servers") or 0), str(t.get("project_name") or "")))


def _score(tenant: Answer) -> int:
    return int(tenant.get("health_score") or 0)


def _bands(block: Block, summary: Answer, every: View) -> None:
    for band, level in BANDS.items():
        count = int(summary.get("healthy" if band == "healthy" else band) or 0)
        if not count:
            continue
        view = View("health", filter=f"band:={band}", clouds=every.clouds)
        key = block.spot(
            f"tenants {band}", view, [(f"{count:,} tenants are {band}", "text"), (_MEANING[band], "muted")]
        )
        block.title.append(Piece(f" {GLYPHS[level]} {count:,} {band}", level, key))
    if summary.get("avg_health_score") is not None:
        block.title.append(Piece(f"  mean {summary['avg_health_score']:.0f}", "muted"))


_MEANING = {"critical": ": below 50 of 100", "warning": ": 50 to 79 of 100", "healthy": ": 80 of 100 or more"}


def view_of_tenant(tenant: Answer) -> View:
    """The page of one tenant."""
    return View("tenant", subject=(str(tenant.get("cloud") or ""), str(tenant.get("project_id") or "")))


def reasons(tenant: Answer) -> str:
    """What it lost points for, the most first: -20 2 servers in ERROR (10 each), ..."""
    taken = sorted(tenant.get("deductions") or (), key=lambda one: -float(one.get("points") or 0))
    return ", ".join(f"-{float(one.get('points') or 0):g} {clean(one.get('reason') or '')}" for one in taken)


def name_of(tenant: Answer) -> str:
    """As people call it; its id where it has no name."""
    return clean(tenant.get("project_name") or tenant.get("project_id") or "?")


def about(tenant: Answer) -> list[Parts]:
    """Name and score, reasons, and what it has."""
    level = BANDS.get(str(tenant.get("health_status")), "none")
    first: Parts = [
        (name_of(tenant), "strong"),
        (f"  {_score(tenant)} of 100, {clean(tenant.get('health_status') or '')}", level),
        (f"  {clean(tenant.get('domain_name') or '')} @{clean(tenant.get('cloud') or '')}", "muted"),
    ]
    second: Parts = [(reasons(tenant) or "nothing to take points for", "text")]
    third: Parts = [
        (f"{int(tenant.get('total_servers') or 0):,} servers, {int(tenant.get('active_servers') or 0):,} run", "text"),
        (
            f"  {int(tenant.get('total_volumes') or 0):,} volumes, {int(tenant.get('in_use_volumes') or 0):,} in use",
            "text",
        ),
    ]
    if tenant.get("utilization_score") is not None:
        third.append((f"  use {tenant['utilization_score']:.0f} %", "muted"))
    return [first, second, third]


def _in_a_row(block: Block, found: Sequence[Answer], room: int, rows: int, every: View) -> None:
    line: Line = []
    for number, tenant in enumerate(found):
        level = BANDS.get(str(tenant.get("health_status")), "none")
        key = f"tenant {number}"
        pieces = [
            Piece(f" {GLYPHS[level]} ", level, key),
            Piece(cut_end(name_of(tenant), 20), "text", key),
            Piece(f" {_score(tenant)} ", level if level != "ok" else "muted", key),
        ]
        last = len(block.lines) + 1 >= rows
        rest = len(found) - number
        more = len(f" … {rest:,} more") if last and rest > 1 else 0
        if line and cells(line) + cells(pieces) + more > room:
            if last:
                block.spot("more tenants", every, [("the other tenants", "text")])
                line.append(Piece(f" … {rest:,} more", "muted", "more tenants"))
                break
            block.lines.append(line)
            line = []
        block.spot(key, view_of_tenant(tenant), *about(tenant))
        line += pieces
    block.lines.append(line)


def _line(block: Block, number: int, tenant: Answer, room: int) -> Line:
    level = BANDS.get(str(tenant.get("health_status")), "none")
    key = block.spot(f"tenant {number}", view_of_tenant(tenant), *about(tenant))
    return [
        Piece(f" {GLYPHS[level]} ", level, key),
        Piece(fit(name_of(tenant), 18 if room < 90 else 26), "text", key),
        Piece(f" {_score(tenant):>3}  ", level, key),
        Piece(reasons(tenant) or "nothing to take points for", "muted", key),
    ]


def heatmap(facts: Answer, room: int, clouds: tuple[str, ...], rows: int, fault: str = "") -> Block:
    """Use of what tenants have, a cell for each, the largest first: 60 % servers that run, 40 % volumes in use."""
    block = Block()
    about = ([("use of what tenants have: 60 % the share of servers that run, 40 % of volumes in use", "text")],)
    key = block.spot("heatmap", View("health", clouds=clouds), *about)
    block.title = [Piece(" use by tenant", "strong", key), Piece(" 60% running servers, 40% volumes in use", "muted")]
    answer = facts.get("tenants")
    if answer is None and fault:
        unknown(block, "tenants", {"tenants": fault})
        return block
    found = [t for t in (answer or {}).get("tenants") or () if t.get("utilization_score") is not None and _has_any(t)]
    found.sort(key=lambda t: (-int(t.get("total_servers") or 0), name_of(t)))
    if not found:
        block.add(Piece(" …" if answer is None else " no tenant has servers or volumes", "muted"))
        return block
    across = max(1, (room - 1) // HEAT_CELL)
    for start in range(0, min(len(found), rows * across), across):
        line: Line = []
        for number in range(start, min(start + across, len(found))):
            line += heat_cell(block, f"heat {number}", found[number])
        block.lines.append(line)
    return block


def heat_cell(block: Block, key: str, tenant: Answer) -> Sequence[Piece]:
    """Shade, name and percent, in HEAT_CELL cells."""
    use = float(tenant.get("utilization_score") or 0)
    block.spot(key, view_of_tenant(tenant), *about(tenant))
    return [
        Piece(f" {shade(use) * 2}", style(use), key),
        Piece(f" {fit(name_of(tenant), HEAT_CELL - 9)}", "text", key),
        Piece(f"{use:>4.0f}% ", "muted", key),
    ]


def _has_any(tenant: Answer) -> bool:
    return any(tenant.get(name) for name in ("total_servers", "total_volumes", "total_floating_ips"))
