"""What happens to an image after it was named: its bytes, its properties, its being shut and opened again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.demo.answers import Refusal, answer, empty
from engine.demo.records import Image
from engine.demo.routing import Call
from engine.demo.serving import Response

if TYPE_CHECKING:
    from engine.demo.image import Images

PATCH = ("application/openstack-images-v2.1-json-patch", "application/openstack-images-v2.0-json-patch")
FIXED = ("id", "status", "owner", "size", "checksum", "created_at", "updated_at", "file", "self", "schema")


def add_image_data(images: Images) -> None:
    """Route the bytes, the changes and the states of images."""
    data = Data(images)
    on = images.routes.on
    on("PUT", "/v2/images/{id}/file")(data.upload)
    on("GET", "/v2/images/{id}/file")(data.download)
    on("PATCH", "/v2/images/{id}")(data.patch)
    on("PUT", "/v2/images/{id}/tags/{tag}")(data.tag)
    on("DELETE", "/v2/images/{id}/tags/{tag}")(data.untag)
    on("POST", "/v2/images/{id}/actions/deactivate")(lambda call, id: data.open(call, id, ("active", "deactivated")))
    on("POST", "/v2/images/{id}/actions/reactivate")(lambda call, id: data.open(call, id, ("deactivated", "active")))


class Data:
    """The bytes themselves are not kept, only how many there were."""

    def __init__(self, images: Images) -> None:
        self.images = images

    def upload(self, call: Call, id: str) -> Response:
        row = self.images.own(call, id, "upload_image")
        if row.status != "queued":
            raise Refusal(409, f"Image status transition from {row.status} to saving is not allowed")
        wrong = self.images.state.failing("image", row.name)
        if wrong:
            row.status, row.updated = "killed", call.now
            raise Refusal(500, wrong)
        row.size, row.virtual_size = len(call.request.body), len(call.request.body)
        row.status, row.updated = "active", call.now
        return empty(204)

    def download(self, call: Call, id: str) -> Response:
        row = self.images.find(call, id)
        if row.status == "deactivated" and not call.token.admin:
            raise Refusal(403, "The requested image has been deactivated. Image data download is forbidden.")
        return empty(204)

    def open(self, call: Call, id: str, states: tuple[str, str]) -> Response:
        """Shuts an active image, or opens one that is shut; again is no error."""
        row = self.images.own(call, id, "deactivate" if states[1] == "deactivated" else "reactivate")
        if row.status not in states:
            raise Refusal(403, f"Not allowed to change the status of image {id} from {row.status}")
        row.status, row.updated = states[1], call.now
        return empty(204)

    def tag(self, call: Call, id: str, tag: str) -> Response:
        row = self.images.own(call, id, "modify_image")
        row.tags = tuple(dict.fromkeys((*row.tags, tag)))
        return empty(204)

    def untag(self, call: Call, id: str, tag: str) -> Response:
        row = self.images.own(call, id, "modify_image")
        if tag not in row.tags:
            raise Refusal(404, f"Tag {tag} was not found in image {id}")
        row.tags = tuple(other for other in row.tags if other != tag)
        return empty(204)

    # Properties

    def patch(self, call: Call, id: str) -> Response:
        """A JSON patch of properties, one level deep, as Glance takes it."""
        if call.request.headers.get("content-type", "") not in PATCH:
            raise Refusal(415, "Unsupported Media Type")
        row = self.images.own(call, id, "modify_image")
        changes: Any = call.json()
        if not isinstance(changes, list):
            raise Refusal(400, "Request body must be a JSON array of operation objects.")
        for change in changes:
            self._change(row, change)
        row.updated = call.now
        return answer(self.images.document(row))

    def _change(self, row: Image, change: Any) -> None:
        operation = change.get("op") if isinstance(change, dict) else None
        if operation not in ("add", "replace", "remove"):
            raise Refusal(400, f"Operations must be 'add', 'replace' or 'remove', not {operation!r}.")
        name, value = str(change.get("path") or "").removeprefix("/"), change.get("value")
        if name in FIXED:
            raise Refusal(403, f"Attribute '{name}' is read-only.")
        known = {"name", "visibility", "min_disk", "min_ram", "protected", "tags", "os_hidden"}
        if name in known and operation != "remove":
            field = "hidden" if name == "os_hidden" else name
            setattr(row, field, tuple(value) if name == "tags" else value)
        elif operation == "remove":
            if name not in row.properties:
                raise Refusal(409, f"Property {name} does not exist.")
            row.properties = {key: text for key, text in row.properties.items() if key != name}
        elif not isinstance(value, str):
            raise Refusal(400, f"Provided object does not match schema 'image': {value} is not of type 'string'")
        else:
            row.properties = {**row.properties, name: value}
