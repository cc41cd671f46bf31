"""Whose something is, and who uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from copilot.answering.wording import clean, number
from copilot.answers import Answer, Named, Proposal, Shown, Table
from copilot.execution.run import run
from copilot.grammar.asking_back import asked_back
from copilot.grammar.items import Item
from copilot.model import paths
from copilot.model.registry import entity
from copilot.query import All, Measure, Query, Test
from copilot.topics.topic import Asked, Topic

INTENT = "resource_owner"
_ASKING = ("filler", "list", "what", "who", "whose", "which", "is", "do", "past", "of", "with", "belong", "this",
    "them", "any", "to", "in", "on")  # fmt: skip
_WORDS = """owner owners owns own owned belongs belong to responsible for charge in of whose contact accountable person
people someone ask call talk about uses use using used by user tenant project team customer machine vm
does do who whom"""
_SAID = frozenset(_WORDS.split())
_BELONGS = frozenset({"belong", "belongs"})
_USES = frozenset(["uses", "use", "using", "used"])
# What machines are made of or run on: who uses it are the projects of those machines.
_SHARED = ("hypervisor", "flavor", "image", "network", "availability_zone", "aggregate", "security_group", "keypair")
_OWNERS = (
    "project_name",
    "domain_name",
    "user_name",
    "server_name",
    "server_names",
    "attached_to",
    "owner",
    "metadata",
)


def claims(asked: Asked) -> float:
    """Sure where one thing is named and nothing is asked but whose it is."""
    thing = _thing(asked)
    if thing is None:
        return 0.0
    person = any(item.is_concept("who", "whose") for item in asked.items)
    if asked.topics("owner") or (person and any(set(item.said.split()) & _BELONGS for item in asked.items)):
        return 1.0 if asked.frame is None or asked.left or person or asked.parse.wh == "" else 0.5
    return 0.97 if asked.parse.wh == "who" and _speaks_of_use(asked) and thing.named else 0.0


def _speaks_of_use(asked: Asked) -> bool:
    return any(set(item.said.split()) & _USES for item in asked.items)


def _thing(asked: Asked) -> Item | None:
    things = [item for item in asked.items if item.named or item.value]
    if len(things) != 1 or asked.period is not None or asked.parse.past:
        return None
    rest = [item for item in asked.items if item is not things[0]]
    return things[0] if all(_asks(item) for item in rest) else None


def _asks(item: Item) -> bool:
    if item.is_topic("owner") or set(item.said.split()) <= _SAID:
        return True
    singular = bool(item.entities) and item.said in entity(item.entities[0]).words
    return singular or item.only(_ASKING)


def answer(asked: Asked) -> Answer | None:
    """The project, the person and the machine that it belongs to."""
    thing = _thing(asked)
    if thing is None:
        return None
    if asked.parse.ambiguous:
        return asked_back(asked)
    if not thing.named:
        return _of_value(thing.value, asked)
    waiting = [one for found, _, _ in asked.parse.waiting_named for one in found]
    named = next((one for one in (*asked.parse.subject, *waiting) if one in thing.named), thing.named[0])
    if named.type in ("cloud", "region"):
        return None
    if named.type == "project":
        return _of_project(named, asked)
    if named.type in _SHARED and (_speaks_of_use(asked) or "project_name" not in entity(named.type).attributes):
        return _users_of(named, asked)
    return _of_resource(named, asked)


def _of_value(text: str, asked: Asked) -> Answer | None:
    items = [item for item in asked.sources.find(text)["items"] if item["type"] != "audit"]
    now = [item for item in items if item["to"] is None] or items
    found = next((item for item in now if item.get("machine")), now[0] if now else None)
    if found is None:
        return Answer("answer", f"Nothing has {clean(text)}, so it is nobody's.", intent=INTENT, confidence=0.85)
    parts = [f"project {clean(found['project'])}"] if found["project"] else []
    parts += [f"made by {clean(found['creator'])}"] if found["creator"] else []
    parts += [f"owner {clean(found['owner'])}"] if found["owner"] not in (found["project"], found["creator"]) else []
    machine = found.get("machine")
    key = machine["key"] if machine else found["key"]
    named = Named("server" if machine else found["type"], (key[0], key[1], key[2]), (machine or found)["name"] or text)
    text_ = f"{clean(found['what'], 300)}{': ' if parts else ''}{', '.join(parts)}."
    value = found["project"] or found["owner"]
    return Answer("answer", text_, intent=INTENT, value=value, shown=(Shown(f"GET /q/find?q={text}", "find"),),
        named=(named,))  # fmt: skip


def _row(named: Named, asked: Asked) -> tuple[Mapping[str, Any] | None, Table | None, str]:
    one = entity(named.type)
    tests = [("cloud", named.key[0]), ("region", named.key[1]), ("id", named.key[2])]
    where = All(tuple(Test(column, "=", (part,)) for column, part in tests if part and column in one.attributes))
    columns = (one.name_column, *(name for name in _OWNERS if name in one.attributes and name != one.name_column))
    result = run(Query(named.type, where, columns=columns), asked.sources, asked.context.now)
    table = Table(result.columns, result.rows, result.total, result.keys)
    return (result.rows[0] if result.rows else None), table, result.sql


def _of_resource(named: Named, asked: Asked) -> Answer | None:
    row, table, sql = _row(named, asked)
    if row is None:
        return None
    marked = next((one.partition("=")[2] for one in row.get("metadata") or () if one.lower().startswith("owner=")), "")
    servers = row.get("server_name") or row.get("server_names")
    machine = ", ".join(clean(str(one)) for one in servers) if isinstance(servers, list | tuple) else servers
    project, domain, person = row.get("project_name"), row.get("domain_name"), row.get("user_name")
    parts = []
    if _speaks_of_use(asked) and "server" in entity(named.type).relations and named.type != "server":
        parts.append(f"it is used by server {clean(str(machine))}" if machine else "no server uses it")
    elif machine:
        parts.append(f"it belongs to server {clean(str(machine))}")
    if project:
        parts.append(f"project {clean(project)}{f' (domain {clean(domain)})' if domain else ''}")
    parts += [f"made by {clean(person)}"] if person else []
    parts += [f"its metadata names {clean(marked)} as owner"] if marked else []
    if not parts:
        return Answer("answer", f"Nothing says whose {clean(named.name)} is.", intent=INTENT, value=None,
            confidence=0.85, named=(named,))  # fmt: skip
    value = machine if machine and _speaks_of_use(asked) else project or person
    text = f"{clean(named.name)}: {', '.join(parts)}."
    made = Answer("answer", text, intent=INTENT, value=value, table=table, shown=(Shown(sql),), named=(named,))
    return replace(made, data_at=asked.sources.data_at([named.type]))


def _of_project(named: Named, asked: Asked) -> Answer:
    """Who has a role in it."""
    where = All((Test("project_name", "=", (named.name,)), Test("cloud", "=", (named.key[0],))))
    query = Query("role_assignment", where, order=(("user_name", False),))
    result = run(query, asked.sources, asked.context.now)
    names = list(dict.fromkeys(str(row["user_name"]) for row in result.rows if row.get("user_name")))
    roles = ", ".join(f"{clean(str(row['user_name']))} ({clean(str(row['role_name']))})" for row in result.rows[:6]
        if row.get("user_name"))  # fmt: skip
    more = f" and {number(len(names) - 6)} more" if len(names) > 6 else ""
    nobody = f"No person has a role in project {clean(named.name)} itself."
    text = f"{clean(named.name)} has no one owner; roles in it have {roles}{more}." if roles else nobody
    return Answer("answer", text, intent=INTENT, value=", ".join(names) or None,
        table=Table(result.columns, result.rows, result.total, result.keys), shown=(Shown(result.sql),),
        data_at=asked.sources.data_at(["role_assignment"]), named=(named,), confidence=0.9)  # fmt: skip


def _users_of(named: Named, asked: Asked) -> Answer | None:
    """The projects whose machines use it."""
    where = paths.belongs_to_any(entity("server"), (named,))
    if where is None:
        return None
    query = Query("server", where, Measure("count"), ("project_name",), order=(("#", True),))
    result = run(query, asked.sources, asked.context.now)
    told = ", ".join(f"{clean(str(row['project_name']))} ({number(row['#'])})" for row in result.rows[:5])
    one = entity(named.type)
    text = f"{one.singular} {clean(named.name)} is used by servers of {number(result.total)} projects: {told}."
    if not result.rows:
        text = f"No server uses {one.singular} {clean(named.name)}."
    opens = Proposal("open", f"open {clean(named.name)}", type=named.type, keys=(named.key,))
    return Answer("answer", text[0].upper() + text[1:], intent=INTENT,
        value=result.rows[0]["project_name"] if len(result.rows) == 1 else len(result.rows),
        table=Table(result.columns, result.rows, result.total, result.keys), shown=(Shown(result.sql),),
        data_at=asked.sources.data_at(["server"]), named=(named,), proposals=(opens,), confidence=0.9)  # fmt: skip


TOPIC = Topic(INTENT, claims, answer)
