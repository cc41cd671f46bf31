"""What a person may mean by a text typed into "find": an address, a MAC, half an id, a name. Pure.

`understand(text)` answers one Term: the kind, the text as the store writes it, and how a row's search text (lower case,
values joined by blanks) must look. The search text narrows; `find_match` judges values.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["address", "prefix", "mac", "request", "uuid", "serial", "name"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_TEXT = 255  # characters
MIN_FRAGMENT = 4  # characters of an id
MOST_WORDS = 8

_HEX = "0-9a-f"
_MAC = re.compile(rf"[{_HEX}]{{1,2}}([:-])(?:[{_HEX}]{{1,2}}\1){{4}}[{_HEX}]{{1,2}}")
_MAC_CISCO = re.compile(rf"[{_HEX}]{{4}}\.[{_HEX}]{{4}}\.[{_HEX}]{{4}}")
_MAC_BARE = re.compile(rf"(?:0x)?([{_HEX}]{{12}})")
_MAC_PART = re.compile(rf"[{_HEX}]{{2}}(?:([:-])[{_HEX}]{{2}})(?:\1[{_HEX}]{{2}}){{1,3}}\1?")
_UUID = re.compile(rf"[{_HEX}]{{8}}-?(?:[{_HEX}]{{4}}-?){{3}}[{_HEX}]{{12}}")
_FRAGMENT = re.compile(rf"[{_HEX}-]*[{_HEX}][{_HEX}-]*")
_SERIAL = re.compile(rf"(?:^|[^{_HEX}])([{_HEX}]{{8}}-[{_HEX}]{{4}}-[{_HEX}]{{4}}-[{_HEX}])$")
_REQUEST = re.compile(rf"req-[{_HEX}-]{{4,36}}")
_URI = re.compile(r"[a-z][a-z0-9+.-]*://([^/?#]+)")
_PORT = re.compile(r"(\d+(?:\.\d+){3}):\d{1,5}")


@dataclass(frozen=True, slots=True)
class Term:
    """A text understood.

    kind      what it is
    text      as the store writes it: lower case, addresses and MACs in canonical form
    needles   texts of which a row's search text contains at least one; () = none is needed. Of a prefix, what one of
              the row's values begins with
    words     texts that the search text contains every one of
    pattern   regular expression (RE2) that the search text must match besides; "" = none. Of a prefix, at the
              beginning of a value
    networks  of an address or prefix: every wider prefix that it lies in, as texts
    network   of a prefix: the network
    """

    kind: Kind
    text: str
    needles: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    pattern: str = ""
    networks: tuple[str, ...] = ()
    network: Network | None = None


def understand(text: str) -> Term | None:
    """The text as a Term; None when nothing is left to look for. Never raises.

    A text that fits several kinds is the most special one; what looks like an id is still found where it is part of a
    name.
    """
    typed = _plain(text)
    if not typed:
        return None
    return (
        _mac(typed)
        or _address(typed)
        or _prefix(typed)
        or _request(typed)
        or _id(typed)
        or Term("name", typed, words=tuple(dict.fromkeys(typed.split()))[:MOST_WORDS])
    )


def _plain(text: str) -> str:
    """Lower case, printable, without what surrounds a pasted value: blanks, quotes, brackets, a URL's frame."""
    typed = "".join(c if c.isprintable() else " " for c in text)
    typed = " ".join(typed.encode("utf-8", "replace").decode().lower().split())[:MAX_TEXT]
    typed = typed.strip(" \"'`,;<>()")
    address = _URI.fullmatch(typed) or _URI.match(typed)
    if address:
        typed = address[1].rpartition("@")[2]
    port = _PORT.fullmatch(typed)
    if port:
        typed = port[1]
    bracketed = re.fullmatch(r"\[([0-9a-f:.]+)\](?::\d{1,5})?", typed)
    return bracketed[1] if bracketed else typed


def _mac(typed: str) -> Term | None:
    bare = _MAC_BARE.fullmatch(typed)
    if bare:
        digits = bare[1]
    elif _MAC_CISCO.fullmatch(typed):
        digits = typed.replace(".", "")
    elif _MAC.fullmatch(typed):
        digits = "".join(part.rjust(2, "0") for part in re.split("[:-]", typed))
    else:
        part = _MAC_PART.fullmatch(typed) if ":" in typed and "::" not in typed else None
        return Term("mac", (t := typed.rstrip(":-").replace("-", ":")), (t,)) if part else None
    mac = ":".join(digits[i : i + 2] for i in range(0, 12, 2))
    # Twelve digits alone are also the end of a UUID.
    return Term("mac", mac, (mac, digits) if bare else (mac,))


def _address(typed: str) -> Term | None:
    try:
        address = ipaddress.ip_address(typed.partition("%")[0])
    except ValueError:
        return None
    text = str(address)
    around = f"{_HEX}:" if address.version == 6 else "0-9."
    networks = tuple(
        str(ipaddress.ip_network((address, length), strict=False)) for length in range(1, address.max_prefixlen + 1)
    )
    needles = tuple(dict.fromkeys((text, typed)))
    either = "|".join(re.escape(needle) for needle in needles)
    # Without the edges 10.0.0.1 would be found in 10.0.0.12; a full stop may end a sentence in a description.
    pattern = rf"(^|[^{around}])({either})([^{around}]|\.[^0-9]|\.?$)"
    return Term("address", text, needles, pattern=pattern, networks=networks)


def _prefix(typed: str) -> Term | None:
    star = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3}){0,2})\.\*?", typed)
    if star:  # "10.20." as people write it
        parts = star[1].split(".")
        typed = f"{'.'.join([*parts, *['0'] * (4 - len(parts))])}/{8 * len(parts)}"
    if "/" not in typed:
        return None
    try:
        network = ipaddress.ip_network(typed.replace(" ", ""), strict=False)
    except ValueError:
        return None
    if network.prefixlen == network.max_prefixlen:
        return _address(str(network.network_address))
    needles, pattern = _inside(network)
    around = tuple(str(network.supernet(new_prefix=length)) for length in range(1, network.prefixlen))
    return Term("prefix", str(network), needles, pattern=pattern, networks=around, network=network)


def _inside(network: Network) -> tuple[tuple[str, ...], str]:
    """Needle and pattern of the search texts in which a value begins that may lie in the network.

    The pattern begins with plain text wherever it can: RE2 is three times as fast then.
    """
    if network.version == 6:
        # Addresses are stored in their shortest form: what they begin with for sure ends before the first zero group.
        groups = [int(part, 16) for part in network.exploded.partition("/")[0].split(":")]
        whole = groups[: network.prefixlen // 16]
        sure = whole[: whole.index(0)] if 0 in whole else whole
        return ("".join(f"{group:x}:" for group in sure),), ""
    octets = str(network.network_address).split(".")
    count, bits = divmod(network.prefixlen, 8)
    begin = "".join(f"{octet}." for octet in octets[:count])
    if not bits:
        return (begin,), "" if begin else r"[0-9]+\.[0-9]"
    first = int(octets[count])
    either = "|".join(str(number) for number in range(first, first + (1 << (8 - bits))))
    return (begin,), rf"{re.escape(begin)}({either})([^0-9]|$)"


def _request(typed: str) -> Term | None:
    found = _REQUEST.fullmatch(typed)
    return Term("request", typed, (typed,)) if found else None


def _id(typed: str) -> Term | None:
    if _UUID.fullmatch(typed):
        digits = typed.replace("-", "")
        dashed = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        return Term("uuid", typed, tuple(dict.fromkeys((typed, dashed, digits))))
    serial = _SERIAL.search(typed)
    if serial:  # what the guest sees of a volume: /dev/disk/by-id/virtio-<20 characters>
        return Term("serial", serial[1], (serial[1],))
    digits = typed.replace("-", "")
    least = MIN_FRAGMENT if digits == typed else 6  # db-1 is a name
    if len(digits) >= least and _FRAGMENT.fullmatch(typed) and any(c.isdigit() for c in digits):
        return Term("uuid", typed, (typed,))
    return None
