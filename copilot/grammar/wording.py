"""What a question word asks of what was named: "where is web-03", "who created it", "how big is that volume"."""

from __future__ import annotations

import re

from copilot.grammar.items import Item
from copilot.grammar.lexicon import Senses
from copilot.grammar.parse import Parse
from copilot.model.declaration import Entity

# entity -> columns that say where one of them is
_WHERE = {
    "server": ("host", "availability_zone"), "volume": ("server_name", "host"), "floating_ip": ("server_name",
        "fixed_ip"),
    "port": ("server_name", "network_name"), "subnet": ("network_name",), "project": ("domain_name",),
        "user": ("domain_name",),
    "snapshot": ("volume_name",), "backup": ("volume_name", "container"), "image": ("project_name",),
        "network": ("project_name",),
    "router": ("external_network_name",), "hypervisor": ("host_ip",), "security_group": ("project_name",),
}  # fmt: skip
# entity -> what it is attached to, for "what is it attached to"
_JOINED = {
    "volume": ("server_name",), "floating_ip": ("server_name",), "port": ("server_name",),
        "snapshot": ("volume_name",),
    "backup": ("volume_name",), "router": ("external_network_name",), "server": ("network_names",),
        "subnet": ("network_name",),
}  # fmt: skip
_WHO = ("user_name", "project_name")
_DEFINING = re.compile(r"(so |and |hey )?what ?('?s|is|does|do) an? ")
_WHY = ("disabled_reason", "fault", "fail_reason")


def asks(parse: Parse) -> bool:
    """Whether a question word asks something of what was named, without a word for a column."""
    return bool(
        parse.asked
        or parse.wh in ("where", "when", "how_old", "how_long")
        or (parse.wh == "who" and parse.born)
        or (parse.wh == "how_much" and not parse.asked)
        or (parse.prep == "belong" and parse.wh in ("what", "which", "who", "is"))
        or (parse.wh == "is" and (parse.any or parse.negation or parse.waiting_named or parse.quantity))
        or (parse.wh == "is" and any(period.age for period in parse.periods))
        or (parse.wh == "why" and parse.waiting_states)
        or (parse.compare and len({one.name for one in parse.subject}) > 1)
        or any(item.typed_as and item.plural for item in parse.items)
    )


def asked_by_word(parse: Parse, head: Entity) -> None:
    """Note the columns that a question word asks for."""
    if head.born and parse.periods and _asks_created(parse, head):  # "created this week"
        parse.asked, parse.born = [], True
    about_one = bool(parse.subject) and all(one.type == head.name for one in parse.subject)
    columns: tuple[str, ...] = ()
    if parse.wh == "where" and (about_one or not parse.asked):
        columns = _WHERE.get(head.name, ())
        if head.name in ("project", "user", "domain") and any(item.said.startswith("run") for item in parse.items):
            parse.doubt(0.7)  # "where does acme-dev run": on the hosts of its machines
        if parse.head is not None:  # "where is web-03 running": that it runs is no condition
            parse.head.pieces = [one for one in parse.head.pieces if not one.dimension.startswith("column:status")]
    elif parse.wh in ("when", "how_old") and not head.born and not parse.asked and not parse.gone:
        parse.unresolved.append("when")
    elif parse.wh == "whose" and not about_one and "project_name" in head.attributes:
        columns = ("project_name",)
    elif parse.wh in ("when", "how_old", "how_long") and head.born and not parse.gone and not parse.asked:
        columns = (head.born,)
        parse.born = False
        if parse.wh == "how_long" and parse.head and any(one.dimension == "column:status" for one in parse.head.pieces):
            parse.doubt(0.7)  # "how long has web-01 been running" asks for its uptime
    elif parse.wh == "who" and about_one and (parse.born or _asks_created(parse, head)):
        columns = tuple(column for column in _WHO if column in head.attributes)[:1]
        parse.asked = []
    elif (parse.wh == "how_much" and about_one and not parse.asked and head.size) or (
        parse.big and not parse.asked and head.size
    ):
        columns = (head.size,)
        if not parse.of_values or parse.total:  # "how big are volumes on average" is measured as it says
            parse.measure = "sum" if parse.total else ""
    elif parse.prep == "belong" and about_one and not parse.asked and parse.wh in ("what", "which", "who"):
        columns = _JOINED.get(head.name, ())
    elif parse.wh == "why" and about_one and parse.head is not None:
        columns = tuple(column for column in _WHY if column in head.attributes)
        stated = {piece.words for piece in parse.head.pieces if piece.dimension != "name"}
        if "disabled_reason" in columns and "disabled" not in stated:
            parse.unresolved.append("why")  # why a host is down is nowhere
        parse.head.pieces = [one for one in parse.head.pieces if one.dimension == "name"]
        if not columns:
            parse.unresolved.append("why")
    if parse.whose and parse.whose not in head.scopes and not parse.count:
        parse.unresolved.append(parse.whose)  # "snapshots of the largest volume"
    if parse.whose:
        columns = (*columns, head.scopes.get(parse.whose, ""))
    owned = parse.wh == "who" and not parse.born and not about_one and bool(parse.order) and not parse.asked
    if owned and head.size and head.name not in ("project", "user", "flavor"):
        columns = (*columns, "project_name")  # "who has the biggest vms"
    if parse.wh == "who" and parse.born and not about_one and parse.order:
        columns = (*columns, *(column for column in _WHO[:1] if column in head.attributes))
    for column in columns:
        if column in head.attributes:
            parse.asked.append((_column_item(head, column), ""))


def defines(parse: Parse) -> bool:
    """Whether it asks what such a thing is, "what is a floating ip": that stands in no estate."""
    said = " ".join(item.text.lower() for item in parse.items if not item.dropped)
    nothing_else = parse.head is not None and not (parse.head.pieces or parse.asked or parse.subject or parse.count)
    return nothing_else and _DEFINING.match(said) is not None


def _asks_created(parse: Parse, head: Entity) -> bool:
    return bool(parse.asked) and all(item.columns.get(head.name, [""])[0] == head.born for item, _ in parse.asked)


def _column_item(head: Entity, column: str) -> Item:
    """An item as if the column had been named."""
    return Item(0, 0, column, Senses(columns={head.name: [column]}), said=column, used=True)
