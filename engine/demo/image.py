"""Glance v2: images with their free properties at the top level; 25 a page unless asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode

from engine.demo.access import Token, Tokens
from engine.demo.answers import Refusal, answer, empty, unauthorized, webob_fault
from engine.demo.clock import nova_time, read_time
from engine.demo.image_data import add_image_data
from engine.demo.records import Image
from engine.demo.routing import Call, Routes, among, check_types, keep, take, where
from engine.demo.serving import Request, Response
from engine.demo.state import State
from engine.demo.tables import newest_first
from engine.demo.volume_lists import COMPARE

DEFAULT_LIMIT, MAX_LIMIT = 25, 1000
VERSIONS = ("2.15", "2.13", "2.11", "2.10", "2.9", "2.8", "2.7", "2.6", "2.5", "2.4", "2.3", "2.2", "2.1", "2.0")
PAGING = {"limit", "marker", "sort_key", "sort_dir", "sort", "member_status"}
VISIBILITIES = ("public", "private", "shared", "community", "all")
SORTS: dict[str, Callable[[Image], Any]] = {
    "created_at": lambda row: row.created,
    "updated_at": lambda row: row.updated,
    "name": lambda row: row.name,
    "id": lambda row: row.id,
    "size": lambda row: row.size,
    "status": lambda row: row.status,
    "disk_format": lambda row: row.disk_format,
    "container_format": lambda row: "bare",
}


class Images:
    """Glance: images in pages, one image, its members and schema, and making and removing one."""

    name = "image"

    def __init__(self, state: State, tokens: Tokens, roots: dict[str, str]) -> None:
        self.state, self.tokens = state, tokens
        self.auth_url = roots["identity"]
        self.url = roots["image"]
        self.routes = Routes()
        on = self.routes.on
        on("GET", "/v2/images")(self.images)
        on("POST", "/v2/images")(self.create)
        on("GET", "/v2/images/{id}")(self.image)
        on("DELETE", "/v2/images/{id}")(self.delete)
        on("GET", "/v2/images/{id}/members")(self.members)
        add_image_data(self)
        on("GET", "/v2/schemas/image")(self.schema)
        on("GET", "/v2/schemas/images")(self.schema)
        on("GET", "/v2/info/stores")(lambda call: answer({"stores": [{"id": "file", "default": "true"}]}))
        on("GET", "/v2/info/import")(self.import_methods)
        on("GET", "/v2/tasks")(self.tasks)

    def refused(self, refusal: Refusal, call_id: str) -> Response:
        return webob_fault(refusal)

    def handle(self, request: Request, path: str, request_id: str) -> Response:
        if not path.startswith("/v2"):
            return self._versions(300)
        if path == "/versions":
            return self._versions(200)
        token = self.tokens.find(request.headers.get("x-auth-token"))
        if token is None:
            return unauthorized(self.auth_url, "image")
        if path == "/v2":
            return empty(302, Location=f"{self.url}/v2/")
        found = self.routes.find(request.method, path)
        if found is None:
            message = "The resource could not be found.<br /><br />\n\n\n"
            return answer({"message": message, "code": "404 Not Found", "title": "Not Found"}, 404)
        route, parameters = found
        return route(Call(request, token, path, self.url, request_id, now=self.state.now()), **parameters)

    def _versions(self, status: int) -> Response:
        links = [{"rel": "self", "href": f"{self.url}/v2/"}]
        rows = [
            {"id": f"v{version}", "status": "SUPPORTED" if index else "CURRENT", "links": links}
            for index, version in enumerate(VERSIONS)
        ]
        return answer({"versions": rows}, status)

    # Listing

    def images(self, call: Call) -> Response:
        if not call.token.reads:
            raise Refusal(403, "You are not authorized to complete get_images action.")
        limit = self._limit(call)
        tests = [lambda row: self._sees(call.token, row, listed=True), *self._tests(call)]
        rows = take(keep(self._rows(call), tests), limit)
        asked = [(name, value) for name, value in call.request.query if name != "marker"]
        first = "/v2/images" + (f"?{urlencode(asked)}" if asked else "")
        body: dict[str, Any] = {
            "images": [self.document(row) for row in rows],
            "first": first,
            "schema": "/v2/schemas/images",
        }
        if rows and len(rows) == limit:
            body["next"] = f"/v2/images?{urlencode([*asked, ('marker', rows[-1].id)])}"
        return answer(body)

    @staticmethod
    def _limit(call: Call) -> int:
        text = call.request.first("limit")
        if text is None:
            return DEFAULT_LIMIT
        try:
            limit = int(text)
        except ValueError:
            raise Refusal(400, "limit param must be an integer") from None
        if limit < 0:
            raise Refusal(400, "limit param must be positive")
        return min(limit, MAX_LIMIT)

    def _rows(self, call: Call) -> Iterator[Image]:
        marker = call.request.first("marker")
        mark = self.state.images.get(marker) if marker else None
        if marker and mark is None:
            raise Refusal(400, f"No image found with ID {marker}")
        sort_key = call.request.first("sort_key")
        sort = call.request.first("sort")
        direction = call.request.first("sort_dir") or "desc"
        if sort:
            sort_key, _, given = sort.split(",")[0].partition(":")
            direction = given or "desc"
        if sort_key is None:
            return self.state.images.after(
                "newest", newest_first, newest_first(mark) if mark else None, descending=True
            )
        if sort_key not in SORTS:
            names = ", ".join(SORTS)
            raise Refusal(400, f"Invalid sort key: {sort_key}. It must be one of the following: {names}.")
        part = SORTS[sort_key]

        def key(row: Image) -> Any:
            return (part(row), row.created, row.id)

        rows = sorted(self.state.images, key=key, reverse=direction == "desc")
        if mark is None:
            return iter(rows)
        place = key(mark)
        return (row for row in rows if (key(row) < place if direction == "desc" else key(row) > place))

    @staticmethod
    def _sees(token: Token, row: Image, *, listed: bool = False) -> bool:
        if row.owner == token.project_id or row.visibility == "public":
            return True
        # In a listing an administrator sees everything that is not another's community image.
        return token.project_admin if not listed else token.project_admin and row.visibility != "community"

    def _tests(self, call: Call) -> list[Callable[[Image], bool]]:
        tests: list[Callable[[Image], bool]] = []
        hidden = (call.request.first("os_hidden") or "false").lower() in ("true", "1")
        tests.append(lambda row: row.hidden == hidden)
        for name, value in call.request.query:
            if name in PAGING or name == "os_hidden":
                continue
            if name == "visibility":
                if value not in VISIBILITIES:
                    raise Refusal(400, f"Invalid visibility value: {value}")
                if value != "all":
                    tests.append(where(lambda row: row.visibility, value))
            elif name in ("created_at", "updated_at"):
                tests.append(self._time(name, value))
            elif name == "tag":
                tests.append(self._tagged(value))
            elif name in ("name", "status", "disk_format", "owner", "id"):
                wanted = value.removeprefix("in:").split(",")
                tests.append(among(attrgetter(name), wanted))
            else:
                tests.append(self._property(name, value))
        return tests

    @staticmethod
    def _tagged(tag: str) -> Callable[[Image], bool]:
        return lambda row: tag in row.tags

    def _property(self, name: str, value: str) -> Callable[[Image], bool]:
        """Any other filter is a property that must have the value."""
        return lambda row: str(self.document(row).get(name)) == value

    @staticmethod
    def _time(name: str, text: str) -> Callable[[Image], bool]:
        operator, _, value = text.partition(":")
        if operator not in COMPARE:
            operator, value = "eq", text
        wanted = read_time(value)
        if wanted is None:
            raise Refusal(400, f'Bad "{name}" query filter format. Use ISO 8601 DateTime notation.')
        compare = COMPARE[operator]
        if name == "created_at":
            return lambda row: compare(row.created, wanted)
        return lambda row: compare(row.updated, wanted)

    # One image

    def document(self, row: Image) -> dict[str, Any]:
        ready = row.status in ("active", "deactivated")
        return {
            **row.properties,
            "name": row.name,
            "disk_format": row.disk_format,
            "container_format": "bare",
            "visibility": row.visibility,
            "size": row.size if ready else None,
            "virtual_size": row.virtual_size if ready else None,
            "status": row.status,
            "checksum": hashlib.md5(row.id.encode(), usedforsecurity=False).hexdigest() if ready else None,
            "protected": row.protected,
            "min_ram": row.min_ram,
            "min_disk": row.min_disk,
            "owner": row.owner,
            "os_hidden": row.hidden,
            "os_hash_algo": "sha512" if ready else None,
            "os_hash_value": hashlib.sha512(row.id.encode()).hexdigest() if ready else None,
            "id": row.id,
            "created_at": nova_time(row.created),
            "updated_at": nova_time(row.updated),
            "tags": list(row.tags),
            "self": f"/v2/images/{row.id}",
            "file": f"/v2/images/{row.id}/file",
            "schema": "/v2/schemas/image",
            "stores": "file",
        }

    def find(self, call: Call, id: str) -> Image:
        """An image that the token may see. Raises Refusal(404)."""
        row = self.state.images.get(id)
        if row is None or not self._sees(call.token, row):
            raise Refusal(404, f"No image found with ID {id}")
        return row

    def image(self, call: Call, id: str) -> Response:
        return answer(self.document(self.find(call, id)))

    def members(self, call: Call, id: str) -> Response:
        self.find(call, id)
        return answer({"members": [], "schema": "/v2/schemas/members"})

    def create(self, call: Call) -> Response:
        if not call.token.writes:
            raise Refusal(403, "You are not authorized to complete add_image action.")
        body = call.json()
        if not isinstance(body, dict):
            raise Refusal(400, "Request body must be a JSON object")
        check_types(
            body, {"name": str, "visibility": str, "disk_format": str, "min_disk": int, "min_ram": int, "tags": list}
        )
        fixed = {
            "name",
            "visibility",
            "disk_format",
            "container_format",
            "min_disk",
            "min_ram",
            "protected",
            "tags",
            "id",
        }
        for name, value in body.items():
            if name not in fixed and not isinstance(value, str):
                raise Refusal(400, f"Provided object does not match schema 'image': {value} is not of type 'string'")
        visibility = body.get("visibility") or "shared"
        if visibility == "public" and not call.token.admin:
            raise Refusal(403, "You are not authorized to complete publicize_image action.")
        extra = {name: value for name, value in body.items() if name not in fixed}
        row = Image(
            self.state.dice.uuid(), str(body.get("name") or ""), call.token.project_id, visibility, 0, None,
            str(body.get("disk_format") or "qcow2"), int(body.get("min_disk") or 0), int(body.get("min_ram") or 0),
            extra, call.now, call.now, "queued", bool(body.get("protected")), tags=tuple(body.get("tags") or ()),
        )  # fmt: skip
        self.state.images.add(row)
        return answer(self.document(row), 201, Location=f"{self.url}/v2/images/{row.id}")

    def own(self, call: Call, id: str, rule: str) -> Image:
        """An image that the token may change. Raises Refusal: 403, 404."""
        row = self.find(call, id)
        if not call.token.writes or (row.owner != call.token.project_id and not call.token.admin):
            raise Refusal(403, f"You are not authorized to complete {rule} action.")
        return row

    def delete(self, call: Call, id: str) -> Response:
        row = self.own(call, id, "delete_image")
        if row.protected:
            raise Refusal(403, f"Image {id} is protected and cannot be deleted.")
        self.state.images.remove(id)
        return empty(204)

    def schema(self, call: Call) -> Response:
        names = ("id", "name", "status", "visibility", "owner", "size", "disk_format", "created_at", "updated_at")
        properties = {name: {"type": ["null", "string"], "description": name} for name in names}
        return answer({"name": "image", "properties": properties, "additionalProperties": {"type": "string"}})

    def import_methods(self, call: Call) -> Response:
        methods = {
            "description": "Import methods available.",
            "type": "array",
            "value": ["glance-direct", "web-download"],
        }
        return answer({"import-methods": methods})

    def tasks(self, call: Call) -> Response:
        if not call.token.project_admin:
            raise Refusal(403, "You are not authorized to complete tasks_api_access action.")
        return answer({"tasks": [], "first": "/v2/tasks", "schema": "/v2/schemas/tasks"})
