"""Words that ask, compare, join and point: what each does to the parse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from copilot.grammar import attaching
from copilot.grammar.items import Item
from copilot.grammar.lexicon import Senses, lexicon
from copilot.grammar.parse import Parse
from copilot.grammar.stating import take_state

_ASKS = ("which", "what", "who", "whose", "where", "when", "why")
_HAPPENS = ("stopped", "started", "running", "paused", "suspended", "shelved", "in error", "rebooted", "restarted")
_ALONE = ("who", "when", "why")  # two of them are two questions
_MEASURES = {"how_much": "sum", "total": "sum", "average": "average", "maximum": "maximum", "minimum": "minimum"}
SUPERLATIVES = ("most", "fewest", "largest", "smallest", "oldest", "newest", "busiest", "idlest")
_PRONOUNS = ("it", "they", "them", "those", "these", "its", "their", "that")
_VAGUE = ("small", "tiny", "large", "big", "huge", "old", "ancient")
_PATTERNS = {"named": "=", "starts": "starts", "ends": "ends", "contains": "contains"}

Handler = Callable[[Parse, Item, str], "bool | None"]


def take_concept(parse: Parse, item: Item) -> None:
    """What the words of a phrase do, the first that does something."""
    for name in item.senses.concepts if item.senses else ():
        handler = _HANDLERS.get(name)
        if handler is not None and handler(parse, item, name) is not False:
            item.used = True
            return


def _ask(parse: Parse, item: Item, name: str) -> bool | None:
    if name in _ALONE and name != parse.wh and (parse.wh in _ALONE or (parse.wh and parse.head is not None)):
        parse.unresolved.append(item.text)  # "when was it created and by whom"
    following = parse.next()
    if name == "where" and parse.head is not None and not (following is not None and following.is_concept("is", "do")):
        return None  # "vms where ram > 8 GB"
    if parse.wh == "list" and name in _ALONE and parse.head is None:
        parse.wh = name  # "tell me when web-01 was created"
    if not parse.wh and not (name == "whose" and parse.head is not None):  # "vms whose image is ..."
        parse.wh = name
    return None


def _count(parse: Parse, item: Item, name: str) -> bool | None:
    if parse.superlative or parse.sorting or parse.grouping:
        return None
    if parse.listing and parse.head is not None:
        parse.superlative, parse.listing = "each", False  # "projects with their number of vms"
        return None
    following = parse.next()
    added = parse.join == "and" and not parse.count and following is not None and bool(following.entities)
    if added and following and parse.head is not None and parse.head.entity.name in following.entities:
        added, parse.join = False, ""  # "apart from windows vms, how many vms in acme-prod"
    if parse.head is not None and (parse.having or added) and parse.wh not in ("how_many", "is"):
        parse.superlative, parse.having = "each", False  # "which project has how many vms"
        return None
    twice = parse.join == "and" and bool(parse.asked) and bool(parse.measure) and parse.head is None
    if twice or (following is not None and following.is_concept("and") and parse.head is None):
        parse.unresolved.append(item.text)  # "count and size of snapshots"
    if parse.count and name == "how_many" and item.said.startswith("how"):
        parse.unresolved.append(item.text)  # two counts are two questions
    parse.count = True
    parse.wh = parse.wh or name
    return None


def _measure(parse: Parse, item: Item, name: str) -> bool | None:
    parse.big = parse.big or item.said in ("how big", "how large")
    if name == "how_much":
        parse.wh = parse.wh or name
    behind = parse.next()
    if name != "how_much" and parse.count and parse.head is not None and behind is not None and behind.columns:
        parse.unresolved.append(item.text)  # "number of vms and their total ram"
    if name == "total" and parse.count:
        return None
    if name == "how_much" and parse.count and not parse.subject:
        parse.unresolved.append(item.text)  # "how many vms and how much ram": two numbers
    earlier = parse.measure and parse.measure != _MEASURES[name] and parse.measure != "sum"
    if earlier and parse.join == "and":
        parse.unresolved.append(item.text)  # "average and maximum ram"
    parse.total = parse.total or name == "total"
    parse.measure = _MEASURES[name]
    return None


def _verb(parse: Parse, item: Item, name: str) -> bool | None:
    if not parse.wh and parse.head is None and not parse.subject and not parse.count:
        parse.wh = "is"
    if item.said in ("was", "were", "did", "had"):
        parse.past = True
    if name == "do" or item.said in ("has", "have"):
        parse.did = True
    if item.said in ("can", "could") and parse.head is not None and parse.count:
        parse.unresolved.append(item.text)  # "how many vms can it take" asks for what is not there yet
    if parse.head is not None and (parse.every or parse.share) and parse.predicate_from is None:
        parse.predicate_from = len(parse.head.pieces)
        parse.current = parse.head
    return None


def _past(parse: Parse, item: Item, name: str) -> bool | None:
    """ "the vms we had on monday"."""
    parse.past = True
    if item.said == "used to":
        parse.unresolved.append(item.text)  # "vms that used to be on cmp-01": not as it is now
    return False if item.said == "had" else None


def _whether(parse: Parse, item: Item, name: str) -> None:
    """ "check whether web-03 is running"."""
    parse.wh = "is"


def _spread(parse: Parse, item: Item, name: str) -> None:
    """ "distribution of vms over hosts"."""
    parse.spread = True
    parse.wh = parse.wh or "list"


def _over(parse: Parse, item: Item, name: str) -> bool | None:
    if not parse.spread:
        return False
    parse.grouping = True
    return None


def _per(parse: Parse, item: Item, name: str) -> None:
    """ "by": what rows are grouped or ordered by; behind a state, who it is that uses them."""
    before = parse.before()
    if item.said in ("each", "every") and parse.prep == "of" and parse.asked:
        return  # "the state of every agent"
    bare = parse.head is None and not parse.count and not (parse.asked and parse.wh == "how_much")
    if item.said in ("each", "every", "group", "split") and bare:
        parse.every = parse.every or (parse.wh == "is" and item.said in ("each", "every"))
        return  # "show each vm with its host", "group vms by flavor"
    if item.said == "by" and before is not None and before.senses is not None and before.senses.states:
        parse.prep, parse.absorbing = "belong", True
        return
    if item.said in ("of each", "of every") and before is not None and before.entities and not parse.count:
        parse.unresolved.append(item.text)  # "show the host of each vm": pairs
    following = parse.next()
    used = before is not None and before.columns and before.said.split()[-1] in ("used", "consumed", "allocated")
    if item.said == "by" and used and following is not None and (following.senses and following.senses.states):
        parse.prep = "of"  # "vcpus used by running vms"
        return
    if item.said == "by" and used and following is not None and "server" in following.entities:
        parse.prep = "of"
        return
    parse.grouping, parse.per = True, item.said


def _all(parse: Parse, item: Item, name: str) -> None:
    following = parse.next()
    before = parse.before()
    inside = parse.current is not None and parse.current is not parse.head
    stands = following is not None and (following.entities or following.named)
    if inside and (not stands or (before is not None and before.is_concept("is"))):
        parse.unresolved.append(item.text)  # "projects whose vms are all stopped"
    if parse.head is not None and stands and (parse.having or (before and before.said == "where")):
        parse.unresolved.append(item.text)  # "hosts where every vm is running", "projects with all vms stopped"
    parse.every = True


def _gone(parse: Parse, item: Item, name: str) -> None:
    following = parse.next()
    if parse.head is not None and following is not None and following.entities:
        parse.unresolved.append(item.text)  # "volumes of deleted vms": what is gone has nothing any more
    if parse.current is not parse.head:
        parse.unresolved.append(item.text)  # "backups whose volume is gone"
    parse.gone = True


def _flag(attribute: str) -> Handler:
    def set_flag(parse: Parse, item: Item, name: str) -> None:
        setattr(parse, attribute, True)

    return set_flag


def _negate(parse: Parse, item: Item, name: str) -> None:
    if name == "not" and parse.at == 1 and parse.items[0].is_concept("is", "do"):
        return  # "isn't web-01 running": asks whether it is
    following = parse.next()
    if item.said == "never" and following is not None and following.said in _HAPPENS:
        parse.unresolved.append(item.text)  # "vms that were never stopped": not as they are now
    parse.negation = name  # type: ignore[assignment]
    if name == "no":
        parse.having = False


def _join(parse: Parse, item: Item, name: str) -> None:
    following = parse.next()
    if item.said == "but" and parse.every and following is not None and following.named:
        parse.negation = "except"  # "all users but alice"
        return
    parse.join = name
    if parse.at == 0:
        parse.follow.add("and")


def _prep(parse: Parse, item: Item, name: str) -> None:
    following = parse.next()
    first = lexicon().get(item.said.split()[:1])
    says_state = item.said.startswith("running") and first is not None and bool(first.states)
    if name == "belong" and following is not None and first is not None and says_state and _says_state(following):
        state = replace(item, senses=Senses(states=first.states), said=item.said.split()[0])
        take_state(parse, state)  # "running on monday", "running in acme-prod"
    parse.prep = name
    parse.having = False
    parse.used_by = parse.used_by or "used" in item.said.split() or "in use" in item.said


def _says_state(following: Item) -> bool:
    """Whether "running in" still says a state: before times and projects, not before a host or another thing."""
    return following.period is not None or any(one.type in ("project", "domain") for one in following.named)


def _with(parse: Parse, item: Item, name: str) -> None:
    if parse.head is None and not parse.wh and item.said in ("has", "have"):
        parse.wh = "is"
    first = item.said.split()[0]
    parse.past = parse.past or item.said == "had"
    parse.used_by = parse.used_by or bool({"use", "uses", "using"} & set(item.said.split()))
    if parse.head is None and not parse.wh and first in ("who", "which"):
        parse.wh = first
    parse.having = parse.head is not None


def _superlative(parse: Parse, item: Item, name: str) -> bool | None:
    following = parse.next()
    if name == "most" and parse.wh in ("is", "where") and parse.head is None:
        parse.unresolved.append(item.text)  # "are most vms running" asks for more than half
    numbered = name in ("most", "fewest") and item.said.split()[-2:-1] in (["number"], ["amount"])
    if numbered and parse.head is None and parse.wh in ("", "what", "list") and following and following.entities:
        parse.measure, parse.count = ("maximum" if name == "most" else "minimum"), True
        return None  # "max number of vms on a host"
    if item.said in _VAGUE:
        parse.vague = name  # "large volumes": the largest, unless a number says what is large
        return None
    if item.said in ("new", "recent", "recently", "newly created", "recently created", "brand new"):
        parse.newish = True
        return None
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
    if parse.next() is None:
        return None  # "what is it called", "how many subnets does it contain"
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
    parse.ambiguous = [one for one in parse.ambiguous if one.typed != before.text]
    for target in parse.targets():  # a part of a name was taken for the name
        target.pieces = [piece for piece in target.pieces if not any(one.typed == before.text for one in piece.named)]
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


def _by_name(parse: Parse, item: Item, name: str) -> None:
    parse.order.append((replace(item, senses=lexicon().get(["name"]), said="name"), ""))


def _first(parse: Parse, item: Item, name: str) -> None:
    parse.order.append((None, name))


def _follow(parse: Parse, item: Item, name: str) -> None:
    before = parse.before()
    if item.said in ("their", "its") and parse.head is not None and before is not None:
        parse.listing = before.is_concept("with", "and")  # "vms with their ips and flavors"
        parse.having, parse.join = False, ""
        return
    parse.follow.add(name)
    if name == "only" and parse.head is not None and parse.next() is not None:
        parse.doubt(0.7)  # "which are only in network frontend"
    if name != "them" or item.said not in _PRONOUNS or parse.subject:
        return
    joined = parse.prep or parse.having or parse.did
    asked = item.said == "they" and parse.wh in ("which", "what", "where")
    if parse.head is None or asked or (joined and item.said in ("it", "them", "those", "these")):
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
    than = any(one.is_concept("than", "or") for one in parse.items[parse.at :])
    names = sum(1 for one in parse.items if one.named)
    if not than and names < 2 and parse.head is not None:
        parse.superlative = "most" if name == "more" else "fewest"  # "which zone has more vms"
        return
    parse.compare = "more" if name == "more" else "fewer"


def _nothing(parse: Parse, item: Item, name: str) -> None:
    """Says nothing by itself."""


_HANDLERS: dict[str, Handler] = {
    "how_many": _count,
    **dict.fromkeys(_MEASURES, _measure),
    "share": _share,
    "past": _past,
    "is": _verb,
    "do": _verb,
    "whether": _whether,
    "spread": _spread,
    "over": _over,
    **dict.fromkeys(_ASKS, _ask),
    "list": _ask,
    "how": _ask,
    "how_old": _ask,
    "how_long": _ask,
    "any": _flag("any"),
    "exist": _flag("any"),
    "all": _all,
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
    "by_name": _by_name,
    "oldest_first": _first,
    "newest_first": _first,
    "top": _top,
    "bottom": _top,
    **dict.fromkeys(SUPERLATIVES, _superlative),
    "more": _more,
    "fewer": _more,
    "compare": _compare,
    **dict.fromkeys(_PATTERNS, _pattern),
    "in_name": _in_name,
    "born": _flag("born"),
    "gone": _gone,
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
