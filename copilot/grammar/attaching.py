"""Entities, states, attributes and quantities: what each requires, and of which entity of the question."""

from __future__ import annotations

import re
from functools import partial

from copilot.grammar import ranking
from copilot.grammar.frames import Piece
from copilot.grammar.items import Item
from copilot.grammar.lexicon import lexicon
from copilot.grammar.parse import Negation, Parse, Target, attribute_of, is_plural, state_piece
from copilot.language.numbers import in_unit
from copilot.model import paths
from copilot.model.declaration import Attribute, Entity, State
from copilot.model.registry import entity
from copilot.query import All, AnyOf, Condition, Not, Test
from copilot.reading import Quantity

SIZES = ("size_mb", "size_gb", "size_bytes")
_PLAIN = re.compile(r"[\w.:/@+*%-]{1,100}")


# Entities


def on_entity(parse: Parse, item: Item, found: Entity) -> None:
    """A word for an entity: what is asked for, what rows are grouped by, or what they are related to."""
    item.used = True
    if parse.absorbing:
        parse.absorbing, parse.prep = False, ""
        return
    negation, quantity = parse.negation, parse.quantity
    ranked_by = parse.order[-1][0] if parse.order else None
    before_that = parse.items[parse.at - 2] if parse.at > 1 else None
    if parse.prep == "in" and ranked_by is not None and before_that is ranked_by and not ranked_by.entities:
        parse.unresolved.append(item.text)  # "the most storage in snapshots"
    of_each = parse.count and parse.of_values and parse.prep in ("in", "on", "of")
    if of_each and parse.head is not None and not is_plural(item) and not negation and quantity is None:
        parse.grouping, parse.prep = True, ""  # "max number of vms on a host"
    if parse.grouping:
        parse.grouping = False
        parse.groups.append(item)
        return
    if parse.superlative in ("most", "fewest") and parse.head is None and parse.wh == "who":
        parse.set_head(entity("user" if parse.born else "project"))  # "who has the most volumes"
    if parse.superlative in ("most", "fewest") and parse.head is not None and not ranking.ranks(parse, found):
        parse.superlative = ""
        parse.unresolved.append(item.text)
    if parse.superlative in ("most", "fewest", "each") and parse.head is not None and found is not parse.head.entity:
        counted = Target(found)
        _apply_states(parse, counted)
        if counted.pieces:
            parse.counted_where[found.name] = counted.condition()  # "host with most stopped vms"
        parse.order.append((item, parse.superlative))
        parse.superlative = ""
        return
    if parse.head is None and parse.superlative in ("most", "fewest") and ranking.tops_column(parse, found):
        _head(parse, item, found)
        return
    if parse.head is None:
        _head(parse, item, found)
        return
    before = parse.before()
    ranked = before is not None and before.is_concept("largest", "smallest", "oldest", "newest", "busiest")
    if ranked and found is not parse.head.entity and not parse.head.pieces:
        parse.whose = parse.head.entity.name  # "which project has the largest volume"
        parse.having, parse.prep = False, ""
        _head(parse, item, found)
        return
    if found is parse.head.entity and not parse.having and parse.current is parse.head:
        _again(parse)
        return
    if (
        parse.join == "and"
        and parse.count
        and parse.current is parse.head
        and not parse.having
        and not parse.head.pieces
    ):
        parse.also.append(found)
        parse.join = ""
        return
    if (
        negation == "no"
        and attribute_of(parse.head.entity, item)
        and not paths.is_usual(parse.head.entity.name, found.name)
    ):
        parse.negation, parse.having = "", False
        presence(parse, item, "no")  # "rules that have no port"
        return
    beside = parse.join in ("and", "or") and parse.current is parse.head and is_plural(item)
    if beside and not (parse.having or parse.prep or quantity or negation):
        parse.unresolved.append(item.text)  # "down routers and networks": two lists
    linked = bool(parse.having or parse.prep or negation or quantity)
    if not linked and _is_compound(parse, item):
        _compound(parse, item, found)
        return
    _related(parse, found)


def _head(parse: Parse, item: Item, found: Entity) -> None:
    quantity, parse.quantity = parse.quantity, None
    target = parse.set_head(found)
    parse.prep, parse.having = "", False
    if parse.negation == "no":
        parse.negation = ""
        if parse.wh == "is":
            parse.doubt(0.75)  # "are there no stopped vms": yes means none
    for number_of, number in parse.waiting_numbers:
        if not (compare(parse, number_of, number) if number_of is not None else sized(parse, number)):
            parse.unresolved.append(f"{number.value:g}")
    parse.waiting_numbers = []
    if quantity is not None:
        if quantity.unit == "MB":
            if not sized(parse, quantity):
                parse.unresolved.append(f"{quantity.value:g}")
        elif quantity.comparison or parse.wh == "is":
            parse.expected = quantity
        elif quantity.value == int(quantity.value) and quantity.value >= 0:
            parse.limit = int(quantity.value)
    _apply_states(parse, target)
    for piece in parse.waiting:
        target.add(piece)
    parse.waiting = []
    from copilot.grammar.naming import limit

    for named, said, _ in parse.waiting_named:
        limit(parse, named, said)
    parse.waiting_named = []
    if parse.every and parse.wh == "is":
        parse.predicate_from = len(target.pieces)


def _apply_states(parse: Parse, target: Target) -> None:
    """States that were said before their entity."""
    for item, said in parse.waiting_states:
        if not add_state(parse, item, said, target) and not item.is_concept("with", "belong"):
            parse.unresolved.append(item.text)
    parse.waiting_states = []


def _again(parse: Parse) -> None:
    """The same entity once more ("which vms are running vms"): nothing new."""
    parse.prep, parse.negation = "", ""  # "stopped vms or vms in error": still joined
    if parse.waiting_states and parse.head is not None:
        if any(piece.named for piece in parse.head.pieces):
            parse.unresolved.append(parse.waiting_states[0][0].text)  # "running vms in A and stopped vms in B"
        _apply_states(parse, parse.head)
    if parse.quantity is not None and parse.quantity.comparison:
        parse.expected, parse.quantity = parse.quantity, None


def _is_compound(parse: Parse, item: Item) -> bool:
    before = parse.before()
    return (
        before is not None
        and bool(before.entities)
        and before.end == item.start
        and parse.head is not None
        and not parse.head.pieces
    )


def _compound(parse: Parse, item: Item, found: Entity) -> None:
    """ "vm snapshots": the last word is what is asked for, the one before what they belong to."""
    assert parse.head is not None
    first = parse.head.entity
    if not paths.is_usual(found.name, first.name):
        parse.unresolved.append(f"{first.singular} {found.singular}")
    parse.set_head(found)
    child = parse.child(first, "")
    parse.current = parse.head
    child.pieces = []


def _related(parse: Parse, found: Entity) -> None:
    """Rows of the current entity that have some of these, so many, or none."""
    if parse.join == "and" and parse.waiting_states and not (parse.having or parse.prep or parse.negation):
        parse.unresolved.append(found.plural)  # "stopped vms and unattached volumes": two lists
    negation, quantity = parse.take_negation(), parse.quantity
    last = parse.children[-1] if parse.children else None
    if last is not None and last.negated and last is parse.current and not last.pieces:
        if parse.join and not negation and not parse.having:
            negation = "no"  # "without snapshots or backups"
        if negation:
            parse.current = last.parent
    if parse.join and last is not None and parse.current is last and not (parse.prep and not negation):
        parse.current = last.parent  # "with volumes but no vms", "with more than 10 volumes and less than 5 vms"
        if parse.join == "or" and not negation:
            parse.doubt(0.6)
    owned = parse.prep == "of" and not parse.having
    parse.quantity, parse.having, parse.prep, parse.join = None, False, "", ""
    parent = _parent_for(parse, found)
    if parent is None and _of_type(parse, found, negation):
        return
    if parent is None:
        parse.unresolved.append(found.singular)
        return
    parse.current = parent
    target = parse.child(found, negation)
    target.owned = owned
    if quantity is not None and quantity.unit:
        _percent(parse, target, quantity)
    elif quantity is not None:
        target.comparison = quantity.comparison or "="
        target.count = int(quantity.value)
        if quantity.upper is not None:
            target.comparison, target.most = ">=", int(quantity.upper)
    _apply_states(parse, target)
    parse.current = target


def _of_type(parse: Parse, found: Entity, negation: Negation) -> bool:
    """ "drift events of volumes": rows of a list know of what type they speak."""
    for target in parse.targets():
        if "resource_type" in target.entity.attributes and found.type is not None:
            test = Test("resource_type", "=", (found.name,))
            piece = Piece("column:resource_type", test, f"of {found.plural}")
            target.add(piece.negated() if negation else piece)
            return True
    return False


def _percent(parse: Parse, target: Target, quantity: Quantity) -> None:
    """ "over 90 % of quota": how far it is used; of nothing else there is a part in percent."""
    attribute = target.entity.attributes.get("fullest_percent")
    if attribute is None or quantity.unit != "%":
        parse.unresolved.append(f"{quantity.value:g} {quantity.unit}")
        return
    comparison = quantity.comparison if quantity.comparison not in ("", "!=") else ">="
    words = f"at {quantity.value:g} % or more" if comparison.startswith(">") else f"at {quantity.value:g} % or less"
    target.add(Piece("column:fullest_percent", Test(attribute.column, comparison, (quantity.value,)), words))  # type: ignore[arg-type]


def _parent_for(parse: Parse, found: Entity) -> Target | None:
    """The innermost entity that has to do with this one. Of two, what was named last with a preposition."""
    for target in parse.targets():
        if target.entity is not found and paths.path(target.entity.name, found.name):
            return target
    return None


# States


def state_of(item: Item, name: str) -> tuple[State, Negation] | None:
    """The state of an entity that a phrase names; "not running" also where only "running" is known."""
    senses = item.senses
    if senses is None:
        return None
    if name in senses.states:
        return senses.states[name], ""
    words = item.said.split()
    if words[0] == "not" and len(words) > 1:
        rest = lexicon().get(words[1:])
        if rest is not None and name in rest.states:
            return rest.states[name], "not"
    return None


def add_state(parse: Parse, item: Item, negation: Negation, target: Target) -> bool:
    """A word for a state, required of the target's rows when it has such a state."""
    found = state_of(item, target.entity.name)
    if found is None:
        return False
    state, turned = found
    piece = state_piece(state, "" if turned and negation else negation or turned)
    if parse.join == "or" and target.pieces:
        parse.join = ""
        last = target.pieces[-1]
        if isinstance(last.condition, Test) and isinstance(piece.condition, Test) and last.dimension == piece.dimension:
            values = (*last.condition.values, *piece.condition.values)
            test = Test(last.condition.column, last.condition.operator, values)
            target.pieces[-1] = Piece(last.dimension, test, f"{last.words} or {piece.words}")
            return True
        target.pieces[-1] = Piece(
            last.dimension, AnyOf((last.condition, piece.condition)), f"{last.words} or {piece.words}"
        )
        return True
    if parse.compare and any(_contradicts(known, piece) for known in target.pieces):
        parse.unresolved.append(item.text)  # "more stopped than running vms": states against each other
        return True
    if parse.join == "and" and target.pieces and _contradicts(target.pieces[-1], piece):
        # "stopped and suspended vms": nobody means machines that are both.
        parse.join = "or"
        return add_state(parse, item, negation, target)
    target.add(piece)
    return True


def _contradicts(one: Piece, other: Piece) -> bool:
    return (
        one.dimension == other.dimension
        and isinstance(one.condition, Test)
        and isinstance(other.condition, Test)
        and one.condition.operator == other.condition.operator == "="
        and one.condition.column == "status"
    )


# Attributes and quantities


_BYTES = {"bytes": 1, "MB": 2**20, "GB": 2**30}


def _amount(attribute: Attribute, value: float) -> str:
    """A number in the unit that reads best: 16384 MB -> "16 GB"."""
    if attribute.unit not in _BYTES:
        return f"{value:g}"
    size = value * _BYTES[attribute.unit]
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:g} {unit}"
        size /= 1024
    return f"{size:g} TB"


def column_piece(one: Entity, attribute: Attribute, quantity: Quantity, negation: Negation = "") -> Piece | None:
    """A number compared with a column; None when the unit does not fit."""
    try:
        wanted = in_unit(quantity, attribute.role)
    except ValueError:
        return None
    said = attribute.words[0] if attribute.words else attribute.title
    comparison = wanted.comparison or "="
    amount = partial(_amount, attribute)
    condition: Condition
    if wanted.upper is not None:
        condition = All((Test(attribute.column, ">=", (wanted.value,)), Test(attribute.column, "<=", (wanted.upper,))))
        words = f"with {amount(wanted.value)} to {amount(wanted.upper)} {said}"
    elif comparison == "!=":
        condition = Not(Test(attribute.column, "=", (wanted.value,)))
        words = f"with other than {amount(wanted.value)} {said}"
    else:
        condition = Test(attribute.column, comparison, (wanted.value,))
        words = f"with {_SAID[comparison]}{amount(wanted.value)} {said}"
    piece = Piece(f"column:{attribute.column}", condition, words)
    return piece.negated() if negation else piece


_SAID = {"=": "", "<": "less than ", "<=": "at most ", ">": "more than ", ">=": "at least "}


def compare(parse: Parse, item: Item, quantity: Quantity) -> bool:
    """An attribute with its number, required of the innermost entity that has such a column."""
    for target in parse.targets():
        attribute = attribute_of(target.entity, item)
        if attribute is None or not attribute.is_number:
            continue
        piece = column_piece(target.entity, attribute, quantity, parse.take_negation())
        if piece is not None:
            _either(parse, target, piece)
            return True
    return False


def _either(parse: Parse, target: Target, piece: Piece) -> None:
    """ "4 vcpus or 8 vcpus", "less than 2 GB ram or more than 32 GB ram": one of the two is enough."""
    last = target.pieces[-1] if target.pieces else None
    before = [one for one in parse.items[max(parse.at - 3, 0) : parse.at] if not one.only(("filler",))]
    joined = any(one.is_concept("or") for one in before)
    if last is None or not joined or not last.dimension.startswith("column:"):
        target.add(piece)
        return
    target.pieces[-1] = Piece(
        piece.dimension, AnyOf((last.condition, piece.condition)), f"{last.words} or {piece.words}"
    )


def sized(parse: Parse, quantity: Quantity) -> bool:
    """A size without a word for what: the column that "large" means."""
    for target in parse.targets():
        one = target.entity
        if not one.size or one.attributes[one.size].role not in SIZES:
            continue
        if target.owned and one.name in ("server", "hypervisor") and parse.head and parse.head.entity.size:
            continue  # "volumes of stopped vms bigger than 100 GB"
        piece = column_piece(one, one.attributes[one.size], quantity, parse.take_negation())
        if piece is not None:
            _either(parse, target, piece)
            if one.name in ("server", "hypervisor", "flavor"):
                parse.doubt(0.9)
            return True
    return False


def valued(parse: Parse, item: Item, value: str, negation: Negation = "") -> bool:
    """ "os ubuntu", "protocol tcp": a text column with its value."""
    if not _PLAIN.fullmatch(value):
        return False
    for target in parse.targets():
        attribute = attribute_of(target.entity, item)
        if attribute is None or attribute.role in ("time", "bool"):
            continue
        if attribute.is_number:
            return False
        operator = "contains" if attribute.role in ("text", "list") and attribute.column != "visibility" else "="
        if attribute.role == "address" and ":" not in value and value.rstrip(".*").count(".") < 3:
            operator, value = "starts", value.rstrip("*")  # "10.11."
        condition: Condition = Test(attribute.column, operator, (value,))  # type: ignore[arg-type]
        said = attribute.words[0] if attribute.words else attribute.title
        piece = Piece(f"column:{attribute.column}", condition, f"with {said} {value}")
        target.add(piece.negated() if negation else piece)
        return True
    return False


def presence(parse: Parse, item: Item, negation: Negation) -> bool:
    """ "without floating ip", "with a key pair": whether a column has any value."""
    for target in parse.targets():
        attribute = attribute_of(target.entity, item)
        if attribute is None:
            continue
        said = attribute.words[0] if attribute.words else attribute.title
        column = attribute.column
        if negation:
            target.add(Piece(f"column:{column}", Test(column, "none"), f"without {said}"))
        else:
            target.add(Piece(f"column:{column}", Test(column, "any"), f"with {said}"))
        return True
    return False


def pattern(parse: Parse, text: str, operator: str) -> bool:
    """ "starting with web": a part of the name."""
    for target in parse.targets() or []:
        one = target.entity
        words = {"starts": "starting with", "ends": "ending with", "contains": "containing", "=": "called"}[operator]
        piece = Piece("name", Test(one.name_column, operator, (text.strip("*"),)), f"{words} {text}")  # type: ignore[arg-type]
        target.add(piece.negated() if parse.take_negation() else piece)
        return True
    return False
