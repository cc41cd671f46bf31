"""From a parse to a frame: what the head is, what belongs to it, and what is made of its rows."""

from __future__ import annotations

from dataclasses import replace as dc_replace

from copilot.answers import Context, Named
from copilot.grammar import comparing, naming, ordering, tallying, timing, wording
from copilot.grammar.attaching import add_state, sized, state_of
from copilot.grammar.frames import Form, Frame, Piece
from copilot.grammar.items import Item
from copilot.grammar.lexicon import lexicon
from copilot.grammar.parse import PREFERRED, Parse, attribute_of, close
from copilot.model import paths
from copilot.model.declaration import Attribute, Entity
from copilot.model.registry import entity
from copilot.query import Measure

# Whose column a word is when no entity was named: "how much storage does acme-prod use?"
_OWNERS = ("server", "volume", "hypervisor", "storage_pool", "image", "quota")
_STORAGE = (
    "disk size",
    "volume size",
    "disk usage",
    "disk",
    "storage",
    "disk space",
    "space",
    "gb",
    "gigabyte",
    "capacity",
    "size",
    "gig",
)
# What is meant by "what is on ..." without a word for it.
_CONTENTS = {
    "hypervisor": "server", "flavor": "server", "image": "server", "keypair": "server", "server_group": "server",
    "availability_zone": "server", "aggregate": "hypervisor", "network": "server", "volume_type": "volume",
        "storage_pool": "volume",
    "volume": "server", "security_group": "server", "server": "volume", "subnet": "port", "router": "network",
        "user": "server",
    "project": "server", "domain": "project", "cloud": "server", "region": "server",
}  # fmt: skip


def finish(parse: Parse, context: Context) -> Frame | None:
    """The frame; None when nothing says what is asked for."""
    head = _head(parse)
    if head is None:
        return None
    timing.of_related(parse)
    _close_children(parse)
    target = parse.head
    assert target is not None
    if wording.defines(parse):
        parse.unresolved.append(f"what {head.plural} are")
    wording.asked_by_word(parse, head)
    moment = timing.timed(parse, head, context)
    if moment.piece is not None:
        target.add(moment.piece.negated() if parse.take_negation() else moment.piece)
    if "same" in parse.follow:
        parse.unresolved.append("same")  # "on the same host as web-01"
    frame = comparing.compared(parse, head, _framed(parse, head, tuple(target.pieces)))
    if parse.compare in ("more", "fewer") and frame.form != "compare" and frame.expected is None:
        parse.unresolved.append(parse.compare)  # more than what?
    if parse.wh == "is" and frame.form == "value":
        parse.doubt(0.7)  # "is there space on cmp-02": a number is no yes
    if frame.group and (frame.expected is not None or frame.form in ("yes_no", "every")):
        parse.unresolved.append("per")  # "is there at least one vm per host"
    scope = tuple(piece.words for piece in frame.pieces if piece.dimension.startswith("scope:"))
    scope = (*scope, *((parse.counted_words,) if parse.counted_words else ()))
    return _with(
        frame, at=moment.at, gone=moment.gone, scope_words=(*scope, *((moment.words,) if moment.words else ()))
    )


def _with(frame: Frame, **values: object) -> Frame:
    return dc_replace(frame, **values)  # type: ignore[arg-type]


# What is asked for


def _head(parse: Parse) -> Entity | None:
    if parse.head is None:
        name = _default_head(parse)
        if name is None:
            return None
        parse.set_head(entity(name))
        assert parse.head is not None
        for item, said in parse.waiting_states:
            if not add_state(parse, item, said, parse.head) and not item.is_concept("with", "belong"):
                parse.unresolved.append(item.text)
        for named, said, _ in parse.waiting_named:
            naming.limit(parse, named, said)
        for piece in parse.waiting:
            parse.head.add(piece)
        parse.waiting_states, parse.waiting_named, parse.waiting = [], [], []
    if parse.quantity and parse.quantity.unit and parse.subject and parse.wh == "is" and sized(parse, parse.quantity):
        parse.quantity = None  # "is db-01-data1 bigger than 50 GB"
    if parse.subject:
        _limit_to_subject(parse)
    return parse.head.entity


def _limit_to_subject(parse: Parse) -> None:
    by_type: dict[str, list[Named]] = {}
    for one in parse.subject:
        by_type.setdefault(one.type, []).append(one)
    assert parse.head is not None
    for named in by_type.values():
        naming.limit(parse, tuple(named), "", parse.head)
    if parse.wh == "is" and parse.predicate_from is None and parse.head.entity.name in by_type:
        # "is web-03 running": everything but the name is what is asked.
        named_first = [piece for piece in parse.head.pieces if piece.dimension == "name"]
        rest = [piece for piece in parse.head.pieces if piece.dimension != "name"]
        parse.head.pieces = [*named_first, *rest]
        parse.predicate_from = len(named_first)


def _default_head(parse: Parse) -> str | None:
    _plain_usage(parse)
    group = parse.groups[0].entities[0] if parse.groups and parse.groups[0].entities else None
    if group and parse.compare:
        parse.groups.pop(0)  # "compare acme-prod and acme-dev by vms"
        return group
    if group and parse.asked and not parse.subject:
        owner = _owner(parse, set())
        if owner == group:
            parse.groups.pop(0)  # "average ram per vm"
        return owner
    if parse.subject:
        types = {one.type for one in parse.subject}
        kind = parse.subject[0].type
        runs = any("server" in item.senses.states for item, _ in parse.waiting_states if item.senses)
        if kind == "hypervisor" and parse.wh in ("what", "which", "who") and runs and not parse.asked:
            parse.waiting_states = []  # "what is running here": everything that is on it
            return "server"
        if parse.asked and parse.measure == "" and kind in {name for item, _ in parse.asked for name in item.columns}:
            return kind
        if parse.waiting_states and all(state_of(item, kind) is not None for item, _ in parse.waiting_states):
            return kind
        owner = _owner(parse, types)
        if owner is not None:
            return owner
        if parse.waiting_states and runs and kind in ("project", "hypervisor", "domain") and not parse.wh:
            parse.doubt(0.9)
            return "server"  # "acme-prod stopped"
        if parse.used_by and parse.wh == "is" and kind in ("flavor", "image", "network", "keypair", "volume_type"):
            return _CONTENTS[kind]  # "does anyone use flavor r1.big"
        return kind if wording.asks(parse) else None
    if parse.asked or any(item is not None for item, _ in parse.order):
        bare = not (parse.waiting_named or parse.waiting_states or parse.groups or parse.order or parse.periods)
        owner = _owner(parse, {one.type for found, _, _ in parse.waiting_named for one in found})
        own = owner is not None and any(item.said.split()[0] in entity(owner).words for item, _ in parse.asked)
        if bare and not own and not parse.measure and not parse.count:
            parse.doubt(0.6)  # "list all regions", "project ids": of what?
        return owner
    if parse.waiting_states:
        states = [set(item.senses.states) for item, _ in parse.waiting_states if item.senses]
        shared = set.intersection(*states) if states else set()
        parse.doubt(0.9 if "server" in shared or len(shared) == 1 else 0.7)
        return min(
            shared, key=lambda name: PREFERRED.index(name) if name in PREFERRED else len(PREFERRED), default=None
        )
    if parse.waiting_named:
        named, _, _ = parse.waiting_named[0]
        parse.doubt(0.95)
        return _CONTENTS.get(named[0].type)
    return None


def _plain_usage(parse: Parse) -> None:
    """ "vcpus used by tenant acme", "ram usage per project": of servers, though a host has a column of that name."""
    of_projects = any(one.type in ("project", "domain", "user") for one in parse.subject) or any(
        one.type in ("project", "domain", "user") for found, _, _ in parse.waiting_named for one in found
    )
    if not of_projects and not any(set(item.entities) & {"project", "domain", "user"} for item in parse.groups):
        return
    for at, (item, kind) in enumerate(parse.asked):
        plain = _without_use(item)
        if "server" not in item.columns and plain is not None:
            parse.asked[at] = (plain, kind or "sum")


def _without_use(item: Item) -> Item | None:
    """ "vcpus used" as "vcpus", where it is made of two words."""
    plain = lexicon().without_use(item.said)
    return None if plain is None else dc_replace(item, senses=plain[1], said=plain[0])


def _owner(parse: Parse, types: set[str]) -> str | None:
    """Whose columns are asked for, when only what they are limited to was named."""
    said = [item for item, _ in parse.asked] or [item for item, _ in parse.order if item is not None]
    names = [set(item.columns) for item in said if item.columns]
    if not names:
        return None
    shared = set.intersection(*names)
    for kind in types:
        if kind in shared and not parse.of_values:  # one thing has one value
            return kind
    words = {item.said for item in said}
    if words & set(_STORAGE) and "volume" in shared:
        return "volume"
    found = next((name for name in _OWNERS if name in shared), None)
    return found if found is None or all(paths.path(found, kind) for kind in types) else None


def _close_children(parse: Parse) -> None:
    for child in reversed(parse.children):
        piece = close(child)
        if piece is None or child.parent is None:
            parse.unresolved.append(child.entity.singular)
        else:
            child.parent.add(piece)


# What is made of it


def _framed(parse: Parse, head: Entity, pieces: tuple[Piece, ...]) -> Frame:
    plural = _is_plural(parse, head)
    group, through = ordering.group_columns(parse, head)
    order = ordering.ordered(parse, head, plural)
    measure, columns = _measured(parse, head)
    if order.order and order.limit == 1 and measure.column and not group:  # "how much ram does the biggest vm have"
        columns, measure = [*columns, measure.column], Measure()
    form, predicate, kept = _form(parse, measure, pieces)
    columns = [*order.columns, *columns] if order.columns or columns else []
    averaged = tallying.average_count(parse, head, pieces)
    if averaged is not None:
        return averaged
    extreme = order.order[0] if group and order.order and measure.kind == "rows" and not order.counted else None
    if extreme is not None and extreme[0] not in group:  # "largest volume per project"
        kept = pieces
        ranked = head.attributes.get(extreme[0])
        if parse.superlative in ("most", "fewest"):
            parse.unresolved.append(parse.superlative)  # "by which user were most vms created"
        if ranked is None or not (ranked.is_number or ranked.role == "time"):
            parse.unresolved.append(extreme[0])  # "vms by project and name"
        measure = Measure("maximum" if extreme[1] else "minimum", extreme[0])
        order, form, columns = ordering.Order(order=[("#", extreme[1])]), "value", []
    if through is not None:
        return tallying.counted_for(through, head, pieces, measure, order)
    if (
        head.name in tallying.KINDS
        and order.counted
        and order.limit
        and not group
        and all(piece.named for piece in pieces)
    ):
        return tallying.by_name(head, order, pieces)
    if measure.kind == "count" and order.counted and order.limit and not group and parse.expected is None:
        measure, form = Measure(), "list"  # "how many vms does the busiest host have"
    if group and measure.kind == "rows":
        measure = Measure("count")
        form = "count" if form in ("list", "lookup") else form
    shown = _columns(head, columns) if columns and measure.kind == "rows" else ()
    return Frame(
        head.name,
        form,
        kept,
        predicate,
        measure,
        group,
        tuple(order.counted),
        _group_order(parse, order, group),
        order.limit,
        columns=shown,
        expected=parse.expected,
        subject=tuple(parse.subject),
        also=tuple(one.name for one in parse.also),
        length=parse.length,
    )


def _group_order(parse: Parse, order: ordering.Order, group: tuple[str, ...]) -> tuple[tuple[str, bool], ...]:
    if not group:
        return tuple(order.order)
    return tuple(order.order) or (("#", parse.descending is not False),)


def _is_plural(parse: Parse, head: Entity) -> bool:
    if any(item.said == "has" for item in parse.items):
        return False  # "which of our tenants has the most"
    content = [item for item in parse.items if not item.only(("filler",))]
    for first, second, third in zip(content, content[1:], content[2:], strict=False):
        asked = first.is_concept("which", "what") or first.named
        if asked and second.said == "is" and third.is_concept("largest", "smallest", "oldest", "newest"):
            return False  # "of the unattached volumes, which is the largest"
    for item in parse.items:
        if head.name in item.entities and not item.named:
            return item.said.split()[-1] in {word.split()[-1] for word in head.plural_words}
    return False


def _measured(parse: Parse, head: Entity) -> tuple[Measure, list[str]]:
    """The measure, and the columns that are asked for."""
    columns: list[str] = []
    measure = Measure("count") if parse.count or parse.expected is not None else Measure()
    for item, kind in parse.asked:
        attribute = attribute_of(head, item)
        if (
            attribute is None and (split := split_measure(item, head)) is not None
        ):  # "total ram" is a column of hosts only
            attribute, kind = split
            if parse.count and any(one.said in ("their", "its") for one in parse.items):
                parse.unresolved.append(item.text)  # "number of vms and their total ram": two numbers
        if attribute is None and (plain := _without_use(item)) is not None:
            attribute, kind = attribute_of(head, plain), kind or "sum"
        first = item.said.split()[0]
        if attribute is not None and first in _MEASURE_WORDS and first != item.said and not parse.subject:
            kind = kind or _MEASURE_WORDS[first]  # "total disk", a column of hosts, of all of them
        attribute = _used(parse, head, attribute) if attribute is not None else None
        if kind and item.said in _STORAGE and attribute is not None and not attribute.is_number and head.size:
            attribute = head.attributes[head.size]  # "how much disk is taken by snapshots"
        if attribute is not None and kind and not (attribute.is_number or attribute.role == "time"):
            parse.unresolved.append(item.text)  # there is no sum of names
        if attribute is not None and parse.count and parse.subject and attribute.column in _SEVERAL:
            attribute = head.attributes.get(_SEVERAL[attribute.column], attribute)
        if attribute is None:
            parse.unresolved.append(item.text)
        elif parse.count and attribute.is_list and parse.subject and _only_about_subject(parse) and not parse.groups:
            columns.append(attribute.column)  # "how many ips does web-01 have"
            measure, parse.length = Measure(), True
        elif parse.count and attribute.column in (*_SEVERAL, *_SEVERAL.values()) and _is_counted(parse, item, head):
            parse.unresolved.append(item.text)  # "how many ips do vms have", "how many ips are used"
        elif attribute.role == "time" and (kind or parse.measure) in ("sum", "average"):
            parse.unresolved.append(f"{kind or parse.measure} {item.text}")
        elif attribute.is_number and (wanted := kind or parse.measure or _implied(parse, head)):
            each = not (kind or parse.measure or parse.count or parse.groups)  # "ram of web-01 and db-01"
            if _looks_up(parse, wanted) or (each and parse.subject and _only_about_subject(parse)):
                columns.append(attribute.column)
                measure = Measure()
            else:
                if measure.column and measure.column != attribute.column:
                    parse.unresolved.append(item.text)  # two sums are two questions
                measure = Measure(wanted, attribute.column)  # type: ignore[arg-type]
        else:
            columns.append(attribute.column)
    if parse.measure and measure.kind in ("rows", "count") and not columns:
        if parse.measure == "sum" and not parse.count and not parse.asked and not parse.order:
            measure = Measure("count")  # "total vms in acme"
        elif parse.of_values and not parse.asked and not parse.groups:
            parse.unresolved.append(parse.measure)
    return measure, columns


def _is_counted(parse: Parse, item: Item, head: Entity) -> bool:
    """Whether the item itself is what "how many" counts, not the head, said behind it or not at all."""
    return not parse.ambiguous and not any(one.start < item.start for one in parse.items if head.name in one.entities)


_SEVERAL = {"ips": "addresses"}  # texts of several, and the lists that are counted instead
_MEASURE_WORDS = {
    "total": "sum", "average": "average", "avg": "average", "mean": "average", "max": "maximum",
        "maximum": "maximum", "min": "minimum",
    "minimum": "minimum", "highest": "maximum", "lowest": "minimum",
}  # fmt: skip


def split_measure(item: Item, head: Entity) -> tuple[Attribute, str] | None:
    """ "total ram" as a measure and the entity's column, where it is no column by itself."""
    first, _, rest = item.said.partition(" ")
    senses = lexicon().get(rest.split()) if first in _MEASURE_WORDS else None
    columns = senses.columns.get(head.name) if senses else None
    return (head.attributes[columns[0]], _MEASURE_WORDS[first]) if columns else None


def _implied(parse: Parse, head: Entity) -> str:
    """ "how many vcpus", "vcpus per project": added up."""
    said = any(item.entities and not item.named for item in parse.items)
    alone = bool(parse.subject or parse.waiting_named) and not said  # "ram acme-prod"
    grouped = bool(parse.groups) and not any(one.type == head.name for one in parse.subject)
    return "sum" if parse.count or grouped or alone else ""


def _used(parse: Parse, head: Entity, attribute: Attribute) -> Attribute:
    """ "how much memory is used on cmp-01": hosts and quotas know what is used by itself."""
    used = head.attributes.get(f"{attribute.column}_used")
    said = any(item.said in ("used", "in use", "allocated", "is used", "occupied", "consumed") for item in parse.items)
    return used if used is not None and said else attribute


def _looks_up(parse: Parse, kind: str) -> bool:
    """ "how much ram does web-03 have": one thing's column is looked up, not added up."""
    return kind == "sum" and len({one.name for one in parse.subject}) == 1 and _only_about_subject(parse)


def _form(
    parse: Parse, measure: Measure, pieces: tuple[Piece, ...]
) -> tuple[Form, tuple[Piece, ...], tuple[Piece, ...]]:
    cut = parse.predicate_from
    if parse.share and parse.asked:
        parse.unresolved.append(f"share of {parse.asked[0][0].text}")  # rows have shares here, sums have not
    if parse.share:
        cut = cut if cut is not None and cut < len(pieces) else max(len(pieces) - 1, 0)
        if parse.predicate_from is None:  # "percentage of unattached volumes in acme-prod"
            cut = 0 if any(not one.dimension.startswith("scope:") for one in pieces) else cut
        if parse.groups and not pieces:
            parse.unresolved.append("share per")  # "percentage of vms per project": all of each are its own
        asked = tuple(one for one in pieces[cut:] if not one.dimension.startswith("scope:")) or pieces[cut:]
        if len(pieces) > 1 and all(one.dimension.startswith("scope:") for one in pieces):
            parse.doubt(0.7)  # "percentage of acme-prod vms on cmp-01": which of the two is the part
        stated = [one for one in asked if one.dimension == "column:status"]
        if len(stated) > 1:
            parse.unresolved.append(stated[1].words)  # "ratio of running to stopped vms"
        return "share", asked, tuple(one for one in pieces if one not in asked)
    if parse.expected is not None:
        return "count", (), pieces
    if parse.wh == "is" and not parse.count and measure.kind == "rows":
        if parse.every and cut is not None and cut < len(pieces):
            asked = tuple(piece for piece in pieces[cut:] if not piece.dimension.startswith("scope:"))
            if asked:
                return "every", asked, tuple(piece for piece in pieces if piece not in asked)
        if cut is not None and cut < len(pieces):
            return "yes_no", pieces[cut:], pieces[:cut]
        return "yes_no", (), pieces
    if measure.kind == "count":
        return "count", (), pieces
    if measure.kind != "rows":
        return "value", (), pieces
    if parse.subject and _only_about_subject(parse):
        return "lookup", (), pieces
    return "list", (), pieces


def _only_about_subject(parse: Parse) -> bool:
    assert parse.head is not None
    return all(one.type == parse.head.entity.name for one in parse.subject)


def _columns(head: Entity, columns: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((head.name_column, *columns)))
