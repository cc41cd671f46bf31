"""What Nova does when flavors are made and removed. Administrators only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.compute import require_admin
from engine.demo.compute_render import flavor_document
from engine.demo.records import Flavor
from engine.demo.routing import Call
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.compute import Compute

_ID = re.compile(r"[a-zA-Z0-9. _-]{1,255}")
_MOST = 0x7FFFFFFF
# field of the body: (attribute, smallest value, default)
_NUMBERS: dict[str, tuple[str, int, int | None]] = {
    "vcpus": ("vcpus", 1, None),
    "ram": ("ram", 1, None),
    "disk": ("disk", 0, None),
    "OS-FLV-EXT-DATA:ephemeral": ("ephemeral", 0, 0),
    "swap": ("swap", 0, 0),
}
_KNOWN = frozenset((*_NUMBERS, "name", "id", "os-flavor-access:is_public", "rxtx_factor", "description"))


def add_flavors(compute: Compute) -> None:
    """Route what makes and removes flavors."""
    flavors = Flavors(compute)
    compute.routes.on("POST", "/flavors")(flavors.create)
    compute.routes.on("DELETE", "/flavors/{id}")(flavors.delete)


class Flavors:
    """Nova's calls that change its flavors."""

    def __init__(self, compute: Compute) -> None:
        self.state = compute.state

    def create(self, call: Call) -> Response:
        require_admin(call, "os_compute_api:os-flavor-manage:create")
        body = call.document("flavor")
        if not isinstance(body, dict):
            raise _invalid("flavor", body, f"{body} is not of type 'object'")
        unknown = sorted(set(body) - _KNOWN)
        if unknown or ("description" in body and call.version < (2, 55)):
            words = ", ".join(f"'{name}'" for name in unknown or ["description"])
            raise _invalid(
                "flavor", body, f"Additional properties are not allowed ({words} {'were' if unknown[1:] else 'was'}"
                " unexpected)",
            )  # fmt: skip
        made = self._made(body, call.now)
        if made.id in self.state.flavors:
            raise Refusal(409, f"Flavor with ID {made.id} already exists.")
        if any(other.name == made.name for other in self.state.flavors):
            raise Refusal(409, f"Flavor with name {made.name} already exists.")
        self.state.flavors.add(made)
        return answer({"flavor": flavor_document(made, call.version, call.base, call.token.reads)})

    def _made(self, body: dict[str, Any], now: int) -> Flavor:
        name, id = body.get("name"), body.get("id")
        if not isinstance(name, str) or not 1 <= len(name.strip()) <= 255:
            raise _invalid("name", name, f"{name!r} is too short" if name == "" else "not a name")
        if id is not None and id != "auto" and not (isinstance(id, str) and _ID.fullmatch(id)):
            raise _invalid("id", id, f"{id!r} does not match '^[a-zA-Z0-9. _-]*$'")
        numbers: dict[str, int] = {}
        for field, (attribute, least, default) in _NUMBERS.items():
            value = body.get(field, default)
            if value is None:
                raise _invalid("flavor", body, f"'{field}' is a required property")
            if isinstance(value, bool) or not str(value).isdigit():
                raise _invalid(field, value, f"{value!r} does not match '^[0-9]*$'")
            if not least <= int(value) <= _MOST:
                words = f"{value} is less than the minimum of {least}" if int(value) < least else "too large"
                raise _invalid(field, value, words)
            numbers[attribute] = int(value)
        return Flavor(
            self.state.dice.uuid() if id in (None, "auto") else id, name.strip(), **numbers,
            public=body.get("os-flavor-access:is_public", True) is not False, extra_specs={},
            description=body.get("description"), created=now,
        )  # fmt: skip

    def delete(self, call: Call, id: str) -> Response:
        require_admin(call, "os_compute_api:os-flavor-manage:delete")
        if id not in self.state.flavors:
            raise Refusal(404, f"Flavor {id} could not be found.")
        self.state.flavors.remove(id)
        return empty(202)


def _invalid(field: str, value: Any, words: str) -> Refusal:
    return Refusal(400, f"Invalid input for field/attribute {field}. Value: {value}. {words}")
