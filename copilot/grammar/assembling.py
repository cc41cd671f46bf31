"""From items to a parse: one pass, left to right; every item says something or is left over as not understood."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from copilot.answers import Named
from copilot.grammar import attaching, naming
from copilot.grammar.frames import Piece
from copilot.grammar.items import Item
from copilot.grammar.lexicon import Senses, lexicon
from copilot.grammar.parse import Parse, attribute_of
from copilot.linking.names import Names
from copilot.model.declaration import Entity
from copilot.model.registry import entity
from copilot.query import Test
from copilot.reading import Quantity

_ASKS = ("which", "what", "who", "whose", "where", "when", "why")
_MEASURES = {"how_much": "sum", "total": "sum", "average": "average", "maximum": "maximum", "minimum": "minimum"}
_SUPERLATIVES = ("most", "fewest", "largest", "smallest", "oldest", "newest", "busiest", "idlest")
_UPWARDS = ("more", "above", "up", "higher", "over", "greater", "bigger", "larger")
_DOWNWARDS = ("less", "fewer", "below", "lower", "under", "smaller")
_PRONOUNS = ("it", "they", "them", "those", "these", "its", "their", "that")
_PATTERNS = {"named": "=", "starts": "starts", "ends": "ends", "contains": "contains"}


def assemble(items: list[Item], names: Names, selected: tuple[Named, ...] = ()) -> Parse:
    """Go through the items. `selected`: what the question means by "this"."""
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
        parse.prep = ""
    elif item.quantity is not None:
        _quantity(parse, item)
    elif item.named:
        naming.on_name(parse, item)
    elif item.text in (",", "+", "&", "/"):
        item.used = True
        parse.join = parse.join or ("and" if parse.at else "")
    elif item.text in ("-", "~", ":", "="):
        item.used = True
    elif item.value:
        parse.unresolved.append(item.value)
    elif item.senses is not None:
        _phrase(parse, item)


def _takes_pattern(parse: Parse, item: Item) -> bool:
    """What stands behind "starting with" is a text, whatever else it may be."""
    if item.only(("filler", "is")) or item.end - item.start > 2:
        return False
    text = item.value or item.text
    if parse.head is None and not parse.targets():
        return False
    operator, parse.pattern = parse.pattern, ""
    if operator == "=" and item.named:
        return False
    if operator == "contains" and item.entities and not item.value:
        return False
    item.used = attaching.pattern(parse, text.strip("\"'`"), operator)
    return item.used


# Quantities


def _quantity(parse: Parse, item: Item) -> None:
    quantity = item.quantity
    assert quantity is not None
    item.used = True
    following = parse.next()
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
        attaching.compare(parse, following, earlier)
    if following is not None and following.is_concept(*_SUPERLATIVES) and not quantity.comparison:  # "5 largest"
        parse.limit = int(quantity.value)
        return
    quantity = _or_more(parse, quantity)
    behind = following is not None and following.columns and parse.head is not None  # "more than 8 vcpus"
    if behind and following is not None and attaching.compare(parse, following, quantity):
        following.used = following.dropped = True
        parse.having = False
        return
    if parse.head is None and following is not None and following.columns and not following.entities:
        parse.waiting_numbers.append((following, quantity))  # "8 vcpu vms"
        following.used = following.dropped = True
        return
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


# Phrases


def _phrase(parse: Parse, item: Item) -> None:
    if _state(parse, item):
        return
    if _column(parse, item):
        return
    if item.entities:
        attaching.on_entity(parse, item, _entity(parse, item))
        return
    _concept(parse, item)
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


def _state(parse: Parse, item: Item) -> bool:
    """A word for a state: of the entity that follows, of the innermost that has it, or of one still to come."""
    senses = item.senses
    assert senses is not None
    if not senses.states:
        return False
    following = parse.next()
    if _is_small(parse, item, following):
        return False
    if parse.having and "with" in senses.concepts and item.said in ("has", "have", "with"):
        return False
    if following is not None and following.entities and not parse.grouping:
        own = next((name for name in following.entities if attaching.state_of(item, name)), None)
        if (
            own == "image"
            and parse.head is not None
            and parse.head.entity.name == "server"
            and "server" in senses.states
        ):
            following.used = following.dropped = True  # "vms with the debian image"
            own = None
        if own is not None and not (senses.concepts and _is_verb(parse, item)):
            parse.waiting_states.append((item, parse.take_negation()))
            item.used = True
            return True
    if senses.concepts and _is_verb(parse, item):
        return False
    if senses.entities and not _adjective(parse, item):
        return False
    for target in parse.targets():
        if attaching.state_of(item, target.entity.name) is not None:
            attaching.add_state(parse, item, parse.take_negation(), target)
            item.used = True
            parse.having = False
            return True
    if parse.head is None:
        parse.waiting_states.append((item, parse.take_negation()))
        item.used = True
        return True
    return False


def _is_small(parse: Parse, item: Item, following: Item | None) -> bool:
    """ "on", "off", "in", "out": states only where nothing else makes sense of them."""
    word = item.said
    if word in ("in", "out"):
        targets = {target.entity.name for target in parse.targets()} | set(following.entities if following else ())
        return "security_group_rule" not in targets
    return word in ("on", "off") and (
        following is not None or bool(parse.asked) or (parse.head is None and not parse.subject)
    )


def _is_verb(parse: Parse, item: Item) -> bool:
    """Whether "running" or "used" joins two things here: it stands between an entity and what follows."""
    following = parse.next()
    if following is None:
        return False
    joins = following.named or following.entities or following.value
    return bool(parse.head is not None and joins and item.is_concept("with", "belong") and not parse.negation)


def _adjective(parse: Parse, item: Item) -> bool:
    """Whether a word that is an entity, too, is a state here: right behind a verb or before nothing."""
    before = parse.before()
    return before is not None and before.is_concept("is", "not")


def _column(parse: Parse, item: Item) -> bool:
    """A word for a column: compared, asked for, grouped or sorted by."""
    if not item.columns:
        return False
    following = parse.next()
    if parse.grouping:
        parse.grouping = False
        ranks = parse.limit is not None or parse.top or parse.superlative
        if ranks and not item.entities:  # "top 5 vms by ram"
            parse.order.append((item, parse.superlative))
            parse.superlative = ""
        else:
            parse.groups.append(item)
        item.used = True
        return True
    if parse.sorting:
        parse.sorting = False
        parse.order.append((item, ""))
        item.used = True
        return True
    is_head = parse.head is None and bool(item.entities)
    if parse.superlative in ("most", "fewest", "largest", "smallest") and not is_head and _fits(parse, item):
        parse.order.append((item, parse.superlative))
        parse.superlative = ""
        item.used = True
        return True
    if following is not None and following.quantity is not None and _starts_address(parse, item, following):
        return True
    if following is not None and following.named and _says_type(parse, item, following):
        item.used = True
        return True
    if following is not None and following.quantity is not None and _numbers(parse, item):
        parse.attribute = item
        item.used = True
        return True
    if parse.quantity is not None and attaching.compare(parse, item, parse.quantity):
        parse.quantity, parse.having, item.used = None, False, True
        return True
    if parse.measure and _measures(parse, item):
        parse.asked.append((item, parse.measure))
        item.used = True
        return True
    if item.entities:
        return _entity_as_column(parse, item)
    return _asked(parse, item, following)


def _starts_address(parse: Parse, item: Item, following: Item) -> bool:
    """ "ip 10.11": the beginning of an address looks like a number."""
    for target in parse.targets():
        attribute = attribute_of(target.entity, item)
        if attribute is not None and attribute.role == "address":
            text = following.text.rstrip(".*")
            piece = Piece(
                f"column:{attribute.column}", Test(attribute.column, "starts", (text,)), f"with an address in {text}"
            )
            target.add(piece)
            item.used = following.used = following.dropped = True
            parse.having = False
            return True
    return False


def _says_type(parse: Parse, item: Item, following: Item) -> bool:
    """ "type ssd", "flavor m1.small": the word says what the name behind it is; the name does the rest."""
    for target in parse.targets():
        attribute = attribute_of(target.entity, item)
        types = [kind for kind, column in target.entity.scopes.items() if attribute and column == attribute.column]
        fitting = tuple(one for one in following.named if one.type in types)
        if fitting:
            following.named = fitting
            return True
    return False


def _asked(parse: Parse, item: Item, following: Item | None) -> bool:
    """A column that is no entity: with its value behind it, there or not there, or asked for."""
    before = parse.items[parse.at - 1].said if parse.at else ""
    listed = before in ("their", "its") or (parse.having and bool(parse.asked) and parse.join == "and")
    if (parse.negation == "no" or parse.having) and parse.head is not None and not _has_value(following) and not listed:
        said, parse.negation, parse.having = parse.negation, "", False
        item.used = attaching.presence(parse, item, said)
        if item.used:
            return True
    if parse.head is not None and following is not None and _has_value(following):
        value = following.value or following.text
        if attaching.valued(parse, item, value, parse.take_negation()):
            item.used = following.used = following.dropped = True
            parse.having = False
            return True
    parse.asked.append((item, ""))
    item.used = True
    parse.prep = parse.prep if parse.prep == "of" else ""
    return True


def _has_value(following: Item | None) -> bool:
    """Whether what follows a column can only be its value."""
    if following is None:
        return False
    if following.senses is not None:  # a topic's word may be anybody's text: "tagged critical"
        s = following.senses
        return bool(s.topics or s.states) and not (s.entities or s.columns or s.concepts)
    return not following.known or bool(following.value and not following.named)


def _fits(parse: Parse, item: Item) -> bool:
    return parse.head is None or attribute_of(parse.head.entity, item) is not None


def _numbers(parse: Parse, item: Item) -> bool:
    """Whether some entity of the question has a number of that name; any, while none was named."""
    targets = parse.targets()
    if not targets:
        return not item.entities
    for target in targets:
        attribute = attribute_of(target.entity, item)
        if attribute is not None:
            return attribute.is_number
    return False


def _measures(parse: Parse, item: Item) -> bool:
    """Whether a measure ("total", "average") speaks of this column."""
    if not item.entities:
        return True
    if parse.asked or is_plural(item):
        return False
    following = parse.next()
    behind = parse.next(2)
    if parse.measure == "sum" and parse.head is None and following is not None:
        # "total disk of vms" is a column; "total volumes in acme" is not.
        return (
            following.is_concept("of", "with", "do", "in")
            and behind is not None
            and (bool(behind.entities) or bool(behind.named))
        )
    return (
        parse.measure in ("average", "maximum", "minimum")
        and parse.head is None
        and behind is not None
        and bool(behind.entities)
    )


def _entity_as_column(parse: Parse, item: Item) -> bool:
    """ "which host is web-03 on": a word that is both; a column where a named resource has such a one."""
    if _of_selected(parse, item):
        return True
    if parse.head is not None or parse.count or parse.having or parse.negation or parse.prep:
        return False
    following = [one for one in parse.items[parse.at + 1 :] if one.named]
    others = [one for one in parse.items[parse.at + 1 :] if one.entities and not one.named and one is not item]
    behind = parse.next()
    if behind is not None and behind.is_concept("belong"):
        return False
    plural = is_plural(item)
    if not following or others or parse.wh not in ("which", "what", ""):
        return False
    types = {one.type for one in following[0].named}
    named = next((name for name in item.columns if name in types), None)
    if named is None or named in item.entities:
        return False
    if plural and not entity(named).attributes[item.columns[named][0]].is_list:  # "volumes of project acme-prod"
        return False
    parse.asked.append((item, ""))
    item.used = True
    return True


def _of_selected(parse: Parse, item: Item) -> bool:
    """ "host?" with something selected: its column is asked for."""
    content = [one for one in parse.items if not one.only(("filler", "what", "which", "list", "is", "of", "not"))]
    kind = parse.selected[0].type if parse.selected else ""
    if len(content) != 1 or kind not in item.columns or is_plural(item):
        return False
    parse.subject = list(parse.selected)
    parse.asked.append((item, ""))
    item.used = True
    return True


def is_plural(item: Item) -> bool:
    """Whether a word for an entity was said in the plural."""
    plurals = {word for name in item.entities for word in entity(name).plural_words}
    return item.said in {word.lower() for word in plurals}


# Concepts


def _concept(parse: Parse, item: Item) -> None:
    for name in item.senses.concepts if item.senses else ():
        handler = _HANDLERS.get(name)
        if handler is not None and handler(parse, item, name) is not False:
            item.used = True
            return


Handler = Callable[[Parse, Item, str], "bool | None"]


def _ask(parse: Parse, item: Item, name: str) -> bool | None:
    if not parse.wh:
        parse.wh = name
    return None


def _count(parse: Parse, item: Item, name: str) -> bool | None:
    if parse.superlative or parse.sorting or parse.grouping:
        return None
    parse.count = True
    parse.wh = parse.wh or name
    return None


def _measure(parse: Parse, item: Item, name: str) -> bool | None:
    if name == "how_much":
        parse.wh = parse.wh or name
    if name == "total" and parse.count:
        return None
    parse.measure = _MEASURES[name]
    return None


def _verb(parse: Parse, item: Item, name: str) -> bool | None:
    if not parse.wh and parse.head is None and not parse.subject and not parse.count:
        parse.wh = "is"
    if item.said in ("was", "were", "did", "had"):
        parse.past = True
    if name == "do" or item.said in ("has", "have"):
        parse.did = True
    if parse.head is not None and (parse.every or parse.share) and parse.predicate_from is None:
        parse.predicate_from = len(parse.head.pieces)
        parse.current = parse.head
    return None


def _per(parse: Parse, item: Item, name: str) -> None:
    """ "by": what rows are grouped or ordered by; behind a state, who it is that uses them."""
    before = parse.before()
    if item.said == "by" and before is not None and before.senses is not None and before.senses.states:
        parse.prep, parse.absorbing = "belong", True
        return
    parse.grouping = True


def _flag(attribute: str) -> Handler:
    def set_flag(parse: Parse, item: Item, name: str) -> None:
        setattr(parse, attribute, True)

    return set_flag


def _negate(parse: Parse, item: Item, name: str) -> None:
    parse.negation = name  # type: ignore[assignment]
    if name == "no":
        parse.having = False


def _join(parse: Parse, item: Item, name: str) -> None:
    parse.join = name
    if parse.at == 0:
        parse.follow.add("and")


def _prep(parse: Parse, item: Item, name: str) -> None:
    following = parse.next()
    first = lexicon().get(item.said.split()[:1])
    if name == "belong" and following is not None and first is not None and first.states and _says_state(following):
        state = replace(item, senses=Senses(states=first.states), said=item.said.split()[0])
        _state(parse, state)  # "running on monday", "running in acme-prod"
    parse.prep = name
    parse.having = False


def _says_state(following: Item) -> bool:
    """Whether "running in" still says a state: before times and projects, not before a host or another thing."""
    return following.period is not None or any(one.type in ("project", "domain") for one in following.named)


def _with(parse: Parse, item: Item, name: str) -> None:
    if parse.head is None and not parse.wh and item.said in ("has", "have"):
        parse.wh = "is"
    parse.having = parse.head is not None


def _superlative(parse: Parse, item: Item, name: str) -> bool | None:
    following = parse.next()
    if name in ("oldest", "newest", "busiest", "idlest"):
        parse.order.append((None, name))
        if following is not None and following.quantity is not None and not following.quantity.comparison:
            parse.superlative = name
        return None
    parse.superlative = name
    return None


def _top(parse: Parse, item: Item, name: str) -> bool | None:
    following = parse.next()
    counted = following is not None and following.quantity is not None
    if not counted and (name != "top" or item.said == "first"):
        return False
    parse.top = "first" if item.said == "first" else name
    return None


def _pattern(parse: Parse, item: Item, name: str) -> bool | None:
    if parse.head is None and not parse.targets():
        return False
    parse.pattern = _PATTERNS[name]
    parse.having = False
    return None


def _in_name(parse: Parse, item: Item, name: str) -> bool | None:
    """ "with db in the name": what stands before is a part of names."""
    before = parse.before()
    if parse.head is not None and any(piece.dimension == "name" for piece in parse.head.pieces):
        return None  # "containing db in the name"
    if before is None or parse.head is None or not (parse.having or not before.used or before.value):
        return False
    before.used = before.dropped = True
    if before.text in parse.unresolved:
        parse.unresolved.remove(before.text)
    parse.having, parse.pattern = False, ""
    attaching.pattern(parse, before.value or before.text, "contains")
    return None


def _act(parse: Parse, item: Item, name: str) -> bool:
    """ "which vms did we delete": what was done; as a command it is nothing that a query answers."""
    if not (parse.did or parse.past or parse.wh == "who"):
        return False
    if name == "deletes":
        parse.gone = True
    else:
        parse.born = True
    return True


def _direction(parse: Parse, item: Item, name: str) -> None:
    parse.descending = name == "descending"


def _first(parse: Parse, item: Item, name: str) -> None:
    parse.order.append((None, "oldest" if name == "oldest_first" else "newest"))


def _follow(parse: Parse, item: Item, name: str) -> None:
    parse.follow.add(name)
    if name != "them" or item.said not in _PRONOUNS or parse.subject:
        return
    joined = parse.prep or parse.having or parse.did
    if parse.head is None or (joined and item.said in ("it", "them", "those", "these")):
        parse.pointing = item.said  # "which volumes are attached to it"


def _this(parse: Parse, item: Item, name: str) -> bool | None:
    parse.selection = True
    return None


def _share(parse: Parse, item: Item, name: str) -> None:
    parse.share = True


def _compare(parse: Parse, item: Item, name: str) -> None:
    parse.compare = name


def _more(parse: Parse, item: Item, name: str) -> None:
    """ "more vms than": without a number."""
    parse.compare = "more" if name == "more" else "fewer"


def _nothing(parse: Parse, item: Item, name: str) -> None:
    """Says nothing by itself."""


_HANDLERS: dict[str, Handler] = {
    "how_many": _count,
    **dict.fromkeys(_MEASURES, _measure),
    "share": _share,
    "past": _nothing,
    "is": _verb,
    "do": _verb,
    **dict.fromkeys(_ASKS, _ask),
    "list": _ask,
    "how": _ask,
    "how_old": _ask,
    "how_long": _ask,
    "any": _flag("any"),
    "exist": _flag("any"),
    "all": _flag("every"),
    "not": _negate,
    "no": _negate,
    "except": _negate,
    "and": _join,
    "or": _join,
    "in": _prep,
    "on": _prep,
    "of": _prep,
    "belong": _prep,
    "between": _nothing,
    "as": _nothing,
    "than": _nothing,
    "with": _with,
    "per": _per,
    "sort": _flag("sorting"),
    "ascending": _direction,
    "descending": _direction,
    "oldest_first": _first,
    "newest_first": _first,
    "top": _top,
    "bottom": _top,
    **dict.fromkeys(_SUPERLATIVES, _superlative),
    "more": _more,
    "fewer": _more,
    "compare": _compare,
    **dict.fromkeys(_PATTERNS, _pattern),
    "in_name": _in_name,
    "born": _flag("born"),
    "gone": _flag("gone"),
    "change": _flag("change"),
    "deletes": _act,
    "makes": _act,
    "only": _follow,
    "them": _follow,
    "same": _follow,
    "what_about": _follow,
    "instead": _follow,
    "this": _this,
    "filler": _nothing,
}
