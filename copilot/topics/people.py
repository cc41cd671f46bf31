"""What people did here, who logged in, who may do what, and who may use the console: questions without a noun."""

from __future__ import annotations

from dataclasses import replace

from copilot.answering.wording import clean
from copilot.answers import Answer, Named
from copilot.grammar.answering import framed
from copilot.grammar.asking_back import asked_back
from copilot.grammar.frames import Frame, Piece
from copilot.grammar.items import Item
from copilot.model.registry import entity
from copilot.query import AnyOf, Condition, Test
from copilot.reading import Period
from copilot.topics.topic import Asked, Topic

INTENT = "recent_activity"
_ASKING = (
    "filler", "list", "what", "who", "which", "is", "do", "past", "of", "in", "on", "any", "all", "exist", "with",
    "newest", "when", "this", "them", "whose",
)  # fmt: skip
_DID_WORDS = """
doing done activity activities actions did do up been people everybody somebody anyone"""
_DID = frozenset(_DID_WORDS.split())
_CONSOLE_WORDS = """
console portal qdeck quarterdeck tool application app dashboard ui"""
_CONSOLE = frozenset(_CONSOLE_WORDS.split())
_USE_WORDS = """
in on who may can use uses access log login sign into to using permitted allowed"""
_USE = frozenset(_USE_WORDS.split())
_MAY_WORDS = """
access role roles permission permissions rights right has have can who what which users user members member
may people privileges privilege get into use on for in does do"""
_MAY = frozenset(_MAY_WORDS.split())


_OWN_LISTS = ("audit_record", "login")


def _known(asked: Asked) -> Asked:
    """With users of the console as names: they need not be users of a cloud."""
    speaks = any(item.is_topic("activity", "login") or set(item.said.split()) & (_DID | _MAY) or
        set(item.entities) & set(_OWN_LISTS) for item in asked.items)  # fmt: skip
    strange = any(not item.named and (item.senses is None or item.corrected) for item in asked.items)
    if not (speaks and strange and asked.sources.may("console_user")):
        return asked
    users = {str(row["name"]).casefold(): str(row["name"]) for row in asked.sources.rows("console_user")}
    items = []
    for item in asked.items:
        name = users.get(item.text.casefold().removesuffix("'s"))
        if name is not None and not item.named:
            named = (Named("console_user", ("", "", name), name, item.text),)
            item = replace(item, named=named, senses=None, corrected="", said=name)
        items.append(item)
    return replace(asked, items=tuple(items))


def claims(asked: Asked) -> float:
    """Sure where all that was said is one of these questions."""
    asked = _known(asked)
    return 0.0 if _kind(asked) == "" and _stranger(asked) == "" else 0.96


def _stranger(asked: Asked) -> str:
    """Whoever "what did bob do" is about, where nobody is called so, or none that the asker may know of."""
    strange = [item for item in asked.items if not item.named and (item.senses is None or item.corrected)]
    rest = [item for item in asked.items if item.period is None and item not in strange]
    done = any(set(item.said.split()) & {"did", "doing", "done"} for item in rest)
    words = done and len(strange) == 1 and all(not item.named and _asks(item, _DID) for item in rest)
    return strange[0].text if words and strange[0].text.isalpha() else ""


def _kind(asked: Asked) -> str:
    people: list[Item] = []
    rest: list[Item] = []
    for item in asked.items:
        if item.period is not None:
            continue
        (people if item.named else rest).append(item)
    words = [word for item in rest for word in item.said.split()]
    types = {one.type for item in people for one in item.named}
    user = len(people) == 1 and bool(types & {"user", "console_user"})
    if words and _CONSOLE & set(words) and _USE & set(words) and not people:
        return "console" if all(_asks(item, _CONSOLE | _USE) for item in rest) else ""
    own = "console_user" in types and next((n for n in _OWN_LISTS if any(n in i.entities for i in rest)), "")
    if own and all(own in item.entities or _asks(item, _DID) for item in rest):
        return own
    if any(item.is_topic("login") and not item.entities for item in rest) and (not people or user):
        return "login" if all(item.is_topic("login") or _asks(item, frozenset()) for item in rest) else ""
    if _did(asked, rest, user) and (not people or user):
        return "did"
    if {"access", "role", "roles", "permissions", "rights", "privileges", "members"} & set(words) and len(people) == 1:
        fits = types & {"user", "project", "domain"} and all(set(item.said.split()) <= _MAY for item in rest)
        return "access" if fits and (asked.frame is None or asked.left or "access" in words) else ""
    return ""


def _did(asked: Asked, rest: list[Item], user: bool) -> bool:
    """ "what did alice do", "who did what today", "recent activity"."""
    if any(item.is_topic("activity") and not item.entities for item in rest):
        return all(item.is_topic("activity") or _asks(item, _DID) for item in rest)
    said = {word for item in rest for word in item.said.split()}
    return user and bool({"do", "doing", "done", "did"} & said) and all(_asks(item, _DID) for item in rest)


def _asks(item: Item, words: frozenset[str]) -> bool:
    return set(item.said.split()) <= words | {",", "-"} or (item.senses is not None and item.only(_ASKING))


def answer(asked: Asked) -> Answer | None:
    """A list of the room that knows."""
    asked = _known(asked)
    kind = _kind(asked)
    if asked.parse.ambiguous:
        return asked_back(asked)
    if kind == "":
        name = _stranger(asked)
        why = "" if asked.sources.may("audit_record") else " Your role may not read the audit, where it would stand."
        return Answer("apology", f"Nobody called {clean(name)!r} is known here.{why}", unknown=(name,), confidence=0.5)
    users = tuple(one for one in asked.named if one.type in ("user", "console_user"))
    if kind == "console":
        return _console(asked)
    if kind == "login":
        pieces = [Piece("column:outcome", Test("outcome", "=", ("ok",)), "successful")]
        return _framed("login", (*pieces, *_by("user", users), *_when("login", asked.period)), asked)
    if kind == "login_record" or kind in _OWN_LISTS:
        column = "user" if kind == "login" else "actor"
        return _framed(kind, (*_by(column, users), *_when(kind, asked.period)), asked)
    if kind == "did":
        return _framed("audit_record", (*_by("actor", users), *_when("audit_record", asked.period)), asked)
    if kind == "access":
        return _access(asked)
    return None


def _console(asked: Asked) -> Answer:
    """All accounts; those that are switched off are said."""
    made = _framed("console_user", (), asked)
    rows = made.table.rows if made.table is not None else ()
    off = [clean(str(row["name"])) for row in rows if row.get("active") is False]
    return replace(made, text=f"{made.text}\nNot active, so without access: {', '.join(off)}.") if off else made


def _framed(name: str, pieces: tuple[Piece, ...], asked: Asked) -> Answer:
    scope = (asked.period.words,) if asked.period is not None and asked.period.words else ()
    made = framed(Frame(name, "list", pieces, scope_words=scope), 0.96, asked)
    return replace(made, intent=INTENT if name == "audit_record" else made.intent)


def _by(column: str, users: tuple[Named, ...]) -> tuple[Piece, ...]:
    names = tuple(dict.fromkeys(one.name for one in users))
    return (Piece("scope:user", Test(column, "=", names), f"by {' or '.join(names)}", users),) if names else ()


def _when(name: str, period: Period | None) -> tuple[Piece, ...]:
    born = entity(name).born
    if period is None:
        return ()
    since, until = period.since or period.at, period.until
    pieces = []
    if since is not None:
        pieces.append(Piece("born", Test(born, ">=", (since,)), period.words))
    if until is not None:
        pieces.append(Piece("born", Test(born, "<", (until,)), "" if since is not None else period.words))
    return tuple(pieces)


def _access(asked: Asked) -> Answer | None:
    """Role assignments of a user, or on a project or domain."""
    found = next((n for n in asked.named if n.type in ("project", "domain", "user")), None)
    if found is None:
        return None
    columns = {"project": "project_name", "domain": "domain_name", "user": "user_name"}
    tests: tuple[Condition, ...] = (Test(columns[found.type], "=", (found.name,)),)
    words = f"{'of' if found.type == 'user' else 'on'} {entity(found.type).singular} {found.name}"
    cloud = Piece("scope:cloud", Test("cloud", "=", (found.key[0],)), f"in cloud {found.key[0]}")
    return _framed("role_assignment", (Piece(f"scope:{found.type}", AnyOf(tests), words, (found,)), cloud), asked)


TOPIC = Topic(INTENT, claims, answer)
