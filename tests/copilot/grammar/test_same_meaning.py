"""Ways to say the same: each line is one meaning in several words."""

from __future__ import annotations

import pytest

from tests.copilot.grammar.meaning import Reader

SAME = (
    ("how many vms", "number of servers", "count machines", "vm count", "how many instances are there?"),
    ("list stopped vms", "stopped vms", "show me the servers that are shut off", "vms which are powered off",
     "which machines are down", "give me all powered off instances please"),
    ("list vms in acme-prod", "vms of tenant acme-prod", "servers belonging to project acme-prod", "acme-prod vms",
     "show the machines in the acme-prod project", "vms for acme-prod", "Vms In ACME-PROD"),
    ("list vms on cmp-01", "vms running on cmp-01", "servers on host cmp-01", "show me vms on compute node cmp-01",
     "list machines hosted on cmp-01"),
    ("vms with more than 4 vcpus", "vms that have over 4 cores", "servers with > 4 cpus", "vms with vcpus > 4",
     "vms with more than four vcpus"),
    ("unattached volumes", "volumes not attached", "detached disks", "disks which are not attached to any vm",
     "orphaned volumes", "which volumes are unattached"),
    ("top 5 vms by ram", "5 vms with the most ram", "the five largest vms by memory"),
    ("how many vms per project", "vm count by project", "number of servers per tenant", "vms per project"),
    ("are all hosts up", "is every host up", "are all hypervisors up?"),
    ("unattached volumes older than 30 days", "volumes older than 30 days that are not attached"),
    ("total ram of vms in acme-prod", "sum of ram of the servers in acme-prod", "total memory of acme-prod vms"),
    ("volumes without snapshots", "volumes that have no snapshots", "volumes with no snapshot"),
    ("vms not in acme-prod", "vms that are not in project acme-prod", "all vms except in acme-prod"),
)  # fmt: skip


def without_columns(meaning: str) -> str:
    """Which columns are shown is no meaning here; a count is a count."""
    kept = [part for part in meaning.split("; ") if not part.startswith("shows ")]
    return "; ".join(kept)


@pytest.mark.parametrize(
    ("first", "other"), [(ways[0], other) for ways in SAME for other in ways[1:]], ids=lambda text: text
)
def test_other_words_mean_the_same(reader: Reader, first: str, other: str) -> None:
    meaning = reader.meaning(first)
    assert meaning not in ("unsure", "nothing", "several")
    assert without_columns(reader.meaning(other)) == without_columns(meaning)
