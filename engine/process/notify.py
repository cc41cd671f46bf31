"""Tells systemd, when it asked, how the engine is (the protocol of sd_notify)."""

from __future__ import annotations

import contextlib
import os
import socket


def notify(**fields: str) -> None:
    """Send fields such as READY="1" or STATUS="..." to `NOTIFY_SOCKET`; nothing when there is none."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    text = "\n".join(f"{name}={' '.join(value.split())}" for name, value in fields.items())
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        sender.sendall(text.encode())
