"""The busiest hosts, on large screens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.board.capacity import LEVEL_OF
from tui.board.figures import unknown
from tui.board.links import view_of
from tui.board.pieces import Block, Line, Piece
from tui.charts.bars import bar, number
from tui.charts.bars import level as full
from tui.panes.pane import Parts
from tui.state import View
from tui.table.cells import clean, fit

Answer = Mapping[str, Any]


def hosts(facts: Answer, faults: Mapping[str, str], room: int, clouds: tuple[str, ...], rows: int) -> Block:
    """The busiest first, with the source of the numbers."""
    block = Block([Piece(" busiest hosts", "strong")])
    answer = facts.get("hosts")
    if answer is None:
        unknown(block, "hosts", faults)
        return block
    source = clean((answer.get("metrics") or {}).get("source") or "allocation")
    block.title.append(Piece(f" by {source}", "muted"))
    for number_, host in enumerate((answer.get("hosts") or ())[:rows]):
        block.lines.append(_line(block, number_, host, room, measured=source != "allocation"))
    if not block.lines:
        block.add(Piece(" no host can be seen with this account", "muted"))
    return block


def _line(block: Block, place: int, host: Answer, room: int, *, measured: bool) -> Line:
    cpu, memory = host.get("cpu_percent"), host.get("memory_percent")
    level = LEVEL_OF.get(str(host.get("status")), "none")
    first: Parts = [(clean(host.get("hostname") or ""), "strong"), (f"  {clean(host.get('state') or '')}", "text"),
                    (f"  {int(host.get('vm_count') or 0):,} machines", "text")]  # fmt: skip
    second: Parts = [
        (f"CPU {number(cpu, 1)}, RAM {number(memory, 1)}", level),
        (f"; promised: CPU {number(host.get('allocated_cpu_percent'), 1)}", "muted"),
        (f", RAM {number(host.get('allocated_memory_percent'), 1)}", "muted"),
    ]
    subject = tuple(str(host.get(name) or "") for name in ("cloud", "region", "host_id"))
    view = View("detail", "hypervisor", subject=subject) if subject[2] else view_of(_behind(host))
    key = block.spot(f"host {place}", view, first, second)
    bars = max(4, min(12, (room - 48) // 2))
    return [
        Piece(" ", "text", key),
        Piece(fit(clean(host.get("hostname") or "?"), 18), "text", key),
        # More virtual than real CPUs are promised on purpose: only a measured load can be too much.
        Piece(f" CPU {bar(cpu, bars)} {number(cpu):>4}", full(cpu) if measured else "text", key),
        Piece(f" RAM {bar(memory, bars)} {number(memory):>4}", full(memory), key),
        Piece(f" {int(host.get('vm_count') or 0):>4,} VMs", "muted", key),
    ]


def _behind(host: Answer) -> Any:
    return next(iter((host.get("behind") or {}).values()), None)
