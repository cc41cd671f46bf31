"""Which numbers of a model's text are shown."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.answers import Field, Table
from copilot.backends import numbers
from copilot.backends.numbers import stated
from copilot.backends.verification import Facts

NOW = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
CET = timezone(timedelta(hours=1))


def table(*rows: dict, total: int | None = None, **roles: str) -> Table:
    columns = tuple(Field(name, name.upper(), roles.get(name, "text")) for name in (rows[0] if rows else {"n": 0}))
    return Table(columns, rows, len(rows) if total is None else total)


SERVERS = table(
    {"name": "web-01", "status": "ACTIVE", "vcpus": 4, "ram_mb": 16384, "created_at": "2026-11-27T14:05:09Z"},
    {"name": "web-02", "status": "SHUTOFF", "vcpus": 8, "ram_mb": 32768, "created_at": "2025-02-03T08:00:00Z"},
    {"name": "db", "status": "ACTIVE", "vcpus": 16, "ram_mb": 65536, "created_at": "2026-11-30T15:58:00Z"},
    ram_mb="size_mb",
)
BY_HOST = table({"host": "cmp-01", "n": 47}, {"host": "cmp-02", "n": 12})
COUNT = table({"n": 1234})
EMPTY = table()
SHARES = table({"pool": "ssd", "used_percent": 41.666, "share": 0.25, "free_gb": 1536})
ADDRESSES = table({"name": "vip", "fixed_ips": ["10.20.0.7", "fd00::7"], "id": "4d1f0c1e-9a54-4f1e-9d75-0c5a2b8f6a11"})
CUT = table({"name": "a", "n": 1}, {"name": "b", "n": 2}, total=900)

# question, results, text, whether it is shown
TABLE = [
    # counts and values
    ("how many vms?", [COUNT], "There are 1234 servers.", True),
    ("how many vms?", [COUNT], "There are **1,234** servers.", True),
    ("how many vms?", [COUNT], "There are 1\u202f234 servers.", True),
    ("how many vms?", [COUNT], "There are \uff11\uff12\uff13\uff14 servers.", True),
    ("how many vms?", [COUNT], "There are 1235 servers.", False),
    ("how many vms?", [COUNT], "There are 1,23 servers.", False),
    ("how many vms?", [COUNT], "There are 12 34 servers.", False),
    ("how many vms?", [COUNT], "There are 1.234 servers.", False),
    ("how many vms?", [COUNT], "There are 1.2k servers.", False),
    ("how many vms?", [COUNT], "There are 0x4D2 servers.", False),
    ("how many vms?", [COUNT], "There are -1234 servers.", False),
    ("how many vms?", [COUNT], "There are ٩٩ servers.", False),
    ("how many vms?", [COUNT], "There are ½ servers.", False),
    ("how many vms?", [COUNT], "There are 三 servers.", False),
    ("how many vms?", [COUNT], "There are many servers.", True),
    ("how many vms?", [], "There are 1234 servers.", False),
    ("list vms", [SERVERS], "I found 3 servers:\n1. web-01\n2. web-02\n3. db", True),
    ("list vms", [SERVERS], "I found three servers.", True),
    ("list vms", [SERVERS], "I found four servers.", False),
    ("list vms", [SERVERS], "I found twenty-three servers.", False),
    ("list vms", [SERVERS], "They have 28 vCPUs together.", True),
    ("list vms", [SERVERS], "They have 27 vCPUs together.", False),
    ("list vms", [CUT], "There are 900, the first 2 are shown.", True),
    ("list vms", [CUT], "They have 3 together.", False),  # not all rows are known
    # the rows that a sentence names
    ("vcpus?", [SERVERS], "web-01 has 4 vCPUs.", True),
    ("vcpus?", [SERVERS], "web-01 has 8 vCPUs.", False),
    ("vcpus?", [SERVERS], "web-01 has 4 and web-02 has 8 vCPUs.", True),
    ("vcpus?", [SERVERS], "web-01 has 4 vCPUs. web-02 has 4 vCPUs.", False),
    ("vcpus?", [SERVERS], "- web-01: 4\n- web-02: 8\n- db: 16", True),
    ("vcpus?", [SERVERS], "- web-01: 4\n- web-02: 16\n- db: 8", False),
    ("vcpus?", [SERVERS], "web-01 (ACTIVE) has 4 vCPUs, db 16.", True),
    ("vcpus?", [SERVERS], "The largest is db. It has 16.", True),
    ("vcpus?", [SERVERS], "The largest is db. There are 16.", False),
    ("vcpus?", [SERVERS], "Some have 8 vCPUs.", False),
    ("vcpus of web-02?", [SERVERS], "8 vCPUs.", True),
    ("vcpus of web-02?", [SERVERS], "16 vCPUs.", False),
    ("vms per host", [BY_HOST], "cmp-01 runs 47 and cmp-02 runs 12.", True),
    ("vms per host", [BY_HOST], "cmp-02 runs 47.", False),
    ("vms per host", [BY_HOST], "Together they run 59.", True),
    ("vms per host", [BY_HOST], "The difference is 35.", False),
    # names with digits
    ("list vms", [SERVERS], "web-99 is there too.", False),
    ("is web-77 there?", [EMPTY], "I found no machine called web-77.", True),
    ("ip of vip", [ADDRESSES], "vip has 10.20.0.7 and fd00::7.", True),
    ("ip of vip", [ADDRESSES], "vip has 10.20.0.8.", False),
    ("ip of vip", [ADDRESSES], "Its id is 4d1f0c1e-9a54-4f1e-9d75-0c5a2b8f6a11.", True),
    ("ip of vip", [ADDRESSES], "Its id is 4d1f0c1e-9a54-4f1e-9d75-0c5a2b8f6a12.", False),
    ("ip of vip", [ADDRESSES], "Its id is 4d1f0c1e.", False),
    ("list vms", [SERVERS], "web-01 and db have 4-16 vCPUs.", True),
    ("list vms", [SERVERS], "web-01 and db have 4-17 vCPUs.", False),
    ("list vms", [SERVERS], "web-02 is an 8-core machine.", True),
    ("list vms", [SERVERS], "web-02 is a 9-core machine.", False),
    ("list vms", [table({"name": "vm 12", "n": 5}, {"name": "b", "n": 6})], "12,13 servers run.", False),
    ("list vms", [SERVERS], "See https://evil.example/?q=web", False),
    ("list vms", [SERVERS], "See [here](http://evil.example) or www.evil.example", False),
    ("endpoints", [table({"url": "https://nova.example/v2"})], "It is https://nova.example/v2.", True),
    # units
    ("ram?", [SERVERS], "web-01 has 16 GB of memory.", True),
    ("ram?", [SERVERS], "web-01 has 16GiB, which is 16384 MB.", True),
    ("ram?", [SERVERS], "web-01 has 16384 GB.", False),
    ("ram?", [SERVERS], "web-01 has 17 GB.", False),
    ("ram?", [SERVERS], "web-02 has 16 GB.", False),
    ("free?", [SHARES], "ssd has 1.5 TB free.", True),
    ("free?", [SHARES], "ssd has 1.6 TB free.", False),
    ("used?", [SHARES], "ssd is 41.7% full, 41.67 % to be exact, about 42 percent.", True),
    ("used?", [SHARES], "ssd is 41.6% full.", False),
    ("used?", [SHARES], "A share of 25% is reserved.", True),
    ("used?", [SHARES], "A share of 26% is reserved.", False),
    # times
    ("when?", [SERVERS], "web-01 was created on 2026-11-27 at 14:05.", True),
    ("when?", [SERVERS], "web-01 was created on 27 Nov 2026, 15:05:09.", True),  # the asker's zone
    ("when?", [SERVERS], "web-01 was created on November 27th.", True),
    ("when?", [SERVERS], "web-01 was created on 27.11.2026.", True),
    ("when?", [SERVERS], "web-01 was created on 2026-11-27T14:05:09Z.", True),
    ("when?", [SERVERS], "web-01 was created on 28 Nov 2026.", False),
    ("when?", [SERVERS], "web-01 was created at 13:05.", False),
    ("when?", [SERVERS], "27 servers were created.", False),  # a day is no count
    ("when?", [SERVERS], "web-01 is 3 days old.", True),
    ("when?", [SERVERS], "web-01 is 5 days old.", False),
    ("when?", [SERVERS], "db was created two minutes ago.", True),
    ("when?", [SERVERS], "As of 30 Nov 16:00 it is so.", True),
    # nothing
    ("errors?", [EMPTY], "There are no servers in error.", True),
    ("errors?", [table({"n": 0})], "None.", True),
    ("errors?", [SERVERS], "There are no servers in error.", False),
    ("errors?", [SERVERS], "Zero servers are in error.", False),
    ("protected?", [SERVERS], "No, it is not.", True),
    ("protected?", [SERVERS], "It is no longer there.", True),
    # vague
    ("status?", [SERVERS], "Half of them run.", False),
    ("status?", [SERVERS], "db has twice as many.", False),
    ("status?", [SERVERS], "Two thirds run.", False),
    ("status?", [SERVERS], "One of them is stopped.", True),
    ("status?", [SERVERS], "Only one server is stopped.", False),
    # numbers of the question
    ("hosts with more than 30 vms", [BY_HOST], "Of the hosts with more than 30, cmp-01 is it.", True),
    ("are there 50 vms?", [COUNT], "Yes, there are 50 servers.", False),
    ("are there more than 50 vms?", [COUNT], "Yes, there are more than 50: 1234.", True),
    ("are there more than 50 vms?", [COUNT], "There are 50.", False),
    ("are there more than 50 vms?", [COUNT], "There are less than 50.", False),
    ("top 5 hosts", [BY_HOST], "The top 5 by machines: cmp-01 with 47.", True),
    ("created in the last 7 days", [SERVERS], "In the last 7 days: web-01, db.", True),
    ("created in the last 7 days", [SERVERS], "In the last 8 days: web-01, db.", False),
    ("what runs on host 3?", [EMPTY], "Nothing runs on host 3.", True),
    ("what runs on host 3?", [EMPTY], "On host 4 nothing runs.", False),
    ("servers with at least 16 GB", [SERVERS], "At least 16 GB have all of them.", True),
    ("vms since 2026-11-20", [EMPTY], "None since 20 Nov 2026.", True),
]


@pytest.mark.parametrize(("question", "results", "text", "shown"), TABLE)
def test_what_is_shown(question: str, results: list[Table], text: str, shown: bool) -> None:
    facts = Facts(question, NOW, CET)
    for result in results:
        facts.add_table(result)
    verdict = facts.check(text)
    assert verdict.good is shown, verdict.unverified


def test_what_was_not_found_is_named_once() -> None:
    facts = Facts("how many?", NOW)
    facts.add_table(COUNT)
    assert facts.check("99 here, 99 there, 1234 and seventy.").unverified == ("99", "seventy")


def test_found_resources_are_facts() -> None:
    facts = Facts("what is 10.0.0.9", NOW)
    facts.add_items([{"name": "gw", "value": "10.0.0.9", "machine": {"name": "fw-2"}}], total=4)
    assert facts.check("10.0.0.9 is gw on fw-2, one of 4.").good
    assert not facts.check("10.0.0.9 is gw on fw-3.").good


@given(st.integers(2, 10**12), st.integers(2, 10**12), st.sampled_from(["{}", "{:,}", "**{}**", "({})", "{}.", "={}"]))
def test_another_number_is_never_shown(known: int, said: int, shape: str) -> None:
    facts = Facts("how many?", NOW)
    facts.add_table(Table((Field("n", "N", "number"),), ({"n": known},), 1))
    assert facts.check("It is " + shape.format(said)).good is (said in (known, 1))


@given(st.text(st.sampled_from("0123456789.,:-/ax%½٣ no\n*_|(=\u202f\u2044"), max_size=40))
def test_no_digit_is_passed_over(text: str) -> None:
    """Every digit belongs to something that is checked, or counts a list's lines."""
    left = numbers._MARKER.sub(" ", numbers._plain(text))
    for one in stated(text):
        left = left.replace(one.text, " ", 1)
    assert not [sign for sign in left if sign.isdigit()]


HOSTILE = ["a 1.\n" * 800, "a" * 4000, "1" * 4000, "1a" * 2000, "1." * 2000, "one " * 1000, "1," * 2000, "1-" * 2000]


@pytest.mark.parametrize("text", [*HOSTILE, "v1-1-1 has 5. " * 280])
def test_hostile_texts_are_checked_in_no_time(text: str) -> None:
    facts = Facts("x" * 1000, NOW)
    columns = tuple(Field(f"c{n}", "C") for n in range(20))
    for query in range(12):
        rows = tuple({one.name: f"v{query}-{row}-{one.name}" for one in columns} for row in range(200))
        facts.add_table(Table(columns, rows, 200))
    begun = time.process_time()
    facts.check(text[:4000])
    assert time.process_time() - begun < 2.0


@given(st.text(max_size=200))
def test_any_text_can_be_checked(text: str) -> None:
    facts = Facts(text, NOW)
    facts.add_table(SERVERS)
    facts.check(text)
