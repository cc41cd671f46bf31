"""What a typed text is taken for."""

from __future__ import annotations

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.estate.reading.find_terms import MAX_TEXT, understand

MAC = "fa:16:3e:00:11:22"
ID = "77aa0000-1111-2222-3333-444455556666"


@pytest.mark.parametrize(
    ("typed", "kind", "text"),
    [
        ("10.20.0.7", "address", "10.20.0.7"),
        (" 10.20.0.7, ", "address", "10.20.0.7"),
        ("10.20.0.7:443", "address", "10.20.0.7"),
        ("10.20.0.7/32", "address", "10.20.0.7"),
        ("https://ops@10.20.0.7:443/path", "address", "10.20.0.7"),
        ("FD00:0:0::0001", "address", "fd00::1"),
        ("[fd00::1]:22", "address", "fd00::1"),
        ("fe80::1%eth0", "address", "fe80::1"),
        ("10.20.0.0/22", "prefix", "10.20.0.0/22"),
        ("10.20.1.9/22", "prefix", "10.20.0.0/22"),
        ("10.20.", "prefix", "10.20.0.0/16"),
        ("10.20.*", "prefix", "10.20.0.0/16"),
        ("fd00:1::/48", "prefix", "fd00:1::/48"),
        (MAC, "mac", MAC),
        ("FA-16-3E-00-11-22", "mac", MAC),
        ("fa16.3e00.1122", "mac", MAC),
        ("FA163E001122", "mac", MAC),
        ("0xfa163e001122", "mac", MAC),
        ("fa:16:3e:0:11:22", "mac", MAC),
        ("3e:00:11", "mac", "3e:00:11"),
        ("req-8f1c2d3e", "request", "req-8f1c2d3e"),
        (ID, "uuid", ID),
        (ID.upper(), "uuid", ID),
        (ID.replace("-", ""), "uuid", ID.replace("-", "")),
        ("77aa", "uuid", "77aa"),
        ("77aa0000-11", "uuid", "77aa0000-11"),
        (ID[:20], "serial", ID[:20]),
        (f"/dev/disk/by-id/virtio-{ID[:20]}", "serial", ID[:20]),
        ("db-1", "name", "db-1"),
        ("dead", "name", "dead"),
        ("77a", "name", "77a"),
        ("web  PROD", "name", "web prod"),
        ("999.1.1.1", "name", "999.1.1.1"),
        ("12:34", "name", "12:34"),
        ("cmp-02", "name", "cmp-02"),
    ],
)
def test_kinds(typed: str, kind: str, text: str) -> None:
    term = understand(typed)
    assert term is not None and (term.kind, term.text) == (kind, text)


@pytest.mark.parametrize("typed", ["", "  ", '""', "\n\t", "()", "\x00\x1b"])
def test_nothing_to_look_for(typed: str) -> None:
    assert understand(typed) is None


def test_both_ways_to_write_an_id() -> None:
    """Keystone writes ids without dashes, everybody else with."""
    for typed in (ID, ID.replace("-", "")):
        term = understand(typed)
        assert term is not None and {ID, ID.replace("-", "")} <= set(term.needles)


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("x 10.0.0.1 y", True),
        ("10.0.0.1", True),
        ("10.0.0.12", False),
        ("110.0.0.1", False),
        ("gateway is 10.0.0.1.", True),
        ("10.0.0.1.example", True),
        ("10.0.0.1.5", False),
        ("10.0.0.0/24 via 10.0.0.1", True),
        ("10.0.0.1-10.0.0.9", True),
        ("v4=10.0.0.1", True),
    ],
)
def test_edges_of_an_address(value: str, fits: bool) -> None:
    term = understand("10.0.0.1")
    assert term is not None and bool(re.search(term.pattern, value)) is fits


@given(st.text(max_size=400))
def test_any_text_is_understood(typed: str) -> None:
    """Never an exception, and never more than what is looked for is bounded by."""
    term = understand(typed)
    if term is not None:
        assert 0 < len(term.text) <= MAX_TEXT
        assert term.needles or term.words
        assert term.text == term.text.lower()
        term.text.encode()


@given(st.integers(0, 2**48 - 1), st.sampled_from([":", "-", ".", ""]), st.booleans())
def test_every_notation_of_a_mac(number: int, separator: str, upper: bool) -> None:
    digits = f"{number:012x}"
    step = 4 if separator == "." else 2
    typed = separator.join(digits[i : i + step] for i in range(0, 12, step))
    term = understand(typed.upper() if upper else typed)
    assert term is not None and term.kind == "mac"
    assert term.text == ":".join(digits[i : i + 2] for i in range(0, 12, 2))


@given(st.ip_addresses(v=4), st.integers(1, 31), st.integers(0, 2**32 - 1))
def test_addresses_inside_a_prefix(address: ipaddress.IPv4Address, length: int, other: int) -> None:
    """The pattern of a prefix of IPv4 finds exactly the addresses in it."""
    term = understand(f"{address}/{length}")
    assert term is not None and term.kind == "prefix" and term.network is not None
    inside = ipaddress.IPv4Address(int(term.network.network_address) | (other & int(term.network.hostmask)))
    for candidate in (inside, ipaddress.IPv4Address(other)):
        text = str(candidate)
        found = text.startswith(term.needles[0]) and bool(re.search(f"^{term.pattern}", text))
        assert found is (candidate in term.network)


@given(st.ip_addresses(v=6), st.integers(1, 127), st.integers(0, 2**128 - 1))
def test_addresses_inside_a_prefix_of_ipv6(address: ipaddress.IPv6Address, length: int, other: int) -> None:
    """What the texts must begin with leaves no address of the prefix out."""
    term = understand(f"{address}/{length}")
    assert term is not None and term.network is not None
    inside = ipaddress.IPv6Address(int(term.network.network_address) | (other & int(term.network.hostmask)))
    assert str(inside).startswith(term.needles[0])
    assert str(ipaddress.ip_network((inside, 128)).supernet(new_prefix=length)) == term.text


@given(st.ip_addresses())
def test_prefixes_around_an_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    term = understand(str(address))
    assert term is not None and term.kind == "address"
    assert all(address in ipaddress.ip_network(text) for text in term.networks)
