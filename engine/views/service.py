"""What people keep of their screens: views under a name, own and shared ones; columns and their order for each type."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from engine.access import rules
from engine.access.models import Caller
from engine.api.errors import BadRequest, Conflict, Forbidden, NotFound
from engine.audit.service import AuditService
from store import times
from store.filters import FilterError, ViewText
from store.ops.ops import Ops
from store.ops.views_tables import column_choices, saved_views
from store.types import registry
from store.types.declaration import ResourceType

MOST_VIEWS = 500  # of one person, and of all shared ones
_SHARED = ""
# What every list has beside the columns of its type.
_ALWAYS = ("cloud", "region", "id")


class ViewService:
    """Keeps saved views and column choices. `changed` is called after a shared view changed."""

    def __init__(self, ops: Ops, audit: AuditService, changed: Callable[[], Any] = lambda: None) -> None:
        self._ops = ops
        self._audit = audit
        self._changed = changed

    def views(self, caller: Caller) -> list[dict[str, Any]]:
        """The caller's own views by name, then the shared ones."""
        mine = saved_views.c.owner.in_((caller.owner, _SHARED))
        order = (saved_views.c.owner == _SHARED, func.lower(saved_views.c.name), saved_views.c.name)
        with self._ops.read() as connection:
            rows = connection.execute(select(saved_views).where(mine).order_by(*order)).mappings()
            return [_view(dict(row), caller) for row in rows]

    def view(self, caller: Caller, name: str) -> dict[str, Any]:
        """The caller's own view of this name, else the shared one. Raises NotFound."""
        with self._ops.read() as connection:
            row = _find(connection, caller.owner, name) or _find(connection, _SHARED, name)
        if row is None:
            raise NotFound(f"there is no saved view {name!r:.80}")
        return _view(row, caller)

    def keep(
        self,
        caller: Caller,
        name: str,
        text: str,
        columns: Sequence[str] = (),
        cloud: str | None = None,
        *,
        shared: bool = False,
    ) -> dict[str, Any]:
        """Save a view under a name, over an older one of it. Raises BadRequest, Forbidden for another's shared view."""
        name, text = _name(name), _checked(text, columns)
        owner = _SHARED if shared else caller.owner
        values = {
            "text": text,
            "columns": list(dict.fromkeys(columns)),
            "cloud": cloud,
            "made_by": caller.name[:255],
            "updated_at": times.utcnow(),
        }
        with self._ops.begin() as connection:
            old = _find(connection, owner, name)
            where = (saved_views.c.owner == owner, saved_views.c.name == name)
            if old is not None:
                _may_change(old, caller)
                connection.execute(update(saved_views).where(*where).values(values))
            else:
                held = select(func.count()).select_from(saved_views).where(saved_views.c.owner == owner)
                if (connection.scalar(held) or 0) >= MOST_VIEWS:
                    raise Conflict(f"there are {MOST_VIEWS} saved views already; delete some of them first")
                connection.execute(insert(saved_views).values(owner=owner, name=name, maker=caller.owner, **values))
            if shared:  # what others will open is on record; what somebody keeps for himself is nobody's business
                self._audit.record(caller, "view.share", name, {"text": text}, connection=connection)
            row = _find(connection, owner, name)
        if shared:
            self._changed()
        assert row is not None
        return _view(row, caller)

    def remove(self, caller: Caller, name: str, *, shared: bool = False) -> None:
        """Delete a view. Raises NotFound, Forbidden for another's shared view."""
        owner = _SHARED if shared else caller.owner
        with self._ops.begin() as connection:
            old = _find(connection, owner, name)
            if old is None:
                raise NotFound(f"there is no {'shared ' if shared else ''}saved view {name!r:.80}")
            _may_change(old, caller)
            connection.execute(delete(saved_views).where(saved_views.c.owner == owner, saved_views.c.name == name))
            if shared:
                self._audit.record(caller, "view.unshare", name, {"text": old["text"]}, connection=connection)
        if shared:
            self._changed()

    # Columns

    def choices(self, caller: Caller) -> list[dict[str, Any]]:
        """What the caller chose, by type. A column that this release does not know any more is left out."""
        own = select(column_choices).where(column_choices.c.owner == caller.owner).order_by(column_choices.c.type)
        with self._ops.read() as connection:
            rows = connection.execute(own).mappings().all()
        return [_choice(registry.ALL[row["type"]], dict(row)) for row in rows if row["type"] in registry.ALL]

    def choice(self, caller: Caller, type_name: str) -> dict[str, Any]:
        """The columns of a type as the caller chose them, else the declared ones. Raises NotFound for no type."""
        type = _type(type_name)
        own = (column_choices.c.owner == caller.owner, column_choices.c.type == type.name)
        with self._ops.read() as connection:
            row = connection.execute(select(column_choices).where(*own)).mappings().one_or_none()
        return _choice(type, None if row is None else dict(row))

    def choose(self, caller: Caller, type_name: str, columns: Sequence[str], *, wide: bool = False) -> dict[str, Any]:
        """Keep the columns of a type's list, in this order. Raises NotFound, BadRequest for one it does not have."""
        type = _type(type_name)
        unknown = [name for name in columns if name not in _columns(type)]
        if unknown:
            raise BadRequest(f"Invalid parameter: columns: {type.plural} have no column {unknown[0]!r:.80}")
        row = {"columns": list(dict.fromkeys(columns)), "wide": wide, "updated_at": times.utcnow()}
        own = (column_choices.c.owner == caller.owner, column_choices.c.type == type.name)
        with self._ops.begin() as connection:
            if not connection.execute(update(column_choices).where(*own).values(row)).rowcount:
                connection.execute(insert(column_choices).values(owner=caller.owner, type=type.name, **row))
        return _choice(type, row)

    def forget(self, caller: Caller, type_name: str) -> None:
        """Go back to the declared columns. Raises NotFound for no type."""
        type = _type(type_name)
        own = (column_choices.c.owner == caller.owner, column_choices.c.type == type.name)
        with self._ops.begin() as connection:
            connection.execute(delete(column_choices).where(*own))


def _find(connection: Connection, owner: str, name: str) -> Mapping[str, Any] | None:
    where = (saved_views.c.owner == owner, saved_views.c.name == name)
    row = connection.execute(select(saved_views).where(*where)).mappings().one_or_none()
    return None if row is None else dict(row)


def _name(name: str) -> str:
    """A name as it is kept. Raises BadRequest for one that cannot be typed or shown."""
    name = " ".join(name.split())
    if not name or len(name) > 64 or "/" in name:
        raise BadRequest("Invalid parameter: name has 1 to 64 characters and no /")
    if any(unicodedata.category(c)[0] == "C" for c in name):
        raise BadRequest("Invalid parameter: name holds characters that cannot be shown")
    return name


def _checked(text: str, columns: Sequence[str]) -> str:
    """The view's text on one line; where its first word is a type, the columns are checked too. Raises BadRequest."""
    if any(unicodedata.category(c)[0] == "C" for c in text):
        raise BadRequest("Invalid parameter: text is one line without control characters")
    text = text.strip()
    first = text.split(" ")[0] if text else ""
    try:
        type = registry.find(first) if first and first[0] not in '/@"!(' and ":" not in first else None
    except KeyError:
        type = None  # a page of another kind: find, audit, jobs
    if type is not None:
        try:
            ViewText.parse(text)
        except FilterError as error:
            raise BadRequest(f"Invalid parameter: text: {error}") from None
    known = _columns(type) if type is not None else None
    for name in columns:
        if len(name) > 128 or (known is not None and name not in known):
            raise BadRequest(f"Invalid parameter: columns: there is no column {name!r:.80} here")
    if not text:
        raise BadRequest("Invalid parameter: text is empty")
    return text


def _may_change(row: Mapping[str, Any], caller: Caller) -> None:
    if row["maker"] != caller.owner and not rules.allows(caller.role, "tickets:admin"):
        raise Forbidden(f"the shared view {row['name']} is {row['made_by']}'s: only its maker or an admin changes it")


def _view(row: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    return {
        "name": row["name"],
        "text": row["text"],
        "columns": row["columns"],
        "cloud": row["cloud"],
        "shared": row["owner"] == _SHARED,
        "by": row["made_by"],
        "updated_at": row["updated_at"],
        "mine": row["maker"] == caller.owner,
    }


def _type(name: str) -> ResourceType:
    try:
        return registry.find(name)
    except KeyError as error:
        raise NotFound(str(error.args[0])) from None


def _columns(type: ResourceType) -> tuple[str, ...]:
    return (*(column.name for column in type.view_columns), *_ALWAYS)


def _choice(type: ResourceType, row: Mapping[str, Any] | None) -> dict[str, Any]:
    kept = [name for name in row["columns"] if name in _columns(type)] if row is not None else []
    return {
        "type": type.name,
        "columns": kept or list(type.default_columns),
        "wide": bool(row["wide"]) if row is not None else False,
        "chosen": bool(kept),
    }
