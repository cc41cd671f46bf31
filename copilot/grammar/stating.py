"""Words for states: of which entity, or a verb after all ("running on")."""

from __future__ import annotations

from copilot.grammar import attaching
from copilot.grammar.items import Item
from copilot.grammar.parse import Parse, state_piece
from copilot.query import Test, both


def take_state(parse: Parse, item: Item) -> bool:
    """A word for a state: of the entity that follows, of the innermost that has it, or of one still to come."""
    senses = item.senses
    assert senses is not None
    if not senses.states:
        return False
    following = parse.next()
    if parse.grouping:
        return _of_ranked(parse, item, following)
    step = 1
    while (
        following is not None and following.senses and following.senses.states and not following.entities and step < 3
    ):
        step += 1
        ahead = parse.next(step)
        if ahead is None:
            break
        if ahead.entities:
            following = ahead  # "stopped windows vms"
            break
        if not (ahead.senses and ahead.senses.states):
            break
    before = parse.before()
    if item.said in ("used", "allocated", "in use") and before is not None and before.columns and before.used:
        item.used = not before.entities or parse.head is None
        if item.used:
            return True  # "storage used per tenant"
    if item.said in ("used", "in use") and following is not None and _used_by(parse, following):
        parse.used_by, item.used = True, True  # "images used in acme-prod"
        return True
    if item.said in ("not used", "not in use", "unused") and following is not None and _used_by(parse, following):
        parse.used_by, item.used, parse.negation = True, True, "not"  # "flavors not used in acme-prod"
        return True
    if item.said == "running" and following is not None and parse.head and _says_what(parse, following):
        item.used = True  # "vms running windows"
        return True
    if item.said in ("not running", "not using") and following is not None and _says_what(parse, following):
        parse.negation, item.used = "not", True  # "not running ubuntu"
        return True
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
        bound = parse.having or parse.prep or parse.superlative or parse.negation == "no"
        if own is not None and (bound or not (senses.concepts and _is_verb(parse, item))):
            # "without stopped vms": the "without" is about the machines.
            said = "" if parse.negation == "no" else parse.take_negation()
            parse.waiting_states.append((item, said))
            item.used = True
            return True
    if _of_counted(parse, item):
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


def _of_ranked(parse: Parse, item: Item, following: Item | None) -> bool:
    """ "top 3 hosts by running vms": the state is of what they are ranked by."""
    for name in following.entities if following is not None and parse.head is not None else ():
        found = attaching.state_of(item, name)
        if found is None or (parse.head is not None and name == parse.head.entity.name):
            continue
        piece = state_piece(found[0], found[1])
        parse.counted_where[name] = piece.condition
        parse.counted_words = f"{parse.counted_words} {piece.words}".strip()
        item.used = True
        return True
    return False


def _of_counted(parse: Parse, item: Item) -> bool:
    """ "the host with the most vms in error": the state is of what is counted."""
    said = parse.order[-1][0] if parse.order else None
    if said is None or said is not parse.before() or parse.order[-1][1] not in ("most", "fewest", "each"):
        return False
    for name in said.entities:
        found = attaching.state_of(item, name)
        if found is None or (parse.head is not None and name == parse.head.entity.name):
            continue
        piece = state_piece(found[0], parse.take_negation() or found[1])
        known = parse.counted_where.get(name)
        parse.counted_where[name] = both(known, piece.condition) if known is not None else piece.condition
        parse.counted_words = f"{parse.counted_words} {piece.words}".strip()
        item.used = True
        return True
    return False


def _used_by(parse: Parse, following: Item) -> bool:
    """Whether it is said by whom a kind of things is used."""
    behind = parse.next(2)
    joins = following.is_concept("in", "on", "of", "belong") or following.said == "by"
    named = behind is not None and any(one.type in ("project", "domain", "hypervisor", "user") for one in behind.named)
    return (
        joins
        and named
        and parse.head is not None
        and parse.head.entity.name in ("image", "flavor", "keypair", "network")
    )


def _says_what(parse: Parse, following: Item) -> bool:
    """Whether what follows "not running" is what runs: an image, a flavor, an operating system."""
    if any(one.type in ("image", "flavor") for one in following.named):
        return True
    state = following.senses.states.get("server") if following.senses else None
    return state is not None and isinstance(state.condition, Test) and state.condition.column == "boot_image_name"


def _is_small(parse: Parse, item: Item, following: Item | None) -> bool:
    """ "on", "off", "in", "out": states only where nothing else makes sense of them."""
    word = item.said
    if word in ("in", "out"):
        targets = {target.entity.name for target in parse.targets()} | set(following.entities if following else ())
        return "security_group_rule" not in targets
    return word in ("on", "off") and (
        following is not None or bool(parse.asked) or (parse.head is None and not parse.subject and not parse.follow)
    )


def _is_verb(parse: Parse, item: Item) -> bool:
    """Whether "running" or "used" joins two things here: it stands between an entity and what follows."""
    following = parse.next()
    if following is None:
        return False
    counted = parse.next(2) if following.quantity is not None else None  # "hosts running more than 10 vms"
    joins = following.named or following.entities or following.value or (counted is not None and counted.entities)
    return bool(parse.head is not None and joins and item.is_concept("with", "belong") and not parse.negation)


def _adjective(parse: Parse, item: Item) -> bool:
    """Whether a word that is an entity, too, is a state here: right behind a verb or before nothing."""
    before = parse.before()
    return before is not None and before.is_concept("is", "not")
