"""What the lines around the table say: context on top, state under it, the strip about a row, the keys below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tui.actions import ACTIONS, Action, footer_actions, symbol
from tui.keymap import Keymap
from tui.panes.pane import Pane, Parts
from tui.panes.resources import progress_text
from tui.table.cells import clean, cut_middle, width
from tui.table.format import moment_of
from tui.table.picture import Picture
from tui.table.spec import Place, Row
from tui.targets import COUNTED, is_writable, left_words, writable_seconds
from tui.times import age
from tui.world import World

Line = tuple[Parts, Parts]
STALE_AFTER = 1800  # seconds after which the data's age is a warning
HELP = "   ? help "
WAIT_SHOWN = 1.0  # seconds after which a wait for the engine is said
_STATE_WORDS = {
    "suspect": "many rows vanished at once, nothing was deleted",
    "failed": "the last listing failed",
    "partial": "the last listing broke off",
    "not_permitted": "the account may not list these",
    "degraded": "a part of the cloud doesn't answer",
}

# State of a list -> the action that helps, and what it does.
_HELPS = {
    "suspect": ("decide", "decides"), "failed": ("refresh", "tries again"), "partial": ("refresh", "tries again"),
    "degraded": ("refresh", "tries again"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Data:
    """The newest window: how old its data was when it arrived (loop time), and what is wrong with it."""

    age_seconds: float | None
    arrived: float
    states: tuple[dict[str, Any], ...]


def context_line(pane: Pane, world: World, count: int | None, cells: int) -> Line:
    """Cloud, project and write state, always as words; what is shown and how many; the way to the help."""
    view = pane.view
    names = view.clouds or tuple(str(c.get("name")) for c in world.clouds)
    if not world.clouds_known:
        place = "connecting …"
    elif not names and world.demo:
        place = "demo"
    elif not names:
        place = "no cloud"
    else:
        place = names[0] if len(names) == 1 else f"all {len(names)} clouds"
    left: Parts = [(" " + cut_middle(clean(place), max(8, cells // 4)), "bar_strong")]
    if cells >= 40:
        projects = {0: "all projects", 1: "1 project"}.get(len(view.projects), f"{len(view.projects)} projects")
        left.append((" · " + projects, "bar"))
    shown = [c for c in world.clouds if c.get("name") in names]
    if shown:
        left += [(" · ", "bar"), writing(shown, datetime.now(UTC))]
    if view.at:
        left += [(" · ", "bar"), (f"AS OF {as_of_words(view.at, datetime.now(UTC))}", "bar_warn")]
    right: Parts = []
    if cells >= 60:
        number = f" {count:,}" if pane.counted and count is not None else ""
        room = cells - sum(width(text) for text, _ in left) - width(number) - width(HELP) - 2
        title = cut_middle(pane.title(), max(10, cells // 3, min(room, cells // 2)))
        right = [(title, "bar_strong"), (number, "bar_strong"), (HELP, "bar_muted")]
    return left, right


def as_of_words(at: str, now: datetime) -> str:
    """A time of the past in the operator's zone: Sun 21:23 UTC, or 2026-10-01 09:00 UTC further away."""
    moment = moment_of(at)
    if moment is None:
        return clean(at)
    local = moment.astimezone()
    return local.strftime("%a %H:%M %Z" if 0 <= (now - local).total_seconds() < 6 * 86400 else "%Y-%m-%d %H:%M %Z")


def writing(clouds: Sequence[dict[str, Any]], now: datetime) -> tuple[str, str]:
    """Whether these clouds may be changed, and for how long still, in words."""
    writable = [cloud for cloud in clouds if is_writable(cloud, now)]
    if not writable:
        return "READ-ONLY", "bar_strong"
    ends = [seconds for cloud in writable if (seconds := writable_seconds(cloud, now)) is not None]
    left = f" {left_words(min(ends))} left" if ends else ""
    return ("writable" if len(writable) == len(clouds) else "PARTLY WRITABLE") + left, "bar_warn"


def ends_soon(world: World) -> bool:
    """Whether a cloud is read-only again so soon that seconds are counted."""
    now = datetime.now(UTC)
    ends = (writable_seconds(cloud, now) for cloud in world.clouds if cloud.get("writable"))
    return any(seconds is not None and seconds < COUNTED for seconds in ends)


def state_line(
    pane: Pane, world: World, table: Picture, now: float, notice: str, paused: bool, data: Data | None
) -> Line:
    """Filter and order; what is wrong or happening; where the cursor is; how old the data is.

    `now` is loop time; `data` is about the newest window, None before there is one.
    """
    view = pane.view
    left: Parts = [(" ", "text")]
    if world.offline_since is not None:
        waited = age(now - world.offline_since)
        left += [
            (f"✖ no engine ({waited}), trying: ", "bad"),
            (clean(world.offline_reason), "bad"),
        ]
        return left, ()  # type: ignore[return-value]
    if notice:
        return [*left, (notice, "warn")], _right(table, now, paused, data)
    # What the list is comes first: alerts may stand for hours.
    if view.filter:
        left += [("/", "key"), (clean(view.filter), "strong")]
    for name, down in view.sort:
        left.append((f"  {'↓' if down else '↑'}{name}", "accent"))
    alerts = [alert for alert in (world.problem_alert[1], world.job_alert[1]) if alert]
    trouble = _trouble(data.states if data else (), world.keymap, brief=bool(alerts))
    told: Parts = [("▲ " + trouble, "warn")] if trouble else []
    for part in (*told, *((alert, "bad") for alert in alerts)):
        left += [("  " if len(left) > 1 else "", "text"), part]
    if len(left) == 1 and (job := world.running_job) is not None:
        left.append(("◐ " + job_line(job), "busy"))
    elif len(left) == 1 and world.demo_state == "past":
        how_far = world.demo.get("past", "")
        left.append((f"◐ the demo is collecting its past{': ' if how_far else ''}{how_far}", "busy"))
    elif len(left) == 1 and world.demo_state == "failed":
        left.append(("▲ the demo cloud: " + clean(world.demo["problem"]), "warn"))
    elif world.running is not None and len(left) == 1:
        left.append(("◐ " + progress_text(world.running), "busy"))
    return left, _right(table, now, paused, data)


def job_line(job: dict[str, Any]) -> str:
    """A job that runs, in a few words."""
    through = int(job.get("done") or 0) + int(job.get("failed") or 0)
    state = f", {clean(job['state'])}" if job.get("state") != "running" else ""
    return f"job {job.get('number')} {clean(job.get('title') or '')} {through:,}/{int(job.get('total') or 0):,}{state}"


def _right(table: Picture, now: float, paused: bool, data: Data | None) -> Parts:
    facts: Parts = []
    place = table.place
    waiting = table.waiting_since
    if waiting is not None and now - waiting > WAIT_SHOWN:
        facts.append((f"◐ waiting for the engine {age(now - waiting)}", "busy"))
    marks = table.marks
    if marks.start is not None:
        facts.append((f"range of {len(marks.stretch(table.buffer)):,}", "mark"))
    elif marks:
        number = "all" if marks.count is None else f"{marks.count:,}"
        facts.append((f"{number} marked", "mark"))
    if place is not None:
        if table.spec.filter:
            facts.append((f"{place.total:,} match", "strong"))
        if place.rank is not None and place.total and table.canvas is None:
            facts.append((f"{place.rank + 1:,}/{place.total:,}", "muted"))
    if data is not None and data.age_seconds is not None:
        seconds = data.age_seconds + (now - data.arrived)
        facts.append((f"data {age(seconds)} old", "warn" if seconds > STALE_AFTER else "muted"))
    if paused:
        facts.append(("PAUSED", "warn"))
    parts: Parts = [("  ", "text")]
    for fact in facts:
        parts += [fact, (" · ", "muted")]
    return [*parts[:-1], (" ", "text")]


def _trouble(states: Sequence[dict[str, Any]], keymap: Keymap, *, brief: bool = False) -> str:
    """The first thing that is wrong with the data on screen, the key that helps, why (unless `brief`), and how many
    more there are.
    """
    if not states:
        return ""
    first = states[0]
    where = "/".join(clean(first[name]) for name in ("cloud", "region") if first.get(name))
    state = str(first.get("state", ""))
    why = clean(first.get("reason") or "") or _STATE_WORDS.get(state, "")
    more = f" (+{len(states) - 1} more)" if len(states) > 1 else ""
    action, verb = _HELPS.get(state, ("", ""))
    helps = f" ({keymap.shown(action)} {verb})" if action else ""
    return f"{where} {state.replace('_', ' ')}{helps}{'' if brief else f': {why}'}{more}"


def row_count(pane: Pane, world: World, place: Place | None) -> int | None:
    """Rows of the list, for its title: as counted, else as the clouds tell; None when nobody knows."""
    view = pane.view
    count = pane.total if not view.of else place.total if place else None
    if count is None and not view.projects and not view.of and view.kind == "list":
        count = world.count(view.type, view.clouds)
    return count


def strip_lines(pane: Pane, row: Row | None, cells: int) -> list[Line]:
    """A rule, and under it what there is to say about the row under the cursor."""
    about = pane.strip(row) if row is not None else []
    return [([("─" * cells, "rule")], []), *(([(" ", "text"), *line], []) for line in about)]


def strip_height(height: int, has_strip: bool) -> int:
    """Lines of the strip on a screen of that height: small ones give it to the rows."""
    return 0 if height < 16 or not has_strip else 3 if height < 24 else 4


def has_footer(height: int) -> bool:
    """Whether a screen of that height has a line of keys."""
    return height >= 8


def footer_line(places: Sequence[str], cells: int, actions: Sequence[Action] = ACTIONS) -> Line:
    """As many keys as fit, the most useful first."""
    return keys_line([(symbol(action.keys[0]), action.label) for action in footer_actions(places, actions)], cells)


def keys_line(keys: Sequence[tuple[str, str]], cells: int) -> Line:
    """As many of (key, what it does) as fit."""
    parts: Parts = [(" ", "text")]
    used = 1
    for key, word in keys:
        label = " " + word
        cost = width(key) + width(label) + 2
        if used + cost > cells:
            continue
        parts += [(key, "key"), (label, "muted"), ("  ", "text")]
        used += cost
    return parts, []


def hint_line(problem: str, choices: Sequence[str], cells: int) -> Parts:
    """Under the bar: what is wrong with the text, or what tab would make of it."""
    if problem:
        return [(" ", "text"), (clean(problem), "error")]
    parts: Parts = [(" tab ", "key")]
    for number, choice in enumerate(choices):
        last = choice.rpartition(" ")[2]
        if sum(width(text) for text, _ in parts) + width(last) + 2 > cells:
            break
        parts += [(last, "accent" if number == 0 else "muted"), ("  ", "text")]
    return parts
