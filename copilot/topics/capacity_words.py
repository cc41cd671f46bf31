"""What questions for capacity speak of: processors, memory, disks; used, free, full; of hosts or of clouds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from copilot.answers import Named
from copilot.reading import Quantity
from copilot.topics.speech import Knows, Speech, knows
from copilot.topics.topic import Asked

Kind = Literal["vcpus", "ram_mb", "disk_gb", "pool_gb"]
Wanted = Literal["free", "used", "percent", "total"]

_CPU = ("cpu", "cpus", "vcpu", "vcpus", "core", "cores", "processor", "processors")
_RAM = ("ram", "memory", "mem")
_DISK = ("disk", "disks", "local disk", "local disks", "local storage", "hdd", "disk space")
_POOL = ("storage", "space", "block storage", "pool", "pools", "storage pool", "storage pools", "disk space")
_FREE = ("free", "left", "remaining", "remains", "available", "headroom", "spare", "room", "unused", "unallocated",
         "leftover")  # fmt: skip
_USED = ("used", "usage", "allocated", "consumed", "taken", "committed", "use", "occupied", "assigned", "loaded",
         "load", "busy")  # fmt: skip
_SHARE = ("full", "fullest", "utilization", "utilisation", "percent", "percentage", "%", "utilized", "utilised",
          "emptiest")  # fmt: skip
_WHOLE = ("capacity", "capacities")
OVERCOMMIT = ("overcommit", "overcommitment", "overcommitted", "overcommited", "overprovisioned", "overbooked",
              "oversubscribed", "oversubscription", "overcommit ratio")  # fmt: skip
_HOSTS = ("host", "hosts", "hypervisor", "hypervisors", "node", "nodes", "compute node", "compute nodes")
_EACH = ("per host", "by host", "each host", "which host", "which hosts", "which hypervisor", "hosts by", "every host",
         "each hypervisor", "per hypervisor", "what host", "per node", "which node", "host with", "hosts with",
         "of each host", "on each host", "top")  # fmt: skip
_RANKED = ("most", "least", "fullest", "emptiest", "largest", "smallest", "biggest", "highest", "lowest", "top",
           "more", "best", "busiest", "greatest", "less", "fewest", "the most", "hottest")  # fmt: skip
KNOWN: Knows = knows(
    "cloud clouds total overall capacity capacities physical compute virtual summary report overview planning status "
    "of all in use most least largest smallest biggest highest lowest more best ratio ratios factor rate vs versus "
    "each top local block machines' new fleet estate openstack whole entire left over up out sorted compared exist "
    "percent stand situation running low enough gigabytes gb ready less fewest greatest busiest hottest where there",
    ("hypervisor", "cloud"),
    also={word for group in (_CPU, _RAM, _DISK, _POOL, _FREE, _USED, _SHARE, OVERCOMMIT, _HOSTS)
          for phrase in group for word in phrase.split()},
)  # fmt: skip
_NOUN_FIRST = r"^(the )?(cpu|vcpu|core|ram|memory|storage|disk|compute|local disk)s? (usage|utili[sz]ation|headroom)"


@dataclass(frozen=True, slots=True)
class Capacity:
    """A question for capacity.

    kinds   what of; all where none is said
    wanted  which number is the answer
    each    by host
    least   the ones with the least of it first
    ranked  asked for the most or the least
    least_amount, most_rows   hosts with so much of it ("more than 100 GB free"), so many hosts
    """

    kinds: tuple[Kind, ...]
    wanted: Wanted
    said: bool
    hosts: tuple[Named, ...]
    clouds: tuple[str, ...]
    each: bool
    least: bool
    ranked: bool
    overcommit: bool
    least_amount: Quantity | None = None
    most_rows: int | None = None

    @property
    def counts_all(self) -> bool:
        """Whether every number of the question has its place."""
        return self.each and (self.least_amount is not None or self.most_rows is not None)


def heard(asked: Asked) -> Capacity:
    """What a question asks."""
    speech = Speech.of(asked)
    kinds = _kinds(speech)
    hosts = asked.of_type("hypervisor")
    ranked = speech.has(*_RANKED)
    least = speech.has("least", "emptiest", "lowest", "smallest", "less", "fewest")
    if speech.has("emptiest") and not speech.has(*_FREE):
        least = True
    return Capacity(
        kinds or ("vcpus", "ram_mb", "disk_gb", "pool_gb"),
        wanted_of(speech),
        bool(kinds),
        hosts,
        tuple(dict.fromkeys(one.name for one in asked.of_type("cloud"))),
        not hosts
        and (
            speech.has(*_EACH)
            or speech.matches(r"^(show |list )?(all )?(hosts|hypervisors|nodes) ")
            or (ranked and speech.has(*_HOSTS))
        ),
        least,
        ranked,
        speech.has(*OVERCOMMIT),
        *_numbers(asked, speech, kinds),
    )


def _numbers(asked: Asked, speech: Speech, kinds: tuple[Kind, ...]) -> tuple[Quantity | None, int | None]:
    """(amount that hosts must have, how many hosts), where the question has one number and it is that."""
    found = [item.quantity for item in asked.items if item.quantity]
    if len(found) != 1:
        return None, None
    one = found[0]
    if one.comparison and one.upper is None and kinds:
        fits = one.unit == "%" or bool(one.unit == "MB") == (kinds[0] != "vcpus")
        return (one, None) if fits and one.unit != "s" else (None, None)
    if not one.comparison and not one.unit and speech.matches(r"\b(top|first|the) (<number>|hosts?)"):
        return None, int(one.value)
    return None, None


def _kinds(speech: Speech) -> tuple[Kind, ...]:
    found: list[Kind] = []
    if speech.has(*_CPU):
        found.append("vcpus")
    if speech.has(*_RAM):
        found.append("ram_mb")
    local = speech.has("local", "hdd") or speech.has(*_HOSTS, "<hypervisor>")
    if speech.has(*_DISK) or (local and speech.has("storage", "space")):
        found.append("disk_gb")
    if speech.has("pool", "pools", "storage pool", "storage pools"):
        return (*found, "pool_gb")
    if speech.has(*_POOL) and not local:
        found.append("pool_gb")
        if "disk_gb" not in found:
            found.append("disk_gb")
    return tuple(found)


def wanted_of(speech: Speech) -> Wanted:
    """The number that is the answer."""
    if speech.has(*_FREE):
        return "free"
    if speech.has(*_SHARE):
        return "percent"
    return "used" if speech.has(*_USED) else "total"


def base(asked: Asked) -> float:
    """How surely it is a question for capacity, before unknown words are counted."""
    speech = Speech.of(asked)
    if asked.of_type("project", "server", "volume", "flavor"):
        return 0.0
    kinds, host = _kinds(speech), bool(asked.of_type("hypervisor"))
    if speech.has(*OVERCOMMIT) or speech.matches(r"\bcapacity\b") or speech.matches(_NOUN_FIRST):
        return 1.0
    words = speech.has(*_FREE, *_USED, *_SHARE)
    if kinds and words and not asked.parse.negation:
        return 1.0
    if host and (speech.has(*_FREE, *_SHARE) or speech.matches(r"\bhow (full|loaded|busy)\b")):
        return 1.0
    if speech.matches(r"\bhow full (is|are) (the |our )?(cloud|hosts?|hypervisors?|we|everything)"):
        return 1.0
    if speech.matches(
        r"^(is|are) (the |our )?(cloud|hosts?|hypervisors?) full$|how (loaded|busy) are (the |our )?hosts"
    ):
        return 1.0
    if host and speech.has("busy"):
        return 0.9
    if speech.matches(r"\b(emptiest|fullest|least loaded|most loaded) (host|hypervisor|node)"):
        return 0.9
    return 1.0 if speech.has("headroom") or speech.matches(r"how much (room|headroom) (is|do)") else 0.0
