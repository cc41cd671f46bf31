"""Times of a question: when things were made, when they vanished, or the time that is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from copilot.answers import Context
from copilot.grammar.frames import Piece
from copilot.grammar.items import Item
from copilot.grammar.parse import Parse, attribute_of
from copilot.model.declaration import Entity
from copilot.query import Condition, Test, both
from copilot.reading import Period

# States that somebody made at some time.
_HAPPENED = ("stopped", "locked", "shelved", "paused", "suspended", "not locked", "disabled", "enabled", "attached")


@dataclass(slots=True)
class Timed:
    """`piece`: on the time column; `at`: the time of the data; `gone`: when what is asked for vanished."""

    piece: Piece | None = None
    at: datetime | None = None
    gone: tuple[datetime | None, datetime | None] | None = None
    words: str = ""


def _lasts(parse: Parse) -> bool:
    """ "stopped for more than 30 days": how long a state lasts is not known."""
    said = any(item.period and item.text.lower().startswith(("for ", "since ")) for item in parse.items)
    states = parse.head is not None and any(piece.dimension.startswith("column:") for piece in parse.head.pieces)
    listed = parse.head is not None and parse.head.entity.type is None  # "failed jobs since monday": each has its time
    return said and states and not listed and not parse.born and not parse.newish


def timed(parse: Parse, head: Entity, context: Context) -> Timed:
    """What the times said mean for an entity."""
    made = Timed()
    if parse.change and head.type is not None:
        parse.unresolved.append("changed")  # what changed is not what is there
    if len(parse.periods) > 1:
        parse.unresolved.append(parse.periods[1].words)  # "last week and this week" are two questions
    if _lasts(parse):
        parse.doubt(0.6)
    spans = any(period.at is None and not period.age for period in parse.periods)
    if spans and not parse.born and parse.head is not None and any(one.words in _HAPPENED for one in parse.head.pieces):
        parse.doubt(0.7)  # "vms stopped today": when it happened, not how it is
    if parse.gone and parse.wh == "who":
        parse.unresolved.append("who")  # the inventory knows that it vanished, not by whom
    if parse.newish and parse.periods:
        parse.born = True
    if parse.gone and not parse.periods:
        made.gone = (None, None)
        return made
    for period in parse.periods:
        _one(parse, head, period, context, made)
    return made


def of_related(parse: Parse) -> None:
    """Times that were said of a related entity: "volumes with snapshots older than 2 weeks"."""
    if parse.gone:
        return
    kept = []
    for period, target in zip(parse.periods, parse.period_of, strict=False):
        if target is None or target.parent is None or not target.entity.born or period.at is not None:
            kept.append(period)
        else:
            target.add(born(target.entity, period))
            parse.born = False
            parse.asked = [(item, kind) for item, kind in parse.asked if target.entity.born not in _columns(item)]
    parse.periods = kept


def _columns(item: Item) -> set[str]:
    return {column for columns in item.columns.values() for column in columns}


def _one(parse: Parse, head: Entity, period: Period, context: Context, made: Timed) -> None:
    if any(bound is not None and bound > context.now for bound in (period.since, period.at)):
        parse.unresolved.append(period.words)  # nothing is known of what is to come
    if parse.gone:
        made.gone = (period.since or period.at, period.until)
        made.words = period.words
    elif period.at is not None and not parse.born:
        made.at, made.words = period.at, period.words
    elif parse.past and not parse.born and not period.age and head.type is not None and period.since is not None:
        # "how many vms were there yesterday": as it was at the end of that time.
        made.at, made.words = min(period.until or context.now, context.now), period.words
        parse.doubt(0.9)
    elif (column := _asked_time(parse, head)) is not None:
        made.piece = _within(column, period, f"with {head.attributes[column].words[0]} {period.words}")
        parse.asked = []
    elif _is_look_back(parse, period) and head.type is not None:
        made.at, made.words = min(period.until or context.now, context.now), period.words
        stated = any(not piece.named for piece in (parse.head.pieces if parse.head else ()))
        parse.doubt(0.75 if stated or parse.subject else 0.9)
    elif head.born:
        made.piece = born(head, period)
        related = (
            any(piece.dimension.startswith(("related:", "state:")) for piece in parse.head.pieces)
            if parse.head
            else False
        )
        if related and not parse.born and not period.age:
            parse.doubt(0.7)  # "not backed up since monday": said of the backups
        if not (parse.born or period.age) and head.type is not None:
            parse.doubt(0.95)
    else:
        parse.unresolved.append(period.words)


def _asked_time(parse: Parse, head: Entity) -> str | None:
    """ "whose last backup is older than 7 days": a time column that was named."""
    for item, _ in parse.asked:
        attribute = attribute_of(head, item)
        if attribute is not None and attribute.role == "time" and attribute.column != head.born:
            return attribute.column
    return None


def _is_look_back(parse: Parse, period: Period) -> bool:
    """ "vms running yesterday", "vms per project on monday": how it was then, not what was made then."""
    if parse.born or parse.newish or period.age or period.until is None:
        return False
    states = parse.head is not None and any(piece.dimension == "column:status" for piece in parse.head.pieces)
    placed = parse.head is not None and any(piece.dimension == "scope:hypervisor" for piece in parse.head.pieces)
    if placed and not any(item.period and item.text.lower().startswith("from ") for item in parse.items):
        return True  # "vms on cmp-01 yesterday"
    return bool(states or parse.groups or parse.subject or (parse.count and not parse.change))


def _within(column: str, period: Period, words: str) -> Piece:
    tests: list[Condition] = []
    since, until = period.at or period.since, period.until
    if since is not None:
        tests.append(Test(column, ">=", (since,)))
    if until is not None:
        tests.append(Test(column, "<", (until,)))
    return Piece(f"column:{column}", both(*tests), words)


def born(head: Entity, period: Period) -> Piece:
    """That it was made in the period."""
    made = _within(
        head.born,
        period,
        _aged(period) if period.age else f"created {period.words}" if head.type is not None else period.words,
    )
    return Piece("born", made.condition, made.words)


def _aged(period: Period) -> str:
    """ "more than 30 days: before Mon 26 Oct" as words behind things: "older than 30 days"."""
    span = period.words.partition(":")[0]
    for said, meant in (
        ("more than", "older than"),
        ("less than", "newer than"),
        ("at least", "at least"),
        ("at most", "at most"),
    ):
        if span.startswith(said):
            span = f"{meant}{span.removeprefix(said)}"
    return span if span.startswith(("older", "newer")) else f"{span} old"
