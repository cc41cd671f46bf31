"""Tags of Neutron's resources, and what filters by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.routing import Call
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.network_changes import Changes

FILTERS = ("tags", "tags-any", "not-tags", "not-tags-any")
TAGGED = ("networks", "subnets", "ports", "floatingips")


def add_tags(changes: Changes) -> None:
    """Route the tags of what has any."""
    on = changes.networking.routes.on
    tags = Tags(changes)
    for key in TAGGED:
        on("GET", f"/v2.0/{key}/{{id}}/tags")(lambda call, id, key=key: tags.all(call, id, key))
        on("PUT", f"/v2.0/{key}/{{id}}/tags")(lambda call, id, key=key: tags.replace(call, id, key))
        on("DELETE", f"/v2.0/{key}/{{id}}/tags")(lambda call, id, key=key: tags.clear(call, id, key))
        on("GET", f"/v2.0/{key}/{{id}}/tags/{{tag}}")(lambda call, id, tag, key=key: tags.one(call, id, tag, key))
        on("PUT", f"/v2.0/{key}/{{id}}/tags/{{tag}}")(lambda call, id, tag, key=key: tags.add(call, id, tag, key))
        on("DELETE", f"/v2.0/{key}/{{id}}/tags/{{tag}}")(lambda call, id, tag, key=key: tags.remove(call, id, tag, key))


class Tags:
    """Each change of a tag is a change of its resource."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes

    def _change(self, call: Call, id: str, key: str, tags: Callable[[tuple[str, ...]], tuple[str, ...]]) -> Any:
        row = self.changes.find(call, id, key, f"update_{key}_tags")
        row.tags = tags(row.tags)
        row.updated, row.revision = call.now, row.revision + 1
        return row

    def all(self, call: Call, id: str, key: str) -> Response:
        return answer({"tags": list(self.changes.networking.find(call, id, key).tags)})

    def one(self, call: Call, id: str, tag: str, key: str) -> Response:
        if tag not in self.changes.networking.find(call, id, key).tags:
            raise Refusal(404, f"Tag {tag} could not be found.", "TagNotFound")
        return empty(204)

    def add(self, call: Call, id: str, tag: str, key: str) -> Response:
        self._change(call, id, key, lambda tags: tags if tag in tags else (*tags, tag))
        return answer(None, 201)

    def replace(self, call: Call, id: str, key: str) -> Response:
        body = call.json()
        wanted = body.get("tags") if isinstance(body, dict) else None
        if not isinstance(wanted, list) or not all(isinstance(tag, str) and len(tag) <= 255 for tag in wanted):
            raise Refusal(400, f"Invalid input for operation: Invalid tags body {body}.", "InvalidInput")
        row = self._change(call, id, key, lambda tags: tuple(dict.fromkeys(wanted)))
        return answer({"tags": list(row.tags)})

    def remove(self, call: Call, id: str, tag: str, key: str) -> Response:
        self.one(call, id, tag, key)
        self._change(call, id, key, lambda tags: tuple(other for other in tags if other != tag))
        return empty(204)

    def clear(self, call: Call, id: str, key: str) -> Response:
        self._change(call, id, key, lambda tags: ())
        return empty(204)


def tagged(name: str, values: list[str]) -> Callable[[Any], bool]:
    """The test of one of the filters by tags."""
    wanted = {tag for value in values for tag in value.split(",")}
    if name == "tags":
        return lambda row: wanted <= set(row.tags)
    if name == "tags-any":
        return lambda row: bool(wanted & set(row.tags))
    if name == "not-tags":
        return lambda row: not wanted <= set(row.tags)
    return lambda row: not wanted & set(row.tags)
