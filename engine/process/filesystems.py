"""Whether a home lies on a network file system, where neither locks nor the databases are safe."""

from __future__ import annotations

import os
import re
from pathlib import Path

from engine.process.failures import StartFailure
from engine.process.models import Exit

# Set to 1 to take the risk: for tests, and for file systems that are known to lock well.
OVERRIDE = "QDECK_ALLOW_NETWORK_HOME"

_NETWORK = frozenset(
    {
        "9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fhgfs", "gfs", "gfs2", "glusterfs", "gpfs",
        "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb3", "smbfs",
    }
)  # fmt: skip
# User-space file systems say which one they are behind a dot.
_LOCAL_FUSE = frozenset({"fuse.ext4", "fuse.fuse-overlayfs", "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs"})


def file_system(path: Path, mountinfo: str) -> str:
    """Type of the file system that holds `path` (which need not exist yet), by the text of /proc/self/mountinfo."""
    real = os.path.realpath(path)
    best, kind = "", ""
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) < 5:
            continue
        mount = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), fields[4])
        inside = real == mount or real.startswith(mount.rstrip("/") + "/")
        # Of two mounts on one folder the later is seen.
        if inside and len(mount) >= len(best):
            best, kind = mount, after.split(" ")[0]
    return kind


def is_network(kind: str) -> bool:
    """Whether files of that type may be written by other machines at the same time."""
    return kind in _NETWORK or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE)


def check_local(path: Path, *, mountinfo: str | None = None) -> None:
    """Raise StartFailure when `path` is on a network file system, unless QDECK_ALLOW_NETWORK_HOME=1."""
    if os.environ.get(OVERRIDE) == "1":
        return
    kind = file_system(path, mount_table() if mountinfo is None else mountinfo)
    if is_network(kind):
        raise StartFailure(
            f"the home {path} is on a network file system ({kind}), where locks and databases are not safe; set "
            f"QDECK_HOME to a folder on a local disk ({OVERRIDE}=1 takes the risk)",
            Exit.NETWORK_HOME,
        )


def mount_table() -> str:
    """The kernel's table of mounts; empty on a host without /proc, where only the lock can tell."""
    try:
        return Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    except OSError:
        return ""
