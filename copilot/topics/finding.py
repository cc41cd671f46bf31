"""What something is: a name, address, MAC or id, also of what is gone; and who had it, now or then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from copilot.answering.wording import clean
from copilot.answers import Answer, Field, Key, Named, Proposal, Shown, Table
from copilot.grammar.asking_back import asked_back
from copilot.grammar.items import Item
from copilot.model.registry import entity
from copilot.reading import Ambiguity
from copilot.topics.describing import described
from copilot.topics.topic import Asked, Topic
from store import times

INTENT = "find_resource"
_ASKING = (
    "filler", "list", "what", "who", "whose", "which", "where", "when", "is", "do", "past", "of", "on", "in", "with",
    "belong", "any", "all", "exist", "named", "this", "them", "how",
)  # fmt: skip
_SAID_WORDS = """
describe detail details info infos information about everything machine mac ip address addresses adress behind
had has have uses use used using owned owns before earlier earliest previously formerly once then currently
now thing resource object item gone deleted happened became become anything something more know idea been ever
belong belongs to for id uuid hda hsa ahs ahd ahve"""
_SAID = frozenset(_SAID_WORDS.split())
_THINGS = frozenset({"server", "port", "floating_ip", "network", "subnet", "hypervisor", "volume", "project"})
_ADDRESS_COLUMNS = frozenset({"mac_address", "mac_addresses", "fixed_ips", "floating_ips", "addresses", "ip_address"})
_EARLIER = frozenset({"before", "earlier", "earliest", "previously", "formerly", "once"})
_MOST_SAID = 3
_KINDS = ("flavor", "image", "volume_type", "role")  # one of a name in each cloud
_TAKEN = frozenset({"in use", "used", "taken", "occupied", "assigned", "in", "use", "allocated"})
_FREE = frozenset({"free", "available", "unused", "not used", "not in use", "unassigned"})
_AS_NEAR = 0.08  # difference of scores of names that are equally likely
_EVER = timedelta(days=3650)
_FIELDS = (
    Field("what", "WHAT"),
    Field("type", "TYPE"),
    Field("name", "NAME", "name"),
    Field("project", "PROJECT", "name"),
    Field("host", "HOST", "name"),
    Field("from", "FROM", "time"),
    Field("to", "TO", "time"),
)


def claims(asked: Asked) -> float:
    """Sure where nothing but the one thing was said; where the grammar made a query of it, that goes first."""
    found = _thing(asked)
    if found is None:
        return 0.0
    if found.named and any(item.said == "did" for item in asked.items):  # "what did alice do"
        return 0.0
    if found.named and not found.value:
        return 0.95 if asked.frame is None or asked.left else 0.0
    whole = asked.frame is not None and not asked.left
    if whole and asked.parse.wh != "who" and not asked.topics("had") and asked.period is None:
        return 0.3
    return 0.98


def _thing(asked: Asked) -> Item | None:
    """The one thing that is asked about; None where more is said than that."""
    things = [item for item in asked.items if _is_thing(item)]
    if len(things) > 1:  # "volume db-01-data1 of db-01" is more than one thing, "this" again is not
        return None
    if not things:
        return None
    rest = [item for item in asked.items if item is not things[0] and not _asks(item, things[0])]
    return None if rest else things[0]


def _is_thing(item: Item) -> bool:
    if item.period is not None or item.quantity is not None:
        return False
    return bool(item.named or item.value) or (item.senses is None and any(one.isdigit() for one in item.text))


def _asks(item: Item, thing: Item) -> bool:
    """Whether the item adds nothing to the question what it is."""
    if item.period is not None:
        return True
    if item.text in (",", "-", ":", "=") or item.only(_ASKING) or set(item.said.split()) <= _SAID:
        return True
    if item.is_topic("describe"):
        return True
    if thing.value and item.said in _TAKEN | _FREE:
        return True
    if item.is_topic("had", "owner"):
        return bool(thing.value)
    if item.senses is None:
        return False
    if thing.value and (set(item.entities) & _THINGS or _ADDRESS_COLUMNS & _columns(item)):
        return True
    gone = not thing.named and not thing.value
    return gone and (item.is_concept("gone", "change", "born") or bool(set(item.entities) & _THINGS))


def _columns(item: Item) -> set[str]:
    return {column for columns in item.columns.values() for column in columns}


def answer(asked: Asked) -> Answer | None:
    """A description of one resource; else what the app's find says."""
    thing = _thing(asked)
    if thing is None:
        return None
    if asked.parse.ambiguous:
        return asked_back(asked)
    if (unclear := _unclear(asked, thing)) is not None:
        return unclear
    chosen = _chosen(asked, thing)
    if chosen is not None and not (thing.value and _speaks_of_use(asked)):
        found = described(chosen, asked) if entity(chosen.type).type is not None else None
        if found is not None:
            return found
    if thing.value and (used := _used(asked)) is not None:
        return _in_use(thing.value, used, asked)
    return found_as(thing.value or (thing.named[0].name if thing.named else thing.text), asked)


def _used(asked: Asked) -> bool | None:
    """Whether "is 10.0.0.5 in use" is asked (True), or "is it free" (False)."""
    if asked.parse.wh != "is":
        return None
    words = {item.said for item in asked.items}
    return True if words & _TAKEN else False if words & _FREE else None


def _in_use(text: str, used: bool, asked: Asked) -> Answer:
    """Yes or no, and what has it."""
    items = asked.sources.find(text)["items"]
    holders = [item for item in items if item["to"] is None and item["type"] in ("server", "port", "floating_ip")]
    yes = bool(holders) == used
    made = found_as(text, asked)
    return replace(made, value=yes, text=f"{'Yes' if yes else 'No'}: {made.text[0].lower()}{made.text[1:]}")


def _unclear(asked: Asked, thing: Item) -> Answer | None:
    """Asks back where a name with a slip is as near to one thing as to another."""
    if thing.exact or not thing.named or thing.named == asked.context.selected:
        return None
    near = asked.names.fuzzy(thing.named[0].typed or thing.text, None, 8)
    close = tuple(one for one, score in near if score >= near[0][1] - _AS_NEAR)
    if len(close) < 2 or close[0].type in _KINDS:
        return None
    return asked_back(replace(asked, parse=replace(asked.parse, ambiguous=[Ambiguity(close[0].typed, close)])))


def _chosen(asked: Asked, thing: Item) -> Named | None:
    known = [*asked.parse.subject, *(one for found, _, _ in asked.parse.waiting_named for one in found)]
    return next((one for one in known if one in thing.named), thing.named[0] if thing.named else None)


def _speaks_of_use(asked: Asked) -> bool:
    return asked.parse.wh == "who" or asked.topics("had", "owner") or asked.period is not None


def found_as(text: str, asked: Asked) -> Answer:
    """What the text is and was, as the app's find tells it."""
    period = asked.period
    result = asked.sources.find(text, period.at if period is not None else None)
    items = _of_time(list(result["items"]), asked)
    items = _of_type(items, asked)
    call = Shown(f"GET /q/find?q={text}", "find")
    if not items:
        when = f" {period.words}" if period is not None and period.words else ""
        return Answer(
            "answer" if asked.values else "apology",
            f"Nothing has or is {clean(text)!r}{when}, as far as anything is known of it.",
            intent=INTENT,
            confidence=0.85 if asked.values else 0.5,
            shown=(call,),
            unknown=() if asked.values else (text,),
        )
    rows = tuple({field.name: _cell(item, field.name) for field in _FIELDS} for item in items)
    keys = tuple((str(item["type"]), _key(item["key"])) for item in items)
    first = items[0]
    said = list(dict.fromkeys(clean(str(item["what"]), 300) for item in items))
    more = len(said) - _MOST_SAID
    nobody = asked.parse.wh == "who" and not any(item.get("machine") for item in items)
    said = ["No machine has or had it then.", *said] if nobody else said
    if asked.parse.wh == "who" and any(item.is_concept("gone") for item in asked.items) and first["gone"]:
        said = [said[0], _deleted_by(str(first["type"]), _key(first["key"]), asked), *said[1:]]
    text_ = "\n".join(said[:_MOST_SAID]) + (f"\nand {more} more" if more > 0 else "")
    machine = first.get("machine") or {}
    here = tuple(named for item in items[:_MOST_SAID] if (named := _named(item)) is not None)
    return Answer(
        "answer",
        text_,
        intent=INTENT,
        value=None if nobody else machine.get("name") or first.get("name") or text,
        table=None if nobody or any(type == "audit" for type, _ in keys) else Table(_FIELDS, rows, len(rows), keys),
        shown=(call,),
        scope=(period.words,) if period is not None and period.words else (),
        named=tuple(dict.fromkeys(here)),
        proposals=tuple(
            Proposal("open", f"open {clean(one.name)}", type=one.type, keys=(one.key,)) for one in here[:1]
        ),
    )


def _deleted_by(type: str, key: Key, asked: Asked) -> str:
    """Who deleted it, as far as the history knows."""
    changes = asked.sources.changes(asked.context.now - _EVER, None, (type, key))
    actor = next((one["actor"] for one in changes if one["kind"] == "deleted" and one["actor"]), None)
    if actor is None:
        return "Who deleted it is not known: it was not done from this console, or the cloud did not tell."
    return f"{clean(str(actor))} deleted it."


def _key(parts: Sequence[Any]) -> Key:
    cloud, region, id = (str(part or "") for part in parts)
    return cloud, region, id


def _named(item: Mapping[str, Any]) -> Named | None:
    """The machine behind it, or itself, where it is still there."""
    machine = item.get("machine")
    if machine is not None:
        return Named("server", _key(machine["key"]), str(machine["name"]))
    if item["type"] == "audit" or item["gone"]:
        return None
    return Named(str(item["type"]), _key(item["key"]), str(item["name"] or item["key"][2]))


def _cell(item: Mapping[str, Any], name: str) -> Any:
    return item.get(name)


def _of_time(items: list[Mapping[str, Any]], asked: Asked) -> list[Mapping[str, Any]]:
    """Those of the time asked about: of a period, earlier, or now where anything is so now."""
    period = asked.period
    if period is not None:
        if period.at is not None:
            return items
        return [item for item in items if _overlaps(item, period.since, period.until)]
    earlier = [item for item in items if item["to"] is not None]
    if any(set(item.said.split()) & _EARLIER for item in asked.items) or (asked.parse.past and asked.topics("had")):
        return earlier or items
    return [item for item in items if item["to"] is None] or items


def _overlaps(item: Mapping[str, Any], since: datetime | None, until: datetime | None) -> bool:
    first = times.parse(item["from"])
    last = times.parse(item["to"]) if item["to"] is not None else datetime.max.replace(tzinfo=UTC)
    return (until is None or first < until) and (since is None or last > since)


def _of_type(items: list[Mapping[str, Any]], asked: Asked) -> list[Mapping[str, Any]]:
    """Where a type was said, those of it or behind which there is one."""
    said = {name for item in asked.items if not item.named for name in item.entities[:1]}
    machines = "server" in said
    fitting = [item for item in items if item["type"] in said or (machines and item.get("machine") is not None)]
    return fitting or items


TOPIC = Topic(INTENT, claims, answer)
