"""Operations on flavors: create and delete. Nova knows no two flavors of one name or one id."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from engine.gate.models import Call, Change, Check, Context, Operation, Settled, Target
from engine.gate.refusals import NotDone
from store.types.actions import ACTIONS

Options = Mapping[str, Any]
Command = tuple[str, ...]

_ID = re.compile(r"[a-zA-Z0-9._-]{1,255}")
_VERSION = "2.87"
_ROOM = uuid.UUID("7b1f6a52-2b4e-5d0b-9a43-5a2f6b9d1c70")  # namespace of the ids that we give


def operations() -> list[Operation]:
    """What can be done to flavors."""
    return [
        Operation(
            ACTIONS["flavor.create"],
            _create_check,
            _create_calls,
            commands=_create_commands,
            find=_find,
            settled=_settled_create,
            seconds=30,
        ),
        Operation(
            ACTIONS["flavor.delete"],
            _delete_check,
            _delete_calls,
            commands=_delete_commands,
            already=lambda ctx, target, options: not target.doc,
            settled=_settled_delete,
            seconds=30,
        ),
    ]


def flavor_id(ctx: Context, options: Options) -> str:
    """The id asked for, else one made from the step's token, by which a second attempt finds the first; "" for none."""
    return str(options.get("id") or (uuid.uuid5(_ROOM, ctx.token) if ctx.token else ""))


def _create_check(ctx: Context, target: Target, options: Options) -> Check:
    id, name = str(options.get("id") or ""), str(options["name"])
    if id and not _ID.fullmatch(id):
        return Check(f"{id!r} is no id of a flavor: letters, digits, dots, dashes and underscores are allowed")
    if ctx.attempt <= 1:
        if id and ctx.get("compute", f"/flavors/{id}", _VERSION) is not None:
            return Check(f"there is a flavor with the id {id} already")
        if (other := _named(ctx, name)) is not None:
            return Check(f"there is a flavor called {name} already (id {other})")
    shown = {"id": id, **{key: options.get(key) for key in ("name", "vcpus", "ram", "disk", "ephemeral", "swap")}}
    shown["public"] = options.get("public", True)
    return Check(
        changes=tuple(Change(key, None, value) for key, value in shown.items() if value not in ("", None)),
        warnings=() if options.get("public", True) else ("a private flavor is seen by no project until it is given",),
    )


def _named(ctx: Context, name: str) -> str | None:
    """Id of the flavor of that name among the first 1000."""
    found = ctx.get("compute", "/flavors", _VERSION, (("is_public", "None"), ("limit", "1000"))) or {}
    return next((str(one.get("id")) for one in found.get("flavors", ()) if one.get("name") == name), None)


def _create_calls(ctx: Context, target: Target, options: Options) -> list[Call]:
    body: dict[str, Any] = {
        "name": options["name"],
        "vcpus": options["vcpus"],
        "ram": options["ram"],
        "disk": options.get("disk", 0),
        "OS-FLV-EXT-DATA:ephemeral": options.get("ephemeral", 0),
        "swap": options.get("swap", 0),
        "os-flavor-access:is_public": options.get("public", True),
    }
    if id := flavor_id(ctx, options):
        body["id"] = id
    return [
        Call(
            ctx.cloud,
            ctx.region,
            "compute",
            "POST",
            "/flavors",
            {"flavor": body},
            what=f"create the flavor {options['name']}",
            type="flavor",
        )
    ]


def _create_commands(ctx: Context, target: Target, options: Options) -> list[Command]:
    words = ["flavor", "create", "--vcpus", str(options["vcpus"]), "--ram", str(options["ram"])]
    for name in ("disk", "ephemeral", "swap", "id"):
        if options.get(name):
            words += [f"--{name}", str(options[name])]
    words.append("--public" if options.get("public", True) else "--private")
    return [(*words, str(options["name"]))]


def _find(ctx: Context, target: Target, options: Options) -> str | None:
    id = flavor_id(ctx, options)
    found = ctx.get("compute", f"/flavors/{id}", _VERSION) if id else None
    made = (found or {}).get("flavor", {})
    return id if made.get("name") == options["name"] else None


def _settled_create(ctx: Context, target: Target, options: Options) -> Settled | None:
    return Settled(f"created {target.name}")


def _delete_check(ctx: Context, target: Target, options: Options) -> Check:
    if not target.doc:
        return Check() if ctx.attempt > 1 else Check(f"{target.name} is gone")
    doc = target.doc
    specs = doc.get("extra_specs")
    lost = []
    if isinstance(specs, Mapping) and specs:
        lost.append("1 extra spec" if len(specs) == 1 else f"{len(specs)} extra specs")
    if doc.get("os-flavor-access:is_public") is False:
        lost.append("which projects may use it")
    warnings: tuple[str, ...] = ()
    if _used(ctx, target.id):
        warnings = (f"machines made with {target.name} keep running, but nobody can make or resize to it again",)
    return Check(changes=(Change("flavor", target.name, None),), lost=tuple(lost), warnings=warnings)


def _used(ctx: Context, id: str) -> bool:
    query = (("all_tenants", "1"), ("flavor", id), ("limit", "1"))
    try:
        found = ctx.get("compute", "/servers", "", query) or {}
    except NotDone:
        # Only for a warning: who may not list all servers is not kept from deleting.
        return False
    return bool(found.get("servers"))


def _delete_calls(ctx: Context, target: Target, options: Options) -> list[Call]:
    return [
        Call(
            target.cloud,
            target.region,
            "compute",
            "DELETE",
            f"/flavors/{target.id}",
            what=f"delete the flavor {target.name}",
            key=target.key,
            type="flavor",
        )
    ]


def _delete_commands(ctx: Context, target: Target, options: Options) -> list[Command]:
    return [("flavor", "delete", target.id)]


def _settled_delete(ctx: Context, target: Target, options: Options) -> Settled | None:
    return None if target.doc else Settled("deleted")
