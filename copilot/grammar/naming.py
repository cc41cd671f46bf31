"""Names of a question: which of several things of that name is meant, and what it limits."""

from __future__ import annotations

import re
from dataclasses import replace

from copilot.answers import Named
from copilot.grammar.frames import Piece
from copilot.grammar.items import Item
from copilot.grammar.parse import AFTER, PREFERRED, Negation, Parse, Target, attribute_of
from copilot.model import paths
from copilot.model.registry import entity
from copilot.query import Not, Related, both
from copilot.reading import Ambiguity

PART = 0.78  # doubt where only a part of a name was typed, and no word for what it is
_SLIP = 80  # of 100, for a name that was typed with a slip
# Kinds of things rather than things: one of the same name in each cloud or project, all of them meant.
_KINDS = (
    "flavor", "image", "volume_type", "availability_zone", "role", "keypair", "security_group", "storage_pool",
        "aggregate", "group",
)  # fmt: skip
_PREPOSITIONS = {
    "cloud": "in",
    "region": "in",
    "project": "in",
    "domain": "in",
    "hypervisor": "on",
    "network": "on",
    "availability_zone": "in",
}


def choose(parse: Parse, item: Item, wanted: tuple[str, ...] = ()) -> tuple[Named, ...]:
    """The resources that a name stands for: of one type, and one resource unless the name is not unique.

    An ambiguity among resources of that type is noted for asking back, and () answered.
    """
    candidates = item.named if item.exact else _same_numbers(item)
    if not candidates:
        parse.unresolved.append(item.text)
        return ()
    order = (*wanted, *AFTER.get(parse.prep, ()), *PREFERRED)
    if len({one.type for one in candidates}) > 1:
        types = {one.type for one in candidates}
        best = min(types, key=lambda name: order.index(name) if name in order else len(order))
        candidates = tuple(one for one in candidates if one.type == best)
    if len(candidates) > 1:
        candidates = _told_apart(parse, item, candidates)
    same = len({one.name.casefold() for one in candidates}) == 1
    if item.typed_as and candidates == tuple(one for one in parse.selected if one.type == item.typed_as):
        return candidates
    if len(candidates) > 1 and same and item.exact and candidates[0].type in _KINDS:
        return candidates
    if len(candidates) > 1:
        parse.ambiguous.append(Ambiguity(item.text, candidates))
        return ()
    if not item.exact:
        parse.doubt(0.97 if item.typed_as or _is_slip(item, candidates[0]) else PART)
    return candidates


def _same_numbers(item: Item) -> tuple[Named, ...]:
    """Those whose names have the numbers that were typed: web-01 is not a slip for web-06."""
    typed = {int(digits) for digits in re.findall(r"\d{1,9}", item.text)}
    return tuple(one for one in item.named if typed <= {int(digits) for digits in re.findall(r"\d{1,9}", one.name)})


def _is_slip(item: Item, named: Named) -> bool:
    """Whether the name was typed with a slip, rather than a part of it."""
    from rapidfuzz import fuzz

    return fuzz.ratio(item.text.casefold(), named.name.casefold()) >= _SLIP


def _told_apart(parse: Parse, item: Item, candidates: tuple[Named, ...]) -> tuple[Named, ...]:
    """Those that something else in the question tells from the others: "web-03 in project acme-prod"."""
    told = parse.names.told_apart(candidates)
    for other in parse.items:
        if other is item or not other.named:
            continue
        name = other.named[0].name.casefold()
        kept = tuple(one for one, words in zip(candidates, told, strict=True) if words.casefold().endswith(f" {name}"))
        if len(kept) == 1:
            other.used = other.dropped = True
            return kept
    return candidates


def on_name(parse: Parse, item: Item) -> None:
    """A name: what the question is about, or what it is limited to."""
    item.used = True
    wanted = _wanted(parse, item)
    found = choose(parse, item, wanted)
    if not found:
        return
    inner = parse.current is not None and parse.current is not parse.head
    if parse.join and inner and parse.current and not any(p.named for p in parse.current.pieces):
        parse.current = parse.head  # "with a floating ip and security group default"
    negation = parse.take_negation()
    prep, parse.prep = parse.prep, ""
    scoped = {piece.dimension for piece in parse.head.pieces} if parse.head and parse.join == "or" else set()
    if scoped and scoped.isdisjoint({f"scope:{found[0].type}", "name"}) and not parse.compare:
        parse.unresolved.append("or")  # "vms on cmp-01 or in acme-prod"
    if parse.compare or parse.join == "or":
        parse.join = ""
    if prep and _of_counted(parse, found, negation):
        return
    ranked, kind = parse.order[-1] if parse.order else (None, "")
    head = parse.head.entity if parse.head else None
    through = head and ranked and kind in ("most", "fewest") and attribute_of(head, ranked) is None
    if prep and through and head and ranked and found[0].type not in head.scopes and not ranked.entities:
        parse.unresolved.append(item.text)  # "which project has the most ram on cmp-01"
    by, parse.grouping = parse.grouping and parse.per == "by", parse.grouping and parse.per != "by"
    if not by and _is_subject(parse, found[0], prep, negation):
        parse.subject += found
        return
    if parse.did and any(one.said in ("use", "uses", "using") for one in parse.items[parse.at :]):
        parse.used_by = True  # "which images does acme-prod use"
    inmost = parse.current
    if parse.head is None:
        parse.waiting_named.append((found, negation, prep))
    elif inmost and inmost.negated and prep == "of" and found[0].type not in parse.head.entity.scopes:
        limit(parse, found, negation, inmost)  # "hosts that do not have vms of acme-prod"
    else:
        limit(parse, found, negation)


def _of_counted(parse: Parse, named: tuple[Named, ...], negation: Negation) -> bool:
    """ "the host with the most vms of acme-prod": what is counted is limited, not the hosts."""
    item, kind = parse.order[-1] if parse.order else (None, "")
    if item is None or kind not in ("most", "fewest", "each") or not item.entities or parse.head is None:
        return False
    name = next((one for one in item.entities if one != parse.head.entity.name), None)
    condition = paths.belongs_to_any(entity(name), named) if name else None
    if name is None or condition is None or negation:
        return False
    known = parse.counted_where.get(name)
    parse.counted_where[name] = both(known, condition) if known is not None else condition
    parse.counted_words = f"{parse.counted_words} {belonging(Target(entity(name)), named).words}".strip()  # type: ignore[union-attr]
    return True


def _wanted(parse: Parse, item: Item) -> tuple[str, ...]:
    """Types that the words around speak for."""
    if item.typed_as:
        return (item.typed_as,)
    known = parse.subject[-1:] or [one for found, _, _ in parse.waiting_named[-1:] for one in found]
    if parse.join in ("and", "or") and known:
        return (known[0].type,)
    scoped = [named.type for target in parse.targets() for piece in target.pieces for named in piece.named]
    if parse.join in ("and", "or") and scoped:
        return (scoped[-1],)
    return ()


def _is_subject(parse: Parse, named: Named, prep: str, negation: Negation) -> bool:
    """Whether the question is about the named resource itself rather than about what is in it."""
    if negation or parse.grouping:
        return False
    if parse.head is None:
        return not (prep in ("in", "on", "belong") and not parse.asked)
    return parse.head.entity.name == named.type and not prep


def limit(parse: Parse, named: tuple[Named, ...], negation: Negation = "", target: Target | None = None) -> bool:
    """Rows of the innermost entity that has to do with it must belong to the named resource."""
    for one in [target] if target else parse.targets():
        if one is None or (
            target is None and one.negated and one is not parse.head
        ):  # "volumes without snapshots in acme-prod"
            continue
        piece = _of_users(one, named) if parse.used_by else None
        piece = piece or belonging(one, named)
        if piece is None:
            continue
        if one is parse.head and parse.current is not None and parse.current.negated:
            parse.current = one
        apart = piece.dimension in _SEVERAL and any(item.said == "both" for item in parse.items)
        joined = (not apart and _joined(one, piece, negation)) or (not negation and _in_one_grant(one, piece))
        if not joined:
            one.add(piece.negated() if negation else piece)
        return True
    if named:
        parse.unresolved.append(named[0].name)
    return False


def belonging(target: Target, named: tuple[Named, ...]) -> Piece | None:
    """What it requires to belong to one of these."""
    condition = paths.belongs_to_any(target.entity, named)
    if condition is None:
        return None
    kind = named[0].type if named[0].type in ("cloud", "region") else entity(named[0].type).singular
    if named[0].type == target.entity.name:
        dimension, words = "name", "called " + " or ".join(dict.fromkeys(one.name for one in named))
    else:
        dimension = f"scope:{named[0].type}"
        prep = _PREPOSITIONS.get(named[0].type, "of")
        words = f"{prep} {kind} {' or '.join(dict.fromkeys(one.name for one in named))}"
    return Piece(dimension, condition, words, named)


# A machine may have several of them: "in both networks".
_SEVERAL = ("scope:network", "scope:security_group", "scope:subnet")
# Kinds of things that machines use, and what leads to them.
_USERS = {"image": "server", "flavor": "server", "network": "server", "keypair": "server", "volume_type": "volume"}


def _of_users(target: Target, named: tuple[Named, ...]) -> Piece | None:
    """ "images used in acme-prod": those that its machines use."""
    user = _USERS.get(target.entity.name)
    if target.entity.name in ("project", "domain") and named[0].type in _USERS:
        user = _USERS[named[0].type]  # "which tenants use image ubuntu-22.04"
    elif user is None or named[0].type not in ("project", "domain", "hypervisor", "user", "aggregate"):
        return None
    inner = paths.belongs_to_any(entity(user), named)
    way = paths.related(target.entity.name, user, inner) if inner is not None else None
    if way is None:
        return None
    words = f"used {_PREPOSITIONS.get(named[0].type, 'by')} {' or '.join(one.name for one in named)}"
    return Piece(f"scope:{named[0].type}", way, words, named)


def _in_one_grant(target: Target, piece: Piece) -> bool:
    """ "users with role admin on acme-prod": one assignment has both."""
    if not (isinstance(piece.condition, Related) and piece.condition.relation == "role_assignment"):
        return False
    for at, known in enumerate(target.pieces):
        held = known.condition
        if isinstance(held, Related) and held.relation == "role_assignment" and known.dimension != piece.dimension:
            both_ = replace(held, where=both(held.where, piece.condition.where))
            words = f"{known.words} {piece.words}"
            target.pieces[at] = Piece(known.dimension, both_, words, (*known.named, *piece.named))
            return True
    return False


def _joined(target: Target, piece: Piece, negation: Negation) -> bool:
    """A second name of the same type widens what the first one said: "in acme-prod and retail"."""
    for at, known in enumerate(target.pieces):
        if known.dimension != piece.dimension or not known.named:
            continue
        was_negated = isinstance(known.condition, Not)
        if was_negated != bool(negation) and not was_negated:
            return False
        wider = belonging(target, tuple(dict.fromkeys((*known.named, *piece.named))))
        if wider is not None:
            target.pieces[at] = wider.negated() if was_negated or negation else wider
            return True
    return False
