"""Capacity on the dashboard: vCPU, RAM and disk of the estate, how they grow, and when they are full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tui.board.figures import unknown
from tui.board.pieces import Block, Line, Piece
from tui.charts.bars import bar, level, number
from tui.charts.sparklines import since_known, sparkline
from tui.panes.pane import Parts
from tui.state import View
from tui.table.cells import clean, fit
from tui.table.format import size

Answer = Mapping[str, Any]
Facts = Mapping[str, Any]
_NAMES = {"vcpu": "vCPU", "ram": "RAM", "storage": "disk"}
_SORTS = {"vcpu": "vcpus_used", "ram": "memory_mb_used"}
LEVEL_OF = {"ok": "ok", "warning": "warn", "critical": "bad"}


def capacity(facts: Facts, faults: Mapping[str, str], room: int, clouds: tuple[str, ...]) -> Block:
    """vCPU, RAM and disk of the estate: bar, course, and when 90 % is reached; where utilisation comes from."""
    block = Block([Piece(" capacity", "strong")])
    answer = facts.get("pressure")
    if answer is None:
        unknown(block, "pressure", faults)
        return block
    for found in answer.get("estate") or ():
        block.lines.append(_pressed(block, found, room, clouds))
    _hosts(block, facts, room, clouds)
    return block


def _pressed(block: Block, found: Answer, room: int, clouds: tuple[str, ...]) -> Line:
    resource = str(found.get("resource"))
    name, percent = _NAMES.get(resource, clean(resource)), found.get("used_percent")
    forecast = found.get("forecast") or {}
    over = overcommit(found)
    words, due = (over, "muted") if over else (reach_words(forecast, 90, room >= 60), reach_style(forecast, 90))
    style = LEVEL_OF.get(str(found.get("status")), "none") if percent is not None else "none"
    series = since_known(found.get("series") or ())
    view = (
        View("list", "storage_pool", clouds=clouds)
        if resource == "storage"
        else View("list", "hypervisor", sort=((_SORTS.get(resource, "name"), True),), clouds=clouds)
    )
    key = block.spot(f"capacity {resource}", view, *capacity_about(name, found))
    left = room - 1 - 4 - 1 - 1 - 4 - 1 - len(words)
    bar_cells = max(4, min(10, left - 7))
    line = [
        Piece(f" {fit(name, 4)} ", "text", key),
        Piece(bar(percent, bar_cells), style, key),
        Piece(f" {fit(number(percent), 4, right=True)}", "strong" if style in ("warn", "bad") else "text", key),
    ]
    course = sparkline(series, max(0, min(30, left - bar_cells - 1)))
    if len(course) > 2:
        line.append(Piece(f" {course}", "muted", key))
    line.append(Piece(f" {words}", due, key))
    return line


def overcommit(found: Answer) -> str:
    """1.7 per CPU: more virtual than real CPUs are promised on purpose, so that is no alarm; "" otherwise."""
    percent = found.get("used_percent")
    return f"{percent / 100:.1f} per CPU" if found.get("resource") == "vcpu" and percent and percent > 100 else ""


def capacity_about(name: str, found: Answer) -> list[Parts]:
    """What is used of what, and how fast it grows."""
    forecast, unit = found.get("forecast") or {}, str(found.get("unit") or "")
    used, total = (_amount(found.get(which), unit) for which in ("used", "total"))
    first: Parts = [(name, "strong"), (f"  {used} of {total} promised to machines", "text")]
    if name == "disk":
        first = [(name, "strong"), (f"  {used} of {total} used of all storage pools", "text")]
    second: Parts = [("growth ", "muted"), (growth_words(forecast), "text")]
    third: Parts = []
    for mark in (80, 90, 100):
        third += [(f"{mark} % ", "muted"), (long_reach(forecast, mark) + "   ", "text")]
    return [first, second, third]


def growth_words(forecast: Answer) -> str:
    """0.4 points a day (0.3 to 0.5, 80 % sure) over 30 days; or why there is none."""
    if forecast.get("per_day") is None:
        return clean(forecast.get("reason") or "not enough data")
    interval = ""
    if forecast.get("low") is not None and forecast.get("high") is not None:
        interval = f" ({forecast['low']:+.2f} to {forecast['high']:+.2f}, 80 % sure)"
    return f"{forecast['per_day']:+.2f} points a day{interval} over {forecast.get('points') or 0} days"


def _reach(forecast: Answer, mark: int) -> Answer:
    return next((one for one in forecast.get("reaches") or () if one.get("level") == mark), {})


def reach_words(forecast: Answer, mark: int, interval: bool = False) -> str:
    """90% in 41d; 90% in 41d (33d to 62d); 90% now; not enough data; no growth."""
    found = _reach(forecast, mark)
    days = found.get("days")
    if days is not None:
        words = long_reach(forecast, mark) if interval else f"in {_days(days)}"
        return f"{mark}% now" if days <= 0 else f"{mark}% {words}"
    reason = str(found.get("reason") or forecast.get("reason") or "not enough data")
    if "not enough data" in reason:
        return "not enough data"
    return "no growth" if "grow" in reason else f"{mark}% not near"


def long_reach(forecast: Answer, mark: int) -> str:
    """in 41d (35d to 60d); in 41d (35d to never); reached; not enough data: 3 of 7 days."""
    found = _reach(forecast, mark)
    days = found.get("days")
    if days is None:
        reason = clean(found.get("reason") or forecast.get("reason") or "not enough data")
        soon = found.get("soonest")
        return reason + (f", {_days(soon)} at the soonest" if soon is not None else "")
    if days <= 0:
        return "reached"
    soonest, latest = found.get("soonest"), found.get("latest")
    if soonest is None and latest is None:
        return f"in {_days(days)}"
    return f"in {_days(days)} ({'?' if soonest is None else _days(soonest)} to {_days(latest)})"


def reach_style(forecast: Answer, mark: int) -> str:
    """Red within a week, yellow within a month."""
    days = _reach(forecast, mark).get("days")
    return "muted" if days is None else "bad" if days <= 7 else "warn" if days <= 30 else "text"


def _days(days: float | None) -> str:
    if days is None:
        return "never"
    return f"{days:.0f}d" if days < 730 else f"{days / 365:.0f}y"


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "?"
    exponents = {"MB": 2, "MiB": 2, "GB": 3, "GiB": 3}
    return size(value, exponents[unit]) if unit in exponents else f"{value:,.0f}{' ' + clean(unit) if unit else ''}"


def _hosts(block: Block, facts: Facts, room: int, clouds: tuple[str, ...]) -> None:
    """Mean use of the hosts, and of what kind that number is."""
    summary = facts.get("summary")
    if summary is None:
        return
    metrics = summary.get("metrics") or {}
    source = {"prometheus": "prometheus", "nova": "nova diagnostics"}.get(str(metrics.get("source")), "allocation")
    cpu, memory = summary.get("avg_cpu_utilization"), summary.get("avg_memory_utilization")
    about: Parts = [("mean of the hosts, by ", "text"), (source, "strong")]
    known, total = metrics.get("known"), metrics.get("total")
    if known is not None and total is not None:
        about.append((f"; {known:,} of {total:,} hosts have a value", "muted"))
    key = block.spot(
        "hosts use",
        View("list", "hypervisor", sort=(("vcpus_used", True),), clouds=clouds),
        about,
        [(clean(metrics.get("sentence") or ""), "text")],
    )
    block.add(
        Piece(" hosts ", "text", key),
        Piece(f"CPU {number(cpu)}", "text" if source == "allocation" else level(cpu), key),
        Piece(f" RAM {number(memory)}", level(memory), key),
        Piece(f" by {source}", "muted", key),
    )
