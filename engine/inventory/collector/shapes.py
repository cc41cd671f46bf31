"""Fields whose value depends on who asks, brought into one shape.

The store passes over fields that only one of two documents has: they were seen with different rights. Some services do
not leave such fields out but empty them, or hide them inside others; here they become absent, so that losing or getting
a role is no change of a resource.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Doc = dict[str, Any]


def shape(type: str, all_projects: bool) -> Callable[[Doc], None] | None:
    """The function that brings documents of the type into shape, in place; None when they are as they should be."""
    if type in _ALWAYS:
        return _ALWAYS[type]
    return None if all_projects else _NARROW.get(type)


def _volume(doc: Doc) -> None:
    """The host in an attachment is null unless an administrator asks; it is the server's host anyway."""
    attachments = doc.get("attachments")
    if type(attachments) is list:
        for attachment in attachments:
            if type(attachment) is dict:
                attachment.pop("host_name", None)


def _server(doc: Doc) -> None:
    """A fault has its traceback for administrators only: kept beside the fault."""
    fault = doc.get("fault")
    if type(fault) is dict and "details" in fault:
        doc["fault_details"] = fault.pop("details")


def _zone(doc: Doc) -> None:
    """Without the right to see hosts they are null."""
    if doc.get("hosts", 0) is None:
        del doc["hosts"]


def _volume_type(doc: Doc) -> None:
    """Some extra specs are left out for everybody else, so what is left says nothing."""
    doc.pop("extra_specs", None)


_ALWAYS: dict[str, Callable[[Doc], None]] = {"volume": _volume, "server": _server, "availability_zone": _zone}
_NARROW: dict[str, Callable[[Doc], None]] = {"volume_type": _volume_type}
