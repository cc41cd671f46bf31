"""One resource in a few sentences: its columns, and how much belongs to it."""

from __future__ import annotations

from copilot.answering.wording import clean, number, value
from copilot.answers import Answer, Named, Proposal, Shown, Table
from copilot.execution.run import run
from copilot.model.declaration import Entity
from copilot.model.registry import entity
from copilot.query import All, Counted, Query, Test
from copilot.topics.topic import Asked

# What of a type is counted for one resource; those that it has no relation to are left out.
_BELONGING = {
    "server": ("volume", "port", "floating_ip", "security_group"),
    "project": ("server", "volume", "network", "floating_ip", "snapshot"),
    "hypervisor": ("server",),
    "volume": ("snapshot", "backup"),
    "network": ("subnet", "port", "server"),
    "subnet": ("port",),
    "router": ("port",),
    "image": ("server", "volume"),
    "flavor": ("server",),
    "domain": ("project", "user"),
    "aggregate": ("hypervisor",),
    "availability_zone": ("server",),
    "security_group": ("security_group_rule", "server"),
    "volume_type": ("volume",),
    "storage_pool": ("volume",),
    "keypair": ("server",),
    "server_group": ("server",),
    "snapshot": (),
}
_SAID_ANYHOW = ("name", "id", "cloud", "region")
_MOST_SAID = 9  # columns in the sentence


def described(named: Named, asked: Asked) -> Answer | None:
    """What there is to say about it now, or at the moment asked about; None when it is not there (any more)."""
    one = entity(named.type)
    related = [name for name in _BELONGING.get(named.type, ()) if name in one.relations and asked.sources.may(name)]
    period = asked.period
    query = Query(
        named.type,
        All(tuple(Test(column, "=", (part,)) for column, part in _key_tests(named, one))),
        counted=tuple(Counted(entity(name).plural, name) for name in related),
        at=period.at if period is not None else None,
        columns=tuple(dict.fromkeys((one.name_column, *one.columns, *_owners(one), "id"))),
    )
    result = run(query, asked.sources, asked.context.now)
    if not result.rows:
        return None
    row = result.rows[0]
    fields = {field.name: field for field in result.columns}
    said = [
        f"{_title(one, name)} {value(row[name], field, asked.context.now)}"
        for name, field in fields.items()
        if name not in _SAID_ANYHOW and name in one.attributes and row.get(name) not in (None, "", [])
    ]
    counts = [_counted(row.get(entity(name).plural) or 0, name) for name in related]
    article = "an" if one.singular[0] in "aeio" else "a"
    where = f" in cloud {clean(named.key[0])}"
    text = (
        f"{clean(named.name)} is {article} {one.singular}{where}{': ' if said else ''}{', '.join(said[:_MOST_SAID])}."
    )
    if counts:
        text += f" It has {', '.join(counts)}."
    opens = Proposal("open", f"open {clean(named.name)}", type=named.type, keys=(named.key,))
    return Answer(
        "answer",
        text,
        value=named.name,
        table=Table(result.columns, result.rows, result.total, result.keys),
        shown=(Shown(result.sql),),
        scope=(period.words,) if period is not None and period.at is not None else (),
        data_at=asked.sources.data_at([named.type]),
        named=(named,),
        proposals=(opens,),
    )


def _key_tests(named: Named, one: Entity) -> list[tuple[str, str]]:
    cloud, region, id = named.key
    tests = [("cloud", cloud), ("region", region), ("id", id)]
    return [(column, part) for column, part in tests if part and column in one.attributes]


def _owners(one: Entity) -> tuple[str, ...]:
    return tuple(column for owner, column in one.scopes.items() if owner in ("project", "domain", "user", "hypervisor"))


def _title(one: Entity, column: str) -> str:
    words = one.attributes[column].words
    return words[0] if words else column.replace("_", " ")


def _counted(count: int, name: str) -> str:
    one = entity(name)
    return f"{number(count)} {one.singular if count == 1 else one.plural}"
