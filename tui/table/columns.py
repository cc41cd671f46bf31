"""The columns of a list of resources, from what the type declares."""

from __future__ import annotations

from store.types.declaration import ResourceType
from tui.table.layout import Head

_LAST = frozenset({"id"})  # roles that people look at least


def heads_of_type(
    type: ResourceType, columns: tuple[str, ...], *, several_clouds: bool, chosen: tuple[str, ...] = ()
) -> list[Head]:
    """Heads for the columns an answer holds: first the shown ones, then what people may scroll to, ids last.

    `columns` are the names of the answer's values, in order. The cloud is a column where there are several.
    `chosen`: the columns to show, in their order; () = those that the type declares.
    """
    index = {name: number for number, name in enumerate(columns)}
    declared = {column.name: column for column in type.view_columns}
    default = [name for name in chosen or type.default_columns if name in declared and name in index]
    rest = [name for name in declared if name not in default and name in index]
    rest.sort(key=lambda name: (declared[name].role in _LAST, declared[name].role != "time"))
    heads = [
        Head(
            name,
            declared[name].title or name.upper().replace("_", " "),
            declared[name].role,
            max(declared[name].width, 3),
            index[name],
            shown=name in default,
            quiet=declared[name].role in _LAST,
        )
        for name in (*default, *rest)
    ]
    if "cloud" in index:
        cloud = Head("cloud", "CLOUD", "name", 10, index["cloud"], several_clouds, not several_clouds)
        heads.insert(1 if several_clouds else len(heads), cloud)
    if "region" in index:
        heads.append(Head("region", "REGION", "name", 10, index["region"], False, True))
    if "id" in index and "id" not in declared:
        heads.append(Head("id", "ID", "id", 36, index["id"], False, True))
    return heads
