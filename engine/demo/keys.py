"""Public keys as ssh writes them, and their fingerprints."""

from __future__ import annotations

import base64
import hashlib
import struct


def public_key(name: str, comment: str) -> str:
    """An ed25519 public key as ssh writes it; nobody has its other half."""
    parts = (b"ssh-ed25519", hashlib.sha256(name.encode()).digest())
    blob = b"".join(struct.pack(">I", len(part)) + part for part in parts)
    return f"ssh-ed25519 {base64.b64encode(blob).decode()} {comment}"


def fingerprint(public: str) -> str:
    """The MD5 fingerprint of a public key. Raises ValueError for what is none."""
    parts = public.split()
    try:
        blob = base64.b64decode(parts[1], validate=True)
        (length,) = struct.unpack(">I", blob[:4])
        kind = blob[4 : 4 + length].decode("ascii")
    except (IndexError, struct.error) as reason:
        raise ValueError("no public key") from reason
    if kind != parts[0] or len(blob) < 4 + length + 4 + 32:
        raise ValueError("no public key")
    digest = hashlib.md5(blob, usedforsecurity=False).hexdigest()
    return ":".join(digest[index : index + 2] for index in range(0, 32, 2))
