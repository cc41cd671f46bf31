"""Blocks of the overview of snapshots: what is due, what runs, what is not kept, what covers the volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tui.board.figures import unknown
from tui.board.pieces import Block, Piece
from tui.charts.bars import bar, number
from tui.charts.sparklines import arrow, since_known, sparkline
from tui.panes.pane import Parts
from tui.snapshots import RUN_LEVELS, items_of, policies_of, run_words, status_word, when_words
from tui.state import View
from tui.table.cells import clean, cut_end, fit
from tui.table.format import GLYPHS, moment_of
from tui.times import age

Facts = Mapping[str, Any]
LATE = 3600  # seconds after which an occurrence that was not made is late


def standing(facts: Facts, keys: Any, clouds: tuple[str, ...]) -> Block:
    """Clouds in which policies may not run, in words, with the key that allows it. No line when all may."""
    block = Block()
    told = [item for item in items_of(facts.get("clouds")) if not clouds or item.get("cloud") in clouds]
    closed = [item for item in told if not item.get("enabled")] if items_of(facts.get("policies")) else []
    for item in closed:
        name = clean(item.get("cloud"))
        key = block.spot(
            f"standing {name}", None, [(f"{name} is not enabled for policy runs", "warn")],
            [("policies are decided on and shown, but nothing is made there until an administrator allows it", "text")],
            [(keys("enable_cloud"), "key"), (" allows it, with a reason; making and removing snapshots only", "muted")],
        )  # fmt: skip
        words = f" ▲ {name} is not enabled for policy runs: nothing is made there. "
        block.add(Piece(words, "warn", key), Piece(keys("enable_cloud"), "key", key), Piece(" allows it", "text", key))
    named = {str(item.get("cloud")) for item in closed}
    state = facts.get("state") or {}
    for title in ("problems", "idle"):
        for cloud, why in (state.get(title) or {}).items():
            if cloud not in named and (not clouds or cloud in clouds):
                key = block.spot(f"{title} {cloud}", View("runs"), [(f"{clean(cloud)}: {clean(why)}", "warn")])
                block.add(Piece(f" ▲ {clean(cloud)}: {clean(why)}", "warn", key))
    return block


def coming(facts: Facts, faults: Mapping[str, str], room: int, clouds: tuple[str, ...], rows: int) -> Block:
    """What is due next, what is late first."""
    block = Block([Piece(" due", "strong")])
    answer = facts.get("due")
    if answer is None:
        unknown(block, "due", faults)
        return block
    now = datetime.now(UTC)
    found = [item for item in items_of(answer) if not clouds or item.get("cloud") in clouds]
    late = [item for item in found if _late(item, now)]
    rest = [item for item in found if item not in late]
    for item in [*late, *rest][:rows]:
        _due_line(block, item, now, room, item in late)
    if not found:
        block.add(Piece(" nothing: no policy has a volume", "muted", block.spot("due none", View("policies"))))
    elif len(found) > rows and rows:
        block.lines[-1] = [
            Piece(f" … {len(found) - rows + 1:,} more", "muted", block.spot("due more", View("policies")))
        ]
    return block


def _late(item: Mapping[str, Any], now: datetime) -> float:
    """Seconds since the occurrence that should have been made; 0 when none is late."""
    at = moment_of(str(item.get("due_at") or ""))
    seconds = (now - at).total_seconds() if at is not None else 0.0
    return seconds if seconds > LATE else 0.0


def _due_line(block: Block, item: Mapping[str, Any], now: datetime, room: int, late: bool) -> None:
    name, cloud = clean(item.get("policy") or ""), clean(item.get("cloud") or "")
    due = moment_of(str(item.get("due_at") or ""))
    if late:
        words, style = f"LATE {age(_late(item, now))}", "bad"
    elif due is not None and due <= now:
        words, style = "due now", "warn"
    else:
        words, style = when_words(item.get("next_at"), now) or "never", "text"
    volumes = item.get("volumes")
    about: Parts = [(name, "strong"), (f" in {cloud}: {words}", style)]
    more: Parts = [(clean(item.get("words") or ""), "text")]
    if not item.get("enabled", True):
        words, style = "off", "muted"
    view = View("compliance", filter=f'policy:="{name}"')
    key = block.spot(f"due {cloud} {item.get('region') or ''} {name}", view, about, more)
    count = f"{volumes:,} vol" if isinstance(volumes, int) else ""
    left = max(6, room - 12 - len(count) - 2)
    block.add(
        Piece(f" {fit(words, 9)} ", style, key),
        Piece(fit(f"{name}  {cloud}", left), "text", key),
        Piece(f" {count}", "muted", key),
    )


def running(facts: Facts, faults: Mapping[str, str], room: int, rows: int) -> Block:
    """The run in flight with its bar, batches and estimate; under it the last ones."""
    block = Block([Piece(" runs", "strong", block_key := "runs")])
    block.spot(block_key, View("runs"), [("every run, what it made and what not", "text")])
    answer, past = facts.get("active"), facts.get("runs")
    if answer is None and past is None:
        unknown(block, "runs", faults)
        return block
    now = datetime.now(UTC)
    active = [run for run in _active(answer) if run]
    for item in active[: max(1, rows // 2)]:
        _active_lines(block, item, now, room)
    shown = {item.get("id") for item in active}
    for item in [one for one in items_of(past) if one.get("id") not in shown][: max(0, rows - len(block.lines))]:
        word = RUN_LEVELS.get(str(item.get("status")), "none")
        ended = when_words(item.get("finished_at") or item.get("started_at"), now)
        key = block.spot(f"run {item.get('id')}", View("run", subject=(str(item.get("id")),)), *_run_about(item))
        block.add(
            Piece(f" {GLYPHS[word]} {status_word(item.get('status'))}", word if word != "ok" else "text", key),
            Piece(cut_end(f" {policies_of(item)} {ended}", max(8, room - 16)), "muted", key),
        )
    if not block.lines:
        block.add(Piece(" none yet", "muted", block.spot("run none", View("runs"))))
    return block


def _active(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, dict):
        return []
    return [dict(run) for run in answer.get("runs") or [answer.get("run") or {}]]


def _active_lines(block: Block, item: Mapping[str, Any], now: datetime, room: int) -> None:
    percent = item.get("progress_pct")
    key = block.spot(f"run {item.get('id')}", View("run", subject=(str(item.get("id")),)), *_run_about(item))
    ends = when_words(item.get("estimated_finish_at"), now)
    block.add(
        Piece(f" ◐ {bar(percent, 8)} {number(percent):>4}", "busy", key),
        Piece(cut_end(f" {policies_of(item)}", max(4, room - 16)), "strong", key),
    )
    made, total = int(item.get("snapshots_created") or 0), int(item.get("total_volumes") or 0)
    batch = (
        f"batch {item.get('current_batch') or 0}/{item.get('total_batches')} · " if item.get("total_batches") else ""
    )
    line = f"   {batch}{made:,}/{total:,} made{' · done ' + ends if ends else ''}"
    block.add(Piece(cut_end(line, room), "text", key))


def _run_about(item: Mapping[str, Any]) -> list[Parts]:
    words = status_word(item.get("status"))
    first: Parts = [
        (f"run {item.get('id')} {words}", "strong"),
        (f"  {policies_of(item)} in {clean(item.get('cloud') or '')}", "text"),
    ]
    return [first, [(run_words(item), "text")], [(clean(item.get("detail") or ""), "muted")]]


def states(facts: Facts, faults: Mapping[str, str], clouds: tuple[str, ...]) -> Block:
    """How many volumes are missing a point, blocked, waiting, left out, or have no policy at all."""
    block = Block([Piece(" not kept", "strong")])
    answer = facts.get("summary")
    if answer is None:
        unknown(block, "summary", faults)
        return block
    counts = answer.get("counts") or {}
    lines = (
        ("missing", "bad", "no point within the policy's own window"),
        ("quota_blocked", "warn", "the project's quota has no room for the next point"),
        ("pending", "text", "no occurrence was due yet since the volume or the policy exists"),
        ("excluded", "muted", "somebody decided that no policy takes them"),
        ("none", "warn", "no policy takes them"),
    )
    for name, style, words in lines:
        count = counts.get(name)
        if not isinstance(count, int):
            continue
        title = "no policy" if name == "none" else status_word(name)
        about: Parts = [(f"{count:,} {title}", "strong"), (f": {words}", "text")]
        view = View("compliance", filter=f"status:={'no_policy' if name == 'none' else name}", clouds=clouds)
        key = block.spot(f"state {name}", view, about)
        block.add(Piece(f" {fit(title, 13)}", "text", key), Piece(f"{count:>7,}", style if count else "muted", key))
    failed = answer.get("failed")
    if isinstance(failed, int):
        key = block.spot(
            "state failed",
            View("runs", filter="status:=failed,partial"),
            [(f"{failed:,} failed in the last runs", "strong")],
        )
        block.add(
            Piece(f" {fit('failed', 13)}", "text", key), Piece(f"{failed:>7,}", "bad" if failed else "muted", key)
        )
    return block


def cover(facts: Facts, faults: Mapping[str, str], clouds: tuple[str, ...]) -> Block:
    """What volumes could be got back from: a backup, snapshots on the same back end only, nothing."""
    block = Block([Piece(" covered by", "strong")])
    answer = facts.get("summary")
    if answer is None:
        unknown(block, "summary", faults)
        return block
    found, total = answer.get("cover") or {}, int((answer.get("cover") or {}).get("total") or 0)
    lines = (
        ("backup", "a backup", "ok", "a copy elsewhere: it survives the storage of the volume"),
        ("same", "same back end", "text", "snapshots beside the volume alone: lost with its storage"),
        ("nothing", "nothing", "bad", "lost if the volume breaks"),
    )
    for name, title, style, words in lines:
        count = int(found.get(name) or 0)
        share = None if not total else 100 * count / total
        about: Parts = [(f"{count:,} of {total:,} volumes: {title}", "strong"), (f": {words}", "text")]
        key = block.spot(f"cover {name}", View("compliance", filter=f"cover:{name}", clouds=clouds), about)
        shown = style if count or name == "backup" else "muted"
        block.add(Piece(f" {fit(title, 14)}", "text", key), Piece(f"{count:>6,}", shown, key),
                  Piece(f" {number(share):>4}", "muted", key))  # fmt: skip
    return block


def kept(facts: Facts, faults: Mapping[str, str], room: int, clouds: tuple[str, ...], rows: int) -> Block:
    """Every policy: how much of it is kept as a bar, how that went, and how many volumes are missing a point."""
    block = Block([Piece(" kept, by policy", "strong")])
    answer = facts.get("summary")
    if answer is None:
        unknown(block, "summary", faults)
        return block
    found: Sequence[Mapping[str, Any]] = [one for one in answer.get("policies") or () if isinstance(one, Mapping)]
    found = sorted(found, key=_percent)
    for item in found[:rows]:
        _kept_line(block, item, room, clouds)
    if not found:
        block.add(Piece(" no policy has a volume yet", "muted", block.spot("kept none", View("policies"))))
    return block


def _percent(item: Mapping[str, Any]) -> float:
    value = item.get("percent")
    return float(value) if isinstance(value, int | float) else 101.0


def _kept_line(block: Block, item: Mapping[str, Any], room: int, clouds: tuple[str, ...]) -> None:
    name, percent = clean(item.get("policy") or ""), item.get("percent")
    trend = since_known(item.get("trend") or ())
    total, missing = int(item.get("total") or 0), int(item.get("missing") or 0)
    blocked = int(item.get("quota_blocked") or 0)
    style = "none" if percent is None else "ok" if percent >= 99.95 else "warn" if percent >= 80 else "bad"
    about: Parts = [(f"{name} is kept for {number(percent, 1)}", "strong"), (f" of {total:,} volumes", "text")]
    second: Parts = [
        (f"{missing:,} missing, {blocked:,} blocked by quota, {int(item.get('pending') or 0):,} pending", "text")
    ]
    if way := arrow(trend):
        second.append((f"  {way} over {len(trend)} days", "muted"))
    view = View("compliance", filter=f'policy:="{name}"', clouds=clouds)
    key = block.spot(f"kept {name}", view, about, second)
    cells = 8 if room < 48 else 10
    words = f" {missing:,} missing" if missing else f" {blocked:,} blocked" if blocked else ""
    left = room - 14 - cells - 8 - len(words)
    line = [
        Piece(f" {fit(name, 12)} ", "text", key),
        Piece(bar(percent, cells), style, key),
        Piece(f" {number(percent, 1):>6}", "strong" if style in ("warn", "bad") else "text", key),
    ]
    if (course := sparkline(trend, min(14, left - 1), 0, 100)) and left >= 5 and len(trend) > 2:
        line.append(Piece(f" {course}", "muted", key))
    if words:
        line.append(Piece(words, "bad" if missing else "warn", key))
    block.lines.append(line)


def lesson(keys: Any, presets: Sequence[tuple[str, str, int, str]]) -> Block:
    """What to do where no policy is yet: three keys to the first one."""
    block = Block([Piece(" no policy yet", "strong")])
    key = block.spot("lesson", View("policies"), [("enter shows the policies, where the first one is added", "text")])
    block.add(Piece(" No volume gets a snapshot by itself. Three keys make the first policy:", "text", key))
    block.add()
    block.add(Piece(f"   {keys('policies')}", "key"), Piece("  the policies   ", "text"),
              Piece(keys("add_policy"), "key"), Piece("  add one   ", "text"), Piece("d", "key"),
              Piece("  every night at 02:00, the last five kept", "text"))  # fmt: skip
    block.add()
    for name, words, keep, about in presets:
        block.add(Piece(f"   {fit(name, 14)}", "strong"), Piece(f"{fit(words, 18)}", "text"),
                  Piece(f"keeps {keep}   {about}", "muted"))  # fmt: skip
    block.add()
    block.add(Piece(" A preview says which volumes it takes and what that costs, before anything is made.", "muted"))
    return block
