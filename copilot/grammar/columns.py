"""Words for columns: compared, grouped, sorted by, or asked for."""

from __future__ import annotations

from copilot.grammar import attaching, ranking
from copilot.grammar.frames import Piece
from copilot.grammar.items import Item
from copilot.grammar.ordering import THROUGH
from copilot.grammar.parse import Parse, attribute_of, is_plural
from copilot.model import paths
from copilot.model.registry import entity
from copilot.query import Test

_FIXED = ("per", "for each", "for every", "in each", "each", "grouped by", "group by", "group them by", "grouped")
# Columns that every row has a value in: "with name and status" shows them.
_ALWAYS = ("name", "status", "state", "created_at", "id", "project_name")


def take_column(parse: Parse, item: Item) -> bool:
    """A word for a column: compared, asked for, grouped or sorted by."""
    if not item.columns:
        return False
    following = parse.next()
    if following is not None and following.text in ("=", ":", "~"):  # "status=SHUTOFF"
        following.used = following.dropped = True
        if following.text == "~":
            parse.unresolved.append(f"{item.text} ~")
        following = parse.next(2)
    common = bool(parse.order) and parse.order[-1][0] is None and parse.order[-1][1] in ("busiest", "idlest")
    if common and parse.head is None and not item.entities:  # "most common os"
        _, kind = parse.order.pop()
        parse.groups.append(item)
        parse.fixed.append(item)
        parse.descending, parse.count, item.used = kind == "busiest", True, True
        parse.limit = parse.limit or 1
        parse.asked.append((item, ""))
        return True
    if parse.wh == "who" and parse.superlative in ("most", "fewest") and parse.head is None and not is_plural(item):
        parse.set_head(entity("project"))  # "who uses the most disk"
    if parse.groups and parse.join == "and" and parse.groups[-1] is parse.items[parse.at - 2]:
        parse.grouping, parse.join = True, ""  # "by project and type"
    if parse.grouping:
        parse.grouping = False
        ranks = parse.limit is not None or parse.top or parse.superlative
        if ranks and not item.entities:  # "top 5 vms by ram"
            parse.order.append((item, "smallest" if parse.top == "bottom" else parse.superlative))
            parse.superlative = ""
        else:
            parse.groups.append(item)
            parse.fixed += [item] if parse.per in _FIXED else []
        item.used = True
        return True
    if parse.sorting:
        parse.sorting = False
        parse.order.append((item, ""))
        item.used = True
        return True
    is_head = bool(item.entities) and (parse.head is None or parse.superlative in ("largest", "smallest"))
    between = parse.superlative in ("most", "fewest") and parse.head is not None and bool(item.entities)
    between = between and not ranking.ranks(parse, entity(item.entities[0]))  # "most vms on one host"
    wanted = parse.superlative in ("most", "fewest", "largest", "smallest") and not between
    if wanted and not is_head and _fits(parse, item):
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
    counted = parse.quantity is not None and not parse.quantity.unit and is_counted(item) and are_related(parse, item)
    if parse.quantity is not None and not counted and attaching.compare(parse, item, parse.quantity):
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
        if attribute is not None and attribute.role == "name" and not item.entities and attribute.column != "name":
            # "users with default project acme-prod"
            test = Test(attribute.column, "=", (following.named[0].name,))
            target.add(Piece(f"column:{attribute.column}", test, f"with {item.said} {following.named[0].name}"))
            following.used = following.dropped = True
            parse.having = False
            return True
    return False


def _asked(parse: Parse, item: Item, following: Item | None) -> bool:
    """A column that is no entity: with its value behind it, there or not there, or asked for."""
    before = parse.items[parse.at - 1].said if parse.at else ""
    plain = (
        parse.head is not None
        and (own := attribute_of(parse.head.entity, item)) is not None
        and (own.column in _ALWAYS or own.is_number)
    )
    if plain and parse.having and not parse.negation:
        parse.listing = True
    listed = plain or before in ("their", "its") or (parse.having and bool(parse.asked) and parse.join == "and")
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
    if item.said.startswith("with ") and parse.head is not None and attaching.presence(parse, item, ""):
        item.used = True  # "images with tags"
        return True
    concepts = item.senses.concepts if item.senses else []
    if concepts and not any(attribute_of(target.entity, item) for target in parse.targets()):
        return False  # "made", "taken": a column of another list hides what the word does here
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
    if parse.head is None or attribute_of(parse.head.entity, item) is not None:
        return True
    return any(column in THROUGH for columns in item.columns.values() for column in columns)


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
    if parse.asked or is_plural(item) or parse.superlative:
        return False
    if parse.wh == "how_much":
        return True
    following = parse.next()
    behind = parse.next(2)
    if parse.measure == "sum" and parse.head is None and following is not None:
        # "total disk of vms" is a column; "total volumes in acme" is not.
        return (
            following.is_concept("of", "with", "do", "in")
            and behind is not None
            and (bool(behind.entities) or bool(behind.named))
        )
    step = 2
    while behind is not None and not behind.entities and behind.senses and behind.senses.states:
        step += 1
        behind = parse.next(step)  # "average disk of running vms"
    return parse.of_values and parse.head is None and behind is not None and bool(behind.entities)


def _entity_as_column(parse: Parse, item: Item) -> bool:
    """ "which host is web-03 on": a word that is both; a column where a named resource has such a one."""
    if _of_selected(parse, item):
        return True
    singular = not is_plural(item)
    if singular and parse.head is None and parse.asked and parse.join == "and" and not parse.measure:
        parse.asked.append((item, ""))  # "name, ip and host of ..."
        item.used, parse.join = True, ""
        return True
    if singular and parse.having and parse.head is not None and parse.head is parse.current and not parse.negation:
        attribute = attribute_of(parse.head.entity, item)
        if attribute is not None and parse.quantity is None and attribute.column in parse.head.entity.scopes.values():
            parse.asked.append((item, ""))  # "vms with host and ip": each has one, so it is to be shown
            item.used, parse.listing = True, True
            return True
    if parse.head is not None or parse.count or parse.having or parse.negation or parse.prep:
        return False
    following = [one for one in parse.items[parse.at + 1 :] if one.named]
    types = {one.type for one in following[0].named} if following else set()
    others = [
        one
        for one in parse.items[parse.at + 1 :]
        if one.entities and not one.named and (is_plural(one) or not types & set(one.columns))
    ]
    behind = parse.next()
    if behind is not None and behind.is_concept("belong"):
        return False
    plural = is_plural(item)
    if not following or others or parse.wh not in ("which", "what", ""):
        return False
    named = next((name for name in item.columns if name in types), None)
    if named is None or named in item.entities:
        return False
    if entity(named).attributes[item.columns[named][0]].is_number:
        return False
    if plural and not entity(named).attributes[item.columns[named][0]].is_list:  # "volumes of project acme-prod"
        return False
    if any(one.is_concept("not", "no", "except") for one in parse.items[parse.at + 1 :]):
        parse.doubt(0.7)  # "hosts not in az-east"
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


def is_counted(item: Item) -> bool:
    """Whether a number without a unit counts these rather than measures: "3 disks", also "1 disk"."""
    return is_plural(item) or item.said in ("disk", "volume", "data disk")


def are_related(parse: Parse, item: Item) -> bool:
    """Whether rows of an entity of the question may have some of these."""
    return any(
        target.entity.name != name and paths.path(target.entity.name, name)
        for target in parse.targets()
        for name in item.entities
    )
