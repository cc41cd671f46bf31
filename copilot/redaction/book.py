"""The pseudonyms that one conversation has handed out, and what they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable

from store.types import registry

# A kind and a number: short, one word, said by models as it is. Any dash, any case, "server-1's" and "server-1s".
PSEUDONYM = re.compile(
    r"(?<![A-Za-z0-9_])(?<![A-Za-z0-9_]-)([A-Za-z]{2,20})[-\u2010\u2011\u2012\u2013]([0-9]{1,6})"
    r"(?=[sS]?(?![A-Za-z0-9_])(?!-[A-Za-z0-9_]))"
)
# A link stays as it is, and so do pseudonyms in it: nothing real is carried out by one that is followed.
LINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://\S*")
_BOTH = re.compile(f"(?P<link>{LINK.pattern})|{PSEUDONYM.pattern}")

_SHORT = {
    "hypervisor": "host", "floating_ip": "ip", "security_group": "secgroup", "security_group_rule": "rule",
    "availability_zone": "zone", "compute_service": "service", "volume_service": "service", "network_agent": "agent",
    "storage_pool": "pool", "cinder_message": "message",
}  # fmt: skip


def kind_of_type(type: str) -> str:
    """The word that pseudonyms of a resource type begin with."""
    return _SHORT.get(type) or type.replace("_", "")


KINDS = frozenset(
    {*map(kind_of_type, registry.ALL), "name", "id", "ip", "prefix", "mac", "mail", "secret", "text", "link", "region",
     "cloud"}
)  # fmt: skip


class Book:
    """Values and their pseudonyms, one for each."""

    def __init__(self, taken: Callable[[str], bool] = lambda text: False) -> None:
        """`taken`: whether something real is called so; such a pseudonym is never handed out."""
        self._taken = taken
        self._by_value: dict[str, str] = {}
        self._by_pseudonym: dict[str, str] = {}
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._by_value)

    def known(self, value: str) -> str | None:
        """The pseudonym of a value that has one."""
        return self._by_value.get(value)

    def pseudonym(self, value: str, kind: str) -> str:
        """The pseudonym of a value, the same one each time, whatever kind is asked for later."""
        known = self._by_value.get(value)
        if known is not None:
            return known
        while True:
            number = self._numbers[kind] = self._numbers.get(kind, 0) + 1
            made = f"{kind}-{number}"
            if not self._taken(made):
                break
        self._by_value[value] = made
        self._by_pseudonym[made] = value
        return made

    def reveal(self, text: str) -> str:
        """The text with the pseudonyms of this book undone, not in links; what a model made up stays."""
        if not self._by_pseudonym:
            return text
        return _BOTH.sub(self._revealed, text)

    def _revealed(self, found: re.Match[str]) -> str:
        if found.group("link"):
            return found.group()
        return self._by_pseudonym.get(f"{found[2].lower()}-{found[3]}", found.group())
