"""Typos are forgiven when one word was clearly meant; what is in doubt, short or English is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copilot.language.spelling import correct

_WORDS = """list show count vm vms server servers volume volumes snapshot snapshots host hosts hypervisor hypervisors
tenant tenants project projects network networks router routers stopped running attached detached
unattached encrypted quota status state node user users flavor flavors image images deleted created
subnet security group floating orphaned protected largest newest available"""
VOCABULARY = frozenset(_WORDS.split())


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("server", "server"),
        ("vms", "vms"),
        ("sever", "server"),
        ("servr", "server"),
        ("serverr", "server"),
        ("serevrs", "servers"),
        ("esrvers", "servers"),
        ("serverz", "servers"),
        ("vmss", "vms"),
        ("lsit", "list"),
        ("lits", "list"),
        ("shwo", "show"),
        ("cuont", "count"),
        ("volums", "volumes"),
        ("vloumes", "volumes"),
        ("voluems", "volumes"),
        ("snaphsot", "snapshot"),
        ("snapshto", "snapshot"),
        ("snpashots", "snapshots"),
        ("hypervisro", "hypervisor"),
        ("hyprvsor", "hypervisor"),
        ("hypervizors", "hypervisors"),
        ("tennant", "tenant"),
        ("tenent", "tenant"),
        ("projcet", "project"),
        ("porject", "project"),
        ("rpoject", "project"),
        ("netwrok", "network"),
        ("netowrks", "networks"),
        ("runing", "running"),
        ("runnning", "running"),
        ("stoped", "stopped"),
        ("atached", "attached"),
        ("attatched", "attached"),
        ("unatached", "unattached"),
        ("encripted", "encrypted"),
        ("quoat", "quota"),
        ("quote", "quota"),
        ("statsu", "status"),
        ("flavr", "flavor"),
        ("flavour", "flavor"),
        ("flavours", "flavors"),
        ("securtiy", "security"),
        ("availible", "available"),
        ("largst", "largest"),
        # left alone
        ("vmz", None),
        ("hst", None),
        ("lst", None),
        ("", None),
        ("x", None),
        ("mode", None),  # English
        ("stale", None),
        ("lost", None),
        ("cost", None),
        ("attacked", None),
        ("delayed", None),
        ("delays", None),
        ("never", None),
        ("ttached", None),
        ("etached", None),  # the first letter is another one
        ("web-01", None),
        ("serv3r", None),
        ("banana", None),
        ("kubernetes", None),
        ("hxxts", None),
        ("rver", None),
    ],
)
def test_what_was_meant(typed: str, meant: str | None) -> None:
    assert correct(typed, VOCABULARY) == meant


def test_nobody_wins_between_equals() -> None:
    assert correct("porl", ["port", "pool", "pore"]) is None
    assert correct("portt", ["port", "ports"]) == "port"
    assert correct("prt", ["port"]) is None


@pytest.mark.parametrize("vocabulary", [(), [], {"": 1}, ("", "a", "ab")])
def test_poor_vocabularies(vocabulary: tuple[str, ...]) -> None:
    assert correct("server", vocabulary) is None


@given(st.text(max_size=20), st.lists(st.text(max_size=12), max_size=8))
def test_what_comes_is_of_the_vocabulary(word: str, vocabulary: list[str]) -> None:
    found = correct(word, vocabulary)
    assert found is None or found in vocabulary
    assert word not in vocabulary or found == word


@given(st.sampled_from(sorted(one for one in VOCABULARY if len(one) > 5)), st.data())
def test_swapped_letters_are_never_taken_for_another_word(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 2))
    typed = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    assert correct(typed, VOCABULARY) in (word, word + "s", word.removesuffix("s"), None)
