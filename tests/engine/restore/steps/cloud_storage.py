"""The simulated Cinder and Glance, and what of Nova has to do with disks: attachments, images, rebuilds."""

from __future__ import annotations

from typing import Any

from engine.restore.models import MARK
from tests.engine.restore.steps.cloud_base import PROJECT, Base, Doc, refuse, route


class StorageParts(Base):
    """Documents by id, as the services have them. `contents`: what is on a volume, or in an image, as one word."""

    def __init__(self) -> None:
        super().__init__()
        self.servers: dict[str, Doc] = {}
        self.volumes: dict[str, Doc] = {}
        self.snapshots: dict[str, Doc] = {}
        self.backups: dict[str, Doc] = {}
        self.images: dict[str, Doc] = {}
        self.attachments: dict[str, list[Doc]] = {}
        self.actions: dict[str, list[Doc]] = {}
        self.messages: list[Doc] = []
        self.contents: dict[str, str] = {}
        self.fails: set[str] = set()  # what comes to nothing: "volume", "snapshot", "image", "rebuild", "attach", ...
        self.devices = True  # whether Nova takes a device that is asked for

    # To begin with

    def add_volume(self, content: str = "data", **more: Any) -> str:
        id = self.new_id("vol")
        self.volumes[id] = {
            "id": id, "name": id, "status": "available", "size": 1, "volume_type": "ssd", "bootable": "false",
            "encrypted": False, "multiattach": False, "attachments": [], "metadata": {}, "description": "",
            "availability_zone": "nova", "os-vol-tenant-attr:tenant_id": PROJECT, **more,
        }  # fmt: skip
        self.contents[id] = content
        return id

    def add_snapshot(self, volume: str, content: str, **more: Any) -> str:
        id = self.new_id("snap")
        of = self.volumes[volume]
        self.snapshots[id] = {"id": id, "volume_id": volume, "status": "available", "size": of["size"], "name": id,
                              "metadata": {}, **more}  # fmt: skip
        self.contents[id] = content
        self._kept = {**getattr(self, "_kept", {}), id: (of["bootable"], dict(of.get("volume_image_metadata") or {}))}
        return id

    def add_backup(self, volume: str, content: str, **more: Any) -> str:
        id = self.new_id("backup")
        of = self.volumes[volume]
        self.backups[id] = {"id": id, "volume_id": volume, "status": "available", "size": of["size"], "name": id,
                            "kept": dict(of["metadata"]), **more}  # fmt: skip
        self.contents[id] = content
        return id

    def add_image(self, content: str, **more: Any) -> str:
        id = self.new_id("img")
        self.images[id] = {"id": id, "name": id, "status": "active", **more}
        self.contents[id] = content
        return id

    def add_server(self, disks: list[str], image: str = "", content: str = "", **more: Any) -> str:
        """A machine with these volumes; it boots from the image, or from the first of them."""
        id = self.new_id("srv")
        self.servers[id] = {
            "id": id, "name": "web", "status": "ACTIVE", "OS-EXT-STS:vm_state": "active", "tenant_id": PROJECT,
            "OS-EXT-STS:task_state": None, "image": {"id": image} if image else "", "locked": False, "metadata": {},
            **more,
        }  # fmt: skip
        self.contents[id] = content
        self.attachments[id], self.actions[id] = [], []
        for number, volume in enumerate(disks):
            self._on(id, volume, {"device": f"/dev/vd{'abcdef'[number + bool(image)]}"})
        return id

    def content(self, server: str) -> str:
        """What is on the machine's root."""
        root = next((one for one in self.attachments[server] if one["device"] == "/dev/vda"), None)
        return self.contents[root["volumeId"]] if root else self.contents[server]

    def hanging(self, server: str) -> list[tuple[str, str]]:
        """(device, volume) of a machine in order."""
        return sorted((one["device"], one["volumeId"]) for one in self.attachments[server])

    def _on(self, server: str, volume: str, more: Doc) -> None:
        row = {"volumeId": volume, "serverId": server, "tag": None, "delete_on_termination": False, **more}
        self.attachments[server].append(row)
        self.volumes[volume]["attachments"].append({"server_id": server, "device": row["device"]})
        self.volumes[volume]["status"] = "in-use"

    def _take(self, volume: str) -> Doc:
        found = self.volumes.get(volume)
        if found is None:
            raise refuse(404, f"Volume {volume} could not be found.")
        return found

    # Cinder

    @route("block-storage", "GET", "/volumes/{id}")
    def volume(self, id: str) -> Doc | None:
        return {"volume": self.volumes[id]} if id in self.volumes else None

    @route("block-storage", "GET", "/volumes/detail")
    def volume_list(self) -> Doc:
        return {"volumes": list(self.volumes.values())}

    @route("block-storage", "POST", "/volumes", "volume")
    def make_volume(self, body: Doc) -> tuple[int, Doc]:
        assert self.call.session == "tenant" and self.call.creates
        source = body.get("snapshot_id") or body.get("imageRef") or ""
        if body.get("snapshot_id") and source not in self.snapshots:
            raise refuse(404, "no such snapshot")
        bootable, image = getattr(self, "_kept", {}).get(source, ("false", {}))
        id = self.add_volume(
            self.contents.get(source, ""), name=body["name"], size=body["size"], status="creating",
            volume_type=body.get("volume_type", "ssd"), metadata=dict(body["metadata"]), bootable=bootable,
            description=body["description"], **({"volume_image_metadata": dict(image)} if image else {}),
        )  # fmt: skip
        self.soon(lambda: self._ended("volume", self.volumes.get(id), "available", "error"))
        return 202, {"volume": self.volumes[id]}

    def _ended(self, what: str, document: Doc | None, well: str, ill: str) -> None:
        if document is None:
            return
        fails = what in self.fails
        document["status"] = ill if fails else well
        if fails:
            self.messages.append({"resource_uuid": document["id"], "user_message": f"{what}: the pool is full"})

    @route("block-storage", "DELETE", "/volumes/{id}")
    def remove_volume(self, id: str) -> tuple[int, Doc]:
        found = self._take(id)
        if found["status"] not in ("available", "error", "error_restoring"):
            raise refuse(400, f"Volume status must be available or error, not {found['status']}")
        if any(one["volume_id"] == id for one in self.snapshots.values()):
            raise refuse(400, "Volume has snapshots")
        found["status"] = "deleting"
        self.soon(lambda: self.volumes.pop(id, None))
        return 202, {}

    @route("block-storage", "PUT", "/volumes/{id}", "volume")
    def change_volume(self, id: str, body: Doc) -> tuple[int, Doc]:
        self._take(id).update(body)
        return 200, {"volume": self.volumes[id]}

    @route("block-storage", "POST", "/volumes/{id}/metadata", "metadata")
    def set_metadata(self, id: str, body: Doc) -> tuple[int, Doc]:
        self._take(id)["metadata"].update(body)
        return 200, {}

    @route("block-storage", "DELETE", "/volumes/{id}/metadata/{key}")
    def unset_metadata(self, id: str, key: str) -> tuple[int, Doc]:
        self._take(id)["metadata"].pop(key)
        return 200, {}

    @route("block-storage", "POST", "/volumes/{id}/action", "os-set_bootable")
    def set_bootable(self, id: str, body: Doc) -> tuple[int, Doc]:
        self._take(id)["bootable"] = str(body["bootable"]).lower()
        return 200, {}

    @route("block-storage", "POST", "/volumes/{id}/action", "os-set_image_metadata")
    def set_image_metadata(self, id: str, body: Doc) -> tuple[int, Doc]:
        self._take(id).setdefault("volume_image_metadata", {}).update(body["metadata"])
        return 200, {}

    @route("block-storage", "POST", "/volumes/{id}/action", "os-reset_status")
    def reset_status(self, id: str, body: Doc) -> tuple[int, Doc]:
        assert self.call.session == "admin"
        self._take(id)["status"] = body["status"]
        return 202, {}

    @route("block-storage", "POST", "/volumes/{id}/action", "os-volume_upload_image")
    def upload(self, id: str, body: Doc) -> tuple[int, Doc]:
        volume = self._take(id)
        if volume["status"] != "available":
            raise refuse(400, "Volume status must be available")
        image = self.add_image(self.contents[id], name=body["image_name"], status="queued")
        self.images[image].update(volume.get("volume_image_metadata") or {})
        self.images[image] |= {"id": image, "name": body["image_name"]}
        volume["status"] = "uploading"

        def end() -> None:
            volume["status"] = "available"
            if "upload" in self.fails:
                self.images.pop(image, None)
                self.messages.append({"resource_uuid": id, "user_message": "upload: no room in the image store"})
            elif image in self.images:
                self.images[image]["status"] = "active"

        self.soon(end)
        return 202, {"os-volume_upload_image": {"id": id, "status": "uploading", "image_id": image}}

    @route("block-storage", "GET", "/snapshots/{id}")
    def snapshot(self, id: str) -> Doc | None:
        return {"snapshot": self.snapshots[id]} if id in self.snapshots else None

    @route("block-storage", "GET", "/snapshots/detail")
    def snapshot_list(self) -> Doc:
        return {"snapshots": list(self.snapshots.values())}

    @route("block-storage", "POST", "/snapshots", "snapshot")
    def make_snapshot(self, body: Doc) -> tuple[int, Doc]:
        assert self.call.session == "tenant" and self.call.creates and body["force"] is True
        of = self._take(body["volume_id"])
        id = self.add_snapshot(of["id"], self.contents[of["id"]], name=body["name"], metadata=dict(body["metadata"]),
                               status="creating")  # fmt: skip
        self.soon(lambda: self._ended("snapshot", self.snapshots.get(id), "available", "error"))
        return 202, {"snapshot": self.snapshots[id]}

    @route("block-storage", "DELETE", "/snapshots/{id}")
    def remove_snapshot(self, id: str) -> tuple[int, Doc]:
        if self.snapshots.get(id, {}).get("status") not in ("available", "error"):
            raise refuse(404 if id not in self.snapshots else 400, "Snapshot status must be available or error")
        self.snapshots[id]["status"] = "deleting"
        self.soon(lambda: self.snapshots.pop(id, None))
        return 202, {}

    @route("block-storage", "POST", "/backups/{id}/restore", "restore")
    def restore(self, id: str, body: Doc) -> tuple[int, Doc]:
        backup, volume = self.backups[id], self._take(body["volume_id"])
        if volume["status"] != "available" or backup["status"] != "available":
            raise refuse(400, "Volume to be restored to must be available")
        volume["status"] = backup["status"] = "restoring-backup"

        def end() -> None:
            backup["status"] = "available"
            self._ended("restore", volume, "available", "error_restoring")
            if volume["status"] == "available":
                self.contents[volume["id"]] = self.contents[id]
                # As Cinder does: the metadata of the backup replace all that was there, our mark, too.
                volume["metadata"] = {**backup["kept"], "src_backup_id": id}

        self.soon(end)
        return 202, {"restore": {"backup_id": id, "volume_id": volume["id"]}}

    @route("block-storage", "GET", "/messages")
    def message_list(self) -> Doc:
        wanted = self.query.get("resource_uuid")
        return {"messages": [one for one in self.messages if one["resource_uuid"] == wanted]}

    # Glance

    @route("image", "GET", "/images/{id}")
    def image(self, id: str) -> Doc | None:
        return self.images.get(id)

    @route("image", "GET", "/images")
    def image_list(self) -> Doc:
        wanted = {key: value for key, value in self.query.items() if key in (MARK, "name")}
        rows = [one for one in self.images.values() if all(one.get(key) == value for key, value in wanted.items())]
        return {"images": rows}

    @route("image", "DELETE", "/images/{id}")
    def remove_image(self, id: str) -> tuple[int, Doc]:
        if self.images.pop(id, None) is None:
            raise refuse(404, "no such image")
        return 204, {}

    # Nova, as far as disks go

    @route("compute", "GET", "/servers/{id}")
    def server(self, id: str) -> Doc | None:
        return {"server": self.servers[id]} if id in self.servers else None

    @route("compute", "GET", "/servers/{id}/os-volume_attachments")
    def attachment_list(self, id: str) -> Doc | None:
        return {"volumeAttachments": self.attachments[id]} if id in self.servers else None

    @route("compute", "GET", "/servers/{id}/os-instance-actions")
    def action_list(self, id: str) -> Doc | None:
        return {"instanceActions": self.actions[id]} if id in self.servers else None

    @route("compute", "POST", "/servers/{id}/os-volume_attachments", "volumeAttachment")
    def attach(self, id: str, body: Doc) -> tuple[int, Doc]:
        volume, taken = self._take(body["volumeId"]), [one["device"] for one in self.attachments[id]]
        if volume["status"] != "available":
            raise refuse(400, f"volume {volume['id']} status must be available, currently {volume['status']}")
        if body.get("tag") and self.servers[id]["status"] == "SHELVED_OFFLOADED":
            raise refuse(400, "Tagged volume attachment is not supported for shelved-offloaded instances.")
        if "device" in body and not self.devices:
            raise refuse(400, "The supplied device path is invalid.")
        if body.get("device") in taken:
            raise refuse(409, f"The supplied device path ({body['device']}) is in use.")
        device = body.get("device") or next(f"/dev/vd{x}" for x in "bcdefgh" if f"/dev/vd{x}" not in taken)
        volume["status"] = "reserved"
        more = {key: body[key] for key in ("tag", "delete_on_termination") if key in body}
        row = {"volumeId": volume["id"], "serverId": id, "device": device, "tag": None, "delete_on_termination": False,
               **more}  # fmt: skip
        self.attachments[id].append(row)

        def end() -> None:
            if "attach" in self.fails:
                self.attachments[id].remove(row)
                volume["status"] = "available"
            else:
                volume["attachments"].append({"server_id": id, "device": device})
                volume["status"] = "in-use"

        self.soon(end)
        return 200, {"volumeAttachment": {"id": volume["id"], **row}}

    @route("compute", "PUT", "/servers/{id}/os-volume_attachments/{volume}", "volumeAttachment")
    def change_attachment(self, id: str, volume: str, body: Doc) -> tuple[int, Doc]:
        found = [one for one in self.attachments[id] if one["volumeId"] == volume]
        if not found:
            raise refuse(404, "not attached")
        found[0]["delete_on_termination"] = body["delete_on_termination"]
        return 202, {}

    @route("compute", "DELETE", "/servers/{id}/os-volume_attachments/{volume}")
    def detach(self, id: str, volume: str) -> tuple[int, Doc]:
        row = next((one for one in self.attachments[id] if one["volumeId"] == volume), None)
        if row is None:
            raise refuse(404, f"Instance {id} is not attached to volume {volume}")
        if self.servers[id]["status"].startswith("SHELVED") and not self.call.microversion:
            raise refuse(409, f"Cannot 'detach_volume' instance {id} while it is in vm_state shelved_offloaded")
        if self.volumes[volume]["status"] not in ("in-use", "reserved"):
            raise refuse(400, "Unable to detach volume. Volume status must be 'in-use'")
        self.volumes[volume]["status"] = "detaching"

        def end() -> None:
            document = self.volumes[volume]
            if "detach" in self.fails:
                document["status"] = "in-use"
                return
            self.attachments[id].remove(row)
            document["attachments"] = [one for one in document["attachments"] if one["server_id"] != id]
            document["status"] = "in-use" if document["attachments"] else "available"

        self.soon(end)
        return 202, {}

    @route("compute", "POST", "/servers/{id}/action", "createImage")
    def save_image(self, id: str, body: Doc) -> tuple[int, Doc]:
        image = self.add_image(self.contents[id], status="queued", **body["metadata"])
        self.images[image]["name"] = body["name"]
        self.soon(lambda: self._ended("image", self.images.get(image), "active", "killed"))
        return 202, {"image_id": image}

    @route("compute", "POST", "/servers/{id}/action", "rebuild")
    def rebuild(self, id: str, body: Doc) -> tuple[int, Doc]:
        assert set(body) == {"imageRef"}, "nothing but the image is given"
        server = self.servers[id]
        if server["OS-EXT-STS:task_state"]:
            raise refuse(409, f"Cannot 'rebuild' instance {id} while it is in task_state rebuilding")
        image = self.images.get(body["imageRef"])
        if image is None or image["status"] != "active":
            raise refuse(400, "Cannot find image for rebuild")
        root = next((one["volumeId"] for one in self.attachments[id] if one["device"] == "/dev/vda"), "")
        if root and self.volumes[root]["status"] != "in-use":
            raise refuse(400, f"Invalid volume: volume {root} status must be 'in-use'")
        was = server["status"]
        server["OS-EXT-STS:task_state"] = "rebuilding"
        server["status"] = "REBUILD"
        self.actions[id].append({"action": "rebuild", "request_id": f"req-rebuild-{len(self.actions[id])}"})
        if not root:
            server["image"] = {"id": image["id"]}

        def end() -> None:
            server["OS-EXT-STS:task_state"] = None
            if "rebuild" in self.fails:
                server["status"] = "ERROR"
                server["fault"] = {"message": "Failed to rebuild volume backed instance."}
                if root:
                    self.volumes[root]["status"] = "error"
                return
            server["status"] = "SHUTOFF" if was == "SHUTOFF" else "ACTIVE"
            self.contents[root or id] = self.contents[image["id"]]
            if root:
                kept = {key: value for key, value in image.items() if key not in ("id", "name", "status")}
                kept |= {"image_id": image["id"], "image_name": image["name"]}
                self.volumes[root]["volume_image_metadata"] = kept

        self.soon(end)
        return 202, {"server": {"id": id, "adminPass": "(redacted)"}}
