"""The calls that make and remove restore points, and how what they made is found again. Pure: calls in, calls out.

Written for what every Cinder since Mitaka and every Nova since Pike takes:

    snapshots   without a microversion (3.0), with `force`: an in-use volume needs it there. From 3.66 on the flag means
                nothing any more, so no microversion is asked for, and the same request is right on every cloud
    machines    createImage with 2.45, which answers the image's id. Of a volume-booted machine it makes a snapshot of
                every volume and an image of no bytes that lists them
    removing    DELETE alone: never `cascade`, never a forced delete

Everything is made and removed with a token of the volume's own project: elsewhere its owner would not see it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from engine.gate.models import Call
from engine.snapshots.models import (
    AUTO_SNAPSHOT,
    CONSISTENCY,
    CREATED_BY,
    CREATED_BY_HAND,
    CREATED_BY_POLICY,
    POLICIES,
    POLICY,
    PROJECT,
    RETENTION,
    TAKEN_AT,
    TOKEN,
    VOLUME,
    Consistency,
    Key,
    Volume,
)
from store import times

IMAGE_ID_SINCE = "2.45"  # microversion of Nova from which createImage answers the image's id
PREFIX = "auto"  # begins the names of what policies make; nobody else may take a name that begins so
MOST = 255  # characters of a name, a description, a metadata key or value
_PART = 40
_PAGE = 500
_PAGES = 20
_UNSAFE = re.compile(r"[^A-Za-z0-9._]+")
_PATH_SAFE = re.compile(r"[A-Za-z0-9._~-]{1,255}")
_YES = frozenset({"true", "yes", "1", "on", "t", "y"})

Get = Callable[..., dict[str, Any] | None]  # as engine.gate.models.Context.get


# Names and metadata


def part(text: str) -> str:
    """A part of a name: unsafe characters become one dash, at most 40 characters; "" when nothing is left."""
    return _UNSAFE.sub("-", text).strip("-.")[:_PART].rstrip("-.")


def stamp(taken_at: datetime) -> str:
    """A time in a name: UTC, to the second."""
    return taken_at.astimezone(UTC).strftime("%Y%m%d-%H%M%S")


def snapshot_name(policy: str, taken_at: datetime, *, tenant: str = "", server: str = "", volume: str = "") -> str:
    """auto-<tenant>-<policy>-<server>-<volume>-<YYYYMMDD-HHMMSS>; what is not known is left out.

    The documented pattern, so that tools which read names go on working. A machine's point has no volume in it.
    """
    parts = (PREFIX, part(tenant), part(policy), part(server), part(volume), stamp(taken_at))
    return "-".join(one for one in parts if one)


def is_policy_name(name: str) -> bool:
    """Whether a name lies in the name space of what policies make."""
    return name.strip().lower().startswith(f"{PREFIX}-")


def policy_description(policy: str) -> str:
    """Description of what a policy makes."""
    return f"Made by policy {policy} (Quarterdeck)"[:MOST]


def policy_metadata(
    policy: str,
    project_id: str,
    token: str,
    taken_at: datetime,
    *,
    volume_id: str = "",
    consistency: Consistency = "crash-consistent",
) -> dict[str, str]:
    """Metadata of what a policy makes: the documented keys, the step's token, and our own time (UTC)."""
    found = {
        CREATED_BY: CREATED_BY_POLICY,
        POLICY: policy,
        PROJECT: project_id,
        VOLUME: volume_id,
        TOKEN: token,
        TAKEN_AT: times.text(taken_at),
        CONSISTENCY: consistency,
    }
    return {key: value[:MOST] for key, value in found.items() if value}


def hand_metadata(
    project_id: str,
    token: str,
    taken_at: datetime,
    *,
    volume_id: str = "",
    consistency: Consistency = "crash-consistent",
) -> dict[str, str]:
    """Metadata of what a person makes here: no policy, so that no retention ever counts it."""
    found = policy_metadata("", project_id, token, taken_at, volume_id=volume_id, consistency=consistency)
    return found | {CREATED_BY: CREATED_BY_HAND}


# Making


def create_snapshot(volume: Volume, name: str, description: str, metadata: Mapping[str, str]) -> Call:
    """POST of a snapshot of a volume, in use or not, in the volume's project. Answers 202 with {"snapshot": ...}.

    Cinder with `force` takes a snapshot in any status: who calls this has seen that it is "available" or "in-use".
    """
    body = {
        "volume_id": volume.id,
        "name": name[:MOST],
        "description": description[:MOST],
        "force": True,
        "metadata": dict(metadata),
    }
    return Call(
        volume.cloud,
        volume.region,
        "block-storage",
        "POST",
        "/snapshots",
        {"snapshot": body},
        session="tenant",
        project_id=volume.project_id,
        what=f"snapshot of {volume.name or volume.id}",
        key=volume.key,
        type="volume",
        creates=True,
    )


def create_image(server: Key, project_id: str, name: str, metadata: Mapping[str, str], server_name: str = "") -> Call:
    """POST of Nova's createImage on a machine, in its project. Answers 202 with {"image_id": ...}.

    Nova freezes the guest's file systems where it can; only an image property of the machine makes that a condition
    (`consistency`). Refused (409) unless the machine is active, stopped or suspended.
    """
    cloud, region, id = server
    return Call(
        cloud,
        region,
        "compute",
        "POST",
        f"/servers/{id}/action",
        {"createImage": {"name": name[:MOST], "metadata": {key: value[:MOST] for key, value in metadata.items()}}},
        IMAGE_ID_SINCE,
        session="tenant",
        project_id=project_id,
        what=f"point of all volumes of {server_name or id}",
        key=server,
        type="server",
        creates=True,
    )


def image_of(answer: Mapping[str, Any]) -> str:
    """The image's id in the answer to `create_image`; "" when Nova did not say (find it by its token then)."""
    found = answer.get("image_id")
    return found if isinstance(found, str) else ""


# Removing


def delete_snapshot(snapshot: Key, project_id: str, name: str = "") -> Call:
    """DELETE of a snapshot. The cloud refuses (400) what has clones on a back end that cannot part them."""
    cloud, region, id = snapshot
    return Call(
        cloud,
        region,
        "block-storage",
        "DELETE",
        f"/snapshots/{id}",
        session="tenant",
        project_id=project_id,
        what=f"delete the snapshot {name or id}",
        key=snapshot,
        type="snapshot",
    )


def delete_image(image: Key, project_id: str, name: str = "") -> Call:
    """DELETE of a machine point's image; its snapshots stay and are deleted one by one."""
    cloud, region, id = image
    return Call(
        cloud,
        region,
        "image",
        "DELETE",
        f"/images/{id}",
        session="tenant",
        project_id=project_id,
        what=f"delete the image {name or id}",
        key=image,
        type="image",
    )


# Metadata of volumes


def is_ours(key: str) -> bool:
    """Whether a metadata key of a volume is one of the documented ones that are written."""
    return key in (AUTO_SNAPSHOT, POLICIES) or (key.startswith(RETENTION) and len(key) > len(RETENTION))


def write_metadata(volume: Volume, metadata: Mapping[str, str]) -> Call:
    """POST of a volume's metadata: sets these keys and leaves every other as it is (PUT would replace them all).

    Raises ValueError for a key that is none of the documented ones, or for what is too long for Cinder.
    """
    for key, value in metadata.items():
        if not is_ours(key):
            raise ValueError(f"{key!r:.80} is no key of snapshot policies: it is not written to volumes")
        if not key.isprintable() or len(key) > MOST or len(value) > MOST:
            raise ValueError(
                f"{key!r:.80} cannot be written to a volume: a key and a value have at most {MOST} characters"
            )
    return Call(
        volume.cloud,
        volume.region,
        "block-storage",
        "POST",
        f"/volumes/{volume.id}/metadata",
        {"metadata": dict(metadata)},
        session="tenant",
        project_id=volume.project_id,
        what=f"policies in the metadata of {volume.name or volume.id}",
        key=volume.key,
        type="volume",
    )


def remove_metadata(volume: Volume, key: str) -> Call:
    """DELETE of one of the documented keys. Raises ValueError for any other, and for one that cannot be in a path."""
    if not is_ours(key) or not _PATH_SAFE.fullmatch(key):
        raise ValueError(f"{key!r:.80} is not a key that can be taken from a volume's metadata")
    return Call(
        volume.cloud,
        volume.region,
        "block-storage",
        "DELETE",
        f"/volumes/{volume.id}/metadata/{quote(key)}",
        session="tenant",
        project_id=volume.project_id,
        what=f"{key} out of the metadata of {volume.name or volume.id}",
        key=volume.key,
        type="volume",
    )


# Finding again


def snapshots_of(get: Get, volume_id: str, microversion: str = "") -> Iterator[dict[str, Any]]:
    """The snapshots of a volume as Cinder has them now, the newest first, of every project that the account sees.

    Raises what `get` does.
    """
    query = [("all_tenants", "1"), ("volume_id", volume_id), ("sort", "created_at:desc"), ("limit", str(_PAGE))]
    marker: list[tuple[str, str]] = []
    for _ in range(_PAGES):
        found = get("block-storage", "/snapshots/detail", microversion, [*query, *marker]) or {}
        rows = [row for row in found.get("snapshots") or () if isinstance(row, dict)]
        yield from (row for row in rows if row.get("volume_id") == volume_id)
        # A cloud may have smaller pages than asked for: only its link says that there is more.
        if not rows or not found.get("snapshots_links"):
            return
        marker = [("marker", str(rows[-1].get("id")))]


def find_by_token(get: Get, volume_id: str, token: str) -> dict[str, Any] | None:
    """The snapshot of the volume that a step with this token made, as Cinder has it; None when there is none."""
    return (
        next((row for row in snapshots_of(get, volume_id) if _metadata(row).get(TOKEN) == token), None)
        if token
        else None
    )


def find_image(get: Get, token: str) -> dict[str, Any] | None:
    """The image that a step with this token made, as Glance has it; None when there is none."""
    if not token:
        return None
    # Glance knows every name that is none of its own as a property which must have the value.
    found = get("image", "/images", "", [(TOKEN, token), ("limit", "20")]) or {}
    rows = [row for row in found.get("images") or () if isinstance(row, dict)]
    return next((row for row in rows if row.get(TOKEN) == token), None)


@dataclass(frozen=True, slots=True)
class ImagePart:
    """One volume in a machine's image point: the snapshot of it, and the device it was."""

    snapshot_id: str
    volume_size_gb: int = 0
    device: str = ""
    boots: bool = False


def image_parts(document: Mapping[str, Any]) -> list[ImagePart]:
    """The snapshots that belong to an image of a volume-booted machine; [] for any other image.

    Glance keeps Nova's block device mapping as a JSON text. What is in there comes from a tenant: only what looks like
    an id is taken.
    """
    text = document.get("block_device_mapping")
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return []
    parts = []
    for entry in found if isinstance(found, list) else ():
        id = entry.get("snapshot_id") if isinstance(entry, dict) else None
        if isinstance(id, str) and re.fullmatch(r"[0-9A-Za-z-]{1,64}", id):
            size, device = entry.get("volume_size"), entry.get("device_name")
            parts.append(
                ImagePart(
                    id,
                    size if isinstance(size, int) and not isinstance(size, bool) else 0,
                    device if isinstance(device, str) else "",
                    entry.get("boot_index") == 0,
                )
            )
    return parts


# What a point is


def consistency(
    server: Mapping[str, Any], image: Mapping[str, Any], *, by_nova: bool, volumes: int = 1
) -> tuple[Consistency, str]:
    """(what a point of a machine's volumes is, the sentence that says what shows it).

    server   Nova's document of the machine; {} for a volume that no machine uses
    image    properties of what it was booted from (`volume_image_metadata` of its first volume, or Glance's image)
    by_nova  made by createImage, which asks the guest agent to freeze; Cinder alone never does
    """
    if not server:
        return (
            ("group-consistent", "no machine used it") if volumes == 1 else ("group-consistent", "no machine used them")
        )
    state = str(server.get("OS-EXT-STS:vm_state") or server.get("status") or "").lower()
    if state in ("stopped", "shutoff"):
        return "group-consistent", "the machine was off: nothing wrote meanwhile"
    agent, required = (
        str(image.get(name, "")).lower() in _YES for name in ("hw_qemu_guest_agent", "os_require_quiesce")
    )
    if by_nova and state == "active" and agent and required:
        # Nova refuses the whole image when the agent does not answer: that it was made is the proof.
        return "quiesced", "frozen by the guest agent: os_require_quiesce makes Nova refuse anything else"
    if by_nova and agent:
        return "crash-consistent", "Nova asks the guest agent, but makes the image also when it does not answer"
    if volumes > 1:
        return "crash-consistent", "the volumes were taken one after another while the machine ran"
    return "crash-consistent", "the machine ran: what it had not written to disk is not in it"


def _metadata(row: Mapping[str, Any]) -> Mapping[str, Any]:
    found = row.get("metadata")
    return found if isinstance(found, Mapping) else {}
