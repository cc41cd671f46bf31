"""Which homes are on a network file system."""

from pathlib import Path

import pytest

from engine.process.failures import StartFailure
from engine.process.filesystems import OVERRIDE, check_local, file_system, is_network
from engine.process.models import Exit

MOUNTS = """\
21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 21 0:26 / /net rw,relatime shared:5 - nfs4 filer:/home rw,vers=4.2
31 30 8:2 / /net/local rw - xfs /dev/sdb rw
32 21 0:40 / /my\\040homes rw - fuse.sshfs me@there: rw
33 21 0:41 / /over rw - ext4 /dev/sdc rw
34 21 0:42 / /over rw - cifs //server/share rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/q", "ext4"),
        ("/net", "nfs4"),
        ("/net/me/not/yet/made", "nfs4"),
        ("/network", "ext4"),
        ("/net/local/q", "xfs"),
        ("/my homes/q", "fuse.sshfs"),
        ("/over/q", "cifs"),
    ],
)
def test_the_deepest_and_newest_mount_counts(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "fuse.sshfs", "lustre"])
def test_network(kind: str) -> None:
    assert is_network(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "fuse.fuse-overlayfs", ""])
def test_local(kind: str) -> None:
    assert not is_network(kind)


def test_a_network_home_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OVERRIDE, raising=False)
    with pytest.raises(StartFailure, match=r"/net/me is on a network file system \(nfs4\).*QDECK_HOME") as caught:
        check_local(Path("/net/me"), mountinfo=MOUNTS)
    assert caught.value.code is Exit.NETWORK_HOME
    check_local(Path("/srv/q"), mountinfo=MOUNTS)


def test_who_knows_better_may_take_the_risk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OVERRIDE, "1")
    check_local(Path("/net/me"), mountinfo=MOUNTS)


def test_lines_of_other_shapes_are_left_out() -> None:
    assert file_system(Path("/x"), "nonsense\n\n1 2 3 - ext4\n" + MOUNTS) == "ext4"
