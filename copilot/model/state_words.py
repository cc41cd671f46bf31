"""Words for states that several entities share. Data."""

from __future__ import annotations

ERROR_WORDS = (
    "error", "errored", "in error", "in error state", "in an error state", "failed", "broken", "faulty",
    "erroring", "errors", "err", "bad", "in a bad state", "fail", "fails", "failing", "went wrong",
    "in failed state", "in error status", "in status error", "with errors", "with error", "in state error",
    "error state", "in failure", "failures",
)  # fmt: skip
UNUSED_WORDS = (
    "nobody uses", "that nobody uses", "nobody is using", "that nobody is using", "noone uses",
    "no one is using", "nobody needs", "that nobody needs", "that no one uses", "that are not used",
    "never used", "not used by anybody", "no one uses", "not being used", "that nothing uses", "nothing uses",
    "no longer used", "not used by anything", "not used by anyone", "not used anywhere", "used by nobody",
    "used by no one", "used nowhere", "unused", "not used", "not in use", "idle", "orphan", "orphaned",
    "leftover", "unneeded",
)  # fmt: skip
DISTROS = (
    "ubuntu", "debian", "centos", "windows", "rhel", "rocky", "almalinux", "cirros", "fedora", "suse", "alpine",
    "freebsd", "oracle linux", "arch linux", "coreos", "flatcar",
)  # fmt: skip
PORTS = (
    ("ssh", 22), ("http", 80), ("https", 443), ("rdp", 3389), ("mysql", 3306), ("postgres", 5432), ("dns", 53),
    ("smtp", 25), ("telnet", 23), ("ftp", 21),
)  # fmt: skip
WORLD_WORDS = (
    "open to the world", "open to everyone", "open to the internet", "open to anyone", "open to all",
    "open to internet", "wide open", "open to the whole world", "exposed to the internet",
    "exposed to the world", "open for everyone", "world open", "open to everybody", "publicly open",
    "open for all", "open to world", "reachable from the internet", "open to public", "open to the public",
    "open from anywhere", "accessible from the internet", "exposed",
)  # fmt: skip
TO_WORLD = (
    "from anywhere", "from everywhere", "from the internet", "from the world", "from the whole world",
    "to the world", "from internet", "to everyone", "to anyone", "from everyone", "to the internet",
    "from any address",
)  # fmt: skip
EVERYTHING_WORDS = (
    "allow everything", "that allow everything", "allows everything", "allowing everything", "allow any traffic",
    "allow all traffic", "permit everything", "permits everything", "permitting everything", "let in everything",
    "lets in everything", "that let in everything", "let everything in", "lets everything in",
    "that let everything in", "accept everything", "accepts everything",
)  # fmt: skip
UP = (
    "up", "ok", "fine", "responding", "up and running", "up and healthy", "alive", "online", "running", "healthy",
        "reachable", "working",
)  # fmt: skip
DOWN = (
    "down", "dwn", "dead", "offline", "unreachable", "not running", "unhealthy", "not working", "crashed",
    "not responding", "gone down", "went down", "went offline", "gone offline", "in error", "failed", "broken",
    "faulty",
)  # fmt: skip
