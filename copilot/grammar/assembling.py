"""From items to a parse: one pass, left to right; every item says something or is left over as not understood."""

from __future__ import annotations

from dataclasses import replace

from copilot.answers import Named
from copilot.grammar import attaching, naming
from copilot.grammar.asides import leave_out
from copilot.grammar.columns import are_related, is_counted, take_column
from copilot.grammar.handling import SUPERLATIVES, take_concept
from copilot.grammar.items import Item
from copilot.grammar.lexicon import lexicon
from copilot.grammar.parse import Parse, attribute_of
from copilot.grammar.stating import take_state
from copilot.linking.names import Names
from copilot.model.declaration import Entity
from copilot.model.registry import entity
from copilot.reading import Quantity

_UPWARDS = ("more", "above", "up", "higher", "over", "greater", "bigger", "larger")
_ROUGHLY = ("around", "about", "roughly", "approximately", "nearly", "almost", "circa")
_DOWNWARDS = ("less", "fewer", "below", "lower", "under", "smaller")


def assemble(items: list[Item], names: Names, selected: tuple[Named, ...] = ()) -> Parse:
    """Go through the items. `selected`: what the question means by "this"."""
    leave_out(items)
    parse = Parse(items, names, selected)
    while parse.at < len(items):
        _step(parse, items[parse.at])
        parse.at += 1
    return parse


def _step(parse: Parse, item: Item) -> None:
    if item.dropped:
        return
    if parse.pattern and _takes_pattern(parse, item):
        return
    if item.period is not None:
        item.used = True
        parse.periods.append(item.period)
        aged_head = item.period.age and parse.current is not None and parse.current.owned
        parse.period_of.append(parse.head if aged_head else parse.current)
        parse.prep = ""
    elif item.quantity is not None:
        _quantity(parse, item)
    elif item.named:
        naming.on_name(parse, item)
    elif item.text in (",", ";", "+", "&", "/"):
        item.used = True
        parse.join = parse.join or ("and" if parse.at else "")
    elif item.text == "%":
        item.used, parse.share, parse.count = True, True, False
    elif item.text in ("-", "~", ":", "=") or _is_star(parse, item):
        item.used = True
    elif item.value:
        parse.unresolved.append(item.value)
    elif item.senses is not None:
        _phrase(parse, item)


def _is_star(parse: Parse, item: Item) -> bool:
    """ "select * from volumes", "count(*)"."""
    return item.text == "*" and parse.at > 0 and parse.items[parse.at - 1].said in ("select", "count")


def _takes_pattern(parse: Parse, item: Item) -> bool:
    """What stands behind "starting with" is a text, whatever else it may be."""
    if item.only(("filler", "is")) or item.end - item.start > 2:
        return False
    text = item.value or item.text
    if parse.head is None and not parse.targets():
        return False
    operator, parse.pattern = parse.pattern, ""
    if item.named and not item.value and operator == "contains":
        return False  # "aggregates containing cmp-02"
    if text == ",":
        parse.asked.append((Item(0, 0, "name", lexicon().get(["name"]), used=True, said="name"), ""))
        parse.listing = True  # "with name, status and ..."
        return False
    if operator == "=" and "*" in text:
        operator = _starred(text)
    if operator == "=" and item.named:
        return False
    if operator == "contains" and not item.value and item.senses and (item.entities or item.senses.states):
        parse.having = True
        return False
    item.used = attaching.pattern(parse, text.strip("\"'`"), operator)
    return item.used


def _starred(text: str) -> str:
    """How "web*", "*-data", "*db*" are meant."""
    if text.startswith("*") and text.endswith("*"):
        return "contains"
    return "starts" if text.endswith("*") else "ends" if text.startswith("*") else "contains"


def _quantity(parse: Parse, item: Item) -> None:
    quantity = item.quantity
    assert quantity is not None
    item.used = True
    following = parse.next()
    if item.said.startswith(_ROUGHLY) and quantity.unit and not quantity.comparison:
        parse.doubt(0.7)  # "around 2 GB" is not exactly that
    if parse.attribute is not None:  # "ram over 8 GB"
        attribute, parse.attribute = parse.attribute, None
        if attaching.compare(parse, attribute, quantity):
            if parse.asked and parse.asked[-1][0] is attribute:
                parse.asked.pop()
            return
    if parse.superlative or parse.top:
        parse.limit = int(quantity.value)
        return
    if parse.quantity is not None and following is not None and following.columns and parse.head is not None:
        earlier, parse.quantity = parse.quantity, None  # "more than 4 but less than 16 vcpus"
        if not (earlier.comparison or quantity.comparison):
            parse.unresolved.append(item.text)  # "1, 2 and 4 vcpus": any of them
        attaching.compare(parse, following, earlier)
    if following is not None and following.is_concept(*SUPERLATIVES) and not quantity.comparison:  # "5 largest"
        parse.limit = int(quantity.value)
        return
    quantity = _or_more(parse, quantity)
    behind = following is not None and following.columns and parse.head is not None  # "more than 8 vcpus"
    if following is not None and not quantity.unit and is_counted(following) and are_related(parse, following):
        behind = False  # "with 3 disks": how many, not how large
    if behind and following is not None and attaching.compare(parse, following, quantity):
        following.used = following.dropped = True
        parse.having = False
        return
    if parse.head is None and following is not None and following.columns and not following.entities:
        parse.waiting_numbers.append((following, quantity))  # "8 vcpu vms"
        following.used = following.dropped = True
        return
    joint, of = parse.next(), parse.next(2)
    of_what = joint is not None and joint.said == "of" and of is not None and bool(of.columns and parse.targets())
    if quantity.unit and of_what and joint and of and attaching.compare(parse, of, quantity):  # "8 gigs of ram"
        joint.used = joint.dropped = of.used = of.dropped = True
        parse.having = False
        return
    if joint is not None and joint.said == "of" and of is not None and of.entities and quantity.unit and parse.head:
        parse.unresolved.append(item.text)  # "vms with more than 100 GB of volumes": a sum
    if quantity.unit == "MB" and parse.targets() and attaching.sized(parse, quantity):
        parse.having = False
        return
    if following is None and parse.head is not None and quantity.comparison and not parse.having:
        parse.expected = quantity
        return
    parse.quantity = quantity


def _or_more(parse: Parse, quantity: Quantity) -> Quantity:
    """ "4 cores or more": said behind what is counted."""
    joint, word = parse.next(2), parse.next(3)
    if quantity.comparison or joint is None or word is None or joint.said not in ("or", "and"):
        return quantity
    text = word.said
    if text not in (*_UPWARDS, *_DOWNWARDS):
        return quantity
    joint.used = joint.dropped = word.used = word.dropped = True
    return replace(quantity, comparison=">=" if text in _UPWARDS else "<=")


def _phrase(parse: Parse, item: Item) -> None:
    following = parse.next()
    if item.said == "limit" and parse.head and following and following.quantity and parse.next(2) is None:
        parse.limit = int(following.quantity.value)  # "... order by size desc limit 5"
        item.used = following.used = following.dropped = True
        return
    if parse.listing and parse.head is not None:
        if attribute_of(parse.head.entity, item) is not None:
            parse.asked.append((item, ""))
            item.used = True
            return
        behind = parse.next()
        if item.entities and behind is not None and behind.is_concept("how_many"):
            parse.order.append((item, "each"))  # "hosts and their vm count"
            item.used = behind.used = behind.dropped = True
            return
        owned = parse.before()
        if item.entities and owned is not None and owned.said in ("their", "its"):
            parse.unresolved.append(item.text)  # "vms and their volumes": two lists
        parse.listing = item.only(("and", "filler", "or", "them")) or item.is_concept("how_many")
    if take_state(parse, item):
        return
    if take_column(parse, item):
        return
    if item.entities and not (parse.at == 0 and item.said == "group"):
        attaching.on_entity(parse, item, _entity(parse, item))
        return
    take_concept(parse, item)
    if not item.used and item.end - item.start > 1:
        _split(parse, item)


def _split(parse: Parse, item: Item) -> None:
    """A phrase that says nothing here is read as two shorter ones: "without volumes" is a state of projects only."""
    words = item.said.split()
    for cut in range(len(words) - 1, 0, -1):
        first, second = lexicon().get(words[:cut]), lexicon().get(words[cut:])
        if first is None or second is None:
            continue
        middle = item.start + cut
        pieces = [
            Item(item.start, middle, " ".join(words[:cut]), first, said=" ".join(words[:cut])),
            Item(middle, item.end, " ".join(words[cut:]), second, said=" ".join(words[cut:])),
        ]
        parse.items[parse.at : parse.at + 1] = pieces
        parse.at -= 1
        return


def _entity(parse: Parse, item: Item) -> Entity:
    """Of several that a word may mean, the first that has to do with what was said."""
    for name in item.entities:
        if parse.head is not None and any(target.entity.name == name for target in parse.targets()):
            return entity(name)
    return entity(item.entities[0])
