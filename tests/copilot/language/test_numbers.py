"""Quantities as they are said: comparison, number and unit, in any of the forms that people use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.language.numbers import amount, in_unit, quantity, trailing
from copilot.language.tokens import tokenise
from copilot.reading import Quantity
from store.types.declaration import Role

GB, TB = 1024.0, 1024.0 * 1024
HOUR, DAY = 3600.0, 86400.0


def q(value: float, unit: str = "", comparison: str = "", upper: float | None = None) -> Quantity:
    return Quantity(value, unit, comparison, upper)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8", q(8)),
        ("0", q(0)),
        ("1,000", q(1000)),
        ("10k", q(10000)),
        ("2 thousand", q(2000)),
        ("zero", q(0)),
        ("two", q(2)),
        ("twelve", q(12)),
        ("twenty four", q(24)),
        ("twenty-four", q(24)),
        ("a hundred", q(100)),
        ("two hundred", q(200)),
        ("a dozen", q(12)),
        ("two dozen", q(24)),
        ("half a dozen", q(6)),
        ("a couple of", q(2)),
        ("a million", q(1e6)),
        ("16 GB", q(16 * GB, "MB")),
        ("16gb", q(16 * GB, "MB")),
        ("16GiB", q(16 * GB, "MB")),
        ("16gigs", q(16 * GB, "MB")),
        ("16 gigs", q(16 * GB, "MB")),
        ("16g", q(16 * GB, "MB")),
        ("512m", q(512, "MB")),
        ("512 megs", q(512, "MB")),
        ("512 MB", q(512, "MB")),
        ("2 TB", q(2 * TB, "MB")),
        ("1.5tb", q(1.5 * TB, "MB")),
        ("1 PB", q(1024 * TB, "MB")),
        ("1048576 bytes", q(1, "MB")),
        ("2048 kb", q(2, "MB")),
        ("a terabyte", q(TB, "MB")),
        ("a gig", q(GB, "MB")),
        ("one terabyte", q(TB, "MB")),
        ("half a terabyte", q(TB / 2, "MB")),
        ("half a tb", q(TB / 2, "MB")),
        ("a quarter of a tb", q(TB / 4, "MB")),
        ("three quarters of a gig", q(0.75 * GB, "MB")),
        ("one and a half tb", q(1.5 * TB, "MB")),
        ("2 and a half tb", q(2.5 * TB, "MB")),
        ("\u00bd tb", q(TB / 2, "MB")),
        ("1\u00bd tb", q(1.5 * TB, "MB")),
        ("80%", q(80, "%")),
        ("80 percent", q(80, "%")),
        ("80 per cent", q(80, "%")),
        ("80pct", q(80, "%")),
        ("2 hours", q(2 * HOUR, "s")),
        ("30 mins", q(1800, "s")),
        ("90s", q(90, "s")),
        ("half an hour", q(1800, "s")),
        ("2 weeks", q(14 * DAY, "s")),
        ("3 months", q(90 * DAY, "s")),
        ("about 8", q(8)),
        ("around 16 gb", q(16 * GB, "MB")),
        ("~8", q(8)),
        ("more than 8", q(8, "", ">")),
        ("more then 8", q(8, "", ">")),
        ("biger than 8", q(8, "", ">")),
        ("graeter than 8", q(8, "", ">")),
        ("smalller then 8gb", q(8 * GB, "MB", "<")),
        ("greater than 8", q(8, "", ">")),
        ("larger than 100GB", q(100 * GB, "MB", ">")),
        ("bigger than a terabyte", q(TB, "MB", ">")),
        ("higher than 80%", q(80, "%", ">")),
        ("over 8", q(8, "", ">")),
        ("over about 8", q(8, "", ">")),
        ("above 80 percent", q(80, "%", ">")),
        ("in excess of 2tb", q(2 * TB, "MB", ">")),
        ("exceeding 2tb", q(2 * TB, "MB", ">")),
        ("upwards of 8", q(8, "", ">")),
        ("> 8", q(8, "", ">")),
        (">8", q(8, "", ">")),
        ("more than half a terabyte", q(TB / 2, "MB", ">")),
        ("more than a dozen", q(12, "", ">")),
        ("more than one", q(1, "", ">")),
        ("more than a day", q(DAY, "s", ">")),
        (">= 16 GB", q(16 * GB, "MB", ">=")),
        (">=8", q(8, "", ">=")),
        ("> = 8", q(8, "", ">=")),
        ("\u2265 8", q(8, "", ">=")),
        ("at least two", q(2, "", ">=")),
        ("atleast 2", q(2, "", ">=")),
        ("minimum 8", q(8, "", ">=")),
        ("min 8", q(8, "", ">=")),
        ("a minimum of 8gb", q(8 * GB, "MB", ">=")),
        ("no less than 4", q(4, "", ">=")),
        ("not less than 4", q(4, "", ">=")),
        ("no fewer than 4", q(4, "", ">=")),
        ("not under 4", q(4, "", ">=")),
        ("not below 80%", q(80, "%", ">=")),
        ("greater than or equal to 4", q(4, "", ">=")),
        ("more or equal to 4", q(4, "", ">=")),
        ("equal or greater than 4", q(4, "", ">=")),
        ("8 or more", q(8, "", ">=")),
        ("8 gb or more", q(8 * GB, "MB", ">=")),
        ("8gb or larger", q(8 * GB, "MB", ">=")),
        ("8 and up", q(8, "", ">=")),
        ("8 and above", q(8, "", ">=")),
        ("8+", q(8, "", ">=")),
        ("8gb+", q(8 * GB, "MB", ">=")),
        ("8 plus", q(8, "", ">=")),
        ("80% or higher", q(80, "%", ">=")),
        ("2 at least", q(2, "", ">=")),
        ("less than 4", q(4, "", "<")),
        ("less then 4", q(4, "", "<")),
        ("fewer than 4", q(4, "", "<")),
        ("smaller than 10gb", q(10 * GB, "MB", "<")),
        ("lower than 10%", q(10, "%", "<")),
        ("under 2 TB", q(2 * TB, "MB", "<")),
        ("below 10%", q(10, "%", "<")),
        ("< 4", q(4, "", "<")),
        ("less than a gig", q(GB, "MB", "<")),
        ("at most 4", q(4, "", "<=")),
        ("no more than 4", q(4, "", "<=")),
        ("not more than 4", q(4, "", "<=")),
        ("not over 4", q(4, "", "<=")),
        ("no bigger than 10gb", q(10 * GB, "MB", "<=")),
        ("up to 100G", q(100 * GB, "MB", "<=")),
        ("upto 100G", q(100 * GB, "MB", "<=")),
        ("max 4", q(4, "", "<=")),
        ("maximum of 4", q(4, "", "<=")),
        ("<= 4", q(4, "", "<=")),
        ("=< 4", q(4, "", "<=")),
        ("less than or equal to 4", q(4, "", "<=")),
        ("4 or less", q(4, "", "<=")),
        ("4 or fewer", q(4, "", "<=")),
        ("4gb or smaller", q(4 * GB, "MB", "<=")),
        ("4 and below", q(4, "", "<=")),
        ("4 max", q(4, "", "<=")),
        ("4 at most", q(4, "", "<=")),
        ("exactly one", q(1, "", "=")),
        ("exactly 8gb", q(8 * GB, "MB", "=")),
        ("= 8", q(8, "", "=")),
        ("== 8", q(8, "", "=")),
        ("equal to 8", q(8, "", "=")),
        ("equals 8", q(8, "", "=")),
        ("8 exactly", q(8, "", "=")),
        ("!= 8", q(8, "", "!=")),
        ("<> 8", q(8, "", "!=")),
        ("not 8", q(8, "", "!=")),
        ("not equal to 8", q(8, "", "!=")),
        ("not exactly 8", q(8, "", "!=")),
        ("other than 8", q(8, "", "!=")),
        ("between 4 and 8", q(4, "", "", 8)),
        ("between 4 and 8 gb", q(4 * GB, "MB", "", 8 * GB)),
        ("between 4gb and 8gb", q(4 * GB, "MB", "", 8 * GB)),
        ("between 512 mb and 2 gb", q(512, "MB", "", 2 * GB)),
        ("between 4gb and 8", q(4 * GB, "MB", "", 8 * GB)),
        ("between 8 and 4", q(4, "", "", 8)),
        ("between two and four", q(2, "", "", 4)),
        ("between 10 and 20 percent", q(10, "%", "", 20)),
        ("from 4 to 8", q(4, "", "", 8)),
        ("4 to 8 gb", q(4 * GB, "MB", "", 8 * GB)),
        ("4-8", q(4, "", "", 8)),
        ("4-8gb", q(4 * GB, "MB", "", 8 * GB)),
        ("512mb-2gb", q(512, "MB", "", 2 * GB)),
        ("1\u20132 tb", q(TB, "MB", "", 2 * TB)),
    ],
)
def test_all_of_it_is_the_quantity(text: str, expected: Quantity) -> None:
    tokens = tokenise(text)
    assert quantity(tokens, 0) == (expected, len(tokens))


@pytest.mark.parametrize(
    ("text", "expected", "rest"),
    [
        ("8 vcpus", q(8), "vcpus"),
        ("8vcpus or more", q(8), "vcpus or more"),
        ("more than 8 vcpus", q(8, "", ">"), "vcpus"),
        ("16 gigs of ram", q(16 * GB, "MB"), "of ram"),
        ("4 or 8 vcpus", q(4), "or 8 vcpus"),
        ("4 + 4", q(4), "+ 4"),
        ("4 and 8", q(4), "and 8"),
        ("4, 8", q(4), ", 8"),
        ("8 gb ram and 4 cpus", q(8 * GB, "MB"), "ram and 4 cpus"),
        ("4 to host", q(4), "to host"),
        ("one vm", q(1), "vm"),
        ("at least one of them", q(1, "", ">="), "of them"),
        ("4 gb - 8 percent", q(4 * GB, "MB"), "- 8 percent"),
        ("a dozen vms", q(12), "vms"),
        ("5 and a bit", q(5), "and a bit"),
    ],
)
def test_what_comes_behind_stays(text: str, expected: Quantity, rest: str) -> None:
    tokens = tokenise(text)
    found = quantity(tokens, 0)
    assert found is not None
    assert found[0] == expected
    assert " ".join(token.word for token in tokens[found[1] :]) == rest


_NONE = """|vms|a vm|the|more|more vms|one|one?|an|a week|9 am|at 9|over|between|web-8|between 4|from 4|'8'|no|no vms
|half|between vms and hosts|not running|8th|a half|max|9999999999999999|10.0.0.1|9:00|2026-11-20"""


@pytest.mark.parametrize("text", _NONE.split("|"))
def test_what_is_no_quantity(text: str) -> None:
    assert quantity(tokenise(text), 0) is None


@pytest.mark.parametrize("text", ["which one vm", "the one vm", "that one is", "another one please"])
def test_one_may_stand_for_something(text: str) -> None:
    tokens = tokenise(text)
    assert quantity(tokens, next(i for i, token in enumerate(tokens) if token.word == "one")) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("or more", (">=", 2)),
        ("and up", (">=", 2)),
        ("or fewer", ("<=", 2)),
        ("at most", ("<=", 2)),
        ("+", (">=", 1)),
        ("exactly", ("=", 1)),
        ("or", None),
        ("or stopped", None),
        ("+ 3", None),
        ("max 3", None),
        ("", None),
    ],
)
def test_a_comparison_behind_the_noun(text: str, expected: tuple[str, int] | None) -> None:
    assert trailing(tokenise(text), 0) == expected


def test_bare_numbers() -> None:
    assert amount(tokenise("twenty four vms"), 0) == (24.0, 2)
    assert amount(tokenise("a couple of vms"), 0) == (2.0, 3)
    assert amount(tokenise("vms"), 0) is None


@pytest.mark.parametrize(
    ("given_", "role", "expected"),
    [
        (q(16 * GB, "MB", ">"), "size_mb", q(16384, "", ">")),
        (q(16 * GB, "MB"), "size_gb", q(16)),
        (q(1, "MB"), "size_bytes", q(1048576)),
        (q(4 * GB, "MB", "", 8 * GB), "size_gb", q(4, "", "", 8)),
        (q(16), "size_mb", q(16384)),
        (q(4, "", "", 8), "size_mb", q(4096, "", "", 8192)),
        (q(4096), "size_mb", q(4096)),
        (q(512), "size_mb", q(512)),
        (q(100, "", ">"), "size_gb", q(100, "", ">")),
        (q(2), "size_bytes", q(2 * 1024.0**3)),
        (q(1e9), "size_bytes", q(1e9)),
        (q(8, "", ">="), "number", q(8, "", ">=")),
        (q(80, "%", ">"), "number", q(80, "%", ">")),
    ],
)
def test_in_the_unit_of_a_column(given_: Quantity, role: Role, expected: Quantity) -> None:
    assert in_unit(given_, role) == expected


@pytest.mark.parametrize(
    ("given_", "role"),
    [
        (q(16 * GB, "MB"), "number"),
        (q(7200, "s"), "number"),
        (q(7200, "s"), "size_gb"),
        (q(80, "%"), "size_mb"),
        (q(8), "text"),
        (q(8), "time"),
    ],
)
def test_what_does_not_fit_a_column(given_: Quantity, role: Role) -> None:
    with pytest.raises(ValueError, match=r"cannot be compared"):
        in_unit(given_, role)


_SAID = """more than at least no not between and from to - 4 8.5 16 gb tb % a half of one two twenty hundred dozen or up
k + max hours am exactly about = > < vms couple million 999999999999999"""
_WORDS = st.lists(st.sampled_from(_SAID.split()), max_size=12)


@given(_WORDS.map(" ".join) | st.text(max_size=80))
def test_any_words_are_read_or_not(text: str) -> None:
    tokens = tokenise(text)
    for i in range(len(tokens) + 1):
        found = quantity(tokens, i)
        if found is not None:
            read, eaten = found
            assert 1 <= eaten <= len(tokens) - i
            assert read.value >= 0
            assert read.upper is None or (read.value <= read.upper and read.comparison == "")
            assert read.unit in ("", "MB", "%", "s")
