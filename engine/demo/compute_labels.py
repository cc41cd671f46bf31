"""What is written on a server and on nothing else: metadata and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.compute import require_member, require_reader
from engine.demo.compute_moves import unlocked
from engine.demo.compute_servers import Servers
from engine.demo.records import Server
from engine.demo.routing import Call
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.compute import Compute


def add_labels(compute: Compute) -> None:
    """Route metadata and tags of servers."""
    labels = Labels(compute)
    on = compute.routes.on
    on("GET", "/servers/{id}/metadata")(labels.metadata)
    on("POST", "/servers/{id}/metadata")(lambda call, id: labels.write(call, id, whole=False))
    on("PUT", "/servers/{id}/metadata")(lambda call, id: labels.write(call, id, whole=True))
    on("DELETE", "/servers/{id}/metadata/{key}")(labels.erase)
    on("GET", "/servers/{id}/tags")(labels.tags)
    on("PUT", "/servers/{id}/tags")(labels.replace)
    on("PUT", "/servers/{id}/tags/{tag}")(labels.tag)
    on("DELETE", "/servers/{id}/tags/{tag}")(labels.untag)


class Labels:
    """Metadata and tags, as their own calls change them."""

    def __init__(self, compute: Compute) -> None:
        self.servers = Servers(compute)

    def _changed(self, call: Call, id: str, rule: str) -> Server:
        require_member(call, f"os_compute_api:{rule}")
        server = self.servers.find(call, id)
        unlocked(call, server)
        server.updated = call.now
        return server

    def metadata(self, call: Call, id: str) -> Response:
        require_reader(call, "os_compute_api:server-metadata:index")
        return answer({"metadata": self.servers.find(call, id).metadata or {}})

    def write(self, call: Call, id: str, *, whole: bool) -> Response:
        given: Any = call.document("metadata")
        fits = isinstance(given, dict) and all(
            isinstance(text, str) and len(text) <= 255 and 1 <= len(key) <= 255 for key, text in given.items()
        )
        if not fits:
            raise Refusal(400, f"Invalid input for field/attribute metadata. Value: {given}.")
        server = self._changed(call, id, "server-metadata:create")
        server.metadata = dict(given) if whole else {**(server.metadata or {}), **given}
        return answer({"metadata": server.metadata})

    def erase(self, call: Call, id: str, key: str) -> Response:
        server = self._changed(call, id, "server-metadata:delete")
        if key not in (server.metadata or {}):
            raise Refusal(404, "Metadata item was not found")
        server.metadata = {name: text for name, text in (server.metadata or {}).items() if name != key}
        return empty(204)

    def tags(self, call: Call, id: str) -> Response:
        require_reader(call, "os_compute_api:os-server-tags:index")
        return answer({"tags": list(self.servers.find(call, id).tags)})

    def replace(self, call: Call, id: str) -> Response:
        given: Any = call.document("tags")
        if not isinstance(given, list) or not all(isinstance(tag, str) and 1 <= len(tag) <= 60 for tag in given):
            raise Refusal(400, f"Invalid input for field/attribute tags. Value: {given}.")
        server = self._changed(call, id, "os-server-tags:update_all")
        server.tags = tuple(given)
        return answer({"tags": list(server.tags)})

    def tag(self, call: Call, id: str, tag: str) -> Response:
        server = self._changed(call, id, "os-server-tags:update")
        if tag in server.tags:
            return empty(204)
        server.tags = (*server.tags, tag)
        return empty(201)

    def untag(self, call: Call, id: str, tag: str) -> Response:
        server = self._changed(call, id, "os-server-tags:delete")
        if tag not in server.tags:
            raise Refusal(404, f"Instance {id} has no tag '{tag}'")
        server.tags = tuple(other for other in server.tags if other != tag)
        return empty(204)
